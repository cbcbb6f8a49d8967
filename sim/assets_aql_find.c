/* assets_aql_find.c - where to look: the index's lists that hold every object of which a query may be true.
 *
 * A list may hold more than that; aql_holds() decides. Only what is asked for by equality has lists.
 */
#include "sim/assets_aql.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MAX 50000              /* objects in the middle of a path; with more, looking at all is no worse */

struct ids { uint32_t *at; size_t count, cap; };

static void add(struct ids *v, uint32_t id)
{
    if (v->count == v->cap) {
        v->cap = v->cap == 0 ? 16 : v->cap * 2;
        v->at = eb_need(realloc(v->at, v->cap * sizeof(*v->at)));
    }
    v->at[v->count++] = id;
}

static void add_list(struct ids *v, struct assets_ids list)
{
    for (size_t i = 0; i < list.count; i++)
        add(v, list.ids[i]);
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool own(struct ids *v, bool exact, struct aql_candidates *ret)
{
    size_t n = 0, rising = 1;

    while (rising < v->count && v->at[rising - 1] <= v->at[rising])
        rising++;
    if (rising < v->count)          /* one list alone is in order */
        qsort(v->at, v->count, sizeof(*v->at), by_id);
    for (size_t i = 0; i < v->count; i++)
        if (n == 0 || v->at[n - 1] != v->at[i])
            v->at[n++] = v->at[i];
    *ret = (struct aql_candidates){ v->at, n, v->at, exact };
    return true;
}

typedef void add_for_value(const struct aql_world *w, const struct aql_node *n, const char *value, struct ids *v);
static void each_value(const struct aql_world *w, const struct aql_node *n, add_for_value *fn, struct ids *v)
{
    for (size_t i = 0; i < n->value_count; i++) {
        if (!n->values[i].param)
            fn(w, n, n->values[i].text, v);
        for (size_t k = 0; n->values[i].param && k < w->param_count; k++)
            fn(w, n, w->params[k], v);
    }
}

uint32_t aql_id(const char *text)
{
    size_t len = strspn(text, "0123456789");

    return len > 0 && len < 10 && text[0] != '0' && text[len] == '\0' ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

static void add_object(const struct aql_world *w, const struct aql_node *n, const char *value, struct ids *v)
{
    const char *dash = strrchr(value, '-');
    uint32_t id = n->path.field == AQL_OBJECT_ID ? aql_id(value) : dash != NULL ? aql_id(dash + 1) : 0;

    if (id > 0 && id < w->a->object_count)
        add(v, id);
}

static void add_labelled(const struct aql_world *w, const struct aql_node *n, const char *value, struct ids *v)
{
    for (size_t i = 0; i < w->a->attr_count; i++)
        if (w->a->attrs[i] != NULL && w->a->attrs[i]->label)
            add_list(v, assets_posting(w->a->index, assets_key_text(w->a->attrs[i]->id, value)));
}

/* Objects that refer to one with this label or key. */
static void add_referring(const struct aql_world *w, const struct aql_node *n, const struct assets_attr *at, const char *value, struct ids *v)
{
    struct ids to = { 0 };

    add_labelled(w, n, value, &to);
    add_object(w, n, value, &to);
    for (size_t i = 0; i < to.count; i++)
        add_list(v, assets_posting(w->a->index, assets_key_number(at->id, to.at[i])));
    free(to.at);
}

static void add_with_status(const struct aql_world *w, const struct assets_attr *at, const char *value, struct ids *v)
{
    for (size_t i = 0; i < w->a->status_count; i++)
        if (assets_fold_equal(w->a->statuses[i]->name, value) || w->a->statuses[i]->id == aql_id(value))
            add_list(v, assets_posting(w->a->index, assets_key_number(at->id, w->a->statuses[i]->id)));
}

static void add_with_value(const struct aql_world *w, const struct aql_node *n, const char *value, struct ids *v)
{
    const char *name = n->path.steps[n->path.count - 1];

    for (size_t i = 0; i < w->a->attr_count; i++) {
        const struct assets_attr *at = w->a->attrs[i];
        if (at == NULL || !assets_fold_equal(at->name, name))
            continue;
        if (at->kind == ASSETS_REFERENCE)
            add_referring(w, n, at, value, v);
        else if (at->kind == ASSETS_STATUS)
            add_with_status(w, at, value, v);
        else
            add_list(v, assets_posting(w->a->index, assets_key_text(at->id, value)));
    }
}

/* A user may be named by other things than the account's id, which alone is in the index. */
static bool names_users(const struct aql_world *w, const struct aql_node *n)
{
    for (size_t i = 0; i < w->a->attr_count; i++)
        if (w->a->attrs[i] != NULL && w->a->attrs[i]->kind == ASSETS_USER && assets_fold_equal(w->a->attrs[i]->name, n->path.steps[n->path.count - 1]))
            for (size_t k = 0; k < n->value_count; k++)
                if (n->values[k].param || tracker_account(w->tracker, n->values[k].text) == NULL)
                    return true;
    return false;
}

/* Of several lists, or of one without a copy. */
static bool kinds(const struct aql_world *w, const uint64_t *keys, size_t count, struct aql_candidates *ret)
{
    bool exact = TAILQ_EMPTY(&w->a->pending);
    struct ids v = { 0 };

    if (count == 1) {
        struct assets_ids list = exact ? assets_posting_exact(w->a->index, keys[0]) : assets_posting(w->a->index, keys[0]);
        *ret = (struct aql_candidates){ list.ids, list.count, NULL, exact };
        return true;
    }
    for (size_t i = 0; i < count; i++)
        add_list(&v, exact ? assets_posting_exact(w->a->index, keys[i]) : assets_posting(w->a->index, keys[i]));
    return own(&v, exact, ret);
}

#define KINDS_MAX 64
static bool term_kinds(const struct aql_world *w, const struct aql_node *n, struct aql_candidates *ret)
{
    uint64_t keys[KINDS_MAX];
    size_t count = 0;
    bool types = n->path.field == AQL_TYPE || n->path.field == AQL_TYPE_ID;

    for (size_t i = 0; types && i < w->a->type_count && count < KINDS_MAX; i++)
        if (w->a->types[i] != NULL && aql_type_fits(w, n, w->a->types[i]))
            keys[count++] = assets_key_type(w->a->types[i]->id);
    for (size_t i = 0; !types && i < w->a->schema_count && count < KINDS_MAX; i++)
        if (aql_schema_fits(w, n, w->a->schemas[i]))
            keys[count++] = assets_key_schema(w->a->schemas[i]->id);
    return count < KINDS_MAX && kinds(w, keys, count, ret);
}

static bool last_step(const struct aql_world *w, const struct aql_node *n, struct ids *v)
{
    switch (n->path.field) {
    case AQL_KEY: case AQL_OBJECT_ID:
        each_value(w, n, add_object, v);
        return true;
    case AQL_LABEL:
        each_value(w, n, add_labelled, v);
        return true;
    case AQL_ATTRIBUTE:
        if (names_users(w, n))
            return false;
        each_value(w, n, add_with_value, v);
        return true;
    default:
        return false;
    }
}

/* From what the last step finds, back along the references. */
static bool back(const struct aql_world *w, const struct aql_node *n, struct ids *v)
{
    for (size_t step = n->path.count - 1; step-- > 0;) {
        struct ids from = { 0 };
        if (v->count > STEP_MAX)
            return false;
        for (size_t i = 0; i < w->a->attr_count; i++) {
            const struct assets_attr *at = w->a->attrs[i];
            if (at == NULL || at->kind != ASSETS_REFERENCE || !assets_fold_equal(at->name, n->path.steps[step]))
                continue;
            for (size_t k = 0; k < v->count; k++)
                add_list(&from, assets_posting(w->a->index, assets_key_number(at->id, v->at[k])));
        }
        free(v->at);
        *v = from;
    }
    return true;
}

static bool term(const struct aql_world *w, struct aql_node *n, struct aql_candidates *ret)
{
    struct ids v = { 0 };

    if (n->op != AQL_EQ && n->op != AQL_SAME && n->op != AQL_IN)
        return false;
    if (n->path.count <= 1 && n->path.field >= AQL_SCHEMA && n->path.field <= AQL_TYPE_ID)
        return term_kinds(w, n, ret);
    if (last_step(w, n, &v) && back(w, n, &v))
        return own(&v, false, ret);
    free(v.at);
    return false;
}

static bool having(const struct aql_world *w, struct aql_node *n, struct aql_candidates *ret)
{
    struct aql_candidates to;
    struct ids v = { 0 };

    if (n->inbound || !aql_candidates(w, n->left, &to))
        return false;
    bool few = to.count <= STEP_MAX;
    for (size_t i = 0; few && i < w->a->attr_count; i++)
        if (w->a->attrs[i] != NULL && w->a->attrs[i]->kind == ASSETS_REFERENCE)
            for (size_t k = 0; k < to.count; k++)
                add_list(&v, assets_posting(w->a->index, assets_key_number(w->a->attrs[i]->id, to.ids[k])));
    free(to.owned);
    return few && own(&v, false, ret);
}

static bool both(bool left, struct aql_candidates *l, bool right, struct aql_candidates *r, struct aql_candidates *ret)
{
    bool take_left = left && (!right || l->count <= r->count);

    if (!left && !right)
        return false;
    if (left && right)
        free(take_left ? r->owned : l->owned);
    *ret = take_left ? *l : *r;
    ret->exact = false;
    return true;
}

static bool either(bool left, struct aql_candidates *l, bool right, struct aql_candidates *r, struct aql_candidates *ret)
{
    struct ids v = { 0 };

    if (left && right) {
        add_list(&v, (struct assets_ids){ l->ids, l->count });
        add_list(&v, (struct assets_ids){ r->ids, r->count });
    }
    if (left)
        free(l->owned);
    if (right)
        free(r->owned);
    return left && right && own(&v, l->exact && r->exact, ret);
}

bool aql_candidates(const struct aql_world *w, struct aql_node *n, struct aql_candidates *ret)
{
    struct aql_candidates l, r;

    if (n->kind == AQL_TERM)
        return term(w, n, ret);
    if (n->kind == AQL_HAVING)
        return having(w, n, ret);
    if (n->kind != AQL_AND && n->kind != AQL_OR)
        return false;
    bool left = aql_candidates(w, n->left, &l), right = aql_candidates(w, n->right, &r);
    return n->kind == AQL_AND ? both(left, &l, right, &r, ret) : either(left, &l, right, &r, ret);
}

uint32_t aql_least_id(const struct aql_node *n)
{
    if (n->kind == AQL_AND || n->kind == AQL_OR) {
        uint32_t l = aql_least_id(n->left), r = aql_least_id(n->right);
        return (l < r) == (n->kind == AQL_AND) ? r : l;
    }
    if (n->kind == AQL_TERM && n->path.count == 1 && n->path.field == AQL_OBJECT_ID && (n->op == AQL_GT || n->op == AQL_GE))
        return aql_id(n->values[0].text) + (n->op == AQL_GT);
    return 1;
}
