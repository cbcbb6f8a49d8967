/* quota.h - Graph's throttling of directory calls: resource units in 10 s, writes in 150 s, for our app in its tenant.
 *
 * https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
 */
#ifndef SIM_QUOTA_H
#define SIM_QUOTA_H

#include "sim/call.h"

struct sim_bucket { int64_t size, period_ms, full_size, used_at_ms; double left; };     /* size 0: no limit; full_size: what `left` is of */
struct sim_quota { struct sim_bucket units, writes; };
#define SIM_QUOTA ((struct sim_quota){ { .period_ms = 10000 }, { .period_ms = 150000 } })

/* Units of a call, by its route and options; *ret_write: is it a write besides? */
int quota_units(const struct sim_call *c, const struct sim_route *route, bool *ret_write);
/* Charges the call. False: answered with 429. The headers about units are added in both cases. */
bool quota_take(struct sim *s, struct sim_call *c, const struct sim_route *route, struct sim_reply *r);

#endif
