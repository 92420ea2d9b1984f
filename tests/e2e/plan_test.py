"""polyhead plan through the real program: for this machine and for others, as text and as JSON, without a run."""

import json
import os
import shutil
import time
import unittest

import yaml
from support.harness import EndToEnd, polyhead

GIB = 1 << 30
CONFIG, USAGE, NO_INPUT = 78, 64, 66


class Plan(EndToEnd):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"

    def plan(self, *arguments):
        return polyhead("plan", self.config, "--set", f"output.path={self.output}", *arguments)

    def planned(self, *arguments):
        done = self.plan("--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_for_this_machine(self):
        done = self.plan()
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("1000 images of 32 x 32, resnet18 (0.07 GFLOP an image), 5 heads, 10 classes",
                     "1 rank on this machine", "1 x 1 (data x heads), data", "32 micro-batches of 32 images",
                     "memory of rank 0", "assumed (polyhead plan --measure"):
            self.assertIn(text, done.stdout)
        self.assertFalse(self.output.exists(), "planning makes no result")

    def test_for_other_machines(self):
        for ranks in (8, 64, 512, 4096):
            start = time.monotonic()
            plan = self.planned("--ranks", ranks, "--gpus-per-node", 8, "--gpu-memory", "16GiB", "--gpu-tflops", 14,
                                "--bandwidth", "12GB", "--set", "parallel.batch=1")
            seconds = time.monotonic() - start
            print(f"{ranks} ranks planned in {seconds:.2f} s")
            self.assertLess(seconds, 10)  # a second on an idle machine
            self.assertEqual(plan["grid"], {"data": ranks, "heads": 1})
            self.assertTrue(plan["fits"])
            self.assertLess(plan["limits"]["gpu"], 16 * GIB)
            self.assertIn(f"{ranks} ranks", plan["machines"])
            self.assertEqual(plan["estimate"]["steps"], -(-1000 // ranks))
            self.assertIn("every rank can hold all 5 heads", plan["reason"])

    def test_every_head_has_its_rank(self):
        plan = self.planned("--ranks", 6, "--set", "parallel.strategy=grid", "--set", "parallel.grid.data=2",
                            "--set", "parallel.grid.heads=3")
        self.assertEqual(plan["strategy"], "grid")
        heads = [(member["first_head"], member["heads"]) for member in plan["members"]]
        self.assertEqual(len(heads), 3)
        self.assertEqual([first for first, _ in heads], [0, heads[0][1], heads[0][1] + heads[1][1]])
        self.assertEqual(sum(count for _, count in heads), 5)

    def test_an_explicit_grid_is_explained(self):
        done = self.plan("--ranks", 7, "--set", "parallel.strategy=grid", "--set", "parallel.grid={data: 3, heads: 2}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the configuration asks for it (parallel.strategy: grid)", done.stdout)
        self.assertIn("1 of 7 ranks will idle: a grid of 3 x 2 uses 6", done.stdout)

    def test_what_is_wrong(self):
        grid = ("--set", "parallel.strategy=grid", "--set", "parallel.grid={data: 3, heads: 2}")
        self.assert_fails(self.plan("--ranks", 4, *grid), CONFIG, "3 x 2 (data x heads) needs 6 ranks, but 4 were started")
        self.assert_fails(self.plan("--gpu-memory", "16GiB"), USAGE, "say --gpus-per-node as well")
        self.assert_fails(self.plan("--gpus-per-node", 8, "--measure"), USAGE, "--measure measures this machine")
        self.assert_fails(self.plan("--ranks", 0), USAGE, "--ranks")
        self.assert_fails(self.plan("--set", "backbone.weights=gone.pth"), NO_INPUT, "gone.pth")

    def test_heads_that_do_not_fit(self):
        config = yaml.safe_load(self.config.read_text())
        config["heads"] = [{"name": f"h{number}", "weights": "mlp.pth", "layers": ["linear 60000", "relu", "linear 10"]}
                           for number in range(40)]
        self.config.write_text(yaml.safe_dump(config))
        machines = ("--ranks", 8, "--gpus-per-node", 8, "--gpu-memory", "4GiB", "--set", "parallel.batch=4")
        plan = self.planned(*machines)
        self.assertTrue(plan["fits"])
        self.assertGreater(plan["grid"]["heads"], 1)
        self.assertIn("ranks share them", plan["reason"])
        for member in plan["members"]:
            self.assertLessEqual(member["gpu_memory"]["total"], plan["limits"]["gpu"])
        alone = self.plan(*machines, "--set", "parallel.strategy=data")
        self.assertIn("it does not fit: rank 0 needs", alone.stdout)

    def test_ten_thousand_heads(self):
        """By a glob: no weights are read, so it is quick."""
        heads = self.folder / "heads"
        heads.mkdir()
        shutil.copy(self.folder / "plain.safetensors", heads / "0.safetensors")
        for number in range(1, 10_000):
            os.link(heads / "0.safetensors", heads / f"{number}.safetensors")
        config = yaml.safe_load(self.config.read_text())
        config["heads"] = [{"glob": "heads/*.safetensors", "layers": ["linear 10"]}]
        self.config.write_text(yaml.safe_dump(config))
        start = time.monotonic()
        plan = self.planned("--ranks", 4, "--ranks-per-node", 4, "--set", "parallel.strategy=heads")
        seconds = time.monotonic() - start
        print(f"10,000 heads planned in {seconds:.2f} s")
        self.assertLess(seconds, 30)
        self.assertEqual([member["heads"] for member in plan["members"]], [2500] * 4)
        head = (512 * 10 + 16) * 4
        self.assertAlmostEqual(plan["members"][3]["host_memory"]["heads"], 2500 * head, delta=1e6)

    def test_measuring(self):
        before = set(os.listdir(self.folder))
        plan = self.planned("--measure", "--ranks", 2)
        self.assertEqual(len(plan["measured"]), 3)
        self.assertEqual(plan["assumed"], [])
        self.assertIn("2 rank(s) at once", plan["measured"][0])
        self.assertGreater(plan["estimate"]["working_seconds"], 0)
        self.assertLessEqual(set(os.listdir(self.folder)) - before, {"out.h5.index"})


if __name__ == "__main__":
    unittest.main()
