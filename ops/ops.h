/* ops.h - the operation runner: from a validated request to an outcome, an audit row and a comment (design, section 4).
 *
 * Everything here runs on the loop. Completions of other rooms name an operation by its run number, never by pointer: one that has gone is not found.
 * Nothing is answered as done before its conclusion is on disk; nothing is sent to Entra before the write row is.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "auth/auth.h"
#include "directory/directory.h"
#include "graph/graph.h"
#include "jira/jira.h"
#include "outbound/outbound.h"
#include "ops/kinds.h"
#include "schedule/schedule.h"
#include "store/store.h"

struct ops;

/* What the caller gets. Borrowed during the call. */
struct ops_answer {
    int status;                 /* 200, 202; a failure's is err->code's */
    const json_t *body;         /* the whole body of a success; of a failure the members besides those of RFC 9457 */
    const struct eb_err *err;   /* NULL: no failure */
    const char *location;       /* with 202: /v1/operations/{id} */
};
typedef void ops_answer_fn(void *ctx, uint64_t exchange, const struct ops_answer *a);

struct ops_parts {              /* all borrowed; they outlive it */
    struct eb_loop *loop;
    struct store *store;
    struct graph *graph;
    struct jira *jira;
    struct directory *directory;
    struct auth *auth;
    const struct auth_keys *keys;
    struct schedule *schedule;
    struct outbound *outbound;          /* for alerts */
    ops_answer_fn *answer;
    void *answer_ctx;
};
bool ops_new(const struct ops_parts *p, struct config *c, struct ops **ret, struct eb_err *err) EB_CHECK;
void ops_free(struct ops *o);
/* After a reload: operations that decide from now on, decide by this configuration. */
void ops_configure(struct ops *o, struct config *c);
/* Takes up every operation without an outcome, and the outbox. Operations are refused (EB_STARTING) before. */
void ops_start(struct ops *o);
/* No new operations (EB_SHUTTING_DOWN). done(ctx) when none is under way and each waiting caller has its answer; what still waits for
 * a cloud is left in the journal for the next start after deadline_ms. */
void ops_drain(struct ops *o, int64_t deadline_ms, void (*done)(void *ctx), void *ctx);
/* Or why an operation would be refused now (EB_STARTING, EB_SHUTTING_DOWN, EB_OVERLOADED); err may be NULL. For /readyz. */
bool ops_ready(const struct ops *o, struct eb_err *err);

struct ops_request {            /* borrowed during the call */
    const struct auth_token *caller;
    const struct ops_kind *kind;
    const json_t *body;
    const char *idempotency_key;        /* the header, or NULL */
    uint64_t exchange;          /* who waits for the answer */
    bool explain;               /* POST /v1/explain: what would be decided, and why; nothing is done */
};
/* Answers now or later, exactly once, through the answer function. */
void ops_submit(struct ops *o, const struct ops_request *r);

struct ops_undo {               /* borrowed during the call */
    const struct auth_token *caller;
    const char *operation;      /* what is to be undone; a token sees its own name's */
    const json_t *body;         /* issue, reason, dryRun */
    const char *idempotency_key;
    uint64_t exchange;
};
/* The reverse operation, from what stood before. Answers as ops_submit() does; EB_UNDO_NOT_POSSIBLE says why not. */
void ops_undo(struct ops *o, const struct ops_undo *u);

struct ops_cancel {             /* borrowed during the call */
    const struct auth_token *caller;
    const char *operation;      /* that waits; a token sees its own name's. NULL: all that wait for body's issue, of the kind `name` where it says one */
    const json_t *body;         /* issue, reason; name */
    uint64_t exchange;
};
/* Ends what is scheduled or held as cancelled. EB_ALREADY_DONE: it has begun, or ended. */
void ops_cancel(struct ops *o, const struct ops_cancel *c);

/* Orders of the command line of a kind that another room carries out: fn is told of each, and says once, now or later, what came of it. `kind` is static. */
typedef void ops_order_fn(void *ctx, int64_t number, const json_t *data);
void ops_on_order(struct ops *o, const char *kind, ops_order_fn *fn, void *ctx);
void ops_order_answered(struct ops *o, int64_t number, const json_t *body);

/* GET /v1/operations/{id} and ?issue=: a token sees its own name's. Answered the same way. */
void ops_show(struct ops *o, const struct auth_token *caller, const char *id, uint64_t exchange);
void ops_list(struct ops *o, const struct auth_token *caller, const char *issue, uint64_t exchange);
int ops_under_way(const struct ops *o);
/* Another process has changed the store (`outbox retry`, `operations undo`): looks for what has become due, and for what is asked. */
void ops_store_changed(struct ops *o);

#endif
