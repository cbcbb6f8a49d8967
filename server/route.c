/* route.c - which handler a request is for. Tables of some ten routes: walked, not hashed. */
#include "server/route.h"

#include "base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void split_pattern(struct route *r)
{
    const char *p = r->def->pattern;

    while (*p == '/') {
        size_t len = strcspn(++p, "/");
        assert(r->count < ROUTE_SEGMENTS);
        bool param = len > 2 && *p == '{' && p[len - 1] == '}';
        r->segments[r->count++] = (struct route_segment){ param ? p + 1 : p, param ? len - 2 : len, param };
        p += len;
    }
}

void route_table_make(const struct server_route *defs, size_t count, struct route_table *ret)
{
    *ret = (struct route_table){ eb_alloc((count > 0 ? count : 1) * sizeof(*ret->routes)), count };
    for (size_t i = 0; i < count; i++) {
        ret->routes[i].def = &defs[i];
        split_pattern(&ret->routes[i]);
    }
}

void route_table_free(struct route_table *t)
{
    free(t->routes);
    *t = (struct route_table){ 0 };
}

static int nibble(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Decodes p up to the next slash into out, with its NUL; returns the bytes written, and how many of p were read. The escapes are whole. */
static size_t decode_segment(const char *p, size_t len, char *out, size_t *used)
{
    size_t i = 0, n = 0;

    while (i < len && p[i] != '/') {
        if (p[i] == '%' && len - i > 2) {
            out[n++] = (char)(nibble(p[i + 1]) << 4 | nibble(p[i + 2]));
            i += 3;
        } else {
            out[n++] = p[i++];
        }
    }
    out[n] = '\0';
    *used = i;
    return n;
}

bool route_path_split(const char *path, size_t len, char *text, struct route_path *ret, struct eb_err *err)
{
    size_t i = 0, used;

    *ret = (struct route_path){ .fits = true };
    while (i < len && path[i] == '/') {
        if (ret->count == ROUTE_SEGMENTS) {
            ret->fits = false;              /* deeper than any pattern */
            return true;
        }
        size_t n = decode_segment(path + i + 1, len - i - 1, text, &used);
        if (!eb_utf8_valid(text, n) || eb_text_unclean(text))
            return eb_fail(err, EB_INVALID_REQUEST, "The request is malformed: its path is not clean UTF-8.");
        ret->segments[ret->count++] = text;
        text += n + 1;
        i += used + 1;
    }
    return true;
}

static bool matches(const struct route *r, const struct route_path *path)
{
    if (!path->fits || path->count != r->count)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        const struct route_segment *s = &r->segments[i];
        if (s->param ? path->segments[i][0] == '\0'
                     : strncmp(path->segments[i], s->text, s->len) != 0 || path->segments[i][s->len] != '\0')
            return false;
    }
    return true;
}

static void add_method(char *allow, size_t size, const char *method, bool page)
{
    size_t len = strlen(allow);

    if (strstr(allow, method) == NULL)
        snprintf(allow + len, size - len, "%s%s", len > 0 ? ", " : "", method);
    if (strcmp(method, "GET") == 0 && !page)
        add_method(allow, size, "HEAD", page);
}

const struct route *route_find(const struct route_table *t, const char *method, size_t method_len, const struct route_path *path,
                               char *allow, size_t allow_size, struct eb_err *err)
{
    bool head = method_len == 4 && memcmp(method, "HEAD", 4) == 0;

    if (head) {
        method = "GET";
        method_len = 3;
    }
    allow[0] = '\0';
    for (size_t i = 0; i < t->count; i++) {
        const char *m = t->routes[i].def->method;
        if (!matches(&t->routes[i], path))
            continue;
        if (strlen(m) == method_len && memcmp(m, method, method_len) == 0 && !(head && t->routes[i].def->page))
            return &t->routes[i];
        add_method(allow, allow_size, m, t->routes[i].def->page);
    }
    if (allow[0] == '\0')
        (void)eb_fail(err, EB_NOT_FOUND, "There is no such path. Operations are POST /v1/<noun>/<verb>.");
    else
        (void)eb_fail(err, EB_METHOD_NOT_ALLOWED, "This path takes %s.", allow);
    return NULL;
}

const char *route_param(const struct route *r, const struct route_path *path, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->segments[i].param && strlen(name) == r->segments[i].len && memcmp(name, r->segments[i].text, r->segments[i].len) == 0)
            return path->segments[i];
    return NULL;
}
