"""What the interface promises beside the plain story: conditions, pages, waiting, where it listens,
whom it believes, and how it comes up under systemd."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import BASE, PASSPHRASE, PATIENCE, TESTS, World, skip, wait_for  # noqa: E402

SOURCE = os.path.dirname(TESTS)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def make_patch(world, name, description=""):
    content = {"files_modified": ["docs/a.md"], "changes": {"docs/a.md": name + "\n"}}
    made = world.call("POST", "/patches", {"target_workflow": "ledger-api-ci", "patch_name": name,
                                           "patch_type": "feature", "severity": "low", "description": description,
                                           "patch_content": content})
    assert made.status == 201, made.body
    return made


# ---- conditions ----

def patching_is_all_or_nothing(world):
    world.serve(workers=0)  # nobody tests it meanwhile
    made = make_patch(world, "whole")
    path = "/patches/" + made.json["short_id"]
    # not tested yet: it cannot be approved, and so nothing of the call is done
    refused = world.call("PATCH", path, {"reviewed_by": "Zed", "status": "approved"})
    now = world.call("GET", path)
    assert refused.status == 409 and now.json["reviewed_by"] is None, (refused.body, now.body)
    world.serve(workers=2)
    wait_for("its test", lambda: world.call("GET", path).json["status"] not in ("pending", "testing"))
    etag = world.call("GET", path).headers["ETag"]
    told = []

    def change(i):
        told.append(world.call("PATCH", path, {"reviewed_by": f"R{i}"}, {"If-Match": etag}).status)

    threads = [threading.Thread(target=change, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(told) == [200] + [412] * 7, told
    assert world.call("PATCH", path, {"reviewed_by": "x"}, {"If-Match": "*"}).status == 200
    assert world.call("PATCH", path, {"reviewed_by": "x"}, {"If-Match": '"other"'}).status == 412
    etag = world.call("GET", path).headers["ETag"]
    assert world.call("PATCH", path, {"reviewed_by": "x"}, {"If-Match": '"v0", "other"'}).status == 412
    assert world.call("PATCH", path, {"reviewed_by": "x"}, {"If-Match": "W/" + etag}).status == 412  # RFC 9110, 13.1.1
    assert world.call("PATCH", path, {"reviewed_by": "x"}, {"If-Match": f'"other", "v0", {etag}'}).status == 200
    same = world.call("GET", path, headers={"If-None-Match": world.call("GET", path).headers["ETag"]})
    assert same.status == 304 and not same.body
    weakly = {"If-None-Match": "W/" + world.call("GET", path).headers["ETag"]}
    assert world.call("GET", path, headers=weakly).status == 304
    rejected = world.call("PATCH", path, {"status": "failed", "reason": "no", "reviewed_by": "Ada"})
    assert (rejected.json["reason"], rejected.json["reviewed_by"]) == ("rejected", "Ada"), rejected.body


def what_was_read_is_named_by_its_etag(world):
    analysis = world.call("POST", "/analyze?workflow_name=ledger-api-ci").json["id"]
    for path, body in (("/analyses/" + analysis, {"status": "reviewed"}), ("/guardians/mira", {"active": True})):
        refused = world.call("PATCH", path, body, {"If-Match": '"other"'})
        assert refused.status == 412, (path, refused.status, refused.body)
        assert world.call("PATCH", path, body, {"If-Match": "*"}).status == 200
    seen = world.call("GET", "/analyses/" + analysis)
    assert seen.json["status"] == "reviewed"
    same = {"If-Match": seen.headers["ETag"]}
    assert world.call("PATCH", "/analyses/" + analysis, {"status": "reviewed"}, same).status == 200
    for named in (seen.headers["ETag"], "W/" + seen.headers["ETag"], '"x", ' + seen.headers["ETag"], "*"):
        for method in ("GET", "HEAD"):
            again = world.call(method, "/analyses/" + analysis, headers={"If-None-Match": named})
            assert (again.status, again.body) == (304, b""), (named, method, again.status)
    assert world.call("GET", "/analyses/" + analysis, headers={"If-None-Match": '"x", "y"'}).status == 200
    for length, status in ((4096, 200), (4097, 422)):
        long = world.call("GET", "/analyses/" + analysis, headers={"If-None-Match": "x" * length})
        assert long.status == status, (length, long.status, long.body)
    assert long.json["field"] == "If-None-Match", long.body


def bodies_are_json(world):
    order = json.dumps({"workflow_name": "ledger-api-ci"})
    for kind, status in (("application/json", 200), ("Application/JSON; charset=utf-8", 200), ("application/jsonx", 415),
                         ("application/x-www-form-urlencoded", 415), ("text/plain", 415)):
        answer = world.call("POST", "/analyze", order, {"Content-Type": kind})
        assert answer.status == status, (kind, answer.status, answer.body)


def words_of_an_order_stay_as_they_are(world):
    analysis = world.call("POST", "/analyze?workflow_name=web-front-ci").json["id"]
    order = {"analysis_id": analysis, "patch_name": "Mine", "patch_version": "2.0.1", "patch_type": "refactor",
             "severity": "low", "description": "Words of mine.\n", "issue_identified": "what I see"}
    made = world.call("POST", "/patches", order)
    assert made.status == 201, made.body
    path = "/patches/" + made.json["id"]
    for answer in (made.json, world.call("GET", path).json):
        assert {k: answer[k] for k in order} == order, answer
        assert ".github/workflows/" in answer["engine_notes"], answer["engine_notes"]
    shown = world.run("patch", "show", made.json["short_id"])
    assert "Words of mine." in shown and answer["engine_notes"].splitlines()[0] in shown, shown
    wait_for("its test", lambda: world.call("GET", path).json["status"] not in ("pending", "testing"))
    assert world.call("PATCH", path, {"status": "failed", "reason": "for a test"}).status in (200, 409)
    del order["description"]
    again = world.call("POST", "/patches", order)
    assert again.status == 201 and again.json["description"] == again.json["engine_notes"] != "", again.body


def files_that_say_the_same_are_compared(world):
    """V109 and V114 of a patch's dependencies look at its files, and at what stands beside them in the repository."""
    folder = os.path.join(SOURCE, "tests", "fleet", "web-front")
    texts = {}
    for name in ("package.json", "package-lock.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            texts[name] = json.load(file)

    def verdicts(**changed):
        content = {"files_modified": [name for name in texts if name.partition(".")[0].replace("-", "_") in changed],
                   "dependencies": ["left-pad@1.3.0"]}
        content["changes"] = {name: json.dumps(changed[name.partition(".")[0].replace("-", "_")]) + "\n"
                              for name in content["files_modified"]}
        made = world.call("POST", "/patches", {"target_workflow": "web-front-ci", "patch_name": "compared",
                                               "patch_content": content})
        assert made.status == 201, made.body
        checks = made.json["patch_content"]["dependencies"][0]["checks"]
        return {check["check"]: (check["result"], check["message"]) for check in checks}

    package = texts["package.json"]
    asking = {**package, "dependencies": {**package.get("dependencies", {}), "left-pad": "^1.3.0"}}
    said = verdicts(package=asking)
    assert said["V109"][0] == "warn" and "left-pad" in said["V109"][1] and said["V114"][0] == "pass", said
    said = verdicts(package={**package, "engines": {"node": ">=99"}})
    assert said["V109"][0] == "pass" and said["V114"][0] == "warn" and "package.json" in said["V114"][1], said


def paths_are_read_as_they_are_written(world):
    name = "ledger-api-ci"
    for path in ("/health/ledger-api/ci.yml", "/health/ledger-api%2Fci.yml", "/health/ledger%2dapi-ci", "/health/" + name):
        answer = world.call("GET", path)
        assert answer.status == 200 and answer.json["workflow_name"] == name, (path, answer.body)
        assert world.call("GET", path, headers={"If-None-Match": answer.headers["ETag"]}).status == 304, path
    for path in ("/health/" + name + "%00", "/health/" + name + "%ff", "/health/" + name + "/", "/health/", "/health",
                 "/health/" + name + "%", "/health/ledger-api%252Fci.yml", "/analyses/a-1%00", "/analyses/", "/%00"):
        answer = world.call("GET", path)
        assert answer.status == 404 and answer.json["status"] == 404, (path, answer.status, answer.body)
    for query, status in (("%00", 404), ("%ff", 422), ("", 422), (name + "%00", 404), ("ledger-api%2Fci.yml", 200)):
        answer = world.call("POST", "/analyze?workflow_name=" + query)
        assert answer.status == status, (query, answer.body)
        assert status == 200 or answer.json["field"] == "workflow_name", answer.body


def tell(world, text):
    """What is answered to these bytes, up to the end of the connection."""
    with world.connect() as s:
        s.sendall(text.encode())
        got = b""
        while block := s.recv(65536):
            got += block
    return got


def requests_are_read_in_one_way_only(world):
    body, token = '{"workflow_name":"ledger-api-ci"}', f"Authorization: Bearer {world.token}\r\n"
    post = f"POST {BASE}/analyze HTTP/1.1\r\nHost: x\r\n{token}Content-Type: application/json\r\nConnection: close\r\n"
    get = f"GET {BASE}/jobs?limit=1 HTTP/1.1\r\nConnection: close\r\n"
    for status, text in (
            (200, f"{post}Content-Length: {len(body)}\r\n\r\n{body}"),
            (200, f"{post}Content-Encoding: identity\r\nContent-Length: {len(body)}\r\n\r\n{body}"),
            (200, f"{post}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"),
            (400, f"{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"),
            (400, f"{post}Content-Length: {len(body)}\r\nContent-Length: 5\r\n\r\n{body}"),
            (415, f"{post}Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n{body}"),
            (200, f"{get}Host: x\r\n{token}\r\n"), (400, f"{get}{token}\r\n"), (400, f"{get}Host: x\r\nHost: y\r\n{token}\r\n"),
            (400, f"{get}Host: x\r\n{token}{token}\r\n"), (200, f"{get}Host: x\r\n{token}\r\n".replace("1.1", "1.0")),
            (200, f"{get}{token}\r\n".replace("1.1", "1.0")), (200, get.replace("GET ", "GET http://x") + f"Host: x\r\n{token}\r\n"),
            (401, f"{get}Host: x\r\nAuthorization: Basic eDp5\r\n\r\n"),
            (200, f"HEAD {BASE}/events HTTP/1.1\r\nHost: x\r\n{token}Connection: close\r\n\r\n")):
        got = tell(world, text)
        assert re.match(rb"HTTP/1\.1 %d " % status, got), (status, text, got[:300])
        assert not text.startswith("HEAD") or got.endswith(b"\r\n\r\n") and b"chunked" not in got, got
    # near what the library can keep of a connection it may close it, but never leaves it unanswered
    for n in (1, 20, 65, 300, 3000):
        for size in range(2000, 18000, 977):
            query = "&".join(["p=1"] * (n - 1) + ["contains="])
            query += "a" * (size - len(query))
            got = tell(world, f"GET {BASE}/findings?{query} HTTP/1.1\r\nHost: x\r\n{token}Connection: close\r\n\r\n")
            assert re.match(rb"HTTP/1\.1 4(22|14|31) |$", got), (n, size, got[:100])


def viewers_leave_as_they_came(world):
    """Where the server is closed to them they learn who they are, and sign out, and nothing else."""
    words = "long enough for anybody"
    assert world.call("POST", "/guardians", {"name": "otto", "role": "viewer", "passphrase": words}).status == 201
    token = world.call("POST", "/auth/token", {"name": "otto", "passphrase": words}, token=None).json["token"]
    assert world.call("GET", "/auth/whoami", token=token).json == {"name": "otto", "role": "viewer", "scopes": None}
    assert world.call("GET", "/patches", token=token).status == 403
    assert world.call("DELETE", "/auth/token", token=token).status == 204
    assert world.call("GET", "/auth/whoami", token=token).status == 401


def documents_tell_all_parameters(world):
    document = world.call("GET", "//openapi.json", token=None).json["paths"]

    def parameters(method, path):
        return {p["name"]: p for p in document[BASE + path][method]["parameters"]}

    assert {"workflow_name", "analysis_type", "wait"} <= set(parameters("post", "/analyze"))
    assert not parameters("post", "/analyze")["workflow_name"]["required"]
    assert parameters("post", "/analyze")["wait"]["schema"]["default"] == 30
    assert parameters("get", "/patches")["limit"]["schema"]["default"] == 50
    page = world.call("GET", "//docs", token=None).body.decode()
    for word in ("<code>limit</code>", "<code>wait</code>", "Idempotency-Key", "If-Match", "number or null", "array of string"):
        assert word in page, word


def nothing_is_told_to_strangers(world):
    for path in ("/patches?limit=1", "/findings?limit=1", "/patches?workflow_name=none", "/analyses?workflow_name=none"):
        for token in (None, "x", world.token[:-4] + "AAAA"):
            refused = world.call("GET", path, token=token)
            assert refused.status == 401 and "field" not in refused.json, (path, refused.body)
            assert not {"Link", "ETag", "Location"} & set(refused.headers.keys()), (path, dict(refused.headers))


def methods_are_told(world):
    expected = {"/analyze": "POST, OPTIONS", "/analyses": "GET, HEAD, OPTIONS", "/patches": "POST, GET, HEAD, OPTIONS",
                "/patches/p-1": "GET, HEAD, PATCH, OPTIONS", "/patches/p-1/rollback": "DELETE, OPTIONS"}
    for path, methods in expected.items():
        asked = world.call("OPTIONS", path, token=None)
        assert (asked.status, asked.body, asked.headers["Allow"]) == (204, b"", methods), (path, asked.headers)
        for method in ("PUT", "TRACE", "NONSENSE"):
            refused = world.call(method, path, token=None)
            assert (refused.status, refused.headers["Allow"]) == (405, methods), (path, method, refused.status)
    assert world.call("OPTIONS", "/nowhere").status == 404
    for path in ("/patches/", "/patches/p-1/test/", "//docs/"):
        refused = world.call("GET", path, token=None)
        assert refused.status == 404 and "without the slash" in refused.json["detail"], refused.body
    whole, head = (world.call(method, "/workflows?limit=1") for method in ("GET", "HEAD"))
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", whole.headers["ETag"])
    assert head.headers["Content-Length"] == str(len(whole.body)), head.headers


def refusals_say_what_is_wrong(world):
    """404 for what is not there, 409 for what cannot be now, 422 for what was said wrongly; and which field."""
    analysis = world.call("POST", "/analyze?workflow_name=docs-site-pages").json["id"]
    made = world.call("POST", "/patches", {"analysis_id": analysis, "patch_name": "refused"}).json
    path = "/patches/" + made["id"]
    wait_for("its test", lambda: world.call("GET", path).json["status"] not in ("pending", "testing"))
    assert world.call("GET", path).json["status"] == "tested"
    assert world.call("PATCH", path, {"status": "approved"}).status == 200
    first = world.call("POST", path + "/deploy?wait=0")
    assert first.status == 202, first.body
    again = world.call("POST", path + "/deploy?wait=0")
    assert again.status == 409 and "constraint" not in again.json["detail"], again.body
    wait_for("its end", lambda: world.call("GET", path).json["status"] not in ("tested", "approved"))
    for status in ("approved", "tested", "pending"):
        refused = world.call("PATCH", path, {"status": status})
        assert refused.status == 409, (status, refused.status, refused.body)
    for method, tail in (("DELETE", "/rollback"), ("POST", "/test"), ("POST", "/deploy"), ("GET", "")):
        assert world.call(method, "/patches/p-99999" + tail).status == 404, tail
    content = {"files_modified": ["../x"], "changes": {"../x": "y"}}
    secret = {"files_modified": ["a.md"], "changes": {"a.md": "AKIA" + "IOSFODNN7EXAMPLE"}}
    token = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
    diff = {"files_modified": ["README.md"], "changes": {"README.md": "@@ -1 +1 @@\n-nothing like it\n+x\n"}}
    for order, status, field in (({"patch_name": "x"}, 422, "analysis_id"),
                                 ({"analysis_id": "a-99999"}, 404, "analysis_id"),
                                 ({"analysis_id": "none"}, 404, "analysis_id"),
                                 ({"target_workflow": "none"}, 404, "target_workflow"),
                                 ({"analysis_id": analysis, "patch_content": content}, 422, "patch_content.changes"),
                                 ({"analysis_id": analysis, "patch_content": secret}, 422, "patch_content.changes"),
                                 ({"analysis_id": analysis, "patch_content": diff}, 422, "patch_content.changes"),
                                 ({"analysis_id": analysis, "patch_content": {"changes": {"why": token}}}, 422,
                                  "patch_content.changes"),
                                 ({"analysis_id": analysis, "description": "by " + token}, 422, "description"),
                                 ({"analysis_id": analysis, "patch_content": {"configuration": {"x": [token]}}}, 422,
                                  "patch_content.configuration"),
                                 ({"analysis_id": analysis, "patch_content": {"configuration": {"declares": ["x"]}}}, 422,
                                  "patch_content.configuration.declares[0]"),
                                 ({"analysis_id": analysis, "patch_content": {"dependencies": ["a/b@v1", 5]}}, 422,
                                  "patch_content.dependencies[1]"),
                                 ({"analysis_id": analysis, "patch_version": "1.0"}, 422, "patch_version"),
                                 ({"analysis_id": analysis, "patch_version": "01.0.0"}, 422, "patch_version"),
                                 ({"analysis_id": analysis, "bogus": 1}, 422, "bogus")):
        refused = world.call("POST", "/patches", order)
        assert (refused.status, refused.json["field"]) == (status, field), (order, refused.body)
    refused = world.call("POST", "/patches", {"analysis_id": analysis, "patch_content": diff})
    assert "'README.md': line 2" in refused.json["detail"], refused.body
    for status, call in (("testing", f"POST /patches/{made['id']}/test"), ("deployed", f"POST /patches/{made['id']}/deploy"),
                         ("rolled_back", f"DELETE /patches/{made['id']}/rollback")):
        refused = world.call("PATCH", "/patches/" + made["id"], {"status": status})
        assert refused.status == 409 and call in refused.json["detail"], refused.body
    for path in ("/analyses?workflow_name=none", "/patches?workflow_name=none", "/findings?workflow_name=none"):
        refused = world.call("GET", path)
        assert (refused.status, refused.json["field"]) == (404, "workflow_name"), refused.body


def policy_is_asked_at_the_start(world):
    """Approvals of several people: who counts, how many are missing, and that those of people who are gone do not."""
    tokens, words = {}, "long enough for anybody"
    for name in ("quinn", "rosa"):
        assert world.call("POST", "/guardians", {"name": name, "role": "guardian", "passphrase": words}).status == 201
        tokens[name] = world.call("POST", "/auth/token", {"name": name, "passphrase": words}, token=None).json["token"]

    def policy(**settings):
        for key, value in settings.items():
            world.sql(f"UPDATE wpa.setting SET value = '{value}' WHERE key = '{key}'")

    def approve(path, name="own"):
        return world.call("PATCH", path, {"status": "approved"}, token=tokens.get(name, "own"))

    def deploy(path, name="own"):
        return world.call("POST", path + "/deploy?wait=0", token=tokens.get(name, "own"))

    def tested(name):
        path = "/patches/" + make_patch(world, name, "why it is made").json["short_id"]
        wait_for("its test", lambda: world.call("GET", path).json["status"] == "tested")
        return path

    path, alone = tested("four eyes"), tested("two hands")
    world.serve(workers=0)  # deployments that do not begin
    try:
        policy(approvals_required=2)
        for refused, said in ((deploy(path, "quinn"), "2 more are missing"), (approve(path), "has written or ordered")):
            assert refused.status == 409 and said in refused.json["detail"], refused.body
        assert approve(path, "quinn").json["approvals_missing"] == 1
        refused = deploy(path, "quinn")
        assert refused.status == 409 and "1 more is missing" in refused.json["detail"], refused.body
        assert approve(path, "rosa").json["status"] == "approved"
        assert world.call("PATCH", "/guardians/rosa", {"active": False}).status == 200
        refused = deploy(path, "quinn")
        assert refused.status == 409 and "1 of the 2" in refused.json["detail"], refused.body
        assert world.call("PATCH", "/guardians/rosa", {"active": True}).status == 200
        assert deploy(path, "quinn").status == 202
        policy(approvals_required=1)
        machine = {"name": "starter", "scopes": ["deploy"], "expires_in_days": 1}
        tokens["machine"] = world.call("POST", "/tokens", machine).json["token"]
        refused = deploy(alone, "machine")  # it starts what people have approved
        assert refused.status == 403 and "no scope 'approve'" in refused.json["detail"], refused.body
        policy(separate_deployer="on")
        refused = deploy(alone, "quinn")
        assert refused.status == 409 and "somebody else" in refused.json["detail"], refused.body
        assert approve(alone, "quinn").json["status"] == "approved"
        refused = deploy(alone, "quinn")
        assert refused.status == 409 and "the only one" in refused.json["detail"], refused.body
        policy(separate_deployer="off")
        assert deploy(alone, "machine").status == 202
        refused = world.call("DELETE", alone + "/rollback?wait=0")
        assert refused.status == 409 and "/abort" in refused.json["detail"], refused.body
        refused = world.call("PATCH", alone, {"status": "tested"}, token=tokens["quinn"])
        assert refused.status == 409 and "is being deployed by d-" in refused.json["detail"], refused.body
        for deployment in world.call("GET", "/deployments?limit=2").json["items"]:
            ended = world.call("POST", f"/deployments/{deployment['id']}/abort", {"reason": "never begun"})
            assert ended.status in (200, 202), ended.body
    finally:
        policy(approvals_required=1, separate_deployer="off")
        world.serve(workers=2)


def repetitions_are_made_once(world):
    order = {"target_workflow": "ledger-api-ci", "patch_name": "once",
             "patch_content": {"files_modified": ["b.md"], "changes": {"b.md": "x\n"}}}
    key = {"Idempotency-Key": "the-same"}
    first, second = (world.call("POST", "/patches", order, key) for _ in range(2))
    assert first.status == second.status == 201 and first.json["id"] == second.json["id"]
    other = world.call("POST", "/patches", {**order, "patch_name": "other"}, key)
    assert other.status == 422, other.body
    # nor does anything of a passphrase lie there that it could be tried on
    person = json.dumps({"name": "once", "role": "viewer", "passphrase": "not one that is easily found"})
    assert world.call("POST", "/guardians", person, {"Idempotency-Key": "a-person",
                                                     "Content-Type": "application/json"}).status == 201
    fast = hashlib.sha256(f"{BASE}/guardians\0{{}}\0{person}".encode()).hexdigest()
    assert world.sql(f"SELECT count(*) FROM wpa.api_idempotency WHERE digest = '\\x{fast}'") == "0"
    # what was answered with a secret is made once too, but the secret is kept nowhere
    machine, key = {"name": "once", "scopes": ["read"], "expires_in_days": 1}, {"Idempotency-Key": "a-token"}
    first, second = (world.call("POST", "/tokens", machine, key) for _ in range(2))
    assert first.status == 201 and second.status == 409, (first.body, second.body)
    assert "shown once" in second.json["detail"] and second.json["status"] == 409
    renewed = world.call("POST", "/auth/refresh", headers={"Idempotency-Key": "a-session"})
    assert renewed.status == 200, renewed.body
    world.token = renewed.json["token"]
    for secret in (first.json["token"], world.token):
        assert world.sql(f"SELECT count(*) FROM wpa.api_idempotency WHERE answer LIKE '%{secret}%'") == "0"


def changes_are_seen_at_once(world):
    """Answers that are kept are never older than what their reader has seen or done."""
    path = "/patches/" + make_patch(world, "seen").json["short_id"]
    wait_for("its test", lambda: world.call("GET", path).json["status"] not in ("pending", "testing"))
    for i in range(30):
        world.call("GET", path)
        assert world.call("PATCH", path, {"reviewed_by": f"R{i}"}).status == 200
        assert world.call("GET", path).json["reviewed_by"] == f"R{i}"
        assert world.call("GET", "/patches?limit=1").json["items"][0]["reviewed_by"] == f"R{i}"


# ---- names ----

def things_are_found_by_each_of_their_names(world):
    """A path takes the UUID, the short id and its number; who asks by one gets the same as by another."""
    analysis = world.call("POST", "/analyze?workflow_name=ledger-api-ci").json["id"]
    ordered = world.call("POST", "/patches", {"analysis_id": analysis, "patch_name": "named"})
    assert ordered.status == 201, ordered.body
    patch = ordered.json
    assert world.call_until_done(f"/patches/{patch['id']}/test").json["status"] == "tested"
    deployed = world.call("POST", f"/patches/{patch['id']}/deploy?wait=60", timeout=90)
    assert deployed.status in (200, 202), deployed.body

    def first(path):
        return world.call("GET", path + "?limit=1").json["items"][0]

    for kind in ("analyses", "patches", "findings", "deployments", "jobs", "fleet"):
        item = first("/" + kind)
        assert UUID.fullmatch(item["id"]), item
        names = [item["id"], item["id"].upper(), item["short_id"]]
        names += [item["name"]] if kind == "fleet" else [item["short_id"][2:]]
        found = [world.call("GET", f"/{kind}/{name}") for name in names]
        assert [(a.status, a.json["id"]) for a in found] == [(200, item["id"])] * len(names), kind
    workflow, repository, person = first("/workflows"), first("/fleet"), first("/guardians")
    for name in (workflow["id"], workflow["short_id"], workflow["workflow_name"]):
        assert world.call("GET", "/health/" + name).json["workflow_name"] == workflow["workflow_name"]
    for name in (repository["id"], repository["short_id"], repository["name"]):
        items = world.call("GET", "/workflows?repository=" + name).json["items"]
        assert items and all(i["repository"] == repository["name"] for i in items), name
    for name in (patch["id"], patch["short_id"]):
        assert [i["patch_id"] for i in world.call("GET", "/deployments?patch=" + name).json["items"]] == [patch["id"]]
    mira = next(i for i in world.call("GET", "/guardians").json["items"] if i["name"] == "mira")
    assert UUID.fullmatch(person["id"]) and "short_id" not in person
    for name in (mira["id"], "mira", "MIRA"):
        changed = world.call("PATCH", "/guardians/" + name, {"active": True})
        assert changed.status == 200 and changed.json["id"] == mira["id"], changed.body
    for path in ("/jobs/00000000-0000-4000-8000-000000000000", "/jobs/p-1", "/jobs/j-0", "/fleet/r-999",
                 "/patches/" + first("/findings")["id"], "/health/00000000-0000-4000-8000-000000000000"):
        assert world.call("GET", path).status == 404, path


def subjects_are_resources(world):
    """What a job, a notice or an audit row is about can be fetched by what it says."""
    paths = {"patch": "/patches/", "deployment": "/deployments/", "job": "/jobs/", "repository": "/fleet/",
             "workflow": "/health/", "stage": "/deployments/", "test": "/patches/"}
    seen = set()
    for item in (i for kind in ("jobs", "notices", "audit")
                 for i in world.call("GET", f"/{kind}?limit=500").json["items"]):
        kind = (item["subject"] or "").partition(":")[0]
        if kind in paths and kind not in seen:
            seen.add(kind)
            assert world.call("GET", paths[kind] + item["subject_id"]).status == 200, item
    assert seen == set(paths), seen
    done = [i["result"] for i in world.call("GET", "/jobs?kind=analyse&status_filter=done").json["items"]]
    assert done and world.call("GET", "/analyses/" + done[0]["analysis_id"]).status == 200, done


# ---- lists ----

def pages_hold_everything_once(world):
    for kind in ("findings", "patches", "jobs", "audit", "workflows"):
        whole = [i.get("id") or i["seq"] for i in world.call("GET", f"/{kind}?limit=500").json["items"]]
        seen, path = [], f"/{kind}?limit=7"
        while path and len(seen) < 2000:
            answer = world.call("GET", path)
            assert answer.status == 200, answer.body
            seen += [i.get("id") or i["seq"] for i in answer.json["items"]]
            link = answer.headers["Link"]
            path = re.match(r'<(.*)>; rel="next"', link)[1].removeprefix(BASE) if link else None
        assert len(seen) == len(set(seen)), kind
        assert set(whole) <= set(seen), kind


def lists_say_what_single_things_say(world):
    """An entry of a list is kept or read in its own way: it says the same, after every change."""
    def alone(kind, entry):
        one = world.call("GET", f"/{kind}/{entry['short_id']}").json
        if kind == "patches":  # a list leaves out the stages, and the files of the way back
            one["deployment_config"].pop("stages", None)
            one["rollback_config"].pop("files", None)
        return one

    def differences(kind, state):
        """Of things that did not change while the list was read: the engine goes on with its work."""
        path = f"/{kind}{state}"
        before = {entry["id"]: alone(kind, entry) for entry in world.call("GET", path).json["items"]}
        entries = world.call("GET", path).json["items"]
        assert entries or state, kind
        for entry in entries:
            one = alone(kind, entry)
            if before.get(entry["id"]) == one:
                yield from (f"{path} {entry['short_id']}: {name} is {one[name]!r}, in the list {value!r}"
                            for name, value in entry.items() if one[name] != value)

    for kind, state in (("patches", ""), ("findings", ""), ("findings", "?status_filter=in_patch"), ("findings", "?status_filter=fixed")):
        found = list(differences(kind, state))
        assert not found, found[0]


def a_list_follows_every_change(world):
    analysis = world.call_until_done("/analyze", {"workflow_name": "ledger-api-ci"}).json
    name = world.call("POST", "/patches", {"analysis_id": analysis["id"], "patch_name": "Followed"}).json["short_id"]

    def entry():
        lists_say_what_single_things_say(world)
        return next(one for one in world.call("GET", "/patches").json["items"] if one["short_id"] == name)

    assert entry()["status"] in ("pending", "testing", "tested")
    deployed = {"strategy": "all-at-once", "bake_ms": 100, "rollback_verify_ms": 0}
    assert world.call("PATCH", f"/patches/{name}", {"reviewed_by": "ana", "deployment_config": deployed}).status == 200
    assert entry()["reviewed_by"] == "ana"
    assert world.call_until_done(f"/patches/{name}/test").status == 200
    assert entry()["status"] == "tested"
    assert world.call("PATCH", f"/patches/{name}", {"status": "approved"}).status == 200
    assert (entry()["status"], entry()["approvals"]) == ("approved", 1)
    assert world.call("PATCH", f"/patches/{name}", {"status": "tested"}).status == 200
    assert (entry()["status"], entry()["approvals"]) == ("tested", 0)
    assert world.call("POST", f"/patches/{name}/deploy?wait=120", timeout=150).status in (200, 202)
    assert entry()["deployment_id"]
    world.sql("UPDATE wpa.repository SET name = name || '-renamed' WHERE id = 1")
    world.sql("UPDATE wpa.workflow SET name = name || '-renamed' WHERE repository_id = 1")
    lists_say_what_single_things_say(world)
    world.sql("UPDATE wpa.repository SET name = replace(name, '-renamed', '') WHERE id = 1")
    world.sql("UPDATE wpa.workflow SET name = replace(name, '-renamed', '') WHERE repository_id = 1")
    lists_say_what_single_things_say(world)


def one_patch_follows_every_change(world):
    """What is told of a patch beside its own row is kept as it is told: it is never older than what it is made from."""
    fixable = world.call("GET", "/findings?limit=500&filter=has:fix").json["items"]
    free = [f for f in fixable if f["state"] == "open" and not f["workflow_name"].startswith("ledger-api")]
    repository, workflow = free[0]["repository"], free[0]["workflow_name"]
    analysis = world.call_until_done("/analyze", {"workflow_name": workflow}).json
    ordered = world.call("POST", "/patches", {"analysis_id": analysis["id"], "patch_name": "Kept"}).json
    path, key = "/patches/" + ordered["short_id"], ordered["short_id"][2:]

    def one():
        return world.call("GET", path).json

    def by(name, statement):
        world.sql(f"SELECT set_config('wpa.actor', (SELECT id::text FROM wpa.principal WHERE name = '{name}'), true); " + statement)

    def by_mira(statement):
        by("mira", statement)

    def told_approvals():
        """Of itself, and in a list."""
        entries = world.call("GET", "/patches?limit=500").json["items"]
        return one()["approvals"], next(e["approvals"] for e in entries if e["short_id"] == ordered["short_id"])

    def approvals():
        alone, listed = told_approvals()
        assert alone == listed
        return alone

    report = world.call_until_done(path + "/test")
    assert report.status == 200, report.body
    kept = one()["test_report"]
    assert kept["attempt"] and kept == {name: report.json[name] for name in kept}
    assert (one()["approved_by"], one()["approvals"]) == ([], 0)
    approved = world.call("PATCH", path, {"status": "approved"})
    assert approved.status == 200, approved.body
    assert ([a["name"] for a in one()["approved_by"]], approvals()) == (["mira"], 1)
    by_mira("INSERT INTO wpa.principal (name, role) VALUES ('ben', 'guardian')")
    by("ben", "INSERT INTO wpa.approval (patch_id, digest, guardian_id, expires_at) SELECT p.id, p.digest, g.id, now() + interval '1 day' "
       f"FROM wpa.patch p, wpa.principal g WHERE p.id = {key} AND g.name = 'ben'")
    assert ([a["name"] for a in one()["approved_by"]], approvals()) == (["mira", "ben"], 2)
    by_mira("UPDATE wpa.principal SET active = false WHERE name = 'ben'")
    assert approvals() == 1
    by_mira("UPDATE wpa.principal SET active = true WHERE name = 'ben'")
    assert approvals() == 2
    world.sql("ALTER TABLE wpa.approval DISABLE TRIGGER USER; ALTER TABLE wpa.approval ENABLE TRIGGER patch_brief_keep")
    by_mira(f"UPDATE wpa.approval SET expires_at = clock_timestamp() + interval '1 s' WHERE patch_id = {key} AND guardian_id = "
            "(SELECT id FROM wpa.principal WHERE name = 'ben')")
    # some seconds longer if the database does not change: see api/kept.h
    wait_for("the end of one approval", lambda: told_approvals() == (1, 1))
    world.sql("ALTER TABLE wpa.approval ENABLE TRIGGER USER")
    by_mira("UPDATE wpa.setting SET value = '2' WHERE key = 'approvals_required'")
    assert (approvals(), one()["approvals_required"]) == (0, 2)  # by whom it was ordered
    by_mira("UPDATE wpa.setting SET value = '1' WHERE key = 'approvals_required'")
    assert world.call("PATCH", path, {"status": "tested"}).status == 200
    assert ([a["name"] for a in one()["approved_by"]], approvals()) == (["ben"], 0)
    by_mira(f"INSERT INTO wpa.comment (subject, principal_id, text) SELECT 'patch:{key}', id, 'why' FROM wpa.principal WHERE name = 'mira'")
    assert [(c["by"], c["text"]) for c in one()["comments"]] == [("mira", "why")]
    world.sql("ALTER TABLE wpa.waiver DISABLE TRIGGER waiver_guard")  # whatever the test found
    by_mira("INSERT INTO wpa.waiver (patch_id, digest, check_id, guardian_id, reason, expires_at) SELECT p.id, p.digest, 'S1', g.id, 'known', "
            f"now() + interval '1 day' FROM wpa.patch p, wpa.principal g WHERE p.id = {key} AND g.name = 'mira'")
    assert [(w["check"], w["name"], w["reason"]) for w in one()["waivers"]] == [("S1", "mira", "known")]
    by_mira(f"UPDATE wpa.waiver SET withdrawn_at = now() WHERE patch_id = {key}")
    assert one()["waivers"] == []
    world.sql("ALTER TABLE wpa.waiver ENABLE TRIGGER waiver_guard")
    for table, name in (("repository", repository), ("workflow", workflow)):
        before = one()
        world.sql(f"UPDATE wpa.{table} SET name = name || '-renamed' WHERE name = '{name}'")
        after = one()
        assert (after["files_modified"], after["target_workflow"]) != (before["files_modified"], before["target_workflow"]), table
        world.sql(f"UPDATE wpa.{table} SET name = '{name}' WHERE name = '{name}-renamed'")
        assert one() == before


def give_time_limits(world, repository, name):
    """A commit that mends a workflow, and a scan that brings its analysis."""
    work = world.path("work")

    def git(*words):
        subprocess.run(["git", "-c", "user.name=Ann", "-c", "user.email=ann@localhost", *words], check=True,
                       capture_output=True, env=world.env)

    git("clone", world.path("fleet", repository + ".git"), work)
    path = os.path.join(work, ".github", "workflows", name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"( +)runs-on: .*", r"\g<0>\n\1timeout-minutes: 9", text))
    git("-C", work, "commit", "-am", "Time limits")
    git("-C", work, "push")
    ordered = world.call("POST", f"/fleet/{repository}/scan")
    assert ordered.status in (200, 202), ordered.body


