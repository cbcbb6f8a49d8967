/* assets_model.c - schemas, object types, attributes, statuses, kinds of reference: few, found by walking.
 *
 * Ids are numbers that say where a thing lies: types and attributes stay in their arrays until the store goes.
 */
#include "sim/assets_store.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_TYPE 101
#define FIRST_ATTR 1330

/* Room for one more in an array whose length is `count`. */
static void *more(void *array, size_t count, size_t each)
{
    return (count & (count - 1)) == 0 ? eb_need(realloc(array, (count == 0 ? 1 : count * 2) * each)) : array;
}
/* Of arrays of pointers. */
#define ADD(array, count, item) ((array) = more((array), (count), sizeof(void *)), (array)[(count)++] = (item))

struct assets_schema *assets_schema(const struct assets *a, uint32_t id)
{
    for (size_t i = 0; i < a->schema_count; i++)
        if (a->schemas[i]->id == id)
            return a->schemas[i];
    return NULL;
}

struct assets_schema *assets_schema_keyed(const struct assets *a, const char *key)
{
    for (size_t i = 0; i < a->schema_count; i++)
        if (eb_strieq(a->schemas[i]->key, key))
            return a->schemas[i];
    return NULL;
}

struct assets_type *assets_type(const struct assets *a, uint32_t id)
{
    return id >= FIRST_TYPE && id < a->type_count ? a->types[id] : NULL;
}

struct assets_type *assets_type_named(const struct assets *a, uint32_t schema, const char *name)
{
    for (size_t i = FIRST_TYPE; i < a->type_count; i++)
        if ((schema == 0 || a->types[i]->schema == schema) && assets_fold_equal(a->types[i]->name, name))
            return a->types[i];
    return NULL;
}

bool assets_type_within(const struct assets *a, uint32_t type, uint32_t above)
{
    for (; type != 0; type = a->types[type]->parent)
        if (type == above)
            return true;
    return false;
}

struct assets_attr *assets_attr(const struct assets *a, uint32_t id)
{
    return id >= FIRST_ATTR && id < a->attr_count ? a->attrs[id] : NULL;
}

struct assets_attr *assets_attr_named(const struct assets_type *t, const char *name)
{
    for (size_t i = 0; i < t->attr_count; i++)
        if (assets_fold_equal(t->attrs[i]->name, name))
            return t->attrs[i];
    return NULL;
}

struct assets_attr *assets_attr_of(const struct assets_type *t, uint32_t id)
{
    for (size_t i = 0; i < t->attr_count; i++)
        if (t->attrs[i]->id == id)
            return t->attrs[i];
    return NULL;
}

struct assets_status *assets_status(const struct assets *a, uint32_t id)
{
    return id > 0 && id <= a->status_count ? a->statuses[id - 1] : NULL;
}

struct assets_status *assets_status_named(const struct assets *a, uint32_t schema, const char *name)
{
    for (size_t i = 0; i < a->status_count; i++)
        if ((a->statuses[i]->schema == 0 || a->statuses[i]->schema == schema) && assets_fold_equal(a->statuses[i]->name, name))
            return a->statuses[i];
    return NULL;
}

struct assets_reference_type *assets_reference_type(const struct assets *a, uint32_t id)
{
    return id > 0 && id <= a->reference_type_count ? a->reference_types[id - 1] : NULL;
}

struct assets_schema *assets_schema_add(struct assets *a, const char *key, const char *name, const char *description)
{
    struct assets_schema *s = eb_alloc(sizeof(*s));

    s->id = (uint32_t)a->schema_count + 1;
    s->key = eb_strdup(key);
    s->name = eb_strdup(name);
    s->description = eb_strdup(description != NULL ? description : "");
    s->created_ms = s->updated_ms = eb_now_ms();
    ADD(a->schemas, a->schema_count, s);
    return s;
}

/* The type, and those below it that inherit from it, show the attribute. */
static void attach(struct assets *a, struct assets_type *t, struct assets_attr *at)
{
    ADD(t->attrs, t->attr_count, at);
    for (size_t i = FIRST_TYPE; t->inherited && i < a->type_count; i++)
        if (a->types[i]->parent == t->id)
            attach(a, a->types[i], at);
}

struct assets_attr *assets_attr_add(struct assets *a, struct assets_type *t, const char *name, enum assets_kind kind, enum assets_plain plain)
{
    struct assets_attr *at = eb_alloc(sizeof(*at));

    while (a->attr_count < FIRST_ATTR)
        ADD(a->attrs, a->attr_count, NULL);
    *at = (struct assets_attr){ .id = (uint32_t)a->attr_count, .owner = t, .name = eb_strdup(name), .kind = kind, .plain = plain, .most = 1 };
    ADD(a->attrs, a->attr_count, at);
    attach(a, t, at);
    return at;
}

