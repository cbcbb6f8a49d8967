/* test_directory.c - the pure parts: names and pins, the snapshot, facts from Graph's answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/facts.h"
#include "directory/name.h"
#include "directory/snapshot.h"

#include <string.h>

#define A "a0000000-0000-4000-8000-000000000001"
#define B "b0000000-0000-4000-8000-000000000002"
#define C "c0000000-0000-4000-8000-000000000003"

static json_t *parse(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);

    if (v == NULL)
        fail_msg("the test's JSON is broken: %s", text);
    return v;
}

/* ---- what a name fits ---- */

static void test_fits(void **state)
{
    static const struct { enum name_kind kind; const char *text, *body; bool ok; size_t count; const char *next, *why; } cases[] = {
        { NAME_GROUP, "VPN Users", "{\"value\":[{\"id\":\"" A "\",\"displayName\":\"VPN Users\"}]}", true, 1, NULL, "plain" },
        { NAME_GROUP, "VPN Users", "{\"value\":[{\"id\":\"" A "\",\"displayName\":\"vpn users\"}]}", true, 0, NULL, "eq ignores case, we do not" },
        { NAME_GROUP, "VPN", "{\"value\":[{\"id\":\"" A "\",\"displayName\":\"VPN\"},{\"id\":\"" B "\",\"displayName\":\"VPN\"}]}", true, 2, NULL, "twins" },
        { NAME_GROUP, "VPN", "{\"value\":[{\"id\":\"" A "\",\"displayName\":\"VPN\"},{\"id\":\"A0000000-0000-4000-8000-000000000001\","
                             "\"displayName\":\"VPN\"}]}", true, 1, NULL, "one object twice, spelled otherwise" },
        { NAME_GROUP, "VPN", "{\"value\":[{\"id\":\"" A "\",\"displayName\":null}]}", true, 0, NULL, "an object that may not be read fits nothing" },
        { NAME_GROUP, "VPN", "{\"value\":[{\"id\":\"../users\",\"displayName\":\"VPN\"}]}", true, 0, NULL, "an id must be an id" },
        { NAME_GROUP, "VPN", "{\"value\":[],\"@odata.nextLink\":\"https://g/next\"}", true, 0, "https://g/next", "empty pages have next ones" },
        { NAME_GROUP, "VPN", "{\"id\":\"" A "\",\"displayName\":\"VPN\"}", false, 0, NULL, "not a list" },
        { NAME_GROUP, "VPN", "[]", false, 0, NULL, "not an object" },
        { NAME_PROTECTED_USER, "x@y", "{\"id\":\"" A "\",\"userPrincipalName\":\"x@y\"}", true, 1, NULL, "by UPN" },
        { NAME_PROTECTED_USER, "x@y", "{\"value\":[{\"id\":\"" A "\"},{\"id\":\"" B "\"}]}", true, 2, NULL, "by mail, two" },
        { NAME_PROTECTED_USER, "x@y", "{\"value\":{}}", false, 0, NULL, "neither" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct name n = { .kind = cases[i].kind, .text = cases[i].text };
        json_t *body = parse(cases[i].body);
        const char *next;
        bool ok = name_read_fits(&n, body, &next);
        if (ok != cases[i].ok || n.fits.count != cases[i].count || (next == NULL) != (cases[i].next == NULL))
            fail_msg("case %zu (%s): ok %d, fits %zu", i, cases[i].why, ok, n.fits.count);
        name_forget_fits(&n);
        json_decref(body);
    }
}

static void test_settle(void **state)
{
    static const struct { const char *text, *pin, *fits[2]; enum directory_binding_state st; const char *id, *says, *why; } cases[] = {
        { "VPN", "", { A }, DIRECTORY_BOUND, A, "", "first sight" },
        { "VPN", A, { A }, DIRECTORY_BOUND, A, "", "as pinned" },
        { "VPN", A, { B }, DIRECTORY_MOVED, A, "stays in force", "somebody made another of that name" },
        { "VPN", A, { A, B }, DIRECTORY_SEVERAL, A, "stays in force", "a twin beside the pinned one" },
        { "VPN", A, { NULL }, DIRECTORY_NONE, A, "stays in force", "renamed: the pin knows" },
        { "VPN", "", { NULL }, DIRECTORY_NONE, NULL, "was not found", "a typing error" },
        { "VPN", "", { A, B }, DIRECTORY_SEVERAL, NULL, "by its id", "not to be guessed" },
        { A, "", { NULL }, DIRECTORY_BOUND, A, "", "an id is taken as it is" },
        { A, B, { NULL }, DIRECTORY_BOUND, A, "", "no pin overrules an id" },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct name n = { .kind = NAME_GROUP, .text = cases[i].text, .by_id = cases[i].text[1] != 'P' };
        char text[512];
        strcpy(n.pin, cases[i].pin);
        for (int k = 0; k < 2; k++)
            if (cases[i].fits[k] != NULL)
                name_add_fit(&n, cases[i].fits[k]);
        name_settle(&n);
        const char *id = name_id(&n);
        bool same = (id == NULL) == (cases[i].id == NULL) && (id == NULL || strcmp(id, cases[i].id) == 0);
        name_warning(&n, text, sizeof(text));
        bool said = cases[i].says[0] == '\0' ? text[0] == '\0' : strstr(text, cases[i].says) != NULL;
        if (n.state != cases[i].st || !same || !said)
            fail_msg("case %zu (%s): state %d, id %s, '%s'", i, cases[i].why, (int)n.state, id == NULL ? "none" : id, text);
        name_forget_fits(&n);
    }
}

/* ---- the snapshot ---- */

#define TEXT(s) ((char *)(uintptr_t)(s))
static char *itsm[] = { TEXT("ITSM"), TEXT("HR") }, *hr[] = { TEXT("HR") };
static struct config_group_rule rules[] = {
    { TEXT("VPN Users"), { false, { itsm, 2 } } },
    { TEXT("B0000000-0000-4000-8000-000000000002"), { true, { NULL, 0 } } },
    { TEXT("Nowhere"), { true, { NULL, 0 } } },
    { TEXT("Twins"), { true, { NULL, 0 } } },
    { TEXT("vpn users"), { true, { NULL, 0 } } },
};
static struct config_operation_rule operations[] = { { TEXT("user.get"), { false, { hr, 1 } }, false } };
static char *protected_groups[] = { TEXT("Tier 0"), TEXT("Lost") };
static char *protected_users[] = { TEXT("Break@Glass.example"), TEXT("0f000000-0000-4000-8000-00000000000f") };

static struct config config = {
    .references = 1,
    .policy = { .groups = rules, .group_count = 5, .operations = operations, .operation_count = 1, .protected_users = { protected_users, 2 },
                .protected_groups = { protected_groups, 2 }, .protect_directory_roles = true },
};

static struct name *name_of(struct names *n, const char *text)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->items[i].text, text) == 0)
            return &n->items[i];
    fail_msg("no name %s", text);
    return NULL;
}

