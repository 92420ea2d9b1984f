"""A bundle (launch/bundle.sh) on a machine without Open MPI and HDF5, which a mount namespace pretends: the same bytes.

Where no such namespace can be made, exits with 77 and says why."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support.harness import POLYHEAD, SECONDS, EndToEnd, environment, results

ROOT = Path(__file__).resolve().parents[2]
HIDE = ROOT / "tests" / "e2e" / "support" / "hide_mpi.sh"
SKIPPED, CONFIG = 77, 78
MOST = 64 << 20  # bytes, packed
SETS = ("parallel.threads=1", "parallel.batch=48", "output.head_scores=true")
# The interpreter of this test has torch; no packing for hours, no library path but the bundle's own.
VARIABLES = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "XZ_OPT": "-1"}


def execute(command, **variables):
    return subprocess.run([*map(str, command)], env=environment() | VARIABLES | variables, capture_output=True, text=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)


def without_mpi(user, *command):
    return execute(["unshare", *user, "--mount", HIDE, *command])


def find_way():
    """(words for unshare, None), or (None, why nothing can be hidden here)."""
    reasons = []
    for user in ([], ["--user", "--map-root-user"]):
        done = without_mpi(user, "true")
        if done.returncode == 0:
            return user, None
        reasons.append(f"{' '.join(['unshare', *user])}: {done.stderr.strip()}")
    return None, "; ".join(reasons)


class Bundle(EndToEnd):
    USER = None

    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="polyhead-bundle-test-")
        cls.addClassCleanup(cls.place.cleanup)
        cls.bundle = Path(cls.place.name) / "bundle"
        cls.bundle.mkdir()
        packed = Path(cls.place.name) / "bundle.tar.xz"
        cls.made = execute([ROOT / "launch" / "bundle.sh", "--build", Path(POLYHEAD).parent, packed])
        if cls.made.returncode == 0:
            cls.size = packed.stat().st_size
            subprocess.run(["tar", "-C", cls.bundle, "-xJf", packed], check=True)

    def setUp(self):
        super().setUp()
        self.assertEqual(self.made.returncode, 0, self.made.stderr)

    def job(self, output, *sets):
        options = (f"output.path={self.folder / output}", *SETS, *sets)
        return ["run", self.config, "--progress", "none", *(word for option in options for word in ("--set", option))]

    def run_in_bundle(self, *command):
        return without_mpi(self.USER, self.bundle / "run.sh", *command)

    def test_the_same_bytes_without_mpi_and_hdf5(self):
        self.run_job("plain.h5", *SETS, ranks=None)
        self.assertEqual(without_mpi(self.USER, POLYHEAD, "--version").returncode, 127)  # they are hidden indeed
        mpirun = ("mpirun", "-np", 2, "--oversubscribe", "--bind-to", "none")
        for name, before, sets in (("one", (), ()), ("two", mpirun, ("parallel.strategy=heads",))):
            with self.subTest(ranks=name):
                done = self.run_in_bundle(*before, "polyhead", *self.job(f"{name}.h5", *sets))
                self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
                self.assertEqual(results(self.folder / f"{name}.h5"), results(self.folder / "plain.h5"))
        self.assertIn("on 2 ranks", done.stdout)

    def test_the_test_programs_start(self):
        for name in ("test_device", "test_comm", "test_model"):
            done = self.run_in_bundle(name, "--gtest_filter=Gpu*:Device.*")
            self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def test_another_torch_is_refused(self):
        other = self.folder / "torch"
        other.mkdir()
        (other / "version.py").write_text("__version__ = '1.2.3+cu999'\n")
        done = execute([self.bundle / "run.sh", "polyhead", "--version"], POLYHEAD_TORCH=str(other))
        self.assertEqual(done.returncode, CONFIG)
        mine = (self.bundle / "torch-version").read_text().strip()
        self.assertIn(f"this bundle was made for torch {mine}, but {other} is torch 1.2.3+cu999", done.stderr)
        (other / "version.py").write_text(f"__version__ = '{mine.replace('.0', '.1', 1)}'\n")  # a patch release
        done = execute([self.bundle / "run.sh", "true"], POLYHEAD_TORCH=str(other))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_folder_that_is_no_torch_is_refused(self):
        done = execute([self.bundle / "run.sh", "polyhead", "--version"], POLYHEAD_TORCH=str(self.folder))
        self.assertEqual(done.returncode, CONFIG)
        self.assertIn(f"{self.folder} is no folder of torch", done.stderr)

    def test_what_stays_here(self):
        """Size, and that the machine's own C library and torch are used."""
        self.assertLess(self.size, MOST)
        names = {path.name for path in self.bundle.rglob("*")}
        for start in ("libc.so", "libstdc++", "libgcc_s", "libtorch", "libc10", "libcud", "libnccl", "ld-linux"):
            self.assertEqual([name for name in names if name.startswith(start)], [])
        self.assertIn("libmpi.so.40", names)


class Refusals(unittest.TestCase):
    """Of bundle.sh."""

    def refuse(self, text, *arguments):
        done = execute([ROOT / "launch" / "bundle.sh", *arguments])
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stderr)

    def test_arguments(self):
        self.refuse("must be called .tar.xz, not ''")
        self.refuse("must be called .tar.xz, not 'out.zip'", "out.zip")
        self.refuse("there is no folder /nowhere", "/nowhere/out.tar.xz")
        self.refuse("give one of them", "--torch", "a", "--build", "b", "out.tar.xz")
        self.refuse("a is no folder of torch", "--torch", "/tmp/a", "out.tar.xz")
        self.refuse("/tmp is no build folder", "--build", "/tmp", "out.tar.xz")


if __name__ == "__main__":
    Bundle.USER, reason = find_way()
    if reason:
        print(f"SKIPPED: Open MPI cannot be hidden here: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
