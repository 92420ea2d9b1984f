"""10,000 heads, a file each: they load, run on one rank and on four that share them, and say what PyTorch says."""

import random
import subprocess
import time
import unittest

import h5py
import numpy as np
import torch
import torchvision
import yaml
from support.harness import EndToEnd, environment, mpirun_command, results

HEADS, SAMPLES, BATCH = 10_000, 256, 32
MIB = 2**20
HEAD_BYTES = HEADS * 528 * 10 * 4  # weights and biases, padded


def anonymous_memory(output):
    """RssAnon in bytes of each rank of the job that writes `output`, by pid."""
    listed = subprocess.run(["pgrep", "-f", f"polyhead run .*{output}"], capture_output=True, text=True, check=False)
    memory = {}
    for pid in map(int, listed.stdout.split()):
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                lines = dict(line.split(":", 1) for line in status)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if lines["Name"].strip() == "polyhead" and "RssAnon" in lines:
            memory[pid] = int(lines["RssAnon"].split()[0]) * 1024
    return memory


class ManyHeads(EndToEnd):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(0)
        cls.weights = torch.randn(HEADS, 10, 512) / 20
        cls.biases = torch.randn(HEADS, 10)

    def setUp(self):
        super().setUp()
        heads = self.folder / "heads"
        heads.mkdir()
        for k in range(HEADS):
            torch.save({"0.weight": self.weights[k].clone(), "0.bias": self.biases[k].clone()}, heads / f"{k:05}.pth")
        with h5py.File(self.folder / "data.h5") as file:
            self.images = file["images"][:SAMPLES]
        with h5py.File(self.folder / "few.h5", "w") as file:
            file["images"] = self.images
        config = yaml.safe_load(self.config.read_text())
        config["data"]["path"] = "few.h5"
        config["heads"] = [{"glob": "heads/*.pth", "layers": ["linear 10"]}]
        self.mean, self.std = (torch.tensor(config["data"]["preprocess"][key]).view(3, 1, 1) for key in ("mean", "std"))
        self.config.write_text(yaml.safe_dump(config))

    def run_watched(self, output, ranks):
        """Runs the job; the most anonymous memory that each rank had while it worked."""
        command = ["run", self.config, "--set", f"output.path={output}", "--set", "parallel.strategy=heads",
                   "--set", "parallel.threads=1", "--set", f"parallel.batch={BATCH}", "--progress", "none"]
        seen = {}
        with subprocess.Popen(mpirun_command(ranks, command), env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as job:
            while job.poll() is None:
                if output.exists():
                    for pid, size in anonymous_memory(str(output)).items():
                        seen.setdefault(pid, []).append(size)
                time.sleep(0.02)
            self.assertEqual(job.returncode, 0, job.stdout.read())
        self.assertEqual(len(seen), ranks)
        return [max(seen[pid]) for pid in sorted(seen)]

    def test_one_rank_and_four(self):
        one = self.run_watched(self.folder / "one.h5", 1)
        four = self.run_watched(self.folder / "four.h5", 4)
        self.assertEqual(results(self.folder / "one.h5"), results(self.folder / "four.h5"))
        print("MiB of a rank: alone", [size // MIB for size in one], "of four", [size // MIB for size in four])
        for size in four:
            self.assertLess(size, one[0] - HEAD_BYTES / 2)

    @torch.inference_mode()
    def test_against_pytorch(self):
        path = self.folder / "scores.h5"
        self.run_job(path.name, "parallel.strategy=heads", "output.head_scores=true", "parallel.threads=1", ranks=4)
        backbone = torchvision.models.resnet18()
        state = torch.load(self.folder / "backbone.pth", weights_only=True)
        backbone.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")}, strict=False)
        backbone.fc = torch.nn.Identity()
        pixels = (torch.from_numpy(self.images).permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        features = backbone.eval()(pixels)
        with h5py.File(path) as file:
            for k in random.Random(3).sample(range(HEADS), 20):
                logits = (features @ self.weights[k].T + self.biases[k]).numpy()
                self.assertLess(np.abs(file["heads/scores"][:, k] - logits).max(), 1e-4)
                self.assertTrue((file["heads/prediction"][:, k] == logits.argmax(1)).all())
            mean = torch.einsum("nf,kcf->nc", features, self.weights) / HEADS + self.biases.mean(0)
            self.assertLess(np.abs(file["fused/scores"][()] - mean.numpy()).max(), 1e-4)


if __name__ == "__main__":
    unittest.main()
