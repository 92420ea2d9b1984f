"""h5py's view: `make FILE` writes what the reader must understand, `check FILE` judges what polyhead wrote."""
import sys

import h5py
import numpy as np


def make(path):
    rows = np.arange(70 * 6 * 5 * 3).reshape(70, 6, 5, 3)
    with h5py.File(path, "w") as f:
        f["contiguous"] = (rows % 251).astype(np.uint8)
        f.create_dataset("chunked", data=(rows % 251).astype(np.uint8), chunks=(16, 4, 5, 1))
        f.create_dataset("packed", data=rows.astype(np.float32), chunks=(7, 6, 2, 3), compression="gzip", shuffle=True)
        f.create_dataset("lzf", data=rows.astype(np.float32), chunks=(7, 6, 2, 3), compression="lzf")
        # Written as by a program that lacks an optional filter: the chunk says that it was left out.
        skipped = f.create_dataset("skipped", shape=(4, 8), dtype="u1", chunks=(4, 8), compression="lzf")
        skipped.id.write_direct_chunk((0, 0), bytes(range(32)), filter_mask=1)
        f.create_dataset("untouched", shape=(4, 8), dtype="u1", chunks=(4, 8), compression="lzf")
        f.create_dataset("wide", data=np.arange(1500 * 2048, dtype=np.float32).reshape(1500, 2048),
                         chunks=(500, 1024), compression="gzip", compression_opts=1)
        f["big"] = rows.astype(">i4")
        f["flags"] = np.array([True, False])
        f["half"] = np.zeros(3, np.float16)
        f["one"] = 5
        f["none"] = h5py.Empty("f4")
        f["empty"] = np.zeros((0, 4), np.float32)
        f["group/inner/labels"] = np.array([3, -1, 2], np.int64)
        f["fixed"] = np.array([b"cat", b"zebra", b""], dtype="S5")
        f.create_dataset("fixed_utf8", data=[s.encode() for s in ("Löwe", "Bär")], dtype=h5py.string_dtype("utf-8", 8))
        f.create_dataset("variable", data=["", "a", "Königspinguin"], dtype=h5py.string_dtype())
        f["no_strings"] = np.array([], dtype="S5")
        f.create_dataset("too_many_strings", shape=(2**40,), dtype="S64", chunks=(1024,))
        f.create_dataset("too_many_variable", shape=(2**40,), dtype=h5py.string_dtype(), chunks=(1024,))
        f.create_dataset("silly", shape=(2**40, 2**40), dtype="u1", chunks=(1, 1))
        f.create_dataset("sparse", shape=(2**40, 8), dtype="f4", chunks=(16, 8), fillvalue=2.5)
        f["dangling"] = h5py.SoftLink("/nowhere")
        f.attrs["text"] = "größe"
        f.attrs["number"] = np.uint8(7)
        f.attrs["numbers"] = [1, 2]


def check(path):
    with h5py.File(path, "r") as f:
        assert f["a/b/rows"].dtype == np.dtype("<f4") and f["a/b/rows"].shape == (3, 2), f["a/b/rows"]
        assert np.array_equal(f["a/b/rows"][:], [[0, 1], [2, 3], [4, 5]])
        assert f["a/b/rows"].chunks is None and f["a/b/rows"].id.get_offset() % 4096 == 0
        assert f["a/small"].id.get_offset() % 4096 == 0
        assert f["a/empty"].shape == (0, 3)
        for name in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]:
            assert f[name].dtype == np.dtype("<" + name) and f[name][:].tolist() == [1, 2], f[name]
        assert f["names"].asstr()[:].tolist() == ["mlp", "", "Löwe"], f["names"][:]
        assert h5py.check_string_dtype(f["names"].dtype).length == 5
        assert f["no_names"].shape == (0,)
        assert (f.attrs["format"], f.attrs["empty"], f.attrs["n"]) == ("polyhead", "", -(2**40)), dict(f.attrs)


{"make": make, "check": check}[sys.argv[1]](sys.argv[2])
