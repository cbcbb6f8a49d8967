/* test_check.c - what `check` says about permissions: what a token carries, what covers what, what the enabled kinds need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/check.h"
#include "graph/token.h"

#include <stdlib.h>
#include <string.h>

/* ---- the token ---- */

static void test_roles_of(void **state)
{
    static const struct { const char *claims; int count; const char *first, *why; } cases[] = {
        { "{\"roles\":[\"User.Read.All\",\"GroupMember.Read.All\"]}", 2, "User.Read.All", "as Entra gives it" },
        { "{\"appid\":\"x\"}", 0, NULL, "nothing was granted: no claim" },
        { "{\"roles\":[7,null,\"User.Read.All\",\"a\\u0007b\"]}", 1, "User.Read.All", "only clean texts" },
        { "{\"roles\":\"User.Read.All\"}", 0, NULL, "no list" },
        { "{}{", -1, NULL, "not JSON" },
        { "", -1, NULL, "nothing" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char part[256], *token;
        part[eb_b64u_encode(cases[i].claims, strlen(cases[i].claims), part)] = '\0';
        token = eb_asprintf("Authorization: Bearer eyJhbGciOiJub25lIn0.%s.c2ln", part);
        char **roles = graph_roles_of(token);
        int count = -1;
        for (size_t k = 0; roles != NULL && (count = (int)k, roles[k] != NULL); k++)
            ;
        if (count != cases[i].count || (cases[i].first != NULL && strcmp(roles[0], cases[i].first) != 0))
            fail_msg("case %zu (%s): %d", i, cases[i].why, count);
        free(roles);
        free(token);
    }
    assert_null(graph_roles_of("opaque"));
    assert_null(graph_roles_of("one.two"));
    assert_null(graph_roles_of("a.!!!.c"));
}

static void test_covers(void **state)
{
    static const struct { const char *granted[3], *wanted; bool covered; const char *why; } cases[] = {
        { { "User.Read.All" }, "User.Read.All", true, "itself" },
        { { "Directory.Read.All" }, "User.Read.All", true, "a wider one" },
        { { "User.Read.All" }, "User.EnableDisableAccount.All", false, "reading is not disabling" },
        { { "Group.Read.All" }, "GroupMember.ReadWrite.All", false, "reading is not writing" },
        { { "GroupMember.ReadWrite.All" }, "GroupMember.Read.All", true, "writing is reading" },
        { { "User.Read" }, "User.Read.All", false, "a prefix is another one" },
        { { NULL }, "User.Read.All", false, "nothing" },
        { { "User.Read.All" }, "Unheard.Of", false, "not in the table" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *granted[4] = { NULL };
        for (size_t k = 0; k < 3; k++)
            granted[k] = (char *)(uintptr_t)cases[i].granted[k];
        if (check_covers(granted, cases[i].wanted) != cases[i].covered)
            fail_msg("case %zu (%s)", i, cases[i].why);
    }
}

/* ---- the findings ---- */

#define TEXT(s) ((char *)(uintptr_t)(s))
static struct config_operation_rule both[] = { { TEXT("user.get"), { true, { NULL, 0 } }, false }, { TEXT("user.disable"), { true, { NULL, 0 } }, false } };

static const struct check_finding *finding(const struct check_report *r, const char *permission)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->items[i].subject, "permission") == 0 && strncmp(r->items[i].text, permission, strlen(permission)) == 0)
            return &r->items[i];
    return NULL;
}

static void forget(struct check_report *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i].text);
    free(r->items);
    json_decref(r->kinds);
    *r = (struct check_report){ 0 };
}

