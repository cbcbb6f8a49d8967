/* http.h - the simulator's socket: evhttp, bare, on loopback. */
#ifndef SIM_HTTP_H
#define SIM_HTTP_H

#include "sim/sim.h"

struct sim_http;

/* Binds and listens; the port chosen is sim_http_port(). */
bool sim_http_new(struct sim *s, struct sim_http **ret, struct eb_err *err) EB_CHECK;
int sim_http_port(const struct sim_http *h);
void sim_http_free(struct sim_http *h);

#endif
