/* stage_account.c - accounts of the Atlassian site, and which user each belongs to.
 *
 * A user's account is the one active account with its mail; where no active account has that mail, the one with its UPN, unless that is somebody's mail.
 * Invariant: an account belongs to one user at most. Where several users bear its mail, nobody can tell whose it is, and it is nobody's.
 * An account that hides its mail keeps the one that was known: it counts where no account shows that mail.
 * Mails are compared as they are put: both sides put them in lower case.
 */
#include "store/stage_rows.h"

#include "base/text.h"

#include <stdlib.h>

/* In bulk that waits for the end: everything is dirty then. */
bool stage_mark_bearers(struct db *db, const char *text, struct eb_err *err)
{
    bool bulk = false;

    if (text == NULL || !stage_in_bulk(db, &bulk, err))
        return text == NULL;
    return bulk ||
           (db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT kind, n FROM objects WHERE mail = $1 AND kind = $2", DB_T(text),
                       DB_I(STAGE_USER)) &&
            db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT kind, n FROM objects WHERE upn = $1 AND kind = $2", DB_T(text),
                       DB_I(STAGE_USER)));
}

/* What was known of it. *ret_mail: the caller's. */
static bool find(struct db *db, const struct stage_account *a, bool *ret_active, int64_t *ret_hidden, char **ret_mail, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT mail, active, hidden FROM accounts WHERE id = $1", DB_T(a->id));
    bool found;

    *ret_active = false;
    *ret_hidden = 0;
    *ret_mail = NULL;
    if (!db_first(s, &found, err))
        return false;
    if (!found)
        return true;
    *ret_mail = db_copy(s, 0);
    *ret_active = db_int(s, 1) != 0;
    *ret_hidden = db_int(s, 2);
    return db_run(s, NULL, err);
}

bool stage_account_put(struct db *db, const struct stage_account *a, int64_t generation, struct eb_err *err)
{
    bool active;
    int64_t was_hidden;
    char *was;

    if (!find(db, a, &active, &was_hidden, &was, err))
        return false;
    bool keeps = a->mail == NULL && a->active && active && was != NULL;
    const char *mail = keeps ? was : a->mail;
    int64_t hidden = !keeps ? 0 : was_hidden > 0 ? was_hidden : generation;
    bool same = active == a->active && was_hidden == hidden && eb_streq(was, mail);
    bool ok = (same || (stage_tell_news(db, err) && stage_mark_bearers(db, was, err) && stage_mark_bearers(db, mail, err))) &&
              db_execute(db, NULL, err, "INSERT INTO accounts (id, mail, name, active, seen, hidden) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET"
                         " mail = excluded.mail, name = excluded.name, active = excluded.active, seen = excluded.seen, hidden = excluded.hidden", DB_T(a->id),
                         DB_T(mail), DB_T(a->name), DB_I(a->active), DB_I(generation), DB_I(hidden));

    free(was);
    return ok;
}

static bool mark_swept(struct db *db, int64_t generation, struct eb_err *err)
{
    bool bulk;

    if (!stage_in_bulk(db, &bulk, err))
        return false;
    return bulk ||
           (db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM accounts a CROSS JOIN objects o ON o.mail = a.mail"
                       " WHERE a.seen < $1 AND o.kind = $2", DB_I(generation), DB_I(STAGE_USER)) &&
            db_execute(db, NULL, err, "INSERT OR IGNORE INTO dirty (kind, n) SELECT o.kind, o.n FROM accounts a CROSS JOIN objects o ON o.upn = a.mail"
                       " WHERE a.seen < $1 AND o.kind = $2", DB_I(generation), DB_I(STAGE_USER)));
}

bool stage_account_sweep(struct db *db, int64_t generation, int64_t *ret_removed, struct eb_err *err)
{
    int64_t removed = 0;

    if (!mark_swept(db, generation, err) || !db_execute(db, &removed, err, "DELETE FROM accounts WHERE seen < $1", DB_I(generation)))
        return false;
    if (ret_removed != NULL)
        *ret_removed = removed;
    return removed == 0 || stage_tell_news(db, err);
}

