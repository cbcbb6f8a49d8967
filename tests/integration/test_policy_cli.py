"""`policy explain` asks the running service what it would decide; `policy pin` shows what names were found to mean, and lets one be found anew."""
import json
import time
import unittest

from harness import GROUPS, POLICY, Case, Service, Sim

ASKED = {**POLICY, "operations": {**POLICY["operations"], "user.disable": {"projects": ["ITSM"], "requester": "manager"},
                                  "user.reset_password": {"projects": ["ITSM"]}}}


class Explain(Case):
    policy = ASKED

    def explain(self, kind, *more, code=0, **fields):
        r = self.service.cli("policy", "explain", "--json", "--kind", kind, *[t for k, v in fields.items() for t in ("--" + k, v)], *more, check=False)
        self.assertEqual(r.returncode, code, r)
        return json.loads(r.stdout) if code == 0 else r.stderr

    def test_the_same_decision_as_the_operation(self):
        self.service.token("removes", "group.remove_member", "*")
        self.service.token("hr", "*", "HR")
        ada = {"issue": "ITSM-70", "user": "ada@contoso.com"}
        rows = [
            ("no token limits it", "group.add_member", {**ada, "group": "VPN Users"}, None, None),
            ("the token is for another kind", "group.add_member", {**ada, "group": "VPN Users", "token": "removes"}, "operation_not_permitted", "token.operations"),
            ("the token is for another project", "group.add_member", {**ada, "group": "VPN Users", "token": "hr"}, "issue_not_permitted", "token.projects"),
            ("a token that is not there, of these operations", "group.add_member", {**ada, "group": "VPN Users", "operations": "user.get,user.enable"},
             "operation_not_permitted", "token.operations"),
            ("a token that is not there, of these projects", "group.add_member", {**ada, "group": "VPN Users", "projects": "HR,SEC"}, "issue_not_permitted", "token.projects"),
            ("not the manager", "user.disable", ada, "requester_not_permitted", "policy.operations.user.disable.requester"),
            ("a protected group", "group.add_member", {**ada, "group": "Tier 0 helpers"}, "principal_protected", "policy.protected.groups"),
            ("no such issue", "group.add_member", {**ada, "issue": "ITSM-99999", "group": "VPN Users"}, "issue_not_found", "facts"),
        ]
        for why, kind, fields, code, rule in rows:
            with self.subTest(why):
                told = self.explain(kind, **fields)
                self.assertEqual((told["allowed"], told.get("code")), (code is None, code), told)
                if rule:
                    self.assertEqual(told["rule"], rule)
        told = self.explain("group.add_member", "--fields", '{"expiresIn": "8h"}', group="VPN Users", **ada)
        self.assertEqual((told["allowed"], told["wouldChange"], told["before"]["member"]), (True, True, False), told)
        self.assertEqual((self.sim.writes(), self.sim.comments("ITSM-70")), ([], []))
        self.assertEqual(self.service.get("/v1/operations?issue=ITSM-70")[2]["operations"], [])

    def test_for_people(self):
        out = self.service.cli("policy", "explain", "--kind", "user.disable", "--issue", "ITSM-70", "--user", "ada@contoso.com").stdout
        self.assertRegex(out, r"^Refused\.")
        self.assertRegex(out, r"Rule +policy.operations.user.disable.requester")

    def test_what_cannot_be_asked(self):
        self.assertIn("no valid token", self.explain("user.get", token="nobody", user="ada@contoso.com", code=1))
        self.assertIn("`user`", self.explain("user.get", code=1))
        self.assertIn("--kind is", self.explain("user.fly", code=2))
        self.assertIn("--fields", self.explain("user.get", "--fields", "{", user="ada@contoso.com", code=2))
        self.assertIn("--fields", self.explain("user.reset_password", "--fields", '{"password": "Sommer-2026!"}', user="ada@contoso.com", code=2))
        self.assertIn("--token", self.explain("user.get", user="ada@contoso.com", token="rule", projects="HR", code=2))

    def test_a_revoked_token_permits_nothing(self):
        self.service.token("gone", "*", "*")
        self.service.cli("token", "revoke", "gone")
        self.assertIn("no valid token", self.explain("user.get", token="gone", user="ada@contoso.com", code=1))


class WithoutService(unittest.TestCase):
    def test_explain_says_that_no_service_runs(self):
        sim = Sim()
        self.addCleanup(sim.close)
        service = Service(sim)
        self.addCleanup(service.close)
        r = service.cli("policy", "explain", "--kind", "user.get", "--user", "ada@contoso.com", check=False)
        self.assertEqual(r.returncode, 1, r)
        self.assertIn("no service runs", r.stderr)


class Pins(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.addCleanup(self.sim.close)
        self.service = Service(self.sim)
        self.addCleanup(self.service.close)
        self.service.start()

    def pins(self):
        return {(p["type"], p["name"]): p["id"] for p in json.loads(self.service.cli("policy", "pin", "--json").stdout)}

    def await_pin(self, name, wanted):
        end = time.monotonic() + 10
        while self.pins().get(("group", name)) != wanted:
            self.assertLess(time.monotonic(), end, self.pins())
            time.sleep(0.05)

    def add(self, issue):
        return self.service.post("group.add_member", {"issue": issue, "user": "ada@contoso.com", "group": "VPN Users"})

    def test_a_moved_name_is_bound_anew_once_it_is_released(self):
        other = "cc000000-0000-4000-8000-000000000001"
        self.await_pin("VPN Users", GROUPS["VPN Users"])
        self.assertFalse([t for t, _ in self.pins() if t == "configuration"])
        self.sim.post("/sim/groups", [{"id": GROUPS["VPN Users"], "displayName": "VPN Users (old)"}, {"id": other, "displayName": "VPN Users", "kind": "security"}])
        self.service.stop()
        self.service.start()
        self.assertEqual(self.add("ITSM-70")[2]["groupId"], GROUPS["VPN Users"])       # the pinned one stays in force
        out = self.service.cli("policy", "pin", "--release", "VPN Users").stdout
        self.assertIn("Released.", out)
        self.await_pin("VPN Users", other)
        self.assertEqual(self.add("ITSM-71")[2]["groupId"], other)
        rows = [json.loads(line) for line in self.service.cli("audit", "export").stdout.splitlines()]
        row = [r for r in rows if r["event"] == "policy.pin_release"]
        self.assertEqual(len(row), 1)
        self.assertIn(GROUPS["VPN Users"], json.dumps(row))
        self.assertEqual(self.service.cli("audit", "verify").returncode, 0)

    def test_nothing_of_that_name(self):
        for name in ("No Such Group", "policy"):
            r = self.service.cli("policy", "pin", "--release", name, check=False)
            self.assertEqual(r.returncode, 1, r)
            self.assertIn("nothing is pinned", r.stderr)

    def test_without_a_service(self):
        self.await_pin("VPN Users", GROUPS["VPN Users"])
        self.service.stop()
        self.assertIn("next start", self.service.cli("policy", "pin", "--release", "VPN Users").stdout)
        self.assertNotIn(("group", "VPN Users"), self.pins())


if __name__ == "__main__":
    unittest.main()
