"""Undo: the reverse of an operation from what stood before, once, and only where nothing has changed since."""
import json
import threading
import unittest

from harness import GROUPS, SLOW, USERS, Alone, Case, call

POLICY = {
    "serviceable_groups": [{"group": g, "projects": "*"} for g in ("VPN Users", "CRM")],
    "protected": {"users": ["breakglass@contoso.com"], "groups": ["Tier 0 admins"], "directory_roles": True},
    "operations": {
        "group.add_member": {"projects": ["ITSM"]}, "group.remove_member": {"projects": ["ITSM"]},
        "user.disable": {"projects": ["ITSM"]}, "user.enable": {"projects": ["HR"]},
        "user.update": {"projects": ["ITSM"], "attributes": ["jobTitle", "officeLocation"]},
        "user.set_manager": {"projects": ["ITSM"]}, "user.remove_manager": {"projects": ["ITSM"]},
        "user.delete": {"projects": ["ITSM"]}, "user.restore": {"projects": ["ITSM"]},
        "user.revoke_sessions": {"projects": ["ITSM"]}, "user.get": {"projects": "*", "issue": "optional"},
    },
}


def undo(service, operation, body, token=None, headers=None):
    h = {"Authorization": "Bearer " + (token or service.token()), **(headers or {})}
    return call(service.port, "POST", "/v1/operations/%s/undo" % operation, body, h)


