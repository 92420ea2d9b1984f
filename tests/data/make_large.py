"""Makes the images that take most memory for their number of pixels: make_large.py FOLDER"""

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = 4_000_000
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(path, width, height, depth, interlaced):
    """An RGBA image, all one colour."""
    pixel = b"\x30" * (depth // 2)
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = []
    for left, top, right, down in passes:
        columns, lines = -(-(width - left) // right), -(-(height - top) // down)
        rows += [b"\0" + columns * pixel] * lines if columns > 0 else []

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, int(interlaced))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows), 1))
                     + chunk(b"IEND", b""))


def main(folder):
    # Twice as high as wide: rows wait in full width until their height is scaled.
    noise = np.random.default_rng(1).integers(0, 256, (2828, 1414, 4), dtype=np.uint8)
    Image.fromarray(noise, "CMYK").save(folder / "progressive.jpg", progressive=True, subsampling=0, quality=30)
    Image.fromarray(noise[..., :3]).save(folder / "baseline.jpg", quality=30)
    png(folder / "interlaced.png", 1414, 2828, 16, True)
    png(folder / "row.png", PIXELS, 1, 16, False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
