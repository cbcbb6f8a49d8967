/* page.c - a page of objects, one object at a time: each comes with its type, icons and references, and the tree of a whole page is many times its bytes. Pure.
 *
 * The bytes are cut at the elements of "values", in one walk. Of each object what nobody reads (types and icons of everything that it refers to, each value once more as it is
 * displayed: nine tenths of it) is left out on the way. What remains, and what is left of the page, is parsed by the real parser, so that nothing else is accepted that it refuses.
 */
#include "assets/assets.h"

#include <string.h>

#define DEPTH_MAX 32                /* of an object; deeper ones are parsed whole, should the parser do so */
#define OBJECT_MAX MiB(16)

static size_t blanks(struct eb_span b, size_t i)
{
    while (i < b.len && (b.p[i] == ' ' || b.p[i] == '\n' || b.p[i] == '\t' || b.p[i] == '\r'))
        i++;
    return i;
}

/* Behind the string that opens at i; b.len: it does not close. */
static size_t string_end(struct eb_span b, size_t i)
{
    for (i++; i < b.len && b.p[i] != '"'; i++)
        if (b.p[i] == '\\')
            i++;
    return i < b.len ? i + 1 : b.len;
}

/* Behind the value at i, whatever it is. */
static size_t value_end(struct eb_span b, size_t i)
{
    size_t depth = 0;

    while (i < b.len) {
        switch (b.p[i]) {
        case '"':
            i = string_end(b, i);
            break;
        case '{':
        case '[':
            depth++;
            i++;
            continue;
        case '}':
        case ']':
            if (depth == 0)
                return i;
            depth--;
            i++;
            break;
        case ',':
        case ' ':
        case '\n':
        case '\t':
        case '\r':
            if (depth == 0)
                return i;
            i++;
            continue;
        default:
            i++;
            continue;
        }
        if (depth == 0)
            return i;
    }
    return i;
}

static bool is(struct eb_span b, size_t i, char c)
{
    return i < b.len && b.p[i] == c;
}

/* Where the array "values" opens, at the top of the page; page.len: there is none that is plain to see. */
static size_t find_values(struct eb_span b)
{
    static const char name[] = "\"values\"";
    size_t i = blanks(b, 0);

    if (!is(b, i, '{'))
        return b.len;
    do {
        size_t key = blanks(b, i + 1), key_end = is(b, key, '"') ? string_end(b, key) : b.len, colon = blanks(b, key_end);
        size_t from = is(b, colon, ':') ? blanks(b, colon + 1) : b.len;
        if (is(b, from, '[') && key_end - key == strlen(name) && memcmp(b.p + key, name, strlen(name)) == 0)
            return from;
        i = blanks(b, value_end(b, from));
    } while (is(b, i, ','));
    return b.len;
}

static bool odd(struct eb_err *err)
{
    return eb_fail(err, EB_INTERNAL, "it is not a page of objects");
}

/* ---- an object without what nobody reads ---- */

struct cut { struct eb_span page; size_t i; struct eb_buf out; };

static bool is_read(struct eb_span key)
{
#define NAME(text) { "\"" text "\"", sizeof(text) + 1 }
    static const struct eb_span names[] = { NAME("id"), NAME("label"), NAME("objectKey"), NAME("attributes"), NAME("objectTypeAttributeId"), NAME("objectAttributeValues"),
                                            NAME("value"), NAME("searchValue"), NAME("referencedObject"), NAME("user"), NAME("key"), NAME("status"), NAME("category") };
#undef NAME

    for (size_t i = 0; i < EB_LEN(names); i++)
        if (key.len == names[i].len && memcmp(key.p, names[i].p, key.len) == 0)
            return true;
    return false;
}

static bool put(struct cut *c, size_t end)
{
    bool ok = end > c->i && eb_buf_add(&c->out, c->page.p + c->i, end - c->i);

    c->i = end;
    return ok;
}

static bool put_char(struct cut *c, char x)
{
    return eb_buf_add(&c->out, &x, 1);
}

static bool cut_value(struct cut *c, int depth);

