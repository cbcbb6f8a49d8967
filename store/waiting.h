/* waiting.h - operations that wait: for a date, for a person, for the end of a pause.
 *
 * A row stands here instead of among the open operations, so that a start does not take it up; a timer hands it out when its time has come. It goes
 * back among them when it is taken up or cancelled, in the transaction that does so: each is taken up once.
 */
#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "base/error.h"
#include <stdint.h>

struct db;

#define WAITING_TIMER "operation"       /* the timer's kind; its subject is the operation's id */
/* Why: until its date; past a limit; writes are paused; let go on, and its turn comes. */
#define WAITING_SCHEDULED "scheduled"
#define WAITING_LIMIT "limit"
#define WAITING_PAUSED "paused"
#define WAITING_RELEASED "released"

struct waiting {
    const char *id, *why;
    const char *reason;                 /* the words for it, or NULL */
    int64_t at_ms;                      /* its date; 0: it has none */
    bool passed;                        /* no limit is asked about it any more */
    const char *issue_key, *issue_id, *user_id, *group_id;      /* as they were found; NULL: none */
};
/* EB_NOT_THERE: it is not open. A scheduled one is ready at its date; the others once they are released. */
bool waiting_put(struct db *db, const struct waiting *w, struct eb_err *err) EB_CHECK;
/* Back among the open ones, where it is ready by now_ms. *ret_next_ms: when it is; 0: now, and it was taken; -1: it does not wait, or for a person. */
bool waiting_take(struct db *db, const char *id, int64_t now_ms, int64_t *ret_next_ms, struct eb_err *err) EB_CHECK;
/* Back among the open ones to be ended, whatever it waits for. *ret_was false: it does not wait. */
bool waiting_reopen(struct db *db, const char *id, int64_t now_ms, bool *ret_was, struct eb_err *err) EB_CHECK;

struct waiting_filter { const char *id, *kind, *issue, *token_name, *why; };    /* NULL: any */
/* Those that are held (not the scheduled ones) become ready now. passed: limits are not asked again. */
bool waiting_release(struct db *db, const struct waiting_filter *f, bool passed, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;
/* Those that are held only for a pause which is over (store/pause_table.h) become ready now. */
bool waiting_resume(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;
typedef bool waiting_each(void *ctx, const char *id);       /* false ends it */
bool waiting_list(struct db *db, const struct waiting_filter *f, int limit, waiting_each *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
