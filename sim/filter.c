/* filter.c - recursive descent over the filter's text; a tree of at most NODES_MAX nodes.
 *
 * Owns the copies of names and values in its nodes.
 */
#include "sim/filter.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum op { OP_OR, OP_AND, OP_NOT, OP_EQ, OP_NE, OP_ANY_EQ, OP_ANY_STARTS, OP_STARTS, OP_ENDS };
#define NODES_MAX 256
#define DEPTH_MAX 32

struct sim_filter {
    enum op op;
    struct sim_filter *left, *right;
    char *property;
    json_t *value;                  /* text, true, false or null */
};

struct parser { const char *p; int nodes, depth; struct eb_err *err; };

void sim_filter_free(struct sim_filter *f)
{
    if (f == NULL)
        return;
    sim_filter_free(f->left);
    sim_filter_free(f->right);
    free(f->property);
    json_decref(f->value);
    free(f);
}

static struct sim_filter *fail(struct parser *ps, const char *what)
{
    eb_fail(ps->err, EB_INVALID_REQUEST, "Invalid filter clause: %s at '%.40s'.", what, ps->p);
    return NULL;
}

static struct sim_filter *node(struct parser *ps, enum op op, struct sim_filter *left, struct sim_filter *right)
{
    if (++ps->nodes > NODES_MAX) {
        sim_filter_free(left);
        sim_filter_free(right);
        return fail(ps, "too many clauses");
    }
    struct sim_filter *f = eb_alloc(sizeof(*f));
    f->op = op;
    f->left = left;
    f->right = right;
    return f;
}

static void blanks(struct parser *ps)
{
    while (*ps->p == ' ')
        ps->p++;
}

/* Takes the word if it stands there and ends there. */
static bool word(struct parser *ps, const char *w)
{
    size_t n = strlen(w);

    blanks(ps);
    if (strncasecmp(ps->p, w, n) != 0 || isalnum((unsigned char)ps->p[n]) || ps->p[n] == '_')
        return false;
    ps->p += n;
    return true;
}

static bool sign(struct parser *ps, char c)
{
    blanks(ps);
    if (*ps->p != c)
        return false;
    ps->p++;
    return true;
}

/* A property or path: letters, digits, _ and /, which any() ends. */
static char *name(struct parser *ps)
{
    blanks(ps);
    const char *start = ps->p;
    while (isalnum((unsigned char)*ps->p) || *ps->p == '_' || (*ps->p == '/' && strncmp(ps->p, "/any(", 5) != 0))
        ps->p++;
    return ps->p == start ? NULL : strndup(start, (size_t)(ps->p - start));
}

static json_t *literal(struct parser *ps)
{
    blanks(ps);
    if (word(ps, "true"))
        return json_true();
    if (word(ps, "false"))
        return json_false();
    if (word(ps, "null"))
        return json_null();
    struct eb_buf b = EB_BUF(KiB(4));
    if (*ps->p == '\'') {
        for (ps->p++; *ps->p != '\0'; ps->p++) {
            if (*ps->p == '\'' && *++ps->p != '\'') {
                json_t *text = b.failed ? NULL : json_stringn(b.data != NULL ? b.data : "", b.len);
                eb_buf_free(&b);
                return text;
            }
            eb_buf_add(&b, ps->p, 1);
        }
        eb_buf_free(&b);
        return NULL;                /* the quote was not closed */
    }
    const char *start = ps->p;      /* a bare GUID or number */
    while (isalnum((unsigned char)*ps->p) || *ps->p == '-' || *ps->p == '.' || *ps->p == ':')
        ps->p++;
    return ps->p == start ? NULL : json_stringn(start, (size_t)(ps->p - start));
}

static struct sim_filter *leaf(struct parser *ps, enum op op, char *property, json_t *value)
{
    struct sim_filter *f = value != NULL && property != NULL ? node(ps, op, NULL, NULL) : fail(ps, "a value was expected");

    if (f == NULL) {
        free(property);
        json_decref(value);
        return NULL;
    }
    f->property = property;
    f->value = value;
    return f;
}

