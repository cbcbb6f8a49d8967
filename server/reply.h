/* reply.h - how an answer is written, through evhttp or without it. */
#ifndef SERVER_REPLY_H
#define SERVER_REPLY_H

#include "server/internal.h"

/* Refuses x: like server_reply_error, and the connection ends with it. allow: the methods for a 405, or "". */
void reply_refusal(struct server_exchange *x, const struct eb_err *err, const char *allow);
/* A whole answer into out, for a request that evhttp never saw; it says Connection: close. bodiless: to a HEAD. */
void reply_raw(struct server *s, struct evbuffer *out, const struct eb_err *err, const char *allow, bool problem, bool bodiless);

#endif
