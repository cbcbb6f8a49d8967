/* test_json.c - the guards before jansson, and error texts that help without repeating the body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define SPAN(s) ((struct eb_span){ (s), strlen(s) })

#define HINT_RAW "A quote, backslash or line break"
#define HINT_BARE "After a colon there must be a value"

static void test_parse_errors(void **state)
{
    /* says: a part of the error's text; hint: a part of it too, or NULL where none may stand. */
    static const struct { const char *text, *says, *hint, *why; } cases[] = {
        { "", "empty", NULL, "no body" },
        { " \r\n\t", "empty", NULL, "blanks only" },
        { "{\"a\":\"x\ny\"}", "line 1, column 7: unexpected newline", HINT_RAW, "a line break in a text" },
        { "{\"a\":\"x\ty\"}", "control character 0x9", HINT_RAW, "a tab in a text" },
        { "{\"a\":\"say \"hi\" x\"}", "'}' expected", HINT_RAW, "a quote in a text" },
        { "{\"a\":\"\"x\"\"}", "'}' expected", HINT_RAW, "asJsonString within own quotes" },
        { "[\"he \"x\"]", "']' expected", HINT_RAW, "a quote in a list" },
        { "{\"a\":\"CORP\\dir\"}", "invalid escape", HINT_RAW, "a backslash" },
        { "{\"a\":\"x", "ends too early", HINT_RAW, "a text that does not end" },
        { "{\"a\":\"x\"\nline 2\"}", "line 2, column", HINT_RAW, "a quote, then a second line" },
        { "{\"a\": }", "unexpected token", HINT_BARE, "a smart value that gave nothing" },
        { "{\"a\": ,\"b\":1}", "unexpected token", HINT_BARE, "the same before a comma" },
        { "{\"a\": ada@contoso.com}", "invalid token", HINT_BARE, "no quotes" },
        { "{\"a\":", "ends too early", HINT_BARE, "ends behind a colon" },
        { "{\"a\":[1,2", "ends too early", NULL, "cut" },
        { "[1,]", "unexpected token", NULL, "a comma too many" },
        { "{a:1}", "string or '}' expected", NULL, "a name without quotes" },
        { "[1] x", "more text behind its end", NULL, "trailing text" },
        { "{\"a\":\"\xFF\"}", "not UTF-8", NULL, "a bad byte" },
        { "{\"a\":\"\\u0000\"}", "\\u0000 is not accepted", NULL, "an escaped NUL" },
        { "{\"a\\u0000\":1}", "\\u0000 is not accepted", NULL, "an escaped NUL in a name" },
        { "[1e999]", "real number overflow", NULL, "not a number for us" },
        { "[99999999999999999999]", "too big integer", NULL, "over 64 bits" },
        { "\"a\"", "'[' or '{' expected", NULL, "neither object nor array" },
        { "\xEF\xBB\xBF{}", "'[' or '{' expected", NULL, "byte order mark" },
        { "[01]", "invalid token", NULL, "leading zero" },
        { "[NaN]", "invalid token", NULL, "no number" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        json_t *doc = NULL;
        bool ok = eb_json_parse(SPAN(cases[i].text), &doc, &err);
        bool hinted = strstr(err.text, HINT_RAW) != NULL || strstr(err.text, HINT_BARE) != NULL;
        if (ok || err.code != EB_INVALID_JSON || strstr(err.text, cases[i].says) == NULL ||
            (cases[i].hint != NULL ? strstr(err.text, cases[i].hint) == NULL : hinted))
            fail_msg("%s (%s): %d %s", cases[i].text, cases[i].why, ok, err.text);
        assert_false(eb_json_parse_reply(SPAN(cases[i].text), &doc, &err));
        assert_int_equal(err.code, EB_INTERNAL);
        assert_null(strstr(err.text, "asJsonString"));
    }
}

