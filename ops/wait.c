/* wait.c - the step before anything is claimed or written: does the operation wait?
 *
 * For its date; while writes are paused; past a limit, which comes last. The row, the comment that announces it and the audit row are one transaction,
 * and so are a limit's count and the mark that it has counted.
 * Invariant: nobody is told that an operation is scheduled or held before that is on disk.
 */
#include "ops/wait.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/zone.h"
#include "store/audit.h"
#include "store/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 32                      /* taken up and not ended: where masses are due, others go on beside them */

static struct eb_metric waits = { "entrabridge_operations_waiting_total", "Operations that were scheduled or held, by why", EB_COUNTER, { "why" } };

struct wait_job {
    struct operation *op;
    const char *why;                    /* NULL: it goes on, unless a limit is passed */
    struct policy_limit limits[POLICY_LIMITS_MAX];
    struct limit_row rows[POLICY_LIMITS_MAX];
    struct limit_take take;
    bool held;
};

/* ---- what is told ---- */

static void schedule_message(const struct operation *op, char *out, size_t size)
{
    char would[400], when[EB_LOCAL_LEN];

    ops_would_make(op, would, sizeof would);
    snprintf(out, size, "Scheduled for %s: %.380s", eb_local_format(op->at_ms, when), would);
}

static json_t *paragraph(const char *text)
{
    char clean[900];

    return json_pack("{s:s, s:[{s:s, s:s}]}", "type", "paragraph", "content", "type", "text", "text", eb_text_clean(text, clean, sizeof clean));
}

/* What an administrator, or a rule, can do about it. The caller's. */
static char *advice(const struct operation *op, const char *why)
{
    if (strcmp(why, WAITING_SCHEDULED) == 0)
        return eb_asprintf("To cancel: entrabridge operations cancel %s, or a rule that sends this issue to /v1/operations/cancel.", op->id);
    if (strcmp(why, WAITING_PAUSED) == 0)
        return eb_asprintf("To end it: entrabridge operations cancel %s.", op->id);
    return eb_asprintf("To let it go on: entrabridge operations release %s. To end it: entrabridge operations cancel %s.", op->id, op->id);
}

static char *comment_text(const struct operation *op, const char *why)
{
    bool scheduled = strcmp(why, WAITING_SCHEDULED) == 0;
    char *how = advice(op, why);
    EB_AUTO(json_t, json_decref) doc = json_pack("{s:s, s:i, s:[{s:s, s:{s:s}, s:[o, o]}]}", "type", "doc", "version", 1, "content", "type", "panel",
        "attrs", "panelType", scheduled ? "note" : "warning", "content", paragraph(op->message), paragraph(how));
    char *text = doc != NULL ? eb_json_text(doc) : NULL;

    free(how);
    return text;
}

/* ---- on the store's thread ---- */

/* What waits for a pause, and then past a limit, is told twice: the second needs an administrator. */
static const char *comment_kind(const char *why)
{
    return strcmp(why, WAITING_PAUSED) == 0 ? "paused" : wait_outcome(why);
}

static bool add_comment(struct db *db, const struct operation *op, const char *why, struct eb_err *err)
{
    int64_t now_ms = eb_now_ms();

    if (!ops_wants_comment(op))
        return true;
    char *adf = comment_text(op, why);
    bool ok = adf == NULL ? eb_fail(err, EB_INTERNAL, "the comment cannot be written")
                          : outbox_put(db, op->id, op->comment_issue, comment_kind(why), adf, now_ms, now_ms, NULL, err);
    free(adf);
    return ok;
}

static bool add_audit(struct db *db, const struct operation *op, const char *why, struct eb_err *err)
{
    struct ops_report r = ops_report_of(op, NULL);

    r.outcome = wait_outcome(why);
    char *data = ops_audit_data(&r, false), *personal = ops_audit_personal(&r, NULL), event[32];
    snprintf(event, sizeof event, "operation.%s", r.outcome);
    bool ok = audit_add_personal(db, auth_key(op->ops->parts.keys, "audit"), eb_now_ms(), event, op->id, data, personal, NULL, err);

    free(data);
    free(personal);
    return ok;
}

static bool put(struct db *db, const struct operation *op, const char *why, struct eb_err *err)
{
    const struct directory_facts *f = op->facts;
    const struct waiting w = {
        .id = op->id, .why = why, .reason = op->message, .at_ms = op->at_ms, .passed = op->passed,
        .issue_key = op->issue.key, .issue_id = op->issue.id, .user_id = f != NULL && f->has_user ? f->user.id : NULL,
        .group_id = f != NULL && f->has_group ? f->group.id : NULL,
    };

    return waiting_put(db, &w, err) && add_comment(db, op, why, err) && add_audit(db, op, why, err);
}

static bool wait_job(struct db *db, void *arg, struct eb_err *err)
{
    struct wait_job *j = arg;

    j->held = false;
    if (j->why != NULL)
        return put(db, j->op, j->why, err);
    if (!limit_take(db, &j->take, err))
        return false;
    j->held = j->take.ret_past >= 0;
    if (!j->held)
        return true;
    limit_message(j->op, &j->limits[j->take.ret_past], j->op->message, sizeof j->op->message);
    return limit_is_part(j->op) || put(db, j->op, WAITING_LIMIT, err);
}

