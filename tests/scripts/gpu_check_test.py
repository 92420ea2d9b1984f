"""tests/gpu/check.sh with a pretended python: verdicts, limits, exit code. The steps themselves run in gpu.check_dry_run."""

import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).resolve().parents[2] / "tests" / "gpu" / "check.sh"
# Ends with the code that $CODES has for the step's name; else with 0.
PYTHON = """#!/bin/bash
for pair in $CODES; do
  [[ $pair == "$CHECK_STEP="* ]] && exit "${pair#*=}"
done
echo "$CHECK_STEP of $(basename "$1") ${*:2}"
"""


class GpuCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.python = self.folder / "python"
        self.python.write_text(PYTHON)
        self.python.chmod(0o755)

    def check(self, *arguments, codes="", **variables):
        known = {"PATH": os.environ["PATH"], "TMPDIR": str(self.folder), "CODES": codes, "POLYHEAD": "/bin/true",
                 "POLYHEAD_NCCL_DOUBLE": "/bin/true", "POLYHEAD_PYTHON": str(self.python)}
        return subprocess.run([CHECK, *arguments], env=known | variables, capture_output=True, text=True, timeout=60, check=False)

    def verdicts(self, out):
        return {line["step"]: line["verdict"] for line in map(json.loads, (out / "results.jsonl").read_text().splitlines())}

    def test_all_steps_are_run(self):
        out = self.folder / "out"
        done = self.check(out)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertEqual(set(self.verdicts(out).values()), {"ok"})
        self.assertIn("same_bits_again of runs.py again", (out / "same_bits_again.log").read_text())
        scripts = {path.name for path in CHECK.parent.glob("*.py")}
        started = {log.read_text().split()[2] for log in out.glob("*.log")}
        self.assertLessEqual(started, scripts)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("polyhead-gpu-check")], [])

    def test_a_failed_step_does_not_end_the_others(self):
        out = self.folder / "out"
        done = self.check("--dry-run", out, codes="first_run=1 two_gpus=77 sanitizer=124")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: first_run sanitizer", done.stdout)
        found = self.verdicts(out)
        self.assertEqual([found[name] for name in ("facts", "first_run", "two_gpus", "sanitizer")],
                         ["ok", "failed", "skipped", "timed out"])

    def test_what_nothing_can_come_after_ends_it(self):
        for step, why in (("facts", "this machine lacks what the check needs"), ("make_job", "without its files there is nothing to compute")):
            out = self.folder / step
            done = self.check(out, codes=f"{step}=1")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"FAILED: {step}: {why}", done.stdout)
            self.assertEqual(list(self.verdicts(out))[-1], step)

    def test_a_signal_ends_it(self):
        self.python.write_text("#!/bin/bash\nexec sleep 60\n")
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.folder / number.name
            known = {"PATH": os.environ["PATH"], "TMPDIR": str(self.folder), "POLYHEAD": "/bin/true", "POLYHEAD_PYTHON": str(self.python)}
            check = subprocess.Popen([CHECK, out], env=known, stdout=subprocess.PIPE, text=True, start_new_session=True)
            self.assertEqual(check.stdout.readline(), "== facts\n")
            os.killpg(check.pid, number)
            self.assertIn("stopped; what was found is in", check.communicate(timeout=20)[0])
            self.assertEqual(check.returncode, 130)
            self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("polyhead-gpu-check")], [])

    def test_a_second_check_forgets_the_first(self):
        out = self.folder / "out"
        self.check(out, codes="facts=1")
        self.check(out)
        self.assertEqual(self.verdicts(out)["facts"], "ok")

    def test_wrong_arguments(self):
        for arguments, variables, text in ((["--wet-run"], {}, "unknown option '--wet-run'"), (["a", "b"], {}, "two folders, 'a' and 'b'"),
                                           ([], {"POLYHEAD": "/nowhere"}, "/nowhere is no program: build it, or name another in POLYHEAD"),
                                           (["--dry-run"], {"POLYHEAD_NCCL_DOUBLE": "/nowhere"}, "POLYHEAD_NCCL_DOUBLE")):
            done = self.check(*arguments, **variables)
            self.assertEqual(done.returncode, 64)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
