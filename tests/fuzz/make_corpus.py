#!/usr/bin/env python3
"""Makes the first inputs of the fuzzers that read weights: small files of PyTorch, safetensors and NumPy.

    tests/fuzz/make_corpus.py [FOLDER]      FOLDER: tests/fuzz/corpus when missing
"""

import argparse
import collections
import io
import pathlib
import pickle
import sys
import zipfile

import numpy
import torch
from safetensors.torch import save

VALUES = torch.arange(6.0).view(2, 3)


def saved(thing, **options):
    out = io.BytesIO()
    torch.save(thing, out, **options)
    return out.getvalue()


def packed(data, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", method) as new:
        for name in old.namelist():
            if name.endswith(("data.pkl", "byteorder")) or "/data/" in name:
                new.writestr(name, old.read(name))
    return out.getvalue()


def data_pickle(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def things():
    parameter = torch.nn.Parameter(VALUES.clone())
    parameter.tag = 1
    return {
        "plain": {"a.weight": VALUES, "a.bias": VALUES[0]},
        "views": {"t": VALUES.t(), "e": VALUES[0].expand(2, 3), "z": VALUES[0, 0], "n": VALUES[:0]},
        "types": {"h": VALUES.half(), "b": VALUES > 1, "f8": VALUES.to(torch.float8_e4m3fn), "u": VALUES.to(torch.uint16)},
        "attributes": {"p": parameter, "q": torch.nn.Parameter(VALUES)},
        "odd": {"s": VALUES.to_sparse(), "c": VALUES.to(torch.complex64), "m": VALUES.to("meta")},
        "training": {"model": collections.OrderedDict(w=VALUES), "args": argparse.Namespace(lr=0.1), "epoch": 3, "set": {1},
                     "best": numpy.float64(1), "array": numpy.ones(2), "bytes": b"a", "counter": collections.Counter("a")},
        "module": torch.nn.Sequential(torch.nn.Linear(2, 1)),
    }


def arrays():
    plain = {"f": numpy.ones((2, 3), "f4"), "t": numpy.array(["a", "bc"]), "b": numpy.array([True])}
    odd = {"o": numpy.array([None]), "big": numpy.ones(2, ">f8"), "f": numpy.asfortranarray(numpy.ones((2, 2), "f2")),
           "s": numpy.array([b"a"]), "c": numpy.ones(1, "c8"), "z": numpy.float64(1)}
    return plain, odd


def write_all(folder):
    def write(target, name, data):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / name).write_bytes(data)

    for name, thing in things().items():
        archive = saved(thing)
        write("pickle", f"{name}.pkl", data_pickle(archive))
        write("zip", f"{name}.pth", packed(archive, zipfile.ZIP_STORED))
        if name != "module":
            write("checkpoint", f"{name}.pth", saved(thing, _use_new_zipfile_serialization=False))
    write("zip", "deflated.pth", packed(saved(things()["plain"])))
    for protocol in (0, 1, 3, 4, 5):
        objects = [argparse.Namespace(a=[1, 2.5, 2**70, None, True]), {"a": (1, "b")}, {1, 2}, b"ab", frozenset("a"), numpy.ones(2)]
        write("pickle", f"protocol{protocol}.pkl", pickle.dumps(objects, protocol))
        write("pickle", f"tensor{protocol}.pkl", data_pickle(saved(things()["plain"], pickle_protocol=max(protocol, 1))))
    write("checkpoint", "plain.safetensors", save({"a": VALUES, "b": VALUES.half(), "c": VALUES > 1}, {"format": "pt"}))
    write("checkpoint", "empty.safetensors", save({}))
    for number, group in enumerate(arrays()):
        for name, array in group.items():
            out = io.BytesIO()
            numpy.save(out, array)
            write("npz", f"{number}-{name}.npy", out.getvalue())
        for name, function in (("plain", numpy.savez), ("packed", numpy.savez_compressed)):
            out = io.BytesIO()
            function(out, **group)
            write("npz", f"{number}-{name}.npz", out.getvalue())


if __name__ == "__main__":
    torch.manual_seed(1)
    write_all(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus")
