"""Shards and HDF5 files as people have them: unsorted and joined tars, labels that are missing, sources that are gone. What
PyTorch says of the same images is in formats_test.py."""

import io
import json
import os
import shutil
import tarfile
import unittest

import h5py
import numpy as np
from support.harness import EndToEnd, polyhead
from support.photos import crops

SAMPLES = 24
BAD_DATA, NO_INPUT = 65, 66


def jpeg(image):
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=90)
    return out.getvalue()


def write_tar(path, entries):
    with tarfile.open(path, "w") as tar:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


class Shards(EndToEnd):
    def setUp(self):
        super().setUp()
        self.images = [(f"{number:03}.jpg", jpeg(image)) for number, image in enumerate(crops(SAMPLES, sizes=(70, 120)))]
        self.labels = [(f"{number:03}.cls", b"%d" % (number % 10)) for number in range(SAMPLES)]
        self.shard = self.folder / "x.tar"
        self.configure_photos(self.shard)

    def run_on(self, entries, output):
        """(rows by id, what the run said)"""
        write_tar(self.shard, entries)
        done = self.run_job(output, "parallel.threads=1")
        with h5py.File(self.folder / output) as file:
            blob, offsets = file["samples/id_bytes"][()].tobytes(), file["samples/id_offset"][()]
            ids = [blob[a:b].decode() for a, b in zip(offsets, offsets[1:])]
            rows = zip(file["samples/label"][()].tolist(), map(bytes, file["fused/scores"][()]))
            self.summary = json.loads(file["job/summary"][()].tobytes().split(b"\0")[0])
        return dict(zip(ids, rows)), done.stderr + done.stdout

    def refuse(self, code, *texts):
        for command in (["run", self.config, "--set", f"output.path={self.folder / 'none.h5'}"], ["check", self.config]):
            self.assert_fails(polyhead(*command), code, *texts)
        self.assertFalse((self.folder / "none.h5").exists())

    def test_the_order_of_entries_does_not_matter(self):
        paired = [entry for pair in zip(self.images, self.labels) for entry in pair]
        expected, said = self.run_on(paired, "sorted.h5")
        self.assertEqual([label for label, _ in expected.values()], [number % 10 for number in range(SAMPLES)])
        self.assertNotIn("label", said.replace("labelled", ""))
        self.assertEqual((self.summary["labelled"], self.summary["unlabelled"]), (SAMPLES, 0))
        orders = {"apart": self.images + self.labels, "turned": self.labels[::-1] + self.images,
                  "shuffled": [paired[i] for i in np.random.default_rng(5).permutation(len(paired))]}
        for name, entries in orders.items():
            with self.subTest(name):
                found, _ = self.run_on(entries, f"{name}.h5")
                self.assertEqual(found, expected)

    def test_samples_without_a_label_are_counted(self):
        extra = [("._000.jpg", b"AppleDouble"), ("000.txt", b"a caption"), ("lost.cls", b"3"), ("b.webp", b"RIFF")]
        found, said = self.run_on(self.images + self.labels[:-5] + extra, "out.h5")
        self.assertEqual(sum(label < 0 for label, _ in found.values()), 5)
        for text in (f"data: 5 of {SAMPLES} samples have no label: they count in no accuracy",
                     f"5 of {SAMPLES} images without a label: in no accuracy", "2 entries that are no .jpg",
                     ".txt (1), .webp (1)", "1 entries whose names begin with a dot", "2 group(s) of files without KEY.jpg",
                     "1 of them with a label"):
            self.assertIn(text, said)
        self.assertEqual((self.summary["labelled"], self.summary["unlabelled"]), (SAMPLES - 5, 5))
        # The list of samples is read again: it is said again.
        done = polyhead("check", self.config)
        self.assertIn(f"data: 5 of {SAMPLES} samples have no label", done.stderr)
        self.assertIn(".txt (1), .webp (1)", done.stderr)

    def test_what_has_two_readings_is_refused(self):
        write_tar(self.shard, self.images)
        self.shard.write_bytes(self.shard.read_bytes() * 2)
        self.refuse(BAD_DATA, "x.tar: byte ", "another one follows at byte ", "tar --ignore-zeros -xf")
        write_tar(self.shard, [*self.images, ("000.png", b"")])
        self.refuse(BAD_DATA, "x.tar: entry '000.png': found '000.jpg' of the same sample, too")
        write_tar(self.shard, [*self.images, *self.labels, ("003.json", b'{"label": 4}')])
        self.refuse(BAD_DATA, "x.tar: entry '003.cls': found label 3, but '003.json' says 4")


class Sources(EndToEnd):
    """The demo's images as a virtual dataset of two files."""

    def setUp(self):
        super().setUp()
        data = self.folder / "data.h5"
        with h5py.File(data) as file:
            images, labels = file["images"][:64], file["labels"][:64]
        data.unlink()  # a link to the demo's
        layout = h5py.VirtualLayout(images.shape, images.dtype)
        for part in range(2):
            with h5py.File(self.folder / f"part-{part}.h5", "w") as file:
                file["images"] = images[32 * part:32 * part + 32]
            layout[32 * part:32 * part + 32] = h5py.VirtualSource(f"part-{part}.h5", "images", (32, *images.shape[1:]))
        with h5py.File(data, "w") as file:
            file.create_virtual_dataset("images", layout)
            file["labels"] = labels
        self.plain = self.folder / "plain"
        self.plain.mkdir()
        with h5py.File(self.plain / "data.h5", "w") as file:
            file["images"], file["labels"] = images, labels

    def scores(self, output, *sets):
        self.run_job(output, "parallel.threads=1", *sets, ranks=2)
        with h5py.File(self.folder / output) as file:
            return file["fused/scores"][()].tobytes()

    def test_a_missing_source_is_no_zeros(self):
        self.assertEqual(self.scores("virtual.h5"), self.scores("plain.h5", f"data.path={self.plain / 'data.h5'}"))
        shutil.move(self.folder / "part-1.h5", self.plain)
        for command in (["run", self.config, "--set", f"output.path={self.folder / 'out.h5'}"], ["check", self.config]):
            self.assert_fails(polyhead(*command), NO_INPUT, "data.h5:/images: is a virtual dataset that takes rows from "
                              "'part-1.h5', which is missing")
        os.environ["HDF5_VDS_PREFIX"] = str(self.plain)
        self.addCleanup(os.environ.pop, "HDF5_VDS_PREFIX")
        self.scores("prefix.h5")


if __name__ == "__main__":
    unittest.main()
