"""Writes lists of images as pandas and NumPy write them, and what they mean: make_lists.py FOLDER COUNT

N.csv, .tsv or .txt is a list; N.expected has the names of the classes, then label and path of each line.
"""

import random
import sys
from pathlib import Path

import numpy as np
import pandas as pd

PATHS = ["path", "file_name", "Filename", "image", "IMAGE_PATH", "filepath", "img"]
LABELS = ["label", "class", "Target", "category", "class_id", "y"]
FOLDERS = ["", "a/", "x y/", "é/", "1/2/"]
NAMES = ["cat", "dog", "sea lion", "10th", "日本", "a'b"]


def labels_of(kind, size, rng):
    """The column, and what each cell means: a number, a name or None."""
    if kind == "names":
        names = [rng.choice(NAMES) for _ in range(size)]
        return pd.Series(names), names
    numbers = [rng.randrange(12) for _ in range(size)]
    if kind == "floats":  # one empty cell makes all of a column floats
        numbers[rng.randrange(size)] = None
        return pd.Series(numbers, dtype="float64"), numbers
    return pd.Series(numbers), numbers


def expected_of(paths, meanings):
    names = sorted({m for m in meanings if isinstance(m, str)}, key=lambda name: name.encode())
    number = {name: i for i, name in enumerate(names)}
    labels = [-1 if m is None else number.get(m, m) for m in meanings]
    return ["\t".join(names), *(f"{label}\t{path}" for label, path in zip(labels, paths))]


def frame_of(paths, column, rng, header):
    columns = {rng.choice(PATHS): paths, rng.choice(LABELS): column}
    if not header:
        return pd.DataFrame(columns)
    if rng.random() < 0.3:
        columns |= {"width": [rng.randrange(99) for _ in paths], "split": "val"}
    names = list(columns)
    rng.shuffle(names)
    return pd.DataFrame({name: columns[name] for name in names})


def write_table(stem, paths, column, rng):
    header = rng.random() < 0.7
    suffix = rng.choice([".csv", ".csv", ".tsv", ".txt"])
    separator = "\t" if suffix == ".tsv" else rng.choice([",", ";", "\t"])
    frame = frame_of(paths, column, rng, header)
    frame.to_csv(f"{stem}{suffix}", header=header, index=header and rng.random() < 0.3, sep=separator,
                 encoding=rng.choice(["utf-8", "utf-8-sig"]), lineterminator=rng.choice(["\n", "\r\n"]),
                 quoting=rng.choice([0, 1]) if suffix == ".csv" else 0)


def write_spaced(stem, paths, column):
    np.savetxt(f"{stem}.txt", np.column_stack([np.array(paths, dtype=object), column.to_numpy(dtype=object)]), fmt="%s")


def make(stem, rng):
    size = rng.randrange(3, 30)
    comma = rng.random() < 0.2
    paths = [f"{rng.choice(FOLDERS)}{'b,c' if comma else 'im'} {i}.{rng.choice(['jpg', 'JPEG', 'png'])}" for i in range(size)]
    kind = rng.choice(["numbers", "floats", "names"])
    column, meanings = labels_of(kind, size, rng)
    if kind == "numbers" and rng.random() < 0.2:
        write_spaced(stem, paths, column)
    elif comma:
        pd.DataFrame({"path": paths, "label": column}).to_csv(f"{stem}.csv", index=False)  # in quotes
    else:
        write_table(stem, paths, column, rng)
    Path(f"{stem}.expected").write_text("\n".join(expected_of(paths, meanings)) + "\n")


def main(folder, count):
    for i in range(count):
        make(Path(folder) / str(i), random.Random(i))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
