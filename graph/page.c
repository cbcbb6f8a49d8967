/* page.c - one page of a long list, as bytes: the way of a synchronization into the directory.
 *
 * Such a page goes behind everything else that waits, and Graph is told that it may be refused first. It is not parsed here, since the loop would stand
 * still for it: a glance says whether it can be JSON at all, the parser on the staging thread decides.
 * Invariant: GRAPH_OK means the whole body of a 2xx. A cut answer, a proxy's page, an error are never OK.
 */
#include "graph/internal.h"

#include "base/text.h"

#include <string.h>

#define PAGE_MAX MiB(8)         /* a page of 999 users with many attributes, or of a delta, is some 2 MiB */

static bool is_link(const char *path_or_link)
{
    return path_or_link != NULL && path_or_link[0] != '/';
}

void graph_page_get(struct graph *g, const char *path_or_link, bool minimal, int64_t deadline_ms, uint64_t id, graph_page_done *done, void *ctx)
{
    struct graph_call *call = graph_call_new(g, GRAPH_READ, "graph.page", "GET", deadline_ms);
    const char *path = path_or_link;

    call->priority = GRAPH_SYNC;
    call->minimal = minimal;
    call->from_link = is_link(path_or_link);
    call->max_body = PAGE_MAX;
    call->id = id;
    call->page_done = done;
    call->ctx = ctx;
    if (path == NULL)
        (void)eb_fail(&call->failure, EB_INTERNAL, "there is no path for this page");
    else if (call->from_link && !outbound_url_within(g->cloud, path_or_link, &path))
        (void)eb_fail(&call->failure, EB_ENTRA_UNAVAILABLE, "Graph gave a link to a next page that leads elsewhere: it is not followed.");
    if (call->failure.code == EB_OK) {
        call->path = eb_strdup(path);
        call->advanced = graph_needs_eventual(path);
    }
    graph_call_submit(call);
}

/* A link carries what Graph keeps for it. One that it does not know (any more) is refused in several ways, and asked again it always will be. */
static bool is_stale(const struct graph_call *call, int status)
{
    return status == 410 || (call->from_link && (status == 400 || status == 404));
}

void graph_page_answered(struct graph_call *call, const struct graph_reply *judged, const struct outbound_reply *o)
{
    struct graph_page_reply r = { judged->result, judged->status, o->body, o->throttled_ms, judged->err };

    if (o->result == OUTBOUND_ANSWERED && is_stale(call, o->status)) {
        r.result = GRAPH_REFUSED;
        (void)eb_fail(&r.err, EB_NOT_THERE, "Graph does not know the place any more that was to be gone on from (%d): everything is to be read anew.", o->status);
    } else if (r.result == GRAPH_OK && !outbound_looks_like_json(o->body)) {
        r.result = GRAPH_IN_DOUBT;
        (void)eb_fail(&r.err, EB_ENTRA_UNAVAILABLE, "Graph answered %d with something that is not JSON: check entra.graph_url, and whether a proxy stands "
                      "in between.", o->status);
    }
    if (r.result != GRAPH_OK)
        r.body = (struct eb_span){ "", 0 };
    call->told = true;
    call->page_done(call->ctx, call->id, &r);
}

void graph_page_failed(struct graph_call *call, const struct graph_reply *r)
{
    const struct graph_page_reply reply = { .result = r->result, .body = { "", 0 }, .err = r->err };

    call->told = true;
    call->page_done(call->ctx, call->id, &reply);
}
