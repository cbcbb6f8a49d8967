"""What reviews of composite operations found: one test for each fault."""
import json
import threading
import time
import unittest

import test_journeys
from harness import USERS, Case, call
from raw_client import eventually


class Reviewed(Case):
    settings = {"response_deadline": "10s"}
    policy = json.loads(json.dumps(test_journeys.Journeys.policy))
    policy["operations"]["user.transfer"].update(requester="manager", projects=["ITSM"])
    policy["operations"]["user.onboard"]["attributes"].append("usageLocation")
    policy["operations"]["group.add_member"]["limits"] = {"per_target": 2}
    policy["separation_of_duties"] = [{"groups": ["CRM", "O'Brien's Team"]}]
    policy["serviceable_groups"].append({"group": "Project Phoenix", "projects": "*"})
    person, state, undo = test_journeys.Journeys.person, test_journeys.Journeys.state, test_journeys.Journeys.undo

    def reported(self, account):
        key = self.issue()
        self.sim.post("/sim/issues", {"key": key, "reporter": account, "quiet": True})
        return key

    def test_the_reporter_in_several_groups(self):
        """A step that had borrowed the issue waited for nothing."""
        a = self.service.post("group.add_member", {"issue": self.reported("zoe@contoso.com"), "user": "reporter", "groups": ["VPN Users", "CRM"]})[2]
        self.assertEqual((a["outcome"], [r["changed"] for r in a["results"]]), ("succeeded", [True, True]), a)
        self.assertIn(USERS["zoe"], self.sim.members("CRM"))

    def test_a_newcomer_whose_access_pass_is_refused(self):
        """The request made a second user when it came again, and the hidden password was told as a pass."""
        body = {"issue": self.issue(), "attributes": {"givenName": "Pat", "surname": "Pass", "department": "Ops"}, "accessPass": True}
        token = self.service.token("revealing", "*", "*", "--reveal-secrets")
        self.sim.fault({"method": "POST", "path": "temporaryAccessPassMethods"}, status=403)
        status, _, a = self.service.post("user.onboard", body, token)
        self.assertEqual((status, a["outcome"], a["changed"]), (422, "partial", True), a)
        told = json.dumps(a)
        for word in ("temporaryAccessPass\"", "\"password\"", "secretUrl", self.state(a["userId"])["password"]):
            self.assertNotIn(word, told)
        again = self.service.post("user.onboard", body, token)[2]
        self.assertEqual((again["replayed"], self.sim.get("/sim/counters")["totals"]["creates"]), (True, 1), again)

    def test_an_onboarding_with_a_country_is_undone(self):
        """The licence step, which had set the country too, stood in the way of deleting the user."""
        issue = self.issue()
        a = self.service.post("user.onboard", {"issue": issue, "attributes": {"givenName": "Una", "surname": "Do", "department": "Sales", "usageLocation": "DE"},
                                               "manager": "grace@contoso.com", "licenses": ["SPE_E3"]})[2]
        self.assertEqual(a["outcome"], "succeeded", a)
        u = self.undo(a["operation"], issue)[2]
        self.assertEqual((u["outcome"], u["steps"][-1]["name"], u["steps"][-1]["outcome"]), ("succeeded", "user.delete", "succeeded"), u)
        self.assertIn("deletedDateTime", self.state(a["userId"]))
        status, _, v = self.undo(u["operation"], issue)
        self.assertEqual((status, v["code"]), (409, "undo_not_possible"), v)
        self.assertIn("itself the undo", v["message"])

    def test_a_transfer_that_its_own_steps_forbade(self):
        """A new group excluded the old one that was still held; the new manager had not asked for it."""
        who = self.person("tessa", ["CRM", "VPN Users"], department="Sales", jobTitle="Account X")
        issue = self.reported("grace@contoso.com")
        a = self.service.post("user.transfer", {"issue": issue, "user": who, "attributes": {"department": "Arts"}, "manager": "alan@contoso.com"})[2]
        self.assertEqual((a["outcome"], {s["outcome"] for s in a["steps"]}), ("succeeded", {"succeeded"}), a)
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users", "O'Brien's Team")], [False, False, True])

    def test_a_part_that_failed_is_made_when_asked_again(self):
        who = self.person("petra.partly", department="Ops")
        issue, body = self.reported("grace@contoso.com"), {"user": None, "attributes": {"department": "Sales"}}
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, status=403)
        body.update(issue=issue, user=who)
        a = self.service.post("user.transfer", body)[2]
        self.assertEqual(a["outcome"], "partial", a)
        b = self.service.post("user.transfer", {**body, "again": a["operation"]})[2]
        self.assertEqual((b["outcome"], b["changed"]), ("succeeded", True), b)
        self.assertIn(who, self.sim.members("VPN Users"))

    def test_limits_of_whom_a_list_names(self):
        """A list names nobody when it is counted as a whole."""
        people = [self.person("lim%d" % i) for i in range(2)]
        for group, expected in (("CRM", "succeeded"), ("VPN Users", "succeeded"), ("Project Phoenix", "refused")):
            a = self.service.post("group.add_member", {"issue": self.issue(), "users": people, "groups": [group]})[2]
            self.assertEqual({r["outcome"] for r in a["results"]}, {expected}, a)
        self.assertEqual({r["code"] for r in a["results"]}, {"limit_exceeded"})

    def test_a_pause_holds_what_waits_for_its_turn(self):
        """Writes that were handed over left the queue for as long as it took, paused or not."""
        people = [self.person("q%d" % i, ["CRM"]) for i in range(60)]
        self.sim.fault({"method": "DELETE", "path": "/members/"}, times=-1, delay_ms=1000)
        answers = []
        sender = threading.Thread(target=lambda: answers.append(self.service.post("group.remove_member", {"issue": self.issue(), "users": people, "group": "CRM"})[2]))
        sender.start()
        eventually(lambda: len(self.sim.writes()) >= 8, 20)
        self.service.cli("pause")
        eventually(lambda: "entrabridge_paused{operation=\"*\"} 1" in call(self.service.port, "GET", "/metrics")[2], 10)
        paused = len(self.sim.writes())
        self.assertFalse(self.sim.post("/sim/wait", {"timeout_ms": 4000, "calls": {"path": "/members/", "method": "DELETE", "count": paused + 1}})["satisfied"])
        self.sim.delete("/sim/faults")
        self.service.cli("resume")
        sender.join(60)
        ended = self.service.await_ended(answers[0]["operation"])
        self.assertEqual((ended["outcome"], len(set(people) & set(self.sim.members("CRM")))), ("succeeded", 0), ended.get("message"))

    def test_a_stop_does_not_wait_for_a_paused_step(self):
        who, answers = self.person("stopped", ["CRM"]), []
        self.service.cli("pause", "--kind", "group.remove_member")
        eventually(lambda: "entrabridge_paused{operation=\"group.remove_member\"} 1" in call(self.service.port, "GET", "/metrics")[2], 10)
        sender = threading.Thread(target=lambda: answers.append(self.service.post("user.offboard", {"issue": self.issue(), "user": who})[2]))
        sender.start()
        eventually(lambda: len(self.sim.writes()) == 2 and "it stands still" in self.service.log_text(), 20)
        began = time.monotonic()
        self.service.stop()
        self.assertLess(time.monotonic() - began, 20, "as long as `drain`")
        sender.join(60)
        self.service.start()
        self.service.cli("resume", "--kind", "group.remove_member")
        ended = self.service.await_ended(answers[0]["operation"])
        self.assertEqual((ended["outcome"], ended["forwardTo"]["userId"]), ("succeeded", USERS["grace"]), ended)     # what was noted before the stop
        self.assertIn("Offboarded Stopped", ended["message"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
