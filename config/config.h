/* config.h - the configuration file: what it may say, and what it says.
 *
 * One table of keys (config/keys.c) gives name, type, bounds, default and help; the reader, `config reference` and
 * docs/configuration.md come from it. Reading collects all faults and gives file, line, key and what was expected.
 * A loaded configuration is immutable and is shared by reference count; a reload makes a new one.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/log.h"

#include <stdint.h>

struct config_list { char **items; size_t count; };

struct config_listen {
    char *address;                  /* "127.0.0.1:8080", "[::1]:8080" */
    char *tls_certificate, *tls_key, *tls_client_ca;    /* paths, absolute; NULL: none */
    bool behind_proxy;
    struct config_list trusted_proxies, allow;          /* addresses or CIDR blocks */
    int max_connections, max_requests;                  /* requests under way; past it 503 */
    int64_t request_deadline_ms, idle_ms;
    int64_t max_head_bytes, max_body_bytes;
    int max_headers;
};
enum config_cloud { CONFIG_GLOBAL, CONFIG_USGOV, CONFIG_USGOV_DOD, CONFIG_CHINA };     /* in the order of the words of entra.cloud */
struct config_entra {
    char *tenant_id, *client_id;
    char *client_secret;            /* the value, read through its reference; NULL with a certificate */
    char *certificate, *key;        /* paths; NULL with a secret */
    char *authority_url;            /* token root, from cloud or override: https://login.microsoftonline.com */
    char *graph_url;                /* includes the version: https://graph.microsoft.com/v1.0 */
    int max_calls;
    int cloud;                      /* enum config_cloud; the URLs above are made from it */
};
struct config_jira {
    char *site_url;                 /* what people click on */
    char *api_url;                  /* what stands before /rest; default: site_url */
    char *email;                    /* NULL: Bearer */
    char *api_token;
    bool comments_internal;
    int max_calls;
};

/* JSM Assets. There where the section `assets` is. */
struct config_assets {
    bool wanted;
    char *workspace_id;             /* NULL: found by itself */
    char *api_url;                  /* what stands before /jsm; default: that of the gateway where jira.api_url is one, else https://api.atlassian.com */
    char *schema_key;               /* "ENTRA" */
    char *import_token;             /* of an external import source; NULL: no mass loads */
    int max_calls;
};
/* The synchronization of people and groups: section `sync`, everything with a default, so that `assets` alone makes it run. */
enum config_sync_mode { CONFIG_DIRECTORY_FIRST, CONFIG_ACCOUNTS_FIRST };
enum config_leavers { CONFIG_LEAVERS_INACTIVE, CONFIG_LEAVERS_KEEP, CONFIG_LEAVERS_DELETE };
enum config_accounts { CONFIG_ACCOUNTS_ALL, CONFIG_ACCOUNTS_ENABLED, CONFIG_ACCOUNTS_DISABLED };
enum config_loading { CONFIG_LOAD_AUTO, CONFIG_LOAD_NEVER, CONFIG_LOAD_ALWAYS };
/* The words of sync.attributes[].type; enum sync_type begins so. */
enum config_attribute_type { CONFIG_ATTRIBUTE_TEXT, CONFIG_ATTRIBUTE_EMAIL, CONFIG_ATTRIBUTE_BOOLEAN, CONFIG_ATTRIBUTE_INTEGER, CONFIG_ATTRIBUTE_DATE, CONFIG_ATTRIBUTE_URL };
struct config_sync_filter { char *attribute, *matches; };       /* a Graph attribute; a pattern, "*" for any text, ASCII case folded; all filters must hold */
struct config_sync_attribute { char *name, *from; int type; };  /* a further attribute of Employee: its name, Graph's attribute (also an extension, also extensionAttribute1 to 15); type: enum config_attribute_type */
struct config_sync {
    int mode;                       /* enum config_sync_mode */
    int64_t every_ms, full_every_ms, jitter_ms;     /* every 0: never by itself */
    int at_minute;                  /* minutes from midnight in the machine's time zone, where `every` is whole days; -1: any */
    bool guests;                    /* guests too */
    int accounts;                   /* enum config_accounts: by accountEnabled */
    struct config_list member_of;   /* users only who are in one of these groups (names or ids), directly or not; empty: all */
    struct config_sync_filter *filters; size_t filter_count;
    bool groups_wanted;             /* groups: all (of `groups`), or none */
    struct config_list groups;      /* patterns of display names, or ids; empty: all */
    struct config_sync_attribute *attributes; size_t attribute_count;
    int leavers;                    /* enum config_leavers */
    int64_t delete_after_ms;        /* of CONFIG_LEAVERS_DELETE: so long after they left */
    int guard_percent, guard_number;        /* a plan that takes away more than either allows waits for a person */
    int loading;                    /* enum config_loading: external imports */
    int load_above;                 /* CONFIG_LOAD_AUTO: for more creations than this */
    int64_t keep_history_ms;
    char *stage;                    /* the staging file; default: beside the store, ".sync" */
};
/* The names that Employee has without sync.attributes, NULL-ended: no further attribute may have one of them. */
extern const char *const config_employee_attributes[];