static void test_permissions(void **state)
{
    struct config_policy p = { .operations = both, .operation_count = 2, .protect_directory_roles = true };
    char *granted[] = { TEXT("Directory.Read.All"), NULL };
    struct check_report r = { 0 };
    struct check_probe probes[CHECK_PROBES];

    check_probes(probes);
    check_permissions(&r, &p, &(struct check_clouds_told){ granted, NULL, probes });
    assert_int_equal(finding(&r, "User.Read.All")->result, CHECK_OK);
    assert_int_equal(finding(&r, "User.EnableDisableAccount.All")->result, CHECK_FAULT);
    assert_non_null(strstr(finding(&r, "User.EnableDisableAccount.All")->text, "user.disable"));
    assert_null(finding(&r, "GroupMember.ReadWrite.All"));          /* no kind that needs it is enabled */
    forget(&r);

    probes[0].told = CHECK_REFUSED;                                 /* a read that is refused is proof, whatever the token says */
    check_permissions(&r, &p, &(struct check_clouds_told){ granted, NULL, probes });
    assert_int_equal(finding(&r, "User.Read.All")->result, CHECK_FAULT);
    forget(&r);

    p.protect_directory_roles = false;
    probes[0].told = CHECK_GRANTED;
    check_permissions(&r, &p, &(struct check_clouds_told){ NULL, NULL, probes });                        /* a token that cannot be looked into */
    assert_int_equal(finding(&r, "User.Read.All")->result, CHECK_OK);
    assert_int_equal(finding(&r, "User.EnableDisableAccount.All")->result, CHECK_WARNING);
    assert_null(finding(&r, "RoleManagement.Read.Directory"));
    assert_false(r.faults);
    assert_string_equal(r.items[r.count - 1].subject, "role");      /* administrators can be targets now: our own role matters */
    forget(&r);
}

static void test_names(void **state)
{
    static const struct { struct directory_binding b; int result; const char *says, *why; } cases[] = {
        { { "serviceable group", "VPN", "1", DIRECTORY_BOUND, "1", NULL }, CHECK_OK, "", "fine" },
        { { "serviceable group", "VPN", NULL, DIRECTORY_NONE, NULL, NULL }, CHECK_FAULT, "not found in Entra", "none" },
        { { "serviceable group", "VPN", NULL, DIRECTORY_SEVERAL, "1", NULL }, CHECK_FAULT, "permits nothing", "several" },
        { { "protected group", "T0", NULL, DIRECTORY_NONE, NULL, NULL }, CHECK_FAULT, "everybody", "protects all" },
        { { "serviceable group", "VPN", "1", DIRECTORY_MOVED, "2", "1" }, CHECK_WARNING, "now fits 2", "moved" },
        { { "serviceable group", "VPN", "1", DIRECTORY_NONE, NULL, "1" }, CHECK_WARNING, "fits nothing", "pinned and gone" },
        { { "project", "ITSM", NULL, DIRECTORY_NONE, NULL, NULL }, CHECK_FAULT, "Jira", "no project" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct check_report r = { 0 };
        check_say_names(&r, &cases[i].b, 1);
        if (r.count != 1 || (int)r.items[0].result != cases[i].result || strstr(r.items[0].text, cases[i].says) == NULL)
            fail_msg("case %zu (%s): %s", i, cases[i].why, r.count > 0 ? r.items[0].text : "nothing");
        forget(&r);
    }
}

/* ---- what the kinds need ---- */

static bool needs_it(const struct check_need *n, const char *permission)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->permissions[i], permission) == 0)
            return true;
    return false;
}

