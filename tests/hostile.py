#!/usr/bin/env python3
"""hostile.py WPA [--slack N] [--only NAME] [--memory] [--keep FOLDER]: files that are made to hurt.

Makes each repository below in a folder of its own and lets the program check and fix it, with every
rule at its loudest. It has to come back with a documented exit code, within TIME_S of processor time
and MEMORY_MIB beside the files themselves, fixing within FIX_TIMES as much; both are multiplied by the slack, which is generous by
default so that a slow or busy machine fails nobody. --slack 1 measures against the promise itself, and --memory does so for memory, which no
machine's speed changes, with those that take the most of it.
"""
import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TIME_S = 2.0
MEMORY_MIB = 64
FIX_TIMES = 4  # what fixing may take of both: it analyses what it has changed, again and again
KIB = 1024
HEAD = "name: CI\non: [push, pull_request_target]\npermissions: {}\n"
JOB = HEAD + "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
CASES = {}
LARGEST = ("jobs_20000", "line_of_a_megabyte_in_flow", "aliases_of_jobs", "needs_chain_with_outputs",
           "action_steps", "steps_20000_with_expressions", "all_call_all", "ring_of_5000_workflows",
           "callers_10000", "strangers_30000", "strangers_2000")
# What else keeps something of every finding; the baseline is first written and then read.
MORE = {"strangers_30000": [["--format=sarif", "--persona=auditor"], ["--sort=rule", "--persona=auditor"],
                            ["--baseline=b.json", "--write-baseline"], ["--baseline=b.json", "--sort=age"]]}
LARGEST_TO_FIX = {"all_call_all": FIX_TIMES, "strangers_2000": 1}  # what of MEMORY_MIB each may take


def case(function):
    CASES[function.__name__] = function
    return function


def one(text):
    """A repository with one workflow; text is str or bytes."""
    return {".github/workflows/ci.yml": text if isinstance(text, bytes) else text.encode()}


