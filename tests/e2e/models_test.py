"""`info` of models: what they have in common, as text and as JSON, and what is refused."""

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from support.harness import POLYHEAD, InFolder

TESTS = Path(__file__).parent.parent


class Models(InFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([sys.executable, TESTS / "graph/make_programs.py", cls.folder], check=True, timeout=100)

    def info(self, *arguments):
        return subprocess.run([POLYHEAD, "info", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)

    def assert_fails(self, done, code, text):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_text(self):
        for fold, name in enumerate(("base", "head", "late", "drifted")):
            (self.folder / f"fold{fold}").mkdir()
            shutil.copy(self.folder / f"{name}.pt2", self.folder / f"fold{fold}/best.pt2")
        done = self.info(*(f"fold{fold}/best.pt2" for fold in range(4)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()[1:5]], [f"fold{fold}" for fold in range(4)])
        self.assertRegex(done.stdout, r"each alone +44 +87\.7 k ")
        self.assertIn("fold0, fold1 part from the others at fc (aten.linear.default): fc.weight has other values\n", done.stdout)
        self.assertIn("fold2 parts from the others at layer2.conv (aten.conv2d.default): layer2.conv.weight has other values\n",
                      done.stdout)
        self.assertIn("running statistics alone differ in 2 batch norms, as after training with the backbone in train mode; "
                      "without that they would part at fc (aten.linear.default)\n", done.stdout)

    def test_json(self):
        done = self.info("--json", "base.pt2", "head.pt2", "functional.pt2")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["merged"]["multiply_adds"], 21920 + 32)
        self.assertEqual(found["each_alone"]["multiply_adds"], 3 * 21920)
        self.assertEqual(found["members"][2]["equal_to"], "base.pt2")
        self.assertEqual(found["members"][1]["own"], {"nodes": 1, "multiply_adds": 32, "weight_bytes": 4 * 36})

    def test_weights_and_a_program(self):
        done = self.info("--arch", "resnet18", "resnet18.pth", "resnet18.pt2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("resnet18.pt2 computes the same as resnet18.pth", done.stdout)
        self.assertRegex(done.stdout, r"merged +69 +1\.81 G +42\.6 MiB, 2\.0x less\n")

    def test_scores_are_pytorchs(self):
        for name in ("base", "masked", "fixed_batch"):
            done = self.info("--against", f"{name}.pt2.npz", f"{name}.pt2")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout, f"16 images compared with {name}.pt2.npz: the same bits\n")
        # PyTorch computes a channels-last model with other kernels.
        done = self.info("--against", "channels_last.pt2.npz", "channels_last.pt2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("logits differ by ", done.stdout)
        self.assert_fails(self.info("--against", "head.pt2.npz", "base.pt2"), 65,
                          "16 images compared with head.pt2.npz: logits differ by ")
        self.assert_fails(self.info("--against", "classes.pt2.npz", "base.pt2"), 65,
                          "classes.pt2.npz: logits has shape [16, 7], and the model has [16, 4]")
        self.assert_fails(self.info("--against", "base.pt2.npz", "base.pt2", "head.pt2"), 64, "--against compares one model")

    def test_what_is_refused(self):
        self.assert_fails(self.info("resnet18.pth"), 65, "say --arch resnet18, or export the model with torch.export.save")
        self.assert_fails(self.info("--arch", "resnet19", "resnet18.pth"), 64, "there is no architecture 'resnet19'; known are")
        self.assert_fails(self.info("train.pt2"), 65, "call .eval() before torch.export")
        self.assert_fails(self.info("base.pt2", "fixed_batch.pt2", "nothing.pt2"), 66, "nothing.pt2")
        self.assert_fails(self.info("base.pt2", "resnet18.pt2"), 65, "members of an ensemble see the same images")
        self.assert_fails(self.info("base.pt2", "base.pt2"), 64, "a file is named twice")
        self.assert_fails(self.info("--bad", "base.pt2"), 64, "--bad lists the samples of a result file")
        cut = self.folder / "cut.pt2"
        cut.write_bytes((self.folder / "base.pt2").read_bytes()[:-3000])
        self.assert_fails(self.info(cut), 65, "cut.pt2")


if __name__ == "__main__":
    unittest.main()
