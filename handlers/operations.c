/* operations.c - POST /v1/<noun>/<verb> and GET /v1/operations. */
#include "handlers/operations.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void handlers_answer(void *ctx, uint64_t exchange, const struct ops_answer *a)
{
    struct handlers *h = ctx;

    if (a->err != NULL) {
        if (!handlers_say(h, exchange, a->err, a->body))
            server_reply_error(h->server, exchange, a->err, a->body);
    } else if (a->location != NULL) {
        char *header = eb_asprintf("Location: %s", a->location);
        const char *headers[] = { header, NULL };

        server_reply_json(h->server, exchange, a->status, a->body, headers);
        free(header);
    } else {
        server_reply_json(h->server, exchange, a->status, a->body, NULL);
    }
}

static void refuse(struct handlers *h, const struct server_exchange *x, const struct eb_err *err)
{
    server_reply_error(h->server, server_exchange_id(x), err, NULL);
}

/* NULL: it is no JSON, and that was answered. */
static json_t *read_body(struct handlers *h, const struct server_exchange *x)
{
    json_t *body = NULL;
    struct eb_err err = { 0 };

    if (!eb_json_parse(server_body(x), &body, &err))
        refuse(h, x, &err);
    return body;
}

static void refuse_unknown_kind(struct handlers *h, const struct server_exchange *x)
{
    const struct ops_kind *kinds;
    size_t n = ops_kinds(&kinds), len = 0;
    char known[320] = "";
    struct eb_err err = { 0 };

    for (size_t i = 0; i < n && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i == 0 ? "" : ", ", kinds[i].path);
    eb_fail(&err, EB_NOT_FOUND, "There is no such operation. There are: %s.", known);
    refuse(h, x, &err);
}

void handle_operation_post(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    const struct ops_kind *kind = ops_kind_by_path(server_param(x, "noun"), server_param(x, "verb"));
    EB_AUTO(json_t, json_decref) body = kind != NULL ? read_body(h, x) : NULL;

    if (kind == NULL)
        refuse_unknown_kind(h, x);
    if (body == NULL)
        return;
    ops_submit(h->ops, &(struct ops_request){
        .caller = server_caller(x), .kind = kind, .body = body,
        .idempotency_key = server_header(x, "Idempotency-Key"), .exchange = server_exchange_id(x),
    });
}

void handle_operation_undo(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) body = read_body(h, x);

    if (body == NULL)
        return;
    ops_undo(h->ops, &(struct ops_undo){
        .caller = server_caller(x), .operation = server_param(x, "id"), .body = body,
        .idempotency_key = server_header(x, "Idempotency-Key"), .exchange = server_exchange_id(x),
    });
}

void handle_operation_cancel(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) body = read_body(h, x);

    if (body == NULL)
        return;
    ops_cancel(h->ops, &(struct ops_cancel){
        .caller = server_caller(x), .operation = server_param(x, "id"), .body = body, .exchange = server_exchange_id(x),
    });
}

void handle_operation_get(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;

    ops_show(h->ops, server_caller(x), server_param(x, "id"), server_exchange_id(x));
}

void handle_operation_list(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;

    ops_list(h->ops, server_caller(x), server_query(x, "issue"), server_exchange_id(x));
}
