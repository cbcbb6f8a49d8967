/* assets_limits.c - Assets' own limits for each minute, and Jira's buckets for bursts of one method and endpoint.
 *
 * Owns one bucket for each limit that was ever met. A limit of 0 is none.
 */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 128
struct bucket { const char *method, *pattern; double tokens; int64_t filled_ms; };      /* both static texts */
struct window { int64_t began_ms, count; };
enum { WINDOW_AQL, WINDOW_COUNT, WINDOW_ATTRIBUTES, WINDOWS };
struct assets_limits { struct bucket buckets[BUCKETS]; size_t count; struct window windows[WINDOWS]; };

struct assets_limits *assets_limits_new(void)
{
    return eb_alloc(sizeof(struct assets_limits));
}

void assets_limits_free(struct assets_limits *l)
{
    free(l);
}

static bool refuse(struct sim_reply *r, const char *reason, int64_t limit, int64_t after_s)
{
    char time[EB_TIME_LEN];

    atlassian_error(r, 429, NULL, "Rate limit exceeded.");
    sim_reply_header(r, "Retry-After", "%lld", (long long)after_s);
    sim_reply_header(r, "X-RateLimit-Limit", "%lld", (long long)limit);
    sim_reply_header(r, "X-RateLimit-Remaining", "0");
    sim_reply_header(r, "X-RateLimit-Reset", "%s", eb_time_format(eb_now_ms() + after_s * 1000, time));
    sim_reply_header(r, "RateLimit-Reason", "%s", reason);
    return false;
}

static struct bucket *bucket_of(struct assets_limits *l, const char *method, const char *pattern, int64_t rate)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->buckets[i].pattern == pattern && strcmp(l->buckets[i].method, method) == 0)
            return &l->buckets[i];
    if (l->count == BUCKETS)
        return NULL;
    l->buckets[l->count] = (struct bucket){ method, pattern, (double)rate, eb_mono_ms() };
    return &l->buckets[l->count++];
}

static bool burst(struct assets_limits *l, const char *method, const char *pattern, int64_t rate, struct sim_reply *r)
{
    struct bucket *b = rate > 0 ? bucket_of(l, method, pattern, rate) : NULL;
    int64_t now = eb_mono_ms();

    if (b == NULL)
        return true;
    b->tokens += (double)(now - b->filled_ms) * (double)rate / 1000.0;
    b->tokens = b->tokens > (double)rate ? (double)rate : b->tokens;
    b->filled_ms = now;
    if (b->tokens < 1)
        return refuse(r, "jira-burst-based", rate, 1);
    b->tokens -= 1;
    return true;
}

static bool minute(struct window *w, int64_t limit, struct sim_reply *r)
{
    int64_t now = eb_mono_ms();

    if (limit == 0)
        return true;
    if (w->count == 0 || now - w->began_ms >= 60000)
        *w = (struct window){ now, 0 };
    if (w->count >= limit)
        return refuse(r, "jira-quota-tenant-based", limit, (w->began_ms + 60000 - now + 999) / 1000);
    w->count++;
    return true;
}

bool assets_limits_pass(struct sim *s, const struct sim_call *c, const char *pattern, struct sim_reply *r)
{
    const struct assets_settings *o = &s->assets_set;
    struct assets_limits *l = s->assets->limits;
    const struct { const char *pattern; int64_t limit; } minutes[WINDOWS] = {
        { "/object/aql", o->aql_per_minute }, { "/object/aql/totalcount", o->count_per_minute }, { "/objecttype/{}/attributes", o->attributes_per_minute },
    };
    const struct { const char *method; int64_t rate; } bursts[] = {
        { "GET", o->get_per_s }, { "POST", o->post_per_s }, { "PUT", o->put_per_s }, { "DELETE", o->delete_per_s },
    };

    for (size_t i = 0; i < EB_LEN(bursts); i++)
        if (strcmp(bursts[i].method, c->method) == 0 && !burst(l, bursts[i].method, pattern, bursts[i].rate, r))
            return false;
    for (size_t i = 0; i < WINDOWS; i++)
        if (strcmp(minutes[i].pattern, pattern) == 0 && !minute(&l->windows[i], minutes[i].limit, r))
            return false;
    return true;
}