static struct snapshot *make_snapshot(bool lost)
{
    struct names n;

    names_gather(&n, &config.policy);
    assert_int_equal(n.count, 5 + 2 + 2 + 2);       /* a project once */
    names_set_pin(&n, "group", "VPN Users", A);
    name_add_fit(name_of(&n, "VPN Users"), C);
    name_add_fit(name_of(&n, "Twins"), A);
    name_add_fit(name_of(&n, "Twins"), B);
    name_add_fit(name_of(&n, "Tier 0"), "d0000000-0000-4000-8000-000000000001");
    name_add_fit(name_of(&n, "Tier 0"), "d0000000-0000-4000-8000-000000000002");
    if (!lost)
        name_add_fit(name_of(&n, "Lost"), "d0000000-0000-4000-8000-000000000003");
    name_add_fit(name_of(&n, "Break@Glass.example"), "e0000000-0000-4000-8000-000000000001");
    name_add_fit(name_of(&n, "ITSM"), "10001");
    for (size_t i = 0; i < n.count; i++)
        name_settle(&n.items[i]);
    struct snapshot *s = snapshot_new(&config, &n);
    names_free(&n);                                 /* a snapshot stands by itself */
    return s;
}

static void test_snapshot_groups(void **state)
{
    static const struct { const char *text; enum policy_group_state st; int rule; const char *id, *why; } cases[] = {
        { "VPN Users", POLICY_GROUP_BOUND, 0, A, "by its name: the pinned id, not what the name fits now" },
        { A, POLICY_GROUP_BOUND, 0, A, "by the pinned id" },
        { "A0000000-0000-4000-8000-000000000001", POLICY_GROUP_BOUND, 0, A, "ids in either case" },
        { C, POLICY_GROUP_NOT_LISTED, -1, NULL, "what the name fits now is not what was meant" },
        { "VPN users", POLICY_GROUP_NOT_LISTED, -1, NULL, "names are exact" },
        { "vpn users", POLICY_GROUP_NONE, 4, NULL, "another entry in another case is another entry" },
        { B, POLICY_GROUP_BOUND, 1, B, "an entry by id" },
        { "Nowhere", POLICY_GROUP_NONE, 2, NULL, "fits none" },
        { "Twins", POLICY_GROUP_SEVERAL, 3, NULL, "fits several" },
        { "", POLICY_GROUP_NOT_LISTED, -1, NULL, "nothing" },
        { "Tier 0", POLICY_GROUP_NOT_LISTED, -1, NULL, "protected is not serviceable" },
    };
    struct snapshot *s = make_snapshot(true);

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        const struct snapshot_group *g = snapshot_group(s, cases[i].text);
        const struct config_group_rule *rule = cases[i].rule < 0 ? NULL : &rules[cases[i].rule];
        if (g->state != cases[i].st || g->rule != rule || (g->id == NULL) != (cases[i].id == NULL) || (g->id != NULL && strcmp(g->id, cases[i].id) != 0))
            fail_msg("case %zu (%s): state %d, id %s", i, cases[i].why, (int)g->state, g->id == NULL ? "none" : g->id);
    }
    snapshot_unref(s);
}

