"""The synchronization between two runs and after a broken one: lost files, full disks, clocks that step, limits of the clouds; and that what was read is not read again."""
import collections
import os
import resource
import signal
import subprocess
import threading
import time
import unittest

from harness import BINARY, USERS, eventually
from sync_killing import DAY_MS, KillCase
from sync_world import assets, make_sim, service


class BetweenRuns(KillCase):
    def setUp(self):
        super().setUp()
        self.sim.settings(latency_ms=0)
        self.run_now()

    def test_the_staging_file_is_lost_or_damaged(self):
        path = self.service.folder / "bridge.db.sync"

        def cut(share):
            os.truncate(path, int(path.stat().st_size * share))

        def spoil():
            with open(path, "r+b") as f:
                size = path.stat().st_size
                for at in range(4096 * 3, size, 4096 * 2):
                    f.seek(at)
                    f.write(b"\xa5" * 2048)
        for name, harm in (("deleted", path.unlink), ("empty", lambda: cut(0)), ("half", lambda: cut(0.5)), ("odd", lambda: os.truncate(path, 5000)), ("spoilt", spoil)):
            harm()
            for rest in ("-wal", "-shm"):
                (self.service.folder / ("bridge.db.sync" + rest)).unlink(missing_ok=True)
            self.churn()
            code, text = self.end(self.begin("--json"))
            if code != 0:                                   # found in the middle: the next one has a new file
                code, text = self.end(self.begin("--json"))
            self.assertEqual(code, 0, (name, text))
            with self.subTest(harm=name):
                self.equal()
                self.nobody_is_taken_for_gone()

    def test_creations_in_doubt_and_the_file_is_lost(self):
        """Nothing tells of them any more: Assets refuses the second object, and what is there is taken."""
        self.churn(joiners=30)
        self.sim.settings(latency_ms=30)
        self.sim.delete("/sim/calls")
        process = self.begin()
        self.await_calls("/object/create", 8, "POST")
        self.end(process, signal.SIGKILL)
        self.sim.settings(latency_ms=0, assets_eventual_ms=8000)
        (self.service.folder / "bridge.db.sync").unlink()
        try:
            self.assertEqual(self.run_now()["outcome"], "succeeded")
            self.equal()
            self.assertEqual(assets(self.sim)[1], [])
        finally:
            self.sim.settings(assets_eventual_ms=0)

    def test_the_clock_steps_a_day(self):
        names = ("entra.begun", "entra.accounts.at", "read_ms", "read_all_ms")
        for step in (DAY_MS, -DAY_MS):
            for name in names:
                self.rows("UPDATE state SET value = CAST(value AS INTEGER) + ? WHERE name = ?", step, name)
            self.rows("UPDATE target SET left_ms = left_ms + ?, sent_ms = sent_ms + ? WHERE left_ms + sent_ms > 0", step, step)
            self.rows("UPDATE sync_runs SET started_ms = started_ms + ?, ended_ms = ended_ms + ?, updated_ms = updated_ms + ?", step, step, step, stage=False)
            self.churn()
            self.assertEqual(self.run_now()["outcome"], "succeeded")
            self.equal()
        self.rows("UPDATE sync_runs SET started_ms = started_ms + ?, ended_ms = ended_ms + ?", 2 * DAY_MS, 2 * DAY_MS, stage=False)
        self.assertEqual(self.run_now()["outcome"], "succeeded")

    def test_killed_in_a_full_run_the_next_reads_assets_as_well(self):
        """What somebody changed by hand is mended by a full run, also where the one that was asked for was killed before it came to that."""
        someone = next(o for o in assets(self.sim)[0]["Employee"].values() if o["attributes"]["Status"] == "Active")
        for path, count in (("/users?", 2), ("/object/aql", 1)):
            self.sim.post("/sim/assets/objects", {"id": someone["id"], "attributes": {"Job title": "King"}})
            self.sim.settings(latency_ms=40, page_most=50, aql_page_max=50)
            self.sim.delete("/sim/calls")
            process = self.begin("--full")
            self.assertTrue(self.await_calls(path, count))
            self.end(process, signal.SIGKILL)
            self.sim.settings(latency_ms=0, aql_page_max=500, page_most=0)
            self.run_now()
            with self.subTest(killed=path):
                self.equal()

    def test_power_lost_and_killed_before_assets_was_read(self):
        """A machine that went down may have lost the last answers: that stays known until Assets was read."""
        for when in ("/users/delta", "/object/aql"):
            self.churn(joiners=5)
            self.run_now()
            lost = self.rows("SELECT n FROM target WHERE active = 1 ORDER BY n DESC LIMIT 5")
            for n, in lost:                                     # as if those answers had not reached the disk
                self.rows("DELETE FROM target WHERE n = ?", n)
                self.rows("DELETE FROM target_texts WHERE n = ?", n)
            self.rows("INSERT OR REPLACE INTO sync_mark (one, boot_id) VALUES (1, 'another boot')", stage=False)
            self.sim.settings(latency_ms=40, aql_page_max=50)
            self.sim.delete("/sim/calls")
            process = self.begin()
            self.assertTrue(self.await_calls(when))
            self.end(process, signal.SIGKILL)
            self.count_refused()
            self.sim.settings(latency_ms=0, aql_page_max=500)
            self.run_now()
            before = self.refused
            self.count_refused()
            self.equal()
            self.assertEqual(self.refused, before, "creations of what is there")

    def test_a_preview_that_was_killed_makes_no_run(self):
        self.churn()
        self.rows("INSERT INTO sync_runs (kind, cause, started_ms, ended_ms, updated_ms, phase, done, total, counts, calls, throttled_ms)"
                  " VALUES ('preview', 'hand: x', ?, 0, 0, 'planning', 0, -1, '{}', '{}', 0)", int(time.time() * 1000), stage=False)
        before = self.totals()
        self.service.write_config(sync={"every": "10d", **self.guard})
        self.service.start()
        due = self.rows("SELECT due_ms FROM timers WHERE kind = 'sync'", stage=False)
        self.assertGreater(due[0][0], time.time() * 1000 + DAY_MS)
        self.service.stop()
        self.assertEqual(self.totals()["assets_updates"], before["assets_updates"])

    def test_two_at_once(self):
        self.sim.settings(latency_ms=60)
        self.churn()
        both = [self.begin("--full") for _ in range(2)]
        ends = sorted(self.end(p) for p in both)
        self.assertEqual([code for code, _ in ends], [0, 1], ends)
        self.assertRegex(ends[1][1], "under way|nother process|one at a time")
        self.sim.settings(latency_ms=0)
        self.equal()

    def test_the_disk_is_full_for_the_staging_file(self):
        self.sim.settings(latency_ms=2, page_most=50, delta_page_size=10)
        failed = 0
        for limit in (300000, 700000, 1200000):
            for harm in (True, False):
                if harm:
                    (self.service.folder / "bridge.db.sync").unlink()
                self.churn(users=200, memberships=100)
                before = self.totals()
                process = self.begin("--json", preexec_fn=lambda most=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY)))
                code, text = self.end(process)
                failed += code
                with self.subTest(limit=limit, anew=harm):
                    self.assertIn(code, (0, 1), text)
                    if code == 1:
                        self.assertRegex(text, "disk|full|space")
                        self.assertNotIn("SIGXFSZ", text)
                    self.assertEqual(self.totals()["assets_deletes"], before["assets_deletes"])
                    self.nobody_is_taken_for_gone()
                self.doubts_are_old()
                self.assertEqual(self.run_now()["outcome"], "succeeded")
                self.equal()
        self.assertGreater(failed, 1)


