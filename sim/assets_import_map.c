/* assets_import_map.c - an import's schema and mapping: makes the object types and attributes that are not there, and says how
 * each attribute is filled.
 *
 * Invariant: nothing is renamed, retyped or removed; a mapping that is refused leaves the former one in force.
 */
#include "sim/assets_import.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLOBAL_REFERENCE 4          /* "Reference", one of the kinds that are always there */

struct config { struct assets *a; struct import_source *src; struct eb_err *err; };

void assets_import_map_free(struct import_map *m)
{
    for (size_t i = 0; i < m->count; i++) {
        for (size_t k = 0; k < m->types[i].attr_count; k++) {
            for (size_t l = 0; l < m->types[i].attrs[k].locator_count; l++)
                free(m->types[i].attrs[k].locators[l]);
            free(m->types[i].attrs[k].locators);
            free(m->types[i].attrs[k].query);
        }
        free(m->types[i].attrs);
        free(m->types[i].selector);
    }
    free(m->types);
    *m = (struct import_map){ 0 };
}

static struct assets_type *type_external(const struct config *x, const char *external)
{
    for (size_t i = 0; external != NULL && i < x->a->type_count; i++)
        if (x->a->types[i] != NULL && x->a->types[i]->schema == x->src->schema && eb_streq(x->a->types[i]->external_id, external))
            return x->a->types[i];
    return NULL;
}

static struct assets_type *type_of(const struct config *x, const char *external, const char *name)
{
    struct assets_type *t = type_external(x, external);

    return t == NULL && name != NULL ? assets_type_named(x->a, x->src->schema, name) : t;
}

static struct assets_attr *attr_of(const struct assets_type *t, const char *external, const char *name)
{
    for (size_t i = 0; external != NULL && i < t->attr_count; i++)
        if (eb_streq(t->attrs[i]->external_id, external))
            return t->attrs[i];
    return assets_attr_named(t, name);
}

/* External ids: everywhere or nowhere. */
static int external_ids(const json_t *types, size_t *with, size_t *without)
{
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *type = json_array_get(types, i), *attrs = json_object_get(type, "attributes");
        *(eb_json_str(type, "externalId") != NULL ? with : without) += 1;
        for (size_t k = 0; k < json_array_size(attrs); k++)
            *(eb_json_str(json_array_get(attrs, k), "externalId") != NULL ? with : without) += 1;
        external_ids(json_object_get(type, "children"), with, without);
    }
    return *with > 0 && *without > 0 ? -1 : 0;
}

static bool make_types(struct config *x, const json_t *types, struct assets_type *parent)
{
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *from = json_array_get(types, i);
        const char *external = eb_json_str(from, "externalId"), *name = eb_json_str(from, "name");
        struct assets_type *t = type_of(x, external, name);
        if (t == NULL) {
            t = assets_type_add(x->a, assets_schema(x->a, x->src->schema), name, parent, false);
            free(t->description);
            t->description = eb_strdup(eb_json_str(from, "description"));
        }
        if (t->external_id == NULL)
            t->external_id = eb_strdup(external);
        if (!make_types(x, json_object_get(from, "children"), t))
            return false;
    }
    return true;
}

static const struct { const char *name; enum assets_kind kind; enum assets_plain plain; } import_types[] = {
    { "text", ASSETS_PLAIN, ASSETS_TEXT }, { "integer", ASSETS_PLAIN, ASSETS_INTEGER }, { "boolean", ASSETS_PLAIN, ASSETS_BOOLEAN },
    { "double", ASSETS_PLAIN, ASSETS_DOUBLE }, { "date", ASSETS_PLAIN, ASSETS_DATE }, { "time", ASSETS_PLAIN, ASSETS_TIME },
    { "date_time", ASSETS_PLAIN, ASSETS_DATE_TIME }, { "url", ASSETS_PLAIN, ASSETS_URL }, { "email", ASSETS_PLAIN, ASSETS_EMAIL },
    { "textarea", ASSETS_PLAIN, ASSETS_TEXTAREA }, { "select", ASSETS_PLAIN, ASSETS_SELECT }, { "ipaddress", ASSETS_PLAIN, ASSETS_IP },
    { "referenced_object", ASSETS_REFERENCE, ASSETS_NONE }, { "status", ASSETS_STATUS, ASSETS_NONE },
};

