/* test_journeys.c - which steps a journey takes: facts, request and policy in, steps out. */
#include "tests/unit/plan_case.h"

#define G1 "b0000000-0000-4000-8000-000000000001"
#define G2 "b0000000-0000-4000-8000-000000000002"

#define T(text) (char[]){ text }
static struct config_pair sales[] = { { T("department"), T("Sales") } };
static struct config_pair accounts[] = { { T("department"), T("sales") }, { T("jobTitle"), T("Account *") } };
static struct config_pair anybody[] = { { T("department"), T("*") } };
static char *vpn[] = { T("VPN Users") }, *crm[] = { T("CRM"), T("vpn users") }, *for_all[] = { T("All") };
static struct config_group_map rules[] = {
    { { sales, 1 }, { vpn, 1 } }, { { accounts, 2 }, { crm, 2 } }, { { anybody, 1 }, { for_all, 1 } },
};

struct journey_case {
    const struct ops_change *change;
    const char *facts, *body;
    const char *steps;                  /* ["KIND STAGE FIELDS", ...], FIELDS as sorted JSON without the user */
    enum eb_code code;
    const char *text;                   /* in the note, or in the error */
    const char *undone;
    const char *why;
};

#define PERSON(more) "{\"user\":{\"id\":\"" ADA "\",\"displayName\":\"Ada\"" more "}"
#define AS_SALES ",\"department\":\"Sales\",\"jobTitle\":\"Account Lead\""
#define DISABLE "\"user.disable 0 {}\",\"user.revoke_sessions 1 {}\""

