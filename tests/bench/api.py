"""Measures `wpa serve` on a big installation; see tests/bench/run --help.

One PostgreSQL with 100,000 patches and 1,000,000 findings, filled by api_fill.sql; the program, the
database and the load (bench_load) on the same processors. Latencies count from when a request was
due, so a server that stands still is seen by every request of that time.
"""
import glob
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
from world import BASE, World  # noqa: E402

PATCHES, FINDINGS, ANALYSES = 100_000, 1_000_000, 30_000
RATE, SECONDS, CONNECTIONS = 1000, 20, 64
HOUR_REQUESTS = 3_600_000
STREAMS = 1000
SEED = 20261126
SETTLED_BYTES, SETTLING_SECONDS = 32 << 20, 60  # others may write all the time


class Paths:
    """Requests as a program that walks through the installation makes them."""

    def __init__(self, seed=SEED):
        self.random = random.Random(seed)
        self.made = set()

    def cursor(self, n):
        """The first page or any other; without few first pages all lists could not be different."""
        return "" if self.random.random() < 0.01 else f"&cursor={self.random.randrange(n // 10, n)}"

    def patches(self):
        wanted = self.random.choice(("", "&status_filter=tested", "&severity_filter=critical",
                                     "&status_filter=deployed&severity_filter=high"))
        return f"{BASE}/patches?limit=50{wanted}{self.cursor(PATCHES)}"

    def findings(self):
        wanted = self.random.choice(("", "&severity_filter=critical", "&dimension=security",
                                     f"&rule=rule-{self.random.randrange(180)}",
                                     f"&repository=service-{self.random.randrange(1, 2000)}",
                                     f"&workflow_name=service-{self.random.randrange(1, 2000)}-ci"))
        return f"{BASE}/findings?limit=50{wanted}{self.cursor(FINDINGS)}"

    def patch(self):
        return f"{BASE}/patches/p-{self.random.randrange(1, PATCHES)}"

    def finding(self):
        return f"{BASE}/findings/f-{self.random.randrange(1, FINDINGS)}"

    def analyses(self):
        wanted = self.random.choice(("", "&status_filter=new",
                                     f"&workflow_name=service-{self.random.randrange(1, 2000)}-ci"))
        return f"{BASE}/analyses?limit=50{wanted}{self.cursor(ANALYSES)}"

    def different(self, kind):
        """A request that was not made before; none of these gets an answer that was kept."""
        while True:
            path = kind(self)
            if path not in self.made:
                self.made.add(path)
                return path

    def file(self, path, kinds, n_lists=200, n=20_000):
        """Things as they come; n_lists lists of each kind, as some screens and programs ask for
        them again and again; without a number all are different, as when programs walk through."""
        lists = [kind for kind in kinds if kind in (Paths.patches, Paths.findings, Paths.analyses)]
        few = {kind: [kind(self) for _ in range(n_lists)] for kind in lists} if n_lists else {}
        with open(path, "w", encoding="ascii") as file:
            for _ in range(n):
                kind = self.random.choice(kinds)
                one = (self.random.choice(few[kind]) if kind in few
                       else self.different(kind) if kind in lists else kind(self))
                file.write(one + "\n")
        return path


class Installation(World):
    """A world whose database is filled; a copy is kept for as long as it would be filled the same."""

    def __init__(self, wpa):
        quarter = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4 >> 20  # as PostgreSQL's manual says
        super().__init__(wpa, (f"shared_buffers={quarter}MB",))
        self.fill_sql = os.path.join(HERE, "api_fill.sql")
        top = os.path.join(HERE, "..", "..")
        made_from = hashlib.sha256(f"{self.programs} {PATCHES} {FINDINGS}".encode())
        for name in [*sorted(glob.glob(os.path.join(top, "sql", "migrations", "*.sql"))), self.fill_sql]:
            with open(name, "rb") as file:
                made_from.update(file.read())
        self.kept = os.path.join(top, "build-bench", "api", made_from.hexdigest()[:16])

    def make_data(self):
        if os.path.isdir(self.kept):
            subprocess.run(["cp", "-a", self.kept + "/.", self.data], check=True)
            os.sync()  # not while it is measured
        else:
            super().make_data()

    def make_guardian(self):
        if not os.path.isdir(self.kept):
            super().make_guardian()
            self.fill()

    def fill(self):
        started = time.monotonic()
        self.sql(self.fill_sql, patches=PATCHES, findings=FINDINGS)
        print(f"filled {PATCHES:,} patches and {FINDINGS:,} findings in "
              f"{time.monotonic() - started:.0f} s", flush=True)
        self.stop_database()
        shutil.rmtree(os.path.dirname(self.kept), ignore_errors=True)  # of other schemas
        os.makedirs(os.path.dirname(self.kept))
        subprocess.run(["cp", "-a", self.data, self.kept + ".part"], check=True)
        os.rename(self.kept + ".part", self.kept)
        self.start_database()


