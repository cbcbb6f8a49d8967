/* service.c - POST /v1/service: rules that were written for the marketplace app.
 *
 * The envelope becomes the body of the kind's own URL and goes the way of every request; only the names in an error are the caller's.
 */
#include "handlers/envelope.h"
#include "handlers/operations.h"

#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static bool read_envelope(struct handlers *h, const struct server_exchange *x, struct envelope **ret, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) request = NULL;

    return eb_json_parse(server_body(x), &request, err) &&
           envelope_read(request, server_header(x, "x-issue-key"), &ops_config(h->ops)->compat, ret, err);
}

void handle_service_post(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    struct envelope *e;
    struct eb_err err = { 0 };

    if (!read_envelope(h, x, &e, &err)) {
        if (strcmp(err.field, "route") == 0)        /* what is to be added under compat.routes; other names may hold anything */
            eb_info(NULL, "service request refused: %s", err.text);
        server_reply_error(h->server, server_exchange_id(x), &err, NULL);
        return;
    }
    server_keep(x, e, envelope_free);
    json_t *body = json_incref(e->body);
    envelope_forget(e);
    ops_submit(h->ops, &(struct ops_request){
        .caller = server_caller(x), .kind = e->kind, .body = body,
        .idempotency_key = server_header(x, "Idempotency-Key"), .exchange = server_exchange_id(x),
    });
    json_decref(body);
}

bool handlers_say(struct handlers *h, uint64_t exchange, const struct eb_err *err, const json_t *body)
{
    const struct envelope *e = server_kept(h->server, exchange);
    const char *field = eb_json_str(body, "field");
    struct eb_err said, native = *err;

    if (e == NULL)
        return false;
    if (field != NULL && native.field[0] == '\0')           /* an answer from the journal */
        snprintf(native.field, sizeof native.field, "%s", field);
    envelope_say(e, &native, &said);
    EB_AUTO(json_t, json_decref) members = body != NULL ? json_copy((json_t *)(uintptr_t)body) : NULL;      /* jansson's is not const; it only reads */
    if (field != NULL)
        json_object_set_new(members, "field", json_string(said.field));
    server_reply_error(h->server, exchange, &said, members);
    return true;
}
