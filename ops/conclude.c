/* conclude.c - the end of an operation: outcome, audit row and outbox rows in one transaction, then the answer.
 *
 * Invariant: nobody is told that something was done before this transaction is on disk.
 */
#include "ops/runner.h"
#include "base/metrics.h"
#include "base/text.h"
#include "ops/composite.h"
#include "ops/expiry.h"
#include "ops/report.h"
#include "ops/secret.h"
#include "ops/undo.h"
#include "ops/wait.h"
#include "store/approval.h"
#include "store/audit.h"
#include "store/outbox.h"
#include "store/secret_table.h"

#include <stdlib.h>
#include <string.h>

static struct eb_metric ended = { "entrabridge_operations_total", "Operations by kind and outcome", EB_COUNTER, { "operation", "outcome" } };
static struct eb_metric seconds = { "entrabridge_operation_seconds", "From request to conclusion", EB_HISTOGRAM, { "operation" } };

struct conclusion {
    struct operation *op;
    struct journal_conclusion row;
    struct journal_write_end write;
    char *after, *answer, *property;    /* texts; NULL: none */
    char *audit, *personal;             /* the audit row, and what of it can be erased */
    struct ops_comment parts;           /* head NULL: there is to be no comment */
    char *comment;                      /* the whole, made in the transaction that gives the audit row its number */
    json_t *body;
    bool shows_secret, links_secret;    /* in the answer: the secret itself; a link to it */
    char *sealed;                       /* one that came with Graph's answer; NULL: none, or it is in the table already */
    struct ops_secret_link link;
    bool reserved;                      /* the comment is posted right after the commit */
    int64_t now_ms, comment_number;
    struct eb_timer *retry;
};

enum ops_flow ops_end(struct operation *op, const char *outcome, const struct eb_err *err)
{
    op->err = err != NULL ? *err : (struct eb_err){ 0 };
    op->outcome = outcome;
    return OPS_WAIT;
}

/* How the row of the latest write ends. */
static const char *write_state(const struct operation *op)
{
    return op->row_state != NULL ? op->row_state : op->doubt ? "unknown" : "unsent";
}

/* What is told of it, in comment and audit row; borrowed from the operation. */
struct ops_report ops_report_of(const struct operation *op, const json_t *steps)
{
    const struct directory_facts *f = op->facts;
    struct ops_report r = {
        .operation = op->id, .kind = op->kind->name, .outcome = op->outcome, .code = op->err.code != EB_OK ? eb_code_text(op->err.code) : NULL,
        .message = op->message, .note = op->plan.note, .changed = op->changed, .dry_run = op->fields.dry_run,
        .token = op->token_name, .token_id = op->token_id, .rule = op->verdict.rule,
        .issue = op->issue.key != NULL ? op->issue.key : op->fields.issue, .issue_id = op->issue.id,
        .user = op->fields.user, .group = op->fields.group, .reason = op->fields.reason,
        .before = op->before, .after = op->err.code == EB_OK ? op->after : NULL, .approvals = op->approvals,
        .steps = steps, .request = op->fields.kept, .request_id = op->request_id, .configuration = op->config->hash, .undo = op->kind->undo,
        .undoes = op->origin != NULL && strncmp(op->origin, UNDO_ORIGIN, strlen(UNDO_ORIGIN)) == 0 ? op->origin + strlen(UNDO_ORIGIN) : NULL, .step_of = op->step_of,
    };

    if (f != NULL) {
        r.user_id = f->user.id;
        r.upn = f->user.upn;
        r.display_name = f->user.display_name;
        r.group_id = f->group.id;
        r.group_name = f->group.name;
    }
    if (r.user_id == NULL) {            /* of somebody who was made just now */
        r.user_id = eb_json_str(op->result, "userId");
        r.upn = eb_json_str(op->result, "userPrincipalName");
    }
    r.user = r.upn != NULL && r.upn[0] != '\0' ? r.upn : r.user;
    r.group = r.group_name != NULL ? r.group_name : r.group;
    return r;
}

