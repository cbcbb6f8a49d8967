/* secret_table.c - secrets that operations have made, sealed, until they were shown or have expired.
 *
 * Invariant: a sealed value leaves the table in the same transaction that says that it was opened: no crash shows it twice.
 */
#include "store/secret_table.h"

#include "base/text.h"
#include "store/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, operation, what, sealed, link_hash, created_ms, expires_ms, opened_ms"
#define HASH_COLUMN 4

void secret_row_clear(struct secret_row *r)
{
    free(r->operation);
    free(r->what);
    eb_wipe_free(r->sealed);
    *r = (struct secret_row){ 0 };
}

static void row_read(struct db_stmt *s, struct secret_row *ret)
{
    *ret = (struct secret_row){
        .operation = db_copy(s, 1), .what = db_copy(s, 2), .sealed = db_copy(s, 3), .linked = db_text(s, HASH_COLUMN) != NULL,
        .created_ms = db_int(s, 5), .expires_ms = db_int(s, 6), .opened_ms = db_int(s, 7),
    };
    snprintf(ret->id, sizeof(ret->id), "%s", db_text(s, 0));
}

/* The id changes too: whoever has seen an earlier link knows nothing about this one. */
bool secret_put(struct db *db, const char *operation, const char *what, const char *sealed, int64_t now_ms, int64_t expires_ms, struct eb_err *err)
{
    char id[EB_ID_LEN];

    eb_uuid4(id);
    return db_execute(db, NULL, err, "INSERT INTO secrets (id, operation, what, sealed, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)"
                      " ON CONFLICT (operation, what) DO UPDATE SET id = excluded.id, sealed = excluded.sealed, link_hash = NULL,"
                      " created_ms = excluded.created_ms, expires_ms = excluded.expires_ms, opened_ms = 0",
                      DB_T(id), DB_T(operation), DB_T(what), DB_T(sealed), DB_I(now_ms), DB_I(expires_ms));
}

bool secret_get(struct db *db, const char *operation, const char *what, struct secret_row *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM secrets WHERE operation = $1 AND what = $2", DB_T(operation), DB_T(what));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return eb_fail(err, EB_NOT_THERE, "The operation has made no such secret, or it is forgotten.");
    row_read(s, ret);
    return db_run(s, NULL, err);
}

bool secret_link(struct db *db, const char *operation, const char *what, const char key_hash[EB_HEX_LEN], int64_t expires_ms,
                 char ret_id[EB_ID_LEN], struct eb_err *err)
{
    struct secret_row row;
    int64_t n = 0;

    if (!db_execute(db, &n, err, "UPDATE secrets SET link_hash = $3, expires_ms = $4 WHERE operation = $1 AND what = $2 AND sealed IS NOT NULL",
                    DB_T(operation), DB_T(what), DB_T(key_hash), DB_I(expires_ms)))
        return false;
    if (n != 1)
        return eb_fail(err, EB_NOT_THERE, "The operation has no such secret to show: it was opened, or is forgotten.");
    if (!secret_get(db, operation, what, &row, err))
        return false;
    memcpy(ret_id, row.id, EB_ID_LEN);
    secret_row_clear(&row);
    return true;
}

/* Each check is made, whatever the others say: how long it takes tells nothing. */
static bool is_open_to(const struct secret_row *r, const char *stored, const char *given, int64_t now_ms)
{
    static const char none[EB_HEX_LEN];
    bool has = stored != NULL && strlen(stored) == EB_HEX_LEN - 1;
    bool same = eb_equal_ct(has ? stored : none, given, EB_HEX_LEN - 1);

    return (int)has & (int)same & (int)(r->sealed != NULL) & (int)(r->opened_ms == 0) & (int)(now_ms < r->expires_ms);
}

bool secret_look(struct db *db, const char *id, const char key_hash[EB_HEX_LEN], int64_t now_ms, struct secret_row *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT " COLUMNS " FROM secrets WHERE id = $1", DB_T(id));
    struct secret_row row = { 0 };
    bool found;

    if (!db_first(s, &found, err))
        return false;
    if (found)
        row_read(s, &row);
    bool good = is_open_to(&row, found ? db_text(s, HASH_COLUMN) : NULL, key_hash, now_ms);
    if (found && !db_run(s, NULL, err)) {
        secret_row_clear(&row);
        return false;
    }
    if (good) {
        *ret = row;
        return true;
    }
    secret_row_clear(&row);
    return eb_fail(err, EB_NOT_THERE, "This link opens nothing: it was used, has expired, or never was one.");
}

bool secret_open(struct db *db, const char *id, const char key_hash[EB_HEX_LEN], int64_t now_ms, struct secret_row *ret, struct eb_err *err)
{
    struct secret_row row = { 0 };
    int64_t n = 0;

    if (!secret_look(db, id, key_hash, now_ms, &row, err))
        return false;
    if (db_execute(db, &n, err, "UPDATE secrets SET sealed = NULL, opened_ms = $2 WHERE id = $1 AND opened_ms = 0", DB_T(id), DB_I(now_ms)) &&
        (n == 1 || eb_fail(err, EB_NOT_THERE, "This link opens nothing any more."))) {
        *ret = row;
        ret->opened_ms = now_ms;
        return true;
    }
    secret_row_clear(&row);
    return false;
}

bool secret_remove(struct db *db, const char *operation, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM secrets WHERE operation = $1", DB_T(operation));
}

bool secret_forget(struct db *db, int64_t now_ms, int most, int64_t *ret_gone, struct eb_err *err)
{
    return db_execute(db, ret_gone, err, "DELETE FROM secrets WHERE id IN (SELECT s.id FROM secrets s WHERE s.expires_ms <= $1 AND NOT EXISTS ("
                      "SELECT 1 FROM operations o JOIN open_operations p ON p.operation = o.number WHERE o.id = s.operation)"
                      " ORDER BY s.expires_ms LIMIT $2)", DB_I(now_ms), DB_I(most));
}
