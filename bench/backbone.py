"""Races polyhead's backbone against ONNX Runtime, OpenVINO and LibTorch: ResNet-18, 224x224, fp32, features only.

Every contestant is a process of its own that computes when it is told to, so that rounds interleave and nobody else runs
meanwhile. Prints a table of img/s, and as the last line one JSON object with all of it and the ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PEERS = ("onnxruntime", "openvino", "libtorch")
NAMES = ("polyhead", *PEERS)
LARGEST_ERROR = 1e-5  # relative L2 of the features between two contestants
PAUSE = 0.05  # seconds for the threads of the one before to fall asleep


class Contestant:
    def __init__(self, name, threads, folder, program):
        self.name, self.features = name, folder / f"{name}.f32"
        start = [program, "winograd"] if name == "polyhead" else [sys.executable, ROOT / "bench/peers/backbone_peer.py", name]
        command = [*map(str, start), str(threads), *map(str, (folder / "resnet18.pth", folder / "pixels.f32", self.features))]
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(["taskset", "-c", ",".join(map(str, cores)), *command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}; what it said is above")
        return float(answer)

    def prepare(self, batch):
        self.ask(f"prepare {batch}")
        return np.fromfile(self.features, "<f4")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def make_inputs(folder, images):
    """Random weights, and pixels like those of normalised photographs."""
    import torch
    import torchvision

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    if not (folder / "resnet18.pth").exists():
        network = torchvision.models.resnet18()
        with torch.no_grad():  # statistics that fit the data, so that activations stay of one size
            for _ in range(3):
                network.train()(torch.randn(16, 3, 224, 224))
        torch.save(network.state_dict(), folder / "resnet18.pth")
    torch.randn(images, 3, 224, 224).numpy().tofile(folder / "pixels.f32")


def check(features):
    """Everybody must have computed the same network."""
    expected = features["onnxruntime"].astype(np.float64)
    for name, found in features.items():
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        if not error < LARGEST_ERROR:
            raise SystemExit(f"{name}'s features differ from ONNX Runtime's by {error:.2g} (relative L2)")


def race(contestants, batch, rounds):
    """Seconds of each contestant, round by round; the order turns."""
    check({one.name: one.prepare(batch) for one in contestants})
    times = {one.name: [] for one in contestants}
    for number in range(rounds):
        turn = number % len(contestants)
        for one in contestants[turn:] + contestants[:turn]:
            time.sleep(PAUSE)
            times[one.name].append(one.ask("run"))
    return times


def summarise(threads, batch, times):
    row = {"threads": threads, "batch": batch}
    for name, seconds in times.items():
        row[name] = {"median": batch / statistics.median(seconds), "best": batch / min(seconds)}
    for name in PEERS:
        row[f"over {name}"] = {kind: row["polyhead"][kind] / row[name][kind] for kind in ("median", "best")}
    return row


def show(row):
    speeds = "".join(f"{row[name]['median']:9.1f} ({row[name]['best']:6.1f})" for name in NAMES)
    ratios = "".join(f"{row['over ' + name]['median']:8.2f} ({row['over ' + name]['best']:.2f})" for name in PEERS)
    print(f"{row['threads']:7}{row['batch']:7}{speeds}{ratios}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="bench_backbone")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 16, 32, 64])
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    make_inputs(args.folder, max(args.batch))
    print("img/s: median (best); how many times as fast as each: by medians (by bests)")
    print(f"{'threads':>7}{'batch':>7}" + "".join(f"{name:>18}" for name in NAMES)
          + "".join(f"{'x ' + name:>15}" for name in PEERS))
    rows = []
    for threads in args.threads:
        contestants = [Contestant(name, threads, args.folder, args.program) for name in NAMES]
        for batch in args.batch:
            rows.append(summarise(threads, batch, race(contestants, batch, args.rounds)))
            show(rows[-1])
        for one in contestants:
            one.close()
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
