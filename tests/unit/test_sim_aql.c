/* test_sim_aql.c - AQL in the simulated Assets: what a query finds, how it is written, how its results come in pages and late. */
#include "tests/unit/assets_world.h"

#include <stdlib.h>

/* The ids of an answer, "3 4 5". */
static void found(struct world *w, const char *target, const char *query, char *out, size_t size)
{
    EB_AUTO(json_t, json_decref) body = json_pack("{s:s}", "qlQuery", query);
    char *text = eb_json_text(body);
    json_t *value;
    size_t i;

    *out = '\0';
    if (call(w, "POST", target, text) == 200) {
        EB_AUTO(json_t, json_decref) page = json_loads(w->reply.text, 0, NULL);
        json_array_foreach(json_object_get(page, "values"), i, value)
            snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? " " : "", eb_json_str(value, "id"));
    } else {
        snprintf(out, size, "%d", w->reply.status);
    }
    free(text);
}

static void test_queries(void **state)
{
    static const struct { const char *query, *ids, *why; } cases[] = {
        { "objectSchema = ENTRA", "1 2 3 4 5", "by the schema's key" }, { "objectSchema = \"Entra Directory\"", "1 2 3 4 5", "by its name" },
        { "objectSchemaId = 1", "1 2 3 4 5", "by its id" }, { "objectType = Group", "1 2", "type" }, { "objectTypeId = 102", "3 4 5", "type by id" },
        { "objectType in (Group, Employee)", "1 2 3 4 5", "keywords in any case" }, { "objectType IN objectTypeAndChildren(\"Employee\")", "3 4 5", "with children" },
        { "objectTypeAndChildren(Group)", "1 2", "as a term of its own" }, { "objectType = Nothing", "", "a type that is not there" },
        { "Key = ENTRA-4", "4", "key" }, { "key IN (ENTRA-5, \"ENTRA-1\", OTHER-2)", "1 5", "keys; another schema's is none" },
        { "objectId = 3", "3", "id" }, { "objectId > 3", "4 5", "ids above" }, { "objectId >= 3 AND objectId < 5", "3 4", "a range" },
        { "objectId IN (2, 99)", "2", "ids" }, { "label = \"grace hopper\"", "3", "label, whatever the case" }, { "Name == \"grace hopper\"", "", "== minds the case" },
        { "Name == \"Grace Hopper\"", "3", "== the same" }, { "\"Entra User ID\" = U-2", "4", "unique attribute" }, { "\"Entra User ID\" IN (u-1, u-3)", "3 5", "several" },
        { "objectType = Employee AND \"Entra User ID\" != u-2", "3 5", "!=" }, { "objectType = Employee AND \"Entra User ID\" NOT IN (u-1, u-2)", "5", "NOT IN" },
        { "Name LIKE \"ac\"", "3 4", "part" }, { "objectType = Employee AND Name NOT LIKE ac", "5", "NOT LIKE" }, { "Name STARTSWITH \"al\"", "5", "begins" },
        { "Name ENDSWITH ing", "5", "ends" }, { "Number > 9", "5", "numbers as numbers" }, { "Number < 10", "4", "not as text" },
        { "\"Last seen\" > 2026-09-15", "5", "times" }, { "\"Last seen\" <= \"2026-09-01T10:00:00Z\"", "4", "the same moment" },
        { "objectType = Employee AND Manager IS EMPTY", "3", "no value" }, { "Manager is not empty", "4 5", "a value" },
        { "Manager = \"Grace Hopper\"", "4 5", "a reference by label" }, { "Manager = ENTRA-3", "4 5", "by key" }, { "Groups = sales", "5", "one of several" },
        { "Manager.Name = \"Grace Hopper\"", "4 5", "through a reference" }, { "\"Manager\".\"Entra User ID\" = u-1", "4 5", "quoted steps" },
        { "Groups.\"Entra Group ID\" IN (g-2)", "5", "from a list" }, { "Manager.Email LIKE contoso", "4 5", "without an index" },
        { "Status = inactive", "5", "status by name" }, { "Status = 1", "3", "by id" }, { "\"Jira user\" = \"712020:" USER("02") "\"", "3", "user by account" },
        { "\"Jira user\" = \"Grace Hopper\"", "3", "by name" }, { "\"Account enabled\" = true", "3", "boolean" }, { "Department = \xc3\xbcnit", "4", "umlauts fold" },
        { "Name = \"Ada \\\"A\\\" Lovelace\"", "4", "escaped quotes" }, { "object HAVING outboundReferences(Name = Sales)", "5", "refers to" },
        { "object HAVING inboundReferences(Name LIKE alan)", "1 2 3", "is referred to by" }, { "object NOT HAVING inboundReferences()", "4 5", "by nobody" },
        { "object HAVING inboundReferences(Name LIKE alan, refType IN (\"member of\"))", "1 2", "by that kind of reference" },
        { "object HAVING inR(Name LIKE alan, refType IN (Other, \"Member of\"))", "1 2", "one of the kinds" },
        { "object HAVING outboundReferences(objectType = Employee, refType IN (\"Member of\"))", "", "nobody is in a person" },
        { "object HAVING inboundReferences(Name LIKE alan, Name = x)", "400", "only kinds of reference" },
        { "Created > \"now(-1h 30m)\"", "1 2 3 4 5", "made since" }, { "Created < now(-1d)", "", "nothing is so old" }, { "Created < \"now(2w)\"", "1 2 3 4 5", "ahead" },
        { "Name = \"now(then)\"", "", "no time: a text" }, { "Name = now(then)", "400", "without quotes no text either" },
        { "\"Jira user\" = currentUser()", "", "whose token asks" }, { "objectType = Employee AND \"Jira user\" != currentReporter()", "3 4 5", "no issue, no reporter" },
        { "Manager.Manager.Manager.Manager.Name = Nobody", "", "a long way" },
        { "(Name = Sales OR Name LIKE ada) AND NOT objectType = Group", "4", "parentheses, NOT" }, { "Name = Sales OR Name = Finance AND objectId = 2", "2", "AND binds" },
        { "", "1 2 3 4 5", "nothing asked" }, { "objectType = Employee ORDER BY Name DESC", "3 5 4", "order" },
        { "objectType = Employee ORDER BY Number", "3 4 5", "numbers; the empty one first" }, { "objectType = Employee ORDER BY Key", "3 4 5", "by number" }, { "objectId > 2 ORDER BY Manager.Name, Key DESC", "3 5 4", "two orders" },
        { "Key = ENTRA-04", "", "a key has one spelling" }, { "Name =", "400", "no value" }, { "Name = \"open", "400", "open quote" },
        { "Name = two words", "400", "blanks need quotes" }, { "(Name = x", "400", "open parenthesis" }, { "Name IN x", "400", "IN without a list" },
        { "Name = \"\\n\"", "400", "no such escape" }, { "Name = x AND", "400", "ends too early" }, { "Name = x ORDER", "400", "BY is missing" },
        { "Name ~ x", "400", "no such operator" }, { "object HAVING x()", "400", "no such function" }, { "Name = x y = z", "400", "no AND between" },
    };
    char ids[200];

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        found(*state, WS "/object/aql?maxResults=50", cases[i].query, ids, sizeof(ids));
        if (strcmp(ids, cases[i].ids) != 0)
            fail_msg("case %zu (%s): %s: found %s", i, cases[i].why, cases[i].query, ids);
    }
}

