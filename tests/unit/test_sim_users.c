/* test_sim_users.c - the simulated Entra's users: made, changed, deleted, restored, invited, licensed; how they sign in. */
#include "sim/user_rules.h"
#include "tests/unit/sim_world.h"

#include "base/clock.h"

#include <stdlib.h>

#define JSON_USER(upn, more) "{\"accountEnabled\":true,\"displayName\":\"New One\",\"mailNickname\":\"new\",\"userPrincipalName\":\"" upn \
    "\",\"passwordProfile\":{\"password\":\"Xk4-mvQp-77\",\"forceChangePasswordNextSignIn\":true}" more "}"
#define MANAGER(nn) ",\"manager@odata.bind\":\"https://graph.microsoft.com/v1.0/users/" USER(nn) "\""
#define SKU(n) "50000000-0000-4000-8000-00000000000" n
#define LICENCES(add, remove) "{\"addLicenses\":[" add "],\"removeLicenses\":[" remove "]}"
#define ADD(n) "{\"skuId\":\"" SKU(n) "\"}"
#define METHODS(nn) "/v1.0/users/" USER(nn) "/authentication/"

static void test_passwords(void **state)
{
    static const struct { const char *password; bool weak, ok; const char *why; } cases[] = {
        { "Xk4-mvQp", false, true, "eight characters, four classes" }, { "Xk4-mvQ", false, false, "seven" },
        { "xk4mvqpzz", false, false, "two classes" }, { "xk4mvqpzz", true, true, "two classes where the policy is relaxed" },
        { "xk4mvqp-z", false, true, "three classes" }, { "P@ssw0rd1", false, false, "banned word, two characters beside it" },
        { "P@ssw0rd-1x7", false, true, "banned word with enough beside it" }, { "Xk4-mvQ\xc3\xa4", false, false, "not ASCII" },
        { "", true, false, "none" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (user_password_complies(cases[i].password, cases[i].weak) != cases[i].ok)
            fail_msg("case %zu (%s): %s", i, cases[i].why, cases[i].password);
}

static void test_create(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "POST", "/v1.0/users", JSON_USER("new@contoso.com", MANAGER("02") ",\"usageLocation\":\"DE\",\"mail\":\"new@contoso.com\""), 201, "New One", "made" },
        { "GET", "/v1.0/users/new@contoso.com/manager", NULL, 200, "Grace", "manager of the same call" },
        { "GET", "/v1.0/users/new@contoso.com?$select=accountEnabled,proxyAddresses,passwordProfile", NULL, 200,
          "\"proxyAddresses\":[\"SMTP:new@contoso.com\"],\"passwordProfile\":null", "mail makes the primary address; the password is never shown" },
        { "POST", "/v1.0/users", JSON_USER("NEW@contoso.com", ""), 400, "\"code\":\"ObjectConflict\"", "UPN taken, whatever its case" },
        { "POST", "/v1.0/users", JSON_USER("other@contoso.com", ",\"mail\":\"new@contoso.com\""), 400, "\"target\":\"proxyAddresses\"", "address taken" },
        { "POST", "/v1.0/users", JSON_USER("new@elsewhere.com", ""), 400, "verified domain", "domain of somebody else" },
        { "POST", "/v1.0/users", JSON_USER("new.@contoso.com", ""), 400, "userPrincipalName", "a dot before the @" },
        { "POST", "/v1.0/users", JSON_USER("a b@contoso.com", ""), 400, "userPrincipalName", "a blank in the UPN" },
        { "POST", "/v1.0/users", JSON_USER("n2@contoso.com", ",\"aboutMe\":\"x\""), 403, "Insufficient", "not with an app's token" },
        { "POST", "/v1.0/users", JSON_USER("n2@contoso.com", ",\"shoeSize\":42"), 400, "does not exist on type", "closed body" },
        { "POST", "/v1.0/users", JSON_USER("n2@contoso.com", ",\"id\":\"x\""), 400, "read-only", "read-only" },
        { "POST", "/v1.0/users", JSON_USER("n2@contoso.com", MANAGER("99")), 404, "does not exist", "unknown manager" },
        { "GET", "/v1.0/users/n2@contoso.com", NULL, 404, "does not exist", "and nobody was made" },
        { "POST", "/v1.0/users", "{\"accountEnabled\":true}", 400, "displayName", "required members" },
        { "POST", "/v1.0/users", "{\"accountEnabled\":true,\"displayName\":\"X\",\"mailNickname\":\"x\",\"userPrincipalName\":\"x@contoso.com\","
          "\"passwordProfile\":{}}", 400, "passwordProfile", "no password" },
        { "POST", "/v1.0/users", "{\"accountEnabled\":true,\"displayName\":\"X\",\"mailNickname\":\"x\",\"userPrincipalName\":\"x@contoso.com\","
          "\"passwordProfile\":{\"password\":\"simple\"}}", 400, "password complexity", "weak" },
        { "POST", "/v1.0/users", JSON_USER("hired@contoso.com", ",\"employeeHireDate\":\"2026-12-01T00:00:00Z\""), 201, "hired", "the hire date, when made" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, NULL, "creates"), 2);
    assert_string_equal(entra_find_user(w->sim->entra, "new@contoso.com")->password, "Xk4-mvQp-77");
    w->sim->entra->eventual_ms = 60000;
    assert_int_equal(call(w, "POST", "/v1.0/users", JSON_USER("late@contoso.com", "")), 201);
    assert_int_equal(call(w, "GET", "/v1.0/users/late@contoso.com", NULL), 404);        /* reads do not see it yet */
    assert_int_equal(call(w, "POST", "/v1.0/users", JSON_USER("late@contoso.com", "")), 400);  /* a write does */
}

