"""Writes HDF5 files that polyhead's own writer cannot: make_files.py FOLDER"""

import sys
from pathlib import Path

import h5py
import numpy as np


def main(folder):
    images = (np.arange(50 * 6 * 5 * 3) % 251).astype(np.uint8).reshape(50, 6, 5, 3)
    with h5py.File(folder / "good.h5", "w") as file:
        file["plain"] = images
        file.create_dataset("packed", data=images, chunks=(7, 6, 5, 3), compression="gzip")
        file["big_endian"] = (images.transpose(0, 3, 1, 2) / 255).astype(">f8")
        file["column"] = np.arange(50, dtype=">u2").reshape(50, 1)
        file["bytes"] = np.arange(-1, 49, dtype=np.int8)
    with h5py.File(folder / "bad.h5", "w") as file:
        file["images"] = images
        file["half"] = np.zeros((4, 3, 6, 5), np.float16)
        file["texts"] = ["a", "b"]
        file["flags"] = np.zeros(50, bool)
        file["beyond"] = np.full(50, 2**63, np.uint64)
        file.create_group("group")
    with h5py.File(folder / "chunks.h5", "w") as file:
        file.create_dataset("plain", (20, 600, 600), np.uint8)[0] = 0
        for name, rows in {"one": 1, "eight": 8, "all": 20}.items():
            file.create_dataset(name, (20, 600, 600), np.uint8, chunks=(rows, 600, 600))[0] = 0
    with h5py.File(folder / "damaged.h5", "w") as file:
        packed = file.create_dataset("images", data=images, chunks=(10, 6, 5, 3), compression="gzip")
        chunk = packed.id.get_chunk_info(2)
    with open(folder / "damaged.h5", "r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)


main(Path(sys.argv[1]))
