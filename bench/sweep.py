"""Finds a contestant's best settings on this machine, on a part of the images."""

import itertools
import json

from contestants import Failed

PASSES = 2  # the best of one group may change with that of another


def combinations(group):
    return [dict(zip(group, values)) for values in itertools.product(*group.values())]


def tune(contestant, images, model, count, output, log):
    """Its best settings. One group of settings after the other is varied, the rest kept at the best so far; every
    trial is a line of the log. Settings with which it fails are no choice; Failed when there is no other."""
    count = max(1, int(count * contestant.share))
    tried, failure = {}, None

    def speed(settings):
        nonlocal failure
        key = json.dumps(settings, sort_keys=True)
        if key not in tried:
            try:
                tried[key] = contestant.run(settings, images, model, count, output).img_s
            except Failed as error:
                failure, tried[key] = error, 0.0
            print(f"{contestant.name}: {tried[key]:7.1f} img/s, {count} images, {key}", file=log, flush=True)
        return tried[key]

    best = dict(contestant.start)
    for _ in range(PASSES):
        before = dict(best)
        for group in contestant.groups:
            best = max((best | values for values in combinations(group)), key=speed)
            if speed(best) == 0:
                raise failure
        if best == before:
            break
    print(f"{contestant.name}: BEST {speed(best):.1f} img/s, {json.dumps(best, sort_keys=True)}", file=log, flush=True)
    return best
