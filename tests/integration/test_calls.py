"""How many calls to Graph and Jira an operation of each kind takes: a table of limits, so that none grows unseen.

`CALLS_TABLE=1 python3 -m unittest test_calls` prints the table of docs/performance.md.
"""
import os
import unittest

from harness import Service, Sim, call
from kind_examples import EXAMPLES, Example, Request, arrange, kinds_of, policy_of

READS = [Example("user.get"), Example("user.list_groups"), Example("user.search", {"query": "Ada"}, new="x{n}@contoso.com"),
         Example("group.get", {"group": "VPN Users"}, {"member": False}, new="x{n}@contoso.com"),
         Example("group.list_members", {"group": "VPN Users"}, {"member": False}, new="x{n}@contoso.com")]

# Round trips to Graph, writes to Graph, calls to Jira with the comment. Most take four in all: issue, one batch of reads, one write, comment.
USUAL = (1, 1, 2)
LIMITS = {
    "user.create, accessPass, manager": (1, 3, 2),      # the account, its manager, the pass
    "user.update, employeeLeaveDateTime": (1, 2, 2),    # an attribute with a permission of its own wants a PATCH of its own
    "user.reset_mfa": (1, 4, 2),                        # one call a method: three here, and the default one, which Graph does not name, again at the end
    "user.assign_licenses, usageLocation": (1, 2, 2),   # the country first
    "user.restore": (2, 1, 4),                          # with the approval that it must have: its people, the approvals and the history
    "user.get": (1, 0, 1), "user.list_groups": (1, 0, 1), "user.search": (1, 0, 1), "group.get": (1, 0, 1), "group.list_members": (1, 0, 1),
    "group.add_member, approval and bind": (2, 1, 4), "group.add_member, approvers of a group": (3, 1, 4), "user.disable, requester: manager": (2, 1, 3),
    "user.update, user: reporter": (2, 1, 3),
    # Of a journey each step reads its facts anew, just before its write; the issue is read once for all, and one comment tells them.
    "user.onboard, 5 steps": (7, 6, 2), "user.offboard, 8 steps": (9, 8, 2), "group.add_member, 20 users": (21, 1, 2),
}
BOUND = {"approval": "required", "bind": {"user": "customfield_10050", "group": "customfield_10051"}}


def count(sim):
    calls = [c for c in sim.get("/sim/calls")["calls"] if c["cloud"] != "token"]
    graph = [c for c in calls if c["cloud"] == "graph" and not c["inBatch"]]
    reads = [c for c in graph if "$batch" in c["path"] or c["method"] == "GET"]
    return len(reads), len(graph) - len(reads), len([c for c in calls if c["cloud"] == "jira"]), len([c for c in calls if c["inBatch"]]), calls


