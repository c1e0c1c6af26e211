"""Runs the unit tests and writes reports/junit.xml and reports/cobertura.xml. Standard library only."""
import pathlib
import sys
import time
import trace
import unittest
from xml.sax.saxutils import quoteattr

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
HEADER = '<?xml version="1.0" encoding="UTF-8"?>'


class Result(unittest.TextTestResult):
    def __init__(self, *args):
        super().__init__(*args)
        self.rows = []

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        bad = any(t is test for t, _ in self.failures + self.errors)
        self.rows.append((test.id(), time.monotonic() - self.started, bad))
        super().stopTest(test)


def write_junit(rows):
    lines = [HEADER, "<testsuites>"]
    lines.append(
        f'<testsuite name="worker" tests="{len(rows)}" failures="{sum(r[2] for r in rows)}">'
    )
    for name, seconds, bad in rows:
        place, case = name.rsplit(".", 1)
        lines.append(
            f"<testcase classname={quoteattr(place)} name={quoteattr(case)} "
            f'time="{seconds:.4f}">{"<failure/>" if bad else ""}</testcase>'
        )
    lines += ["</testsuite>", "</testsuites>"]
    (ROOT / "reports" / "junit.xml").write_text("\n".join(lines) + "\n")


def write_cobertura(counts):
    classes, valid, covered = [], 0, 0
    for path in sorted((ROOT / "worker").glob("*.py")):
        lines = []
        for line in sorted(n for n in trace._find_executable_linenos(str(path)) if n > 0):
            hits = counts.get((str(path), line), 0)
            valid, covered = valid + 1, covered + (hits > 0)
            lines.append(f'<line number="{line}" hits="{hits}"/>')
        name = quoteattr(str(path.relative_to(ROOT)))
        classes.append(
            f"<class name={quoteattr(path.stem)} filename={name}>"
            f"<methods/><lines>{''.join(lines)}</lines></class>"
        )
    rate = covered / valid if valid else 0
    text = (
        f'{HEADER}\n<coverage line-rate="{rate:.4f}" lines-covered="{covered}" '
        f'lines-valid="{valid}" version="1"><packages><package name="worker" '
        f'line-rate="{rate:.4f}"><classes>{"".join(classes)}</classes></package></packages>'
        "</coverage>\n"
    )
    (ROOT / "reports" / "cobertura.xml").write_text(text)


def main():
    tracer = trace.Trace(count=1, trace=0, ignoredirs=[sys.prefix, sys.exec_prefix])

    def run():
        suite = unittest.defaultTestLoader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
        return unittest.TextTestRunner(resultclass=Result, verbosity=2).run(suite)

    result = tracer.runfunc(run)
    (ROOT / "reports").mkdir(exist_ok=True)
    write_junit(result.rows)
    write_cobertura(tracer.results().counts)
    return 0 if result.wasSuccessful() and result.rows else 1


if __name__ == "__main__":
    sys.exit(main())
