/* test_policy.c - decisions: a table of cases, and every combination of facts.
 *
 * The property that matters: no combination with an unknown or a refusing fact is ever allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

#include <string.h>

/* ---- a policy and a case in which all is well; each row of a table spoils one thing ---- */

static char *itsm_items[] = { (char []){ "ITSM" }, NULL };
static char *both_items[] = { (char []){ "HR" }, (char []){ "ITSM" }, NULL };
#define ONLY_ITSM { .keys = { itsm_items, 1 } }
#define BOTH { .keys = { both_items, 2 } }
#define EVERY { .all = true }

static struct config_group_rule group_rules[] = {
    { (char []){ "VPN Users" }, ONLY_ITSM },
    { (char []){ "Everybody" }, EVERY },
};
static struct config_operation_rule operation_rules[] = {
    { (char []){ "group.add_member" }, BOTH, false },
    { (char []){ "user.disable" }, ONLY_ITSM, false },
    { (char []){ "user.get" }, EVERY, true },
    { (char []){ "group.remove_member" }, EVERY, true },
    { (char []){ "user.enable" }, ONLY_ITSM, true },
};

struct world {
    struct config_policy policy;
    struct policy_caller caller;
    struct policy_issue issue;
    struct policy_user user;
    struct policy_group group;
    struct policy_case c;
};

static const char *const all[] = { "*", NULL };
static const char *const add_only[] = { "group.add_member", NULL };
static const char *const hr_only[] = { "HR", NULL };
static const char *const itsm_only[] = { "ITSM", NULL };
static const char *const nothing[] = { NULL };

static void world_set(struct world *w)
{
    *w = (struct world){
        .policy = { group_rules, EB_LEN(group_rules), operation_rules, EB_LEN(operation_rules), .protect_directory_roles = true },
        .caller = { "rule-1", all, all },
        .issue = { "ITSM-42", "ITSM", "10001", false },
        .user = { .found = true, .id = "u1", .upn = "ada@contoso.com", .display_name = "Ada Lovelace", .named = POLICY_NO, .in_protected = POLICY_NO,
                  .role_holder = POLICY_NO, .role_group_member = POLICY_NO, .role_group_owner = POLICY_NO, .app_owner = POLICY_NO, .synced = POLICY_NO },
        .group = { POLICY_GROUP_BOUND, &group_rules[0], true, "g1", "VPN Users",
                   POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO, POLICY_NO },
    };
    w->c = (struct policy_case){ &w->policy, &w->caller, "group.add_member", false, true, &w->issue, &w->user, &w->group };
}

