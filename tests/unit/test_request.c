/* test_request.c - bodies against the kinds' tables of fields, and the tables themselves. */
#include "base/text.h"
#include "ops/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "0f6c2a1e-0000-4000-8000-000000000001"

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *body, *field, *why; } cases[] = {
        { "{\"user\":\"a@b\"}", "group", "a required field is missing" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"colour\":1}", "colour", "an unknown field is named" },
        { "{\"user\":\"\",\"group\":\"G\"}", "user", "an empty smart value" },
        { "{\"user\":\" \\t\",\"group\":\"G\"}", "user", "blanks only" },
        { "{\"user\":\"ada\",\"group\":\"G\"}", "user", "neither a GUID nor an address" },
        { "{\"user\":\"@b\",\"group\":\"G\"}", "user", "nothing before the @" },
        { "{\"user\":\"a@\",\"group\":\"G\"}", "user", "nothing after the @" },
        { "{\"user\":\"a@b@c\",\"group\":\"G\"}", "user", "two @" },
        { "{\"user\":\"a/../b@c\",\"group\":\"G\"}", "user", "a path in disguise" },
        { "{\"user\":[\"a@b\"],\"group\":\"G\"}", "user", "a list" },
        { "{\"user\":null,\"group\":\"G\"}", "user", "null" },
        { "{\"user\":\"a@b\",\"group\":\"G\\u0007\"}", "group", "a control character" },
        { "{\"user\":\"a@b\",\"group\":\"G\\u202e\"}", "group", "a bidi character" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"issue\":\"not a key\"}", "issue", "no key" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"issue\":-1}", "issue", "no id" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"issue\":1.5}", "issue", "no whole number" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"dryRun\":\"true\"}", "dryRun", "a text for a truth value" },
        { "{\"user\":\"a@b\",\"group\":\"G\",\"again\":\"x\"}", "again", "no operation's id" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *body = json_loads(cases[i].body, 0, NULL);
        struct ops_fields f = { 0 };
        struct eb_err err = { 0 };

        assert_non_null(body);
        if (ops_fields_read(ops_kind_find("group.add_member"), body, &f, &err))
            fail_msg("case %zu (%s) was taken", i, cases[i].why);
        if (err.code != EB_INVALID_REQUEST || strcmp(err.field, cases[i].field) != 0)
            fail_msg("case %zu (%s): code %s field %s", i, cases[i].why, eb_code_text(err.code), err.field);
        assert_null(f.canonical);
        json_decref(body);
    }
}

static void test_taken(void **state)
{
    (void)state;
    static const struct { const char *body, *user, *group, *issue; bool dry_run; const char *why; } cases[] = {
        { "{\"user\":\"a@b\",\"group\":\"VPN Users\"}", "a@b", "VPN Users", NULL, false, "plain" },
        { "{\"user\":\"" ID "\",\"group\":\"" ID "\",\"issue\":\"ITSM-42\"}", ID, ID, "ITSM-42", false, "by id" },
        { "{\"user\":\"g#EXT#@c\",\"group\":\"O'Brien\",\"issue\":20042,\"dryRun\":true}", "g#EXT#@c", "O'Brien", "20042", true, "a numeric issue id" },
        { "{\"user\":\"o'n%il@c\",\"group\":\"\xf0\x9f\x9a\x80 Team\"}", "o'n%il@c", "\xf0\x9f\x9a\x80 Team", NULL, false, "quotes, percent, emoji" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *body = json_loads(cases[i].body, 0, NULL);
        struct ops_fields f = { 0 };
        struct eb_err err = { 0 };

        if (!ops_fields_read(ops_kind_find("group.add_member"), body, &f, &err))
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        assert_string_equal(f.user, cases[i].user);
        assert_string_equal(f.group, cases[i].group);
        assert_true(eb_streq(f.issue, cases[i].issue));
        assert_int_equal(f.dry_run, cases[i].dry_run);
        ops_fields_clear(&f);
        json_decref(body);
    }
}

/* The order of members is no difference: a rule that is edited back is the same request. */
static void test_canonical(void **state)
{
    (void)state;
    json_t *a = json_loads("{\"user\":\"a@b\",\"group\":\"G\"}", 0, NULL), *b = json_loads("{\"group\":\"G\",\"user\":\"a@b\"}", 0, NULL);
    struct ops_fields fa = { 0 }, fb = { 0 };

    assert_true(ops_fields_read(ops_kind_find("group.add_member"), a, &fa, NULL));
    assert_true(ops_fields_read(ops_kind_find("group.add_member"), b, &fb, NULL));
    assert_string_equal(fa.canonical, fb.canonical);
    ops_fields_clear(&fa);
    ops_fields_clear(&fb);
    json_decref(a);
    json_decref(b);
}

/* A kind's name and its path say the same, and each is found by both. */
static void test_kinds(void **state)
{
    (void)state;
    const struct ops_kind *kinds;
    size_t n = ops_kinds(&kinds);

    assert_true(n >= 6);
    for (size_t i = 0; i < n; i++) {
        char noun[32], verb[32], path[80];

        assert_int_equal(sscanf(kinds[i].name, "%31[a-z].%31[a-z_]", noun, verb), 2);
        for (char *p = verb; *p != '\0'; p++)
            *p = *p == '_' ? '-' : *p;
        snprintf(path, sizeof path, "/v1/%s/%s", noun, verb);
        assert_string_equal(path, kinds[i].path);
        assert_ptr_equal(ops_kind_by_path(noun, verb), &kinds[i]);
        assert_ptr_equal(ops_kind_find(kinds[i].name), &kinds[i]);
        assert_string_equal(ops_kind_names()[i], kinds[i].name);
    }
    assert_null(ops_kind_names()[n]);
    assert_null(ops_kind_find("group.burn"));
    assert_null(ops_kind_by_path("group", "add_member"));
    assert_null(ops_kind_by_path("grou", "p/add-member"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_taken), cmocka_unit_test(test_canonical), cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
