#!/usr/bin/env python3
"""Images that one thread of PyTorch's tools decodes and preprocesses in a second of processor time.

    .venv/bin/python bench/decode_peers.py pillow|torchvision FOLDER SECONDS

pillow is Pillow with torchvision.transforms, torchvision is torchvision.io with torchvision.transforms.v2. Every JPEG in
FOLDER and below is read into memory first. Prints one number.
"""

import io
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import v2

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pillow():
    steps = transforms.Compose([transforms.Resize(256, antialias=True), transforms.CenterCrop(224), transforms.ToTensor(),
                                transforms.Normalize(MEAN, STD)])
    return lambda data: steps(Image.open(io.BytesIO(data)).convert("RGB"))


def torchvision():
    steps = v2.Compose([v2.Resize(256, antialias=True), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize(MEAN, STD)])
    return lambda data: steps(decode_jpeg(torch.from_numpy(np.frombuffer(data, np.uint8)), ImageReadMode.RGB))


def images_per_second(files, decode, seconds):
    begin = time.process_time()
    count = 0
    while time.process_time() - begin < seconds:
        decode(files[count % len(files)])
        count += 1
    return count / (time.process_time() - begin)


def main(contestant, folder, seconds):
    torch.set_num_threads(1)
    files = [bytearray(path.read_bytes()) for path in sorted(Path(folder).rglob("*.jpg"))]
    decode = {"pillow": pillow, "torchvision": torchvision}[contestant]()
    images_per_second(files, decode, float(seconds) / 10)
    print(f"{images_per_second(files, decode, float(seconds)):.1f}")


with torch.inference_mode():
    main(*sys.argv[1:])
