"""Members that are whole models: PyTorch's scores bit for bit, the same bytes on any grid, alone and with others, and what is
refused."""

import json
import shutil
import unittest
from pathlib import Path

import h5py
import numpy as np
import torch
import torchvision
from support import members
from support.harness import DEMO, LONG, EndToEnd, InFolder, polyhead, results

CONFIGS = Path(__file__).parents[2] / "configs"

SAMPLES = 6 * members.BATCH + 3
ALL = ["{program: base.pt2}", "{program: head.pt2, weight: 2}", "{program: late.pt2}", "{program: attention.pt2}",
       "{program: other.pt2}", "{name: resnet, weights: resnet.pth, arch: resnet18}"]
NAMES = ["base", "head", "late", "attention", "other", "resnet"]
# strategy, ranks, threads
GRIDS = (("data", 3, 1), ("heads", 3, 2), ("{data: 2, heads: 2}", 4, 1))
if LONG:
    GRIDS += (("data", 2, 5), ("heads", 2, 1), ("heads", 6, 3), ("{data: 1, heads: 5}", 6, 1))


class Members(InFolder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.models = members.make_members(cls.folder)
        cls.images = members.make_images(cls.folder / "data.h5", SAMPLES)

    def config(self, *items, more=""):
        """A configuration with these members."""
        path = self.folder / "job.yaml"
        path.write_text("data: {format: hdf5, path: data.h5}\nmembers:\n" + "".join(f"  - {item}\n" for item in items) +
                        "parallel: {batch: 16}\noutput: {path: out.h5, head_scores: true}\n" + more)
        return path

    def run_job(self, config, *sets, ranks=1, flags=("--overwrite",)):
        arguments = [argument for option in sets for argument in ("--set", option)]
        done = polyhead("run", config, *flags, *arguments, ranks=ranks)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return done.stderr + done.stdout

    def assert_fails(self, config, code, *texts, verb="check"):
        done = polyhead(verb, config)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        for text in texts:
            self.assertIn(text, done.stderr)

    def scores(self):
        with h5py.File(self.folder / "out.h5") as file:
            return file["heads/scores"][()]

    def test_pytorchs_scores_on_any_grid(self):
        config = self.config(*ALL)
        told = self.run_job(config)
        self.assertIn("6 members that are whole models", told)
        alone = results(self.folder / "out.h5")
        for k, name in enumerate(NAMES):
            np.testing.assert_array_equal(self.scores()[:, k], members.logits_of(self.models[name], self.images), err_msg=name)
        with h5py.File(self.folder / "out.h5") as file:
            weights = np.array([1, 2, 1, 1, 1, 1]) / 7
            fused = (self.scores().astype(np.float64) * weights[None, :, None]).sum(axis=1)
            np.testing.assert_allclose(file["fused/scores"][()], fused, atol=1e-6)
        for grid, ranks, threads in GRIDS:
            for features in ("exchange", "local") if grid != "data" else ("exchange",):
                with self.subTest(grid=grid, ranks=ranks, threads=threads, features=features):
                    sets = [f"parallel.strategy={grid}"] if grid[0] != "{" else ["parallel.strategy=grid", f"parallel.grid={grid}"]
                    self.run_job(config, *sets, f"parallel.threads={threads}", f"parallel.features={features}", ranks=ranks)
                    self.assertEqual(results(self.folder / "out.h5"), alone)
        done = polyhead("verify", self.folder / "out.h5")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def test_alone_as_with_others(self):
        self.run_job(self.config(*ALL))
        together = self.scores()
        for k in (1, 3):
            self.run_job(self.config(ALL[k]))
            np.testing.assert_array_equal(self.scores()[:, 0], together[:, k])
        self.run_job(self.config(ALL[4], ALL[0], ALL[3]), "parallel.strategy=heads", ranks=2)
        np.testing.assert_array_equal(self.scores(), together[:, [4, 0, 3]])

    def test_a_checkpoint_is_its_program(self):
        members.export(self.models["resnet"], self.folder / "resnet.pt2")
        told = self.run_job(self.config(ALL[5], "{name: program, program: resnet.pt2}"))
        self.assertIn("member 'program' computes the same as 'resnet': the fusion counts it twice", told)
        np.testing.assert_array_equal(self.scores()[:, 0], self.scores()[:, 1])

    def test_folds(self):
        for fold, name in enumerate(("base", "late")):
            (self.folder / f"fold{fold}").mkdir()
            shutil.copy(self.folder / f"{name}.pt2", self.folder / f"fold{fold}/best.pt2")
            torch.save(self.models["resnet"].state_dict(), self.folder / f"fold{fold}/best.pth")
        self.run_job(self.config("{glob: fold*/best.pt2}"))
        with h5py.File(self.folder / "out.h5") as file:
            self.assertEqual([name.decode() for name in file["heads/name"][()]], ["fold0", "fold1"])
        np.testing.assert_array_equal(self.scores()[:, 1], members.logits_of(self.models["late"], self.images))
        self.run_job(self.config("{glob: fold*/best.pth, arch: resnet18}"))
        np.testing.assert_array_equal(self.scores()[:, 1], members.logits_of(self.models["resnet"], self.images))

    def test_what_they_share_is_told(self):
        config = self.config(*ALL[:3])
        done = polyhead("check", config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"merged +\d+ ")
        self.assertIn("base, head part from the others at fc (aten.linear.default): fc.weight has other values", done.stdout)
        done = polyhead("plan", config, "--ranks", "3", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        sharing = json.loads(done.stdout)["sharing"]
        self.assertEqual([member["name"] for member in sharing["members"]], NAMES[:3])
        self.assertLess(sharing["merged"]["multiply_adds"], sharing["each_alone"]["multiply_adds"] / 2)

    def test_reference(self):
        np.savez(self.folder / "reference.npz", samples=np.arange(5),
                 **{name: members.logits_of(self.models[name], self.images)[:5] for name in NAMES[:2]})
        done = polyhead("check", self.config(*ALL[:2]), "--against", self.folder / "reference.npz")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_resumed_run_notices_another_member(self):
        config = self.config(*ALL[:2])
        self.run_job(config)
        shutil.copy(self.folder / "head.pt2", self.folder / "kept.pt2")
        members.export(members.moved(self.models["head"], "convs.0"), self.folder / "head.pt2")
        self.addCleanup(shutil.copy, self.folder / "kept.pt2", self.folder / "head.pt2")
        done = polyhead("run", config, "--resume")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("members: what one of them computes is another now", done.stderr)

    def test_what_is_refused(self):
        members.export(members.Residual(classes=7), self.folder / "seven.pt2")
        members.export(members.Residual(), self.folder / "large.pt2", size=64)
        members.export(members.Residual(), self.folder / "fixed.pt2", batch=False)
        members.export(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 5), torch.nn.LogSigmoid()),
                       self.folder / "operator.pt2")
        (self.folder / "cut.pt2").write_bytes((self.folder / "base.pt2").read_bytes()[:5000])
        self.assert_fails(self.config(ALL[0], "{program: seven.pt2}"), 65, "base gives 5 classes, seven gives 7")
        self.assert_fails(self.config("{program: large.pt2}"), 65, "large.pt2: takes batches of images of shape [16, 3, 64, 64]",
                          "data.preprocess gives [16, 3, 32, 32]")
        self.assert_fails(self.config("{program: operator.pt2}"), 65, "aten.log_sigmoid.default", "allowed.cpp")
        self.assert_fails(self.config("{program: cut.pt2}"), 65, "cut.pt2")
        self.assert_fails(self.config("{program: none.pt2}"), 66, "none.pt2")
        self.assert_fails(self.config("{weights: resnet.pth, arch: resnet19}"), 78, "there is no architecture 'resnet19'")
        self.assert_fails(self.config("{weights: resnet.pth, arch: resnet34}"), 65, "resnet34")
        self.assert_fails(self.config(ALL[0], "{weights: resnet.pth}"), 78, "cannot be members of one ensemble yet")
        self.assert_fails(self.config("{program: base.pt2, weights: resnet.pth}"), 78, "'weights' is for")
        self.assert_fails(self.config("{program: base.pt2, layers: [linear 5]}"), 78, "'layers' is for heads on a backbone")
        self.assert_fails(self.config(ALL[0], more="backbone: {weights: resnet.pth}\n"), 78, "leave it out")
        self.assert_fails(self.config(ALL[0], more="heads: [{weights: resnet.pth}]\n"), 78, "exclude each other")
        path = self.config(ALL[0])
        path.write_text(path.read_text().replace("batch: 16", "batch: 8"))
        self.assert_fails(path, 78, "micro-batches of at least 16, not 8")
        path = self.config("{program: fixed.pt2}")
        self.run_job(path)
        path.write_text(path.read_text().replace("batch: 16", "batch: 32"))
        self.assert_fails(path, 65, "exported for batches of 16 samples, and the job's have 32")
        path.write_text(path.read_text().replace("batch: 32", "batch: auto"))
        self.run_job(path)
        with h5py.File(self.folder / "out.h5") as file:
            self.assertEqual(file["ledger/batches"].shape, (7,))


