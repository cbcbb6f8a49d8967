"""Rows of a table that each take long: generators which bring a case about, yield while the waits of all run side by side, and then say how it ended.

A class of rows has a simulator and a service of its own; those of a module begin together (`begin` in setUpModule), each row in a thread.
"""
import sqlite3
import threading
import time
import unittest
import urllib.parse

from harness import SLOW, Service, Sim, call
from kind_examples import EXAMPLES, Request, approved, effects_of, kinds_of, policy_of
from raw_client import eventually

ENDED_S = 150
BOUND = {"user": "customfield_10050"}
PATCH = DELETE = "/users/{id}$"
PASSES, MANAGER, LICENCES = "/users/{id}/authentication/temporaryAccessPassMethods", "/users/{id}/manager", "/users/{id}/assignLicense"


class Stage:
    """One simulator, one service; requests that are like the first example of their kind, but for what is said."""

    def __init__(self):
        self.sim, self.number, self.alone, self.alone_creating = Sim(), 0, threading.Lock(), threading.Lock()
        self.sim.settings(app_role="user-administrator")
        self.service = Service(self.sim, response_deadline="500ms", log={"level": "info"})
        with_kinds = Service(self.sim)
        try:
            with_kinds.start(ready=False)
            kinds, _ = kinds_of(with_kinds.get("/openapi.json", "none")[2])
        finally:
            with_kinds.close()
        self.service.policy = policy_of(kinds)
        self.service.policy["operations"]["user.disable"].update(approval="required")
        self.service.policy["operations"]["user.delete"].update(approval="required", bind=BOUND)
        self.service.write_config()
        self.service.token()
        self.service.start()
        self.end = None

    def close(self):
        try:
            self.service.close()
        finally:
            self.sim.close()

    def request(self, kind, body=None, person=None, example=None):
        with self.alone:
            self.number += 1
            n = self.number
        example = example or next(e for e in EXAMPLES if e.kind == kind)
        r = Request(example, n)
        r.body.update(body or {})
        if not example.new:
            self.sim.post("/sim/users", {**r.person(), **(person or {})})
        bound = {"fields": {"customfield_10050": {"account": r.id}}} if kind == "user.delete" else {}
        self.sim.post("/sim/issues", approved(r.issue, **bound))
        return r

    def send(self, r, path, acts=True, **action):
        """With a fault on its write, which has acted when this returns; acts=False: it never gets so far."""
        match = {"cloud": "graph", "in_batch": False, "regex": path.replace("{id}", r.id)}
        self.sim.fault(match, **action)
        r.status, _, r.answer = self.service.post(r.kind, r.body)
        r.operation = r.answer.get("operation")
        assert r.status in (200, 202), r.answer
        eventually(lambda: not acts or [f["acted"] for f in self.sim.get("/sim/faults")["rules"] if f["rule"]["match"] == match][-1] > 0, 25,
                   lambda: "the fault was not met: %s %s" % (r.kind, path))

    def ended(self, r):
        return self.service.await_ended(r.operation, max(1, (self.end - time.monotonic()) / SLOW))

    def writes(self, r):
        return [c for c in self.sim.writes() if r.id in c["path"]]

    def counted(self, r, user_id=None):
        return effects_of(self.sim.get("/sim/counters"), r, user_id or r.id)

    def graph(self, method, path):
        """As another administrator, by Graph itself."""
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "client_secret": "sim-client-secret",
                                       "scope": "https://graph.microsoft.com/.default"}).encode()
        token = call(self.sim.port, "POST", "/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token", form, {"Content-Type": "application/x-www-form-urlencoded"})[2]
        status, _, answer = call(self.sim.port, method, "/v1.0" + path, b"", {"Authorization": "Bearer " + token["access_token"]})
        assert status < 300, answer

    def execute(self, sql, *args):
        db = sqlite3.connect(self.service.folder / "bridge.db", isolation_level=None)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()


class SideBySide(unittest.TestCase):
    """Subclasses hold generators named row_...; each becomes a test."""
    stage = None

    @classmethod
    def begin(cls):
        cls.stage = Stage()
        cls.running = {name: getattr(cls, name)(cls.stage) for name in dir(cls) if name.startswith("row_")}
        cls.failed = {}
        cls.step([n for n in cls.running if getattr(getattr(cls, n), "first", False)])
        cls.step([n for n in cls.running if not getattr(getattr(cls, n), "first", False)])
        cls.between()
        cls.stage.end = time.monotonic() + ENDED_S * SLOW

    @classmethod
    def close(cls):
        if cls.stage is not None:
            cls.stage.close()

    @classmethod
    def between(cls):
        pass

    @classmethod
    def step(cls, names=None):
        def run(name):
            try:
                next(cls.running[name])
            except BaseException as e:
                cls.failed[name] = e
        threads = [threading.Thread(target=run, args=(name,)) for name in (cls.running if names is None else names) if name not in cls.failed]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def finish(self, name):
        if name in self.failed:
            raise self.failed[name]
        checked = next(self.running[name], "ended")
        self.assertEqual(checked, "ended", "one yield too many")


def first(row):
    """For a row that has much to do before its first yield: the others begin afterwards, so that what they hold up is not held for longer than it can be."""
    row.first = True
    return row


def begin(*classes):
    """For setUpModule; all of them are closed after the module's tests, whichever of these were asked for."""
    failed = []

    def run(c):
        try:
            c.begin()
        except BaseException as e:
            failed.append(e)
    threads = [threading.Thread(target=run, args=(c,)) for c in classes]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for c in classes:
        unittest.addModuleCleanup(c.close)
    if failed:
        raise failed[0]


def tests_of(cls):
    """Decorates a class: a test for each row."""
    for name in [n for n in dir(cls) if n.startswith("row_")]:
        def test(self, name=name):
            self.finish(name)
        test.__doc__ = getattr(cls, name).__doc__
        setattr(cls, "test_" + name[4:], test)
    return cls


def check(stage, r, outcome, changed=None, code=None, comments=1):
    """The outcome, and one comment that tells it."""
    end = stage.ended(r)
    assert (end["outcome"], end.get("code")) == (outcome, code), end
    assert changed is None or end["changed"] == changed, end
    assert stage.sim.wait_comments(r.issue, comments), end
    found = [c for c in stage.sim.comments(r.issue) if c["operation"] == r.operation]
    assert len(found) == comments, found
    end["comment"] = found[0]["text"]
    return end


def same(is_, expected, why=""):
    assert is_ == expected, "%s: is %r, expected %r" % (why, is_, expected)
