/* test_sim_imports.c - external imports into the simulated Assets, step by step, with what goes wrong on the way. */
#include "sim/assets_import.h"
#include "tests/unit/assets_world.h"

#include <stdlib.h>

#define SOURCE "/importsource/%s"
#define ATTRIBUTE(name, id, type, more) "{\"name\":\"" name "\",\"externalId\":\"" id "\",\"description\":\"\",\"type\":\"" type "\"" more "}"
#define MAPPED(name, id, locator, more) "{\"attributeName\":\"" name "\",\"attributeExternalId\":\"" id "\",\"attributeLocators\":[\"" locator "\"]" more "}"
#define TYPE(name, id, attrs) "{\"name\":\"" name "\",\"externalId\":\"" id "\",\"description\":\"\",\"attributes\":[" attrs "]}"
#define TYPE_MAP(name, id, selector, attrs) "{\"objectTypeName\":\"" name "\",\"objectTypeExternalId\":\"" id "\",\"selector\":\"" selector \
    "\",\"description\":\"\",\"attributesMapping\":[" attrs "]}"
#define CONFIG(types, maps) "{\"schema\":{\"objectSchema\":{\"name\":\"E\",\"description\":\"\",\"objectTypes\":[" types "]}," \
    "\"statusSchema\":{\"statuses\":[{\"name\":\"Gone\",\"description\":\"\",\"category\":\"inactive\"}]}},\"mapping\":{\"objectTypeMappings\":[" maps "]}}"
#define GROUPS TYPE("Group", "g", ATTRIBUTE("Name", "g/n", "text", ",\"label\":true") "," ATTRIBUTE("Object ID", "g/id", "text", ",\"unique\":true"))
#define PEOPLE TYPE("Employee", "e", ATTRIBUTE("Name", "e/n", "text", ",\"label\":true") "," ATTRIBUTE("Object ID", "e/id", "text", ",\"unique\":true") "," \
    ATTRIBUTE("Age", "e/a", "integer", "") "," ATTRIBUTE("Status", "e/s", "status", "") "," \
    ATTRIBUTE("Manager", "e/m", "referenced_object", ",\"referenceObjectTypeExternalId\":\"e\"") "," \
    ATTRIBUTE("Groups", "e/g", "referenced_object", ",\"referenceObjectTypeExternalId\":\"g\",\"maximumCardinality\":-1"))
#define GROUP_MAP TYPE_MAP("Group", "g", "groups", MAPPED("Name", "g/n", "displayName", "") "," MAPPED("Object ID", "g/id", "id", ",\"externalIdPart\":true"))
#define PEOPLE_MAP TYPE_MAP("Employee", "e", "users", MAPPED("Name", "e/n", "displayName", "") "," MAPPED("Object ID", "e/id", "id", ",\"externalIdPart\":true") "," \
    MAPPED("Age", "e/a", "age", "") "," MAPPED("Status", "e/s", "state", "") "," \
    MAPPED("Manager", "e/m", "manager.id", ",\"objectMappingIQL\":\"\\\"Object ID\\\" = ${manager.id}\"") "," \
    MAPPED("Groups", "e/g", "groups", ",\"objectMappingIQL\":\"\\\"Object ID\\\" IN (${groups})\""))
#define WHOLE CONFIG(GROUPS "," PEOPLE, GROUP_MAP "," PEOPLE_MAP)

/* A schema with an import source; the next calls carry its token. */
static int setup_source(void **state)
{
    struct world *w;

    setup(state);
    w = *state;
    assert_int_equal(call(w, "POST", WS "/objectschema/create", "{\"name\":\"Entra Directory\",\"objectSchemaKey\":\"ENTRA\"}"), 201);
    assert_int_equal(call(w, "POST", "/sim/assets/importsource", "{\"schemaKey\":\"ENTRA\"}"), 200);
    assert_string_equal(eb_json_str(w->reply.body, "token"), "sim-import-token");
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_ms_per_object\":0}"), 200);
    return 0;
}

static struct import_source *source(struct world *w)
{
    return w->sim->assets->imports->sources;
}

