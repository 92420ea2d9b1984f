"""A job at work, for tests that disturb it: started in the background, watched through its status file."""

import subprocess
import time
from pathlib import Path

from support.harness import EndToEnd, environment, mpirun_command

BATCH = 8


def status_of(path):
    """The status file as {key: value}; empty when it is not there."""
    try:
        return dict(line.split("=", 1) for line in path.read_text().splitlines())
    except FileNotFoundError:
        return {}


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("nothing has happened")
        time.sleep(0.02)


def ranks_of(output):
    """{rank: process} of the job that writes `output`."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        rank = [v for v in variables if v.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank and f"output.path={output}".encode() in words:
            found[int(rank[0].split(b"=")[1])] = int(process.name)
    return found


class Working(EndToEnd):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"
        self.status = self.folder / "status"

    def start(self, *sets, ranks=2, program=None):
        """A job that works for a minute or so, if nobody stops it."""
        arguments = ["run", self.config, "--set", f"output.path={self.output}"]
        for option in (f"parallel.batch={BATCH}", "data.preprocess.resize=256", "data.preprocess.crop=256", *sets):
            arguments += ["--set", option]
        command = mpirun_command(ranks, arguments) if program is None else [program, *map(str, arguments)]
        return self.launch(command)

    def launch(self, command):
        job = subprocess.Popen(command, env=environment() | {"POLYHEAD_STATUS_FILE": str(self.status)},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(job.kill)
        return job

    def wait_for_work(self, micro_batches=1):
        wait_until(lambda: int(status_of(self.status).get("committed", 0)) >= micro_batches)

    def end(self, job, within=20):
        begin = time.monotonic()
        job.out, job.err = job.communicate(timeout=within)
        job.took = time.monotonic() - begin
        wait_until(lambda: not ranks_of(self.output), 5)
