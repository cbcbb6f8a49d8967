/* test_forms.c - the forms of fields: what is taken, in which form it is read, what is refused and under which name. */
#include "base/text.h"
#include "ops/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ops_field fields[] = {
    { "user", OPS_FORM_USER, false, 320, "", NULL },
    { "manager", OPS_FORM_USER, false, 320, "", NULL },
    { "mail", OPS_FORM_MAIL, false, 320, "", NULL },
    { "expiresIn", OPS_FORM_DURATION, false, 16, "", "1m 1826d" },
    { "expiresAt", OPS_FORM_TIME, false, 40, "", NULL },
    { "skus", OPS_FORM_TEXTS, false, 40, "", NULL },
    { "attributes", OPS_FORM_ATTRIBUTES, false, 0, "", NULL },
    { "empty", OPS_FORM_WORD, false, 16, "", "refuse skip clear" },
    { "password", OPS_FORM_SECRET, false, 256, "", NULL },
    { "accessPass", OPS_FORM_BOOL, false, 0, "", NULL },
};
static const struct ops_kind update = { .name = "user.update", .path = "/v1/user/update", .fields = fields, .field_count = EB_LEN(fields) };
static const struct ops_kind create = { .name = "user.create", .path = "/v1/user/create", .fields = fields, .field_count = EB_LEN(fields) };

