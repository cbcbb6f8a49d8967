/* routes.c - the route table, and who is let in. */
#include "handlers/handlers.h"
#include "handlers/operations.h"

static const struct server_route routes[] = {
    { "GET",  "/v1/operations",      SERVER_TOKEN,   handle_operation_list },
    { "GET",  "/v1/operations/{id}", SERVER_TOKEN,   handle_operation_get },
    { "POST", "/v1/explain",         SERVER_TOKEN,   handle_explain },
    { "POST", "/v1/operations/{id}/undo", SERVER_TOKEN, handle_operation_undo },
    { "POST", "/v1/operations/{id}/cancel", SERVER_TOKEN, handle_operation_cancel },
    { "POST", "/v1/operations/cancel", SERVER_TOKEN, handle_operation_cancel },
    { "POST", "/v1/{noun}/{verb}",   SERVER_TOKEN,   handle_operation_post },
    { "GET",  "/secret/{id}/{key}",  SERVER_ANYBODY, handle_secret_get, .page = true },
    { "POST", "/secret/{id}/{key}",  SERVER_ANYBODY, handle_secret_post, .page = true },
    { "GET",  "/healthz",            SERVER_ANYBODY, handle_healthz },
    { "GET",  "/readyz",             SERVER_ANYBODY, handle_readyz },
    { "GET",  "/metrics",            SERVER_ANYBODY, handle_metrics },
    { "GET",  "/openapi.json",       SERVER_ANYBODY, handle_openapi },
};

size_t handlers_routes(const struct server_route **ret)
{
    *ret = routes;
    return EB_LEN(routes);
}

const void *handlers_authenticate(void *ctx, struct eb_span token, struct eb_err *err)
{
    struct handlers *h = ctx;

    return auth_check(h->auth, token, err);
}