static size_t import_type_row(const char *name)
{
    size_t i = 0;

    while (i + 1 < EB_LEN(import_types) && strcmp(import_types[i].name, name) != 0)
        i++;
    return i;
}

static char *joined(const json_t *texts)
{
    struct eb_buf out = EB_BUF(KiB(64));

    for (size_t i = 0; i < json_array_size(texts); i++)
        eb_buf_addf(&out, "%s%s", i > 0 ? "," : "", json_string_value(json_array_get(texts, i)));
    char *text = eb_buf_take(&out);
    return text != NULL ? text : eb_strdup("");
}

static bool make_attr(struct config *x, struct assets_type *t, const json_t *from)
{
    const char *external = eb_json_str(from, "externalId"), *name = eb_json_str(from, "name");
    size_t row = import_type_row(eb_json_str(from, "type"));
    struct assets_attr *at = attr_of(t, external, name);
    const struct assets_type *to = type_of(x, eb_json_str(from, "referenceObjectTypeExternalId"), eb_json_str(from, "referenceObjectTypeName"));

    if (import_types[row].kind == ASSETS_REFERENCE && to == NULL)
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "referenceObjectTypeExternalId", "%s: there is no such object type to refer to", name);
    if (at != NULL && (at->kind != import_types[row].kind || (at->kind == ASSETS_PLAIN && at->plain != import_types[row].plain)))
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "type", "%s: the type of an attribute cannot be changed", name);
    if (at == NULL) {
        at = assets_attr_add(x->a, t, name, import_types[row].kind, import_types[row].plain);
        at->description = eb_strdup(eb_json_str(from, "description"));
        at->to_type = to != NULL ? to->id : 0;
        at->reference_type = to != NULL ? GLOBAL_REFERENCE : 0;
        at->least = eb_json_int(from, "minimumCardinality", 0);
        at->most = eb_json_int(from, "maximumCardinality", 1);
        at->unique = eb_json_bool(from, "unique", false);
        at->options = at->plain == ASSETS_SELECT ? joined(json_object_get(from, "typeValues")) : NULL;
    }
    if (at->external_id == NULL)
        at->external_id = eb_strdup(external);
    if (eb_json_bool(from, "label", false))
        assets_label_set(t, at);
    return true;
}

/* After all types are there, so that an attribute may refer to a later one. */
static bool make_attrs(struct config *x, const json_t *types)
{
    for (size_t i = 0; i < json_array_size(types); i++) {
        const json_t *from = json_array_get(types, i), *attrs = json_object_get(from, "attributes");
        struct assets_type *t = type_of(x, eb_json_str(from, "externalId"), eb_json_str(from, "name"));
        for (size_t k = 0; k < json_array_size(attrs); k++)
            if (!make_attr(x, t, json_array_get(attrs, k)))
                return false;
        if (!make_attrs(x, json_object_get(from, "children")))
            return false;
    }
    return true;
}

static bool make_statuses(struct config *x, const json_t *statuses)
{
    static const char *const categories[] = { "inactive", "active", "pending" };

    for (size_t i = 0; i < json_array_size(statuses); i++) {
        const json_t *from = json_array_get(statuses, i);
        const char *name = eb_json_str(from, "name");
        int category = 0;
        if (strlen(name) < 2 || strlen(name) > 30)
            return eb_fail_field(x->err, EB_INVALID_REQUEST, "name", "a status's name has 2 to 30 characters");
        while (category < 2 && strcmp(categories[category], eb_json_str(from, "category")) != 0)
            category++;
        if (assets_status_named(x->a, x->src->schema, name) == NULL)
            assets_status_add(x->a, x->src->schema, name, category);
    }
    return true;
}

