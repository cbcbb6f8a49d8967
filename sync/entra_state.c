/* entra_state.c - the walk of a reading: which phase follows which, where it begins, and what the end of a phase means.
 *
 * Invariants: a sweep happens only at the end of a phase that was read to its last page; of users, when whom the list did not show is not known by id either.
 * Links from which the next reading goes on are written with the last page they belong to. A reading of everything has a generation of its own, so that what an earlier one saw and this one did not is known to be gone.
 */
#include "sync/entra.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ACCOUNTS_EVERY_MS (3600LL * 1000)       /* also in a reading that changed people: whoever is new may have an account */
#define GOES_ON_MS (24LL * 3600 * 1000)     /* a reading that was cut longer ago begins anew: links live for days, but not for ever */

/* SQLite keeps 0 and 1 in no bytes at all: a row that is seen again by the second generation would be moved, millions of them. */
#define FIRST_GENERATION 2
#define HIDDEN_MIN 5            /* fewer accounts may hide their mails as they like */

#define PHASE "entra.phase"
#define ALL "entra.all"
#define NEXT "entra.next"
#define PAGES "entra.pages"
#define DONE "entra.done"
#define BEGUN "entra.begun"
#define GENERATION "entra.generation"
#define READ_HASH "entra.read.hash"
#define JUDGE_HASH "entra.judge.hash"
#define ACCOUNTS_AT "entra.accounts.at"

/* The phases in order; entra_skips() leaves some out. */
static const enum entra_phase walks[2][2][12] = {
    [false] = {         /* directory first */
        [false] = { ENTRA_USERS_CHANGED, ENTRA_LOOK, ENTRA_GROUPS_CHANGED, ENTRA_GROUPS, ENTRA_ACCOUNTS, ENTRA_DONE },
        [true] = { ENTRA_LATEST, ENTRA_USERS, ENTRA_COMPARE, ENTRA_CONFIRM, ENTRA_GROUPS, ENTRA_ACCOUNTS, ENTRA_DONE },
    },
    [true] = {          /* accounts first */
        [false] = { ENTRA_ACCOUNTS, ENTRA_USERS_CHANGED, ENTRA_LOOK, ENTRA_CHOOSE, ENTRA_USERS, ENTRA_ASK, ENTRA_COMPARE, ENTRA_CONFIRM, ENTRA_GROUPS_CHANGED,
                    ENTRA_GROUPS, ENTRA_DONE },
        [true] = { ENTRA_ACCOUNTS, ENTRA_LATEST, ENTRA_CHOOSE, ENTRA_USERS, ENTRA_ASK, ENTRA_COMPARE, ENTRA_CONFIRM, ENTRA_GROUPS, ENTRA_DONE },
    },
};

void entra_place_clear(struct entra_place *p)
{
    free(p->next);
    *p = (struct entra_place){ 0 };
}

bool entra_place_load(struct db *db, struct entra_place *ret, struct eb_err *err)
{
    int64_t phase = ENTRA_IDLE, all = 0;

    *ret = (struct entra_place){ 0 };
    if (!stage_state_number(db, PHASE, &phase, err) || !stage_state_number(db, ALL, &all, err) || !stage_state_number(db, GENERATION, &ret->generation, err) ||
        !stage_state_number(db, PAGES, &ret->pages, err) || !stage_state_number(db, DONE, &ret->done, err) || !stage_state_get(db, NEXT, &ret->next, err))
        return false;
    ret->phase = phase > ENTRA_IDLE && phase < ENTRA_PHASES ? (enum entra_phase)phase : ENTRA_IDLE;
    ret->all = all != 0;
    return true;
}

bool entra_place_save(struct db *db, const struct entra_place *p, struct eb_err *err)
{
    return stage_state_put_number(db, PHASE, p->phase, err) && stage_state_put_number(db, ALL, p->all, err) &&
           stage_state_put_number(db, GENERATION, p->generation, err) && stage_state_put_number(db, PAGES, p->pages, err) &&
           stage_state_put_number(db, DONE, p->done, err) && stage_state_put(db, NEXT, p->next, err);
}

/* ---- which phases a walk leaves out ---- */

static bool number_of(struct db *db, const char *name, int64_t *ret, struct eb_err *err)
{
    *ret = 0;
    return stage_state_number(db, name, ret, err);
}

