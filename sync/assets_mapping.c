/* assets_mapping.c - what an external import is told once: the schema as imports describe it, and which member of the data becomes which attribute. Pure.
 *
 * External ids on all types and attributes (facts: external imports): without them neither cardinality nor uniqueness is taken. Accounts are left out, since imports
 * have no such type. References are found by AQL on the other type's identity.
 */
#include "sync/assets_target.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };

static const char *selector(enum stage_kind kind)
{
    return kind == STAGE_GROUP ? "groups" : "users";
}

static char *external_id(const struct assets_target *t, enum stage_kind kind, const char *locator)
{
    return eb_asprintf("entrabridge/%s/%s%s%s", t->ids.schema, selector(kind), locator != NULL ? "/" : "", locator != NULL ? locator : "");
}

static void set_text(json_t *to, const char *name, char *text)
{
    json_object_set_new(to, name, json_string(text));
    free(text);
}

static json_t *attribute(const struct assets_target *t, const struct assets_column *c)
{
    json_t *a = eb_need(json_pack("{s:s, s:s, s:s}", "name", c->name, "description", c->help != NULL ? c->help : c->name, "type", assets_form(c->type)->import));

    set_text(a, "externalId", external_id(t, c->kind, c->locator));
    if (c->label)
        json_object_set_new(a, "label", json_true());
    if (c->identity)
        json_object_update_new(a, json_pack("{s:b, s:i, s:i}", "unique", 1, "minimumCardinality", 1, "maximumCardinality", 1));
    if (c->many)
        json_object_set_new(a, "maximumCardinality", json_integer(-1));
    if (c->type == SYNC_REFERENCE)
        set_text(a, "referenceObjectTypeExternalId", external_id(t, c->to, NULL));
    if (c->type == ASSETS_COLUMN_STATUS)
        json_object_set_new(a, "typeValues", json_pack("[s, s]", "Active", "Inactive"));
    return a;
}

static json_t *locate(const struct assets_target *t, const struct assets_column *c)
{
    json_t *m = eb_need(json_pack("{s:s, s:[s]}", "attributeName", c->name, "attributeLocators", c->locator));

    set_text(m, "attributeExternalId", external_id(t, c->kind, c->locator));
    if (c->identity)
        json_object_set_new(m, "externalIdPart", json_true());
    if (c->type == SYNC_REFERENCE) {
        const struct assets_column *identity = assets_identity((struct assets_target *)(uintptr_t)t, c->to);
        struct eb_buf aql = EB_BUF(KiB(1));
        assets_quote(&aql, identity != NULL ? identity->name : "");
        eb_buf_addf(&aql, c->many ? " IN (${%s})" : " = ${%s}", c->locator);
        set_text(m, "objectMappingIQL", eb_buf_take(&aql));
        eb_buf_free(&aql);
    }
    return m;
}

json_t *assets_mapping(const struct assets_target *t)
{
    json_t *types = eb_need(json_array()), *mappings = eb_need(json_array());

    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        const char *name = sync_kind_name(kinds[k]);
        json_t *attributes = json_array(), *locators = json_array();
        json_t *type = eb_need(json_pack("{s:s, s:s, s:o}", "name", name, "description", name, "attributes", attributes));
        json_t *mapping = eb_need(json_pack("{s:s, s:s, s:s, s:o}", "objectTypeName", name, "selector", selector(kinds[k]), "description", name, "attributesMapping", locators));
        set_text(type, "externalId", external_id(t, kinds[k], NULL));
        set_text(mapping, "objectTypeExternalId", external_id(t, kinds[k], NULL));
        for (size_t i = 0; i < t->column_count; i++) {
            if (t->columns[i].kind != kinds[k] || assets_form(t->columns[i].type)->import == NULL)
                continue;
            json_array_append_new(attributes, attribute(t, &t->columns[i]));
            json_array_append_new(locators, locate(t, &t->columns[i]));
        }
        json_array_append_new(types, type);
        json_array_append_new(mappings, mapping);
    }
    return eb_need(json_pack("{s:{s:{s:s, s:s, s:o}, s:{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}}, s:{s:o}}",
        "schema", "objectSchema", "name", t->ids.schema_name, "description", "Users and groups of Microsoft Entra ID", "objectTypes", types,
        "statusSchema", "statuses", "name", "Active", "description", "Active", "category", "active", "name", "Inactive", "description", "Inactive", "category", "inactive",
        "mapping", "objectTypeMappings", mappings));
}
