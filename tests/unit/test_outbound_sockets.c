/* test_outbound_sockets.c - real sockets: what is sent how often, when the other side dies, hangs, throttles or cuts. */
#include "base/clock.h"
#include "base/log.h"
#include "outbound/internal.h"
#include "tests/unit/fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct bed {
    struct eb_loop *loop;
    struct outbound *o;
    struct outbound_cloud *cloud;
    struct fake_server *server;
    fake_handler *script;
    int answers, wanted;
    struct outbound_reply last;
    char body[256], err[600];
    int executed;               /* requests whose body came whole */
    bool inside_send, stopped;
};

static enum fake_then run_script(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    b->executed++;
    return b->script(b, r, out);
}

static void on_done(void *ctx, uint64_t id, const struct outbound_reply *reply)
{
    struct bed *b = ctx;

    (void)id;
    assert_false(b->inside_send);
    b->last = *reply;
    snprintf(b->body, sizeof(b->body), "%.*s", (int)reply->body.len, reply->body.p != NULL ? reply->body.p : "");
    snprintf(b->err, sizeof(b->err), "%s", reply->err.text);
    if (++b->answers == b->wanted)
        eb_loop_stop(b->loop);
}

static void bed_up(struct bed *b, fake_handler *script, int max_calls, int max_queue)
{
    struct eb_err err = { 0 };
    char base[64];

    *b = (struct bed){ .script = script };
    assert_true(eb_loop_new(&b->loop, &err));
    b->server = fake_server_new(b->loop, run_script, b);
    assert_true(outbound_new(b->loop, &(struct outbound_options){ 0 }, &b->o, &err));
    snprintf(base, sizeof(base), "http://127.0.0.1:%d/base", b->server->port);
    assert_true(outbound_cloud_new(b->o, &(struct outbound_cloud_options){ "test", base, max_calls, max_queue,
                                   EB_JIRA_UNAVAILABLE }, &b->cloud, &err));
}

static void bed_down(struct bed *b)
{
    outbound_free(b->o);
    fake_server_free(b->server);
    eb_loop_free(b->loop);
}

static void send_call(struct bed *b, const char *method, const char *body, bool safe, int64_t deadline_ms)
{
    static const char *const headers[] = { "Authorization: Bearer t", NULL };

    b->inside_send = true;
    outbound_send(b->cloud, &(struct outbound_request){ .method = method, .path = "/x?y=1", .call = "test.call",
        .headers = headers, .content_type = body != NULL ? "application/json" : NULL,
        .body = { body, body != NULL ? strlen(body) : 0 }, .repeat_safe = safe, .deadline_ms = deadline_ms,
        .max_body = 200 }, 1, on_done, b);
    b->inside_send = false;
}

static void wait_for(struct bed *b, int answers)
{
    b->wanted = answers;
    if (b->answers < answers)
        eb_loop_run(b->loop);
}

static enum fake_then serve_echo(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    char body[200];

    (void)arg;
    assert_string_equal(r->path, "/base/x?y=1");
    assert_non_null(strcasestr(r->head, "\r\nauthorization: Bearer t\r\n"));
    assert_non_null(strcasestr(r->head, "\r\nclient-request-id: "));
    assert_non_null(strcasestr(r->head, "\r\naccept: application/json\r\n"));
    assert_null(strcasestr(r->head, "\r\nexpect:"));
    if (r->body_len == 0 && strcmp(r->method, "POST") == 0)
        assert_non_null(strcasestr(r->head, "\r\ncontent-length: 0\r\n"));
    snprintf(body, sizeof(body), "%s %s", r->method, r->body);
    fake_answer(out, 200, "request-id: r1\r\n", body);
    return FAKE_KEEP;
}

static void test_methods(void **state)
{
    static const struct { const char *method, *body; bool safe; const char *got; } cases[] = {
        { "GET", NULL, true, "GET " },
        { "POST", "{1}", false, "POST {1}" },
        { "POST", "{2}", true, "POST {2}" },
        { "PATCH", "{3}", false, "PATCH {3}" },
        { "PUT", "{4}", false, "PUT {4}" },
        { "DELETE", NULL, false, "DELETE " },
        { "POST", NULL, false, "POST " },
        { "GET", NULL, true, "GET " },
        { "DELETE", NULL, true, "DELETE " },
    };
    struct bed b;

    (void)state;
    bed_up(&b, serve_echo, 4, 10);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        send_call(&b, cases[i].method, cases[i].body, cases[i].safe, 5000);
        wait_for(&b, (int)i + 1);
        assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
        assert_int_equal(b.last.status, 200);
        assert_string_equal(b.body, cases[i].got);
    }
    assert_int_equal(b.server->connections, 1);     /* kept alive */
    bed_down(&b);
}

