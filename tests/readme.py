#!/usr/bin/env python3
"""readme.py WPA [--write]: does the README say what the program says?

Compares the table of rules and their number with `wpa check --list-rules=json` (--write: makes them
anew), the table of test checks with the checks there are, every command in a sh block and in messages with the
program's own help, what is told of the console with its manual page, and lets the program read the example
of wpa.yml.
"""
import collections
import functools
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
README = TOP / "README.md"
KINDS = {".action.yml": "action", ".dependabot.yml": "dependabot", ".pre-commit.yml": "pre-commit"}


@functools.cache
def run(wpa, *arguments):
    return subprocess.run([wpa, *arguments], capture_output=True, text=True, check=False)


def safeties(wpa, rule, *arguments):
    """Of the fixes that are offered for what the rule finds there."""
    report = run(wpa, "check", "--exit-zero", "--format", "json", "--persona", "auditor", "--only", rule["id"], *arguments)
    return {fix["safety"] for finding in json.loads(report.stdout)["findings"] for fix in finding["fixes"]}


def in_repositories(wpa, rule, fixtures):
    """The same of fixtures that are folders, and of which only a whole repository has its fixes."""
    found = set()
    for folder in sorted(path for path in fixtures.glob("bad*") if path.is_dir()):
        config = folder.parent / f"{folder.name}.config"
        with tempfile.TemporaryDirectory() as top:
            copy = pathlib.Path(top) / "repository"
            shutil.copytree(folder, copy)
            (copy / ".git").mkdir()
            (copy / ".git/HEAD").write_text("ref: refs/heads/main\n")
            found |= safeties(wpa, rule, *(["--config", str(config)] if config.exists() else ["--no-config"]), str(copy))
    return found


def fix_of(wpa, rule):
    """safe, unsafe, both or -, from what the program offers on the rule's own fixtures."""
    if not rule["has_fix"]:
        return "-"
    fixtures = TOP / "tests/fixtures/rules" / rule["id"]
    paths = collections.defaultdict(list)  # read by one process for each kind: a start costs more than a file
    for path in sorted(fixtures.glob("bad*.yml")):
        if ".fixed." not in path.name:
            kind = next((kind for ending, kind in KINDS.items() if path.name.endswith(ending)), "workflow")
            paths[kind].append(str(path))
    found = in_repositories(wpa, rule, fixtures)
    for kind, of_kind in paths.items():
        found |= safeties(wpa, rule, "--no-config", "--as", kind, *of_kind)
    assert found, f"{rule['id']} is said to have a fix, and no fixture shows one"
    return found.pop() if len(found) == 1 else "both"


def rules_table(wpa, rules):
    lines = ["| code | id | dimension | severity | fix | what it finds |", "|---|---|---|---|---|---|"]
    lines += [f"| {r['code']} | {r['id']} | {r['dimension']} | {r['severity']} | {fix_of(wpa, r)} | {r['summary']} |"
              for r in rules]
    return "\n".join(lines)


def count_line(rules):
    number = collections.Counter(r["dimension"] for r in rules)
    parts = ", ".join(f"{n} {dimension}" for dimension, n in number.most_common())
    fixes = sum(r["has_fix"] for r in rules)
    return f"- There are {len(rules)} rules ({parts}), {fixes} of them with a fix, and no way yet to add one of your own."


def block(text, name):
    return re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.S).group(1)


def replaced(text, name, content):
    return re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.S)


def example(text, name):
    return re.search(rf"<!-- {re.escape(name)} -->\n```yaml\n(.*?)```", text, re.S).group(1)


def check_checks(text):
    said = set(re.findall(r"^\| ([TSV]\d+) ", block(text, "checks"), re.M))
    sources = "".join(path.read_text() for path in (TOP / "src/testing").glob("*.c"))
    there = set(re.findall(r'\.id = "([TSV]\d+)"', sources))
    return [f"check {name} is only {'in the README' if name in said else 'in the program'}"
            for name in sorted(said ^ there)]


