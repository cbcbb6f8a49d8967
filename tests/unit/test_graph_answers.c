/* test_graph_answers.c - the catalogue: what each of Graph's answers to each kind of call means. */
#include "graph/catalogue.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define USER "a0000000-0000-4000-8000-000000000001"
#define GROUP "b0000000-0000-4000-8000-000000000001"
#define MEMBERS "/groups/" GROUP "/members/$ref"
#define MEMBER "/groups/" GROUP "/members/" USER "/$ref"
#define U "/users/" USER
#define MANAGER U "/manager/$ref"
#define LICENSES U "/assignLicense"
#define PASSES U "/authentication/temporaryAccessPassMethods"
#define PHONE U "/authentication/phoneMethods/3179e48a-750b-4051-897c-87b9720928f7"
#define RESTORE "/directory/deletedItems/" USER "/restore"
#define SYNCED "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
#define EXTERNAL "Unable to update the specified properties for objects that have originated within an external service."
#define GONE "Resource '" USER "' does not exist or one of its queried reference-property objects are not present."
#define DENIED "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
#define BAD "Request_BadRequest"
#define NOT_FOUND "Request_ResourceNotFound"
#define TAKEN(p) "Another object with the same value for property " p " already exists."
#define OK_SO GRAPH_NO_CHANGE, EB_OK, ""
#define REJECTED GRAPH_REFUSED, EB_REJECTED_BY_ENTRA
#define REFUSED(c) GRAPH_REFUSED, EB_##c