/* The first request of a connection is served; the next is taken and the connection dies without an answer. */
static enum fake_then die_on_second(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    (void)arg;
    if (r->on_connection >= 2)
        return FAKE_CLOSE;
    fake_answer(out, 200, "", "{}");
    return FAKE_KEEP;
}

static enum fake_then reset_on_second(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    return die_on_second(arg, r, out) == FAKE_CLOSE ? FAKE_RESET : FAKE_KEEP;
}

static void test_dying_connection(void **state)
{
    static const struct { const char *method, *body; bool safe; fake_handler *server; enum outbound_result result;
                          int executed; const char *why; } cases[] = {
        { "POST", "{}", false, die_on_second, OUTBOUND_IN_DOUBT, 2, "libcurl would send it again by itself" },
        { "PATCH", "{}", false, die_on_second, OUTBOUND_IN_DOUBT, 2, "the same" },
        { "DELETE", "{}", false, die_on_second, OUTBOUND_IN_DOUBT, 2, "with a body" },
        { "POST", "{}", false, reset_on_second, OUTBOUND_IN_DOUBT, 2, "by RST" },
        { "DELETE", NULL, false, die_on_second, OUTBOUND_IN_DOUBT, 2, "without a body: there is nothing to rewind" },
        { "DELETE", NULL, false, reset_on_second, OUTBOUND_IN_DOUBT, 2, "the same by RST" },
        { "POST", NULL, false, die_on_second, OUTBOUND_IN_DOUBT, 2, "the same" },
        { "GET", NULL, true, die_on_second, OUTBOUND_ANSWERED, 3, "a read is sent again" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b, cases[i].server, 4, 10);
        send_call(&b, "GET", NULL, true, 5000);
        wait_for(&b, 1);
        send_call(&b, cases[i].method, cases[i].body, cases[i].safe, 5000);
        wait_for(&b, 2);
        if (b.last.result != cases[i].result || b.executed != cases[i].executed)
            fail_msg("case %zu (%s): result %d executed %d: %s", i, cases[i].why, b.last.result, b.executed, b.err);
        bed_down(&b);
    }
}

static enum fake_then always_close(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    (void)arg;
    (void)r;
    (void)out;
    return FAKE_CLOSE;
}

/* The other side has closed a kept connection before the write began: seen in time, nothing is in doubt. */
static void test_closed_while_idle(void **state)
{
    static const struct { const char *method, *body; } cases[] = { { "POST", "{}" }, { "DELETE", NULL } };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b, die_on_second, 4, 10);
        send_call(&b, "GET", NULL, true, 5000);
        wait_for(&b, 1);
        fake_server_close_all(b.server);
        send_call(&b, cases[i].method, cases[i].body, false, 5000);
        wait_for(&b, 2);
        assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
        assert_int_equal(b.executed, 2);
        assert_int_equal(b.server->connections, 2);
        bed_down(&b);
    }
}

/* A fresh connection that is closed after the whole request was read. */
static void test_bodyless_write_in_doubt(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, always_close, 4, 10);
    send_call(&b, "DELETE", NULL, false, 5000);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, OUTBOUND_IN_DOUBT);
    assert_int_equal(b.last.err.code, EB_JIRA_UNAVAILABLE);
    assert_int_equal(b.executed, 1);
    bed_down(&b);
}

static enum fake_then faulty(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;
    static const char html[] = "<html>busy</html>";

    if (r->body[0] == 'A')                          /* answered so for ever */
        fake_answer(out, atoi(r->body + 1), "", "{}");
    else if (b->executed >= 3)
        fake_answer(out, 200, "", "{\"third\":1}");
    else if (b->executed == 1)
        fake_answer(out, 429, "Retry-After: 0.2\r\n", "{}");
    else
        evbuffer_add_printf(out, "HTTP/1.1 503 x\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n%s", strlen(html), html);
    return FAKE_KEEP;
}

