"""Each call on the output file - opens, writes, syncs, renames, from the lock to the certificate - fails once, with each error that
a disk can give: the run succeeds, or it ends with code 73 or 74 and one message; what the ledger calls done is right; and a run
without faults goes on from there to the same bytes as one that nobody disturbed.

Here a few pairs of a call and an error are tried, spread over the run; POLYHEAD_FAULTS=all, as in tests/soak.sh, tries all.
tests/faults/store_faults.cpp tries all of the store alone, in CI as well."""

import collections
import os
import unittest

from support.faults import FailingDisk

ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "ENODEV", "short")
EVERY_PAIR = os.environ.get("POLYHEAD_FAULTS") == "all"
STARTS = 10  # in CI; a third of it on two ranks


class Faults(FailingDisk):
    SAMPLES = 40  # 3 micro-batches

    def counted(self, **how):
        """The kinds of the calls that an undisturbed run makes, in order."""
        log = self.folder / "calls"
        done = self.run_with_fault(log=log, **how)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.output.unlink()
        return [line.split()[1] for line in log.read_text().splitlines()]

    def chosen(self, calls, starts):
        """(number of the call, error): all, or some at even distances."""
        pairs = [(i + 1, error) for i, kind in enumerate(calls) for error in ERRORS
                 if error != "short" or kind == "write"]
        if EVERY_PAIR:
            return pairs
        return [pairs[int((i + 0.5) * len(pairs) / starts)] for i in range(starts)]

    def check_one(self, at, error, expected, ends, **how):
        log = self.folder / "log"
        log.unlink(missing_ok=True)
        done = self.run_with_fault(at=at, error=error, log=log, **how)
        struck = [line for line in log.read_text().splitlines() if line.endswith("FAILED")]
        told = f"{error} at call {struck}:\n{done.stderr}"
        self.assertIn(done.returncode, (0, 73, 74), told)
        self.assertNotIn("internal error", done.stderr, told)
        if error == "short":
            self.assertEqual(done.returncode, 0, told)
        if done.returncode != 0:
            self.assertEqual(done.stderr.count("[error]"), 1, told)
            self.assertIn(str(self.disk), done.stderr, told)
        finished = self.check_ledger(expected) if self.output.exists() else -1
        if done.returncode == 0:
            self.assertEqual(finished, 3, told)
        if not any(" unlink " in line for line in struck):
            self.assertEqual(self.left_over(), [], told)
        self.check_resumed(expected)
        ends[(done.returncode, finished)] += 1

    def try_all(self, starts, **how):
        expected = self.undisturbed()
        pairs = self.chosen(self.counted(**how), starts)
        ends = collections.Counter()
        for at, error in pairs:
            with self.subTest(call=at, error=error):
                for file in self.disk.iterdir():
                    file.unlink()
                self.check_one(at, error, expected, ends, **how)
        told = ", ".join(f"{count} x code {code} with {done} of 3" for (code, done), count in sorted(ends.items()))
        print(f"{len(pairs)} faults: {told} (-1: no file)")
        self.assertGreater(sum(count for (code, _), count in ends.items() if code != 0), len(pairs) // 4)

    def test_one_rank(self):
        self.try_all(STARTS)

    def test_two_ranks(self):
        self.try_all(STARTS // 3, ranks=2, rank=0)


if __name__ == "__main__":
    unittest.main()
