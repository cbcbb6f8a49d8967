/* assets_form.c - the bodies of Assets as tables, after Atlassian's document.
 *
 * Where it is silent about more members we refuse them: a misspelt name would go unseen otherwise.
 */
#include "sim/assets_form.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define FORM(name, ...) \
    static const struct assets_row name##_rows[] = { __VA_ARGS__ }; \
    const struct assets_form name = { name##_rows, EB_LEN(name##_rows), false }
#define INNER(name, is_open, ...) \
    static const struct assets_row name##_rows[] = { __VA_ARGS__ }; \
    static const struct assets_form name = { name##_rows, EB_LEN(name##_rows), is_open }
#define NEEDED FORM_NEEDED
#define FILLED (FORM_NEEDED | FORM_FILLED)

FORM(assets_form_schema, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "objectSchemaKey", FORM_TEXT, FILLED, NULL, NULL },
    { "description", FORM_TEXT, 0, NULL, NULL });
FORM(assets_form_type, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "description", FORM_TEXT, 0, NULL, NULL },
    { "iconId", FORM_TEXT, FILLED, NULL, NULL }, { "objectSchemaId", FORM_TEXT, FILLED, NULL, NULL },
    { "parentObjectTypeId", FORM_TEXT, 0, NULL, NULL }, { "inherited", FORM_BOOL, 0, NULL, NULL },
    { "abstractObjectType", FORM_BOOL, 0, NULL, NULL });
#define KINDS " 0 1 2 4 7 "
#define PLAINS " -1 0 1 2 3 4 5 6 7 8 9 10 11 "
#define ATTR_REST \
    { "label", FORM_BOOL, 0, NULL, NULL }, { "description", FORM_TEXT, 0, NULL, NULL }, \
    { "defaultTypeId", FORM_INT, 0, NULL, PLAINS }, { "typeValue", FORM_TEXT, 0, NULL, NULL }, { "typeValueMulti", FORM_TEXTS, 0, NULL, NULL }, \
    { "additionalValue", FORM_TEXT, 0, NULL, NULL }, { "minimumCardinality", FORM_INT, 0, NULL, NULL }, \
    { "maximumCardinality", FORM_INT, 0, NULL, NULL }, { "suffix", FORM_TEXT, 0, NULL, NULL }, \
    { "includeChildObjectTypes", FORM_BOOL, 0, NULL, NULL }, { "hidden", FORM_BOOL, 0, NULL, NULL }, \
    { "uniqueAttribute", FORM_BOOL, 0, NULL, NULL }, { "summable", FORM_BOOL, 0, NULL, NULL }, \
    { "regexValidation", FORM_TEXT, 0, NULL, NULL }, { "qlQuery", FORM_TEXT, 0, NULL, NULL }, { "iql", FORM_TEXT, 0, NULL, NULL }, \
    { "options", FORM_TEXT, 0, NULL, NULL }
FORM(assets_form_attr, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "type", FORM_INT, NEEDED, NULL, KINDS }, ATTR_REST);
FORM(assets_form_attr_update, { "name", FORM_TEXT, FORM_FILLED, NULL, NULL }, { "type", FORM_INT, 0, NULL, KINDS }, ATTR_REST);
INNER(value_in, false, { "value", FORM_TEXT, NEEDED, NULL, NULL });
INNER(attribute_in, false, { "objectTypeAttributeId", FORM_TEXT, FILLED, NULL, NULL },
    { "objectAttributeValues", FORM_OBJECTS, NEEDED, &value_in, NULL });
FORM(assets_form_object, { "objectTypeId", FORM_TEXT, FILLED, NULL, NULL }, { "attributes", FORM_OBJECTS, NEEDED, &attribute_in, NULL },
    { "hasAvatar", FORM_BOOL, 0, NULL, NULL }, { "avatarUUID", FORM_TEXT, 0, NULL, NULL });
FORM(assets_form_aql, { "qlQuery", FORM_TEXT, NEEDED, NULL, NULL });
FORM(assets_form_status, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "description", FORM_TEXT, 0, NULL, NULL },
    { "category", FORM_INT, NEEDED, NULL, " 0 1 2 " }, { "objectSchemaId", FORM_TEXT, 0, NULL, NULL });
FORM(assets_form_reference_type, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "description", FORM_TEXT, 0, NULL, NULL },
    { "color", FORM_TEXT, 0, NULL, NULL }, { "objectSchemaId", FORM_TEXT, 0, NULL, NULL });

