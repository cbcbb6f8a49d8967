/* quota.c - two buckets that fill by themselves; whoever says that its call may wait is refused first. */
#include "sim/quota.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/graph.h"

#include <stdlib.h>
#include <string.h>

#define LOW_SHARE 0.8               /* of the limit: beyond it calls of low priority are refused, and answers tell the share */

static const struct { const char *method, *begin; int units; } costs[] = {      /* the first that fits; all others cost 1 */
    { "GET", "/users/{}/memberOf", 2 }, { "GET", "/users/{}/transitiveMemberOf", 2 }, { "GET", "/users/{}/licenseDetails", 2 },
    { "GET", "/users/{}/", 1 }, { "GET", "/users/delta", 1 }, { "GET", "/users", 2 }, { "GET", "/groups/{}/members", 3 },
    { "GET", "/groups/{}/transitiveMembers", 5 }, { "GET", "/subscribedSkus", 3 }, { "POST", "/directoryObjects/getByIds", 5 },
    { "POST", "/users/{}/checkMember", 4 }, { "POST", "/users/{}/getMember", 2 },
    { "POST", "/directoryObjects/{}/checkMember", 4 }, { "POST", "/directoryObjects/{}/getMember", 2 },
};

int quota_units(const struct sim_call *c, const struct sim_route *route, bool *ret_write)
{
    size_t i = 0;

    while (i < EB_LEN(costs) && (strcmp(costs[i].method, c->method) != 0 || strncmp(route->pattern, costs[i].begin, strlen(costs[i].begin)) != 0))
        i++;
    int units = i < EB_LEN(costs) ? costs[i].units : 1;
    *ret_write = strcmp(c->method, "GET") != 0 && i == EB_LEN(costs);
    if (strcmp(c->method, "GET") == 0) {
        units -= sim_call_query(c, "$select") != NULL;
        units -= sim_call_query_int(c, "$top", 999) < 20;
        units += sim_call_query(c, "$expand") != NULL;
    }
    return units < 1 ? 1 : units;
}

static void refill(struct sim_bucket *b)
{
    int64_t now = eb_mono_ms();

    if (b->full_size != b->size) {          /* set anew */
        b->full_size = b->size;
        b->left = (double)b->size;
    }
    b->left += (double)b->size * (double)(now - b->used_at_ms) / (double)b->period_ms;
    if (b->left > (double)b->size)
        b->left = (double)b->size;
    b->used_at_ms = now;
}

/* How much of the limit would be used after this cost. */
static double share(const struct sim_bucket *b, int cost)
{
    return b->size == 0 ? 0 : 1 - (b->left - cost) / (double)b->size;
}

static bool refuse(struct sim *s, struct sim_call *c, const struct sim_bucket *b, int cost, const char *what, struct sim_reply *r)
{
    double most = c->priority == SIM_PRIORITY_LOW ? LOW_SHARE : 1, over = share(b, cost) - most;

    if (b->size == 0 || over <= 1e-9)
        return false;
    odata_error(c, r, 429, "TooManyRequests", "Too many requests.");
    sim_reply_header(r, "Retry-After", "%lld", (long long)(over * (double)b->period_ms / 1000) + 1);
    sim_reply_header(r, "x-ms-throttle-scope", "Tenant_Application/ReadWrite/%s/%s", s->opt.client_id, s->opt.tenant);
    sim_reply_header(r, "x-ms-throttle-information", "%s", what);
    sim_count(s->counters, SIM_THROTTLED);
    return true;
}

bool quota_take(struct sim *s, struct sim_call *c, const struct sim_route *route, struct sim_reply *r)
{
    struct sim_bucket *units = &s->quota.units, *writes = &s->quota.writes;
    bool write;
    int cost = quota_units(c, route, &write);

    refill(units);
    refill(writes);
    sim_reply_header(r, "x-ms-resource-unit", "%d", cost);
    if (share(units, cost) >= LOW_SHARE)
        sim_reply_header(r, "x-ms-throttle-limit-percentage", "%.1f", share(units, cost));
    if (refuse(s, c, units, cost, "ResourceUnitLimitExceeded", r))
        return false;
    if (write && refuse(s, c, writes, 1, "WriteLimitExceeded", r)) {
        sim_count(s->counters, SIM_WRITES_REFUSED);
        return false;
    }
    units->left -= cost;
    writes->left -= write;
    sim_count_more(s->counters, SIM_UNITS, cost);
    sim_count_more(s->counters, SIM_WRITES, write);
    return true;
}
