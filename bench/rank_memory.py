#!/usr/bin/env python3
"""What does another rank on the same node take?

    .venv/bin/python bench/rank_memory.py [--job small] [--ranks 1,2,4] [--folder runs/plan-accuracy]

Runs a job of bench/trial_jobs.py on 1, 2 and 4 ranks, one thread each, and shows the most that all of them took together:
proportional set size, in which each page counts once however many have it. Of that the backbone's prepared weights, which
ranks share. The last line is a JSON object.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

from trial_jobs import ENVIRONMENT, POLYHEAD, ROOT, machine, make_job

PERIOD = 0.2  # seconds
MIB = 2**20


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def pss(pid):
    """Bytes of a process, and of its shared weights."""
    try:
        total = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        weights = re.findall(r"memfd:polyhead.*?\nPss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps").read_text(), re.DOTALL)
    except OSError:  # it has ended
        return 0, 0
    return int(total.group(1)) * 1024 if total else 0, sum(map(int, weights)) * 1024


def most(config, ranks):
    """The most that all ranks took together, and of that weights."""
    command = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", POLYHEAD, "run", config, "--overwrite",
               "--progress", "none", "--set", "parallel.threads=1"]
    job = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    total, weights = 0, 0
    while job.poll() is None:
        found = [pss(pid) for pid in children(job.pid)]
        total = max(total, sum(all_of_it for all_of_it, _ in found))
        weights = max(weights, sum(shared for _, shared in found))
        time.sleep(PERIOD)
    if job.returncode != 0:
        raise SystemExit(f"the job on {ranks} ranks ended with {job.returncode}")
    return total, weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", default="small")
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/plan-accuracy")
    options = parser.parse_args()
    config = make_job(options.folder.resolve() / options.job, options.job)
    print(f"{machine()}\n\n| ranks | all | of that shared weights | each rank more |\n|---|---|---|---|")
    rows, first = {}, None
    for ranks in map(int, options.ranks.split(",")):
        total, weights = most(config, ranks)
        more = (total - first[1]) / (ranks - first[0]) if first else total / ranks
        first = first or (ranks, total)
        rows[ranks] = {"bytes": total, "shared_weights": weights, "each_more": more}
        print(f"| {ranks} | {total / MIB:.0f} MiB | {weights / MIB:.0f} MiB | {more / MIB:.0f} MiB |", flush=True)
    print(json.dumps({"machine": machine(), "job": options.job, "ranks": rows}))


if __name__ == "__main__":
    sys.exit(main())
