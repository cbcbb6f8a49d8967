#!/usr/bin/env python3
"""What the server does with bytes that no decent client sends, over a raw socket, plain and TLS.

    raw_socket.py --probe BINARY                     everything, against server_probe (its routes, limits that fit a test)
    raw_socket.py --at HOST:PORT [--tls] [--get PATH] [--post PATH] [--token T]    the table alone, against a server that runs

Every row of the table has to be answered with its status and code, once, in JSON, and closed. The rows are what bare evhttp lets
through, so a library without its security fixes, or a guard that has lost a check, is seen here.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from raw_client import SLOW, Client, Dripping, eventually, get, post
from raw_rows import check_row, media_rows, table

ARGS = None


# ---- the probe ----

class Probe:
    def __init__(self, **settings):
        # The sanitizer's quarantine keeps what was freed: it would be taken for our memory.
        env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
        self.process = subprocess.Popen([ARGS.probe] + ["%s=%s" % s for s in settings.items()], stdout=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        assert line.startswith("port "), line
        self.port = int(line.split()[1])

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        """Waits until it has, and returns what came of it."""
        self.signal(signal.SIGHUP)
        return self.process.stdout.readline().strip()

    def resident(self):
        """KiB."""
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def cpu(self):
        """Seconds."""
        with open("/proc/%d/stat" % self.process.pid) as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    def stop(self, within=10):
        """Drains; the exit code says whether a sanitizer had something to say."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(within * SLOW)
        finally:
            self.process.kill()
            self.process.stdout.close()
        assert code == 0, "server_probe ended with %d" % code


@contextlib.contextmanager
def probe(**settings):
    p = Probe(**settings)
    try:
        yield p
    except BaseException:
        p.process.kill()
        p.process.wait()
        p.process.stdout.close()
        raise
    p.stop()


