/* attributes.c - the attributes of a request against the one table of them, and what becomes of smart values that had no value.
 *
 * Invariant: what passes has only rows that the kind may write, and values that fit them.
 */
#include "config/attribute.h"
#include "ops/form.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* A name from outside, cleaned, as the field of an error: "attributes.jobTitle". */
static const char *field_of(const char *name, char out[64])
{
    char clean[48];

    snprintf(out, 64, "attributes.%s", eb_text_clean(name, clean, sizeof clean));
    return out;
}

static const char *other_way(const char *name)
{
    static const struct { const char *name, *way; } ways[] = {
        { "accountEnabled", "Use user.enable or user.disable." },
        { "passwordProfile", "Use user.reset_password." },
        { "userPrincipalName", "Change it in Entra." },
    };

    for (size_t i = 0; i < EB_LEN(ways); i++)
        if (strcmp(ways[i].name, name) == 0)
            return ways[i].way;
    return "It would hand over the account.";
}

static const struct attribute *find_row(const char *name, unsigned may, struct eb_err *err)
{
    const struct attribute *a = attribute_find(name);
    char field[64];

    if (a != NULL && (a->flags & may) != 0)
        return a;
    field_of(name, field);
    if (a == NULL)
        eb_fail_field(err, EB_INVALID_REQUEST, field, "There is no attribute `%s` that entrabridge knows. Names are Graph's, in Graph's case: jobTitle.",
                      field + strlen("attributes."));
    else if ((a->flags & ATTRIBUTE_FORBIDDEN) != 0)
        eb_fail_field(err, EB_ATTRIBUTE_NOT_PERMITTED, field, "`%s` is never written as an attribute. %s", name, other_way(name));
    else
        eb_fail_field(err, EB_INVALID_REQUEST, field, "`%s` cannot be written here.", name);
    return NULL;
}

static bool is_blank(const json_t *v)
{
    const char *s = json_string_value(v);

    return s != NULL && json_string_length(v) == strlen(s) && s[strspn(s, " \t")] == '\0';
}

/* A list of which every text is blank, or one blank text. An empty list is said on purpose. */
static bool is_empty(const json_t *v)
{
    size_t blank = 0;

    if (!json_is_array(v))
        return is_blank(v);
    for (size_t i = 0; i < json_array_size(v); i++)
        blank += is_blank(json_array_get(v, i));
    return blank > 0 && blank == json_array_size(v);
}

static bool fail_empty(const char *name, struct eb_err *err)
{
    char field[64];

    return eb_fail_field(err, EB_INVALID_REQUEST, field_of(name, field), "The smart value in `%s` had no value. Send \"empty\": \"skip\" to leave such an "
                         "attribute as it is, or \"clear\" to clear it.", field);
}

/* A blank value in `obj` under `name`, which an error calls `shown`. *ret_kept false: it is left out. */
static bool settle_empty(const struct attribute *a, const char *shown, enum ops_empty empty, json_t **v, struct eb_err *err)
{
    if (empty == OPS_EMPTY_REFUSE)
        return fail_empty(shown, err);
    *v = empty == OPS_EMPTY_SKIP ? NULL : a->type == ATTRIBUTE_LIST ? json_array() : json_null();
    return true;
}

/* An object's blank members, one by one. *v may become NULL: nothing is left of it. */
static bool settle_members(const struct attribute *a, enum ops_empty empty, json_t **v, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) out = json_object();
    const char *name;
    json_t *member;

    json_object_foreach(*v, name, member) {
        json_t *m = member;

        if (is_blank(member) && !settle_empty(a, a->name, empty, &m, err))
            return false;
        if (m != NULL)
            json_object_set(out, name, m);
    }
    *v = json_object_size(out) > 0 || json_object_size(*v) == 0 ? json_incref(out) : NULL;
    return true;
}

/* *ret: the value as it is sent to Graph, the caller's; NULL: it is left out. */
static bool read_value(const struct attribute *a, const char *name, const json_t *sent, enum ops_empty empty, json_t **ret, struct eb_err *err)
{
    json_t *v = (json_t *)(uintptr_t)sent;
    char fault[256], field[64];

    *ret = NULL;
    if (is_empty(v)) {
        if (!settle_empty(a, name, empty, &v, err))
            return false;
    } else if (a->type == ATTRIBUTE_LIST && json_is_string(v)) {
        v = json_pack("[O]", v);
    } else if (a->type == ATTRIBUTE_OBJECT && json_is_object(v)) {
        if (!settle_members(a, empty, &v, err))
            return false;
    } else {
        json_incref(v);
    }
    if (v == NULL)
        return true;
    if (attribute_fault(a, v, fault, sizeof fault) != NULL) {
        json_decref(v);
        return eb_fail_field(err, EB_INVALID_REQUEST, field_of(name, field), "`%s` %s.", field, fault);
    }
    *ret = v;
    return true;
}

bool ops_attributes_read(const json_t *v, unsigned may, enum ops_empty empty, json_t **ret, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) out = json_object();
    const char *name;
    json_t *member;

    if (!json_is_object(v) || json_object_size(v) == 0)
        return eb_fail_field(err, EB_INVALID_REQUEST, "attributes", "`attributes` must be an object such as {\"jobTitle\": \"Engineer\"}.");
    json_object_foreach((json_t *)(uintptr_t)v, name, member) {
        const struct attribute *a = find_row(name, may, err);
        json_t *value;

        if (a == NULL || !read_value(a, name, member, empty, &value, err))
            return false;
        if (value != NULL)
            json_object_set_new(out, name, value);
    }
    *ret = json_incref(out);
    return true;
}
