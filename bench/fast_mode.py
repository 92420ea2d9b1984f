#!/usr/bin/env python3
"""What `preprocess.mode: fast` does to predictions, on photographs that the JPEG decoder can shrink.

    bench/fast_mode.py [COUNT] [--size 1024x768] [--quality 90] [--folder runs/fast-mode]

Makes COUNT photographs (bench/make_photos.py, default 256) and a model (bench/make_model.py: random weights whose
activations and logits have the range of trained ones, so its classes are closer together than those of a trained one),
runs both modes with resize 256 and crop 224, and compares them; also exact bicubic instead of bilinear interpolation, which
shows what another small change of the pixels does. The last line is a JSON object: the share of photographs with the
same class, of the ensemble and of all heads, and the largest and the mean difference of the heads' logits. Wants PyTorch, Pillow, scikit-learn and h5py; POLYHEAD names the program.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

import h5py
import make_model
import make_photos
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
POLYHEAD = Path(os.environ.get("POLYHEAD", ROOT / "build/release/polyhead"))
RUNS = {"exact": "mode=exact", "fast": "mode=fast", "bicubic": "interpolation=bicubic"}
ENVIRONMENT = os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def run(model, output, option):
    subprocess.run([POLYHEAD, "run", model / "ensemble.yaml", "--overwrite", "--progress", "none", "--set",
                    f"output.path={output}", "--set", "output.head_scores=true", "--set", f"data.preprocess.{option}"],
                   check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL)


def compare(exact, fast):
    """Of two result files of the same photographs."""
    with h5py.File(exact) as one, h5py.File(fast) as other:
        if not ((one["samples/status"][()] == 1).all() and (other["samples/status"][()] == 1).all()):
            raise SystemExit("a photograph was quarantined")

        def same(name):
            return float(np.mean(one[name][()] == other[name][()]))
        logits = one["heads/scores"][()].astype(np.float64)
        differences = np.abs(logits - other["heads/scores"][()])
        return {"photographs": len(logits), "same_class": same("fused/prediction"),
                "same_class_of_heads": same("heads/prediction"), "largest_difference": float(differences.max()),
                "mean_difference": float(differences.mean()), "deviation_of_logits": float(logits.std())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=256)
    parser.add_argument("--size", default="1024x768")
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/fast-mode")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    width, height = map(int, options.size.split("x"))
    photos, model = folder / f"photos-{options.size}", folder / "model"
    make_photos.make(photos, options.count, (width, height), options.quality)
    make_model.make(model, photos)
    for name, option in RUNS.items():
        run(model, folder / f"{name}.h5", option)
    figures = {name: compare(folder / "exact.h5", folder / f"{name}.h5") for name in ("fast", "bicubic")}
    for name, found in figures.items():
        print(f"exact and {name}, {found['photographs']} photographs of {options.size}: the ensemble's class is the same for "
              f"{found['same_class']:.2%}, a head's for {found['same_class_of_heads']:.2%}; logits of deviation "
              f"{found['deviation_of_logits']:.2f} differ by {found['mean_difference']:.4f} on average, "
              f"{found['largest_difference']:.3f} at most")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
