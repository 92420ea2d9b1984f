"""damage.py FILE STATEMENT: changes a result file through h5py, open as `f`."""
import sys

import h5py

with h5py.File(sys.argv[1], "r+") as f:
    exec(sys.argv[2])
