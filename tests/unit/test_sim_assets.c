/* test_sim_assets.c - the simulated Assets: schemas, types and attributes; objects and what their values must be; limits, faults, truth. */
#include "tests/unit/assets_world.h"

#include <stdlib.h>

static void test_schemas(void **state)
{
    static const struct step steps[] = {
        { "GET", WS "/objectschema/list", NULL, 200, "\"values\":[],\"last\":true,\"isLast\":true", "none at first" },
        { "POST", "/sim/assets/schemas", "{\"key\":\"ITAM\",\"name\":\"IT\",\"types\":[\"Laptop\"]}", 200, "ITAM", "somebody else's" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Mine\",\"objectSchemaKey\":\"ITAM\"}", 400, "{\"errorMessages\":[],\"errors\":{\"objectSchemaKey\":", "key taken" },
        { "POST", WS "/objectschema/create", "{\"name\":\"it\",\"objectSchemaKey\":\"MINE\"}", 400, "\"name\"", "name taken" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Mine\",\"objectSchemaKey\":\"mine\"}", 400, "objectSchemaKey", "lower case" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Mine\",\"objectSchemaKey\":\"MINE\",\"status\":\"Ok\"}", 400, "status", "closed body" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Mine\"}", 400, "objectSchemaKey", "required" },
        { "POST", WS "/objectschema/create", "{\"name\":7,\"objectSchemaKey\":\"MINE\"}", 400, "must be text", "type" },
        { "POST", WS "/objectschema/create", "[", 400, "JSON", "broken" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Mine\",\"objectSchemaKey\":\"MINE\"}", 201, "\"objectSchemaKey\":\"MINE\"", "made" },
        { "GET", WS "/objectschema/list?maxResults=1", NULL, 200, "\"objectTypeCount\":0,\"canManage\":true", "no counts without asking" },
        { "GET", WS "/objectschema/list?maxResults=1&includeCounts=true", NULL, 200, "\"objectTypeCount\":1", "counts" },
        { "GET", WS "/objectschema/list?maxResults=1", NULL, 200, "\"isLast\":false", "more" },
        { "GET", WS "/objectschema/list?startAt=1", NULL, 200, "\"isLast\":true", "the end" },
        { "GET", WS "/objectschema/list?includeCounts=1", NULL, 400, "includeCounts", "true or false" },
        { "GET", WS "/objectschema/2", NULL, 200, "MINE", "one" }, { "GET", WS "/objectschema/02", NULL, 404, "Could not find", "one spelling of an id" },
        { "GET", WS "/objectschema/1/objecttypes/flat", NULL, 200, "Laptop", "its types" },
        { "GET", "/jsm/assets/workspace/00000000-0000-4000-8000-000000000000/v1/objectschema/list", NULL, 404, NULL, "another workspace" },
        { "GET", "/ex/jira/77777777-2222-4333-8444-555555555555" WS "/objectschema/list", NULL, 200, "MINE", "through the gateway" },
        { "GET", "/ex/jira/77777777-2222-4333-8444-000000000000" WS "/objectschema/list", NULL, 404, NULL, "another site" },
        { "PATCH", WS "/objectschema/2", "{}", 405, NULL, "no such method" },
        { "POST", "/sim/settings", "{\"assets_admin\":false}", 200, NULL, "no administrator any more" },
        { "GET", WS "/objectschema/list", NULL, 200, "\"values\":[]", "an empty list, no refusal" },
        { "POST", WS "/objectschema/create", "{\"name\":\"Other\",\"objectSchemaKey\":\"OTHER\"}", 403, "permission", "nothing can be made" },
        { "GET", WS "/objectschema/2", NULL, 404, NULL, "hidden" },
        { "POST", "/sim/reset", NULL, 200, NULL, "reset" }, { "POST", "/sim/settings", "{\"assets_admin\":true}", 200, NULL, "a setting outlives it" },
        { "GET", WS "/objectschema/list", NULL, 200, "\"total\":0", "the schemas do not" },
    };
    struct world *w = *state;

    walk_steps(w, steps, EB_LEN(steps));
    w->bearer = "Bearer wrong";
    assert_int_equal(call(w, "GET", WS "/objectschema/list", NULL), 401);
    w->bearer = "Basic YnJpZGdlQGNvbnRvc28uY29tOnNpbS1qaXJhLXRva2Vu";
    assert_int_equal(call(w, "GET", WS "/objectschema/list", NULL), 200);
}

