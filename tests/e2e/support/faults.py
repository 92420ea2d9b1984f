"""Jobs on disks that fail, and what may be left of them: for faults_test.py, disks_test.py, kill_test.py and tests/soak.

The shim is tests/faults/shim.hpp, which also says what the variables mean."""

import os

import h5py
import numpy as np
from support.harness import EndToEnd, ledger, polyhead, results

SHIM = os.environ.get("POLYHEAD_FAULT_SHIM", "build/release/tests/libpolyhead_fault_shim.so")
ROWS = ["fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/status", "samples/reason"]


class FailingDisk(EndToEnd):
    """A job of SAMPLES images in micro-batches of BATCH, whose output is in a folder of its own."""

    SAMPLES = 100
    BATCH = 16
    SETS = ("output.commit_interval=1ms", "output.head_scores=true")

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.output = self.disk / "out.h5"
        self.take_samples(self.SAMPLES)

    def arguments(self, *flags, output=None, sets=()):
        arguments = ["run", self.config, "--set", f"output.path={output or self.output}", *flags]
        for option in (f"parallel.batch={self.BATCH}", *self.SETS, *sets):
            arguments += ["--set", option]
        return arguments

    def undisturbed(self, *sets):
        """The results that every other run of the job must have; computed once."""
        path = self.folder / "whole.h5"
        done = polyhead(*self.arguments(output=path, sets=sets))
        self.assertEqual(done.returncode, 0, done.stderr)
        return results(path)

    def run_with_fault(self, *flags, ranks=None, sets=(), log=None, disk=None, **fault):
        """A run in which calls on files of the disk fail: fault as in at=3, error="EIO", calls="write"."""
        variables = {f"POLYHEAD_FAULT_{name.upper()}": str(value) for name, value in fault.items()}
        variables |= {"LD_PRELOAD": SHIM, "POLYHEAD_FAULT_FILES": str(disk or self.disk)}
        if log:
            variables["POLYHEAD_FAULT_LOG"] = str(log)
        return polyhead(*self.arguments(*flags, sets=sets), ranks=ranks, variables=variables)

    def check_ledger(self, expected, output=None):
        """Every micro-batch that the ledger calls done has the rows of the undisturbed run; returns their number."""
        output = output or self.output
        done = np.flatnonzero(ledger(output))
        with h5py.File(output) as file:
            for name in ROWS:
                if name not in expected:
                    continue
                rows = file[name]
                width = rows.dtype.itemsize * int(np.prod(rows.shape[1:], dtype=np.int64))
                for batch in done:
                    first, last = batch * self.BATCH, min((batch + 1) * self.BATCH, rows.shape[0])
                    self.assertEqual(rows[first:last].tobytes(), expected[name][first * width:last * width],
                                     f"{name}, micro-batch {batch} is called done")
        return len(done)

    def check_resumed(self, expected, ranks=None, sets=(), output=None):
        """Resumes without faults until the end; the results are those of the undisturbed run."""
        done = polyhead(*self.arguments("--resume=auto", sets=sets, output=output), ranks=ranks)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_same(results(output or self.output), expected)
        return done

    def assert_same(self, found, expected):
        self.assertEqual(found.keys(), expected.keys())
        self.assertEqual([name for name in found if found[name] != expected[name]], [], "datasets that differ")

    def left_over(self):
        """Files that no run should leave on the disk. The lock's may stay where a job is aborted: it holds nothing."""
        return sorted({file.name for file in self.disk.iterdir()} - {self.output.name, self.output.name + ".lock"})
