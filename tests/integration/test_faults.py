"""Clouds that refuse, throttle, hang, cut, answer HTML: retried or refused as the design says, and other callers go on."""
import threading
import time
import unittest

from harness import GROUPS, USERS, SLOW, Case


class Writes(Case):
    settings = {"response_deadline": "1s"}

    def add(self, user="ada@contoso.com", **more):
        self.current = self.issue()
        return self.service.post("group.add_member", {"issue": self.current, "user": user, "group": "VPN Users", **more})

    def one_effect(self, operation, user="ada", comments=1):
        end = self.service.await_ended(operation)
        self.assertEqual((end["outcome"], end["changed"]), ("succeeded", True), end)
        self.assertEqual(self.sim.get("/sim/counters")["memberships"][GROUPS["VPN Users"]][USERS[user]]["adds"], 1)
        self.assertTrue(self.sim.wait_comments(self.current, comments, 60000))
        self.assertEqual(len(self.sim.comments(self.current)), comments)

    def test_done_but_the_answer_was_lost(self):
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, drop_after=True)
        status, _, a = self.add()
        self.assertIn(status, (200, 202), a)
        self.one_effect(a["operation"])

    def test_not_done_and_the_answer_was_lost(self):
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, drop_before=True)
        status, _, a = self.add()
        self.assertIn(status, (200, 202), a)
        self.one_effect(a["operation"])

    def test_server_errors_on_a_write(self):
        for code in (500, 503, 504):
            self.sim.post("/sim/reset")
            self.sim.fault({"method": "POST", "path": "/members/$ref"}, status_after=code)
            status, _, a = self.add()
            self.assertIn(status, (200, 202), a)
            self.one_effect(a["operation"])

    def test_throttled_with_and_without_retry_after(self):
        for action in ({"status": 429, "retry_after": 1}, {"status": 429}, {"status": 429, "retry_after": "0.249"}):
            self.sim.post("/sim/reset")
            self.sim.fault({"method": "POST", "path": "/members/$ref"}, times=2, **action)
            status, _, a = self.add()
            self.assertIn(status, (200, 202), a)
            self.one_effect(a["operation"])

    def test_slow_work_is_answered_202_and_told_later(self):
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, delay_ms=2500)
        started = time.monotonic()
        status, headers, a = self.add()
        self.assertEqual((status, a["outcome"], headers["Location"]), (202, "accepted", "/v1/operations/" + a["operation"]), a)
        self.assertLess(time.monotonic() - started, 2.0 * SLOW)
        again = self.service.post("group.add_member", {"issue": self.current, "user": "ada@contoso.com", "group": "VPN Users"})
        self.assertEqual((again[0], again[2]["operation"]), (202, a["operation"]), "a repeat joins the operation under way")
        self.one_effect(a["operation"])
        self.sim.post("/sim/wait", {"calls": {"path": "/properties/entrabridge", "method": "PUT", "count": 1}, "timeout_ms": 20000})
        value = self.sim.get("/sim/state?issue=" + self.current)["issues"][0]["properties"]["entrabridge"]
        self.assertEqual((value["operation"], value["outcome"]), (a["operation"], "succeeded"), value)

    def test_a_patch_in_doubt_is_looked_at_before_it_is_sent_again(self):
        self.sim.fault({"method": "PATCH", "path": "/users/"}, drop_after=True)
        issue = self.issue()
        status, _, a = self.service.post("user.disable", {"issue": issue, "user": "ada@contoso.com"})
        self.assertIn(status, (200, 202), a)
        end = self.service.await_ended(a["operation"], 90)
        self.assertEqual((end["outcome"], end["changed"]), ("succeeded", True), end)
        self.assertEqual(self.sim.get("/sim/counters")["users"][USERS["ada"]]["disables"], 1)
        self.assertEqual(len([c for c in self.sim.writes() if c["method"] == "PATCH"]), 1)

    def test_refused_by_entra(self):
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, status=400,
                       body={"error": {"code": "Request_BadRequest", "message": "One or more property values specified are invalid."}})
        status, _, a = self.add()
        self.assertEqual((status, a["code"], a["outcome"]), (422, "rejected_by_entra", "failed"), a)
        self.assertIn("property values", a["message"])
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, status=403)
        status, _, a = self.add()
        self.assertEqual((status, a["code"]), (502, "entra_permission_missing"), a)
        self.assertIn("GroupMember.ReadWrite.All", a["message"])

    def test_the_key_of_a_refusal_is_free_again(self):
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, status=403)
        status, _, first = self.add()
        again = self.service.post("group.add_member", {"issue": self.current, "user": "ada@contoso.com", "group": "VPN Users"})
        self.assertEqual((again[0], again[2]["replayed"], again[2]["changed"]), (200, False, True), again)

    def test_others_go_on_while_one_is_throttled(self):
        self.sim.fault({"method": "POST", "path": GROUPS["CRM"] + "/members/$ref"}, times=-1, status=429, retry_after=30)
        stuck = self.service.post("group.add_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "CRM"})
        self.assertEqual(stuck[0], 202, stuck)
        self.assertEqual(self.add("nora@contoso.com")[0], 200)
        self.sim.delete("/sim/faults")


class Reads(Case):
    settings = {"response_deadline": "1s"}

    def test_reads_are_asked_again(self):
        for action in ({"status": 503}, {"status": 429, "retry_after": 1}, {"drop_before": True}, {"cut_body": True}, {"html": True}, {"garbage": True}):
            for path in ("/$batch", "/rest/api/3/issue/"):
                with self.subTest(action=action, path=path):
                    self.sim.post("/sim/reset")
                    self.sim.fault({"path": path, "in_batch": False}, **action)
                    status, _, a = self.service.post("group.add_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"})
                    if status == 202:
                        a = self.service.await_ended(a["operation"])
                    self.assertEqual((a["outcome"], a.get("changed")), ("succeeded", True), a)

    def test_throttled_items_of_a_batch_are_asked_again(self):
        self.sim.fault({"in_batch": True, "path": "/users/"}, times=3, status=429, retry_after=1)
        status, _, a = self.service.post("group.add_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"})
        if status == 202:
            a = self.service.await_ended(a["operation"])
        self.assertEqual((a["outcome"], a["changed"]), ("succeeded", True), a)

    def test_an_unknown_fact_refuses(self):
        """A missing permission must not make an administrator look ordinary."""
        for path in ("/roleManagement/directory/roleAssignments", "/transitiveMemberOf"):
            with self.subTest(path=path):
                self.sim.post("/sim/reset")
                self.sim.fault({"in_batch": True, "path": path}, times=-1, status=403)
                status, _, a = self.service.post("group.add_member", {"issue": self.issue(), "user": "carla@contoso.com", "group": "VPN Users"})
                self.assertEqual((status, a["code"]), (403, "principal_protected"), a)
                self.assertEqual(self.sim.writes(), [])

    def test_role_assignments_that_cannot_be_listed_are_asked_for_by_id(self):
        match = {"in_batch": True, "regex": "/roleManagement/directory/roleAssignments[?].select"}
        for user, status, code in (("carla@contoso.com", 403, "principal_protected"), ("ada@contoso.com", 200, None)):
            with self.subTest(user=user):
                self.sim.fault(match, times=-1, status=400)
                s, _, a = self.service.post("group.add_member", {"issue": self.issue(), "user": user, "group": "VPN Users"})
                self.assertEqual((s, a.get("code")), (status, code), a)

    def test_a_revoked_access_token_is_renewed(self):
        self.sim.delete("/sim/tokens")
        status, _, a = self.service.post("group.add_member", {"issue": self.issue(), "user": "ada@contoso.com", "group": "VPN Users"})
        self.assertEqual((status, a.get("changed")), (200, True), a)


