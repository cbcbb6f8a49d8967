/* test_config.c - the configuration file: what loads, every fault with its line, secrets that never show. Each case replaces one section of a good file. */
#include "tests/unit/config_fixture.h"

#define GROUPS(rest) "policy: {serviceable_groups: [" rest "]}"
#define OPERATIONS(rest) "policy: {operations: {" rest "}}"
#define GROUP(rest) GROUPS("{group: VPN, projects: [ITSM], " rest "}")
#define OPERATION(kind, rest) OPERATIONS(kind ": {projects: [HR], " rest "}")
#define UPDATE(rest) OPERATION("user.update", rest)
#define SYNC(rest) "assets: {}\nsync: {" rest "}"
#define USERS(rest) SYNC("users: {" rest "}")
#define FURTHER(rest) SYNC("attributes: [" rest "]")
#define DUTIES(rest) "policy: {separation_of_duties: [" rest "]}"

/* fault: a part of the one line that is expected; NULL: it loads. */
static const struct { const char *section, *text, *fault; } cases[] = {
    { "more", "", NULL },
    /* shape of the whole */
    { "policy", "", "e.yaml:1: policy: is missing" },
    { "policy", "policy:", NULL },
    { "policy", "policy: yes", "e.yaml:5: policy: is of another type, expected a mapping" },
    { "listen", "", "e.yaml:1: listen.address: is missing" },
    { "listen", "listen: \"127.0.0.1:1\"", "listen: is of another type" },
    { "more", "polcy: {}", "e.yaml:6: polcy: unknown key, expected `policy`?" },
    { "more", "zzz: {}", "e.yaml:6: zzz: unknown key, expected one of listen, store, keys" },
    { "more", "store: \"sqlite:b\"", "e.yaml:6: store: given twice (first in line 2)" },
    { "more", "assets: {workspace_id: w, api_url: https://api.atlassian.com, schema_key: ENTRA}", NULL },
    { "more", "assets: {workspace: w}", "assets.workspace: unknown key" },
    { "more", "assets: {schema_key: [1]}", "assets.schema_key: is a list, expected text" },
    { "more", "assets:", NULL },
    { "more", "assets: {import_token: hunter2}", "assets.import_token: a secret must not stand in the file itself" },
    { "more", "assets: {import_token: {file: good}, max_calls: 65}", "assets.max_calls: is too large, expected a whole number, from 1 to 64" },
    { "more", "compat: {routes: {}}", "compat: is not enforced by this version yet" },
    /* what YAML can and this file must not */
    { "more", "log: &a {level: info}", "e.yaml:6: anchors and aliases" },
    { "more", "log: *a", "anchors and aliases" },
    { "more", "log: {<<: {level: info}}", "merge keys" },
    { "more", "log: {level: !!str info}", "tags" },
    { "more", "---\nlog: {}", "e.yaml:6: a second document" },
    { "more", "log: {level: info", "e.yaml:7: not valid YAML" },
    { "more", "log: {level: \"in\\0fo\"}", "NUL" },
    { "more", "log: {level: \xff}", "e.yaml:1: not valid YAML" },
    { "more", "? [a]\n: b", "e.yaml:6: a key must be a text" },
    { "more", "log: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "nested deeper than 12" },
    /* numbers, sizes, durations, words */
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: 65536, max_head: 64KiB, idle: 10m}", NULL },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: 65537}", "listen.max_connections: is too large, expected a whole number, from 1 to 65536" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: 0}", "is too small" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: 1e3}", "is not a whole number" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: \"10\"}", "is not a whole number" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: 99999999999999999999}", "is not a whole number" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_connections: }", "listen.max_connections: has no value" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_conections: 1}", "expected `max_connections`?" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_head: 1GB}", "has an unknown unit" },
    { "listen", "listen: {address: \"127.0.0.1:1\", max_body: 2MiB}", "is too large, expected a size such as 64KiB, from 1KiB to 1MiB" },
    { "listen", "listen: {address: \"127.0.0.1:1\", idle: 15}", "is not a duration" },
    { "listen", "listen: {address: \"127.0.0.1:1\", idle: 11m}", "is too large" },
    { "listen", "listen: {address: \"127.0.0.1:1\", behind_proxy: yes}", "expected true or false" },
    { "listen", "listen: {address: \"127.0.0.1:1\", behind_proxy: \"true\"}", "expected true or false" },
    { "more", "log: {level: loud}", "log.level: is not known, expected one of debug, info, warn, error" },
    /* addresses */
    { "listen", "listen: {address: \"[::1]:0\"}", NULL },
    { "listen", "listen: {address: \"127.9.9.9:80\"}", NULL },
    { "listen", "listen: {address: \"0.0.0.0:80\"}", "listen.address: is plain http on an address that others can reach" },
    { "listen", "listen: {address: \"[::]:80\"}", "is plain http" },
    { "listen", "listen: {address: \"0.0.0.0:80\", behind_proxy: true}", NULL },
    { "listen", "listen: {address: \"example.com:80\"}", "is not a numeric address" },
    { "listen", "listen: {address: \"127.0.0.1\"}", "has no port" },
    { "listen", "listen: {address: \"127.0.0.1:65536\"}", "has no port" },
    { "listen", "listen: {address: \"127.0.0.1:1\", allow: [10.0.0.0/8, \"::1\", 192.0.2.1]}", NULL },
    { "listen", "listen: {address: \"127.0.0.1:1\", allow: 10.0.0.0/33}", "prefix length from 0 to 32" },
    { "listen", "listen: {address: \"127.0.0.1:1\", trusted_proxies: [proxy]}", "is not an address" },
    { "listen", "listen: {address: \"0.0.0.0:1\", tls: {certificate: a}}", "listen.tls.key: is missing" },
    { "store", "store: postgresql://db/x", "store: names PostgreSQL, which is not supported by this version yet" },
    { "store", "store: mysql:x", "expected sqlite:PATH" },
    { "store", "store: 'sqlite:'", "expected sqlite:PATH" },
    /* URLs */
    { "more", "public_url: http://localhost:8080/", NULL },
    { "more", "public_url: http://[::1]/x", NULL },
    { "more", "public_url: http://127.0.0.1.example.com", "is plain http to a host that is not a loopback address" },
    { "more", "public_url: http://127.1", "is plain http" },
    { "more", "public_url: https://a@b", "has a user or password" },
    { "more", "public_url: https://b?x", "has a query" },
    { "more", "public_url: https://b#x", "has a query or a fragment" },
    { "more", "public_url: https://", "has no host" },
    { "more", "public_url: https://b:0", "has a port" },
    { "more", "public_url: https://b/../c", ".. segment" },
    { "more", "public_url: \"https://b/a b\"", "not allowed there" },
    { "more", "public_url: ftp://b", "does not begin with https://" },
    /* Entra and Jira */
    { "entra", "entra: {tenant_id: common, client_id: c, client_secret: {file: good}}", "is not one tenant" },
    { "entra", "entra: {tenant_id: a/b, client_id: c, client_secret: {file: good}}", "entra.tenant_id: holds a character" },
    { "entra", "entra: {tenant_id: t, client_id: c}", "entra.client_secret: is missing" },
    { "entra", ENTRA("client_secret: {file: good}, client_certificate: {certificate: crt.pem, key: key.pem}"), "expected one of the two" },
    { "entra", ENTRA("client_certificate: {certificate: crt.pem, key: key.pem}"), NULL },
    { "entra", ENTRA("client_certificate: {certificate: crt.pem}"), "entra.client_certificate.key: is missing" },
    { "entra", ENTRA("client_certificate: {certificate: crt.pem, key: open.pem}"), "open.pem can be read or written by group or others (mode 0644)" },
    { "entra", ENTRA("client_certificate: {certificate: crt.pem, key: other.pem}"), "does not belong to the certificate" },
    { "entra", ENTRA("client_certificate: {certificate: key.pem, key: key.pem}"), "holds no certificate" },
    { "entra", ENTRA("client_certificate: {certificate: none.pem, key: key.pem}"), "cannot be opened" },
    { "entra", ENTRA("client_secret: {file: good}, cloud: mars"), "expected one of global, usgov, usgov-dod, china" },
    { "entra", ENTRA("client_secret: {file: good}, authority_url: http://login.example.com"), "entra.authority_url: is plain http" },
    { "jira", JIRA("api_token: {file: good}, email: nobody"), "is not an e-mail address" },
    { "jira", JIRA("api_token: {file: good}, comment_visibility: secret"), "expected one of internal, public" },
    { "jira", JIRA("email: a@b.c"), "jira.api_token: is missing, expected a reference" },
    /* secrets; hunter2 must never show, which the test looks for in every case */
    { "jira", JIRA("api_token: hunter2"), "e.yaml:4: jira.api_token: a secret must not stand in the file itself" },
    { "jira", JIRA("api_token: [hunter2]"), "is not a reference" },
    { "jira", JIRA("api_token: {hunter2: 1}"), "is not a reference of a known sort" },
    { "jira", JIRA("api_token: {hunter2}"), "is not a reference" },
    { "jira", JIRA("api_token: {value: hunter2}"), "is not a reference of a known sort" },
    { "jira", JIRA("api_token: {file: good, env: X}"), "is not a reference" },
    { "jira", JIRA("api_token: {file: none}"), "none cannot be opened: No such file" },
    { "jira", JIRA("api_token: {file: open}"), "(mode 0640), expected its owner only: chmod 600" },
    { "jira", JIRA("api_token: {file: empty}"), "empty is empty" },
    { "jira", JIRA("api_token: {file: lines}"), "several lines" },
    { "jira", JIRA("api_token: {file: long}"), "holds more than 4096 bytes" },
    { "jira", JIRA("api_token: {file: .}"), "is not a plain file" },
    { "jira", JIRA("api_token: {env: EB_TEST_SECRET}"), NULL },
    { "jira", JIRA("api_token: {env: EB_TEST_UNSET}"), "EB_TEST_UNSET is not set" },
    { "jira", JIRA("api_token: {env: \"hunter2!\"}"), "env is not the name of an environment variable" },
    { "jira", JIRA("api_token: {credential: open}"), NULL },
    { "jira", JIRA("api_token: {credential: ../good}"), "is not a plain name" },
    /* policy */
    { "policy", GROUPS("{group: VPN, projects: [ITSM, HR]}, {group: B, projects: '*'}, {group: C, projects: HR}"), NULL },
    { "policy", GROUPS("{group: VPN}"), "policy.serviceable_groups[0].projects: is missing" },
    { "policy", GROUPS("{group: VPN, projects: []}"), "names no project" },
    { "policy", GROUPS("{group: VPN, projects: [itsm]}"), "is not a project key" },
    { "policy", GROUPS("{group: VPN, projects: [ITSM, '*']}"), "is not a project key" },
    { "policy", GROUPS("{group: VPN, projects: '*'}, {group: vpn, projects: '*'}"), "policy.serviceable_groups[1].group: names the same group as item 0" },
    { "policy", GROUP("limits: {}"), NULL },
    { "policy", GROUP("limits: {per_group: 5, per_token: 2, per_issue: 1}"), NULL },
    { "policy", GROUP("limits: {per_group: 0}"), "policy.serviceable_groups[0].limits.per_group: is too small" },
    { "policy", GROUP("limits: {per_target: 5}"), "policy.serviceable_groups[0].limits.per_target: unknown key" },
    { "policy", GROUPS("{group: \"V\\u202EPN\", projects: '*'}"), "control or invisible characters" },
    { "policy", GROUPS("{group: ' VPN', projects: '*'}"), "begins or ends with a blank" },
    { "policy", GROUPS("VPN"), "policy.serviceable_groups[0]: is of another type, expected a mapping" },
    { "policy", "policy: {serviceable_groups: {a: b}}", "expected a list of mappings" },
    { "policy", OPERATIONS("user.get: {projects: '*', issue: optional}"), NULL },
    { "policy", OPERATIONS("user.get: "), "policy.operations.user.get.projects: is missing" },
    { "policy", OPERATIONS("user.gte: {projects: '*'}"), "expected one of user.get, user.disable, group.add_member" },
    { "policy", OPERATIONS("user.get: {projects: '*', issue: perhaps}"), "expected one of optional, required" },
    { "policy", "policy: {mode: shadow}", NULL },
    { "policy", "policy: {mode: dry}", "policy.mode: is not known, expected one of enforce, shadow" },
    /* conditions: each value */
    { "policy", GROUP("approval: required, approvals: 2, approvers: 'group:Managers', approval_max_age: 14d, "
                      "bind: {user: customfield_10050, group: customfield_10051, attributes.jobTitle: summary}, requester: 'group:Staff', "
                      "request_types: [25, 31], statuses: [Open, In progress], max_age: 30d, max_duration: 30d, mode: shadow"), NULL },
    { "policy", GROUP("approval: none"), NULL },
    { "policy", GROUP("approval: maybe"), "policy.serviceable_groups[0].approval: is not known, expected one of required, none" },
    { "policy", GROUP("approval: maybe, approvals: 2"), "[0].approval: is not known" },
    { "policy", GROUP("approval: required, approvals: 0"), "[0].approvals: is too small, expected a whole number, from 1 to 20" },
    { "policy", GROUP("approval: required, approvers: Managers"), "[0].approvers: names no group, expected \"group:NAME\"" },
    { "policy", GROUP("approval: required, approvers: 'group: '"), "approvers: begins or ends with a blank" },
    { "policy", GROUP("approval: required, approvers: 'group:'"), "[0].approvers: names no group" },
    { "policy", GROUP("approval: required, approval_max_age: 30s"), "[0].approval_max_age: is too small" },
    { "policy", GROUP("approval: required, bind: {}"), "[0].bind: is empty" },
    { "policy", GROUP("approval: required, bind: [user]"), "[0].bind: is not a mapping" },
    { "policy", GROUP("approval: required, bind: {user: Employee}"), "[0].bind: binds to something that is no id of a field in Jira" },
    { "policy", GROUP("approval: required, bind: {user: customfield_x}"), "is no id of a field" },
    { "policy", GROUP("approval: required, bind: {user: [customfield_1]}"), "[0].bind: is a list" },
    { "policy", GROUP("approval: required, bind: {'us er': customfield_1}"), "no field of a request" },
    { "policy", GROUP("requester: boss"), "[0].requester: is not known, expected manager, self, any or \"group:NAME\"" },
    { "policy", GROUP("requester: [self]"), "[0].requester: is a list" },
    { "policy", GROUP("request_types: []"), "[0].request_types: is an empty list" },
    { "policy", GROUP("request_types: [Access]"), "[0].request_types: is not a number" },
    { "policy", GROUP("statuses: []"), "[0].statuses: is an empty list" },
    { "policy", GROUP("max_age: 0s"), "[0].max_age: is too small" },
    { "policy", GROUP("max_duration: 4000d"), "[0].max_duration: is too large" },
    { "policy", GROUP("mode: on"), "[0].mode: is not known" },
    { "policy", GROUP("attributes: [jobTitle]"), "[0].attributes: unknown key" },
    /* conditions: what they say together, each fault at the line of its key */
    { "policy", "policy:\n  serviceable_groups:\n    - group: VPN\n      projects: '*'\n      approval: required\n",
      "e.yaml:9: policy.serviceable_groups[0].approval: stands beside projects: \"*\"" },
    { "policy", GROUPS("{group: VPN, projects: '*', requester: any}"), "[0].requester: stands beside projects: \"*\"" },
    { "policy", GROUPS("{group: VPN, projects: '*', statuses: [Open], max_duration: 1d}"), NULL },
    { "policy", OPERATIONS("user.get: {projects: '*', approval: required}"), "policy.operations.user.get.approval: stands beside projects: \"*\"" },
    { "policy", GROUP("approvals: 2"), "[0].approvals: has no effect without an approval, expected approval: required beside it" },
    { "policy", GROUP("approval: none, approvers: 'group:M'"), "[0].approvers: has no effect" },
    { "policy", GROUP("approval_max_age: 1d"), "[0].approval_max_age: has no effect" },
    { "policy", GROUP("bind: {user: customfield_1}"), "[0].bind: has no effect" },
    { "policy", OPERATION("user.get", "issue: optional, requester: any"), "policy.operations.user.get.requester: cannot hold without an issue" },
    { "policy", OPERATION("user.get", "issue: optional, approval: required"), "policy.operations.user.get.approval: cannot hold without an issue" },
    { "policy", OPERATION("user.get", "issue: optional, statuses: [Open]"), "policy.operations.user.get.statuses: cannot hold without an issue" },
    { "policy", OPERATION("user.get", "issue: optional, max_age: 1d"), "max_age: cannot hold without an issue" },
    { "policy", OPERATION("user.create", "requester: manager"), "policy.operations.user.create.requester: asks who the reporter is to the user" },
    { "policy", OPERATION("user.create", "requester: 'group:HR'"), NULL },
    { "policy", OPERATION("user.reset_password", "requester: manager, password_length: 20"), NULL },
    /* keys of certain kinds */
    { "policy", OPERATION("user.disable", "max_duration: 1d"), "policy.operations.user.disable.max_duration: means nothing for user.disable, expected only for group.add_member" },
    { "policy", OPERATION("user.disable", "attributes: [jobTitle]"), "attributes: means nothing for user.disable" },
    { "policy", OPERATION("user.create", "sensitive: true"), "sensitive: means nothing for user.create, expected only for user.update" },
    { "policy", UPDATE("redirect_url: https://a"), "redirect_url: means nothing" },
    { "policy", UPDATE("password_length: 12"), "password_length: means nothing for user.update, expected only for user.create, user.reset_password" },
    { "policy", OPERATION("user.create", "password_length: 11"), "password_length: is too small, expected a whole number, from 12 to 256" },
    { "policy", OPERATION("user.create", "user_principal_name: '{givenName}.{surname}@example.com'"), NULL },
    { "policy", OPERATION("user.create", "user_principal_name: '{givenName}'"), "has no @" },
    { "policy", OPERATION("user.create", "user_principal_name: '@example.com'"), "has no @ with a name before it" },
    { "policy", OPERATION("user.create", "user_principal_name: '{boss}@example.com'"), "no attribute of a new user" },
    { "policy", OPERATION("user.create", "user_principal_name: '{surname@example.com'"), "no attribute of a new user" },
    { "policy", OPERATION("user.create", "user_principal_name: '{surname}@exa mple.com'"), "holds a character" },
    { "policy", OPERATION("user.create", "user_principal_name: 'a b{surname}@example.com'"), "holds a character" },
    { "policy", OPERATION("user.invite", "redirect_url: 'https://myapplications.microsoft.com/?tenantid=1'"), NULL },
    { "policy", OPERATION("user.invite", "redirect_url: 'http://localhost/'"), "redirect_url: does not begin with https://, expected an https URL" },
    { "policy", OPERATION("user.invite", "redirect_url: 'https://a@b/'"), "a user before it" },
    { "policy", OPERATION("user.invite", "redirect_url: 'https://b/<x>'"), "no URL has" },
    /* attributes */
    { "policy", UPDATE("attributes: [jobTitle, extension_0123456789abcdef0123456789abcdef_costCode, onPremisesExtensionAttributes]"), NULL },
    { "policy", UPDATE("attributes: [jobtitle]"), "policy.operations.user.update.attributes: names an attribute that is not known here" },
    { "policy", UPDATE("attributes: [extension_0123_x]"), "names an attribute that is not known" },
    { "policy", UPDATE("attributes: [jobTitle, accountEnabled]"), "attributes: accountEnabled is never written by user.update" },
    { "policy", UPDATE("attributes: userPrincipalName"), "attributes: userPrincipalName is never written" },
    { "policy", UPDATE("attributes: [identities], sensitive: true, approval: required"), "identities is never written" },
    { "policy", UPDATE("attributes: [passwordProfile], sensitive: true, approval: required"), "passwordProfile is never written" },
    { "policy", UPDATE("attributes: [onPremisesImmutableId], sensitive: true, approval: required"), "onPremisesImmutableId is never written" },
    { "policy", UPDATE("attributes: [mobilePhone]"), "mobilePhone is sensitive, expected sensitive: true and approval: required beside it" },
    { "policy", UPDATE("attributes: [otherMails], sensitive: true"), "otherMails is sensitive" },
    { "policy", UPDATE("attributes: [businessPhones], approval: required"), "businessPhones is sensitive" },
    { "policy", UPDATE("attributes: [mobilePhone, mail], sensitive: true, approval: required"), NULL },
    { "policy", UPDATE("attributes: [userType]"), "userType cannot be written by an application" },
    { "policy", OPERATION("user.get", "attributes: [userType, accountEnabled, mobilePhone]"), NULL },
    { "policy", OPERATION("user.create", "attributes: [mobilePhone, jobTitle, onPremisesImmutableId]"), NULL },
    { "policy", OPERATION("user.create", "attributes: [accountEnabled]"), "accountEnabled cannot be set when a user is made" },
    { "policy", "policy:\n  operations:\n    user.update:\n      projects: [HR]\n      attributes:\n        - jobTitle\n        - mail\n",
      "e.yaml:11: policy.operations.user.update.attributes: mail is sensitive" },
    /* duties */
    /* sync: values */
    { "more", SYNC(""), NULL },
    { "more", SYNC("mode: accounts_first, every: 1d, at: \"02:30\", jitter: 10m, full_every: 30d, leavers: delete, delete_after: 30d, "
                   "guard: {percent: 5, number: 20}, load: never, keep_history: 30d, stage: x.sync"), NULL },
    { "more", "sync: {}", "e.yaml:6: sync: has nowhere to put people and groups, expected a section `assets`" },
    { "more", SYNC("evry: 1h"), "e.yaml:7: sync.evry: unknown key, expected `every`?" },
    { "more", SYNC("mode: both"), "sync.mode: is not known, expected one of directory_first, accounts_first" },
    { "more", SYNC("every: never"), NULL },
    { "more", SYNC("every: 1m"), "sync.every: is too small, expected never, or a duration such as 30m, 1h, 7d, from 5m to 100d" },
    { "more", SYNC("every: 101d"), "sync.every: is too large" },
    { "more", SYNC("every: often"), "sync.every: is not a duration" },
    { "more", SYNC("every: [never]"), "sync.every: is a list" },
    { "more", SYNC("every: 2d, at: 23:59"), NULL },
    { "more", SYNC("every: 2d, at: any"), NULL },
    { "more", SYNC("every: 1d, at: \"24:00\""), "sync.at: is no time of day, expected any, or a time of day such as \"02:30\"" },
    { "more", SYNC("every: 1d, at: \"2:30\""), "sync.at: is no time of day" },
    { "more", SYNC("every: 1d, at: \"02:60\""), "sync.at: is no time of day" },
    { "more", SYNC("every: 1d, at: \"02:3x\""), "sync.at: is no time of day" },
    { "more", SYNC("guard: {percent: 101}"), "sync.guard.percent: is too large, expected a whole number, from 0 to 100" },
    { "more", SYNC("guard: 10"), "sync.guard: is of another type" },
    { "more", SYNC("leavers: gone"), "sync.leavers: is not known, expected one of inactive, keep, delete" },
    { "more", USERS("guests: true, accounts: enabled, member_of: All staff, where: [{attribute: department, matches: 'Sales*'}]"), NULL },
    { "more", USERS("where: [{attribute: department}]"), "sync.users.where[0].matches: is missing" },
    { "more", USERS("where: [{attribute: Department, matches: x}]"), "sync.users.where[0].attribute: names an attribute that is not known here" },
    { "more", USERS("where: {attribute: department, matches: x}"), "sync.users.where: is of another type, expected a list of mappings" },
    { "more", SYNC("groups: {include: none}"), NULL },
    { "more", SYNC("groups: none"), "sync.groups: is of another type" },
    { "more", FURTHER("{name: Cost center, from: extensionAttribute1}, {name: Floor, type: integer, "
                      "from: extension_0123456789abcdef0123456789abcdef_floor}, {name: Tier, from: onPremisesExtensionAttributes.extensionAttribute15}"), NULL },
    { "more", FURTHER("{name: Cost center}"), "sync.attributes[0].from: is missing" },
    { "more", FURTHER("{name: X, from: employeeOrgData}"), "sync.attributes[0].from: names an attribute with several members" },
    { "more", FURTHER("{name: X, from: extensionAttribute16}"), "sync.attributes[0].from: names an attribute that is not known here" },
    { "more", FURTHER("{name: X, from: onPremisesExtensionAttributes.city}"), "sync.attributes[0].from: names" },
    { "more", FURTHER("{name: X, from: onPremisesExtensionAttributes}"), "names an attribute with several members" },
    { "more", FURTHER("{name: X, from: city.name}"), "is not known here" },
    { "more", FURTHER("{name: X, from: passwordProfile}"), "is not known here" },
    { "more", FURTHER("{name: X, from: extension_0123_x}"), "is not known here" },
    { "more", FURTHER("{name: X, from: city, type: number}"), "sync.attributes[0].type: is not known, expected one of text, email, boolean, integer, date, url" },
    { "more", "assets:\nsync:\n  attributes:\n    - from: city\n      name: email\n", "e.yaml:10: sync.attributes[0].name: is an attribute that every Employee has" },
    { "more", FURTHER("{name: Key, from: city}"), "is an attribute that every Employee has" },
    { "more", FURTHER("{name: A, from: city}, {name: b, from: city}, {name: B, from: state}"), "sync.attributes[2].name: is the name of an earlier attribute" },
    /* sync: keys that mean nothing beside the others */
    { "more", SYNC("at: \"02:30\""), "sync.at: has no effect unless runs are whole days apart" },
    { "more", SYNC("every: 36h, at: \"02:30\""), "sync.at: has no effect" },
    { "more", SYNC("every: never, at: \"02:30\""), "sync.at: has no effect" },
    { "more", SYNC("every: 5m, jitter: 5m"), "sync.jitter: is as long as the time between two runs" },
    { "more", SYNC("groups: {include: none, names: [A]}"), "sync.groups.names: has no effect beside include: none" },
    { "more", SYNC("load: never, load_above: 10"), "sync.load_above: has no effect" },
    { "more", SYNC("load: always"), "sync.load: has no import source to load by, expected assets.import_token" },
    { "more", "assets: {import_token: {file: good}}\nsync: {load: always}", NULL },
    { "policy", DUTIES("{groups: [A, B]}, {groups: [A, C, D]}"), NULL },
    { "policy", DUTIES("{groups: [A]}"), "policy.separation_of_duties[0].groups: names one group, expected two or more" },
    { "policy", DUTIES("{groups: A}"), "separation_of_duties[0].groups: names one group" },
    { "policy", DUTIES("{groups: []}"), "is an empty list" },
    { "policy", DUTIES("{groups: [A, a]}"), "names a group twice (a)" },
    { "policy", DUTIES("{}"), "policy.separation_of_duties[0].groups: is missing" },
    { "policy", DUTIES("[A, B]"), "of another type" },
    { "policy", "policy: {limits: {}}", NULL },
    { "policy", "policy: {limits: {per_token: 100, per_issue: 20, per_target: 5, per_kind: 200, total: 500, window: 1h}}", NULL },
    { "policy", "policy: {limits: {per_token: many}}", "policy.limits.per_token: is not a whole number" },
    { "policy", "policy: {limits: {per_group: 5}}", "policy.limits.per_group: unknown key" },
    { "policy", "policy: {limits: {window: 1s}}", "policy.limits.window: is too small" },
    { "policy", "policy: {limits: {alert_url: \"http://alerts.example.com\"}}", "policy.limits.alert_url" },
    { "policy", "policy: {limits: {alert_url: \"http://127.0.0.1:9/x\", alert_secret: {file: good}}}", NULL },
    { "policy", "policy: {limits: {alert_secret: open}}", "policy.limits.alert_secret" },
    { "policy", OPERATIONS("user.disable: {projects: '*', limits: {per_kind: 1, per_target: 1}}"), NULL },
    { "policy", OPERATIONS("user.get: {projects: '*', limits: {per_kind: 1}}"), "policy.operations.user.get.limits: means nothing for user.get" },
    { "more", "time_zone: Europe/Berlin", NULL },
    { "more", "time_zone: UTC", NULL },
    { "more", "time_zone: Europe/Atlantis", "time_zone: is no time zone of this machine" },
    { "more", "time_zone: ../../etc/passwd", "time_zone: is no time zone of this machine" },
    { "policy", "policy: {protected: {users: a@b.c, groups: [\"Tier 0\"], directory_roles: false}}", NULL },
    { "policy", "policy: {protected: {user: a@b.c}}", "policy.protected.user: unknown key, expected `users`?" },
};

