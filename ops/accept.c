/* accept.c - a request becomes an operation: validated, known again if it is a repeat, in the journal before anything is written.
 *
 * The reads start beside the commit. A repeat joins the operation under way, or gets the answer of the ended one; its own reads are dropped.
 */
#include "ops/runner.h"
#include "base/hash.h"
#include "ops/expiry.h"
#include "ops/undo.h"
#include "ops/wait.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_ISSUE_MS (8LL * 24 * 3600 * 1000)        /* Atlassian resumes interrupted rules for up to 7 days */
#define WINDOW_NO_ISSUE_MS (10LL * 60 * 1000)
#define KEY_MAX 255

struct accept_job {
    struct operation *op;
    struct journal_row row;             /* borrows from op */
    struct journal_accept accept;
    char key[EB_HEX_LEN], body_hash[EB_HEX_LEN];
};

/* HMAC, for bodies may hold a password. The parts are parted by a byte that none of them can hold. */
static void hmac_parts(const struct operation *op, const char *const *parts, size_t count, char out[EB_HEX_LEN])
{
    struct eb_buf b = EB_BUF(MiB(1));

    for (size_t i = 0; i < count; i++)
        eb_buf_add(&b, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) + 1 : 1);
    eb_hmac_hex(auth_key(op->ops->parts.keys, "idempotency"), EB_SHA256_LEN, b.data, b.len, out);
    eb_buf_free(&b);
}

/* Whom a kind that runs once for an issue and target is about. */
static char *target_of(const struct operation *op)
{
    char *names[OPS_UPN_CANDIDATES + 1] = { NULL };

    if (op->fields.user != NULL || op->kind->upns == NULL)
        return eb_strdup(op->fields.user != NULL ? op->fields.user : ops_field_text(&op->fields, "mail"));
    op->kind->upns(&op->fields, ops_rule(op), names);
    for (size_t i = 1; names[0] != NULL && names[i] != NULL; i++)
        free(names[i]);
    return names[0];
}

/* A read or a dry run does nothing that could be done twice: it is its own key, so that nobody gets an old state for an answer. */
static void make_keys(struct accept_job *j, const char *idempotency_key)
{
    const struct operation *op = j->op;
    bool harmless = op->kind->change == NULL || op->fields.dry_run || op->ends_member;
    /* Its origin keeps it from being done twice, and says so. What a token may not ask for is refused: no earlier operation's answer is given out for it. */
    bool own = (op->origin != NULL && idempotency_key == NULL) || op->outcome != NULL;
    char *target = target_of(op);
    const char *by_target[] = { "once", op->kind->name, op->fields.issue, target, op->fields.again, idempotency_key };
    const char *by_body[] = { "body", op->token_name, op->kind->name, op->fields.issue, op->fields.canonical };
    const char *by_key[] = { "key", op->token_name, idempotency_key };
    const char *by_id[] = { "id", op->id };
    const char *body[] = { op->kind->name, op->fields.canonical };

    if (harmless || own)
        hmac_parts(op, by_id, EB_LEN(by_id), j->key);
    else if (op->kind->once && op->fields.issue != NULL)
        hmac_parts(op, by_target, EB_LEN(by_target), j->key);
    else if (idempotency_key != NULL)
        hmac_parts(op, by_key, EB_LEN(by_key), j->key);
    else
        hmac_parts(op, by_body, EB_LEN(by_body), j->key);
    hmac_parts(op, body, EB_LEN(body), j->body_hash);
    free(target);
}

static bool accept_job(struct db *db, void *arg, struct eb_err *err)
{
    struct accept_job *j = arg;

    journal_row_clear(&j->accept.ret_earlier);      /* it may be run twice */
    return journal_accept(db, &j->accept, err);
}

/* ---- a repeat ---- */

static void answer_error(struct operation *op, const struct eb_err *err, const json_t *extra)
{
    struct ops_answer a = { .err = err, .body = extra };

    ops_answer_all(op, &a);
}

/* Who waits for an operation gets its answer as it is. One that makes a secret has it for the token that sent it: another of that name may see no secrets. */
static bool can_wait(const struct operation *op, const struct operation *earlier)
{
    return !earlier->answered_202 && !earlier->recovered && (earlier->kind->secret == NULL || eb_streq(op->token_id, earlier->token_id));
}

/* The callers of op wait for the earlier one, which is under way. */
static void join(struct operation *op, struct operation *earlier)
{
    for (size_t i = 0; i < op->waiter_count; i++) {
        struct eb_err e = { 0 };

        if (!can_wait(op, earlier)) {
            json_t *body = ops_answer_202(earlier);
            char *location = eb_asprintf("/v1/operations/%s", earlier->id);
            struct ops_answer a = { 202, body, NULL, location };

            op->ops->parts.answer(op->ops->parts.answer_ctx, op->waiters[i], &a);
            json_decref(body);
            free(location);
        } else if (earlier->waiter_count < OPS_WAITERS_MAX) {
            earlier->waiters[earlier->waiter_count++] = op->waiters[i];
        } else {
            eb_fail(&e, EB_OVERLOADED, "%d requests wait for operation %s already.", OPS_WAITERS_MAX, earlier->id);
            e.retry_after_ms = 2000;
            op->ops->parts.answer(op->ops->parts.answer_ctx, op->waiters[i], &(struct ops_answer){ .err = &e });
        }
    }
    op->waiter_count = 0;
}

