"""launch/mpirun.sh with an mpirun made of a few lines of shell for each start: its arguments, signals, restarts, exit codes."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "launch/mpirun.sh"
SECONDS = 60
# Writes down how it was called and plays the script of this start, or the last there is.
MPIRUN = r"""#!/bin/bash
calls=$PLAY/calls
echo "$*" >> "$calls"
env > "$PLAY/environment"
n=$(wc -l < "$calls")
[ -e "$PLAY/hostfile-$n" ] || while [ $# -gt 0 ]; do [ "$1" = --hostfile ] && cp "$2" "$PLAY/hostfile-$n"; shift; done
say() { printf '%s\n' "$@" > "$POLYHEAD_STATUS_FILE.new"; mv "$POLYHEAD_STATUS_FILE.new" "$POLYHEAD_STATUS_FILE"; }
until [ -e "$PLAY/start-$n" ]; do n=$((n - 1)); done
. "$PLAY/start-$n"
"""
# Hosts are files that hold the name which they give themselves; one without a file does not answer.
AGENT = '#!/bin/sh\n[ -e "$PLAY/host-$1" ] || exit 255\ncat "$PLAY/host-$1"\n'
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

    def launch(self, *arguments, **variables):
        environment = {name: value for name, value in os.environ.items() if not re.match("POLYHEAD|OMP|SLURM|NCCL|CUDA", name)}
        environment |= {"PATH": f"{self.folder}:{os.environ['PATH']}", "PLAY": str(self.folder), "TMPDIR": str(self.folder / "tmp"),
                        "OMPI_MCA_plm_rsh_agent": str(self.agent), **variables}
        job = subprocess.Popen([SCRIPT, "--program", self.polyhead, "--restart-delay", "0", *arguments], env=environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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


class ArgumentsTest(Launch):
    def setUp(self):
        super().setUp()
        self.play("exit 0")

    def test_the_command(self):
        code, text = self.run_it("-n", "3", "a b.yaml", "--set", "x=y z", NCCL_DEBUG="INFO", OMP_PROC_BIND="false", OTHER="1")
        self.assertEqual(code, 0, text)
        [call] = self.calls()
        self.assertTrue(call.endswith(f" {self.polyhead} run a b.yaml --resume=auto --set x=y z"), call)
        for words in ("--bind-to none", "-np 3", "-x NCCL_DEBUG", "-x OMP_PROC_BIND", "-x POLYHEAD_STATUS_FILE"):
            self.assertIn(words, call)
        self.assertNotIn("OTHER", call)
        self.assertNotIn("oversubscribe", call)
        self.assertIn(call, text)

    def test_parameters(self):
        self.run_it("c.yaml", OMPI_MCA_oob_tcp_keepalive_intvl="7")
        found = self.environment()
        self.assertEqual((found["OMPI_MCA_oob_tcp_keepalive_time"], found["OMPI_MCA_oob_tcp_keepalive_intvl"]), ("5", "7"))
        self.assertEqual(found.get("OMPI_ALLOW_RUN_AS_ROOT"), "1" if os.geteuid() == 0 else None)
        self.assertFalse(Path(found["OMPI_MCA_btl_vader_backing_directory"]).exists())  # removed at the end

    def test_ranks_without_a_number(self):
        self.program("nvidia-smi", "#!/bin/sh\nfor gpu in 0 1 2; do echo \"GPU $gpu: A100 (UUID: GPU-$gpu)\"; done\n")
        self.run_it("c.yaml")
        self.run_it("c.yaml", CUDA_VISIBLE_DEVICES="2,1")
        self.program("nvidia-smi", "#!/bin/sh\necho 'No devices were found'; exit 6\n")
        self.program("nproc", "#!/bin/sh\necho 9\n")
        self.run_it("c.yaml")
        self.assertEqual([re.search("-np ([0-9]+)", call)[1] for call in self.calls()], ["3", "2", "3"])

    def test_an_output_that_is_there(self):
        for before, after, expected in (([], [], "--resume=auto"), (["--fresh"], [], ""), (["--overwrite"], [], "--overwrite"),
                                        ([], ["--overwrite"], "--overwrite"), ([], ["--resume"], "--resume")):
            self.run_it(*before, "c.yaml", *after)
            self.assertEqual(self.calls()[-1].partition("c.yaml")[2].strip(), expected)

    def test_the_command_that_goes_on_is_told_to_the_ranks(self):
        self.run_it("-n", "3", "it's $HOME.yaml", "--overwrite", "--set", "x=y z")
        command = self.environment()["POLYHEAD_COMMAND"]
        self.assertIn("-x POLYHEAD_COMMAND", self.calls()[0])
        words = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(words.splitlines(), [str(SCRIPT), "--program", str(self.polyhead), "--restart-delay", "0", "-n", "3",
                                              "it's $HOME.yaml", "--set", "x=y z"])
        self.run_it("c.yaml", POLYHEAD_COMMAND="sbatch c")
        self.assertEqual(self.environment()["POLYHEAD_COMMAND"], "sbatch c")

    def test_handed_on(self):
        self.run_it("--oversubscribe", "--mca", "btl", "tcp,self", "-x", "A=b", "c.yaml")
        self.assertIn("--oversubscribe --mca btl tcp,self -x A=b", self.calls()[0])

    def test_hostfile(self):
        (self.folder / "hosts").write_text("localhost slots=2\n")
        self.run_it("--hostfile", str(self.folder / "hosts"), "c.yaml")
        self.assertNotIn("-np", self.calls()[0])  # every slot
        self.assertEqual((self.folder / "hostfile-1").read_text(), "localhost slots=2\n")
        self.assertNotIn("OMPI_MCA_btl_vader_backing_directory", self.environment())  # other hosts have no such folder

    def test_what_is_wrong(self):
        (self.folder / "empty").write_text("# nobody\n")
        (self.folder / "odd").write_text("localhost slots=1\n-oProxyCommand=reboot slots=1\n")
        for arguments, text in (([], "no CONFIG"), (["-n", "0", "c"], "-n wants a whole number of at least 1, not '0'"),
                                (["-n"], "-n wants a value"), (["--max-restarts", "x", "c"], "--max-restarts wants a whole number"),
                                (["--bogus", "c"], "unknown option '--bogus' (those of polyhead run come after CONFIG)"),
                                (["--hostfile", "/nowhere", "c"], "cannot read the hostfile /nowhere"),
                                (["--hostfile", str(self.folder / "empty"), "c"], "names no host"),
                                (["--hostfile", str(self.folder / "odd"), "c"], "'-oProxyCommand=reboot' is no name or address of a host"),
                                (["--program", "/nowhere", "c"], "/nowhere is no program")):
            with self.subTest(arguments):
                code, said = self.run_it(*arguments)
                self.assertEqual(code, 64)
                self.assertIn(text, said)
        self.assertFalse((self.folder / "calls").exists())

    def test_help(self):
        done = subprocess.run([SCRIPT, "--help"], capture_output=True, text=True, check=True)
        self.assertIn("--max-restarts N", done.stdout)
        self.assertNotIn("shellcheck", done.stdout)


class RestartTest(Launch):
    def test_codes_are_kept_and_only_a_loss_starts_again(self):
        for code in (0, 1, 64, 65, 66, 70, 73, 74, 75, 78):
            with self.subTest(code):
                (self.folder / "calls").unlink(missing_ok=True)
                self.play(f"exit {code}")
                self.assertEqual(self.run_it("--max-restarts", "3", "c.yaml")[0], code)
                self.assertEqual(len(self.calls()), 1)

    def test_a_loss(self):
        for code in (69, 137, 139, 205):
            with self.subTest(code):
                (self.folder / "calls").unlink(missing_ok=True)
                self.play(f"exit {code}", f"exit {code}", "exit 0")
                expected = 69 if code == 205 else code  # which mpirun has for a host that it lost
                self.assertEqual(self.run_it("--max-restarts", "1", "c.yaml")[0], expected)
                self.assertEqual(len(self.calls()), 2)
                (self.folder / "calls").unlink()
                code, text = self.run_it("--max-restarts", "2", "c.yaml")
                self.assertEqual((code, len(self.calls())), (0, 3))
                self.assertIn("restart 2 of 2", text)

    def test_mpirun_itself_is_killed(self):
        self.play(RUNNING + "kill -9 $$", "exit 0")
        self.assertEqual(self.run_it("--max-restarts", "1", "c.yaml")[0], 0)
        self.assertEqual(len(self.calls()), 2)

    def test_goes_on_and_does_not_overwrite_what_it_kept(self):
        self.play(LOST, "exit 0")
        code, text = self.run_it("--max-restarts", "1", "--overwrite", "c.yaml", "--set", "a=b")
        self.assertEqual(code, 0)
        self.assertEqual([call.partition("c.yaml ")[2] for call in self.calls()], ["--overwrite --set a=b", "--resume --set a=b"])
        self.assertIn("the run ended with 69: rank 1 on node-b was lost; 3 of 8 micro-batches are kept; restart 1 of 1 in 0 s", text)

    def test_says_how_to_go_on_where_rank_0_could_not(self):
        self.play(RUNNING + "exit 137")
        self.assertIn("the run ended with 137; 3 of 8 micro-batches are kept. To go on: ", self.run_it("c.yaml")[1])
        for start in (LOST, RUNNING + "exit 0", "exit 78"):
            self.play(start)
            self.assertNotIn("To go on: ", self.run_it("c.yaml")[1])

    def test_what_had_not_begun_begins_again(self):
        self.play("say state=starting; exit 205", "exit 0")
        self.run_it("--max-restarts", "1", "--overwrite", "c.yaml")
        self.assertEqual([call.partition("c.yaml ")[2] for call in self.calls()], ["--overwrite", "--overwrite"])

    def test_rank_0_knows_better_than_mpirun(self):
        self.play("say state=ended code=65; exit 1")
        self.assertEqual(self.run_it("c.yaml")[0], 65)
        self.play("say state=ended code=0; exit 139")  # a rank that crashed after the end
        self.assertEqual(self.run_it("c.yaml")[0], 139)


class HostsTest(Launch):
    def setUp(self):
        super().setUp()
        (self.folder / "hosts").write_text("localhost slots=2\nb slots=2 # rented\nc slots=3\n")
        for host in "bc":
            (self.folder / f"host-{host}").write_text(f"node-{host}\n")

    def hosts_of_second_start(self, *arguments):
        code, text = self.run_it("--hostfile", str(self.folder / "hosts"), "--max-restarts", "1", *arguments, "c.yaml")
        self.assertEqual(code, 0, text)
        return (self.folder / "hostfile-2").read_text(), text

    def test_without_the_host_that_was_lost(self):
        self.play(LOST, "exit 0")
        left, text = self.hosts_of_second_start("-n", "6")
        self.assertEqual(left, "localhost slots=2\nc slots=3\n")
        self.assertIn("going on without b: the job lost a rank there", text)
        self.assertIn("in 0 s on localhost c", text)
        self.assertIn("-np 5", self.calls()[1])  # no more than there are slots

    def test_without_a_host_that_does_not_answer(self):
        self.play("exit 205", "exit 0")
        (self.folder / "host-c").unlink()
        left, text = self.hosts_of_second_start()
        self.assertEqual(left, "localhost slots=2\nb slots=2 # rented\n")
        self.assertIn("going on without c: it does not answer within 10 s", text)

    def test_the_last_host_stays(self):
        (self.folder / "hosts").write_text("localhost slots=2\n")
        self.play(LOST.replace("node-b", "localhost"), "exit 0")
        self.assertEqual(self.hosts_of_second_start()[0], "localhost slots=2\n")

    def test_the_example(self):
        example = SCRIPT.with_name("hostfile.example")
        self.play("exit 0")
        code, text = self.run_it("--hostfile", str(example), "c.yaml")
        self.assertEqual(code, 0, text)
        self.assertIn("rank 0 is on 10.0.0.11, not here", text)

    def test_rank_0_elsewhere(self):
        (self.folder / "hosts").write_text("b\n")
        self.play("exit 0")
        self.assertIn("rank 0 is on b, not here", self.run_it("--hostfile", str(self.folder / "hosts"), "c.yaml")[1])


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
        self.play("say state=running comm_timeout=0\n" + self.HANG, "exit 0")
        code, text = self.run_it("--max-restarts", "1", "c.yaml")
        self.assertEqual((code, len(self.calls())), (0, 2))
        self.assertIn("rank 0 has been silent for 5 s: its host may be frozen; ending mpirun", text)


if __name__ == "__main__":
    unittest.main()
