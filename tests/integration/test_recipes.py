"""The recipes, as a rule author gets them: each one's policy from its page, its rules run as Jira does, against the service and the simulated clouds.

People type what they like: the fields hold quotes, umlauts, line ends, backslashes, or nothing.
"""
import datetime
import json
import pathlib
import re
import subprocess
import sys
import unittest

from harness import GROUPS, SLOW, Service, Sim
from harness import USERS as CAST
from kind_examples import open_secret

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "script"))
from rule_runner import Run

RECIPES = ROOT / "recipes"
USERS = {**CAST, "petra": "a0000000-0000-4000-8000-000000000028", "quentin": "a0000000-0000-4000-8000-000000000029"}
OURS = "712020:00000000-0000-4000-8000-00000000b07d"
AHEAD = (datetime.date.today() + datetime.timedelta(days=400)).isoformat()
SUMMARY = 'She said: "now" – Größe {1} \\ [end]'
FIELDS = {"Target user": "customfield_10050", "Target group": "customfield_10051", "Access for": "customfield_10052", "Job title": "customfield_10053",
          "Department": "customfield_10054"}


def choice(value):
    return {"value": value}


class Case:
    """What the issue's fields hold: people by the name before the @, choices as choice(). `body` changes the text of the rule's request."""

    def __init__(self, recipe, reporter="ada", approvers=(), outcome="succeeded", says="", check=None, project="ITSM", why="", status="Approved", **fields):
        self.recipe, self.reporter, self.approvers, self.outcome, self.says, self.check = recipe, reporter, approvers, outcome, says, check
        self.project, self.why, self.status = project, why or outcome, status
        self.fields = {name.replace("_", " "): value for name, value in fields.items()}


def member(group, user, there=True):
    return lambda test: test.assertEqual(USERS[user] in test.sim.members(group), there)


def attribute(user, **wanted):
    return lambda test: test.assertEqual({n: test.user(user)[n] for n in wanted}, wanted)


def both(*checks):
    return lambda test: [check(test) for check in checks]


NEW = {"First_name": "Zoë", "Last_name": "Müller-O'Hara", "Job_title": "Account Manager", "Department": choice("Sales"), "Office": choice('Haus "Süd"'), "Manager": "grace"}


def somebody_new(test):
    *_, found = [u for u in test.sim.get("/sim/state")["users"] if u["userPrincipalName"].startswith("zoe.mueller")]
    test.assertEqual((found["jobTitle"], found["department"], found["officeLocation"], found["managerId"]), ("Account Manager", "Sales", 'Haus "Süd"', USERS["grace"]))
    test.assertTrue(all(found["id"] in test.sim.members(group) for group in ("CRM", "Sales DE")), "the rules' groups")


