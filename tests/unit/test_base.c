/* test_base.c - the foundation: parsers as tables, ceilings, the loop's promises, metrics, log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/text.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPAN(s) ((struct eb_span){ (s), strlen(s) })

/* ---- errors ---- */

static void test_codes(void **state)
{
    for (int c = 0; c < EB_CODE_COUNT; c++) {
        assert_non_null(eb_code_title((enum eb_code)c));
        assert_in_range(eb_code_status((enum eb_code)c), 200, 503);
        assert_int_equal(eb_code_parse(eb_code_text((enum eb_code)c)), c);
    }
    assert_int_equal(eb_code_parse("no such code"), EB_INTERNAL);
    assert_int_equal(eb_code_parse(NULL), EB_INTERNAL);
    assert_int_equal(eb_code_status((enum eb_code)9999), 500);
}

static void test_error_fill(void **state)
{
    char longish[800];
    struct eb_err err = { .retry_after_ms = 7, .field = "old" };

    assert_false(eb_fail(&err, EB_RATE_LIMITED, "slower, %s", "please"));
    assert_int_equal(err.code, EB_RATE_LIMITED);
    assert_string_equal(err.text, "slower, please");
    assert_string_equal(err.where, "test_error_fill");
    assert_string_equal(err.field, "");             /* nothing is left of an earlier error */
    assert_int_equal(err.retry_after_ms, 0);
    assert_false(eb_fail_field(&err, EB_INVALID_REQUEST, "user", "empty"));
    assert_string_equal(err.field, "user");
    assert_false(eb_fail(NULL, EB_INTERNAL, "nobody listens"));

    /* Two-byte characters at odd places: the cut must not leave half a character. */
    longish[0] = 'x';
    for (size_t i = 1; i + 2 < sizeof(longish); i += 2)
        memcpy(longish + i, "\xC3\xA9", 3);
    for (int shift = 0; shift < 2; shift++) {
        (void)eb_fail_field(&err, EB_INTERNAL, longish + 1 - shift, "%s", longish + 1 - shift);
        assert_true(eb_utf8_valid(err.text, strlen(err.text)));
        assert_true(eb_utf8_valid(err.field, strlen(err.field)));
        assert_true(strlen(err.text) >= sizeof(err.text) - 2);
    }
}

/* ---- buffers ---- */

static void test_buf_ceiling(void **state)
{
    struct eb_buf b = EB_BUF(10);

    assert_true(eb_buf_add(&b, NULL, 0));
    assert_true(eb_buf_str(&b, "12345"));
    assert_true(eb_buf_addf(&b, "%d", 67890));      /* exactly the ceiling */
    assert_string_equal(b.data, "1234567890");
    assert_int_equal(b.cap, 11);
    assert_true(eb_buf_add(&b, "", 0));
    assert_false(eb_buf_str(&b, "x"));
    assert_true(b.failed);
    assert_false(eb_buf_add(&b, "", 0));            /* stays failed */
    assert_string_equal(b.data, "1234567890");

    eb_buf_reset(&b);
    assert_true(eb_buf_str(&b, "abc"));
    assert_false(eb_buf_addf(&b, "%s", "12345678"));
    assert_string_equal(b.data, "abc");             /* no part of what did not fit */
    assert_null(eb_buf_take(&b));
    assert_null(b.data);
    assert_int_equal(b.max, 10);                    /* may be used again */

    char *empty = eb_buf_take(&b);
    assert_string_equal(empty, "");
    free(empty);
}

static void test_buf_grows(void **state)
{
    struct eb_buf b = EB_BUF(MiB(1));

    for (int i = 0; i < 20000; i++)
        eb_buf_addf(&b, "%06d,", i);
    assert_false(b.failed);
    assert_int_equal(b.len, 140000);
    assert_memory_equal(b.data + 7 * 19999, "019999,", 8);
    char *text = eb_buf_take(&b);
    assert_int_equal(strlen(text), 140000);
    free(text);
    eb_buf_free(&b);
}

/* ---- clocks ---- */

