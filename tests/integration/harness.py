"""The simulator and the real binary on free ports, in a folder that goes with the test.

ENTRABRIDGE and ENTRABRIDGE_SIM name the binaries (Meson sets them).
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from raw_client import SLOW, eventually

BINARY = os.environ.get("ENTRABRIDGE", "build/entrabridge")
SIMULATOR = os.environ.get("ENTRABRIDGE_SIM", "build/sim/entrabridge-sim")

USERS = {n: "a0000000-0000-4000-8000-0000000000%02d" % i for n, i in {
    "ada": 1, "grace": 2, "alan": 3, "lee": 4, "nora": 5, "gustav": 6, "oneil": 7, "zoe": 8, "breakglass": 11, "anna": 12, "bob": 13,
    "carla": 14, "eve": 15, "sam": 16, "olga": 17, "fred": 18, "tom": 19, "nick": 20, "mallory": 24}.items()}
GROUPS = {n: "b0000000-0000-4000-8000-0000000000%02d" % i for n, i in {
    "VPN Users": 1, "CRM": 2, "Sales DE": 3, "Tier 0 admins": 6, "Tier 0 helpers": 7, "Role Admins": 8, "All Berlin": 10,
    "Mail Security": 11, "Newsletter": 12, "Synced Staff": 13, "Project Phoenix": 15, "Restricted Unit": 16, "O'Brien's Team": 17}.items()}

POLICY = {
    "serviceable_groups": [{"group": g, "projects": "*"} for g in (
        "VPN Users", "CRM", "O'Brien's Team", "Twins", "No Such Group", "All Berlin", "Mail Security", "Newsletter", "Synced Staff",
        "Project Phoenix", "Restricted Unit", "Role Admins", "Tier 0 helpers")] + [{"group": GROUPS["Sales DE"], "projects": ["HR"]}],
    "protected": {"users": ["breakglass@contoso.com"], "groups": ["Tier 0 admins"], "directory_roles": True},
    "operations": {
        "user.get": {"projects": "*", "issue": "optional"}, "group.get": {"projects": "*", "issue": "optional"},
        "user.enable": {"projects": ["ITSM", "HR"]}, "user.disable": {"projects": ["ITSM", "HR"]},
        "group.add_member": {"projects": "*", "issue": "optional"}, "group.remove_member": {"projects": "*", "issue": "optional"},
    },
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(port, method, path, body=None, headers=None, timeout=60):
    """One request on a connection of its own: (status, headers, parsed body or text)."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout * SLOW)
    try:
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        h = dict(headers or {})
        if data is not None:
            h.setdefault("Content-Type", "application/json")
        c.request(method, path, data, h)
        r = c.getresponse()
        text = r.read()
        try:
            return r.status, dict(r.getheaders()), json.loads(text)
        except ValueError:
            return r.status, dict(r.getheaders()), text.decode(errors="replace")
    finally:
        c.close()


