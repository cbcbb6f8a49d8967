/* sqlite.h - shared by the two files of the SQLite driver; nobody else includes it. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/driver.h"

#include <sqlite3.h>

struct sqlite_options;              /* what the mode of opening asks for: sqlite_open.c */

struct sqlite_conn {
    sqlite3 *handle;                /* NULL after a reopening that failed, and after a discarding */
    const struct sqlite_options *options;
    char *path;
    int lock_fd;                    /* "<path>.lock", held while a service or a synchronization runs; -1: a tool */
    bool damaged;                   /* what was read is no database, or not a whole one */
    sqlite3_stmt *verbs[DB_VERB_COUNT], *data_version;
};

bool sqlite_conn_open(const char *path, enum db_open_mode mode, void **ret_conn, struct eb_err *err) EB_CHECK;
bool sqlite_conn_reopen(void *conn, struct eb_err *err) EB_CHECK;
void sqlite_conn_discard(void *conn);
void sqlite_conn_close(void *conn);
bool sqlite_is_served(const char *path, bool *ret, struct eb_err *err) EB_CHECK;
/* What the result code means to whoever runs the service, and what to do. Returns false. */
bool sqlite_fail(struct sqlite_conn *c, int rc, const char *where, struct eb_err *err);

#endif
