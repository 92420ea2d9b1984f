#!/usr/bin/env python3
"""Fails when ctest left out a test that does not say, by the label `gpu`, that it needs hardware. Four more may be left out
where they cannot run: e2e.hosts, e2e.lost_host, e2e.slurm and e2e.bundle, on a machine that does not allow namespaces; for e2e.slurm, to root.

    ctest --test-dir build/release --output-junit junit.xml
    ctest --test-dir build/release -L '^gpu$' --show-only=json-v1 > gpu.json
    tests/check_skips.py junit.xml gpu.json

Says nothing when all is well. (The labels come from a list: CTest writes them into junit.xml from version 3.26 on only.)
"""

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

# Tests on pretended hosts: the users that may run them, as words for unshare, and the programs that they need.
ROOT, ROOT_OF_NAMESPACE = [], ["--user", "--map-root-user"]
ON_HOSTS = {name: ((ROOT, ROOT_OF_NAMESPACE), ("ip",)) for name in ("e2e.hosts", "e2e.lost_host", "e2e.bundle")} | {
    "e2e.slurm": ((ROOT,), ("ip", "sbatch", "slurmctld", "slurmd", "munged"))}
# A bridge and a pair of linked devices, in namespaces that end with the command. Not what the test itself does: a mistake
# there must not excuse it.
JOIN = "mount -t tmpfs none /dev/shm && ip link add b type bridge && ip link add v type veth peer name w"


def hosts_are_possible(users):
    for user in users:
        command = ["unshare", *user, "--fork", "--pid", "--mount-proc", "--net", "--uts", "--ipc", "--mount", "sh", "-c", JOIN]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
    return False


def why_skipped(name):
    """What is wrong with a test that was skipped and is not labelled gpu; empty when it had to be."""
    if name not in ON_HOSTS:
        return "not labelled gpu"
    users, tools = ON_HOSTS[name]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        return f"only because {', '.join(missing)} is missing: run launch/setup.sh --dev"
    return "namespaces can be made here" if hosts_are_possible(users) else ""


def unexcused(root, excused):
    """Names of the tests that neither ran to an end nor are excused."""
    return [case.get("name") for case in root.iter("testcase")
            if case.get("status") in ("notrun", "disabled") and case.get("name") not in excused]


def main(junit, gpu):
    with open(gpu, encoding="utf-8") as file:
        excused = {test["name"] for test in json.load(file)["tests"]}
    faults = {name: why_skipped(name) for name in unexcused(ET.parse(junit).getroot(), excused)}
    for name, fault in faults.items():
        if fault:
            print(f"{name}: skipped, but {fault}")
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
