/* entra_page.c - one page of users or groups: parsed and stored, on the staging thread.
 *
 * What is kept of an object is its raw: the attributes that were asked for, without nulls. A list says an object whole, a change only what differs from before,
 * so that it is laid over the raw that is there. Managers, members and owners become links.
 * Invariant: a page is stored whole or not at all. One that is no page is an error; an item that is odd is a fault, and what was known of it stays.
 * https://learn.microsoft.com/graph/delta-query-overview
 */
#include "sync/entra.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSIONS "onPremisesExtensionAttributes"      /* the one object among the attributes: its members are kept as if they stood beside it */
#define GUID_LEN 36

void entra_fault_add(struct entra_faults *f, enum stage_kind kind, const char *key, const char *label, const char *text)
{
    if (f->count == ENTRA_FAULTS_MAX) {
        f->more++;
        return;
    }
    f->items[f->count++] = (struct entra_fault){ kind, eb_strdup(key != NULL ? key : ""), eb_strdup(label != NULL ? label : ""), eb_strdup(text) };
}

void entra_faults_clear(struct entra_faults *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->items[i].key);
        free(f->items[i].label);
        free(f->items[i].text);
    }
    *f = (struct entra_faults){ 0 };
}

/* ---- the page ---- */

void entra_page_clear(struct entra_page *p)
{
    json_decref(p->doc);
    *p = (struct entra_page){ 0 };
}

/* A member that is absent, or a text that is not empty. */
static bool take_link(const json_t *doc, const char *name, const char **ret)
{
    const json_t *v = json_object_get(doc, name);

    *ret = json_string_value(v);
    return v == NULL || json_is_null(v) || (*ret != NULL && (*ret)[0] != '\0');
}

static bool fits(const struct entra_page *p, enum entra_phase phase)
{
    if (!json_is_array(p->items) || (p->next != NULL && p->delta != NULL))
        return false;
    return phase == ENTRA_USERS ? p->delta == NULL : p->next != NULL || p->delta != NULL;
}

bool entra_page_parse(struct eb_span body, enum entra_phase phase, struct entra_page *ret, struct eb_err *err)
{
    *ret = (struct entra_page){ 0 };
    if (!eb_json_parse_reply(body, &ret->doc, err))
        return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph gave a page that cannot be read: it was cut off on its way, or something in between changed it.");
    ret->items = json_object_get(ret->doc, "value");
    if (take_link(ret->doc, "@odata.nextLink", &ret->next) && take_link(ret->doc, "@odata.deltaLink", &ret->delta) && fits(ret, phase))
        return true;
    entra_page_clear(ret);
    return eb_fail(err, EB_ENTRA_UNAVAILABLE, "Graph answered with something that is not a page of a list: check entra.graph_url, and whether a proxy stands in "
                   "between.");
}

/* Quotes within a text stand behind a backslash, so that these bytes are a member's name wherever they are found. */
char *entra_page_peek(struct eb_span body)
{
    static const char name[] = "\"@odata.nextLink\":\"";
    const char *at = body.len > 0 ? memmem(body.p, body.len, name, sizeof(name) - 1) : NULL;

    if (at == NULL)
        return NULL;
    at += sizeof(name) - 1;
    size_t left = body.len - (size_t)(at - body.p);
    const char *end = memchr(at, '"', left);
    if (end == NULL || memchr(at, '\\', (size_t)(end - at)) != NULL)
        return NULL;
    return eb_asprintf("%.*s", (int)(end - at), at);
}

/* ---- items ---- */

static bool take_id(const json_t *item, char out[GUID_LEN + 1])
{
    const char *id = eb_json_str(item, "id");

    if (id == NULL || !eb_is_guid(id))
        return false;
    for (int i = 0; i <= GUID_LEN; i++)
        out[i] = (char)tolower((unsigned char)id[i]);
    return true;
}

static bool is_kept(const char *name)
{
    return strchr(name, '@') == NULL && !eb_streq(name, "manager") && !eb_streq(name, "members") && !eb_streq(name, "owners");
}

/* What everything else rests on must be a text, or nothing. */
static bool is_odd(const char *name, const json_t *value)
{
    static const char *const texts[] = { "displayName", "mail", "userPrincipalName" };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        if (eb_streq(name, texts[i]))
            return !json_is_string(value) && !json_is_null(value);
    return json_is_object(value);
}

/* Lays an item over what is known. *ret_odd: a member that is not what it should be, and is left as it was. */
static void lay(json_t *raw, const json_t *item, const char **ret_odd)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)item, name, value) {
        if (!is_kept(name))
            continue;
        if (eb_streq(name, EXTENSIONS) && json_is_object(value))
            lay(raw, value, ret_odd);
        else if (is_odd(name, value))
            *ret_odd = name;
        else if (json_is_null(value))
            json_object_del(raw, name);
        else
            json_object_set_nocheck(raw, name, value);
    }
}

