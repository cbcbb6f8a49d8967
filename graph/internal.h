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

TAILQ_HEAD(graph_calls, graph_call);

struct graph_call {
    TAILQ_ENTRY(graph_call) link;
    LIST_ENTRY(graph_call) gathering;
    struct graph *graph;
    enum graph_kind kind;
    const char *name, *method;      /* static */
    char *path, *body;
    char *permission, *changes;     /* of a write, for texts: graph_asked in catalogue.h */
    bool secret;                    /* body or answer may hold one: wiped */
    bool advanced;                  /* needs ConsistencyLevel: eventual */
    struct graph_batch *batch;
    bool token_only;                /* graph_check_credentials */
    enum graph_priority priority;
    uint32_t caller;                /* graph_caller() */
    bool minimal;                   /* Prefer: return=minimal */
    char *group, *member;           /* of an addition that may leave with others; else NULL */
    bool gathers;                   /* others may still join it: it is in graph.gatherings */
    struct graph_calls joined;      /* which leave with it */
    int joined_count;
    bool patient;                   /* of such an addition: it waits for others for a short time, and ... */
    int64_t gathers_until_ms;       /* ... until then at most */
    char *patch_path, *patch_body;  /* of all of them */
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

struct graph {
    struct eb_loop *loop;
    struct outbound_cloud *cloud;
    enum config_cloud cloud_place;
    struct graph_token *token;
    struct eb_timer *timer;         /* the next thing that a waiting call waits for */
    struct graph_calls waiting, sent;
    LIST_HEAD(, graph_call) gatherings;
    graph_may *may;                 /* of writes; NULL: all */
    void *may_ctx;
};

/* graph.c */
struct graph_call *graph_call_new(struct graph *g, enum graph_kind kind, const char *name, const char *method, int64_t deadline_ms);
void graph_call_submit(struct graph_call *call);        /* takes it */
void graph_call_again(struct graph_call *call, int64_t after_ms);
void graph_call_due(struct graph_call *call, int64_t at_ms);    /* one that waits is sent then: monotonic */
void graph_call_free(struct graph_call *call);

void graph_call_drop(struct graph_call *call);          /* forgets what is under way, and frees */

/* Of a call for a page (page.c): tells; the call is freed afterwards. */
void graph_page_answered(struct graph_call *call, const struct graph_reply *judged, const struct outbound_reply *o);
void graph_page_failed(struct graph_call *call, const struct graph_reply *r);

/* members.c */
void graph_members_submit(struct graph_call *call, const struct graph_write *w);       /* takes it */
void graph_members_fill(void *ctx, uint64_t id, struct outbound_request *r);            /* what a call that others may have joined sends */
/* True: the answer says nothing about each of several, so that each is sent by itself. */
bool graph_members_split(struct graph_call *call, const struct graph_reply *r);
void graph_members_tell(struct graph_call *call, const struct graph_reply *r);          /* the call, and those that left with it */
void graph_members_forget(struct graph_call *call);     /* frees those that joined, and lets nobody join any more */

/* priority.c */
const char *graph_priority_word(enum graph_priority p);         /* for x-ms-throttle-priority; NULL: none */
uint32_t graph_caller(const char *name);                        /* a number for a caller; NULL: 0 */

/* Of a call that carries a batch (batch.c): true while it goes on. */
bool graph_batch_answered(struct graph_call *call, const struct graph_reply *r);
void graph_batch_failed(struct graph_call *call, const struct eb_err *err);

#endif
