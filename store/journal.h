/* journal.h - operations, their targets and writes, and the keys by which repeats are known.
 *
 * All functions run on the store's thread (or in a command-line program), inside the caller's transaction.
 * Strings in rows that are read belong to the row: journal_row_clear().
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/error.h"
#include "base/random.h"

#include <stdint.h>

struct db;

struct journal_row {                /* one operation */
    char *id, *kind, *token_id, *token_name;
    char *issue;                    /* as it was sent, or NULL */
    char *issue_key, *issue_id;     /* as Jira told, or NULL before the issue check */
    char *request;                  /* canonical JSON of the validated body, without secrets */
    char *state;                    /* "open", "ended" */
    char *outcome, *code, *message; /* NULL while open */
    char *user_id, *group_id;       /* resolved targets; NULL before */
    char *before, *after;           /* JSON or NULL; `after` of an open one: what it is to lead to */
    char *answer;                   /* the JSON that was (or would be) answered; NULL while open */
    char *config_hash;
    char *origin;                   /* "undo:<id>", "end:<id>": made from that operation, once; NULL: from a request */
    char *waits, *waits_for;        /* store/waiting.h: why an open one waits, and the words for it; NULL: it does not */
    int64_t accepted_ms, ended_ms;  /* ended_ms 0 while open */
    int64_t at_ms, since_ms;        /* the date that it waits for or has waited for; when it was taken up after a wait. 0: none; both are forgotten at the end */
    bool passed;                    /* no limit is asked about it any more */
    bool changed, dry_run;
    int writes;                     /* write rows: sent at least once */
};
void journal_row_clear(struct journal_row *r);

/* Step 3: the intent and its idempotency row. */
struct journal_accept {
    const struct journal_row *row;  /* id, kind, token_*, issue, request, accepted_ms, dry_run, config_hash, origin are used */
    const char *key;                /* NULL: never a repeat. What makes it one: HMAC (hex) over token name, kind, issue and body, or over token name and Idempotency-Key */
    const char *body_hash;          /* HMAC (hex) of the body: the same key with another one is EB_IDEMPOTENCY_CONFLICT */
    int64_t window_ms;              /* the key is known for so long */
    bool only_repeat;               /* what is no repeat is not accepted */
    enum { JOURNAL_NEW, JOURNAL_REPEAT, JOURNAL_NONE } ret_verdict;     /* NONE: with only_repeat, there is no earlier one */
    struct journal_row ret_earlier; /* REPEAT: the operation that the key belongs to (open or ended), the caller's to clear */
    bool ret_changed_since;         /* REPEAT of an ended one: another operation has since changed an object of its */
};
bool journal_accept(struct db *db, struct journal_accept *a, struct eb_err *err) EB_CHECK;

/* Step 6: what stands before, the resolved targets and issue, and the write rows, each "pending": from now on in doubt until answered. */
struct journal_write {
    int n;                          /* 0, 1, ... within the operation */
    const char *action;             /* "member.add", "user.patch" */
    const char *object;             /* what it changes: "member:<group id>:<user id>", "user:<id>" */
    const char *touches;            /* a second object whose change matters to it, "user:<id>", or NULL */
};
struct journal_record {             /* EB_NOT_THERE if the operation is unknown or has ended. Recorded again: one more try of each write. */
    const char *id, *issue_key, *issue_id, *user_id, *group_id, *before, *wanted;   /* before, wanted (what it is to lead to): JSON */
    const char *object, *touches;   /* what the operation is about, in the form of journal_write; kept also where nothing is written. May be NULL */
    const struct journal_write *writes; size_t write_count;     /* none where nothing needs to change */
    int64_t now_ms, recent_ms;
    bool untouched;                 /* recorded again, and Graph has said that nothing was done yet: what stands before is what stands now */
    bool ret_recent;                /* another operation has written one of these objects within recent_ms, or is about to: the read may be stale */
};
bool journal_record(struct db *db, struct journal_record *r, struct eb_err *err) EB_CHECK;
/* Before a write is sent again: one more try, at now_ms. The row stays pending. EB_NOT_THERE if there is no such pending row. */
bool journal_write_again(struct db *db, const char *id, int n, int64_t now_ms, struct eb_err *err) EB_CHECK;

/* After a write of several: ends its row and puts the next one, pending, in one transaction, before that is sent. */
struct journal_write_end { int n; const char *state; /* "done", "nothing" (was so already), "refused", "unknown", "unsent" */ int status; const char *request_id; };
bool journal_write_next(struct db *db, const char *id, const struct journal_write_end *ended, const struct journal_write *next, int64_t now_ms,
                        struct eb_err *err) EB_CHECK;

struct journal_write_row { int n, tries; char action[24], object[160], state[12]; int64_t sent_ms, answered_ms; int status; char request_id[64]; };
/* At most max rows; *ret_count says how many. */
bool journal_writes(struct db *db, const char *id, struct journal_write_row *rows, size_t max, size_t *ret_count, struct eb_err *err) EB_CHECK;

/* Step 8, together with the audit row and the outbox row in the same transaction (store/audit.h, store/outbox.h). */
struct journal_conclusion {
    const char *id, *outcome, *code, *message, *after, *answer;
    const char *issue_key, *issue_id;       /* may be NULL */
    const char *made_user;                  /* the id of the user that it has made: whom an undo, and later operations on them, are about; or NULL */
    bool changed;
    bool free_key;                  /* refused, or failed before the first write: the same request may be sent again */
    bool free_origin;               /* it came to nothing, or wrote nothing: another operation may be made from the same origin */
    int64_t now_ms;
    const struct journal_write_end *writes; size_t write_count;
};
/* EB_NOT_THERE if the operation is unknown or has ended already. Pending writes that c->writes does not name become "unknown". */
bool journal_conclude(struct db *db, const struct journal_conclusion *c, struct eb_err *err) EB_CHECK;

/* EB_OPERATION_NOT_FOUND. token_name NULL: anybody's (command line); else only that name's. */
bool journal_get(struct db *db, const char *id, const char *token_name, struct journal_row *ret, struct eb_err *err) EB_CHECK;
typedef bool journal_each(void *ctx, const struct journal_row *r);      /* false ends the listing */
/* The operations that have changed an object of this one since it was concluded, in order. */
bool journal_list_since(struct db *db, const char *id, journal_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Newest first. issue matches issue, issue_key or issue_id. Any filter may be NULL; before_id: older than that operation (paging). */
/* state "open": what waits is not among them; it is listed by waits, "scheduled" or "held". */
struct journal_filter { const char *issue, *token_name, *state, *outcome, *kind, *before_id, *waits; int limit; };
bool journal_list(struct db *db, const struct journal_filter *f, journal_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* When one of our operations last made this write on that object ("user.delete" on "user:<id>"): between these two times. 0 and 0: never. */
bool journal_last_written(struct db *db, const char *action, const char *object, int64_t *ret_sent_ms, int64_t *ret_answered_ms, struct eb_err *err) EB_CHECK;
/* Deletes idempotency rows whose window is over, at most `most`; returns how many went in *ret_gone. */
bool journal_forget_keys(struct db *db, int64_t now_ms, int most, int64_t *ret_gone, struct eb_err *err) EB_CHECK;

#endif
