/* assets_schema.c - object schemas, and what is configured beside them: icons, statuses, kinds of reference, usage.
 *
 * An account that is no administrator sees empty lists, not refusals.
 */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { uint32_t id; const char *name; } icons[] = {
    { 13, "Computer" }, { 33, "Department" }, { 64, "Group" }, { 73, "Key" }, { 131, "Users" }, { 135, "User" },
};

const char *assets_time(int64_t ms, char out[40])
{
    return eb_time_format(ms, out);
}

json_t *assets_with_ids(json_t *j, const char *id)
{
    char global[128];

    snprintf(global, sizeof(global), ASSETS_WORKSPACE ":%s", id);
    json_object_set_new(j, "workspaceId", json_string(ASSETS_WORKSPACE));
    json_object_set_new(j, "globalId", json_string(global));
    json_object_set_new(j, "id", json_string(id));
    return j;
}

static json_t *with_number(json_t *j, uint32_t id)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", id);
    return assets_with_ids(j, text);
}

uint32_t assets_icon_known(const char *id)
{
    for (size_t i = 0; i < EB_LEN(icons); i++)
        if (icons[i].id == assets_id(id))
            return icons[i].id;
    return 0;
}

json_t *assets_icon_json(const struct sim_call *c, uint32_t id)
{
    char *url = eb_asprintf("%s/jsm/assets/workspace/" ASSETS_WORKSPACE "/v1/icon/%u/icon.png?size=", c->base_url, id);
    char *small = eb_asprintf("%s16", url), *large = eb_asprintf("%s48", url), text[16];
    size_t n = 0;

    while (icons[n].id != id)
        n++;
    snprintf(text, sizeof(text), "%u", id);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s}", "id", text, "name", icons[n].name, "url16", small, "url48", large);

    free(url);
    free(small);
    free(large);
    return j;
}

void assets_icons(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < EB_LEN(icons); i++)
        json_array_append_new(list, assets_icon_json(c, icons[i].id));
    sim_reply_json(r, 200, list);
}

void assets_icon(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    uint32_t id = assets_icon_known(c->params[0]);

    if (id == 0)
        atlassian_error(r, 404, NULL, "Could not find icon with id (%.20s).", c->params[0]);
    else
        sim_reply_json(r, 200, assets_icon_json(c, id));
}

static json_t *schema_json(const struct sim *s, const struct assets_schema *schema, bool counts)
{
    char created[40], updated[40];
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "name", schema->name, "objectSchemaKey", schema->key,
        "description", schema->description, "status", "Ok", "created", assets_time(schema->created_ms, created),
        "updated", assets_time(schema->updated_ms, updated), "objectCount", (json_int_t)(counts ? schema->objects : 0),
        "objectTypeCount", (json_int_t)(counts ? schema->types : 0), "canManage", s->assets_set.admin);

    return with_number(j, schema->id);
}

void assets_schemas(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    int64_t start, size, total = s->assets_set.admin ? (int64_t)a->schema_count : 0;
    bool counts;

    if (!assets_query_number(c, r, "startAt", 0, 0, &start) || !assets_query_number(c, r, "maxResults", 1, 25, &size) ||
        !assets_query_flag(c, r, "includeCounts", false, &counts))
        return;
    json_t *values = json_array();
    for (int64_t i = start; i < total && i - start < size; i++)
        json_array_append_new(values, schema_json(s, a->schemas[i], counts));
    bool last = start + (int64_t)json_array_size(values) >= total;
    sim_reply_json(r, 200, json_pack("{s:I, s:I, s:I, s:o, s:b, s:b}", "startAt", (json_int_t)start, "maxResults", (json_int_t)size,
                                     "total", (json_int_t)total, "values", values, "last", last, "isLast", last));
}

static bool key_good(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < len; i++)
        if (!isupper((unsigned char)key[i]) && !(i > 0 && isdigit((unsigned char)key[i])))
            return false;
    return len >= 2 && len <= 10;
}

void assets_schema_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    json_t *body = assets_body(c, r, &assets_form_schema);

    if (body == NULL || !assets_may_manage(s, r))
        return;
    const char *key = eb_json_str(body, "objectSchemaKey"), *name = eb_json_str(body, "name");
    if (!key_good(key)) {
        atlassian_error(r, 400, "objectSchemaKey", "The key must be 2 to 10 upper-case letters and digits, a letter first.");
        return;
    }
    if (assets_schema_keyed(a, key) != NULL) {
        atlassian_error(r, 400, "objectSchemaKey", "An object schema with key %s already exists.", key);
        return;
    }
    for (size_t i = 0; i < a->schema_count; i++)
        if (assets_fold_equal(a->schemas[i]->name, name)) {
            atlassian_error(r, 400, "name", "An object schema with this name already exists.");
            return;
        }
    sim_reply_json(r, 201, schema_json(s, assets_schema_add(a, key, name, eb_json_str(body, "description")), false));
}

void assets_schema_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_schema *schema = assets_schema_param(s, c, r);

    if (schema != NULL)
        sim_reply_json(r, 200, schema_json(s, schema, true));
}

void assets_schema_types(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    const struct assets_schema *schema = assets_schema_param(s, c, r);
    bool counts;

    if (schema == NULL || !assets_query_flag(c, r, "includeObjectCounts", false, &counts))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->type_count; i++)
        if (a->types[i] != NULL && a->types[i]->schema == schema->id)
            json_array_append_new(list, assets_type_json(s, c, a->types[i], counts));
    sim_reply_json(r, 200, list);
}

