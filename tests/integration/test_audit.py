"""The audit trail end to end: the row behind each comment, what is noticed when either is tampered with, what can be erased and exported."""
import json
import os
import sqlite3
import unittest

from harness import GROUPS, USERS, Case


class Audit(Case):
    """One service; tampering is done to its database while it runs, as somebody with the file in hand could."""

    def add(self, user="alan", **more):
        """A membership that is new to the simulator: (operation's id, issue)."""
        issue = self.issue()
        status, _, answer = self.service.post("group.add_member", {"issue": issue, "user": user + "@contoso.com", "group": "VPN Users", **more})
        self.assertEqual(status, 200, answer)
        self.assertTrue(self.sim.wait_comments(issue, 1, operation=answer["operation"]))
        self.await_posted(answer["operation"])
        return answer["operation"], issue

    def await_posted(self, operation):
        """The comment is there a moment before its row says so."""
        for _ in range(200):
            rows = json.loads(self.service.cli("outbox", "list", "--json", "--state", "posted", "--limit", "1000").stdout)
            if any(r["operation"] == operation for r in rows):
                return
        self.fail("not posted")

    def verify(self, *options):
        r = self.service.cli("audit", "verify", "--json", *options, check=False)
        return r.returncode, json.loads(r.stdout)

    def rows(self, *options):
        return [json.loads(line) for line in self.service.cli("audit", "export", *options).stdout.splitlines()]

    def row_of(self, operation):
        return next(r for r in self.rows() if r.get("operation") == operation)

    def sql(self, text, *values):
        db = sqlite3.connect(self.service.folder / "bridge.db", timeout=30)
        with db:
            found = db.execute(text, values).fetchall()
        db.close()
        return found

    def comment(self, issue):
        return self.sim.comments(issue)[-1]

    def fault_of(self, operation):
        """None: comment and row agree. Other tests' comments went with the simulator's reset."""
        code, answer = self.verify("--anchors", "--since", "1h")
        faults = [f["fault"] for f in answer["anchors"]["faults"] if f["operation"] == operation]
        self.assertEqual(code, 1 if answer["anchors"]["faultCount"] else 0)
        return faults[0] if faults else None

    def test_row_and_comment(self):
        operation, issue = self.add(reason="joins the project")
        row, comment = self.row_of(operation), self.comment(issue)
        self.assertIn("Audit: %d / %s" % (row["number"], row["hash"][:16]), comment["text"])
        self.assertIn("joins the project", comment["text"])
        self.assertTrue(comment["internal"])
        data, personal = row["data"], row["personal"]
        self.assertEqual((data["name"], data["outcome"], data["changed"], data["comment"], data["token"], data["issue"]),
                         ("group.add_member", "succeeded", True, True, "rule", issue))
        self.assertEqual(data["groupId"], GROUPS["VPN Users"])
        for member in ("rule", "requestId", "configuration", "tokenId"):
            self.assertTrue(data[member], member)
        self.assertEqual((personal["userId"], personal["userPrincipalName"], personal["reason"], personal["before"], personal["after"]),
                         (USERS["alan"], "alan@contoso.com", "joins the project", {"member": False}, {"member": True}))
        for of_a_person in (USERS["alan"], "alan", "Turing", "joins"):
            self.assertNotIn(of_a_person, json.dumps(data))
        self.assertIsNone(self.fault_of(operation))

    def test_what_is_a_row(self):
        """Refusals at each stage, reads, policy and tokens."""
        issue = self.issue()
        self.service.post("group.add_member", {"issue": issue, "user": "anna.admin@contoso.com", "group": "VPN Users"})
        self.service.post("user.disable", {"issue": "SEC-1", "user": "alan@contoso.com"})
        narrow = self.service.token("narrow", "user.get", "ITSM")
        self.service.post("group.add_member", {"issue": issue, "user": "alan@contoso.com", "group": "VPN Users"}, narrow)
        self.service.post("user.get", {"user": "alan@contoso.com"})
        self.service.cli("token", "revoke", "narrow")
        seen = {(r["event"], r["data"].get("outcome"), r["data"].get("code")) for r in self.rows()}
        for wanted in (("operation", "refused", "principal_protected"), ("operation", "refused", "issue_not_permitted"),
                       ("operation", "refused", "operation_not_permitted"), ("operation", "succeeded", None), ("policy", None, None),
                       ("token.create", None, None), ("token.revoke", None, None)):
            self.assertIn(wanted, seen)
        self.assertEqual(self.verify()[0], 0)

    def test_edited_comment(self):
        operation, issue = self.add()
        comment = self.comment(issue)
        self.assertIsNone(self.fault_of(operation))
        self.sim.post("/sim/comments", {"issue": issue, "id": comment["id"], "text": comment["text"].replace("Alan", "Grace")})
        self.assertEqual(self.fault_of(operation), "edited")
        people = self.service.cli("audit", "verify", "--anchors", check=False)
        self.assertEqual(people.returncode, 1)
        self.assertIn(operation, people.stdout)
        self.assertIn("the comment was edited", people.stdout)

    def test_missing_comment(self):
        operation, issue = self.add()
        self.sim.post("/sim/comments", {"issue": issue, "id": self.comment(issue)["id"], "deleted": True})
        self.assertEqual(self.fault_of(operation), "missing")

    def test_rewritten_row(self):
        """Somebody with database and key makes row and chain anew: the comment has the old hash."""
        operation, _ = self.add()
        number = self.row_of(operation)["number"]
        old, = self.sql("SELECT hash FROM audit WHERE number = ?", number)
        self.sql("UPDATE audit SET hash = ? WHERE number = ?", "0" * 64, number)
        try:
            code, answer = self.verify()
            self.assertEqual((code, answer["whole"]), (1, False))
            self.assertIn("row %d was changed" % number, answer["fault"])
            self.assertEqual(self.fault_of(operation), "other_row")
        finally:
            self.sql("UPDATE audit SET hash = ? WHERE number = ?", old[0], number)
        self.assertEqual(self.verify()[0], 0)

    def test_lost_outbox_row(self):
        operation, _ = self.add()
        row, = self.sql("SELECT comment_id FROM outbox WHERE operation = ? AND kind = 'comment'", operation)
        self.sql("UPDATE outbox SET operation = 'x' WHERE operation = ?", operation)
        self.assertEqual(self.fault_of(operation), "no_anchor")
        self.sql("UPDATE outbox SET operation = ? WHERE operation = 'x'", operation)
        self.assertIsNone(self.fault_of(operation))
        self.assertTrue(row[0])

    def test_jira_away(self):
        self.add()
        self.sim.fault({"cloud": "jira", "path": "/myself"}, times=-1, status=401)
        r = self.service.cli("audit", "verify", "--anchors", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertIn("jira.api_token", r.stderr)
        self.sim.delete("/sim/faults")

    def test_erase(self):
        operation, issue = self.add("zoe", reason="secret of Zoë")
        other, _ = self.add("alan")
        counted = self.service.cli("audit", "erase", "zoe@contoso.com", check=False)
        self.assertEqual(counted.returncode, 2)
        self.assertIn("Nothing was done", counted.stdout)
        self.assertIn("personal", self.row_of(operation))
        self.service.cli("audit", "erase", "ZOE@contoso.com", "--confirm", "erase")
        row = self.row_of(operation)
        self.assertTrue(row["erased"])
        self.assertNotIn("personal", row)
        self.assertIn("personal", self.row_of(other))
        self.assertIsNone(self.fault_of(operation))         # number and hash still agree
        code, answer = self.verify()
        self.assertEqual((code, answer["whole"]), (0, True), answer)
        self.assertGreaterEqual(answer["erased"], 1)
        erasure = next(r for r in self.rows() if r["event"] == "audit.erase" and row["number"] in r["data"]["rows"])
        self.assertNotIn("zoe", json.dumps(erasure).lower())
        self.assertEqual(self.sql("SELECT count(*) FROM audit_personal WHERE data LIKE '%secret of Zo%'"), [(0,)])
        for wrong in ("zoe", "a@b@c", "@", ""):
            self.assertEqual(self.service.cli("audit", "erase", wrong, check=False).returncode, 2, wrong)
        self.assertEqual(self.service.cli("audit", "erase", "zoe@contoso.com", "--confirm", "yes", check=False).returncode, 2)

    def test_deleted_by_hand(self):
        operation, _ = self.add()
        number = self.row_of(operation)["number"]
        kept = self.sql("SELECT * FROM audit_personal WHERE number = ?", number)[0]
        self.sql("DELETE FROM audit_personal WHERE number = ?", number)
        code, answer = self.verify()
        self.assertEqual(code, 1)
        self.assertIn("no `audit erase` took it away", answer["fault"])
        self.sql("INSERT INTO audit_personal VALUES (?, ?, ?)", *kept)
        self.assertEqual(self.verify()[0], 0)

    def test_export(self):
        operation, issue = self.add("mallory")          # with bidi and BEL in the name
        path = self.service.folder / "audit.cef"
        self.service.cli("audit", "export", "--format", "cef", "--output", str(path), "--since", "1h")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        lines = path.read_text().splitlines()
        line = next(l for l in lines if operation in l)
        self.assertTrue(line.startswith("CEF:0|entrabridge|entrabridge|"))
        for part in ("|group.add_member|group.add_member succeeded|3|", " duser=mallory@contoso.com ", " cs1Label=issue cs1=%s " % issue, " suser=rule "):
            self.assertIn(part, line)
        self.assertTrue(all(l.startswith("CEF:0|") for l in lines))
        exported = self.service.cli("audit", "export").stdout
        self.assertFalse(any(c in exported for c in "\u202a\u202b\u202d\u202e\u2066\u2067\x07"))
        self.assertEqual(self.rows("--since", "2099-01-01T00:00:00Z"), [])
        self.assertEqual(self.service.cli("audit", "export", "--format", "xml", check=False).returncode, 2)
        self.assertEqual(self.service.cli("audit", "export", "--since", "soon", check=False).returncode, 2)
        self.assertEqual(self.service.cli("audit", "export", "--output", "/nonexistent/x", check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
