/* graph_batch.c - POST /$batch: up to 20 calls in one, answered in any order.
 *
 * An item is a sim_call like any other; a fault on an item is its own answer, or, where it is about the connection, the whole batch's.
 */
#include "sim/graph.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ITEMS_MAX 20

struct item { const json_t *source; const char *id; int status; json_t *answer; };

static struct item *find_item(struct item *items, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (eb_streq(items[i].id, id))
            return &items[i];
    return NULL;
}

static const char *item_header(const json_t *item, const char *name)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(item, "headers"), key, value)
        if (strcasecmp(key, name) == 0)
            return json_string_value(value);
    return NULL;
}

/* Why Graph would refuse the whole batch for this item; NULL: it would not. */
static const char *item_fault(const json_t *item, struct item *before, size_t n)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    const char *id = eb_json_str(item, "id"), *method = eb_json_str(item, "method"), *url = eb_json_str(item, "url");
    const json_t *depends = json_object_get(item, "dependsOn");
    size_t m = 0;

    if (!json_is_object(item) || id == NULL || *id == '\0' || url == NULL || *url == '\0' || method == NULL)
        return "Each request needs id, method and url.";
    while (m < EB_LEN(methods) && strcmp(methods[m], method) != 0)
        m++;
    if (m == EB_LEN(methods))
        return "Write request: the HTTP method is not supported.";
    if (find_item(before, n, id) != NULL)
        return "Request Id has to be unique in a batch.";
    if (strstr(url, "://") != NULL || strncmp(url, "//", 2) == 0)
        return "Invalid request url: it has to be relative.";
    if (strstr(url, "$batch") != NULL)
        return "Batch requests cannot be nested.";
    if (json_object_get(item, "body") != NULL && item_header(item, "Content-Type") == NULL)
        return "Write request does not contain Content-Type header or body.";
    for (size_t i = 0; i < json_array_size(depends); i++)
        if (find_item(before, n, json_string_value(json_array_get(depends, i))) == NULL)
            return "A dependency names no earlier request.";
    return NULL;
}

/* The sub-call's fields; its body text is the caller's to free. */
static bool make_call(const struct sim_call *outer, const json_t *item, struct sim_call *c)
{
    const char *url = eb_json_str(item, "url"), *crid = item_header(item, "client-request-id"), *type = item_header(item, "Content-Type");
    char *target = eb_asprintf("/v1.0%s%s", *url == '/' ? "" : "/", url);

    c->cloud = SIM_CLOUD_GRAPH;
    c->in_batch = true;
    c->eventual = eb_strieq(item_header(item, "ConsistencyLevel"), "eventual");
    c->minimal = eb_strieq(item_header(item, "Prefer"), "return=minimal");
    c->priority = item_header(item, "x-ms-throttle-priority") != NULL ? sim_priority_parse(item_header(item, "x-ms-throttle-priority")) : outer->priority;
    snprintf(c->method, sizeof(c->method), "%s", eb_json_str(item, "method"));
    memcpy(c->authorization, outer->authorization, sizeof(c->authorization));
    memcpy(c->base_url, outer->base_url, sizeof(c->base_url));
    snprintf(c->client_request_id, sizeof(c->client_request_id), "%s", crid != NULL ? crid : outer->client_request_id);
    snprintf(c->content_type, sizeof(c->content_type), "%s", type != NULL ? type : "");
    sim_quick_id(c->request_id);
    json_t *body = json_object_get(item, "body");
    if (body != NULL) {
        c->json = json_incref(body);
        c->body = (struct eb_span){ "x", 1 };   /* there is one; handlers take c->json */
    }
    c->json_tried = true;
    bool ok = sim_call_target(c, target);
    free(target);
    return ok;
}