/* Accounts whose mails were asked for are asked for again when there are others among them, or after a day: who appears in Entra meanwhile is told as a change. */
static bool ask_is_due(struct db *db, bool *ret, struct eb_err *err)
{
    char *asked = NULL, hash[33];
    int64_t unread, at;
    bool ok = entra_unread(db, 0, &unread, hash, err) && stage_state_get(db, ENTRA_STATE_ASKED, &asked, err) && number_of(db, ENTRA_STATE_ASKED ".at", &at, err);

    if (ok)
        *ret = unread > 0 && (!eb_streq(asked, hash) || eb_now_ms() - at >= ACCOUNTS_EVERY_MS);
    free(asked);
    return ok;
}

static bool skips(struct db *db, const struct entra_options *o, const struct entra_place *p, enum entra_phase phase, bool *ret, struct eb_err *err)
{
    int64_t number = 0, listed = 0, count = 0;
    bool due = true;

    *ret = false;
    if (!number_of(db, ENTRA_STATE_LISTED, &listed, err))
        return false;
    switch (phase) {
    case ENTRA_ACCOUNTS:
        if (!number_of(db, ACCOUNTS_AT, &number, err) || !stage_dirty_count(db, STAGE_USER, &count, err))
            return false;
        *ret = !p->all && !o->accounts_first && count == 0 && number <= eb_now_ms() && eb_now_ms() - number < ACCOUNTS_EVERY_MS;
        return true;
    case ENTRA_CHOOSE:
    case ENTRA_ASK:
        if (!p->all && !ask_is_due(db, &due, err))
            return false;
        *ret = (listed != 0 && !(p->all && phase == ENTRA_CHOOSE)) || !due;
        return true;
    case ENTRA_USERS:           /* of changes: only where the choice has just fallen on it, which shows in the link */
        *ret = o->accounts_first && (p->all ? listed == 0 : listed != 2);
        return true;
    case ENTRA_COMPARE:
        if (!number_of(db, ENTRA_STATE_UNSWEPT, &number, err) || !stage_users_unseen_count(db, p->generation, &count, err))
            return false;
        *ret = number == 0 || (o->accounts_first && listed == 0) || count <= o->confirm_max;
        return true;
    case ENTRA_CONFIRM:
        if (!number_of(db, ENTRA_STATE_UNSWEPT, &number, err))
            return false;
        *ret = number == 0;
        return true;
    case ENTRA_LOOK:
        if (!entra_look_any(db, &due, err))
            return false;
        *ret = !due;
        return true;
    case ENTRA_GROUPS_CHANGED:
        *ret = !o->groups_read;
        return true;
    case ENTRA_GROUPS:
        if (!number_of(db, ENTRA_STATE_GROUPS_AGAIN, &number, err))
            return false;
        *ret = !o->groups_read || (!p->all && number == 0);
        return true;
    default:
        return true;
    }
}

/* ---- beginnings and ends of phases ---- */

static bool enter(struct db *db, struct entra_place *p, struct eb_err *err)
{
    switch (p->phase) {
    case ENTRA_ACCOUNTS: {
        int64_t generation = 0;
        return stage_state_number(db, ENTRA_STATE_ACCOUNTS_GENERATION, &generation, err) &&
               stage_state_put_number(db, ENTRA_STATE_ACCOUNTS_GENERATION, generation < FIRST_GENERATION ? FIRST_GENERATION : generation + 1, err) && stage_state_put_number(db, ENTRA_STATE_SEEN, 0, err);
    }
    case ENTRA_USERS:
    case ENTRA_GROUPS:
        if (!p->all)            /* all of one kind within a reading of changes */
            p->generation++;
        return stage_state_put_number(db, ENTRA_STATE_SEEN, 0, err) && stage_state_put_number(db, ENTRA_STATE_HOLES, 0, err) && (!p->all || stage_bulk_begin(db, err));
    case ENTRA_USERS_CHANGED:
        return stage_state_get(db, ENTRA_STATE_USERS_LINK, &p->next, err);
    case ENTRA_GROUPS_CHANGED:
        return stage_state_get(db, ENTRA_STATE_GROUPS_LINK, &p->next, err);
    default:
        return true;
    }
}

