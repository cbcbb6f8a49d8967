/* test_outbound.c - URLs, Retry-After, the throttle and the breaker as tables. */
#include "base/log.h"
#include "outbound/header.h"
#include "outbound/internal.h"
#include "outbound/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_url_match(void **state)
{
    static const struct { const char *base, *url, *path, *why; } cases[] = {
        { "https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/v1.0/users?$skiptoken=abc", "/users?$skiptoken=abc", "plain" },
        { "https://graph.microsoft.com/v1.0", "HTTPS://Graph.Microsoft.COM/v1.0/users", "/users", "scheme and host ignore case" },
        { "https://graph.microsoft.com/v1.0", "https://graph.microsoft.com:443/v1.0/users", "/users", "the default port said" },
        { "https://h:8443", "https://h:8443/a", "/a", "no base path" },
        { "https://h/v1.0", "https://h/v1.0/users('x')?$filter=a%20b", "/users('x')?$filter=a%20b", "quotes and escapes" },
        { "https://h/v1.0", "https://h/v1.0/a?u=https%3A%2F%2Fevil/../x", "/a?u=https%3A%2F%2Fevil/../x", "the query may hold anything" },
        { "https://h/v1.0", "https://h/v1.0?x=1", "?x=1", "a query right after the base" },
        { "http://[::1]:80/b", "http://[::1]/b/c", "/c", "IPv6" },
        { "https://h/v1.0", "http://h/v1.0/users", NULL, "another scheme" },
        { "https://h/v1.0", "https://h:444/v1.0/users", NULL, "another port" },
        { "https://h/v1.0", "https://evil/v1.0/users", NULL, "another host" },
        { "https://h/v1.0", "https://h.evil/v1.0/users", NULL, "the host as a prefix" },
        { "https://h/v1.0", "https://h@evil/v1.0/users", NULL, "user info" },
        { "https://h/v1.0", "https://evil#@h/v1.0/users", NULL, "a fragment" },
        { "https://h/v1.0", "https://evil\\@h/v1.0/users", NULL, "a backslash" },
        { "https://h/v1.0", "https://h/v1.0x/users", NULL, "the base path as a prefix" },
        { "https://h/v1.0", "https://h/beta/users", NULL, "another path" },
        { "https://h/v1.0", "https://h/v1.0/../beta", NULL, "dot segments" },
        { "https://h/v1.0", "https://h/v1.0/%2e%2E/beta", NULL, "encoded dot segments" },
        { "https://h/v1.0", "https://h/v1.0/.", NULL, "a dot segment at the end" },
        { "https://h/v1.0", "https://h/v1.0/a%2fb", NULL, "an encoded slash" },
        { "https://h/v1.0", "https://h/v1.0/a%5Cb", NULL, "an encoded backslash" },
        { "https://h/v1.0", "https://h/v1.0/a%0d%0ab", NULL, "an encoded line end" },
        { "https://h/v1.0", "https://h/v1.0/a%zz", NULL, "a broken escape" },
        { "https://h/v1.0", "https://h/v1.0/a%", NULL, "a cut escape" },
        { "https://h/v1.0", "https://h/v1.0/a b", NULL, "a blank" },
        { "https://h/v1.0", "https://h/v1.0/\xc3\xa9", NULL, "not ASCII" },
        { "https://h/v1.0", "https://h:/v1.0/a", NULL, "an empty port" },
        { "https://h/v1.0", "https://h:99999/v1.0/a", NULL, "a port out of range" },
        { "https://h/v1.0", "https:///v1.0/a", NULL, "no host" },
        { "https://h/v1.0", "//h/v1.0/a", NULL, "no scheme" },
        { "https://h/v1.0", "https://h/v1.0", NULL, "the base alone" },
        { "https://h/v1.0", "", NULL, "nothing" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        const char *path = NULL;
        bool ok = outbound_url_match(cases[i].base, cases[i].url, &path);
        if (ok != (cases[i].path != NULL) || (ok && strcmp(path, cases[i].path) != 0))
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, ok, path);
    }
}