static bool put(struct db *db, enum stage_kind kind, const char *id, const json_t *raw, int64_t generation, struct eb_err *err)
{
    char *text = entra_raw_text(raw), *mail = entra_lower(eb_json_str(raw, "mail")), *upn = entra_lower(eb_json_str(raw, "userPrincipalName"));
    bool ok = stage_object_put(db, &(struct stage_object){ .kind = kind, .id = id, .raw = text, .mail = mail, .upn = upn }, generation, err);

    free(text);
    free(mail);
    free(upn);
    return ok;
}

/* NULL: not known, or only as deleted (*ret_removed). */
static bool known_raw(struct db *db, const char *id, json_t **ret, bool *ret_removed, struct eb_err *err)
{
    char *text;

    *ret = NULL;
    *ret_removed = false;
    if (!stage_object_raw(db, id, &text, err))
        return false;
    if (text != NULL && eb_json_parse_reply((struct eb_span){ text, strlen(text) }, ret, NULL) && eb_json_bool(*ret, ENTRA_REMOVED, false)) {
        json_decref(*ret);
        *ret = NULL;
        *ret_removed = true;
    }
    free(text);
    return true;
}

/* A deleted object may come back, and then those that link to it do not say so again: what is left of it keeps their links. */
static bool put_removed(struct db *db, enum stage_kind kind, const char *id, int64_t generation, struct eb_err *err)
{
    json_t *raw = json_pack("{s:b}", ENTRA_REMOVED, 1);
    bool ok = put(db, kind, id, raw, generation, err);

    json_decref(raw);
    return ok;
}

static bool is_gone_for_ever(const json_t *removed)
{
    return eb_streq(eb_json_str(removed, "reason"), "deleted");
}

/* One page's work. */
struct work {
    struct db *db;
    const struct entra_options *o;
    const struct entra_place *place;
    struct entra_faults *faults;
    int64_t seen, holes;
};

static void fault(struct work *w, enum stage_kind kind, const char *id, const json_t *item, const char *odd)
{
    const char *name = eb_json_str(item, "displayName");
    char *text = odd != NULL ? eb_asprintf("Its %s is not what Graph describes; what was known of it stays.", odd)
                             : eb_strdup("An item without an object id was passed over.");

    entra_fault_add(w->faults, kind, id, name != NULL ? name : eb_json_str(item, "userPrincipalName"), text);
    free(text);
}

/* ---- users ---- */

/* {"manager": {"id"}} in lists, {"manager@delta": [{"id"}, {"id", "@removed"}]} in changes; where it says nothing, a list means that there is none. */
static bool put_manager(struct work *w, const char *id, const json_t *item, bool whole, struct eb_err *err)
{
    const json_t *changes = json_object_get(item, "manager@delta"), *entry;
    bool told = json_object_get(item, "manager") != NULL;
    char to[GUID_LEN + 1];
    size_t i;

    if (told || (whole && !json_is_array(changes)))
        return stage_link_set(w->db, id, STAGE_MANAGER, take_id(json_object_get(item, "manager"), to) ? to : NULL, w->place->generation, err);
    json_array_foreach(changes, i, entry)
        if (json_object_get(entry, "@removed") != NULL && take_id(entry, to) && !stage_link_remove(w->db, id, STAGE_MANAGER, to, err))
            return false;
    json_array_foreach(changes, i, entry)
        if (json_object_get(entry, "@removed") == NULL && take_id(entry, to) && !stage_link_set(w->db, id, STAGE_MANAGER, to, w->place->generation, err))
            return false;
    return true;
}

static bool put_user(struct work *w, const char *id, const json_t *item, json_t *raw, bool whole, struct eb_err *err)
{
    const char *odd = NULL;

    lay(raw, item, &odd);
    if (odd != NULL)
        fault(w, STAGE_USER, id, item, odd);
    if (eb_json_str(raw, "userPrincipalName") == NULL && !whole)
        return entra_look_add(w->db, id, err);
    return put(w->db, STAGE_USER, id, raw, w->place->generation, err) && put_manager(w, id, item, whole, err);
}