def make_certificate(folder, name):
    cert, key = (os.path.join(folder, name + end) for end in (".pem", ".key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def client_context(cafile, **options):
    context = ssl.create_default_context(cafile=cafile)
    for name, value in options.items():
        setattr(context, name, value)
    return context


class Base(unittest.TestCase):
    folder = None

    @classmethod
    def setUpClass(cls):
        if not ARGS.probe:
            raise unittest.SkipTest("only with --probe")
        if Base.folder is None:
            Base.keep = tempfile.TemporaryDirectory()
            Base.folder = Base.keep.name
            Base.cert, Base.key = make_certificate(Base.folder, "one")
            Base.other_cert, Base.other_key = make_certificate(Base.folder, "two")

    def ask(self, port, data, tls=None, method="GET"):
        with Client(port, tls) as c:
            c.send(data)
            return c.answer(method)


class Table(Base):
    """Every row, plain and over TLS."""

    def run_rows(self, port, tls):
        rows = table("/healthz", "/v1/echo") + media_rows("/v1/echo")
        for row in rows:
            with self.subTest(row[0]):
                check_row(self, lambda: Client(port, tls), row)
        for row in rows:
            if len(row[1]) < 600:       # byte by byte: pieces must not matter
                with self.subTest(row[0] + ", in pieces"):
                    check_row(self, lambda: Dripping(port, tls), row)

    def test_plain(self):
        with probe() as p:
            self.run_rows(p.port, None)

    def test_tls(self):
        with probe(tls="%s,%s" % (self.cert, self.key)) as p:
            self.run_rows(p.port, client_context(self.cert))


class Good(Base):
    """What must be served, plain and over TLS."""

    def each(self, check, **settings):
        with probe(**settings) as p:
            check(p, None)
        with probe(tls="%s,%s" % (self.cert, self.key), **settings) as p:
            check(p, client_context(self.cert))

    def test_pipelined(self):
        def check(p, tls):
            with Client(p.port, tls) as c:
                c.send(b"".join(post("/v1/echo", b" " * i) + get("/healthz") + get("/v1/things/%d" % i, "x-automation-key: good")
                                for i in range(50)))
                for i in range(50):
                    self.assertEqual(json.loads(c.answer()[2])["length"], i)
                    self.assertEqual(c.answer()[0], 200)
                    self.assertEqual(json.loads(c.answer()[2])["id"], str(i))
        self.each(check)

    def test_pipelined_behind_one_that_waits(self):
        def check(p, tls):
            with Client(p.port, tls) as c:
                c.send(post("/v1/wait") + get("/healthz") + b"GET /bad path HTTP/1.1\r\n\r\n" + get("/healthz"))
                self.assertEqual(json.loads(c.answer()[2]), {"waited": True})
                self.assertEqual(json.loads(c.answer()[2]), {"alive": True})
                self.assertEqual(c.answer()[0], 400)
                self.assertTrue(c.closed())
        self.each(check)

    def test_body_beyond_the_first_read(self):
        def check(p, tls):
            with Client(p.port, tls) as c:
                for size in (0, 1, 4000, 16000, 20000, 65536):
                    c.send(post("/v1/echo", b" " * size) + get("/healthz"))
                    self.assertEqual(json.loads(c.answer()[2])["length"], size)
                    self.assertEqual(c.answer()[0], 200)
        self.each(check)

    def test_expect(self):
        def check(p, tls):
            with Client(p.port, tls) as c:
                for _ in range(3):
                    c.send(post("/v1/echo", b"", "Expect: 100-continue", length=5))
                    self.assertEqual(c.answer()[0], 100)
                    c.send(b"12345")
                    self.assertEqual(json.loads(c.answer()[2])["length"], 5)
        self.each(check)

    def test_slow_writer_within_the_deadline(self):
        def check(p, tls):
            with Dripping(p.port, tls) as c:
                for _ in range(3):
                    c.send(post("/v1/echo", b"x" * 300))
                    self.assertEqual(json.loads(c.answer()[2])["length"], 300)
        self.each(check)

    def test_half_closed(self):
        with probe() as p, Client(p.port) as c:
            c.send(post("/v1/wait"))
            c.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(json.loads(c.answer()[2]), {"waited": True})
            self.assertTrue(c.closed())
        with probe() as p, Client(p.port) as c:             # an answer that takes several writes
            c.send(get("/v1/big", "x-automation-key: good"))
            c.socket.shutdown(socket.SHUT_WR)
            c.await_bytes()
            self.assertEqual(len(c.answer()[2]), 8 << 20)

    def test_head(self):
        def check(p, tls):
            with Client(p.port, tls) as c:
                c.send(get("/healthz"))
                full = c.answer()
                c.send(get("/healthz", method="HEAD"))
                status, headers, body = c.answer("HEAD")
                self.assertEqual((status, headers["content-length"], body), (200, str(len(full[2])), b""))
                c.send(get("/healthz"))
                self.assertEqual(c.answer()[0], 200)
        self.each(check)

    def test_connection(self):
        rows = [
            ("close", get("/healthz", "Connection: close"), True), ("close among others", get("/healthz", "Connection: close, TE"), True),
            ("Close", get("/healthz", "Connection: TE , Close"), True), ("kept", get("/healthz"), False),
            ("1.0", get("/healthz", version="HTTP/1.0"), True), ("1.0 without Host", get("/healthz", version="HTTP/1.0", host=None), True),
            ("1.0 kept", get("/healthz", "Connection: keep-alive", version="HTTP/1.0"), False),
        ]
        with probe() as p:
            for why, data, closes in rows:
                with self.subTest(why), Client(p.port) as c:
                    c.send(data)
                    self.assertEqual(c.answer()[0], 200)
                    self.assertEqual(c.closed(0.3), closes)

    def test_behind_proxy_every_answer_closes(self):
        with probe(behind_proxy="true") as p:
            for data in (get("/healthz"), get("/healthz", "Connection: keep-alive", version="HTTP/1.0"), post("/v1/echo")):
                with Client(p.port) as c:
                    c.send(data + get("/healthz"))
                    status, headers, _ = c.answer()
                    self.assertEqual((status, headers["connection"]), (200, "close"))
                    self.assertTrue(c.closed())

    def test_values(self):
        token = "x-automation-key: good"
        with probe() as p:
            thing = lambda path: json.loads(self.ask(p.port, get(path, token))[2])
            self.assertEqual(thing("/v1/things/a%20b%C3%A9%F0%9F%98%80"), {"id": "a bé😀", "issue": None, "path": "/v1/things/a%20b%C3%A9%F0%9F%98%80"})
            self.assertEqual(thing("/v1/things/1?x=2&issue=ITSM%2D42&issue=3"), {"id": "1", "issue": "ITSM-42", "path": "/v1/things/1"})
            self.assertEqual(self.ask(p.port, get("/v1/things/", token))[0], 404)
            self.assertEqual(self.ask(p.port, get("/v1/things/1/2", token))[0], 404)
            self.assertEqual(self.ask(p.port, get("/" + "/".join("abcdefghijkl"), token))[0], 404)
            for media in ("application/json", "Application/JSON;charset=UTF-8", "application/json ; a=b", "application/scim+json"):
                self.assertEqual(self.ask(p.port, post("/v1/echo", media=media))[0], 200, media)
            for headers in (["x-automation-key: good"], ["authorization: bearer good"], ["Authorization: Bearer good", token]):
                self.assertEqual(self.ask(p.port, post("/v1/echo", b"{}", *headers, token=None))[0], 200, headers)

    def test_problem_type_on_request(self):
        with probe() as p:
            for accept, problem in (("application/problem+json", True), ("application/json, application/problem+json;q=0.5", False),
                                    ("*/*", False), ("application/problem+json;q=0", False)):
                for data in (get("/nothing", "Accept: " + accept), post("/v1/echo", b"", "Accept: " + accept, length=999999)):
                    kind = self.ask(p.port, data)[1]["content-type"]
                    self.assertEqual(kind, "application/problem+json" if problem else "application/json", accept)

    def test_large_answer(self):
        def check(p, tls):
            status, _, body = self.ask(p.port, get("/v1/big", "x-automation-key: good"), tls)
            self.assertEqual((status, len(body)), (200, 8 << 20))
        self.each(check)

    def test_refused_sender_gets_its_answer(self):
        """Closing at once, with bytes unread, would reset the connection and take the answer with it."""
        with probe() as p:
            for _ in range(5):
                with Client(p.port) as c:
                    c.socket.sendall(post("/v1/echo", b"x" * 4_000_000))
                    self.assertEqual(c.answer()[0], 413)
                    self.assertEqual(c.socket.recv(1), b"")         # an end, not a reset


class Times(Base):
    """Deadlines are absolute: what drips is cut, whatever it drips."""

    def drip(self, port, tls, first, piece):
        with Client(port, tls) as c:
            c.send(first)
            began = time.monotonic()
            while time.monotonic() - began < 8 * SLOW:
                if not c.send(piece):
                    break
                c.socket.settimeout(0.1)
                try:
                    if not c.more():
                        break
                except (socket.timeout, TimeoutError):
                    pass
            return time.monotonic() - began

    def test_slow_drips(self):
        def check(p, tls):
            rows = [("head", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b"y"), ("body", post("/v1/echo", b"", length=5000), b" "),
                    ("first line", b"G", b"E"), ("after a first request", get("/healthz"), b"G")]
            with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
                took = list(pool.map(lambda r: self.drip(p.port, tls, r[1], r[2]), rows))
            for (why, _, _), t in zip(rows, took):
                self.assertTrue(0.8 < t < 4 * SLOW, "%s: %.1f s" % (why, t))
        with probe(request_deadline=1000, idle=60000) as p:
            check(p, None)
        with probe(request_deadline=1000, idle=60000, tls="%s,%s" % (self.cert, self.key)) as p:
            check(p, client_context(self.cert))

    def test_handshake_counts(self):
        with probe(request_deadline=1000, tls="%s,%s" % (self.cert, self.key)) as p, Client(p.port) as c:
            began = time.monotonic()
            hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500
            for i in range(0, len(hello)):
                c.socket.settimeout(0.05)
                if not c.send(hello[i:i + 1]):
                    break
                try:
                    if not c.more():
                        break
                except (socket.timeout, TimeoutError):
                    pass
            self.assertTrue(0.8 < time.monotonic() - began < 4 * SLOW)

    def test_idle(self):
        with probe(idle=1000) as p, Client(p.port) as c, Client(p.port) as silent:
            c.send(get("/healthz"))
            self.assertEqual(c.answer()[0], 200)
            began = time.monotonic()
            self.assertTrue(c.closed(4))
            self.assertGreater(time.monotonic() - began, 0.8)
            self.assertFalse(silent.closed(0.3))       # the first request has the longer deadline

    def test_reader_that_does_not_read(self):
        with probe(request_deadline=1000) as p:
            with Client(p.port) as c:
                c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                c.send(get("/v1/big", "x-automation-key: good") * 3)
                eventually(lambda: 'refused_total{reason="slow_reader"} 1' in metrics(p.port))


def metrics(port):
    with Client(port) as c:
        c.send(get("/metrics", "Connection: close"))
        return c.answer()[2].decode()


class Limits(Base):
    def test_connections_and_room_again(self):
        with probe(max_connections=4) as p:
            held = [Client(p.port) for _ in range(4)]
            for c in held:
                c.send(get("/healthz"))
                self.assertEqual(c.answer()[0], 200)
            with Client(p.port) as waiting:         # in the kernel's queue
                waiting.send(get("/healthz"))
                waiting.socket.settimeout(0.5)
                with self.assertRaises((socket.timeout, TimeoutError)):
                    waiting.answer()
                held.pop().socket.close()
                waiting.socket.settimeout(5 * SLOW)
                self.assertEqual(waiting.answer()[0], 200)
            for c in held:
                c.socket.close()

    def test_requests_under_way(self):
        with probe(max_requests=2) as p:
            busy = [Client(p.port) for _ in range(2)]
            for c in busy:
                c.send(post("/v1/wait"))
            eventually(lambda: self.ask(p.port, post("/v1/echo"))[0] == 503)
            status, headers, body = self.ask(p.port, post("/v1/echo"))
            self.assertEqual((status, json.loads(body)["code"]), (503, "overloaded"))
            self.assertRegex(headers["retry-after"], r"^[1-9][0-9]*$")
            self.assertEqual(self.ask(p.port, get("/healthz"))[0], 200)
            for c in busy:
                self.assertEqual(c.answer()[0], 200)
                c.socket.close()
            self.assertEqual(self.ask(p.port, post("/v1/echo"))[0], 200)

    def test_descriptors_run_out(self):
        import resource
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, soft[1]))
        try:
            p = Probe()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, soft)
        held = [Client(p.port) for _ in range(60)]
        time.sleep(1)           # a span to measure over: that nothing happens in it has no event
        self.assertLess(p.cpu(), 0.5 * SLOW, "the listener spins")
        for c in held:
            c.socket.close()
        eventually(lambda: self.ask(p.port, get("/healthz"))[0] == 200)
        self.assertRegex(metrics(p.port), r"accept_errors_total [1-9]")
        p.stop()

    def test_flood_while_an_answer_waits(self):
        """While an answer is written nobody may fill our memory."""
        with probe(request_deadline=3000) as p, Client(p.port) as c:
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            c.send(get("/v1/big", "x-automation-key: good"))
            c.socket.settimeout(1)
            sent = 0
            c.await_bytes()
            with contextlib.suppress(OSError):
                while sent < 64 << 20:
                    sent += c.socket.send(b"x" * 65536)
            rss = p.resident()
            self.assertLess(sent, 32 << 20)
            self.assertLess(rss, 60_000 * (10 if SLOW > 1 else 1))

    def test_small_drips_cost_little_memory(self):
        with probe() as p:
            clients = [Dripping(p.port) for _ in range(20)]
            before = p.resident()
            for c in clients:
                c.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 15000)
            self.assertEqual(self.ask(p.port, get("/healthz"))[0], 200)    # one loop: what came before this has been read
            after = p.resident()
            self.assertLess(after - before, 20 * 100, "KiB")
            for c in clients:
                c.socket.close()


