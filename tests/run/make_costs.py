"""What torchvision's ResNets cost, counted by hooks on the real modules: the oracle of run/workload.

make_costs.py FILE    a line for each: arch height width multiply-accumulates parameters-with-batch-norms-folded
"""

import sys

import torch
import torchvision
from torch import nn

SIZES = [(224, 224), (32, 32), (97, 113)]


def cost(arch, size):
    model = torchvision.models.get_model(arch).eval()
    model.fc = nn.Identity()
    macs = parameters = 0

    def count(module, inputs, output):
        nonlocal macs, parameters
        macs += module.weight[0].numel() * output.numel()
        parameters += module.weight.numel() + module.out_channels

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, *size))
    return macs, parameters


with open(sys.argv[1], "w", encoding="utf-8") as file:
    for name in ("resnet18", "resnet34", "resnet50"):
        for height, width in SIZES:
            print(name, height, width, *cost(name, (height, width)), file=file)