/* *ret_id: the caller's; NULL: none, or several. */
static bool with_mail(struct db *db, const char *mail, char **ret_id, enum stage_fit *ret, struct eb_err *err)
{
    struct db_stmt *s = db_query(db, err, "SELECT id, count(*) FROM accounts WHERE mail = $1 AND active = 1 AND (hidden = 0 OR NOT EXISTS"
                                 " (SELECT 1 FROM accounts WHERE mail = $1 AND active = 1 AND hidden = 0))", DB_T(mail));
    bool found;

    if (!db_first(s, &found, err))
        return false;
    int64_t count = db_int(s, 1);
    *ret = count == 0 ? STAGE_FIT_NONE : count == 1 ? STAGE_FIT_ONE : STAGE_FIT_ACCOUNTS;
    *ret_id = count == 1 ? db_copy(s, 0) : NULL;
    return db_run(s, NULL, err);
}

/* Two are as many as any more. */
static bool bearers(struct db *db, bool by_upn, const char *text, int64_t *ret, struct eb_err *err)
{
    return db_number(db_query(db, err, by_upn ? "SELECT count(*) FROM (SELECT 1 FROM objects WHERE upn = $1 AND kind = $2 LIMIT 2)"
                                              : "SELECT count(*) FROM (SELECT 1 FROM objects WHERE mail = $1 AND kind = $2 LIMIT 2)", DB_T(text), DB_I(STAGE_USER)),
                     ret, err);
}

static void take_back(char **id, enum stage_fit *fit, enum stage_fit other)
{
    free(*id);
    *id = NULL;
    *fit = other;
}

/* By UPN only what is nobody's mail. */
static bool by_upn(struct db *db, const char *upn, char **ret_id, enum stage_fit *ret, struct eb_err *err)
{
    int64_t mails, upns;

    if (!with_mail(db, upn, ret_id, ret, err))
        return false;
    if (*ret == STAGE_FIT_NONE)
        return true;
    if (!bearers(db, false, upn, &mails, err) || !bearers(db, true, upn, &upns, err)) {
        take_back(ret_id, ret, STAGE_FIT_NONE);
        return false;
    }
    if (mails > 0)
        take_back(ret_id, ret, STAGE_FIT_NONE);
    else if (upns > 1)
        take_back(ret_id, ret, STAGE_FIT_USERS);
    return true;
}

bool stage_account_of(struct db *db, const char *mail, const char *upn, char **ret_id, enum stage_fit *ret, struct eb_err *err)
{
    int64_t mails;

    *ret_id = NULL;
    *ret = STAGE_FIT_NONE;
    if (!with_mail(db, mail, ret_id, ret, err))
        return false;
    if (*ret == STAGE_FIT_NONE)
        return by_upn(db, upn, ret_id, ret, err);
    bool ok = *ret != STAGE_FIT_ONE || bearers(db, false, mail, &mails, err);
    if (*ret == STAGE_FIT_ONE && (!ok || mails > 1))
        take_back(ret_id, ret, STAGE_FIT_USERS);
    return ok;
}

bool stage_account_of_id(struct db *db, const char *id, char **ret_id, struct eb_err *err)
{
    char *mail = NULL, *upn = NULL;
    enum stage_fit fit;
    struct stage_ref r;

    *ret_id = NULL;
    bool ok = stage_find(db, id, &r, err) && stage_names(db, r.n, &mail, &upn, err) && stage_account_of(db, mail, upn, ret_id, &fit, err);
    free(mail);
    free(upn);
    return ok;
}

bool stage_account_shown(struct db *db, int64_t n, const char *account, bool *ret_other, struct eb_err *err)
{
    int64_t changed = 0;

    if (!db_execute(db, &changed, err, "UPDATE objects SET shown = $2 WHERE n = $1 AND shown IS NOT $2", DB_I(n), DB_T(account)))
        return false;
    *ret_other = changed > 0;
    return true;
}

