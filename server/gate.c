/* gate.c - the headers behind scan.c's back: names are tokens by now, values have no controls. */
#include "server/gate.h"

#include "base/hash.h"

#include <string.h>
#include <strings.h>
#include <sys/queue.h>

/* Where a header goes: the place of its first value, and of the count of all, where that matters. */
static const struct { const char *name; size_t len, value, count; } places[] = {
#define PLACE(name, value, count) { name, sizeof(name) - 1, offsetof(struct gate_headers, value), offsetof(struct gate_headers, count) }
#define ONE(name, value) { name, sizeof(name) - 1, offsetof(struct gate_headers, value), SIZE_MAX }
    PLACE("authorization", authorization, authorizations),
    PLACE("x-automation-key", automation_key, automation_keys),
    PLACE("content-type", content_type, content_types),
    ONE("content-encoding", content_encoding),
    ONE("accept", accept),
    ONE("connection", connection),
};

static void place(struct gate_headers *ret, size_t row, const char *value)
{
    const char **at = (const char **)(void *)((char *)ret + places[row].value);

    if (*at == NULL)
        *at = value;
    if (places[row].count != SIZE_MAX)
        ++*(unsigned *)(void *)((char *)ret + places[row].count);
}

void gate_read(const struct evkeyvalq *headers, struct gate_headers *ret)
{
    const struct evkeyval *h;

    memset(ret, 0, sizeof(*ret));
    TAILQ_FOREACH(h, headers, next) {
        size_t len = strlen(h->key);
        for (size_t i = 0; i < EB_LEN(places); i++)
            if (places[i].len == len && strcasecmp(places[i].name, h->key) == 0)
                place(ret, i, h->value);
        if (len == strlen("x-forwarded-for") && strcasecmp(h->key, "x-forwarded-for") == 0 && ret->forwarded_count <= GATE_FORWARDED) {
            if (ret->forwarded_count < GATE_FORWARDED)
                ret->forwarded[ret->forwarded_count] = h->value;
            ret->forwarded_count++;
        }
    }
}

/* ---- the token ---- */

static struct eb_span trimmed(const char *p, size_t len)
{
    while (len > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
        len--;
    return (struct eb_span){ p, len };
}

static bool no_token(struct eb_err *err, const char *what)
{
    return eb_fail(err, EB_UNAUTHENTICATED, "%s Send 'Authorization: Bearer <token>' or 'x-automation-key: <token>', once.", what);
}

static bool bearer(const char *value, struct eb_span *ret)
{
    static const char scheme[] = "Bearer ";

    if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return false;
    *ret = trimmed(value + sizeof(scheme) - 1, strlen(value) - (sizeof(scheme) - 1));
    return ret->len > 0 && memchr(ret->p, ' ', ret->len) == NULL;
}

bool gate_token(const struct gate_headers *h, struct eb_span *ret, struct eb_err *err)
{
    struct eb_span one = { 0 }, other = { 0 };

    if (h->authorizations > 1 || h->automation_keys > 1)
        return no_token(err, "The request has the same header for its token several times.");
    if (h->authorizations + h->automation_keys == 0)
        return no_token(err, "The request has no token.");
    if (h->authorization != NULL && !bearer(h->authorization, &one))
        return no_token(err, "The Authorization header is not a bearer token.");
    if (h->automation_key != NULL)
        other = trimmed(h->automation_key, strlen(h->automation_key));
    if (h->automation_key != NULL && other.len == 0)
        return no_token(err, "The header x-automation-key is empty.");
    if (one.len > 0 && other.len > 0 && (one.len != other.len || !eb_equal_ct(one.p, other.p, one.len)))
        return no_token(err, "The request has two tokens that differ.");
    *ret = one.len > 0 ? one : other;
    return true;
}

/* ---- media types ---- */

static bool is_json(struct eb_span type)
{
    static const char application[] = "application/", suffix[] = "+json";
    const size_t head = sizeof(application) - 1, tail = sizeof(suffix) - 1;

    if (type.len <= head || strncasecmp(type.p, application, head) != 0)
        return false;
    if (type.len == head + 4 && strncasecmp(type.p + head, "json", 4) == 0)
        return true;
    return type.len > head + tail && strncasecmp(type.p + type.len - tail, suffix, tail) == 0;
}

static bool is_type(struct eb_span s, const char *type)
{
    return s.len == strlen(type) && strncasecmp(s.p, type, s.len) == 0;
}

static bool plain(const struct gate_headers *h, struct eb_err *err)
{
    return h->content_encoding == NULL || strcasecmp(h->content_encoding, "identity") == 0 ||
           eb_fail(err, EB_UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without a Content-Encoding.");
}

bool gate_media_type(const struct gate_headers *h, struct eb_err *err)
{
    struct eb_span type = h->content_type != NULL ? trimmed(h->content_type, strcspn(h->content_type, ";")) : (struct eb_span){ 0 };

    if (h->content_types != 1 || !is_json(type))
        return eb_fail(err, EB_UNSUPPORTED_MEDIA_TYPE, "Send the body as JSON, with one header 'Content-Type: application/json'.");
    return plain(h, err);
}

bool gate_form_type(const struct gate_headers *h, struct eb_err *err)
{
    struct eb_span type = h->content_type != NULL ? trimmed(h->content_type, strcspn(h->content_type, ";")) : (struct eb_span){ 0 };

    if (h->content_types != 1 || !is_type(type, "application/x-www-form-urlencoded"))
        return eb_fail(err, EB_UNSUPPORTED_MEDIA_TYPE, "This page takes its own form only (application/x-www-form-urlencoded).");
    return plain(h, err);
}

/* A weight, in thousandths: "q=0.5" among the parameters p; 1000 where there is none, 0 where it cannot be read. */
static int weight(const char *p, size_t len)
{
    while (len > 0) {
        const char *semicolon = memchr(p, ';', len);
        size_t n = semicolon != NULL ? (size_t)(semicolon - p) : len;
        struct eb_span one = trimmed(p, n);
        if (one.len > 2 && (one.p[0] | 0x20) == 'q' && one.p[1] == '=') {
            int q = 0, scale = 1000;
            for (size_t i = 2; i < one.len && i < 7; i++)
                if (one.p[i] >= '0' && one.p[i] <= '9') {
                    q += (one.p[i] - '0') * scale;
                    scale /= 10;
                } else if (one.p[i] != '.' || i != 3) {
                    return 0;
                }
            return q > 1000 ? 1000 : q;
        }
        p += n + (semicolon != NULL);
        len -= n + (semicolon != NULL);
    }
    return 1000;
}

bool gate_wants_problem(const char *accept, size_t len)
{
    int problem = 0, json = 0;

    while (len > 0) {
        const char *comma = memchr(accept, ',', len);
        size_t n = comma != NULL ? (size_t)(comma - accept) : len, type = 0;
        while (type < n && accept[type] != ';')
            type++;
        struct eb_span name = trimmed(accept, type);
        if (is_type(name, "application/problem+json"))
            problem = weight(accept + type, n - type);
        else if (is_type(name, "application/json"))
            json = weight(accept + type, n - type);
        accept += n + (comma != NULL);
        len -= n + (comma != NULL);
    }
    return problem > 0 && problem >= json;
}

bool gate_has_word(const char *value, const char *word)
{
    size_t len = strlen(word);

    while (*value != '\0') {
        size_t n = strcspn(value, ",");
        struct eb_span one = trimmed(value, n);
        if (one.len == len && strncasecmp(one.p, word, len) == 0)
            return true;
        value += n + (value[n] == ',');
    }
    return false;
}
