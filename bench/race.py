#!/usr/bin/env python3
"""Tunes the contestants, runs them in turn, compares their answers and prints what they reached. See bench/run.sh."""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import require
import sweep
from contestants import CONTESTANTS, CORES, POLYHEAD, REFERENCE, REFERENCE_SETTINGS, Failed

SAME_CLASS = 0.99  # of the images, at least
# Largest difference of a logit. Pillow's pixels are the reference's; torchvision.io with v2 resizes a little otherwise.
TOLERANCE = {"pillow": 1e-3, "io": 0.1}
QUIET = 0.1  # share of the processors that others may take
PACKAGES = ("torch", "torchvision", "daft", "ray", "pyarrow", "numpy", "pillow")


def say(text):
    print(f"[polyhead] {text}", flush=True)


def busy_share(seconds=1):
    """Share of the processors' time that is taken while this program sleeps."""
    def times():
        return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]

    before = times()
    time.sleep(seconds)
    spent = np.subtract(times(), before)
    return 1 - (spent[3] + spent[4]) / spent.sum()  # idle and waiting for disks


def first_line(*command):
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return text.splitlines()[0] if text else "?"


def processor():
    lines = subprocess.run(["lscpu"], capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"})
    names = [line.split(":", 1)[1].strip() for line in lines.stdout.splitlines() if line.startswith("Model name:")]
    return names[0] if names else "?"


def machine():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    return [f"date      {datetime.datetime.now().astimezone().isoformat(timespec='minutes')}",
            f"machine   {processor()}, {CORES} cores, {platform.platform()}",
            f"versions  {first_line(POLYHEAD, '--version')}, {first_line('mpirun', '--version')}",
            f"          Python {platform.python_version()}, {versions}"]


def check(outcome, reference, settings):
    """Throws Failed unless the answers are the reference's."""
    rows = outcome.rows
    if len(rows) != len(reference):
        raise Failed(f"{len(rows)} answers for {len(reference)} images")
    same = np.mean(rows["prediction"] == reference["prediction"])
    apart = np.max(np.abs(rows["logits"] - reference["logits"]))
    tolerance = TOLERANCE[settings.get("decode", "pillow")]
    if same < SAME_CLASS or not apart <= tolerance:  # NaN is a failure, too
        raise Failed(f"its answers differ: {same:.1%} of the classes are the reference's (at least {SAME_CLASS:.0%} must "
                     f"be), logits are {apart:.2g} apart (at most {tolerance:g})")
    return f"classes {same:.1%} equal, logits {apart:.1g} apart"


class Race:
    def __init__(self, args):
        self.args, self.folder = args, args.folder
        wanted = args.only or [contestant.name for contestant in CONTESTANTS]
        self.contestants = [contestant for contestant in CONTESTANTS if contestant.name in wanted]
        self.settings, self.outcomes, self.failures = {}, {}, {}
        self.busy = [busy_share()]  # and before each run: were the processors free?

    def attempt(self, contestant, action):
        """What the action gives; None, remembered as the contestant's failure, when it fails."""
        try:
            return action()
        except Failed as error:
            self.failures[contestant.name] = str(error)
            say(f"{contestant.name} FAILED: {error}")
            return None

    def run(self, contestant, settings):
        args = self.args
        return contestant.run(settings, args.images, args.model, args.count, self.folder / "logs")

    def recall(self, path):
        """The settings that an earlier race on this machine, with the same versions, found."""
        record = json.loads(path.read_text())
        if record["machine"][1:] != machine()[1:]:
            sys.exit(f"{path}: of another machine or other versions; leave --settings out to tune anew")
        known = {name: round_["settings"] for name, round_ in record["rounds"].items()}
        self.settings = {name: known[name] for name in known if name not in self.args.retune}

    def tune(self):
        count = max(1, self.args.count // 2)
        with open(self.folder / "sweep.log", "a") as log:
            print("\n".join(machine()), file=log)
            for contestant in self.contestants:
                if contestant.name in self.settings:
                    continue
                say(f"tuning {contestant.name} on {count} images; {self.folder}/sweep.log has every trial")
                best = self.attempt(contestant, lambda: sweep.tune(
                    contestant, self.args.images, self.args.model, count, self.folder / "logs", log))
                self.settings[contestant.name] = best

    def measure(self):
        reference = self.run(REFERENCE, REFERENCE_SETTINGS).rows
        for turn in range(self.args.rounds):
            for contestant in self.contestants:
                name = contestant.name
                if name in self.failures:
                    continue
                self.busy.append(busy_share())
                outcome = self.attempt(contestant, lambda: self.run(contestant, self.settings[name]))
                if outcome is None:
                    continue
                verdict = self.attempt(contestant, lambda: check(outcome, reference, self.settings[name]))
                say(f"round {turn + 1}: {name}: {outcome.img_s:.1f} img/s, {verdict or 'NOT THE SAME ANSWERS'}")
                self.outcomes.setdefault(name, []).append(outcome)

    def median(self, name, what="img_s"):
        """None for a contestant that failed."""
        if name in self.failures:
            return None
        return statistics.median(getattr(outcome, what) for outcome in self.outcomes[name])

    def table(self):
        ours = self.median("polyhead") if "polyhead" in self.outcomes else None
        lines = [f"{'contestant':20} {'img/s':>8} {'polyhead is':>12} {'with start':>11}  settings"]
        for contestant in self.contestants:
            name = contestant.name
            if name in self.failures:
                lines.append(f"{name:20} {'failed':>8}")
                continue
            mine = self.median(name)
            ratio = f"{ours / mine:.2f} x" if ours else "-"
            settings = ", ".join(f"{key} {value}" for key, value in self.settings[name].items())
            lines.append(f"{name:20} {mine:8.1f} {ratio:>12} {self.median(name, 'wall_img_s'):11.1f}  {settings}")
        return lines

    def record(self):
        rounds = {name: {"settings": self.settings[name], "img_s": [outcome.img_s for outcome in outcomes],
                         "wall_img_s": [outcome.wall_img_s for outcome in outcomes]}
                  for name, outcomes in self.outcomes.items()}
        record = {"machine": machine(), "busy": self.busy, "images": self.args.count, "rounds": rounds,
                  "failures": self.failures}
        (self.folder / "result.json").write_text(json.dumps(record, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, help="for logs and results")
    parser.add_argument("--count", type=int, required=True, help="number of the images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", help="a contestant's name; may be repeated; all when missing")
    parser.add_argument("--settings", type=Path, metavar="RESULT.JSON",
                        help="takes the settings of an earlier race on this machine and tunes only contestants without")
    parser.add_argument("--retune", action="append", default=[], help="a contestant's name: tune it all the same")
    parser.add_argument("--untuned", action="store_true", help="no sweep: every contestant's first settings")
    parser.add_argument("--require", action="append", default=[], metavar="NAME=RATIO",
                        help="fail unless polyhead is so many times faster than NAME; may be repeated")
    args = parser.parse_args()

    race = Race(args)
    wanted = [f"polyhead/{requirement}" for requirement in args.require]
    try:  # before an hour of work
        for requirement in wanted:
            require.parse(requirement, [contestant.name for contestant in race.contestants])
    except require.Unknown as error:
        parser.error(str(error))
    (args.folder / "logs").mkdir(parents=True, exist_ok=True)
    if args.untuned:
        race.settings = {contestant.name: contestant.start for contestant in race.contestants}
    else:
        if args.settings:
            race.recall(args.settings)
        race.tune()
    race.measure()
    race.record()

    print()
    print("\n".join(machine()))
    print(f"job       {args.count} JPEG files to a file of fused predictions, 5 heads on a ResNet-18, fp32; "
          f"medians of {args.rounds} rounds")
    print("\n".join(race.table()))
    print("img/s: from the first file opened to the result written; with start: of the whole process")
    if args.untuned:
        print("UNTUNED: the settings are not the contestants' best")
    busy = statistics.mean(race.busy)
    if busy > QUIET:
        print(f"BUSY: others took {busy:.0%} of the processors when nothing ran here; do not use these figures")
    for name, failure in race.failures.items():
        print(f"\n{name} failed: {failure}")
    figures = {contestant.name: race.median(contestant.name) for contestant in race.contestants}
    met = require.check(figures, wanted)
    print(json.dumps(figures))
    sys.exit(1 if race.failures or not met else 0)


if __name__ == "__main__":
    main()