static void test_types(void **state)
{
#define NEW(body) "POST", WS "/objecttypeattribute/102", "{" body "}"
    static const struct step steps[] = {
        { "POST", WS "/objecttype/create", "{\"name\":\"employee\",\"iconId\":\"131\",\"objectSchemaId\":\"1\"}", 400, "name", "taken" },
        { "POST", WS "/objecttype/create", "{\"name\":\"X\",\"iconId\":\"9\",\"objectSchemaId\":\"1\"}", 400, "iconId", "no such icon" },
        { "POST", WS "/objecttype/create", "{\"name\":\"X\",\"iconId\":\"131\",\"objectSchemaId\":\"9\"}", 400, "objectSchemaId", "no such schema" },
        { "POST", WS "/objecttype/create", "{\"name\":\"X\",\"iconId\":\"131\",\"objectSchemaId\":1}", 400, "must be text", "ids are text" },
        { "POST", WS "/objecttype/create", "{\"name\":\"X\",\"iconId\":\"131\",\"objectSchemaId\":\"1\",\"parentObjectTypeId\":\"99\"}", 400, "parent", "no parent" },
        { "GET", WS "/objecttype/102/attributes", NULL, 200, "\"name\":\"Key\",\"label\":false,\"type\":0", "Key by itself" },
        { "GET", WS "/objecttype/102/attributes", NULL, 200, "\"name\":\"Name\",\"label\":true", "Name is the label" },
        { "GET", WS "/objecttype/102/attributes", NULL, 200, "\"defaultType\":{\"id\":6,\"name\":\"DateTime\"}", "Created" },
        { "GET", WS "/objecttype/102/attributes", NULL, 200, "\"referenceType\":{\"name\":\"Member of\"", "the reference's type" },
        { "GET", WS "/objecttype/99/attributes", NULL, 404, NULL, "no type" },
        { NEW("\"name\":\"email\",\"type\":0,\"defaultTypeId\":0"), 400, "already exists", "name taken" },
        { NEW("\"name\":\"X\",\"type\":0"), 400, "defaultTypeId", "plain without its type" },
        { NEW("\"name\":\"X\",\"type\":1,\"typeValue\":\"102\""), 400, "additionalValue", "reference without its type" },
        { NEW("\"name\":\"X\",\"type\":1,\"additionalValue\":\"1\""), 400, "typeValue", "reference to nothing" },
        { NEW("\"name\":\"X\",\"type\":1,\"typeValue\":\"1\",\"additionalValue\":\"1\""), 400, "typeValue", "no such object type" },
        { NEW("\"name\":\"X\",\"type\":1,\"typeValue\":\"102\",\"additionalValue\":\"77\""), 400, "additionalValue", "no such reference type" },
        { NEW("\"name\":\"X\",\"type\":3"), 400, "not allowed", "no such kind" }, { NEW("\"name\":\"X\",\"type\":\"0\",\"defaultTypeId\":0"), 400, "whole number", "a number" },
        { NEW("\"name\":\"X\",\"type\":0,\"defaultTypeId\":12"), 400, "not allowed", "no such plain type" },
        { NEW("\"name\":\"X\",\"type\":0,\"defaultTypeId\":10"), 400, "options", "select without choices" },
        { NEW("\"name\":\"X\",\"type\":0,\"defaultTypeId\":0,\"minimumCardinality\":3"), 400, "ardinality", "more than there may be" },
        { NEW("\"name\":\"X\",\"type\":0,\"defaultTypeId\":0,\"maximumCardinality\":-1,\"uniqueAttribute\":true"), 400, "unique", "many and unique" },
        { NEW("\"name\":\"X\",\"type\":0,\"defaultTypeId\":0,\"unique\":true"), 400, "unique", "closed body" },
        { NEW("\"name\":\"\",\"type\":0,\"defaultTypeId\":0"), 400, "empty", "no name" },
        { "PUT", WS "/objecttypeattribute/102/" A_DEPARTMENT, "{\"name\":\"Unit\",\"description\":\"where\"}", 200, "\"name\":\"Unit\"", "renamed" },
        { "PUT", WS "/objecttypeattribute/102/" A_DEPARTMENT, "{\"type\":0,\"defaultTypeId\":1}", 400, "cannot be changed", "not retyped" },
        { "PUT", WS "/objecttypeattribute/101/" A_DEPARTMENT, "{\"name\":\"U\"}", 404, NULL, "of another type" },
        { "PUT", WS "/objecttypeattribute/102/1334", "{\"name\":\"U\"}", 400, "system", "Key" },
        { "POST", WS "/config/statustype", "{\"name\":\"inactive\",\"category\":0,\"objectSchemaId\":\"1\"}", 400, "already exists", "status taken" },
        { "POST", WS "/config/statustype", "{\"name\":\"New\",\"category\":3}", 400, "category", "no such category" },
        { "GET", WS "/config/statustype", NULL, 200, "\"name\":\"Active\",\"description\":\"\",\"category\":1,\"objectSchemaId\":null", "global ones" },
        { "GET", WS "/config/statustype?objectSchemaId=1", NULL, 200, "[{\"id\":\"4\",\"name\":\"Inactive\"", "the schema's" },
        { "GET", WS "/config/referencetype?objectSchemaId=1", NULL, 200, "[{\"name\":\"Member of\"", "the schema's" },
        { "POST", WS "/config/referencetype", "{\"name\":\"Member of\",\"objectSchemaId\":\"1\"}", 400, "already exists", "taken" },
        { "GET", WS "/icon/global", NULL, 200, "\"name\":\"Users\"", "icons" },
    };

    walk_steps(*state, steps, EB_LEN(steps));
}