void assets_label_set(struct assets_type *t, struct assets_attr *label)
{
    for (size_t i = 0; i < t->attr_count; i++)
        t->attrs[i]->label = t->attrs[i] == label;
    t->label = label;
}

static void add_own_attributes(struct assets *a, struct assets_type *t)
{
    static const struct { const char *name; enum assets_plain plain; bool system; } own[] = {
        { "Key", ASSETS_TEXT, true }, { "Name", ASSETS_TEXT, false }, { "Created", ASSETS_DATE_TIME, true }, { "Updated", ASSETS_DATE_TIME, true },
    };

    for (size_t i = 0; i < EB_LEN(own); i++) {
        struct assets_attr *at = assets_attr_add(a, t, own[i].name, ASSETS_PLAIN, own[i].plain);
        at->system = own[i].system;
        at->least = own[i].plain == ASSETS_TEXT ? 1 : 0;
        if (!own[i].system)
            assets_label_set(t, at);
    }
}

struct assets_type *assets_type_add(struct assets *a, struct assets_schema *s, const char *name, struct assets_type *parent, bool inherited)
{
    struct assets_type *t = eb_alloc(sizeof(*t));

    while (a->type_count < FIRST_TYPE)
        ADD(a->types, a->type_count, NULL);
    t->id = (uint32_t)a->type_count;
    t->schema = s->id;
    t->parent = parent != NULL ? parent->id : 0;
    t->name = eb_strdup(name);
    t->description = eb_strdup("");
    t->icon = 131;
    t->inherited = inherited;
    t->position = s->types++;
    t->created_ms = t->updated_ms = eb_now_ms();
    ADD(a->types, a->type_count, t);
    if (parent == NULL || !parent->inherited) {
        add_own_attributes(a, t);
        return t;
    }
    for (size_t i = 0; i < parent->attr_count; i++)
        ADD(t->attrs, t->attr_count, parent->attrs[i]);
    t->label = parent->label;
    return t;
}

struct assets_status *assets_status_add(struct assets *a, uint32_t schema, const char *name, int category)
{
    struct assets_status *st = eb_alloc(sizeof(*st));

    *st = (struct assets_status){ (uint32_t)a->status_count + 1, schema, eb_strdup(name), eb_strdup(""), category };
    ADD(a->statuses, a->status_count, st);
    return st;
}

struct assets_reference_type *assets_reference_type_add(struct assets *a, uint32_t schema, const char *name)
{
    struct assets_reference_type *rt = eb_alloc(sizeof(*rt));

    *rt = (struct assets_reference_type){ (uint32_t)a->reference_type_count + 1, schema, eb_strdup(name), eb_strdup(""), eb_strdup("42526E") };
    ADD(a->reference_types, a->reference_type_count, rt);
    return rt;
}

static void attr_free(struct assets_attr *at)
{
    if (at == NULL)
        return;
    char *const texts[] = { at->name, at->description, at->additional, at->suffix, at->options, at->regex, at->query, at->external_id };
    for (size_t i = 0; i < EB_LEN(texts); i++)
        free(texts[i]);
    json_decref(at->multi);
    free(at);
}

static void type_free(struct assets_type *t)
{
    if (t == NULL)
        return;
    free(t->name);
    free(t->description);
    free(t->external_id);
    free(t->attrs);
    free(t);
}

static void names_free(struct assets *a)
{
    for (size_t i = 0; i < a->schema_count; i++) {
        free(a->schemas[i]->name);
        free(a->schemas[i]->key);
        free(a->schemas[i]->description);
        free(a->schemas[i]);
    }
    for (size_t i = 0; i < a->status_count; i++) {
        free(a->statuses[i]->name);
        free(a->statuses[i]->description);
        free(a->statuses[i]);
    }
    for (size_t i = 0; i < a->reference_type_count; i++) {
        free(a->reference_types[i]->name);
        free(a->reference_types[i]->description);
        free(a->reference_types[i]->color);
        free(a->reference_types[i]);
    }
}

void assets_store_free(struct assets *a)
{
    if (a == NULL)
        return;
    assets_objects_free(a);
    names_free(a);
    for (size_t i = 0; i < a->attr_count; i++)
        attr_free(a->attrs[i]);
    for (size_t i = 0; i < a->type_count; i++)
        type_free(a->types[i]);
    free(a->schemas);
    free(a->types);
    free(a->attrs);
    free(a->statuses);
    free(a->reference_types);
    free(a);
}
