/* entra.h - what the files of the source "entra" share. No other file includes it.
 *
 * Reading is a walk through phases. Where it stands (phase, link of the next page, generation) is state of the staging file, written in the transaction that
 * stores a page: so it goes on there after a stop or a kill, and neither loses nor doubts anything. The loop asks for pages and owns `struct entra`; jobs on the
 * staging thread parse and store, and touch of it only what never changes (struct entra_options).
 */
#ifndef SYNC_ENTRA_H
#define SYNC_ENTRA_H

#include "sync/source.h"

enum entra_phase {
    ENTRA_IDLE,                 /* nothing is under way */
    ENTRA_ACCOUNTS,             /* the users of the Atlassian site; next: where the page begins */
    ENTRA_CHOOSE,               /* accounts first: single mails or the whole listing, whichever costs fewer calls */
    ENTRA_LATEST,               /* the link from which changes are told, before anything is listed: so that nothing is missed */
    ENTRA_USERS,                /* all users, page by page; next: the link */
    ENTRA_USERS_CHANGED,        /* changes since the last time; next: the link */
    ENTRA_LOOK,                 /* users of whom a change said less than we need */
    ENTRA_ASK,                  /* accounts first: users by the mails of accounts; next: the last account asked for */
    ENTRA_COMPARE,              /* the list lacks so many who were known that it is held against the number of users */
    ENTRA_CONFIRM,              /* who was known and was not read: only whom Entra does not know by id has gone; next: the last user's number */
    ENTRA_GROUPS_CHANGED,
    ENTRA_GROUPS,               /* all groups with members and owners: the first round of their changes */
    ENTRA_DONE,
    ENTRA_PHASES
};

/* From the configuration; never changes while a source is open, and is the only thing that jobs may read. */
struct entra_options {
    const struct config_sync *sync;
    const struct sync_schema *schema;
    char *users_select, *groups_select;
    bool accounts_first, groups_read;
    char read_hash[33];         /* of what is asked for: another one, and everything is read anew */
    char judge_hash[33];        /* of what is in scope and how it is shown: another one, and everything is judged anew */
    int pages_max;              /* of one phase; past it the walk is taken for endless */
    int confirm_max;            /* users of a list that are looked at singly before they are taken for gone; more: see ENTRA_COMPARE */
};
struct entra_options *entra_options_new(const struct config_sync *c, const struct sync_schema *schema);
void entra_options_free(struct entra_options *o);

/* ---- where a reading stands (entra_state.c); on the staging thread ---- */

struct entra_place {
    enum entra_phase phase;
    bool all;                   /* everything is read */
    int64_t generation;         /* of users and groups */
    int64_t pages;              /* of the phase */
    int64_t done;               /* objects of the phase, for people */
    char *next;                 /* owned; NULL: the phase's beginning */
    bool goes_on;               /* with what an earlier run has begun; not kept */
};
void entra_place_clear(struct entra_place *p);
bool entra_place_load(struct db *db, struct entra_place *ret, struct eb_err *err) EB_CHECK;
bool entra_place_save(struct db *db, const struct entra_place *p, struct eb_err *err) EB_CHECK;
/* Where this reading begins, or goes on. anew: whatever was under way does not count (a link was not good any more). */
bool entra_begin(struct db *db, const struct entra_options *o, bool all, bool anew, struct entra_place *ret, struct eb_err *err) EB_CHECK;
/* The phase was read whole: sweeps, and goes to the next one. *p is the new place, and is saved. */
bool entra_advance(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_err *err) EB_CHECK;
/* A page of a phase was stored: its link leads on (and is saved), or this was the last. */
bool entra_step(struct db *db, const struct entra_options *o, struct entra_place *p, const char *next, struct eb_err *err) EB_CHECK;

/* ---- one page (entra_page.c); on the staging thread, but for entra_page_peek() ---- */

struct entra_fault { enum stage_kind kind; char *key, *label, *text; };
#define ENTRA_FAULTS_MAX 50     /* of a page; more are counted */
struct entra_faults { struct entra_fault items[ENTRA_FAULTS_MAX]; size_t count, more; };
void entra_fault_add(struct entra_faults *f, enum stage_kind kind, const char *key, const char *label, const char *text);
void entra_faults_clear(struct entra_faults *f);

struct entra_page {
    json_t *doc;                /* owned */
    const json_t *items;        /* its list */
    const char *next, *delta;   /* borrowed; one of them, or none: the last page of a plain list */
};
/* What a page must be in that phase; whatever else it is: an error of the reading, never "nobody is there". Pure. */
bool entra_page_parse(struct eb_span body, enum entra_phase phase, struct entra_page *ret, struct eb_err *err) EB_CHECK;
void entra_page_clear(struct entra_page *p);
/* Stores a page and moves the place on. Items that are odd are faults; the others go on. */
bool entra_page_store(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_span body, struct entra_faults *faults, struct eb_err *err) EB_CHECK;
/* A user as a list or a lookup gives it: whole, with the manager. ret_id (may be NULL): borrowed from the item. */
bool entra_user_put(struct db *db, const struct entra_options *o, const json_t *item, int64_t generation, struct entra_faults *faults, struct eb_err *err) EB_CHECK;
/* ASCII letters in lower case, for matching mails; the caller's. NULL and "": NULL. Pure. */
char *entra_lower(const char *text);
/* The text of a raw: compact, members in order, as eb_json_canonical() gives it; the caller's. Pure. */
char *entra_raw_text(const json_t *raw);
/* Where the page's own text says that the next one is; the caller's, NULL: not plain to see. Nothing but a guess, for asking early. */
char *entra_page_peek(struct eb_span body);

