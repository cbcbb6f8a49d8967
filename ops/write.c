/* write.c - the step that changes Entra: one write after another, each with its row.
 *
 * Invariant: from the commit of a write's row to Graph's answer the write is in doubt, also for a process that finds the row after a crash.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "ops/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ops_flow ops_fail(struct operation *op, const char *outcome, const struct eb_err *err)
{
    struct eb_err e = { 0 };

    if (op->confirmed == 0)
        return ops_end(op, outcome, err);
    eb_fail_field(&e, EB_PARTLY_FAILED, err->field, "A part was done, then this came in between: %s", err->text);
    return ops_end(op, "partial", &e);
}

static int64_t backoff_ms(int tries)
{
    int64_t ms = 500;

    for (int i = 1; i < tries && ms < 30000; i++)
        ms *= 2;
    return (ms > 30000 ? 30000 : ms) + (int64_t)eb_random_below(250);
}

/* ---- sending ---- */

/* Of a user who was not there when the writes were planned: what follows is for the one just made. */
static void take_new_user(struct ops_plan *p, const char *id)
{
    for (size_t i = 0; id != NULL && i < p->count; i++)
        if (p->writes[i].user_id[0] == '\0')
            snprintf(p->writes[i].user_id, sizeof p->writes[i].user_id, "%s", id);
}

/* What the answer holds is taken here, while it is there. */
static void take_body(struct operation *op, const struct graph_reply *r)
{
    const struct ops_change *c = op->kind->change;
    const struct ops_write *w = &op->plan.writes[op->at];

    if (r->result != GRAPH_OK || r->body == NULL)
        return;
    if (c->took != NULL && op->result == NULL)
        op->result = json_object();
    if (c->took != NULL)
        c->took(w, r->body, op->result);
    if (w->kind == GRAPH_USER_CREATE)
        take_new_user(&op->plan, eb_json_str(r->body, "id"));
    const char *secret = c->secret_of != NULL ? c->secret_of(w, r->body) : NULL;
    if (secret != NULL) {
        eb_wipe_free(op->secret);
        op->secret = eb_strdup(secret);
        free(op->sealed);               /* of a password that nobody is to see */
        op->sealed = NULL;
    }
}

static void on_written(void *ctx, uint64_t run, const struct graph_reply *r)
{
    struct operation *op = ops_find(ctx, run);

    if (op == NULL)
        return;
    op->written = *r;
    op->written.body = NULL;
    op->written.graph_code = op->written.request_id = NULL;
    snprintf(op->request_id, sizeof op->request_id, "%s", r->request_id != NULL ? r->request_id : "");
    take_body(op, r);
    op->answered = true;
    ops_ready_wake(op);
}

static void send_write(struct operation *op)
{
    const struct ops_write *w = &op->plan.writes[op->at];

    op->tries++;
    op->sent_mono_ms = eb_mono_ms();
    if (op->sent_ms == 0)
        op->sent_ms = eb_now_ms();
    /* The id of a user whom an earlier write of ours has made came with its answer. */
    const char *user_id = w->user_id[0] != '\0' ? w->user_id : eb_json_str(op->result, "userId");

    graph_write(op->ops->parts.graph, &(struct graph_write){
        .kind = w->kind, .user_id = user_id, .other_id = w->other_id, .method_type = w->method_type, .method_id = w->method_id, .body = w->body,
    }, op->run, on_written, op->ops);
}

/* ---- rows: the same write again, or the next one ---- */

void ops_row_is(struct operation *op, const struct ops_write *w)
{
    op->row_kind = w->kind;
    op->row_part_told = true;
    strcpy(op->row_object, w->object);
    strcpy(op->row_part, w->part);
    strcpy(op->row_method, w->method_id);
}

struct row_job {
    struct operation *op;
    bool next;
    struct journal_write_end ended;
    struct journal_write write;
};

static bool row_job(struct db *db, void *arg, struct eb_err *err)
{
    struct row_job *j = arg;

    if (j->next)
        return journal_write_next(db, j->op->id, &j->ended, &j->write, eb_now_ms(), err);
    return journal_write_again(db, j->op->id, j->op->row, eb_now_ms(), err);
}

static void row_written(void *arg, const struct eb_err *err)
{
    struct row_job *j = arg;
    struct operation *op = j->op;
    bool next = j->next;

    free(j);
    if (err != NULL) {
        eb_error(op->id, "the journal cannot be written, trying again: %s", err->text);
        ops_retry_in(op, 1000);
        return;
    }
    if (next) {
        op->row++;
        ops_row_is(op, &op->plan.writes[op->at]);
        op->row_state = NULL;
        op->tries = 0;
        op->doubt = op->looked = false;
        op->refusal = (struct eb_err){ 0 };
    }
    if (pause_is_on(op) || eb_mono_ms() - op->facts_mono_ms > OPS_VERDICT_MS)
        ops_ready_wake(op);             /* the disk kept us waiting: the row stands, and the write is judged anew */
    else
        send_write(op);
}

static bool is_row(const struct operation *op, const struct ops_write *w)
{
    bool part = !op->row_part_told || (strcmp(op->row_part, w->part) == 0 && strcmp(op->row_method, w->method_id) == 0);

    return op->row_state == NULL && op->row_kind == w->kind && strcmp(op->row_object, w->object) == 0 && part;
}

static bool same_row(const struct operation *op)
{
    return is_row(op, &op->plan.writes[op->at]);
}

/* A row whose write is no longer in the plan: after a doubt it was done, for the facts say so; else it never left. */
static const char *left_state(const struct operation *op)
{
    return op->row_state != NULL ? op->row_state : op->doubt ? "done" : "unsent";
}

