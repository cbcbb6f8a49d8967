/* entra.c - objects, their attributes and the index over them.
 *
 * Invariant: an object is in by_id, in all[kind], in order[kind], and, where it has attributes of its own, in the index under each
 * value of each indexed property, as long as it lives.
 */
#include "sim/entra.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCRATCH 64
struct entra_scratch { json_t *v[SCRATCH]; unsigned at; };

struct entra_index {
    char *key;                      /* kind, property, value in lower case */
    struct entra_list objects;
    UT_hash_handle hh;
};

static const struct { enum entra_kind kind; const char *property; } indexed[] = {
    { ENTRA_USER, "userPrincipalName" }, { ENTRA_USER, "mail" }, { ENTRA_USER, "otherMails" },
    { ENTRA_USER, "proxyAddresses" }, { ENTRA_USER, "employeeId" }, { ENTRA_USER, "displayName" },
    { ENTRA_GROUP, "displayName" }, { ENTRA_GROUP, "mailNickname" },
    { ENTRA_APPLICATION, "appId" }, { ENTRA_SERVICE_PRINCIPAL, "appId" },
};

bool entra_is_indexed(enum entra_kind kind, const char *property)
{
    for (size_t i = 0; i < EB_LEN(indexed); i++)
        if (indexed[i].kind == kind && strcmp(indexed[i].property, property) == 0)
            return true;
    return false;
}