class Comments(Case):
    def add(self, user):
        self.current = self.issue()
        return self.service.post("group.add_member", {"issue": self.current, "user": user, "group": "VPN Users"})

    def test_a_failing_jira_holds_nothing_back(self):
        for action in ({"status": 503}, {"status": 429, "retry_after": 1}, {"status": 429}, {"drop_before": True}):
            with self.subTest(action=action):
                self.sim.post("/sim/reset")
                self.sim.fault({"method": "POST", "path": "/comment"}, times=2, **action)
                status, _, a = self.add("ada@contoso.com")
                self.assertEqual((status, a["changed"]), (200, True), a)
                self.assertTrue(self.sim.wait_comments(self.current, 1, 60000))

    def test_posted_but_the_answer_was_lost(self):
        self.sim.fault({"method": "POST", "path": "/comment"}, drop_after=True)
        self.assertEqual(self.add("ada@contoso.com")[0], 200)
        found = self.sim.post("/sim/wait", {"calls": {"path": self.current_id() + "/comment", "method": "GET", "count": 1}, "timeout_ms": 60000})
        self.assertTrue(found["satisfied"], "after a doubt it looks before it posts")
        self.await_outbox_empty()
        self.assertEqual(len(self.sim.comments(self.current)), 1)

    def current_id(self):
        return self.sim.get("/sim/state?issue=" + self.current)["issues"][0]["id"]

    def await_outbox_empty(self):
        end = time.monotonic() + 60 * SLOW
        while '"ready"' in self.service.cli("outbox", "list", "--json").stdout:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)

    def test_a_dead_letter_can_be_sent_again(self):
        self.sim.fault({"method": "POST", "path": "/comment"}, status=403)
        _, _, a = self.add("ada@contoso.com")
        end = time.monotonic() + 20 * SLOW
        while a["operation"] not in self.service.cli("outbox", "list").stdout or "dead" not in self.service.cli("outbox", "list").stdout:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        self.assertEqual(self.sim.comments(self.current), [])
        self.service.cli("outbox", "retry", a["operation"])
        self.assertTrue(self.sim.wait_comments(self.current, 1, 20000))


class OneObject(Case):
    def test_many_at_once_on_one_membership(self):
        """Adds and removes of one membership go one after another, and each tells the truth about what it changed."""
        results, issues = [], [self.issue() for _ in range(24)]

        def send(n):
            kind = "group.add_member" if n % 2 else "group.remove_member"
            results.append(self.service.post(kind, {"issue": issues[n], "user": "ada@contoso.com", "group": "VPN Users"}))

        threads = [threading.Thread(target=send, args=(n,)) for n in range(24)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual({r[0] for r in results}, {200}, results)
        counted = self.sim.get("/sim/counters")["memberships"].get(GROUPS["VPN Users"], {}).get(USERS["ada"], {"adds": 0, "removes": 0})
        said = {k: sum(1 for r in results if r[2]["changed"] and r[2]["name"] == k) for k in ("group.add_member", "group.remove_member")}
        self.assertEqual((counted["adds"], counted["removes"]), (said["group.add_member"], said["group.remove_member"]))

    def test_the_same_request_many_times_at_once(self):
        issue, results = self.issue(), []
        threads = [threading.Thread(target=lambda: results.append(
            self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "VPN Users"}))) for _ in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual({r[0] for r in results}, {200}, results)
        self.assertEqual(len({r[2]["operation"] for r in results}), 1)
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["adds"], 1)


if __name__ == "__main__":
    unittest.main()
