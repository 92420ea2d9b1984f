"""What the tests of launch/mpirun.sh share: an mpirun made of a few lines of shell for each start."""

import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "launch/mpirun.sh"
SECONDS = 60
# Writes down how it was called and plays the script of this start, or the last there is.
MPIRUN = r"""#!/bin/bash
case " $* " in *" --do-not-launch "*) cat "$PLAY/map" 2> /dev/null; exit ;; esac
calls=$PLAY/calls
echo "$*" >> "$calls"
env > "$PLAY/environment"
n=$(wc -l < "$calls")
[ -e "$PLAY/hostfile-$n" ] || while [ $# -gt 0 ]; do [ "$1" = --hostfile ] && cp "$2" "$PLAY/hostfile-$n"; shift; done
say() { printf '%s\n' "$@" > "$POLYHEAD_STATUS_FILE.new"; mv "$POLYHEAD_STATUS_FILE.new" "$POLYHEAD_STATUS_FILE"; }
until [ -e "$PLAY/start-$n" ]; do n=$((n - 1)); done
. "$PLAY/start-$n"
"""
# Hosts are files that hold what a shell says first there; one without a file does not answer.
AGENT = '#!/bin/sh\n[ -e "$PLAY/host-$1" ] || exit 255\ncat "$PLAY/host-$1"\nshift\nexec sh -c "$*"\n'
DONE = "say state=ended code=0; exit 0"
# What mpirun --display-map says where b has rank 1 and c rank 2.
MAP = "".join(f" Data for node: {node}\tNum slots: 1\n \tProcess OMPI jobid: [1,1] App: 0 Process rank: {rank} Bound: N/A\n"
              for rank, node in enumerate(("here", "b", "c")))
RULE = 74 * "-"
RUNNING = "say state=running committed=3 micro_batches=8\n"
LOST = RUNNING + "say state=ended code=69 committed=3 micro_batches=8 lost_rank=1 lost_host=node-b; exit 69\n"


class Launch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.program("mpirun", MPIRUN)
        self.agent = self.program("agent", AGENT)
        self.polyhead = self.program("polyhead", "#!/bin/sh\n")
        (self.folder / "tmp").mkdir()

    def program(self, name, text):
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o755)
        return file

    def play(self, *starts):
        """What mpirun does, start by start; the last again and again."""
        for number, text in enumerate(starts, 1):
            (self.folder / f"start-{number}").write_text(text)

    def variables(self, **more):
        environment = {name: value for name, value in os.environ.items() if not re.match("POLYHEAD|OMP|KMP|SLURM|NCCL|CUDA", name)}
        environment |= {"PATH": f"{self.folder}:{os.environ['PATH']}", "PLAY": str(self.folder), "TMPDIR": str(self.folder / "tmp"),
                        "OMPI_MCA_plm_rsh_agent": str(self.agent)}
        return environment | more

    def launch(self, *arguments, **variables):
        job = subprocess.Popen([SCRIPT, "--program", self.polyhead, "--restart-delay", "0", *arguments], env=self.variables(**variables),
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(job.communicate)
        self.addCleanup(job.kill)
        return job

    def run_it(self, *arguments, **variables):
        """(exit code, what it says)"""
        job = self.launch(*arguments, **variables)
        text = job.communicate(timeout=SECONDS)[1]
        self.assertEqual(list((self.folder / "tmp").iterdir()), [], "temporary files are left")
        return job.returncode, text

    def calls(self):
        return (self.folder / "calls").read_text().splitlines()

    def environment(self):
        return dict(line.partition("=")[::2] for line in (self.folder / "environment").read_text().splitlines())

    def wait_for(self, file):
        for _ in range(10 * SECONDS):
            if (self.folder / file).exists():
                return
            time.sleep(0.1)
        self.fail(f"{file} did not come")


def block(*lines):
    """mpirun's way to say it."""
    return "cat >&2 << 'END'\n" + "\n".join([RULE, *lines, RULE]) + "\nEND\n"


# Its words for a host b that has gone.
GONE = block("ORTE has lost communication with a remote daemon.", "", "  HNP daemon   : [[9375,0],0] on node here",
             "  Remote daemon: [[9375,0],1] on node b", "", "This is usually due to either a failure of the TCP network",
             "connection to the node, or possibly an internal failure of")