/* Nobody at all is not what a directory or a site says: our own application stands in the one, our own account in the other. */
static bool holds_somebody(struct db *db, const char *what, struct eb_err *err)
{
    int64_t seen;

    if (!number_of(db, ENTRA_STATE_SEEN, &seen, err))
        return false;
    return seen > 0 || eb_fail(err, EB_INTERNAL, "The list of all %s was empty, which cannot be: nothing is taken for gone.", what);
}

/* Where somebody came without an id, nobody can be taken for gone: it may be that one. */
static bool has_holes(struct db *db, bool *ret, struct eb_err *err)
{
    int64_t holes;

    if (!number_of(db, ENTRA_STATE_HOLES, &holes, err))
        return false;
    *ret = holes > 0;
    return true;
}

static bool sweep_groups(struct db *db, const struct entra_place *p, struct eb_err *err)
{
    bool holes;

    return has_holes(db, &holes, err) && (holes || stage_sweep(db, STAGE_GROUP, p->generation, NULL, err));
}

static bool users_end(struct db *db, struct eb_err *err)
{
    bool holes;

    return holds_somebody(db, "users", err) && has_holes(db, &holes, err) && stage_state_put_number(db, ENTRA_STATE_UNSWEPT, !holes, err) &&
           stage_state_put_number(db, ENTRA_STATE_LISTED, 1, err);
}

/* That many people do not hide their mails at once: the site, or the rights of our account, are not what they were. */
static bool mails_show(struct db *db, int64_t whole, struct eb_err *err)
{
    int64_t shown, hidden;

    if (!stage_accounts_hidden(db, whole, &shown, &hidden, err))
        return false;
    return hidden < HIDDEN_MIN || hidden <= shown ||
           eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira does not show the e-mail addresses of %lld accounts any more, and shows %lld: look at the rights of our account and at the "
                   "site's profile visibility. If this is meant, delete the staging file.", (long long)hidden, (long long)shown);
}

/* An account goes when two whole readings in a row have missed it: one may, for what is deleted meanwhile moves all that stand behind it by one. */
static bool accounts_end(struct db *db, struct eb_err *err)
{
    int64_t generation, whole;

    return holds_somebody(db, "accounts", err) && number_of(db, ENTRA_STATE_ACCOUNTS_GENERATION, &generation, err) &&
           number_of(db, ENTRA_STATE_ACCOUNTS_WHOLE, &whole, err) && mails_show(db, whole, err) && stage_account_sweep(db, whole, NULL, err) &&
           stage_state_put_number(db, ENTRA_STATE_ACCOUNTS_WHOLE, generation, err) && stage_state_put_number(db, ACCOUNTS_AT, eb_now_ms(), err);
}

static bool leave(struct db *db, const struct entra_place *p, struct eb_err *err)
{
    char hash[33];
    int64_t number;

    switch (p->phase) {
    case ENTRA_USERS:
        return users_end(db, err);
    case ENTRA_COMPARE:
    case ENTRA_CONFIRM:
        return stage_sweep(db, STAGE_USER, p->generation, NULL, err) && stage_state_put(db, ENTRA_STATE_UNSWEPT, NULL, err);
    case ENTRA_GROUPS:
        return sweep_groups(db, p, err) && stage_state_put(db, ENTRA_STATE_GROUPS_AGAIN, NULL, err);
    case ENTRA_ACCOUNTS:
        return accounts_end(db, err);
    case ENTRA_ASK:
        return entra_unread(db, 0, &number, hash, err) && stage_state_put(db, ENTRA_STATE_ASKED, hash, err) && stage_state_put_number(db, ENTRA_STATE_ASKED ".at", eb_now_ms(), err);
    default:
        return true;
    }
}

/* To the first of these phases that is not left out. */
static bool go_to(struct db *db, const struct entra_options *o, struct entra_place *p, const enum entra_phase *phase, struct eb_err *err)
{
    bool skip = true;

    for (;; phase++) {
        if (!skips(db, o, p, *phase, &skip, err))
            return false;
        if (!skip)
            break;
    }
    free(p->next);
    p->next = NULL;
    p->phase = *phase;
    p->pages = p->done = 0;
    if (p->phase == ENTRA_DONE)
        return stage_bulk_end(db, err) && entra_place_save(db, &(struct entra_place){ .all = p->all, .generation = p->generation }, err);
    return enter(db, p, err) && entra_place_save(db, p, err);
}

