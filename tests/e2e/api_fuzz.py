"""Every route of the server's own OpenAPI document is called with values that fit it and with values
that do not. No answer is an error of the server's, each refusal is a problem that says so, and
each answer is what the document promises. WPA_FUZZ_ROUNDS and WPA_FUZZ_SEED: more, and others."""
import json
import os
import random
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "harness"))
from world import BASE, World, wait_for  # noqa: E402

ROUNDS = int(os.environ.get("WPA_FUZZ_ROUNDS", "8"))
SEED = int(os.environ.get("WPA_FUZZ_SEED", "20261126"))
TEXTS = ("", "a", "'; --", "\u0000", "\u202e", "\U0001f4a9", "a" * 5000, "../..", "%s%n", "-1", "0",
         "null", "\\", "\r\nX: y", "ﬀ", "\ud7ff", "{}", "*", "~(", "1e9")
KINDS = (None, True, False, 0, -1, 1, 2**31, 2**63, -2**63, 1.5, 1e300, "", "x", [], {}, [[]], [None], {"a": 1},
         ["x"] * 100)

# Things that are there, for the parameters of paths.
KNOWN = {
    "analysis_id": ("a-1", "a-2", "1"), "patch_id": ("p-1", "p-2"), "finding_id": ("f-1", "f-2", "f-9"),
    "deployment_id": ("d-1", "d-2"), "job_id": ("j-1", "j-2"), "token_id": ("t-1",), "notice_id": ("n-1",),
    "workflow_name": ("ledger-api-ci", "web-front/ci.yml", "w-1"),
}
NOT_CALLED = {("delete", "/auth/token"), ("post", "/auth/refresh")}  # they end the session that asks


# ---- schemas ----

