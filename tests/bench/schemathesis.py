"""Runs schemathesis over the server's own document: usage: schemathesis.py WPA PROGRAM [EXAMPLES].
See tests/bench/run --help."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), os.path.join(HERE, "..", "e2e")]
from api_fuzz import make_things  # noqa: E402
from world import BASE, World  # noqa: E402

# Not asked of it: that whatever the schema allows is taken (a wrong id, a state that forbids it), and
# what needs another token than the one it has.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_schema_conformance,negative_data_rejection")


def main():
    wpa, program, examples = sys.argv[1], os.path.abspath(sys.argv[2]), (sys.argv[3:] or ["30"])[0]
    with World(wpa) as world, tempfile.TemporaryDirectory() as folder:  # it leaves its notes there
        world.serve(workers=2)
        make_things(world)
        return subprocess.run(
            [program, "run", f"http://127.0.0.1:{world.port}{BASE}/openapi.json", "--checks", CHECKS,
             "-H", f"Authorization: Bearer {world.token}", "--max-examples", examples,
             "--phases", "examples,coverage,fuzzing", "--exclude-path", f"{BASE}/events",
             "--exclude-path-regex", "/auth/", "--request-timeout", "60", "--workers", "1"],
            check=False, cwd=folder).returncode


if __name__ == "__main__":
    sys.exit(main())
