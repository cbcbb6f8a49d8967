/* url.c - the check that a URL from an answer stays within its cloud.
 *
 * Nothing is normalised: what is not plainly the same scheme, host, port and base path is refused, and so is every
 * spelling that two parsers could read in two ways (user info, backslashes, dot segments, encoded slashes, controls).
 */
#include "outbound/url.h"

#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parts {
    bool https;
    const char *host;           /* with brackets where IPv6 */
    size_t host_len;
    int port;
    const char *path;           /* from the slash on, with query; may be empty */
};

/* Only what RFC 3986 allows in a URL, and none of '#', '"', '<', '>', '\', '^', '`', '{', '|', '}'. */
static bool plain_characters(const char *url)
{
    for (const char *p = url; *p != '\0'; p++)
        if (*p <= ' ' || (unsigned char)*p >= 0x7F || strchr("#\"<>\\^`{|}", *p) != NULL)
            return false;
    return true;
}

static bool split_port(const char *p, const char *end, int dflt, int *ret_port)
{
    int port = 0;

    *ret_port = dflt;
    if (p == end)
        return true;
    if (*p++ != ':' || p == end || end - p > 5)
        return false;
    for (; p < end; p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        port = port * 10 + (*p - '0');
    }
    *ret_port = port;
    return port > 0 && port <= 65535;
}

static bool host_characters(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)p[i]) && p[i] != '-' && p[i] != '.' && p[i] != '_')
            return false;
    return len > 0;
}

static bool split(const char *url, struct parts *ret)
{
    if (!plain_characters(url))
        return false;
    ret->https = strncasecmp(url, "https://", 8) == 0;
    if (!ret->https && strncasecmp(url, "http://", 7) != 0)
        return false;

    ret->host = url + (ret->https ? 8 : 7);
    const char *end = ret->host + strcspn(ret->host, "/?");
    const char *host_end;
    if (*ret->host == '[') {
        size_t n = strspn(ret->host + 1, "0123456789abcdefABCDEF:.");
        if (n == 0 || ret->host[n + 1] != ']')
            return false;
        host_end = ret->host + n + 2;
    } else {
        host_end = ret->host + strcspn(ret->host, ":/?");
        if (!host_characters(ret->host, (size_t)(host_end - ret->host)))
            return false;
    }
    ret->host_len = (size_t)(host_end - ret->host);
    ret->path = end;
    return host_end <= end && split_port(host_end, end, ret->https ? 443 : 80, &ret->port);
}

/* One character of a path, percent-decoded; *p moves on. -1: a broken escape. */
static int path_char(const char **p)
{
    const char *s = *p;

    if (*s != '%') {
        (*p)++;
        return (unsigned char)*s;
    }
    if (!isxdigit((unsigned char)s[1]) || !isxdigit((unsigned char)s[2]))
        return -1;
    char hex[3] = { s[1], s[2], '\0' };
    *p += 3;
    return (int)strtol(hex, NULL, 16);
}

/* No "." or ".." as a segment, no slash, backslash or control behind an escape: up to the query. */
static bool safe_path(const char *path)
{
    size_t dots = 0, others = 0;

    for (const char *p = path; ; ) {
        const char *at = p;
        bool end = *p == '\0' || *p == '?';
        int c = end ? '/' : path_char(&p);
        bool escaped = !end && *at == '%';
        if (c < 0 || (escaped && (c == '/' || c == '\\' || c < ' ' || c == 0x7F)))
            return false;
        if (c == '/') {
            if (others == 0 && (dots == 1 || dots == 2))
                return false;
            dots = others = 0;
        } else if (c == '.') {
            dots++;
        } else {
            others++;
        }
        if (end)
            return true;
    }
}

static bool is_loopback(const struct parts *u)
{
    static const char *const names[] = { "localhost", "[::1]" };

    for (size_t i = 0; i < EB_LEN(names); i++)
        if (u->host_len == strlen(names[i]) && strncasecmp(u->host, names[i], u->host_len) == 0)
            return true;
    /* 127.0.0.0/8, written out in full: "127.evil.example" is a name, not an address */
    size_t dots = 0;
    for (size_t i = 0; i < u->host_len; i++) {
        if (u->host[i] == '.')
            dots++;
        else if (!isdigit((unsigned char)u->host[i]))
            return false;
    }
    return dots == 3 && strncmp(u->host, "127.", 4) == 0;
}

bool outbound_url_base(const char *what, const char *url, bool *ret_plain, struct eb_err *err)
{
    struct parts u;
    size_t len = strlen(url);

    if (!split(url, &u) || !safe_path(u.path) || strchr(url, '?') != NULL || len == 0 || url[len - 1] == '/')
        return eb_fail(err, EB_INVALID_REQUEST, "%s: the base URL must be https://host[:port][/path], "
                       "without user, query, fragment or a slash at its end", what);
    if (!u.https && !is_loopback(&u))
        return eb_fail(err, EB_INVALID_REQUEST, "%s: the base URL must begin with https:// "
                       "(http:// is taken for a loopback address only)", what);
    *ret_plain = !u.https;
    return true;
}

bool outbound_url_match(const char *base, const char *url, const char **ret_path)
{
    struct parts b, u;

    if (!split(base, &b) || !split(url, &u))
        return false;
    if (b.https != u.https || b.port != u.port || b.host_len != u.host_len ||
        strncasecmp(b.host, u.host, b.host_len) != 0)
        return false;
    size_t n = strlen(b.path);
    if (strncmp(b.path, u.path, n) != 0 || (u.path[n] != '/' && u.path[n] != '?'))
        return false;
    if (!safe_path(u.path))
        return false;
    *ret_path = u.path + n;
    return true;
}
