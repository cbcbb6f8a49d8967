/* entra_accounts.c - the accounts of the Atlassian site, and, accounts first, the users that are asked for by their mails.
 *
 * Single mails in batches of 20, or the listing of everybody: whichever costs fewer calls. Who was asked for and is not in Entra is not asked for again until there
 * are other accounts, or a day has passed: somebody who appears in Entra is told as a change.
 */
#include "sync/entra.h"

#include "graph/query.h"

#include "base/hash.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MAX 2000           /* more, and everything is read anew */
#define PAGE_OF_USERS 999
#define CHUNK 1000

/* ---- a page of accounts ---- */

/* People only: customers of the portal and apps are nobody's employee. */
static bool store_account(struct db *db, const json_t *item, int64_t generation, struct entra_faults *faults, int64_t *seen, struct eb_err *err)
{
    const char *id = eb_json_str(item, "accountId"), *type = eb_json_str(item, "accountType");

    if (id == NULL || id[0] == '\0') {
        entra_fault_add(faults, STAGE_UNKNOWN, "", eb_json_str(item, "displayName"), "An account without an id was passed over.");
        return true;
    }
    if (!eb_streq(type, "atlassian"))
        return true;
    char *mail = entra_lower(eb_json_str(item, "emailAddress"));
    bool ok = stage_account_put(db, &(struct stage_account){ .id = id, .mail = mail, .name = eb_json_str(item, "displayName"),
                                                             .active = eb_json_bool(item, "active", false) }, generation, err);
    free(mail);
    (*seen)++;
    return ok;
}

static bool parse_accounts(struct eb_span body, json_t **ret, struct eb_err *err)
{
    if (!eb_json_parse_reply(body, ret, err))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira gave a page of users that cannot be read: it was cut off on its way, or something in between changed it.");
    if (json_is_array(*ret))
        return true;
    json_decref(*ret);
    return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a page of users: check jira.api_url.");
}

bool entra_accounts_store(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_span body, struct entra_faults *faults, struct eb_err *err)
{
    int64_t generation = 0, total = 0, seen = 0, from = p->next != NULL ? strtoll(p->next, NULL, 10) : 0;
    json_t *page, *item;
    bool ok = true;
    size_t i;

    if (!parse_accounts(body, &page, err))
        return false;
    ok = stage_state_number(db, ENTRA_STATE_ACCOUNTS_GENERATION, &generation, err) && stage_state_number(db, ENTRA_STATE_SEEN, &total, err);
    json_array_foreach(page, i, item)
        ok = ok && store_account(db, item, generation, faults, &seen, err);
    /* A page may be shorter than was asked for: only the empty one is the last. The next begins where this one ended, so that nobody is passed over. */
    char *next = json_array_size(page) > 0 ? eb_asprintf("%lld", (long long)from + (long long)json_array_size(page)) : NULL;
    p->done += seen;
    ok = ok && stage_state_put_number(db, ENTRA_STATE_SEEN, total + seen, err) && entra_step(db, o, p, next, err);
    free(next);
    json_decref(page);
    return ok;
}

/* ---- users to be looked at one by one ---- */

static bool load_look(struct db *db, json_t **ret, struct eb_err *err)
{
    char *text;

    *ret = NULL;
    if (!stage_state_get(db, ENTRA_STATE_LOOK, &text, err))
        return false;
    if (text == NULL || !eb_json_parse_reply((struct eb_span){ text, strlen(text) }, ret, NULL))
        *ret = json_array();
    free(text);
    return true;
}

static bool save_look(struct db *db, const json_t *list, struct eb_err *err)
{
    char *text = eb_need(eb_json_text(list));
    bool ok = stage_state_put(db, ENTRA_STATE_LOOK, json_array_size(list) > 0 ? text : NULL, err);

    free(text);
    return ok;
}

bool entra_look_any(struct db *db, bool *ret, struct eb_err *err)
{
    json_t *list;

    if (!load_look(db, &list, err))
        return false;
    *ret = json_array_size(list) > 0;
    json_decref(list);
    return true;
}

bool entra_look_add(struct db *db, const char *id, struct eb_err *err)
{
    json_t *list, *entry;
    bool known = false;
    size_t i;

    if (!load_look(db, &list, err))
        return false;
    json_array_foreach(list, i, entry)
        known = known || eb_streq(json_string_value(entry), id);
    bool full = json_array_size(list) >= LOOK_MAX;
    if (!known)
        json_array_append_new(list, json_string(id));
    bool ok = full && !known ? eb_fail(err, EB_NOT_THERE, "Graph told less than is needed of more than %d users: everything is to be read anew.", LOOK_MAX)
                             : save_look(db, list, err);
    json_decref(list);
    return ok;
}