static void test_needs(void **state)
{
    static char *attributes[] = { TEXT("jobTitle"), TEXT("mobilePhone") };
    struct config_operation_rule o = { .kind = TEXT("user.update"), .attributes = { attributes, 2 } };
    struct config_policy p = { .operations = &o, .operation_count = 1, .protect_directory_roles = true };
    static struct check_need n[CHECK_NEEDS_MAX];
    static const struct { const char *kind, *permission; bool roles, needed; const char *why; } cases[] = {
        { "user.update", "User-Phone.ReadWrite.All", true, true, "a listed attribute has a right of its own" },
        { "user.update", CHECK_OWNERS_READ, true, true, "owners of the application are protected" },
        { "user.update", CHECK_ROLES_ELIGIBLE, true, true, "so are the eligible" },
        { "user.update", CHECK_ROLES_ELIGIBLE, false, false, "unless roles protect nobody" },
        { "user.update", CHECK_ROLES_READ, false, false, "unless roles protect nobody" },
        { "user.update", CHECK_OWNERS_READ, false, true, "owners always are" },
        { "user.disable", "User-Phone.ReadWrite.All", true, false, "writes no attributes, whatever its entry says" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        o.kind = TEXT(cases[i].kind);
        p.protect_directory_roles = cases[i].roles;
        assert_int_equal(check_needs(&p, n), 1);
        if (needs_it(&n[0], cases[i].permission) != cases[i].needed)
            fail_msg("case %zu (%s)", i, cases[i].why);
    }
    o.kind = TEXT("user.reset_password");
    check_needs(&p, n);
    assert_string_equal(n[0].role, "User Administrator");
}

static void test_roles(void **state)
{
    char *held[] = { TEXT("FE930BE7-5e62-47db-91af-98c3a49a38b1"), NULL }, *other[] = { TEXT("729827e3-9c14-49f7-bb1b-9608f156bbb8"), NULL };
    struct config_operation_rule o = { .kind = TEXT("user.reset_password") };
    struct config_policy p = { .operations = &o, .operation_count = 1, .protect_directory_roles = true };
    char *granted[] = { TEXT("Directory.ReadWrite.All"), NULL };
    struct check_probe probes[CHECK_PROBES];
    const struct { char **held; int result; const char *why; } cases[] = {
        { held, CHECK_OK, "held, in other letters" }, { other, CHECK_FAULT, "another one" }, { NULL, CHECK_WARNING, "not to be told" },
    };

    assert_false(check_holds_role(held, "No Such Role"));
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct check_report r = { 0 };
        const struct check_finding *f = NULL;

        check_probes(probes);
        check_permissions(&r, &p, &(struct check_clouds_told){ granted, cases[i].held, probes });
        for (size_t k = 0; k < r.count; k++)
            if (strcmp(r.items[k].subject, "role") == 0)
                f = &r.items[k];
        if (f == NULL || (int)f->result != cases[i].result)
            fail_msg("case %zu (%s): %s", i, cases[i].why, f != NULL ? f->text : "nothing");
        assert_int_equal(json_array_size(r.kinds), 1);
        forget(&r);
    }
}

/* ---- dynamic groups, ends of credentials, approvals ---- */

static void test_dynamic(void **state)
{
    static const struct { const char *rule, *attribute; bool reads; const char *why; } cases[] = {
        { "(user.city -eq \"Berlin\")", "city", true, "as it is written" },
        { "(User.City -eq \"Berlin\")", "city", true, "letters do not matter" },
        { "(user.cityCode -eq 1)", "city", false, "a longer name is another one" },
        { "(user.department -eq \"user.city\")", "city", true, "in a text: better named once too often" },
        { "(device.city -eq 1) or (superuser.city -eq 1)", "city", false, "not the user's" },
        { "user.a -eq 1 and user.city -eq 2", "city", true, "the second of two" },
        { "", "city", false, "nothing" },
        { "user.", "city", false, "cut" },
    };
    static char *attributes[] = { TEXT("jobTitle"), TEXT("onPremisesExtensionAttributes") };
    struct config_operation_rule o[2] = { { .kind = TEXT("user.update"), .attributes = { attributes, 2 } }, { .kind = TEXT("user.disable") } };
    struct config_policy p = { .operations = o, .operation_count = 2 };
    static const struct { const char *rule; size_t findings; } groups[] = {
        { "user.jobTitle -eq \"CEO\"", 1 }, { "user.extensionAttribute7 -eq \"x\"", 1 }, { "user.accountEnabled -eq true and user.jobTitle -ne null", 2 },
        { "user.city -eq \"x\"", 0 },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (check_rule_reads(cases[i].rule, cases[i].attribute) != cases[i].reads)
            fail_msg("case %zu (%s)", i, cases[i].why);
    for (size_t i = 0; i < EB_LEN(groups); i++) {
        struct check_report r = { 0 };
        check_dynamic_group(&r, &p, "Some", groups[i].rule);
        if (r.count != groups[i].findings)
            fail_msg("%s: %zu", groups[i].rule, r.count);
        forget(&r);
    }
}

static void test_credentials(void **state)
{
    static const struct { const char *list, *hint; int result; const char *says, *why; } cases[] = {
        { "[{\"endDateTime\":\"2027-01-01T00:00:00Z\",\"hint\":\"abc\"}]", "abcdef", CHECK_OK, "2027-01-01", "good for long" },
        { "[{\"endDateTime\":\"2026-06-20T00:00:00Z\",\"hint\":\"abc\"}]", "abcdef", CHECK_WARNING, "within 30 days", "ends soon" },
        { "[{\"endDateTime\":\"2026-05-01T00:00:00Z\",\"hint\":\"abc\"}]", "abcdef", CHECK_FAULT, "has ended", "has ended" },
        { "[{\"endDateTime\":\"2026-06-20T00:00:00Z\",\"hint\":\"abc\"},{\"endDateTime\":\"2027-01-01T00:00:00Z\",\"hint\":\"xyz\"}]", "abcdef",
          CHECK_WARNING, "2026-06-20", "the other one is not ours" },
        { "[{\"endDateTime\":\"2026-06-20T00:00:00Z\"},{\"endDateTime\":\"2027-01-01T00:00:00.123Z\"}]", NULL, CHECK_OK, "2027", "could be any: the last" },
        { "[]", "abcdef", CHECK_WARNING, "cannot be told", "none" },
        { "[{\"endDateTime\":\"soon\",\"hint\":\"abc\"},7]", "abcdef", CHECK_WARNING, "cannot be told", "no time" },
    };
    struct eb_err err = { 0 };
    int64_t now_ms;

    assert_true(eb_time_parse("2026-06-01T00:00:00Z", &now_ms, &err));
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct check_report r = { 0 };
        json_t *list = json_loads(cases[i].list, 0, NULL);

        check_credentials(&r, list, cases[i].hint, "the client secret", now_ms);
        if (r.count != 1 || (int)r.items[0].result != cases[i].result || strstr(r.items[0].text, cases[i].says) == NULL)
            fail_msg("case %zu (%s): %s", i, cases[i].why, r.count > 0 ? r.items[0].text : "nothing");
        json_decref(list);
        forget(&r);
    }
}