/* startswith(property,'x') and endswith */
static struct sim_filter *function(struct parser *ps, enum op op)
{
    if (!sign(ps, '('))
        return fail(ps, "( was expected");
    char *property = name(ps);
    json_t *value = sign(ps, ',') ? literal(ps) : NULL;
    struct sim_filter *f = leaf(ps, op, property, value);
    if (f != NULL && !sign(ps, ')')) {
        sim_filter_free(f);
        return fail(ps, ") was expected");
    }
    return f;
}

/* any(x:x eq 'v') or any(x:startswith(x,'v')); `property` is taken */
static struct sim_filter *any(struct parser *ps, char *property)
{
    json_t *value = NULL;
    enum op op = OP_ANY_EQ;

    ps->p += strlen("/any(");
    free(name(ps));
    if (sign(ps, ':')) {
        if (word(ps, "startswith")) {
            op = OP_ANY_STARTS;
            if (sign(ps, '('))
                free(name(ps));
            value = sign(ps, ',') ? literal(ps) : NULL;
            if (!sign(ps, ')')) {
                json_decref(value);
                value = NULL;
            }
        } else {
            free(name(ps));
            value = word(ps, "eq") ? literal(ps) : NULL;
        }
    }
    struct sim_filter *f = leaf(ps, op, property, value);
    if (f != NULL && !sign(ps, ')')) {
        sim_filter_free(f);
        return fail(ps, ") was expected");
    }
    return f;
}

static struct sim_filter *in_list(struct parser *ps, char *property)
{
    struct sim_filter *all = NULL;

    if (!sign(ps, '(')) {
        free(property);
        return fail(ps, "( was expected");
    }
    do {
        struct sim_filter *one = leaf(ps, OP_EQ, eb_strdup(property), literal(ps));
        if (one == NULL) {
            sim_filter_free(all);
            free(property);
            return NULL;
        }
        all = all == NULL ? one : node(ps, OP_OR, all, one);
    } while (all != NULL && sign(ps, ','));
    free(property);
    if (all != NULL && !sign(ps, ')')) {
        sim_filter_free(all);
        return fail(ps, ") was expected");
    }
    return all;
}

static struct sim_filter *parse_or(struct parser *ps);

static struct sim_filter *comparison(struct parser *ps)
{
    char *property = name(ps);

    if (property == NULL)
        return fail(ps, "a property was expected");
    if (strncmp(ps->p, "/any(", 5) == 0)
        return any(ps, property);
    if (word(ps, "eq"))
        return leaf(ps, OP_EQ, property, literal(ps));
    if (word(ps, "ne"))
        return leaf(ps, OP_NE, property, literal(ps));
    if (word(ps, "in"))
        return in_list(ps, property);
    free(property);
    return fail(ps, "an operator was expected");
}

static struct sim_filter *primary(struct parser *ps)
{
    struct sim_filter *f;

    if (++ps->depth > DEPTH_MAX)
        return fail(ps, "too deep");
    if (sign(ps, '(')) {
        f = parse_or(ps);
        if (f != NULL && !sign(ps, ')')) {
            sim_filter_free(f);
            f = fail(ps, ") was expected");
        }
    } else if (word(ps, "not")) {
        f = primary(ps);
        f = f != NULL ? node(ps, OP_NOT, f, NULL) : NULL;
    } else if (word(ps, "startswith")) {
        f = function(ps, OP_STARTS);
    } else if (word(ps, "endswith")) {
        f = function(ps, OP_ENDS);
    } else {
        f = comparison(ps);
    }
    ps->depth--;
    return f;
}

static struct sim_filter *parse_and(struct parser *ps)
{
    struct sim_filter *f = primary(ps);

    while (f != NULL && word(ps, "and")) {
        struct sim_filter *right = primary(ps);
        if (right == NULL) {
            sim_filter_free(f);
            return NULL;
        }
        f = node(ps, OP_AND, f, right);
    }
    return f;
}

static struct sim_filter *parse_or(struct parser *ps)
{
    struct sim_filter *f = parse_and(ps);

