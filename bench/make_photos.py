#!/usr/bin/env python3
"""Makes photographs in an ImageFolder tree of ten classes: random crops, scales, flips and exposures of real ones.

    runs/bench/venv/bin/python bench/make_photos.py FOLDER COUNT WIDTH HEIGHT QUALITY

The sources are scikit-learn's two photographs and, where scikit-image is installed, those of its that come with the
package. Class k is made from source k and every tenth after it. The same arguments and sources give the same files;
what is there already is kept, unless it was made from others.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

CLASSES = 10
SEED = 20
SMALLEST_CROP = 0.35  # of the largest rectangle of the right shape that fits into the source
SCIKIT_LEARN = ("china.jpg", "flower.jpg")
SCIKIT_IMAGE = ("astronaut.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg", "motorcycle_left.png",
                "rocket.jpg", "brick.png", "camera.png", "grass.png", "gravel.png", "coins.png")


def sources():
    """{name: RGB image} of the photographs on this machine."""
    import sklearn.datasets

    paths = [Path(sklearn.datasets.__file__).parent / "images" / name for name in SCIKIT_LEARN]
    try:
        import skimage.data
    except ImportError:
        pass
    else:
        paths += [Path(skimage.data.__file__).parent / name for name in SCIKIT_IMAGE]
    photos = {path.name: Image.open(path).convert("RGB") for path in paths if path.exists()}
    if not photos:
        raise SystemExit(f"none of the photographs is where scikit-learn keeps them: {paths[0].parent}")
    return photos


def photograph(source, size, rng):
    """A crop of the source, mirrored half of the time, in another light, at `size` (width, height)."""
    widest = min(source.width, source.height * size[0] / size[1])
    width = widest * rng.uniform(SMALLEST_CROP, 1)
    height = width * size[1] / size[0]
    left, top = rng.uniform(0, source.width - width), rng.uniform(0, source.height - height)
    image = source.resize(size, Image.Resampling.BICUBIC, box=(left, top, left + width, top + height))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    # Sensor noise too: an enlarged crop is smoother than a camera's picture, and would decode faster.
    pixels = np.asarray(image, np.float32) * rng.uniform(0.7, 1.2) + rng.uniform(-15, 15)
    pixels += rng.normal(0, 3, pixels.shape[:2] + (1,))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def make(folder, count, size, quality):
    photos = sources()
    recipe = {"count": count, "size": list(size), "quality": quality, "sources": sorted(photos), "seed": SEED,
              "pillow": PIL.__version__, "numpy": np.__version__}
    done = folder.parent / f"{folder.name}.json"  # beside the tree: in it would be files of the data set only
    if done.exists() and folder.is_dir() and json.loads(done.read_text()) == recipe:
        return
    if folder.exists():
        if not done.exists() and any(folder.iterdir()):
            raise SystemExit(f"{folder} was not made by this program: give another folder, or remove it")
        shutil.rmtree(folder)
    done.unlink(missing_ok=True)
    images = list(photos.values())
    for number in range(count):
        label, turn = number % CLASSES, number // CLASSES
        own = images[label % len(images)::CLASSES]
        image = photograph(own[turn % len(own)], size, np.random.default_rng([SEED, number]))
        path = folder / f"class_{label}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=quality)
    done.write_text(json.dumps(recipe) + "\n")
    print(f"made {count} photographs of {size[0]}x{size[1]} in {folder}, from {len(photos)} sources")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name in ("count", "width", "height", "quality"):
        parser.add_argument(name, type=int)
    args = parser.parse_args()
    make(args.folder, args.count, (args.width, args.height), args.quality)


if __name__ == "__main__":
    main()
