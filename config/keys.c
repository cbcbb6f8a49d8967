/* keys.c - every key of the configuration file: one row, and nothing about a key stands anywhere else.
 *
 * Invariant: a section's row comes before the rows of its keys, and keys of one section stand together
 * (the reference is printed in this order).
 */
#include "config/rules.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct config, member)
#define GROUP(member) .offset = offsetof(struct config_group_rule, member)
#define OPERATION(member) .offset = offsetof(struct config_operation_rule, member)
#define FILTER(member) .offset = offsetof(struct config_sync_filter, member)
#define ATTRIBUTE(member) .offset = offsetof(struct config_sync_attribute, member)
#define ARRAY(array, count, item) \
    .offset = offsetof(struct config, array), .count_offset = offsetof(struct config, count), .item_size = sizeof(struct item)
#define BETWEEN(low, high) .min = (low), .max = (high)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define LIMIT(path, item, member, text) \
    { path, KEY_INT, KEY_RELOAD, .offset = offsetof(struct item, member), BETWEEN(1, 1000000), .sample = "20", .help = text }
#define LATER(path) { .name = path, .type = KEY_LATER }
/* The conditions that a group's entry and an operation's have alike. */
#define CONDITIONS(path, item) \
    { path ".approval", KEY_EITHER, 0, .offset = offsetof(struct item, conditions.approval), .words = approval_words, .sample = "required", \
      .help = "Where required, the issue's approvals, read from Jira at the moment of the change, must all stand as approved. Default: none." }, \
    { path ".approvals", KEY_INT, 0, .offset = offsetof(struct item, conditions.approvals), BETWEEN(1, 20), .sample = "1", \
      .help = "So many people at least must have approved. Default: 1." }, \
    { path ".approvers", KEY_GROUP, 0, .offset = offsetof(struct item, conditions.approvers), .sample = "\"group:IT managers\"", \
      .help = "Only approvals by members of this group count. Default: anybody's but the reporter's and the target's." }, \
    { path ".approval_max_age", KEY_DURATION, 0, .offset = offsetof(struct item, conditions.approval_max_age_ms), BETWEEN(60 * SECOND, 3650 * DAY), \
      .sample = "14d", .help = "An older approval counts no more. Default: any age." }, \
    { path ".bind", KEY_BIND, 0, .offset = offsetof(struct item, conditions.bind), .sample = "{user: customfield_10050}", \
      .help = "What was approved: fields of the request, each with the field of the issue that must say the same, unchanged since the approval." }, \
    { path ".requester", KEY_REQUESTER, 0, .offset = offsetof(struct item, conditions), .sample = "manager", \
      .help = "Who the issue's reporter must be, found in Entra by e-mail. Default: it does not matter." }, \
    { path ".request_types", KEY_NUMBERS, 0, .offset = offsetof(struct item, conditions.request_types), .sample = "[25]", \
      .help = "Ids of the request types that may ask for it. Default: all." }, \
    { path ".statuses", KEY_NAMES, 0, .offset = offsetof(struct item, conditions.statuses), .sample = "[\"In progress\"]", \
      .help = "Names of the statuses in which the issue may ask for it, exactly as Jira writes them. Default: all." }, \
    { path ".max_age", KEY_DURATION, 0, .offset = offsetof(struct item, conditions.max_age_ms), BETWEEN(60 * SECOND, 3650 * DAY), .sample = "30d", \
      .help = "Issues that were created longer ago may not ask for it. Default: any age." }, \
    { path ".max_duration", KEY_DURATION, 0, .offset = offsetof(struct item, conditions.max_duration_ms), BETWEEN(SECOND, 3650 * DAY), .sample = "30d", \
      .only = adding_kinds, \
      .help = "A membership lasts so long at most; one for which no end is asked ends then. Default: for ever." }, \
    { path ".mode", KEY_WORD, 0, .offset = offsetof(struct item, conditions.mode), .standard = "enforce", .words = modes, \
      .help = "With shadow it is decided and commented, and nothing is written." }

