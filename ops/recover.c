/* recover.c - after a start: every operation without an outcome is taken up again, from the check of its issue on.
 *
 * A write row that is still pending means that its request may have left: the operation is in doubt from the beginning.
 */
#include "ops/runner.h"
#include "base/text.h"
#include "ops/expiry.h"
#include "ops/secret.h"
#include "ops/undo.h"
#include "ops/wait.h"
#include "store/membership.h"
#include "store/secret_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 64                     /* of one operation, sent again and planned anew included */

/* write: the last row, the only one that can be pending; sealed: the secret made for it, NULL: none */
struct open_operation { struct journal_row row, undone /* whose undo it is; else empty */; struct membership ending /* that it ends; else empty */; struct journal_write_row write; size_t writes; int64_t first_sent_ms, had_end_ms; bool lost, changed; char *sealed; };
struct recover_job { struct ops *ops; struct pauses *pauses; int64_t resumed; struct open_operation *all; size_t count, cap; struct eb_timer *retry; };

/* One that has waited. The row stays with schedule/ until the operation has ended, so that no more are under way than it hands out. */
struct due_job { struct ops *ops; char *id; struct open_operation found; int64_t next_ms; struct eb_timer *timer; LIST_ENTRY(due_job) link; };

static char *keep(const char *s) { return eb_strdup(s); }

static bool keep_open(void *ctx, const struct journal_row *r)
{
    struct recover_job *j = ctx;

    if (j->count == j->cap) {
        j->cap = j->cap == 0 ? 64 : 2 * j->cap;
        j->all = realloc(j->all, j->cap * sizeof *j->all);
        if (j->all == NULL)
            eb_no_memory();
    }
    struct open_operation *o = &j->all[j->count++];
    *o = (struct open_operation){ 0 };
    o->row = (struct journal_row){ .id = keep(r->id), .kind = keep(r->kind), .token_id = keep(r->token_id), .token_name = keep(r->token_name),
                                   .issue = keep(r->issue), .issue_key = keep(r->issue_key), .issue_id = keep(r->issue_id),
                                   .request = keep(r->request), .before = keep(r->before), .after = keep(r->after), .origin = keep(r->origin), .step_of = keep(r->step_of),
                                   .user_id = keep(r->user_id), .group_id = keep(r->group_id),
                                   .accepted_ms = r->accepted_ms, .dry_run = r->dry_run, .at_ms = r->at_ms, .since_ms = r->since_ms, .passed = r->passed };
    return true;
}

static void drop(struct open_operation *o)
{
    journal_row_clear(&o->row);
    journal_row_clear(&o->undone);
    membership_clear(&o->ending);
    free(o->sealed);
    *o = (struct open_operation){ 0 };
}

static void drop_all(struct recover_job *j)
{
    for (size_t i = 0; i < j->count; i++)
        drop(&j->all[i]);
    free(j->all);
    j->all = NULL;
    j->count = j->cap = 0;
}

static bool find_secret(struct db *db, struct open_operation *o, struct eb_err *err)
{
    const struct ops_kind *kind = ops_kind_find(o->row.kind);
    struct secret_row row = { 0 };

    if (kind == NULL || kind->secret == NULL)
        return true;
    if (!secret_get(db, o->row.id, kind->secret, &row, err)) {
        bool none = err->code == EB_NOT_THERE;

        *err = (struct eb_err){ .code = none ? EB_OK : err->code };
        return none;
    }
    o->sealed = eb_strdup(row.sealed);
    secret_row_clear(&row);
    return true;
}

static bool find_writes(struct db *db, struct open_operation *o, struct eb_err *err)
{
    struct journal_write_row rows[ROWS_MAX];

    if (!journal_writes(db, o->row.id, rows, ROWS_MAX, &o->writes, err))
        return false;
    if (o->writes > 0) {
        o->write = rows[o->writes - 1];
        o->first_sent_ms = rows[0].sent_ms;
    }
    for (size_t i = 0; i < o->writes; i++) {
        o->lost |= strcmp(rows[i].action, graph_write_action(GRAPH_PASS_DELETE)) == 0;
        o->changed |= strcmp(rows[i].state, "done") == 0;
    }
    return o->writes == 0 || (find_secret(db, o, err) && expiry_armed(db, o->write.object, &o->had_end_ms, err));
}

static bool is_undo(const struct journal_row *r)
{
    return r->origin != NULL && strncmp(r->origin, UNDO_ORIGIN, strlen(UNDO_ORIGIN)) == 0;
}

static bool find_undone(struct db *db, struct open_operation *o, struct eb_err *err)
{
    return !is_undo(&o->row) || journal_get(db, o->row.origin + strlen(UNDO_ORIGIN), NULL, &o->undone, err);
}

