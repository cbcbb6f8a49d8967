/* runner.h - inside of ops/: the operation under way, and the functions by which its files meet. */
#ifndef OPS_RUNNER_H
#define OPS_RUNNER_H

#include "base/clock.h"
#include "ops/evidence.h"
#include "ops/ops.h"
#include "ops/plan.h"
#include "ops/request.h"
#include "store/journal.h"
#include "base/hashtable.h"

#include <sys/queue.h>

#define OPS_MAGIC 0x6f706572u
#define OPS_READ_DEADLINE_MS 30000      /* reads that fail for so long end the operation */
#define OPS_VERDICT_MS 60000            /* a verdict is good for so long */
#define OPS_RECENT_MS 900000            /* a read after one of our own writes may be stale for so long (facts: up to 12 minutes seen) */
#define OPS_ATTRIBUTES_MAX 80           /* in one request */
#define OPS_LENT_MS 20000               /* a step of a composite goes by what another has read no longer ago */
#define OPS_WAITERS_MAX 16              /* callers that wait for one operation */

enum ops_phase { OPS_START, OPS_READY };      /* a step is entered; what it waited for has come */
enum ops_flow { OPS_NEXT, OPS_WAIT, OPS_AGAIN /* back to the gathering of facts */ };

struct operation {
    unsigned magic;
    uint64_t run;                       /* names it in completions */
    char id[EB_ID_LEN];
    struct ops *ops;
    const struct ops_kind *kind;
    struct config *config;              /* of the latest decision; a reference */
    char *token_id, *token_name;
    bool background;                    /* bulk or scheduled: goes after what people at the desk wait for */
    struct ops_fields fields;
    size_t step;                        /* in the kind's list */
    enum ops_phase phase;               /* of that step */
    bool running;                       /* inside ops_run(): completions never nest */
    bool parked;                        /* taken up after a start, but not begun: its turn comes */

    /* who waits */
    uint64_t waiters[OPS_WAITERS_MAX];
    size_t waiter_count;
    struct eb_timer *deadline;          /* then 202 */
    bool deadline_passed, answered_202, recovered;

    /* journal */
    bool journaled;
    int64_t accepted_ms, accepted_us;   /* wall; monotonic */
    int64_t begun_ms, begun_mono_ms;    /* wall; monotonic: from when its age counts; later than accepted_ms where it has waited. By ops_begun() */

    /* waiting: ops/wait.h */
    int64_t at_ms, next_ms;             /* its date; when what schedule/ handed out for it is due again. 0: none */
    bool only_repeat;                   /* its date is past: only an earlier answer is given out for it */
    bool waited;                        /* taken up after a wait: user_id and group_id are those whom it was about then */
    bool handed_over;                   /* by schedule/, which is told when it ends */
    bool passed;                        /* no limit is asked about it any more */
    bool paused;                        /* it stands still until the pause is over */

    /* facts */
    int awaited;                        /* reads still under way */
    int64_t facts_mono_ms;              /* when they were asked for */
    struct jira_issue issue;            /* strings and fields are ours; key NULL: not read */
    bool moved;
    struct directory_facts *facts;
    struct eb_err issue_err, facts_err;
    struct evidence *evidence;          /* NULL: none was asked for */
    struct policy_verdict verdict;
    json_t *approvals;                  /* seen at the latest judgement, in the form of ops/report.h; NULL: none were asked for */
    bool issue_passed;                  /* by the latest judgement */
    char *comment_issue, *comment_key;  /* id and key of the issue that has passed once: a comment is owed there; NULL: none has */

