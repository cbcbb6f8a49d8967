/* sync.c - the room: one run at a time, by schedule or by order; what /metrics tells of it.
 *
 * The schedule is one durable timer. A run that was cut off (its row has no end, or it was stopped) is gone on with soon after the start.
 * Owns: the run under way, the configuration.
 */
#include "sync/run.h"

#include "base/metrics.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define TIMER "sync"
#define SUBJECT "assets"
#define GO_ON_MS 5000                   /* after a start, when the last run was cut off */
#define AGAIN_MS (60 * 1000)            /* another process synchronizes, or the store does not answer */
#define AGE_MS 15000
#define FAILED_MS (150 * INT64_C(1000)) /* doubled at once: five minutes after the first failure */
#define FAILED_DOUBLINGS 8

struct sync {
    struct sync_parts parts;
    struct config *config;
    struct run *run;
    bool stopping;
    void (*stopped)(void *ctx); void *stopped_ctx;
    struct eb_timer *age;
    int64_t read_ms;                    /* when the directory was last read; 0: not known */
    bool fired;                         /* the timer's row is in hand */
    bool replan;                        /* the configuration was changed during a run */
    int failed;                         /* runs of the schedule in a row */
    struct last_job *last;              /* under way */
};

static struct eb_metric runs_total = { "entrabridge_sync_runs_total", "Runs of the synchronization, by outcome", EB_COUNTER, { "outcome" } };
static struct eb_metric objects_total = { "entrabridge_sync_objects_total", "Objects written to the target, by action", EB_COUNTER, { "action" } };
static struct eb_metric calls_total = { "entrabridge_sync_calls_total", "Calls made by the synchronization, by cloud", EB_COUNTER, { "cloud" } };
static struct eb_metric records = { "entrabridge_sync_records", "Records in scope after the last run, by kind", EB_GAUGE, { "kind" } };
static struct eb_metric age_seconds = { "entrabridge_sync_age_seconds", "Time since the directory was last read", EB_GAUGE };
static struct eb_metric run_seconds = { "entrabridge_sync_run_seconds", "How long the last run took", EB_GAUGE };
static struct eb_metric throttled_seconds = { "entrabridge_sync_throttled_seconds_total", "Time that runs were held back by 429", EB_COUNTER };

struct store *sync_store(struct sync *s) { return s->parts.store; }
const struct sync_parts *sync_parts(const struct sync *s) { return &s->parts; }
bool sync_under_way(const struct sync *s) { return s->run != NULL; }

char *sync_stage_path(const struct config *c)
{
    return eb_strdup(c->sync.stage);
}

/* ---- metrics ---- */

static void tell_age(void *arg)
{
    struct sync *s = arg;

    if (s->read_ms > 0)
        eb_metric_set(&age_seconds, (double)(eb_now_ms() - s->read_ms) / 1000, NULL, NULL, NULL);
    eb_timer_set(s->age, AGE_MS);
}

static void count_run(struct sync *s, const struct run *r)
{
    const struct sync_counts *c = &r->counts;
    const struct { const char *name; int64_t n; } objects[] = { { "create", c->creates }, { "update", c->updates }, { "inactivate", c->inactivations }, { "delete", c->deletions } };
    const struct { const char *name; int64_t n; } calls[] = { { "graph", c->graph_calls }, { "jira", c->jira_calls }, { "assets", c->assets_calls } };

    eb_metric_add(&runs_total, 1, r->row.outcome, NULL, NULL);
    for (size_t i = 0; r->order.what == SYNC_RUN && c->writes > 0 && i < EB_LEN(objects); i++)
        eb_metric_add(&objects_total, (double)objects[i].n, objects[i].name, NULL, NULL);
    for (size_t i = 0; i < EB_LEN(calls); i++)
        eb_metric_add(&calls_total, (double)calls[i].n, calls[i].name, NULL, NULL);
    eb_metric_add(&throttled_seconds, (double)c->throttled_ms / 1000, NULL, NULL, NULL);
    eb_metric_set(&run_seconds, (double)(r->row.ended_ms - r->row.started_ms) / 1000, NULL, NULL, NULL);
    if (r->was_read) {
        s->read_ms = r->row.started_ms;
        eb_metric_set(&records, (double)c->users, "user", NULL, NULL);
        eb_metric_set(&records, (double)c->groups, "group", NULL, NULL);
        tell_age(s);
    }
}

static void plan_next(struct sync *s);

/* ---- runs ---- */

void sync_run(struct sync *s, const struct sync_order *o, sync_begun *begun, sync_ended *ended, void *ctx)
{
    struct eb_err err = { 0 };

    if (s->stopping)
        (void)eb_fail(&err, EB_SHUTTING_DOWN, "The program is being stopped.");
    else if (s->run != NULL)
        (void)eb_fail(&err, EB_OVERLOADED, "Run %lld is under way; there is one at a time. `entrabridge sync status` shows it.", (long long)s->run->row.number);
    if (err.code != EB_OK)
        begun(ctx, 0, &err);
    else
        s->run = run_begin(s, o, s->config, begun, ended, ctx);
}

/* Else a clock that was set back a day would make the directory a day older. One that is under way plans the next itself. */
static void clock_stepped(void *ctx)
{
    struct sync *s = ctx;

    if (!s->fired && !s->stopping && s->run == NULL)
        plan_next(s);
}

void sync_run_over(struct sync *s, struct run *r)
{
    sync_ended *ended = r->ended_fn;

    s->run = NULL;
    if (ended != NULL) {
        count_run(s, r);
        ended(r->ctx, &r->row);
    }
    run_free(r);
    if (s->stopping && s->stopped != NULL) {
        s->stopped(s->stopped_ctx);
    } else if (s->replan) {
        s->replan = false;
        plan_next(s);
    }
}

