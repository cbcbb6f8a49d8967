/* internal.h - what the files of server/ share: the server, its guards' place in it, one exchange. */
#ifndef SERVER_INTERNAL_H
#define SERVER_INTERNAL_H

#include "server/address.h"
#include "server/gate.h"
#include "server/route.h"
#include "server/scan.h"
#include "server/server.h"
#include "server/tls.h"
#include "base/hashtable.h"

#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>

struct guard;
TAILQ_HEAD(guard_list, guard);

/* What a reload replaces, as a whole. */
struct settings {
    SSL_CTX *tls;                       /* NULL: plain */
    struct address_list allow, trusted;
    bool behind_proxy;
    unsigned max_connections, max_requests;
    int64_t request_deadline_ms, idle_ms;
    struct scan_limits limits;
};

struct server {
    struct eb_loop *loop;
    struct server_options options;
    struct settings now;
    struct route_table routes;
    char *address;                      /* as configured: it cannot change */
    int port;

    struct evhttp *http;                /* owns the connections */
    struct evhttp_bound_socket *bound;  /* NULL once it does not listen any more */
    struct evconnlistener *listener;    /* of bound */
    LIST_ENTRY(server) listening_link;
    struct eb_timer *back_off;          /* set while accept() is left alone */
    bool backing_off;
    int64_t warn_again_ms;

    struct guard_list guards;
    struct guard *by_connection;        /* hash */
    unsigned guard_count;
    struct guard_list todo;             /* guards to be looked at once evhttp's callbacks have returned */
    struct event todo_event;
    struct eb_timer *sweep;             /* set while there are guards */

    struct server_exchange *exchanges;  /* hash by id */
    uint64_t last_id;
    struct eb_buf text;                 /* an answer under composition */

    bool draining;
    void (*drained)(void *ctx);         /* NULL once called */
    void *drained_ctx;
};

/* One request and its answer. Lives from evhttp's callback to the reply, or until the connection goes. */
struct server_exchange {
    uint64_t id;
    struct server *server;
    struct guard *guard;
    struct evhttp_request *req;         /* evhttp's */
    const struct route *route;          /* NULL: no such */
    const void *caller;
    void *kept;                         /* a handler's: released with the exchange */
    void (*release)(void *kept);
    const char *method, *path;          /* path: raw, without query; in text[] */
    struct gate_headers headers;
    struct route_path segments;
    struct evkeyvalq query;
    bool query_read, head, problem, close;
    bool in_handler, over;              /* over: answered; freed when the handler returns */
    int64_t began_us;
    UT_hash_handle hh;
    char text[];
};

/* listen.c */
bool listen_open(struct server *s, struct eb_err *err) EB_CHECK;
void listen_look(struct server *s);     /* accepts or not, by the number of connections */
void listen_close(struct server *s);

/* exchange.c */
void exchange_arrived(struct evhttp_request *req, void *server);
void exchange_gone(struct server_exchange *x);      /* its connection is being freed */
void exchange_free(struct server_exchange *x);

/* server.c: from the turn of the loop, last in it: drained() may free the server. */
void server_look_drained(struct server *s);

#endif
