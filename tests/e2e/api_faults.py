"""What clients do wrong, by mistake or on purpose: after each of it the server answers everybody
else as before. And the database goes away and comes back, and the server stops while it works."""
import contextlib
import os
import re
import resource
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import BASE, PATIENCE, World, wait_for  # noqa: E402

MIB = 1 << 20


def head(method, path, token=None, *lines):
    given = [f"{method} {path} HTTP/1.1", "Host: localhost", *lines]
    if token:
        given.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(given) + "\r\n\r\n").encode()


def statuses(data):
    """Status of each answer in what came."""
    return [int(n) for n in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


CLOSED, SILENT = 0, -1  # instead of a status: hung up without a word; said nothing


def exchange(world, data, seconds=4, until=None):
    """Send it and read until the other side closes, falls silent, or has given that many answers."""
    return exchange_whole(world, data, seconds, until)[0]


def exchange_whole(world, data, seconds, until):
    """What came, and whether it fell silent."""
    got, is_silent = b"", False
    with world.connect(seconds) as s:
        s.settimeout(seconds)
        with contextlib.suppress(OSError):
            s.sendall(data)
        try:
            while not until or len(statuses(got)) < until:
                block = s.recv(65536)
                if not block:
                    break
                got += block
        except TimeoutError:
            is_silent = True
        except OSError:
            pass
    return got, is_silent


def first_status(world, data, seconds=PATIENCE):
    got, is_silent = exchange_whole(world, data, seconds, 1)
    found = statuses(got)
    return found[0] if found else SILENT if is_silent else CLOSED


def post(world, path, body, *lines):
    return head("POST", BASE + path, world.token, "Content-Type: application/json",
                f"Content-Length: {len(body)}", *lines) + body


# ---- bodies ----

def bodies_cut(world):
    whole = post(world, "/analyze", b'{"workflow_name": "ledger-api-ci"}')
    for n in (len(whole) - 1, len(whole) - 20, 200, 60, 10, 1):
        with world.connect() as s:
            s.sendall(whole[:n])
            s.shutdown(socket.SHUT_WR)
            s.settimeout(5)
            with contextlib.suppress(OSError):
                assert not any(200 <= x < 300 for x in statuses(s.recv(65536))), n


def bodies_doubled(world):
    body = b'{"workflow_name": "x"}'
    assert first_status(world, post(world, "/analyze", body + body)) == 422
    twice = b'{"workflow_name": "x", "workflow_name": "y"}'
    assert first_status(world, post(world, "/analyze", twice)) == 422
    # more than was announced: the rest is read as the next request, and is none
    told = statuses(exchange(world, post(world, "/analyze", body) + body + b"\r\n\r\n", PATIENCE, 2))
    assert told[0] in (404, 422) and all(s >= 400 for s in told), told
    both = head("POST", BASE + "/analyze", world.token, "Content-Length: 5", "Content-Length: 7")
    assert not any(200 <= s < 300 for s in statuses(exchange(world, both + b"{}{}{}{", 2)))
    smuggled = head("POST", BASE + "/analyze", world.token, "Content-Length: 4",
                    "Transfer-Encoding: chunked")
    assert not any(200 <= s < 300
                   for s in statuses(exchange(world, smuggled + b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 2)))


def bodies_nested(world):
    for start, end in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = start * 10000 + b"1" + end * 10000
        assert first_status(world, post(world, "/patches", deep)) in (413, 422)
        inside = b'{"target_workflow": "x", "patch_content": {"changes": {"a": ' + deep + b"}}}"
        assert first_status(world, post(world, "/patches", inside)) in (413, 422)
        assert first_status(world, post(world, "/patches", start * 10000)) in (413, 422)


def bodies_too_large(world):
    before = world.resident_bytes()
    for path, token in (("/patches", world.token), ("/auth/token", None)):
        announced = head("POST", BASE + path, token, "Content-Length: 1073741824",
                         "Content-Type: application/json")
        assert first_status(world, announced) == 413
        expecting = head("POST", BASE + path, token, "Content-Length: 1073741824",
                         "Expect: 100-continue")
        assert first_status(world, expecting) == 413
    for length in ("99999999999999999999999999", "-1", "0x10", "1e3", "1 2", ""):
        told = statuses(exchange(world, head("POST", BASE + "/patches", world.token,
                                             f"Content-Length: {length}"), 2, 1))
        assert not told or 400 <= told[0] < 500, (length, told)
    # announced as chunks without an end
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    with world.connect() as s:
        s.settimeout(10)
        got = b""
        with contextlib.suppress(OSError):
            s.sendall(head("POST", BASE + "/patches", world.token, "Transfer-Encoding: chunked"))
            for _ in range(1024):
                s.sendall(chunk)
        with contextlib.suppress(OSError):
            got = s.recv(65536)
        assert not any(200 <= x < 300 for x in statuses(got))
    assert world.resident_bytes() - before < 64 * MIB


def bodies_strange(world):
    for body in (b"\xff\xfe\x00{", b'{"workflow_name": "\xff\xfe"}', b'{"workflow_name": "\xed\xa0\x80"}',
                 b'{"workflow_name": "a\\u0000b"}', b"\x00" * 100, b'{"workflow_name": 1e999}',
                 b'{"workflow_name": ' + b"9" * 5000 + b"}", b'{"workflow_name": "\\ud800"}', b"null",
                 b"[]", b'"x"', b"true", b"{}", b"\xef\xbb\xbf{}", b"{'a': 1}", b'{"a\\u0000": 1}',
                 b'{"workflow_name": "' + b"a" * (3 * MIB) + b'"}'):
        status = first_status(world, post(world, "/analyze", body))
        assert 400 <= status < 500, (body[:60], status)


def bodies_expected(world):
    """Expect: 100-continue of a body that may come: asked for, then answered; and of one that never comes."""
    body = b'{"workflow_name": "x"}'
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with world.connect() as s:
        s.sendall(head("POST", BASE + "/analyze", world.token, *lines))
        assert statuses(s.recv(65536)) == [100]
        s.sendall(body)
        answer = s.recv(65536)
        assert statuses(answer) == [404], answer
    with world.connect() as s:
        s.sendall(head("POST", BASE + "/analyze", world.token, *lines))
        told = b""
        with contextlib.suppress(OSError):
            while block := s.recv(65536):
                told += block
        assert statuses(told) == [100], told


def bodies_in_chunks(world):
    """Chunks as they may come, and with sizes and ends that are none."""
    def chunked(data, *lines):
        return head("POST", BASE + "/analyze", world.token, "Content-Type: application/json",
                    "Transfer-Encoding: chunked", *lines) + data

    body = b'{"workflow_name": "x"}'
    one_by_one = b"".join(b"1\r\n" + bytes([c]) + b"\r\n" for c in body)
    for good in (b"%x\r\n%s\r\n" % (len(body), body), one_by_one, b"%X;name=value\r\n%s\r\n" % (len(body), body),
                 b"0000%x\r\n%s\r\n" % (len(body), body)):
        assert first_status(world, chunked(good + b"0\r\n\r\n")) == 404, good
    for bad in (b"zz\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}{}\r\n0\r\n\r\n", b"2{}0\r\n\r\n",
                b"\r\n\r\n", b"f" * 40 + b"\r\n{}", b"ffffffffffffffff\r\n{}", b"7fffffff\r\n{}", b"2\r\n{}",
                b"2;" + b"a" * 100000 + b"\r\n{}\r\n0\r\n\r\n", b"0" * 100000, b"0\r\n" + b"T: t\r\n" * 20000 + b"\r\n"):
        status = first_status(world, chunked(bad))
        # of a line of a chunk that has no room the library itself says 500, and hangs up
        assert status in (CLOSED, SILENT) or 400 <= status < 500 or (status == 500 and len(bad) >= 100000), (bad[:40], status)


def sockets_half_closed(world):
    """Who says all that he has to say and closes his end is answered, or hung up on; and nothing is held."""
    for path in ("/patches", "/openapi.json"):
        with world.connect() as s:
            s.sendall(head("GET", BASE + path, world.token))
            s.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(ConnectionError):
                while block := s.recv(65536):
                    got += block
            assert set(statuses(got)) <= {200}, got[:200]


# ---- heads ----

def headers_flood(world):
    many = [f"X-{i}: {i}" for i in range(5000)]
    assert first_status(world, head("GET", BASE + "/patches", world.token, *many)) in (400, 413, 431, CLOSED)
    long = "X: " + "a" * (1 << 20)
    assert first_status(world, head("GET", BASE + "/patches", world.token, long)) in (400, 413, 431, CLOSED)
    assert first_status(world, head("GET", BASE + "/patches?" + "a" * 100000)) in (400, 404, 413, 414, 431, CLOSED)
    assert first_status(world, head("GET", BASE + "/patches", "x" * 20000)) in (401, 431)
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500
    assert first_status(world, hello) in (CLOSED, 400)  # a head without an end, for as long as one may take
    for line in ("Content-Length", ": x", "A B: c", "X: a\x00b", "X:\x01\x02", "\xff: \xfe", " folded"):
        exchange(world, head("GET", "/healthz", None, line), 1, 1)


def paths_tricky(world):
    for path in ("/..", "/../../etc/passwd", BASE + "/../../../../etc/passwd", BASE + "/%2e%2e/%2e%2e",
                 BASE + "/patches/%00", BASE + "/patches/%ff%fe", BASE + "/patches/p-1%2f..%2fx",
                 BASE + "//patches", BASE + "/patches/", BASE + "/patches;x=1", BASE + "/patches/%",
                 BASE + "/patches/%zz", BASE + "/health/" + "a" * 5000, BASE + "/health/%00",
                 BASE + "/health/..%2f..%2fx", BASE + "/findings/f-99999999999999999999999",
                 BASE + "/findings/f--1", BASE + "/patches/p-0x10", "*", "/" + "/" * 4000,
                 BASE + "/patches/00000000-0000-0000-0000-000000000000", "http://elsewhere/healthzz",
                 BASE + "/guardians/%27%3b--", BASE + "/jobs/%F0%9F%92%A9"):
        status = first_status(world, head("GET", path, world.token))
        assert status == CLOSED or 400 <= status < 500, (path[:60], status)
    for query in ("limit=%00", "limit=1%00", "workflow_name=%00", "workflow_name=%ff", "contains=%ed%a0%80",
                  "limit=99999999999999999999", "limit=-1", "limit=1e1", "limit=", "limit", "cursor=%27",
                  "cursor=-1", "cursor=9223372036854775808", "filter=~%28", "filter=~%5b",
                  "filter=%22%00", "limit=1&limit=1", "=", "&&"):
        for kind in ("findings", "patches", "audit"):
            status = first_status(world, head("GET", f"{BASE}/{kind}?{query}", world.token))
            assert status == CLOSED or 200 <= status < 500, (kind, query[:60], status)
    # more names than the library has room for
    many = "&".join(f"a{i}=1" for i in range(500))
    status = first_status(world, head("GET", f"{BASE}/findings?{many}", world.token))
    assert status == 422, status
    for method in ("BREW", "TRACE", "CONNECT", "get", "PUT", "A" * 5000):
        status = first_status(world, head(method, BASE + "/patches", world.token))
        assert status == CLOSED or 400 <= status < 500, (method[:10], status)
    assert first_status(world, b"GET /healthz\r\n\r\n") in (CLOSED, 200, 400)
    assert first_status(world, b"GET /healthz HTTP/9.9\r\n\r\n") in (CLOSED, 400, 505)


# ---- connections ----

def requests_in_a_row(world):
    """Pipelining: sent at once, answered one by one and in order."""
    one = head("GET", "/healthz")
    other = head("GET", BASE + "/nowhere")
    told = statuses(exchange(world, (one + other) * 50, PATIENCE, 100))
    assert told == [200, 404] * 50, told


def writers_slow(world):
    """A byte now and then holds a connection only for the time that a request may take: in its head,
    in its body, and behind a request that was answered."""
    slow = [world.connect() for _ in range(60)]
    body = head("POST", BASE + "/analyze", world.token, "Content-Length: 100000")
    for i, s in enumerate(slow):
        s.sendall((head("GET", "/healthz")[:20], body, head("GET", "/healthz") + b"GET /he")[i % 3])
    start, ended, last = time.monotonic(), set(), 0
    while len(ended) < len(slow) and time.monotonic() - start < PATIENCE:
        assert world.call("GET", "/healthz", token=None).status == 200
        for i, s in enumerate(slow):
            s.setblocking(False)
            try:
                s.send(b"x")
                if s.recv(4096) == b"":
                    ended.add(i)
            except BlockingIOError:
                pass
            except OSError:
                ended.add(i)
            if i in ended:
                last = time.monotonic() - start
        time.sleep(0.4)
    for s in slow:
        s.close()
    left = [("head", "body", "second")[i % 3] for i in range(len(slow)) if i not in ended]
    assert not left, f"slow writers hold on: {sorted(set(left))}"
    print(f"  (60 slow writers were gone after {last:.0f} s)")


def readers_slow(world):
    """Who asks for much and reads nothing holds no worker: there are more of them than workers."""
    slow = [world.connect() for _ in range(16)]
    for s in slow:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(OSError):
            s.sendall(head("GET", BASE + "/openapi.json") * 20)
    for _ in range(20):
        assert world.call("GET", "/patches").status == 200
    for s in slow:
        s.close()


def is_sanitized(world):
    with open(world.wpa, "rb") as program:
        return b"__asan_init" in program.read()


def streams_unread(world):
    """Events that nobody takes are dropped: a stream holds little, and nobody else waits for it."""
    slow = [world.connect() for _ in range(50)]
    for s in slow:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(head("GET", BASE + "/events", world.token))
    time.sleep(0.5)
    before = world.resident_bytes()
    for _ in range(40):
        world.sql("SELECT pg_notify('wpa_change', 'patch:' || i) FROM generate_series(1, 2000) i")
    wait_for("an answer", lambda: world.call("GET", "/patches").status == 200)
    grown = world.resident_bytes() - before
    # Kept, they would be 240 MB and more; the sanitizer adds to each piece, and more when it is busy.
    limit = 128 if is_sanitized(world) else 16
    assert grown < limit * MIB, f"{grown / MIB:.1f} MiB for events that nobody takes"
    for s in slow:
        s.close()


def connections_many(world):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 12000)), hard))
    wanted = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)
    if wanted < 10000:
        print(f"  (only {wanted} connections: that many files may be open here)")
    held, n_sent = [], 0
    try:
        for _ in range(wanted):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", world.port))
            held.append(s)
            if len(held) % 500 == 0:
                time.sleep(0.02)
        time.sleep(1)
        for s in held:
            with contextlib.suppress(OSError):
                n_sent += s.send(head("GET", "/healthz")) > 0
        # served or refused: the process stands, and answers once these have gone
        answered = set()

        def look():
            assert world.server.poll() is None
            for s in set(held) - answered:
                with contextlib.suppress(OSError):
                    if s.recv(64).startswith(b"HTTP/1.1 200"):
                        answered.add(s)
            return len(answered) > 100

        wait_for("more than a hundred answers", look)
        print(f"  ({len(held)} connections, {n_sent} asked, {len(answered)} answered at once)")
    finally:
        for s in held:
            s.close()


