/* test_envelope.c - the marketplace app's envelope: which body of which kind it becomes, what is refused, and how errors name what the caller wrote. */
#include "base/text.h"
#include "config/attribute.h"
#include "handlers/envelope.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config_pair more_routes[] = { { (char *)(uintptr_t)"deactivate", (char *)(uintptr_t)"user.disable" }, { (char *)(uintptr_t)"Find People", (char *)(uintptr_t)"user.search" } };
static struct config_pair more_fields[] = {
    { (char *)(uintptr_t)"employee", (char *)(uintptr_t)"user" }, { (char *)(uintptr_t)"position", (char *)(uintptr_t)"jobTitle" },
    { (char *)(uintptr_t)"newMail", (char *)(uintptr_t)"attributes.mail" }, { (char *)(uintptr_t)"anrede", (char *)(uintptr_t)"firstName" },
};
static const struct config_compat plain, more = {
    .routes = { more_routes, EB_LEN(more_routes) }, .fields = { more_fields, EB_LEN(more_fields) }, .default_domain = (char *)(uintptr_t)"contoso.com",
};

static json_t *parse(const char *text)
{
    json_t *v = NULL;
    struct eb_err err = { 0 };

    if (!eb_json_parse((struct eb_span){ text, strlen(text) }, &v, &err))
        fail_msg("%s: %s", text, err.text);
    return v;
}

static bool translate(const char *text, const char *header, const struct config_compat *c, struct envelope **ret, struct eb_err *err)
{
    json_t *request = parse(text);
    bool good = envelope_read(request, header, c, ret, err);

    json_decref(request);
    return good;
}

static void becomes(const char *text, const char *header, const struct config_compat *c, const char *kind, const char *body, const char *why)
{
    struct envelope *e;
    struct eb_err err = { 0 };

    if (!translate(text, header, c, &e, &err))
        fail_msg("%s (%s): %s", text, why, err.text);
    char *made = eb_json_canonical(e->body);
    json_t *wanted_json = parse(body);
    char *wanted = eb_json_canonical(wanted_json);
    if (strcmp(e->kind->name, kind) != 0 || strcmp(made, wanted) != 0)
        fail_msg("%s (%s): %s %s", text, why, e->kind->name, made);
    free(made);
    free(wanted);
    json_decref(wanted_json);
    envelope_free(e);
}

