"""An archive of torch.export for each operator that graphs may hold, with its input and what PyTorch gives on one thread
(NAME.pt2, NAME.x.f32, NAME.y.f32); and operators.txt, a line "NAME OPERATOR..." for each."""

import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
BATCH, CHANNELS, SIZE = 16, 12, 19  # an odd size: the ends of vectors and of threads' shares matter


class Of(nn.Module):
    """A function and the layers that it uses."""

    def __init__(self, function, **layers):
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.function(self, x)


def masked(_, x):
    mask = x.new_zeros((CHANNELS, SIZE))
    mask[3:7] = 1
    mask[0].zero_()
    mask[:, 5:] = 2
    return x * mask.masked_fill(mask != 2, 0.5).masked_fill(mask == 2, 3.0)[:, None, :]


def attended(_, x):
    tokens = x.flatten(2).transpose(1, 2).reshape(x.shape[0], SIZE * SIZE, 3, 4).permute(0, 2, 1, 3)
    return F.scaled_dot_product_attention(tokens, tokens, tokens)


CASES = {
    "adaptive_avg_pool2d": Of(lambda m, x: F.adaptive_avg_pool2d(x, (3, 2))),
    "arithmetic": Of(lambda m, x: ((x + x * 2 - 1) / (x * x + 1) - (1 - x)).clamp(-1, 1).clamp_min(-0.5)),
    "avg_pool2d": Of(lambda m, x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    "batch_norm": Of(lambda m, x: m.norm(x), norm=nn.BatchNorm2d(CHANNELS)),
    "cat_chunk": Of(lambda m, x: torch.cat([*x.chunk(3, 1), x[:, :2]], 1)),
    "conv": Of(lambda m, x: m.conv(x), conv=nn.Conv2d(CHANNELS, 20, 3, padding=1)),
    "conv_1x1": Of(lambda m, x: m.conv(x), conv=nn.Conv2d(CHANNELS, 7, 1, bias=False)),
    "conv_depthwise": Of(lambda m, x: m.conv(x), conv=nn.Conv2d(CHANNELS, CHANNELS, 5, 2, 2, groups=CHANNELS)),
    "copies": Of(lambda m, x: x.transpose(1, 3).contiguous().clone()),
    "einsum": Of(lambda m, x: torch.einsum("bchw,bcij->bhwij", x[..., :5], x[..., :3])),
    "elu": Of(lambda m, x: F.elu(x)),
    "exp": Of(lambda m, x: torch.exp(x)),
    "expand": Of(lambda m, x: m.one.expand(x.shape[0], -1, -1, -1) + x[:, :1].expand_as(x)),
    "gelu": Of(lambda m, x: F.gelu(x)),
    "gelu_tanh": Of(lambda m, x: F.gelu(x, approximate="tanh")),
    "group_norm": Of(lambda m, x: m.norm(x), norm=nn.GroupNorm(3, CHANNELS)),
    "hard": Of(lambda m, x: F.hardsigmoid(x) + F.hardswish(x) + F.hardtanh(x) + F.relu6(x)),
    "in_place": Of(lambda m, x: F.relu(x * 2, inplace=True).mul_(3).sigmoid_()),
    "index": Of(lambda m, x: x[:, m.order]),
    "layer_norm": Of(lambda m, x: m.norm(x), norm=nn.LayerNorm(SIZE)),
    "leaky_relu": Of(lambda m, x: F.leaky_relu(x, 0.1)),
    "linear": Of(lambda m, x: m.linear(x.flatten(1)), linear=nn.Linear(CHANNELS * SIZE * SIZE, 33)),
    "linear_4d": Of(lambda m, x: m.linear(x), linear=nn.Linear(SIZE, 24)),
    "masked": Of(masked),
    "matmul": Of(lambda m, x: x @ x.transpose(2, 3)),
    "max_pool2d": Of(lambda m, x: F.max_pool2d(x, 3, 2, 1)),
    "mean": Of(lambda m, x: x.mean((2, 3), keepdim=True) + x.sum((1,), keepdim=True)),
    "norm": Of(lambda m, x: torch.linalg.vector_norm(x, dim=1, keepdim=True)),
    "pad_roll": Of(lambda m, x: torch.roll(F.pad(x, (0, 2, 1, 0)), (1, -2), (2, 3))),
    "reshapes": Of(lambda m, x: x.view(x.shape[0], 3, 4, SIZE, SIZE).unflatten(2, (2, 2)).permute(0, 3, 1, 2, 4, 5)
                   .reshape(x.shape[0], CHANNELS, SIZE, SIZE).swapaxes(1, 2).unsqueeze(1).squeeze(1)),
    "rsub": Of(lambda m, x: torch.rsub(x, 1.5)),
    "scaled_dot_product_attention": Of(attended),
    "sigmoid": Of(lambda m, x: torch.sigmoid(x)),
    "silu": Of(lambda m, x: F.silu(x)),
    "softmax": Of(lambda m, x: F.softmax(x, 1) + F.softmax(x, -1)),
    "softplus": Of(lambda m, x: F.softplus(x)),
    "split": Of(lambda m, x: torch.stack([part.sqrt() for part in (x * x).split(4, 1)], 1) + x.unbind(1)[2][:, None, None] + x[:, 3][:, None, None]),
    "tanh": Of(lambda m, x: torch.tanh(x)),
    "to": Of(lambda m, x: x.to(torch.float64).to(torch.float32)),
    "zero": Of(lambda m, x: x + x.new_zeros(SIZE).zero_() + (x * 2).zero_()),
}


def main(folder):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    CASES["expand"].register_parameter("one", nn.Parameter(torch.randn(1, CHANNELS, 1, SIZE)))
    CASES["index"].register_buffer("order", torch.randperm(CHANNELS))
    lines = []
    for name, module in CASES.items():
        module.eval()
        x = torch.randn(BATCH, CHANNELS, SIZE, SIZE)
        program = torch.export.export(module, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2, max=64)},))
        torch.export.save(program, folder / f"{name}.pt2")
        with torch.inference_mode():
            y = module(x)
        x.numpy().tofile(folder / f"{name}.x.f32")
        y.contiguous().numpy().tofile(folder / f"{name}.y.f32")
        lines.append(f"{name}\n")
    (folder / "operators.txt").write_text("".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
