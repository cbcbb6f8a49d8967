/* assets_object.c - objects through the object API: every value is checked before anything is written. */
#include "sim/assets.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail_attr(struct sim_reply *r, const char *id, const char *text)
{
    char field[80], clean[40];

    snprintf(field, sizeof(field), "rlabs-insight-attribute-%s", eb_text_clean(id, clean, sizeof(clean)));
    atlassian_error(r, 400, field, "%s", text);
    return false;
}

/* Puts the values of one attribute of the body in place of those in cells. */
static bool take_attribute(struct sim *s, const struct assets_type *t, const json_t *from, struct assets_cells *cells, struct sim_reply *r)
{
    const char *id = eb_json_str(from, "objectTypeAttributeId");
    const json_t *values = json_object_get(from, "objectAttributeValues");
    const struct assets_attr *at = assets_attr_of(t, assets_id(id));
    struct eb_err err = { 0 };

    if (at == NULL)
        return fail_attr(r, id, "The object type has no such attribute.");
    if (at->system)
        return fail_attr(r, id, "The attribute cannot be edited.");
    assets_cells_drop(cells, at->id);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_object_get(json_array_get(values, i), "value");
        uint32_t handle;
        if (json_string_length(value) == 0)
            continue;
        if (!assets_value(s, at, json_string_value(value), &handle, &err))
            return fail_attr(r, id, err.text);
        assets_cells_add(cells, at->id, handle);
    }
    return true;
}

static bool named_twice(const json_t *attributes, size_t i, struct sim_reply *r)
{
    const char *id = eb_json_str(json_array_get(attributes, i), "objectTypeAttributeId");

    for (size_t k = 0; k < i; k++)
        if (eb_streq(eb_json_str(json_array_get(attributes, k), "objectTypeAttributeId"), id)) {
            fail_attr(r, id, "The attribute is named twice.");
            return true;
        }
    return false;
}

static bool take_attributes(struct sim *s, const struct assets_type *t, const json_t *attributes, struct assets_cells *cells,
                            const struct assets_object *o, struct sim_reply *r)
{
    struct eb_err err = { 0 };
    char id[16];

    for (size_t i = 0; i < json_array_size(attributes); i++)
        if (named_twice(attributes, i, r) || !take_attribute(s, t, json_array_get(attributes, i), cells, r))
            return false;
    for (size_t i = 0; i < t->attr_count; i++)
        if (!assets_cells_check(s, t->attrs[i], cells, o, &err)) {
            snprintf(id, sizeof(id), "%u", t->attrs[i]->id);
            return fail_attr(r, id, err.text);
        }
    return true;
}

static void answer(struct sim *s, const struct sim_call *c, struct sim_reply *r, int status, const struct assets_object *o, bool attributes)
{
    struct assets_render x;

    assets_render_begin(&x, s, c);
    x.attributes = attributes;
    assets_render_object(&x, o, o->body);
    assets_render_end(&x, r, status);
}

void assets_object_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    json_t *body = assets_body(c, r, &assets_form_object);
    struct assets_cells cells = { 0 };
    struct assets_object *o = NULL;

    if (body == NULL || !assets_may_manage(s, r))
        return;
    const struct assets_type *t = assets_type(a, assets_id(eb_json_str(body, "objectTypeId")));
    if (t == NULL || t->abstract) {
        atlassian_error(r, 400, "objectTypeId", t == NULL ? "There is no object type with this id." : "The object type is abstract.");
        return;
    }
    if (take_attributes(s, t, json_object_get(body, "attributes"), &cells, NULL, r)) {
        assets_object_put(a, &o, t, cells.at, cells.count);
        o->creates++;
        sim_count(s->counters, SIM_ASSETS_CREATES);
        answer(s, c, r, 201, o, false);
    }
    free(cells.at);
}

void assets_object_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_object *o = assets_object_param(s, c, r);

    if (o != NULL)
        answer(s, c, r, 200, o, true);
}

void assets_object_update(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    struct assets_object *o = assets_object_param(s, c, r);
    json_t *body = o != NULL ? assets_body(c, r, &assets_form_object) : NULL;
    struct assets_cells cells = { 0 };

    if (body == NULL || !assets_may_manage(s, r))
        return;
    const struct assets_type *t = a->types[o->type];
    if (assets_id(eb_json_str(body, "objectTypeId")) != t->id) {
        atlassian_error(r, 400, "objectTypeId", "The object is of another object type.");
        return;
    }
    for (uint32_t i = 0; i < o->body->count; i++)
        assets_cells_add(&cells, o->body->cells[i].attr, o->body->cells[i].value);
    if (take_attributes(s, t, json_object_get(body, "attributes"), &cells, o, r)) {
        if (assets_object_put(a, &o, t, cells.at, cells.count)) {
            o->updates++;
            sim_count(s->counters, SIM_ASSETS_UPDATES);
        } else {
            sim_count(s->counters, SIM_ASSETS_IDENTICAL);
        }
        answer(s, c, r, 200, o, false);
    }
    free(cells.at);
}

void assets_object_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets_object *o = assets_object_param(s, c, r);

    if (o == NULL)
        return;
    assets_object_remove(s->assets->store, o);
    o->deletes++;
    sim_count(s->counters, SIM_ASSETS_DELETES);
    sim_reply_json(r, 200, NULL);
}

void assets_object_attributes(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_object *o = assets_object_param(s, c, r);
    struct assets_render x;

    if (o == NULL)
        return;
    assets_render_begin(&x, s, c);
    assets_render_attributes(&x, o, o->body);
    assets_render_end(&x, r, 200);
}

/* The objects of the type that refer to this one by the attribute. */
static json_int_t referrers(const struct assets *a, const struct assets_attr *at, const struct assets_object *to)
{
    struct assets_ids list = assets_posting(a->index, assets_key_number(at->id, to->id));
    json_int_t n = 0;

    for (size_t i = 0; i < list.count; i++)
        if (a->objects[list.ids[i]]->body != NULL)
            ASSETS_EACH_CELL(a->objects[list.ids[i]]->body, at, c)
                n += c->value == to->id;
    return n;
}

void assets_object_references(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    const struct assets_object *o = assets_object_param(s, c, r);

    if (o == NULL)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->attr_count; i++) {
        const struct assets_attr *at = a->attrs[i];
        json_int_t n = at != NULL && at->kind == ASSETS_REFERENCE ? referrers(a, at, o) : 0;
        if (n > 0)
            json_array_append_new(list, json_pack("{s:o, s:I, s:b, s:[o]}", "objectType", assets_type_json(s, c, at->owner, false),
                "numberOfReferencedObjects", n, "openIssuesExists", 0, "referenceTypes",
                assets_reference_type_json(assets_reference_type(a, at->reference_type))));
    }
    sim_reply_json(r, 200, list);
}
