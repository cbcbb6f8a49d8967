"""A company of any size in the simulator, and a service that synchronizes it: runs of it, phase by phase, as its log tells them.

Owns the simulator and the service; the world owns their processes and files.
"""
import hashlib
import json
import re
import subprocess
import time

import world as w

SYNC = """\
assets: {{api_url: {cloud}{token}}}
sync: {{every: never, load: {load}{above}}}
"""
CHURN = {"users": 6, "groups": 1, "memberships": 6, "managers": 2, "joiners": 2, "leavers": 2}      # of ten thousand people


class Run:
    """One synchronization: seconds and CPU seconds by phase, counts, memory."""

    def __init__(self, name):
        self.name, self.phases, self.counts = name, {}, {}
        self.seconds = self.cpu = self.sim_cpu = self.mib = 0.0
        self.others = 0.0
        self.changed = None             # objects that are another than before, as the simulator shows them

    def of(self, *phases):
        """Seconds and CPU seconds in these phases; None where there was none of them."""
        found = [self.phases[p] for p in phases if p in self.phases]
        return tuple(map(sum, zip(*found))) if found else None


class Synced(w.Entrabridge):
    """The service, with a section sync."""

    def __init__(self, world, load, groups=()):
        self.load_by = load
        super().__init__(world, groups)

    def write_config(self, world, groups):
        super().write_config(world, groups or ["bbbbbbbb-0000-4000-8000-000000000001"])
        imports = self.load_by != "never"
        with open(world.dir / "entrabridge.yaml", "a", encoding="utf-8") as f:
            f.write(SYNC.format(cloud=world.sim.url, token=", import_token: {file: import.secret}" if imports else "", load=self.load_by, above=", load_above: 1000" if imports else ""))
        (world.dir / "import.secret").write_text("sim-import-token")
        (world.dir / "import.secret").chmod(0o600)


