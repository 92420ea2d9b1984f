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
from support.harness import LONG, EndToEnd, polyhead, results
from support.opened import Opened
from support.photos import CLASSES, crops, save_tree

TOLERANCE = 1e-4
PREPROCESS = ("  preprocess: {{resize: {sizes[0]}, crop: {sizes[1]}, {rest}"
              "mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}\n")
SMALL, IMAGENET = (72, 64), (256, 224)


class Formats(EndToEnd):
    def configure(self, lines, rest="", sizes=SMALL):
        """The demo's heads on another data set."""
        text = self.config.read_text()
        head, tail = text.index("data:"), text.index("backbone:")
        data = "data:\n" + "".join(f"  {line}\n" for line in lines) + PREPROCESS.format(rest=rest, sizes=sizes)
        self.config.write_text(text[:head] + data + "\n" + text[tail:])

    def reference(self, files=None):
        """What PyTorch gives for image files in this order, or for the array that the configuration names."""
        output, arguments = self.folder / "reference.npz", []
        if files is not None:
            listed = self.folder / "files.txt"
            listed.write_text("".join(f"{path}\n" for path in files))
            arguments = ["--files", listed]
        script = Path(__file__).parent / "support/reference.py"
        subprocess.run([sys.executable, script, self.config, output, *arguments], check=True, timeout=300)
        return np.load(output)

    def check(self, files, labels, ids, output="out.h5", ranks=2):
        """`files`: of the images; None where they are in an array."""
        done = self.run_job(output, ranks=ranks)
        expected = self.reference(files)
        with h5py.File(self.folder / output) as file:
            scale = max(1, np.abs(expected["mean_logits"]).max())
            np.testing.assert_allclose(file["fused/scores"][()], expected["mean_logits"], rtol=0, atol=TOLERANCE * scale)
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

    def test_only_one_rank_looks_through_folders(self):
        files = save_tree(self.folder / "tree", 20)
        self.configure(["path: tree"])
        folders = [self.folder / "tree", *{path.parent for path in files}]
        counts = []
        for ranks in (1, 4):
            with Opened(folders) as opened:
                self.run_job(f"{ranks}.h5", "parallel.batch=4", ranks=ranks)
            counts.append(opened.count)
        self.assertGreaterEqual(counts[0], len(folders))
        self.assertLess(counts[1], 2 * counts[0])  # four ranks would look four times

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

    def write_shards(self, files, each=20):
        """The files in shards val-000.tar ...; returns the samples' ids."""
        ids = []
        for shard in range(len(files) // each):
            with tarfile.open(self.folder / f"val-{shard:03}.tar", "w") as tar:
                for number, path in list(enumerate(files))[shard * each:(shard + 1) * each]:
                    label = self.class_of(path)
                    text = ("cls", str(label)) if number % 2 else ("json", json.dumps({"label": label}))
                    members = [(path.suffix[1:], path.read_bytes()), (text[0], text[1].encode())]
                    for suffix, content in members:
                        info = tarfile.TarInfo(f"{number:06}.{suffix}")
                        info.size = len(content)
                        tar.addfile(info, io.BytesIO(content))
                    ids.append(f"val-{shard:03}.tar/{number:06}{path.suffix}")
        return ids

    def test_webdataset(self):
        files = save_tree(self.folder / "tree", 60)
        ids = self.write_shards(files)
        self.configure(["path: val-{000..002}.tar"])
        self.check(files, [self.class_of(path) for path in files], ids)

    def write_cifar(self, name, count):
        """Photographs in CIFAR's binary form, in a folder of that name; returns the labels."""
        rng = np.random.default_rng(1)
        pixels = np.stack([np.asarray(image.resize((32, 32))) for image in crops(count)])
        labels = rng.integers(10, size=count)
        columns = [labels[:, None].astype(np.uint8), pixels.transpose(0, 3, 1, 2).reshape(count, -1)]
        if name == "cifar100":  # the coarse label comes first, and is another one
            columns.insert(0, 19 - columns[0])
        (self.folder / name).mkdir()
        np.hstack(columns).tofile(self.folder / name / {"cifar10": "test_batch.bin", "cifar100": "test.bin"}[name])
        return labels

    def write_photographs(self, count, height=150, width=200):
        """uint8 photographs and their labels in photos.h5."""
        pixels = np.stack([np.asarray(image.resize((width, height))) for image in crops(count)])
        labels = np.arange(count) % 10
        with h5py.File(self.folder / "photos.h5", "w") as file:
            file.create_dataset("images", data=pixels, chunks=(7, height, width, 3), compression="gzip")
            file["labels"] = labels.astype(np.int32)
        return labels

    def check_array(self, labels, **options):
        self.check(None, labels, [str(number) for number in range(len(labels))], **options)

    def test_cifar(self):
        for name in ("cifar10", "cifar100"):
            with self.subTest(name):
                labels = self.write_cifar(name, 50)
                self.configure([f"format: {name}", f"path: {name}"])
                self.check_array(labels, output=f"{name}.h5")
                self.run_job("again.h5", "data.format=auto", "data.workers=3", "parallel.threads=2", flags=["--overwrite"])
                self.assertEqual(results(self.folder / f"{name}.h5"), results(self.folder / "again.h5"))

    def test_hdf5_photographs(self):
        labels = self.write_photographs(60)
        self.configure(["path: photos.h5"])
        self.check_array(labels)
        self.run_job("again.h5", "data.workers=4", ranks=3)
        self.assertEqual(results(self.folder / "out.h5"), results(self.folder / "again.h5"))

    def test_imagenet_sizes(self):
        """resize 256, crop 224, of every format; of one with files and one with an array where time is short."""
        files = save_tree(self.folder / "tree", 20)
        shard_ids = self.write_shards(files)
        labels = [self.class_of(path) for path in files]
        names = [str(path.relative_to(self.folder)) for path in files]
        (self.folder / "list.tsv").write_text("".join(f"{name}\t{label}\n" for name, label in zip(names, labels)))
        cases = {"image-folder": ("tree", files, labels, [name.removeprefix("tree/") for name in names]),
                 "manifest": ("list.tsv", files, labels, names),
                 "webdataset": ("val-000.tar", files, labels, shard_ids)}
        for name, (path, *expected) in cases.items():
            if not LONG and name != "image-folder":
                continue
            with self.subTest(name):
                self.configure([f"path: {path}"], sizes=IMAGENET)
                self.check(*expected, output=f"{name}.h5")
        for name in ("cifar10", "cifar100") if LONG else ():
            with self.subTest(name):
                labels = self.write_cifar(name, 20)
                self.configure([f"format: {name}", f"path: {name}"], sizes=IMAGENET)
                self.check_array(labels, output=f"{name}.h5")
        with self.subTest("hdf5"):
            labels = self.write_photographs(20, height=300, width=420)
            self.configure(["path: photos.h5"], sizes=IMAGENET)
            self.check_array(labels)

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
