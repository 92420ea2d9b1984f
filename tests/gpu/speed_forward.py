"""PyTorch's speed on images that are on the device already: what the network alone costs."""

import torch
from common import DRY, SIZES, expect, finish, record
from model import PRECISIONS, Ensemble, make, random_images
from timing import measured, seconds_per_call
from torch.utils.flop_counter import FlopCounterMode

BATCHES = (SIZES.batch,) if DRY else (SIZES.batch, SIZES.large_batch)


@torch.inference_mode()
def flops_per_image():
    with FlopCounterMode(display=False) as counter:
        Ensemble().eval()(torch.zeros(1, 3, SIZES.crop, SIZES.crop))
    return counter.get_total_flops()


@torch.inference_mode()
def measure(precision, batch):
    network, form = make(precision)
    images = random_images(batch, form)
    return batch / seconds_per_call(lambda: network(images))


done = 0
record("network", flops_per_image=flops_per_image())
for precision in PRECISIONS:
    for batch in BATCHES:
        found = measured(measure, precision, batch)
        done += "impossible" not in found
        record("forward", precision=precision, batch=batch, **found)
expect(done > 0, "something was measured", measurements=done)
finish()
