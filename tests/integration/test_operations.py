"""The main job over real sockets: what a rule sends, what it gets, what stands in Entra and on the issue afterwards."""
import unittest

from harness import GROUPS, POLICY, USERS, Case, Service, Sim, call


class Members(Case):
    def add(self, user, group="VPN Users", issue=None, **more):
        return self.service.post("group.add_member", {"issue": issue or self.issue(), "user": user, "group": group, **more})

    def test_add_answers_flat_and_comments_once(self):
        issue = self.issue()
        status, _, a = self.add("ada@contoso.com", issue=issue)
        self.assertEqual((status, a["outcome"], a["changed"]), (200, "succeeded", True), a)
        self.assertEqual(a["message"], "Added Ada Lovelace to VPN Users.")
        self.assertEqual((a["name"], a["userId"], a["groupId"], a["groupName"], a["issue"], a["dryRun"], a["replayed"]),
                         ("group.add_member", USERS["ada"], GROUPS["VPN Users"], "VPN Users", issue, False, False))
        self.assertEqual((a["before"], a["after"]), ({"member": False}, {"member": True}))
        self.assertIn(USERS["ada"], self.sim.members("VPN Users"))
        self.assertTrue(self.sim.wait_comments(issue, 1))
        comment = self.sim.comments(issue)[0]
        self.assertTrue(comment["internal"])
        self.assertEqual(comment["operation"], a["operation"])
        self.assertIn("Added Ada Lovelace to VPN Users.", comment["text"])
        self.assertEqual(len(self.sim.comments(issue)), 1)

    def test_at_most_four_calls(self):
        for user in ("alan@contoso.com", USERS["nora"]):
            issue = self.issue()
            self.sim.delete("/sim/calls")
            self.assertEqual(self.add(user, issue=issue)[0], 200)
            self.assertTrue(self.sim.wait_comments(issue, 1))
            calls = [c for c in self.sim.get("/sim/calls")["calls"] if not c["inBatch"] and c["cloud"] != "token"]
            self.assertLessEqual(len(calls), 4, [(c["method"], c["path"]) for c in calls])

    def test_one_who_is_a_member_stays_so(self):
        self.sim.delete("/sim/calls")
        status, _, a = self.add(USERS["grace"])
        self.assertEqual((status, a["outcome"], a["changed"]), (200, "succeeded", False), a)
        self.assertEqual(self.sim.writes(), [])

    def test_a_repeat_is_done_once_and_says_so(self):
        issue = self.issue()
        first, again = self.add("ada@contoso.com", issue=issue)[2], self.add("ada@contoso.com", issue=issue)
        self.assertEqual((again[0], again[2]["replayed"], again[2]["operation"]), (200, True, first["operation"]), again)
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["adds"], 1)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertEqual(len(self.sim.comments(issue)), 1)

    def test_a_late_repeat_does_not_undo_what_came_after(self):
        issue = self.issue()
        first = self.add("ada@contoso.com", issue=issue)[2]
        self.service.post("group.remove_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"})
        status, _, a = self.add("ada@contoso.com", issue=issue)
        self.assertEqual((status, a["code"]), (409, "already_done"), a)
        self.assertNotIn(USERS["ada"], self.sim.members("VPN Users"))
        status, _, a = self.add("ada@contoso.com", issue=issue, again=first["operation"])
        self.assertEqual((status, a["changed"], a["replayed"]), (200, True, False), a)

    def test_a_late_enable_does_not_revive_a_leaver(self):
        issue = self.issue()
        self.assertEqual(self.service.post("user.enable", {"issue": issue, "user": "lee@contoso.com"})[0], 200)
        self.assertEqual(self.service.post("user.disable", {"issue": self.issue(), "user": "lee@contoso.com"})[0], 200)
        status, _, a = self.service.post("user.enable", {"issue": issue, "user": "lee@contoso.com"})
        self.assertEqual((status, a["code"]), (409, "already_done"), a)
        self.assertFalse(self.sim.enabled("lee"))

    def test_idempotency_key_with_another_body(self):
        issue, key = self.issue(), {"Idempotency-Key": "rule-17-" + self.id()}
        body = {"issue": issue, "user": "ada@contoso.com", "group": "CRM"}
        self.assertEqual(self.service.post("group.add_member", body, headers=key)[0], 200)
        status, _, a = self.service.post("group.add_member", {**body, "user": "alan@contoso.com"}, headers=key)
        self.assertEqual((status, a["code"]), (409, "idempotency_conflict"), a)
        self.assertEqual(self.service.post("group.add_member", body, headers=key)[2]["replayed"], True)

    def test_remove(self):
        status, _, a = self.service.post("group.remove_member", {"issue": self.issue(), "user": USERS["grace"], "group": GROUPS["VPN Users"]})
        self.assertEqual((status, a["changed"], a["message"]), (200, True, "Removed Grace Hopper from VPN Users."), a)
        self.assertNotIn(USERS["grace"], self.sim.members("VPN Users"))
        self.assertIn("grace@contoso.com", [u["userPrincipalName"] for u in self.sim.get("/sim/state")["users"]])
        status, _, a = self.service.post("group.remove_member", {"issue": self.issue(), "user": USERS["nora"], "group": "VPN Users"})
        self.assertEqual((status, a["changed"]), (200, False), a)

    def test_dry_run_changes_and_comments_nothing(self):
        issue = self.issue()
        self.sim.delete("/sim/calls")
        status, _, a = self.add("ada@contoso.com", issue=issue, dryRun=True)
        self.assertEqual((status, a["dryRun"], a["changed"], a["message"]), (200, True, True, "Would add Ada Lovelace to VPN Users."), a)
        self.assertEqual(self.sim.writes(), [])
        self.assertEqual(self.sim.comments(issue), [])

    def test_users_are_found_in_every_form(self):
        for form, user in (("miles.o'neil@contoso.com", "oneil"), ("zoe@contoso.com", "zoe"), (USERS["mallory"], "mallory"),
                           ("gustav_partner.example#EXT#@contoso.onmicrosoft.com", "gustav"), ("gustav@partner.example", "gustav"),
                           ("ada.lovelace@contoso.com", "ada"), ("$dolly@contoso.com", None)):
            with self.subTest(form=form):
                self.sim.post("/sim/reset")
                status, _, a = self.add(form)
                self.assertEqual((status, a.get("outcome")), (200, "succeeded"), a)
                if user:
                    self.assertEqual(a["userId"], USERS[user])
                self.assertNotIn("\u202e", a["displayName"])

    def test_what_stands_before_survives_a_stale_read(self):
        """Entra's reads lag behind: a removal right after an addition must not believe that there is nothing to remove."""
        self.sim.settings(eventual_ms=60000)
        try:
            self.assertTrue(self.add("ada@contoso.com")[2]["changed"])
            status, _, a = self.service.post("group.remove_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"})
            self.assertEqual((status, a["changed"]), (200, True), a)
        finally:
            self.sim.settings(eventual_ms=0)
        self.assertEqual(self.sim.get("/sim/counters")["memberships"][GROUPS["VPN Users"]][USERS["ada"]], {"adds": 1, "removes": 1})


