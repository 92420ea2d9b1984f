"""The job's network in plain PyTorch."""

import torch
from common import DRY, SIZES, WORK
from job import FEATURES, HEADS
from torch import nn

DEVICE = "cpu" if DRY else "cuda"
MATMUL = torch.backends.mkldnn.matmul if DRY else torch.backends.cuda.matmul
CONV = torch.backends.mkldnn.conv if DRY else torch.backends.cudnn.conv


def make_head(layers):
    """The nn.Sequential of "linear 256, relu, linear 10"."""
    modules, width = [], FEATURES
    for kind, *argument in (layer.split() for layer in layers.split(", ")):
        if kind == "linear":
            modules.append(nn.Linear(width, int(argument[0])))
            width = int(argument[0])
        else:
            modules.append({"relu": nn.ReLU, "tanh": nn.Tanh, "layernorm": lambda: nn.LayerNorm(FEATURES)}[kind]())
    return nn.Sequential(*modules)


class Ensemble(nn.Module):
    """Scores [heads, n, classes] of images [n, 3, H, W]."""

    def __init__(self):
        super().__init__()
        import torchvision  # takes seconds, and not every step needs it
        self.backbone = torchvision.models.resnet18()
        self.backbone.load_state_dict(torch.load(WORK / "backbone.pth", weights_only=True))
        self.backbone.fc = nn.Identity()
        self.heads = nn.ModuleList()
        for name, layers in HEADS.items():
            head = make_head(layers)
            head.load_state_dict(torch.load(WORK / f"{name}.pth", weights_only=True))
            self.heads.append(head)

    def forward(self, images):
        features = self.backbone(images)
        return torch.stack([head(features) for head in self.heads])


def allow_tf32(allowed):
    MATMUL.fp32_precision = CONV.fp32_precision = "tf32" if allowed and not DRY else "ieee"


def make(precision):
    """(network, the format that its input has). compiled: bf16 through torch.compile; but for fp32 all are channels last."""
    allow_tf32(precision == "tf32")
    layout = torch.contiguous_format if precision == "fp32" else torch.channels_last
    number = torch.bfloat16 if precision in ("bf16", "compiled") else torch.float32
    network = Ensemble().eval().to(DEVICE, number).to(memory_format=layout)
    if precision == "compiled":
        network = torch.compile(network, **({"backend": "eager"} if DRY else {"dynamic": False}))
    return network, {"dtype": number, "memory_format": layout}


PRECISIONS = ("fp32", "tf32", "bf16", "compiled")


def synchronize():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def random_images(count, form):
    return torch.randn(count, 3, SIZES.crop, SIZES.crop, device=DEVICE).to(**form)
