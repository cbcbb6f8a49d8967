"""The rows of the doubt table, and a world that changes between the request and its execution."""
import time
import unittest

from harness import GROUPS, USERS
from kind_examples import EXAMPLES, GIVEN, METHODS, POWER_BI_PRO, open_secret, user_now
from side_by_side import DELETE, LICENCES, MANAGER, PASSES, PATCH, SideBySide, begin, check, same, tests_of


def setUpModule():
    begin(Doubt, Judged)


@tests_of
class Doubt(SideBySide):
    """A write was sent and no answer came."""

    @staticmethod
    def create(stage, action, meanwhile=None):
        """Alone until its fault has acted, for a POST of users does not say whose it is."""
        r = stage.request("user.create")
        with stage.alone_creating:
            stage.send(r, "/users$", **action)
            if meanwhile:
                stage.sim.post("/sim/users", {"userPrincipalName": r.upn, "mailNickname": "new%d.newton" % r.n, **meanwhile})
        return r

    def row_create_absent(stage):
        """Absent after a doubt: the same name again, never the next one."""
        r = Doubt.create(stage, {"drop_before": True})
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same((end["userId"], end["userPrincipalName"], stage.counted(r, user["id"])), (user["id"], r.upn, {"creates": 1}))

    def row_create_present_and_not_alike(stage):
        """Somebody else has made one of that name meanwhile."""
        r = Doubt.create(stage, {"drop_before": True}, {"displayName": "Another", "createdDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same([u["displayName"] for u in stage.sim.get("/sim/state")["users"] if u["userPrincipalName"].startswith("new%d.newton" % r.n)], ["Another"])

    def row_create_present_and_older(stage):
        r = Doubt.create(stage, {"drop_before": True}, {"displayName": "New%d Newton" % (stage.number + 1)})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")

    def row_password_made_here(stage):
        """The same value again: whoever was told the first one is not locked out."""
        r = stage.request("user.reset_password")
        stage.send(r, PATCH, drop_after=True)
        first = user_now(stage.sim, r)["password"]
        yield
        end = check(stage, r, "succeeded", True)
        same((user_now(stage.sim, r)["password"], stage.counted(r)["passwords"]), (first, 2))
        same(open_secret(stage.service, end["secretUrl"]), first, "the link")
        assert first not in end["comment"], end["comment"]

    def row_password_given(stage):
        """Known as long as the process lives: sent again."""
        r = stage.request("user.reset_password", {"password": GIVEN})
        stage.send(r, PATCH, drop_before=True)
        yield
        check(stage, r, "succeeded", True)
        same(user_now(stage.sim, r)["password"], GIVEN)

    def row_pass(stage):
        """Its value was in the lost answer: deleted, another one issued, and that is said."""
        r = stage.request("user.issue_access_pass")
        stage.send(r, PASSES, drop_after=True)
        first = user_now(stage.sim, r)["temporaryAccessPass"]
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same((stage.counted(r), len(user["methods"])), ({"passes": 2, "passes_deleted": 1}, 1))
        assert user["temporaryAccessPass"] != first and "lost" in end["message"] and "lost" in end["comment"], end
        same(open_secret(stage.service, end["secretUrl"]), user["temporaryAccessPass"])

    def row_pass_lost_twice(stage):
        r = stage.request("user.issue_access_pass")
        stage.send(r, PASSES + "$", drop_after=True, times=2)
        yield
        end = check(stage, r, "succeeded", True)
        same((stage.counted(r), len(user_now(stage.sim, r)["methods"])), ({"passes": 3, "passes_deleted": 2}, 1))
        assert "lost" in end["message"], end

    def row_pass_of_a_new_user(stage):
        """The pass is replaced; the manager, who was set before, is not set again; the link shows the pass, not the password."""
        r = stage.request("user.create", example=next(e for e in EXAMPLES if "accessPass" in e.body))
        with stage.alone_creating:
            stage.send(r, "/users/[^e][^/]*/authentication/temporaryAccessPassMethods|/users/e[^7][^/]*/authentication/temporaryAccessPassMethods", drop_after=True)
        yield
        end = check(stage, r, "succeeded", True)
        user = user_now(stage.sim, r)
        same(stage.counted(r, user["id"]), {"creates": 1, "managers": 1, "passes": 2})
        assert "no other" in end["message"], end
        same(open_secret(stage.service, end["secretUrl"]), user["temporaryAccessPass"])

    def row_licences(stage):
        """Only the difference: another administrator has given one of the two meanwhile."""
        r = stage.request("user.assign_licenses", {"licenses": ["SPE_E3", "POWER_BI_PRO"]}, {"licences": []})
        stage.send(r, LICENCES, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "licences": [POWER_BI_PRO]})
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"licences": 1, "licences_added": 1})

    def row_methods(stage):
        """What the user registers meanwhile stays."""
        r = stage.request("user.reset_mfa", person={"defaultMethod": None})
        stage.send(r, "/users/{id}/authentication/emailMethods", drop_after=True)
        new = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": "60000000-0000-4000-8000-000000000099", "model": "Key"}
        stage.sim.post("/sim/users", {"id": r.id, "methods": METHODS[1:] + [new]})
        yield
        check(stage, r, "succeeded", True)
        same(([m["id"] for m in user_now(stage.sim, r)["methods"]], stage.counted(r)), ([new["id"]], {"methods_deleted": 3}))

    def row_methods_partly(stage):
        """One is gone without an answer, the next is refused: a part was done, and that is known."""
        r = stage.request("user.reset_mfa", person={"defaultMethod": None})
        stage.sim.fault({"method": "DELETE", "path": "/users/%s/authentication/phoneMethods" % r.id}, times=-1, status=403)
        stage.send(r, "/users/{id}/authentication/emailMethods", drop_after=True)
        yield
        check(stage, r, "partial", True, "partly_failed")
        same(stage.counted(r), {"methods_deleted": 1})

    def row_attributes_partly(stage):
        """Two PATCHes: the first done without an answer, the second refused."""
        r = stage.request("user.update", {"attributes": {"jobTitle": "New", "employeeLeaveDateTime": "2036-01-01T00:00:00Z"}})
        stage.sim.fault({"method": "PATCH", "path": "/users/%s" % r.id}, after=1, times=-1, status=403)
        stage.send(r, "/users/{id}$", drop_after=True)
        yield
        check(stage, r, "partial", True, "partly_failed")
        same(stage.counted(r), {"patches": 1})

    def row_deleted_by_another(stage):
        r = stage.request("user.delete")
        stage.send(r, DELETE, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "deleted": True})
        yield
        check(stage, r, "succeeded")
        same([c["status"] for c in stage.writes(r)], [0], "nothing but the lost one")

    def row_restored_by_another(stage):
        r = stage.request("user.restore")
        stage.send(r, "/deletedItems/{id}/restore", drop_before=True)
        stage.graph("POST", "/directory/deletedItems/%s/restore" % r.id)
        yield
        check(stage, r, "succeeded")
        same([c["status"] for c in stage.writes(r)], [0, 200], "nothing but the lost one and the other's")

    def row_attribute_of_another(stage):
        """Neither what stood before nor what was asked for: somebody else has written it, and it stays."""
        r = stage.request("user.update")
        stage.send(r, PATCH, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "jobTitle": "Third"})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same((user_now(stage.sim, r)["jobTitle"], len(stage.writes(r))), ("Third", 1))

    def row_attribute_as_asked(stage):
        r = stage.request("user.update")
        stage.send(r, PATCH, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "jobTitle": "New", "department": "Sales"})
        yield
        check(stage, r, "succeeded")
        same(len(stage.writes(r)), 1, "nothing is sent for what stands")

    def row_manager_of_another(stage):
        r = stage.request("user.set_manager")
        stage.send(r, MANAGER, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "manager": "nora@contoso.com"})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same((user_now(stage.sim, r)["managerId"], len(stage.writes(r))), (USERS["nora"], 1))

    def row_no_manager_of_another(stage):
        r = stage.request("user.remove_manager")
        stage.send(r, MANAGER, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "manager": "nora@contoso.com"})
        yield
        check(stage, r, "unknown", False, "entra_unavailable")
        same(user_now(stage.sim, r)["managerId"], USERS["nora"])

    def row_sessions(stage):
        """Done without an answer: looked at, and not done twice."""
        r = stage.request("user.revoke_sessions")
        stage.send(r, "/users/{id}/revokeSignInSessions", drop_after=True)
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"revokes": 1})

    def row_renamed(stage):
        """It was sent for the person, not for the name."""
        r = stage.request("user.disable")
        r.body["user"] = r.upn
        stage.send(r, PATCH, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        yield
        check(stage, r, "succeeded", True)
        same(stage.counted(r), {"disables": 1, "patches": 1})

    def row_name_given_to_another(stage):
        """Nobody else is touched, and what was sent is found out."""
        r = stage.request("user.disable")
        r.body["user"] = r.upn
        stage.send(r, PATCH, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        other = stage.sim.post("/sim/users", {"userPrincipalName": r.upn, "displayName": "Another"})["users"][0]["id"]
        yield
        check(stage, r, "succeeded", True)
        same((stage.counted(r), stage.counted(r, other)), ({"disables": 1, "patches": 1}, {}))

    def row_promoted(stage):
        """An administrator by now: nothing more is sent, and what was sent cannot be known to the end."""
        r = stage.request("user.disable")
        stage.send(r, PATCH, drop_before=True)
        stage.sim.post("/sim/users", {"id": r.id, "roles": ["Global Administrator"]})
        yield
        check(stage, r, "unknown", False, "principal_protected")
        same([c["status"] for c in stage.writes(r)], [0])


@tests_of
class Judged(SideBySide):
    """Throttled for longer than a verdict is good: the world is looked at again, and nothing was sent."""
    THROTTLED = {"status": 429, "retry_after": 61}

    def refused(stage, r, code, outcome="refused"):
        check(stage, r, outcome, False, code)
        same((stage.counted(r), [c["status"] for c in stage.writes(r)]), ({}, [429]))

    def row_approval_withdrawn(stage):
        r = stage.request("user.disable")
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/issues", {"key": r.issue, "quiet": True, "approvals": [{"decision": "declined", "approvers": [
            {"account": "grace@contoso.com", "decision": "declined"}]}]})
        yield
        Judged.refused(stage, r, "approval_missing")

    def row_bound_field_edited(stage):
        r = stage.request("user.delete")
        stage.send(r, DELETE, **Judged.THROTTLED)
        stage.sim.post("/sim/issues", {"key": r.issue, "fields": {"customfield_10050": {"account": "nora@contoso.com"}}})
        yield
        Judged.refused(stage, r, "approval_missing")

    def row_bound_field_edited_and_set_back(stage):
        """What was approved stands there again, but somebody had a hand in it after the approval."""
        r = stage.request("user.delete")
        stage.send(r, DELETE, **Judged.THROTTLED)
        for account in ("nora@contoso.com", r.id):
            stage.sim.post("/sim/issues", {"key": r.issue, "fields": {"customfield_10050": {"account": account}}})
        yield
        Judged.refused(stage, r, "approval_missing")

    def row_renamed(stage):
        """The request named somebody by a name that nobody has any more."""
        r = stage.request("user.enable")
        r.body["user"] = r.upn
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        yield
        Judged.refused(stage, r, "user_not_found")

    def row_name_given_to_another(stage):
        r = stage.request("user.enable")
        r.body["user"] = r.upn
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "userPrincipalName": "was-%d@contoso.com" % r.n, "mail": "was-%d@contoso.com" % r.n})
        other = stage.sim.post("/sim/users", {"userPrincipalName": r.upn, "displayName": "Another", "accountEnabled": False})["users"][0]["id"]
        yield
        Judged.refused(stage, r, "user_not_found", "failed")
        same(stage.counted(r, other), {})

    def row_deleted(stage):
        r = stage.request("user.reset_password")
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "deleted": True})
        yield
        Judged.refused(stage, r, "user_not_found")
        same(stage.execute("SELECT COUNT(*) FROM secrets WHERE operation = ? AND sealed IS NOT NULL", r.operation), [(0,)], "a password for nobody")

    def row_promoted(stage):
        r = stage.request("user.issue_access_pass")
        stage.send(r, PASSES, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "roles": ["Global Administrator"]})
        yield
        Judged.refused(stage, r, "principal_protected")

    def row_eligible(stage):
        r = stage.request("group.add_member")
        stage.send(r, "/groups/%s/members" % GROUPS["VPN Users"], **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "eligibleRoles": ["Global Administrator"]})
        yield
        check(stage, r, "refused", False, "principal_protected")
        same(stage.counted(r), {})

    def row_another_value(stage):
        """Nothing of ours was done: what stands before is what stands now, and the record says so."""
        r = stage.request("user.update", {"attributes": {"jobTitle": "New"}})
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "jobTitle": "Third"})
        yield
        end = check(stage, r, "succeeded", True)
        same((end["before"], end["after"], stage.counted(r)), ({"jobTitle": "Third"}, {"jobTitle": "New"}, {"patches": 1}))
        same(stage.execute("SELECT state_before FROM records JOIN operations ON number = operation WHERE id = ?", r.operation), [('{"jobTitle":"Third"}',)])

    def row_done_by_another(stage):
        r = stage.request("user.enable")
        stage.send(r, PATCH, **Judged.THROTTLED)
        stage.sim.post("/sim/users", {"id": r.id, "accountEnabled": True})
        yield
        end = check(stage, r, "succeeded", False)
        same((end["before"], end["after"], stage.counted(r)), ({"accountEnabled": True}, {"accountEnabled": True}, {}))

    def row_taken_by_one_alike(stage):
        """Throttled, and somebody else makes a user of that very name: it is not ours."""
        r = Doubt.create(stage, Judged.THROTTLED, {"displayName": "New%d Newton" % (stage.number + 1), "createdDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))})
        yield
        check(stage, r, "failed", False, "user_already_exists")


if __name__ == "__main__":
    unittest.main()
