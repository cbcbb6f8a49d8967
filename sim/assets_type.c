/* assets_type.c - object types and their attributes: made, changed, shown. */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const plain_names[] = { "Text", "Integer", "Boolean", "Double", "Date", "Time", "DateTime", "URL", "Email", "Textarea",
                                           "Select", "IP Address" };

static json_t *text_or(const char *text, const char *other)
{
    return json_string(text != NULL ? text : other);
}

json_t *assets_type_json(struct sim *s, const struct sim_call *c, const struct assets_type *t, bool counts)
{
    const struct assets_type *parent = assets_type(s->assets->store, t->parent);
    char id[16], schema[16], created[40], updated[40];

    snprintf(id, sizeof(id), "%u", t->id);
    snprintf(schema, sizeof(schema), "%u", t->schema);
    json_t *j = json_pack("{s:s, s:i, s:s, s:o, s:I, s:s, s:s, s:I, s:s, s:b, s:b, s:b}", "name", t->name, "type", 0, "description", t->description,
        "icon", assets_icon_json(c, t->icon), "position", (json_int_t)t->position, "created", assets_time(t->created_ms, created),
        "updated", assets_time(t->updated_ms, updated), "objectCount", (json_int_t)(counts ? t->objects : 0), "objectSchemaId", schema,
        "inherited", t->inherited, "abstractObjectType", t->abstract, "parentObjectTypeInherited", parent != NULL && parent->inherited);
    if (t->parent != 0)
        json_object_set_new(j, "parentObjectTypeId", json_integer((json_int_t)t->parent));
    return assets_with_ids(j, id);
}

static void add_reference(struct sim *s, const struct sim_call *c, const struct assets_attr *at, json_t *j)
{
    const struct assets_type *to = assets_type(s->assets->store, at->to_type);
    const struct assets_reference_type *rt = assets_reference_type(s->assets->store, at->reference_type);
    char id[16];

    snprintf(id, sizeof(id), "%u", at->to_type);
    json_object_set_new(j, "typeValue", json_string(id));
    json_object_set_new(j, "referenceObjectTypeId", json_string(id));
    if (to != NULL)
        json_object_set_new(j, "referenceObjectType", assets_type_json(s, c, to, false));
    if (rt != NULL)
        json_object_set_new(j, "referenceType", assets_reference_type_json(rt));
}

json_t *assets_attr_json(struct sim *s, const struct sim_call *c, const struct assets_type *t, const struct assets_attr *at, bool whole)
{
    char id[16];
    int64_t position = 0;

    while (t->attrs[position] != at)
        position++;
    snprintf(id, sizeof(id), "%u", at->id);
    json_t *j = json_pack("{s:s, s:b, s:i, s:o, s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:o, s:b, s:b, s:b, s:b, s:o, s:I}", "name", at->name,
        "label", at->label, "type", at->kind, "description", text_or(at->description, ""), "editable", !at->system, "system", at->system,
        "sortable", 1, "summable", at->summable, "indexed", 1, "minimumCardinality", (json_int_t)at->least,
        "maximumCardinality", (json_int_t)at->most, "suffix", text_or(at->suffix, ""), "removable", !at->system && !at->label,
        "hidden", at->hidden, "includeChildObjectTypes", at->children, "uniqueAttribute", at->unique, "options", text_or(at->options, ""),
        "position", (json_int_t)position);
    if (at->kind == ASSETS_PLAIN && at->plain >= 0)
        json_object_set_new(j, "defaultType", json_pack("{s:i, s:s}", "id", at->plain, "name", plain_names[at->plain]));
    if (at->kind == ASSETS_REFERENCE)
        add_reference(s, c, at, j);
    if (at->additional != NULL)
        json_object_set_new(j, "additionalValue", json_string(at->additional));
    if (at->multi != NULL)
        json_object_set(j, "typeValueMulti", at->multi);
    if (at->regex != NULL)
        json_object_set_new(j, "regexValidation", json_string(at->regex));
    if (at->query != NULL)
        json_object_set_new(j, "qlQuery", json_string(at->query));
    if (whole)
        json_object_set_new(j, "objectType", assets_type_json(s, c, t, false));
    return assets_with_ids(j, id);
}

