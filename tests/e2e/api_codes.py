"""Several hosts, one database: whose one-time codes are sealed is checked where the key is."""
import base64
import hashlib
import hmac
import os
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import PASSPHRASE, World  # noqa: E402

ROW = "SELECT sealed, octet_length(secret) FROM wpa.one_time_code"
STEP_SECONDS = 30
MADE = "SELECT count(*) FROM wpa.audit WHERE action = 'keys.made' AND actor <> '?'"


def code(secret, step):
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def confirm(world, secret):
    """Switched on by the code of the step before the present one; the step. Where that ends just then it
    comes too late, and is said again."""
    for _ in range(3):
        step = int(time.time()) // STEP_SECONDS - 1
        confirmed = world.call("POST", "/auth/code/confirm", {"code": code(secret, step)})
        if confirmed.status == 200:
            break
    assert confirmed.status == 200, confirmed.body
    return step, confirmed.json["recovery_codes"]


def step_behind(used):
    """One that was not used, and is taken now."""
    return max(used + 1, int(time.time()) // STEP_SECONDS)


def log_in(world, state, typed):
    """Somebody on another host, with a state folder of his own."""
    done = subprocess.run([world.wpa, "login", "mira", "--passphrase-file", world.path("passphrase"),
                           "--code", typed], check=False, text=True, capture_output=True,
                          env={**world.env, "XDG_STATE_HOME": state}, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def main():
    with World(sys.argv[1]) as world:
        world.serve()
        secret = world.call("POST", "/auth/code", {"passphrase": PASSPHRASE}).json["secret"]
        used, paper = confirm(world, secret)
        assert world.sql(ROW) == "f\t20", world.sql(ROW)
        for _ in range(2):
            assert "codes.key" in world.run("keys", "codes")
        assert world.sql(MADE) == "1"
        key = world.path("state", "wpa", "codes.key")
        assert os.stat(key).st_mode & 0o777 == 0o600
        used = step_behind(used)
        who = {"name": "mira", "passphrase": PASSPHRASE, "code": code(secret, used)}
        signed_in = world.call("POST", "/auth/token", who, token=None)
        assert signed_in.status == 200, signed_in.body
        assert world.sql(ROW) == "t\t60", world.sql(ROW)
        elsewhere = world.path("elsewhere")
        status, said = log_in(world, elsewhere, code(secret, step_behind(used)))
        assert status != 0 and "codes.key' is not there" in said, said
        status, said = log_in(world, elsewhere, paper[0])
        assert status == 0, said
        shutil.copy(key, os.path.join(elsewhere, "wpa", "codes.key"))
        status, said = log_in(world, elsewhere, code(secret, step_behind(used)))
        assert status == 0, said
    return 0


if __name__ == "__main__":
    sys.exit(main())
