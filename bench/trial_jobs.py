"""Jobs on random weights that the benches predict and run: their files, `polyhead plan --measure` and runs under mpirun."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import torch
import torchvision

ROOT = Path(__file__).resolve().parent.parent
POLYHEAD = os.environ.get("POLYHEAD", str(ROOT / "build/release/polyhead"))
sys.path.insert(0, str(ROOT / "tests/e2e"))
from support.photos import save_tree  # noqa: E402

ENVIRONMENT = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

SMALL_HEADS = [[256], [256], [512], [128], []]
LARGE_HEADS = [[4096]] * 64
# 64 heads of mixed sizes: every eighth has two wide layers.
WIDE_HEADS = [[2048, 1024] if number % 8 == 0 else [256] for number in range(64)]


def save_model(folder, arch, heads, classes):
    """Writes a random backbone and heads; the lines of the configuration that name them."""
    model = torchvision.models.get_model(arch)
    features = model.fc.in_features
    torch.save(model.state_dict(), folder / "backbone.pth")
    lines = [f"backbone: {{arch: {arch}, weights: backbone.pth}}", "heads:"]
    for number, hidden in enumerate(heads):
        widths = [features, *hidden, classes]
        layers, modules = [], []
        for before, after in zip(widths, widths[1:]):
            if layers:
                layers.append("relu")
                modules.append(torch.nn.ReLU())
            layers.append(f"linear {after}")
            modules.append(torch.nn.Linear(before, after))
        torch.save(torch.nn.Sequential(*modules).state_dict(), folder / f"head-{number}.pth")
        lines.append(f"  - {{name: h{number}, layers: [{', '.join(layers)}], weights: head-{number}.pth}}")
    return lines


def save_pixels(folder, count, side):
    images = np.random.default_rng(5).integers(0, 256, (count, side, side, 3), "u1")
    with h5py.File(folder / "data.h5", "w") as file:
        file["images"] = images
    return ["data: {path: data.h5, preprocess: {mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}}"]


def save_photos(folder, count):
    save_tree(folder / "photos", count, sizes=(300, 420))
    return ["data: {path: photos, preprocess: {resize: 256, crop: 224, mean: [0.485, 0.456, 0.406],"
            " std: [0.229, 0.224, 0.225]}}"]


def small(folder):
    """32 x 32 pixels, 5 small heads on a ResNet-18."""
    return save_pixels(folder, 16384, 32) + save_model(folder, "resnet18", SMALL_HEADS, 10)


def photos(folder):
    """Photographs at 224 x 224, 5 small heads on a ResNet-18."""
    return save_photos(folder, 640) + save_model(folder, "resnet18", SMALL_HEADS, 10)


def wide(folder):
    """64 x 64 pixels, 64 heads of mixed sizes on a ResNet-50, every head's scores kept."""
    return save_pixels(folder, 3072, 64) + save_model(folder, "resnet50", WIDE_HEADS, 100)


def large(folder):
    """64 x 64 pixels, 64 large heads on a ResNet-18: as much work as the backbone."""
    return save_pixels(folder, 1536, 64) + save_model(folder, "resnet18", LARGE_HEADS, 100)


JOBS = {"small": small, "photos": photos, "wide": wide, "large": large}


def make_job(folder, name):
    config = folder / "ensemble.yaml"
    if not config.exists():  # written last
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(3)
        lines = JOBS[name](folder)
        keep = "true" if name == "wide" else "false"
        lines.append(f"output: {{path: result.h5, head_scores: {keep}}}")
        config.write_text("\n".join(lines) + "\n")
    return config


def options(settings):
    return [word for setting in settings for word in ("--set", setting)]


def predict(config, ranks, *settings):
    command = [POLYHEAD, "plan", config, "--measure", "--json", "--ranks", str(ranks), *options(settings)]
    done = subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    plan = json.loads(done.stdout)
    memory = max(member["host_memory"]["total"] for member in plan["members"])
    return {"seconds": plan["estimate"]["working_seconds"], "setup": plan["estimate"]["setting_up_seconds"],
            "memory": memory}


def run(config, ranks, *settings):
    peak = config.parent / "peak."
    command = ["mpirun", "-np", str(ranks), "--oversubscribe", "--bind-to", "none", sys.executable,
               ROOT / "bench/watch.py", peak, POLYHEAD, "run", config, "--overwrite", "--progress", "none", *options(settings)]
    start = time.monotonic()
    subprocess.run(command, env=ENVIRONMENT, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    wall = time.monotonic() - start
    with h5py.File(config.parent / "result.h5") as file:
        summary = json.loads(file["job/summary"][()].tobytes().rstrip(b"\0"))
    memory = max(int(Path(f"{peak}{rank}").read_text()) * 1024 for rank in range(ranks))
    return {"seconds": summary["run"]["seconds"], "setup": wall - summary["run"]["seconds"], "memory": memory}


def machine():
    """Processor and cores, for the record."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{model}, {len(os.sched_getaffinity(0))} cores"
