/* counters.c - a JSON tree of numbers, made as effects happen; /sim/counters shows it as it is. */
#include "sim/counters.h"

#include "base/text.h"

#include <stdlib.h>

struct sim_counters { json_t *memberships, *users, *issues; int64_t totals[SIM_TOTALS]; bool totals_only; };

static const char *const total_names[SIM_TOTALS] = {
    "adds", "removes", "patches", "comments", "comments_deleted", "users_deleted", "tokens", "graph_calls", "jira_calls", "batch_items",
    "creates", "deletes", "purges", "restores", "enables", "disables", "passwords", "passes", "passes_deleted",
    "revokes", "licences", "licences_added", "licences_removed", "invites", "methods_deleted", "managers",
    "calls_low", "calls_normal", "calls_high", "throttled", "resource_units", "writes", "writes_refused",
    "assets_calls", "assets_creates", "assets_updates", "assets_deletes", "assets_identical",
};

static void make(struct sim_counters *k)
{
    k->memberships = json_object();
    k->users = json_object();
    k->issues = json_object();
    for (int i = 0; i < SIM_TOTALS; i++)
        k->totals[i] = 0;
}

static void drop(struct sim_counters *k)
{
    json_decref(k->memberships);
    json_decref(k->users);
    json_decref(k->issues);
}

struct sim_counters *sim_counters_new(bool totals_only)
{
    struct sim_counters *k = eb_alloc(sizeof(*k));

    k->totals_only = totals_only;
    make(k);
    return k;
}

void sim_counters_free(struct sim_counters *k)
{
    if (k == NULL)
        return;
    drop(k);
    free(k);
}

void sim_counters_clear(struct sim_counters *k)
{
    drop(k);
    make(k);
}

/* The object under that name, made when it is not there; borrowed. */
static json_t *under(json_t *obj, const char *name)
{
    json_t *inner = json_object_get(obj, name);

    if (inner == NULL) {
        inner = json_object();
        json_object_set_new(obj, name, inner);
    }
    return inner;
}

static void bump(json_t *obj, const char *name)
{
    json_object_set_new(obj, name, json_integer(eb_json_int(obj, name, 0) + 1));
}

void sim_count(struct sim_counters *k, enum sim_total what)
{
    k->totals[what]++;
}

void sim_count_more(struct sim_counters *k, enum sim_total what, int64_t n)
{
    k->totals[what] += n;
}

void sim_count_member(struct sim_counters *k, const char *group, const char *member, bool added)
{
    k->totals[added ? SIM_ADDS : SIM_REMOVES]++;
    if (k->totals_only)
        return;
    json_t *pair = under(under(k->memberships, group), member);
    bump(pair, added ? "adds" : "removes");
    if (json_object_get(pair, added ? "removes" : "adds") == NULL)
        json_object_set_new(pair, added ? "removes" : "adds", json_integer(0));
}

void sim_count_user(struct sim_counters *k, const char *user, enum sim_total what)
{
    k->totals[what]++;
    if (!k->totals_only)
        bump(under(k->users, user), total_names[what]);
}

void sim_count_issue(struct sim_counters *k, const char *issue, const char *what)
{
    if (!k->totals_only)
        bump(under(k->issues, issue), what);
}

void sim_count_comment(struct sim_counters *k, const char *issue, const char *operation)
{
    k->totals[SIM_COMMENTS]++;
    if (k->totals_only)
        return;
    json_t *row = under(k->issues, issue);
    bump(row, "comments");
    if (operation != NULL)
        bump(under(row, "operations"), operation);
}

json_t *sim_counters_json(const struct sim_counters *k)
{
    json_t *totals = json_object();

    for (int i = 0; i < SIM_TOTALS; i++)
        json_object_set_new(totals, total_names[i], json_integer(k->totals[i]));
    return json_pack("{s:O, s:O, s:O, s:o}", "memberships", k->memberships, "users", k->users, "issues", k->issues, "totals", totals);
}
