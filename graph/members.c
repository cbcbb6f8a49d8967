/* members.c - additions to one group that wait at the same time leave together, as one PATCH.
 *
 * One of them gathers the others: it waits for its turn in outbound like every write, and what it sends is made when that comes. Graph does
 * all of a PATCH or nothing of it, and a member already, a protected one or one that is gone fails it: then each is sent by itself, so
 * that everyone's answer is their own. After a doubt nothing is known of any of them, and each caller repeats by itself (graph_write.alone).
 * https://learn.microsoft.com/graph/api/group-post-members
 */
#include "graph/internal.h"
#include "graph/path.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TOGETHER_MAX 20
#define QUIET_MS 200            /* who is patient waits for others so long after the latest one came, ... */
#define WAIT_MOST_MS 1000       /* ... and so long after the first one */
#define BODY_MAX KiB(256)      /* a link is as long as entra.graph_url makes it */

static void stop_gathering(struct graph_call *call)
{
    if (call->gathers)
        LIST_REMOVE(call, gathering);
    call->gathers = false;
}

void graph_members_forget(struct graph_call *call)
{
    struct graph_call *other;

    stop_gathering(call);
    while ((other = TAILQ_FIRST(&call->joined)) != NULL) {
        TAILQ_REMOVE(&call->joined, other, link);
        graph_call_free(other);
    }
}

/* ---- before it leaves ---- */

static bool is_of(const struct graph_call *call, const char *member)
{
    const struct graph_call *other;

    if (eb_strieq(call->member, member))
        return true;
    TAILQ_FOREACH(other, &call->joined, link)
        if (eb_strieq(other->member, member))
            return true;
    return false;
}

/* NULL: none that it may join. Graph refuses somebody who is named twice. */
static struct graph_call *find(const struct graph_call *call)
{
    struct graph_call *c;

    LIST_FOREACH(c, &call->graph->gatherings, gathering)
        if (c->priority == call->priority && eb_strieq(c->group, call->group) && !is_of(c, call->member))
            return c;
    return NULL;
}

static void join(struct graph_call *to, struct graph_call *call)
{
    int64_t now_ms = eb_mono_ms(), quiet_ms = now_ms + QUIET_MS;
    bool full = ++to->joined_count + 1 == TOGETHER_MAX;

    TAILQ_INSERT_TAIL(&to->joined, call, link);
    if (full)
        stop_gathering(to);
    if (to->patient)            /* until somebody joins who is not */
        graph_call_due(to, full || !call->patient ? now_ms : quiet_ms < to->gathers_until_ms ? quiet_ms : to->gathers_until_ms);
    to->patient = to->patient && call->patient;
}

static void gather(struct graph_call *call)
{
    int64_t now_ms = eb_mono_ms();

    if (call->patient) {
        call->not_before_ms = now_ms + QUIET_MS;
        call->gathers_until_ms = now_ms + WAIT_MOST_MS;
    }
    call->gathers = true;
    LIST_INSERT_HEAD(&call->graph->gatherings, call, gathering);
}

static bool leaves_at_once(const struct graph_call *call)
{
    uint64_t serial;

    return !call->patient && graph_token_header(call->graph->token, &serial) != NULL && outbound_write_is_free(call->graph->cloud);
}

void graph_members_submit(struct graph_call *call, const struct graph_write *w)
{
    struct graph_call *to;

    call->patient = w->patient || w->background;
    if (!leaves_at_once(call)) {
        call->group = eb_strdup(w->other_id);
        call->member = eb_strdup(w->user_id);
        to = find(call);
        if (to != NULL) {
            join(to, call);
            return;
        }
        gather(call);
    }
    graph_call_submit(call);
}

/* ---- it leaves ---- */

static char *body_of(const struct graph_call *call)
{
    struct eb_buf body = EB_BUF(BODY_MAX);
    const struct graph_call *other;
    char *link = graph_object_link(call->graph, call->member);

    eb_buf_addf(&body, "{\"members@odata.bind\":[\"%s\"", link);
    free(link);
    TAILQ_FOREACH(other, &call->joined, link) {
        link = graph_object_link(call->graph, other->member);
        eb_buf_addf(&body, ",\"%s\"", link);
        free(link);
    }
    eb_buf_str(&body, "]}");
    return eb_buf_take(&body);
}

void graph_members_fill(void *ctx, uint64_t id, struct outbound_request *r)
{
    struct graph_call *call = ctx;

    (void)id;
    stop_gathering(call);
    if (TAILQ_EMPTY(&call->joined))
        return;
    free(call->patch_path);
    free(call->patch_body);
    call->patch_path = graph_path_group_patch(&(struct graph_write){ .other_id = call->group });
    call->patch_body = body_of(call);
    r->method = "PATCH";
    r->call = "graph.members_add";
    r->path = call->patch_path;
    r->body = (struct eb_span){ call->patch_body, strlen(call->patch_body) };
}

/* ---- the answer ---- */

/* Of an answer without a verdict on anybody (throttled, in doubt, not sent, no token) each has the same part. */
static bool is_about_one(const struct graph_reply *r)
{
    return (r->result == GRAPH_REFUSED && r->status != 401) || r->result == GRAPH_NO_CHANGE;
}

bool graph_members_split(struct graph_call *call, const struct graph_reply *r)
{
    struct graph_call *other;

    if (TAILQ_EMPTY(&call->joined) || !is_about_one(r))
        return false;
    while ((other = TAILQ_FIRST(&call->joined)) != NULL) {
        TAILQ_REMOVE(&call->joined, other, link);
        graph_call_submit(other);
    }
    call->joined_count = 0;
    graph_call_again(call, 0);
    return true;
}

void graph_members_tell(struct graph_call *call, const struct graph_reply *r)
{
    struct graph_call *other;

    stop_gathering(call);           /* it may have ended before it left: who is told may add somebody anew */
    call->done(call->ctx, call->id, r);
    while ((other = TAILQ_FIRST(&call->joined)) != NULL) {
        TAILQ_REMOVE(&call->joined, other, link);
        other->done(other->ctx, other->id, r);
        graph_call_free(other);
    }
}
