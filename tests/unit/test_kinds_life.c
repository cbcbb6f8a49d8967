/* test_kinds_life.c - the plans that make, delete and restore users, invite guests and give licences; names from patterns; what reads let out. */
#include "tests/unit/plan_case.h"
#include "ops/kind_parts.h"
#include "ops/upn.h"

#define PRESENT "{\"user\":{\"id\":\"" ADA "\"}}"
#define ABSENT "{\"user\":{}}"
#define LIVE "{\"deleted\":false}"
#define GONE "{\"deleted\":true}"

/* ---- delete, restore ---- */

#define IN_BIN(taken) "{\"user\":{\"id\":\"" ADA "\",\"userPrincipalName\":\"a0000000000040008000000000000001ada@contoso.com\"},\"taken\":" taken "}"
#define HAS_ADA "[{\"id\":\"" BOB "\",\"userPrincipalName\":\"Ada@contoso.com\"}]"

static const struct plan_case deletions[] = {
    { &ops_user_delete, PRESENT, .before = LIVE, .after = GONE, .writes = "[{\"user.delete\":null}]", .why = "there" },
    { &ops_user_delete, ABSENT, .code = EB_USER_NOT_FOUND, .why = "never there" },
    { &ops_user_delete, ABSENT, NULL, LIVE, GONE, DOUBT, .writes = "[]", .why = "doubt: gone" },
    { &ops_user_delete, PRESENT, NULL, LIVE, GONE, DOUBT, .writes = "[{\"user.delete\":null}]", .why = "doubt: still there" },
    { &ops_user_restore, IN_BIN("[]"), .before = GONE, .after = LIVE, .writes = "[{\"user.restore\":null}]", .why = "in the bin" },
    { &ops_user_restore, ABSENT, .code = EB_USER_NOT_FOUND, .text = "30 days", .why = "not in the bin" },
    { &ops_user_restore, IN_BIN(HAS_ADA), .code = EB_USER_ALREADY_EXISTS, .text = "newUserPrincipalName", .why = "the name was given away" },
    { &ops_user_restore, IN_BIN(HAS_ADA), "{\"newUserPrincipalName\":\"ada2@contoso.com\"}", .writes = "[{\"user.restore\":{\"newUserPrincipalName\":\"ada2@contoso.com\"}}]",
      .why = "under another name" },
    { &ops_user_restore, IN_BIN(HAS_ADA), "{\"newUserPrincipalName\":\"ada@contoso.com\"}", .code = EB_USER_ALREADY_EXISTS, .text = "another one", .why = "that is taken too" },
    { &ops_user_restore, ABSENT, NULL, GONE, LIVE, DOUBT, .writes = "[]", .why = "doubt: not in the bin any more" },
    { &ops_user_restore, IN_BIN("[]"), NULL, GONE, LIVE, DOUBT, .writes = "[{\"user.restore\":null}]", .why = "doubt: still in the bin" },
};

/* ---- invite ---- */

#define INVITATION "{\"invitedUserEmailAddress\":\"Eve@example.com\",\"inviteRedirectUrl\":\"https://apps.contoso.com/\",\"sendInvitationMessage\":true"
#define TO_EVE ",\"to\":\"mail:eve@example.com\"}]"
#define MAIL "{\"mail\":\"Eve@example.com\"}"

static const struct plan_case invitations[] = {
    { &ops_user_invite, "{\"other\":{}}", MAIL, .before = "{\"invited\":false}", .after = "{\"invited\":true}", .writes = "[{\"user.invite\":" INVITATION "}" TO_EVE, .why = "nobody has it" },
    { &ops_user_invite, "{\"other\":{}}", "{\"mail\":\"Eve@example.com\",\"displayName\":\"Eve\",\"message\":\"Welcome\"}",
      .writes = "[{\"user.invite\":" INVITATION ",\"invitedUserDisplayName\":\"Eve\",\"invitedUserMessageInfo\":{\"customizedMessageBody\":\"Welcome\"}}" TO_EVE, .why = "name and message" },
    { &ops_user_invite, "{\"other\":{\"id\":\"" BOB "\",\"userPrincipalName\":\"eve_example.com#EXT#@contoso.com\"}}", MAIL, .writes = "[]", .text = "eve_example.com#EXT#",
      .why = "invited before" },
    { &ops_user_invite, "{\"other\":{\"ambiguous\":true}}", MAIL, .writes = "[]", .text = "several", .why = "several have it" },
    { &ops_user_invite, "{}", MAIL, .code = EB_ENTRA_PERMISSION_MISSING, .why = "not told" },
    { &ops_user_invite, "{\"other\":{\"id\":\"" BOB "\"}}", MAIL, "{\"invited\":false}", "{\"invited\":true}", DOUBT, .writes = "[]", .why = "doubt: done" },
    { &ops_user_invite, "{\"other\":{}}", MAIL, "{\"invited\":false}", "{\"invited\":true}", DOUBT, .writes = "[{\"user.invite\":" INVITATION "}" TO_EVE, .why = "doubt: not done" },
};