    while (f != NULL && word(ps, "or")) {
        struct sim_filter *right = parse_and(ps);
        if (right == NULL) {
            sim_filter_free(f);
            return NULL;
        }
        f = node(ps, OP_OR, f, right);
    }
    return f;
}

bool sim_filter_parse(const char *text, struct sim_filter **ret, struct eb_err *err)
{
    struct parser ps = { .p = text, .err = err };
    struct sim_filter *f = parse_or(&ps);

    blanks(&ps);
    if (f != NULL && *ps.p != '\0') {
        sim_filter_free(f);
        fail(&ps, "nothing more was expected");
        return false;
    }
    *ret = f;
    return f != NULL;
}

static bool same(const json_t *a, const json_t *b)
{
    if (a == NULL || json_is_null(a))
        return json_is_null(b);
    if (json_is_string(a) && json_is_string(b))
        return strcasecmp(json_string_value(a), json_string_value(b)) == 0;
    return json_equal(a, b) == 1;
}

static bool starts(const json_t *text, const json_t *prefix)
{
    const char *t = json_string_value(text), *p = json_string_value(prefix);

    return t != NULL && p != NULL && strncasecmp(t, p, strlen(p)) == 0;
}

static bool ends(const json_t *text, const json_t *suffix)
{
    const char *t = json_string_value(text), *s = json_string_value(suffix);

    return t != NULL && s != NULL && strlen(t) >= strlen(s) && strcasecmp(t + strlen(t) - strlen(s), s) == 0;
}

static bool any_matches(const struct sim_filter *f, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (f->op == OP_ANY_EQ ? same(item, f->value) : starts(item, f->value))
            return true;
    }
    return false;
}

bool sim_filter_match(const struct sim_filter *f, sim_filter_get *get, const void *ctx, const void *object)
{
    switch (f->op) {
    case OP_OR:  return sim_filter_match(f->left, get, ctx, object) || sim_filter_match(f->right, get, ctx, object);
    case OP_AND: return sim_filter_match(f->left, get, ctx, object) && sim_filter_match(f->right, get, ctx, object);
    case OP_NOT: return !sim_filter_match(f->left, get, ctx, object);
    default:     break;
    }
    const json_t *value = get(ctx, object, f->property);
    switch (f->op) {
    case OP_EQ:     return same(value, f->value);
    case OP_NE:     return !same(value, f->value);
    case OP_STARTS: return starts(value, f->value);
    case OP_ENDS:   return ends(value, f->value);
    default:        return any_matches(f, value);
    }
}

static json_t *json_member(const void *ctx, const void *object, const char *property)
{
    (void)ctx;
    return json_object_get(object, property);
}

bool sim_filter_match_json(const struct sim_filter *f, const json_t *object)
{
    return sim_filter_match(f, json_member, NULL, object);
}

bool sim_filter_is_advanced(const struct sim_filter *f)
{
    return f != NULL && (f->op == OP_NOT || f->op == OP_NE || f->op == OP_ENDS ||
                         sim_filter_is_advanced(f->left) || sim_filter_is_advanced(f->right));
}

size_t sim_filter_or_clauses(const struct sim_filter *f)
{
    return f->op == OP_OR ? sim_filter_or_clauses(f->left) + sim_filter_or_clauses(f->right) : 1;
}

bool sim_filter_keys(const struct sim_filter *f, struct sim_filter_key *keys, size_t max, size_t *count)
{
    size_t before = *count;

    switch (f->op) {
    case OP_OR:
        return sim_filter_keys(f->left, keys, max, count) && sim_filter_keys(f->right, keys, max, count);
    case OP_AND:
        if (sim_filter_keys(f->left, keys, max, count))
            return true;
        *count = before;
        return sim_filter_keys(f->right, keys, max, count);
    case OP_EQ:
    case OP_ANY_EQ:
        if (!json_is_string(f->value) || *count == max)
            return false;
        keys[(*count)++] = (struct sim_filter_key){ f->property, json_string_value(f->value) };
        return true;
    default:
        return false;
    }
}
