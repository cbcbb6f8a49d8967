/* test_server.c - the decisions of server/ as tables: the raw head, tokens, media types, answers' types, addresses, routes. */
#include "base/metrics.h"
#include "server/address.h"
#include "server/gate.h"
#include "server/route.h"
#include "server/scan.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <cmocka.h>

/* ---- the raw head ---- */

static const struct scan_limits limits = { .head = 512, .headers = 5, .body = 1000 };

#define HOST "Host: x\r\n"
#define GET "GET /a HTTP/1.1\r\n" HOST
#define POST "POST /a HTTP/1.1\r\n" HOST
#define END "\r\n"
#define ROW(text) text, sizeof(text) - 1

struct scan_case { const char *bytes; size_t len; enum scan_result result; enum eb_code code; const char *why; };

static const struct scan_case good_heads[] = {
    { ROW(GET END), SCAN_GOOD, EB_OK, "plain" },
    { ROW("GET /a HTTP/1.0\r\n" END), SCAN_GOOD, EB_OK, "1.0 needs no Host" },
    { ROW(POST "Content-Length: 5\r\n" END), SCAN_GOOD, EB_OK, "a body announced" },
    { ROW(POST "Content-Length: 1000\r\n" END), SCAN_GOOD, EB_OK, "the largest body" },
    { ROW(POST "content-length:\t 0005 \t\r\n" END), SCAN_GOOD, EB_OK, "blanks around a value" },
    { ROW(POST "Content-Length: 5\r\nExpect: 100-Continue\r\n" END), SCAN_GOOD, EB_OK, "the one expectation" },
    { ROW(GET "Content-Length: 0\r\n" END), SCAN_GOOD, EB_OK, "GET may say that it has none" },
    { ROW(GET "X:\r\nY: a\tb \xc3\xa9\r\n" END), SCAN_GOOD, EB_OK, "empty value, tab and UTF-8 in a value" },
    { ROW(GET "1: 1\r\n2: 2\r\n3: 3\r\n4: 4\r\n" END), SCAN_GOOD, EB_OK, "as many headers as there may be" },
    { ROW("GET /a/%C3%A9/b.c/...x/~_-!$&'()*+,;=:@?q=%20/?: HTTP/1.1\r\n" HOST END), SCAN_GOOD, EB_OK, "all that a target may have" },
    { ROW("GET / HTTP/1.1\r\nhost: [::1]:8080\r\n" END), SCAN_GOOD, EB_OK, "IPv6 host" },
    { ROW("BREW /a HTTP/1.1\r\n" HOST END), SCAN_GOOD, EB_OK, "unknown method: the path decides" },
    { ROW("DELETE /a HTTP/1.1\r\n" HOST END), SCAN_GOOD, EB_OK, "DELETE without a body" },
    { ROW(GET END "GET /b"), SCAN_GOOD, EB_OK, "what follows is not looked at" },
};

