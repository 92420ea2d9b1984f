#!/usr/bin/env python3
"""Fails when ctest left out a test that does not say, by the label `gpu`, that it needs hardware.

    tests/check_skips.py build/release/junit.xml      # as written by ctest --output-junit

Says nothing when all is well.
"""

import sys
import xml.etree.ElementTree as ET

EXCUSED = "gpu"


def labels(case):
    found = case.find("./properties/property[@name='cmake_labels']")
    return set(found.get("value", "").split(";")) if found is not None else set()


def unexcused(root):
    """Names of the tests that neither ran to an end nor carry the label."""
    return [case.get("name") for case in root.iter("testcase")
            if case.get("status") in ("notrun", "disabled") and EXCUSED not in labels(case)]


def main(path):
    names = unexcused(ET.parse(path).getroot())
    for name in names:
        print(f"{name}: skipped, but not labelled {EXCUSED}")
    return 1 if names else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
