/* cancel.c - ending what waits, and the two requests that ask for it. */
#include "ops/cancel.h"
#include "ops/request.h"
#include "ops/wait.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 200                     /* of one issue, in one transaction */

/* ---- one operation, on the store's thread or at the command line ---- */

static bool is_listed(const char *const *list, const char *name)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        if (strcmp(list[i], "*") == 0 || strcmp(list[i], name) == 0)
            return true;
    return list == NULL;
}

static bool check(const struct cancel *c, const struct journal_row *r, struct eb_err *err)
{
    if (!is_listed(c->kinds, r->kind))
        return eb_fail(err, EB_OPERATION_NOT_PERMITTED, "The token is not valid for %s, so that it cannot cancel one either.", r->kind);
    if (r->outcome != NULL)
        return eb_fail(err, EB_ALREADY_DONE, "The operation has ended as %s already: there is nothing left to cancel.", r->outcome);
    return r->waits != NULL || eb_fail(err, EB_ALREADY_DONE, "The operation has begun already and cannot be cancelled any more. GET it to see how it ends; what it has "
                                                             "changed can be undone then.");
}

static struct ops_report report_of(const struct cancel *c, const struct journal_row *r, const json_t *request, const char *message)
{
    return (struct ops_report){
        .operation = r->id, .kind = r->kind, .outcome = "cancelled", .message = message, .token = r->token_name, .token_id = r->token_id,
        .issue = r->issue_key != NULL ? r->issue_key : r->issue, .issue_id = r->issue_id, .user = eb_json_str(request, "user"),
        .group = eb_json_str(request, "group"), .user_id = r->user_id, .group_id = r->group_id, .reason = c->reason, .request = r->request,
        .configuration = r->config_hash,
    };
}

static json_t *answer_of(const struct journal_row *r, const char *message)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:s*, s:s*, s:s*}", "operation", r->id, "name", r->kind, "outcome", "cancelled", "changed", 0,
                     "message", message, "dryRun", 0, "replayed", 0, "issue", r->issue_key != NULL ? r->issue_key : r->issue, "userId", r->user_id,
                     "groupId", r->group_id);
}

static bool put_comment(struct db *db, const struct ops_report *report, const struct audit_row *row, int64_t now_ms, struct eb_err *err)
{
    struct ops_comment parts = { 0 };

    ops_comment_make(report, &parts);
    char *whole = ops_comment_whole(&parts, row->number, row->hash);
    bool ok = outbox_put(db, report->operation, report->issue_id, "comment", whole, now_ms, now_ms, NULL, err);
    ops_comment_clear(&parts);
    free(whole);
    return ok;
}

static bool put_property(struct db *db, const struct ops_report *r, int64_t now_ms, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) o = json_pack("{s:s, s:s, s:s, s:b, s:s}", "operation", r->operation, "name", r->kind, "outcome", r->outcome, "changed", 0,
                                               "message", r->message);
    char *text = eb_json_text(o);
    bool ok = outbox_put(db, r->operation, r->issue_id, "property", text, now_ms, now_ms, NULL, err);

    free(text);
    return ok;
}

/* The hash of the comment's text goes into the audit row, which is made first. */
static bool add_audit(struct db *db, const struct cancel *c, const struct ops_report *r, int64_t now_ms, struct audit_row *row, struct eb_err *err)
{
    struct ops_comment parts = { 0 };

    ops_comment_make(r, &parts);
    char *data = ops_audit_data(r, r->issue_id != NULL), *personal = ops_audit_personal(r, r->issue_id != NULL ? parts.text_hash : NULL);
    bool ok = audit_add_personal(db, c->audit_key, now_ms, "operation", r->operation, data, personal, row, err);

    ops_comment_clear(&parts);
    free(data);
    free(personal);
    return ok;
}

static bool conclude(struct db *db, const struct cancel *c, const struct ops_report *r, const char *answer, struct eb_err *err)
{
    int64_t now_ms = eb_now_ms();
    struct audit_row row;
    bool was;
    const struct journal_conclusion end = {
        .id = r->operation, .outcome = r->outcome, .message = r->message, .answer = answer, .issue_key = r->issue, .issue_id = r->issue_id,
        .free_key = true, .free_origin = true, .now_ms = now_ms,
    };

    return waiting_reopen(db, r->operation, now_ms, &was, err) && journal_conclude(db, &end, err) && add_audit(db, c, r, now_ms, &row, err) &&
           (r->issue_id == NULL || (put_comment(db, r, &row, now_ms, err) && put_property(db, r, now_ms, err)));
}