static bool is_end(const struct journal_row *r)
{
    return r->origin != NULL && strncmp(r->origin, EXPIRY_ORIGIN, strlen(EXPIRY_ORIGIN)) == 0;
}

/* What is told about the end stands in the membership's row, also where the issue was not read before the crash. */
static bool find_ending(struct db *db, struct open_operation *o, struct eb_err *err)
{
    char operation[EB_ID_LEN];
    struct eb_err e = { 0 };

    if (!is_end(&o->row))
        return true;
    snprintf(operation, sizeof operation, "%s", o->row.origin + strlen(EXPIRY_ORIGIN));
    if (membership_find(db, operation, &o->ending, &e) || e.code == EB_NOT_THERE)
        return true;
    *err = e;
    return false;
}

static bool find_all(struct db *db, struct open_operation *o, struct eb_err *err)
{
    return find_writes(db, o, err) && find_undone(db, o, err) && find_ending(db, o, err);
}

static bool recover_job(struct db *db, void *arg, struct eb_err *err)
{
    struct recover_job *j = arg;
    struct journal_filter open = { .state = "open", .limit = 0 };

    drop_all(j);
    if (!journal_list(db, &open, keep_open, j, err))
        return false;
    for (size_t i = 0; i < j->count; i++)
        if (!find_all(db, &j->all[i], err))
            return false;
    return waiting_resume(db, eb_now_ms(), &j->resumed, err) && pause_read(db, &j->pauses, err);
}

/* The row was validated when it was accepted; one that this build cannot read any more ends as failed, not silently. */
static void read_request(struct operation *op, const struct journal_row *r)
{
    EB_AUTO(json_t, json_decref) body = json_loads(r->request, 0, NULL);
    struct eb_err err = { 0 };

    if (body == NULL)
        eb_fail(&err, EB_INTERNAL, "The journal's copy of the request cannot be read.");
    if (body == NULL || !ops_fields_read_kept(op->kind, body, &op->fields, &err))
        ops_end(op, "failed", &err);
}

static void read_secret(struct operation *op, const char *sealed)
{
    struct eb_err err = { 0 };

    if (sealed != NULL && !ops_secret_unseal(op->ops->parts.keys, op->id, op->kind->secret, sealed, &op->secret, &err))
        eb_error(op->id, "the secret made for this operation cannot be read: %s", err.text);
}

/* The object is claimed at once: what was sent for it first is settled first, before later orders on it are judged. */
static void take_up_write(struct operation *op, const struct open_operation *found)
{
    const struct journal_write_row *w = &found->write;

    op->recorded = true;
    op->doubt = strcmp(w->state, "pending") == 0;
    op->row = w->n;
    op->row_state = op->doubt ? NULL : "done";
    op->confirmed = found->writes - (op->doubt ? 1 : 0);
    if (!graph_write_parse(w->action, &op->row_kind))
        eb_error(op->id, "the journal names a write that this version does not know: %s", w->action);
    op->before = found->row.before != NULL ? json_loads(found->row.before, 0, NULL) : NULL;
    op->after = found->row.after != NULL ? json_loads(found->row.after, 0, NULL) : NULL;
    op->differs = op->before == NULL || op->after == NULL || json_equal(op->before, op->after) != 1;
    op->tries = w->tries;
    op->sent_mono_ms = eb_mono_ms();    /* no later than now, whatever the wall clock did meanwhile */
    op->sent_ms = found->first_sent_ms;
    op->had_end_ms = found->had_end_ms;
    op->lost = found->lost;             /* a pass whose value was lost was being deleted */
    op->changed = found->changed && op->differs;
    op->user_id = eb_strdup(found->row.user_id);
    op->group_id = eb_strdup(found->row.group_id);
    snprintf(op->object, sizeof op->object, "%s", w->object);
    snprintf(op->row_object, sizeof op->row_object, "%s", w->object);
    read_secret(op, found->sealed);
    ops_claim(op);
}

/* Without a write row nothing was sent, and what stood before may stand no longer: it is looked at anew. */
static struct operation *take_up(struct ops *o, const struct open_operation *found)
{
    const struct journal_row *r = &found->row;
    const struct ops_kind *kind = ops_kind_of_row(r);