static void none(struct world *w) { }
static void token_other_kind(struct world *w) { w->caller.operations = add_only; w->c.kind = "user.disable"; }
static void token_exact(struct world *w) { w->caller.operations = add_only; w->caller.projects = itsm_only; }
static void token_empty(struct world *w) { w->caller.operations = nothing; }
static void token_null(struct world *w) { w->caller.operations = NULL; }
static void token_other_project(struct world *w) { w->caller.projects = hr_only; }
static void kind_unlisted(struct world *w) { w->c.kind = "user.delete"; }
static void policy_empty(struct world *w) { w->policy = (struct config_policy){ .protect_directory_roles = true }; }
static void operation_other_project(struct world *w) { w->issue.project_key = "FIN"; }
static void project_case(struct world *w) { w->issue.project_key = "itsm"; }
static void project_untold(struct world *w) { w->issue.project_key = NULL; }
static void issue_moved(struct world *w) { w->issue.moved = true; }
static void issue_missing(struct world *w) { w->c.issue = NULL; }
static void optional(struct world *w) { w->c.kind = "group.remove_member"; w->group.rule = &group_rules[1]; }
static void no_issue(struct world *w) { optional(w); w->c.issue = NULL; }
static void no_issue_token(struct world *w) { no_issue(w); w->caller.projects = itsm_only; }
static void no_issue_operation(struct world *w) { no_issue(w); w->c.kind = "user.enable"; w->c.group = NULL; w->c.changes_group = false; }
static void no_issue_group(struct world *w) { no_issue(w); w->group.rule = &group_rules[0]; }
static void user_missing(struct world *w) { w->user.found = false; }
static void user_several(struct world *w) { w->user.ambiguous = true; }
static void user_named(struct world *w) { w->user.named = POLICY_YES; }
static void user_deleted(struct world *w) { w->user = (struct policy_user){ .found = true, .deleted = true, .id = "u1", .display_name = "Ada", .named = POLICY_NO }; }
static void user_deleted_by_us(struct world *w) { user_deleted(w); w->user.deleted_by_us = true; w->user.synced = POLICY_NO; }
static void user_named_untold(struct world *w) { w->user.named = POLICY_UNKNOWN; }
static void user_in_group(struct world *w) { w->user.in_protected = POLICY_YES; w->user.protected_by = "Tier 0 admins"; }
static void user_role(struct world *w) { w->user.role_holder = POLICY_YES; }
static void user_role_untold(struct world *w) { w->user.role_holder = POLICY_UNKNOWN; }
static void roles_off(struct world *w) { user_role(w); w->policy.protect_directory_roles = false; }
static void roles_off_untold(struct world *w) { user_role_untold(w); w->policy.protect_directory_roles = false; }
static void roles_off_group(struct world *w) { w->user.role_group_member = POLICY_YES; w->policy.protect_directory_roles = false; }
static void roles_off_owner(struct world *w) { w->user.role_group_owner = POLICY_YES; w->policy.protect_directory_roles = false; }
static void user_app_owner(struct world *w) { w->user.app_owner = POLICY_YES; }
static void user_app_untold(struct world *w) { w->user.app_owner = POLICY_UNKNOWN; }
static void user_synced(struct world *w) { w->user.synced = POLICY_YES; }
static void change_synced(struct world *w) { w->c.kind = "user.disable"; w->c.changes_user = true; w->c.changes_group = false; w->c.group = NULL; user_synced(w); }
static void change_sync_untold(struct world *w) { change_synced(w); w->user.synced = POLICY_UNKNOWN; }
static void group_unlisted(struct world *w) { w->group.state = POLICY_GROUP_NOT_LISTED; w->group.rule = NULL; }
static void group_none(struct world *w) { w->group.state = POLICY_GROUP_NONE; w->group.found = false; w->group.name = NULL; }
static void group_several(struct world *w) { w->group.state = POLICY_GROUP_SEVERAL; w->group.found = false; }
static void group_ruleless(struct world *w) { w->group.rule = NULL; }
static void group_gone(struct world *w) { w->group.found = false; }
static void group_protected(struct world *w) { w->group.protected_ = POLICY_YES; }
static void group_other_project(struct world *w) { w->issue.project_key = "HR"; }
static void group_dynamic(struct world *w) { w->group.dynamic = POLICY_YES; }
static void group_synced(struct world *w) { w->group.synced = POLICY_YES; }
static void group_mail(struct world *w) { w->group.mail_managed = POLICY_YES; }
static void group_role(struct world *w) { w->group.role_assignable = POLICY_YES; }
static void group_restricted(struct world *w) { w->group.restricted = POLICY_YES; }
static void group_untold(struct world *w) { w->group.restricted = POLICY_UNKNOWN; }
static void read_untold(struct world *w) { w->c.kind = "user.get"; w->c.changes_group = false; group_untold(w); w->group.dynamic = POLICY_YES; w->user.synced = POLICY_UNKNOWN; }
static void facts_missing_user(struct world *w) { w->c.user = NULL; }
static void facts_missing_group(struct world *w) { w->c.group = NULL; }
static void order_issue_first(struct world *w) { issue_moved(w); user_missing(w); group_unlisted(w); }
static void order_user_first(struct world *w) { user_missing(w); group_unlisted(w); }
static void order_principal_first(struct world *w) { user_role(w); group_unlisted(w); }
static void order_token_first(struct world *w) { token_empty(w); kind_unlisted(w); issue_moved(w); }

