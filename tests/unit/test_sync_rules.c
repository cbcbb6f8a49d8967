/* test_sync_rules.c - the decisions of a synchronization: whether the guard holds a plan, what of a record is written, and when the next run is due. */
#include "sync/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "stage_fixture.h"

/* ---- the guard ---- */

static void test_guard(void **state)
{
    static const struct { struct guard_count groups, people; int64_t accepted; bool held; const char *why; } cases[] = {
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 0, 300, 300 }, 0, false, "nobody leaves" },
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 5, 20, 15 }, 0, false, "a handful, though it is a quarter" },
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 30, 300, 270 }, 0, false, "just the share" },
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 31, 300, 269 }, 0, true, "more than the share" },
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 501, 100000, 99499 }, 0, true, "more than the number, though a small share" },
        { { STAGE_GROUP, 0, 30, 30 }, { STAGE_USER, 500, 100000, 99500 }, 0, false, "just the number" },
        { { STAGE_GROUP, 0, 3100, 3100 }, { STAGE_USER, 88, 88, 0 }, 0, true, "many groups do not hide that everybody leaves" },
        { { STAGE_GROUP, 0, 3100, 3100 }, { STAGE_USER, 31, 300, 269 }, 0, true, "nor that a part does" },
        { { STAGE_GROUP, 2, 2, 0 }, { STAGE_USER, 0, 300, 300 }, 0, true, "no group would be left: never a handful" },
        { { STAGE_GROUP, 0, 0, 0 }, { STAGE_USER, 0, 0, 0 }, 0, false, "nothing is there yet" },
        { { STAGE_GROUP, 10, 30, 20 }, { STAGE_USER, 31, 300, 269 }, 40, true, "one less accepted than leave, both kinds together" },
        { { STAGE_GROUP, 10, 30, 20 }, { STAGE_USER, 31, 300, 269 }, 41, false, "accepted" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        const struct guard_count counts[] = { cases[i].groups, cases[i].people };
        char text[600] = "";
        const struct guard_facts f = { counts, EB_LEN(counts), cases[i].accepted, 10, 500, false };
        if ((guard_holds(&f, text, sizeof text) != NULL) != cases[i].held)
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
        if (cases[i].held)
            assert_non_null(strstr(text, "--accept-removals"));
    }
}

/* ---- what is written ---- */

static void test_change(void **state)
{
    static const char wanted[] = "{\"Entra User ID\": \"u\", \"Job title\": \"Boss\", \"Name\": \"Ada\"}";
    static const struct { const char *hash, *there, *values; bool needless; const char *why; } cases[] = {
        { "x", "{\"Entra User ID\": \"u\", \"Job title\": \"Clerk\", \"Name\": \"Ada\"}", "{\"Job title\":\"Boss\"}", false, "what differs" },
        { "x", "{\"Entra User ID\": \"u\", \"Job title\": \"Boss\", \"Manager\": \"m\", \"Name\": \"Ada\"}", "{\"Manager\":null}", false, "what is not wanted is cleared" },
        { "x", "{\"Entra User ID\": \"u\", \"Job title\": \"Boss\", \"Name\": \"Ada\", \"Unit\": \"A\"}", "{}", true, "what is mapped no more is left alone, and the row is kept" },
    };
    struct sync_schema *schema = sync_schema_new(&(struct config_sync){ .mode = 0 });

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        const struct stage_wanted w = { .n = 1, .kind = STAGE_USER, .key = "u", .label = "Ada", .hash = "y", .attributes = wanted };
        const struct stage_target t = { .n = 5, .kind = STAGE_USER, .key = "u", .object_id = "1", .object_key = "E-1", .active = true, .hash = cases[i].hash, .attributes = cases[i].there };
        const struct stage_change p = { STAGE_UPDATE, &w, &t };
        struct change *c = NULL;
        FX_OK(change_make(db, schema, &p, &c, &fx_err));
        assert_non_null(c);
        char *text = eb_json_canonical(c->values);
        if (strcmp(text, cases[i].values) != 0 || c->needless != cases[i].needless)
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
        free(text);
        change_free(c);
    }
    sync_schema_free(schema);
}

