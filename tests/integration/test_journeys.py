"""Composite operations: onboarding, transfer, offboarding, and lists of targets. Each step is an operation of its own; the answer and one comment tell them all."""
import json
import threading
import time
import unittest

from harness import GROUPS, POLICY, USERS, Case, call
from raw_client import eventually

POWER_BI_PRO = "50000000-0000-4000-8000-000000000003"
TEAMS = ["Team A", "Team B", "Team C"]


def steps_of(answer, member="steps"):
    return [(s["name"], s["outcome"]) for s in answer[member]]


class Journeys(Case):
    settings = {"response_deadline": "20s"}
    policy = {
        "serviceable_groups": [{"group": g, "projects": "*"} for g in ("VPN Users", "CRM", "Newsletter", "O'Brien's Team")] +
                              [{"group": "Sales DE", "projects": ["HR"]}],
        "protected": POLICY["protected"],
        "operations": {
            "user.onboard": {"projects": "*", "attributes": ["jobTitle", "department", "city"], "user_principal_name": "{givenName}.{surname}@contoso.com"},
            "user.transfer": {"projects": "*", "attributes": ["jobTitle", "department"]},
            "user.offboard": {"projects": "*"},
            "group.add_member": {"projects": "*"}, "group.remove_member": {"projects": "*"},
            "user.enable": {"projects": "*"}, "user.delete": {"projects": "*"}, "user.set_manager": {"projects": "*"},
            "user.remove_manager": {"projects": "*"}, "user.update": {"projects": "*", "attributes": ["jobTitle", "department"]},
            "user.assign_licenses": {"projects": "*"}, "user.remove_licenses": {"projects": "*"}, "user.get": {"projects": "*", "issue": "optional"},
        },
        "group_rules": [
            {"when": {"department": "Sales", "jobTitle": "Account *"}, "groups": ["CRM"]},
            {"when": {"department": "Sales"}, "groups": ["VPN Users"]},
            {"when": {"department": "Art*"}, "groups": ["O'Brien's Team"]},
        ],
    }

    def person(self, upn, groups=(), **more):
        user = {"userPrincipalName": upn + "@contoso.com", "displayName": upn.title(), "mail": upn + "@contoso.com", "accountEnabled": True, "userType": "Member",
                "usageLocation": "DE", "manager": "grace@contoso.com", "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z", **more}
        made = self.sim.post("/sim/users", user)["users"][0]
        for g in groups:
            self.sim.post("/sim/groups", {"id": GROUPS[g], "members": self.sim.members(g) + [made["id"]]})
        return made["id"]

    def state(self, user):
        return self.sim.get("/sim/state?user=" + user)["users"][0]

    def comment(self, issue, operation):
        self.assertTrue(self.sim.wait_comments(issue, 1, operation=operation), self.service.log_text())
        found = [c for c in self.sim.comments(issue) if c["operation"] == operation]
        self.assertEqual(len(found), 1)
        self.assertEqual(len(self.sim.comments(issue)), 1, "one comment tells all steps")
        return found[0]

    def onboard(self, issue, surname, **more):
        body = {"issue": issue, "attributes": {"givenName": "Nova", "surname": surname, "jobTitle": "Account Manager", "department": "Sales"},
                "manager": "grace@contoso.com", "licenses": ["SPE_E3"], "usageLocation": "DE", **more}
        return self.service.post("user.onboard", body)

    # ---- user.onboard ----

    def test_onboarding_takes_all_its_steps(self):
        issue = self.issue()
        status, _, a = self.onboard(issue, "Newton", groups=["VPN Users"])
        self.assertEqual((status, a["outcome"], a["changed"]), (200, "succeeded", True), a)
        self.assertEqual(steps_of(a), [("user.create", "succeeded"), ("user.set_manager", "succeeded"), ("user.assign_licenses", "succeeded"),
                                       ("group.add_member", "succeeded"), ("group.add_member", "succeeded")])
        self.assertEqual((a["userPrincipalName"], a["displayName"]), ("nova.newton@contoso.com", "Nova Newton"))
        self.assertIn("Onboarded Nova Newton (nova.newton@contoso.com): 5 steps.", a["message"])
        self.assertIn("secretUrl", a)
        who = self.state("nova.newton@contoso.com")
        self.assertEqual((who["id"], who["managerId"], who["department"]), (a["userId"], USERS["grace"], "Sales"))
        for g in ("VPN Users", "CRM"):
            self.assertIn(a["userId"], self.sim.members(g))
        comment = self.comment(issue, a["operation"])
        for text in ("Onboarded Nova Newton", "user.create", "group.add_member", "Added Nova Newton to CRM."):
            self.assertIn(text, comment["text"])
        self.assertIn('"type": "table"', json.dumps(comment["body"]))
        self.assertEqual(call(self.service.port, "GET", "/" + a["secretUrl"].split("/", 3)[3])[0], 200)
        again = self.onboard(issue, "Newton", groups=["VPN Users"])[2]
        self.assertEqual((again["replayed"], again["operation"]), (True, a["operation"]))
        listed = self.service.get("/v1/operations?issue=" + issue)[2]["operations"]
        self.assertEqual([o["operation"] for o in listed], [a["operation"]], "steps are told by the composite")
        for s in a["steps"]:
            self.assertEqual(self.service.get("/v1/operations/" + s["operation"])[2]["outcome"], "succeeded")

    def test_a_token_that_may_sees_the_password(self):
        token = self.service.token("revealing", "*", "*", "--reveal-secrets")
        body = {"issue": self.issue(), "attributes": {"givenName": "Rita", "surname": "Reveal", "department": "Ops"}}
        status, _, a = self.service.post("user.onboard", body, token)
        self.assertEqual(status, 200, a)
        self.assertEqual(self.state("rita.reveal@contoso.com")["password"], a["password"])
        self.assertNotIn("password", json.dumps(self.service.get("/v1/operations/" + a["operation"], token)[2]))
        self.assertNotIn(a["password"].encode(), (self.service.folder / "bridge.db").read_bytes())

    def test_a_new_user_may_not_be_found_at_first(self):
        self.sim.settings(eventual_ms=2500)
        self.addCleanup(self.sim.settings, eventual_ms=0)
        status, _, a = self.onboard(self.issue(), "Later")
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        self.assertEqual(self.state("nova.later@contoso.com")["managerId"], USERS["grace"])

    def test_where_nobody_was_made_nothing_follows(self):
        status, _, a = self.service.post("user.onboard", {"issue": self.issue(), "attributes": {"givenName": "Ada", "surname": "X", "department": "Sales"},
                                                          "userPrincipalName": "ada@contoso.com"})
        self.assertEqual((status, a["outcome"], a["code"]), (409, "failed", "user_already_exists"), a)
        self.assertEqual(steps_of(a), [("user.create", "failed"), ("group.add_member", "cancelled")])
        self.assertEqual(self.sim.writes(), [])

    def test_one_failing_step_does_not_stop_the_others(self):
        issue = self.issue()
        status, _, a = self.onboard(issue, "Partly", licenses=["SPE_E5"], groups=["Newsletter"])     # exhausted; a distribution list
        self.assertEqual((status, a["outcome"], a["code"]), (422, "partial", "partly_failed"), a)
        self.assertEqual(steps_of(a)[:3], [("user.create", "succeeded"), ("user.set_manager", "succeeded"), ("user.assign_licenses", "failed")])
        self.assertEqual(sorted(o for n, o in steps_of(a)[3:]), ["refused", "succeeded", "succeeded"])
        self.assertIn("4 of 6 steps", a["message"])
        self.assertIn("secretUrl", a)
        self.assertIn("Done in part", self.comment(issue, a["operation"])["text"])

    def test_a_dry_run_changes_nothing(self):
        a = self.onboard(self.issue(), "Dry", dryRun=True)[2]
        self.assertEqual((a["outcome"], a["dryRun"], len(a["steps"])), ("succeeded", True, 5), a)
        self.assertEqual(self.sim.writes(), [])
        a = self.service.post("user.offboard", {"issue": self.issue(), "user": self.person("dora", ["CRM"]), "dryRun": True})[2]
        self.assertEqual((a["outcome"], a["changed"]), ("succeeded", False), a)
        self.assertIn("Would remove Dora from CRM.", [s["message"] for s in a["steps"]])
        self.assertEqual(self.sim.writes(), [])

    # ---- user.transfer ----

    def test_transfer_applies_the_difference(self):
        who = self.person("tessa", ["CRM", "VPN Users"], department="Sales", jobTitle="Account Executive")
        issue = self.issue()
        status, _, a = self.service.post("user.transfer", {"issue": issue, "user": who, "attributes": {"department": "Arts", "jobTitle": "Painter"}, "manager": "alan@contoso.com"})
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        self.assertEqual(a["groups"], {"added": ["O'Brien's Team"], "removed": ["CRM", "VPN Users"]})
        self.assertEqual(steps_of(a), [("user.update", "succeeded")] + [("group.remove_member", "succeeded")] * 2 +
                         [("group.add_member", "succeeded"), ("user.set_manager", "succeeded")])
        self.assertEqual((self.state(who)["department"], self.state(who)["managerId"]), ("Arts", USERS["alan"]))
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users", "O'Brien's Team")], [False, False, True])
        undone = self.undo(a["operation"], issue)
        self.assertEqual((undone[0], undone[2]["outcome"]), (200, "succeeded"), undone[2])
        self.assertEqual([s["name"] for s in undone[2]["steps"]], ["user.set_manager", "group.remove_member", "group.add_member", "group.add_member", "user.update"])
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users", "O'Brien's Team")], [True, True, False])
        self.assertEqual((self.state(who)["department"], self.state(who)["managerId"]), ("Sales", USERS["grace"]))

    def undo(self, operation, issue, **more):
        return call(self.service.port, "POST", "/v1/operations/%s/undo" % operation, {"issue": issue, **more},
                    {"Authorization": "Bearer " + self.service.token()})

    def test_transfer_refuses_what_the_policy_does_not_list(self):
        status, _, a = self.service.post("user.transfer", {"issue": self.issue(), "user": self.person("tim"), "attributes": {"city": "Berlin"}})
        self.assertEqual((status, a["code"]), (403, "attribute_not_permitted"), a)
        self.assertEqual(self.sim.writes(), [])

    # ---- user.offboard ----

    def offboard(self):
        who = self.person("leo", ["CRM", "VPN Users", "Project Phoenix", "Sales DE"], licences=[POWER_BI_PRO])
        issue = self.issue()
        status, _, a = self.service.post("user.offboard", {"issue": issue, "user": who, "reason": "left"})
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        self.assertEqual(steps_of(a), [("user.disable", "succeeded"), ("user.revoke_sessions", "succeeded"), ("group.remove_member", "succeeded"),
                                       ("group.remove_member", "succeeded"), ("user.remove_licenses", "succeeded")])
        self.assertEqual(a["forwardTo"]["userId"], USERS["grace"])
        self.assertIn("Forward mail and tasks to Grace Hopper", a["message"])
        self.assertIn("2 memberships in groups that are not serviceable here stay", a["message"])     # one is not listed, one for other projects
        self.assertFalse(self.state(who)["accountEnabled"])
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users", "Project Phoenix", "Sales DE")], [False, False, True, True])
        writes = self.sim.writes()
        self.assertEqual((writes[0]["method"], "revokeSignInSessions" in writes[1]["path"]), ("PATCH", True), writes)
        text = self.comment(issue, a["operation"])["text"]
        for part in ("Offboarded Leo", "Removed Leo from CRM.", "left"):
            self.assertIn(part, text)
        return who, issue, a

    def test_offboarding(self):
        self.offboard()

    def test_offboarding_is_undone_but_for_what_cannot_be(self):
        who, issue, a = self.offboard()
        status, _, u = self.undo(a["operation"], issue, reason="stays after all")
        self.assertEqual((status, u["outcome"], u["undoes"]), (200, "succeeded", a["operation"]), u)
        self.assertEqual(steps_of(u), [("user.assign_licenses", "succeeded"), ("group.add_member", "succeeded"), ("group.add_member", "succeeded"),
                                       ("user.revoke_sessions", "refused"), ("user.enable", "succeeded")])
        self.assertIn("cannot be undone", u["steps"][3]["message"])
        self.assertTrue(self.state(who)["accountEnabled"])
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users")], [True, True])
        self.assertEqual(self.undo(a["operation"], issue)[2]["code"], "undo_not_possible")

    def test_protected_people_are_left_alone(self):
        for user in ("breakglass@contoso.com", "anna.admin@contoso.com", "tom@contoso.com"):
            status, _, a = self.service.post("user.offboard", {"issue": self.issue(), "user": user})
            self.assertEqual((status, a["code"]), (403, "principal_protected"), a)
            self.assertNotIn("steps", a)
        self.assertEqual(self.sim.writes(), [])

    def test_a_step_that_was_taken_back_meanwhile_is_told(self):
        who, issue, a = self.offboard()
        self.assertEqual(self.service.post("user.enable", {"issue": self.issue(), "user": who})[0], 200)
        status, _, u = self.undo(a["operation"], issue)
        self.assertEqual((status, u["outcome"]), (422, "partial"), u)
        self.assertEqual(dict(steps_of(u))["user.enable" if "user.enable" in dict(steps_of(u)) else "user.disable"], "refused")

    def test_throttled_in_the_middle(self):
        who = self.person("throttled", ["CRM", "VPN Users", "O'Brien's Team"], licences=[POWER_BI_PRO])
        self.sim.fault({"cloud": "graph", "method": "DELETE", "path": "/members/"}, times=4, status=429, retry_after=1)
        self.sim.fault({"cloud": "graph", "method": "POST", "path": "assignLicense"}, times=1, status=429, retry_after=1)
        a = self.service.post("user.offboard", {"issue": self.issue(), "user": who})[2]
        self.assertEqual((a["outcome"], len(a["steps"])), ("succeeded", 6), a)
        removed = self.sim.get("/sim/counters")["memberships"]
        self.assertEqual([removed[GROUPS[g]][who]["removes"] for g in ("CRM", "VPN Users", "O'Brien's Team")], [1, 1, 1])

    # ---- dates and pauses ----

    def test_a_journey_on_a_date(self):
        who, issue = self.person("dated", ["CRM"]), self.issue()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
        status, _, a = self.service.post("user.offboard", {"issue": issue, "user": who, "at": at})
        self.assertEqual((status, a["outcome"], a["scheduledFor"]), (202, "scheduled", at[:-1] + ".000Z"), a)
        self.assertNotIn("steps", a)
        self.assertTrue(self.state(who)["accountEnabled"])
        self.service.stop()
        self.service.start()
        ended = eventually(lambda: self.ended(a["operation"]), 30)
        self.assertEqual((ended["outcome"], [s["name"] for s in ended["steps"]]), ("succeeded", ["user.disable", "user.revoke_sessions", "group.remove_member"]), ended)
        self.assertFalse(self.state(who)["accountEnabled"])
        self.assertTrue(self.sim.wait_comments(issue, 2))       # announced, and told

    def ended(self, operation):
        body = self.service.get("/v1/operations/" + operation)[2]
        return body if body["outcome"] not in ("scheduled", "accepted", "held") else None

    def test_a_newcomer_on_a_date_gets_a_link_to_the_password(self):
        issue = self.issue()
        a = self.onboard(issue, "Dated", at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2)))[2]
        self.assertEqual(a["outcome"], "scheduled", a)
        ended = eventually(lambda: self.ended(a["operation"]), 30)
        self.assertEqual((ended["outcome"], len(ended["steps"])), ("succeeded", 5), ended)
        self.assertIn("secretUrl", ended)

    def test_a_journey_that_is_cancelled_by_its_issue(self):
        who, issue = self.person("stays", ["CRM"]), self.issue()
        a = self.service.post("user.offboard", {"issue": issue, "user": who, "at": "2029-03-31T18:00:00Z"})[2]
        status, _, c = call(self.service.port, "POST", "/v1/operations/cancel", {"issue": issue}, {"Authorization": "Bearer " + self.service.token()})
        self.assertEqual((status, [r["operation"] for r in c["results"]]), (200, [a["operation"]]), c)
        self.assertEqual(self.ended(a["operation"])["outcome"], "cancelled")
        self.assertEqual(self.sim.writes(), [])

    def test_a_pause_in_the_middle(self):
        who, answers = self.person("paused", ["CRM", "VPN Users"]), []
        self.service.cli("pause", "--kind", "group.remove_member", "--reason", "looking into it")
        eventually(lambda: "entrabridge_paused{operation=\"group.remove_member\"} 1" in call(self.service.port, "GET", "/metrics")[2], 10)
        sender = threading.Thread(target=lambda: answers.append(self.service.post("user.offboard", {"issue": self.issue(), "user": who})[2]))
        sender.start()
        eventually(lambda: len(self.sim.writes()) == 2, 20)     # disabled, sessions ended
        self.service.cli("resume", "--kind", "group.remove_member")
        sender.join(60)
        self.assertEqual(answers[0]["outcome"], "succeeded", answers)
        self.assertEqual([who in self.sim.members(g) for g in ("CRM", "VPN Users")], [False, False])

    # ---- lists ----

    def test_lists_of_users_and_groups(self):
        people = [self.person("p%d" % i, ["CRM"] if i == 1 else ()) for i in range(4)]
        issue = self.issue()
        status, _, a = self.service.post("group.add_member", {"issue": issue, "users": people + ["breakglass@contoso.com", "nobody@contoso.com"], "groups": ["CRM", "VPN Users"]})
        self.assertEqual((status, a["outcome"], a["code"]), (422, "partial", "partly_failed"), a)
        by = {(r.get("groupName"), r.get("userId")): r for r in a["results"]}
        self.assertEqual(len(a["results"]), 12)
        self.assertEqual([by["CRM", p]["changed"] for p in people], [True, False, True, True])
        self.assertEqual([by["VPN Users", p]["changed"] for p in people], [True] * 4)
        self.assertEqual({r["code"] for r in a["results"] if r["outcome"] != "succeeded"}, {"principal_protected", "user_not_found"})
        self.assertEqual(set(people) - set(self.sim.members("CRM")), set())
        self.comment(issue, a["operation"])
        undone = self.undo(a["operation"], issue)[2]
        self.assertEqual((undone["outcome"], len(undone["steps"])), ("succeeded", 7), undone)
        self.assertEqual(set(people) & set(self.sim.members("CRM")), {people[1]})

    def test_lists_are_checked(self):
        for body, field in (({"users": [], "group": "CRM"}, "users"), ({"users": ["x"], "group": "CRM"}, "users"), ({"users": ["a@b"], "user": "a@b", "group": "CRM"}, "users"),
                            ({"users": ["a@b"]}, "group"), ({"group": "CRM"}, "user"), ({"users": ["u%d@b" % i for i in range(1001)], "group": "CRM"}, "users")):
            status, _, a = self.service.post("group.add_member", {"issue": "ITSM-1", **body})
            self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", field), a)

    # ---- the rules ----

    def test_policy_explain_tells_which_rules_fit(self):
        who = self.person("rula", department="Sales", jobTitle="Clerk")
        a = json.loads(self.service.cli("policy", "explain", "--kind", "user.get", "--user", who, "--json").stdout)
        self.assertEqual([(r["rule"], r["fits"]) for r in a["groupRules"]], [(0, False), (1, True), (2, False)])
        said = self.service.cli("policy", "explain", "--kind", "user.transfer", "--issue", "ITSM-3", "--user", who, "--fields",
                                json.dumps({"attributes": {"jobTitle": "Account Lead"}})).stdout
        self.assertIn("department: Sales, jobTitle: Account *", said)
        self.assertIn("CRM", said)

    def test_a_group_of_a_rule_that_is_not_serviceable_stops_the_start(self):
        policy = json.loads(json.dumps(self.policy))
        policy["group_rules"][1]["groups"].append("Nowhere")
        kept, self.service.policy = self.service.policy, policy
        try:
            self.service.write_config()
            r = self.service.cli("config", "validate", check=False)
            self.assertEqual(r.returncode, 1)
            self.assertIn("policy.group_rules[1].groups: names Nowhere, which is no serviceable group", r.stdout + r.stderr)
        finally:
            self.service.policy = kept
            self.service.write_config()