class Undo(Case):
    policy = POLICY
    settings = {"response_deadline": "20s"}

    def do(self, kind, **body):
        status, _, a = self.service.post(kind, {"issue": self.issue(), **body})
        self.assertEqual((status, a.get("outcome"), a.get("changed")), (200, "succeeded", True), a)
        return a

    def undo(self, a, **body):
        body.setdefault("issue", self.issue())
        return undo(self.service, a["operation"], body)

    def undone(self, a, **body):
        status, _, u = self.undo(a, **body)
        self.assertEqual((status, u.get("outcome"), u.get("changed"), u.get("undoes")), (200, "succeeded", True, a["operation"]), u)
        self.assertNotEqual(u["operation"], a["operation"])
        return u

    def refused(self, a, says, code="undo_not_possible", status=409, **body):
        got, _, u = self.undo(a, **body)
        self.assertEqual((got, u.get("code")), (status, code), u)
        self.assertIn(says, u["message"])
        return u

    def user(self, name):
        return self.sim.get("/sim/state?user=" + USERS[name])["users"][0]

    # -- each kind that can be undone --

    def test_add_and_remove(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        u = self.undone(a, reason="asked for by mistake")
        self.assertEqual(u["name"], "group.remove_member")
        self.assertNotIn(USERS["ada"], str(self.sim.members("VPN Users")))
        self.assertTrue(self.sim.wait_comments(u["issue"], 1))
        self.assertIn("asked for by mistake", json.dumps(self.sim.comments(u["issue"])))
        r = self.do("group.remove_member", user="grace@contoso.com", group="VPN Users")
        self.undone(r)
        self.assertIn(USERS["grace"], str(self.sim.members("VPN Users")))

    def test_update_goes_back_to_what_stood(self):
        was = self.user("ada").get("jobTitle")
        a = self.do("user.update", user="ada@contoso.com", attributes={"jobTitle": "Countess", "officeLocation": None})
        self.undone(a)
        self.assertEqual(self.user("ada").get("jobTitle"), was)

    def test_manager_where_none_stood_before(self):
        a = self.do("user.set_manager", user="zoe@contoso.com", manager="grace@contoso.com")
        had = a["before"].get("managerId")
        u = self.undone(a)
        self.assertEqual(u["name"], "user.set_manager" if had else "user.remove_manager")
        self.assertEqual(u["after"].get("managerId"), had)

    def test_delete_by_id_though_the_name_is_gone(self):
        a = self.do("user.delete", user="zoe@contoso.com")
        u = self.undone(a)
        self.assertEqual(u["name"], "user.restore")

    # -- why not --

    def test_a_second_undo_is_refused_and_names_the_first(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        body = {"issue": self.issue()}
        first = undo(self.service, a["operation"], body)[2]
        for again in (body, {"issue": self.issue(), "reason": "another"}):
            status, _, second = undo(self.service, a["operation"], again)
            self.assertEqual((status, second["code"]), (409, "undo_not_possible"), second)
            self.assertIn(first["operation"], second["message"])

    def test_two_at_once_are_one(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        self.sim.settings(latency_ms=100)
        ends = []
        threads = [threading.Thread(target=lambda: ends.append(self.undo(a))) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.sim.settings(latency_ms=0)
        self.assertEqual(sorted(e[0] for e in ends), [200, 409, 409, 409], ends)
        self.assertEqual(self.sim.get("/sim/counters")["memberships"][GROUPS["VPN Users"]][USERS["ada"]]["removes"], 1)

    def test_one_with_a_key_is_replayed(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        body, key = {"issue": self.issue()}, {"Idempotency-Key": "undo-" + a["operation"]}
        first = undo(self.service, a["operation"], body, headers=key)
        second = undo(self.service, a["operation"], body, headers=key)
        self.assertEqual((first[0], second[0]), (200, 200), second)
        self.assertEqual((second[2]["operation"], second[2]["replayed"]), (first[2]["operation"], True))

    def test_what_cannot_be_undone(self):
        dry = self.service.post("group.add_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users", "dryRun": True})[2]
        self.refused(dry, "dry run")
        nothing = self.service.post("group.add_member", {"issue": self.issue(), "user": "grace@contoso.com", "group": "VPN Users"})[2]
        self.refused(nothing, "changed nothing")
        read = self.service.post("user.get", {"user": "ada@contoso.com"})[2]
        self.refused(read, "only read")
        failed = self.service.post("group.add_member", {"issue": self.issue(), "user": "breakglass@contoso.com", "group": "VPN Users"})[2]
        self.refused(failed, "ended as refused")
        self.refused(self.do("user.revoke_sessions", user="ada@contoso.com"), "cannot be undone")
        self.refused({"operation": "0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11"}, "no operation", "operation_not_found", 404)

    def test_changed_since_by_another_operation(self):
        """In the end it is as it was left, and yet it was decided anew in between."""
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        self.do("group.remove_member", user="ada@contoso.com", group="VPN Users")
        b = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        said = self.refused(a, "has changed the same since")
        self.assertRegex(said["message"], "[0-9a-f-]{36}")
        self.undone(b)

    def test_changed_since_by_somebody_else(self):
        a = self.do("user.update", user="ada@contoso.com", attributes={"jobTitle": "Countess"})
        self.sim.post("/sim/users", {"id": USERS["ada"], "userPrincipalName": "ada@contoso.com", "jobTitle": "Enchantress"})
        u = self.refused(a, "changed again since")
        self.assertEqual(self.user("ada")["jobTitle"], "Enchantress")
        # It came to nothing, and may be tried again once it is as it was.
        self.assertEqual(u["undoes"], a["operation"])
        self.sim.post("/sim/users", {"id": USERS["ada"], "userPrincipalName": "ada@contoso.com", "jobTitle": "Countess"})
        self.undone(a)

    def test_another_attribute_of_the_same_user_does_not_matter(self):
        a = self.do("user.update", user="ada@contoso.com", attributes={"jobTitle": "Countess"})
        self.do("user.update", user="ada@contoso.com", attributes={"officeLocation": "London"})
        self.undone(a)

    def test_the_policy_decides_about_the_reverse(self):
        """Enabling is for HR only here: a refusal is an operation with a row, and the undo is free for who may."""
        a = self.do("user.disable", user="ada@contoso.com")
        said = self.refused(a, "", "issue_not_permitted", 403)
        self.assertEqual((said["name"], said["undoes"]), ("user.enable", a["operation"]))
        self.assertFalse(self.sim.enabled("ada"))
        self.undone(a, issue="HR-7")
        self.assertTrue(self.sim.enabled("ada"))

    def test_the_token_decides_too(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        adds = self.service.token("rule", "group.add_member", "ITSM")
        other = self.service.token("other", "*", "*")
        status, _, u = undo(self.service, a["operation"], {"issue": self.issue()}, adds)
        self.assertEqual((status, u["code"]), (403, "operation_not_permitted"), u)
        status, _, u = undo(self.service, a["operation"], {"issue": self.issue()}, other)
        self.assertEqual((status, u["code"]), (404, "operation_not_found"), u)
        self.undone(a)

    def test_bad_bodies(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        for body, field in (({"issue": ""}, "issue"), ({"user": "x"}, "user"), ({"again": a["operation"]}, "again"), ({"reason": 7}, "reason"),
                            ([], ""), ({}, "issue")):
            status, _, u = undo(self.service, a["operation"], body)
            self.assertEqual((status, u["code"], u.get("field", "")), (400, "invalid_request", field), u)
        self.assertEqual(undo(self.service, a["operation"], b"{")[2]["code"], "invalid_json")
        self.undone(a)

    def test_a_dry_run_undoes_nothing_and_does_not_stand_in_the_way(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        status, _, u = self.undo(a, dryRun=True)
        self.assertEqual((status, u["dryRun"], u["changed"], u["undoes"]), (200, True, True, a["operation"]), u)
        self.assertIn(USERS["ada"], str(self.sim.members("VPN Users")))
        self.undone(a)

    def test_undo_of_an_undo(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        u = self.undone(a)
        self.undone(u)
        self.assertIn(USERS["ada"], str(self.sim.members("VPN Users")))
        self.refused(a, "")

    def test_right_after_the_operation_though_graph_does_not_tell_it_yet(self):
        self.sim.settings(eventual_ms=3000)
        try:
            a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
            self.undone(a)
            b = self.do("user.update", user="alan@contoso.com", attributes={"jobTitle": "Codebreaker"})
            u = self.undone(b)
            self.assertEqual(u["before"]["jobTitle"], "Codebreaker")
        finally:
            self.sim.settings(eventual_ms=0)
        self.assertNotIn(USERS["ada"], str(self.sim.members("VPN Users")))

    # -- the command line --

    def test_command_line(self):
        a = self.do("group.add_member", user="ada@contoso.com", group="VPN Users")
        issue = self.issue()
        r = self.service.cli("operations", "undo", a["operation"], "--issue", issue, "--reason", "by hand", "--json")
        u = json.loads(r.stdout)
        self.assertEqual((u["outcome"], u["undoes"], u["name"]), ("succeeded", a["operation"], "group.remove_member"), u)
        self.assertNotIn(USERS["ada"], str(self.sim.members("VPN Users")))
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertIn("command line, ", json.dumps(self.sim.comments(issue)))
        r = self.service.cli("operations", "undo", a["operation"], "--issue", issue, check=False)
        self.assertEqual(r.returncode, 1, r)
        self.assertIn("undone already", r.stderr)

    def test_command_line_is_bound_by_the_policy(self):
        a = self.do("user.disable", user="ada@contoso.com")
        r = self.service.cli("operations", "undo", a["operation"], "--issue", self.issue(), check=False)
        self.assertEqual(r.returncode, 1, r)
        self.assertFalse(self.sim.enabled("ada"))
        r = self.service.cli("operations", "undo", a["operation"], "--issue", "HR-8")
        self.assertIn("Enabled", r.stdout)

    def test_command_line_usage(self):
        for args, code in ((("not-an-id",), 2), (("0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11", "--issue", "x y"), 2),
                           (("0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11",), 1)):
            self.assertEqual(self.service.cli("operations", "undo", *args, check=False).returncode, code, args)


class Fresh(Alone):
    """A service that goes down and comes back."""
    settings = {"response_deadline": "1s"}
    policy = POLICY

    def answers(self):
        """The database calls nobody: asked until all orders are answered."""
        for _ in range(int(200 * SLOW)):
            answers = [r[0] for r in self.execute("SELECT answer FROM orders ORDER BY number")]
            if None not in answers:
                break
            threading.Event().wait(0.05)
        return answers

    def add(self, issue="ITSM-70"):
        a = self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "VPN Users"})[2]
        self.assertEqual((a["outcome"], a["changed"]), ("succeeded", True), a)
        return a

    def test_no_service_is_said_and_nothing_happens_later(self):
        a = self.add()
        self.service.stop()
        r = self.service.cli("operations", "undo", a["operation"], "--issue", "ITSM-71", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("no service runs", r.stderr)
        self.assertEqual(self.execute("SELECT * FROM orders"), [])
        self.service.start()
        self.assertIn(USERS["ada"], str(self.sim.members("VPN Users")))

    def test_killed_in_between_keeps_what_is_expected_and_who_asked(self):
        """Throttled and killed: after the restart it is still the administrator's, whom no token limits, and its order is answered."""
        a = self.service.post("user.update", {"issue": "ITSM-72", "user": "ada@contoso.com", "attributes": {"jobTitle": "Countess"}})[2]
        self.sim.fault({"cloud": "graph", "path": "/$batch"}, times=-1, status=429, retry_after=20)
        order = json.dumps({"operation": a["operation"], "id": "0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11", "by": "test",
                            "body": {"issue": "ITSM-73"}})
        self.execute("INSERT INTO orders (kind, data, made_ms) VALUES ('undo', ?, CAST(strftime('%s') AS INTEGER) * 1000)", order)
        self.assertIn("0195f3a2", self.answers()[0])
        self.service.kill()
        self.sim.delete("/sim/faults")
        self.execute("UPDATE orders SET answer = NULL")         # as if the kill had come just before the answer
        self.service.start()
        for _ in range(200):
            rows = json.loads(self.service.cli("operations", "list", "--issue", "ITSM-73", "--json").stdout)
            if rows[0]["state"] == "ended":
                break
            threading.Event().wait(0.05)
        self.assertEqual([(r["outcome"], r["name"]) for r in rows], [("succeeded", "user.update")], rows)
        self.assertIn("0195f3a2", self.answers()[0])

    def test_changed_by_somebody_else_while_it_was_down(self):
        a = self.service.post("user.update", {"issue": "ITSM-74", "user": "ada@contoso.com", "attributes": {"jobTitle": "Countess"}})[2]
        self.sim.fault({"cloud": "graph", "path": "/$batch"}, times=-1, status=429, retry_after=20)
        u = undo(self.service, a["operation"], {"issue": "ITSM-75"})[2]
        self.assertEqual(u["outcome"], "accepted", u)
        self.service.kill()
        self.sim.delete("/sim/faults")
        self.sim.post("/sim/users", {"id": USERS["ada"], "userPrincipalName": "ada@contoso.com", "jobTitle": "Enchantress"})
        self.service.start()
        end = self.service.await_ended(u["operation"])
        self.assertEqual((end["outcome"], end["code"]), ("refused", "undo_not_possible"), end)
        self.assertEqual(self.sim.get("/sim/state?user=" + USERS["ada"])["users"][0]["jobTitle"], "Enchantress")

    def test_an_old_order_is_not_carried_out(self):
        a = self.add()
        order = json.dumps({"operation": a["operation"], "id": "0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a12", "by": "test", "body": {"issue": "ITSM-73"}})
        self.execute("INSERT INTO orders (kind, data, made_ms) VALUES ('undo', ?, 1000)", order)
        self.execute("INSERT INTO orders (kind, data, made_ms) VALUES ('bogus', '{}', CAST(strftime('%s') AS INTEGER) * 1000)")
        self.execute("INSERT INTO orders (kind, data, made_ms) VALUES ('undo', 'no JSON', CAST(strftime('%s') AS INTEGER) * 1000)")
        answers = self.answers()
        self.assertIn("too long", answers[0])
        self.assertIn("does not know", answers[1])
        self.assertIn("incomplete", answers[2])
        self.assertIn(USERS["ada"], str(self.sim.members("VPN Users")))


if __name__ == "__main__":
    unittest.main()