def complaints_about(value, schema, document, where="answer"):
    """What of the value does not fit: the part of JSON schema that the document uses."""
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return complaints_about(value, target, document, where)
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    fits = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
            "integer": int, "number": (int, float)}
    if kinds and not any(isinstance(value, fits[k]) and (k in ("boolean", "null") or not isinstance(value, bool))
                         for k in kinds):
        return [f"{where}: {str(value)[:40]!r} is no {kinds}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        found += [f"{where}: no {name}" for name in schema.get("required", ()) if name not in value]
        for name, item in value.items():
            more = schema.get("additionalProperties", True)
            inner = known.get(name, more if isinstance(more, dict) else None)
            if inner is not None:
                found += complaints_about(item, inner, document, f"{where}.{name}")
            elif more is False:
                found.append(f"{where}: {name} is not documented")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value[:20]):
            found += complaints_about(item, schema["items"], document, f"{where}[{i}]")
    if isinstance(value, str) and schema.get("format") == "date-time" and not re.match(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", value):
        found.append(f"{where}: {value} is no time")
    return found


class Fuzz:
    def __init__(self, world):
        self.world = world
        self.random = random.Random(SEED)
        self.document = world.call("GET", "//openapi.json", token=None).json
        self.complaints, self.n_calls, self.by_class = [], 0, {}

    # ---- values ----

    def fitting(self, schema, name=""):
        r = self.random
        if "enum" in schema:
            return r.choice(schema["enum"])
        if "example" in schema and r.random() < 0.5:
            return schema["example"]
        if schema.get("examples") and r.random() < 0.5:
            return r.choice(schema["examples"])
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            known, needed = schema.get("properties", {}), schema.get("required", ())
            return {k: self.fitting(v, k) for k, v in known.items() if k in needed or r.random() < 0.4}
        if kind == "array":
            return [self.fitting(schema.get("items", {}), name) for _ in range(r.randrange(1, 3))]
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 1000)
            return 0 if name == "wait" else r.choice((low, min(high, low + 1), min(high, 50)))
        if kind == "boolean":
            return r.random() < 0.5
        if schema.get("format") == "date-time":
            return r.choice(("2030-01-01T00:00:00Z", "2001-01-01T00:00:00Z"))
        if name in KNOWN:
            return r.choice(KNOWN[name])
        low, high = schema.get("minLength", 0), schema.get("maxLength", 40)
        return ("text-" + str(r.randrange(9))).ljust(low, "x")[:high]

    def unfitting(self, schema):
        r = self.random
        if r.random() < 0.5 or schema.get("type") == "object":
            return r.choice(KINDS)
        return r.choice(TEXTS)

    def spoil(self, body, schema):
        """One member gone, odd, or too many."""
        r = self.random
        if not isinstance(body, dict) or r.random() < 0.15:
            return r.choice(KINDS)
        body = dict(body)
        names = list(schema.get("properties", {"x": {}}))
        name = r.choice(names)
        how = r.randrange(4)
        if how == 0:
            body[r.choice(("unknown", "", "\u0000", "__proto__"))] = 1
        elif how == 1 and body:
            body.pop(r.choice(list(body)))
        elif how == 2 and isinstance(body.get(name), dict):
            body[name] = self.spoil(body[name], schema["properties"][name])
        else:
            body[name] = self.unfitting(schema.get("properties", {}).get(name, {}))
        return body

    # ---- calls ----

    def call(self, method, path, operation, is_good):
        query, headers, whole = [], {}, path
        for p in operation["parameters"]:
            schema, name = p["schema"], p["name"]
            odd = not is_good and self.random.random() < 0.4
            value = self.unfitting(schema) if odd else self.fitting(schema, name)
            text = value if isinstance(value, str) else json.dumps(value)
            if p["in"] == "path":
                quoted = urllib.parse.quote(text.encode("utf-8", "surrogatepass"), safe="")
                whole = whole.replace("{" + name + "}", quoted or "%20")
            elif p["in"] == "header":
                if odd and text and text.isascii() and text.isprintable():
                    headers[name] = text[:200]
            elif p["required"] or odd or name == "wait" or (self.random.random() < 0.25 and name != "cursor"):
                query.append((name, text))
        body = None
        if "requestBody" in operation:
            media = operation["requestBody"]["content"]["application/json"]
            body = media["example"] if is_good and "example" in media and self.random.random() < 0.5 \
                else self.fitting(media["schema"])
            if not is_good and self.random.random() < 0.8:
                body = self.spoil(body, media["schema"])
            body = json.dumps(body).encode("utf-8", "surrogatepass")
            headers["Content-Type"] = "application/json"
        if query:
            whole += "?" + urllib.parse.urlencode(query, errors="surrogatepass")
        self.check(method, path, operation, whole.removeprefix(BASE), body, headers)

    def check(self, method, path, operation, whole, body, headers):
        where = f"{method.upper()} {whole[:120]} {(body or b'')[:160]!r}"
        answer = self.world.call(method.upper(), whole, body, headers)
        self.n_calls += 1
        status, kind = answer.status, answer.headers.get("Content-Type", "")
        self.by_class[status // 100] = self.by_class.get(status // 100, 0) + 1
        if status == 401 and path not in (BASE + "/auth/token",):
            self.world.sign_in()
        if status >= 500:
            self.complaints.append(f"{where}: {status} {answer.body[:300]!r}")
            return
        promised = operation["responses"].get(str(status))
        if promised is None:
            self.complaints.append(f"{where}: {status} is not documented")
        if status >= 400:
            problem = {"$ref": "#/components/schemas/Problem"}
            if kind != "application/problem+json":
                self.complaints.append(f"{where}: {status} as {kind}")
            else:
                for c in complaints_about(answer.json, problem, self.document, "problem"):
                    self.complaints.append(f"{where}: {c}")
                if answer.json.get("status") != status:
                    self.complaints.append(f"{where}: {status}, but its problem says {answer.json.get('status')}")
        elif promised and status != 304:
            for media, content in promised.get("content", {}).items():
                if media.split(";")[0] != kind.split(";")[0]:
                    self.complaints.append(f"{where}: {kind}, not {media}")
                elif media == "application/json" and "schema" in content:
                    for c in complaints_about(answer.json, content["schema"], self.document):
                        self.complaints.append(f"{where}: {c}")

    def operations(self):
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                short = path.removeprefix(BASE)
                if (method, short) not in NOT_CALLED and "text/event-stream" not in str(operation["responses"]):
                    yield method, path, operation

    def run(self):
        every = list(self.operations())
        for i in range(ROUNDS):
            for method, path, operation in every:
                self.call(method, path, operation, is_good=i % 3 == 0)


def make_things(world):
    """Something of each kind, so that calls have what they are about."""
    world.add_fleet()
    wait_for("the scan of the fleet", lambda: world.call("GET", "/health/ledger-api-ci").status == 200)
    analysis = world.call_until_done("/analyze", {"workflow_name": "ledger-api-ci"})
    assert analysis.status == 200, analysis.body
    made = world.call("POST", "/patches", {"analysis_id": analysis.json["id"], "patch_name": "Fixes"})
    assert made.status == 201, made.body
    deployed = {"strategy": "all-at-once", "bake_ms": 100, "rollback_verify_ms": 0}
    world.call("PATCH", "/patches/p-1", {"deployment_config": deployed})
    assert world.call_until_done("/patches/p-1/test").status == 200
    assert world.call("POST", "/patches/p-1/deploy?wait=120", timeout=150).status in (200, 202)
    token = {"name": "ci", "scopes": ["read"], "expires_in_days": 1}
    assert world.call("POST", "/tokens", token).status == 201


def main():
    with World(sys.argv[1]) as world:
        world.serve(workers=2)
        make_things(world)
        fuzz = Fuzz(world)
        fuzz.run()
        assert world.call("GET", "//healthz", token=None).status == 200
        assert world.server.poll() is None, world.log()
        print(f"{fuzz.n_calls} calls of {len(list(fuzz.operations()))} operations, seed {SEED}; answers by class: "
              f"{dict(sorted(fuzz.by_class.items()))}")
        seen = set()
        for complaint in fuzz.complaints:
            short = re.sub(r"[0-9]+", "#", complaint)
            if short not in seen:
                seen.add(short)
                print(complaint)
        return 1 if fuzz.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
