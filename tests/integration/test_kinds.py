"""Every operation kind of the running binary, from its own /openapi.json: a new kind is covered the day it is added.

A kind that is not named below gets its values by the forms of its fields; what is special about one stands in the tables at the top.
"""
import time
import unittest

from harness import GROUPS, POLICY, SLOW, Case, Service, Sim

PAST_GRAPH = 45                 # s: a lost request may land for 30 s, then it is looked for

# What a field is sent with: by kind and name, by name, else by form.
BY_KIND = {
    ("user.create", "attributes"): {"givenName": "Nova", "surname": "Newton", "jobTitle": "Engineer"},
    ("user.remove_licenses", "licenses"): ["POWER_BI_PRO"],
}
BY_NAME = {"manager": "alan@contoso.com", "group": "CRM", "licenses": ["SPE_E3"], "attributes": {"jobTitle": "New"}, "query": "Ada", "mail": "new.guest@partner.example"}
BY_FORM = {"text": "some text", "user": "ada@contoso.com", "group": "CRM", "mail": "new.guest@partner.example", "duration": "8h", "time": "2036-03-31T17:00:00Z",
           "texts": ["SPE_E3"], "attributes": {"jobTitle": "New"}, "boolean": True, "secret": "Sesame-open-12"}
# The state in which the kind has something to do, over that of `person`.
BEFORE = {"user.enable": {"accountEnabled": False}, "user.restore": {"deleted": True}}
# Kinds that do something each time.
ALWAYS = {"user.reset_password", "user.issue_access_pass", "user.revoke_sessions", "user.create", "user.delete", "user.restore"}
# Where the write of a kind goes, if the user's id does not stand in its path.
WRITES_TO = {"user.create": {"regex": "/users$"}, "user.invite": {"path": "/invitations"}, "group.add_member": {"path": "/members/$ref"}}
# Effects that may come twice after a lost answer: the same password again; a second pass instead of the lost one; sessions, since Entra's times have no fraction.
TWICE = {"passwords", "passes", "revokes"}

BAD = {                         # by form: values of a wrong type or form
    "text": [{}, 7, None], "user": ["ada", "@b", "a@b@c", "a/../b@c", ["a@b"], None], "group": [{}, None], "issue": ["not a key", -1, 1.5, None],
    "operation": ["x", None], "boolean": ["true", 1, None], "mail": ["ada", "a@b@c", None], "duration": ["soon", 30, "1s", "99999d", None],
    "time": ["2027-03-31", "tomorrow", None], "at": ["tomorrow", "2027-02-30", "2027-03-31T25:00", 7, None], "texts": [[], [""], [7], {}, None], "attributes": [{}, [], "x", {"shoeSize": "44"}, {"jobTitle": 7},
    {"jobTitle": ""}, {"jobTitle": "a\u0007b"}, {"department": "x" * 65}], "word": ["", "other", None], "secret": ["short", "gr\u00fc\u00dfe-1234", None],
}
TEXTS = {"text", "user", "group", "mail", "duration", "time", "at", "word", "secret", "operation"}


def read_kinds(document):
    """{name: (fields, required)}, fields {name: schema}."""
    kinds = {}
    for path, item in document["paths"].items():
        schema = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        fields = schema.get("properties", {})
        if "x-changes" in item.get("post", {}):
            kinds[item["post"]["operationId"]] = (fields, set(schema["required"]))
    return kinds