static json_t *answer_json(const char *id, struct sim_reply *r)
{
    static unsigned turn;
    json_t *headers = json_object();
    json_t *out = json_pack("{s:s, s:i}", "id", id, "status", r->status);

    if (r->body != NULL || r->text_is_json)
        json_object_set_new(headers, "Content-Type", json_string("application/json"));
    for (size_t i = 0; i < r->header_count; i++) {
        char name[40];              /* real batches vary the case of header names */
        snprintf(name, sizeof(name), "%s", r->headers[i].name);
        if (strcasecmp(name, "Retry-After") == 0 && ++turn % 2 == 0)
            snprintf(name, sizeof(name), "retry-after");
        json_object_set_new(headers, name, json_string(r->headers[i].value));
    }
    json_object_set_new(out, "headers", headers);
    json_t *body = sim_reply_tree(r);
    if (body != NULL)
        json_object_set_new(out, "body", body);
    return out;
}

static bool dependency_failed(struct item *items, size_t n, const json_t *source)
{
    const json_t *depends = json_object_get(source, "dependsOn");

    for (size_t i = 0; i < json_array_size(depends); i++) {
        const struct item *d = find_item(items, n, json_string_value(json_array_get(depends, i)));
        if (d == NULL || d->status >= 400)
            return true;
    }
    return false;
}

/* Runs one call with its fault, if a rule orders one. */
static void run_call(struct sim *s, struct sim_call *c, struct sim_reply *r, struct sim_reply *whole)
{
    struct sim_action *act = sim_faults_decide(s->faults, c);
    uint64_t entry = sim_calls_add(s->calls, c, act != NULL ? act->rule : 0);

    if (act == NULL || !sim_action_prevents(act))
        graph_answer(s, c, r);
    if (act != NULL && (act->status != 0 || act->status_after != 0))
        sim_action_answer(act, c, r);
    if (r->status == 0)
        odata_error(c, r, 503, "serviceNotAvailable", "The service is temporarily unavailable.");
    sim_calls_answered(s->calls, entry, r->status, NULL);
    if (act != NULL && sim_action_is_transport(act) && whole->transport == NULL)
        whole->transport = act;
    else
        sim_action_free(act);
}

static void run_item(struct sim *s, struct sim_call *outer, struct item *items, size_t n, struct sim_reply *whole)
{
    struct item *it = &items[n];
    struct sim_call c = { 0 };
    struct sim_reply r = { 0 };

    if (!make_call(outer, it->source, &c))
        odata_bad_request(&c, &r, "Invalid request url.");
    else if (dependency_failed(items, n, it->source))
        odata_error(&c, &r, 424, "FailedDependency", "A request that this one depends on has failed.");
    else
        run_call(s, &c, &r, whole);
    it->status = r.status;
    it->answer = answer_json(it->id, &r);
    sim_reply_clear(&r);
    sim_call_free(&c);
}

static json_t *log_json(const struct item *items, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:O, s:O, s:i}", "id", items[i].id, "method", json_object_get(items[i].source, "method"),
                                              "url", json_object_get(items[i].source, "url"), "status", items[i].status));
    return json_pack("{s:o}", "items", list);
}

void graph_batch(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct item items[ITEMS_MAX] = { 0 };
    json_t *body = graph_body(c, r);
    const json_t *requests = json_object_get(body, "requests");
    size_t n = json_array_size(requests);

    if (body == NULL)
        return;
    if (n == 0 || n > ITEMS_MAX || json_object_size(body) != 1) {
        odata_error(c, r, 400, "BadRequest", n > ITEMS_MAX ? "Number of batch request steps exceeds the maximum value of 20."
                    : "Invalid batch payload format.");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *fault = item_fault(json_array_get(requests, i), items, i);
        if (fault != NULL) {
            odata_error(c, r, 400, "BadRequest", "%s", fault);
            return;
        }
        items[i].source = json_array_get(requests, i);
        items[i].id = eb_json_str(items[i].source, "id");
    }
    for (size_t i = 0; i < n; i++)
        run_item(s, c, items, i, r);
    r->log = log_json(items, n);
    for (size_t i = n; i > 1; i--) {            /* in any order, as in life */
        size_t k = eb_random_below((uint32_t)i);
        struct item swap = items[i - 1];
        items[i - 1] = items[k];
        items[k] = swap;
    }
    json_t *responses = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(responses, items[i].answer);
    sim_reply_json(r, 200, json_pack("{s:o}", "responses", responses));
}
