"""Disks that are full, fail, or may no longer be written: a clean end with a message that says what happened, what is kept and how to
go on; nothing finished is lost. Full disks are real ones (tmpfs in a mount namespace), others come from tests/faults/shim.hpp."""

import os
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from support.faults import SHIM, FailingDisk
from support.harness import POLYHEAD, environment, mpirun_command, results
from support.working import wait_until

NAMESPACE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]


class SmallDisk:
    """A tmpfs that only processes in its own mount namespace see; others look into it through /proc."""

    def __init__(self, test, size):
        self.here = test.disk
        ready = test.folder / "mounted"
        script = f"mount -t tmpfs -o size={size} small '{test.disk}' && : > '{ready}' && exec sleep infinity"
        self.holder = subprocess.Popen([*NAMESPACE, "sh", "-c", script], stderr=subprocess.PIPE, text=True)
        test.addCleanup(self.holder.communicate)
        test.addCleanup(self.holder.kill)
        while not ready.exists():
            if self.holder.poll() is not None:
                test.skipTest(f"no mount namespaces here: {self.holder.stderr.read()}")
            time.sleep(0.01)
        self.outside = Path(f"/proc/{self.holder.pid}/root{test.disk}")

    def enter(self, command):
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.holder.pid), *user, "--mount", "--", *map(str, command)]

    def fill(self):
        """Another program takes all that is left; returns how much that was."""
        with open(self.outside / "filler", "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                pass
            return file.tell()


class Disks(FailingDisk):
    SAMPLES = 320  # 20 micro-batches
    SETS = (*FailingDisk.SETS, "parallel.threads=1", "data.preprocess.resize=64", "data.preprocess.crop=64")

    def check_message(self, done, *texts):
        """What happened, what is kept, how to go on."""
        self.assert_fails(done, 74, str(self.output), " of 20 micro-batches are finished and kept in ", "To go on: ", *texts)
        self.assertEqual(done.stderr.count("[error]"), 1, done.stderr)

    def test_errors_midway(self):
        """On the disk of a job on two ranks, which goes on on one or three."""
        expected = self.undisturbed()
        for number, (error, text) in enumerate({
                "ENOSPC": "No space left on device. Make room on that disk", "EIO": "Input/output error",
                "EDQUOT": "Disk quota exceeded. Make room there, or have the quota raised",
                "EROFS": "Read-only file system. Have the file system mounted for writing again"}.items()):
            with self.subTest(error=error):
                done = self.run_with_fault(ranks=2, rank=0, at=70 + 9 * number, count="all", calls="write", error=error,
                                           disk=self.output)
                self.check_message(done, text)
                self.assertLess(self.check_ledger(expected), 20)
                done = self.check_resumed(expected, ranks=1 + 2 * (number % 2))
                self.assertIn("resumed: ", done.stderr)
                self.output.unlink()

    def test_a_file_system_that_cannot_reserve(self):
        """Nothing else takes the place of fallocate; above all not a write to each block."""
        log = self.folder / "calls"
        done = self.run_with_fault(at=1, count="all", calls="allocate", error="EOPNOTSUPP", log=log)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(log.read_text().splitlines()), 1)
        self.assert_same(results(self.output), self.undisturbed())

    def test_a_disk_that_is_too_small_from_the_start(self):
        disk = SmallDisk(self, "1m")
        done = subprocess.run(disk.enter([POLYHEAD, *self.arguments()]), env=environment(), capture_output=True, text=True,
                              timeout=60, check=False)
        self.assert_fails(done, 73, f"{self.output}: cannot be created: it needs 1.", " MiB, and 1020.0 KiB are free on this disk. "
                          "Make room there, or choose another output.path")
        self.assertEqual(list(disk.outside.iterdir()), [])

    def start_on(self, disk, variables=None, ranks=2):
        command = disk.enter(mpirun_command(ranks, self.arguments("--resume=auto")))
        job = subprocess.Popen(command, env=environment() | (variables or {}), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(job.communicate)
        self.addCleanup(job.kill)
        return job

    def end(self, job):
        out, err = job.communicate(timeout=60)
        return subprocess.CompletedProcess(job.args, job.returncode, out, err)

    def test_a_disk_that_fills_up(self):
        """What is reserved is there although another program takes all the rest; without reserving the job stops, and goes on when
        there is room again."""
        expected = self.undisturbed()
        disk = SmallDisk(self, "4m")
        file = disk.outside / self.output.name

        job = self.start_on(disk)
        wait_until(file.exists)
        self.assertGreater(disk.fill(), 100_000)
        self.assertEqual(self.end(job).returncode, 0)
        self.assert_same(results(shutil.copy(file, self.folder / "copy.h5")), expected)

        (disk.outside / "filler").unlink()
        file.unlink()
        job = self.start_on(disk, {"LD_PRELOAD": SHIM, "POLYHEAD_FAULT_FILES": str(self.disk), "POLYHEAD_FAULT_AT": "1",
                                   "POLYHEAD_FAULT_CALLS": "allocate", "POLYHEAD_FAULT_COUNT": "all",
                                   "POLYHEAD_FAULT_ERROR": "EOPNOTSUPP"})
        wait_until(file.exists)
        disk.fill()
        self.check_message(self.end(job), "No space left on device. Make room on that disk")
        self.check_ledger(expected, shutil.copy(file, self.folder / "copy.h5"))

        (disk.outside / "filler").unlink()
        self.assertEqual(self.end(self.start_on(disk, ranks=1)).returncode, 0)
        self.assert_same(results(shutil.copy(file, self.folder / "copy.h5")), expected)


if __name__ == "__main__":
    unittest.main()