/* ---- licences ---- */

#define E3 "05e9a617-0261-4cee-bb44-138d3ef5d965"
#define E5 "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
#define SKUS "\"skus\":[{\"skuId\":\"" E3 "\",\"skuPartNumber\":\"SPE_E3\",\"consumedUnits\":5,\"prepaidUnits\":{\"enabled\":10}}," \
             "{\"skuId\":\"" E5 "\",\"skuPartNumber\":\"SPE_E5\",\"consumedUnits\":3,\"prepaidUnits\":{\"enabled\":3}}]"
#define LICENSED(location, states) "{\"user\":{\"id\":\"" ADA "\",\"usageLocation\":" location ",\"licenseAssignmentStates\":[" states "]}," SKUS "}"
#define DIRECT(sku) "{\"skuId\":\"" sku "\",\"assignedByGroup\":null}"
#define BY_GROUP(sku) "{\"skuId\":\"" sku "\",\"assignedByGroup\":\"" BOB "\"}"
#define ASK(list) "{\"licenses\":[" list "]}"
#define ADD(list) "{\"licenses.assign\":{\"addLicenses\":[" list "],\"removeLicenses\":[]}}"
#define ONE(sku) "{\"skuId\":\"" sku "\",\"disabledPlans\":[]}"
#define TAKE(list) "[{\"licenses.assign\":{\"addLicenses\":[],\"removeLicenses\":[" list "]}}]"

