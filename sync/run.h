/* run.h - inside of sync/: a run under way, and the functions by which its files meet.
 *
 * A run walks a list of steps (run.c). A step ends at once or waits for one completion; what a job of the staging thread works on belongs to that job until it is done. A run is
 * freed only when none of its jobs is under way, or after the staging thread has ended.
 */
#ifndef SYNC_RUN_H
#define SYNC_RUN_H

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/sync.h"
#include "sync/target.h"

#include <sys/queue.h>

struct run;
struct apply;
struct settle;

enum run_flow { RUN_NEXT, RUN_WAIT, RUN_FINISH /* on to the end; r->err says whether something was wrong */ };

/* A job and who goes on after it. Made by run_job(), freed after `then`. */
struct run_job {
    struct run *run;
    bool (*work)(struct db *db, struct run_job *j, struct eb_err *err);        /* on the thread */
    void (*then)(struct run_job *j, const struct eb_err *err);                  /* on the loop; err NULL: good */
    void *data;                     /* of whoever made it */
    bool staged;                    /* on the staging thread */
    LIST_ENTRY(run_job) link;
};

struct guard_count { enum stage_kind kind; int64_t removals, active, wanted; };     /* of one kind: many groups must not hide that everybody leaves */

struct run {
    struct sync *sync;
    struct sync_order order;
    char *by;
    struct config *config;
    struct sync_schema *schema;
    struct sync_context x;
    struct sync_counts counts;      /* as they are told */
    struct store *stage;
    const struct sync_source *source; void *source_state;
    const struct sync_target *target; void *target_state;
    struct sync_run row;
    char *message;
    size_t step;
    LIST_HEAD(, run_job) jobs;      /* under way */
    int staged;                     /* of them on the staging thread: what they touch of the source stays open */
    struct eb_timer *later;         /* a step that waits for a time */
    struct eb_timer *tell;          /* progress into the row */
    bool telling, told_anew;
    bool stopping, ending, closing, ended;
    bool waits;                     /* for source, target or a time: what `stop` has to break off */
    int64_t begun_mono_ms;
    struct eb_err err;
    sync_begun *begun; sync_ended *ended_fn; void *ctx;

    /* what the looks have shown */
    bool power_lost;                /* the machine went down in an earlier run: the staging file may lack its last commits */
    bool read_all, target_known;
    int64_t generation;             /* of the target's full reads */
    int64_t read_all_ms;            /* when the source was last read whole; 0: never */
    int64_t planned[STAGE_ACTIONS];  /* users and groups together */
    struct guard_count guarded[2];
    int64_t throttled_before_ms;
    char *place;                    /* where the target's objects live */
    bool moved;                     /* it is another place than that of the rows */
    bool was_read;                  /* the source was read to its end */
    bool is_first;                  /* the target had nothing active of ours when it was planned */
    bool loaded;                    /* a mass load was made in this run */
    int levels;                     /* of managers, and of groups in groups */
    struct settle *settle;
    struct apply *apply;
    const char *outcome;            /* static; NULL: by err and counts */
};

/* run.c */
/* NULL: it could not begin, and begun() was told why. */
struct run *run_begin(struct sync *s, const struct sync_order *o, struct config *c, sync_begun *begun, sync_ended *ended, void *ctx);
void run_go(struct run *r);                                     /* after what the step waited for */
void run_fail(struct run *r, const struct eb_err *err);         /* the first one counts; then run_go() */
void run_stop(struct run *r);
void run_free(struct run *r);                                   /* the staging thread has ended, or nothing is under way */
struct run_job *run_job(struct run *r, bool (*work)(struct db *, struct run_job *, struct eb_err *), void (*then)(struct run_job *, const struct eb_err *), void *data);
void run_pause(struct run *r, int64_t ms);                      /* run_go() after that time */
void run_progress(void *run, const char *phase, int64_t done, int64_t total);
void run_fault(void *run, const char *action, enum stage_kind kind, const char *key, const char *label, const char *text);

/* steps.c: the steps between opening and end. */
bool run_leaves_out(const struct run *r, enum stage_action action);      /* by what is to become of leavers */
#define RUN_STEPS(X) X(look) X(read) X(project) X(notes) X(prepare) X(read_target) X(settle) X(plan) X(load) X(apply) X(doubts)
#define RUN_STEP_DECL(name) enum run_flow run_step_##name(struct run *r);
RUN_STEPS(RUN_STEP_DECL)
#undef RUN_STEP_DECL
extern const struct run_step { const char *name; enum run_flow (*run)(struct run *r); } run_steps[];
extern const size_t run_step_count;

/* settle.c: waits until it can be known, then looks for objects whose creation is in doubt. */
enum run_flow run_settle(struct run *r);
void run_settle_free(struct run *r);

/* apply.c */
struct apply *apply_new(struct run *r);
void apply_free(struct apply *a);           /* accepts NULL */
bool apply_drains(struct apply *a);         /* at a stop: does it wait for what was sent? run_go() is called when that has come */
enum run_flow apply_go(struct apply *a);    /* RUN_WAIT until it has ended; then run_go() is called, and it says RUN_NEXT or RUN_FINISH */

/* change.c, on the staging thread: from a row of the plan to what is to be written. */
struct change {
    enum stage_action action;
    enum stage_kind kind;
    char *key, *label, *object_id;
    json_t *values;                 /* resolved; NULL for LEAVE, DELETE */
    char *record, *hash;            /* what stands there once it is written: without the references that lead nowhere yet */
    bool needless;                  /* that stands there already: nothing is to be written, only kept */
    int failures;                   /* how often it was nobody's fault */
    bool active_before;
    int unresolved;                 /* references that lead to nothing in the target (yet) */
    STAILQ_ENTRY(change) link;
};
STAILQ_HEAD(change_list, change);
/* *ret NULL: nothing is to be written or kept now (all that differs cannot be resolved yet). */
bool change_make(struct db *db, const struct sync_schema *schema, const struct stage_change *c, struct change **ret, struct eb_err *err) EB_CHECK;
void change_free(struct change *c);

/* guard.c: pure. NULL: let it through; else why it is held (of a preview: would be), for people, in `out`. */
struct guard_facts { const struct guard_count *counts; size_t count; int64_t accepted; int percent, number; bool preview; };
const char *guard_holds(const struct guard_facts *f, char *out, size_t size);

/* counts.c: as JSON, for the row of the history; the caller's to free. */
char *sync_counts_text(const struct sync_counts *c);
char *sync_calls_text(const struct sync_counts *c);

/* when.c: pure but for the machine's time zone. When the next run is due; INT64_MAX: never by itself. last_ms: when the last one began, 0: never. */
int64_t sync_next_ms(const struct config_sync *c, int64_t last_ms, int64_t now_ms);
bool sync_full_due(const struct config_sync *c, int64_t read_all_ms, int64_t now_ms);

/* sync.c */
void sync_run_over(struct sync *s, struct run *r);      /* its end is on disk (or cannot be put there) */
struct store *sync_store(struct sync *s);
const struct sync_parts *sync_parts(const struct sync *s);

#endif
