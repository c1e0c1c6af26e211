"""Every link between pages leads somewhere. links.py FOLDER; writes links.xml (JUnit) beside it."""
import pathlib
import re
import sys
from xml.sax.saxutils import quoteattr

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)\)")


def broken(folder):
    for page in sorted(folder.glob("**/*.md")):
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            is_outside = "://" in target
            yield page, target, not is_outside and not (page.parent / target).is_file()


def main(argv):
    rows = list(broken(pathlib.Path(argv[0])))
    bad = [row for row in rows if row[2]]
    lines = [f'<testsuite name="links" tests="{len(rows)}" failures="{len(bad)}">']
    for page, target, is_bad in rows:
        lines.append(
            f"<testcase classname={quoteattr(str(page))} name={quoteattr(target)}>"
            f'{"<failure/>" if is_bad else ""}</testcase>'
        )
    pathlib.Path("links.xml").write_text("\n".join([*lines, "</testsuite>"]) + "\n")
    for page, target, _ in bad:
        print(f"{page}: no page {target}")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
