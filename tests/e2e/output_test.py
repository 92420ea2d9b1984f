"""What has the output's name already: no input of the job and nobody's file is ever written over, links lead where they lead, and a file
system without locks is a warning."""

import os
import shutil
import subprocess
import unittest

import h5py
from support.faults import SHIM
from support.harness import EndToEnd, polyhead, results

CONFIG, CANT_CREATE = 78, 73


class Output(EndToEnd):
    def setUp(self):
        super().setUp()
        self.take_samples(40)
        self.output = self.folder / "out.h5"

    def job(self, *flags, output=None, command="run", **how):
        return polyhead(command, self.config, "--set", f"output.path={output or self.output}", "--set", "parallel.batch=8", *flags,
                        **how)

    def check_refused(self, output, code, *texts):
        before = output.read_bytes()
        for command, *flags in (["run"], ["run", "--overwrite"], ["check"]):
            self.assert_fails(self.job(*flags, output=output, command=command), code, *texts)
        self.assertEqual(output.read_bytes(), before)

    def test_inputs(self):
        """The configuration, the data and the weights, also under other names."""
        weights = next(path for path in sorted(self.folder.iterdir()) if path.name.startswith("backbone"))
        own = self.folder / "own"
        shutil.copy(weights.resolve(), own)
        weights.unlink()
        own.rename(weights)
        os.link(weights, self.folder / "twin.h5")
        (self.folder / "link.h5").symlink_to("data.h5")
        self.check_refused(self.config, CONFIG, "ensemble.yaml: is both output.path and the configuration")
        self.check_refused(self.folder / "data.h5", CONFIG, "is both output.path and data.path")
        self.check_refused(self.folder / "link.h5", CONFIG, "link.h5: is both output.path and data.path")
        self.check_refused(self.folder / "twin.h5", CONFIG, "twin.h5: is both output.path and backbone.weights")

    def test_files_of_others(self):
        thesis = self.folder / "thesis.tex"
        thesis.write_text("\\documentclass{book} % polyhead-result")
        self.check_refused(thesis, CANT_CREATE, "thesis.tex: is a file of another program and no result of polyhead",
                           "remove it yourself")
        other = self.folder / "other.h5"
        with h5py.File(other, "w") as file:
            file["years"] = [1, 2, 3]
        self.check_refused(other, CANT_CREATE, "other.h5: is an HDF5 file of another program and no result of polyhead")

    def test_check_recommends_what_works(self):
        self.run_job("out.h5", "parallel.batch=8")
        self.assertIn("out.h5 is there already: a run will need --resume, --overwrite or another output.path",
                      self.job(command="check").stdout)
        self.output.write_bytes(b"")
        self.assertIn("out.h5 is there already: a run will need --overwrite or another", self.job(command="check").stdout)
        self.assertEqual(self.job("--overwrite").returncode, 0)
        for damage in (self.cut_head, self.forget_the_seal):
            damage()
            self.assertEqual(self.job("--overwrite").returncode, 0)
            self.assertEqual(polyhead("info", self.output).returncode, 0)

    def cut_head(self):
        with open(self.output, "r+b") as file:
            file.write(bytes(2048))

    def forget_the_seal(self):
        with h5py.File(self.output, "r+") as file:
            file["mine"] = 1

    def test_links(self):
        disk = self.folder / "disk"
        disk.mkdir()
        self.run_job("plain.h5", "parallel.batch=8")
        expected = results(self.folder / "plain.h5")
        self.output.symlink_to("disk/real.h5")
        for flags in ([], ["--overwrite"], ["--resume"]):
            if flags == ["--resume"]:
                with h5py.File(disk / "real.h5", "r+") as file:
                    file["ledger/batches"][2:] = 0
            done = self.job(*flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(self.output.is_symlink())
            self.assertEqual([file.name for file in disk.iterdir()], ["real.h5"])
            self.assertEqual(results(disk / "real.h5"), expected)
        self.assertIn("(a link to ", self.job().stderr)

    def test_a_file_system_without_locks(self):
        """NFS without lockd: the promised warning, then run, resume, info, check and verify as elsewhere, inputs included."""
        self.run_job("plain.h5", "parallel.batch=8")
        for error in ("ENOLCK", "EOPNOTSUPP"):
            variables = {"LD_PRELOAD": SHIM, "POLYHEAD_FAULT_FILES": str(self.folder), "POLYHEAD_FAULT_CALLS": "lock",
                         "POLYHEAD_FAULT_AT": "1", "POLYHEAD_FAULT_COUNT": "all", "POLYHEAD_FAULT_ERROR": error}
            done = self.job("--overwrite", variables=variables, ranks=2)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("out.h5.lock: this file system has no locks ("), 1, done.stderr)
            self.assertIn("so the output cannot be locked: two runs must not write to it", done.stderr)
            with h5py.File(self.output, "r+") as file:
                file["ledger/batches"][2:] = 0
            for done in (self.job("--resume", variables=variables), self.job(command="check", variables=variables),
                         polyhead("info", self.output, variables=variables),
                         polyhead("verify", self.output, variables=variables)):
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(results(self.output), results(self.folder / "plain.h5"))

    def test_a_hard_link_to_an_output_in_use(self):
        """The run that holds the file is another process with its lock."""
        self.run_job("out.h5", "parallel.batch=8")
        with h5py.File(self.output, "r+") as file:
            file["ledger/batches"][:] = 0
        os.link(self.output, self.folder / "twin.h5")
        lock = self.hold_byte(self.output)
        for flag in ("--resume", "--overwrite"):
            self.assert_fails(self.job(flag, output=self.folder / "twin.h5"), CANT_CREATE,
                              "twin.h5: is being written under another name of the same file (a hard link)")
        lock.kill()
        lock.communicate()
        done = self.job("--resume", output=self.folder / "twin.h5")
        self.assertEqual(done.returncode, 0, done.stderr)

    def hold_byte(self, path):
        """Another process that has the lock of a run: a read lock of one byte, at 2^62."""
        script = ("import fcntl, struct, sys\n"
                  "file = open(sys.argv[1], 'rb')\n"
                  "fcntl.fcntl(file, 37, struct.pack('hhqqi4x', fcntl.F_RDLCK, 0, 1 << 62, 1, 0))\n"  # F_OFD_SETLK
                  "print('held', flush=True)\n"
                  "sys.stdin.read()\n")
        holder = subprocess.Popen([shutil.which("python3"), "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        return holder


if __name__ == "__main__":
    unittest.main()
