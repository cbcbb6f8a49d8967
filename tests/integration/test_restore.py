"""A backup of a live database, put back after more was done: serve refuses, `recover --after-restore` settles, and nothing is done twice."""
import json
import shutil
import sqlite3
import subprocess
import time
import unittest

from harness import BINARY, GROUPS, SLOW, Service, Sim
from raw_client import eventually


class Restore(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.service = Service(self.sim, response_deadline="1s")
        self.token, self.other = self.service.token(), self.service.token("other")
        self.service.start()

    def tearDown(self):
        try:
            self.service.close()
        finally:
            self.sim.close()

    # ---- what an operator does ----

    def path(self, name):
        return self.service.folder / name

    def backup(self):
        source, target = sqlite3.connect(self.path("bridge.db")), sqlite3.connect(self.path("backup.db"))
        source.backup(target)
        source.close()
        target.close()

    def put_back(self, name="backup.db"):
        for end in ("", "-wal", "-shm"):
            self.path("bridge.db" + end).unlink(missing_ok=True)
        shutil.copy(self.path(name), self.path("bridge.db"))

    def serve_refused(self):
        r = subprocess.run([BINARY, "serve", "--config", str(self.service.config)], capture_output=True, text=True, timeout=60 * SLOW, check=False)
        self.assertEqual(r.returncode, 1, r.stderr)
        return r.stderr

    def recover(self):
        return json.loads(self.service.cli("recover", "--after-restore", "--yes", "--json").stdout)

    def query(self, sql, *args):
        db = sqlite3.connect(self.path("bridge.db"))
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def add(self, issue, user, token=None, **more):
        return self.service.post("group.add_member", {"issue": issue, "user": user, "group": "VPN Users", **more}, token)

    # ---- the cases ----

    def test_a_composite_is_told_once(self):
        """Its open steps are settled with it, and post no comments of their own."""
        person = self.sim.post("/sim/users", {"userPrincipalName": "leaver@contoso.com", "displayName": "Leaver", "accountEnabled": True, "userType": "Member"})["users"][0]["id"]
        self.sim.post("/sim/groups", [{"id": g, "members": self.sim.members(n) + [person]} for n, g in GROUPS.items() if n in ("VPN Users", "CRM")])
        self.sim.fault({"method": "DELETE", "path": "/members/"}, times=-1, status=429, retry_after=60)
        status, _, a = self.service.post("group.remove_member", {"issue": "ITSM-80", "users": [person], "groups": ["VPN Users", "CRM"]})
        self.assertEqual(status, 202, a)
        eventually(lambda: len(self.query("SELECT 1 FROM writes")) == 2, 20)
        self.backup()
        self.assertEqual(self.service.post("user.disable", {"issue": "ITSM-81", "user": "lee@contoso.com"})[0], 200)
        self.service.kill()
        self.put_back()
        self.sim.delete("/sim/faults")
        self.assertEqual(len(self.recover()["operations"]), 3)
        self.service.start()
        eventually(lambda: not self.query("SELECT 1 FROM outbox WHERE state = 'ready'"), 20, self.service.log_text)
        self.assertEqual([c["operation"] for c in self.sim.comments("ITSM-80")], [a["operation"]])
        self.assertEqual(self.query("SELECT count(*) FROM open_operations"), [(0,)])

    def history(self):
        """Ended; open while the backup is made, and done after it; done after it and not in it at all. Tokens made and revoked since."""
        self.assertEqual(self.add("ITSM-70", "ada@contoso.com")[0], 200)
        self.sim.wait_comments("ITSM-70", 1)
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, times=1, status=429, retry_after=2)
        status, _, opened = self.add("ITSM-71", "alan@contoso.com", expiresIn="8h")
        self.assertEqual(status, 202, opened)
        self.backup()
        self.assertEqual(self.service.await_ended(opened["operation"])["outcome"], "succeeded")
        self.sim.wait_comments("ITSM-71", 1)
        self.assertEqual(self.service.post("user.disable", {"issue": "ITSM-72", "user": "lee@contoso.com"})[0], 200)
        self.sim.wait_comments("ITSM-72", 1)
        younger = self.service.token("younger")
        self.service.cli("token", "revoke", "other")
        return opened["operation"], younger

    def test_nothing_is_done_twice(self):
        opened, younger = self.history()
        audited = self.query("SELECT max(number) FROM audit")[0][0]
        self.service.kill()
        self.put_back()
        self.assertIn("recover --after-restore", self.serve_refused())
        writes = len(self.sim.writes())

        # beside it, one may look and not change
        self.assertIn(opened, self.service.cli("operations", "list").stdout)
        self.assertIn("recover --after-restore", self.service.cli("token", "create", "--name", "x", "--operations", "*", "--projects", "*", check=False).stderr)
        behind = self.service.cli("audit", "verify", check=False)
        self.assertEqual(behind.returncode, 1)
        self.assertIn("older copy", behind.stderr)
        r = self.service.cli("recover", "--after-restore", check=False)
        self.assertEqual(r.returncode, 2, r.stderr)
        self.assertIn("recover --after-restore", self.serve_refused())

        done = self.recover()
        self.assertEqual([(o["operation"], o["commented"]) for o in done["operations"]], [(opened, True)], done)
        self.assertEqual([t["name"] if "name" in t else t["id"] for t in done["revoked"]], [self.token_id("other")], done)
        self.assertEqual(len(done["younger"]), 1, done)
        self.assertEqual(done["lostAuditRows"], audited - done["backup"]["auditRows"], done)
        self.service.start()

        # a late repeat gets the outcome, and nothing is sent
        again = self.add("ITSM-71", "alan@contoso.com", expiresIn="8h")[2]
        self.assertEqual((again["outcome"], again["operation"], again["replayed"]), ("unknown", opened, True), again)
        self.assertEqual(len(self.sim.writes()), writes)
        for refused in (self.other, younger):
            self.assertEqual(self.service.get("/v1/operations?issue=ITSM-71", refused)[0], 401)
        self.assertEqual(self.service.get("/v1/operations?issue=ITSM-71")[0], 200)

        # its own comment says how it ended, so that there is no second one; and the membership ends all the same
        self.await_outbox()
        self.assertEqual(len(self.sim.comments("ITSM-71")), 1)
        self.assertIn(opened, self.service.cli("operations", "list", "--expiring").stdout)
        said = self.service.cli("audit", "verify").stdout
        self.assertIn("restored from a backup 1 time", said)
        self.assertIn("at least %d rows" % done["lostAuditRows"], said)

    def await_outbox(self):
        eventually(lambda: not self.query("SELECT 1 FROM outbox WHERE state = 'ready'"), 20, self.service.log_text)

    def token_id(self, name):
        return self.query("SELECT id FROM tokens WHERE name = ?", name)[0][0]

    def test_open_and_never_done(self):
        """The write never left: the issue is told that nobody knows, once; nothing is sent by itself."""
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, times=-1, status=429, retry_after=60)
        status, _, opened = self.add("ITSM-73", "alan@contoso.com")
        self.assertEqual(status, 202)
        self.backup()
        self.assertEqual(self.service.post("user.disable", {"issue": "ITSM-74", "user": "lee@contoso.com"})[0], 200)
        self.service.kill()
        self.put_back()
        self.sim.delete("/sim/faults")
        writes = len(self.sim.writes())
        self.recover()
        self.service.start()
        self.assertTrue(self.sim.wait_comments("ITSM-73", 1))
        self.assertIn("restored from a backup", json.dumps(self.sim.comments("ITSM-73")))
        self.assertEqual(self.service.get("/v1/operations/" + opened["operation"])[2]["outcome"], "unknown")
        self.assertEqual(len(self.sim.writes()), writes)
        self.service.cli("audit", "verify")
        self.assertIn("Nothing was open in it.", self.quiet_recovery())

    def quiet_recovery(self):
        self.service.stop()
        return self.service.cli("recover", "--after-restore", "--yes").stdout

    def test_scheduled_ones(self):
        """The one whose date came after the backup has been done; the one whose date is to come stays, and is done once."""
        def at(seconds):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

        soon = self.add("ITSM-77", "ada@contoso.com", at=at(3))[2]
        later = self.add("ITSM-78", "zoe@contoso.com", at=at(12))[2]
        self.assertEqual([o["outcome"] for o in (soon, later)], ["scheduled"] * 2, (soon, later))
        self.backup()
        eventually(lambda: self.service.get("/v1/operations/" + soon["operation"])[2]["outcome"] == "succeeded", 20, self.service.log_text)
        self.service.kill()
        self.put_back()
        writes = len(self.sim.writes())
        done = self.recover()
        self.assertEqual([(o["operation"], o["waiting"]) for o in done["operations"]], [(soon["operation"], True)], done)
        self.assertEqual([o["operation"] for o in done["scheduled"]], [later["operation"]], done)
        self.service.start()
        eventually(lambda: self.service.get("/v1/operations/" + later["operation"])[2]["outcome"] == "succeeded", 30, self.service.log_text)
        self.assertEqual(self.service.get("/v1/operations/" + soon["operation"])[2]["outcome"], "unknown")
        self.assertEqual(len(self.sim.writes()), writes + 1)

    def test_a_running_service_is_not_disturbed(self):
        r = self.service.cli("recover", "--after-restore", "--yes", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("process %d" % self.service.process.pid, r.stderr)

    def test_the_backup_stays_old_after_the_recovery(self):
        """Put back once more, and also one that had come further than the database has now."""
        self.backup()
        self.add("ITSM-75", "ada@contoso.com")
        self.service.stop()
        shutil.copy(self.path("bridge.db"), self.path("latest.db"))
        self.put_back()
        self.recover()
        for name in ("backup.db", "latest.db"):
            self.put_back(name)
            self.assertIn("not the one that this installation has worked on last", self.serve_refused())
            self.recover()
            self.service.start()
            self.service.stop()

    def test_without_its_file(self):
        self.service.stop()
        file = self.path("keys/position")
        whole = file.read_bytes()
        for content, word in ((None, "is not in the directory"), (b"x" * len(whole), "is spoilt"), (b"", "is spoilt")):
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)
            self.assertIn(word, self.serve_refused())
        self.recover()
        self.service.start()
        self.add("ITSM-76", "ada@contoso.com")
        self.service.stop()
        torn = bytearray(file.read_bytes())         # one of two entries that take turns
        torn[40] ^= 1
        file.write_bytes(torn)
        self.service.start()
        self.assertIn("torn or spoilt", self.service.log_text())

    def test_killed_in_the_middle(self):
        """At each of many instants: either nothing of it is done, or all; and the same command finishes it."""
        self.history()
        self.service.kill()
        self.put_back()
        for i in range(12):
            p = subprocess.Popen([BINARY, "recover", "--after-restore", "--yes", "--config", str(self.service.config)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            try:
                p.wait(timeout=(i + 1) * 0.003 * SLOW)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            open_left = self.query("SELECT count(*) FROM open_operations")[0][0]
            rows = self.query("SELECT count(*) FROM audit WHERE event = 'store.recover'")[0][0]
            self.assertEqual(open_left == 0, rows > 0)
            if rows == 0:
                self.serve_refused()
        self.recover()
        self.service.start()
        self.service.cli("audit", "verify")


if __name__ == "__main__":
    unittest.main()
