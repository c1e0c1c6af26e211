"""Measures `wpa check` over a folder of real workflow files, beside its peers; see tests/bench/run.

Every figure is the operating system's own account of a finished process (user and system time,
largest resident set), the median of several runs; commands that are compared take turns.
"""
import csv
import datetime
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

RUNS = 5
TIMEOUT_S = 600  # of one run, however busy the machine
SAMPLED_RULES = int(os.environ.get("WPA_BENCH_RULES", "10"))  # the most frequent ones
SAMPLES = 30
SEED = int(os.environ.get("WPA_BENCH_SEED", "20261127"))  # another one draws other findings

# Exit codes of a run that did what it was asked; some say by theirs that they have found something.
WELL = (0,)
WITH_FINDINGS = (0, 1)

# No work of earlier runs, and none of other programs.
ALONE = "tools: {shellcheck: off, pyflakes: off, node: off, pwsh: off, bash: off}\n"


class Bench:
    def __init__(self, corpus, build, peers):
        self.corpus = os.path.realpath(corpus)
        self.wpa = os.path.realpath(os.path.join(build, "wpa"))
        self.yaml = os.path.realpath(os.path.join(build, "bench_yaml"))
        self.engine = os.path.realpath(os.path.join(build, "bench_engine"))
        self.peers = os.path.realpath(peers)
        self.config = tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8")
        self.config.write(ALONE)
        self.config.flush()
        self.workflows = sorted(self.files(lambda p: "/.github/workflows/" in "/" + p))

    def files(self, is_wanted):
        for folder, folders, names in os.walk(self.corpus):
            folders.sort()
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.corpus)
                if name.endswith((".yml", ".yaml")) and is_wanted(path):
                    yield path

    def peer(self, name):
        path = os.path.join(self.peers, name)
        return path if os.path.exists(path) else None

    def run(self, command, stdin=None, keep=False, env=None):
        """(cpu seconds, wall seconds, peak MiB, exit code, output) of one run."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as text:
            if stdin:
                text.write(stdin.encode())
                text.seek(0)
            started = time.monotonic()
            child = subprocess.Popen(
                command, cwd=self.corpus, stdin=text, stdout=out, stderr=subprocess.DEVNULL, env=env
            )
            killer = threading.Timer(TIMEOUT_S, child.kill)
            killer.start()
            _, status, usage = os.wait4(child.pid, 0)
            killer.cancel()
            wall = time.monotonic() - started
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            output = out.read().decode("utf-8", "replace") if keep else ""
        return (usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, child.returncode, output)

    def medians(self, commands, runs=RUNS):
        """Each command in turn, runs times; name -> (cpu, wall, peak MiB), medians; prints the spread.

        commands is name -> (command, text for it, exit codes of one that went well). One that did
        not is not among the result: how soon it failed says nothing about how long it takes.
        """
        seen, failed = {name: [] for name in commands}, {}
        for i in range(runs + 1):
            for name, (command, stdin, good) in commands.items():
                if name in failed:
                    continue
                figures = self.run(command, stdin)
                if figures[3] not in good:
                    failed[name] = figures[3]
                elif i:  # the first one warms up
                    seen[name].append(figures)
        result = {}
        for name, rows in seen.items():
            if name in failed:
                print(f"not measured: {name}: exit code {failed[name]}")
                continue
            cpus = sorted(row[0] for row in rows)
            result[name] = tuple(statistics.median(row[k] for row in rows) for k in range(3))
            print(f"  {name}: cpu {cpus[0]:.3f} to {cpus[-1]:.3f} s over {runs} runs", file=sys.stderr)
        return result


def cached(bench, *options):
    return [bench.wpa, "check", "--config", bench.config.name, "--exit-zero", "--format", "oneline", *options]


def alone(bench, *options):
    return cached(bench, "--no-cache", *options)


def verdict(is_met):
    return "met" if is_met else "missed"


def rows_of_table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def table(title, head, rows):
    print(f"\n### {title}\n")
    print(rows_of_table(head, rows), end="")


# ---- analyser ------------------------------------------------------------------------------------


def bench_analyser(bench):
    workflows, everything = bench.workflows, sorted(bench.files(lambda p: True))
    threads = os.cpu_count() or 1
    n_bytes = sum(os.path.getsize(os.path.join(bench.corpus, path)) for path in workflows)
    print(f"{len(workflows)} workflows of {n_bytes / 1e6:.1f} MB, {len(everything)} files in all, {threads} cores")
    commands = {
        "wpa, workflows": (alone(bench, "--threads", "1", *workflows), None, WELL),
        "libyaml events, workflows": ([bench.yaml], "\n".join(workflows), WELL),
        "wpa, all files": (alone(bench, "--threads", "1", "."), None, WELL),
        "wpa, all files, 2 threads": (alone(bench, "--threads", "2", "."), None, WELL),
    }
    if bench.peer("actionlint"):
        commands["actionlint, workflows"] = (
            [bench.peer("actionlint"), "-shellcheck=", "-pyflakes=", "-no-color", *workflows], None, WITH_FINDINGS)
    if bench.peer("zizmor/bin/zizmor"):
        commands["zizmor, all files"] = (
            [bench.peer("zizmor/bin/zizmor"), "--offline", "--no-config", "--no-exit-codes", "--quiet", "."], None, WELL)
    m = bench.medians(commands)
    if any(name not in m for name in list(commands)[:4]):  # of our own
        return
    rows = [[name, f"{cpu:.2f}", f"{wall:.2f}", f"{peak:.0f}"] for name, (cpu, wall, peak) in m.items()]
    table("processor time", ["program", "CPU s", "wall s", "peak MiB"], rows)
    own, whole = m["wpa, workflows"][0], m["wpa, all files"][0]
    rows = [["share of libyaml's bare events in it", f"{m['libyaml events, workflows'][0] / own:.0%}", "50 %",
             verdict(m["libyaml events, workflows"][0] / own >= 0.5)]]
    for name, mine, goal in (("actionlint, workflows", own, 4), ("zizmor, all files", whole, 10)):
        if name in m:
            rows.append([f"times less than {name}", f"{m[name][0] / mine:.1f}", goal, verdict(m[name][0] / mine >= goal)])
        else:
            why = "it did not end well" if name in commands else "skipped: not installed"
            rows.append([f"times less than {name}", why, goal, "not measured"])
    speedup = m["wpa, all files"][1] / m["wpa, all files, 2 threads"][1]
    rows.append(["two threads, times faster than one", f"{speedup:.2f}", 1.8, verdict(speedup >= 1.8)])
    largest = max(os.path.getsize(os.path.join(bench.corpus, path)) for path in everything) / 2**20
    peak = m["wpa, all files, 2 threads"][2]
    rows.append(["peak memory, MiB", f"{peak:.0f}", f"{64 + largest:.0f}", verdict(peak <= 64 + largest)])
    small = min((path for path in workflows), key=lambda p: abs(os.path.getsize(os.path.join(bench.corpus, p)) - 1500))
    quick = bench.medians({"one file": (alone(bench, small), None, WELL)}, 21).get("one file")
    rows.append([f"one file of {os.path.getsize(os.path.join(bench.corpus, small))} bytes, exec to exit, ms",
                 f"{quick[1] * 1000:.1f}" if quick else "it did not end well", 10,
                 verdict(quick[1] * 1000 <= 10) if quick else "not measured"])
    size = subprocess.run(["size", bench.wpa], capture_output=True, text=True, check=True).stdout.split("\n")[1].split()
    mib = int(size[3]) / 2**20
    rows.append(["program, code and data, MiB", f"{mib:.1f}", 8, verdict(mib <= 8)])
    table("limits", ["figure", "measured", "limit", ""], rows)


# ---- cache ---------------------------------------------------------------------------------------


def bench_cache(bench):
    """Processor time, since the machine may be busy; of wpa itself, without programs outside."""
    with tempfile.TemporaryDirectory() as cache:
        env = dict(os.environ, XDG_CACHE_HOME=cache)
        cold, warm = [], []
        for _ in range(RUNS):
            shutil.rmtree(cache)
            os.makedirs(cache)
            for seen, n in ((cold, 1), (warm, 3)):
                figures = [bench.run(cached(bench, "."), env=env) for _ in range(n)]
                if any(code for _, _, _, code, _ in figures):
                    print(f"not measured: a run of wpa did not end well within {TIMEOUT_S} s")
                    return
                seen += [cpu for cpu, *_ in figures]
        ratio = statistics.median(cold) / statistics.median(warm)
        table("unchanged folder again", ["figure", "measured", "limit", ""],
              [["cold, CPU s", f"{statistics.median(cold):.3f}", "", ""],
               ["again, CPU s", f"{statistics.median(warm):.3f}", "", ""],
               ["times less", f"{ratio:.0f}", 50, verdict(ratio >= 50)]])


# ---- engine --------------------------------------------------------------------------------------

FILES = 10000
WORKFLOWS = 50
LIMIT_MS = 50


def bench_engine(bench):
    if not os.path.exists(bench.engine):
        print("skipped: bench_engine is not built")
        return
    env = dict(os.environ, WPA_BUILD_DIR=os.path.dirname(bench.engine))
    done = subprocess.run([bench.engine, str(FILES), str(WORKFLOWS), "41"], env=env, capture_output=True,
                          text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        print(f"skipped: {(done.stdout + done.stderr).strip().splitlines()[-1:]}")
        return
    seen = dict(line.split() for line in done.stdout.splitlines())
    cold, again = float(seen["scan_cold_cpu_ms"]), float(seen["scan_again_cpu_ms"])
    table(f"a repository of {FILES} files, {WORKFLOWS} of them workflows, and the same again, unchanged; git and PostgreSQL",
          ["figure", "measured", "limit", ""],
          [[f"scan and {int(seen['jobs_cold']) - 1} analyses, processor time in ms", f"{cold:.0f}", "", ""],
           ["again, processor time in ms (median)", f"{again:.1f}", "", ""],
           ["times less", f"{cold / again:.0f}", 50, verdict(cold >= 50 * again)],
           ["both from start to end, ms", f"{seen['scan_cold_wall_ms']} and {seen['scan_again_wall_ms']}", "", ""]])
    wall = float(seen["wall_ms"])
    table(f"one changed workflow of a repository of {FILES} files, {WORKFLOWS} of them workflows; git and PostgreSQL",
          ["figure", "measured", "limit", ""],
          [["analysis, ms (median)", f"{wall:.1f}", LIMIT_MS, verdict(wall < LIMIT_MS)],
           ["fastest and slowest, ms", f"{seen['wall_min_ms']} to {seen['wall_max_ms']}", "", ""],
           ["processor time of it, ms", seen["cpu_ms"], "", ""],
           ["processes that wanted one of the cores meanwhile", f"{os.getloadavg()[0]:.1f}", os.cpu_count(), ""],
           ["findings", seen["findings"], "", ""]])


# ---- sarif ---------------------------------------------------------------------------------------

SCHEMA = "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
VALIDATE = """
import json, sys
from jsonschema.validators import validator_for
schema, log = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
faults = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator_for(schema)(schema).iter_errors(log)]
print(json.dumps({"results": len(log["runs"][0]["results"]), "faults": faults}))
"""


def bench_sarif(bench):
    """The report on everything there is, ignored findings too, against the schema of SARIF 2.1.0."""
    schema, python = bench.peer(SCHEMA), bench.peer("sarif/bin/python")
    if not schema or not python:
        print(f"skipped: {'the schema (npm @microsoft/jest-sarif)' if not schema else 'jsonschema (pip)'} is not there")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sarif") as report:
        command = alone(bench, "--persona", "auditor", "--show-ignored", "--format", f"sarif={report.name}", ".")
        code = bench.run(command)[3]
        done = subprocess.run([python, "-c", VALIDATE, schema, report.name], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        if done.returncode:
            print(f"not validated: {done.stderr.strip().splitlines()[-1:]}")
            return
        seen = json.loads(done.stdout)
        table("SARIF of all files against the schema of 2.1.0", ["figure", "measured", "limit", ""],
              [["results", seen["results"], "", ""],
               ["exit code of wpa", code, 0, verdict(code == 0)],
               ["faults", len(seen["faults"]), 0, verdict(not seen["faults"])]])
        for fault in seen["faults"][:20]:
            print(f"- {fault}")


# ---- findings ------------------------------------------------------------------------------------


def findings_of(bench, *options):
    _, _, _, code, output = bench.run(
        [bench.wpa, "check", "--no-config", "--exit-zero", "--format", "jsonl", *options, "."], keep=True)
    records = [record for record in map(json.loads, output.splitlines()) if record.get("schema", "").startswith("wpa.finding")]
    return code, records


def excerpt(bench, record):
    line = record["span"]["start"]["line"]
    with open(os.path.join(bench.corpus, record["path"]), encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    return lines[line - 1].strip()[:100].replace("|", "\\|").replace("`", "'") if line <= len(lines) else ""


def rank(records):
    counts = {}
    for record in records:
        counts.setdefault(record["rule"], []).append(record)
    return sorted(counts.items(), key=lambda item: -len(item[1]))


def counts_of(ranked):
    return [[rule, rows[0]["code"], len(rows), len({row["path"] for row in rows})] for rule, rows in ranked]


def bench_findings(bench):
    code, records = findings_of(bench)
    ranked = rank(records)
    table(f"findings per rule at default visibility (exit code {code}, {len(records)} in all)", ["rule", "code", "findings", "files"],
          counts_of(ranked))
    chosen = random.Random(SEED)
    for rule, rows in ranked[:SAMPLED_RULES]:
        sample = chosen.sample(rows, min(SAMPLES, len(rows)))
        table(rule, ["place", "says", "line"],
              [[f"{row['path']}:{row['span']['start']['line']}", row["message"].replace("|", "\\|"), f"`{excerpt(bench, row)}`"] for row in sample])


# ---- parity --------------------------------------------------------------------------------------

# What the peers' names mean here is said by the rules themselves ("elsewhere"); only where one tag of
# theirs is several rules of ours the rest is listed: schema and syntax share a tag there.
ACTIONLINT = {
    "syntax-check": ["syntax", "schema", "unused-definition", "dispatch-inputs"],
    "expression": ["expression-syntax", "context-availability", "expression-type", "call-contract", "config-names",
                   "template-injection", "undefined-output"],
    "events": ["events", "dispatch-inputs"],
    "matrix": ["matrix-duplicate-legs", "matrix-shape"],
    "runner-label": ["runner-label", "retired-runner"],
    "action": ["uses-format", "action-inputs", "node-runtime", "action-metadata", "deprecated-action-version"],
    "workflow-call": ["uses-format", "call-contract"],
    "if-cond": ["unsound-condition", "constant-condition"],
    "credentials": ["hardcoded-container-credentials"],
}


def rules_elsewhere(bench, tool):
    """Name of a peer's check -> ids of our rules."""
    _, _, _, _, output = bench.run([bench.wpa, "check", "--list-rules=json"], keep=True)
    names = {}
    for rule in json.loads(output):
        for name in rule.get("elsewhere", rule.get("aliases", [])):
            if name.startswith(tool + "/"):
                names.setdefault(name.split("/", 1)[1], []).append(rule["id"])
    return names