static const struct { void (*spoil)(struct world *); enum eb_code code; const char *field, *says, *why; } cases[] = {
    { none, EB_OK, NULL, "", "the plain case" },
    { token_exact, EB_OK, NULL, "", "a token with exactly this scope" },
    { token_other_kind, EB_OPERATION_NOT_PERMITTED, NULL, "rule-1", "a token without this operation" },
    { token_empty, EB_OPERATION_NOT_PERMITTED, NULL, "rule-1", "a token without operations" },
    { token_null, EB_OPERATION_NOT_PERMITTED, NULL, "rule-1", "no list is an empty list" },
    { kind_unlisted, EB_OPERATION_NOT_PERMITTED, NULL, "user.delete", "not listed is refused, whatever the token says" },
    { policy_empty, EB_OPERATION_NOT_PERMITTED, NULL, "not listed", "an empty policy permits nothing" },
    { issue_missing, EB_INVALID_REQUEST, "issue", "issue.key", "an issue is required unless the policy says otherwise" },
    { token_other_project, EB_ISSUE_NOT_PERMITTED, "issue", "token", "the token's projects" },
    { operation_other_project, EB_ISSUE_NOT_PERMITTED, "issue", "FIN", "the operation's projects" },
    { project_case, EB_ISSUE_NOT_PERMITTED, "issue", "itsm", "project keys are compared exactly" },
    { project_untold, EB_ISSUE_NOT_PERMITTED, "issue", "did not tell", "an unknown project is none" },
    { issue_moved, EB_ISSUE_NOT_PERMITTED, "issue", "ITSM-42", "a moved issue" },
    { optional, EB_OK, NULL, "", "optional, but given: checked like any" },
    { no_issue, EB_OK, NULL, "", "no issue, and all three say *" },
    { no_issue_token, EB_ISSUE_NOT_PERMITTED, "issue", "--projects", "no issue: the token must say *" },
    { no_issue_operation, EB_ISSUE_NOT_PERMITTED, "issue", "user.enable", "no issue: the operation must say *" },
    { no_issue_group, EB_GROUP_NOT_SERVICEABLE, "group", "Without an issue", "no issue: the group must say *" },
    { user_missing, EB_USER_NOT_FOUND, "user", "", "no such user" },
    { user_several, EB_USER_AMBIGUOUS, "user", "object id", "several users of one address" },
    { user_named, EB_PRINCIPAL_PROTECTED, "user", "by name", "protected by name" },
    { user_named_untold, EB_PRINCIPAL_PROTECTED, "user", "fits no user", "a protected name that fits nobody could be anybody" },
    { user_deleted, EB_PRINCIPAL_PROTECTED, "user", "approval: required", "of a deleted user nothing is known: a person must decide" },
    { user_deleted_by_us, EB_OK, NULL, "", "whom we deleted was not protected then" },
    { user_in_group, EB_PRINCIPAL_PROTECTED, "user", "Tier 0 admins", "the group that protects is named" },
    { user_role, EB_PRINCIPAL_PROTECTED, "user", "directory role", "holders of roles" },
    { user_role_untold, EB_PRINCIPAL_PROTECTED, "user", "RoleManagement.Read.Directory", "unknown refuses, and says what to grant" },
    { roles_off, EB_OK, NULL, "", "directory_roles: false" },
    { roles_off_untold, EB_OK, NULL, "", "directory_roles: false: the fact is not asked for" },
    { roles_off_group, EB_PRINCIPAL_PROTECTED, "user", "assigned", "role-assignable groups protect all the same" },
    { roles_off_owner, EB_PRINCIPAL_PROTECTED, "user", "owns a group", "and so they protect their owners" },
    { user_app_owner, EB_PRINCIPAL_PROTECTED, "user", "acts as", "who owns our own app registration could become it" },
    { user_app_untold, EB_PRINCIPAL_PROTECTED, "user", "Application.Read.All", "unknown refuses" },
    { user_synced, EB_OK, NULL, "", "membership of cloud groups works for synchronized users" },
    { change_synced, EB_USER_NOT_MODIFIABLE, "user", "on-premises", "but not their own attributes" },
    { change_sync_untold, EB_USER_NOT_MODIFIABLE, "user", "did not tell", "nor where Graph did not tell" },
    { group_unlisted, EB_GROUP_NOT_SERVICEABLE, "group", "serviceable", "not listed" },
    { group_none, EB_GROUP_NOT_FOUND, "group", "VPN Users", "listed, but nowhere in Entra" },
    { group_several, EB_GROUP_AMBIGUOUS, "group", "object id", "listed, and twice in Entra" },
    { group_ruleless, EB_GROUP_NOT_SERVICEABLE, "group", "", "bound to no entry is not listed" },
    { group_gone, EB_GROUP_NOT_FOUND, "group", "no longer", "the pinned id is gone" },
    { group_protected, EB_PRINCIPAL_PROTECTED, "group", "nested", "serviceable, but inside a protected one" },
    { group_other_project, EB_GROUP_NOT_SERVICEABLE, "group", "HR", "the entry's projects" },
    { group_dynamic, EB_GROUP_NOT_MODIFIABLE, "group", "dynamic", "dynamic membership" },
    { group_synced, EB_GROUP_NOT_MODIFIABLE, "group", "on-premises", "synchronized group" },
    { group_mail, EB_GROUP_NOT_MODIFIABLE, "group", "Exchange", "distribution list" },
    { group_role, EB_GROUP_NOT_MODIFIABLE, "group", "directory roles", "role-assignable group" },
    { group_restricted, EB_GROUP_NOT_MODIFIABLE, "group", "restricted", "restricted unit" },
    { group_untold, EB_GROUP_NOT_MODIFIABLE, "group", "did not tell", "unknown refuses" },
    { read_untold, EB_OK, NULL, "", "a read does not ask whether Graph could change it" },
    { facts_missing_user, EB_PRINCIPAL_PROTECTED, "user", "", "a change without facts on its user" },
    { facts_missing_group, EB_GROUP_NOT_SERVICEABLE, "group", "", "a change without facts on its group" },
    { order_token_first, EB_OPERATION_NOT_PERMITTED, NULL, "token", "the token decides first" },
    { order_issue_first, EB_ISSUE_NOT_PERMITTED, "issue", "", "then the issue: nothing about users and groups is told" },
    { order_user_first, EB_USER_NOT_FOUND, "user", "", "then the user" },
    { order_principal_first, EB_PRINCIPAL_PROTECTED, "user", "", "then protection, then the group" },
};

