/* assets.c - the way to Assets: credentials, one call in rounds, its end.
 *
 * A round is one call of outbound, of 30 s at most. A call that surely did nothing (429, not sent) goes into another round while its deadline allows,
 * a call that may be repeated also after a doubt. So a creation is sent a second time only after an answer that says that the first did nothing.
 * The base is what stands before /jsm. A gateway (…/ex/jira/{cloudId}) takes the account's token only: imports go around it, to the host itself.
 * Owns: its calls, which no callback outlives.
 */
#include "assets/internal.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define QUEUE_MAX 2048
#define BODY_MAX MiB(2)
#define ROUND_MS ASSETS_WRITE_DEADLINE_MS
#define WAIT_FIRST_MS 2000          /* after a 429 that does not say for how long (facts: rate limits) */
#define WAIT_LAST_MS 60000
#define GATEWAY "/ex/jira/"

struct call {
    LIST_ENTRY(call) link;
    struct assets *assets;
    const struct assets_row *row;
    char *path, *body;
    int64_t deadline_ms;            /* monotonic */
    int64_t throttled_ms;
    int rounds;
    bool is_sent;
    uint64_t id;
    assets_done *done;
    void *ctx;
    struct eb_timer *timer;         /* the next round, or the end of what failed before it was sent */
    enum assets_result failed;      /* of failure */
    struct eb_err failure;
};

struct assets {
    struct eb_loop *loop;
    struct outbound_cloud *cloud;
    char *prefix;                   /* between base and /jsm: "/ex/jira/{cloudId}", or "" */
    char *authorization, *import_authorization;     /* whole headers; wiped. NULL: no import token */
    char *workspace;
    LIST_HEAD(calls, call) calls;
};

/* Not in the list any more. */
static void call_free(struct call *call)
{
    eb_timer_free(call->timer);
    free(call->path);
    free(call->body);
    free(call);
}

/* Whoever is told may forget all of its calls, or begin new ones. */
static void tell(struct call *call, struct assets_reply *r)
{
    r->throttled_ms = call->throttled_ms;
    r->attempts = call->rounds;
    LIST_REMOVE(call, link);
    call->done(call->ctx, call->id, r);
    call_free(call);
}

static void send_round(struct call *call);

static void on_timer(void *arg)
{
    struct call *call = arg;
    struct assets_reply r = { .result = call->failed, .location = "", .err = call->failure };

    if (call->failure.code == EB_OK)
        send_round(call);
    else
        tell(call, &r);
}

/* A write that was answered by 5xx for a whole round may be that object's own fault, and must not hold up the others. */
static bool is_worth_another(const struct call *call, const struct outbound_reply *o, enum assets_result result)
{
    return result == ASSETS_NOT_SENT || (result == ASSETS_IN_DOUBT && call->row->repeat && (call->row->read || o->result != OUTBOUND_ANSWERED));
}

/* Milliseconds until the next round; -1: there is none. */
static int64_t next_round_ms(const struct call *call, const struct outbound_reply *o, enum assets_result result)
{
    int64_t wait_ms = WAIT_FIRST_MS;

    if (!is_worth_another(call, o, result))
        return -1;
    for (int i = 1; i < call->rounds && wait_ms < WAIT_LAST_MS; i++)
        wait_ms *= 2;
    wait_ms = wait_ms * (int64_t)(70 + eb_random_below(61)) / 100;
    if (o->retry_after_ms >= 0)
        wait_ms = o->retry_after_ms + (int64_t)eb_random_below(200);
    return eb_mono_ms() + wait_ms < call->deadline_ms ? wait_ms : -1;
}

/* A Location may leave out scheme and host (RFC 9110, 10.2.2): then they are the base's. */
static const char *whole_link(const struct assets *a, const char *location, char out[1024])
{
    const char *base = outbound_base_url(a->cloud), *host = strstr(base, "://");
    size_t origin = host != NULL ? (size_t)(host - base) + 3 + strcspn(host + 3, "/") : 0;

    if (location[0] != '/' || location[1] == '/' || origin == 0)
        return location;
    (void)snprintf(out, 1024, "%.*s%s", (int)origin, base, location);
    return out;
}

static void on_answer(void *ctx, uint64_t id, const struct outbound_reply *o)
{
    struct call *call = ctx;
    bool good = o->result == OUTBOUND_ANSWERED && o->status >= 200 && o->status < 300;
    struct assets_reply r = { .location = "" };
    json_t *doc = NULL;
    int64_t wait_ms;
    char link[1024];

    (void)id;
    call->is_sent = false;
    if (o->result == OUTBOUND_ANSWERED && o->body.len > 0 && !(good && call->row->answer == ASSETS_ANSWER_BYTES) && !eb_json_parse_reply(o->body, &doc, NULL))
        doc = NULL;
    assets_judge(call->row, o, doc, &r);
    r.location = whole_link(call->assets, r.location, link);
    call->throttled_ms += o->throttled_ms;
    wait_ms = next_round_ms(call, o, r.result);
    if (wait_ms >= 0) {
        call->throttled_ms += o->result == OUTBOUND_ANSWERED && o->status == 429 ? wait_ms : 0;
        eb_timer_set(call->timer, wait_ms);
    } else {
        tell(call, &r);
    }
    json_decref(doc);
}

