"""Writes weights files with PyTorch, and what PyTorch makes of them, for the C++ tests to compare with.

make_reference.py checkpoints FOLDER    tensors in every form that a file may have them in
make_reference.py arrays FOLDER         arrays in .npz and .npy files, and their values as fp64 or lines of text
make_reference.py models FOLDER ARCH-SIZE[-photographs]...
                                        random ResNets of torchvision, heads, images of SIZE x SIZE (noise, or crops
                                        of scikit-learn's photographs), features (also in fp64) and logits
"""

import argparse
import collections
import copy
import datetime
import decimal
import enum
import functools
import os
import pathlib
import sys
import warnings
import zipfile

import numpy
import torch
from safetensors.torch import save_file


def write_floats(path, tensor):
    tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4").tofile(path)


class Checkpoints:
    def __init__(self, folder):
        self.folder = folder
        self.index = []

    def expect(self, file, tensors):
        for name, tensor in tensors.items():
            write_floats(self.folder / f"{file}.{name}.f32", tensor)
            self.index.append(" ".join([file, name, *map(str, tensor.shape)]))

    def pth(self, file, tensors, saved=None, **options):
        torch.save(tensors if saved is None else saved, self.folder / file, **options)
        self.expect(file, tensors)

    def safetensors(self, file, tensors):
        save_file(tensors, self.folder / file, metadata={"format": "pt"})
        self.expect(file, tensors)

    def write_index(self):
        (self.folder / "index.txt").write_text("\n".join(self.index) + "\n")


class Evil:
    """Would create a file when it is unpickled."""

    def __init__(self, function, argument):
        self.function, self.argument = function, argument

    def __reduce__(self):
        return self.function, (self.argument,)


def write_checkpoints(folder):
    torch.manual_seed(1)
    out = Checkpoints(folder)
    values = torch.randn(4, 6) * 100
    floating = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
    signed = [torch.int8, torch.int16, torch.int32, torch.int64]
    dtypes = {str(d).split(".")[1]: values.to(d) for d in floating + signed}
    dtypes |= {"uint8": values.abs().to(torch.uint8), "bool": values > 0}
    dtypes |= {"scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3)}
    out.pth("types.pth", dtypes)
    out.safetensors("types.safetensors", dtypes)
    for protocol in (2, 3, 4, 5):
        out.pth(f"protocol{protocol}.pth", {"w": values}, pickle_protocol=protocol)

    shared = torch.arange(24.0)
    views = {"whole": shared, "slice": shared[5:11], "matrix": shared.view(4, 6), "transposed": shared.view(4, 6).t(),
             "column": shared.view(4, 6)[:, 2], "permuted": shared.view(2, 3, 4).permute(2, 0, 1),
             "steps": shared.view(4, 6)[::2, 1::2], "one": shared[3]}
    out.pth("views.pth", views)
    channels_last = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    out.pth("channels_last.pth", {"w": channels_last, "p": torch.nn.Parameter(values.t())})

    torch.serialization.set_crc32_options(False)
    out.pth("unchecked.pth", {"w": values})
    torch.serialization.set_crc32_options(True)

    module = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.BatchNorm1d(4))
    state = module.state_dict()  # an OrderedDict with _metadata
    out.pth("module.pth", state)
    optimizer = torch.optim.Adam(module.parameters())
    module(values).sum().backward()
    optimizer.step()
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    training = {"epoch": 3, "seed": 2**63 + 5, "lr": 0.1, "note": "é", "model": module.state_dict(),
                "optimizer": optimizer.state_dict(), "shape": torch.Size([1, 2]), "best": None, "done": True}
    out.pth("training.pth", state, training)
    write_old_and_odd(out, values, dtypes, views, module)
    write_bookkeeping(out, state)
    out.write_index()
    write_problems(folder, values)
    write_refused(folder, module, values)


