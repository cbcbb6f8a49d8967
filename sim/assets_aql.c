/* assets_aql.c - does a query hold of an object? As AQL sees it: references are followed to what is seen there. */
#include "sim/assets_aql.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool number(const char *text, double *ret)
{
    char *end;

    *ret = strtod(text, &end);
    return end != text && *end == '\0';
}

static bool moment(const char *text, int64_t *ret)
{
    char whole[48];

    snprintf(whole, sizeof(whole), "%.30s%s", text, strlen(text) == 10 ? "T00:00:00Z" : "");
    return strlen(text) >= 10 && eb_time_parse(whole, ret, NULL);
}

int aql_compare(const char *a, const char *b)
{
    double x, y;
    int64_t s, t;

    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    if (number(a, &x) && number(b, &y))
        return x < y ? -1 : x > y;
    if (moment(a, &s) && moment(b, &t))
        return s < t ? -1 : s > t;
    return assets_fold_compare(a, b);
}

static bool ends(const char *text, const char *with)
{
    size_t n = strlen(text), m = strlen(with);

    return n >= m && assets_fold_equal(text + n - m, with);
}

static bool fits(enum aql_op op, const char *text, const char *value)
{
    switch (op) {
    case AQL_SAME:   return strcmp(text, value) == 0;
    case AQL_LT:     return aql_compare(text, value) < 0;
    case AQL_GT:     return aql_compare(text, value) > 0;
    case AQL_LE:     return aql_compare(text, value) <= 0;
    case AQL_GE:     return aql_compare(text, value) >= 0;
    case AQL_LIKE: case AQL_NOT_LIKE: return assets_fold_find(text, value) != NULL;
    case AQL_BEGINS: return assets_fold_begins(text, value);
    case AQL_ENDS:   return ends(text, value);
    case AQL_NOT_EMPTY: case AQL_EMPTY: return true;
    case AQL_EQ: case AQL_NE: case AQL_IN: case AQL_NOT_IN: break;
    }
    return assets_fold_equal(text, value);
}

/* Does the operator hold between the text and any of the term's values? NULL fits nothing. */
static bool fits_any(const struct aql_world *w, const struct aql_node *n, const char *text)
{
    if (text == NULL)
        return false;
    if (n->op == AQL_EMPTY || n->op == AQL_NOT_EMPTY)
        return true;
    for (size_t i = 0; i < n->value_count; i++) {
        if (!n->values[i].param && !n->values[i].below && fits(n->op, text, n->values[i].text))
            return true;
        for (size_t k = 0; n->values[i].param && k < w->param_count; k++)
            if (fits(n->op, text, w->params[k]))
                return true;
    }
    return false;
}

static bool number_fits(const struct aql_world *w, const struct aql_node *n, uint32_t id)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", id);
    return fits_any(w, n, text);
}

static bool user_fits(const struct aql_world *w, const struct aql_node *n, const char *id)
{
    const struct tracker_account *who = tracker_account(w->tracker, id);

    return fits_any(w, n, id) || (who != NULL && (fits_any(w, n, who->name) || (!who->email_hidden && fits_any(w, n, who->email))));
}

static bool cell_fits(const struct aql_world *w, const struct aql_node *n, const struct assets_attr *at, uint32_t value)
{
    const struct assets_object *to;
    char key[48];

    switch (at->kind) {
    case ASSETS_PLAIN: case ASSETS_GROUP:
        return fits_any(w, n, assets_text(w->a->strings, value));
    case ASSETS_USER:
        return user_fits(w, n, assets_text(w->a->strings, value));
    case ASSETS_STATUS:
        return fits_any(w, n, assets_status(w->a, value)->name) || number_fits(w, n, value);
    case ASSETS_REFERENCE:
        to = w->a->objects[value];
        assets_key(w->a, to, key);
        return fits_any(w, n, assets_label(w->a, to, assets_seen(to))) || fits_any(w, n, key);
    }
    return false;
}

