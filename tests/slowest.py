#!/usr/bin/env python3
"""Prints the ten tests that took longest, of all builds whose junit.xml are given.

    tests/slowest.py build/asan/junit.xml build/release/junit.xml
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

COUNT = 10


def times(path):
    """(seconds, build, name) of each test."""
    for case in ET.parse(path).iter("testcase"):
        yield float(case.get("time", 0)), Path(path).parent.name, case.get("name")


def main(paths):
    found = sorted((each for path in paths if Path(path).exists() for each in times(path)), reverse=True)
    print(f"[polyhead] the slowest of {len(found)} tests:")
    for seconds, build, name in found[:COUNT]:
        print(f"[polyhead] {seconds:8.1f} s  {build:8} {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
