"""The HTTP interface as a WSGI application (openapi.yaml describes it)."""
import json

from ledger.book import Book, LedgerError, Posting

REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 409: "Conflict"}


class App:
    def __init__(self, book=None):
        self.book = book if book is not None else Book()

    def __call__(self, environ, start_response):
        status, body = self.answer(environ)
        data = json.dumps(body, sort_keys=True).encode()
        start_response(
            f"{status} {REASONS[status]}",
            [("Content-Type", "application/json"), ("Content-Length", str(len(data)))],
        )
        return [data]

    def answer(self, environ):
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        if (method, path) == ("GET", "/healthz"):
            return (200, {"balanced": self.book.trial_balance() == 0})
        if method == "GET" and path.startswith("/accounts/"):
            return self.show(path.removeprefix("/accounts/"))
        if method == "POST" and path in ("/accounts", "/transactions"):
            return self.change(path, environ)
        return (404, {"error": "no such resource"})

    def show(self, account):
        if account not in self.book.balances:
            return (404, {"error": f"no account {account}"})
        return (200, {"account": account, "cents": self.book.balances[account]})

    def change(self, path, environ):
        try:
            size = min(int(environ.get("CONTENT_LENGTH") or 0), 65536)
            body = json.loads(environ["wsgi.input"].read(size))
            if path == "/accounts":
                self.book.open(body["account"])
                return (201, {"account": body["account"]})
            postings = [Posting(p["account"], int(p["cents"])) for p in body["postings"]]
            self.book.post(body["reference"], postings)
            return (201, {"reference": body["reference"]})
        except LedgerError as error:
            return (409, {"error": str(error)})
        except (KeyError, TypeError, ValueError):
            return (400, {"error": "malformed request"})
