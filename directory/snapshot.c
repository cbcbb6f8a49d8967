/* snapshot.c - what all names of one policy mean, immutable.
 *
 * Invariant: nothing changes between snapshot_new() and the last snapshot_unref(), so that one decision sees one policy.
 * Where two entries claim one key the first of the file stands.
 * Owns: the rows, the bindings, a reference to the configuration (which owns the names' texts).
 */
#include "directory/snapshot.h"
#include "directory/duties.h"
#include "base/text.h"
#include "base/hashtable.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *key;                /* `id` below, or a text of the configuration */
    const char *text;               /* the entry's text, for reasons */
    struct snapshot_group group;    /* serviceable groups only */
    char id[NAME_ID_LEN];
    UT_hash_handle hh;
};

struct snapshot {
    int references;
    struct config *config;
    struct row *groups_by_name, *groups_by_id, *protected_groups, *protected_users, *projects, *policy_groups;
    bool protects_groups;
    const char *unfound_group, *unfound_user;
    struct duties *duties;
    struct directory_binding *bindings;
    size_t binding_count;
    char (*ids)[NAME_ID_LEN];       /* what the bindings point to: three a binding */
};

static const struct snapshot_group not_listed = { .state = POLICY_GROUP_NOT_LISTED };

static struct row *row_find(struct row *table, const char *key)
{
    struct row *r = NULL;

    HASH_FIND_STR(table, key, r);
    return r;
}

static struct row *row_find_id(struct row *table, const char *id)
{
    char lower[NAME_ID_LEN];

    name_id_copy(lower, id);
    return row_find(table, lower);
}

/* A new row, by its id (key NULL) or by a text; NULL where the key is taken. */
static struct row *row_add(struct row **table, const char *key, const char *id, const char *text)
{
    struct row *r = eb_alloc(sizeof(*r));

    name_id_copy(r->id, id == NULL ? "" : id);
    r->key = key == NULL ? r->id : key;
    r->text = text;
    if (row_find(*table, r->key) != NULL) {
        free(r);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, *table, r->key, strlen(r->key), r);
    return r;
}

static void rows_free(struct row **table)
{
    struct row *r, *next;

    HASH_ITER(hh, *table, r, next) {
        HASH_DEL(*table, r);
        free(r);
    }
}

static void add_group(struct snapshot *s, const struct name *n, const char *id)
{
    enum policy_group_state state = id != NULL ? POLICY_GROUP_BOUND
                                  : n->state == DIRECTORY_NONE ? POLICY_GROUP_NONE : POLICY_GROUP_SEVERAL;
    struct row *rows[2] = {
        n->by_id ? NULL : row_add(&s->groups_by_name, n->text, id, n->text),
        id == NULL ? NULL : row_add(&s->groups_by_id, NULL, id, n->text),
    };

    for (size_t i = 0; i < EB_LEN(rows); i++)
        if (rows[i] != NULL)
            rows[i]->group = (struct snapshot_group){ state, n->rule, id == NULL ? NULL : rows[i]->id };
}

/* The pinned id, and all that the name fits now: protection rather covers too much. */
static bool add_protected(struct row **table, const struct name *n, const char *id)
{
    if (id != NULL)
        row_add(table, NULL, id, n->text);
    for (size_t i = 0; i < n->fits.count; i++)
        row_add(table, NULL, n->fits.ids[i], n->text);
    return id != NULL || n->fits.count > 0;
}

static void add_name(struct snapshot *s, const struct name *n)
{
    const char *id = name_id(n);

    switch (n->kind) {
    case NAME_GROUP:
        add_group(s, n, id);
        break;
    case NAME_PROTECTED_GROUP:
        s->protects_groups = true;
        if (!add_protected(&s->protected_groups, n, id) && s->unfound_group == NULL)
            s->unfound_group = n->text;
        break;
    case NAME_PROTECTED_USER:
        if (!add_protected(&s->protected_users, n, id) && s->unfound_user == NULL)
            s->unfound_user = n->text;
        break;
    case NAME_PROJECT:
        if (id != NULL)
            row_add(&s->projects, n->text, id, n->text);
        break;
    case NAME_POLICY_GROUP:
        if (id != NULL)
            row_add(&s->policy_groups, n->text, id, n->text);
        break;
    case NAME_DUTY_GROUP:
        duties_add(s->duties, n, id);
        break;
    case NAME_KIND_COUNT:
        break;
    }
}

