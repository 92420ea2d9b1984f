"""kill -9 of mpirun at a random moment: the file opens, and every micro-batch that the ledger calls done is right."""

import random
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np
from harness import EndToEnd, environment, ledger, mpirun_command

KILLS = 20
BATCH = 8
COLUMNS = ["fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/status", "samples/reason"]


def wait_for_processes(path):
    """The ranks of a killed mpirun die within a second or so; none may write while the file is judged."""
    for _ in range(300):
        listed = subprocess.run(["pgrep", "-f", str(path)], capture_output=True, check=False)
        if listed.returncode != 0:
            return
        time.sleep(0.1)
    raise AssertionError("ranks outlive mpirun by 30 s")


class Kill(EndToEnd):
    SETS = (f"parallel.batch={BATCH}", "output.head_scores=true", "output.commit_interval=20ms")

    def start(self, output):
        arguments = ["run", self.config, "--set", f"output.path={output}"]
        for option in self.SETS:
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

    def test_twenty_kills(self):
        whole = self.folder / "whole.h5"
        begin = time.monotonic()
        self.run_job(whole.name, *self.SETS, ranks=2)
        duration = time.monotonic() - begin
        with h5py.File(whole) as file:
            expected = {name: file[name][()] for name in COLUMNS}
        total = len(ledger(whole))

        dice = random.Random(20)
        moments = []
        while len(moments) < KILLS:
            output = self.folder / f"killed-{len(moments)}.h5"
            job = self.start(output)
            while not output.exists() and job.poll() is None:
                time.sleep(0.001)
            # From the creation of the file to the end of the run; a run that was faster than the dice does not count.
            time.sleep(dice.uniform(0, 0.5 * duration))
            finished = job.poll() is not None
            job.send_signal(signal.SIGKILL)
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
