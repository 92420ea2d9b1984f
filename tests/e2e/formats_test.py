"""Every data format with real photographs, against PyTorch and torchvision: each prediction, and scores within 1e-4."""

import io
import json
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path

import h5py
import numpy as np
from harness import EndToEnd, polyhead, results
from photos import CLASSES, crops, save_tree

TOLERANCE = 1e-4
PREPROCESS = "  preprocess: {{resize: 72, crop: 64, {rest}mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}\n"


class Formats(EndToEnd):
    def configure(self, lines, rest=""):
        """The demo's heads on another data set."""
        text = self.config.read_text()
        head, tail = text.index("data:"), text.index("backbone:")
        data = "data:\n" + "".join(f"  {line}\n" for line in lines) + PREPROCESS.format(rest=rest)
        self.config.write_text(text[:head] + data + "\n" + text[tail:])

    def reference(self, files):
        """What PyTorch gives for image files in this order."""
        listed, output = self.folder / "files.txt", self.folder / "reference.npz"
        listed.write_text("".join(f"{path}\n" for path in files))
        script = Path(__file__).with_name("reference.py")
        subprocess.run([sys.executable, script, self.config, output, "--files", listed], check=True, timeout=300)
        return np.load(output)

    def check(self, files, labels, ids, output="out.h5", ranks=2):
        done = self.run_job(output, ranks=ranks)
        expected = self.reference(files)
        with h5py.File(self.folder / output) as file:
            np.testing.assert_allclose(file["fused/scores"][()], expected["mean_logits"], rtol=0, atol=TOLERANCE)
            np.testing.assert_array_equal(file["fused/prediction"][()], expected["mean_logits_prediction"])
            np.testing.assert_array_equal(file["heads/prediction"][()], expected["head_prediction"])
            np.testing.assert_array_equal(file["samples/label"][()], labels)
            blob, offsets = file["samples/id_bytes"][()].tobytes(), file["samples/id_offset"][()]
            self.assertEqual([blob[a:b].decode() for a, b in zip(offsets, offsets[1:])], ids)
        return done

    def class_of(self, path):
        return CLASSES.index(path.parent.name)

    def test_image_folder(self):
        files = save_tree(self.folder / "tree", 100)
        self.configure(["format: image-folder", "path: tree"])
        labels = [self.class_of(path) for path in files]
        ids = [str(path.relative_to(self.folder / "tree")) for path in files]
        self.check(files, labels, ids)
        with h5py.File(self.folder / "out.h5") as file:
            self.assertEqual([name.decode() for name in file["classes/name"][()]], CLASSES)
        # The list of samples is used again, and the bytes do not depend on ranks, threads or workers.
        again = self.run_job("again.h5", "data.workers=3", "parallel.threads=2")
        self.assertEqual(results(self.folder / "out.h5"), results(self.folder / "again.h5"))
        self.assertIn("limited by", again.stdout)
        self.config.write_text(self.config.read_text().replace("format: image-folder", "format: auto"))
        self.run_job("auto.h5", ranks=3)
        self.assertEqual(results(self.folder / "out.h5"), results(self.folder / "auto.h5"))

    def test_bicubic(self):
        files = save_tree(self.folder / "tree", 40)
        self.configure(["path: tree"], rest="interpolation: bicubic, ")
        self.check(files, [self.class_of(path) for path in files],
                   [str(path.relative_to(self.folder / "tree")) for path in files], ranks=1)

    def test_flat_folder(self):
        (self.folder / "flat").mkdir()
        files = []
        for number, image in enumerate(crops(20)):
            files.append(self.folder / "flat" / f"{number:03}.jpg")
            image.save(files[-1], quality=90)
        self.configure(["path: flat"])
        done = self.check(files, [-1] * 20, [path.name for path in files])
        self.assertIn("no labels", done.stdout)

    def test_manifest(self):
        files = save_tree(self.folder / "tree", 40)[::-1]
        rows = [f"{path.relative_to(self.folder)},{self.class_of(path)}" for path in files]
        (self.folder / "list.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
        self.configure(["path: list.csv"])
        self.check(files, [self.class_of(path) for path in files], [row.split(",")[0] for row in rows])

    def test_webdataset(self):
        files = save_tree(self.folder / "tree", 60)
        ids = []
        for shard in range(3):
            with tarfile.open(self.folder / f"val-{shard:03}.tar", "w") as tar:
                for number, path in list(enumerate(files))[shard * 20:(shard + 1) * 20]:
                    label = self.class_of(path)
                    text = ("cls", str(label)) if number % 2 else ("json", json.dumps({"label": label}))
                    members = [(path.suffix[1:], path.read_bytes()), (text[0], text[1].encode())]
                    for suffix, content in members:
                        info = tarfile.TarInfo(f"{number:06}.{suffix}")
                        info.size = len(content)
                        tar.addfile(info, io.BytesIO(content))
                    ids.append(f"val-{shard:03}.tar/{number:06}{path.suffix}")
        self.configure(["path: val-{000..002}.tar"])
        self.check(files, [self.class_of(path) for path in files], ids)

    def test_cifar10(self):
        rng = np.random.default_rng(1)
        pixels = np.stack([np.asarray(image.resize((32, 32))) for image in crops(50)])
        labels = rng.integers(10, size=50)
        rows = np.concatenate([labels[:, None].astype(np.uint8), pixels.transpose(0, 3, 1, 2).reshape(50, -1)], axis=1)
        (self.folder / "cifar").mkdir()
        rows.tofile(self.folder / "cifar" / "test_batch.bin")
        with h5py.File(self.folder / "same.h5", "w") as file:
            file["images"], file["labels"] = pixels, labels.astype(np.int32)
        self.configure(["path: same.h5"])
        self.run_job("h5.h5")
        self.configure_again("cifar")
        self.run_job("cifar.h5", ranks=2)
        one, other = results(self.folder / "h5.h5"), results(self.folder / "cifar.h5")
        for name in ("fused/scores", "fused/prediction", "heads/prediction", "samples/label"):
            self.assertEqual(one[name], other[name], name)

    def configure_again(self, path):
        self.config.write_text(self.config.read_text().replace("path: same.h5", f"path: {path}"))

    def test_classes_by_name(self):
        """Heads whose outputs stand in another order than the folders, and a data set with too few classes."""
        save_tree(self.folder / "tree", 20)
        order = CLASSES[::-1]
        self.configure(["path: tree", f"classes: [{', '.join(order)}]"])
        self.run_job("out.h5")
        with h5py.File(self.folder / "out.h5") as file:
            labels = file["samples/label"][()]
        self.assertEqual(sorted(set(labels)), list(range(10)))
        self.assertEqual(labels[0], 9)
        self.configure_few()
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'few.h5'}")
        self.assert_fails(done, 78, "3 classes (class-0, class-1, class-2)", "10 scores", "data.classes")

    def configure_few(self):
        for name in CLASSES[3:]:
            for path in (self.folder / "tree" / name).iterdir():
                path.unlink()
            (self.folder / "tree" / name).rmdir()
        text = self.config.read_text()
        start = text.index("  classes:")
        self.config.write_text(text[:start] + text[text.index("\n", start) + 1:])

    def test_fast_mode(self):
        """It changes pixels a little; predictions of these photographs mostly stay."""
        save_tree(self.folder / "tree", 60, sizes=(200, 420))
        self.configure(["path: tree"])
        self.run_job("exact.h5")
        self.run_job("fast.h5", "data.preprocess.mode=fast")
        with h5py.File(self.folder / "exact.h5") as exact, h5py.File(self.folder / "fast.h5") as fast:
            same = exact["fused/prediction"][()] == fast["fused/prediction"][()]
            self.assertGreater(np.mean(same), 0.8)
            self.assertNotEqual(exact["fused/scores"][()].tobytes(), fast["fused/scores"][()].tobytes())


if __name__ == "__main__":
    unittest.main()
