"""NaN and Inf must come through: a sample that overflows gets no answer, and its neighbours the same one as without it."""

import numpy as np
import results
import torch
from common import expect, finish, record, run_job
from job import SPECIAL, SPECIAL_SAMPLES
from model import DEVICE

QUARANTINED = 2
VALUES = {"NaN": float("nan"), "Inf": float("inf")}


def look_at_program():
    special, _ = run_job("special.h5.out", config="special.yaml")
    plain, _ = run_job("plain.h5.out", config="plain.yaml")
    found, expected = results.read(special), results.read(plain)
    bad = np.flatnonzero(found["samples/status"] == QUARANTINED).tolist()
    expect(bad == sorted(SPECIAL), "samples that overflow are quarantined", found=bad, expected=sorted(SPECIAL))
    others = [sample for sample in range(SPECIAL_SAMPLES) if sample not in SPECIAL]
    same = found["fused/scores"][others].tobytes() == expected["fused/scores"][others].tobytes()
    expect(same, "their neighbours keep their bits")


def forms():
    """(name, dtype, memory format) of what a GPU may compute in."""
    for number in (torch.float32, torch.bfloat16):
        for layout in (torch.contiguous_format, torch.channels_last):
            yield f"{number} {layout}".replace("torch.", ""), number, layout


def passes(function, value, number, layout):
    """Whether a value that is not finite, in one pixel of each channel, is still none after the function."""
    image = torch.ones(2, 64, 16, 16, device=DEVICE, dtype=number).to(memory_format=layout)
    image[0, :, 8, 8] = value
    weight = torch.ones(64, 64, 3, 3, device=DEVICE, dtype=number).to(memory_format=layout)
    answer = function(image, weight)
    return not bool(torch.isfinite(answer[0]).all()) and bool(torch.isfinite(answer[1]).all())


FUNCTIONS = {
    "conv2d": lambda image, weight: torch.nn.functional.conv2d(image, weight, padding=1),
    "conv2d and relu": lambda image, weight: torch.relu(torch.nn.functional.conv2d(image, weight, padding=1)),
    "max_pool2d": lambda image, _: torch.nn.functional.max_pool2d(image, 3, 2, 1),
}


def fused(image, weight):
    return torch.cudnn_convolution_relu(image, weight, None, [1, 1], [1, 1], [1, 1], 1)


def ask_fused(*how):
    """True, False, or why cuDNN does not compute it."""
    try:
        return passes(fused, *how)
    except RuntimeError as error:
        return str(error).splitlines()[0]


@torch.inference_mode()
def look_at_torch():
    for form, number, layout in forms():
        for word, value in VALUES.items():
            for name, function in FUNCTIONS.items():
                expect(passes(function, value, number, layout), f"{name} keeps {word}", form=form)
            if DEVICE == "cuda":  # polyhead does not call it; whether it might
                record(f"cudnn_convolution_relu keeps {word}", form=form, kept=ask_fused(value, number, layout))


look_at_program()
look_at_torch()
finish()
