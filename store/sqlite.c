/* sqlite.c - the SQLite driver: db_driver's functions over one sqlite3 connection.
 *
 * Values are bound without a copy: db.h asks that they live until the last step. Opening stands in sqlite_open.c.
 */
#include "store/sqlite.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct db_word words[] = {
    { "int", "INTEGER" }, { "serial", "INTEGER PRIMARY KEY" }, { "table", "STRICT" }, { "keyed", "STRICT, WITHOUT ROWID" }, { NULL, NULL },
};

/* The connection could not be reopened after a failure (the next attempt may succeed), or its file was thrown away as damaged. */
static bool fail_closed(struct sqlite_conn *c, struct eb_err *err)
{
    return sqlite_fail(c, c->damaged ? SQLITE_CORRUPT : SQLITE_CANTOPEN, __func__, err);
}

static bool state(void *conn, enum db_state *ret, struct eb_err *err)
{
    struct sqlite_conn *c = conn;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(c->handle, "SELECT count(*), count(CASE WHEN name = 'schema_version' THEN 1 END) FROM sqlite_schema", -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool ok = rc == SQLITE_ROW || sqlite_fail(c, rc, __func__, err);
    if (ok)
        *ret = sqlite3_column_int(s, 1) > 0 ? DB_OURS : sqlite3_column_int(s, 0) > 0 ? DB_FOREIGN : DB_EMPTY;
    sqlite3_finalize(s);
    return ok;
}

static bool verb(void *conn, enum db_verb v, struct eb_err *err)
{
    struct sqlite_conn *c = conn;

    if (c->handle == NULL)
        return fail_closed(c, err);
    int rc = sqlite3_step(c->verbs[v]);
    bool ok = rc == SQLITE_DONE || sqlite_fail(c, rc, __func__, err);
    sqlite3_reset(c->verbs[v]);
    return ok;
}

static bool in_transaction(void *conn)
{
    struct sqlite_conn *c = conn;

    return c->handle != NULL && !sqlite3_get_autocommit(c->handle);
}

static bool damaged(void *conn)
{
    return ((struct sqlite_conn *)conn)->damaged;
}

static bool script(void *conn, const char *sql, struct eb_err *err)
{
    struct sqlite_conn *c = conn;
    int rc = sqlite3_exec(c->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK || sqlite_fail(c, rc, __func__, err);
}

static bool others_version(void *conn, int64_t *ret, struct eb_err *err)
{
    struct sqlite_conn *c = conn;

    if (c->handle == NULL)
        return fail_closed(c, err);
    int rc = sqlite3_step(c->data_version);
    bool ok = rc == SQLITE_ROW || sqlite_fail(c, rc, __func__, err);
    if (ok)
        *ret = sqlite3_column_int64(c->data_version, 0);
    sqlite3_reset(c->data_version);
    return ok;
}

/* To SQLite "$1" is a name, numbered by where it stands; "?1" is a number. */
static char *number_parameters(const char *sql)
{
    char *text = eb_strdup(sql);

    for (char *p = text; (p = strchr(p, '$')) != NULL;)
        *p = '?';
    return text;
}

static void *prepare(void *conn, const char *sql, struct eb_err *err)
{
    struct sqlite_conn *c = conn;
    sqlite3_stmt *s = NULL;

    if (c->handle == NULL) {
        (void)fail_closed(c, err);
        return NULL;
    }
    char *numbered = number_parameters(sql);
    int rc = sqlite3_prepare_v3(c->handle, numbered, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);
    free(numbered);
    if (rc != SQLITE_OK)
        (void)sqlite_fail(c, rc, __func__, err);
    return s;
}

static void finalize(void *stmt)
{
    sqlite3_finalize(stmt);
}

static void reset(void *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
}

static bool bind_text(void *stmt, int index, const char *text)
{
    if (text == NULL)
        return sqlite3_bind_null(stmt, index) == SQLITE_OK;
    return sqlite3_bind_text64(stmt, index, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

static bool bind_int(void *stmt, int index, int64_t value)
{
    return sqlite3_bind_int64(stmt, index, value) == SQLITE_OK;
}

static bool bind_blob(void *stmt, int index, const void *data, size_t len)
{
    return sqlite3_bind_blob64(stmt, index, data, len, SQLITE_STATIC) == SQLITE_OK;
}

static enum db_step step(void *conn, void *stmt, struct eb_err *err)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW)
        return DB_ROW;
    if (rc == SQLITE_DONE)
        return DB_DONE;
    (void)sqlite_fail(conn, rc, __func__, err);
    return DB_FAILED;
}

/* Without memory SQLite gives NULL for a value that is none; the next step then fails. Readers must not mistake it for null. */
static const char *text(void *stmt, int column)
{
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return NULL;
    const unsigned char *value = sqlite3_column_text(stmt, column);
    return value != NULL ? (const char *)value : "";
}

static int64_t integer(void *stmt, int column)
{
    return sqlite3_column_int64(stmt, column);
}

static int64_t changes(void *conn)
{
    return sqlite3_changes64(((struct sqlite_conn *)conn)->handle);
}

static int64_t all_changes(void *conn)
{
    struct sqlite_conn *c = conn;

    return c->handle != NULL ? sqlite3_total_changes64(c->handle) : 0;
}

static bool last_number(void *conn, int64_t *ret, struct eb_err *err)
{
    (void)err;
    *ret = sqlite3_last_insert_rowid(((struct sqlite_conn *)conn)->handle);
    return true;
}

const struct db_driver db_sqlite = {
    .scheme = "sqlite:", .words = words,
    .open = sqlite_conn_open, .is_served = sqlite_is_served, .close = sqlite_conn_close, .reopen = sqlite_conn_reopen,
    .damaged = damaged, .discard = sqlite_conn_discard,
    .state = state, .verb = verb, .in_transaction = in_transaction, .script = script, .others_version = others_version,
    .prepare = prepare, .finalize = finalize, .reset = reset,
    .bind_text = bind_text, .bind_int = bind_int, .bind_blob = bind_blob,
    .step = step, .text = text, .integer = integer, .changes = changes, .all_changes = all_changes, .last_number = last_number,
};