class FineTuned(EndToEnd):
    """Whole models that were really fine-tuned, on the demo's digits."""

    FILES = ("fold0.pth", "fold1.pth", "drifted.pth")

    def test_pytorchs_ensemble(self):
        configs = self.folder / "configs"
        configs.mkdir()
        (self.folder / "runs").mkdir()
        (self.folder / "runs/demo").symlink_to(DEMO)
        for config in CONFIGS.glob("*.yaml"):
            shutil.copy(config, configs)
        done = polyhead("check", configs / "checkpoints.yaml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("first, second part from the others at layer4.0.conv1 (aten.conv2d.default)", done.stdout)
        self.assertRegex(done.stdout, r"drifted parts from the others at bn1 .*\n  running statistics alone differ in 15 batch norms, "
                                      "as after training with the backbone in train mode; without that they would part at layer4.0.conv1 ")
        done = polyhead("run", configs / "checkpoints.yaml", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        images = h5py.File(DEMO / "data.h5")["images"][:]
        mean, std = (torch.full((3, 1, 1), value) for value in (0.1003, 0.2753))
        wanted = []
        for file in self.FILES:
            model = torchvision.models.resnet18(num_classes=10).eval()
            model.load_state_dict(torch.load(DEMO / file, weights_only=True))
            wanted.append(members.logits_of(lambda x, net=model: net((x - mean) / std), images, batch=32))
        with h5py.File(self.folder / "runs/checkpoints.h5") as file:
            np.testing.assert_array_equal(file["heads/scores"][()], np.stack(wanted, axis=1))
            fused = np.average(np.stack(wanted).astype(np.float64), axis=0, weights=[1, 2, 1])
            np.testing.assert_allclose(file["fused/scores"][()], fused, atol=1e-6)
            np.testing.assert_array_equal(file["fused/prediction"][()], fused.argmax(1))
        for name, count in (("folds", 2), ("mixed", 2)):
            done = polyhead("run", configs / f"{name}.yaml", ranks=2)
            self.assertEqual(done.returncode, 0, done.stderr)
            with h5py.File(self.folder / f"runs/{name}.h5") as file:
                self.assertEqual(len(file["heads/name"]), count)
                right = (file["heads/prediction"][()] == file["samples/label"][()][:, None]).mean(axis=0)
                self.assertGreater(right.min(), 0.6)  # trained for seconds; by chance it were 0.1


if __name__ == "__main__":
    unittest.main()
