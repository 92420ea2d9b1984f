#!/usr/bin/env python3
"""Makes a ResNet-18, five heads and the configuration of a polyhead job, without network or training data.

    runs/bench/venv/bin/python bench/make_model.py FOLDER PHOTOS

Nothing is learned here: the weights are random, so accuracies mean nothing. What counts is that they cost what real
ones cost and that activations have the range of a trained network's, so that contestants can be compared in speed and
in their answers. Batch norms therefore take their statistics from PHOTOS, and each head's logits get mean 0 and
deviation 1 over PHOTOS, without which every photograph would be of the same class. The same arguments and versions
give the same files; what is there already is kept.
"""

import argparse
import os
import sys
from pathlib import Path

import torch
import torchvision
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))
import common

SEED = 20
CLASSES = 10
SAMPLE = 128  # photographs that the statistics come from
BATCH = 32

MLP = "linear 256, relu, linear 10"
WIDE = "linear 512, batchnorm, linear 10"
DROPOUT = "linear 128, dropout 0.2, linear 10"
HEADS = {"mlp-a": MLP, "mlp-b": MLP, "wide-a": WIDE, "wide-b": WIDE, "dropout": DROPOUT}

CONFIG = """\
# Five heads on one ResNet-18, as bench/run.sh measures them. The weights are random: accuracies mean nothing.

data:
  format: image-folder
  path: {photos}
  preprocess: {{resize: {resize}, crop: {crop}, mean: {mean}, std: {std}}}

backbone: {{arch: resnet18, weights: backbone.pth, precision: fp32}}

heads:
{heads}
fusion: {{rule: mean-logits}}
parallel: {{batch: 32}}
output: {{path: result.h5}}
"""


@torch.no_grad()
def settle(module, batches):
    """Lets the batch norms of `module` take mean and variance over all batches."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            part.reset_running_stats()
            part.momentum = None  # the plain average
    module.train()
    outputs = torch.cat([module(batch) for batch in batches])
    module.eval()
    return outputs


@torch.no_grad()
def standardise(head, features):
    """Scales the last layer so that each logit has mean 0 and deviation 1."""
    logits = head(features)
    mean, deviation = logits.mean(0), logits.std(0)
    head[-1].weight /= deviation[:, None]
    head[-1].bias.copy_((head[-1].bias - mean) / deviation)


def photographs(folder):
    paths = common.list_images(folder)
    paths = paths[::max(1, len(paths) // SAMPLE)][:SAMPLE]
    images = torch.stack([common.Decoder("pillow")(path) for path in paths])
    return common.normalise(images).split(BATCH)


def make_backbone(batches):
    backbone = torchvision.models.resnet18()
    fc, backbone.fc = backbone.fc, nn.Identity()
    settle(backbone, batches)
    features = torch.cat([backbone(batch) for batch in batches])
    backbone.fc = fc  # files of torchvision carry it; everybody leaves it out
    return backbone, features


def make_head(layers, features):
    head = common.build_head(layers)
    settle(head, [features])
    standardise(head, features)
    return head


def save(module, path):
    partial = path.with_suffix(".partial")
    torch.save(module.state_dict(), partial)
    os.replace(partial, path)


def config_text(folder, photos):
    heads = "".join(f"  - {{name: {name}, layers: [{layers}], weights: {name}.pth}}\n" for name, layers in HEADS.items())
    return CONFIG.format(photos=os.path.relpath(photos, folder), resize=common.RESIZE, crop=common.CROP,
                         mean=common.MEAN, std=common.STD, heads=heads)


@torch.no_grad()
def make(folder, photos):
    if (folder / "ensemble.yaml").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    backbone, features = make_backbone(photographs(photos))
    save(backbone, folder / "backbone.pth")
    for name, layers in HEADS.items():
        save(make_head([layer.strip() for layer in layers.split(",")], features), folder / f"{name}.pth")
    (folder / "ensemble.yaml").write_text(config_text(folder, photos))  # last: it says that all is there
    print(f"made a ResNet-18 and {len(HEADS)} heads in {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the files go; made when missing")
    parser.add_argument("photos", type=Path, help="a tree of photographs, as bench/make_photos.py makes it")
    args = parser.parse_args()
    make(args.folder.resolve(), args.photos.resolve())


if __name__ == "__main__":
    main()
