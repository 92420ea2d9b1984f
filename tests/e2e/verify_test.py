"""`polyhead verify`: a good file passes and stays as it is, and whatever is changed in the file or its inputs is named."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

import h5py
import numpy as np
from support.harness import DEMO, POLYHEAD, RESULT_DATASETS, EndToEnd, environment, ledger, polyhead
from support.photos import crops, save_tree

SAMPLE = 517  # the one that is damaged
EDGES = 63  # the data set's digest reads 64 samples, spread over all of it


def flip(path, name, element, bit=0):
    """Turns one bit of an element of a dataset, and nothing else."""
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        values.reshape(-1)[element:element + 1].view(np.uint8)[bit // 8] ^= 1 << bit % 8
        file[name][...] = values


def write_text(path, name, text):
    with h5py.File(path, "r+") as file:
        area = file[f"job/{name}"]
        area[...] = np.frombuffer(text.encode().ljust(len(area), b"\0"), np.uint8)


def read_text(path, name):
    with h5py.File(path) as file:
        return file[f"job/{name}"][()].tobytes().rstrip(b"\0").decode()


def state_of(folder):
    """All that a look at the folder and its files can show."""
    def content(path):
        return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino, content(path)) for path in folder.rglob("*")}


class Verify(EndToEnd):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"
        self.scratch = Path(tempfile.mkdtemp(prefix="polyhead-e2e-"))  # instead of /tmp, to see that nothing stays there
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)

    def verify(self, *arguments, path=None):
        return polyhead_with(self.scratch, "verify", path or self.output, *arguments)

    def assert_verified(self, done, *texts):
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        for text in texts:
            self.assertIn(text, done.stdout)

    def copy(self, name="copy.h5"):
        return Path(shutil.copy(self.output, self.folder / name))

    # Good files.

    def test_a_good_file_passes_and_stays_as_it_is(self):
        self.run_job("out.h5", "output.head_scores=true", ranks=3)
        certificate = read_text(self.output, "certificate").split('"')[3]
        before = state_of(self.folder)
        self.assert_verified(self.verify(), "32 of 32 micro-batches (1000 of 1000 samples)", "bit for bit",
                             f"certificate {certificate} fits")
        self.assert_verified(self.verify("--sample", 3), "3 of 32 micro-batches (72 of 1000 samples)")
        self.assert_verified(self.verify("--share", "10%", "--set", "parallel.threads=1"), "4 of 32 micro-batches")
        self.assertEqual(state_of(self.folder), before)
        info = polyhead("info", self.output)
        self.assertIn(f'certificate\n  {{"digest":"{certificate}"}}', info.stdout)

    def test_photographs_and_the_list_of_samples(self):
        tree = self.folder / "tree"
        files = save_tree(tree, 100)
        files[3].write_bytes(b"")
        files[41].write_bytes(files[41].read_bytes()[:2000])
        self.configure_photos("tree", "max_bad: 5%")
        settle(tree)
        self.run_job("out.h5", ranks=2)
        before = state_of(self.folder)
        done = self.verify()
        self.assert_verified(done, "100 of 100 samples", "bit for bit")
        self.assertIn("list of samples read from", done.stderr)
        self.assertEqual(state_of(self.folder), before)
        # A list that is no longer right, or not there: a new one is made elsewhere, and goes again.
        os.utime(tree / "class-0", (1_000_000_000, 1_000_000_000))
        before = state_of(self.folder)
        done = self.verify()
        self.assert_verified(done, "bit for bit")
        self.assertIn("indexed 100 samples", done.stderr)
        self.assertEqual(state_of(self.folder), before)
        (self.folder / "out.h5.index").unlink()
        before = state_of(self.folder)
        self.assert_verified(self.verify(), "bit for bit")
        self.assertEqual(state_of(self.folder), before)

    def test_shards(self):
        with tarfile.open(self.folder / "s.tar", "w") as tar:
            for number, image in enumerate(crops(40)):
                content = io.BytesIO()
                image.save(content, "JPEG")
                info = tarfile.TarInfo(f"{number:03}.jpg")
                info.size = content.tell()
                content.seek(0)
                tar.addfile(info, content)
        self.configure_photos("s.tar")
        self.run_job("out.h5", ranks=2)
        self.assert_verified(self.verify(), "40 of 40 samples", "bit for bit")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody who may not write")
    def test_a_folder_that_cannot_be_written(self):
        save_tree(self.folder / "tree", 20)
        self.configure_photos("tree")
        self.run_job("out.h5")
        (self.folder / "out.h5.index").unlink()
        self.scratch.chmod(0o777)
        self.folder.chmod(0o555)
        done = polyhead_with(self.scratch, "verify", self.output, user=65534, group=65534, extra_groups=[])
        self.assert_verified(done, "20 of 20 samples", "bit for bit")

    # Files that are not what they were.

    def test_one_bit_of_any_result_dataset(self):
        self.run_job("out.h5", "output.head_scores=true", "output.uncertainty=[margin]")
        widths = {"fused/scores": 10, "heads/prediction": 5, "heads/scores": 50}
        for name in RESULT_DATASETS:
            with self.subTest(name):
                copy = self.copy()
                element = SAMPLE * widths.get(name, 1)
                if name == "samples/id_bytes":
                    with h5py.File(copy) as file:
                        element = int(file["samples/id_offset"][SAMPLE])
                flip(copy, name, element)
                sample = SAMPLE - 1 if name == "samples/id_offset" else SAMPLE
                done = self.verify(path=copy)
                self.assert_fails(done, 65, "altered or damaged: the certificate says xxh128:",
                                  f"/{name} differs at sample {sample} ('", "the file holds", "computed is", "0x")

    def test_a_change_where_no_certificate_speaks(self):
        """Without a certificate, in a part of the file that has none, and where only the certificate knows of it."""
        self.run_job("out.h5")
        copy = self.copy()
        write_text(copy, "certificate", "")
        self.assert_verified(self.verify("--sample", 1, path=copy), "There is no certificate")
        flip(copy, "fused/scores", SAMPLE * 10 + 3, bit=31)
        done = self.verify(path=copy)
        self.assert_fails(done, 65, f"/fused/scores differs at sample {SAMPLE} ('{SAMPLE}'), class 3, after 517 samples")
        held, computed = done.stderr.splitlines()[-2:]
        self.assertEqual(int(held.split("0x")[1][:8], 16) ^ int(computed.split("0x")[1][:8], 16), 1 << 31)

        copy = self.copy()
        flip(copy, "fused/scores", SAMPLE * 10)
        self.assert_fails(self.verify("--sample", 2, path=copy), 65, "altered or damaged", "No difference was found",
                          "2 of 32 micro-batches")
        copy = self.copy()
        with h5py.File(copy, "r+") as file:
            file["heads/name"][...] = file["heads/name"][()][::-1]
        self.assert_fails(self.verify(path=copy), 65, "/heads/name: the file holds norm, plain")
        copy = self.copy()
        flip(copy, "ledger/batches", 7)
        self.assert_fails(self.verify("--sample", 1, path=copy), 65, "the ledger has open micro-batches")

    def test_a_file_that_is_cut(self):
        self.run_job("out.h5")
        with open(self.output, "r+b") as file:
            file.truncate(self.output.stat().st_size - 5000)
        self.assert_fails(self.verify(), 65, "truncated file")
        self.assert_fails(self.verify(path=self.folder / "none.h5"), 66, "none.h5")
        self.assert_fails(self.verify(path=DEMO / "data.h5"), 65, "not a result file")

    # Inputs that are not what they were.

    def test_other_weights(self):
        self.run_job("out.h5")
        weights = self.folder / "plain.safetensors"
        content = bytearray(weights.read_bytes())
        content[-7] ^= 1
        weights.unlink()
        weights.write_bytes(content)
        done = self.verify()
        self.assert_fails(done, 65, "the inputs are not those", "changed: weights: ")
        self.assertEqual(done.stderr.count("changed: "), 1)

    def test_inputs_that_have_moved(self):
        self.run_job("out.h5")
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        for name in ("data.h5", "mlp.pth"):
            (self.folder / name).rename(elsewhere / name)
        self.assert_fails(self.verify(), 66, "/job/config:", "no such file", "data.h5", "--data or --set")
        self.assert_verified(self.verify("--data", elsewhere / "data.h5", "--set", f"heads[0].weights={elsewhere / 'mlp.pth'}"),
                             "1000 of 1000 samples")
        self.assert_fails(self.verify("--set", "no.such=1"), 78, "no")

    def test_another_image(self):
        """The digest of a data set knows 64 of its samples; the others are found out by computing."""
        files = save_tree(self.folder / "tree", 100)
        self.configure_photos("tree")
        self.run_job("out.h5")
        digested = {99 // EDGES * i + 99 % EDGES * i // EDGES for i in range(EDGES + 1)}
        known, unknown = 0, min(set(range(100)) - digested)
        other = files[unknown].read_bytes()
        suffix = files[unknown].suffix
        same_kind = next(path for path in files[::-1] if path.suffix == suffix and path.read_bytes() != other)
        files[unknown].write_bytes(same_kind.read_bytes())
        name = files[unknown].relative_to(self.folder / "tree")
        self.assert_fails(self.verify(), 65, f"/fused/scores differs at sample {unknown} ('{name}'), class 0")
        files[unknown].write_bytes(other[:len(other) // 2])
        self.assert_fails(self.verify(), 65, f"/samples/status differs at sample {unknown} ('{name}')",
                          "the file holds 1 (0x01) done", "computed is 2 (0x02) quarantined")
        files[unknown].write_bytes(other)
        self.assert_verified(self.verify(), "bit for bit")
        files[known].write_bytes(other)
        self.assert_fails(self.verify(), 65, "the inputs are not those", "changed: data: of 64 samples that were looked at, 1 has other bytes now, the first of them is number 0")
        files[known].unlink()
        self.assert_fails(self.verify(), 65, "changed: number of samples: 100 in the file, 99 now")

    # Unfinished files, and other machines.

    def test_an_unfinished_file(self):
        arguments = ["run", self.config, "--set", f"output.path={self.output}", "--set", "parallel.batch=8",
                     "--set", "data.preprocess.resize=96", "--set", "data.preprocess.crop=96",
                     "--set", "output.commit_interval=20ms"]
        job = subprocess.Popen([POLYHEAD, *map(str, arguments)], env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (self.output.exists() and ledger(self.output).sum() > 3):
            self.assertIsNone(job.poll())
            time.sleep(0.01)
        self.assert_verified(self.verify(), "the run is unfinished")  # while it is going on
        job.kill()
        job.wait()
        done = int(ledger(self.output).sum())
        self.assertLess(done, 125, "the run was faster than the kill")
        self.assert_verified(self.verify("--set", "parallel.threads=2"), f"{done} of 125 micro-batches",
                             "the run is unfinished", "no certificate yet")
        first = int(np.flatnonzero(ledger(self.output))[-1]) * 8
        flip(self.output, "fused/prediction", first)
        self.assert_fails(self.verify(), 65, "unfinished", f"/fused/prediction differs at sample {first} ")
        with h5py.File(self.output, "r+") as file:
            file["ledger/batches"][...] = 0
        self.assert_fails(self.verify(), 65, "none of its 125 micro-batches is done")

    def test_another_fingerprint(self):
        self.run_job("out.h5")
        copy = self.copy()
        fingerprint = read_text(copy, "fingerprint")
        write_text(copy, "fingerprint", fingerprint.replace("LibTorch ", "LibTorsh "))
        self.assert_verified(self.verify(path=copy), "compared by tolerance", "heads: polyhead avx", "; LibTorsh ", "10000 scores 0 have",
                             "of 6000 predictions 0 are")
        write_text(copy, "certificate", "")
        for element in range(0, 10_000, 37):
            flip(copy, "fused/scores", element, bit=1)
        done = self.verify(path=copy)
        self.assert_verified(done, "10000 scores 271 have other bits")
        flip(copy, "fused/scores", SAMPLE * 10 + 3, bit=21)
        self.assert_fails(self.verify(path=copy), 65, f"/fused/scores differs at sample {SAMPLE} ('{SAMPLE}'), class 3")
        flip(copy, "fused/scores", SAMPLE * 10 + 3, bit=21)
        flip(copy, "heads/prediction", SAMPLE * 5 + 1)
        self.assert_fails(self.verify(path=copy), 65, f"/heads/prediction differs at sample {SAMPLE} ('{SAMPLE}'), head wide")


    @unittest.skipUnless(" avx2 " in Path("/proc/cpuinfo").read_text(), "oneDNN has no other kernels to choose from")
    def test_other_kernels(self):
        """Bits that really are other ones: oneDNN takes the kernels of an older processor."""
        self.run_job("out.h5", "output.head_scores=true", "backbone.engine=libtorch")
        done = polyhead_with(self.scratch, "verify", self.output, "--sample", 8, more={"ONEDNN_MAX_CPU_ISA": "SSE41"})
        self.assert_verified(done, "compared by tolerance", "ONEDNN_MAX_CPU_ISA=SSE41 now")
        scores, other = map(int, re.search(r"of (\d+) scores (\d+) have other bits", done.stdout).groups())
        self.assertEqual(scores, 232 * 60)
        self.assertGreater(other, 0)


def polyhead_with(scratch, *arguments, more=None, **options):
    """Runs the program with `scratch` for temporary files, and sees that none stays."""
    done = subprocess.run([POLYHEAD, *map(str, arguments)],
                          env=environment() | {"TMPDIR": str(scratch)} | (more or {}),
                          capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False, **options)
    if list(scratch.iterdir()):
        raise AssertionError(f"left behind: {list(scratch.iterdir())}")
    return done


def settle(tree):
    """Gives the folders an age at which a list of samples trusts them."""
    for path in [tree, *tree.iterdir()]:
        os.utime(path, (1_500_000_000, 1_500_000_000))


if __name__ == "__main__":
    unittest.main()