#define BAD SCAN_BAD, EB_INVALID_REQUEST
static const struct scan_case bad_heads[] = {
    { ROW(POST "Content-Length: 5\r\nContent-Length: 6\r\n" END), BAD, "two lengths" },
    { ROW(POST "Content-Length: 5\r\nContent-Length: 5\r\n" END), BAD, "two lengths alike" },
    { ROW(POST "Content-Length: 5, 5\r\n" END), BAD, "a list of lengths" },
    { ROW(POST "Content-Length: +5\r\n" END), BAD, "sign" },
    { ROW(POST "Content-Length: 0x5\r\n" END), BAD, "hexadecimal" },
    { ROW(POST "Content-Length: 5 5\r\n" END), BAD, "blank inside" },
    { ROW(POST "Content-Length:\r\n" END), BAD, "no digits" },
    { ROW(POST "Content-Length: 0000000000000000005\r\n" END), BAD, "more digits than fit" },
    { ROW(POST "Content-Length : 5\r\n" END), BAD, "blank before the colon" },
    { ROW("HEAD /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" END), BAD, "HEAD with a body" },
    { ROW(GET "Content-Length: 5\r\n" END), BAD, "GET with a body" },
    { ROW("DELETE /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" END), BAD, "DELETE with a body" },
    { ROW(GET "Transfer-Encoding: chunked\r\n" END), SCAN_BAD, EB_LENGTH_REQUIRED, "chunked" },
    { ROW(POST "Content-Length: 5\r\ntransfer-encoding: x\r\n" END), SCAN_BAD, EB_LENGTH_REQUIRED, "any Transfer-Encoding" },
    { ROW(POST END), SCAN_BAD, EB_LENGTH_REQUIRED, "POST without a length" },
    { ROW(POST "Content-Length: 1001\r\n" END), SCAN_BAD, EB_BODY_TOO_LARGE, "one byte too many" },
    { ROW("GET /a HTTP/1.1\n" HOST END), BAD, "bare LF" },
    { ROW(GET "\n"), BAD, "bare LF ends the head" },
    { ROW(GET "X: a\rb\r\n" END), BAD, "bare CR" },
    { ROW(GET "X: a\r\r\n" END), BAD, "CR CR LF" },
    { ROW(GET "X: a\r\n b\r\n" END), BAD, "folded" },
    { ROW(GET "X: a\0b\r\n" END), BAD, "NUL" },
    { ROW(GET "X: \x1b\r\n" END), BAD, "control character" },
    { ROW(GET "X: \x7f\r\n" END), BAD, "DEL" },
    { ROW(GET ": a\r\n" END), BAD, "empty name" },
    { ROW(GET "X\r\n" END), BAD, "no colon" },
    { ROW(GET "X\xc3\xa9: a\r\n" END), BAD, "a name that is not a token" },
    { ROW("\r\n" GET END), BAD, "empty line first" },
    { ROW("GET /a HTTP/1.1\r\n" END), BAD, "no Host" },
    { ROW(GET HOST END), BAD, "two Hosts" },
    { ROW("GET /a HTTP/1.0\r\n" HOST HOST END), BAD, "two Hosts in 1.0" },
    { ROW("GET /a HTTP/1.1\r\nHost:\r\n" END), BAD, "empty Host" },
    { ROW("GET /a HTTP/1.1\r\nHost: x y\r\n" END), BAD, "blank in Host" },
    { ROW("GET /a HTTP/1.9\r\n" HOST END), BAD, "HTTP/1.9" },
    { ROW("GET /a HTTP/1.1 \r\n" HOST END), BAD, "blank behind the version" },
    { ROW("GET  /a HTTP/1.1\r\n" HOST END), BAD, "two blanks" },
    { ROW("GET /a b HTTP/1.1\r\n" HOST END), BAD, "blank in the target" },
    { ROW("GET\t/a\tHTTP/1.1\r\n" HOST END), BAD, "tabs" },
    { ROW("GET /a\r\n" HOST END), BAD, "HTTP/0.9" },
    { ROW(" /a HTTP/1.1\r\n" HOST END), BAD, "no method" },
    { ROW("GET /a%00 HTTP/1.1\r\n" HOST END), BAD, "%00" },
    { ROW("GET /a%2fb HTTP/1.1\r\n" HOST END), BAD, "%2f" },
    { ROW("GET /a%5Cb HTTP/1.1\r\n" HOST END), BAD, "%5C" },
    { ROW("GET /a?x=%0a HTTP/1.1\r\n" HOST END), BAD, "line end in the query" },
    { ROW("GET /a% HTTP/1.1\r\n" HOST END), BAD, "cut escape" },
    { ROW("GET /a?%g0 HTTP/1.1\r\n" HOST END), BAD, "broken escape in the query" },
    { ROW("GET //a HTTP/1.1\r\n" HOST END), BAD, "//" },
    { ROW("GET /a// HTTP/1.1\r\n" HOST END), BAD, "// at the end" },
    { ROW("GET /.. HTTP/1.1\r\n" HOST END), BAD, ".." },
    { ROW("GET /a/./b HTTP/1.1\r\n" HOST END), BAD, "." },
    { ROW("GET /a/.%2e/b HTTP/1.1\r\n" HOST END), BAD, ".%2e" },
    { ROW("GET /..?x HTTP/1.1\r\n" HOST END), BAD, ".. before a query" },
    { ROW("GET a HTTP/1.1\r\n" HOST END), BAD, "no slash" },
    { ROW("GET http://x/a HTTP/1.1\r\n" HOST END), BAD, "absolute" },
    { ROW("OPTIONS * HTTP/1.1\r\n" HOST END), BAD, "asterisk" },
    { ROW("GET /\xff HTTP/1.1\r\n" HOST END), BAD, "raw byte above ASCII" },
    { ROW(GET "1: 1\r\n2: 2\r\n3: 3\r\n4: 4\r\n5: 5\r\n" END), SCAN_BAD, EB_HEADERS_TOO_LARGE, "one header too many" },
    { ROW(POST "Expect: 200-ok\r\n"), BAD, "another expectation" },
    { ROW(POST "Expect: 100-continue\r\nExpect: 100-continue\r\n"), BAD, "two expectations" },
    { ROW("GE"), SCAN_MORE, EB_OK, "not whole yet" },
    { ROW(GET "\r"), SCAN_MORE, EB_OK, "one byte is missing" },
};

