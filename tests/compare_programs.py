#!/usr/bin/env python3
"""Runs the same jobs with two builds of polyhead and compares what they write, byte by byte: for changes that must not show.

    tests/compare_programs.py OLD NEW DEMO      two programs, and the folder that tools/make_demo.py has made

Compared are all datasets of the result but those that hold times, versions and commands. Ends with 1 when a byte differs."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

LEFT_OUT = {"job/provenance", "job/summary", "job/config"}  # times, the version, the path of the output
JOBS = {  # name: (ranks, options)
    "demo": (None, []),
    "two ranks": (2, []),
    "heads": (2, ["parallel.strategy=heads"]),
    "grid": (4, ["parallel.strategy=grid", "parallel.grid={data: 2, heads: 2}", "parallel.batch=16"]),
    "local features": (2, ["parallel.strategy=heads", "parallel.features=local"]),
    "probabilities": (2, ["fusion.rule=mean-probabilities", "output.head_scores=true"]),
    "libtorch": (2, ["backbone.engine=libtorch", "parallel.batch=48"]),
    "all write": (2, ["output.writers=all", "output.head_scores=true"]),
    "cache": (1, ["output.cache=features"]),
}


def run(program, demo, output, ranks, options):
    command = [program, "run", demo / "ensemble.yaml", "--overwrite", "--progress", "none", "--set", "parallel.threads=1",
               "--set", f"output.path={output}"]
    for option in options:
        command += ["--set", option]
    if ranks:
        command = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", *command]
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(list(map(str, command)), env=os.environ | allowed, cwd=demo, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{program} ended with {done.returncode}:\n{done.stderr}")


def datasets(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()})
                        if isinstance(item, h5py.Dataset) and name not in LEFT_OUT else None)
    return found


def compare(programs, demo, folder, ranks, options):
    """Names of the datasets that differ, and how many there are."""
    results = []
    for number, program in enumerate(programs):
        output = folder / "out" / f"{number}.h5"
        output.parent.mkdir(exist_ok=True)
        run(program, demo, output, ranks, options)
        results.append(datasets(output))
    old, new = results
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)), len(old)


def main(old, new, demo):
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (ranks, options) in JOBS.items():
            different, count = compare((old, new), Path(demo).resolve(), Path(folder), ranks, options)
            print(f"{name}: {count} datasets, {'the same bytes' if not different else 'different: ' + ', '.join(different)}", flush=True)
            differ += bool(different)
    return 1 if differ else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*(os.path.abspath(argument) for argument in sys.argv[1:])))
