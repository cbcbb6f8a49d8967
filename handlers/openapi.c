/* openapi.c - the OpenAPI document of this build, made from the tables of kinds, fields and codes, so that it cannot part from them. */
#include "handlers/operations.h"
#include "base/text.h"
#include "config/envelope.h"

#include <stdlib.h>

static void add_fields(json_t *properties, json_t *required, const struct ops_kind *k, const struct ops_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(properties, fields[i].name, handlers_field_schema(k, &fields[i]));
        if (fields[i].required && !ops_field_listed(&fields[i]))
            json_array_append_new(required, json_string(fields[i].name));
    }
}

/* One or the other: `user`, or `users` in its place. */
static json_t *either_of(const struct ops_kind *k)
{
    json_t *all = json_array();

    for (size_t i = 0; i < k->field_count; i++)
        if (ops_field_listed(&k->fields[i]))
            json_array_append_new(all, json_pack("{s:[{s:[s]}, {s:[s]}]}", "oneOf", "required", k->fields[i].name, "required", k->fields[i].words));
    return all;
}

static json_t *request_schema(const struct ops_kind *k)
{
    const struct ops_field *common;
    size_t n = ops_common_fields(&common);
    json_t *properties = json_object(), *required = json_array();

    add_fields(properties, required, k, k->fields, k->field_count);
    add_fields(properties, required, k, common, n);
    json_t *schema = json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties", 0, "properties", properties);
    json_t *either = either_of(k);

    if (json_array_size(required) > 0)  /* OpenAPI 3.0 wants none rather than an empty one */
        json_object_set(schema, "required", required);
    if (json_array_size(either) > 0)
        json_object_set(schema, "allOf", either);
    json_decref(required);
    json_decref(either);
    return schema;
}

static json_t *json_content(json_t *schema)
{
    return json_pack("{s:{s:{s:o}}}", "content", "application/json", "schema", schema);
}

static json_t *ref(const char *name)
{
    char *path = eb_asprintf("#/components/schemas/%s", name);
    json_t *r = json_pack("{s:s}", "$ref", path);

    free(path);
    return r;
}

static json_t *response(const char *description, const char *schema)
{
    json_t *r = json_content(ref(schema));

    json_object_set_new(r, "description", json_string(description));
    return r;
}

static json_t *token_security(void)
{
    return json_pack("[{s:[]}, {s:[]}]", "bearer", "automationKey");
}

static json_t *key_parameter(void)
{
    return json_pack("{s:s, s:s, s:b, s:{s:s, s:i}}", "name", "Idempotency-Key", "in", "header", "required", 0,
                     "schema", "type", "string", "maxLength", 255);
}

static json_t *kind_operation(const struct ops_kind *k)
{
    json_t *body = json_content(request_schema(k));
    json_t *key = key_parameter();

    json_object_set_new(body, "required", json_true());
    json_t *post = json_pack("{s:s, s:s, s:o, s:[o], s:o, s:{s:o, s:o, s:o}, s:b, s:s}", "operationId", k->name, "summary", k->summary,
                             "security", token_security(), "parameters", key, "requestBody", body, "responses",
                             "200", response("Done, or nothing to do (`changed` false)", "Answer"),
                             "202", response("Accepted and still under way, scheduled, or held; see Location", "Answer"),
                             "default", response("Refused or failed", "Problem"),
                             "x-changes", k->change != NULL, "x-permissions", k->permissions);
    if (ops_is_composite(k))
        json_object_set_new(post, "x-steps", json_true());
    if (k->undo != NULL)
        json_object_set_new(post, "x-undo", json_string(k->undo));
    json_t *example = handlers_example(k, "");
    json_object_set(post, "x-automation-body", json_object_get(example, "body"));
    json_decref(example);
    return json_pack("{s:o}", "post", post);
}

/* The envelope. What stands in `data` hangs on the route. */
static json_t *service_operation(void)
{
    const struct envelope_name *rows;
    size_t n = envelope_routes(&rows);
    json_t *names = json_array(), *parameters = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, json_string(rows[i].name));
    json_t *route = json_pack("{s:s, s:o, s:s}", "type", "string", "x-known", names, "description",
                              "The operation. Case, \"-\", \"_\" and blanks do not count; compat.routes may add names.");
    json_t *data = json_pack("{s:s, s:b, s:s}", "type", "object", "additionalProperties", 1, "description",
                             "The fields of the operation, under their own names or those of the marketplace app; attributes may stand among them.");
    json_t *body = json_content(json_pack("{s:s, s:b, s:{s:o, s:o}, s:[s, s]}", "type", "object", "additionalProperties", 0, "properties", "route", route, "data", data,
                                          "required", "route", "data"));

    json_object_set_new(body, "required", json_true());
    json_array_append_new(parameters, key_parameter());
    json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", "x-issue-key", "in", "header", "required", 0, "schema", "type", "string"));
    return json_pack("{s:{s:s, s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o}}}", "post", "operationId", "service",
                     "summary", "An operation in the envelope of the marketplace app.", "security", token_security(), "parameters", parameters, "requestBody", body,
                     "responses", "200", response("Done, or nothing to do (`changed` false)", "Answer"),
                     "202", response("Accepted and still under way, scheduled, or held; see Location", "Answer"), "default", response("Refused or failed", "Problem"));
}

