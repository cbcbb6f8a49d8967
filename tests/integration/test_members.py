"""Additions that wait for quota leave together, and each has its own outcome; the desk goes before scheduled work; the write quota is kept.

Writes are held by a refusal that says for how long the quota is used up; what is asked meanwhile waits until then.
"""
import sqlite3
import threading
import time
import unittest

from harness import GROUPS, SLOW, USERS, Service, Sim

CREW, VPN, CRM = "Project Phoenix", "VPN Users", "CRM"
HOLD_S = int(2 * SLOW)
NEWCOMERS = 12
POLICY = {
    "serviceable_groups": [{"group": g, "projects": "*"} for g in (CREW, VPN, CRM)],
    "protected": {"users": ["breakglass@contoso.com"], "groups": ["Tier 0 admins"], "directory_roles": True},
    "operations": {k: {"projects": "*", "issue": "optional"} for k in ("group.add_member", "group.remove_member", "user.disable")},
}


class Bed(unittest.TestCase):
    quota, period = 1000, "10s"

    def setUp(self):
        self.sim = Sim()
        self.threads = []
        self.service = Service(self.sim, POLICY, entra={"write_quota": self.quota, "write_period": self.period}, response_deadline="1s")
        self.service.token()
        self.service.start()
        self.people = self.sim.post("/sim/users", [
            {"userPrincipalName": "new%d@contoso.com" % n, "displayName": "New %d" % n, "mailNickname": "new%d" % n, "accountEnabled": True}
            for n in range(NEWCOMERS)])["users"]

    def tearDown(self):
        try:
            for t in self.threads:
                t.join()
            self.service.close()
        finally:
            self.sim.close()

    def ask(self, kind, answers, key, **body):
        """Sends from a thread of its own; the answer (mostly 202) comes into `answers`."""
        token = self.service.token()
        t = threading.Thread(target=lambda: answers.__setitem__(key, self.service.post(kind, body, token)))
        self.threads.append(t)
        t.start()

    def hold(self, seconds=HOLD_S):
        """The next write is refused because the quota is used up: until `seconds` later none leaves."""
        self.sim.fault({"cloud": "graph", "method": "POST", "path": GROUPS[CRM] + "/members/"}, status=429, retry_after=seconds,
                       headers={"x-ms-throttle-information": "WriteLimitExceeded"})
        self.ask("group.add_member", {}, 0, user=USERS["zoe"], group=CRM)
        self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": GROUPS[CRM] + "/members/", "method": "POST", "count": 1}, "timeout_ms": int(10000 * SLOW)})["satisfied"], self.service.log_text())
        self.sim.delete("/sim/calls")

    def ask_all(self, ids, group=CREW):
        """Until all their facts have been read: from then on the writes wait."""
        answers = {}
        for i in ids:
            self.ask("group.add_member", answers, i, user=i, group=group)
        self.reads(len(ids))
        return answers

    def reads(self, count):
        self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": "/$batch", "method": "POST", "count": count}, "timeout_ms": int(10000 * SLOW)})["satisfied"], self.service.log_text())

    def ends(self, answers, ids):
        ended = {}
        for i in ids:
            end = time.monotonic() + 30 * SLOW
            while i not in answers and time.monotonic() < end:
                time.sleep(0.02)
            status, _, body = answers[i]
            ended[i] = self.service.await_ended(body["operation"]) if status == 202 else body
        return ended

    def adds(self, group=CREW):
        return {user: n.get("adds", 0) for user, n in self.sim.get("/sim/counters")["memberships"].get(GROUPS[group], {}).items()}

    def calls(self, group=CREW):
        return [(c["method"], c["status"]) for c in self.sim.writes() if GROUPS[group] in c["path"]]

    def ids(self, count=NEWCOMERS):
        return [p["id"] for p in self.people[:count]]