/* In pieces of `step` bytes, each time from memory of exactly that size and at another place. */
static enum scan_result scan_in_steps(struct scan *s, const struct scan_case *c, size_t step, struct eb_err *err)
{
    enum scan_result r = SCAN_MORE;

    *s = (struct scan){ 0 };
    for (size_t n = step < c->len ? step : c->len; r == SCAN_MORE; n = n + step < c->len ? n + step : c->len) {
        char *exact = malloc(n);
        assert_non_null(exact);
        memcpy(exact, c->bytes, n);
        r = scan_run(s, exact, n, &limits, err);
        free(exact);
        if (n == c->len)
            break;
    }
    return r;
}

static void check_scan(const struct scan_case *c)
{
    const size_t steps[] = { c->len, 1, 2, 7 };

    for (size_t i = 0; i < EB_LEN(steps); i++) {
        struct eb_err err = { 0 };
        struct scan s;
        enum scan_result r = scan_in_steps(&s, c, steps[i], &err);
        if (r != c->result || err.code != c->code)
            fail_msg("%s, in steps of %zu: result %d code %s", c->why, steps[i], (int)r, eb_code_text(err.code));
        assert_true(s.seen <= c->len);
    }
}

static void test_scan(void **state)
{
    for (size_t i = 0; i < EB_LEN(good_heads); i++)
        check_scan(&good_heads[i]);
    for (size_t i = 0; i < EB_LEN(bad_heads); i++)
        check_scan(&bad_heads[i]);
}

static void test_scan_finds(void **state)
{
    static const char text[] = "POST /v1/x?y HTTP/1.1\r\nHost: x\r\nAccept: a/b\r\nContent-Length: 42\r\n\r\nbody";
    struct eb_err err = { 0 };
    struct scan s = { 0 };

    assert_int_equal(scan_run(&s, text, sizeof(text) - 1, &limits, &err), SCAN_GOOD);
    assert_true(s.known && s.takes_body && s.minor);
    assert_int_equal(s.body, 42);
    assert_int_equal(s.head, sizeof(text) - 1 - 4);
    assert_memory_equal(text + s.target.at, "/v1/x?y", s.target.len);
    assert_int_equal(s.target.len, 7);
    assert_memory_equal(text + s.accept.at, "a/b", s.accept.len);
    assert_int_equal(s.method.len, 4);
}

static void test_scan_head_limit(void **state)
{
    char text[513] = "GET /a HTTP/1.1\r\nHost: x\r\nX: ";
    struct eb_err err = { 0 };
    struct scan s = { 0 };

    memset(text + strlen(text), 'y', sizeof(text) - strlen(text));
    assert_int_equal(scan_run(&s, text, 511, &limits, &err), SCAN_MORE);
    assert_int_equal(scan_run(&s, text, 512, &limits, &err), SCAN_BAD);
    assert_int_equal(err.code, EB_HEADERS_TOO_LARGE);
    memcpy(text + 508, "\r\n\r\n", 4);
    s = (struct scan){ 0 };
    assert_int_equal(scan_run(&s, text, 512, &limits, &err), SCAN_GOOD);
}

