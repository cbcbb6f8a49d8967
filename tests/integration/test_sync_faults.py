"""The synchronization and what goes wrong on its way: nobody is taken for gone, nothing stands twice, the rest goes on."""
import json
import subprocess
import unittest

from harness import BINARY, eventually
from sync_world import SyncCase, assets


class Faults(SyncCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.cli("sync", "init")
        cls.service.cli("sync", "run")

    def setUp(self):
        self.sim.post("/sim/churn", {"users": 6, "memberships": 4, "leavers": 1, "seed": hash(self.id()) % 1000})

    def gone(self):
        return [o for o in assets(self.sim)[0]["Employee"].values() if o["attributes"]["Status"] != "Active"]

    def mended(self):
        self.sim.delete("/sim/faults")
        self.run_now("--full")
        self.equal()

    def test_a_read_that_fails_takes_nobody_away(self):
        before = len(self.gone())
        for action in ({"status": 403}, {"cut_body": True}):        # the second is asked for again, for a minute
            self.sim.fault({"cloud": "graph", "path": "/users?"}, times=-1, **action)
            r = self.run_now("--full", code=1)
            self.assertEqual(r["outcome"], "failed", action)
            self.assertEqual((r["counts"]["inactivations"], len(self.gone())), (0, before), action)
            self.sim.delete("/sim/faults")
        self.mended()

    def test_a_page_lost_on_the_way_is_asked_for_again(self):
        self.sim.fault({"cloud": "graph", "path": "/groups/delta"}, times=1, cut_body=True)
        self.sim.fault({"cloud": "graph", "path": "/users?"}, times=1, status=429, retry_after="1")
        self.run_now("--full")
        self.equal()

    def test_a_lost_answer_makes_no_second_object(self):
        self.sim.post("/sim/churn", {"joiners": 4, "seed": 77})
        self.sim.fault({"cloud": "assets", "path": "/object/create"}, times=2, drop_after=True)
        self.run_now()
        self.equal()
        self.assertEqual(assets(self.sim)[1], [])

    def test_an_update_whose_end_was_not_kept_is_made_again(self):
        """It was done, the program is killed before it hears of it, and what is wanted is by then what was known before."""
        self.run_now()
        user = next(i for i, o in sorted(assets(self.sim)[0]["Employee"].items()) if o["attributes"].get("Job title") and o["attributes"]["Status"] == "Active")
        was = assets(self.sim)[0]["Employee"][user]["attributes"]["Job title"]
        self.sim.post("/sim/users", {"id": user, "jobTitle": "King"})
        self.sim.fault({"cloud": "assets", "method": "PUT"}, times=-1, delay_after_ms=20000)
        process = subprocess.Popen([BINARY, "sync", "run", "--config", str(self.service.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: assets(self.sim)[0]["Employee"][user]["attributes"]["Job title"] == "King", 20)
        process.kill()
        process.wait()
        self.sim.delete("/sim/faults")
        self.sim.post("/sim/users", {"id": user, "jobTitle": was})
        self.run_now()
        self.equal()

    def test_one_bad_object_does_not_stop_the_rest(self):
        self.sim.fault({"cloud": "assets", "method": "PUT", "path": "/object/"}, times=1, status=400, body={"errorMessages": [], "errors": {"rlabs-insight-attribute-1": "No."}})
        r = self.run_now(code=1)
        self.assertEqual((r["outcome"], r["counts"]["errors"]), ("partial", 1))
        shown = json.loads(self.cli("show", str(r["run"]), "--json").stdout)
        self.assertEqual(len(shown["errors"]), 1)
        self.run_now()
        self.equal()

    def test_what_is_refused_for_all_ends_the_run_at_once(self):
        self.sim.post("/sim/churn", {"users": 40, "seed": 5})
        self.sim.fault({"cloud": "assets", "method": "PUT", "path": "/object/"}, times=-1, status=403)
        self.sim.delete("/sim/calls")
        r = self.run_now(code=1)
        self.assertEqual(r["outcome"], "failed")
        self.assertLessEqual(len([c for c in self.sim.get("/sim/calls?cloud=assets")["calls"] if c["method"] == "PUT"]), 8)    # those that were under way
        self.mended()

    def test_an_account_without_its_role_takes_nothing_for_gone(self):
        before = assets(self.sim)[0]
        self.sim.fault({"cloud": "assets", "path": "/object/aql"}, times=-1, status=200, body={"startAt": 0, "maxResults": 500, "total": 0, "values": [], "isLast": True})
        self.sim.fault({"cloud": "assets", "method": "GET", "path": "/object/"}, times=-1, status=404)
        for _ in range(2):                  # nor the second time
            r = self.run_now("--full", code=1)
            self.assertEqual((r["outcome"], r["calls"]["writes"]), ("failed", 0))
            self.assertIn("lost its role in the schema", r["message"])
        self.assertEqual(assets(self.sim)[0], before)
        self.mended()

    def test_throttled_and_away_for_a_while(self):
        self.sim.fault({"cloud": "assets", "method": "PUT"}, times=3, status=429, retry_after="1")
        self.sim.fault({"cloud": "assets", "method": "PUT"}, times=2, after=3, drop_before=True)
        self.run_now()
        self.equal()

    def test_without_permission_it_says_what_is_missing(self):
        self.sim.settings(granted=["User.Read.All"])
        try:
            self.sim.delete("/sim/tokens")
            r = self.run_now("--full", code=1)
            self.assertIn("GroupMember.Read.All", r["message"])
        finally:
            self.sim.settings(granted="all")
        self.mended()


if __name__ == "__main__":
    unittest.main()
