/* handlers.h - what each endpoint does with a request, and the route table that the server is handed.
 *
 * Handlers know ops, auth and directory; they hold no state of their own.
 */
#ifndef HANDLERS_HANDLERS_H
#define HANDLERS_HANDLERS_H

#include "ops/ops.h"
#include "server/server.h"

struct handlers {               /* all borrowed; server is filled in once it listens */
    struct server *server;
    struct ops *ops;
    struct auth *auth;
    struct directory *directory;
    struct store *store;
};

size_t handlers_routes(const struct server_route **ret);
/* For struct server_options; ctx is the struct handlers. */
const void *handlers_authenticate(void *ctx, struct eb_span token, struct eb_err *err);
/* For struct ops_parts. */
void handlers_answer(void *ctx, uint64_t exchange, const struct ops_answer *a);
/* The OpenAPI document, made from the kinds' tables: the caller's. */
json_t *handlers_openapi(void);
/* A web request of an automation rule for that kind, ready to be pasted: {"method", "url", "headers": {…}, "body": "…"}. In the body smart values stand without
 * quotes: it is JSON once they are filled in. public_url: as in struct config. The caller's. */
json_t *handlers_example(const struct ops_kind *k, const char *public_url);

#endif
