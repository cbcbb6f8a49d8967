"""The synchronization end to end: the real binary, a simulated company, and afterwards Assets compared with the directory object by object."""
import csv
import io
import json
import unittest

from harness import call, eventually
from sync_world import Expected, SyncCase, assets, differences


class WholeLife(SyncCase):
    """One company through its life, in the order of the names."""

    def test_a_init_makes_the_schema_once(self):
        self.assertIn("object type \"Employee\"", self.cli("init").stdout)
        calls = self.totals()["assets_calls"]
        self.assertIn("nothing was changed", self.cli("init").stdout)
        made = [c for c in self.sim.get("/sim/calls?cloud=assets")["calls"][calls:] if c["method"] != "GET"]
        self.assertEqual(made, [])

    def test_b_preview_writes_nothing(self):
        rows = list(csv.reader(io.StringIO(self.cli("preview", "--format", "csv").stdout)))
        expected = Expected(self.sim)
        self.assertEqual(len([r for r in rows if r[0] == "create"]) > len(expected.user) // 2, True)
        self.assertEqual(assets(self.sim)[0], {"Employee": {}, "Group": {}})
        self.assertEqual(self.totals()["assets_creates"], 0)

    def test_c_first_run_makes_everybody(self):
        r = self.run_now()
        self.assertEqual(r["outcome"], "succeeded")
        self.equal()
        expected = Expected(self.sim)
        self.assertEqual(self.totals()["assets_creates"], len(expected.user) + len(expected.group))

    def test_d_nothing_changed_nothing_written(self):
        self.sim.delete("/sim/calls")
        before = self.totals()
        r = self.run_now()
        self.assertEqual((r["outcome"], r["counts"]["creates"], r["counts"]["updates"], r["calls"]["writes"]), ("succeeded", 0, 0, 0))
        graph = self.sim.get("/sim/calls?cloud=graph")["calls"]
        self.assertLessEqual(len(graph), 3, graph)
        self.assertEqual(self.totals()["calls_low"] - before["calls_low"], len(graph))      # commands go first
        after = self.totals()
        self.assertEqual([after[n] - before[n] for n in ("assets_creates", "assets_updates", "assets_deletes")], [0, 0, 0])

    def test_e_only_what_changed_is_written(self):
        before = self.totals()
        was = Expected(self.sim)
        self.sim.post("/sim/churn", {"users": 12, "memberships": 6, "managers": 4, "groups": 2, "joiners": 3, "leavers": 2, "seed": 5})
        now = Expected(self.sim)
        changed = sum(1 for kind in ("user", "group") for i, o in getattr(now, kind).items() if i in getattr(was, kind) and getattr(was, kind)[i] != o)
        gone = len(was.user.keys() - now.user.keys()) + len(was.group.keys() - now.group.keys())
        new = len(now.user.keys() - was.user.keys()) + len(now.group.keys() - was.group.keys())
        r = self.run_now()
        self.equal()
        after = self.totals()
        self.assertEqual(after["assets_creates"] - before["assets_creates"], new)
        self.assertEqual(after["assets_updates"] - before["assets_updates"], changed + gone)
        self.assertEqual((r["counts"]["creates"], r["counts"]["inactivations"]), (new, gone))

    def test_f_leavers_become_inactive_and_may_return(self):
        user = "a2000000-0000-4000-8000-000000000007"
        self.sim.post("/sim/users", {"id": user, "deleted": True})
        self.run_now()
        self.assertEqual(assets(self.sim)[0]["Employee"][user]["attributes"]["Status"], "Inactive")
        self.equal()

    def test_g_by_hand_in_assets_a_full_run_mends_it(self):
        found = assets(self.sim)[0]["Employee"]
        edited, deleted = [found[i] for i in sorted(i for i, o in found.items() if o["attributes"]["Status"] == "Active")[:2]]
        self.sim.post("/sim/assets/objects", [{"id": edited["id"], "attributes": {"Job title": "King"}}, {"id": deleted["id"], "deleted": True}])
        self.assertNotEqual(differences(self.sim, Expected(self.sim)), [])
        self.assertEqual(self.run_now("--full")["kind"], "full")
        self.equal()

    def test_h_expired_links_lead_to_a_full_run(self):
        for form in ("resyncRequired", "syncStateNotFound", "tooOld"):
            self.sim.settings(delta_gone=form)
            self.sim.delete("/sim/delta")
            self.sim.post("/sim/churn", {"users": 5, "memberships": 5, "seed": len(form)})
            self.assertEqual(self.run_now()["outcome"], "succeeded", form)
            self.equal()

    def test_i_who_joins_a_group_that_was_changed_before_shows_it(self):
        group, users = "b2000000-0000-4000-8000-000000000001", ["a2000000-0000-4000-8000-%012d" % n for n in range(20, 26)]
        self.sim.post("/sim/groups", {"id": group, "description": "Another one"})
        self.run_now()
        self.sim.post("/sim/groups", {"id": group, "members": users})
        self.run_now()
        self.equal()

    def test_j_history_shows_each_run(self):
        runs = json.loads(self.cli("history", "--json").stdout)
        runs = runs["runs"] if isinstance(runs, dict) else runs
        self.assertEqual({r["kind"] for r in runs}, {"init", "preview", "delta", "full"})
        shown = json.loads(self.cli("show", str(runs[0]["run"]), "--json").stdout)
        self.assertEqual(shown["outcome"], "succeeded")


class Guard(SyncCase):
    def test_a_mass_of_leavers_waits_for_a_person(self):
        self.cli("init")
        self.cli("run")
        for n in range(1, 41):
            self.sim.post("/sim/users", {"id": "a2000000-0000-4000-8000-%012d" % n, "deleted": True})
        writes = self.totals()["assets_updates"]
        r = self.run_now(code=1)
        self.assertEqual(r["outcome"], "held")
        self.assertIn("--accept-removals", r["message"])
        self.assertEqual(self.totals()["assets_updates"], writes)
        removals = r["counts"]["inactivations"] + r["counts"]["deletions"]
        self.assertEqual(self.run_now("--accept-removals", str(removals - 1), code=1)["outcome"], "held")
        self.assertEqual(self.run_now("--accept-removals", str(removals))["counts"]["inactivations"], removals)
        self.equal()


class Filters(SyncCase):
    sync = {"users": {"guests": True, "accounts": "enabled", "where": [{"attribute": "department", "matches": "*a*"}]}, "groups": {"include": "all", "names": ["*a*", "*e*"]},
            "attributes": [{"name": "Company", "from": "companyName"}], "leavers": "delete", "delete_after": "0ms"}

    def test_only_who_fits(self):
        def keep(u):
            return u["accountEnabled"] and "a" in (u.get("department") or "").lower()

        def groups(g):
            return any(c in g["displayName"].lower() for c in "ae")
        self.cli("init")
        self.run_now()
        expected = Expected(self.sim, keep, groups, {"Company": "companyName"})
        self.assertGreater(len(expected.user), 3)
        self.assertEqual(differences(self.sim, expected), [])
        someone = sorted(expected.user)[0]
        self.sim.post("/sim/users", {"id": someone, "department": "Zzz"})
        self.run_now()
        self.run_now()                      # and those who are inactive are deleted after no time
        self.assertNotIn(someone, assets(self.sim)[0]["Employee"])
        self.assertEqual(differences(self.sim, Expected(self.sim, keep, groups, {"Company": "companyName"})), [])


class AccountsFirst(SyncCase):
    users, sync = 200, {"mode": "accounts_first", "groups": {"include": "none"}, "users": {"guests": True}}

    def test_people_of_active_accounts(self):
        self.cli("init")
        r = self.run_now()
        everybody = Expected(self.sim, lambda u: True, lambda g: False)
        with_account = {i for i, u in everybody.user.items() if u["Atlassian account ID"]}
        expected = Expected(self.sim, lambda u: u["id"] in with_account, lambda g: False)
        self.assertEqual(differences(self.sim, expected), [])
        self.assertGreater(r["counts"]["unmatched"], 0)
        leaver = sorted(with_account)[-1]
        self.sim.post("/sim/accounts", {"accountId": expected.user[leaver]["Atlassian account ID"], "accountType": "atlassian", "active": False})
        self.run_now()
        self.assertEqual(assets(self.sim)[0]["Employee"][leaver]["attributes"]["Status"], "Inactive")


class MassLoad(SyncCase):
    assets, sync = {"import_token": {"file": "import-token"}}, {"load": "always"}

    def test_imports_carry_the_mass_and_objects_the_rest(self):
        self.service.secret("import-token", "sim-import-token")
        self.cli("init")
        self.sim.post("/sim/assets/importsource", {"schemaKey": "ENTRA"})
        self.sim.settings(import_ms_per_object=0)
        r = self.run_now()
        self.assertEqual(r["outcome"], "succeeded")
        self.equal()
        self.assertEqual(len([c for c in self.sim.get("/sim/calls?path=/object/create&cloud=assets")["calls"]]), 0)


class Served(SyncCase):
    """A service runs: it does the work, on its schedule or as an order; the command line shows it."""

    def test_orders_and_the_schedule(self):
        self.cli("init")
        self.service.start()
        r = self.run_now()
        self.assertEqual(r["outcome"], "succeeded")
        self.equal()
        self.sim.post("/sim/churn", {"users": 4, "seed": 3})
        self.assertEqual(self.cli("preview", "--format", "json").returncode, 0)
        status, _, text = self.metrics()
        self.assertIn("entrabridge_sync_runs_total", text)
        self.assertIn("entrabridge_sync_age_seconds", text)
        self.cli("run", "--background")
        eventually(lambda: differences(self.sim, Expected(self.sim)) == [], 30)
        self.service.stop()

    def metrics(self):
        return call(self.service.port, "GET", "/metrics")


if __name__ == "__main__":
    unittest.main()
