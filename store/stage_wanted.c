/* stage_wanted.c - what the source wants to stand in the target, and in which order people are made. */
#include "store/stage_rows.h"

#define DEPTH_MAX "64"      /* of a line of managers; who stands deeper counts as somebody in a circle */

bool stage_wanted_put(struct db *db, const struct stage_wanted *w, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT INTO wanted (n, kind, level, lacks_manager, hash) VALUES ($1, $2, 0, $3, $4) ON CONFLICT (n) DO UPDATE SET"
                      " kind = excluded.kind, lacks_manager = excluded.lacks_manager, hash = excluded.hash", DB_I(w->n), DB_I(w->kind), DB_I(w->lacks_manager),
                      DB_T(w->hash)) &&
           db_execute(db, NULL, err, "INSERT INTO wanted_texts (n, label, attributes) VALUES ($1, $2, $3) ON CONFLICT (n) DO UPDATE SET"
                      " label = excluded.label, attributes = excluded.attributes WHERE attributes IS NOT excluded.attributes OR label IS NOT excluded.label",
                      DB_I(w->n), DB_T(w->label), DB_T(w->attributes));
}

bool stage_wanted_remove(struct db *db, int64_t n, struct eb_err *err)
{
    int64_t gone = 0;

    return db_execute(db, &gone, err, "DELETE FROM wanted WHERE n = $1", DB_I(n)) &&
           (gone == 0 || db_execute(db, NULL, err, "DELETE FROM wanted_texts WHERE n = $1", DB_I(n)));
}

bool stage_wanted_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) FROM wanted WHERE kind = $1", DB_I(kind)), ret, err);
}

/* From those whom no wanted manager leads, downwards. Who stands in a circle, or below one, is never reached. Should the source name two managers,
 * the longer line counts. */
static const char fill_levels[] =
    "INSERT INTO levels (n, level) WITH RECURSIVE down (n, level) AS ("
    "SELECT w.n, 0 FROM wanted w WHERE w.kind = 1 AND NOT EXISTS"
    " (SELECT 1 FROM links l CROSS JOIN wanted m ON m.n = l.dest WHERE l.source = w.n AND l.relation = 2 AND m.kind = 1)"
    " UNION SELECT l.source, d.level + 1 FROM down d CROSS JOIN links l ON l.dest = d.n AND l.relation = 2 CROSS JOIN wanted r ON r.n = l.source AND r.kind = 1"
    " WHERE d.level < " DEPTH_MAX ") SELECT n, level FROM down WHERE true ON CONFLICT (n) DO UPDATE SET level = max(level, excluded.level)";

bool stage_levels(struct db *db, int *ret_levels, struct eb_err *err)
{
    return stage_bulk_end(db, err) && stage_run(db, "DELETE FROM levels", err) && stage_run(db, fill_levels, err) &&
           db_execute(db, NULL, err, "UPDATE wanted SET level = COALESCE((SELECT v.level FROM levels v WHERE v.n = wanted.n), 0)"
                      " WHERE kind = $1 AND level <> COALESCE((SELECT v.level FROM levels v WHERE v.n = wanted.n), 0)", DB_I(STAGE_USER)) &&
           stage_run(db, "DELETE FROM levels", err) && stage_level_count(db, ret_levels, err);
}

bool stage_level_count(struct db *db, int *ret_levels, struct eb_err *err)
{
    int64_t levels = 0;

    if (!db_number(db_query(db, err, "SELECT COALESCE(max(level) + 1, 0) FROM wanted WHERE kind = $1", DB_I(STAGE_USER)), &levels, err))
        return false;
    *ret_levels = (int)levels;
    return true;
}

bool stage_managers_missing(struct db *db, int64_t after, int limit, stage_wanted_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT w.n, w.kind, o.id, t.label FROM wanted w CROSS JOIN objects o ON o.n = w.n CROSS JOIN wanted_texts t ON t.n = w.n"
                                 " WHERE w.lacks_manager = 1 AND w.n > $1 ORDER BY w.n LIMIT $2", DB_I(after), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct stage_wanted){ .n = db_int(s, 0), .kind = (enum stage_kind)db_int(s, 1), .key = db_text(s, 2), .label = db_text(s, 3),
                                                 .lacks_manager = true });
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_managers_missing_count(struct db *db, int64_t *ret, struct eb_err *err)
{
    return db_number(db_prepare(db, "SELECT count(*) FROM wanted WHERE lacks_manager = 1", err), ret, err);
}
