#!/usr/bin/env python3
"""Who may include what: one foreign library in one folder, and arrows between modules point down.

usage: includes.py SOURCE_DIR
"""
import pathlib
import re
import sys

# A foreign header and the only folders that may include it.
FOREIGN = {
    r"libpq-fe\.h|gen/calls_pq\.h|pg_config\.h|libpq/.*": ["src/db"],
    r"yaml\.h": ["src/yaml"],
    r"jansson\.h": ["src/json", "src/facts/gen"],
    r"expat\.h": ["src/xml"],
    r"git2(/.*)?(\.h)?|gen/calls_git2\.h": ["src/git"],
    r"curl/.*|gen/calls_curl\.h": ["src/http"],
    r"jwt\.h|gen/calls_jwt\.h": ["src/auth"],
    r"openssl/.*|gen/calls_crypto\.h": ["src/auth"],
    r"sodium(/.*)?(\.h)?": ["src/auth"],
    r"pcre2\.h": ["src/match"],
    r"seccomp\.h": ["src/sandbox"],
    r"microhttpd\.h|gen/calls_microhttpd\.h": ["src/api"],
    r"(n?curses(w/.*)?|term)\.h": ["ui/term"],
    r"vterm\.h": ["tests/harness"],
}

# A module may include modules of a lower rank, and those of its own rank as long as no cycle arises.
RANKS = [
    ["core"],
    ["db", "yaml", "json", "xml", "git", "http", "match", "auth", "sandbox"],
    ["workflow", "expr", "forge", "facts", "edit"],
    ["rules", "job", "audit", "score", "report"],
    ["analysis", "lint", "fleet", "guardian", "probe", "runner", "notify"],
    ["patch", "testing", "deploy"],
    ["agent", "feed"],
    ["api", "cli"],
]
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def module_of(path):
    return path.parts[1] if len(path.parts) > 2 else None


def check_foreign(path, header, faults):
    for pattern, folders in FOREIGN.items():
        if re.fullmatch(pattern, header) and not any(str(path).startswith(f + "/") for f in folders):
            faults.append(f"{path}: <{header}> belongs to {' '.join(folders)} alone")


def check_own(root, path, header, edges, faults):
    top, module = path.parts[0], module_of(path)
    if top == "ui" and (root / "src" / header).exists() and not (root / "ui" / header).exists():
        faults.append(f"{path}: the console sees include/wpa only, not {header}")
    if top != "src" or module is None:
        return
    used = header.split("/")[0] if "/" in header else module
    if header.startswith("gen/") or used == module:
        return
    if used not in RANK:
        if not header.startswith("wpa/"):
            faults.append(f"{path}: {header} is of no known module (see RANKS)")
        return
    if RANK[used] > RANK[module]:
        faults.append(f"{path}: {module} includes {header}, which lies above it")
    edges.setdefault(module, {}).setdefault(used, str(path))


def find_cycle(edges):
    state, stack = {}, []

    def visit(module):
        state[module] = 1
        stack.append(module)
        for used in edges.get(module, {}):
            if state.get(used) == 1:
                return stack[stack.index(used):] + [used]
            if used not in state:
                cycle = visit(used)
                if cycle:
                    return cycle
        stack.pop()
        state[module] = 2
        return None

    for module in list(edges):
        if module not in state:
            cycle = visit(module)
            if cycle:
                return cycle
    return None


def main():
    root = pathlib.Path(sys.argv[1])
    faults, edges, count = [], {}, 0
    for top in ("src", "ui", "include"):
        for file in sorted((root / top).rglob("*.[ch]")):
            path = file.relative_to(root)
            count += 1
            if top == "src" and module_of(path) and module_of(path) not in RANK:
                faults.append(f"{path}: module '{module_of(path)}' has no rank (tests/includes.py)")
            for kind, header in INCLUDE.findall(file.read_text()):
                check_foreign(path, header, faults)
                if kind == '"':
                    check_own(root, path, header, edges, faults)
    cycle = find_cycle(edges)
    if cycle:
        faults.append("modules include each other in a circle: " + " -> ".join(cycle))
    for fault in faults:
        print(fault)
    print(f"{count} files, {sum(map(len, edges.values()))} arrows, {len(faults)} faults")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