static void test_snapshot_protection(void **state)
{
    struct snapshot *s = make_snapshot(true);

    assert_string_equal(snapshot_protected_group(s, "D0000000-0000-4000-8000-000000000001"), "Tier 0");
    assert_string_equal(snapshot_protected_group(s, "d0000000-0000-4000-8000-000000000002"), "Tier 0");     /* all that it fits */
    assert_null(snapshot_protected_group(s, A));
    assert_string_equal(snapshot_unfound_group(s), "Lost");
    assert_null(snapshot_unfound_user(s));
    assert_true(snapshot_protected_user(s, "e0000000-0000-4000-8000-000000000001", "renamed@glass.example", NULL));
    assert_true(snapshot_protected_user(s, A, "break@glass.EXAMPLE", NULL));
    assert_true(snapshot_protected_user(s, A, "x@y", "BREAK@glass.example"));
    assert_true(snapshot_protected_user(s, "0F000000-0000-4000-8000-00000000000F", NULL, NULL));
    assert_false(snapshot_protected_user(s, A, "x@y", NULL));
    assert_string_equal(snapshot_project(s, "ITSM"), "10001");
    assert_null(snapshot_project(s, "HR"));
    snapshot_unref(s);
    assert_int_equal(config.references, 1);
}

/* ---- facts ---- */

#define YES POLICY_YES
#define NO POLICY_NO
#define OPEN POLICY_UNKNOWN