def findings_are_filtered_as_in_the_console(world):
    def ids(query):
        answer = world.call("GET", "/findings?limit=500&" + query)
        assert answer.status == 200, (query, answer.body)
        return {i["id"]: i for i in answer.json["items"]}

    everything = ids("")
    kept = {
        "filter=sev%3E%3Dhigh": lambda f: f["severity"] in ("high", "critical") and f["kind"] != "opportunity",
        "filter=sev:crit,low": lambda f: f["severity"] in ("critical", "low") and f["kind"] != "opportunity",
        "filter=rule:unpinned-*": lambda f: f["rule"].startswith("unpinned-"),
        "filter=rule:SEC-*": lambda f: f["code"].startswith("SEC-"),
        "filter=!rule:SEC-*": lambda f: not f["code"].startswith("SEC-"),
        "filter=cat:qua": lambda f: f["dimension"] == "quality",
        "filter=repo:web-front": lambda f: f["repository"] == "web-front",
        "filter=wf:ledger-api/*": lambda f: f["repository"] == "ledger-api",
        "filter=path:*ci.yml": lambda f: f["path"].endswith("ci.yml"),
        "filter=has:fix": lambda f: f["has_fix"],
        "filter=!has:fix": lambda f: not f["has_fix"],
        "filter=age%3C1d": lambda f: True,
        "filter=age%3E1d": lambda f: False,
        "filter=timeout": lambda f: "timeout" in f["message"].lower(),
        "filter=~%5Ejob": lambda f: f["message"].lower().startswith("job"),
        "filter=%22the%20job%22": lambda f: "the job" in f["message"].lower(),
        "filter=sev:high%20repo:ledger-api%20!has:fix":
            lambda f: f["severity"] == "high" and f["repository"] == "ledger-api" and not f["has_fix"]
            and f["kind"] != "opportunity",
    }
    for query, fits in kept.items():
        assert set(ids(query)) == {i for i, f in everything.items() if fits(f)}, query
    assert world.call("GET", "/findings?filter=score%3E5").status == 422
    assert world.call("GET", "/findings?filter=~(").status == 422
    misspelt = world.call("GET", "/findings?filter=sev:hihg%20has:fix")
    assert misspelt.status == 422 and "not understood: sev:hihg" in str(misspelt.body), misspelt.body
    by_code = ids("rule=SEC-001")
    assert by_code and by_code == ids("rule=unpinned-uses")
    before = ids("filter=rule:missing-timeout%20wf:docs-site/release.yml")
    assert before and not ids("filter=state:fixed")
    give_time_limits(world, "docs-site", "release.yml")
    fixed = wait_for("what was mended to be seen", lambda: ids("filter=state:fixed"))
    assert set(before) <= set(fixed) and {f["state"] for f in fixed.values()} == {"fixed"}, fixed
    assert not ids("filter=rule:missing-timeout%20wf:docs-site/release.yml")


