/* test_zone.c - local dates and times: forms, days on which clocks are put forward and back, names of zones; and the date of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/zone.h"
#include "ops/form.h"

#include <string.h>

static void test_local(void **state)
{
    static const struct { const char *zone, *text, *utc, *why; } cases[] = {
        { "Europe/Berlin", "2027-03-31", "2027-03-30T22:00:00.000Z", "a date is its midnight" },
        { "Europe/Berlin", "2027-03-31T18:00", "2027-03-31T16:00:00.000Z", "summer time" },
        { "Europe/Berlin", "2027-01-31T18:00", "2027-01-31T17:00:00.000Z", "winter time" },
        { "Europe/Berlin", "2027-01-31T18:00:05", "2027-01-31T17:00:05.000Z", "with seconds" },
        { "Europe/Berlin", "2027-01-31 18:00", "2027-01-31T17:00:00.000Z", "a blank for the T" },
        { "Europe/Berlin", "2027-03-28T01:59", "2027-03-28T00:59:00.000Z", "just before the gap" },
        { "Europe/Berlin", "2027-03-28T02:30", "2027-03-28T01:30:00.000Z", "left out: by the offset of before, which is 03:30" },
        { "Europe/Berlin", "2027-03-28T03:00", "2027-03-28T01:00:00.000Z", "just after it" },
        { "Europe/Berlin", "2027-10-31T01:59", "2027-10-30T23:59:00.000Z", "just before what comes twice" },
        { "Europe/Berlin", "2027-10-31T02:30", "2027-10-31T00:30:00.000Z", "twice: the first" },
        { "Europe/Berlin", "2027-10-31T03:00", "2027-10-31T02:00:00.000Z", "just after it" },
        { "Europe/Berlin", "2031-07-01T12:00", "2031-07-01T10:00:00.000Z", "five years ahead" },
        { "Europe/Berlin", "2045-07-01T12:00", "2045-07-01T10:00:00.000Z", "beyond the file's table" },
        { "America/Santiago", "2026-09-06", "2026-09-06T04:00:00.000Z", "a day without a midnight begins at one" },
        { "America/New_York", "2027-11-07T01:30", "2027-11-07T05:30:00.000Z", "twice, west of Greenwich" },
        { "America/New_York", "2027-03-14T02:30", "2027-03-14T07:30:00.000Z", "left out, west of Greenwich" },
        { "Australia/Lord_Howe", "2027-04-04T01:45", "2027-04-03T14:45:00.000Z", "half an hour twice" },
        { "Asia/Kathmandu", "2027-01-01T00:00", "2026-12-31T18:15:00.000Z", "an odd offset" },
        { "Pacific/Kiritimati", "2027-01-01", "2026-12-31T10:00:00.000Z", "fourteen hours ahead" },
        { "UTC", "2027-03-31T18:00", "2027-03-31T18:00:00.000Z", "none" },
        { "UTC", "2028-02-29", "2028-02-29T00:00:00.000Z", "a leap day" },
        { "UTC", "2027-02-29", NULL, "none" }, { "UTC", "2027-13-01", NULL, "no month" }, { "UTC", "2027-3-1", NULL, "short" },
        { "UTC", "2027-03-31T24:00", NULL, "no hour" }, { "UTC", "2027-03-31T18", NULL, "no minutes" }, { "UTC", "2027-03-31T", NULL, "cut" },
        { "UTC", "2027-03-31T18:00Z", NULL, "no local time" }, { "UTC", " 2027-03-31", NULL, "a blank" }, { "UTC", "2027-03-31x", NULL, "more" },
        { "UTC", "", NULL, "nothing" }, { "UTC", "tomorrow", NULL, "a word" }, { "UTC", "31.03.2027", NULL, "another order" },
        { "UTC", "2027-03-31T18:00:00.5", NULL, "a fraction" }, { "UTC", "0026-11-22T16:43:00", NULL, "before 1970" },
    };
    char text[EB_TIME_LEN];

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int64_t ms = 0;

        eb_zone_use(cases[i].zone);
        bool good = eb_local_parse(cases[i].text, &ms);
        if (good != (cases[i].utc != NULL) || (good && !eb_streq(eb_time_format(ms, text), cases[i].utc)))
            fail_msg("%s in %s (%s): %s", cases[i].text, cases[i].zone, cases[i].why, good ? eb_time_format(ms, text) : "refused");
    }
}

static void test_format(void **state)
{
    char text[EB_LOCAL_LEN];

    eb_zone_use("Europe/Berlin");
    assert_string_equal(eb_local_format(1806508800000, text), "2027-03-31 18:00 CEST");
    eb_zone_use("UTC");
    assert_string_equal(eb_local_format(1806508800000, text), "2027-03-31 16:00 UTC");
}

static void test_names(void **state)
{
    static const struct { const char *name; bool known; } cases[] = {
        { "UTC", true }, { "Europe/Berlin", true }, { "America/Argentina/Buenos_Aires", true }, { "Etc/GMT+5", true },
        { "", false }, { "Europe", false }, { "Europe/", false }, { "Europe/Atlantis", false }, { "/etc/localtime", false }, { "../../etc/passwd", false },
        { "Europe/../Europe/Berlin", false }, { "Europe//Berlin", false }, { "CET-1CEST,M3.5.0,M10.5.0/3", false }, { ":Europe/Berlin", false }, { "tzdata.zi", false },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (eb_zone_known(cases[i].name) != cases[i].known)
            fail_msg("%s", cases[i].name);
}

/* `at` takes either form. */
static void test_at(void **state)
{
    int64_t with = 0, without = 0;

    eb_zone_use("Europe/Berlin");
    assert_true(ops_at_parse("2027-03-31T18:00:00+02:00", &with));
    assert_true(ops_at_parse("2027-03-31T18:00", &without));
    assert_int_equal(with, without);
    assert_true(ops_at_parse("2027-03-31T18:00:00.0+0200", &without));      /* as Jira writes it */
    assert_int_equal(with, without);
    assert_false(ops_at_parse("2027-03-31T18:00+25:00", &with));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_local), cmocka_unit_test(test_format), cmocka_unit_test(test_names), cmocka_unit_test(test_at) };

    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
