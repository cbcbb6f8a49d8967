/* timer_table.c - something due at a time: one row for each kind and subject. */
#include "store/timer_table.h"

#include "store/query.h"

bool timer_put(struct db *db, const char *kind, const char *subject, int64_t due_ms, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO timers (kind, subject, due_ms) VALUES ($1, $2, $3)"
                      " ON CONFLICT (kind, subject) DO UPDATE SET due_ms = excluded.due_ms", DB_T(kind), DB_T(subject), DB_I(due_ms));
}

bool timer_remove(struct db *db, const char *kind, const char *subject, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM timers WHERE kind = $1 AND subject = $2", DB_T(kind), DB_T(subject));
}

bool timer_finish(struct db *db, const char *kind, const char *subject, int64_t due_ms, int64_t next_ms, struct eb_err *err)
{
    if (next_ms > 0)
        return db_execute(db, NULL, err, "UPDATE timers SET due_ms = $4 WHERE kind = $1 AND subject = $2 AND due_ms = $3",
                          DB_T(kind), DB_T(subject), DB_I(due_ms), DB_I(next_ms));
    return db_execute(db, NULL, err, "DELETE FROM timers WHERE kind = $1 AND subject = $2 AND due_ms = $3",
                      DB_T(kind), DB_T(subject), DB_I(due_ms));
}

static bool list(struct db_stmt *s, timer_each *each, void *ctx, struct eb_err *err)
{
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct timer_row t = { .kind = db_text(s, 0), .subject = db_text(s, 1), .due_ms = db_int(s, 2) };
        more = each(ctx, &t);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool timer_due(struct db *db, int64_t until_ms, int limit, timer_each *each, void *ctx, struct eb_err *err)
{
    return list(db_query(db, err, "SELECT kind, subject, due_ms FROM timers WHERE due_ms <= $1 ORDER BY due_ms, kind, subject LIMIT $2",
                         DB_I(until_ms), DB_I(limit)), each, ctx, err);
}

bool timer_due_of_others(struct db *db, int64_t until_ms, const char *const left_out[TIMER_LEFT_OUT], int limit, timer_each *each, void *ctx,
                         struct eb_err *err)
{
    return list(db_query(db, err, "SELECT kind, subject, due_ms FROM timers WHERE due_ms <= $1 AND kind <> $3 AND kind <> $4 AND kind <> $5"
                         " ORDER BY due_ms, kind, subject LIMIT $2", DB_I(until_ms), DB_I(limit), DB_T(left_out[0] != NULL ? left_out[0] : ""),
                         DB_T(left_out[1] != NULL ? left_out[1] : ""),
                         DB_T(left_out[2] != NULL ? left_out[2] : "")), each, ctx, err);
}

bool timer_next(struct db *db, int64_t *ret_due_ms, struct eb_err *err)
{
    *ret_due_ms = INT64_MAX;
    return db_number(db_prepare(db, "SELECT due_ms FROM timers ORDER BY due_ms LIMIT 1", err), ret_due_ms, err);
}
