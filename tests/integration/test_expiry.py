"""Memberships that end by themselves. Ends are made due by editing their rows: a service sees that another process has changed its database."""
import calendar
import json
import os
import sqlite3
import threading
import time
import unittest
import urllib.parse

from harness import GROUPS, SLOW, USERS, Alone, call

VPN, CRM, CREW = "VPN Users", "CRM", "Project Phoenix"
POLICY = {
    "serviceable_groups": [{"group": VPN, "projects": "*"}, {"group": CRM, "projects": "*", "max_duration": "30d"}, {"group": CREW, "projects": "*"}],
    "protected": {"users": ["breakglass@contoso.com"], "groups": ["Tier 0 admins"], "directory_roles": True},
    "operations": {"group.add_member": {"projects": "*", "issue": "optional"}, "group.remove_member": {"projects": "*", "issue": "optional"}},
}
HOUR, DAY = 3600000, 24 * 3600000


def now():
    return int(time.time() * 1000)


def rfc(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + ".%03dZ" % (ms % 1000)


def ms_of(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


class Expiry(Alone):
    policy = POLICY

    def post(self, group=VPN, user="ada", kind="group.add_member", **body):
        body.setdefault("issue", self.issue())
        return self.service.post(kind, {"user": user + "@contoso.com", "group": group, **{k: v for k, v in body.items() if v is not None}})

    def add(self, group=VPN, user="ada", **body):
        status, _, a = self.post(group, user, **body)
        self.assertEqual((status, a["outcome"]), (200, "succeeded"), a)
        return a

    def is_member(self, group=VPN, user="ada"):
        return USERS[user] in str(self.sim.members(group))

    def rows(self):
        return self.execute("SELECT object, operation, stopped, ends_ms, warn_ms FROM memberships")

    def timers(self):
        return dict(self.execute("SELECT kind, due_ms FROM timers WHERE kind LIKE 'member_%'"))

    def make_due(self, ms=1000):
        """As if it had been given so long ago that it ended `ms` before now."""
        self.execute("UPDATE memberships SET ends_ms = ?", now() - ms)
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'member_end'", now() - ms)

    def until(self, what, seconds=20):
        """The database and the simulator's state call nobody: asked until it is so."""
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if what():
                return True
            time.sleep(0.03)
        return False

    def gone(self, group=VPN, user="ada"):
        self.assertTrue(self.until(lambda: not self.is_member(group, user) and self.rows() == []), (self.rows(), self.service.log_text()))
        self.assertEqual(self.timers(), {})

    def comments(self, issue, count):
        self.assertTrue(self.sim.wait_comments(issue, count), self.service.log_text())
        return [json.dumps(c, ensure_ascii=False) for c in self.sim.comments(issue)]

    def removes(self, group=VPN, user="ada"):
        return self.sim.get("/sim/counters")["memberships"].get(GROUPS[group], {}).get(USERS[user], {}).get("removes", 0)

    def expiring(self):
        return json.loads(self.service.cli("operations", "list", "--expiring", "--json").stdout)


class Asked(Expiry):
    def test_what_is_refused(self):
        for fields, field in (({"expiresIn": "8h", "expiresAt": rfc(now() + DAY)}, "expiresAt"), ({"expiresAt": rfc(now() - 1000)}, "expiresAt"),
                              ({"expiresAt": rfc(now() + 2000 * DAY)}, "expiresAt"), ({"expiresIn": "10s"}, "expiresIn"), ({"expiresIn": "soon"}, "expiresIn"),
                              ({"expiresIn": ""}, "expiresIn"), ({"expiresAt": "tomorrow"}, "expiresAt")):
            status, _, a = self.post(**fields)
            self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", field), a)
        status, _, a = self.post(kind="group.remove_member", expiresIn="8h")
        self.assertEqual((status, a["code"]), (400, "invalid_request"), a)
        self.assertEqual(self.sim.writes(), [])

    def test_armed_and_told(self):
        began = now()
        a = self.add(expiresIn="8h", issue="ITSM-70")
        ends = ms_of(a["expiresAt"])
        self.assertTrue(began + 8 * HOUR <= ends <= now() + 8 * HOUR, a)
        self.assertIn("until %s %s UTC." % (a["expiresAt"][:10], a["expiresAt"][11:16]), a["message"])
        self.assertIn(a["message"], self.comments("ITSM-70", 1)[0])
        self.assertEqual(self.rows()[0][:4], ("member:%s:%s" % (GROUPS[VPN], USERS["ada"]), a["operation"], None, ends))
        self.assertEqual(self.timers()["member_end"], ends)
        self.assertTrue(ends - 2 * HOUR < self.timers()["member_warn"] < ends - HOUR)
        shown = self.expiring()
        self.assertEqual([(r["userId"], r["groupId"], r["expiresAt"], r["issue"], r["operation"]) for r in shown],
                         [(USERS["ada"], GROUPS[VPN], a["expiresAt"], "ITSM-70", a["operation"])], shown)
        self.assertIn("ITSM-70", self.service.cli("operations", "list", "--expiring").stdout)
        again = self.post(expiresIn="8h", issue="ITSM-70")[2]
        self.assertEqual((again["replayed"], again["expiresAt"]), (True, a["expiresAt"]), again)

    def test_at_a_time_in_any_zone(self):
        a = self.add(expiresAt="2029-03-31T17:00:00+02:00")
        self.assertEqual(a["expiresAt"], "2029-03-31T15:00:00.000Z")

    def test_too_short_to_be_announced(self):
        self.add(expiresIn="30m")
        self.assertNotIn("member_warn", self.timers())

    def test_max_duration_by_itself_and_no_longer(self):
        a = self.add(CRM)
        self.assertTrue(abs(ms_of(a["expiresAt"]) - now() - 30 * DAY) < 60000, a)
        status, _, a = self.post(CRM, "nora", expiresIn="31d")
        self.assertEqual((status, a["code"], a["field"]), (403, "limit_exceeded", "expiresIn"), a)
        self.assertTrue(abs(ms_of(self.add(CRM, "nora", expiresIn="2d")["expiresAt"]) - now() - 2 * DAY) < 60000)

    def test_dry_run_tells_and_arms_nothing(self):
        a = self.add(expiresIn="8h", dryRun=True)
        self.assertIn("Would add Ada Lovelace to VPN Users until ", a["message"])
        self.assertIn("expiresAt", a)
        self.assertEqual((self.rows(), self.is_member()), ([], False))

    def test_a_permanent_membership_is_not_ours_to_end(self):
        a = self.add(user="grace", expiresIn="8h")
        self.assertEqual((a["changed"], a.get("expiresAt")), (False, None), a)
        self.assertIn("gets no end", a["message"])
        self.assertEqual(self.rows(), [])


class Moved(Expiry):
    def test_extended_by_a_later_call(self):
        a = self.add(expiresIn="8h")
        b = self.add(expiresIn="3d")
        self.assertEqual((b["changed"], b["expiresAtBefore"]), (False, a["expiresAt"]), b)
        self.assertIn("moved from", b["message"])
        self.assertEqual([(r[1], r[3]) for r in self.rows()], [(b["operation"], ms_of(b["expiresAt"]))])
        self.assertEqual(self.timers()["member_end"], ms_of(b["expiresAt"]))

    def test_a_later_permanent_add_cancels(self):
        self.add(expiresIn="8h")
        b = self.add()
        self.assertIn("cancelled", b["message"])
        self.assertEqual((self.rows(), self.timers(), self.is_member()), ([], {}, True))

    def test_removal_cancels_and_its_undo_brings_the_end_back(self):
        a = self.add(expiresIn="8h")
        r = self.post(kind="group.remove_member")[2]
        self.assertEqual((self.rows(), self.timers(), self.is_member()), ([], {}, False))
        status, _, u = call(self.service.port, "POST", "/v1/operations/%s/undo" % r["operation"], {"issue": self.issue()},
                            {"Authorization": "Bearer " + self.service.token()})
        self.assertEqual((status, u["expiresAt"]), (200, a["expiresAt"]), u)
        self.assertEqual(self.timers()["member_end"], ms_of(a["expiresAt"]))

    def test_undo_of_the_add_cancels(self):
        a = self.add(expiresIn="8h")
        status, _, u = call(self.service.port, "POST", "/v1/operations/%s/undo" % a["operation"], {"issue": self.issue()},
                            {"Authorization": "Bearer " + self.service.token()})
        self.assertEqual((status, u["changed"]), (200, True), u)
        self.assertEqual((self.rows(), self.timers(), self.is_member()), ([], {}, False))

    def test_cancelled_at_the_command_line(self):
        a = self.add(expiresIn="8h", issue="ITSM-71")
        r = self.service.cli("operations", "cancel", a["operation"], "--reason", "stays for good")
        self.assertIn("lasts now", r.stdout)
        self.assertEqual((self.rows(), self.timers(), self.is_member()), ([], {}, True))
        self.assertIn("stays for good", "".join(self.comments("ITSM-71", 2)))
        self.service.cli("audit", "verify")
        self.assertIn("membership.end_cancelled", self.service.cli("audit", "export").stdout)
        r = self.service.cli("operations", "cancel", a["operation"], check=False)
        self.assertEqual((r.returncode, "--expiring" in r.stderr), (1, True), r)
        self.assertEqual(self.expiring(), [])

    def test_moved_while_the_end_waits(self):
        """Due, and its reads hang; the end is moved by somebody meanwhile: nothing is removed, and nobody is told that it was."""
        self.add(expiresIn="8h", issue="ITSM-72")
        self.comments("ITSM-72", 1)
        self.sim.fault({"cloud": "graph", "path": "/$batch"}, times=1, delay_ms=1500)
        self.make_due()
        self.assertTrue(self.until(lambda: self.execute("SELECT 1 FROM open_operations") != []))
        self.execute("UPDATE memberships SET ends_ms = ?", now() + DAY)
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'member_end'", now() + DAY)
        self.assertTrue(self.until(lambda: self.execute("SELECT 1 FROM open_operations") == []))
        self.assertEqual(self.execute("SELECT outcome FROM conclusions ORDER BY number DESC LIMIT 1"), [("cancelled",)])
        self.assertTrue(self.is_member())
        self.assertEqual(self.removes(), 0)
        self.assertGreater(self.timers()["member_end"], now() + HOUR)
        self.assertEqual(len(self.sim.comments("ITSM-72")), 1)


class Ended(Expiry):
    def test_ends_by_itself_announced_before_and_after(self):
        a = self.add(expiresIn="8h", issue="ITSM-73")
        self.execute("UPDATE memberships SET warn_ms = 1")
        self.execute("UPDATE timers SET due_ms = 1 WHERE kind = 'member_warn'")
        self.assertIn("To extend it", "".join(self.comments("ITSM-73", 2)))
        self.assertTrue(self.is_member())
        self.assertNotIn("member_warn", self.timers())
        self.make_due()
        self.gone()
        said = "".join(self.comments("ITSM-73", 3))
        self.assertIn("the time of the membership is over", said)
        end = json.loads(self.service.cli("operations", "list", "--issue", "ITSM-73", "--json").stdout)[0]
        self.assertEqual((end["name"], end["outcome"], end["token"]), ("group.remove_member", "succeeded", "entrabridge"), end)
        self.assertNotEqual(end["operation"], a["operation"])
        self.assertEqual(self.removes(), 1)
        r = self.service.cli("operations", "undo", end["operation"], "--issue", "ITSM-73", check=False)
        self.assertIn("come to the end of its time", r.stderr)

    def test_without_an_issue(self):
        self.add(expiresIn="8h", issue=None)
        self.make_due()
        self.gone()

    def test_needs_no_permission(self):
        """Neither the operation nor the group is listed any more: what was given for a time ends all the same."""
        self.add(CREW, expiresIn="8h")
        self.service.policy = {"serviceable_groups": [{"group": VPN, "projects": "*"}], "protected": POLICY["protected"],
                               "operations": {"user.get": {"projects": "*"}}}
        self.service.write_config()
        self.service.stop()
        self.service.start()
        self.make_due()
        self.gone(CREW)

    def test_service_down_at_the_time(self):
        self.add(expiresIn="8h", issue="ITSM-74")
        self.service.stop()
        self.make_due(3 * DAY)
        self.service.start()
        self.gone()
        self.comments("ITSM-74", 2)

    def test_killed_in_between_is_one_effect_and_one_comment(self):
        for n, point in enumerate(({"cloud": "graph", "path": "/$batch"}, {"method": "DELETE", "path": "/members/"})):
            issue = "ITSM-%d" % (80 + n)
            self.add(expiresIn="8h", issue=issue)
            self.comments(issue, 1)
            before = self.removes()
            self.sim.fault(point, times=1, delay_after_ms=4000)
            self.make_due()
            self.assertTrue(self.until(lambda: self.execute("SELECT 1 FROM open_operations") != []))
            self.assertTrue(self.sim.post("/sim/wait", {"calls": {"path": point["path"], "count": 1}, "timeout_ms": 5000}))
            time.sleep(0.3)
            self.service.kill()
            self.sim.delete("/sim/faults")
            self.service.start()
            self.gone()
            self.comments(issue, 2)
            self.assertEqual(self.removes() - before, 1)
            self.assertEqual(self.execute("SELECT count(*) FROM operations WHERE issue = ? AND kind = 'group.remove_member'", issue), [(1,)])
            self.sim.post("/sim/wait", {"issue": issue, "comments": 3, "timeout_ms": 1000})
            self.assertEqual(len(self.sim.comments(issue)), 2)

    def test_killed_right_after_the_add(self):
        """The write landed, its answer and the conclusion did not: the end is armed by the recovery."""
        self.service.settings["response_deadline"] = "1s"
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, delay_after_ms=5000)
        thread = threading.Thread(target=lambda: self.quietly(lambda: self.post(expiresIn="8h", issue="ITSM-90")))
        thread.start()
        self.assertTrue(self.until(self.is_member))
        self.service.kill()
        thread.join()
        self.sim.delete("/sim/faults")
        self.service.start()
        self.assertTrue(self.until(lambda: len(self.rows()) == 1), self.service.log_text())
        self.assertIn("until ", "".join(self.comments("ITSM-90", 1)))
        self.make_due()
        self.gone()

    @staticmethod
    def quietly(what):
        try:
            what()
        except OSError:
            pass

    def test_removed_by_somebody_else_before(self):
        self.add(expiresIn="8h", issue="ITSM-91")
        self.sim.post("/sim/groups", {"id": GROUPS[VPN], "members": []})
        self.make_due()
        self.gone()
        self.assertIn("is not a member", "".join(self.comments("ITSM-91", 2)))


class Stopped(Expiry):
    def protect(self, user):
        self.sim.post("/sim/groups", {"displayName": "Tier 0 admins", "id": GROUPS["Tier 0 admins"], "members": [user + "@contoso.com"]})

    def last(self, issue):
        return json.loads(self.service.cli("operations", "list", "--issue", issue, "--json").stdout)[0]

    def metric(self):
        return call(self.service.port, "GET", "/metrics")[2].count("entrabridge_membership_ends_stopped_total 1")

    def test_protected_meanwhile(self):
        self.add(expiresIn="8h", issue="ITSM-75")
        members = self.sim.get("/sim/state?group=" + GROUPS["Tier 0 admins"])["groups"][0]["members"]
        self.protect("ada")
        self.make_due()
        self.assertTrue(self.until(lambda: self.rows()[0][2] is not None), self.service.log_text())
        self.assertTrue(self.is_member())
        self.assertIn("Not done: ", "".join(self.comments("ITSM-75", 2)))
        self.assertEqual(self.metric(), 1)
        self.assertIn("somebody must look", self.service.log_text())
        self.assertIn("protected", self.expiring()[0]["stopped"])
        self.assertGreater(self.timers()["member_end"], now() + 20 * HOUR)
        # The next day nothing has changed: tried, and not told again.
        self.make_due(2 * DAY)
        self.assertTrue(self.until(lambda: self.timers()["member_end"] > now()))
        self.sim.post("/sim/wait", {"issue": "ITSM-75", "comments": 3, "timeout_ms": 500})
        self.assertEqual(len(self.sim.comments("ITSM-75")), 2)
        self.sim.post("/sim/groups", {"id": GROUPS["Tier 0 admins"], "members": members})
        self.make_due(3 * DAY)
        self.gone()

    def test_clouds_away_at_the_time(self):
        self.add(expiresIn="8h", issue="ITSM-76")
        self.comments("ITSM-76", 1)
        self.sim.fault({"cloud": "graph"}, times=-1, status=503)
        self.make_due()
        self.assertTrue(self.until(lambda: self.execute("SELECT 1 FROM conclusions WHERE outcome = 'failed'") != [], 60), self.service.log_text())
        self.assertEqual((len(self.rows()), self.rows()[0][2]), (1, None))
        self.assertTrue(now() < self.timers()["member_end"] < now() + 10 * 60000)
        self.sim.delete("/sim/faults")
        self.sim.post("/sim/wait", {"issue": "ITSM-76", "comments": 2, "timeout_ms": 500})
        self.assertEqual(len(self.sim.comments("ITSM-76")), 1, "an outage is not told each time")
        self.make_due()
        self.gone()
        self.comments("ITSM-76", 2)

    def test_jira_away_does_not_hold_it_up_for_ever(self):
        self.add(expiresIn="8h", issue="ITSM-77")
        self.comments("ITSM-77", 1)
        self.sim.fault({"path": "/rest/api/3/issue/"}, times=-1, status=503)
        self.make_due()
        self.assertTrue(self.until(lambda: not self.is_member(), 60), self.service.log_text())
        self.sim.delete("/sim/faults")

    def test_a_user_who_is_gone_may_come_back_with_the_membership(self):
        self.add(expiresIn="8h", issue="ITSM-78")
        status = call(self.sim.port, "DELETE", "/v1.0/users/" + USERS["ada"], headers={"Authorization": "Bearer " + self.graph_token()})[0]
        self.assertEqual(status, 204)
        self.make_due()
        self.assertTrue(self.until(lambda: self.rows()[0][2] is not None), self.service.log_text())
        self.assertEqual(self.metric(), 0)
        self.make_due(32 * DAY)                             # Entra keeps a deleted user for 30 days
        self.assertTrue(self.until(lambda: self.rows() == []), self.service.log_text())

    def graph_token(self):
        body = urllib.parse.urlencode({"client_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "client_secret": "sim-client-secret",
                                       "grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}).encode()
        return call(self.sim.port, "POST", "/11111111-2222-4333-8444-555555555555/oauth2/v2.0/token", body,
                    {"Content-Type": "application/x-www-form-urlencoded"})[2]["access_token"]


class Many(Expiry):
    FAR, DUE = 10000, 1000

    def memory_kib(self):
        with open("/proc/%d/status" % self.service.process.pid) as f:
            return int(next(line.split()[1] for line in f if line.startswith("VmRSS")))

    def test_ten_thousand_ends(self):
        people = [{"userPrincipalName": "many%d@contoso.com" % i, "displayName": "Many %d" % i, "accountEnabled": True, "mailNickname": "many%d" % i}
                  for i in range(self.DUE)]
        ids = [u["id"] for u in self.sim.post("/sim/users", people)["users"]]
        self.sim.post("/sim/groups", {"id": GROUPS[CREW], "members": [p["userPrincipalName"] for p in people]})
        self.service.stop()
        due, far = now() - HOUR, now() + 30 * DAY
        rows = [("member:%s:%s" % (GROUPS[CREW], u), "0195f3a2-7c1e-7d4b-9a51-%012x" % i, u, due) for i, u in enumerate(ids)]
        rows += [("member:%s:c0000000-0000-4000-8000-%012x" % (GROUPS[CREW], i), "0195f3a2-7c1e-7d4b-9a52-%012x" % i,
                  "c0000000-0000-4000-8000-%012x" % i, far + i) for i in range(self.FAR)]
        db = sqlite3.connect(self.service.folder / "bridge.db")
        db.executemany("INSERT INTO memberships (object, operation, user_id, group_id, ends_ms, warn_ms) VALUES (?, ?, ?, '%s', ?, 0)" % GROUPS[CREW], rows)
        db.executemany("INSERT INTO timers (kind, subject, due_ms) VALUES ('member_end', ?, ?)", [(r[0], r[3]) for r in rows])
        db.commit()
        db.close()
        began = time.monotonic()
        self.service.start(ready=False)
        alive = time.monotonic() - began
        self.service.await_path("/readyz")
        ready = time.monotonic() - began
        most, desk = 0, []

        def ask_as_desk():
            """A request of the service desk in between: in and out again, so that each writes."""
            kind = ("group.add_member", "group.remove_member")[len(desk) % 2]
            asked = time.monotonic()
            status, _, a = self.post(VPN, "alan", kind)
            self.assertEqual((status, a["outcome"], a["changed"]), (200, "succeeded", True), a)
            desk.append(time.monotonic() - asked)

        def all_ended():
            nonlocal most
            ask_as_desk()
            lines = [line for line in call(self.service.port, "GET", "/metrics")[2].splitlines() if line.startswith("entrabridge_operations_under_way ")]
            most = max([most] + [int(float(line.split()[1])) for line in lines])
            return self.execute("SELECT count(*) FROM memberships WHERE ends_ms < ?", now())[0][0] == 0

        self.assertTrue(self.until(all_ended, 120), (len(self.rows()), self.service.log_text()))
        took = time.monotonic() - began
        print("alive %.2f s, ready %.2f s, %d due ended after %.1f s, at most %d at once, %d KiB with %d armed; %d requests of the desk meanwhile, the slowest %.2f s" %
              (alive, ready, self.DUE, took, most, self.memory_kib(), self.FAR, len(desk), max(desk)), flush=True)
        self.assertLessEqual(most, 17)                      # with the desk's
        self.assertGreater(len(desk), 3)
        self.assertLess(max(desk), 2 * SLOW)
        self.assertLess(ready, 2 * SLOW)
        if "TEST_SLOWNESS" not in os.environ:
            self.assertLess(self.memory_kib(), 40 * 1024)
        self.assertEqual(self.sim.members(CREW), [])
        self.assertEqual(self.execute("SELECT count(*) FROM memberships"), [(self.FAR,)])
        began = time.monotonic()
        shown = json.loads(self.service.cli("operations", "list", "--expiring", "--limit", "10000", "--json").stdout)
        print("listed in %.2f s" % (time.monotonic() - began), flush=True)
        self.assertEqual(len(shown), self.FAR)


if __name__ == "__main__":
    unittest.main()
