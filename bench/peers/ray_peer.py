"""Ray Data: map_batches with actors that hold the model. workers 0: they decode too; otherwise tasks before them do."""

import os
import secrets
import tempfile

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # no report to the outside
os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # otherwise Ray writes one into the home folder

import numpy as np
import ray
import ray.data
import torch

import common


def decode(batch, way):
    decoder = common.Decoder(way)
    images = np.stack([decoder(path).numpy() for path in batch["path"]])
    return {"index": batch["index"], "image": images, "opened": np.full(len(images), decoder.opened)}


class Model:
    def __init__(self, args):
        self.args, self.predictor = args, common.Predictor(args)

    def __call__(self, batch):
        if "image" not in batch:
            batch = decode(batch, self.args.decode)
        logits = self.predictor(torch.from_numpy(batch["image"]))
        return {"index": batch["index"], "logits": logits, "opened": batch["opened"]}


def main():
    args = common.arguments(__doc__)
    paths = common.list_images(args.images, args.limit)
    cores = len(os.sched_getaffinity(0))
    actors = max(1, cores // args.threads)
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder:  # a short path: sockets are made in it
        ray.init(num_cpus=max(cores, actors + args.workers), include_dashboard=False, log_to_driver=False,
                 _node_ip_address="127.0.0.1", _temp_dir=folder, object_store_memory=2 << 30)
        try:
            context = ray.data.DataContext.get_current()
            context.enable_progress_bars = False
            context.wait_for_min_actors_s = 600  # no file is opened before the models stand
            rows = [{"index": index, "path": path} for index, path in enumerate(paths)]
            data = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // args.batch))
            if args.workers:
                data = data.map_batches(decode, fn_kwargs={"way": args.decode}, batch_size=args.batch,
                                        compute=ray.data.TaskPoolStrategy(size=args.workers))
            data = data.map_batches(Model, fn_constructor_args=(args,), batch_size=args.batch, num_cpus=1,
                                    compute=ray.data.ActorPoolStrategy(size=actors))
            batches = list(data.iter_batches(batch_size=None, batch_format="numpy"))
            columns = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
            common.finish(args, len(paths), columns["index"], columns["logits"], columns["opened"].min())
        finally:
            ray.shutdown()


if __name__ == "__main__":
    main()