static void test_nesting_ends(void **state)
{
    char query[400] = "", ids[20];

    for (int i = 0; i < 100; i++)
        strcat(query, "(");
    strcat(query, "Name = x");
    found(*state, WS "/object/aql", query, ids, sizeof(ids));
    assert_string_equal(ids, "400");
}

#define QUERY(text) "{\"qlQuery\":\"" text "\"}"
static void test_pages(void **state)
{
    static const struct step steps[] = {
        { "POST", WS "/object/aql?maxResults=2", QUERY("objectType = Employee"), 200, "\"startAt\":0,\"maxResults\":2,\"total\":3", "first page" },
        { "POST", WS "/object/aql?maxResults=2", QUERY("objectType = Employee"), 200, "\"last\":false,\"isLast\":false", "is not the last" },
        { "POST", WS "/object/aql?maxResults=2&startAt=2", QUERY("objectType = Employee"), 200, "\"last\":true,\"isLast\":true", "the rest" },
        { "POST", WS "/object/aql?maxResults=2&startAt=2", QUERY("objectType = Employee AND objectId > 0"), 200, "\"id\":\"5\"", "where an earlier page ended" },
        { "POST", WS "/object/aql?maxResults=2&startAt=7", QUERY("objectType = Employee AND objectId > 0"), 200, "\"values\":[],\"objectTypeAttributes\":[],\"last\":true", "beyond" },
        { "POST", WS "/object/aql?includeAttributes=false", QUERY("Key = ENTRA-4"), 200, "\"timestamp\"", "without attributes" },
        { "POST", WS "/object/aql", QUERY("Key = ENTRA-4"), 200, "\"referencedObject\":{\"workspaceId\"", "attributes are usual" },
        { "POST", WS "/object/aql?maxResults=0", QUERY("Key = ENTRA-4"), 400, "maxResults", "from 1" },
        { "POST", WS "/object/aql?startAt=x", QUERY("Key = ENTRA-4"), 400, "startAt", "a number" },
        { "POST", WS "/object/aql?includeAttributes=yes", QUERY("Key = ENTRA-4"), 400, "includeAttributes", "true or false" },
        { "POST", WS "/object/aql", "{\"qlQuery\":\"\",\"iql\":\"\"}", 400, "iql", "closed body" },
        { "POST", "/sim/settings", "{\"aql_page_max\":1}", 200, NULL, "a smaller page" },
        { "POST", WS "/object/aql?maxResults=500", QUERY("objectType = Employee"), 200, "\"maxResults\":1,", "is what one gets" },
        { "POST", WS "/object/aql/totalcount", QUERY("objectType = Employee"), 200, "\"totalCount\":3", "counted" },
        { "POST", WS "/object/aql/totalcount", QUERY("Manager IS NOT EMPTY"), 200, "\"totalCount\":2", "counted one by one" },
    };

    walk_steps(*state, steps, EB_LEN(steps));
}

