/* operations.h - inside of handlers/: the handlers that the route table names. */
#ifndef HANDLERS_OPERATIONS_H
#define HANDLERS_OPERATIONS_H

#include "handlers/handlers.h"
#include "ops/request.h"

void handle_operation_post(void *ctx, struct server_exchange *x);
void handle_explain(void *ctx, struct server_exchange *x);
void handle_operation_undo(void *ctx, struct server_exchange *x);
void handle_operation_cancel(void *ctx, struct server_exchange *x);
void handle_operation_get(void *ctx, struct server_exchange *x);
void handle_operation_list(void *ctx, struct server_exchange *x);
void handle_healthz(void *ctx, struct server_exchange *x);
void handle_readyz(void *ctx, struct server_exchange *x);
void handle_metrics(void *ctx, struct server_exchange *x);
void handle_secret_get(void *ctx, struct server_exchange *x);
void handle_secret_post(void *ctx, struct server_exchange *x);
void handle_openapi(void *ctx, struct server_exchange *x);
/* The caller's. "x-form" names the field's form: what a program that writes requests needs besides their schema. */
json_t *handlers_field_schema(const struct ops_kind *k, const struct ops_field *f);

#endif
