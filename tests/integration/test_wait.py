"""Operations that wait: for a date, past a limit, for the end of a pause. Dates are made due by editing their rows: a service sees that another process
has changed its database."""
import json
import time
import unittest

from harness import USERS
from raw_client import SLOW, eventually
from wait_world import DAY, POLICY, World, now, rfc


class Scheduled(World):
    def test_what_is_refused(self):
        issue = self.issue()
        for at, words in ((rfc(now() - 3600000), "past"), (rfc(now() + 2000 * DAY), "five years"), ("tomorrow", "date or a time"), ("2027-02-30", "date or a time"),
                          ("", "had no value"), ("2001-01-01", "past")):
            status, _, a = self.post("user.disable", issue=issue, at=at)
            self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", "at"), (at, a))
            self.assertIn(words, a["message"])
        status, _, a = self.post("group.add_member", group="VPN Users", issue=issue, at=rfc(now() + DAY), expiresAt=rfc(now() + DAY - 1000))
        self.assertEqual((status, a["field"]), (400, "expiresAt"), a)
        status, _, a = self.post("user.reset_password", issue=issue, at=rfc(now() + DAY))
        self.assertEqual((status, a["code"]), (400, "invalid_request"), a)
        # At once, although it would run later only: a missing issue, a protected user, a group that is not serviceable, a kind that the policy does not list.
        for fields, want in (({"issue": "ITSM-9999"}, (404, "issue_not_found")), ({"user": "breakglass", "issue": issue}, (403, "principal_protected")),
                             ({"user": "nobody", "issue": issue}, (404, "user_not_found"))):
            status, _, a = self.post("user.disable", at=rfc(now() + DAY), **fields)
            self.assertEqual((status, a["code"]), want, a)
        status, _, a = self.post("group.add_member", group="Tier 0 admins", issue=issue, at=rfc(now() + DAY))
        self.assertEqual((status, a["code"]), (403, "group_not_serviceable"), a)
        status, _, a = self.post("user.delete", issue=issue, at=rfc(now() + DAY))
        self.assertEqual((status, a["code"]), (403, "operation_not_permitted"), a)
        self.assertEqual(self.sim.writes(), [])
        self.assertEqual(self.waiting(), [])

    def test_a_dry_run_and_an_explanation_wait_for_nothing(self):
        status, _, a = self.post("user.disable", issue=self.issue(), at=rfc(now() + DAY), dryRun=True)
        self.assertEqual((status, a["outcome"], a["dryRun"]), (200, "succeeded", True), a)
        self.assertEqual(self.waiting(), [])

    def test_said_listed_done_once(self):
        issue, at = self.issue(), now() + 30 * DAY
        status, headers, a = self.post("user.disable", issue=issue, at=rfc(at), reason="leaves")
        self.assertEqual((status, a["outcome"], a["scheduledFor"], a["changed"]), (202, "scheduled", rfc(at), False), a)
        self.assertEqual(headers["Location"], "/v1/operations/" + a["operation"])
        self.assertIn("disable the account of Ada Lovelace", a["message"])
        text = self.comments(issue, 1)[0]
        self.assertIn("Scheduled for", text)
        self.assertIn("operations cancel " + a["operation"], text)
        again = self.post("user.disable", issue=issue, at=rfc(at), reason="leaves")
        self.assertEqual((again[0], again[2]["operation"], again[2]["outcome"], again[2]["scheduledFor"]), (202, a["operation"], "scheduled", rfc(at)), again)
        for shown in (self.service.get("/v1/operations/" + a["operation"])[2], self.service.get("/v1/operations?issue=" + issue)[2]["operations"][0]):
            self.assertEqual((shown["outcome"], shown["scheduledFor"], shown["userId"]), ("scheduled", rfc(at), USERS["ada"]), shown)
        listed = json.loads(self.service.cli("operations", "list", "--scheduled", "--json").stdout)
        self.assertEqual([(o["operation"], o["outcome"], o["scheduledFor"]) for o in listed], [(a["operation"], "scheduled", rfc(at))])
        self.assertEqual(json.loads(self.service.cli("operations", "list", "--held", "--json").stdout), [])
        self.assertEqual(self.execute("SELECT count(*) FROM open_operations"), [(0,)])
        self.assertTrue(self.sim.enabled("ada"))
        self.make_due(a["operation"])
        end = self.service.await_ended(a["operation"])
        self.assertEqual((end["outcome"], end["changed"]), ("succeeded", True), end)
        self.assertNotIn("late", end["message"])
        self.assertFalse(self.sim.enabled("ada"))
        self.assertEqual(len(self.comments(issue, 2)), 2)
        self.assertEqual(len(self.sim.writes()), 1)
        self.settled()
        replay = self.post("user.disable", issue=issue, at=rfc(at), reason="leaves")
        self.assertEqual((replay[0], replay[2]["replayed"], replay[2]["outcome"]), (200, True, "succeeded"), replay)
        self.service.cli("audit", "verify")

    def test_a_repeat_after_the_date_gets_the_answer(self):
        issue, at = self.issue(), now() + 2000
        a = self.schedule("user.disable", issue=issue, at=rfc(at))
        self.service.await_ended(a["operation"])
        self.execute("UPDATE operations SET accepted_ms = accepted_ms")
        eventually(lambda: now() > at, 10, lambda: "")
        status, _, b = self.post("user.disable", issue=issue, at=rfc(at))
        self.assertEqual((status, b["operation"], b["replayed"]), (200, a["operation"], True), b)

    def test_killed_and_down_when_due(self):
        a = self.schedule("user.disable", user="ada", issue=self.issue(), at=rfc(now() + DAY))
        late = self.schedule("user.disable", user="grace", issue=self.issue(), at=rfc(now() + DAY))
        self.service.kill()
        self.service.start()
        self.assertEqual(self.service.get("/v1/operations/" + a["operation"])[2]["outcome"], "scheduled")
        self.service.kill()
        self.make_due(a["operation"])
        self.make_due(late["operation"], 3 * 3600000)
        self.service.start()
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")
        end = self.service.await_ended(late["operation"])
        self.assertEqual(end["outcome"], "succeeded", end)
        self.assertIn("comes late", end["message"])
        self.assertFalse(self.sim.enabled("ada") or self.sim.enabled("grace"))

    def test_killed_while_it_runs(self):
        self.sim.fault({"cloud": "graph", "method": "POST", "path": "/members/"}, times=1, delay_ms=4000)
        a = self.schedule("group.add_member", group="VPN Users", issue=self.issue(), at=rfc(now() + DAY))
        self.make_due(a["operation"])
        eventually(lambda: self.execute("SELECT count(*) FROM writes") == [(1,)], 10, self.service.log_text)
        self.service.kill()
        self.service.start()
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")
        self.assertEqual(self.execute("SELECT count(*) FROM waiting"), [(0,)])
        self.settled()

    def test_judged_anew_by_the_policy_of_then(self):
        issue = self.issue()
        a = self.schedule("user.disable", issue=issue, at=rfc(now() + DAY))
        policy = json.loads(json.dumps(POLICY))
        del policy["operations"]["user.disable"]
        self.restart(policy)
        self.make_due(a["operation"])
        end = self.service.await_ended(a["operation"])
        self.assertEqual((end["outcome"], end["code"]), ("refused", "operation_not_permitted"), end)
        self.assertEqual(len(self.comments(issue, 2)), 2)
        self.assertTrue(self.sim.enabled("ada"))

    def test_judged_anew_by_the_token_of_then(self):
        token = self.service.token("leavers", "user.disable", "ITSM")
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY), token=token)
        self.service.cli("token", "revoke", "leavers")
        self.make_due(a["operation"])
        self.assertTrue(eventually(lambda: self.execute("SELECT outcome, code FROM conclusions") == [("refused", "operation_not_permitted")], 20, self.service.log_text))
        self.assertTrue(self.sim.enabled("ada"))

    def test_an_expired_token_is_followed_by_the_next_of_its_name(self):
        token = self.service.token("leavers", "user.disable", "ITSM")
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY), token=token)
        self.execute("UPDATE tokens SET expires_ms = ? WHERE name = 'leavers'", now() - 1000)
        self.service.token("leavers", "user.disable,user.enable", "ITSM")
        self.make_due(a["operation"])
        self.assertTrue(eventually(lambda: self.execute("SELECT outcome FROM conclusions") == [("succeeded",)], 20, self.service.log_text))

    def test_judged_anew_by_the_approvals_of_then(self):
        policy = json.loads(json.dumps(POLICY))
        policy["operations"]["user.disable"] = {"projects": ["ITSM"], "approval": "required"}
        self.restart(policy)
        said = {"decision": "approved", "approvers": [{"account": "petra@contoso.com"}]}
        for key in ("ITSM-2001", "ITSM-2002", "ITSM-2003"):
            self.sim.post("/sim/issues", {"key": key, "reporter": "zoe@contoso.com", "quiet": True, "approvals": [said] if key != "ITSM-2003" else []})
        status, _, a = self.post("user.disable", issue="ITSM-2003", at=rfc(now() + DAY))
        self.assertEqual((status, a["code"]), (403, "approval_missing"), a)            # the author learns it at once
        kept = self.schedule("user.disable", user="grace", issue="ITSM-2001", at=rfc(now() + DAY))
        taken = self.schedule("user.disable", user="ada", issue="ITSM-2002", at=rfc(now() + DAY))
        self.sim.post("/sim/issues", {"key": "ITSM-2002", "approvals": [said, {"decision": "declined", "approvers": [{"account": "petra@contoso.com"}]}]})
        self.make_due(kept["operation"])
        self.make_due(taken["operation"])
        self.assertEqual(self.service.await_ended(kept["operation"])["outcome"], "succeeded")
        end = self.service.await_ended(taken["operation"])
        self.assertEqual((end["outcome"], end["code"]), ("refused", "approval_missing"), end)
        self.assertEqual((self.sim.enabled("grace"), self.sim.enabled("ada")), (False, True))

    def test_a_start_does_not_load_them(self):
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        self.service.stop()
        self.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
                     " INSERT INTO operations (id, kind, token_id, token_name, issue, request, accepted_ms, dry_run)"
                     " SELECT printf('0195f3a2-7c1e-7d4b-9a51-%012d', i), kind, token_id, token_name, issue, request, accepted_ms, 0 FROM n, operations WHERE id = ?",
                     a["operation"])
        self.execute("INSERT INTO waiting (operation, why, reason, at_ms, ready_ms, passed) SELECT number, 'scheduled', 'words', ?, ?, 0 FROM operations"
                     " WHERE number NOT IN (SELECT operation FROM waiting)", now() + DAY, now() + DAY)
        self.execute("INSERT INTO timers (kind, subject, due_ms) SELECT 'operation', id, ? FROM operations WHERE id <> ?", now() + DAY, a["operation"])
        began = time.monotonic()
        self.service.start()
        self.assertLess(time.monotonic() - began, 2 * SLOW)
        self.assertIn("taken up after the start: 0", self.service.log_text())
        self.make_due(a["operation"])
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")

    def test_a_name_that_means_another_by_then(self):
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        self.execute("UPDATE records SET user_id = ?", USERS["grace"])
        self.make_due(a["operation"])
        end = self.service.await_ended(a["operation"])
        self.assertEqual((end["outcome"], end["code"]), ("failed", "user_not_found"), end)
        self.assertTrue(self.sim.enabled("ada"))

    def test_the_clock_steps(self):
        """Handed out too early, for the clock was ahead for a moment: it waits on, and runs once."""
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'operation'", now() - 1000)
        eventually(lambda: self.timers() == [(a["operation"], self.ready(a["operation"]))], 20, lambda: str(self.timers()))
        # Taken up while the clock was ahead, and set back before anything was written.
        self.execute("UPDATE waiting SET ready_ms = ?", now() - 1000)
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'operation'", now() - 1000)
        eventually(lambda: len(self.execute("SELECT 1 FROM waiting WHERE ready_ms > ?", now())) == 1 and self.timers() == [(a["operation"], self.ready(a["operation"]))],
                   20, lambda: str(self.timers()) + self.service.log_text())
        self.assertTrue(self.sim.enabled("ada"))
        self.make_due(a["operation"])
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")
        self.assertEqual(len(self.sim.writes()), 1)

    def test_entra_is_away_when_due(self):
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        self.sim.fault({"cloud": "graph", "method": "PATCH"}, times=1, status=429, retry_after=1)
        self.make_due(a["operation"])
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")

    def test_many_at_once(self):
        made = [self.schedule("group.add_member", user=u, group=g, issue=self.issue(), at=rfc(now() + DAY))["operation"]
                for u in ("ada", "grace", "alan", "lee", "nora", "gustav", "oneil", "zoe", "sam") for g in ("VPN Users", "CRM", "Project Phoenix", "O'Brien's Team")]
        self.execute("UPDATE waiting SET ready_ms = ?, at_ms = ?", now() - 1000, now() - 1000)
        self.execute("UPDATE operations SET request = replace(request, substr(request, instr(request, '\"at\":\"') + 6, 24), ?)", rfc(now() - 1000))
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'operation'", now() - 1000)
        eventually(lambda: self.execute("SELECT count(*) FROM conclusions WHERE outcome = 'succeeded'") == [(len(made),)], 30, self.service.log_text)
        self.settled()


