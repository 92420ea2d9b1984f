"""Started by mpirun in place of a program: runs it and leaves in a file how much memory it took at most, in KiB.

watch.py FILE PROGRAM [ARGUMENTS...]        the rank's number is added to FILE's name

That is the peak resident set, less what other processes bear of the backbone's weights that ranks of a host share. A process
of its own, since a child's peak begins with its parent's.
"""

import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

PERIOD = 0.2  # seconds


def borne_by_others(pid):
    """Of this process's shared weights: resident, less its proportional part."""
    try:
        maps = Path(f"/proc/{pid}/smaps").read_text()
    except OSError:
        return 0
    shared = re.findall(r"memfd:polyhead.*?\nRss:\s+(\d+) kB\nPss:\s+(\d+) kB", maps, re.DOTALL)
    return sum(int(rss) - int(pss) for rss, pss in shared)


def main():
    program = subprocess.Popen(sys.argv[2:])
    others = 0
    while program.poll() is None:
        others = max(others, borne_by_others(program.pid))
        time.sleep(PERIOD)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - others
    Path(sys.argv[1] + os.environ["OMPI_COMM_WORLD_RANK"]).write_text(str(peak))
    return program.returncode


if __name__ == "__main__":
    sys.exit(main())
