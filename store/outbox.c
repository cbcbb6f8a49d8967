/* outbox.c - the durable queue of comments still to be posted.
 *
 * Invariant: `doubt` is on disk before a post leaves (outbox_sending), so that after a crash nothing is posted blindly twice.
 */
#include "store/outbox.h"

#include "base/text.h"
#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#define PUT_OFF_MOST_MS 3600000     /* backing off ends at five minutes; Jira may ask for more */
#define COLUMNS "number, operation, issue, kind, payload, state, error, comment_id, tries, doubt, due_ms, created_ms, ended_ms"

static void row_read(struct db_stmt *s, struct outbox_row *r)
{
    *r = (struct outbox_row){
        .number = db_int(s, 0), .operation = db_copy(s, 1), .issue = db_copy(s, 2), .kind = db_copy(s, 3), .payload = db_copy(s, 4),
        .state = db_copy(s, 5), .error = db_copy(s, 6), .comment_id = db_copy(s, 7), .tries = (int)db_int(s, 8), .doubt = db_int(s, 9) != 0,
        .due_ms = db_int(s, 10), .created_ms = db_int(s, 11), .ended_ms = db_int(s, 12),
    };
}

void outbox_row_clear(struct outbox_row *r)
{
    char **texts[] = { &r->operation, &r->issue, &r->kind, &r->payload, &r->state, &r->error, &r->comment_id };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        free(*texts[i]);
    memset(r, 0, sizeof(*r));
}

bool outbox_put(struct db *db, const char *operation, const char *issue, const char *kind, const char *payload, int64_t due_ms, int64_t now_ms,
                int64_t *ret_number, struct eb_err *err)
{
    int64_t put = 0, number = 0;

    if (!db_execute(db, &put, err, "INSERT INTO outbox (operation, issue, kind, payload, due_ms, created_ms) VALUES ($1, $2, $3, $4, $5, $6)"
                    " ON CONFLICT (operation, kind) DO NOTHING",
                    DB_T(operation), DB_T(issue), DB_T(kind), DB_T(payload), DB_I(due_ms), DB_I(now_ms)) ||
        (put > 0 && !db_last_number(db, &number, err)))
        return false;
    if (ret_number != NULL)
        *ret_number = number;
    return true;
}

