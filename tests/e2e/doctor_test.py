"""polyhead doctor, alone and under mpirun, on this machine."""

import json
import os
import subprocess
import unittest

from support.harness import POLYHEAD, SECONDS, EndToEnd, environment, polyhead

CHECKS = ["mpi", "processor", "cores", "memory", "/dev/shm", "limits", "gpu", "nccl", "network", "infiniband", "output", "clock"]


class Doctor(EndToEnd):
    def findings(self, *arguments, code=0, **how):
        """{check: finding}"""
        done = polyhead("doctor", *arguments, "--json", **how)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        said = json.loads(done.stdout)
        self.assertEqual(said["problems"], sum(finding["verdict"] == "problem" for finding in said["findings"]))
        self.assertEqual([finding["check"] for finding in said["findings"]], CHECKS)
        return {finding["check"]: finding for finding in said["findings"]}

    def test_alone(self):
        before = sorted(self.folder.iterdir())
        found = self.findings(self.config)
        self.assertIn("1 rank on 1 host", found["mpi"]["text"])
        self.assertTrue(found["output"]["text"].startswith(f"{self.folder} on "), found["output"])
        self.assertEqual(found["clock"]["text"], "one host")
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def test_under_mpirun(self):
        found = self.findings(self.config, ranks=2)
        self.assertIn("2 ranks on 1 host", found["mpi"]["text"])
        self.assertEqual(found["mpi"]["hosts"], [os.uname().nodename])
        self.assertIn("for 2 ranks", found["cores"]["text"])

    def test_as_text(self):
        done = polyhead("doctor")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        for check in CHECKS:
            self.assertRegex(done.stdout, rf"(?m)^(ok|note) +{check} ")

    def test_problems_end_it_with_69(self):
        if self.findings()["gpu"]["text"].startswith("none"):
            found = self.findings(self.config, "--set", "parallel.device=cuda", code=69)
            self.assertIn("parallel.device is cuda", found["gpu"]["advice"])
        found = self.findings(self.config, "--set", "output.path=/proc/out.h5", code=69)
        self.assertIn("choose another output.path", found["output"]["advice"])

    def test_few_open_files(self):
        done = subprocess.run(["sh", "-c", 'ulimit -n 256; exec "$0" doctor', POLYHEAD], env=environment(), capture_output=True, text=True,
                              timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "note +limits +256 open files")
        self.assertIn("ulimit -n 4096", done.stdout)

    def test_a_configuration_that_is_wrong(self):
        for ranks in (None, 2):
            done = polyhead("doctor", self.config, "--set", "output.bogus=1", ranks=ranks)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertEqual(done.stderr.count("unknown option 'bogus'"), 1, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
