"""Killed with a write in doubt, or before one left; what happens meanwhile; late duplicates; clocks that step.

Each row yields twice: between the two the service is down, and the database may be edited, as time would have done it.
"""
import time
import unittest

from harness import GROUPS
from kind_examples import EXAMPLES, GIVEN, Request, open_secret, user_now
from side_by_side import DELETE, LICENCES, PASSES, PATCH, SideBySide, begin, check, first, same, tests_of

DAY_MS = 86400000
SLOW_READ = {"delay_ms": 25000}    # until the kill, however busy the machine is; a read is given up after 30 s
UNTOLD = {"delay_after_ms": 27000}     # done, and killed before the answer comes: one that is cut off is looked into at once


def setUpModule():
    begin(Killed)


@tests_of
class Killed(SideBySide):
    @classmethod
    def between(cls):
        cls.stage.service.kill()
        cls.step()
        cls.stage.service.start()

    # ---- secrets ----

    def row_password_given(stage):
        """It was never stored: what was sent cannot be known, and nothing else is sent in its place."""
        r = stage.request("user.reset_password", {"password": GIVEN})
        stage.send(r, PATCH, drop_before=True)
        yield
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same([c["status"] for c in stage.writes(r)], [0])

    def row_password_made_here(stage):
        r = stage.request("user.reset_password")
        stage.send(r, PATCH, **UNTOLD)
        first = user_now(stage.sim, r)["password"]
        yield
        yield
        end = check(stage, r, "succeeded", True)
        same((user_now(stage.sim, r)["password"], open_secret(stage.service, end["secretUrl"])), (first, first))

    def row_password_not_set(stage):
        """The sealed one is what is sent after the start."""
        r = stage.request("user.reset_password")
        stage.send(r, PATCH, drop_before=True)
        yield
        yield
        end = check(stage, r, "succeeded", True)
        same((open_secret(stage.service, end["secretUrl"]), stage.counted(r)["passwords"]), (user_now(stage.sim, r)["password"], 1))

    def row_create(stage, body=None, **action):
        r = stage.request("user.create", body)
        with stage.alone_creating:
            stage.send(r, "/users$", **(action or {"drop_before": True}))
        yield
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same((end["userPrincipalName"], end["userId"], stage.counted(r, user["id"])), (r.upn, user["id"], {"creates": 1}))
        if not body:
            same(open_secret(stage.service, end["secretUrl"]), user["password"])

    def row_create_done(stage):
        return Killed.row_create(stage, **UNTOLD)

    def row_create_done_with_a_given_password(stage):
        return Killed.row_create(stage, {"password": GIVEN}, **UNTOLD)

    def row_create_with_a_given_password(stage):
        r = stage.request("user.create", {"password": GIVEN})
        with stage.alone_creating:
            stage.send(r, "/users$", drop_before=True)
        yield
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same(user_now(stage.sim, r), {}, "nobody is made with another password")

    def row_pass_of_a_new_user(stage):
        r = stage.request("user.create", example=next(e for e in EXAMPLES if "accessPass" in e.body))
        with stage.alone_creating:
            stage.send(r, "/users/([^e]|e[^7])[^/]*/authentication/temporaryAccessPassMethods", **UNTOLD)
        yield
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same(stage.counted(r, user["id"]), {"creates": 1, "managers": 1, "passes": 2})
        same(open_secret(stage.service, end["secretUrl"]), user["temporaryAccessPass"])

    def row_pass(stage):
        r = stage.request("user.issue_access_pass")
        stage.send(r, PASSES, **UNTOLD)
        yield
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same((stage.counted(r), len(user["methods"]), open_secret(stage.service, end["secretUrl"])), ({"passes": 2, "passes_deleted": 1}, 1, user["temporaryAccessPass"]))
        assert "lost" in end["message"], end

    def row_pass_whose_replacement_is_lost(stage):
        """Killed between the deletion of the lost pass and the next one: that it was lost is still said."""
        r = stage.request("user.issue_access_pass")
        stage.send(r, PASSES, **UNTOLD)
        yield
        stage.execute("UPDATE writes SET state = 'done' WHERE operation = (SELECT number FROM operations WHERE id = ?)", r.operation)
        stage.execute("INSERT INTO writes (operation, n, action, object, state, tries, sent_ms) SELECT number, 1, 'pass.delete', ?, 'pending', 1, ? FROM operations WHERE id = ?",
                      "user:" + r.id, int(time.time() * 1000), r.operation)
        stage.sim.post("/sim/users", {"id": r.id, "methods": []})
        yield
        end = check(stage, r, "succeeded", True)
        assert "lost" in end["message"], end

    # ---- several writes ----

    def row_country_and_licence(stage):
        r = stage.request("user.assign_licenses", example=next(e for e in EXAMPLES if "usageLocation" in e.body))
        stage.send(r, LICENCES, **UNTOLD)
        yield
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"patches": 1, "licences": 1, "licences_added": 1})

    def row_methods(stage):
        r = stage.request("user.reset_mfa")
        stage.send(r, "/users/{id}/authentication/emailMethods", **UNTOLD)
        yield
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"methods_deleted": 3})

    def row_two_patches(stage):
        r = stage.request("user.update", {"attributes": {"jobTitle": "New", "employeeLeaveDateTime": "2036-01-01T00:00:00Z"}})
        stage.send(r, PATCH, **UNTOLD)
        yield
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"patches": 2})

    # ---- the world changed meanwhile ----

    def withdrawn(stage, r):
        stage.sim.post("/sim/issues", {"key": r.issue, "quiet": True, "approvals": [{"decision": "declined", "approvers": [
            {"account": "grace@contoso.com", "decision": "declined"}]}]})

    def row_withdrawn_before_anything_left(stage):
        r = stage.request("user.disable")
        stage.sim.fault({"cloud": "jira", "path": "/rest/api/3/issue/" + r.issue}, **SLOW_READ)
        stage.send(r, PATCH, acts=False, drop_before=True)
        yield
        Killed.withdrawn(stage, r)
        yield
        check(stage, r, "refused", False, "approval_missing")
        same(stage.writes(r), [])

    def row_withdrawn_in_doubt(stage):
        """Throttled when the process was killed: nobody knows any more that nothing was done. Nothing more is sent."""
        r = stage.request("user.disable")
        stage.send(r, PATCH, status=429, retry_after=25)
        yield
        Killed.withdrawn(stage, r)
        yield
        check(stage, r, "unknown", False, "approval_missing")
        same([c["status"] for c in stage.writes(r)], [429])

    def row_withdrawn_when_it_was_done(stage):
        """What was done is told as done."""
        r = stage.request("user.disable")
        stage.send(r, PATCH, **UNTOLD)
        yield
        Killed.withdrawn(stage, r)
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"disables": 1, "patches": 1})

    def row_bound_field_edited(stage):
        r = stage.request("user.delete")
        stage.sim.fault({"cloud": "jira", "path": "/rest/api/3/issue/" + r.issue}, **SLOW_READ)
        stage.send(r, DELETE, acts=False, drop_before=True)
        yield
        stage.sim.post("/sim/issues", {"key": r.issue, "fields": {"customfield_10050": {"account": "nora@contoso.com"}}})
        yield
        check(stage, r, "refused", False, "approval_missing")
        same(stage.writes(r), [])

    def row_promoted(stage):
        r = stage.request("user.reset_mfa")
        stage.sim.fault({"cloud": "jira", "path": "/rest/api/3/issue/" + r.issue}, **SLOW_READ)
        stage.send(r, "/users/{id}/authentication", acts=False, drop_before=True)
        yield
        stage.sim.post("/sim/users", {"id": r.id, "roles": ["User Administrator"]})
        yield
        check(stage, r, "refused", False, "principal_protected")
        same(stage.writes(r), [])

    def row_renamed(stage):
        """Taken up by the name that was sent: nothing was recorded yet, and nobody has it."""
        r = stage.request("user.enable")
        r.body["user"] = r.upn
        stage.sim.fault({"cloud": "jira", "path": "/rest/api/3/issue/" + r.issue}, **SLOW_READ)
        stage.send(r, PATCH, acts=False, drop_before=True)
        yield
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        yield
        check(stage, r, "refused", False, "user_not_found")

    def row_renamed_in_doubt(stage):
        r = stage.request("user.enable")
        r.body["user"] = r.upn
        stage.send(r, PATCH, **UNTOLD)
        yield
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"enables": 1, "patches": 1})

    def row_deleted_in_doubt(stage):
        """Whether the account was enabled before it was deleted cannot be known."""
        r = stage.request("user.enable")
        stage.send(r, PATCH, drop_before=True)
        yield
        stage.sim.post("/sim/users", {"id": r.id, "deleted": True})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same([c["status"] for c in stage.writes(r)], [0])

    # ---- clocks ----

    def moved(stage, r, by_ms):
        stage.execute("UPDATE operations SET accepted_ms = accepted_ms + ? WHERE id = ?", by_ms, r.operation)
        stage.execute("UPDATE writes SET sent_ms = sent_ms + ? WHERE operation = (SELECT number FROM operations WHERE id = ?)", by_ms, r.operation)

    def row_clock_set_back(stage):
        """Accepted tomorrow, as it seems: carried out all the same."""
        r = stage.request("user.enable")
        stage.send(r, PATCH, drop_before=True)
        yield
        Killed.moved(stage, r, DAY_MS)
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"enables": 1, "patches": 1})

    def row_clock_set_forward(stage):
        """Sent yesterday, as it seems: a write that may have left is settled, however old."""
        r = stage.request("user.enable")
        stage.send(r, PATCH, **UNTOLD)
        yield
        Killed.moved(stage, r, -DAY_MS)
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"enables": 1, "patches": 1})

    def row_clock_set_forward_before_anything_left(stage):
        r = stage.request("user.enable")
        stage.sim.fault({"cloud": "jira", "path": "/rest/api/3/issue/" + r.issue}, **SLOW_READ)
        stage.send(r, PATCH, acts=False, drop_before=True)
        yield
        Killed.moved(stage, r, -DAY_MS)
        yield
        check(stage, r, "expired", False, "entra_unavailable")
        same(stage.writes(r), [])

    def row_clock_set_back_while_a_user_is_made(stage):
        """Made before it was asked for, as it seems: it cannot be told whose it is, and no second one is made."""
        r = stage.request("user.create")
        with stage.alone_creating:
            stage.send(r, "/users$", **UNTOLD)
        yield
        Killed.moved(stage, r, DAY_MS)
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same(stage.counted(r, user_now(stage.sim, r)["id"]), {"creates": 1})

    # ---- late duplicates ----

    @first
    def row_late_duplicates(stage):
        """Of every kind, a day later: answered from the journal, and nothing is done."""
        done = [stage.request(e.kind, example=e) for e in EXAMPLES]
        members = [r.id for r in done if r.kind == "group.remove_member"]
        stage.sim.post("/sim/groups", {"id": GROUPS["CRM"], "members": stage.sim.members("CRM") + members})
        with stage.alone_creating:
            for r in done:
                r.answer = stage.service.post(r.kind, r.body)[2]
                r.operation = r.answer["operation"]
                stage.service.await_ended(r.operation)
        yield
        for r in done:
            Killed.moved(stage, r, -DAY_MS)
            stage.execute("UPDATE conclusions SET ended_ms = ended_ms - ? WHERE operation = (SELECT number FROM operations WHERE id = ?)", DAY_MS, r.operation)
            stage.execute("UPDATE idempotency SET until_ms = until_ms - ? WHERE operation = (SELECT number FROM operations WHERE id = ?)", DAY_MS, r.operation)
        yield
        before = stage.sim.get("/sim/counters")["totals"]
        for r in done:
            status, _, again = stage.service.post(r.kind, r.body)
            same((status, again.get("replayed"), again.get("operation"), again.get("changed")), (200, True, r.operation, True), r.kind)
            same([m for m in ("password", "temporaryAccessPass", "secretUrl") if m in again], [], "a replay shows no secret")
        after = stage.sim.get("/sim/counters")["totals"]
        same(after["graph_calls"] >= before["graph_calls"], True)
        for r in done:
            same(len([c for c in stage.sim.comments(r.issue) if c["operation"] == r.operation]), 1, r.kind)

    @first
    def row_a_late_enable_revives_no_leaver(stage):
        r = stage.request("user.enable")
        r.operation = stage.service.post(r.kind, r.body)[2]["operation"]
        stage.service.await_ended(r.operation)
        later = Request(next(e for e in EXAMPLES if e.kind == "user.disable"), r.n)
        later.issue = later.body["issue"] = r.issue
        a = stage.service.post("user.disable", later.body)[2]
        stage.service.await_ended(a["operation"])
        yield
        for o in (r.operation, a["operation"]):
            stage.execute("UPDATE operations SET accepted_ms = accepted_ms - ? WHERE id = ?", DAY_MS, o)
            stage.execute("UPDATE conclusions SET ended_ms = ended_ms - ? WHERE operation = (SELECT number FROM operations WHERE id = ?)", DAY_MS, o)
        yield
        status, _, again = stage.service.post(r.kind, r.body)
        same((status, again["code"]), (409, "already_done"))
        same(user_now(stage.sim, r)["accountEnabled"], False)


if __name__ == "__main__":
    unittest.main()
