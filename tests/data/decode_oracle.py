"""Makes JPEG and PNG files, good and bad, and what Pillow and torchvision make of them: decode_oracle.py FOLDER

cases.txt      one case a line: file, resize and crop (- for no resize), interpolation
expected.f32   the results of the cases, one after the other, fp32 [3, crop, crop]
verdicts.txt   one damaged file a line: file, 1 if Pillow reads it and 0 if not
expected.u8    the pixels of those that Pillow reads, uint8 [16, 16, 3]: resized to 16 and cropped to 16
photos/        photographs as JPEG
"""

import io
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import sklearn.datasets
import torch
from PIL import Image
from torchvision import transforms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INTERPOLATION = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}
SIZES = [(1, 1), (2, 3), (7, 5), (8, 8), (9, 17), (16, 16), (17, 33), (31, 64), (48, 65), (100, 20), (20, 101), (129, 97),
         (13, 400), (500, 11), (96, 96), (161, 161), (130, 130)]
STEPS = [(None, 1), (8, 7), (24, 21), (60, 9)]
BIG_SIZES = [(375, 500), (500, 333), (240, 640)]
BIG_STEPS = [(256, 224), (64, 48), (None, 160), (300, 31)]


def photo(height, width, channels=3):
    """A photograph's middle, scaled; with noise, so that no two pixels are alike."""
    source = sklearn.datasets.load_sample_images().images[(height + width) % 2]
    image = Image.fromarray(source).resize((width, height), Image.Resampling.LANCZOS)
    rng = np.random.default_rng(height * 1000 + width)
    pixels = np.asarray(image).astype(int) + rng.normal(0, 12, (height, width, 3))
    pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    if channels == 4:
        return np.concatenate([pixels, pixels[..., :1] // 2], 2)
    return pixels[..., 1] if channels == 1 else pixels


def encoded(image, mode=None, **options):
    file = io.BytesIO()
    Image.fromarray(image, mode).save(file, "JPEG", **options) if mode else Image.fromarray(image).save(file, "JPEG", **options)
    return file.getvalue()


def segment(data, marker):
    return data.index(bytes([0xFF, marker]))


def patched(data, marker, offset, value):
    """Another byte in the first segment with this marker."""
    at = segment(data, marker) + offset
    return data[:at] + bytes([value]) + data[at + 1:]


def sampled(data, width, height, sampling):
    """Other sampling factors for the first component: the blocks end up elsewhere, which is as good a picture."""
    data = patched(data, 0xC0, 11, sampling)
    at = segment(data, 0xC0) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4:]


def jpegs(height, width):
    rgb, gray = photo(height, width), photo(height, width, 1)
    yield "420", encoded(rgb, quality=90)
    yield "444", encoded(rgb, quality=95, subsampling=0)
    yield "422", encoded(rgb, quality=85, subsampling=1)
    yield "440", sampled(encoded(photo(width, height), quality=85, subsampling=1), width, height, 0x12)
    yield "411", sampled(encoded(rgb, quality=85), width, height, 0x41)
    yield "414", sampled(encoded(rgb, quality=85), width, height, 0x14)
    yield "gray", encoded(gray, quality=90)
    yield "rgb", encoded(rgb, quality=90, keep_rgb=True)
    cmyk = encoded(photo(height, width, 4), "CMYK", quality=90)
    yield "cmyk", cmyk
    yield "ycck", patched(cmyk, 0xEE, 15, 2)
    yield "progressive", encoded(rgb, quality=90, progressive=True)
    yield "progressive444", encoded(rgb, quality=90, progressive=True, subsampling=0)
    yield "restarts", encoded(rgb, quality=90, restart_marker_blocks=3)
    yield "optimised", encoded(rgb, quality=30, optimize=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield "rotated", encoded(rgb, quality=90, exif=exif.tobytes())


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def adam7(rows):
    for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = rows[y::dy, x::dx]
        if part.size:
            yield part


def packed(rows, depth):
    """Scan lines, each behind the filter type 0, from [height, width, samples] samples."""
    height = rows.shape[0]
    if depth == 16:
        lines = rows.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        lines = rows.astype(np.uint8).reshape(height, -1)
    else:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth:]
        lines = np.packbits(bits.reshape(height, -1), axis=1)
    return b"".join(b"\0" + line.tobytes() for line in lines)


def png(samples, depth, color, interlaced=False, before=b"", behind=b"", parts=1):
    height, width = samples.shape[:2]
    raw = b"".join(packed(part, depth) for part in adam7(samples)) if interlaced else packed(samples, depth)
    data = zlib.compress(raw)
    cut = -(-len(data) // parts)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced)))
    idats = b"".join(chunk(b"IDAT", data[i:i + cut]) for i in range(0, len(data), cut))
    return b"\x89PNG\r\n\x1a\n" + header + before + idats + behind + chunk(b"IEND", b"")


def pngs(height, width):
    rng = np.random.default_rng(height + width)
    palette = chunk(b"PLTE", rng.integers(0, 256, 48, np.uint8).tobytes())
    alphas = chunk(b"tRNS", bytes(range(0, 240, 16)))
    for depth, color in [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4),
                         (16, 4), (8, 6), (16, 6)]:
        samples = rng.integers(0, min(2**depth, 18 if color == 3 else 2**16), (height, width, {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]))
        if color == 0 and depth == 16:
            samples //= rng.choice([1, 256], samples.shape)  # Pillow clips at 255
        before = palette + alphas if color == 3 else b""
        for interlaced in (False, True):
            yield f"{color}_{depth}_{int(interlaced)}", png(samples, depth, color, interlaced, before, parts=1 + depth % 3)
    few = rng.integers(0, 256, (height, width, 3))
    yield "rgb_trns", png(few, 8, 2, before=chunk(b"tRNS", struct.pack(">HHH", *few[0, 0])))
    yield "gray_trns", png(few[..., :1], 8, 0, before=chunk(b"tRNS", struct.pack(">H", few[0, 0, 0])))
    yield "gray16_trns", png(few[..., :1] * 3, 16, 0, before=chunk(b"tRNS", b"\1\0"))
    yield "no_palette", png(few[..., :1], 8, 3)
    gamma = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"sBIT", b"\5\6\5")
    yield "gamma", png(few, 8, 2, before=gamma + chunk(b"tEXt", b"a\0b"), behind=chunk(b"tEXt", b"a\0b"))
    file = io.BytesIO()
    frames = [Image.fromarray(photo(height, width)), Image.fromarray(255 - photo(height, width))]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    yield "apng", file.getvalue()
    for mode in ("RGB", "L", "P", "LA", "RGBA"):
        file = io.BytesIO()
        Image.fromarray(photo(height, width)).convert(mode).save(file, "PNG")
        yield "pillow_" + mode, file.getvalue()


