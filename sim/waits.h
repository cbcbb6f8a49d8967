/* waits.h - conditions that a test waits for: answered when met, or at the end of their time. */
#ifndef SIM_WAITS_H
#define SIM_WAITS_H

#include "base/json.h"

#include <event2/event.h>

struct sim;
struct sim_waits;
typedef void sim_wait_done(void *ctx, bool satisfied);

struct sim_waits *sim_waits_new(struct event_base *base);
void sim_waits_free(struct sim_waits *w);        /* calls nobody */
/* `what` is the request's body (borrowed). done is called once, also at once; never when false is returned. */
bool sim_waits_add(struct sim *s, const json_t *what, sim_wait_done *done, void *ctx, struct eb_err *err) EB_CHECK;
/* Looks again at every condition: after each effect. Cheap when nobody waits. */
void sim_waits_check(struct sim *s);

#endif
