/* token_table.c - issued tokens, by id. */
#include "store/token_table.h"

#include "store/query.h"

bool token_insert(struct db *db, const struct token_row *t, struct eb_err *err)
{
    return db_execute(db, NULL, err,
        "INSERT INTO tokens (id, name, operations, projects, expires_ms, created_ms, revoked_ms, reveal_secrets)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        DB_T(t->id), DB_T(t->name), DB_T(t->operations), DB_T(t->projects), DB_I(t->expires_ms), DB_I(t->created_ms), DB_I(t->revoked_ms),
        DB_I(t->reveal_secrets));
}

bool token_list(struct db *db, token_each *each, void *ctx, struct eb_err *err)
{
    struct db_stmt *s = db_prepare(db, "SELECT id, name, operations, projects, expires_ms, created_ms, revoked_ms, reveal_secrets FROM tokens"
                                   " ORDER BY created_ms, id", err);
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW) {
        struct token_row t = { .id = db_text(s, 0), .name = db_text(s, 1), .operations = db_text(s, 2), .projects = db_text(s, 3),
                               .expires_ms = db_int(s, 4), .created_ms = db_int(s, 5), .revoked_ms = db_int(s, 6), .reveal_secrets = db_int(s, 7) != 0 };
        more = each(ctx, &t);
    }
    db_stop(s);
    return step != DB_FAILED;
}

bool token_known(struct db *db, const char *id, bool *ret, struct eb_err *err)
{
    return db_exists(db_query(db, err, "SELECT id FROM tokens WHERE id = $1", DB_T(id)), ret, err);
}

/* Expired ones are marked as well, but do not count: they were not valid before. */
bool token_revoke(struct db *db, const char *id_or_name, int64_t now_ms, int64_t *ret_count, struct eb_err *err)
{
    *ret_count = 0;
    return db_number(db_query(db, err, "SELECT count(*) FROM tokens WHERE (id = $1 OR name = $1) AND revoked_ms = 0 AND expires_ms > $2",
                              DB_T(id_or_name), DB_I(now_ms)), ret_count, err) &&
           db_execute(db, NULL, err, "UPDATE tokens SET revoked_ms = $2 WHERE (id = $1 OR name = $1) AND revoked_ms = 0",
                      DB_T(id_or_name), DB_I(now_ms));
}
