/* test_swagger.c - OpenAPI documents: which routes and fields are found, wherever they stand, and what is refused with which position. */
#include "config/swagger.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "createUser(userName! displayName) …": "!" where it is required. */
static char *summary(const json_t *routes)
{
    struct eb_buf b = EB_BUF(KiB(64));
    size_t i, j;
    json_t *r, *f;

    json_array_foreach((json_t *)(uintptr_t)routes, i, r) {
        eb_buf_addf(&b, "%s%s(", i > 0 ? " " : "", eb_json_str(r, "route"));
        json_array_foreach(json_object_get(r, "fields"), j, f)
            eb_buf_addf(&b, "%s%s%s", j > 0 ? " " : "", eb_json_str(f, "name"), eb_json_bool(f, "required", false) ? "!" : "");
        eb_buf_str(&b, ")");
    }
    return eb_buf_take(&b);
}

#define V2(path, schema) "{\"swagger\":\"2.0\",\"paths\":{\"" path "\":{\"post\":{\"parameters\":[{\"in\":\"header\",\"name\":\"x\"},{\"in\":\"body\",\"schema\":" schema "}]}}}"
#define V3(path, media) "{\"openapi\":\"3.0.1\",\"paths\":{\"" path "\":{\"post\":{\"operationId\":\"byId\",\"requestBody\":{\"content\":{\"application/json\":" media "}}}}}"
#define ENVELOPE(route, data) "{\"properties\":{\"route\":" route ",\"data\":" data "}}"
#define DATA "{\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{}}}"

