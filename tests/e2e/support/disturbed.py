"""Jobs that are disturbed, resumed and disturbed again until they are complete: for kill_test.py and tests/soak."""

import json
import os
import random
import re
import signal
import subprocess
import time

import h5py
import numpy as np
from support.faults import FailingDisk
from support.harness import environment, ledger, mpirun_command, results
from support.working import ranks_of, wait_until

KILLED = "mpirun", "one rank", "all ranks", "mpirun and all ranks"


def processes_of(output):
    """mpirun and the ranks of the job that writes `output`; it does not see mpirun's that only start."""
    named = f"output.path={output}".encode()
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                if named in file.read().split(b"\0"):
                    found.append(int(process))
        except OSError:
            continue
    return found


def kill(process, number=signal.SIGKILL):
    """Whether it was still there."""
    try:
        os.kill(process, number)
        return True
    except ProcessLookupError:
        return False


class Disturbed(FailingDisk):
    """Jobs of 125 micro-batches, which work for a second or a few."""

    SAMPLES = 1000
    BATCH = 8
    SIZE = 64
    SETS = ("output.commit_interval=20ms", "output.head_scores=true", "parallel.threads=1",
            f"data.preprocess.resize={SIZE}", f"data.preprocess.crop={SIZE}")

    def begin(self, seed):
        self.dice = random.Random(seed)
        self.expected = self.undisturbed()
        with h5py.File(self.folder / "whole.h5") as file:
            self.seconds = json.loads(bytes(file["job/summary"][()]).rstrip(b"\0"))["run"]["seconds"]
        self.jobs = self.resumes = 0
        self.new_job()

    def new_job(self):
        """The next job writes a file of its own."""
        self.jobs += 1
        self.output = self.disk / f"job-{self.jobs}.h5"
        self.done = np.zeros(0, np.uint8)  # the ledger as it was last seen
        self.ranks = 0

    def choose_ranks(self):
        """Another number than the last time."""
        self.ranks = self.dice.choice([n for n in (1, 2, 3, 4) if n != self.ranks])
        return self.ranks

    def start(self, *sets, variables=None):
        """The job on another number of ranks; its standard error goes to a file."""
        self.log = self.folder / "log"
        command = mpirun_command(self.choose_ranks(), self.arguments("--resume=auto", sets=sets))
        with open(self.log, "w") as log:
            return subprocess.Popen(command, env=environment() | (variables or {}), stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=log)

    def random_moment(self, job):
        """Any moment of set-up, or, three times of four, of the work. Returns whether the job still runs."""
        wait = self.dice.uniform(0, 1)
        if self.dice.random() < 0.75:
            wait = self.dice.uniform(0, 0.5 * self.seconds)
            while job.poll() is None and not self.works():
                time.sleep(0.005)
        end = time.monotonic() + wait
        while time.monotonic() < end and job.poll() is None:
            time.sleep(0.005)
        return job.poll() is None

    def works(self):
        """A new job has its file then, one that goes on has said so."""
        return self.output.exists() if len(self.done) == 0 else "resumed: " in self.log.read_text()

    def kill(self, job, what):
        """Whether something was killed."""
        ranks = list(ranks_of(self.output).values())
        if what == "one rank":
            return bool(ranks) and kill(self.dice.choice(ranks))
        struck = [kill(job.pid)] if what.startswith("mpirun") else []
        if what != "mpirun":
            struck += [kill(rank) for rank in ranks]
        return any(struck)

    def end(self, job, within=90):
        """Waits until no process of the job is left; returns its code and what it said."""
        try:
            code = job.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.fail(f"the job hangs; processes {processes_of(self.output)}; it said:\n{self.log.read_text()}")
        wait_until(lambda: not processes_of(self.output), 30)
        return code, self.log.read_text()

    def judge(self, code, said):
        """After a run of the job: nothing is lost, nothing wrong, nothing computed twice. Returns whether it is complete."""
        self.assertNotIn("internal error", said)
        self.assertNotIn("was written before", said)  # how the store refuses rows of a finished micro-batch
        if not self.output.exists():
            self.assertEqual(self.done.sum(), 0, "the file is gone")
            return False
        before, self.done = self.done, ledger(self.output)
        self.check_ledger(self.expected)
        if len(before) > 0:
            self.assertTrue((self.done >= before).all(), "what was finished is no longer")
        resumed = re.search(r"resumed: (\d+) of \d+ micro-batches are finished, (\d+) are computed now", said)
        if resumed:
            self.resumes += 1
            self.assertEqual([int(n) for n in resumed.groups()], [before.sum(), (before == 0).sum()])
        if code == 0:
            self.assert_same(results(self.output), self.expected)
        return code == 0

    def mark_finished(self):
        """Alters the finished rows, to see later whether anybody writes them again; returns their places and the mark."""
        rows = np.repeat(self.done == 1, self.BATCH)[:self.SAMPLES]
        with h5py.File(self.output, "r+") as file:
            scores = file["fused/scores"][()]
            scores[rows] = -12345
            file["fused/scores"][...] = scores
        return rows

    def check_marks(self, rows):
        with h5py.File(self.output) as file:
            marked = (file["fused/scores"][()] == -12345).all(axis=1)
        np.testing.assert_array_equal(marked, rows)
