/* counters.h - real effects, counted for each object: what kill tests compare with the outcomes. */
#ifndef SIM_COUNTERS_H
#define SIM_COUNTERS_H

#include "base/json.h"

enum sim_total {
    SIM_ADDS, SIM_REMOVES, SIM_PATCHES, SIM_COMMENTS, SIM_COMMENTS_DELETED, SIM_USERS_DELETED,
    SIM_TOKENS, SIM_GRAPH_CALLS, SIM_JIRA_CALLS, SIM_BATCH_ITEMS,
    SIM_CREATES, SIM_DELETES, SIM_PURGES, SIM_RESTORES, SIM_ENABLES, SIM_DISABLES, SIM_PASSWORDS, SIM_PASSES, SIM_PASSES_DELETED,
    SIM_REVOKES, SIM_LICENCES, SIM_LICENCES_ADDED, SIM_LICENCES_REMOVED, SIM_INVITES, SIM_METHODS_DELETED, SIM_MANAGERS,
    SIM_CALLS_LOW, SIM_CALLS_NORMAL, SIM_CALLS_HIGH, SIM_THROTTLED, SIM_UNITS, SIM_WRITES, SIM_WRITES_REFUSED,
    SIM_ASSETS_CALLS, SIM_ASSETS_CREATES, SIM_ASSETS_UPDATES, SIM_ASSETS_DELETES, SIM_ASSETS_IDENTICAL, SIM_TOTALS
};
struct sim_counters;

/* totals_only: nothing is kept for single objects. */
struct sim_counters *sim_counters_new(bool totals_only);
void sim_counters_free(struct sim_counters *k);
void sim_counters_clear(struct sim_counters *k);
void sim_count(struct sim_counters *k, enum sim_total what);
void sim_count_more(struct sim_counters *k, enum sim_total what, int64_t n);
void sim_count_member(struct sim_counters *k, const char *group, const char *member, bool added);
void sim_count_user(struct sim_counters *k, const char *user, enum sim_total what);     /* in the totals too, under the same name */
void sim_count_comment(struct sim_counters *k, const char *issue, const char *operation /* or NULL */);
void sim_count_issue(struct sim_counters *k, const char *issue, const char *what);   /* deleted, properties */
json_t *sim_counters_json(const struct sim_counters *k);

#endif
