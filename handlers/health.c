/* health.c - /healthz, /readyz, /metrics: for supervisors and for Prometheus. They tell nothing about people. */
#include "handlers/operations.h"
#include "base/metrics.h"

static struct eb_metric queue = { "entrabridge_store_queue", "Jobs not yet committed", EB_GAUGE, { NULL } };
static struct eb_metric ready = { "entrabridge_ready", "1 while operations are taken", EB_GAUGE, { NULL } };

static void reply_text(struct handlers *h, const struct server_exchange *x, struct eb_span text, const char *type)
{
    server_reply_text(h->server, server_exchange_id(x), 200, type, text);
}

/* Alive: the loop turns. */
void handle_healthz(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) body = json_pack("{s:s}", "status", "alive");

    server_reply_json(h->server, server_exchange_id(x), 200, body, NULL);
}

void handle_readyz(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) body = json_pack("{s:s}", "status", "ready");
    struct eb_err err = { 0 };

    if (ops_ready(h->ops, &err))
        server_reply_json(h->server, server_exchange_id(x), 200, body, NULL);
    else
        server_reply_error(h->server, server_exchange_id(x), &err, NULL);
}

void handle_metrics(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    struct eb_buf b = EB_BUF(MiB(1));

    eb_metric_set(&queue, (double)store_queue_length(h->store), NULL, NULL, NULL);
    eb_metric_set(&ready, ops_ready(h->ops, NULL), NULL, NULL, NULL);
    eb_metrics_render(&b);
    reply_text(h, x, (struct eb_span){ b.data, b.len }, "text/plain; version=0.0.4; charset=utf-8");
    eb_buf_free(&b);
}
