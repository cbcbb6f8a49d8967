/* exchange.h - a request under way and the ways in which it can end. */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H

#include "sim/sim.h"

#include <event2/http.h>

TAILQ_HEAD(sim_exchanges, sim_exchange);
struct sim_exchange {
    struct sim *sim;
    struct sim_exchanges *all;      /* those under way; it is in there */
    TAILQ_ENTRY(sim_exchange) next;
    struct evhttp_request *req;     /* evhttp's */
    struct sim_call call;
    struct sim_reply reply;
    struct sim_action *action;      /* owned; NULL: no fault */
    uint64_t entry;                 /* in the log; 0: not logged */
    struct event *timer;
};

/* Of a request that evhttp has just handed over. */
struct sim_exchange *sim_exchange_new(struct sim *s, struct evhttp_request *req, struct sim_exchanges *all);
/* Sends the reply, or what the action orders in its place. Frees the exchange. */
void sim_exchange_send(struct sim_exchange *x);
/* At the end of the program: answers nobody. */
void sim_exchange_free(struct sim_exchange *x);

#endif
