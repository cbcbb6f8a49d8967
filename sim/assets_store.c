/* assets_store.c - objects: written, indexed, seen late, removed with the references to them.
 *
 * Invariant: every cell of a body, and of an older one that AQL still sees, has an entry in the index (assets_postings.h).
 */
#include "sim/assets_store.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct assets_old {
    struct assets_object *object;
    struct assets_body *body;       /* NULL: it was not there */
    int64_t until_ms;
    struct assets_old *later;
    TAILQ_ENTRY(assets_old) next;
};

bool assets_holds_number(const struct assets_attr *at)
{
    return at->kind == ASSETS_REFERENCE || at->kind == ASSETS_STATUS;
}

static uint64_t number_key(uint64_t kind, uint64_t a, uint64_t b)
{
    uint64_t h = (kind << 62) ^ (a * 0x9e3779b97f4a7c15ULL) ^ (b * 0xc2b2ae3d27d4eb4fULL);

    h ^= h >> 31;
    h *= 0xbf58476d1ce4e5b9ULL;
    return (h ^ (h >> 29)) | 1;
}

uint64_t assets_key_type(uint32_t type)
{
    return number_key(1, type, 0);
}

uint64_t assets_key_schema(uint32_t schema)
{
    return number_key(2, schema, 0);
}

uint64_t assets_key_text(uint32_t attr, const char *text)
{
    return assets_fold_hash(attr, text) | 1;
}

uint64_t assets_key_number(uint32_t attr, uint32_t value)
{
    return number_key(3, attr, value);
}

static uint64_t cell_key(const struct assets *a, const struct assets_cell *c)
{
    return assets_holds_number(assets_attr(a, c->attr)) ? assets_key_number(c->attr, c->value)
                                                        : assets_key_text(c->attr, assets_text(a->strings, c->value));
}

static bool body_holds(const struct assets *a, const struct assets_body *b, uint64_t key)
{
    for (uint32_t i = 0; b != NULL && i < b->count; i++)
        if (cell_key(a, &b->cells[i]) == key)
            return true;
    return false;
}

static bool holds(void *ctx, uint64_t key, uint32_t id)
{
    const struct assets *a = ctx;
    const struct assets_object *o = a->objects[id];
    const struct assets_type *t = a->types[o->type];

    if (o->body == NULL && o->old == NULL)
        return false;
    if (key == assets_key_type(o->type) || key == assets_key_schema(t->schema) || body_holds(a, o->body, key))
        return true;
    for (const struct assets_old *old = o->old; old != NULL; old = old->later)
        if (body_holds(a, old->body, key))
            return true;
    return false;
}

#define TEXTS_EACH 8                /* of an object's texts so many are its own */
struct assets *assets_store_new(size_t objects)
{
    struct assets *a = eb_alloc(sizeof(*a));

    a->strings = assets_strings_new(objects * TEXTS_EACH);
    a->index = assets_postings_new(holds, a, objects * TEXTS_EACH);
    a->object_count = 1;
    a->objects = eb_alloc(sizeof(struct assets_object *));
    TAILQ_INIT(&a->pending);
    for (int i = 0; i < 3; i++)
        assets_status_add(a, 0, ((const char *const[]){ "Active", "Closed", "In Stock" })[i], ((const int[]){ 1, 0, 2 })[i]);
    for (int i = 0; i < 4; i++)
        assets_reference_type_add(a, 0, ((const char *const[]){ "Depends on", "Installed", "Using", "Reference" })[i]);
    return a;
}

struct assets_object *assets_object(const struct assets *a, uint32_t id)
{
    return id > 0 && id < a->object_count && a->objects[id]->body != NULL ? a->objects[id] : NULL;
}

struct assets_object *assets_object_numbered(const struct assets *a, const char *id)
{
    size_t len = strspn(id, "0123456789");

    return len > 0 && len < 10 && id[len] == '\0' && id[0] != '0' ? assets_object(a, (uint32_t)strtoul(id, NULL, 10)) : NULL;
}

struct assets_object *assets_object_keyed(const struct assets *a, const char *key)
{
    const char *dash = strrchr(key, '-');
    struct assets_object *o = dash != NULL ? assets_object_numbered(a, dash + 1) : NULL;
    const struct assets_schema *s = o != NULL ? assets_schema(a, a->types[o->type]->schema) : NULL;

    return s != NULL && strlen(s->key) == (size_t)(dash - key) && strncasecmp(s->key, key, strlen(s->key)) == 0 ? o : NULL;
}

void assets_key(const struct assets *a, const struct assets_object *o, char out[48])
{
    snprintf(out, 48, "%s-%u", assets_schema(a, a->types[o->type]->schema)->key, o->id);
}

const char *assets_label(const struct assets *a, const struct assets_object *o, const struct assets_body *b)
{
    const struct assets_type *t = a->types[o->type];

    if (t->label != NULL && b != NULL)
        ASSETS_EACH_CELL(b, t->label, c)
            return assets_text(a->strings, c->value);
    return "";
}

