"""Makes random folders of (empty) images and writes what torchvision's ImageFolder sees: make_folders.py FOLDER COUNT"""

import os
import random
import sys
from pathlib import Path

from torchvision.datasets import ImageFolder

PARTS = ["a", "b", "a-b", "A", "é", "z.d", ".hidden", "a b", "0", "10", "9", "x.jpg", "日本"]
SUFFIXES = [".jpg", ".JPG", ".jpeg", ".JpEg", ".png", ".PNG", ".txt", "", ".jpg.bak", ".gif"]


def fill(folder, rng, depth):
    folder.mkdir(exist_ok=True)
    for _ in range(rng.randrange(4)):
        path = folder / (rng.choice(PARTS) + rng.choice(SUFFIXES))
        if not path.exists():
            path.touch()
    if depth > 0:
        for name in rng.sample(PARTS, rng.randrange(4)):
            if not (folder / name).exists():
                fill(folder / name, rng, depth - 1)


def make(root, rng):
    root.mkdir()
    for name in rng.sample(PARTS, rng.randrange(1, 6)):
        fill(root / name, rng, 3)
        (root / name / "one.png").touch()
    if rng.random() < 0.5:
        outside = root.parent / f"{root.name}-outside"
        fill(outside, rng, 1)
        inside = rng.choice(sorted(path for path in root.iterdir()))
        os.symlink(outside, inside / "link")
        os.symlink(root / "nothing", inside / "dangling.png")
    (root / "notes.txt").touch()


def main(folder, count):
    for i in range(count):
        root = folder / str(i)
        make(root, random.Random(i))
        dataset = ImageFolder(root)
        lines = ["\t".join(dataset.classes)]
        lines += [f"{label}\t{os.path.relpath(path, root)}" for path, label in dataset.samples]
        (folder / f"{i}.expected").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
