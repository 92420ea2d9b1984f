"""What the benches fail on: bench/require.py and the limits of bench/scale.py."""

import argparse
import json
import subprocess
import sys
import unittest
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import require  # noqa: E402
import scale  # noqa: E402


def run(figures, *requirements):
    return subprocess.run([sys.executable, BENCH / "require.py", *requirements], input=json.dumps(figures),
                          capture_output=True, text=True, check=False)


class RequireTest(unittest.TestCase):
    FIGURES = {"polyhead": 130.0, "Daft": 100.0, "shared base, frozen": 100, "Ray Data": None}

    def test_met(self):
        done = run(self.FIGURES, "polyhead/Daft=1.3", "polyhead/shared base, frozen=1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[0], "met      polyhead / Daft: 1.30, 1.3 is required")

    def test_not_met(self):
        done = run(self.FIGURES, "polyhead/Daft=1.31", "polyhead/Daft=1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT MET  polyhead / Daft: 1.30, 1.31 is required", done.stdout)

    def test_what_failed_meets_nothing(self):
        self.assertEqual(run(self.FIGURES, "polyhead/Ray Data=0").returncode, 1)
        self.assertEqual(run(self.FIGURES, "Ray Data/polyhead=0").returncode, 1)

    def test_nested_figures(self):
        figures = {"500x375": {"exact": 3, "pillow": 1}, "1024x768": {"fast": 4, "exact": 2}}
        self.assertEqual(run(figures, "500x375 exact/500x375 pillow=3", "1024x768 fast/1024x768 exact=2").returncode, 0)
        self.assertEqual(run(figures, "1024x768 fast/1024x768 exact=2.1").returncode, 1)

    def test_what_cannot_be_read(self):
        for wrong in ("Daft", "polyhead/Daft", "polyhead/Daft=fast", "polyhead/Dsft=1"):
            with self.assertRaises(require.Unknown):
                require.parse(wrong, self.FIGURES)
            self.assertEqual(run(self.FIGURES, wrong).returncode, 1)

    def test_nothing_required(self):
        self.assertEqual((run({}).returncode, run({}).stdout), (0, ""))

    def test_the_race_looks_before_it_runs(self):
        done = subprocess.run([sys.executable, BENCH / "race.py", "images", "model", "/nowhere", "--count", "1", "--require",
                               "Dsft=1.3"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("there is no figure 'Dsft'", done.stderr)


class ScaleTest(unittest.TestCase):
    LIMITS = argparse.Namespace(limit_seconds=60, limit_mib=700)

    def test_limits(self):
        self.assertEqual(scale.passed(self.LIMITS, 59.9, 699), [])
        self.assertEqual(len(scale.passed(self.LIMITS, 60.1, 701)), 2)
        [slow] = scale.passed(self.LIMITS, 61, 400)
        self.assertEqual(slow, "planning or starting took 61.0 s, more than 60 s")
        [large] = scale.passed(self.LIMITS, 6, 800)
        self.assertEqual(large, "a rank took 800 MiB of anonymous memory, more than 700 MiB")


if __name__ == "__main__":
    unittest.main()