/* ---- accounts and lookups (entra_accounts.c); on the staging thread ---- */

bool entra_accounts_store(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_span body, struct entra_faults *faults, struct eb_err *err) EB_CHECK;
/* Paths for a batch, at most GRAPH_BATCH_MAX. None: the place has moved on to the next phase. keys: account ids (ASK), user ids (LOOK, CONFIRM). */
struct entra_asks { char *paths[GRAPH_BATCH_MAX], *keys[GRAPH_BATCH_MAX]; int count; int64_t last; /* CONFIRM: number of the last one */ };
void entra_asks_clear(struct entra_asks *a);
bool entra_asks_next(struct db *db, const struct entra_options *o, struct entra_place *p, struct entra_asks *ret, struct eb_err *err) EB_CHECK;
/* answers: one for each path, JSON, NULL where Entra knows no such user. */
bool entra_asks_store(struct db *db, const struct entra_options *o, struct entra_place *p, const struct entra_asks *a, char *const *answers,
                      struct entra_faults *faults, struct eb_err *err) EB_CHECK;
/* Users to be looked at one by one, kept in the state. */
bool entra_look_add(struct db *db, const char *id, struct eb_err *err) EB_CHECK;
bool entra_look_any(struct db *db, bool *ret, struct eb_err *err) EB_CHECK;
/* Accounts first: how many accounts are unread (stage_accounts_unread()), and a text that changes with them. */
bool entra_unread(struct db *db, int64_t generation, int64_t *ret_count, char ret_hash[33], struct eb_err *err) EB_CHECK;
bool entra_choose(struct db *db, const struct entra_options *o, struct entra_place *p, int64_t users, struct eb_err *err) EB_CHECK;
/* users: how many Entra says there are. A list that lacks many of them is none (EB_NOT_THERE: read anew); otherwise who was not seen has gone. */
bool entra_compare(struct db *db, const struct entra_options *o, struct entra_place *p, int64_t users, struct eb_err *err) EB_CHECK;

/* ---- from raw to wanted ---- */

bool entra_project(void *source, struct db *db, int pass, enum stage_kind kind, int64_t *after, int limit, bool *ret_more, struct eb_err *err);
bool entra_notes(void *source, struct db *db, struct sync_counts *counts, struct eb_err *err);
const struct entra_options *entra_options_of(const void *source);
/* Scope (entra_scope.c). */
bool entra_groups_settle(struct db *db, const struct entra_options *o, struct eb_err *err) EB_CHECK;
bool entra_scope(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, bool *ret, struct eb_err *err) EB_CHECK;
/* The record of an object in scope (entra_record.c). */
bool entra_record_put(struct db *db, const struct entra_options *o, const struct stage_object *object, const json_t *raw, struct eb_err *err) EB_CHECK;
void entra_read(void *source, enum sync_reading how, bool *ret_all, sync_done *done, void *ctx);

/* Names of the state. */
#define ENTRA_STATE_USERS_LINK "entra.users.link"       /* from which the next reading of changes goes on */
#define ENTRA_STATE_GROUPS_LINK "entra.groups.link"
#define ENTRA_STATE_GROUPS_AGAIN "entra.groups.again"   /* a deleted group is back: who is in what was forgotten with it */
#define ENTRA_STATE_LISTED "entra.listed"               /* accounts first: 1: all users are here, not only those asked for */
#define ENTRA_STATE_ACCOUNTS_GENERATION "entra.accounts.generation"
#define ENTRA_STATE_ACCOUNTS_WHOLE "entra.accounts.whole"        /* the last generation of accounts that was read to its end */
#define ENTRA_STATE_SEEN "entra.seen"                   /* accounts of this reading, or users: a list of none is no list */
#define ENTRA_STATE_HOLES "entra.holes"                 /* items of this phase of which nobody can tell whose they are */
#define ENTRA_STATE_UNSWEPT "entra.unswept"             /* users were read whole, and who was not seen is not taken for gone yet */
#define ENTRA_STATE_ASKED "entra.asked"                 /* accounts first: a hash of the mails that Entra did not know, and when (".at") */
#define ENTRA_STATE_LOOK "entra.look"
#define ENTRA_STATE_MEMBER_OF "entra.member_of"

/* A raw with this member is what is left of a user or group that was deleted and may come back. */
#define ENTRA_REMOVED "removed"

#endif
