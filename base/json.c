/* json.c - jansson behind guards, with a straight way past it for reading plain documents (json_fast.h).
 *
 * A cheap scan over the bytes comes first, since jansson turns 1 MiB of "{}," into 75 MiB of heap and
 * takes 2048 levels. Up to its first fault jansson splits the text into the same tokens as the scan, so
 * nothing deeper or more is ever built. Error texts are made here and hold nothing of the text parsed.
 */
#include "base/json.h"

#include "base/json_fast.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_CALLER 20000
#define VALUES_REPLY 500000

/* jansson asks us for memory, so that a document is never built with a part missing. Set before anything can have been made. */
static void *json_memory(size_t size) { return eb_need(malloc(size > 0 ? size : 1)); }
__attribute__((constructor)) static void set_memory(void) { json_set_alloc_funcs(json_memory, free); }

/* The last token that ended before a place, for the hints. */
enum last { LAST_NONE, LAST_TEXT, LAST_COLON, LAST_OTHER, LAST_IN_TEXT };

struct scan {
    size_t depth, deepest, values;
    size_t text_start, text_end;        /* the last string that ended, without its quotes */
    enum last last;
};

/* Offset behind the closing quote of the string that opens at i, or len when it does not close. */
static size_t string_end(struct eb_span t, size_t i, bool *closed)
{
    for (i++; i < t.len && t.p[i] != '"'; i++)
        if (t.p[i] == '\\')
            i++;
    *closed = i < t.len;
    return *closed ? i + 1 : t.len;
}

static void scan_mark(struct scan *s, char c)
{
    if (c == '{' || c == '[') {
        s->values++;
        if (++s->depth > s->deepest)
            s->deepest = s->depth;
    } else if (c == ',') {
        s->values++;
    } else if (c != ':') {
        s->depth -= s->depth > 0;
    }
    s->last = c == ':' ? LAST_COLON : LAST_OTHER;
}

static struct scan scan_text(struct eb_span t)
{
    struct scan s = { .values = 1 };
    bool closed;

    for (size_t i = 0; i < t.len; i++) {
        char c = t.p[i];
        if (c == '"') {
            size_t end = string_end(t, i, &closed);
            s.last = closed ? LAST_TEXT : LAST_IN_TEXT;
            if (closed) {
                s.text_start = i + 1;
                s.text_end = end - 1;
            }
            i = end - 1;
        } else if (c == '{' || c == '[' || c == ',' || c == ':' || c == '}' || c == ']') {
            scan_mark(&s, c);
        }
    }
    return s;
}

/* jansson ends its texts with what it was reading: " near '...'". That part is the caller's data. */
static void own_words(const json_error_t *e, char *out, size_t size)
{
    const char *near = strstr(e->text, " near ");
    size_t n = near != NULL ? (size_t)(near - e->text) : strlen(e->text);

    (void)snprintf(out, size, "%.*s", (int)n, e->text);
}

static const char *reason(const json_error_t *e, char *room, size_t size)
{
    switch (json_error_code(e)) {
    case json_error_premature_end_of_input: return "it ends too early";
    case json_error_end_of_input_expected:  return "there is more text behind its end";
    case json_error_invalid_utf8:           return "it is not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:       return "\\u0000 is not accepted";
    case json_error_out_of_memory:          return "there is no memory for it";
    default:
        own_words(e, room, size);
        return room;
    }
}

static const char *hint(const json_error_t *e, enum last before)
{
    enum json_error_code code = json_error_code(e);

    if (code != json_error_invalid_syntax && code != json_error_premature_end_of_input)
        return "";
    if (before == LAST_IN_TEXT || before == LAST_TEXT)
        return ". A quote, backslash or line break in an inserted value breaks the JSON: "
               "write {{...asJsonString}} without quotes of your own";
    if (before == LAST_COLON)
        return ". After a colon there must be a value: an inserted text needs quotes, and an empty one is nothing; "
               "write {{...asJsonString}} without quotes of your own";
    return "";
}

static bool fail_duplicate(struct eb_span t, const json_error_t *e, enum eb_code code, struct eb_err *err)
{
    struct scan s = scan_text((struct eb_span){ t.p, (size_t)e->position });
    char raw[64] = "", name[64];

    if (s.last == LAST_TEXT)
        (void)snprintf(raw, sizeof(raw), "%.*s", (int)(s.text_end - s.text_start), t.p + s.text_start);
    eb_text_clean(raw, name, sizeof(name));
    return eb_fail_field(err, code, name, "the JSON gives the member \"%s\" twice (line %d, column %d)",
                         name, e->line, e->column);
}

