"""Files that go away under a run: the output deleted or cut, the folder of the data gone, a host that never had the data. The run ends
cleanly; nobody calls a sample missing whose file system is."""

import os
import shutil
import unittest

from support.harness import POLYHEAD, mpirun_command
from support.photos import save_tree
from support.working import Working

WITHOUT_DATA = """#!/bin/sh
# Runs the arguments on a "host" that has no data: another mount namespace, where an empty folder lies over them.
exec unshare --mount sh -c 'mount -t tmpfs none "$0" && exec "$@"' "{data}" "$@"
"""


class Gone(Working):
    def begin(self):
        job = self.start("output.commit_interval=100ms")
        self.wait_for_work()
        return job

    def check_end(self, job, code, *texts):
        self.end(job, within=20)
        self.assertEqual(job.returncode, code, job.err)
        for text in texts:
            self.assertIn(text, job.err)

    def test_the_output_is_deleted(self):
        job = self.begin()
        self.output.unlink()
        self.check_end(job, 74, f"{self.output}: was deleted or replaced while the run was writing to it; start again")
        self.assertNotIn("kept in", job.err)
        self.assertFalse(self.output.exists())

    def test_the_output_is_cut(self):
        job = self.begin()
        os.truncate(self.output, 1000)
        self.check_end(job, 74, f"{self.output}: was cut to 1000 bytes of ")
        self.assertEqual(self.output.stat().st_size, 1000)

    def photographs(self, copies):
        data = self.folder / "photos"
        paths = save_tree(data, 40)
        for number in range(copies):
            for path in paths:
                os.link(path, path.with_name(f"{number:03}-{path.name}"))
        self.configure_photos("photos", "max_bad: 100%")
        return data

    def test_the_folder_of_the_data_goes(self):
        data = self.photographs(60)
        job = self.begin()
        data.rename(self.folder / "moved")
        self.check_end(job, 74, f"{data}: the folder has gone while the run was reading from it", "To go on: ")

    def test_a_host_without_the_data(self):
        data = self.photographs(0)
        if os.system(f"unshare --mount mount -t tmpfs none {data} 2> /dev/null") != 0:  # noqa: S605
            self.skipTest("no mount namespaces can be made here")
        wrapper = self.folder / "without_data.sh"
        wrapper.write_text(WITHOUT_DATA.format(data=data))
        wrapper.chmod(0o755)
        arguments = ["run", str(self.config), "--set", f"output.path={self.output}"]
        command = [*mpirun_command(1, arguments), ":", "-np", "1", str(wrapper), POLYHEAD, *arguments]
        job = self.launch(command)
        self.check_end(job, 66, f"rank 1 on {os.uname().nodename}: {data}", "though rank 0 has it")
        self.assertFalse(self.output.exists())
        shutil.rmtree(data)


if __name__ == "__main__":
    unittest.main()