/* The fields are those of the operation that it names. */
static json_t *explain_operation(void)
{
    json_t *names = json_array();

    for (const char *const *name = ops_kind_names(); *name != NULL; name++)
        json_array_append_new(names, json_string(*name));
    json_t *schema = json_pack("{s:s, s:b, s:{s:{s:s, s:o, s:s}}, s:[s]}", "type", "object", "additionalProperties", 1, "properties",
                               "operation", "type", "string", "enum", names, "description", "The operation; its fields stand beside.",
                               "required", "operation");
    json_t *body = json_content(schema);

    json_object_set_new(body, "required", json_true());
    return json_pack("{s:{s:s, s:s, s:o, s:o, s:{s:o, s:o}}}", "post", "operationId", "explain",
                     "summary", "What would be decided about an operation, and why; nothing is done.", "security", token_security(),
                     "requestBody", body, "responses", "200", response("The decision, also a refusal", "Explanation"),
                     "default", response("The body is no such operation's", "Problem"));
}

static json_t *get_operation(const char *id, const char *summary, bool token, json_t *parameters)
{
    json_t *o = json_pack("{s:s, s:s, s:o, s:{s:{s:s}, s:o}}", "operationId", id, "summary", summary, "parameters", parameters,
                          "responses", "200", "description", "OK", "default", response("Refused or failed", "Problem"));

    if (token)
        json_object_set_new(o, "security", token_security());
    return json_pack("{s:o}", "get", o);
}

static json_t *text_parameter(const char *name, const char *in)
{
    return json_pack("[{s:s, s:s, s:b, s:{s:s}}]", "name", name, "in", in, "required", 1, "schema", "type", "string");
}

/* Of the common fields all but `again`. */
static json_t *undo_operation(void)
{
    static const struct ops_kind none = { .name = "operations.undo" };
    json_t *schema = request_schema(&none), *parameters = text_parameter("id", "path");

    json_object_del(json_object_get(schema, "properties"), "again");
    json_object_del(schema, "required");            /* OpenAPI 3.0 wants none rather than an empty one */
    json_array_append_new(parameters, key_parameter());
    json_t *body = json_content(schema);
    json_object_set_new(body, "required", json_true());
    return json_pack("{s:{s:s, s:s, s:o, s:o, s:o, s:{s:o, s:o, s:o}}}", "post", "operationId", "operations.undo",
                     "summary", "Do the reverse of an operation of this token's name, from what stood before.", "security", token_security(),
                     "parameters", parameters, "requestBody", body, "responses",
                     "200", response("Undone; `undoes` names the operation", "Answer"),
                     "202", response("Accepted and still under way; see Location", "Answer"),
                     "default", response("Refused or failed: undo_not_possible says why not", "Problem"));
}

/* By its id, or all that wait for an issue. */
static json_t *cancel_operation(bool one)
{
    json_t *text = json_pack("{s:s}", "type", "string");
    json_t *schema = json_pack("{s:s, s:b, s:{s:O, s:O}}", "type", "object", "additionalProperties", 0, "properties", "issue", text, "reason", text);

    if (!one) {
        json_object_set(json_object_get(schema, "properties"), "name", text);
        json_object_set_new(schema, "required", json_pack("[s]", "issue"));
    }
    json_decref(text);
    json_t *body = json_content(schema);
    json_object_set_new(body, "required", json_true());
    return json_pack("{s:{s:s, s:s, s:o, s:o, s:o, s:{s:o, s:o}}}", "post", "operationId", one ? "operations.cancel" : "operations.cancel_all", "summary",
                     one ? "End an operation of this token's name that is scheduled or held." : "End all that a token of this name has scheduled for an issue, or that is held.",
                     "security", token_security(), "parameters", one ? text_parameter("id", "path") : json_array(), "requestBody", body, "responses",
                     "200", response("Cancelled", one ? "Answer" : "Cancelled"), "default", response("Refused: already_done says that it has begun or ended", "Problem"));
}

