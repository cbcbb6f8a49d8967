/* test_attribute.c - the table of user attributes: names, values, and that its rows hold together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/attribute.h"

#include <string.h>

#define HEX "0123456789abcdef0123456789abcdef"

static void test_names(void **state)
{
    static const struct { const char *name; bool known; const char *why; } rows[] = {
        { "jobTitle", true, "an attribute" }, { "jobtitle", false, "names are Graph's, in Graph's case" }, { "", false, "nothing" },
        { "extension_" HEX "_costCode", true, "a directory extension" }, { "extension_" HEX "_", false, "without its name" },
        { "extension_" HEX "costCode", false, "without the second _" }, { "extension_0123_x", false, "a short id" },
        { "extension_" HEX "0_x", false, "a long id" }, { "extension_" HEX "_x/y", false, "a character no name has" },
        { "extension_" HEX "_1x", false, "a digit first" }, { "manager", false, "a relation, no attribute" },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++)
        if ((attribute_find(rows[i].name) != NULL) != rows[i].known)
            fail_msg("%s: %s", rows[i].name, rows[i].why);
}

static const struct { const char *name, *value, *fault; } values[] = {
    { "jobTitle", "\"Engineer\"", NULL },
    { "jobTitle", "\"\"", "is empty" },
    { "jobTitle", "null", NULL },
    { "jobTitle", "7", "must be text" },
    { "jobTitle", "[\"a\"]", "must be text" },
    { "jobTitle", "\"a\\nb\"", "control or invisible" },
    { "jobTitle", "\"a\\u202eb\"", "control or invisible" },
    { "displayName", "null", "cannot be cleared" },
    { "usageLocation", "null", "cannot be cleared" },
    { "mail", "null", "cannot be cleared" },
    { "usageLocation", "\"DE\"", NULL },
    { "usageLocation", "\"de\"", "two capital letters" },
    { "usageLocation", "\"D\"", "two capital letters" },
    { "employeeId", "\"1234567890123456\"", NULL },
    { "employeeId", "\"12345678901234567\"", "longer than 16 characters" },
    { "employeeId", "\"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\"", NULL },
    { "employeeId", "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80x\"",
      "longer than 16 characters" },
    { "businessPhones", "[\"+49 30 1\"]", NULL },
    { "businessPhones", "[]", NULL },
    { "businessPhones", "[\"1\", \"2\"]", "more than 1 item" },
    { "businessPhones", "\"1\"", "must be a list" },
    { "businessPhones", "null", "cannot be cleared" },
    { "otherMails", "[\"a@b.c\", \"d@e.f\"]", NULL },
    { "otherMails", "[\"a@b.c\", \"nobody\"]", "one e-mail address" },
    { "otherMails", "[\"a@b.c\", 7]", "must be text" },
    { "mailNickname", "\"ada.l\"", NULL },
    { "mailNickname", "\"ada l\"", "without blanks" },
    { "mailNickname", "\"ad\xc3\xa4\"", "ASCII" },
    { "userPrincipalName", "\"ada@contoso.com\"", NULL },
    { "userPrincipalName", "\"ada.@contoso.com\"", "no dot right before" },
    { "userPrincipalName", "\"ada contoso\"", "name@domain" },
    { "userPrincipalName", "\"\xc3\xa4@contoso.com\"", "may hold" },
    { "ageGroup", "\"Adult\"", NULL },
    { "ageGroup", "\"Old\"", "must be one of Minor, NotAdult, Adult" },
    { "employeeLeaveDateTime", "\"2027-03-31T17:00:00Z\"", NULL },
    { "employeeLeaveDateTime", "\"31.3.2027\"", "must be a time" },
    { "employeeLeaveDateTime", "null", NULL },
    { "employeeOrgData", "{\"costCenter\": \"1\", \"division\": null}", NULL },
    { "employeeOrgData", "{\"center\": \"1\"}", "unknown member; known are costCenter, division" },
    { "employeeOrgData", "{}", "must be an object with" },
    { "onPremisesExtensionAttributes", "{\"extensionAttribute15\": \"x\"}", NULL },
    { "accountEnabled", "true", NULL },
    { "accountEnabled", "\"true\"", "true or false" },
    { "identities", "[]", "cannot be written" },
    { "id", "\"x\"", "cannot be written" },
    { "extension_" HEX "_a", "\"x\"", NULL },
};

static void test_values(void **state)
{
    for (size_t i = 0; i < EB_LEN(values); i++) {
        char out[200];
        json_t *v = json_loads(values[i].value, JSON_DECODE_ANY, NULL);
        assert_non_null(v);
        const char *fault = attribute_fault(attribute_find(values[i].name), v, out, sizeof(out));
        if ((fault == NULL) != (values[i].fault == NULL) || (fault != NULL && strstr(fault, values[i].fault) == NULL))
            fail_msg("%s = %s: %s", values[i].name, values[i].value, fault != NULL ? fault : "good");
        json_decref(v);
    }
}

static void test_rows_hold_together(void **state)
{
    const unsigned writable = ATTRIBUTE_UPDATE | ATTRIBUTE_CREATE | ATTRIBUTE_ALWAYS;
    const struct attribute *rows;
    size_t count = attribute_rows(&rows);

    for (size_t i = 0; i < count; i++) {
        const struct attribute *a = &rows[i];
        bool text = a->type == ATTRIBUTE_TEXT || a->type == ATTRIBUTE_LIST || a->type == ATTRIBUTE_OBJECT;
        if (text && a->max == 0)
            fail_msg("%s has no length", a->name);
        if ((a->type == ATTRIBUTE_LIST) != (a->items > 0) || (a->type == ATTRIBUTE_OBJECT) != (a->members != NULL))
            fail_msg("%s: items and members belong to its type", a->name);
        if ((a->flags & ATTRIBUTE_FORBIDDEN) != 0 && (a->flags & ATTRIBUTE_UPDATE) != 0)
            fail_msg("%s is forbidden, and writable", a->name);
        if ((a->flags & ATTRIBUTE_SEPARATE) != 0 && a->permission == NULL)
            fail_msg("%s stands alone without a right of its own", a->name);
        if (a->type == ATTRIBUTE_OTHER && (a->flags & writable) != 0)
            fail_msg("%s has no form, and is writable", a->name);
        if (attribute_find(a->name) != a)
            fail_msg("%s stands twice", a->name);
    }
}

/* Design: these are never among the attributes of user.update. Facts, part 4: these are sensitive. */
static void test_flags(void **state)
{
    static const char *const forbidden[] = { "userPrincipalName", "identities", "onPremisesImmutableId", "passwordProfile", "accountEnabled" };
    static const char *const sensitive[] = { "accountEnabled", "businessPhones", "mobilePhone", "onPremisesImmutableId", "otherMails", "passwordProfile", "userPrincipalName", "mail" };

    for (size_t i = 0; i < EB_LEN(forbidden); i++)
        assert_true((attribute_find(forbidden[i])->flags & ATTRIBUTE_FORBIDDEN) != 0);
    for (size_t i = 0; i < EB_LEN(sensitive); i++)
        assert_true((attribute_find(sensitive[i])->flags & ATTRIBUTE_SENSITIVE) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_rows_hold_together),
        cmocka_unit_test(test_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
