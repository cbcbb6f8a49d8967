/* stage_scope.c - what is to be judged anew, what is in scope, and who is in the groups that the scope names. */
#include "store/stage_rows.h"

bool stage_dirty_each(struct db *db, enum stage_kind kind, int64_t after, int limit, stage_object_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT o.n, o.id, r.raw, o.mail, o.upn, o.in_scope FROM dirty d CROSS JOIN objects o ON o.n = d.n"
                                 " CROSS JOIN raws r ON r.n = d.n WHERE d.kind = $1 AND d.n > $2 ORDER BY d.n LIMIT $3", DB_I(kind), DB_I(after), DB_I(limit));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct stage_object){ .n = db_int(s, 0), .kind = kind, .id = db_text(s, 1), .raw = db_text(s, 2), .mail = db_text(s, 3),
                                                 .upn = db_text(s, 4), .in_scope = db_int(s, 5) != 0 });
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_dirty_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) FROM dirty WHERE kind = $1", DB_I(kind)), ret, err);
}

bool stage_dirty_all(struct db *db, struct eb_err *err)
{
    return db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT kind, n FROM objects WHERE kind <> $1 ORDER BY kind, n", DB_I(STAGE_UNKNOWN)) &&
           stage_run(db, "INSERT OR IGNORE INTO all_dirty (one) VALUES (1)", err);
}

bool stage_clean(struct db *db, enum stage_kind kind, int64_t after, int64_t through, struct eb_err *err)
{
    return stage_tell_news(db, err) && stage_run(db, "DELETE FROM all_dirty", err) &&
           db_execute(db, NULL, err, "DELETE FROM dirty WHERE kind = $1 AND n > $2 AND n <= $3", DB_I(kind), DB_I(after), DB_I(through));
}

/* ---- news ---- */

bool stage_tell_news(struct db *db, struct eb_err *err)
{
    return stage_run(db, "INSERT OR IGNORE INTO news (one) VALUES (1)", err);
}

bool stage_news(struct db *db, bool *ret, struct eb_err *err)
{
    return db_exists(db_prepare(db, "SELECT 1 FROM news", err), ret, err);
}

bool stage_news_taken(struct db *db, struct eb_err *err)
{
    return stage_run(db, "DELETE FROM news", err);
}

/* ---- scope ---- */

bool stage_scope_set(struct db *db, int64_t n, bool in_scope, struct eb_err *err)
{
    int64_t changed = 0;

    return db_execute(db, &changed, err, "UPDATE objects SET in_scope = $2 WHERE n = $1 AND in_scope <> $2 AND kind <> 0", DB_I(n), DB_I(in_scope)) &&
           (changed == 0 || stage_mark_neighbours(db, n, err));
}

static bool put_groups(struct db *db, const char *const *ids, size_t count, struct eb_err *err)
{
    if (!stage_run(db, "DELETE FROM group_numbers", err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct stage_ref r;
        if (!stage_find(db, ids[i], &r, err) || (r.n != 0 && !db_execute(db, NULL, err, "INSERT OR IGNORE INTO group_numbers (n) VALUES ($1)", DB_I(r.n))))
            return false;
    }
    return true;
}

/* A group that is reached again adds nothing, so that circles end. A group is in itself only where one of its members leads back to it. */
#define REACHED "WITH RECURSIVE reached (n) AS (SELECT n FROM group_numbers UNION SELECT l.dest FROM reached g CROSS JOIN links l ON l.source = g.n AND l.relation = 0)"

bool stage_groups_set(struct db *db, const char *const *ids, size_t count, struct eb_err *err)
{
    return put_groups(db, ids, count, err) && stage_run(db, "DELETE FROM in_groups_next", err) &&
           db_execute(db, NULL, err, "INSERT OR IGNORE INTO in_groups_next (n) " REACHED " SELECT l.dest FROM reached g CROSS JOIN links l ON l.source = g.n"
                      " AND l.relation = $1", DB_I(STAGE_MEMBER)) &&
           db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM in_groups_next i CROSS JOIN objects o ON o.n = i.n"
                      " WHERE i.n NOT IN (SELECT n FROM in_groups) AND o.kind <> $1", DB_I(STAGE_UNKNOWN)) &&
           db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM in_groups i CROSS JOIN objects o ON o.n = i.n"
                      " WHERE i.n NOT IN (SELECT n FROM in_groups_next) AND o.kind <> $1", DB_I(STAGE_UNKNOWN)) &&
           stage_run(db, "DELETE FROM in_groups WHERE n NOT IN (SELECT n FROM in_groups_next)", err) &&
           stage_run(db, "INSERT OR IGNORE INTO in_groups (n) SELECT n FROM in_groups_next", err);
}

bool stage_in_groups(struct db *db, int64_t n, bool *ret, struct eb_err *err)
{
    return db_exists(db_query(db, err, "SELECT 1 FROM in_groups WHERE n = $1", DB_I(n)), ret, err);
}