static const char *const clouds[] = { "global", "usgov", "usgov-dod", "china", NULL };
static const char *const visibilities[] = { "internal", "public", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "text", "json", NULL };
static const char *const issue_words[] = { "optional", "required", NULL };
static const char *const approval_words[] = { "required", "none", NULL };
static const char *const modes[] = { "enforce", "shadow", NULL };
static const char *const adding_kinds[] = { "group.add_member", NULL };
static const char *const attribute_kinds[] = { "user.update", "user.create", "user.get", "user.search", "group.list_members", NULL };
static const char *const update_only[] = { "user.update", NULL };
static const char *const create_only[] = { "user.create", NULL };
static const char *const invite_only[] = { "user.invite", NULL };
static const char *const password_kinds[] = { "user.create", "user.reset_password", NULL };
/* Each in the order of its enum in config.h. */
static const char *const sync_modes[] = { "directory_first", "accounts_first", NULL };
static const char *const account_states[] = { "all", "enabled", "disabled", NULL };
static const char *const group_words[] = { "all", "none", NULL };
static const char *const attribute_types[] = { "text", "email", "boolean", "integer", "date", "url", NULL };
static const char *const leaver_words[] = { "inactive", "keep", "delete", NULL };
static const char *const load_words[] = { "auto", "never", "always", NULL };

