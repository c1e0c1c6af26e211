import io
import json
import pathlib
import re
import unittest

from ledger.app import App
from ledger.balance import total


class AppTest(unittest.TestCase):
    def setUp(self):
        self.app = App()

    def ask(self, method, path, body=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        seen = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": io.BytesIO(data),
        }
        answer = b"".join(self.app(environ, lambda status, headers: seen.append(status)))
        return int(seen[0].split()[0]), json.loads(answer)

    def test_health(self):
        self.assertEqual(self.ask("GET", "/healthz"), (200, {"balanced": True}))

    def test_open_post_and_show(self):
        for account in ("cash", "sales"):
            self.assertEqual(self.ask("POST", "/accounts", {"account": account})[0], 201)
        postings = [{"account": "cash", "cents": 7}, {"account": "sales", "cents": -7}]
        body = {"reference": "t1", "postings": postings}
        self.assertEqual(self.ask("POST", "/transactions", body)[0], 201)
        self.assertEqual(self.ask("POST", "/transactions", body)[0], 409)
        self.assertEqual(self.ask("GET", "/accounts/cash")[1]["cents"], 7)

    def test_errors(self):
        self.assertEqual(self.ask("GET", "/accounts/none")[0], 404)
        self.assertEqual(self.ask("POST", "/accounts", b"{")[0], 400)
        self.assertEqual(self.ask("POST", "/transactions", {"reference": "x"})[0], 400)
        self.assertEqual(self.ask("DELETE", "/accounts")[0], 404)

    def test_every_path_is_documented(self):
        document = (pathlib.Path(__file__).parent.parent / "openapi.yaml").read_text()
        paths = re.findall(r"^  (/\S*):$", document, re.M)
        self.assertEqual(paths, ["/healthz", "/accounts", "/accounts/{account}", "/transactions"])

    def test_trial_balance_of_an_export(self):
        self.assertEqual(total(["cash;500\n", "sales:2026;-500\n", "\n"]), 0)
