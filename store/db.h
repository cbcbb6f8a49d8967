/* db.h - one database connection, behind a table of driver functions (SQLite now, PostgreSQL follows).
 *
 * SQL is written in the subset that both share: $1 parameters, ON CONFLICT, RETURNING, TEXT/BIGINT columns,
 * no AUTOINCREMENT, no PRAGMA outside the driver. Only the files of store/ contain SQL.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/error.h"

#include <stdint.h>

struct db;
struct db_stmt;

/* DB_SERVE takes the exclusive lock of a running service. The last two are for staging files, through the functions below and in store.h: DB_STAGE takes the
 * lock of a running synchronization and makes the file where there is none; DB_STAGE_READ refuses every change, also db_begin(). */
enum db_open_mode { DB_SERVE, DB_TOOL, DB_STAGE, DB_STAGE_READ, DB_OPEN_MODES };

bool db_open(const char *url, enum db_open_mode mode, struct db **ret, struct eb_err *err) EB_CHECK;
void db_close(struct db *db);
/* From now on each commit that changes something raises the database's position, here and in the directory of keys (store/position.h). A service is refused where
 * the database is an older copy or another one; else every db_begin() is, so that a program beside may look at it and not change it. */
bool db_follow(struct db *db, const char *directory, enum db_open_mode mode, struct eb_err *err) EB_CHECK;
/* Does a service run on this store now? */
bool db_is_served(const char *url, bool *ret, struct eb_err *err) EB_CHECK;

/* A staging file (store/stage.h), for reading it in a command-line program; EB_NOT_THERE: there is none, or of another version, or damaged. Without a
 * transaction: each reading function sees what is committed when it begins. */
bool db_open_stage(const char *path, struct db **ret, struct eb_err *err) EB_CHECK;
/* The same file for working on it without a thread: locked, and made anew where need be, as store_open_stage() says. */
bool db_open_staging(const char *path, struct db **ret, struct eb_err *err) EB_CHECK;

bool db_begin(struct db *db, struct eb_err *err) EB_CHECK;        /* takes the write lock at once */
bool db_commit(struct db *db, struct eb_err *err) EB_CHECK;
void db_rollback(struct db *db);
/* For a command-line program: runs fn in a transaction of its own. */
bool db_transact(struct db *db, bool (*fn)(struct db *, void *, struct eb_err *), void *arg, struct eb_err *err) EB_CHECK;

/* sql is a string literal: the prepared statement is kept under its address. Returned reset and unbound. NULL: err is set. */
struct db_stmt *db_prepare(struct db *db, const char *sql, struct eb_err *err);
void db_bind_text(struct db_stmt *s, int index, const char *text);     /* NULL binds null; the text must live until the last step */
void db_bind_int(struct db_stmt *s, int index, int64_t value);
void db_bind_blob(struct db_stmt *s, int index, const void *data, size_t len);
enum db_step { DB_ROW, DB_DONE, DB_FAILED };
enum db_step db_step(struct db_stmt *s, struct eb_err *err);
const char *db_text(struct db_stmt *s, int column);     /* borrowed until the next step; NULL for null */
int64_t db_int(struct db_stmt *s, int column);
/* Leaves the remaining rows unread. A statement that gave a row and was not stepped to its end or stopped keeps an old view of the database alive
 * until the transaction ends. */
void db_stop(struct db_stmt *s);
/* Runs a statement that returns no rows. *ret_changed (may be NULL): rows changed. */
bool db_run(struct db_stmt *s, int64_t *ret_changed, struct eb_err *err) EB_CHECK;

#endif