static void send_round(struct call *call)
{
    const struct assets_row *row = call->row;
    struct assets *a = call->assets;
    const char *const headers[] = { row->import ? a->import_authorization : a->authorization, row->has_body ? NULL : "Content-Type:", NULL };
    int64_t left = call->deadline_ms - eb_mono_ms();

    call->rounds++;
    call->is_sent = true;
    outbound_send(a->cloud, &(struct outbound_request){
        .method = row->method, .path = call->path, .call = row->name, .headers = headers, .content_type = row->has_body ? "application/json" : NULL,
        .body = { call->body, call->body != NULL ? strlen(call->body) : 0 }, .repeat_safe = row->repeat, .wants_json = row->read, .low_priority = true,
        .deadline_ms = left > ROUND_MS ? ROUND_MS : left > 0 ? left : 1, .max_body = row->max_body > 0 ? row->max_body : BODY_MAX },
        call->id, on_answer, call);
}

/* The path of a link that an answer gave. */
static bool take_link(struct assets *a, const struct assets_call *c, char **ret, struct eb_err *err)
{
    const char *path = NULL;

    if (c->a == NULL || !outbound_url_within(a->cloud, c->a, &path))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Assets gave a link for the import that leads away from %s: it is not followed. Check assets.api_url.",
                       outbound_base_url(a->cloud));
    *ret = eb_strdup(path);
    return true;
}

static bool prepare(struct call *call, const struct assets_call *c)
{
    struct assets *a = call->assets;
    struct eb_err *err = &call->failure;

    call->failed = ASSETS_NOT_SENT;
    if (call->row->import && a->import_authorization == NULL) {
        call->failed = ASSETS_DENIED;
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "an import needs the token of an import source: set assets.import_token");
    }
    if (call->row->has_body && (c->body == NULL || (call->body = eb_json_text(c->body)) == NULL))
        return eb_fail(err, EB_INTERNAL, "a call %s needs a body", call->row->name);
    if (call->row->path == NULL)
        return take_link(a, c, &call->path, err);
    return assets_path(call->row, c, a->prefix, a->workspace, &call->path, err);
}

void assets_send(struct assets *a, const struct assets_call *c, uint64_t id, assets_done *done, void *ctx)
{
    struct call *call = eb_alloc(sizeof(*call));

    call->assets = a;
    call->row = assets_row(c->kind);
    call->id = id;
    call->done = done;
    call->ctx = ctx;
    call->deadline_ms = eb_mono_ms() + (c->deadline_ms > 0 ? c->deadline_ms : ROUND_MS);
    call->timer = eb_timer_new(a->loop, on_timer, call);
    LIST_INSERT_HEAD(&a->calls, call, link);
    if (prepare(call, c))
        send_round(call);
    else
        eb_timer_set(call->timer, 0);
}

void assets_forget(struct assets *a, void *ctx, uint64_t id)
{
    struct call *call, *next;

    for (call = LIST_FIRST(&a->calls); call != NULL; call = next) {
        next = LIST_NEXT(call, link);
        if (call->ctx != ctx || call->id != id)
            continue;
        if (call->is_sent)
            outbound_forget(a->cloud, call, call->id);
        LIST_REMOVE(call, link);
        call_free(call);
    }
}

/* ---- life ---- */

/* A gateway's part of the URL comes off the base. */
static char *split_base(const char *api_url, char **ret_prefix)
{
    const char *gateway = strstr(api_url, GATEWAY);
    bool whole = gateway != NULL && gateway[strlen(GATEWAY)] != '\0' && strchr(gateway + strlen(GATEWAY), '/') == NULL;

    *ret_prefix = eb_strdup(whole ? gateway : "");
    return whole ? eb_asprintf("%.*s", (int)(gateway - api_url), api_url) : eb_strdup(api_url);
}

bool assets_new(struct outbound *o, struct eb_loop *loop, const struct config_assets *c, const struct config_jira *jira, struct assets **ret, struct eb_err *err)
{
    struct assets *a = eb_alloc(sizeof(*a));
    char *base = split_base(c->api_url, &a->prefix);
    bool ok;

    LIST_INIT(&a->calls);
    a->loop = loop;
    a->authorization = outbound_authorization(jira->email, jira->api_token);
    if (c->import_token != NULL)
        a->import_authorization = outbound_authorization(NULL, c->import_token);
    a->workspace = eb_strdup(c->workspace_id);
    ok = outbound_cloud_new(o, &(struct outbound_cloud_options){ .name = "assets", .base_url = base, .max_calls = c->max_calls, .max_queue = QUEUE_MAX,
                                                                 .unavailable = EB_JIRA_UNAVAILABLE }, &a->cloud, err);
    free(base);
    if (!ok) {
        assets_free(a);
        return false;
    }
    *ret = a;
    return true;
}

void assets_free(struct assets *a)
{
    struct call *call;

    if (a == NULL)
        return;
    if (a->cloud != NULL)
        outbound_cloud_free(a->cloud);      /* first: nothing comes back to the calls that are freed now */
    while ((call = LIST_FIRST(&a->calls)) != NULL) {
        LIST_REMOVE(call, link);
        call_free(call);
    }
    eb_wipe_free(a->authorization);
    eb_wipe_free(a->import_authorization);
    free(a->workspace);
    free(a->prefix);
    free(a);
}

bool assets_set_workspace(struct assets *a, const char *workspace_id, struct eb_err *err)
{
    if (workspace_id == NULL || workspace_id[0] == '\0' || strlen(workspace_id) > 128 || eb_text_unclean(workspace_id))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira gave something that is not the id of a workspace of Assets");
    free(a->workspace);
    a->workspace = eb_strdup(workspace_id);
    return true;
}

const char *assets_workspace(const struct assets *a)
{
    return a->workspace;
}

bool assets_imports(const struct assets *a)
{
    return a->import_authorization != NULL;
}
