/* runner.c - operations under way, and the one driver that walks each through its kind's steps.
 *
 * Owns:    every struct operation; ops_operation_free() is the only place where one ends.
 * Invariant: completions look their operation up by its run number; none holds a pointer to it. Store jobs do, for an operation
 * is not freed while a job of its is queued: each step waits for its job, and the conclusion for the first one.
 */
#include "ops/runner.h"
#include "ops/expiry.h"
#include "base/metrics.h"
#include "base/text.h"
#include "ops/secret.h"
#include "ops/undo.h"
#include "ops/wait.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct eb_metric under_way = { "entrabridge_operations_under_way", "Operations without an outcome", EB_GAUGE, { NULL } };

struct stage { const char *name; enum ops_flow (*run)(struct operation *op); };
static const struct stage steps[] = {
    { "gather", ops_step_gather },      /* the issue from Jira, the targets from Graph, side by side */
    { "verify", ops_step_verify },      /* what the policy's conditions ask for: approvals, edits, people */
    { "decide", ops_step_decide },      /* policy; a read ends here */
    { "plan", ops_step_plan },          /* what is to be written; a dry run ends here */
    { "wait", ops_step_wait },          /* for its date, past a limit, while writes are paused */
    { "claim", ops_step_claim },        /* one writer an object */
    { "record", ops_step_record },      /* what stands before, and the first write's row, on disk */
    { "write", ops_step_write },
};
/* Of a composite, whose steps are operations of their own. */
static const struct stage composite_steps[] = {
    { "gather", ops_step_gather }, { "verify", ops_step_verify }, { "decide", ops_step_decide },
    { "compose", ops_step_compose },    /* which steps */
    { "wait", ops_step_wait },
    { "note", ops_step_note },          /* on disk */
    { "walk", ops_step_walk },
};

size_t composite_first_step(void)
{
    return EB_LEN(composite_steps) - 1;
}

static const struct stage *stage_of(const struct operation *op)
{
    bool composite = ops_is_composite(op->kind);

    assert(op->step < (composite ? EB_LEN(composite_steps) : EB_LEN(steps)));
    return composite ? &composite_steps[op->step] : &steps[op->step];
}

struct operation *ops_operation_new(struct ops *o, const struct ops_kind *k)
{
    struct operation *op = eb_alloc(sizeof *op);

    op->magic = OPS_MAGIC;
    op->ops = o;
    op->kind = k;
    op->row = -1;
    op->run = ++o->last_run;
    op->config = config_ref(o->config);
    op->accepted_us = eb_mono_us();
    HASH_ADD(by_run, o->by_run, run, sizeof op->run, op);
    eb_metric_set(&under_way, (double)HASH_CNT(by_run, o->by_run), NULL, NULL, NULL);
    return op;
}

void ops_name(struct operation *op, const char *id)
{
    if (id != NULL)
        strcpy(op->id, id);
    else
        eb_id_new(op->id);
    HASH_ADD(by_id, op->ops->by_id, id, strlen(op->id), op);
}

struct operation *ops_find(struct ops *o, uint64_t run)
{
    struct operation *op;

    HASH_FIND(by_run, o->by_run, &run, sizeof run, op);
    return op;
}

struct operation *ops_find_id(struct ops *o, const char *id)
{
    struct operation *op;

    HASH_FIND(by_id, o->by_id, id, strlen(id), op);
    return op;
}

void ops_issue_free(struct jira_issue *i)
{
    const char *texts[] = { i->id, i->key, i->project_id, i->project_key, i->status, i->request_type_id,
                            i->reporter_account_id, i->reporter_email, i->reporter_name };

    for (size_t n = 0; n < EB_LEN(texts); n++)
        free((void *)(uintptr_t)texts[n]);
    json_decref((json_t *)(uintptr_t)i->fields);
    *i = (struct jira_issue){ 0 };
}

void ops_forget_facts(struct operation *op)
{
    ops_issue_free(&op->issue);
    directory_facts_free(op->facts);
    op->facts = NULL;
    evidence_free(op->evidence);
    op->evidence = NULL;
    op->issue_err = op->facts_err = (struct eb_err){ 0 };
    op->awaited = 0;
}

static struct operation *next_parked(struct ops *o)
{
    struct operation *op = o->draining ? NULL : o->by_run;

    while (op != NULL && !op->parked)
        op = op->by_run.next;
    return op;
}

/* Operations taken up after a start begin a few at a time, so that they do not flood the clouds' queues. A composite waits for steps that may be parked
 * themselves: it takes no one's place. */
static void begin_parked(struct ops *o)
{
    bool composite = true;

    while (composite) {
        struct operation *op = next_parked(o);

        if (op == NULL)
            return;
        composite = ops_is_composite(op->kind);
        op->parked = false;
        o->parked--;
        ops_run(op);                    /* from its first step, or to its end where the row could not be read */
    }
}

