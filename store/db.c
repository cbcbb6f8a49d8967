/* db.c - a connection: its driver, its prepared statements, its transaction.
 *
 * Statements are kept under the address of their text, so finding one again costs a hash of a pointer.
 * Invariant: a statement that still has rows is on the list `active`, and none is when a transaction ends: a forgotten
 * cursor would keep an old view of the database alive and let the WAL grow.
 * Owns: the driver's connection and every statement, and the position's keeper (db_close frees them).
 */
#include "store/db.h"

#include "base/text.h"
#include "store/driver.h"
#include "store/position.h"
#include "store/query.h"
#include "base/hashtable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#define HASH_NONFATAL_OOM 0

struct db_stmt {
    const char *sql;                /* the literal: its address is the key */
    struct db *db;
    void *handle;
    bool active, bind_failed;
    LIST_ENTRY(db_stmt) link;       /* while active */
    UT_hash_handle hh;
};

struct db {
    const struct db_driver *driver;
    void *conn;
    struct db_stmt *statements;
    LIST_HEAD(, db_stmt) active;
    struct position_keeper *position;   /* NULL: none is kept */
    int64_t begun;                      /* all_changes when the transaction began */
};

static const struct db_driver *const drivers[] = { &db_sqlite };

static const struct db_driver *find_driver(const char *url)
{
    for (size_t i = 0; i < EB_LEN(drivers); i++)
        if (strncmp(url, drivers[i]->scheme, strlen(drivers[i]->scheme)) == 0)
            return drivers[i];
    return NULL;
}

static bool fail_no_driver(struct eb_err *err)
{
    return eb_fail_field(err, EB_INVALID_REQUEST, "store",
                         "The store must be given as \"sqlite:\" and the path of a file. This build has no other database.");
}

bool db_is_served(const char *url, bool *ret, struct eb_err *err)
{
    const struct db_driver *driver = find_driver(url);

    return driver == NULL ? fail_no_driver(err) : driver->is_served(url + strlen(driver->scheme), ret, err);
}

bool db_connect(const struct db_driver *driver, const char *location, enum db_open_mode mode, struct db **ret, struct eb_err *err)
{
    struct db *db = eb_alloc(sizeof(*db));

    db->driver = driver;
    LIST_INIT(&db->active);
    if (driver->open(location, mode, &db->conn, err)) {
        *ret = db;
        return true;
    }
    free(db);
    return false;
}

