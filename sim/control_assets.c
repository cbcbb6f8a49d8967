/* control_assets.c - Assets in the control API: the truth in flat pages, and changes behind the bridge's back.
 *
 * What is changed here is not counted, and AQL sees it as late as any other write.
 */
#include "sim/assets_import.h"
#include "sim/control.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 2000
#define SHOWN 50
#define COUNTED_MAX 20000

static json_t *cell_json(struct sim *s, const struct assets_attr *at, uint32_t value, bool label)
{
    const struct assets *a = s->assets->store;
    char key[48];

    if (label)
        return json_string(assets_label(a, a->objects[value], a->objects[value]->body));
    return json_string(assets_cell_text(a, at, value, key));
}

/* The value, or an array where there may be several. */
static json_t *values_json(struct sim *s, const struct assets_attr *at, const struct assets_body *b, bool label)
{
    json_t *list = json_array();

    ASSETS_EACH_CELL(b, at, c)
        json_array_append_new(list, cell_json(s, at, c->value, label));
    if (at->most != 1 || json_array_size(list) == 0)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(list);
    return one;
}

static json_t *object_json(struct sim *s, const struct assets_object *o)
{
    const struct assets *a = s->assets->store;
    const struct assets_type *t = a->types[o->type];
    json_t *attributes = json_object(), *labels = json_object();
    char id[16], key[48];

    snprintf(id, sizeof(id), "%u", o->id);
    assets_key(a, o, key);
    for (size_t i = 0; i < t->attr_count; i++) {
        json_t *values = values_json(s, t->attrs[i], o->body, false);
        if (json_is_string(values) || json_array_size(values) > 0) {
            json_object_set(attributes, t->attrs[i]->name, values);
            if (t->attrs[i]->kind == ASSETS_REFERENCE)
                json_object_set_new(labels, t->attrs[i]->name, values_json(s, t->attrs[i], o->body, true));
        }
        json_decref(values);
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "id", id, "key", key, "type", t->name, "label", assets_label(a, o, o->body),
                     "attributes", attributes, "ref_labels", labels);
}

/* Up to `limit` objects of the type after that id. */
static json_t *objects_after(struct sim *s, const struct assets_type *t, uint32_t after, int64_t limit, bool *ret_last)
{
    struct assets *a = s->assets->store;
    struct assets_ids list = assets_posting(a->index, assets_key_type(t->id));
    json_t *out = json_array();
    size_t at = 0;

    for (size_t high = list.count; at < high;) {
        size_t mid = at + (high - at) / 2;
        if (list.ids[mid] <= after)
            at = mid + 1;
        else
            high = mid;
    }
    for (; at < list.count && (int64_t)json_array_size(out) < limit; at++)
        if (a->objects[list.ids[at]]->body != NULL)
            json_array_append_new(out, object_json(s, a->objects[list.ids[at]]));
    *ret_last = at == list.count;
    return out;
}

static json_t *schemas_json(const struct assets *a)
{
    json_t *list = json_array();
    char id[16];

    for (size_t i = 0; i < a->schema_count; i++) {
        json_t *types = json_object();
        for (size_t k = 0; k < a->type_count; k++)
            if (a->types[k] != NULL && a->types[k]->schema == a->schemas[i]->id)
                json_object_set_new(types, a->types[k]->name, json_integer((json_int_t)a->types[k]->objects));
        snprintf(id, sizeof(id), "%u", a->schemas[i]->id);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:o}", "id", id, "key", a->schemas[i]->key, "name", a->schemas[i]->name,
                                              "objects", (json_int_t)a->schemas[i]->objects, "types", types));
    }
    return list;
}

json_t *control_assets_page(struct sim *s)
{
    const struct assets *a = s->assets->store;
    json_t *objects = json_array();
    bool last;

    for (size_t k = 0; k < a->type_count; k++)
        if (a->types[k] != NULL) {
            json_t *some = objects_after(s, a->types[k], 0, SHOWN, &last);
            json_array_extend(objects, some);
            json_decref(some);
        }
    return json_pack("{s:o, s:o}", "schemas", schemas_json(a), "objects", objects);
}

void control_assets(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const char *type = sim_call_query(c, "type");
    const struct assets_type *t = type != NULL ? assets_type_named(s->assets->store, 0, type) : NULL;
    int64_t limit = sim_call_query_int(c, "limit", 500);
    bool last = true;

    json_t *j = json_pack("{s:o}", "schemas", schemas_json(s->assets->store));
    if (type != NULL)
        json_object_set_new(j, "objects", t == NULL ? json_array()
            : objects_after(s, t, (uint32_t)sim_call_query_int(c, "after", 0), limit > 0 && limit < PAGE_MAX ? limit : PAGE_MAX, &last));
    json_object_set_new(j, "last", json_boolean(last));
    sim_reply_json(r, 200, j);
}

/* A value as people write it: a status's name, an object's key or label. */
static bool read_value(struct sim *s, const struct assets_attr *at, const char *text, uint32_t *ret, struct eb_err *err)
{
    struct assets *a = s->assets->store;
    const struct assets_status *st = at->kind == ASSETS_STATUS ? assets_status_named(a, at->owner->schema, text) : NULL;

    if (st != NULL) {
        *ret = st->id;
        return true;
    }
    if (at->kind == ASSETS_REFERENCE && assets_object_keyed(a, text) == NULL && assets_type(a, at->to_type)->label != NULL) {
        struct assets_ids list = assets_posting(a->index, assets_key_text(assets_type(a, at->to_type)->label->id, text));
        for (size_t i = 0; i < list.count; i++)
            if (a->objects[list.ids[i]]->body != NULL && a->objects[list.ids[i]]->type == at->to_type) {
                *ret = list.ids[i];
                return true;
            }
    }
    return assets_value(s, at, text, ret, err);
}

