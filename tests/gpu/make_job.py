"""Makes the job: weights of a ResNet-18 and four heads, photographs, and the configurations. Nothing is downloaded."""

import multiprocessing
import os

import h5py
import numpy as np
import torch
import torchvision
from common import SIZES, WORK, all_cores, record
from job import HEADS, MEAN, SPECIAL, SPECIAL_SAMPLES, STD
from model import make_head
from PIL import Image
from torch import nn

def make_backbone():
    """Random weights, and batch norms that do something while activations stay finite."""
    backbone = torchvision.models.resnet18()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    torch.save(backbone.state_dict(), WORK / "backbone.pth")


def save_photograph(number):
    """Shapes and noise, so that the JPEG is about as large as a photograph's."""
    rng = np.random.default_rng(number)
    shapes = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize((SIZES.width, SIZES.height), Image.BICUBIC)
    noisy = np.asarray(shapes, dtype=np.float32) + rng.standard_normal((SIZES.height, SIZES.width, 3), dtype=np.float32) * 6
    path = WORK / "images" / f"{number:05d}.jpg"
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path.stat().st_size


def make_photographs():
    """images/ has all, few/ and two-batches/ the first of them, many/ several names of each."""
    first = {"few": SIZES.few, "two-batches": 2 * SIZES.batch}
    for folder in ("images", "many", *first):
        (WORK / folder).mkdir()
    with multiprocessing.Pool(len(all_cores())) as pool:
        total = sum(pool.imap_unordered(save_photograph, range(SIZES.images), chunksize=16))
    for number in range(SIZES.images):
        name = f"{number:05d}.jpg"
        for folder, count in first.items():
            if number < count:
                os.link(WORK / "images" / name, WORK / folder / name)
        for copy in range(SIZES.copies):
            os.link(WORK / "images" / name, WORK / "many" / f"{copy}-{name}")
    record("photographs", count=SIZES.images, mean_bytes=total // SIZES.images, width=SIZES.width, height=SIZES.height)


def make_special():
    """special.h5 has samples that overflow; plain.h5 the same without what makes them special."""
    rng = np.random.default_rng(7)
    images = rng.random((SPECIAL_SAMPLES, 3, SIZES.crop, SIZES.crop), dtype=np.float32)
    for name in ("plain", "special"):
        if name == "special":
            for sample, value in SPECIAL.items():
                images[sample, 1] = value
        with h5py.File(WORK / f"{name}.h5", "w") as file:
            file["images"] = images


def make_small():
    images = np.random.default_rng(8).integers(0, 256, (2 * SIZES.batch, 32, 32, 3), dtype=np.uint8)
    with h5py.File(WORK / "small-images.h5", "w") as file:
        file["images"] = images


def config_text(heads, data, batch):
    listed = "".join(f"  - {{name: {name}, layers: [{layers}], weights: {name}.pth}}\n" for name, layers in heads)
    return (f"data: {{{data}, max_bad: 50%}}\nbackbone: {{arch: resnet18, weights: backbone.pth, engine: libtorch}}\nheads:\n{listed}"
            f"fusion: {{rule: mean-logits}}\nparallel: {{batch: {batch}}}\noutput: {{path: out.h5, head_scores: true}}\n")


def make_configs(heads):
    scaled = f"preprocess: {{resize: {SIZES.resize}, crop: {SIZES.crop}, mean: {MEAN}, std: {STD}}}"
    for first in range(len(heads)):  # the same heads, each once at the front
        order = heads[first:] + heads[:first]
        (WORK / f"first-{first}.yaml").write_text(config_text(order, f"path: few, {scaled}", SIZES.batch))
    (WORK / "job.yaml").write_text(config_text(heads, f"path: images, {scaled}", SIZES.batch))
    (WORK / "many.yaml").write_text(config_text(heads, f"path: many, {scaled}", SIZES.large_batch))
    (WORK / "two-batches.yaml").write_text(config_text(heads, f"path: two-batches, {scaled}", SIZES.batch))
    (WORK / "small.yaml").write_text(config_text(heads, f"path: small-images.h5, preprocess: {{mean: {MEAN}, std: {STD}}}", SIZES.batch))
    for name in ("special", "plain"):
        (WORK / f"{name}.yaml").write_text(config_text(heads, f"path: {name}.h5", SPECIAL_SAMPLES))


def main():
    torch.manual_seed(1)
    make_backbone()
    for name, layers in HEADS.items():
        torch.save(make_head(layers).state_dict(), WORK / f"{name}.pth")
    make_configs(list(HEADS.items()))
    make_special()
    make_small()
    make_photographs()


if __name__ == "__main__":
    main()
