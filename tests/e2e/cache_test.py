"""`output.cache: features`: a later job with other heads reads no image and computes no backbone, and its bytes are those of a run
without a cache, on any grid; a cache that is damaged, of other weights, full or left by a killed run gives no wrong row."""

import io
import json
import os
import shutil
import signal
import subprocess
import unittest

import numpy as np
import torch
from PIL import Image
from support.faults import SHIM
from support.harness import EndToEnd, environment, ledger, mpirun_command, polyhead, results
from support.photos import save_tree
from support.working import ranks_of, wait_until

SAMPLES, BATCH = 150, 8
ALL = 19  # micro-batches
LONG_AGO = 1_500_000_000


class Cache(EndToEnd):
    def setUp(self):
        super().setUp()
        self.photos = save_tree(self.folder / "photos", SAMPLES)
        self.photos[0].write_bytes(b"")
        self.photos[77].write_bytes(self.photos[77].read_bytes()[:300])
        for photo in self.photos:  # files that change as the run begins may change again: nothing of them is kept
            os.utime(photo, (LONG_AGO, LONG_AGO))
        self.configure_photos(self.folder / "photos", "max_bad: 2%")
        self.known = {}
        self.whole = self.config.read_text()
        self.few = self.whole[:self.whole.index("  - name: dropout")] + self.whole[self.whole.index("fusion:"):]

    def run_with(self, output, *sets, text=None, cache="features", ranks=1, flags=(), **how):
        """(what the run said, spans that all ranks have traced, by name)"""
        self.config.write_text(text or self.whole)
        for trace in self.folder.glob("trace*.json"):
            trace.unlink()
        done = self.run_job(output, f"parallel.batch={BATCH}", "parallel.threads=1", f"output.cache={cache}", *sets, ranks=ranks,
                            flags=["--trace", self.folder / "trace.json", *flags], **how)
        names = [event["name"] for trace in self.folder.glob("trace*.json") for event in json.loads(trace.read_text())
                 if event["ph"] == "X"]
        return done.stderr, {name: names.count(name) for name in ("backbone", "cached features")}

    def expect(self, output, computed, *sets, **how):
        """A run that computes so many backbones, with the bytes of one without a cache."""
        said, spans = self.run_with(output, *sets, **how)
        self.assertEqual(spans, {"backbone": computed, "cached features": ALL - computed}, said)
        self.assertIn(f"{ALL - computed} micro-batches had their features from the cache", said)
        found, expected = results(self.folder / output), self.plain(*sets, text=how.get("text"))
        self.assertEqual([name for name in expected if found[name] != expected[name]], [], "datasets that differ")
        return said

    def plain(self, *sets, text=None):
        """The results of a run without a cache; of each job one is enough."""
        job = (text, *sets)
        if job not in self.known:
            self.run_with("plain.h5", *sets, text=text, cache="none", flags=["--overwrite"])
            self.known[job] = results(self.folder / "plain.h5")
        return self.known[job]

    def caches(self):
        return sorted(self.folder.glob("polyhead-features-*.cache"))

    def test_other_heads_need_no_image(self):
        self.expect("first.h5", ALL, text=self.few, ranks=2)
        status = np.frombuffer(results(self.folder / "first.h5")["samples/status"], np.uint8)
        self.assertEqual(np.flatnonzero(status == 2).tolist(), [0, 77])
        self.expect("second.h5", 0, "fusion.rule=mean-probabilities", "output.head_scores=true")
        for sets in (["parallel.strategy=data"], ["parallel.strategy=heads"], ["parallel.strategy=heads", "parallel.features=local"]):
            said, spans = self.run_with("grid.h5", *sets, ranks=2, flags=["--overwrite"])
            self.assertEqual(spans["backbone"], 0, said)
            self.assertEqual(results(self.folder / "grid.h5"), self.plain())
        self.assertEqual(len(self.caches()), 1)
        self.assertEqual(polyhead("verify", self.folder / "second.h5").returncode, 0)  # without the cache
        # A photograph that could not be read is there now: asked to retry it, a run takes nothing cached of its micro-batch.
        shutil.copy(self.photos[1], self.photos[77])
        said, spans = self.run_with("second.h5", "fusion.rule=mean-probabilities", "output.head_scores=true",
                                    flags=["--resume", "--retry-bad"])
        self.assertEqual(spans, {"backbone": 2, "cached features": 0}, said)
        self.known.clear()
        self.assertEqual(results(self.folder / "second.h5"), self.plain("fusion.rule=mean-probabilities", "output.head_scores=true"))

    def test_a_replaced_image_is_computed_anew(self):
        self.run_with("first.h5")
        photo = self.photos[19]  # not one of the 64 whose bytes the job's identity knows
        size = photo.stat().st_size
        image = io.BytesIO()
        Image.open(photo).transpose(Image.Transpose.ROTATE_180).save(image, "JPEG", quality=50)
        self.assertLess(len(image.getvalue()), size)
        photo.write_bytes(image.getvalue().ljust(size, b"\0"))
        os.utime(photo, (LONG_AGO + 1, LONG_AGO + 1))
        self.known.clear()
        said = self.expect("second.h5", 1)
        self.assertIn("1 micro-batches of the cache were computed anew: their files have changed since", said)
        self.assertNotEqual(results(self.folder / "first.h5"), results(self.folder / "second.h5"))
        self.expect("third.h5", 0)

    def test_what_is_damaged_is_computed_anew(self):
        self.run_with("first.h5")
        cache, = self.caches()
        bytes_ = bytearray(cache.read_bytes())
        bytes_[-1000] ^= 1  # of the last micro-batch
        cache.write_bytes(bytes_)
        said = self.expect("second.h5", 1, text=self.few)
        self.assertIn(f"micro-batch {ALL - 1} is damaged", said)
        self.expect("third.h5", 0, text=self.few)
        cache.write_bytes(bytes_[:len(bytes_) // 2])
        self.expect("fourth.h5", ALL // 2 + 1, text=self.few)

    def test_other_weights_have_another_cache(self):
        self.run_with("first.h5")
        weights = self.folder / "backbone.pth"
        state = torch.load(weights)
        state["layer4.1.conv2.weight"][0, 0, 0, 0] += 0.5
        weights.unlink()
        torch.save(state, weights)
        self.expect("second.h5", ALL)
        self.assertEqual(len(self.caches()), 2)
        self.assertNotEqual(results(self.folder / "first.h5"), results(self.folder / "second.h5"))

    def test_a_disk_without_room_does_not_end_the_run(self):
        said = self.expect("out.h5", ALL, variables={
            "LD_PRELOAD": SHIM, "POLYHEAD_FAULT_FILES": "polyhead-features", "POLYHEAD_FAULT_CALLS": "write",
            "POLYHEAD_FAULT_AT": "8", "POLYHEAD_FAULT_COUNT": "all", "POLYHEAD_FAULT_ERROR": "ENOSPC"})
        self.assertEqual(said.count("No more features are cached; the run goes on"), 1, said)
        self.assertNotIn("[error]", said)

    def test_killed_and_resumed(self):
        output = self.folder / "out.h5"
        self.whole = self.whole.replace("resize: 72, crop: 64", "resize: 224, crop: 224")  # slow enough to be killed
        self.few = self.few.replace("resize: 72, crop: 64", "resize: 224, crop: 224")
        self.config.write_text(self.whole)
        command = ["run", self.config]
        for option in (f"output.path={output}", "output.cache=features", "output.commit_interval=1ms", f"parallel.batch={BATCH}",
                       "parallel.threads=1"):
            command += ["--set", option]
        with open(self.folder / "log", "w") as log:
            job = subprocess.Popen(mpirun_command(2, command), env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: output.exists() and ledger(output).sum() >= 3)
        for rank in ranks_of(output).values():
            os.kill(rank, signal.SIGKILL)
        self.assertNotEqual(job.wait(30), 0)
        done = int(ledger(output).sum())
        self.assertLess(done, ALL, "it was too fast to be killed")
        said, spans = self.run_with("out.h5", flags=["--resume"], ranks=2)
        self.assertEqual(spans["backbone"] + spans["cached features"], ALL - done, said)
        self.assertEqual(results(output), self.plain())
        self.expect("other.h5", 0, text=self.few, flags=["--overwrite"])


if __name__ == "__main__":
    unittest.main()