class Cancelled(World):
    def check(self, operation, issue, by):
        end = self.service.get("/v1/operations/" + operation)[2]
        self.assertEqual((end["outcome"], end["changed"]), ("cancelled", False), end)
        self.assertIn(by, end["message"])
        self.assertIn("Cancelled before", self.comments(issue, 2)[1])
        self.assertEqual((self.timers(), self.waiting()), ([], []))
        self.assertEqual(self.execute("SELECT count(*) FROM audit WHERE event = 'operation' AND operation = ?", operation), [(1,)])
        self.service.cli("audit", "verify")

    def test_by_its_id(self):
        issue = self.issue()
        a = self.schedule("user.disable", issue=issue, at=rfc(now() + DAY))
        other = self.service.token("other")
        self.assertEqual(self.cancel(a["operation"], token=other)[0], 404)
        status, _, b = self.cancel(a["operation"], issue=issue, reason="stays")
        self.assertEqual((status, b["outcome"], b["operation"], b["issue"]), (200, "cancelled", a["operation"], issue), b)
        self.check(a["operation"], issue, 'the token "rule"')
        status, _, b = self.cancel(a["operation"])
        self.assertEqual((status, b["code"]), (409, "already_done"), b)
        self.assertIn("cancelled already", b["message"])
        self.assertEqual(self.cancel("0195f3a2-7c1e-7d4b-9a51-0f7c2b6f1a11")[0], 404)
        # The key is free: the same may be asked for again.
        again = self.schedule("user.disable", issue=issue, at=self.ats[-1])
        self.assertNotEqual(again["operation"], a["operation"])

    def test_at_the_command_line_with_a_service_and_without(self):
        for alive in (True, False):
            issue = self.issue()
            a = self.schedule("user.disable", issue=issue, at=rfc(now() + DAY))
            if not alive:
                self.service.stop()
            self.assertIn("Cancelled", self.service.cli("operations", "cancel", a["operation"], "--reason", "stays").stdout)
            if not alive:
                self.service.start()
            self.check(a["operation"], issue, "command line")
        self.assertEqual(self.service.cli("operations", "cancel", a["operation"], check=False).returncode, 1)

    def test_by_the_issue(self):
        issue, other = self.issue(), self.issue()
        mine = [self.schedule(k, issue=issue, at=rfc(now() + DAY))["operation"] for k in ("user.disable", "user.revoke_sessions", "user.enable")]
        kept = self.schedule("user.disable", issue=other, at=rfc(now() + DAY))["operation"]
        foreign = self.schedule("user.disable", user="grace", issue=issue, at=rfc(now() + DAY), token=self.service.token("other"))["operation"]
        status, _, a = self.cancel(None, issue=issue, name="user.enable")
        self.assertEqual((status, a["count"], [r["operation"] for r in a["results"]]), (200, 1, mine[2:]), a)
        status, _, a = self.cancel(None, issue=issue)
        self.assertEqual((status, a["outcome"], a["count"], [r["operation"] for r in a["results"]]), (200, "cancelled", 2, mine[:2]), a)
        status, _, a = self.cancel(None, issue=issue)
        self.assertEqual((status, a["code"]), (404, "operation_not_found"), a)
        self.assertEqual(sorted(w[0] for w in self.waiting()), sorted([kept, foreign]))
        for body, field in (({}, "issue"), ({"issue": issue, "name": "user.fly"}, "name"), ({"issue": issue, "dryRun": True}, "dryRun"), ({"issue": issue, "user": "x"}, "user")):
            status, _, a = self.cancel(None, **body)
            self.assertEqual((status, a["field"]), (400, field), a)

    def test_only_by_a_token_of_its_kind(self):
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        narrow = self.service.token("rule", "user.get", "ITSM")
        status, _, b = self.cancel(a["operation"], token=narrow)
        self.assertEqual((status, b["code"]), (403, "operation_not_permitted"), b)

    def test_what_has_begun(self):
        status, _, a = self.post("user.disable", issue=self.issue())
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        status, _, b = self.cancel(a["operation"])
        self.assertEqual((status, b["code"]), (409, "already_done"), b)


if __name__ == "__main__":
    unittest.main()