static bool map_attr(struct config *x, struct import_type *to, const json_t *from)
{
    const json_t *locators = json_object_get(from, "attributeLocators");
    struct import_attr *m = &to->attrs[to->attr_count];
    const char *name = eb_json_str(from, "attributeName");

    *m = (struct import_attr){ .attr = attr_of(to->type, eb_json_str(from, "attributeExternalId"), name) };
    m->identity = eb_json_bool(from, "externalIdPart", false);
    if (m->attr == NULL)
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "attributeExternalId", "%s: the object type has no such attribute", name);
    if (m->identity && m->attr->kind != ASSETS_PLAIN)
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "externalIdPart", "%s: only a plain attribute can be part of the external id", name);
    if (m->attr->kind == ASSETS_REFERENCE && eb_json_str(from, "objectMappingIQL") == NULL)
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "objectMappingIQL", "%s: a reference needs objectMappingIQL", name);
    to->attr_count++;
    m->query = eb_strdup(eb_json_str(from, "objectMappingIQL"));
    m->locators = eb_alloc((json_array_size(locators) + 1) * sizeof(*m->locators));
    for (size_t i = 0; i < json_array_size(locators); i++)
        m->locators[m->locator_count++] = eb_strdup(json_string_value(json_array_get(locators, i)));
    return true;
}

static bool map_type(struct config *x, struct import_map *map, const json_t *from)
{
    const json_t *attrs = json_object_get(from, "attributesMapping");
    struct import_type *to = &map->types[map->count];
    const char *name = eb_json_str(from, "objectTypeName");
    bool identity = false;

    *to = (struct import_type){ .type = type_of(x, eb_json_str(from, "objectTypeExternalId"), name) };
    if (to->type == NULL)
        return eb_fail_field(x->err, EB_INVALID_REQUEST, "objectTypeExternalId", "%s: there is no such object type", name);
    map->count++;
    to->selector = eb_strdup(eb_json_str(from, "selector"));
    to->attrs = eb_alloc((json_array_size(attrs) + 1) * sizeof(*to->attrs));
    for (size_t i = 0; i < json_array_size(attrs); i++) {
        if (!map_attr(x, to, json_array_get(attrs, i)))
            return false;
        identity = identity || to->attrs[i].identity;
    }
    return identity || eb_fail_field(x->err, EB_INVALID_REQUEST, "externalIdPart", "%s: no attribute is part of the external id", name);
}

static bool map_all(struct config *x, const json_t *mappings, struct import_map *map)
{
    map->types = eb_alloc((json_array_size(mappings) + 1) * sizeof(*map->types));
    for (size_t i = 0; i < json_array_size(mappings); i++)
        if (!map_type(x, map, json_array_get(mappings, i)))
            return false;
    return true;
}

bool assets_import_configure(struct sim *s, struct import_source *src, json_t *given, struct eb_err *err)
{
    struct config x = { s->assets->store, src, err };
    const json_t *types = eb_json_path(given, "schema.objectSchema.objectTypes");
    struct import_map map = { 0 };
    size_t with = 0, without = 0;

    if (external_ids(types, &with, &without) != 0)
        return eb_fail_field(err, EB_INVALID_REQUEST, "externalId", "external ids stand on all object types and attributes, or on none");
    if (!make_statuses(&x, eb_json_path(given, "schema.statusSchema.statuses")) || !make_types(&x, types, NULL) || !make_attrs(&x, types))
        return false;
    if (!map_all(&x, eb_json_path(given, "mapping.objectTypeMappings"), &map)) {
        assets_import_map_free(&map);
        return false;
    }
    assets_import_map_free(&src->map);
    src->map = map;
    json_decref(src->given);
    src->given = json_deep_copy(given);
    return true;
}