static void test_time_parse(void **state)
{
    static const struct { const char *text; bool ok; int64_t ms; const char *why; } cases[] = {
        { "1970-01-01T00:00:00Z", true, 0, "the beginning" },
        { "2026-11-22T16:43:00.000Z", true, 1795365780000, "our own form" },
        { "2026-11-22T17:43:00+01:00", true, 1795365780000, "an offset" },
        { "2026-11-22T16:43:00.000+0000", true, 1795365780000, "Jira's form" },
        { "2026-11-22t11:13:00-05:30", true, 1795365780000, "negative half-hour offset, small t" },
        { "2026-11-22T16:43:00.1239999Z", true, 1795365780123, "Graph's seven digits" },
        { "2026-11-22T16:43:00.5Z", true, 1795365780500, "one digit" },
        { "2000-02-29T00:00:00Z", true, 951782400000, "leap year by 400" },
        { "0001-01-01T00:00:00Z", true, -62135596800000, "Graph's never" },
        { "2016-12-31T23:59:60Z", true, 1483228800000, "a leap second" },
        { "2016-12-31T18:59:60-05:00", true, 1483228800000, "the same elsewhere" },
        { "2016-12-31T12:00:60Z", false, 0, "second 60 at noon" },
        { "1900-02-29T00:00:00Z", false, 0, "no leap year by 100" },
        { "2026-13-01T00:00:00Z", false, 0, "month 13" },
        { "2026-04-31T00:00:00Z", false, 0, "April 31" },
        { "2026-11-22T24:00:00Z", false, 0, "hour 24" },
        { "2026-11-22T16:43:00", false, 0, "no offset: which time would it be?" },
        { "2026-11-22 16:43:00Z", false, 0, "a blank for the T" },
        { "2026-11-22", false, 0, "a date only" },
        { "2026-11-22T16:43:00.Z", false, 0, "a point without digits" },
        { "2026-11-22T16:43:00Z ", false, 0, "trailing blank" },
        { "+026-11-22T16:43:00Z", false, 0, "sign in the year" },
        { "2026-11-22T16:43:00+25:00", false, 0, "offset of 25 hours" },
        { "", false, 0, "empty" },
        { NULL, false, 0, "nothing" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        int64_t ms = -1;
        bool ok = eb_time_parse(cases[i].text, &ms, &err);
        if (ok != cases[i].ok || (ok && ms != cases[i].ms) || (!ok && err.code != EB_INVALID_REQUEST))
            fail_msg("%s (%s): %d %lld", cases[i].text, cases[i].why, ok, (long long)ms);
    }
}

static void test_time_round(void **state)
{
    static const struct { int64_t ms; const char *text; } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1795365780007, "2026-11-22T16:43:00.007Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { -62135596800000, "0001-01-01T00:00:00.000Z" },
        { 253402300799999, "9999-12-31T23:59:59.999Z" },
    };
    char text[EB_TIME_LEN];

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int64_t back;
        assert_string_equal(eb_time_format(cases[i].ms, text), cases[i].text);
        assert_true(eb_time_parse(text, &back, NULL));
        assert_int_equal(back, cases[i].ms);
    }
    assert_string_equal(eb_time_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(eb_time_format(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
    assert_true(eb_now_ms() > 1700000000000);
}

static void test_duration(void **state)
{
    static const struct { const char *text; bool ok; int64_t ms; const char *back, *why; } cases[] = {
        { "90s", true, 90000, "90s", "not a whole minute" },
        { "15m", true, 900000, "15m", "minutes" },
        { "8h", true, 28800000, "8h", "hours" },
        { "30d", true, 2592000000, "30d", "days" },
        { "250ms", true, 250, "250ms", "milliseconds" },
        { "0s", true, 0, "0s", "nothing" },
        { "120m", true, 7200000, "2h", "written with the largest unit" },
        { "36500d", true, 3153600000000, "36500d", "the longest" },
        { "36501d", false, 0, NULL, "past the longest" },
        { "99999999999999999999999s", false, 0, NULL, "does not fit 64 bits" },
        { "90", false, 0, NULL, "no unit" },
        { "s", false, 0, NULL, "no number" },
        { "", false, 0, NULL, "empty" },
        { NULL, false, 0, NULL, "nothing" },
        { "-5s", false, 0, NULL, "negative" },
        { "+5s", false, 0, NULL, "sign" },
        { "1.5h", false, 0, NULL, "fraction" },
        { "1h30m", false, 0, NULL, "two parts" },
        { "5 s", false, 0, NULL, "blank" },
        { "5S", false, 0, NULL, "capital" },
        { "5sec", false, 0, NULL, "another name" },
    };
    char text[EB_TIME_LEN];

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        int64_t ms = -1;
        bool ok = eb_duration_parse(cases[i].text, &ms, &err);
        if (ok != cases[i].ok || (ok && ms != cases[i].ms) || (!ok && err.code != EB_INVALID_REQUEST))
            fail_msg("%s (%s): %d %lld", cases[i].text, cases[i].why, ok, (long long)ms);
        if (ok)
            assert_string_equal(eb_duration_format(ms, text), cases[i].back);
    }
}

/* ---- text ---- */

static void test_utf8(void **state)
{
    static const struct { const char *text; bool valid, unclean; const char *cleaned, *why; } cases[] = {
        { "Ada Lovelace", true, false, "Ada Lovelace", "plain" },
        { "Gr\xC3\xBC\xC3\x9F" "e \xF0\x9F\x98\x80", true, false, "Gr\xC3\xBC\xC3\x9F" "e \xF0\x9F\x98\x80", "umlaut, emoji" },
        { "a\nb", true, true, "ab", "line end" },
        { "a\x7f" "b", true, true, "ab", "DEL" },
        { "a\xC2\x85" "b", true, true, "ab", "C1: next line" },
        { "a\xC2\xA0" "b", true, false, "a\xC2\xA0" "b", "no-break space is the first after C1" },
        { "a\xE2\x80\xAE" "b", true, true, "ab", "U+202E turns the text round" },
        { "a\xE2\x80\xA8" "b", true, true, "ab", "U+2028 is a line end for some" },
        { "a\xE2\x80\x8B" "b", true, true, "ab", "U+200B is not seen" },
        { "a\xE2\x81\xA9" "b", true, true, "ab", "U+2069" },
        { "a\xE2\x80\x90" "b", true, false, "a\xE2\x80\x90" "b", "U+2010, a hyphen" },
        { "\xEF\xBB\xBF" "a", true, true, "a", "byte order mark" },
        { "a\xC3", false, true, "a", "half a character" },
        { "a\xC0\xAF" "b", false, true, "ab", "overlong slash" },
        { "a\xE0\x80\xAF" "b", false, true, "ab", "overlong in three" },
        { "a\xED\xA0\x80" "b", false, true, "ab", "surrogate" },
        { "a\xF4\x90\x80\x80" "b", false, true, "ab", "past U+10FFFF" },
        { "a\xFF" "b", false, true, "ab", "never in UTF-8" },
        { "\x80", false, true, "", "a tail without a head" },
    };
    char out[64];

    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (eb_utf8_valid(cases[i].text, strlen(cases[i].text)) != cases[i].valid ||
            eb_text_unclean(cases[i].text) != cases[i].unclean ||
            strcmp(eb_text_clean(cases[i].text, out, sizeof(out)), cases[i].cleaned) != 0)
            fail_msg("case %zu (%s): cleaned to '%s'", i, cases[i].why, out);
    assert_string_equal(eb_text_clean("ab\xC3\xBC" "c", out, 4), "ab");   /* no half character at the cut */
    assert_string_equal(eb_text_clean("ab\xC3\xBC" "c", out, 5), "ab\xC3\xBC");
    assert_string_equal(eb_text_clean("abc", out, 1), "");
}

static void test_names(void **state)
{
    static const struct { const char *text; bool guid, issue; const char *why; } cases[] = {
        { "0f6c2a1e-0000-4000-8000-00000000ABCD", true, false, "a GUID in any case" },
        { "0f6c2a1e-0000-4000-8000-00000000abc", false, false, "too short" },
        { "0f6c2a1e-0000-4000-8000-00000000abcde", false, false, "too long" },
        { "0f6c2a1e00000-4000-8000-00000000abcd", false, false, "a dash missing" },
        { "{f6c2a1e-0000-4000-8000-00000000abcd", false, false, "brace" },
        { "ITSM-42", false, true, "a key" },
        { "A_1-1", false, true, "underscore, digits" },
        { "10042", false, true, "a numeric id" },
        { "123456789012345678", false, true, "18 digits" },
        { "1234567890123456789", false, false, "19 digits" },
        { "ITSM-1234567890123456789", false, false, "19 digits behind a key" },
        { "0042", false, false, "leading zero: a second spelling" },
        { "ITSM-042", false, false, "leading zero behind a key" },
        { "ITSM-0", false, false, "no issue has number 0" },
        { "itsm-42", false, false, "small letters: a second spelling" },
        { "1TSM-42", false, false, "begins with a digit" },
        { "ITSM-", false, false, "no number" },
        { "ITSM", false, false, "no dash" },
        { "ITSM-42/../X", false, false, "a path" },
        { "ITSM-42\n", false, false, "line end" },
        { "-42", false, false, "negative" },
        { "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJ-1", false, true, "project of 50" },
        { "ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJK-1", false, false, "project of 51" },
        { "", false, false, "empty" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (eb_is_guid(cases[i].text) != cases[i].guid || eb_is_issue(cases[i].text) != cases[i].issue)
            fail_msg("%s (%s)", cases[i].text, cases[i].why);
    assert_true(eb_streq(NULL, NULL) && eb_streq("a", "a"));
    assert_false(eb_streq(NULL, "") || eb_streq("a", NULL) || eb_streq("a", "A"));
    assert_true(eb_strieq("aZ-\xC3\xBC", "Az-\xC3\xBC") && eb_strieq("", ""));
    assert_false(eb_strieq("ab", "a") || eb_strieq("a", "ab") || eb_strieq("@", "`") || eb_strieq(NULL, "a"));
}

static void test_url_escape(void **state)
{
    struct eb_buf b = EB_BUF(100);

    assert_true(eb_url_escape(&b, "a/b?c#d%e'f g\xC3\xBC-._~Z9\x01"));
    assert_string_equal(b.data, "a%2Fb%3Fc%23d%25e%27f%20g%C3%BC-._~Z9%01");
    eb_buf_free(&b);
    b = EB_BUF(4);
    assert_false(eb_url_escape(&b, "//"));
    eb_buf_free(&b);
}

/* ---- metrics ---- */

static void test_metrics(void **state)
{
    static struct eb_metric calls = { "eb_calls_total", "Calls.\nTwo \\ lines", EB_COUNTER, { "cloud", "code" } };
    static struct eb_metric level = { "eb_level", "A level", EB_GAUGE };
    static struct eb_metric time = { "eb_seconds", "Durations", EB_HISTOGRAM, { "kind" } };
    struct eb_buf b = EB_BUF(MiB(1));

    for (int round = 0; round < 2; round++) {       /* the second after a clean-up: nothing is left over */
        eb_metric_add(&calls, 1, "graph", "200", NULL);
        eb_metric_add(&calls, 2, "graph", "200", NULL);
        eb_metric_add(&calls, 1, "a\"b\\c", NULL, NULL);
        eb_metric_set(&level, 2.5, NULL, NULL, NULL);
        eb_metric_add(&level, -1, NULL, NULL, NULL);
        eb_metric_observe(&time, 0.001, "x", NULL, NULL);
        eb_metric_observe(&time, 0.3, "x", NULL, NULL);
        eb_metric_observe(&time, 99, "x", NULL, NULL);
        assert_true(eb_metrics_render(&b));
        assert_non_null(strstr(b.data, "# HELP eb_calls_total Calls.\\nTwo \\\\ lines\n# TYPE eb_calls_total counter\n"
                               "eb_calls_total{cloud=\"graph\",code=\"200\"} 3\n"
                               "eb_calls_total{cloud=\"a\\\"b\\\\c\",code=\"\"} 1\n"));
        assert_non_null(strstr(b.data, "# TYPE eb_level gauge\neb_level 1.5\n"));
        assert_non_null(strstr(b.data, "eb_seconds_bucket{kind=\"x\",le=\"0.001\"} 1\n"
                               "eb_seconds_bucket{kind=\"x\",le=\"0.0025\"} 1\n"));
        assert_non_null(strstr(b.data, "le=\"0.25\"} 1\neb_seconds_bucket{kind=\"x\",le=\"0.5\"} 2\n"));
        assert_non_null(strstr(b.data, "le=\"30\"} 2\neb_seconds_bucket{kind=\"x\",le=\"+Inf\"} 3\n"
                               "eb_seconds_sum{kind=\"x\"} 99.301\neb_seconds_count{kind=\"x\"} 3\n"));
        eb_metrics_free();
        eb_buf_reset(&b);
    }
    assert_true(eb_metrics_render(&b));
    assert_int_equal(b.len, 0);
    eb_buf_free(&b);
}

static void test_metrics_ceiling(void **state)
{
    static struct eb_metric many = { "eb_many_total", "Many", EB_COUNTER, { "n" } };
    struct eb_buf b = EB_BUF(MiB(1));
    char n[16];
    int lines = 0;

    for (int i = 0; i < 600; i++) {
        (void)snprintf(n, sizeof(n), "%d", i);
        eb_metric_add(&many, 1, n, NULL, NULL);
    }
    assert_true(eb_metrics_render(&b));
    for (const char *p = b.data; (p = strstr(p, "\neb_many_total{")) != NULL; p++)
        lines++;
    assert_int_equal(lines, 512);
    assert_non_null(strstr(b.data, "eb_many_total{n=\"other\"} 89\n"));     /* the total is still 600 */
    eb_metrics_free();
    eb_buf_free(&b);
}

static struct eb_metric shared_total = { "eb_shared_total", "From two threads", EB_COUNTER };

static void *count_many(void *arg)
{
    for (int i = 0; i < 20000; i++)
        eb_metric_add(&shared_total, 1, NULL, NULL, NULL);
    return NULL;
}

static void test_metrics_threads(void **state)
{
    struct eb_buf b = EB_BUF(KiB(4));
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, count_many, NULL), 0);
    count_many(NULL);
    pthread_join(t, NULL);
    assert_true(eb_metrics_render(&b));
    assert_non_null(strstr(b.data, "\neb_shared_total 40000\n"));
    eb_metrics_free();
    eb_buf_free(&b);
}

/* ---- log ---- */

/* What one eb_log() call wrote to stderr. */
static char logged[8192];

static void log_and_catch(enum eb_log_format format, const char *id, const char *text)
{
    int fds[2];
    int saved = dup(STDERR_FILENO);

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
    eb_log_setup(EB_LOG_INFO, format);
    eb_debug(id, "%s", "below the level");
    eb_log(EB_LOG_WARN, id, "%s", text);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    ssize_t n = read(fds[0], logged, sizeof(logged) - 1);
    logged[n > 0 ? n : 0] = '\0';
    close(saved);
    close(fds[0]);
    close(fds[1]);
    eb_log_setup(EB_LOG_INFO, EB_LOG_TEXT);
}

static void test_log_forms(void **state)
{
    int64_t ms;

    log_and_catch(EB_LOG_TEXT, "op-1", "kind=x ok");
    assert_string_equal(logged + 24, " WARN  [op-1] kind=x ok\n");
    logged[24] = '\0';
    assert_true(eb_time_parse(logged, &ms, NULL));
    log_and_catch(EB_LOG_TEXT, NULL, "started");
    assert_string_equal(logged + 24, " WARN  started\n");
    log_and_catch(EB_LOG_JSON, "op-1", "say \"hi\" \\ \xC3\xBC");
    assert_string_equal(logged + 33, "\",\"level\":\"warn\",\"operation\":\"op-1\","
                        "\"message\":\"say \\\"hi\\\" \\\\ \xC3\xBC\"}\n");
}

static void test_log_forging(void **state)
{
    static const struct { const char *text, *seen, *why; } cases[] = {
        { "a\n2026-11-22T16:43:00.000Z ERROR forged", "a?2026-11-22T16:43:00.000Z ERROR forged", "line end" },
        { "a\r\x1b[2Kb", "a??[2Kb", "return and escape" },
        { "a\xE2\x80\xA8" "b", "a?b", "U+2028" },
        { "a\xE2\x80\xAE" "b", "a?b", "U+202E" },
        { "a\xFF\xC3", "a??", "not UTF-8" },
    };
    char *long_text = eb_alloc(5001);
    json_t *doc;

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        log_and_catch(EB_LOG_TEXT, "id\n[x]", cases[i].text);
        assert_non_null(strstr(logged, cases[i].seen));
        assert_ptr_equal(strchr(logged, '\n'), logged + strlen(logged) - 1);
        log_and_catch(EB_LOG_JSON, "id\n\"x", cases[i].text);
        assert_true(eb_json_parse(SPAN(logged), &doc, NULL));
        assert_string_equal(eb_json_str(doc, "message"), cases[i].seen);
        assert_string_equal(eb_json_str(doc, "operation"), "id\"x");
        json_decref(doc);
    }
    /* Too long: cut at 2 KiB, still one line and still JSON, also where every character doubles. */
    for (const char *c = "x\"\xC3"; *c != '\0'; c++) {
        memset(long_text, *c, 5000);
        for (size_t i = 1; (unsigned char)*c == 0xC3 && i < 5000; i += 2)
            long_text[i] = (char)0xBC;
        log_and_catch(EB_LOG_TEXT, NULL, long_text);
        assert_true(strlen(logged) <= 2048 && strchr(logged, '?') == NULL);
        assert_string_equal(logged + strlen(logged) - 4, "...\n");
        log_and_catch(EB_LOG_JSON, "op", long_text);
        assert_true(strlen(logged) <= 2048 && strchr(logged, '?') == NULL);
        assert_true(eb_json_parse(SPAN(logged), &doc, NULL));
        json_decref(doc);
    }
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes), cmocka_unit_test(test_error_fill),
        cmocka_unit_test(test_buf_ceiling), cmocka_unit_test(test_buf_grows),
        cmocka_unit_test(test_time_parse), cmocka_unit_test(test_time_round), cmocka_unit_test(test_duration),
        cmocka_unit_test(test_utf8), cmocka_unit_test(test_names), cmocka_unit_test(test_url_escape),
        cmocka_unit_test(test_metrics), cmocka_unit_test(test_metrics_ceiling),
        cmocka_unit_test(test_metrics_threads),
        cmocka_unit_test(test_log_forms), cmocka_unit_test(test_log_forging),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
