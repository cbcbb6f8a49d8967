/* test_policy_verdicts.c - what a verdict says besides yes and no: how long, whether in shadow; ends of memberships; and what must be read before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/policy_world.h"

static json_t *fields, *request, *reporter;
static const char *const department[] = { "department", NULL };

/* ---- durations, shadow, ends ---- */

static void test_duration(void **state)
{
    static const struct { int64_t operation, group, asked, granted; const char *why; } rows[] = {
        { 0, 0, 0, 0, "for ever" }, { 0, 0, 5, 5, "as asked" }, { 9, 0, 0, 9, "no end asked means the operation's" }, { 0, 8, 0, 8, "or the group's" },
        { 9, 8, 0, 8, "or the shorter" }, { 8, 9, 0, 8, "whichever it is" }, { 9, 8, 3, 3, "a shorter one stays" },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        struct world w;
        struct policy_verdict v;

        world_set(&w, fields, request);
        w.operations[0].conditions.max_duration_ms = rows[i].operation;
        w.groups[1].conditions.max_duration_ms = rows[i].group;
        w.c.duration_ms = rows[i].asked;
        assert_true(policy_decide(&w.c, &v));
        if (v.duration_ms != rows[i].granted)
            fail_msg("%s: %lld", rows[i].why, (long long)v.duration_ms);
    }
}

static void test_shadow(void **state)
{
    for (int where = 0; where < 4; where++) {
        struct world w;
        struct policy_verdict v;

        world_set(&w, fields, request);
        enum config_mode *const modes[] = { &w.policy.mode, &w.operations[0].conditions.mode, &w.groups[1].conditions.mode };
        if (where > 0)
            *modes[where - 1] = CONFIG_SHADOW;
        assert_true(policy_decide(&w.c, &v));
        assert_int_equal(v.shadow, where > 0);
        w.evidence.approval_count = 0;
        assert_false(policy_decide(&w.c, &v));      /* shadow decides as it would */
    }
}

/* Every permission taken away; what is protected, or cannot be changed, still stops it. */
static void test_end_of_a_membership(void **state)
{
    struct world w;
    enum policy_fact *const protect[] = {
        &w.user.named, &w.user.in_protected, &w.user.role_holder, &w.user.role_group_member, &w.user.role_group_owner, &w.user.app_owner, &w.group.protected_,
        &w.group.dynamic, &w.group.synced, &w.group.mail_managed, &w.group.role_assignable, &w.group.restricted,
    };
    struct policy_verdict v;

    for (size_t i = 0; i <= EB_LEN(protect) * 2; i++) {
        world_set(&w, fields, request);
        w.c.kind = "group.remove_member";           /* in no operation's list */
        w.c.adds_member = false;
        w.c.ends_member = true;
        w.c.caller = NULL;
        w.c.issue = NULL;
        w.c.evidence = NULL;
        w.c.request = NULL;
        w.group.state = POLICY_GROUP_NOT_LISTED;
        w.group.rule = NULL;
        w.policy.mode = CONFIG_SHADOW;
        if (i > 0)
            *protect[(i - 1) / 2] = i % 2 ? POLICY_YES : POLICY_UNKNOWN;
        assert_int_equal(policy_decide(&w.c, &v), i == 0);
        assert_false(v.shadow);
    }
    assert_true(policy_decide_issue(&w.c, &v) && policy_decide_early(&w.c, false, &v));
    w.c.adds_member = true;                         /* what adds is no end */
    assert_false(policy_decide(&w.c, &v));
}

static void test_early_knows_attributes(void **state)
{
    struct world w;
    struct policy_verdict v;

    world_set(&w, fields, request);
    world_update(&w);
    w.c.attributes = department;
    w.policy.mode = CONFIG_SHADOW;
    w.c.issue = NULL;
    w.c.user = NULL;
    assert_false(policy_decide_early(&w.c, true, &v));
    assert_int_equal(v.code, EB_ATTRIBUTE_NOT_PERMITTED);
    w.c.attributes = job_title;
    assert_true(policy_decide_early(&w.c, true, &v));
    assert_false(policy_decide_early(&w.c, false, &v));
    assert_false(v.shadow);
}

/* ---- what must be read ---- */

static void test_needs(void **state)
{
    struct world w;
    struct policy_needs n;

    world_set(&w, fields, request);
    policy_needs(&w.c, &n);
    assert_true(n.approvals && n.edits && n.reporter && n.manager && n.duties);
    assert_string_equal(n.approver_group[0], "Bosses");
    assert_string_equal(n.approver_group[1], "Bosses");
    assert_null(n.requester_group[0]);
    assert_string_equal(n.requester_group[1], "Staff");
    w.operations[0].conditions.requester = CONFIG_REQUESTER_ANY;
    policy_needs(&w.c, &n);
    assert_false(n.manager);
    w.groups[0].conditions.requester = CONFIG_REQUESTER_MANAGER;
    w.c.group = NULL;                               /* not read yet: it could be that one */
    policy_needs(&w.c, &n);
    assert_true(n.manager && n.duties);
    w.c.ends_member = true;
    policy_needs(&w.c, &n);
    assert_false(n.approvals || n.edits || n.reporter || n.manager || n.duties);
    world_set(&w, fields, request);
    w.c.changes_group = w.c.adds_member = false;
    w.operations[0].conditions = (struct config_conditions){ .requester = CONFIG_REQUESTER_SELF };
    policy_needs(&w.c, &n);
    assert_true(n.edits && n.reporter);
    assert_false(n.approvals || n.manager || n.duties);
    assert_null(n.approver_group[1]);
    w.c.kind = "user.delete";
    policy_needs(&w.c, &n);
    assert_false(n.edits || n.reporter);
    w.c.request = reporter;
    policy_needs(&w.c, &n);
    assert_true(n.edits);
    assert_false(n.reporter || n.approvals);
}

static int setup(void **state)
{
    fields = json_loads("{\"customfield_1\": \"Ada@Contoso.com\", \"customfield_2\": \"vpn users\"}", 0, NULL);
    request = json_loads("{\"user\": \"ada@contoso.com\", \"group\": \"VPN Users\"}", 0, NULL);
    reporter = json_loads("{\"user\": \"reporter\"}", 0, NULL);
    return fields == NULL || request == NULL || reporter == NULL;
}

static int teardown(void **state)
{
    json_decref(fields);
    json_decref(request);
    json_decref(reporter);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_shadow),
        cmocka_unit_test(test_end_of_a_membership),
        cmocka_unit_test(test_early_knows_attributes),
        cmocka_unit_test(test_needs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