/* One comment for each operation that has passed the issue check, also if Jira was away when it was judged again; none for reads, dry runs, and the steps of a
 * composite, whose comment tells them all. */
bool ops_wants_comment(const struct operation *op)
{
    return op->comment_issue != NULL && op->kind->change != NULL && !op->fields.dry_run && !op->is_step && !expiry_is_quiet(op);
}

static char *property_text(const struct operation *op)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s?}", "operation", op->id, "name", op->kind->name, "outcome", op->outcome,
                          "changed", (int)op->changed, "message", op->message,
                          "code", op->err.code != EB_OK ? eb_code_text(op->err.code) : NULL);
    char *text = eb_json_text(o);

    json_decref(o);
    return text;
}

static void fill_texts(struct conclusion *c)
{
    struct operation *op = c->op;
    EB_AUTO(json_t, json_decref) steps = composite_told(op);
    const struct ops_report report = ops_report_of(op, steps);

    c->body = ops_answer_make(op);
    c->answer = eb_json_text(c->body);
    c->audit = ops_audit_data(&report, ops_wants_comment(op));
    if (op->after != NULL && op->err.code == EB_OK)
        c->after = eb_json_text(op->after);
    if (ops_wants_comment(op))
        ops_comment_make(&report, &c->parts);
    c->personal = ops_audit_personal(&report, c->parts.head != NULL ? c->parts.text_hash : NULL);
    if (ops_wants_comment(op) && (op->answered_202 || op->recovered))
        c->property = property_text(op);
}

static bool came_to_nothing(const struct operation *op)
{
    return op->err.code != EB_OK && !op->doubt && op->confirmed == 0;
}

/* A new user may get an access pass instead of the password that the kind makes. */
static const char *secret_name(const struct operation *op)
{
    return eb_json_bool(op->fields.body, "accessPass", false) ? OPS_SECRET_ACCESS_PASS : op->kind->secret;
}

/* The password that nobody is to see: a pass was made in its stead, or is to be asked for. */
static bool drops_password(const struct operation *op)
{
    return strcmp(secret_name(op), op->kind->secret) != 0 && !op->doubt;
}

/* Whoever waits gets the secret, where the token may have it, or a link. */
static void plan_secret(struct conclusion *c)
{
    struct operation *op = c->op;
    const struct auth_token *t = auth_find(op->ops->parts.auth, op->token_id);
    struct eb_err err = { 0 };

    if (op->kind->secret == NULL || op->secret == NULL || (op->err.code != EB_OK && op->composite == NULL))
        return;
    c->shows_secret = op->waiter_count > 0 && t != NULL && t->reveal_secrets;
    c->links_secret = op->waiter_count > 0 && !c->shows_secret;
    if (!c->shows_secret && op->sealed == NULL && c->sealed == NULL &&
        !ops_secret_seal(op->ops->parts.keys, op->id, secret_name(op), op->secret, &c->sealed, &err))
        eb_error(op->id, "the secret cannot be kept: %s", err.text);
    if (c->links_secret)
        ops_secret_link_new(op->config, eb_now_ms(), &c->link);
}

static const char *made_user(const struct operation *op)
{
    if (op->composite != NULL)
        return op->composite->made_user;
    return op->err.code == EB_OK && op->changed && op->facts != NULL && op->facts->user.id == NULL ? eb_json_str(op->result, "userId") : NULL;
}

