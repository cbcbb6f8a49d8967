/* guard.h - one guard a connection: what evhttp may see of it, and for how long it may last. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "server/internal.h"

void guards_open(struct server *s);
void guards_close(struct server *s);        /* after evhttp_free */
/* evhttp's bufferevent callback. Never NULL: evhttp would make a plain socket of its own. */
struct bufferevent *guard_new(struct event_base *base, void *server);
struct guard *guard_of(struct server *s, const struct evhttp_connection *connection);
const struct address *guard_peer(const struct guard *g);
/* The request that evhttp was fed has become x. */
void guard_busy(struct guard *g, struct server_exchange *x);
/* Its answer is on its way. */
void guard_answering(struct guard *g);
void guards_close_idle(struct server *s);
void guards_look(struct server *s);         /* soon: at what there is to do, and whether the server is drained */
/* Counts a refusal; reasons come from a fixed set. */
void guard_count_refused(const char *reason);

#endif
