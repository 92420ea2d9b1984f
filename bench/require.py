#!/usr/bin/env python3
"""Are figures as far above others as they must be?

    bench/require.py REQUIREMENT... < FIGURES

FIGURES is a JSON object of numbers, null for what failed, or of such objects: {"x": {"y": 1}} has the figure "x y".
REQUIREMENT is A/B=RATIO: figure A must be at least RATIO times figure B. Prints the ratios; the exit code is 1 when one
is too small.
"""

import json
import re
import sys


class Unknown(Exception):
    """A requirement that cannot be read, or that is about a figure which is not there."""


def parse(requirement, names):
    """(A, B, ratio)"""
    match = re.fullmatch(r"([^/=]+)/([^/=]+)=(\d+\.?\d*)", requirement)
    if not match:
        raise Unknown(f"'{requirement}' is not of the form A/B=RATIO")
    ours, theirs, ratio = match.groups()
    for name in (ours, theirs):
        if name not in names:
            raise Unknown(f"'{requirement}': there is no figure '{name}', only {', '.join(map(repr, names))}")
    return ours, theirs, float(ratio)


def flat(figures):
    found = {}
    for name, part in figures.items():
        if isinstance(part, dict):
            found |= {f"{name} {inner}": figure for inner, figure in part.items()}
        else:
            found[name] = part
    return found


def compare(figures, requirement):
    """(whether it is met, a line that says so)"""
    ours, theirs, wanted = parse(requirement, figures)
    if not figures[ours] or not figures[theirs]:
        return False, f"NOT MET  {ours} / {theirs}: no figure, {wanted:g} is required"
    ratio = figures[ours] / figures[theirs]
    return ratio >= wanted, f"{'met' if ratio >= wanted else 'NOT MET':8} {ours} / {theirs}: {ratio:.2f}, {wanted:g} is required"


def check(figures, requirements):
    """Prints a line for each; whether all are met."""
    verdicts = [compare(figures, requirement) for requirement in requirements]
    for _, line in verdicts:
        print(line)
    return all(met for met, _ in verdicts)


if __name__ == "__main__":
    try:
        sys.exit(0 if check(flat(json.load(sys.stdin)), sys.argv[1:]) else 1)
    except Unknown as error:
        sys.exit(str(error))