static void test_patch(void **state)
{
    struct world *w = *state;
#define ADA "/v1.0/users/" USER("01")
    static const struct step cases[] = {
        { "PATCH", ADA, "{\"jobTitle\":null,\"department\":\"Engines\"}", 204, NULL, "null clears" },
        { "GET", ADA "?$select=jobTitle,department", NULL, 200, "\"jobTitle\":null,\"department\":\"Engines\"", "so it is" },
        { "PATCH", ADA, "{\"displayName\":null}", 400, "displayName", "not to be cleared" },
        { "PATCH", ADA, "{\"mail\":null}", 400, "mail", "not to be cleared" },
        { "PATCH", ADA, "{\"usageLocation\":null}", 400, "usageLocation", "not to be cleared" },
        { "PATCH", ADA, "{\"usageLocation\":\"de\"}", 400, "usageLocation", "two capitals" },
        { "PATCH", ADA, "{\"employeeId\":\"12345678901234567\"}", 400, "employeeId", "17 characters" },
        { "PATCH", ADA, "{\"surname\":\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
          "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"}",
          204, NULL, "33 characters in 66 bytes: characters count" },
        { "PATCH", ADA, "{\"businessPhones\":[\"+1\",\"+2\"]}", 400, "businessPhones", "one value only" },
        { "PATCH", ADA, "{\"businessPhones\":[\"+49 30 1\"],\"mobilePhone\":\"+49 151 1\",\"otherMails\":[\"ada@home.example\"]}", 204, NULL, "phones, other mails" },
        { "PATCH", ADA, "{\"employeeOrgData\":{\"division\":\"North\",\"costCenter\":\"7\"}}", 204, NULL, "both members" },
        { "PATCH", ADA, "{\"employeeOrgData\":{\"division\":\"South\"}}", 204, NULL, "one member" },
        { "GET", ADA "?$select=employeeOrgData", NULL, 200, "\"costCenter\":null,\"division\":\"South\"", "the missing one is null" },
        { "PATCH", ADA, "{\"employeeOrgData\":{\"colour\":\"red\"}}", 400, "employeeOrgData", "closed" },
        { "PATCH", ADA, "{\"mail\":\"ada@contoso.com\"}", 204, NULL, "mail" },
        { "GET", ADA "?$select=proxyAddresses", NULL, 200, "[\"SMTP:ada@contoso.com\"]", "its primary address follows" },
        { "PATCH", ADA, "{\"mail\":\"grace.hopper@contoso.com\"}", 400, "ObjectConflict", "another's address" },
        { "PATCH", ADA, "{\"userPrincipalName\":\"ada@nowhere.example\"}", 400, "verified domain", "no domain of ours" },
        { "PATCH", ADA, "{\"employeeHireDate\":\"2026-12-01T00:00:00Z\"}", 403, "Insufficient", "only when made" },
        { "PATCH", ADA, "{\"skills\":[\"x\"]}", 403, "Insufficient", "not with an app's token" },
        { "PATCH", ADA, "{\"passwordProfile\":{\"password\":\"Xk4-mvQp-77\"}}", 403, "Insufficient", "the app has no directory role" },
        { "POST", "/sim/settings", "{\"app_role\":\"user-administrator\"}", 200, NULL, "it gets one" },
        { "PATCH", ADA, "{\"passwordProfile\":{\"password\":\"Xk4-mvQp-77\",\"forceChangePasswordNextSignIn\":true}}", 204, NULL, "and may" },
        { "PATCH", ADA, "{\"passwordProfile\":{\"password\":\"password\"}}", 400, "complexity", "weak" },
        { "PATCH", ADA, "{\"passwordProfile\":{\"secret\":\"x\"}}", 400, "passwordProfile", "closed" },
        { "PATCH", "/v1.0/users/" USER("12"), "{\"mobilePhone\":\"+1\"}", 204, NULL, "a lesser administrator's phone" },
        { "PATCH", "/v1.0/users/" USER("11"), "{\"mobilePhone\":\"+1\"}", 403, "Insufficient", "a greater one's" },
        { "PATCH", "/v1.0/users/" USER("11"), "{\"jobTitle\":\"x\"}", 204, NULL, "what is not sensitive" },
        { "POST", ADA "/revokeSignInSessions", NULL, 200, "\"value\":true", "sessions" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, USER("01"), "passwords"), 1);
    assert_int_equal(counted(w, USER("01"), "revokes"), 1);
    const char *valid = eb_json_str(entra_find(w->sim->entra, USER("01"))->attrs, "signInSessionsValidFromDateTime");
    assert_string_not_equal(valid, "2025-03-01T09:00:00Z");
}

