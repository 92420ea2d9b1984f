"""`polyhead check` says what a run would say, and leaves nothing behind."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from harness import EndToEnd, polyhead
from photos import save_tree

CANT_CREATE = 73


def content(folder):
    """{path: (size, time of the last change)} of all that is below."""
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


class Check(EndToEnd):
    def setUp(self):
        super().setUp()
        self.tree = self.folder / "tree"
        save_tree(self.tree, 30)
        hour = self.tree.stat().st_mtime - 3600  # a list is not trusted when its source changed a moment before
        for folder in self.tree.iterdir():
            os.utime(folder, (hour, hour))
        os.utime(self.tree, (hour, hour))
        text = self.config.read_text()
        head, tail = text.index("data:"), text.index("backbone:")
        self.config.write_text(text[:head] + "data:\n  path: tree\n  preprocess: {resize: 32, crop: 32}\n" + text[tail:])
        self.scratch = Path(tempfile.mkdtemp(prefix="polyhead-e2e-tmp-"))
        self.addCleanup(shutil.rmtree, self.scratch)
        self.output = self.folder / "new" / "runs" / "out.h5"

    def check(self):
        """Looks at all that is in the job's folder and in TMPDIR before and after."""
        before = content(self.folder), content(self.scratch)
        os.environ["TMPDIR"] = str(self.scratch)
        try:
            done = polyhead("check", self.config, "--set", f"output.path={self.output}")
        finally:
            del os.environ["TMPDIR"]
        self.assertEqual((content(self.folder), content(self.scratch)), before)
        return done

    def test_leaves_nothing_behind(self):
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all is well: 30 samples in 1 micro-batches, 5 heads, 10 classes", done.stdout)
        self.assertIn("indexed 30 samples", done.stderr)
        self.assertNotIn("--overwrite", done.stdout)
        self.assertFalse(self.output.parent.exists())

    def test_leaves_nothing_behind_when_something_is_wrong(self):
        (self.folder / "mlp.pth").unlink()
        (self.folder / "mlp.pth").write_bytes(b"not a file of PyTorch")
        self.assert_fails(self.check(), 65, "mlp.pth")

    def test_uses_the_list_of_an_earlier_run_and_tells_of_its_output(self):
        self.run_job(self.output)
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("list of samples read from", done.stderr)
        self.assertIn(f"{self.output} is there already: a run will need --resume, --overwrite", done.stdout)
        refused = polyhead("run", self.config, "--set", f"output.path={self.output}")
        self.assert_fails(refused, CANT_CREATE, "--overwrite")

    def test_a_list_that_no_longer_holds_is_left_to_the_next_run(self):
        self.run_job(self.output)
        next(self.tree.rglob("*.jpg")).unlink()
        done = self.check()
        self.assertIn("29 samples", done.stdout)
        self.assertIn("indexed 29 samples", done.stderr)

    def test_an_output_that_cannot_be(self):
        self.output.mkdir(parents=True)
        self.assert_fails(self.check(), CANT_CREATE, "out.h5", "something that is not a file")


if __name__ == "__main__":
    unittest.main()
