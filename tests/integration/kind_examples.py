"""Each kind that writes, with examples of what it is asked: the person it is done to, the request, what stands before, and the effects that Entra must have had.

A kind without an example fails the tests that read this table, so that a new kind is covered the day it is added.
"""
import html
import re
import time

from harness import GROUPS, POLICY, USERS, call

SPE_E3, POWER_BI_PRO = ("50000000-0000-4000-8000-00000000000%d" % n for n in (1, 3))
METHODS = [{"@odata.type": "#microsoft.graph.%sAuthenticationMethod" % t, "id": "60000000-0000-4000-8000-00000000001%d" % n, **more}
           for n, (t, more) in enumerate((("email", {"emailAddress": "a@home.example"}), ("phone", {"phoneType": "mobile", "phoneNumber": "+49 30 5550102"}),
                                          ("microsoftAuthenticator", {"displayName": "Phone"})))]
GIVEN = "Sesame-open-12"        # a password that the request gives


class Example:
    """body: the request without user and issue; person: what differs from the usual one; again: effects that a lost answer may bring twice."""

    def __init__(self, kind, body=None, before=None, effects=None, person=None, again=(), secret=None, new=None):
        self.kind, self.before, self.effects, self.again, self.secret, self.new = kind, before, effects, set(again), secret, new
        self.body, self.person = body or {}, person or {}


CREATED = {"attributes": {"givenName": "New{n}", "surname": "Newton", "jobTitle": "Engineer"}}
UPN = "new{n}.newton@contoso.com"
EXAMPLES = [
    Example("user.create", CREATED, {}, {"creates": 1}, secret="password", new=UPN),
    Example("user.create", {**CREATED, "password": GIVEN}, {}, {"creates": 1}, new=UPN),
    # The manager of somebody just made is set again, for an absolute value does not hurt; a pass whose value was lost is replaced.
    Example("user.create", {**CREATED, "manager": "grace@contoso.com", "accessPass": True}, {}, {"creates": 1, "managers": 1, "passes": 1},
            again=("managers", "passes"), secret="temporaryAccessPass", new=UPN),
    Example("user.update", {"attributes": {"jobTitle": "New", "department": "Sales"}}, {"jobTitle": "Old", "department": None}, {"patches": 1}),
    # Two PATCHes, for one of the attributes has a permission of its own.
    Example("user.update", {"attributes": {"jobTitle": "New", "employeeLeaveDateTime": "2036-01-01T00:00:00Z"}}, {"jobTitle": "Old", "employeeLeaveDateTime": None},
            {"patches": 2}),
    Example("user.enable", None, {"accountEnabled": False}, {"enables": 1, "patches": 1}, {"accountEnabled": False}),
    Example("user.disable", None, {"accountEnabled": True}, {"disables": 1, "patches": 1}),
    Example("user.reset_password", None, {"passwordReset": False}, {"passwords": 1, "patches": 1}, again=("passwords", "patches"), secret="password"),
    Example("user.reset_password", {"password": GIVEN}, {"passwordReset": False}, {"passwords": 1, "patches": 1}, again=("passwords", "patches")),
    Example("user.issue_access_pass", {"lifetime": "1h"}, {"accessPassId": None}, {"passes": 1}, {"methods": []}, again=("passes",), secret="temporaryAccessPass"),
    Example("user.revoke_sessions", None, {"signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z"}, {"revokes": 1}),
    Example("user.reset_mfa", None, {"methods": ["emailMethods/" + METHODS[0]["id"], "phoneMethods/" + METHODS[1]["id"],
                                                 "microsoftAuthenticatorMethods/" + METHODS[2]["id"]]}, {"methods_deleted": 3}, {"defaultMethod": METHODS[1]["id"]}),
    Example("user.set_manager", {"manager": "alan@contoso.com"}, {"managerId": USERS["grace"], "manager": "Grace Hopper"}, {"managers": 1}),
    Example("user.remove_manager", None, {"managerId": USERS["grace"], "manager": "Grace Hopper"}, {"managers": 1}),
    Example("user.assign_licenses", {"licenses": ["SPE_E3"]}, {"SPE_E3": False}, {"licences": 1, "licences_added": 1}, {"licences": []}),
    Example("user.assign_licenses", {"licenses": ["SPE_E3"], "usageLocation": "DE"}, {"SPE_E3": False, "usageLocation": None},
            {"licences": 1, "licences_added": 1, "patches": 1}, {"usageLocation": None}),
    Example("user.remove_licenses", {"licenses": ["POWER_BI_PRO"]}, {"POWER_BI_PRO": True}, {"licences": 1, "licences_removed": 1}, {"licences": [POWER_BI_PRO]}),
    Example("user.delete", None, {"deleted": False}, {"deletes": 1}),
    Example("user.restore", None, {"deleted": True}, {"restores": 1}, {"deleted": True}),
    Example("user.invite", {"mail": "guest{n}@partner.example"}, {"invited": False}, {"creates": 1, "invites": 1}, new="guest{n}_partner.example#EXT#@contoso.onmicrosoft.com"),
    Example("group.add_member", {"group": "VPN Users"}, {"member": False}, {"adds": 1}),
    Example("group.add_member", {"group": "VPN Users", "expiresIn": "30d"}, {"member": False}, {"adds": 1}),
    Example("group.remove_member", {"group": "CRM"}, {"member": True}, {"removes": 1}),
]
ATTRIBUTES = ["jobTitle", "department", "city"]


