"""`polyhead check` says what a run would say, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

from support.harness import POLYHEAD, EndToEnd, environment, polyhead
from support.photos import save_tree

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

    def check(self, *arguments):
        """Looks at all that is in the job's folder and in TMPDIR before and after."""
        before = content(self.folder), content(self.scratch)
        done = polyhead("check", self.config, "--set", f"output.path={self.output}", *arguments,
                        variables={"TMPDIR": str(self.scratch)})
        self.assertEqual((content(self.folder), content(self.scratch)), before)
        return done

    def images(self):
        return sorted(path for path in self.tree.rglob("*") if path.is_file())

    def test_leaves_nothing_behind(self):
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all is well: 30 samples in 1 micro-batch, 5 heads, 10 classes", done.stdout)
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
        self.assert_fails(self.check(), CANT_CREATE, "out.h5", "is a folder and no result of polyhead")

    def test_every_look_is_a_line_with_its_time(self):
        done = self.check()
        self.assertRegex(done.stdout, r"(?m)^30 files opened in \d")
        self.assertRegex(done.stdout, r"(?m)^30 images decoded in \d")
        self.assertRegex(done.stdout, r"(?m)^configuration, data set and the weights of 5 heads read in \d")

    def test_one_image_that_cannot_be_used(self):
        bad = self.images()[7]
        bad.write_bytes(bad.read_bytes()[:200])
        self.assert_fails(self.check(), 65, f"sample 7, '{bad.relative_to(self.tree)}': the file ends before",
                          "1 of 30 samples cannot be used, data.max_bad allows 0.1%",
                          "the smallest limit that passes is `data.max_bad: 0.04`")
        done = self.check("--set", "data.max_bad=3.4%")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 of 30 samples cannot be used, as data.max_bad (3.4%) allows:\n  sample 7", done.stdout)

    def test_the_smallest_limit_passes_and_the_next_does_not(self):
        for number in (0, 7, 29):
            self.images()[number].write_bytes(b"")
        self.images()[8].write_text("<html>not found</html>")
        self.assert_fails(self.check("--images"), 65, "`data.max_bad: 4`", "sample 0, ", "the file is empty")
        self.assertEqual(self.check("--images", "--set", "data.max_bad=4").returncode, 0)
        self.run_job(self.output, "data.max_bad=4")
        self.assert_fails(self.check("--set", "data.max_bad=3"), 65, "4 of 30 samples")
        refused = polyhead("run", self.config, "--set", "data.max_bad=3", "--set", f"output.path={self.folder / 'o.h5'}")
        self.assert_fails(refused, 65, "4 samples are quarantined")

    def list_of(self, lines):
        """A list of images instead of the folder."""
        (self.folder / "list.csv").write_text("".join(f"{path},{label}\n" for path, label in lines))
        return ["--set", f"data.path={self.folder / 'list.csv'}", "--set", f"data.root={self.tree}"]

    def test_images_finds_what_64_samples_do_not(self):
        good, bad = (path.relative_to(self.tree) for path in self.images()[:2])
        (self.tree / bad).write_bytes((self.tree / bad).read_bytes()[:-500])
        lines = [(good, 0)] * 500
        lines[100] = lines[301] = (bad, 0)
        sets = self.list_of(lines)
        passed = self.check(*sets)
        self.assertEqual(passed.returncode, 0, passed.stderr)
        self.assertRegex(passed.stdout, r"(?m)^64 images decoded in \d")
        self.assert_fails(self.check("--images", *sets), 65, "\n  sample 100, ", "\n  sample 301, ",
                          "`data.max_bad: 2`")

    def test_a_list_that_names_files_which_are_not_there(self):
        good = self.images()[0].relative_to(self.tree)
        lines = [(good, 0)] * 500
        for number in range(100, 130):
            lines[number] = (f"gone/{number}.jpg", 0)
        self.assert_fails(self.check(*self.list_of(lines)), 65, "at least 30 of 500 samples",
                          "sample 100, 'gone/100.jpg': the file is gone", "and 10 more; all of them: the file is gone (30)",
                          "polyhead check --images")

    def test_some_bad_images_among_many_are_too_many(self):
        good, bad = (path.relative_to(self.tree) for path in self.images()[:2])
        (self.tree / bad).write_bytes((self.tree / bad).read_bytes()[:-500])
        sets = self.list_of([(good if number % 4 else bad, 0) for number in range(4 * 63 + 1)])
        self.assert_fails(self.check(*sets, "--set", "data.max_bad=65"), 65, "64 of the 64 images looked at",
                          "About 253 of all 253")

    def test_a_crop_that_does_not_fit(self):
        self.config.write_text(self.config.read_text().replace("resize: 32, crop: 32", "crop: 400"))
        self.assert_fails(self.check(), 65, "30 of 30 samples", "smaller than data.preprocess.crop (30)", "and 10 more")

    def test_labels_that_count_other_classes(self):
        sets = self.list_of([(path.relative_to(self.tree), number % 3) for number, path in enumerate(self.images())])
        done = self.check(*sets)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: the labels are numbers from 0 to 2, but the heads give 10 scores", done.stdout)
        self.assertNotIn("warning", self.check(*sets, "--set", "data.classes={0: 7, 1: 8, 2: 9}").stdout)

    def test_a_signal_leaves_nothing_behind(self):
        sets = self.list_of([(self.images()[0].relative_to(self.tree), 0)] * 200_000)
        before = content(self.folder), content(self.scratch)
        command = [POLYHEAD, "check", self.config, "--images", "--progress", "none", *sets,
                   "--set", f"output.path={self.output}"]
        with subprocess.Popen(command, env=environment() | {"TMPDIR": str(self.scratch)}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            self.assertIn("read in", process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 75, errors)
        self.assertIn("stopped by SIGTERM", errors)
        self.assertEqual((content(self.folder), content(self.scratch)), before)

    def test_a_filter_that_hdf5_lacks(self):
        with h5py.File(self.folder / "packed.h5", "w") as file:
            file.create_dataset("images", data=np.zeros((4, 32, 32, 3), "u1"), chunks=(2, 32, 32, 3), compression="lzf")
            file["labels"] = [0, 1, 2, 9]
        for command in ("check", "run"):
            done = polyhead(command, self.config, "--set", f"data.path={self.folder / 'packed.h5'}", "--set",
                            f"output.path={self.output}")
            self.assert_fails(done, 65, "packed.h5:/images: packed with lzf (32000), which HDF5 does not have here",
                              "HDF5_PLUGIN_PATH")


if __name__ == "__main__":
    unittest.main()