CASES = [
    Case("temporary-access", approvers=("grace",), Access_for=choice("8h"), check=member("VPN Users", "ada")),
    Case("temporary-access", Access_for=choice("8h"), outcome="refused", says="approval_missing", why="nobody approved", check=member("VPN Users", "ada", False)),
    Case("temporary-access", approvers=("grace",), Access_for=None, outcome="refused", says="had no value", why="an empty choice"),
    Case("temporary-access", approvers=("grace",), Access_for=choice("90d"), outcome="refused", says="limit_exceeded", why="longer than the policy allows"),
    Case("approval-gating", approvers=("petra", "quentin"), Target_user="alan", Target_group="Sales DE", check=member("Sales DE", "alan")),
    Case("approval-gating", approvers=("petra", "quentin"), Target_user="ada", Target_group="CRM", reporter="zoe", check=member("CRM", "ada")),
    Case("approval-gating", approvers=("petra",), Target_user="ada", Target_group="CRM", outcome="refused", says="approval_missing", why="one approver of two"),
    Case("approval-gating", approvers=("petra", "quentin"), Target_user="ada", Target_group='C"R"M', outcome="refused", says="group_not_serviceable", why="no such group"),
    Case("approval-gating", approvers=("petra", "quentin"), Target_user=None, Target_group="CRM", outcome="refused", says="had no value", why="nobody chosen"),
    Case("profile-self-service", Office=choice('Haus "Süd"'), City="Köln\\Deutz", Language=choice("de-DE"), check=attribute("ada", officeLocation='Haus "Süd"', city="Köln\\Deutz")),
    Case("profile-self-service", Office=None, City="Bonn", Language=None, why="empty ones are left as they are", check=attribute("ada", city="Bonn")),
    Case("profile-self-service", reporter="nora", City="Bonn", outcome="refused", says="does not tell the reporter's e-mail address", why="a reporter without an address"),
    Case("password-reset-agent", status="In progress"),
    Case("password-reset-agent", status="Closed", outcome="refused", says="issue_not_permitted", why="a closed work item"),
    Case("password-reset-agent", reporter="anna", status="In progress", outcome="refused", says="principal_protected", why="an administrator"),
    Case("password-reset-manager", reporter="grace", Target_user="ada"),
    Case("password-reset-manager", reporter="zoe", Target_user="ada", outcome="refused", says="requester_not_permitted", why="not the manager"),
    Case("onboarding-portal", approvers=("petra",), **NEW, check=somebody_new),
    Case("onboarding-portal", **NEW, outcome="refused", says="approval_missing", why="nobody approved"),
    Case("onboarding-hr", reporter="petra", project="HR", **NEW, First_working_day=AHEAD, outcome="scheduled"),
    Case("onboarding-hr", reporter="petra", project="HR", **NEW, First_working_day="", outcome="refused", says="had no value", why="no day"),
    Case("onboarding-hr", reporter="zoe", project="HR", **NEW, First_working_day=AHEAD, outcome="refused", says="requester_not_permitted", why="not of HR"),
    Case("groups-by-job-title", approvers=("petra",), Target_user="ada", Job_title="Account Manager \u201cDACH\u201d",
         check=both(attribute("ada", jobTitle="Account Manager \u201cDACH\u201d"), member("CRM", "ada"), member("Sales DE", "ada"))),
    Case("groups-by-job-title", approvers=("petra",), Target_user="ada", Job_title="", outcome="refused", says="had no value", why="no title"),
    Case("transfer", project="HR", approvers=("petra",), Target_user="alan", Job_title="Account Manager", Department=choice("Sales"), Office=choice("Köln"), Manager="petra",
         Moves_on=AHEAD, outcome="scheduled"),
    Case("offboarding", project="HR", reporter="grace", approvers=("petra",), Target_user="alan", Manager="grace", Leaves_on=AHEAD, outcome="scheduled"),
    Case("offboarding", project="HR", reporter="grace", approvers=("petra",), Target_user="alan", Manager="grace", Leaves_on="2020-03-31", outcome="refused", says="past",
         why="a day that is over"),
    Case("offboarding", project="HR", reporter="grace", Target_user="alan", Manager="grace", Leaves_on=AHEAD, outcome="refused", says="approval_missing", why="nobody approved"),
]


class Recipe:
    def __init__(self, name):
        self.name = name
        self.page = (RECIPES / (name + ".md")).read_text(encoding="utf-8")
        self.policy = re.search(r"```yaml\n(.*?)```", self.page, re.S).group(1)
        self.text = (RECIPES / (name + ".json")).read_text(encoding="utf-8")
        self.kind = re.search(r"\| asks for \| `([a-z._]+)` \|", self.page).group(1)
        self.request_type = re.search(r"\| request type \| \*\*(.+)\*\* \|", self.page).group(1)
        self.first = self.second = None
        self.command = re.search(r"^    entrabridge (token create .+)$", self.page, re.M).group(1)


    def replace(self, url, token):
        """The three things that a rule author replaces."""
        text = self.text.replace("https://entrabridge.example.com", url).replace("PUT THE TOKEN HERE", token).replace("ENTRABRIDGE-ACCOUNT-ID", OURS)
        self.first, self.second = json.loads(text)["rules"]
        return self


