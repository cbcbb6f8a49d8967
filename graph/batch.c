/* batch.c - $batch: up to 20 reads in one round trip; those that were throttled or failed are asked again.
 *
 * An item is open until it has an answer that is not transient. Throttling is told for each item, inside an answer of 200:
 * only the open ones go into the next round, after the longest Retry-After, while the deadline allows.
 */
#include "graph/batch.h"
#include "graph/internal.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "outbound/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX KiB(256)
#define ROUND_FIRST_MS 250
#define ROUND_LAST_MS 8000

struct graph_batch *graph_batch_new(void)
{
    return eb_alloc(sizeof(struct graph_batch));
}

void graph_batch_for(struct graph_batch *b, enum graph_priority priority, const char *caller)
{
    b->priority = priority;
    b->caller = graph_caller(caller);
}

void graph_batch_free(struct graph_batch *b)
{
    if (b == NULL)
        return;
    for (int i = 0; i < b->count; i++) {
        free(b->items[i].path);
        json_decref(b->items[i].body);
    }
    free(b);
}

/* An escaped path has nothing that JSON would need to escape. */
static bool path_taken(const char *path)
{
    if (path == NULL || path[0] != '/')
        return false;
    for (const char *p = path; *p != '\0'; p++)
        if (*p <= ' ' || (unsigned char)*p >= 0x7F || *p == '"' || *p == '\\' || *p == '#')
            return false;
    return true;
}

int graph_batch_get(struct graph_batch *b, const char *path)
{
    if (b->count >= GRAPH_BATCH_MAX || !path_taken(path)) {
        b->bad = true;
        return b->count;
    }
    b->items[b->count].path = eb_strdup(path);
    b->items[b->count].retry_after_ms = -1;
    return b->count++;
}

bool graph_item_open(const struct graph_item *i)
{
    return i->status == 0 || graph_is_transient(i->status);
}

bool graph_needs_eventual(const char *path)
{
    return strstr(path, "$count") != NULL || strstr(path, "$search") != NULL;
}

bool graph_batch_body(const struct graph_batch *b, struct eb_buf *out)
{
    const char *const eventual = "\"ConsistencyLevel\":\"eventual\"", *word = graph_priority_word(b->priority), *between = "";

    eb_buf_str(out, "{\"requests\":[");
    for (int i = 0; i < b->count; i++) {
        const struct graph_item *item = &b->items[i];
        if (!graph_item_open(item))
            continue;
        bool advanced = graph_needs_eventual(item->path);
        eb_buf_addf(out, "%s{\"id\":\"%d\",\"method\":\"GET\",\"url\":\"%s\"", between, i, item->path);
        if (advanced || word != NULL)
            eb_buf_addf(out, ",\"headers\":{%s%s", advanced ? eventual : "", advanced && word != NULL ? "," : "");
        if (word != NULL)
            eb_buf_addf(out, "\"x-ms-throttle-priority\":\"%s\"", word);
        if (advanced || word != NULL)
            eb_buf_str(out, "}");
        eb_buf_str(out, "}");
        between = ",";
    }
    eb_buf_str(out, "]}");
    return !out->failed;
}

/* The case of header names inside items varies. */
static const char *header(const json_t *item, const char *name)
{
    json_t *headers = json_object_get(item, "headers");
    const char *key;
    json_t *value;

    json_object_foreach(headers, key, value)
        if (eb_strieq(key, name))
            return json_string_value(value);
    return NULL;
}

static int item_number(const json_t *response, int count)
{
    const char *id = eb_json_str(response, "id");
    int number = 0;

    if (id == NULL || strlen(id) == 0 || strlen(id) > 2 || strspn(id, "0123456789") != strlen(id))
        return -1;
    number = atoi(id);
    return number < count ? number : -1;
}

static void take_one(struct graph_batch *b, const json_t *response, bool seen[GRAPH_BATCH_MAX], int64_t wall_now_ms)
{
    int number = item_number(response, b->count);
    int64_t status = eb_json_int(response, "status", 0);

    if (number < 0 || seen[number] || status < 100 || status > 599 || !graph_item_open(&b->items[number]))
        return;
    struct graph_item *item = &b->items[number];
    const char *retry_after = header(response, "retry-after"), *request_id = header(response, "request-id");
    json_t *body = json_object_get(response, "body");

    seen[number] = true;
    json_decref(item->body);
    item->body = json_incref(body);       /* NULL stays NULL; of $count it is a text */
    item->status = (int)status;
    item->retry_after_ms = retry_after == NULL ? -1
        : outbound_retry_after((struct eb_span){ retry_after, strlen(retry_after) }, wall_now_ms);
    eb_text_clean(request_id != NULL ? request_id : "", item->request_id, sizeof(item->request_id));
}

