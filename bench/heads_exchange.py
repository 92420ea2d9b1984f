#!/usr/bin/env python3
"""What does it gain to exchange features in a head group, instead of computing them on every rank?

    .venv/bin/python bench/heads_exchange.py [--rounds 3] [--folder runs/heads-exchange]

Two jobs as one group of 2 ranks (parallel.strategy: heads): 5 small heads on photographs, and 64 large heads. Each is run
with parallel.features exchange and local in turn, --rounds times; the medians stand beside what `polyhead plan --measure`
predicts. The last line is a JSON object. Exits with 1 when the exchange takes more than 0.6 of the time of local features
with the 5 heads. Wants a machine that does nothing else.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from trial_jobs import ROOT, machine, make_job, predict, run

JOBS = ("photos", "large")
FEATURES = ("exchange", "local")
TARGET = 0.6  # of the time of local features, with the 5 small heads


def settings(features):
    return "parallel.strategy=heads", f"parallel.features={features}"


def measure(config, rounds):
    """Seconds of working, by kind of features: predicted once, measured --rounds times in turn."""
    predicted = {kind: predict(config, 2, *settings(kind))["seconds"] for kind in FEATURES}
    measured = {kind: [] for kind in FEATURES}
    for _ in range(rounds):
        for kind in FEATURES:
            measured[kind].append(run(config, 2, *settings(kind))["seconds"])
    return {kind: {"predicted": predicted[kind], "measured": statistics.median(measured[kind]), "all": measured[kind]}
            for kind in FEATURES}


def show(name, found):
    for kind in FEATURES:
        print(f"| {name} | {kind} | {found[kind]['predicted']:.1f} s | {found[kind]['measured']:.1f} s |")
    ratio = {key: found["exchange"][key] / found["local"][key] for key in ("predicted", "measured")}
    print(f"| {name} | exchange / local | {ratio['predicted']:.2f} | {ratio['measured']:.2f} |", flush=True)
    return ratio["measured"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/heads-exchange")
    options = parser.parse_args()
    print(f"{machine()}; medians of {options.rounds} rounds\n")
    print("| job | features | predicted | measured |\n|---|---|---|---|")
    results, ratios = {}, {}
    for name in JOBS:
        results[name] = measure(make_job(options.folder.resolve() / name, name), options.rounds)
        ratios[name] = show(name, results[name])
    print(json.dumps({"machine": machine(), "jobs": results}))
    return 0 if ratios["photos"] <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
