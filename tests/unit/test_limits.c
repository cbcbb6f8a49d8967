/* test_limits.c - which limits apply to an operation, and how they are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open_store.h"

#include "policy/policy.h"
#include "store/limit_table.h"

/* ---- which ---- */

#define GROUP_ID "b0000000-0000-4000-8000-000000000001"

static void test_which(void **state)
{
    static const struct { struct config_limits all; struct config_kind_limits kind; struct config_group_limits group; const char *found, *why; } cases[] = {
        { { 0 }, { 0 }, { 0 }, "", "off unless set" },
        { { .per_token = 1 }, { 0 }, { 0 }, "policy.limits.per_token=1 per_token:rule|", "one" },
        { { 2, 3, 4, 5, 6, 0, NULL, NULL }, { 0 }, { 0 },
          "policy.limits.per_token=2 per_token:rule|policy.limits.per_issue=3 per_issue:10042|policy.limits.per_target=4 per_target:u1|"
          "policy.limits.per_kind=5 per_kind:group.add_member|policy.limits.total=6 total:|", "all, in order" },
        { { .per_issue = 3 }, { .per_issue = 9 }, { 0 }, "policy.operations.group.add_member.limits.per_issue=9 group.add_member.per_issue:10042|", "the kind's instead, also where it is more" },
        { { .per_issue = 3 }, { .per_target = 1 }, { 0 },
          "policy.limits.per_issue=3 per_issue:10042|policy.operations.group.add_member.limits.per_target=1 group.add_member.per_target:u1|", "each key by itself" },
        { { .per_kind = 5 }, { .per_kind = 2 }, { 0 }, "policy.operations.group.add_member.limits.per_kind=2 per_kind:group.add_member|", "one count of a kind" },
        { { .total = 6 }, { 0 }, { .per_group = 1, .per_token = 2, .per_issue = 3 },
          "policy.limits.total=6 total:|policy.serviceable_groups[0].limits.per_group=1 group." GROUP_ID ".per_group:|"
          "policy.serviceable_groups[0].limits.per_token=2 group." GROUP_ID ".per_token:rule|"
          "policy.serviceable_groups[0].limits.per_issue=3 group." GROUP_ID ".per_issue:10042|", "the group's besides" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        static char vpn[] = "VPN", add[] = "group.add_member";
        struct config_group_rule groups[] = { { .group = vpn, .limits = cases[i].group } };
        struct config_operation_rule operations[] = { { .kind = add, .limits = cases[i].kind } };
        const struct config_policy p = { .groups = groups, .group_count = 1, .operations = operations, .operation_count = 1, .limits = cases[i].all };
        const struct policy_group group = { .rule = groups, .id = GROUP_ID };
        const struct policy_limit_case c = { "group.add_member", "rule", "10042", "ITSM-42", "u1", &group };
        struct policy_limit found[POLICY_LIMITS_MAX];
        char text[2000] = "";
        size_t n = policy_limits(&p, &c, found), len = 0;

        for (size_t k = 0; k < n; k++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s=%d %s|", found[k].rule, found[k].most, found[k].subject);
        if (strcmp(text, cases[i].found) != 0)
            fail_msg("case %zu (%s): %s", i, cases[i].why, text);
    }
}

static void test_without(void **state)
{
    const struct config_policy p = { .limits = { .per_issue = 1, .per_target = 1, .total = 1 } };
    struct policy_limit found[POLICY_LIMITS_MAX];

    assert_int_equal(policy_limits(&p, &(struct policy_limit_case){ .kind = "user.create", .token = "rule" }, found), 1);       /* no issue, nobody yet */
    assert_string_equal(found[0].rule, "policy.limits.total");
}

/* ---- counting ---- */

#define HOUR (3600 * INT64_C(1000))
#define T (1000 * HOUR)
/* Which row was passed; -1: none, and it was counted. */
static int take(const struct limit_row *rows, size_t count, int64_t now_ms, int weight, bool *ret_alert)
{
    struct limit_take t = { .id = "none", .rows = rows, .count = count, .now_ms = now_ms, .window_ms = HOUR, .weight = weight };

    FX_OK(limit_take(db, &t, &fx_err));
    if (ret_alert != NULL)
        *ret_alert = t.ret_alert;
    return t.ret_past;
}

static void test_rolling(void **state)
{
    static const struct { int64_t at; int weight, past; const char *why; } steps[] = {
        { T, 1, -1, "the first" }, { T + 30 * 60000, 1, -1, "the second" }, { T + 59 * 60000, 1, 0, "one too many" },
        { T + 60 * 60000 + 59000, 1, 0, "the minute that the window begins in counts whole" }, { T + 61 * 60000, 1, -1, "the first counts no more" },
        { T + 62 * 60000, 1, 0, "full again" }, { T + 95 * 60000, 2, 0, "two where one is left" }, { T + 95 * 60000, 1, -1, "one is" },
        { T + 20 * HOUR, 3, 0, "more than ever goes" }, { T + 20 * HOUR, 2, -1, "as many as go" },
        { T - 24 * HOUR, 2, -1, "the clock was set back: what is ahead does not count" }, { T - 24 * HOUR, 1, 0, "and it counts from there" },
    };
    const struct limit_row row[] = { { "total:", 2 } };

    for (size_t i = 0; i < EB_LEN(steps); i++) {
        int past = take(row, 1, steps[i].at, steps[i].weight, NULL);
        if (past != steps[i].past)
            fail_msg("step %zu (%s): %d", i, steps[i].why, past);
    }
}

/* Past one, it counts in none; another subject is not concerned. */
static void test_all_or_none(void **state)
{
    const struct limit_row both[] = { { "per_token:a", 9 }, { "per_issue:1", 1 } }, other[] = { { "per_token:a", 2 }, { "per_issue:2", 1 } };

    assert_int_equal(take(both, 2, T, 1, NULL), -1);
    assert_int_equal(take(both, 2, T, 1, NULL), 1);
    assert_int_equal(take(both, 2, T, 1, NULL), 1);
    assert_int_equal(take(other, 2, T, 1, NULL), -1);       /* the second of the token: those that were held do not count */
    assert_int_equal(take(other, 2, T, 1, NULL), 0);        /* the first in order decides */
}

static void test_alerts(void **state)
{
    const struct limit_row row[] = { { "per_token:a", 1 } }, other[] = { { "per_token:b", 1 } };
    bool alert;

    take(row, 1, T, 1, &alert);
    assert_false(alert);
    take(other, 1, T, 1, NULL);
    take(row, 1, T + 1, 1, &alert);
    assert_true(alert);
    for (int i = 0; i < 5; i++) {
        take(row, 1, T + 2 + i, 1, &alert);
        assert_false(alert);            /* no storm */
    }
    take(other, 1, T + 10, 1, &alert);
    assert_true(alert);                 /* another subject is news */
    take(row, 1, T + HOUR + 10, 3, &alert);
    assert_true(alert);                 /* and the next window */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which), cmocka_unit_test(test_without), cmocka_unit_test_setup_teardown(test_rolling, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_or_none, setup, teardown), cmocka_unit_test_setup_teardown(test_alerts, setup, teardown),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
