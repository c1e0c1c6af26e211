"""The service that the sample fleet's health checks ask.

It stands where a runner pool's monitoring would stand: for every request it reads the workflow files
at the head of the branch out of the real git repository, and says whether each job would be picked
up and could finish. service.json says which runners a repository can use and how long its jobs take.

usage: service.py DIR [PORT]     DIR as made by make.sh; PORT 0 takes a free one and prints it

What lies in DIR/<repository>.down, if there is such a file, is wrong with it besides.

GET /healthz             200
GET /health/<repository> 200 or 503 and why, as JSON
GET /metrics             the same for all repositories, as Prometheus text
"""
import functools
import http.server
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
JOB = re.compile(r"^(?P<indent> +)(?P<id>[A-Za-z_][A-Za-z0-9_-]*):\s*(#.*)?$")
DEFAULT_MINUTES = 5


class Broken(Exception):
    """The file could not be read as a workflow."""


def git(folder, *words):
    done = subprocess.run(
        ["git", "--git-dir", str(folder), *words], capture_output=True, timeout=5, check=False
    )
    if done.returncode != 0:
        raise Broken(done.stderr.decode(errors="replace").strip().splitlines()[-1:] or "git failed")
    return done.stdout.decode(errors="replace")


def value_of(line):
    text = line.split(":", 1)[1]
    return re.sub(r"\s+#.*$", "", text).strip().strip("\"'")


def labels_of(value):
    parts = value.strip("[]").split(",")
    return [part.strip().strip("\"'") for part in parts if part.strip()]


def read_jobs(text):
    """{job id: (labels, timeout in minutes or None)}, from the lines that say so."""
    jobs, inside, depth, job = {}, False, None, None
    for line in text.splitlines():
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise Broken("a tab in the indentation")
        if line.count("${{") > line.count("}}"):
            raise Broken("an expression that does not end")
        if re.match(r"^[A-Za-z\"']", line):
            inside = line.startswith("jobs:")
            job = None
            continue
        match = JOB.match(line)
        if inside and match and depth in (None, len(match["indent"])):
            depth, job = len(match["indent"]), match["id"]
            jobs[job] = ([], None)
        elif job is not None and depth is not None:
            key = line.strip()
            is_own = len(line) - len(line.lstrip()) > depth
            if is_own and key.startswith("runs-on:"):
                jobs[job] = (labels_of(value_of(key)), jobs[job][1])
            elif is_own and key.startswith("timeout-minutes:") and jobs[job][1] is None:
                minutes = value_of(key)
                jobs[job] = (jobs[job][0], int(minutes) if minutes.isdigit() else None)
    if not jobs:
        raise Broken("no jobs")
    return jobs


def faults_of(name, jobs, world):
    own = world["repositories"].get(name, {})
    offered = set(own.get("pool", world["hosted"]))
    for job, (labels, timeout) in jobs.items():
        missing = [l for l in labels if "${{" not in l and l not in offered]
        # What is retired everywhere was retired before: not a fault that a change brought.
        missing = [l for l in missing if l not in world["retired"] or l in own.get("pool", [])]
        if missing:
            yield f"job {job}: no runner offers {', '.join(missing)}"
        minutes = own.get("minutes", {}).get(job, DEFAULT_MINUTES)
        if timeout is not None and timeout < minutes:
            yield f"job {job}: takes {minutes} minutes and is cut off after {timeout}"


def head_of(folder):
    try:  # spares a process; a packed branch has no such file
        return (folder / "refs/heads/main").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return git(folder, "rev-parse", "--verify", "refs/heads/main^{commit}").strip()


@functools.lru_cache(maxsize=64)
def files_at(folder, head):
    """(path, jobs or why they cannot be read) of each workflow file: a commit does not change."""
    listing = git(folder, "ls-tree", "--name-only", head, ".github/workflows/")
    files = []
    for path in listing.splitlines():
        if path.endswith((".yml", ".yaml")):
            try:
                files.append((path, read_jobs(git(folder, "cat-file", "blob", f"{head}:{path}"))))
            except Broken as reason:
                files.append((path, reason))
    return files


def look(root, name, world):
    """(head, files read, faults) of the repository as it is now."""
    folder = root / f"{name}.git"
    head = head_of(folder)
    files = files_at(folder, head)
    faults = []
    for path, jobs in files:
        if isinstance(jobs, Broken):
            faults.append(f"{path}: cannot be read: {jobs}")
        else:
            faults += [f"{path}: {fault}" for fault in faults_of(name, jobs, world)]
    down = root / f"{name}.down"
    if down.exists():
        faults.append(down.read_text(encoding="utf-8").strip())
    return head, [path for path, _ in files], faults


class Handler(http.server.BaseHTTPRequestHandler):
    server_version = "sample-service/1"

    def do_GET(self):
        if self.path == "/healthz":
            self.reply(200, {"status": "ok"})
        elif self.path == "/metrics":
            self.metrics()
        elif self.path.startswith("/health/"):
            self.health(self.path.removeprefix("/health/").split("?")[0])
        else:
            self.reply(404, {"error": "no such page"})

    def health(self, name):
        if not NAME.fullmatch(name) or not (self.server.root / f"{name}.git").is_dir():
            self.reply(404, {"error": "no such repository"})
            return
        try:
            head, files, faults = look(self.server.root, name, self.server.world)
        except (Broken, subprocess.TimeoutExpired) as reason:
            self.reply(503, {"repository": name, "status": "failing", "faults": [str(reason)]})
            return
        body = {"repository": name, "head": head, "workflows": len(files), "faults": faults}
        self.reply(503 if faults else 200, {**body, "status": "failing" if faults else "ok"})

    def metrics(self):
        lines = ["# TYPE pool_workflow_faults gauge"]
        for folder in sorted(self.server.root.glob("*.git")):
            try:
                count = len(look(self.server.root, folder.stem, self.server.world)[2])
            except (Broken, subprocess.TimeoutExpired):
                count = 1
            lines.append(f'pool_workflow_faults{{repository="{folder.stem}"}} {count}')
        self.send("text/plain; version=0.0.4", 200, "\n".join(lines) + "\n")

    def reply(self, status, body):
        self.send("application/json", status, json.dumps(body, sort_keys=True) + "\n")

    def send(self, kind, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main(argv):
    if len(argv) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    port = int(argv[1]) if len(argv) == 2 else 8765
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.root = pathlib.Path(argv[0]).resolve()
        server.world = json.loads((HERE / "service.json").read_text())
        sys.stdout.write(f"listening on 127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
