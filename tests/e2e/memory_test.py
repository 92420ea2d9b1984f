"""A run over 10 GiB of images, watched for a minute: anonymous memory stays under 1 GiB a rank, the backbone's
prepared weights are there once, the start reads little."""

import re
import subprocess
import time
import unittest
from pathlib import Path

import h5py
from support.harness import EndToEnd, environment, mpirun_command

GIB = 1 << 30
WATCHED = 60  # seconds


def ranks_of(config):
    listed = subprocess.run(["pgrep", "-f", f"polyhead run {config}"], capture_output=True, text=True, check=False)
    pids = [int(pid) for pid in listed.stdout.split()]
    return [pid for pid in pids if Path(f"/proc/{pid}/comm").exists()
            and Path(f"/proc/{pid}/comm").read_text().strip() == "polyhead"]


def field(pid, file, name):
    match = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
    return int(match.group(1))


def shared_weights(pid):
    """(resident, proportional) MiB of the backbone's weights that ranks share."""
    maps = Path(f"/proc/{pid}/smaps").read_text()
    found = re.search(r"memfd:polyhead.*?\nRss:\s+(\d+) kB\nPss:\s+(\d+) kB", maps, re.DOTALL)
    return tuple(int(kib) / 1024 for kib in found.groups()) if found else (0, 0)


class Memory(EndToEnd):
    def test_ten_gib(self):
        path = self.folder / "sparse.h5"
        samples = 10 * GIB // (224 * 224 * 3)
        with h5py.File(path, "w") as file:
            file.create_dataset("images", (samples, 224, 224, 3), "u1")
            file["images"][-1] = 0  # the file has its full length; nearly all of it is a hole
        self.assertGreater(path.stat().st_size, 9.9 * GIB)
        command = mpirun_command(2, ["run", self.config, "--set", f"data.path={path}",
                                     "--set", f"output.path={self.folder / 'out.h5'}"])
        job = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        try:
            peak, read_at_start = self.watch(job)
        finally:
            job.terminate()
            job.communicate(timeout=30)
        print(f"peak anonymous memory of a rank: {peak / GIB:.2f} GiB; read when work began: {read_at_start / GIB:.2f} GiB")
        self.assertGreater(peak, 0)
        self.assertLess(peak, GIB)
        self.assertLess(read_at_start, GIB / 2)

    def watch(self, job):
        peak, read_at_start = 0, None
        end = time.monotonic() + WATCHED
        while time.monotonic() < end:
            self.assertIsNone(job.poll(), "the job ended early")
            for pid in ranks_of(self.config):
                try:
                    peak = max(peak, field(pid, "status", "RssAnon") * 1024)
                    if read_at_start is None and (self.folder / "out.h5").exists():
                        read_at_start = field(pid, "io", "rchar")
                except (FileNotFoundError, ProcessLookupError):
                    pass
            time.sleep(0.2)
        self.assertIsNotNone(read_at_start, "work never began")
        if "avx2" in Path("/proc/cpuinfo").read_text():  # else LibTorch computes the backbone
            resident, borne = zip(*map(shared_weights, ranks_of(self.config)))
            self.assertGreater(min(resident), 160)
            self.assertLess(sum(borne), 180)
        return peak, read_at_start


if __name__ == "__main__":
    unittest.main()
