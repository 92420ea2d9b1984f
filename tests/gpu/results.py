"""Result files of polyhead, as a user of h5py reads them."""

import json

import h5py
import numpy as np

COMPARED = ("fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/status", "samples/reason")


def read(path):
    """{dataset: array} of a result."""
    with h5py.File(path) as file:
        found = {name: file[name][()] for name in COMPARED if name in file}
    if not {"fused/scores", "fused/prediction", "samples/status"} <= found.keys():
        raise ValueError(f"{path} has no result datasets, only {sorted(found)}")
    return found


def head_scores(path):
    """{name of a head: its scores [N, C]}"""
    with h5py.File(path) as file:
        names = [name.decode() for name in file["heads/name"][()]]
        return {name: file["heads/scores"][:, index] for index, name in enumerate(names)}


def summary(path):
    with h5py.File(path) as file:
        return json.loads(file["job/summary"][()].tobytes().rstrip(b"\0"))


def provenance(path):
    with h5py.File(path) as file:
        return json.loads(file["job/provenance"][()].tobytes().split(b"\n")[0])


def differing(found, expected):
    """Names of the datasets whose bytes differ."""
    return [name for name in expected if name not in found or found[name].tobytes() != expected[name].tobytes()]


def largest_difference(found, expected):
    """(largest difference of two arrays of scores, largest score): NaN where one has a NaN, which no tolerance lets pass."""
    return float(np.max(np.abs(found - expected))), float(np.max(np.abs(expected)))