static const struct journey_case cases[] = {
    { &ops_user_onboard, "{}", "{\"attributes\":{\"department\":\"Arts\"}}", "[\"user.create 0! {\\\"attributes\\\":{\\\"department\\\":\\\"Arts\\\"}}\","
      "\"group.add_member 1 {\\\"group\\\":\\\"All\\\"}\"]", .why = "one rule fits" },
    { &ops_user_onboard, "{}", "{\"attributes\":{\"displayName\":\"A\"}}",
      "[\"user.create 0! {\\\"attributes\\\":{\\\"displayName\\\":\\\"A\\\"}}\",\"group.add_member 1 {\\\"group\\\":\\\"All\\\"}\"]", .why = "an attribute that is absent fits any text" },
    { &ops_user_onboard, "{}", "{\"attributes\":{\"department\":\"SALES\",\"jobTitle\":\"account manager\",\"usageLocation\":\"DE\"},\"manager\":\"g@x\",\"licenses\":[\"E3\"],"
      "\"groups\":[\"CRM\",\"Own\"]}",
      "[\"user.create 0! {\\\"attributes\\\":{\\\"department\\\":\\\"SALES\\\",\\\"jobTitle\\\":\\\"account manager\\\",\\\"usageLocation\\\":\\\"DE\\\"}}\","
      "\"user.set_manager 1 {\\\"manager\\\":\\\"g@x\\\"}\",\"user.assign_licenses 1 {\\\"licenses\\\":[\\\"E3\\\"],\\\"usageLocation\\\":\\\"DE\\\"}\","
      "\"group.add_member 1 {\\\"group\\\":\\\"VPN Users\\\"}\",\"group.add_member 1 {\\\"group\\\":\\\"CRM\\\"}\",\"group.add_member 1 {\\\"group\\\":\\\"All\\\"}\","
      "\"group.add_member 1 {\\\"group\\\":\\\"Own\\\"}\"]", .why = "everything; each group once" },
    { &ops_user_transfer, PERSON(AS_SALES) "}", "{\"attributes\":{\"jobTitle\":\"Clerk\"}}",
      "[\"user.update 0! {\\\"attributes\\\":{\\\"jobTitle\\\":\\\"Clerk\\\"}}\",\"group.remove_member 1 {\\\"group\\\":\\\"CRM\\\"}\"]",
      .why = "what another rule gives as well stays" },
    { &ops_user_transfer, PERSON(",\"department\":null,\"jobTitle\":null") "}", "{\"attributes\":{\"department\":\"Sales\"},\"manager\":\"g@x\"}",
      "[\"user.update 0! {\\\"attributes\\\":{\\\"department\\\":\\\"Sales\\\"}}\","
      "\"group.add_member 2 {\\\"group\\\":\\\"VPN Users\\\"}\",\"user.set_manager 3 {\\\"manager\\\":\\\"g@x\\\"}\"]", .why = "added" },
    { &ops_user_transfer, PERSON(",\"department\":\"Sales\",\"jobTitle\":null") ",\"groups\":[]}", "{\"attributes\":{\"department\":\"Sales\"}}",
      "[\"user.update 0! {\\\"attributes\\\":{\\\"department\\\":\\\"Sales\\\"}}\",\"group.add_member 2 {\\\"group\\\":\\\"VPN Users\\\"}\"]",
      .why = "what an earlier transfer could not give" },
    { &ops_user_transfer, PERSON(AS_SALES) "}", "{\"attributes\":{\"department\":null}}",
      "[\"user.update 0! {\\\"attributes\\\":{\\\"department\\\":null}}\",\"group.remove_member 1 {\\\"group\\\":\\\"VPN Users\\\"}\","
      "\"group.remove_member 1 {\\\"group\\\":\\\"CRM\\\"}\"]", .why = "cleared" },
    { &ops_user_transfer, PERSON(",\"department\":\"Sales\"") "}", "{\"attributes\":{\"department\":\"Arts\"}}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "jobTitle",
      .why = "an attribute of a rule was not told" },
    { &ops_user_offboard, PERSON(",\"licenseAssignmentStates\":[]") ",\"groups\":[],\"manager\":null}", "{}", "[" DISABLE "]", .text = "", .why = "nothing to take away" },
    { &ops_user_offboard, PERSON(",\"licenseAssignmentStates\":[{\"skuId\":\"s1\",\"assignedByGroup\":null},{\"skuId\":\"s2\",\"assignedByGroup\":\"g\"},"
      "{\"skuId\":\"s1\"}]") ",\"groups\":[{\"id\":\"" G1 "\"},{\"id\":\"" G2 "\"}],\"manager\":{\"id\":\"" BOB "\",\"displayName\":\"Bob\",\"userPrincipalName\":\"bob@x\"}}", "{}",
      "[" DISABLE ",\"group.remove_member 2 {\\\"group\\\":\\\"" G1 "\\\"}\",\"user.remove_licenses 3 {\\\"licenses\\\":[\\\"s1\\\"]}\"]",
      .text = "1 memberships in groups that are not serviceable here stay. Forward mail and tasks to Bob (bob@x).", .why = "serviceable groups, direct licences, the manager" },
    { &ops_user_offboard, PERSON(",\"licenseAssignmentStates\":[{\"skuId\":\"s1\"}]") ",\"groups\":[{\"id\":\"" G1 "\"}],\"manager\":null}",
      "{\"removeGroups\":false,\"removeLicenses\":false}", "[" DISABLE "]", .why = "not asked for" },
    { &ops_user_offboard, PERSON(",\"licenseAssignmentStates\":[]") ",\"manager\":null}", "{}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "groups", .why = "groups were not told" },
    { &ops_user_offboard, PERSON("") ",\"groups\":[],\"manager\":null}", "{}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "licenseAssignmentStates", .why = "licences were not told" },
    { &ops_user_offboard, PERSON(",\"licenseAssignmentStates\":[]") ",\"groups\":[],\"other\":{}}", "{\"manager\":\"x@y\"}", .code = EB_USER_NOT_FOUND, .why = "no successor" },
    { &ops_members_add, "{}", "{\"users\":[\"a@x\",\"b@x\"],\"groups\":[\"G\",\"H\"],\"expiresIn\":\"8h\"}",
      "[\"group.add_member 0 {\\\"expiresIn\\\":\\\"8h\\\",\\\"group\\\":\\\"G\\\",\\\"user\\\":\\\"a@x\\\"}\",\"group.add_member 0 {\\\"expiresIn\\\":\\\"8h\\\",\\\"group\\\":\\\"G\\\",\\\"user\\\":\\\"b@x\\\"}\","
      "\"group.add_member 0 {\\\"expiresIn\\\":\\\"8h\\\",\\\"group\\\":\\\"H\\\",\\\"user\\\":\\\"a@x\\\"}\",\"group.add_member 0 {\\\"expiresIn\\\":\\\"8h\\\",\\\"group\\\":\\\"H\\\",\\\"user\\\":\\\"b@x\\\"}\"]",
      .why = "one group after the other" },
    { &ops_steps_undo, "{}", "{}", "[\"user.disable 0 {}\"]", .why = "only what changed something",
      .undone = "{\"steps\":[{\"operation\":\"o1\",\"name\":\"user.disable\",\"changed\":true},{\"operation\":\"o2\",\"name\":\"user.remove_licenses\",\"changed\":false},"
                "{\"name\":\"group.remove_member\",\"changed\":false}]}" },
    { &ops_steps_undo, "{}", "{}", "[\"group.add_member 0 {}\",\"group.add_member 1 {}\"]", .why = "results of a list",
      .undone = "{\"results\":[{\"operation\":\"o1\",\"name\":\"group.add_member\",\"changed\":true},{\"operation\":\"o2\",\"name\":\"group.add_member\",\"changed\":true}]}" },
    { &ops_steps_undo, "{}", "{}", .code = EB_UNDO_NOT_POSSIBLE, .undone = "{\"steps\":[{\"operation\":\"o1\",\"name\":\"user.disable\",\"changed\":false}]}", .why = "nothing changed" },
};

/* Each as a text; the user is Ada, or nobody yet. */
static json_t *shown(const json_t *steps, bool with_user)
{
    json_t *all = json_array();
    const json_t *s;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)steps, i, s) {
        json_t *fields = json_deep_copy(json_object_get(s, "fields"));

        assert_true(eb_is_guid(eb_json_str(s, "id")));
        if (!with_user)
            json_object_del(fields, "user");
        char *text = json_dumps(fields, JSON_SORT_KEYS | JSON_COMPACT);
        json_array_append_new(all, json_sprintf("%s %d%s %s", eb_json_str(s, "kind"), (int)eb_json_int(s, "stage", -1), eb_json_bool(s, "needed", false) ? "!" : "", text));
        free(text);
        json_decref(fields);
    }
    return all;
}