void assets_type_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    json_t *body = assets_body(c, r, &assets_form_type);

    if (body == NULL || !assets_may_manage(s, r))
        return;
    const char *name = eb_json_str(body, "name"), *parent_id = eb_json_str(body, "parentObjectTypeId"), *description = eb_json_str(body, "description");
    struct assets_schema *schema = assets_schema(a, assets_id(eb_json_str(body, "objectSchemaId")));
    struct assets_type *parent = assets_type(a, assets_id(parent_id));
    uint32_t icon = assets_icon_known(eb_json_str(body, "iconId"));

    if (schema == NULL)
        atlassian_error(r, 400, "objectSchemaId", "There is no object schema with this id.");
    else if (icon == 0)
        atlassian_error(r, 400, "iconId", "There is no icon with this id.");
    else if (parent_id != NULL && (parent == NULL || parent->schema != schema->id))
        atlassian_error(r, 400, "parentObjectTypeId", "There is no object type with this id in the schema.");
    else if (assets_type_named(a, schema->id, name) != NULL)
        atlassian_error(r, 400, "name", "An object type with this name already exists in the schema.");
    else {
        struct assets_type *t = assets_type_add(a, schema, name, parent, eb_json_bool(body, "inherited", false));
        t->abstract = eb_json_bool(body, "abstractObjectType", false);
        t->icon = icon;
        free(t->description);
        t->description = eb_strdup(description != NULL ? description : "");
        sim_reply_json(r, 201, assets_type_json(s, c, t, false));
    }
}

void assets_type_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_type *t = assets_type_param(s, c, r);

    if (t != NULL)
        sim_reply_json(r, 200, assets_type_json(s, c, t, true));
}

void assets_type_attributes(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_type *t = assets_type_param(s, c, r);
    bool editable;

    if (t == NULL || !assets_query_flag(c, r, "onlyValueEditable", false, &editable))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < t->attr_count; i++)
        if (!editable || !t->attrs[i]->system)
            json_array_append_new(list, assets_attr_json(s, c, t, t->attrs[i], true));
    sim_reply_json(r, 200, list);
}

static void set_text(char **at, const json_t *body, const char *name)
{
    const char *text = eb_json_str(body, name);

    if (text == NULL)
        return;
    free(*at);
    *at = *text != '\0' ? eb_strdup(text) : NULL;
}

/* What both a new attribute and a change may say. */
static void take_rest(struct assets_type *t, struct assets_attr *at, const json_t *body)
{
    struct { const char *name; char **at; } texts[] = {
        { "description", &at->description }, { "suffix", &at->suffix }, { "options", &at->options }, { "regexValidation", &at->regex },
        { "qlQuery", &at->query },
    };
    struct { const char *name; bool *at; } flags[] = {
        { "hidden", &at->hidden }, { "uniqueAttribute", &at->unique }, { "summable", &at->summable }, { "includeChildObjectTypes", &at->children },
    };

    for (size_t i = 0; i < EB_LEN(texts); i++)
        set_text(texts[i].at, body, texts[i].name);
    for (size_t i = 0; i < EB_LEN(flags); i++)
        *flags[i].at = eb_json_bool(body, flags[i].name, *flags[i].at);
    if (at->kind != ASSETS_REFERENCE)
        set_text(&at->additional, body, "additionalValue");
    at->least = eb_json_int(body, "minimumCardinality", at->least);
    at->most = eb_json_int(body, "maximumCardinality", at->most);
    if (json_object_get(body, "typeValueMulti") != NULL) {
        json_decref(at->multi);
        at->multi = json_deep_copy(json_object_get(body, "typeValueMulti"));
    }
    if (eb_json_bool(body, "label", false))
        assets_label_set(t, at);
    t->updated_ms = eb_now_ms();
}

/* What does not go together, whatever the attribute. */
static bool rest_good(const struct assets_type *t, const json_t *body, const struct assets_attr *self, struct sim_reply *r)
{
    int64_t least = eb_json_int(body, "minimumCardinality", self != NULL ? self->least : 0);
    int64_t most = eb_json_int(body, "maximumCardinality", self != NULL ? self->most : 1);
    const char *name = eb_json_str(body, "name");
    const struct assets_attr *other = name != NULL ? assets_attr_named(t, name) : NULL;

    if (other != NULL && other != self)
        atlassian_error(r, 400, "name", "An attribute with this name already exists in the object type.");
    else if (name != NULL && strlen(name) > 255)
        atlassian_error(r, 400, "name", "The name is longer than 255 characters.");
    else if (least < 0 || most < -1 || most == 0 || (most > 0 && least > most))
        atlassian_error(r, 400, "maximumCardinality", "The cardinality is not valid.");
    else if (eb_json_bool(body, "uniqueAttribute", false) && most != 1)
        atlassian_error(r, 400, "uniqueAttribute", "An attribute with more than one value cannot be unique.");
    else
        return true;
    return false;
}

