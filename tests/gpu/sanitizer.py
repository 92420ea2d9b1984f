"""compute-sanitizer on a small job: accesses outside of what was allocated on the GPU. A dry run is without it."""

import shutil

from common import DRY, WORK, expect, finish, program, record, skip

FOUND = 9  # exit code of the sanitizer
REFUSALS = ("Device not supported", "Debugger support is not available", "Unable to attach")
PLACES = "/usr/local/cuda/bin"


def find():
    return shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path=PLACES)


def main():
    sanitizer = None if DRY else find()
    if sanitizer is None and not DRY:
        skip("compute-sanitizer is not installed")
    before = [] if sanitizer is None else [sanitizer, "--tool", "memcheck", "--target-processes", "all", "--error-exitcode", str(FOUND)]
    arguments = ["run", WORK / "two-batches.yaml", "--overwrite", "--progress", "none", "--set", f"output.path={WORK / 'checked.h5'}",
                 "--set", "parallel.device=cuda"]
    done = program(*arguments, before=before)
    for refusal in REFUSALS:
        if refusal in done.stdout:
            skip(f"compute-sanitizer does not work here: {refusal}")
    record("sanitizer", used=sanitizer is not None)
    expect(done.returncode == 0, "memcheck" if sanitizer else "the job without it", code=done.returncode, said=done.stdout[-300:])


main()
finish()