/* The attribute that this step of the path means in the type; NULL: it has none of that name. */
static const struct assets_attr *step_attr(const struct aql_world *w, struct aql_node *n, size_t step, uint32_t type)
{
    if (n->seen[step].type != type) {
        n->seen[step].type = type;
        n->seen[step].attr = assets_attr_named(w->a->types[type], n->path.steps[step]);
    }
    return n->seen[step].attr;
}

/* One value of objectTypeAndChildren: names or numbers the type, or one above it. */
static bool below(const struct aql_world *w, const char *value, const struct assets_type *t)
{
    for (; t != NULL; t = assets_type(w->a, t->parent))
        if (assets_fold_equal(t->name, value) || aql_id(value) == t->id)
            return true;
    return false;
}

bool aql_type_fits(const struct aql_world *w, const struct aql_node *n, const struct assets_type *t)
{
    for (size_t i = 0; i < n->value_count; i++)
        if (n->values[i].below && below(w, n->values[i].text, t))
            return true;
    return n->path.field == AQL_TYPE ? fits_any(w, n, t->name) : number_fits(w, n, t->id);
}

bool aql_schema_fits(const struct aql_world *w, const struct aql_node *n, const struct assets_schema *s)
{
    return n->path.field == AQL_SCHEMA_ID ? number_fits(w, n, s->id) : fits_any(w, n, s->name) || fits_any(w, n, s->key);
}

static bool time_fits(const struct aql_world *w, const struct aql_node *n, int64_t ms)
{
    char text[EB_TIME_LEN];

    return fits_any(w, n, eb_time_format(ms, text));
}

/* The last step of the path, at an object. */
static bool leaf_fits(const struct aql_world *w, struct aql_node *n, const struct assets_object *o, const struct assets_body *b)
{
    const struct assets_type *t = w->a->types[o->type];
    const struct assets_attr *at;
    char key[48];

    switch (n->path.field) {
    case AQL_SCHEMA: case AQL_SCHEMA_ID: return aql_schema_fits(w, n, assets_schema(w->a, t->schema));
    case AQL_TYPE: case AQL_TYPE_ID:     return aql_type_fits(w, n, t);
    case AQL_OBJECT_ID: return number_fits(w, n, o->id);
    case AQL_LABEL:     return fits_any(w, n, assets_label(w->a, o, b));
    case AQL_CREATED:   return time_fits(w, n, o->created_ms);
    case AQL_UPDATED:   return time_fits(w, n, b->updated_ms);
    case AQL_KEY:
        assets_key(w->a, o, key);
        return fits_any(w, n, key);
    case AQL_ATTRIBUTE: break;
    }
    at = step_attr(w, n, n->path.count - 1, o->type);
    if (at != NULL)
        ASSETS_EACH_CELL(b, at, c)
            if (cell_fits(w, n, at, c->value))
                return true;
    return false;
}

static bool path_fits(const struct aql_world *w, struct aql_node *n, size_t step, const struct assets_object *o, const struct assets_body *b)
{
    if (step + 1 >= n->path.count)
        return leaf_fits(w, n, o, b);
    const struct assets_attr *at = step_attr(w, n, step, o->type);
    if (at == NULL || at->kind != ASSETS_REFERENCE)
        return false;
    ASSETS_EACH_CELL(b, at, c) {
        const struct assets_object *to = w->a->objects[c->value];
        const struct assets_body *seen = assets_seen(to);
        if (seen != NULL && path_fits(w, n, step + 1, to, seen))
            return true;
    }
    return false;
}

/* Is the attribute a reference of a kind that counts? */
static bool counts(const struct aql_world *w, const struct aql_node *n, const struct assets_attr *at)
{
    if (at == NULL || at->kind != ASSETS_REFERENCE)
        return false;
    const struct assets_reference_type *kind = assets_reference_type(w->a, at->reference_type);
    for (size_t i = 0; i < n->value_count; i++)
        if (kind != NULL && assets_fold_equal(kind->name, n->values[i].text))
            return true;
    return n->value_count == 0;
}

