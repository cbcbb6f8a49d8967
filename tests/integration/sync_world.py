"""What a synchronization must have made of the directory: reckoned here from the simulator's truth, compared object by object with what stands in Assets."""
import base64
import collections
import json
import unittest

from harness import Service, Sim, call

JIRA = {"Authorization": "Basic " + base64.b64encode(b"bridge@contoso.com:sim-jira-token").decode()}
TEXTS = {"Email": "mail", "UPN": "userPrincipalName", "Job title": "jobTitle", "Department": "department", "Office": "officeLocation", "Employee ID": "employeeId"}


def service(sim, assets=None, **sync):
    """A service with Assets at the simulator, which runs only when it is told to."""
    return Service(sim, assets={"api_url": "http://127.0.0.1:%d" % sim.port, **(assets or {})}, sync={"every": "never", **sync})


def pages(sim, path, member):
    after = None
    while True:
        page = sim.get(path + ("&after=%s" % after if after else ""))
        yield from page[member]
        after = page.get("next") or (page[member][-1]["id"] if page.get("last") is False else None)
        if not after:
            return


def directory(sim):
    return {kind: {o["id"]: o for o in pages(sim, "/sim/directory?kind=%s&limit=1000" % kind, "items")} for kind in ("user", "group")}


def accounts(sim):
    """Active accounts of people with an address that is shown: {address: [ids]}."""
    found, start = {}, 0
    while True:
        status, _, page = call(sim.port, "GET", "/rest/api/3/users/search?startAt=%d&maxResults=1000" % start, headers=JIRA)
        assert status == 200, (status, page)
        if not page:
            return found
        start += len(page)
        for a in page:
            if a["active"] and a["accountType"] == "atlassian" and a.get("emailAddress"):
                found.setdefault(a["emailAddress"].lower(), []).append(a["accountId"])


def bearers(users):
    """How many users have each mail: {address: number}."""
    return collections.Counter((u.get("mail") or "").lower() for u in users)


def account_of(user, known, mails):
    """The one account with the user's mail, if nobody else has that mail; where no account has it, the one with the UPN, if that is nobody's mail."""
    mail, upn = ((user.get(name) or "").lower() for name in ("mail", "userPrincipalName"))
    ids = known.get(mail, [])
    if ids:
        return ids[0] if len(ids) == 1 and mails[mail] == 1 else None
    ids = known.get(upn, [])
    return ids[0] if len(ids) == 1 and not mails[upn] else None


def cut(text):
    """255 units of UTF-16; half a character goes."""
    return text.encode("utf-16-le")[:510].decode("utf-16-le", "ignore")


class Expected:
    """Employees and groups as they must stand in Assets: {kind: {id: attributes}}, references as Entra ids. keep: which users are in scope."""

    def __init__(self, sim, keep=lambda u: u.get("userType") != "Guest", groups=lambda g: True, more=None):
        self.truth, known = directory(sim), accounts(sim)
        users = {i: u for i, u in self.truth["user"].items() if keep(u)}
        kept = {i: g for i, g in self.truth["group"].items() if groups(g)}
        mails = bearers(self.truth["user"].values())
        own = {i: account_of(u, known, mails) for i, u in users.items()}
        self.group = {i: self.group_of(g, kept) for i, g in kept.items()}
        self.user = {i: self.user_of(u, users, kept, own, more or {}) for i, u in users.items()}

    @staticmethod
    def group_of(g, kept):
        unified, mail, security = "Unified" in (g.get("groupTypes") or []), g.get("mailEnabled"), g.get("securityEnabled")
        kind = "Microsoft 365" if unified else "Mail-enabled security" if mail and security else "Distribution" if mail else "Security"
        if "DynamicMembership" in (g.get("groupTypes") or []):
            kind += ", dynamic"
        return {"Entra Group ID": g["id"], "Name": cut(g["displayName"]), "Description": g.get("description"), "Email": g.get("mail"), "Group type": kind,
                "Parent groups": sorted(p for p in g["memberOf"] if p in kept), "On-premises synced": bool(g.get("onPremisesSyncEnabled")) if g.get("onPremisesSyncEnabled") is not None else None}

    @staticmethod
    def user_of(u, users, kept, own, more):
        manager = u["managerId"] if u["managerId"] in users else None
        o = {name: u.get(source) for name, source in {**TEXTS, **more}.items()}
        synced = u.get("onPremisesSyncEnabled")
        o.update({"Entra User ID": u["id"], "Name": cut(u["displayName"]), "Account enabled": u["accountEnabled"], "On-premises synced": synced,
                  "Manager": manager, "Manager account ID": own.get(manager), "Groups": sorted(g for g in u["memberOf"] if g in kept),
                  "Owned groups": sorted(g for g in u["ownerOf"] if g in kept), "Jira user": own[u["id"]], "Atlassian account ID": own[u["id"]]})
        return o


