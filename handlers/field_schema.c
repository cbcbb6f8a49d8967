/* field_schema.c - a field of a request as JSON Schema: one row a form, and the table of attributes. */
#include "handlers/operations.h"
#include "base/password.h"
#include "config/attribute.h"

#include <string.h>

static json_t *text_schema(size_t max)
{
    return json_pack("{s:s, s:i, s:I}", "type", "string", "minLength", 1, "maxLength", (json_int_t)max);
}

static json_t *schema_text(const struct ops_kind *k, const struct ops_field *f) { return text_schema(f->max); }
static json_t *schema_bool(const struct ops_kind *k, const struct ops_field *f) { return json_pack("{s:s}", "type", "boolean"); }

static json_t *schema_issue(const struct ops_kind *k, const struct ops_field *f)
{
    return json_pack("{s:[o, {s:s, s:i}]}", "oneOf", text_schema(f->max), "type", "integer", "minimum", 1);
}

static json_t *schema_texts(const struct ops_kind *k, const struct ops_field *f)
{
    return json_pack("{s:[o, {s:s, s:o, s:i, s:i}]}", "oneOf", text_schema(f->max), "type", "array", "items", text_schema(f->max), "minItems", 1,
                     "maxItems", OPS_TEXTS_MAX);
}

static json_t *schema_duration(const struct ops_kind *k, const struct ops_field *f)
{
    json_t *s = text_schema(f->max);

    json_object_set_new(s, "pattern", json_string("^[0-9]+(s|m|h|d)$"));
    return s;
}

static json_t *schema_time(const struct ops_kind *k, const struct ops_field *f)
{
    json_t *s = text_schema(f->max);

    json_object_set_new(s, "format", json_string("date-time"));
    return s;
}

/* A time with an offset, or a local date or time. */
static json_t *schema_at(const struct ops_kind *k, const struct ops_field *f)
{
    json_t *s = text_schema(f->max);

    json_object_set_new(s, "pattern", json_string("^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$"));
    return s;
}

static json_t *schema_word(const struct ops_kind *k, const struct ops_field *f)
{
    json_t *words = json_array();

    for (const char *p = f->words; *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        json_array_append_new(words, json_stringn(p, len));
        p += len;
    }
    return json_pack("{s:s, s:o}", "type", "string", "enum", words);
}

static json_t *schema_secret(const struct ops_kind *k, const struct ops_field *f)
{
    return json_pack("{s:s, s:s, s:b, s:i, s:I}", "type", "string", "format", "password", "writeOnly", 1, "minLength", EB_PASSWORD_MIN,
                     "maxLength", (json_int_t)f->max);
}

/* ---- attributes ---- */

static json_t *words_schema(const char *const *words)
{
    json_t *list = json_array();

    for (size_t i = 0; words[i] != NULL; i++)
        json_array_append_new(list, json_string(words[i]));
    return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *members_schema(const struct attribute *a)
{
    json_t *members = json_object();

    for (size_t i = 0; a->members[i] != NULL; i++)
        json_object_set_new(members, a->members[i], json_pack("{s:s, s:I, s:b}", "type", "string", "maxLength", (json_int_t)a->max, "nullable", 1));
    return json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties", members);
}

static json_t *attribute_schema(const struct attribute *a)
{
    switch (a->type) {
    case ATTRIBUTE_LIST: return json_pack("{s:s, s:o, s:I}", "type", "array", "items", text_schema(a->max), "maxItems", (json_int_t)a->items);
    case ATTRIBUTE_BOOL: return json_pack("{s:s}", "type", "boolean");
    case ATTRIBUTE_DATE: return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    case ATTRIBUTE_OBJECT: return members_schema(a);
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_OTHER: break;
    }
    return a->words != NULL ? words_schema(a->words) : json_pack("{s:s, s:I}", "type", "string", "maxLength", (json_int_t)a->max);
}

/* Directory extensions have names of the tenant's own, and are the further properties. */
static json_t *schema_attributes(const struct ops_kind *k, const struct ops_field *f)
{
    const struct attribute *rows;
    size_t n = attribute_rows(&rows);
    json_t *properties = json_object();

    for (size_t i = 0; i < n; i++) {
        if ((rows[i].flags & ops_writable(k)) == 0)
            continue;
        json_t *s = attribute_schema(&rows[i]);
        if ((rows[i].flags & ATTRIBUTE_CLEARABLE) != 0)
            json_object_set_new(s, "nullable", json_true());
        json_object_set_new(properties, rows[i].name, s);
    }
    return json_pack("{s:s, s:i, s:o, s:{s:s, s:i, s:b}}", "type", "object", "minProperties", 1, "properties", properties,
                     "additionalProperties", "type", "string", "maxLength", 256, "nullable", 1);
}

/* ---- the table ---- */

static const struct { const char *form; json_t *(*make)(const struct ops_kind *k, const struct ops_field *f); } rows[] = {
    [OPS_FORM_TEXT] = { "text", schema_text }, [OPS_FORM_USER] = { "user", schema_text }, [OPS_FORM_GROUP] = { "group", schema_text },
    [OPS_FORM_ISSUE] = { "issue", schema_issue }, [OPS_FORM_OPERATION] = { "operation", schema_text }, [OPS_FORM_BOOL] = { "boolean", schema_bool },
    [OPS_FORM_MAIL] = { "mail", schema_text }, [OPS_FORM_DURATION] = { "duration", schema_duration }, [OPS_FORM_TIME] = { "time", schema_time }, [OPS_FORM_AT] = { "at", schema_at },
    [OPS_FORM_TEXTS] = { "texts", schema_texts }, [OPS_FORM_ATTRIBUTES] = { "attributes", schema_attributes }, [OPS_FORM_WORD] = { "word", schema_word },
    [OPS_FORM_SECRET] = { "secret", schema_secret },
};

json_t *handlers_field_schema(const struct ops_kind *k, const struct ops_field *f)
{
    json_t *s = rows[f->form].make(k, f);

    json_object_set_new(s, "description", json_string(f->help));
    json_object_set_new(s, "x-form", json_string(rows[f->form].form));
    return s;
}
