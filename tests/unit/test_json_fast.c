/* test_json_fast.c - the straight way through JSON reads as jansson does, or leaves it to jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_fast.h"

#include <stdlib.h>
#include <string.h>

#define SPAN(s) ((struct eb_span){ (s), strlen(s) })
#define VALUES 1000

static void test_read(void **state)
{
    /* plain: it is read here; else jansson decides. */
    static const struct { const char *text; bool plain; const char *why; } cases[] = {
        { "{}", true, "nothing" },
        { " [ ] ", true, "blanks around" },
        { "\t{\r\n\"a\" : [ 1 , -2 , 0 ] , \"b\":{\"c\":null}}\n", true, "blanks everywhere" },
        { "[true,false,null,\"x\"]", true, "words" },
        { "[123456789012345678,-123456789012345678]", true, "18 digits surely fit" },
        { "{\"a\":\"Zo\xC3\xAB \xF0\x9F\x9A\x80\"}", true, "UTF-8" },
        { "{\"Zo\xC3\xAB\":1}", true, "UTF-8 in a name" },
        { "{\"etag\":\"W/\\\"x\\\"\",\"t\":\"\\\\ \\/ \\b\\f\\n\\r\\t\"}", true, "one-letter escapes" },
        { "{\"\":\"\"}", true, "an empty name" },
        { "[\"\x7F\"]", true, "DEL is no control for JSON" },
        { "[1234567890123456789]", false, "19 digits may not fit" },
        { "[1.5]", false, "a real" },
        { "[1e3]", false, "a real" },
        { "[-0]", false, "minus nothing" },
        { "[\"\\u00e9\"]", false, "a long escape" },
        { "{\"\\n\":1}", false, "an escape in a name" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *theirs = json_loadb(cases[i].text, strlen(cases[i].text), JSON_REJECT_DUPLICATES, NULL);
        json_t *ours = eb_json_read_plain(SPAN(cases[i].text), VALUES);
        if (theirs == NULL || (ours != NULL) != cases[i].plain || (ours != NULL && json_equal(ours, theirs) != 1))
            fail_msg("%s (%s)", cases[i].text, cases[i].why);
        json_decref(ours);
        json_decref(theirs);
    }
}

static void test_read_left_to_jansson(void **state)
{
    static const struct { const char *text, *why; } cases[] = {
        { "", "nothing" }, { " ", "blank" }, { "1", "no container" }, { "\"a\"", "no container" }, { "[1] x", "more behind its end" },
        { "[1,]", "a comma too many" }, { "[,1]", "a comma too early" }, { "[1 2]", "no comma" }, { "{\"a\" 1}", "no colon" },
        { "{\"a\":1,\"a\":2}", "a member twice" }, { "{\"a\":}", "no value" }, { "{a:1}", "no quotes" }, { "[01]", "leading zero" },
        { "[-]", "no digits" }, { "[+1]", "plus" }, { "[truex]", "no such word" }, { "[tru", "cut word" }, { "[nul]", "short word" },
        { "[\"a", "cut text" }, { "[\"a\\", "cut escape" }, { "[\"a\\\"", "cut behind an escape" }, { "[\"\\x\"]", "no such escape" },
        { "[\"a\nb\"]", "a control" }, { "[\"\xFF\"]", "not UTF-8" }, { "[\"\xED\xA0\x80\"]", "a surrogate" }, { "[\"\xC0\xAF\"]", "overlong" },
        { "{\"\xFF\":1}", "a name that is not UTF-8" }, { "[1", "cut" }, { "{\"a\":1", "cut" }, { "[}", "another bracket" }, { "]", "closing first" },
        { "[1;2]", "no separator" }, { "[1\v]", "no blank of JSON" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *doc = eb_json_read_plain(SPAN(cases[i].text), VALUES);
        if (doc != NULL)
            fail_msg("%s (%s) was read", cases[i].text, cases[i].why);
    }
    assert_null(eb_json_read_plain((struct eb_span){ "[\"a\0b\"]", 7 }, VALUES));
    assert_null(eb_json_read_plain((struct eb_span){ "[1]", 2 }, VALUES));      /* bytes behind the span are not looked at */
}

static void test_read_bounds(void **state)
{
    char deep[2 * EB_JSON_DEPTH_MAX + 3];
    json_t *doc;

    for (int depth = EB_JSON_DEPTH_MAX; depth <= EB_JSON_DEPTH_MAX + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        doc = eb_json_read_plain((struct eb_span){ deep, 2 * (size_t)depth }, VALUES);
        assert_true((doc != NULL) == (depth == EB_JSON_DEPTH_MAX));
        json_decref(doc);
    }
    doc = eb_json_read_plain(SPAN("[1,2,3]"), 3);       /* a bracket and two commas */
    assert_non_null(doc);
    json_decref(doc);
    assert_null(eb_json_read_plain(SPAN("[1,2,3]"), 2));
    assert_null(eb_json_read_plain(SPAN("[]"), 0));
}

/* Bytes changed at random: what is read here, jansson reads alike. */
static void test_read_as_jansson_does(void **state)
{
    static const char seed[] = "{\"responses\":[{\"id\":\"0\",\"status\":200,\"body\":{\"displayName\":\"Zo\xC3\xAB\",\"accountEnabled\":true,"
                               "\"mail\":null,\"n\":-12,\"t\":\"a\\\"b\\n\"}},{\"id\":\"1\",\"value\":[]}]}";
    static const char bytes[] = "{}[]\",:\\0123456789-+.eEtrufalsn \n\xC3\xAB\x01";
    uint32_t rnd = 1;
    int read = 0;

    for (int round = 0; round < 60000; round++) {
        char text[sizeof(seed)];
        memcpy(text, seed, sizeof(seed));
        for (int k = 0; k <= round % 3; k++) {
            rnd = rnd * 1664525 + 1013904223;
            text[(rnd >> 8) % (sizeof(seed) - 1)] = bytes[(rnd >> 4) % (sizeof(bytes) - 1)];
        }
        json_t *ours = eb_json_read_plain((struct eb_span){ text, sizeof(seed) - 1 }, VALUES);
        if (ours == NULL)
            continue;
        json_t *theirs = json_loadb(text, sizeof(seed) - 1, JSON_REJECT_DUPLICATES, NULL);
        if (theirs == NULL || json_equal(ours, theirs) != 1)
            fail_msg("read another way: %s", text);
        json_decref(ours);
        json_decref(theirs);
        read++;
    }
    assert_true(read > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_read_left_to_jansson), cmocka_unit_test(test_read_bounds),
        cmocka_unit_test(test_read_as_jansson_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