const struct key config_keys[] = {
    { "listen", KEY_SECTION, .help = "Where the service listens, and how much it takes in." },
    { "listen.address", KEY_ADDRESS, KEY_REQUIRED, AT(listen.address), .sample = "\"127.0.0.1:8080\"",
      .help = "Address and port. Plain http only on a loopback address, or with behind_proxy." },
    { "listen.behind_proxy", KEY_BOOL, KEY_RELOAD, AT(listen.behind_proxy), .standard = "false",
      .help = "A proxy in front ends TLS: plain http on any address is then allowed, and every answer closes its connection." },
    { "listen.tls", KEY_SECTION, KEY_OPTIONAL, .help = "TLS by the service itself; the files are read anew on reload." },
    { "listen.tls.certificate", KEY_PATH, KEY_REQUIRED | KEY_RELOAD, AT(listen.tls_certificate), .sample = "tls/chain.pem",
      .help = "Certificate chain, PEM." },
    { "listen.tls.key", KEY_PATH, KEY_REQUIRED | KEY_RELOAD, AT(listen.tls_key), .sample = "tls/key.pem",
      .help = "Its private key, PEM, not readable by others." },
    { "listen.tls.client_ca", KEY_PATH, KEY_RELOAD, AT(listen.tls_client_ca), .sample = "tls/clients.pem",
      .help = "Where set, callers must show a certificate that one of these authorities issued." },
    { "listen.trusted_proxies", KEY_NETWORKS, KEY_RELOAD, AT(listen.trusted_proxies), .sample = "[10.0.0.0/8]",
      .help = "Proxies whose X-Forwarded-For is believed when `allow` is applied." },
    { "listen.allow", KEY_NETWORKS, KEY_RELOAD, AT(listen.allow), .sample = "[203.0.113.0/24]",
      .help = "Source addresses that may connect; none listed: all." },
    { "listen.max_connections", KEY_INT, KEY_RELOAD, AT(listen.max_connections), .standard = "1024", BETWEEN(1, 65536),
      .help = "Connections at once; then no more are accepted until some close." },
    { "listen.max_requests", KEY_INT, KEY_RELOAD, AT(listen.max_requests), .standard = "512", BETWEEN(1, 65536),
      .help = "Requests under way at once; past it callers get 503 with Retry-After." },
    { "listen.request_deadline", KEY_DURATION, KEY_RELOAD, AT(listen.request_deadline_ms), .standard = "10s", BETWEEN(SECOND, 120 * SECOND),
      .help = "A request must have come in whole, head and body, within this time." },
    { "listen.idle", KEY_DURATION, KEY_RELOAD, AT(listen.idle_ms), .standard = "15s", BETWEEN(SECOND, 600 * SECOND),
      .help = "A connection with no request is closed after this time." },
    { "listen.max_head", KEY_SIZE, KEY_RELOAD, AT(listen.max_head_bytes), .standard = "16KiB", BETWEEN(1024, 65536),
      .help = "Largest head of a request." },
    { "listen.max_body", KEY_SIZE, KEY_RELOAD, AT(listen.max_body_bytes), .standard = "64KiB", BETWEEN(1024, 1048576),
      .help = "Largest body of a request." },
    { "listen.max_headers", KEY_INT, KEY_RELOAD, AT(listen.max_headers), .standard = "100", BETWEEN(10, 1000),
      .help = "Most header lines of a request." },

    { "store", KEY_STORE, KEY_REQUIRED, AT(store_url), .sample = "\"sqlite:entrabridge.db\"",
      .help = "The database: sqlite:PATH. It is made at the first start." },
    { "keys", KEY_SECTION, KEY_OPTIONAL, .help = "Keys that sign tokens and chain audit rows." },
    { "keys.directory", KEY_PATH, 0, AT(keys_directory), .sample = "keys",
      .help = "Made at the first start, readable by its owner only. Default: the directory `keys` beside the database." },
    { "public_url", KEY_URL, KEY_RELOAD, AT(public_url), .sample = "https://entrabridge.example.com",
      .help = "How people reach the service; used in links. Default: made from listen." },
    { "response_deadline", KEY_DURATION, KEY_RELOAD, AT(response_deadline_ms), .standard = "2500ms", BETWEEN(100, 60 * SECOND),
      .help = "Work that lasts longer is answered 202 and goes on. Jira waits for a limited time, so keep it short." },
    { "recovery_max_age", KEY_DURATION, KEY_RELOAD, AT(recovery_max_age_ms), .standard = "1h", BETWEEN(SECOND, 192 * HOUR),
      .help = "After a start, older operations that have not written yet end as expired." },
    { "max_operations", KEY_INT, KEY_RELOAD, AT(max_operations), .standard = "1000", BETWEEN(1, 100000),
      .help = "Operations under way at once; past it callers get 503 with Retry-After." },
    { "drain", KEY_DURATION, KEY_RELOAD, AT(drain_ms), .standard = "30s", BETWEEN(0, 600 * SECOND),
      .help = "After SIGTERM, work under way may take this long to end." },
    { "secrets", KEY_SECTION, KEY_OPTIONAL, .help = "Passwords and access passes that operations make." },
    { "secrets.expire_after", KEY_DURATION, KEY_RELOAD, AT(secret_expire_ms), .standard = "24h", BETWEEN(60 * SECOND, 168 * HOUR),
      .help = "A link to one opens it once, within this time; then it is deleted unseen." },
    { "secrets.password_length", KEY_INT, KEY_RELOAD, AT(password_length), .standard = "16", BETWEEN(12, 256),
      .help = "Characters of a generated password: upper and lower case, digits and symbols, none that look alike." },
    { "time_zone", KEY_ZONE, 0, AT(time_zone), .sample = "Europe/Berlin",
      .help = "In which `at` is read where it has no offset, and sync.at: an IANA name. Default: the machine's." },
    { "log", KEY_SECTION, KEY_OPTIONAL, .help = "The log, on standard error." },
    { "log.level", KEY_WORD, KEY_RELOAD, AT(log_level), .standard = "info", .words = levels, .help = "The least important lines to be written." },
    { "log.format", KEY_WORD, KEY_RELOAD, AT(log_format), .standard = "text", .words = formats, .help = "text for people, json for collectors." },

    { "entra", KEY_SECTION, .help = "The app registration in Microsoft Entra ID." },
    { "entra.tenant_id", KEY_TENANT, KEY_REQUIRED, AT(entra.tenant_id), .sample = "11111111-2222-3333-4444-555555555555",
      .help = "The tenant: its id or a verified domain." },
    { "entra.client_id", KEY_CLIENT, KEY_REQUIRED, AT(entra.client_id), .sample = "66666666-7777-8888-9999-000000000000",
      .help = "The application (client) id." },
    { "entra.client_secret", KEY_SECRET, KEY_SHOWN, AT(entra.client_secret), .sample = "{file: secrets/entra}",
      .help = "Either a client secret, by reference: {file: PATH}, {env: NAME} or {credential: NAME} (systemd) ..." },
    { "entra.client_certificate", KEY_SECTION, KEY_OPTIONAL, .help = "... or a certificate." },
    { "entra.client_certificate.certificate", KEY_PATH, KEY_REQUIRED, AT(entra.certificate), .sample = "secrets/entra.crt",
      .help = "The certificate as uploaded to the app registration, PEM." },
    { "entra.client_certificate.key", KEY_PATH, KEY_REQUIRED, AT(entra.key), .sample = "secrets/entra.key",
      .help = "Its RSA key, PEM, not readable by others." },
    { "entra.cloud", KEY_WORD, 0, AT(entra.cloud), .standard = "global", .words = clouds, .help = "Which of Microsoft's clouds the tenant is in." },
    { "entra.authority_url", KEY_URL, 0, AT(entra.authority_url), .sample = "https://login.microsoftonline.com",
      .help = "Override of the token service's root. Default: from cloud." },
    { "entra.graph_url", KEY_URL, 0, AT(entra.graph_url), .sample = "https://graph.microsoft.com/v1.0",
      .help = "Override of Graph's root, version included. Default: from cloud." },
    { "entra.max_calls", KEY_INT, 0, AT(entra.max_calls), .standard = "64", BETWEEN(1, 1024), .help = "Calls to Graph under way at once; more wait." },

    { "jira", KEY_SECTION, .help = "The Jira site whose rules call, and where comments go." },
    { "jira.site_url", KEY_URL, KEY_REQUIRED, AT(jira.site_url), .sample = "https://example.atlassian.net", .help = "The site, as people open it." },
    { "jira.api_url", KEY_URL, 0, AT(jira.api_url), .sample = "https://api.atlassian.com/ex/jira/CLOUD-ID",
      .help = "What stands before /rest in calls, for a gateway. Default: site_url." },
    { "jira.email", KEY_EMAIL, KEY_SHOWN, AT(jira.email), .sample = "bot@example.com",
      .help = "The account of the token: Basic authentication. Left out: Bearer." },
    { "jira.api_token", KEY_SECRET, KEY_REQUIRED, AT(jira.api_token), .sample = "{file: secrets/jira}",
      .help = "Its API token, by reference as above." },
    { "jira.comment_visibility", KEY_EITHER, KEY_RELOAD, AT(jira.comments_internal), .standard = "internal", .words = visibilities,
      .help = "Whether customers see the audit comments." },
    { "jira.max_calls", KEY_INT, 0, AT(jira.max_calls), .standard = "64", BETWEEN(1, 1024), .help = "Calls to Jira under way at once; more wait." },

    { "assets", KEY_SECTION, KEY_OPTIONAL | KEY_NOTED, AT(assets.wanted),
      .help = "JSM Assets. Where this section stands, people and groups of Entra are kept there, as `sync` says or by its defaults." },
    { "assets.workspace_id", KEY_TEXT, 0, AT(assets.workspace_id), .sample = "00000000-1111-2222-3333-444444444444", .help = "Default: found by itself." },
    { "assets.api_url", KEY_URL, 0, AT(assets.api_url), .sample = "https://api.atlassian.com",
      .help = "What stands before /jsm in calls. Default: jira.api_url where that is a gateway (/ex/jira/...), else https://api.atlassian.com." },
    { "assets.schema_key", KEY_TEXT, 0, AT(assets.schema_key), .standard = "ENTRA", .help = "The key of the object schema; `sync init` makes it where it is not there." },
    { "assets.import_token", KEY_SECRET, 0, AT(assets.import_token), .sample = "{file: secrets/import}",
      .help = "Token of an external import source of the schema, by reference as above: for mass loads. Default: objects are made one by one." },
    { "assets.max_calls", KEY_INT, 0, AT(assets.max_calls), .standard = "8", BETWEEN(1, 64), .help = "Calls to Assets under way at once; more wait." },

    { "sync", KEY_SECTION, KEY_OPTIONAL, .help = "The synchronization of people and groups into Assets. Everything has a default." },
    { "sync.mode", KEY_WORD, KEY_RELOAD, AT(sync.mode), .standard = "directory_first", .words = sync_modes,
      .help = "Whose people: those of the directory, or those of the site's active Atlassian accounts, found in the directory by e-mail." },
    { "sync.every", KEY_PERIOD, KEY_RELOAD, AT(sync.every_ms), .standard = "1h", BETWEEN(5 * 60 * SECOND, 100 * DAY),
      .help = "How often it runs by itself." },
    { "sync.at", KEY_CLOCK, KEY_RELOAD, AT(sync.at_minute), .standard = "any", .help = "When, in `time_zone`, where `every` is whole days." },
    { "sync.jitter", KEY_DURATION, KEY_RELOAD, AT(sync.jitter_ms), .standard = "2m", BETWEEN(0, DAY),
      .help = "It begins by chance up to this much later, so that not everybody calls at the full hour." },
    { "sync.full_every", KEY_DURATION, KEY_RELOAD, AT(sync.full_every_ms), .standard = "7d", BETWEEN(HOUR, 365 * DAY),
      .help = "After this time a run reads everything anew, on both sides, instead of the changes." },
    { "sync.users", KEY_SECTION, KEY_OPTIONAL, .help = "Which people. All conditions must hold." },
    { "sync.users.guests", KEY_BOOL, KEY_RELOAD, AT(sync.guests), .standard = "false", .help = "Whether guests are among them." },
    { "sync.users.accounts", KEY_WORD, KEY_RELOAD, AT(sync.accounts), .standard = "all", .words = account_states, .help = "By the state of the Entra account." },
    { "sync.users.member_of", KEY_LIST, KEY_RELOAD, AT(sync.member_of), .sample = "[\"All staff\"]",
      .help = "Only members of one of these groups, also through nested groups: exact display names or object ids. Default: everybody." },
    { "sync.users.where", KEY_ITEMS, KEY_RELOAD, ARRAY(sync.filters, sync.filter_count, config_sync_filter), .help = "Only people whose attributes match." },
    { "sync.users.where[].attribute", KEY_SOURCE, KEY_REQUIRED, FILTER(attribute), .sample = "department", .help = "Graph's attribute." },
    { "sync.users.where[].matches", KEY_TEXT, KEY_REQUIRED, FILTER(matches), .sample = "\"Sales*\"",
      .help = "What it must be, without regard to case; * stands for any text." },
    { "sync.groups", KEY_SECTION, KEY_OPTIONAL, .help = "Which groups. Of people's memberships only those in these groups are shown." },
    { "sync.groups.include", KEY_EITHER, KEY_RELOAD, AT(sync.groups_wanted), .standard = "all", .words = group_words, .help = "Whether groups are kept at all." },
    { "sync.groups.names", KEY_LIST, KEY_RELOAD, AT(sync.groups), .sample = "[\"Sales*\"]",
      .help = "Only these: display names, in which * stands for any text, or object ids. Default: all." },
    { "sync.attributes", KEY_ITEMS, KEY_RELOAD, ARRAY(sync.attributes, sync.attribute_count, config_sync_attribute), .check = check_sync_attribute,
      .help = "Further attributes of the object type Employee." },
    { "sync.attributes[].name", KEY_TEXT, KEY_REQUIRED, ATTRIBUTE(name), .sample = "\"Cost center\"", .help = "Its name in Assets." },
    { "sync.attributes[].from", KEY_SOURCE, KEY_REQUIRED, ATTRIBUTE(from), .sample = "extensionAttribute3",
      .help = "Graph's attribute, also extensionAttribute1 to 15 and directory extensions (extension_..._name)." },
    { "sync.attributes[].type", KEY_WORD, 0, ATTRIBUTE(type), .standard = "text", .words = attribute_types, .help = "Its type in Assets." },
    { "sync.leavers", KEY_WORD, KEY_RELOAD, AT(sync.leavers), .standard = "inactive", .words = leaver_words,
      .help = "Who is not in the directory any more (or in no condition above) becomes inactive, stays as is, or becomes inactive and is deleted later." },
    { "sync.delete_after", KEY_DURATION, KEY_RELOAD, AT(sync.delete_after_ms), .standard = "90d", BETWEEN(0, 3650 * DAY),
      .help = "So long after they became inactive, with leavers: delete." },
    { "sync.guard", KEY_SECTION, KEY_OPTIONAL,
      .help = "A run that would take away (inactivate or delete) more objects than either of these allows, or leave nobody, writes nothing and waits for a person. Five are always let through." },
    { "sync.guard.percent", KEY_INT, KEY_RELOAD, AT(sync.guard_percent), .standard = "10", BETWEEN(0, 100), .help = "Of the active objects." },
    { "sync.guard.number", KEY_INT, KEY_RELOAD, AT(sync.guard_number), .standard = "500", BETWEEN(0, 1000000), .help = "So many objects." },
    { "sync.load", KEY_WORD, KEY_RELOAD, AT(sync.loading), .standard = "auto", .words = load_words,
      .help = "Mass loads by assets.import_token: where many objects are to be made, never, or always." },
    { "sync.load_above", KEY_INT, KEY_RELOAD, AT(sync.load_above), .standard = "5000", BETWEEN(1, 10000000), .help = "With load: auto, for more new objects than this." },
    { "sync.keep_history", KEY_DURATION, KEY_RELOAD, AT(sync.keep_history_ms), .standard = "90d", BETWEEN(DAY, 3650 * DAY), .help = "Runs are remembered so long." },
    { "sync.stage", KEY_PATH, 0, AT(sync.stage), .sample = "entrabridge.db.sync",
      .help = "The staging file, readable by its owner only. It may be deleted: the next run reads everything anew. Default: beside the database, with .sync." },

    { "outbound", KEY_SECTION, KEY_OPTIONAL, .help = "Calls to the clouds." },
    { "outbound.ca_file", KEY_PATH, 0, AT(ca_file), .sample = "/etc/ssl/certs/ca-certificates.crt",
      .help = "Authorities that may vouch for the clouds, PEM. Default: the system's bundle." },
    LATER("compat"),

    { "policy", KEY_SECTION, KEY_REQUIRED, .help = "What is allowed. Nothing is, until it stands here." },
    { "policy.serviceable_groups", KEY_ITEMS, KEY_RELOAD | KEY_SHOWN, ARRAY(policy.groups, policy.group_count, config_group_rule),
      .check = check_group_rule, .help = "Groups that operations may change; every other is refused." },
    { "policy.serviceable_groups[].group", KEY_TEXT, KEY_REQUIRED, GROUP(group), .sample = "\"VPN Users\"",
      .help = "Exact display name, or object id. The id that a name means is found once and kept." },
    { "policy.serviceable_groups[].projects", KEY_PROJECTS, KEY_REQUIRED, GROUP(projects), .sample = "[ITSM]",
      .help = "Projects whose issues may ask for it; \"*\" means every project." },
    CONDITIONS("policy.serviceable_groups[]", config_group_rule),
    { "policy.serviceable_groups[].limits", KEY_SECTION, KEY_OPTIONAL, .help = "Besides policy.limits: changes of this group within policy.limits.window." },
    LIMIT("policy.serviceable_groups[].limits.per_group", config_group_rule, limits.per_group, "In all."),
    LIMIT("policy.serviceable_groups[].limits.per_token", config_group_rule, limits.per_token, "By one token's name."),
    LIMIT("policy.serviceable_groups[].limits.per_issue", config_group_rule, limits.per_issue, "For one issue."),
    { "policy.protected", KEY_SECTION, KEY_OPTIONAL | KEY_SHOWN, .help = "Users and groups that no operation may touch." },
    { "policy.protected.users", KEY_LIST, KEY_RELOAD | KEY_SHOWN, AT(policy.protected_users), .sample = "[breakglass@example.com]",
      .help = "UPNs or object ids." },
    { "policy.protected.groups", KEY_LIST, KEY_RELOAD | KEY_SHOWN, AT(policy.protected_groups), .sample = "[\"Tier 0 admins\"]",
      .help = "Exact display names or object ids; their members are protected too, also through nested groups." },
    { "policy.protected.directory_roles", KEY_BOOL, KEY_RELOAD, AT(policy.protect_directory_roles), .standard = "true",
      .help = "Whoever holds a directory role is protected, also through a group." },
    { "policy.operations", KEY_ENTRIES, KEY_RELOAD | KEY_SHOWN, ARRAY(policy.operations, policy.operation_count, config_operation_rule),
      .check = check_operation_rule, .sample = "group.add_member", .help = "Operation kinds that are allowed; a kind that is not listed is refused, whatever a token says." },
    { "policy.operations.*.projects", KEY_PROJECTS, KEY_REQUIRED, OPERATION(projects), .sample = "[ITSM]",
      .help = "Projects whose issues may ask for it; \"*\" means every project." },
    { "policy.operations.*.issue", KEY_EITHER, 0, OPERATION(issue_optional), .standard = "required", .words = issue_words,
      .help = "Whether a request must name its issue. Without one only entries with projects: \"*\" apply." },
    CONDITIONS("policy.operations.*", config_operation_rule),
    { "policy.operations.*.attributes", KEY_ATTRIBUTES, 0, OPERATION(attributes), .sample = "[jobTitle, officeLocation]", .only = attribute_kinds,
      .help = "Attributes, by Graph's names, that it may write; for reads: that it lets out besides the basic ones. Default: none." },
    { "policy.operations.*.sensitive", KEY_BOOL, 0, OPERATION(sensitive), .standard = "false", .only = update_only,
      .help = "Whether attributes that could hand over an account (mobilePhone, otherMails, ...) may be listed. Then an approval is needed." },
    { "policy.operations.*.user_principal_name", KEY_PATTERN, 0, OPERATION(user_principal_name), .sample = "\"{givenName}.{surname}@example.com\"",
      .only = create_only, .help = "How new users are named, from attributes of the request. Default: the request says it." },
    { "policy.operations.*.redirect_url", KEY_REDIRECT, 0, OPERATION(redirect_url), .sample = "https://myapplications.microsoft.com",
      .only = invite_only, .help = "Where a guest lands who accepts the invitation." },
    { "policy.operations.*.password_length", KEY_INT, 0, OPERATION(password_length), BETWEEN(12, 256), .sample = "16", .only = password_kinds,
      .help = "Characters of a generated password. Default: secrets.password_length." },
    { "policy.operations.*.limits", KEY_SECTION, KEY_OPTIONAL, .help = "In place of what policy.limits says: operations of this kind alone." },
    LIMIT("policy.operations.*.limits.per_kind", config_operation_rule, limits.per_kind, "In all."),
    LIMIT("policy.operations.*.limits.per_token", config_operation_rule, limits.per_token, "By one token's name."),
    LIMIT("policy.operations.*.limits.per_issue", config_operation_rule, limits.per_issue, "For one issue."),
    LIMIT("policy.operations.*.limits.per_target", config_operation_rule, limits.per_target, "On one user."),
    { "policy.separation_of_duties", KEY_ITEMS, KEY_RELOAD, ARRAY(policy.duties, policy.duty_count, config_duty), .check = check_duty,
      .help = "Groups that nobody may hold together: who is in one is not added to another." },
    { "policy.separation_of_duties[].groups", KEY_NAMES, KEY_REQUIRED, .offset = offsetof(struct config_duty, groups), .sample = "[\"Payments create\", \"Payments approve\"]",
      .help = "Two or more: exact display names or object ids." },
    { "policy.mode", KEY_WORD, KEY_RELOAD, AT(policy.mode), .standard = "enforce", .words = modes,
      .help = "With shadow every operation is decided and commented, and nothing is written: for a roll-out." },
    { "policy.limits", KEY_SECTION, KEY_OPTIONAL,
      .help = "Against rules that run away: an operation past one of these waits (`held`) for `operations release` or `operations cancel`. Each is off unless set." },
    LIMIT("policy.limits.per_token", config, policy.limits.per_token, "Changes by one token's name."),
    LIMIT("policy.limits.per_issue", config, policy.limits.per_issue, "Changes for one issue."),
    LIMIT("policy.limits.per_target", config, policy.limits.per_target, "Changes of one user."),
    LIMIT("policy.limits.per_kind", config, policy.limits.per_kind, "Changes of one kind."),
    LIMIT("policy.limits.total", config, policy.limits.total, "Changes in all."),
    { "policy.limits.window", KEY_DURATION, KEY_RELOAD, AT(policy.limits.window_ms), .standard = "1h", BETWEEN(60 * SECOND, 31 * DAY),
      .help = "How far back is counted, to a sixtieth of it." },
    { "policy.limits.alert_url", KEY_URL, KEY_RELOAD, AT(policy.limits.alert_url), .sample = "https://alerts.example.com/entrabridge",
      .help = "Is sent a JSON document, by POST, when a limit is passed: once for each limit and whom it is about within the window." },
    { "policy.limits.alert_secret", KEY_SECRET, KEY_RELOAD, AT(policy.limits.alert_secret), .sample = "{file: secrets/alert}",
      .help = "Goes with it as `Authorization: Bearer`, by reference as above." },
};
const size_t config_key_count = EB_LEN(config_keys);