#define A(text) "{\"attributes\":" text "}"
#define TWENTY_ONE "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\""
#define SIXTY_FIVE "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *body, *field; enum eb_code code; const char *why; } cases[] = {
        { "{\"manager\":\"reporter\"}", "manager", EB_INVALID_REQUEST, "the reporter is a user only" },
        { "{\"user\":\"reporter\"}", "user", EB_INVALID_REQUEST, "a reporter without an issue" },
        { "{\"mail\":\"ada\"}", "mail", EB_INVALID_REQUEST, "no address" },
        { "{\"mail\":\"a@b@c\"}", "mail", EB_INVALID_REQUEST, "two @" },
        { "{\"expiresIn\":\"soon\"}", "expiresIn", EB_INVALID_REQUEST, "no duration" },
        { "{\"expiresIn\":30}", "expiresIn", EB_INVALID_REQUEST, "a number has no unit" },
        { "{\"expiresIn\":\"59s\"}", "expiresIn", EB_INVALID_REQUEST, "below the least" },
        { "{\"expiresIn\":\"1827d\"}", "expiresIn", EB_INVALID_REQUEST, "above the most" },
        { "{\"expiresIn\":\"1h\",\"expiresAt\":\"2027-03-31T17:00:00Z\"}", "expiresAt", EB_INVALID_REQUEST, "two ends" },
        { "{\"expiresAt\":\"2027-03-31\"}", "expiresAt", EB_INVALID_REQUEST, "a date is no time" },
        { "{\"expiresAt\":\"2027-03-31T17:00:00\"}", "expiresAt", EB_INVALID_REQUEST, "no offset" },
        { "{\"skus\":[]}", "skus", EB_INVALID_REQUEST, "an empty list" },
        { "{\"skus\":[\"\"]}", "skus", EB_INVALID_REQUEST, "an empty item" },
        { "{\"skus\":[1]}", "skus", EB_INVALID_REQUEST, "a number in the list" },
        { "{\"skus\":[" TWENTY_ONE "]}", "skus", EB_INVALID_REQUEST, "too many" },
        { "{\"skus\":{}}", "skus", EB_INVALID_REQUEST, "an object" },
        { "{\"empty\":\"ski\"}", "empty", EB_INVALID_REQUEST, "the beginning of a word" },
        { "{\"empty\":\"skip clear\"}", "empty", EB_INVALID_REQUEST, "two words" },
        { "{\"password\":\"short\"}", "password", EB_INVALID_REQUEST, "a short password" },
        { "{\"password\":\"gr\xc3\xbc\xc3\x9f" "e123\"}", "password", EB_INVALID_REQUEST, "outside ASCII" },
        { "{\"password\":null}", "password", EB_INVALID_REQUEST, "null is for the journal only" },
        { "{\"password\":\"Abcdefg1!\",\"accessPass\":true}", "accessPass", EB_INVALID_REQUEST, "one of the two" },
        { "{\"accessPass\":\"true\"}", "accessPass", EB_INVALID_REQUEST, "a text for a truth value" },
        { A("{}"), "attributes", EB_INVALID_REQUEST, "no attributes" },
        { A("[]"), "attributes", EB_INVALID_REQUEST, "a list" },
        { A("{\"shoeSize\":\"44\"}"), "attributes.shoeSize", EB_INVALID_REQUEST, "no such attribute" },
        { A("{\"jobtitle\":\"x\"}"), "attributes.jobtitle", EB_INVALID_REQUEST, "another case" },
        { A("{\"jobTitle\":\"\"}"), "attributes.jobTitle", EB_INVALID_REQUEST, "empty, and nothing said about it" },
        { A("{\"jobTitle\":7}"), "attributes.jobTitle", EB_INVALID_REQUEST, "a number" },
        { A("{\"jobTitle\":\"a\\u0007\"}"), "attributes.jobTitle", EB_INVALID_REQUEST, "a control character" },
        { A("{\"department\":\"" SIXTY_FIVE "\"}"), "attributes.department", EB_INVALID_REQUEST, "longer than Graph takes" },
        { A("{\"displayName\":null}"), "attributes.displayName", EB_INVALID_REQUEST, "cannot be cleared" },
        { A("{\"displayName\":\"\"},\"empty\":\"clear\""), "attributes.displayName", EB_INVALID_REQUEST, "cannot be cleared that way either" },
        { A("{\"usageLocation\":\"Germany\"}"), "attributes.usageLocation", EB_INVALID_REQUEST, "no country code" },
        { A("{\"businessPhones\":[\"1\",\"2\"]}"), "attributes.businessPhones", EB_INVALID_REQUEST, "Graph takes one" },
        { A("{\"employeeOrgData\":{\"team\":\"x\"}}"), "attributes.employeeOrgData", EB_INVALID_REQUEST, "an unknown member" },
        { A("{\"createdDateTime\":\"2027-03-31T17:00:00Z\"}"), "attributes.createdDateTime", EB_INVALID_REQUEST, "never written" },
        { A("{\"accountEnabled\":false}"), "attributes.accountEnabled", EB_ATTRIBUTE_NOT_PERMITTED, "has a kind of its own" },
        { A("{\"passwordProfile\":{\"password\":\"x\"}}"), "attributes.passwordProfile", EB_ATTRIBUTE_NOT_PERMITTED, "would be journaled" },
        { A("{\"identities\":[]}"), "attributes.identities", EB_ATTRIBUTE_NOT_PERMITTED, "hands over the account" },
        { A("{\"onPremisesImmutableId\":\"x\"}"), "attributes.onPremisesImmutableId", EB_ATTRIBUTE_NOT_PERMITTED, "hands over the account" },
        { A("{\"userPrincipalName\":\"a@b.c\"}"), "attributes.userPrincipalName", EB_ATTRIBUTE_NOT_PERMITTED, "not of somebody who is there" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *body = json_loads(cases[i].body, JSON_ALLOW_NUL, NULL);
        struct ops_fields f = { 0 };
        struct eb_err err = { 0 };

        if (body == NULL)
            fail_msg("case %zu (%s) is no JSON", i, cases[i].why);
        if (ops_fields_read(&update, body, &f, &err))
            fail_msg("case %zu (%s) was taken", i, cases[i].why);
        if (err.code != cases[i].code || strcmp(err.field, cases[i].field) != 0)
            fail_msg("case %zu (%s): code %s field %s: %s", i, cases[i].why, eb_code_text(err.code), err.field, err.text);
        assert_null(f.body);
        json_decref(body);
    }
}

