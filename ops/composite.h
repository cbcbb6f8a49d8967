/* composite.h - inside of ops/: operations made of steps, each an operation of its own.
 *
 * A composite is judged as its own kind, its steps are put on disk with the ids that they will have, and then each is begun in its turn: with its own
 * rows in journal and audit, judged by the policy's entry for the composite, its doubts settled as ever. The composite itself writes nothing.
 * Owns:    struct composite. A step finds its composite by the run number.
 */
#ifndef OPS_COMPOSITE_H
#define OPS_COMPOSITE_H

#include "ops/runner.h"

enum step_state { STEP_WAITS, STEP_RUNS, STEP_ENDED };

struct step {
    const json_t *plan;                 /* {"id", "kind", "stage", "needed", "fields" or "undo"}: borrowed from the list */
    const struct ops_kind *kind;        /* NULL: this version does not know it */
    const char *id;                     /* of its operation */
    int stage;
    bool needed;
    enum step_state state;
    json_t *told;                       /* once it has ended: for the answer */
};

struct composite {
    json_t *list;                       /* as recorded */
    struct step *steps;
    size_t count, under_way, ended;
    bool looked;                        /* after a start: what had become of the steps is known */
    json_t *members;                    /* further members of the answer; NULL: none */
    char *made_user;                    /* the id of whom a step has made; NULL: nobody (yet) */
    int64_t made_mono_ms;
    char *sealed, *sealed_by;           /* found after a start: the secret that a step made, and its operation. NULL: none */
    const char *sealed_as;              /* "password", "temporaryAccessPass" */
};

/* ---- steps.c ---- */
struct composite *composite_new(json_t *list /* taken */);
/* The step's operation is begun, or refused at once. */
void step_begin(struct operation *op, struct step *s);
/* It ends without an operation. */
void step_end_untold(struct operation *op, struct step *s, const char *outcome, const struct eb_err *err);
/* It ended; told is taken. */
void step_end(struct operation *op, struct step *s, json_t *told);
bool step_succeeded(const struct step *s);
bool step_bars(const struct step *s);           /* it has ended so that later ones cannot begin */
/* What the answer tells of an ended operation. The caller's. */
json_t *step_told_of_row(const struct journal_row *r);
json_t *step_told_of(const struct operation *step);

/* ---- composite_look.c ---- */
void composite_look(struct operation *op);      /* its phase is OPS_READY once it is known */
void composite_unseal(struct operation *op);    /* op->secret, where a step of before the start has made it */

#endif
