/* test_kinds.c - the plans for a user who is there: attributes, manager, password, access pass, sessions, methods. */
#include "tests/unit/plan_case.h"
#include "ops/kind_parts.h"

#define USER(more) "{\"user\":{\"id\":\"" ADA "\",\"displayName\":\"Ada\"" more "}}"
#define ATTR(text) "{\"attributes\":" text "}"

/* ---- user.update ---- */

static const struct plan_case updates[] = {
    { &ops_user_update, USER(",\"jobTitle\":\"A\",\"city\":\"Ulm\""), ATTR("{\"jobTitle\":\"B\",\"city\":\"Ulm\"}"),
      .before = "{\"jobTitle\":\"A\",\"city\":\"Ulm\"}", .after = "{\"jobTitle\":\"B\",\"city\":\"Ulm\"}",
      .writes = "[{\"user.patch\":{\"jobTitle\":\"B\"}}]", .why = "only what differs" },
    { &ops_user_update, USER(",\"jobTitle\":\"B\""), ATTR("{\"jobTitle\":\"B\"}"), .writes = "[]", .why = "so already" },
    { &ops_user_update, USER(",\"jobTitle\":\"B\""), ATTR("{\"jobTitle\":\"B\"}"), .how = STALE,
      .writes = "[{\"user.patch\":{\"jobTitle\":\"B\"}}]", .why = "the read may be older than a write of ours" },
    { &ops_user_update, USER(",\"jobTitle\":\"A\""), ATTR("{\"jobTitle\":null}"), .after = "{\"jobTitle\":null}",
      .writes = "[{\"user.patch\":{\"jobTitle\":null}}]", .why = "null clears" },
    { &ops_user_update, USER(",\"jobTitle\":null"), ATTR("{\"jobTitle\":null}"), .writes = "[]", .why = "clear already" },
    { &ops_user_update, USER(""), ATTR("{\"jobTitle\":\"B\"}"), .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All", .why = "not told" },
    { &ops_user_update, USER(""), ATTR("{\"employeeLeaveDateTime\":\"2027-01-01T00:00:00Z\"}"), .code = EB_ENTRA_PERMISSION_MISSING,
      .text = "User-LifeCycleInfo.ReadWrite.All", .why = "not told, with a permission of its own" },
    { &ops_user_update, USER(",\"jobTitle\":\"A\",\"mobilePhone\":null,\"businessPhones\":[],\"otherMails\":[]"),
      ATTR("{\"mobilePhone\":\"1\",\"otherMails\":[\"x@y.z\"],\"jobTitle\":\"B\",\"businessPhones\":[\"2\"]}"),
      .writes = "[{\"user.patch\":{\"jobTitle\":\"B\"}},{\"user.patch\":{\"mobilePhone\":\"1\",\"businessPhones\":[\"2\"]}},{\"user.patch\":{\"otherMails\":[\"x@y.z\"]}}]",
      .why = "each permission has a PATCH of its own" },
    { &ops_user_update, USER(",\"employeeOrgData\":{\"division\":\"D\",\"costCenter\":\"1\"}"), ATTR("{\"employeeOrgData\":{\"costCenter\":\"2\"}}"),
      .after = "{\"employeeOrgData\":{\"division\":\"D\",\"costCenter\":\"2\"}}",
      .writes = "[{\"user.patch\":{\"employeeOrgData\":{\"division\":\"D\",\"costCenter\":\"2\"}}}]", .why = "both members are sent: one that is not becomes null" },
    { &ops_user_update, USER(",\"employeeOrgData\":null"), ATTR("{\"employeeOrgData\":{\"costCenter\":\"2\"}}"), .before = "{\"employeeOrgData\":null}",
      .writes = "[{\"user.patch\":{\"employeeOrgData\":{\"division\":null,\"costCenter\":\"2\"}}}]", .why = "both members, one of them never set" },
    { &ops_user_update, USER(",\"employeeOrgData\":null"), ATTR("{\"employeeOrgData\":{\"costCenter\":null}}"), .writes = "[]", .why = "nothing of nothing is cleared" },
    { &ops_user_update, USER(",\"onPremisesExtensionAttributes\":{\"extensionAttribute1\":\"a\",\"extensionAttribute2\":null}"),
      ATTR("{\"onPremisesExtensionAttributes\":{\"extensionAttribute2\":\"b\"}}"),
      .after = "{\"onPremisesExtensionAttributes\":{\"extensionAttribute1\":\"a\",\"extensionAttribute2\":\"b\"}}",
      .writes = "[{\"user.patch\":{\"onPremisesExtensionAttributes\":{\"extensionAttribute2\":\"b\"}}}]", .why = "the others stay" },
    { &ops_user_update, USER(""), ATTR("{\"extension_0123456789abcdef0123456789abcdef_badge\":\"7\"}"),
      .writes = "[{\"user.patch\":{\"extension_0123456789abcdef0123456789abcdef_badge\":\"7\"}}]", .why = "Graph leaves an extension out that is not set" },
    { &ops_user_update, USER(",\"employeeLeaveDateTime\":\"2027-01-01T00:00:00Z\""), ATTR("{\"employeeLeaveDateTime\":\"2027-01-01T01:00:00.000+0100\"}"),
      .writes = "[]", .why = "the same time, written otherwise" },
    { &ops_user_update, USER(""), ATTR("{}"), .writes = "[]", .why = "all were skipped" },
    { &ops_user_update, USER(",\"jobTitle\":\"B\""), ATTR("{\"jobTitle\":\"B\"}"), "{\"jobTitle\":\"A\"}", "{\"jobTitle\":\"B\"}", DOUBT, .writes = "[]", .why = "doubt: as after" },
    { &ops_user_update, USER(",\"jobTitle\":\"A\""), ATTR("{\"jobTitle\":\"B\"}"), "{\"jobTitle\":\"A\"}", "{\"jobTitle\":\"B\"}", DOUBT,
      .writes = "[{\"user.patch\":{\"jobTitle\":\"B\"}}]", .why = "doubt: as before" },
    { &ops_user_update, USER(",\"jobTitle\":\"C\""), ATTR("{\"jobTitle\":\"B\"}"), "{\"jobTitle\":\"A\"}", "{\"jobTitle\":\"B\"}", DOUBT, .writes = "[]", .unknown = true,
      .why = "doubt: something else" },
    { &ops_user_update, USER(",\"jobTitle\":\"B\",\"mobilePhone\":\"0\""), ATTR("{\"jobTitle\":\"B\",\"mobilePhone\":\"1\"}"), "{\"jobTitle\":\"A\",\"mobilePhone\":\"0\"}",
      "{\"jobTitle\":\"B\",\"mobilePhone\":\"1\"}", DOUBT, .writes = "[{\"user.patch\":{\"mobilePhone\":\"1\"}}]", .why = "doubt: one of two PATCHes was done" },
};

/* ---- manager ---- */

#define WITH_MANAGER(manager, other) "{\"user\":{\"id\":\"" ADA "\"},\"manager\":" manager ",\"other\":" other "}"
#define IS_BOB "{\"id\":\"" BOB "\",\"displayName\":\"Bob\"}"
#define IS_EVE "{\"id\":\"a0000000-0000-4000-8000-000000000003\",\"displayName\":\"Eve\"}"
#define NONE "{\"managerId\":null,\"manager\":null}"
#define STATE_BOB "{\"managerId\":\"" BOB "\",\"manager\":\"Bob\"}"
#define SET_BOB "[{\"manager.set\":null,\"other\":\"" BOB "\"}]"

static const struct plan_case managers[] = {
    { &ops_manager_set, WITH_MANAGER("null", IS_BOB), .before = NONE, .after = STATE_BOB, .writes = SET_BOB, .why = "none before" },
    { &ops_manager_set, WITH_MANAGER(IS_BOB, IS_BOB), .writes = "[]", .why = "so already" },
    { &ops_manager_set, WITH_MANAGER(IS_BOB, IS_BOB), .how = STALE, .writes = SET_BOB, .why = "stale" },
    { &ops_manager_set, "{\"user\":{\"id\":\"" ADA "\"},\"other\":" IS_BOB "}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All", .why = "not told" },
    { &ops_manager_set, WITH_MANAGER("null", "{\"id\":\"" ADA "\"}"), .code = EB_INVALID_REQUEST, .text = "their own", .why = "oneself" },
    { &ops_manager_set, WITH_MANAGER("null", "{}"), .code = EB_USER_NOT_FOUND, .why = "nobody" },
    { &ops_manager_set, WITH_MANAGER("null", "{\"ambiguous\":true}"), .code = EB_USER_AMBIGUOUS, .why = "several" },
    { &ops_manager_set, WITH_MANAGER(IS_BOB, IS_BOB), NULL, NONE, STATE_BOB, DOUBT, .writes = "[]", .why = "doubt: as after" },
    { &ops_manager_set, WITH_MANAGER("null", IS_BOB), NULL, NONE, STATE_BOB, DOUBT, .writes = SET_BOB, .why = "doubt: as before" },
    { &ops_manager_set, WITH_MANAGER("null", IS_EVE), NULL, NONE, STATE_BOB, .code = EB_USER_NOT_FOUND, .text = "another user", .why = "the manager's name moved on" },
    { &ops_manager_set, WITH_MANAGER("null", IS_EVE), NULL, NONE, STATE_BOB, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: the manager's name moved on" },
    { &ops_manager_set, WITH_MANAGER(IS_EVE, IS_BOB), NULL, NONE, STATE_BOB, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: somebody else" },
    { &ops_manager_remove, WITH_MANAGER(IS_BOB, "{}"), .before = STATE_BOB, .after = NONE, .writes = "[{\"manager.remove\":null}]", .why = "one is there" },
    { &ops_manager_remove, WITH_MANAGER("null", "{}"), .writes = "[]", .why = "none is there" },
    { &ops_manager_remove, WITH_MANAGER("null", "{}"), NULL, STATE_BOB, NONE, DOUBT, .writes = "[]", .why = "doubt: as after" },
    { &ops_manager_remove, WITH_MANAGER("{\"id\":\"" BOB "\",\"displayName\":\"Robert\"}", "{}"), NULL, STATE_BOB, NONE, DOUBT,
      .writes = "[{\"manager.remove\":null}]", .why = "doubt: as before, but for the name" },
    { &ops_manager_remove, WITH_MANAGER(IS_EVE, "{}"), NULL, STATE_BOB, NONE, DOUBT, .writes = "[]", .unknown = true, .why = "doubt: another one" },
};

/* ---- password, access pass, sessions ---- */

#define PROFILE(pw, force) "[{\"user.password\":{\"passwordProfile\":{\"password\":\"" pw "\",\"forceChangePasswordNextSignIn\":" force "}}}]"

static const struct plan_case passwords[] = {
    { &ops_password_reset, USER(""), .before = "{\"passwordReset\":false}", .after = "{\"passwordReset\":true}", .writes = PROFILE("made", "true"), .why = "made here" },
    { &ops_password_reset, USER(""), "{\"forceChangePasswordNextSignIn\":false}", .writes = PROFILE("made", "false"), .why = "no change at the next sign-in" },
    { &ops_password_reset, USER(""), "{\"password\":\"Given-123\"}", .writes = PROFILE("Given-123", "true"), .why = "given" },
    { &ops_password_reset, USER(""), "{}", "{}", "{}", DOUBT, .writes = PROFILE("made", "true"), .why = "doubt: the same again" },
    { &ops_password_reset, USER(""), "{\"password\":null}", "{}", "{}", DOUBT, .writes = "[]", .unknown = true, .why = "doubt: given, and not known any more" },
    { &ops_password_reset, USER(""), "{\"password\":null}", .code = EB_INVALID_REQUEST, .text = "never stored", .why = "given, lost before it was sent" },
};
static const struct plan_case passwords_unmade[] = {
    { &ops_password_reset, USER(""), "{\"dryRun\":true}", .writes = "[{\"user.password\":null}]", .why = "a dry run makes none" },
    { &ops_password_reset, USER(""), "{}", "{}", "{}", DOUBT, .code = EB_INTERNAL, .why = "its seal cannot be read" },
};

#define PASSES(type, list) "{\"user\":{\"id\":\"" ADA "\",\"userType\":" type ",\"userPrincipalName\":\"ada@contoso.com\"},\"passes\":" list "}"
#define OLD_PASS "{\"id\":\"old\",\"createdDateTime\":\"2026-11-01T00:00:00Z\"}"
#define NEW_PASS "{\"id\":\"new\",\"createdDateTime\":\"2027-01-01T00:00:00Z\"}"

static const struct plan_case passes[] = {
    { &ops_pass_issue, PASSES("\"Member\"", "[]"), .before = "{\"accessPassId\":null}", .after = "{}", .writes = "[{\"pass.create\":{}}]", .why = "as the tenant's policy says" },
    { &ops_pass_issue, PASSES("\"Member\"", "[]"), "{\"lifetime\":\"8h\",\"isUsableOnce\":true,\"startDateTime\":\"2026-12-24T08:00:00+01:00\"}",
      .writes = "[{\"pass.create\":{\"lifetimeInMinutes\":480,\"isUsableOnce\":true,\"startDateTime\":\"2026-12-24T07:00:00.000Z\"}}]", .why = "all of it" },
    { &ops_pass_issue, PASSES("\"Member\"", "[]"), "{\"lifetime\":\"601s\"}", .code = EB_INVALID_REQUEST, .why = "no whole minutes" },
    { &ops_pass_issue, PASSES("\"Member\"", "[]"), "{\"startDateTime\":\"2020-01-01T00:00:00Z\"}", .code = EB_INVALID_REQUEST, .text = "passed", .why = "begins in the past" },
    { &ops_pass_issue, PASSES("\"Member\"", "[" OLD_PASS "]"), .before = "{\"accessPassId\":\"old\"}", .writes = "[{\"pass.create\":{}}]", .text = "takes the place",
      .why = "one is there" },
    { &ops_pass_issue, PASSES("\"Guest\"", "[]"), .code = EB_USER_NOT_MODIFIABLE, .text = "guest", .why = "a guest" },
    { &ops_pass_issue, "{\"user\":{\"id\":\"" ADA "\",\"userType\":null,\"userPrincipalName\":\"x_y.z#EXT#@contoso.com\"},\"passes\":[]}", .code = EB_USER_NOT_MODIFIABLE,
      .why = "a guest by name" },
    { &ops_pass_issue, USER(",\"userPrincipalName\":\"a@b\""), .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All", .why = "guest or not is not told" },
    { &ops_pass_issue, USER(",\"userType\":\"Member\""), .code = EB_ENTRA_PERMISSION_MISSING, .text = "UserAuthMethod-TAP", .why = "passes are not told" },
    { &ops_pass_issue, PASSES("\"Member\"", "[" NEW_PASS "]"), NULL, "{\"accessPassId\":null}", "{}", DOUBT, .lost = true,
      .writes = "[{\"pass.delete\":null,\"method\":\"new\"},{\"pass.create\":{}}]", .text = "lost", .why = "doubt: it was made, and nobody knows it" },
    { &ops_pass_issue, PASSES("\"Member\"", "[]"), NULL, "{\"accessPassId\":null}", "{}", DOUBT, .writes = "[{\"pass.create\":{}}]", .why = "doubt: it was not made" },
    { &ops_pass_issue, PASSES("\"Member\"", "[" OLD_PASS "]"), NULL, "{\"accessPassId\":\"old\"}", "{}", DOUBT, .writes = "[{\"pass.create\":{}}]",
      .why = "doubt: the one before still stands" },
    { &ops_pass_issue, PASSES("\"Member\"", "[" OLD_PASS "]"), NULL, "{\"accessPassId\":null}", "{}", DOUBT, .writes = "[{\"pass.create\":{}}]",
      .why = "doubt: what is older than our request is not what it made" },
};

#define SESSIONS(t) USER(",\"signInSessionsValidFromDateTime\":" t)
#define THEN "{\"signInSessionsValidFromDateTime\":\"2026-01-01T00:00:00Z\"}"
static const struct plan_case sessions[] = {
    { &ops_sessions_revoke, SESSIONS("\"2026-01-01T00:00:00Z\""), .before = THEN, .writes = "[{\"sessions.revoke\":null}]", .why = "always" },
    { &ops_sessions_revoke, SESSIONS("null"), .writes = "[{\"sessions.revoke\":null}]", .why = "never done before" },
    { &ops_sessions_revoke, USER(""), .code = EB_ENTRA_PERMISSION_MISSING, .text = "User.Read.All", .why = "not told" },
    { &ops_sessions_revoke, SESSIONS("\"2026-11-18T08:00:00Z\""), NULL, THEN, "{}", DOUBT, .writes = "[]", .why = "doubt: moved" },
    { &ops_sessions_revoke, SESSIONS("\"2026-01-01T00:00:00Z\""), NULL, THEN, "{}", DOUBT, .writes = "[{\"sessions.revoke\":null}]", .why = "doubt: not moved" },
    { &ops_sessions_revoke, SESSIONS("\"2026-11-18T08:00:00Z\""), NULL, THEN, "{}", 0, .writes = "[{\"sessions.revoke\":null}]",
      .why = "refused for throttling: it moved by somebody else's hand, and ours is still to come" },
};

/* ---- methods ---- */

#define M(type, id, more) "{\"@odata.type\":\"#microsoft.graph." type "AuthenticationMethod\",\"id\":\"" id "\"" more "}"
#define METHODS(list) "{\"user\":{\"id\":\"" ADA "\"},\"methods\":[" list "]}"
#define DELETE(type, id) "{\"method.delete\":null,\"type\":\"" type "\",\"method\":\"" id "\"}"

static const struct plan_case methods[] = {
    { &ops_mfa_reset, METHODS(M("microsoftAuthenticator", "1", "") "," M("phone", "2", ",\"phoneType\":\"mobile\"") "," M("phone", "3", ",\"phoneType\":\"office\"") ","
                              M("email", "4", "") "," M("fido2", "5", "") "," M("softwareOath", "6", "") "," M("password", "7", "") "," M("windowsHelloForBusiness", "8", "") ","
                              M("quantum", "9", "")),
      .before = "{\"methods\":[\"microsoftAuthenticatorMethods/1\",\"phoneMethods/2\",\"phoneMethods/3\",\"emailMethods/4\",\"fido2Methods/5\",\"softwareOathMethods/6\",\"windowsHelloForBusinessMethods/8\"]}",
      .after = "{\"methods\":[]}",
      .writes = "[" DELETE("emailMethods", "4") "," DELETE("fido2Methods", "5") "," DELETE("phoneMethods", "3") "," DELETE("windowsHelloForBusinessMethods", "8") "," DELETE("softwareOathMethods", "6") ","
                DELETE("phoneMethods", "2") "," DELETE("microsoftAuthenticatorMethods", "1") "]",
      .text = "Left alone: the password, methods of other types.", .why = "the likely default last; what is left is said" },
    { &ops_mfa_reset, METHODS(M("password", "7", "")), .writes = "[]", .why = "only a password" },
    { &ops_mfa_reset, "{\"user\":{\"id\":\"" ADA "\"}}", .code = EB_ENTRA_PERMISSION_MISSING, .text = "UserAuthenticationMethod.Read.All", .why = "not told" },
    { &ops_mfa_reset, METHODS(M("phone", "2", "") "," M("fido2", "5", "")), NULL, "{\"methods\":[\"phoneMethods/2\",\"emailMethods/4\"]}", "{\"methods\":[]}", DOUBT,
      .writes = "[" DELETE("phoneMethods", "2") "]", .why = "doubt: only what stood before; the new key stays" },
    { &ops_mfa_reset, METHODS(M("fido2", "5", "")), NULL, "{\"methods\":[\"phoneMethods/2\"]}", "{\"methods\":[]}", DOUBT, .writes = "[]", .why = "doubt: done" },
};

static void run_all(const struct plan_case *cases, size_t n, const char *secret)
{
    for (size_t i = 0; i < n; i++)
        plan_run(&cases[i], NULL, secret);
}

static void test_update(void **state) { run_all(updates, EB_LEN(updates), NULL); }
static void test_manager(void **state) { run_all(managers, EB_LEN(managers), NULL); }
static void test_pass(void **state) { run_all(passes, EB_LEN(passes), NULL); }
static void test_sessions(void **state) { run_all(sessions, EB_LEN(sessions), NULL); }
static void test_methods(void **state) { run_all(methods, EB_LEN(methods), NULL); }

static void test_password(void **state)
{
    run_all(passwords, EB_LEN(passwords), "made");
    run_all(passwords_unmade, EB_LEN(passwords_unmade), NULL);
}

static void test_undo(void **state)
{
    static const struct { json_t *(*undo)(const json_t *, const json_t *); const char *before, *after, *fields; } cases[] = {
        { ops_update_undo, "{\"jobTitle\":\"A\",\"city\":\"Ulm\"}", "{\"jobTitle\":null,\"city\":\"Ulm\"}", ATTR("{\"jobTitle\":\"A\"}") },
        { ops_update_undo, "{\"jobTitle\":null}", "{\"jobTitle\":\"B\"}", ATTR("{\"jobTitle\":null}") },
        { ops_update_undo, "{\"employeeOrgData\":null}", "{\"employeeOrgData\":{\"costCenter\":\"2\"}}", ATTR("{\"employeeOrgData\":{\"costCenter\":null}}") },
        { ops_update_undo, "{\"onPremisesExtensionAttributes\":{\"extensionAttribute1\":\"a\"}}",
          "{\"onPremisesExtensionAttributes\":{\"extensionAttribute1\":\"a\",\"extensionAttribute2\":\"b\"}}",
          ATTR("{\"onPremisesExtensionAttributes\":{\"extensionAttribute2\":null}}") },
        { ops_manager_undo, STATE_BOB, NONE, "{\"manager\":\"" BOB "\"}" },
        { ops_manager_undo, NONE, STATE_BOB, NULL },
        { ops_licenses_undo, "{\"E3\":false,\"E5\":true,\"usageLocation\":null}", "{\"E3\":true,\"E5\":true,\"usageLocation\":\"DE\"}", "{\"licenses\":[\"E3\"]}" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *before = plan_json(cases[i].before, "undo"), *after = plan_json(cases[i].after, "undo"), *fields = cases[i].undo(before, after);

        plan_expect("undo", cases[i].fields, fields, cases[i].before);
        assert_int_equal(fields == NULL, cases[i].fields == NULL);
        json_decref(before);
        json_decref(after);
        json_decref(fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update), cmocka_unit_test(test_manager), cmocka_unit_test(test_password), cmocka_unit_test(test_pass),
        cmocka_unit_test(test_sessions), cmocka_unit_test(test_methods), cmocka_unit_test(test_undo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