/* ---- on the loop ---- */

static void answer(struct operation *op, const char *why)
{
    json_t *body = ops_answer_waiting(op, wait_outcome(why));
    char *location = eb_asprintf("/v1/operations/%s", op->id);

    ops_answer_all(op, &(struct ops_answer){ 202, body, NULL, location });
    json_decref(body);
    free(location);
}

/* It is in the table from now on, and no longer here. */
static void leave(struct operation *op, const char *why)
{
    struct ops *o = op->ops;

    answer(op, why);
    eb_metric_add(&waits, 1, why, NULL, NULL);
    eb_info(op->id, "operation name=%s outcome=%s why=%s token=%s issue=%s", op->kind->name, wait_outcome(why), why, op->token_name,
            op->fields.issue != NULL ? op->fields.issue : "-");
    if (strcmp(why, WAITING_SCHEDULED) == 0) {
        op->next_ms = op->at_ms;
        schedule_wake(o->parts.schedule);
    }
    if (strcmp(why, WAITING_PAUSED) == 0 && !pause_is_on(op))
        pause_look(o);                  /* resumed while its row was on the way to the disk: nobody else would let it go on */
    poster_wake(o->poster);
    ops_operation_free(op);
}

static void waited(void *arg, const struct eb_err *err)
{
    struct wait_job *j = arg;
    struct operation *op = j->op;
    const char *why = j->held ? WAITING_LIMIT : j->why;

    if (err != NULL) {
        eb_error(op->id, "the journal cannot be written, trying again: %s", err->text);
        ops_retry_in(op, 1000);
    } else if (why == NULL) {
        op->passed = true;
        ops_ready_wake(op);
    } else if (limit_is_part(op)) {
        struct eb_err e = { 0 };

        alert_held(op, &j->limits[j->take.ret_past], j->take.ret_alert);
        eb_fail(&e, EB_LIMIT_EXCEEDED, "More than %d operations %.200s (%s). Send it alone: then it is held for an administrator.",
                j->limits[j->take.ret_past].most, j->limits[j->take.ret_past].about, j->limits[j->take.ret_past].rule);
        ops_end(op, "refused", &e);
        ops_ready_wake(op);
    } else {
        if (j->held)
            alert_held(op, &j->limits[j->take.ret_past], j->take.ret_alert);
        leave(op, why);
    }
    free(j);
}

static enum ops_flow submit(struct operation *op, struct wait_job *j)
{
    j->op = op;
    if (op->journaled) {
        store_submit(op->ops->parts.store, wait_job, j, waited);
        return OPS_WAIT;
    }
    free(j);
    op->awaits_journal = true;          /* the reads were faster than the disk: its completion comes back here */
    store_hurry(op->ops->parts.store);
    return OPS_WAIT;
}

static enum ops_flow wait_for(struct operation *op, const char *why)
{
    struct wait_job *j = eb_alloc(sizeof *j);

    j->why = why;
    return submit(op, j);
}

static enum ops_flow ask_limits(struct operation *op)
{
    struct wait_job *j = eb_alloc(sizeof *j);

    j->take = (struct limit_take){
        .id = op->id, .rows = j->rows, .count = limit_find(op, j->limits), .now_ms = eb_now_ms(), .window_ms = op->config->policy.limits.window_ms,
        .weight = limit_weight(op),
    };
    if (j->take.count == 0) {
        free(j);
        return OPS_NEXT;
    }
    for (size_t i = 0; i < j->take.count; i++)
        j->rows[i] = (struct limit_row){ j->limits[i].subject, j->limits[i].most };
    return submit(op, j);
}

enum ops_flow ops_step_wait(struct operation *op)
{
    if (op->row >= 0 || op->fields.dry_run || op->explain || op->verdict.shadow)      /* begun: the gate is before the next write; or nothing is written */
        return OPS_NEXT;
    if (op->at_ms > eb_now_ms()) {
        schedule_message(op, op->message, sizeof op->message);
        return wait_for(op, WAITING_SCHEDULED);
    }
    if (pause_is_on(op)) {
        if ((op->ends_member || op->is_step) && pause_holds(op))
            return OPS_WAIT;
        pause_message(op, op->message, sizeof op->message);
        return wait_for(op, WAITING_PAUSED);
    }
    return ask_limits(op);
}

/* ---- its time has come ---- */

static void due(void *ctx, const char *id, int64_t due_ms)
{
    ops_take_up(ctx, id);
}

void wait_give_back(struct operation *op)
{
    if (op->paused)
        op->ops->paused--;
    if (op->handed_over && !op->ops->draining)
        schedule_done(op->ops->parts.schedule, WAITING_TIMER, op->id, op->next_ms);
}

void wait_register(struct ops *o)
{
    LIST_INIT(&o->due);
    pause_register(o);
    schedule_register(o->parts.schedule, WAITING_TIMER, due, o);
    schedule_limit(o->parts.schedule, WAITING_TIMER, AT_ONCE);
}

void wait_free(struct ops *o)
{
    pause_free(o->pauses);
    alert_free(o->alert);
}