static void replay(struct operation *op, const struct journal_row *r)
{
    json_t *body = ops_row_answer(r);
    char when[EB_TIME_LEN];
    struct eb_err e = { 0 };

    json_object_set_new(body, "replayed", json_true());
    json_object_set_new(body, "doneAt", json_string(eb_time_format(r->ended_ms, when)));
    if (r->code != NULL) {
        eb_fail(&e, eb_code_parse(r->code), "%s", r->message != NULL ? r->message : "");
        answer_error(op, &e, body);
    } else {
        ops_answer_all(op, &(struct ops_answer){ .status = 200, .body = body });
    }
    json_decref(body);
}

static void answer_open(struct operation *op, const struct journal_row *r)
{
    json_t *body = ops_row_answer(r);
    char *location = eb_asprintf("/v1/operations/%s", r->id);

    ops_answer_all(op, &(struct ops_answer){ 202, body, NULL, location });
    json_decref(body);
    free(location);
}

static void refuse_already_done(struct operation *op, const struct journal_row *r)
{
    struct eb_err e = { 0 };
    char when[EB_TIME_LEN];
    json_t *extra = json_pack("{s:s}", "operation", r->id);

    eb_fail(&e, EB_ALREADY_DONE,
            "This was done at %s as operation %s, and another operation has changed the same object since. To do it anew, send \"again\": \"%s\".",
            eb_time_format(r->ended_ms, when), r->id, r->id);
    answer_error(op, &e, extra);
    json_decref(extra);
}

/* What runs once for an issue and a target does so whoever asks; what came of it is for the token's name that asked first. */
static void refuse_of_another(struct operation *op, const struct journal_row *r)
{
    struct eb_err e = { 0 };

    eb_fail(&e, EB_ALREADY_DONE, "Another token has asked for this on this issue already, and %s runs once for an issue and a target. Should it be done anew, "
            "send \"again\": \"%s\".", op->kind->name, r->id);
    answer_error(op, &e, NULL);
}

static void repeated(struct operation *op, struct journal_accept *a)
{
    struct journal_row *r = &a->ret_earlier;
    struct operation *earlier = ops_find_id(op->ops, r->id);

    eb_info(op->id, "repeat of operation=%s state=%s", r->id, r->state);
    if (!eb_streq(op->token_name, r->token_name))
        refuse_of_another(op, r);
    else if (earlier != NULL)
        join(op, earlier);
    else if (r->ended_ms == 0)
        answer_open(op, r);
    else if (a->ret_changed_since)
        refuse_already_done(op, r);
    else
        replay(op, r);
    ops_operation_free(op);
}

/* ---- accepted ---- */

struct eb_err ops_store_error(const char *id, const struct eb_err *err)
{
    struct eb_err e = { 0 };

    if (err->code == EB_IDEMPOTENCY_CONFLICT || err->code == EB_OPERATION_NOT_FOUND || err->code == EB_UNDO_NOT_POSSIBLE)
        return *err;
    eb_error(id, "the journal failed: %s", err->text);
    eb_fail(&e, EB_OVERLOADED, "The journal cannot be used at the moment, and nothing is done without it. Send the request again later.");
    e.retry_after_ms = err->retry_after_ms > 0 ? err->retry_after_ms : 5000;
    return e;
}

static void accepted(void *arg, const struct eb_err *err)
{
    struct accept_job *j = arg;
    struct operation *op = j->op;

    if (err != NULL) {
        struct eb_err e = ops_store_error(op->id, err);

        if (op->order != 0)
            orders_answer(op->ops, op->order, NULL, &e);
        if (op->is_step)
            composite_step_refused(op->ops, op->parent, op->step_number, &e);
        answer_error(op, &e, NULL);
        ops_operation_free(op);
    } else if (j->accept.ret_verdict == JOURNAL_NONE) {
        struct eb_err e = wait_past();

        answer_error(op, &e, NULL);
        ops_operation_free(op);
    } else if (j->accept.ret_verdict == JOURNAL_REPEAT) {
        repeated(op, &j->accept);
    } else {
        op->journaled = true;
        if (op->order != 0)
            orders_answer(op->ops, op->order, op->id, NULL);
        if (op->deadline_passed && op->outcome == NULL)
            ops_answer_late(op);
        if (op->outcome != NULL || op->awaits_journal) {
            op->awaits_journal = false;
            ops_ready_wake(op);
        }
    }
    journal_row_clear(&j->accept.ret_earlier);
    free(j);
}

