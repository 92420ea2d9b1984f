"""Cuts the dataset `images` of an HDF5 file to ROWS rows: resize_dataset.py FILE ROWS"""

import sys

import h5py

if __name__ == "__main__":
    with h5py.File(sys.argv[1], "a") as file:
        file["images"].resize(int(sys.argv[2]), axis=0)