static void submit_row(struct operation *op)
{
    struct row_job *j = eb_alloc(sizeof *j);
    const struct ops_write *w = &op->plan.writes[op->at];

    j->op = op;
    j->next = !same_row(op);
    if (j->next && op->row_state == NULL && op->doubt) {
        op->confirmed++;
        op->changed = true;
    }
    j->ended = (struct journal_write_end){ op->row, left_state(op), op->written.status, op->request_id };
    j->write = (struct journal_write){ op->row + 1, graph_write_action(w->kind), w->object, w->touches[0] != '\0' ? w->touches : NULL };
    store_submit(op->ops->parts.store, row_job, j, row_written);
}

/* ---- what was answered ---- */

static bool gave_up(const struct operation *op)
{
    return !op->doubt && op->at_ms == 0 && ops_too_old(op);
}

/* Sends again after a wait; ops_step_write() judges anew first where the verdict has become old. */
static enum ops_flow later(struct operation *op, int64_t ms)
{
    if (gave_up(op))
        return ops_fail(op, "expired", &op->written.err);
    ops_retry_in(op, ms);
    return OPS_WAIT;
}

static enum ops_flow in_doubt(struct operation *op)
{
    int64_t first_ms = op->tries <= 1 ? 0 : backoff_ms(op->tries - 1);

    op->doubt = true;
    eb_warn(op->id, "write in doubt action=%s try=%d: %s", graph_write_action(op->row_kind), op->tries, op->written.err.text);
    if (op->kind->change->settle == OPS_SETTLE_GLANCE)
        op->facts_mono_ms = eb_mono_ms() - OPS_VERDICT_MS - 1;      /* too old to be sent upon */
    if (op->kind->change->settle != OPS_SETTLE_LOOK && op->facts != NULL)
        return later(op, first_ms);
    return OPS_AGAIN;                   /* settle() waits until a lost request cannot land any more */
}

static enum ops_flow confirmed(struct operation *op, const char *state, bool changed)
{
    op->row_state = state;
    op->changed |= changed;
    op->confirmed++;
    op->doubt = false;
    op->at++;
    return op->at < op->plan.count ? OPS_WAIT : ops_end(op, "succeeded", NULL);
}

/* Entra deletes somebody's default method last only, and does not tell which one it is: then it comes after the others. */
static bool put_last(struct operation *op)
{
    struct ops_plan *p = &op->plan;
    struct ops_write w = p->writes[op->at];

    if (!w.may_follow || op->written.status != 400 || op->at + 1 >= p->count)
        return false;
    memmove(&p->writes[op->at], &p->writes[op->at + 1], (p->count - op->at - 1) * sizeof w);
    w.may_follow = false;
    p->writes[p->count - 1] = w;
    return true;
}

/* Of writes that may change places the one in doubt comes first: it has its row. */
static void put_first(struct operation *op)
{
    struct ops_plan *p = &op->plan;
    size_t i = op->at;

    while (i < p->count && !(p->writes[i].may_follow && op->row_part_told && is_row(op, &p->writes[i])))
        i++;
    if (i == op->at || i == p->count)
        return;
    struct ops_write w = p->writes[i];
    memmove(&p->writes[op->at + 1], &p->writes[op->at], (i - op->at) * sizeof w);
    p->writes[op->at] = w;
}

static enum ops_flow refused(struct operation *op)
{
    if (put_last(op)) {                 /* it stands, also where an earlier try was in doubt; the next one follows at once */
        op->row_state = "refused";
        return OPS_WAIT;
    }
    if (op->doubt) {                    /* the earlier try may have done it: Entra's state tells */
        op->refusal = op->written.err;
        return OPS_AGAIN;
    }
    op->row_state = "refused";
    return ops_fail(op, "failed", &op->written.err);
}

static enum ops_flow answered(struct operation *op)
{
    const struct graph_reply *w = &op->written;
    int64_t own = backoff_ms(op->tries), wait = w->retry_after_ms < 0 ? own : w->retry_after_ms > own / 4 ? w->retry_after_ms : own / 4;

    switch (w->result) {
    case GRAPH_OK:
        /* An addition that was no change is refused by Graph; a PATCH is taken either way. */
        return confirmed(op, "done", op->differs || op->kind->change->changes_group);
    case GRAPH_NO_CHANGE:               /* after a doubt it was our own earlier try that did it */
        if (w->status == 404 && op->doubt && !op->looked) {
            op->looked = true;          /* or the user or the group is gone */
            return OPS_AGAIN;
        }
        return confirmed(op, op->doubt && op->differs ? "done" : "nothing", op->doubt && op->differs);
    case GRAPH_REFUSED:
        return refused(op);
    case GRAPH_THROTTLED:
        eb_info(op->id, "throttled, again in ms=%lld", (long long)wait);
        return later(op, wait);
    case GRAPH_NOT_SENT:
        return later(op, wait);
    case GRAPH_IN_DOUBT:
        return in_doubt(op);
    }
    return OPS_WAIT;
}

enum ops_flow ops_step_write(struct operation *op)
{
    if (op->answered) {
        op->answered = false;
        enum ops_flow flow = answered(op);
        if (op->outcome != NULL || flow != OPS_WAIT || op->row_state == NULL)
            return flow;                /* else the next write follows at once */
    }
    if (pause_holds(op))
        return OPS_WAIT;
    if (eb_mono_ms() - op->facts_mono_ms > OPS_VERDICT_MS)
        return OPS_AGAIN;               /* a verdict is good for 60 s: judge anew */
    if (op->doubt)
        put_first(op);
    if (op->row_state == NULL && op->tries == 0 && !op->doubt)
        send_write(op);
    else
        submit_row(op);
    return OPS_WAIT;
}