# ---- waiting ----

def long_calls_say_where(world):
    def order_analysis():
        answer = world.call("POST", "/analyze?wait=0", {"workflow_name": "web-front-ci"})
        assert answer.status in (200, 202), answer.body
        return answer.status == 202 and answer
    order = wait_for("an analysis that is not done by the time of its answer", order_analysis)
    job = order.headers["Location"].removeprefix(BASE)
    wait_for("the job", lambda: world.call("GET", job).json["state"] == "done")
    path = "/patches/" + make_patch(world, "tested").json["short_id"]
    joined = world.call_until_done(path + "/test")  # the one that was queued
    assert joined.status == 200, joined.body
    unmeasured = {skip["check"] for skip in joined.json["skipped"]}
    assert {"integration_tests", "compatibility_checks"} <= unmeasured, joined.body
    for phase in ("isolated_tests", "integration_tests", "safety_checks", "compatibility_checks"):
        assert (joined.json[phase]["passed"] is None) == (phase in unmeasured), (phase, joined.body)
    assert (joined.json["isolated_tests"]["coverage_percentage"] is None) == ("coverage_percentage" in unmeasured)
    answered = world.call("POST", path + "/test?wait=0", {})  # an empty object is as good as no body
    assert answered.status == 200 and answered.json["attempt"] == joined.json["attempt"]
    anew = world.call("POST", path + "/test?again=true&wait=0")
    assert anew.status == 202 and anew.headers["Location"] == BASE + path, anew.headers
    again = world.call_until_done(path + "/test")
    assert again.status == 200 and again.json["attempt"] > joined.json["attempt"], again.body