class Sim:
    def __init__(self, *options):
        self.process = subprocess.Popen([SIMULATOR, "--port", "0", "--quiet", *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])

    def get(self, path):
        status, _, body = call(self.port, "GET", path)
        assert status == 200, (path, status, body)
        return body

    def post(self, path, body=None):
        status, _, answer = call(self.port, "POST", path, body if body is not None else {})
        assert status == 200, (path, status, answer)
        return answer

    def delete(self, path):
        call(self.port, "DELETE", path)

    def fault(self, match, times=1, after=0, **action):
        self.post("/sim/faults", {"match": match, "after": after, "times": times, "action": action})

    def settings(self, **what):
        self.post("/sim/settings", what)

    def comments(self, issue):
        return self.get("/sim/state?issue=" + issue)["issues"][0]["comments"]

    def members(self, group):
        return self.get("/sim/state?group=" + GROUPS[group])["groups"][0]["members"]

    def enabled(self, user):
        return self.get("/sim/state?user=" + USERS[user])["users"][0]["accountEnabled"]

    def wait_comments(self, issue, count, timeout_ms=20000, operation=None):
        q = {"issue": issue, "comments": count, "timeout_ms": int(timeout_ms * SLOW)}
        if operation:
            q["operation"] = operation
        return self.post("/sim/wait", q)["satisfied"]

    def writes(self):
        """Calls that change the directory, batch items too."""
        return [c for c in self.get("/sim/calls")["calls"] if c["cloud"] == "graph" and c["method"] != "GET" and "$batch" not in c["path"]]

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Service:
    """A folder with configuration, secrets and database, and the process that serves it."""

    def __init__(self, sim, policy=None, **settings):
        self.sim = sim
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="entrabridge-test-"))
        self.port = free_port()
        self.process = None
        self.tokens = {}
        self.secret("client-secret", "sim-client-secret")
        self.secret("jira-token", "sim-jira-token")
        self.settings = settings
        self.policy = policy if policy is not None else POLICY
        self.write_config()

    def secret(self, name, value):
        p = self.folder / name
        p.write_text(value)
        p.chmod(0o600)

    def write_config(self, **more):
        cloud = "http://127.0.0.1:%d" % self.settings.get("cloud_port", self.sim.port)
        config = {
            "listen": {"address": "127.0.0.1:%d" % self.port},
            "store": "sqlite:bridge.db",
            "entra": {"tenant_id": "11111111-2222-4333-8444-555555555555", "client_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
                      "client_secret": {"file": "client-secret"}, "authority_url": cloud, "graph_url": cloud + "/v1.0"},
            "jira": {"site_url": "https://contoso.atlassian.net", "api_url": cloud, "email": "bridge@contoso.com",
                     "api_token": {"file": "jira-token"}},
            "policy": self.policy,
        }
        for key, value in {**self.settings, **more}.items():
            if key == "cloud_port":
                continue
            if isinstance(value, dict):
                config.setdefault(key, {}).update(value)
            else:
                config[key] = value
        self.config = self.folder / "entrabridge.yaml"
        self.config.write_text(json.dumps(config, indent=1))        # JSON is YAML

    def cli(self, *args, check=True):
        r = subprocess.run([BINARY, *args, "--config", str(self.config)], capture_output=True, text=True, timeout=120 * SLOW, check=False)
        if check and r.returncode != 0:
            raise AssertionError("%s: exit %d\n%s%s" % (args, r.returncode, r.stdout, r.stderr))
        return r

    def token(self, name="rule", operations="*", projects="*", *more):
        if (name, operations, projects) not in self.tokens:
            self.tokens[name, operations, projects] = self.cli(
                "token", "create", "--name", name, "--operations", operations, "--projects", projects, *more).stdout.strip()
            if self.process is not None and self.process.poll() is None:
                self.await_token(self.tokens[name, operations, projects])
        return self.tokens[name, operations, projects]

    def await_token(self, token):
        """A new token counts within a second."""
        eventually(lambda: self.get("/v1/operations?issue=ITSM-1", token)[0] != 401, 5, lambda: "the new token is not taken")

    def start(self, ready=True, env=None):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([BINARY, "serve", "--config", str(self.config)], stderr=self.log,
                                        env={**os.environ, **(env or {})})
        self.await_path("/readyz" if ready else "/healthz")
        return self

    def await_path(self, path, status=200, seconds=30):
        """The service has no way to call us: asks until it answers so, or fails with its log."""
        def answers():
            if self.process.poll() is not None:
                raise AssertionError("the service ended with %s\n%s" % (self.process.returncode, self.log_text()))
            try:
                return call(self.port, "GET", path, timeout=5)[0] == status
            except OSError:
                return False
        eventually(answers, seconds, lambda: "%s is not %d\n%s" % (path, status, self.log_text()))

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")[-6000:]

    def post(self, kind, body, token=None, headers=None, timeout=60):
        noun, verb = kind.split(".")
        h = {"Authorization": "Bearer " + (token or self.token())}
        h.update(headers or {})
        return call(self.port, "POST", "/v1/%s/%s" % (noun, verb.replace("_", "-")), body, h, timeout)

    def get(self, path, token=None):
        return call(self.port, "GET", path, headers={"Authorization": "Bearer " + (token or self.token())})

    def await_ended(self, operation, seconds=60):
        def ended():
            status, _, body = self.get("/v1/operations/" + operation)
            return body if status == 200 and body["outcome"] not in ("accepted", "scheduled", "held") else None
        return eventually(ended, seconds, lambda: "operation %s has not ended\n%s" % (operation, self.log_text()))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self):
        """SIGTERM drains; a sanitizer's complaint shows as another exit code."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60 * SLOW)
        self.log.close()
        assert code == 0, "exit %d\n%s" % (code, self.log_text())

    def close(self):
        try:
            self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill()
            if self.process is not None:
                self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class Case(unittest.TestCase):
    """One simulator and one service for the whole class; each test starts from the cast."""
    sim_options = ()
    settings = {}
    policy = None

    @classmethod
    def setUpClass(cls):
        cls.sim = Sim(*cls.sim_options)
        cls.service = Service(cls.sim, cls.policy, **cls.settings)
        cls.service.token()
        cls.service.start()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.service.close()
        finally:
            cls.sim.close()

    issue_number = 0

    def setUp(self):
        self.sim.post("/sim/reset")

    def issue(self):
        """An issue of its own for each request, so that none is a repeat."""
        Case.issue_number += 1
        return "ITSM-%d" % (66 + Case.issue_number % 130)


class Alone(unittest.TestCase):
    """A simulator and a service of its own for each test: it may be stopped, killed, and its database edited."""
    settings = {"response_deadline": "20s"}
    policy = None
    number = 0

    def setUp(self):
        self.sim = Sim()
        self.service = Service(self.sim, self.policy, **self.settings)
        self.service.token()
        self.service.start()

    def tearDown(self):
        try:
            self.service.close()
        finally:
            self.sim.close()

    def issue(self):
        Alone.number += 1
        return "ITSM-%d" % (66 + Alone.number % 130)

    def execute(self, sql, *args):
        """A service sees that another process has changed its database."""
        db = sqlite3.connect(self.service.folder / "bridge.db", isolation_level=None, timeout=20)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()