static int by_cell(const void *x, const void *y)
{
    const struct assets_cell *a = x, *b = y;

    if (a->attr != b->attr)
        return a->attr < b->attr ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static struct assets_body *body_new(struct assets_cell *cells, uint32_t count, int64_t now_ms)
{
    uint32_t n = 0;

    qsort(cells, count, sizeof(*cells), by_cell);
    for (uint32_t i = 0; i < count; i++)
        if (n == 0 || by_cell(&cells[n - 1], &cells[i]) != 0)
            cells[n++] = cells[i];
    struct assets_body *b = eb_need(malloc(sizeof(*b) + n * sizeof(*cells)));
    b->updated_ms = now_ms;
    b->count = n;
    if (n > 0)
        memcpy(b->cells, cells, n * sizeof(*cells));
    return b;
}

static bool has_cell(const struct assets_body *b, const struct assets_cell *c)
{
    return b != NULL && bsearch(c, b->cells, b->count, sizeof(*c), by_cell) != NULL;
}

/* Nobody sees this body any more. */
static void body_drop(struct assets *a, const struct assets_object *o, struct assets_body *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; i < b->count; i++)
        if (!has_cell(o->body, &b->cells[i]))
            assets_posting_gone(a->index, cell_key(a, &b->cells[i]));
    if (o->body == NULL) {
        assets_posting_gone(a->index, assets_key_type(o->type));
        assets_posting_gone(a->index, assets_key_schema(a->types[o->type]->schema));
    }
    free(b);
}

/* Gives the object another body; AQL sees the old one for a while. */
static void body_replace(struct assets *a, struct assets_object *o, struct assets_body *b)
{
    struct assets_body *before = o->body;

    o->body = b;
    for (uint32_t i = 0; b != NULL && i < b->count; i++)
        if (!has_cell(before, &b->cells[i]))
            assets_posting_add(a->index, cell_key(a, &b->cells[i]), o->id);
    a->generation++;
    if (a->eventual_ms <= 0 && o->old == NULL) {
        body_drop(a, o, before);
        return;
    }
    struct assets_old *old = eb_alloc(sizeof(*old)), **at = &o->old;
    *old = (struct assets_old){ .object = o, .body = before, .until_ms = eb_mono_ms() + a->eventual_ms };
    while (*at != NULL)
        at = &(*at)->later;
    *at = old;
    TAILQ_INSERT_TAIL(&a->pending, old, next);
}

void assets_settle(struct assets *a, int64_t mono_ms)
{
    struct assets_old *old;

    while ((old = TAILQ_FIRST(&a->pending)) != NULL && old->until_ms <= mono_ms) {
        TAILQ_REMOVE(&a->pending, old, next);
        old->object->old = old->later;              /* an object's are in the order of the queue */
        body_drop(a, old->object, old->body);
        free(old);
        a->generation++;
    }
}

const struct assets_body *assets_seen(const struct assets_object *o)
{
    return o->old != NULL ? o->old->body : o->body;
}

static struct assets_object *object_new(struct assets *a, const struct assets_type *t)
{
    struct assets_object *o = eb_alloc(sizeof(*o));

    if ((a->object_count & (a->object_count - 1)) == 0)
        a->objects = eb_need(realloc(a->objects, 2 * (size_t)a->object_count * sizeof(struct assets_object *)));
    o->id = a->object_count++;
    o->type = t->id;
    o->created_ms = eb_now_ms();
    a->objects[o->id] = o;
    assets_posting_add(a->index, assets_key_type(o->type), o->id);
    assets_posting_add(a->index, assets_key_schema(t->schema), o->id);
    a->types[t->id]->objects++;
    assets_schema(a, t->schema)->objects++;
    a->live++;
    return o;
}

bool assets_object_put(struct assets *a, struct assets_object **o, const struct assets_type *t, struct assets_cell *cells, uint32_t count)
{
    struct assets_body *b = body_new(cells, count, eb_now_ms());
    const struct assets_body *before = *o != NULL ? (*o)->body : NULL;

    if (before != NULL && before->count == b->count && memcmp(before->cells, b->cells, b->count * sizeof(*cells)) == 0) {
        free(b);
        return false;
    }
    if (*o == NULL)
        *o = object_new(a, t);
    body_replace(a, *o, b);
    return true;
}

static void drop_reference(struct assets *a, struct assets_object *from, uint32_t attr, uint32_t to)
{
    const struct assets_body *b = from->body;
    struct assets_cell *cells = eb_alloc((b->count + 1) * sizeof(*cells));
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->count; i++)
        if (b->cells[i].attr != attr || b->cells[i].value != to)
            cells[n++] = b->cells[i];
    assets_object_put(a, &from, a->types[from->type], cells, n);
    free(cells);
}

static void drop_references(struct assets *a, const struct assets_object *to)
{
    for (size_t i = 0; i < a->attr_count; i++) {
        if (a->attrs[i] == NULL || a->attrs[i]->kind != ASSETS_REFERENCE)
            continue;
        uint32_t attr = a->attrs[i]->id;
        struct assets_ids list = assets_posting(a->index, assets_key_number(attr, to->id));
        if (list.count == 0)
            continue;
        uint32_t *from = eb_need(malloc(list.count * sizeof(*from)));    /* writing changes the list */
        memcpy(from, list.ids, list.count * sizeof(*from));
        for (size_t k = 0; k < list.count; k++)
            if (has_cell(a->objects[from[k]]->body, &(struct assets_cell){ attr, to->id }))
                drop_reference(a, a->objects[from[k]], attr, to->id);
        free(from);
    }
}

void assets_object_remove(struct assets *a, struct assets_object *o)
{
    const struct assets_type *t = a->types[o->type];

    drop_references(a, o);
    body_replace(a, o, NULL);
    a->types[t->id]->objects--;
    assets_schema(a, t->schema)->objects--;
    a->live--;
}

void assets_objects_free(struct assets *a)
{
    struct assets_old *old;

    while ((old = TAILQ_FIRST(&a->pending)) != NULL) {
        TAILQ_REMOVE(&a->pending, old, next);
        free(old->body);
        free(old);
    }
    for (uint32_t i = 1; i < a->object_count; i++) {
        free(a->objects[i]->body);
        free(a->objects[i]);
    }
    free(a->objects);
    assets_postings_free(a->index);
    assets_strings_free(a->strings);
}
