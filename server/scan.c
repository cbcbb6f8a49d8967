/* scan.c - the head of a request, byte by byte and line by line.
 *
 * evhttp reads many things generously that a proxy before it may read differently (docs/decisions tells which): that is how a
 * request is smuggled. Here everything is refused that RFC 9112 does not plainly allow, and some things that it does: folding,
 * Transfer-Encoding, absolute targets, bodies on methods that have no use for one.
 */
#include "server/scan.h"

#include <string.h>
#include <strings.h>

/* Classes of bytes: bits in class_of[]. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, HOST = 8 };

#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_ALPHA(c) (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))

static unsigned char class_of[256];

static void mark(const char *letters, unsigned char class)
{
    for (; *letters != '\0'; letters++)
        class_of[(unsigned char)*letters] |= class;
}

/* Filled before main: the table is constant from then on. */
__attribute__((constructor)) static void make_classes(void)
{
    for (int c = 0; c < 256; c++) {
        if (IS_DIGIT(c) || IS_ALPHA(c))
            class_of[c] |= TOKEN | TARGET | HOST;
        if (c == '\t' || (c >= ' ' && c != 0x7f))
            class_of[c] |= VALUE;
    }
    mark("!#$%&'*+-.^_`|~", TOKEN);             /* RFC 9110, 5.6.2 */
    mark("-._~!$&'()*+,;=:@/?%", TARGET);       /* RFC 3986: pchar, slash, query */
    mark("-._:[]", HOST);
}

static bool all_of(const char *p, size_t len, unsigned char class)
{
    for (size_t i = 0; i < len; i++)
        if (!(class_of[(unsigned char)p[i]] & class))
            return false;
    return true;
}

