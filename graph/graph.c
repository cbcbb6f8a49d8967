/* graph.c - a call's way to Graph: wait for the token, send, understand the answer, tell.
 *
 * A 401 did nothing, so every call, a write too, may go once more with a new token. Nothing else is repeated here: reads
 * are repeated by outbound, writes by those who know what a doubt means.
 */
#include "graph/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MS 30000
#define QUEUE_MAX 2048
#define BODY_MAX MiB(4)         /* of an answer: a page of 999 users */

static void on_answer(void *ctx, uint64_t id, const struct outbound_reply *o);

struct graph_call *graph_call_new(struct graph *g, enum graph_kind kind, const char *name, const char *method, int64_t deadline_ms)
{
    struct graph_call *call = eb_alloc(sizeof(*call));

    call->graph = g;
    call->kind = kind;
    call->name = name;
    call->method = method;
    call->deadline_ms = eb_mono_ms() + (deadline_ms > 0 ? deadline_ms : READ_MS);
    TAILQ_INIT(&call->joined);
    return call;
}

void graph_call_free(struct graph_call *call)
{
    graph_members_forget(call);
    graph_batch_free(call->batch);
    free(call->path);
    free(call->group);
    free(call->member);
    free(call->patch_path);
    free(call->patch_body);
    free(call->permission);
    free(call->changes);
    if (call->secret)
        eb_wipe_free(call->body);
    else
        free(call->body);
    free(call);
}

static void move(struct graph_call *call, bool to_sent)
{
    struct graph *g = call->graph;

    if (call->is_sent)
        TAILQ_REMOVE(&g->sent, call, link);
    else
        TAILQ_REMOVE(&g->waiting, call, link);
    if (to_sent)
        TAILQ_INSERT_TAIL(&g->sent, call, link);
    else
        TAILQ_INSERT_TAIL(&g->waiting, call, link);
    call->is_sent = to_sent;
}

static void end(struct graph_call *call)
{
    if (call->is_sent)
        TAILQ_REMOVE(&call->graph->sent, call, link);
    else
        TAILQ_REMOVE(&call->graph->waiting, call, link);
    graph_call_free(call);
}

void graph_call_drop(struct graph_call *call)
{
    if (call->is_sent)
        outbound_forget(call->graph->cloud, call, call->id);
    end(call);
}

/* Ends a call that is not under way. */
static void fail(struct graph_call *call, const struct eb_err *err)
{
    bool refused = err->code == EB_REJECTED_BY_ENTRA;       /* not offered: no use in trying again */
    struct graph_reply r = { .result = refused ? GRAPH_REFUSED : GRAPH_NOT_SENT, .retry_after_ms = err->retry_after_ms > 0 ? err->retry_after_ms : -1,
                             .request_id = "", .graph_code = "", .err = *err };

    if (call->batch_done != NULL)
        graph_batch_failed(call, err);
    else if (call->page_done != NULL)
        graph_page_failed(call, &r);
    else
        graph_members_tell(call, &r);
    end(call);
}

void graph_on_write(struct graph *g, graph_may *may, void *ctx)
{
    g->may = may;
    g->may_ctx = ctx;
}

static bool may_leave(void *ctx, uint64_t id)
{
    const struct graph_call *call = ctx, *other;
    const struct graph *g = call->graph;
    bool may = g->may == NULL || g->may(g->may_ctx, id);

    TAILQ_FOREACH(other, &call->joined, link)
        may = may && (g->may == NULL || g->may(g->may_ctx, other->id));
    return may;
}

static void transmit(struct graph_call *call, const char *authorization)
{
    static const char eventual[] = "ConsistencyLevel: eventual";
    static const char no_type[] = "Content-Type:";          /* takes away the one that libcurl gives a POST without a body */
    static const char minimal[] = "Prefer: return=minimal";
    const char *headers[6] = { authorization }, *word = graph_priority_word(call->priority);
    char priority[sizeof("x-ms-throttle-priority: normal")];
    int64_t left = call->deadline_ms - eb_mono_ms();
    int count = 1;

    if (call->advanced)
        headers[count++] = eventual;
    if (call->body == NULL && strcmp(call->method, "POST") == 0)
        headers[count++] = no_type;
    snprintf(priority, sizeof(priority), "x-ms-throttle-priority: %s", word != NULL ? word : "normal");
    if (word != NULL)
        headers[count++] = priority;
    if (call->minimal)
        headers[count++] = minimal;
    move(call, true);
    outbound_send(call->graph->cloud, &(struct outbound_request){
        .method = call->method, .path = call->path, .call = call->name, .headers = headers,
        .content_type = call->body != NULL ? "application/json" : NULL,
        .body = { call->body, call->body != NULL ? strlen(call->body) : 0 }, .repeat_safe = call->kind == GRAPH_READ, .wants_json = true,
        .high_priority = call->kind != GRAPH_READ, .background = call->priority == GRAPH_BACKGROUND, .low_priority = call->priority == GRAPH_SYNC,
        .caller = call->caller, .fill = call->gathers || call->joined_count > 0 ? graph_members_fill : NULL,
        .may = call->kind != GRAPH_READ ? may_leave : NULL, .secret_body = call->secret,
        .deadline_ms = left > 0 ? left : 1, .max_body = call->max_body > 0 ? call->max_body : BODY_MAX },
        call->id, on_answer, call);
}

