/* order.h - what the command line asks of the running service: rows that the service takes up, each answered once.
 *
 * A row is waiting (taken_ms 0), taken, then answered. A service that goes down in between finds its taken rows again after the start.
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include "base/error.h"
#include <stdint.h>

struct db;

struct order {                      /* strings of a row that was read are the row's: order_clear() */
    int64_t number, made_ms, taken_ms;
    char *kind, *data;              /* "undo"; JSON */
    char *answer;                   /* JSON; NULL: not yet */
};
void order_clear(struct order *o);

/* Also deletes what was answered long ago. */
bool order_put(struct db *db, const char *kind, const char *data, int64_t now_ms, int64_t *ret_number, struct eb_err *err) EB_CHECK;
typedef bool order_each(void *ctx, const struct order *o);                  /* false ends the listing */
/* Takes waiting rows, oldest first, at most limit. `again`: also those that were taken and not answered, by an earlier process. */
bool order_take(struct db *db, int64_t now_ms, bool again, int limit, order_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool order_answer(struct db *db, int64_t number, const char *answer, struct eb_err *err) EB_CHECK;
/* EB_NOT_THERE: it was answered, and is gone. */
bool order_get(struct db *db, int64_t number, struct order *ret, struct eb_err *err) EB_CHECK;
/* Whoever asked waits no longer. *ret_gone false: it was taken already. */
bool order_withdraw(struct db *db, int64_t number, bool *ret_gone, struct eb_err *err) EB_CHECK;

#endif
