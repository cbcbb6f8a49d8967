/* cancel.h - what waits is ended as cancelled: by a request, by an issue, at the command line beside a service or without one.
 *
 * One transaction each: outcome, audit row, comment, and the idempotency key is free again. A service that takes the operation up at the same moment is
 * before it or after it, never in between.
 */
#ifndef OPS_CANCEL_H
#define OPS_CANCEL_H

#include "base/json.h"
#include "store/db.h"

#include <stdint.h>

struct cancel {                         /* borrowed */
    const char *id;                     /* the operation */
    const char *token_name;             /* only of this name; NULL: anybody's */
    const char *const *kinds;           /* NULL-ended, "*" is all: those that its token may ask for; NULL: all */
    const char *by;                     /* for people: "the token \"vpn-rule\"", "ada (uid 1000) at the command line" */
    const char *reason;                 /* or NULL */
    const uint8_t *audit_key;
};
/* *ret: the answer, {"operation", "name", "outcome": "cancelled", ...}; the caller's. EB_OPERATION_NOT_FOUND; EB_ALREADY_DONE: it has begun, or ended. */
bool cancel_waiting(struct db *db, const struct cancel *c, json_t **ret, struct eb_err *err) EB_CHECK;

#endif
