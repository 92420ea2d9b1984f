"""--resume: an interrupted run is finished on any ranks and grid, with the bytes of an undisturbed one; what is committed is not
computed again; another job is refused by name; quarantined samples are tried once more."""

import json
import os
import random
import re
import signal
import subprocess
import tarfile
import time
import unittest
from pathlib import Path

import h5py
import numpy as np
from support.harness import SECONDS, EndToEnd, environment, ledger, mpirun_command, polyhead, results
from support.photos import save_tree

SMALL = ("parallel.batch=8", "output.head_scores=true", "output.commit_interval=20ms", "parallel.threads=1")
LARGE = (*SMALL, "data.preprocess.resize=96", "data.preprocess.crop=96")  # takes a few seconds
THREE_HEADS = ("parallel.strategy=grid", "parallel.grid={data: 1, heads: 3}")


def runs(path):
    """The provenance: a dictionary for each start or resume."""
    with h5py.File(path) as file:
        return [json.loads(line) for line in file["job/provenance"][()].tobytes().rstrip(b"\0").splitlines()]


def put(path, name, offset, content):
    """Overwrites bytes of a dataset, and nothing of HDF5's own."""
    with h5py.File(path) as file:
        place = file[name].id.get_offset() + offset
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(content)


def text(path, name):
    with h5py.File(path) as file:
        return file[f"job/{name}"][()].tobytes().rstrip(b"\0").decode()


def clear(path, name):
    with h5py.File(path) as file:
        length = len(file[f"job/{name}"])
    put(path, f"job/{name}", 0, bytes(length))


def children(process):
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