static const char *keep_id(char slot[NAME_ID_LEN], const char *id)
{
    if (id == NULL || id[0] == '\0')
        return NULL;
    name_id_copy(slot, id);
    return slot;
}

static void add_bindings(struct snapshot *s, const struct names *names)
{
    s->bindings = eb_alloc((names->count + 1) * sizeof(*s->bindings));
    s->ids = eb_alloc((names->count + 1) * 3 * sizeof(*s->ids));
    s->binding_count = names->count;
    for (size_t i = 0; i < names->count; i++) {
        const struct name *n = &names->items[i];
        s->bindings[i] = (struct directory_binding){
            .what = name_what(n->kind), .name = n->text, .state = n->state,
            .id = keep_id(s->ids[3 * i], name_id(n)),
            .fits = keep_id(s->ids[3 * i + 1], n->fits.count > 0 ? n->fits.ids[0] : NULL),
            .pin = keep_id(s->ids[3 * i + 2], n->pin),
        };
    }
}

struct snapshot *snapshot_new(struct config *c, const struct names *names)
{
    struct snapshot *s = eb_alloc(sizeof(*s));

    s->references = 1;
    s->config = config_ref(c);
    s->duties = duties_new();
    for (size_t i = 0; i < names->count; i++)
        add_name(s, &names->items[i]);
    add_bindings(s, names);
    return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    s->references++;
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (s == NULL || --s->references > 0)
        return;
    struct row **tables[] = { &s->groups_by_name, &s->groups_by_id, &s->protected_groups, &s->protected_users, &s->projects, &s->policy_groups };
    for (size_t i = 0; i < EB_LEN(tables); i++)
        rows_free(tables[i]);
    duties_free(s->duties);
    free(s->bindings);
    free(s->ids);
    config_unref(s->config);
    free(s);
}

struct config *snapshot_config(const struct snapshot *s) { return s->config; }

size_t snapshot_bindings(const struct snapshot *s, const struct directory_binding **ret)
{
    *ret = s->bindings;
    return s->binding_count;
}

const struct snapshot_group *snapshot_group(const struct snapshot *s, const char *text)
{
    const struct row *r = eb_is_guid(text) ? row_find_id(s->groups_by_id, text) : row_find(s->groups_by_name, text);

    return r == NULL ? &not_listed : &r->group;
}

const char *snapshot_protected_group(const struct snapshot *s, const char *id)
{
    const struct row *r = row_find_id(s->protected_groups, id);

    return r == NULL ? NULL : r->text;
}

bool snapshot_protects_groups(const struct snapshot *s) { return s->protects_groups; }
const char *snapshot_unfound_group(const struct snapshot *s) { return s->unfound_group; }
const char *snapshot_unfound_user(const struct snapshot *s) { return s->unfound_user; }

bool snapshot_protected_user(const struct snapshot *s, const char *id, const char *upn, const char *mail)
{
    const struct config_list *texts = &s->config->policy.protected_users;

    if (id != NULL && row_find_id(s->protected_users, id) != NULL)
        return true;
    for (size_t i = 0; i < texts->count; i++)
        if ((upn != NULL && eb_strieq(texts->items[i], upn)) || (mail != NULL && eb_strieq(texts->items[i], mail)))
            return true;
    return false;
}

size_t snapshot_duty_slots(const struct snapshot *s) { return duties_slots(s->duties); }
const char *snapshot_unfound_duty(const struct snapshot *s) { return duties_unfound(s->duties); }

void snapshot_mark_duties(const struct snapshot *s, const char *id, unsigned char *marks)
{
    duties_mark(s->duties, id, marks);
}

const char *snapshot_duty_conflict(const struct snapshot *s, const unsigned char *held, const unsigned char *asked)
{
    return duties_conflict(s->duties, held, asked);
}

const char *snapshot_policy_group(const struct snapshot *s, const char *text)
{
    const struct row *r = row_find(s->policy_groups, text);

    return r == NULL ? NULL : r->id;
}

const char *snapshot_project(const struct snapshot *s, const char *key)
{
    const struct row *r = row_find(s->projects, key);

    return r == NULL ? NULL : r->id;
}
