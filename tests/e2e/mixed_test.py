"""Ranks that would not compute the same bits are refused; --allow-mixed lets them run and marks the file."""

import json
import subprocess
import unittest

import h5py
import numpy as np
from harness import MPIEXEC, POLYHEAD, SECONDS, EndToEnd, environment, polyhead

CONFIG = 78
# oneDNN then leaves AVX2 and later alone on rank 1, which changes the last digits of convolutions.
OTHER = ["env", "ONEDNN_MAX_CPU_ISA=AVX"]


class Mixed(EndToEnd):
    def run_mixed(self, output, *flags):
        rank = ["-np", "1", "--oversubscribe", "--bind-to", "none"]
        job = [POLYHEAD, "run", str(self.config), "--set", f"output.path={self.folder / output}", *flags]
        return subprocess.run([MPIEXEC, *rank, *job, ":", *rank, *OTHER, *job], env=environment(), capture_output=True,
                              text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)

    def provenance(self, output):
        with h5py.File(self.folder / output) as file:
            return json.loads(file["job/provenance"][()].tobytes().rstrip(b"\0"))

    def test_refused(self):
        done = self.run_mixed("out.h5")
        self.assert_fails(done, CONFIG, "the ranks would not compute the same bits", "ranks 0: {", "ranks 1: {",
                          "ONEDNN_MAX_CPU_ISA=AVX", "--allow-mixed")
        self.assertEqual(done.stderr.count("same bits"), 1, "one message for all ranks")
        self.assertFalse((self.folder / "out.h5").exists())

    def test_allowed_and_marked(self):
        self.run_job("pure.h5", ranks=2)
        done = self.run_mixed("mixed.h5", "--allow-mixed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("[warning] the ranks would not compute the same bits"), 1)
        self.assertIs(self.provenance("pure.h5")["mixed_fingerprints"], False)
        self.assertIs(self.provenance("mixed.h5")["mixed_fingerprints"], True)
        with h5py.File(self.folder / "pure.h5") as pure, h5py.File(self.folder / "mixed.h5") as mixed:
            np.testing.assert_allclose(mixed["fused/scores"][()], pure["fused/scores"][()], atol=1e-4)
            np.testing.assert_array_equal(mixed["samples/status"][()], 1)

    def test_resumed_elsewhere(self):
        """On another machine a resume is refused, or marks the file, for good."""
        def resume(*flags, machine=()):
            job = [POLYHEAD, "run", str(self.config), "--set", f"output.path={self.folder / 'out.h5'}", "--resume", *flags]
            return subprocess.run([*machine, *job], env=environment(), capture_output=True, text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, check=False)
        self.run_job("out.h5")
        with h5py.File(self.folder / "out.h5", "r+") as file:
            file["ledger/batches"][10:20] = 0
        done = resume(machine=OTHER)
        self.assert_fails(done, CONFIG, "out.h5: this machine would not compute the same bits as the one that began the file",
                          "ONEDNN_MAX_CPU_ISA=AVX now", "--allow-mixed")
        self.assertNotIn("numerics     mixed", polyhead("info", self.folder / "out.h5").stdout)
        done = resume("--allow-mixed", machine=OTHER)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.folder / "out.h5", "r+") as file:
            file["ledger/batches"][15:] = 0
        self.assertEqual(resume().returncode, 0)  # at home again: what is mixed stays mixed
        with h5py.File(self.folder / "out.h5") as file:
            lines = [json.loads(line) for line in file["job/provenance"][()].tobytes().rstrip(b"\0").splitlines()]
        self.assertEqual([line["mixed_fingerprints"] for line in lines], [False, True, False])
        self.assertIn("ONEDNN_MAX_CPU_ISA=AVX", json.dumps(lines[1]["fingerprint"]))
        self.assertNotIn("fingerprint", lines[2])
        self.assertIn("numerics     mixed", polyhead("info", self.folder / "out.h5").stdout)
        verified = polyhead("verify", self.folder / "out.h5")
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("compared by tolerance", verified.stdout)


if __name__ == "__main__":
    unittest.main()