def clients_leave(world):
    """Calls that wait for a job, streams, and half-read answers, all left alone."""
    for i in range(100):
        with world.connect() as s:
            s.sendall(head("GET", BASE + ("/events", "/findings", "/docs")[i % 3], world.token))
            if i % 2:
                s.recv(10)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


# ---- the database ----

def open_stream(world):
    """A stream of events, and what it has said so far."""
    stream = world.connect()
    stream.sendall(head("GET", BASE + "/events", world.token))
    return stream, wait_until_said(stream, b"retry:", 1)


def database_away(world):
    assert world.call("GET", "/patches").status == 200
    stream, got = open_stream(world)
    stream.setblocking(False)
    world.stop_database()
    answer = world.call("GET", "/patches")
    assert answer.status == 503 and answer.headers["Retry-After"], (answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert world.call("POST", "/analyze", {"workflow_name": "x"}).status == 503
    signing_in = world.call("POST", "/auth/token", {"name": "mira", "passphrase": "x"}, token=None)
    assert signing_in.status == 503, signing_in.body
    assert world.call("GET", "//healthz", token=None).status == 200
    assert world.call("GET", "//readyz", token=None).status == 503
    assert world.call("GET", "//openapi.json", token=None).status == 200
    told = [world.call("GET", "/findings").status for _ in range(20)]
    assert told == [503] * 20, told
    time.sleep(2.5)  # it is looked for each second, and nobody told to read again what cannot be read
    with contextlib.suppress(BlockingIOError):
        got += stream.recv(65536)
    assert b"event: reset" not in got, got
    world.start_database()
    wait_for("the server to find the database again",
             lambda: world.call("GET", "/patches").status == 200)
    wait_for("the server to be ready again",
             lambda: world.call("GET", "//readyz", token=None).status == 200)
    stream.settimeout(PATIENCE)
    wait_until_said(stream, b"event: reset", 1)
    stream.close()


def database_hangs(world):
    """It stands still, with everything it holds: whoever needs it is refused in the end, whoever does not is
    answered at once; and when it goes on, so does all."""
    def signal_all(number):
        with open(f"/proc/{world.database.pid}/task/{world.database.pid}/children", encoding="ascii") as file:
            for pid in (world.database.pid, *map(int, file.read().split())):
                os.kill(pid, number)

    told = []
    asking = [threading.Thread(target=lambda: told.append(world.call("GET", "/findings").status))
              for _ in range(12)]
    signal_all(signal.SIGSTOP)
    try:
        for one in asking:
            one.start()
        time.sleep(1)
        for path in ("//healthz", "//openapi.json"):
            assert world.call("GET", path, token=None).status == 200
            assert not told, f"{path} is answered when those are that need the database"
        for one in asking:
            one.join(PATIENCE)
    finally:
        signal_all(signal.SIGCONT)
    assert told == [503] * 12, told
    wait_for("answers", lambda: world.call("GET", "/findings").status == 200)


def database_breaks(world):
    """Its sessions are cut while calls are under way: refused or served, then as before."""
    stop, told, wrong = threading.Event(), [[] for _ in range(4)], []

    def ask(own):
        try:
            while not stop.is_set():
                own.append(world.call("GET", "/findings?limit=500").status)
        except Exception as error:  # none is expected: each call has an answer
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(own,)) for own in told]
    for t in threads:
        t.start()
    for _ in range(8):
        time.sleep(0.2)
        world.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                  "AND datname = current_database()")
    until = [len(own) for own in told]
    try:
        # the call at hand may have begun before the last cut; those behind it did not
        wait_for("everybody to be served as before", lambda: wrong or all(
            200 in own[n + 1:] for own, n in zip(told, until)))
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not wrong, wrong
    assert {status for own in told for status in own} <= {200, 503}, told
    wait_for("answers", lambda: world.call("GET", "/findings").status == 200)


