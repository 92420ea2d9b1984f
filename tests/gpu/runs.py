"""The same job again, in ways that must not show in its bits:  runs.py first | again | shared | nccl_alone | large_batch |
   small_images | two_gpus"""

import sys

import results
from common import SIZES, WORK, expect, finish, gpu_count, record, run_job, skip

TOLERANCE = 1e-4  # of scores, and per unit of the largest one: another batch may get other kernels


def tell(path, said):
    line, summary = results.provenance(path), results.summary(path)
    record("run", backend=line["backend"], reason=line["backend_reason"], gpus=line["gpus"],
           images_per_second=round(summary["run"]["images_per_second"], 1), limited_by=summary["run"]["limited_by"])
    for text in said.splitlines():
        if "NCCL" in text or "weights" in text.lower():
            record("said", text=text)
    return line


def expect_same_bits(path):
    expected = results.read(WORK / "first.h5")
    different = results.differing(results.read(path), expected)
    facts = {"datasets": len(expected), "different": different}
    if "fused/scores" in different:
        facts["largest_difference"] = results.largest_difference(results.read(path)["fused/scores"], expected["fused/scores"])[0]
    expect(not different, "same bits as the first run", **facts)


def first():
    path, said = run_job("first.h5")
    line = tell(path, said)
    expect(any(line["gpus"]), "a GPU computes", gpus=line["gpus"])
    expect(results.summary(path)["done"] == SIZES.images, "all images are done", done=results.summary(path)["done"])


def again():
    path, said = run_job("again.h5")
    tell(path, said)
    expect_same_bits(path)


def shared():
    """Two ranks that share one GPU, and the heads: what they exchange travels over MPI."""
    path, said = run_job("shared.h5", "parallel.strategy=heads", ranks=2, gpus=1)
    line = tell(path, said)
    expect(line["backend"] == "mpi", "the backend of ranks that share a GPU", backend=line["backend"])
    expect_same_bits(path)


def nccl_alone():
    """One rank that exchanges with itself: all of NCCL's calls but the way to another GPU."""
    path, said = run_job("alone.h5", "parallel.strategy=heads", "comm.backend=nccl", ranks=1, variables={"POLYHEAD_EXCHANGE_ALONE": "1"})
    line = tell(path, said)
    expect(line["backend"] == "nccl" and line["weights_over"] == "nccl", "exchange and weights over the backend that was asked for",
           backend=line["backend"], weights=line["weights_over"])
    expect_same_bits(path)


def large_batch():
    """Other bits are allowed here: `parallel.batch` is part of what fixes them."""
    path, said = run_job("large.h5", f"parallel.batch={SIZES.large_batch}")
    tell(path, said)
    scores = [results.read(name)["fused/scores"] for name in (path, WORK / "first.h5")]
    difference, largest = results.largest_difference(*scores)
    expect(difference <= TOLERANCE * (1 + largest), f"batch {SIZES.large_batch} against {SIZES.batch}",
           largest_difference=difference, largest_score=largest, same_bits=scores[0].tobytes() == scores[1].tobytes())


def small_images():
    """Deterministic convolutions of 32x32 images, for which cuDNN has had no engine on some GPUs."""
    path, said = run_job("small.h5", config="small.yaml")
    tell(path, said)
    cpu, _ = run_job("small-cpu.h5", "parallel.device=cpu", config="small.yaml")
    scores = [results.read(name)["fused/scores"] for name in (path, cpu)]
    difference, largest = results.largest_difference(*scores)
    expect(difference <= TOLERANCE * (1 + largest), "32x32 images, GPU against CPU", largest_difference=difference, largest_score=largest)


def two_gpus():
    """Two ranks with a GPU each: the exchange, and how weights come to both."""
    if gpu_count() < 2:
        skip(f"{gpu_count()} GPU here: the exchange over NCCL takes two")
    for strategy in ("heads", "data"):
        path, said = run_job(f"two-{strategy}.h5", f"parallel.strategy={strategy}", "comm.backend=nccl", ranks=2, gpus=2)
        line = tell(path, said)
        expect(line["backend"] == "nccl" and len(set(line["gpus"])) == 2, f"NCCL between two GPUs, {strategy}", gpus=line["gpus"])
        expect(line["weights_over"] == "nccl", f"weights over NCCL, {strategy}", weights=line["weights_over"])
        expect_same_bits(path)


globals()[sys.argv[1]]()
finish()
