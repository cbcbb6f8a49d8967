/* batch.h - the pure parts of $batch: the request's body, and the answer's items put into order. */
#ifndef GRAPH_BATCH_H
#define GRAPH_BATCH_H

#include "graph/graph.h"

struct graph_item {
    char *path;
    int status;                 /* 0: not answered yet, or missing in the answer */
    json_t *body;               /* owned */
    int64_t retry_after_ms;     /* -1: not told */
    char request_id[64];
};
struct graph_batch {
    struct graph_item items[GRAPH_BATCH_MAX];
    int count;
    enum graph_priority priority;
    uint32_t caller;
    bool bad;                   /* a path could not be taken, or there were too many */
};

void graph_batch_free(struct graph_batch *b);
bool graph_needs_eventual(const char *path);               /* an advanced query: it wants a header of its own */
bool graph_item_open(const struct graph_item *i);       /* still to be asked, or asked again */
/* The body that asks all open items. */
bool graph_batch_body(const struct graph_batch *b, struct eb_buf *out);
/* Puts an answer's responses into the items, by id, in any order; unknown ids, repeated ids and items without a usable status
 * are passed over. False: it is no batch answer. wall_now_ms: eb_now_ms(). */
bool graph_batch_take(struct graph_batch *b, const json_t *answer, int64_t wall_now_ms);

#endif
