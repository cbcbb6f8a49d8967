/* stage.h - the staging file of a synchronization: what the source was seen to hold, what the target holds, and the difference.
 *
 * A second SQLite file, opened for the length of a run by store_open_stage() and locked meanwhile, so that no two runs work at once, in whichever
 * process. It may be lost at any time: the next run then reads everything anew. Everything below runs on its store's thread, in its jobs; reading functions
 * also in a command-line program that has it open with db_open_stage().
 *
 * An object of the source is known by its id (a GUID). Objects and links carry the generation (the number of the full read) that saw them last. What
 * changed is marked dirty, with its neighbours where they show it: a user whose group came or went, a user whose manager changed, a user who owns another group.
 */
#ifndef STORE_STAGE_H
#define STORE_STAGE_H

#include "base/error.h"

#include <stdint.h>

struct db;

enum stage_kind { STAGE_UNKNOWN, STAGE_USER, STAGE_GROUP, STAGE_KINDS };            /* UNKNOWN: something that is linked to and was not read (yet) */
enum stage_relation { STAGE_MEMBER /* group -> member */, STAGE_OWNER /* group -> owner */, STAGE_MANAGER /* user -> manager */, STAGE_RELATIONS };

/* ---- state of the job: delta links, generation, phase; by name ---- */

/* The caller's to free; NULL: there is none. */
bool stage_state_get(struct db *db, const char *name, char **ret, struct eb_err *err) EB_CHECK;
bool stage_state_put(struct db *db, const char *name, const char *value /* NULL: removes it */, struct eb_err *err) EB_CHECK;
bool stage_state_number(struct db *db, const char *name, int64_t *ret /* keeps its value where there is none */, struct eb_err *err) EB_CHECK;
bool stage_state_put_number(struct db *db, const char *name, int64_t value, struct eb_err *err) EB_CHECK;

/* ---- the source's objects and links ---- */

struct stage_object {               /* borrowed during a call */
    int64_t n;                      /* our number; set by reading */
    enum stage_kind kind;
    const char *id;
    const char *raw;                /* JSON, compact, keys sorted: what the source says */
    const char *mail, *upn;         /* lower case, for matching; NULL: none */
    bool in_scope;                  /* putting: of a new one only; stage_scope_set() changes it */
};
/* New or changed: dirty, also its neighbours where it is new, and other users with a mail or UPN that it takes or lays down. Seen by the generation. An id that the source used for an object of the other kind: EB_INTERNAL. */
bool stage_object_put(struct db *db, const struct stage_object *o, int64_t generation, struct eb_err *err) EB_CHECK;
/* The caller's to free; NULL: not known. */
bool stage_object_raw(struct db *db, const char *id, char **ret_raw, struct eb_err *err) EB_CHECK;
/* Goes, with its links; neighbours are dirty, its wanted row is removed. Not there: fine. */
bool stage_object_remove(struct db *db, const char *id, struct eb_err *err) EB_CHECK;
/* Links from one object to each of these. */
bool stage_links_put(struct db *db, const char *from, enum stage_relation r, const char *const *to, size_t count, int64_t generation, struct eb_err *err) EB_CHECK;
bool stage_link_remove(struct db *db, const char *from, enum stage_relation r, const char *to, struct eb_err *err) EB_CHECK;
/* The only link of this relation from there; to NULL: none. */
bool stage_link_set(struct db *db, const char *from, enum stage_relation r, const char *to, int64_t generation, struct eb_err *err) EB_CHECK;
/* Before a full read, and after it. The first one does without indexes by destination, mail and UPN until its end, and everything is dirty then; for later ones both do
 * nothing. Whatever needs them in between (what removes, what changes scope, levels, unmatched accounts) ends the bulk by itself: correct, but slower for what follows. */
bool stage_bulk_begin(struct db *db, struct eb_err *err) EB_CHECK;
bool stage_bulk_end(struct db *db, struct eb_err *err) EB_CHECK;
/* After a full read of this kind (and, with it, of the relations that begin there): what the generation did not see goes. A link
 * to it that this generation has seen stays, to something that is not read yet. ret_removed (may be NULL): objects of the kind. */
bool stage_sweep(struct db *db, enum stage_kind kind, int64_t generation, int64_t *ret_removed, struct eb_err *err) EB_CHECK;
/* Users that the generation has not seen and that are more than what is left of somebody deleted: ids in the order of numbers, after that one, at most limit.
 * scope_only: not those that nothing is made of. */
typedef bool stage_unseen_user(void *ctx, int64_t n, const char *id);
bool stage_users_unseen(struct db *db, int64_t generation, bool scope_only, int64_t after, int limit, stage_unseen_user *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_users_unseen_count(struct db *db, int64_t generation, int64_t *ret, struct eb_err *err) EB_CHECK;
bool stage_users_seen_count(struct db *db, int64_t generation, int64_t *ret, struct eb_err *err) EB_CHECK;
bool stage_object_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err) EB_CHECK;

/* ---- accounts of the Atlassian site ---- */