/* Accounts first: somebody whom nobody has asked for counts where an account fits now. */
static bool is_wanted(struct work *w, const json_t *item, bool *ret, struct eb_err *err)
{
    char *mail = entra_lower(eb_json_str(item, "mail")), *upn = entra_lower(eb_json_str(item, "userPrincipalName")), *account = NULL;
    int64_t listed = 0;
    enum stage_fit fit = STAGE_FIT_NONE;
    bool ok = !w->o->accounts_first ||
              (stage_state_number(w->db, ENTRA_STATE_LISTED, &listed, err) && (listed != 0 || stage_account_of(w->db, mail, upn, &account, &fit, err)));

    *ret = !w->o->accounts_first || listed != 0 || fit != STAGE_FIT_NONE;
    free(mail);
    free(upn);
    free(account);
    return ok;
}

static bool user_changed(struct work *w, const char *id, const json_t *item, struct eb_err *err)
{
    const json_t *removed = json_object_get(item, "@removed");
    json_t *raw;
    bool was_removed, wanted = true;

    if (!known_raw(w->db, id, &raw, &was_removed, err))
        return false;
    if (removed != NULL) {
        bool keep = !is_gone_for_ever(removed) && (raw != NULL || was_removed);
        json_decref(raw);
        return keep ? put_removed(w->db, STAGE_USER, id, w->place->generation, err) : stage_object_remove(w->db, id, err);
    }
    bool ok = raw != NULL || is_wanted(w, item, &wanted, err);
    if (ok && wanted) {
        raw = raw != NULL ? raw : json_object();
        ok = put_user(w, id, item, raw, false, err);
    }
    json_decref(raw);
    return ok;
}

/* A list says everything but what is odd: of that the old is kept. */
static bool user_listed(struct work *w, const char *id, const json_t *item, struct eb_err *err)
{
    const char *odd = NULL, *name;
    json_t *raw = json_object(), *was = NULL, *value;
    bool was_removed, ok;

    json_object_foreach((json_t *)(uintptr_t)item, name, value)
        if (is_kept(name) && !eb_streq(name, EXTENSIONS) && is_odd(name, value))
            odd = name;
    ok = odd == NULL || known_raw(w->db, id, &was, &was_removed, err);
    if (ok && was != NULL && json_object_get(was, odd) != NULL)
        json_object_set(raw, odd, json_object_get(was, odd));
    ok = ok && put_user(w, id, item, raw, true, err);
    json_decref(raw);
    json_decref(was);
    return ok;
}

bool entra_user_put(struct db *db, const struct entra_options *o, const json_t *item, int64_t generation, struct entra_faults *faults, struct eb_err *err)
{
    const struct entra_place place = { .generation = generation };
    struct work w = { .db = db, .o = o, .place = &place, .faults = faults };
    char id[GUID_LEN + 1];

    if (take_id(item, id))
        return user_listed(&w, id, item, err);
    fault(&w, STAGE_USER, "", item, NULL);
    return true;
}

/* ---- groups ---- */

static bool links_are_for(const json_t *entry)
{
    const char *type = eb_json_str(entry, "@odata.type");

    return type == NULL || eb_streq(type, "#microsoft.graph.user") || eb_streq(type, "#microsoft.graph.group");
}

/* Ids of a list that are still to be put, together. */
struct links { const char *id; enum stage_relation relation; char (*ids)[GUID_LEN + 1]; const char **to; size_t count; };

static bool put_gathered(struct work *w, struct links *l, struct eb_err *err)
{
    size_t count = l->count;

    l->count = 0;
    return count == 0 || stage_links_put(w->db, l->id, l->relation, l->to, count, w->place->generation, err);
}

static bool put_link(struct work *w, struct links *l, const json_t *entry, const json_t *item, const char *member, struct eb_err *err)
{
    char *to = l->ids[l->count];

    if (!take_id(entry, to)) {
        fault(w, STAGE_GROUP, l->id, item, member);
    } else if (json_object_get(entry, "@removed") != NULL) {
        char gone[GUID_LEN + 1];
        memcpy(gone, to, sizeof(gone));
        return put_gathered(w, l, err) && stage_link_remove(w->db, l->id, l->relation, gone, err);
    } else if (links_are_for(entry)) {
        l->to[l->count++] = to;
    }
    return true;
}

static bool put_links(struct work *w, const char *id, const json_t *item, const char *member, enum stage_relation relation, struct eb_err *err)
{
    const json_t *list = json_object_get(item, member), *entry;
    struct links l = { .id = id, .relation = relation };
    size_t i, size = json_array_size(list);
    bool ok = true;

    if (size == 0)
        return true;
    l.ids = eb_alloc(size * sizeof(*l.ids));
    l.to = eb_alloc(size * sizeof(*l.to));
    json_array_foreach(list, i, entry)
        ok = ok && put_link(w, &l, entry, item, member, err);
    ok = ok && put_gathered(w, &l, err);
    free(l.ids);
    free(l.to);
    return ok;
}

