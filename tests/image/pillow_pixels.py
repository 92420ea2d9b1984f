"""Writes what Pillow reads of image files: pillow_pixels.py FOLDER

Each file of FOLDER that Pillow's `convert("RGB")` accepts gets its pixels beside it, as FILE.png. An oracle for any codec.
"""

import sys
import warnings
from pathlib import Path

from PIL import Image

warnings.simplefilter("ignore")
for file in sorted(Path(sys.argv[1]).iterdir()):
    try:
        with Image.open(file) as image:
            pixels = image.convert("RGB")
    except Exception:  # whatever Pillow throws, it is a refusal
        continue
    pixels.save(f"{file}.png", "PNG")