static void test_policy(void **state)
{
    static struct config_pair pair = { TEXT("user"), TEXT("customfield_1") };
    struct config_group_rule g[3] = {
        { .group = TEXT("A"), .conditions = { .approval = true } }, { .group = TEXT("B"), .conditions = { .approval = true, .bind = { &pair, 1 } } },
        { .group = TEXT("C") },
    };
    struct config_policy p = { .groups = g, .group_count = 3 };
    struct check_report r = { 0 };

    check_policy(&r, &p);
    assert_int_equal(r.count, 1);
    assert_non_null(strstr(r.items[0].text, "'A'"));
    forget(&r);
}

/* ---- what the synchronization needs ---- */

static void expect(struct check_report *r, int result, const char *says, const char *why)
{
    if (r->count != 1 || (int)r->items[0].result != result || strstr(r->items[0].text, says) == NULL)
        fail_msg("%s: %zu, %s", why, r->count, r->count > 0 ? r->items[0].text : "nothing");
    forget(r);
}

static void test_sync_permissions(void **state)
{
    static const struct { const char *granted[4]; bool opaque; int user, group; int result; const char *says, *why; } cases[] = {
        { { "User.Read.All", "GroupMember.Read.All" }, false, 0, 0, CHECK_OK, "are there", "both in the token" },
        { { "Directory.Read.All" }, false, 0, 0, CHECK_OK, "are there", "a wider one" },
        { { "User.Read.All" }, false, CHECK_GRANTED, CHECK_UNTOLD, CHECK_FAULT, "GroupMember.Read.All is missing", "one is missing in the token" },
        { { "Directory.Read.All" }, false, CHECK_GRANTED, CHECK_REFUSED, CHECK_FAULT, "GroupMember.Read.All is missing", "Graph's refusal is proof" },
        { { NULL }, true, CHECK_GRANTED, CHECK_GRANTED, CHECK_OK, "are there", "reads have shown it" },
        { { NULL }, true, CHECK_GRANTED, CHECK_UNTOLD, CHECK_WARNING, "GroupMember.Read.All: whether", "nothing tells" },
        { { NULL }, true, CHECK_REFUSED, CHECK_GRANTED, CHECK_FAULT, "User.Read.All is missing", "a read was refused" },
    };
    struct config c = { .assets.wanted = true };
    struct check_probe probes[CHECK_PROBES];
    struct check_report r = { 0 };

    check_probes(probes);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *granted[4] = { NULL };
        for (size_t k = 0; cases[i].granted[k] != NULL; k++)
            granted[k] = TEXT(cases[i].granted[k]);
        probes[0].told = (enum check_told)cases[i].user;
        probes[1].told = (enum check_told)cases[i].group;
        check_sync_permissions(&r, &c, &(struct check_clouds_told){ cases[i].opaque ? NULL : granted, NULL, probes });
        expect(&r, cases[i].result, cases[i].says, cases[i].why);
    }
    c.assets.wanted = false;
    check_sync_permissions(&r, &c, &(struct check_clouds_told){ NULL, NULL, probes });
    assert_int_equal(r.count, 0);
}