static bool cancel_row(struct db *db, const struct cancel *c, const struct journal_row *r, json_t **ret, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) request = r->request != NULL ? json_loads(r->request, 0, NULL) : NULL;
    char message[400];

    if (!check(c, r, err))
        return false;
    snprintf(message, sizeof message, "Cancelled before it was carried out, by %.300s. Nothing was changed.", c->by);
    const struct ops_report report = report_of(c, r, request, message);
    EB_AUTO(json_t, json_decref) body = answer_of(r, message);
    char *answer = eb_json_text(body);
    bool ok = conclude(db, c, &report, answer, err);
    free(answer);
    if (ok)
        *ret = json_incref(body);
    return ok;
}

bool cancel_waiting(struct db *db, const struct cancel *c, json_t **ret, struct eb_err *err)
{
    struct journal_row row = { 0 };

    if (!journal_get(db, c->id, c->token_name, &row, err))
        return false;
    bool ok = cancel_row(db, c, &row, ret, err);
    journal_row_clear(&row);
    return ok;
}

/* ---- requests ---- */

struct cancel_job {
    struct ops *ops;
    uint64_t exchange;
    char *operation, *token_name, *by;  /* operation NULL: all of the issue */
    char **kinds;                       /* one block */
    struct ops_fields fields;
    json_t *answer;
    json_t *ids;
};

static void job_free(struct cancel_job *j)
{
    ops_fields_clear(&j->fields);
    json_decref(j->answer);
    json_decref(j->ids);
    free(j->operation);
    free(j->token_name);
    free(j->by);
    free(j->kinds);
    free(j);
}

static struct cancel of_job(const struct cancel_job *j, const char *id)
{
    return (struct cancel){ id, j->token_name, (const char *const *)j->kinds, j->by, j->fields.reason, auth_key(j->ops->parts.keys, "audit") };
}

static bool keep_id(void *ctx, const char *id)
{
    json_array_append_new(ctx, json_string(id));
    return true;
}

static bool fail_none(const struct cancel_job *j, struct eb_err *err)
{
    const char *kind = ops_field_text(&j->fields, "name");

    return eb_fail(err, EB_OPERATION_NOT_FOUND, "No operation%s%s that a token of this name has asked for waits for the issue %s: none is scheduled or held.",
                   kind != NULL ? " " : "", kind != NULL ? kind : "", j->fields.issue);
}

static bool cancel_all(struct db *db, struct cancel_job *j, struct eb_err *err)
{
    const struct waiting_filter f = { .issue = j->fields.issue, .kind = ops_field_text(&j->fields, "name"), .token_name = j->token_name };
    json_t *results = json_array(), *id;
    size_t i;

    json_decref(j->ids);
    j->ids = json_array();
    j->answer = json_pack("{s:s, s:s, s:o}", "outcome", "cancelled", "issue", j->fields.issue, "results", results);
    if (!waiting_list(db, &f, AT_ONCE, keep_id, j->ids, err))
        return false;
    json_array_foreach(j->ids, i, id) {
        const struct cancel c = of_job(j, json_string_value(id));
        json_t *one = NULL;

        if (!cancel_waiting(db, &c, &one, err))
            return false;
        json_array_append_new(results, one);
    }
    json_object_set_new(j->answer, "count", json_integer((json_int_t)json_array_size(results)));
    return json_array_size(results) > 0 || fail_none(j, err);
}

static bool cancel_job(struct db *db, void *arg, struct eb_err *err)
{
    struct cancel_job *j = arg;

    json_decref(j->answer);             /* it may be run twice */
    j->answer = NULL;
    if (j->operation == NULL)
        return cancel_all(db, j, err);
    const struct cancel c = of_job(j, j->operation);
    return cancel_waiting(db, &c, &j->answer, err);
}

static bool is_told(enum eb_code code)
{
    return code == EB_OPERATION_NOT_FOUND || code == EB_ALREADY_DONE || code == EB_OPERATION_NOT_PERMITTED;
}

