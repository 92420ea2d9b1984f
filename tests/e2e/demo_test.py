"""The demo's files: the second start skips what is there, and the ensemble is as good as its description says."""

import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import h5py
from support.harness import DEMO, EndToEnd

MAKE = Path(__file__).resolve().parents[2] / "tools" / "make_demo.py"
HEADS = (0.80, 0.93)  # each alone
ENSEMBLE = 0.88
CLOSE = 0.005  # five digits of a thousand: as good as the best head, or better


class Demo(EndToEnd):
    def make(self, folder):
        done = subprocess.run([sys.executable, MAKE, folder], capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def copy(self):
        folder = self.folder / "copy"
        folder.mkdir()
        for name in os.listdir(DEMO):
            if (DEMO / name).is_file():
                shutil.copy(DEMO / name, folder)
        return folder

    def times(self, folder):
        return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    def test_what_is_there_is_kept(self):
        folder = self.copy()
        before = self.times(folder)
        self.assertEqual(self.make(folder), f"{folder}: data, weights and config are there already\n")
        self.assertEqual(self.times(folder), before)

    def test_only_what_is_missing_is_made(self):
        folder = self.copy()
        before = self.times(folder)
        lost = (folder / "plain.safetensors").read_bytes()
        (folder / "plain.safetensors").unlink()
        text = self.make(folder)
        self.assertIn("training head plain", text)
        self.assertEqual(text.count("training"), 1, text)
        after = self.times(folder)
        self.assertEqual({name for name in before if after[name] != before[name]}, {"plain.safetensors"})
        self.assertEqual(len((folder / "plain.safetensors").read_bytes()), len(lost))

    def test_accuracy(self):
        self.run_job("out.h5", ranks=2)
        with h5py.File(self.folder / "out.h5") as file:
            summary = json.loads(file["job/summary"][()].tobytes().rstrip(b"\0"))
        heads = {head["name"]: head["accuracy"] for head in summary["heads"]}
        print(f"heads {heads}, ensemble {summary['ensemble']['accuracy']}")
        self.assertEqual(len(heads), 5)
        for name, accuracy in heads.items():
            self.assertGreater(accuracy, HEADS[0], name)
            self.assertLess(accuracy, HEADS[1], name)
        self.assertGreaterEqual(summary["ensemble"]["accuracy"], ENSEMBLE)
        self.assertGreaterEqual(summary["ensemble"]["accuracy"], max(heads.values()) - CLOSE)


if __name__ == "__main__":
    unittest.main()
