"""Rules that were written for the marketplace app: its envelope over real sockets, its Swagger files, and the web requests that are shown for pasting."""
import json
import pathlib
import re
import subprocess
import unittest

from harness import BINARY, GROUPS, POLICY, USERS, Case, Service, call

ADA, GRACE = "ada@contoso.com", "grace@contoso.com"
SWAGGER = pathlib.Path(__file__).parent.parent / "fuzz" / "corpus" / "swagger"
RULES = {**POLICY, "operations": {
    **POLICY["operations"], "user.create": {"projects": ["ITSM"], "attributes": ["jobTitle", "department"]},
    "user.update": {"projects": ["ITSM"], "attributes": ["jobTitle", "department"]}, "user.reset_password": {"projects": ["ITSM"]}}}
COMPAT = {"routes": {"deactivate account": "user.disable"}, "fields": {"employee": "user", "position": "jobTitle"}, "default_domain": "contoso.com"}
MARKET = {"Content-Type": "Application/JSON", "x-automation-source": "Atlassian-Automation"}


class Compat(Case):
    policy = RULES
    settings = {"compat": COMPAT}

    def send(self, route, data, issue=None, token=None, **headers):
        """As a rule of the marketplace app sends it, with the issue in a header."""
        h = {**MARKET, "x-automation-key": token or self.service.token(), **headers}
        if issue is not None:
            h["x-issue-key"] = issue
        return call(self.service.port, "POST", "/v1/service", {"route": route, "data": data}, h)

    def user(self, name):
        return self.sim.get("/sim/state?user=" + USERS[name])["users"][0]


