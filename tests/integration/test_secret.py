"""The page behind a one-time link: what it says, what uses it up, and what nothing does."""
import base64
import hashlib
import html.parser
import os
import re
import sqlite3
import statistics
import subprocess
import time
import unittest

import harness
from raw_client import Client, eventually

PROBE = os.environ.get("SECRET_PROBE", "build/tests/integration/secret_probe")
VALUE = "Xk7#<&mPq\"r"        # with what must be escaped
FORM = "Content-Type: application/x-www-form-urlencoded"


class Page(html.parser.HTMLParser):
    """What a reader of the page without scripts has to go on."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.values, self.text, self.attributes = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag == "input":
            self.values.append(dict(attrs)["value"])

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.text += data


class SecretCase(harness.Case):
    settings = {"log": {"level": "debug"}}

    def operation(self):
        """An ended operation on an issue: (its id, the issue)."""
        issue = self.issue()
        status, _, body = self.service.post("user.disable", {"user": harness.USERS["ada"], "issue": issue})
        self.assertEqual(status, 200, body)
        return body["operation"], issue

    def link(self, operation, value=VALUE, what="password", expire_ms=3600000):
        """The path of a link to a new secret of that operation."""
        r = subprocess.run([PROBE, "sqlite:%s" % (self.service.folder / "bridge.db"), str(self.service.folder / "keys"),
                            "http://127.0.0.1:%d" % self.service.port, operation, what, value, str(expire_ms)],
                           capture_output=True, text=True, check=True)
        return "/" + r.stdout.strip().split("/", 3)[3]

    def ask(self, method, path, *headers, body=b""):
        """(status, headers by lower-case name, text)."""
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: 127.0.0.1:%d" % self.service.port, *headers]
        if method == "POST":
            lines.append("Content-Length: %d" % len(body))
        with Client(self.service.port) as c:
            c.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            status, got, text = c.answer(method)
            return status, got, text.decode()

    def open(self, path, *headers):
        return self.ask("POST", path, FORM, *(headers or ("Origin: null", "Sec-Fetch-Site: same-origin")))

    def rows(self, sql, *values):
        db = sqlite3.connect(self.service.folder / "bridge.db")
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


class Shown(SecretCase):
    def test_once(self):
        operation, issue = self.operation()
        path = self.link(operation)
        for _ in range(3):                                  # previews and scanners
            status, _, text = self.ask("GET", path)
            self.assertEqual(status, 200)
            self.assertNotIn("Xk7", text)
        page = Page(text)
        self.assertIn(issue, page.text)
        self.assertIn("user.disable", page.text)
        self.assertIn(operation, page.text)
        self.assertRegex(page.text, r"works until20\d\d-\d\d-\d\d \d\d:\d\d UTC")
        self.assertNotIn("Ada", page.text)                  # no person is named
        self.assertNotIn("@", page.text)
        self.assertNotIn(path.rsplit("/", 1)[1], text)      # the form goes to where the page came from
        status, _, text = self.open(path)
        self.assertEqual(status, 200)
        self.assertEqual(Page(text).values, [VALUE])
        for method in ("GET", "POST"):
            status, _, text = self.open(path) if method == "POST" else self.ask("GET", path)
            self.assertEqual(status, 410)
            self.assertNotIn("Xk7", text)
        self.assertEqual(self.rows("SELECT sealed FROM secrets WHERE operation = ?", operation), [(None,)])

    def test_noted(self):
        operation, issue = self.operation()
        self.assertTrue(self.sim.wait_comments(issue, 1))
        path = self.link(operation, value="12345678", what="temporaryAccessPass")
        status, _, text = self.open(path)
        self.assertEqual(status, 200)
        self.assertIn("temporary access pass", text)
        self.assertTrue(self.sim.wait_comments(issue, 2))
        comment = str(self.sim.comments(issue)[-1])
        self.assertIn("The temporary access pass of operation %s was opened at 20" % operation, comment)
        self.assertIn(operation + ":opened", comment)
        self.assertNotIn("12345678", comment)
        self.assertNotIn(path.split("/")[3], comment)
        self.open(path)                                     # refused: nothing more is noted
        [(event, data)] = self.rows("SELECT event, data FROM audit WHERE operation = ? AND event LIKE 'secret%'", operation)
        self.assertEqual(event, "secret.opened")
        self.assertIn("temporaryAccessPass", data)
        self.assertNotIn("12345678", data)
        self.assertEqual(self.service.cli("audit", "verify").returncode, 0)
        self.assertEqual(len(self.sim.comments(issue)), 2)

    def test_note_in_doubt(self):
        """The note's answer was lost: it is found again as what it is, not taken for the operation's own comment."""
        operation, issue = self.operation()
        self.assertTrue(self.sim.wait_comments(issue, 1))
        for fault, tries in (("drop_after", 1), ("drop_before", 2)):
            with self.subTest(fault):
                operation, issue = self.operation()
                self.assertTrue(self.sim.wait_comments(issue, 1))
                posted = len(self.posts())
                self.sim.fault({"method": "POST", "path": "/comment"}, **{fault: True})
                self.assertEqual(self.open(self.link(operation))[0], 200)
                self.assertTrue(self.sim.wait_comments(issue, 2, 40000))
                eventually(lambda: self.rows("SELECT state FROM outbox WHERE operation = ? AND kind = 'opened'", operation) == [("posted",)], 40)
                own, note = (self.rows("SELECT comment_id FROM outbox WHERE operation = ? AND kind = ?", operation, k)[0][0] for k in ("comment", "opened"))
                self.assertNotEqual(own, note)
                self.assertEqual(len(self.sim.comments(issue)), 2)
                self.assertEqual(len(self.posts()) - posted, tries)

    def posts(self):
        return [c for c in self.sim.get("/sim/calls")["calls"] if c["method"] == "POST" and c["path"].endswith("/comment")]

    def test_without_an_issue(self):
        status, _, body = self.service.post("group.add_member", {"user": harness.USERS["grace"], "group": "VPN Users"})
        self.assertEqual(status, 200, body)
        path = self.link(body["operation"])
        self.assertNotIn("issue", Page(self.ask("GET", path)[2]).text.lower())
        self.assertEqual(Page(self.open(path)[2]).values, [VALUE])
        self.assertEqual(self.rows("SELECT count(*) FROM outbox WHERE operation = ? AND kind = 'opened'", body["operation"]), [(0,)])

    def test_newer_link(self):
        operation, _ = self.operation()
        old, new = self.link(operation), self.link(operation, value="another")
        self.assertEqual(self.open(old)[0], 410)
        self.assertEqual(Page(self.open(new)[2]).values, ["another"])


class Refused(SecretCase):
    def test_one_page_for_all(self):
        operation, _ = self.operation()
        used, other = self.link(operation), self.link(self.operation()[0])
        used = self.link(operation)
        self.open(used)
        expired = self.link(self.operation()[0], expire_ms=1)
        time.sleep(0.02)
        secret, name, key = other.split("/")[1:]
        wrong = "A" * 42 + "E" if not key.startswith("AAAA") else "B" * 42 + "E"
        paths = {"used": used, "expired": expired, "wrong key": "/secret/%s/%s" % (name, wrong), "key of another": "/secret/%s/%s" % (name, used.split("/")[3]),
                 "unknown": "/secret/00000000-0000-4000-8000-000000000000/" + key, "cut": other[:-1], "longer": other + "A",
                 "upper case": "/secret/%s/%s" % (name.upper(), key), "no id": "/secret/x/" + key, "odd": "/secret/%s/%s" % (name, "%27%20OR%201=1")}
        seen = set()
        for why, path in paths.items():
            for answer in (self.ask("GET", path), self.open(path)):
                with self.subTest(why):
                    self.assertEqual(answer[0], 410)
                    seen.add((tuple(sorted((k, v) for k, v in answer[1].items() if k != "date")), answer[2]))
        self.assertEqual(len(seen), 1)
        self.assertEqual(Page(self.open(other)[2]).values, [VALUE])          # none of it used the good one up

    def test_same_time(self):
        """Not a proof: the medians of what an outsider can ask lie close together."""
        used = self.link(self.operation()[0])
        self.open(used)
        good = self.link(self.operation()[0])
        name = good.split("/")[2]
        paths = [used, "/secret/%s/%s" % (name, "A" * 42 + "E"), "/secret/00000000-0000-4000-8000-000000000000/" + "A" * 42 + "E"]
        times = {p: [] for p in paths}
        with Client(self.service.port) as c:
            for _ in range(60):
                for p in paths:
                    began = time.perf_counter()
                    c.send(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % p).encode())
                    self.assertEqual(c.answer()[0], 410)
                    times[p].append(time.perf_counter() - began)
        medians = [statistics.median(t) for t in times.values()]
        self.assertLess(max(medians) - min(medians), 0.002 * harness.SLOW, medians)

    def test_methods_and_origins(self):
        path = self.link(self.operation()[0])
        status, headers, _ = self.ask("HEAD", path)
        self.assertEqual((status, headers["allow"]), (405, "GET, POST"))
        self.assertEqual(self.ask("DELETE", path)[0], 405)
        self.assertEqual(self.ask("POST", path, "Content-Type: application/json", body=b"{}")[0], 415)
        self.assertEqual(self.ask("POST", path)[0], 415)
        ours = "http://127.0.0.1:%d" % self.service.port
        for headers in (["Origin: https://evil.example"], ["Origin: %s.evil.example" % ours], ["Sec-Fetch-Site: cross-site"],
                        ["Sec-Fetch-Site: cross-site", "Origin: null"], ["Sec-Fetch-Site: same-site"], ["Sec-Fetch-Site: none"],
                        ["Sec-Fetch-Site: same-origin", "Origin: https://evil.example"], ["Origin:"]):
            with self.subTest(headers):
                status, _, text = self.open(path, *headers)
                self.assertEqual(status, 403)
                self.assertNotIn("Xk7", text)
        self.assertEqual(self.ask("GET", path)[0], 200)
        for headers in (["Origin: " + ours], ["Origin: " + ours, "Sec-Fetch-Site: same-origin"], ["Origin: null"], ["User-Agent: old"]):
            with self.subTest(headers):
                self.assertEqual(self.open(self.link(self.operation()[0]), *headers)[0], 200)


class Safe(SecretCase):
    def test_headers_and_form(self):
        path = self.link(self.operation()[0])
        for answer in (self.ask("GET", path), self.open(path), self.open(path)):
            with self.subTest(answer[0]):
                headers, text = answer[1], answer[2]
                self.assertEqual(headers["content-type"], "text/html; charset=utf-8")
                self.assertEqual(headers["cache-control"], "no-store")
                self.assertEqual(headers["referrer-policy"], "no-referrer")
                self.assertEqual(headers["x-content-type-options"], "nosniff")
                self.assertEqual(headers["x-frame-options"], "DENY")
                self.assertIn("noindex", headers["x-robots-tag"])
                style = re.search("<style>(.*?)</style>", text, re.S).group(1)
                digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
                self.assertEqual(headers["content-security-policy"], "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
                                 "frame-ancestors 'none'; base-uri 'none'" % digest)
                page = Page(text)
                self.assertIn(("html", {"lang": "en"}), page.attributes)
                for needed in ("title", "main", "h1"):
                    self.assertEqual(page.tags.count(needed), 1)
                for never in ("script", "img", "link", "iframe", "a"):
                    self.assertNotIn(never, page.tags)
                self.assertFalse([a for _, a in page.attributes if "style" in a or any(k.startswith("on") for k in a)])
                labels = {a["for"] for t, a in page.attributes if t == "label"}
                self.assertEqual(labels, {a["id"] for t, a in page.attributes if t == "input"})

    def test_nothing_of_it_is_logged(self):
        path = self.link(self.operation()[0])
        name, key = path.split("/")[2:]
        self.ask("GET", path)
        self.ask("HEAD", path)
        self.open(path, "Origin: https://evil.example")
        self.open(path)
        self.ask("GET", path)
        self.ask("BREW", path)
        self.ask("GET", path + "%00")
        eventually(lambda: "secret opened" in (self.service.folder / "log").read_text())
        log = (self.service.folder / "log").read_text()
        metrics = harness.call(self.service.port, "GET", "/metrics")[2]
        for text in (log, metrics):
            for part in (name, key, key[:16], "Xk7"):
                self.assertNotIn(part, text)
        for result in ("seen", "opened", "refused"):
            self.assertRegex(metrics, 'entrabridge_secret_links_total{result="%s"} [1-9]' % result)
        for row in self.rows("SELECT payload FROM outbox") + self.rows("SELECT data FROM audit") + self.rows("SELECT answer FROM conclusions"):
            self.assertNotIn(key, str(row))
        for row in self.rows("SELECT * FROM secrets"):
            self.assertNotIn(key, str(row))
            self.assertNotIn("Xk7", str(row))


class Crash(unittest.TestCase):
    def setUp(self):
        self.sim = harness.Sim()
        self.service = harness.Service(self.sim)
        self.service.token()
        self.service.start()

    def tearDown(self):
        self.service.close()
        self.sim.close()

    rows, link, operation, issue, ask, open = (getattr(SecretCase, n) for n in ("rows", "link", "operation", "issue", "ask", "open"))

    def test_between_commit_and_answer(self):
        """Killed while it opens, at any moment: shown at most once, and opened for good once the disk says so."""
        paths = [self.link(self.operation()[0]) for _ in range(12)]
        for n, path in enumerate(paths):
            with Client(self.service.port) as c:
                c.send(("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 0\r\n\r\n" % (path, FORM)).encode())
                time.sleep(n * 0.0008)
                self.service.kill()
                try:
                    answer = c.answer("POST")
                except OSError:
                    answer = None
            shown = answer is not None and answer[0] == 200
            self.service.start()
            [(opened, sealed)] = self.rows("SELECT opened_ms, sealed FROM secrets WHERE id = ?", path.split("/")[2])
            self.assertEqual(opened == 0, sealed is not None)
            if shown:
                self.assertGreater(opened, 0)
            status, _, text = self.open(path)
            self.assertEqual(status, 410 if opened else 200)
            self.assertEqual("Xk7" in text, not opened)
            self.assertEqual(self.open(path)[0], 410)

    def test_client_gone(self):
        path = self.link(self.operation()[0])
        with Client(self.service.port) as c:
            c.send(("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\nContent-Length: 0\r\n\r\n" % (path, FORM)).encode())
        eventually(lambda: self.ask("GET", path)[0] == 410)

    def test_expired_ones_go(self):
        operation, _ = self.operation()
        self.link(operation, expire_ms=1)
        time.sleep(0.02)
        self.service.stop()
        self.service.start()
        eventually(lambda: not self.rows("SELECT 1 FROM secrets"))

    def test_altered(self):
        """Sealed under another key, or changed in the database: not shown, not used up, and the log says so."""
        path = self.link(self.operation()[0])
        self.service.stop()
        db = sqlite3.connect(self.service.folder / "bridge.db")
        [(before,)] = db.execute("SELECT sealed FROM secrets").fetchall()
        with db:
            db.execute("UPDATE secrets SET sealed = ?", (before[:20] + ("A" if before[20] != "A" else "B") + before[21:],))
        self.service.start()
        status, headers, text = self.open(path)
        self.assertEqual((status, headers["retry-after"]), (503, "10"))
        self.assertNotIn("Xk7", text)
        with db:
            db.execute("UPDATE secrets SET sealed = ?", (before,))
        db.close()
        self.assertEqual(self.open(path)[0], 200)
        self.assertIn("secrets.key", self.service.log_text())


if __name__ == "__main__":
    unittest.main()
