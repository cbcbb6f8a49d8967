/* loop.h - the event loop (libevent) and the way into it from other threads.
 *
 * One loop, one thread. Everything in server, outbound, ops and above runs on it.
 * eb_loop_post() is the only call that other threads may make.
 */
#ifndef EB_LOOP_H
#define EB_LOOP_H

#include "base/error.h"

#include <event2/event.h>
#include <stdint.h>

struct eb_loop;
struct eb_timer;

bool eb_loop_new(struct eb_loop **ret, struct eb_err *err) EB_CHECK;
/* Accepts NULL. Drops what is still posted without running it. Owners free their timers first;
 * no other thread may post any more. */
void eb_loop_free(struct eb_loop *l);
struct event_base *eb_loop_base(struct eb_loop *l);
void eb_loop_run(struct eb_loop *l);               /* until eb_loop_stop */
void eb_loop_stop(struct eb_loop *l);              /* from the loop's thread; before eb_loop_run: it returns at once */

/* Runs fn(arg) on the loop's thread, in order of posting, soon. From any thread. */
void eb_loop_post(struct eb_loop *l, void (*fn)(void *arg), void *arg);

/* A timer that can be set again and again; not running at first. Freed by its owner, also from inside its own fn. */
struct eb_timer *eb_timer_new(struct eb_loop *l, void (*fn)(void *arg), void *arg);
void eb_timer_set(struct eb_timer *t, int64_t after_ms);    /* replaces an earlier setting */
void eb_timer_stop(struct eb_timer *t);
void eb_timer_free(struct eb_timer *t);            /* accepts NULL */

#endif