class Operations(Compat):
    def done(self, route, data, message):
        """Sends it for an issue of its own, which gets the comment; gives the answer."""
        issue = self.issue()
        status, _, a = self.send(route, data, issue)
        self.assertEqual((status, a["outcome"], a.get("changed"), a["issue"]), (200, "succeeded", True, issue), a)
        self.assertRegex(a["message"], message)
        self.assertTrue(self.sim.wait_comments(issue, 1))
        (comment,) = self.sim.comments(issue)
        self.assertEqual(comment["operation"], a["operation"])
        self.assertIn(a["message"].split(".")[0], comment["text"])
        return a

    def test_all_seven(self):
        self.sim.settings(app_role="user-administrator")        # a password cannot be set without
        a = self.done("createUser", {"userPrincipalName": "new.person@contoso.com", "displayName": "New Person", "mailNickname": "new.person", "firstName": "New",
                                     "lastName": "Person", "jobTitle": "Engineer", "accountEnabled": "true", "generatePassword": True,
                                     "forcePasswordChange": "false"}, "New Person")
        self.assertEqual((a["name"], a["userPrincipalName"]), ("user.create", "new.person@contoso.com"), a)
        a = self.done("updateUser", {"userName": "ada", "position": "Countess", "department": "Engines"}, "Ada Lovelace")
        self.assertEqual(a["after"], {"jobTitle": "Countess", "department": "Engines"}, a)
        self.done("disableUser", {"upn": ADA}, "^Disabled the account of Ada Lovelace.$")
        self.assertFalse(self.user("ada")["accountEnabled"])
        self.done("Enable_User", {"userId": USERS["ada"]}, "^Enabled the account of Ada Lovelace.$")
        self.assertTrue(self.user("ada")["accountEnabled"])
        a = self.done("reset-password", {"email": ADA, "systemGenerated": "true", "forcePasswordChange": True}, "Ada Lovelace")
        self.assertIn("secretUrl", a)
        self.done("addUserToGroup", {"userName": ADA, "groupName": "VPN Users"}, "^Added Ada Lovelace to VPN Users.$")
        self.assertIn(USERS["ada"], self.sim.members("VPN Users"))
        self.done("removeUserFromGroup", {"userName": ADA, "groupId": GROUPS["VPN Users"]}, "^Removed Ada Lovelace from VPN Users.$")
        self.assertNotIn(USERS["ada"], self.sim.members("VPN Users"))

    def test_the_issue_may_stand_in_data(self):
        issue = self.issue()
        status, _, a = self.send("deactivateAccount", {"issue": issue, "employee": "grace"})
        self.assertEqual((status, a["name"], a["issue"]), (200, "user.disable", issue), a)
        status, _, a = self.send("enableUser", {"issue": issue, "user": GRACE}, issue=self.issue())
        self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", "data.issue"), a)

    def test_a_refusal_that_is_repeated_names_the_same(self):
        issue, data = self.issue(), {"userName": ADA, "groupName": "Tier 0 admins"}
        first = self.send("addMember", data, issue)[2]
        again = self.send("addMember", data, issue)[2]
        shown = self.service.get("/v1/operations/" + first["operation"])[2]
        self.assertEqual((first["field"], again["field"], shown["field"]), ("data.groupName", "data.groupName", "group"), (first, again))

    def test_a_repeat_is_known_here_and_at_the_kinds_own_address(self):
        issue = self.issue()
        first = self.send("addMember", {"userName": "ada", "groupName": "CRM"}, issue)[2]
        self.assertFalse(first["replayed"], first)
        for status, _, a in (self.send("add_group_member", {"upn": ADA, "group": "CRM"}, issue),
                             self.service.post("group.add_member", {"issue": issue, "user": ADA, "group": "CRM"})):
            self.assertEqual((status, a["replayed"], a["operation"]), (200, True, first["operation"]), a)
        self.assertEqual(self.sim.get("/sim/counters")["totals"]["adds"], 1)

    def test_the_policy_decides_as_ever(self):
        for route, data, status, code, field in (
                ("addMember", {"userName": ADA, "groupName": "Tier 0 admins"}, 403, "group_not_serviceable", "data.groupName"),
                ("disableUser", {"userName": "breakglass"}, 403, "principal_protected", "data.userName"),
                ("updateUser", {"user": ADA, "City": "Berlin"}, 403, "attribute_not_permitted", "data.City"),
                ("updateUser", {"user": ADA, "attributes": {"City": "Berlin"}}, 403, "attribute_not_permitted", "data.attributes.City"),
                ("enableUser", {"userName": "nobody"}, 404, "user_not_found", "data.userName")):
            with self.subTest(route=route, field=field):
                got, _, a = self.send(route, data, self.issue())
                self.assertEqual((got, a["code"], a["field"]), (status, code, field), a)
        token = self.service.token("reader", "user.get")
        status, _, a = self.send("disableUser", {"userName": ADA}, self.issue(), token)
        self.assertEqual((status, a["code"]), (403, "operation_not_permitted"), a)
        self.assertEqual(call(self.service.port, "POST", "/v1/service", {"route": "enableUser", "data": {}})[0], 401)
        self.assertEqual(self.sim.writes(), [])

    def test_what_is_refused_names_what_was_sent(self):
        for data, field, said in (
                ({}, "data.user", "`data.user` is missing"),
                ({"userName": ""}, "data.userName", "The smart value in `data.userName` had no value"),
                ({"User_Name": "a b"}, "data.User_Name", "`data.User_Name` must be an object id"),
                ({"userName": ADA, "colour": "red"}, "data.colour", "has no field `data.colour`"),
                ({"userName": ADA, "mail": GRACE}, "data.mail", "`data.userName` and `data.mail`"),
                ({"userName": ADA, "dryRun": "maybe"}, "data.dryRun", "`data.dryRun` must be true or false")):
            with self.subTest(field=field):
                status, _, a = self.send("disableUser", data, self.issue())
                self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", field), a)
                self.assertIn(said, a["message"])
        status, _, a = self.send("disableUser", {"userName": ADA}, "no issue")
        self.assertEqual((status, a["field"]), (400, "x-issue-key"), a)
        status, _, a = self.send("disableUser", {"userName": ADA})
        self.assertEqual((status, a["field"]), (400, "data.issue"), a)

    def test_an_unknown_route_lists_the_known(self):
        status, _, a = self.send("deleteUser", {"userName": ADA}, self.issue())
        self.assertEqual((status, a["code"], a["field"]), (400, "invalid_request", "route"), a)
        for route in ("createUser", "updateUser", "enableUser", "disableUser", "resetPassword", "addUserToGroup", "removeUserFromGroup", "deactivate account"):
            self.assertIn(route, a["message"])

    def test_broken_envelopes(self):
        h = {**MARKET, "x-automation-key": self.service.token()}
        for body, code in ((b'{"route": "enableUser", "data": {"user": "a "b" c"}}', "invalid_json"), (b"[]", "invalid_request"), (b"{}", "invalid_request"),
                           (b'{"route": "enableUser", "route": "disableUser", "data": {}}', "invalid_json"), (b'{"route": {}, "data": {}}', "invalid_request"),
                           (b'{"route": "enableUser", "data": "x"}', "invalid_request"), (b'{"route": "enableUser", "data": {}, "more": 1}', "invalid_request")):
            status, _, a = call(self.service.port, "POST", "/v1/service", body, h)
            self.assertEqual((status, a["code"]), (400, code), a)


