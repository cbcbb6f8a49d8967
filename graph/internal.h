/* internal.h - what the files of graph share: a call on its way, and the batch that one may carry.
 *
 * A call is in exactly one list: waiting (for the token, for its next try, or to be told of a failure) or sent. Its end is
 * told once, never inside the function that began it. Whatever it waits for, its deadline counts from its beginning.
 */
#ifndef GRAPH_INTERNAL_H
#define GRAPH_INTERNAL_H

#include "graph/batch.h"
#include "graph/catalogue.h"
#include "graph/token.h"

#include <sys/queue.h>

struct graph_call {
    TAILQ_ENTRY(graph_call) link;
    struct graph *graph;
    enum graph_kind kind;
    const char *name, *method;      /* static */
    char *path, *body;
    char *permission, *changes;     /* of a write, for texts: graph_asked in catalogue.h */
    bool secret;                    /* body or answer may hold one: wiped */
    bool advanced;                  /* needs ConsistencyLevel: eventual */
    struct graph_batch *batch;
    bool token_only;                /* graph_check_credentials */
    bool low, minimal;              /* of a synchronization: behind everything else; Prefer: return=minimal */
    bool from_link, told;           /* of a page */
    size_t max_body;                /* 0: what is usual */
    bool is_sent, renewed;          /* renewed: a 401 has been answered with a new token once */
    uint64_t serial;                /* of the token it was sent with */
    int64_t deadline_ms, not_before_ms;     /* monotonic */
    int rounds;                     /* of a batch */
    uint64_t id;
    graph_done *done;
    graph_batch_done *batch_done;
    graph_page_done *page_done;
    void *ctx;
    struct eb_err failure;          /* found out before it was sent */
};
TAILQ_HEAD(graph_calls, graph_call);

struct graph {
    struct eb_loop *loop;
    struct outbound_cloud *cloud;
    enum config_cloud cloud_place;
    struct graph_token *token;
    struct eb_timer *timer;         /* the next thing that a waiting call waits for */
    struct graph_calls waiting, sent;
};

/* graph.c */
struct graph_call *graph_call_new(struct graph *g, enum graph_kind kind, const char *name, const char *method, int64_t deadline_ms);
void graph_call_submit(struct graph_call *call);        /* takes it */
void graph_call_again(struct graph_call *call, int64_t after_ms);
void graph_call_free(struct graph_call *call);

void graph_call_drop(struct graph_call *call);          /* forgets what is under way, and frees */

/* Of a call for a page (page.c): tells; the call is freed afterwards. */
void graph_page_answered(struct graph_call *call, const struct graph_reply *judged, const struct outbound_reply *o);
void graph_page_failed(struct graph_call *call, const struct graph_reply *r);

/* Of a call that carries a batch (batch.c): true while it goes on. */
bool graph_batch_answered(struct graph_call *call, const struct graph_reply *r);
void graph_batch_failed(struct graph_call *call, const struct eb_err *err);

#endif
