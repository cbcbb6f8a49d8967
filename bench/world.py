"""What the measurement runs in: a certificate authority, the simulated clouds, and the three servers side by side.

Owns every process that it starts and a directory that goes with it. Python's standard library and openssl only.
"""
import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = ("entrabridge", "floor", "script")

CONFIG = """\
listen: {{address: "127.0.0.1:{port}"{tls}}}
store: "sqlite:entrabridge.db"
response_deadline: 10s
entra:
  tenant_id: 11111111-2222-4333-8444-555555555555
  client_id: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
  client_secret: {{file: entra.secret}}
  authority_url: {cloud}
  graph_url: {cloud}/v1.0
  write_quota: 0
jira:
  site_url: {cloud}
  email: bridge@contoso.com
  api_token: {{file: jira.secret}}
outbound: {{ca_file: ca.pem}}
policy:
  serviceable_groups:
{groups}
  protected: {{users: [breakglass@contoso.com], groups: ["Tier 0 admins"], directory_roles: true}}
  operations:
    group.add_member: {{projects: [ITSM]}}
"""


def wait_for(what, seconds, probe, pause=0.002):
    """The first answer of `probe` that is not None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found is not None:
            return found
        time.sleep(pause)
    raise SystemExit(f"bench: waited {seconds} s in vain for {what}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_of(pid):
    """Seconds of CPU that a process has used so far, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_machine():
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return sum(map(int, fields[1:4])) / os.sysconf("SC_CLK_TCK")        # user, nice, system


class World:
    def __init__(self, build, front_tls):
        self.build = pathlib.Path(build).resolve()
        self.front_tls = front_tls
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="entrabridge-bench-"))
        self.processes = []
        self.sim = None
        self.make_certificates()

    def close(self):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()
        shutil.rmtree(self.dir)

    def cpu_of_others(self):
        own = os.times()
        return cpu_of_machine() - sum(own[:4]) - sum(cpu_of(p.pid) for p in self.processes)

    def meter_others(self):
        """A function that says how many cores the rest of the machine has kept busy since now, on average."""
        began, before = time.monotonic(), self.cpu_of_others()
        return lambda: (self.cpu_of_others() - before) / (time.monotonic() - began)

    def others_now(self):
        meter = self.meter_others()
        time.sleep(0.5)
        return meter()

    def log(self, name):
        return self.dir / f"{name}.log"

    def start(self, name, argv):
        out = open(self.log(name), "w")
        p = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=subprocess.STDOUT, cwd=self.dir)
        out.close()
        self.processes.append(p)
        return p

    def listening(self, name, process):
        """The URL in the first line that the program prints."""
        def probe():
            if process.poll() is not None:
                raise SystemExit(f"bench: {name} ended by itself:\n{self.log(name).read_text()}")
            first = self.log(name).read_text().partition("\n")
            return first[0].removeprefix("listening on ") if first[1] else None
        return wait_for(name, 20, probe)

    def stop(self, *processes):
        for p in processes:
            p.terminate()
        for p in processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            self.processes.remove(p)

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.dir, check=True, capture_output=True)

    def make_certificates(self):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self.openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=bench CA")
        self.openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        (self.dir / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
        self.openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
                     "-days", "2", "-extfile", "san")
        for name in ("server.key", "ca.key"):
            (self.dir / name).chmod(0o600)

    def start_sim(self, users, forget):
        argv = [self.build / "sim/entrabridge-sim", "--port", 0, "--tls", "server.pem", "server.key", "--users", users, "--seed", 7, "--quiet"]
        process = self.start("sim", argv + (["--forget"] if forget else []))
        self.sim = Sim(process, self.listening("sim", process), self.dir / "ca.pem")
        return self.sim

    def write_population(self, group_count):
        """Files for the load generator: the generated users, and empty groups made for this. Returns the groups' ids."""
        users = [u["userPrincipalName"] for u in self.sim.call("GET", "/sim/state")["users"] if not u["id"].startswith("a0000000-")]
        groups = [f"bbbbbbbb-0000-4000-8000-{i:012}" for i in range(1, group_count + 1)]
        self.sim.call("POST", "/sim/groups", [{"id": g, "displayName": f"Bench {i}", "kind": "security"} for i, g in enumerate(groups, 1)])
        (self.dir / "users").write_text("".join(u + "\n" for u in users))
        (self.dir / "groups").write_text("".join(g + "\n" for g in groups))
        return groups

    def load(self, *args):
        """Runs the load generator; what it measured, or None where it failed."""
        p = subprocess.run([str(self.build / "bench/bench-load"), *map(str, args)], stdout=subprocess.PIPE, text=True)
        return json.loads(p.stdout) if p.returncode == 0 else None

    def round_trip_ms(self, callers, seconds, pause_ms):
        """What one plain read of the cloud takes at that many callers (p50): the ordered latency, and what network, TLS and machine add."""
        basic = base64.b64encode(b"bridge@contoso.com:sim-jira-token").decode()
        r = self.load("--url", self.sim.url, "--ca", self.dir / "ca.pem", "--get", "/rest/api/3/issue/ITSM-1?fields=project,status,reporter",
                      "--authorization", "Basic " + basic, "--callers", callers, "--seconds", seconds, "--pause", pause_ms)
        if r is None or r["other"] > 0:
            raise SystemExit("bench: the simulated cloud could not be read")
        return r["p50_ms"]

    def server(self, name, groups):
        return {"entrabridge": Entrabridge, "floor": Floor, "script": Script}[name](self, groups)