static bool each_row(struct db_stmt *s, outbox_each *each, void *ctx, struct eb_err *err)
{
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct outbox_row r;
        row_read(s, &r);
        more = each(ctx, &r);
        outbox_row_clear(&r);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool outbox_due(struct db *db, int64_t until_ms, int limit, outbox_each *each, void *ctx, struct eb_err *err)
{
    return each_row(db_query(db, err, "SELECT " COLUMNS " FROM outbox WHERE state = 'ready' AND due_ms <= $1 ORDER BY due_ms, number LIMIT $2",
                             DB_I(until_ms), DB_I(limit)), each, ctx, err);
}

bool outbox_recall(struct db *db, int64_t now_ms, struct eb_err *err)
{
    return db_execute(db, NULL, err, "UPDATE outbox SET due_ms = $1 WHERE state = 'ready' AND due_ms > $2", DB_I(now_ms), DB_I(now_ms + PUT_OFF_MOST_MS));
}

bool outbox_next_due(struct db *db, int64_t *ret_ms, struct eb_err *err)
{
    *ret_ms = INT64_MAX;
    return db_number(db_prepare(db, "SELECT due_ms FROM outbox WHERE state = 'ready' ORDER BY due_ms, number LIMIT 1", err), ret_ms, err);
}

static bool one_row(bool ok, int64_t changed, int64_t number, struct eb_err *err)
{
    return ok && (changed == 1 || eb_fail(err, EB_NOT_THERE, "Outbox row %lld does not wait to be posted.", (long long)number));
}

bool outbox_sending(struct db *db, int64_t number, int64_t lease_ms, struct eb_err *err)
{
    int64_t n = 0;
    bool ok = db_execute(db, &n, err, "UPDATE outbox SET tries = tries + 1, doubt = 1, due_ms = $2 WHERE number = $1 AND state = 'ready'",
                         DB_I(number), DB_I(lease_ms));

    return one_row(ok, n, number, err);
}

bool outbox_posted(struct db *db, int64_t number, const char *comment_id, int64_t now_ms, struct eb_err *err)
{
    int64_t n = 0;
    bool ok = db_execute(db, &n, err, "UPDATE outbox SET state = 'posted', comment_id = $2, ended_ms = $3, doubt = 0, error = NULL"
                         " WHERE number = $1 AND state = 'ready'", DB_I(number), DB_T(comment_id), DB_I(now_ms));

    return one_row(ok, n, number, err);
}

bool outbox_later(struct db *db, int64_t number, bool doubt, const char *error, int64_t due_ms, struct eb_err *err)
{
    int64_t n = 0;
    bool ok = db_execute(db, &n, err, "UPDATE outbox SET doubt = $2, error = $3, due_ms = $4 WHERE number = $1 AND state = 'ready'",
                         DB_I(number), DB_I(doubt), DB_T(error), DB_I(due_ms));

    return one_row(ok, n, number, err);
}

bool outbox_dead(struct db *db, int64_t number, const char *error, int64_t now_ms, struct eb_err *err)
{
    int64_t n = 0;
    bool ok = db_execute(db, &n, err, "UPDATE outbox SET state = 'dead', error = $2, ended_ms = $3 WHERE number = $1 AND state = 'ready'",
                         DB_I(number), DB_T(error), DB_I(now_ms));

    return one_row(ok, n, number, err);
}

/* The states stand in the text, so that the indexes of ready and dead rows can be used. */
static const char *const list_sql[][2] = {
    { "ready",  "SELECT " COLUMNS " FROM outbox WHERE state = 'ready' ORDER BY number LIMIT $1" },
    { "dead",   "SELECT " COLUMNS " FROM outbox WHERE state = 'dead' ORDER BY number LIMIT $1" },
    { "posted", "SELECT " COLUMNS " FROM outbox WHERE state = 'posted' ORDER BY number DESC LIMIT $1" },
    { NULL,     "SELECT " COLUMNS " FROM outbox WHERE state IN ('ready', 'dead') ORDER BY number LIMIT $1" },
};

bool outbox_list(struct db *db, const char *state, int limit, outbox_each *each, void *ctx, struct eb_err *err)
{
    for (size_t i = 0; i < EB_LEN(list_sql); i++)
        if (state == list_sql[i][0] || eb_streq(state, list_sql[i][0]))
            return each_row(db_query(db, err, list_sql[i][1], DB_I(limit > 0 ? limit : INT64_MAX)), each, ctx, err);
    return eb_fail_field(err, EB_INVALID_REQUEST, "state", "The state is one of ready, dead, posted.");
}

/* Doubt stays: an earlier try may have posted it. */
bool outbox_retry(struct db *db, const char *operation, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
    if (operation == NULL)
        return db_execute(db, ret_count, err, "UPDATE outbox SET state = 'ready', due_ms = $1, tries = 0, ended_ms = 0 WHERE state = 'dead'",
                          DB_I(now_ms));
    return db_execute(db, ret_count, err, "UPDATE outbox SET state = 'ready', due_ms = $2, tries = 0, ended_ms = 0"
                      " WHERE operation = $1 AND state IN ('ready', 'dead')", DB_T(operation), DB_I(now_ms));
}

bool outbox_find(struct db *db, const char *operation, const char *kind, struct outbox_row *ret, bool *ret_found, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM outbox WHERE operation = $1 AND kind = $2", DB_T(operation), DB_T(kind));

    if (!db_first(s, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    row_read(s, ret);
    if (db_run(s, NULL, err))
        return true;
    outbox_row_clear(ret);
    return false;
}

bool outbox_count(struct db *db, const char *state, int64_t *ret, struct eb_err *err)
{
    *ret = 0;
    if (eb_streq(state, "ready"))
        return db_number(db_prepare(db, "SELECT count(*) FROM outbox WHERE state = 'ready'", err), ret, err);
    if (eb_streq(state, "dead"))
        return db_number(db_prepare(db, "SELECT count(*) FROM outbox WHERE state = 'dead'", err), ret, err);
    return db_number(db_query(db, err, "SELECT count(*) FROM outbox WHERE state = $1", DB_T(state)), ret, err);
}