static bool take_one(struct sim *s, const struct assets_attr *at, const json_t *value, struct assets_cells *cells, struct eb_err *err)
{
    char digits[32] = "";
    uint32_t handle;

    if (json_is_integer(value))
        snprintf(digits, sizeof(digits), "%lld", (long long)json_integer_value(value));
    const char *text = json_is_string(value) ? json_string_value(value) : json_is_true(value) ? "true" : json_is_false(value) ? "false" : digits;
    if (*text == '\0')
        return true;
    if (!read_value(s, at, text, &handle, err))
        return false;
    assets_cells_add(cells, at->id, handle);
    return true;
}

static bool take_attributes(struct sim *s, const struct assets_type *t, const json_t *attributes, struct assets_cells *cells, struct eb_err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)attributes, name, value) {
        const struct assets_attr *at = assets_attr_named(t, name);
        if (at == NULL || at->system)
            return eb_fail(err, EB_INVALID_REQUEST, "%s has no attribute %s that can be set", t->name, name);
        assets_cells_drop(cells, at->id);
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!take_one(s, at, json_array_get(value, i), cells, err))
                return false;
        if (!json_is_array(value) && !take_one(s, at, value, cells, err))
            return false;
    }
    return true;
}

static bool put_object(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    struct assets *a = s->assets->store;
    const char *key = eb_json_str(from, "key"), *type = eb_json_str(from, "type");
    const char *id = eb_json_str(from, "id");
    struct assets_object *o = key != NULL ? assets_object_keyed(a, key) : id != NULL ? assets_object_numbered(a, id) : NULL;
    const struct assets_type *t = o != NULL ? a->types[o->type] : type != NULL ? assets_type_named(a, 0, type) : NULL;
    struct assets_cells cells = { 0 };

    if (t == NULL || (o == NULL && (key != NULL || id != NULL)))
        return eb_fail(err, EB_INVALID_REQUEST, "an object has the key or id of one that is there, or a type");
    if (o != NULL && eb_json_bool(from, "deleted", false)) {
        json_array_append_new(done, object_json(s, o));
        assets_object_remove(a, o);
        return true;
    }
    for (uint32_t i = 0; o != NULL && i < o->body->count; i++)
        assets_cells_add(&cells, o->body->cells[i].attr, o->body->cells[i].value);
    bool ok = take_attributes(s, t, json_object_get(from, "attributes"), &cells, err);
    if (ok) {
        assets_object_put(a, &o, t, cells.at, cells.count);
        json_array_append_new(done, object_json(s, o));
    }
    free(cells.at);
    return ok;
}

static bool put_schema(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    struct assets *a = s->assets->store;
    const char *key = eb_json_str(from, "key"), *name = eb_json_str(from, "name");
    const json_t *types = json_object_get(from, "types");
    char id[16];

    if (key == NULL || assets_schema_keyed(a, key) != NULL)
        return eb_fail(err, EB_INVALID_REQUEST, key == NULL ? "a schema needs a key" : "the key is taken");
    struct assets_schema *schema = assets_schema_add(a, key, name != NULL ? name : key, eb_json_str(from, "description"));
    for (size_t i = 0; i < json_array_size(types); i++)
        if (json_is_string(json_array_get(types, i)))
            assets_type_add(a, schema, json_string_value(json_array_get(types, i)), NULL, false);
    snprintf(id, sizeof(id), "%u", schema->id);
    json_array_append_new(done, json_pack("{s:s, s:s, s:s}", "id", id, "key", schema->key, "name", schema->name));
    return true;
}

void control_put_assets_objects(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "objects", put_object);
}

void control_put_assets_schemas(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "schemas", put_schema);
}

void control_put_assets_source(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const json_t *from = sim_call_json(c);
    const char *key = eb_json_str(from, "schemaKey"), *id = eb_json_str(from, "id");
    const struct assets_schema *schema = key != NULL ? assets_schema_keyed(s->assets->store, key) : NULL;
    struct import_source *src = id != NULL ? assets_import_source_find(s->assets->imports, id) : NULL;
    struct eb_err err = { 0 };

    if (src == NULL && (id != NULL || schema == NULL)) {
        eb_fail(&err, EB_INVALID_REQUEST, "an import source has the id of one that is there, or the key of a schema");
        control_error(r, &err);
        return;
    }
    if (src == NULL)
        src = assets_import_source_add(s->assets->imports, schema->id);
    src->disabled = eb_json_bool(from, "disabled", src->disabled);
    sim_reply_json(r, 200, json_pack("{s:s, s:s, s:b}", "id", src->id, "token", src->token, "disabled", src->disabled));
}

json_t *control_assets_counters(struct sim *s)
{
    const struct assets *a = s->assets->store;
    json_t *j = json_object();
    char id[16];

    for (uint32_t i = 1; i < a->object_count; i++) {
        const struct assets_object *o = a->objects[i];
        if (o->creates == 0 && o->updates == 0 && o->deletes == 0)
            continue;
        if (json_object_size(j) == COUNTED_MAX) {
            json_decref(j);
            return json_null();
        }
        snprintf(id, sizeof(id), "%u", i);
        json_object_set_new(j, id, json_pack("{s:i, s:i, s:i}", "creates", o->creates, "updates", o->updates, "deletes", o->deletes));
    }
    return j;
}