class Resumed(KillCase):
    def test_what_changed_since_the_kill_is_read_as_well(self):
        """The end of what was begun tells the directory as it was then."""
        for how, path, count in (("--full", "/users?", 4), ("--full", "/groups/delta", 3), ("--json", "/users/delta", 2), ("--json", "/groups/delta", 2)):
            self.churn(users=60, memberships=60)
            self.sim.settings(page_most=20, delta_page_size=4, latency_ms=15)
            self.sim.delete("/sim/calls")
            process = self.begin(how)
            self.assertTrue(self.await_calls(path, count))
            self.end(process, signal.SIGKILL)
            self.churn(users=60, memberships=60, joiners=10, leavers=3)
            self.sim.settings(latency_ms=0)
            self.assertEqual(self.run_now()["outcome"], "succeeded")
            with self.subTest(how=how, killed=path):
                self.equal()

    def graph_pages(self):
        return [c["path"] for c in self.sim.get("/sim/calls?cloud=graph")["calls"] if c["status"] == 200 and "$batch" not in c["path"]]

    def test_pages_are_read_once(self):
        self.sim.settings(page_most=20, delta_page_size=4, latency_ms=15)
        for path, count in (("/users?", 6), ("/groups/delta", 5)):
            self.sim.delete("/sim/calls")
            process = self.begin("--full")
            self.assertTrue(self.await_calls(path, count))
            self.end(process, signal.SIGKILL)
            first = self.graph_pages()
            self.sim.delete("/sim/calls")
            process = self.begin()
            self.assertTrue(self.await_calls("/object/aql"))
            self.end(process, signal.SIGKILL)
            second = self.graph_pages()
            twice = [p for p in second if p in first]
            self.assertLessEqual(len(twice), 2, (path, twice))
            self.assertGreater(len(first) + len(second), 25)
        self.sim.delete("/sim/calls")
        process = self.begin()
        self.assertTrue(self.await_calls("/object/create", 40, "POST"))
        self.end(process, signal.SIGKILL)
        self.doubts_are_old()
        self.sim.delete("/sim/calls")
        self.run_now()
        self.assertLessEqual(len(self.graph_pages()), 3, "killed in the writing: what was read counts")
        self.equal()
        self.count_refused()
        self.all_is_well()