class Calls(unittest.TestCase):
    def serve(self, policy, groups=()):
        sim = Sim()
        self.addCleanup(sim.close)
        if groups:
            sim.post("/sim/groups", [{"displayName": g, "kind": "security"} for g in groups])
        sim.settings(app_role="user-administrator")
        service = Service(sim, policy)
        self.addCleanup(service.close)
        service.token()
        return sim, service.start()

    def measure(self, sim, service, name, kind, issue, body):
        sim.delete("/sim/calls")
        status, _, answer = service.post(kind, body)
        self.assertEqual((status, answer["outcome"]), (200, "succeeded"), (name, answer))
        writes = not kind.split(".")[1].startswith(("get", "list", "search"))
        if writes:
            self.assertTrue(sim.wait_comments(issue, 1), name)
        reads, wrote, jira, items, calls = count(sim)
        told = [(c["method"], c["path"][:90], c["status"]) for c in calls]
        for have, most, what in zip((reads, wrote, jira), LIMITS.get(name, USUAL), ("reads of Graph", "writes of Graph", "calls to Jira")):
            self.assertLessEqual(have, most, "%s: %s: %s" % (name, what, told))
        return name, reads, wrote, items, jira, reads + wrote + jira

    def kinds(self):
        sim = Sim()
        self.addCleanup(sim.close)
        service = Service(sim)
        self.addCleanup(service.close)
        service.start()
        kinds, _ = kinds_of(call(service.port, "GET", "/openapi.json")[2])
        self.assertEqual(kinds - {e.kind for e in EXAMPLES + READS}, {"user.onboard", "user.transfer", "user.offboard"}, "a kind without an example")
        return kinds

    def test_each_kind(self):
        sim, service = self.serve(policy_of(self.kinds()))
        rows, seen = [], set()
        for n, example in enumerate(EXAMPLES + READS, 7000):
            r = Request(example, n)
            extras = [k for k in ("accessPass", "manager", "usageLocation", "expiresIn", "password") if k in example.body and example.kind != "user.set_manager"]
            extras += [k for k in example.body.get("attributes", {}) if k == "employeeLeaveDateTime"]
            name = ", ".join([example.kind] + sorted(extras))
            if name in seen:
                continue
            seen.add(name)
            arrange(sim, [r])
            rows.append(self.measure(sim, service, name, r.kind, r.issue, r.body))
        rows += self.conditions() + self.journeys()
        if os.environ.get("CALLS_TABLE"):
            print("\n| operation | batches and reads of Graph | writes of Graph | reads in the batches | calls to Jira | in all |\n| --- | --- | --- | --- | --- | --- |")
            for row in sorted(rows):
                print("| `%s`%s | %d | %d | %d | %d | %d |" % (row[0].split(",")[0], ",".join([""] + row[0].split(",")[1:]), *row[1:]))

    def conditions(self):
        """What verifying costs."""
        operations = {"group.add_member": {"projects": ["FLT"]}, "user.disable": {"projects": ["FLT"], "requester": "manager"},
                      "user.update": {"projects": ["FLT"], "attributes": ["jobTitle"]}}
        groups = [{"group": "VPN Users", "projects": ["FLT"], **BOUND}, {"group": "CRM", "projects": ["FLT"], "approval": "required", "approvers": "group:Access Approvers"}]
        sim, service = self.serve({"serviceable_groups": groups, "operations": operations})
        approval = {"decision": "approved", "approvers": [{"account": "petra@contoso.com"}]}
        fields = {"customfield_10050": {"account": "ada@contoso.com"}, "customfield_10051": "VPN Users"}
        sim.post("/sim/issues", [{"key": "FLT-1", "reporter": "zoe@contoso.com", "approvals": [approval], "fields": fields},
                                 {"key": "FLT-2", "reporter": "zoe@contoso.com", "approvals": [approval]}, {"key": "FLT-3", "reporter": "grace@contoso.com"},
                                 {"key": "FLT-4", "reporter": "ada@contoso.com"}])
        return [self.measure(sim, service, name, kind, body["issue"], body) for name, kind, body in (
            ("group.add_member, approval and bind", "group.add_member", {"issue": "FLT-1", "user": "ada@contoso.com", "group": "VPN Users"}),
            ("group.add_member, approvers of a group", "group.add_member", {"issue": "FLT-2", "user": "ada@contoso.com", "group": "CRM"}),
            ("user.disable, requester: manager", "user.disable", {"issue": "FLT-3", "user": "alan@contoso.com"}),
            ("user.update, user: reporter", "user.update", {"issue": "FLT-4", "user": "reporter", "attributes": {"jobTitle": "Countess"}}))]


    def journeys(self):
        """What comes with a place, and what goes."""
        names = ["VPN Users", "CRM", "O'Brien's Team", "Team 1", "Team 2"]
        sim, service = self.serve(groups=names[3:], policy={
            "serviceable_groups": [{"group": g, "projects": ["FLT"]} for g in names], "group_rules": [{"when": {"department": "*"}, "groups": names[:2]}],
            "operations": {"user.offboard": {"projects": ["FLT"]}, "group.add_member": {"projects": ["FLT"]},
                           "user.onboard": {"projects": ["FLT"], "attributes": ["department"], "user_principal_name": "{givenName}.{surname}@contoso.com"}}})
        sim.post("/sim/issues", [{"key": "FLT-%d" % n, "reporter": "zoe@contoso.com"} for n in (5, 6, 7)])
        people = sim.post("/sim/users", [{"userPrincipalName": "c%d@contoso.com" % n, "displayName": "C %d" % n, "mail": "c%d@contoso.com" % n, "accountEnabled": True,
                                          "userType": "Member", "usageLocation": "DE", "licences": ["50000000-0000-4000-8000-000000000003"] if n == 0 else [],
                                          "signInSessionsValidFromDateTime": "2026-01-01T00:00:00Z"} for n in range(21)])["users"]
        for g in sim.get("/sim/state")["groups"]:
            if g["displayName"] in names:
                sim.post("/sim/groups", {"id": g["id"], "members": g["members"] + [people[0]["id"]]})
        return [self.measure(sim, service, name, kind, body["issue"], body) for name, kind, body in (
            ("user.onboard, 5 steps", "user.onboard", {"issue": "FLT-5", "attributes": {"givenName": "Nova", "surname": "Newton", "department": "Sales"},
                                                       "manager": "grace@contoso.com", "licenses": ["SPE_E3"], "usageLocation": "DE"}),
            ("user.offboard, 8 steps", "user.offboard", {"issue": "FLT-6", "user": people[0]["id"]}),
            ("group.add_member, 20 users", "group.add_member", {"issue": "FLT-7", "users": [p["id"] for p in people[1:]], "group": "CRM"}))]


if __name__ == "__main__":
    unittest.main()
