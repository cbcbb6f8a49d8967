/* test_sim.c - the simulator's own decisions: filters, directory state, faults, batches, ADF, options. */
#include "sim/adf.h"
#include "sim/cast.h"
#include "sim/control.h"
#include "sim/filter.h"
#include "sim/graph.h"
#include "tests/unit/sim_world.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ONE(nn) "\"https://graph.microsoft.com/v1.0/directoryObjects/" USER(nn) "\""
#define SEVEN ONE("05") "," ONE("05") "," ONE("05") "," ONE("05") "," ONE("05") "," ONE("05") "," ONE("05")
#define MANY SEVEN "," SEVEN "," SEVEN
#define BIND(links) "{\"members@odata.bind\": [" links "]}"

static void test_filter_matches(void **state)
{
    static const char *person = "{\"mail\":\"Ada@Contoso.com\",\"accountEnabled\":true,\"department\":null,\"otherMails\":[\"a@x.y\",\"b@x.y\"],\"name\":\"O'Neil\"}";
    static const struct { const char *filter; bool match; const char *why; } cases[] = {
        { "mail eq 'ada@contoso.com'", true, "case is ignored" },
        { "mail eq 'ada@contoso.co'", false, "the whole value" },
        { "accountEnabled eq true", true, "flags" },
        { "accountEnabled eq false", false, "flags" },
        { "department eq null", true, "null" },
        { "absent eq null", true, "absent is null" },
        { "name eq 'O''Neil'", true, "doubled quote" },
        { "otherMails/any(x:x eq 'b@x.y')", true, "any" },
        { "otherMails/any(x:x eq 'c@x.y')", false, "any" },
        { "otherMails/any(p:startswith(p,'a@'))", true, "any with a function" },
        { "mail eq 'x' or name eq 'O''Neil'", true, "or" },
        { "mail eq 'x' and name eq 'O''Neil'", false, "and" },
        { "mail eq 'x' and mail eq 'y' or accountEnabled eq true", true, "and binds tighter" },
        { "mail eq 'x' and (mail eq 'y' or accountEnabled eq true)", false, "parentheses" },
        { "not (mail eq 'x')", true, "not" },
        { "mail ne 'x'", true, "ne" },
        { "startswith(mail,'ada')", true, "startswith" },
        { "endswith(mail,'.com')", true, "endswith" },
        { "mail in ('x','ada@contoso.com')", true, "in" },
    };
    EB_AUTO(json_t, json_decref) object = json_loads(person, 0, NULL);

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_filter *f;
        struct eb_err err = { 0 };
        if (!sim_filter_parse(cases[i].filter, &f, &err))
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        if (sim_filter_match_json(f, object) != cases[i].match)
            fail_msg("case %zu (%s): %s", i, cases[i].why, cases[i].filter);
        sim_filter_free(f);
    }
}

static void test_filter_refuses(void **state)
{
    static const char *const cases[] = { "", "mail", "mail eq", "mail eq 'x", "mail eq 'x' or", "mail eq 'x')", "(mail eq 'x'", "mail in ('a'",
        "mail in ()", "x/any(y:y)", "x/any(y:y eq 'z'", "startswith(mail)", "startswith(mail,'x'", "mail gt 'x'", "and", "not" };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_filter *f;
        struct eb_err err = { 0 };
        if (sim_filter_parse(cases[i], &f, &err))
            fail_msg("took %s", cases[i]);
    }
}

