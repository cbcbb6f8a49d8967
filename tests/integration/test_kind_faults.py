"""Each write of each kind, lost or refused in each way: one effect, one outcome that is true, one comment, what stood before on record.

Everything runs side by side in one service, since a lost write may have to be waited for until it cannot land any more. Which writes a kind makes is seen in a
first run without faults.
"""
import re
import sqlite3
import threading
import time
import unittest

from harness import SLOW, Service, Sim
from kind_examples import EXAMPLES, GIVEN, Request, arrange, effects_of, kinds_of, open_secret, policy_of, user_now

REPEATED = {"the answer lost", "503 after it was done"}     # it was done, and nobody was told
ENDED_S = 120


class Faults(unittest.TestCase):
    faults = None

    @classmethod
    def setUpClass(cls):
        if cls.faults is None:
            raise unittest.SkipTest("the base of those below")
        cls.sim, cls.service = Sim(), None
        try:
            cls.service = Service(cls.sim, response_deadline="1s", log={"level": "info"})
            cls.service.token()
            cls.service.start()
            kinds, cls.writing = kinds_of(cls.service.get("/openapi.json")[2])
            cls.service.stop()
            cls.service.policy = policy_of(kinds)
            cls.service.write_config()
            cls.service.start()
            cls.sim.settings(app_role="user-administrator")
            cls.number = 0
            cls.order()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.service is not None:
                cls.service.close()
        finally:
            cls.sim.close()

    @classmethod
    def new(cls, example):
        cls.number += 1
        return Request(example, cls.number)

    @classmethod
    def send(cls, r):
        r.status, _, r.answer = cls.service.post(r.kind, r.body)
        r.operation = r.answer.get("operation")

    @classmethod
    def writes_of(cls, example):
        """[(method, regex of the path, with {id} for the user's)], as a run without faults shows them."""
        r = cls.new(example)
        arrange(cls.sim, [r])
        cls.sim.delete("/sim/calls")
        cls.send(r)
        assert (r.status, r.answer.get("changed")) == (200, True), (r.body, r.answer)
        paths = [(c["method"], re.escape(c["path"].split("?")[0]).replace(re.escape(r.id), "{id}")) for c in cls.sim.writes() if c["status"] < 300]
        return [(m, re.sub(r"users/[0-9a-f\\-]{36,}/", "users/[^/]+/", p)) for m, p in paths]

    @classmethod
    def order(cls):
        """Those whose user is not known before they are sent one after another, so that each meets the fault that was meant for it."""
        cls.requests, known = [], []
        for example in EXAMPLES:
            seen = {}
            for method, path in cls.writes_of(example):
                after = seen[method, path] = seen.get((method, path), -1) + 1      # the second PATCH of one user, and so on
                for name, action in cls.faults.items():
                    r = cls.new(example)
                    r.fault, r.write = name, (method, path, after)
                    r.rule = {"match": {"cloud": "graph", "method": method, "regex": "^%s([?]|$)" % path.replace("{id}", r.id)}, "after": after, "action": action}
                    cls.requests.append(r)
                    if not example.new:
                        known.append(r)
        arrange(cls.sim, cls.requests)
        threads = []
        for r in cls.requests:
            if r.example.new:
                threads.append(cls.one_by_one(r))
        cls.sim.post("/sim/faults", [r.rule for r in known])
        for some in (known[i::16] for i in range(16)):
            threads.append(threading.Thread(target=lambda some=some: [cls.send(r) for r in some]))
            threads[-1].start()
        for t in threads:
            t.join()
        cls.end = time.monotonic() + ENDED_S * SLOW

    @classmethod
    def one_by_one(cls, r):
        cls.sim.delete("/sim/faults")
        cls.sim.post("/sim/faults", r.rule)
        t = threading.Thread(target=cls.send, args=(r,))
        t.start()
        end = time.monotonic() + 20 * SLOW
        while cls.sim.get("/sim/faults")["rules"][0]["acted"] == 0:
            assert time.monotonic() < end, "never met its fault: %s" % r.rule
            time.sleep(0.01)
        if r.fault == "throttled":
            t.join()
            r.answer = cls.service.await_ended(r.operation)
        return t

    # ---- what came of it ----

    def test_every_kind_that_writes_has_an_example(self):
        self.assertEqual(self.writing, {e.kind for e in EXAMPLES})

    def check(self, r, counters, audits):
        ended = self.service.await_ended(r.operation, max(1, (self.end - time.monotonic()) / SLOW))
        self.assertEqual((ended["outcome"], ended["changed"], ended["before"]), ("succeeded", True, r.example.before), ended)
        self.assertTrue(self.sim.wait_comments(r.issue, 1), ended)
        self.assertEqual([c["operation"] for c in self.sim.comments(r.issue)], [r.operation], "one comment")
        self.assertEqual(audits.get(r.operation), 1, "one audit row")
        user = user_now(self.sim, r)
        self.check_effects(r, effects_of(counters(), r, user.get("id")))
        if r.example.new:
            self.assertEqual((ended.get("userId"), user["id"] in ended.get("userId", "")), (user["id"], True), ended)
        if r.example.secret:
            self.check_secret(r, ended, user)
        elif r.body.get("password") == GIVEN:
            self.assertEqual(user["password"], GIVEN)

    def check_effects(self, r, effects):
        for name, n in effects.items():
            most = r.example.effects.get(name, 0) + (name in r.example.again and r.fault in REPEATED)
            if name == "passes_deleted":
                most = 1
            self.assertLessEqual(n, most, effects)
        self.assertLessEqual(set(r.example.effects), set(effects), "an effect is missing")

    def check_secret(self, r, ended, user):
        """One that works at the end, and the link shows it."""
        shown = r.answer.get("secretUrl") or ended.get("secretUrl")
        self.assertIsNotNone(shown, "no link: %s" % ended)
        value = open_secret(self.service, shown)
        self.assertEqual(value, user[r.example.secret], "not what Entra has")
        if r.example.secret == "temporaryAccessPass":
            self.assertEqual(len([m for m in user["methods"] if "temporaryAccessPass" in m["@odata.type"]]), 1, user["methods"])

    def test_one_effect_one_outcome_one_comment(self):
        for r in self.requests:
            self.assertIn(r.status, (200, 202), (r.body, r.answer))
            self.service.await_ended(r.operation, max(1, (self.end - time.monotonic()) / SLOW)) if not r.example.secret else None
        for r in self.requests:
            with self.subTest(kind=r.kind, body=r.body, write=r.write, fault=r.fault):
                self.check(r, lambda: self.sim.get("/sim/counters"), self.audits())

    def audits(self):
        db = sqlite3.connect("file:%s?mode=ro" % (self.service.folder / "bridge.db"), uri=True)
        try:
            return dict(db.execute("SELECT operation, COUNT(*) FROM audit WHERE event = 'operation' GROUP BY operation").fetchall())
        finally:
            db.close()

    def test_the_faults_were_met(self):
        """A rule that never acted would test nothing. (Additions to one group that waited left together, past the rules for single ones.)"""
        together = any(c["method"] == "PATCH" and "/groups/" in c["path"] for c in self.sim.writes())
        idle = [f["rule"] for f in self.sim.get("/sim/faults")["rules"] if f["acted"] == 0]
        idle = [r for r in idle if not (together and "/members/" in r["match"]["regex"])]
        self.assertEqual(idle, [])


class Lost(Faults):
    faults = {"the answer lost": {"drop_after": True}, "nothing came through": {"drop_before": True}, "503 after it was done": {"status_after": 503}}


class Throttled(Faults):
    """By itself: each 429 makes the client slower towards the cloud, for everybody."""
    faults = {"throttled": {"status": 429, "retry_after": 1}}


if __name__ == "__main__":
    unittest.main()
