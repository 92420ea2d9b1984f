#!/usr/bin/env python3
"""Fails when ctest left out a test that does not say, by the label `gpu`, that it needs hardware.

    ctest --test-dir build/release --output-junit junit.xml
    ctest --test-dir build/release -L '^gpu$' --show-only=json-v1 > gpu.json
    tests/check_skips.py junit.xml gpu.json

Says nothing when all is well. (The labels come from a list: CTest writes them into junit.xml from version 3.26 on only.)
"""

import json
import sys
import xml.etree.ElementTree as ET


def unexcused(root, excused):
    """Names of the tests that neither ran to an end nor are excused."""
    return [case.get("name") for case in root.iter("testcase")
            if case.get("status") in ("notrun", "disabled") and case.get("name") not in excused]


def main(junit, gpu):
    with open(gpu, encoding="utf-8") as file:
        excused = {test["name"] for test in json.load(file)["tests"]}
    names = unexcused(ET.parse(junit).getroot(), excused)
    for name in names:
        print(f"{name}: skipped, but not labelled gpu")
    return 1 if names else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