bool graph_batch_take(struct graph_batch *b, const json_t *answer, int64_t wall_now_ms)
{
    const json_t *responses = json_object_get(answer, "responses");
    bool seen[GRAPH_BATCH_MAX] = { false };
    size_t i;
    json_t *response;

    if (!json_is_array(responses))
        return false;
    json_array_foreach(responses, i, response)
        take_one(b, response, seen, wall_now_ms);
    return true;
}

/* ---- on its way ---- */

static void put_in(struct graph_call *call)
{
    struct eb_buf body = EB_BUF(BODY_MAX);

    if (!graph_batch_body(call->batch, &body))
        (void)eb_fail(&call->failure, EB_INTERNAL, "the batch is too large");
    free(call->body);
    call->body = eb_buf_take(&body);
}

void graph_batch_send(struct graph *g, struct graph_batch *b, int64_t deadline_ms, uint64_t id, graph_batch_done *done, void *ctx)
{
    struct graph_call *call = graph_call_new(g, GRAPH_READ, "graph.batch", "POST", deadline_ms);

    call->path = eb_strdup("/$batch");
    call->batch = b;
    call->priority = b->priority;
    call->caller = b->caller;
    call->id = id;
    call->batch_done = done;
    call->ctx = ctx;
    if (b->bad || b->count == 0)
        (void)eb_fail(&call->failure, EB_INTERNAL, "a batch holds 1 to %d reads with escaped paths", GRAPH_BATCH_MAX);
    else
        put_in(call);
    graph_call_submit(call);
}

/* Milliseconds until the next round; -1: nothing is open, or there is no time for one. */
static int64_t next_round_ms(const struct graph_call *call)
{
    int64_t wait = ROUND_FIRST_MS, told = -1;
    bool open = false;

    for (int i = 0; i < call->batch->count; i++) {
        const struct graph_item *item = &call->batch->items[i];
        open = open || graph_item_open(item);
        if (graph_item_open(item) && item->retry_after_ms > told)
            told = item->retry_after_ms;
    }
    if (!open)
        return -1;
    for (int i = 1; i < call->rounds && wait < ROUND_LAST_MS; i++)
        wait *= 2;
    wait = wait * (int64_t)(70 + eb_random_below(61)) / 100;
    if (told > wait)
        wait = told + (int64_t)eb_random_below(100);
    return eb_mono_ms() + wait < call->deadline_ms ? wait : -1;
}

/* Fills e and r, which are zero. */
static void item_reply(const struct graph_item *item, struct graph_error *e, struct graph_reply *r)
{
    r->status = item->status;
    r->body = item->body;
    r->retry_after_ms = item->retry_after_ms;
    r->request_id = item->request_id;
    if (item->status == 0) {
        r->result = GRAPH_IN_DOUBT;
        (void)eb_fail(&r->err, EB_ENTRA_UNAVAILABLE, "Graph left a part of the batch unanswered.");
    } else {
        if (item->status >= 300)
            graph_error_read(item->body, e);
        graph_judge(&(struct graph_asked){ .kind = GRAPH_READ, .path = item->path }, e, r);
    }
    r->graph_code = e->code;
}

static void tell(struct graph_call *call)
{
    size_t count = (size_t)call->batch->count;
    struct graph_reply *replies = eb_alloc(count * sizeof(*replies));
    struct graph_error *errors = eb_alloc(count * sizeof(*errors));

    for (size_t i = 0; i < count; i++)
        item_reply(&call->batch->items[i], &errors[i], &replies[i]);
    call->told = true;
    call->batch_done(call->ctx, call->id, replies, (int)count, NULL);
    free(replies);
    free(errors);
}

bool graph_batch_answered(struct graph_call *call, const struct graph_reply *r)
{
    struct eb_err err = { 0 };

    if (r->result != GRAPH_OK) {
        graph_batch_failed(call, &r->err);
        return false;
    }
    call->rounds++;
    if (!graph_batch_take(call->batch, r->body, eb_now_ms())) {
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph answered a batch with something else: check entra.graph_url.");
        graph_batch_failed(call, &err);
        return false;
    }
    int64_t wait = next_round_ms(call);
    if (wait >= 0) {
        put_in(call);
        graph_call_again(call, wait);
        return true;
    }
    tell(call);
    return false;
}

void graph_batch_failed(struct graph_call *call, const struct eb_err *err)
{
    call->told = true;
    call->batch_done(call->ctx, call->id, NULL, 0, err);
}