struct stage_account { const char *id, *mail /* lower case; NULL: hidden */, *name; bool active; };
/* Users with that mail are dirty where it is new or changed. An active account that hides its mail keeps the one that was known, until another active account
 * shows it: whose it is has not changed. */
bool stage_account_put(struct db *db, const struct stage_account *a, int64_t generation, struct eb_err *err) EB_CHECK;
bool stage_account_sweep(struct db *db, int64_t generation, int64_t *ret_removed, struct eb_err *err) EB_CHECK;
/* Where several fit, none does: several accounts have that mail, or several users bear it. */
enum stage_fit { STAGE_FIT_NONE, STAGE_FIT_ONE, STAGE_FIT_ACCOUNTS, STAGE_FIT_USERS };
/* The active account of a user: by mail; else by UPN, unless any user of the stage has that as mail. *ret_id the caller's, NULL but for STAGE_FIT_ONE. */
bool stage_account_of(struct db *db, const char *mail, const char *upn, char **ret_id, enum stage_fit *ret, struct eb_err *err) EB_CHECK;
bool stage_account_of_id(struct db *db, const char *id, char **ret_id, struct eb_err *err) EB_CHECK;      /* of an object of the source; none, or none known: NULL */
/* Keeps the account (NULL: none) that others show of a user, until the user goes. *ret_other: it was another one. */
bool stage_account_shown(struct db *db, int64_t n, const char *account, bool *ret_other, struct eb_err *err) EB_CHECK;
typedef bool stage_account_each(void *ctx, const struct stage_account *a);          /* false ends the walk */
/* Active accounts that are no account of a user in scope, also those that share their mail with another, or whose mail several users bear. In the order of ids,
 * after `after` (NULL: from the first), at most limit. */