static void submit(struct operation *op, const char *idempotency_key)
{
    struct accept_job *j = eb_alloc(sizeof *j);

    j->op = op;
    make_keys(j, idempotency_key);
    j->row = (struct journal_row){
        .id = op->id, .kind = (char *)(uintptr_t)op->kind->name, .token_id = op->token_id, .token_name = op->token_name,
        .issue = op->fields.issue, .request = op->fields.kept, .origin = op->fields.dry_run ? NULL : op->origin, .config_hash = op->config->hash,
        .accepted_ms = op->accepted_ms, .dry_run = op->fields.dry_run, .step_of = op->step_of,
    };
    j->accept = (struct journal_accept){
        .row = &j->row, .key = op->is_step ? NULL : j->key, .body_hash = j->body_hash,
        .window_ms = (op->fields.issue != NULL ? WINDOW_ISSUE_MS : WINDOW_NO_ISSUE_MS) + wait_window_ms(op), .only_repeat = op->only_repeat,
    };
    /* The reads take longer than a commit: it can go with that of another operation, unless nothing is read. */
    (op->outcome == NULL ? store_submit_patient : store_submit)(op->ops->parts.store, accept_job, j, accepted);
}

/* ---- the answer that does not wait ---- */

void ops_answer_late(struct operation *op)
{
    json_t *body = ops_answer_202(op);
    char *location = eb_asprintf("/v1/operations/%s", op->id);

    op->answered_202 = true;
    ops_answer_all(op, &(struct ops_answer){ 202, body, NULL, location });
    json_decref(body);
    free(location);
}

/* 202 is a promise: it is not given before the intent is on disk. Where only the last commit is awaited, the answer itself comes next. */
static void deadline_passed(void *arg)
{
    struct operation *op = arg;

    op->deadline_passed = true;
    if (op->journaled && op->outcome == NULL)
        ops_answer_late(op);
}

/* ---- submit ---- */

bool ops_key_check(const char *key, struct eb_err *err)
{
    if (key == NULL)
        return true;
    if (key[0] == '\0' || strlen(key) > KEY_MAX)
        return eb_fail_field(err, EB_INVALID_REQUEST, "Idempotency-Key", "The header Idempotency-Key must have 1 to %d characters.", KEY_MAX);
    return true;
}

static void decide_early(struct operation *op)
{
    struct ops_policy_case pc;
    struct eb_err e = { 0 };

    op->only_repeat = wait_is_past(&op->fields, op->accepted_ms);
    ops_case_fill(op, &pc);
    if (op->ends_member || policy_decide_early(&pc.c, op->fields.issue != NULL, &op->verdict))
        return;
    eb_fail_field(&e, op->verdict.code, op->verdict.field != NULL ? op->verdict.field : "", "%s", op->verdict.reason);
    ops_end(op, "refused", &e);
    op->only_repeat = false;
}

void ops_begin(struct operation *op, const char *idempotency_key)
{
    decide_early(op);
    if (!op->explain)
        submit(op, idempotency_key);
    if ((op->outcome == NULL && !op->only_repeat) || op->explain)
        ops_run(op);
}

struct operation *ops_accept(struct ops *o, const struct ops_kind *kind, struct ops_fields *fields, const struct auth_token *caller, uint64_t exchange,
                             const char *id)
{
    struct operation *op = ops_operation_new(o, kind);

    op->fields = *fields;
    *fields = (struct ops_fields){ 0 };
    op->accepted_ms = eb_now_ms();
    ops_begun(op, op->accepted_ms);
    op->at_ms = wait_at(&op->fields);
    ops_name(op, id);
    if (caller != NULL) {
        op->token_id = eb_strdup(caller->id);
        op->token_name = eb_strdup(caller->name);
        op->waiters[op->waiter_count++] = exchange;
        op->deadline = eb_timer_new(o->parts.loop, deadline_passed, op);
        eb_timer_set(op->deadline, op->config->response_deadline_ms);
    }
    return op;
}

void ops_submit(struct ops *o, const struct ops_request *r)
{
    struct eb_err err = { 0 };
    struct ops_fields fields = { 0 };
    const struct ops_kind *kind = ops_kind_of(r->kind, r->body);

    if (!ops_ready(o, &err) || !ops_key_check(r->idempotency_key, &err) || !ops_fields_read(kind, r->body, &fields, &err) ||
        !expiry_check(&fields, eb_now_ms(), &err) || !wait_check(&fields, eb_now_ms(), r->explain, &err)) {
        ops_fields_clear(&fields);
        o->parts.answer(o->parts.answer_ctx, r->exchange, &(struct ops_answer){ .err = &err });
        return;
    }

    struct operation *op = ops_accept(o, kind, &fields, r->caller, r->exchange, NULL);
    op->explain = r->explain;
    ops_begin(op, r->idempotency_key);
}
