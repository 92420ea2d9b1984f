"""tests/check_skips.py on reports as ctest writes them."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "check_skips.py"
SKIPPED = '<testcase name="{0}" status="{1}"><skipped message="x"/></testcase>'
RAN = '<testcase name="base.good" status="run"/>'


def check(*cases):
    """(exit code, what it prints) for a report with these test cases, where device.copy carries the label."""
    with tempfile.TemporaryDirectory() as folder:
        report, gpu = Path(folder, "junit.xml"), Path(folder, "gpu.json")
        report.write_text(f"<testsuite>{RAN}{''.join(cases)}</testsuite>")
        gpu.write_text('{"kind": "ctestInfo", "tests": [{"name": "device.copy"}]}')
        run = subprocess.run([sys.executable, SCRIPT, report, gpu], capture_output=True, text=True, check=False)
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


if __name__ == "__main__":
    unittest.main()