void sync_stop(struct sync *s, void (*stopped)(void *ctx), void *ctx)
{
    s->stopping = true;
    if (s->run == NULL) {
        stopped(ctx);
        return;
    }
    s->stopped = stopped;
    s->stopped_ctx = ctx;
    run_stop(s->run);
}

/* ---- the schedule ---- */

static void put_at(struct sync *s, int64_t due_ms)
{
    if (s->fired)
        schedule_done(s->parts.schedule, TIMER, SUBJECT, due_ms < INT64_MAX ? due_ms : 0);
    else if (due_ms < INT64_MAX)
        schedule_put(s->parts.schedule, TIMER, SUBJECT, due_ms);
    s->fired = false;
}

/* As the schedule says, put off by chance; INT64_MAX: never. */
static void put_next(struct sync *s, int64_t due_ms)
{
    int64_t jitter_ms = s->config->sync.jitter_ms;

    if (due_ms < INT64_MAX && jitter_ms > 0)
        due_ms += eb_random_below((uint32_t)(jitter_ms < INT32_MAX ? jitter_ms : INT32_MAX));
    put_at(s, due_ms);
}

/* After a run that failed the next one comes sooner than its time, then ever later. One that is held waits for a person. */
static void scheduled_ended(void *ctx, const struct sync_run *r)
{
    struct sync *s = ctx;
    int64_t now_ms = eb_now_ms(), due_ms = sync_next_ms(&s->config->sync, r->started_ms, now_ms);

    s->failed = eb_streq(r->outcome, "failed") ? s->failed + 1 : 0;
    int64_t again_ms = now_ms + (FAILED_MS << (s->failed < FAILED_DOUBLINGS ? s->failed : FAILED_DOUBLINGS));
    if (s->stopping)
        return;
    if (s->failed > 0 && due_ms < INT64_MAX && again_ms < due_ms)
        put_at(s, again_ms);
    else
        put_next(s, due_ms);
}

static void scheduled_begun(void *ctx, int64_t number, const struct eb_err *err)
{
    struct sync *s = ctx;

    (void)number;
    if (err == NULL)
        return;
    eb_warn(NULL, "sync its time has come, but it cannot begin: %s", err->text);
    put_at(s, eb_now_ms() + AGAIN_MS);
}

static void due(void *ctx, const char *subject, int64_t due_ms)
{
    struct sync *s = ctx;
    const struct sync_order o = { .what = SYNC_RUN };

    (void)subject;
    (void)due_ms;
    s->fired = true;
    if (s->config->sync.every_ms <= 0 || !s->config->assets.wanted)
        put_next(s, INT64_MAX);
    else
        sync_run(s, &o, scheduled_begun, scheduled_ended, s);
}

#define LOOK_BACK 100                   /* rows; previews may stand before the last run */

struct last_job { struct sync *s; bool cut; int64_t started_ms, ended_ms; };

/* The newest that writes, whatever was looked at since. False ends the walk. */
static bool is_cut(void *ctx, const struct sync_run *r)
{
    struct last_job *j = ctx;

    if (!eb_streq(r->kind, "full") && !eb_streq(r->kind, "delta"))
        return true;
    j->cut = r->ended_ms == 0 || eb_streq(r->outcome, "interrupted") || eb_streq(r->outcome, "stopped");
    return false;
}

static bool read_last(struct db *db, void *arg, struct eb_err *err)
{
    struct last_job *j = arg;

    j->cut = false;
    return sync_run_last(db, false, &j->started_ms, &j->ended_ms, err) && sync_runs_list(db, 0, LOOK_BACK, is_cut, j, err);
}

static void last_read(void *arg, const struct eb_err *err)
{
    struct last_job *j = arg;
    struct sync *s = j->s;
    int64_t now_ms = eb_now_ms();

    s->last = NULL;
    s->read_ms = j->started_ms;
    if (err != NULL)
        eb_warn(NULL, "sync its history cannot be read: %s", err->text);
    if (err != NULL || j->cut)
        put_at(s, now_ms + (err != NULL ? AGAIN_MS : GO_ON_MS));
    else
        put_next(s, sync_next_ms(&s->config->sync, j->started_ms, now_ms));
    free(j);
}

static void plan_next(struct sync *s)
{
    if (s->parts.schedule == NULL || s->config->sync.every_ms <= 0 || !s->config->assets.wanted || s->last != NULL)
        return;
    s->last = eb_alloc(sizeof *s->last);
    s->last->s = s;
    store_submit(s->parts.store, read_last, s->last, last_read);
}

void sync_start(struct sync *s)
{
    tell_age(s);
    plan_next(s);
}

void sync_configure(struct sync *s, struct config *c)
{
    config_ref(c);
    config_unref(s->config);
    s->config = c;
    s->replan = s->run != NULL;
    if (!s->replan)
        plan_next(s);
}

bool sync_new(const struct sync_parts *p, struct config *c, struct sync **ret, struct eb_err *err)
{
    struct sync *s = eb_alloc(sizeof *s);

    (void)err;
    s->parts = *p;
    s->config = config_ref(c);
    s->age = eb_timer_new(p->loop, tell_age, s);
    if (p->schedule != NULL) {
        schedule_register(p->schedule, TIMER, due, s);
        schedule_on_step(p->schedule, clock_stepped, s);
    }
    *ret = s;
    return true;
}

void sync_free(struct sync *s)
{
    if (s == NULL)
        return;
    run_free(s->run);
    free(s->last);                      /* the store's thread has ended by then */
    eb_timer_free(s->age);
    config_unref(s->config);
    free(s);
}