/* The messages are those of facts, parts 4 and 5. */
static const struct { enum graph_kind kind; const char *path; int status; const char *code, *message;
                      enum graph_result result; enum eb_code err; const char *text, *why; } cases[] = {
    { GRAPH_ADD, MEMBERS, 204, "", "", GRAPH_OK, EB_OK, "", "done" },
    { GRAPH_ADD, MEMBERS, 400, BAD, "One or more added object references already exist for the following modified properties: 'members'.", OK_SO, "a member already" },
    { GRAPH_REMOVE, MEMBER, 404, NOT_FOUND, "Resource 'x' does not exist or one of its queried reference-property objects are not present.", OK_SO, "no member" },
    { GRAPH_REMOVE, MEMBER, 400, BAD, "One or more removed object references do not exist for the following", OK_SO, "its older form" },
    { GRAPH_ADD, MEMBERS, 404, NOT_FOUND, "Resource '" GROUP "' does not exist", REFUSED(GROUP_NOT_FOUND), "group", "the group is gone" },
    { GRAPH_ADD, MEMBERS, 404, NOT_FOUND, "Resource '" USER "' does not exist", REFUSED(USER_NOT_FOUND), "user", "the user is gone" },
    { GRAPH_USER, U, 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "user", "the user is gone" },
    { GRAPH_ADD, MEMBERS, 400, BAD, "Cannot Update a mail-enabled security groups and or distribution list.", REFUSED(GROUP_NOT_MODIFIABLE), "Exchange", "a mail-enabled group" },
    { GRAPH_ADD, MEMBERS, 400, BAD, SYNCED, REFUSED(GROUP_NOT_MODIFIABLE), "on-premises", "a synced group" },
    { GRAPH_USER, U, 400, BAD, SYNCED, REFUSED(USER_NOT_MODIFIABLE), "decides about jobTitle, city:", "a synced user, and which attributes" },
    { GRAPH_PASSWORD, U, 400, BAD, SYNCED, REFUSED(USER_NOT_MODIFIABLE), "on-premises", "a synced user's password" },
    { GRAPH_MANAGER, MANAGER, 400, BAD, SYNCED, REFUSED(USER_NOT_MODIFIABLE), "on-premises", "a synced user's manager" },
    { GRAPH_NO_MANAGER, MANAGER, 400, BAD, SYNCED, REFUSED(USER_NOT_MODIFIABLE), "on-premises", "the same, removed" },
    { GRAPH_USER, U, 400, BAD, EXTERNAL, REFUSED(USER_NOT_MODIFIABLE), "another service", "a formerly synced user" },
    { GRAPH_ADD, MEMBERS, 400, BAD, "The source resource object or one of the objects being referenced don't exist.", REFUSED(GROUP_NOT_FOUND), "again", "a fresh group" },

    { GRAPH_CREATE, "/users", 201, "", "", GRAPH_OK, EB_OK, "", "created" },
    { GRAPH_CREATE, "/users", 400, BAD, TAKEN("userPrincipalName"), REFUSED(USER_ALREADY_EXISTS), "same userPrincipalName", "a UPN taken" },
    { GRAPH_CREATE, "/users", 400, BAD, TAKEN("proxyAddresses"), REFUSED(USER_ALREADY_EXISTS), "same proxyAddresses", "an alias taken" },
    { GRAPH_CREATE, "/users", 400, BAD, TAKEN("mailNickname"), REFUSED(USER_ALREADY_EXISTS), "same mailNickname", "an alias taken" },
    { GRAPH_USER, U, 400, BAD, TAKEN("proxyAddresses"), REFUSED(USER_ALREADY_EXISTS), "same proxyAddresses", "a new mail that is taken" },
    { GRAPH_CREATE, "/users", 400, BAD, "The specified password does not comply with password complexity requirements. Please provide a different password.",
      REJECTED, "banned word", "a weak or banned password" },
    { GRAPH_PASSWORD, U, 400, BAD, "The specified password does not comply with password complexity requirements. Please provide a different password.",
      REJECTED, "Entra says: The specified password", "the same on a reset" },
    { GRAPH_USER, U, 400, BAD, "Invalid value for password hint", REJECTED, "Request_BadRequest: Invalid value", "the word alone says nothing on another write" },
    { GRAPH_CREATE, "/users", 400, BAD, "One or more property values specified are invalid.", REJECTED, "before you send the request again", "may be passing, but is never sent again by itself" },
    { GRAPH_USER, U, 400, BAD, "One or more property values specified are invalid.", REJECTED, "check jobTitle, city", "of an update" },
    { GRAPH_CREATE, "/users", 400, BAD, "Property 'aboutMe' is read-only and cannot be set.", REJECTED, "no application write aboutMe", "a read-only property" },
    { GRAPH_USER, U, 400, BAD, "Property 'aboutMe' is read-only and cannot be set.", REJECTED, "no application write aboutMe", "the same, of an update" },
    { GRAPH_CREATE, "/users", 400, BAD, "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
      REJECTED, "verified domains", "a domain that is not the tenant's" },
    { GRAPH_CREATE, "/users", 400, BAD, "The source resource object or one of the objects being referenced don't exist.", REFUSED(USER_NOT_FOUND), "manager", "the manager is gone" },
    { GRAPH_CREATE, "/users", 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "manager", "the same as 404" },
    { GRAPH_CREATE, "/users", 403, "Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded.", REJECTED, "30 days", "the quota" },
    { GRAPH_CREATE, "/users", 400, "Directory_QuotaExceeded", "", REJECTED, "quota", "by its code alone" },
    { GRAPH_ADD, MEMBERS, 403, "Directory_QuotaExceeded", "Unable to perform operation as '100001' would exceed the maximum quota count '100000' for forward-link 'members'.",
      REJECTED, "forward-link", "a full group" },
    { GRAPH_CREATE, "/users", 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "User.Test.All", "403 on create" },
    { GRAPH_CREATE, "/users", 503, "Directory_QuotaExceeded", "The quota service is away.", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "not known", "words of a failure on the other side decide nothing" },
    { GRAPH_CREATE, "/users", 504, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "not known", "may have been created" },

    { GRAPH_DELETE, U, 404, NOT_FOUND, GONE, OK_SO, "deleted already" },
    { GRAPH_DELETE, U, 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "Privileged Authentication Administrator", "an administrator" },
    { GRAPH_RESTORE, RESTORE, 400, BAD, TAKEN("userPrincipalName"), REFUSED(USER_ALREADY_EXISTS), "under another userPrincipalName", "the UPN was given away" },
    { GRAPH_RESTORE, RESTORE, 400, BAD, TAKEN("proxyAddresses"), REFUSED(USER_ALREADY_EXISTS), "proxyAddresses by now", "an address was given away" },
    { GRAPH_RESTORE, RESTORE, 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "gone for good", "gone for good" },

    { GRAPH_MANAGER, MANAGER, 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "this user", "the user is gone" },
    { GRAPH_MANAGER, MANAGER, 404, NOT_FOUND, "Resource '" GROUP "' does not exist", REFUSED(USER_NOT_FOUND), "manager", "the manager is gone" },
    { GRAPH_NO_MANAGER, MANAGER, 404, NOT_FOUND, "Resource 'manager' does not exist or one of its queried reference-property objects are not present.", OK_SO, "none set" },
    { GRAPH_NO_MANAGER, MANAGER, 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "this user", "the user is gone: not a success" },
    { GRAPH_READ, U "/manager", 404, NOT_FOUND, "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
      REFUSED(NOT_THERE), "no manager", "no manager is not: no user" },

    { GRAPH_LICENSES, LICENSES, 400, BAD, "License assignment cannot be done for user with invalid usage location.", REJECTED, "set usageLocation first", "no usageLocation" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "Subscription with SKU c0ffee00-0000-4000-8000-000000000001 does not have any available licenses.", REJECTED, "is left", "none left" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "User license is inherited from a group membership and it cannot be removed directly from the user.", REJECTED, "from that group", "from a group" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "License assignment failed because service plan fe71d6c3 depends on the service plan(s) 5dbe027f", REJECTED, "together", "a dependency" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "License assignment failed because service plans 4fa4026d, 57ff2da0 are mutually exclusive.", REJECTED, "excludes", "they exclude each other" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "License assignment failed because service plan a conflicts with service plan b.", REJECTED, "excludes", "another form of it" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing parameters are: removeLicenses.",
      REJECTED, "what to remove", "half a change" },
    { GRAPH_LICENSES, LICENSES, 400, BAD, "User does not have a corresponding license.", OK_SO, "not held: one is removed a call" },
    { GRAPH_LICENSES, LICENSES, 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "this user", "the user is gone" },

    { GRAPH_PASS, PASSES, 400, "badRequest", "Temporary Access Pass cannot be added to an external guest user.", REFUSED(USER_NOT_MODIFIABLE), "guest", "a guest" },
    { GRAPH_PASS, PASSES, 400, "badRequest", "Invalid LifetimeInMinutes specified. The valid range between 60 and 480.", REJECTED, "between 60 and 480", "outside the policy" },
    { GRAPH_PASS, PASSES, 400, "badRequest", "Only one-time Temporary Access Passes are allowed.", REJECTED, "one-time pass", "one-time enforced" },
    { GRAPH_PASS, PASSES, 400, "badRequest", "Temporary Access Pass is disabled by policy.", REJECTED, "authentication methods policy", "switched off" },
    { GRAPH_PASS, PASSES, 403, "accessDenied", "Request Authorization failed", REFUSED(ENTRA_PERMISSION_MISSING), "User.Test.All", "403 has another shape here" },
    { GRAPH_METHOD, PHONE, 400, "badRequest", "The requested authentication method id matches the user's current default authentication method, and cannot be deleted until "
      "the default authentication method is changed", REJECTED, "the others first", "the default" },
    { GRAPH_METHOD, PHONE, 404, "resourceNotFound", "The requested resource was not found.", OK_SO, "deleted already" },
    { GRAPH_METHOD, PHONE, 403, "accessDenied", "Request Authorization failed", REFUSED(ENTRA_PERMISSION_MISSING), "User.Test.All", "403" },
    { GRAPH_METHOD, PHONE, 503, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "not known", "may be gone" },

    { GRAPH_INVITE, "/invitations", 400, "BadRequest", "The invited user already exists in the directory as object ID: " USER ". They can use that account to sign in to shared apps and resources.",
      REFUSED(USER_ALREADY_EXISTS), "already", "a guest already" },
    { GRAPH_INVITE, "/invitations", 400, "BadRequest", "Invitation failed: the email address is a verified domain of this directory.", REJECTED, "create a user", "one of our own" },
    { GRAPH_INVITE, "/invitations", 403, "Forbidden", "Guest invitations not allowed for your company. Contact your company administrator for more details.", REJECTED, "Guest Inviter", "the tenant forbids it" },
    { GRAPH_INVITE, "/invitations", 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "User.Test.All", "403" },
    { GRAPH_INVITE, "/invitations", 404, "", "", REJECTED, "404", "never the code that stays inside" },
    { GRAPH_SESSIONS, U "/revokeSignInSessions", 404, NOT_FOUND, GONE, REFUSED(USER_NOT_FOUND), "this user", "the user is gone" },

    { GRAPH_ADD, MEMBERS, 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "dynamic membership", "403 on a group" },
    { GRAPH_USER, U, 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "Privileged Authentication Administrator", "403 on an administrator" },
    { GRAPH_READ, "/roleManagement/directory/roleAssignments?x", 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "RoleManagement.Read.Directory", "403 on roles" },
    { GRAPH_READ, PASSES, 403, "accessDenied", "Request Authorization failed", REFUSED(ENTRA_PERMISSION_MISSING), "UserAuthMethod-TAP.Read.All", "403 on passes" },
    { GRAPH_READ, U "/authentication/methods", 403, "accessDenied", "", REFUSED(ENTRA_PERMISSION_MISSING), "UserAuthenticationMethod.Read.All", "403 on methods" },
    { GRAPH_READ, "/subscribedSkus", 403, DENIED, REFUSED(ENTRA_PERMISSION_MISSING), "LicenseAssignment.Read.All", "403 on products" },
    { GRAPH_READ, "/users/x?$select=id", 404, NOT_FOUND, "", REFUSED(USER_NOT_FOUND), "user", "no such user" },
    { GRAPH_READ, "/groups/x", 404, NOT_FOUND, "", REFUSED(GROUP_NOT_FOUND), "group", "no such group" },
    { GRAPH_READ, "/domains/x", 404, "", "", REFUSED(NOT_THERE), "", "no such thing" },
    { GRAPH_ADD, MEMBERS, 400, BAD, "Invalid value\x07 for property.", REJECTED, "Request_BadRequest: Invalid value for", "Graph's own words, cleaned" },
    { GRAPH_USER, U, 422, "", "", REJECTED, "422", "an unknown refusal" },
    { GRAPH_ADD, MEMBERS, 401, "InvalidAuthenticationToken", "x", REFUSED(ENTRA_UNAVAILABLE), "entra.cloud", "still 401 after a new token" },
    { GRAPH_CREATE, "/users", 429, "TooManyRequests", "", GRAPH_THROTTLED, EB_ENTRA_UNAVAILABLE, "429", "throttled: nothing was done" },
    { GRAPH_ADD, MEMBERS, 409, "Directory_ConcurrencyViolation", "Concurrent update", GRAPH_THROTTLED, EB_ENTRA_UNAVAILABLE, "", "a clash: nothing was done" },
    { GRAPH_ADD, MEMBERS, 500, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "not known", "500 on a write" },
    { GRAPH_REMOVE, MEMBER, 502, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "", "502 on a write" },
    { GRAPH_USER, U, 503, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "", "503 on a write" },
    { GRAPH_PASS, PASSES, 504, "UnknownError", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "", "504 on a write" },
    { GRAPH_USER, U, 302, "", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "302", "a redirect" },
    { GRAPH_READ, U, 503, "serviceNotAvailable", "", GRAPH_IN_DOUBT, EB_ENTRA_UNAVAILABLE, "503", "a read that kept failing" },
};

