"""kill -9 at random moments, of mpirun, of one rank or of all: the file opens, every micro-batch that the ledger calls done is
right, and the job, resumed on another number of ranks until it is complete, has the bytes of one that nobody disturbed.

POLYHEAD_KILLS says how often; tests/soak.sh has 200."""

import collections
import os
import unittest

from support.disturbed import KILLED, Disturbed

class Kill(Disturbed):
    times = int(os.environ.get("POLYHEAD_KILLS", "8"))

    def test_killed_and_resumed_until_complete(self):
        self.begin(seed=self.times)
        kills, moments, complete = collections.Counter(), [], 0
        while kills.total() < self.times or len(self.done) > 0:
            job = self.start()
            what = KILLED[kills.total() % len(KILLED)]
            if kills.total() < self.times and self.random_moment(job) and self.kill(job, what):
                kills[what] += 1
            if self.judge(*self.end(job)):
                complete += 1
                self.new_job()
            else:
                moments.append(int(self.done.sum()))
        print(f"{self.times} kills ({', '.join(f'{count} of {what}' for what, count in kills.items())}), {self.resumes} resumes, "
              f"{complete} jobs complete with the same bytes; a run that ended early left none of 125 micro-batches done "
              f"{moments.count(0)} times, all {moments.count(125)} times, others {len(set(moments) - {0, 125})} numbers of them")
        self.assertEqual(list(self.disk.glob("*.lock")), [])
        self.assertTrue(any(0 < done < 125 for done in moments), "no kill came while a job worked")

    def test_what_is_finished_is_not_written_again(self):
        """Finished rows are altered between two runs: the second leaves them as they are."""
        self.begin(seed=1)
        while not 0 < self.done.sum() < 125:
            self.new_job()
            job = self.start()
            if self.random_moment(job):
                self.kill(job, "all ranks")
            self.judge(*self.end(job))
        rows = self.mark_finished()
        job = self.start()
        self.assertEqual(self.end(job)[0], 0)
        self.check_marks(rows)


if __name__ == "__main__":
    unittest.main()
