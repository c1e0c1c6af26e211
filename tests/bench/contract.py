"""Runs schemathesis over the server's own document: usage: contract.py WPA PROGRAM [EXAMPLES].
Twice: with ids of its own making, and with those of things that are there. See tests/bench/run --help."""
import http.server
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), os.path.join(HERE, "..", "e2e")]
from api_fuzz import make_things  # noqa: E402
from world import BASE, PASSPHRASE, World  # noqa: E402

# Not asked of it: that whatever the schema allows is taken (a wrong id, a state that forbids it), and
# that another token than its own is refused.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_schema_conformance,negative_data_rejection")


class Tokens(http.server.BaseHTTPRequestHandler):
    """Answers with a token that is good now. Calls may end sessions and take guardians' roles away: then
    there is another guardian, added by whoever may still do so."""
    world = None
    n_guardians = 0

    def add_guardian(self, name):
        """The session of the one who did it before may have been ended, or he may be none any more."""
        file = ("--passphrase-file", self.world.path("passphrase"))
        names = [f"bench{i}" for i in range(Tokens.n_guardians - 1, 0, -1)] + ["mira"]
        for who in (None, *names):
            try:
                if who:
                    self.world.run("login", who, *file)
                self.world.run("guardian", "add", name, *file)
                return
            except AssertionError:
                continue
        raise AssertionError("no guardian is left who can add another one")

    def do_GET(self):
        world = self.world
        while world.call("GET", "/sessions").status != 200:
            Tokens.n_guardians += 1
            name = f"bench{Tokens.n_guardians}"
            self.add_guardian(name)
            who = {"name": name, "passphrase": PASSPHRASE}
            answer = world.call("POST", "/auth/token", who, token=None)
            if answer.status == 200:
                world.token = answer.json["token"]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(world.token.encode())

    def log_message(self, *_):
        pass


def write_config(world, folder):
    """The parameters of paths are those of the document's examples."""
    known = {}
    for operations in world.call("GET", "//openapi.json", token=None).json["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                example = parameter["schema"].get("examples") or [parameter["schema"].get("example")]
                if parameter["in"] == "path" and example[0]:
                    known.setdefault(parameter["name"], example[0])
    path = os.path.join(folder, "schemathesis.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[parameters]\n")
        file.writelines(f'"path.{name}" = "{value}"\n' for name, value in sorted(known.items()))
    return path


def main():
    wpa, program, examples = sys.argv[1], os.path.abspath(sys.argv[2]), (sys.argv[3:] or ["30"])[0]
    failed = 0
    for is_known in (False, True):
        with World(wpa) as world, tempfile.TemporaryDirectory() as folder:  # it leaves its notes there
            world.serve(workers=2)
            make_things(world)
            Tokens.world, Tokens.n_guardians = world, 0
            tokens = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
            threading.Thread(target=tokens.serve_forever, daemon=True).start()
            config = ["--config-file", write_config(world, folder)] if is_known else []
            print("with ids of things that are there:" if is_known else "with ids of its own making:", flush=True)
            failed |= subprocess.run(
                [program, *config, "run", f"http://127.0.0.1:{world.port}{BASE}/openapi.json", "--checks", CHECKS,
                 "--max-examples", examples, "--phases", "examples,coverage,fuzzing",
                 "--exclude-path", f"{BASE}/events", "--exclude-path-regex", "/auth/", "--request-timeout", "60",
                 "--workers", "1"],
                check=False, cwd=folder,
                env={**os.environ, "SCHEMATHESIS_HOOKS": "contract_token", "PYTHONPATH": HERE,
                     "WPA_BENCH_TOKEN_URL": f"http://127.0.0.1:{tokens.server_port}/"}).returncode
            tokens.shutdown()
    return failed


if __name__ == "__main__":
    sys.exit(main())
