/* cloud.c - a cloud's calls: the queue in order, the slots, and who may go now.
 *
 * Invariants: under_way_count <= max_calls, so that libcurl never queues by itself (its time-out would count that
 * waiting as sending); low_count <= max_low, so that bulk work never holds the last slots; a call that waits has a timer for
 * its deadline; queued_count is the length of all queues.
 */
#include "outbound/internal.h"
#include "outbound/url.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 30000
#define MAX_BODY MiB(1)
#define CONNECTIONS_SPARE 8
#define LEAST_LEFT_MS 20        /* a call that has waited is begun with so much time left at least */

static void cloud_timer(void *arg)
{
    cloud_pump(arg);
}

bool outbound_cloud_new(struct outbound *o, const struct outbound_cloud_options *opt, struct outbound_cloud **ret,
                        struct eb_err *err)
{
    bool plain;

    if (!outbound_url_base(opt->name, opt->base_url, &plain, err))
        return false;
    struct outbound_cloud *c = eb_alloc(sizeof(*c));
    c->o = o;
    c->name = eb_strdup(opt->name);
    c->base_url = eb_strdup(opt->base_url);
    c->base_len = strlen(opt->base_url);
    c->plain = plain;
    c->max_calls = opt->max_calls > 0 ? opt->max_calls : 1;
    c->max_low = c->max_calls * 3 / 4 > 0 ? c->max_calls * 3 / 4 : 1;
    c->max_queue = opt->max_queue > 0 ? opt->max_queue : 0;
    c->unavailable = opt->unavailable;
    for (int q = 0; q < QUEUES; q++)
        TAILQ_INIT(&c->queue[q]);
    TAILQ_INIT(&c->under_way);
    TAILQ_INIT(&c->backing_off);
    SLIST_INIT(&c->idle);
    c->timer = eb_timer_new(o->loop, cloud_timer, c);
    LIST_INSERT_HEAD(&o->clouds, c, link);
    /* Room for every slot, and for the fresh connections of reads after a 503. */
    o->connections += c->max_calls + CONNECTIONS_SPARE;
    curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, o->connections);
    *ret = c;
    return true;
}

const char *outbound_base_url(const struct outbound_cloud *c)
{
    return c->base_url;
}

bool outbound_url_within(const struct outbound_cloud *c, const char *url, const char **ret_path)
{
    return outbound_url_match(c->base_url, url, ret_path);
}

int outbound_calls_under_way(const struct outbound_cloud *c)
{
    return c->under_way_count;
}

void call_free(struct outbound_call *call)
{
    if (call->secret_body)
        OPENSSL_cleanse(call->body_copy, call->body.len);
    eb_timer_free(call->timer);
    free(call);
}

void call_detach(struct outbound_call *call)
{
    struct outbound_cloud *c = call->cloud;

    if (call->timer != NULL)
        eb_timer_stop(call->timer);
    switch (call->state) {
    case CALL_QUEUED:
        TAILQ_REMOVE(&c->queue[call->queue], call, link);
        c->queued_count--;
        break;
    case CALL_UNDER_WAY:
        TAILQ_REMOVE(&c->under_way, call, link);
        c->under_way_count--;
        c->low_count -= call->queue == QUEUE_LOW;
        break;
    case CALL_BACKING_OFF:
        TAILQ_REMOVE(&c->backing_off, call, link);
        break;
    case CALL_ENDING:
        TAILQ_REMOVE(&c->o->ending, call, link);
        break;
    }
}

static int lane_of(const struct outbound_call *call)
{
    return call->repeat_safe ? LANE_READ : LANE_WRITE;
}

static int64_t held_ms(const struct held *h, int64_t now_ms)
{
    return h->total_ms + (h->since_ms > 0 ? now_ms - h->since_ms : 0);
}

static void set_held(struct held *h, bool shut, int64_t now_ms)
{
    h->total_ms = held_ms(h, now_ms);
    h->since_ms = shut ? now_ms : 0;
}