static void test_reads_are_tried_again(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, faulty, 4, 10);
    int64_t from = eb_mono_ms();
    send_call(&b, "GET", NULL, true, 10000);
    wait_for(&b, 1);
    assert_int_equal(b.last.status, 200);
    assert_int_equal(b.executed, 3);
    assert_true(eb_mono_ms() - from >= 500);        /* Retry-After, then a back-off of its own */
    assert_true(b.server->connections >= 2);        /* after 503 on a new connection */
    bed_down(&b);
}

static enum fake_then page_first(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;

    (void)r;
    fake_answer(out, 200, "", b->executed == 1 ? "<html>" : b->executed == 2 ? "{\"cut\":" : " {\"ok\":1}\n");
    return FAKE_KEEP;
}

static void test_pages_of_proxies(void **state)
{
    struct bed b;
    struct outbound_request r = { .method = "GET", .path = "/x", .call = "c", .repeat_safe = true, .wants_json = true };

    (void)state;
    bed_up(&b, page_first, 4, 10);
    outbound_send(b.cloud, &r, 1, on_done, &b);
    wait_for(&b, 1);
    assert_string_equal(b.body, " {\"ok\":1}\n");
    assert_int_equal(b.executed, 3);
    r.repeat_safe = false;
    b.executed = 0;
    outbound_send(b.cloud, &r, 1, on_done, &b);
    wait_for(&b, 2);
    assert_string_equal(b.body, "<html>");
    r.repeat_safe = true;
    b.executed = 0;
    r.deadline_ms = 100;                            /* no time for another try: it is handed up as it came */
    outbound_send(b.cloud, &r, 1, on_done, &b);
    wait_for(&b, 3);
    assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
    assert_string_equal(b.body, "<html>");
    bed_down(&b);
}

static void test_writes_are_not(void **state)
{
    static const int statuses[] = { 429, 500, 502, 503, 504, 400, 404, 409 };
    struct bed b;

    (void)state;
    bed_up(&b, faulty, 4, 10);
    for (size_t i = 0; i < EB_LEN(statuses); i++) {
        char body[16];
        snprintf(body, sizeof(body), "A%d", statuses[i]);
        send_call(&b, "POST", body, false, 5000);
        wait_for(&b, (int)i + 1);
        assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
        assert_int_equal(b.last.status, statuses[i]);
        assert_int_equal(b.executed, (int)i + 1);
    }
    bed_down(&b);
}

static enum fake_then cut(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    (void)arg;
    (void)r;
    evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":");
    return FAKE_CLOSE;
}

static enum fake_then too_much(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    char body[300];

    (void)arg;
    (void)r;
    memset(body, 'x', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    fake_answer(out, 200, "", body);
    return FAKE_KEEP;
}

static enum fake_then hang(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    (void)arg;
    (void)r;
    (void)out;
    return FAKE_KEEP;
}

static enum fake_then redirect(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    (void)arg;
    (void)r;
    fake_answer(out, 302, "Location: /base/elsewhere\r\n", "");
    return FAKE_KEEP;
}

static void test_bad_answers(void **state)
{
    static const struct { fake_handler *server; const char *method, *body; bool safe; int64_t deadline;
                          enum outbound_result result; int executed_least, executed_most; const char *why; } cases[] = {
        { cut, "POST", "{}", false, 2000, OUTBOUND_IN_DOUBT, 1, 1, "a write's answer was cut" },
        { cut, "GET", NULL, true, 1200, OUTBOUND_IN_DOUBT, 2, 9, "a read is tried again until its time ends" },
        { too_much, "GET", NULL, true, 2000, OUTBOUND_IN_DOUBT, 1, 1, "too large: trying again does not mend it" },
        { hang, "POST", "{}", false, 300, OUTBOUND_IN_DOUBT, 1, 1, "no answer to a write" },
        { hang, "GET", NULL, true, 300, OUTBOUND_IN_DOUBT, 1, 1, "no answer to a read" },
        { redirect, "GET", NULL, true, 2000, OUTBOUND_ANSWERED, 1, 1, "a redirect is handed up, not followed" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        bed_up(&b, cases[i].server, 4, 10);
        int64_t from = eb_mono_ms();
        send_call(&b, cases[i].method, cases[i].body, cases[i].safe, cases[i].deadline);
        wait_for(&b, 1);
        int64_t took = eb_mono_ms() - from;
        if (b.last.result != cases[i].result || b.executed < cases[i].executed_least ||
            b.executed > cases[i].executed_most || took > cases[i].deadline + 500)
            fail_msg("case %zu (%s): result %d executed %d in %lld ms: %s", i, cases[i].why, b.last.result, b.executed,
                     (long long)took, b.err);
        bed_down(&b);
    }
}

static void test_nothing_there(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, hang, 4, 10);
    fake_server_stop_listening(b.server);
    send_call(&b, "POST", "{}", false, 2000);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, OUTBOUND_NOT_SENT);
    assert_int_equal(b.last.err.code, EB_JIRA_UNAVAILABLE);
    assert_non_null(strstr(b.err, "no connection can be made"));
    bed_down(&b);
}