static void test_cases(void **state)
{
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct world w;
        struct policy_verdict v;

        world_set(&w);
        cases[i].spoil(&w);
        bool allowed = policy_decide(&w.c, &v);
        if (v.code != cases[i].code || allowed != (cases[i].code == EB_OK))
            fail_msg("%s: got %s (%s)", cases[i].why, eb_code_text(v.code), v.reason);
        if ((v.field == NULL) != (cases[i].field == NULL) || (v.field != NULL && strcmp(v.field, cases[i].field) != 0))
            fail_msg("%s: field %s", cases[i].why, v.field == NULL ? "none" : v.field);
        if (strstr(v.reason, cases[i].says) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].why, v.reason, cases[i].says);
        if (!allowed && (v.rule[0] == '\0' || v.reason[0] == '\0'))
            fail_msg("%s: a refusal without its rule and reason", cases[i].why);
    }
}

/* ---- every combination of facts ---- */

/* The facts of a membership change, as digits of a number to the base of 3; those on owners, which are as those on members, are in the table above. */
#define FACTS 11
static void facts_set(struct world *w, unsigned number)
{
    enum policy_fact *const facts[FACTS] = {
        &w->user.named, &w->user.in_protected, &w->user.role_holder, &w->user.role_group_member, &w->user.synced,
        &w->group.protected_, &w->group.dynamic, &w->group.synced, &w->group.mail_managed, &w->group.role_assignable, &w->group.restricted,
    };
    for (size_t i = 0; i < FACTS; i++, number /= 3)
        *facts[i] = (enum policy_fact)(number % 3);
}

static bool no(enum policy_fact f) { return f == POLICY_NO; }

