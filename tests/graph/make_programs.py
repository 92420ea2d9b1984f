"""Archives of torch.export in a folder, and in programs.txt what PyTorch itself says of them: a line "FILE MULTIPLY_ADDS" for
one image."""

import copy
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from support.members import export_for, moved  # noqa: E402

warnings.filterwarnings("ignore")
BATCH = 16


class Block(torch.nn.Module):
    def __init__(self, width, inplace):
        super().__init__()
        self.conv = torch.nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn = torch.nn.BatchNorm2d(width)
        self.relu = torch.nn.ReLU(inplace=inplace)

    def forward(self, x):
        y = self.bn(self.conv(x))
        y += x
        return self.relu(y)


class Small(torch.nn.Module):
    """A residual network of three layers."""

    def __init__(self, inplace=True, classes=4):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1)
        self.layer1 = Block(8, inplace)
        self.layer2 = Block(8, inplace)
        self.drop = torch.nn.Dropout(0.5)
        self.fc = torch.nn.Linear(8, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.fc(self.drop(x.mean((2, 3))))


class Masked(torch.nn.Module):
    """Writes through views, as Swin does with its mask, and has attention."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (torch.nn.Linear(6, 8) for _ in range(3))

    def forward(self, x):
        mask = x.new_zeros((1, 16, 16))
        mask[:, 4:8, :] = 1
        mask[:, :, 8:] = 2
        tokens = x.flatten(2).reshape(x.shape[0], 32, 6) + mask[:, 0, :6].sum(1)
        attended = torch.nn.functional.scaled_dot_product_attention(self.q(tokens), self.k(tokens), self.v(tokens))
        return (attended @ attended.transpose(1, 2)).mean((1, 2))[:, None]


def save(folder, name, model, batch=True):
    image = torch.randn(BATCH, 3, 8, 8)
    export_for(image, model, folder / name, batch)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        logits = model(image)
    np.savez(folder / f"{name}.npz", images=image.numpy(), logits=logits.numpy())
    return f"{name} {counter.get_total_flops() // 2 // BATCH}\n"


def main(folder):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Small().eval()
    for block in (model.layer1, model.layer2):
        block.bn.running_mean.normal_()
        block.bn.running_var.uniform_(0.5, 1.5)
    plain = Small(inplace=False).eval()
    plain.load_state_dict(model.state_dict())
    drifted = moved(model, "fc")
    drifted.layer1.bn.running_mean += 0.5
    drifted.layer2.bn.running_var += 0.5
    lines = [
        save(folder, "base.pt2", model),
        save(folder, "functional.pt2", plain),
        save(folder, "channels_last.pt2", copy.deepcopy(model).to(memory_format=torch.channels_last)),
        save(folder, "head.pt2", moved(model, "fc")),
        save(folder, "late.pt2", moved(model, "layer2", "fc")),
        save(folder, "drifted.pt2", drifted),
        save(folder, "classes.pt2", Small(classes=7).eval()),
        save(folder, "fixed_batch.pt2", model, batch=False),
        save(folder, "masked.pt2", Masked().eval()),
    ]
    (folder / "programs.txt").write_text("".join(lines))
    for name in ("resnet18", "resnext50_32x4d"):
        network = getattr(torchvision.models, name)(num_classes=7).eval()
        torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, folder / f"{name}.pth")
        export_for(torch.zeros(4, 3, 224, 224), network, folder / f"{name}.pt2")
    torch.export.save(torch.export.export(Small().train(), (torch.randn(BATCH, 3, 8, 8),)), folder / "train.pt2")
    torch.export.save(torch.export.export(torch.nn.Bilinear(3, 4, 5).eval(), (torch.randn(2, 3), torch.randn(2, 4))),
                      folder / "two_inputs.pt2")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