def script(text, shell="bash", limit=127 * KIB):
    """A step that runs the text, cut to what is still read as a script, repeated up to there."""
    text = (text * (limit // max(1, len(text)) + 1))[:limit]
    lines = "\n".join("          " + line for line in text.split("\n"))
    return one(JOB + f"      - shell: {shell}\n        run: |\n{lines}\n")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


# ---- many of a thing --------------------------------------------------------------------------

@case
def jobs_20000():
    return one(HEAD + "jobs:\n" + "".join(f"  j{i}: {{runs-on: x, steps: [{{run: a}}]}}\n"
                                          for i in range(20000)))


@case
def steps_20000():
    return one(JOB + "".join(f"      - run: echo {i}\n" for i in range(20000)))


@case
def steps_20000_with_ids():
    return one(JOB + "".join(f"      - {{id: s{i}, run: make a{i}}}\n" for i in range(20000)))


@case
def steps_20000_with_expressions():
    return one(JOB + "".join("      - run: a ${{github.head_ref}}\n" for i in range(20000)))


@case
def steps_8000_with_conditions():
    return one(JOB + "".join(f"      - {{id: s{i}, if: steps.s{i - 1}.outputs.x == 'a', run: echo x={i} >> $GITHUB_OUTPUT}}\n"
                             for i in range(8000)))


@case
def env_10000():
    return one(JOB + "      - run: echo $K5\n        env:\n" +
               "".join(f"          K{i}: ${{{{ secrets.K{i} }}}}\n" for i in range(10000)))


@case
def env_10000_of_workflow():
    return one(HEAD + "env:\n" + "".join(f"  K{i}: v{i}\n" for i in range(10000)) +
               JOB[len(HEAD):] + "".join(f"      - run: echo $K{i}\n" for i in range(10000)))


@case
def env_3000_of_other_letters():
    return one(JOB + "      - run: echo a\n        env:\n" +
               "".join(f"          \u00e9{i}: {{a: {{b: \"\\u00e9\"}}}}\n" for i in range(3000)))


@case
def env_chain():
    return one(HEAD + "env:\n" + "".join(f"  K{i + 1}: ${{{{ env.K{i} }}}}\n" for i in range(9000)) +
               JOB[len(HEAD):] + "      - run: echo ${{ env.K8999 }}\n" * 2000)


@case
def uses_10000():
    return one(JOB + "".join(f"      - uses: o{i % 97}/r{i}@v{i % 9}\n" for i in range(10000)))


@case
def uses_10000_known():
    names = ["actions/checkout@v2", "actions/cache@v1", "actions/setup-node@v3",
             "actions/upload-artifact@v2", "actions/download-artifact@v3", "docker/login-action@v1"]
    return one(JOB + "".join(f"      - uses: {names[i % 6]}\n" for i in range(10000)))


@case
def checkouts_with_inputs():
    return one(JOB + "".join("      - uses: actions/checkout@v4\n        with: {ref: '${{github.head_ref}}'}\n"
                             "      - run: make\n" for i in range(6000)))


@case
def needs_of_2000_jobs():
    """Each needs as many before it as a file has room for."""
    names = [f"{i:x}" for i in range(2000)]
    lines, size = [HEAD + "jobs:\n"], 0
    for i, name in enumerate(names):
        line = f"  a{name}: {{needs: [{','.join('a' + n for n in names[max(0, i - 100):i])}], uses: ./x}}\n"
        lines.append(line)
    return one("".join(lines)[:1020 * KIB])


@case
def needs_ring():
    return one(HEAD + "jobs:\n" + "".join(f"  a{i}: {{needs: a{(i + 1) % 15000}, runs-on: x, steps: []}}\n"
                                          for i in range(15000)))


@case
def needs_chain_with_outputs():
    return one(HEAD + "jobs:\n  j0: {runs-on: x, steps: []}\n" + "".join(
        f"  j{i}:\n    needs: j{i - 1}\n    outputs: {{o: '${{{{ needs.j{i - 1}.outputs.o }}}}'}}\n    runs-on: x\n"
        f"    steps: [{{run: 'a ${{{{ needs.j{i - 1}.outputs.o }}}}'}}]\n" for i in range(1, 5500)))


@case
def loops_and_pipes_of_strangers():
    loop = "          for f in $x; do\n" + "          sh $f\n" * 8000 + "          done\n"
    pipe = "          sh" + "|sh" * 30000 + "\n"
    return one("on: pull_request_target\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n"
               "        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n"
               + ("      - run: |\n" + loop + "      - run: |\n" + pipe) * 3)


@case
def files_written_and_run_by_strangers():
    steps = "".join(f"      - run: |\n          echo $T > f{i}.sh\n          while read a b c; do sh f{i}.sh; done\n" for i in range(4000))
    reads = "          true" + " | read -r x" * 20000 + "\n          eval $x\n"
    found = "          find . -exec sh -c 'a {}' \\;\n" * 3000
    return one("on: issues\nenv: {T: '${{ github.event.issue.title }}'}\njobs:\n  a:\n    runs-on: x\n    steps:\n" + steps
               + "      - run: |\n" + reads + "      - run: |\n" + found)


@case
def gates_of_strangers():
    layers = "".join(f"  l{k}x{i}:\n    runs-on: x\n    needs: [{', '.join(f'l{k - 1}x{j}' for j in range(16)) if k else ''}]\n"
                     "    steps: [{run: a}]\n" for k in range(5) for i in range(16))
    return one("on: pull_request_target\njobs:\n" + layers + "  a:\n    runs-on: x\n    needs: ["
               + ", ".join(f"l4x{j}" for j in range(16)) + "]\n    steps:\n"
               + "      - {uses: actions/checkout@v4, with: {ref: '${{ github.event.pull_request.head.ref }}'}}\n      - run: make\n" * 4000)


@case
def uploads_of_jobs():
    return one("on: push\njobs:\n" + "".join(
        f"  j{i}:\n    runs-on: ubuntu-latest\n    needs: [{', '.join(f'j{k}' for k in range(max(0, i - 8), i))}]\n    steps:\n"
        "      - uses: actions/setup-node@v4\n      - run: npm ci\n      - uses: actions/upload-artifact@v4\n"
        for i in range(3500)))


@case
def inputs_10000():
    return one("on:\n  workflow_call:\n    inputs:\n" + "".join(f"      i{i}: {{type: string}}\n" for i in range(10000)) +
               "    secrets:\n" + "".join(f"      s{i}: {{}}\n" for i in range(10000)) +
               JOB[len(HEAD):] + "".join(f"      - run: a ${{{{inputs.i{i}}}}}\n" for i in range(8000)))


@case
def triggers_and_filters():
    return one("on:\n  push:\n    paths:\n" + "".join(f"      - '**/a{i}*[a-z]?+**'\n" for i in range(9000)) +
               "    branches:\n" + "".join(f"      - '!**{i}'\n" for i in range(9000)) + JOB[len(HEAD):] + "      - run: a\n")


@case
def crons_10000():
    return one("on:\n  schedule:\n" + "".join(f"    - cron: '{i % 60} {i % 24} * * 1-5,*/2'\n" for i in range(10000)) +
               JOB[len(HEAD):] + "      - run: a\n")


@case
def matrix_of_1024_with_excludes():
    axis = ", ".join(str(i) for i in range(32))
    exclude = "".join(f"          - {{a: {i % 32}, b: {i // 32 % 32}}}\n" for i in range(9000))
    return one(HEAD + f"jobs:\n  a:\n    strategy:\n      matrix:\n        a: [{axis}]\n        b: [{axis}]\n"
               f"        exclude:\n{exclude}        include:\n{exclude}    runs-on: ${{{{ matrix.a }}}}\n    steps: [{{run: a}}]\n")


@case
def matrix_of_many_axes():
    axes = "".join(f"        a{i}: [1, 2, 3, 4, 5]\n" for i in range(8000))
    return one(HEAD + f"jobs:\n  a:\n    strategy:\n      matrix:\n{axes}    runs-on: x\n    steps: [{{run: a}}]\n")


@case
def matrices_of_300_jobs():
    axis = ", ".join(str(i) for i in range(32))
    return one(HEAD + "jobs:\n" + "".join(
        f"  j{k}:\n    strategy: {{matrix: {{a: [{axis}], b: [{axis}]}}}}\n    runs-on: x\n"
        f"    steps: [{{run: 'a ${{{{ matrix.a }}}}'}}]\n" for k in range(3000)))


@case
def permissions_everywhere():
    scopes = ", ".join(f"{s}: write" for s in ("contents", "packages", "issues", "actions", "checks"))
    return one(HEAD + "jobs:\n" + "".join(
        f"  j{i}: {{permissions: {{{scopes}}}, runs-on: ubuntu-20.04, steps: [{{uses: a/b@v1}}]}}\n" for i in range(6000)))


@case
def ignores_20000():
    return one(JOB + "".join(f"      - run: a # wpa: ignore[r{i}] x\n" for i in range(20000)))


@case
def ignores_below_a_dash():
    return one(JOB + "      -\n" + "".join(f"        # {tool}: ignore[unpinned-uses] x\n" for tool in ("wpa", "zizmor")
                                           for i in range(8000)) + "        uses: a/b@v1\n")


@case
def env_of_all_env():
    env = "".join(f"  V{i}: a ${{{{ toJSON(env) }}}} ${{{{ env[github.sha] }}}}\n" for i in range(4000))
    steps = "".join("      - run: echo ${{ toJSON(env) }}\n" for i in range(2000))
    return one(HEAD + "env:\n" + env + JOB[len(HEAD):] + steps)


@case
def known_ignores():
    return one(JOB + "".join("      - uses: a/b@v1 # zizmor: ignore[unpinned-uses]\n" for i in range(15000)))


@case
def duplicate_keys():
    return one(HEAD + "env:\n" + "".join("  A: 1\n" for i in range(60000)) + JOB[len(HEAD):] + "      - run: a\n")


@case
def dependabot_updates():
    updates = "".join(f"  - package-ecosystem: npm\n    directory: /a{i}\n    schedule: {{interval: daily}}\n"
                      f"    groups: {{g{i}: {{patterns: ['*']}}}}\n" for i in range(8000))
    return {".github/dependabot.yml": f"version: 2\nupdates:\n{updates}".encode()}


@case
def pre_commit_hooks():
    repos = "".join(f"  - repo: https://example.com/r{i}\n    rev: v{i}\n    hooks: [{{id: a}}, {{id: b}}]\n" for i in range(10000))
    return {".pre-commit-config.yaml": f"repos:\n{repos}".encode()}


@case
def action_steps():
    steps = "".join("    - run: echo ${{ inputs.x }} ${{ github.head_ref }}\n" for i in range(15000))
    return {"action.yml": f"name: a\ndescription: b\ninputs: {{x: {{}}}}\nruns:\n  using: composite\n  steps:\n{steps}".encode()}


# ---- shapes of YAML ---------------------------------------------------------------------------

@case
def brackets():
    return one("[" * 1020 * KIB)


@case
def braces():
    return one("{" * 1020 * KIB)


@case
def brackets_and_colons():
    return one("[a: " * 250 * KIB)


@case
def nesting_of_blocks():
    return one("".join(" " * i + "a:\n" for i in range(1400)))


@case
def nesting_of_items():
    return one("- " * 500 * KIB)


@case
def nesting_of_keys():
    return one("? " * 500 * KIB)


@case
def deep_steps():
    return one("".join(" " * i + "- - a: \n" for i in range(0, 1300)))


@case
def dashes():
    return one("---\n" * 250 * KIB)


@case
def aliases_doubling():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]\n"]
    lines += [f"a{i}: &a{i} [{','.join(['*a' + str(i - 1)] * 9)}]\n" for i in range(1, 60)]
    return one("".join(lines) + JOB)


@case
def aliases_of_steps():
    lines = "".join(f"x{i}: &x{i}\n  - run: a\n" + "".join(f"  - *x{i - 1}\n" * 8 if i else "") for i in range(20))
    return one(lines + HEAD + "jobs:\n" + "".join(f"  j{i}: {{runs-on: x, steps: *x19}}\n" for i in range(2000)))


@case
def aliases_of_jobs():
    return one(HEAD + "jobs:\n  a: &a\n    runs-on: ubuntu-latest\n    steps:\n" + "      - run: make\n" * 2000 +
               "".join(f"  j{i}: *a\n" for i in range(20000)))


@case
def merges():
    return one("".join(f"k{i}: &k{i}\n  <<: [{', '.join(f'*k{j}' for j in range(max(0, i - 20), i))}]\n  a{i}: b\n"
                       for i in range(4000)))


@case
def anchors_redefined():
    return one(HEAD + "env:\n" + "".join(f"  A{i}: &a b\n  B{i}: *a\n" for i in range(12000)) + JOB[len(HEAD):] + "      - run: *a\n")


@case
def anchors_unused():
    return one(HEAD + "env:\n" + "".join(f"  A{i}: &a{i} b\n" for i in range(30000)) + JOB[len(HEAD):] + "      - run: a\n")


@case
def alias_in_itself():
    return one("a: &a\n  b: *a\n" + "c: *a\n" * 50000)


@case
def scalar_of_a_megabyte():
    return one(JOB + "      - run: " + "a " * 500 * KIB)


@case
def scalars_of_256_kib():
    return one(JOB + ("      - run: " + quoted("x" * 255 * KIB) + "\n") * 3)


@case
def scalar_of_escapes():
    return one(JOB + '      - run: "' + "\\u0041\\n" * 30 * KIB + '"\n')


@case
def scalar_of_line_breaks():
    return one(JOB + '      - run: "' + "\n\n" * 500 * KIB + '"\n')


@case
def line_of_a_megabyte_in_flow():
    return one(HEAD + "jobs: {" + ", ".join(f"a{i}: {{runs-on: x, steps: [{{run: 'a ${{{{ github.head_ref }}}}'}}]}}"
                                            for i in range(14000)) + "}\n")


@case
def key_of_a_megabyte():
    return one("k" * 1000 * KIB + ": a\n")


@case
def blanks():
    return one(" " * 1000 * KIB + "a: b")


@case
def tabs():
    return one("a:\n" + "\t" * 1000 * KIB)


@case
def line_feeds():
    return one("\n" * 1000 * KIB + "a: b")


@case
def comments():
    return one(JOB + "# a\n" * 200 * KIB + "      - run: a\n")


@case
def comment_of_a_megabyte():
    return one(JOB + "      - run: a #" + "wpa: ignore[" * 80 * KIB + "\n")


@case
def folded_blocks():
    return one(JOB + "      - run: >\n" + "          a\n\n" * 80 * KIB)


@case
def colons():
    return one(": " * 500 * KIB)


@case
def quotes_unclosed():
    return one("".join(f"a{i}: 'b\n" for i in range(80000)))


@case
def tags():
    return one("".join(f"a{i}: !!str !x &y b\n" for i in range(40000)))


@case
def directives():
    return one("%TAG ! a\n" * 90 * KIB)


# ---- bytes ------------------------------------------------------------------------------------

@case
def invalid_utf8():
    return one(JOB.encode() + b"".join(b"      - run: \xff\xfe\xc3(\xed\xa0\x80 ${{ github.\xf0\x9f }}\n" for _ in range(15000)))


@case
def invalid_utf8_everywhere():
    return one(b"\xff" * 1000 * KIB)


@case
def carriage_returns_alone():
    return one((JOB + "      - run: a ${{ github.head_ref }}\n" * 10000).replace("\n", "\r"))


@case
def crlf():
    return one((JOB + "      - run: a ${{ github.head_ref }}\n" * 10000).replace("\n", "\r\n"))


@case
def byte_order_marks():
    return one(b"\xef\xbb\xbf" + JOB.encode() + b"      - run: \xef\xbb\xbf a\n" * 20000)


@case
def utf16():
    return one(b"\xff\xfe" + (JOB + "      - run: a\n" * 5000).encode("utf-16-le"))


@case
def nul_bytes():
    return one(b"\0" * 1000 * KIB)


@case
def nul_in_between():
    return one((JOB + "      - run: a\0b\n" * 20000).encode())


@case
def control_characters():
    names = "".join(chr(c) for c in list(range(1, 9)) + [0x1b, 0x7f, 0x85, 0x2028, 0x202e, 0x2066, 0xfeff])
    return one(JOB + f"      - name: \"{names.encode('unicode_escape').decode()}\u202e\u2066\"\n        run: \u202ea\n" * 8000)


@case
def names_of_files():
    text = (JOB + "      - run: a ${{ github.head_ref }}\n").encode()
    return {f".github/workflows/{name}.yml": text
            for name in ("\x1b[31mred\x07", "a\nb", "\u202eright", "-rf", "a b", "'\"$(x)`", "\x7f", "x" * 240)}


@case
def name_without_encoding():
    return {b".github/workflows/\xff\xfe.yml": (JOB + "      - run: a ${{ github.head_ref }}\n").encode()}


@case
def larger_than_the_limit():
    return one(JOB + "      - run: a\n" * 400000)


@case
def empty():
    return {".github/workflows/a.yml": b"", "action.yml": b"", ".github/dependabot.yml": b"", ".pre-commit-config.yaml": b""}


# ---- expressions ------------------------------------------------------------------------------

def expression(text):
    return one(JOB + f"      - run: a\n        if: {quoted('${{ ' + text + ' }}')}\n        env: {{A: {quoted('${{ ' + text + ' }}')}}}\n")


@case
def expression_of_parentheses():
    return expression("(" * 10400 + "1" + ")" * 10400)


@case
def expression_of_not():
    return expression("!" * 20900 + "1")


@case
def expression_of_and():
    return expression(" && ".join(["a.b"] * 2900))


@case
def expression_of_or_and_equality():
    return expression(" || ".join(["a == 'b'"] * 1600))


@case
def expression_of_indexes():
    return expression("github" + "[0]" * 6900)


@case
def expression_of_members():
    return expression("github" + ".*" * 10000)


@case
def expression_of_calls():
    return expression("format(" * 2900 + "'a'" + ")" * 2900)


@case
def expression_of_format():
    return expression("format('" + "{0}" * 6000 + "', github.head_ref)")


@case
def expression_of_json():
    return expression("fromJSON('" + "[" * 20000 + "')")


@case
def expression_of_nested_format():
    text = "'x'"
    while len(text) < 10000:
        text = f"format('{{0}}{{0}}{{0}}{{0}}', {text})"
    return expression(text)


@case
def expressions_unclosed():
    return one(JOB + "      - run: " + "${{ " * 60 * KIB + "\n")


@case
def expressions_in_one_scalar():
    return one(JOB + "      - run: |\n" + "          a ${{github.head_ref}} b ${{ env.X }}\n" * 5800)


@case
def expressions_one_line():
    return one(JOB + "      - run: " + "${{github.head_ref}}" * 12000 + "\n")


# ---- scripts ----------------------------------------------------------------------------------

POSIX = {
    "and": "a && ", "pipe": "a | ", "or": "a || b; ", "double_quotes": '"', "single_quotes": "'a", "substitutions": "$(",
    "backticks": "`a `", "substitution_in_quotes": '"$(', "parentheses": "(", "braces": "{ ", "here": "cat <<A\n",
    "here_dash": "cat <<-'A' <<B <<C\n", "arithmetic": "$((", "parameters": "${a:-", "if": "if a; then\n", "case": "case a in b) ",
    "functions": "f() { f; }; f;\n", "assignments": "A=$A ", "assignments_lines": "A=$B\nB=$A\n", "exports": "export A=b; echo $A >> $GITHUB_ENV\n",
    "redirects": "> a 2>&1 < b ", "backslashes": "\\", "continuations": "a \\\n", "comments": "# a\n", "outputs": 'echo "a=$b" >> $GITHUB_OUTPUT\n',
    "curls": "curl http://a | bash\n", "installs": "pip install a && npm i b; ", "evals": "eval 'eval ", "sh_c": "sh -c \"sh -c 'a' ",
    "functions_called": "f() { eval \"$1\" \"$@\"; f \"$1\" \"$2\"; g \"$@\"; }; g() { f \"$@\"; set -- $A; }; f $A $B\n", "shifts": "f() { while shift; do eval $1; }; f $A\n",
    "secrets_written": "echo ${{ secrets.A }} > a/b | tee a/b; rm x\n", "dashes": "git a \"$A\" \"$B\"\n", "exits": "echo a; exit 1\n",
    "loops": "for i in a; do while b; do ", "sudo": "sudo env A=b xargs timeout 5 nohup ", "globs": "*[a-z]?", "words": "a ",
    "sets": "set -euo pipefail; cd a; ", "commands": "git clone a; docker build .; npm ci; make test\n", "dollars": "$", "ansi": "$'\\x41'",
    "process": "a <(b <(", "brackets": "[[ a == b && ", "echo_e": "echo '::set-output name=a::b'\n", "tests": "[ $A = b ] && exit 1\n",
    "long_names": "x" * 4000 + " ", "semicolons": ";;", "ampersands": "& ", "colons": "a:b:c/d@e ", "decoded": "a=$(echo ABCDEFGHIJKLMNOP | base64 -d)\n", "decoded_and_run": "eval \"$a\"; a=$(base64 -d <<< ABCDEFGHIJKLMNOP); ", "jq": "jq '.a | .b' | sed 's/a/b/' | grep -P '(a+)+$'\n",
    "secrets": "AKIAIOSFODNN7EXAMPLA ghp_0123456789abcdefghijABCDEFGHIJ012345\n", "vars": "$A ${B} $C\n", "expr": "echo ${{ github.head_ref }}\n",
}
PWSH = {
    "quotes": '"$("', "here": "@'\n", "here_double": '@"\n$(', "pipes": "a | ", "braces": "{ ", "backticks": "`", "subs": "$(",
    "comments": "<# a ", "assign": "$a = $b; ", "iex": "iex ", "iex_piped": "$env:A | iex | ", "called": "& \"$a\" & $b . $c ", "named": "$a = @\"\n$b = $a\n", "env": "$env:A = $env:B\n", "invoke": "iex (iwr http://a)\n", "brackets": "[a]::b(", "splat": "@{a=",
    "here_written": '@"\n"@ >> $env:GITHUB_ENV\n',
    "functions": "function f($a, $b) { iex $a; f $b $a }\nf $env:A\n", "functions_open": "function f(", "functions_deep": "function f { param($a = $a) ", "attributes": "function f { [a(",
}
CMD = {
    "percent": "%a%", "carets": "^", "parens": "if a (\n", "pipes": "a | b & ", "quotes": '"a', "for": "for %%i in (a) do ",
    "set": "set A=%B%\nset B=%A%\n", "rem": "rem a\n", "call": "call cmd /c ",
}
PYTHON = {
    "quotes": "'''a", "double": '"""', "brackets": "(", "calls": "os.system(f'{a}') ", "fstrings": "f'{f\"{", "lines": "import os\nos.system('a')\n",
    "backslashes": "a\\\n", "comments": "# a\n", "env": "open(os.environ['GITHUB_ENV'], 'a').write(x)\n", "dots": "a.b.", "strings": "r'a' b'c' ",
    "functions": "def f(a, b):\n    os.system(a); f(b, a)\nf(os.environ['A'], 1)\n", "functions_open": "def f(", "functions_called": "def a(b):\n  os.system(b)\na(((((a(a(a()))\n", "functions_empty": "def a():\n#\n",
    "decoded": "a = b64decode(a)\na = 'ABCDEFGHIJKLMNOP'\n", "decoded_deep": "f(b64decode(", "decoded_names": "aa(b64decode(a).aa,aa=",
}


def add_scripts(shell, name, texts):
    for title, text in texts.items():
        CASES[f"{name}_{title}"] = lambda text=text: script(text, shell)


add_scripts("bash", "posix", POSIX)
add_scripts("pwsh", "pwsh", PWSH)
add_scripts("cmd", "cmd", CMD)
add_scripts("python", "python", PYTHON)


@case
def script_of_client():
    """Calls that write to the runner's files, and names that hold what they write."""
    return one(JOB + "      - uses: actions/github-script@v8\n        with:\n          script: |\n"
               + "            const a = context.payload?.issue?.body; fs.appendFile(a, process.env.GITHUB_ENV, `a=${a}`); exec(a)\n" * 900)


@case
def secrets_uploaded():
    """Steps that write secrets, and steps that upload what others have written."""
    return one(JOB + "".join(f"      - run: echo ${{{{ secrets.A }}}} > a/b{i}\n"
                             f"      - uses: actions/upload-artifact@v4\n        with: {{path: 'a/b{i}x*'}}\n" for i in range(4000)))


@case
def secrets_handed_on():
    """Called workflows that hand each other's secrets on, in a ring."""
    return {f".github/workflows/w{i}.yml": f"on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/w{(i + 1) % 300}.yml\n    secrets:\n      s: "
            f"${{{{ secrets.s }}}}\n  b:\n    runs-on: x\n    steps:\n      - run: ${{{{ secrets.s }}}}\n".encode() for i in range(300)}


@case
def scripts_many():
    """A file full of scripts that write and read the same names."""
    return one(JOB + "".join(f"      - run: |\n          A{i}=$A{i - 1}; echo \"x=$A{i}\" >> $GITHUB_ENV\n          make $x\n"
                             for i in range(9000)))


@case
def script_of_functions():
    return one(JOB + "      - run: |\n" + "".join(f"          f{i}() {{ f{i - 1}; f{i - 2}; }}\n" for i in range(3500)) + "          f3499\n")


@case
def script_of_printed_secrets():
    """Each is looked at together with the group around it, and what takes what that prints."""
    return one(JOB + "      - env: {T: \"${{ secrets.T }}\"}\n        run: |\n" + "          { echo $T; } > f\n" * 5000)


@case
def script_of_words():
    """Variables in the values of variables, all of them without quotes."""
    return one(JOB + "      - run: |\n" + "".join(f"          a{i}=$a{i + 1}; for b{i} in $a{i} $(seq 9); do echo $b{i}; done\n" for i in range(1500)))


# ---- repositories -----------------------------------------------------------------------------

@case
def ring_of_5000_workflows():
    return {f".github/workflows/w{i}.yml": f"on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/w{(i + 1) % 5000}.yml\n"
            .encode() for i in range(5000)}


@case
def callers_10000():
    """Small ones, in one repository; each is known to the next one, and all use the same action."""
    return {f".github/workflows/w{i}.yml": f"name: n{i}\non: [push, workflow_call]\npermissions: {{}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
            "    steps:\n      - uses: actions/checkout@v4\n      - run: make ${{ github.head_ref }}\n"
            f"  b: {{needs: a, uses: ./.github/workflows/w{(i + 1) % 10000}.yml, secrets: inherit}}\n".encode() for i in range(10000)}


@case
def strangers_30000():
    """What is kept of each must not add up."""
    return {f".github/workflows/w{i}.yml": f"on: push\njobs: {{a: {{runs-on: x, steps: [{{uses: actions/checkout@v4}}, {{run: make t{i}}}]}}}}\n".encode()
            for i in range(30000)}


@case
def strangers_2000():
    """In each of them something is fixed, and what it was made of must not stay."""
    return {path: text for path, text in list(strangers_30000().items())[:2000]}


@case
def all_call_all():
    n = 150
    return {f".github/workflows/w{i}.yml": ("on: [push, workflow_call]\njobs:\n" + "".join(
        f"  a{j}:\n    uses: ./.github/workflows/w{j}.yml\n    secrets: inherit\n" for j in range(n))).encode() for i in range(n)}


@case
def runs_of_runs():
    return {f".github/workflows/w{i}.yml": f"name: n{i}\non: {{workflow_run: {{workflows: [n{(i + 1) % 1000}, n{(i * 7) % 1000}]}}}}\n"
            f"jobs: {{a: {{runs-on: x, steps: [{{run: a}}]}}}}\n".encode() for i in range(1000)}


@case
def same_names():
    text = b"name: n\non: push\nconcurrency: a\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: actions/checkout@v4}, {run: make test}]}}\n"
    return {f".github/workflows/w{i}.yml": text for i in range(2000)}


@case
def actions_in_a_ring():
    return {f"a{i}/action.yml": f"name: a{i}\ndescription: b\nruns: {{using: composite, steps: [{{uses: ./a{(i + 1) % 2000}}}, {{uses: ./a{i * 3 % 2000}}}]}}\n"
            .encode() for i in range(2000)}


@case
def callers_of_one():
    files = {f".github/workflows/w{i}.yml": b"on: pull_request_target\njobs:\n  a:\n    uses: ./.github/workflows/one.yml\n    with: {x: '${{ github.head_ref }}'}\n"
             for i in range(3000)}
    files[".github/workflows/one.yml"] = ("on: {workflow_call: {inputs: {x: {type: string}}}}\njobs: {a: {runs-on: x, steps: ["
                                          + ", ".join("{run: 'a ${{ inputs.x }}'}" for _ in range(2000)) + "]}}\n").encode()
    return files


@case
def broken_config():
    files = one(JOB + "      - run: a\n")
    files["wpa.yml"] = b"[" * 500 * KIB
    return files


@case
def config_of_rules():
    files = one(JOB + "      - uses: a/b@v1\n" * 3000)
    files["wpa.yml"] = ("version: 1\nignore:\n" + "".join(f"  - {{rule: unpinned-uses, paths: ['**/a{i}*'], reason: x}}\n" for i in range(10000))).encode()
    return files


# ---- odd things in the tree (made behind the files) -------------------------------------------

def loop_of_links(folder):
    (folder / ".github/workflows/loop.yml").symlink_to("loop.yml")
    (folder / ".github/workflows/up").symlink_to("../..")
    (folder / "self").symlink_to(".")
    (folder / ".github/workflows/out.yml").symlink_to("/etc/passwd")
    (folder / ".github/workflows/zero.yml").symlink_to("/dev/zero")


def pipes(folder):
    (folder / "wpa.yml").unlink()
    for name in (".github/workflows/pipe.yml", "action.yml", ".github/dependabot.yml", "wpa.yml", "package.json"):
        os.mkfifo(folder / name)


def folders(folder):
    (folder / "wpa.yml").unlink()
    for name in (".github/workflows/ci2.yml", "action.yml", "wpa.yml", ".github/dependabot.yml"):
        (folder / name).mkdir()


def unreadable(folder):
    (folder / ".github/workflows/secret.yml").write_text("a: b\n")
    (folder / ".github/workflows/secret.yml").chmod(0)


def deep(folder):
    path = folder
    for _ in range(300):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "action.yml").write_text("name: a\n")


