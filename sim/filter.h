/* filter.h - OData $filter, the part that Graph serves for directory objects.
 *
 * eq, ne, in, startswith, endswith, any(x:x eq '…'), and, or, not, parentheses; text is compared without case.
 */
#ifndef SIM_FILTER_H
#define SIM_FILTER_H

#include "base/json.h"

struct sim_filter;

/* The result is the caller's. EB_INVALID_REQUEST: no filter in that grammar. */
bool sim_filter_parse(const char *text, struct sim_filter **ret, struct eb_err *err) EB_CHECK;
void sim_filter_free(struct sim_filter *f);      /* accepts NULL */

/* Where values come from: the property's value, borrowed, or NULL for null. */
typedef json_t *sim_filter_get(const void *ctx, const void *object, const char *property);
bool sim_filter_match(const struct sim_filter *f, sim_filter_get *get, const void *ctx, const void *object);
/* For plain JSON objects. */
bool sim_filter_match_json(const struct sim_filter *f, const json_t *object);

/* Graph asks for ConsistencyLevel: eventual and $count=true: ne, not, endswith. */
bool sim_filter_is_advanced(const struct sim_filter *f);
size_t sim_filter_or_clauses(const struct sim_filter *f);       /* Graph refuses more than 15 */

/* If whatever matches must have one of a few values, these; else false. Borrowed from the filter. */
struct sim_filter_key { const char *property, *value; };
bool sim_filter_keys(const struct sim_filter *f, struct sim_filter_key *keys, size_t max, size_t *count);

#endif