#define ACCOUNT "SELECT a.id, a.mail, a.name FROM accounts a WHERE a.id > $1 AND a.active = 1 AND "
#define PAGE " ORDER BY a.id LIMIT $2"
#define NOBODY_ELSE "NOT EXISTS (SELECT 1 FROM accounts b WHERE b.mail = a.mail AND b.active = 1 AND b.id <> a.id AND (b.hidden = 0 OR a.hidden > 0))"
#define NO_OTHER(condition) "NOT EXISTS (SELECT 1 FROM objects p WHERE " condition " AND p.kind = 1 AND p.n <> o.n)"

static struct db_stmt *unread_query(struct db *db, int64_t generation, const char *after, int limit, struct eb_err *err)
{
    return db_query(db, err, ACCOUNT "a.mail IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.mail = a.mail AND o.seen >= $3)"
                    " AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.upn = a.mail AND o.seen >= $3)" PAGE, DB_T(after), DB_I(limit), DB_I(generation));
}

/* What stage_account_of() would not give for any user in scope. By UPN a user fits only where no active account has its mail. */
static struct db_stmt *unmatched_query(struct db *db, const char *after, int limit, struct eb_err *err)
{
    return db_query(db, err, ACCOUNT "NOT (" NOBODY_ELSE " AND ("
                    "EXISTS (SELECT 1 FROM objects o WHERE o.mail = a.mail AND o.kind = 1 AND o.in_scope = 1 AND " NO_OTHER("p.mail = a.mail") ") OR "
                    "EXISTS (SELECT 1 FROM objects o WHERE o.upn = a.mail AND o.kind = 1 AND o.in_scope = 1 AND " NO_OTHER("p.mail = a.mail") " AND " NO_OTHER("p.upn = a.mail") " AND"
                    " NOT EXISTS (SELECT 1 FROM accounts c WHERE c.mail = o.mail AND c.active = 1))))" PAGE, DB_T(after), DB_I(limit));
}

static bool each_account(struct db_stmt *s, stage_account_each *each, void *ctx, struct eb_err *err)
{
    enum db_step step = DB_DONE;
    bool more = true;

    if (s == NULL)
        return false;
    while (more && (step = db_step(s, err)) == DB_ROW)
        more = each(ctx, &(struct stage_account){ .id = db_text(s, 0), .mail = db_text(s, 1), .name = db_text(s, 2), .active = true });
    db_stop(s);
    return step != DB_FAILED;
}

bool stage_accounts_unmatched(struct db *db, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err)
{
    return stage_bulk_end(db, err) && each_account(unmatched_query(db, after != NULL ? after : "", limit, err), each, ctx, err);
}

bool stage_accounts_unread(struct db *db, int64_t generation, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err)
{
    return stage_bulk_end(db, err) && each_account(unread_query(db, generation, after != NULL ? after : "", limit, err), each, ctx, err);
}

bool stage_accounts_keeping(struct db *db, const char *after, int limit, stage_account_each *each, void *ctx, struct eb_err *err)
{
    return each_account(db_query(db, err, ACCOUNT "a.hidden > 0" PAGE, DB_T(after != NULL ? after : ""), DB_I(limit)), each, ctx, err);
}

bool stage_accounts_hidden(struct db *db, int64_t after, int64_t *ret_shown, int64_t *ret_hidden, struct eb_err *err)
{
    return db_number(db_prepare(db, "SELECT count(*) FROM accounts WHERE active = 1 AND mail IS NOT NULL AND hidden = 0", err), ret_shown, err) &&
           db_number(db_query(db, err, "SELECT count(*) FROM accounts WHERE active = 1 AND hidden > $1", DB_I(after)), ret_hidden, err);
}

bool stage_account_count(struct db *db, int64_t *ret_active, struct eb_err *err)
{
    return db_number(db_prepare(db, "SELECT count(*) FROM accounts WHERE active = 1", err), ret_active, err);
}
