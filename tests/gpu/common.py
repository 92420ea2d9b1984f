"""What the steps of check.sh share: its settings, records of what was found, runs of the program, results as arrays.

A step is a Python file that check.sh starts. It ends with 0, with 1 when an expectation was not met, or with 77 where it
cannot run here."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

DRY = os.environ.get("CHECK_DRY") == "1"
WORK = Path(os.environ.get("CHECK_WORK", "."))
OUT = Path(os.environ.get("CHECK_OUT", "."))
PROGRAM = os.environ.get("CHECK_PROGRAM", "polyhead")
TESTS = Path(os.environ.get("CHECK_TESTS", "."))
MPIEXEC = os.environ.get("CHECK_MPIEXEC", "mpirun")
STEP = os.environ.get("CHECK_STEP", "")
SKIPPED = 77
RECORDS = OUT / "results.jsonl"


@dataclass(frozen=True)
class Sizes:
    images: int  # photographs of `width` x `height`
    copies: int  # names of each in the folder that speed is measured on
    few: int  # images of the short jobs
    width: int
    height: int
    resize: int
    crop: int
    classes: int
    batch: int
    large_batch: int
    compared: int  # images whose scores PyTorch computes, too
    matrix: int  # side of the matrices of device_limit
    seconds: float  # time of one measurement

    @property
    def all_names(self):
        return self.images * self.copies


FULL = Sizes(8192, 3, 512, 500, 375, 256, 224, 1000, 32, 256, 256, 8192, 1.5)
TINY = Sizes(48, 1, 16, 100, 75, 40, 32, 10, 8, 24, 16, 128, 0.01)
SIZES = TINY if DRY else FULL

_failures = []


def record(what, **facts):
    """A line of results.jsonl and of the step's log."""
    with open(RECORDS, "a") as file:
        file.write(json.dumps({"step": STEP, "what": what, **facts}) + "\n")
    print(f"{what}: " + ", ".join(f"{name} {value}" for name, value in facts.items()))


def expect(met, what, **facts):
    """A record that must hold; the step goes on, and fails at its end."""
    record(what, ok=bool(met), **facts)
    if not met:
        _failures.append(what)


def finish():
    """Ends the step."""
    if _failures:
        print(f"not as expected: {'; '.join(_failures)}")
    sys.exit(1 if _failures else 0)


def skip(reason):
    record("skipped", reason=reason)
    sys.exit(SKIPPED)


def records():
    """All that was found so far."""
    return [json.loads(line) for line in RECORDS.read_text().splitlines()]


def all_cores():
    return sorted(os.sched_getaffinity(0))


def own_gpus():
    """Names of the GPUs that a run may use; the stand-in pretends as many as it is told to."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if DRY or chosen:
        return ["0", "1"] if DRY else chosen.split(",")
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    return [str(index) for index in range(sum(line.startswith("GPU ") for line in done.stdout.splitlines()))]


def gpu_count():
    return len(own_gpus())


def visible(gpus):
    """Variables that let a run see the first `gpus` of them."""
    if DRY:
        return {"POLYHEAD_NCCL_DOUBLE_GPUS": str(gpus)}
    return {"CUDA_VISIBLE_DEVICES": ",".join(own_gpus()[:gpus])}


def program(*arguments, ranks=None, gpus=1, before=(), variables=None):
    """A command of the program, under mpirun when `ranks` is given. What it says is printed."""
    command = [*before, PROGRAM, *map(str, arguments)]
    if ranks is not None:
        command = [MPIEXEC, "-np", str(ranks), "--oversubscribe", "--bind-to", "none", *command]
    print("$", " ".join(map(str, command)))
    done = subprocess.run(command, env=os.environ | visible(gpus) | (variables or {}), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    return done


def run_job(output, *sets, config="job.yaml", **how):
    """Runs the job on GPUs into WORK/output; ends the step when the run fails. Its path and what it said."""
    arguments = ["run", WORK / config, "--overwrite", "--progress", "none"]
    fixed = (f"output.path={WORK / output}", "parallel.device=cuda", *(("parallel.threads=1",) if DRY else ()))
    for option in (*fixed, *sets):
        arguments += ["--set", option]
    done = program(*arguments, **how)
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "[error]" in line]
        record("run failed", ok=False, output=output, code=done.returncode, said="\n".join(errors[:3]) or done.stdout[-600:])
        sys.exit(1)
    return WORK / output, done.stdout