    /* the writes */
    struct ops_plan plan;               /* the latest: what is still to be sent, from writes[at] on */
    size_t at;
    json_t *before, *after;             /* as recorded first */
    char object[OPS_OBJECT_MAX];        /* claimed; "" before it is known */
    bool claimed;
    bool stale;                         /* the read may be older than a write of ours */
    bool differs;                       /* what stood before is not what is asked for: of a write whose answer was lost, this says whether it changed something */
    char *user_id, *group_id;           /* whom the first write was about */
    bool ends_member;                   /* the end of a membership that was given for a time: made by schedule/, not by a request */
    char *handed_out, *stopped_before;  /* of such an end: what is to be given back to schedule/; why it came to nothing the last time. NULL: nothing */
    int64_t had_end_ms, ends_ms;        /* the end that was armed for the membership when this was recorded; the one that is to be. 0: none */
    int row;                            /* the journal's row of the write under way; -1: none yet */
    char row_object[OPS_OBJECT_MAX];    /* what that row is about, and how */
    enum graph_write_kind row_kind;
    char row_part[OPS_PART_MAX], row_method[200];
    bool row_part_told;                 /* false: the row was found after a start, and does not say it */
    bool lost;                          /* a value that came with a lost answer was replaced */
    const char *row_state;              /* how it ended: "done", "nothing", "refused"; NULL: it has not */
    size_t confirmed;                   /* writes that were answered, or found done */
    bool doubt;                         /* the row's write was sent, and no answer came */
    struct eb_err refusal;              /* after a doubt: Graph refused to have it sent again; code EB_OK: it did not */
    bool awaits_journal, answered;      /* record waits for the first commit; Graph has answered the write */
    int tries;                          /* of the write under way */
    int64_t sent_mono_ms, sent_ms;      /* when the latest try left, or when it was found after a start; wall clock of the first */
    bool looked;                        /* a removal's 404 after a doubt was looked into */
    struct eb_timer *retry;
    struct graph_reply written;         /* result, status; body is not kept */
    char request_id[64];
    char *secret, *sealed;              /* made for this operation; wiped. NULL: none */
    json_t *expected;                   /* an undo: what must stand before it */
    json_t *expected_late;              /* a read may still give this instead, for what is undone was written only just now; NULL: it may not */
    char **as_operations, **as_projects;        /* explained for a token with these limits, NULL-ended; NULL: by token_id. One block each */
    bool explain;                       /* nothing is journaled or written: only what would be decided is answered */
    bool by_command;                    /* put in by an administrator at the command line: no token limits it, the policy does */
    int64_t order;                      /* the order at the command line that this was made for; 0: none waits for its acceptance */
    char *origin;                       /* as in the journal; NULL: from a request */
    bool would_change;                  /* a dry run, or the policy's shadow mode */
    bool recorded, untouched;           /* recorded anew, since nothing of ours had been done yet */
    json_t *result;                     /* members for the answer, from Graph's answers; NULL: none */

    /* a composite and its steps */
    struct composite *composite;        /* of a composite: its steps; NULL before they are known */
    json_t *undone;                     /* of the undo of one: the answer of what is undone; NULL: it is none */
    bool is_step;
    bool released;                      /* somebody has let it go on past a limit: its steps are not asked again */
    char *step_of;                      /* of a step: the id of the composite; NULL: it is none */
    uint64_t parent;                    /* its run; 0: it is no step, or the composite was not found again */
    size_t step_number;
    const struct ops_kind *judged_as;   /* whose entry in policy and token counts; NULL: its own kind's */
    json_t *judged_body;                /* the request of the composite, with the targets of the step: what is bound to the issue's fields; NULL: its own */
    char *issue_fields;                 /* further fields that it was asked for; NULL: none */
    int64_t issue_mono_ms;              /* when the issue was asked for; 0: it was not */
    int64_t young_mono_ms;              /* of a step for a user made just now: until then Graph may not find them yet; 0: no such step */

    /* the end */
    const char *outcome;
    struct eb_err err;                  /* code EB_OK where it succeeded */
    bool changed;
    char message[700];
    struct conclusion *conclusion;      /* ours; freed with us where its commit never came */
    UT_hash_handle by_run, by_id;
};

