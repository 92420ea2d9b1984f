#!/usr/bin/env python3
"""How near are the planner's predictions to real runs?

    .venv/bin/python bench/plan_accuracy.py [--rounds 3] [--jobs small,photos,wide] [--folder runs/plan-accuracy]

Three jobs, each on 1 and 2 ranks: `polyhead plan --measure` predicts, then the job really runs. Each pair is done
--rounds times, one after the other, and the round with the median ratio of time is shown: predicted and measured
seconds of working, and the most memory of a rank (peak resident set; of weights that ranks share, its part). The weights
are random, so accuracies mean nothing. The last line is a JSON object. Exits with 1 when a time is off by more than 20% or a
memory by more than 25%.
Wants a machine that does nothing else.
"""

import argparse
import json
import sys
from pathlib import Path

from trial_jobs import ROOT, machine, make_job, predict, run

JOBS = ("small", "photos", "wide")
TIME, MEMORY = 0.20, 0.25  # how far off a prediction may be


def compare(config, ranks, rounds):
    """The prediction and the run of the round with the median ratio of time."""
    pairs = [(predict(config, ranks), run(config, ranks)) for _ in range(rounds)]
    pairs.sort(key=lambda pair: pair[0]["seconds"] / pair[1]["seconds"])
    return pairs[len(pairs) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", default=",".join(JOBS), metavar="NAMES")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/plan-accuracy")
    options = parser.parse_args()
    results, good = {}, True
    print(f"{machine()}; {options.rounds} rounds\n")
    print("| job | ranks | time, predicted | measured | ratio | memory, predicted | measured | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.jobs.split(","):
        config = make_job(options.folder.resolve() / name, name)
        for ranks in (1, 2):
            plan, real = compare(config, ranks, options.rounds)
            ratio = {key: plan[key] / real[key] for key in plan}
            good &= abs(ratio["seconds"] - 1) <= TIME and abs(ratio["memory"] - 1) <= MEMORY
            print(f"| {name} | {ranks} | {plan['seconds']:.1f} s | {real['seconds']:.1f} s | {ratio['seconds']:.2f} | "
                  f"{plan['memory'] / 2**20:.0f} MiB | {real['memory'] / 2**20:.0f} MiB | {ratio['memory']:.2f} |",
                  flush=True)
            results[f"{name}-{ranks}"] = {"predicted": plan, "measured": real}
    print(json.dumps({"machine": machine(), "jobs": results}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