def lines_by_rule(records):
    """(path, rule) -> every line that a finding of it touches, its related places too."""
    touched = {}
    for record in records:
        for place in [record] + record.get("related", []):
            span = place["span"]
            lines = touched.setdefault((place["path"], record["rule"]), set())
            lines.update(range(span["start"]["line"], span["end"]["line"] + 1))
    return touched


def zizmor_findings(bench):
    command = [bench.peer("zizmor/bin/zizmor"), "--offline", "--no-config", "--no-exit-codes", "--quiet",
               "--persona", "auditor", "--format", "json", "."]
    for finding in json.loads(bench.run(command, keep=True)[4]):
        for place in finding["locations"]:
            if place["symbolic"]["kind"] == "Primary":
                path = place["symbolic"]["key"]["Local"]["verbatim_path"]
                at = place["concrete"]["location"]
                yield (os.path.normpath(path), finding["ident"],
                       range(at["start_point"]["row"] + 1, at["end_point"]["row"] + 2))


def actionlint_findings(bench):
    command = [bench.peer("actionlint"), "-shellcheck=", "-pyflakes=", "-format", "{{json .}}", *bench.workflows]
    for finding in json.loads(bench.run(command, keep=True)[4]):
        yield (finding["filepath"], finding["kind"], range(finding["line"], finding["line"] + 1))