/* Each attribute has its own permission: one missing fails the whole PATCH, and changes nothing. */
static void test_permissions(void **state)
{
    struct world *w = *state;
    static const struct { const char *granted, *body; int status; const char *why; } cases[] = {
        { "User.ReadUpdate.All", "{\"jobTitle\":\"x\"}", 204, "the least one" },
        { "User.ReadUpdate.All", "{\"accountEnabled\":true}", 403, "does not enable" },
        { "User.EnableDisableAccount.All", "{\"accountEnabled\":true}", 403, "nor this without a right to read" },
        { "User.EnableDisableAccount.All\",\"User.Read.All", "{\"accountEnabled\":true}", 204, "both" },
        { "User.EnableDisableAccount.All\",\"User.Read.All", "{\"jobTitle\":\"x\"}", 403, "and no more" },
        { "User.ReadUpdate.All", "{\"mobilePhone\":\"+1\"}", 403, "phone" },
        { "User-Phone.ReadWrite.All", "{\"mobilePhone\":\"+1\"}", 204, "phone" },
        { "User-Phone.ReadWrite.All", "{\"otherMails\":[]}", 403, "mails" },
        { "User-Mail.ReadWrite.All", "{\"otherMails\":[]}", 204, "mails" },
        { "User.ReadWrite.All", "{\"passwordProfile\":{\"password\":\"Xk4-mvQp-77\"}}", 403, "wide, but not for passwords" },
        { "User-PasswordProfile.ReadWrite.All", "{\"passwordProfile\":{\"password\":\"Xk4-mvQp-77\"}}", 204, "password" },
        { "User.ReadWrite.All", "{\"identities\":[]}", 403, "identities" },
        { "User.ReadWrite.All", "{\"jobTitle\":\"y\",\"mobilePhone\":\"+2\"}", 204, "wide" },
        { "Group.ReadBasic.All", "{\"jobTitle\":\"z\"}", 403, "none" },
    };

    w->sim->app_role = SIM_ROLE_USER_ADMIN;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *granted = eb_asprintf("{\"granted\":[\"%s\"]}", cases[i].granted);
        assert_int_equal(call(w, "POST", "/sim/settings", granted), 200);
        free(granted);
        if (call(w, "PATCH", "/v1.0/users/" USER("01"), cases[i].body) != cases[i].status)
            fail_msg("case %zu (%s): %d", i, cases[i].why, w->reply.status);
    }
}

