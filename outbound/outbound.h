/* outbound.h - the one HTTP client, libcurl's multi interface on the loop, for every cloud.
 *
 * A cloud has a base URL, a limit of calls under way with its own queue (queue.h), a budget of writes (budget.h), a token bucket that
 * learns from 429 and Retry-After, a breaker, metrics. Reads (repeat_safe) are retried with jittered back-off within their deadline;
 * a write is sent exactly once: its caller decides what an answer that did not come means.
 */
#ifndef OUTBOUND_OUTBOUND_H
#define OUTBOUND_OUTBOUND_H

#include "base/buf.h"
#include "base/loop.h"

#include <stdint.h>

struct outbound;
struct outbound_cloud;

struct outbound_options {
    const char *ca_file;        /* NULL: the system's bundle */
    const char *user_agent;
};
/* Once a process, before its first thread: libcurl, which then ends the program where there is no memory (by itself it was seen to
 * crash). outbound_new() makes up for it where nobody did. */
bool outbound_start(void);
void outbound_stop(void);                          /* at the end of the process, after the last outbound_free() */

bool outbound_new(struct eb_loop *loop, const struct outbound_options *o, struct outbound **ret, struct eb_err *err) EB_CHECK;
void outbound_free(struct outbound *o);            /* ends transfers without calling back; frees the clouds */

struct outbound_cloud_options {
    const char *name;           /* "graph", "entra", "jira": metrics, logs, error texts */
    const char *base_url;       /* https, or http on a loopback address only; no trailing slash */
    int max_calls;              /* under way at once; more wait in order */
    int max_queue;              /* waiting; past it a call fails as NOT_SENT with EB_OVERLOADED */
    enum eb_code unavailable;   /* EB_ENTRA_UNAVAILABLE or EB_JIRA_UNAVAILABLE */
    int write_quota;            /* writes in write_period_ms that the cloud allows (budget.h); 0: not known, or none */
    int64_t write_period_ms;
};
bool outbound_cloud_new(struct outbound *o, const struct outbound_cloud_options *c, struct outbound_cloud **ret,
                        struct eb_err *err) EB_CHECK;
/* Drops its calls without calling back; never from inside one of its call backs. outbound_free() frees those that are left. */
void outbound_cloud_free(struct outbound_cloud *c);
const char *outbound_base_url(const struct outbound_cloud *c);
/* True if url stays within the cloud's scheme, host, port and base path (nextLink, Location); *ret_path is then what follows the base. */
bool outbound_url_within(const struct outbound_cloud *c, const char *url, const char **ret_path);

/* The header of credentials as a request takes it: Basic with a user, Bearer without (NULL). The caller's: eb_wipe_free(). */
char *outbound_authorization(const char *user, const char *secret);

struct outbound_request;
/* Asked right before a call leaves, also when it leaves anew: method, path, call and body may be set to what is to be sent instead
 * (copied). It begins no call. */
typedef void outbound_fill(void *ctx, uint64_t id, struct outbound_request *r);
/* Asked right before a call leaves, after all its waiting: false ends it as OUTBOUND_NOT_SENT. It begins no call. */
typedef bool outbound_may(void *ctx, uint64_t id);

struct outbound_request {
    const char *method;
    const char *path;           /* from the base on, escaped, with query */
    const char *call;           /* static: the call's name in metrics and logs, "graph.batch" */
    const char *const *headers; /* "Name: value", NULL-ended; copied */
    const char *content_type;   /* NULL: no body */
    struct eb_span body;        /* copied */
    bool repeat_safe;           /* a read: may be sent again after any failure */
    bool wants_json;            /* of a read: a 2xx with something that cannot be JSON (a proxy's page) counts as a failure too */
    bool high_priority;         /* goes before the others that wait */
    bool background;            /* bulk or scheduled work: behind what people wait for (queue.h), and never into the last quarter of max_calls and max_queue */
    bool low_priority;          /* behind background work too */
    uint32_t caller;            /* whose it is: callers take turns. 0: nobody's in particular */
    outbound_fill *fill;        /* or NULL */
    outbound_may *may;          /* or NULL */
    bool secret_body;           /* the copy of the body, and the answer's, are wiped when the call ends */
    int64_t deadline_ms;        /* from now, queue and retries included; 0: 30 s */
    size_t max_body;            /* of the answer; 0: 1 MiB */
};

enum outbound_result {
    OUTBOUND_ANSWERED,          /* a status came, with the whole body */
    OUTBOUND_NOT_SENT,          /* surely nothing left (queue full, breaker open for a write, no connection) */
    OUTBOUND_IN_DOUBT,          /* something may have left, and no whole answer came */
};
struct outbound_reply {         /* borrowed, for the length of the call */
    enum outbound_result result;
    int status;                 /* ANSWERED only */
    struct eb_span body;
    const char *content_type;
    int64_t throttled_ms;       /* how long it was held back by 429, its own or the lane's */
    const char *location;       /* the header, or "" */
    int64_t retry_after_ms;     /* -1: the answer had none (NOT_SENT: when the breaker lets a call through again). Seconds (also fractional) or a date, in milliseconds */
    const char *request_id;     /* the cloud's, or "" */
    const char *client_request_id;  /* ours */
    struct eb_err err;          /* unless ANSWERED */
};
/* `id` names who waits; the call never completes inside outbound_send(). */
typedef void outbound_done(void *ctx, uint64_t id, const struct outbound_reply *reply);
void outbound_send(struct outbound_cloud *c, const struct outbound_request *r, uint64_t id, outbound_done *done, void *ctx);
/* The calls waiting or under way for `id` are dropped without a call back. */
void outbound_forget(struct outbound_cloud *c, void *ctx, uint64_t id);
/* A glance, for those who parse elsewhere: it begins and ends like an object or an array. */
bool outbound_looks_like_json(struct eb_span body);
int outbound_calls_under_way(const struct outbound_cloud *c);
/* Would a write of high priority leave at once? */
bool outbound_write_is_free(struct outbound_cloud *c);

#endif
