/* restored.c - what a database that was restored from a backup may be wrong about. */
#include "store/restored.h"

#include "store/query.h"

/* Waits still: scheduled, and its date is after $1. */
#define TO_COME " q.why = 'scheduled' AND q.ready_ms > $1"

bool restored_in_doubt(struct db *db, int64_t now_ms, restored_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT o.id, d.waits FROM (SELECT operation, 0 AS waits FROM open_operations"
                                 " UNION ALL SELECT q.operation, 1 FROM waiting q WHERE NOT (" TO_COME ")) AS d"
                                 " JOIN operations o ON o.number = d.operation ORDER BY o.number", DB_I(now_ms));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, db_text(s, 0), db_int(s, 1) != 0);
    db_stop(s);
    return step != DB_FAILED;
}

bool restored_to_come(struct db *db, int64_t now_ms, restored_scheduled_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT o.id, o.kind, COALESCE(r.issue_key, o.issue), q.at_ms FROM waiting q JOIN operations o ON o.number = q.operation"
                                 " LEFT JOIN records r ON r.operation = q.operation WHERE" TO_COME " ORDER BY q.at_ms, q.operation", DB_I(now_ms));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        const struct restored_scheduled r = { db_text(s, 0), db_text(s, 1), db_text(s, 2), db_int(s, 3) };
        more = each(ctx, &r);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool restored_comments(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
    *ret_count = 0;
    return db_number(db_prepare(db, "SELECT count(*) FROM outbox WHERE state = 'ready' AND kind <> 'property'", err), ret_count, err) &&
           db_execute(db, NULL, err, "UPDATE outbox SET doubt = 1, due_ms = $1 WHERE state = 'ready'", DB_I(now_ms));
}

bool restored_orders(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
    return db_execute(db, ret_count, err, "UPDATE orders SET taken_ms = $1 WHERE taken_ms = 0", DB_I(now_ms));
}

bool restored_secrets(struct db *db, int64_t *ret_count, struct eb_err *err)
{
    *ret_count = 0;
    if (!db_number(db_prepare(db, "SELECT count(*) FROM secrets WHERE sealed IS NOT NULL", err), ret_count, err))
        return false;
    struct db_stmt *s = db_prepare(db, "DELETE FROM secrets", err);
    return s != NULL && db_run(s, NULL, err);
}
