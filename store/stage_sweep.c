/* stage_sweep.c - a full read from its beginning to its end: some indexes left out for a while, and what was not seen goes.
 *
 * Only the first full read goes without these indexes: later ones change little, and keep them. Everything is dirty at its end, which is why nothing needs
 * to look for neighbours before.
 */
#include "store/stage_rows.h"

#include "store/driver.h"

#include <stdlib.h>

bool stage_in_bulk(struct db *db, bool *ret, struct eb_err *err)
{
    return db_exists(db_prepare(db, "SELECT 1 FROM bulk", err), ret, err);
}

bool stage_bulk_begin(struct db *db, struct eb_err *err)
{
    bool known, bulk;

    if (!stage_in_bulk(db, &bulk, err) || !db_exists(db_prepare(db, "SELECT 1 FROM objects WHERE kind <> 0 LIMIT 1", err), &known, err))
        return false;
    if (known || bulk)                  /* bulk: it goes on where another process was killed */
        return true;
    return db_script(db, "DROP INDEX IF EXISTS links_dest; DROP INDEX IF EXISTS objects_mail; DROP INDEX IF EXISTS objects_upn; INSERT INTO bulk (one) VALUES (1);", err) &&
           db_exists(db_prepare(db, "SELECT 1 FROM accounts LIMIT 1", err), &known, err) && (known || db_script(db, "DROP INDEX IF EXISTS accounts_mail;", err));
}

bool stage_bulk_end(struct db *db, struct eb_err *err)
{
    bool bulk;

    if (!stage_in_bulk(db, &bulk, err))
        return false;
    return !bulk || (db_script(db, STAGE_INDEXES "DELETE FROM bulk;", err) && stage_dirty_all(db, err));
}

/* The statements for the relations that begin at a kind: the ends where they show become dirty, then the links go. */
static const struct sweep { enum stage_kind kind; enum stage_relation relation; bool at_dest; } sweeps[] = {
    { STAGE_GROUP, STAGE_MEMBER, true }, { STAGE_GROUP, STAGE_OWNER, true }, { STAGE_USER, STAGE_MANAGER, false },
};

static bool sweep_links(struct db *db, const struct sweep *w, int64_t generation, struct eb_err *err)
{
    bool marked = w->at_dest
        ? db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM links l CROSS JOIN objects o ON o.n = l.dest"
                     " WHERE l.relation = $1 AND l.seen < $2 AND o.kind <> 0", DB_I(w->relation), DB_I(generation))
        : db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM links l CROSS JOIN objects o ON o.n = l.source"
                     " WHERE l.relation = $1 AND l.seen < $2 AND o.kind <> 0", DB_I(w->relation), DB_I(generation));

    return marked && db_execute(db, NULL, err, "DELETE FROM links WHERE relation = $1 AND seen < $2", DB_I(w->relation), DB_I(generation));
}

/* A statement that gives a number and an id, for the first of what is to go. *ret_id: the caller's; NULL: there is none. */
static bool next(struct db_stmt *s, int64_t *ret_n, char **ret_id, struct eb_err *err)
{
    bool found;

    *ret_id = NULL;
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret_n = db_int(s, 0);
    *ret_id = db_copy(s, 1);
    return db_run(s, NULL, err);
}

static bool sweep_objects(struct db *db, enum stage_kind kind, int64_t generation, int64_t *ret_removed, struct eb_err *err)
{
    struct stage_ref r = { 0, kind };
    bool ok = true;
    char *id;

    while (ok && (ok = next(db_query(db, err, "SELECT n, id FROM objects WHERE n > $3 AND kind = $1 AND seen < $2 ORDER BY n LIMIT 1", DB_I(kind),
                                     DB_I(generation), DB_I(r.n)), &r.n, &id, err)) && id != NULL) {
        ok = stage_remove(db, r, id, generation, err);
        *ret_removed += ok;
        free(id);
    }
    return ok;
}

/* Names of what was never read, and that nothing uses any more. */
static bool sweep_names(struct db *db, struct eb_err *err)
{
    int64_t n = 0;
    bool ok = true;
    char *id;

    while (ok && (ok = next(db_query(db, err, "SELECT n, id FROM objects o WHERE n > $1 AND kind = 0 AND NOT EXISTS (SELECT 1 FROM links WHERE dest = o.n)"
                                     " AND NOT EXISTS (SELECT 1 FROM links WHERE source = o.n)"
                                     " AND NOT EXISTS (SELECT 1 FROM target WHERE n BETWEEN o.n * 4 AND o.n * 4 + 3) ORDER BY n LIMIT 1", DB_I(n)),
                            &n, &id, err)) && id != NULL) {
        ok = stage_forget(db, n, id, err);
        free(id);
    }
    return ok;
}

bool stage_sweep(struct db *db, enum stage_kind kind, int64_t generation, int64_t *ret_removed, struct eb_err *err)
{
    int64_t removed = 0;
    bool bulk;

    if (kind != STAGE_UNKNOWN && !sweep_objects(db, kind, generation, &removed, err))      /* before links: its neighbours are known by them */
        return false;
    for (size_t i = 0; i < EB_LEN(sweeps); i++)
        if (sweeps[i].kind == kind && !sweep_links(db, &sweeps[i], generation, err))
            return false;
    if (!stage_in_bulk(db, &bulk, err) || (!bulk && !sweep_names(db, err)))
        return false;
    if (ret_removed != NULL)
        *ret_removed = removed;
    return true;
}

/* ---- who is to be asked for before it is swept ---- */

#define UNSEEN "FROM objects WHERE kind = 1 AND seen < $1 AND upn IS NOT NULL"

bool stage_users_unseen(struct db *db, int64_t generation, bool scope_only, int64_t after, int limit, stage_unseen_user *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT n, id " UNSEEN " AND n > $2 AND in_scope >= $4 ORDER BY n LIMIT $3", DB_I(generation), DB_I(after), DB_I(limit),
                                 DB_I(scope_only));
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, db_int(s, 0), db_text(s, 1));
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_users_unseen_count(struct db *db, int64_t generation, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) " UNSEEN, DB_I(generation)), ret, err);
}

bool stage_users_seen_count(struct db *db, int64_t generation, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, "SELECT count(*) FROM objects WHERE kind = $2 AND seen >= $1", DB_I(generation), DB_I(STAGE_USER)), ret, err);
}