class Kinds(Case):
    settings = {"response_deadline": "10s"}

    @classmethod
    def setUpClass(cls):
        cls.sim = Sim()
        first = Service(cls.sim, POLICY, **cls.settings)        # only to be asked what there is: a policy names it
        first.token()
        first.start()
        cls.kinds = read_kinds(first.get("/openapi.json")[2])
        first.close()
        cls.service = Service(cls.sim, cls.make_policy(), **cls.settings)
        cls.service.token()
        cls.service.start()

    @classmethod
    def make_policy(cls):
        operations = {name: {"projects": "*", "issue": "optional"} for name in cls.kinds}
        for name in ("user.update", "user.create"):
            operations[name]["attributes"] = ["jobTitle", "department", "city"]
        operations["user.create"]["user_principal_name"] = "{givenName}.{surname}@contoso.com"
        operations["user.restore"] = {"projects": ["ITSM"], "approval": "required"}     # of a deleted user Entra tells no groups: a person decides
        return {**POLICY, "operations": operations}

    def setUp(self):
        super().setUp()
        self.sim.settings(app_role="user-administrator")        # passwords need it

    def issue(self, kind=None):
        """An issue of its own for each request; approved where the kind asks for that."""
        key = super().issue()
        if kind == "user.restore":
            then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
            self.sim.post("/sim/issues", {"key": key, "quiet": True, "approvals": [
                {"decision": "approved", "created": then, "completed": then, "approvers": [{"account": "grace@contoso.com", "decision": "approved"}]}]})
        return key

    def is_read(self, kind):
        return kind.split(".")[1].startswith(("get", "list", "search"))

    def writing(self):
        return sorted(k for k in self.kinds if not self.is_read(k))

    def person(self, kind):
        """Somebody for this kind alone, in the state in which it has something to do. Their id."""
        upn = "k-%s@contoso.com" % kind.replace(".", "-").replace("_", "-")
        user = {"userPrincipalName": upn, "displayName": "Kim " + kind, "mail": upn, "accountEnabled": True, "userType": "Member", "jobTitle": "Old", "usageLocation": "DE",
                "manager": "grace@contoso.com", "licences": ["50000000-0000-4000-8000-000000000003"], "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z",
                "methods": [{"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "3179e48a-750b-4051-897c-87b9720928f7", "phoneType": "mobile",
                             "phoneNumber": "+49 30 5550102"}], **BEFORE.get(kind, {})}
        made = self.sim.post("/sim/users", user)["users"][0]
        if kind == "group.remove_member":
            self.sim.post("/sim/groups", {"id": GROUPS["CRM"], "members": [made["id"]]})
        return made["id"]

    def body(self, kind, user=None, **more):
        fields, required = self.kinds[kind]
        made = {}
        for name in required:
            form = fields[name]["x-form"]
            made[name] = user if name == "user" and user else BY_KIND.get((kind, name), BY_NAME.get(name, BY_FORM.get(form)))
        return {**made, **more}