def compare_peers(bench):
    """(tool, check -> how many it finds, check -> places where wpa has nothing; None: not there)"""
    _, records = findings_of(bench, "--persona", "auditor")
    touched = lines_by_rule(records)
    peers = {"zizmor": (bench.peer("zizmor/bin/zizmor"), zizmor_findings, {}),
             "actionlint": (bench.peer("actionlint"), actionlint_findings, ACTIONLINT)}
    for tool, (program, findings, several) in peers.items():
        if not program:
            yield tool, None, None
            continue
        names = rules_elsewhere(bench, tool)
        seen, missed = {}, {}
        for path, check, lines in findings(bench):
            seen[check] = seen.get(check, 0) + 1
            rules = set(names.get(check, []) + several.get(check, []))
            if not any(touched.get((path, rule), set()).intersection(lines) for rule in rules):
                missed.setdefault(check, []).append(f"{path}:{lines[0]}")
        yield tool, seen, missed


def bench_parity(bench):
    for tool, seen, missed in compare_peers(bench):
        if seen is None:
            print(f"skipped: {tool} is not installed")
            continue
        table(f"what {tool} finds, at the same line", ["check", "its findings", "ours too", "share"],
              [[check, n, n - len(missed.get(check, [])), f"{1 - len(missed.get(check, [])) / n:.1%}"]
               for check, n in sorted(seen.items())])
        for check, places in sorted(missed.items()):
            print(f"- {check}: {', '.join(places[:5])}")


