"""A run is told to stop - by a signal to mpirun or to one rank, by the clock, during set-up - and ends with code 75: what is under
way is finished and kept, the rest is left, and one message says how to go on."""

import os
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np
from support.harness import POLYHEAD, environment, ledger, results
from support.working import BATCH, Working, ranks_of, status_of, wait_until


class Stop(Working):
    def check_stopped(self, job, why):
        """Code, message, status file and ledger agree; what is done is right."""
        self.assertEqual(job.returncode, 75, job.err)
        done = ledger(self.output)
        count = int(done.sum())
        kept = f"{count} of {len(done)} micro-batches are finished and kept in {self.output}"
        self.assertEqual(job.err.count(kept), 1, job.err)
        self.assertIn(f"stopped by {why}", job.err)
        self.assertIn("To go on: ", job.err)
        self.assertIn("--resume", job.err.split("To go on: ")[1])
        self.assertNotIn("[error]", job.err)
        self.assertGreater(count, 0)
        self.assertLess(count, len(done))
        status = status_of(self.status)
        self.assertEqual((status["state"], status["code"], status["committed"], status["micro_batches"]),
                         ("ended", "75", str(count), str(len(done))))
        self.assertTrue(status["stopped_by"].startswith(why), status)
        self.assertIn("--resume", status["resume"])
        with h5py.File(self.output) as file:
            state = np.array(file["samples/status"])
        rows = np.repeat(done == 1, BATCH)[:len(state)]
        self.assertTrue(np.all(state[rows] == 1))
        self.assertTrue(np.all(state[~rows] == 0), "rows that were finished were not committed")

    def test_a_signal_to_mpirun(self):
        job = self.start("output.commit_interval=200ms")
        self.wait_for_work()
        job.send_signal(signal.SIGUSR1)
        self.end(job)
        self.check_stopped(job, "SIGUSR1 at rank ")

    def test_a_signal_to_one_rank_of_a_head_group(self):
        for rank, number in ((1, signal.SIGUSR1), (2, signal.SIGTERM), (0, signal.SIGINT)):
            job = self.start("output.commit_interval=200ms", "parallel.strategy=heads", ranks=3)
            self.wait_for_work()
            os.kill(ranks_of(self.output)[rank], number)
            self.end(job)
            self.check_stopped(job, f"{number.name} at rank {rank} on ")
            self.output.unlink()
            self.status.unlink()

    def test_without_mpirun(self):
        job = self.start("output.commit_interval=200ms", program=POLYHEAD)
        self.wait_for_work()
        job.send_signal(signal.SIGINT)
        self.end(job)
        self.check_stopped(job, "SIGINT at rank 0 on ")

    def test_the_clock(self):
        # Large images: work for much longer than the limit, also on a fast machine.
        job = self.start("run.time_limit=6s", "data.preprocess.resize=512", "data.preprocess.crop=512",
                         "output.commit_interval=1h")
        begin = time.monotonic()
        self.end(job, within=40)
        self.assertGreaterEqual(time.monotonic() - begin, 5.5)
        self.check_stopped(job, "run.time_limit")

    def test_a_second_signal_stops_at_once(self):
        # Micro-batches that take a few seconds each.
        job = self.start("parallel.batch=64", "data.preprocess.resize=384", "data.preprocess.crop=384",
                         "output.commit_interval=1h")
        wait_until(lambda: status_of(self.status).get("state") == "running")
        time.sleep(0.5)
        job.send_signal(signal.SIGUSR1)
        time.sleep(0.5)
        job.send_signal(signal.SIGUSR1)
        self.end(job, within=6)
        self.assertEqual(job.returncode, 75, job.err)
        self.assertIn("stopped at once: SIGUSR1", job.err)
        self.assertEqual(status_of(self.status)["code"], "75")
        self.assertIn("To go on: ", job.err)
        ledger(self.output)  # it opens

    def test_during_set_up(self):
        """At any moment before work: code 75, and no output or a whole one."""
        for delay in (0.3, 0.5, 0.7, 0.9, 1.2, 1.6):
            job = self.start()
            wait_until(lambda: len(ranks_of(self.output)) == 2)
            time.sleep(delay)
            job.send_signal(signal.SIGUSR1)
            self.end(job)
            self.assertIn(job.returncode, (75, 138), job.err)  # 138: before main()
            if job.returncode == 75:
                self.assertEqual(job.err.count("stopped by SIGUSR1"), 1, job.err)
                self.assertIn("SIGUSR1 at rank ", status_of(self.status)["stopped_by"])
            self.assertEqual([file.name for file in self.folder.glob(".polyhead-*")], [])
            if self.output.exists():
                ledger(self.output)
                self.output.unlink()

    def test_the_command_that_is_shown_goes_on(self):
        """As it is shown, through a shell, until the end: the same bytes as a run that nobody stopped."""
        sets = ("data.preprocess.resize=128", "data.preprocess.crop=128")
        job = self.start(*sets, "output.commit_interval=200ms")
        self.wait_for_work(2)
        job.send_signal(signal.SIGUSR1)
        self.end(job)
        self.check_stopped(job, "SIGUSR1")
        command = status_of(self.status)["resume"]
        self.assertIn(f"To go on: {command}\n", job.err)
        done = subprocess.run(["sh", "-c", command], env=environment(), capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.run_job("whole.h5", f"parallel.batch={BATCH}", *sets)
        self.assertEqual(results(self.output), results(self.folder / "whole.h5"))


if __name__ == "__main__":
    unittest.main()