static void test_user_facts(void **state)
{
    static const struct { const char *rest; enum policy_fact synced, enabled, named; const char *why; } cases[] = {
        { "\"displayName\":\"N\",\"onPremisesSyncEnabled\":null,\"accountEnabled\":true", NO, YES, NO, "a cloud user" },
        { "\"displayName\":\"N\",\"onPremisesSyncEnabled\":false,\"accountEnabled\":false", NO, NO, NO, "formerly synced, disabled" },
        { "\"displayName\":\"N\",\"onPremisesSyncEnabled\":true,\"accountEnabled\":true", YES, YES, NO, "synced" },
        { "\"displayName\":\"N\"", OPEN, OPEN, NO, "absence is not false" },
        { "\"displayName\":null,\"onPremisesSyncEnabled\":null,\"accountEnabled\":null", OPEN, OPEN, NO, "may not be read: null tells nothing" },
        { "\"displayName\":\"N\",\"accountEnabled\":\"true\",\"onPremisesSyncEnabled\":0", OPEN, OPEN, NO, "wrong types" },
        { "\"userPrincipalName\":\"BREAK@glass.example\"", OPEN, OPEN, YES, "protected by UPN" },
        { "\"mail\":\"break@glass.example\"", OPEN, OPEN, YES, "protected by mail" },
    };
    struct snapshot *s = make_snapshot(false);

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char text[512];
        struct directory_facts f = { 0 };
        snprintf(text, sizeof(text), "{\"@odata.context\":\"x\",\"id\":\"" A "\",%s}", cases[i].rest);
        json_t *body = parse(text);
        f.user_json = facts_user_json(body);
        assert_non_null(f.user_json);
        assert_null(json_object_get(f.user_json, "@odata.context"));
        facts_read_user(&f, s);
        if (f.user.synced != cases[i].synced || f.account_enabled != cases[i].enabled || f.user.named != cases[i].named)
            fail_msg("case %zu (%s): %d %d %d", i, cases[i].why, (int)f.user.synced, (int)f.account_enabled, (int)f.user.named);
        json_decref(f.user_json);
        json_decref(body);
    }
    snapshot_unref(s);
}

static void test_group_facts(void **state)
{
    static const struct { const char *rest; enum policy_fact dynamic, synced, mail, role, restricted, prot; const char *why; } cases[] = {
        { "\"displayName\":\"N\",\"groupTypes\":[],\"mailEnabled\":false,\"onPremisesSyncEnabled\":null,\"isAssignableToRole\":null,"
          "\"isManagementRestricted\":null", NO, NO, NO, NO, NO, OPEN, "plain" },
        { "\"displayName\":\"N\",\"groupTypes\":[\"Unified\"],\"mailEnabled\":true", NO, OPEN, NO, OPEN, OPEN, OPEN, "Microsoft 365" },
        { "\"displayName\":\"N\",\"groupTypes\":[\"Unified\",\"DynamicMembership\"],\"mailEnabled\":true", YES, OPEN, NO, OPEN, OPEN, OPEN, "dynamic" },
        { "\"displayName\":\"N\",\"groupTypes\":[],\"mailEnabled\":true", NO, OPEN, YES, OPEN, OPEN, OPEN, "a distribution list" },
        { "\"displayName\":\"N\",\"mailEnabled\":true", OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, "Unified or not is not told" },
        { "\"displayName\":\"N\",\"onPremisesSyncEnabled\":true,\"isAssignableToRole\":true,\"isManagementRestricted\":true",
          OPEN, YES, OPEN, YES, YES, OPEN, "all of it" },
        { "\"displayName\":null,\"groupTypes\":[],\"mailEnabled\":null,\"onPremisesSyncEnabled\":null,\"isAssignableToRole\":null",
          OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, "may not be read" },
    };
    struct snapshot *s = make_snapshot(false);

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char text[512];
        struct directory_facts f = { 0 };
        struct policy_group *g = &f.group;
        snprintf(text, sizeof(text), "{\"id\":\"" A "\",%s}", cases[i].rest);
        json_t *body = parse(text);
        f.group_json = facts_group_json(body);
        facts_read_group(&f, s);
        if (g->dynamic != cases[i].dynamic || g->synced != cases[i].synced || g->mail_managed != cases[i].mail || g->role_assignable != cases[i].role ||
            g->restricted != cases[i].restricted || g->protected_ != cases[i].prot)
            fail_msg("case %zu (%s): %d %d %d %d %d %d", i, cases[i].why, (int)g->dynamic, (int)g->synced, (int)g->mail_managed,
                     (int)g->role_assignable, (int)g->restricted, (int)g->protected_);
        json_decref(f.group_json);
        json_decref(body);
    }
    snapshot_unref(s);
}

