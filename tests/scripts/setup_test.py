"""launch/setup.sh on a machine made of stubs: nothing is installed."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

LAUNCH = Path(__file__).resolve().parents[2] / "launch"
TOOLS = "bash env dirname sha256sum rm mkdir cat".split()
NOBODY = 65534

# Stubs write what they were called with to $CALLS.
RECORD = '#!/bin/bash\necho "{name} $*" >> "$CALLS"\n{body}\n'
# A python3 that makes a venv whose own python behaves as told.
PYTHON = """
if [[ "$1 $2" == "-m venv" ]]; then
  mkdir -p "${!#}/bin"
  cat "$VENV_PYTHON" > "${!#}/bin/python"
  chmod +x "${!#}/bin/python"
fi"""


class Machine:
    """A folder with a copy of launch/ and a PATH of its own."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        shutil.copytree(LAUNCH, self.folder / "project" / "launch")
        for tool in TOOLS + ["chmod"]:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.stub("dpkg-query", 'echo "ii "')
        self.stub("apt-get")
        self.stub("sudo", "exit 1")
        self.stub("python3", PYTHON)
        self.venv_python()
        self.venv = self.folder / "project" / ".venv"

    def stub(self, name, body=""):
        file = self.bin / name
        file.write_text(RECORD.format(name=name, body=body))
        file.chmod(0o755)

    def venv_python(self, pip=0, imports=0):
        """What the venv's python returns from pip and from its imports."""
        body = f'case "$*" in *pip*) exit {pip};; *-c*) exit {imports};; esac'
        (self.folder / "venv-python").write_text(RECORD.format(name="venv-python", body=body))

    def setup(self, *arguments):
        """Runs setup.sh without root's rights."""
        subprocess.run(["chmod", "-R", "a+rwX", self.folder], check=True)
        environment = {"PATH": str(self.bin), "CALLS": str(self.folder / "calls"),
                       "VENV_PYTHON": str(self.folder / "venv-python")}
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.run([self.folder / "project/launch/setup.sh", *arguments], env=environment, cwd="/",
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **user)

    def calls(self, name):
        text = (self.folder / "calls").read_text()
        return [line for line in text.splitlines() if line.startswith(name + " ")]


class SetupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.machine = Machine(folder.name)

    def miss(self, package):
        self.machine.stub("dpkg-query", f'[[ "$*" == *" {package}" ]] || echo "ii "')

    def test_nothing_missing(self):
        first = self.machine.setup()
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(len(self.machine.calls("venv-python")), 2)  # pip, imports
        second = self.machine.setup()
        self.assertIn(".venv is up to date", second.stdout)
        self.assertEqual(len(self.machine.calls("venv-python")), 2)
        self.assertEqual(self.machine.calls("apt-get"), [])

    def test_changed_requirements_are_installed(self):
        self.machine.setup()
        with (self.machine.folder / "project/launch/requirements.txt").open("a") as file:
            file.write("# changed\n")
        self.machine.setup()
        self.assertEqual(len(self.machine.calls("venv-python")), 4)

    def test_missing_package_without_root(self):
        self.miss("libhdf5-dev")
        run = self.machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("sudo apt-get update && sudo apt-get install -y libhdf5-dev\n", run.stderr)
        self.assertEqual(self.machine.calls("apt-get"), [])

    def test_missing_package_with_sudo(self):
        self.miss("cmake")
        self.machine.stub("sudo", 'shift; "$@"')
        run = self.machine.setup()
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.machine.calls("apt-get"),
                         ["apt-get -qq update", "apt-get -qq install -y --no-install-recommends cmake"])

    def test_apt_fails(self):
        self.miss("cmake")
        self.machine.stub("sudo", 'shift; "$@"')
        self.machine.stub("apt-get", "exit 100")
        run = self.machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("apt-get update failed", run.stderr)

    def test_dev_asks_for_clang_format(self):
        self.miss("clang-format")
        self.assertEqual(self.machine.setup().returncode, 0)
        self.assertIn("install -y clang-format\n", self.machine.setup("--dev").stderr)

    def test_no_network(self):
        self.machine.venv_python(pip=1)
        run = self.machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("It needs PyPI", run.stderr)
        self.machine.venv_python()
        again = self.machine.setup()
        self.assertNotIn("up to date", again.stdout)
        self.assertEqual(again.returncode, 0)

    def test_damaged_venv_is_made_anew(self):
        self.machine.venv_python(imports=1)
        run = self.machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("do not load", run.stderr)
        self.assertIn(f"python3 -m venv --clear {self.machine.venv}", self.machine.calls("python3"))

    def test_other_systems_are_told_what_is_needed(self):
        (self.machine.bin / "apt-get").unlink()
        run = self.machine.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("c++ is missing", run.stderr)
        self.assertIn("libyaml-cpp-dev", run.stderr)

    def test_unknown_argument(self):
        run = self.machine.setup("--frob")
        self.assertEqual(run.returncode, 1)
        self.assertIn("unknown argument '--frob'", run.stderr)


if __name__ == "__main__":
    unittest.main()