def commands(text):
    for sh in re.findall(r"```sh\n(.*?)```", text, re.S):
        for line in sh.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            starts = [i for i, word in enumerate(words) if word in ("wpa", "build/wpa")]
            for i in starts:
                rest = words[i + 1:]
                ends = [k for k, word in enumerate(rest) if word in ("&&", "|", ">")]
                if i == 0 or words[i - 1] in ("&&", "|"):
                    yield line, rest[:ends[0]] if ends else rest


def check_command(wpa, line, words):
    name = []
    for word in words[:2]:
        if word.startswith("-") or run(wpa, "help", *name, word).returncode:
            break
        name.append(word)
    if not name and words and not words[0].startswith("-"):
        if len(words) > 1 and run(wpa, "help", *words[:2]).returncode == 0:
            name = words[:2]
        else:
            return [f"'{line}': there is no command '{words[0]}'"]
    text = run(wpa, *name, "--help").stdout
    options = set(re.findall(r"--[a-z-]+", text)) | set(re.findall(r"(?<![-\w])-[a-zA-Z]\b", text))
    given = [word.split("=")[0] for word in words[len(name):] if re.match(r"--?[a-zA-Z]", word)]
    return [f"'{line}': 'wpa {' '.join(name)}' has no option '{word}'" for word in given if word not in options]


def check_config(wpa, text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "wpa.yml"
        path.write_text(example(text, "wpa.yml"))
        answer = run(wpa, "check", "--config", str(path), "--exit-zero",
                     str(TOP / "tests/fixtures/rules/missing-timeout/good.yml"))
    return [] if answer.returncode == 0 else [f"wpa.yml: {answer.stderr.strip()}"]


def check_console(wpa, text):
    """Commands and settings of the console that the README tells of: there are such, and the manual page has them."""
    manual = run(wpa, "man").stdout.replace("\\-", "-")
    palette = (TOP / "ui/console/palette.c").read_text()
    known = set(re.findall(r'^    \{"([a-z-]+)", "', palette, re.M))
    told = set(re.findall(r"`:([a-z]+)", text))
    settings = re.findall(r"^([a-z]+):", example(text, "console.yaml"), re.M)
    options = set(re.findall(r"(?<![-\w])--[a-z-]+", run(wpa, "--help").stdout))
    return ([f"the console has no command ':{name}'" for name in sorted(told - known)] +
            [f"the manual page does not tell of ':{name}'" for name in sorted(told) if f":{name}" not in manual] +
            [f"the manual page does not tell of '{name}:' of console.yaml" for name in settings if f"{name}:" not in manual] +
            [f"nothing is told of the console's option '{name}'" for name in sorted(options)
             if not re.search(rf"{name}(?![\w-])", text)])


def check_messages(wpa):
    """What messages say is to be done next can be done: the commands that they name are there."""
    known = set(re.findall(r"^  ([a-z]+ [a-z]+) ", run(wpa, "help").stdout, re.M))
    groups = "|".join(sorted({name.split()[0] for name in known} - {"man"}))
    faults = []
    for folder in ("src", "ui"):
        for path in sorted((TOP / folder).rglob("*.c")):
            text = re.sub(r'"\s*"', "", path.read_text())
            named = set(re.findall(rf"\bwpa ((?:{groups}) [a-z]+)\b", text))
            faults += [f"{path.relative_to(TOP)} names 'wpa {name}', which there is not" for name in sorted(named - known)]
    return faults


def main():
    wpa = str(pathlib.Path(sys.argv[1]).resolve())
    text = README.read_text()
    rules = json.loads(run(wpa, "check", "--list-rules=json").stdout)
    made = {"rules": rules_table(wpa, rules), "count": count_line(rules)}
    if "--write" in sys.argv[2:]:
        for name, content in made.items():
            text = replaced(text, name, content)
        README.write_text(text)
    faults = [f"the part '{name}' is not what the program says: tests/readme.py {sys.argv[1]} --write"
              for name, content in made.items() if block(text, name) != content]
    faults += check_checks(text) + check_config(wpa, text) + check_console(wpa, text) + check_messages(wpa)
    shown = list(commands(text))
    for line, words in shown:
        faults += check_command(wpa, line, words)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"README: {len(rules)} rules, {len(shown)} commands, {len(faults)} faults")
    return 1 if faults or not shown else 0


sys.exit(main())