void ops_operation_free(struct operation *op)
{
    struct ops *o = op->ops;
    bool was_recovered = op->recovered && !op->parked;

    assert(op->magic == OPS_MAGIC);
    HASH_DELETE(by_run, o->by_run, op);
    if (op->id[0] != '\0')
        HASH_DELETE(by_id, o->by_id, op);
    ops_release(op);
    expiry_give_back(op);
    wait_give_back(op);
    ops_conclusion_free(op->conclusion);
    ops_forget_facts(op);
    eb_timer_free(op->deadline);
    eb_timer_free(op->retry);
    config_unref(op->config);
    ops_fields_clear(&op->fields);
    free(op->token_id);
    free(op->token_name);
    free(op->as_operations);
    free(op->as_projects);
    ops_plan_clear(&op->plan);
    json_decref(op->before);
    json_decref(op->after);
    json_decref(op->approvals);
    json_decref(op->expected);
    json_decref(op->expected_late);
    json_decref(op->result);
    json_decref(op->undone);
    json_decref(op->judged_body);
    composite_free(op->composite);
    free(op->step_of);
    free(op->issue_fields);
    eb_wipe_free(op->secret);
    free(op->sealed);
    free(op->origin);
    free(op->stopped_before);
    free(op->user_id);
    free(op->group_id);
    free(op->comment_issue);
    free(op->comment_key);
    op->magic = 0;
    free(op);
    eb_metric_set(&under_way, (double)HASH_CNT(by_run, o->by_run), NULL, NULL, NULL);
    if (was_recovered)
        begin_parked(o);
    ops_drain_check(o);
}

/* The only place where an operation advances. Called from loop callbacks, never nested. May free op. */
void ops_run(struct operation *op)
{
    enum ops_flow flow = OPS_NEXT;

    assert(op->magic == OPS_MAGIC && !op->running);
    op->running = true;
    while (flow != OPS_WAIT && op->outcome == NULL) {
        const struct stage *s = stage_of(op);

        eb_debug(op->id, "step name=%s phase=%d", s->name, op->phase);
        flow = s->run(op);
        if (flow == OPS_NEXT)
            op->step++;
        else if (flow == OPS_AGAIN)
            op->step = 0;
        if (flow != OPS_WAIT)
            op->phase = OPS_START;      /* of the step that comes next */
    }
    op->running = false;
    if (op->outcome != NULL)
        ops_conclude(op);               /* its completion answers and frees */
}

void ops_ready_wake(struct operation *op)
{
    op->phase = OPS_READY;
    ops_run(op);
}

static void retry_now(void *arg)
{
    ops_ready_wake(arg);
}

void ops_retry_in(struct operation *op, int64_t ms)
{
    if (op->retry == NULL)
        op->retry = eb_timer_new(op->ops->parts.loop, retry_now, op);
    eb_timer_set(op->retry, ms);
}

void ops_answer_all(struct operation *op, const struct ops_answer *a)
{
    struct ops *o = op->ops;

    for (size_t i = 0; i < op->waiter_count; i++)
        o->parts.answer(o->parts.answer_ctx, op->waiters[i], a);
    op->waiter_count = 0;
}

bool ops_has_room(const struct ops *o, struct eb_err *err)
{
    const unsigned most = (unsigned)o->config->max_operations;

    if (HASH_CNT(by_run, o->by_run) < most && store_queue_length(o->parts.store) < 4 * (size_t)most)
        return true;
    eb_fail(err, EB_OVERLOADED, "%u operations are under way, which is the limit (max_operations). Send the request again later.", most);
    err->retry_after_ms = 2000;
    return false;
}

/* ---- start, reload, stop ---- */

static void forget_keys(void *ctx, const char *subject, int64_t due_ms);

bool ops_new(const struct ops_parts *p, struct config *c, struct ops **ret, struct eb_err *err)
{
    struct ops *o = eb_alloc(sizeof *o);

    o->parts = *p;
    o->config = config_ref(c);
    if (!poster_new(o, &o->poster, err)) {
        ops_free(o);
        return false;
    }
    schedule_register(p->schedule, "forget_keys", forget_keys, o);
    ops_secret_register(o);
    expiry_register(o);
    wait_register(o);
    orders_new(o);
    *ret = o;
    return true;
}

void ops_free(struct ops *o)
{
    struct operation *op, *next;

    if (o == NULL)
        return;
    o->draining = true;
    o->drained = NULL;
    o->parked = 0;
    for (op = o->by_run; op != NULL; op = next) {
        next = op->by_run.next;
        op->parked = false;             /* draining: none begins in the midst */
    }
    HASH_ITER(by_run, o->by_run, op, next)
        ops_operation_free(op);
    expiry_free(o);
    ops_take_up_free(o);
    wait_free(o);
    orders_free(o);
    poster_free(o->poster);
    eb_timer_free(o->drain_timer);
    eb_timer_free(o->recover_timer);
    config_unref(o->config);
    free(o);
}

void ops_configure(struct ops *o, struct config *c)
{
    config_ref(c);
    config_unref(o->config);
    o->config = c;
    ops_note_configuration(o);
}

