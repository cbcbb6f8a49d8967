/* attempt.c - what the end of an attempt means: an answer, another try, or a doubt.
 *
 * A read is tried again while its deadline allows; a write never. Only failures from before the first byte could leave
 * count as not sent: everything else is in doubt, for the cloud may have acted.
 */
#include "outbound/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define BACK_OFF_FIRST_MS 250
#define BACK_OFF_LAST_MS 8000

static struct eb_metric calls = { "entrabridge_outbound_seconds",
    "Time of each attempt of a call to a cloud, by the class of its answer", EB_HISTOGRAM, { "cloud", "call", "answer" } };
static struct eb_metric retries = { "entrabridge_outbound_retries_total",
    "Reads that were tried again", EB_COUNTER, { "cloud", "call" } };
static struct eb_metric quota_refusals = { "entrabridge_outbound_quota_refusals_total",
    "Writes that a cloud refused because its quota of writes was used up", EB_COUNTER, { "cloud" } };
static struct eb_metric breaker_open = { "entrabridge_outbound_breaker_open",
    "1 while calls to the cloud are held back", EB_GAUGE, { "cloud" } };

/* libcurl's results that need a word of their own. before: nothing was sent yet. useless: trying again does not mend it. */
static const struct fault { CURLcode code; bool before, useless; const char *text; } faults[] = {
    { CURLE_COULDNT_RESOLVE_HOST, true,  false, "its name cannot be resolved: check DNS and the URL in the configuration" },
    { CURLE_COULDNT_RESOLVE_PROXY, true, false, "its name cannot be resolved" },
    { CURLE_COULDNT_CONNECT,      true,  false, "no connection can be made: check network and firewall" },
    { CURLE_SSL_CONNECT_ERROR,    true,  false, "the TLS handshake failed" },
    { CURLE_PEER_FAILED_VERIFICATION, true, true, "its certificate is not trusted: check outbound.ca_file and the host's name" },
    { CURLE_SSL_CACERT_BADFILE,   true,  true,  "the file of outbound.ca_file cannot be read" },
    { CURLE_SSL_CIPHER,           true,  true,  "no common TLS cipher" },
    { CURLE_SSL_ENGINE_INITFAILED, true, true,  "TLS cannot be set up" },
    { CURLE_UNSUPPORTED_PROTOCOL, true,  true,  "the URL is not https" },
    { CURLE_URL_MALFORMAT,        true,  true,  "the URL is malformed" },
    { CURLE_OPERATION_TIMEDOUT,   false, false, "no whole answer came in time" },
    { CURLE_GOT_NOTHING,          false, false, "the connection was closed without an answer" },
    { CURLE_SEND_FAIL_REWIND,     false, false, "the connection was closed without an answer" },
    { CURLE_ABORTED_BY_CALLBACK,  false, false, "the connection was closed without an answer" },
    { CURLE_PARTIAL_FILE,         false, false, "the answer was cut off" },
    { CURLE_WRITE_ERROR,          false, true,  "the answer is larger than is accepted" },
};

static struct fault fault_of(CURL *easy, CURLcode code)
{
    struct fault f = { code, false, false, "the connection broke" };
    curl_off_t ready_us = 0;

    for (size_t i = 0; i < EB_LEN(faults); i++)
        if (faults[i].code == code)
            f = faults[i];
    /* A time-out while there was no connection yet: nothing can have left. */
    if (code == CURLE_OPERATION_TIMEDOUT && curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us) == CURLE_OK &&
        ready_us == 0) {
        f.before = true;
        f.text = "no connection came about in time";
    }
    return f;
}

static const char *answer_class(CURLcode code, long status)
{
    static const char *const classes[] = { "1xx", "2xx", "3xx", "4xx", "5xx" };

    if (code != CURLE_OK)
        return code == CURLE_OPERATION_TIMEDOUT ? "timeout" : "network";
    if (status == 429)
        return "429";
    return status >= 100 && status < 600 ? classes[status / 100 - 1] : "other";
}

