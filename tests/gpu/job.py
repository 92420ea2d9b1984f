"""What the job is: its heads, its preprocessing, and the samples that no head may answer."""

import math

from common import SIZES

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
FEATURES = 512
# {name: layers}. Each takes another number of bytes, so that each shifts those behind it in another way.
HEADS = {
    "mlp": f"linear 256, relu, linear {SIZES.classes}",
    "plain": f"linear {SIZES.classes}",
    "norm": f"layernorm, linear {SIZES.classes}",
    "tanh": f"linear 100, tanh, linear {SIZES.classes}",
}
# Samples of special.h5, and the value of one of their channels; the last one overflows in the first layers.
SPECIAL = {1: math.nan, 3: math.inf, 5: 3e38}
SPECIAL_SAMPLES = 8
