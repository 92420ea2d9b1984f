"""Weights files as PyTorch and the libraries on it leave them: the scores are PyTorch's, or the program says why not."""

import copy
import unittest
from pathlib import Path

import h5py
import numpy as np
import torch
import torchvision
from safetensors.torch import save_file
from support.harness import EndToEnd, polyhead
from torch import nn

BAD_DATA = 65
IMAGES, SIDE, CLASSES = 8, 32, 5
BOTTLENECK = {"conv1.": "layer.0.convolution.", "conv2.": "layer.1.convolution.", "conv3.": "layer.2.convolution.",
              "bn1.": "layer.0.normalization.", "bn2.": "layer.1.normalization.", "bn3.": "layer.2.normalization.",
              "downsample.0.": "shortcut.convolution.", "downsample.1.": "shortcut.normalization."}


def randomised(module, seed):
    """Batch norms as after training."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in [*module.named_buffers(), *module.named_parameters()]:
        if name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
            tensor.data.copy_(0.5 + torch.rand(tensor.shape, generator=random))
        elif tensor.dim() == 1:
            tensor.data.copy_(torch.randn(tensor.shape, generator=random) * 0.1)
    return module.eval()


def resnet(seed, arch="resnet18"):
    torch.manual_seed(seed)
    return randomised(getattr(torchvision.models, arch)(num_classes=CLASSES), seed)


def linear(seed, width=512, bias=True):
    torch.manual_seed(seed)
    return nn.Linear(width, CLASSES, bias=bias)


def named_by_transformers(name):
    """What transformers' ResNetForImageClassification calls a parameter of torchvision's ResNet."""
    stage, _, rest = name.partition(".")
    if stage in ("conv1", "bn1"):
        return f"resnet.embedder.embedder.{'convolution' if stage == 'conv1' else 'normalization'}.{rest}"
    if stage == "fc":
        return f"classifier.1.{rest}"
    block, _, rest = rest.partition(".")
    start = next(s for s in BOTTLENECK if rest.startswith(s))
    return f"resnet.encoder.stages.{int(stage[-1]) - 1}.layers.{block}.{BOTTLENECK[start]}{rest[len(start):]}"


class Weights(EndToEnd):
    def setUp(self):
        super().setUp()
        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        pixels = np.random.default_rng(1).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
        self.data = self.folder / "pixels.h5"
        with h5py.File(self.data, "w") as file:
            file["images"] = pixels
        self.images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        self.model = resnet(0)
        self.heads = []
        self.expected = []

    def features(self, model=None):
        headless = copy.deepcopy(model or self.model)
        headless.fc = nn.Identity()
        return headless(self.images)

    def save(self, what, name):
        torch.save(what, self.folder / name)
        return name

    def head(self, text, *scores):
        """A head of the job, and PyTorch's scores for it: of each, where a star makes several."""
        self.heads.append(f"  - {{{text}}}\n")
        self.expected += list(scores)

    def write_job(self, backbone, arch="resnet18"):
        self.config.write_text(f"data: {{path: {self.data}}}\nbackbone: {{arch: {arch}, {backbone}}}\n"
                               f"heads:\n{''.join(self.heads)}"
                               f"parallel: {{batch: 4, threads: 1}}\noutput: {{path: out.h5, head_scores: true}}\n")

    def run_and_compare(self, backbone, arch="resnet18", ranks=None):
        self.write_job(backbone, arch)
        done = polyhead("run", self.config, "--overwrite", ranks=ranks)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.folder / "out.h5") as file:
            scores = file["heads/scores"][()]
        expected = np.stack([np.asarray(s) for s in self.expected], axis=1)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5 * np.abs(expected).max())
        return done

    def refused(self, backbone, *texts):
        self.write_job(backbone)
        self.assert_fails(polyhead("check", self.config), BAD_DATA, *texts)

    def test_linear_heads_in_every_form(self):
        backbone = self.save(self.model.state_dict(), "whole.pth")
        features = self.features()
        self.head("name: own, weights: whole.pth", self.model(self.images))
        alone = linear(1)
        self.head(f"name: alone, weights: {self.save(alone.state_dict(), 'alone.pth')}", alone(features))
        plain = linear(2, bias=False)
        self.head(f"name: no-bias, layers: [linear 5], weights: {self.save(plain.state_dict(), 'p.pth')}",
                  plain(features))
        lightning = copy.deepcopy(self.model)
        lightning.fc = nn.Sequential(nn.Dropout(0.5), linear(3)).eval()
        state = {f"model.{name}": tensor for name, tensor in lightning.state_dict().items()}
        self.head(f"name: lightning, layers: [dropout 0.5, linear 5], weights: "
                  f"{self.save({'state_dict': state, 'epoch': 1}, 'l.ckpt')}", lightning(self.images))
        pixel = nn.Conv2d(512, CLASSES, 1)
        self.head(f"name: pixel, weights: {self.save({'head.weight': pixel.weight, 'head.bias': pixel.bias}, 'c.pth')}",
                  pixel(features[:, :, None, None])[:, :, 0, 0])
        many = nn.ModuleDict({name: nn.ModuleDict({"linear": linear(seed)}) for name, seed in (("a", 4), ("b", 5))})
        self.save({"heads": {f"module.{n}": t for n, t in many.state_dict().items()}, "iteration": 1}, "many.pth")
        self.head("name: many, prefix: module.*.linear., weights: many.pth",
                  *(head["linear"](features) for head in many.values()))
        done = self.run_and_compare(f"weights: {backbone}", ranks=2)  # the other rank is told what was found out
        self.assertIn("layer 0 has no bias", done.stderr)
        with h5py.File(self.folder / "out.h5") as file:
            config = bytes(file["job/config"][()]).decode()
        self.assertIn('prefix: "module.b.linear."', config.replace("'", '"'))
        self.assertEqual(config.count("linear 5"), 7)  # what was found out is written down

    def test_a_folder_is_told_its_file(self):
        """As save_pretrained(FOLDER) leaves it."""
        (self.folder / "pretrained").mkdir()
        save_file(self.model.state_dict(), self.folder / "pretrained/model.safetensors")
        self.head("name: own, layers: [linear 5], weights: pretrained", None)
        self.write_job("weights: pretrained")
        self.assert_fails(polyhead("check", self.config), 66, "it is a folder; name the file in it: ",
                          "pretrained/model.safetensors")
        self.heads = []
        self.expected = []
        self.head("name: own, weights: pretrained/model.safetensors", self.model(self.images))
        self.run_and_compare("weights: pretrained/model.safetensors")

    def test_names_of_transformers(self):
        self.model = resnet(1, "resnet50")
        state = {named_by_transformers(name): tensor for name, tensor in self.model.state_dict().items()}
        self.save(state, "hf.pth")
        self.head("name: own, layers: [flatten, linear 5], weights: hf.pth", self.model(self.images))
        done = self.run_and_compare("weights: hf.pth", "resnet50")
        self.assertIn("names are those of transformers (Hugging Face)", done.stderr)

    def test_names_of_a_sequential(self):
        self.save(nn.Sequential(*list(self.model.children())[:-1]).state_dict(), "children.pth")
        probe = nn.Sequential(nn.LayerNorm(512, eps=1e-2), nn.Linear(512, 16), nn.BatchNorm1d(16, eps=1e-2),
                              nn.ReLU(), linear(6, 16)).eval()
        names = {"0": "norm", "1": "fc1", "2": "bn", "4": "fc2"}
        state = {names[n[0]] + n[1:]: t for n, t in probe.state_dict().items()}
        self.head(f"name: probe, layernorm_eps: 1e-2, batchnorm_eps: 1e-2, layers: [layernorm, linear 16, batchnorm, "
                  f"relu, linear 5], weights: {self.save(state, 'probe.pth')}", probe(self.features()))
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-2
        self.expected = [probe(self.features())]
        self.run_and_compare("weights: children.pth, batchnorm_eps: 1e-2")

    def test_two_readings(self):
        ema = resnet(7)
        self.save({"state_dict": self.model.state_dict(), "state_dict_ema": ema.state_dict()}, "timm.pth")
        probe = linear(8)
        self.head(f"name: probe, weights: {self.save(probe.state_dict(), 'probe.pth')}", probe(self.features(ema)))
        self.refused("weights: timm.pth", "key: 'state_dict' or key: 'state_dict_ema'")
        self.run_and_compare("weights: timm.pth, key: state_dict_ema")

    def test_a_head_of_another_backbone(self):
        self.save(self.model.state_dict(), "a.pth")
        self.save(resnet(9).state_dict(), "b.pth")
        self.head("glob: '[ab].pth'")
        self.refused("weights: a.pth", "head 'b'", "was trained on another backbone than the job's",
                     "100 of 100 parameters differ", "trunk: ignore")
        drifted = copy.deepcopy(self.model)
        drifted.train()(self.images)
        self.save(drifted.state_dict(), "b.pth")
        self.refused("weights: a.pth", "all of them running means and variances")
        done = polyhead("check", self.config, "--set", "heads[0].trunk=ignore")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("hold the same weights", done.stderr)

    def test_a_backbone_in_another_dict_of_the_heads_file(self):
        self.save(self.model.state_dict(), "a.pth")
        for other in ({"backbone": resnet(9).state_dict(), "head": self.model.fc.state_dict()},
                      {"head": self.model.fc.state_dict(), "nets": [resnet(9).state_dict()]}):
            self.save(other, "two.pth")
            self.head("name: own, key: head, layers: [linear 5], weights: two.pth")
            self.refused("weights: a.pth", "head 'own'", "was trained on another backbone than the job's")
            self.heads.clear()
        self.save({"backbone": self.model.state_dict(), "head": self.model.fc.state_dict()}, "two.pth")
        self.head("name: own, key: head, layers: [linear 5], weights: two.pth", self.model(self.images))
        self.run_and_compare("weights: a.pth")

    def test_resuming_and_verifying_what_was_found_out(self):
        self.save(self.model.state_dict(), "whole.pth")
        self.head("name: own, weights: whole.pth", self.model(self.images))
        self.run_and_compare("weights: whole.pth")
        again = polyhead("run", self.config, "--resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        verified = polyhead("verify", Path(self.folder / "out.h5"))
        self.assertEqual(verified.returncode, 0, verified.stderr + verified.stdout)


if __name__ == "__main__":
    unittest.main()
