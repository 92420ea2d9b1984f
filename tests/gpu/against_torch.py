"""Scores of every head of the first run against PyTorch's, in fp32 on the same GPU."""

import results
import torch
from common import SIZES, WORK, expect, finish
from job import HEADS, MEAN, STD
from model import DEVICE, make
from PIL import Image
from torchvision import transforms

TOLERANCE = 1e-4  # and per unit of the largest score: sums are in another order


def load_images():
    prepare = transforms.Compose([transforms.Resize(SIZES.resize), transforms.CenterCrop(SIZES.crop), transforms.ToTensor(),
                                  transforms.Normalize(MEAN, STD)])
    paths = sorted((WORK / "images").iterdir())[:SIZES.compared]
    return torch.stack([prepare(Image.open(path).convert("RGB")) for path in paths])


@torch.inference_mode()
def torch_scores():
    network, _ = make("fp32")
    batches = load_images().to(DEVICE).split(SIZES.batch)
    return torch.cat([network(batch) for batch in batches], dim=1).cpu().numpy()


found = results.head_scores(WORK / "first.h5")
for name, expected in zip(HEADS, torch_scores()):
    difference, largest = results.largest_difference(found[name][:SIZES.compared], expected)
    expect(difference <= TOLERANCE * (1 + largest), f"head {name} against PyTorch", images=len(expected),
           largest_difference=difference, largest_score=largest)
finish()
