/* pause_table.c - one row for each kind that is paused. */
#include "store/pause_table.h"

#include "store/query.h"

bool pause_put(struct db *db, const struct pause *p, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO pauses (kind, reason, made_by, since_ms) VALUES ($1, $2, $3, $4)"
                      " ON CONFLICT (kind) DO UPDATE SET reason = excluded.reason, made_by = excluded.made_by",
                      DB_T(p->kind), DB_T(p->reason), DB_T(p->by), DB_I(p->since_ms));
}

bool pause_remove(struct db *db, const char *kind, int64_t *ret_gone, struct eb_err *err)
{
    return db_execute(db, ret_gone, err, "DELETE FROM pauses WHERE CAST($1 AS TEXT) IS NULL OR kind = $1", DB_T(kind));
}

bool pause_list(struct db *db, pause_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "SELECT kind, reason, made_by, since_ms FROM pauses ORDER BY kind", err);
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct pause){ db_text(s, 0), db_text(s, 1), db_text(s, 2), db_int(s, 3) });
    db_stop(s);
    return step != DB_FAILED;
}