/* Paging through everything, by either way, meets each object once, while objects are taken away before the page. */
static void test_every_page(void **state)
{
    struct world *w = *state;
    char target[200], query[80], ids[8000];
    int met = 0, last = 0;

    for (int i = 0; i < 1200; i++) {
        char body[120];
        snprintf(body, sizeof(body), "{\"type\":\"Group\",\"attributes\":{\"Name\":\"G%d\"}}", i);
        assert_int_equal(call(w, "POST", "/sim/assets/objects", body), 200);
    }
    for (int start = 0; start < 1202; start += 100) {
        snprintf(target, sizeof(target), WS "/object/aql?maxResults=100&startAt=%d&includeAttributes=false", start);
        found(w, target, "objectType = Group AND objectSchemaId = 1", ids, sizeof(ids));
        for (char *p = strtok(ids, " "); p != NULL; p = strtok(NULL, " "), met++) {
            assert_true(atoi(p) > last);
            last = atoi(p);
        }
        assert_non_null(strstr(w->reply.text, "\"total\":1000"));       /* no promise */
    }
    assert_int_equal(met, 1202);
    for (met = last = 0;; met++) {
        snprintf(query, sizeof(query), "objectType = Group AND objectId > %d", last);
        found(w, WS "/object/aql?maxResults=1&includeAttributes=false", query, ids, sizeof(ids));
        if (ids[0] == '\0')
            break;
        last = atoi(ids);
        snprintf(target, sizeof(target), "{\"id\":\"%d\",\"deleted\":true}", last);
        if (met % 3 == 0)
            assert_int_equal(call(w, "POST", "/sim/assets/objects", target), 200);
    }
    assert_int_equal(met, 1202);
}

static void test_late_results(void **state)
{
    struct world *w = *state;
    static const struct step steps[] = {
        { "POST", "/sim/settings", "{\"assets_eventual_ms\":3600000}", 200, NULL, "late" },
        { "POST", WS "/object/create", EMPLOYEE("New One", "u-9", ""), 201, "ENTRA-6", "made" },
        { "GET", WS "/object/6", NULL, 200, "New One", "there at once by id" },
        { "POST", WS "/object/aql", QUERY("Name = \\\"New One\\\""), 200, "\"values\":[]", "not yet by AQL" },
        { "POST", WS "/object/create", EMPLOYEE("New Two", "u-9", ""), 400, "unique", "but its value is taken" },
        { "DELETE", WS "/object/4", NULL, 200, NULL, "deleted" },
        { "GET", WS "/object/4", NULL, 404, NULL, "gone at once" },
        { "POST", WS "/object/aql", QUERY("\\\"Entra User ID\\\" = u-2"), 200, "Lovelace", "AQL still has it" },
        { "PUT", WS "/object/5", OBJECT(EMPLOYEE_TYPE, ATTR(A_DEPARTMENT, VALUE("HR"))), 200, NULL, "changed" },
        { "PUT", WS "/object/5", OBJECT(EMPLOYEE_TYPE, ATTR(A_DEPARTMENT, VALUE("IT"))), 200, NULL, "twice" },
        { "POST", WS "/object/aql", QUERY("Department IN (HR, IT)"), 200, "\"values\":[]", "neither is seen" },
        { "POST", WS "/object/aql/totalcount", QUERY("objectType = Employee"), 200, "\"totalCount\":3", "three are" },
    };

    walk_steps(w, steps, EB_LEN(steps));
    static const struct step later[] = {
        { "POST", "/sim/settings", "{\"assets_eventual_ms\":0}", 200, NULL, "no longer late" },
        { "POST", WS "/object/aql", QUERY("Name = \\\"New One\\\""), 200, "ENTRA-6", "then all is seen" },
        { "POST", WS "/object/aql", QUERY("Department = IT"), 200, "ENTRA-5", "the last change" },
        { "POST", WS "/object/aql", QUERY("Department = HR"), 200, "\"values\":[]", "not the one between" },
        { "POST", WS "/object/aql", QUERY("\\\"Entra User ID\\\" = u-2"), 200, "\"values\":[]", "deleted" },
        { "POST", WS "/object/aql/totalcount", QUERY("objectType = Employee"), 200, "\"totalCount\":3", "one more, one less" },
    };
    walk_steps(w, later, EB_LEN(later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_queries, setup_directory, teardown), cmocka_unit_test_setup_teardown(test_nesting_ends, setup_directory, teardown),
        cmocka_unit_test_setup_teardown(test_pages, setup_directory, teardown), cmocka_unit_test_setup_teardown(test_every_page, setup_directory, teardown),
        cmocka_unit_test_setup_teardown(test_late_results, setup_directory, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