static void test_bin(void **state)
{
    struct world *w = *state;
#define BIN "/v1.0/directory/deletedItems/"
    static const struct step cases[] = {
        { "DELETE", "/v1.0/users/" USER("02"), NULL, 204, NULL, "softly" },
        { "GET", "/v1.0/users/" USER("02"), NULL, 404, "does not exist", "gone" },
        { "GET", "/v1.0/users/" USER("01") "/manager", NULL, 404, "manager", "and manages nobody" },
        { "GET", BIN "microsoft.graph.user?$select=id,userPrincipalName,deletedDateTime", NULL, 200,
          "\"userPrincipalName\":\"a0000000000040008000000000000002grace@contoso.com\"", "UPN with the id before it" },
        { "GET", BIN "microsoft.graph.user?$filter=startswith(userPrincipalName,'a0000000000040008000000000000002')", NULL, 200, USER("02"), "found by its start" },
        { "GET", BIN "microsoft.graph.user?$filter=id%20eq%20'" USER("02") "'", NULL, 200, USER("02"), "found by id" },
        { "GET", BIN "microsoft.graph.user?$filter=userPrincipalName%20eq%20'grace@contoso.com'", NULL, 200, "\"value\":[]", "not under the old UPN" },
        { "GET", BIN USER("02"), NULL, 200, "#microsoft.graph.user", "read" },
        { "POST", "/v1.0/users", JSON_USER("grace@contoso.com", ""), 201, NULL, "her UPN is given away" },
        { "POST", BIN USER("02") "/restore", NULL, 400, "ObjectConflict", "so she cannot come back" },
        { "POST", BIN USER("02") "/restore", "{\"newUserPrincipalName\":\"grace2@elsewhere.com\"}", 400, "verified domain", "nor under that" },
        { "POST", BIN USER("02") "/restore", "{\"upn\":\"x\"}", 400, "upn", "closed body" },
        { "POST", BIN USER("02") "/restore", "{\"newUserPrincipalName\":\"grace2@contoso.com\"}", 200, USER("02"), "with another UPN" },
        { "GET", "/v1.0/users/grace2@contoso.com?$select=id,deletedDateTime", NULL, 200, "\"deletedDateTime\":null", "back" },
        { "GET", "/v1.0/users/" USER("01") "/manager", NULL, 200, "Grace", "with her reports" },
        { "GET", "/v1.0/groups/" GROUP("01") "/members", NULL, 200, "Grace", "and memberships" },
        { "POST", BIN USER("02") "/restore", NULL, 404, "does not exist", "once only" },
        { "DELETE", "/v1.0/users/" USER("03"), NULL, 204, NULL, "another" },
        { "PATCH", "/v1.0/users/" USER("01"), "{\"mail\":\"alan.turing@contoso.com\"}", 204, NULL, "whose address is given away" },
        { "POST", BIN USER("03") "/restore", NULL, 400, "proxyAddresses", "a conflict" },
        { "POST", BIN USER("03") "/restore", "{\"autoReconcileProxyConflict\":true}", 200, "\"mail\":null", "without the address" },
        { "DELETE", "/v1.0/users/" USER("04"), NULL, 204, NULL, "a third" },
        { "DELETE", BIN USER("04"), NULL, 204, NULL, "for good" },
        { "GET", BIN USER("04"), NULL, 404, "does not exist", "for good" },
        { "DELETE", "/v1.0/users/" USER("11"), NULL, 403, "Insufficient", "an administrator" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, NULL, "restores"), 2);
    assert_int_equal(counted(w, NULL, "deletes"), 3);
    assert_int_equal(counted(w, USER("04"), "purges"), 1);
}

static int64_t consumed(struct world *w, size_t sku)
{
    return eb_json_int(json_array_get(w->sim->entra->skus, sku), "consumedUnits", -1);
}

