"""Runs of the synchronization that are killed, stopped or edited: what the tests of that share."""
import os
import random
import signal
import sqlite3
import subprocess
import time

from harness import BINARY, SLOW
from sync_world import Expected, SyncCase, assets

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("KILL_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
DAY_MS = 86400000


class KillCase(SyncCase):
    users, groups = 400, 40
    guard = {"guard": {"percent": 100, "number": 100000}}       # that churn adds up until a run comes to its end is the test's doing

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.secret("import-token", "sim-import-token")
        cls.service.cli("sync", "init")
        cls.rng = random.Random("%d %s" % (SEED, cls.__name__))
        cls.refused = 0

    def tearDown(self):
        if self.service.process is not None and self.service.process.poll() is None:
            self.service.kill()
        self.sim.settings(latency_ms=0, page_most=0, delta_page_size=200)
        super().tearDown()

    def setUp(self):
        print("%s: seed %d" % (self.id(), SEED), flush=True)
        self.service.write_config(sync={"every": "never", **self.guard, **self.sync})

    # ---- a run in the command line ----

    def begin(self, *args, **how):
        return subprocess.Popen([BINARY, "sync", "run", *args, "--config", str(self.service.config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)

    def end(self, process, signal_number=None):
        if signal_number is not None:
            process.send_signal(signal_number)
        text = process.communicate(timeout=120 * SLOW)[0]
        return process.returncode, text

    def await_calls(self, path, count=1, method=None, seconds=20):
        what = {"path": path, "count": count, **({"method": method} if method else {})}
        return self.sim.post("/sim/wait", {"calls": what, "timeout_ms": int(seconds * 1000 * SLOW)})["satisfied"]

    # ---- the rows of the two files, as time would have changed them ----

    def rows(self, sql, *values, stage=True):
        db = sqlite3.connect(str(self.service.folder / ("bridge.db.sync" if stage else "bridge.db")), timeout=20)
        try:
            found = db.execute(sql, values).fetchall()
            db.commit()
        finally:
            db.close()
        return found

    def doubts_are_old(self):
        """How many creations are in doubt, from now on for a day already."""
        if not (self.service.folder / "bridge.db.sync").exists():
            return 0
        try:
            self.rows("UPDATE target SET sent_ms = sent_ms - ? WHERE doubt <> 0", DAY_MS)
            return self.rows("SELECT count(*) FROM target WHERE doubt <> 0")[0][0]
        except sqlite3.OperationalError:            # killed before it had tables
            return 0

    # ---- what must hold at any time, and in the end ----

    def nobody_is_taken_for_gone(self, expected=None):
        expected = expected or Expected(self.sim)
        found, doubles = assets(self.sim)
        wrong = [i for kind, wanted in (("Employee", expected.user), ("Group", expected.group)) for i, o in found[kind].items()
                 if i in wanted and o["attributes"].get("Status") != "Active"]
        self.assertEqual((wrong, doubles), ([], []))

    def count_refused(self):
        """Creations that Assets refused, as it does where somebody has the id: each would have been a second object."""
        type(self).refused += sum(1 for c in self.sim.get("/sim/calls?path=/object/create&cloud=assets")["calls"] if c["status"] == 400)
        self.sim.delete("/sim/calls")

    def all_is_well(self, refused=0):
        self.equal()
        self.nobody_is_taken_for_gone()
        found, _ = assets(self.sim)
        self.assertEqual(self.totals()["assets_creates"], sum(map(len, found.values())), "objects made, and standing there: none is deleted by these runs")
        self.assertEqual(self.totals()["assets_deletes"], 0)
        self.count_refused()
        self.assertLessEqual(self.refused, refused)
        rows = self.rows("SELECT number, outcome, ended_ms, phase FROM sync_runs WHERE kind IN ('full', 'delta')", stage=False)
        self.assertEqual([r for r in rows if r[1] not in ("succeeded", "interrupted", "stopped") or r[2] <= 0], [])
        return rows

    def churn(self, **more):
        r = self.rng
        self.sim.post("/sim/churn", {"users": r.randrange(30), "groups": r.randrange(3), "memberships": r.randrange(20), "managers": r.randrange(4), "joiners": r.randrange(12),
                                     "leavers": r.randrange(3), "groupsDeleted": int(r.random() < 0.1), "seed": r.randrange(1, 1 << 30), **more})


    MOMENTS = (("/users", None), ("/groups/delta", None), ("/users/search", None), ("/object/aql", None), ("/object/create", "POST"), ("/object/", "PUT"))

    def random_moment(self, signal_number=signal.SIGKILL):
        """At any time, or soon after a call of a kind that is drawn, so that also short phases are met."""
        self.sim.delete("/sim/calls")
        process = self.begin(*(("--full",) if self.rng.random() < 0.15 else ()))
        if self.rng.random() < 0.7:
            path, method = self.rng.choice(self.MOMENTS)
            self.await_calls(path, self.rng.choice((1, 1, 2, 4, 12, 40)), method, 0.7 / SLOW)
            time.sleep(self.rng.random() * 0.03)
        else:
            time.sleep(self.rng.choice((0.05, 0.3, 0.8)) * self.rng.random() + 0.01)        # the moment is the test's subject
        return self.end(process, signal_number)