/* The policy section, by shape only; what names mean is directory's. */
struct config_projects { bool all; struct config_list keys; };       /* "*" or keys */
struct config_pair { char *name, *value; };
struct config_pairs { struct config_pair *items; size_t count; };

enum config_requester { CONFIG_REQUESTER_UNASKED, CONFIG_REQUESTER_MANAGER, CONFIG_REQUESTER_SELF, CONFIG_REQUESTER_ANY, CONFIG_REQUESTER_GROUP };
enum config_mode { CONFIG_ENFORCE, CONFIG_SHADOW };

/* What must hold besides the projects: the same keys in a group's entry and in an operation's. Both must hold where both apply. */
struct config_conditions {
    bool approval;                  /* approval: required */
    int approvals;                  /* so many approvers at least; 0: not said, which is 1 */
    char *approvers;                /* the group whose members' approvals count ("group:NAME" without the prefix); NULL: anybody's */
    int64_t approval_max_age_ms;    /* 0: any age */
    struct config_pairs bind;       /* a field of the request (user, group, ...) and the issue's field (customfield_...) that must say the same */
    enum config_requester requester;
    char *requester_group;          /* of CONFIG_REQUESTER_GROUP */
    struct config_list request_types, statuses;     /* ids; names, exactly. Empty: all */
    int64_t max_age_ms;             /* of the issue since it was created; 0: any */
    int64_t max_duration_ms;        /* of a membership; 0: for ever */
    enum config_mode mode;
};
/* How many operations within the window; 0: any number. */
struct config_limits {
    int per_token, per_issue, per_target, per_kind, total;
    int64_t window_ms;
    char *alert_url, *alert_secret; /* NULL: none */
};
struct config_kind_limits { int per_token, per_issue, per_target, per_kind; };
struct config_group_limits { int per_token, per_issue, per_group; };
struct config_group_rule { char *group; struct config_projects projects; struct config_conditions conditions; struct config_group_limits limits; };   /* group: a name or an object id */
struct config_operation_rule {
    char *kind;
    struct config_projects projects;
    bool issue_optional;
    struct config_conditions conditions;
    struct config_list attributes;  /* user.update, user.create: those it may write; reads: those it lets out besides the basic ones */
    bool sensitive;                 /* sensitive attributes may be among them; then an approval is needed */
    char *user_principal_name;      /* user.create: a pattern such as {givenName}.{surname}@example.com; NULL: the request must say it */
    char *redirect_url;             /* user.invite */
    int password_length;            /* user.create, user.reset_password; never 0 once loaded */
    struct config_kind_limits limits;
};
struct config_duty { struct config_list groups; };      /* groups of which nobody may hold two: names or object ids */
struct config_policy {
    struct config_group_rule *groups; size_t group_count;
    struct config_operation_rule *operations; size_t operation_count;
    struct config_duty *duties; size_t duty_count;
    struct config_list protected_users, protected_groups;
    bool protect_directory_roles;
    enum config_mode mode;          /* shadow: decides and comments, never writes */
    struct config_limits limits;
};

struct config {
    int references;                 /* private */
    char *path;                     /* the file, absolute */
    char hash[65];                  /* SHA-256 of the file, hex */
    char *store_url;                /* "sqlite:/absolute/path" */
    char *keys_directory, *public_url, *ca_file;
    char *time_zone;                /* NULL: the machine's */
    enum eb_log_level log_level; enum eb_log_format log_format;
    int64_t response_deadline_ms, recovery_max_age_ms, drain_ms;
    int max_operations;             /* under way; past it 503 overloaded */
    int64_t secret_expire_ms;       /* a link to a secret opens it for so long */
    int password_length;            /* of generated ones */
    struct config_listen listen;
    struct config_entra entra;
    struct config_jira jira;
    struct config_assets assets;
    struct config_sync sync;
    struct config_policy policy;
};

enum config_use { CONFIG_FULL, CONFIG_SHAPE };   /* SHAPE: secrets are not read (config validate, token create) */

/* All faults go into *faults, one a line: "FILE:LINE: key: what is wrong, what was expected". kinds: the operation kinds of this
 * build, NULL-ended, for policy.operations. false: at least one fault. */
bool config_load(const char *path, const char *const *kinds, enum config_use use, struct config **ret, struct eb_buf *faults) EB_CHECK;
struct config *config_ref(struct config *c);
void config_unref(struct config *c);              /* accepts NULL; wipes secrets */
bool config_reference(struct eb_buf *out);        /* the table as a commented YAML file */
/* Names, comma-separated, the keys that differ and that a reload does not take (a restart does). false: none. */
bool config_needs_restart(const struct config *was, const struct config *now, struct eb_buf *names);
/* Until when the first certificate of a PEM file is good (wall clock). For `check`. */
bool config_certificate_end(const char *file, int64_t *ret_ms, struct eb_err *err) EB_CHECK;

#endif
