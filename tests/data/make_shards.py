"""Makes shards whose entries stand in any order, and joins them with Python's tarfile: make_shards.py FOLDER COUNT"""

import io
import json
import random
import sys
import tarfile
from pathlib import Path


def parts_of(rng, number):
    """{name: bytes} of one sample, or of what looks like one."""
    key = rng.choice([f"{number:04}", f"train/{number}", f"v1.0/x{number}"])
    label = rng.randrange(100)
    parts = {}
    if rng.random() < 0.9:
        parts[f"{key}.{rng.choice(['jpg', 'JPG', 'jpeg', 'png'])}"] = rng.randbytes(rng.randrange(1, 2000))
    if rng.random() < 0.6:
        parts[f"{key}.cls"] = b"%d\n" % label
    if rng.random() < 0.4:
        parts[f"{key}.json"] = json.dumps({"label": label, "caption": "x"}).encode()
    if rng.random() < 0.3:
        parts[f"{key}.txt"] = b"a caption"
    if rng.random() < 0.1:
        parts[f"{key}.seg.png"] = b"a mask"
    return parts


def in_order(rng, samples):
    """Entries as some tools write them: shuffled, by suffix, or sample by sample with each one's parts in any order."""
    entries = [list(sample.items()) for sample in samples]
    for entry in entries:
        rng.shuffle(entry)
    flat = [item for entry in entries for item in entry]
    how = rng.choice(["shuffled", "by suffix", "grouped"])
    if how == "shuffled":
        rng.shuffle(flat)
    elif how == "by suffix":
        flat.sort(key=lambda item: item[0].rpartition(".")[2])
    return flat


def write(path, entries, form):
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def expect(path):
    """A line a sample, in the order in which the keys first appear."""
    samples = {}
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            folder, slash, base = member.name.rpartition("/")
            stem, _, suffix = base.partition(".")
            samples.setdefault(folder + slash + stem, {})[suffix.lower()] = (member, tar.extractfile(member).read())
    lines = []
    for parts in samples.values():
        image = next((parts[kind] for kind in ("jpg", "jpeg", "png") if kind in parts), None)
        if image is None:
            continue
        label = int(parts["cls"][1]) if "cls" in parts else json.loads(parts["json"][1])["label"] if "json" in parts else -1
        lines.append(f"{image[0].offset_data}\t{image[0].size}\t{image[0].name}\t{label}\n")
    path.with_suffix(".expected").write_text("".join(lines), encoding="utf-8")


def main(folder, count):
    for i in range(count):
        rng = random.Random(f"shard {i}")
        path = folder / f"{i}.tar"
        samples = [parts_of(rng, number) for number in range(rng.randrange(1, 40))]
        write(path, in_order(rng, samples), rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
        expect(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
