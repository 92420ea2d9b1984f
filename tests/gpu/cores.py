"""Numbers of cores that speed is measured with."""

import contextlib
import os

from common import DRY, all_cores

WANTED = (1,) if DRY else (4, 8)


def choices():
    """Fewer cores first; all that there are at the end."""
    cores = all_cores()
    return [cores[:count] for count in WANTED if count < len(cores)] + [cores]


@contextlib.contextmanager
def only(cores):
    """This process and what it starts on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
