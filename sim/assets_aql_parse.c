/* assets_aql_parse.c - AQL's text to a tree; straight down, one character ahead.
 *
 * Values with blanks stand in double quotes, in which \" and \\ are the only escapes. Words are known whatever their case.
 */
#include "sim/assets_aql.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 32
#define TEXT_MAX 60000

struct parse { const char *p; int depth; struct eb_err *err; };

static struct aql_node *parse_or(struct parse *x);

static bool fail(struct parse *x, const char *what)
{
    char near[40];

    return eb_fail(x->err, EB_INVALID_REQUEST, "AQL: %s near '%s'", what, eb_text_clean(x->p, near, sizeof(near)));
}

static void blanks(struct parse *x)
{
    while (isspace((unsigned char)*x->p))
        x->p++;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c != '\0' && strchr("_-.:@+/#$%&*'{}?;~^|\\", c) != NULL);
}

static bool take_word(struct parse *x, const char *word)
{
    size_t len = strlen(word);

    blanks(x);
    if (strncasecmp(x->p, word, len) != 0 || is_word(x->p[len]))
        return false;
    x->p += len;
    return true;
}

static bool take_char(struct parse *x, char c)
{
    blanks(x);
    if (*x->p != c)
        return false;
    x->p++;
    return true;
}

static char *parse_quoted(struct parse *x)
{
    const char *end = x->p + 1;

    while (*end != '\0' && *end != '"')
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    if (*end == '\0') {
        fail(x, "a quote is not closed");
        return NULL;
    }
    char *text = eb_alloc((size_t)(end - x->p)), *out = text;
    for (const char *p = x->p + 1; p < end; p++) {
        if (*p == '\\' && p[1] != '"' && p[1] != '\\') {
            fail(x, "only \\\" and \\\\ may be escaped");
            free(text);
            return NULL;
        }
        *out++ = *p == '\\' ? *++p : *p;
    }
    *out = '\0';
    x->p = end + 1;
    return text;
}

static const char *const reserved[] = { "AND", "OR", "NOT", "IN", "IS", "LIKE", "HAVING", "ORDER", "EMPTY", "STARTSWITH", "ENDSWITH" };

static char *parse_bare(struct parse *x, bool dots)
{
    size_t len = 0;

    while (is_word(x->p[len]) && (dots || x->p[len] != '.'))
        len++;
    if (len == 0) {
        fail(x, "a name or value is missing");
        return NULL;
    }
    for (size_t i = 0; i < EB_LEN(reserved); i++)
        if (strlen(reserved[i]) == len && strncasecmp(x->p, reserved[i], len) == 0) {
            fail(x, "a name or value is missing");
            return NULL;
        }
    char *text = eb_asprintf("%.*s", (int)len, x->p);
    x->p += len;
    return text;
}

static char *parse_text(struct parse *x, bool dots)
{
    blanks(x);
    return *x->p == '"' ? parse_quoted(x) : parse_bare(x, dots);
}

static void path_free(struct aql_path *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->steps[i]);
}

static void node_free(struct aql_node *n)
{
    if (n == NULL)
        return;
    node_free(n->left);
    node_free(n->right);
    path_free(&n->path);
    for (size_t i = 0; i < n->value_count; i++)
        free(n->values[i].text);
    free(n->values);
    free(n);
}

void aql_free(struct aql *q)
{
    if (q == NULL)
        return;
    node_free(q->where);
    for (size_t i = 0; i < q->order_count; i++)
        path_free(&q->orders[i].path);
    free(q);
}

static bool parse_path(struct parse *x, struct aql_path *p)
{
    static const struct { const char *name; enum aql_field field; } words[] = {
        { "objectSchema", AQL_SCHEMA }, { "objectSchemaId", AQL_SCHEMA_ID }, { "objectType", AQL_TYPE }, { "objectTypeId", AQL_TYPE_ID },
        { "Key", AQL_KEY }, { "objectId", AQL_OBJECT_ID }, { "label", AQL_LABEL }, { "Created", AQL_CREATED }, { "Updated", AQL_UPDATED },
    };

    for (bool more = true; more; x->p += more) {
        if (p->count == AQL_PATH_MAX)
            return fail(x, "too many dots");
        char *step = parse_text(x, false);
        if (step == NULL)
            return false;
        p->steps[p->count++] = step;
        more = *x->p == '.';
    }
    for (size_t i = 0; i < EB_LEN(words); i++)
        if (strcasecmp(words[i].name, p->steps[p->count - 1]) == 0)
            p->field = words[i].field;
    return true;
}

