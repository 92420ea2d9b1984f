"""launch/mpirun.sh: restarts, hosts that are lost and come back, exit codes, with a pretended mpirun."""

import os
import re
import unittest

from pretended_mpirun import AGENT, DONE, GONE, LOST, MAP, RUNNING, SCRIPT, Launch


class RestartTest(Launch):
    def test_codes_are_kept_and_only_a_loss_starts_again(self):
        for code in (0, 1, 64, 65, 66, 70, 73, 74, 75, 78):
            with self.subTest(code):
                (self.folder / "calls").unlink(missing_ok=True)
                self.play(f"exit {code}" if code else DONE)
                self.assertEqual(self.run_it("--max-restarts", "3", "c.yaml")[0], code)
                self.assertEqual(len(self.calls()), 1)

    def test_a_loss(self):
        for code in (69, 137, 139, 205):
            with self.subTest(code):
                (self.folder / "calls").unlink(missing_ok=True)
                self.play(f"exit {code}", f"exit {code}", DONE)
                expected = 69 if code == 205 else code  # which mpirun has for a host that it lost
                self.assertEqual(self.run_it("--max-restarts", "1", "c.yaml")[0], expected)
                self.assertEqual(len(self.calls()), 2)
                (self.folder / "calls").unlink()
                code, text = self.run_it("--max-restarts", "2", "c.yaml")
                self.assertEqual((code, len(self.calls())), (0, 3))
                self.assertIn("restart 2 of 2", text)

    def test_mpirun_itself_is_killed(self):
        self.play(RUNNING + "kill -9 $$", DONE)
        self.assertEqual(self.run_it("--max-restarts", "1", "c.yaml")[0], 0)
        self.assertEqual(len(self.calls()), 2)

    def test_goes_on_and_does_not_overwrite_what_it_kept(self):
        self.play(LOST, DONE)
        code, text = self.run_it("--max-restarts", "1", "--overwrite", "c.yaml", "--set", "a=b")
        self.assertEqual(code, 0)
        self.assertEqual([call.partition("c.yaml ")[2] for call in self.calls()], ["--overwrite --set a=b", "--resume --set a=b"])
        self.assertIn("the run ended with 69: rank 1 on node-b was lost; 3 of 8 micro-batches are kept; restart 1 of 1 in 0 s", text)

    def test_says_how_to_go_on_where_rank_0_could_not(self):
        self.play(RUNNING + "exit 137")
        self.assertIn("the run ended with 137; 3 of 8 micro-batches are kept. To go on: ", self.run_it("c.yaml")[1])
        for start in (LOST, RUNNING + DONE, "exit 78"):
            self.play(start)
            self.assertNotIn("To go on: ", self.run_it("c.yaml")[1])

    def test_what_had_not_begun_begins_again(self):
        self.play("say state=starting; exit 205", DONE)
        self.run_it("--max-restarts", "1", "--overwrite", "c.yaml")
        self.assertEqual([call.partition("c.yaml ")[2] for call in self.calls()], ["--overwrite", "--overwrite"])

    def test_rank_0_knows_better_than_mpirun(self):
        self.play("say state=ended code=65; exit 1")
        self.assertEqual(self.run_it("c.yaml")[0], 65)
        self.play("say state=ended code=0; exit 139")  # a rank that crashed after the end
        self.assertEqual(self.run_it("c.yaml")[0], 139)


    def test_nothing_is_complete_without_rank_0s_word(self):
        for start in ("exit 0", "say state=starting; exit 0", RUNNING + "exit 0"):
            self.play(start)
            code, text = self.run_it("c.yaml")
            self.assertEqual(code, 69)
            self.assertRegex(text, "error: mpirun ended with 0, but rank 0 has not said in .*status that the run is complete")
        self.play("exit 0", DONE)
        (self.folder / "calls").unlink()
        self.assertEqual(self.run_it("--max-restarts", "1", "c.yaml")[0], 0)

    def test_an_old_word_is_not_believed(self):
        status = self.folder / "status"
        status.write_text("time=1\nstate=ended\ncode=0\n")
        self.play("exit 0")
        self.assertEqual(self.run_it("c.yaml", POLYHEAD_STATUS_FILE=str(status))[0], 69)

    def test_a_stop_that_nobody_here_asked_for_is_a_loss(self):
        for why, starts in (("SIGTERM at rank 1 on node-b", 2), ("SIGINT at rank 0 on here", 2), ("SIGTERM at rank 2 on c before work began", 2),
                            ("SIGUSR1 at rank 1 on node-b", 1), ("run.time_limit", 1)):
            with self.subTest(why):
                (self.folder / "calls").unlink(missing_ok=True)
                self.play(RUNNING + f"say state=ended code=75 'stopped_by={why}'; exit 75", DONE)
                code, text = self.run_it("--max-restarts", "1", "c.yaml")
                self.assertEqual((code, len(self.calls())), (0 if starts == 2 else 75, starts), text)
        (self.folder / "calls").unlink()
        self.play(RUNNING + "say state=ended code=75 'stopped_by=SIGTERM at rank 1 on node-b'; exit 75")
        self.assertEqual(self.run_it("c.yaml")[0], 75)  # no restart: the code stays