static void test_licences(void **state)
{
    struct world *w = *state;
#define ASSIGN(nn) "/v1.0/users/" USER(nn) "/assignLicense"
    static const struct step cases[] = {
        { "GET", "/v1.0/subscribedSkus", NULL, 200, "SPE_E5", "list" },
        { "GET", "/v1.0/subscribedSkus/11111111-2222-4333-8444-555555555555_" SKU("1"), NULL, 200, "SPE_E3", "one" },
        { "POST", ASSIGN("01"), "{\"addLicenses\":[]}", 400, "missing parameters are: removeLicenses", "both lists" },
        { "POST", ASSIGN("27"), LICENCES(ADD("1"), ""), 400, "invalid usage location", "usageLocation first" },
        { "POST", ASSIGN("01"), LICENCES(ADD("2"), ""), 400, "does not have any available licenses", "none left" },
        { "POST", ASSIGN("01"), LICENCES(ADD("9"), ""), 400, "valid company License", "never bought" },
        { "POST", ASSIGN("01"), LICENCES("", "\"" SKU("1") "\""), 400, "corresponding license", "never given" },
        { "POST", ASSIGN("25"), LICENCES("", "\"" SKU("1") "\""), 400, "inherited from a group", "a group's licence" },
        { "POST", ASSIGN("01"), LICENCES("{\"skuId\":\"" SKU("1") "\",\"disabledPlans\":[\"" SKU("1") "\"]}", ""), 400, "service plan", "a plan it has not" },
        { "POST", ASSIGN("01"), LICENCES(ADD("1") "," ADD("2"), ""), 400, "available", "all or nothing" },
        { "GET", "/v1.0/users/" USER("01") "/licenseDetails", NULL, 200, "\"value\":[]", "nothing" },
        { "POST", ASSIGN("01"), LICENCES(ADD("1"), ""), 200, "\"assignedByGroup\":null", "given" },
        { "POST", ASSIGN("01"), LICENCES(ADD("1"), ""), 200, NULL, "again: no harm" },
        { "GET", "/v1.0/users/" USER("01") "/licenseDetails", NULL, 200, "SPE_E3", "has it" },
        { "POST", ASSIGN("01"), LICENCES(ADD("3"), "\"" SKU("1") "\""), 200, SKU("3"), "one for another" },
        { "GET", "/v1.0/users/" USER("25") "?$select=licenseAssignmentStates", NULL, 200, "\"assignedByGroup\":\"" GROUP("18") "\"", "of the group" },
    };

    assert_int_equal(consumed(w, 0), 6);
    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(consumed(w, 0), 6);
    assert_int_equal(consumed(w, 2), 2);
    assert_int_equal(counted(w, USER("01"), "licences_added"), 2);
    assert_int_equal(counted(w, USER("01"), "licences_removed"), 1);
    assert_int_equal(call(w, "DELETE", "/v1.0/users/" USER("01"), NULL), 204);
    assert_int_equal(consumed(w, 2), 1);                            /* a deleted user's licence is free again */
    assert_int_equal(call(w, "POST", "/v1.0/directory/deletedItems/" USER("01") "/restore", NULL), 200);
    assert_int_equal(consumed(w, 2), 2);
}

static void test_methods(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", METHODS("01") "methods", NULL, 200, "passwordAuthenticationMethod", "a password at least" },
        { "GET", METHODS("26") "methods", NULL, 200, "windowsHelloForBusinessAuthenticationMethod", "mixed, each with its type" },
        { "GET", METHODS("26") "methods?$select=id", NULL, 400, "not supported", "no query options" },
        { "GET", METHODS("26") "phoneMethods", NULL, 200, "+49 30 5550101", "of one type" },
        { "GET", METHODS("26") "phoneMethods/3179e48a-750b-4051-897c-87b9720928f7", NULL, 200, "mobile", "one" },
        { "DELETE", METHODS("26") "methods/3179e48a-750b-4051-897c-87b9720928f7", NULL, 400, "Resource not found", "no delete on the mixed list" },
        { "DELETE", METHODS("26") "emailMethods/3179e48a-750b-4051-897c-87b9720928f7", NULL, 404, "resourceNotFound", "of another type" },
        { "DELETE", METHODS("26") "microsoftAuthenticatorMethods/60000000-0000-4000-8000-000000000001", NULL, 400, "default authentication method", "the default, too early" },
        { "DELETE", METHODS("26") "phoneMethods/3179e48a-750b-4051-897c-87b9720928f7", NULL, 204, NULL, "another" },
        { "DELETE", METHODS("26") "phoneMethods/3179e48a-750b-4051-897c-87b9720928f7", NULL, 404, NULL, "once" },
        { "DELETE", METHODS("26") "phoneMethods/e37fc753-ff3b-4958-9484-eaa9425c82bc", NULL, 204, NULL, "office" },
        { "DELETE", METHODS("26") "emailMethods/3ddfcfc8-9383-446f-83cc-3ab9be4be18f", NULL, 204, NULL, "e-mail" },
        { "DELETE", METHODS("26") "fido2Methods/60000000-0000-4000-8000-000000000002", NULL, 204, NULL, "key" },
        { "DELETE", METHODS("26") "softwareOathMethods/60000000-0000-4000-8000-000000000003", NULL, 204, NULL, "token" },
        { "DELETE", METHODS("26") "windowsHelloForBusinessMethods/60000000-0000-4000-8000-000000000004", NULL, 204, NULL, "hello" },
        { "DELETE", METHODS("26") "microsoftAuthenticatorMethods/60000000-0000-4000-8000-000000000001", NULL, 204, NULL, "the default, last" },
        { "GET", METHODS("30") "phoneMethods", NULL, 200, "3179e48a-750b-4051-897c-87b9720928f7", "the same id for every user" },
        { "POST", "/sim/settings", "{\"granted\":[\"User.Read.All\"]}", 200, NULL, "a right is taken" },
        { "GET", METHODS("30") "methods", NULL, 403, "\"code\":\"accessDenied\"", "a shape of its own" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, USER("26"), "methods_deleted"), 7);
}