/* To a resource of the source; run: of its latest execution. */
static int ask(struct world *w, const char *method, bool run, const char *rest, const char *body)
{
    char *target = eb_asprintf(WS SOURCE "%s%s%s", source(w)->id, run ? "/executions/" : "", run ? source(w)->run->id : "", rest);
    w->bearer = "Bearer sim-import-token";
    int status = call(w, method, target, body);

    w->bearer = NULL;
    free(target);
    return status;
}

static void expect(struct world *w, const char *text)
{
    char *got = w->reply.body != NULL ? eb_json_text(w->reply.body) : strdup("");

    if (strstr(got, text) == NULL)
        fail_msg("%s is not in %s", text, got);
    free(got);
}

/* Runs the loop until the data has been worked in. */
static void finish(struct world *w)
{
    assert_int_equal(ask(w, "POST", true, "/data", "{\"completed\":true}"), 200);
    while (source(w)->run->state == IMPORT_PROCESSING)
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(ask(w, "GET", true, "/status", NULL), 200);
}

static void import(struct world *w, const char *data)
{
    char *body = eb_asprintf("{\"data\":%s}", data);

    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    assert_int_equal(ask(w, "POST", true, "/data", body), 200);
    finish(w);
    free(body);
}

static void test_steps(void **state)
{
    struct world *w = *state;

    assert_int_equal(call(w, "GET", "/jsm/assets/v1/imports/info", NULL), 401);     /* the account's token is none */
    w->bearer = "Bearer sim-import-token";
    assert_int_equal(call(w, "GET", "/jsm/assets/v1/imports/info", NULL), 200);
    expect(w, "/configstatus\",\"start\":\"http://localhost/v1.0/jsm/assets/workspace/");
    assert_int_equal(ask(w, "GET", false, "/configstatus", NULL), 200);
    expect(w, "MISSING_MAPPING");
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 409);
    expect(w, "{\"result\":\"error\",\"errorCode\":\"MISSING_MAPPING\"}");
    assert_int_equal(ask(w, "PATCH", false, "/mapping", WHOLE), 400);
    assert_int_equal(ask(w, "PUT", false, "/mapping?async=true", WHOLE), 303);
    char progress[80];
    snprintf(progress, sizeof(progress), "/mapping/progress/%s", source(w)->resource);
    assert_non_null(strstr(w->reply.headers[0].value, progress));
    assert_int_equal(ask(w, "GET", false, progress, NULL), 200);
    expect(w, "IN_PROGRESS");
    assert_int_equal(ask(w, "GET", false, progress, NULL), 200);
    expect(w, "\"progressStatus\":\"FINISHED\",\"result\":\"OK\"");
    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 409);
    assert_int_equal(ask(w, "PATCH", false, "/mapping", WHOLE), 204);
    assert_int_equal(ask(w, "GET", false, "/configstatus", NULL), 200);
    expect(w, "IDLE");
    assert_int_equal(ask(w, "POST", false, "/executions", "{\"scheduled\":1}"), 400);
    assert_int_equal(ask(w, "POST", false, "/executions", "{\"scheduled\":true}"), 200);
    expect(w, "submitResults");
    assert_int_equal(ask(w, "GET", false, "/configstatus", NULL), 200);
    expect(w, "RUNNING");
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 409);
    expect(w, "IN_PROGRESS");
    assert_int_equal(ask(w, "PUT", true, "/progress", "{\"steps\":{\"total\":1,\"current\":1,\"description\":\"x\"}}"), 200);
    assert_int_equal(ask(w, "GET", true, "/status", NULL), 200);
    expect(w, "{\"status\":\"INGESTING\"}");
    assert_int_equal(ask(w, "DELETE", true, "", NULL), 200);
    assert_int_equal(ask(w, "GET", true, "/status", NULL), 200);
    expect(w, "CANCELLED");
    assert_int_equal(ask(w, "POST", true, "/data", "{\"completed\":true}"), 400);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    assert_int_equal(ask(w, "POST", true, "/history/failed", "{\"failureReason\":\"\"}"), 400);
    assert_int_equal(ask(w, "POST", true, "/history/failed", "{\"failureReason\":\"read error\"}"), 204);
    assert_int_equal(ask(w, "POST", true, "/history/failed", "{\"failureReason\":\"again\"}"), 400);
    char *disable = eb_asprintf("{\"id\":\"%s\",\"disabled\":true}", source(w)->id);
    assert_int_equal(call(w, "POST", "/sim/assets/importsource", disable), 200);
    free(disable);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 409);
    expect(w, "DISABLED");
}

