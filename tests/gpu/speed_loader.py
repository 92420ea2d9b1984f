"""PyTorch with a DataLoader from the same files to the heads' scores: what users would write without polyhead."""

import time

import cores
import torch
from common import DRY, SIZES, WORK, finish, record
from job import MEAN, STD
from model import DEVICE, PRECISIONS, make, synchronize
from timing import measured
from torch.utils.data import DataLoader, Dataset
from torchvision.io import decode_jpeg, read_file
from torchvision.transforms import v2

FASTEST = "tf32" if DRY else "bf16"  # measured with fewer cores, too
WITH_ALL_CORES = (FASTEST,) if DRY else PRECISIONS

torch.multiprocessing.set_sharing_strategy("file_system")


class Photographs(Dataset):
    """Decoded, resized and cut bytes; they become numbers on the device."""

    def __init__(self):
        self.paths = sorted(str(path) for path in (WORK / "many").iterdir())
        self.prepare = v2.Compose([v2.Resize(SIZES.resize, antialias=True), v2.CenterCrop(SIZES.crop)])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.prepare(decode_jpeg(read_file(self.paths[index])))


def normalizer(form):
    mean, std = (torch.tensor(values, device=DEVICE).view(1, 3, 1, 1) * 255 for values in (MEAN, STD))
    return lambda batch: ((batch.to(DEVICE, non_blocking=True) - mean) / std).to(**form)


@torch.inference_mode()
def measure(precision, workers):
    """Images per second of a whole pass; workers have started and the network has been warmed up before."""
    network, form = make(precision)
    normalize = normalizer(form)
    loader = DataLoader(Photographs(), SIZES.large_batch, num_workers=workers, pin_memory=DEVICE == "cuda", prefetch_factor=2,
                        persistent_workers=True)
    warm = next(iter(loader))
    network(normalize(warm))
    network(normalize(warm[:SIZES.all_names % SIZES.large_batch or SIZES.large_batch]))
    synchronize()
    start = time.perf_counter()
    for batch in loader:
        network(normalize(batch)).argmax(-1).cpu()
    return SIZES.all_names / (time.perf_counter() - start)


for chosen in cores.choices():
    everything = chosen == cores.choices()[-1]
    for precision in WITH_ALL_CORES if everything else (FASTEST,):
        with cores.only(chosen):
            found = measured(measure, precision, 1 if DRY else len(chosen))
        record("loader", precision=precision, cores=len(chosen), batch=SIZES.large_batch, **found)
finish()
