#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Say what a test run did, from what the test programs wrote.

usage: summary.py RESULTS GUESTS

RESULTS has ctest.xml (ctest's JUnit) and steps (verdict, name and seconds, tab-separated); GUESTS
has a folder per guest with its live_tests.xml (GoogleTest's). A guest counts by the tests inside it.
The last line is "N passed, N failed, N skipped"; the exit code is 1 when something failed.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

# What GoogleTest and its printers add around a skip's reason.
NOISE = re.compile(r"^(\[|Running main|Note: |$)|: Skipped$|^\S+\.cpp:\d+$")

Test = collections.namedtuple("Test", "label name verdict reason")


def skip_reason(text):
    """The words of the GTEST_SKIP in a test's output."""
    lines = [line.strip() for line in (text or "").splitlines()]
    after = [i for i, line in enumerate(lines) if line.endswith("Skipped")]
    said = [line for line in lines[after[0] + 1 if after else 0 :] if not NOISE.search(line)]
    return said[0].removeprefix("skipped: ") if said else "no reason given"


def of_ctest(path):
    """The tests of ctest's JUnit file; its names are <label>.<test>."""
    if not path.exists():
        return
    for case in ET.parse(path).getroot().iter("testcase"):
        name, skipped = case.get("name"), case.find("skipped")
        verdict, reason = "failed", ""
        if case.get("status") == "run":
            verdict = "passed"
        elif case.get("status") == "disabled":
            verdict, reason = "skipped", "switched off"
        # Without SKIP_ ctest means that the program is not there: no test passed by that.
        elif skipped is not None and skipped.get("message", "").startswith("SKIP_"):
            verdict, reason = "skipped", skip_reason(case.findtext("system-out"))
        yield Test(name.split(".")[0], name, verdict, reason)


def of_guest(folder):
    """The tests that ran inside one guest."""
    for case in ET.parse(folder / "live_tests.xml").getroot().iter("testcase"):
        skipped = case.find("skipped")
        verdict, reason = "passed", ""
        if case.find("failure") is not None:
            verdict = "failed"
        elif skipped is not None or case.get("result") in ("skipped", "suppressed"):
            verdict = "skipped"
            reason = skip_reason(skipped.get("message") if skipped is not None else "")
        name = f"vm.{folder.name}: {case.get('classname')}.{case.get('name')}"
        yield Test(f"vm {folder.name}", name, verdict, reason)


def expand(tests, guests):
    """Each guest's own tests in place of the one ctest that booted it."""
    for test in tests:
        folder = guests / test.name.removeprefix("vm.")
        if test.label != "vm" or not (folder / "live_tests.xml").exists():
            yield test
            continue
        inside = list(of_guest(folder))
        yield from inside
        # The guest failed as a whole: a kernel splat, a timeout, a crash after the last test.
        if test.verdict == "failed" and not any(t.verdict == "failed" for t in inside):
            yield Test(f"vm {folder.name}", f"{test.name} as a whole", "failed", "")


def of_steps(path):
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            verdict, name, _, *why = line.split("\t")
            yield Test("steps", name, verdict, "".join(why))


def print_labels(tests, guests):
    counts = collections.defaultdict(collections.Counter)
    for test in tests:
        counts[test.label][test.verdict] += 1
    for label, count in counts.items():
        kept = guests / label.removeprefix("vm ") / "kept"
        line = ", ".join(f"{count[v]} {v}" for v in ("passed", "failed", "skipped") if count[v])
        why = f"  ({kept.read_text(encoding='utf-8').strip()})" if label != "vm" and kept.exists() else ""
        print(f"    {label:<22} {line}{why}")


def print_skips(tests):
    reasons = collections.defaultdict(list)
    for test in tests:
        if test.verdict == "skipped":
            reasons[test.reason].append(test.name)
    for reason, names in reasons.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        print(f"    skipped: {reason}\n             {shown}")


def main(results, guests):
    tests = list(expand(of_ctest(results / "ctest.xml"), guests)) + list(of_steps(results / "steps"))
    print_labels(tests, guests)
    print_skips(tests)
    for test in tests:
        if test.verdict == "failed":
            print(f"    FAILED: {test.name}")
    total = collections.Counter(test.verdict for test in tests)
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