class Life(Base):
    def test_client_leaves_before_the_answer(self):
        def check(p, tls):
            for how in ("close", "reset"):
                for _ in range(5):
                    c = Client(p.port, tls)
                    c.send(post("/v1/wait"))
                    if how == "reset":
                        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    c.socket.close()
            self.assertEqual(self.ask(p.port, post("/v1/wait"), tls)[0], 200)       # begun after theirs, which have come to their end before it
            self.assertEqual(self.ask(p.port, get("/healthz"), tls)[0], 200)
        with probe() as p:
            check(p, None)
        with probe(tls="%s,%s" % (self.cert, self.key)) as p:
            check(p, client_context(self.cert))

    def test_left_at_once(self):
        """With requests under way, on whose clients evhttp still counts."""
        for settings in ({}, {"tls": "%s,%s" % (self.cert, self.key)}):
            with probe(**settings) as p:
                clients = [Client(p.port, client_context(self.cert) if settings else None) for _ in range(5)]
                for i, c in enumerate(clients):
                    c.send(post("/v1/wait/long") + post("/v1/wait/long") if i < 4 else b"GET /")
                clients[0].socket.close()
                self.assertEqual(self.ask(p.port, get("/healthz"), client_context(self.cert) if settings else None)[0], 200)     # one loop: what came before this has been read
                p.signal(signal.SIGINT)
                self.assertEqual(p.process.wait(5 * SLOW), 0)
                for c in clients:
                    c.socket.close()

    def test_drain(self):
        with probe() as p:
            idle, busy, half = Client(p.port), Client(p.port), Client(p.port)
            idle.send(get("/healthz"))
            self.assertEqual(idle.answer()[0], 200)
            half.send(post("/v1/echo", b"", length=2))
            busy.send(post("/v1/wait/long"))
            self.assertEqual(self.ask(p.port, get("/healthz"))[0], 200)     # one loop: what came before this has been read
            p.signal(signal.SIGTERM)
            self.assertTrue(idle.closed(3))
            with self.assertRaises(OSError):
                Client(p.port)
            half.send(b"{}")                            # begun before, whole after: refused as stopping
            status, headers, body = half.answer()
            self.assertEqual((status, json.loads(body)["code"], headers["connection"]), (503, "shutting_down", "close"))
            self.assertIsNone(p.process.poll())
            p.signal(signal.SIGUSR1)
            status, headers, _ = busy.answer()
            self.assertEqual((status, headers["connection"]), (200, "close"))
            self.assertTrue(busy.closed())
            self.assertEqual(p.process.wait(5 * SLOW), 0)
            for c in (idle, busy, half):
                c.socket.close()

    def test_drain_with_nothing_to_do(self):
        with probe() as p:
            p.signal(signal.SIGTERM)
            self.assertEqual(p.process.wait(3 * SLOW), 0)

    def test_metrics(self):
        with probe() as p:
            self.ask(p.port, post("/v1/echo"))
            self.ask(p.port, get("/nothing"))
            self.ask(p.port, b"\0")
            text = metrics(p.port)
            self.assertIn('entrabridge_http_request_seconds_count{route="/v1/echo",status="200"} 1', text)
            self.assertIn('entrabridge_http_request_seconds_count{route="none",status="404"} 1', text)
            self.assertIn('entrabridge_http_refused_total{reason="invalid_request"} 1', text)
            self.assertRegex(text, r"entrabridge_connections [1-9]")


