/* envelope_names.c - what a route or a name of the envelope is: the configuration's names, then the kind's own, then the table's (config/envelope.h). */
#include "handlers/envelope.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *configured(const struct config_pairs *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (envelope_same(pairs->items[i].name, name))
            return pairs->items[i].value;
    return NULL;
}

const struct ops_kind *envelope_kind(const struct config_compat *c, const char *route)
{
    const char *kind = envelope_route(route);

    if (kind == NULL && c != NULL)
        kind = configured(&c->routes, route);
    return kind != NULL ? ops_kind_find(kind) : NULL;
}

static const char *own_field(const struct ops_kind *k, const char *name)
{
    const struct ops_field *common;
    size_t n = ops_common_fields(&common);

    for (size_t i = 0; i < k->field_count; i++)
        if (envelope_same(k->fields[i].name, name))
            return k->fields[i].name;
    for (size_t i = 0; i < n; i++)
        if (envelope_same(common[i].name, name))
            return common[i].name;
    return NULL;
}

static bool starts_attribute(const char *name)
{
    return strncmp(name, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0;
}

static bool has(const struct ops_kind *k, const char *means)
{
    if (starts_attribute(means))
        return ops_kind_field(k, "attributes") != NULL;
    return ops_kind_field(k, strcmp(means, ENVELOPE_GENERATE) == 0 ? "password" : means) != NULL;
}

/* The row of the table that this kind has. */
static const char *known_field(const struct ops_kind *k, const char *name)
{
    const struct envelope_name *rows;
    size_t count = envelope_fields(&rows);

    for (size_t i = 0; i < count; i++)
        if (envelope_same(rows[i].name, name) && has(k, rows[i].means))
            return rows[i].means;
    return NULL;
}

bool envelope_resolve(const struct ops_kind *k, const struct config_compat *c, const char *name, char out[ENVELOPE_NAME_MAX])
{
    const char *other = c != NULL ? configured(&c->fields, name) : NULL, *means = NULL;

    if (other != NULL)
        name = other;
    if (!starts_attribute(name) && (means = own_field(k, name)) == NULL)
        means = known_field(k, name);
    if (means != NULL)
        return snprintf(out, ENVELOPE_NAME_MAX, "%s", means) < ENVELOPE_NAME_MAX;
    /* With its prefix only where the configuration says so: a caller writes the object. */
    if (starts_attribute(name) && other == NULL)
        return false;
    const char *attribute = envelope_attribute(starts_attribute(name) ? name + strlen(ENVELOPE_ATTRIBUTES) : name);
    return attribute != NULL && has(k, ENVELOPE_ATTRIBUTES) && snprintf(out, ENVELOPE_NAME_MAX, ENVELOPE_ATTRIBUTES "%s", attribute) < ENVELOPE_NAME_MAX;
}