/* ---- what to ask for next ---- */

void entra_asks_clear(struct entra_asks *a)
{
    for (int i = 0; i < a->count; i++) {
        free(a->paths[i]);
        free(a->keys[i]);
    }
    a->count = 0;
}

struct collect { const struct entra_options *o; struct entra_asks *asks; char *last; };

static void add_ask(struct entra_asks *a, char *path, const char *key)
{
    if (path == NULL)           /* a mail that is too long to be asked for is nobody's */
        return;
    a->paths[a->count] = path;
    a->keys[a->count++] = eb_strdup(key);
}

static bool collect_account(void *ctx, const struct stage_account *account)
{
    struct collect *c = ctx;

    free(c->last);
    c->last = eb_strdup(account->id);
    add_ask(c->asks, graph_query_users_with_mail(account->mail, c->o->users_select), account->id);
    return true;
}

/* On, while there are accounts and none of them can be asked for. */
static bool collect_accounts(struct db *db, const struct entra_options *o, const struct entra_place *p, struct entra_asks *a, struct eb_err *err)
{
    struct collect c = { o, a, eb_strdup(p->next) };
    bool ok = true, more = true;

    while (ok && more && a->count == 0) {
        char *from = c.last;
        c.last = NULL;
        ok = stage_accounts_unread(db, p->all ? p->generation : 0, from, GRAPH_BATCH_MAX, collect_account, &c, err);
        more = c.last != NULL;
        free(from);
    }
    free(c.last);
    return ok;
}

static void add_look(struct entra_asks *a, const struct entra_options *o, const char *id)
{
    char *tail = eb_asprintf("?$select=%s&$expand=manager($select=id)", o->users_select);

    add_ask(a, graph_path_user(id, tail), id);
    free(tail);
}

static bool collect_looks(struct db *db, const struct entra_options *o, struct entra_asks *a, struct eb_err *err)
{
    json_t *list, *entry;
    size_t i;

    if (!load_look(db, &list, err))
        return false;
    json_array_foreach(list, i, entry)
        if (a->count < GRAPH_BATCH_MAX)
            add_look(a, o, json_string_value(entry));
    json_decref(list);
    return true;
}

static bool collect_unseen(void *ctx, int64_t n, const char *id)
{
    struct collect *c = ctx;

    c->asks->last = n;
    add_look(c->asks, c->o, id);
    return true;
}

static bool collect_missing(struct db *db, const struct entra_options *o, const struct entra_place *p, struct entra_asks *a, struct eb_err *err)
{
    struct collect c = { o, a, NULL };
    int64_t listed = 0;

    /* Who was not listed but asked for by mail: all others that an earlier list has left are nobody's employee. */
    return stage_state_number(db, ENTRA_STATE_LISTED, &listed, err) &&
           stage_users_unseen(db, p->generation, o->accounts_first && listed == 0, p->next != NULL ? strtoll(p->next, NULL, 10) : 0, GRAPH_BATCH_MAX, collect_unseen, &c, err);
}

bool entra_asks_next(struct db *db, const struct entra_options *o, struct entra_place *p, struct entra_asks *ret, struct eb_err *err)
{
    bool ok = p->phase == ENTRA_LOOK ? collect_looks(db, o, ret, err) : p->phase == ENTRA_CONFIRM ? collect_missing(db, o, p, ret, err)
                                                                                                   : collect_accounts(db, o, p, ret, err);

    return ok && (ret->count > 0 || entra_advance(db, o, p, err));
}

/* ---- what the answers say ---- */

static bool store_list(struct db *db, const struct entra_options *o, const struct entra_place *p, const json_t *list, struct entra_faults *faults, struct eb_err *err)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(list))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph answered with something that is not a list of users: check entra.graph_url.");
    json_array_foreach(list, i, item)
        if (!entra_user_put(db, o, item, p->generation, faults, err))
            return false;
    return true;
}

static bool store_answer(struct db *db, const struct entra_options *o, const struct entra_place *p, const char *key, const char *answer, struct entra_faults *faults,
                         struct eb_err *err)
{
    json_t *doc = NULL;
    bool ok;

