"""How MPI is started, and not: a start that hangs ends within its limit, another MPI's launcher is refused, and where there is one
process nobody but the program itself speaks."""

import os
import re
import subprocess
import time
from pathlib import Path
from unittest import main

from support.harness import POLYHEAD, SECONDS, EndToEnd, environment, mpirun_command, polyhead
from support.working import ranks_of, wait_until

FREEZER = Path(__file__).parent / "support/freeze.c"
LIMIT = 2  # seconds
SLACK = 8
USAGE, BAD_DATA, UNAVAILABLE, CONFIG = 64, 65, 69, 78


class MpiStart(EndToEnd):
    def setUp(self):
        super().setUp()
        self.output = self.folder / "out.h5"
        self.sets = ("--set", f"output.path={self.output}")

    # A start that hangs.

    def frozen(self, at, command, limit=f"{LIMIT}s"):
        """Two ranks of which the second stands still at a call."""
        freezer = self.folder / "freeze.so"
        subprocess.run(["mpicc", "-shared", "-fPIC", "-o", freezer, FREEZER], check=True)
        variables = {"LD_PRELOAD": str(freezer), "FREEZE_AT": at, "FREEZE_RANK": "1", "POLYHEAD_MPI_START_TIMEOUT": limit}
        words = mpirun_command(2, [command, self.config, *self.sets])
        for name in variables:
            words[1:1] = ["-x", name]
        begin = time.monotonic()
        done = subprocess.run(words, env=environment() | variables, capture_output=True, text=True, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertLess(time.monotonic() - begin, LIMIT + SLACK)
        self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
        self.assertEqual(done.stderr.count("MPI has not started"), 1, done.stderr)
        self.assertIn("--mca btl_tcp_if_include", done.stderr)
        self.assertIn("docker0", done.stderr)
        wait_until(lambda: not ranks_of(self.output), 3)
        self.assertFalse(self.output.exists())
        return done.stderr

    def test_a_rank_does_not_come(self):
        text = self.frozen("MPI_Init_thread:1", "run")
        self.assertIn(f"{os.uname().nodename}: MPI has not started within {LIMIT} s: MPI_Init_thread has not returned", text)

    def test_a_rank_does_not_answer(self):
        text = self.frozen("MPI_Isend:1", "run")
        self.assertIn(f"rank 0 on {os.uname().nodename}: MPI has not started within {LIMIT} s: no word from rank 1 of 2", text)

    def test_doctor_does_not_wait_for_ever_either(self):
        self.frozen("MPI_Isend:1", "doctor")

    def test_a_limit_that_is_none(self):
        for text in ("soon", "-1", "0", "5 parsecs", "2d", "nan"):
            done = polyhead("run", self.config, *self.sets, variables={"POLYHEAD_MPI_START_TIMEOUT": text})
            self.assert_fails(done, USAGE, f"POLYHEAD_MPI_START_TIMEOUT is '{text}'", "90s or 10min")
        self.assertEqual(polyhead("doctor", variables={"POLYHEAD_MPI_START_TIMEOUT": "1min"}).returncode, 0)

    # Another MPI's launcher.

    def test_another_launcher(self):
        """What it leaves in the environment of two processes that know nothing of each other."""
        hydra = {"PMI_SIZE": "2", "MPI_LOCALNRANKS": "2"}
        before = sorted(self.folder.iterdir())
        first = polyhead("run", self.config, *self.sets, variables=hydra | {"PMI_RANK": "0"})
        self.assert_fails(first, USAGE, "the mpiexec of MPICH or Intel MPI has started 2 processes (PMI_SIZE=2), but MPI knows of a job of "
                          "1 rank in each", "polyhead uses Open MPI v", "Start it with mpirun of that MPI")
        self.assertEqual(first.stderr.count("\n"), 1, first.stderr)
        second = polyhead("run", self.config, *self.sets, variables=hydra | {"PMI_RANK": "1"})
        self.assert_fails(second, USAGE)
        self.assertEqual(second.stderr, "")  # said once
        self.assertEqual(sorted(self.folder.iterdir()), before)

        found = polyhead("doctor", variables=hydra | {"PMI_RANK": "0"})
        self.assertEqual(found.returncode, UNAVAILABLE, found.stderr)
        self.assertRegex(found.stdout, "problem +mpi ")
        self.assertIn("has started 2 processes (PMI_SIZE=2)", found.stdout)
        silent = polyhead("doctor", variables=hydra | {"PMI_RANK": "1"})
        self.assertEqual((silent.returncode, silent.stdout), (UNAVAILABLE, ""))

    def test_jobs_of_their_own(self):
        self.take_samples(16)
        variables = {"PMI_SIZE": "2", "PMI_RANK": "1", "POLYHEAD_ALLOW_SINGLETON": "1"}
        done = polyhead("run", self.config, *self.sets, variables=variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        # One rank of mpirun's within a step of srun's is meant as it is.
        step = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}
        done = polyhead("run", self.config, *self.sets, "--overwrite", ranks=1, variables=step)
        self.assertEqual(done.returncode, 0, done.stderr)

    # One process.

    def test_one_process_speaks_alone(self):
        """No words of Open MPI's behind our own."""
        self.config.write_text("data: [1, 2\n")
        done = polyhead("run", self.config)
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        self.assertNotIn("MPI", done.stderr)
        self.assertEqual(len(re.findall(r"(?m)^\[\d\d:\d\d:\d\d\] \[error\] ", done.stderr)), 1)

    def test_one_process_whose_work_fails_speaks_alone(self):
        """The coordinator's thread ends it."""
        self.configure_photos("photos", "max_bad: 0%")
        (self.folder / "photos").mkdir()
        for number in range(4):
            (self.folder / f"photos/{number}.jpg").write_bytes(b"\xff\xd8 no picture")
        for ranks in (None, 1):
            done = polyhead("run", self.config, *self.sets, "--overwrite", ranks=ranks)
            self.assert_fails(done, BAD_DATA, "quarantined", "To go on: ")
            self.assertNotIn("MPI_ABORT", done.stderr)
        self.assertNotIn("-----", polyhead("run", self.config, *self.sets, "--overwrite").stderr)

    # Command lines.

    def test_an_unknown_command(self):
        commands = "Commands: run, plan, check, info, verify, doctor, config-reference"
        for word, hint in (("rnu", "; did you mean 'run'?"), ("Check", "; did you mean 'check'?"), ("xyzzy", "\n"),
                           ("job.yaml", "; to run that job: polyhead run job.yaml")):
            self.assert_fails(polyhead(word, "x"), USAGE, f"unknown command '{word}'{hint}", commands)
        together = polyhead("rnu", "x", ranks=2)
        self.assert_fails(together, USAGE, "did you mean 'run'?")
        self.assertEqual(together.stderr.count("unknown command"), 1)
        alone = polyhead()
        self.assert_fails(alone, USAGE, "doctor", "config-reference")

    def test_an_unknown_option(self):
        for word, hint in (("--overwite", "did you mean '--overwrite'?"), ("--retrybad", "did you mean '--retry-bad'?"),
                           ("--trcae=x.json", "unknown option '--trcae'; did you mean '--trace'?")):
            self.assert_fails(polyhead("run", self.config, word), USAGE, "polyhead run: unknown option '--", hint,
                              "Usage: polyhead run [OPTIONS] config. All options: polyhead run --help")
        self.assert_fails(polyhead("--verison"), USAGE, "did you mean '--version'?")
        self.assert_fails(polyhead("run"), USAGE, "config is required", "Usage: polyhead run [OPTIONS] config")
        self.assert_fails(polyhead("doctor", "a.yaml", "b.yaml"), USAGE, "b.yaml", "Usage: polyhead doctor [OPTIONS] [config]")
        self.assert_fails(polyhead("run", self.config, "--progress", "loud"), USAGE, "--progress", "loud")
        self.assertFalse(self.output.exists())

    # The command that goes on.

    def test_the_command_that_goes_on_works_from_any_folder(self):
        """Folders with blanks, quotes and dollars; a relative configuration; --overwrite is not said again."""
        self.take_samples(40)
        work = self.folder / "it's \"my\" $HOME"
        work.mkdir()
        for file in list(self.folder.iterdir()):
            if file != work:
                file.rename(work / file.name)
        first = subprocess.run([Path(POLYHEAD).resolve(), "run", "ensemble.yaml"], cwd=work, env=environment(), capture_output=True, text=True,
                               timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(first.returncode, 0, first.stderr)
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                words = ["run", "ensemble.yaml", "--overwrite=true", "--set", "run.time_limit=1ms", "--set", "parallel.batch=8"]
                command = [POLYHEAD, *words] if ranks is None else mpirun_command(ranks, words)
                command[command.index(POLYHEAD)] = str(Path(POLYHEAD).resolve())
                stopped = subprocess.run(command, cwd=work, env=environment(), capture_output=True, text=True, timeout=SECONDS,
                                         stdin=subprocess.DEVNULL, check=False)
                self.assertEqual(stopped.returncode, 75, stopped.stderr)
                [shown] = re.findall(r"To go on: (.*)", stopped.stderr)
                self.assertTrue(shown.startswith("cd '") and shown.endswith(" --resume"), shown)
                self.assertNotIn("--overwrite", shown)
                done = subprocess.run(["sh", "-c", shown + " --set run.time_limit=1h"], cwd="/", env=environment(), capture_output=True,
                                      text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("resumed: ", done.stderr)


if __name__ == "__main__":
    main()
