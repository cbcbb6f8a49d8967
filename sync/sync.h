/* sync.h - synchronization: a source is read into a staging file, the plan is the difference to what the target holds, and is applied in order of dependence.
 *
 * One run at a time, whichever process does it: the staging file is locked for its length. A run that was stopped or killed goes on where it was. Nobody is
 * taken for having left unless the source was read whole. The engine (run.c, apply.c) knows sources and targets as tables of functions only.
 */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include "assets/assets.h"
#include "graph/graph.h"
#include "jira/jira.h"
#include "schedule/schedule.h"
#include "store/store.h"
#include "store/sync_table.h"

struct sync;

struct sync_parts {                 /* borrowed; they outlive it */
    struct eb_loop *loop;
    struct store *store;            /* history */
    struct graph *graph;
    struct jira *jira;
    struct assets *assets;
    struct schedule *schedule;      /* NULL: no runs by themselves (a command-line program) */
};
bool sync_new(const struct sync_parts *p, struct config *c, struct sync **ret, struct eb_err *err) EB_CHECK;
void sync_free(struct sync *s);     /* stops a run under way: the next one goes on from there */
void sync_configure(struct sync *s, struct config *c);      /* after a reload; a run under way keeps the one that it began with */
void sync_start(struct sync *s);    /* schedules: goes on with an interrupted run, then runs when it is time */

enum sync_what { SYNC_RUN, SYNC_PREVIEW, SYNC_INIT };
struct sync_order {
    enum sync_what what;
    bool full;                      /* read everything, on both sides */
    int64_t accept_removals;        /* so many inactivations and deletions are meant: the guard lets them through */
    const char *by;                 /* who asked, for the history; NULL: the schedule */
};
/* Begins a run; *ret_number: its row in the history. EB_OVERLOADED: one is under way (its number in the text). ended() is told once, after the row's end is on disk. */
typedef void sync_ended(void *ctx, const struct sync_run *r);
typedef void sync_begun(void *ctx, int64_t number, const struct eb_err *err);
void sync_run(struct sync *s, const struct sync_order *o, sync_begun *begun, sync_ended *ended, void *ctx);
void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx);       /* before the end of the program; tells when nothing is under way */
bool sync_under_way(const struct sync *s);

/* The staging file of a configuration; the caller's to free. For a preview's rows, which are read from it (sync/preview.h). */
char *sync_stage_path(const struct config *c);

#endif
