/* explain.c - POST /v1/explain: what would be decided about an operation, and why, without doing it.
 *
 * The body is that of the operation, and `operation` names its kind. It is decided by the same steps as the operation itself.
 */
#include "handlers/operations.h"
#include "base/text.h"

#include <stdio.h>

static bool read_kind(const json_t *body, const struct ops_kind **ret, struct eb_err *err)
{
    const char *name = eb_json_str(body, "operation");
    char clean[48];

    if (!json_is_object(body))
        return eb_fail(err, EB_INVALID_REQUEST, "The body must be a JSON object: {\"operation\": \"group.add_member\", …}.");
    if (name == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, "operation", "`operation` must name the kind that is to be explained, such as group.add_member.");
    *ret = ops_kind_find(name);
    if (*ret == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, "operation", "There is no operation `%s`. See /openapi.json for all of them.",
                             eb_text_clean(name, clean, sizeof clean));
    return true;
}

void handle_explain(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) body = NULL;
    const struct ops_kind *kind;
    struct eb_err err = { 0 };

    if (!eb_json_parse(server_body(x), &body, &err) || !read_kind(body, &kind, &err)) {
        server_reply_error(h->server, server_exchange_id(x), &err, NULL);
        return;
    }
    json_object_del(body, "operation");
    ops_submit(h->ops, &(struct ops_request){
        .caller = server_caller(x), .kind = kind, .body = body, .exchange = server_exchange_id(x), .explain = true,
    });
}