class Sources(Base):
    def test_direct(self):
        with probe(allow="192.0.2.0/24") as p, Client(p.port) as c:
            c.send(get("/healthz"))
            self.assertTrue(c.closed())
        with probe(allow="127.0.0.0/8") as p:
            self.assertEqual(self.ask(p.port, get("/healthz", "X-Forwarded-For: 6.6.6.6"))[0], 200)     # nobody trusts it: not looked at

    def test_proxied(self):
        rows = [
            ("the proxy itself, no header", [], 403), ("allowed", ["192.0.2.7"], 200), ("not allowed", ["198.51.100.1"], 403),
            ("forged on the left", ["192.0.2.7, 198.51.100.1"], 403), ("proxies on the right", ["192.0.2.7, 127.0.0.2, 127.0.0.1"], 200),
            ("several headers", ["198.51.100.1", "192.0.2.7"], 200), ("several, the other way", ["192.0.2.7", "198.51.100.1"], 403),
            ("not an address", ["192.0.2.7, unknown"], 403), ("empty", [""], 403), ("with a port", ["192.0.2.7:4711"], 200),
            ("IPv6", ["2001:db8::7"], 200), ("IPv6 with a port", ["[2001:db8::7]:80"], 200), ("IPv6 outside", ["2001:db9::7"], 403),
        ]
        with probe(allow="192.0.2.0/24,2001:db8::/32", trusted_proxies="127.0.0.0/8") as p:
            for why, values, want in rows:
                with self.subTest(why):
                    status, _, body = self.ask(p.port, get("/healthz", *["X-Forwarded-For: " + v for v in values]))
                    self.assertEqual(status, want)
                    if want == 403:
                        self.assertEqual(json.loads(body)["code"], "operation_not_permitted")


