"""cmake/FindLibTorch.cmake and cmake/PolyheadCuda.cmake on small made-up trees: what is found where, and in which order."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

CMAKE = Path(__file__).resolve().parents[2] / "cmake"
PROJECT = """\
cmake_minimum_required(VERSION 3.22)
project(found LANGUAGES C)
list(APPEND CMAKE_MODULE_PATH ${PROJECT_SOURCE_DIR}/modules "%s")
find_package(LibTorch REQUIRED)
include(PolyheadCuda)
message(STATUS "root=${LibTorch_ROOT}; version=${LibTorch_VERSION}; cuda=${POLYHEAD_WITH_CUDA}")
""" % CMAKE
# A python3 whose torch is at $FAKE_TORCH, or that has none.
PYTHON = '#!/bin/sh\n[ -n "$FAKE_TORCH" ] && echo "$FAKE_TORCH"\n'


def make_libtorch(folder, version="2.15.0", cuda=False, header="headeronly/version.h"):
    """As much of LibTorch as is looked at. With CUDA: as pip lays it out, the runtime beside it."""
    for name in ("lib", "include/ATen", f"include/torch/{Path(header).parent}", "share/cmake"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("lib/libtorch_cpu.so", "lib/libc10.so", "include/ATen/ATen.h"):
        (folder / name).touch()
    numbers = zip(("MAJOR", "MINOR", "PATCH"), version.split("."))
    (folder / "include/torch" / header).write_text("".join(f"#define TORCH_VERSION_{part} {n}\n" for part, n in numbers))
    if cuda:
        (folder / "lib/libtorch_cuda.so").touch()
        runtime = folder.parent / "nvidia/cu13/lib"
        runtime.mkdir(parents=True)
        (runtime / "libcudart.so.13").touch()
    return folder


class FindLibTorchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        self.project = self.folder / "project"
        (self.project / "modules").mkdir(parents=True)
        (self.project / "CMakeLists.txt").write_text(PROJECT)
        (self.folder / "bin").mkdir()
        (self.folder / "bin/python3").write_text(PYTHON)
        (self.folder / "bin/python3").chmod(0o755)
        self.python_torch = ""

    def configure(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if name != "CMAKE_PREFIX_PATH"}
        environment |= {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "FAKE_TORCH": str(self.python_torch)}
        return subprocess.run(["cmake", "-S", self.project, "-B", self.folder / "build", *arguments], env=environment,
                              capture_output=True, text=True, check=False)

    def found(self, *arguments):
        """(LibTorch's folder, version, whether CUDA is built)"""
        run = self.configure(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        root, version, cuda = re.search(r"root=(.*); version=(.*); cuda=(.*)", run.stdout).groups()
        return Path(root).resolve(), version, cuda

    def site_packages(self, prefix):
        return prefix / "lib/python3.11/site-packages"

    def toolkit(self, there):
        """Whether this machine has a CUDA toolkit."""
        (self.project / "modules/FindCUDAToolkit.cmake").write_text(f"set(CUDAToolkit_FOUND {there})\n")

    def test_order(self):
        self.python_torch = make_libtorch(self.folder / "system/torch", "2.1.0")
        self.assertEqual(self.found()[:2], (self.python_torch, "2.1.0"))
        venv = make_libtorch(self.site_packages(self.project / ".venv") / "torch", "2.2.0")
        (self.folder / "build/CMakeCache.txt").unlink()
        self.assertEqual(self.found()[:2], (venv, "2.2.0"))
        own = make_libtorch(self.folder / "own", "2.3.0")
        (self.folder / "build/CMakeCache.txt").unlink()
        self.assertEqual(self.found(f"-DCMAKE_PREFIX_PATH=/nowhere;{own}")[:2], (own, "2.3.0"))

    def test_what_a_prefix_may_be(self):
        make_libtorch(self.site_packages(self.project / ".venv") / "torch")
        wanted = make_libtorch(self.site_packages(self.folder / "other") / "torch")
        for prefix in (wanted, wanted.parent, self.folder / "other", wanted / "share/cmake"):
            (self.folder / "build/CMakeCache.txt").unlink(missing_ok=True)
            self.assertEqual(self.found(f"-DCMAKE_PREFIX_PATH={prefix}")[0], wanted, prefix)

    def test_a_folder_without_headers_is_passed_over(self):
        half = make_libtorch(self.folder / "half")
        (half / "include/ATen/ATen.h").unlink()
        venv = make_libtorch(self.site_packages(self.project / ".venv") / "torch")
        self.assertEqual(self.found(f"-DCMAKE_PREFIX_PATH={half}")[0], venv)

    def test_the_version_header_of_older_ones(self):
        old = make_libtorch(self.folder / "old", "2.5.1", header="csrc/api/include/torch/version.h")
        self.assertEqual(self.found(f"-DCMAKE_PREFIX_PATH={old}")[1], "2.5.1")

    def test_none(self):
        run = self.configure()
        self.assertEqual(run.returncode, 1)
        self.assertIn("run launch/setup.sh, or give", " ".join(run.stderr.split()))

    def test_cuda_needs_toolkit_and_libtorch(self):
        for there, with_cuda in ((True, True), (True, False), (False, True), (False, False)):
            with self.subTest(toolkit=there, libtorch=with_cuda):
                torch = make_libtorch(self.folder / f"{there}-{with_cuda}" / "torch", cuda=with_cuda)
                self.toolkit("TRUE" if there else "FALSE")
                prefix = f"-DCMAKE_PREFIX_PATH={torch}"
                (self.folder / "build/CMakeCache.txt").unlink(missing_ok=True)
                both = "ON" if there and with_cuda else "OFF"
                self.assertEqual(self.found(prefix, "-DPOLYHEAD_CUDA=AUTO")[2], both)
                self.assertEqual(self.found(prefix, "-DPOLYHEAD_CUDA=OFF")[2], "OFF")
                run = self.configure(prefix, "-DPOLYHEAD_CUDA=ON")
                self.assertEqual(run.returncode == 0, both == "ON", run.stderr)
                if both == "OFF":
                    self.assertIn("POLYHEAD_CUDA=ON, but the CUDA toolkit or a LibTorch with CUDA was not found",
                                  " ".join(run.stderr.split()))


if __name__ == "__main__":
    unittest.main()
