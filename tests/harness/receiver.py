#!/usr/bin/env python3
"""receiver.py http|smtp LOG [--fail N] [--status S]
            [--retry-after SECONDS] [--hang N] [--redirect URL] [--tls CERT KEY] [--smtps] [--auth USER PASSWORD]

What notices are sent to in tests: a real server on a free port of 127.0.0.1. Prints the port, then
writes each thing that arrives to LOG, a JSON object a line, with what it was answered. The first N
are refused (--fail) or read and never answered (--hang).
"""
import argparse
import base64
import json
import socket
import ssl
import threading
import time

options = argparse.ArgumentParser()
options.add_argument("kind", choices=["http", "smtp"])
options.add_argument("log")
options.add_argument("--fail", type=int, default=0)
options.add_argument("--status", type=int, default=503)
options.add_argument("--retry-after")
options.add_argument("--hang", type=int, default=0)
options.add_argument("--redirect")
options.add_argument("--tls", nargs=2)
options.add_argument("--smtps", action="store_true")
options.add_argument("--auth", nargs=2)
options = options.parse_args()

lock = threading.Lock()
count = 0


def record(entry, refused, taken):
    """Write it down; which one it is, from 1, and its status. Of several at once no more are refused than shall be."""
    global count
    with lock:
        count += 1
        entry |= {"n": count, "at": time.time(), "status": refused if count <= options.fail else taken}
        with open(options.log, "a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        return entry["n"], entry["status"]


def hang(connection):
    """Until the other side has gone."""
    while connection.recv(65536):
        pass


def http(connection):
    stream = connection.makefile("rb")
    while line := stream.readline():
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        entry = {"method": method, "path": path, "headers": headers, "body": body.decode()}
        n, status = record(entry, options.status, 302 if options.redirect else 200)
        if n <= options.hang:
            hang(connection)
            return
        more = f"Location: {options.redirect}\r\n" if status == 302 else ""
        more += f"Retry-After: {options.retry_after}\r\n" if options.retry_after else ""
        text = "taken" if status == 200 else "not now"
        connection.sendall(f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(text)}\r\n\r\n{text}".encode())


def is_right(words):
    user, password = options.auth
    return base64.b64decode(words) == f"\0{user}\0{password}".encode()


def with_tls(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*options.tls)
    return context.wrap_socket(connection, server_side=True)


def smtp(connection):
    entry = {"to": [], "tls": options.smtps, "auth": False}
    connection = with_tls(connection) if options.smtps else connection

    def say(text):
        connection.sendall((text + "\r\n").encode())

    say("220 receiver")
    stream = connection.makefile("rb")
    while line := stream.readline().decode().rstrip("\r\n"):
        verb = line.upper().split(" ")[0]
        if verb == "EHLO":
            offers = ["receiver", "8BITMIME"]
            offers += ["STARTTLS"] if options.tls and not entry["tls"] else []
            offers += ["AUTH PLAIN"] if options.auth and (entry["tls"] or not options.tls) else []
            for i, offer in enumerate(offers):
                say(f"250{' ' if i == len(offers) - 1 else '-'}{offer}")
        elif verb == "STARTTLS":
            say("220 go on")
            connection = with_tls(connection)
            stream = connection.makefile("rb")
            entry["tls"] = True
        elif verb == "AUTH":
            words = line.split(" ")
            if len(words) < 3:
                say("334 ")
                words.append(stream.readline().decode().strip())
            entry["auth"] = is_right(words[2])
            say("235 welcome" if entry["auth"] else "535 who are you")
        elif verb == "MAIL":
            entry["from"] = line
            say("250 ok")
        elif verb == "RCPT":
            entry["to"].append(line)
            say("250 ok")
        elif verb == "DATA":
            say("354 go on")
            data = b""
            while not data.endswith(b"\r\n.\r\n"):
                data += stream.readline()
            n, status = record(entry | {"data": data.decode()}, 451, 250)
            if n <= options.hang:
                hang(connection)
                return
            say("451 not now" if status == 451 else "250 taken")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("502 what")


def serve(connection):
    try:
        (http if options.kind == "http" else smtp)(connection)
    except (OSError, ValueError) as error:
        print(f"receiver: {error}", flush=True)
    finally:
        connection.close()


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