static json_t *paths(void)
{
    const struct ops_kind *kinds;
    size_t n = ops_kinds(&kinds);
    json_t *p = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(p, kinds[i].path, kind_operation(&kinds[i]));
    json_object_set_new(p, "/v1/service", service_operation());
    json_object_set_new(p, "/v1/kinds", get_operation("kinds", "The operations that this token may ask for, each with a web request ready to be pasted.", true, json_array()));
    json_object_set_new(p, "/v1/explain", explain_operation());
    json_object_set_new(p, "/v1/operations/{id}", get_operation("operations.show", "One operation of this token's name.", true, text_parameter("id", "path")));
    json_object_set_new(p, "/v1/operations/{id}/undo", undo_operation());
    json_object_set_new(p, "/v1/operations/{id}/cancel", cancel_operation(true));
    json_object_set_new(p, "/v1/operations/cancel", cancel_operation(false));
    json_object_set_new(p, "/v1/operations", get_operation("operations.list", "The operations of an issue, newest first.", true, text_parameter("issue", "query")));
    json_object_set_new(p, "/healthz", get_operation("healthz", "Alive.", false, json_array()));
    json_object_set_new(p, "/readyz", get_operation("readyz", "Ready for operations.", false, json_array()));
    json_object_set_new(p, "/metrics", get_operation("metrics", "Metrics for Prometheus.", false, json_array()));
    json_object_set_new(p, "/openapi.json", get_operation("openapi", "This document.", false, json_array()));
    return p;
}

static json_t *codes(void)
{
    json_t *list = json_array();

    for (enum eb_code c = EB_INVALID_REQUEST; c <= EB_STARTING; c++)
        json_array_append_new(list, json_string(eb_code_text(c)));
    return list;
}

static json_t *schemas(void)
{
    json_t *text = json_pack("{s:s}", "type", "string"), *boolean = json_pack("{s:s}", "type", "boolean");
    json_t *outcome = json_pack("{s:s, s:[s,s,s,s,s,s,s,s,s,s]}", "type", "string", "enum", "accepted", "scheduled", "held", "succeeded", "partial",
                                "failed", "refused", "expired", "cancelled", "unknown");
    json_t *answer = json_pack("{s:s, s:[s,s,s,s], s:{s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O}}", "type", "object",
        "required", "operation", "name", "outcome", "message", "properties",
        "operation", text, "name", text, "outcome", outcome, "message", text, "changed", boolean, "userId", text, "userPrincipalName", text,
        "displayName", text, "groupId", text, "groupName", text, "issue", text, "dryRun", boolean, "replayed", boolean);
    json_t *explanation = json_pack("{s:s, s:[s,s,s,s,s], s:{s:O, s:O, s:O, s:O, s:O, s:{s:s, s:o}, s:O, s:O, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s}}}}",
        "type", "object", "required", "name", "allowed", "message", "rule", "shadow", "properties",
        "name", text, "allowed", boolean, "message", text, "rule", text, "shadow", boolean, "code", "type", "string", "enum", codes(), "field", text,
        "wouldChange", boolean, "before", "type", "object", "after", "type", "object", "approvals", "type", "array", "items", "type", "object");
    json_t *problem = json_pack("{s:s, s:[s,s,s,s], s:{s:O, s:O, s:{s:s}, s:O, s:O, s:{s:s, s:o}, s:O, s:O, s:O}}", "type", "object",
        "required", "status", "code", "message", "outcome", "properties",
        "type", text, "title", text, "status", "type", "integer", "detail", text, "outcome", outcome, "code", "type", "string", "enum", codes(),
        "message", text, "operation", text, "field", text);

    static const char *const further[] = { "expiresAt", "expiresAtBefore", "scheduledFor", "undoes" };
    for (size_t i = 0; i < EB_LEN(further); i++)
        json_object_set(json_object_get(answer, "properties"), further[i], text);
    static const char *const lists[] = { "steps", "results" };      /* of journeys and lists, also where a part failed */
    for (size_t i = 0; i < EB_LEN(lists); i++) {
        json_t *list = json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "object");
        json_object_set(json_object_get(answer, "properties"), lists[i], list);
        json_object_set(json_object_get(explanation, "properties"), lists[i], list);
        json_object_set_new(json_object_get(problem, "properties"), lists[i], list);
    }
    json_t *cancelled = json_pack("{s:s, s:[s,s,s], s:{s:O, s:O, s:O, s:{s:s}, s:{s:s, s:{s:s}}}}", "type", "object", "required", "outcome", "message", "results",
        "properties", "outcome", outcome, "message", text, "issue", text, "count", "type", "integer", "results", "type", "array", "items", "type", "object");
    json_decref(text);
    json_decref(boolean);
    json_decref(outcome);
    return json_pack("{s:o, s:o, s:o, s:o}", "Answer", answer, "Cancelled", cancelled, "Explanation", explanation, "Problem", problem);
}

json_t *handlers_openapi(void)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:o, s:{s:o, s:{s:{s:s, s:s}, s:{s:s, s:s, s:s}}}}", "openapi", "3.0.3",
        "info", "title", "entrabridge", "version", EB_VERSION, "paths", paths(), "components", "schemas", schemas(), "securitySchemes",
        "bearer", "type", "http", "scheme", "bearer", "automationKey", "type", "apiKey", "in", "header", "name", "x-automation-key");
}

void handle_openapi(void *ctx, struct server_exchange *x)
{
    struct handlers *h = ctx;
    EB_AUTO(json_t, json_decref) doc = handlers_openapi();

    server_reply_json(h->server, server_exchange_id(x), 200, doc, NULL);
}