static void set_timer(struct graph *g)
{
    struct graph_call *call;
    uint64_t serial;
    bool has_token = graph_token_header(g->token, &serial) != NULL;
    int64_t next = INT64_MAX;

    TAILQ_FOREACH(call, &g->waiting, link) {
        bool ripe = has_token && (call->token_only || eb_mono_ms() >= call->not_before_ms);
        bool due = call->failure.code != EB_OK || ripe;     /* it was put off to the next turn, whoever sets the timer since */
        int64_t at = due ? 0
            : call->not_before_ms > eb_mono_ms() && call->not_before_ms < call->deadline_ms ? call->not_before_ms : call->deadline_ms;
        next = at < next ? at : next;
    }
    if (next < INT64_MAX)
        eb_timer_set(g->timer, next - eb_mono_ms());
    else
        eb_timer_stop(g->timer);
}

/* Moves one waiting call on as far as it can; it may have ended then. */
static void advance(struct graph_call *call)
{
    struct graph *g = call->graph;
    int64_t now_ms = eb_mono_ms();
    struct eb_err err = { 0 };
    const char *authorization;

    if (call->failure.code != EB_OK) {
        err = call->failure;
        fail(call, &err);
        return;
    }
    if (now_ms >= call->deadline_ms) {
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Entra gave no access token in time.");
        fail(call, &err);
        return;
    }
    if (now_ms < call->not_before_ms)
        return;
    authorization = graph_token_header(g->token, &call->serial);
    if (authorization == NULL) {
        graph_token_want(g->token);
        return;
    }
    if (!call->token_only) {
        transmit(call, authorization);
        return;
    }
    call->done(call->ctx, call->id, &(struct graph_reply){ .result = GRAPH_OK, .retry_after_ms = -1, .request_id = "", .graph_code = "" });
    end(call);
}

/* Who is told may begin new calls: these go to the end of the list, and have their timer if this walk misses them. */
static void advance_all(struct graph *g)
{
    struct graph_call *call, *next;

    for (call = TAILQ_FIRST(&g->waiting); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        advance(call);
    }
    set_timer(g);
}

static void on_timer(void *arg)
{
    advance_all(arg);
}

static void on_token(void *ctx, const struct eb_err *err)
{
    struct graph *g = ctx;
    struct graph_call *call;

    if (err != NULL)
        TAILQ_FOREACH(call, &g->waiting, link)
            if (call->failure.code == EB_OK && call->not_before_ms <= eb_mono_ms())
                call->failure = *err;
    advance_all(g);
}

/* What is done or fails at once waits for the next turn, so that no call ends inside the function that began it. */
void graph_call_submit(struct graph_call *call)
{
    struct graph *g = call->graph;

    TAILQ_INSERT_TAIL(&g->waiting, call, link);
    if (call->failure.code != EB_OK || call->token_only) {
        eb_timer_set(g->timer, 0);
        return;
    }
    advance(call);
    if (!TAILQ_EMPTY(&g->waiting))
        set_timer(g);
}

void graph_call_again(struct graph_call *call, int64_t after_ms)
{
    call->not_before_ms = eb_mono_ms() + after_ms;
    move(call, false);
    set_timer(call->graph);
}

void graph_call_due(struct graph_call *call, int64_t at_ms)
{
    uint64_t serial;

    if (call->is_sent)
        return;
    call->not_before_ms = at_ms;
    if (at_ms <= eb_mono_ms() && graph_token_header(call->graph->token, &serial) == NULL)
        graph_token_want(call->graph->token);       /* its coming moves all on */
    set_timer(call->graph);
}

/* ---- answers ---- */

/* True: a 401 that a new token may mend; the call waits for it. */
static bool renew(struct graph_call *call, const struct outbound_reply *o)
{
    if (o->status != 401 || call->renewed)
        return false;
    call->renewed = true;
    graph_token_reject(call->graph->token, call->serial);
    graph_call_again(call, 0);
    advance_all(call->graph);
    return true;
}

static void not_answered(const struct outbound_reply *o, struct graph_reply *r)
{
    r->result = o->result == OUTBOUND_NOT_SENT ? GRAPH_NOT_SENT : GRAPH_IN_DOUBT;
    r->err = o->err;
}

/* *ret_doc is what r->body borrows. */
static void understand(const struct graph_call *call, const struct outbound_reply *o, struct graph_error *e, struct graph_reply *r,
                       json_t **ret_doc)
{
    bool success = o->status >= 200 && o->status < 300;

    r->status = o->status;
    if (o->body.len > 0 && !(success && call->page_done != NULL) && !eb_json_parse_reply(o->body, ret_doc, NULL))
        *ret_doc = NULL;
    if (!success)
        graph_error_read(*ret_doc, e);
    r->body = *ret_doc;
    graph_judge(&(struct graph_asked){ call->kind, call->path, call->permission, call->changes }, e, r);
    if (success && *ret_doc == NULL && call->kind == GRAPH_READ && call->page_done == NULL) {      /* of a write the status alone is the truth */
        r->result = GRAPH_IN_DOUBT;
        (void)eb_fail(&r->err, EB_ENTRA_UNAVAILABLE, "Graph answered %d with something that is not JSON: check entra.graph_url, "
                      "and whether a proxy stands in between.", o->status);
    }
}

