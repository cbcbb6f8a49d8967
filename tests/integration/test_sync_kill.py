"""kill -9 of a synchronization at any instant: afterwards Assets is as the directory is, nothing stands twice, nobody was taken for gone.

The process is killed at random moments, more often with a larger KILLS, in the command line and in a service, with the directory changing in between, with clouds slow enough
that the kills fall into every phase. A creation in doubt is waited for before it is looked for; the rows are edited between two runs, as that time would have done it.
"""
import collections
import signal
import time
import unittest

from harness import SLOW, eventually
from sync_killing import KILLS, KillCase
from sync_world import Expected, differences


class CommandLine(KillCase):
    def test_killed_at_any_instant(self):
        kills = max(10, KILLS // 3)
        self.sim.settings(latency_ms=12 if SLOW == 1 else 40, page_most=50, delta_page_size=10)
        killed = doubts = 0
        for n in range(kills):
            lag_ms = self.rng.choice((0, 150))                  # of the index behind AQL
            self.sim.settings(assets_eventual_ms=lag_ms)
            killed += self.random_moment()[0] == -signal.SIGKILL
            time.sleep(lag_ms / 1000 * SLOW)                    # what doubts_are_old() says has gone by
            self.count_refused()
            if n % 4 == 0:
                self.nobody_is_taken_for_gone()
            if n % 3:
                self.churn()
            doubts += self.doubts_are_old()
        self.sim.settings(latency_ms=0, assets_eventual_ms=0)
        self.assertEqual(self.run_now()["outcome"], "succeeded")
        rows = self.all_is_well()
        print("%d killed of %d; %d rows; %d creations in doubt; killed in %s" % (killed, kills, len(rows), doubts, dict(collections.Counter(r[3] for r in rows if r[1] == "interrupted"))), flush=True)
        before = self.totals()
        self.assertEqual(self.run_now("--full")["counts"]["updates"], 0)
        self.assertEqual([self.totals()[n] - before[n] for n in ("assets_creates", "assets_updates")], [0, 0])


class Served(KillCase):
    """By an order, and by the schedule: a run that was cut off is gone on with after the start."""

    def test_killed_and_started_again(self):
        self.service.write_config(sync={"every": "1h", **self.guard})
        self.sim.settings(latency_ms=5, page_most=50, delta_page_size=10)
        for n in range(max(5, KILLS // 20)):
            self.service.start()
            if n % 2:
                self.cli("run", "--background")
            time.sleep(self.rng.random() * 1.5 * SLOW)      # the moment is the test's subject
            self.service.kill()
            self.count_refused()
            self.nobody_is_taken_for_gone()
            self.churn()
            self.doubts_are_old()
        self.churn(joiners=40, users=60)
        self.service.start()
        self.sim.delete("/sim/calls")
        self.cli("run", "--background")
        self.assertTrue(self.await_calls("/object/create", 5, "POST"))
        self.service.kill()
        self.count_refused()
        self.doubts_are_old()
        self.service.start()                                # nobody asks for anything: it goes on by itself
        eventually(lambda: differences(self.sim, Expected(self.sim)) == [], 60, self.service.log_text)
        eventually(lambda: self.rows("SELECT count(*) FROM sync_runs WHERE ended_ms = 0", stage=False) == [(0,)], 20)
        self.service.kill()                                 # between two runs
        self.service.start()
        before = self.totals()
        self.assertEqual(self.run_now()["outcome"], "succeeded")
        self.assertEqual(self.totals()["assets_updates"], before["assets_updates"])
        self.all_is_well()
        self.service.stop()


class MassLoad(KillCase):
    assets, sync = {"import_token": {"file": "import-token"}}, {"load": "always"}

    def test_a_killed_in_a_load(self):
        self.sim.post("/sim/assets/importsource", {"schemaKey": "ENTRA"})
        self.sim.settings(latency_ms=5, import_ms_per_object=1)
        for n in range(max(6, KILLS // 10)):
            self.sim.delete("/sim/calls")
            process = self.begin()
            self.await_calls("/data" if self.rng.random() < 0.5 else "/object/aql", self.rng.randrange(1, 4), None, 2)
            time.sleep(self.rng.random() * 0.4 * SLOW)      # the moment is the test's subject
            self.end(process, signal.SIGKILL)
            self.churn(joiners=self.rng.randrange(1, 40))
            self.doubts_are_old()
        self.sim.delete("/sim/calls")
        self.assertEqual(self.run_now()["outcome"], "succeeded")
        self.assertGreater(len(self.sim.get("/sim/calls?path=/data&method=POST")["calls"]), 0, "it was loaded, not written one by one")
        self.all_is_well()

    def test_b_an_import_of_which_nobody_knows_any_more(self):
        """Killed after it was begun and before its links were kept: it holds the source for good, and objects are written one by one."""
        self.sim.settings(latency_ms=0, import_ms_per_object=0)
        self.churn(joiners=8)
        self.sim.fault({"cloud": "assets", "path": "/executions", "method": "POST"}, delay_after_ms=20000)
        self.sim.delete("/sim/calls")
        process = self.begin()
        self.assertTrue(self.await_calls("/executions", 1, "POST"))
        self.end(process, signal.SIGKILL)
        self.sim.delete("/sim/faults")
        for _ in range(2):
            self.assertEqual(self.run_now()["outcome"], "succeeded")
            self.equal()
            self.assertGreater(len(self.sim.get("/sim/calls?path=/object/create&method=POST")["calls"]), 0)
            self.churn(joiners=8)


class Stopped(KillCase):
    def test_a_stop_in_the_middle_and_the_next_goes_on(self):
        self.sim.settings(latency_ms=10, page_most=50, delta_page_size=10)
        for path, count, method in (("/users", 3, None), ("/groups/delta", 2, None), ("/object/create", 5, "POST"), ("/object/create", 150, "POST"), ("/object/", 5, "PUT")):
            self.sim.delete("/sim/calls")
            process = self.begin()
            self.await_calls(path, count, method, 5)
            code, text = self.end(process, signal.SIGTERM)
            if code != 0:                                   # it may have been quicker
                self.assertIn("the next", text)
                self.assertEqual(self.rows("SELECT outcome FROM sync_runs ORDER BY number DESC LIMIT 1", stage=False), [("stopped",)], text)
                self.assertEqual(self.rows("SELECT count(*) FROM target WHERE doubt <> 0"), [(0,)], "what was sent was waited for")
            self.count_refused()
            self.churn()
        self.sim.settings(latency_ms=0)
        self.assertEqual(self.run_now()["outcome"], "succeeded")
        self.all_is_well()

    def test_stopped_at_any_instant(self):
        """Also while creations are looked for that a kill has left in doubt. What is closed must not be used any more, which sanitizers see."""
        self.sim.settings(latency_ms=8, page_most=50, delta_page_size=10)
        for n in range(max(6, KILLS // 12)):
            if n % 2:
                self.churn(joiners=20)
                self.sim.delete("/sim/calls")
                process = self.begin()
                self.await_calls("/object/create", 2, "POST", 5)
                self.end(process, signal.SIGKILL)
                self.doubts_are_old()
            self.churn(users=30)
            code, text = self.random_moment(signal.SIGTERM)
            self.assertIn(code, (0, 1, -signal.SIGTERM), text)
            self.assertNotRegex(text, "Sanitizer|runtime error")
        self.doubts_are_old()
        self.sim.settings(latency_ms=0)
        self.assertEqual(self.run_now()["outcome"], "succeeded")
        self.all_is_well()

    def test_a_service_goes_on_with_what_was_stopped(self):
        self.sim.settings(latency_ms=10)
        self.service.write_config(sync={"every": "10d", **self.guard})
        self.service.start()
        self.run_now()
        self.churn(users=40, joiners=30)
        self.sim.delete("/sim/calls")
        self.cli("run", "--background")
        self.assertTrue(self.await_calls("/object/create", 3))
        self.service.stop()
        self.assertEqual(self.rows("SELECT outcome FROM sync_runs ORDER BY number DESC LIMIT 1", stage=False), [("stopped",)])
        self.doubts_are_old()
        self.service.start()
        eventually(lambda: differences(self.sim, Expected(self.sim)) == [], 60, self.service.log_text)
        self.service.stop()


if __name__ == "__main__":
    unittest.main()