static void test_queue(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, hang, 2, 3);
    for (int i = 0; i < 6; i++)
        send_call(&b, "POST", "{}", false, 2000);     /* time enough for two to arrive on a busy machine */
    assert_int_equal(outbound_calls_under_way(b.cloud), 2);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, OUTBOUND_NOT_SENT);     /* the sixth: the queue is full */
    assert_int_equal(b.last.err.code, EB_OVERLOADED);
    wait_for(&b, 6);                                        /* the deadline counts the waiting too */
    assert_int_equal(b.server->requests, 2);
    assert_int_equal(b.executed, 2);
    bed_down(&b);
}

static void test_forget(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, hang, 1, 10);
    send_call(&b, "POST", "{}", false, 5000);
    send_call(&b, "POST", "{}", false, 5000);
    outbound_forget(b.cloud, &b, 1);
    assert_int_equal(outbound_calls_under_way(b.cloud), 0);
    b.script = serve_echo;
    send_call(&b, "GET", NULL, true, 1000);
    wait_for(&b, 1);
    assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
    assert_int_equal(b.answers, 1);
    bed_down(&b);
}

static void send_priority(struct bed *b, bool low, bool high, uint64_t id)
{
    outbound_send(b->cloud, &(struct outbound_request){ .method = "GET", .path = low ? "/low" : high ? "/high" : "/normal", .call = "test.call",
        .repeat_safe = true, .low_priority = low, .high_priority = high, .deadline_ms = 5000 }, id, on_done, b);
}

static int low_seen, most_low, high_at;

static enum fake_then note_low(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    struct bed *b = arg;

    low_seen += strcmp(r->path, "/base/low") == 0;
    most_low = b->cloud->low_count > most_low ? b->cloud->low_count : most_low;
    if (strcmp(r->path, "/base/high") == 0)
        high_at = b->executed;
    fake_answer(out, 200, "Location: /there\r\n", "{}");
    return FAKE_KEEP;
}