static void on_answer(void *ctx, uint64_t id, const struct outbound_reply *o)
{
    struct graph_call *call = ctx;
    struct graph_reply r = { .retry_after_ms = o->retry_after_ms, .request_id = o->request_id };
    struct graph_error e = { .code = "" };
    json_t *doc = NULL;

    (void)id;
    if (o->result != OUTBOUND_ANSWERED)
        not_answered(o, &r);
    else if (renew(call, o))
        return;
    else
        understand(call, o, &e, &r, &doc);
    r.graph_code = e.code;
    if (!graph_members_split(call, &r)) {
        if (call->page_done != NULL)
            graph_page_answered(call, &r, o);
        else if (call->batch_done == NULL)
            graph_members_tell(call, &r);
        if (call->batch_done == NULL || !graph_batch_answered(call, &r))
            end(call);
    }
    json_decref(doc);
}

/* ---- calls ---- */

static void read_path(struct graph *g, char *path, const struct eb_err *err, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx)
{
    struct graph_call *call = graph_call_new(g, GRAPH_READ, "graph.get", "GET", deadline_ms);

    call->path = path;
    call->advanced = path != NULL && graph_needs_eventual(path);
    call->id = id;
    call->done = done;
    call->ctx = ctx;
    if (err != NULL)
        call->failure = *err;
    graph_call_submit(call);
}

void graph_get(struct graph *g, const char *path, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx)
{
    struct eb_err err = { 0 };

    if (path == NULL)
        (void)eb_fail(&err, EB_INTERNAL, "there is no path for this read");
    read_path(g, eb_strdup(path), path == NULL ? &err : NULL, deadline_ms, id, done, ctx);
}

void graph_get_link(struct graph *g, const char *next_link, int64_t deadline_ms, uint64_t id, graph_done *done, void *ctx)
{
    struct eb_err err = { 0 };
    const char *path = NULL;

    if (next_link == NULL || !outbound_url_within(g->cloud, next_link, &path))
        (void)eb_fail(&err, EB_ENTRA_UNAVAILABLE, "Graph gave a link to a next page that leads elsewhere: it is not followed.");
    read_path(g, eb_strdup(path), path == NULL ? &err : NULL, deadline_ms, id, done, ctx);
}

/* One that is being told of just now ends by itself. */
static void forget_in(struct graph_calls *list, const void *ctx, uint64_t id)
{
    struct graph_call *call, *next;

    for (call = TAILQ_FIRST(list); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->priority == GRAPH_SYNC && !call->told && call->ctx == ctx && call->id == id)
            graph_call_drop(call);
    }
}

void graph_page_forget(struct graph *g, void *ctx, uint64_t id)
{
    forget_in(&g->waiting, ctx, id);
    forget_in(&g->sent, ctx, id);
    set_timer(g);
}

void graph_check_credentials(struct graph *g, uint64_t id, graph_done *done, void *ctx)
{
    struct graph_call *call = graph_call_new(g, GRAPH_READ, "entra.token", "", READ_MS);

    call->token_only = true;
    call->id = id;
    call->done = done;
    call->ctx = ctx;
    graph_call_submit(call);
}

bool graph_new(struct outbound *o, struct eb_loop *loop, const struct config_entra *c, struct graph **ret, struct eb_err *err)
{
    struct graph *g = eb_alloc(sizeof(*g));
    const struct outbound_cloud_options cloud = { .name = "graph", .base_url = c->graph_url, .max_calls = c->max_calls,
                                                  .max_queue = QUEUE_MAX, .unavailable = EB_ENTRA_UNAVAILABLE,
                                                  .write_quota = c->write_quota, .write_period_ms = c->write_period_ms };

    g->loop = loop;
    g->cloud_place = (enum config_cloud)c->cloud;
    TAILQ_INIT(&g->waiting);
    TAILQ_INIT(&g->sent);
    LIST_INIT(&g->gatherings);
    g->timer = eb_timer_new(loop, on_timer, g);
    if (!outbound_cloud_new(o, &cloud, &g->cloud, err) || !graph_token_new(o, loop, c, on_token, g, &g->token, err)) {
        graph_free(g);
        return false;
    }
    *ret = g;
    return true;
}

void graph_free(struct graph *g)
{
    struct graph_call *call;

    if (g == NULL)
        return;
    outbound_cloud_free(g->cloud);      /* first: nothing comes back to the calls that are freed now */
    graph_token_free(g->token);
    while ((call = TAILQ_FIRST(&g->waiting)) != NULL || (call = TAILQ_FIRST(&g->sent)) != NULL)
        end(call);
    eb_timer_free(g->timer);
    free(g);
}