static void test_scan(void **state)
{
#define T "\"@odata.type\":\"#microsoft.graph."
    static const struct { const char *items; enum policy_fact role, role_group; const char *protected_by, *why; } cases[] = {
        { "", NO, NO, NULL, "in nothing" },
        { "{" T "group\",\"id\":\"" B "\",\"displayName\":\"G\",\"isAssignableToRole\":null}", NO, NO, NULL, "an ordinary group" },
        { "{" T "group\",\"id\":\"" B "\",\"displayName\":\"G\",\"isAssignableToRole\":true}", NO, YES, NULL, "a role-assignable one" },
        { "{" T "group\",\"id\":\"" B "\",\"displayName\":\"G\"}", NO, OPEN, NULL, "not told whether" },
        { "{" T "group\",\"id\":\"" B "\",\"displayName\":null,\"isAssignableToRole\":null}", NO, OPEN, NULL, "may not be read" },
        { "{" T "group\",\"id\":\"D0000000-0000-4000-8000-000000000003\",\"displayName\":null}", NO, OPEN, "Lost", "protected, unread" },
        { "{" T "directoryRole\",\"id\":\"" B "\",\"displayName\":null}", YES, NO, NULL, "a role, by its type" },
        { "{" T "administrativeUnit\",\"id\":\"" B "\",\"displayName\":\"U\"}", NO, NO, NULL, "a unit gives no power" },
        { "{\"id\":\"" B "\",\"displayName\":\"G\",\"isAssignableToRole\":null}", OPEN, OPEN, NULL, "no type" },
        { "{" T "somethingNew\",\"id\":\"" B "\"}", OPEN, OPEN, NULL, "a type of tomorrow" },
        { "7", OPEN, OPEN, NULL, "no object" },
    };
    struct snapshot *s = make_snapshot(false);

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char text[512];
        struct facts_scan scan = { 0 };
        const char *next;
        snprintf(text, sizeof(text), "{\"value\":[%s]}", cases[i].items);
        json_t *page = parse(text);
        assert_true(facts_scan_groups(page, s, &scan, &next));
        enum policy_fact role = facts_conclude(scan.role, true, scan.type_untold);
        enum policy_fact role_group = facts_conclude(scan.role_group, true, scan.role_group_untold || scan.type_untold);
        if (role != cases[i].role || role_group != cases[i].role_group || (scan.protected_by == NULL) != (cases[i].protected_by == NULL))
            fail_msg("case %zu (%s): %d %d %s", i, cases[i].why, (int)role, (int)role_group, scan.protected_by == NULL ? "-" : scan.protected_by);
        assert_int_equal(json_array_size(scan.role_groups), role_group != NO && scan.type_untold == false && !scan.role);    /* may have been given a role */
        json_decref(scan.role_groups);
        json_decref(page);
    }
    snapshot_unref(s);
}

static void test_conclude(void **state)
{
    assert_int_equal(facts_conclude(true, false, true), YES);
    assert_int_equal(facts_conclude(false, true, false), NO);
    assert_int_equal(facts_conclude(false, false, false), OPEN);    /* half a list says no to nothing */
    assert_int_equal(facts_conclude(false, true, true), OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits), cmocka_unit_test(test_settle), cmocka_unit_test(test_snapshot_groups),
        cmocka_unit_test(test_snapshot_protection), cmocka_unit_test(test_user_facts), cmocka_unit_test(test_group_facts),
        cmocka_unit_test(test_scan), cmocka_unit_test(test_conclude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
