"""Makes small CIFAR binary files and the images in them, interleaved: make_cifar.py FOLDER"""

import sys
from pathlib import Path

import numpy as np


def main(folder):
    rng = np.random.default_rng(1)
    planes = rng.integers(0, 256, (7, 3, 32, 32), dtype=np.uint8)
    labels = np.array([0, 9, 3, 3, 1, 2, 5], dtype=np.uint8)
    fine = np.array([0, 99, 50, 3, 1, 2, 5], dtype=np.uint8)
    rows = planes.reshape(7, -1)
    (folder / "ten").mkdir()
    (folder / "hundred").mkdir()
    (folder / "ten/test_batch.bin").write_bytes(np.hstack([labels[:, None], rows]).tobytes())
    (folder / "hundred/test.bin").write_bytes(np.hstack([labels[:, None], fine[:, None], rows]).tobytes())
    (folder / "ten/batches.meta.txt").write_text("".join(f"class {i}\n" for i in range(10)) + "\n")
    (folder / "hundred/fine_label_names.txt").write_text("".join(f"fine {i}\n" for i in range(100)))
    # What torchvision's ToTensor makes of PIL images: value / 255 in fp32.
    (planes.astype(np.float32) / np.float32(255)).tofile(folder / "expected.f32")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
