/* stage_target.c - the target's objects, as they were read or written last; each under the id of the source that it stands for.
 *
 * Invariant: that id has a number in ids, be it known to the source or not (stage_object.c keeps it while there is a row here).
 */
#include "store/stage_rows.h"

#include <stdlib.h>

#define TEXT_UPSERT "INSERT INTO target_texts (n, attributes) VALUES ($1, $2) ON CONFLICT (n) DO UPDATE SET attributes = excluded.attributes" \
    " WHERE attributes IS NOT excluded.attributes"
#define ROW_UPSERT "INSERT INTO target (n, kind, active, doubt, left_ms, sent_ms, seen, object_id, object_key, hash)" \
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (n) DO UPDATE SET active = excluded.active, doubt = excluded.doubt," \
    " left_ms = excluded.left_ms, sent_ms = excluded.sent_ms, seen = excluded.seen, object_id = COALESCE(excluded.object_id, target.object_id), object_key = COALESCE(excluded.object_key, target.object_key)," \
    " hash = excluded.hash"

bool stage_target_put(struct db *db, const struct stage_target *t, int64_t generation, struct eb_err *err)
{
    struct stage_ref r;

    if (!stage_find_or_make(db, t->key, &r, err))
        return false;
    int64_t n = stage_target_number(r.n, t->kind);
    return db_execute(db, NULL, err, ROW_UPSERT, DB_I(n), DB_I(t->kind), DB_I(t->active), DB_I(t->doubt), DB_I(t->left_ms), DB_I(t->sent_ms), DB_I(generation),
                      DB_T(t->object_id), DB_T(t->object_key), DB_T(t->hash)) &&
           db_execute(db, NULL, err, TEXT_UPSERT, DB_I(n), DB_T(t->attributes));
}

bool stage_target_unsure(struct db *db, enum stage_kind kind, const char *key, struct eb_err *err)
{
    struct stage_ref r;

    return stage_find(db, key, &r, err) && db_execute(db, NULL, err, "UPDATE target SET hash = '' WHERE n = $1", DB_I(stage_target_number(r.n, kind)));
}

bool stage_target_remove(struct db *db, enum stage_kind kind, const char *key, struct eb_err *err)
{
    struct stage_ref r;

    if (!stage_find(db, key, &r, err))
        return false;
    int64_t n = stage_target_number(r.n, kind);
    return db_execute(db, NULL, err, "DELETE FROM target WHERE n = $1", DB_I(n)) && db_execute(db, NULL, err, "DELETE FROM target_texts WHERE n = $1", DB_I(n));
}

bool stage_target_forget_all(struct db *db, struct eb_err *err)
{
    return stage_run(db, "DELETE FROM target", err) && stage_run(db, "DELETE FROM target_texts", err);
}

#define TARGETS "SELECT t.n, t.kind, o.id, t.object_id, t.object_key, t.active, t.left_ms, t.doubt, t.sent_ms, t.hash, x.attributes" \
    " FROM target t CROSS JOIN objects o ON o.n = t.n / 4 CROSS JOIN target_texts x ON x.n = t.n WHERE "
#define PAGE " ORDER BY t.n LIMIT $2"

static bool each_target(struct db_stmt *s, stage_target_each *each, void *ctx, struct eb_err *err)
{
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct stage_target){ .n = db_int(s, 0), .kind = (enum stage_kind)db_int(s, 1), .key = db_text(s, 2), .object_id = db_text(s, 3),
                                                 .object_key = db_text(s, 4), .active = db_int(s, 5) != 0, .left_ms = db_int(s, 6),
                                                 .doubt = (enum stage_doubt)db_int(s, 7), .sent_ms = db_int(s, 8), .hash = db_text(s, 9),
                                                 .attributes = db_text(s, 10) });
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_target_get(struct db *db, enum stage_kind kind, const char *key, stage_target_each *each, void *ctx, struct eb_err *err)
{
    struct stage_ref r;

    return stage_find(db, key, &r, err) && (r.n == 0 || each_target(db_query(db, err, TARGETS "t.n = $1", DB_I(stage_target_number(r.n, kind))), each, ctx, err));
}

bool stage_target_in_doubt(struct db *db, int64_t after, int limit, stage_target_each *each, void *ctx, struct eb_err *err)
{
    return each_target(db_query(db, err, TARGETS "t.doubt <> 0 AND t.n > $1" PAGE, DB_I(after), DB_I(limit)), each, ctx, err);
}

bool stage_target_unseen(struct db *db, int64_t generation, int64_t after, int limit, stage_target_each *each, void *ctx, struct eb_err *err)
{
    return each_target(db_query(db, err, TARGETS "t.n > $1 AND t.seen < $3" PAGE, DB_I(after), DB_I(limit), DB_I(generation)), each, ctx, err);
}

bool stage_target_object_key(struct db *db, enum stage_kind kind, const char *key, char **ret, struct eb_err *err)
{
    struct stage_ref r;

    *ret = NULL;
    return stage_find(db, key, &r, err) &&
           db_copy_first(db_query(db, err, "SELECT object_key FROM target WHERE n = $1 AND doubt = 0", DB_I(stage_target_number(r.n, kind))), ret, err);
}

/* Two objects of one key there are none; should the target say so, the older name wins. */
bool stage_target_key_of(struct db *db, enum stage_kind kind, const char *object_key, char **ret, struct eb_err *err)
{
    return db_copy_first(db_query(db, err, "SELECT o.id FROM target t CROSS JOIN objects o ON o.n = t.n / 4 WHERE t.object_key = $1 AND t.kind = $2 AND t.doubt = 0"
                             " ORDER BY t.n LIMIT 1", DB_T(object_key), DB_I(kind)), ret, err);
}

bool stage_target_count(struct db *db, enum stage_kind kind, bool active_only, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) FROM target WHERE kind = $1 AND active >= $2", DB_I(kind), DB_I(active_only)), ret, err);
}
