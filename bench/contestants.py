"""The contestants of bench/run.sh: how each is started with given settings, and what it leaves behind."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / "peers"
POLYHEAD = ROOT / "build" / "release" / "polyhead"
CORES = len(os.sched_getaffinity(0))
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4294967296"}  # freed memory is kept: fewer page faults
TIME_OUT = 1800  # seconds
TAIL = 15  # lines of a failed contestant's log that are shown

# Values of each setting; settings in one group are tried in all combinations, groups one after the other.
BATCH = {"batch": (8, 16, 32, 64)}
PLACEMENT = {"workers": tuple(sorted({0, 1, CORES})), "threads": tuple(sorted({1, CORES}))}
DECODE = {"decode": ("pillow", "io")}
LAYOUT = {"layout": ("nchw", "nhwc")}
KEEP = {"malloc": ("default", "keep")}
ENGINE = {"engine": ("eager", "frozen")}


class Failed(Exception):
    """A contestant ended with an error; the text holds the end of its log."""


class Outcome:
    def __init__(self, img_s, wall_img_s, rows):
        self.img_s, self.wall_img_s, self.rows = img_s, wall_img_s, rows


def run(command, log, env):
    """(standard output, seconds from start to end) of a program; its whole output goes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with open(log, "wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env)
        try:
            output, _ = process.communicate(timeout=TIME_OUT)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, _ = process.communicate()
    seconds = time.monotonic() - start
    text = output.decode(errors="replace")
    with open(log, "a") as file:
        file.write(text)
    if process.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
        raise Failed(f"{' '.join(map(str, command))}\nended with {process.returncode} after {seconds:.0f} s:\n{tail}")
    return text, seconds


class Peer:
    """A program of bench/peers."""

    def __init__(self, name, program, *engine, share=1, **start):
        self.name, self.program = name, program
        self.groups = [*engine, PLACEMENT, BATCH, DECODE, LAYOUT, KEEP]
        self.start = {"batch": 16, "decode": "io", "layout": "nchw", "malloc": "keep"} | start
        self.share = share  # of the sweep's images: slow contestants are tuned on fewer

    def run(self, settings, images, model, count, output):
        flags = [f"--{key}={value}" for key, value in settings.items() if key != "malloc"]
        env = os.environ | (MALLOC if settings["malloc"] == "keep" else {})
        result = output / f"{self.program}.npy"
        result.unlink(missing_ok=True)
        command = [sys.executable, PEERS / f"{self.program}.py", images, model, result, f"--limit={count}", *flags]
        text, seconds = run(command, output / f"{self.program}.log", env)
        told = json.loads(text.splitlines()[-1])
        rows = np.load(result)
        return Outcome(told["img_s"], len(rows) / seconds, rows)


class Polyhead:
    """The program under test. It reads whole folders: for a subset, a folder of links is made."""

    name = "polyhead"
    groups = [{"ranks": tuple(sorted({1, CORES}))}, BATCH]  # each rank has its share of the cores as threads
    start = {"ranks": CORES, "batch": 32}
    share = 1

    def run(self, settings, images, model, count, output):
        result, folder = output / "polyhead.h5", subset(images, count)
        ranks = settings["ranks"]
        changes = {"data.path": folder, "output.path": result, "parallel.batch": settings["batch"],
                   "parallel.threads": max(1, CORES // ranks)}
        command = ["mpirun", "-np", str(ranks), "--bind-to", "none", "--use-hwthread-cpus", POLYHEAD, "run",
                   model / "ensemble.yaml", "--overwrite", "--progress", "none"]
        for key, value in changes.items():
            command += ["--set", f"{key}={value}"]
        _, seconds = run(command, output / "polyhead.log", os.environ)
        rows, img_s = read_result(result, folder)
        return Outcome(img_s, len(rows) / seconds, rows)


CONTESTANTS = [
    Polyhead(),
    Peer("serial loop", "serial", share=0.5, workers=0, threads=CORES),
    Peer("shared base", "shared", workers=1, threads=CORES),
    Peer("shared base, frozen", "frozen", workers=1, threads=CORES),
    Peer("Daft", "daft_peer", ENGINE, workers=0, threads=1, engine="frozen"),
    Peer("Ray Data", "ray_peer", ENGINE, workers=0, threads=1, engine="frozen"),
]
# Untimed: what everybody's answers are compared with.
REFERENCE = Peer("reference", "shared", workers=0, threads=CORES)
REFERENCE_SETTINGS = REFERENCE.start | {"decode": "pillow"}


def list_images(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*.jpg"))


def subset(images, count):
    """The folder itself, or one with links to the `count` images that a contestant with --limit takes."""
    paths = list_images(images)
    if count >= len(paths):
        return images
    folder = images.parent / f"{images.name}-{count}"
    shutil.rmtree(folder, ignore_errors=True)  # the images may be others than last time
    for path in paths[::len(paths) // count][:count]:
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(images / path, link)
    return folder


def read_result(path, images):
    """(rows in the order of the images' paths, img/s as the program tells it) of a result file of polyhead."""
    with h5py.File(path) as file:
        offsets = file["samples/id_offset"][:].astype(int)
        blob = file["samples/id_bytes"][:].tobytes()
        names = [blob[a:b].decode() for a, b in zip(offsets, offsets[1:])]
        scores, predictions = file["fused/scores"][:], file["fused/prediction"][:]
        summary = json.loads(file["job/summary"][:].tobytes().rstrip(b"\0"))
    if summary["done"] != summary["samples"]:
        raise Failed(f"{path}: {summary['done']} of {summary['samples']} images are done")
    order = {name: row for row, name in enumerate(names)}
    try:
        rows = [order[name] for name in list_images(images)]
    except KeyError as missing:
        raise Failed(f"{path} has no sample {missing}; it has {names[:3]}") from None
    result = np.empty(len(rows), [("prediction", "i4"), ("logits", "f4", scores.shape[1:])])
    result["prediction"], result["logits"] = predictions[rows], scores[rows]
    return result, summary["run"]["images_per_second"]