static const struct plan_case licences[] = {
    { &ops_licenses_assign, LICENSED("\"DE\"", ""), ASK("\"spe_e3\""), .before = "{\"SPE_E3\":false}", .after = "{\"SPE_E3\":true}", .writes = "[" ADD(ONE(E3)) "]", .why = "by part number" },
    { &ops_licenses_assign, LICENSED("\"DE\"", ""), ASK("\"" E3 "\",\"SPE_E3\""), .writes = "[" ADD(ONE(E3)) "]", .why = "by id; the same one twice" },
    { &ops_licenses_assign, LICENSED("\"DE\"", DIRECT(E3)), ASK("\"SPE_E3\""), .writes = "[]", .why = "there already" },
    { &ops_licenses_assign, LICENSED("\"DE\"", BY_GROUP(E3)), ASK("\"SPE_E3\""), .writes = "[]", .text = "A group gives", .why = "a group gives it" },
    { &ops_licenses_assign, LICENSED("\"DE\"", DIRECT(E5)), ASK("\"SPE_E3\",\"SPE_E5\""), .writes = "[" ADD(ONE(E3)) "]", .why = "only the difference" },
    { &ops_licenses_assign, LICENSED("\"DE\"", ""), ASK("\"SPE_E5\""), .code = EB_REJECTED_BY_ENTRA, .text = "3 of 3", .why = "none left" },
    { &ops_licenses_assign, LICENSED("\"DE\"", ""), ASK("\"SPE_E9\""), .code = EB_INVALID_REQUEST, .text = "SPE_E3, SPE_E5", .why = "no such product" },
    { &ops_licenses_assign, LICENSED("null", ""), ASK("\"SPE_E3\""), .code = EB_REJECTED_BY_ENTRA, .text = "usage location", .why = "no country" },
    { &ops_licenses_assign, LICENSED("null", ""), "{\"licenses\":[\"SPE_E3\"],\"usageLocation\":\"DE\"}", .before = "{\"SPE_E3\":false,\"usageLocation\":null}",
      .after = "{\"SPE_E3\":true,\"usageLocation\":\"DE\"}", .writes = "[{\"user.patch\":{\"usageLocation\":\"DE\"}}," ADD(ONE(E3)) "]", .why = "the country first" },
    { &ops_licenses_assign, LICENSED("\"FR\"", ""), "{\"licenses\":[\"SPE_E3\"],\"usageLocation\":\"DE\"}", .writes = "[" ADD(ONE(E3)) "]", .text = "stays FR", .why = "another stands" },
    { &ops_licenses_assign, "{\"user\":{\"id\":\"" ADA "\",\"usageLocation\":\"DE\"}," SKUS "}", ASK("\"SPE_E3\""), .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All",
      .why = "what the user has is not told" },
    { &ops_licenses_assign, "{\"user\":{\"id\":\"" ADA "\",\"licenseAssignmentStates\":[]}," SKUS "}", ASK("\"SPE_E3\""), .code = EB_ENTRA_PERMISSION_MISSING, .why = "the country is not told" },
    { &ops_licenses_assign, "{\"user\":{\"id\":\"" ADA "\",\"licenseAssignmentStates\":[]}}", ASK("\"SPE_E3\""), .code = EB_ENTRA_PERMISSION_MISSING, .text = "LicenseAssignment.Read.All",
      .why = "the tenant's are not told" },
    { &ops_licenses_assign, LICENSED("\"DE\"", DIRECT(E3)), "{\"licenses\":[\"SPE_E3\"],\"usageLocation\":\"DE\"}", "{\"SPE_E3\":false}", "{\"SPE_E3\":true}", DOUBT, .writes = "[]", .why = "doubt: done" },
    { &ops_licenses_assign, LICENSED("\"DE\"", ""), "{\"licenses\":[\"SPE_E3\"],\"usageLocation\":\"DE\"}", "{\"SPE_E3\":false}", "{\"SPE_E3\":true}", DOUBT, .writes = "[" ADD(ONE(E3)) "]",
      .why = "doubt: only the country was set" },
    { &ops_licenses_remove, LICENSED("\"DE\"", DIRECT(E3)), ASK("\"SPE_E3\",\"SPE_E5\""), .before = "{\"SPE_E3\":true,\"SPE_E5\":false}", .after = "{\"SPE_E3\":false,\"SPE_E5\":false}",
      .writes = TAKE("\"" E3 "\""), .why = "only what is there" },
    { &ops_licenses_remove, LICENSED("\"DE\"", ""), ASK("\"SPE_E3\""), .writes = "[]", .why = "not there" },
    { &ops_licenses_remove, LICENSED("\"DE\"", BY_GROUP(E3)), ASK("\"SPE_E3\""), .code = EB_REJECTED_BY_ENTRA, .text = "Remove the user from that group", .why = "a group gives it" },
    { &ops_licenses_remove, LICENSED("\"DE\"", BY_GROUP(E3) "," DIRECT(E3)), ASK("\"SPE_E3\""), .after = "{\"SPE_E3\":true}", .writes = TAKE("\"" E3 "\""), .text = "keeps", .why = "both" },
    { &ops_licenses_remove, LICENSED("\"DE\"", DIRECT(E3) "," DIRECT(E5)), ASK("\"SPE_E3\",\"SPE_E5\""),
      .writes = "[{\"licenses.assign\":{\"addLicenses\":[],\"removeLicenses\":[\"" E3 "\"]}},{\"licenses.assign\":{\"addLicenses\":[],\"removeLicenses\":[\"" E5 "\"]}}]",
      .why = "one a call: one that is gone meanwhile must not hold back the other" },
    { &ops_licenses_remove, LICENSED("\"DE\"", ""), ASK("\"SPE_E3\""), .how = STALE, .writes = TAKE("\"" E3 "\""), .why = "the read may be older than a write of ours" },
    { &ops_licenses_remove, LICENSED("\"DE\"", ""), ASK("\"SPE_E3\""), "{\"SPE_E3\":true}", "{\"SPE_E3\":false}", DOUBT, .writes = "[]", .why = "doubt: done" },
};

/* ---- create ---- */

#define NAME "{\"attributes\":{\"givenName\":\"Zo\xc3\xab\",\"surname\":\"M\xc3\xbcller\",\"jobTitle\":null}"
#define TAKEN(list) "{\"taken\":[" list "]}"
#define USER_AT(upn, made, name) "{\"id\":\"" ADA "\",\"userPrincipalName\":\"" upn "\",\"createdDateTime\":\"" made "\",\"displayName\":\"" name "\",\"mailNickname\":\"zoe.mueller\"}"
#define FIRST "zoe.mueller@contoso.com"
#define AFTER_AT(upn, nick) "{\"givenName\":\"Zo\xc3\xab\",\"surname\":\"M\xc3\xbcller\",\"displayName\":\"Zo\xc3\xab M\xc3\xbcller\",\"userPrincipalName\":\"" upn "\",\"mailNickname\":\"" nick "\"," \
                            "\"accountEnabled\":true"