static void test_taken(void **state)
{
    (void)state;
    static const struct { const struct ops_kind *kind; const char *body, *read, *why; } cases[] = {
        { &update, "{\"user\":\"reporter\",\"issue\":7}", "{\"issue\":\"7\",\"user\":\"reporter\"}", "the reporter, and an id as a number" },
        { &update, "{\"expiresIn\":\"30d\"}", NULL, "a duration" },
        { &update, "{\"expiresAt\":\"2027-03-31T17:00:00.000+0200\"}", NULL, "as Jira writes it" },
        { &update, "{\"skus\":\"E3\"}", "{\"skus\":[\"E3\"]}", "one text for a list" },
        { &update, "{\"skus\":[\"E3\",\"E5\",\"E3\"]}", "{\"skus\":[\"E3\",\"E5\"]}", "each once" },
        { &update, A("{\"jobTitle\":null}"), NULL, "null clears" },
        { &update, "{\"empty\":\"clear\",\"attributes\":{\"jobTitle\":\" \",\"city\":\"Ulm\"}}",
          "{\"attributes\":{\"city\":\"Ulm\",\"jobTitle\":null},\"empty\":\"clear\"}", "empty clears" },
        { &update, "{\"attributes\":{\"jobTitle\":\"\",\"city\":\"Ulm\"},\"empty\":\"skip\"}",
          "{\"attributes\":{\"city\":\"Ulm\"},\"empty\":\"skip\"}", "empty is skipped, also where `empty` comes after" },
        { &update, "{\"attributes\":{\"jobTitle\":\"\"},\"empty\":\"skip\"}", "{\"attributes\":{},\"empty\":\"skip\"}", "nothing is left" },
        { &update, A("{\"businessPhones\":\"+49 30\"}"), A("{\"businessPhones\":[\"+49 30\"]}"), "one text for a list" },
        { &update, A("{\"otherMails\":[]}"), NULL, "an empty list is said on purpose" },
        { &update, "{\"attributes\":{\"otherMails\":[\"\"]},\"empty\":\"clear\"}", "{\"attributes\":{\"otherMails\":[]},\"empty\":\"clear\"}", "a list cleared" },
        { &update, "{\"attributes\":{\"employeeOrgData\":{\"division\":\"\",\"costCenter\":\"4\"}},\"empty\":\"clear\"}",
          "{\"attributes\":{\"employeeOrgData\":{\"costCenter\":\"4\",\"division\":null}},\"empty\":\"clear\"}", "a member cleared" },
        { &update, "{\"attributes\":{\"employeeOrgData\":{\"division\":\"\"}},\"empty\":\"skip\"}", "{\"attributes\":{},\"empty\":\"skip\"}", "an object of which nothing is left" },
        { &update, A("{\"extension_0123456789abcdef0123456789abcdef_badge\":\"7\"}"), NULL, "a directory extension" },
        { &create, A("{\"userPrincipalName\":\"ada@contoso.com\",\"onPremisesImmutableId\":\"x\"}"), NULL, "of a new user" },
        { &update, "{\"password\":\"Abcdefg1!\"}", NULL, "a password" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        json_t *body = json_loads(cases[i].body, 0, NULL);
        struct ops_fields f = { 0 };
        struct eb_err err = { 0 };

        if (!ops_fields_read(cases[i].kind, body, &f, &err))
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        char *read = eb_json_canonical(f.body);
        if (strcmp(read, cases[i].read != NULL ? cases[i].read : f.canonical) != 0)
            fail_msg("case %zu (%s): read as %s", i, cases[i].why, read);
        free(read);
        ops_fields_clear(&f);
        json_decref(body);
    }
}

/* The journal's copy has no secret, is read again without it, and only from the journal. */
static void test_kept(void **state)
{
    (void)state;
    json_t *body = json_loads("{\"user\":\"a@b\",\"password\":\"Sesame-12\"}", 0, NULL);
    struct ops_fields f = { 0 }, again = { 0 };
    struct eb_err err = { 0 };

    assert_true(ops_fields_read(&update, body, &f, &err));
    assert_non_null(strstr(f.canonical, "Sesame"));
    assert_string_equal(f.kept, "{\"password\":null,\"user\":\"a@b\"}");
    assert_string_equal(ops_field_text(&f, "password"), "Sesame-12");
    json_decref(body);

    body = json_loads(f.kept, 0, NULL);
    assert_false(ops_fields_read(&update, body, &again, &err));
    assert_true(ops_fields_read_kept(&update, body, &again, &err));
    assert_true(json_is_null(json_object_get(again.body, "password")));
    assert_null(ops_field_text(&again, "password"));
    ops_fields_clear(&again);
    ops_fields_clear(&f);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refused), cmocka_unit_test(test_taken), cmocka_unit_test(test_kept) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
