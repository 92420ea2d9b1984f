"""Jobs with faults at random, each resumed until it is complete and then compared, while one long run is watched for leaks.

    tests/soak/soak.py [minutes, 20]        # through tests/soak.sh, which builds first

Faults: kill -9 of mpirun, one rank or all; SIGUSR1 to mpirun; SIGTERM to one rank; a rank that is stopped (SIGSTOP) for longer than
comm.timeout; calls on the output that fail (tests/faults/shim.hpp); inputs that are gone or cut at the start, and come back."""

import collections
import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from support.disturbed import KILLED, Disturbed  # noqa: E402
from support.faults import SHIM  # noqa: E402
from support.harness import DEMO, POLYHEAD, environment  # noqa: E402
from support.photos import save_tree  # noqa: E402
from support.working import ranks_of  # noqa: E402

ERRORS = "ENOSPC", "EIO", "EDQUOT", "EROFS", "ENODEV", "short"
GROWTH = 1.0  # per cent of the memory an hour, at most


class LongRun:
    """A run on one rank over a list of photographs without end, whose memory and open files are sampled."""

    def __init__(self, folder, seconds):
        photos = save_tree(folder / "photos", 200)
        lines = [f"{path},{number % 10}" for number, path in enumerate(photos)]
        (folder / "list.csv").write_text("path,label\n" + "\n".join(lines * (6 * int(seconds))) + "\n")
        text = (DEMO / "ensemble.yaml").read_text()
        text = (f"data: {{path: {folder / 'list.csv'}, preprocess: {{resize: 40, crop: 32, mean: [0.5, 0.5, 0.5], "
                f"std: [0.25, 0.25, 0.25]}}}}\n\n{text[text.index('backbone:'):]}")
        (folder / "long.yaml").write_text(text)
        command = [POLYHEAD, "run", folder / "long.yaml", "--set", f"output.path={folder / 'long.h5'}", "--set",
                   f"run.time_limit={int(seconds)}s", "--set", "parallel.threads=1", "--set", "data.workers=2", "--progress",
                   "none"]
        with open(folder / "long.log", "w") as log:
            self.job = subprocess.Popen(list(map(str, command)), env=environment(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=log)
        self.begin, self.samples, self.last = time.monotonic(), [], seconds - 5  # afterwards it closes its files

    def sample(self):
        if time.monotonic() - self.begin > self.last:
            return
        try:
            status = Path(f"/proc/{self.job.pid}/status").read_text()
            kib = {line.split()[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "RssAnon"))}
            files = len(os.listdir(f"/proc/{self.job.pid}/fd"))
        except (FileNotFoundError, ProcessLookupError):
            return
        if "VmRSS:" in kib:
            self.samples.append((time.monotonic() - self.begin, kib["VmRSS:"] / 1024, kib["RssAnon:"] / 1024, files))

    def growth(self):
        """(MiB of memory, growth in per cent an hour of all memory and of its anonymous part, growth of open files): the median
        of the slopes between all pairs of samples, after a third of the time for warming up."""
        times, all_memory, anonymous, files = np.array(self.samples[len(self.samples) // 3:]).T
        early, late = np.triu_indices(len(times), 1)
        hours = (times[late] - times[early]) / 3600

        def slope(values):
            return float(np.median((values[late] - values[early]) / hours))

        level = float(np.median(all_memory))
        return level, 100 * slope(all_memory) / level, 100 * slope(anonymous) / level, int(files.max() - files.min()), len(times)


class Soak(Disturbed):
    SETS = (*Disturbed.SETS, "comm.timeout=5s", "run.time_limit=1h")
    minutes = 20.0

    def disturb(self):
        """One run of the job under a fault; returns what it was, the codes it may end with, and how it ended."""
        name = self.dice.choice(["kill", "kill", "USR1", "TERM", "stop a rank", "disk", "disk", "input is gone", "input is cut"])
        return name, *getattr(self, "run_with_" + name.replace(" ", "_"))()

    def run_with_kill(self):
        job = self.start(*self.grid())
        if self.random_moment(job):
            self.kill(job, self.dice.choice(KILLED))
        return None, self.end(job)

    def run_with_USR1(self):
        job = self.start(*self.grid())
        if self.random_moment(job):
            job.send_signal(signal.SIGUSR1)
        return (0, 75, 138), self.end(job)  # 138: before main

    def run_with_TERM(self):
        job = self.start(*self.grid())
        ranks = list(ranks_of(self.output).values()) if self.random_moment(job) else []
        if ranks:
            try:
                os.kill(self.dice.choice(ranks), signal.SIGTERM)
            except ProcessLookupError:
                pass
        return (0, 75, 143), self.end(job)

    def run_with_stop_a_rank(self):
        job = self.start(*self.grid())
        ranks = ranks_of(self.output) if self.random_moment(job) else {}
        frozen = ranks[self.dice.choice(list(ranks))] if ranks else None
        if frozen:
            try:
                os.kill(frozen, signal.SIGSTOP)
                time.sleep(self.dice.choice([1, 20]))
                os.kill(frozen, signal.SIGCONT)
            except ProcessLookupError:
                pass
        return (0, 69), self.end(job)

    def run_with_disk(self):
        job = self.start(*self.grid(), variables={
            "LD_PRELOAD": SHIM, "POLYHEAD_FAULT_FILES": str(self.output), "POLYHEAD_FAULT_RANK": "0",
            "POLYHEAD_FAULT_AT": str(self.dice.randint(1, 400)), "POLYHEAD_FAULT_COUNT": self.dice.choice(["1", "all"]),
            "POLYHEAD_FAULT_ERROR": self.dice.choice(ERRORS)})
        return (0, 65, 66, 73, 74), self.end(job)

    def run_with_input_is_gone(self):
        lost = self.dice.choice([self.folder / "data.h5", self.folder / "mlp.pth"])
        lost.rename(lost.with_suffix(".away"))
        job = self.start()
        end = self.end(job)
        lost.with_suffix(".away").rename(lost)
        return (66,), end

    def run_with_input_is_cut(self):
        data = self.folder / "data.h5"
        whole = data.read_bytes()
        data.write_bytes(whole[:self.dice.randrange(len(whole))])
        job = self.start()
        end = self.end(job)
        data.write_bytes(whole)
        return (65,), end

    def grid(self):
        return [self.dice.choice(["parallel.strategy=data", "parallel.strategy=heads", "parallel.strategy=auto"]),
                self.dice.choice(["output.writers=coordinator", "output.writers=all"])]

    def test_faults_at_random(self):
        seconds = self.minutes * 60
        self.begin(seed=random.randrange(1 << 30))
        long_run = LongRun(self.folder, seconds)
        self.addCleanup(long_run.job.kill)
        faults, codes, complete, unexpected = collections.Counter(), collections.Counter(), 0, []
        while time.monotonic() - long_run.begin < seconds:
            name, allowed, (code, said) = self.disturb()
            faults[name] += 1
            codes[code] += 1
            if allowed is not None and code not in allowed:
                unexpected.append(f"{name}: code {code}\n{said}")
            if self.judge(code, said):
                complete += 1
                self.output.unlink()
                self.new_job()
            long_run.sample()
        while not self.judge(*self.end(self.start())):
            pass
        print(f"{faults.total()} runs with faults: {dict(faults)}\nended with codes {dict(codes)}; {self.resumes} resumes; "
              f"{complete + 1} jobs complete, with 0 wrong rows")
        level, growth, anonymous, files, count = long_run.growth()
        print(f"long run of {self.minutes:g} minutes, {count} samples: {level:.0f} MiB, growing by {growth:.2f}% an hour "
              f"({anonymous:.2f}% without mapped files), open files within {files} of each other")
        self.assertEqual(long_run.job.wait(60), 75)
        self.assertEqual(unexpected, [])
        if self.minutes >= 10:  # less says nothing
            self.assertLess(growth, GROWTH)
        self.assertLessEqual(files, 2)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Soak.minutes = float(sys.argv.pop(1))
    unittest.main()
