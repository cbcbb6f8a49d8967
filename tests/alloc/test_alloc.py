"""Allocations that fail, anywhere in the process: the program ends cleanly or goes on, and the promises hold all the same.

Allowed: an error, or the end by abort() with a line that says why. Never: a crash, a second effect, a second comment, a broken audit chain.
FAIL_MALLOC_LIB names the library to preload; ALLOC_POINTS how many points of an operation are tried (default 60).
"""
import http.client
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import harness      # noqa: E402

LIBRARY = os.environ["FAIL_MALLOC_LIB"]
POINTS = int(os.environ.get("ALLOC_POINTS", "60"))
SAID_WHY = re.compile(r"^entrabridge: .*(out of memory|no random bytes)", re.M)     # random bytes need memory too


class Control:
    """The two numbers that the preloaded library shares with us."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="fail-malloc-")
        self.file.write(bytes(16))
        self.file.flush()
        self.map = mmap.mmap(self.file.fileno(), 16)

    def env(self):
        return {"LD_PRELOAD": LIBRARY, "FAIL_MALLOC": self.file.name}

    def count(self):
        return struct.unpack_from("q", self.map, 0)[0]

    def fail_after(self, n):
        struct.pack_into("qq", self.map, 0, 0, n)

    def close(self):
        self.map.close()
        self.file.close()


def points(total):
    """At most POINTS numbers from 1 to total, evenly spread, the ends included."""
    step = max(1, total // POINTS)
    return list(range(1, total + 1, step))


def verdict(code, text):
    """Why that end of a program is not allowed, or None."""
    if code < 0 and code != -signal.SIGABRT:
        return "ended by %s" % signal.Signals(-code).name
    if code == -signal.SIGABRT and not SAID_WHY.search(text):
        return "aborted without saying why: %s" % text[-400:]
    return None


class Commands(unittest.TestCase):
    """The command line: each command, with each of its allocations failing in turn."""

    @classmethod
    def setUpClass(cls):
        cls.sim = harness.Sim()
        cls.service = harness.Service(cls.sim)
        cls.service.token()
        cls.control = Control()

    @classmethod
    def tearDownClass(cls):
        cls.control.close()
        cls.service.close()
        cls.sim.close()

    def run_once(self, args, n):
        self.control.fail_after(n)
        return subprocess.run([harness.BINARY, *args, "--config", str(self.service.config)], capture_output=True, text=True, errors="replace",
                              timeout=60, check=False, env={**os.environ, **self.control.env()})

    def sweep(self, args):
        good = self.run_once(args, 0)
        self.assertEqual(good.returncode, 0, good.stderr)
        total = self.control.count()
        self.assertGreater(total, 10, "the library was not loaded")
        for n in points(total):
            r = self.run_once(args, n)
            why = verdict(r.returncode, r.stderr)
            self.assertIsNone(why, "%s, allocation %d of %d: %s" % (" ".join(args), n, total, why))
            if r.returncode == 0 and args[0] == "config":
                self.assertEqual(r.stdout, good.stdout, "allocation %d: another output, and yet exit code 0" % n)

    def test_config_validate(self):
        self.sweep(["config", "validate"])

    def test_token_create(self):
        self.sweep(["token", "create", "--name", "alloc", "--operations", "*", "--projects", "*"])

    def test_operations_list(self):
        self.sweep(["operations", "list", "--json"])

    def test_audit_verify(self):
        self.sweep(["audit", "verify"])


class Operation(unittest.TestCase):
    """The running service: one operation for each point, on an issue and a user of its own, with one allocation failing inside it."""

    def setUp(self):
        self.sim = harness.Sim()
        self.service = harness.Service(self.sim)
        self.service.token()
        self.control = Control()
        self.service.start(env=self.control.env())

    def tearDown(self):
        self.control.fail_after(0)
        self.control.close()
        self.service.close()
        self.sim.close()

    def restart_if_ended(self):
        """A service that ran out of memory ends; whoever runs it starts it anew. Between the two it may take a moment to end."""
        try:
            code = self.service.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            return
        why = verdict(code, self.service.log_text())
        self.assertIsNone(why, why)
        self.control.fail_after(0)
        self.service.log.close()
        self.service.start(env=self.control.env())

    def add(self, i):
        return self.service.post("group.add_member", {"issue": "ITSM-%d" % (i + 100), "user": "alloc%d@contoso.com" % i, "group": "CRM"})

    def add_until_done(self, i):
        """As a rule that is run again would: until it is done."""
        for _ in range(6):
            try:
                status, _, body = self.add(i)
                if status == 200:
                    return body["operation"]
                if status == 202:
                    return self.service.await_ended(body["operation"])["operation"]
            except (OSError, http.client.HTTPException):
                pass
            self.restart_if_ended()
        self.fail("operation %d was not done in six tries\n%s" % (i, self.service.log_text()))

    def test_every_point_of_an_operation(self):
        made = self.sim.post("/sim/users", [{"userPrincipalName": "alloc%d@contoso.com" % i, "displayName": "Alloc %d" % i} for i in range(POINTS + 8)])
        ids = [u["id"] for u in made["users"]]
        self.add_until_done(0)          # connections and tables are made once
        self.control.fail_after(0)
        self.add_until_done(1)
        total = self.control.count()
        operations = {}
        for i, n in enumerate(points(total)[:POINTS], start=2):
            self.control.fail_after(n)
            operations[i] = self.add_until_done(i)
            self.restart_if_ended()
        self.control.fail_after(0)
        self.check(operations, ids)

    def await_comment(self, i, operation):
        """A lost post is looked for when it can land no more, so this takes up to a minute."""
        if not any(self.sim.wait_comments("ITSM-%d" % (i + 100), 1, 40000, operation) for _ in range(2)):
            self.fail("no comment for point %d, operation %s\n%s\n%s" % (
                i, operation, self.service.cli("outbox", "list").stdout, self.service.log_text()))

    def check(self, operations, ids):
        for i, operation in operations.items():
            self.await_comment(i, operation)
        counters = self.sim.get("/sim/counters")
        adds = counters["memberships"][harness.GROUPS["CRM"]]
        for i, operation in operations.items():
            self.assertEqual(adds[ids[i]]["adds"], 1, "effects of point %d" % i)
            said = counters["issues"]["ITSM-%d" % (i + 100)]["operations"]
            self.assertEqual(said[operation], 1, "comments of point %d: %s" % (i, said))
            self.assertTrue(all(n == 1 for n in said.values()), "comments of point %d: %s" % (i, said))
        self.service.cli("audit", "verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