    if (kind == NULL) {
        eb_error(r->id, "operation kind %s is not known to this version: left open in the journal", r->kind);
        return NULL;
    }
    struct operation *op = ops_operation_new(o, kind);
    op->token_id = eb_strdup(r->token_id);
    op->token_name = eb_strdup(r->token_name);
    op->accepted_ms = r->accepted_ms;
    ops_begun(op, r->since_ms > r->accepted_ms ? r->since_ms : r->accepted_ms);
    op->waited = r->since_ms > 0;
    op->passed = r->passed;
    op->released = op->waited && r->passed;
    op->journaled = op->recovered = true;
    op->comment_issue = eb_strdup(r->issue_id != NULL ? r->issue_id : found->ending.issue_id);
    op->comment_key = eb_strdup(r->issue_key != NULL ? r->issue_key : found->ending.issue_key);
    ops_name(op, r->id);
    read_request(op, r);
    op->at_ms = r->at_ms > 0 ? r->at_ms : wait_at(&op->fields);
    op->origin = eb_strdup(r->origin);
    op->by_command = is_undo(r) && r->token_id == NULL;
    if (is_undo(r) && ops_is_composite(kind))
        op->undone = found->undone.answer != NULL ? json_loads(found->undone.answer, 0, NULL) : NULL;
    else if (is_undo(r))
        undo_expect(op, found->undone.before, found->undone.after, found->undone.ended_ms);
    op->ends_member = is_end(r);
    op->background = op->ends_member || op->waited;
    if (r->step_of != NULL)
        composite_find(op, r->step_of, is_undo(r));
    op->stopped_before = eb_strdup(found->ending.stopped);
    if (ops_is_composite(kind)) {
        if (r->after != NULL && !composite_take_up(op, r->after))
            eb_error(r->id, "the steps in the journal cannot be read: they are worked out anew");
    } else if (found->writes > 0) {
        take_up_write(op, found);
    }
    if (op->waited && op->user_id == NULL) {
        op->user_id = eb_strdup(r->user_id);
        op->group_id = eb_strdup(r->group_id);
    }
    return op;
}

/* It begins when its turn comes. */
static void park(struct operation *op)
{
    if (op == NULL)
        return;
    op->parked = true;
    op->ops->parked++;
}

static void recovered(void *arg, const struct eb_err *err)
{
    struct recover_job *j = arg;
    struct ops *o = j->ops;

    if (err != NULL) {
        eb_error(NULL, "the journal cannot be read, trying again: %s", err->text);
        ops_recover_later(o);
    } else {
        pause_set(o, j->pauses);        /* before the first of them goes on */
        j->pauses = NULL;
        if (j->resumed > 0)
            schedule_wake(o->parts.schedule);
        for (size_t i = j->count; i-- > 0; )            /* the list is newest first */
            park(take_up(o, &j->all[i]));
        eb_info(NULL, "operations taken up after the start: %zu", j->count);
        ops_recovered(o);
    }
    drop_all(j);
    pause_free(j->pauses);
    free(j);
}

void ops_recover(struct ops *o)
{
    struct recover_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    store_submit(o->parts.store, recover_job, j, recovered);
}

/* ---- one that has waited ---- */

#define WAIT_READY_MS 2000

static void due_free(struct due_job *j)
{
    LIST_REMOVE(j, link);
    eb_timer_free(j->timer);
    drop(&j->found);
    free(j->id);
    free(j);
}

void ops_take_up_free(struct ops *o)
{
    while (!LIST_EMPTY(&o->due))
        due_free(LIST_FIRST(&o->due));
}

static bool due_job(struct db *db, void *arg, struct eb_err *err)
{
    struct due_job *j = arg;

    drop(&j->found);
    if (!waiting_take(db, j->id, eb_now_ms(), &j->next_ms, err))
        return false;
    return j->next_ms != 0 || (journal_get(db, j->id, NULL, &j->found.row, err) && find_all(db, &j->found, err));
}

static void due_taken(void *arg, const struct eb_err *err);

static void try_due(void *arg)
{
    struct due_job *j = arg;

    if (ops_ready(j->ops, NULL)) {
        store_submit(j->ops->parts.store, due_job, j, due_taken);
        return;
    }
    if (j->timer == NULL)
        j->timer = eb_timer_new(j->ops->parts.loop, try_due, j);
    eb_timer_set(j->timer, WAIT_READY_MS);
}

static void due_taken(void *arg, const struct eb_err *err)
{
    struct due_job *j = arg;
    struct ops *o = j->ops;
    struct operation *op = NULL;

    if (err != NULL) {
        eb_error(j->id, "the operation cannot be taken up, trying again: %s", err->text);
        schedule_done(o->parts.schedule, WAITING_TIMER, j->id, eb_now_ms() + WAIT_READY_MS);
        due_free(j);
        return;
    }
    if (j->next_ms == 0)
        op = take_up(o, &j->found);
    if (op == NULL)
        schedule_done(o->parts.schedule, WAITING_TIMER, j->id, j->next_ms > 0 ? j->next_ms : 0);
    due_free(j);
    if (op == NULL)
        return;
    op->handed_over = true;
    ops_run(op);
}

void ops_take_up(struct ops *o, const char *id)
{
    struct due_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    j->id = eb_strdup(id);
    LIST_INSERT_HEAD(&o->due, j, link);
    try_due(j);
}
