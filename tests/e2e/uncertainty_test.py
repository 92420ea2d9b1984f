"""What is stored of the uncertainty is what numpy makes of the fused scores, on any grid, and `verify` and a resumed run know of it."""

import unittest

import h5py
import numpy as np
from support.harness import EndToEnd, polyhead

GRIDS = ((1, 1), (2, 1), (1, 2), (2, 2))  # data x heads
SAMPLES = 436
BAD = 17
MARGIN = "output.uncertainty=[margin]"


class Uncertainty(EndToEnd):
    def run_grid(self, data, heads, *sets):
        return self.run_small_grid(data, heads, "data.max_bad=1%", *sets)

    def take_samples(self, count):
        """As real numbers, of which one sample has some that are none."""
        super().take_samples(count)
        with h5py.File(self.folder / "data.h5", "r+") as file:
            images = file["images"][()].transpose(0, 3, 1, 2).astype(np.float32) / 255
            images[BAD] = np.nan
            del file["images"]
            file["images"] = images

    def test_margin(self):
        self.take_samples(SAMPLES)
        plain = self.run_grid(1, 1)
        self.assertNotIn("uncertainty/margin", plain)
        for data, heads in GRIDS:
            with self.subTest(data=data, heads=heads):
                kept = self.run_grid(data, heads, MARGIN)
                margin = np.frombuffer(kept.pop("uncertainty/margin"), "<f4")
                self.assertEqual(kept, plain)
                best = np.sort(np.frombuffer(plain["fused/scores"], "<f4").reshape(SAMPLES, -1), axis=1)
                np.testing.assert_array_equal(margin, best[:, -1] - best[:, -2])
                self.assertEqual(list(np.flatnonzero(np.isnan(margin))), [BAD])
        self.assertIn("uncertainty  margin\n", polyhead("info", self.folder / "out.h5").stdout)

    def test_another_margin_is_found_and_its_absence_is_another_job(self):
        self.take_samples(SAMPLES)
        self.run_grid(1, 2, MARGIN)
        output = self.folder / "out.h5"
        good = polyhead("verify", output)
        self.assertEqual(good.returncode, 0, good.stderr)
        done = polyhead("run", self.config, "--set", f"output.path={output}", "--set", "parallel.batch=48", "--resume")
        self.assertEqual(done.returncode, 65)
        self.assertIn("margin in output.uncertainty: stored in the file, not now", done.stderr)
        with h5py.File(output, "r+") as file:
            file["uncertainty/margin"][3] = 7.5
            del file["job/certificate"]
        done = polyhead("verify", output)
        self.assertEqual(done.returncode, 65)
        self.assertIn("/uncertainty/margin differs at sample 3", done.stderr)


if __name__ == "__main__":
    unittest.main()