def assets(sim):
    """What stands in Assets: {kind: {Entra id: object}}, doubles in a list of their own."""
    found, doubles = {"Employee": {}, "Group": {}}, []
    for kind, identity in (("Employee", "Entra User ID"), ("Group", "Entra Group ID")):
        for o in pages(sim, "/sim/assets?type=%s&limit=1000" % kind, "objects"):
            key = o["attributes"].get(identity)
            if key in found[kind]:
                doubles.append(key)
            found[kind][key] = o
    return found, doubles


def plain(value):
    """One spelling of a value: nothing, texts, sorted lists."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return sorted(map(str, value)) if isinstance(value, list) else str(value)


def differences(sim, expected, most=8):
    """What is wrong in Assets, in words; [] where it equals what was expected."""
    found, doubles = assets(sim)
    wrong = ["%s stands there twice" % d for d in doubles]
    ids = {o["key"]: i for kind in found.values() for i, o in kind.items()}
    for kind, wanted in (("Employee", expected.user), ("Group", expected.group)):
        have = {i: o for i, o in found[kind].items() if o["attributes"].get("Status") == "Active"}
        wrong += ["%s %s is missing" % (kind, i) for i in wanted.keys() - have.keys()] + ["%s %s should not be active" % (kind, i) for i in have.keys() - wanted.keys()]
        for i in wanted.keys() & have.keys():
            wrong += of_object(kind, i, wanted[i], have[i]["attributes"], ids)
        if len(wrong) > 10 * most:
            break
    return wrong[:most]


def of_object(kind, i, wanted, have, ids):
    for name, value in wanted.items():
        real = have.get(name)
        if name in ("Manager", "Groups", "Owned groups", "Parent groups"):
            real = sorted(ids.get(k, k) for k in ([real] if isinstance(real, str) else real or []))
            real = real[0] if name == "Manager" and real else real
        if name == "Groups" and value is not None:
            value = sorted(value)
        if plain(value) != plain(real):
            yield "%s %s: %s is %r, not %r" % (kind, i, name, real, value)


def make_sim(users=300, groups=40, *options):
    return Sim("--company-users", str(users), "--company-groups", str(groups), *options)


class SyncCase(unittest.TestCase):
    """A company of its own for each class; each test begins where the last one ended, unless it resets."""
    users, groups, options, assets, sync = 120, 16, (), {}, {}

    @classmethod
    def setUpClass(cls):
        cls.sim = make_sim(cls.users, cls.groups, *cls.options)
        cls.service = service(cls.sim, cls.assets, **cls.sync)

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        cls.sim.close()

    def tearDown(self):
        self.sim.delete("/sim/faults")

    def cli(self, *args, code=0):
        r = self.service.cli("sync", *args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return r

    def run_now(self, *args, code=0):
        return json.loads(self.cli("run", "--json", *args, code=code).stdout)

    def equal(self, **how):
        self.assertEqual(differences(self.sim, Expected(self.sim, **how)), [])

    def totals(self):
        return self.sim.get("/sim/counters")["totals"]
