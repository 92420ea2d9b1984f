"""Result files of polyhead, as a user of h5py reads them."""

import json

import h5py
import numpy as np

COMPARED = ("fused/scores", "fused/prediction", "heads/prediction", "heads/scores", "samples/status", "samples/reason")


def read(path):
    """{dataset: array} of a result."""
    with h5py.File(path) as file:
        return {name: file[name][()] for name in COMPARED if name in file}


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
    """(largest difference of two arrays of scores, largest score)"""
    return float(np.nanmax(np.abs(found - expected))), float(np.nanmax(np.abs(expected)))
