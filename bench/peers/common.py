"""What the contestants share: the same weights, the same preprocessing, one clock, one form of result.

A contestant is a program  NAME.py IMAGES MODEL OUTPUT --batch N --workers N --threads N [...]  that writes, for each
file in the order of its path, the fused logits and the class they give, and prints one line of JSON with its speed.
The clock runs from the first file opened to the result written: interpreter, imports and the model's construction,
warm-up included, are left out, as they are in polyhead's own figure.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
import yaml
from PIL import Image
from torch import nn
from torchvision.transforms import v2

RESIZE, CROP = 256, 224
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
FEATURES = 512
warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)  # deprecated, but still the recipe's fastest way
SUFFIXES = {".jpg", ".jpeg", ".png"}


def arguments(description):
    """Those of every contestant. MODEL is a folder as bench/make_model.py makes it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("images", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("output", type=Path, help=".npy")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=0, help="processes that decode; 0: who computes decodes too")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch, in each process that computes")
    parser.add_argument("--decode", choices=("pillow", "io"), default="pillow")
    parser.add_argument("--layout", choices=("nchw", "nhwc"), default="nchw", help="nhwc: channels_last")
    parser.add_argument("--engine", choices=("eager", "frozen"), default="eager", help="where there is a choice")
    parser.add_argument("--limit", type=int, help="images, spread over the folder; all when missing")
    return parser.parse_args()


def list_images(folder, limit=None):
    paths = sorted(str(path) for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise SystemExit(f"{folder} holds no images")
    return paths[::max(1, len(paths) // limit)][:limit] if limit else paths


class Decoder:
    """From a file to uint8 [3, 224, 224]. Remembers when it opened its first file."""

    def __init__(self, way):
        self.way = way
        self.opened = None
        # On a tensor antialiasing is v2's own code, on a Pillow image Pillow's: they differ by a level now and then.
        self.transform = v2.Compose([v2.Resize(RESIZE, antialias=True), v2.CenterCrop(CROP)])

    def __call__(self, path):
        if self.opened is None:
            self.opened = time.monotonic()  # one clock for all processes of a machine
        if self.way == "io":
            mode = torchvision.io.ImageReadMode.RGB
            return self.transform(torchvision.io.decode_image(torchvision.io.read_file(path), mode=mode))
        with Image.open(path) as image:
            return v2.functional.pil_to_tensor(self.transform(image.convert("RGB")))


def normalise(images):
    """uint8 [N, 3, H, W] to fp32, as v2.ToDtype(scale=True) and v2.Normalize do it."""
    return v2.functional.normalize(v2.functional.to_dtype(images, torch.float32, scale=True), MEAN, STD)


def build_head(layers):
    """nn.Sequential of a list such as ["linear 256", "relu", "linear 10"]."""
    modules, width = [], FEATURES
    for layer in layers:
        kind, *values = layer.split()
        if kind == "linear":
            modules.append(nn.Linear(width, int(values[0])))
            width = int(values[0])
        else:
            modules.append({"relu": nn.ReLU, "batchnorm": lambda: nn.BatchNorm1d(width),
                            "dropout": lambda: nn.Dropout(float(values[0]))}[kind]())
    return nn.Sequential(*modules)


def load_backbone(folder):
    backbone = torchvision.models.resnet18()
    backbone.load_state_dict(torch.load(folder / "backbone.pth", weights_only=True))
    backbone.fc = nn.Identity()
    return backbone.eval()


def load_heads(folder):
    heads = []
    for head in yaml.safe_load((folder / "ensemble.yaml").read_text())["heads"]:
        heads.append(build_head(head["layers"]))
        heads[-1].load_state_dict(torch.load(folder / head["weights"], weights_only=True))
    return nn.ModuleList(heads).eval()


class SharedBase(nn.Module):
    """The recipe: features once, every head on them, the mean of their logits."""

    def __init__(self, folder):
        super().__init__()
        self.base, self.heads = load_backbone(folder), load_heads(folder)

    def forward(self, images):
        features = self.base(images)
        return torch.stack([head(features) for head in self.heads]).mean(0)


class SerialModels(nn.Module):
    """What the recipe starts from: five whole models, one after the other."""

    def __init__(self, folder):
        super().__init__()
        self.models = nn.ModuleList(nn.Sequential(load_backbone(folder), head) for head in load_heads(folder))

    def forward(self, images):
        return torch.stack([model(images) for model in self.models]).mean(0)


class Predictor:
    """A model ready for batches of uint8 images, warmed up."""

    def __init__(self, args, model=SharedBase, engine=None):
        torch.set_num_threads(args.threads)
        self.format = torch.channels_last if args.layout == "nhwc" else torch.contiguous_format
        self.model = model(args.model).eval().to(memory_format=self.format)
        blank = torch.zeros(args.batch, 3, CROP, CROP, dtype=torch.uint8)
        if (engine or args.engine) == "frozen":
            with torch.no_grad():
                example = normalise(blank).contiguous(memory_format=self.format)
                traced = torch.jit.freeze(torch.jit.trace(self.model, example))
                self.model = torch.jit.optimize_for_inference(traced)
        for _ in range(3):  # TorchScript compiles in its first calls
            self(blank)

    @torch.inference_mode()
    def __call__(self, images):
        """numpy fp32 [N, classes]: the fused logits of uint8 images."""
        return self.model(normalise(images).contiguous(memory_format=self.format)).numpy()


class Decoded(torch.utils.data.Dataset):
    """(image, its number, when its process opened its first file)."""

    def __init__(self, paths, way):
        self.paths, self.decoder = paths, Decoder(way)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.decoder(self.paths[index]), index, self.decoder.opened


def run_with_loader(args, predictor):
    """The plain PyTorch job: a DataLoader, batch by batch."""
    paths = list_images(args.images, args.limit)
    loader = torch.utils.data.DataLoader(Decoded(paths, args.decode), args.batch, num_workers=args.workers)
    indices, logits, opened = [], [], []
    for images, rows, times in loader:
        indices.append(rows.numpy())
        logits.append(predictor(images))
        opened.append(times.min().item())
    finish(args, len(paths), np.concatenate(indices), np.concatenate(logits), min(opened))


def finish(args, count, indices, logits, opened):
    """Writes the result, in the order of the paths, and tells the speed."""
    if sorted(indices) != list(range(count)):
        raise SystemExit(f"{len(indices)} rows for {count} images, or not each once")
    result = np.empty(count, [("prediction", "i4"), ("logits", "f4", logits.shape[1:])])
    result["logits"][indices] = logits
    result["prediction"] = result["logits"].argmax(1)
    partial = args.output.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.save(file, result)
    os.replace(partial, args.output)
    seconds = time.monotonic() - opened
    print(json.dumps({"images": count, "seconds": seconds, "img_s": count / seconds}), flush=True)
