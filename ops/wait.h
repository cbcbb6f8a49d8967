/* wait.h - inside of ops/: operations that wait: for a date (`at`), past a limit, while writes are paused.
 *
 * Where an operation has been allowed and planned, and has written nothing yet, its wait step (wait.c) may put it into the table of waiting ones
 * (store/waiting.h) and end it in memory: 202, scheduled or held. When its date has come, or somebody lets it go on, schedule/ hands out its id and
 * recover.c takes it up from the check of its issue on. One that has begun stands still in memory instead, before its next write (pause.c).
 */
#ifndef OPS_WAIT_H
#define OPS_WAIT_H

#include "ops/report.h"
#include "ops/runner.h"
#include "policy/policy.h"
#include "store/limit_table.h"
#include "store/waiting.h"

/* ---- at.c: the date ---- */
int64_t wait_at(const struct ops_fields *f);                    /* 0: none was asked for */
bool wait_is_past(const struct ops_fields *f, int64_t now_ms);  /* by more than a minute */
struct eb_err wait_past(void);
/* Within five years, before an end that is asked for; explained: and yet to come. EB_INVALID_REQUEST. */
bool wait_check(const struct ops_fields *f, int64_t now_ms, bool explained, struct eb_err *err) EB_CHECK;
/* So much longer its key must be known: a repeat may come until a while after the date. */
int64_t wait_window_ms(const struct operation *op);
struct wait_text { char text[160]; };
struct wait_text wait_late(const struct operation *op);         /* a further sentence where it was carried out late; "": it was not */
void wait_set_date(json_t *answer, int64_t at_ms);              /* scheduledFor */
const char *wait_outcome(const char *why);                      /* of a row of store/waiting.h: "scheduled", "held" */

/* ---- wait.c ---- */
void wait_register(struct ops *o);      /* once, before the schedule starts */
void wait_free(struct ops *o);
void wait_give_back(struct operation *op);      /* it is freed: schedule/ is told */
/* conclude.c */
struct ops_report ops_report_of(const struct operation *op, const json_t *steps /* of a composite, for its comment; or NULL */);
void ops_count_ended(const char *kind, const char *outcome);

/* ---- limit.c ---- */
/* How many operations a request stands for: users x groups. */
int limit_weight(const struct operation *op);
/* The limits that apply; 0: none, also because the operation is not limited. */
size_t limit_find(const struct operation *op, struct policy_limit out[POLICY_LIMITS_MAX]);
bool limit_is_part(const struct operation *op);         /* of a list: it cannot be held by itself, and is refused */
void limit_message(const struct operation *op, const struct policy_limit *l, char *out, size_t size);

/* ---- alert.c ---- */
/* One operation is held past this limit. news: nobody was told of this limit and subject within the window. */
void alert_held(const struct operation *op, const struct policy_limit *l, bool news);
void alert_free(struct alert *a);       /* accepts NULL */

/* ---- pause.c ---- */
bool pause_is_on_kind(const struct ops *o, const char *kind);
bool pause_is_on(const struct operation *op);           /* of its kind, or of the composite that it is a step of */
/* The operation stands still from now on, where it is paused; it is woken when that is over. */
bool pause_holds(struct operation *op);
void pause_register(struct ops *o);     /* once: no write leaves while it is paused */
void pause_message(const struct operation *op, char *out, size_t size);
void pause_look(struct ops *o);         /* reads the pauses anew; what waits only for them goes on */
bool pause_read(struct db *db, struct pauses **ret, struct eb_err *err) EB_CHECK;
void pause_set(struct ops *o, struct pauses *p);        /* taken */
void pause_free(struct pauses *p);      /* accepts NULL */

#endif