static void refuse(struct ops *o, uint64_t exchange, const struct eb_err *err)
{
    o->parts.answer(o->parts.answer_ctx, exchange, &(struct ops_answer){ .err = err });
}

static void add_message(json_t *answer)
{
    size_t n = json_array_size(json_object_get(answer, "results"));
    char text[80];

    snprintf(text, sizeof text, n == 1 ? "Cancelled one operation." : "Cancelled %zu operations.", n);
    if (json_object_get(answer, "message") == NULL)
        json_object_set_new(answer, "message", json_string(text));
}

static void count(const json_t *answer)
{
    const json_t *results = json_object_get(answer, "results");
    size_t i;
    json_t *one;

    if (results == NULL)
        ops_count_ended(eb_json_str(answer, "name"), "cancelled");
    json_array_foreach((json_t *)(uintptr_t)results, i, one)
        ops_count_ended(eb_json_str(one, "name"), "cancelled");
}

static void cancelled(void *arg, const struct eb_err *err)
{
    struct cancel_job *j = arg;
    struct ops *o = j->ops;

    if (err != NULL) {
        struct eb_err e = is_told(err->code) ? *err : ops_store_error(j->operation, err);

        refuse(o, j->exchange, &e);
    } else {
        add_message(j->answer);
        count(j->answer);
        eb_info(j->operation, "cancelled token=%s issue=%s", j->token_name, j->fields.issue != NULL ? j->fields.issue : "-");
        o->parts.answer(o->parts.answer_ctx, j->exchange, &(struct ops_answer){ .status = 200, .body = j->answer });
        poster_wake(o->poster);
    }
    job_free(j);
}

/* The fields that every kind has, and `name`. */
static bool read_body(const struct ops_cancel *c, struct ops_fields *ret, struct eb_err *err)
{
    static const struct ops_field name[] = { { "name", OPS_FORM_TEXT, false, 64, "The kind of operation.", NULL } };
    static const struct ops_kind one = { .name = "A cancel" }, of_issue = { .name = "A cancel", .fields = name, .field_count = 1 };

    if (!ops_fields_read(c->operation != NULL ? &one : &of_issue, c->body, ret, err))
        return false;
    const char *kind = ops_field_text(ret, "name");
    bool ok = ret->again == NULL && !ret->dry_run;
    if (!ok)
        eb_fail_field(err, EB_INVALID_REQUEST, ret->again != NULL ? "again" : "dryRun", "A cancel knows neither `again` nor `dryRun`.");
    else if (c->operation == NULL && ret->issue == NULL)
        ok = eb_fail_field(err, EB_INVALID_REQUEST, "issue", "`issue` is missing: whose waiting operations are to be cancelled.");
    else if (kind != NULL && ops_kind_find(kind) == NULL)
        ok = eb_fail_field(err, EB_INVALID_REQUEST, "name", "There is no operation kind of this `name`. See /openapi.json for all of them.");
    if (!ok)
        ops_fields_clear(ret);
    return ok;
}

/* The token may be gone by the time that the job runs. One block: pointers, then texts. */
static char **copy_list(char *const *list)
{
    size_t count = 0, size = 0;

    for (; list[count] != NULL; count++)
        size += strlen(list[count]) + 1;
    char **copy = eb_alloc((count + 1) * sizeof *copy + size), *text = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = text;
        text = stpcpy(text, list[i]) + 1;
    }
    copy[count] = NULL;
    return copy;
}

void ops_cancel(struct ops *o, const struct ops_cancel *c)
{
    struct ops_fields fields = { 0 };
    struct eb_err err = { 0 };

    if (!ops_ready(o, &err) || !read_body(c, &fields, &err)) {
        refuse(o, c->exchange, &err);
        return;
    }
    struct cancel_job *j = eb_alloc(sizeof *j);
    j->ops = o;
    j->exchange = c->exchange;
    j->fields = fields;
    j->operation = eb_strdup(c->operation);
    j->token_name = eb_strdup(c->caller->name);
    j->by = eb_asprintf("the token \"%s\"", c->caller->name);
    j->kinds = copy_list(c->caller->operations);
    store_submit(o->parts.store, cancel_job, j, cancelled);
}