/* Adds what 429 cost it since it was queued. */
static void count_held(struct outbound_call *call)
{
    int64_t now = held_ms(&call->cloud->held[lane_of(call)], eb_mono_ms());

    call->throttled_ms += now - call->held_from_ms;
    call->held_from_ms = now;
}

static void call_timer_fired(void *arg)
{
    struct outbound_call *call = arg;
    struct outbound_cloud *c = call->cloud;

    if (call->state == CALL_BACKING_OFF) {
        TAILQ_REMOVE(&c->backing_off, call, link);
        cloud_enqueue(call, true);
    } else {
        count_held(call);
        call_detach(call);
        call_timed_out(call);
    }
    cloud_pump(c);
}

void call_timer(struct outbound_call *call, int64_t after_ms)
{
    if (call->timer == NULL)
        call->timer = eb_timer_new(call->cloud->o->loop, call_timer_fired, call);
    eb_timer_set(call->timer, after_ms);
}

void cloud_enqueue(struct outbound_call *call, bool first)
{
    struct outbound_cloud *c = call->cloud;
    struct call_list *q = &c->queue[call->queue];

    call->state = CALL_QUEUED;
    call->held_from_ms = held_ms(&c->held[lane_of(call)], eb_mono_ms());
    if (first)
        TAILQ_INSERT_HEAD(q, call, link);
    else
        TAILQ_INSERT_TAIL(q, call, link);
    c->queued_count++;
    if (first)                  /* a new one gets its timer only if it cannot start at once */
        call_timer(call, call->deadline_ms - eb_mono_ms());
}

void call_end_later(struct outbound_call *call, const struct eb_err *err)
{
    struct outbound *o = call->cloud->o;

    call->err = *err;
    call->state = CALL_ENDING;
    TAILQ_INSERT_TAIL(&o->ending, call, link);
    eb_timer_set(o->ending_timer, 0);
}

void outbound_tell_ending(void *arg)
{
    struct outbound *o = arg;
    struct outbound_call *call;
    size_t count = 0;

    /* What fails anew from inside a callback waits for the next turn. */
    TAILQ_FOREACH(call, &o->ending, link)
        count++;
    while (count-- > 0 && (call = TAILQ_FIRST(&o->ending)) != NULL) {
        struct outbound_reply reply = { .result = OUTBOUND_NOT_SENT, .retry_after_ms = -1, .request_id = "",
                                        .client_request_id = "", .content_type = "", .location = "",
                                        .throttled_ms = call->throttled_ms, .err = call->err };
        if (call->err.retry_after_ms > 0)
            reply.retry_after_ms = call->err.retry_after_ms;
        call_detach(call);
        call->done(call->ctx, call->id, &reply);
        call_free(call);
    }
}

static void start(struct outbound_call *call, int64_t now_ms)
{
    struct outbound_cloud *c = call->cloud;
    struct eb_err err = { 0 };

    count_held(call);
    call_detach(call);
    if (!transfer_start(call, &err)) {
        if (call->probe)
            breaker_probe_dropped(&c->breaker);
        call_end_later(call, &err);
        return;
    }
    call->tries++;
    call->state = CALL_UNDER_WAY;
    TAILQ_INSERT_TAIL(&c->under_way, call, link);
    c->under_way_count++;
    c->low_count += call->queue == QUEUE_LOW;
    throttle_sent(&c->lanes[lane_of(call)], now_ms);
}

/* Milliseconds until it is worth to look again; 0: the call may go and has the probe if there is one to take. */
static int64_t hindrance(struct outbound_call *call, int64_t now_ms)
{
    struct outbound_cloud *c = call->cloud;
    int64_t wait = throttle_wait_ms(&c->lanes[lane_of(call)], now_ms);

    set_held(&c->held[lane_of(call)], wait > 0, now_ms);
    if (wait > 0 || breaker_lets(&c->breaker, now_ms, &call->probe))
        return wait;
    return c->breaker.until_ms > now_ms ? c->breaker.until_ms - now_ms : DEADLINE_MS;   /* a probe is out: its end pumps */
}

