"""Makes tars in all formats and lists what Python's tarfile finds in them: make_tars.py FOLDER COUNT"""

import io
import random
import sys
import tarfile
from pathlib import Path

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
TYPES = [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.CONTTYPE]
LONG = 9 * 2**30  # beyond 8 GiB, which octal digits cannot tell


def name(rng, form):
    length = rng.choice([5, 50, 99, 100, 101, 150, 200, 255, 256, 257, 1000])
    if form == "ustar":
        length = min(length, 130)
    parts = []
    while sum(len(part) + 1 for part in parts) < length:
        parts.append(rng.choice(["a" * 40, "directory", "x.y", "b" * 70, "é" if form != "ustar" else "e"]))
    return "/".join(parts) + rng.choice([".jpg", ".cls", ""])


def write_random(path, form, rng):
    with tarfile.open(path, "w", format=FORMATS[form]) as tar:
        for i in range(rng.randrange(1, 30)):
            info = tarfile.TarInfo(f"{i}/{name(rng, form)}")
            info.mode = rng.choice([0o644, 0o777])
            if rng.random() < 0.2:
                info.type = rng.choice(TYPES)
                info.linkname = name(rng, form)[:90]
                if info.type == tarfile.CONTTYPE:
                    info.size = 3
                tar.addfile(info, io.BytesIO(b"abc") if info.size else None)
                continue
            info.size = rng.choice([0, 1, 511, 512, 513, 5000])
            if form == "pax" and rng.random() < 0.3:
                info.pax_headers = {"comment": "c" * rng.randrange(2000), "mtime": "1.5"}
            tar.addfile(info, io.BytesIO(rng.randbytes(info.size)))


def write_large(path, form):
    with open(path, "wb") as file:
        for i, size in enumerate([LONG, 5, LONG + 1, 7]):
            info = tarfile.TarInfo(f"{i}.jpg")
            info.size = size
            file.write(info.tobuf(FORMATS[form]))
            file.seek((size + 511) // 512 * 512, 1)
        file.write(bytes(1024))


def expect(path):
    with tarfile.open(path) as tar:
        lines = [f"{m.offset_data}\t{m.size}\t{m.name}" for m in tar.getmembers() if m.isreg()]
    path.with_suffix(".expected").write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def main(folder, count):
    for form in FORMATS:
        for i in range(count):
            path = folder / f"{form}-{i}.tar"
            write_random(path, form, random.Random(f"{form}{i}"))
            expect(path)
    for form in ("gnu", "pax"):
        path = folder / f"{form}-large.tar"
        write_large(path, form)
        expect(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