bool db_open(const char *url, enum db_open_mode mode, struct db **ret, struct eb_err *err)
{
    const struct db_driver *driver = find_driver(url);

    if (driver == NULL)
        return fail_no_driver(err);
    struct db *db;
    if (!db_connect(driver, url + strlen(driver->scheme), mode, &db, err))
        return false;
    if (!db_migrate(db, err)) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

static void forget_statements(struct db *db)
{
    struct db_stmt *s, *next;

    HASH_ITER(hh, db->statements, s, next) {
        HASH_DEL(db->statements, s);
        db->driver->finalize(s->handle);
        free(s);
    }
    LIST_INIT(&db->active);
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    forget_statements(db);
    position_keeper_free(db->position);
    db->driver->close(db->conn);
    free(db);
}

bool db_reopen(struct db *db, struct eb_err *err)
{
    forget_statements(db);
    return db->driver->reopen(db->conn, err);
}

bool db_damaged(struct db *db)
{
    return db->driver->damaged(db->conn);
}

void db_discard(struct db *db)
{
    forget_statements(db);
    db->driver->discard(db->conn);
}

void db_stop(struct db_stmt *s)
{
    if (s->active)
        LIST_REMOVE(s, link);
    s->active = false;
    s->db->driver->reset(s->handle);
}

static void stop_all(struct db *db)
{
    struct db_stmt *s;

    while ((s = LIST_FIRST(&db->active)) != NULL)
        db_stop(s);
}

bool db_verb(struct db *db, enum db_verb verb, struct eb_err *err)
{
    if (verb != DB_SAVEPOINT)
        stop_all(db);
    return db->driver->verb(db->conn, verb, err);
}

bool db_in_transaction(struct db *db)
{
    return db->driver->in_transaction(db->conn);
}

bool db_follow(struct db *db, const char *directory, enum db_open_mode mode, struct eb_err *err)
{
    return position_follow(db, directory, mode == DB_SERVE, &db->position, err);
}

bool db_begin(struct db *db, struct eb_err *err)
{
    if (!position_may_change(db->position, err) || !db_verb(db, DB_BEGIN, err))
        return false;
    db->begun = db_all_changes(db);
    return true;
}

bool db_commit(struct db *db, struct eb_err *err)
{
    bool raised = db->position != NULL && db_all_changes(db) != db->begun;

    if ((raised && !position_raise(db, db->position, err)) || !db_verb(db, DB_COMMIT, err))
        return false;
    if (raised)
        position_committed(db->position);
    return true;
}

/* Fine where the database has rolled back by itself already. */
void db_rollback(struct db *db)
{
    stop_all(db);
    if (db_in_transaction(db))
        (void)!db->driver->verb(db->conn, DB_ROLLBACK, NULL);
}

bool db_transact(struct db *db, bool (*fn)(struct db *, void *, struct eb_err *), void *arg, struct eb_err *err)
{
    if (!db_begin(db, err))
        return false;
    if (fn(db, arg, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

bool db_others_version(struct db *db, int64_t *ret, struct eb_err *err)
{
    return db->driver->others_version(db->conn, ret, err);
}

bool db_state(struct db *db, enum db_state *ret, struct eb_err *err)
{
    return db->driver->state(db->conn, ret, err);
}

bool db_script(struct db *db, const char *sql, struct eb_err *err)
{
    return db->driver->script(db->conn, sql, err);
}

int64_t db_all_changes(struct db *db)
{
    return db->driver->all_changes(db->conn);
}

bool db_last_number(struct db *db, int64_t *ret, struct eb_err *err)
{
    return db->driver->last_number(db->conn, ret, err);
}

const struct db_word *db_words(const struct db *db)
{
    return db->driver->words;
}

struct db_stmt *db_prepare(struct db *db, const char *sql, struct eb_err *err)
{
    struct db_stmt *s;

    HASH_FIND_PTR(db->statements, &sql, s);
    if (s != NULL) {
        if (s->active)
            db_stop(s);
        s->bind_failed = false;
        return s;
    }
    void *handle = db->driver->prepare(db->conn, sql, err);
    if (handle == NULL)
        return NULL;
    s = eb_alloc(sizeof(*s));
    *s = (struct db_stmt){ .sql = sql, .db = db, .handle = handle };
    HASH_ADD_PTR(db->statements, sql, s);
    return s;
}

void db_bind_text(struct db_stmt *s, int index, const char *text)
{
    s->bind_failed |= !s->db->driver->bind_text(s->handle, index, text);
}

void db_bind_int(struct db_stmt *s, int index, int64_t value)
{
    s->bind_failed |= !s->db->driver->bind_int(s->handle, index, value);
}

void db_bind_blob(struct db_stmt *s, int index, const void *data, size_t len)
{
    s->bind_failed |= !s->db->driver->bind_blob(s->handle, index, data, len);
}

enum db_step db_step(struct db_stmt *s, struct eb_err *err)
{
    if (s->bind_failed) {
        (void)eb_fail(err, EB_INTERNAL, "The database did not take a value (no memory, or a text too long).");
        db_stop(s);
        return DB_FAILED;
    }
    enum db_step step = s->db->driver->step(s->db->conn, s->handle, err);
    if (step != DB_ROW) {
        db_stop(s);
    } else if (!s->active) {
        s->active = true;
        LIST_INSERT_HEAD(&s->db->active, s, link);
    }
    return step;
}

const char *db_text(struct db_stmt *s, int column)
{
    assert(s->active);
    return s->db->driver->text(s->handle, column);
}

int64_t db_int(struct db_stmt *s, int column)
{
    assert(s->active);
    return s->db->driver->integer(s->handle, column);
}

bool db_run(struct db_stmt *s, int64_t *ret_changed, struct eb_err *err)
{
    enum db_step step;

    while ((step = db_step(s, err)) == DB_ROW)
        ;
    if (step == DB_FAILED)
        return false;
    if (ret_changed != NULL)
        *ret_changed = s->db->driver->changes(s->db->conn);
    return true;
}
