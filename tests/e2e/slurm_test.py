"""Jobs under a real Slurm, with a controller and two nodes on this machine (slurm.sh): four tasks and a report, a job that runs out of
time, an array, jobs that are cancelled. All give the bytes of a plain run, from folders whose names hold spaces and quotes.

Where Slurm cannot be had - it wants root, for a node starts jobs of any user - exits with 77 and says why."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support.harness import POLYHEAD, SECONDS, EndToEnd, environment, ledger, polyhead, results
from support.working import wait_until

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SKIPPED = 77
NODES, CPUS = 2, 4
TOOLS = ("slurmctld", "slurmd", "munged", "sbatch", "unshare", "ip")
SETS = ("parallel.threads=1", "parallel.batch=8", "output.commit_interval=200ms")
# Stands for a slow machine the first time that a job is started, until Slurm's signal comes: Slurm looks at time limits every 30 s.
SLOW = """#!/bin/bash
slow_down() {{
  trap 'kill -CONT $$; exit' USR1 TERM
  until grep -qs '^committed=[1-9]' "$POLYHEAD_STATUS_FILE"; do sleep 0.1; done
  while kill -STOP $$ 2> /dev/null; do sleep 1; kill -CONT $$; sleep 0.02; done
}}
[[ -n ${{SLURM_RESTART_COUNT-}} ]] || slow_down &
exec {0} "$@"
"""


def sets(*options):
    return [word for option in options for word in ("--set", option)]


class Slurm(EndToEnd):
    def setUp(self):
        """A folder of work, and a checkout beside it with the program where a build puts it."""
        super().setUp()
        self.work = self.folder / "what's \"up\" $HOME"
        self.work.mkdir()
        for file in list(self.folder.iterdir()):
            if file != self.work:
                file.rename(self.work / file.name)
        self.config = self.work / "ensemble.yaml"
        self.plain = {}  # results by size of the images
        self.slow = self.program("slow", SLOW.format(shlex.quote(str(Path(POLYHEAD).resolve()))))
        self.root = self.folder / "check out"
        for folder in ("slurm", "launch"):
            shutil.copytree(ROOT / folder, self.root / folder)
        (self.root / "build/release").mkdir(parents=True)
        (self.root / "build/release/polyhead").symlink_to(Path(POLYHEAD).resolve())

    def program(self, name, text):
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o755)
        return str(file)

    def configure(self, name, size):
        """A configuration for images of that size, with its output."""
        text = re.sub("path: result.h5", f"path: {name}.h5", self.config.read_text())
        config = self.work / f"{name}.yaml"
        config.write_text(text.replace("  preprocess:", f"  preprocess:\n    resize: {size}\n    crop: {size}"))
        return config

    def submit(self, script, *words, options=(), **variables):
        """The job's number."""
        done = subprocess.run(["sbatch", "--parsable", *options, self.root / "slurm" / script, *map(str, words)], cwd=self.work,
                              env=environment() | variables, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def state(self, job):
        """{task: (state, how often it was put back)}"""
        text = subprocess.run(["scontrol", "--oneliner", "show", "job", job], capture_output=True, text=True, check=True).stdout
        found = {}
        for line in text.splitlines():
            word = dict(re.findall(r"(\w+)=(\S*)", line))
            found[word["JobId"]] = (word["JobState"], word["Restarts"], word["ExitCode"])
        return list(found.values())

    def said(self, job):
        return "".join(file.read_text() for file in self.work.glob(f"*-{job}.out"))

    def wait(self, job, *states, seconds=SECONDS):
        wait_until(lambda: {state for state, _, _ in self.state(job)} <= set(states), seconds)

    def check(self, job, *states):
        """Its end."""
        self.wait(job, "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        self.assertEqual(self.state(job), list(states), self.said(job))

    def check_bytes(self, config):
        """The result is that of a plain run."""
        size = re.search("resize: ([0-9]+)", config.read_text())[1]
        if size not in self.plain:
            output = self.work / "plain.h5"
            done = polyhead("run", config, *sets(f"output.path={str(output).replace('$', '$$')}", "parallel.threads=2", "parallel.batch=8"), "--overwrite")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.plain[size] = results(output)
        self.assertEqual(results(config.with_suffix(".h5")), self.plain[size])

    def check_cancelled(self, config, launcher):
        """A job that is cancelled keeps what is finished; submitted once more, it goes on."""
        output, words = config.with_suffix(".h5"), (config.name, *sets(*SETS))
        job = self.submit("polyhead.sbatch", *words, POLYHEAD_MPI=launcher, POLYHEAD=self.slow, options=("--ntasks=2",))
        wait_until(lambda: output.exists() and ledger(output).any(), SECONDS)
        subprocess.run(["scancel", job], check=True)
        self.check(job, ("CANCELLED", "0", "75:0"))
        kept = ledger(output)
        self.assertGreater(kept.sum(), 0)
        self.assertLess(kept.sum(), len(kept))
        job = self.submit("polyhead.sbatch", *words, POLYHEAD_MPI=launcher, options=("--nodes=2", "--ntasks=2"))
        self.check(job, ("COMPLETED", "0", "0:0"))
        self.check_bytes(config)

    def test_a_queue(self):
        """All at once, for most of the time goes into waiting for Slurm's clock."""
        limited, four = self.configure("limited", 96), self.configure("four", 32)
        array = [self.configure(name, size) for name, size in (("first", 32), ("second one", 40), ("third", 48))]
        (self.work / "configs.txt").write_text("# three\n" + "\n\n".join(config.name for config in array) + "\n")

        stopped = self.submit("polyhead.sbatch", limited.name, *sets(*SETS), POLYHEAD=self.slow,
                              options=("--ntasks=2", "--nodes=1", "--time=1", "--signal=B:USR1@50"))
        complete = self.submit("polyhead.sbatch", four.name, *sets(*SETS), options=("--nodes=2", "--ntasks-per-node=2"))
        report = self.submit("polyhead-report.sbatch", "four.h5", "--share", "20%", options=(f"--dependency=afterok:{complete}",))
        three = self.submit("polyhead.sbatch", "--list", "configs.txt", *sets(*SETS), options=("--array=1-3", "--ntasks=2"),
                            POLYHEAD_MPI="mpirun")
        stuck = self.submit("polyhead.sbatch", four.name, POLYHEAD=self.program("stuck", "#!/bin/sh\nexit 75\n"), options=("--ntasks=1",))
        silent = self.submit("polyhead.sbatch", four.name, POLYHEAD=self.program("silent", "#!/bin/sh\nexit 0\n"), options=("--ntasks=1",))
        wrong = self.submit("polyhead.sbatch", four.name, "--overwrite", options=("--ntasks=1",))

        self.check(complete, ("COMPLETED", "0", "0:0"))
        self.assertIn("4 rank(s)", self.said(complete))
        self.check_bytes(four)
        self.check(report, ("COMPLETED", "0", "0:0"))
        self.assertIn("no difference", self.said(report))
        self.check(three, *[("COMPLETED", "0", "0:0")] * 3)
        for config in array:
            self.check_bytes(config)
        self.check(stuck, ("FAILED", "0", "75:0"))
        self.assertIn("nothing was committed this time: not requeued", self.said(stuck))
        self.check(silent, ("FAILED", "0", "69:0"))
        self.assertIn("rank 0 has not said that the run is complete (its last word: none)", self.said(silent))
        self.check(wrong, ("FAILED", "0", "64:0"))
        self.assertIn("remove the old output first", self.said(wrong))
        self.check_cancelled(self.configure("cancelled", 96), "srun")
        self.check_cancelled(self.configure("cancelled too", 96), "mpirun")
        self.wait(stopped, "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        [(state, restarts, code)] = self.state(stopped)
        self.assertEqual((state, code), ("COMPLETED", "0:0"), self.said(stopped))
        self.assertIn(restarts, ("1", "2"), self.said(stopped))  # twice where the machine is slow
        self.assertIn("stopped by SIGUSR1", self.said(stopped))
        script = str(self.root / "slurm/polyhead.sbatch").replace(" ", "\\ ")
        self.assertIn(f"To go on: sbatch --ntasks=2 {script} limited.yaml ", self.said(stopped))
        self.assertRegex(self.said(stopped), r"ended with 75 after \d+ more micro-batches: requeued")
        self.check_bytes(limited)


def why_not():
    """Why Slurm cannot be had here; empty when it can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} missing: run launch/setup.sh --dev"
    if os.geteuid() != 0:
        return "Slurm's daemons want root"
    done = subprocess.run([*NAMESPACES, "sh", "-c", "ip link add v type veth peer name w"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


NAMESPACES = ("unshare", "--fork", "--pid", "--kill-child", "--mount-proc", "--net", "--uts", "--mount")

if __name__ == "__main__":
    if "POLYHEAD_SLURM" in os.environ:
        unittest.main()
    reason = why_not()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        sys.exit(subprocess.run(["setpriv", "--pdeathsig", "KILL", *NAMESPACES, HERE / "support/slurm.sh", folder, str(NODES), str(CPUS),
                                 sys.executable, *sys.argv], env=os.environ | {"POLYHEAD_SLURM": "1"}, check=False).returncode)
