/* internal.h - what the files of outbound share. No other folder includes it.
 *
 * A call lives in exactly one list: queue -> under_way -> (backing_off -> queue ...) -> gone, or ending when it fails
 * before it was sent. Its end is told once, never inside outbound_send(); then it is freed.
 */
#ifndef OUTBOUND_INTERNAL_H
#define OUTBOUND_INTERNAL_H

#include "outbound/budget.h"
#include "outbound/header.h"
#include "outbound/outbound.h"
#include "outbound/queue.h"
#include "outbound/throttle.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct transfer;
struct watch;
TAILQ_HEAD(call_list, outbound_call);
SLIST_HEAD(transfer_list, transfer);

struct outbound {
    struct eb_loop *loop;
    CURLM *multi;
    struct eb_timer *timer;             /* libcurl's */
    struct eb_timer *ending_timer;
    struct call_list ending;            /* failed before they were sent: told in the next turn */
    struct watch **watches;             /* by file descriptor */
    size_t watch_count;
    char *ca_file, *user_agent;
    long connections;                   /* what libcurl may keep open */
    LIST_HEAD(cloud_list, outbound_cloud) clouds;
};

/* How long a lane has been shut by what 429 said, since ever: of two readings the difference counts. */
struct held { int64_t total_ms, since_ms /* 0: it is open */; };

struct outbound_cloud {
    struct outbound *o;
    LIST_ENTRY(outbound_cloud) link;
    char *name, *base_url;
    size_t base_len;
    bool plain;                         /* http, on loopback */
    int max_calls, max_queue;
    int max_low;                        /* of calls of background and low priority under way: three quarters of max_calls, at least 1 */
    enum eb_code unavailable;
    struct queue queue;
    struct call_list under_way, backing_off;
    int under_way_count, low_count, write_count, low_write_count;       /* of those under way */
    struct budget budget;
    struct throttle_lane lanes[LANES];
    struct held held[LANES];
    struct breaker breaker;
    struct eb_timer *timer;             /* when throttle or breaker may let something through */
    struct transfer_list idle;          /* configured easy handles */
};

enum call_state { CALL_QUEUED, CALL_UNDER_WAY, CALL_BACKING_OFF, CALL_ENDING };
#define CALL_HEADERS_MAX 12
#define CLIENT_REQUEST_ID "client-request-id: "

struct outbound_call {
    TAILQ_ENTRY(outbound_call) link;
    struct queue_item place;            /* in the queue, and rank and lane always */
    struct outbound_cloud *cloud;
    enum call_state state;
    uint64_t id;
    outbound_done *done;
    outbound_fill *fill;
    outbound_may *may;
    void *ctx;
    const char *name, *method, *url;
    char *filled;                       /* what method, url and body point into after fill() */
    struct eb_span body;
    char *body_copy;
    bool secret_body;
    bool has_body, repeat_safe, wants_json, probe, new_connection;
    int tries;
    int64_t deadline_ms;                /* on the monotonic clock */
    int64_t allowed_ms;                 /* from the request: the whole time */
    int64_t started_us;                 /* this attempt */
    int64_t throttled_ms, held_from_ms; /* what came together so far; its lane's reading when it was queued */
    size_t max_body;
    struct eb_timer *timer;             /* queue deadline or back-off; made when first needed */
    struct transfer *transfer;          /* under way only */
    struct eb_err err;                  /* ending only */
    struct curl_slist headers[CALL_HEADERS_MAX];    /* linked by hand: data points into `data` */
    char request_id[sizeof(CLIENT_REQUEST_ID) + 40];
    char data[];
};

/* A configured easy handle with the answer of its present or last call. Belongs to its cloud. */
struct transfer {
    CURL *easy;
    SLIST_ENTRY(transfer) link;
    struct outbound_cloud *cloud;
    struct outbound_call *call;
    bool asked;                 /* libcurl was about to send it once already */
    bool secret;                /* the answer too: wiped when the call ends */
    struct eb_buf body;
    struct outbound_head head;
    char error[CURL_ERROR_SIZE];
};

/* outbound.c */
void outbound_watch_socket(struct outbound *o, curl_socket_t fd);       /* a new descriptor: forget what was known of its number */
void outbound_unwatch_socket(struct outbound *o, curl_socket_t fd);

/* transfer.c */
bool transfer_start(struct outbound_call *call, struct eb_err *err) EB_CHECK;
void transfer_stop(struct transfer *t);         /* takes it out of libcurl, also half way */
void transfer_release(struct transfer *t);      /* back to the idle ones */
void transfer_free(struct transfer *t);

/* call.c */
bool call_well_formed(const struct outbound_request *r);        /* nothing in a URL or a header may end its line */
struct outbound_call *call_new(struct outbound_cloud *c, const struct outbound_request *r);
bool call_fill(struct outbound_call *call, struct eb_err *err) EB_CHECK;        /* asks what is to be sent, where that is told only now */
bool call_is_behind(const struct outbound_call *call);          /* of background or low priority */
void call_free(struct outbound_call *call);

/* cloud.c */
void cloud_enqueue(struct outbound_call *call, bool first);
void cloud_pump(struct outbound_cloud *c);
void call_timer(struct outbound_call *call, int64_t after_ms);
void call_end_later(struct outbound_call *call, const struct eb_err *err);
void call_detach(struct outbound_call *call);  /* takes a call out of whatever holds it */
void outbound_tell_ending(void *o);

/* attempt.c */
void attempt_ended(struct transfer *t, CURLcode code);
void call_timed_out(struct outbound_call *call);    /* its deadline came while it waited */
void call_no_time_left(const struct outbound_call *call, struct eb_err *ret);

#endif
