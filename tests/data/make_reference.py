"""Writes images and what torchvision makes of them: make_reference.py FOLDER

images.h5     datasets named by their kind and size, e.g. rgb_17x41
cases.txt     one case a line: dataset, resize and crop (- for none), interpolation, mean (3), std (3), images, height, width
expected.f32  the preprocessed images of every case, one after the other, fp32 [N, 3, H, W]
"""

import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from torchvision import transforms

SIZES = [(1, 1), (1, 9), (9, 1), (8, 8), (28, 28), (32, 32), (17, 41), (41, 17), (64, 48), (100, 3), (5, 211), (131, 197)]
STEPS = [(None, None), (None, 5), (None, 16), (7, None), (24, None), (32, None), (57, None), (24, 21), (31, 24), (48, 47),
         (100, 64), (3, 2)]
NORMS = [((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
INTERPOLATION = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}
PHOTOS = [(233, 320), (431, 180)]
KINDS = {"flat": None, "gray": 1, "rgb": 3, "floatgray": 1, "float": 3, "double": 3}


def smooth(rng, height, width, channels):
    """Ramps, edges and noise: neither pure noise nor anything a filter leaves alone."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.empty((height, width, channels))
    for c in range(channels):
        image[..., c] = 128 + 90 * np.sin(x / (3 + c) + c) + 60 * np.cos(y / (5 + c)) + 120 * ((x // 7 + y // 5) % 2)
    return image - 60 + rng.normal(0, 15, image.shape)


def bytes_array(rng, shape, channels):
    """Two images: noise of extreme values (it makes bicubic overshoot), and a smooth one."""
    height, width = shape
    noise = rng.choice([0, 0, 1, 100, 254, 255, 255], (height, width, channels or 1))
    images = np.stack([noise, smooth(rng, height, width, channels or 1)])
    images = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    return images if channels else images[..., 0]


def make(rng, kind, shape):
    if kind.startswith(("float", "double")):
        images = bytes_array(rng, shape, KINDS[kind]).transpose(0, 3, 1, 2) / 255.0 * 1.5 - 0.25
        return images.astype(np.float64 if kind == "double" else np.float32)
    return bytes_array(rng, shape, KINDS[kind])


def expected(images, resize, crop, interpolation, mean, std):
    steps = []
    if resize:
        steps.append(transforms.Resize(resize, INTERPOLATION[interpolation], antialias=True))
    if crop:
        steps.append(transforms.CenterCrop(crop))
    if images.dtype == np.uint8:
        steps.append(transforms.ToTensor())
        inputs = [Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image) for image in images]
    else:
        inputs = [torch.from_numpy(image.astype(np.float32)) for image in images]
    normalize = transforms.Normalize(mean, std)
    compose = transforms.Compose(steps)
    return np.stack([normalize(compose(image).expand(3, -1, -1).clone()).numpy() for image in inputs])


def fits(shape, resize, crop):
    """What polyhead accepts: nothing is padded."""
    return crop is None or crop <= (resize or min(shape))


def cases():
    for kind in KINDS:
        for shape in SIZES[::2] if kind in ("floatgray", "double") else SIZES:
            for resize, crop in STEPS:
                for interpolation in INTERPOLATION if resize else ["bilinear"]:
                    if fits(shape, resize, crop) and (resize or 0) * max(shape) / min(shape) < 700:
                        yield kind, shape, resize, crop, interpolation
    for interpolation in INTERPOLATION:
        for shape in PHOTOS:
            yield "rgb", shape, 256, 224, interpolation
            yield "rgb", shape, 96, 80, interpolation
            yield "float", shape, 64, 56, interpolation


def main(folder):
    torch.set_num_threads(1)
    rng = np.random.default_rng(7)
    arrays = {}
    with open(folder / "cases.txt", "w") as lines, open(folder / "expected.f32", "wb") as values:
        for number, (kind, shape, resize, crop, interpolation) in enumerate(cases()):
            name = f"{kind}_{shape[0]}x{shape[1]}"
            images = arrays.setdefault(name, make(rng, kind, shape))
            mean, std = NORMS[number % len(NORMS)]
            result = expected(images, resize, crop, interpolation, mean, std)
            values.write(result.astype("<f4").tobytes())
            print(name, resize or "-", crop or "-", interpolation, *mean, *std, len(result), *result.shape[2:], file=lines)
    with h5py.File(folder / "images.h5", "w") as file:
        for name, images in arrays.items():
            file[name] = images


main(Path(sys.argv[1]))