def fill(text):
    """A web request's body once the smart values are in it."""
    return json.loads(re.sub(r"\{\{issue\.key\.asJsonString\}\}", '"ITSM-42"', re.sub(r"\{\{issue\.[^{}]*emailAddress\.asJsonString\}\}", json.dumps(ADA), text)
                             ).replace("{{issue.summary.asJsonString}}", '"because"'))


class Requests(Compat):
    def test_a_token_sees_what_it_may_ask_for(self):
        status, _, a = self.service.get("/v1/kinds", self.service.token("two", "group.add_member,user.invite,user.disable"))
        self.assertEqual((status, [k["name"] for k in a["kinds"]]), (200, ["user.disable", "group.add_member"]), a)     # the policy lists no user.invite
        add = a["kinds"][1]
        self.assertLessEqual({"user", "group", "expiresIn", "issue", "reason"}, {f["name"] for f in add["fields"]})
        self.assertEqual((add["request"]["method"], add["request"]["url"]), ("POST", "http://127.0.0.1:%d/v1/group/add-member" % self.service.port))
        self.assertEqual(call(self.service.port, "GET", "/v1/kinds")[0], 401)
        names = [k["name"] for k in self.service.get("/v1/kinds")[2]["kinds"]]
        self.assertEqual(sorted(names), sorted(RULES["operations"]))

    def test_what_is_shown_works(self):
        request = self.service.get("/v1/kinds")[2]["kinds"]
        request = [k["request"] for k in request if k["name"] == "group.add_member"][0]
        headers = {**request["headers"], "x-automation-key": self.service.token()}
        status, _, a = call(self.service.port, "POST", request["url"].split(str(self.service.port), 1)[1], fill(request["body"]), headers)
        self.assertEqual((status, a["outcome"], a["message"].split(" until")[0]), (200, "succeeded", "Added Ada Lovelace to VPN Users"), a)

    def test_every_kind_shows_a_request_with_all_that_it_requires(self):
        document = call(self.service.port, "GET", "/openapi.json")[2]
        shown = 0
        for item in document["paths"].values():
            post = item.get("post", {})
            if "x-changes" not in post:
                continue
            body = json.loads(re.sub(r"\{\{[^{}]+\.asJsonString\}\}", '"x"', post["x-automation-body"]))
            schema = post["requestBody"]["content"]["application/json"]["schema"]
            self.assertLessEqual(set(schema.get("required", [])) | {"issue"}, set(body), post["operationId"])
            self.assertLessEqual(set(body), set(schema["properties"]), post["operationId"])
            self.assertEqual("reason" in body, post["x-changes"], post["operationId"])
            self.assertNotIn("password", body)
            shown += 1
        self.assertGreater(shown, 20)

    def test_a_new_token_comes_with_a_request(self):
        new = ("token", "create", "--name", "n", "--projects", "ITSM", "--operations")
        r = self.service.cli(*new, "group.add_member,user.disable,user.get")
        self.assertRegex(r.stdout, r"\A[\w.-]{40,}\n\Z")
        self.assertNotIn(r.stdout.strip(), r.stderr)
        for said in ("user.disable", "/v1/user/disable", "x-automation-key: PUT THE TOKEN HERE", '"user": {{issue.Target user.emailAddress.asJsonString}}', "GET /v1/kinds"):
            self.assertIn(said, r.stderr)
        self.assertIn("/v1/group/add-member", self.service.cli(*new, "*", "--example", "group.add_member").stderr)
        r = self.service.cli(*new, "user.invite")
        self.assertIn("The policy lists none of this token's operations", r.stderr)
        r = self.service.cli(*new, "*", "--example", "user.vanish", check=False)
        self.assertEqual((r.returncode, r.stdout), (2, ""))
        self.assertIn("--example: no operation `user.vanish`", r.stderr)
        r = self.service.cli(*new, "group.add_member", "--json")
        self.assertEqual((json.loads(r.stdout)["requests"][0]["kind"], r.stderr), ("group.add_member", ""))


