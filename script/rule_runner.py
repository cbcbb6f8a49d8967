"""Runs an exported automation rule as Jira does, as far as the recipes go: smart values, conditions, branches, web requests. What it does to Jira is noted.

It stands in for Jira, in tests and in script/run-rule, so it takes only what it knows, and fails on everything else.
"""
import http.client
import json
import re
import urllib.parse

SMART = re.compile(r"\{\{([^{}]+)\}\}")


def as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


FUNCTIONS = {
    "asJsonString": lambda value: json.dumps(as_text(value), ensure_ascii=False),
    "jqlDate": lambda value: as_text(value)[:10],
    "right": lambda value, count: as_text(value)[-int(count):],
}


def look_up(path, values):
    """`issue.Target user.emailAddress.asJsonString`: members, then functions. What is not there is empty, as in Jira."""
    at = values
    for word in path.split("."):
        name, _, argument = word.partition("(")
        if name in FUNCTIONS:
            at = FUNCTIONS[name](at, *([argument.rstrip(")")] if argument else []))
        else:
            at = at.get(word) if isinstance(at, dict) else None
    return as_text(at)


def fill(text, values):
    return SMART.sub(lambda found: look_up(found.group(1), values), text)


class Run:
    """values: what smart values read. fetch: gives the issue anew. told(what, ...): called for each step, for who looks on."""

    def __init__(self, rule, values, fetch=None, told=lambda *what: None):
        self.values, self.fetch, self.told = values, fetch, told
        self.sent, self.comments, self.mails, self.transitions, self.logs = [], [], [], [], []
        self.steps = {
            "jira.comparator.condition": self.compare, "jira.condition.container.block": self.branch, "jira.issue.outgoing.webhook": self.request,
            "jira.issue.comment": self.comment, "jira.issue.outgoing.email": self.mail, "jira.issue.transition": self.transition,
            "jira.issue.refresh.issue": self.refresh, "codebarrel.action.log": self.log,
        }
        self.finished = self.walk(rule["components"])

    def walk(self, components):
        """False where a condition, or a request without "continue", has ended the rule."""
        return all(self.steps[c["type"]](c["value"], c) is not False for c in components)

    def compare(self, value, _):
        first, second = fill(value["first"], self.values), fill(value["second"], self.values)
        holds = {"EQUALS": first == second, "NOT_EQUALS": first != second, "CONTAINS": second in first}[value["operator"]]
        self.told("condition", value, first, second, holds)
        return holds

    def branch(self, _, container):
        for block in container["children"]:
            checks = (self.compare(c["value"], c) for c in block["conditions"])
            if not block["conditions"] or (any if block["value"]["conditionMatchType"] == "ANY" else all)(checks):
                return self.walk(block["children"])
        return True

    def request(self, value, _):
        url = urllib.parse.urlsplit(fill(value["url"], self.values))
        body = fill(value["customBody"], self.values) if value["contentType"] == "custom" else None
        headers = {h["name"]: fill(h["value"], self.values) for h in value["headers"]}
        self.told("request", value["method"], url.path, body)
        connection = (http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection)(url.netloc, timeout=60)
        try:
            connection.request(value["method"], url.path, body.encode() if body else None, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except OSError:
            status, text = 0, b""
        finally:
            connection.close()
        self.sent.append((value["method"], url.path, body, status))
        self.values["webhookResponse"] = {"status": status, "body": json.loads(text) if text else None} if value["responseEnabled"] else None
        self.told("answer", status, self.answer)
        return 200 <= status < 300 or value["continueOnErrorEnabled"]

    def comment(self, value, _):
        self.comments.append((value["publicComment"], fill(value["comment"], self.values)))
        self.told("comment", *self.comments[-1])

    def mail(self, value, _):
        self.mails.append(([to["value"] for to in value["to"]], fill(value["subject"], self.values), fill(value["body"], self.values)))
        self.told("mail", *self.mails[-1])

    def transition(self, value, _):
        self.transitions.append(value["destinationStatus"]["value"])
        self.told("transition", self.transitions[-1])

    def refresh(self, _value, _component):
        self.values["issue"] = self.fetch()

    def log(self, value, _):
        self.logs.append(fill(value, self.values))
        self.told("log", self.logs[-1])

    @property
    def answer(self):
        return self.values["webhookResponse"]["body"]

    @property
    def public(self):
        return [text for public, text in self.comments if public]

    @property
    def internal(self):
        return [text for public, text in self.comments if not public]
