"""Ranks on several hosts: network namespaces on this machine (hosts.sh), mpirun across them over TCP, the same bytes as on one.

Where such hosts cannot be made, exits with 77 and says why."""

import json
import os
import shutil
import signal
import subprocess

import h5py
from support.harness import MPIEXEC, POLYHEAD, SECONDS, EndToEnd, environment, ledger, results
from support.photos import save_tree
from support.pretended_hosts import HERE, NETWORK, in_namespaces, main, processes, wait_until

BAD_DATA, CANT_CREATE = 65, 73
SETS = ("parallel.threads=1", "parallel.batch=48", "output.head_scores=true")
LIMIT = 6  # seconds, of doctor
HEADS = ("parallel.strategy=heads",)
GRID = ("parallel.strategy=grid", "parallel.grid={data: 2, heads: 2}")
# Hosts, ranks a host, options. Ranks are dealt out to hosts in turns: each group of the grid is on both hosts.
WORLDS = ((2, 1, ()), (3, 1, ()), (2, 1, HEADS), (3, 1, HEADS), (2, 2, GRID), (2, 2, (*GRID, "parallel.features=local")))


def provenance(path):
    with h5py.File(path) as file:
        return json.loads(bytes(file["job/provenance"][()]).split(b"\n")[0])


class Hosts(EndToEnd):
    USER = None  # see pretended_hosts

    def command(self, hosts, slots, *words, before=()):
        """A command of the program on that many hosts. Rank 0 is on host-1, rank 1 on host-2, and so on in turns."""
        mpirun = [MPIEXEC, "-np", hosts * slots, "--hostfile", self.folder / "hostfile", "--map-by", "node", "--bind-to", "none",
                  "--mca", "plm_rsh_agent", HERE / "enter_host.sh", "--mca", "pml", "ob1", "--mca", "btl", "tcp,self",
                  "--mca", "btl_tcp_if_include", NETWORK, "--mca", "oob_tcp_if_include", NETWORK]
        return in_namespaces(self.USER, self.folder, hosts, slots, *before, *mpirun, POLYHEAD, *words)

    def start(self, hosts, slots, output, *sets):
        arguments = [word for option in (f"output.path={self.folder / output}", *SETS, *sets) for word in ("--set", option)]
        return self.launch(self.command(hosts, slots, "run", self.config, *arguments))

    def launch(self, command):
        """Open MPI's own files go to the test's folder: it names them after host and process, and those repeat."""
        variables = environment() | {"POLYHEAD_HOSTS": str(self.folder), "TMPDIR": str(self.folder)}
        job = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(job.communicate)
        self.addCleanup(job.kill)
        return job

    def start_long(self, hosts, *sets):
        """A run that has committed something and has more to do: large images."""
        output = self.folder / "long.h5"
        job = self.start(hosts, 1, output.name, "data.preprocess.resize=224", "data.preprocess.crop=224",
                         "output.commit_interval=50ms", *sets)
        wait_until(lambda: job.poll() is not None or (output.exists() and ledger(output).any()), "something is committed")
        return job

    def bytes_to_host(self, number):
        """What the bridge sent to a host."""
        links = json.loads((self.folder / "links.json").read_text())
        return next(link["stats64"]["tx"]["bytes"] for link in links if link["ifname"] == f"port{number}")

    def test_the_same_bytes(self):
        self.run_job("plain.h5", *SETS, ranks=None)
        expected = results(self.folder / "plain.h5")
        weights = (self.folder / "backbone.pth").stat().st_size
        for hosts, slots, sets in WORLDS:
            with self.subTest(hosts=hosts, slots=slots, sets=sets):
                job = self.start(hosts, slots, "out.h5", *sets)
                text, _ = job.communicate(timeout=SECONDS)
                self.assertEqual(job.returncode, 0, text)
                self.assertEqual(results(self.folder / "out.h5"), expected)
                start = provenance(self.folder / "out.h5")
                self.assertEqual((start["host"], start["ranks"]), ("host-1", hosts * slots))
                for host in range(2, hosts + 1):  # the weights came over the network
                    self.assertGreater(self.bytes_to_host(host), 0.9 * weights)
            (self.folder / "out.h5").unlink(missing_ok=True)

    def test_a_stale_copy_on_one_host(self):
        """Under the same path host-2 has an older copy, in which one photograph is another."""
        photos = save_tree(self.folder / "photos", 70)
        shutil.copytree(self.folder / "photos", self.folder / "stale")
        shutil.copy(photos[1], self.folder / "stale" / photos[-1].relative_to(self.folder / "photos"))
        self.configure_photos(self.folder / "photos")
        for copy, code, text in (("photos", 0, ""), ("stale", BAD_DATA, f"{photos[-1]}: ")):
            with self.subTest(copy=copy):
                script = (f"nsenter --target $(awk '/10.77.0.2 / {{print $2}}' {self.folder}/map) --mount "
                          f"mount --bind {self.folder / copy} {self.folder / 'photos'} && exec \"$@\"")
                options = [word for option in (f"output.path={self.folder / 'out.h5'}", *SETS) for word in ("--set", option)]
                job = self.launch(self.command(2, 2, "run", self.config, *options, before=["sh", "-c", script, "sh"]))
                said, _ = job.communicate(timeout=SECONDS)
                self.assertEqual(job.returncode, code, said)
                self.assertIn(text, said)
                if code:
                    self.assertIn("rank 1 on host-2: ", said)
                    self.assertIn("this host has another copy of the data", said)
            (self.folder / "out.h5").unlink(missing_ok=True)

    def test_doctor_looks_at_each_host(self):
        job = self.launch(self.command(2, 2, "doctor", self.config, "--json"))
        text, _ = job.communicate(timeout=SECONDS)
        self.assertEqual(job.returncode, 0, text)
        found = {finding["check"]: finding for finding in json.loads(text)["findings"]}
        self.assertIn("4 ranks on 2 hosts", found["mpi"]["text"])
        self.assertEqual(found["network"]["hosts"], ["host-1", "host-2"])
        self.assertEqual(found["output"]["hosts"], ["host-1"])
        self.assertEqual(found["clock"]["text"], "the hosts' clocks agree")

    def frozen(self, at, *words):
        """The command on two hosts of which the second stands still at a call of MPI."""
        freezer = self.folder / "freeze.so"
        subprocess.run(["mpicc", "-shared", "-fPIC", "-o", freezer, HERE / "freeze.c"], check=True)
        variables = {"LD_PRELOAD": freezer, "FREEZE_AT": at, "FREEZE_RANK": "1", "POLYHEAD_MPI_START_TIMEOUT": f"{LIMIT}s"}
        command = self.command(2, 1, *words)
        place = command.index(MPIEXEC) + 1
        command[place:place] = [word for name, value in variables.items() for word in ("-x", f"{name}={value}")]
        return self.launch(command)

    def test_doctor_names_a_host_that_hangs(self):
        """While it is looked at. The others are told about."""
        job = self.frozen("MPI_Get_library_version:2", "doctor", self.config)
        text, _ = job.communicate(timeout=30)
        self.assertEqual(job.returncode, 69, text)
        self.assertRegex(text, rf"(?m)^problem +host +host-2 has not answered within {LIMIT} s$")
        self.assertIn("something hangs there", text)
        self.assertRegex(text, r"(?m)^ok +mpi ")

    def test_ranks_that_write_want_a_shared_file_system(self):
        job = self.start(2, 1, "/dev/shm/out.h5", "output.writers=all")  # each host has its own
        text, _ = job.communicate(timeout=SECONDS)
        self.assertEqual(job.returncode, CANT_CREATE, text)
        self.assertIn("/dev/shm/out.h5: host host-2 does not see the output of rank 0", text)
        self.assertIn("use output.writers: coordinator", text)

    def test_a_rank_that_stops_is_named_with_its_host(self):
        job = self.start_long(3, "comm.timeout=5s")
        [rank] = [pid for pid, variables in processes(self.folder).items() if b"OMPI_COMM_WORLD_RANK=2" in variables]
        os.kill(rank, signal.SIGSTOP)
        text, _ = job.communicate(timeout=SECONDS)
        self.assertEqual(job.returncode, 69, text)
        self.assertIn("rank 2 on host-3 has been silent for 5 s", text)
        self.assertEqual(processes(self.folder), {})

    def test_nothing_is_left_of_a_run_that_is_killed(self):
        job = self.start_long(2)
        ranks = [pid for pid, variables in processes(self.folder).items() if b"OMPI_COMM_WORLD_SIZE=2" in variables]
        self.assertEqual(len(ranks), 2)
        job.kill()
        wait_until(lambda: not processes(self.folder), "all processes are gone")
        links = subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("port1", links)


if __name__ == "__main__":
    main(Hosts)