static void test_assets(void **state)
{
    static const struct { const char *usage; int result; const char *says; } usages[] = {
        { "{\"totalObjectsCount\": 1234}", CHECK_OK, "1234 objects of the 50000" }, { "{\"totalObjectsCount\": 45000}", CHECK_OK, "45000" },
        { "{\"totalObjectsCount\": 45001}", CHECK_WARNING, "includes 50000" }, { "{}", CHECK_WARNING, "cannot be told" }, { NULL, CHECK_WARNING, "cannot be told" },
    };
    static const struct { const char *status; int result; const char *says; } states[] = {
        { "IDLE", CHECK_OK, "ready" }, { "MISSING_MAPPING", CHECK_OK, "ready" }, { "RUNNING", CHECK_WARNING, "runs" }, { "DISABLED", CHECK_FAULT, "switched off" },
        { "SLEEPING", CHECK_WARNING, "SLEEPING" }, { NULL, CHECK_WARNING, "none was told" },
    };
    static const struct { const char *types; int result; const char *says; } holdings[] = {
        { "[]", CHECK_WARNING, "lacks the object type Employee: run `entrabridge sync init`" }, { "[{\"name\":\"Laptop\"}, 7]", CHECK_FAULT, "left alone" },
        { "[{\"name\":\"Laptop\"}, {\"name\":\"employee\"}]", CHECK_WARNING, "object type Group" },
    };
    struct check_report r = { 0 };
    json_t *page = json_loads("{\"values\":[{\"id\":\"3\",\"objectSchemaKey\":\"HR\",\"name\":\"People\"},7,{\"id\":\"4\",\"objectSchemaKey\":\"ENTRA\"}],\"isLast\":true}", 0, NULL);

    for (size_t i = 0; i < EB_LEN(usages); i++) {
        json_t *usage = usages[i].usage != NULL ? json_loads(usages[i].usage, 0, NULL) : NULL;
        check_usage(&r, usage, "");
        expect(&r, usages[i].result, usages[i].says, "usage");
        json_decref(usage);
    }
    for (size_t i = 0; i < EB_LEN(states); i++) {
        check_import_state(&r, states[i].status);
        expect(&r, states[i].result, states[i].says, "import source");
    }
    for (size_t i = 0; i < EB_LEN(holdings); i++) {
        json_t *types = json_loads(holdings[i].types, 0, NULL);
        check_schema_types(&r, "HR", types);
        expect(&r, holdings[i].result, holdings[i].says, holdings[i].types);
        json_decref(types);
    }
    assert_string_equal(check_schema_listed(&r, page, "HR"), "3");
    expect(&r, CHECK_OK, "HR is there: People", "listed");
    assert_string_equal(check_schema_listed(&r, page, "ENTRA"), "4");
    expect(&r, CHECK_OK, "ENTRA is there", "listed without a name");
    assert_null(check_schema_listed(&r, page, "IT"));
    assert_int_equal(r.count, 0);
    check_schema_missing(&r, "IT", true);
    expect(&r, CHECK_WARNING, "not there yet: run `entrabridge sync init`", "others are there");
    check_schema_missing(&r, "IT", false);
    expect(&r, CHECK_WARNING, "hidden from our account", "none is there");
    json_decref(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_of), cmocka_unit_test(test_covers), cmocka_unit_test(test_permissions), cmocka_unit_test(test_names),
        cmocka_unit_test(test_needs), cmocka_unit_test(test_roles), cmocka_unit_test(test_dynamic), cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_policy), cmocka_unit_test(test_sync_permissions), cmocka_unit_test(test_assets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
