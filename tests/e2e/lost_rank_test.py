"""Ranks that are killed or frozen while the job works, or while it is set up: the others end within the stated time, no process is
left, and what was committed is kept."""

import os
import re
import signal
import subprocess
import time
import unittest
from pathlib import Path

from support.harness import environment, ledger, mpirun_command
from support.working import Working, ranks_of, status_of, wait_until

TIMEOUT = 3  # comm.timeout, seconds
SLACK = 8  # a busy machine, and mpirun's own two seconds
FREEZER = Path(__file__).parent / "support/freeze.c"


class LostRank(Working):
    def begin(self, *sets, ranks=3):
        job = self.start(f"comm.timeout={TIMEOUT}s", "output.commit_interval=200ms", *sets, ranks=ranks)
        self.wait_for_work(2)
        before = ledger(self.output)
        return job, ranks_of(self.output), before

    def check_end(self, job, begin, within, before):
        """It ends in time, leaves no process, and loses nothing."""
        job.out, job.err = job.communicate(timeout=60)
        took = time.monotonic() - begin
        self.assertLess(took, within + SLACK, job.err)
        wait_until(lambda: not ranks_of(self.output), 3)
        after = ledger(self.output)
        self.assertTrue((after >= before).all())
        self.assertLess(after.sum(), len(after))

    def test_a_killed_rank(self):
        job, ranks, before = self.begin()
        begin = time.monotonic()
        os.kill(ranks[1], signal.SIGKILL)
        self.check_end(job, begin, 2, before)
        self.assertEqual(job.returncode, 137, job.err)

    def test_a_frozen_rank(self):
        job, ranks, before = self.begin("parallel.strategy=heads")
        begin = time.monotonic()
        os.kill(ranks[2], signal.SIGSTOP)
        self.check_end(job, begin, TIMEOUT, before)
        self.assertEqual(job.returncode, 69, job.err)
        host = os.uname().nodename
        self.assertRegex(job.err, rf"rank 2 on {re.escape(host)} has been silent for {TIMEOUT} s \(comm.timeout\); "
                                  r"its last lease: micro-batches \d+ to \d+")
        self.assertEqual(job.err.count("To go on: "), 1)
        status = status_of(self.status)
        self.assertEqual((status["state"], status["code"], status["lost_rank"], status["lost_host"]),
                         ("ended", "69", "2", host))

    def test_rank_zero_is_frozen(self):
        """The ranks notice it themselves, also where they wait for it in an exchange."""
        job, ranks, before = self.begin("parallel.strategy=heads")
        begin = time.monotonic()
        os.kill(ranks[0], signal.SIGSTOP)
        self.check_end(job, begin, TIMEOUT, before)
        self.assertEqual(job.returncode, 69, job.err)
        self.assertIn(f"the coordinator on rank 0 has been silent for {TIMEOUT} s", job.err)
        self.assertEqual(status_of(self.status)["state"], "running")  # its last word

    def test_a_job_that_was_suspended_as_a_whole_goes_on(self):
        """As Slurm does it for a job that matters more: nobody is blamed for the silence of all."""
        job, ranks, before = self.begin("data.preprocess.resize=128", "data.preprocess.crop=128")
        for process in ranks.values():
            os.kill(process, signal.SIGSTOP)
        time.sleep(TIMEOUT + 2)
        for process in reversed(ranks.values()):
            os.kill(process, signal.SIGCONT)
        job.out, job.err = job.communicate(timeout=90)
        self.assertEqual(job.returncode, 0, job.err)
        self.assertTrue((ledger(self.output) == 1).all())

    def test_a_rank_freezes_while_the_job_is_set_up(self):
        """Inside MPI, where calls have no time limit of their own."""
        freezer = self.folder / "freeze.so"
        subprocess.run(["mpicc", "-shared", "-fPIC", "-o", freezer, FREEZER], check=True)
        arguments = ["run", self.config, "--set", f"output.path={self.output}", "--set", f"comm.timeout={TIMEOUT}s"]
        variables = {"LD_PRELOAD": str(freezer), "FREEZE_AT": "MPI_Comm_dup:2", "FREEZE_RANK": "1",
                     "POLYHEAD_STATUS_FILE": str(self.status)}
        command = mpirun_command(2, arguments)
        for name in variables:
            command[1:1] = ["-x", name]
        begin = time.monotonic()
        job = subprocess.Popen(command, env=environment() | variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(job.kill)
        _, text = job.communicate(timeout=60)
        self.assertEqual(job.returncode, 69, text)
        self.assertIn("MPI_Comm_dup: another rank has not joined within 3 s", text)
        self.assertLess(time.monotonic() - begin, TIMEOUT + 2 * SLACK)
        wait_until(lambda: not ranks_of(self.output), 3)
        self.assertEqual(status_of(self.status)["code"], "69")


if __name__ == "__main__":
    unittest.main()
