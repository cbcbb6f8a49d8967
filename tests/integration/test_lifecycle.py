"""Start, reload, stop, a full disk, clouds that are away: what an operator meets."""
import json
import os
import resource
import signal
import subprocess
import threading
import time
import unittest

from harness import BINARY, GROUPS, POLICY, SLOW, USERS, Service, Sim, call


class Lifecycle(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.service = Service(self.sim)
        self.addCleanup(self.sim.close)
        self.addCleanup(self.service.close)

    def add(self, issue, user="ada@contoso.com", group="VPN Users", **more):
        return self.service.post("group.add_member", {"issue": issue, "user": user, "group": group, **more}, timeout=20)

    def eventually(self, holds, what, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while not holds():
            self.assertLess(time.monotonic(), end, what + "\n" + self.service.log_text())
            time.sleep(0.05)

    def test_operations_wait_until_names_are_known(self):
        self.service.token()
        self.sim.fault({"cloud": "graph"}, times=-1, status=503)
        self.service.start(ready=False)
        self.assertEqual(call(self.service.port, "GET", "/healthz")[0], 200)
        status, headers, a = self.add("ITSM-70")
        self.assertEqual((status, a["code"]), (503, "starting"), a)
        self.assertIn("Retry-After", headers)
        self.assertEqual(call(self.service.port, "GET", "/readyz")[0], 503)
        self.sim.delete("/sim/faults")
        self.service.await_path("/readyz", seconds=40)
        self.assertEqual(self.add("ITSM-70")[0], 200)

    def test_a_second_serve_is_refused(self):
        self.service.start()
        r = subprocess.run([BINARY, "serve", "--config", str(self.service.config)], capture_output=True, text=True, timeout=20 * SLOW, check=False)
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertIn("bridge.db", r.stderr)
        self.assertEqual(self.add("ITSM-71")[0], 200)

    def test_faults_of_the_configuration_stop_the_start_all_at_once(self):
        self.service.write_config(colour="red", listen={"address": "0.0.0.0:80"}, log={"level": "loud"})
        r = subprocess.run([BINARY, "serve", "--config", str(self.service.config)], capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(r.returncode, 1)
        for key in ("colour", "listen", "log.level"):
            self.assertIn(key, r.stderr)

    def test_keys_that_are_not_enforced_stop_the_start(self):
        policy = json.loads(json.dumps(POLICY))
        policy["serviceable_groups"][0]["limits"] = {"per_day": 5}
        self.service.policy = policy
        self.service.write_config()
        r = subprocess.run([BINARY, "config", "validate", "--config", str(self.service.config)], capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("limits", r.stdout + r.stderr)

    def test_reload_takes_the_new_policy_or_keeps_the_old(self):
        self.service.start()
        self.assertEqual(self.add("ITSM-72", group="CRM")[0], 200)
        self.service.policy = {**POLICY, "serviceable_groups": [{"group": "VPN Users", "projects": "*"}]}
        self.service.write_config()
        self.service.process.send_signal(signal.SIGHUP)
        self.eventually(lambda: self.add("ITSM-73", group="CRM", dryRun=True)[2].get("code") == "group_not_serviceable", "the new policy")
        self.service.config.write_text("policy: [")
        self.service.process.send_signal(signal.SIGHUP)
        self.eventually(lambda: "old one stays" in self.service.log_text(), "a fault is told")
        self.assertEqual(self.add("ITSM-74")[0], 200)

    def test_stop_drains(self):
        self.service.start()
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, delay_after_ms=1000)
        got = []
        t = threading.Thread(target=lambda: got.append(self.add("ITSM-75")))
        t.start()
        self.sim.post("/sim/wait", {"member": {"group": GROUPS["VPN Users"], "user": USERS["ada"], "present": True}, "timeout_ms": 10000})
        self.service.process.send_signal(signal.SIGTERM)
        t.join()
        self.assertEqual((got[0][0], got[0][2]["outcome"]), (200, "succeeded"), got)
        self.assertEqual(self.service.process.wait(20 * SLOW), 0)

    def test_a_pinned_name_keeps_its_group(self):
        """Any employee may be able to make a second "CRM": requests go on meaning the first."""
        self.service.start()
        self.service.stop()
        other = self.sim.post("/sim/groups", {"displayName": "CRM"})["groups"][0]["id"]
        self.service.start()
        status, _, a = self.add("ITSM-76", group="CRM")
        self.assertEqual((status, a["groupId"]), (200, GROUPS["CRM"]), a)
        self.assertEqual(self.add("ITSM-77", group=other)[2]["code"], "group_not_serviceable")

    def test_a_full_disk_refuses_and_forgets_nothing(self):
        """The largest file size is the disk here: the database cannot grow, then it can."""
        self.service.start()
        self.assertEqual(self.add("ITSM-78")[0], 200)
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, delay_after_ms=1500)
        got = []
        t = threading.Thread(target=lambda: got.append(self.add("ITSM-79", user="alan@contoso.com")))
        t.start()
        self.sim.post("/sim/wait", {"member": {"group": GROUPS["VPN Users"], "user": USERS["alan"], "present": True}, "timeout_ms": 10000})
        resource.prlimit(self.service.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        status, headers, a = self.add("ITSM-80", user="nora@contoso.com")
        self.assertEqual((status, a["code"]), (503, "overloaded"), a)
        self.assertIn("Retry-After", headers)
        t.join()
        self.assertEqual(got[0][0], 202, "what was written in Entra is not answered as done before the disk knows it: %s" % got)
        resource.prlimit(self.service.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertEqual(self.service.await_ended(got[0][2]["operation"])["outcome"], "succeeded")
        self.assertTrue(self.sim.wait_comments("ITSM-79", 1, 30000))
        self.eventually(lambda: self.add("ITSM-80", user="nora@contoso.com")[0] == 200, "it goes on")
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["adds"], 3)
        self.service.cli("audit", "verify")

    def test_clouds_away_and_a_restart_in_between(self):
        self.service.start()
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, drop_after=True)
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, times=-1, after=0, status=503)
        self.sim.fault({"method": "POST", "path": "/comment"}, times=-1, status=503)
        status, _, a = self.add("ITSM-81")
        self.assertEqual((status, a["outcome"]), (202, "accepted"), a)
        self.service.kill()
        self.sim.delete("/sim/faults")
        self.sim.fault({"method": "POST", "path": "/comment"}, times=2, status=503)
        self.service.start()
        end = self.service.await_ended(a["operation"])
        self.assertEqual((end["outcome"], end["changed"]), ("succeeded", True), end)
        self.assertTrue(self.sim.wait_comments("ITSM-81", 1, 60000))
        self.assertEqual(self.sim.get("/sim/counters")["memberships"][GROUPS["VPN Users"]][USERS["ada"]]["adds"], 1)
        self.assertEqual(len(self.sim.comments("ITSM-81")), 1)

    def test_each_policy_that_came_into_force_is_an_audit_row(self):
        self.service.start()
        self.service.stop()
        self.service.start()
        self.service.policy = {**POLICY, "serviceable_groups": []}
        self.service.write_config()
        self.service.process.send_signal(signal.SIGHUP)
        rows = lambda: [json.loads(line) for line in self.service.cli("audit", "export").stdout.splitlines() if '"event":"policy"' in line]
        self.eventually(lambda: len(rows()) >= 2, "the reload is a row")
        self.service.stop()
        self.assertEqual([r["data"]["serviceableGroups"] for r in rows()], [len(POLICY["serviceable_groups"]), 0])
        self.assertTrue(rows()[0]["data"]["configuration"].startswith(rows()[1]["data"]["previous"]))

    def test_audit_verify_notices_a_changed_row(self):
        import sqlite3
        self.service.start()
        self.add("ITSM-82")
        self.service.stop()
        db = sqlite3.connect(self.service.folder / "bridge.db")
        db.execute("UPDATE audit SET data = replace(data, 'succeeded', 'refused') WHERE event = 'operation'")
        db.commit()
        db.close()
        self.assertEqual(self.service.cli("audit", "verify", check=False).returncode, 1)

    def test_check_says_what_is_wrong(self):
        self.service.start()
        r = self.service.cli("check", check=False)
        self.assertIn("Twins", r.stdout)
        self.assertEqual(r.returncode, 1, r.stdout)

    def test_alive_soon_and_json_logs(self):
        self.service.write_config(log={"format": "json"})
        self.service.start()
        self.add("ITSM-83")
        lines = [json.loads(line) for line in self.service.log_text().splitlines()[1:]]
        self.assertTrue(any(line.get("operation") for line in lines), lines)


if __name__ == "__main__":
    unittest.main()
