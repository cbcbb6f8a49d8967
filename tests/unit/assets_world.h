/* assets_world.h - a directory in the simulated Assets for a test: types, attributes and a few objects with known ids. */
#ifndef ASSETS_WORLD_H
#define ASSETS_WORLD_H

#include "sim/assets.h"
#include "tests/unit/sim_world.h"

#define WS "/jsm/assets/workspace/f1668d0c-828c-470c-b7d1-8c4f48cd345a/v1"
/* Attributes in the order in which they are made: each type's own four come first. */
#define A_ID "1338"
#define A_MAIL "1339"
#define A_DEPARTMENT "1340"
#define A_ENABLED "1341"
#define A_MANAGER "1342"
#define A_GROUPS "1343"
#define A_STATUS "1344"
#define A_USER "1345"
#define A_SEEN "1346"
#define A_NUMBER "1347"
#define A_PAGE "1348"
#define A_LONG "1349"
#define A_KIND "1350"
#define A_IP "1351"
#define A_NAME "1335"
#define G_NAME "1331"
#define G_ID "1352"
#define GROUP_TYPE "101"
#define EMPLOYEE_TYPE "102"
#define VALUE(text) "{\"value\":\"" text "\"}"
#define ATTR(id, values) "{\"objectTypeAttributeId\":\"" id "\",\"objectAttributeValues\":[" values "]}"
#define OBJECT(type, attrs) "{\"objectTypeId\":\"" type "\",\"attributes\":[" attrs "]}"
#define EMPLOYEE(name, id, more) OBJECT(EMPLOYEE_TYPE, ATTR(A_NAME, VALUE(name)) "," ATTR(A_ID, VALUE(id)) more)

static inline void directory_types(struct world *w)
{
    static const struct step steps[] = {
        { "POST", WS "/objectschema/create", "{\"name\":\"Entra Directory\",\"objectSchemaKey\":\"ENTRA\"}", 201, "\"id\":\"1\"", "schema" },
        { "POST", WS "/objecttype/create", "{\"name\":\"Group\",\"iconId\":\"64\",\"objectSchemaId\":\"1\"}", 201, "\"id\":\"" GROUP_TYPE "\"", "groups" },
        { "POST", WS "/objecttype/create", "{\"name\":\"Employee\",\"iconId\":\"131\",\"objectSchemaId\":\"1\"}", 201, "\"id\":\"" EMPLOYEE_TYPE "\"", "people" },
        { "POST", WS "/config/statustype", "{\"name\":\"Inactive\",\"category\":0,\"objectSchemaId\":\"1\"}", 201, "\"id\":\"4\"", "status" },
        { "POST", WS "/config/referencetype", "{\"name\":\"Member of\",\"objectSchemaId\":\"1\"}", 201, "\"id\":\"5\"", "reference type" },
#define ADD(type, body, id) { "POST", WS "/objecttypeattribute/" type, "{" body "}", 201, "\"id\":\"" id "\"", "attribute " id }
#define NAMED(name, type) "\"name\":\"" name "\",\"type\":" type
        ADD(EMPLOYEE_TYPE, NAMED("Entra User ID", "0") ",\"defaultTypeId\":0,\"uniqueAttribute\":true", A_ID),
        ADD(EMPLOYEE_TYPE, NAMED("Email", "0") ",\"defaultTypeId\":8", A_MAIL),
        ADD(EMPLOYEE_TYPE, NAMED("Department", "0") ",\"defaultTypeId\":0", A_DEPARTMENT),
        ADD(EMPLOYEE_TYPE, NAMED("Account enabled", "0") ",\"defaultTypeId\":2", A_ENABLED),
        ADD(EMPLOYEE_TYPE, NAMED("Manager", "1") ",\"typeValue\":\"102\",\"additionalValue\":\"4\"", A_MANAGER),
        ADD(EMPLOYEE_TYPE, NAMED("Groups", "1") ",\"typeValue\":\"101\",\"additionalValue\":\"5\",\"maximumCardinality\":-1", A_GROUPS),
        ADD(EMPLOYEE_TYPE, NAMED("Status", "7"), A_STATUS),
        ADD(EMPLOYEE_TYPE, NAMED("Jira user", "2"), A_USER),
        ADD(EMPLOYEE_TYPE, NAMED("Last seen", "0") ",\"defaultTypeId\":6", A_SEEN),
        ADD(EMPLOYEE_TYPE, NAMED("Number", "0") ",\"defaultTypeId\":1,\"maximumCardinality\":2", A_NUMBER),
        ADD(EMPLOYEE_TYPE, NAMED("Page", "0") ",\"defaultTypeId\":7", A_PAGE),
        ADD(EMPLOYEE_TYPE, NAMED("Note", "0") ",\"defaultTypeId\":9", A_LONG),
        ADD(EMPLOYEE_TYPE, NAMED("Kind", "0") ",\"defaultTypeId\":10,\"options\":\"Member,Guest\"", A_KIND),
        ADD(EMPLOYEE_TYPE, NAMED("Address", "0") ",\"defaultTypeId\":11", A_IP),
        ADD(GROUP_TYPE, NAMED("Entra Group ID", "0") ",\"defaultTypeId\":0,\"uniqueAttribute\":true", G_ID),
    };

    walk_steps(w, steps, EB_LEN(steps));
}

/* 1 Finance, 2 Sales; 3 Grace, 4 Ada (Grace's, in Finance), 5 Alan (Grace's, in both). */
static inline void directory_objects(struct world *w)
{
#define IN(groups) "," ATTR(A_MANAGER, VALUE("ENTRA-3")) "," ATTR(A_GROUPS, groups)
    static const struct step steps[] = {
        { "POST", WS "/object/create", OBJECT(GROUP_TYPE, ATTR(G_NAME, VALUE("Finance")) "," ATTR(G_ID, VALUE("g-1"))), 201, "ENTRA-1", "1" },
        { "POST", WS "/object/create", OBJECT(GROUP_TYPE, ATTR(G_NAME, VALUE("Sales")) "," ATTR(G_ID, VALUE("g-2"))), 201, "ENTRA-2", "2" },
        { "POST", WS "/object/create", EMPLOYEE("Grace Hopper", "u-1", "," ATTR(A_STATUS, VALUE("1")) "," ATTR(A_ENABLED, VALUE("True")) ","
          ATTR(A_USER, VALUE("712020:" USER("02"))) "," ATTR(A_MAIL, VALUE("grace@contoso.com"))), 201, "ENTRA-3", "3" },
        { "POST", WS "/object/create", EMPLOYEE("Ada \\\"A\\\" Lovelace", "u-2", IN(VALUE("ENTRA-1")) "," ATTR(A_NUMBER, VALUE("9")) ","
          ATTR(A_SEEN, VALUE("2026-09-01T10:00:00Z")) "," ATTR(A_DEPARTMENT, VALUE("\xc3\x9cnit"))), 201, "ENTRA-4", "4" },
        { "POST", WS "/object/create", EMPLOYEE("Alan Turing", "u-3", IN(VALUE("ENTRA-1") "," VALUE("ENTRA-2")) "," ATTR(A_STATUS, VALUE("4")) ","
          ATTR(A_NUMBER, VALUE("10")) "," ATTR(A_SEEN, VALUE("2026-10-01T10:00:00Z"))), 201, "ENTRA-5", "5" },
    };

    walk_steps(w, steps, EB_LEN(steps));
}

static inline int setup_directory(void **state)
{
    setup(state);
    directory_types(*state);
    directory_objects(*state);
    return 0;
}

#endif
