/* context.h - what a run hands to its source and its target: the rooms below, the configuration, and where to count. Borrowed; outlives both. */
#ifndef SYNC_CONTEXT_H
#define SYNC_CONTEXT_H

#include "assets/assets.h"
#include "graph/graph.h"
#include "jira/jira.h"
#include "store/store.h"
#include "sync/record.h"

struct sync_counts {
    int64_t creates, updates, inactivations, deletions;         /* planned; in a run that writes: done */
    int64_t unmatched, missing_managers, warnings, errors;
    int64_t users, groups, accounts;                            /* read: how many there are now, in scope */
    int64_t graph_calls, jira_calls, assets_calls, writes;
    int64_t throttled_ms;
};

struct sync_context {
    struct eb_loop *loop;
    struct store *stage;            /* the staging file's */
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;
    const struct config *config;
    const struct sync_schema *schema;
    struct sync_counts *counts;     /* the loop's: counted on the loop only, never in a job */
    /* What it does now, for people; total -1: not known. On the loop. */
    void (*progress)(void *run, const char *phase /* static */, int64_t done, int64_t total);
    /* An object that could not be read or written: counted, and kept in the history. On the loop. */
    void (*fault)(void *run, const char *action, enum stage_kind kind, const char *key, const char *label, const char *text);
    void *run;
};

#endif
