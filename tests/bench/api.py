"""Measures `wpa serve` on a big installation; see tests/bench/run --help.

One PostgreSQL with 100,000 patches and 1,000,000 findings, filled by api_fill.sql; the program, the
database and the load (bench_load) on the same processors. Latencies count from when a request was
due, so a server that stands still is seen by every request of that time.
"""
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import BASE, World  # noqa: E402

PATCHES, FINDINGS = 100_000, 1_000_000
RATE, SECONDS, CONNECTIONS = 1000, 20, 64
HOUR_REQUESTS = 3_600_000
STREAMS = 1000
SEED = 20261126


class Paths:
    """Requests as a program that walks through the installation makes them."""

    def __init__(self, seed=SEED):
        self.random = random.Random(seed)

    def cursor(self, n):
        return self.random.choice(("", f"&cursor={self.random.randrange(n // 10, n)}"))

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

    def file(self, path, kinds, n_lists=200, n=20_000):
        """Things as they come; lists as some screens and programs ask for them again and again."""
        few = {kind: [kind(self) for _ in range(n_lists)] for kind in (Paths.patches, Paths.findings)}
        with open(path, "w", encoding="ascii") as file:
            for _ in range(n):
                kind = self.random.choice(kinds)
                file.write((self.random.choice(few[kind]) if kind in few else kind(self)) + "\n")
        return path


class Bench:
    def __init__(self, build):
        self.load = os.path.realpath(os.path.join(build, "bench_load"))
        self.world = World(os.path.join(build, "wpa"))
        self.first = []

    def come_first(self):
        """On a machine that others work on too: before all of them (needs root)."""
        database = str(self.world.database.pid)
        pids = subprocess.run(["pgrep", "-P", database], check=True, capture_output=True,
                              text=True).stdout.split()
        for pid in (database, str(self.world.server.pid), *pids):
            subprocess.run(["chrt", "-a", "-r", "-p", "5", pid], check=False, stderr=subprocess.DEVNULL)
        self.first = ["chrt", "-r", "5"]

    def run_load(self, paths, rate, seconds, connections=CONNECTIONS):
        command = self.first + [self.load, str(self.world.port), self.world.token, paths, str(rate),
                                str(seconds), str(connections)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def fill(self):
        started = time.monotonic()
        fill = os.path.join(os.path.dirname(os.path.realpath(__file__)), "api_fill.sql")
        self.world.sql(fill, patches=PATCHES, findings=FINDINGS)
        print(f"filled {PATCHES:,} patches and {FINDINGS:,} findings in "
              f"{time.monotonic() - started:.0f} s", flush=True)

    def latency(self):
        print(f"\n(load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)\n"
              f"\n| requests, 1,000 a second for {SECONDS} s | p50 ms | p99 ms | p99.9 ms | largest ms | failed |")
        print("|---|---|---|---|---|---|")
        mixes = {"list of patches, 50 each": (Paths.patches,), "one patch": (Paths.patch,),
                 "list of findings, 50 each": (Paths.findings,), "one finding": (Paths.finding,),
                 "all four mixed": (Paths.patches, Paths.patch, Paths.findings, Paths.finding)}
        for name, kinds in mixes.items():
            paths = Paths().file(self.world.path("paths"), kinds)
            self.run_load(paths, RATE, 5)  # statements are prepared, pages are in memory
            r = self.run_load(paths, RATE, SECONDS)
            bad = r["refused"] + r["failed"] + r["broken"] + r["unanswered"]
            print(f"| {name} | {r['p50_ms']} | {r['p99_ms']} | {r['p999_ms']} | {r['max_ms']} "
                  f"| {bad} |", flush=True)

    def memory(self):
        """As many requests as an hour at 1,000 a second has, as fast as they go; in ten parts."""
        requests = int(os.environ.get("WPA_BENCH_REQUESTS", HOUR_REQUESTS))
        paths = Paths(1).file(self.world.path("paths"), (Paths.patch, Paths.finding))
        rate = 3000
        self.run_load(paths, rate, 10)
        points = [(0, self.world.resident_bytes())]
        done = 0
        for _ in range(10):
            r = self.run_load(paths, rate, max(1, requests // 10 // rate))
            done += r["requests"]
            points.append((done, self.world.resident_bytes()))
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        slope = (sum((x - mean_x) * (y - mean_y) for x, y in points) /
                 sum((x - mean_x) ** 2 for x, _ in points))
        print(f"\nmemory over {done:,} requests: {points[0][1] / 2**20:.1f} MiB, then "
              f"{points[-1][1] / 2**20:.1f} MiB; slope {slope * 1e6 / 1024:.1f} KiB a million "
              "requests", flush=True)

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
        bench.fill()
        world.serve()
        if os.environ.get("WPA_BENCH_FIRST"):
            world.call("GET", "/patches")
            bench.come_first()
        for one in what:
            getattr(bench, one)()


if __name__ == "__main__":
    main()
