"""Makes an 8x8 PNG whose pixels count up, and a JPEG of the same size: make_images.py FOLDER"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image


def main(folder):
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    Image.fromarray(pixels).save(folder / "good.png")
    Image.fromarray(pixels).save(folder / "good.jpg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