static void test_no_echo(void **state)
{
    static const char *const cases[] = {
        "{\"password\":\"\"hunter2\"}", "{\"password\":hunter2}", "{\"password\":\"hunter2\n\"}",
        "hunter2", "{\"a\":1} hunter2", "{\"password\":\"hunter2\\x\"}", "[\"hunter2\" \"hunter2\"]",
        "{\"password\":\"hunter2",
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        json_t *doc;
        assert_false(eb_json_parse(SPAN(cases[i]), &doc, &err));
        if (strstr(err.text, "hunter") != NULL)
            fail_msg("%s", err.text);
    }
}

static void test_duplicates(void **state)
{
    static const struct { const char *text, *field; } cases[] = {
        { "{\"user\":\"a\",\"user\":\"b\"}", "user" },
        { "{\"x\":{\"user\":1, \"user\" : 1}}", "user" },
        { "{\"a name that is longer than jansson shows\":1,\"a name that is longer than jansson shows\":2}",
          "a name that is longer than jansson shows" },
        { "{\"a\\\"b\":1,\"a\\\"b\":2}", "a\\\"b" },
        { "{\"\":1,\"\":2}", "" },
        { "{\"user\":1,\"\\u0075ser\":2}", "\\u0075ser" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        json_t *doc;
        assert_false(eb_json_parse(SPAN(cases[i].text), &doc, &err));
        assert_int_equal(err.code, EB_INVALID_JSON);
        assert_string_equal(err.field, cases[i].field);
        assert_non_null(strstr(err.text, "twice"));
        assert_false(eb_json_parse_reply(SPAN(cases[i].text), &doc, &err));
        assert_int_equal(err.code, EB_INTERNAL);
    }
}

/* text repeated n times between two others */
static char *repeat(const char *before, const char *text, size_t n, const char *after)
{
    struct eb_buf b = EB_BUF(MiB(4));

    eb_buf_str(&b, before);
    while (n-- > 0)
        eb_buf_str(&b, text);
    eb_buf_str(&b, after);
    return eb_buf_take(&b);
}

static void test_depth_and_count(void **state)
{
    static const struct { const char *before, *text; size_t n; const char *after; bool ok, ok_reply; const char *says, *why; }
    cases[] = {
        { "", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", true, true, NULL, "as deep as may be" },
        { "", "[", 33, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false, false, "deeper", "one more" },
        { "{\"a\":\"", "[{", 900, "\"}", true, true, NULL, "brackets in a text do not count" },
        { "{\"a\":\"\\\"", "[{", 900, "\"}", true, true, NULL, "nor behind an escaped quote" },
        { "{\"a\":\"\\\\\",\"b\":", "[", 900, "", false, false, "deeper", "an escaped backslash ends no text" },
        { "", "[", 100000, "", false, false, "deeper", "never given to jansson" },
        { "", "]", 100000, "", false, false, "expected", "depth below zero" },
        { "[0", ",0", 19997, "]", true, true, NULL, "19,999 values" },
        { "[0", ",0", 20000, "]", false, true, "more than 20000", "over 20,000: for a reply only" },
        { "[{}", ",{}", 300000, "]", false, false, "more than", "what makes 75 MiB of 1" },
        { "[\"", ",", 600000, "\"]", true, true, NULL, "commas in a text" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *text = repeat(cases[i].before, cases[i].text, cases[i].n, cases[i].after);
        struct eb_err err = { 0 };
        json_t *doc = NULL, *reply = NULL;
        bool ok = eb_json_parse(SPAN(text), &doc, &err);
        if (ok != cases[i].ok || (!ok && strstr(err.text, cases[i].says) == NULL))
            fail_msg("%s: %s", cases[i].why, err.text);
        if (eb_json_parse_reply(SPAN(text), &reply, &err) != cases[i].ok_reply)
            fail_msg("reply, %s: %s", cases[i].why, err.text);
        json_decref(doc);
        json_decref(reply);
        free(text);
    }
}

static void test_span_is_not_passed(void **state)
{
    char *exact = malloc(7);            /* no NUL behind it: ASan sees a step too far */
    json_t *doc;

    memcpy(exact, "{\"a\":1}", 7);
    assert_true(eb_json_parse((struct eb_span){ exact, 7 }, &doc, NULL));
    json_decref(doc);
    for (size_t n = 0; n < 7; n++)
        assert_false(eb_json_parse((struct eb_span){ exact, n }, &doc, NULL));
    memcpy(exact, "{\"a\":\"\\", 7);       /* ends within an escape */
    assert_false(eb_json_parse((struct eb_span){ exact, 7 }, &doc, NULL));
    assert_false(eb_json_parse((struct eb_span){ NULL, 0 }, &doc, NULL));
    free(exact);
}

static void test_members(void **state)
{
    json_t *doc;

    assert_true(eb_json_parse(SPAN("{\"s\":\"x\",\"n\":-5,\"t\":true,\"z\":null,"
                                   "\"fields\":{\"project\":{\"key\":\"ITSM\"}},\"a.b\":1}"), &doc, NULL));
    assert_string_equal(eb_json_str(doc, "s"), "x");
    assert_null(eb_json_str(doc, "n"));
    assert_null(eb_json_str(doc, "none"));
    assert_null(eb_json_str(NULL, "s"));
    assert_int_equal(eb_json_int(doc, "n", 9), -5);
    assert_int_equal(eb_json_int(doc, "s", 9), 9);
    assert_true(eb_json_bool(doc, "t", false));
    assert_true(eb_json_bool(doc, "s", true));
    assert_string_equal(json_string_value(eb_json_path(doc, "fields.project.key")), "ITSM");
    assert_true(json_is_object(eb_json_path(doc, "fields")));
    assert_null(eb_json_path(doc, "fields.none.key"));
    assert_null(eb_json_path(doc, "s.x"));
    assert_null(eb_json_path(NULL, "s"));
    json_decref(doc);
}

static void test_writing(void **state)
{
    struct eb_buf b = EB_BUF(64), tiny = EB_BUF(5);
    json_t *doc;

    assert_true(eb_json_parse(SPAN("{ \"b\": [1, 2.5], \"a\": {\"d\": 1, \"c\": \"\xC3\xBC/\\\"\"} }"), &doc, NULL));
    char *text = eb_json_text(doc), *canonical = eb_json_canonical(doc);
    assert_string_equal(text, "{\"b\":[1,2.5],\"a\":{\"d\":1,\"c\":\"\xC3\xBC/\\\"\"}}");
    assert_string_equal(canonical, "{\"a\":{\"c\":\"\xC3\xBC/\\\"\",\"d\":1},\"b\":[1,2.5]}");
    assert_true(eb_json_to_buf(doc, &b));
    assert_string_equal(b.data, text);
    assert_false(eb_json_to_buf(doc, &tiny));
    assert_true(tiny.failed);
    free(text);
    free(canonical);
    eb_buf_free(&b);
    eb_buf_free(&tiny);
    json_decref(doc);
}

static void test_quoting(void **state)
{
    static const struct { const char *text, *quoted, *why; } cases[] = {
        { "", "\"\"", "nothing" },
        { "q\" b\\ s/", "\"q\\\" b\\\\ s/\"", "what JSON needs escaped, and a slash, which it does not" },
        { "\b\f\n\r\t\x1f\x7F", "\"\\b\\f\\n\\r\\t\\u001F\x7F\"", "controls" },
        { "Zo\xC3\xAB \xF0\x9F\x9A\x80", "\"Zo\xC3\xAB \xF0\x9F\x9A\x80\"", "UTF-8 as it is" },
        { "\xFF", NULL, "not UTF-8" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf out = EB_BUF(KiB(1));
        eb_buf_str(&out, "kept:");
        bool good = eb_json_quote(&out, cases[i].text);
        if (good != (cases[i].quoted != NULL) || strncmp(out.data, "kept:", 5) != 0 || (good && strcmp(out.data + 5, cases[i].quoted) != 0))
            fail_msg("%s: %s", cases[i].why, out.data);
        eb_buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_errors), cmocka_unit_test(test_no_echo), cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_depth_and_count), cmocka_unit_test(test_span_is_not_passed),
        cmocka_unit_test(test_members), cmocka_unit_test(test_writing), cmocka_unit_test(test_quoting),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
