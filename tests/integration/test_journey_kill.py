"""kill -9 again and again in the midst of an onboarding with 30 steps and an offboarding with 200 memberships: one effect, one outcome, one comment each.

A kill comes whenever another write has reached Entra, 30 times unless JOURNEY_KILLS says more. What is settled only once a lost request cannot land any more (a creation,
a disabling, licences) makes this test wait.
"""
import os
import threading
import unittest

from harness import GROUPS, POLICY, SLOW, Service, Sim
from raw_client import eventually

KILLS = int(os.environ.get("JOURNEY_KILLS", "30"))
NEW_GROUPS, OLD_GROUPS = 27, 200
POWER_BI_PRO = "50000000-0000-4000-8000-000000000003"
LICENCES_OF = "licences_added", "licences_removed"


class JourneyKill(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.addCleanup(self.sim.close)
        new = self.make_groups("Newcomers %d", NEW_GROUPS)
        old = self.make_groups("Team of old %d", OLD_GROUPS)
        self.old, self.new = [g["id"] for g in old], [g["id"] for g in new]
        policy = {
            "serviceable_groups": [{"group": g["displayName"], "projects": ["ITSM"]} for g in new + old], "protected": POLICY["protected"],
            "operations": {"user.onboard": {"projects": ["ITSM"], "attributes": ["department"], "user_principal_name": "{givenName}.{surname}@contoso.com"},
                           "user.offboard": {"projects": ["ITSM"]}},
            "group_rules": [{"when": {"department": "*"}, "groups": [g["displayName"] for g in new]}],
        }
        self.service = Service(self.sim, policy)
        self.addCleanup(self.service.close)
        self.leaver = self.sim.post("/sim/users", {
            "userPrincipalName": "leo@contoso.com", "displayName": "Leo", "mail": "leo@contoso.com", "accountEnabled": True, "userType": "Member", "usageLocation": "DE",
            "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z", "licences": [POWER_BI_PRO], "manager": "grace@contoso.com"})["users"][0]["id"]
        for g in self.old:
            self.sim.post("/sim/groups", {"id": g, "members": [self.leaver]})

    def make_groups(self, name, count):
        return self.sim.post("/sim/groups", [{"displayName": name % i, "kind": "security"} for i in range(count)])["groups"]

    def send(self, kind, body, answers):
        """As a rule that Atlassian resumes: again until somebody answers for it."""
        while not self.gone.is_set():
            try:
                status, _, a = self.service.post(kind, body, self.token, timeout=10)
            except OSError:
                self.gone.wait(0.02)
                continue
            if status != 503:
                answers[kind] = a
                return
            self.gone.wait(0.05)

    def kill_at_every_write(self):
        seen = 0
        for _ in range(KILLS):
            # What was lost waits until it cannot land any more, and may be all that is left.
            eventually(lambda: len(self.sim.writes()) > seen or self.is_done(), 90, lambda: "no further write\n" + self.service.log_text())
            seen = len(self.sim.writes())
            self.service.kill()
            self.service.start(ready=False)

    def is_done(self):
        return all(self.sim.comments(issue) for issue in ("ITSM-101", "ITSM-102"))

    def test_kill(self):
        self.token = self.service.token()
        self.gone, answers = threading.Event(), {}
        self.addCleanup(self.gone.set)
        bodies = {"user.onboard": {"issue": "ITSM-101", "attributes": {"givenName": "Nova", "surname": "Newton", "department": "Sales"}, "manager": "grace@contoso.com",
                                   "licenses": ["SPE_E3"], "usageLocation": "DE"},
                  "user.offboard": {"issue": "ITSM-102", "user": self.leaver}}
        self.sim.settings(latency_ms=15)
        self.service.start()
        senders = [threading.Thread(target=self.send, args=(k, b, answers), daemon=True) for k, b in bodies.items()]
        for s in senders:
            s.start()
        self.kill_at_every_write()
        for s in senders:
            s.join(60 * SLOW)
        self.assertEqual(set(answers), set(bodies))
        ended = {k: self.service.await_ended(answers[k]["operation"], 150) for k in bodies}
        self.check(ended["user.onboard"], "ITSM-101", 30)
        self.check(ended["user.offboard"], "ITSM-102", OLD_GROUPS + 3)
        self.check_effects(ended["user.onboard"]["userId"])

    def check(self, ended, issue, steps):
        self.assertEqual((ended["outcome"], len(ended["steps"])), ("succeeded", steps), {k: v for k, v in ended.items() if k != "steps"})
        self.assertEqual([s for s in ended["steps"] if s["outcome"] != "succeeded"], [])
        self.assertTrue(self.sim.wait_comments(issue, 1, 60000))
        self.assertEqual([c["operation"] for c in self.sim.comments(issue)], [ended["operation"]])

    def check_effects(self, newcomer):
        c = self.sim.get("/sim/counters")
        for group, user, effect in [(g, newcomer, "adds") for g in self.new] + [(g, self.leaver, "removes") for g in self.old]:
            self.assertEqual(c["memberships"][group][user][effect], 1, (group, effect))
        self.assertEqual((c["totals"]["creates"], c["users"][newcomer]["licences_added"]), (1, 1))
        self.assertEqual((c["users"][self.leaver]["disables"], c["users"][self.leaver]["licences_removed"]), (1, 1))
        self.assertFalse(self.sim.get("/sim/state?user=" + self.leaver)["users"][0]["accountEnabled"])
        self.assertEqual(self.service.cli("audit", "verify").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