static void fill_row(struct conclusion *c)
{
    struct operation *op = c->op;

    c->write = (struct journal_write_end){ op->row, write_state(op), op->written.status, op->request_id };
    c->row = (struct journal_conclusion){
        .id = op->id, .outcome = op->outcome, .code = op->err.code != EB_OK ? eb_code_text(op->err.code) : NULL,
        .message = op->message, .after = c->after, .answer = c->answer,
        .issue_key = op->issue.key != NULL ? op->issue.key : op->comment_key, .issue_id = op->issue.id != NULL ? op->issue.id : op->comment_issue,
        .changed = op->changed && !op->fields.dry_run,
        .made_user = made_user(op),
        .free_key = came_to_nothing(op), .free_origin = came_to_nothing(op) || op->verdict.shadow || (op->ends_member && op->err.code != EB_OK),
        .writes = &c->write, .write_count = op->row >= 0 ? 1 : 0,
    };
}

/* It may be run twice, with another number: then the comment is made anew. */
static bool put_comment(struct db *db, struct conclusion *c, const struct audit_row *row, struct eb_err *err)
{
    const struct operation *op = c->op;

    free(c->comment);
    c->comment = ops_comment_whole(&c->parts, row->number, row->hash);

    if (!outbox_put(db, op->id, op->comment_issue, "comment", c->comment, c->now_ms, c->now_ms, &c->comment_number, err))
        return false;
    return !c->reserved || c->comment_number == 0 || outbox_sending(db, c->comment_number, c->now_ms + JIRA_WRITE_DEADLINE_MS, err);
}

/* A secret that was made for nothing goes; one that nobody is there to be told stays sealed, until a link to it is asked for (query.c). */
static bool keep_secret(struct db *db, struct conclusion *c, struct eb_err *err)
{
    const struct operation *op = c->op;

    if (op->kind->secret == NULL || (op->secret == NULL && op->sealed == NULL))
        return true;
    if (composite_secret_of(op) != NULL && !secret_remove(db, composite_secret_of(op), err))
        return false;                   /* it is the composite's to tell from now on */
    if ((c->shows_secret || came_to_nothing(op) || drops_password(op)) && !secret_remove(db, op->id, err))
        return false;
    if (c->shows_secret || came_to_nothing(op))
        return true;
    if (c->sealed != NULL && !secret_put(db, op->id, secret_name(op), c->sealed, c->now_ms, c->now_ms + op->config->secret_expire_ms, err))
        return false;
    return !c->links_secret || secret_link(db, op->id, secret_name(op), c->link.hash, c->link.expires_ms, c->link.id, err);
}

static bool conclude_job(struct db *db, void *arg, struct eb_err *err)
{
    struct conclusion *c = arg;
    const struct operation *op = c->op;
    struct audit_row row;

    c->now_ms = c->row.now_ms = eb_now_ms();
    return journal_conclude(db, &c->row, err) && keep_secret(db, c, err) && expiry_conclude(db, op, c->now_ms, err) &&
           expiry_stopped(db, op, c->now_ms, err) &&
           (op->approvals == NULL || op->changed || op->doubt || approval_release(db, op->id, err)) &&
           audit_add_personal(db, auth_key(op->ops->parts.keys, "audit"), c->now_ms, "operation", op->id, c->audit, c->personal, &row, err) &&
           (c->property == NULL || outbox_put(db, op->id, op->comment_issue, "property", c->property, c->now_ms, c->now_ms, NULL, err)) &&
           (c->parts.head == NULL || put_comment(db, c, &row, err));
}

void ops_conclusion_free(struct conclusion *c)
{
    if (c == NULL)
        return;
    free(c->after);
    free(c->answer);
    free(c->comment);
    free(c->property);
    free(c->audit);
    free(c->personal);
    free(c->sealed);
    ops_secret_link_wipe(&c->link);
    ops_comment_clear(&c->parts);
    json_decref(c->body);
    eb_timer_free(c->retry);
    free(c);
}

/* Only the answer that is sent has it: the one that the journal keeps was made before. */
static void add_secret(struct conclusion *c)
{
    const struct operation *op = c->op;

    if (c->shows_secret)
        ops_secret_show(c->body, secret_name(op), op->secret);
    else if (c->links_secret)
        ops_secret_point(c->body, op->config, &c->link);
}

