"""Faults of the synchronization that a review has found, one test each."""
import sqlite3
import subprocess
import time
import unittest

from harness import BINARY
from sync_world import SyncCase, accounts, assets, differences, directory, make_sim, Expected, service


class Review(SyncCase):
    """Each test has a company of its own: what it changes cannot be taken back."""
    users, groups = 60, 10

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def tearDown(self):
        self.service.close()
        self.sim.close()

    def begin(self, users=60, groups=10, **sync):
        self.sim = make_sim(users, groups)
        self.service = service(self.sim, **sync)
        self.cli("init")
        self.cli("run")

    def setting(self, section, **what):
        self.service.settings[section].update(what)
        self.service.write_config()

    def with_status(self, status, kind="Employee"):
        return [o for o in assets(self.sim)[0][kind].values() if o["attributes"]["Status"] == status]

    def test_groups_do_not_hide_that_everybody_leaves(self):
        self.begin(60, 1000)
        self.setting("sync", users={"where": [{"attribute": "department", "matches": "Nobody is here"}]})
        self.service.cli("sync", "run", check=False)
        self.assertEqual(self.with_status("Inactive"), [])

    def test_another_schema_is_filled(self):
        self.begin()
        self.sim.post("/sim/assets/schemas", {"key": "OTHER", "name": "People"})
        self.setting("assets", schema_key="OTHER")
        self.cli("init")
        self.cli("run")
        counts = {s["key"]: s["objects"] for s in self.sim.get("/sim/assets")["schemas"]}
        self.assertEqual(counts["OTHER"], counts["ENTRA"])

    def test_objects_of_another_workspace_are_not_ours(self):
        self.begin()
        self.sim.post("/sim/churn", {"leavers": 5, "seed": 9})
        self.cli("run")
        other = make_sim(60, 10)
        try:
            other.post("/sim/assets/schemas", {"key": "IT", "name": "IT", "types": ["Laptop"]})
            other.post("/sim/assets/objects", [{"type": "Laptop", "attributes": {"Name": "laptop %d" % i}} for i in range(150)])
            self.setting("sync", leavers="delete", delete_after="0s")
            self.setting("assets", api_url="http://127.0.0.1:%d" % other.port)
            self.cli("init")
            self.service.cli("sync", "run", check=False)
            self.assertEqual(other.get("/sim/assets")["schemas"][0]["objects"], 150)
        finally:
            other.close()

    def test_an_account_belongs_to_one_person(self):
        self.begin()
        known, users = accounts(self.sim), directory(self.sim)["user"].values()
        fit = [u for u in users if u.get("userType") != "Guest" and len(known.get((u.get("mail") or "").lower(), [])) == 1]
        fit.sort(key=lambda u: u["mail"].lower() == u["userPrincipalName"].lower())
        owner, same_mail, same_upn = fit[0], fit[-1], fit[-2]
        for u in (same_mail, same_upn):
            self.sim.post("/sim/accounts", {"accountId": known[u["mail"].lower()][0], "emailHidden": True})
        self.sim.post("/sim/users", {"id": same_mail["id"], "mail": owner["mail"]})
        self.sim.post("/sim/users", {"id": same_upn["id"], "mail": None, "userPrincipalName": owner["mail"]})
        self.cli("run", "--full")
        objects = assets(self.sim)[0]["Employee"]
        bearers = [i for i, o in objects.items() if o["attributes"].get("Atlassian account ID") == known[owner["mail"].lower()][0]]
        self.assertLessEqual(len(bearers), 1)

    def test_a_hidden_address_makes_nobody_leave(self):
        self.begin(mode="accounts_first")
        for ids in list(accounts(self.sim).values())[:3]:
            self.sim.post("/sim/accounts", {"accountId": ids[0], "emailHidden": True})
        self.cli("run", "--full")
        self.assertEqual(self.with_status("Inactive"), [])

    def test_an_object_that_always_fails_does_not_stop_the_rest(self):
        self.begin()
        group = next(iter(directory(self.sim)["group"].values()))
        self.sim.post("/sim/groups", {"id": group["id"], "description": "new"})
        self.sim.post("/sim/churn", {"users": 10, "joiners": 3, "seed": 3})
        number = assets(self.sim)[0]["Group"][group["id"]]["id"]
        self.sim.fault({"cloud": "assets", "method": "PUT", "regex": "/object/%s$" % number}, times=-1, status=500, body={"errorMessages": ["Internal"]})
        p = subprocess.Popen([BINARY, "sync", "run", "--config", str(self.service.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            p.wait(90)
        except subprocess.TimeoutExpired:
            p.terminate()
            p.wait()
        self.assertLessEqual(len(differences(self.sim, Expected(self.sim), 50)), 1)

    def test_many_bad_groups_do_not_stop_people(self):
        self.begin(60, 60)
        for g in list(directory(self.sim)["group"].values())[:26]:
            self.sim.post("/sim/groups", {"id": g["id"], "mail": "not a mail"})
        self.sim.post("/sim/churn", {"users": 10, "joiners": 3, "seed": 3})
        self.service.cli("sync", "run", check=False)
        self.assertEqual([d for d in differences(self.sim, Expected(self.sim), 100) if d.startswith("Employee")], [])

    def test_an_attribute_taken_out_of_the_configuration_is_no_difference(self):
        self.begin(attributes=[{"name": "Unit", "from": "department"}])
        del self.service.settings["sync"]["attributes"]
        self.service.write_config()
        self.cli("run")
        self.assertIn("Assets is as the directory is", self.cli("preview").stdout)

    def test_a_power_loss_is_not_forgotten_by_a_run_that_fails(self):
        self.begin()
        db = sqlite3.connect(str(self.service.folder / "bridge.db"))
        with db:
            db.execute("INSERT OR REPLACE INTO sync_mark (one, boot_id) VALUES (1, 'another')")
        db.close()
        self.sim.fault({"cloud": "graph"}, times=-1, status=403)
        self.service.cli("sync", "run", check=False)
        self.sim.delete("/sim/faults")
        self.sim.delete("/sim/calls")
        self.cli("run")
        self.assertTrue([c for c in self.sim.get("/sim/calls?cloud=assets")["calls"] if "/object/aql" in c["path"]])

    def test_an_interrupt_while_comparing(self):
        """A sanitizer's complaint, or a crash, shows as another exit code."""
        self.sim = make_sim(12000, 100)
        self.service = service(self.sim)
        self.cli("init")
        p = subprocess.Popen([BINARY, "sync", "run", "--config", str(self.service.config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while p.poll() is None:
            with sqlite3.connect("file:%s?mode=ro" % (self.service.folder / "bridge.db"), uri=True) as db:
                row = db.execute("SELECT phase FROM sync_runs ORDER BY number DESC LIMIT 1").fetchone()
            if row == ("comparing",):
                break
            time.sleep(0.01)
        p.terminate()
        errors = p.communicate()[1]
        self.assertEqual(p.returncode, 1, errors[-2000:])


if __name__ == "__main__":
    unittest.main()
