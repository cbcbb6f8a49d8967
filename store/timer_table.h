/* timer_table.h - something due at a time: a kind of work and whose it is. Fired at least once; the row goes when the work is done. */
#ifndef STORE_TIMER_TABLE_H
#define STORE_TIMER_TABLE_H

#include "base/error.h"
#include <stdint.h>

struct db;
struct timer_row { const char *kind, *subject; int64_t due_ms; };
bool timer_put(struct db *db, const char *kind, const char *subject, int64_t due_ms, struct eb_err *err) EB_CHECK;     /* replaces the due time */
bool timer_remove(struct db *db, const char *kind, const char *subject, struct eb_err *err) EB_CHECK;                  /* none there: fine */
/* The work of the row that was due at due_ms is done: it goes, or is due again at next_ms where that is > 0. A row that was put anew meanwhile stays as it is. */
bool timer_finish(struct db *db, const char *kind, const char *subject, int64_t due_ms, int64_t next_ms, struct eb_err *err) EB_CHECK;
typedef bool timer_each(void *ctx, const struct timer_row *t);
bool timer_due(struct db *db, int64_t until_ms, int limit, timer_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* The same without these kinds (NULL: fewer than so many). */
#define TIMER_LEFT_OUT 3
bool timer_due_of_others(struct db *db, int64_t until_ms, const char *const left_out[TIMER_LEFT_OUT], int limit, timer_each *each, void *ctx,
                         struct eb_err *err) EB_CHECK;
bool timer_next(struct db *db, int64_t *ret_due_ms, struct eb_err *err) EB_CHECK;     /* INT64_MAX: none */

#endif
