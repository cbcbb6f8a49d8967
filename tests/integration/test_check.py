"""`entrabridge check` against the simulator: what each enabled operation needs, our standing in Jira, what expires, and what a policy seldom means."""
import json
import subprocess
import unittest

from harness import POLICY, Service, Sim

KINDS = {"user.update": {"projects": ["ITSM"], "attributes": ["city", "mobilePhone"], "sensitive": True, "approval": "required"},
         "user.reset_password": {"projects": ["ITSM"]}, "group.add_member": {"projects": ["ITSM"]}}


class Check(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.addCleanup(self.sim.close)
        self.service = Service(self.sim, {**POLICY, "serviceable_groups": [{"group": "VPN Users", "projects": ["HR", "ITSM"]}], "operations": KINDS})
        self.addCleanup(self.service.close)

    def check(self):
        r = self.service.cli("check", "--json", check=False)
        told = json.loads(r.stdout)
        self.assertEqual(r.returncode == 0, told["ok"], told)
        return told, lambda subject, result: [f["text"] for f in told["findings"] if (f["subject"], f["result"]) == (subject, result)]

    def test_all_is_well(self):
        self.sim.settings(app_role="user-administrator")
        told, texts = self.check()
        self.assertTrue(told["ok"], told)
        kinds = {k["operation"]: k for k in told["operations"]}
        self.assertEqual(set(kinds), set(KINDS))
        self.assertEqual({k: v["missing"] for k, v in kinds.items()}, {k: [] for k in KINDS})
        self.assertEqual(kinds["user.reset_password"]["role"], "User Administrator")
        self.assertIn("User-Phone.ReadWrite.All", kinds["user.update"]["permissions"])
        self.assertIn("RoleEligibilitySchedule.Read.Directory", kinds["group.add_member"]["permissions"])
        self.assertEqual(len(texts("agent", "ok")), 2)
        self.assertIn("2028-01-01", texts("expiry", "ok")[0])
        self.assertIn("user.update", texts("approval", "warning")[0])
        self.assertIn("All Berlin", texts("dynamic", "warning")[0])
        self.assertIn("read:servicedesk-request", texts("scopes", "ok")[0])

    def test_what_is_missing(self):
        self.sim.settings(granted=["User.Read.All", "GroupMember.ReadWrite.All", "RoleManagement.Read.Directory", "User.ReadWrite.All"], agent=["HR"])
        told, texts = self.check()
        kinds = {k["operation"]: k["missing"] for k in told["operations"]}
        self.assertEqual(kinds, {"user.update": ["Application.Read.All"], "group.add_member": ["Application.Read.All"],
                                 "user.reset_password": ["Application.Read.All", "User-PasswordProfile.ReadWrite.All", "User Administrator"]}, told)
        self.assertFalse(told["ok"])
        self.assertEqual([t.split(":")[0] for t in texts("agent", "fault")], ["ITSM"])
        self.assertEqual([t.split(" ")[0] for t in texts("permission", "fault")], ["Application.Read.All", "User-PasswordProfile.ReadWrite.All"])
        self.assertIn("Application.Read.All", texts("expiry", "warning")[0])

    def test_a_pin_that_moved(self):
        self.service.start().stop()
        self.sim.post("/sim/groups", {"id": "b0000000-0000-4000-8000-000000000001", "displayName": "VPN Users (old)"})
        _, texts = self.check()
        self.assertIn("pinned to b0000000-0000-4000-8000-000000000001", texts("name", "warning")[0])

    def test_a_certificate_that_ends_soon(self):
        for name, days, result in (("soon", 10, "warning"), ("long", 400, "ok")):
            folder = self.service.folder
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=entrabridge", "-days", str(days),
                            "-keyout", str(folder / "client.key"), "-out", str(folder / "client.pem")], check=True, capture_output=True)
            (folder / "client.key").chmod(0o600)
            self.service.write_config(listen={"tls": {"certificate": "client.pem", "key": "client.key"}})
            self.assertTrue([t for t in self.check()[1]("expiry", result) if t.startswith("the certificate of the service")], name)

    def test_the_table_for_people(self):
        out = self.service.cli("check", check=False).stdout
        self.assertRegex(out, r"OPERATION +NEEDS OF GRAPH +MISSING")
        self.assertRegex(out, r"user.reset_password +.*directory role User Administrator +User Administrator")


class CheckAssets(unittest.TestCase):
    """With Assets configured: each finding says what to do."""

    def setUp(self):
        self.sim = Sim()
        self.addCleanup(self.sim.close)
        self.service = Service(self.sim, assets={"api_url": "http://127.0.0.1:%d" % self.sim.port}, sync={"every": "never"})
        self.addCleanup(self.service.close)

    def texts(self, subject, result):
        told = json.loads(self.service.cli("check", "--json", check=False).stdout)
        return " | ".join(f["text"] for f in told["findings"] if (f["subject"], f["result"]) == (subject, result))

    def test_a_new_site_and_then_one_with_the_schema(self):
        self.assertIn("run `entrabridge sync init`", self.texts("assets", "warning"))
        self.assertIn("read:cmdb-object:jira", self.texts("scopes", "ok"))
        self.assertIn("read:jira-user", self.texts("scopes", "ok"))
        self.service.cli("sync", "init")
        self.assertEqual(self.texts("assets", "warning"), "")
        self.assertIn("the object schema ENTRA is there", self.texts("assets", "ok"))

    def test_the_key_of_something_else(self):
        self.sim.post("/sim/assets/schemas", {"key": "ENTRA", "name": "Hardware", "types": ["Laptop"]})
        self.assertIn("it is left alone: set assets.schema_key", self.texts("assets", "fault"))

    def test_an_account_without_rights(self):
        self.service.cli("sync", "init")
        self.sim.settings(assets_admin=False, no_browse_users=True)
        self.assertIn("give our account a role in it", self.texts("assets", "warning"))
        self.assertIn("a Jira administrator grants it", self.texts("sync", "fault"))
        self.sim.settings(granted=["User.Read.All"])
        self.assertIn("GroupMember.Read.All is missing", self.texts("sync", "fault"))

    def test_a_wrong_import_token(self):
        self.service.secret("import-token", "nobody's")
        self.service.write_config(assets={**self.service.settings["assets"], "import_token": {"file": "import-token"}})
        self.service.cli("sync", "init")
        self.assertIn("make a new one in the schema's import configuration", self.texts("import", "fault"))


if __name__ == "__main__":
    unittest.main()