#define IMPORT_TYPES " text integer boolean double date time date_time url email textarea select ipaddress referenced_object status "
INNER(import_attribute, false, { "externalId", FORM_TEXT, 0, NULL, NULL }, { "name", FORM_TEXT, NEEDED, NULL, NULL },
    { "description", FORM_TEXT, NEEDED, NULL, NULL }, { "type", FORM_TEXT, NEEDED, NULL, IMPORT_TYPES }, { "typeValues", FORM_TEXTS, 0, NULL, NULL },
    { "label", FORM_BOOL, 0, NULL, NULL }, { "referenceObjectTypeName", FORM_TEXT, 0, NULL, NULL },
    { "referenceObjectTypeExternalId", FORM_TEXT, 0, NULL, NULL }, { "maximumCardinality", FORM_INT, 0, NULL, NULL },
    { "minimumCardinality", FORM_INT, 0, NULL, NULL }, { "unique", FORM_BOOL, 0, NULL, NULL });
static const struct assets_form import_type;
static const struct assets_row import_type_rows[] = {
    { "externalId", FORM_TEXT, 0, NULL, NULL }, { "name", FORM_TEXT, NEEDED, NULL, NULL }, { "description", FORM_TEXT, NEEDED, NULL, NULL },
    { "iconKey", FORM_TEXT, 0, NULL, NULL }, { "attributes", FORM_OBJECTS, 0, &import_attribute, NULL },
    { "children", FORM_OBJECTS, 0, &import_type, NULL },
};
static const struct assets_form import_type = { import_type_rows, EB_LEN(import_type_rows), false };
INNER(import_object_schema, true, { "name", FORM_TEXT, NEEDED, NULL, NULL }, { "description", FORM_TEXT, NEEDED, NULL, NULL },
    { "objectTypes", FORM_OBJECTS, FILLED, &import_type, NULL });
INNER(import_icon, true, { "key", FORM_TEXT, FILLED, NULL, NULL }, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "png48", FORM_TEXT, NEEDED, NULL, NULL });
INNER(import_icons, true, { "icons", FORM_OBJECTS, FILLED, &import_icon, NULL });
INNER(import_status, true, { "name", FORM_TEXT, FILLED, NULL, NULL }, { "description", FORM_TEXT, NEEDED, NULL, NULL },
    { "category", FORM_TEXT, NEEDED, NULL, " active inactive pending " });
INNER(import_statuses, true, { "statuses", FORM_OBJECTS, FILLED, &import_status, NULL });
INNER(import_schema, true, { "objectSchema", FORM_OBJECT, NEEDED, &import_object_schema, NULL },
    { "iconSchema", FORM_OBJECT, 0, &import_icons, NULL }, { "statusSchema", FORM_OBJECT, 0, &import_statuses, NULL });
INNER(attribute_mapping, false, { "attributeExternalId", FORM_TEXT, 0, NULL, NULL }, { "attributeName", FORM_TEXT, NEEDED, NULL, NULL },
    { "externalIdPart", FORM_BOOL, 0, NULL, NULL }, { "attributeLocators", FORM_TEXTS, FILLED, NULL, NULL },
    { "objectMappingIQL", FORM_TEXT, 0, NULL, NULL });
INNER(type_mapping, false, { "objectTypeExternalId", FORM_TEXT, 0, NULL, NULL }, { "objectTypeName", FORM_TEXT, NEEDED, NULL, NULL },
    { "selector", FORM_TEXT, NEEDED, NULL, NULL }, { "description", FORM_TEXT, NEEDED, NULL, NULL },
    { "attributesMapping", FORM_OBJECTS, 0, &attribute_mapping, NULL });
