"""Runs the unit tests and writes reports/junit.xml and reports/lcov.info. Standard library only."""
import pathlib
import sys
import time
import trace
import unittest
from xml.sax.saxutils import quoteattr

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


class Result(unittest.TextTestResult):
    def __init__(self, *args):
        super().__init__(*args)
        self.rows = []

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        bad = {t: "failure" for t, _ in self.failures} | {t: "error" for t, _ in self.errors}
        self.rows.append((test.id(), time.monotonic() - self.started, bad.get(test)))
        super().stopTest(test)


def write_junit(rows):
    bad = sum(kind is not None for _, _, kind in rows)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuite name="unit" tests="{len(rows)}" failures="{bad}" errors="0">')
    for name, seconds, kind in rows:
        place, case = name.rsplit(".", 1)
        inner = f"<{kind}/>" if kind else ""
        lines.append(
            f"  <testcase classname={quoteattr(place)} name={quoteattr(case)} "
            f'time="{seconds:.4f}">{inner}</testcase>'
        )
    lines.append("</testsuite>")
    (ROOT / "reports" / "junit.xml").write_text("\n".join(lines) + "\n")


def write_lcov(counts):
    lines = []
    for path in sorted(ROOT.glob("*/*.py")):
        if path.parent.name == "tests" or path.stat().st_size == 0:
            continue
        executable = sorted(n for n in trace._find_executable_linenos(str(path)) if n > 0)
        hits = {line: counts.get((str(path), line), 0) for line in executable}
        lines += ["TN:", f"SF:{path.relative_to(ROOT)}"]
        lines += [f"DA:{line},{count}" for line, count in hits.items()]
        lines += [f"LF:{len(hits)}", f"LH:{sum(c > 0 for c in hits.values())}", "end_of_record"]
    (ROOT / "reports" / "lcov.info").write_text("\n".join(lines) + "\n")


def main():
    tracer = trace.Trace(count=1, trace=0, ignoredirs=[sys.prefix, sys.exec_prefix])

    def run():
        suite = unittest.defaultTestLoader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
        return unittest.TextTestRunner(resultclass=Result, verbosity=2).run(suite)

    result = tracer.runfunc(run)
    (ROOT / "reports").mkdir(exist_ok=True)
    write_junit(result.rows)
    write_lcov(tracer.results().counts)
    return 0 if result.wasSuccessful() and result.rows else 1


if __name__ == "__main__":
    sys.exit(main())