static void answer(struct conclusion *c)
{
    struct operation *op = c->op;

    add_secret(c);
    struct ops_answer a = { .status = 200, .body = c->body, .err = op->err.code != EB_OK ? &op->err : NULL };

    ops_answer_all(op, &a);
}

void ops_count_ended(const char *kind, const char *outcome)
{
    eb_metric_add(&ended, 1, kind, outcome, NULL);
}

static void count(const struct operation *op)
{
    double took = (double)(eb_mono_us() - op->accepted_us) / 1e6;

    ops_count_ended(op->kind->name, op->outcome);
    eb_metric_observe(&seconds, took, op->kind->name, NULL, NULL);
    eb_info(op->id, "operation name=%s outcome=%s code=%s changed=%d tries=%d ms=%.0f token=%s issue=%s", op->kind->name, op->outcome,
            op->err.code != EB_OK ? eb_code_text(op->err.code) : "-", op->changed, op->tries, took * 1000, op->token_name,
            op->fields.issue != NULL ? op->fields.issue : "-");
}

static void concluded(void *arg, const struct eb_err *err);

static void submit(void *arg)
{
    struct conclusion *c = arg;

    store_submit(c->op->ops->parts.store, conclude_job, c, concluded);
}

static void concluded(void *arg, const struct eb_err *err)
{
    struct conclusion *c = arg;
    struct operation *op = c->op;
    struct poster *poster = op->ops->poster;

    if (err != NULL) {                  /* what was done is not known to the disk yet: nobody is told, and we try until it is */
        eb_error(op->id, "the conclusion cannot be written, trying again: %s", err->text);
        if (op->deadline_passed && !op->answered_202) {
            ops_answer_late(op);
            plan_secret(c);             /* nobody is there any more to be shown it */
            c->property = ops_wants_comment(op) ? property_text(op) : NULL;
        }
        if (c->retry == NULL)
            c->retry = eb_timer_new(op->ops->parts.loop, submit, c);
        eb_timer_set(c->retry, 1000);
        return;
    }
    answer(c);
    count(op);
    expiry_alert(op);
    if (op->ends_ms > 0)
        schedule_wake(op->ops->parts.schedule);
    if (c->reserved && c->comment_number != 0) {
        poster_deliver(poster, c->comment_number, op->id, op->comment_issue, c->comment);
        c->comment = NULL;              /* taken */
    } else if (c->reserved)
        poster_release(poster, op->comment_issue);
    if ((c->comment != NULL && !c->reserved) || c->property != NULL)
        poster_wake(poster);
    if (op->is_step)
        composite_step_ended(op);
    ops_operation_free(op);             /* and c */
}

/* Nothing is kept of it, so there is nothing to wait for. */
static void answer_explained(struct operation *op)
{
    json_t *body = ops_answer_explained(op);

    ops_answer_all(op, &(struct ops_answer){ .status = 200, .body = body });
    if (op->order != 0)
        orders_answer_body(op->ops, op->order, body);
    json_decref(body);
    ops_operation_free(op);
}

void ops_conclude(struct operation *op)
{
    expiry_settle(op);
    if (op->explain) {
        ops_message_make(op);
        answer_explained(op);
        return;
    }
    if (!op->journaled) {               /* the first commit wakes us */
        store_hurry(op->ops->parts.store);
        return;
    }
    if (op->conclusion != NULL)         /* under way already: a timer of before has come */
        return;

    struct conclusion *c = op->conclusion = eb_alloc(sizeof *c);
    c->op = op;
    ops_message_make(op);
    fill_texts(c);
    plan_secret(c);
    fill_row(c);
    /* The property goes first: a second rule starts on the comment, and reads it. */
    c->reserved = c->parts.head != NULL && c->property == NULL && poster_reserve(op->ops->poster, op->comment_issue);
    submit(c);
}