/* A text, or what a function stands for. */
static char *parse_value(struct parse *x)
{
    blanks(x);
    const char *from = x->p;
    char *text = parse_text(x, true), *whole = NULL, *value;

    if (text == NULL)
        return NULL;
    if (*from != '"' && *x->p == '(' && strchr(x->p, ')') != NULL)
        whole = eb_asprintf("%.*s", (int)(strchr(x->p, ')') + 1 - from), from);
    value = aql_function(whole != NULL ? whole : text);
    if (value != NULL && whole != NULL)
        x->p = strchr(x->p, ')') + 1;
    free(whole);
    if (value == NULL)
        return text;
    free(text);
    return value;
}

static bool add_value(struct parse *x, struct aql_node *n)
{
    bool below = false;
    const char *before = x->p;

    if (take_word(x, "objectTypeAndChildren") || take_word(x, "objectTypeAndChildrenId")) {
        below = take_char(x, '(');
        if (!below)
            x->p = before;
    }
    char *text = parse_value(x);
    if (text == NULL)
        return false;
    size_t len = strlen(text);
    n->values = eb_need(realloc(n->values, (n->value_count + 1) * sizeof(*n->values)));
    n->values[n->value_count++] = (struct aql_value){ text, strncmp(text, "${", 2) == 0 && text[len - 1] == '}', below };
    return !below || take_char(x, ')') || fail(x, "a ) is missing");
}

static bool parse_list(struct parse *x, struct aql_node *n)
{
    const char *before = x->p;

    if (take_word(x, "objectTypeAndChildren") || take_word(x, "objectTypeAndChildrenId")) {
        x->p = before;
        return add_value(x, n);
    }
    if (!take_char(x, '('))
        return fail(x, "IN needs a list in ( )");
    do {
        if (!add_value(x, n))
            return false;
    } while (take_char(x, ','));
    return take_char(x, ')') || fail(x, "a ) is missing");
}

static bool parse_op(struct parse *x, struct aql_node *n)
{
    static const struct { const char *sign; enum aql_op op; } signs[] = {
        { "==", AQL_SAME }, { "!=", AQL_NE }, { "<=", AQL_LE }, { ">=", AQL_GE }, { "=", AQL_EQ }, { "<", AQL_LT }, { ">", AQL_GT },
    };

    blanks(x);
    for (size_t i = 0; i < EB_LEN(signs); i++)
        if (strncmp(x->p, signs[i].sign, strlen(signs[i].sign)) == 0) {
            x->p += strlen(signs[i].sign);
            n->op = signs[i].op;
            return add_value(x, n);
        }
    if (take_word(x, "IS")) {
        n->op = take_word(x, "NOT") ? AQL_NOT_EMPTY : AQL_EMPTY;
        return take_word(x, "EMPTY") || fail(x, "EMPTY is missing");
    }
    bool negated = take_word(x, "NOT");
    if (take_word(x, "IN")) {
        n->op = negated ? AQL_NOT_IN : AQL_IN;
        return parse_list(x, n);
    }
    if (take_word(x, "LIKE"))
        n->op = negated ? AQL_NOT_LIKE : AQL_LIKE;
    else if (!negated && take_word(x, "STARTSWITH"))
        n->op = AQL_BEGINS;
    else if (!negated && take_word(x, "ENDSWITH"))
        n->op = AQL_ENDS;
    else
        return fail(x, "an operator is missing");
    return add_value(x, n);
}

/* object HAVING inboundReferences(query, refType IN (...)) */
static bool parse_having(struct parse *x, struct aql_node *n)
{
    n->kind = AQL_HAVING;
    n->inbound = take_word(x, "inboundReferences") || take_word(x, "inR");
    if (!n->inbound && !take_word(x, "outboundReferences") && !take_word(x, "outR"))
        return fail(x, "inboundReferences or outboundReferences is missing");
    if (!take_char(x, '('))
        return fail(x, "a ( is missing");
    if (take_char(x, ')')) {
        n->left = eb_alloc(sizeof(*n->left));
        n->left->kind = AQL_ALL;
        return true;
    }
    n->left = parse_or(x);
    if (n->left != NULL && take_char(x, ',')) {
        bool kinds = take_word(x, "refType") && take_word(x, "IN");
        if (!(kinds ? parse_list(x, n) : fail(x, "refType IN is missing")))
            return false;
    }
    return n->left != NULL && (take_char(x, ')') || fail(x, "a ) is missing"));
}

