/* entra_notes.c - what a reading leaves for people to look at: accounts that fit nobody and why, mails that fit several, managers that are missing. */
#include "sync/entra.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 500
#define UNMATCHED "unmatched account"
#define AMBIGUOUS "ambiguous mail"
#define HIDDEN "hidden mail"
#define MANAGER "manager missing"

struct account { char *id, *mail, *name; };
struct list { struct account items[CHUNK]; size_t count; };

static bool keep(void *ctx, const struct stage_account *a)
{
    struct list *l = ctx;

    l->items[l->count++] = (struct account){ eb_strdup(a->id), eb_strdup(a->mail), eb_strdup(a->name) };
    return true;
}

static void list_clear(struct list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].id);
        free(l->items[i].mail);
        free(l->items[i].name);
    }
    l->count = 0;
}

static bool holds(const struct list *l, const char *id)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i].id, id) == 0)
            return true;
    return false;
}

/* Directory first, accounts without an employee are no fault of anybody: they are counted only (unread NULL). */
static bool note(struct db *db, const struct account *a, const struct list *unread, struct eb_err *err)
{
    enum stage_fit fit = STAGE_FIT_NONE;
    char *id = NULL;

    if (a->mail != NULL && !stage_account_of(db, a->mail, NULL, &id, &fit, err))
        return false;
    free(id);
    if (fit == STAGE_FIT_ACCOUNTS || fit == STAGE_FIT_USERS)
        return stage_note_put(db, AMBIGUOUS, a->id, a->name, fit == STAGE_FIT_ACCOUNTS ? "Several active accounts have this mail: none is taken."
                              : "Several users in Entra have the account's mail: it is taken for nobody's.", err);
    return unread == NULL ||
           stage_note_put(db, UNMATCHED, a->id, a->name,
                          a->mail == NULL ? "The account's mail is hidden: its owner's or the organization's profile visibility does not show it."
                          : holds(unread, a->id) ? "No user in Entra has the account's mail as mail or UPN."
                          : "The user with the account's mail is left out by the filters, or belongs to another account.", err);
}

/* In the order of ids. Those whose mail nobody has are among those that fit nobody: of both as many are taken from the same place. */
static bool note_accounts(struct db *db, bool put, int64_t *ret_count, struct eb_err *err)
{
    struct list *l = eb_alloc(sizeof(*l)), *unread = eb_alloc(sizeof(*unread));
    char *after = NULL;
    bool ok = true, more = true;

    *ret_count = 0;
    while (ok && more) {
        ok = stage_accounts_unmatched(db, after, CHUNK, keep, l, err) && (!put || stage_accounts_unread(db, 0, after, CHUNK, keep, unread, err));
        for (size_t i = 0; ok && i < l->count; i++)
            ok = note(db, &l->items[i], put ? unread : NULL, err);
        *ret_count += (int64_t)l->count;
        more = l->count == CHUNK;
        free(after);
        after = l->count > 0 ? eb_strdup(l->items[l->count - 1].id) : NULL;
        list_clear(l);
        list_clear(unread);
    }
    free(after);
    free(l);
    free(unread);
    return ok;
}

static bool note_hidden(struct db *db, struct eb_err *err)
{
    struct list *l = eb_alloc(sizeof(*l));
    char *after = NULL;
    bool ok = true, more = true;

    while (ok && more) {
        ok = stage_accounts_keeping(db, after, CHUNK, keep, l, err);
        for (size_t i = 0; ok && i < l->count; i++)
            ok = stage_note_put(db, HIDDEN, l->items[i].id, l->items[i].name,
                                "The account does not show its mail any more: the one that it showed before counts, unless another account shows that.", err);
        more = l->count == CHUNK;
        free(after);
        after = l->count > 0 ? eb_strdup(l->items[l->count - 1].id) : NULL;
        list_clear(l);
    }
    free(after);
    free(l);
    return ok;
}

struct managers { struct { int64_t n; char *key, *label; } items[CHUNK]; size_t count; };

static bool keep_wanted(void *ctx, const struct stage_wanted *w)
{
    struct managers *m = ctx;

    m->items[m->count].n = w->n;
    m->items[m->count].key = eb_strdup(w->key);
    m->items[m->count++].label = eb_strdup(w->label);
    return true;
}

static bool note_managers(struct db *db, struct eb_err *err)
{
    struct managers *m = eb_alloc(sizeof(*m));
    int64_t after = 0;
    bool ok = true, more = true;

    while (ok && more) {
        ok = stage_managers_missing(db, after, CHUNK, keep_wanted, m, err);
        more = m->count == CHUNK;
        for (size_t i = 0; i < m->count; i++) {
            ok = ok && stage_note_put(db, MANAGER, m->items[i].key, m->items[i].label, "The manager is not among those who are synchronized: no link is made.", err);
            after = m->items[i].n;
            free(m->items[i].key);
            free(m->items[i].label);
        }
        m->count = 0;
    }
    free(m);
    return ok;
}

bool entra_notes(void *source, struct db *db, struct sync_counts *counts, struct eb_err *err)
{
    static const char *const categories[] = { UNMATCHED, AMBIGUOUS, HIDDEN, MANAGER };
    const struct entra_options *o = entra_options_of(source);

    for (size_t i = 0; i < EB_LEN(categories); i++)
        if (!stage_notes_clear(db, categories[i], err))
            return false;
    return note_accounts(db, o->accounts_first, &counts->unmatched, err) && note_hidden(db, err) && note_managers(db, err) &&
           stage_managers_missing_count(db, &counts->missing_managers, err) && stage_notes_count(db, &counts->warnings, err);
}