class Approved(Journeys):
    """What was approved is the journey: its steps go by that, and by what one of them has read of the issue just now."""
    policy = json.loads(json.dumps(Journeys.policy))
    policy["operations"]["user.offboard"] = {"projects": ["ITSM"], "approval": "required", "bind": {"user": "customfield_10050"}, "requester": "any"}
    policy["serviceable_groups"][0] = {"group": "VPN Users", "projects": ["ITSM"], "approval": "required"}

    def approve(self, user, age=60):
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age))
        key = self.issue()
        self.sim.post("/sim/issues", {"key": key, "quiet": True, "fields": {"customfield_10050": {"account": user}}, "approvals": [
            {"decision": "approved", "created": then, "completed": then, "approvers": [{"account": "grace@contoso.com", "decision": "approved"}]}]})
        return key

    def test_the_steps_go_by_the_approval_of_the_journey(self):
        who = self.person("lena.leaves", ["CRM", "VPN Users"], licences=[POWER_BI_PRO])
        key = self.approve("lena.leaves@contoso.com")
        status, _, a = self.service.post("user.offboard", {"issue": key, "user": "lena.leaves@contoso.com"})
        self.assertEqual((status, a["outcome"], len(a["steps"])), (200, "succeeded", 5), a)
        calls = [c["path"] for c in self.sim.get("/sim/calls?cloud=jira&limit=1000")["calls"] if "comment" not in c["path"]]
        self.assertLessEqual(len(calls), 4, calls)          # issue, approvals, changelog: once for all six operations
        self.assertFalse(self.state(who)["accountEnabled"])
        status, _, a = self.service.post("user.offboard", {"issue": key, "user": "lena.leaves@contoso.com", "reason": "once more"})
        self.assertEqual((status, a["code"]), (403, "approval_missing"), a)

    def test_another_person_than_the_approved_one(self):
        self.person("other.one", ["CRM"])
        status, _, a = self.service.post("user.offboard", {"issue": self.approve("ada@contoso.com"), "user": "other.one@contoso.com"})
        self.assertEqual((status, a["code"]), (403, "approval_missing"), a)
        self.assertEqual(self.sim.writes(), [])


for inherited in [name for name in vars(Journeys) if name.startswith("test_")]:
    setattr(Approved, inherited, None)


if __name__ == "__main__":
    unittest.main(verbosity=2)
