"""output.writers: all. Ranks write the pages that their rows fill: the same bytes as when the coordinator writes all, on any
ranks, and after a kill nothing that the ledger calls done is wrong."""

import re
import unittest

import kill_test
import torch
import yaml
from support.harness import LONG, EndToEnd, polyhead, results

HEADS = 512  # of ten classes: 20 KiB of scores a sample
SETS = ("parallel.threads=1", "parallel.batch=8", "output.head_scores=true")
ALL = "output.writers=all"
GRID = ("parallel.strategy=grid", "parallel.grid={data: 2, heads: 2}")


class Wide(EndToEnd):
    """The demo's backbone and data with many heads."""

    def setUp(self):
        super().setUp()
        torch.manual_seed(1)
        heads = self.folder / "heads"
        heads.mkdir()
        for number in range(HEADS):
            torch.save(torch.nn.Sequential(torch.nn.Linear(512, 10)).state_dict(), heads / f"{number:03}.pth")
        config = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(config | {"heads": [{"glob": "heads/*.pth", "layers": ["linear 10"]}]}))


class Writers(Wide):
    def test_the_same_bytes(self):
        self.run_job("plain.h5", *SETS)
        expected = results(self.folder / "plain.h5")
        scores = len(expected["heads/scores"])
        for ranks, sets in ((1, ()), (2, ()), (4, GRID)):
            with self.subTest(ranks=ranks):
                done = self.run_job("out.h5", *SETS, ALL, *sets, ranks=ranks, flags=["--overwrite"])
                self.assertEqual(results(self.folder / "out.h5"), expected)
                number, unit = re.search(r"the ranks wrote ([\d.]+) ([KM]iB) of rows themselves", done.stderr).groups()
                # Each micro-batch leaves up to a page at each of its ends.
                self.assertGreater(float(number) * {"KiB": 2**10, "MiB": 2**20}[unit], 0.2 * scores)
        done = polyhead("verify", self.folder / "out.h5", "--sample", "16")
        self.assertEqual(done.returncode, 0, done.stderr)


class KilledWriters(Wide, kill_test.Kill):
    times = 20 if LONG else 4
    test_mpirun_is_killed = None  # kill_test.py does that; here what is written counts

    def choose_size(self, size):
        super().choose_size(size)
        self.sets = (*self.sets, ALL)


if __name__ == "__main__":
    unittest.main()
