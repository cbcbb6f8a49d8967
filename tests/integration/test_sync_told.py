"""What a person is told of the synchronization: by a preview, by the status, by a run that is asked for while one is under way."""
import json
import pathlib
import re
import subprocess
import unittest

from harness import BINARY, call, eventually
from sync_world import JIRA, Expected, SyncCase

AQL_PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "aql.md"
AQL = "/jsm/assets/workspace/f1668d0c-828c-470c-b7d1-8c4f48cd345a/v1/object/aql?maxResults=500&includeAttributes=false"


class Held(SyncCase):
    """A preview tells beforehand that the guard would hold the run, and with which words it is let through."""

    def test_a_preview_says_that_the_run_would_be_held(self):
        self.cli("init")
        self.assertNotIn("held", self.cli("preview").stdout)
        self.run_now()
        for n in range(1, 41):
            self.sim.post("/sim/users", {"id": "a2000000-0000-4000-8000-%012d" % n, "deleted": True})
        text = self.cli("preview").stdout
        told = json.loads(self.cli("preview", "--json").stdout)
        removals = told["totals"]["inactivations"] + told["totals"]["deletions"]
        self.assertIn("it would be held", text)
        self.assertIn("--accept-removals %d" % removals, text)
        self.assertIn("it would be held", told["run"]["message"])
        self.assertEqual(self.run_now("--accept-removals", str(removals))["counts"]["inactivations"], removals)
        text = self.cli("preview").stdout
        self.assertIn("Assets is as the directory is.", text)
        self.assertNotIn("held", text)


class UnderWay(SyncCase):
    """A service runs, and answers come so late that its run ends only when the test lets it."""
    users, groups = 200, 20

    def under_way(self):
        return json.loads(self.cli("status", "--json").stdout)["underWay"]

    def popen(self, *args):
        return subprocess.Popen([BINARY, "sync", *args, "--config", str(self.service.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_the_kind_and_who_joins(self):
        self.cli("init")
        self.service.start()
        self.sim.settings(latency_ms=2000)
        self.cli("run", "--background")
        run = eventually(lambda: (r := self.under_way()) and r["kind"] == "full" and r, 60)         # the first one reads everything, and says so before its end
        joined = self.popen("run", "--json")
        self.assertIn("Run %d is under way already" % run["run"], joined.stderr.readline())
        more = self.cli("run", "--full", code=1)                    # that one does not do what this one wants
        self.assertIn("Run %d is under way" % run["run"], more.stderr)
        self.cli("preview", code=1)
        self.sim.settings(latency_ms=0)
        out, _ = joined.communicate(timeout=120)
        self.assertEqual((joined.returncode, json.loads(out)["run"], json.loads(out)["outcome"]), (0, run["run"], "succeeded"))
        self.service.stop()
        self.equal()


class Queries(SyncCase):
    """What docs/aql.md says is what a person finds: each query is one, and finds who its words say."""
    groups = 40

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service.cli("sync", "init")
        cls.service.cli("sync", "run")
        cls.sim.post("/sim/users", [{"userPrincipalName": "petra@contoso.com", "deleted": True}, {"userPrincipalName": "zoe@contoso.com", "department": "Sales"}])
        cls.sim.post("/sim/groups", [{"id": "b0000000-0000-4000-8000-000000000001", "members": ["ada@contoso.com", "grace@contoso.com"], "owners": ["olga@contoso.com"]}])
        cls.service.cli("sync", "run")
        cls.told = dict(re.findall(r"^\| (.+?) \| `(.+)` \|$", AQL_PAGE.read_text(), re.M))
        cls.now = Expected(cls.sim)

    def ask(self, words):
        query = self.told[words].replace("grace@", "grace.hopper@").replace("ada@", "ada.lovelace@")         # their mails in the cast
        status, _, page = call(self.sim.port, "POST", AQL, {"qlQuery": query}, JIRA)
        self.assertEqual(status, 200, (words, page))
        return sorted(o["label"] for o in page["values"])

    def test_each_is_one(self):
        self.assertGreater(len(self.told), 25)
        for words in self.told:
            self.ask(words)

    def test_they_find_who_is_meant(self):
        users, groups = self.now.user, self.now.group
        grace = next(i for i, u in users.items() if u["UPN"] == "grace@contoso.com")
        owned = {g for u in users.values() for g in u["Owned groups"]}
        filled = {g for u in users.values() for g in u["Groups"]}

        def people(which):
            return sorted(u["Name"] for u in users.values() if which(u))

        def of_groups(which):
            return sorted(g["Name"] for i, g in groups.items() if which(i, g))
        wanted = {
            "one person, by address": ["Ada Lovelace"],
            "people who work here now": people(lambda u: u["Account enabled"]),
            "a department": people(lambda u: u["Department"] == "Sales"),
            "the team of a manager": people(lambda u: u["Manager"] == grace),
            "orphans: people without a manager": people(lambda u: u["Manager"] is None),
            "people without a Jira account": people(lambda u: u["Jira user"] is None),
            "people whose manager cannot approve in Jira": people(lambda u: u["Manager"] and not u["Manager account ID"]),
            "disabled accounts of people who are still there": people(lambda u: not u["Account enabled"]),
            "leavers of the last 30 days": ["Petra Approver"],
            "leavers who still own a group": ["Petra Approver"],
            "members of a group": ["Ada Lovelace", "Grace Hopper"],
            "owners of a group": ["Olga Owner"],
            "groups of a person": of_groups(lambda i, g: i in next(u["Groups"] for u in users.values() if u["UPN"] == "ada@contoso.com")),
            "groups without an owner": of_groups(lambda i, g: i not in owned and g["Name"] != "Access Approvers"),
            "groups whose owners have all left": ["Access Approvers"],
            "groups without members": of_groups(lambda i, g: i not in filled),
            "groups whose members a rule makes": of_groups(lambda i, g: "dynamic" in g["Group type"]),
            "groups that a request may offer": of_groups(lambda i, g: g["Group type"] == "Security" and g["On-premises synced"] is not True),
        }
        for words, names in wanted.items():
            self.assertEqual(self.ask(words), names, words)
            self.assertTrue(names, words)


if __name__ == "__main__":
    unittest.main()