const struct config *ops_config(const struct ops *o)
{
    return o->config;
}

void ops_start(struct ops *o)
{
    schedule_put(o->parts.schedule, "forget_keys", "idempotency", eb_now_ms());
    ops_secret_begin(o);
    ops_note_configuration(o);
    ops_recover(o);
}

#define BEGIN_AT_ONCE 32                /* operations taken up: as one ends, the next begins */

/* What names mean must be known before anything is decided again. */
static void begin_when_ready(void *ctx)
{
    struct ops *o = ctx;

    if (!o->started || !directory_ready(o->parts.directory, NULL))
        return;
    directory_on_ready(o->parts.directory, NULL, NULL);
    for (int i = 0; i < BEGIN_AT_ONCE; i++)
        begin_parked(o);
}

void ops_recovered(struct ops *o)
{
    o->started = true;
    poster_start(o->poster);
    orders_wake(o);
    directory_on_ready(o->parts.directory, begin_when_ready, o);
    begin_when_ready(o);
}

static void recover_now(void *arg)
{
    ops_recover(arg);
}

void ops_recover_later(struct ops *o)
{
    if (o->recover_timer == NULL)
        o->recover_timer = eb_timer_new(o->parts.loop, recover_now, o);
    eb_timer_set(o->recover_timer, 1000);
}

void ops_store_changed(struct ops *o)
{
    poster_wake(o->poster);
    schedule_wake(o->parts.schedule);   /* the command line has cancelled an end, or let a held operation go on */
    if (o->started)
        pause_look(o);
    if (o->started)
        orders_wake(o);
}

int ops_under_way(const struct ops *o)
{
    return (int)HASH_CNT(by_run, o->by_run);
}

bool ops_ready(const struct ops *o, struct eb_err *err)
{
    struct eb_err unheard = { 0 };

    if (err == NULL)
        err = &unheard;
    if (o->draining) {
        eb_fail(err, EB_SHUTTING_DOWN, "The service is shutting down. Send the request again in a moment.");
        err->retry_after_ms = 5000;
        return false;
    }
    if (!directory_ready(o->parts.directory, err)) {
        if (err->retry_after_ms == 0)
            err->retry_after_ms = 2000;
        return false;
    }
    if (!o->started) {
        eb_fail(err, EB_STARTING, "The operations of before the start are being taken up. Send the request again in a moment.");
        err->retry_after_ms = 1000;
        return false;
    }
    return ops_has_room(o, err);
}

/* What still waits for a cloud stays open in the journal for the next start; who waits for it is told so. */
static void drain_over(void *arg)
{
    struct ops *o = arg;
    void (*drained)(void *ctx) = o->drained;

    o->drained = NULL;
    eb_timer_stop(o->drain_timer);
    for (struct operation *op = o->by_run; op != NULL; op = op->by_run.next)
        if (op->journaled && op->waiter_count > 0)
            ops_answer_late(op);
    if (drained != NULL)
        drained(o->drained_ctx);
}

/* A composite that only waits for its steps is not waited for itself: they are. */
static unsigned standing_still(const struct ops *o)
{
    unsigned n = o->parked + o->paused;

    for (const struct operation *op = o->by_run; op != NULL; op = op->by_run.next)
        n += !op->parked && composite_waits(op);
    return n;
}

void ops_drain_check(struct ops *o)
{
    if (o->draining && o->drained != NULL && HASH_CNT(by_run, o->by_run) == standing_still(o) && poster_idle(o->poster))
        drain_over(o);
}

void ops_drain(struct ops *o, int64_t deadline_ms, void (*done)(void *ctx), void *ctx)
{
    o->draining = true;
    o->drained = done;
    o->drained_ctx = ctx;
    o->drain_timer = eb_timer_new(o->parts.loop, drain_over, o);
    eb_timer_set(o->drain_timer, deadline_ms);
    ops_drain_check(o);
}

/* ---- keys whose window is over ---- */

#define FORGET_EVERY_MS 3600000
#define FORGET_MOST 100                 /* in one transaction: others wait behind it */

struct forget_job { struct ops *ops; int64_t gone; };

static bool forget_job(struct db *db, void *arg, struct eb_err *err)
{
    struct forget_job *j = arg;

    return journal_forget_keys(db, eb_now_ms(), FORGET_MOST, &j->gone, err);
}

static void forgotten(void *arg, const struct eb_err *err)
{
    struct forget_job *j = arg;
    bool more = err == NULL && j->gone == FORGET_MOST;

    if (err != NULL)
        eb_warn(NULL, "idempotency keys were not cleaned up: %s", err->text);
    schedule_done(j->ops->parts.schedule, "forget_keys", "idempotency", eb_now_ms() + (more ? 1000 : FORGET_EVERY_MS));
    free(j);
}

static void forget_keys(void *ctx, const char *subject, int64_t due_ms)
{
    struct ops *o = ctx;
    struct forget_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    store_submit(o->parts.store, forget_job, j, forgotten);
}