#define BODY_AT(upn, nick, force) AFTER_AT(upn, nick) ",\"passwordProfile\":{\"password\":\"made\",\"forceChangePasswordNextSignIn\":" force "}}"
#define CREATE(body, upn) "{\"user.create\":" body ",\"to\":\"upn:" upn "\"}"
#define WANTED AFTER_AT(FIRST, "zoe.mueller") "}"
#define MADE "2026-11-19T08:00:00Z"

static const struct plan_case creations[] = {
    { &ops_user_create, TAKEN(""), NAME "}", .before = "{}", .after = WANTED, .writes = "[" CREATE(BODY_AT(FIRST, "zoe.mueller", "true"), FIRST) "]", .why = "from the pattern" },
    { &ops_user_create, TAKEN(USER_AT("Zoe.Mueller@contoso.com", "2020-01-01T00:00:00Z", "Z")), NAME "}",
      .writes = "[" CREATE(BODY_AT("zoe.mueller2@contoso.com", "zoe.mueller2", "true"), "zoe.mueller2@contoso.com") "]", .why = "taken: the next one" },
    { &ops_user_create, TAKEN(USER_AT("X@contoso.com", "2020-01-01T00:00:00Z", "Z")), NAME ",\"userPrincipalName\":\"x@contoso.com\"}", .code = EB_USER_ALREADY_EXISTS, .text = "somebody's already",
      .why = "asked for by name: no other one" },
    { &ops_user_create, "{}", NAME "}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All", .why = "what is taken was not told" },
    { &ops_user_create, TAKEN(""), "{\"attributes\":{\"givenName\":\"Z\"}}", .code = EB_INVALID_REQUEST, .text = "attributes.surname", .why = "the pattern wants a surname" },
    { &ops_user_create, TAKEN(""), "{\"attributes\":{\"userPrincipalName\":\"x@contoso.com\"}}", .code = EB_INVALID_REQUEST, .text = "displayName", .why = "no name to show" },
    { &ops_user_create, TAKEN(""), NAME ",\"manager\":\"bob@contoso.com\"}", .code = EB_USER_NOT_FOUND, .why = "no such manager" },
    { &ops_user_create, "{\"taken\":[],\"other\":{\"id\":\"" BOB "\"}}", NAME ",\"manager\":\"bob@contoso.com\"}",
      .writes = "[" CREATE(BODY_AT(FIRST, "zoe.mueller", "true"), FIRST) ",{\"manager.set\":null,\"other\":\"" BOB "\",\"to\":\"upn:" FIRST "\"}]",
      .why = "the manager by the same request" },
    { &ops_user_create, TAKEN(""), NAME ",\"accessPass\":true}",
      .writes = "[" CREATE(BODY_AT(FIRST, "zoe.mueller", "false"), FIRST) ",{\"pass.create\":{},\"to\":\"upn:" FIRST "\"}]", .why = "an access pass instead of a password" },
    { &ops_user_create, TAKEN(""), NAME "}", "{}", WANTED, DOUBT, .writes = "[" CREATE(BODY_AT(FIRST, "zoe.mueller", "true"), FIRST) "]", .why = "doubt: absent: the same name again" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Zo\xc3\xab M\xc3\xbcller")), NAME "}", "{}", WANTED, DOUBT, .writes = "[]", .found = ADA, .why = "doubt: made since, and alike: ours" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, "2026-11-01T00:00:00Z", "Zo\xc3\xab M\xc3\xbcller")), NAME "}", "{}", WANTED, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: made before" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Another")), NAME "}", "{}", WANTED, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: not alike" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Zo\xc3\xab M\xc3\xbcller")), NAME ",\"accessPass\":true}", "{}", WANTED, DOUBT,
      .writes = "[{\"pass.create\":{},\"to\":\"upn:" FIRST "\"}]", .why = "doubt: ours, and still without its pass" },
    { &ops_user_create, TAKEN(""), NAME ",\"password\":null}", .code = EB_INVALID_REQUEST, .text = "never stored", .why = "taken up after a start with a password that was given" },
    { &ops_user_create, TAKEN(""), NAME ",\"password\":null}", "{}", WANTED, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: absent, and a given password is not known any more" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Zo\xc3\xab M\xc3\xbcller")), NAME ",\"accessPass\":true}", "{}", WANTED, DOUBT, .latest = GRAPH_PASS_CREATE + 1, .lost = true,
      .writes = "[{\"pass.create\":{},\"to\":\"upn:" FIRST "\"}]", .text = "no other", .why = "doubt about the pass: its value is lost" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Zo\xc3\xab M\xc3\xbcller")), NAME ",\"accessPass\":true}", "{}", WANTED, 0, .made = ADA, .latest = GRAPH_PASS_CREATE + 1,
      .writes = "[{\"pass.create\":{},\"to\":\"upn:" FIRST "\"}]", .why = "made, and its pass was throttled" },
    { &ops_user_create, TAKEN(""), NAME ",\"accessPass\":true}", "{}", WANTED, 0, .made = ADA, .latest = GRAPH_PASS_CREATE + 1,
      .writes = "[{\"pass.create\":{},\"to\":\"upn:" FIRST "\"}]", .why = "made, and a read does not show it yet: not made twice" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, "2020-01-01T00:00:00Z", "Z")), NAME "}", "{}", WANTED, 0, .code = EB_USER_ALREADY_EXISTS, .why = "throttled, and somebody else took it: no second name" },
    { &ops_user_create, TAKEN(USER_AT(FIRST, MADE, "Zo\xc3\xab M\xc3\xbcller")), NAME ",\"accessPass\":true}", "{}", WANTED, 0, .latest = GRAPH_USER_CREATE + 1, .code = EB_USER_ALREADY_EXISTS,
      .why = "throttled, and somebody else made one just like it: never ours" },
};

