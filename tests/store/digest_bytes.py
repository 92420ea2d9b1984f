"""digest_bytes.py FILE OUT: the bytes that the certificate's digest is over, as docs/result-format.md says."""
import struct
import sys

import h5py

NAMES = ["/fused/scores", "/fused/prediction", "/heads/prediction", "/heads/scores", "/samples/status", "/samples/reason",
         "/samples/label", "/samples/id_offset", "/samples/id_bytes"]


def number(value):
    return struct.pack("<q", value)


with h5py.File(sys.argv[1], "r") as f, open(sys.argv[2], "wb") as out:
    for name in filter(f.__contains__, NAMES):
        data = f[name]
        kind = data.dtype.name
        out.write(number(len(name)) + name.encode() + number(len(kind)) + kind.encode())
        out.write(number(data.ndim) + b"".join(map(number, data.shape)) + data[()].tobytes())