class Namespace:
    """A class of the user's own: once with attributes, once a dict."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Config(dict):
    pass


class Colour(enum.Enum):
    RED = 1


def write_old_and_odd(out, values, dtypes, views, module):
    """What torch.load(weights_only=True) reads besides."""
    out.pth("legacy.pth", dtypes, _use_new_zipfile_serialization=False)
    out.pth("legacy_views.pth", views, _use_new_zipfile_serialization=False)
    for protocol in (1, 3, 4, 5):
        out.pth(f"legacy_protocol{protocol}.pth", {"w": values, "b": values > 0}, _use_new_zipfile_serialization=False,
                pickle_protocol=protocol)
    beside = {"w": values, "complex": values.to(torch.complex64), "z": values[1]}
    torch.save(beside, out.folder / "legacy_beside.pth", _use_new_zipfile_serialization=False)
    out.expect("legacy_beside.pth", {"w": values, "z": values[1]})

    out.pth("repeated.pth", {"expanded": torch.tensor([2.5]).expand(64), "rows": values[0].expand(3, 6),
                             "windows": values.view(-1).as_strided((10, 5), (1, 1)),
                             "shared": values, "again": values, "part": values[1:, 2]})
    attributed = {"parameter": torch.nn.Parameter(values.clone()), "tensor": values.clone(),
                  "buffer": torch.nn.Buffer(values.clone()), "plain_buffer": torch.nn.Buffer(values.clone())}
    for name in ("parameter", "tensor", "buffer"):
        attributed[name].no_weight_decay = True
    out.pth("attributes.pth", attributed)
    narrow = {name: (values.abs() if name.startswith("u") else values).to(getattr(torch, name))
              for name in ("float8_e4m3fn", "float8_e5m2", "uint16", "uint32", "uint64")}
    out.pth("narrow.pth", narrow)
    out.pth("legacy_narrow.pth", narrow, _use_new_zipfile_serialization=False)
    out.safetensors("narrow.safetensors", narrow)
    every = torch.arange(256).to(torch.uint8)
    finite = {str(t).split(".")[1]: every.view(t)[every.view(t).float().isfinite()].clone()
              for t in (torch.float8_e4m3fn, torch.float8_e5m2)}
    half = torch.arange(-2**15, 2**15).to(torch.int16).view(torch.float16)
    out.pth("every.pth", finite | {"float16": half[half.isfinite()].clone()})
    out.pth("modules.pth", dict(module.named_parameters()) | dict(module.named_buffers()))

    with zipfile.ZipFile(out.folder / "views.pth") as saved, \
            zipfile.ZipFile(out.folder / "deflated.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in saved.namelist():
            packed.writestr(name, saved.read(name))
    out.expect("deflated.pth", views)
    for device in ("cuda:0", "mps"):
        tagged = out.folder / f"{device[:3]}.pth"
        with zipfile.ZipFile(out.folder / "types.pth") as saved, zipfile.ZipFile(tagged, "w") as packed:
            for name in saved.namelist():
                tag = b"X" + len(device).to_bytes(4, "little") + device.encode()
                packed.writestr(name, saved.read(name).replace(b"X\x03\0\0\0cpu", tag))
        out.expect(tagged.name, dtypes)


def write_bookkeeping(out, state):
    marker = out.folder / "executed"
    things = {
        "args": argparse.Namespace(lr=0.1, gpus=[0]), "counter": collections.Counter("abc"), "path": pathlib.Path("a/b"),
        "scalar": numpy.float64(0.5), "integer": numpy.int64(3), "array": numpy.ones((2, 3)), "names": numpy.array(["a"]),
        "objects": numpy.array([1, "a"], dtype=object), "generator": numpy.random.default_rng(1),
        "random": numpy.random.get_state(), "set": {1, 2}, "frozen": frozenset("ab"), "bytes": b"ab", "array_of_bytes":
        bytearray(b"ab"), "complex": 1 + 2j, "dtype": torch.float16, "device": torch.device("cuda:1"), "layout":
        torch.strided, "rng": {"torch": torch.get_rng_state()}, "mine": Namespace(a=Namespace(b=1)), "config": Config(a=Config(b=2)),
        "partial": functools.partial(print, 1), "when": datetime.datetime(2020, 1, 2), "enum": Colour.RED,
        "default": collections.defaultdict(list, a=[1]), "decimal": decimal.Decimal("1.5"), "class": Namespace,
        "function": os.getcwd, "size": torch.Size([1, 2]), "slice": slice(1, 2), "evil": Evil(os.system, f"touch {marker}"),
        "nested": [({"deep": Evil(eval, f"open({str(marker)!r}, 'w')")},)], "big": 2**80, "nan": float("nan"),
        "loss": torch.nn.CrossEntropyLoss(), "sparse": torch.eye(2).to_sparse(),
        "storage": torch.ones(2).untyped_storage(), "typed_storage": torch.ones(2).storage(),
        "optimizer": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 0.1}]},
    }
    for protocol in (2, 3, 4, 5):
        out.pth(f"bookkeeping{protocol}.pth", state, {**things, "model": state}, pickle_protocol=protocol)
    legacy = {name: thing for name, thing in things.items() if name not in ("rng", "sparse", "storage", "typed_storage")}
    out.pth("bookkeeping_legacy.pth", state, {**legacy, "model": state}, _use_new_zipfile_serialization=False)
    flat = {name: thing for name, thing in things.items() if name not in ("sparse", "rng")}
    out.pth("bookkeeping_flat.pth", state, {**flat, **state})


def write_problems(folder, values):
    """Files that load, with something under "x" that is no tensor to compute with: lines "FILE PROBLEM"."""
    problems = []

    def problem(file, thing, message):
        torch.save({"w": values, "x": thing}, folder / file)
        problems.append(f"{file} {message}")

    marker = folder / "executed"
    problem("system.pth", Evil(os.system, f"touch {marker}"), "is a posix.system, not a tensor")
    problem("eval.pth", Evil(eval, f"open({str(marker)!r}, 'w')"), "is a eval, not a tensor")
    problem("sparse.pth", values.to_sparse(), "is a torch._utils._rebuild_sparse_tensor, which polyhead does not read")
    problem("quantised.pth", torch.quantize_per_tensor(values, 0.1, 0, torch.qint8), "is a torch._utils._rebuild_qtensor")
    problem("complex.pth", values.to(torch.complex64), "is a torch.ComplexFloatStorage, which polyhead does not read")
    problem("meta.pth", values.to("meta"), "is a torch._utils._rebuild_meta_tensor_no_storage")
    problem("numpy.pth", numpy.ones(3), "is a numpy.ndarray, not a tensor: save torch.from_numpy(...) of it")
    problem("scalar.pth", numpy.float32(1), "is a numpy")
    problem("list.pth", [1.0, 2.0], "is a list, not a tensor")
    problem("fp8.pth", values.to(torch.float8_e4m3fnuz), "is a torch.float8_e4m3fnuz, which polyhead does not read")
    problem("nested.pth", torch.nested.nested_tensor([values[0], values[1, :2]]), "is a torch._utils._rebuild_nested_tensor")
    (folder / "problems.txt").write_text("\n".join(problems) + "\n")


def write_refused(folder, module, values):
    refused = []

    def refuse(file, saved, message, **options):
        torch.save(saved, folder / file, **options)
        refused.append(f"{file} {message}")

    whole = "holds a whole model (an object of torch.nn.modules.container.Sequential), which only the program that wrote"
    refuse("model.pth", module, whole)
    refuse("legacy_model.pth", module, whole, _use_new_zipfile_serialization=False)
    refuse("training_model.pth", {"epoch": 3, "net": module, "optimizer": {"state": {}}}, whole)
    refuse("arguments.pth", argparse.Namespace(lr=1), "holds an object of argparse.Namespace, not a dict of tensors")
    refuse("arrays.pth", {"w": numpy.ones(3)}, "holds no tensors under its keys (w)")
    refuse("huge.pth", {"w": torch.ones(1).expand(10**12)}, "share or repeat their storages so often")
    refuse("tensor.pth", values, "does not hold a dict")
    torch.jit.script(module).save(folder / "script.pth")
    refused.append("script.pth is a TorchScript archive")
    (folder / "refused.txt").write_text("\n".join(refused) + "\n")


def write_arrays(folder):
    random = numpy.random.default_rng(6)
    values = random.normal(size=(3, 2, 4)) * 50
    arrays = {kind: values.astype(kind) for kind in "f2 f4 f8 i1 i2 i4 i8".split()}
    arrays |= {kind: numpy.abs(values).astype(kind) for kind in "u1 u2 u4 u8".split()}
    arrays |= {f"big_{kind}": values.astype(f">{kind}") for kind in "f2 f4 f8 i2 i4 i8".split()}
    arrays |= {"bool": values > 0, "scalar": numpy.float32(2.5), "empty": numpy.zeros((0, 3)), "row": values[0, 0],
               "fortran": numpy.asfortranarray(values), "transposed": values.T, "strided": values[::2, :, 1::2],
               "odd": numpy.array([0.0, -0.0, 1e-8, 65504, numpy.inf, -numpy.inf], "f2")}
    words = numpy.array([["caf\u00e9", "", "a"], ["\U0001f40d long", "\u0416", "x y"]])
    arrays |= {"texts": words, "big_texts": words.astype(">U8"), "fortran_texts": numpy.asfortranarray(words),
               "bytes": numpy.array([b"ab", b"", b"xyz"])}
    numpy.savez(folder / "plain.npz", **arrays)
    numpy.savez_compressed(folder / "packed.npz", **arrays, zeros=numpy.zeros(300_000))
    index = []
    for file in ("plain.npz", "packed.npz"):
        with numpy.load(folder / file) as saved:
            index += [(file, name, saved[name]) for name in saved]
    numpy.save(folder / "single.npy", arrays["f4"])
    index.append(("single.npy", "-", numpy.load(folder / "single.npy")))
    for file, name, array in index:
        expected = folder / f"{file}.{name}.expected"
        if array.dtype.kind in "US":
            lines = [text if isinstance(text, str) else text.decode() for text in array.ravel(order="C")]
            expected.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        else:
            expected.write_bytes(numpy.ascontiguousarray(array, dtype="<f8").tobytes())
    (folder / "index.txt").write_text("".join(f"{' '.join([f, n, *map(str, a.shape)])}\n" for f, n, a in index))
    evil = numpy.array([Evil(os.system, f"touch {folder / 'executed'}")], dtype=object)
    numpy.savez(folder / "objects.npz", o=evil)


def randomise(module):
    """Batch norms as after training: random factors, statistics that fit the data."""
    for m in module.modules():
        if isinstance(m, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
            m.momentum = None
            if m.affine:
                torch.nn.init.uniform_(m.weight, 0.5, 1.5)
                torch.nn.init.normal_(m.bias, 0, 0.2)
    # The last norm of a block is small after training; with factors near 1 a deep random network amplifies
    # rounding until PyTorch's fp32 and fp64 differ by more than the test allows.
    for m in module.modules():
        last = getattr(m, "bn3", None) or getattr(m, "bn2", None)
        if last is not None:
            torch.nn.init.uniform_(last.weight, 0.1, 0.4)


def make_heads(width):
    nn = torch.nn
    heads = {
        "mlp": nn.Sequential(nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, 10)),
        "wide": nn.Sequential(nn.Linear(width, 512), nn.BatchNorm1d(512), nn.Linear(512, 10)),
        "dropout": nn.Sequential(nn.Linear(width, 128), nn.Dropout(0.2), nn.Linear(128, 10)),
        "every": nn.Sequential(nn.Flatten(), nn.BatchNorm1d(width), nn.Linear(width, 64), nn.GELU(), nn.LayerNorm(64),
                               nn.Tanh(), nn.Linear(64, 32), nn.BatchNorm1d(32, affine=False), nn.ReLU(),
                               nn.Linear(32, 10)),
    }
    torch.nn.init.normal_(heads["every"][4].weight, 1, 0.2)
    torch.nn.init.normal_(heads["every"][4].bias, 0, 0.2)
    return heads


def save_heads(folder, heads):
    torch.save(heads["mlp"].state_dict(), folder / "mlp.pth")
    save_file(heads["wide"].state_dict(), folder / "wide.safetensors")
    prefixed = {f"module.head.{name}": tensor for name, tensor in heads["dropout"].state_dict().items()}
    torch.save({"epoch": 7, "state_dict": prefixed}, folder / "dropout.pth")
    for tensor in [*heads["every"].parameters(), *heads["every"].buffers()]:
        if tensor.is_floating_point():  # as it comes back from fp16
            tensor.data = tensor.data.half().float()
    half = {n: t.half() if t.is_floating_point() else t for n, t in heads["every"].state_dict().items()}
    torch.save(half, folder / "every.pth")


def crops(count, size):
    """Of real photographs, anywhere in them, normalised as ImageNet's are: [count, 3, size, size]."""
    from sklearn.datasets import load_sample_images

    photographs = [torch.from_numpy(image.copy()).permute(2, 0, 1) / 255 for image in load_sample_images().images]
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    found = []
    for number in range(count):
        photograph = (photographs[number % len(photographs)] - mean) / deviation
        top, left = (int(torch.randint(side - size, ())) for side in photograph.shape[1:])
        found.append(photograph[:, top:top + size, left:left + size])
    return torch.stack(found)


