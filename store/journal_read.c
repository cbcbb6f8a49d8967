/* journal_read.c - looking at the journal: one operation, lists, its writes; and forgetting keys whose window is over. */
#include "store/journal.h"

#include "base/text.h"
#include "store/journal_rows.h"
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void journal_row_clear(struct journal_row *r)
{
    char **texts[] = { &r->id, &r->kind, &r->token_id, &r->token_name, &r->issue, &r->issue_key, &r->issue_id, &r->request, &r->state,
                       &r->outcome, &r->code, &r->message, &r->user_id, &r->group_id, &r->before, &r->after, &r->answer, &r->config_hash, &r->origin,
                       &r->waits, &r->waits_for };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        free(*texts[i]);
    memset(r, 0, sizeof(*r));
}

void journal_row_read(struct db_stmt *s, struct journal_row *r)
{
    int i = 0;
    char **texts[] = { &r->id, &r->kind, &r->token_id, &r->token_name, &r->issue, &r->issue_key, &r->issue_id, &r->request, &r->state,
                       &r->outcome, &r->code, &r->message, &r->user_id, &r->group_id, &r->before, &r->after, &r->answer, &r->config_hash, &r->origin,
                       &r->waits, &r->waits_for };

    for (; i < (int)EB_LEN(texts); i++)
        *texts[i] = db_copy(s, i);
    r->accepted_ms = db_int(s, i++);
    r->ended_ms = db_int(s, i++);
    r->changed = db_int(s, i++) != 0;
    r->dry_run = db_int(s, i++) != 0;
    r->at_ms = db_int(s, i++);
    r->since_ms = db_int(s, i++);
    r->passed = db_int(s, i++) != 0;
    r->writes = (int)db_int(s, i);
}

bool journal_get(struct db *db, const char *id, const char *token_name, struct journal_row *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " JOURNAL_COLUMNS " FROM " JOURNAL_TABLES " WHERE o.id = $1", DB_T(id));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_OPERATION_NOT_FOUND, "There is no operation with this id.");
    memset(ret, 0, sizeof(*ret));
    journal_row_read(s, ret);
    /* The same words as above: another name's token must not learn that it exists. */
    if (db_run(s, NULL, err) && (token_name == NULL || eb_streq(token_name, ret->token_name) ||
                                 eb_fail(err, EB_OPERATION_NOT_FOUND, "There is no operation with this id.")))
        return true;
    journal_row_clear(ret);
    return false;
}

bool journal_writes(struct db *db, const char *id, struct journal_write_row *rows, size_t max, size_t *ret_count, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err,
        "SELECT n, tries, action, object, state, sent_ms, answered_ms, status, COALESCE(request_id, '') FROM writes"
        " WHERE operation = (SELECT number FROM operations WHERE id = $1) ORDER BY n LIMIT $2", DB_T(id), DB_I((int64_t)max));
    enum db_step step;

    if (s == NULL)
        return false;
    for (*ret_count = 0; (step = db_step(s, err)) == DB_ROW; ++*ret_count) {
        struct journal_write_row *r = &rows[*ret_count];
        r->n = (int)db_int(s, 0);
        r->tries = (int)db_int(s, 1);
        eb_text_clean(db_text(s, 2), r->action, sizeof(r->action));
        eb_text_clean(db_text(s, 3), r->object, sizeof(r->object));
        eb_text_clean(db_text(s, 4), r->state, sizeof(r->state));
        r->sent_ms = db_int(s, 5);
        r->answered_ms = db_int(s, 6);
        r->status = (int)db_int(s, 7);
        eb_text_clean(db_text(s, 8), r->request_id, sizeof(r->request_id));
    }
    return step == DB_DONE;
}

