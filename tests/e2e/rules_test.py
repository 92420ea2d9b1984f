"""Each fusion rule gives what numpy gives, and the same bytes on any grid, whether the heads' scores are kept or not."""

import unittest

import h5py
import numpy as np
from support.harness import LONG, EndToEnd

GRIDS = ((2, 1), (1, 2), (2, 2), (1, 3)) if LONG else ((2, 2), (1, 3))  # data x heads
SAMPLES = 436  # 9 x 48 + 4: more micro-batches than ranks, the last of them short


def softmax(scores):
    shifted = np.exp(scores - scores.max(axis=2, keepdims=True))
    return shifted / shifted.sum(axis=2, keepdims=True)


# What numpy makes of all heads' scores, f64 [N, K, C].
ORACLES = {
    "mean-logits": lambda scores: scores.mean(axis=1),
    "mean-probabilities": lambda scores: softmax(scores).mean(axis=1),
    "median": lambda scores: np.median(scores, axis=1),
}
EXACT = {"median"}  # rules whose every bit numpy gives, too; means are exact sums, which numpy's are not


class Rules(EndToEnd):
    def run_grid(self, rule, data, heads, *sets):
        return self.run_small_grid(data, heads, f"fusion.rule={rule}", *sets)

    def check_numpy(self, rule):
        """Of the result that lies there."""
        with h5py.File(self.folder / "out.h5") as file:
            scores = file["heads/scores"][()].astype(np.float64)
            fused, prediction = file["fused/scores"][()], file["fused/prediction"][()]
        expected = ORACLES[rule](scores).astype(np.float32)
        tolerance = 0 if rule in EXACT else 1e-6
        np.testing.assert_allclose(fused, expected, rtol=tolerance, atol=tolerance)
        np.testing.assert_array_equal(prediction, fused.argmax(axis=1))

    def check(self, rule):
        self.take_samples(SAMPLES)
        kept = self.run_grid(rule, 1, 1, "output.head_scores=true")
        self.check_numpy(rule)
        plain = {name: content for name, content in kept.items() if name != "heads/scores"}
        self.assertEqual(self.run_grid(rule, 1, 1), plain)
        for data, heads in GRIDS:
            with self.subTest(rule=rule, data=data, heads=heads):
                self.assertEqual(self.run_grid(rule, data, heads), plain)
                self.assertEqual(self.run_grid(rule, data, heads, "output.head_scores=true"), kept)

    def test_each_rule(self):
        for rule in ORACLES:
            self.check(rule)


if __name__ == "__main__":
    unittest.main()
