"""The test cases that carry the label `gpu`: those called Gpu*."""

import re
import subprocess

from common import DRY, TESTS, expect, finish, gpu_count

PROGRAMS = ("test_device", "test_comm", "test_model")
MAY_SKIP = {"test_comm"}  # its cases want two GPUs


def run(name):
    """(exit code, cases that passed, cases that were skipped)"""
    done = subprocess.run([TESTS / name, "--gtest_filter=Gpu*"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    counts = {word: re.search(rf"\[ +{word} +\] (\d+) test", done.stdout) for word in ("PASSED", "SKIPPED")}
    passed, skipped = (int(found.group(1)) if found else 0 for found in counts.values())
    return done.returncode, passed, skipped


for name in PROGRAMS:
    code, passed, skipped = run(name)
    allowed = DRY or skipped == 0 or (name in MAY_SKIP and gpu_count() < 2)
    expect(code == 0 and passed + skipped > 0 and allowed, name, code=code, passed=passed, skipped=skipped)
finish()
