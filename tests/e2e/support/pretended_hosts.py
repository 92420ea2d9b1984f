"""Hosts that are network namespaces on this machine, made by hosts.sh."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from support.harness import SECONDS

HERE = Path(__file__).resolve().parent
NETWORK = "10.77.0.0/24"
SKIPPED = 77  # exit code of a test where hosts cannot be made


def in_namespaces(user, *arguments):
    """The command of hosts.sh. All that it starts and makes ends with it, and it ends with this process."""
    return ["setpriv", "--pdeathsig", "KILL", "unshare", *user, "--fork", "--pid", "--kill-child", "--mount-proc", "--net",
            "--mount", HERE / "hosts.sh", *map(str, arguments)]


def find_way():
    """(words for unshare, None), or (None, why hosts cannot be made here). Root may make them, others as root of a user
    namespace."""
    reasons = []
    for user in ([], ["--user", "--map-root-user"]):
        with tempfile.TemporaryDirectory(prefix="polyhead-hosts-") as folder:
            done = subprocess.run(in_namespaces(user, folder, 2, 1, "true"), capture_output=True, text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return user, None
        way = " ".join(["unshare", *user])
        reasons.append(f"{way}: {done.stderr.strip()}")
    return None, "; ".join(reasons)


def main(case):
    """Runs the tests of `case`, which gets the words for unshare as USER; exits with 77 where hosts cannot be made."""
    case.USER, reason = find_way()
    if reason:
        print(f"SKIPPED: hosts cannot be made here: {reason}")
        sys.exit(SKIPPED)
    unittest.main()


def processes(folder):
    """{pid: variables of its environment} of what was started with the folder in its command."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if os.fsencode(folder) in (process / "cmdline").read_bytes():
                found[int(process.name)] = (process / "environ").read_bytes().split(b"\0")
    return found


def wait_until(condition, what):
    for _ in range(10 * SECONDS):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"waited {SECONDS} s in vain until {what}")