def compat_import(*files, json_too=False):
    return subprocess.run([BINARY, "compat", "import", *map(str, files), *(["--json"] if json_too else [])], capture_output=True, text=True, timeout=60, check=False)


class Import(unittest.TestCase):
    FILES = [SWAGGER / name for name in ("ok-two.json", "ok-three.json", "ok-three.yaml")]

    def test_what_is_recognised_is_in_force_and_the_rest_is_not(self):
        r = compat_import(*self.FILES)
        self.assertEqual((r.returncode, r.stderr), (0, ""))
        for line in ("    add-user-to-group: group.add_member", "    createUser: user.create", "    # deactivateAccount: user.disable  ", "    # frobnicate: ",
                     "    resetPassword: user.reset_password", "    updateUser: user.update", "    userName: user  ", "    firstName: givenName  ", "    email: user  ",
                     "    office_location: officeLocation  ", "    # costCentre: ", '    # "true": ', '    # "how far": '):
            self.assertIn("\n" + line, r.stdout)
        self.assertIn("x-issue-key", r.stdout)

    def test_it_can_be_pasted(self):
        """Also with each line in force that was guessed or filled in; and what it says is what the endpoint does."""
        text = compat_import(*self.FILES).stdout
        filled = text
        for name, means in (("frobnicate", "user.get"), ("deactivateAccount", ""), ("costCentre", "department"), ('"true"', "user"), ('"how far"', "reason"),
                            ("ticketNumber", "issue")):
            filled = re.sub("^    # %s:" % name, "    %s: %s " % (name, means), filled, flags=re.M)
        self.assertNotRegex(filled, "(?m)^    #")
        only_comments = re.sub(r"^    (?=[^#\n])", "    # ", text, flags=re.M)
        service = Service(type("Sim", (), {"port": 1})())
        try:
            plain = service.config.read_text()
            for section in (text, filled, only_comments):
                # the plain one is JSON; what is pasted stands below it, as in a file of YAML
                keys = "\n".join("%s: %s" % (k, json.dumps(v)) for k, v in json.loads(plain).items())
                service.config.write_text(keys + "\n" + section)
                self.assertIn("no faults", service.cli("config", "validate").stdout)
        finally:
            service.close()

    def test_json(self):
        a = json.loads(compat_import(*self.FILES, json_too=True).stdout)
        self.assertEqual(a["compat"]["routes"], {"add-user-to-group": "group.add_member", "createUser": "user.create", "resetPassword": "user.reset_password",
                                                 "updateUser": "user.update"})
        self.assertEqual(a["compat"]["fields"]["lastName"], "surname")
        guessed = [r for r in a["routes"] if not r["known"]]
        self.assertEqual([(r["route"], r["kind"]) for r in guessed], [("deactivateAccount", "user.disable"), ("frobnicate", None)])
        self.assertEqual({f["name"]: f["required"] for f in a["routes"][0]["fields"]}, {"userName": True, "groupName": True, "ticketNumber": False})

    def test_one_bad_file_ends_it_and_nothing_is_printed(self):
        for name in sorted(p.name for p in SWAGGER.iterdir() if p.name.startswith("bad-")):
            with self.subTest(name=name):
                r = compat_import(self.FILES[0], SWAGGER / name)
                self.assertEqual((r.returncode, r.stdout), (1, ""))
                self.assertIn(str(SWAGGER / name), r.stderr)
        r = compat_import(SWAGGER / "no-such-file", SWAGGER)
        self.assertEqual((r.returncode, r.stdout, len(r.stderr.splitlines())), (1, "", 2), r.stderr)
        self.assertEqual(compat_import().returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
