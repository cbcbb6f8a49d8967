"""What the tests of waiting operations share."""
import json
import time

from harness import USERS, Alone, call
from raw_client import eventually

DAY = 24 * 3600000
ANY = {"projects": "*", "issue": "optional"}
POLICY = {
    "serviceable_groups": [{"group": g, "projects": "*"} for g in ("VPN Users", "CRM", "Project Phoenix", "O'Brien's Team")],
    "protected": {"users": ["breakglass@contoso.com"], "groups": ["Tier 0 admins"], "directory_roles": True},
    "operations": {k: ANY for k in ("user.disable", "user.enable", "user.get", "user.revoke_sessions", "group.add_member", "group.remove_member")},
}


def now():
    return int(time.time() * 1000)


def rfc(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + ".%03dZ" % (ms % 1000)


class World(Alone):
    limits = None

    def setUp(self):
        self.policy = {**POLICY, "limits": self.limits} if self.limits else POLICY
        super().setUp()
        self.ats = []

    def post(self, kind, user="ada", token=None, **fields):
        if "at" in fields:
            self.ats.append(fields["at"])
        return self.service.post(kind, {"user": USERS[user] if user in USERS else user + "@contoso.com", **fields}, token)

    def schedule(self, kind, **fields):
        status, _, a = self.post(kind, **fields)
        self.assertEqual((status, a.get("outcome")), (202, "scheduled"), a)
        return a

    def cancel(self, operation, token=None, **body):
        path = "/v1/operations/cancel" if operation is None else "/v1/operations/%s/cancel" % operation
        return call(self.service.port, "POST", path, body, {"Authorization": "Bearer " + (token or self.service.token())})

    def make_due(self, operation, ms=1000):
        """As if its date had been `ms` ago. The request says it too."""
        at = now() - ms
        number, request = self.execute("SELECT number, request FROM operations WHERE id = ?", operation)[0]
        body = json.loads(request)
        body["at"] = rfc(at)
        self.execute("UPDATE operations SET request = ? WHERE number = ?", json.dumps(body), number)
        self.execute("UPDATE waiting SET at_ms = ?, ready_ms = ? WHERE operation = ?", at, at, number)
        self.execute("UPDATE timers SET due_ms = ? WHERE subject = ?", at, operation)

    def ready(self, operation):
        rows = self.execute("SELECT ready_ms FROM waiting WHERE operation = (SELECT number FROM operations WHERE id = ?)", operation)
        return rows[0][0] if rows else None

    def waiting(self):
        return self.execute("SELECT o.id, q.why FROM waiting q JOIN operations o ON o.number = q.operation ORDER BY o.number")

    def timers(self):
        return self.execute("SELECT subject, due_ms FROM timers WHERE kind = 'operation'")

    def settled(self):
        """A timer goes once the conclusion of what it has handed out is on disk."""
        eventually(lambda: (self.timers(), self.waiting()) == ([], []), 10, lambda: str((self.timers(), self.waiting())))

    def comments(self, issue, count):
        self.assertTrue(self.sim.wait_comments(issue, count), self.service.log_text())
        return [json.dumps(c, ensure_ascii=False) for c in self.sim.comments(issue)]

    def restart(self, policy):
        """With another policy: a reload is in force only once the names are bound anew."""
        self.service.stop()
        self.service.policy = policy
        self.service.write_config()
        self.service.start()