static char *index_key(enum entra_kind kind, const char *property, const char *value)
{
    char *key = eb_asprintf("%d|%s|%s", (int)kind, property, value);

    for (char *p = key; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return key;
}

static void index_one(struct entra *e, struct entra_object *o, const char *property, const char *value, bool add)
{
    char *key = index_key(o->kind, property, value);
    struct entra_index *x;

    HASH_FIND_STR(e->index, key, x);
    if (add && x == NULL) {
        x = eb_alloc(sizeof(*x));
        x->key = key;
        key = NULL;
        HASH_ADD_KEYPTR(hh, e->index, x->key, strlen(x->key), x);
    }
    free(key);
    if (add) {
        entra_list_add(&x->objects, o);
        return;
    }
    for (size_t i = 0; x != NULL && i < x->objects.n; i++)
        if (x->objects.v[i] == o) {
            memmove(&x->objects.v[i], &x->objects.v[i + 1], (--x->objects.n - i) * sizeof(entra_ref));
            break;
        }
    if (x != NULL && x->objects.n == 0) {
        HASH_DEL(e->index, x);
        entra_list_free(&x->objects);
        free(x->key);
        free(x);
    }
}

static void index_property(struct entra *e, struct entra_object *o, const char *property, bool add)
{
    const json_t *value = json_object_get(o->attrs, property);      /* none of a person that is only a number: see find_numbered() */

    if (json_is_string(value))
        index_one(e, o, property, json_string_value(value), add);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (json_is_string(json_array_get(value, i)))
            index_one(e, o, property, json_string_value(json_array_get(value, i)), add);
}

/* Has this person, who is only a number, the value? */
static bool number_has(const struct entra *e, const struct entra_object *o, enum company_field f, const char *value)
{
    char scratch[COMPANY_TEXT_MAX];
    struct company_person p;
    const char *text;

    company_person(&e->company, o->number, &p);
    enum company_form form = company_value(&p, f, scratch, &text);
    return (form == COMPANY_TEXT || form == COMPANY_LIST) && strcasecmp(text, value) == 0;
}

/* Adds the people without attributes of their own who have the value: their addresses say who they are, only names need a look at all. */
static void find_numbered(struct entra *e, const char *property, const char *value)
{
    char id[EB_ID_LEN];
    int f = company_field(property);
    uint32_t number = company_guess(value);
    struct entra_object *o;

    if (f == COMPANY_DISPLAY_NAME) {
        TAILQ_FOREACH(o, &e->all[ENTRA_USER], next)
            if (o->attrs == NULL && number_has(e, o, COMPANY_DISPLAY_NAME, value))
                entra_list_add(&e->found, o);
    } else if (f >= 0 && number > 0 && number <= e->company.last) {
        company_id(number, id);
        o = entra_find(e, id);
        if (o != NULL && o->attrs == NULL && number_has(e, o, (enum company_field)f, value))
            entra_list_add(&e->found, o);
    }
}

struct entra_object **entra_lookup(struct entra *e, enum entra_kind kind, const char *property, const char *value, size_t *ret_count)
{
    char *key = index_key(kind, property, value);
    struct entra_index *x;

    HASH_FIND_STR(e->index, key, x);
    free(key);
    e->found.n = 0;
    for (size_t i = 0; x != NULL && i < x->objects.n; i++)
        entra_list_add(&e->found, x->objects.v[i]);
    if (kind == ENTRA_USER && e->company.last > 0)
        find_numbered(e, property, value);
    *ret_count = e->found.n;
    return e->found.n > 0 ? e->found.v : NULL;
}

struct entra *entra_new(void)
{
    struct entra *e = eb_alloc(sizeof(*e));

    for (int k = 0; k < ENTRA_KINDS; k++)
        TAILQ_INIT(&e->all[k]);
    TAILQ_INIT(&e->dying);
    e->scratch = eb_alloc(sizeof(*e->scratch));
    e->assignments = json_array();
    e->eligibilities = json_array();
    e->definitions = json_array();
    e->skus = json_array();
    return e;
}

void entra_attach(struct entra *e, struct entra_object *o)
{
    HASH_ADD_STR(e->by_id, id, o);
    TAILQ_INSERT_TAIL(&e->all[o->kind], o, next);
    e->counts[o->kind]++;
    o->order = (uint32_t)e->order[o->kind].n;
    entra_list_add(&e->order[o->kind], o);
    for (size_t i = 0; i < EB_LEN(indexed) && o->attrs != NULL; i++)
        if (indexed[i].kind == o->kind)
            index_property(e, o, indexed[i].property, true);
}

void entra_detach(struct entra *e, struct entra_object *o)
{
    for (size_t i = 0; i < EB_LEN(indexed); i++)
        if (indexed[i].kind == o->kind)
            index_property(e, o, indexed[i].property, false);
    HASH_DEL(e->by_id, o);
    e->order[o->kind].v[o->order] = NULL;
    TAILQ_REMOVE(&e->all[o->kind], o, next);
    e->counts[o->kind]--;
}

static void add(struct entra *e, struct entra_object *o)
{
    for (int r = 0; r < ENTRA_RELATIONS; r++) {
        TAILQ_INIT(&o->out[r]);
        TAILQ_INIT(&o->in[r]);
    }
    TAILQ_INIT(&o->reports);
    entra_attach(e, o);
    entra_log_add(&e->log, o, CHANGE_MADE, NULL, NULL);
}

struct entra_object *entra_add(struct entra *e, enum entra_kind kind, json_t *attrs)
{
    struct entra_object *o = eb_alloc(sizeof(*o));
    const char *id = eb_json_str(attrs, "id");

    o->kind = kind;
    o->attrs = attrs;
    eb_text_clean(id != NULL ? id : "", o->id, sizeof(o->id));
    add(e, o);
    return o;
}

struct entra_object *entra_add_person(struct entra *e, uint32_t number)
{
    struct entra_object *o = eb_alloc(sizeof(*o));

    o->kind = ENTRA_USER;
    o->number = number;
    company_id(number, o->id);
    e->company.last = number > e->company.last ? number : e->company.last;
    add(e, o);
    return o;
}

void entra_inflate(struct entra *e, struct entra_object *o)
{
    struct company_person p;

    if (o->attrs != NULL)
        return;
    company_person(&e->company, o->number, &p);
    o->attrs = company_attrs(&p);
    for (size_t i = 0; i < EB_LEN(indexed); i++)
        if (indexed[i].kind == o->kind)
            index_property(e, o, indexed[i].property, true);
}

void entra_object_free(struct entra_object *o)
{
    json_decref(o->attrs);
    json_decref(o->methods);
    json_decref(o->left_behind);
    free(o->password);
    free(o->access_pass);
    free(o);
}

/* Only at the end of all: the other ends are not told. */
static void free_edges(struct entra_object *o)
{
    struct entra_edge *edge, *next;

    for (int r = 0; r < ENTRA_RELATIONS; r++)
        for (edge = TAILQ_FIRST(&o->out[r]); edge != NULL; edge = next) {
            next = TAILQ_NEXT(edge, in_from);
            free(edge);
        }
}

void entra_free(struct entra *e)
{
    struct entra_index *x, *x_tmp;
    struct entra_object *o, *o_tmp;

    if (e == NULL)
        return;
    entra_log_free(&e->log);
    HASH_ITER(hh, e->index, x, x_tmp) {
        HASH_DEL(e->index, x);
        entra_list_free(&x->objects);
        free(x->key);
        free(x);
    }
    HASH_ITER(hh, e->by_id, o, o_tmp) {
        HASH_DEL(e->by_id, o);
        free_edges(o);
        entra_object_free(o);
    }
    HASH_ITER(hh, e->bin, o, o_tmp) {
        HASH_DEL(e->bin, o);
        entra_object_free(o);
    }
    for (int k = 0; k < ENTRA_KINDS; k++)
        entra_list_free(&e->order[k]);
    entra_list_free(&e->found);
    for (size_t i = 0; i < SCRATCH; i++)
        json_decref(e->scratch->v[i]);
    free(e->scratch);
    json_decref(e->assignments);
    json_decref(e->eligibilities);
    json_decref(e->definitions);
    json_decref(e->skus);
    free(e);
}

struct entra_object *entra_find(struct entra *e, const char *id)
{
    char lower[EB_ID_LEN];
    struct entra_object *o;
    size_t n = strlen(id);

    if (n >= sizeof(lower))
        return NULL;
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)tolower((unsigned char)id[i]);
    HASH_FIND_STR(e->by_id, lower, o);
    return o;
}