static void test_url_base(void **state)
{
    static const struct { const char *url; bool ok, plain; const char *why; } cases[] = {
        { "https://graph.microsoft.com/v1.0", true, false, "https" },
        { "https://api.atlassian.com/ex/jira/7-7", true, false, "a gateway" },
        { "http://127.0.0.1:8081/v1.0", true, true, "loopback" },
        { "http://localhost:1", true, true, "loopback by name" },
        { "http://[::1]:1", true, true, "IPv6 loopback" },
        { "http://graph.microsoft.com/v1.0", false, false, "http to a real host" },
        { "http://127.evil.example", false, false, "a name that looks like loopback" },
        { "http://127.0.0.1.evil.example", false, false, "another" },
        { "https://h/", false, false, "a slash at the end" },
        { "https://h/v1?x", false, false, "a query" },
        { "https://u@h", false, false, "user info" },
        { "ftp://h", false, false, "another scheme" },
        { "h", false, false, "no scheme" },
        { "", false, false, "nothing" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        bool plain = false;
        bool ok = outbound_url_base("x", cases[i].url, &plain, &err);
        if (ok != cases[i].ok || (ok && plain != cases[i].plain))
            fail_msg("case %zu (%s): %d %d", i, cases[i].why, ok, plain);
    }
}

static void test_retry_after(void **state)
{
    const int64_t now = 1445412480000;      /* Wed, 21 Oct 2015 07:28:00 GMT */
    static const struct { const char *text; int64_t ms; const char *why; } cases[] = {
        { "5", 5000, "seconds" },
        { "0", 0, "none" },
        { "  12\t", 12000, "blanks around" },
        { "0.249", 249, "fractional, as seen in batches" },
        { "1.5", 1500, "one digit" },
        { "0.0001", 1, "never rounded down to nothing" },
        { "1.0000", 1000, "zeros only" },
        { ".5", 500, "no digit before" },
        { "999999999999999999999", 86400000, "a day at most" },
        { "Wed, 21 Oct 2015 07:28:30 GMT", 30000, "a date" },
        { "Wed, 21 Oct 2015 07:27:30 GMT", 0, "a date gone by" },
        { "Fri, 21 Oct 2016 07:28:30 GMT", 86400000, "a date far away" },
        { "", -1, "empty" },
        { "-5", -1, "negative" },
        { "5s", -1, "a unit" },
        { "1.2.3", -1, "two points" },
        { ".", -1, "a point" },
        { "soon", -1, "a word" },
        { "\xff\xfe", -1, "garbage" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int64_t ms = outbound_retry_after((struct eb_span){ cases[i].text, strlen(cases[i].text) }, now);
        if (ms != cases[i].ms)
            fail_msg("case %zu (%s): %lld", i, cases[i].why, (long long)ms);
    }
}

static void head_line(struct outbound_head *h, const char *line)
{
    outbound_head_line(h, (struct eb_span){ line, strlen(line) }, 0);
}

static void test_head(void **state)
{
    struct outbound_head h;

    (void)state;
    outbound_head_reset(&h);
    head_line(&h, "HTTP/1.1 103 Early Hints\r\n");
    head_line(&h, "Retry-After: 9\r\n");
    head_line(&h, "Location: https://h/early\r\n");
    head_line(&h, "\r\n");
    head_line(&h, "HTTP/1.1 429 Too Many Requests\r\n");
    assert_int_equal(h.retry_after_ms, -1);         /* the interim answer's does not count */
    head_line(&h, "RETRY-AFTER:0.5\r\n");
    head_line(&h, "Request-Id: abc\x07\r\n");
    head_line(&h, "content-type:  application/json; charset=utf-8 \r\n");
    head_line(&h, "RateLimit-Reason: jira-per-issue-on-write\r\n");
    assert_string_equal(h.location, "");            /* nor is this one */
    head_line(&h, "Location: https://h/x?$deltatoken=\r\n");
    assert_string_equal(h.location, "https://h/x?$deltatoken=");
    assert_int_equal(h.retry_after_ms, 500);
    assert_string_equal(h.request_id, "abc");
    assert_string_equal(h.content_type, "application/json; charset=utf-8");
    assert_true(h.one_object);
    assert_true(h.bytes > 100);
    head_line(&h, "x-arequestid");                  /* no colon */
    head_line(&h, "x-arequestid: jira-1\r\n");
    assert_string_equal(h.request_id, "jira-1");
}

static void test_long_location(void **state)
{
    static char line[4000];
    struct outbound_head h;

    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    memcpy(line, "Location: /", 11);
    outbound_head_reset(&h);
    head_line(&h, line);
    assert_string_equal(h.location, "");            /* cut it would lead elsewhere */
}

static void test_lane(void **state)
{
    struct throttle_lane l = { 0 };
    int64_t now = 1000000;

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(throttle_wait_ms(&l, now), 0);
        throttle_sent(&l, now);
    }
    throttle_refused(&l, now, 5000);
    double cut = l.rate;
    assert_true(cut >= 40 && cut <= 60);            /* half of what was being sent */
    throttle_refused(&l, now + 10, 5000);
    assert_true(l.rate == cut);                     /* the same refusal, told by many calls */
    assert_true(throttle_wait_ms(&l, now) > 0);

    int sent = 0;
    for (int64_t t = now; t < now + 1000; t++)
        if (throttle_wait_ms(&l, t) == 0) {
            throttle_sent(&l, t);
            sent++;
        }
    assert_in_range(sent, 40, 60);
    for (int i = 0; i < 30; i++)
        throttle_served(&l, now + 1000);
    assert_true(l.rate >= 80 && l.rate < 90);       /* quickly to where the refusal is not far, and slowly from there */
    for (int i = 0; i < 500; i++)
        throttle_served(&l, now + 1000);
    assert_int_equal(throttle_wait_ms(&l, now + 1000), 0);
    assert_true(l.rate <= 0);                       /* served: the refusal is forgotten */

    throttle_refused(&l, now + 20000, -1);
    assert_true(l.rate >= 2);                       /* never stopped altogether */
    assert_int_equal(throttle_wait_ms(&l, now + 90000), 0);
}

/* A minute of as many calls as the lane lets go, against a cloud with a bucket of so many a second: few are refused, and most of what it allows is used. */
static void test_lane_at_a_lasting_limit(void **state)
{
    static const double limits[] = { 15, 25, 50, 100 };

    (void)state;
    for (size_t i = 0; i < EB_LEN(limits); i++) {
        struct throttle_lane l = { 0 };
        double bucket = limits[i];
        int served = 0, refused = 0;
        for (int64_t now = 1000000; now < 1060000; now++) {
            bucket = bucket + limits[i] / 1000 > limits[i] ? limits[i] : bucket + limits[i] / 1000;
            if (throttle_wait_ms(&l, now) > 0)
                continue;
            throttle_sent(&l, now);
            if (bucket >= 1) {
                bucket -= 1;
                served++;
                throttle_served(&l, now);
            } else {
                refused++;
                throttle_refused(&l, now, 1000);
            }
        }
        assert_true(refused * 100 <= served * 3);
        assert_true(served >= (int)(limits[i] * 60 * 0.7));
    }
}

static void test_breaker(void **state)
{
    struct breaker b = { 0 };
    bool probe;
    int64_t now = 0;

    (void)state;
    for (int i = 0; i < BREAKER_FAILURES - 1; i++)
        assert_false(breaker_result(&b, now, false, false));
    assert_true(breaker_lets(&b, now, &probe));
    assert_true(breaker_result(&b, now, false, false));
    assert_false(breaker_lets(&b, now + BREAKER_FIRST_MS - 1, &probe));
    int64_t pause = BREAKER_FIRST_MS;
    for (int i = 0; i < 6; i++) {
        now += pause;
        assert_true(breaker_lets(&b, now, &probe));
        assert_true(probe);
        assert_false(breaker_lets(&b, now, &probe));        /* one probe at a time */
        assert_false(breaker_result(&b, now, false, true));
        pause = pause * 2 < BREAKER_LAST_MS ? pause * 2 : BREAKER_LAST_MS;
        assert_int_equal(b.until_ms - now, pause);
    }
    assert_true(breaker_result(&b, now, true, false));       /* a straggler that was served is proof enough */
    assert_true(breaker_lets(&b, now, &probe));
    assert_false(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url_match),
        cmocka_unit_test(test_url_base),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_long_location),
        cmocka_unit_test(test_lane),
        cmocka_unit_test(test_lane_at_a_lasting_limit),
        cmocka_unit_test(test_breaker),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