static void judge(enum graph_kind kind, const char *path, int status, const json_t *doc, struct graph_reply *r)
{
    struct graph_error e;

    *r = (struct graph_reply){ .status = status, .retry_after_ms = -1 };
    graph_error_read(doc, &e);
    graph_judge(&(struct graph_asked){ kind, path, kind == GRAPH_READ ? NULL : "User.Test.All", kind == GRAPH_READ ? NULL : "jobTitle, city" }, &e, r);
}

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct graph_reply r;
        json_t *doc = json_pack("{s:{s:s, s:s}}", "error", "code", cases[i].code, "message", cases[i].message);
        judge(cases[i].kind, cases[i].path, cases[i].status, doc, &r);
        if (r.result != cases[i].result || r.err.code != cases[i].err || strstr(r.err.text, cases[i].text) == NULL || strchr(r.err.text, '{') != NULL)
            fail_msg("case %zu (%s): %d %s %s", i, cases[i].why, r.result, eb_code_text(r.err.code), r.err.text);
        json_decref(doc);
    }
}

/* What only `details` tell: the message may change, and is another one where the tenant speaks another language. */
static void test_details(void **state)
{
    static const struct { enum graph_kind kind; const char *path, *details; enum eb_code err; const char *text; } rows[] = {
        { GRAPH_CREATE, "/users", "[{\"code\":\"ObjectConflict\",\"message\":\"x\",\"target\":\"userPrincipalName\"}]", EB_USER_ALREADY_EXISTS, "same userPrincipalName" },
        { GRAPH_CREATE, "/users", "{\"code\":\"ObjectConflict\",\"target\":\"proxyAddresses\"}", EB_USER_ALREADY_EXISTS, "same proxyAddresses" },
        { GRAPH_CREATE, "/users", "[{\"code\":\"ObjectConflict\"}]", EB_USER_ALREADY_EXISTS, "same one of the values" },
        { GRAPH_RESTORE, RESTORE, "[{\"code\":\"ObjectConflict\",\"target\":\"proxyAddresses\"}]", EB_USER_ALREADY_EXISTS, "proxyAddresses by now" },
        { GRAPH_LICENSES, LICENSES, "[{\"code\":\"CountViolation\"}]", EB_REJECTED_BY_ENTRA, "is left" },
        { GRAPH_LICENSES, LICENSES, "[{\"code\":\"MutuallyExclusiveViolation\"}]", EB_REJECTED_BY_ENTRA, "excludes" },
        { GRAPH_LICENSES, LICENSES, "[{\"code\":\"DependencyViolation\"}]", EB_REJECTED_BY_ENTRA, "together" },
        { GRAPH_LICENSES, LICENSES, "[{\"code\":\"ProhibitedInUsageLocationViolation\"}]", EB_REJECTED_BY_ENTRA, "usageLocation" },
        { GRAPH_LICENSES, LICENSES, "[]", EB_REJECTED_BY_ENTRA, "Etwas ging schief" },
        { GRAPH_LICENSES, LICENSES, "[7]", EB_REJECTED_BY_ENTRA, "Etwas ging schief" },
        { GRAPH_LICENSES, LICENSES, "[{\"code\":7,\"target\":[]}]", EB_REJECTED_BY_ENTRA, "Etwas ging schief" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        struct graph_reply r;
        json_t *doc = json_pack("{s:{s:s, s:s, s:o}}", "error", "code", BAD, "message", "Etwas ging schief.", "details", json_loads(rows[i].details, 0, NULL));
        judge(rows[i].kind, rows[i].path, 400, doc, &r);
        if (r.result != GRAPH_REFUSED || r.err.code != rows[i].err || strstr(r.err.text, rows[i].text) == NULL)
            fail_msg("case %zu: %d %s %s", i, r.result, eb_code_text(r.err.code), r.err.text);
        json_decref(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_answers), cmocka_unit_test(test_details) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
