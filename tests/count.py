#!/usr/bin/env python3
"""Count what ran, from ctest's JUnit files and the lists of steps and fuzzers ("name pass" or "name
fail" a line); the last line is the counts.

usage: count.py RESULTS_DIR

A cmocka program counts as its cases; any other test as one. A skipped case is named with its
reason and is never counted as passed.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

CASE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+)(?:\n|$)", re.M)
REASON = re.compile(r"^skipped: (.*)$", re.M)


def count_test(flavour, test, totals):
    output = test.findtext("system-out") or ""
    status = test.get("status")
    if status in ("disabled", "notrun") and test.find("skipped") is not None:
        reason = REASON.search(output)
        print(f"skipped: {flavour} {test.get('name')}: {reason.group(1) if reason else 'no reason given'}")
        totals["SKIPPED"] += 1
        return
    cases = CASE.findall(output)
    seen = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    for name, result in {name: result for result, name in cases}.items():
        seen[result] += 1
        if result == "SKIPPED":
            reason = REASON.search(output)
            print(f"skipped: {flavour} {test.get('name')} {name}: {reason.group(1) if reason else 'no reason given'}")
    has_failed = test.find("failure") is not None or status == "fail"
    if has_failed and not seen["FAILED"]:
        seen["FAILED"] = 1
        print(f"failed: {flavour} {test.get('name')}")
    if not cases and not has_failed:
        seen["OK"] = 1
    for key, n in seen.items():
        totals[key] += n


def main():
    results = pathlib.Path(sys.argv[1])
    totals = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    for file in sorted(results.glob("*.xml")):
        for test in ET.parse(file).getroot().iter("testcase"):
            count_test(file.stem, test, totals)
    for file in (results / "steps.txt", results / "fuzz.txt"):
        for line in file.read_text().splitlines() if file.exists() else []:
            name, word = line.split()
            totals["OK" if word == "pass" else "FAILED"] += 1
            if word != "pass":
                print(f"failed: {name}")
    print(f"{totals['OK']} passed, {totals['FAILED']} failed, {totals['SKIPPED']} skipped")
    return 1 if totals["FAILED"] or not totals["OK"] else 0


if __name__ == "__main__":
    sys.exit(main())
