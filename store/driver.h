/* driver.h - what a database must offer: a table of functions, one table a database. Only files of store/ include this.
 *
 * A connection and a statement are the driver's own; db.c carries them as untyped pointers and never looks inside.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/db.h"

enum db_verb { DB_BEGIN, DB_BEGIN_EXCLUSIVE, DB_COMMIT, DB_ROLLBACK, DB_SAVEPOINT, DB_RELEASE, DB_ROLLBACK_TO, DB_VERB_COUNT };
enum db_state { DB_EMPTY, DB_OURS, DB_FOREIGN };    /* no tables; our schema_version is there; only somebody else's tables */

/* What the migrations leave open: "{int}" in their text becomes the driver's word for it, and so on. */
struct db_word { const char *name, *text; };

struct db_driver {
    const char *scheme;                 /* "sqlite:" */
    const struct db_word *words;        /* ended by a NULL name */
    bool (*open)(const char *location, enum db_open_mode mode, void **ret_conn, struct eb_err *err);
    bool (*is_served)(const char *location, bool *ret, struct eb_err *err);
    void (*close)(void *conn);          /* all statements are finalized before */
    /* Puts a connection in doubt on its feet again; a serve lock stays held. Statements are finalized before. false: it can only be reopened or closed. */
    bool (*reopen)(void *conn, struct eb_err *err);
    bool (*damaged)(void *conn);        /* has any call found that the file is no database, or not a whole one? */
    /* Deletes the database and closes the connection; a lock stays held. For a staging file only: the next reopen makes it anew. */
    void (*discard)(void *conn);
    bool (*state)(void *conn, enum db_state *ret, struct eb_err *err);
    bool (*verb)(void *conn, enum db_verb verb, struct eb_err *err);
    bool (*in_transaction)(void *conn);
    bool (*script)(void *conn, const char *sql, struct eb_err *err);    /* several statements, no parameters */
    bool (*others_version)(void *conn, int64_t *ret, struct eb_err *err);   /* a number that changes when another connection has committed */
    void *(*prepare)(void *conn, const char *sql, struct eb_err *err);
    void (*finalize)(void *stmt);
    void (*reset)(void *stmt);          /* lets go of rows and locks; the bindings go as well */
    bool (*bind_text)(void *stmt, int index, const char *text);         /* false: no memory, or no such parameter */
    bool (*bind_int)(void *stmt, int index, int64_t value);
    bool (*bind_blob)(void *stmt, int index, const void *data, size_t len);
    enum db_step (*step)(void *conn, void *stmt, struct eb_err *err);
    const char *(*text)(void *stmt, int column);
    int64_t (*integer)(void *stmt, int column);
    int64_t (*changes)(void *conn);     /* rows changed by the statement that has just ended */
    int64_t (*all_changes)(void *conn); /* rows changed since the connection was opened: grows when a statement changes something */
    bool (*last_number)(void *conn, int64_t *ret, struct eb_err *err);      /* the {serial} of the row inserted last */
};

extern const struct db_driver db_sqlite;

/* Brings an empty or older database to this program's version; refuses a newer one and somebody else's. */
bool db_migrate(struct db *db, struct eb_err *err) EB_CHECK;

/* Opens without looking what is in it. */
bool db_connect(const struct db_driver *driver, const char *location, enum db_open_mode mode, struct db **ret, struct eb_err *err) EB_CHECK;

/* For store.c, migrations.c and stage_open.c: beyond db.h. */
bool db_verb(struct db *db, enum db_verb verb, struct eb_err *err) EB_CHECK;
bool db_in_transaction(struct db *db);
bool db_reopen(struct db *db, struct eb_err *err) EB_CHECK;
bool db_damaged(struct db *db);
void db_discard(struct db *db);
bool db_others_version(struct db *db, int64_t *ret, struct eb_err *err) EB_CHECK;
bool db_state(struct db *db, enum db_state *ret, struct eb_err *err) EB_CHECK;
bool db_script(struct db *db, const char *sql, struct eb_err *err) EB_CHECK;
int64_t db_all_changes(struct db *db);
const struct db_word *db_words(const struct db *db);

#endif
