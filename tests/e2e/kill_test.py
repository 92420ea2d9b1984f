"""kill -9 at a random moment, of mpirun alone (the ranks then live on for up to a second) and of mpirun with all ranks: the file
opens, and every micro-batch that the ledger calls done is right."""

import json
import random
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np
from harness import EndToEnd, environment, ledger, mpirun_command

SECONDS_OF_WORK = 3  # at least
LARGEST = 512  # side of the enlarged images, pixels
BATCH = 8
COLUMNS = ["fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/status", "samples/reason"]


def processes(output):
    """mpirun and the ranks of the job that writes `output`."""
    listed = subprocess.run(["pgrep", "-f", str(output)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def wait_for_processes(output):
    """No rank may write while the file is judged."""
    for _ in range(300):
        if not processes(output):
            return
        time.sleep(0.1)
    raise AssertionError("ranks outlive mpirun by 30 s")


class Kill(EndToEnd):
    kills = 20  # of each kind
    sets = ()

    def choose_size(self, size):
        self.sets = (f"parallel.batch={BATCH}", "output.head_scores=true", "output.commit_interval=20ms",
                     f"data.preprocess.resize={size}", f"data.preprocess.crop={size}")

    def run_whole(self):
        """An undisturbed run: its file, and how long the ranks worked. Images are enlarged until the work outlasts the
        second that ranks live on without mpirun, on fast machines too."""
        whole, size = self.folder / "whole.h5", 96
        while True:
            self.choose_size(size)
            self.run_job(whole.name, *self.sets, ranks=2, flags=["--overwrite"])
            with h5py.File(whole) as file:
                seconds = json.loads(bytes(file["job/summary"][()]).rstrip(b"\0"))["run"]["seconds"]
            if seconds >= SECONDS_OF_WORK or size >= LARGEST:
                return whole, seconds
            size = min(LARGEST, max(size + 16, int(size * (1.2 * SECONDS_OF_WORK / seconds) ** 0.5)))

    def start(self, output):
        arguments = ["run", self.config, "--set", f"output.path={output}"]
        for option in self.sets:
            arguments += ["--set", option]
        return subprocess.Popen(mpirun_command(2, arguments), env=environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def check(self, output, expected):
        """Compares what the ledger calls done; returns the number of such micro-batches."""
        done = np.flatnonzero(ledger(output))
        with h5py.File(output) as file:
            for name in COLUMNS:
                rows = file[name][()]
                for batch in done:
                    part = slice(batch * BATCH, (batch + 1) * BATCH)
                    self.assertEqual(rows[part].tobytes(), expected[name][part].tobytes(), f"{name}, batch {batch}")
        return len(done)

    def test_mpirun_is_killed(self):
        self.kill_often(lambda job, output: job.send_signal(signal.SIGKILL), within=0.5)

    def test_all_are_killed(self):
        self.kill_often(lambda job, output: subprocess.run(["pkill", "-KILL", "-f", str(output)], check=False))

    def kill_often(self, kill, within=1.0):
        """Kills at random moments of the first `within` of the run, and looks at what is left."""
        whole, working = self.run_whole()
        with h5py.File(whole) as file:
            expected = {name: file[name][()] for name in COLUMNS}
        total = len(ledger(whole))

        dice = random.Random(20)
        moments = []
        while len(moments) < self.kills:
            output = self.folder / f"killed-{len(moments)}.h5"
            job = self.start(output)
            while not output.exists() and job.poll() is None:
                time.sleep(0.001)
            # While the ranks work, which begins with the file; a run that was faster than the dice does not count.
            time.sleep(dice.uniform(0, within * working))
            finished = job.poll() is not None
            kill(job, output)
            job.wait()
            wait_for_processes(output)
            self.assertTrue(output.exists())
            done = self.check(output, expected)
            if not finished:
                moments.append(done)
            output.unlink()
        print(f"micro-batches done at the kill, of {total}: {sorted(moments)}")
        self.assertTrue(any(0 < done < total for done in moments), "no kill came while the job was running")


if __name__ == "__main__":
    unittest.main()
