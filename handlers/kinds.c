/* kinds.c - GET /v1/kinds: the operations that this token may ask for, each with its fields and a web request ready to be pasted into a rule.
 *
 * What the policy does not list is left out: it is refused whatever the token says.
 */
#include "handlers/operations.h"
#include "policy/policy.h"

static json_t *field_json(const struct ops_kind *k, const struct ops_field *f)
{
    EB_AUTO(json_t, json_decref) schema = handlers_field_schema(k, f);

    return json_pack("{s:s, s:O, s:b, s:s}", "name", f->name, "form", json_object_get(schema, "x-form"), "required", (int)f->required, "help", f->help);
}

static json_t *fields_json(const struct ops_kind *k)
{
    const struct ops_field *common;
    size_t n = ops_common_fields(&common);
    json_t *list = json_array();

    for (size_t i = 0; i < k->field_count; i++)
        json_array_append_new(list, field_json(k, &k->fields[i]));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, field_json(k, &common[i]));
    return list;
}

static json_t *kind_json(const struct ops_kind *k, const char *public_url)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", k->name, "path", k->path, "summary", k->summary, "changes", k->change != NULL,
                          "fields", fields_json(k), "request", handlers_example(k, public_url));

    if (k->undo != NULL)
        json_object_set_new(o, "undo", json_string(k->undo));
    return o;
}

void handle_kinds(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    const struct auth_token *caller = server_caller(x);
    const struct config *c = ops_config(h->ops);
    const struct ops_kind *kinds;
    size_t n = ops_kinds(&kinds);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        if (policy_listed((const char *const *)caller->operations, kinds[i].name) && policy_operation(&c->policy, kinds[i].name) != NULL)
            json_array_append_new(list, kind_json(&kinds[i], c->public_url));
    EB_AUTO(json_t, json_decref) body = json_pack("{s:o}", "kinds", list);
    server_reply_json(h->server, server_exchange_id(x), 200, body, NULL);
}