def wide(folder):
    for i in range(20000):
        (folder / f"f{i}").touch()


ODD = {f.__name__: f for f in (loop_of_links, pipes, folders, unreadable, deep, wide)}
for odd in ODD:
    CASES[odd] = lambda: one(JOB + "      - uses: ./a\n      - run: npm ci && make\n")


def rewrite(path, stop):
    """A file that changes while it is read."""
    i = 0
    while not stop.is_set():
        i += 1
        text = (JOB + "      - run: a ${{ github.head_ref }}\n" * (i * 37 % 3000)).encode()
        try:
            with open(path, "r+b" if i % 3 else "wb") as file:
                file.write(text[: len(text) * (i % 4) // 3])
                file.truncate()
        except OSError:
            pass


CASES["changes_while_read"] = lambda: one(JOB + "      - run: a ${{ github.head_ref }}\n" * 3000)


# ---- running ----------------------------------------------------------------------------------

def make(name, folder):
    size = 0
    os.makedirs(folder / ".git")
    (folder / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (folder / "wpa.yml").write_text("version: 1\ntools: {shellcheck: off, pyflakes: off, node: off, pwsh: off}\n")
    for path, content in CASES[name]().items():
        target = os.path.join(os.fsencode(folder), path if isinstance(path, bytes) else path.encode())
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
        size += len(content)
    if name in ODD:
        ODD[name](folder)
    return size


def measure(arguments, folder, limit_s):
    """Exit code, processor seconds, MiB, error output. Killed at four times the limit of the wall."""
    with tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(arguments, cwd=folder, stdout=subprocess.DEVNULL, stderr=err,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s * 2) + 1, int(limit_s * 2) + 2)))
        timer = threading.Timer(limit_s * 20, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return (process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIB,
                err.read()[-2000:].decode(errors="replace"), time.monotonic() - began)


def check(wpa, name, folder, slack, memory_slack, runs, fix_memory=FIX_TIMES):
    size = make(name, folder)
    stop, writer = threading.Event(), None
    if name == "changes_while_read":
        writer = threading.Thread(target=rewrite, args=(folder / ".github/workflows/ci.yml", stop))
        writer.start()
    complaints = []
    files = max(1, size / KIB / KIB)
    for arguments in runs:
        times = FIX_TIMES if arguments[0].startswith("--fix") else 1
        times_memory = fix_memory if times > 1 else 1
        time_s = TIME_S * slack * times * files
        baseline = folder / "b.json"
        read = size + (baseline.stat().st_size if baseline.exists() else 0)
        memory = MEMORY_MIB * memory_slack * times_memory + read / KIB / KIB
        code, cpu_s, mib, err, wall = measure([wpa, "check", "--no-cache", *arguments], folder, time_s)
        bad = [f"exit code {code}"] if code not in (0, 1, 2, 3) else []
        bad += [f"{cpu_s:.2f} s of {time_s:.0f}"] if cpu_s > time_s else []
        bad += [f"{mib:.0f} MiB of {memory:.0f}"] if mib > memory else []
        word = "FAIL" if bad else "ok"
        print(f"{word:4} {name:32} {' '.join(arguments[:2]):34} {cpu_s:7.2f} s {mib:6.0f} MiB  code {code}  {'; '.join(bad)}", flush=True)
        if bad:
            complaints.append(f"{name}: {'; '.join(bad)}\n{err if code not in (0, 1) else ''}")
    stop.set()
    if writer:
        writer.join()
    return complaints


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wpa")
    parser.add_argument("--slack", type=float, default=20)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep")
    parser.add_argument("--no-fix", action="store_true")
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    wpa = os.path.abspath(options.wpa)
    top = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="wpa-hostile-"))
    checks, fixes = ["--persona=auditor", "--format=json"], ["--fix=all", "--diff", "--persona=auditor"]
    complaints = []
    for name in LARGEST if options.memory else CASES:
        if options.only in name:
            has_fix = name in LARGEST_TO_FIX if options.memory else not options.no_fix
            runs = [checks, fixes] if has_fix else [checks]
            runs += MORE.get(name, []) if options.memory else []
            folder = top / name
            shutil.rmtree(folder, ignore_errors=True)
            complaints += check(wpa, name, folder, options.slack, 1 if options.memory else options.slack, runs,
                                LARGEST_TO_FIX.get(name, FIX_TIMES))
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)
    if not options.keep:
        shutil.rmtree(top, ignore_errors=True)
    print("\n".join(complaints) or "nothing hurts")
    return 1 if complaints else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