/* It waited until there is no time left for an answer: sent now, a write could only end in doubt. Its own timer ends it, as not sent. */
static bool is_too_late(const struct outbound_call *call, int64_t now_ms)
{
    return call->timer != NULL && call->deadline_ms - now_ms < LEAST_LEFT_MS;
}

void cloud_pump(struct outbound_cloud *c)
{
    int64_t now_ms = eb_mono_ms(), wake = INT64_MAX;
    bool shut[LANES] = { false, false };
    struct outbound_call *call, *next;

    for (int q = 0; q < QUEUES; q++) {
        for (call = TAILQ_FIRST(&c->queue[q]); call != NULL; call = next) {
            next = TAILQ_NEXT(call, link);
            int lane = lane_of(call);
            if (c->under_way_count >= c->max_calls || (q == QUEUE_LOW && c->low_count >= c->max_low) || (shut[LANE_READ] && shut[LANE_WRITE]))
                goto out;
            if (shut[lane] || is_too_late(call, now_ms))
                continue;
            int64_t wait = hindrance(call, now_ms);
            if (wait == 0) {
                start(call, now_ms);
            } else {
                shut[lane] = true;
                wake = wait < wake ? wait : wake;
            }
        }
    }
out:
    if (wake < INT64_MAX)
        eb_timer_set(c->timer, wake);
}

static char *put(char **to, const void *data, size_t len)
{
    char *at = *to;

    memcpy(at, data, len);
    at[len] = '\0';
    *to += len + 1;
    return at;
}

static void add_header(struct outbound_call *call, int *count, char *text)
{
    call->headers[*count].data = text;
    call->headers[*count].next = NULL;
    if (*count > 0)
        call->headers[*count - 1].next = &call->headers[*count];
    (*count)++;
}

static size_t text_size(const struct outbound_cloud *c, const struct outbound_request *r)
{
    size_t size = c->base_len + strlen(r->path) + strlen(r->method) + r->body.len + 3;

    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++)
        size += strlen(r->headers[i]) + 1;
    if (r->content_type != NULL)
        size += sizeof("Content-Type: ") + strlen(r->content_type);
    return size;
}

/* One block for the call and all that it copies. */
static struct outbound_call *call_new(struct outbound_cloud *c, const struct outbound_request *r)
{
    static char accept[] = "Accept: application/json";
    struct outbound_call *call = eb_alloc(sizeof(*call) + text_size(c, r));
    char *to = call->data;
    int headers = 0;

    call->cloud = c;
    call->name = r->call;
    call->repeat_safe = r->repeat_safe;
    call->wants_json = r->wants_json;
    call->queue = r->high_priority ? QUEUE_HIGH : r->low_priority ? QUEUE_LOW : QUEUE_NORMAL;
    call->allowed_ms = r->deadline_ms > 0 ? r->deadline_ms : DEADLINE_MS;
    call->deadline_ms = eb_mono_ms() + call->allowed_ms;
    call->max_body = r->max_body > 0 ? r->max_body : MAX_BODY;
    call->url = to;
    memcpy(to, c->base_url, c->base_len);
    to += c->base_len;
    put(&to, r->path, strlen(r->path));
    call->method = put(&to, r->method, strlen(r->method));
    add_header(call, &headers, accept);
    add_header(call, &headers, call->request_id);
    if (r->content_type != NULL) {
        char *line = to;
        to += sizeof("Content-Type: ") - 1;
        memcpy(line, "Content-Type: ", sizeof("Content-Type: ") - 1);
        put(&to, r->content_type, strlen(r->content_type));
        add_header(call, &headers, line);
        call->has_body = true;
        call->body.len = r->body.len;
        call->body_copy = put(&to, r->body.len > 0 ? r->body.p : "", r->body.len);
        call->body.p = call->body_copy;
        call->secret_body = r->secret_body;
    }
    for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL && headers < CALL_HEADERS_MAX; i++)
        add_header(call, &headers, put(&to, r->headers[i], strlen(r->headers[i])));
    return call;
}