/* A member at c->i, told by `first` whether one was put before it. */
static bool cut_member(struct cut *c, int depth, bool *first)
{
    size_t end = is(c->page, c->i, '"') ? string_end(c->page, c->i) : c->page.len, colon = blanks(c->page, end);
    struct eb_span key = { c->page.p + c->i, end - c->i };

    if (!is(c->page, colon, ':'))
        return false;
    if (!is_read(key)) {
        c->i = value_end(c->page, blanks(c->page, colon + 1));
        return true;
    }
    bool ok = (*first || put_char(c, ',')) && put(c, end) && put_char(c, ':');
    *first = false;
    c->i = blanks(c->page, colon + 1);
    return ok && cut_value(c, depth);
}

static bool cut_element(struct cut *c, int depth, bool *first)
{
    bool ok = *first || put_char(c, ',');

    *first = false;
    return ok && cut_value(c, depth);
}

static bool cut_container(struct cut *c, int depth, char close, bool (*each)(struct cut *, int, bool *))
{
    bool first = true;

    if (depth == DEPTH_MAX || !put(c, c->i + 1))
        return false;
    c->i = blanks(c->page, c->i);
    if (is(c->page, c->i, close))
        return put(c, c->i + 1);
    for (;;) {
        if (!each(c, depth + 1, &first))
            return false;
        c->i = blanks(c->page, c->i);
        if (is(c->page, c->i, close))
            return put(c, c->i + 1);
        if (!is(c->page, c->i, ','))
            return false;
        c->i = blanks(c->page, c->i + 1);
    }
}

static bool cut_value(struct cut *c, int depth)
{
    if (is(c->page, c->i, '{'))
        return cut_container(c, depth, '}', cut_member);
    if (is(c->page, c->i, '['))
        return cut_container(c, depth, ']', cut_element);
    return put(c, value_end(c->page, c->i));
}

/* The object at c->i, which moves behind it. What does not look plain is left to the parser as it is. */
static bool parse_object(struct cut *c, json_t **ret, struct eb_err *err)
{
    size_t from = c->i;

    eb_buf_reset(&c->out);
    if (cut_value(c, 0))
        return eb_json_parse_reply((struct eb_span){ c->out.data, c->out.len }, ret, err);
    c->i = value_end(c->page, from);
    return eb_json_parse_reply((struct eb_span){ c->page.p + from, c->i - from }, ret, err);
}

/* ---- the page ---- */

/* What is left of the page: its members, values empty. `from`, `to`: where values open, and behind where they close. */
static bool parse_rest(struct eb_span page, size_t from, size_t to, json_t **ret, struct eb_err *err)
{
    struct eb_buf rest = EB_BUF(KiB(64));
    bool ok = eb_buf_add(&rest, page.p, from) && eb_buf_str(&rest, "[]") && eb_buf_add(&rest, page.p + to, page.len - to);

    ok = (ok || odd(err)) && eb_json_parse_reply((struct eb_span){ rest.data, rest.len }, ret, err);
    eb_buf_free(&rest);
    return ok;
}

static bool walk(struct cut *c, assets_page_object *each, void *ctx, int64_t *count, struct eb_err *err)
{
    for (c->i = blanks(c->page, c->i); !is(c->page, c->i, ']'); c->i = blanks(c->page, c->i)) {
        json_t *object = NULL;
        if (*count > 0 && !is(c->page, c->i, ','))
            return odd(err);
        if (*count > 0)
            c->i = blanks(c->page, c->i + 1);
        bool ok = parse_object(c, &object, err) && each(ctx, object, err);
        json_decref(object);
        if (!ok)
            return false;
        ++*count;
    }
    return true;
}

bool assets_page_each(struct eb_span page, assets_page_object *each, void *ctx, json_t **ret_rest, int64_t *ret_count, struct eb_err *err)
{
    size_t open = find_values(page);
    struct cut c = { .page = page, .i = open + 1, .out = EB_BUF(OBJECT_MAX) };

    *ret_rest = NULL;
    *ret_count = 0;
    if (open >= page.len)
        return odd(err);
    bool ok = walk(&c, each, ctx, ret_count, err) && parse_rest(page, open, c.i + 1, ret_rest, err);
    eb_buf_free(&c.out);
    return ok;
}