class Together(Bed):
    def test_one_call(self):
        self.hold()
        answers = self.ask_all(self.ids())
        self.assertEqual(self.calls(), [])
        for i, end in self.ends(answers, self.ids()).items():
            self.assertEqual((end["outcome"], end["changed"], end["userId"]), ("succeeded", True, i), end)
        self.assertEqual(self.calls(), [("PATCH", 204)])
        self.assertEqual(self.adds(), {i: 1 for i in self.ids()})

    def test_free_quota_means_no_wait(self):
        answers = self.ask_all(self.ids(3))
        for end in self.ends(answers, self.ids(3)).values():
            self.assertEqual(end["outcome"], "succeeded", end)
        self.assertEqual(self.calls(), [("POST", 204)] * 3)
        self.assertEqual({c["priority"] for c in self.sim.writes()}, {"high"})

    def test_mixed(self):
        """One became a member meanwhile, one was deleted, one is protected: nobody else is held back."""
        ids = self.ids()
        member, gone, protected = ids[3], ids[4], USERS["breakglass"]
        self.hold()
        answers = self.ask_all(ids + [protected])
        before = self.sim.get("/sim/state?group=" + GROUPS[CREW])["groups"][0]["members"]
        self.sim.post("/sim/groups", {"id": GROUPS[CREW], "members": before + [member]})
        self.sim.post("/sim/users", {"id": gone, "deleted": True})
        ended = self.ends(answers, ids + [protected])
        self.assertEqual((ended[protected]["outcome"], ended[protected]["code"]), ("refused", "principal_protected"))
        self.assertEqual((ended[member]["outcome"], ended[member]["changed"]), ("succeeded", False), ended[member])
        self.assertEqual((ended[gone]["outcome"], ended[gone]["code"]), ("failed", "user_not_found"), ended[gone])
        for i in set(ids) - {member, gone}:
            self.assertEqual((ended[i]["outcome"], ended[i]["changed"]), ("succeeded", True), ended[i])
        calls = self.calls()
        self.assertEqual([c[0] for c in calls], ["PATCH"] + ["POST"] * len(ids), calls)
        self.assertEqual({i: n for i, n in self.adds().items() if i in ids}, {i: 1 for i in ids if i not in (member, gone)})

    def lost(self, **action):
        ids = self.ids()
        self.sim.fault({"cloud": "graph", "method": "PATCH", "path": "/groups/"}, **action)
        self.hold()
        ended = self.ends(self.ask_all(ids), ids)
        for i in ids:
            self.assertEqual((ended[i]["outcome"], ended[i]["changed"]), ("succeeded", True), ended[i])
        self.assertEqual([c[0] for c in self.calls()], ["PATCH"] + ["POST"] * len(ids))      # singly, and not in another PATCH
        self.assertEqual(self.adds(), {i: 1 for i in ids})
        return {c[1] for c in self.calls()[1:]}

    def test_answer_lost_done(self):
        self.assertEqual(self.lost(drop_after=True), {400})

    def test_answer_lost_not_done(self):
        self.assertEqual(self.lost(drop_before=True), {204})

    def test_answered_503_done(self):
        self.assertEqual(self.lost(status_after=503), {400})

    def test_throttled(self):
        """A refusal did nothing: they leave together again."""
        ids = self.ids()
        self.sim.fault({"cloud": "graph", "method": "PATCH", "path": "/groups/"}, status=429, retry_after=1,
                       headers={"x-ms-throttle-information": "WriteLimitExceeded"})
        self.hold()
        for end in self.ends(self.ask_all(ids), ids).values():
            self.assertEqual((end["outcome"], end["changed"]), ("succeeded", True), end)
        calls = self.calls()
        self.assertEqual(calls[0], ("PATCH", 429))
        self.assertTrue(len(calls) <= 3, calls)
        self.assertEqual(self.adds(), {i: 1 for i in ids})

    def killed(self, **action):
        ids = self.ids()
        self.sim.fault({"cloud": "graph", "method": "PATCH", "path": "/groups/"}, **action)
        self.hold()
        answers = self.ask_all(ids)
        self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": GROUPS[CREW], "method": "PATCH", "count": 1}, "timeout_ms": int(10000 * SLOW)})["satisfied"], self.service.log_text())
        for t in self.threads[1:]:
            t.join()
        self.service.kill()
        self.service.start()
        for i, end in self.ends(answers, ids).items():
            self.assertEqual((end["outcome"], end["changed"], end["userId"]), ("succeeded", True, i), end)
        self.assertEqual(sum(c[0] == "PATCH" for c in self.calls()), 1)
        self.assertEqual(self.adds(), {i: 1 for i in ids})

    def test_killed_done(self):
        self.killed(delay_after_ms=27000)

    def test_killed_not_done(self):
        self.killed(delay_ms=27000)


class Order(Bed):
    def test_the_desk_overtakes(self):
        """Memberships that end by themselves wait longest; what people ask for later goes before them."""
        ids = self.ids()
        given = {}
        for i in ids[:8]:
            self.ask("group.add_member", given, i, user=i, group=CREW, expiresIn="1h")
        self.ends(given, ids[:8])
        self.hold()
        due = int(time.time() * 1000) - 1000
        db = sqlite3.connect(self.service.folder / "bridge.db", isolation_level=None, timeout=20)
        db.execute("UPDATE memberships SET ends_ms = ?", (due,))
        db.execute("UPDATE timers SET due_ms = ? WHERE kind = 'member_end'", (due,))
        db.close()
        self.reads(8)
        answers = {}
        for i in ids[8:]:
            self.ask("user.disable", answers, i, user=i)
        self.reads(12)
        self.ends(answers, ids[8:])
        self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": GROUPS[CREW] + "/members/", "method": "DELETE", "count": 8}, "timeout_ms": int(20000 * SLOW)})["satisfied"], self.service.log_text())
        writes = [c for c in self.sim.writes() if GROUPS[CRM] not in c["path"]]
        self.assertEqual([(c["method"], c["priority"]) for c in writes], [("PATCH", "high")] * 4 + [("DELETE", "low")] * 8, writes)


class Quota(Bed):
    """Graph's 3,000 in 150 s, smaller: 30 in 2 s. Kept without a refusal, and after a kill with a few at most."""
    quota, period = 30, "2s"

    def test_kept(self):
        people = self.sim.post("/sim/users", [{"userPrincipalName": "q%d@contoso.com" % n, "displayName": "Q %d" % n, "mailNickname": "q%d" % n, "accountEnabled": True}
                                              for n in range(90)])["users"]
        self.sim.settings(quota_writes=30, quota_writes_ms=2000)
        ids = [p["id"] for p in people]
        answers = {}
        for i in ids[:60]:
            self.ask("user.disable", answers, i, user=i)
        self.ends(answers, ids[:60])
        totals = self.sim.get("/sim/counters")["totals"]
        self.assertEqual((totals["disables"], totals["writes_refused"]), (60, 0))
        for t in self.threads:
            t.join()
        self.service.kill()                 # what it sent in the last two seconds is forgotten
        self.service.start()
        for i in ids[60:]:
            self.ask("user.disable", answers, i, user=i)
        self.ends(answers, ids[60:])
        totals = self.sim.get("/sim/counters")["totals"]
        self.assertEqual(totals["disables"], 90)
        self.assertTrue(totals["writes_refused"] <= 24, totals)


if __name__ == "__main__":
    unittest.main()
