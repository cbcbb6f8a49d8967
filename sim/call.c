/* call.c - takes a request target apart, finds its route, holds a reply.
 *
 * Owns nothing between calls. Every string of a call points into its `target` or `work`.
 */
#include "sim/call.h"

#include "base/json_fast.h"
#include "base/text.h"
#include "sim/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_VALUES 500000

const char *sim_cloud_name(enum sim_cloud cloud)
{
    static const char *const names[] = { "none", "control", "token", "graph", "jira", "assets" };
    return names[cloud];
}

static const char *const priorities[] = { [SIM_PRIORITY_NORMAL] = "normal", [SIM_PRIORITY_LOW] = "low", [SIM_PRIORITY_HIGH] = "high" };

enum sim_priority sim_priority_parse(const char *header)
{
    for (size_t i = 0; i < EB_LEN(priorities); i++)
        if (eb_strieq(header, priorities[i]))
            return (enum sim_priority)i;
    return SIM_PRIORITY_NORMAL;
}

const char *sim_priority_name(enum sim_priority priority)
{
    return priorities[priority];
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes in place. A NUL is not decoded: it would cut the text short. */
static void decode(char *s, bool plus)
{
    char *out = s;

    for (; *s != '\0'; s++) {
        int hi = s[0] == '%' ? hex_digit(s[1]) : -1;
        int lo = hi >= 0 ? hex_digit(s[2]) : -1;
        if (lo >= 0 && (hi | lo) != 0) {
            *out++ = (char)(hi * 16 + lo);
            s += 2;
        } else {
            *out++ = plus && *s == '+' ? ' ' : *s;
        }
    }
    *out = '\0';
}

static bool split_path(struct sim_call *c, char *path)
{
    if (*path != '/')
        return false;
    if (path[1] == '\0')
        return true;
    for (char *p = path + 1; p != NULL;) {
        char *slash = strchr(p, '/');
        if (slash != NULL)
            *slash = '\0';
        if (c->segment_count == SIM_SEGMENTS_MAX - 1)     /* one is kept for sim_call_split_keys */
            return false;
        decode(p, false);
        c->segments[c->segment_count++] = p;
        p = slash != NULL ? slash + 1 : NULL;
    }
    return true;
}

static bool split_query(struct sim_call *c, char *query)
{
    for (char *p = query, *next; p != NULL && *p != '\0'; p = next) {
        next = strchr(p, '&');
        if (next != NULL)
            *next++ = '\0';
        if (c->query_count == SIM_QUERY_MAX)
            return false;
        char *eq = strchr(p, '=');
        if (eq != NULL)
            *eq++ = '\0';
        decode(p, true);
        if (eq != NULL)
            decode(eq, true);
        c->query[c->query_count].name = p;
        c->query[c->query_count++].value = eq != NULL ? eq : "";
    }
    return true;
}

bool sim_call_target(struct sim_call *c, const char *target)
{
    c->target = eb_strdup(target);
    c->work = eb_strdup(target);
    char *query = strchr(c->work, '?');
    if (query != NULL)
        *query++ = '\0';
    return split_path(c, c->work) && split_query(c, query);
}

/* Removes the doubling of quotes. */
static void undouble(char *s)
{
    char *out = s;

    for (; *s != '\0'; s++) {
        *out++ = *s;
        if (s[0] == '\'' && s[1] == '\'')
            s++;
    }
    *out = '\0';
}

void sim_call_split_keys(struct sim_call *c)
{
    for (size_t i = 0; i < c->segment_count && c->segment_count < SIM_SEGMENTS_MAX; i++) {
        char *s = c->work + (c->segments[i] - c->work);
        char *open = strstr(s, "('");
        size_t len = strlen(s);
        if (open == NULL || open == s || len < 4 || strcmp(s + len - 2, "')") != 0 || open + 2 > s + len - 2)
            continue;
        s[len - 2] = '\0';
        *open = '\0';
        undouble(open + 2);
        memmove(&c->segments[i + 2], &c->segments[i + 1], (c->segment_count - i - 1) * sizeof(c->segments[0]));
        c->segments[++i] = open + 2;
        c->segment_count++;
    }
}

const char *sim_call_query(const struct sim_call *c, const char *name)
{
    for (size_t i = 0; i < c->query_count; i++)
        if (strcmp(c->query[i].name, name) == 0)
            return c->query[i].value;
    return NULL;
}

int64_t sim_call_query_int(const struct sim_call *c, const char *name, int64_t dflt)
{
    const char *text = sim_call_query(c, name);
    char *end;

    if (text == NULL || *text == '\0')
        return dflt;
    long long n = strtoll(text, &end, 10);
    return *end == '\0' ? n : dflt;
}

json_t *sim_call_json(struct sim_call *c)
{
    if (!c->json_tried) {
        c->json_tried = true;
        c->json = c->body.len == 0 ? NULL : eb_json_read_plain(c->body, BODY_VALUES);
        if (c->json == NULL && c->body.len > 0)
            c->json = json_loadb(c->body.p, c->body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    }
    return c->json;
}

void sim_call_free(struct sim_call *c)
{
    free(c->target);
    free(c->work);
    json_decref(c->json);
    *c = (struct sim_call){ 0 };
}

void sim_reply_header(struct sim_reply *r, const char *name, const char *fmt, ...)
{
    va_list ap;

    if (r->header_count == SIM_HEADERS_MAX)
        return;
    snprintf(r->headers[r->header_count].name, sizeof(r->headers[0].name), "%s", name);
    va_start(ap, fmt);
    vsnprintf(r->headers[r->header_count].value, sizeof(r->headers[0].value), fmt, ap);
    va_end(ap);
    r->header_count++;
}

void sim_reply_json(struct sim_reply *r, int status, json_t *body)
{
    json_decref(r->body);
    free(r->text);
    r->text = NULL;
    r->text_is_json = false;
    r->status = status;
    r->body = body;
}

void sim_reply_text(struct sim_reply *r, int status, char *json)
{
    sim_reply_json(r, status, NULL);
    r->text = json;
    r->text_is_json = true;
}

void atlassian_error(struct sim_reply *r, int status, const char *field, const char *fmt, ...)
{
    char text[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (!eb_utf8_valid(text, strlen(text)))
        snprintf(text, sizeof(text), "The request is not valid.");
    sim_reply_json(r, status, field != NULL ? json_pack("{s:[], s:{s:s}}", "errorMessages", "errors", field, text)
                                            : json_pack("{s:[s], s:{}}", "errorMessages", text, "errors"));
}

json_t *sim_reply_tree(const struct sim_reply *r)
{
    if (r->body != NULL || r->text == NULL)
        return json_incref(r->body);
    return r->text_is_json ? json_loads(r->text, 0, NULL) : json_string(r->text);
}

void sim_reply_clear(struct sim_reply *r)
{
    json_decref(r->body);
    json_decref(r->log);
    free(r->text);
    sim_action_free(r->transport);
    *r = (struct sim_reply){ 0 };
}

static bool route_matches(const struct sim_route *route, size_t skip, struct sim_call *c)
{
    const char *p = route->pattern;
    size_t i = skip;

    c->param_count = 0;
    if (i < c->segment_count && p[0] == '/' && p[1] != '{' && p[1] != c->segments[i][0])
        return false;               /* most rows of a long table end here */
    while (*p == '/') {
        const char *end = strchrnul(++p, '/');
        size_t len = (size_t)(end - p);
        if (i == c->segment_count)
            return false;
        const char *seg = c->segments[i++];
        if (len == 2 && p[0] == '{') {
            if (*seg == '\0')
                return false;
            c->params[c->param_count++] = seg;
        } else if (strncmp(seg, p, len) != 0 || seg[len] != '\0') {
            return false;
        }
        p = end;
    }
    return i == c->segment_count;
}

enum sim_match sim_route_find(const struct sim_route *routes, size_t count, size_t skip, struct sim_call *c,
                              const struct sim_route **ret)
{
    enum sim_match best = SIM_NO_PATH;

    for (size_t i = 0; i < count; i++) {
        if (!route_matches(&routes[i], skip, c))
            continue;
        if (strcmp(routes[i].method, c->method) == 0) {
            *ret = &routes[i];
            return SIM_MATCHED;
        }
        best = SIM_NO_METHOD;
    }
    return best;
}

void sim_quick_id(char out[EB_ID_LEN])
{
    static uint64_t salt, counter;

    if (salt == 0)
        eb_random(&salt, sizeof(salt));
    uint64_t x = (++counter + salt) * 0x9e3779b97f4a7c15ULL;
    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 32;
    snprintf(out, EB_ID_LEN, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(x >> 32), (unsigned)(x >> 16) & 0xffff,
             (unsigned)(x & 0xfff), (unsigned)(salt & 0xfff), (unsigned long long)(counter & 0xffffffffffffULL));
}
