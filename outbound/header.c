/* header.c - Retry-After and the few other headers that count. */
#include "outbound/header.h"

#include "base/hash.h"
#include "base/text.h"
#include "outbound/outbound.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#define DAY_MS (24LL * 3600 * 1000)

static struct eb_span trim(struct eb_span s)
{
    while (s.len > 0 && isspace((unsigned char)s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && isspace((unsigned char)s.p[s.len - 1]))
        s.len--;
    return s;
}

/* "120", "0.249", ".5"; rounded up to the millisecond so that nothing is sent too early. */
static int64_t seconds_ms(struct eb_span s)
{
    int64_t ms = 0, unit = 1000;
    size_t i = 0, digits = 0;
    bool more = false;          /* than whole milliseconds */

    for (; i < s.len && isdigit((unsigned char)s.p[i]); i++, digits++)
        ms = ms > DAY_MS ? ms : ms * 10 + (s.p[i] - '0') * 1000;
    if (i < s.len && s.p[i] == '.')
        for (i++; i < s.len && isdigit((unsigned char)s.p[i]); i++, digits++) {
            unit /= 10;
            ms += (s.p[i] - '0') * unit;
            more = more || (unit == 0 && s.p[i] != '0');
        }
    if (digits == 0 || i < s.len)
        return -1;
    return ms >= DAY_MS ? DAY_MS : ms + more;
}

static int64_t date_ms(struct eb_span s, int64_t wall_now_ms)
{
    char text[64];

    if (s.len >= sizeof(text) || memchr(s.p, '\0', s.len) != NULL)
        return -1;
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    time_t at = curl_getdate(text, NULL);
    if (at < 0)
        return -1;
    if ((int64_t)at > wall_now_ms / 1000 + DAY_MS / 1000)      /* also years that a product would not hold */
        return DAY_MS;
    int64_t wait = (int64_t)at * 1000 - wall_now_ms;
    return wait < 0 ? 0 : wait > DAY_MS ? DAY_MS : wait;
}

int64_t outbound_retry_after(struct eb_span value, int64_t wall_now_ms)
{
    struct eb_span s = trim(value);

    if (s.len == 0)
        return -1;
    if (isdigit((unsigned char)s.p[0]) || s.p[0] == '.')
        return seconds_ms(s);
    return isalpha((unsigned char)s.p[0]) ? date_ms(s, wall_now_ms) : -1;
}

void outbound_head_reset(struct outbound_head *h)
{
    h->bytes = 0;
    h->retry_after_ms = -1;
    h->one_object = false;
    h->content_type[0] = '\0';
    h->location[0] = '\0';
    h->request_id[0] = '\0';
}

/* Visible ASCII and blanks only: these texts go into logs. */
static void keep(char *out, size_t size, struct eb_span v)
{
    size_t n = 0;

    for (size_t i = 0; i < v.len && n + 1 < size; i++)
        if (v.p[i] >= ' ' && v.p[i] < 0x7F)
            out[n++] = v.p[i];
    out[n] = '\0';
}

static bool is_name(struct eb_span line, const char *name, size_t len, struct eb_span *value)
{
    if (line.len <= len || line.p[len] != ':' || strncasecmp(line.p, name, len) != 0)
        return false;
    *value = trim((struct eb_span){ line.p + len + 1, line.len - len - 1 });
    return true;
}
#define IS_NAME(line, name, value) is_name((line), (name), sizeof(name) - 1, (value))

void outbound_head_line(struct outbound_head *h, struct eb_span line, int64_t wall_now_ms)
{
    struct eb_span v;
    size_t bytes = h->bytes + line.len;

    switch (line.len > 0 ? tolower((unsigned char)line.p[0]) : '\0') {
    case 'h':
        if (line.len > 5 && strncasecmp(line.p, "HTTP/", 5) == 0)
            outbound_head_reset(h);     /* but the bytes go on counting */
        break;
    case 'c':
        if (IS_NAME(line, "content-type", &v))
            keep(h->content_type, sizeof(h->content_type), v);
        break;
    case 'l':
        if (IS_NAME(line, "location", &v) && v.len < sizeof(h->location))
            keep(h->location, sizeof(h->location), v);
        break;
    case 'r':
        if (IS_NAME(line, "retry-after", &v))
            h->retry_after_ms = outbound_retry_after(v, wall_now_ms);
        else if (IS_NAME(line, "request-id", &v))
            keep(h->request_id, sizeof(h->request_id), v);
        else if (IS_NAME(line, "ratelimit-reason", &v))
            h->one_object = v.len == 23 && strncasecmp(v.p, "jira-per-issue-on-write", 23) == 0;
        break;
    case 'x':
        if (IS_NAME(line, "x-arequestid", &v) || IS_NAME(line, "x-ms-request-id", &v))
            keep(h->request_id, sizeof(h->request_id), v);
        else if (IS_NAME(line, "x-ms-throttle-information", &v))
            h->write_limit = memmem(v.p, v.len, "WriteLimitExceeded", strlen("WriteLimitExceeded")) != NULL;
        break;
    case 'a':
        if (h->request_id[0] == '\0' && IS_NAME(line, "atl-traceid", &v))
            keep(h->request_id, sizeof(h->request_id), v);
        break;
    default:
        break;
    }
    h->bytes = bytes;
}

char *outbound_authorization(const char *user, const char *secret)
{
    if (user == NULL)
        return eb_asprintf("Authorization: Bearer %s", secret);
    char *pair = eb_asprintf("%s:%s", user, secret);
    char *encoded = eb_alloc(4 * ((strlen(pair) + 2) / 3) + 1);
    eb_b64_encode(pair, strlen(pair), encoded);
    char *header = eb_asprintf("Authorization: Basic %s", encoded);
    eb_wipe_free(pair);
    eb_wipe_free(encoded);
    return header;
}