static void test_mappings(void **state)
{
    static const struct { const char *config, *text, *why; } bad[] = {
        { "{\"schema\":{},\"mapping\":{\"objectTypeMappings\":[]}}", "objectSchema", "no schema" },
        { CONFIG("", ""), "objectTypes", "no object types" },
        { CONFIG("{\"name\":\"Group\",\"description\":\"\",\"attributes\":[" ATTRIBUTE("Name", "x", "text", "") "]}", ""), "externalId", "external ids here and there" },
        { CONFIG(TYPE("G", "g", ATTRIBUTE("User", "u", "user", "")), ""), "not allowed", "users cannot be imported" },
        { CONFIG("{\"name\":\"G\",\"externalId\":\"g\"}", ""), "description", "no description" },
        { CONFIG(TYPE("G", "gg", ATTRIBUTE("R", "r", "referenced_object", ",\"referenceObjectTypeExternalId\":\"zz\"")), ""), "no such object type", "refers to nothing" },
        { CONFIG(GROUPS, TYPE_MAP("Group", "g", "groups", MAPPED("Zip", "g/zip", "z", ",\"externalIdPart\":true"))), "no such attribute", "maps nothing" },
        { CONFIG(GROUPS, TYPE_MAP("Group", "g", "groups", MAPPED("Name", "g/n", "n", ""))), "external id", "no identity" },
        { CONFIG(GROUPS "," PEOPLE, TYPE_MAP("Employee", "e", "u", MAPPED("Groups", "e/g", "g", ""))), "objectMappingIQL", "reference without a query" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < EB_LEN(bad); i++) {
        int status = ask(w, "PUT", false, "/mapping", bad[i].config);
        char *text = w->reply.body != NULL ? eb_json_text(w->reply.body) : strdup("");
        if (status != 400 || strstr(text, bad[i].text) == NULL)
            fail_msg("case %zu (%s): %d %s", i, bad[i].why, status, text);
        free(text);
    }
    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 204);
    assert_int_equal(ask(w, "PATCH", false, "/mapping", CONFIG(TYPE("Group", "g", ATTRIBUTE("Name", "g/n", "integer", "")), GROUP_MAP)), 400);
    expect(w, "cannot be changed");
    assert_int_equal(call(w, "GET", WS "/objectschema/1/objecttypes/flat", NULL), 200);
    assert_int_equal(json_array_size(w->reply.body), 3);            /* what a refused mapping had made stays */
}

#define ADA "{\"id\":\"u-1\",\"displayName\":\"Ada\",\"age\":36,\"state\":\"Active\",\"manager\":{\"id\":\"u-2\"},\"groups\":[\"g-1\",\"g-9\"]}"
#define GRACE "{\"id\":\"u-2\",\"displayName\":\"Grace\",\"groups\":[\"g-1\"]}"
static void test_runs(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 204);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    for (int i = 0; i < 2; i++)                         /* the same chunk twice is taken once */
        assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"groups\":[{\"id\":\"g-1\",\"displayName\":\"Finance\"}],\"users\":[" ADA "]},\"clientGeneratedId\":\"c1\"}"), 200);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[" GRACE "," GRACE ",{\"displayName\":\"Nobody\"},{\"id\":\"u-3\"},"
                          "{\"id\":\"u-4\",\"displayName\":\"Old\",\"age\":\"old\"}]},\"clientGeneratedId\":\"c2\"}"), 200);
    finish(w);
    expect(w, "\"status\":\"DONE\"");
    expect(w, "\"objectTypeName\":\"Employee\",\"objectTypeId\":102,\"objectsUpdated\":0,\"objectsCreated\":3,\"objectsIdentical\":0");
    expect(w, "\"entriesInSource\":6,\"duplicateEnries\":1,\"emptyLabelEntries\":1,\"emptyExternalIdEntries\":1");
    expect(w, "\"objectsWithUpdatedReferences\":2");
    expect(w, "\"messages\":[\"The value of Age must be a whole number of 32 bits\"],\"count\":1");
    assert_int_equal(call(w, "GET", "/sim/assets?type=Employee&limit=1", NULL), 200);
    expect(w, "\"attributes\":{\"Name\":\"Ada\",\"Object ID\":\"u-1\",\"Age\":\"36\",\"Status\":\"Active\",\"Manager\":\"ENTRA-3\",\"Groups\":[\"ENTRA-1\"]}");
    import(w, "{\"users\":[" ADA ",{\"id\":\"u-2\",\"displayName\":\"Grace H\",\"groups\":[]}]}");
    expect(w, "\"objectsUpdated\":1,\"objectsCreated\":0,\"objectsIdentical\":1,\"objectsMissingUpdated\":0,\"objectsMissingDeleted\":0");
    assert_int_equal(call(w, "POST", WS "/object/aql", "{\"qlQuery\":\"Name = \\\"Grace H\\\" AND Groups = Finance\"}"), 200);
    assert_non_null(strstr(w->reply.text, "ENTRA-3"));              /* an empty value leaves things alone */
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_empty\":\"remove\"}"), 200);
    import(w, "{\"users\":[{\"id\":\"u-2\",\"displayName\":\"Grace H\",\"groups\":[]}]}");
    expect(w, "\"objectsUpdated\":1,\"objectsCreated\":0,\"objectsIdentical\":0");
    assert_int_equal(counted(w, NULL, "assets_creates"), 4);
    assert_int_equal(counted(w, NULL, "assets_updates"), 2);
}

