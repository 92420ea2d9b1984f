"""Writes small files of many kinds with the libraries that people write them with, and what each is called: make_kinds.py FOLDER"""

import bz2
import gzip
import lzma
import pickle
import sqlite3
import sys
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image, features

IMAGES = {"jpg": "a JPEG image", "png": "a PNG image", "gif": "a GIF image", "bmp": "a BMP image", "tiff": "a TIFF image",
          "webp": "a WebP image", "jp2": "a JPEG 2000 image", "ico": "an icon (ICO)", "ppm": "a PPM image", "pdf": "a PDF document",
          "avif": "an AVIF image"}
NEEDS = {"webp": "webp", "jp2": "jpg_2000", "avif": "avif"}


def images(folder):
    image = Image.fromarray(np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3))
    for suffix, kind in IMAGES.items():
        if suffix in NEEDS and not features.check(NEEDS[suffix]):
            continue
        image.save(folder / f"image.{suffix}")
        yield f"image.{suffix}", kind


def arrays(folder):
    values = np.arange(4)
    np.save(folder / "a.npy", values)
    yield "a.npy", "a NumPy array (.npy)"
    np.savez(folder / "a.npz", images=values)
    yield "a.npz", "a file of NumPy arrays (.npz)"
    with h5py.File(folder / "a", "w") as file:
        file["images"] = values
    yield "a", "an HDF5 file"
    for protocol in range(2, 6):
        (folder / f"p{protocol}").write_bytes(pickle.dumps({"data": list(range(9))}, protocol))
        yield f"p{protocol}", "a Python pickle"


def archives(folder):
    (folder / "x.gz").write_bytes(gzip.compress(b"x"))
    yield "x.gz", "a gzip file"
    (folder / "x.bz2").write_bytes(bz2.compress(b"x"))
    yield "x.bz2", "a bzip2 file"
    (folder / "x.xz").write_bytes(lzma.compress(b"x"))
    yield "x.xz", "an xz file"
    with zipfile.ZipFile(folder / "x.zip", "w") as file:
        file.writestr("a/0.jpg", b"x")
    yield "x.zip", "a zip archive"
    with tarfile.open(folder / "x.tar", "w") as file:
        file.add(folder / "x.gz", "x.gz")
    yield "x.tar", "a tar archive"
    base = sqlite3.connect(folder / "x.db")
    base.execute("create table t (x)")
    base.commit()
    base.close()
    yield "x.db", "an SQLite database"


def main(folder):
    for make in (images, arrays, archives):
        for name, kind in make(folder):
            (folder / f"{name}.kind").write_text(kind + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