/* Nothing in a URL or a header may end its line. */
static bool well_formed(const struct outbound_request *r)
{
    size_t count = 0;

    if (r->path[0] != '/' && r->path[0] != '?')
        return false;
    for (const char *p = r->path; *p != '\0'; p++)
        if (*p <= ' ' || (unsigned char)*p >= 0x7F || *p == '#')
            return false;
    for (; r->headers != NULL && r->headers[count] != NULL; count++)
        if (r->headers[count][strcspn(r->headers[count], "\r\n")] != '\0')
            return false;
    return count + 3 <= CALL_HEADERS_MAX;
}

static bool admit(struct outbound_cloud *c, const struct outbound_request *r, struct eb_err *err)
{
    int64_t now_ms = eb_mono_ms();

    if (!well_formed(r))
        return eb_fail(err, EB_INTERNAL, "%s: the call %s has a malformed path or header", c->name, r->call);
    if (c->queued_count > 0 && c->queued_count >= c->max_queue)
        return eb_fail(err, EB_OVERLOADED, "%s: %d calls are waiting already", c->name, c->queued_count);
    if (!r->repeat_safe && c->breaker.open && (c->breaker.probing || now_ms < c->breaker.until_ms)) {
        (void)eb_fail(err, c->unavailable, "%s: it has failed %d times in a row and is left alone for a moment",
                      c->name, c->breaker.failures);
        err->retry_after_ms = now_ms < c->breaker.until_ms ? (int)(c->breaker.until_ms - now_ms) : 1000;
        return false;
    }
    return true;
}

void outbound_send(struct outbound_cloud *c, const struct outbound_request *r, uint64_t id, outbound_done *done, void *ctx)
{
    struct outbound_call *call = call_new(c, r);
    struct eb_err err = { 0 };

    call->id = id;
    call->done = done;
    call->ctx = ctx;
    if (!admit(c, r, &err)) {
        call_end_later(call, &err);
        return;
    }
    cloud_enqueue(call, false);
    cloud_pump(c);
    if (call->state == CALL_QUEUED)
        call_timer(call, call->allowed_ms);
}

static void drop(struct outbound_call *call)
{
    struct transfer *t = call->transfer;

    if (call->probe)
        breaker_probe_dropped(&call->cloud->breaker);
    call_detach(call);
    if (t != NULL) {
        transfer_stop(t);
        transfer_release(t);
    }
    call_free(call);
}

static void forget_in(struct call_list *list, struct outbound_cloud *c, const void *ctx, const uint64_t *id)
{
    struct outbound_call *call, *next;

    for (call = TAILQ_FIRST(list); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->cloud == c && (id == NULL || (call->ctx == ctx && call->id == *id)))
            drop(call);
    }
}

static void forget_all(struct outbound_cloud *c, const void *ctx, const uint64_t *id)
{
    for (int q = 0; q < QUEUES; q++)
        forget_in(&c->queue[q], c, ctx, id);
    forget_in(&c->backing_off, c, ctx, id);
    forget_in(&c->under_way, c, ctx, id);
    forget_in(&c->o->ending, c, ctx, id);
}

void outbound_forget(struct outbound_cloud *c, void *ctx, uint64_t id)
{
    forget_all(c, ctx, &id);
    cloud_pump(c);
}

void outbound_cloud_free(struct outbound_cloud *c)
{
    struct transfer *t;

    if (c == NULL)
        return;
    forget_all(c, NULL, NULL);
    while ((t = SLIST_FIRST(&c->idle)) != NULL) {
        SLIST_REMOVE_HEAD(&c->idle, link);
        transfer_free(t);
    }
    eb_timer_free(c->timer);
    LIST_REMOVE(c, link);
    free(c->name);
    free(c->base_url);
    free(c);
}
