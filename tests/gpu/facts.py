"""What this machine is: GPU, driver, PyTorch, and what `polyhead doctor` says."""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess

from common import DRY, expect, finish, gpu_count, program, record

GPU_FACTS = "name,driver_version,memory.total,compute_cap,clocks.max.sm,power.limit"
PACKAGES = ("torch", "torchvision", "h5py", "numpy", "pillow", "safetensors")


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def describe_gpus():
    if shutil.which("nvidia-smi") is None:
        expect(DRY, "nvidia-smi", found=False)
        return
    subprocess.run(["nvidia-smi"], check=False)
    done = subprocess.run(["nvidia-smi", f"--query-gpu={GPU_FACTS}", "--format=csv,noheader"], capture_output=True, text=True,
                          check=False)
    for line in done.stdout.splitlines():
        record("gpu", **dict(zip(GPU_FACTS.split(","), map(str.strip, line.split(",")))))
    expect(DRY or gpu_count() > 0, "gpus", count=gpu_count())


def describe_torch():
    import torch
    record("torch", version=torch.__version__, cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(),
           sees_a_gpu=torch.cuda.is_available())
    if not DRY:
        expect(torch.cuda.is_available(), "torch sees the GPU")


def ask_doctor():
    done = program("doctor", "--json", gpus=gpu_count())
    text = done.stdout[done.stdout.find("{"):]
    found = json.loads(text[:text.rfind("}") + 1])
    for finding in found["findings"]:
        if finding["check"] in ("gpu", "nccl", "cores", "memory") or finding["verdict"] == "problem":
            record("doctor", check=finding["check"], verdict=finding["verdict"], text=finding["text"])
    expect(done.returncode == 0, "doctor", problems=found["problems"])


record("machine", system=platform.platform(), cores=len(os.sched_getaffinity(0)), python=platform.python_version())
versions = {package: version(package) for package in PACKAGES}
expect(all(versions.values()), "packages", **versions)
describe_gpus()
describe_torch()
ask_doctor()
finish()