/* A child type shows its parent's attributes, also later ones, where they are inherited. */
static void test_inheritance(void **state)
{
    static const struct step steps[] = {
        { "POST", WS "/objecttype/create", "{\"name\":\"Person\",\"iconId\":\"131\",\"objectSchemaId\":\"1\",\"inherited\":true}", 201, "\"id\":\"103\"", "above" },
        { "POST", WS "/objecttype/create", "{\"name\":\"Guest\",\"iconId\":\"131\",\"objectSchemaId\":\"1\",\"parentObjectTypeId\":\"103\"}", 201,
          "\"parentObjectTypeInherited\":true,\"parentObjectTypeId\":103", "below; its parent's id is a number" },
        { "POST", WS "/objecttypeattribute/103", "{\"name\":\"Badge\",\"type\":0,\"defaultTypeId\":0}", 201, "\"id\":\"1357\"", "a later attribute" },
        { "POST", WS "/object/create", OBJECT("104", ATTR("1354", VALUE("Gus")) "," ATTR("1357", VALUE("b1"))), 201, "\"label\":\"Gus\"", "an object of the child" },
        { "POST", WS "/object/aql", "{\"qlQuery\":\"objectType = Person\"}", 200, "\"values\":[]", "not of the parent" },
        { "POST", WS "/object/aql", "{\"qlQuery\":\"objectType IN objectTypeAndChildren(Person) AND Badge = b1\"}", 200, "Gus", "of parent or children" },
    };

    walk_steps(*state, steps, EB_LEN(steps));
}