/* ---- the gate ---- */

static void test_token(void **state)
{
    static const struct { const char *auth, *key; unsigned auths, keys; const char *want; const char *why; } cases[] = {
        { "Bearer abc", NULL, 1, 0, "abc", "Authorization" },
        { "bearer   abc  ", NULL, 1, 0, "abc", "scheme in any case, blanks" },
        { NULL, " abc ", 0, 1, "abc", "the other header" },
        { "Bearer abc", "abc", 1, 1, "abc", "both alike" },
        { "Bearer abc", "abd", 1, 1, NULL, "both, and they differ" },
        { "Bearer abc", "ab", 1, 1, NULL, "both, one a beginning of the other" },
        { "Bearer ab", "abc", 1, 1, NULL, "both, the other way" },
        { "Bearer abc", "", 1, 1, NULL, "the second is empty" },
        { NULL, NULL, 0, 0, NULL, "none" },
        { "Bearer abc", NULL, 2, 0, NULL, "several" },
        { NULL, "abc", 0, 2, NULL, "several of the other" },
        { "Basic abc", NULL, 1, 0, NULL, "another scheme" },
        { "Basic abc", "abc", 1, 1, NULL, "another scheme beside a good one" },
        { "Bearer", NULL, 1, 0, NULL, "scheme alone" },
        { "Bearer ", NULL, 1, 0, NULL, "empty" },
        { "Bearer a b", NULL, 1, 0, NULL, "two words" },
        { "abc", NULL, 1, 0, NULL, "no scheme" },
        { "", NULL, 1, 0, NULL, "empty header" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct gate_headers h = { .authorization = cases[i].auth, .automation_key = cases[i].key, .authorizations = cases[i].auths,
                                  .automation_keys = cases[i].keys };
        struct eb_err err = { 0 };
        struct eb_span got;
        bool ok = gate_token(&h, &got, &err);
        if (ok != (cases[i].want != NULL) || (ok && (got.len != strlen(cases[i].want) || memcmp(got.p, cases[i].want, got.len) != 0)) ||
            (!ok && err.code != EB_UNAUTHENTICATED))
            fail_msg("%s", cases[i].why);
        assert_null(strstr(err.text, "abc"));
    }
}

static void test_media_type(void **state)
{
    static const struct { const char *type, *encoding; unsigned count; bool ok; } cases[] = {
        { "application/json", NULL, 1, true }, { "APPLICATION/Json; charset=utf-8", NULL, 1, true },
        { "application/json;", NULL, 1, true }, { "application/problem+json", NULL, 1, true }, { "application/x+JSON ;a=b", NULL, 1, true },
        { "application/json", "identity", 1, true }, { "application/json", "gzip", 1, false }, { NULL, NULL, 0, false },
        { "application/json", NULL, 2, false }, { "", NULL, 1, false }, { "text/json", NULL, 1, false }, { "text/x+json", NULL, 1, false },
        { "application/+json", NULL, 1, false }, { "application/jsonx", NULL, 1, false }, { "application/jso", NULL, 1, false },
        { "application/", NULL, 1, false }, { "; application/json", NULL, 1, false }, { "text/plain; x=application/json", NULL, 1, false },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct gate_headers h = { .content_type = cases[i].type, .content_encoding = cases[i].encoding, .content_types = cases[i].count };
        struct eb_err err = { 0 };
        if (gate_media_type(&h, &err) != cases[i].ok)
            fail_msg("%s, %s", cases[i].type, cases[i].encoding);
    }
}

static void test_form_type(void **state)
{
    static const struct { const char *type, *encoding; unsigned count; bool ok; } cases[] = {
        { "application/x-www-form-urlencoded", NULL, 1, true }, { "Application/X-WWW-Form-Urlencoded ; charset=utf-8", "identity", 1, true },
        { "application/x-www-form-urlencoded", "gzip", 1, false }, { "application/x-www-form-urlencoded", NULL, 2, false },
        { "application/json", NULL, 1, false }, { "text/plain", NULL, 1, false }, { NULL, NULL, 0, false }, { "", NULL, 1, false },
        { "application/x-www-form-urlencodedx", NULL, 1, false },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct gate_headers h = { .content_type = cases[i].type, .content_encoding = cases[i].encoding, .content_types = cases[i].count };
        struct eb_err err = { 0 };
        if (gate_form_type(&h, &err) != cases[i].ok || (!cases[i].ok && err.code != EB_UNSUPPORTED_MEDIA_TYPE))
            fail_msg("%s, %s", cases[i].type, cases[i].encoding);
    }
}

static void test_accept(void **state)
{
    static const struct { const char *accept; bool problem; } cases[] = {
        { "application/problem+json", true }, { "Application/Problem+JSON;q=0.1", true }, { "application/json, application/problem+json", true },
        { "application/problem+json;q=0.5, application/json;q=0.4", true }, { "application/problem+json;q=0.5,application/json", false },
        { "application/problem+json;q=0.25,application/json;q=0.3", false }, { "application/problem+json;q=0", false },
        { "application/problem+json;q=0.000", false }, { "application/problem+json;q=x", false }, { "*/*", false }, { "application/*", false },
        { "", false }, { ",,;", false }, { "text/html;x=application/problem+json", false }, { "application/problem+json;v=1;Q=1.0", true },
        { "application/problem+jsonx", false },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (gate_wants_problem(cases[i].accept, strlen(cases[i].accept)) != cases[i].problem)
            fail_msg("%s", cases[i].accept);
}

static void test_words(void **state)
{
    assert_true(gate_has_word("close", "close"));
    assert_true(gate_has_word("TE , Close", "close"));
    assert_true(gate_has_word(",close,", "close"));
    assert_false(gate_has_word("closed", "close"));
    assert_false(gate_has_word("keep-alive", "close"));
    assert_false(gate_has_word("", "close"));
    assert_false(gate_has_word(",", "close"));
}

static void test_read_headers(void **state)
{
    struct evkeyval rows[GATE_FORWARDED + 6];
    struct evkeyvalq q = TAILQ_HEAD_INITIALIZER(q);
    static const char *const pairs[][2] = { { "AUTHORIZATION", "a" }, { "authorization", "b" }, { "Content-Type", "c" }, { "Accept", "d" },
                                            { "Acceptor", "e" } };
    struct gate_headers h;
    size_t n = 0;

    for (; n < EB_LEN(pairs); n++)
        rows[n] = (struct evkeyval){ .key = (char *)(uintptr_t)pairs[n][0], .value = (char *)(uintptr_t)pairs[n][1] };
    for (; n < EB_LEN(rows); n++)
        rows[n] = (struct evkeyval){ .key = (char *)(uintptr_t)"X-Forwarded-For", .value = (char *)(uintptr_t)"1.1.1.1" };
    for (size_t i = 0; i < n; i++)
        TAILQ_INSERT_TAIL(&q, &rows[i], next);
    gate_read(&q, &h);
    assert_string_equal(h.authorization, "a");
    assert_int_equal(h.authorizations, 2);
    assert_string_equal(h.accept, "d");
    assert_int_equal(h.content_types, 1);
    assert_null(h.automation_key);
    assert_int_equal(h.forwarded_count, GATE_FORWARDED + 1);
}

/* ---- addresses ---- */

static void list(struct address_list *ret, const char *one, const char *two)
{
    char *items[] = { (char *)(uintptr_t)one, (char *)(uintptr_t)two };
    struct config_list from = { items, two != NULL ? 2 : 1 };
    struct eb_err err = { 0 };

    if (!address_list_parse(&from, "listen.allow", ret, &err))
        fail_msg("%s", err.text);
}

static void test_blocks(void **state)
{
    static const struct { const char *block, *address; bool in; } cases[] = {
        { "192.0.2.0/24", "192.0.2.255", true }, { "192.0.2.0/24", "192.0.3.0", false }, { "192.0.2.128/25", "192.0.2.127", false },
        { "192.0.2.128/25", "192.0.2.128", true }, { "192.0.2.128/25", "192.0.2.255", true }, { "192.0.2.7", "192.0.2.7", true }, { "192.0.2.7", "192.0.2.6", false },
        { "0.0.0.0/0", "203.0.113.9", true }, { "0.0.0.0/0", "2001:db8::1", false }, { "::/0", "2001:db8::1", true }, { "::/0", "1.2.3.4", true },
        { "2001:db8::/32", "2001:db8:ffff::1", true }, { "2001:db8::/32", "2001:db9::1", false }, { "2001:db8::/33", "2001:db8:8000::", false },
        { "::ffff:192.0.2.0/24", "192.0.2.1", true }, { "192.0.2.0/24", "::ffff:192.0.2.1", true }, { "10.0.0.0/8", "11.0.0.0", false },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct address_list l;
        struct address a;
        list(&l, cases[i].block, NULL);
        assert_true(address_parse(cases[i].address, strlen(cases[i].address), &a));
        if (address_list_has(&l, &a) != cases[i].in)
            fail_msg("%s in %s", cases[i].address, cases[i].block);
        address_list_free(&l);
    }
}

static void test_blocks_refused(void **state)
{
    static const char *const bad[] = { "", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/x", "192.0.2.0/-1", "::/129", "example.org",
                                       "192.0.2.0/24x", "192.0.2.256", "::1/ 8" };
    for (size_t i = 0; i < EB_LEN(bad); i++) {
        char *item = (char *)(uintptr_t)bad[i];
        struct config_list from = { &item, 1 };
        struct address_list l = { 0 };
        struct eb_err err = { 0 };
        if (address_list_parse(&from, "listen.allow", &l, &err))
            fail_msg("'%s' was taken", bad[i]);
        assert_string_equal(err.field, "listen.allow");
    }
}

static void test_client_address(void **state)
{
    static const struct { const char *peer, *forwarded[3]; const char *want; const char *why; } cases[] = {
        { "10.0.0.1", { "192.0.2.1" }, "192.0.2.1", "one proxy" },
        { "10.0.0.1", { "6.6.6.6, 192.0.2.1" }, "192.0.2.1", "what the client wrote itself is on the left" },
        { "10.0.0.1", { "192.0.2.1, 10.0.0.2" }, "192.0.2.1", "two proxies" },
        { "10.0.0.1", { "6.6.6.6", "192.0.2.1,10.0.0.2" }, "192.0.2.1", "two headers are one list" },
        { "10.0.0.1", { "10.0.0.3, 10.0.0.2" }, "10.0.0.3", "all trusted: the farthest" },
        { "192.0.2.9", { "10.0.0.1" }, "192.0.2.9", "nobody believes a stranger's header" },
        { "10.0.0.1", { NULL }, NULL, "a proxy that does not say" },
        { "10.0.0.1", { "" }, NULL, "empty" },
        { "10.0.0.1", { "192.0.2.1," }, NULL, "ends with nothing" },
        { "10.0.0.1", { "192.0.2.1, unknown" }, NULL, "no address where one is needed" },
        { "10.0.0.1", { "unknown, 192.0.2.1" }, "192.0.2.1", "further left nobody looks" },
        { "10.0.0.1", { "192.0.2.1:80" }, "192.0.2.1", "with a port" },
        { "10.0.0.1", { "[2001:db8::1]:80" }, "2001:db8::1", "IPv6 with a port" },
        { "10.0.0.1", { " 2001:db8::1 " }, "2001:db8::1", "IPv6 with blanks" },
    };
    struct address_list trusted;

    list(&trusted, "10.0.0.0/8", "fd00::/8");
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct address peer, got;
        size_t n = 0;
        char text[64];
        while (n < 3 && cases[i].forwarded[n] != NULL)
            n++;
        assert_true(address_parse(cases[i].peer, strlen(cases[i].peer), &peer));
        bool ok = address_client(&peer, cases[i].forwarded, n, &trusted, &got);
        if (ok != (cases[i].want != NULL) || (ok && strcmp(address_text(&got, text, sizeof(text)), cases[i].want) != 0))
            fail_msg("%s", cases[i].why);
    }
    address_list_free(&trusted);
}

/* ---- routes ---- */

static void test_routes(void **state)
{
    static const struct server_route defs[] = {
        { "GET", "/v1/operations", SERVER_TOKEN, NULL }, { "GET", "/v1/operations/{id}", SERVER_TOKEN, NULL },
        { "POST", "/v1/{noun}/{verb}", SERVER_TOKEN, NULL }, { "GET", "/", SERVER_ANYBODY, NULL },
        { "GET", "/page/{id}", SERVER_ANYBODY, NULL, true }, { "POST", "/page/{id}", SERVER_ANYBODY, NULL, true },
    };
    static const struct { const char *method, *path; int route; enum eb_code code; const char *allow, *param, *value; } cases[] = {
        { "GET", "/v1/operations", 0, EB_OK, "", NULL, NULL },
        { "HEAD", "/v1/operations", 0, EB_OK, "", NULL, NULL },
        { "GET", "/v1/operations/42", 1, EB_OK, "", "id", "42" },
        { "GET", "/v1/operations/a%20%C3%A9", 1, EB_OK, "", "id", "a \xc3\xa9" },
        { "POST", "/v1/group/add-member", 2, EB_OK, "", "verb", "add-member" },
        { "GET", "/", 3, EB_OK, "", NULL, NULL },
        { "GET", "/%76%31/operations", 0, EB_OK, "", NULL, NULL },
        { "GET", "/page/7", 4, EB_OK, "", "id", "7" },
        { "POST", "/page/7", 5, EB_OK, "", "id", "7" },
        { "HEAD", "/page/7", -1, EB_METHOD_NOT_ALLOWED, "GET, POST", NULL, NULL },
        { "PUT", "/page/7", -1, EB_METHOD_NOT_ALLOWED, "GET, POST", NULL, NULL },
        { "GET", "/v1/group/add-member", -1, EB_METHOD_NOT_ALLOWED, "POST", NULL, NULL },
        { "PUT", "/v1/operations/42", -1, EB_METHOD_NOT_ALLOWED, "GET, HEAD, POST", NULL, NULL },
        { "POST", "/v1/operations", -1, EB_METHOD_NOT_ALLOWED, "GET, HEAD", NULL, NULL },
        { "GET", "/v1/operations/", -1, EB_NOT_FOUND, "", NULL, NULL },
        { "GET", "/v1", -1, EB_NOT_FOUND, "", NULL, NULL },
        { "GET", "/v1/operationsx", -1, EB_NOT_FOUND, "", NULL, NULL },
        { "GET", "/a/b/c/d/e/f/g/h/i/j", -1, EB_NOT_FOUND, "", NULL, NULL },
        { "GET", "/v1/operations/%ff", -1, EB_INVALID_REQUEST, "", NULL, NULL },
        { "GET", "/v1/operations/%E2%80%AE", -1, EB_INVALID_REQUEST, "", NULL, NULL },
    };
    struct route_table t;

    route_table_make(defs, EB_LEN(defs), &t);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char text[128], allow[64] = "";
        struct eb_err err = { 0 };
        struct route_path path;
        const struct route *r = NULL;
        if (route_path_split(cases[i].path, strlen(cases[i].path), text, &path, &err))
            r = route_find(&t, cases[i].method, strlen(cases[i].method), &path, allow, sizeof(allow), &err);
        if ((r != NULL ? (int)(r - t.routes) : -1) != cases[i].route || err.code != cases[i].code || (r == NULL && strcmp(allow, cases[i].allow) != 0))
            fail_msg("%s %s: code %s allow '%s'", cases[i].method, cases[i].path, eb_code_text(err.code), allow);
        if (cases[i].param != NULL)
            assert_string_equal(route_param(r, &path, cases[i].param), cases[i].value);
        if (r != NULL)
            assert_null(route_param(r, &path, "other"));
    }
    route_table_free(&t);
}