/* Each route in the spellings that people write. */
static void test_routes(void **state)
{
    (void)state;
    static const struct { const char *route, *kind; } cases[] = {
        { "createUser", "user.create" }, { "updateUser", "user.update" }, { "enableUser", "user.enable" }, { "disableUser", "user.disable" },
        { "resetPassword", "user.reset_password" }, { "resetUserPassword", "user.reset_password" },
        { "addUserToGroup", "group.add_member" }, { "addGroupMember", "group.add_member" }, { "addMember", "group.add_member" },
        { "removeUserFromGroup", "group.remove_member" }, { "removeGroupMember", "group.remove_member" }, { "removeMember", "group.remove_member" },
    };
    const struct envelope_name *rows;

    assert_int_equal(envelope_routes(&rows), EB_LEN(cases));
    for (size_t i = 0; i < EB_LEN(cases); i++)
        for (int form = 0; form < 5; form++) {
            char spelt[80] = "", text[200];
            size_t n = 0;
            for (const char *p = cases[i].route; *p != '\0'; p++) {
                if (form > 1 && isupper((unsigned char)*p))
                    spelt[n++] = form == 2 ? '-' : form == 3 ? '_' : ' ';
                spelt[n++] = (char)(form == 0 ? *p : form == 1 ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
            }
            spelt[n] = '\0';
            snprintf(text, sizeof text, "{\"route\":\"%s\",\"data\":{}}", spelt);
            becomes(text, NULL, &plain, cases[i].kind, "{}", "a spelling");
        }
    assert_null(envelope_kind(&plain, "deactivate"));
    assert_string_equal(envelope_kind(&more, "DE_activate")->name, "user.disable");
    assert_string_equal(envelope_kind(&more, "findpeople")->name, "user.search");
}

/* Each name of a field, in the kinds that have it. */
static void test_names(void **state)
{
    (void)state;
    static const char *const user[] = { "user", "userId", "id", "userName", "username", "USER_NAME", "userPrincipalName", "upn", "email", "e-mail", "mail", "User ID" };
    static const char *const user_kinds[] = { "user.enable", "user.disable", "user.update", "user.reset_password", "group.add_member", "group.remove_member", "user.get" };
    static const struct { const char *kind, *name, *means; } cases[] = {
        { "group.add_member", "group", "group" }, { "group.add_member", "groupId", "group" }, { "group.remove_member", "Group Name", "group" },
        { "group.add_member", "expires_in", "expiresIn" }, { "group.add_member", "dryrun", "dryRun" }, { "group.add_member", "issueKey", "issue" },
        { "group.add_member", "jobTitle", NULL }, { "user.enable", "group", NULL }, { "user.enable", "password", NULL }, { "user.enable", "generatePassword", NULL },
        { "group.add_member", "attributes.jobTitle", NULL }, { "user.update", "attributes.jobTitle", NULL },
        { "user.create", "userPrincipalName", "userPrincipalName" }, { "user.create", "userName", "userPrincipalName" }, { "user.create", "upn", "userPrincipalName" },
        { "user.create", "user", "userPrincipalName" }, { "user.create", "mail", "attributes.mail" }, { "user.create", "email", "attributes.mail" },
        { "user.create", "userId", NULL }, { "user.create", "firstName", "attributes.givenName" }, { "user.create", "given_name", "attributes.givenName" },
        { "user.create", "lastname", "attributes.surname" }, { "user.create", "DisplayName", "attributes.displayName" },
        { "user.create", "mailNickname", "attributes.mailNickname" }, { "user.create", "enabled", "accountEnabled" },
        { "user.create", "accountEnabled", "accountEnabled" }, { "user.create", "forcePasswordChange", "forceChangePasswordNextSignIn" },
        { "user.create", "manager", "manager" }, { "user.create", "useSystemGeneratedPassword", ENVELOPE_GENERATE },
        { "user.reset_password", "newPassword", "password" }, { "user.reset_password", "force-change-password", "forceChangePasswordNextSignIn" },
        { "user.update", "job title", "attributes.jobTitle" }, { "user.update", "attributes", "attributes" },
        { "user.update", "extension_0123456789abcdef0123456789abcdef_costCenter", "attributes.extension_0123456789abcdef0123456789abcdef_costCenter" },
        { "user.update", "accountEnabled", "attributes.accountEnabled" },       /* refused by the kind, which says what to use */
        { "user.invite", "mail", "mail" }, { "user.invite", "displayName", "displayName" },
    };
    char means[ENVELOPE_NAME_MAX];

    for (size_t k = 0; k < EB_LEN(user_kinds); k++)
        for (size_t i = 0; i < EB_LEN(user); i++)
            if (!envelope_resolve(ops_kind_find(user_kinds[k]), &plain, user[i], means) || strcmp(means, "user") != 0)
                fail_msg("%s of %s is not the user", user[i], user_kinds[k]);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        bool found = envelope_resolve(ops_kind_find(cases[i].kind), &plain, cases[i].name, means);
        if (found != (cases[i].means != NULL) || (found && strcmp(means, cases[i].means) != 0))
            fail_msg("%s of %s: %s", cases[i].name, cases[i].kind, found ? means : "nothing");
    }
}

