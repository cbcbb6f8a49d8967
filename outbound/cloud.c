/* cloud.c - a cloud's calls: the queue, the slots, and who may go now.
 *
 * Invariants: under_way_count <= max_calls, so that libcurl never queues by itself (its time-out would count that
 * waiting as sending); low_count <= max_low, so that bulk work never holds the last slots; a call that waits has a timer for
 * its deadline.
 */
#include "outbound/internal.h"
#include "outbound/url.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

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
    queue_init(&c->queue);
    budget_init(&c->budget, opt->write_quota, opt->write_period_ms, eb_mono_ms());
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

static void count_under_way(const struct outbound_call *call, int one)
{
    struct outbound_cloud *c = call->cloud;
    bool behind = call_is_behind(call), write = call->place.lane == LANE_WRITE;

    c->under_way_count += one;
    c->low_count += behind ? one : 0;
    c->write_count += write ? one : 0;
    c->low_write_count += behind && write ? one : 0;
}

void call_detach(struct outbound_call *call)
{
    struct outbound_cloud *c = call->cloud;

    if (call->timer != NULL)
        eb_timer_stop(call->timer);
    switch (call->state) {
    case CALL_QUEUED:
        if (call->place.of != NULL)
            queue_remove(&c->queue, &call->place);
        break;
    case CALL_UNDER_WAY:
        TAILQ_REMOVE(&c->under_way, call, link);
        count_under_way(call, -1);
        break;
    case CALL_BACKING_OFF:
        TAILQ_REMOVE(&c->backing_off, call, link);
        break;
    case CALL_ENDING:
        TAILQ_REMOVE(&c->o->ending, call, link);
        break;
    }
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
    int64_t now = held_ms(&call->cloud->held[call->place.lane], eb_mono_ms());

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

    call->state = CALL_QUEUED;
    call->held_from_ms = held_ms(&c->held[call->place.lane], eb_mono_ms());
    queue_put(&c->queue, &call->place, first);
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

static bool may_leave(const struct outbound_call *call, struct eb_err *err)
{
    return call->may == NULL || call->may(call->ctx, call->id) ||
           eb_fail(err, call->cloud->unavailable, "It was held back before it left.");
}

static void start(struct outbound_call *call, int64_t now_ms)
{
    struct outbound_cloud *c = call->cloud;
    struct eb_err err = { 0 };

    count_held(call);
    call_detach(call);
    if (!may_leave(call, &err) || !call_fill(call, &err) || !transfer_start(call, &err)) {
        if (call->probe)
            breaker_probe_dropped(&c->breaker);
        call_end_later(call, &err);
        return;
    }
    call->tries++;
    call->state = CALL_UNDER_WAY;
    TAILQ_INSERT_TAIL(&c->under_way, call, link);
    count_under_way(call, 1);
    throttle_sent(&c->lanes[call->place.lane], now_ms);
    if (call->place.lane == LANE_WRITE)
        budget_sent(&c->budget, now_ms);
}

static bool breaker_is_shut(const struct outbound_cloud *c, int64_t now_ms)
{
    return c->breaker.open && (c->breaker.probing || now_ms < c->breaker.until_ms);
}

/* Is a place free for a call of that rank and lane? */
static bool has_place(const struct outbound_cloud *c, int rank, int lane, int64_t now_ms)
{
    bool behind = rank >= RANK_BACKGROUND_HIGH;

    if (c->under_way_count >= c->max_calls || (behind && c->low_count >= c->max_low))
        return false;
    return lane == LANE_READ || (c->write_count < budget_at_once(&c->budget, now_ms, false) &&
                                 (!behind || c->low_write_count < budget_at_once(&c->budget, now_ms, true)));
}

/* Milliseconds until a call of that rank and lane may go, places apart. */
static int64_t hindrance(struct outbound_cloud *c, int rank, int lane, int64_t now_ms)
{
    int64_t rate = throttle_wait_ms(&c->lanes[lane], now_ms);
    int64_t quota = lane == LANE_WRITE ? budget_wait_ms(&c->budget, now_ms, rank >= RANK_BACKGROUND_HIGH) : 0;

    set_held(&c->held[lane], rate > 0, now_ms);
    return rate > quota ? rate : quota;
}

/* Who of those that wait may go now. *wake: milliseconds until it is worth to look again. */
static unsigned who_may(struct outbound_cloud *c, int64_t now_ms, int64_t *wake)
{
    unsigned may = 0;

    for (int rank = 0; rank < RANKS; rank++)
        for (int lane = 0; lane < LANES; lane++) {
            int64_t wait = c->queue.lengths[rank][lane] > 0 && has_place(c, rank, lane, now_ms) ? hindrance(c, rank, lane, now_ms) : -1;
            if (wait == 0)
                may |= QUEUE_MAY(rank, lane);
            else if (wait > 0 && wait < *wake)
                *wake = wait;
        }
    return may;
}

/* It waited until there is no time left for an answer: sent now, a write could only end in doubt. It ends as not sent. */
static bool is_too_late(const struct outbound_call *call, int64_t now_ms)
{
    return call->timer != NULL && call->deadline_ms - now_ms < LEAST_LEFT_MS;
}

static struct outbound_call *call_at(struct queue_item *place)
{
    return (struct outbound_call *)(void *)((char *)place - offsetof(struct outbound_call, place));
}

void cloud_pump(struct outbound_cloud *c)
{
    int64_t now_ms = eb_mono_ms(), wake = INT64_MAX;
    struct queue_item *place;

    if (breaker_is_shut(c, now_ms))         /* a probe that is out pumps when it ends */
        wake = c->breaker.probing ? INT64_MAX : c->breaker.until_ms - now_ms;
    while (c->queue.length > 0 && !breaker_is_shut(c, now_ms) && (place = queue_take(&c->queue, who_may(c, now_ms, &wake))) != NULL) {
        struct outbound_call *call = call_at(place);
        struct eb_err err = { 0 };
        if (is_too_late(call, now_ms)) {
            call_no_time_left(call, &err);
            call_detach(call);
            call_end_later(call, &err);
        } else {
            (void)breaker_lets(&c->breaker, now_ms, &call->probe);      /* it does: only whether this is the probe is asked */
            start(call, now_ms);
        }
    }
    if (wake < INT64_MAX && c->queue.length > 0)
        eb_timer_set(c->timer, wake);
}

bool outbound_write_is_free(struct outbound_cloud *c)
{
    int64_t now_ms = eb_mono_ms();

    return !breaker_is_shut(c, now_ms) && c->queue.lengths[RANK_HIGH][LANE_WRITE] == 0 && has_place(c, RANK_HIGH, LANE_WRITE, now_ms) &&
           throttle_wait_ms(&c->lanes[LANE_WRITE], now_ms) == 0 && budget_wait_ms(&c->budget, now_ms, false) == 0;
}

static bool admit(struct outbound_cloud *c, const struct outbound_request *r, struct eb_err *err)
{
    int64_t now_ms = eb_mono_ms();
    bool behind = r->background || r->low_priority;         /* never into the last quarter of the queue either */
    size_t most = (size_t)(behind ? c->max_queue - c->max_queue / 4 : c->max_queue);

    if (!call_well_formed(r))
        return eb_fail(err, EB_INTERNAL, "%s: the call %s has a malformed path or header", c->name, r->call);
    if (c->queue.length > 0 && c->queue.length >= most)
        return eb_fail(err, EB_OVERLOADED, "%s: %zu calls are waiting already", c->name, c->queue.length);
    if (!r->repeat_safe && breaker_is_shut(c, now_ms)) {
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

static void forget_queued(struct queue_ring *ring, const void *ctx, const uint64_t *id)
{
    struct queue_caller *caller, *next_caller;
    struct queue_item *i, *next;

    for (caller = TAILQ_FIRST(ring); caller != NULL; caller = next_caller) {
        next_caller = TAILQ_NEXT(caller, link);
        for (i = TAILQ_FIRST(&caller->items); i != NULL; i = next) {
            next = TAILQ_NEXT(i, link);         /* with its last item the caller goes too */
            if (id == NULL || (call_at(i)->ctx == ctx && call_at(i)->id == *id))
                drop(call_at(i));
        }
    }
}

static void forget_all(struct outbound_cloud *c, const void *ctx, const uint64_t *id)
{
    for (int rank = 0; rank < RANKS; rank++)
        for (int lane = 0; lane < LANES; lane++)
            forget_queued(&c->queue.rings[rank][lane], ctx, id);
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