static void test_low_leaves_places(void **state)
{
    static const struct { int max_calls, low; const char *why; } cases[] = {
        { 1, 1, "one place: even bulk work must get on" },
        { 2, 1, "one is left" },
        { 4, 3, "three quarters" },
        { 10, 7, "rounded down" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct bed b;
        low_seen = most_low = high_at = 0;
        bed_up(&b, note_low, cases[i].max_calls, 100);
        for (int k = 0; k < 20; k++)
            send_priority(&b, true, false, 1);
        if (b.cloud->low_count != cases[i].low || b.cloud->under_way_count != cases[i].low)
            fail_msg("case %zu (%s): %d under way", i, cases[i].why, b.cloud->low_count);
        send_priority(&b, false, false, 2);
        send_priority(&b, false, true, 3);
        if (cases[i].max_calls > 1)
            assert_int_equal(b.cloud->under_way_count, cases[i].low + (cases[i].max_calls - cases[i].low > 1 ? 2 : 1));
        wait_for(&b, 22);
        assert_int_equal(low_seen, 20);
        if (most_low > cases[i].low || high_at > cases[i].low + 2)
            fail_msg("case %zu (%s): %d at once, high as number %d", i, cases[i].why, most_low, high_at);
        assert_string_equal(b.last.location, "/there");
        assert_int_equal(b.cloud->low_count, 0);
        send_priority(&b, true, false, 4);
        outbound_forget(b.cloud, &b, 4);
        assert_int_equal(b.cloud->low_count, 0);
        bed_down(&b);
    }
}

/* Bulk work may wait in great numbers: there is still room in the queue for what people ask for. */
static void test_low_leaves_room_in_the_queue(void **state)
{
    struct bed b;

    (void)state;
    low_seen = 0;
    bed_up(&b, note_low, 1, 8);
    for (int k = 0; k < 10; k++)
        send_priority(&b, true, false, 1);      /* one under way, six wait, three are too many */
    send_priority(&b, false, true, 2);
    send_priority(&b, false, false, 3);
    assert_int_equal(b.cloud->queue.length, 8);
    wait_for(&b, 12);
    assert_int_equal(low_seen, 7);
    assert_int_equal(b.executed, 9);
    bed_down(&b);
}

static enum fake_then throttle_first(void *arg, const struct fake_request *r, struct evbuffer *out)
{
    if (((struct bed *)arg)->executed == 1)
        fake_answer(out, 429, "Retry-After: 0.3\r\n", "{}");
    else
        fake_answer(out, 200, "", "{}");
    return FAKE_KEEP;
}

static void test_throttled_time_is_told(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, throttle_first, 4, 10);
    send_call(&b, "GET", NULL, true, 20000);
    wait_for(&b, 1);
    assert_int_equal(b.last.status, 200);
    assert_true(b.last.throttled_ms >= 300);        /* its own Retry-After */
    b.cloud->lanes[LANE_READ].tokens = 0;           /* the lane has nothing to give: the next one waits for it */
    b.cloud->lanes[LANE_READ].rate = 5;
    b.cloud->lanes[LANE_READ].refilled_ms = eb_mono_ms();
    b.cloud->lanes[LANE_READ].forget_ms = eb_mono_ms() + 60000;
    send_call(&b, "GET", NULL, true, 20000);
    wait_for(&b, 2);
    assert_int_equal(b.last.status, 200);
    assert_true(b.last.throttled_ms >= 100);
    b.cloud->lanes[LANE_READ].rate = 0;
    send_call(&b, "GET", NULL, true, 20000);
    wait_for(&b, 3);
    assert_int_equal(b.last.throttled_ms, 0);       /* what others waited is not counted again */
    bed_down(&b);
}

static void test_breaker_on_sockets(void **state)
{
    struct bed b;

    (void)state;
    bed_up(&b, faulty, 4, 100);
    for (int i = 0; i < BREAKER_FAILURES; i++)
        send_call(&b, "POST", "A503", false, 5000);
    wait_for(&b, BREAKER_FAILURES);
    send_call(&b, "POST", "A200", false, 5000);
    wait_for(&b, BREAKER_FAILURES + 1);
    assert_int_equal(b.last.result, OUTBOUND_NOT_SENT);
    assert_true(b.last.retry_after_ms > 3000);
    assert_int_equal(b.executed, BREAKER_FAILURES);
    b.cloud->breaker.until_ms = eb_mono_ms() + 200;         /* not the whole 5 s */
    b.script = serve_echo;
    send_call(&b, "GET", NULL, true, 5000);                 /* a read waits, and is the probe */
    wait_for(&b, BREAKER_FAILURES + 2);
    assert_int_equal(b.last.result, OUTBOUND_ANSWERED);
    assert_false(b.cloud->breaker.open);
    bed_down(&b);
}

static void test_malformed_is_never_sent(void **state)
{
    static const char *const paths[] = { "x", "", "/a b", "/a\r\nX: y", "/a#b", "/\xc3\xa9" };
    struct bed b;

    (void)state;
    bed_up(&b, serve_echo, 4, 10);
    for (size_t i = 0; i < EB_LEN(paths); i++) {
        outbound_send(b.cloud, &(struct outbound_request){ .method = "GET", .path = paths[i], .call = "c", .repeat_safe = true },
                      1, on_done, &b);
        wait_for(&b, (int)i + 1);
        assert_int_equal(b.last.result, OUTBOUND_NOT_SENT);
        assert_int_equal(b.last.err.code, EB_INTERNAL);
    }
    assert_int_equal(b.server->connections, 0);
    bed_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_dying_connection),
        cmocka_unit_test(test_closed_while_idle),
        cmocka_unit_test(test_bodyless_write_in_doubt),
        cmocka_unit_test(test_reads_are_tried_again),
        cmocka_unit_test(test_pages_of_proxies),
        cmocka_unit_test(test_writes_are_not),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_low_leaves_places),
        cmocka_unit_test(test_low_leaves_room_in_the_queue),
        cmocka_unit_test(test_throttled_time_is_told),
        cmocka_unit_test(test_breaker_on_sockets),
        cmocka_unit_test(test_malformed_is_never_sent),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
