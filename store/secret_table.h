/* secret_table.h - secrets that operations have made: sealed, one row an operation and kind, until they were shown or have expired.
 *
 * A link to a secret has two parts, the row's id and a key of which only the hash stands here. Opened once: the sealed value goes in the
 * transaction that says so, and the row stays until it expires, without it. All functions run inside the caller's transaction.
 */
#ifndef STORE_SECRET_TABLE_H
#define STORE_SECRET_TABLE_H

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

#include <stdint.h>

struct db;

struct secret_row {                 /* strings are the row's: secret_row_clear() */
    char id[EB_ID_LEN];             /* the link's first part; says nothing about the operation */
    char *operation, *what;         /* what: "password", "temporaryAccessPass" */
    char *sealed;                   /* NULL once it was opened */
    bool linked;                    /* a link was given out */
    int64_t created_ms, expires_ms, opened_ms;      /* opened_ms 0: not yet */
};
void secret_row_clear(struct secret_row *r);

/* Keeps a sealed value, or puts it in the place of the one before: a link to that one opens nothing any more. For a password: before its write is sent. */
bool secret_put(struct db *db, const char *operation, const char *what, const char *sealed, int64_t now_ms, int64_t expires_ms, struct eb_err *err) EB_CHECK;
/* EB_NOT_THERE. For an operation that is taken up again: the same password is sent again. */
bool secret_get(struct db *db, const char *operation, const char *what, struct secret_row *ret, struct eb_err *err) EB_CHECK;
/* A link is given out: its key's hash (SHA-256, hex), and the time for which it holds. An earlier link to the same secret opens nothing any more.
 * EB_NOT_THERE: no such secret, or it was opened. */
bool secret_link(struct db *db, const char *operation, const char *what, const char key_hash[EB_HEX_LEN], int64_t expires_ms,
                 char ret_id[EB_ID_LEN], struct eb_err *err) EB_CHECK;

/* By a link. Unknown, another key, expired and opened are one and the same: EB_NOT_THERE, after the same work. */
bool secret_look(struct db *db, const char *id, const char key_hash[EB_HEX_LEN], int64_t now_ms, struct secret_row *ret, struct eb_err *err) EB_CHECK;
/* The same, and marks it opened: ret->sealed is the only copy from the commit on. */
bool secret_open(struct db *db, const char *id, const char key_hash[EB_HEX_LEN], int64_t now_ms, struct secret_row *ret, struct eb_err *err) EB_CHECK;

/* All of an operation: shown in its answer, or made for nothing. None there: fine. */
bool secret_remove(struct db *db, const char *operation, struct eb_err *err) EB_CHECK;
/* Rows that have expired go, at most `most`; those of operations without an outcome stay, which may have to send them again. */
bool secret_forget(struct db *db, int64_t now_ms, int most, int64_t *ret_gone, struct eb_err *err) EB_CHECK;

#endif
