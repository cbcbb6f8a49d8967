/* json_read.c - a reader of plain JSON that gives up early.
 *
 * Invariant: what is built here is what json_loadb(JSON_REJECT_DUPLICATES) builds of the same text; wherever that is
 * not plain to see, nothing is built.
 */
#include "base/json_fast.h"
#include "base/text.h"

#include <string.h>

#define ESCAPED_MAX 512             /* a text with escapes is put together on the stack */

struct reader {
    const char *p, *end;
    size_t values_left;
    int depth;
};

static json_t *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

/* The body of a string, up to its closing quote, which is taken. *ret_escapes: there are backslashes in it. */
static bool take_string(struct reader *r, struct eb_span *ret, bool *ret_escapes)
{
    const char *start, *p;
    bool ascii = true;

    *ret_escapes = false;
    if (!take(r, '"'))
        return false;
    for (start = p = r->p; p < r->end && *p != '"'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20)
            return false;
        if (c == '\\') {
            *ret_escapes = true;
            if (++p == r->end || *p == 'u')
                return false;
        }
        ascii = ascii && c < 0x80;
    }
    if (p == r->end)
        return false;
    *ret = (struct eb_span){ start, (size_t)(p - start) };
    r->p = p + 1;
    return ascii || eb_utf8_valid(ret->p, ret->len);
}

static json_t *unescape(struct eb_span s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char out[ESCAPED_MAX];
    size_t n = 0;

    if (s.len > sizeof(out))
        return NULL;
    for (size_t i = 0; i < s.len; i++) {
        out[n] = s.p[i];
        if (s.p[i] == '\\') {
            const char *known = memchr(from, s.p[++i], sizeof(from) - 1);
            if (known == NULL)
                return NULL;
            out[n] = to[known - from];
        }
        n++;
    }
    return json_stringn_nocheck(out, n);
}

static json_t *read_string(struct reader *r)
{
    struct eb_span s;
    bool escapes;

    if (!take_string(r, &s, &escapes))
        return NULL;
    return escapes ? unescape(s) : json_stringn_nocheck(s.p, s.len);
}

/* Integers of up to 18 digits, which surely fit. */
static json_t *read_integer(struct reader *r)
{
    bool negative = *r->p == '-';
    const char *start = r->p += negative;
    json_int_t n = 0;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && r->p - start < 18)
        n = n * 10 + (*r->p++ - '0');
    size_t digits = (size_t)(r->p - start);
    if (digits == 0 || (*start == '0' && (digits > 1 || negative)))
        return NULL;
    if (r->p < r->end && memchr(",]} \n\r\t", *r->p, 7) == NULL)
        return NULL;
    return json_integer(negative ? -n : n);
}

static json_t *read_word(struct reader *r)
{
    static const struct { const char *word; size_t len; json_t *(*make)(void); } words[] = {
        { "true", 4, json_true }, { "false", 5, json_false }, { "null", 4, json_null },
    };

    for (size_t i = 0; i < EB_LEN(words); i++)
        if ((size_t)(r->end - r->p) > words[i].len && memcmp(r->p, words[i].word, words[i].len) == 0 &&
            memchr(",]} \n\r\t", r->p[words[i].len], 7) != NULL) {
            r->p += words[i].len;
            return words[i].make();
        }
    return NULL;
}

static bool read_member(struct reader *r, json_t *object)
{
    struct eb_span key;
    bool escapes;

    if (!take_string(r, &key, &escapes) || escapes || !take(r, ':') || json_object_getn(object, key.p, key.len) != NULL)
        return false;
    return json_object_setn_new_nocheck(object, key.p, key.len, read_value(r)) == 0;    /* refuses NULL */
}

static bool read_item(struct reader *r, json_t *array)
{
    return json_array_append_new(array, read_value(r)) == 0;
}

/* Counts as json.c's scan does: each opening bracket and each comma. */
static bool count(struct reader *r)
{
    return r->values_left > 0 && r->values_left-- > 0;
}

/* Behind the opening bracket. */
static json_t *read_container(struct reader *r, json_t *into, char closing, bool (*read_one)(struct reader *, json_t *))
{
    bool good = into != NULL && ++r->depth <= EB_JSON_DEPTH_MAX && count(r);

    if (good && !take(r, closing)) {
        do
            good = read_one(r, into);
        while (good && take(r, ',') && (good = count(r)));
        good = good && take(r, closing);
    }
    r->depth--;
    if (good)
        return into;
    json_decref(into);
    return NULL;
}

static json_t *read_value(struct reader *r)
{
    skip_blanks(r);
    if (r->p == r->end)
        return NULL;
    switch (*r->p) {
    case '{': r->p++; return read_container(r, json_object(), '}', read_member);
    case '[': r->p++; return read_container(r, json_array(), ']', read_item);
    case '"': return read_string(r);
    case 't': case 'f': case 'n': return read_word(r);
    default: return read_integer(r);
    }
}

json_t *eb_json_read_plain(struct eb_span text, size_t values_max)
{
    if (text.len == 0)                  /* text.p may be NULL */
        return NULL;
    struct reader r = { text.p, text.p + text.len, values_max, 0 };

    skip_blanks(&r);
    if (r.p == r.end || (*r.p != '{' && *r.p != '['))
        return NULL;
    json_t *doc = read_value(&r);
    skip_blanks(&r);
    if (doc == NULL || r.p == r.end)
        return doc;
    json_decref(doc);
    return NULL;
}