def seconds_of(pid):
    """Processor time of a process and its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def unwritten_bytes():
    """What the machine has still to write to its disks."""
    with open("/proc/meminfo", encoding="ascii") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(("Dirty:", "Writeback:")))


class Bench:
    def __init__(self, build):
        self.load = os.path.realpath(os.path.join(build, "bench_load"))
        self.world = Installation(os.path.join(build, "wpa"))
        self.first = []

    def settle(self):
        """What filling has left to be written is no part of what is measured, nor what a database reads from the
        disk that was started a moment ago."""
        started = time.monotonic()
        self.world.sql("CHECKPOINT")
        os.sync()
        if self.world.sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_prewarm'") == "1":
            self.world.sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
            self.world.sql("SELECT sum(pg_prewarm(oid)) FROM pg_class WHERE relkind IN ('r', 'i', 't') AND pg_relation_size(oid) > 0")
        while unwritten_bytes() > SETTLED_BYTES and time.monotonic() < started + SETTLING_SECONDS:
            time.sleep(0.5)
        print(f"(waited {time.monotonic() - started:.0f} s for the disk; {unwritten_bytes() / 2**20:.0f} MiB are "
              "still to be written)", flush=True)

    def come_first(self):
        """On a machine that others work on too: before all of them (needs root)."""
        database = self.world.database.pid
        for pid in (str(database), str(self.world.server.pid), *children_of(database)):
            subprocess.run(["chrt", "-a", "-r", "-p", "5", pid], check=False, stderr=subprocess.DEVNULL)
        self.first = ["chrt", "-r", "5"]

    def run_load(self, paths, rate, seconds, connections=CONNECTIONS, before=0):
        """before: so many seconds of the same kind of requests that are not counted."""
        command = self.first + [self.load, str(self.world.port), self.world.token, paths, str(rate),
                                str(seconds), str(connections), str(before)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def processor_times(self):
        """Of the server, and of the database's processes."""
        return (seconds_of(self.world.server.pid),
                sum(seconds_of(pid) for pid in children_of(self.world.database.pid)))

    def row(self, name, kinds, n_lists=200, warm_up=5, seconds=SECONDS):
        n = (warm_up + seconds) * RATE
        paths = Paths().file(self.world.path("paths"), kinds, n_lists, n)
        before = self.processor_times()
        r = self.run_load(paths, RATE, seconds, before=warm_up)
        server, database = ((after - then) * 1e6 / n
                            for after, then in zip(self.processor_times(), before))
        bad = r["refused"] + r["failed"] + r["broken"] + r["unanswered"]
        print(f"| {name} | {r['rate']:.0f} | {r['p50_ms']} | {r['p99_ms']} | {r['p999_ms']} | {r['max_ms']} "
              f"| {server:.0f} | {database:.0f} | {bad} |", flush=True)

    def latency(self):
        print(f"\n(load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)\n"
              f"\n| requests, {RATE} a second for {SECONDS} s | answered a second | p50 ms | p99 ms | p99.9 ms | largest ms"
              " | us of the server | us of the database | failed |")
        print("|---|---|---|---|---|---|---|---|---|")
        every = (Paths.patches, Paths.patch, Paths.findings, Paths.finding)
        self.row("all four mixed, lists all different: the first 5 s", every, n_lists=0, warm_up=0, seconds=5)
        self.row("one patch", (Paths.patch,))
        self.row("one finding", (Paths.finding,))
        self.row("list of patches, 50 each, all different", (Paths.patches,), n_lists=0)
        self.row("list of findings, 50 each, all different", (Paths.findings,), n_lists=0)
        self.row("all four mixed, lists all different", every, n_lists=0)
        self.row("list of patches, 200 different ones", (Paths.patches,))
        self.row("list of findings, 200 different ones", (Paths.findings,))
        self.row("list of analyses, 200 different ones", (Paths.analyses,))

    def memory(self):
        """As many requests as an hour at 1,000 a second has, as fast as they go; a tenth are lists."""
        requests = int(os.environ.get("WPA_BENCH_REQUESTS", HOUR_REQUESTS))
        kinds = [Paths.patch, Paths.finding] * 9 + [Paths.patches, Paths.findings]
        paths = Paths(1).file(self.world.path("paths"), kinds, n_lists=0, n=100_000)
        rate, part = 3000, 20
        self.run_load(paths, rate, part)
        points = [(0, self.world.resident_bytes())]
        done, bad, started = 0, 0, time.monotonic()
        while done < requests:
            self.world.sign_in()  # a token stands for half an hour
            r = self.run_load(paths, rate, part)
            done += r["requests"]
            bad += r["refused"] + r["failed"] + r["broken"]
            points.append((done, self.world.resident_bytes()))
            print(f"  {done:,} requests: {points[-1][1] / 2**20:.1f} MiB", flush=True)
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        slope = (sum((x - mean_x) * (y - mean_y) for x, y in points) /
                 sum((x - mean_x) ** 2 for x, _ in points))
        print(f"\nmemory over {done:,} requests in {time.monotonic() - started:.0f} s: "
              f"{points[0][1] / 2**20:.1f} MiB, then {points[-1][1] / 2**20:.1f} MiB, at most "
              f"{max(y for _, y in points) / 2**20:.1f}; slope {slope * 1e6 / 1024:.1f} KiB a million "
              f"requests; {bad} failed", flush=True)

    def streams(self):
        before = self.world.resident_bytes()
        child = subprocess.Popen([self.load, str(self.world.port), self.world.token,
                                  f"{BASE}/events", "streams", "40", str(STREAMS)],
                                 stdout=subprocess.PIPE, text=True)
        time.sleep(35)
        with_them = self.world.resident_bytes()
        told = json.loads(child.communicate()[0])
        print(f"\n{told['streams']} idle event streams: {with_them / 2**20:.1f} MiB resident "
              f"({(with_them - before) / 2**20:.1f} MiB more than without); {told['broken']} broke "
              "off", flush=True)


def main():
    build, what = sys.argv[1], sys.argv[2:] or ["latency", "streams", "memory"]
    bench = Bench(build)
    with bench.world as world:
        bench.settle()
        world.serve()
        if os.environ.get("WPA_BENCH_FIRST"):
            bench.come_first()
        for one in what:
            getattr(bench, one)()


if __name__ == "__main__":
    main()