class Bridge(Service):
    """A service whose policy stands on a recipe's page."""

    def __init__(self, sim, recipe, **settings):
        self.recipe = recipe
        super().__init__(sim, {}, **settings)
        checked = self.cli("config", "validate", check=False)
        if any(word in checked.stdout + checked.stderr for word in ("no operation kind of this version", "time_zone: unknown key")):
            raise unittest.SkipTest("this build has no " + recipe.kind + ", or no dates")
        assert checked.returncode == 0, recipe.policy + checked.stdout + checked.stderr
        recipe.replace("http://127.0.0.1:%d" % self.port, self.cli(*recipe.command.split()).stdout.strip())

    def write_config(self, **more):
        super().write_config(**more)
        rest = json.loads(self.config.read_text())
        del rest["policy"]
        self.config.write_text("".join("%s: %s\n" % (key, json.dumps(value)) for key, value in rest.items()) + self.recipe.policy, encoding="utf-8")


class Recipes(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.sim = Sim()
        cls.sim.settings(app_role="user-administrator")         # passwords need it
        cls.services = {}

    @classmethod
    def tearDownClass(cls):
        try:
            for service in cls.services.values():
                service.close()
        finally:
            cls.sim.close()

    def bridge(self, name, deadline="20s"):
        """Each recipe's service, started once; asks whether this build has the kind."""
        if (name, deadline) not in self.services:
            service = Bridge(self.sim, Recipe(name), response_deadline=deadline, public_url="https://entrabridge.example.com")
            self.services[name, deadline] = service
            service.start()
        return self.services[name, deadline].recipe, self.services[name, deadline]

    def user(self, name):
        return self.sim.get("/sim/state?user=" + USERS[name])["users"][0]

    def person(self, name):
        user = self.user(name)
        return {"accountId": "712020:" + user["id"], "emailAddress": user.get("mail"), "displayName": user["displayName"]}

    def put_issue(self, case):
        """The issue in the simulator, and what smart values read of it."""
        Recipes.number += 1
        key = "%s-%d" % (case.project, 1000 + self.number)
        people = {n: v for n, v in case.fields.items() if isinstance(v, str) and v in USERS}
        fields = {FIELDS[n]: {"account": v + "@contoso.com"} if n in people else v for n, v in case.fields.items() if n in FIELDS and v}
        issue = {"key": key, "quiet": True, "summary": SUMMARY, "status": case.status, "reporter": USERS[case.reporter], "fields": fields}
        if case.approvers:
            issue["approvals"] = [{"decision": "approved", "approvers": [{"account": p + "@contoso.com", "decision": "approved"} for p in case.approvers]}]
        self.sim.post("/sim/issues", issue)
        seen = {n: self.person(v) if n in people else v for n, v in case.fields.items()}
        return {"key": key, "summary": SUMMARY, "reporter": self.person(case.reporter), "requestType": {"name": Recipe(case.recipe).request_type}, **seen}

    def start(self, case, deadline="20s", initiator=None):
        """No reset: it would give out the ids of approvals again, and those have served."""
        self.sim.delete("/sim/faults")
        self.sim.post("/sim/groups", [{"id": GROUPS[g], "members": []} for g in ("VPN Users", "CRM", "Sales DE")])
        self.sim.post("/sim/users", {"id": USERS["ada"], "jobTitle": "Analyst", "officeLocation": None, "city": None})
        recipe, service = self.bridge(case.recipe, deadline)
        issue = self.put_issue(case)
        return recipe, service, issue, {"issue": issue, "initiator": {"accountId": initiator or issue["reporter"]["accountId"]}}

    # ---- the first rule

    def test_each_answer_goes_into_its_branch(self):
        for case in CASES:
            with self.subTest(case.recipe + ": " + case.why):
                recipe, service, issue, values = self.start(case)
                run = Run(recipe.first, values)
                self.assertTrue(run.finished, "the rule came to its end")
                ((method, path, body, status),) = run.sent
                self.assertEqual((method, path), ("POST", "/v1/" + recipe.kind.replace(".", "/").replace("_", "-")))
                self.assertEqual(json.loads(body)["reason"], SUMMARY)
                self.assertEqual(run.answer["outcome"], case.outcome, (status, run.answer))
                self.check_branch(case, run)
                self.check_secret(recipe, service, issue, run)
                if case.check:
                    case.check(self)

    def check_branch(self, case, run):
        if case.outcome == "succeeded":
            self.assertEqual((run.public, run.internal, run.transitions), (["Done. " + run.answer["message"]], [], ["Resolved"]))
        elif case.outcome == "scheduled":
            self.assertEqual((run.public, run.internal, run.transitions), (["Taken in hand. " + run.answer["message"]], [], []))
        else:
            self.assertEqual((run.public, run.transitions, run.mails), ([], [], []))
            self.assertIn(case.says, " ".join(run.internal))
            self.assertEqual(len(run.internal), 1)

    def check_secret(self, recipe, service, issue, run):
        """By mail to one person, and in no comment of the rule's or of entrabridge's."""
        to = re.search(r"^\| link to the .*\| by mail to the (\w+) \|$", recipe.page, re.M)
        if to is None or run.answer["outcome"] != "succeeded":
            self.assertEqual(run.mails, [])
            return
        ((people, subject, text),) = run.mails
        link = re.search(r"https://\S+/secret/\S+", text).group(0)
        self.assertEqual((people, subject.split(":")[0]), ([to.group(1)], issue["key"]))
        self.sim.wait_comments(issue["key"], 1)
        self.assertNotIn("/secret/", json.dumps(run.comments) + json.dumps(self.sim.comments(issue["key"])))
        self.assertTrue(open_secret(service, link))

    def test_no_answer_is_told_to_the_agents(self):
        _, _, _, values = self.start(CASES[0])
        run = Run(Recipe("temporary-access").replace("http://127.0.0.1:1", "token").first, values)
        self.assertTrue(run.finished)
        self.assertEqual((run.public, run.transitions), ([], []))
        self.assertIn("gave no answer", " ".join(run.internal))

    def test_a_wrong_token_is_told_to_the_agents(self):
        _, service, _, values = self.start(CASES[0])
        run = Run(Recipe("temporary-access").replace("http://127.0.0.1:%d" % service.port, "not-a-token").first, values)
        self.assertIn("unauthenticated", " ".join(run.internal))
        self.assertEqual(run.public, [])

    def test_entrabridge_starts_no_rule_and_neither_does_another_request_type(self):
        for name in sorted({case.recipe for case in CASES}):
            with self.subTest(name):
                recipe, _, issue, values = self.start(next(c for c in CASES if c.recipe == name), initiator=OURS)
                self.assertEqual(Run(recipe.first, values).sent, [])
                values["initiator"], issue["requestType"] = issue["reporter"], {"name": "Another"}
                self.assertEqual(Run(recipe.first, values).sent, [])

    # ---- the second rule

    def seen_by_the_second(self, issue):
        """The issue with its property, and each comment as an event."""
        state = self.sim.get("/sim/state?issue=" + issue["key"])["issues"][0]
        return {**issue, "properties": state["properties"]}, state["comments"]

    def second(self, recipe, issue, comment):
        values = {"issue": issue, "comment": {"body": comment["text"], "author": {"accountId": comment["author"]}}}
        return Run(recipe.second, values, lambda: self.seen_by_the_second(issue)[0])

    def test_the_second_rule_goes_on_when_a_202_has_ended(self):
        for name in ("temporary-access", "approval-gating", "profile-self-service", "password-reset-agent", "password-reset-manager", "onboarding-portal", "groups-by-job-title"):
            with self.subTest(name):
                case = next(c for c in CASES if c.recipe == name)
                recipe, service, issue, values = self.start(case, "300ms")
                self.sim.fault({"cloud": "graph", "regex": "^/v1.0/(users|groups)", "method": "PATCH", "in_batch": False}, delay_ms=900)
                self.sim.fault({"cloud": "graph", "regex": "^/v1.0/(users|groups)", "method": "POST", "in_batch": False}, delay_ms=900)
                first = Run(recipe.first, values)
                self.assertEqual((first.answer["outcome"], first.transitions, first.mails), ("accepted", [], []), first.answer)
                self.assertTrue(first.public[0].startswith("Taken in hand. "))
                self.assertTrue(self.sim.wait_comments(issue["key"], 1, operation=first.answer["operation"]))
                # Whoever is told of the comment finds the property already.
                seen, comments = self.seen_by_the_second(issue)
                (comment,) = [c for c in comments if c["author"] == OURS]
                self.assertEqual(seen["properties"]["entrabridge"]["operation"], first.answer["operation"])
                run = self.second(recipe, issue, comment)
                self.assertEqual((run.public, run.internal, run.transitions), (["Done. " + seen["properties"]["entrabridge"]["message"]], [], ["Resolved"]))
                self.assertEqual(len(run.mails), 1 if first.answer["name"] in ("user.reset_password", "user.onboard") else 0)
                for _, _, text in run.mails:
                    self.assertTrue(open_secret(service, re.search(r"https://\S+/secret/\S+", text).group(0)))

    def test_the_second_rule_keeps_still_for_everything_else(self):
        case = CASES[0]
        recipe, _, issue, values = self.start(case, "300ms")
        self.sim.fault({"path": "/members/$ref", "method": "POST"}, delay_ms=900)
        first = Run(recipe.first, values)
        self.assertTrue(self.sim.wait_comments(issue["key"], 1, operation=first.answer["operation"]))
        _, (comment,) = self.seen_by_the_second(issue)
        other = {"text": "Id: 0193aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee", "author": OURS}
        for why, event, of in (("somebody else's comment", {**comment, "author": "712020:" + USERS["grace"]}, issue),
                               ("of another operation", other, issue),
                               ("another request type", comment, {**issue, "requestType": {"name": "Another"}}),
                               ("a work item without the property", comment, {**issue, "key": "ITSM-9"})):
            with self.subTest(why):
                run = self.second(recipe, of, event)
                self.assertEqual((run.finished, run.comments, run.transitions), (False, [], []))

    def test_the_second_rule_tells_the_agents_what_failed(self):
        recipe, _, issue, values = self.start(CASES[0], "300ms")
        self.sim.fault({"path": "/members/$ref", "method": "POST"}, delay_ms=900, status=400, body={"error": {"code": "Request_BadRequest", "message": "No more."}})
        first = Run(recipe.first, values)
        self.assertEqual(first.answer["outcome"], "accepted")
        self.assertTrue(self.sim.wait_comments(issue["key"], 1, operation=first.answer["operation"]))
        _, (comment,) = self.seen_by_the_second(issue)
        run = self.second(recipe, issue, comment)
        self.assertEqual((run.public, run.transitions), ([], []))
        self.assertIn("entrabridge, failed:", " ".join(run.internal))

    # ---- script/run-rule

    def test_a_rule_can_be_tried_without_jira(self):
        _, service, issue, _ = self.start(CASES[0], "300ms")
        rules = service.folder / "rules.json"
        rules.write_text(json.dumps({"cloud": True, "rules": [service.recipe.first, service.recipe.second]}))
        self.sim.fault({"path": "/members/$ref", "method": "POST"}, delay_ms=900)
        words = [ROOT / "script" / "run-rule", "--jira", "http://127.0.0.1:%d" % self.sim.port, "--issue", issue["key"], "--set", "Access for.value=8h"]
        done = subprocess.run([*words, rules], capture_output=True, text=True, timeout=100 * SLOW, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for said in ("Taken in hand.", "after a 202", "Done. Added Ada Lovelace to VPN Users until", "Resolved"):
            self.assertIn(said, done.stdout)
        state = self.sim.get("/sim/state?issue=" + issue["key"])["issues"][0]
        self.assertEqual((state["status"], sum(not c["internal"] for c in state["comments"])), ("Resolved", 2))
        left = subprocess.run([*words, RECIPES / "temporary-access.json"], capture_output=True, text=True, timeout=100 * SLOW, check=False)
        self.assertEqual((left.returncode, left.stdout), (1, ""))
        self.assertIn("replace it first", left.stderr)


if __name__ == "__main__":
    unittest.main()
