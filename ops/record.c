/* record.c - the steps before a write: plan it, claim its object, put what stands before on disk.
 *
 * Invariant: nothing is sent to Entra before its row, what stood before it, and the secret it carries are on disk.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "ops/expiry.h"
#include "ops/secret.h"
#include "store/approval.h"
#include "store/secret_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- plan ---- */

static enum ops_flow end_planless(struct operation *op, const struct eb_err *err)
{
    return ops_fail(op, "failed", err);
}

/* A password is made where none was given, once; the same one is sent again after a crash. */
static bool make_secret(struct operation *op, struct eb_err *err)
{
    if (!op->kind->change->makes_password || op->secret != NULL || op->fields.dry_run || op->explain || op->verdict.shadow ||
        ops_field_text(&op->fields, "password") != NULL)
        return true;
    return ops_secret_generate(op->ops->parts.keys, op->config, op->id, &op->secret, &op->sealed, err);
}

static enum ops_flow end_undo_late(struct operation *op)
{
    struct eb_err e = { 0 };

    eb_fail(&e, EB_UNDO_NOT_POSSIBLE, "What the operation changed has been changed again since, so that undoing it would overwrite that. Look at it in Entra.");
    return ops_end(op, "refused", &e);
}

static void name_object(struct operation *op)
{
    struct ops_plan *p = &op->plan;

    if (p->object[0] != '\0')
        return;
    if (p->count > 0)
        strcpy(p->object, p->writes[0].object);
    else if (op->facts->has_user && op->facts->user.found)
        snprintf(p->object, sizeof p->object, "user:%s", op->facts->user.id);
}

/* What stands now must be what the operation that is to be undone has left. A read may be older than that: *ret_late. */
static bool changed_meanwhile(const struct operation *op, bool *ret_late)
{
    const char *member;
    json_t *v;

    *ret_late = false;
    json_object_foreach(op->expected, member, v) {
        if (json_object_get(op->plan.before, member) == NULL || ops_same(op->plan.before, op->expected, member))
            continue;
        if (op->expected_late == NULL || !ops_same(op->plan.before, op->expected_late, member))
            return true;
        *ret_late = true;
    }
    return false;
}

/* Graph does not tell yet what was written just now: the undo is sent although it reads as if it were not needed. False: this kind cannot. */
static bool plan_undo_late(struct operation *op)
{
    struct eb_err err = { 0 };
    const char *member;
    json_t *v;

    op->stale = true;
    ops_plan_clear(&op->plan);
    if (!ops_plan_make(op, &op->plan, &err) || op->plan.count == 0)
        return false;
    name_object(op);
    json_object_foreach(op->expected, member, v)
        if (json_object_get(op->before, member) != NULL)
            json_object_set(op->before, member, v);
    return true;
}

static enum ops_flow end_without_write(struct operation *op)
{
    op->changed = op->plan.count > 0 && !op->verdict.shadow;
    op->would_change = op->plan.count > 0;
    return ops_end(op, "succeeded", NULL);
}

/* Throttled until the verdict was old, so that nothing of ours was done, and somebody else has changed it. */
static bool stands_anew(const struct operation *op)
{
    return op->row == 0 && op->row_state == NULL && !op->doubt && op->confirmed == 0 && json_equal(op->before, op->plan.before) != 1;
}

static void forget_record(struct operation *op)
{
    op->row = -1;
    op->tries = 0;
    op->recorded = false;
    op->untouched = true;
    free(op->user_id);
    free(op->group_id);
    op->user_id = op->group_id = NULL;
}

enum ops_flow ops_step_plan(struct operation *op)
{
    struct eb_err err = { 0 };
    bool late;

    ops_plan_clear(&op->plan);
    op->at = 0;
    if (!make_secret(op, &err) || !ops_plan_make(op, &op->plan, &err))
        return end_planless(op, &err);
    name_object(op);
    if (op->row >= 0 && !stands_anew(op))
        return OPS_NEXT;
    json_decref(op->before);
    json_decref(op->after);
    op->before = json_incref(op->plan.before);
    op->after = json_incref(op->plan.after);
    if (changed_meanwhile(op, &late) || (late && !plan_undo_late(op)))
        return end_undo_late(op);
    if (op->row >= 0) {
        if (op->plan.count > 0)
            forget_record(op);
        return OPS_NEXT;                /* or somebody else did it */
    }
    return op->fields.dry_run || op->explain || op->verdict.shadow ? end_without_write(op) : OPS_NEXT;
}

/* ---- claim ---- */

enum ops_flow ops_step_claim(struct operation *op)
{
    if (op->phase == OPS_READY)         /* it was held by another, which may have changed what we read */
        return OPS_AGAIN;
    if (op->row >= 0 || (op->claimed && strcmp(op->plan.object, op->object) == 0))
        return OPS_NEXT;
    ops_release(op);
    strcpy(op->object, op->plan.object);
    return op->object[0] == '\0' || ops_claim(op) ? OPS_NEXT : OPS_WAIT;
}

/* ---- record ---- */

struct record_job {
    struct operation *op;
    struct journal_record record;
    struct journal_write write;
    char *before, *wanted;
    struct approval_use approval;       /* approval NULL: none serves */
    bool refused;                       /* what was allowed no longer is: an approval has served, the end of a membership was moved */
    int64_t had_end_ms;
};