class Resume(EndToEnd):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"

    def job(self, *flags, sets=SMALL, ranks=None, output=None, **how):
        """A run that may fail; without ranks, without mpirun, whose end after a failure takes a second."""
        arguments = ["run", self.config, "--set", f"output.path={output or self.output}", *flags]
        for option in sets:
            arguments += ["--set", option]
        return polyhead(*arguments, ranks=ranks, **how)

    def whole(self, sets=SMALL, ranks=1):
        """The results of an undisturbed run."""
        self.run_job("whole.h5", *sets, ranks=ranks, flags=["--overwrite"])
        return results(self.folder / "whole.h5")

    def run_and_kill(self, flags, ranks, sets, more):
        """kill -9 of mpirun and all ranks, once the ledger has `more` micro-batches than before."""
        before = int(ledger(self.output).sum()) if self.output.exists() else 0
        arguments = ["run", str(self.config), "--set", f"output.path={self.output}", *flags]
        for option in sets:
            arguments += ["--set", option]
        job = subprocess.Popen(mpirun_command(ranks, arguments), env=environment(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        while job.poll() is None and time.monotonic() < deadline:
            if self.output.exists() and ledger(self.output).sum() >= before + more:
                break
            time.sleep(0.01)
        self.assertIsNone(job.poll(), "the run ended before it was killed")
        processes = [job.pid, *children(job.pid)]
        for process in processes:
            os.kill(process, signal.SIGKILL)
        job.wait()
        while any(Path(f"/proc/{process}").exists() for process in processes[1:]):
            self.assertLess(time.monotonic(), deadline, "a rank outlives the kill")
            time.sleep(0.02)
        done = int(ledger(self.output).sum())
        self.assertGreater(len(ledger(self.output)), done)
        return done

    # Interrupted runs.

    def test_killed_again_and_again(self):
        """Each resume computes what its ledger did not have, and nothing else; the last one completes the file."""
        expected = self.whole(LARGE, ranks=2)
        total = len(ledger(self.folder / "whole.h5"))
        dice = random.Random(6)
        committed = [0]
        for number, (ranks, sets) in enumerate([(2, ()), (1, ()), (3, THREE_HEADS)]):
            flags = ["--resume"] if number else []
            committed.append(self.run_and_kill(flags, ranks, (*LARGE, *sets), dice.randrange(8, 25)))
        done = self.job("--resume", sets=(*LARGE, "parallel.strategy=data"), ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"resumed: {committed[-1]} of {total} micro-batches are finished, {total - committed[-1]} are computed "
                      "now", done.stderr)
        self.assertEqual(results(self.output), expected)
        self.assertTrue(ledger(self.output).all())
        lines = runs(self.output)
        self.assertEqual([line["event"] for line in lines], ["start", "resume", "resume", "resume"])
        self.assertEqual([line["committed"] for line in lines[1:]], committed[1:])
        self.assertRegex(done.stdout, rf"{8 * (total - committed[-1])} images \({8 * committed[-1]} by earlier runs\) in ")
        self.assertEqual(polyhead("verify", self.output, "--sample", "10").returncode, 0)

    def test_a_ledger_full_of_gaps(self):
        """Also where each rank writes what it can itself."""
        expected = self.whole()
        self.run_job("out.h5", *SMALL)
        open_batches = sorted(random.Random(1).sample(range(125), 40))
        for sets, ranks in (((), 2), (THREE_HEADS, 3), (("output.writers=all",), 2)):
            for batch in open_batches:
                put(self.output, "ledger/batches", batch, b"\0")
                for name, row in (("fused/scores", 40), ("heads/scores", 200), ("samples/status", 1)):
                    put(self.output, name, batch * 8 * row, os.urandom(8 * row))  # half-written rows hold anything
            done = self.job("--resume", sets=(*SMALL, *sets), ranks=ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("resumed: 85 of 125 micro-batches are finished, 40 are computed now", done.stderr)
            self.assertEqual(results(self.output), expected)

    def test_a_complete_file(self):
        self.run_job("out.h5", *SMALL)
        before = self.output.read_bytes()
        summary = text(self.output, "summary")
        done = self.job("--resume", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("out.h5: is complete already: nothing is left to compute", done.stderr)
        self.assertIn("ensemble", done.stdout)
        self.assertEqual(self.output.read_bytes(), before)

        certificate = text(self.output, "certificate")
        for name in ("certificate", "summary"):  # a kill between the last commit and the end
            clear(self.output, name)
            done = self.job("--resume=auto")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("the certificate or the summary is missing", done.stderr)
            self.assertEqual(text(self.output, "certificate"), certificate)
            self.assertEqual(json.loads(text(self.output, "summary")) | {"run": 0}, json.loads(summary) | {"run": 0})

        put(self.output, "fused/scores", 400, b"\1\2\3\4")
        self.assert_fails(self.job("--resume"), 65, "out.h5: altered or damaged: the certificate says", "polyhead verify",
                          "--overwrite")

    def test_no_file_and_no_words(self):
        self.assert_fails(self.job("--resume"), 66, "out.h5: there is no result to go on with", "--resume=auto")
        self.assertEqual(self.job("--resume=auto").returncode, 0)
        self.assertEqual(runs(self.output)[0]["event"], "start")
        self.assert_fails(self.job(), 73, "exists already. Give --resume to go on with it, --overwrite to replace it")
        self.assert_fails(self.job("--resume", "--overwrite"), 64, "--resume", "--overwrite")
        self.assert_fails(self.job("--resume=always"), 64, "always not in {yes,auto}")
        self.assert_fails(self.job("--retry-bad"), 64, "--retry-bad requires --resume")
        self.output.write_bytes(self.output.read_bytes()[:-4096])  # more than the seal, without which a file may be
        self.assert_fails(self.job("--resume"), 65, "out.h5")

    # Another job.

    def test_changes_are_named(self):
        sets = ("output.head_scores=true",)  # parallel.batch: auto
        self.run_job("out.h5", *sets)
        same = self.job("--resume", sets=(*sets, "parallel.batch=32", "parallel.threads=2", "data.max_bad=3%"))
        self.assertEqual(same.returncode, 0, same.stderr)
        other = self.folder / "other.pth"
        self.assertEqual(self.config.read_text().count("mlp.pth"), 1)
        with h5py.File(self.folder / "data.h5") as file, h5py.File(self.folder / "less.h5", "w") as less:
            for name in ("images", "labels"):
                less[name] = file[name][:900]
        import torch
        state = torch.load(self.folder / "mlp.pth", weights_only=True)
        torch.save({name: value + 1 for name, value in state.items()}, other)
        for change, *words in (
                ("heads[0].weights=" + str(other), "weights: those of the backbone or of a head are others now"),
                ("heads[0].weight=3", "heads: their names, their order, their layers or their weights in the fusion"),
                ("heads[0].name=new", "heads: their names"),
                ("fusion.rule=mean-probabilities", "fusion.rule: mean-logits in the file, mean-probabilities now"),
                ("data.preprocess.crop=24", "data.preprocess: exact: ", "crop 24"),
                ("data.max_pixels=5000", "data.max_pixels, data.max_file_size: 178956970 pixels"),
                (f"data.path={self.folder / 'less.h5'}", "number of samples: 1000 in the file, 900 now"),
                ("parallel.batch=16", "parallel.batch: 32 in the file, 16 now; without the option"),
                ("backbone.engine=libtorch", "backbone.engine: auto in the file, libtorch now"),
                ("output.head_scores=false", "output.head_scores: stored in the file, not now")):
            with self.subTest(change=change):
                done = self.job("--resume", sets=(*sets, change))
                self.assert_fails(done, 65, "out.h5: cannot be resumed, since this is another job", "--overwrite",
                                  *(f"{word}" for word in words))
                expected = 3 if change.startswith("data.path") else 1  # number, names and content
                self.assertEqual(done.stderr.count("changed: "), expected, done.stderr)

    # Quarantined samples.

    def photographs(self):
        self.files = save_tree(self.folder / "photos", 96)
        self.configure_photos("photos", "max_bad: 20%")
        self.bad = [self.files[number] for number in (0, 33, 34, 70)]  # the first is one whose bytes the identity knows
        self.content = {path: path.read_bytes() for path in self.bad}

    def damage(self):
        for path in self.bad:
            path.write_bytes(self.content[path][:100])

    def mend(self, *paths):
        for path in paths:
            path.write_bytes(self.content[path])

    def test_retry_bad(self):
        self.photographs()
        self.damage()
        self.run_job("out.h5", *SMALL, ranks=2)
        self.mend(*self.bad[:3])  # the last one stays as it is
        expected = self.whole()
        self.assert_fails(self.job("--resume"), 65,
                          "changed: data: of 64 samples that were looked at, 3 have other bytes now, the first of them is "
                          "number 0", "--retry-bad computes them again")
        before = self.output.read_bytes()
        done = self.job("--resume", "--retry-bad", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("9 of 12 micro-batches are finished, 3 are computed now, 3 of them again for their quarantined samples",
                      done.stderr)
        self.assertNotEqual(self.output.read_bytes(), before)
        self.assertEqual(results(self.output), expected)
        self.assertEqual(np.flatnonzero(np.frombuffer(expected["samples/status"], np.uint8) == 2).tolist(), [70])
        self.assertEqual(runs(self.output)[-1]["reopened"], 3)
        self.assertEqual(polyhead("verify", self.output).returncode, 0)
        again = self.job("--resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("is complete already", again.stderr)
        # Another sample has changed, which has a result: no retry of bad ones explains that.
        self.files[95].write_bytes(self.files[94].read_bytes())
        self.assert_fails(self.job("--resume", "--retry-bad"), 65, "the first of them is number 95")

    def test_too_many_bad_samples(self):
        """The run ends, and tells the command that goes on with it; that command does."""
        self.photographs()
        self.damage()
        self.config.write_text(self.config.read_text().replace("max_bad: 20%", "max_bad: 2%"))
        done = self.job(ranks=1)
        self.assert_fails(done, 65, "3 samples are quarantined, data.max_bad allows 1 of 96")
        command = re.search(r"To go on: (.*)", done.stderr).group(1)
        self.assertRegex(command, r"^cd \S+ && \S*mpi(run|exec) -np 1 --oversubscribe --bind-to none .* run .*ensemble.yaml .* --resume "
                                  r"--set data.max_bad=\d+$")

        def go_on(command):
            return subprocess.run(command, shell=True, env=environment(), capture_output=True, text=True,
                                  timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
        without = command[:command.index(" --set data.max_bad")]
        refused = go_on(without)
        self.assert_fails(refused, 65, "quarantined by earlier runs, data.max_bad allows 1 of 96", "--retry-bad")
        self.assertIn(re.search(r"it will be \d+\): (--set data.max_bad=\d+)", refused.stderr).group(1), command)
        kept = self.output.read_bytes()
        done = go_on(command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.output.write_bytes(kept)
        self.mend(*self.bad)
        done = go_on(without + " --retry-bad")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(results(self.output), self.whole())

    def test_retry_bad_of_a_shard(self):
        """A mended sample has another length: those behind it have moved."""
        self.photographs()

        def pack():
            with tarfile.open(self.folder / "photos.tar", "w") as tar:
                for number, path in enumerate(self.files):
                    tar.add(path, f"{number:03}{path.suffix}")
        self.damage()
        pack()
        self.configure_photos("photos.tar", "max_bad: 20%")
        self.run_job("out.h5", *SMALL)
        self.mend(*self.bad)
        pack()
        self.assert_fails(self.job("--resume"), 65, "samples have other places or sizes in their shards", "--retry-bad")
        done = self.job("--resume", "--retry-bad")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(results(self.output), self.whole())
        self.assertEqual(polyhead("verify", self.output).returncode, 0)
        with tarfile.open(self.folder / "photos.tar", "w") as tar:  # no bad sample is left that could explain this
            for number, path in enumerate(self.files):
                if number == 50:
                    path.write_bytes(path.read_bytes() + b"more")
                tar.add(path, f"{number:03}{path.suffix}")
        self.assert_fails(self.job("--resume", "--retry-bad"), 65, "samples have other places or sizes in their shards")


if __name__ == "__main__":
    unittest.main()