class Users(Case):
    def test_disable_and_enable(self):
        issue = self.issue()
        status, _, a = self.service.post("user.disable", {"issue": issue, "user": "ada@contoso.com", "reason": "leaves today"})
        self.assertEqual((status, a["changed"], a["before"], a["after"]), (200, True, {"accountEnabled": True}, {"accountEnabled": False}), a)
        self.assertFalse(self.sim.enabled("ada"))
        patch = [c for c in self.sim.writes()]
        self.assertEqual([c["method"] for c in patch], ["PATCH"])
        status, _, a = self.service.post("user.disable", {"issue": self.issue(), "user": "lee@contoso.com"})
        self.assertEqual((status, a["changed"], a["message"]), (200, False, "The account of Leaver Lee is already disabled."), a)
        status, _, a = self.service.post("user.enable", {"issue": self.issue(), "user": "lee@contoso.com"})
        self.assertEqual((status, a["changed"]), (200, True), a)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertIn("leaves today", self.sim.comments(issue)[0]["text"])

    def test_reads_need_no_issue_and_leave_no_comment(self):
        status, _, a = self.service.post("user.get", {"user": "ada@contoso.com"})
        self.assertEqual((status, a["userId"], a["accountEnabled"], a["changed"]), (200, USERS["ada"], True, False), a)
        status, _, a = self.service.post("group.get", {"group": "CRM"})
        self.assertEqual((status, a["groupId"], a["groupName"]), (200, GROUPS["CRM"], "CRM"), a)
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["comments"], 0)

    def test_synced_users_are_not_touched(self):
        status, _, a = self.service.post("user.disable", {"issue": self.issue(), "user": "sam@contoso.com"})
        self.assertEqual((status, a["code"]), (409, "user_not_modifiable"), a)