static struct aql_node *negate(struct aql_node *of)
{
    struct aql_node *n = eb_alloc(sizeof(*n));

    n->kind = AQL_NOT;
    n->left = of;
    return n;
}

static bool parse_term_into(struct parse *x, struct aql_node *n, bool *negated)
{
    const char *before = x->p;

    n->kind = AQL_TERM;
    if (take_word(x, "object")) {
        *negated = take_word(x, "NOT");
        if (take_word(x, "HAVING"))
            return parse_having(x, n);
        *negated = false;
        x->p = before;
    }
    if (take_word(x, "objectTypeAndChildren")) {            /* as a term of its own */
        n->path.field = AQL_TYPE;
        n->op = AQL_IN;
        if (take_char(x, '=')) {
            bool ok = add_value(x, n);
            if (ok)
                n->values[0].below = true;
            return ok;
        }
        x->p = before;
        return add_value(x, n) && (n->values[0].below || fail(x, "an operator is missing"));
    }
    return parse_path(x, &n->path) && parse_op(x, n);
}

static struct aql_node *parse_primary(struct parse *x)
{
    bool negated = false;

    if (take_char(x, '(')) {
        struct aql_node *inner = parse_or(x);
        if (inner != NULL && !take_char(x, ')')) {
            fail(x, "a ) is missing");
            node_free(inner);
            return NULL;
        }
        return inner;
    }
    struct aql_node *n = eb_alloc(sizeof(*n));
    if (!parse_term_into(x, n, &negated)) {
        node_free(n);
        return NULL;
    }
    return negated ? negate(n) : n;
}

static struct aql_node *parse_not(struct parse *x)
{
    if (!take_word(x, "NOT"))
        return parse_primary(x);
    if (++x->depth > DEPTH_MAX) {
        fail(x, "too deep");
        return NULL;
    }
    struct aql_node *inner = parse_not(x);
    x->depth--;
    return inner != NULL ? negate(inner) : NULL;
}

static struct aql_node *parse_chain(struct parse *x, enum aql_node_kind kind, const char *word, struct aql_node *(*next)(struct parse *x))
{
    struct aql_node *left = next(x);

    while (left != NULL && take_word(x, word)) {
        struct aql_node *right = next(x);
        if (right == NULL) {
            node_free(left);
            return NULL;
        }
        struct aql_node *n = eb_alloc(sizeof(*n));
        n->kind = kind;
        n->left = left;
        n->right = right;
        left = n;
    }
    return left;
}

static struct aql_node *parse_and(struct parse *x)
{
    return parse_chain(x, AQL_AND, "AND", parse_not);
}

static struct aql_node *parse_or(struct parse *x)
{
    if (++x->depth > DEPTH_MAX) {
        fail(x, "too deep");
        return NULL;
    }
    struct aql_node *n = parse_chain(x, AQL_OR, "OR", parse_and);
    x->depth--;
    return n;
}

static bool parse_order(struct parse *x, struct aql *q)
{
    if (!take_word(x, "ORDER"))
        return true;
    if (!take_word(x, "BY"))
        return fail(x, "BY is missing");
    do {
        if (q->order_count == AQL_ORDERS_MAX)
            return fail(x, "too many orders");
        if (!parse_path(x, &q->orders[q->order_count++].path))
            return false;
        q->orders[q->order_count - 1].down = take_word(x, "DESC");
        if (!q->orders[q->order_count - 1].down)
            take_word(x, "ASC");
    } while (take_char(x, ','));
    return true;
}

static bool parse_query(struct parse *x, struct aql *q)
{
    blanks(x);
    if (*x->p == '\0' || strncasecmp(x->p, "ORDER ", 6) == 0) {
        q->where = eb_alloc(sizeof(*q->where));
        q->where->kind = AQL_ALL;
    } else {
        q->where = parse_or(x);
    }
    if (q->where == NULL || !parse_order(x, q))
        return false;
    blanks(x);
    return *x->p == '\0' || fail(x, "the query should end");
}

bool aql_parse(const char *text, struct aql **ret, struct eb_err *err)
{
    struct parse x = { text, 0, err };
    struct aql *q;

    if (strlen(text) > TEXT_MAX)
        return eb_fail(err, EB_INVALID_REQUEST, "AQL: the query is too long");
    q = eb_alloc(sizeof(*q));
    if (!parse_query(&x, q)) {
        aql_free(q);
        return false;
    }
    *ret = q;
    return true;
}