static void test_missing_objects(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 204);
    import(w, "{\"users\":[" ADA "," GRACE "]}");
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_missing\":\"inactive\"}"), 200);
    import(w, "{\"users\":[" GRACE "]}");
    expect(w, "\"objectsMissingUpdated\":1,\"objectsMissingDeleted\":0");
    assert_int_equal(call(w, "GET", "/sim/assets?type=Employee&limit=1", NULL), 200);
    expect(w, "\"Status\":\"Closed\"");
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_missing\":\"delete\"}"), 200);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    finish(w);                                          /* completed without data: what an incomplete run does */
    expect(w, "\"objectsMissingDeleted\":2");
    assert_int_equal(call(w, "GET", "/sim/assets?type=Employee", NULL), 200);
    expect(w, "\"objects\":[]");
}

static void test_chunk_sizes(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 204);
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_chunk_objects\":1}"), 200);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[" ADA "]}}"), 200);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[" ADA "," GRACE "]}}"), 400);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[1]}}"), 400);
    assert_int_equal(ask(w, "POST", true, "/data", "{}"), 400);
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_chunk_bytes\":20}"), 200);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[]},\"completed\":false}"), 400);
    assert_int_equal(source(w)->run->records, 1);
}

/* The work takes its time, and the loop goes on meanwhile; a cancelled run stops where it is. */
static void test_slow_run(void **state)
{
    struct world *w = *state;

    assert_int_equal(ask(w, "PUT", false, "/mapping", WHOLE), 204);
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"import_ms_per_object\":3600000}"), 200);
    assert_int_equal(ask(w, "POST", false, "/executions", NULL), 200);
    assert_int_equal(ask(w, "POST", true, "/data", "{\"data\":{\"users\":[" ADA "]},\"completed\":true}"), 200);
    for (int i = 0; i < 3; i++)
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(ask(w, "GET", true, "/status", NULL), 200);
    expect(w, "\"status\":\"PROCESSING\"");
    assert_int_equal(ask(w, "DELETE", true, "", NULL), 200);
    assert_int_equal(ask(w, "DELETE", true, "", NULL), 400);
    assert_int_equal(call(w, "GET", "/sim/assets?type=Employee", NULL), 200);
    expect(w, "\"objects\":[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_steps, setup_source, teardown), cmocka_unit_test_setup_teardown(test_mappings, setup_source, teardown),
        cmocka_unit_test_setup_teardown(test_runs, setup_source, teardown), cmocka_unit_test_setup_teardown(test_missing_objects, setup_source, teardown),
        cmocka_unit_test_setup_teardown(test_chunk_sizes, setup_source, teardown), cmocka_unit_test_setup_teardown(test_slow_run, setup_source, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