def write_model(folder, arch, size, photographs):
    import torchvision

    torch.manual_seed(2)
    folder.mkdir()
    batch = 8
    images = crops(batch, size) if photographs else torch.randn(batch, 3, size, size)
    backbone = getattr(torchvision.models, arch)()
    randomise(backbone)
    with torch.no_grad():
        backbone.train()(crops(8, size) if photographs else torch.randn(8, 3, 64, 64))
        torch.save(backbone.state_dict(), folder / "backbone.pth")
        backbone.fc = torch.nn.Identity()
        features = backbone.eval()(images)
        exact = copy.deepcopy(backbone).double()(images.double())
        heads = make_heads(features.shape[1])
        for head in heads.values():
            randomise(head)
            head.train()(torch.randn(64, features.shape[1]) * features.std() + features.mean())
        save_heads(folder, heads)
        logits = torch.stack([head.eval()(features) for head in heads.values()])
    write_floats(folder / "images.f32", images)
    write_floats(folder / "features.f32", features)
    write_floats(folder / "exact.f32", exact)
    write_floats(folder / "logits.f32", logits)


def main():
    kind, folder, *models = sys.argv[1:]
    torch.set_num_threads(2)
    warnings.simplefilter("ignore")  # of what is deprecated and written on purpose
    if kind == "checkpoints":
        write_checkpoints(pathlib.Path(folder))
    if kind == "arrays":
        write_arrays(pathlib.Path(folder))
    for model in models:
        arch, size, *photographs = model.split("-")
        write_model(pathlib.Path(folder) / model, arch, int(size), bool(photographs))


if __name__ == "__main__":
    main()
