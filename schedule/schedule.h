/* schedule.h - durable timers: something due at a time, surviving restarts, done by one owner.
 *
 * A kind of work registers its function once; rows stand in the store (store/timer_table.h). A row that is due is handed to the function, on the
 * loop; it stays until schedule_done(), so that a crash in between hands it out again after the start.
 */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include "base/loop.h"
#include "store/store.h"

#include <stdint.h>

struct schedule;
typedef void schedule_fn(void *ctx, const char *subject, int64_t due_ms);
bool schedule_new(struct eb_loop *loop, struct store *s, struct schedule **ret, struct eb_err *err) EB_CHECK;
void schedule_free(struct schedule *s);
void schedule_register(struct schedule *s, const char *kind /* static */, schedule_fn *fn, void *ctx);
/* At most so many of this registered kind are handed out and not done at once: where masses are due, the rest waits in the table. For three kinds at most. */
void schedule_limit(struct schedule *s, const char *kind, unsigned most);
/* fn(ctx) when the wall clock was found to have been set (by more than some seconds): what was put for a time that was reckoned from it can be put anew. */
void schedule_on_step(struct schedule *s, void (*fn)(void *ctx), void *ctx);
void schedule_start(struct schedule *s);           /* hands out what is due, then sleeps until the next; wall clock, so looks again at least every 60 s */
/* The work is done: removes the row, and puts the next one at next_due_ms where that is > 0. */
void schedule_done(struct schedule *s, const char *kind, const char *subject, int64_t next_due_ms);
/* Outside of a transaction of one's own. Inside one: timer_put(), then schedule_wake() after the commit. */
void schedule_put(struct schedule *s, const char *kind, const char *subject, int64_t due_ms);
void schedule_wake(struct schedule *s);

#endif
