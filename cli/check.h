/* check.h - what `check` found: one row a finding, the names beside. For the files check*.c only. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "assets/assets.h"
#include "cli/cli.h"
#include "directory/directory.h"
#include "graph/query.h"

enum check_result { CHECK_OK, CHECK_WARNING, CHECK_FAULT };
struct check_finding { enum check_result result; const char *subject; char *text; };
struct check_report {
    struct check_finding *items; size_t count; bool faults;
    json_t *kinds;                  /* [{"operation", "permissions", "role", "missing"}]; NULL: not looked into */
};

/* subject: static. The text is cleaned when it is printed. */
void check_say(struct check_report *r, enum check_result result, const char *subject, const char *fmt, ...) EB_PRINTF(4, 5);
/* Findings about names that permit nothing, or not what they say. */
void check_say_names(struct check_report *r, const struct directory_binding *names, size_t count);
/* Prints all of it; the exit code. Frees the findings. */
int check_print(struct check_report *r, const struct cli *cli, const struct directory_binding *names, size_t count);

/* ---- check_need.c: what the enabled kinds need. Pure. ---- */
#define CHECK_ROLES_READ "RoleManagement.Read.Directory"
#define CHECK_ROLES_ELIGIBLE "RoleEligibilitySchedule.Read.Directory"
#define CHECK_OWNERS_READ "Application.Read.All"
#define CHECK_PERMISSIONS_MAX 16
#define CHECK_NEEDS_MAX 64
struct check_need { const char *kind; char permissions[CHECK_PERMISSIONS_MAX][64]; size_t count; const char *role /* "": none */; };
size_t check_needs(const struct config_policy *p, struct check_need ret[CHECK_NEEDS_MAX]);
/* A permission that the kind needs for some requests only, and for which ones; NULL: none. */
const char *check_sometimes(const char *kind, const char **ret_when);
/* Does one of the directory roles held (template ids, NULL-ended) do what this one does? */
bool check_holds_role(char *const *held, const char *role);

/* ---- check_permission.c ---- */
enum check_told { CHECK_UNTOLD, CHECK_GRANTED, CHECK_REFUSED };
/* A read that shows whether a permission is there: of an object that nobody has. */
struct check_probe { const char *permission; char *(*path)(void); bool names /* binding needs it */; enum check_told told; };
#define CHECK_PROBES 3
void check_probes(struct check_probe probes[CHECK_PROBES]);
struct check_clouds_told {
    char *const *granted, *const *roles;    /* permissions and directory roles that the token carries, NULL-ended; NULL: it cannot be looked into */
    const struct check_probe *probes;
};
/* What the enabled kinds need against what the clouds told: findings, and r->kinds. */
void check_permissions(struct check_report *r, const struct config_policy *p, const struct check_clouds_told *t);
/* Does one of the granted permissions do what this one does? Pure. */
bool check_covers(char *const *granted, const char *permission);

/* ---- what is asked of the clouds once names are bound: each ends in done(ctx) ---- */
struct check_asking {                   /* borrowed until done */
    const struct config *config;
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;              /* NULL: nothing is synchronized */
    struct directory *directory;
    struct check_report *report;
    void (*done)(void *ctx);
    void *ctx;
    size_t project;                     /* the binding whose project is asked about */
    int pages;                          /* of dynamic groups, read so far */
    int64_t schemas;                    /* of Assets, read so far */
};
typedef void check_ask(struct check_asking *a);
check_ask check_projects;               /* check_project.c: what our account may do there, and whether it is an agent */
check_ask check_application;            /* check_application.c: when our secret or certificate ends */
check_ask check_sync;                   /* check_sync.c: Jira accounts, workspace, schema, import source */
check_ask check_dynamic_groups;         /* check_dynamic.c: those whose rule reads what operations write */

/* ---- pure parts of these ---- */
/* What the policy says that is allowed, but is seldom meant: approvals without `bind`. check_policy.c */
void check_policy(struct check_report *r, const struct config_policy *p);
/* Does the membership rule read that attribute ("user.city")? Without regard to case; "city" is not in "user.cityCode". */
bool check_rule_reads(const char *rule, const char *attribute);
/* One dynamic group against what the enabled operations write. */
void check_dynamic_group(struct check_report *r, const struct config_policy *p, const char *name, const char *rule);
/* Ends of the application's own secrets, or certificates: `credentials` as Graph gives them; hint: the first three characters of our secret, or NULL. */
void check_credentials(struct check_report *r, const json_t *credentials, const char *hint, const char *what, int64_t now_ms);
/* check_assets.c: for the synchronization, where `assets` is there. */
void check_sync_permissions(struct check_report *r, const struct config *c, const struct check_clouds_told *t);
/* Says so where the schema is in this page: its id, borrowed; else NULL. */
const char *check_schema_listed(struct check_report *r, const json_t *page, const char *key);
void check_schema_types(struct check_report *r, const char *key, const json_t *types);      /* as Assets lists them; good ones need no words */
void check_schema_missing(struct check_report *r, const char *key, bool any /* schema was listed */);
void check_usage(struct check_report *r, const json_t *usage /* NULL: not told */, const char *why /* not, or "" */);
void check_import_state(struct check_report *r, const char *status);
void check_end(struct check_report *r, const char *what, int64_t ends_ms, int64_t now_ms);

#endif
