/* position.h - how far this installation's database has come, kept outside of it too, so that a start notices when it is an older copy.
 *
 * In the database: a generation (random; another one after each recovery) and a number that every transaction raises which changes something.
 * After a commit both go into a small file in the directory of keys, without a flush: the file may fall behind when the power fails, and is never ahead
 * of what is durable. So a database behind its file is a copy, and nothing else. Each entry has its sector and its checksum; two take turns, so that a
 * torn write spoils the newest only. The service has entries of its own, command-line programs share others under a lock.
 *
 * A second file there has the ids of tokens made and revoked: what a restored database has forgotten.
 */
#ifndef STORE_POSITION_H
#define STORE_POSITION_H

#include "base/error.h"
#include <stdint.h>

struct db;

#define POSITION_FILE "position"
#define POSITION_TOKENS "tokens"

struct position {
    int64_t generation;             /* 0: none yet */
    int64_t number;
    int64_t audit;                  /* the number of the last audit row */
    int64_t time_ms;                /* of the commit; 0: not known */
};

enum position_verdict {
    POSITION_FRESH,                 /* nothing was kept yet: neither here nor there */
    POSITION_GOOD,
    POSITION_BEHIND,                /* the database is an older copy */
    POSITION_OTHER,                 /* of another installation, or from before a recovery */
    POSITION_MISSING,               /* no file, though the database has had one */
    POSITION_SPOILT                 /* no entry of the file can be read */
};

struct position_look {
    enum position_verdict verdict;
    struct position database, known /* the furthest that the file says; all 0: nothing */;
    int spoilt;                     /* entries that cannot be read, while others can */
};
/* Compares. May run beside a service. directory: of the keys; one that is not there has no file. */
bool position_look(struct db *db, const char *directory, struct position_look *ret, struct eb_err *err) EB_CHECK;
/* Why such a database is refused and what to do, as an error. Returns false; not for FRESH and GOOD. */
bool position_refuse(const struct position_look *l, struct eb_err *err);

/* What raises and writes: db_follow() in db.h makes one for a connection. */
struct position_keeper;
/* A service (which makes the file where nothing was kept yet) is refused as above; a program beside one gets NULL where nothing is kept yet, and
 * position_may_change() says later that it must not. */
bool position_follow(struct db *db, const char *directory, bool service, struct position_keeper **ret, struct eb_err *err) EB_CHECK;
void position_keeper_free(struct position_keeper *k);
bool position_may_change(const struct position_keeper *k, struct eb_err *err) EB_CHECK;
bool position_raise(struct db *db, struct position_keeper *k, struct eb_err *err) EB_CHECK;     /* in a transaction, just before its commit */
void position_committed(struct position_keeper *k);         /* just after it. A file that cannot be written is said in the log once */

/* A recovery, on a connection that follows nothing. In its transaction: the database gets a new generation, further than all that is known, and the file an
 * entry for it, on disk before the commit (without which it counts for nothing). */
bool position_renew(struct db *db, const char *directory, int64_t now_ms, struct position *ret, struct eb_err *err) EB_CHECK;
/* After the commit: the file has that entry alone. Where this fails or is not reached, the next start does it. */
bool position_renewed(const char *directory, const struct position *p, struct eb_err *err) EB_CHECK;

/* What happens to tokens, kept on disk at once. In the transaction that does it: one noted and not done harms nobody. */
#define POSITION_MADE "made"
#define POSITION_REVOKED "revoked"
bool position_note_token(const char *directory, const char *what, const char *id, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* In the order of noting; half a line is left out. No file: none. */
typedef bool position_token(void *ctx, bool revoked, const char *id, int64_t time_ms);      /* false ends it */
bool position_tokens(const char *directory, position_token *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