/* Every field of every kind, and every attribute, is known under its own name: what a new kind brings is picked up. */
static void test_own_names(void **state)
{
    (void)state;
    const struct ops_kind *kinds;
    const struct attribute *rows;
    size_t n = ops_kinds(&kinds), count = attribute_rows(&rows);
    char means[ENVELOPE_NAME_MAX];

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < kinds[i].field_count; j++)
            if (!envelope_resolve(&kinds[i], NULL, kinds[i].fields[j].name, means) || strcmp(means, kinds[i].fields[j].name) != 0)
                fail_msg("%s of %s", kinds[i].fields[j].name, kinds[i].name);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(envelope_attribute(rows[i].name), rows[i].name);
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct { const char *text, *header; const struct config_compat *c; const char *kind, *body, *why; } cases[] = {
        { "{\"route\":\"addMember\",\"data\":{\"issue\":\"ITSM-1\",\"upn\":\"a@b.c\",\"groupName\":\"CRM\"}}", NULL, &plain, "group.add_member",
          "{\"issue\":\"ITSM-1\",\"user\":\"a@b.c\",\"group\":\"CRM\"}", "the usual" },
        { "{\"data\":{\"upn\":\"a@b.c\"},\"route\":\"enable user\"}", "ITSM-2", &plain, "user.enable", "{\"issue\":\"ITSM-2\",\"user\":\"a@b.c\"}", "the issue in the header" },
        { "{\"route\":\"enableUser\",\"data\":{\"issue\":\"ITSM-2\",\"upn\":\"a@b.c\",\"mail\":\"a@b.c\"}}", "ITSM-2", &plain, "user.enable",
          "{\"issue\":\"ITSM-2\",\"user\":\"a@b.c\"}", "twice the same" },
        { "{\"route\":\"enableUser\",\"data\":{\"issue\":10042,\"upn\":\"a@b.c\"}}", "10042", &plain, "user.enable", "{\"issue\":\"10042\",\"user\":\"a@b.c\"}", "an id as a number" },
        { "{\"route\":\"updateUser\",\"data\":{\"user\":\"a@b.c\",\"jobTitle\":\"E\",\"attributes\":{\"department\":\"D\",\"job_title\":\"E\"}}}", NULL, &plain, "user.update",
          "{\"user\":\"a@b.c\",\"attributes\":{\"jobTitle\":\"E\",\"department\":\"D\"}}", "flat and in the object" },
        { "{\"route\":\"updateUser\",\"data\":{\"user\":\"a@b.c\",\"attributes\":{\"mail\":\"x@b.c\",\"firstName\":\"A\",\"shoe\":\"1\"}}}", NULL, &plain, "user.update",
          "{\"user\":\"a@b.c\",\"attributes\":{\"mail\":\"x@b.c\",\"givenName\":\"A\",\"shoe\":\"1\"}}", "what the object holds is no user; the kind refuses the rest" },
        { "{\"route\":\"updateUser\",\"data\":{\"user\":\"a@b.c\",\"city\":null}}", NULL, &plain, "user.update", "{\"user\":\"a@b.c\",\"attributes\":{\"city\":null}}", "null clears" },
        { "{\"route\":\"updateUser\",\"data\":{\"user\":\"a@b.c\",\"attributes\":\"x\",\"city\":\"B\"}}", NULL, &plain, "user.update", "{\"user\":\"a@b.c\",\"attributes\":\"x\"}", "the kind says it" },
        { "{\"route\":\"createUser\",\"data\":{\"userName\":\"a@b.c\",\"firstName\":\"A\",\"lastName\":\"B\",\"enabled\":\"False\",\"generatePassword\":\"true\",\"forcePasswordChange\":\"TRUE\"}}",
          NULL, &plain, "user.create",
          "{\"userPrincipalName\":\"a@b.c\",\"attributes\":{\"givenName\":\"A\",\"surname\":\"B\"},\"accountEnabled\":false,\"forceChangePasswordNextSignIn\":true}", "truth as text" },
        { "{\"route\":\"resetPassword\",\"data\":{\"user\":\"a@b.c\",\"newPassword\":\"Pa55word!\",\"systemGenerated\":false}}", NULL, &plain, "user.reset_password",
          "{\"user\":\"a@b.c\",\"password\":\"Pa55word!\"}", "a password of the caller's" },
        { "{\"route\":\"resetPassword\",\"data\":{\"user\":\"a@b.c\",\"systemGenerated\":true,\"generatePassword\":true}}", NULL, &plain, "user.reset_password", "{\"user\":\"a@b.c\"}", "made here" },
        { "{\"route\":\"enableUser\",\"data\":{\"dryRun\":\"true\",\"user\":\"true\"}}", NULL, &plain, "user.enable", "{\"dryRun\":true,\"user\":\"true\"}", "only truth values are turned" },
        { "{\"route\":\"addMember\",\"data\":{\"employee\":\"ada\",\"group\":\"ada\"}}", NULL, &more, "group.add_member", "{\"user\":\"ada@contoso.com\",\"group\":\"ada\"}", "a bare name, a group's name" },
        { "{\"route\":\"addMember\",\"data\":{\"user\":\"ada\",\"upn\":\"ada@contoso.com\",\"group\":\"g\"}}", NULL, &more, "group.add_member",
          "{\"user\":\"ada@contoso.com\",\"group\":\"g\"}", "the same person" },
        { "{\"route\":\"deactivate\",\"data\":{\"user\":\"reporter\"}}", NULL, &more, "user.disable", "{\"user\":\"reporter\"}", "the reporter stays" },
        { "{\"route\":\"deactivate\",\"data\":{\"user\":\" \"}}", NULL, &more, "user.disable", "{\"user\":\" \"}", "no value stays none" },
        { "{\"route\":\"deactivate\",\"data\":{\"user\":\"a0000000-0000-4000-8000-000000000001\"}}", NULL, &more, "user.disable",
          "{\"user\":\"a0000000-0000-4000-8000-000000000001\"}", "an id stays" },
        { "{\"route\":\"updateUser\",\"data\":{\"employee\":\"ada\",\"position\":\"E\",\"NEW-MAIL\":\"x@b.c\",\"Anrede\":\"A\"}}", NULL, &more, "user.update",
          "{\"user\":\"ada@contoso.com\",\"attributes\":{\"jobTitle\":\"E\",\"mail\":\"x@b.c\",\"givenName\":\"A\"}}", "the configuration's names" },
        { "{\"route\":\"createUser\",\"data\":{\"upn\":\"new\",\"manager\":\"ada\",\"displayName\":\"N\"}}", NULL, &more, "user.create",
          "{\"userPrincipalName\":\"new@contoso.com\",\"manager\":\"ada@contoso.com\",\"attributes\":{\"displayName\":\"N\"}}", "names of new people" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++)
        becomes(cases[i].text, cases[i].header, cases[i].c, cases[i].kind, cases[i].body, cases[i].why);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *header, *field, *part; } cases[] = {
        { "[]", NULL, "", "an envelope with two members" },
        { "{\"route\":\"enableUser\"}", NULL, "", "an envelope with two members" },
        { "{\"data\":{}}", NULL, "", "an envelope with two members" },
        { "{\"route\":\"enableUser\",\"data\":{},\"issue\":\"ITSM-1\"}", NULL, "issue", "no member `issue`" },
        { "{\"route\":7,\"data\":{}}", NULL, "route", "must be a text" },
        { "{\"route\":\"enableUser\",\"data\":[]}", NULL, "data", "must be an object" },
        { "{\"route\":\"deleteEverything\",\"data\":{}}", NULL, "route", "no route `deleteEverything`. There are: createUser, updateUser, enableUser, disableUser, resetPassword, resetUserPassword, "
          "addUserToGroup, addGroupMember, addMember, removeUserFromGroup, removeGroupMember, removeMember, deactivate, Find People." },
        { "{\"route\":\"\",\"data\":{}}", NULL, "route", "There is no route" },
        { "{\"route\":\"user.delete\",\"data\":{}}", NULL, "route", "There is no route" },
        { "{\"route\":\"enableUser\",\"data\":{\"user\":\"a@b.c\",\"xyz\":1}}", NULL, "data.xyz", "user.enable has no field `data.xyz`; it knows: user, at, issue" },
        { "{\"route\":\"enableUser\",\"data\":{\"group\":\"CRM\"}}", NULL, "data.group", "has no field `data.group`" },
        { "{\"route\":\"enableUser\",\"data\":{\"user\":\"a@b.c\",\"userId\":\"b@b.c\"}}", NULL, "data.userId", "`data.user` and `data.userId` are names of one field" },
        { "{\"route\":\"enableUser\",\"data\":{\"mail\":\"\",\"upn\":\"b@b.c\"}}", NULL, "data.upn", "`data.mail` and `data.upn`" },
        { "{\"route\":\"addMember\",\"data\":{\"groupId\":\"1\",\"groupName\":\"CRM\"}}", NULL, "data.groupName", "`data.groupId` and `data.groupName`" },
        { "{\"route\":\"enableUser\",\"data\":{\"issue\":\"ITSM-2\"}}", "ITSM-1", "data.issue", "`x-issue-key` and `data.issue`" },
        { "{\"route\":\"enableUser\",\"data\":{}}", "itsm 1", "x-issue-key", "`x-issue-key` must be an issue key" },
        { "{\"route\":\"enableUser\",\"data\":{}}", "", "x-issue-key", "`x-issue-key` must be an issue key" },
        { "{\"route\":\"updateUser\",\"data\":{\"jobTitle\":\"A\",\"attributes\":{\"jobTitle\":\"B\"}}}", NULL, "data.attributes.jobTitle", "`data.jobTitle` and `data.attributes.jobTitle`" },
        { "{\"route\":\"updateUser\",\"data\":{\"jobTitle\":\"A\",\"position\":\"B\"}}", NULL, "data.position", "`data.jobTitle` and `data.position`" },
        { "{\"route\":\"resetPassword\",\"data\":{\"password\":\"secret77\",\"generatePassword\":true}}", NULL, "data.generatePassword", "`data.password` gives one" },
        { "{\"route\":\"resetPassword\",\"data\":{\"generatePassword\":false}}", NULL, "data.generatePassword", "no password is given" },
        { "{\"route\":\"resetPassword\",\"data\":{\"generatePassword\":\"maybe\"}}", NULL, "data.generatePassword", "true or false" },
        { "{\"route\":\"resetPassword\",\"data\":{\"generatePassword\":true,\"systemGenerated\":false}}", NULL, "data.systemGenerated", "`data.generatePassword` and `data.systemGenerated`" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct envelope *e;
        struct eb_err err = { 0 };

        if (translate(cases[i].text, cases[i].header, &more, &e, &err))
            fail_msg("%s is taken", cases[i].text);
        if (err.code != EB_INVALID_REQUEST || strcmp(err.field, cases[i].field) != 0 || strstr(err.text, cases[i].part) == NULL || strstr(err.text, "secret77") != NULL)
            fail_msg("%s: %s: %s", cases[i].text, err.field, err.text);
    }
}