const char *entra_time(int64_t ms, char out[EB_TIME_LEN])
{
    eb_time_format(ms, out);
    memcpy(out + 19, "Z", 2);
    return out;
}

bool entra_object_seen(const struct entra_object *o)
{
    return o->seen_ms == 0 || o->seen_ms <= eb_mono_ms();
}

struct entra_object *entra_find_kind(struct entra *e, enum entra_kind kind, const char *id)
{
    struct entra_object *o = entra_find(e, id);

    return o != NULL && o->kind == kind ? o : NULL;
}

struct entra_object *entra_find_user(struct entra *e, const char *id_or_upn)
{
    size_t n;
    struct entra_object *o = entra_find_kind(e, ENTRA_USER, id_or_upn);

    if (o != NULL)
        return o;
    struct entra_object **v = entra_lookup(e, ENTRA_USER, "userPrincipalName", id_or_upn, &n);
    return n > 0 ? v[0] : NULL;
}

void entra_set(struct entra *e, struct entra_object *o, const char *name, json_t *value)
{
    bool is_indexed = entra_is_indexed(o->kind, name);

    entra_inflate(e, o);
    if (strcmp(name, "accountEnabled") == 0 && e->eventual_ms > 0) {
        o->old_enabled = json_is_true(entra_get(e, o, name));
        o->old_enabled_until_ms = eb_mono_ms() + e->eventual_ms;
    }
    if (is_indexed)
        index_property(e, o, name, false);
    if (json_is_null(value)) {
        json_object_del(o->attrs, name);
        json_decref(value);
    } else {
        json_object_set_new(o->attrs, name, value);
    }
    if (is_indexed)
        index_property(e, o, name, true);
    entra_log_add(&e->log, o, CHANGE_SET, name, NULL);
}

void entra_set_manager(struct entra *e, struct entra_object *o, struct entra_object *manager)
{
    if (o->manager == manager)
        return;
    entra_log_add(&e->log, o, CHANGE_MANAGER, NULL, o->manager);
    if (o->manager != NULL)
        TAILQ_REMOVE(&o->manager->reports, o, beside);
    if (manager != NULL)
        TAILQ_INSERT_TAIL(&manager->reports, o, beside);
    o->manager = manager;
}

/* What the company says, held until the ring comes round. */
static json_t *computed(const struct entra *e, const struct entra_object *o, const char *name)
{
    struct company_person p;
    int f = company_field(name);

    if (f < 0)
        return NULL;
    company_person(&e->company, o->number, &p);
    json_t **at = &e->scratch->v[e->scratch->at++ % SCRATCH];
    json_decref(*at);
    *at = company_json(&p, (enum company_field)f);
    return *at;
}

json_t *entra_get(const struct entra *e, const struct entra_object *o, const char *name)
{
    if (o->old_enabled_until_ms != 0 && strcmp(name, "accountEnabled") == 0 && eb_mono_ms() < o->old_enabled_until_ms)
        return o->old_enabled ? json_true() : json_false();
    if (o->attrs == NULL)
        return computed(e, o, name);
    return json_object_get(o->attrs, name);
}