static void test_found(void **state)
{
    (void)state;
    static const struct { const char *text, *found, *why; } cases[] = {
        { V2("/x", ENVELOPE("{\"enum\":[\"createUser\"]}", DATA)) "}", "createUser(a! b)", "an enum of one" },
        { V2("/x", ENVELOPE("{\"const\":\"createUser\",\"default\":\"other\"}", DATA)) "}", "createUser(a! b)", "a constant goes before a default" },
        { V2("/x", ENVELOPE("{\"type\":\"string\",\"default\":\"createUser\"}", DATA)) "}", "createUser(a! b)", "a default" },
        { V2("/x", ENVELOPE("{\"type\":\"string\",\"example\":\"createUser\"}", DATA)) "}", "createUser(a! b)", "an example" },
        { V2("/x", ENVELOPE("{\"enum\":[\"one\",\"two\",3]}", DATA)) "}", "one(a! b) two(a! b)", "several of one body" },
        { V2("/x1/createUser", ENVELOPE("{\"type\":\"string\"}", DATA)) "}", "createUser(a! b)", "the path" },
        { V3("/x1/{token}", "{\"schema\":" ENVELOPE("{}", DATA) "}") "}", "byId(a! b)", "the operation's id" },
        { V3("/x", "{\"schema\":" ENVELOPE("{}", DATA) ",\"example\":{\"route\":\"addMember\",\"data\":{\"c\":1}}}") "}", "addMember(a! b c)", "an example of the body" },
        { V3("/x", "{\"schema\":" ENVELOPE("{}", "{}") ",\"examples\":{\"o\":{\"value\":{\"route\":\"one\",\"data\":{\"c\":1}}},\"t\":{\"value\":{\"route\":\"two\",\"data\":{\"d\":1}}}}}") "}",
          "one(c) two(d)", "examples, each with its own fields" },
        { V2("/x", "{\"properties\":{\"route\":{\"enum\":[\"r\"]},\"data\":{\"type\":\"object\"}},\"example\":{\"route\":\"r\",\"data\":{\"c\":1}}}") "}", "r(c)", "the schema's example" },
        { V2("/x", "{\"oneOf\":[" ENVELOPE("{\"enum\":[\"one\"]}", DATA) "," ENVELOPE("{\"enum\":[\"two\"]}", "{\"properties\":{\"c\":{}}}") "]}") "}", "one(a! b) two(c)", "oneOf" },
        { V2("/x", "{\"anyOf\":[" ENVELOPE("{\"enum\":[\"one\"]}", DATA) ",{\"type\":\"object\"}]}") "}", "one(a! b)", "anyOf with something else" },
        { V2("/x", "{\"allOf\":[{\"properties\":{\"route\":{\"enum\":[\"one\"]}}},{\"properties\":{\"data\":" DATA "}}]}") "}", "one(a! b)", "allOf with a part each" },
        { V2("/x", "{\"properties\":{\"route\":{\"enum\":[\"one\",\"two\"]}},\"allOf\":[" ENVELOPE("{\"enum\":[\"two\"]}", DATA) "]}") "}", "two(a! b)", "what a part narrows down" },
        { V2("/x", ENVELOPE("{\"enum\":[\"one\"]}", "{\"oneOf\":[" DATA ",{\"allOf\":[{\"properties\":{\"c\":{}}}]}]}")) "}", "one(a b c)", "alternatives of data" },
        { V2("/x", "{\"$ref\":\"#/definitions/Body\"}") ",\"definitions\":{\"Body\":" ENVELOPE("{\"$ref\":\"#/definitions/a~1b%20c\"}", "{\"$ref\":\"#/definitions/Data\"}")
          ",\"a/b c\":{\"enum\":[\"one\"]},\"Data\":" DATA "}}", "one(a! b)", "references" },
        { V3("/x", "{\"schema\":{\"discriminator\":{\"propertyName\":\"route\",\"mapping\":{\"one\":\"#/components/schemas/A\",\"two\":\"B\"}},\"properties\":{\"route\":{}}}}")
          ",\"components\":{\"schemas\":{\"A\":{\"properties\":{\"data\":" DATA "}},\"B\":{\"properties\":{\"data\":{\"properties\":{\"c\":{}}}}}}}}", "one(a! b) two(c)", "a discriminator" },
        { V2("/x", "{\"$ref\":\"#/definitions/Base\"}") ",\"definitions\":{\"Base\":{\"discriminator\":{\"propertyName\":\"route\",\"mapping\":{\"one\":\"#/definitions/One\"}}},"
          "\"One\":{\"allOf\":[{\"$ref\":\"#/definitions/Base\"}," ENVELOPE("{}", DATA) "]}}}", "one(a! b)", "parts that name their base" },
        { V2("/x", ENVELOPE("{\"enum\":[\"one\"]}", "{\"$ref\":\"#/definitions/D\"}")) ",\"definitions\":{\"D\":{\"properties\":{\"a\":{\"$ref\":\"#/definitions/D\"}},\"allOf\":[{\"$ref\":\"#/definitions/D\"}]}}}",
          "one(a)", "a schema that refers to itself" },
        { "{\"swagger\":\"2.0\",\"parameters\":{\"B\":{\"in\":\"body\",\"schema\":" ENVELOPE("{\"enum\":[\"one\"]}", DATA) "}},\"paths\":{\"/x\":{\"parameters\":[{\"$ref\":\"#/parameters/B\"}],\"post\":{}}}}",
          "one(a! b)", "a parameter of the path, by reference" },
        { "{\"openapi\":\"3.1.0\",\"components\":{\"requestBodies\":{\"B\":{\"content\":{\"*/*\":{\"schema\":" ENVELOPE("{\"const\":\"one\"}", DATA) "}}}}},"
          "\"paths\":{\"/x\":{\"post\":{\"requestBody\":{\"$ref\":\"#/components/requestBodies/B\"}}}}}", "one(a! b)", "a body by reference" },
        { "{\"swagger\":\"2.0\",\"paths\":{\"/a\":{\"post\":{\"parameters\":[{\"in\":\"body\",\"schema\":" ENVELOPE("{\"enum\":[\"addMember\"]}", DATA) "}]}},"
          "\"/b\":{\"post\":{\"parameters\":[{\"in\":\"body\",\"schema\":" ENVELOPE("{\"enum\":[\"ADD_MEMBER\"]}", "{\"properties\":{\"c\":{}}}") "}]}}}}", "addMember(a! b c)", "one route, twice" },
        { "\xef\xbb\xbf\n {\"swagger\":\"2.0\",\"paths\":{\"/x\":{\"post\":{\"parameters\":[{\"in\":\"body\",\"schema\":" ENVELOPE("{\"enum\":[\"one\"]}", DATA) "}]}}}}", "one(a! b)", "a byte order mark" },
        { "openapi: 3.0.0\npaths:\n  /x:\n    post:\n      requestBody:\n        content:\n          application/json:\n            schema:\n              $ref: '#/components/schemas/Body'\n"
          "components:\n  schemas:\n    Body:\n      type: object\n      properties:\n        route: {type: string, enum: [one]}\n        data:\n          required: [a]\n          properties:\n"
          "            a: {type: string}\n            'no': {type: string}\n", "one(a! no)", "YAML" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf faults = EB_BUF(KiB(64));
        json_t *routes = json_array();

        if (!swagger_read("f", (struct eb_span){ cases[i].text, strlen(cases[i].text) }, routes, &faults))
            fail_msg("%s: %s", cases[i].why, faults.data);
        char *found = summary(routes);
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s: %s instead of %s", cases[i].why, found, cases[i].found);
        free(found);
        json_decref(routes);
        eb_buf_free(&faults);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says; } cases[] = {
        { "", "f: the file is empty" },
        { "[]", "f: this is no OpenAPI document" },
        { "just words", "f: this is no OpenAPI document" },
        { "{\"openapi\":\"4.0\",\"paths\":{}}", "f: this is no OpenAPI document" },
        { "{\"swagger\":\"2.0\",\n \"paths\": {,}}", "f: the JSON cannot be read at line 2, column" },
        { "{\"swagger\":\"2.0\",\"swagger\":\"2.0\"}", "f: the JSON gives the member \"swagger\" twice (line 1" },
        { "{\"swagger\":\"2.0\"", "f: the JSON cannot be read at line 1" },
        { "swagger: '2.0'\npaths: [", "f:3: not valid YAML" },
        { "swagger: '2.0'\npaths: &a {}\n", "f:2: anchors and aliases" },
        { "swagger: '2.0'\nswagger: '2.0'\n", "f:2: swagger: given twice (first in line 1)" },
        { "swagger: '2.0'\npaths: {}\n", "f: no request of this document has a body with `route` and `data`" },
        { V2("/x", "{\"properties\":{\"route\":{\"enum\":[\"one\"]}}}") "}", "f: no request of this document has a body" },
        { V2("/x", ENVELOPE("{\"enum\":[\"one\"]}", "{\"$ref\":\"#/definitions/Gone\"}")) "}", "f: paths /x post: $ref \"#/definitions/Gone\" leads to nothing" },
        { V2("/x", "{\"$ref\":\"other.json#/A\"}") "}", "f: paths /x post: $ref \"other.json#/A\" leads out of the document" },
        { V2("/x", "{\"$ref\":\"https://example.com/a.json\"}") "}", "leads out of the document" },
        { V2("/x", "{\"$ref\":\"#/definitions/A\"}") ",\"definitions\":{\"A\":{\"$ref\":\"#/definitions/A\"}}}", "refers to itself" },
        { V2("/{x}", ENVELOPE("{}", DATA)) "}", "f: paths /{x} post: what `route` must be is not said" },
        { V2("/x", ENVELOPE("{\"enum\":[\" - \"]}", DATA)) "}", "f: paths /x post: the route \" - \" is no name" },
        { V2("/x", ENVELOPE("{\"enum\":[\"a\\u202eb\"]}", DATA)) "}", "the route \"ab\" is no name" },
        { V2("/x", ENVELOPE("{\"enum\":[\"one\"]}", "{\"properties\":{\"\":{}}}")) "}", "the field \"\" is no name" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf faults = EB_BUF(KiB(64));
        json_t *routes = json_array();

        if (swagger_read("f", (struct eb_span){ cases[i].text, strlen(cases[i].text) }, routes, &faults))
            fail_msg("%s is taken", cases[i].text);
        if (faults.data == NULL || strstr(faults.data, cases[i].says) == NULL)
            fail_msg("%s: %s", cases[i].text, faults.data);
        assert_int_equal(json_array_size(routes), 0);
        json_decref(routes);
        eb_buf_free(&faults);
    }
}

/* `levels` schemas, each with `links` references to the next. */
static void ladder(int levels, int links, const char *word, struct eb_buf *out)
{
    eb_buf_addf(out, "{\"swagger\":\"2.0\",\"paths\":{\"/x\":{\"post\":{\"parameters\":[{\"in\":\"body\",\"schema\":{\"$ref\":\"#/definitions/S0\"}}]}}},\"definitions\":{");
    for (int i = 0; i < levels; i++) {
        eb_buf_addf(out, "\"S%d\":{\"%s\":[", i, word);
        for (int j = 0; j < links; j++)
            eb_buf_addf(out, "%s{\"$ref\":\"#/definitions/S%d\"}", j > 0 ? "," : "", i + 1);
        eb_buf_str(out, "]},");
    }
    eb_buf_addf(out, "\"S%d\":" ENVELOPE("{\"enum\":[\"one\"]}", DATA) "}}", levels);
}

static void test_ceilings(void **state)
{
    (void)state;
    static const struct { int levels, links; const char *word, *says; } cases[] = {
        { 10, 1, "allOf", NULL },
        { 60, 1, "allOf", "nested deeper than 40 levels" },
        { 30, 2, "oneOf", "more than 200 alternatives" },
        { 30, 2, "allOf", "parts, counted as often" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_buf text = EB_BUF(MiB(1)), faults = EB_BUF(KiB(64));
        json_t *routes = json_array();

        ladder(cases[i].levels, cases[i].links, cases[i].word, &text);
        bool good = swagger_read("f", (struct eb_span){ text.data, text.len }, routes, &faults);
        if (good != (cases[i].says == NULL) || (!good && strstr(faults.data, cases[i].says) == NULL))
            fail_msg("%d levels of %s: %s", cases[i].levels, cases[i].word, good ? "taken" : faults.data);
        json_decref(routes);
        eb_buf_free(&text);
        eb_buf_free(&faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_found), cmocka_unit_test(test_refused), cmocka_unit_test(test_ceilings) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
