"""One contestant of bench/backbone.py: ResNet-18's features by ONNX Runtime, OpenVINO or LibTorch.

backbone_peer.py ENGINE THREADS WEIGHTS PIXELS FEATURES

Reads lines: "prepare BATCH" builds the model, computes the first BATCH images and writes their features to FEATURES; "run"
computes them again. Answers each with the seconds that the computation took.
"""

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

SIDE = 224


def load(weights):
    import torch
    import torchvision

    backbone = torchvision.models.resnet18()
    backbone.load_state_dict(torch.load(weights, weights_only=True))
    backbone.fc = torch.nn.Identity()
    return backbone.eval()


def onnx_file(weights):
    """The network as ONNX with any batch, made once beside its weights."""
    path = Path(weights).with_suffix(".onnx")
    if not path.exists():
        import torch

        partial = path.with_suffix(f".{os.getpid()}")
        torch.onnx.export(load(weights), torch.zeros(2, 3, SIDE, SIDE), partial, dynamo=False, opset_version=17,
                          input_names=["images"], output_names=["features"],
                          dynamic_axes={"images": {0: "batch"}, "features": {0: "batch"}})
        os.replace(partial, path)
    return path


def onnx_runtime(weights, threads, _):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_file(weights), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def openvino(weights, threads, batch):
    import openvino

    core = openvino.Core()
    network = core.read_model(onnx_file(weights))
    network.reshape([batch, 3, SIDE, SIDE])
    compiled = core.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                                                   "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    return lambda images: request.infer({0: images}, share_inputs=True)[0]


def libtorch(weights, threads, batch):
    import torch

    warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
    torch.set_num_threads(threads)
    with torch.inference_mode():
        example = torch.zeros(batch, 3, SIDE, SIDE)
        frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(load(weights), example)))

    def compute(images):
        with torch.inference_mode():
            return frozen(torch.from_numpy(images)).numpy()
    return compute


ENGINES = {"onnxruntime": onnx_runtime, "openvino": openvino, "libtorch": libtorch}


def main(engine, threads, weights, pixels, features):
    images = np.fromfile(pixels, "<f4").reshape(-1, 3, SIDE, SIDE)
    for line in sys.stdin:
        command, *size = line.split()
        if command == "prepare":
            batch = images[:int(size[0])]
            compute = ENGINES[engine](weights, int(threads), len(batch))
            for _ in range(3):  # TorchScript compiles in its first calls
                found = compute(batch)
            found.astype("<f4").tofile(features)
        start = time.perf_counter()
        compute(batch)
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