class HostsTest(Launch):
    def setUp(self):
        super().setUp()
        (self.folder / "map").write_text(MAP)
        (self.folder / "hosts").write_text("localhost slots=2\nb slots=2 # rented\nc slots=3\n")
        for host in "bc":
            (self.folder / f"host-{host}").write_text("Welcome to this machine\n")

    def hosts_of_second_start(self, *arguments):
        code, text = self.run_it("--hostfile", str(self.folder / "hosts"), "--max-restarts", "1", *arguments, "c.yaml")
        self.assertEqual(code, 0, text)
        return (self.folder / "hostfile-2").read_text(), text

    def test_without_the_host_that_was_lost(self):
        self.play(LOST, DONE)
        left, text = self.hosts_of_second_start("-n", "6")
        self.assertEqual(left, "localhost slots=2\nc slots=3\n")
        self.assertIn("going on without b: the job lost a rank there", text)
        self.assertIn("in 0 s on localhost c", text)
        self.assertIn("-np 5", self.calls()[1])  # no more than there are slots

    def test_without_a_host_that_does_not_answer(self):
        self.play("exit 205", DONE)
        (self.folder / "host-c").unlink()
        left, text = self.hosts_of_second_start()
        self.assertEqual(left, "localhost slots=2\nb slots=2 # rented\n")
        self.assertIn("going on without c: it does not answer within 10 s", text)

    def test_without_a_host_that_lacks_the_program(self):
        self.play("exit 205", DONE)
        self.program("agent", AGENT.replace("shift", '[ "$1" != c ] || exec echo polyhead: answers\nshift'))
        left, text = self.hosts_of_second_start()
        self.assertEqual(left, "localhost slots=2\nb slots=2 # rented\n")
        self.assertIn(f"going on without c: {self.polyhead} is not there", text)

    def test_without_the_host_whose_daemon_has_gone(self):
        self.play(RUNNING + GONE + "exit 205", DONE)
        left, text = self.hosts_of_second_start()
        self.assertEqual(left, "localhost slots=2\nc slots=3\n")
        self.assertIn("the run ended with 69: b was lost; 3 of 8", text)

    def test_without_the_host_that_was_taken_away(self):
        self.play(RUNNING + "say state=ended code=75 'stopped_by=SIGTERM at rank 2 on node-c'; exit 75", DONE)
        self.assertEqual(self.hosts_of_second_start()[0], "localhost slots=2\nb slots=2 # rented\n")

    def test_a_host_comes_back(self):
        self.play(LOST, LOST.replace("lost_rank=1", "lost_rank=2"), DONE)
        code, text = self.run_it("--hostfile", str(self.folder / "hosts"), "--max-restarts", "2", "-n", "6", "c.yaml")
        self.assertEqual(code, 0, text)
        self.assertEqual([(self.folder / f"hostfile-{start}").read_text() for start in (2, 3)],
                         ["localhost slots=2\nc slots=3\n", "localhost slots=2\nb slots=2 # rented\n"])
        self.assertIn("taking b back: it answers again", text)
        self.assertEqual([re.search("-np ([0-9]+)", call)[1] for call in self.calls()], ["6", "5", "4"])

    def test_hosts_that_call_themselves_alike(self):
        """As clones of one image do: only the one that was lost goes."""
        self.play(LOST.replace("node-b", os.uname().nodename), DONE)
        self.assertEqual(self.hosts_of_second_start()[0], "localhost slots=2\nc slots=3\n")

    def test_the_first_host_stays(self):
        self.play(LOST.replace("lost_rank=1", "lost_rank=0"), DONE)
        (self.folder / "map").write_text(MAP.replace("here", os.uname().nodename))
        left, text = self.hosts_of_second_start()
        self.assertEqual(left, (self.folder / "hosts").read_text())
        self.assertIn("the job lost a rank there: localhost. It stays, as the first host: weights and output may be there only", text)

    def test_the_first_host_cannot_be_replaced(self):
        (self.folder / "hosts").write_text("b slots=1\nc slots=1\n")
        (self.folder / "host-b").unlink()
        self.play("exit 205")
        code, text = self.run_it("--hostfile", str(self.folder / "hosts"), "--max-restarts", "3", "c.yaml")
        self.assertEqual((code, len(self.calls())), (69, 1))
        self.assertIn("the first host, b, has rank 0, the weights and the output, and it does not answer within 10 s", text)

    def test_the_example(self):
        example = SCRIPT.with_name("hostfile.example")
        self.play(DONE)
        code, text = self.run_it("--hostfile", str(example), "c.yaml")
        self.assertEqual(code, 0, text)
        self.assertIn("rank 0 is on 10.0.0.11, not here", text)

    def test_rank_0_elsewhere(self):
        (self.folder / "hosts").write_text("b\n")
        self.play(DONE)
        self.assertIn("rank 0 is on b, not here", self.run_it("--hostfile", str(self.folder / "hosts"), "c.yaml")[1])


if __name__ == "__main__":
    unittest.main()
