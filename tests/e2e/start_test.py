"""The program starts fast: on a machine without a GPU nothing of CUDA's libraries, which take seconds to load, is loaded."""

import os
import re
import unittest
from unittest import mock

from support.harness import polyhead

HEAVY = ("libtorch_cuda", "libtorch_python", "libcudnn", "libcublas")


class Start(unittest.TestCase):
    def test_version(self):
        with mock.patch.dict(os.environ, LD_DEBUG="files"):  # the loader names each file that it opens
            done = polyhead("--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^polyhead \d+\.\d+\.\d+ \(LibTorch \d+\.\d+\.\d+\)\n$")
        loaded = set(re.findall(r"file=(\S+)", done.stderr))
        self.assertTrue(any("libtorch_cpu" in name for name in loaded), loaded)
        self.assertEqual([name for name in loaded if any(heavy in name for heavy in HEAVY)], [])


if __name__ == "__main__":
    unittest.main()
