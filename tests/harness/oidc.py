#!/usr/bin/env python3
"""A small OpenID Connect provider for tests: discovery, keys, the device flow, and any token that a
test wants signed, right or wrong. Keys are made by openssl at the start, in a folder of its own.

usage: oidc.py FOLDER      prints two ports, of http and https, then serves 127.0.0.1 until killed;
                           whoever is asked by https believes FOLDER/tls.pem

What a test says, as JSON by POST:
  /mint    {"key": "rsa-1", "header": "...", "payload": "..."}   a token; texts are taken as they are,
           @ISS is the issuer, @+300 and @-5 are seconds from now. Keys: those published, "stranger",
           "none", "hmac" (HS256 with the text of rsa-1's public key), "empty" (no signature)
  /decide  {"user_code": "...", "say": "yes" | "no" | "expire", "claims": {...}}   the browser
  /rotate  {}   a new RSA key is published in place of those before
  /set     {"slow_down": 1, "interval": 1, "broken": "issuer" | "keys" | "device" | null,
           "hang": true}   while it hangs, nothing that is asked for by GET is answered
       {"unwell": [503, 0]}   the next polls are answered by a page that is no JSON; 0: not at all
       {"plain": "jwks_uri"}   that address in what https answers is one of http
  /stats   {}   how often each path was asked for
  /reset   {}   everything as at the start
"""
import base64
import functools
import hmac
import http.server
import json
import pathlib
import re
import secrets
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])
LOCK = threading.RLock()
FLOWS = {}
STATS = {}
HERE = threading.local()
BEGINNING = {"slow_down": 0, "interval": 1, "broken": None, "hang": False, "unwell": [], "plain": None}
SETTINGS = dict(BEGINNING)
PUBLISHED = ["rsa-1", "ec-1"]
CLIENT = "wpa-client"
ISSUER = ""


def openssl(*words, stdin=None):
    return subprocess.run(["openssl", *words], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


def make_certificate(path):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path) + ".key", "-out", str(path))


def address(name, path):
    """Where something is; by http although it was asked for by https, if a test wants that."""
    return (ISSUER if SETTINGS["plain"] == name else HERE.issuer) + path


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_key(kid):
    path = FOLDER / f"{kid}.pem"
    if kid.startswith("ec"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))
    else:
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(path))


@functools.cache
def public_pem(kid):
    return openssl("pkey", "-in", str(FOLDER / f"{kid}.pem"), "-pubout")


@functools.cache
def jwk(kid):
    if kid.startswith("ec"):
        point = openssl("pkey", "-in", str(FOLDER / f"{kid}.pem"), "-pubout", "-outform", "DER")[-64:]
        return {"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256",
                "x": b64(point[:32]), "y": b64(point[32:])}
    modulus = openssl("rsa", "-pubin", "-modulus", "-noout", stdin=public_pem(kid)).decode()
    number = int(modulus.strip().split("=")[1], 16)
    return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "e": "AQAB",
            "n": b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))}


