#!/usr/bin/env python3
"""Does a run start quickly and stay small when the data set is huge?

    bench/scale.py [COUNT] [--heads N] [--folder runs/scale] [--keep]

Writes a manifest with COUNT lines (default 100 million) over a few real photographs, lets polyhead make its list of
samples, then plans the job and starts it on two ranks, with the list made, and stops it after its first micro-batches
are committed. Prints the times and the largest anonymous memory of a rank; the last line is a JSON object. Ends with 1
when planning or starting takes more than 60 s, or a rank 700 MiB. Needs about 150 bytes of disk a sample. Uses the
demo's weights (launch/demo.sh makes them).
"""

import argparse
import json
import os
import shutil
import signal
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
from photos import save_tree  # noqa: E402

CONFIG = """\
data:
  path: samples.csv
  preprocess: {{resize: 32, crop: 32}}
backbone: {{weights: {demo}/backbone.pth}}
heads:
{heads}output: {{path: result.h5, commit_interval: 100ms}}
"""
MOST_SECONDS, MOST_MIB = 60, 700
HEAD = "  - {{name: h{number}, layers: [linear 256, relu, linear 10], weights: {demo}/mlp.pth}}\n"
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


def start_run(folder, limit):
    """(seconds until the first commit, largest anonymous memory of a rank in MiB)"""
    command = ["mpirun", "-np", "2", "--oversubscribe", "--bind-to", "none", POLYHEAD, "run", folder / "ensemble.yaml",
               "--overwrite"]
    output = folder / "result.h5"
    output.unlink(missing_ok=True)
    start, memory = time.monotonic(), 0
    with subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL) as job:
        while not (output.exists() and committed(output) > 10):
            memory = max([memory, *map(anonymous_mib, ranks_of(job))])
            if job.poll() is not None or time.monotonic() - start > limit:
                job.kill()
                sys.exit("the run ended, or took too long, before its first commit")
            time.sleep(0.2)
        seconds = time.monotonic() - start
        for _ in range(50):  # ten seconds of work
            memory = max([memory, *map(anonymous_mib, ranks_of(job))])
            time.sleep(0.2)
        job.send_signal(signal.SIGKILL)
    return seconds, memory


def plan(folder):
    """Seconds until the job is planned."""
    start = time.monotonic()
    subprocess.run([POLYHEAD, "plan", folder / "ensemble.yaml", "--ranks", "2"], check=True, env=ENVIRONMENT,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def beyond_limits(figures):
    """What is too slow or too large, a line each."""
    limits = {"plan_seconds": MOST_SECONDS, "start_seconds": MOST_SECONDS, "anonymous_mib": MOST_MIB}
    return [f"{name} is {figures[name]}, beyond {most}" for name, most in limits.items() if figures[name] > most]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100_000_000)
    parser.add_argument("--heads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/scale")
    parser.add_argument("--keep", action="store_true", help="leave the files there")
    options = parser.parse_args()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_inputs(folder, options.count, options.heads)
    start = time.monotonic()
    subprocess.run([POLYHEAD, "check", folder / "ensemble.yaml"], check=True, env=ENVIRONMENT)
    indexing = time.monotonic() - start
    planning = plan(folder)
    seconds, memory = start_run(folder, limit=1800)
    if not options.keep:
        shutil.rmtree(folder)
    print(f"{options.count} samples: list made in {indexing:.1f} s; planned in {planning:.1f} s; first commit {seconds:.1f} s "
          f"after the start; {memory:.0f} MiB anonymous in the larger rank")
    figures = {"samples": options.count, "index_seconds": round(indexing, 1), "plan_seconds": round(planning, 1),
               "start_seconds": round(seconds, 1), "anonymous_mib": round(memory)}
    print(json.dumps(figures))
    if failures := beyond_limits(figures):
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
