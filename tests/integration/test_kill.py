"""kill -9 at any instant: nothing accepted is lost, nothing is done twice.

Callers send requests and, like a rule that is resumed, send them again until they are answered. Meanwhile the process is killed KILLS times
at random moments, with clouds slow enough that the kills fall inside operations, during recovery too. In the end each request must have
exactly one operation, one effect, one outcome, one before-state, one audit row and one comment.
"""
import json
import os
import queue
import random
import sqlite3
import threading
import time
import unittest

from harness import GROUPS, SLOW, Service, Sim

KILLS = int(os.environ.get("KILLS", "200"))
REQUESTS = int(os.environ.get("KILL_REQUESTS", "400"))
WORKERS = 8
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)


class Kill(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        people = [{"userPrincipalName": "kill%d@contoso.com" % i, "displayName": "Kill %d" % i, "accountEnabled": True,
                   "mailNickname": "kill%d" % i} for i in range(REQUESTS)]
        made = self.sim.post("/sim/users", people)["users"]
        self.ids = {u["userPrincipalName"]: u["id"] for u in made}
        self.sim.post("/sim/issues", [{"key": "KILL-%d" % (i + 1)} for i in range(REQUESTS)])
        members = [p["userPrincipalName"] for i, p in enumerate(people) if self.kind(i) == "group.remove_member"]
        self.sim.post("/sim/groups", {"id": GROUPS["CRM"], "members": members})
        self.service = Service(self.sim, policy={
            "serviceable_groups": [{"group": "VPN Users", "projects": ["KILL"]}, {"group": "CRM", "projects": ["KILL"]}],
            "operations": {k: {"projects": ["KILL"]} for k in ("group.add_member", "group.remove_member", "user.disable")}},
            log={"level": "warn"})
        self.token = self.service.token()
        self.sim.settings(latency_ms=25)

    def tearDown(self):
        self.service.close()
        self.sim.close()

    @staticmethod
    def kind(i):
        return ("group.add_member", "group.add_member", "group.remove_member", "user.disable")[i % 4]

    def body(self, i):
        b = {"issue": "KILL-%d" % (i + 1), "user": "kill%d@contoso.com" % i}
        if self.kind(i) == "group.add_member":
            b["group"] = "VPN Users"
        elif self.kind(i) == "group.remove_member":
            b["group"] = "CRM"
        return b

    def send(self, i):
        """As a rule that Atlassian resumes: again until somebody answers for it."""
        while not self.gone.is_set():
            try:
                status, _, a = self.service.post(self.kind(i), self.body(i), self.token, timeout=10)
            except OSError:
                self.gone.wait(0.02)
                continue
            if status in (200, 202):
                self.answers[i].append(a["operation"])
                return
            if status != 503:
                self.answers[i].append((status, a))
                return
            self.gone.wait(0.05)

    def work(self):
        while True:
            try:
                i = self.todo.get_nowait()
            except queue.Empty:
                return
            self.send(i)

    def test_kill(self):
        rng = random.Random(SEED)
        print("seed %d, %d kills, %d requests" % (SEED, KILLS, REQUESTS), flush=True)
        self.gone, self.todo = threading.Event(), queue.Queue()
        self.answers = [[] for _ in range(REQUESTS)]
        for i in range(REQUESTS):
            self.todo.put(i)
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]
        self.service.start(ready=False)
        for w in workers:
            w.start()
        for n in range(KILLS):
            time.sleep(rng.choice((0.02, 0.1, 0.3, 0.6)) * rng.random() * SLOW + 0.01)      # the moment is the test's subject
            self.service.kill()
            self.service.start(ready=False) if n % 3 else self.restart_twice()
        for w in workers:
            w.join(180 * SLOW)
        self.gone.set()
        self.settle()
        self.count()

    def restart_twice(self):
        """Also killed before it could even answer."""
        self.service.start(ready=False)
        self.service.kill()
        self.service.start(ready=False)

    def settle(self):
        """Until no operation is open and no comment waits; a lost PATCH is looked at only 30 s later."""
        end = time.monotonic() + 150 * SLOW
        while time.monotonic() < end:
            db = sqlite3.connect("file:%s?mode=ro" % (self.service.folder / "bridge.db"), uri=True)
            open_ones = db.execute("SELECT COUNT(*) FROM open_operations").fetchone()[0]
            waiting = db.execute("SELECT COUNT(*) FROM outbox WHERE state = 'ready'").fetchone()[0]
            db.close()
            if open_ones == 0 and waiting == 0:
                return
            time.sleep(0.2)
        self.fail("%d operations open, %d comments waiting\n%s" % (open_ones, waiting, self.service.log_text()))

    def count(self):
        counters = self.sim.get("/sim/counters")
        memberships, users, issues = counters["memberships"], counters["users"], counters["issues"]
        shown = json.loads(self.service.cli("operations", "list", "--limit", "10000", "--json").stdout)
        rows = {}
        for o in shown["operations"] if isinstance(shown, dict) else shown:
            rows.setdefault(o["issue"], []).append(o)
        wrong = []
        for i in range(REQUESTS):
            issue, user = "KILL-%d" % (i + 1), self.ids["kill%d@contoso.com" % i]
            found = rows.get(issue, [])
            if len(found) != 1 or found[0]["outcome"] != "succeeded" or not found[0]["changed"]:
                wrong.append((issue, "operations", found, self.answers[i]))
                continue
            effects = {"group.add_member": memberships.get(GROUPS["VPN Users"], {}).get(user, {}).get("adds"),
                       "group.remove_member": memberships.get(GROUPS["CRM"], {}).get(user, {}).get("removes"),
                       "user.disable": users.get(user, {}).get("disables")}[self.kind(i)]
            if effects != 1:
                wrong.append((issue, "effects", effects, found))
            comments = issues.get(issue, {})
            if comments.get("comments") != 1 or comments.get("operations") != {found[0]["operation"]: 1} or comments.get("deleted"):
                wrong.append((issue, "comments", comments, found))
            if self.answers[i] != [found[0]["operation"]]:
                wrong.append((issue, "answer", self.answers[i], found[0]["operation"]))
        self.assertEqual(wrong[:5], [], "%d of %d wrong, seed %d" % (len(wrong), REQUESTS, SEED))
        db = sqlite3.connect("file:%s?mode=ro" % (self.service.folder / "bridge.db"), uri=True)
        audits = db.execute("SELECT COUNT(*), COUNT(DISTINCT operation) FROM audit WHERE event = 'operation'").fetchone()
        befores = db.execute("SELECT state_before, COUNT(*) FROM records GROUP BY state_before").fetchall()
        db.close()
        self.assertEqual(audits, (REQUESTS, REQUESTS))
        self.assertEqual(sum(n for b, n in befores if b in ('{"member":false}', '{"member":true}', '{"accountEnabled":true}')), REQUESTS, befores)
        self.service.cli("audit", "verify")


if __name__ == "__main__":
    unittest.main()