static void test_values(void **state)
{
    static const struct { const char *attr, *value; bool ok; const char *why; } cases[] = {
        { A_MAIL, "a@b.de", true, "address" }, { A_MAIL, "a@b", false, "no dot" }, { A_MAIL, "a b@c.de", false, "a blank" }, { A_MAIL, "@c.de", false, "nobody" },
        { A_ENABLED, "false", true, "boolean" }, { A_ENABLED, "yes", false, "no boolean" }, { A_NUMBER, "-5", true, "number" },
        { A_NUMBER, "2147483648", false, "33 bits" }, { A_NUMBER, "1.5", false, "no whole number" }, { A_SEEN, "2026-09-01T10:00:00+02:00", true, "time" },
        { A_SEEN, "2026-09-01", false, "a date only" }, { A_SEEN, "yesterday", false, "words" }, { A_PAGE, "https://x", true, "URL" }, { A_PAGE, "ftp://x", false, "other scheme" },
        { A_KIND, "Guest", true, "a choice" }, { A_KIND, "Gue", false, "half a choice" }, { A_IP, "10.0.0.1", true, "v4" }, { A_IP, "fe80::1", true, "v6" },
        { A_IP, "10.0.0.256", false, "no address" }, { A_MANAGER, "ENTRA-3", true, "reference" }, { A_MANAGER, "ENTRA-1", false, "of another type" },
        { A_MANAGER, "ENTRA-99", false, "not there" }, { A_MANAGER, "OTHER-3", false, "another schema's key" }, { A_MANAGER, "3", false, "an id is no key" },
        { A_STATUS, "4", true, "status" }, { A_STATUS, "Inactive", false, "its name" }, { A_STATUS, "9", false, "none" },
        { A_USER, "712020:" USER("02"), true, "account" }, { A_USER, "grace@contoso.com", false, "mail is no account" }, { "1334", "ENTRA-9", false, "Key is made" },
        { G_ID, "x", false, "another type's attribute" }, { "x", "x", false, "no id" }, { A_ID, "u-1", false, "not unique" }, { A_ID, "U-1", false, "not in other case" },
        { A_ID, "u-2", true, "its own value" },
    };
    struct world *w = *state;
    char body[400], field[80];

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        snprintf(body, sizeof(body), OBJECT(EMPLOYEE_TYPE, ATTR("%s", VALUE("%s"))), cases[i].attr, cases[i].value);
        snprintf(field, sizeof(field), "{\"errorMessages\":[],\"errors\":{\"rlabs-insight-attribute-%s\":", cases[i].attr);
        int status = call(w, "PUT", WS "/object/4", body);
        char *text = w->reply.body != NULL ? eb_json_text(w->reply.body) : strdup("");
        if (status != (cases[i].ok ? 200 : 400) || (!cases[i].ok && strstr(text, field) == NULL))
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, status, text);
        free(text);
    }
}

static void test_long_values(void **state)
{
    static const struct { const char *attr; int length; bool ok; } cases[] = {
        { A_DEPARTMENT, 255, true }, { A_DEPARTMENT, 256, false }, { A_LONG, 5000, true }, { A_LONG, 5001, false },
    };
    struct world *w = *state;

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *text = eb_alloc((size_t)cases[i].length * 2 + 1);     /* characters of two bytes each: they are what counts */
        for (int k = 0; k < cases[i].length; k++)
            strcat(text + (size_t)k * 2, "\xc3\xa4");
        char *body = eb_asprintf(OBJECT(EMPLOYEE_TYPE, ATTR("%s", VALUE("%s"))), cases[i].attr, text);
        assert_int_equal(call(w, "PUT", WS "/object/4", body), cases[i].ok ? 200 : 400);
        free(body);
        free(text);
    }
}