static void test_cases(void **state)
{
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf faults = EB_BUF(MiB(1));
        struct config *c = NULL;

        put_with(cases[i].section, cases[i].text);
        bool good = load(CONFIG_FULL, &c, &faults);
        const char *text = faults.data != NULL ? faults.data : "";
        if (good != (cases[i].fault == NULL) || (c != NULL) != good)
            fail_msg("%s: %s: %s", cases[i].text, good ? "loaded" : "did not load", text);
        if (!good && strstr(text, cases[i].fault) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, text, cases[i].fault);
        if (strstr(text, "hunter2") != NULL)
            fail_msg("%s: shows the secret: %s", cases[i].text, text);
        if (!good && (strncmp(text, directory, strlen(directory)) != 0 || text[strlen(text) - 1] != '\n'))
            fail_msg("%s: a fault begins with the file: %s", cases[i].text, text);
        config_unref(c);
        eb_buf_free(&faults);
    }
}

/* All faults at once, in the order of lines. */
static void test_all_at_once(void **state)
{
    static const char *const expected[] = { ":1: listen.address", ":2: store", ":4: entra.client_id", ":5: entra.cloud", ":7: jira.api_token",
                                            ":8: listn", ":9: policy.operations.x" };
    struct eb_buf faults = EB_BUF(KiB(64));
    struct config *c = NULL;

    put_text("e.yaml", "listen: {address: nowhere}\nstore: 3\n\nentra:\n  cloud: mars\n  tenant_id: t\njira: {site_url: https://x, api_token: y}\n"
                       "listn: {}\npolicy: {operations: {x: {projects: '*'}}}\n", 0644);
    assert_false(load(CONFIG_FULL, &c, &faults));
    const char *at = faults.data;
    for (size_t i = 0; i < EB_LEN(expected); i++) {
        const char *found = strstr(at, expected[i]);
        if (found == NULL)
            fail_msg("%s is missing, or out of order: %s", expected[i], faults.data);
        at = found;
    }
    eb_buf_free(&faults);
}

static void test_limits(void **state)
{
    struct eb_buf faults = EB_BUF(MiB(1)), file = EB_BUF(MiB(4));
    struct config *c = NULL;

    for (int i = 0; i < 200000; i++)
        eb_buf_addf(&file, "k%d: 1\n", i);
    put_file("e.yaml", file.data, file.len, 0644);
    assert_false(load(CONFIG_FULL, &c, &faults));
    assert_non_null(strstr(faults.data, "larger than 1 MiB"));
    eb_buf_reset(&faults);
    put_file("e.yaml", file.data, KiB(512), 0644);
    assert_false(load(CONFIG_FULL, &c, &faults));
    assert_non_null(strstr(faults.data, "more than 1000 keys"));
    eb_buf_reset(&faults);
    put_file("e.yaml", file.data, KiB(4), 0644);
    assert_false(load(CONFIG_FULL, &c, &faults));
    assert_non_null(strstr(faults.data, "further faults are not shown"));
    eb_buf_free(&faults);
    eb_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