def wait_until_said(stream, what, times, seconds=PATIENCE):
    """What came until it was said so often: what is said to keep the stream alive does not count."""
    got, end = b"", time.monotonic() + seconds
    while got.count(what) < times:
        block = stream.recv(65536)
        assert block and time.monotonic() < end, got
        got += block
    return got


def add_destination(world):
    """Where to order a job that nobody does here."""
    hook = {"name": "elsewhere", "channel": "webhook", "settings": {"url": "https://hook.example/x"}}
    assert world.call("POST", "/destinations", hook).status in (201, 409)
    return "/destinations/elsewhere/test"


def streams_hear_of_breaks(world):
    """Whoever reads a stream is told of each break, also while a call waits for a job: what the watcher asks
    for its sake makes the connection anew."""
    asks = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%FROM unnest($1::bigint[]) AS u(i)%' AND pid <> pg_backend_pid()"
    parked = world.connect()
    parked.sendall(post(world, add_destination(world) + "?wait=300", b""))
    stream, got = open_stream(world)
    for n in range(1, 6):
        # by one statement: it asks for other things as well
        wait_for("the watcher to ask", lambda: world.sql(f"SELECT pg_terminate_backend(pid) FROM ({asks}) watcher"))
        got += wait_until_said(stream, b"event: reset", n - got.count(b"event: reset"))
    parked.close()
    stream.close()


