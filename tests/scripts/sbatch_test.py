"""slurm/polyhead.sbatch without Slurm: commands of a few lines of shell stand for srun, squeue and scontrol. What it believes, what it
puts back into the queue, what it ends with."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "slurm/polyhead.sbatch"
SRUN = r"""#!/bin/bash
[ "$1" = --mpi=list ] && { echo pmix; exit; }
env > "$PLAY/environment"
echo "$*" > "$PLAY/call"
say() { printf '%s\n' "$@" > "$POLYHEAD_STATUS_FILE"; }
. "$PLAY/step"
"""
SCONTROL = f"""#!/bin/sh
[ "$1" != requeue ] || {{ echo "$2" > "$PLAY/requeued"; kill -KILL "$(cat "$PLAY/pid")"; }}
echo "JobId=7 Command={SCRIPT} c.yaml WorkDir=/"
"""


class Batch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, text in (("srun", SRUN), ("scontrol", SCONTROL), ("squeue", "#!/bin/sh\necho RUNNING\n")):
            file = self.folder / name
            file.write_text(text)
            file.chmod(0o755)
        (self.folder / "tmp").mkdir()

    def run_it(self, step, **variables):
        """(exit code, what it says) of the script, whose step plays `step`."""
        (self.folder / "step").write_text(step)
        environment = {name: value for name, value in os.environ.items() if not re.match("POLYHEAD|OMP|SLURM|SRUN", name)}
        environment |= {"PATH": f"{self.folder}:{os.environ['PATH']}", "PLAY": str(self.folder), "TMPDIR": str(self.folder / "tmp"),
                        "SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", **variables}
        with subprocess.Popen(["bash", SCRIPT, "c.yaml"], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as job:
            (self.folder / "pid").write_text(str(job.pid))
            text = job.communicate(timeout=60)[1]
        return job.returncode, text

    def check(self, step, code, *texts):
        found, text = self.run_it(step)
        self.assertEqual(found, code, text)
        for part in texts:
            self.assertIn(part, text)
        self.assertFalse((self.folder / "requeued").exists(), text)
        return text

    def test_complete(self):
        self.assertEqual(self.check("say state=ended code=0; exit 0", 0), "")
        self.assertEqual(list((self.folder / "tmp").iterdir()), [])

    def test_without_rank_0s_word_nothing_is_complete(self):
        silent = "error: the ranks' launcher ended with 0, but rank 0 has not said that the run is complete (its last word: "
        self.check("exit 0", 69, silent + "none). The ranks did not start, a node was lost, or rank 0 cannot write to ",
                   "nothing was committed this time: not requeued")
        self.check("say state=starting; exit 0", 69, silent + "starting)")
        self.check("say state=running committed=0; exit 0", 69, silent + "running)")

    def test_the_word_counts(self):
        self.check("say state=ended code=65; exit 0", 65)
        self.check("say state=ended code=65; exit 1", 65)
        self.check("say state=ended code=0; exit 139", 139)  # a rank that crashed after the end
        self.check("exit 9", 9)

    def test_an_old_word_is_not_believed(self):
        """A node that came back after a crash holds what an earlier attempt of this job has left, and another job's."""
        tmp = self.folder / "tmp"
        for name in ("polyhead-slurm.7.abcdef", "polyhead-slurm.77.abcdef"):
            (tmp / name).mkdir()
            (tmp / name / "status").write_text("state=ended\ncode=0\n")
        self.check("exit 0", 69)
        self.assertEqual([file.name for file in tmp.iterdir()], ["polyhead-slurm.77.abcdef"])

    def test_a_lost_node_goes_back_into_the_queue_when_the_job_got_on(self):
        step = "say state=running committed=1; sleep 4; say state=running committed=4; exit 0"
        code, text = self.run_it(step)
        self.assertEqual(code, -9)  # as Slurm ends it
        self.assertEqual((self.folder / "requeued").read_text(), "7\n")
        self.assertIn("ended with 69 after 3 more micro-batches: requeued", text)

    def test_a_temporary_folder_that_cannot_be_used(self):
        code, text = self.run_it("exit 0", TMPDIR="/proc/nowhere")
        self.assertEqual(code, 73)
        self.assertIn("TMPDIR, /proc/nowhere: no folder can be made there", text)

    def test_bridges_are_left_out_on_several_nodes(self):
        for nodes, expected in (("1", None), ("2", "127.0.0.1/8,sppp,docker,")):
            self.assertEqual(self.run_it("say state=ended code=0", SLURM_JOB_NUM_NODES=nodes)[0], 0)
            found = re.findall("OMPI_MCA_btl_tcp_if_exclude=(.*)", (self.folder / "environment").read_text())
            self.assertEqual(bool(found), expected is not None)
            self.assertTrue(not found or found[0].startswith(expected), found)


if __name__ == "__main__":
    unittest.main()
