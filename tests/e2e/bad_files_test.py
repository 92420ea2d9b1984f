"""A data set of which a tenth is damaged in every way that we know: the run ends right, with exactly those listed."""

import io
import os
import re
import struct
import subprocess
import tarfile
import time
import unittest
import zlib

import h5py
import numpy as np
from PIL import Image
from support.harness import POLYHEAD, EndToEnd, environment, mpirun_command, polyhead, results
from support.photos import crops

COUNT = 100
PREPROCESS = ("  preprocess: {resize: 72, crop: 64, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n"
              "  max_bad: 20%\n")


def jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def png_that_claims(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))


class BadFiles(EndToEnd):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "photos"
        self.data.mkdir()
        self.images = list(crops(COUNT))
        for number, image in enumerate(self.images):
            (self.data / f"{number:03}.jpg").write_bytes(jpeg(image))
        text = self.config.read_text()
        head, tail = text.index("data:"), text.index("backbone:")
        self.config.write_text(text[:head] + "data:\n  path: photos\n" + PREPROCESS + "\n" + text[tail:])

    def damage(self):
        """{file name: the reason that is expected}"""
        whole = jpeg(self.images[10])
        os.unlink(self.data / "090.jpg")
        os.mkfifo(self.data / "090.jpg")
        broken = {
            "000.jpg": (b"", "the file is empty"),
            "010.jpg": (whole[:len(whole) // 2], "ends before the image does"),
            "020.jpg": (os.urandom(3000).replace(b"\xff\xd8", b"xx"), "neither a JPEG nor a PNG"),
            "030.jpg": (b"<!DOCTYPE html><html><body>404 not found</body></html>", "an HTML or XML page"),
            "040.jpg": (png_that_claims(60_000, 60_000), "more pixels than data.max_pixels"),
            "050.jpg": (png_that_claims(200, 200), "ends before|damaged"),
            "060.jpg": (whole[:40] + b"\xff\xff" * 20 + whole[80:300], "damaged|ends before|not read"),
            "070.jpg": (jpeg(self.images[70]) + b"\0" * 300_000, "larger than data.max_file_size"),
            "080.jpg": (jpeg(self.images[0].resize((2000, 2)))[:-2], "ends before the image does"),  # as Pillow says
        }
        for name, (content, _) in broken.items():
            (self.data / name).write_bytes(content)
        reasons = {name: reason for name, (_, reason) in broken.items()}
        return reasons | {"090.jpg": "not a file"}

    def good(self):
        """The files that are fine, but unusual."""
        self.images[5].convert("CMYK").save(self.data / "005.jpg", quality=90)
        wide = np.asarray(self.images[15].convert("L")).astype(np.uint16) * 257
        Image.fromarray(wide).save(self.data / "015.jpg", "PNG")  # 16 bits, and the suffix lies
        os.rename(self.data / "025.jpg", os.path.join(os.fsencode(self.data), b"025-\xff\xfe.jpg"))

    def listed(self, output):
        """{sample id: reason} as `polyhead info --bad` tells."""
        done = polyhead("info", "--bad", self.folder / output)
        self.assertEqual(done.returncode, 0, done.stderr)
        part = done.stdout[done.stdout.index("quarantined samples:"):]
        return dict(re.findall(r"^  \d+  (\S+)  (.+)$", part, re.MULTILINE))

    def test_exactly_the_bad_ones_are_listed(self):
        self.good()
        self.run_job("clean.h5")
        reasons = self.damage()
        limits = ("data.max_file_size=300kB", "output.head_scores=true")
        self.run_job("bad.h5", *limits, ranks=2)
        found = self.listed("bad.h5")
        self.assertEqual(sorted(found), sorted(reasons))
        for name, reason in reasons.items():
            self.assertRegex(found[name], reason, name)
        with h5py.File(self.folder / "clean.h5") as clean, h5py.File(self.folder / "bad.h5") as bad:
            status = bad["samples/status"][()]
            self.assertEqual((status == 2).sum(), len(reasons))
            blob, offsets = bad["samples/id_bytes"][()].tobytes(), bad["samples/id_offset"][()]
            ids = [blob[a:b] for a, b in zip(offsets, offsets[1:])]
            self.assertIn(b"025-\xff\xfe.jpg", ids)
            same = status == 1
            for name in ("fused/scores", "fused/prediction", "heads/prediction"):
                np.testing.assert_array_equal(clean[name][()][same], bad[name][()][same])
            self.assertTrue(np.isnan(bad["fused/scores"][()][status == 2]).all())
            self.assertTrue(np.isnan(bad["heads/scores"][()][status == 2]).all())
            self.assertTrue(np.isfinite(bad["heads/scores"][()][same]).all())
            self.assertTrue((bad["fused/prediction"][()][status == 2] == -1).all())
            self.assertTrue((bad["heads/prediction"][()][status == 2] == -1).all())
        self.run_job("again.h5", *limits, "data.workers=3", ranks=3)
        self.assertEqual(results(self.folder / "bad.h5"), results(self.folder / "again.h5"))

    def test_too_many_end_the_run(self):
        self.damage()
        done = polyhead("run", self.config, "--set", "data.max_bad=2%", ranks=2)
        self.assert_fails(done, 65, "data.max_bad allows 2", ".jpg", "micro-batches are finished and kept")

    def test_a_file_that_goes_while_the_job_runs(self):
        output = self.folder / "out.h5"
        arguments = ["run", self.config, "--set", f"output.path={output}", "--set", "parallel.batch=4",
                     "--set", "data.read_ahead=1KiB", "--set", "data.preprocess.resize=192",
                     "--set", "data.preprocess.crop=192"]
        job = subprocess.Popen(mpirun_command(1, arguments), env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not output.exists() and job.poll() is None:
            time.sleep(0.001)
        (self.data / "099.jpg").unlink()
        self.assertEqual(job.wait(120), 0)
        self.assertEqual(self.listed("out.h5"), {"099.jpg": "the file is gone"})

    def test_a_file_that_may_not_be_read(self):
        """Root may read everything, and becomes somebody else; anybody else is somebody who may not."""
        for path in [self.folder, self.data]:
            path.chmod(0o755)
        (self.data / "042.jpg").chmod(0)
        place = self.folder / "nobody"
        place.mkdir()
        place.chmod(0o777)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run([POLYHEAD, "run", self.config, "--set", f"output.path={place / 'out.h5'}"],
                              env=environment() | {"HOME": str(place)}, capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, check=False, **nobody)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.listed("nobody/out.h5"), {"042.jpg": "the file may not be read"})

    def test_shards(self):
        """The same in tars: an empty entry, a damaged one; and a shard that is cut ends the run before it begins."""
        shard = self.folder / "s.tar"
        with tarfile.open(shard, "w") as tar:
            for number in range(20):
                content = {3: b"", 7: b"<html>"}.get(number, jpeg(self.images[number]))
                info = tarfile.TarInfo(f"{number:03}.jpg")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        self.run_job("tar.h5", f"data.path={shard}", ranks=2)
        found = self.listed("tar.h5")
        self.assertEqual(found["s.tar/003.jpg"], "the file is empty")
        self.assertEqual(found["s.tar/007.jpg"], "an HTML or XML page, perhaps the error of a download")
        self.assertEqual(len(found), 2)
        with open(shard, "r+b") as file:
            file.truncate(shard.stat().st_size - 30_000)
        done = polyhead("run", self.config, "--set", f"data.path={shard}", "--set", "output.path=cut.h5", ranks=2)
        self.assert_fails(done, 65, "s.tar: byte ", "cut off", "leave them out")


if __name__ == "__main__":
    unittest.main()