static bool outbound(const struct aql_world *w, struct aql_node *n, const struct assets_object *o, const struct assets_body *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct assets_attr *at = assets_attr(w->a, b->cells[i].attr);
        const struct assets_object *to = counts(w, n, at) ? w->a->objects[b->cells[i].value] : NULL;
        if (to != NULL && assets_seen(to) != NULL && aql_holds(w, n->left, to, assets_seen(to)))
            return true;
    }
    return false;
}

static bool refers(const struct assets_body *b, const struct assets_attr *at, uint32_t to)
{
    if (b != NULL)
        ASSETS_EACH_CELL(b, at, c)
            if (c->value == to)
                return true;
    return false;
}

static bool inbound(const struct aql_world *w, struct aql_node *n, const struct assets_object *o)
{
    for (size_t i = 0; i < w->a->attr_count; i++) {
        const struct assets_attr *at = w->a->attrs[i];
        if (!counts(w, n, at))
            continue;
        struct assets_ids list = assets_posting(w->a->index, assets_key_number(at->id, o->id));
        for (size_t k = 0; k < list.count; k++) {
            const struct assets_object *from = w->a->objects[list.ids[k]];
            if (refers(assets_seen(from), at, o->id) && aql_holds(w, n->left, from, assets_seen(from)))
                return true;
        }
    }
    return false;
}

bool aql_holds(const struct aql_world *w, struct aql_node *n, const struct assets_object *o, const struct assets_body *b)
{
    switch (n->kind) {
    case AQL_ALL:    return true;
    case AQL_AND:    return aql_holds(w, n->left, o, b) && aql_holds(w, n->right, o, b);
    case AQL_OR:     return aql_holds(w, n->left, o, b) || aql_holds(w, n->right, o, b);
    case AQL_NOT:    return !aql_holds(w, n->left, o, b);
    case AQL_HAVING: return n->inbound ? inbound(w, n, o) : outbound(w, n, o, b);
    case AQL_TERM:   break;
    }
    bool fit = path_fits(w, n, 0, o, b);
    return n->op == AQL_NE || n->op == AQL_NOT_IN || n->op == AQL_NOT_LIKE || n->op == AQL_EMPTY ? !fit : fit;
}

const char *aql_sort_text(const struct aql_world *w, const struct aql_path *p, const struct assets_object *o, const struct assets_body *b, char buf[48])
{
    const struct assets_attr *at = NULL;

    for (size_t i = 0; i + 1 < p->count; i++) {
        const struct assets_object *to = NULL;
        at = assets_attr_named(w->a->types[o->type], p->steps[i]);
        if (at != NULL && at->kind == ASSETS_REFERENCE)
            ASSETS_EACH_CELL(b, at, c)
                to = to == NULL ? w->a->objects[c->value] : to;
        if (to == NULL || assets_seen(to) == NULL)
            return NULL;
        o = to;
        b = assets_seen(to);
    }
    switch (p->field) {
    case AQL_KEY: case AQL_OBJECT_ID: snprintf(buf, 48, "%u", o->id); return buf;
    case AQL_LABEL:   return assets_label(w->a, o, b);
    case AQL_CREATED: return eb_time_format(o->created_ms, buf);
    case AQL_UPDATED: return eb_time_format(b->updated_ms, buf);
    case AQL_TYPE: case AQL_TYPE_ID: return w->a->types[o->type]->name;
    case AQL_SCHEMA: case AQL_SCHEMA_ID: return "";
    case AQL_ATTRIBUTE: break;
    }
    at = assets_attr_named(w->a->types[o->type], p->steps[p->count - 1]);
    if (at != NULL)
        ASSETS_EACH_CELL(b, at, c)
            return at->kind == ASSETS_REFERENCE ? assets_label(w->a, w->a->objects[c->value], assets_seen(w->a->objects[c->value]))
                 : at->kind == ASSETS_STATUS ? assets_status(w->a, c->value)->name : assets_text(w->a->strings, c->value);
    return NULL;
}