bool stage_accounts_unmatched(struct db *db, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* The same, of those whose mail no object of the source that this generation or a later one has seen has, as mail or UPN: for reading them by mail. */
bool stage_accounts_unread(struct db *db, int64_t generation, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Active accounts that hide their mail and keep the one of before, in the same way. */
bool stage_accounts_keeping(struct db *db, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Active accounts that show their mail, and those that have hidden it in a later generation than that one. */
bool stage_accounts_hidden(struct db *db, int64_t after, int64_t *ret_shown, int64_t *ret_hidden, struct eb_err *err) EB_CHECK;
bool stage_account_count(struct db *db, int64_t *ret_active, struct eb_err *err) EB_CHECK;

/* ---- from the source to what is wanted ---- */

typedef bool stage_object_each(void *ctx, const struct stage_object *o);
/* Dirty objects of a kind, by their number, after `after`, at most limit. The walk may change what it is told of. */
bool stage_dirty_each(struct db *db, enum stage_kind kind, int64_t after, int limit, stage_object_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_dirty_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err) EB_CHECK;
bool stage_dirty_all(struct db *db, struct eb_err *err) EB_CHECK;                   /* another configuration: everything is judged anew */
/* Those of a kind with numbers above `after`, up to `through`, were judged. */
bool stage_clean(struct db *db, enum stage_kind kind, int64_t after, int64_t through, struct eb_err *err) EB_CHECK;
/* Was anything judged, or removed, or an account another one, since this was last taken? Sums over everything need be made anew only then. */
bool stage_news(struct db *db, bool *ret, struct eb_err *err) EB_CHECK;
bool stage_news_taken(struct db *db, struct eb_err *err) EB_CHECK;
/* Neighbours are dirty where it changes. */
bool stage_scope_set(struct db *db, int64_t n, bool in_scope, struct eb_err *err) EB_CHECK;
/* Who is, directly or through nested groups, in one of these groups (ids): objects whose answer to stage_in_groups() changes are dirty. count 0: nobody is asked. */
bool stage_groups_set(struct db *db, const char *const *ids, size_t count, struct eb_err *err) EB_CHECK;
bool stage_in_groups(struct db *db, int64_t n, bool *ret, struct eb_err *err) EB_CHECK;
/* Ids, in order, at the other end of its links: `from` it (its manager, its owners) or to it (groups that it is in). In scope only, unless `all`. */
typedef bool stage_id_each(void *ctx, const char *id);
bool stage_links_from(struct db *db, int64_t n, enum stage_relation r, bool all, stage_id_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_links_to(struct db *db, int64_t n, enum stage_relation r, bool all, stage_id_each *each, void *ctx, struct eb_err *err) EB_CHECK;

struct stage_wanted {
    int64_t n;                      /* of the object */
    enum stage_kind kind;
    const char *key;                /* the object's id */
    const char *label;
    const char *hash, *attributes;  /* attributes: JSON by the target's names, references as ids of the source; hash: of it */
    bool lacks_manager;             /* the source names a manager who is not in scope */
};
bool stage_wanted_put(struct db *db, const struct stage_wanted *w, struct eb_err *err) EB_CHECK;
bool stage_wanted_remove(struct db *db, int64_t n, struct eb_err *err) EB_CHECK;
bool stage_wanted_count(struct db *db, enum stage_kind kind, int64_t *ret, struct eb_err *err) EB_CHECK;
/* How far each wanted user is from the top of its line of managers (0: at the top, or in a circle); so that managers are made before their reports.
 * Who stands below a circle, or more than 64 deep, is at 0 too. *ret_levels: how many there are. */
bool stage_levels(struct db *db, int *ret_levels, struct eb_err *err) EB_CHECK;
bool stage_level_count(struct db *db, int *ret_levels, struct eb_err *err) EB_CHECK;     /* as they were reckoned last */

/* ---- the target's objects ---- */

enum stage_doubt { STAGE_SURE, STAGE_CREATE_SENT };     /* CREATE_SENT: journaled before a creation is sent; whether it happened is not known yet */
struct stage_target {               /* borrowed during a call */
    int64_t n;
    enum stage_kind kind;
    const char *key;                /* the source's id that it stands for */
    const char *object_id, *object_key;     /* the target's; NULL while in doubt */
    bool active;
    int64_t left_ms;                /* since when it is inactive; 0: it is active, or it is not known */
    enum stage_doubt doubt;
    int64_t sent_ms;
    const char *hash, *attributes;  /* what stands there, as in stage_wanted; hash "": not known (it was in doubt, or the end of a write was not kept) */
};
/* By kind and key; object_id and object_key NULL: as they were. */
bool stage_target_put(struct db *db, const struct stage_target *t, int64_t generation, struct eb_err *err) EB_CHECK;
/* Before it is written: what stands there is not known until the answer is kept (hash ""). */
bool stage_target_unsure(struct db *db, enum stage_kind kind, const char *key, struct eb_err *err) EB_CHECK;
bool stage_target_remove(struct db *db, enum stage_kind kind, const char *key, struct eb_err *err) EB_CHECK;
typedef bool stage_target_each(void *ctx, const struct stage_target *t);
bool stage_target_get(struct db *db, enum stage_kind kind, const char *key, stage_target_each *each, void *ctx, struct eb_err *err) EB_CHECK;  /* each: once or never */
/* Between the two names of an object: the caller's; NULL: not there, or in doubt. */
bool stage_target_object_key(struct db *db, enum stage_kind kind, const char *key, char **ret, struct eb_err *err) EB_CHECK;
bool stage_target_key_of(struct db *db, enum stage_kind kind, const char *object_key, char **ret, struct eb_err *err) EB_CHECK;
bool stage_target_in_doubt(struct db *db, int64_t after, int limit, stage_target_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Those that a full read of the target did not find, also those in doubt: after `after` (number), at most limit. */
bool stage_target_unseen(struct db *db, int64_t generation, int64_t after, int limit, stage_target_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_target_count(struct db *db, enum stage_kind kind, bool active_only, int64_t *ret, struct eb_err *err) EB_CHECK;
bool stage_target_forget_all(struct db *db, struct eb_err *err) EB_CHECK;

/* ---- the plan: the difference, never stored ---- */

enum stage_action { STAGE_CREATE, STAGE_UPDATE /* also: active again */, STAGE_LEAVE /* active, and not wanted any more */, STAGE_DELETE /* inactive since before */, STAGE_ACTIONS };
struct stage_change { enum stage_action action; const struct stage_wanted *wanted; /* NULL: LEAVE, DELETE */ const struct stage_target *target; /* NULL: CREATE */ };
typedef bool stage_change_each(void *ctx, const struct stage_change *c);
struct stage_plan {
    enum stage_kind kind;
    enum stage_action action;
    int level;                      /* of CREATE and UPDATE of users; -1: all */
    int64_t left_before_ms;         /* of DELETE */
};
/* In the order of numbers (the wanted row's, else the target row's), after `after`, at most limit. Rows whose creation is in doubt are in no plan. */
bool stage_plan_each(struct db *db, const struct stage_plan *p, int64_t after, int limit, stage_change_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_plan_count(struct db *db, const struct stage_plan *p, int64_t *ret, struct eb_err *err) EB_CHECK;
/* Wanted users whose manager is out of scope, as targets of a report: key and label. */
typedef bool stage_wanted_each(void *ctx, const struct stage_wanted *w);
bool stage_managers_missing(struct db *db, int64_t after, int limit, stage_wanted_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_managers_missing_count(struct db *db, int64_t *ret, struct eb_err *err) EB_CHECK;

/* ---- warnings of the last reading and planning, for the preview ---- */

/* The same text about the same key stands once. */
bool stage_note_put(struct db *db, const char *category, const char *key, const char *label, const char *text, struct eb_err *err) EB_CHECK;
bool stage_notes_clear(struct db *db, const char *category /* NULL: all */, struct eb_err *err) EB_CHECK;
struct stage_note { const char *category, *key, *label, *text; int64_t n; /* for `after` */ };
typedef bool stage_note_each(void *ctx, const struct stage_note *n);
bool stage_notes_each(struct db *db, int64_t after, int limit, stage_note_each *each, void *ctx, struct eb_err *err) EB_CHECK;
bool stage_notes_count(struct db *db, int64_t *ret, struct eb_err *err) EB_CHECK;

#endif
