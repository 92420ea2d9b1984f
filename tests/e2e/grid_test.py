"""Any grid of ranks gives the same bytes: D groups of H ranks that share the heads, features exchanged (over MPI or NCCL) or
computed by every rank, more ranks than heads, idle ranks."""

import unittest

import h5py
import numpy as np
import torch
import yaml
from support.harness import LONG, NCCL_DOUBLE, EndToEnd, polyhead, provenance, results

# What a group of ranks does is tested for 72 grids by run's unit tests; 2 and 3 ranks are below, too.
RANKS = (1, 2, 3, 4, 6, 8) if LONG else (4, 6)
RANKS_OF_MANY = RANKS if LONG else (4,)
RAGGED = ("parallel.batch=48", "output.head_scores=true", "parallel.threads=1")  # 1000 = 20 x 48 + 40
SAMPLES = 436  # where all grids are run: 9 x 48 + 4, more micro-batches than ranks


def grids(ranks):
    """Every D x H that uses all ranks."""
    return [(ranks // heads, heads) for heads in range(1, ranks + 1) if ranks % heads == 0]


class Grid(EndToEnd):
    def run_grid(self, data, heads, *sets, ranks=None, features="exchange", **how):
        """The result datasets of a run on the grid."""
        done = self.run_job("out.h5", *RAGGED, *sets, "parallel.strategy=grid", f"parallel.features={features}",
                            f"parallel.grid={{data: {data}, heads: {heads}}}", ranks=ranks or data * heads,
                            flags=["--overwrite"], **how)
        self.assertEqual(provenance(self.folder / "out.h5")["grid"], {"data": data, "heads": heads})
        return done, results(self.folder / "out.h5")

    def run_grid_on_nccl(self, data, heads, *sets):
        found = self.run_grid(data, heads, *sets, program=NCCL_DOUBLE,
                              variables={"POLYHEAD_NCCL_DOUBLE_GPUS": str(data * heads)})[1]
        self.assertEqual(provenance(self.folder / "out.h5")["backend"], "nccl")
        return found

    def check_all_grids(self, *sets, sizes=RANKS):
        self.take_samples(SAMPLES)
        self.run_job("serial.h5", *RAGGED, *sets, ranks=None)
        expected = results(self.folder / "serial.h5")
        self.assertIn("heads/scores", expected)
        if NCCL_DOUBLE:
            self.run_job("torch.h5", *RAGGED, *sets, "backbone.engine=libtorch", ranks=None)
            on_gpus = results(self.folder / "torch.h5")
        for ranks in sizes:
            for data, heads in grids(ranks):
                for features in ("exchange", "local") if heads > 1 else ("exchange",):
                    with self.subTest(data=data, heads=heads, features=features):
                        self.assertEqual(self.run_grid(data, heads, *sets, features=features)[1], expected)
                if NCCL_DOUBLE and heads > 1 and ranks in (2, 4):
                    with self.subTest(data=data, heads=heads, backend="nccl"):
                        self.assertEqual(self.run_grid_on_nccl(data, heads, *sets), on_gpus)
        return expected

    def add_heads(self, count, widths=(16, 64, 256, 1024)):
        """A configuration with `count` random heads of these widths, in place of the demo's."""
        torch.manual_seed(count)
        heads = []
        for number in range(count):
            width = widths[number % len(widths)]
            head = torch.nn.Sequential(torch.nn.Linear(512, width), torch.nn.ReLU(), torch.nn.Linear(width, 10))
            torch.save(head.state_dict(), self.folder / f"random-{number}.pth")
            heads.append({"weights": f"random-{number}.pth", "layers": [f"linear {width}", "relu", "linear 10"],
                          "weight": 1 + number % 3})
        config = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(config | {"heads": heads}))

    def test_five_heads(self):
        self.check_all_grids("fusion.rule=mean-probabilities", "heads[1].weight=2.5")

    def test_64_heads_of_mixed_sizes(self):
        self.add_heads(64)
        self.check_all_grids(sizes=RANKS_OF_MANY)

    def test_two_threads_a_rank(self):
        self.run_job("serial.h5", *RAGGED, ranks=None)
        expected = results(self.folder / "serial.h5")
        for data, heads in ((1, 2), (2, 2)):
            self.assertEqual(self.run_grid(data, heads, "parallel.threads=2")[1], expected)

    def test_strategies_by_name(self):
        self.run_job("serial.h5", *RAGGED, ranks=None)
        expected = results(self.folder / "serial.h5")
        for strategy, grid in (("data", (3, 1)), ("heads", (1, 3)), ("auto", (3, 1))):
            self.run_job("out.h5", *RAGGED, f"parallel.strategy={strategy}", ranks=3, flags=["--overwrite"])
            self.assertEqual(results(self.folder / "out.h5"), expected)
            self.assertEqual(provenance(self.folder / "out.h5")["grid"], {"data": grid[0], "heads": grid[1]})

    def test_auto_shares_heavy_heads_when_there_are_few_micro_batches(self):
        self.add_heads(16, widths=(2048,))
        few = ("parallel.batch=500", "output.head_scores=true", "parallel.threads=1")
        self.run_job("serial.h5", *few, ranks=None)
        done = self.run_job("auto.h5", *few, ranks=4)
        self.assertRegex(done.stderr, r"plan: 1 x 4 \(data x heads\); the 16 heads are \d+% of the work and there are 2 "
                                      "micro-batches for 4 ranks: sharing the heads takes")
        self.assertEqual(provenance(self.folder / "auto.h5")["grid"], {"data": 1, "heads": 4})
        self.assertEqual(results(self.folder / "auto.h5"), results(self.folder / "serial.h5"))

    def test_the_plan_is_logged_and_its_micro_batch_stored(self):
        """Chosen once: the file says which, so that every later look at the job takes the same."""
        done = self.run_job("out.h5", "parallel.batch=auto", ranks=2)
        self.assertEqual(done.stderr.count("plan: 2 x 1 (data x heads); every rank can hold all 5 heads"), 1, done.stderr)
        with h5py.File(self.folder / "out.h5") as file:
            config = yaml.safe_load(bytes(file["job/config"][()]).rstrip(b"\0"))
        self.assertEqual(config["parallel"]["batch"], 32)

    def test_surplus_ranks_idle_with_a_warning(self):
        done, found = self.run_grid(2, 2, ranks=5)
        self.assertIn("1 of 5 ranks will idle: a grid of 2 x 2 uses 4", done.stderr)
        self.run_job("serial.h5", *RAGGED, ranks=None)
        self.assertEqual(found, results(self.folder / "serial.h5"))

    def test_a_grid_that_does_not_fit(self):
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'out.h5'}", "--set",
                        "parallel.strategy=grid", "--set", "parallel.grid={data: 2, heads: 3}", ranks=4)
        self.assert_fails(done, 78, "needs 6 ranks")
        self.assertFalse((self.folder / "out.h5").exists())

    def test_a_backend_that_is_not_there(self):
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'out.h5'}", "--set",
                        "comm.backend=nccl", "--set", "parallel.device=cpu", ranks=2)
        self.assert_fails(done, 78, "comm.backend nccl cannot be used: rank 0 on", "Use comm.backend: mpi or auto")

    def test_quarantined_samples(self):
        """A sample without an answer from one head has none from any, whichever rank owns it."""
        state = torch.load(self.folder / "mlp.pth", weights_only=True)
        weak = self.folder / "weak.pth"
        state["0.weight"] = state["0.weight"] * 3e37  # overflows for most samples
        torch.save(state, weak)
        sets = (f"heads[0].weights={weak}", "data.max_bad=100%")
        self.run_job("serial.h5", *RAGGED, *sets, ranks=None)
        expected = results(self.folder / "serial.h5")
        status = np.frombuffer(expected["samples/status"], np.uint8)
        self.assertTrue((status == 2).any())
        self.assertEqual(self.run_grid(1, 3, *sets)[1], expected)
        self.assertEqual(self.run_grid(2, 2, *sets, features="local")[1], expected)


if __name__ == "__main__":
    unittest.main()
