"""Hosts that are lost while the job works: the network is cut, all of a host stands still, a host is gone. launch/mpirun.sh ends the
job in time and says what happened; it goes on without the host when it may, with the bytes of a plain run. So it does when a host is
taken away, as spot machines are, with SIGTERM to all that runs there. Nothing is left on the lost host, once it no longer stands still.

All hosts have the bridges of Docker and a compose project, with the same addresses, on which a job would hang.

Hosts are network namespaces (hosts.sh). Where they cannot be made, exits with 77 and says why."""

import subprocess
import time
from pathlib import Path

from support.harness import POLYHEAD, EndToEnd, environment, ledger, results
from support.pretended_hosts import HERE, in_namespaces, main, wait_until
from support.working import status_of

KEEPALIVE = 11  # seconds until mpirun notices, with the parameters that the launcher gives it
SLACK = 10  # to end all ranks; a busy machine
BRIDGES = "docker0 br-0123456789ab"
TIMEOUT = "comm.timeout=6s"  # where the ranks are to notice first
SETS = ("parallel.threads=1", "parallel.batch=8", "data.preprocess.resize=224", "data.preprocess.crop=224",
        "output.commit_interval=200ms")
# Notes the launcher's end, and leaves the hosts as they are.
LAUNCH = '"$@"; echo $? > "$FOLDER/code"; exec sleep infinity'
# Processes of the second host, without the one that holds its namespaces.
THERE = """
for process in /proc/[0-9]*; do
  [ "$(readlink "$process/ns/net")" != "$(readlink /proc/{0}/ns/net)" ] || [ "$process" = /proc/{0} ] || echo "${{process#/proc/}}"
done"""


class Job:
    """On two hosts of its own."""

    def __init__(self, test, name, restarts, *more, **variables):
        self.test, self.folder = test, test.folder / name
        self.folder.mkdir()
        self.output, self.status, self.code = (self.folder / file for file in ("it's out.h5", "status", "code"))
        sets = [word for option in (f"output.path={self.output}", *SETS, *more) for word in ("--set", option)]
        command = [HERE.parents[2] / "launch/mpirun.sh", "--hostfile", self.folder / "hostfile", "--max-restarts", restarts,
                   "--restart-delay", 0, "--program", Path(POLYHEAD).resolve(), test.config, *sets]
        variables |= {"POLYHEAD_HOSTS": str(self.folder), "BRIDGES": BRIDGES, "TMPDIR": str(self.folder), "POLYHEAD_STATUS_FILE": str(self.status),
                     "FOLDER": str(self.folder), "OMPI_MCA_plm_rsh_agent": str(HERE / "enter_host.sh")}
        with open(self.folder / "said", "w", encoding="utf-8") as file:
            self.process = subprocess.Popen(in_namespaces(test.USER, self.folder, 2, 1, "sh", "-c", LAUNCH, "sh", *command),
                                            env=environment() | variables, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    def disturb(self, how):
        """Once something is committed. `how`: a shell script, with the second host's processes in $@."""
        wait_until(lambda: self.code.exists() or int(status_of(self.status).get("committed", 0)) > 0, "something is committed")
        self.kept = ledger(self.output)
        self.holder = (self.folder / "map").read_text().splitlines()[1].split()[1]
        self.before = self.there()
        self.test.assertGreaterEqual(len(self.before), 2, self.said())  # Open MPI's daemon and a rank
        self.inside(how, *self.before)
        self.begin = time.time()

    def inside(self, script, *arguments):
        """What a shell says that sees all hosts' processes, and the bridge between them."""
        [outer] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        user = ["--user", "--preserve-credentials"] if self.test.USER else []
        done = subprocess.run(["nsenter", "--target", outer, *user, "--pid", "--mount", "--net", "sh", "-c", script, "sh", *arguments],
                              text=True, capture_output=True, check=True)
        return done.stdout

    def there(self):
        return self.inside(THERE.format(self.holder)).split()

    def said(self):
        return (self.folder / "said").read_text()

    def check_end(self, code):
        try:
            wait_until(self.code.exists, "the job has ended")
        except AssertionError as error:
            self.test.fail(f"{error}\n{self.said()}\nstatus: {status_of(self.status)}")
        self.took = self.code.stat().st_mtime - self.begin  # others may have been waited for meanwhile
        self.test.assertEqual(int(self.code.read_text()), code, self.said())
        self.test.assertTrue((ledger(self.output) >= self.kept).all())

    def check_complete(self, plain):
        """On the host that is left, in one more attempt."""
        self.check_end(0)
        self.test.assertIn("restart 1 of 1 in 0 s on 10.77.0.1\n", self.said())
        self.test.assertEqual(results(self.output), plain)

    def check_nothing_is_left(self):
        wait_until(lambda: not self.there(), "the lost host's processes have ended")


class LostHost(EndToEnd):
    USER = None  # see pretended_hosts

    def test_four_jobs(self):
        """At once, for they mostly wait."""
        cut = Job(self, "cut", 0)
        frozen = Job(self, "frozen", 1, TIMEOUT)
        gone = Job(self, "gone", 1, TIMEOUT)
        taken = Job(self, "taken", 1, HOST_NAME="clone")
        taken.disturb('kill -TERM "$@"')
        cut.disturb("ip link set port2 down")
        frozen.disturb('kill -STOP "$@"')
        # The first stands for the connection of ssh, of whose end nobody hears.
        gone.disturb('ip link set port2 down; kill -STOP "$1"; shift; kill -KILL "$@"')
        self.run_job("plain.h5", *SETS, ranks=None)
        plain = results(self.folder / "plain.h5")

        taken.check_complete(plain)
        self.assertIn("going on without 10.77.0.2: the job lost a rank there", taken.said())
        self.assertIn(f"left out of the network: {BRIDGES.replace(' ', ', ')} (of containers", taken.said())
        self.assertNotIn("ORTE", taken.said())
        taken.check_nothing_is_left()

        cut.check_end(69)
        self.assertLess(cut.took, KEEPALIVE + SLACK, cut.said())
        self.assertRegex(cut.said(), r"the run ended with 69(: 10.77.0.2 was lost)?; \d+ of 125 micro-batches are kept. To go on: .*/launch/mpirun.sh --hostfile ")
        cut.check_nothing_is_left()

        gone.check_complete(plain)
        self.assertIn("going on without 10.77.0.2: it does not answer within 10 s", gone.said())

        frozen.check_complete(plain)
        self.assertIn("the run ended with 69: rank 1 on host-2 was lost", frozen.said())
        self.assertIn("going on without 10.77.0.2: the job lost a rank there", frozen.said())
        self.assertEqual(frozen.there(), frozen.before)
        frozen.inside('kill -CONT "$@"', *frozen.before)
        frozen.check_nothing_is_left()
        self.assertEqual(results(frozen.output), plain)


if __name__ == "__main__":
    main(LostHost)