static bool is(const char *p, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

static bool bad(struct eb_err *err, const char *what)
{
    return eb_fail(err, EB_INVALID_REQUEST, "The request is malformed: %s.", what);
}

/* ---- request line ---- */

static int hex(char c)
{
    if (IS_DIGIT(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a target, decoded, at p[*i]; moves *i past it. -1: a broken escape, or one that hides structure. */
static int target_char(const char *p, size_t len, size_t *i)
{
    unsigned char c = (unsigned char)p[(*i)++];

    if (c != '%')
        return c;
    if (len - *i < 2 || hex(p[*i]) < 0 || hex(p[*i + 1]) < 0)
        return -1;
    c = (unsigned char)(hex(p[*i]) << 4 | hex(p[*i + 1]));
    *i += 2;
    return c < 0x20 || c == 0x7f ? -1 : c;
}

/* Where the path ends, or 0 when a proxy and we could see different paths in it. */
static size_t path_end(const char *p, size_t len)
{
    size_t i = 1, segment = 0, dots = 0;

    while (i < len && p[i] != '?') {
        bool plain = p[i] != '%';
        int c = target_char(p, len, &i);
        if (c < 0 || c == '\\' || (c == '/' && !plain))
            return 0;
        if (c == '/') {
            if (segment == 0 || (segment == dots && dots <= 2))
                return 0;
            segment = dots = 0;
            continue;
        }
        segment++;
        dots += c == '.';
    }
    return segment > 0 && segment == dots && dots <= 2 ? 0 : i;
}

static bool target_good(const char *p, size_t len)
{
    if (len == 0 || p[0] != '/' || !all_of(p, len, TARGET))
        return false;
    size_t i = path_end(p, len);
    if (i == 0)
        return false;
    while (i < len)
        if (target_char(p, len, &i) < 0)
            return false;
    return true;
}

static const struct { const char *name; bool takes_body; } methods[] = {
    { "GET", false }, { "POST", true }, { "HEAD", false }, { "PUT", true }, { "DELETE", false },
    { "PATCH", true }, { "OPTIONS", false }, { "TRACE", false }, { "CONNECT", false },
};

static void know_method(struct scan *s, const char *p)
{
    for (size_t i = 0; i < EB_LEN(methods); i++) {
        if (s->method.len == strlen(methods[i].name) && memcmp(p, methods[i].name, s->method.len) == 0) {
            s->known = true;
            s->takes_body = methods[i].takes_body;
        }
    }
}

static bool request_line(struct scan *s, const char *head, const char *p, size_t len, struct eb_err *err)
{
    const char *end = p + len, *target = memchr(p, ' ', len);
    const char *version = target != NULL ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

    if (version == NULL || target == p || target - p > 32 || !all_of(p, (size_t)(target - p), TOKEN))
        return bad(err, "its first line is not 'METHOD /path HTTP/1.1'");
    s->method = (struct scan_piece){ (size_t)(p - head), (size_t)(target - p) };
    target++;
    s->target = (struct scan_piece){ (size_t)(target - head), (size_t)(version - target) };
    version++;
    s->minor = end - version == 8 && memcmp(version, "HTTP/1.1", 8) == 0;
    if (!s->minor && (end - version != 8 || memcmp(version, "HTTP/1.0", 8) != 0))
        return bad(err, "its first line does not end with HTTP/1.1 or HTTP/1.0");
    if (!target_good(target, s->target.len))
        return bad(err, "its path is not a plain absolute one");
    know_method(s, p);
    return true;
}

/* ---- header lines: those that decide where the request ends or whose it is ---- */

typedef bool header_fn(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err);

static bool on_host(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err)
{
    if (++s->hosts > 1 || len == 0 || !all_of(value, len, HOST))
        return bad(err, "it has several Host headers, or one that is not a host");
    return true;
}

static bool on_length(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err)
{
    if (++s->lengths > 1 || len == 0 || len > 18)
        return bad(err, "it has several Content-Length headers, or one that is not a number");
    for (size_t i = 0; i < len; i++) {
        if (!IS_DIGIT(value[i]))
            return bad(err, "its Content-Length is not a number");
        s->body = s->body * 10 + (uint64_t)(value[i] - '0');
    }
    return true;
}

static bool on_encoding(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err)
{
    return eb_fail(err, EB_LENGTH_REQUIRED, "Transfer-Encoding is not taken: send the body in one piece with a Content-Length.");
}

static bool on_expect(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err)
{
    if (++s->expects > 1 || !is(value, len, "100-continue"))
        return bad(err, "it expects something other than 100-continue");
    return true;
}

static bool on_accept(struct scan *s, const char *head, const char *value, size_t len, struct eb_err *err)
{
    if (s->accept.len == 0)
        s->accept = (struct scan_piece){ (size_t)(value - head), len };
    return true;
}

static const struct { const char *name; size_t len; header_fn *fn; } headers[] = {
#define HEADER(name, fn) { name, sizeof(name) - 1, fn }
    HEADER("host", on_host), HEADER("content-length", on_length), HEADER("transfer-encoding", on_encoding),
    HEADER("expect", on_expect), HEADER("accept", on_accept),
};

static bool header_line(struct scan *s, const char *head, const char *p, size_t len, struct eb_err *err)
{
    const char *value = memchr(p, ':', len), *end = p + len;
    size_t name = value != NULL ? (size_t)(value - p) : 0;

    if (name == 0 || !all_of(p, name, TOKEN))
        return bad(err, "a header line has no proper name before its colon");
    for (value++; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < EB_LEN(headers); i++)
        if (headers[i].len == name && strncasecmp(p, headers[i].name, name) == 0)
            return headers[i].fn(s, head, value, (size_t)(end - value), err);
    return true;
}

/* ---- the head as a whole ---- */

static bool whole(struct scan *s, const struct scan_limits *l, struct eb_err *err)
{
    if (s->hosts == 0 && s->minor)
        return bad(err, "it has no Host header");
    if (!s->known)
        return true;                /* the caller refuses it: by path, with Allow */
    if (!s->takes_body)
        return s->body == 0 || bad(err, "a request of this method has no body");
    if (s->lengths == 0)
        return eb_fail(err, EB_LENGTH_REQUIRED, "Send a Content-Length with the body.");
    if (s->body > l->body)
        return eb_fail(err, EB_BODY_TOO_LARGE, "The body has more than the %llu bytes that are taken.", (unsigned long long)l->body);
    return true;
}

/* A line has ended, from s->line, len bytes without its CRLF. true with *ended: that was the empty one. */
static bool line_ended(struct scan *s, const char *head, size_t len, bool *ended, const struct scan_limits *l, struct eb_err *err)
{
    const char *p = head + s->line;

    *ended = len == 0;
    if (len == 0)
        return s->lines > 0 ? whole(s, l, err) : bad(err, "it begins with an empty line");
    if (s->lines++ == 0)
        return request_line(s, head, p, len, err);
    if (s->lines - 1 > l->headers)
        return eb_fail(err, EB_HEADERS_TOO_LARGE, "The request has more than %u header lines.", l->headers);
    if (*p == ' ' || *p == '\t')
        return bad(err, "a header is folded over several lines");
    return header_line(s, head, p, len, err);
}

/* The byte at s->seen, which is not plain text. */
static bool odd_byte(struct scan *s, const char *p, bool *ended, const struct scan_limits *l, struct eb_err *err)
{
    char c = p[s->seen];

    if (c == '\n' && s->after_cr) {
        s->after_cr = false;
        if (!line_ended(s, p, s->seen - 1 - s->line, ended, l, err))
            return false;
        s->line = s->seen + 1;
        return true;
    }
    if (c == '\r' && !s->after_cr)
        return s->after_cr = true;
    return bad(err, c == '\n' ? "a line ends without a carriage return" : s->after_cr ? "a carriage return stands alone" :
               "its head has a control character");
}

enum scan_result scan_run(struct scan *s, const char *p, size_t len, const struct scan_limits *l, struct eb_err *err)
{
    size_t end = len < l->head ? len : l->head;
    bool ended = false;

    while (s->seen < end) {
        if (!s->after_cr)
            while (s->seen < end && (class_of[(unsigned char)p[s->seen]] & VALUE))
                s->seen++;
        if (s->seen == end)
            break;
        if (!odd_byte(s, p, &ended, l, err))
            return SCAN_BAD;
        s->seen++;
        if (ended) {
            s->head = s->seen;
            return SCAN_GOOD;
        }
    }
    if (s->seen < l->head)
        return SCAN_MORE;
    (void)eb_fail(err, EB_HEADERS_TOO_LARGE, "The head of the request has more than the %zu bytes that are taken.", l->head);
    return SCAN_BAD;
}
