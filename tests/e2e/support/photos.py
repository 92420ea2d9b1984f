"""Photographs for the end-to-end tests: crops of the two that scikit-learn ships, of many sizes, as an ImageFolder tree."""

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

CLASSES = [f"class-{number}" for number in range(10)]


def crops(count, seed=4, sizes=(40, 300)):
    """PIL images; the same ones each time."""
    photographs = load_sample_images().images
    rng = np.random.default_rng(seed)
    for _ in range(count):
        photograph = photographs[rng.integers(len(photographs))]
        height, width = rng.integers(*sizes, size=2)
        top = rng.integers(photograph.shape[0] - height + 1)
        left = rng.integers(photograph.shape[1] - width + 1)
        crop = photograph[top:top + height, left:left + width]
        yield Image.fromarray(crop[:, ::-1] if rng.random() < 0.5 else crop)


def save_tree(folder, count, **options):
    """Writes the crops, class by class; every fifth is a PNG, some are gray or CMYK. Returns the paths, sorted."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    for number, image in enumerate(crops(count, **options)):
        kind = {1: "L", 2: "CMYK"}.get(number % 7, "RGB")
        suffix = ".png" if number % 5 == 0 and kind != "CMYK" else ".jpg"
        path = folder / CLASSES[number % len(CLASSES)] / f"{number:04}{suffix}"
        image.convert(kind).save(path, **({"quality": 90} if suffix == ".jpg" else {}))
    return sorted(path for path in folder.rglob("*") if path.is_file())
