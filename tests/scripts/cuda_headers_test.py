"""The CUDA code is compiled with the headers beside LibTorch: without a CUDA Toolkit, and with one of another version in the way."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
WHEEL = next(PROJECT.glob(".venv/lib/python3*/site-packages/nvidia/cu[0-9]*/include/cuda_runtime_api.h"), None)
OBJECTS = ("src/CMakeFiles/polyhead_device.dir/device/cuda.cpp.o", "src/CMakeFiles/polyhead_comm.dir/comm/nccl/nccl_link.cpp.o",
           "src/CMakeFiles/polyhead_nccl_library.dir/comm/nccl_library/forward.cpp.o")
NVCC = """#!/bin/sh
echo 'nvcc: NVIDIA (R) Cuda compiler driver'
echo 'Cuda compilation tools, release 12.8, V12.8.93'
"""


@unittest.skipIf(WHEEL is None, "the LibTorch of .venv brings no headers of CUDA")
class CudaHeadersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # What the user has set of CUDA, and all of PATH that has a nvcc.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("CUDA") and name != "CPATH"}
        self.environment["PATH"] = ":".join(path for path in os.environ["PATH"].split(":") if not (Path(path) / "nvcc").exists())

    def pretended_toolkit(self):
        """A CUDA 12.8 that says so, and whose headers must not be read."""
        for name, text in (("bin/nvcc", NVCC), ("include/cuda_runtime_api.h", '#error "the headers of CUDA 12"\n'),
                           ("include/cuda.h", "#define CUDA_VERSION 12080\n"), ("lib64/libcudart.so", ""),
                           ("version.json", '{"cuda": {"name": "CUDA SDK", "version": "12.8.1"}}')):
            path = self.folder / "cuda-12.8" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / "cuda-12.8/bin/nvcc").chmod(0o755)
        return self.folder / "cuda-12.8"

    def call(self, *command):
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout

    def expect_the_wheel(self, *arguments):
        """The back ends are on, and each header of CUDA that was read is the wheel's."""
        build = self.folder / "build"
        said = self.call("cmake", "-G", "Ninja", "-S", PROJECT, "-B", build, "-DPOLYHEAD_TESTS=OFF", "-DPOLYHEAD_WERROR=ON", *arguments)
        self.assertIn("CUDA back end ON, NCCL ON", said)
        self.call("cmake", "--build", build, "-j2", "--target", *OBJECTS)
        for name in OBJECTS:
            deps = self.call("ninja", "-C", build, "-t", "deps", name)
            headers = set(re.findall(r"\S+/(?:cuda_runtime|cuda_runtime_api|cuda_fp16|driver_types|nccl)\.h", deps))
            self.assertTrue(headers, deps)
            site = WHEEL.parents[3].resolve()  # .venv may be a link
            foreign = [header for header in headers if site not in (build / header).resolve().parents]
            self.assertEqual(foreign, [], name)

    def test_without_a_toolkit(self):
        self.expect_the_wheel("-DCMAKE_DISABLE_FIND_PACKAGE_CUDAToolkit=ON")

    def test_with_another_toolkit_in_the_way(self):
        toolkit = self.pretended_toolkit()
        self.environment |= {"CUDA_PATH": str(toolkit), "CUDA_HOME": str(toolkit), "CUDAToolkit_ROOT": str(toolkit),
                             "PATH": f"{toolkit / 'bin'}:{self.environment['PATH']}"}
        self.expect_the_wheel(f"-DCUDAToolkit_ROOT={toolkit}")


if __name__ == "__main__":
    unittest.main()
