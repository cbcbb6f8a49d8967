"""Approvals, requesters and the other conditions of the policy, end to end: each row is asked of /v1/explain and then done, with the same verdict.

A row has an issue of its own and, in its group, the one condition that it is about; the groups' members are set back before each.
"""
import datetime
import threading
import time
import unittest

from harness import GROUPS, USERS, Case, Service, Sim, call


def ago(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


# A group for each condition: its name, and what its entry says.
BIND = {"user": "customfield_10050", "group": "customfield_10051"}
CONDITIONS = {
    "Plain": {"approval": "required"},
    "Bound": {"approval": "required", "bind": BIND},
    "Two": {"approval": "required", "approvals": 2},
    "Chosen": {"approval": "required", "approvers": "group:Access Approvers"},
    "Fresh": {"approval": "required", "approval_max_age": "1h"},
    "Manager": {"requester": "manager"},
    "Self": {"requester": "self"},
    "Any": {"requester": "any"},
    "Staff": {"requester": "group:Access Approvers"},
    "Unknown staff": {"requester": "group:No Such Group"},
    "Typed": {"request_types": ["42"]},
    "Status": {"statuses": ["In Progress"]},
    "Young": {"max_age": "1d"},
    "Shadow": {"mode": "shadow"},
    "Short": {"max_duration": "8h"},
    "Create": {}, "Approve": {}, "Nested in approve": {},
    "Free": {},
}
IDS = {name: "cc000000-0000-4000-8000-%012d" % n for n, name in enumerate(CONDITIONS)}
POLICY = {
    "serviceable_groups": [{"group": g, "projects": ["ITSM"], **c} for g, c in CONDITIONS.items()],
    "protected": {"groups": ["Tier 0 admins"]},
    "separation_of_duties": [{"groups": ["Create", "Approve"]}],
    "operations": {
        "group.add_member": {"projects": ["ITSM"]}, "group.remove_member": {"projects": ["ITSM"]},
        "user.disable": {"projects": ["ITSM"], "requester": "manager"},
        "user.enable": {"projects": ["ITSM"], "approval": "required", "mode": "shadow"},
        "user.update": {"projects": ["ITSM"], "attributes": ["jobTitle", "mobilePhone"], "sensitive": True, "approval": "required"},
        "user.get": {"projects": ["ITSM"]}, "user.reset_password": {"projects": ["ITSM"]},
    },
}


def put_groups(sim):
    sim.post("/sim/groups", [{"id": i, "displayName": n, "kind": "security", "members": []} for n, i in IDS.items()])
    sim.post("/sim/groups", {"id": IDS["Approve"], "members": ["grace@contoso.com", IDS["Nested in approve"]]})
    sim.post("/sim/groups", {"id": IDS["Nested in approve"], "members": ["alan@contoso.com"]})


class Conditions(Case):
    @classmethod
    def setUpClass(cls):
        cls.sim = Sim()
        try:
            put_groups(cls.sim)
            cls.service = Service(cls.sim, POLICY)
            cls.service.token()
            cls.service.start()
        except BaseException:
            cls.sim.close()
            raise

    def setUp(self):
        """No reset: it would give out the ids of issues and approvals again, and those have served."""
        self.sim.delete("/sim/faults")
        self.sim.delete("/sim/calls")
        put_groups(self.sim)

    number = 1000

    def new_issue(self, quiet=True, **what):
        """An issue of Nora's: she neither approves nor is a target, unless a row says so."""
        Conditions.number += 1
        key = "ITSM-%d" % Conditions.number
        self.sim.post("/sim/issues", {"key": key, "reporter": "zoe@contoso.com", "quiet": quiet, **what})
        return key

    def edit(self, key, **what):
        self.sim.post("/sim/issues", {"key": key, **what})

    def ask(self, issue, group, kind="group.add_member", user="ada@contoso.com", **more):
        body = {"issue": issue, "user": user, **({"group": group} if group else {}), **more}
        status, _, told = call(self.service.port, "POST", "/v1/explain", {"operation": kind, **body},
                               {"Authorization": "Bearer " + self.service.token()})
        self.assertEqual(status, 200, told)
        self.assertEqual(self.sim.comments(issue), [])
        return told, self.service.post(kind, body)

    def check(self, why, issue, group, code, rule=None, comments=1, **request):
        """The verdict twice: explained, and for good. code None: allowed."""
        with self.subTest(why):
            self.sim.delete("/sim/calls")
            told, (status, _, done) = self.ask(issue, group, **request)
            self.assertEqual((told["allowed"], told.get("code")), (code is None, code), told)
            if rule is not None:
                where = "policy.serviceable_groups[%d]." % list(CONDITIONS).index(group) if group else ""
                self.assertEqual(told["rule"], where + rule if rule in ("approval", "bind", "approvals", "approvers", "approval_max_age",
                                 "requester", "request_types", "statuses", "max_age", "max_duration") else rule, told)
            self.assertEqual(done.get("code"), code, done)
            self.assertEqual(told["message"] if code else None, done["message"] if code else None)
            if code is None:
                self.assertEqual(status, 200, done)
                self.assertEqual((told["wouldChange"], told["before"], told["after"]), (done["changed"], done["before"], done["after"]))
            else:
                self.assertEqual(self.sim.writes(), [])
            self.assertTrue(self.sim.wait_comments(issue, comments))
            return done

    # ---- approvals ----

    @staticmethod
    def approval(decision="approved", *people, **more):
        return {"decision": decision, "approvers": [p if isinstance(p, dict) else {"account": p} for p in people or ("petra@contoso.com",)], **more}

    def earlier(self):
        """Before whatever is changed now."""
        return self.approval(created=ago(seconds=4), completed=ago(seconds=3))

    def approved_issue(self, *rounds, **what):
        return self.new_issue(approvals=list(rounds or (self.approval(),)), **what)

    def test_rounds(self):
        a, one = self.approval, "petra@contoso.com"
        rows = [
            ("approved", [a()], None),
            ("no approval at all", [], "approval_missing"),
            ("pending", [a("pending")], "approval_missing"),
            ("declined", [a("declined")], "approval_missing"),
            ("a second round is pending", [a(), a("pending", "grace@contoso.com")], "approval_missing"),
            ("a second round was declined", [a(), a("declined", "grace@contoso.com")], "approval_missing"),
            ("two rounds, both approved", [a(), a("approved", "grace@contoso.com")], None),
            ("one approver declined, though the round is approved", [a("approved", one, {"account": "grace@contoso.com", "decision": "declined"})], "approval_missing"),
            ("one approver has not said yet: the round is approved", [a("approved", one, {"account": "grace@contoso.com", "decision": "pending"})], None),
            ("by the reporter", [a("approved", "zoe@contoso.com")], "approval_missing"),
            ("by the reporter and another", [a("approved", "zoe@contoso.com", one)], "approval_missing"),
            ("by the target", [a("approved", "ada@contoso.com")], "approval_missing"),
            ("by somebody without an e-mail address", [a("approved", "nora@contoso.com")], "approval_missing"),
            ("by a guest", [a("approved", USERS["gustav"])], "approval_missing"),
            ("by one of two who have the same address", [a("approved", "twin1@contoso.com")], "approval_missing"),
            ("by nobody", [{"decision": "approved", "approvers": []}], "approval_missing"),
        ]
        for why, rounds, code in rows:
            self.sim.post("/sim/groups", {"id": IDS["Plain"], "members": []})
            self.check(why, self.new_issue(approvals=rounds), "Plain", code, "approval" if code else "policy.operations.group.add_member")

    def test_how_many_and_whose(self):
        a, petra, quentin, grace = self.approval, "petra@contoso.com", "quentin@contoso.com", "grace@contoso.com"
        rows = [
            ("two of two", "Two", [a("approved", petra, quentin)], None, None),
            ("two in two rounds", "Two", [a("approved", petra), a("approved", quentin)], None, None),
            ("one of two", "Two", [a("approved", petra)], "approval_missing", "approvals"),
            ("the same one twice", "Two", [a("approved", petra), a("approved", petra)], "approval_missing", "approvals"),
            ("one of the approvers' group", "Chosen", [a("approved", petra)], None, None),
            ("none of the approvers' group", "Chosen", [a("approved", grace)], "approval_missing", "approvers"),
            ("the group as approver", "Chosen", [a("approved", {"group": "Access Approvers", "decision": "approved"})], None, None),
            ("fresh", "Fresh", [a("approved", petra, completed=ago(minutes=50))], None, None),
            ("too old", "Fresh", [a("approved", petra, completed=ago(minutes=70))], "approval_missing", "approval_max_age"),
            ("one of two rounds too old", "Fresh", [a(completed=ago(minutes=5)), a("approved", quentin, completed=ago(hours=2))], "approval_missing", "approval_max_age"),
            ("of a time to come", "Fresh", [a("approved", petra, completed=ago(hours=-2))], "approval_missing", "approval_max_age"),
        ]
        for why, group, rounds, code, rule in rows:
            self.sim.post("/sim/groups", {"id": IDS[group], "members": []})
            self.check(why, self.new_issue(approvals=rounds), group, code, rule)

    def test_bound_fields(self):
        person, text = "customfield_10050", "customfield_10051"
        rows = [
            ("as approved", {person: {"account": "ada@contoso.com"}, text: "Bound"}, None),
            ("the group in other letters, with blanks", {person: {"account": "ada@contoso.com"}, text: " bound "}, None),
            ("the group by its id", {person: {"account": "ada@contoso.com"}, text: IDS["Bound"]}, None),
            ("another person", {person: {"account": "grace@contoso.com"}, text: "Bound"}, "approval_missing"),
            ("another group", {person: {"account": "ada@contoso.com"}, text: "Plain"}, "approval_missing"),
            ("no person", {text: "Bound"}, "approval_missing"),
            ("no group", {person: {"account": "ada@contoso.com"}}, "approval_missing"),
            ("two people", {person: [{"account": "ada@contoso.com"}, {"account": "grace@contoso.com"}], text: "Bound"}, "approval_missing"),
            ("a person in text", {person: "ada@contoso.com", text: "Bound"}, None),
        ]
        for why, fields, code in rows:
            self.sim.post("/sim/groups", {"id": IDS["Bound"], "members": []})
            self.check(why, self.approved_issue(fields=fields), "Bound", code, "bind" if code else None)

    def test_edited_after_the_approval(self):
        fields = {"customfield_10050": {"account": "ada@contoso.com"}, "customfield_10051": "Bound"}
        rows = [
            ("a bound field", "Bound", {"fields": {"customfield_10051": "Plain"}}, {"fields": {"customfield_10051": "Bound"}}, "approval_missing", "bind"),
            ("a field that is not bound", "Bound", {"fields": {"customfield_10052": {"value": "x"}}}, {}, None, None),
            ("the summary", "Bound", {"summary": "Another one"}, {}, None, None),
            ("the request type", "Plain", {"requestTypeId": "43"}, {"requestTypeId": "42"}, "approval_missing", "approval"),
            ("the reporter", "Plain", {"reporter": "grace@contoso.com"}, {}, "approval_missing", "approval"),
            ("the reporter, and back", "Plain", {"reporter": "grace@contoso.com"}, {"reporter": "zoe@contoso.com"}, "approval_missing", "approval"),
        ]
        for why, group, first, second, code, rule in rows:
            self.sim.post("/sim/groups", {"id": IDS[group], "members": []})
            issue = self.approved_issue(self.earlier(), fields=fields)
            self.edit(issue, **first)
            if second:
                self.edit(issue, **second)
            self.check("changed after the approval: " + why, issue, group, code, rule)
        issue = self.new_issue(fields=fields)
        self.edit(issue, requestTypeId="43", at=ago(minutes=2))
        self.edit(issue, fields={"customfield_10051": "x"}, at=ago(minutes=2))
        self.edit(issue, fields={"customfield_10051": "Bound"}, at=ago(minutes=2))
        self.edit(issue, approvals=[self.approval()], quiet=True)
        self.sim.post("/sim/groups", {"id": IDS["Bound"], "members": []})
        self.check("changed before the approval", issue, "Bound", None)

    def test_moved_into_the_project_after_the_approval(self):
        self.sim.post("/sim/issues", {"key": "SEC-900", "reporter": "zoe@contoso.com", "approvals": [self.earlier()]})
        Conditions.number += 1
        key = "ITSM-%d" % Conditions.number
        self.edit("SEC-900", moveTo=key)
        self.check("approved in another project", key, "Plain", "approval_missing", "approval")

    def test_an_approval_serves_once(self):
        issue = self.approved_issue()
        self.check("first", issue, "Plain", None)
        self.sim.post("/sim/groups", {"id": IDS["Plain"], "members": []})
        with self.subTest("again, by another request"):
            told, (_, _, done) = self.ask_more(issue, "Plain", reason="once more")
            self.assertEqual((told["code"], told["rule"].rsplit(".")[-1], done["code"]), ("approval_missing", "approval", "approval_missing"), done)
        with self.subTest("another target of the same kind"):
            told, (status, _, done) = self.ask_more(issue, "Plain", user="grace@contoso.com")
            self.assertEqual((told["allowed"], status, done["changed"]), (True, 200, True), done)
        with self.subTest("a repeat gets its answer"):
            status, _, done = self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "Plain"})
            self.assertEqual((status, done.get("replayed")), (200, True), done)

    def ask_more(self, issue, group, user="ada@contoso.com", **more):
        """Where the issue has comments already."""
        body = {"issue": issue, "user": user, "group": group, **more}
        status, _, told = call(self.service.port, "POST", "/v1/explain", {"operation": "group.add_member", **body},
                               {"Authorization": "Bearer " + self.service.token()})
        self.assertEqual(status, 200, told)
        return told, self.service.post("group.add_member", body)

    def test_explaining_uses_no_approval_up(self):
        issue = self.approved_issue()
        for _ in range(3):
            told = call(self.service.port, "POST", "/v1/explain", {"operation": "group.add_member", "issue": issue, "user": "ada@contoso.com", "group": "Plain"},
                        {"Authorization": "Bearer " + self.service.token()})[2]
            self.assertTrue(told["allowed"], told)
            self.assertEqual([p["name"] for a in told["approvals"] for p in a["approvers"]], ["Petra Approver"])
        self.check("and then for good", issue, "Plain", None)
        journal = self.service.get("/v1/operations?issue=" + issue)[2]
        self.assertEqual(len(journal["operations"]), 1, journal)

    def test_no_change_uses_no_approval_up(self):
        issue = self.approved_issue()
        self.sim.post("/sim/groups", {"id": IDS["Plain"], "members": ["ada@contoso.com"]})
        self.check("a member already", issue, "Plain", None)
        self.sim.post("/sim/groups", {"id": IDS["Plain"], "members": []})
        status, _, done = self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "Plain", "reason": "now"})
        self.assertEqual((status, done["changed"]), (200, True), done)

    def test_two_at_once_share_no_approval(self):
        issue, answers = self.approved_issue(), []
        self.sim.fault({"cloud": "graph", "path": "/members/$ref"}, times=4, delay_ms=200)

        def one(n):
            answers.append(self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "Plain", "reason": "no. %d" % n}))

        threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        changed = [a[2] for a in answers if a[2].get("changed")]
        self.assertEqual(len(changed), 1, [a[2] for a in answers])
        self.assertEqual(len(self.sim.writes()), 1)

    def test_withdrawn_between_request_and_execution(self):
        """The reads of the issue are slow: by the time that the approvals are read, one was taken back."""
        issue = self.approved_issue()
        self.sim.fault({"cloud": "graph", "path": "$batch", "in_batch": False}, delay_ms=1500)
        answer = []
        body = {"issue": issue, "user": "ada@contoso.com", "group": "Plain"}
        t = threading.Thread(target=lambda: answer.append(self.service.post("group.add_member", body)))
        t.start()
        self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": issue, "count": 1}, "timeout_ms": 5000})["satisfied"])
        self.edit(issue, approvals=[self.approval("pending")])
        t.join()
        self.assertEqual(answer[0][2].get("code"), "approval_missing", answer)

    def test_withdrawn_while_throttled(self):
        """A verdict lasts 60 s; here the wait for a claim makes it judge anew: two operations on one object, the second waits for the first."""
        first, second = self.approved_issue(), self.approved_issue()
        self.sim.fault({"cloud": "graph", "method": "POST", "path": "/members/$ref"}, delay_ms=2000)
        answers = {}

        def ask(key):
            answers[key] = self.service.post("group.add_member", {"issue": key, "user": "ada@contoso.com", "group": "Plain"})

        threads = [threading.Thread(target=ask, args=(k,)) for k in (first, second)]
        for n, t in enumerate(threads):
            t.start()
            self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": "/request/", "count": n + 1}, "timeout_ms": 5000})["satisfied"])
            time.sleep(0.3)             # the write has left, or waits for the first one's; its delayed call is in the log when it ends only
        self.edit(second, approvals=[self.approval("declined")])
        for t in threads:
            t.join()
        self.assertEqual(answers[first][2].get("changed"), True, answers)
        self.assertEqual(answers[second][2].get("code"), "approval_missing", answers)

    def test_jira_does_not_tell(self):
        for why, path in (("approvals", "/approval"), ("history", "/changelog")):
            with self.subTest(why):
                issue = self.approved_issue()
                self.sim.fault({"cloud": "jira", "path": path}, times=-1, status=403)
                told = call(self.service.port, "POST", "/v1/explain", {"operation": "group.add_member", "issue": issue, "user": "ada@contoso.com", "group": "Plain"},
                            {"Authorization": "Bearer " + self.service.token()})[2]
                self.assertEqual((told["allowed"], told["code"], told["rule"]), (False, "jira_unavailable", "facts"), told)
                self.sim.delete("/sim/faults")
                self.assertEqual(self.sim.writes(), [])

    # ---- explaining itself ----

    def explain(self, body, token=None):
        return call(self.service.port, "POST", "/v1/explain", body, {"Authorization": "Bearer " + (token or self.service.token())})

    def test_bodies_that_cannot_be_explained(self):
        good = {"operation": "group.add_member", "issue": "ITSM-1", "user": "ada@contoso.com", "group": "Free"}
        rows = [
            ([], "invalid_request", None), ({**good, "operation": None}, "invalid_request", "operation"), ({**good, "operation": "user.fly"}, "invalid_request", "operation"),
            ({k: v for k, v in good.items() if k != "operation"}, "invalid_request", "operation"), ({**good, "user": ""}, "invalid_request", "user"),
            ({**good, "colour": "red"}, "invalid_request", "colour"), ({k: v for k, v in good.items() if k != "group"}, "invalid_request", "group"),
            (b'{"operation": "user.get", "operation": "user.get"}', "invalid_json", "operation"), (b"{", "invalid_json", None),
        ]
        for body, code, field in rows:
            status, _, a = self.explain(body)
            self.assertEqual((status, a["code"], a.get("field")), (400, code, field), (body, a))
        self.assertEqual(self.explain(good, "nobody's")[0], 401)
        self.assertEqual(self.sim.get("/sim/calls")["calls"], [])

    def test_a_token_is_explained_its_own_limits(self):
        body = {"operation": "group.add_member", "issue": self.new_issue(), "user": "ada@contoso.com", "group": "Free"}
        for name, operations, projects, rule in (("removes", "group.remove_member", "*", "token.operations"), ("hr", "*", "HR", "token.projects")):
            told = self.explain(body, self.service.token(name, operations, projects))[2]
            self.assertEqual((told["allowed"], told["rule"]), (False, rule), told)
        told = self.explain({**body, "issue": "ITSM-99999"})[2]
        self.assertEqual((told["allowed"], told["code"], told["rule"]), (False, "issue_not_found", "facts"), told)

    def test_explaining_makes_no_secret_and_changes_nothing(self):
        issue = self.new_issue()
        status, _, told = self.explain({"operation": "user.reset_password", "issue": issue, "user": "ada@contoso.com"})
        self.assertEqual((status, told["allowed"], told["wouldChange"]), (200, True, True), told)
        self.assertFalse({"password", "secretUrl", "operation"} & set(told), told)
        self.assertEqual((self.sim.writes(), self.sim.comments(issue)), ([], []))
        self.assertEqual(self.service.get("/v1/operations?issue=" + issue)[2]["operations"], [])
        status, _, told = self.explain({"operation": "user.get", "issue": issue, "user": "ada@contoso.com"})
        self.assertEqual((told["allowed"], "mail" in told), (True, False), told)

    # ---- requester ----

    def test_requester(self):
        zoe = {"reporter": "zoe@contoso.com"}
        rows = [
            ("the manager", "Manager", {"reporter": "grace@contoso.com"}, "ada@contoso.com", None),
            ("not the manager", "Manager", zoe, "ada@contoso.com", "requester_not_permitted"),
            ("the user has no manager", "Manager", {"reporter": "grace@contoso.com"}, "quentin@contoso.com", "requester_not_permitted"),
            ("the user, by self", "Self", {"reporter": "ada@contoso.com"}, "ada@contoso.com", None),
            ("another than self", "Self", zoe, "ada@contoso.com", "requester_not_permitted"),
            ("anybody", "Any", zoe, "ada@contoso.com", None),
            ("a member of the group", "Staff", {"reporter": "petra@contoso.com"}, "ada@contoso.com", None),
            ("no member of the group", "Staff", zoe, "ada@contoso.com", "requester_not_permitted"),
            ("a group that is not there", "Unknown staff", zoe, "ada@contoso.com", "requester_not_permitted"),
            ("disabled", "Any", {"reporter": "lee@contoso.com"}, "ada@contoso.com", "requester_not_permitted"),
            ("a guest", "Any", {"reporter": USERS["gustav"]}, "ada@contoso.com", "requester_not_permitted"),
            ("no e-mail address", "Any", {"reporter": "nora@contoso.com"}, "ada@contoso.com", "requester_not_permitted"),
            ("two with the same address", "Any", {"reporter": "twin1@contoso.com"}, "ada@contoso.com", "requester_not_permitted"),
            ("no reporter", "Any", {"reporter": None}, "ada@contoso.com", "requester_not_permitted"),
        ]
        for why, group, what, user, code in rows:
            self.sim.post("/sim/groups", {"id": IDS[group], "members": []})
            self.check(why, self.new_issue(**what), group, code, "requester" if code else None, user=user)

    def test_requester_of_an_operation(self):
        self.check("the manager", self.new_issue(reporter="grace@contoso.com"), None, None, kind="user.disable", user="alan@contoso.com")
        self.check("another", self.new_issue(), None, "requester_not_permitted", "policy.operations.user.disable.requester", kind="user.disable", user="lee@contoso.com")

    def test_reporter_edited(self):
        for group, code, rule in (("Any", "requester_not_permitted", "requester"), ("Free", None, None)):
            issue = self.new_issue()
            self.edit(issue, reporter="grace@contoso.com")
            self.check("set to another, group " + group, issue, group, code, rule)

    def test_the_reporter_as_the_user(self):
        done = self.check("the reporter", self.new_issue(reporter="ada@contoso.com"), "Free", None, user="reporter")
        self.assertEqual(done["userId"], USERS["ada"])
        self.check("by self", self.new_issue(reporter="ada@contoso.com"), "Self", None, user="reporter")
        self.check("a guest", self.new_issue(reporter=USERS["gustav"]), "Free", "user_not_found", "facts", user="reporter")
        self.check("no e-mail address", self.new_issue(reporter="nora@contoso.com"), "Free", "user_not_found", "facts", user="reporter")
        self.check("two with the same address", self.new_issue(reporter="twin1@contoso.com"), "Free", "user_ambiguous", "facts", user="reporter")
        issue = self.new_issue()
        self.edit(issue, reporter="mallory@contoso.com")
        self.check("set after it was created, and no condition asks who it is", issue, "Free", "requester_not_permitted", "user.reporter", user="reporter")
        self.assertNotIn(USERS["mallory"], self.sim.get("/sim/state?group=" + IDS["Free"])["groups"][0]["members"])
        told, (_, _, read) = self.ask(self.edited_issue(), None, kind="user.get", user="reporter")
        self.assertEqual((told["code"], read["code"]), ("requester_not_permitted",) * 2)

    def edited_issue(self):
        issue = self.new_issue()
        self.edit(issue, reporter="ada@contoso.com")
        return issue

    # ---- issue, shadow, duration, duties, attributes ----

    def test_the_issue(self):
        rows = [
            ("the request type", "Typed", {"requestTypeId": "42"}, None),
            ("another request type", "Typed", {"requestTypeId": "43"}, "group_not_serviceable"),
            ("no request type", "Typed", {"requestTypeId": ""}, "group_not_serviceable"),
            ("the status", "Status", {"status": "In Progress"}, None),
            ("another status", "Status", {"status": "Done"}, "group_not_serviceable"),
            ("young", "Young", {"created": ago(hours=23)}, None),
            ("old", "Young", {"created": ago(hours=25)}, "group_not_serviceable"),
            ("of a time to come", "Young", {"created": ago(hours=-1)}, "group_not_serviceable"),
        ]
        rules = {"Typed": "request_types", "Status": "statuses", "Young": "max_age"}
        for why, group, what, code in rows:
            self.sim.post("/sim/groups", {"id": IDS[group], "members": []})
            self.check(why, self.new_issue(**what), group, code, rules[group] if code else None)

    def test_another_project(self):
        told, (_, _, done) = self.ask("HR-7", "Free")
        self.assertEqual((told["code"], told["rule"], done["code"]), ("issue_not_permitted", "policy.operations.group.add_member.projects", "issue_not_permitted"))

    def test_shadow(self):
        issue = self.new_issue()
        told, (status, _, done) = self.ask(issue, "Shadow")
        self.assertEqual((told["allowed"], told["shadow"], told["wouldChange"]), (True, True, True), told)
        self.assertEqual((status, done["outcome"], done["changed"], done["shadow"]), (200, "succeeded", False, True), done)
        self.assertTrue(done["message"].startswith("Shadow mode, nothing was changed: "), done)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertIn("Shadow mode", self.sim.comments(issue)[0]["text"])
        self.assertEqual(self.sim.writes(), [])
        issue = self.approved_issue()
        for reason in ("one", "two"):
            status, _, done = self.service.post("user.enable", {"issue": issue, "user": "lee@contoso.com", "reason": reason})
            self.assertEqual((status, done.get("shadow")), (200, True), done)
        self.assertEqual(self.sim.writes(), [])

    def test_duration(self):
        self.check("no end given", self.new_issue(), "Short", None)
        self.sim.post("/sim/groups", {"id": IDS["Short"], "members": []})
        self.check("shorter", self.new_issue(), "Short", None, expiresIn="1h")
        self.sim.post("/sim/groups", {"id": IDS["Short"], "members": []})
        self.check("longer", self.new_issue(), "Short", "limit_exceeded", "max_duration", expiresIn="9h")
        status, _, told = self.explain({"operation": "group.add_member", "issue": self.new_issue(), "user": "ada@contoso.com", "group": "Free", "expiresAt": ago(hours=1)})
        self.assertEqual((status, told["field"]), (400, "expiresAt"), told)     # over before it began

    def test_duties(self):
        self.check("holds the other", self.new_issue(), "Create", "duty_conflict", "policy.separation_of_duties", user="grace@contoso.com")
        self.check("holds the other through a group", self.new_issue(), "Create", "duty_conflict", "policy.separation_of_duties", user="alan@contoso.com")
        self.check("holds neither", self.new_issue(), "Create", None)
        self.check("a removal", self.new_issue(), "Approve", None, kind="group.remove_member", user="grace@contoso.com")

    def test_attributes(self):
        ask = {"kind": "user.update"}
        self.check("listed", self.approved_issue(), None, None, attributes={"jobTitle": "Engineer"}, **ask)
        self.check("sensitive, with an approval", self.approved_issue(), None, None, attributes={"mobilePhone": "+49 30 1"}, **ask)
        self.check("sensitive, without one", self.new_issue(), None, "approval_missing", "policy.operations.user.update.approval", attributes={"mobilePhone": "+49 30 2"}, **ask)
        issue = self.approved_issue()
        told, (_, _, done) = self.ask(issue, None, attributes={"department": "x"}, **ask)
        self.assertEqual((told["code"], told["rule"], done["code"]), ("attribute_not_permitted", "policy.operations.user.update.attributes", "attribute_not_permitted"))

    def test_the_target(self):
        self.check("protected", self.new_issue(), "Free", "principal_protected", "policy.protected.groups", user="tom@contoso.com")
        self.check("not there", self.new_issue(), "Free", "user_not_found", "user", user="nobody@contoso.com")
        told, _ = self.ask(self.new_issue(), "Newsletter")
        self.assertEqual((told["code"], told["rule"]), ("group_not_serviceable", "policy.serviceable_groups"))


if __name__ == "__main__":
    unittest.main()