class Company:
    def __init__(self, world, users, groups, load="auto", bench_groups=0, forget=True):
        self.world, self.users, self.groups = world, users, groups
        for name in ("entrabridge.db", "entrabridge.db.sync"):
            for end in ("", "-wal", "-shm", ".lock"):
                (world.dir / (name + end)).unlink(missing_ok=True)
        argv = [world.build / "sim/entrabridge-sim", "--port", 0, "--tls", "server.pem", "server.key", "--company-users", users, "--company-groups", groups,
                "--seed", 7, "--quiet"]
        process = world.start("sim", argv + (["--forget"] if forget else []))
        self.sim = world.sim = w.Sim(process, world.listening("sim", process), world.dir / "ca.pem")
        made = self.write_population(bench_groups) if bench_groups else ()
        self.service = Synced(world, load, made)
        self.cli("init")
        if load != "never":
            self.sim.call("POST", "/sim/assets/importsource", {"schemaKey": "ENTRA"})
        self.log = open(world.log("entrabridge"), encoding="utf-8", errors="replace")
        self.log.seek(0, 2)
        self.begun_mib = self.service.memory_mib()

    def write_population(self, count):
        """Files for the load generator: people of the company, and groups of their own."""
        people = self.sim.call("GET", "/sim/directory?kind=user&limit=1000")["items"]
        made = [f"bbbbbbbb-0000-4000-8000-{i:012}" for i in range(1, count + 1)]
        self.sim.call("POST", "/sim/groups", [{"id": g, "displayName": f"Bench {i}", "kind": "security"} for i, g in enumerate(made, 1)])
        fit = [p["userPrincipalName"] for p in people if p["id"].startswith("a2000000-") and p["accountEnabled"] and "#" not in p["userPrincipalName"]]
        (self.world.dir / "users").write_text("".join(u + "\n" for u in fit))
        (self.world.dir / "groups").write_text("".join(g + "\n" for g in made))
        return made

    def close(self):
        self.log.close()
        self.world.stop(self.service.process, self.sim.process)

    def cli(self, *args):
        made = subprocess.run([self.world.build / "entrabridge", "sync", *args, "--config", self.world.dir / "entrabridge.yaml"], cwd=self.world.dir,
                              capture_output=True, text=True)
        if made.returncode != 0:
            raise SystemExit(f"bench: sync {' '.join(args)} failed: {made.stdout}{made.stderr}")

    def lines(self):
        """The log's new whole lines; waits for one."""
        part = ""
        while True:
            if self.service.process.poll() is not None:
                raise SystemExit(f"bench: entrabridge ended by itself:\n{self.world.log('entrabridge').read_text()[-2000:]}")
            part += self.log.readline()
            if part.endswith("\n"):
                yield part
                part = ""
            else:
                time.sleep(0.002)

    def run(self, name, *args, on_phase=lambda phase: None):
        """A run from its order to its end. Phases are timed as the log's lines come; on_phase is told that they begin."""
        r, service = Run(name), self.service
        meter = self.world.meter_others()
        (w.pathlib.Path(f"/proc/{service.pid}/clear_refs")).write_text("5")         # the peak from here on
        sim_cpu, cpu0 = w.cpu_of(self.sim.process.pid), service.cpu()
        self.cli("run", "--background", *args)
        phase, began, cpu = None, None, None
        for line in self.lines():
            now, used = time.monotonic(), service.cpu()
            at = re.search(r'sync run=\d+ (?:phase="([^"]*)"|what=|kind=.*outcome=(\w+))', line)
            if not at:
                continue
            if phase is not None:
                seconds, spent = r.phases.get(phase, (0.0, 0.0))
                r.phases[phase] = (seconds + now - began, spent + used - cpu)
            phase, began, cpu = at.group(1) or "starting", now, used
            if at.group(2):
                r.counts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}
                r.counts["outcome"] = at.group(2)
                break
            on_phase(phase)
        r.seconds, r.cpu, r.sim_cpu = r.counts["ms"] / 1000, service.cpu() - cpu0, w.cpu_of(self.sim.process.pid) - sim_cpu
        r.mib, r.others = service.memory_mib("VmHWM"), meter()
        if r.counts["outcome"] != "succeeded":
            raise SystemExit(f"bench: the run \"{name}\" ended as {r.counts['outcome']}: {line}")
        return r

    def churn(self, times=1, only=CHURN):
        per = max(self.users // 1000, 1) * times
        self.sim.call("POST", "/sim/churn", {**{k: max(CHURN[k] * per // 10, 1) for k in only}, "seed": 11})

    def pictures(self):
        """What stands in Assets, object by object, as a hash; without the time of the last write."""
        found = {}
        for kind in ("Employee", "Group"):
            after, last = "", False
            while not last:
                page = self.sim.call("GET", f"/sim/assets?type={kind}&limit=2000{after}")
                for o in page["objects"]:
                    o["attributes"].pop("Last seen", None)
                    found[o["id"]] = hashlib.blake2b(json.dumps(o["attributes"], sort_keys=True).encode(), digest_size=8).digest()
                last = page["last"]
                after = f"&after={page['objects'][-1]['id']}" if page["objects"] else ""
        return found

    def changed_run(self, name):
        """A run after some changes; how many objects of Assets are another than before."""
        before = self.pictures()
        self.churn()
        r = self.run(name)
        after = self.pictures()
        r.changed = sum(before.get(i) != p for i, p in after.items()) + sum(i not in after for i in before)
        return r

    def floor(self, paths):
        """What a bare loop takes for the same pages: one measure for each path."""
        argv = [str(self.world.build / "bench/bench-read-floor"), self.sim.url, str(self.world.dir / "ca.pem"), *paths]
        made = subprocess.run(argv, capture_output=True, text=True)
        if made.returncode != 0:
            raise SystemExit(f"bench: the floor failed: {made.stderr}")
        return [json.loads(line) for line in made.stdout.splitlines()]

    def paths(self):
        """The first pages of users and of groups, as the service asked for them; only where the simulator keeps a log."""
        calls = self.sim.call("GET", "/sim/calls?cloud=graph&limit=2000")["calls"]
        first = lambda start: next(c["path"] for c in calls if c["path"].startswith(start) and "token=" not in c["path"])
        return [first("/v1.0/users?$select"), first("/v1.0/groups/delta?")]