class EveryKind(Kinds):
    def test_every_kind_of_the_issue_is_there(self):
        self.assertGreaterEqual(len(self.kinds), 22, sorted(self.kinds))

    # ---- bad input ----

    def bad_values(self, name, schema):
        form = schema["x-form"]
        yield from ((v, "form") for v in BAD[form])
        if form in TEXTS:
            yield "", "empty"
            yield "   ", "blank"
            yield "a\u202eb@c" if form in ("user", "mail") else "a\u202eb", "a formatting character"
            if "maxLength" in schema:
                yield ("a@" if form in ("user", "mail") else "") + "x" * (schema["maxLength"] + 1), "too long"

    def expect_400(self, kind, body, field, why):
        status, _, a = self.service.post(kind, body)
        named = a.get("field", "")
        self.assertEqual((status, a.get("code")), (400, "invalid_request"), (kind, field, why, a))
        self.assertTrue(named == field or named.startswith(field + "."), (kind, field, why, a))

    def test_bad_input(self):
        self.sim.delete("/sim/calls")
        for kind, (fields, required) in sorted(self.kinds.items()):
            with self.subTest(kind=kind):
                for name, schema in fields.items():
                    for value, why in self.bad_values(name, schema):
                        self.expect_400(kind, {**self.body(kind), name: value}, name, (why, value))
                for name in required:
                    body = self.body(kind)
                    del body[name]
                    self.expect_400(kind, body, name, "missing")
                self.expect_400(kind, {**self.body(kind), "colour": "red"}, "colour", "unknown")
        self.assertEqual(self.sim.writes(), [])

    # ---- what each does ----

    def test_dry_run_changes_nothing(self):
        for kind in self.writing():
            with self.subTest(kind=kind):
                user, issue = self.person(kind), self.issue(kind)
                self.sim.delete("/sim/calls")
                status, _, a = self.service.post(kind, self.body(kind, user, issue=issue, dryRun=True))
                self.assertEqual((status, a.get("outcome"), a.get("dryRun"), a.get("changed")), (200, "succeeded", True, True), a)
                self.assertTrue(a["message"].startswith("Would "), a)
                self.assertEqual(self.sim.writes(), [])
                self.assertEqual(self.sim.comments(issue), [])

    def test_done_once_and_repeated(self):
        for kind in self.writing():
            with self.subTest(kind=kind):
                self.sim.post("/sim/reset")
                user, issue = self.person(kind), self.issue(kind)
                body = self.body(kind, user, issue=issue)
                status, _, a = self.service.post(kind, body)
                self.assertEqual((status, a.get("outcome"), a.get("changed")), (200, "succeeded", True), a)
                writes = len(self.sim.writes())
                self.assertGreater(writes, 0)
                status, _, again = self.service.post(kind, body)
                self.assertEqual((status, again.get("replayed"), again.get("operation")), (200, True, a["operation"]), again)
                self.assertEqual(len(self.sim.writes()), writes)
                self.assertTrue(self.sim.wait_comments(issue, 1))
                self.assertEqual(self.sim.comments(issue)[0]["operation"], a["operation"])
                if kind not in ALWAYS:
                    self.not_again(kind, user, writes)

    def not_again(self, kind, user, writes):
        """Under another issue it finds that there is nothing to do, or what it may only see too late (a read after our own write may be stale) is no change."""
        status, _, a = self.service.post(kind, self.body(kind, user, issue=self.issue()))
        self.assertEqual((status, a.get("outcome")), (200, "succeeded"), a)
        self.assertEqual(a["before"], a["after"], a)

    def test_reads_answer_and_leave_no_trace(self):
        for kind in sorted(set(self.kinds) - set(self.writing())):
            with self.subTest(kind=kind):
                self.sim.delete("/sim/calls")
                issue = self.issue()
                status, _, a = self.service.post(kind, self.body(kind, issue=issue))
                self.assertEqual((status, a.get("outcome"), a.get("changed")), (200, "succeeded", False), a)
                self.assertEqual((self.sim.writes(), self.sim.comments(issue)), ([], []))
                self.assertNotIn("jobTitle", a, "the policy does not let it out")

    # ---- who may ---

    def test_a_token_without_the_operation(self):
        for kind in sorted(self.kinds):
            other = "group.get" if kind != "group.get" else "user.get"
            with self.subTest(kind=kind):
                status, _, a = self.service.post(kind, self.body(kind, issue=self.issue(kind)), self.service.token("only-" + other, other))
                self.assertEqual((status, a.get("code")), (403, "operation_not_permitted"), a)

    def test_protected_and_unknown_targets(self):
        for kind in self.writing():
            if "user" not in self.kinds[kind][0]:
                continue
            with self.subTest(kind=kind):
                self.sim.delete("/sim/calls")
                status, _, a = self.service.post(kind, self.body(kind, "breakglass@contoso.com", issue=self.issue(kind)))
                expected = (404, "user_not_found") if kind == "user.restore" else (403, "principal_protected")
                self.assertEqual((status, a.get("code")), expected, a)
                status, _, a = self.service.post(kind, self.body(kind, "nobody@contoso.com", issue=self.issue(kind)))
                self.assertEqual((status, a.get("code")), (404, "user_not_found"), a)
                self.assertEqual(self.sim.writes(), [])

    # ---- faults ----

    def where(self, kind, user):
        return {"cloud": "graph", "in_batch": False, **WRITES_TO.get(kind, {"path": user})}

    def test_refused_by_graph(self):
        for kind in self.writing():
            with self.subTest(kind=kind):
                self.sim.post("/sim/reset")
                user, issue = self.person(kind), self.issue(kind)
                self.sim.fault(self.where(kind, user), status=403)
                status, _, a = self.service.post(kind, self.body(kind, user, issue=issue))
                self.assertEqual((status, a.get("code"), a.get("outcome")), (502, "entra_permission_missing", "failed"), a)
                self.assertTrue(self.sim.wait_comments(issue, 1))
                status, _, a = self.service.post(kind, self.body(kind, user, issue=issue))
                self.assertEqual((status, a.get("changed"), a.get("replayed")), (200, True, False), "nothing was written: the key is free again: %s" % a)

    def test_throttled(self):
        for kind in self.writing():
            with self.subTest(kind=kind):
                self.sim.post("/sim/reset")
                user = self.person(kind)
                self.sim.fault(self.where(kind, user), status=429, retry_after=1)
                status, _, a = self.service.post(kind, self.body(kind, user, issue=self.issue(kind)))
                self.assertEqual((status, a.get("outcome"), a.get("changed")), (200, "succeeded", True), a)

    def test_lost_answers(self):
        """All at once, since each may wait until a lost request cannot land any more. One effect, one comment."""
        self.sim.delete("/sim/faults")
        asked = {}
        for kind in self.writing():
            user, issue = self.person(kind), self.issue(kind)
            self.sim.fault(self.where(kind, user), drop_after=True)
            status, _, a = self.service.post(kind, self.body(kind, user, issue=issue), timeout=90)
            self.assertIn(status, (200, 202), (kind, a))
            asked[kind] = (user, issue, a["operation"])
        end = time.monotonic() + 3 * PAST_GRAPH * SLOW
        counters = None
        for kind, (user, issue, operation) in asked.items():
            with self.subTest(kind=kind):
                a = self.service.await_ended(operation, max(1, (end - time.monotonic()) / SLOW))
                self.assertEqual((a["outcome"], a["changed"]), ("succeeded", True), a)
                self.assertTrue(self.sim.wait_comments(issue, 1))
                self.assertEqual(len(self.sim.comments(issue)), 1)
                counters = self.sim.get("/sim/counters")
                for effect, n in counters["users"].get(user, {}).items():
                    again = effect in TWICE or (kind, effect) == ("user.reset_password", "patches")
                    self.assertLessEqual(n, 2 if again else 1, (effect, n))
        made = [u["userPrincipalName"] for u in self.sim.get("/sim/state")["users"] if u["userPrincipalName"].startswith(("nova.newton", "new.guest"))]
        self.assertEqual((len(made), counters["totals"]["invites"]), (2, 1), made)


