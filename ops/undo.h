/* undo.h - inside of ops/: the reverse of an operation, as an operation of its own. */
#ifndef OPS_UNDO_H
#define OPS_UNDO_H

#include "ops/runner.h"

#define UNDO_ORIGIN "undo:"             /* before the id of what is undone */

struct undo_order {                     /* put in at the command line; borrowed during the call */
    int64_t number;
    const char *operation;              /* what is to be undone */
    const char *id;                     /* that the new operation is to have: made by who waits for it */
    const char *by;                     /* "ada (uid 1000)" */
    const json_t *body;                 /* issue, reason */
};
/* orders_answer() is called once: it was accepted, or why not. */
void undo_by_order(struct ops *o, const struct undo_order *u);

/* A step of the undo of a composite: the operation with this id is made, or composite_step_refused() says why not. */
void undo_step(struct operation *composite, size_t step, const char *operation, const char *id);

/* What must stand before an undo is carried out: that is what was left by the operation that it undoes. From the journal's row of that, for recovery too. */
void undo_expect(struct operation *op, const char *before, const char *after, int64_t ended_ms);

/* ---- orders.c ---- */
void orders_new(struct ops *o);
void orders_free(struct ops *o);
void orders_wake(struct ops *o);        /* another process has changed the store */
/* err NULL: the operation is in the journal. */
void orders_answer_body(struct ops *o, int64_t number, const json_t *body);
void orders_answer(struct ops *o, int64_t number, const char *operation, const struct eb_err *err);

#endif
