"""launch/mpirun.sh beside a job: signals, what it watches, shows and leaves behind, with a pretended mpirun."""

import mmap
import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest
from pathlib import Path

from pretended_mpirun import DONE, GONE, RULE, RUNNING, SCRIPT, SECONDS, Launch, block


class SignalsTest(Launch):
    CATCH = "trap 'echo >> $PLAY/usr1; [ $(wc -l < $PLAY/usr1) = {0} ] && {{ say state=ended code=75; exit 75; }}' USR1\n"
    WAIT = "touch $PLAY/ready; while true; do sleep 0.1; done\n"

    def begin(self, *starts):
        self.play(*starts)
        job = self.launch("--max-restarts", "2", "c.yaml")
        self.wait_for("ready")
        time.sleep(1.2)
        return job

    def test_each_signal_asks_the_ranks(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(number.name):
                for file in ("usr1", "ready", "calls"):
                    (self.folder / file).unlink(missing_ok=True)
                job = self.begin(RUNNING + self.CATCH.format(1) + self.WAIT)
                job.send_signal(number)
                text = job.communicate(timeout=SECONDS)[1]
                self.assertEqual((job.returncode, len(self.calls())), (75, 1), text)
                self.assertIn(number.name[3:], text)

    def test_a_second_one_is_passed_on(self):
        job = self.begin(RUNNING + self.CATCH.format(2) + self.WAIT)
        job.terminate()
        self.wait_for("usr1")
        job.terminate()
        text = job.communicate(timeout=SECONDS)[1]
        self.assertEqual(job.returncode, 75, text)
        self.assertIn("asking the ranks to stop at once", text)

    def test_before_there_are_ranks(self):
        job = self.begin(self.WAIT)
        job.terminate()
        text = job.communicate(timeout=SECONDS)[1]
        self.assertEqual((job.returncode, len(self.calls())), (75, 1), text)

    def test_the_job_is_asked_when_the_script_is_killed(self):
        job = self.begin(RUNNING + self.CATCH.format(1) + self.WAIT)
        job.kill()
        self.wait_for("usr1")


class WatchTest(Launch):
    HANG = "trap '' TERM; while true; do sleep 0.1; done\n"

    def test_an_mpirun_that_outlives_the_run(self):
        self.play("say state=ended code=69\nsetsid sleep 100 &\n" + self.HANG)
        begin = time.monotonic()
        code, text = self.run_it("c.yaml")
        self.assertEqual(code, 69)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertIn("the run has ended, mpirun has not", text)
        self.assertRegex(text, "process [0-9]+ is left: killing it")

    def test_a_silent_rank_0(self):
        self.play("say state=running comm_timeout=0\n" + self.HANG, DONE)
        code, text = self.run_it("--max-restarts", "1", "c.yaml")
        self.assertEqual((code, len(self.calls())), (0, 2), text)
        self.assertIn("rank 0 has been silent for 5 s: its host may be frozen; ending mpirun", text)


class WordsTest(Launch):
    """What mpirun says of an end is told in a line or left away; all else is shown as it is."""

    def said(self, start):
        """(exit code, lines that are not the launcher's call)"""
        self.play(start)
        code, text = self.run_it("-n", "2", "c.yaml")
        return code, [line for line in text.splitlines() if not line.startswith("[polyhead] mpirun --bind-to")]

    def test_noise(self):
        abort = block("MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD", "with errorcode 69.", "")
        exits = block("mpirun detected that one or more processes exited with non-zero status, thus causing", "  Exit code:    65")
        primary = block("Primary job  terminated normally, but 1 process returned", "a non-zero exit code.")
        lines = ("cat >&2 << 'END'\n[n:1] 1 more process has sent help message help-mpi-btl-tcp.txt / x\nmpirun: Forwarding signal 10 to job\n"
                 "[n:1] [[48941,0],0] ORTE_ERROR_LOG: Data unpack would read past end of buffer in file ../orte/util/show_help.c at line 507\n"
                 '[n:1] Set MCA parameter "orte_base_help_aggregate" to 0 to see all help / error messages\nEND\n')
        self.assertEqual(self.said(f"echo ours >&2\n{abort}{primary}{exits}{lines}echo last >&2; exit 65"), (65, ["ours", "last"]))

    def test_other_words_are_shown(self):
        warning = block("WARNING: Open MPI has found no network", "", "  Local host: here")
        self.assertEqual(self.said(warning + "printf 'a  b\\\\c\n\nno end' >&2; exit 1"),
                         (1, [RULE, "WARNING: Open MPI has found no network", "", "  Local host: here", RULE, "a  b\\c", "", "no end"]))
        self.assertEqual(self.said(f"echo {RULE} >&2; echo open >&2; exit 1"), (1, [RULE, "open"]))

    def test_the_end_of_a_rank(self):
        text = block("mpirun noticed that process rank 1 with PID 0 on node b exited on signal 9 (Killed).")
        self.assertEqual(self.said(text + "exit 137"), (137, ["[polyhead] rank 1 on b was ended by signal 9 (Killed)"]))

    def test_a_host_without_the_program(self):
        for text in (block("mpirun was unable to launch the specified application as it could not access", "or execute an executable:", "",
                           "Executable: /opt/poly head", "Node: b", "", "while attempting to start process rank 1."),
                     block("mpirun was unable to find the specified executable file, and therefore", "did not launch the job.", "",
                           "Node:       b", "Executable: /opt/poly head")):
            self.assertEqual(self.said(text + "echo '2 total processes failed to start' >&2; exit 132"),
                             (64, ["[polyhead] error: /opt/poly head is not on host b, or is no program there: all hosts need it, with its "
                                   "libraries, under the same path"]))
        self.assertEqual(self.said(block("There are not enough slots available in the system", "x") + "exit 1")[1],
                         ["[polyhead] error: there are fewer slots than ranks: start fewer (-n), give the hosts more (slots= in the "
                          "hostfile), or say --oversubscribe"])

    def test_a_host_that_goes(self):
        """Rank 0, which mpirun ends with SIGTERM, takes that for a request."""
        code, lines = self.said(RUNNING + GONE + "say state=ended code=75 'stopped_by=SIGTERM at rank 0 on here'; exit 205")
        self.assertEqual(code, 69)
        self.assertEqual(lines[0], "[polyhead] the connection to b is lost: the host, its network or Open MPI's daemon there has gone")

    def test_a_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        self.play(r"printf '\r[=>  ]  50%%\033[K' >&2; until [ -e $PLAY/seen ]; do sleep 0.1; done; "
                  r"printf '\r[====] 100%%\033[K\n' >&2; " + DONE)
        job = subprocess.Popen([SCRIPT, "--program", self.polyhead, "c.yaml"], env=self.variables(), stdin=subprocess.DEVNULL, stderr=theirs)
        self.addCleanup(job.wait)
        self.addCleanup(job.kill)
        text = b""
        while b"\r[=>  ]  50%\x1b[K" not in text:  # a line without an end
            self.assertTrue(select.select([ours], [], [], SECONDS)[0], text)
            text += os.read(ours, 1 << 16)
        (self.folder / "seen").touch()
        self.assertEqual(job.wait(SECONDS), 0)
        self.assertIn("c.yaml --resume=auto --progress=bar", self.calls()[0])
        os.close(theirs)


class LeftoversTest(Launch):
    def test_what_a_killed_launcher_has_left_is_removed_by_the_next(self):
        self.play(RUNNING + "touch $PLAY/ready; trap 'exit 75' USR1; while true; do sleep 0.1; done", DONE)
        job = self.launch("c.yaml")
        self.wait_for("ready")
        [folder] = (self.folder / "tmp").iterdir()
        shared = Path(self.environment()["OMPI_MCA_btl_vader_backing_directory"])
        self.assertEqual(self.environment()["TMPDIR"], str(folder))  # where Open MPI's own files go
        second = self.launch("d.yaml")  # beside one that lives
        second.communicate(timeout=SECONDS)
        self.assertTrue(folder.exists() and shared.exists())
        job.kill()
        job.communicate(timeout=SECONDS)
        self.assertTrue(folder.exists())
        strangers = folder.with_name(folder.name[:-6] + "abcdef")  # without a lock: whose is it?
        strangers.mkdir()
        third = self.launch("e.yaml")
        text = third.communicate(timeout=SECONDS)[1]
        self.assertEqual(list((self.folder / "tmp").iterdir()), [strangers])
        self.assertFalse(shared.exists())
        self.assertRegex(text, f"removed what a killed job has left: .*{re.escape(str(folder))}")

    @unittest.skipUnless(Path("/dev/shm").is_dir(), "no /dev/shm")
    def test_segments(self):
        """Those of this user that are old and that nobody has open."""
        self.play(DONE)
        name = f"/dev/shm/vader_segment.{os.uname().nodename}.{os.geteuid()}.{os.getpid():x}."
        dead, open_one, fresh = (Path(name + str(number)) for number in range(3))
        for file in (dead, open_one, fresh):
            file.write_bytes(bytes(4096))
            self.addCleanup(file.unlink, missing_ok=True)
        for file in (dead, open_one):
            os.utime(file, (time.time() - 600,) * 2)
        with open(open_one, "r+b") as file, mmap.mmap(file.fileno(), 4096):
            self.run_it("c.yaml")
        self.assertEqual([file.exists() for file in (dead, open_one, fresh)], [False, True, True])


if __name__ == "__main__":
    unittest.main()