class Throttled(KillCase):
    def tearDown(self):
        self.sim.settings(limits="off", quota_units=0, latency_ms=0)
        super().tearDown()

    def test_a_within_the_limits_and_commands_go_first(self):
        self.sim.settings(limits="real", assets_post_per_s=25, assets_put_per_s=15, assets_get_per_s=25, quota_units=40, latency_ms=5, page_most=50, delta_page_size=10)
        token = self.service.token()
        self.service.start()
        self.sim.delete("/sim/calls")
        self.cli("run", "--background")
        for n, (phase, count) in enumerate((("/users?", 1), ("/groups/delta", 3), ("/object/create", 1), ("/object/create", 60))):
            self.assertTrue(self.await_calls(phase, count, None, 60), phase)
            status, _, a = self.service.post("group.add_member", {"issue": "ITSM-%d" % (70 + n), "user": USERS["ada"], "group": "VPN Users"}, token)
            if status == 202:
                a = self.service.await_ended(a["operation"])
            self.assertEqual(a["outcome"], "succeeded", a)
        self.assertEqual(self.rows("SELECT count(*) FROM sync_runs WHERE ended_ms = 0", stage=False), [(1,)], "they were answered while it runs")
        eventually(lambda: self.rows("SELECT count(*) FROM sync_runs WHERE ended_ms = 0", stage=False) == [(0,)], 150, self.service.log_text)
        self.assertEqual(self.rows("SELECT outcome FROM sync_runs ORDER BY number DESC LIMIT 1", stage=False), [("succeeded",)], self.service.log_text())
        calls = collections.Counter((c["cloud"], c["status"] == 429) for c in self.sim.get("/sim/calls")["calls"])
        print("calls by cloud, throttled: %s" % dict(calls), flush=True)
        for cloud in ("graph", "assets"):
            self.assertLessEqual(calls[cloud, True], 10 + calls[cloud, False] // 20, calls)
        self.equal()
        self.service.stop()

    def test_b_longer_than_a_call_waits(self):
        """Pages of the one, and parts of batches of the other, which asks for people by the mails of accounts."""
        other = make_sim(60, 4)
        asker = service(other, mode="accounts_first", groups={"include": "none"}, users={"guests": True})
        asker.cli("sync", "init")
        self.sim.fault({"cloud": "graph", "regex": "/v1.0/(users|groups)"}, times=-1, status=429, retry_after="7")
        other.fault({"cloud": "graph", "in_batch": True}, times=-1, status=429, retry_after="7")
        healed = threading.Timer(90, lambda: (self.sim.delete("/sim/faults"), other.delete("/sim/faults")))
        asking = subprocess.Popen([BINARY, "sync", "run", "--json", "--config", str(asker.config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        healed.start()
        try:
            self.assertEqual(self.run_now("--full")["outcome"], "succeeded")
            self.assertEqual(self.end(asking)[0], 0, asker.config)
        finally:
            healed.join()
            asker.close()
            other.close()
        self.equal()


if __name__ == "__main__":
    unittest.main()