static void test_objects(void **state)
{
    static const struct step steps[] = {
        { "POST", WS "/object/create", OBJECT(EMPLOYEE_TYPE, ATTR(A_ID, VALUE("u-9"))), 400, "attribute-" A_NAME "\":\"Name must have at least 1", "no name" },
        { "POST", WS "/object/create", OBJECT("99", ""), 400, "objectTypeId", "no such type" },
        { "POST", WS "/object/create", "{\"objectTypeId\":102,\"attributes\":[]}", 400, "must be text", "ids are text" },
        { "POST", WS "/object/create", EMPLOYEE("X", "u-9", "," ATTR(A_NUMBER, "{\"value\":9}")), 400, "must be text", "values are text" },
        { "POST", WS "/object/create", EMPLOYEE("X", "u-9", "," ATTR(A_NUMBER, "{\"value\":\"9\",\"x\":1}")), 400, "not a member", "closed values" },
        { "POST", WS "/object/create", EMPLOYEE("X", "u-9", "," ATTR(A_ID, VALUE("u-8"))), 400, "twice", "an attribute twice" },
        { "POST", WS "/object/create", EMPLOYEE("X", "u-9", "," ATTR(A_NUMBER, VALUE("1") "," VALUE("2") "," VALUE("3"))), 400, "at most 2", "too many" },
        { "GET", WS "/object/4", NULL, 200, "\"objectTypeAttributeId\":\"" A_MANAGER "\",\"objectAttributeValues\":[{\"referencedObject\":{\"workspaceId\"", "a reference" },
        { "GET", WS "/object/4", NULL, 200, "\"id\":\"3\",\"label\":\"Grace Hopper\",\"objectKey\":\"ENTRA-3\"", "to whom" },
        { "GET", WS "/object/4", NULL, 200, "\"label\":\"Ada \\\"A\\\" Lovelace\"", "escaped" },
        { "GET", WS "/object/3/attributes", NULL, 200, "{\"status\":{\"id\":\"1\",\"name\":\"Active\",\"category\":1}", "status" },
        { "GET", WS "/object/3/attributes", NULL, 200, "{\"user\":{\"key\":\"712020:" USER("02") "\"", "user" },
        { "GET", WS "/object/3/attributes", NULL, 200, "[{\"value\":\"ENTRA-3\",\"displayValue\":\"ENTRA-3\"", "key" },
        { "GET", WS "/object/3/referenceinfo", NULL, 200, "\"numberOfReferencedObjects\":2,\"openIssuesExists\":false", "who refers to it" },
        { "PUT", WS "/object/4", OBJECT(EMPLOYEE_TYPE, ATTR(A_DEPARTMENT, "")), 200, "ENTRA-4", "cleared" },
        { "GET", "/sim/assets?type=Employee&after=3&limit=1", NULL, 200,
          "\"attributes\":{\"Name\":\"Ada \\\"A\\\" Lovelace\",\"Entra User ID\":\"u-2\",\"Manager\":\"ENTRA-3\",\"Groups\":[\"ENTRA-1\"]", "what was not named stays" },
        { "GET", "/sim/assets?type=Employee&after=3&limit=1", NULL, 200, "\"ref_labels\":{\"Manager\":\"Grace Hopper\",\"Groups\":[\"Finance\"]}}],\"last\":false", "labels; more follow" },
        { "PUT", WS "/object/4", OBJECT(EMPLOYEE_TYPE, ATTR(A_DEPARTMENT, "")), 200, NULL, "nothing new" },
        { "PUT", WS "/object/4", OBJECT(GROUP_TYPE, ""), 400, "objectTypeId", "another type" },
        { "PUT", WS "/object/4", OBJECT(EMPLOYEE_TYPE, ATTR(A_NAME, "")), 400, "at least 1", "the name cannot go" },
        { "DELETE", WS "/object/3", NULL, 200, NULL, "deleted" }, { "DELETE", WS "/object/3", NULL, 404, NULL, "once" },
        { "POST", WS "/object/aql", "{\"qlQuery\":\"Manager IS NOT EMPTY\"}", 200, "\"values\":[]", "and the references to it" },
        { "GET", "/sim/counters", NULL, 200, "\"3\":{\"creates\":1,\"updates\":0,\"deletes\":1},\"4\":{\"creates\":1,\"updates\":1,\"deletes\":0}", "effects" },
        { "POST", "/sim/assets/objects", "{\"key\":\"ENTRA-4\",\"attributes\":{\"Groups\":[\"Sales\"],\"Status\":\"Inactive\"}}", 200, "\"Groups\":[\"ENTRA-2\"]", "by another hand" },
        { "POST", "/sim/assets/objects", "{\"key\":\"ENTRA-4\",\"attributes\":{\"Shoe size\":\"42\"}}", 400, "Shoe size", "no such attribute" },
        { "POST", "/sim/assets/objects", "{\"key\":\"ENTRA-5\",\"deleted\":true}", 200, "Alan", "deleted by another hand" },
        { "GET", WS "/object/5", NULL, 404, NULL, "gone" },
    };
    struct world *w = *state;

    walk_steps(w, steps, EB_LEN(steps));
    assert_int_equal(counted(w, NULL, "assets_creates"), 5);
    assert_int_equal(counted(w, NULL, "assets_updates"), 1);
    assert_int_equal(counted(w, NULL, "assets_identical"), 1);
    assert_int_equal(counted(w, NULL, "assets_deletes"), 1);
}