static void test_passes(void **state)
{
    struct world *w = *state;
#define PASSES(nn) METHODS(nn) "temporaryAccessPassMethods"
    static const struct step cases[] = {
        { "POST", PASSES("06"), "{}", 400, "external guest", "a guest" },
        { "POST", PASSES("01"), "{\"lifetimeInMinutes\":30}", 400, "lifetime", "shorter than the policy says" },
        { "POST", PASSES("01"), "{\"lifetimeInMinutes\":481}", 400, "lifetime", "longer" },
        { "POST", PASSES("01"), "{\"lifetimeInMinutes\":\"60\"}", 400, "not valid", "text" },
        { "POST", PASSES("01"), "{\"colour\":\"red\"}", 400, "not valid", "closed body" },
        { "GET", PASSES("01"), NULL, 200, "\"value\":[]", "none" },
        { "POST", PASSES("01"), "{\"lifetimeInMinutes\":60,\"isUsableOnce\":true}", 201, "\"isUsableOnce\":true", "issued" },
        { "GET", PASSES("01"), NULL, 200, "\"temporaryAccessPass\":null", "its value never again" },
        { "POST", PASSES("01"), "{\"startDateTime\":\"2040-01-01T00:00:00Z\"}", 201, "NotYetValid", "one for later" },
        { "POST", "/sim/settings", "{\"tap_once\":true}", 200, NULL, "policy: one-time" },
        { "POST", PASSES("01"), "{\"isUsableOnce\":false}", 400, "one-time", "a multi-use pass" },
        { "POST", "/sim/settings", "{\"tap_enabled\":false}", 200, NULL, "policy: off" },
        { "POST", PASSES("01"), "{}", 400, "not enabled", "none at all" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(call(w, "GET", PASSES("01"), NULL), 200);
    const json_t *list = json_object_get(w->reply.body, "value");
    assert_int_equal(json_array_size(list), 1);                     /* a new one replaces the old */
    char *target = eb_asprintf(PASSES("01") "/%s", eb_json_str(json_array_get(list, 0), "id"));
    assert_int_equal(call(w, "DELETE", target, NULL), 204);
    free(target);
    assert_int_equal(counted(w, USER("01"), "passes"), 2);
    assert_int_equal(counted(w, USER("01"), "passes_deleted"), 1);
}

static void test_invitations(void **state)
{
    struct world *w = *state;
#define INVITE(address) "{\"invitedUserEmailAddress\":\"" address "\",\"inviteRedirectUrl\":\"https://portal.example\",\"invitedUserDisplayName\":\"Iris\"}"
    static const struct step cases[] = {
        { "POST", "/v1.0/invitations", INVITE("iris@partner.example"), 201, "PendingAcceptance", "invited" },
        { "GET", "/v1.0/users/iris_partner.example%23EXT%23@contoso.onmicrosoft.com?$select=userType,mail", NULL, 200, "\"userType\":\"Guest\"", "a guest is made" },
        { "POST", "/v1.0/invitations", INVITE("iris@partner.example"), 201, "inviteRedeemUrl", "again" },
        { "POST", "/v1.0/invitations", INVITE("gustav@partner.example"), 201, USER("06"), "an old guest" },
        { "POST", "/v1.0/invitations", INVITE("grace.hopper@contoso.com"), 400, USER("02"), "somebody of ours" },
        { "POST", "/v1.0/invitations", INVITE("alan@home.example"), 400, USER("03"), "by another of his addresses" },
        { "POST", "/v1.0/invitations", INVITE("nobody@contoso.com"), 400, "verified domain", "our own domain" },
        { "POST", "/v1.0/invitations", INVITE("no address"), 400, "not valid", "no address" },
        { "POST", "/v1.0/invitations", "{\"invitedUserEmailAddress\":\"x@y.example\"}", 400, "inviteRedirectUrl", "required member" },
        { "POST", "/v1.0/invitations", "{\"invitedUserEmailAddress\":\"x@y.example\",\"inviteRedirectUrl\":\"https://x\",\"colour\":1}", 400, "invalid", "closed body" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(counted(w, NULL, "creates"), 1);
    assert_int_equal(counted(w, NULL, "invites"), 3);
}

static void test_member_checks(void **state)
{
    struct world *w = *state;
#define IDS(list) "{\"ids\":[" list "]}"
    static const struct step cases[] = {
        { "POST", "/v1.0/users/" USER("20") "/checkMemberObjects", IDS("\"" GROUP("06") "\",\"" GROUP("01") "\""), 200, "[\"" GROUP("06") "\"]", "nested" },
        { "POST", "/v1.0/directoryObjects/" GROUP("07") "/checkMemberObjects", IDS("\"" GROUP("06") "\""), 200, GROUP("06"), "a group" },
        { "POST", "/v1.0/users/" USER("20") "/checkMemberObjects", IDS("\"x\""), 400, "1 to 20 ids", "no id" },
        { "POST", "/v1.0/users/" USER("11") "/getMemberObjects", "{\"securityEnabledOnly\":false}", 200, "c0000000-", "roles too" },
        { "POST", "/v1.0/users/" USER("11") "/getMemberGroups", "{\"securityEnabledOnly\":false}", 200, "\"value\":[]", "groups only" },
        { "POST", "/v1.0/users/" USER("11") "/getMemberGroups", "{}", 400, "securityEnabledOnly", "required" },
        { "POST", "/v1.0/directoryObjects/getByIds", IDS("\"" USER("01") "\",\"" GROUP("01") "\""), 200, "VPN Users", "by ids" },
        { "GET", "/v1.0/users/" USER("01") "/manager/$ref", NULL, 200, "/directoryObjects/" USER("02"), "a link" },
        { "GET", "/v1.0/users/" USER("26") "/manager?$select=displayName", NULL, 200, "Petra", "the second line" },
        { "PUT", "/v1.0/users/" USER("16") "/manager/$ref", LINK("01"), 400, "on-premises mastered", "a synced user's manager" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

static void test_search(void **state)
{
    struct world *w = *state;
    static const struct { const char *search; bool eventual; int status; const char *text, *why; } cases[] = {
        { "%22displayName:lovel%22", true, 200, "Ada Lovelace", "the start of a word" },
        { "%22displayName:velace%22", true, 200, "\"value\":[]", "not its middle" },
        { "%22mail:grace%22%20OR%20%22displayName:turing%22", true, 200, "Alan Turing", "or" },
        { "%22displayName:twin%22%20AND%20%22displayName:two%22", true, 200, "Twin Two", "and" },
        { "%22displayName:nobody%22%20AND%20%22displayName:two%22", true, 200, "\"value\":[]", "and, the first fails" },
        { "%22displayName:ada%22", false, 400, "ConsistencyLevel", "without the header" },
        { "displayName:ada", true, 400, "quot", "without quotes" },
        { "%22shoeSize:42%22", true, 400, "shoeSize", "no such property" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_call c = { .cloud = SIM_CLOUD_GRAPH, .method = "GET", .eventual = cases[i].eventual };
        char *target = eb_asprintf("/v1.0/users?$search=%s", cases[i].search);
        assert_true(sim_call_target(&c, target));
        snprintf(c.authorization, sizeof(c.authorization), "%s", w->token);
        sim_reply_clear(&w->reply);
        sim_dispatch(w->sim, &c, &w->reply);
        reply_parse(w);
        char *text = eb_json_text(w->reply.body);
        if (w->reply.status != cases[i].status || strstr(text, cases[i].text) == NULL)
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, w->reply.status, text);
        free(text);
        free(target);
        sim_call_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passwords),
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bin, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licences, setup, teardown),
        cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
        cmocka_unit_test_setup_teardown(test_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_invitations, setup, teardown),
        cmocka_unit_test_setup_teardown(test_member_checks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
