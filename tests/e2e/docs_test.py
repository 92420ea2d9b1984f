"""The examples of the documentation do what they say, on a result with a name that is no UTF-8 and a sample without an answer."""

import os
import re
import shutil
import unittest
from pathlib import Path

import h5py
import numpy as np
from support.harness import DEMO, EndToEnd, polyhead
from support.photos import save_tree

ROOT = Path(__file__).resolve().parents[2]
PREPROCESS = "  preprocess: {resize: 72, crop: 64}\n  max_bad: 20%\n"
ODD = b"class-1/odd-\xff.jpg"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


class Docs(EndToEnd):
    def setUp(self):
        super().setUp()
        tree = self.folder / "tree"
        paths = save_tree(tree, 40)
        os.rename(next(path for path in paths if path.parent.name == "class-1"), os.path.join(os.fsencode(tree), ODD))
        paths[-1].write_bytes(b"")
        text = self.config.read_text()
        head, tail = text.index("data:"), text.index("backbone:")
        self.config.write_text(text[:head] + "data:\n  path: tree\n" + PREPROCESS + "\n" + text[tail:])

    def execute(self, page, output):
        """The variables that the page's example leaves behind."""
        [example] = blocks(page, "python")
        self.assertIn('"runs/val.h5"', example)
        variables = {}
        exec(example.replace("runs/val.h5", str(self.folder / output)), variables)  # noqa: S102
        return variables

    def check_scores(self, output):
        """What docs/result-format.md says of quarantined rows."""
        with h5py.File(self.folder / output) as file:
            bad = file["samples/status"][()] == 2
            self.assertEqual(bad.sum(), 1)
            for name in ("fused/scores", "heads/scores"):
                self.assertTrue(np.isnan(file[name][()][bad]).all(), name)
                self.assertTrue(np.isfinite(file[name][()][~bad]).all(), name)

    def test_reading_a_result(self):
        done = self.run_job("out.h5", "output.head_scores=true", ranks=2)
        found = self.execute("docs/result-format.md", "out.h5")
        self.assertEqual(found["done"].sum(), 39)
        self.assertEqual(len(found["ids"]), 40)
        self.assertIn(os.fsdecode(ODD), found["ids"])
        self.assertIn('"event":"start"', found["provenance"])
        self.assertIn(f"{found['accuracy']:.2%}", done.stdout)
        readme = self.execute("README.md", "out.h5")
        self.assertAlmostEqual(readme["right"][readme["done"]].mean(), found["accuracy"])
        self.check_scores("out.h5")

    def test_a_result_without_labels(self):
        labels = self.folder / "list.csv"
        labels.write_text("path\n" + "".join(f"{path.relative_to(self.folder)}\n" for path in
                                             sorted((self.folder / "tree").rglob("*"))[-3:-1]))
        self.run_job("out.h5", f"data.path={labels}")
        self.assertTrue(np.isnan(self.execute("docs/result-format.md", "out.h5")["accuracy"]))

    def test_the_configuration_of_the_readme(self):
        """All that is wrong with it here is that its files are missing."""
        [example] = blocks("README.md", "yaml")
        config = self.folder / "alone" / "ensemble.yaml"
        config.parent.mkdir()
        config.write_text(example)
        done = polyhead("check", config)
        self.assert_fails(done, 66, "resnet18.pth", "dropout-*.pth")
        problems = [line for line in done.stderr.splitlines() if "ensemble.yaml:" in line]
        self.assertGreaterEqual(len(problems), 4)
        for problem in problems:
            self.assertRegex(problem, "no such file|no file matches")

    def test_the_configuration_that_ships(self):
        """It runs as it is where the demo's files are; a copy keeps its output out of the checkout."""
        (self.folder / "configs").mkdir()
        (self.folder / "runs").mkdir()
        shutil.copy(ROOT / "configs/ensemble.yaml", self.folder / "configs")
        (self.folder / "runs/demo").symlink_to(DEMO)
        done = polyhead("run", self.folder / "configs/ensemble.yaml", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("5 heads on resnet18", done.stderr)
        self.assertTrue((self.folder / "runs/ensemble.h5").is_file())

    def test_the_configuration_that_ships_without_the_demo(self):
        config = self.folder / "configs/ensemble.yaml"
        config.parent.mkdir()
        shutil.copy(ROOT / "configs/ensemble.yaml", config)
        self.assert_fails(polyhead("check", config), 66, "data.h5", "backbone.pth")


if __name__ == "__main__":
    unittest.main()
