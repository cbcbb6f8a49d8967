/* alert.c - somebody is told that a limit was passed: a metric for each operation, a log line and a web hook once for each limit and subject.
 *
 * The hook's body names ids and no person. It is sent again where surely nothing arrived; where that is not known it is left at one, for the log, the
 * metric and the comment say the same.
 * Owns: the cloud of the hook's address, and what is being sent.
 */
#include "ops/wait.h"
#include "base/metrics.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 6
#define SENDING_MAX 64
#define DEADLINE_MS 10000

static struct eb_metric held = { "entrabridge_limit_held_total", "Operations that were held past a limit of the policy", EB_COUNTER, { "operation" } };

struct sending { struct alert *alert; uint64_t id; char operation[EB_ID_LEN], *body; int tries; struct eb_timer *timer; LIST_ENTRY(sending) link; };
struct alert {
    struct ops *ops;
    struct outbound_cloud *cloud;
    char *url, *authorization;          /* the setting; the header, or NULL */
    const char *path;                   /* in url: what follows scheme and host */
    uint64_t last_id;
    unsigned count;
    LIST_HEAD(, sending) all;
};

static void sending_free(struct sending *s)
{
    LIST_REMOVE(s, link);
    s->alert->count--;
    eb_timer_free(s->timer);
    free(s->body);
    free(s);
}

void alert_free(struct alert *a)
{
    if (a == NULL)
        return;
    while (!LIST_EMPTY(&a->all))
        sending_free(LIST_FIRST(&a->all));
    if (a->cloud != NULL)
        outbound_cloud_free(a->cloud);
    eb_wipe_free(a->authorization);
    free(a->url);
    free(a);
}

/* ---- sending ---- */

static struct sending *find(struct alert *a, uint64_t id)
{
    struct sending *s = LIST_FIRST(&a->all);

    while (s != NULL && s->id != id)
        s = LIST_NEXT(s, link);
    return s;
}

static void send_now(void *arg);

static void sent(void *ctx, uint64_t id, const struct outbound_reply *r)
{
    struct sending *s = find(ctx, id);
    bool good = r->result == OUTBOUND_ANSWERED && r->status < 300;
    bool again = r->result == OUTBOUND_NOT_SENT || (r->result == OUTBOUND_ANSWERED && (r->status >= 500 || r->status == 429));

    if (s == NULL)
        return;
    if (!good && again && s->tries < TRIES_MAX) {
        if (s->timer == NULL)
            s->timer = eb_timer_new(s->alert->ops->parts.loop, send_now, s);
        eb_timer_set(s->timer, 1000 << s->tries);
        return;
    }
    if (!good)
        eb_error(s->operation, "the alert could not be sent to policy.limits.alert_url: %s status=%d", r->result == OUTBOUND_ANSWERED ? "refused" : r->err.text,
                 r->result == OUTBOUND_ANSWERED ? r->status : 0);
    sending_free(s);
}

static void send_now(void *arg)
{
    struct sending *s = arg;
    const char *headers[] = { s->alert->authorization, NULL };

    s->tries++;
    outbound_send(s->alert->cloud, &(struct outbound_request){
        .method = "POST", .path = s->alert->path[0] != '\0' ? s->alert->path : "/", .call = "alert.limit", .headers = headers, .content_type = "application/json",
        .body = { s->body, strlen(s->body) }, .deadline_ms = DEADLINE_MS, .max_body = KiB(64),
    }, s->id, sent, s->alert);
}

static bool is_same(const struct alert *a, const char *url, const char *authorization)
{
    return a != NULL && strcmp(a->url, url) == 0 && eb_streq(a->authorization, authorization);
}

/* NULL: said why. authorization is taken. */
static struct alert *alert_new(struct ops *o, const char *url, char *authorization)
{
    struct alert *a = eb_alloc(sizeof *a);
    const char *host = strstr(url, "://");
    struct eb_err err = { 0 };

    a->ops = o;
    a->authorization = authorization;
    a->url = eb_strdup(url);
    a->path = a->url + (host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : strlen(url));
    LIST_INIT(&a->all);
    char *base = eb_asprintf("%.*s", (int)(a->path - a->url), url);
    bool good = outbound_cloud_new(o->parts.outbound, &(struct outbound_cloud_options){ "alert", base, 4, SENDING_MAX, EB_OVERLOADED }, &a->cloud, &err);
    free(base);
    if (good)
        return a;
    eb_error(NULL, "no alert can be sent: %s", err.text);
    alert_free(a);
    return NULL;
}

/* The address may have changed with a reload. What is on its way to an earlier one is dropped with it. */
static bool make_ready(struct ops *o, const struct config_limits *l)
{
    char *authorization = l->alert_secret != NULL ? outbound_authorization(NULL, l->alert_secret) : NULL;

    if (is_same(o->alert, l->alert_url, authorization)) {
        eb_wipe_free(authorization);
        return true;
    }
    alert_free(o->alert);
    o->alert = alert_new(o, l->alert_url, authorization);
    return o->alert != NULL;
}

static char *body_of(const struct operation *op, const struct policy_limit *l)
{
    char window[EB_TIME_LEN], now[EB_TIME_LEN];
    EB_AUTO(json_t, json_decref) o = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s?, s:s, s:s?}", "event", "limit_passed", "limit", l->rule, "most", l->most,
        "window", eb_duration_format(op->config->policy.limits.window_ms, window), "about", l->about, "operation", op->id, "name", op->kind->name,
        "issue", op->issue.key, "at", eb_time_format(eb_now_ms(), now), "token", op->token_name);

    return o != NULL ? eb_json_text(o) : NULL;
}

static void send_hook(const struct operation *op, const struct policy_limit *l)
{
    struct ops *o = op->ops;

    if (op->config->policy.limits.alert_url == NULL || !make_ready(o, &op->config->policy.limits) || o->alert->count >= SENDING_MAX)
        return;
    struct sending *s = eb_alloc(sizeof *s);
    s->alert = o->alert;
    s->id = ++o->alert->last_id;
    strcpy(s->operation, op->id);
    s->body = body_of(op, l);
    LIST_INSERT_HEAD(&o->alert->all, s, link);
    o->alert->count++;
    if (s->body != NULL)
        send_now(s);
    else
        sending_free(s);
}

void alert_held(const struct operation *op, const struct policy_limit *l, bool news)
{
    eb_metric_add(&held, 1, op->kind->name, NULL, NULL);
    if (!news)
        return;
    eb_warn(op->id, "limit passed, operations are held from now on: %s most=%d token=%s issue=%s", l->rule, l->most, op->token_name,
            op->issue.key != NULL ? op->issue.key : "-");
    send_hook(op, l);
}