static bool fail_parse(struct eb_span t, const json_error_t *e, bool from_caller, struct eb_err *err)
{
    enum eb_code code = from_caller ? EB_INVALID_JSON : EB_INTERNAL;
    size_t at = e->position > 0 && (size_t)e->position <= t.len ? (size_t)e->position : 0;
    char room[JSON_ERROR_TEXT_LENGTH];

    if (json_error_code(e) == json_error_duplicate_key && at > 0)
        return fail_duplicate(t, e, code, err);
    /* What stood before the token at fault. That token ends at `at`, unless the text itself ended. */
    bool at_token = at > 0 && json_error_code(e) != json_error_premature_end_of_input;
    size_t until = at_token && memchr("{}[],:", t.p[at - 1], 6) != NULL ? at - 1 : at;
    struct scan before = scan_text((struct eb_span){ t.p, until });
    return eb_fail(err, code, "the JSON cannot be read at line %d, column %d: %s%s", e->line, e->column,
                   reason(e, room, sizeof(room)), from_caller && before.depth > 0 ? hint(e, before.last) : "");
}

static bool is_blank(struct eb_span t)
{
    for (size_t i = 0; i < t.len; i++)
        if (memchr(" \t\r\n", t.p[i], 4) == NULL)
            return false;
    return true;
}

static bool parse(struct eb_span t, bool from_caller, json_t **ret, struct eb_err *err)
{
    enum eb_code code = from_caller ? EB_INVALID_JSON : EB_INTERNAL;
    size_t values_max = from_caller ? VALUES_CALLER : VALUES_REPLY;
    json_error_t e;

    json_t *doc = eb_json_read_plain(t, values_max - 1);    /* the document itself is a value too */
    if (doc != NULL) {
        *ret = doc;
        return true;
    }
    if (is_blank(t))
        return eb_fail(err, code, "there is no JSON: the body is empty");
    struct scan s = scan_text(t);
    if (s.deepest > EB_JSON_DEPTH_MAX)
        return eb_fail(err, code, "the JSON is nested deeper than %d levels", EB_JSON_DEPTH_MAX);
    if (s.values > values_max)
        return eb_fail(err, code, "the JSON has more than %zu values", values_max);

    doc = json_loadb(t.p, t.len, JSON_REJECT_DUPLICATES, &e);
    if (doc == NULL)
        return fail_parse(t, &e, from_caller, err);
    *ret = doc;
    return true;
}

bool eb_json_parse(struct eb_span text, json_t **ret, struct eb_err *err)
{
    return parse(text, true, ret, err);
}

bool eb_json_parse_reply(struct eb_span text, json_t **ret, struct eb_err *err)
{
    return parse(text, false, ret, err);
}

const char *eb_json_str(const json_t *obj, const char *key)
{
    return json_string_value(json_object_get(obj, key));
}

bool eb_json_has_text(const json_t *list, const char *text)
{
    const json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, v)
        if (eb_strieq(json_string_value(v), text))
            return true;
    return false;
}

int64_t eb_json_int(const json_t *obj, const char *key, int64_t dflt)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_integer(v) ? json_integer_value(v) : dflt;
}

bool eb_json_bool(const json_t *obj, const char *key, bool dflt)
{
    const json_t *v = json_object_get(obj, key);
    return json_is_boolean(v) ? json_is_true(v) : dflt;
}

json_t *eb_json_path(const json_t *obj, const char *dotted)
{
    json_t *v = NULL;

    for (;;) {
        size_t n = strcspn(dotted, ".");
        v = json_object_getn(obj, dotted, n);
        if (v == NULL || dotted[n] == '\0')
            return v;
        obj = v;
        dotted += n + 1;
    }
}

char *eb_json_text(const json_t *v)
{
    return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
}

char *eb_json_canonical(const json_t *v)
{
    return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

static int add_piece(const char *text, size_t len, void *arg)
{
    return eb_buf_add(arg, text, len) ? 0 : -1;
}

bool eb_json_to_buf(const json_t *v, struct eb_buf *out)
{
    if (json_dump_callback(v, add_piece, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        out->failed = true;
    return !out->failed;
}

bool eb_json_quote(struct eb_buf *out, const char *s)
{
    json_t *text = json_string(s);
    bool good = text != NULL && eb_json_to_buf(text, out);

    json_decref(text);
    return good;
}