bool entra_advance(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_err *err)
{
    const enum entra_phase *phase = walks[o->accounts_first][p->all];

    if (!leave(db, p, err))
        return false;
    while (*phase != p->phase && *phase != ENTRA_DONE)
        phase++;
    return go_to(db, o, p, *phase == ENTRA_DONE ? phase : phase + 1, err);
}

bool entra_step(struct db *db, const struct entra_options *o, struct entra_place *p, const char *next, struct eb_err *err)
{
    p->pages++;
    if (next == NULL)
        return entra_advance(db, o, p, err);
    if (p->pages >= o->pages_max)
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "A list did not end within %d pages: it is taken for endless.", o->pages_max);
    if (eb_streq(next, p->next))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "A page of Graph leads to itself.");
    free(p->next);
    p->next = eb_strdup(next);
    return entra_place_save(db, p, err);
}

/* ---- the beginning of a reading ---- */

/* Has what the configuration asks for, or how it judges, changed since it was kept? */
static bool differs(struct db *db, const char *name, const char *hash, bool *ret, struct eb_err *err)
{
    char *kept;

    if (!stage_state_get(db, name, &kept, err))
        return false;
    *ret = !eb_streq(kept, hash);
    free(kept);
    return true;
}

static bool has_links(struct db *db, const struct entra_options *o, bool *ret, struct eb_err *err)
{
    char *users = NULL, *groups = NULL;
    bool ok = stage_state_get(db, ENTRA_STATE_USERS_LINK, &users, err) && stage_state_get(db, ENTRA_STATE_GROUPS_LINK, &groups, err);

    *ret = users != NULL && (groups != NULL || !o->groups_read);
    free(users);
    free(groups);
    return ok;
}

/* From now on nothing of before tells what changes: if this reading fails, the next one reads everything too. */
static bool forget(struct db *db, const struct entra_options *o, struct eb_err *err)
{
    static const char *const names[] = { ENTRA_STATE_USERS_LINK, ENTRA_STATE_GROUPS_LINK, ENTRA_STATE_GROUPS_AGAIN, ENTRA_STATE_LOOK, ENTRA_STATE_ASKED };

    for (size_t i = 0; i < EB_LEN(names); i++)
        if (!stage_state_put(db, names[i], NULL, err))
            return false;
    return stage_state_put(db, READ_HASH, o->read_hash, err);
}

static bool begin(struct db *db, const struct entra_options *o, bool all, struct entra_place *p, struct eb_err *err)
{
    p->all = all;
    if (all) {
        p->generation = p->generation < FIRST_GENERATION ? FIRST_GENERATION : p->generation + 1;
        if (!forget(db, o, err))
            return false;
    }
    return stage_state_put_number(db, BEGUN, eb_now_ms(), err) && stage_state_put(db, ENTRA_STATE_UNSWEPT, NULL, err) && go_to(db, o, p, walks[o->accounts_first][all], err);
}

bool entra_begin(struct db *db, const struct entra_options *o, bool all, bool anew, struct entra_place *ret, struct eb_err *err)
{
    bool other_reading, other_judging, links;
    int64_t begun = 0;

    if (!entra_place_load(db, ret, err) || !differs(db, READ_HASH, o->read_hash, &other_reading, err) || !differs(db, JUDGE_HASH, o->judge_hash, &other_judging, err) ||
        !has_links(db, o, &links, err) || !stage_state_number(db, BEGUN, &begun, err))
        return false;
    if (other_judging && (!stage_dirty_all(db, err) || !stage_state_put(db, ENTRA_STATE_MEMBER_OF, NULL, err) || !stage_state_put(db, JUDGE_HASH, o->judge_hash, err)))
        return false;
    bool recent = begun <= eb_now_ms() && eb_now_ms() - begun < GOES_ON_MS;
    ret->goes_on = ret->phase != ENTRA_IDLE && !anew && !other_reading && recent && (ret->all || !all);
    if (ret->goes_on) {
        if (ret->phase != ENTRA_ACCOUNTS)
            return true;
        /* By its place in a list of before nobody finds anything: accounts are read from the first. */
        free(ret->next);
        ret->next = NULL;
        ret->pages = ret->done = 0;
        return enter(db, ret, err) && entra_place_save(db, ret, err);
    }
    return begin(db, o, all || anew || other_reading || !links, ret, err);
}