size_t key_parent(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? (size_t)(dot - name) : 0;
}

const char *key_last(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL ? dot + 1 : name;
}

bool key_within(const struct key *k)
{
    return strstr(k->name, "[].") != NULL || strstr(k->name, ".*.") != NULL;
}

enum key_storage key_storage(const struct key *k)
{
    static const enum key_storage of[KEY_TYPE_COUNT] = {
        [KEY_TEXT] = STORE_STRING, [KEY_TENANT] = STORE_STRING, [KEY_CLIENT] = STORE_STRING, [KEY_EMAIL] = STORE_STRING,
        [KEY_ADDRESS] = STORE_STRING, [KEY_STORE] = STORE_STRING, [KEY_URL] = STORE_STRING, [KEY_PATH] = STORE_STRING,
        [KEY_SECRET] = STORE_WIPED, [KEY_DURATION] = STORE_INT64, [KEY_SIZE] = STORE_INT64, [KEY_INT] = STORE_INT,
        [KEY_BOOL] = STORE_BOOL, [KEY_WORD] = STORE_INT, [KEY_EITHER] = STORE_BOOL,
        [KEY_LIST] = STORE_LIST, [KEY_NETWORKS] = STORE_LIST, [KEY_PROJECTS] = STORE_PROJECTS,
        [KEY_NAMES] = STORE_LIST, [KEY_NUMBERS] = STORE_LIST, [KEY_ATTRIBUTES] = STORE_LIST, [KEY_BIND] = STORE_PAIRS,
        [KEY_GROUP] = STORE_STRING, [KEY_REQUESTER] = STORE_REQUESTER, [KEY_PATTERN] = STORE_STRING, [KEY_REDIRECT] = STORE_STRING,
        [KEY_PERIOD] = STORE_INT64, [KEY_CLOCK] = STORE_INT, [KEY_ZONE] = STORE_STRING, [KEY_SOURCE] = STORE_STRING,
    };
    return (k->flags & KEY_NOTED) != 0 ? STORE_BOOL : of[k->type];
}

