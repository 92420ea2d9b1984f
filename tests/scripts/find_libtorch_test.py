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
message(STATUS "root=${LibTorch_ROOT}; version=${LibTorch_VERSION}; cuda=${POLYHEAD_WITH_CUDA}; nccl=${POLYHEAD_WITH_NCCL}; why=${POLYHEAD_WHY_NO_CUDA}")
if(TARGET polyhead_cuda_headers)
  get_target_property(headers polyhead_cuda_headers INTERFACE_INCLUDE_DIRECTORIES)
  if(TARGET LibTorch::cudart)
    get_target_property(runtime LibTorch::cudart IMPORTED_LOCATION)
  endif()
  message(STATUS "headers=${headers}; runtime=${runtime}")
endif()
""" % CMAKE
# A python3 whose torch is at $FAKE_TORCH, or that has none.
PYTHON = '#!/bin/sh\n[ -n "$FAKE_TORCH" ] && echo "$FAKE_TORCH"\n'


def make_libtorch(folder, version="2.15.0", cuda=False, header="headeronly/version.h", needs=""):
    """As much of LibTorch as is looked at. With CUDA: its CUDA half, which says that it needs the runtime `needs`."""
    for name in ("lib", "include/ATen", f"include/torch/{Path(header).parent}", "share/cmake"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("lib/libtorch_cpu.so", "lib/libc10.so", "include/ATen/ATen.h"):
        (folder / name).touch()
    numbers = zip(("MAJOR", "MINOR", "PATCH"), version.split("."))
    (folder / "include/torch" / header).write_text("".join(f"#define TORCH_VERSION_{part} {n}\n" for part, n in numbers))
    if cuda:
        (folder / "lib/libtorch_cuda.so").touch()
        (folder / "lib/libc10_cuda.so").write_bytes(b"\x7fELF\0cudaFree@libcudart.so.1\0" + needs.encode() + b"\0\1\0")
    return folder


def make_wheel(torch, name, major, headers=True):
    """CUDA's runtime as pip lays it beside LibTorch, in the folder `name`."""
    folder = torch.parent / "nvidia" / name
    (folder / "lib").mkdir(parents=True)
    (folder / f"lib/libcudart.so.{major}").touch()
    if headers:
        (folder / "include").mkdir()
        (folder / "include/cuda_runtime_api.h").write_text(f"/**\n */\n#define CUDART_VERSION  {major}020\n")
    return folder


