/* explain.h - inside of ops/: what would be decided, for the command line. */
#ifndef OPS_EXPLAIN_H
#define OPS_EXPLAIN_H

#include "ops/runner.h"

/* data: {"operation": kind, "body": {...}, "token": id or absent, "operations": [...] and "projects": [...] of a token that need not be, "by": name}. The order
 * is answered once: with the body of POST /v1/explain, or why it cannot be asked. */
void explain_by_order(struct ops *o, int64_t number, const json_t *data);

#endif