/* The surprises of the directory, one a row. */
static void test_graph(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", "/v1.0/users/" USER("01"), NULL, 200, "Ada Lovelace", "by id" },
        { "GET", "/v1.0/users/ADA@contoso.com", NULL, 200, "Ada Lovelace", "by UPN, case ignored" },
        { "GET", "/v1.0/users/gustav_partner.example%23EXT%23@contoso.onmicrosoft.com", NULL, 200, "Gustav", "percent-encoded UPN" },
        { "GET", "/v1.0/users('miles.o''neil@contoso.com')", NULL, 200, "O'Neil", "key in parentheses, quote doubled" },
        { "GET", "/v1.0/users/$dolly@contoso.com", NULL, 400, "quotes", "a key with $ needs quotes" },
        { "GET", "/v1.0/users('$dolly@contoso.com')", NULL, 200, "Dolly", "and works with them" },
        { "GET", "/v1.0/users/nobody@contoso.com", NULL, 404, "Request_ResourceNotFound", "unknown user" },
        { "GET", "/v1.0/users/" USER("01") "?$select=accountEnabled", NULL, 200, "true", "selected" },
        { "GET", "/v1.0/users/" USER("01") "?$select=acountEnabled", NULL, 400, "Could not find a property", "a misspelt property" },
        { "GET", "/v1.0/groups?$filter=displayName%20eq%20'TWINS'&$select=id", NULL, 200, GROUP("05"), "names ignore case, two fit" },
        { "GET", "/v1.0/users?$filter=mail%20ne%20'x'", NULL, 400, "Request_UnsupportedQuery", "an advanced query without its header" },
        { "GET", "/v1.0/users?$top=1000", NULL, 400, "page size", "the largest page is 999" },
        { "GET", "/v1.0/users/$count", NULL, 400, "not currently supported", "$count without the header" },
        { "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", LINK("02"), 400, "already exist", "member already: 400" },
        { "DELETE", "/v1.0/groups/" GROUP("01") "/members/" USER("01") "/$ref", NULL, 404, "does not exist", "no member: 404" },
        { "POST", "/v1.0/groups/" GROUP("01") "/members", LINK("01"), 400, "contained entities", "POST without $ref" },
        { "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", NULL, 400, "EndOfInput", "no body" },
        { "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", "{\"@odata.id\": \"" USER("01") "\"}", 400, "Invalid URL", "an id is no link" },
        { "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", LINK("99"), 404, "does not exist", "unknown member" },
        { "POST", "/v1.0/groups/" GROUP("08") "/members/$ref", LINK("01"), 403, "Authorization_RequestDenied", "role-assignable" },
        { "POST", "/v1.0/groups/" GROUP("10") "/members/$ref", LINK("02"), 403, "Authorization_RequestDenied", "dynamic" },
        { "POST", "/v1.0/groups/" GROUP("11") "/members/$ref", LINK("01"), 400, "mail-enabled", "mail-enabled security" },
        { "POST", "/v1.0/groups/" GROUP("12") "/members/$ref", LINK("01"), 400, "mail-enabled", "distribution list" },
        { "POST", "/v1.0/groups/" GROUP("13") "/members/$ref", LINK("01"), 400, "on-premises mastered", "synced" },
        { "POST", "/v1.0/groups/" GROUP("14") "/members/$ref", LINK("01"), 204, NULL, "synced but cloud-managed" },
        { "POST", "/v1.0/groups/" GROUP("15") "/members/$ref", LINK("01"), 204, NULL, "Microsoft 365 group" },
        { "POST", "/v1.0/groups/" GROUP("16") "/members/$ref", LINK("01"), 403, "Authorization_RequestDenied", "restricted unit" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), "{\"members@odata.bind\": [\"https://graph.microsoft.com/v1.0/users/" USER("01")
          "\", \"https://graph.microsoft.com/v1.0/users/" USER("02") "\"]}", 400, "already exist", "one known member fails all" },
        { "GET", "/v1.0/groups/" GROUP("01") "/members?$select=id", NULL, 200, USER("02"), "and nothing was added" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(MANY), 400, "1 to 20", "21 at once" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(ONE("05") ", " ONE("05")), 400, "can only be present once", "the same twice" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(ONE("05") ", " ONE("99")), 404, "does not exist", "one unknown fails all" },
        { "PATCH", "/v1.0/groups/" GROUP("10"), BIND(ONE("05")), 403, "Authorization_RequestDenied", "dynamic" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(), 400, "1 to 20", "none" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(ONE("05") ", " ONE("06")), 204, NULL, "two at once" },
        { "GET", "/v1.0/groups/" GROUP("01") "/members?$select=id", NULL, 200, USER("06"), "are members" },
        { "PATCH", "/v1.0/groups/" GROUP("01"), BIND(ONE("06") ", " ONE("07")), 400, "already exist", "and fail others then" },
        { "PATCH", "/v1.0/users/" USER("12"), "{\"accountEnabled\": false}", 403, "Authorization_RequestDenied", "an administrator" },
        { "PATCH", "/v1.0/users/" USER("13"), "{\"accountEnabled\": false}", 403, "Authorization_RequestDenied", "administrator through a group" },
        { "PATCH", "/v1.0/users/" USER("17"), "{\"accountEnabled\": false}", 403, "Authorization_RequestDenied", "owner of a role-assignable group" },
        { "PATCH", "/v1.0/users/" USER("15"), "{\"accountEnabled\": false}", 204, NULL, "eligible is not active" },
        { "PATCH", "/v1.0/users/" USER("16"), "{\"jobTitle\": \"x\"}", 400, "on-premises mastered", "synced user" },
        { "PATCH", "/v1.0/users/" USER("01"), "{\"accountEnabled\": \"no\"}", 400, "Invalid value", "wrong type" },
        { "PATCH", "/v1.0/users/" USER("01"), "{\"nickname\": \"x\"}", 400, "does not exist on type", "closed body" },
        { "PATCH", "/v1.0/users/" USER("01"), "{\"id\": \"x\"}", 400, "read-only", "read-only" },
        { "PATCH", "/v1.0/users/" USER("01"), "{\"userPrincipalName\": \"grace@contoso.com\"}", 400, "ObjectConflict", "UPN taken" },
        { "GET", "/v1.0/users/" USER("20") "/transitiveMemberOf/microsoft.graph.group?$select=id", NULL, 200, GROUP("06"), "nested" },
        { "GET", "/v1.0/users/" USER("14") "/memberOf/microsoft.graph.directoryRole", NULL, 200, "\"value\":[]", "a custom role is not seen here" },
        { "GET", "/v1.0/roleManagement/directory/roleAssignments?$filter=principalId%20eq%20'" USER("14") "'", NULL, 200, "administrativeUnits", "but here" },
        { "GET", "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances?$filter=principalId%20eq%20'" USER("15") "'", NULL, 200, "Direct", "eligible" },
        { "GET", "/v1.0/groups/" GROUP("01") "?$select=isAssignableToRole,onPremisesSyncEnabled", NULL, 200, "\"isAssignableToRole\":null", "null, not false" },
        { "DELETE", "/v1.0/groups/" GROUP("01") "/members/" USER("02"), NULL, 204, NULL, "without $ref the user is deleted" },
        { "GET", "/v1.0/users/" USER("02"), NULL, 404, "does not exist", "really" },
        { "GET", "/v1.0/users/" USER("01") "/manager", NULL, 404, "manager", "and is nobody's manager any more" },
        { "GET", "/v1.0/nothing", NULL, 400, "Resource not found for the segment", "no such path" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

static void test_paging_walks_all(void **state)
{
    struct world *w = *state;
    char target[256] = "/v1.0/users?$top=7&$select=id";
    size_t seen = 0, pages = 0;

    while (target[0] != '\0' && pages++ < 20) {
        assert_int_equal(call(w, "GET", target, NULL), 200);
        seen += json_array_size(json_object_get(w->reply.body, "value"));
        const char *next = eb_json_str(w->reply.body, "@odata.nextLink");
        snprintf(target, sizeof(target), "%s", next != NULL ? next + strlen("http://localhost") : "");
    }
    assert_int_equal(seen, 30);
    assert_int_equal(pages, 5);
}

static void test_eventual_reads(void **state)
{
    struct world *w = *state;
    struct entra_object *g = entra_find(w->sim->entra, GROUP("01")), *ada = entra_find(w->sim->entra, USER("01"));
    struct entra_list seen = { 0 };

    w->sim->entra->eventual_ms = 60000;
    assert_int_equal(call(w, "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", LINK("01")), 204);
    entra_targets(w->sim->entra, g, ENTRA_MEMBER, false, &seen);
    assert_int_equal(seen.n, 1);                                    /* a read does not see it yet ... */
    assert_true(entra_is_linked(w->sim->entra, ENTRA_MEMBER, g, ada));
    assert_int_equal(call(w, "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", LINK("01")), 400);   /* ... a write does */
    entra_list_free(&seen);
    assert_int_equal(call(w, "DELETE", "/v1.0/groups/" GROUP("01") "/members/" USER("02") "/$ref", NULL), 204);
    entra_targets(w->sim->entra, g, ENTRA_MEMBER, false, &seen);
    assert_int_equal(seen.n, 1);                                    /* the removed one is still seen */
    entra_list_free(&seen);
    assert_int_equal(call(w, "PATCH", "/v1.0/users/" USER("01"), "{\"accountEnabled\": false}"), 204);
    assert_true(json_is_true(entra_get(w->sim->entra, ada, "accountEnabled")));
    assert_true(json_is_false(json_object_get(ada->attrs, "accountEnabled")));
}

static const json_t *batch_item(struct world *w, const char *id)
{
    const json_t *list = json_object_get(w->reply.body, "responses");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (eb_streq(eb_json_str(json_array_get(list, i), "id"), id))
            return json_array_get(list, i);
    return NULL;
}

static void test_batch(void **state)
{
    struct world *w = *state;
    static const struct { const char *requests; int status; const char *why; } bad[] = {
        { "[]", 400, "empty" },
        { "[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users\"},{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users\"}]", 400, "one id twice" },
        { "[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"https://x/users\"}]", 400, "absolute" },
        { "[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/$batch\"}]", 400, "nested" },
        { "[{\"id\":\"1\",\"method\":\"POST\",\"url\":\"/x\",\"body\":{}}]", 400, "body without Content-Type" },
        { "[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/users\",\"dependsOn\":[\"2\"]}]", 400, "depends on nothing" },
        { "[{\"id\":1,\"method\":\"GET\",\"url\":\"/users\"}]", 400, "an id is text" },
    };
    char body[1024];
    struct eb_err err = { 0 };

    for (size_t i = 0; i < EB_LEN(bad); i++) {
        snprintf(body, sizeof(body), "{\"requests\": %s}", bad[i].requests);
        if (call(w, "POST", "/v1.0/$batch", body) != bad[i].status)
            fail_msg("case %zu (%s): %d", i, bad[i].why, w->reply.status);
    }
    json_t *rule = json_loads("{\"match\":{\"in_batch\":true,\"path\":\"/users/" USER("03") "\"},\"action\":{\"status\":429,\"retry_after\":3}}", 0, NULL);
    assert_true(sim_faults_add(w->sim->faults, rule, &err));
    json_decref(rule);
    assert_int_equal(call(w, "POST", "/v1.0/$batch", "{\"requests\":["
        "{\"id\":\"a\",\"method\":\"GET\",\"url\":\"/users/" USER("01") "?$select=id\"},"
        "{\"id\":\"b\",\"method\":\"GET\",\"url\":\"/users/nobody\"},"
        "{\"id\":\"c\",\"method\":\"GET\",\"url\":\"/groups\",\"dependsOn\":[\"b\"]},"
        "{\"id\":\"d\",\"method\":\"GET\",\"url\":\"/users/" USER("03") "\"},"
        "{\"id\":\"e\",\"method\":\"POST\",\"url\":\"/groups/" GROUP("01") "/members/$ref\",\"headers\":{\"Content-Type\":\"application/json\"},\"body\":" LINK("01") "}]}"), 200);
    assert_int_equal(eb_json_int(batch_item(w, "a"), "status", 0), 200);
    assert_int_equal(eb_json_int(batch_item(w, "b"), "status", 0), 404);
    assert_int_equal(eb_json_int(batch_item(w, "c"), "status", 0), 424);
    assert_int_equal(eb_json_int(batch_item(w, "d"), "status", 0), 429);
    assert_int_equal(eb_json_int(batch_item(w, "e"), "status", 0), 204);
    assert_null(json_object_get(batch_item(w, "e"), "body"));
    EB_AUTO(json_t, json_decref) counters = sim_counters_json(w->sim->counters);
    assert_int_equal(eb_json_int(json_object_get(counters, "totals"), "adds", 0), 1);
}

static void test_batch_of_21(void **state)
{
    struct world *w = *state;
    struct eb_buf b = EB_BUF(KiB(8));

    eb_buf_str(&b, "{\"requests\":[");
    for (int i = 0; i < 21; i++)
        eb_buf_addf(&b, "%s{\"id\":\"%d\",\"method\":\"GET\",\"url\":\"/users\"}", i > 0 ? "," : "", i);
    eb_buf_str(&b, "]}");
    assert_int_equal(call(w, "POST", "/v1.0/$batch", b.data), 400);
    eb_buf_free(&b);
}

static void test_faults(void **state)
{
    static const struct { const char *rule; const char *method, *target; bool in_batch; int acts_at; const char *why; } cases[] = {
        { "{\"action\":{\"status\":503}}", "GET", "/v1.0/users", false, 1, "everything, once" },
        { "{\"match\":{\"method\":\"POST\"},\"action\":{\"status\":503}}", "GET", "/v1.0/users", false, 0, "another method" },
        { "{\"match\":{\"path\":\"/members/$ref\"},\"action\":{\"status\":503}}", "POST", "/v1.0/groups/x/members/$ref", false, 1, "a substring" },
        { "{\"match\":{\"regex\":\"^/v1.0/groups/[a-z]+/members/.ref$\"},\"action\":{\"status\":503}}", "POST", "/v1.0/groups/x/members/$ref", false, 1, "an expression" },
        { "{\"match\":{\"regex\":\"^/groups\"},\"action\":{\"status\":503}}", "POST", "/v1.0/groups", false, 0, "an expression that does not match" },
        { "{\"match\":{\"cloud\":\"jira\"},\"action\":{\"status\":503}}", "GET", "/v1.0/users", false, 0, "another cloud" },
        { "{\"match\":{\"in_batch\":true},\"action\":{\"status\":503}}", "GET", "/v1.0/users", false, 0, "items only" },
        { "{\"match\":{\"in_batch\":true},\"action\":{\"status\":503}}", "GET", "/v1.0/users", true, 1, "an item" },
        { "{\"match\":{\"in_batch\":false},\"action\":{\"status\":503}}", "GET", "/v1.0/users", true, 0, "no items" },
        { "{\"action\":{\"batch_item_status\":503}}", "GET", "/v1.0/users", false, 0, "batch_item_status is for items" },
        { "{\"after\":2,\"action\":{\"drop_after\":true}}", "GET", "/v1.0/users", false, 3, "the first two pass" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_faults *f = sim_faults_new();
        struct sim_call c = { .cloud = SIM_CLOUD_GRAPH, .in_batch = cases[i].in_batch };
        struct eb_err err = { 0 };
        json_t *rule = json_loads(cases[i].rule, 0, NULL);
        int acted_at = 0;
        snprintf(c.method, sizeof(c.method), "%s", cases[i].method);
        assert_true(sim_call_target(&c, cases[i].target));
        if (!sim_faults_add(f, rule, &err))
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        for (int n = 1; n <= 5; n++) {
            struct sim_action *a = sim_faults_decide(f, &c);
            if (a != NULL && acted_at != 0)
                fail_msg("case %zu (%s): acted twice", i, cases[i].why);
            acted_at = a != NULL ? n : acted_at;
            sim_action_free(a);
        }
        if (acted_at != cases[i].acts_at)
            fail_msg("case %zu (%s): acted at %d", i, cases[i].why, acted_at);
        json_decref(rule);
        sim_call_free(&c);
        sim_faults_free(f);
    }
}

static void test_fault_rules_refused(void **state)
{
    static const char *const cases[] = { "[]x", "{}", "{\"action\":{\"sttus\":1}}", "{\"match\":{\"pth\":\"x\"},\"action\":{}}",
        "{\"match\":{\"cloud\":\"moon\"},\"action\":{}}", "{\"match\":{\"regex\":\"(\"},\"action\":{}}", "{\"action\":{\"status\":99}}",
        "{\"when\":1,\"action\":{}}", "[{\"action\":{\"status\":500}},{\"action\":1}]" };
    struct sim_faults *f = sim_faults_new();

    for (size_t i = 1; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        json_t *rule = json_loads(cases[i], 0, NULL);
        if (sim_faults_add(f, rule, &err) || err.text[0] == '\0')
            fail_msg("took %s", cases[i]);
        json_decref(rule);
    }
    json_t *list = sim_faults_list(f);
    assert_int_equal(json_array_size(json_object_get(list, "rules")), 0);   /* all or none */
    json_decref(list);
    sim_faults_free(f);
}

static void test_adf(void **state)
{
#define P(text) "{\"type\":\"paragraph\",\"content\":[" text "]}"
#define DOC(blocks) "{\"type\":\"doc\",\"version\":1,\"content\":[" blocks "]}"
#define TEXT(t) "{\"type\":\"text\",\"text\":\"" t "\"}"
    static const struct { const char *doc; bool ok; const char *why; } cases[] = {
        { DOC(P(TEXT("x"))), true, "plain" },
        { DOC(), true, "empty" },
        { "\"x\"", false, "a string" },
        { DOC(TEXT("x")), false, "text at the root" },
        { DOC(P(TEXT(""))), false, "empty text" },
        { "{\"type\":\"doc\",\"version\":2,\"content\":[]}", false, "version" },
        { "{\"type\":\"doc\",\"version\":1,\"content\":[],\"x\":1}", false, "unknown member" },
        { DOC("{\"type\":\"panel\",\"attrs\":{\"panelType\":\"info\"},\"content\":[" P(TEXT("x")) "]}"), true, "panel" },
        { DOC("{\"type\":\"panel\",\"attrs\":{\"panelType\":\"red\"},\"content\":[" P(TEXT("x")) "]}"), false, "panel type" },
        { DOC("{\"type\":\"panel\",\"content\":[" P(TEXT("x")) "]}"), false, "panel without type" },
        { DOC("{\"type\":\"heading\",\"attrs\":{\"level\":7},\"content\":[" TEXT("x") "]}"), false, "level" },
        { DOC("{\"type\":\"bulletList\",\"content\":[]}"), false, "a list without items" },
        { DOC("{\"type\":\"bulletList\",\"content\":[" P(TEXT("x")) "]}"), false, "a list of paragraphs" },
        { DOC("{\"type\":\"bulletList\",\"content\":[{\"type\":\"listItem\",\"content\":[" P(TEXT("x")) "]}]}"), true, "a list" },
        { DOC("{\"type\":\"codeBlock\",\"content\":[{\"type\":\"text\",\"text\":\"x\",\"marks\":[{\"type\":\"strong\"}]}]}"), false, "marks in code" },
        { DOC(P("{\"type\":\"text\",\"text\":\"x\",\"marks\":[{\"type\":\"link\"}]}")), false, "link without href" },
        { DOC(P("{\"type\":\"text\",\"text\":\"x\",\"marks\":[{\"type\":\"bold\"}]}")), false, "unknown mark" },
        { DOC(P("{\"type\":\"mention\",\"attrs\":{}}")), false, "mention without id" },
        { DOC(P("{\"type\":\"hardBreak\",\"text\":\"x\"}")), false, "text elsewhere" },
        { DOC("{\"type\":\"blink\"}"), false, "unknown node" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct eb_err err = { 0 };
        json_t *doc = json_loads(cases[i].doc, JSON_DECODE_ANY, NULL);
        assert_non_null(doc);
        if (adf_check(doc, &err) != cases[i].ok)
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        json_decref(doc);
    }
}

#define INTERNAL "{\"key\":\"sd.public.comment\",\"value\":{\"internal\":true}}"
static void test_comments(void **state)
{
    struct world *w = *state;
    static const struct { const char *body; int status, is_public; const char *why; } cases[] = {
        { "{\"body\":" DOC(P(TEXT("x"))) "}", 201, 1, "public by default" },
        { "{\"body\":" DOC(P(TEXT("x"))) ",\"public\":false}", 201, 1, "an unknown member is ignored: public!" },
        { "{\"body\":" DOC(P(TEXT("x"))) ",\"properties\":[" INTERNAL "]}", 201, 0, "internal by the property" },
        { "{\"body\":\"x\"}", 400, -1, "text" },
        { "{\"properties\":[]}", 400, -1, "no body" },
        { "{\"body\":" DOC(P(TEXT("x"))) ",\"properties\":[{\"key\":\"x\"}]}", 400, -1, "a property without value" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int status = call(w, "POST", "/rest/api/3/issue/ITSM-42/comment", cases[i].body);
        if (status != cases[i].status || (status == 201 && eb_json_bool(w->reply.body, "jsdPublic", false) != (cases[i].is_public == 1)))
            fail_msg("case %zu (%s): %d", i, cases[i].why, status);
    }
    assert_int_equal(call(w, "GET", "/rest/api/3/issue/itsm-42/comment?maxResults=2&startAt=2", NULL), 200);
    assert_int_equal(eb_json_int(w->reply.body, "total", 0), 3);
    const json_t *one = json_array_get(json_object_get(w->reply.body, "comments"), 0);
    assert_null(json_object_get(one, "properties"));                /* only with expand */
    assert_int_equal(call(w, "GET", "/rest/api/3/issue/OLD-1", NULL), 200);
    assert_string_equal(eb_json_str(w->reply.body, "key"), "ITSM-150");
    assert_int_equal(call(w, "GET", "/rest/servicedeskapi/request/ITSM-63/approval", NULL), 200);
    assert_int_equal(json_array_size(json_object_get(w->reply.body, "values")), 0);
}

static void test_upserts(void **state)
{
    struct world *w = *state;

    assert_int_equal(call(w, "POST", "/sim/users", "[{\"userPrincipalName\":\"new@contoso.com\",\"displayName\":\"New\",\"manager\":\"grace@contoso.com\",\"roles\":[\"User Administrator\"]}]"), 200);
    assert_int_equal(call(w, "PATCH", "/v1.0/users/new@contoso.com", "{\"accountEnabled\":false}"), 403);
    assert_int_equal(call(w, "POST", "/sim/users", "{\"userPrincipalName\":\"new@contoso.com\",\"roles\":[]}"), 200);
    assert_int_equal(call(w, "PATCH", "/v1.0/users/new@contoso.com", "{\"accountEnabled\":false}"), 204);
    assert_int_equal(call(w, "POST", "/sim/users", "{\"userPrincipalName\":\"x@contoso.com\",\"shoeSize\":1}"), 400);
    assert_int_equal(call(w, "POST", "/sim/groups", "{\"displayName\":\"Made\",\"kind\":\"dynamic\",\"members\":[\"new@contoso.com\"]}"), 200);
    assert_int_equal(call(w, "GET", "/v1.0/users/new@contoso.com/memberOf/microsoft.graph.group?$select=displayName", NULL), 200);
    assert_int_equal(json_array_size(json_object_get(w->reply.body, "value")), 1);
    assert_int_equal(call(w, "POST", "/sim/issues", "{\"key\":\"NEW-7\",\"reporter\":\"new@contoso.com\",\"approvals\":[{\"decision\":\"approved\",\"approvers\":[{\"account\":\"grace@contoso.com\"}]}]}"), 200);
    assert_int_equal(call(w, "GET", "/rest/api/3/issue/NEW-7", NULL), 200);
    assert_int_equal(call(w, "POST", "/sim/issues", "{\"key\":\"NEW-7\",\"hidden\":true}"), 200);
    assert_int_equal(call(w, "GET", "/rest/api/3/issue/NEW-7", NULL), 404);
    assert_int_equal(call(w, "POST", "/sim/settings", "{\"granted\":[\"User.Read.All\"]}"), 200);
    assert_int_equal(call(w, "GET", "/v1.0/groups", NULL), 403);    /* a permission was taken away */
    assert_int_equal(call(w, "DELETE", "/sim/tokens", NULL), 204);
    assert_int_equal(call(w, "GET", "/v1.0/users", NULL), 401);
}

static void test_options(void **state)
{
    static const struct { const char *a, *b; bool ok; const char *why; } cases[] = {
        { "--port", "0", true, "a number" }, { "--port", "x", false, "no number" }, { "--port", NULL, false, "no value" },
        { "--tenant", "contoso", false, "no GUID" }, { "--speed", "9", false, "no such option" }, { "--tls", "cert", false, "two files" },
        { "--forget", NULL, true, "a flag" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *argv[] = { strdup("sim"), strdup(cases[i].a), cases[i].b != NULL ? strdup(cases[i].b) : NULL };
        struct sim_options opt;
        struct eb_err err = { 0 };
        if (sim_options_parse(argv[2] != NULL ? 3 : 2, argv, &opt, &err) != cases[i].ok)
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        for (size_t k = 0; k < EB_LEN(argv); k++)
            free(argv[k]);
    }
}

static void test_forgetful_is_flat(void **state)
{
    struct tracker *t = tracker_new(20);
    struct tracker_account *a = tracker_account_put(t, "x", "X", NULL, "app");
    struct tracker_issue *i = tracker_issue_put(t, "AB-1", NULL);

    for (int n = 0; n < 1000; n++)
        tracker_comment_add(t, i, a, json_object(), json_array(), true);
    assert_int_equal(i->comment_count, 20);
    tracker_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_matches), cmocka_unit_test(test_filter_refuses),
        cmocka_unit_test_setup_teardown(test_graph, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paging_walks_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_eventual_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch_of_21, setup, teardown),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_fault_rules_refused), cmocka_unit_test(test_adf),
        cmocka_unit_test_setup_teardown(test_comments, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upserts, setup, teardown),
        cmocka_unit_test(test_options), cmocka_unit_test(test_forgetful_is_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
