"""The program against plain PyTorch on the same files: every prediction of the 1,000 held-out digits, scores within 1e-4."""

import subprocess
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np
from support.harness import EndToEnd

TOLERANCE = 1e-4


class Oracle(EndToEnd):
    def setUp(self):
        super().setUp()
        reference = self.folder / "reference.npz"
        script = Path(__file__).parent / "support/reference.py"
        subprocess.run([sys.executable, script, self.config, reference], check=True, timeout=300)
        self.reference = np.load(reference)

    def check(self, rule):
        self.run_job("out.h5", f"fusion.rule={rule.replace('_', '-')}", "output.head_scores=true", ranks=2)
        with h5py.File(self.folder / "out.h5") as file:
            result = {name: file[name][()] for name in
                      ("fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/label",
                       "samples/status", "samples/reason", "ledger/batches")}
        self.assertEqual(result["fused/prediction"].shape, (1000,))
        np.testing.assert_allclose(result["fused/scores"], self.reference[rule], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(result["heads/scores"].transpose(1, 0, 2), self.reference["head_logits"], rtol=0,
                                   atol=TOLERANCE)
        np.testing.assert_array_equal(result["fused/prediction"], self.reference[f"{rule}_prediction"])
        np.testing.assert_array_equal(result["heads/prediction"], self.reference["head_prediction"])
        np.testing.assert_array_equal(result["samples/label"], self.reference["labels"])
        self.assertTrue((result["samples/status"] == 1).all())
        self.assertTrue((result["samples/reason"] == 0).all())
        self.assertTrue((result["ledger/batches"] == 1).all())

    def test_mean_logits(self):
        self.check("mean_logits")

    def test_mean_probabilities(self):
        self.check("mean_probabilities")

    def test_the_table_tells_pytorchs_accuracies(self):
        done = self.run_job("out.h5", ranks=2)
        labels = self.reference["labels"]
        ensemble = int((self.reference["mean_logits_prediction"] == labels).sum())
        heads = (self.reference["head_prediction"] == labels[:, None]).sum(axis=0)
        for correct in [ensemble, *heads]:
            self.assertIn(f"{correct}/1000", done.stdout)


if __name__ == "__main__":
    unittest.main()