/* A new attribute's type with what it needs. */
static bool kind_good(const struct assets *a, const struct assets_type *t, const json_t *body, struct sim_reply *r)
{
    int64_t kind = eb_json_int(body, "type", -1);
    const struct assets_type *to = assets_type(a, assets_id(eb_json_str(body, "typeValue")));

    if (kind == ASSETS_PLAIN && json_object_get(body, "defaultTypeId") == NULL)
        atlassian_error(r, 400, "defaultTypeId", "An attribute of type 0 needs defaultTypeId.");
    else if (kind == ASSETS_PLAIN && eb_json_int(body, "defaultTypeId", 0) == ASSETS_SELECT && eb_json_str(body, "options") == NULL)
        atlassian_error(r, 400, "options", "A select attribute needs options.");
    else if (kind == ASSETS_REFERENCE && json_object_get(body, "typeValue") == NULL)
        atlassian_error(r, 400, "typeValue", "An object reference needs typeValue.");
    else if (kind == ASSETS_REFERENCE && json_object_get(body, "additionalValue") == NULL)
        atlassian_error(r, 400, "additionalValue", "An object reference needs additionalValue.");
    else if (kind == ASSETS_REFERENCE && (to == NULL || to->schema != t->schema))
        atlassian_error(r, 400, "typeValue", "There is no object type with this id in the schema.");
    else if (kind == ASSETS_REFERENCE && assets_reference_type(a, assets_id(eb_json_str(body, "additionalValue"))) == NULL)
        atlassian_error(r, 400, "additionalValue", "There is no reference type with this id.");
    else
        return true;
    return false;
}

void assets_attr_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    struct assets_type *t = assets_type_param(s, c, r);
    json_t *body = t != NULL ? assets_body(c, r, &assets_form_attr) : NULL;

    if (body == NULL || !assets_may_manage(s, r) || !kind_good(a, t, body, r) || !rest_good(t, body, NULL, r))
        return;
    struct assets_attr *at = assets_attr_add(a, t, eb_json_str(body, "name"), (enum assets_kind)eb_json_int(body, "type", 0),
                                             (enum assets_plain)eb_json_int(body, "defaultTypeId", ASSETS_NONE));
    if (at->kind == ASSETS_REFERENCE) {
        at->to_type = assets_id(eb_json_str(body, "typeValue"));
        at->reference_type = assets_id(eb_json_str(body, "additionalValue"));
    }
    take_rest(t, at, body);
    sim_reply_json(r, 201, assets_attr_json(s, c, t, at, true));
}

void assets_attr_update(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets_type *t = assets_type_param(s, c, r);
    struct assets_attr *at = t != NULL ? assets_attr_of(t, assets_id(c->params[1])) : NULL;

    if (t == NULL)
        return;
    if (at == NULL) {
        atlassian_error(r, 404, NULL, "Could not find attribute with id (%.20s).", c->params[1]);
        return;
    }
    json_t *body = assets_body(c, r, &assets_form_attr_update);
    if (body == NULL || !assets_may_manage(s, r) || !rest_good(t, body, at, r))
        return;
    if (at->system || eb_json_int(body, "type", at->kind) != at->kind || eb_json_int(body, "defaultTypeId", at->plain) != at->plain) {
        atlassian_error(r, 400, at->system ? "name" : "type", at->system ? "A system attribute cannot be changed."
                                                                      : "The type of an attribute cannot be changed.");
        return;
    }
    if (eb_json_str(body, "name") != NULL) {
        free(at->name);
        at->name = eb_strdup(eb_json_str(body, "name"));
    }
    take_rest(t, at, body);
    sim_reply_json(r, 200, assets_attr_json(s, c, t, at, true));
}