/* A creation in doubt that was found: whoever made it may have written a manager who has left meanwhile. */
static void test_change_of_what_is_not_known(void **state)
{
    struct sync_schema *schema = sync_schema_new(&(struct config_sync){ .mode = 0 });
    const struct stage_wanted w = { .n = 1, .kind = STAGE_USER, .key = "u", .label = "Ada", .hash = "y", .attributes = "{\"Entra User ID\": \"u\", \"Name\": \"Ada\"}" };
    const struct stage_target t = { .n = 5, .kind = STAGE_USER, .key = "u", .object_id = "1", .object_key = "E-1", .active = true, .hash = "", .attributes = "{}" };
    const struct stage_change p = { STAGE_UPDATE, &w, &t };
    struct change *c = NULL;

    (void)state;
    FX_OK(change_make(db, schema, &p, &c, &fx_err));
    assert_non_null(c);
    for (size_t i = 0; i < schema->count; i++) {
        const struct sync_attribute *a = &schema->attributes[i];
        const json_t *v = json_object_get(c->values, a->name);
        if (a->kind != STAGE_USER || a->identity || strcmp(a->name, SYNC_LAST_SEEN) == 0)
            continue;
        if (a->label ? !json_is_string(v) : !json_is_null(v))
            fail_msg("%s is not written anew", a->name);
    }
    change_free(c);
    sync_schema_free(schema);
}

/* ---- the schedule ---- */

#define DAY (24 * 3600 * INT64_C(1000))
#define MINUTE (60 * INT64_C(1000))

static int64_t at(const char *text)
{
    int64_t ms = 0;

    if (text[0] == '\0')
        return 0;
    assert_true(eb_time_parse(text, &ms, NULL));
    return ms;
}

static void test_next(void **state)
{
    static const struct { int64_t every_ms; int at_minute; const char *last, *now, *due, *why; } cases[] = {
        { 0, -1, "2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z", "", "by hand only" },
        { 60 * MINUTE, -1, "", "2026-11-01T11:00:00Z", "2026-11-01T11:00:00Z", "never before: now" },
        { 60 * MINUTE, -1, "2026-11-01T10:00:00Z", "2026-11-01T10:05:00Z", "2026-11-01T11:00:00Z", "an hour after it began" },
        { 60 * MINUTE, -1, "2026-11-03T10:00:00Z", "2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z", "the clock was put back: from now" },
        { DAY, 150, "", "2026-11-01T01:00:00Z", "2026-11-01T02:30:00Z", "never before: today, for it is early" },
        { DAY, 150, "", "2026-11-01T03:00:00Z", "2026-11-02T02:30:00Z", "never before: tomorrow, for it is late" },
        { DAY, 150, "2026-11-01T02:31:00Z", "2026-11-01T02:40:00Z", "2026-11-02T02:30:00Z", "put off by chance" },
        { DAY, 1430, "2026-11-02T00:10:00Z", "2026-11-02T00:20:00Z", "2026-11-02T23:50:00Z", "put off beyond midnight: no day is skipped" },
        { DAY, 180, "2026-11-01T01:00:00Z", "2026-11-01T01:10:00Z", "2026-11-01T03:00:00Z", "by hand before its time: the day's run stays" },
        { 7 * DAY, 180, "2026-11-01T03:01:00Z", "2026-11-01T04:00:00Z", "2026-11-08T03:00:00Z", "a week" },
    };

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        const struct config_sync c = { .every_ms = cases[i].every_ms, .at_minute = cases[i].at_minute };
        int64_t due = sync_next_ms(&c, at(cases[i].last), at(cases[i].now));
        char text[EB_TIME_LEN];
        if (due != (cases[i].due[0] != '\0' ? at(cases[i].due) : INT64_MAX))
            fail_msg("case %zu (%s): %s", i, cases[i].why, due == INT64_MAX ? "never" : eb_time_format(due, text));
    }
}

/* The time of day stays what people read on the clock when it is put forward and back. */
static void test_next_over_summer_time(void **state)
{
    const struct config_sync c = { .every_ms = DAY, .at_minute = 270 };
    static const struct { const char *last, *due; } cases[] = {
        { "2026-03-28T03:30:30Z", "2026-03-29T02:30:00Z" },     /* 04:30 in Berlin, then 04:30 of summer */
        { "2026-10-24T02:30:30Z", "2026-10-25T03:30:00Z" },
    };

    (void)state;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < EB_LEN(cases); i++)
        assert_true(sync_next_ms(&c, at(cases[i].last), at(cases[i].last)) == at(cases[i].due));
}

static void test_full_due(void **state)
{
    const struct config_sync c = { .full_every_ms = 7 * DAY };
    static const struct { int64_t read_ms, now_ms; bool due; } cases[] = {
        { 0, 5 * DAY, true }, { 5 * DAY, 11 * DAY, false }, { 5 * DAY, 12 * DAY, true }, { 9 * DAY, 8 * DAY, true /* the clock was put back */ },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        assert_int_equal(sync_full_due(&c, cases[i].read_ms, cases[i].now_ms), cases[i].due);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard), cmocka_unit_test_setup_teardown(test_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change_of_what_is_not_known, setup, teardown), cmocka_unit_test(test_next),
        cmocka_unit_test(test_next_over_summer_time), cmocka_unit_test(test_full_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