static bool put_secret(struct db *db, const struct operation *op, struct eb_err *err)
{
    return op->sealed == NULL || secret_put(db, op->id, op->kind->secret, op->sealed, eb_now_ms(), eb_now_ms() + op->config->secret_expire_ms, err);
}

/* The end that is armed for this membership. Where it was to be ended, and its time was moved or cancelled meanwhile, it is not. */
static bool read_end(struct db *db, struct record_job *j, struct eb_err *err)
{
    const struct operation *op = j->op;

    j->refused = false;
    if (!op->kind->change->changes_group || op->object[0] == '\0')
        return true;
    if (!expiry_armed(db, op->object, &j->had_end_ms, err))
        return false;
    j->refused = op->ends_member && (j->had_end_ms == 0 || j->had_end_ms > eb_now_ms());
    return !j->refused || eb_fail(err, EB_ALREADY_DONE, "The end of this membership was moved or cancelled meanwhile.");
}

static bool record_job(struct db *db, void *arg, struct eb_err *err)
{
    struct record_job *j = arg;

    if (!read_end(db, j, err) || !journal_record(db, &j->record, err))
        return false;
    if (j->record.write_count == 0)
        return true;
    if (j->approval.approval != NULL && !approval_take(db, &j->approval, err)) {
        j->refused = err->code == EB_APPROVAL_MISSING;
        return false;
    }
    return put_secret(db, j->op, err);
}

static void submit_record(struct operation *op);

static void free_record(struct record_job *j)
{
    free(j->before);
    free(j->wanted);
    free(j);
}

static void take_record(struct operation *op)
{
    op->recorded = true;
    if (op->plan.count > 0) {
        op->row = 0;
        ops_row_is(op, &op->plan.writes[0]);
        free(op->user_id);
        free(op->group_id);
        op->user_id = eb_strdup(op->facts->user.id);
        op->group_id = eb_strdup(op->facts->group.id);
    }
    ops_ready_wake(op);
}

/* The read may be older than a write of ours: let Graph say whether it is so already. */
static void plan_stale(struct operation *op)
{
    op->stale = true;
    ops_plan_clear(&op->plan);
    struct eb_err err = { 0 };

    if (!ops_plan_make(op, &op->plan, &err)) {
        end_planless(op, &err);
        ops_ready_wake(op);
    } else if (op->plan.count == 0) {
        take_record(op);                /* this kind does not write blindly */
    } else {
        name_object(op);
        submit_record(op);
    }
}

static void recorded(void *arg, const struct eb_err *err)
{
    struct record_job *j = arg;
    struct operation *op = j->op;
    bool recent = j->record.ret_recent, wrote = j->record.write_count > 0, refused = j->refused;

    op->had_end_ms = j->had_end_ms;
    free_record(j);
    if (err != NULL && refused) {
        ops_end(op, op->ends_member ? "cancelled" : "refused", err);
        ops_ready_wake(op);
    } else if (err != NULL) {
        eb_error(op->id, "the journal cannot be written, trying again: %s", err->text);
        ops_retry_in(op, 1000);
    } else if (!wrote && recent && !op->stale) {
        plan_stale(op);
    } else {
        take_record(op);
    }
}

static void submit_record(struct operation *op)
{
    struct record_job *j = eb_alloc(sizeof *j);
    const struct directory_facts *f = op->facts;
    const struct ops_write *w = op->plan.count > 0 ? &op->plan.writes[0] : NULL;

    j->op = op;
    j->before = op->before != NULL ? eb_json_text(op->before) : NULL;
    j->wanted = op->after != NULL ? eb_json_text(op->after) : NULL;
    if (w != NULL)
        j->write = (struct journal_write){ 0, graph_write_action(w->kind), w->object, w->touches[0] != '\0' ? w->touches : NULL };
    j->record = (struct journal_record){
        .id = op->id, .issue_key = op->issue.key, .issue_id = op->issue.id, .user_id = f->user.id, .group_id = f->group.id,
        .before = j->before, .wanted = j->wanted, .object = op->object[0] != '\0' ? op->object : NULL,
        .touches = f->has_group && f->has_user ? NULL : j->write.touches,
        .writes = &j->write, .write_count = w != NULL ? 1 : 0, .now_ms = eb_now_ms(), .recent_ms = OPS_RECENT_MS, .untouched = op->untouched,
    };
    j->approval = (struct approval_use){ op->issue.id, evidence_newest(op->evidence), op->kind->name, f->user.id, f->group.id, op->id };
    store_submit(op->ops->parts.store, record_job, j, recorded);
}

enum ops_flow ops_step_record(struct operation *op)
{
    if (op->row >= 0)                   /* recorded before, and sent: what stood before the first try counts */
        return op->plan.count > 0 ? OPS_NEXT : ops_end(op, "succeeded", NULL);
    if (op->recorded)
        return op->plan.count > 0 ? OPS_NEXT : ops_end(op, "succeeded", NULL);
    if (eb_mono_ms() - op->facts_mono_ms > OPS_VERDICT_MS)
        return OPS_AGAIN;               /* the disk kept us waiting */
    op->differs = op->plan.count > 0;
    op->awaits_journal = !op->journaled;
    if (op->awaits_journal)             /* the reads were faster than the disk: its completion wakes us */
        store_hurry(op->ops->parts.store);
    else
        submit_record(op);
    return OPS_WAIT;
}
