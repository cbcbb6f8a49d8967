/* test_sync_record.c - the attribute table, and the one form in which records are compared. */
#include "base/text.h"
#include "sync/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *seal(const char *text, char hash[33])
{
    json_t *record = json_loads(text, 0, NULL);
    char *out = NULL;

    assert_non_null(record);
    sync_record_seal(record, &out, hash);
    json_decref(record);
    return out;
}

static void test_seal(void **state)
{
    static const struct { const char *record, *text, *why; } cases[] = {
        { "{}", "{}", "nothing" },
        { "{\"b\":\"2\",\"a\":\"1\"}", "{\"a\":\"1\",\"b\":\"2\"}", "members in order" },
        { "{\"a\":null,\"b\":true}", "{\"b\":true}", "null is nothing" },
        { "{\"a\":\"\",\"b\":false}", "{\"b\":false}", "an empty text is nothing, false is something" },
        { "{\"a\":[],\"b\":0}", "{\"b\":0}", "an empty list is nothing, 0 is something" },
        { "{\"a\":[\"z\",\"b\",\"z\",\"\"]}", "{\"a\":[\"b\",\"z\"]}", "lists in order, each once" },
        { "{\"a\":[\"\",null,7]}", "{}", "what is no text in a list is nothing" },
        { "{\"a\":\"J\\u00f6rg \\u5f20\"}", "{\"a\":\"J\xc3\xb6rg \xe5\xbc\xa0\"}", "letters of the world" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char hash[33], again[33];
        char *text = seal(cases[i].record, hash), *twice = seal(text, again);
        if (strcmp(text, cases[i].text) != 0 || strlen(hash) != 32 || strcmp(hash, again) != 0 || strcmp(text, twice) != 0)
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
        free(text);
        free(twice);
    }
}

static void test_difference(void **state)
{
    static const struct { const char *was, *now, *out, *why; } cases[] = {
        { "{\"a\":\"1\"}", "{\"a\":\"1\"}", "{}", "the same" },
        { "null", "{\"a\":\"1\",\"b\":null}", "{\"a\":\"1\"}", "new" },
        { "{\"a\":\"1\"}", "{\"a\":\"2\"}", "{\"a\":\"2\"}", "changed" },
        { "{\"a\":\"1\"}", "{}", "{\"a\":null}", "cleared by absence" },
        { "{\"a\":\"1\"}", "{\"a\":null}", "{\"a\":null}", "cleared by null" },
        { "{\"a\":[\"x\"]}", "{\"a\":[]}", "{\"a\":null}", "cleared by an empty list" },
        { "{\"a\":[]}", "{}", "{}", "nothing was there" },
        { "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\",\"x\"]}", "{}", "order does not count" },
        { "{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\"]}", "{\"a\":[\"y\"]}", "a list is written whole" },
        { "{\"a\":false}", "{\"a\":true}", "{\"a\":true}", "a flag" },
        { "{\"a\":\"true\"}", "{\"a\":true}", "{\"a\":true}", "a text is no flag" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *was = json_loads(cases[i].was, JSON_DECODE_ANY, NULL), *now = json_loads(cases[i].now, 0, NULL);
        json_t *out = sync_record_difference(json_is_null(was) ? NULL : was, now), *wanted = json_loads(cases[i].out, 0, NULL);
        char *text = json_dumps(out, JSON_SORT_KEYS);
        if (!json_equal(out, wanted))
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
        free(text);
        json_decref(was);
        json_decref(now);
        json_decref(out);
        json_decref(wanted);
    }
}

static void test_schema(void **state)
{
    static char badge[] = "Badge", from[] = "extension_0a_badge", taken[] = "email", other[] = "otherMail";
    struct config_sync_attribute more[] = { { badge, from, SYNC_TEXT }, { taken, other, SYNC_TEXT } };
    struct config_sync c = { .attributes = more, .attribute_count = 2 };
    struct sync_schema *s = sync_schema_new(&c);
    int identity[STAGE_KINDS] = { 0 }, label[STAGE_KINDS] = { 0 };

    (void)state;
    for (size_t i = 0; i < s->count; i++) {
        const struct sync_attribute *a = &s->attributes[i];
        identity[a->kind] += a->identity;
        label[a->kind] += a->label;
        assert_ptr_equal(sync_schema_find(s, a->kind, a->name), a);         /* no name twice */
        assert_int_equal(a->type == SYNC_REFERENCE, a->to != STAGE_UNKNOWN);
        assert_int_equal(a->type == SYNC_REFERENCE, a->relation != NULL);
        if (a->kind == STAGE_GROUP)
            assert_int_not_equal(a->to, STAGE_USER);                        /* groups are made before employees */
    }
    for (int k = STAGE_USER; k < STAGE_KINDS; k++) {
        assert_int_equal(identity[k], 1);
        assert_int_equal(label[k], 1);
    }
    assert_string_equal(sync_schema_find(s, STAGE_USER, "Badge")->from, from);
    assert_null(sync_schema_find(s, STAGE_GROUP, "Badge"));
    assert_string_equal(sync_schema_find(s, STAGE_USER, "Email")->from, "mail");
    assert_string_equal(sync_kind_name(STAGE_GROUP), "Group");
    sync_schema_free(s);
}

/* The configuration knows the names that every Employee has: ours, and those of Assets itself. */
static void test_names_of_the_configuration(void **state)
{
    static const char *const of_assets[] = { "Key", "Name", "Created", "Updated", SYNC_STATUS };
    struct config_sync none = { 0 };
    struct sync_schema *s = sync_schema_new(&none);
    size_t known = 0, ours = 0;

    (void)state;
    for (size_t i = 0; i < s->count; i++) {
        bool listed = false;
        for (size_t k = 0; config_employee_attributes[k] != NULL; k++)
            listed |= strcmp(config_employee_attributes[k], s->attributes[i].name) == 0;
        if (s->attributes[i].kind == STAGE_USER && !listed)
            fail_msg("sync.attributes may be called %s, as an attribute of ours is", s->attributes[i].name);
        ours += s->attributes[i].kind == STAGE_USER && strcmp(s->attributes[i].name, SYNC_NAME) != 0;
    }
    while (config_employee_attributes[known] != NULL)
        known++;
    assert_int_equal(known, ours + EB_LEN(of_assets));
    for (size_t i = 0, k; i < EB_LEN(of_assets); i++) {
        for (k = 0; k < known && strcmp(config_employee_attributes[k], of_assets[i]) != 0; k++)
            ;
        assert_true(k < known);
    }
    sync_schema_free(s);
}

static void test_time(void **state)
{
    static const struct { const char *text, *out, *why; } cases[] = {
        { "2020-03-01T00:00:00Z", "2020-03-01T00:00:00Z", "as it is" },
        { "2020-03-01T00:00:00.0000000Z", "2020-03-01T00:00:00Z", "seven digits that say nothing" },
        { "2020-03-01T10:20:30.1239999Z", "2020-03-01T10:20:30.123Z", "finer than milliseconds" },
        { "2020-03-01T10:20:30.5Z", "2020-03-01T10:20:30.500Z", "one digit" },
        { "2020-03-01T01:00:00+01:00", "2020-03-01T00:00:00Z", "another zone" },
        { "2020-03-01T00:00:00.000Z", "2020-03-01T00:00:00Z", "as Assets shows it" },
        { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "what some systems write for no time" },
        { "2020-03-01", "2020-03-01", "a day is no time, and stays" },
        { "soon", "soon", "a text stays" },
        { "", "", "nothing stays nothing" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char once[EB_TIME_LEN], twice[EB_TIME_LEN];
        const char *out = sync_record_time(cases[i].text, once);
        if (strcmp(out, cases[i].out) != 0 || strcmp(sync_record_time(out, twice), out) != 0)
            fail_msg("case %zu (%s): %s", i, cases[i].why, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_names_of_the_configuration),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