def kinds_of(document):
    """The names of all kinds in an /openapi.json, and of those that write."""
    kinds = {i["post"]["operationId"] for p, i in document["paths"].items() if "x-changes" in i.get("post", {})}
    return kinds, {k for k in kinds if not k.split(".")[1].startswith(("get", "list", "search"))}


def policy_of(kinds, project="FLT"):
    """Every kind, in one project; restoring asks for an approval, for nobody can tell which groups come back."""
    operations = {name: {"projects": [project]} for name in kinds}
    operations["user.update"]["attributes"] = ATTRIBUTES + ["employeeLeaveDateTime"]
    operations["user.create"]["attributes"] = ATTRIBUTES
    operations["user.create"]["user_principal_name"] = "{givenName}.{surname}@contoso.com"
    operations["user.restore"]["approval"] = "required"
    return {"serviceable_groups": [{"group": g, "projects": [project]} for g in ("VPN Users", "CRM")], "protected": POLICY["protected"], "operations": operations}


def filled(value, n):
    """{n} in texts."""
    if isinstance(value, dict):
        return {k: filled(v, n) for k, v in value.items()}
    return value.replace("{n}", str(n)) if isinstance(value, str) else value


def ago(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def approved(key, **more):
    return {"key": key, "quiet": True, "reporter": "nora@contoso.com", "approvals": [{"decision": "approved", "created": ago(120), "completed": ago(60),
            "approvers": [{"account": "grace@contoso.com", "decision": "approved"}]}], **more}


class Request:
    """One example, done to somebody of its own for an issue of its own."""

    def __init__(self, example, n, project="FLT"):
        self.example, self.n, self.kind, self.issue = example, n, example.kind, "%s-%d" % (project, n)
        self.id = "e7000000-0000-4000-8000-%012d" % n
        self.upn = filled(example.new, n) if example.new else "person%d@contoso.com" % n
        self.body = {**filled(example.body, n), "issue": self.issue}
        if not example.new:
            self.body["user"] = self.id
        self.operation = self.answer = None

    def person(self):
        user = {"id": self.id, "userPrincipalName": self.upn, "displayName": "Person %d" % self.n, "mail": self.upn, "accountEnabled": True, "userType": "Member",
                "jobTitle": "Old", "usageLocation": "DE", "manager": "grace@contoso.com", "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z", "methods": METHODS}
        return {**user, **self.example.person}


def arrange(sim, requests):
    """Persons, issues and members, before anything is asked."""
    there = [r for r in requests if not r.example.new]
    sim.post("/sim/users", [r.person() for r in there])
    sim.post("/sim/issues", [approved(r.issue) for r in requests])
    for group in ("VPN Users", "CRM"):
        members = [r.id for r in there if r.example.body.get("group") == group and r.example.before["member"]]
        sim.post("/sim/groups", {"id": GROUPS[group], "members": sim.members(group) + members})


def user_now(sim, r):
    """As Entra has them at the end; {} where there is nobody."""
    if not r.example.new:
        return sim.get("/sim/state?user=" + r.id)["users"][0]
    found = [u for u in sim.get("/sim/state")["users"] if u["userPrincipalName"].lower() == r.upn.lower()]
    return found[0] if len(found) == 1 else {}


def effects_of(counters, r, user_id):
    if r.kind.startswith("group."):
        pair = counters["memberships"].get(GROUPS[r.example.body["group"]], {}).get(r.id, {})
        return {k: v for k, v in pair.items() if v}
    return counters["users"].get(user_id, {})


def open_secret(service, url):
    """What the page behind a link shows, once."""
    path = "/" + url.split("/", 3)[3]
    status, _, text = call(service.port, "POST", path, b"", {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null", "Sec-Fetch-Site": "same-origin"})
    found = re.search(r'<input[^>]* value="([^"]*)"', text if status == 200 else "")
    return html.unescape(found.group(1)) if found else None