/* What comes back names what was written. */
static void test_errors(void **state)
{
    (void)state;
    static const struct { const char *field, *text, *shown, *says; } cases[] = {
        { "user", "`user` must be an object id.", "data.User_Name", "`data.User_Name` must be an object id." },
        { "group", "`group` is missing. The group: …", "data.group", "`data.group` is missing. The group: …" },
        { "issue", "Send the issue.", "x-issue-key", "Send the issue." },
        { "expiresAt", "Send `expiresIn` or `expiresAt`, not both.", "data.expiresAt", "Send `data.expiresIn` or `data.expiresAt`, not both." },
        { "Idempotency-Key", "The header.", "Idempotency-Key", "The header." },
        { "", "There is `nothing` and `` and `user", "", "There is `nothing` and `` and `user" },
    };
    struct envelope *e;
    struct eb_err err = { 0 }, said;

    assert_true(translate("{\"route\":\"addMember\",\"data\":{\"User_Name\":\"a@b.c\"}}", "ITSM-1", &plain, &e, &err));
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        eb_fail_field(&err, EB_USER_NOT_FOUND, cases[i].field, "%s", cases[i].text);
        envelope_say(e, &err, &said);
        assert_int_equal(said.code, EB_USER_NOT_FOUND);
        assert_string_equal(said.field, cases[i].shown);
        assert_string_equal(said.text, cases[i].says);
    }
    envelope_free(e);

    assert_true(translate("{\"route\":\"updateUser\",\"data\":{\"firstName\":\"\"}}", NULL, &plain, &e, &err));
    eb_fail_field(&err, EB_ATTRIBUTE_NOT_PERMITTED, "attributes", "givenName is not among the attributes.");
    envelope_say(e, &err, &said);
    assert_string_equal(said.field, "data.firstName");
    eb_fail_field(&err, EB_ATTRIBUTE_NOT_PERMITTED, "attributes", "Something else.");
    envelope_say(e, &err, &said);
    assert_string_equal(said.field, "data");
    envelope_free(e);
    assert_true(translate("{\"route\":\"updateUser\",\"data\":{\"user\":\"a@b.c\"}}", NULL, &plain, &e, &err));
    eb_fail_field(&err, EB_INVALID_REQUEST, "attributes", "`attributes` is missing.");
    envelope_say(e, &err, &said);
    assert_string_equal(said.field, "data.attributes");
    envelope_free(e);
    assert_true(translate("{\"route\":\"updateUser\",\"data\":{\"firstName\":\"\"}}", NULL, &plain, &e, &err));
    eb_fail_field(&err, EB_INVALID_REQUEST, "attributes.givenName", "The smart value in `attributes.givenName` had no value.");
    envelope_say(e, &err, &said);
    assert_string_equal(said.field, "data.firstName");
    assert_string_equal(said.text, "The smart value in `data.firstName` had no value.");
    envelope_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes), cmocka_unit_test(test_names), cmocka_unit_test(test_own_names), cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
