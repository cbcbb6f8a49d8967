/* compat.c - the section `compat`: names that callers write, beside those that the envelope knows by itself.
 *
 * Invariant: no name of the configuration means something else than the same name means without it, and each means something.
 */
#include "config/values.h"

#include "base/text.h"
#include "config/envelope.h"

#include <stdio.h>
#include <string.h>

#define ROWS_MAX 500

/* What one row of a table has to be, beyond its shape. Each says its fault itself. */
typedef bool row_check(const struct spot *s, const struct node *item, char means[ENVELOPE_NAME_MAX], bool *ret_known);

static const char *const *kinds_of(const struct spot *s) { return s->r->names->kinds; }

static bool row_fault(const struct spot *s, const struct node *item, const char *text)
{
    char path[300], name[160];

    snprintf(path, sizeof(path), "%s.%s", s->path, eb_text_clean(item->name, name, sizeof(name)));
    fault_add(s->r->faults, item->name_line, path, "%s", text);
    return false;
}

static bool conflict(const struct spot *s, const struct node *item, const char *means)
{
    char text[300];

    snprintf(text, sizeof(text), "means %s already, expected another name, or none: what is known by itself needs no row", means);
    return row_fault(s, item, text);
}

static bool is_kind(const struct spot *s, const char *name)
{
    for (size_t i = 0; kinds_of(s)[i] != NULL; i++)
        if (strcmp(kinds_of(s)[i], name) == 0)
            return true;
    return false;
}

/* *ret_known: the name is one of the envelope's own, and the row says what holds anyway. */
static bool check_route(const struct spot *s, const struct node *item, char means[ENVELOPE_NAME_MAX], bool *ret_known)
{
    const char *built_in = envelope_route(item->name), *kind = is_kind(s, item->text) ? item->text : envelope_route(item->text);

    if (kind == NULL)
        return row_fault(s, item, "leads to something that is neither an operation kind of this version nor a known route, expected one such as user.disable or disableUser");
    if (built_in != NULL && strcmp(built_in, kind) != 0)
        return conflict(s, item, built_in);
    *ret_known = built_in != NULL;
    snprintf(means, ENVELOPE_NAME_MAX, "%s", kind);
    return true;
}

static bool check_field(const struct spot *s, const struct node *item, char means[ENVELOPE_NAME_MAX], bool *ret_known)
{
    char built_in[ENVELOPE_NAME_MAX];
    const char *const *all = s->r->names->fields;

    if (!envelope_meaning(item->text, all, means))
        return row_fault(s, item, "stands for something that is neither a field of an operation nor one of Graph's user attributes, expected one such as user, group, jobTitle or attributes.mail");
    *ret_known = envelope_meaning(item->name, all, built_in);
    if (*ret_known && strcmp(built_in, means) != 0)
        return conflict(s, item, built_in);
    snprintf(means, ENVELOPE_NAME_MAX, "%s", item->text);       /* as it is written: what it means may hang on the kind */
    return true;
}

static bool check_twin(const struct spot *s, const struct node *item, const char *means, const struct config_pairs *into, bool *ret_twin)
{
    for (size_t i = 0; i < into->count; i++) {
        if (!envelope_same(into->items[i].name, item->name))
            continue;
        *ret_twin = true;
        if (strcmp(into->items[i].value, means) != 0)
            return row_fault(s, item, "is the same name as another row's (case, -, _ and blanks do not count) and stands for something else, expected one of the two");
    }
    return true;
}

static bool read_row(const struct spot *s, const struct node *item, row_check *check, struct config_pairs *into)
{
    char normal[ENVELOPE_NAME_MAX], means[ENVELOPE_NAME_MAX];
    bool known = false, twin = false;

    if (!clean_text(s, item))
        return false;
    if (eb_text_unclean(item->name) || !envelope_normal(item->name, normal))
        return row_fault(s, item, "is no name, expected 1 to 127 letters, digits and signs");
    if (strlen(item->text) >= ENVELOPE_NAME_MAX)
        return row_fault(s, item, "stands for a text of more than 127 bytes, expected a name");
    if (!check(s, item, means, &known) || !check_twin(s, item, means, into, &twin))
        return false;
    if (!known && !twin)
        into->items[into->count++] = (struct config_pair){ eb_strdup(item->name), eb_strdup(means) };
    return true;
}

static bool read_rows(const struct spot *s, const struct node *n, row_check *check)
{
    struct config_pairs *into = s->into;
    size_t count = 0;
    bool good = true;

    if (n->type != NODE_MAP)
        return wrong(s, n, "is not a mapping");
    for (const struct node *item = n->first; item != NULL; item = item->next)
        count++;
    if (count > ROWS_MAX)
        return wrong(s, n, "has more than 500 rows");
    into->items = eb_alloc((count + 1) * sizeof(*into->items));
    for (const struct node *item = n->first; item != NULL; item = item->next)
        good = read_row(s, item, check, into) && good;
    return good;
}

bool read_route_names(const struct spot *s, const struct node *n)
{
    return read_rows(s, n, check_route);
}

bool read_field_names(const struct spot *s, const struct node *n)
{
    return read_rows(s, n, check_field);
}

bool read_domain(const struct spot *s, const struct node *n)
{
    if (!clean_text(s, n))
        return false;
    const char *fault = form_host(n->text, 255);
    if (fault != NULL)
        return wrong(s, n, fault);
    return strchr(n->text, '.') != NULL ? keep_text(s, eb_strdup(n->text)) : wrong(s, n, "has no dot");
}
