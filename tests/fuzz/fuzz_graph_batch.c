/* fuzz_graph_batch.c - Graph's answers to a $batch, put into order, and each item judged. Accepted: a batch answer. */
#include "graph/batch.h"
#include "graph/catalogue.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1792000000000)

static const char *const paths[] = { "/users/a%40contoso.com?$select=id", "/groups/b0000000-0000-4000-8000-000000000001?$select=id",
                                     "/users/a%40contoso.com/transitiveMemberOf?$select=id" };

bool fuzz_accepted;

static void check_item(const struct graph_item *item)
{
    struct graph_reply r = { .status = item->status, .body = item->body, .retry_after_ms = item->retry_after_ms };
    struct graph_error e;

    assert(item->status == 0 || (item->status >= 100 && item->status <= 999));
    assert(item->retry_after_ms >= -1 && memchr(item->request_id, '\0', sizeof(item->request_id)) != NULL);
    if (item->status == 0) {
        assert(graph_item_open(item));
        return;
    }
    graph_error_read(item->body, &e);
    graph_judge(&(struct graph_asked){ .kind = GRAPH_READ, .path = item->path }, &e, &r);
    assert((r.result == GRAPH_OK) == (item->status >= 200 && item->status < 300));
}

/* What is still open is asked again: never what has been answered, never more than there was. */
static void check_rest(const struct graph_batch *b)
{
    struct eb_buf body = EB_BUF(KiB(64));
    json_t *again = NULL;
    struct eb_err err = { 0 };
    size_t open = 0;

    for (int i = 0; i < b->count; i++)
        open += graph_item_open(&b->items[i]);
    bool written = graph_batch_body(b, &body);
    assert(written && body.data != NULL);
    bool read = eb_json_parse((struct eb_span){ body.data, body.len }, &again, &err);
    assert(read && json_array_size(json_object_get(again, "requests")) == open);
    json_decref(again);
    eb_buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct graph_batch *b = graph_batch_new();
    struct eb_err err = { 0 };
    json_t *answer = NULL;

    for (size_t i = 0; i < EB_LEN(paths); i++) {
        int number = graph_batch_get(b, paths[i]);
        assert(number == (int)i);
    }
    fuzz_accepted = eb_json_parse_reply((struct eb_span){ (const char *)data, len }, &answer, &err) && graph_batch_take(b, answer, NOW_MS);
    assert(b->count == (int)EB_LEN(paths));
    for (int i = 0; i < b->count; i++)
        check_item(&b->items[i]);
    check_rest(b);
    json_decref(answer);
    graph_batch_free(b);
    return 0;
}
