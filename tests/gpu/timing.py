"""How long something takes on the device."""

import time

from common import DRY, SIZES
from model import synchronize

WARM_UPS = 1 if DRY else 3
CALLS = 1 if DRY else 5  # between looks at the clock


def measured(measure, *arguments):
    """{"images_per_second": rate} of measure(...), or {"impossible": reason}: torch.compile wants a compiler, for one."""
    try:
        return {"images_per_second": round(measure(*arguments), 1)}
    except Exception as error:  # noqa: BLE001  # whatever PyTorch says is the finding
        if DRY:
            raise
        return {"impossible": f"{type(error).__name__}: {error}"[:300]}


def seconds_per_call(function):
    """Mean over as many calls as fit into SIZES.seconds."""
    for _ in range(WARM_UPS):
        function()
    synchronize()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < SIZES.seconds:
        for _ in range(CALLS):
            function()
        synchronize()
        calls += CALLS
    return (time.perf_counter() - start) / calls
