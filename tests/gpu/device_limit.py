"""What this device can do at best: a large product of matrices in each number format. Other figures are shares of it."""

import torch
from common import SIZES, finish, record
from model import DEVICE, allow_tf32
from timing import seconds_per_call


@torch.inference_mode()
def rate(number):
    """FLOP/s"""
    side = SIZES.matrix
    left, right = (torch.randn(side, side, device=DEVICE).to(number) for _ in range(2))
    return 2 * side**3 / seconds_per_call(lambda: left @ right)


for name, number in (("fp32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16)):
    allow_tf32(name == "tf32")
    record("limit", precision=name, tflops=round(rate(number) / 1e12, 4), side=SIZES.matrix)
finish()
