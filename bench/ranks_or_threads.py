#!/usr/bin/env python3
"""Are 2 ranks with one thread each as fast as one rank with 2 threads?

    .venv/bin/python bench/ranks_or_threads.py [--job photos] [--rounds 5] [--folder runs/plan-accuracy]

Runs a job of bench/trial_jobs.py both ways, one after the other, in every round, and shows the medians of the seconds of
working. The last line is a JSON object. Wants a machine with two cores that does nothing else.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from trial_jobs import ROOT, machine, make_job, run

WAYS = {"2 ranks x 1 thread": (2, "parallel.threads=1"), "1 rank x 2 threads": (1, "parallel.threads=2")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--job", default="photos")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/plan-accuracy")
    options = parser.parse_args()
    config = make_job(options.folder.resolve() / options.job, options.job)
    seconds = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way, (ranks, setting) in WAYS.items():
            seconds[way].append(run(config, ranks, setting)["seconds"])
    medians = {way: statistics.median(times) for way, times in seconds.items()}
    print(f"{machine()}; {options.job}, medians of {options.rounds} rounds")
    for way, median in medians.items():
        print(f"{way}: {median:.2f} s ({', '.join(f'{time:.2f}' for time in seconds[way])})")
    first, second = medians.values()
    print(f"ratio: {first / second:.2f}")
    print(json.dumps({"machine": machine(), "job": options.job, "seconds": seconds, "ratio": first / second}))


if __name__ == "__main__":
    sys.exit(main())
