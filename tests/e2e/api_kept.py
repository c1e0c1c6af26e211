"""Answers that are kept for the next one who asks are given to nobody who may not ask."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import PASSPHRASE, TESTS, World  # noqa: E402

PATHS = ("/findings?limit=3", "/patches?limit=3", "/analyses?limit=3", "/deployments?limit=3",
         "/patches/p-70", "/health/service-7-ci")


def ask(world, log, path):
    """The answer, and how much the database was asked for it."""
    begin = os.path.getsize(log)
    answer = world.call("GET", path)
    with open(log, encoding="utf-8", errors="replace") as file:
        file.seek(begin)
        return answer, file.read().count(" execute ")


def strangers(world):
    world.run("guardian", "add", "tom", "--role", "viewer", "--passphrase-file", world.path("passphrase"))
    who = {"name": "tom", "passphrase": PASSPHRASE}
    viewer = world.call("POST", "/auth/token", who, token=None).json["token"]
    machine = world.call("POST", "/tokens", {"name": "m", "scopes": ["analyse"], "expires_in_days": 1}).json["token"]
    return {"nobody": (None, 401), "a viewer": (viewer, 403), "a machine of another scope": (machine, 403),
            "a token that is none": ("x.y.z", 401)}


def main():
    complaints = []
    with World(sys.argv[1], ("log_statement=all",)) as world:
        world.sql(f"{TESTS}/bench/api_fill.sql", patches=100, findings=100, repositories=20)
        world.serve("--threads", "1")
        log = world.path("postgres.log")
        others = strangers(world)
        for path in PATHS:
            world.call("GET", path)  # what nobody asks for again is not kept
            first, n_first = ask(world, log, path)
            again, n_again = ask(world, log, path)
            if (first.status, again.status) != (200, 200) or n_again >= n_first:
                complaints.append(f"{path}: nothing is kept: {first.status} {n_first}, {again.status} {n_again}")
            for name, (token, status) in others.items():
                refused = world.call("GET", path, token=token)
                if refused.status != status or first.body[1:40] in refused.body:
                    complaints.append(f"{path}, {name}: {refused.status} {refused.body[:200]}")
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