    if (answer == NULL)
        return p->phase != ENTRA_LOOK || stage_object_remove(db, key, err);
    if (!eb_json_parse_reply((struct eb_span){ answer, strlen(answer) }, &doc, err))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph gave an answer that cannot be read.");
    ok = p->phase != ENTRA_ASK ? entra_user_put(db, o, doc, p->generation, faults, err)
                               : store_list(db, o, p, json_object_get(doc, "value"), faults, err);
    json_decref(doc);
    return ok;
}

static bool looked_at(struct db *db, const struct entra_asks *a, struct eb_err *err)
{
    json_t *list;

    if (!load_look(db, &list, err))
        return false;
    for (int i = 0; i < a->count; i++)
        for (size_t k = 0; k < json_array_size(list); k++)
            if (eb_streq(json_string_value(json_array_get(list, k)), a->keys[i]))
                json_array_remove(list, k--);
    bool ok = save_look(db, list, err);
    json_decref(list);
    return ok;
}

bool entra_asks_store(struct db *db, const struct entra_options *o, struct entra_place *p, const struct entra_asks *a, char *const *answers,
                      struct entra_faults *faults, struct eb_err *err)
{
    for (int i = 0; i < a->count; i++)
        if (!store_answer(db, o, p, a->keys[i], answers[i], faults, err))
            return false;
    p->done += a->count;
    if (p->phase == ENTRA_LOOK)
        return looked_at(db, a, err) && entra_place_save(db, p, err);
    if (p->phase == ENTRA_ASK)
        return entra_step(db, o, p, a->keys[a->count - 1], err);
    char *next = eb_asprintf("%lld", (long long)a->last);
    bool ok = entra_step(db, o, p, next, err);
    free(next);
    return ok;
}

/* ---- single mails, or everybody ---- */

struct unread { int64_t count; char last[256], hash[EB_HEX_LEN]; };

static bool count_unread(void *ctx, const struct stage_account *a)
{
    struct unread *u = ctx;
    char *text = eb_asprintf("%s %s %s", u->hash, a->id, a->mail);

    eb_sha256_hex(text, strlen(text), u->hash);
    free(text);
    (void)strncpy(u->last, a->id, sizeof(u->last) - 1);
    u->count++;
    return true;
}

bool entra_unread(struct db *db, int64_t generation, int64_t *ret_count, char ret_hash[33], struct eb_err *err)
{
    struct unread u = { 0 };
    int64_t before;

    do {
        before = u.count;
        if (!stage_accounts_unread(db, generation, before == 0 ? NULL : u.last, CHUNK, count_unread, &u, err))
            return false;
    } while (u.count > before);
    *ret_count = u.count;
    memcpy(ret_hash, u.hash, 32);
    ret_hash[32] = '\0';
    return true;
}

bool entra_choose(struct db *db, const struct entra_options *o, struct entra_place *p, int64_t users, struct eb_err *err)
{
    int64_t asked = 0;
    char hash[33];

    if (p->all ? !stage_account_count(db, &asked, err) : !entra_unread(db, 0, &asked, hash, err))
        return false;
    bool single = (asked + GRAPH_BATCH_MAX - 1) / GRAPH_BATCH_MAX <= (users + PAGE_OF_USERS - 1) / PAGE_OF_USERS + 1;
    if (!stage_state_put_number(db, ENTRA_STATE_LISTED, single ? 0 : 2, err))
        return false;
    /* Everybody is asked for anew. */
    if (single && p->all && !stage_state_put_number(db, ENTRA_STATE_UNSWEPT, 1, err))
        return false;
    return entra_advance(db, o, p, err);
}

/* A list may end early, or come from a copy of the directory that is behind. Those who came and went while it was read are few. */
bool entra_compare(struct db *db, const struct entra_options *o, struct entra_place *p, int64_t users, struct eb_err *err)
{
    int64_t seen, unseen;

    if (!stage_users_seen_count(db, p->generation, &seen, err) || !stage_users_unseen_count(db, p->generation, &unseen, err))
        return false;
    if ((users - seen) * 100 > unseen)
        return eb_fail(err, EB_NOT_THERE, "Entra's list of users held %lld, and Entra says that there are %lld: the list is not whole, and nobody is taken for gone.",
                       (long long)seen, (long long)users);
    return entra_advance(db, o, p, err);
}
