/* expiry.h - inside of ops/: memberships that end by themselves.
 *
 * expiry.c arms, moves and cancels ends as operations are concluded; expiry_end.c makes the operation when one is due, and announces it before.
 */
#ifndef OPS_EXPIRY_H
#define OPS_EXPIRY_H

#include "ops/runner.h"

#define EXPIRY_ORIGIN "end:"            /* before the id of the operation that set the end, and the end itself */

/* ---- expiry.c ---- */
/* An end that was asked for must be yet to come, and within what `expiresIn` may be: EB_INVALID_REQUEST. */
bool expiry_check(const struct ops_fields *f, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* The end that is armed for this membership; 0: none. On the store's thread. */
bool expiry_armed(struct db *db, const char *object, int64_t *ret_ends_ms, struct eb_err *err) EB_CHECK;
/* The operation has ended: from now on op->ends_ms is the end that is told and armed. */
void expiry_settle(struct operation *op);
/* What the sentence says about the end of the membership (" until 2027-03-31 17:00 UTC"); "": nothing. */
#define EXPIRY_TEXT 160
const char *expiry_text(const struct operation *op, char out[EXPIRY_TEXT]);
/* expiresAt, expiresAtBefore. */
void expiry_answer(const struct operation *op, json_t *answer);
/* In the conclusion of an operation on a membership: arms, moves or cancels its end. schedule_wake() after the commit. */
bool expiry_conclude(struct db *db, const struct operation *op, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* "2027-03-31 17:00 UTC" */
const char *expiry_time(int64_t ms, char out[EB_TIME_LEN]);

/* ---- expiry_end.c ---- */
/* Once, before the schedule starts. */
void expiry_register(struct ops *o);
void expiry_free(struct ops *o);
/* Is this the end of a membership that came to nothing for now, so that it is tried again soon and nobody is told? */
bool expiry_is_quiet(const struct operation *op);
/* In the conclusion of an end that came to nothing: said so, and tried again a day later. */
bool expiry_stopped(struct db *db, const struct operation *op, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* After that commit: metric and log. */
void expiry_alert(const struct operation *op);
/* The operation is freed: what schedule/ handed out for it is given back. */
void expiry_give_back(struct operation *op);

#endif
