/* server.h - listening, TLS, connection guard, request gate, authentication, reply, stop.
 *
 * libevent's HTTP server behind a guard (deadlines, ceilings, raw-byte checks) and a gate (everything malformed is 4xx and closed).
 * It is handed its route table and a function that knows tokens; it knows no handler and no operation.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "base/json.h"
#include "base/loop.h"
#include "config/config.h"

struct server;
struct server_exchange;             /* one request and its answer; borrowed during the handler */

enum server_who { SERVER_ANYBODY, SERVER_TOKEN };
typedef void server_handler(void *ctx, struct server_exchange *x);
struct server_route {
    const char *method;             /* "GET", "POST" */
    const char *pattern;            /* "/v1/operations/{id}"; {name} matches one segment */
    enum server_who who;
    server_handler *handler;
    bool page;                      /* for people: POST takes a form, HEAD is not taken, and it is refused like an operation when there is too much to do */
};
struct server_options {
    const struct server_route *routes; size_t route_count;
    void *ctx;                      /* handed to every handler */
    /* Says whose token it is: an opaque pointer borrowed for the exchange's synchronous part, or NULL with err. */
    const void *(*authenticate)(void *ctx, struct eb_span token, struct eb_err *err);
};
/* Binds and listens (errors say address and reason). Serves at once. */
bool server_new(struct eb_loop *loop, const struct config_listen *c, const struct server_options *o, struct server **ret, struct eb_err *err) EB_CHECK;
/* Certificates, client CA, allow-list and limits of the new configuration; on error the old ones stay. The address cannot change. */
bool server_reload(struct server *s, const struct config_listen *c, struct eb_err *err) EB_CHECK;
/* Stops accepting, closes idle connections, lets exchanges end; done(ctx) when none is left. */
void server_drain(struct server *s, void (*done)(void *ctx), void *ctx);
void server_free(struct server *s);
int server_port(const struct server *s);

/* The request; all borrowed, during the handler only. */
const char *server_path(const struct server_exchange *x);
const char *server_param(const struct server_exchange *x, const char *name);    /* of the pattern, decoded; or NULL */
const char *server_query(const struct server_exchange *x, const char *name);    /* of the query, decoded; or NULL */
const char *server_header(const struct server_exchange *x, const char *name);
struct eb_span server_body(const struct server_exchange *x);    /* media type was checked: JSON, or a form's for a page */
const void *server_caller(const struct server_exchange *x);     /* what authenticate returned; NULL for ANYBODY */

/* What a handler wants to find again when the answer comes: release(kept) when the exchange ends, also without one. Once an exchange. */
void server_keep(struct server_exchange *x, void *kept, void (*release)(void *kept));
void *server_kept(struct server *s, uint64_t exchange);         /* borrowed; NULL: nothing, or the exchange has gone */

/* Answering: now, or later by id; an exchange whose client has gone is simply not found. Exactly one reply an exchange. */
uint64_t server_exchange_id(const struct server_exchange *x);
void server_reply_json(struct server *s, uint64_t exchange, int status, const json_t *body, const char *const *headers /* "Name: value", NULL-ended, or NULL */);
void server_reply_text(struct server *s, uint64_t exchange, int status, const char *content_type, struct eb_span body);
void server_reply_html(struct server *s, uint64_t exchange, int status, struct eb_span body, const char *const *headers /* as above */);
/* The failure of section 5: RFC 9457 members plus ours; `extra` (borrowed, may be NULL) is merged in. Retry-After from err. application/problem+json to who asks for it. */
void server_reply_error(struct server *s, uint64_t exchange, const struct eb_err *err, const json_t *extra);
/* The same body, for ops and tests: the caller's. */
json_t *server_problem(const struct eb_err *err, const json_t *extra);

#endif
