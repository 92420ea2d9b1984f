"""Makes HDF5 files whose images lie elsewhere, or nowhere, with h5py: make_sources.py FOLDER

Images are 8x8 and hold their number. In FOLDER: parts/part-0.h5, -1, -2 with 4 images each; `virtual.h5` and `selected.h5` of these 12;
`interleaved.h5` of even/even.h5 and odd/odd.h5; `nested.h5`,
a virtual dataset of that; `blocks.h5` of the same by "%b"; `grown.h5` of even/even.h5 and odd/odd.h5, without an end; `every_fourth.h5`, which
lacks 3 rows and has 3 twice; `gap.h5` and
`overlap.h5`, virtual datasets that lack 4 rows, the second with 4 others twice; `twice.h5`, of all rows, some of them twice; `external.h5` over raw-0.bin and raw-1.bin; `holes.h5`, of which 2 of 3 chunks were written;
`nothing.h5` and `no_chunk.h5`, to which nothing was; `filter.h5`, packed in a way that HDF5 does not know; `raw.h5` without images."""

import sys
from pathlib import Path

import h5py
import numpy as np

END = h5py.h5s.UNLIMITED
SHAPE = (8, 8, 3)


def images(numbers):
    return np.stack([np.full(SHAPE, number, np.uint8) for number in numbers])


def write(path, numbers):
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images(numbers), maxshape=(None, *SHAPE), chunks=(2, *SHAPE))


def write_virtual(path, sources, rows):
    """`sources`: (file, dataset, images, first row)."""
    layout = h5py.VirtualLayout((rows, *SHAPE), np.uint8)
    for file, name, count, first in sources:
        layout[first:first + count] = h5py.VirtualSource(file, name, (count, *SHAPE))
    with h5py.File(path, "w") as out:
        out.create_virtual_dataset("images", layout)


def write_selected(path):
    """Two rows of each source in turn."""
    layout = h5py.VirtualLayout((12, *SHAPE), np.uint8)
    for part in range(3):
        source = h5py.VirtualSource(f"parts/part-{part}.h5", "images", (4, *SHAPE))
        for half in (0, 2):
            layout[4 * part + half:4 * part + half + 2] = source[half:half + 2]
    with h5py.File(path, "w") as out:
        out.create_virtual_dataset("images", layout)


def write_interleaved(path):
    layout = h5py.VirtualLayout((12, *SHAPE), np.uint8)
    layout[0::2] = h5py.VirtualSource("even/even.h5", "images", (6, *SHAPE))
    layout[1::2] = h5py.VirtualSource("odd/odd.h5", "images", (6, *SHAPE))
    with h5py.File(path, "w") as out:
        out.create_virtual_dataset("images", layout)


def write_every_fourth(path):
    layout = h5py.VirtualLayout((12, *SHAPE), np.uint8)
    even = h5py.VirtualSource("even/even.h5", "images", (6, *SHAPE))
    layout[0::2] = even
    layout[1::4] = h5py.VirtualSource("odd/odd.h5", "images", (6, *SHAPE))[0::2]
    layout[0::4] = even[0::2]
    with h5py.File(path, "w") as out:
        out.create_virtual_dataset("images", layout)


def write_endless(path, mappings, rows):
    """`mappings`: (file, selection in the virtual dataset, source's space)."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for file, (start, stride, block), source in mappings:
        space = h5py.h5s.create_simple((rows, *SHAPE), (END, *SHAPE))
        space.select_hyperslab((start, 0, 0, 0), (END, 1, 1, 1), (stride, 1, 1, 1), (block, *SHAPE))
        properties.set_virtual(space, file.encode(), b"images", source)
    with h5py.File(path, "w") as out:
        space = h5py.h5s.create_simple((rows, *SHAPE), (END, *SHAPE))
        h5py.h5d.create(out.id, b"images", h5py.h5t.STD_U8LE, space, properties)


def endless_rows(rows):
    space = h5py.h5s.create_simple((rows, *SHAPE), (END, *SHAPE))
    space.select_hyperslab((0, 0, 0, 0), (END, 1, 1, 1), None, (1, *SHAPE))
    return space


def write_strange(folder):
    with h5py.File(folder / "holes.h5", "w") as out:
        out.create_dataset("images", (12, *SHAPE), np.uint8, chunks=(4, *SHAPE))[:8] = images(range(8))
    with h5py.File(folder / "nothing.h5", "w") as out:
        out.create_dataset("images", (12, *SHAPE), np.uint8)
    with h5py.File(folder / "no_chunk.h5", "w") as out:
        out.create_dataset("images", (12, *SHAPE), np.uint8, chunks=(4, *SHAPE))
    with h5py.File(folder / "raw.h5", "w") as out:
        out["other"] = images(range(4))
    with h5py.File(folder / "filter.h5", "w") as out:
        out.create_dataset("images", data=images(range(12)), chunks=(4, *SHAPE), compression="lzf")


def main(folder):
    for part in range(3):
        write(folder / f"parts/part-{part}.h5", range(4 * part, 4 * part + 4))
    write(folder / "even/even.h5", range(0, 12, 2))
    write(folder / "odd/odd.h5", range(1, 12, 2))
    parts = [(f"parts/part-{part}.h5", "images", 4, 4 * part) for part in range(3)]
    write_virtual(folder / "virtual.h5", parts, 12)
    write_virtual(folder / "absolute.h5", [(str(folder / file), *rest) for file, *rest in parts], 12)
    write_virtual(folder / "nested.h5", [("virtual.h5", "images", 12, 0)], 12)
    write_selected(folder / "selected.h5")
    write_interleaved(folder / "interleaved.h5")
    write_virtual(folder / "gap.h5", parts[:2], 12)
    write_virtual(folder / "overlap.h5", [*parts[:2], ("parts/part-0.h5", "images", 4, 2)], 12)
    write_virtual(folder / "twice.h5", [*parts, ("parts/part-1.h5", "images", 4, 4)], 12)
    write_endless(folder / "blocks.h5", [("parts/part-%b.h5", (0, 4, 4), h5py.h5s.create_simple((4, *SHAPE)))], 12)
    write_endless(folder / "grown.h5", [("even/even.h5", (0, 2, 1), endless_rows(6)), ("odd/odd.h5", (1, 2, 1), endless_rows(6))], 12)
    write_every_fourth(folder / "every_fourth.h5")
    raw = images(range(12)).tobytes()
    cut = 1000
    (folder / "raw-0.bin").write_bytes(b"header" + raw[:cut])
    (folder / "raw-1.bin").write_bytes(raw[cut:])
    with h5py.File(folder / "external.h5", "w") as out:
        out.create_dataset("images", (12, *SHAPE), np.uint8,
                           external=[(str(folder / "raw-0.bin"), 6, cut), (str(folder / "raw-1.bin"), 0, h5py.h5f.UNLIMITED)])
    write_strange(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