bool journal_last_written(struct db *db, const char *action, const char *object, int64_t *ret_sent_ms, int64_t *ret_answered_ms, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT sent_ms, answered_ms FROM writes WHERE object = $1 AND action = $2 AND state = 'done'"
                                 " ORDER BY operation DESC LIMIT 1", DB_T(object), DB_T(action));
    bool found;

    *ret_sent_ms = *ret_answered_ms = 0;
    if (!db_first(s, &found, err) || !found)
        return s != NULL && !found;
    *ret_sent_ms = db_int(s, 0);
    *ret_answered_ms = db_int(s, 1);
    return db_run(s, NULL, err);
}

/* What all listings share: $1 token name, $2 state, $3 outcome, $4 kind, $5 below this number, $6 how many. */
#define LIST \
    "SELECT " JOURNAL_COLUMNS " FROM " JOURNAL_TABLES " WHERE o.number < $5 AND (CAST($1 AS TEXT) IS NULL OR o.token_name = $1)" \
    " AND (CAST($2 AS TEXT) IS NULL OR $2 = CASE WHEN c.number IS NULL THEN 'open' ELSE 'ended' END)" \
    " AND (CAST($3 AS TEXT) IS NULL OR c.outcome = $3) AND (CAST($4 AS TEXT) IS NULL OR o.kind = $4)"
#define NEWEST_FIRST " ORDER BY o.number DESC LIMIT $6"
static const char list_all[] = LIST NEWEST_FIRST;
static const char list_open[] = LIST " AND o.number IN (SELECT operation FROM open_operations)" NEWEST_FIRST;
/* What went wrong is what people look for, and it is rare: it has an index of its own. */
static const char list_other_outcome[] =
    LIST " AND o.number IN (SELECT operation FROM conclusions WHERE outcome = $3 AND outcome <> 'succeeded')" NEWEST_FIRST;
static const char list_scheduled[] = LIST " AND o.number IN (SELECT operation FROM waiting WHERE why = 'scheduled')" NEWEST_FIRST;
static const char list_held[] = LIST " AND o.number IN (SELECT operation FROM waiting WHERE why IN ('limit', 'paused', 'released'))" NEWEST_FIRST;
static const char list_issue[] = LIST " AND o.number IN (SELECT operation FROM operation_issues WHERE issue = $7)" NEWEST_FIRST;

static bool number_of(struct db *db, const char *id, int64_t *ret, struct eb_err *err)
{
    *ret = INT64_MAX;
    if (id == NULL)
        return true;
    if (!db_number(db_query(db, err, "SELECT number FROM operations WHERE id = $1", DB_T(id)), ret, err))
        return false;
    return *ret != INT64_MAX || eb_fail(err, EB_OPERATION_NOT_FOUND, "There is no operation with this id.");
}

bool journal_list(struct db *db, const struct journal_filter *f, journal_each *each, void *ctx, struct eb_err *err)
{
    const char *sql = f->issue != NULL ? list_issue : eb_streq(f->waits, "scheduled") ? list_scheduled : f->waits != NULL ? list_held :
                      eb_streq(f->state, "open") ? list_open :
                      f->outcome != NULL && !eb_streq(f->outcome, "succeeded") ? list_other_outcome : list_all;
    enum db_step step = DB_DONE;
    bool more = true;
    int64_t below;

    if (!number_of(db, f->before_id, &below, err))
        return false;
    struct db_stmt *s = db_query(db, err, sql, DB_T(f->token_name), DB_T(f->state), DB_T(f->outcome), DB_T(f->kind), DB_I(below),
                                 DB_I(f->limit > 0 ? f->limit : INT64_MAX));
    if (s == NULL)
        return false;
    if (f->issue != NULL)
        db_bind_text(s, 7, f->issue);
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct journal_row r = { 0 };
        journal_row_read(s, &r);
        more = each(ctx, &r);
        journal_row_clear(&r);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool journal_forget_keys(struct db *db, int64_t now_ms, int most, int64_t *ret_gone, struct eb_err *err)
{
    return db_execute(db, ret_gone, err, "DELETE FROM idempotency WHERE repeat_key IN"
                      " (SELECT repeat_key FROM idempotency WHERE until_ms <= $1 ORDER BY until_ms LIMIT $2)", DB_I(now_ms), DB_I(most));
}
