"""kill -9 at any instant, every kind that writes: nothing accepted is lost, nothing is done twice, no secret is left behind.

As test_kill.py, with the examples of all kinds, EACH times. What may come more often: the same password, a pass that replaces a lost one, the manager of a user made
just now (an absolute value). A password that a request gives is never stored: its operation may end as unknown, or as failed, and a failed one may be sent again.
"""
import json
import os
import queue
import random
import sqlite3
import threading
import time
import unittest

from harness import SLOW, Service, Sim
from kind_examples import EXAMPLES, GIVEN, Request, arrange, effects_of, kinds_of, open_secret, policy_of, user_now

KILLS = int(os.environ.get("KIND_KILLS", "25"))
EACH = int(os.environ.get("KIND_EACH", "4"))        # 8 at most: the tenant has so many licences
WORKERS = 8
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)


class KillKinds(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.service = Service(self.sim, log={"level": "debug"})
        self.service.start(ready=False)
        kinds, self.writing = kinds_of(self.service.get("/openapi.json", "none")[2])
        self.service.kill()
        self.service.policy = policy_of(kinds, "KILL")
        self.service.write_config()
        self.token = self.service.token()
        self.requests = [Request(e, n + 1, "KILL") for n, e in enumerate(e for _ in range(EACH) for e in EXAMPLES)]
        arrange(self.sim, self.requests)
        self.sim.settings(latency_ms=25, app_role="user-administrator")

    def tearDown(self):
        self.service.close()
        self.sim.close()

    def send(self, r):
        """As a rule that Atlassian resumes: again until somebody answers for it."""
        while not self.gone.is_set():
            try:
                status, _, a = self.service.post(r.kind, r.body, self.token, timeout=10)
            except OSError:
                self.gone.wait(0.02)
                continue
            lost = status in (400, 503) and "password" in r.body      # restarted before it was sent, and the password is gone: "send the request again"
            if status != 503 and not lost:
                r.status, r.answer = status, a
                return
            self.gone.wait(0.05)

    def work(self):
        while True:
            try:
                self.send(self.todo.get_nowait())
            except queue.Empty:
                return

    def test_kill(self):
        rng = random.Random(SEED)
        print("seed %d, %d kills, %d requests" % (SEED, KILLS, len(self.requests)), flush=True)
        self.gone, self.todo = threading.Event(), queue.Queue()
        for r in rng.sample(self.requests, len(self.requests)):
            self.todo.put(r)
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]
        self.service.start(ready=False)
        for w in workers:
            w.start()
        for _ in range(KILLS):
            time.sleep(rng.choice((0.05, 0.2, 0.5, 0.9)) * rng.random() * SLOW + 0.01)      # the moment is the test's subject
            self.service.kill()
            self.service.start(ready=False)
        for w in workers:
            w.join(180 * SLOW)
        self.gone.set()
        self.settle()
        self.count()

    def query(self, sql):
        db = sqlite3.connect("file:%s?mode=ro" % (self.service.folder / "bridge.db"), uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def settle(self):
        """Until no operation is open and no comment waits; what was lost is looked at 30 s later."""
        end = time.monotonic() + 150 * SLOW
        while time.monotonic() < end:
            if self.query("SELECT (SELECT COUNT(*) FROM open_operations) + (SELECT COUNT(*) FROM outbox WHERE state = 'ready')") == [(0,)]:
                return
            time.sleep(0.2)
        self.fail("operations open or comments waiting\n%s" % self.service.log_text())

    # ---- what came of it ----

    def count(self):
        self.assertEqual({e.kind for e in EXAMPLES}, self.writing, "a kind without an example")
        listed = json.loads(self.service.cli("operations", "list", "--limit", "10000", "--json").stdout)
        self.rows, self.counters, self.users = {}, self.sim.get("/sim/counters"), {r.n: user_now(self.sim, r) for r in self.requests}
        for o in listed["operations"] if isinstance(listed, dict) else listed:
            self.rows.setdefault(o["issue"], []).append(o)
        self.befores = dict(self.query("SELECT id, state_before FROM records JOIN operations ON number = operation"))
        self.look_for_secrets()
        wrong = [(r.kind, r.body, what) for r in self.requests for what in self.faults_of(r)]
        self.assertEqual(wrong[:5], [], "%d wrong, seed %d" % (len(wrong), SEED))
        audits = self.query("SELECT COUNT(*), COUNT(DISTINCT operation) FROM audit WHERE event = 'operation'")[0]
        self.assertEqual(audits, (len(listed["operations"] if isinstance(listed, dict) else listed),) * 2)
        self.service.cli("audit", "verify")
        outcomes = [o["outcome"] for rows in self.rows.values() for o in rows]
        print({o: outcomes.count(o) for o in set(outcomes)}, flush=True)

    def faults_of(self, r):
        """What is wrong with one request, in words."""
        rows, given = self.rows.get(r.issue, []), "password" in r.body
        last = max(rows, key=lambda o: o["operation"]) if rows else {}
        effects = effects_of(self.counters, r, self.users[r.n].get("id"))
        allowed = {"unknown", "failed", "succeeded"} if given else {"succeeded"}
        if last.get("outcome") not in allowed or (len(rows) != 1 and not given) or any(o["outcome"] != "failed" for o in rows if o is not last):
            yield "operations: %s, answered %s" % (rows, r.answer)
            return
        if last["outcome"] == "succeeded" and not last["changed"]:
            yield "changed: %s" % last
        yield from self.effects_wrong(r, last, effects)
        comments = self.counters["issues"].get(r.issue, {})
        if comments.get("operations") != {o["operation"]: 1 for o in rows} or comments.get("deleted"):
            yield "comments: %s" % comments
        before = self.befores.get(last["operation"])
        if last["outcome"] != "failed" and json.loads(before or "null") != r.example.before:
            yield "before: %s" % before
        if r.example.secret and not (given or r.answer.get("secretUrl")):
            yield from self.secret_wrong(r, last)

    def effects_wrong(self, r, last, effects):
        again = r.example.again | ({"passes_deleted"} if r.example.secret == "temporaryAccessPass" else set())
        for name in set(effects) | set(r.example.effects):
            n, wanted = effects.get(name, 0), 0 if last["outcome"] == "failed" else r.example.effects.get(name, 0)
            if n != wanted and not (name in again and n >= wanted) and not (last["outcome"] == "unknown" and n <= wanted):
                yield "%s: %d, not %d: %s" % (name, n, wanted, last)

    def secret_wrong(self, r, last):
        """Nobody was there to be told: the link is given to who asks for the operation, and shows what Entra has."""
        user = self.users[r.n]
        url = self.service.get("/v1/operations/" + last["operation"], self.token)[2].get("secretUrl")
        value = open_secret(self.service, url) if url else None
        if value is not None and value != user[r.example.secret]:
            yield "the secret is another one than Entra has"
        if r.example.secret == "temporaryAccessPass" and len([m for m in user["methods"] if "temporaryAccessPass" in m["@odata.type"]]) != 1:
            yield "passes: %s" % user["methods"]
        if value is None and not self.linked(last["operation"]):
            yield "no link to the secret: %s" % last

    def linked(self, operation):
        """An answer that was lost with its connection had the link; it can be asked for anew by `again`."""
        return self.query("SELECT COUNT(*) FROM secrets WHERE operation = '%s' AND link_hash IS NOT NULL" % operation) == [(1,)]

    def look_for_secrets(self):
        secrets = {GIVEN} | {u[m] for u in self.users.values() for m in ("password", "temporaryAccessPass") if u.get(m)}
        kept = {p.name: p.read_bytes() for p in [*self.service.folder.glob("bridge.db*"), self.service.folder / "log"]}
        said = json.dumps([i["comments"] for i in self.sim.get("/sim/state")["issues"]], ensure_ascii=False)
        self.assertGreater(len(secrets), EACH)
        self.assertIn("bridge.db-wal", kept)
        for value in secrets:
            for name, content in kept.items():
                self.assertNotIn(value.encode(), content, "a secret in %s" % name)
            self.assertNotIn(value, said, "a secret in a comment")


if __name__ == "__main__":
    unittest.main()