void assets_schema_attributes(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    const struct assets_schema *schema = assets_schema_param(s, c, r);

    if (schema == NULL)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->attr_count; i++)
        if (a->attrs[i] != NULL && a->attrs[i]->owner->schema == schema->id)
            json_array_append_new(list, assets_attr_json(s, c, a->attrs[i]->owner, a->attrs[i], true));
    sim_reply_json(r, 200, list);
}

void assets_config(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_reply_json(r, 200, json_pack("{s:b, s:b, s:b}", "allowOtherObjectSchema", 0, "validateQuickCreate", 0, "quickCreateObjects", 0));
}

void assets_usage(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    json_t *list = json_array();
    char created[40];

    if (!assets_may_manage(s, r)) {
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < a->schema_count; i++)
        json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:I}", "schemaId", (json_int_t)a->schemas[i]->id, "schemaName", a->schemas[i]->name,
            "schemaCreatedAt", assets_time(a->schemas[i]->created_ms, created), "objectCount", (json_int_t)a->schemas[i]->objects));
    sim_reply_json(r, 200, json_pack("{s:I, s:o}", "totalObjectsCount", (json_int_t)a->live, "perSchemaUsageInfo", list));
}

static json_t *schema_or_null(uint32_t schema)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", schema);
    return schema != 0 ? json_string(text) : json_null();
}

json_t *assets_status_json(const struct assets_status *st)
{
    char id[16];

    snprintf(id, sizeof(id), "%u", st->id);
    return json_pack("{s:s, s:s, s:s, s:i, s:o}", "id", id, "name", st->name, "description", st->description, "category", st->category,
                     "objectSchemaId", schema_or_null(st->schema));
}

json_t *assets_reference_type_json(const struct assets_reference_type *rt)
{
    return with_number(json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", rt->name, "description", rt->description, "color", rt->color,
                                 "removable", rt->schema != 0, "objectSchemaId", schema_or_null(rt->schema)), rt->id);
}

/* The schema that ?objectSchemaId or the body's member names. False: there is none such; answered. 0: none named. */
static bool schema_named(struct sim *s, struct sim_reply *r, const char *id, uint32_t *ret)
{
    *ret = assets_id(id);
    if (id == NULL || (*ret != 0 && assets_schema(s->assets->store, *ret) != NULL))
        return true;
    atlassian_error(r, 400, "objectSchemaId", "There is no object schema with this id.");
    return false;
}

void assets_statuses(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    uint32_t schema;

    if (!schema_named(s, r, sim_call_query(c, "objectSchemaId"), &schema))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->status_count; i++)
        if (a->statuses[i]->schema == schema)
            json_array_append_new(list, assets_status_json(a->statuses[i]));
    sim_reply_json(r, 200, list);
}

void assets_status_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets_status *st = assets_status(s->assets->store, assets_id(c->params[0]));

    if (st == NULL)
        atlassian_error(r, 404, NULL, "Could not find status type with id (%.20s).", c->params[0]);
    else
        sim_reply_json(r, 200, assets_status_json(st));
}

static void set_text(char **at, const char *text)
{
    if (text == NULL)
        return;
    free(*at);
    *at = eb_strdup(text);
}

void assets_status_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *body = assets_body(c, r, &assets_form_status);
    uint32_t schema;

    if (body == NULL || !assets_may_manage(s, r) || !schema_named(s, r, eb_json_str(body, "objectSchemaId"), &schema))
        return;
    const char *name = eb_json_str(body, "name");
    if (assets_status_named(s->assets->store, schema, name) != NULL) {
        atlassian_error(r, 400, "name", "A status with this name already exists.");
        return;
    }
    struct assets_status *st = assets_status_add(s->assets->store, schema, name, (int)eb_json_int(body, "category", 0));
    set_text(&st->description, eb_json_str(body, "description"));
    sim_reply_json(r, 201, assets_status_json(st));
}

void assets_reference_types(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct assets *a = s->assets->store;
    uint32_t schema;
    bool all;

    if (!schema_named(s, r, sim_call_query(c, "objectSchemaId"), &schema) || !assets_query_flag(c, r, "includeAll", false, &all))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < a->reference_type_count; i++)
        if (a->reference_types[i]->schema == schema || all)
            json_array_append_new(list, assets_reference_type_json(a->reference_types[i]));
    sim_reply_json(r, 200, list);
}

void assets_reference_type_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets *a = s->assets->store;
    json_t *body = assets_body(c, r, &assets_form_reference_type);
    uint32_t schema;

    if (body == NULL || !assets_may_manage(s, r) || !schema_named(s, r, eb_json_str(body, "objectSchemaId"), &schema))
        return;
    const char *name = eb_json_str(body, "name");
    for (size_t i = 0; i < a->reference_type_count; i++)
        if (a->reference_types[i]->schema == schema && assets_fold_equal(a->reference_types[i]->name, name)) {
            atlassian_error(r, 400, "name", "A reference type with this name already exists.");
            return;
        }
    struct assets_reference_type *rt = assets_reference_type_add(a, schema, name);
    set_text(&rt->description, eb_json_str(body, "description"));
    set_text(&rt->color, eb_json_str(body, "color"));
    sim_reply_json(r, 201, assets_reference_type_json(rt));
}