static bool is_transient(long status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

static void count(const struct outbound_call *call, CURLcode code, long status)
{
    double seconds = (double)(eb_mono_us() - call->started_us) / 1e6;
    eb_metric_observe(&calls, seconds, call->cloud->name, call->name, answer_class(code, status));
}

/* Lets budget, throttle and breaker learn from the end of an attempt. */
static void learn(struct outbound_call *call, const struct outbound_head *head, CURLcode code, long status)
{
    struct outbound_cloud *c = call->cloud;
    struct throttle_lane *lane = &c->lanes[call->place.lane];
    int64_t now_ms = eb_mono_ms();
    bool alive = code == CURLE_OK ? status < 500 || !is_transient(status) : code == CURLE_WRITE_ERROR;

    bool quota = code == CURLE_OK && status == 429 && head->write_limit && call->place.lane == LANE_WRITE;

    if (quota)
        eb_metric_add(&quota_refusals, 1, c->name, NULL, NULL);
    if (quota && c->budget.quota > 0)
        budget_refused(&c->budget, now_ms, head->retry_after_ms, call_is_behind(call));
    else if (code == CURLE_OK && status == 429 && !head->one_object)
        throttle_refused(lane, now_ms, head->retry_after_ms);
    else if (code == CURLE_OK && status < 500 && status != 429)
        throttle_served(lane, now_ms);

    bool changed = breaker_result(&c->breaker, now_ms, alive, call->probe);
    call->probe = false;
    if (!changed)
        return;
    eb_metric_set(&breaker_open, c->breaker.open ? 1 : 0, c->name, NULL, NULL);
    if (c->breaker.open)
        eb_warn(NULL, "outbound cloud=%s breaker=open failures=%d pause_ms=%lld", c->name, c->breaker.failures,
                (long long)c->breaker.pause_ms);
    else
        eb_info(NULL, "outbound cloud=%s breaker=closed", c->name);
}

static int64_t back_off_ms(int tries, int64_t retry_after_ms)
{
    int64_t ms = BACK_OFF_FIRST_MS;

    if (retry_after_ms >= 0)            /* never earlier than told, and not all at once */
        return retry_after_ms + (int64_t)eb_random_below((uint32_t)(retry_after_ms / 10) + 100);
    for (int i = 1; i < tries && ms < BACK_OFF_LAST_MS; i++)
        ms *= 2;
    return ms * (int64_t)(70 + eb_random_below(61)) / 100;
}

bool outbound_looks_like_json(struct eb_span b)
{
    size_t first = 0, end = b.len;

    while (first < end && memchr(" \t\r\n", b.p[first], 4) != NULL)
        first++;
    while (end > first && memchr(" \t\r\n", b.p[end - 1], 4) != NULL)
        end--;
    return end - first >= 2 && ((b.p[first] == '{' && b.p[end - 1] == '}') || (b.p[first] == '[' && b.p[end - 1] == ']'));
}

static bool is_mendable(const struct outbound_call *call, const struct transfer *t, long status)
{
    return is_transient(status) || (call->wants_json && status >= 200 && status < 300 && !outbound_looks_like_json((struct eb_span){ t->body.data, t->body.len }));
}

/* True: it waits for another try now. */
static bool try_again(struct outbound_call *call, const struct transfer *t, CURLcode code, long status, bool useless)
{
    struct outbound_cloud *c = call->cloud;

    if (!call->repeat_safe || useless || (code == CURLE_OK && !is_mendable(call, t, status)))
        return false;
    int64_t wait = back_off_ms(call->tries, code == CURLE_OK ? t->head.retry_after_ms : -1);
    if (eb_mono_ms() + wait >= call->deadline_ms)
        return false;
    if (code == CURLE_OK && status == 429)
        call->throttled_ms += wait;
    call->new_connection = status == 503;       /* Microsoft asks for that: another front end may be well */
    call->state = CALL_BACKING_OFF;
    TAILQ_INSERT_TAIL(&c->backing_off, call, link);
    call_timer(call, wait);
    eb_metric_add(&retries, 1, c->name, call->name, NULL);
    return true;
}

static void log_attempt(const struct outbound_call *call, const struct outbound_head *head, CURLcode code, long status)
{
    enum eb_log_level level = code != CURLE_OK || is_transient(status) ? EB_LOG_INFO : EB_LOG_DEBUG;

    if (eb_log_wanted(level))
        eb_log(level, NULL, "outbound cloud=%s call=%s status=%ld curl=%d ms=%lld try=%d client-request-id=%s request-id=%s",
               call->cloud->name, call->name, status, (int)code,
               (long long)(eb_mono_us() - call->started_us) / 1000, call->tries,
               call->request_id + sizeof(CLIENT_REQUEST_ID) - 1, head->request_id);
}

static void tell(struct outbound_call *call, struct outbound_reply *reply)
{
    reply->client_request_id = call->request_id[0] != '\0' ? call->request_id + sizeof(CLIENT_REQUEST_ID) - 1 : "";
    reply->throttled_ms = call->throttled_ms;
    call->done(call->ctx, call->id, reply);
    call_free(call);
}

void attempt_ended(struct transfer *t, CURLcode code)
{
    struct outbound_call *call = t->call;
    struct outbound_cloud *c = call->cloud;
    struct outbound_head *head = &t->head;
    struct outbound_reply reply = { .result = OUTBOUND_ANSWERED, .retry_after_ms = head->retry_after_ms };
    struct fault fault = { CURLE_OK, false, false, "" };
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        fault = fault_of(t->easy, code);
    transfer_stop(t);
    call_detach(call);
    count(call, code, status);
    log_attempt(call, head, code, status);
    learn(call, head, code, status);

    if (!try_again(call, t, code, status, fault.useless)) {
        reply.status = code == CURLE_OK ? (int)status : 0;
        reply.body = (struct eb_span){ t->body.data != NULL ? t->body.data : "", t->body.len };
        reply.content_type = head->content_type;
        reply.location = head->location;
        reply.request_id = head->request_id;
        if (code != CURLE_OK) {
            char why[CURL_ERROR_SIZE];
            eb_text_clean(t->error, why, sizeof(why));
            reply.result = fault.before ? OUTBOUND_NOT_SENT : OUTBOUND_IN_DOUBT;
            (void)eb_fail(&reply.err, c->unavailable, "%s (%s): %s%s%s%s", c->name, c->base_url, fault.text,
                          why[0] != '\0' ? " (" : "", why, why[0] != '\0' ? ")" : "");
        }
        tell(call, &reply);
    }
    transfer_release(t);
    cloud_pump(c);
}

void call_no_time_left(const struct outbound_call *call, struct eb_err *ret)
{
    const struct outbound_cloud *c = call->cloud;

    (void)eb_fail(ret, c->unavailable, "%s (%s): %s within %lld ms", c->name, c->base_url,
                  c->breaker.open ? "it keeps failing and is left alone for a moment: no call was let through"
                  : call->tries > 0 ? "it kept failing" : "no call could be started", (long long)call->allowed_ms);
}

void call_timed_out(struct outbound_call *call)
{
    struct outbound_reply reply = { .result = OUTBOUND_NOT_SENT, .retry_after_ms = -1, .request_id = "", .content_type = "", .location = "" };

    call_no_time_left(call, &reply.err);
    tell(call, &reply);
}