class Tls(Base):
    def setUp(self):
        self.cert_copy, self.key_copy = os.path.join(self.folder, "live.pem"), os.path.join(self.folder, "live.key")
        self.put(self.cert, self.key)

    def put(self, cert, key):
        for source, target in ((cert, self.cert_copy), (key, self.key_copy)):
            with open(source) as f, open(target, "w") as g:
                g.write(f.read())

    def probe(self, **settings):
        return probe(tls="%s,%s" % (self.cert_copy, self.key_copy), **settings)

    def test_versions(self):
        with self.probe() as p:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                tls = client_context(self.cert, minimum_version=version, maximum_version=version)
                self.assertEqual(self.ask(p.port, get("/healthz"), tls)[0], 200)
            tls = client_context(self.cert)
            tls.set_ciphers("ALL:@SECLEVEL=0")
            tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            with self.assertRaises((ssl.SSLError, OSError)):
                Client(p.port, tls)
            for weak in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"):     # no forward secrecy; no AEAD
                tls = client_context(self.cert, maximum_version=ssl.TLSVersion.TLSv1_2)
                tls.set_ciphers(weak)
                with self.assertRaises((ssl.SSLError, OSError)):
                    Client(p.port, tls)

    def test_protocols_and_tickets(self):
        with self.probe() as p:
            for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1")):
                tls = client_context(self.cert)
                tls.set_alpn_protocols(offered)
                with Client(p.port, tls) as c:
                    self.assertEqual(c.socket.selected_alpn_protocol(), chosen)
                    c.send(get("/healthz"))
                    self.assertEqual(c.answer()[0], 200)
                    self.assertFalse(c.socket.session and c.socket.session.has_ticket)
            with Client(p.port, client_context(self.cert, maximum_version=ssl.TLSVersion.TLSv1_2)) as c:
                self.assertFalse(c.socket.session.has_ticket)
            tls = client_context(self.cert)
            tls.set_alpn_protocols(["h2"])
            with self.assertRaises((ssl.SSLError, OSError)):
                Client(p.port, tls)

    def test_reload(self):
        with self.probe() as p:
            old = Client(p.port, client_context(self.cert))
            self.put(self.other_cert, self.other_key)
            self.assertEqual(p.reload(), "reloaded")
            with self.assertRaises((ssl.SSLError, OSError)):
                Client(p.port, client_context(self.cert))
            self.assertEqual(self.ask(p.port, get("/healthz"), client_context(self.other_cert))[0], 200)
            old.send(get("/healthz"))                       # keeps what it began with
            self.assertEqual(old.answer()[0], 200)
            old.socket.close()
            self.put(self.cert, self.other_key)             # a key that does not belong to it
            self.assertEqual(p.reload(), "not reloaded")
            self.assertEqual(self.ask(p.port, get("/healthz"), client_context(self.other_cert))[0], 200)

    def test_client_certificates(self):
        with self.probe(client_ca=self.other_cert) as p:
            tls = client_context(self.cert)
            with self.assertRaises((ssl.SSLError, OSError)):
                with Client(p.port, tls) as c:
                    c.send(get("/healthz"))
                    if c.answer() is None:
                        raise OSError("closed")
            tls.load_cert_chain(self.other_cert, self.other_key)
            self.assertEqual(self.ask(p.port, get("/healthz"), tls)[0], 200)

    def test_plain_http_to_a_tls_port(self):
        with self.probe() as p, Client(p.port) as c:
            c.send(get("/healthz"))
            c.socket.settimeout(5)
            self.assertNotIn(b"HTTP/1.1", c.buffer if not c.more() else c.buffer)


class At(unittest.TestCase):
    """The table against a server that runs."""

    def test_table(self):
        if not ARGS.at:
            raise unittest.SkipTest("only with --at")
        host, port = ARGS.at.rsplit(":", 1)
        tls = None
        if ARGS.tls:
            tls = ssl._create_unverified_context()
        for row in table(ARGS.get, ARGS.post):
            with self.subTest(row[0]):
                check_row(self, lambda: Client(int(port), tls, host), row)
        for row in media_rows(ARGS.post) if ARGS.token else []:
            with self.subTest(row[0]):
                check_row(self, lambda: Client(int(port), tls, host), (row[0], row[1].replace(b"Bearer good", b"Bearer " + ARGS.token.encode()), *row[2:]))


def main():
    global ARGS
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe")
    parser.add_argument("--at")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--get", default="/healthz")
    parser.add_argument("--post", default="/v1/group/add-member")
    parser.add_argument("--token")
    ARGS, rest = parser.parse_known_args()
    if not ARGS.probe and not ARGS.at:
        parser.error("--probe or --at")
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