/* What must be so, written another way than the code under test. */
static bool may(const struct world *w)
{
    const struct policy_user *u = &w->user;
    const struct policy_group *g = &w->group;
    bool person = no(u->named) && no(u->in_protected) && no(u->role_group_member) && (no(u->role_holder) || !w->policy.protect_directory_roles);
    bool changeable = no(g->dynamic) && no(g->synced) && no(g->mail_managed) && no(g->role_assignable) && no(g->restricted);

    return person && no(g->protected_) && (changeable || !w->c.changes_group) && (no(u->synced) || !w->c.changes_user);
}

static void test_every_combination(void **state)
{
    unsigned combinations = 1, allowed = 0;

    for (int i = 0; i < FACTS; i++)
        combinations *= 3;
    for (unsigned n = 0; n < combinations * 4; n++) {
        struct world w;
        struct policy_verdict v;

        world_set(&w);
        facts_set(&w, n % combinations);
        w.policy.protect_directory_roles = (n / combinations & 1) != 0;
        w.c.changes_group = (n / combinations & 2) != 0;
        w.c.changes_user = !w.c.changes_group;
        bool got = policy_decide(&w.c, &v);
        if (got != may(&w) || got != (v.code == EB_OK))
            fail_msg("combination %u: %s (%s)", n, eb_code_text(v.code), v.reason);
        allowed += got;
    }
    assert_true(allowed > 0);
}

/* ---- the early and the issue decision ---- */

static void test_early(void **state)
{
    static const struct { void (*spoil)(struct world *); bool has_issue; enum eb_code code; const char *why; } rows[] = {
        { none, true, EB_OK, "with an issue nothing is said about it yet" },
        { token_other_project, true, EB_OK, "its project is not known yet" },
        { none, false, EB_INVALID_REQUEST, "missing where required" },
        { no_issue, false, EB_OK, "optional" },
        { no_issue_token, false, EB_ISSUE_NOT_PERMITTED, "the token's projects can be told without reading" },
        { no_issue_operation, false, EB_ISSUE_NOT_PERMITTED, "so can the operation's" },
        { token_other_kind, true, EB_OPERATION_NOT_PERMITTED, "scope" },
        { kind_unlisted, true, EB_OPERATION_NOT_PERMITTED, "operation" },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        struct world w;
        struct policy_verdict v;

        world_set(&w);
        rows[i].spoil(&w);
        w.c.issue = NULL;
        w.c.user = NULL;
        w.c.group = NULL;
        bool allowed = policy_decide_early(&w.c, rows[i].has_issue, &v);
        if (v.code != rows[i].code || allowed != (v.code == EB_OK))
            fail_msg("%s: got %s (%s)", rows[i].why, eb_code_text(v.code), v.reason);
    }
}

static void test_issue_only(void **state)
{
    struct world w;
    struct policy_verdict v;

    world_set(&w);
    user_missing(&w);
    group_unlisted(&w);
    assert_true(policy_decide_issue(&w.c, &v));     /* refused later, yet the issue is good: a comment is due */
    w.c.user = NULL;
    w.c.group = NULL;
    assert_true(policy_decide_issue(&w.c, &v));
    issue_moved(&w);
    assert_false(policy_decide_issue(&w.c, &v));
    assert_int_equal(v.code, EB_ISSUE_NOT_PERMITTED);
}

static void test_names_are_cleaned(void **state)
{
    struct world w;
    struct policy_verdict v;
    char longish[2000];

    world_set(&w);
    user_role(&w);
    w.user.display_name = "Eve\n\xE2\x80\xAE""gnp.exe";     /* a line end and a right-to-left override */
    assert_false(policy_decide(&w.c, &v));
    assert_null(strchr(v.reason, '\n'));
    assert_null(strstr(v.reason, "\xE2\x80\xAE"));

    memset(longish, 'x', sizeof(longish) - 1);
    longish[sizeof(longish) - 1] = '\0';
    w.user.display_name = longish;
    assert_false(policy_decide(&w.c, &v));
    assert_non_null(strstr(v.reason, "directory role"));    /* a long name does not push the reason out */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_every_combination),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_issue_only),
        cmocka_unit_test(test_names_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
