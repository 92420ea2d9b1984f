"""launch/mpirun.sh: its arguments and what it hands on, with a pretended mpirun."""

import os
import re
import subprocess
import unittest
from pathlib import Path

from pretended_mpirun import AGENT, DONE, SCRIPT, SECONDS, Launch


MIG_AND_ANOTHER = """#!/bin/sh
echo 'GPU 0: A100 (UUID: GPU-0)'
echo '  MIG 3g.20gb     Device  0: (UUID: MIG-1)'
echo '  MIG 3g.20gb     Device  1: (UUID: MIG-2)'
echo 'GPU 1: A100 (UUID: GPU-1)'
"""


class ArgumentsTest(Launch):
    def setUp(self):
        super().setUp()
        self.play(DONE)

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
        self.program("nvidia-smi", MIG_AND_ANOTHER)
        self.run_it("c.yaml")  # CUDA shows the whole one
        self.run_it("c.yaml", CUDA_VISIBLE_DEVICES="MIG-1,MIG-2")
        self.program("nvidia-smi", MIG_AND_ANOTHER + "echo '  MIG 3g.20gb     Device  0: (UUID: MIG-3)'\n")
        self.run_it("c.yaml")
        self.program("nvidia-smi", "#!/bin/sh\necho 'No devices were found'; exit 6\n")
        self.program("nproc", "#!/bin/sh\necho 9\n")
        self.run_it("c.yaml")
        self.assertEqual([re.search("-np ([0-9]+)", call)[1] for call in self.calls()], ["3", "2", "1", "1", "1", "3"])

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

    def test_variables_that_change_bits_travel_and_those_of_one_host_do_not(self):
        travel = {"NVIDIA_TF32_OVERRIDE": "0", "CUBLAS_WORKSPACE_CONFIG": ":16:8", "CUDNN_LOGINFO_DBG": "0", "CUDA_LAUNCH_BLOCKING": "1",
                  "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "0", "ATEN_CPU_CAPABILITY": "avx2", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2",
                  "PYTORCH_CUDA_ALLOC_CONF": "x:y", "HDF5_USE_FILE_LOCKING": "FALSE"}
        stay = {"CUDA_VISIBLE_DEVICES": "GPU-1a2b", "NVIDIA_VISIBLE_DEVICES": "all", "CUDA_MPS_PIPE_DIRECTORY": "/tmp/mps", "HOME": "/"}
        self.run_it("-n", "1", "c.yaml", **travel, **stay)
        self.run_it("-n", "1", "-x", "CUDA_VISIBLE_DEVICES", "c.yaml", **stay)
        first, second = (re.findall("-x ([A-Z0-9_]+)", call) for call in self.calls())
        self.assertEqual(set(first), {*travel, "POLYHEAD_STATUS_FILE", "POLYHEAD_COMMAND"})
        self.assertIn("CUDA_VISIBLE_DEVICES", second)

    def test_somebody_elses_file_is_no_status_file(self):
        thesis = self.folder / "thesis.txt"
        thesis.write_text("chapter 1")
        code, text = self.run_it("c.yaml", POLYHEAD_STATUS_FILE=str(thesis))
        self.assertEqual(code, 64, text)
        self.assertIn("thesis.txt, which is there and no status file of polyhead's", text)
        self.assertEqual(thesis.read_text(), "chapter 1")

    def test_a_status_file_needs_its_folder(self):
        code, text = self.run_it("c.yaml", POLYHEAD_STATUS_FILE=str(self.folder / "gone" / "status"))
        self.assertEqual(code, 64, text)
        self.assertIn("gone/status, whose folder is not there or cannot be written", text)

    def test_a_loop_keeps_what_it_reads(self):
        """while read config; do launch/mpirun.sh "$config"; done"""
        (self.folder / "list").write_text("a.yaml\nb.yaml\nc.yaml\n")
        (self.folder / "hosts").write_text("localhost slots=1\nb slots=1\n")
        self.program("agent", AGENT.replace("cat", "cat - ", 1))  # as ssh, it reads what it can
        self.play("cat > /dev/null; " + DONE)
        loop = f'while read -r config; do "$@" "$config"; done < "{self.folder / "list"}"'
        subprocess.run(["bash", "-c", loop, "bash", SCRIPT, "--program", self.polyhead, "--hostfile", self.folder / "hosts"],
                       env=self.variables(), capture_output=True, check=True, timeout=SECONDS)
        self.assertEqual([re.search(r"(\w)\.yaml", call)[1] for call in self.calls()], ["a", "b", "c"])

    def test_hosts_named_twice(self):
        hosts = self.folder / "hosts"
        hosts.write_text("localhost slots=2\n# and\nb slots=2\nb slots=1\n")
        code, text = self.run_it("--hostfile", str(hosts), "c.yaml")
        self.assertEqual(code, 64)
        self.assertIn(f"{hosts}: b stands in lines 3, 4: are its slots the last number, or all together?", text)
        hosts.write_text("localhost\nlocalhost\nb\n")  # a line a slot, as Open MPI takes it
        self.assertEqual(self.run_it("--hostfile", str(hosts), "c.yaml")[0], 0)

    def test_bridges_are_left_out_where_there_are_hosts(self):
        for name in ("mca-params.conf", "none"):
            (self.folder / ".openmpi").mkdir(exist_ok=True)
            (self.folder / ".openmpi" / name).write_text("oob_tcp_if_include = eth0\n")
        (self.folder / "hosts").write_text("localhost slots=1\nb slots=1\n")
        hosts = ("--hostfile", str(self.folder / "hosts"))

        def lists(*arguments, **variables):
            self.assertEqual(self.run_it(*arguments, "c.yaml", **variables)[0], 0)
            found = self.environment()
            return tuple(found.get(f"OMPI_MCA_{framework}_tcp_if_exclude", "") for framework in ("btl", "oob"))

        self.program("ompi_info", "#!/bin/sh\necho mca:btl:tcp:param:btl_tcp_if_include:source:default\n")
        btl, oob = lists(*hosts)
        self.assertRegex(btl, "^127.0.0.1/8,sppp,docker,podman,br-,virbr,")
        self.assertIn("docker0,podman0,virbr0", oob)
        self.assertEqual(lists(), ("", ""))  # one host
        self.assertEqual(lists(*hosts, "--mca", "btl_tcp_if_include", "eth0")[0], "")
        self.assertEqual(lists(*hosts, OMPI_MCA_btl_tcp_if_exclude="x", OMPI_MCA_oob_tcp_if_include="eth0"), ("x", ""))
        self.program("ompi_info", "#!/bin/sh\necho 'mca:oob:tcp:param:oob_tcp_if_include:source:file (/etc/openmpi-mca-params.conf)'\n")
        self.assertEqual(lists(*hosts), (btl, ""))
        # Where the way to a host leads over such an interface, it is used.
        self.program("ip", "#!/bin/sh\necho '172.17.0.2 dev docker0 src 172.17.0.1 uid 0'\n")
        (self.folder / "hosts").write_text("localhost slots=1\n127.0.0.2 slots=1\n")
        self.assertNotIn("docker", lists(*hosts)[0])

    def test_a_temporary_folder_that_cannot_be_used(self):
        code, text = self.run_it("c.yaml", TMPDIR="/proc/nowhere")
        self.assertEqual(code, 73)
        self.assertIn("TMPDIR, /proc/nowhere: No such file or directory. Open MPI needs 16 MiB there: make room, or set TMPDIR", text)
        self.program("fallocate", "#!/bin/sh\nexit 1\n")
        self.program("head", "#!/bin/sh\necho \"head: error writing 'standard output': No space left on device\" >&2\nexit 1\n")
        code, text = self.run_it("c.yaml")
        self.assertEqual(code, 73)
        self.assertIn(f"TMPDIR, {self.folder}/tmp: No space left on device. Open MPI", text)
        self.assertFalse((self.folder / "calls").exists())

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


if __name__ == "__main__":
    unittest.main()