struct claim;
struct poster;
struct orders;
struct end_job;
struct due_job;
struct pauses;
struct alert;
struct ops {
    struct ops_parts parts;
    struct config *config;
    struct operation *by_run, *by_id;
    uint64_t last_run;
    struct claim *claims;
    struct poster *poster;
    struct orders *orders;
    LIST_HEAD(, end_job) ends;          /* of expiry_end.c */
    LIST_HEAD(, due_job) due;           /* of recover.c */
    struct pauses *pauses;
    struct alert *alert;
    unsigned paused;                    /* operations that stand still */
    bool started, draining;
    unsigned parked;
    void (*drained)(void *ctx);
    void *drained_ctx;
    struct eb_timer *drain_timer, *recover_timer;
};

/* runner.c */
struct operation *ops_operation_new(struct ops *o, const struct ops_kind *k);
void ops_name(struct operation *op, const char *id);        /* gives it its id; NULL: a new one */
struct operation *ops_find(struct ops *o, uint64_t run);
struct operation *ops_find_id(struct ops *o, const char *id);
void ops_operation_free(struct operation *op);     /* unlinks, drops its calls and claim */
void ops_run(struct operation *op);                 /* the only place where an operation advances */
void ops_ready_wake(struct operation *op);          /* its completion came: phase OPS_READY, then ops_run() */
void ops_retry_in(struct operation *op, int64_t ms);        /* ops_ready_wake() after that time */
bool ops_has_room(const struct ops *o, struct eb_err *err);
void ops_answer_all(struct operation *op, const struct ops_answer *a);
void ops_row_is(struct operation *op, const struct ops_write *w);       /* write.c: the journal's latest row is about this write */
void ops_drain_check(struct ops *o);

/* facts.c, evidence.c, record.c, write.c, conclude.c: the steps */
enum ops_flow ops_step_gather(struct operation *op);
enum ops_flow ops_step_decide(struct operation *op);
enum ops_flow ops_step_verify(struct operation *op);
enum ops_flow ops_step_plan(struct operation *op);
enum ops_flow ops_step_wait(struct operation *op);
enum ops_flow ops_step_claim(struct operation *op);
enum ops_flow ops_step_record(struct operation *op);
enum ops_flow ops_step_write(struct operation *op);
void ops_conclude(struct operation *op);
/* The same as ops_end() with an error, but where some writes were done already the end is "partial". */
enum ops_flow ops_fail(struct operation *op, const char *outcome, const struct eb_err *err);
void ops_conclusion_free(struct conclusion *c);             /* accepts NULL */
bool ops_wants_comment(const struct operation *op);
void ops_forget_facts(struct operation *op);
void ops_issue_free(struct jira_issue *i);
/* The policy's case as far as the facts are known; the three others hold what it points to. */
struct ops_policy_case { struct policy_case c; struct policy_caller caller; struct policy_issue issue; const char *attributes[OPS_ATTRIBUTES_MAX + 1]; };
void ops_case_fill(struct operation *op, struct ops_policy_case *ret);
/* Where the policy was reloaded meanwhile: the operation is decided by the one that the facts were read for. */
void ops_follow_facts(struct operation *op);
/* A step that has no group of its own goes by the approval that its composite has taken. */
bool ops_inherits_approval(const struct operation *op);
/* The entry of the policy that counts for it, and its name. */
const char *ops_judged_as(const struct operation *op);
const struct config_operation_rule *ops_rule(const struct operation *op);
/* Plans from the facts in hand into *p (the caller's). */
bool ops_plan_make(struct operation *op, struct ops_plan *p, struct eb_err *err) EB_CHECK;
bool ops_is_done(const struct ops_plan *p);                 /* nothing is left to be sent, and the facts do tell */
int64_t ops_duration_ms(const struct operation *op);        /* of the membership asked for; 0: no end was asked for */
/* Is the operation too old to begin (recovery_max_age)? */
void ops_begun(struct operation *op, int64_t at_ms);     /* wall; a clock that is set from now on does not change its age */
bool ops_too_old(const struct operation *op);
/* Sets outcome, error and message; the conclude step follows. */
enum ops_flow ops_end(struct operation *op, const char *outcome, const struct eb_err *err);

