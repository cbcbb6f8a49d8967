/* assets_values.c - values of records as Assets writes and shows them. Pure.
 *
 * Assets takes every value as a text: true and false by their names, references as object keys, accounts as account ids, times in ISO 8601
 * (facts: Assets, data model). It shows users, references and statuses as objects of their own.
 */
#include "sync/assets_target.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static char *text_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        return eb_strdup(json_string_value(v));
    case JSON_TRUE:
        return eb_strdup("true");
    case JSON_FALSE:
        return eb_strdup("false");
    case JSON_INTEGER:
        return eb_asprintf("%lld", (long long)json_integer_value(v));
    default:
        return NULL;
    }
}

static void add_text(json_t *values, const json_t *v)
{
    char *text = text_of(v);

    if (text != NULL && text[0] != '\0')
        json_array_append_new(values, json_pack("{s:s}", "value", text));
    free(text);
}

json_t *assets_value_out(const struct assets_column *c, const json_t *value)
{
    json_t *values = eb_need(json_array()), *item;
    size_t i;

    if (json_is_array(value))
        json_array_foreach(value, i, item)
            add_text(values, item);
    else if (value != NULL && !json_is_null(value))
        add_text(values, value);
    return eb_need(json_pack("{s:s, s:o}", "objectTypeAttributeId", c->id, "objectAttributeValues", values));
}

/* The text that stands for a value of that column. */
static const char *shown(const struct assets_column *c, const json_t *v)
{
    const json_t *inner = json_object_get(v, c->type == SYNC_REFERENCE ? "referencedObject" : c->type == SYNC_ACCOUNT ? "user" : "status");
    const char *text = eb_json_str(inner, c->type == SYNC_REFERENCE ? "objectKey" : c->type == SYNC_ACCOUNT ? "key" : "id");

    if (c->type != SYNC_REFERENCE && c->type != SYNC_ACCOUNT && c->type != ASSETS_COLUMN_STATUS)
        return eb_json_str(v, "value");
    if (text == NULL)
        text = eb_json_str(v, "searchValue");
    return text != NULL ? text : eb_json_str(v, "value");
}

static json_t *one_in(const struct assets_column *c, const json_t *v)
{
    const char *text = shown(c, v);
    char *end = NULL, time[EB_TIME_LEN];

    if (text == NULL)
        return NULL;
    switch (c->type) {
    case SYNC_BOOL:
        return eb_strieq(text, "true") ? json_true() : eb_strieq(text, "false") ? json_false() : json_string(text);
    case SYNC_INTEGER: {
        long long n = strtoll(text, &end, 10);
        return end != text && *end == '\0' ? json_integer(n) : json_string(text);
    }
    case SYNC_DATE_TIME:
        return json_string(sync_record_time(text, time));
    default:
        return json_string(text);
    }
}

json_t *assets_value_in(const struct assets_column *c, const json_t *values)
{
    json_t *list = c->many ? eb_need(json_array()) : NULL, *v, *one;
    size_t i;

    json_array_foreach(values, i, v) {
        if ((one = one_in(c, v)) == NULL)
            continue;
        if (!c->many)
            return one;
        json_array_append_new(list, one);
    }
    if (list != NULL && json_array_size(list) == 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}