def raw_signature(der):
    """ECDSA's two numbers out of their DER: 64 bytes."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big"))
        at += 2 + length
    return b"".join(n.to_bytes(32, "big") for n in numbers)


def sign(key, text):
    if key in ("none", "empty"):
        return b""
    if key == "hmac":
        return hmac.new(public_pem("rsa-1"), text, "sha256").digest()
    signature = openssl("dgst", "-sha256", "-sign", str(FOLDER / f"{key}.pem"), stdin=text)
    return raw_signature(signature) if key.startswith("ec") else signature


def fill(text):
    text = text.replace("@ISS", ISSUER)
    return re.sub(r"@([+-]\d+)", lambda m: str(int(time.time()) + int(m.group(1))), text)


def mint(key, header, payload):
    text = f"{b64(fill(header).encode())}.{b64(fill(payload).encode())}".encode()
    return f"{text.decode()}.{b64(sign(key, text))}"


def id_token(flow):
    now = int(time.time())
    claims = {"iss": HERE.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": flow["nonce"]}
    claims.update(flow["claims"])
    return mint("ec-1", json.dumps({"alg": "ES256", "kid": "ec-1", "typ": "JWT"}), json.dumps(claims))


def begin_flow(form):
    if form.get("client_id") != CLIENT or SETTINGS["broken"] == "device":
        return 401, {"error": "invalid_client"}
    code = secrets.token_hex(16)
    user_code = "-".join("".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(4)) for _ in "ab")
    FLOWS[code] = {"user_code": user_code, "nonce": form.get("nonce", ""), "said": None, "claims": {}}
    return 200, {"device_code": code, "user_code": user_code, "expires_in": 600,
                 "interval": SETTINGS["interval"], "verification_uri": address("verification_uri", "/device"),
                 "verification_uri_complete": address("whole_uri", f"/device?user_code={user_code}")}


def poll_flow(form):
    flow = FLOWS.get(form.get("device_code"))
    if SETTINGS["unwell"]:
        return SETTINGS["unwell"].pop(0), "<html>We are sorry</html>"
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code":
        return 400, {"error": "unsupported_grant_type"}
    if not flow or form.get("client_id") != CLIENT:
        return 400, {"error": "invalid_grant"}
    if SETTINGS["slow_down"] > 0:
        SETTINGS["slow_down"] -= 1
        return 400, {"error": "slow_down"}
    if flow["said"] == "yes":
        del FLOWS[form["device_code"]]
        return 200, {"access_token": "not-looked-at", "token_type": "Bearer", "id_token": id_token(flow)}
    words = {None: "authorization_pending", "no": "access_denied", "expire": "expired_token"}
    return 400, {"error": words[flow["said"]]}


def decide(order):
    for flow in FLOWS.values():
        if flow["user_code"] == order["user_code"]:
            flow.update(said=order["say"], claims=order.get("claims", {}))
            return 200, {}
    return 404, {"error": "no such code"}


def rotate(_):
    kid = f"rsa-{len(list(FOLDER.glob('rsa-*.pem'))) + 1}"
    make_key(kid)
    PUBLISHED[:] = [kid, "ec-1"]
    return 200, {"kid": kid}


def change(order):
    SETTINGS.update(order)
    return 200, {}


def reset(_):
    PUBLISHED[:] = ["rsa-1", "ec-1"]
    SETTINGS.update(BEGINNING, unwell=[])
    FLOWS.clear()
    STATS.clear()
    return 200, {}


def discovery():
    name = "https://other.example" if SETTINGS["broken"] == "issuer" else HERE.issuer
    paths = {"jwks_uri": "/keys", "token_endpoint": "/token", "device_authorization_endpoint": "/authorize"}
    return 200, {"issuer": name, **{name: address(name, path) for name, path in paths.items()}}


def keys():
    if SETTINGS["broken"] == "keys":
        return 500, {"error": "server_error"}
    return 200, {"keys": [jwk(kid) for kid in PUBLISHED]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        if status == 0:
            self.close_connection = True
            return
        is_page = isinstance(value, str)
        body = (value if is_page else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if is_page else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        HERE.issuer = self.server.issuer
        with LOCK:
            STATS[self.path] = STATS.get(self.path, 0) + 1
        while SETTINGS["hang"]:
            time.sleep(0.02)
        with LOCK:
            routes = {"/.well-known/openid-configuration": discovery, "/keys": keys}
            self.answer(*(routes[self.path]() if self.path in routes else (404, {})))

    def do_POST(self):
        HERE.issuer = self.server.issuer
        with LOCK:
            STATS[self.path] = STATS.get(self.path, 0) + 1
            text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            forms = {"/authorize": begin_flow, "/token": poll_flow}
            orders = {"/decide": decide, "/rotate": rotate, "/set": change, "/reset": reset,
                      "/stats": lambda _: (200, STATS),
                      "/mint": lambda o: (200, {"token": mint(o["key"], o["header"], o["payload"])})}
            if self.path in forms:
                self.answer(*forms[self.path](dict(urllib.parse.parse_qsl(text))))
            elif self.path in orders:
                self.answer(*orders[self.path](json.loads(text or "{}")))
            else:
                self.answer(404, {})

    def log_message(self, *_):
        pass


def main():
    global ISSUER
    for kid in ("rsa-1", "ec-1", "stranger"):
        make_key(kid)
    make_certificate(FOLDER / "tls.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "tls.pem", FOLDER / "tls.pem.key")
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    for server, scheme in zip(servers, ("http", "https")):
        server.daemon_threads = True
        server.issuer = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
    ISSUER = servers[0].issuer
    print(*(server.server_address[1] for server in servers), flush=True)
    threading.Thread(target=servers[1].serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