/* composite.c */
enum ops_flow ops_step_compose(struct operation *op);
enum ops_flow ops_step_note(struct operation *op);
enum ops_flow ops_step_walk(struct operation *op);
void composite_free(struct composite *c);                   /* accepts NULL */
/* After a start: the steps as they were recorded, and what else is told of it; false: the text is none such. */
bool composite_take_up(struct operation *op, const char *steps);
/* Makes an operation that is not begun yet a step of it, for its token. */
void ops_make_step(struct operation *op, const struct operation *composite, size_t number);
/* The kind of a row of the journal: with lists of targets, or as an undo of steps, a composite. NULL: this version does not know it. */
const struct ops_kind *ops_kind_of_row(const struct journal_row *r);
/* The same after a start; the composite has been taken up before, for it is older. */
void composite_find(struct operation *step, const char *composite, bool undo);
/* A step is concluded; or there will be no such operation. */
void composite_step_ended(struct operation *step);
void composite_step_refused(struct ops *o, uint64_t parent, size_t number, const struct eb_err *err);
/* The operation whose secret it has taken over; NULL: none. */
const char *composite_secret_of(const struct operation *op);
/* The steps for the answer: [{"operation", "name", "outcome", "changed", "code", "message", ...}]. The caller's. */
json_t *composite_told(const struct operation *op);
bool composite_waits(const struct operation *op);           /* for steps that are under way, and for nothing else */
size_t composite_first_step(void);                          /* runner.c: where one that is recorded goes on */

/* claim.c: writes on one object go one after another. true: held now; false: it is woken when it is. */
bool ops_claim(struct operation *op);
void ops_release(struct operation *op);

/* answer.c: what people and rules read */
void ops_message_make(struct operation *op);                /* fills op->message */
json_t *ops_answer_make(const struct operation *op);        /* a success's body, or a failure's members besides those of RFC 9457 */
json_t *ops_answer_explained(const struct operation *op);   /* of POST /v1/explain */
json_t *ops_answer_202(const struct operation *op);
json_t *ops_answer_waiting(const struct operation *op, const char *outcome);     /* with op->message */
void ops_would_make(const struct operation *op, char *out, size_t size);     /* "disable the account of Ada Lovelace." */
json_t *ops_row_answer(const struct journal_row *r);        /* of an ended or open row, for GET and replays; members besides those of a failure */

/* accept.c */
/* An operation with these fields (taken). caller NULL: nobody waits; the maker sets token_name. id NULL: a new one. ops_begin() must follow. */
struct operation *ops_accept(struct ops *o, const struct ops_kind *kind, struct ops_fields *fields, const struct auth_token *caller, uint64_t exchange,
                             const char *id);
bool ops_key_check(const char *idempotency_key, struct eb_err *err) EB_CHECK;   /* NULL: none was sent */
void ops_begin(struct operation *op, const char *idempotency_key);
void ops_answer_late(struct operation *op);                 /* 202 to all who wait */
/* The store's own words (paths, SQLite's codes) are for the log; a caller is told what to do. */
struct eb_err ops_store_error(const char *id, const struct eb_err *err);

/* poster.c: the outbox */
bool poster_new(struct ops *o, struct poster **ret, struct eb_err *err) EB_CHECK;
void poster_free(struct poster *p);
void poster_start(struct poster *p);
void poster_wake(struct poster *p);                         /* a row was put */
bool poster_idle(const struct poster *p);
/* Is there room to post for that issue right after a commit, without a read of the table? Then poster_deliver() must follow. */
bool poster_reserve(struct poster *p, const char *issue);
void poster_release(struct poster *p, const char *issue);  /* the commit failed */
void poster_deliver(struct poster *p, int64_t number, const char *operation, const char *issue, char *payload /* taken */);

/* configured.c */
void ops_note_configuration(struct ops *o);                 /* an audit row, where it is another than before */

/* recover.c */
void ops_recover(struct ops *o);
/* Takes up the operation of this id that waits, where its time has come; schedule/ has handed it out. */
void ops_take_up(struct ops *o, const char *id);
void ops_take_up_free(struct ops *o);
void ops_recover_later(struct ops *o);                      /* runner.c: the journal could not be read */
void ops_recovered(struct ops *o);                          /* runner.c: all are known, and may begin */

#endif