class Refusals(Case):
    def refused(self, body, status, code, kind="group.add_member", comment=True, field=None):
        issue = body.setdefault("issue", self.issue())
        s, _, a = self.service.post(kind, body)
        self.assertEqual((s, a.get("code"), a.get("status")), (status, code, status), a)
        self.assertTrue(a["message"] and a["detail"] and a["title"] and a["type"], a)
        self.assertEqual(a["outcome"], "refused", a)
        if field:
            self.assertEqual(a["field"], field, a)
        self.assertEqual(self.sim.writes(), [], "nothing was to be written")
        if comment:
            self.assertTrue(self.sim.wait_comments(issue, 1), "the refusal stands on the issue")

    def test_protected_people(self):
        for who, why in (("breakglass@contoso.com", "named"), ("tom@contoso.com", "member"), ("nick@contoso.com", "nested member"),
                         ("anna.admin@contoso.com", "direct role"), ("bob.admin@contoso.com", "role through a group"),
                         ("carla@contoso.com", "custom role, scoped"), (USERS["carla"], "the same by id"),
                         ("eve@contoso.com", "eligible for a role"), ("gina@contoso.com", "eligible through a group"),
                         ("olga@contoso.com", "owns a role-assignable group"), ("otto@contoso.com", "owns the app registration")):
            with self.subTest(who=who, why=why):
                self.refused({"user": who, "group": "VPN Users"}, 403, "principal_protected")
                self.refused({"user": who}, 403, "principal_protected", kind="user.disable")

    def test_groups(self):
        for group, status, code in (
                ("Nobody's group", 403, "group_not_serviceable"), ("vpn users", 403, "group_not_serviceable"),
                (GROUPS["Tier 0 admins"], 403, "group_not_serviceable"), ("Sales DE", 403, "group_not_serviceable"),
                (GROUPS["Sales DE"], 403, "group_not_serviceable"), ("Twins", 409, "group_ambiguous"), ("No Such Group", 404, "group_not_found"),
                ("All Berlin", 409, "group_not_modifiable"), ("Mail Security", 409, "group_not_modifiable"),
                ("Newsletter", 409, "group_not_modifiable"), ("Synced Staff", 409, "group_not_modifiable"),
                ("Restricted Unit", 409, "group_not_modifiable"), ("Role Admins", 409, "group_not_modifiable"),
                ("Tier 0 helpers", 403, "principal_protected")):
            with self.subTest(group=group):
                self.refused({"user": "ada@contoso.com", "group": group}, status, code)

    def test_users(self):
        self.refused({"user": "nobody@contoso.com", "group": "VPN Users"}, 404, "user_not_found")
        self.refused({"user": "shared@contoso.com", "group": "VPN Users"}, 409, "user_ambiguous")
        self.refused({"user": "nobody@contoso.com", "group": "Nobody's group"}, 404, "user_not_found")

    def test_issues(self):
        self.refused({"issue": "ITSM-9999", "user": "ada@contoso.com", "group": "CRM"}, 404, "issue_not_found", comment=False)
        self.refused({"issue": "OLD-1", "user": "ada@contoso.com", "group": "CRM"}, 403, "issue_not_permitted", comment=False)
        self.refused({"issue": "SEC-1", "user": "ada@contoso.com"}, 403, "issue_not_permitted", kind="user.disable", comment=False)
        s, _, a = self.service.post("user.disable", {"user": "ada@contoso.com"})
        self.assertEqual((s, a["code"], a["field"]), (400, "invalid_request", "issue"), a)

    def test_tokens(self):
        narrow = self.service.token("narrow", "group.add_member", "HR")
        body = {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"}
        s, _, a = self.service.post("group.add_member", body, narrow)
        self.assertEqual((s, a["code"]), (403, "issue_not_permitted"), a)
        s, _, a = self.service.post("group.remove_member", body, narrow)
        self.assertEqual((s, a["code"]), (403, "operation_not_permitted"), a)
        for headers in ({"Authorization": "Bearer nonsense"}, {"Authorization": ""}, {"Authorization": "Bearer " + narrow + "x"}):
            s, h, a = self.service.post("group.add_member", body, headers=headers)
            self.assertEqual((s, a["code"]), (401, "unauthenticated"), a)
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["adds"], 0)

    def test_bodies(self):
        good = {"issue": "ITSM-66", "user": "ada@contoso.com", "group": "VPN Users"}
        for change, field in (({"user": ""}, "user"), ({"user": "  "}, "user"), ({"user": 7}, "user"), ({"user": "ada"}, "user"),
                              ({"user": "a@b@c"}, "user"), ({"user": None}, "user"), ({"group": "VPN\u0007Users"}, "group"),
                              ({"group": "VPN\u202eUsers"}, "group"), ({"group": "x" * 2000}, "group"), ({"issue": "itsm 66"}, "issue"),
                              ({"issue": -5}, "issue"), ({"dryRun": "yes"}, "dryRun"), ({"usr": "x"}, "usr"), ({"users": ["x"]}, "users"),
                              ({"again": "no id"}, "again"), ({"reason": ["a"]}, "reason")):
            with self.subTest(change=change):
                s, _, a = self.service.post("group.add_member", {**good, **change})
                self.assertEqual((s, a["code"], a["field"]), (400, "invalid_request", field), a)
        for text, says in ((b'{"user": "Ada "The" Lovelace"}', "asJsonString"), (b"", ""), (b"[1]", ""), (b'{"user": "a", "user": "b"}', "user"),
                           (b'{"a":' * 5000, ""), (b'{"user": "a\\u0000@b"}', ""), (b"\xff\xfe", "")):
            with self.subTest(text=text[:40]):
                s, _, a = self.service.post("group.add_member", text)
                self.assertEqual(s, 400, a)
                self.assertIn(a["code"], ("invalid_json", "invalid_request"))
                self.assertIn(says, a["message"])
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["comments"], 0)

    def test_paths(self):
        self.assertEqual(self.service.post("group.burn_down", {})[2]["code"], "not_found")
        s, h, a = call(self.service.port, "GET", "/v1/group/add-member", headers={"Authorization": "Bearer " + self.service.token()})
        self.assertEqual((s, a["code"]), (405, "method_not_allowed"), a)
        self.assertEqual(self.service.get("/v1/operations/0192f000-0000-7000-8000-000000000000")[2]["code"], "operation_not_found")


