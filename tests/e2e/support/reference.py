#!/usr/bin/env python3
"""What plain PyTorch makes of a polyhead configuration: the oracle of the end-to-end tests.

    tests/e2e/support/reference.py runs/demo/ensemble.yaml reference.npz [--files list.txt]

Reads the same configuration, weights and HDF5 images or CIFAR rows (or the image files of a list, a path a line), and runs
eager fp32 modules, a head at a time. Shares no code with polyhead or the demo. The .npz holds, for N samples, K heads and C classes:

    head_logits         f32 [K, N, C]     head_prediction                int32 [N, K]
    mean_logits         f64 [N, C]        mean_logits_prediction         int32 [N]
    mean_probabilities  f64 [N, C]        mean_probabilities_prediction  int32 [N]
    labels              int32 [N]         -1 where there are none

Ties go to the lowest class. `glob:` heads and --set are not supported.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np
import torch
import torchvision
import yaml
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torchvision import transforms

CHUNK = 100  # images at a time
PLAIN_LAYERS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh, "flatten": nn.Flatten}
NORM_LAYERS = {"batchnorm": nn.BatchNorm1d, "layernorm": nn.LayerNorm}


def read_weights(path):
    return load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)


def make_backbone(arch, path):
    """(the backbone, which gives features in place of classes; how many)"""
    model = getattr(torchvision.models, arch)()
    width = model.fc.in_features
    model.fc = nn.Identity()
    state = {name: tensor for name, tensor in read_weights(path).items() if not name.startswith("fc.")}
    model.load_state_dict(state)
    return model.eval(), width


def make_layer(description, width):
    """(the layer, the width of what it gives) for "linear 256"."""
    kind, *argument = str(description).split()
    if kind == "linear":
        return nn.Linear(width, int(argument[0])), int(argument[0])
    if kind == "dropout":
        return nn.Dropout(float(argument[0])), width
    return (NORM_LAYERS[kind](width) if kind in NORM_LAYERS else PLAIN_LAYERS[kind]()), width


def make_head(layers, path, width):
    modules = []
    for description in layers:
        layer, width = make_layer(description, width)
        modules.append(layer)
    head = nn.Sequential(*modules)
    head.load_state_dict(read_weights(path))
    return head.eval()


def make_preprocess(options, decoded):
    """torchvision's transforms for one image; `decoded`: it is a float tensor already, not a PIL image."""
    mode = transforms.InterpolationMode[options.get("interpolation", "bilinear").upper()]
    steps = [transforms.Resize(options["resize"], mode, antialias=True)] if options.get("resize") else []
    steps += [transforms.CenterCrop(options["crop"])] if options.get("crop") else []
    steps += [] if decoded else [transforms.ToTensor()]
    steps += [transforms.Normalize(options.get("mean", [0, 0, 0]), options.get("std", [1, 1, 1]))]
    return transforms.Compose(steps)


def to_image(pixels):
    """A file, uint8 [H, W] or [H, W, C] to PIL, float [C, H, W] to a tensor; with three channels."""
    if isinstance(pixels, str):
        return Image.open(pixels).convert("RGB")
    if pixels.dtype == np.uint8:
        return Image.fromarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels).convert("RGB")
    return torch.from_numpy(pixels.astype(np.float32)).expand(3, -1, -1)


def batches(images, options):
    """The data set's images, preprocessed, CHUNK at a time: fp32 [n, 3, H, W]."""
    preprocess = make_preprocess(options, decoded=not isinstance(images, list) and images.dtype != np.uint8)
    for first in range(0, len(images), CHUNK):
        yield torch.stack([preprocess(to_image(pixels)) for pixels in images[first:first + CHUNK]])


@torch.inference_mode()
def run_heads(config, folder, images):
    """Every head's logits, fp32 [K, N, C]."""
    backbone, width = make_backbone(config["backbone"].get("arch", "resnet18"), folder / config["backbone"]["weights"])
    heads = [make_head(head["layers"], folder / head["weights"], width) for head in config["heads"]]
    features = torch.cat([backbone(batch) for batch in batches(images, config["data"].get("preprocess", {}))])
    return torch.stack([head(features) for head in heads]).numpy()


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fuse(logits, weights):
    """All that is compared, from the heads' logits."""
    exact = logits.astype(np.float64)
    mean_logits = np.average(exact, axis=0, weights=weights)
    mean_probabilities = np.average(softmax(exact), axis=0, weights=weights)
    return {
        "head_logits": logits,
        "head_prediction": logits.argmax(axis=2).T.astype(np.int32),
        "mean_logits": mean_logits,
        "mean_logits_prediction": mean_logits.argmax(axis=1).astype(np.int32),
        "mean_probabilities": mean_probabilities,
        "mean_probabilities_prediction": mean_probabilities.argmax(axis=1).astype(np.int32),
    }


def weights_of(config):
    return [float(head.get("weight", 1.0)) for head in config["heads"]]


def reference_of_files(config_path, files):
    config = yaml.safe_load(config_path.read_text())
    logits = run_heads(config, config_path.parent, files)
    return fuse(logits, weights_of(config)) | {"labels": np.full(len(files), -1, np.int32)}


def read_cifar(path, label_bytes):
    """(uint8 [N, 32, 32, 3], the last of each row's label bytes)"""
    rows = np.fromfile(path, np.uint8).reshape(-1, label_bytes + 3 * 32 * 32)
    return rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, label_bytes - 1]


def reference_of_cifar(config_path, config):
    folder = config_path.parent
    name, label_bytes = {"cifar10": ("test_batch.bin", 1), "cifar100": ("test.bin", 2)}[config["data"]["format"]]
    images, labels = read_cifar(folder / config["data"]["path"] / name, label_bytes)
    logits = run_heads(config, folder, np.ascontiguousarray(images))
    return fuse(logits, weights_of(config)) | {"labels": labels.astype(np.int32)}


def reference(config_path):
    config = yaml.safe_load(config_path.read_text())
    if config["data"].get("format", "").startswith("cifar"):
        return reference_of_cifar(config_path, config)
    folder = config_path.parent
    with h5py.File(folder / config["data"]["path"], "r") as file:
        images = file[config["data"].get("images", "images")]
        labels = file.get(config["data"].get("labels", "labels"))
        labels = np.full(len(images), -1) if labels is None else labels[:]
        logits = run_heads(config, folder, images)
    return fuse(logits, weights_of(config)) | {"labels": labels.astype(np.int32)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("output", type=Path, help="the .npz to write")
    parser.add_argument("--files", type=Path, help="image files, a path a line, instead of the HDF5 file")
    arguments = parser.parse_args()
    if arguments.files:
        result = reference_of_files(arguments.config, arguments.files.read_text().splitlines())
    else:
        result = reference(arguments.config)
    np.savez(arguments.output, **result)


if __name__ == "__main__":
    main()
