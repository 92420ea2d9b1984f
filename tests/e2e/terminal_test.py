"""Progress on a terminal: a bar that redraws itself and ends its line; off it, no bar."""

import os
import pty
import re
import subprocess
import unittest

import h5py
import numpy as np
from support.harness import POLYHEAD, SECONDS, EndToEnd, environment, mpirun_command, polyhead

BAR = re.compile(r"\r\[=*>? *\] +(\d+)%  (\d+)/1000  [\d.]+ img/s  (\S+(?: s)?) left\x1b\[K")
ERASE = "\x1b[K"  # ends each bar; Python turns the \r before it into \n
# Enough work that the bar, redrawn five times a second, is seen.
WORK = ["data.preprocess.resize=64", "data.preprocess.crop=64", "parallel.batch=8"]


class Terminal(EndToEnd):
    def arguments(self, *sets):
        return ["run", self.config] + [word for option in [*WORK, *sets] for word in ("--set", option)]

    def on_terminal(self, command):
        """(exit code, what a terminal got) of a program whose stderr is one, and whose stdout is not."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(list(map(str, command)), env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=theirs) as job:
            os.close(theirs)
            parts = []
            try:
                while part := os.read(ours, 1 << 16):
                    parts.append(part)
            except OSError:  # Linux says so when the other end is closed
                pass
            os.close(ours)
            code = job.wait(SECONDS)
        return code, b"".join(parts).decode().replace("\r\n", "\n")

    def check_bar(self, command):
        code, text = self.on_terminal(command)
        self.assertEqual(code, 0, text)
        shares = [int(match.group(1)) for match in BAR.finditer(text)]
        self.assertGreaterEqual(len(shares), 2, text)
        self.assertEqual(shares, sorted(shares))
        self.assertEqual(shares[-1], 100)
        self.assertEqual(text.count("\r"), len(shares), "nothing but whole bars is redrawn")
        after = text[[*BAR.finditer(text)][-1].end():]
        self.assertTrue(after.startswith("\n"), repr(after))
        self.assertNotIn("[", after.strip(), "nothing is said after the bar")

    def test_alone(self):
        self.check_bar([POLYHEAD, *self.arguments()])

    def test_under_mpirun(self):
        self.check_bar(mpirun_command(2, self.arguments()))

    def test_a_failure_starts_a_line_of_its_own(self):
        (self.folder / "data.h5").unlink()
        path = self.folder / "nan.h5"
        self.make_data_whose_end_is_bad(path)
        code, text = self.on_terminal([POLYHEAD, *self.arguments(f"data.path={path}")])
        self.assertEqual(code, 65, text)
        self.assertGreaterEqual(len(BAR.findall(text)), 1, text)
        self.assertRegex(text, r"\x1b\[K\n\S*\[\d\d:\d\d:\d\d\] \[\S*error")

    def make_data_whose_end_is_bad(self, path):
        images = np.zeros((1000, 3, 32, 32), np.float32)
        images[-10:] = np.nan
        with h5py.File(path, "w") as file:
            file["images"] = images

    def test_no_bar_off_a_terminal(self):
        for ranks in (None, 2):
            done = polyhead(*self.arguments(f"output.path={self.folder / f'{ranks}.h5'}"), ranks=ranks)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(ERASE, done.stderr)

    def test_styles(self):
        done = polyhead(*self.arguments(), "--progress", "bar", ranks=2)
        self.assertGreaterEqual(done.stderr.count(ERASE), 2, done.stderr)
        self.assertEqual(polyhead(*self.arguments(), "--progress", "dots").returncode, 64)


if __name__ == "__main__":
    unittest.main()
