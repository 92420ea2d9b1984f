"""Small whole models: what members of an ensemble look like, and what PyTorch makes of images."""

import copy
import warnings

import h5py
import numpy as np
import torch
import torchvision

BATCH = 16
SIZE = 32
CLASSES = 5


class Residual(torch.nn.Module):
    """Two residual blocks; the ReLUs write in place."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 3, stride=4, padding=1)
        self.convs = torch.nn.ModuleList(torch.nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(8) for _ in range(2))
        self.relu = torch.nn.ReLU(inplace=True)
        self.fc = torch.nn.Linear(8, classes)
        for norm in self.norms:
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 1.5)

    def forward(self, x):
        x = self.stem(x)
        for conv, norm in zip(self.convs, self.norms):
            x = self.relu(norm(conv(x)) + x)
        return self.fc(x.mean((2, 3)))


class Attention(torch.nn.Module):
    """Patches, a mask that is written through views, attention, and a permuted feature map."""

    def __init__(self):
        super().__init__()
        self.patches = torch.nn.Conv2d(3, 12, 8, stride=8)
        self.norm = torch.nn.LayerNorm(12)
        self.q, self.k, self.v = (torch.nn.Linear(12, 12) for _ in range(3))
        self.fc = torch.nn.Linear(12, CLASSES)

    def forward(self, x):
        tokens = self.norm(self.patches(x).permute(0, 2, 3, 1)).flatten(1, 2)
        mask = x.new_zeros((16, 16))
        mask[:4, 8:] = -1
        mask[8:, :4] = 1
        attended = torch.nn.functional.scaled_dot_product_attention(self.q(tokens), self.k(tokens), self.v(tokens), attn_mask=mask)
        return self.fc(torch.nn.functional.gelu(attended).mean(1))


def moved(model, *names, by=0.01):
    """A copy whose parameters under these names differ."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            if name.startswith(names):
                parameter += by
    return other


def export_for(images, model, path, batch=True):
    """Saves the program of a model for images as these; with a batch that may vary, or the one that they have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = ({0: torch.export.Dim("batch", min=2, max=1024)},) if batch else None
        torch.export.save(torch.export.export(model, (images,), dynamic_shapes=shapes), path)


def export(model, path, batch=True, size=SIZE):
    export_for(torch.zeros(BATCH, 3, size, size), model.eval(), path, batch)


def make_members(folder):
    """{name: model} of members whose files lie in the folder: NAME.pt2, and of resnet18 NAME.pth."""
    torch.manual_seed(0)
    base = Residual().eval()
    models = {"base": base, "head": moved(base, "fc"), "late": moved(base, "convs.1", "fc"), "attention": Attention().eval(),
              "other": moved(Attention().eval(), "fc"), "resnet": torchvision.models.resnet18(num_classes=CLASSES).eval()}
    for name, model in models.items():
        if name != "resnet":
            export(model, folder / f"{name}.pt2")
    torch.save(models["resnet"].state_dict(), folder / "resnet.pth")
    return models


def make_images(path, count):
    images = np.random.default_rng(0).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        file["images"] = images
        file["labels"] = np.arange(count) % CLASSES
    return images


def logits_of(model, images, batch=BATCH):
    """What PyTorch computes in micro-batches of one size, the last of which is filled up with zeros; [N, C]."""
    torch.set_num_threads(1)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 255
    rows = []
    with torch.no_grad():
        for first in range(0, len(images), batch):
            part = torch.zeros(batch, *pixels.shape[1:])
            count = min(batch, len(images) - first)
            part[:count] = pixels[first:first + count]
            rows.append(model(part)[:count].numpy())
    return np.concatenate(rows)
