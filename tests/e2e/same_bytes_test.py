"""The same job gives the same bytes, whatever runs it."""

import unittest

from support.harness import EndToEnd, results

RANKS = (1, 2, 3, 4)
THREADS = (1, 2)


class SameBytes(EndToEnd):
    def check(self, *sets):
        expected = None
        for ranks in RANKS:
            for threads in THREADS:
                self.run_job("out.h5", f"parallel.threads={threads}", "output.head_scores=true", *sets, ranks=ranks,
                             flags=["--overwrite"])
                found = results(self.folder / "out.h5")
                expected = expected or found
                self.assertEqual(sorted(found), sorted(expected))
                for name, content in expected.items():
                    self.assertEqual(found[name], content, f"{name} differs on {ranks} ranks with {threads} threads")

    def test_mean_logits(self):
        self.check("fusion.rule=mean-logits")

    def test_mean_probabilities_with_weights_and_a_ragged_tail(self):
        # 1000 samples in micro-batches of 48: the last holds 40.
        self.check("fusion.rule=mean-probabilities", "heads[1].weight=2.5", "parallel.batch=48")

    def test_more_ranks_than_micro_batches(self):
        self.run_job("one.h5", "parallel.batch=1000", ranks=1)
        done = self.run_job("four.h5", "parallel.batch=1000", "parallel.strategy=data", ranks=4)
        self.assertIn("there is only 1 micro-batch: 3 of 4 ranks get none", done.stderr)
        self.assertEqual(results(self.folder / "one.h5"), results(self.folder / "four.h5"))

    def test_without_mpirun(self):
        self.run_job("plain.h5", ranks=None)
        self.run_job("mpi.h5", ranks=2)
        self.assertEqual(results(self.folder / "plain.h5"), results(self.folder / "mpi.h5"))


if __name__ == "__main__":
    unittest.main()
