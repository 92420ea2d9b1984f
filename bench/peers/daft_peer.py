"""Daft: a batch UDF of a class that holds the model. workers 0: it decodes too; otherwise another UDF before it does."""

import os

os.environ["DAFT_ANALYTICS_ENABLED"] = "0"  # no report to the outside
os.environ["DO_NOT_TRACK"] = "true"
os.environ["DAFT_PROGRESS_BAR"] = "0"
os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))  # Daft's processes import common, too

import daft
import numpy as np
import torch

import common

args = common.arguments(__doc__)
IMAGE = daft.DataType.tensor(daft.DataType.uint8(), (3, common.CROP, common.CROP))
OPENED = daft.DataType.float64()
LOGITS = daft.DataType.list(daft.DataType.float32())
DECODED = daft.DataType.struct({"image": IMAGE, "opened": OPENED})
ROW = daft.DataType.struct({"logits": LOGITS, "opened": OPENED})
cores = len(os.sched_getaffinity(0))
actors = max(1, cores // args.threads)


def predicted(predictor, images, opened):
    logits = predictor(images)
    return [{"logits": row.tolist(), "opened": time} for row, time in zip(logits, opened, strict=True)]


@daft.cls(use_process=True, max_concurrency=actors)
class Whole:
    """Reads, decodes and computes, in processes of its own."""

    def __init__(self, args):
        self.predictor, self.decoder = common.Predictor(args), common.Decoder(args.decode)

    @daft.method.batch(return_dtype=ROW, batch_size=args.batch)
    def predict(self, paths):
        images = torch.stack([self.decoder(path) for path in paths.to_pylist()])
        return predicted(self.predictor, images, [self.decoder.opened] * len(images))


@daft.cls(use_process=True, max_concurrency=max(1, args.workers))
class Decodes:
    """Reads and decodes, in processes of its own."""

    def __init__(self, way):
        self.decoder = common.Decoder(way)

    @daft.method.batch(return_dtype=DECODED, batch_size=args.batch)
    def decode(self, paths):
        images = [self.decoder(path).numpy() for path in paths.to_pylist()]
        return [{"image": image, "opened": self.decoder.opened} for image in images]


@daft.cls(use_process=False, max_concurrency=1)
class Computes:
    """Computes in this process, where the model stands before the query begins."""

    @daft.method.batch(return_dtype=ROW, batch_size=args.batch)
    def predict(self, images, opened):
        images = torch.from_numpy(np.stack(images.to_pylist()))
        return predicted(common.predictor, images, opened.to_pylist())


def main():
    paths = common.list_images(args.images, args.limit)
    data = daft.from_pydict({"index": list(range(len(paths))), "path": paths}).into_batches(args.batch)
    if args.workers:
        common.predictor = common.Predictor(args)  # a module's variable is not pickled along with the plan
        data = data.with_column("decoded", Decodes(args.decode).decode(data["path"]))
        result = Computes().predict(data["decoded"]["image"], data["decoded"]["opened"])
    else:
        result = Whole(args).predict(data["path"])
    # Daft takes a second or more to end its processes: the stream is left open so that this is not charged to the job.
    stream, rows = data.select(data["index"], result.alias("row")).iter_rows(), []
    while len(rows) < len(paths):
        row = next(stream)
        rows.append((row["index"], row["row"]["logits"], row["row"]["opened"]))
    indices, logits, opened = zip(*rows)
    common.finish(args, len(paths), np.array(indices), np.array(logits, np.float32), min(opened))


if __name__ == "__main__":
    main()