static const char *const phrases[KEY_TYPE_COUNT] = {
    [KEY_SECTION] = "a mapping of keys", [KEY_ITEMS] = "a list of mappings", [KEY_ENTRIES] = "a mapping of names",
    [KEY_LATER] = "nothing", [KEY_TEXT] = "text", [KEY_TENANT] = "a tenant's id or verified domain",
    [KEY_CLIENT] = "an application (client) id", [KEY_EMAIL] = "an e-mail address",
    [KEY_ADDRESS] = "ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080", [KEY_STORE] = "sqlite:PATH",
    [KEY_URL] = "an https URL without user, query or fragment (http only on a loopback address)",
    [KEY_PATH] = "a path", [KEY_SECRET] = "a reference: {file: PATH}, {env: NAME} or {credential: NAME}",
    [KEY_DURATION] = "a duration such as 90s, 15m, 8h", [KEY_SIZE] = "a size such as 64KiB", [KEY_INT] = "a whole number",
    [KEY_BOOL] = "true or false", [KEY_LIST] = "a list of texts", [KEY_NETWORKS] = "a list of addresses or CIDR blocks such as 10.0.0.0/8",
    [KEY_PROJECTS] = "\"*\" or a list of project keys such as [ITSM]", [KEY_NAMES] = "a list of names",
    [KEY_NUMBERS] = "a list of numbers such as [25, 31]", [KEY_ATTRIBUTES] = "a list of Graph's user attributes such as [jobTitle, department]",
    [KEY_BIND] = "fields of the request with fields of the issue, such as {user: customfield_10050, group: customfield_10051}",
    [KEY_GROUP] = "\"group:NAME\"", [KEY_REQUESTER] = "manager, self, any or \"group:NAME\"",
    [KEY_PATTERN] = "a user principal name such as {givenName}.{surname}@example.com", [KEY_REDIRECT] = "an https URL",
    [KEY_PERIOD] = "never, or a duration such as 30m, 1h, 7d", [KEY_CLOCK] = "any, or a time of day such as \"02:30\"",
    [KEY_ZONE] = "an IANA time zone such as Europe/Berlin, whose rules (package tzdata) this machine has",
    [KEY_SOURCE] = "one of Graph's user attributes such as department, extensionAttribute3, or extension_..._name",
};

static void one_of(const char *const *words, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "one of");

    for (size_t i = 0; words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s %s", i > 0 ? "," : "", words[i]);
}

static const char *amount(const struct key *k, int64_t value, char out[EB_TIME_LEN])
{
    if (k->type == KEY_DURATION || k->type == KEY_PERIOD)
        return eb_duration_format(value, out);
    if (k->type == KEY_SIZE && value >= 1048576 && value % 1048576 == 0)
        snprintf(out, EB_TIME_LEN, "%lldMiB", (long long)value / 1048576);
    else if (k->type == KEY_SIZE && value >= 1024 && value % 1024 == 0)
        snprintf(out, EB_TIME_LEN, "%lldKiB", (long long)value / 1024);
    else
        snprintf(out, EB_TIME_LEN, "%lld", (long long)value);
    return out;
}

const char *key_expected(const struct key *k, char *out, size_t size)
{
    char low[EB_TIME_LEN], high[EB_TIME_LEN];

    if (k->words != NULL)
        one_of(k->words, out, size);
    else if (k->max > 0)
        snprintf(out, size, "%s, from %s to %s", phrases[k->type], amount(k, k->min, low), amount(k, k->max, high));
    else
        snprintf(out, size, "%s", phrases[k->type]);
    return out;
}