def preprocessed(data, resize, crop, interpolation):
    steps = [transforms.Resize(resize, INTERPOLATION[interpolation], antialias=True)] if resize else []
    steps += [transforms.CenterCrop(crop), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return transforms.Compose(steps)(Image.open(io.BytesIO(data)).convert("RGB")).numpy()


def good(folder):
    with open(folder / "cases.txt", "w") as cases, open(folder / "expected.f32", "wb") as expected:
        def add(name, data, resize, crop, interpolation):
            (folder / name).write_bytes(data)
            expected.write(preprocessed(data, resize, crop, interpolation).astype("<f4").tobytes())
            print(name, resize or "-", crop, interpolation, file=cases)

        for sizes, steps in (SIZES, STEPS), (BIG_SIZES, BIG_STEPS):
            for number, (height, width) in enumerate(sizes):
                for kind, files in ("jpg", jpegs), ("png", pngs):
                    for place, (name, data) in enumerate(files(height, width)):
                        for step, (resize, crop) in enumerate(steps):
                            if sizes is BIG_SIZES and kind == "png" and (place + step) % 4:
                                continue
                            interpolation = "bicubic" if (place + number + step) % 2 else "bilinear"
                            add(f"{name}_{height}x{width}.{kind}", data, resize, crop, interpolation)


def damaged_jpegs(name, data, step):
    for end in [*range(2, len(data), step), *range(len(data) - 12, len(data))]:
        yield f"{name}_{end}.jpg", data[:end]
    rng = np.random.default_rng(len(data))
    for number in range(60):
        at, value = int(rng.integers(2, len(data))), int(rng.integers(0, 256))
        yield f"{name}_byte{number}.jpg", data[:at] + bytes([value]) + data[at + 1:]


def damaged_pngs(name, data, step):
    for end in [*range(8, len(data), step), *range(len(data) - 30, len(data))]:
        yield f"{name}_{end}.png", data[:end]
    rng = np.random.default_rng(len(data))
    for number in range(60):
        at, value = int(rng.integers(8, len(data))), int(rng.integers(0, 256))
        yield f"{name}_byte{number}.png", data[:at] + bytes([value]) + data[at + 1:]


def two_layers(data):
    """Without the third component."""
    frame, scan = segment(data, 0xC0), segment(data, 0xDA)
    data = data[:scan + 2] + b"\0\x0a\2" + data[scan + 5:scan + 9] + data[scan + 11:]
    return data[:frame + 2] + b"\0\x0e" + data[frame + 4:frame + 9] + b"\2" + data[frame + 10:frame + 16] + data[frame + 19:]


def damaged():
    image = photo(60, 90)
    yield from damaged_jpegs("baseline", encoded(image, quality=90), 47)
    yield from damaged_jpegs("progressive", encoded(image, quality=90, progressive=True), 47)
    yield from damaged_jpegs("restarts", encoded(image, quality=90, restart_marker_blocks=4), 97)
    progressive = encoded(image, quality=90, progressive=True)
    starts = [i for i in range(len(progressive)) if progressive[i:i + 2] == b"\xff\xda"]
    for number, start in enumerate(starts[1:]):  # scans missing, but a proper end: the blocks are smoothed
        yield f"scans_{number}.jpg", progressive[:start] + b"\xff\xd9"
    samples = image.astype(int)
    text = chunk(b"tEXt", b"k\0" + bytes(200))
    yield from damaged_pngs("png", png(samples, 8, 2, before=chunk(b"gAMA", struct.pack(">I", 45455)), behind=text, parts=5), 149)
    yield from damaged_pngs("interlaced", png(samples % 16, 8, 2, True, behind=text), 149)
    wrong = bytearray(png(samples, 8, 2))
    wrong[-20] ^= 1  # the data's checksum
    yield "checksum.png", bytes(wrong)
    wrong[20] ^= 1  # the header's
    yield "header.png", bytes(wrong)
    yield "12bit.jpg", patched(encoded(image), 0xC0, 4, 12)
    yield "two_layers.jpg", two_layers(encoded(image))
    yield "page.jpg", b"<!DOCTYPE html><html><body>404</body></html>"
    yield "empty.jpg", b""
    yield "short.png", b"\x89PNG\r\n\x1a\n"
    yield "short.jpg", b"\xff\xd8\xff"
    yield "behind.jpg", encoded(image) + b"something else"


def bad(folder):
    with open(folder / "verdicts.txt", "w") as verdicts, open(folder / "expected.u8", "wb") as expected:
        for name, data in damaged():
            name = "damaged_" + name
            (folder / name).write_bytes(data)
            pixels = None
            try:
                image = Image.open(io.BytesIO(data)).convert("RGB")
                if min(image.size) * 60 > max(image.size) and max(image.size) < 5000:
                    pixels = transforms.CenterCrop(16)(transforms.Resize(16)(image))
                else:
                    continue
            except Exception:
                pass
            print(name, int(pixels is not None), file=verdicts)
            if pixels is not None:
                expected.write(np.asarray(pixels).tobytes())


def photos(folder):
    folder.mkdir()
    for number, image in enumerate(sklearn.datasets.load_sample_images().images):
        for height, width in (427, 640), (768, 1024), (333, 500):
            file = folder / f"{number}_{width}.jpg"
            Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS).save(file, quality=90)


def main(folder):
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    good(folder)
    bad(folder)
    photos(folder / "photos")


main(Path(sys.argv[1]))