static void run(const struct journey_case *k)
{
    const struct config_policy policy = { .group_rules = rules, .group_rule_count = EB_LEN(rules) };
    const struct ops_kind kind = { .name = "group.add_member", .change = k->change };
    json_t *doc = plan_json(k->facts, k->why), *serviceable = json_pack("{s:s}", G1, "VPN Users"), *undone = plan_json(k->undone, k->why);
    struct directory_facts facts;
    struct ops_fields fields = { .body = plan_json(k->body, k->why) };
    struct ops_steps steps = { .list = json_array() };
    struct eb_err err = { 0 };

    plan_read_facts(doc, &facts);
    const struct ops_case c = { .kind = &kind, .fields = &fields, .facts = &facts, .policy = &policy, .serviceable = serviceable, .undone = undone, .latest = -1 };
    bool ok = k->change->compose(&c, &steps, &err);

    if (ok != (k->code == EB_OK) || err.code != k->code)
        fail_msg("%s: %s %s", k->why, eb_code_text(err.code), err.text);
    if (k->text != NULL && strstr(ok ? steps.note : err.text, k->text) == NULL)
        fail_msg("%s: says \"%s\"", k->why, ok ? steps.note : err.text);
    json_t *is = shown(steps.list, k->change->background);
    if (ok)
        plan_expect("steps", k->steps, is, k->why);
    json_decref(is);
    json_decref(steps.list);
    json_decref(steps.members);
    json_decref(fields.body);
    json_decref(doc);
    json_decref(serviceable);
    json_decref(undone);
}

static void test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        run(&cases[i]);
}

/* Users times groups has an end of its own. */
static void test_too_many(void **state)
{
    json_t *users = json_array(), *groups = json_array();

    (void)state;
    for (int i = 0; i < 1000; i++)
        json_array_append_new(users, json_sprintf("u%d@x", i));
    for (int i = 0; i < 6; i++)
        json_array_append_new(groups, json_sprintf("G%d", i));
    struct ops_fields fields = { .body = json_pack("{s:o, s:o}", "users", users, "groups", groups) };
    const struct ops_kind kind = { .name = "group.add_member", .change = &ops_members_add };
    const struct ops_case c = { .kind = &kind, .fields = &fields, .latest = -1 };
    struct ops_steps steps = { .list = json_array() };
    struct eb_err err = { 0 };

    assert_false(ops_members_add.compose(&c, &steps, &err));
    assert_int_equal(err.code, EB_INVALID_REQUEST);
    json_array_remove(groups, 0);
    err = (struct eb_err){ 0 };
    assert_true(ops_members_add.compose(&c, &steps, &err));
    assert_int_equal(json_array_size(steps.list), 5000);
    json_decref(steps.list);
    json_decref(fields.body);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_steps), cmocka_unit_test(test_too_many) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