static bool again(struct work *w, struct eb_err *err)
{
    return stage_state_put_number(w->db, ENTRA_STATE_GROUPS_AGAIN, 1, err);
}

/* Its own links go with it, those to it too: when it comes back, all groups are read again. */
static bool group_removed(struct work *w, const char *id, const json_t *removed, bool known, struct eb_err *err)
{
    return stage_object_remove(w->db, id, err) &&
           (!known || is_gone_for_ever(removed) || put_removed(w->db, STAGE_GROUP, id, w->place->generation, err));
}

/* In the first round the same group comes again with more members, with or without its attributes. */
static bool group_put(struct work *w, const char *id, const json_t *item, json_t *was, bool was_removed, struct eb_err *err)
{
    bool first_round = w->place->phase == ENTRA_GROUPS, has_name = json_object_get(item, "displayName") != NULL;
    json_t *raw = was != NULL && !(first_round && has_name) ? json_incref(was) : json_object();
    const char *odd = NULL;

    lay(raw, item, &odd);
    if (odd != NULL) {
        fault(w, STAGE_GROUP, id, item, odd);
        if (was != NULL && json_object_get(was, odd) != NULL)
            json_object_set(raw, odd, json_object_get(was, odd));
    }
    bool incomplete = was_removed || eb_json_str(raw, "displayName") == NULL;
    bool ok = (first_round || !incomplete || again(w, err)) && put(w->db, STAGE_GROUP, id, raw, w->place->generation, err) &&
              put_links(w, id, item, "members@delta", STAGE_MEMBER, err) && put_links(w, id, item, "owners@delta", STAGE_OWNER, err);
    json_decref(raw);
    return ok;
}

static bool group_changed(struct work *w, const char *id, const json_t *item, struct eb_err *err)
{
    const json_t *removed = json_object_get(item, "@removed");
    json_t *was;
    bool was_removed;

    if (!known_raw(w->db, id, &was, &was_removed, err))
        return false;
    bool ok = removed != NULL ? group_removed(w, id, removed, was != NULL || was_removed, err) : group_put(w, id, item, was, was_removed, err);
    json_decref(was);
    return ok;
}

/* ---- the page is stored ---- */

static const struct { enum stage_kind kind; bool (*store)(struct work *w, const char *id, const json_t *item, struct eb_err *err); const char *link; } phases[ENTRA_PHASES] = {
    [ENTRA_LATEST] = { STAGE_UNKNOWN, NULL, ENTRA_STATE_USERS_LINK },
    [ENTRA_USERS] = { STAGE_USER, user_listed, NULL },
    [ENTRA_USERS_CHANGED] = { STAGE_USER, user_changed, ENTRA_STATE_USERS_LINK },
    [ENTRA_GROUPS] = { STAGE_GROUP, group_changed, ENTRA_STATE_GROUPS_LINK },
    [ENTRA_GROUPS_CHANGED] = { STAGE_GROUP, group_changed, ENTRA_STATE_GROUPS_LINK },
};

static bool store_items(struct work *w, const json_t *items, struct eb_err *err)
{
    const json_t *item;
    char id[GUID_LEN + 1];
    size_t i;

    json_array_foreach(items, i, item) {
        if (!take_id(item, id)) {
            w->holes++;
            fault(w, phases[w->place->phase].kind, "", item, NULL);
        } else if (!phases[w->place->phase].store(w, id, item, err)) {
            return false;
        } else {
            w->seen++;
        }
    }
    return true;
}

static bool add_number(struct db *db, const char *name, int64_t more, struct eb_err *err)
{
    int64_t number = 0;

    return more == 0 || (stage_state_number(db, name, &number, err) && stage_state_put_number(db, name, number + more, err));
}

bool entra_page_store(struct db *db, const struct entra_options *o, struct entra_place *p, struct eb_span body, struct entra_faults *faults, struct eb_err *err)
{
    struct work w = { .db = db, .o = o, .place = p, .faults = faults };
    const char *link = phases[p->phase].link;
    struct entra_page page;

    if (!entra_page_parse(body, p->phase, &page, err))
        return false;
    bool ok = (phases[p->phase].store == NULL || store_items(&w, page.items, err)) && add_number(db, ENTRA_STATE_SEEN, w.seen, err) &&
              add_number(db, ENTRA_STATE_HOLES, w.holes, err) && (page.delta == NULL || link == NULL || stage_state_put(db, link, page.delta, err));
    p->done += w.seen;
    ok = ok && entra_step(db, o, p, page.next, err);
    entra_page_clear(&page);
    return ok;
}