class Secrets(Kinds):
    """What operations make for people: in the answer of a token that may have it, and nowhere else."""

    def everything_kept(self):
        kept = b"".join(p.read_bytes() for p in self.service.folder.glob("bridge.db*")) + (self.service.folder / "log").read_bytes()
        return kept

    def reveal(self):
        return self.service.token("reveals", "*", "*", "--reveal-secrets")

    def check_secret(self, kind, member, **more):
        user, issue = self.person(kind), self.issue(kind)
        status, _, a = self.service.post(kind, self.body(kind, user, issue=issue, **more), self.reveal())
        self.assertEqual((status, a.get("outcome")), (200, "succeeded"), a)
        self.assertIn(member, a)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertNotIn(a[member], self.sim.comments(issue)[0]["text"])
        self.assertNotIn(a[member].encode(), self.everything_kept())
        return a

    def test_a_generated_password(self):
        a = self.check_secret("user.reset_password", "password")
        self.assertEqual(self.sim.get("/sim/state?user=" + a["userId"])["users"][0]["password"], a["password"])

    def test_an_access_pass(self):
        self.check_secret("user.issue_access_pass", "temporaryAccessPass", lifetime="1h")

    def test_a_new_users_password(self):
        a = self.check_secret("user.create", "password")
        self.assertEqual((a["userPrincipalName"], a["displayName"]), ("nova.newton@contoso.com", "Nova Newton"), a)
        self.assertEqual(self.sim.get("/sim/state?user=" + a["userId"])["users"][0]["password"], a["password"])

    def test_a_new_user_with_an_access_pass(self):
        a = self.check_secret("user.create", "temporaryAccessPass", accessPass=True)
        self.assertNotIn("password", a)

    def test_a_given_password_is_never_shown(self):
        kind, user, issue = "user.reset_password", self.person("user.reset_password"), self.issue()
        status, _, a = self.service.post(kind, self.body(kind, user, issue=issue, password="Open-Sesame-1234"), self.reveal())
        self.assertEqual((status, a.get("changed")), (200, True), a)
        self.assertNotIn("password", a)
        self.assertNotIn("secretUrl", a)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        self.assertNotIn(b"Open-Sesame-1234", self.everything_kept())
        self.assertEqual(self.sim.get("/sim/state?user=" + user)["users"][0]["password"], "Open-Sesame-1234")

    def test_a_link_for_other_tokens(self):
        kind = "user.reset_password"
        status, _, a = self.service.post(kind, self.body(kind, self.person(kind), issue=self.issue(kind)))
        self.assertEqual((status, "password" in a, "secretUrl" in a, "secretExpiresAt" in a), (200, False, True, True), a)


