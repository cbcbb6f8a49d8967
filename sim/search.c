/* search.c - a list of clauses, AND binding tighter than OR; at most CLAUSES_MAX. */
#include "sim/search.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLAUSES_MAX 16
struct sim_search { struct clause { char property[40], text[128]; bool starts_group; } clauses[CLAUSES_MAX]; size_t n; };

static bool is_searched(enum entra_kind kind, const char *property)
{
    static const char *const users[] = { "displayName", "givenName", "surname", "mail", "userPrincipalName", "mailNickname", "department",
                                         "jobTitle", "companyName", "employeeId", "otherMails" };
    static const char *const groups[] = { "displayName", "description", "mail", "mailNickname" };
    const char *const *list = kind == ENTRA_USER ? users : groups;
    size_t n = kind == ENTRA_USER ? EB_LEN(users) : EB_LEN(groups);

    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], property) == 0)
            return true;
    return false;
}

/* One "property:text"; *p stands behind it after. */
static bool clause(const char **p, enum entra_kind kind, struct clause *out, struct eb_err *err)
{
    const char *open = *p, *close = *open == '"' ? strchr(open + 1, '"') : NULL, *colon = close != NULL ? memchr(open, ':', (size_t)(close - open)) : NULL;

    if (colon == NULL || colon == open + 1 || colon + 1 == close || (size_t)(colon - open) > sizeof(out->property) || (size_t)(close - colon) > sizeof(out->text))
        return eb_fail(err, EB_INVALID_REQUEST, "Syntax error: a search clause is \"property:value\", in quotes, at '%.40s'.", open);
    memcpy(out->property, open + 1, (size_t)(colon - open - 1));
    memcpy(out->text, colon + 1, (size_t)(close - colon - 1));
    if (!is_searched(kind, out->property))
        return eb_fail(err, EB_INVALID_REQUEST, "Unsupported search property '%s'.", out->property);
    *p = close + 1;
    return true;
}

bool sim_search_parse(const char *text, enum entra_kind kind, struct sim_search **ret, struct eb_err *err)
{
    struct sim_search *s = eb_alloc(sizeof(*s));
    const char *p = text;
    bool starts_group = true, ok = true;

    while (ok) {
        s->clauses[s->n].starts_group = starts_group;
        ok = clause(&p, kind, &s->clauses[s->n++], err);
        if (!ok || *p == '\0')
            break;
        starts_group = strncasecmp(p, " OR ", 4) == 0;
        bool joined = starts_group || strncasecmp(p, " AND ", 5) == 0;
        p += starts_group ? 4 : 5;
        if (!joined || s->n == CLAUSES_MAX)
            ok = eb_fail(err, EB_INVALID_REQUEST, "Syntax error: AND or OR was expected between search clauses.");
    }
    if (!ok) {
        sim_search_free(s);
        return false;
    }
    *ret = s;
    return true;
}

void sim_search_free(struct sim_search *s)
{
    free(s);
}

static bool value_begins(const json_t *value, const char *text)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (value_begins(json_array_get(value, i), text))
            return true;
    return json_is_string(value) && strncasecmp(json_string_value(value), text, strlen(text)) == 0;
}

/* Where words begin: the start, and after a blank or a mark. */
static bool word_begins(const json_t *value, const char *text)
{
    const char *v = json_string_value(value);

    for (const char *p = v; p != NULL && *p != '\0'; p++)
        if ((p == v || strchr(" -_.'", p[-1]) != NULL) && strncasecmp(p, text, strlen(text)) == 0)
            return true;
    return false;
}

static bool clause_matches(const struct clause *c, const struct entra *e, const struct entra_object *o)
{
    const json_t *value = entra_get(e, o, c->property);
    bool words = strcmp(c->property, "displayName") == 0 || strcmp(c->property, "description") == 0;

    return words ? word_begins(value, c->text) : value_begins(value, c->text);
}

bool sim_search_match(const struct sim_search *s, const struct entra *e, const struct entra_object *o)
{
    bool group = false;

    for (size_t i = 0; i < s->n; i++) {
        if (s->clauses[i].starts_group && group)
            return true;
        group = (s->clauses[i].starts_group || group) && clause_matches(&s->clauses[i], e, o);
    }
    return group;
}