static void test_problem(void **state)
{
    struct eb_err err = { 0 };
    EB_AUTO(json_t, json_decref) extra = json_pack("{s:s, s:s}", "operation", "id-1", "outcome", "failed");

    (void)eb_fail_field(&err, EB_USER_NOT_FOUND, "user", "There is no such user.");
    EB_AUTO(json_t, json_decref) p = server_problem(&err, extra);
    assert_string_equal(eb_json_str(p, "type"), "urn:entrabridge:problem:user_not_found");
    assert_int_equal(eb_json_int(p, "status", 0), 404);
    assert_string_equal(eb_json_str(p, "code"), "user_not_found");
    assert_string_equal(eb_json_str(p, "field"), "user");
    assert_string_equal(eb_json_str(p, "detail"), "There is no such user.");
    assert_string_equal(eb_json_str(p, "operation"), "id-1");
    assert_string_equal(eb_json_str(p, "outcome"), "failed");

    strcpy(err.text, "not UTF-8: \xff");
    EB_AUTO(json_t, json_decref) q = server_problem(&err, NULL);
    assert_string_equal(eb_json_str(q, "code"), "user_not_found");
}

/* ---- made and reloaded ---- */

static const struct config_listen plain = { .address = (char *)(uintptr_t)"127.0.0.1:0", .max_connections = 4, .max_requests = 4,
    .request_deadline_ms = 1000, .idle_ms = 1000, .max_head_bytes = 4096, .max_body_bytes = 4096, .max_headers = 10 };

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* What is wrong says where it is wrong, and what serves goes on serving. */
static void test_settings_refused(void **state)
{
    char *item = text("192.0.2.0/40");
    struct config_list bad_list = { &item, 1 };
    struct config_listen cases[] = { plain, plain, plain, plain, plain };
    static const char *const said[] = { "listen.allow", "listen.trusted_proxies", "/nowhere/chain.pem", "/dev/null", "listen.address" };
    struct server_options o = { 0 };
    struct eb_loop *loop = NULL;
    struct server *s = NULL, *other = NULL;
    struct eb_err err = { 0 };

    cases[0].allow = bad_list;
    cases[1].trusted_proxies = bad_list;
    cases[2].tls_certificate = text("/nowhere/chain.pem");
    cases[2].tls_key = text("/nowhere/key.pem");
    cases[3].tls_certificate = text("/dev/null");
    cases[4].address = text("127.0.0.1:1x");
    assert_true(eb_loop_new(&loop, &err));
    assert_true(server_new(loop, &plain, &o, &s, &err));
    assert_true(server_port(s) > 0);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err made = { 0 }, reloaded = { 0 };
        assert_false(server_new(loop, &cases[i], &o, &other, &made));
        assert_false(server_reload(s, &cases[i], &reloaded));
        if (strstr(made.text, said[i]) == NULL || strstr(reloaded.text, said[i]) == NULL)
            fail_msg("case %zu: '%s', '%s'", i, made.text, reloaded.text);
    }
    assert_true(server_reload(s, &plain, &err));
    server_free(s);
    eb_loop_free(loop);
    eb_metrics_free();
}

static void test_address_in_use(void **state)
{
    struct config_listen again = plain;
    struct server_options o = { 0 };
    struct eb_loop *loop = NULL;
    struct server *s = NULL, *other = NULL;
    struct eb_err err = { 0 };
    char place[32];

    assert_true(eb_loop_new(&loop, &err));
    assert_true(server_new(loop, &plain, &o, &s, &err));
    snprintf(place, sizeof(place), "127.0.0.1:%d", server_port(s));
    again.address = place;
    assert_false(server_new(loop, &again, &o, &other, &err));
    assert_non_null(strstr(err.text, place));
    server_free(s);
    eb_loop_free(loop);
    eb_metrics_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan), cmocka_unit_test(test_scan_finds), cmocka_unit_test(test_scan_head_limit), cmocka_unit_test(test_token),
        cmocka_unit_test(test_media_type), cmocka_unit_test(test_form_type), cmocka_unit_test(test_accept), cmocka_unit_test(test_words), cmocka_unit_test(test_read_headers),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_blocks_refused), cmocka_unit_test(test_client_address),
        cmocka_unit_test(test_routes), cmocka_unit_test(test_problem), cmocka_unit_test(test_settings_refused),
        cmocka_unit_test(test_address_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
