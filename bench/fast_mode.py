#!/usr/bin/env python3
"""What `preprocess.mode: fast` changes in the answers, against `exact`.

    .venv/bin/python bench/fast_mode.py [COUNT [WIDTH HEIGHT]] [--folder runs/bench]

Makes COUNT photographs (200, of 1024x768, JPEG of quality 90) and the ensemble of bench/make_model.py, lets polyhead
evaluate it in both modes, and compares: the share of images whose prediction changes, and by how much the fused logits
differ. The heads' weights are random, each logit with deviation 1 over the photographs: classes lie closer together
than with trained heads, so this share is about the worst. The last line is a JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
POLYHEAD = Path(os.environ.get("POLYHEAD", ROOT / "build/release/polyhead"))


def make(script, *arguments):
    subprocess.run([sys.executable, BENCH / script, *map(str, arguments)], check=True)


def evaluate(model, mode, output):
    """(fused logits [N, C], predictions [N], predictions of the heads [N, K], names of the samples)"""
    subprocess.run([POLYHEAD, "run", model / "ensemble.yaml", "--overwrite", "--progress", "none",
                    "--set", f"output.path={output}", "--set", f"data.preprocess.mode={mode}"], check=True,
                   stdin=subprocess.DEVNULL)
    with h5py.File(output) as file:
        if not (file["samples/status"][()] == 1).all():
            sys.exit(f"{output}: some photographs have no result")
        return (file["fused/scores"][()], file["fused/prediction"][()], file["heads/prediction"][()],
                file["samples/id_bytes"][()].tobytes())


def compare(exact, fast):
    if exact[3] != fast[3]:
        sys.exit("the two runs saw other samples")
    change = np.abs(fast[0] - exact[0])
    return {"images": len(change), "predictions_changed": float(np.mean(exact[1] != fast[1])),
            "head_predictions_changed": float(np.mean(exact[2] != fast[2])), "median_change": float(np.median(change)),
            "largest_change": float(change.max()), "deviation_of_logits": float(exact[0].std())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("width", type=int, nargs="?", default=1024)
    parser.add_argument("height", type=int, nargs="?", default=768)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/bench")
    options = parser.parse_args()
    name = f"fast-{options.count}-{options.width}x{options.height}"
    photos, model = options.folder / f"{name}-photos", options.folder / f"{name}-model"
    make("make_photos.py", photos, options.count, options.width, options.height, 90)
    make("make_model.py", model, photos)
    found = compare(*(evaluate(model, mode, options.folder / f"{name}-{mode}.h5") for mode in ("exact", "fast")))
    print(f"{found['images']} photographs of {options.width}x{options.height}: the ensemble's prediction changes for "
          f"{found['predictions_changed']:.1%}, a head's for {found['head_predictions_changed']:.1%}; fused logits, of "
          f"deviation {found['deviation_of_logits']:.2f}, differ by {found['median_change']:.4f} (median), at most "
          f"{found['largest_change']:.3f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
