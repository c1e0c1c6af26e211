"""A world of its own for a test of the server: a PostgreSQL that can be stopped, the program
serving on it, a Guardian with a token, the sample fleet if it is asked for. All of it lies below one
folder in /tmp and goes with it."""
import contextlib
import ctypes
import glob
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BASE = "/api/v1/workflow-patch-agent"
TESTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PASSPHRASE = "correct horse battery"
SKIPPED = 77
PATIENCE = 120  # seconds: who waits so long waits for what does not come


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


PORTS = range(20000, 32000)


def free_port():
    """One that nobody listens on. Below those that the kernel gives to connections: one of them may be gone
    when it is to be listened on, and who tries until somebody does may meet himself."""
    for n in range(len(PORTS)):  # of each test another
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", PORTS[(os.getpid() + n) % len(PORTS)]))
            return s.getsockname()[1]
    raise AssertionError("no port is free")


def server_programs():
    """Folder of initdb and postgres."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))
    if not found:
        skip("PostgreSQL is not here")
    return found[-1]


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def ends_with_us(number):
    """For a child before it runs its program: this signal, should the test be killed."""
    return lambda: LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def wait_for(what, is_so, seconds=PATIENCE):
    end = time.monotonic() + seconds
    pause = 0.02  # what is asked may be a process: less and less often
    while time.monotonic() < end:
        answer = is_so()
        if answer:
            return answer
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)
    raise AssertionError(f"waited {seconds} s for {what}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class World:
    def __init__(self, wpa, settings=()):
        self.wpa = os.path.realpath(wpa)
        self.programs = server_programs()
        self.settings = settings
        self.folder = tempfile.mkdtemp(prefix="wpa-w", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.data, self.socket = os.path.join(self.folder, "data"), os.path.join(self.folder, "pg")
        self.dsn = f"host={self.socket} port=5432 user=wpa dbname=postgres"
        self.database = self.server = self.service = self.token = None
        self.port = free_port()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "WPA_", "XDG_"))}
        if "WPA_TEST_TEMPLATE" in os.environ:
            self.env["WPA_TEST_TEMPLATE"] = os.environ["WPA_TEST_TEMPLATE"]
        for name in ("STATE", "CONFIG", "CACHE"):
            self.env[f"XDG_{name}_HOME"] = os.path.join(self.folder, name.lower())
        # no facts that somebody has refreshed
        self.env["XDG_DATA_HOME"] = self.env["XDG_DATA_DIRS"] = os.path.join(self.folder, "share")
        self.env["WPA_DB"] = self.dsn

    def __enter__(self):
        try:
            self.make_database()
            self.make_guardian()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop_server()
        finally:
            self.close()

    def close(self):
        for stop in (self.stop_server, self.stop_service, self.stop_database):
            with contextlib.suppress(Exception):
                stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    # ---- the database ----

    def as_database_user(self):
        """PostgreSQL does not run as root."""
        if os.getuid() != 0:
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def make_database(self):
        for folder in (self.data, self.socket):
            os.mkdir(folder, 0o700)
            if os.getuid() == 0:
                os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        os.chmod(self.socket, 0o755)
        self.make_data()
        self.start_database()

    def make_data(self):
        made = os.path.join(os.environ.get("WPA_TEST_TEMPLATE", "/nonexistent"), "state/wpa/postgres/data")
        if os.path.isdir(made):
            subprocess.run(["cp", "-a", made + "/.", self.data], check=True)
        else:
            subprocess.run(
                [f"{self.programs}/initdb", "--no-sync", "-D", self.data, "-U", "wpa", "-A", "trust",
                 "-E", "UTF8", "--locale=C"],
                check=True, stdout=subprocess.DEVNULL, cwd="/", **self.as_database_user())

    def make_guardian(self):
        with open(self.path("passphrase"), "w", encoding="utf-8") as file:
            file.write(PASSPHRASE + "\n")
        self.run("guardian", "add", "mira", "--passphrase-file", self.path("passphrase"))
        self.run("login", "mira", "--passphrase-file", self.path("passphrase"))

    def start_database(self):
        command = [f"{self.programs}/postgres", "-D", self.data, "-k", self.socket,
                   "-c", "listen_addresses=", "-c", "jit=off"]
        for setting in self.settings:
            command += ["-c", setting]
        with open(self.path("postgres.log"), "ab") as log:
            self.database = subprocess.Popen(command, stdout=log, stderr=log, cwd="/",
                                             start_new_session=True,
                                             preexec_fn=ends_with_us(signal.SIGQUIT),
                                             **self.as_database_user())
        ready = [f"{self.programs}/pg_isready", "-q", "-h", self.socket, "-p", "5432"]
        wait_for("the database", lambda: subprocess.run(ready, check=False).returncode == 0)

    def stop_database(self):
        if self.database:
            self.database.send_signal(signal.SIGINT)
            self.database.wait(PATIENCE)
            self.database = None

    def sql(self, text, **variables):
        """Rows of the last statement, columns separated by tabs; text or the path of a file."""
        command = [f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                   "-h", self.socket, "-p", "5432", "-U", "wpa", "-d", "postgres"]
        for name, value in variables.items():
            command += ["-v", f"{name}={value}"]
        command += ["-f", text] if os.path.exists(text) else ["-c", text]
        done = subprocess.run(command, check=False, text=True, capture_output=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    # ---- the program ----

    def run(self, *words):
        done = subprocess.run([self.wpa, *words], check=False, text=True, capture_output=True,
                              env=self.env, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(f"wpa {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def serve(self, *words, workers=0, before=(), pass_fds=(), env=None):
        self.stop_server()
        command = [*before, self.wpa, "serve", "--workers", str(workers), *words]
        if not pass_fds and "--socket" not in words:
            command += ["--listen", f"127.0.0.1:{self.port}"]
        with open(self.path("server.log"), "ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=pass_fds,
                                           env={**self.env, **(env or {})},
                                           stdin=subprocess.DEVNULL,
                                           preexec_fn=ends_with_us(signal.SIGTERM))
        if "--socket" not in words:
            wait_for("the server", self.is_up)
            self.sign_in()

    def is_up(self):
        if self.server.poll() is not None:
            raise AssertionError("the server has ended: " + self.log())
        try:
            return self.call("GET", "/readyz", token=None).status == 200
        except OSError:
            return False

    def whole_log(self):
        with open(self.path("server.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self):
        return self.whole_log()[-4000:]

    def stop_server(self):
        if self.server:
            self.server.terminate()
            self.server_has_ended()

    def server_has_ended(self, seconds=PATIENCE):
        """Told to, it ends by itself and well, and no sanitizer has found anything."""
        server, self.server = self.server, None
        try:
            code = server.wait(seconds)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise
        assert code == 0, f"the server ended with {code}: {self.log()}"
        log = self.whole_log()
        report = re.search(r"Sanitizer|runtime error:", log)
        assert not report, log[max(0, report.start() - 200):][:8000]

    def sign_in(self):
        who = {"name": "mira", "passphrase": PASSPHRASE}
        answer = self.call("POST", "/auth/token", who, token=None)
        for _ in range(20):
            if answer.status != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.call("POST", "/auth/token", who, token=None)
        assert answer.status == 200, answer.body
        self.token = answer.json["token"]

    def call(self, method, path, body=None, headers=None, token="own", timeout=PATIENCE):
        """One call; path below the base, or a whole one with a leading //."""
        whole = path[1:] if path.startswith("//") else BASE + path
        sent = dict(headers or {})
        token = self.token if token == "own" else token
        if token:
            sent["Authorization"] = "Bearer " + token
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, whole, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def call_until_done(self, path, body=None):
        """An order that is waited for however long it takes: who gives it again joins what is under way."""
        def give():
            answer = self.call("POST", path + "?wait=120", body, timeout=150)
            return answer.status != 202 and answer
        return wait_for(path, give, 5 * PATIENCE)

    def connect(self, timeout=PATIENCE):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def figure(self, name):
        """One figure of the server's process, out of /metrics."""
        for line in self.call("GET", "/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"/metrics has no {name}")

    def resident_bytes(self):
        with open(f"/proc/{self.server.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # ---- the sample fleet ----

    def add_fleet(self):
        fleet = self.path("fleet")
        with open(self.path("service.log"), "wb") as log:  # it takes a free port and says which
            self.service = subprocess.Popen(["python3", f"{TESTS}/fleet/service.py", fleet, "0"],
                                            stdout=log, stderr=log, preexec_fn=ends_with_us(signal.SIGTERM))
        port = wait_for("the service", self.service_port)
        made = subprocess.run([f"{TESTS}/fleet/make.sh", fleet, port], check=False,
                              env=self.env, capture_output=True, text=True)
        assert made.returncode == 0, made.stderr
        self.run("fleet", "import", f"{fleet}/fleet.yml")

    def service_port(self):
        with open(self.path("service.log"), encoding="utf-8") as file:
            said = re.match(r"listening on .*:(\d+)\n", file.read())
        return said and said[1]

    def stop_service(self):
        if self.service:
            self.service.terminate()
            self.service.wait(PATIENCE)
            self.service = None