# ---- stopping ----

def has_read(world, s):
    """Nothing of what was sent waits in the server's end of this connection."""
    ends = f":{world.port:04X}", f":{s.getsockname()[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        for row in (line.split() for line in file):
            if row[1].endswith(ends[0]) and row[2].endswith(ends[1]):
                return int(row[4].split(":")[1], 16) == 0
    return False


def stops_gracefully(world):
    """What is under way ends, streams are closed, nobody new is let in, and the process ends by itself. Who
    waits for a job that does not end meanwhile is told where to look."""
    stream, _ = open_stream(world)
    park_on = add_destination(world)
    parked = [world.connect() for _ in range(40)]
    for s in parked:
        s.sendall(post(world, park_on, b""))
    wait_for("their jobs", lambda: all(has_read(world, s) for s in parked)
             and world.sql("SELECT 1 FROM wpa.job WHERE kind = 'notify'"))
    waiting = world.connect()
    sent = b'{"name": "mira", "passphrase": "wrong, and slow to find out"}'
    waiting.sendall(head("POST", BASE + "/auth/token", None, "Content-Type: application/json",
                         f"Content-Length: {len(sent)}") + sent)
    wait_for("the server to read it", lambda: has_read(world, waiting))
    world.server.send_signal(signal.SIGTERM)
    assert statuses(waiting.recv(65536)) == [401]
    told = [statuses(s.recv(65536)) for s in parked]
    assert told == [[202]] * len(parked), told
    while stream.recv(65536):
        pass
    world.server_has_ended()
    try:
        world.connect(2).close()
        raise AssertionError("somebody still listens")
    except OSError:
        pass


FAULTS = (bodies_cut, bodies_doubled, bodies_nested, bodies_too_large, bodies_strange, bodies_expected,
          bodies_in_chunks, sockets_half_closed, headers_flood, paths_tricky, requests_in_a_row, writers_slow,
          readers_slow, streams_unread, connections_many, clients_leave, database_away, database_hangs,
          database_breaks, streams_hear_of_breaks)


def main():
    only = sys.argv[2:]
    with World(sys.argv[1]) as world:
        # What AddressSanitizer keeps of freed memory, 256 MiB unless told otherwise, nobody holds.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8:thread_local_quarantine_size_kb=16"
        world.serve("--request-seconds", "4", env={"ASAN_OPTIONS": sanitizer})
        for fault in FAULTS:
            if only and fault.__name__ not in only:
                continue
            started = time.monotonic()
            fault(world)
            wait_for(f"an answer after {fault.__name__}",
                     lambda: world.call("GET", "//healthz", token=None).status == 200)
            assert world.call("GET", "/patches").status == 200, fault.__name__
            print(f"{fault.__name__}: {time.monotonic() - started:.1f} s", flush=True)
        stops_gracefully(world)
        print("stops_gracefully")
    return 0


if __name__ == "__main__":
    sys.exit(main())
