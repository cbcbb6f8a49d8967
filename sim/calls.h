/* calls.h - the log of calls to the clouds, for tests to look at. */
#ifndef SIM_CALLS_H
#define SIM_CALLS_H

#include "sim/call.h"

struct sim_calls;

/* keep: how many entries at most; the oldest go first. 0: none. */
struct sim_calls *sim_calls_new(size_t keep);
void sim_calls_free(struct sim_calls *l);
void sim_calls_clear(struct sim_calls *l);
/* Returns the entry's number, for sim_calls_answered; 0 when nothing is kept. */
uint64_t sim_calls_add(struct sim_calls *l, const struct sim_call *c, uint64_t fault_rule);
/* items: of a batch, borrowed; or NULL. */
void sim_calls_answered(struct sim_calls *l, uint64_t n, int status, const json_t *items);

struct sim_calls_query { const char *path, *method, *cloud; int64_t limit; };   /* NULL: any */
json_t *sim_calls_list(const struct sim_calls *l, const struct sim_calls_query *q);
uint64_t sim_calls_count(const struct sim_calls *l, const struct sim_calls_query *q);

#endif
