"""`check --against` and `run.against`: logits that PyTorch gave are a guard against what weights files do not say."""

import unittest

import h5py
import numpy as np
import torch
import yaml
from support.harness import EndToEnd, polyhead
from support.reference import batches, fuse, make_backbone, make_head, weights_of

SAMPLES = [0, 5, 2, 7]


class Against(EndToEnd):
    def setUp(self):
        super().setUp()
        self.take_samples(8)
        self.job = yaml.safe_load(self.config.read_text())
        with h5py.File(self.folder / "data.h5") as file:
            images = file["images"][()][SAMPLES]
        self.x = torch.cat(list(batches(images, self.job["data"]["preprocess"])))
        self.backbone, width = make_backbone("resnet18", self.folder / self.job["backbone"]["weights"])
        self.heads = {head["name"]: make_head(head["layers"], self.folder / head["weights"], width)
                      for head in self.job["heads"]}

    @torch.inference_mode()
    def logits(self, x=None):
        features = self.backbone(self.x if x is None else x)
        return {name: head(features).numpy() for name, head in self.heads.items()}

    def save(self, name="ref.npz", samples=SAMPLES, **arrays):
        np.savez(self.folder / name, samples=samples, **arrays)
        return self.folder / name

    def check(self, reference, *more):
        return polyhead("check", self.config, "--against", reference, "--set", f"output.path={self.folder / 'o.h5'}", *more)

    def test_agrees_with_pytorch(self):
        done = self.check(self.save(pixels=self.x.numpy(), **self.logits()))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"4 samples compared with .*ref.npz: 5 heads agree, within \d\S*e-0[5-7], pixels by "
                                      r"\d\S*; in ")
        done = self.check(self.save(plain=self.logits()["plain"]))
        self.assertRegex(done.stdout, r"1 head agrees, .*; it has no logits of 4 other heads; in ")

    def test_logits_of_all_heads_fused_scores_and_ids(self):
        logits = np.stack(list(self.logits().values()))
        fused = fuse(logits, weights_of(self.job))["mean_logits"]
        done = self.check(self.save(samples=[str(number) for number in SAMPLES], logits=logits, fused=fused))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("5 heads and the fused scores agree", done.stdout)
        self.assert_fails(self.check(self.save(logits=logits, fused=fused + 0.01)), 65, "the fused score differs by 0.01")

    def test_more_samples_than_a_micro_batch_in_any_order(self):
        order = [0, 1, 2, 3, 3, 0, 1]
        arrays = {name: logits[order] for name, logits in self.logits().items()}
        fused = fuse(np.stack(list(arrays.values())), weights_of(self.job))["mean_logits"]
        done = self.check(self.save(samples=[SAMPLES[i] for i in order], fused=fused, pixels=self.x.numpy()[order], **arrays),
                          "--set", "parallel.batch=3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("7 samples compared", done.stdout)

    def test_an_eps_that_the_file_does_not_hold(self):
        for module in self.backbone.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 1e-3
        done = self.check(self.save(pixels=self.x.numpy(), **self.logits()))
        self.assert_fails(done, 65, "in what its model makes of the reference's own pixels, 4 samples", "head 'mlp' differs by",
                          "head 'norm' differs by", "Usual causes: eps of batch norms (backbone.batchnorm_eps)")
        self.assertNotIn("preprocessing", done.stderr)

    def test_one_head_of_another_file(self):
        logits = self.logits()
        logits["wide"][2, 3] += 0.25
        done = self.check(self.save(**logits))
        self.assert_fails(done, 65, "head 'wide' differs by 0.25 at most, the same class for",
                          "sample 2 ('2'), class 3: the reference has", "(pixels=x)")
        self.assertNotIn("head 'mlp'", done.stderr)

    def test_preprocessing_that_differs(self):
        x = self.x * 1.01
        done = self.check(self.save(pixels=x.numpy(), **self.logits(x)))
        self.assert_fails(done, 65, "pixels differ by", "The preprocessing differs: mean and std")
        self.assertNotIn("head '", done.stderr)
        self.assertNotIn("Usual causes", done.stderr)

    def test_channels_in_reversed_order(self):
        with h5py.File(self.folder / "data.h5", "r+") as file:  # gray digits look the same either way
            file["images"][..., 0] //= 2
            images = file["images"][()][SAMPLES]
        x = torch.cat(list(batches(images, self.job["data"]["preprocess"]))).flip(1)
        self.assert_fails(self.check(self.save(pixels=x.numpy(), **self.logits(x))), 65, "reversed order", "BGR")

    def test_files_that_are_not_of_the_format(self):
        logits = self.logits()
        mlp = logits["mlp"]
        cases = [
            ({"mlpp": mlp}, "the array 'mlpp' is not the name of a head, did you mean 'mlp'?"),
            ({}, "has no logits; expected `samples`"),
            ({"mlp": mlp[:3]}, "'mlp' is [3, 10]; expected [4, 10]: [samples, classes]"),
            ({"mlp": mlp[:, :9]}, "'mlp' is [4, 9]; expected [4, 10]"),
            ({"logits": np.stack([mlp] * 4)}, "'logits' is [4, 4, 10]; expected [5, 4, 10]"),
            ({"logits": np.stack([mlp] * 5), "mlp": mlp}, "has both 'logits' and 'mlp'"),
            ({"mlp": mlp, "pixels": self.x.numpy()[:, :1]}, "'pixels' is [4, 1, 32, 32]; expected [4, 3, 32, 32]"),
            ({"mlp": np.where(mlp == mlp.max(), np.nan, mlp)}, "'mlp' holds NaN or infinity"),
            ({"mlp": mlp.astype(str)}, "'mlp' holds texts; expected numbers"),
            ({"samples": [0, 1, 2, 8], "mlp": mlp}, "'samples' holds 8; expected whole numbers from 0 to 7"),
            ({"samples": [0, 1, 2, -1], "mlp": mlp}, "'samples' holds -1"),
            ({"samples": [0, 1, 2, 0.5], "mlp": mlp}, "'samples' holds 0.5"),
            ({"samples": ["0", "x.jpg"], "mlp": mlp}, "no sample is called 'x.jpg'; the first one here is '0'"),
            ({"samples": np.zeros(0, int), "mlp": mlp}, "'samples' is empty"),
            ({"samples": [[0]], "mlp": mlp}, "'samples' is [1, 1]; expected a list"),
        ]
        for arrays, expected in cases:
            with self.subTest(expected):
                self.assert_fails(self.check(self.save(**arrays)), 65, "ref.npz: ", expected)
        np.savez(self.folder / "ref.npz", mlp=mlp)
        self.assert_fails(self.check(self.folder / "ref.npz"), 65, "has no array 'samples'")

    def test_files_that_cannot_be_read(self):
        self.assert_fails(self.check(self.folder / "nowhere.npz"), 66, "nowhere.npz")
        (self.folder / "text.npz").write_text("not a zip file")
        self.assert_fails(self.check(self.folder / "text.npz"), 65, "text.npz")

    def test_a_run_compares_before_it_makes_its_output(self):
        good = self.save(**self.logits())
        self.config.write_text(self.config.read_text() + "\nrun: {against: ref.npz}\n")
        done = self.run_job("good.h5", ranks=2)
        self.assertIn("ref.npz: 5 heads agree", done.stderr)
        good.unlink()
        verified = polyhead("verify", self.folder / "good.h5")  # which needs no reference
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.save(plain=self.logits()["plain"] + 1)
        output = self.folder / "bad.h5"
        refused = polyhead("run", self.config, "--set", f"output.path={output}", ranks=2)
        self.assert_fails(refused, 65, "head 'plain' differs by 1")
        self.assertFalse(output.exists())
        self.assert_fails(polyhead("check", self.config, "--set", f"output.path={output}"), 65, "head 'plain' differs by 1")


if __name__ == "__main__":
    unittest.main()
