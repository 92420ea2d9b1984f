"""h5py's judgement of the example's result file: oracle.py FILE DONE..., the micro-batches that are committed."""
import pathlib
import re
import sys

import h5py
import numpy as np

N, C, K, M = 101, 3, 3, 8
path, done = sys.argv[1], [int(batch) for batch in sys.argv[2:]]


def same(found, dtype, expected):
    expected = np.asarray(expected, dtype)
    assert found.dtype == np.dtype(dtype), (found.name, found.dtype)
    assert found.shape == expected.shape, (found.name, found.shape)
    assert np.array_equal(found[()], expected, equal_nan=found.dtype.kind == "f"), (found.name, found[()], expected)
    assert found.chunks is None and found.id.get_offset() % 4096 == 0, found.name


def text(dataset):
    assert dataset.dtype == np.uint8
    return dataset[()].tobytes().rstrip(b"\0").decode()


i = np.arange(N)
committed = np.isin(i // M, done)
bad = i % 17 == 16
with h5py.File(path, "r") as f:
    assert dict(f.attrs) == {"format": "polyhead-result", "format_version": 1, "samples": N, "classes": C, "batch": M,
                             "fusion_rule": "mean-logits"}, dict(f.attrs)
    scores = np.where(bad[:, None], np.nan, i[:, None] + 0.25 * np.arange(C))
    same(f["fused/scores"], "<f4", np.where(committed[:, None], scores, 0))
    same(f["fused/prediction"], "<i4", np.where(committed & ~bad, i % C, -1))
    same(f["heads/prediction"], "<i4",
         np.where((committed & ~bad)[:, None], (i[:, None] + np.arange(K)) % C, -1))
    head_scores = -i[:, None, None] - 0.5 * np.arange(K * C).reshape(K, C)
    same(f["heads/scores"], "<f4", np.where(committed[:, None, None], head_scores, 0))
    same(f["samples/status"], "u1", np.where(committed, np.where(bad, 2, 1), 0))
    same(f["samples/reason"], "u1", np.where(committed & bad, 1, 0))
    same(f["samples/label"], "<i4", np.where(i % 10 == 9, -1, i % 3))
    same(f["heads/weight"], "<f8", [0.25, 0.5, 0.25])
    same(f["ledger/batches"], "u1", np.isin(np.arange((N + M - 1) // M), done))
    assert f["heads/name"].asstr()[:].tolist() == ["mlp", "wide", "Löwe"]
    assert f["classes/name"].asstr()[:].tolist() == ["cat", "dog", "zebra"]
    ids = ["" if n == 5 else "set/" + "x" * (n % 7) + str(n) for n in range(N)]
    same(f["samples/id_offset"], "<u8", np.cumsum([0] + [len(name) for name in ids]))
    same(f["samples/id_bytes"], "u1", np.frombuffer("".join(ids).encode(), np.uint8))
    assert text(f["job/identity"]) == '{"weights":"ab"}' and text(f["job/fingerprint"]) == '{"cpu":"any"}'
    assert text(f["job/config"]) == "heads: [größe]\n"
    for area in ("provenance", "summary", "certificate"):
        assert f["job"][area].dtype == np.uint8 and len(f["job"][area]) >= 65536
    documented = set()
    f.visititems(lambda name, item: documented.add("/" + name) if isinstance(item, h5py.Dataset) else None)

page = (pathlib.Path(__file__).parents[2] / "docs" / "result-format.md").read_text()
missing = [name for name in documented if f"`{name}`" not in page]
assert not missing, f"docs/result-format.md does not describe {missing}"
example = re.search(r"```python\n(.*?)```", page, re.S).group(1)
names = {}
exec(example.replace("runs/val.h5", path), names)
assert names["done"].sum() == (committed & ~bad).sum()
assert names["ids"][16] == "set/xx16"
if done:
    known = committed & ~bad & (i % 10 != 9)
    assert np.isclose(names["accuracy"], 1.0) and known.any(), names["accuracy"]
