"""What the end-to-end tests share: the demo's files, the real program under the real mpirun, result files as bytes.

Each test is a unittest file, started as  python3 tests/e2e/X_test.py  with POLYHEAD (the program), POLYHEAD_DEMO (a folder
made by tools/make_demo.py) and MPIEXEC in the environment; ctest sets them.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

POLYHEAD = os.environ.get("POLYHEAD", "build/release/polyhead")
# The same program on pretended GPUs with a NCCL in host memory (tests/comm/nccl_double); empty in a build without NCCL.
NCCL_DOUBLE = os.environ.get("POLYHEAD_NCCL_DOUBLE", "")
LONG = bool(os.environ.get("POLYHEAD_LONG"))  # everything (tests/soak.sh); else each kind of case once
DEMO = Path(os.environ.get("POLYHEAD_DEMO", "runs/demo")).resolve()
MPIEXEC = os.environ.get("MPIEXEC", "mpirun")
SECONDS = 120  # no run of a test may take longer

# The promise "the same bytes" is about these (docs/result-format.md).
RESULT_DATASETS = [
    "fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "uncertainty/margin", "samples/status", "samples/reason",
    "samples/label", "samples/id_bytes", "samples/id_offset",
]


def environment():
    """Tests start more threads than there are cores: waiting ones must sleep, not spin."""
    return os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                         "OMP_WAIT_POLICY": "PASSIVE"}


def mpirun_command(ranks, arguments, program=POLYHEAD):
    return [MPIEXEC, "-np", str(ranks), "--oversubscribe", "--bind-to", "none", program, *map(str, arguments)]


def polyhead(*arguments, ranks=None, program=POLYHEAD, variables=None, **options):
    """Runs a command of the program, under mpirun when `ranks` is given. Output is captured as text."""
    command = [program, *map(str, arguments)] if ranks is None else mpirun_command(ranks, arguments, program)
    return subprocess.run(command, env=environment() | (variables or {}), capture_output=True, text=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, check=False, **options)


def without_times(text):
    return re.sub(r"\[\d\d:\d\d:\d\d\]", "[time]", text)


def results(path):
    """{dataset: bytes} of a result file, and nothing else of it."""
    with h5py.File(path) as file:
        return {name: file[name][()].tobytes() for name in RESULT_DATASETS if name in file}


def provenance(path):
    """The line that the start of the run has left."""
    with h5py.File(path) as file:
        return json.loads(bytes(file["job/provenance"][()]).split(b"\n")[0])


def ledger(path):
    with h5py.File(path) as file:
        return np.array(file["ledger/batches"])


class InFolder(unittest.TestCase):
    """Tests that share a folder, in which files are made once."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)


class EndToEnd(unittest.TestCase):
    """A test with a folder of its own, in which the demo's files are linked."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="polyhead-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for file in DEMO.iterdir():
            if file.name not in ("result.h5", "ensemble.yaml") and file.is_file():
                (self.folder / file.name).symlink_to(file)
        shutil.copy(DEMO / "ensemble.yaml", self.folder)
        self.config = self.folder / "ensemble.yaml"

    def take_samples(self, count):
        """The first `count` images of the demo."""
        data = self.folder / "data.h5"
        with h5py.File(data) as file:
            images, labels = file["images"][:count], file["labels"][:count]
        data.unlink()  # a link to the demo's
        with h5py.File(data, "w") as file:
            file["images"], file["labels"] = images, labels

    def run_job(self, output, *sets, ranks=1, flags=(), **how):
        """Runs the demo's job into self.folder/output; fails the test when the run does."""
        arguments = ["run", self.config, "--set", f"output.path={self.folder / output}", *flags]
        for option in sets:
            arguments += ["--set", option]
        done = polyhead(*arguments, ranks=ranks, **how)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done

    def run_small_grid(self, data, heads, *sets):
        """The result datasets of a run on the grid, with more micro-batches than ranks in a few hundred samples."""
        self.run_job("out.h5", "parallel.batch=48", "parallel.threads=1", "parallel.strategy=grid",
                     f"parallel.grid={{data: {data}, heads: {heads}}}", *sets, ranks=data * heads, flags=["--overwrite"])
        return results(self.folder / "out.h5")

    def configure_photos(self, path, *lines):
        """The demo's heads on photographs."""
        text = self.config.read_text()
        data = ["data:", f"path: {path}",
                "preprocess: {resize: 72, crop: 64, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}", *lines]
        self.config.write_text(text[:text.index("data:")] + "\n  ".join(data) + "\n\n" + text[text.index("backbone:"):])

    def assert_fails(self, done, code, *texts):
        """The exit code, and texts that the message must hold."""
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertNotIn("internal error", done.stderr)
