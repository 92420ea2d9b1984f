#!/usr/bin/env python3
"""Does a run start quickly and stay small when the data set is huge?

    bench/scale.py [COUNT] [--heads N] [--folder runs/scale] [--keep] [--limit-seconds S] [--limit-mib M]

Writes a manifest with COUNT lines (default 100 million) over a few real photographs, plans the job twice - the first time
makes the list of samples -, then starts it on two ranks with that list, and stops it after its first micro-batches are
committed. Prints the times and the largest anonymous memory of a rank; the last line is a JSON object. The exit code is 1
when a limit is passed. Needs about 150 bytes of disk a sample. Uses the demo's weights (launch/demo.sh makes them).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
POLYHEAD = Path(os.environ.get("POLYHEAD", ROOT / "build/release/polyhead"))
DEMO = Path(os.environ.get("POLYHEAD_DEMO", ROOT / "runs/demo"))
sys.path.insert(0, str(ROOT / "tests/e2e"))
from support.photos import save_tree  # noqa: E402

CONFIG = """\
data:
  path: samples.csv
  preprocess: {{resize: 32, crop: 32}}
backbone: {{weights: {demo}/backbone.pth}}
heads:
{heads}output: {{path: result.h5, commit_interval: 100ms}}
"""
HEAD = "  - {{name: h{number}, layers: [linear 256, relu, linear 10], weights: {demo}/mlp.pth}}\n"
TIME_OUT = 1800  # seconds, for each run
LOOK = 0.1  # seconds from one look at the ranks' memory to the next
WORK = 10  # seconds of work that are watched
ENVIRONMENT = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def write_inputs(folder, count, heads):
    files = save_tree(folder / "photos", 100)
    lines = [f"{path.relative_to(folder)},{number % 10}\n" for number, path in enumerate(files)]
    block = "".join(lines) * 1000
    with open(folder / "samples.csv", "w", encoding="utf-8") as file:
        for _ in range(count // (len(lines) * 1000)):
            file.write(block)
        for number in range(count % (len(lines) * 1000)):
            file.write(lines[number % len(lines)])
    hour = time.time() - 3600  # a list is not trusted when its source changed a moment before
    os.utime(folder / "samples.csv", (hour, hour))
    demo = DEMO.resolve()
    text = "".join(HEAD.format(number=number, demo=demo) for number in range(heads))
    (folder / "ensemble.yaml").write_text(CONFIG.format(demo=demo, heads=text))


def ranks_of(job):
    """Process ids of polyhead under this mpirun."""
    listed = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in listed.split()]


def anonymous_mib(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def committed(output):
    try:
        with h5py.File(output) as file:
            return int(np.count_nonzero(file["ledger/batches"][:4096]))
    except OSError:
        return 0


class Run:
    """A run in the folder, and the largest anonymous memory of its ranks so far."""

    def __init__(self, folder, ranks):
        command = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", POLYHEAD, "run",
                   folder / "ensemble.yaml", "--overwrite", "--progress", "none"]
        self.start, self.memory = time.monotonic(), 0
        self.job = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL)

    def look(self):
        self.memory = max([self.memory, *map(anonymous_mib, ranks_of(self.job))])
        time.sleep(LOOK)

    def wait_for(self, event, what):
        """Seconds from the start until event() is true."""
        while not event():
            if self.job.poll() is not None or time.monotonic() - self.start > TIME_OUT:
                self.stop()
                sys.exit(f"the run ended, or took longer than {TIME_OUT} s, before {what}")
            self.look()
        return time.monotonic() - self.start

    def stop(self):
        self.job.terminate()  # mpirun ends its ranks before itself
        self.job.wait()


def start_run(folder):
    """(seconds until the first commits, largest anonymous memory of a rank in MiB)"""
    output = folder / "result.h5"
    output.unlink(missing_ok=True)
    run = Run(folder, ranks=2)
    seconds = run.wait_for(lambda: output.exists() and committed(output) > 10, "its first commits")
    end = time.monotonic() + WORK
    while time.monotonic() < end and run.job.poll() is None:
        run.look()
    run.stop()
    return seconds, run.memory


def passed(options, seconds, memory):
    """What is above its limit, in words."""
    found = []
    if seconds > options.limit_seconds:
        found.append(f"planning or starting took {seconds:.1f} s, more than {options.limit_seconds:g} s")
    if memory > options.limit_mib:
        found.append(f"a rank took {memory:.0f} MiB of anonymous memory, more than {options.limit_mib:g} MiB")
    return found


def plan(folder):
    """Seconds until the job is planned."""
    start = time.monotonic()
    subprocess.run([POLYHEAD, "plan", folder / "ensemble.yaml", "--ranks", "2"], check=True, env=ENVIRONMENT,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100_000_000)
    parser.add_argument("--heads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/scale")
    parser.add_argument("--keep", action="store_true", help="leave the files there")
    parser.add_argument("--limit-seconds", type=float, default=60, help="from start to first commits, list there (60)")
    parser.add_argument("--limit-mib", type=float, default=700, help="anonymous memory of each rank (700)")
    options = parser.parse_args()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_inputs(folder, options.count, options.heads)
    indexing, planning = plan(folder), plan(folder)
    seconds, memory = start_run(folder)
    if not options.keep:
        shutil.rmtree(folder)
    print(f"{options.count} samples: list made in {indexing:.1f} s; planned in {planning:.1f} s with it; first commits "
          f"{seconds:.1f} s after the start; {memory:.0f} MiB anonymous in the larger rank")
    above = passed(options, max(planning, seconds), memory)
    for line in above:
        print(f"ABOVE ITS LIMIT: {line}")
    print(json.dumps({"samples": options.count, "index_seconds": round(indexing, 1), "plan_seconds": round(planning, 1),
                      "start_seconds": round(seconds, 1), "anonymous_mib": round(memory)}))
    sys.exit(1 if above else 0)


if __name__ == "__main__":
    main()