def streams_tell_of_changes(world):
    with world.connect() as s:
        s.sendall(f"GET {BASE}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token}\r\n\r\n".encode())
        got = b""
        while b"retry:" not in got:
            block = s.recv(4096)
            assert block, got
            got += block
        made = make_patch(world, "told").json
        # others may still be at work on something else
        while not (found := re.search(rb'event: change\ndata: (.*"id":"%s".*)\n' % made["id"].encode(), got)):
            block = s.recv(4096)
            assert block, got
            got += block
        told = json.loads(found[1])
        assert told == {"resource": "patch", "of": "patch", "id": made["id"], "short_id": made["short_id"]}, told


def who_comes_back_reads_again(world):
    with world.connect() as s:
        s.sendall(f"GET {BASE}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token}\r\n"
                  "Last-Event-ID: 1\r\n\r\n".encode())
        got = b""
        while b"event: reset" not in got:
            block = s.recv(4096)
            assert block, got
            got += block
        assert b"id: 1\n" in got, got


def streams_end_with_their_token(world):
    """A stream is one call, but it lasts: who could begin none any more is told nothing more."""
    def sign_in(name):
        return world.call("POST", "/auth/token", {"name": name, "passphrase": PASSPHRASE}, token=None).json["token"]

    def listen(token):
        s = world.connect()
        s.sendall(f"GET {BASE}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        got = b""
        while b"retry:" not in got:
            block = s.recv(4096)
            assert block, got
            got += block
        return s

    made = world.call("POST", "/guardians", {"name": "eve", "passphrase": PASSPHRASE})
    assert made.status == 201, made.body
    out, disabled, stays = sign_in("mira"), sign_in("eve"), sign_in("mira")
    machine = world.call("POST", "/tokens", {"name": "m", "scopes": ["read"], "expires_in_days": 1}).json
    streams = [listen(token) for token in (out, disabled, machine["token"], stays)]
    assert world.call("DELETE", "/auth/token", token=out).status == 204
    assert world.call("PATCH", "/guardians/eve", {"active": False}).status == 200
    assert world.call("DELETE", "/tokens/" + machine["short_id"]).status == 200
    patience = time.monotonic() + PATIENCE
    for s in streams[:3]:
        while not (got := s.recv(4096)).endswith(b"0\r\n\r\n"):  # the last of all chunks
            assert got and time.monotonic() < patience, "it goes on"
    streams[3].setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while (got := streams[3].recv(4096)):
            assert not got.endswith(b"\r\n0\r\n\r\n"), "it ended with others' tokens"
        assert got, "it ended with others' tokens"
    for s in streams:
        s.close()


def every_refusal_is_written_down(world):
    """By whom and with what words, also of calls that were not understood: those that were meant to change something."""
    def last():  # the engine goes on writing of its own work
        return world.call("GET", "/audit?action=access&limit=1").json["items"][0]

    for method, path, body, status in (("POST", "/patches", {"analysis_id": "a-1", "bogus": 1}, 422),
                                       ("PATCH", "/patches/p-99999", {"status": "approved"}, 404),
                                       ("POST", "/patches/p-99999/deploy", None, 404),
                                       ("DELETE", "/tokens/t-99999", None, 404),
                                       ("POST", "/destinations/o-99999/retry", None, 404)):
        refused = world.call(method, path, body, {"User-Agent": "somebody/1.0"})
        assert refused.status == status, (path, refused.status, refused.body)
        row = last()
        assert (row["action"], row["actor"], row["subject"]) == ("access.refused", "mira", f"{method} {BASE}{path}"), row
        assert (row["detail"]["user_agent"], row["detail"]["what"]) == ("somebody/1.0", refused.json["detail"]), row
    before = last()["seq"]
    assert world.call("GET", "/patches/p-99999").status == 404 and last()["seq"] == before


def documents_need_nothing_else(world):
    assert world.call("GET", "//docs", token=None).status == 200
    for path in ("/docs", "/openapi.json"):
        whole = world.call("GET", path, token=None)
        seen = {"If-None-Match": whole.headers["ETag"]}
        again = world.call("GET", path, headers=seen, token=None)
        assert (whole.status, again.status, again.body) == (200, 304, b"") and again.headers["ETag"] == whole.headers["ETag"]
        assert world.call("GET", path, headers={"If-None-Match": '"x"'}, token=None).body == whole.body
        assert world.call("GET", "/" + path, token=None).body == whole.body
    page = world.call("GET", "/docs", token=None).body.decode()
    problem = world.call("GET", "/nowhere", token=None).json["type"]
    assert problem.startswith(BASE + "/docs#") and f'id="{problem.partition("#")[2]}"' in page, problem
    assert "<h1>wpa REST API</h1>" in page
    # no script, picture, style or font from elsewhere
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//|@import|url\(", page)


# ---- where it listens, whom it believes ----

def forwarded_addresses_are_believed_of_some(world):
    def last_address():
        row = world.call("GET", "/audit?action=access.refused&limit=1").json["items"][0]
        return row["detail"]["address"]

    def address_of(headers):
        refused = world.call("DELETE", "/fleet/nothing", token=None, headers=headers)
        assert refused.status == 401
        return last_address()

    assert address_of({"X-Forwarded-For": "198.51.100.7"}) == "127.0.0.1"
    world.stop_server()
    for words in (("--trust-proxy", "nobody"), ("--listen", "127.0.0.1:1", "--socket", world.path("both.sock"))):
        refused = subprocess.run([world.wpa, "serve", *words], check=False, capture_output=True, env=world.env)
        assert refused.returncode == 2, (words, refused.stderr)
    world.serve("--trust-proxy", "127.0.0.1", workers=2)
    assert address_of({"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}) == "198.51.100.7"
    assert address_of({"X-Forwarded-For": "198.51.100.7, 127.0.0.1"}) == "198.51.100.7"
    assert address_of({"X-Forwarded-For": "nonsense"}) == "127.0.0.1"
    assert address_of({}) == "127.0.0.1"
    # a proxy may add a line of its own behind the one that its client wrote
    with world.connect() as s:
        s.sendall(f"DELETE {BASE}/fleet/nothing HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\n"
                  "X-Forwarded-For: 198.51.100.7\r\n\r\n".encode())
        assert b" 401 " in s.recv(4096)
    assert last_address() == "198.51.100.7"
    world.serve("--trust-proxy", "0:0:0:0:0:FFFF:7f00:1", "--trust-proxy", "2001:db8:0::0:9", workers=2)
    assert address_of({"X-Forwarded-For": "198.51.100.7, 2001:DB8::9, ::ffff:127.0.0.1"}) == "198.51.100.7"
    assert address_of({"X-Forwarded-For": "198.51.100.7, 2001:db8::8"}) == "2001:db8::8"


def a_unix_socket_serves(world):
    world.stop_server()
    path = world.path("wpa.sock")
    world.serve("--socket", path)
    wait_for("the socket", lambda: os.path.exists(path))
    assert os.stat(path).st_mode & 0o077 == 0

    def ask():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            if s.connect_ex(path):
                return False
            s.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return s.recv(4096).startswith(b"HTTP/1.1 200")

    assert wait_for("an answer", ask)
    # a second server does not take the place of the first
    second = subprocess.run([world.wpa, "serve", "--workers", "0", "--socket", path], check=False, env=world.env,
                            text=True, capture_output=True, timeout=PATIENCE)
    assert second.returncode and "in use" in second.stderr, (second.returncode, second.stderr)
    assert ask()
    # one that was killed leaves its socket, which is no obstacle
    world.server.kill()
    world.server.wait()
    world.server = None
    assert os.path.exists(path)
    world.serve("--socket", path)
    assert wait_for("an answer", ask)
    world.stop_server()
    assert not os.path.exists(path)


def tls_serves(world):
    key, certificate = world.path("key.pem"), world.path("cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                    certificate], check=True, capture_output=True)
    # LeakSanitizer of gcc 12 takes a wrong address for the thread-local memory of a TLS library that
    # is opened late, and breaks down: it looks for leaks without such memory as a root, and then takes
    # what the loader has made for it for lost.
    pathlib.Path(world.path("lsan")).write_text("leak:ld-linux\n", encoding="ascii")
    world.serve("--tls-cert", certificate, "--tls-key", key, "--socket", world.path("tls.sock"),
                env={"LSAN_OPTIONS": f"use_tls=0:print_suppressions=0:suppressions={world.path('lsan')}"})
    wait_for("the socket", lambda: os.path.exists(world.path("tls.sock")))
    done = wait_for("TLS", lambda: subprocess.run(
        ["curl", "-sf", "--cacert", certificate, "--unix-socket", world.path("tls.sock"),
         "https://localhost/healthz"], check=False, capture_output=True).stdout)
    assert b"ok" in done
    world.stop_server()


def systemd_hands_over_a_socket(world):
    listener = socket.socket()
    # as systemd does it; connections that an earlier server has closed still hold the port otherwise
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", world.port))
    listener.listen(16)
    os.set_inheritable(listener.fileno(), True)
    # as systemd does it: the socket is file 3, and the process's own number is told
    script = f'exec 3<&{listener.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
    world.serve(before=("/bin/sh", "-c", script, "sh"), pass_fds=(listener.fileno(),))
    listener.close()
    assert world.call("GET", "/patches?limit=1").status == 200
    world.stop_server()


@contextlib.contextmanager
def installed(world):
    """What cmake --install leaves, below a folder: that folder and the one of the unit files."""
    build = os.path.dirname(world.wpa)
    with tempfile.TemporaryDirectory() as root:
        done = subprocess.run(["cmake", "--install", build, "--prefix", "/usr/local"], check=False, text=True,
                              capture_output=True, env={**os.environ, "DESTDIR": root})
        assert done.returncode == 0, done.stdout + done.stderr
        yield root, os.path.join(root, "usr/local/lib/systemd/system")


def unit_files_are_installed(world):
    with installed(world) as (root, units):
        assert sorted(os.listdir(units)) == ["wpa.service", "wpa.socket"]
        with open(os.path.join(root, "usr/local/share/man/man1/wpa.1"), encoding="utf-8") as file:
            assert "--request-seconds" in file.read().replace("\\-", "-")
        with open(os.path.join(units, "wpa.service"), encoding="utf-8") as file:
            assert "ExecStart=/usr/local/bin/wpa serve" in file.read()


def unit_files_are_good(world):
    with installed(world) as (root, units):
        service = os.path.join(units, "wpa.service")
        with open(service, encoding="utf-8") as file:
            text = file.read()
        with open(service, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/local/bin/wpa", os.path.join(root, "usr/local/bin/wpa")))
        done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", service,
                               os.path.join(units, "wpa.socket")], check=False, capture_output=True, text=True)
        ours = [line for line in (done.stdout + done.stderr).splitlines() if "wpa." in line]
        assert not ours and done.returncode == 0, done.stdout + done.stderr


# ---- figures ----

def promtool_agrees(world):
    """Over a fleet with findings, a patch and its test: figures by rule, owner and repository too."""
    add_fleet(world)
    path = "/patches/" + make_patch(world, "figured").json["short_id"]
    wait_for("its test", lambda: world.call("GET", path).json["status"] not in ("pending", "testing"))
    text = world.call("GET", "/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, check=False, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for by in ("rule", "owner", "repository"):
        assert f"\nwpa_{by}_findings_opened{{".encode() in text, by
    rules = os.path.join(SOURCE, "src", "api", "monitoring", "alerts.yml")
    done = subprocess.run(["promtool", "check", "rules", rules], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


CHECKS = (patching_is_all_or_nothing, what_was_read_is_named_by_its_etag, bodies_are_json,
          files_that_say_the_same_are_compared, paths_are_read_as_they_are_written, requests_are_read_in_one_way_only,
          nothing_is_told_to_strangers, methods_are_told, words_of_an_order_stay_as_they_are,
          repetitions_are_made_once, changes_are_seen_at_once, pages_hold_everything_once,
          findings_are_filtered_as_in_the_console, a_list_follows_every_change, long_calls_say_where,
          refusals_say_what_is_wrong, policy_is_asked_at_the_start,
          viewers_leave_as_they_came, documents_tell_all_parameters,
          things_are_found_by_each_of_their_names, subjects_are_resources, one_patch_follows_every_change,
          streams_tell_of_changes, streams_end_with_their_token, who_comes_back_reads_again,
          every_refusal_is_written_down,
          documents_need_nothing_else, forwarded_addresses_are_believed_of_some,
          a_unix_socket_serves, systemd_hands_over_a_socket, unit_files_are_installed)
# What needs a program that may not be here is a test of its own, and skipped as a whole.
WITH_TOOLS = {tls_serves: ("openssl", "curl"), unit_files_are_good: ("systemd-analyze",),
              promtool_agrees: ("promtool",)}


def add_fleet(world):
    world.serve(workers=2)
    world.add_fleet()
    wait_for("the fleet", lambda: world.call("GET", "/health/ledger-api-ci").status == 200)
    wait_for("the analyses", lambda: world.sql(
        "SELECT count(*) FROM wpa.job WHERE kind IN ('scan','analyse') AND run_after < now()") == "0")


def main():
    """Of the checks those that are named; with no name all that need no program beside."""
    known = {check.__name__: check for check in (*CHECKS, *WITH_TOOLS)}
    checks = [known[name] for name in sys.argv[2:]] or CHECKS
    for check in checks:
        missing = [tool for tool in WITH_TOOLS.get(check, ()) if not shutil.which(tool)]
        if missing:
            skip(f"without {' and '.join(missing)}")
    with World(sys.argv[1]) as world:
        if any(check not in WITH_TOOLS for check in checks):
            add_fleet(world)
        for check in checks:
            started = time.monotonic()
            check(world)
            print(f"{check.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