class Views(Case):
    def test_operations_are_seen_by_their_token_only(self):
        issue = self.issue()
        _, _, a = self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "CRM"})
        status, _, shown = self.service.get("/v1/operations/" + a["operation"])
        self.assertEqual((status, shown["outcome"], shown["changed"]), (200, "succeeded", True), shown)
        other = self.service.token("other", "*", "*")
        self.assertEqual(self.service.get("/v1/operations/" + a["operation"], other)[0], 404)
        listed = self.service.get("/v1/operations?issue=" + issue)[2]["operations"]
        self.assertEqual([o["operation"] for o in listed], [a["operation"]])
        self.assertEqual(self.service.get("/v1/operations?issue=" + issue, other)[2]["operations"], [])
        self.assertIn(a["operation"], self.service.cli("operations", "list", "--json").stdout)
        self.assertIn("Ada", self.service.cli("operations", "show", a["operation"]).stdout)

    def test_a_new_or_revoked_token_counts_within_a_second(self):
        t = self.service.cli("token", "create", "--name", "brief", "--operations", "*", "--projects", "*").stdout.strip()
        body = {"user": "ada@contoso.com"}
        self.eventually(lambda: self.service.post("user.get", body, t)[0] == 200)
        self.service.cli("token", "revoke", "brief")
        self.eventually(lambda: self.service.post("user.get", body, t)[0] == 401)

    def eventually(self, holds, seconds=1.5):
        import time
        from harness import SLOW
        end = time.monotonic() + seconds * SLOW
        while not holds():
            self.assertLess(time.monotonic(), end, "not within a second")
            time.sleep(0.05)

    def test_metrics_openapi_and_audit(self):
        self.service.post("group.add_member", {"issue": self.issue(), "user": "alan@contoso.com", "group": "VPN Users"})
        metrics = call(self.service.port, "GET", "/metrics")[2]
        self.assertIn('entrabridge_operations_total{operation="group.add_member",outcome="succeeded"}', metrics)
        document = call(self.service.port, "GET", "/openapi.json")[2]
        self.assertIn("/v1/group/add-member", document["paths"])
        self.assertEqual(self.service.cli("audit", "verify").returncode, 0)

    def test_no_secret_or_person_in_the_log(self):
        self.service.post("user.get", {"user": "ada@contoso.com"})
        log = self.service.log_text()
        for secret in ("sim-client-secret", "sim-jira-token", self.service.token(), "Lovelace"):
            self.assertNotIn(secret, log)


if __name__ == "__main__":
    unittest.main()
