"""tests/check_skips.py on reports as ctest writes them."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "check_skips.py"
SKIPPED = '<testcase name="{0}" status="{1}"><skipped message="x"/></testcase>'
RAN = '<testcase name="base.good" status="run"/>'


def check(*cases, unshare="exit 1", tools=("ip", "sbatch", "slurmctld", "slurmd", "munged")):
    """(exit code, what it prints) for a report with these test cases, where device.copy carries the label. `unshare`: what
    that command does, as a script. `tools`: others that there are."""
    with tempfile.TemporaryDirectory() as folder:
        report, gpu = Path(folder, "junit.xml"), Path(folder, "gpu.json")
        report.write_text(f"<testsuite>{RAN}{''.join(cases)}</testsuite>")
        gpu.write_text('{"kind": "ctestInfo", "tests": [{"name": "device.copy"}]}')
        for name, script in ({"unshare": unshare} | dict.fromkeys(tools, "")).items():
            stub = Path(folder, name)
            stub.write_text(f"#!/bin/sh\n{script}\n")
            stub.chmod(0o755)
        run = subprocess.run([sys.executable, SCRIPT, report, gpu], env=os.environ | {"PATH": folder}, capture_output=True,
                             text=True, check=False)
        return run.returncode, run.stdout


class CheckSkipsTest(unittest.TestCase):
    def test_nothing_skipped(self):
        self.assertEqual(check(), (0, ""))

    def test_a_gpu_test_may_be_skipped(self):
        self.assertEqual(check(SKIPPED.format("device.copy", "notrun")), (0, ""))

    def test_others_may_not(self):
        for status in ("notrun", "disabled"):
            code, text = check(SKIPPED.format("h5.reads", status))
            self.assertEqual((code, text), (1, "h5.reads: skipped, but not labelled gpu\n"))

    def test_pretended_hosts_may_be_skipped_where_namespaces_cannot_be_made(self):
        self.assertEqual(check(SKIPPED.format("e2e.lost_host", "notrun")), (0, ""))
        skipped = SKIPPED.format("e2e.hosts", "notrun")
        self.assertEqual(check(skipped), (0, ""))
        for only in ('case "$*" in *--user*) exit 1;; esac', 'case "$*" in *--user*) ;; *) exit 1;; esac'):
            self.assertEqual(check(skipped, unshare=only), (1, "e2e.hosts: skipped, but namespaces can be made here\n"))

    def test_slurm_wants_root(self):
        skipped = SKIPPED.format("e2e.slurm", "notrun")
        self.assertEqual(check(skipped, unshare='case "$*" in *--user*) ;; *) exit 1;; esac'), (0, ""))
        self.assertEqual(check(skipped, unshare=""), (1, "e2e.slurm: skipped, but namespaces can be made here\n"))
        code, text = check(skipped, tools=("ip", "munged", "sbatch"))
        self.assertEqual((code, text), (1, "e2e.slurm: skipped, but only because slurmctld, slurmd is missing: run launch/setup.sh --dev\n"))

    def test_that_is_no_excuse_for_others(self):
        self.assertEqual(check(SKIPPED.format("e2e.kill", "notrun")), (1, "e2e.kill: skipped, but not labelled gpu\n"))

    def test_a_missing_tool_is_no_excuse(self):
        code, text = check(SKIPPED.format("e2e.hosts", "notrun"), tools=())
        self.assertEqual(code, 1)
        self.assertIn("e2e.hosts: skipped, but only because ip is missing", text)


if __name__ == "__main__":
    unittest.main()