def make_nccl(torch):
    folder = torch.parent / "nvidia/nccl"
    for name in ("include/nccl.h", "lib/libnccl.so.2"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()


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

    def said(self, *arguments):
        """What the project says it found, by name."""
        (self.folder / "build/CMakeCache.txt").unlink(missing_ok=True)
        run = self.configure(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        return dict(re.findall(r"(?:-- |; )(\w+)=([^;\n]*)", run.stdout))

    def found(self, *arguments):
        """(LibTorch's folder, version)"""
        said = self.said(*arguments)
        return Path(said["root"]).resolve(), said["version"]

    def site_packages(self, prefix):
        return prefix / "lib/python3.11/site-packages"

    def toolkit(self, major):
        """The CUDA Toolkit of this machine; None: there is none; "unasked": a mistake to look for one."""
        text = "set(CUDAToolkit_FOUND FALSE)\n"
        if major == "unasked":
            text = 'message(FATAL_ERROR "the toolkit was looked for")\n'
        elif major is not None:
            text = (f"set(CUDAToolkit_FOUND TRUE)\nset(CUDAToolkit_VERSION_MAJOR {major})\nset(CUDAToolkit_VERSION {major}.8)\n"
                    "set(CUDAToolkit_INCLUDE_DIRS /toolkit/include)\nadd_library(CUDA::cudart SHARED IMPORTED)\n")
        (self.project / "modules/FindCUDAToolkit.cmake").write_text(text)

    def refused(self, *arguments):
        """What a configuration with POLYHEAD_CUDA=ON that fails says."""
        (self.folder / "build/CMakeCache.txt").unlink(missing_ok=True)
        run = self.configure("-DPOLYHEAD_CUDA=ON", *arguments)
        self.assertEqual(run.returncode, 1, run.stdout)
        return " ".join(run.stderr.split())

    def expect_none(self, torch, reason):
        """No CUDA for this LibTorch: told where it is AUTO, an error where it is ON."""
        prefix = f"-DCMAKE_PREFIX_PATH={torch}"
        said = self.said(prefix, "-DPOLYHEAD_CUDA=AUTO")
        self.assertEqual((said["cuda"], said["nccl"]), ("OFF", "OFF"))
        self.assertIn(reason, said["why"])
        self.assertIn(f"POLYHEAD_CUDA=ON, but {reason}", self.refused(prefix))

    def test_order(self):
        self.python_torch = make_libtorch(self.folder / "system/torch", "2.1.0")
        self.assertEqual(self.found(), (self.python_torch, "2.1.0"))
        venv = make_libtorch(self.site_packages(self.project / ".venv") / "torch", "2.2.0")
        self.assertEqual(self.found(), (venv, "2.2.0"))
        own = make_libtorch(self.folder / "own", "2.3.0")
        self.assertEqual(self.found(f"-DCMAKE_PREFIX_PATH=/nowhere;{own}"), (own, "2.3.0"))

    def test_what_a_prefix_may_be(self):
        make_libtorch(self.site_packages(self.project / ".venv") / "torch")
        wanted = make_libtorch(self.site_packages(self.folder / "other") / "torch")
        for prefix in (wanted, wanted.parent, self.folder / "other", wanted / "share/cmake"):
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

    def test_headers_beside_libtorch_need_no_toolkit(self):
        torch = make_libtorch(self.folder / "site/torch", cuda=True, needs="libcudart.so.13")
        wheel = make_wheel(torch, "cu13", 13)
        make_nccl(torch)
        self.toolkit("unasked")
        prefix = f"-DCMAKE_PREFIX_PATH={torch}"
        for wanted in ("AUTO", "ON"):
            said = self.said(prefix, f"-DPOLYHEAD_CUDA={wanted}")
            self.assertEqual((said["cuda"], said["nccl"], said["why"]), ("ON", "ON", ""))
            self.assertEqual(said["headers"], str(wheel / "include"))
            self.assertEqual(said["runtime"], str(wheel / "lib/libcudart.so.13"))
        said = self.said(prefix, "-DPOLYHEAD_CUDA=OFF")  # the tests' double is compiled all the same
        self.assertEqual((said["cuda"], said["nccl"], said["headers"]), ("OFF", "OFF", str(wheel / "include")))

    def test_wheels_of_two_versions(self):
        for needs, taken in ((13, "cu13"), (12, "cuda_runtime")):
            torch = make_libtorch(self.folder / f"site{needs}/torch", cuda=True, needs=f"libcudart.so.{needs}")
            for name, major in (("cuda_runtime", 12), ("cu13", 13)):
                make_wheel(torch, name, major)
            self.toolkit("unasked")
            said = self.said(f"-DCMAKE_PREFIX_PATH={torch}", "-DPOLYHEAD_CUDA=ON")
            wheel = torch.parent / "nvidia" / taken
            self.assertEqual(said["headers"], str(wheel / "include"))
            self.assertEqual(said["runtime"], str(wheel / f"lib/libcudart.so.{needs}"))

    def test_headers_of_another_version_are_passed_over(self):
        torch = make_libtorch(self.folder / "site/torch", cuda=True, needs="libcudart.so.13")
        make_wheel(torch, "cu13", 13, headers=False)
        make_wheel(torch, "cuda_runtime", 12)
        self.toolkit(13)
        self.assertEqual(self.said(f"-DCMAKE_PREFIX_PATH={torch}", "-DPOLYHEAD_CUDA=ON")["headers"], "/toolkit/include")

    def test_a_libtorch_without_headers_takes_the_toolkit_of_its_version(self):
        torch = make_libtorch(self.folder / "built/torch", cuda=True, needs="libcudart.so.13")
        self.toolkit(13)
        said = self.said(f"-DCMAKE_PREFIX_PATH={torch}", "-DPOLYHEAD_CUDA=ON")
        self.assertEqual((said["cuda"], said["headers"], said["runtime"]), ("ON", "/toolkit/include", ""))
        self.toolkit(12)
        self.expect_none(torch, "LibTorch was linked with CUDA 13, but the CUDA Toolkit at /toolkit/include is 12.8: set CUDAToolkit_ROOT")
        self.toolkit(None)
        self.expect_none(torch, "LibTorch was linked with CUDA 13, but its headers are neither beside it nor in a CUDA Toolkit")

    def test_its_own_runtime(self):
        """As in the archives of pytorch.org before 2.1: the runtime has a name of its own in LibTorch's folder."""
        torch = make_libtorch(self.folder / "zip/torch", cuda=True, needs="libcudart-d0da41ae.so.11.0")
        (torch / "lib/libcudart-d0da41ae.so.11.0").touch()
        self.toolkit(12)
        self.expect_none(torch, "LibTorch was linked with CUDA 11, but the CUDA Toolkit at /toolkit/include is 12.8")
        self.toolkit(11)
        said = self.said(f"-DCMAKE_PREFIX_PATH={torch}", "-DPOLYHEAD_CUDA=ON")
        self.assertEqual(said["runtime"], str(torch / "lib/libcudart-d0da41ae.so.11.0"))

    def test_a_libtorch_without_cuda(self):
        torch = make_libtorch(self.folder / "cpu/torch")
        self.toolkit("unasked")
        self.expect_none(torch, "this LibTorch was built without CUDA")

    def test_nccl_needs_all_its_headers(self):
        torch = make_libtorch(self.folder / "site/torch", cuda=True, needs="libcudart.so.13")
        include = make_wheel(torch, "cu13", 13) / "include"
        make_nccl(torch)
        (include / "cuda_fp16.h").write_text("#include <nv/target>\n")
        prefix = f"-DCMAKE_PREFIX_PATH={torch}"
        self.assertEqual(self.said(prefix)["nccl"], "OFF")
        (include / "nv").mkdir()
        (include / "nv/target").touch()
        self.assertEqual(self.said(prefix)["nccl"], "ON")


if __name__ == "__main__":
    unittest.main()