class Details(Kinds):
    """What is special about single kinds."""

    def test_names_that_are_taken_get_a_number(self):
        names = []
        for _ in range(3):
            status, _, a = self.service.post("user.create", self.body("user.create", issue=self.issue()))
            self.assertEqual(status, 200, a)
            names.append(a["userPrincipalName"])
        self.assertEqual(names, ["nova.newton@contoso.com", "nova.newton2@contoso.com", "nova.newton3@contoso.com"])

    def test_a_new_user_once_for_an_issue(self):
        issue = self.issue()
        first = self.service.post("user.create", self.body("user.create", issue=issue))[2]
        status, _, a = self.service.post("user.create", {**self.body("user.create", issue=issue), "reason": "again"})
        self.assertEqual((status, a.get("code")), (409, "idempotency_conflict"), (first, a))
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["creates"], 1)

    def test_a_new_users_manager(self):
        a = self.service.post("user.create", self.body("user.create", issue=self.issue(), manager="grace@contoso.com"))[2]
        self.assertEqual(self.sim.get("/sim/state?user=" + a["userId"])["users"][0]["managerId"][-2:], "02", a)

    def test_update_shows_old_and_new(self):
        user = self.person("user.update")
        status, _, a = self.service.post("user.update", {"issue": self.issue(), "user": user, "attributes": {"jobTitle": "New", "department": None}})
        self.assertEqual((status, a["before"], a["after"]), (200, {"jobTitle": "Old", "department": None}, {"jobTitle": "New", "department": None}), a)
        self.assertEqual([c["method"] for c in self.sim.writes()], ["PATCH"])

    def test_attributes_that_are_not_listed(self):
        user = self.person("user.update")
        for attributes in ({"officeLocation": "B1"}, {"accountEnabled": False}, {"passwordProfile": {"password": "x"}}, {"userPrincipalName": "x@contoso.com"}):
            with self.subTest(attributes=attributes):
                status, _, a = self.service.post("user.update", {"issue": self.issue(), "user": user, "attributes": attributes})
                self.assertEqual((status, a.get("code")), (403, "attribute_not_permitted"), a)
        self.assertEqual(self.sim.writes(), [])

    def test_empty_values(self):
        user = self.person("user.update")
        body = {"user": user, "attributes": {"jobTitle": "", "city": "Ulm"}}
        self.assertEqual(self.service.post("user.update", {**body, "issue": self.issue()})[0], 400)
        self.assertEqual(self.service.post("user.update", {**body, "issue": self.issue(), "empty": "skip"})[2]["after"], {"city": "Ulm"})
        self.assertEqual(self.service.post("user.update", {**body, "issue": self.issue(), "empty": "clear"})[2]["after"], {"city": "Ulm", "jobTitle": None})

    def test_licences(self):
        lena, nolan = "lena@contoso.com", "nolan@contoso.com"
        for kind, body, code, words in (
                ("user.assign_licenses", {"user": "ada@contoso.com", "licenses": "SPE_E5"}, "rejected_by_entra", "3 of 3"),
                ("user.assign_licenses", {"user": nolan, "licenses": "SPE_E3"}, "rejected_by_entra", "usage location"),
                ("user.assign_licenses", {"user": nolan, "licenses": "NOPE"}, "invalid_request", "SPE_E3"),
                ("user.remove_licenses", {"user": lena, "licenses": "SPE_E3"}, "rejected_by_entra", "group")):
            with self.subTest(body=body):
                a = self.service.post(kind, {**body, "issue": self.issue()})[2]
                self.assertEqual((a.get("code"), words in a.get("message", "")), (code, True), a)
        self.assertEqual(self.sim.writes(), [])
        a = self.service.post("user.assign_licenses", {"user": nolan, "licenses": "SPE_E3", "usageLocation": "DE", "issue": self.issue()})[2]
        self.assertEqual((a["changed"], a["after"]), (True, {"SPE_E3": True, "usageLocation": "DE"}), a)
        a = self.service.post("user.assign_licenses", {"user": lena, "licenses": "SPE_E3", "issue": self.issue()})[2]
        self.assertEqual((a["changed"], "group" in a["message"]), (False, True), a)

    def test_methods_and_passes(self):
        status, _, a = self.service.post("user.reset_mfa", {"user": "mia@contoso.com", "issue": self.issue()})
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        self.assertEqual(self.sim.get("/sim/state?user=mia@contoso.com")["users"][0]["methods"], [])
        status, _, a = self.service.post("user.issue_access_pass", {"user": "gustav@partner.example", "issue": self.issue()})
        self.assertEqual((status, a.get("code"), "guest" in a.get("message", "")), (409, "user_not_modifiable", True), a)

    def test_a_default_method_that_comes_too_early(self):
        """Which one is the default is not told: it is refused where it comes before others, and comes again after them."""
        methods = [{"@odata.type": "#microsoft.graph.%sAuthenticationMethod" % t, "id": "60000000-0000-4000-8000-00000000001%d" % n}
                   for n, t in enumerate(("email", "phone", "microsoftAuthenticator"))]
        self.sim.post("/sim/users", {"userPrincipalName": "ada@contoso.com", "methods": methods, "defaultMethod": methods[1]["id"]})
        status, _, a = self.service.post("user.reset_mfa", {"user": "ada@contoso.com", "issue": self.issue()})
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        self.assertEqual([(c["method"], c["status"]) for c in self.sim.writes()], [("DELETE", 204), ("DELETE", 400), ("DELETE", 204), ("DELETE", 204)])

    def test_deleted_and_back(self):
        user = self.person("user.delete")
        self.assertTrue(self.service.post("user.delete", {"user": user, "issue": self.issue()})[2]["changed"])
        self.sim.post("/sim/users", {"userPrincipalName": "k-user-delete@contoso.com", "displayName": "Another"})
        status, _, a = self.service.post("user.restore", {"user": user, "issue": self.issue("user.restore")})
        self.assertEqual((status, a.get("code")), (409, "user_already_exists"), a)
        status, _, a = self.service.post("user.restore", {"user": user, "newUserPrincipalName": "back@contoso.com", "issue": self.issue("user.restore")})
        self.assertEqual((status, a.get("changed")), (200, True), a)
        self.assertEqual(self.sim.get("/sim/state?user=" + user)["users"][0]["userPrincipalName"], "back@contoso.com")

    def test_a_known_address_needs_no_invitation(self):
        status, _, a = self.service.post("user.invite", {"mail": "gustav@partner.example", "issue": self.issue()})
        self.assertEqual((status, a.get("changed"), "gustav_partner.example" in a["message"]), (200, False, True), a)

    def test_managers(self):
        for manager, code in (("ada@contoso.com", "invalid_request"), ("nobody@contoso.com", "user_not_found"), ("shared@contoso.com", "user_ambiguous")):
            a = self.service.post("user.set_manager", {"user": "ada@contoso.com", "manager": manager, "issue": self.issue()})[2]
            self.assertEqual((a.get("code"), a.get("field")), (code, "manager"), a)

    def test_lists(self):
        a = self.service.post("group.list_members", {"group": "CRM"})[2]
        self.assertEqual((a["count"], [m["displayName"] for m in a["members"]]), (1, ["Alan Turing"]), a)
        a = self.service.post("user.list_groups", {"user": "alan@contoso.com"})[2]
        self.assertEqual([g["displayName"] for g in a["groups"]], ["CRM"], a)
        a = self.service.post("user.search", {"query": "Ada"})[2]
        self.assertEqual([u["userPrincipalName"] for u in a["users"]], ["ada@contoso.com"], a)

    def test_a_list_that_is_not_told_is_not_empty(self):
        self.sim.fault({"cloud": "graph", "in_batch": True, "path": "/members?"}, status=403)
        status, _, a = self.service.post("group.list_members", {"group": "CRM"})
        self.assertEqual((status, a.get("code")), (502, "entra_permission_missing"), a)

    def test_the_reporter(self):
        status, _, a = self.service.post("user.get", {"user": "reporter", "issue": "ITSM-43"})
        self.assertEqual((status, a.get("userPrincipalName")), (200, "grace@contoso.com"), a)


if __name__ == "__main__":
    unittest.main()