# ---- fixes ---------------------------------------------------------------------------------------

# The package imports its schemas in a way that only some versions of node take: hand them over as modules.
HOOKS = """
import {readFile} from "fs/promises";
export async function load(url, context, next) {
  return url.endsWith(".json")
    ? {format: "module", source: "export default " + await readFile(new URL(url), "utf8"), shortCircuit: true}
    : next(url, context);
}
"""

PARSER = """
import {readFileSync} from "fs";
import {register} from "module";
register("./hooks.mjs", import.meta.url);
const {parseWorkflow, NoOperationTraceWriter} = await import("@actions/workflow-parser");
const out = {};
for (const path of readFileSync(0, "utf8").split("\\n").filter(Boolean)) {
  try {
    const result = parseWorkflow({name: path, content: readFileSync(path, "utf8")}, new NoOperationTraceWriter());
    out[path] = result.context.errors.getErrors().map(e => e.rawMessage ?? e.message);
  } catch (e) {
    out[path] = ["exception: " + e.message];
  }
}
console.log(JSON.stringify(out));
"""


def parse_by_github(bench, root, paths):
    """path -> what GitHub's own parser says, or None if it cannot be had."""
    if not bench.peer("node_modules/@actions/workflow-parser") or not shutil.which("node"):
        return None
    script = os.path.join(bench.peers, "parse.mjs")
    for name, text in (("parse.mjs", PARSER), ("hooks.mjs", HOOKS)):
        with open(os.path.join(bench.peers, name), "w", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run(["node", script], cwd=root, input="\n".join(paths), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def read_all(root, paths):
    content = {}
    for path in paths:
        with open(os.path.join(root, path), "rb") as file:
            content[path] = file.read()
    return content


def changed_by(before, after):
    return [path for path in before if before[path] != after[path]]


def unreadable(bench, root):
    command = [bench.wpa, "check", "--no-config", "--exit-zero", "--only", "syntax", "--format", "oneline", "."]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.splitlines()
    return {line.split(":")[0] for line in lines}


def apply_fixes(bench):
    """(figures, what to look at) of all fixes applied to a copy."""
    paths = sorted(bench.files(lambda p: True))
    with tempfile.TemporaryDirectory() as root:
        copy = os.path.join(root, "corpus")
        shutil.copytree(bench.corpus, copy)
        subprocess.run(["chmod", "-R", "u+w", copy], check=True)
        before = read_all(copy, paths)
        errors_before = parse_by_github(bench, copy, bench.workflows)
        broken_before = unreadable(bench, copy)
        command = [bench.wpa, "check", "--no-config", "--exit-zero", "--fix=all", "--format", "jsonl", "."]
        first = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        after = read_all(copy, paths)
        second = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        again = read_all(copy, paths)
        errors_after = parse_by_github(bench, copy, bench.workflows)
        broken = (unreadable(bench, copy) - broken_before) & set(changed_by(before, after))
        changed = changed_by(before, after)
        restless = [path for path in paths if after[path] != again[path]]
        n_fixes = sum(int(line.split()[1]) for line in first.stderr.splitlines() if line.startswith("fixed "))
        dropped = [line for line in first.stderr.splitlines() if line.startswith("note: ") and " dropped: " in line]
        worse = []
        for path in changed:
            if errors_before is not None and path in errors_before:
                new = [e for e in errors_after[path] if e not in errors_before[path]]
                if len(errors_after[path]) > len(errors_before[path]):
                    worse.append((path, new))
        figures = [["files changed", f"{len(changed)} of {len(paths)}"], ["fixes applied", n_fixes],
                   ["fixes dropped by the check afterwards", len(dropped)],
                   ["changed files that could be read before and cannot be now", len(broken)],
                   ["files that a second run changes again", len(restless)],
                   ["files with more errors by GitHub's own parser than before",
                    "skipped: no parser" if errors_before is None else len(worse)],
                   ["exit codes of both runs", f"{first.returncode}, {second.returncode}"]]
        return figures, ([f"changed twice: {path}" for path in restless] +
                         [f"worse: {path}: {new[:3]}" for path, new in worse] +
                         [f"dropped: {line[:200]}" for line in dropped[:20]])


def bench_fixes(bench):
    figures, notes = apply_fixes(bench)
    table("every fix over the corpus", ["figure", "count"], figures)
    for note in notes:
        print(f"- {note}")


# ---- precision -----------------------------------------------------------------------------------

# What people judged is kept beside it: verdicts.tsv of findings, parity.tsv of what only peers find.
REPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "precision.md")


def kept(name):
    with open(os.path.join(os.path.dirname(REPORT), name), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def shares(verdicts, draw):
    """Of each rule of this draw: its name, "9 of 10", the share, and what was wrong."""
    rules = {}
    for row in verdicts:
        if row["draw"] == draw:
            rules.setdefault(row["rule"], []).append(row)
    for rule, rows in rules.items():
        n = sum(row["verdict"] == "true" for row in rows)
        why = "; ".join(dict.fromkeys(row["why"] for row in rows if row["why"]))
        yield [rule, f"{n} of {len(rows)}", f"{n / len(rows):.0%}", why]


def tell_noise(bench):
    _, records = findings_of(bench)
    ranked = rank(records)
    per_file = sorted(sum(row["path"] == path for row in records) for path in {row["path"] for row in records})
    said = (f"{len(records)} findings at default visibility in {len(per_file)} of the files: median "
            f"{statistics.median(per_file):g} a file, nine tenths of them {per_file[len(per_file) * 9 // 10]} or fewer, "
            f"at most {per_file[-1]}.\n\n")
    return said + rows_of_table(["rule", "code", "findings", "files"], counts_of(ranked))


def tell_parity(bench):
    reasons = {(row["tool"], row["check"]): row["why"] for row in kept("parity.tsv")}
    rows, said = [], []
    for tool, seen, missed in compare_peers(bench):
        if seen is None:
            said.append(f"{tool} was not there.\n")
            continue
        said.append(f"{tool}: {sum(seen.values())} findings, {sum(map(len, missed.values()))} of them not ours.\n")
        rows += [[f"{tool} {check}", seen[check], len(places), reasons.get((tool, check), "not looked at yet")]
                 for check, places in sorted(missed.items(), key=lambda item: -len(item[1]))]
    return "".join(said) + "\n" + rows_of_table(["check", "theirs", "not ours", "why"], rows)


def tell_judged(verdicts):
    rules = {}
    for row in verdicts:
        if row["draw"] == "first":
            said = row["verdict"] + (f": {row['why']}" if row["why"] else "")
            rules.setdefault(row["rule"], []).append([row["place"], said])
    return "\n".join(f"### {rule}\n\n" + rows_of_table(["place", "verdict"], rows) for rule, rows in rules.items())


def bench_precision(bench):
    """Writes every table of precision.md anew, between the marks that name them."""
    verdicts = kept("verdicts.tsv")
    version = subprocess.run([bench.wpa, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    n_files = len(list(bench.files(lambda p: True)))
    n_repositories = len({path.split(os.sep)[0] for path in bench.files(lambda p: True)})
    parts = {
        "measured": f"Measured on {datetime.date.today()} with version {version} over {n_repositories} public "
                    f"repositories ({n_files} files: workflows, action files, Dependabot files).\n",
        "first": rows_of_table(["rule", "true", "share", "what was wrong, and what became of it"],
                               shares(verdicts, "first")),
        "next": rows_of_table(["rule", "true", "what was wrong, and what became of it"],
                              [[row[0], row[1], row[3]] for row in shares(verdicts, "next")]),
        "noise": tell_noise(bench),
        "parity": tell_parity(bench),
        "fixes": rows_of_table(["figure", "count"], apply_fixes(bench)[0]),
        "judged": tell_judged(verdicts),
    }
    with open(REPORT, encoding="utf-8") as file:
        text = file.read()
    for name, part in parts.items():
        mark, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        text, n = re.subn(re.escape(mark) + ".*?" + re.escape(end), lambda _, whole=mark + part + end: whole, text,
                          flags=re.DOTALL)
        if n != 1:
            raise SystemExit(f"precision.md: {n} places for {name}")
    with open(REPORT, "w", encoding="utf-8") as file:
        file.write(text)


WHAT = {"analyser": bench_analyser, "cache": bench_cache, "findings": bench_findings, "parity": bench_parity,
        "fixes": bench_fixes, "precision": bench_precision, "engine": bench_engine, "sarif": bench_sarif}

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    WHAT[sys.argv[1]](Bench(sys.argv[2], sys.argv[3], sys.argv[4]))