INNER(import_mapping, true, { "objectTypeMappings", FORM_OBJECTS, NEEDED, &type_mapping, NULL });
static const struct assets_row mapping_rows[] = {
    { "schema", FORM_OBJECT, NEEDED, &import_schema, NULL }, { "mapping", FORM_OBJECT, NEEDED, &import_mapping, NULL },
};
const struct assets_form assets_form_mapping = { mapping_rows, EB_LEN(mapping_rows), true };
FORM(assets_form_start, { "scheduled", FORM_BOOL, 0, NULL, NULL });
INNER(progress_steps, true, { "total", FORM_INT, 0, NULL, NULL }, { "current", FORM_INT, 0, NULL, NULL }, { "description", FORM_TEXT, 0, NULL, NULL });
INNER(progress_objects, true, { "total", FORM_INT, 0, NULL, NULL }, { "processed", FORM_INT, 0, NULL, NULL });
FORM(assets_form_progress, { "steps", FORM_OBJECT, 0, &progress_steps, NULL }, { "objects", FORM_OBJECT, 0, &progress_objects, NULL });
FORM(assets_form_data, { "data", FORM_LISTS, 0, NULL, NULL }, { "clientGeneratedId", FORM_TEXT, 0, NULL, NULL }, { "completed", FORM_BOOL, 0, NULL, NULL });
FORM(assets_form_failure, { "failureReason", FORM_TEXT, FILLED, NULL, NULL });

static bool wrong(struct eb_err *err, const char *name, const char *must)
{
    char clean[60];

    return eb_fail_field(err, EB_INVALID_REQUEST, eb_text_clean(name, clean, sizeof(clean)), "%s %s", clean, must);
}

static bool allowed(const struct assets_row *row, const json_t *v)
{
    char word[80];

    if (json_is_integer(v))
        snprintf(word, sizeof(word), " %lld ", (long long)json_integer_value(v));
    else
        snprintf(word, sizeof(word), " %.70s ", json_string_value(v));
    return strstr(row->among, word) != NULL;
}

static bool check_texts(const struct assets_row *row, const json_t *list, struct eb_err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return wrong(err, row->name, "must be an array of texts");
    return json_is_array(list) || wrong(err, row->name, "must be an array of texts");
}

static bool check_objects(const struct assets_row *row, const json_t *list, struct eb_err *err)
{
    if (!json_is_array(list))
        return wrong(err, row->name, "must be an array");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (row->inner != NULL ? !assets_form_check(row->inner, json_array_get(list, i), err) : !json_is_object(json_array_get(list, i)))
            return row->inner != NULL ? false : wrong(err, row->name, "must hold objects");
    return true;
}

static bool check_lists(const struct assets_row *row, const json_t *lists, struct eb_err *err)
{
    const char *name;
    json_t *list;

    if (!json_is_object(lists))
        return wrong(err, row->name, "must be an object");
    json_object_foreach((json_t *)(uintptr_t)lists, name, list)
        if (!check_objects(&(struct assets_row){ .name = name }, list, err))
            return false;
    return true;
}

static bool check_member(const struct assets_row *row, const json_t *v, struct eb_err *err)
{
    switch (row->type) {
    case FORM_TEXT:
        if (!json_is_string(v))
            return wrong(err, row->name, "must be text");
        if ((row->rules & FORM_FILLED) != 0 && json_string_length(v) == 0)
            return wrong(err, row->name, "must not be empty");
        break;
    case FORM_INT:
        if (!json_is_integer(v))
            return wrong(err, row->name, "must be a whole number");
        break;
    case FORM_BOOL:
        return json_is_boolean(v) || wrong(err, row->name, "must be true or false");
    case FORM_TEXTS:
    case FORM_OBJECTS:
        if ((row->rules & FORM_FILLED) != 0 && json_array_size(v) == 0)
            return wrong(err, row->name, "must not be empty");
        return row->type == FORM_TEXTS ? check_texts(row, v, err) : check_objects(row, v, err);
    case FORM_OBJECT:
        return assets_form_check(row->inner, v, err);
    case FORM_LISTS:
        return check_lists(row, v, err);
    }
    return row->among == NULL || allowed(row, v) || wrong(err, row->name, "has a value that is not allowed");
}

static const struct assets_row *row_named(const struct assets_form *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->rows[i].name, name) == 0)
            return &f->rows[i];
    return NULL;
}

bool assets_form_check(const struct assets_form *f, const json_t *body, struct eb_err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(body))
        return eb_fail(err, EB_INVALID_REQUEST, "The body must be a JSON object");
    for (size_t i = 0; i < f->count; i++)
        if ((f->rows[i].rules & FORM_NEEDED) != 0 && json_object_get(body, f->rows[i].name) == NULL)
            return wrong(err, f->rows[i].name, "is required");
    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        const struct assets_row *row = row_named(f, name);
        if (row == NULL && !f->open)
            return wrong(err, name, "is not a member of this body");
        if (row != NULL && !check_member(row, value, err))
            return false;
    }
    return true;
}