class Sim:
    """The simulator and its control API."""

    def __init__(self, process, url, ca):
        self.process, self.url, self.ca = process, url, ca
        self.connection = None

    def call(self, method, path, body=None, headers=None):
        if self.connection is None:
            at = urllib.parse.urlsplit(self.url)
            self.connection = http.client.HTTPSConnection(at.hostname, at.port, timeout=60, context=ssl.create_default_context(cafile=self.ca))
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
            reply = self.connection.getresponse()
            text = reply.read()
        except (http.client.HTTPException, OSError):
            self.connection = None      # closed while idle; the control calls used here are safe to repeat
            return self.call(method, path, body, headers)
        if reply.status >= 300:
            raise SystemExit(f"bench: {method} {path}: {reply.status} {text[:300]}")
        return json.loads(text) if text else None

    def totals(self):
        return self.call("GET", "/sim/counters")["totals"]

    def wait_comments(self, count):
        """Until that many comments were posted in all; fewer after 20 s are told as they are."""
        end = time.monotonic() + 20
        while (have := self.totals()["comments"]) < count and time.monotonic() < end:
            time.sleep(0.01)
        return have


class Server:
    token = "none"

    def __init__(self, world, argv):
        self.world = world
        self.started = time.monotonic()
        self.process = world.start(self.name, argv)

    @property
    def pid(self):
        return self.process.pid

    def cpu(self):
        return cpu_of(self.pid)

    def memory_mib(self, key="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
        return 0.0

    def load(self, callers, *args):
        w = self.world
        r = w.load("--url", self.url, "--token", self.token, "--users", w.dir / "users", "--groups", w.dir / "groups",
                   "--callers", callers, "--pid", self.pid, *args, *(["--ca", w.dir / "ca.pem"] if w.front_tls else []))
        if r is None:
            raise SystemExit(f"bench: the load on {self.name} failed; its log ends:\n{w.log(self.name).read_text()[-2000:]}")
        return r

    def stop(self):
        self.world.stop(self.process)


class Plain(Server):
    """Floor and script: told where the cloud is, they say where they listen."""

    def __init__(self, world, groups):
        tls = ["server.pem", "server.key"] if world.front_tls else []
        super().__init__(world, [*self.program(world), world.sim.url, "ca.pem", *tls])
        self.url = world.listening(self.name, self.process)


class Floor(Plain):
    name = "floor"

    def program(self, world):
        return [world.build / "bench/bench-floor"]


class Script(Plain):
    name = "script"

    def program(self, world):
        return ["node", HERE / "script.mjs"]


class Entrabridge(Server):
    name = "entrabridge"

    def __init__(self, world, groups):
        self.port = free_port()
        self.url = f"http{'s' if world.front_tls else ''}://127.0.0.1:{self.port}"
        binary, config = world.build / "entrabridge", world.dir / "entrabridge.yaml"
        fresh = not (world.dir / "entrabridge.db").exists()
        self.write_config(world, groups)
        if fresh:
            made = subprocess.run([binary, "token", "create", "--name", "bench", "--operations", "*", "--projects", "*", "--config", config],
                                  cwd=world.dir, capture_output=True, text=True)
            if made.returncode != 0:
                raise SystemExit(f"bench: token create failed: {made.stderr}")
            (world.dir / "token").write_text(made.stdout.strip())
        self.token = (world.dir / "token").read_text()
        super().__init__(world, [binary, "serve", "--config", config])
        self.alive_s = self.wait_get("/healthz")
        self.ready_s = self.wait_get("/readyz")

    def write_config(self, world, groups):
        tls = ", tls: {certificate: server.pem, key: server.key}" if world.front_tls else ""
        rules = "\n".join(f'    - {{group: {g}, projects: [ITSM]}}' for g in groups)
        (world.dir / "entrabridge.yaml").write_text(CONFIG.format(port=self.port, tls=tls, cloud=world.sim.url, groups=rules))
        for name, text in (("entra.secret", "sim-client-secret"), ("jira.secret", "sim-jira-token")):
            (world.dir / name).write_text(text)
            (world.dir / name).chmod(0o600)

    def get_status(self, path):
        context = ssl.create_default_context(cafile=self.world.dir / "ca.pem")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as raw:
                s = context.wrap_socket(raw, server_hostname="localhost") if self.world.front_tls else raw
                s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                return s.recv(64).split(b" ")[1]
        except (ConnectionError, IndexError):
            return None

    def wait_get(self, path):
        """Seconds from the start of the process to the first 200."""
        def probe():
            if self.process.poll() is not None:
                raise SystemExit(f"bench: entrabridge ended by itself:\n{self.world.log('entrabridge').read_text()}")
            return time.monotonic() - self.started if self.get_status(path) == b"200" else None
        return wait_for(f"entrabridge {path}; its log ends:\n{self.world.log('entrabridge').read_text()[-1500:]}", 20, probe, 0.0005)
