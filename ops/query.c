/* query.c - GET /v1/operations: what a token may see of the journal. */
#include "ops/runner.h"
#include "base/text.h"
#include "ops/secret.h"
#include "store/secret_table.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 50

struct query_job {
    struct ops *ops;
    struct config *config;              /* a reference: a reload may come meanwhile */
    uint64_t exchange;
    char *id, *issue, *token_name;
    json_t *body;
};

/* The row as a body: the answer that was given, with the members of a failure where it was one. */
static json_t *body_of(const struct journal_row *r)
{
    json_t *o = ops_row_answer(r);
    char when[EB_TIME_LEN];

    json_object_set_new(o, "acceptedAt", json_string(eb_time_format(r->accepted_ms, when)));
    if (r->ended_ms != 0)
        json_object_set_new(o, "endedAt", json_string(eb_time_format(r->ended_ms, when)));
    if (r->code != NULL) {
        json_object_set_new(o, "code", json_string(r->code));
        json_object_set_new(o, "status", json_integer(eb_code_status(eb_code_parse(r->code))));
    }
    if (r->message != NULL)
        json_object_set_new(o, "message", json_string(r->message));
    json_object_set_new(o, "changed", json_boolean(r->changed));
    return o;
}

/* A new user has a password, or an access pass instead (conclude.c). *ret_what: which; EB_NOT_THERE: none is kept. */
static bool find_secret(struct db *db, const struct ops_kind *kind, const char *id, struct secret_row *ret, const char **ret_what, struct eb_err *err)
{
    *ret_what = kind->secret;
    if (secret_get(db, id, kind->secret, ret, err))
        return true;
    if (err->code != EB_NOT_THERE || (kind->change->secret_of == NULL && !ops_is_composite(kind)) || strcmp(kind->secret, OPS_SECRET_ACCESS_PASS) == 0)
        return false;
    *err = (struct eb_err){ 0 };
    *ret_what = OPS_SECRET_ACCESS_PASS;
    return secret_get(db, id, OPS_SECRET_ACCESS_PASS, ret, err);
}

/* Nobody waited any more when a secret was ready (202): whose operation it is gets the link now, once. */
static bool add_link(struct db *db, const struct query_job *j, const struct journal_row *r, json_t *body, struct eb_err *err)
{
    const struct ops_kind *kind = ops_kind_find(r->kind);
    struct ops_secret_link link;
    struct secret_row secret = { 0 };
    int64_t now_ms = eb_now_ms();
    const char *what;

    if (kind == NULL || kind->secret == NULL || !(eb_streq(r->outcome, "succeeded") || eb_streq(r->outcome, "partial")))
        return true;
    if (!find_secret(db, kind, r->id, &secret, &what, err)) {
        bool none = err->code == EB_NOT_THERE;

        *err = (struct eb_err){ .code = none ? EB_OK : err->code };
        return none;
    }
    bool due = !secret.linked && secret.opened_ms == 0 && secret.expires_ms > now_ms, ok = true;
    secret_row_clear(&secret);
    if (due) {
        ops_secret_link_new(j->config, now_ms, &link);
        ok = secret_link(db, r->id, what, link.hash, link.expires_ms, link.id, err);
        if (ok)
            ops_secret_point(body, j->config, &link);
        ops_secret_link_wipe(&link);
    }
    return ok;
}

static bool show_job(struct db *db, void *arg, struct eb_err *err)
{
    struct query_job *j = arg;
    struct journal_row row = { 0 };

    if (!journal_get(db, j->id, j->token_name, &row, err))
        return false;
    json_decref(j->body);
    j->body = body_of(&row);
    bool ok = add_link(db, j, &row, j->body, err);
    journal_row_clear(&row);
    return ok;
}

static bool add_row(void *ctx, const struct journal_row *r)
{
    json_array_append_new(ctx, body_of(r));
    return true;
}

static bool list_job(struct db *db, void *arg, struct eb_err *err)
{
    struct query_job *j = arg;
    struct journal_filter f = { .issue = j->issue, .token_name = j->token_name, .limit = LIST_MAX };
    json_t *rows = json_array();

    json_decref(j->body);
    j->body = json_pack("{s:o}", "operations", rows);
    return journal_list(db, &f, add_row, rows, err);
}

static void queried(void *arg, const struct eb_err *err)
{
    struct query_job *j = arg;
    struct eb_err e = err != NULL ? ops_store_error(j->id, err) : (struct eb_err){ 0 };
    struct ops_answer a = { .status = 200, .body = err == NULL ? j->body : NULL, .err = err != NULL ? &e : NULL };

    j->ops->parts.answer(j->ops->parts.answer_ctx, j->exchange, &a);
    json_decref(j->body);
    config_unref(j->config);
    free(j->id);
    free(j->issue);
    free(j->token_name);
    free(j);
}

static void submit(struct ops *o, const struct auth_token *caller, const char *id, const char *issue, uint64_t exchange)
{
    struct query_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    j->config = config_ref(o->config);
    j->exchange = exchange;
    j->id = eb_strdup(id);
    j->issue = eb_strdup(issue);
    j->token_name = eb_strdup(caller->name);
    store_submit(o->parts.store, id != NULL ? show_job : list_job, j, queried);
}

void ops_show(struct ops *o, const struct auth_token *caller, const char *id, uint64_t exchange)
{
    submit(o, caller, id, NULL, exchange);
}

void ops_list(struct ops *o, const struct auth_token *caller, const char *issue, uint64_t exchange)
{
    struct eb_err err = { 0 };

    if (issue == NULL || !eb_is_issue(issue)) {
        eb_fail_field(&err, EB_INVALID_REQUEST, "issue", "Say which issue: /v1/operations?issue=ITSM-42.");
        o->parts.answer(o->parts.answer_ctx, exchange, &(struct ops_answer){ .err = &err });
        return;
    }
    submit(o, caller, NULL, issue, exchange);
}
