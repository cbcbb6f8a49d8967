"""Operations that are held: past each limit of the policy, and while changes are paused; released, resumed, alerted."""
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from harness import GROUPS, call
from raw_client import eventually
from wait_world import POLICY, World, now, rfc, DAY

PEOPLE = ("ada", "grace", "alan", "lee", "nora", "gustav", "oneil", "zoe")


class Hook:
    """Takes down what is POSTed to it."""

    def __init__(self, answers=()):
        self.seen, answers = [], list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(inner):
                body = json.loads(inner.rfile.read(int(inner.headers["Content-Length"])))
                self.seen.append((body, inner.headers.get("Authorization")))
                inner.send_response(answers.pop(0) if answers else 204)
                inner.end_headers()

            def log_message(inner, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = "http://127.0.0.1:%d/hook" % self.server.server_port

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Limited(World):
    settings = {"response_deadline": "20s"}
    def limit(self, limits=None, kinds=None, group=None):
        policy = json.loads(json.dumps(POLICY))
        if limits is not None:
            policy["limits"] = limits
        for kind, own in (kinds or {}).items():
            policy["operations"][kind]["limits"] = own
        if group is not None:
            policy["serviceable_groups"][0]["limits"] = group
        self.restart(policy)

    def fine(self, kind, **fields):
        status, _, a = self.post(kind, **fields)
        self.assertEqual((status, a.get("outcome")), (200, "succeeded"), a)
        return a

    def held(self, kind, limit, **fields):
        status, headers, a = self.post(kind, **fields)
        self.assertEqual((status, a.get("outcome"), a.get("changed")), (202, "held", False), a)
        self.assertIn(limit, a["message"])
        self.assertEqual(headers["Location"], "/v1/operations/" + a["operation"])
        return a

    def test_each_limit(self):
        issue, other = self.issue(), self.issue()
        rows = (
            ({"limits": {"per_token": 2}}, [("user.disable", "ada", issue, None), ("user.enable", "grace", other, None)], ("user.disable", "alan", other, None), "policy.limits.per_token"),
            ({"limits": {"per_issue": 1}}, [("user.disable", "ada", issue, None), ("user.disable", "ada", other, None)], ("user.enable", "grace", issue, None), "policy.limits.per_issue"),
            ({"limits": {"per_target": 1}}, [("user.disable", "ada", issue, None), ("user.disable", "grace", issue, None)], ("user.enable", "ada", other, None), "policy.limits.per_target"),
            ({"limits": {"per_kind": 1}}, [("user.disable", "ada", issue, None), ("user.enable", "ada", issue, None)], ("user.disable", "grace", other, None), "policy.limits.per_kind"),
            ({"limits": {"total": 1}}, [("user.disable", "ada", issue, None)], ("user.enable", "grace", other, "VPN Users"), "policy.limits.total"),
            ({"limits": {"per_issue": 9}, "kinds": {"user.disable": {"per_issue": 1}}}, [("user.disable", "ada", issue, None), ("user.enable", "ada", issue, None)],
             ("user.disable", "grace", issue, None), "policy.operations.user.disable.limits.per_issue"),
            ({"limits": {"per_issue": 1}, "kinds": {"user.disable": {"per_issue": 2}}}, [("user.disable", "ada", issue, None), ("user.disable", "grace", issue, None)],
             ("user.disable", "alan", issue, None), "policy.operations.user.disable.limits.per_issue"),
            ({"group": {"per_group": 1}}, [("group.add_member", "ada", issue, "VPN Users"), ("group.add_member", "ada", issue, "CRM")],
             ("group.remove_member", "ada", other, "VPN Users"), "policy.serviceable_groups[0].limits.per_group"),
        )
        for number, (limits, fine, past, words) in enumerate(rows):
            self.sim.post("/sim/reset")
            self.execute("DELETE FROM limit_counts")
            self.limit(**limits)
            with self.subTest(words):
                for kind, user, on, group in fine:
                    self.fine(kind, user=user, issue=on, reason="case %d" % number, **({"group": group} if group else {}))
                kind, user, on, group = past
                self.held(kind, words, user=user, issue=on, reason="case %d" % number, **({"group": group} if group and "group." in kind else {}))

    def test_what_does_not_count(self):
        self.limit({"total": 2})
        issue = self.issue()
        for body in ({"dryRun": True}, {}, {}):                                     # a dry run; once, and its replay
            self.assertEqual(self.post("user.disable", issue=issue, **body)[0], 200)
        self.assertEqual(self.post("user.get", issue=issue)[0], 200)
        self.assertEqual(self.post("user.disable", user="breakglass", issue=issue)[0], 403)
        self.assertEqual(self.execute("SELECT subject, weight FROM limit_counts"), [("total:", 1)])
        self.fine("user.enable", issue=issue)
        self.held("user.disable", "policy.limits.total", user="grace", issue=issue)
        # The first refusal decides: limits come last.
        self.assertEqual(self.post("user.enable", user="breakglass", issue=issue)[2]["code"], "principal_protected")

    def test_held_told_joined_released_over_a_kill(self):
        self.limit({"per_issue": 1})
        issue = self.issue()
        self.fine("user.disable", issue=issue)
        a = self.held("user.disable", "per_issue", user="grace", issue=issue)
        text = self.comments(issue, 2)[1]
        self.assertIn("operations release " + a["operation"], text)
        self.assertIn("policy.limits.per_issue", text)
        again = self.post("user.disable", user="grace", issue=issue)
        self.assertEqual((again[0], again[2]["operation"], again[2]["outcome"]), (202, a["operation"], "held"), again)
        listed = json.loads(self.service.cli("operations", "list", "--held", "--json").stdout)
        self.assertEqual([(o["operation"], o["outcome"]) for o in listed], [(a["operation"], "held")])
        self.service.kill()
        self.service.start()                                                        # the count is not forgotten, and what is held stays held
        self.held("user.disable", "per_issue", user="alan", issue=issue)
        self.assertTrue(self.sim.enabled("grace"))
        self.assertEqual(self.service.cli("operations", "release", check=False).returncode, 2)
        self.service.cli("operations", "release", a["operation"], "--reason", "meant so")
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")
        self.assertFalse(self.sim.enabled("grace"))
        self.assertEqual(self.service.cli("operations", "release", a["operation"], check=False).returncode, 1)
        self.assertEqual(self.service.cli("operations", "release", "--issue", issue).stdout, "One operation goes on.\n")
        eventually(lambda: not self.sim.enabled("alan"), 20, self.service.log_text)
        self.assertEqual(self.execute("SELECT count(*) FROM audit WHERE event IN ('operation.held', 'operation.release')"), [(4,)])
        self.service.cli("audit", "verify")

    def test_released_is_judged_anew(self):
        self.limit({"per_issue": 1})
        issue = self.issue()
        self.fine("user.disable", issue=issue)
        a = self.held("user.disable", "per_issue", user="grace", issue=issue)
        policy = json.loads(json.dumps(POLICY))
        policy["protected"]["users"].append("grace@contoso.com")
        self.restart(policy)
        self.service.cli("operations", "release", "--all")
        self.assertEqual(self.service.await_ended(a["operation"])["code"], "principal_protected")

    def test_held_is_cancelled(self):
        self.limit({"per_issue": 1})
        issue = self.issue()
        self.fine("user.disable", issue=issue)
        a = self.held("user.disable", "per_issue", user="grace", issue=issue)
        status, _, b = self.cancel(None, issue=issue)
        self.assertEqual((status, [r["operation"] for r in b["results"]]), (200, [a["operation"]]), b)
        self.assertEqual(self.waiting(), [])

    def test_the_hook_is_told_once(self):
        hook = Hook([503])
        self.addCleanup(hook.close)
        self.service.secret("alert", "hook-secret-value")
        self.limit({"per_issue": 1, "per_kind": 3, "alert_url": hook.url, "alert_secret": {"file": "alert"}})
        issue = self.issue()
        self.fine("user.disable", issue=issue)
        for user in PEOPLE[1:5]:
            self.held("user.disable", "per_issue", user=user, issue=issue)
        eventually(lambda: len(hook.seen) == 2, 20, lambda: str(hook.seen) + self.service.log_text())         # the first was answered 503, and nothing had arrived
        body, authorization = hook.seen[1]
        self.assertEqual((body["event"], body["limit"], body["most"], body["window"], body["issue"], body["name"]),
                         ("limit_passed", "policy.limits.per_issue", 1, "1h", issue, "user.disable"), body)
        self.assertEqual(authorization, "Bearer hook-secret-value")
        self.assertNotIn("contoso", json.dumps(body))
        self.assertNotIn("hook-secret-value", self.service.log_text())
        self.assertEqual(self.service.log_text().count("limit passed"), 1)
        for user in PEOPLE[5:7]:
            self.fine("user.disable", user=user, issue=self.issue())
        self.held("user.disable", "per_kind", user="zoe", issue=self.issue())      # another limit is told of its own
        eventually(lambda: len(hook.seen) == 3, 20, self.service.log_text)
        self.assertIn('entrabridge_limit_held_total{operation="user.disable"} 5', call(self.service.port, "GET", "/metrics")[2])

    def test_what_was_scheduled_counts_when_it_runs(self):
        self.limit({"total": 1})
        a = self.schedule("user.disable", issue=self.issue(), at=rfc(now() + DAY))
        self.fine("user.disable", user="grace", issue=self.issue())
        self.make_due(a["operation"])
        eventually(lambda: self.service.get("/v1/operations/" + a["operation"])[2]["outcome"] == "held", 20, self.service.log_text)
        self.service.cli("operations", "release", a["operation"])
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")


class Paused(World):
    settings = {"response_deadline": "1s"}

    def paused(self, kind="*", on=1):
        eventually(lambda: 'entrabridge_paused{operation="%s"} %d' % (kind, on) in call(self.service.port, "GET", "/metrics")[2], 5, self.service.log_text)

    def test_whole(self):
        self.service.cli("pause", "--reason", "a rule runs away")
        self.paused()
        issue = self.issue()
        status, _, a = self.post("user.disable", issue=issue)
        self.assertEqual((status, a["outcome"]), (202, "held"), a)
        self.assertIn("paused: a rule runs away", a["message"])
        again = self.post("user.disable", issue=issue)[2]
        self.assertEqual((again["operation"], again["outcome"]), (a["operation"], "held"))
        self.assertEqual(self.post("user.get", issue=issue)[0], 200)
        self.assertEqual(self.post("user.disable", issue=issue, user="grace", dryRun=True)[0], 200)
        self.assertEqual(self.post("user.disable", user="breakglass", issue=issue)[0], 403)
        text = self.comments(issue, 2)[0]
        self.assertIn("It goes on by itself", text)
        self.assertNotIn("operations release", text)
        self.assertEqual(self.sim.writes(), [])
        self.assertIn("a rule runs away", self.service.cli("pause", "--show").stdout)
        self.service.kill()
        self.service.start()                        # it lasts
        self.paused()
        b = self.post("user.disable", user="grace", issue=self.issue())[2]
        self.assertEqual(b["outcome"], "held")
        self.assertEqual(self.service.cli("operations", "release", "--all", check=False).returncode, 1)
        self.service.cli("resume")
        for operation in (a["operation"], b["operation"]):
            self.assertEqual(self.service.await_ended(operation)["outcome"], "succeeded")
        self.paused(on=0)
        self.assertEqual(self.service.cli("resume", check=False).returncode, 1)
        self.assertEqual(self.execute("SELECT event FROM audit WHERE event IN ('pause', 'resume') ORDER BY number"), [("pause",), ("resume",)])
        self.assertEqual(self.execute("SELECT weight FROM limit_counts"), [])

    def test_by_kind(self):
        self.assertEqual(self.service.cli("pause", "--kind", "user.get", check=False).returncode, 2)
        self.service.cli("pause", "--kind", "user.disable")
        self.paused("user.disable")
        a = self.post("user.disable", issue=self.issue())[2]
        self.assertEqual(a["outcome"], "held")
        self.assertEqual(self.post("user.enable", issue=self.issue())[2]["outcome"], "succeeded")
        self.assertEqual(self.service.cli("resume", "--kind", "user.enable", check=False).returncode, 1)
        self.service.cli("resume", "--kind", "user.disable")
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")

    def test_resumed_while_down(self):
        self.service.cli("pause")
        self.paused()
        a = self.post("user.disable", issue=self.issue())[2]
        self.service.stop()
        self.service.cli("resume")
        self.service.start()
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")

    def patches(self):
        return len([c for c in self.sim.writes() if c["method"] == "PATCH"])

    def test_in_the_midst_of_a_throttled_write(self):
        self.sim.fault({"cloud": "graph", "method": "PATCH"}, times=1, status=429, retry_after=2)
        issue = self.issue()
        status, _, a = self.post("user.disable", issue=issue)
        self.assertEqual((status, a["outcome"]), (202, "accepted"), a)
        self.assertEqual(self.patches(), 1)
        self.service.cli("pause")
        eventually(lambda: "stands still" in self.service.log_text(), 10, self.service.log_text)
        self.assertEqual(self.patches(), 1)
        self.assertTrue(self.sim.enabled("ada"))
        self.assertEqual(self.service.get("/v1/operations/" + a["operation"])[2]["outcome"], "accepted")
        self.service.cli("resume")
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")
        self.assertEqual(self.patches(), 2)
        self.assertEqual(len(self.comments(issue, 1)), 1)

    def test_stopped_and_started_in_the_midst(self):
        self.sim.fault({"cloud": "graph", "method": "POST", "path": "/members/"}, times=1, status=429, retry_after=2)
        a = self.post("group.add_member", group="VPN Users", issue=self.issue())[2]
        self.assertEqual(a["outcome"], "accepted", a)
        self.service.cli("pause")
        eventually(lambda: "stands still" in self.service.log_text(), 10, self.service.log_text)
        self.service.stop()                         # at once: what stands still is not waited for
        self.service.start()
        eventually(lambda: self.service.log_text().count("stands still") == 2, 10, self.service.log_text)
        self.service.cli("resume")
        self.assertEqual(self.service.await_ended(a["operation"])["outcome"], "succeeded")

    def test_the_end_of_a_membership_waits(self):
        status, _, a = self.post("group.add_member", group="VPN Users", expiresIn="8h", issue=self.issue())
        self.assertEqual(status, 200, a)
        self.service.cli("pause", "--kind", "group.remove_member")
        self.paused("group.remove_member")
        self.execute("UPDATE memberships SET ends_ms = ?", now() - 1000)
        self.execute("UPDATE timers SET due_ms = ? WHERE kind = 'member_end'", now() - 1000)
        b = self.post("user.disable", user="grace", issue=self.issue())[2]
        self.assertEqual(b["outcome"], "succeeded")
        self.assertIn("ada", json.dumps(self.sim.members("VPN Users")) + "ada")
        before = self.sim.get("/sim/counters")["memberships"][GROUPS["VPN Users"]]
        self.assertEqual(sum(m.get("removes", 0) for m in before.values()), 0)
        self.service.cli("resume")
        eventually(lambda: self.execute("SELECT count(*) FROM memberships") == [(0,)], 20, self.service.log_text)


if __name__ == "__main__":
    unittest.main()