static void run_all(const struct plan_case *cases, size_t n, const struct config_operation_rule *rule, const char *secret)
{
    for (size_t i = 0; i < n; i++)
        plan_run(&cases[i], rule, secret);
}

static void test_delete(void **state) { run_all(deletions, EB_LEN(deletions), NULL, NULL); }
static void test_licences(void **state) { run_all(licences, EB_LEN(licences), NULL, NULL); }

static void test_invite(void **state)
{
    const struct config_operation_rule rule = { .redirect_url = (char *)(uintptr_t)"https://apps.contoso.com/" };

    run_all(invitations, EB_LEN(invitations), &rule, NULL);
}

static void test_create(void **state)
{
    const struct config_operation_rule rule = { .user_principal_name = (char *)(uintptr_t)"{givenName}.{surname}@contoso.com" };

    run_all(creations, EB_LEN(creations), &rule, "made");
}

/* ---- names from patterns ---- */

#define SIXTY "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

static void test_names(void **state)
{
    static const struct { const char *pattern, *given; int number; const char *upn, *why; } cases[] = {
        { "{givenName}.x@c.com", "Ada", 1, "ada.x@c.com", "lower case" },
        { "{givenName}@c.com", "J\xc3\xbcrgen \xc3\x85ngstr\xc3\xb6m", 1, "juergen-angstroem@c.com", "letters of Europe, and a blank" },
        { "{givenName}@c.com", "\xc5\x81ukasz", 1, "lukasz@c.com", "Latin Extended-A" },
        { "{givenName}@c.com", "Wei\xc3\x9f", 1, "weiss@c.com", "one letter that becomes two" },
        { "{givenName}@c.com", "O'Brien", 1, "obrien@c.com", "an apostrophe" },
        { "{givenName}@c.com", "a\xcc\x88", 1, "a@c.com", "a mark of its own" },
        { "{givenName}@c.com", "\xe7\x8e\x8b", 1, NULL, "nothing is left" },
        { "{surname}@c.com", "Ada", 1, NULL, "not sent" },
        { "{givenName}@c.com", "Ada", 3, "ada3@c.com", "a number" },
        { "{givenName}@c.com", SIXTY "klmnop", 1, SIXTY "klmn@c.com", "cut at 64" },
        { "{givenName}@c.com", SIXTY "klmnop", 9, SIXTY "klm9@c.com", "cut, with room for the number" },
        { "{givenName}@c.com", "Ada.", 1, "ada@c.com", "no dot before the @" },
        { "{givenName}@c.com", "...", 1, NULL, "only dots" },
        { "{givenName}@c.com", "a@b.c/../", 1, "ab.c@c.com", "signs that have a meaning" },
        { "u{givenName", "x", 1, NULL, "no pattern" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *attributes = json_pack("{s:s}", "givenName", cases[i].given);
        char upn[OPS_UPN_MAX] = "";
        struct eb_err err = { 0 };
        bool ok = ops_upn_make(cases[i].pattern, attributes, cases[i].number, upn, &err);

        if (ok != (cases[i].upn != NULL) || (ok && strcmp(upn, cases[i].upn) != 0))
            fail_msg("%s: %s %s", cases[i].why, upn, err.text);
        json_decref(attributes);
    }
}

static void test_candidates(void **state)
{
    const struct config_operation_rule rule = { .user_principal_name = (char *)(uintptr_t)"{givenName}@c.com" };
    struct ops_fields f = { .body = plan_json("{\"attributes\":{\"givenName\":\"Ada\"}}", "") };
    char *all[OPS_UPN_CANDIDATES + 1];
    size_t n = 0;

    ops_create_upns(&f, &rule, all);
    for (; all[n] != NULL; n++) {
        char expected[16];
        snprintf(expected, sizeof expected, n == 0 ? "ada@c.com" : "ada%zu@c.com", n + 1);
        assert_string_equal(all[n], expected);
        free(all[n]);
    }
    assert_int_equal(n, 9);
    ops_create_upns(&f, NULL, all);
    assert_null(all[0]);
    json_decref(f.body);
}

/* ---- reads ---- */

static void test_reads(void **state)
{
    char *listed[] = { (char *)(uintptr_t)"jobTitle" };
    const struct config_operation_rule rule = { .attributes = { listed, 1 } };
#define WHOLE "{\"id\":\"1\",\"displayName\":\"A\",\"userPrincipalName\":\"a@b\",\"mail\":null,\"accountEnabled\":true,\"userType\":\"Member\",\"jobTitle\":\"X\",\"city\":\"Ulm\"}"
    static const struct { json_t *(*read)(const struct ops_case *); const char *facts, *answer, *why; } cases[] = {
        { ops_read_user, "{\"user\":" WHOLE "}", "{\"mail\":null,\"accountEnabled\":true,\"userType\":\"Member\",\"jobTitle\":\"X\"}", "the listed one, and not the city" },
        { ops_read_groups, "{\"groups\":[{\"id\":\"1\",\"displayName\":\"G\",\"description\":\"secret\"}]}", "{\"count\":1,\"groups\":[{\"id\":\"1\",\"displayName\":\"G\"}]}", "short" },
        { ops_read_groups, "{}", NULL, "not told" },
        { ops_read_members, "{\"members\":[{\"id\":\"1\",\"displayName\":\"A\",\"userPrincipalName\":\"a@b\",\"mail\":\"m@b\"}]}",
          "{\"count\":1,\"members\":[{\"id\":\"1\",\"displayName\":\"A\",\"userPrincipalName\":\"a@b\"}]}", "names, no addresses" },
        { ops_read_found, "{\"found\":[" WHOLE "]}",
          "{\"count\":1,\"users\":[{\"id\":\"1\",\"displayName\":\"A\",\"userPrincipalName\":\"a@b\",\"mail\":null,\"accountEnabled\":true,\"userType\":\"Member\",\"jobTitle\":\"X\"}]}", "as a read of each" },
        { ops_read_group, "{\"group\":{\"id\":\"1\",\"displayName\":\"G\",\"groupTypes\":[],\"owner\":\"x\"}}", "{\"groupTypes\":[]}", "what it is" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *doc = plan_json(cases[i].facts, cases[i].why);
        struct directory_facts facts;

        plan_read_facts(doc, &facts);
        json_t *answer = cases[i].read(&(struct ops_case){ .rule = &rule, .facts = &facts });

        plan_expect("answer", cases[i].answer, answer, cases[i].why);
        assert_int_equal(answer == NULL, cases[i].answer == NULL);
        json_decref(answer);
        json_decref(doc);
    }
}

static void test_cut(void **state)
{
    json_t *members = json_array();
    struct directory_facts facts = { .members_json = members };

    for (int i = 0; i < 101; i++)
        json_array_append_new(members, json_pack("{s:s}", "id", "1"));
    json_t *answer = ops_read_members(&(struct ops_case){ .facts = &facts });

    assert_int_equal(json_array_size(json_object_get(answer, "members")), 100);
    assert_int_equal(eb_json_int(answer, "count", 0), 101);
    assert_true(eb_json_bool(answer, "truncated", false));
    json_decref(answer);
    json_decref(members);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delete), cmocka_unit_test(test_invite), cmocka_unit_test(test_licences), cmocka_unit_test(test_create),
        cmocka_unit_test(test_names), cmocka_unit_test(test_candidates), cmocka_unit_test(test_reads), cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
