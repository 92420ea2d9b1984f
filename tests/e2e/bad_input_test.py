"""Bad inputs through the real program: the message names file and cause, the exit code tells the kind, nobody hangs."""

import os
import pickle
import re
import shutil
import struct
import subprocess
import unittest
import zipfile

import h5py
import numpy as np
import torch
from support.harness import POLYHEAD, EndToEnd, polyhead

USAGE, BAD_DATA, NO_INPUT, CANT_CREATE, CONFIG = 64, 65, 66, 73, 78


def message(done):
    """The error that a run ended with, without what mpirun has to say (between dashes) and without the time."""
    return re.search(r"\[error\] (.*?)(?=\n-{20}|\Z)", done.stderr.strip(), re.DOTALL).group(1).strip()


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


class BadInput(EndToEnd):
    def run_twice(self, *arguments):
        """Alone and on two ranks: the same exit code, and the same message, said once."""
        alone = polyhead("run", self.config, *arguments)
        together = polyhead("run", self.config, *arguments, ranks=2)
        self.assertEqual(alone.returncode, together.returncode, together.stderr)
        self.assertEqual(together.stderr.count("[error]"), 1, together.stderr)
        self.assertEqual(message(alone), message(together))
        return together

    def write_config(self, text):
        self.config.write_text(text)

    def replace(self, name):
        """A file of the demo that this test may change."""
        path = self.folder / name
        path.unlink()
        return path

    def test_malformed_yaml(self):
        self.write_config("data:\n  path: [1, 2\nbackbone: {}\n")
        self.assert_fails(self.run_twice(), CONFIG, "ensemble.yaml:2:9: malformed YAML: this [ is not closed")

    def test_unknown_key(self):
        self.write_config(self.config.read_text().replace("backbone:", "bakbone:", 1))
        self.assert_fails(self.run_twice(), CONFIG, "ensemble.yaml:", "bakbone", "did you mean 'backbone'")

    def test_unknown_key_on_the_command_line(self):
        self.assert_fails(self.run_twice("--set", "data.pth=x"), CONFIG, "--set data.pth=x", "path")

    def test_missing_config(self):
        self.config.unlink()
        self.assert_fails(self.run_twice(), NO_INPUT, "ensemble.yaml")

    def test_missing_weights(self):
        self.replace("backbone.pth")
        self.assert_fails(self.run_twice(), NO_INPUT, "ensemble.yaml:", "backbone.pth")

    def safetensors(self, content):
        path = self.folder / "bad.safetensors"
        path.write_bytes(content)
        return self.run_twice("--set", f"heads[0].weights={path}")

    def test_truncated_safetensors(self):
        header = b'{"0.weight":{"dtype":"F32","shape":[10,512],"data_offsets":[0,20480]}}'
        self.assert_fails(self.safetensors(struct.pack("<Q", len(header)) + header + bytes(100)), BAD_DATA,
                          "bad.safetensors: tensor '0.weight' ends at byte 20480 of the data, but the file has 100: is it "
                          "truncated?")

    def test_safetensors_header_beyond_the_file(self):
        self.assert_fails(self.safetensors(struct.pack("<Q", 1 << 20) + b"{}" + bytes(20)), BAD_DATA, "bad.safetensors",
                          "says that its header has 1048576 bytes, but the file ends after 22")

    def test_safetensors_overlapping_offsets(self):
        header = (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
                  b'"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}')
        self.assert_fails(self.safetensors(struct.pack("<Q", len(header)) + header + bytes(12)), BAD_DATA,
                          "bad.safetensors", "overlap")

    def test_pickle_that_calls_os_system(self):
        path = self.folder / "evil.pth"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("evil/data.pkl", pickle.dumps(Evil(), protocol=2))
            archive.writestr("evil/version", "3\n")
        done = self.run_twice("--set", f"heads[0].weights={path}")
        self.assert_fails(done, BAD_DATA, "evil.pth", "system")
        self.assertFalse((self.folder / "pwned").exists() or os.path.exists("pwned"))

    def test_wrong_shapes(self):
        # The second head's file for the first head.
        done = self.run_twice("--set", "heads[0].layers=[linear 77, relu, linear 10]")
        self.assert_fails(done, BAD_DATA, "[77, 512]")

    def test_head_that_does_not_fit_the_features(self):
        narrow = torch.nn.Sequential(torch.nn.Linear(256, 10))
        torch.save(narrow.state_dict(), self.folder / "narrow.pth")
        self.config.write_text(self.config.read_text().replace("plain.safetensors", "narrow.pth"))
        done = self.run_twice()
        self.assert_fails(done, BAD_DATA, "head 'plain'", "0.weight", "[10, 512]", "[10, 256]",
                          "the backbone resnet18 gives 512 features")

    def test_another_architecture(self):
        done = self.run_twice("--set", "backbone.arch=resnet34")
        self.assert_fails(done, BAD_DATA, "layer1.2.conv1.weight", "fits backbone.arch: resnet18")

    def data(self, **datasets):
        path = self.folder / "bad.h5"
        with h5py.File(path, "w") as file:
            for name, values in datasets.items():
                file[name] = values
        return self.run_twice("--set", f"data.path={path}")

    def test_label_outside_the_classes(self):
        labels = np.zeros(40, np.int64)
        labels[17] = 12
        done = self.data(images=np.zeros((40, 32, 32, 3), np.uint8), labels=labels)
        self.assert_fails(done, BAD_DATA, "bad.h5", "sample 17", "label 12", "10 classes")

    def test_hdf5_without_images(self):
        self.assert_fails(self.data(imagse=np.zeros((4, 32, 32, 3), np.uint8)), BAD_DATA, "bad.h5", "images", "imagse")

    def test_data_that_is_not_hdf5(self):
        path = self.folder / "text.h5"
        path.write_text("<html>")
        self.assert_fails(self.run_twice("--set", f"data.path={path}"), BAD_DATA, "text.h5")

    def test_output_exists(self):
        (self.folder / "out.h5").write_text("precious")
        done = self.run_twice("--set", f"output.path={self.folder / 'out.h5'}")
        self.assert_fails(done, CANT_CREATE, "out.h5", "--overwrite")
        self.assertEqual((self.folder / "out.h5").read_text(), "precious")

    def test_output_folder_not_writable(self):
        """As a user without root's rights, who may write everywhere."""
        locked = self.folder / "locked"
        locked.mkdir(mode=0o555)
        self.folder.chmod(0o755)
        home = self.folder / "home"
        home.mkdir()
        os.chmod(home, 0o777)
        command = [POLYHEAD, "run", str(self.config), "--set", f"output.path={locked / 'out.h5'}"]
        identity = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(command, env=os.environ | {"HOME": str(home), "TMPDIR": str(home)}, capture_output=True,
                              text=True, timeout=120, check=False, **identity)
        self.assert_fails(done, CANT_CREATE, "locked", "writ")

    def test_too_many_bad_samples(self):
        images = np.zeros((40, 3, 32, 32), np.float32)
        images[[3, 30]] = np.nan
        path = self.folder / "nan.h5"
        with h5py.File(path, "w") as file:
            file["images"] = images
        output = self.folder / "out.h5"
        sets = ["--set", f"data.path={path}", "--set", f"output.path={output}"]
        done = polyhead("run", self.config, *sets, ranks=2)
        self.assert_fails(done, BAD_DATA, "data.max_bad", "quarantined", "out.h5")

        done = polyhead("run", self.config, *sets, "--set", "data.max_bad=5%", "--overwrite", ranks=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2", done.stdout)
        with h5py.File(output) as file:
            status = file["samples/status"][()]
            self.assertEqual(np.flatnonzero(status == 2).tolist(), [3, 30])
            self.assertEqual(file["samples/reason"][()][[3, 30]].tolist(), [1, 1])
            self.assertEqual(file["fused/prediction"][()][[3, 30]].tolist(), [-1, -1])
            self.assertTrue(np.isnan(file["fused/scores"][()][[3, 30]]).all())
            self.assertTrue((file["heads/prediction"][()][[3, 30]] == -1).all())
        listed = polyhead("info", "--bad", output)
        self.assertEqual(listed.returncode, 0)
        self.assertIn("NaN or infinite", listed.stdout)

    def test_wrong_command_lines(self):
        self.assert_fails(polyhead(), USAGE)
        self.assert_fails(polyhead("rum"), USAGE)
        self.assert_fails(polyhead("run"), USAGE, "config")
        self.assert_fails(polyhead("run", self.config, "--nope"), USAGE, "--nope")

    def test_info_of_something_else(self):
        path = self.folder / "data.h5"
        self.assert_fails(polyhead("info", path), BAD_DATA, "data.h5")
        self.assert_fails(polyhead("info", self.folder / "none.h5"), NO_INPUT, "none.h5")

    def test_check_tells_the_same(self):
        self.assertEqual(polyhead("check", self.config).returncode, 0)
        self.replace("backbone.pth")
        self.assert_fails(polyhead("check", self.config), NO_INPUT, "backbone.pth")

    def test_a_data_set_that_is_cut_while_running(self):
        """Contiguous data whose file ends early: reading fails on some rank, the job ends with what is committed."""
        path = self.folder / "cut.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=np.zeros((4000, 32, 32, 3), np.uint8))
        whole = path.stat().st_size
        shutil.copy(path, self.folder / "copy.h5")
        os.truncate(path, whole // 2)
        done = polyhead("run", self.config, "--set", f"data.path={path}", "--set",
                        f"output.path={self.folder / 'out.h5'}", ranks=2)
        self.assertIn(done.returncode, (BAD_DATA, 74), done.stderr)
        self.assertIn("cut.h5", done.stderr)


if __name__ == "__main__":
    unittest.main()