static const char *reply_header(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->reply.header_count; i++)
        if (strcmp(w->reply.headers[i].name, name) == 0)
            return w->reply.headers[i].value;
    return "";
}

static void test_limits(void **state)
{
    struct world *w = *state;
    int ok = 0;

    for (int i = 0; i < 200; i++)
        ok += call(w, "GET", WS "/object/4", NULL) == 200;
    assert_int_equal(ok, 200);                          /* off at first */
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"limits\":\"real\"}"), 200);
    for (int i = 0; i < 2000 && call(w, "GET", WS "/object/4", NULL) == 200; i++)
        ;
    assert_int_equal(w->reply.status, 429);
    assert_string_equal(reply_header(w, "RateLimit-Reason"), "jira-burst-based");
    assert_string_equal(reply_header(w, "Retry-After"), "1");
    assert_int_equal(call(w, "GET", WS "/object/4/attributes", NULL), 200);         /* another endpoint's bucket */
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"limits\":\"off\",\"assets_aql_per_minute\":3}"), 200);
    for (int i = 0; i < 3; i++)
        assert_int_equal(call(w, "POST", WS "/object/aql", "{\"qlQuery\":\"Key = ENTRA-4\"}"), 200);
    assert_int_equal(call(w, "POST", WS "/object/aql", "{\"qlQuery\":\"Key = ENTRA-4\"}"), 429);
    assert_in_range(atoi(reply_header(w, "Retry-After")), 50, 60);
    assert_int_equal(call(w, "POST", WS "/object/aql/totalcount", "{\"qlQuery\":\"Key = ENTRA-4\"}"), 200);
}

static void test_faults(void **state)
{
    struct world *w = *state;
    struct sim_call c = { .cloud = sim_classify(WS "/object/create"), .method = "POST" };

    assert_int_equal(c.cloud, SIM_CLOUD_ASSETS);
    assert_int_equal(sim_classify("/ex/jira/77777777-2222-4333-8444-555555555555/jsm/assets/v1/imports/info"), SIM_CLOUD_ASSETS);
    assert_int_equal(sim_classify("/ex/jira/77777777-2222-4333-8444-555555555555/rest/api/3/myself"), SIM_CLOUD_JIRA);
    assert_int_equal(call(w, "POST", "/sim/faults", "{\"match\":{\"cloud\":\"assets\"},\"action\":{\"status\":503}}"), 200);
    assert_true(sim_call_target(&c, WS "/object/create"));
    struct sim_action *a = sim_faults_decide(w->sim->faults, &c);
    assert_non_null(a);
    sim_reply_clear(&w->reply);
    sim_action_answer(a, &c, &w->reply);
    assert_non_null(json_object_get(w->reply.body, "errorMessages"));
    sim_action_free(a);
    sim_call_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schemas, setup, teardown), cmocka_unit_test_setup_teardown(test_types, setup_directory, teardown),
        cmocka_unit_test_setup_teardown(test_inheritance, setup_directory, teardown), cmocka_unit_test_setup_teardown(test_values, setup_directory, teardown),
        cmocka_unit_test_setup_teardown(test_long_values, setup_directory, teardown), cmocka_unit_test_setup_teardown(test_objects, setup_directory, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup_directory, teardown), cmocka_unit_test_setup_teardown(test_faults, setup_directory, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
