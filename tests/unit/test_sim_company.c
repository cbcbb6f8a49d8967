/* test_sim_company.c - the generated company: its shape, how it is listed and found, its Atlassian accounts, and the quota of those who read it. */
#include "sim/company.h"
#include "sim/graph.h"
#include "sim/odata.h"
#include "tests/unit/sim_world.h"

#include <stdlib.h>

#define PEOPLE 3000
#define TEAM(n) "b2000000-0000-4000-8000-" n
#define ALL_OF_THEM "id,displayName,givenName,surname,mail,userPrincipalName,jobTitle,department,officeLocation,employeeId,companyName,accountEnabled," \
    "userType,onPremisesSyncEnabled,proxyAddresses,mailNickname,createdDateTime,usageLocation,businessPhones"
#define SETTINGS(text) assert_int_equal(call(w, "POST", "/sim/settings", text), 200)

static int setup_company(void **state)
{
    static const char *const options[] = { "--company-users", "3000", "--company-groups", "300", "--seed", "7", NULL };

    return setup_with(state, options);
}

static struct entra_object *person(struct world *w, uint32_t number)
{
    char id[EB_ID_LEN];

    company_id(number, id);
    return entra_find(w->sim->entra, id);
}

static bool near(size_t n, double share)
{
    return (double)n > share * PEOPLE * 0.6 && (double)n < share * PEOPLE * 1.5;
}

static void test_shape(void **state)
{
    struct world *w = *state;
    size_t disabled = 0, guests = 0, no_mail = 0, synced = 0, formerly = 0, no_manager = 0, memberships = 0, deepest = 0, apostrophes = 0;
    struct company_person p;

    for (uint32_t n = 1; n <= PEOPLE; n++) {
        struct entra_object *o = person(w, n);
        const struct entra_edge *edge;
        size_t depth = 0;
        company_person(&w->sim->entra->company, n, &p);
        disabled += !p.enabled;
        guests += p.guest;
        no_mail += !p.has_mail;
        const json_t *sync = entra_get(w->sim->entra, o, "onPremisesSyncEnabled");
        synced += json_is_true(sync);
        formerly += json_is_false(sync);
        apostrophes += strchr(json_string_value(entra_get(w->sim->entra, o, "displayName")), '\'') != NULL;
        no_manager += o->manager == NULL;
        for (const struct entra_object *m = o->manager; m != NULL; m = m->manager)
            depth++;
        deepest = depth > deepest ? depth : deepest;
        TAILQ_FOREACH(edge, &o->in[ENTRA_MEMBER], in_to)
            memberships++;
    }
    assert_true(near(disabled, 0.03) && near(guests, 0.04) && near(no_mail, 0.02) && near(synced, 0.53) && near(formerly, 0.05));
    assert_true(no_manager > 0 && near(no_manager, 0.01) && deepest >= 4 && deepest <= 9 && apostrophes > 50);
    assert_true(memberships > 4 * PEOPLE && memberships < 6 * PEOPLE);
}

static size_t members(const struct entra_object *g)
{
    const struct entra_edge *edge;
    size_t n = 0;

    TAILQ_FOREACH(edge, &g->out[ENTRA_MEMBER], in_from)
        n++;
    return n;
}

/* Chains of four groups, the first of which bites its tail; sizes; owners. */
static void test_groups(void **state)
{
    struct world *w = *state;
    struct entra *e = w->sim->entra;
    const struct entra_object *g;
    size_t large = 0, one = 0;

    for (int i = 1; i < 4; i++) {
        char from[EB_ID_LEN], to[EB_ID_LEN];
        snprintf(from, sizeof(from), "b2000000-0000-4000-8000-%012d", i);
        snprintf(to, sizeof(to), "b2000000-0000-4000-8000-%012d", i + 1);
        assert_true(entra_is_linked(e, ENTRA_MEMBER, entra_find(e, from), entra_find(e, to)));
    }
    assert_true(entra_is_linked(e, ENTRA_MEMBER, entra_find(e, TEAM("000000000004")), entra_find(e, TEAM("000000000001"))));
    assert_int_equal(call(w, "GET", "/v1.0/groups/" TEAM("000000000001") "/transitiveMembers/microsoft.graph.group?$select=id", NULL), 200);
    assert_int_equal(json_array_size(json_object_get(w->reply.body, "value")), 3);      /* a walk ends in spite of the circle */
    TAILQ_FOREACH(g, &e->all[ENTRA_GROUP], next) {
        const struct entra_edge *edge;
        size_t owners = 0, size = members(g);
        if (g->number == 0)
            continue;
        TAILQ_FOREACH(edge, &g->out[ENTRA_OWNER], in_from)
            owners++;
        assert_true(size >= 1 && owners >= 1 && owners <= 3);
        large += size > 500;
        one += size <= 3;
    }
    assert_true(large >= 1 && large <= 5 && one >= 10);
}

/* A person says the same, whether kept as a number or with attributes of its own; so do the two ways of rendering. */
static void test_numbers_and_attributes(void **state)
{
    struct world *w = *state;
    struct entra *e = w->sim->entra;
    struct odata_select sel = { .n = 0 };
    char work[] = ALL_OF_THEM, *save = NULL;

    for (char *p = strtok_r(work, ",", &save); p != NULL; p = strtok_r(NULL, ",", &save))
        sel.names[sel.n++] = p;
    for (uint32_t n = 1; n <= 400; n++) {
        struct odata_view view = { .entra = e, .select = &sel };
        struct eb_buf before = EB_BUF(KiB(8)), after = EB_BUF(KiB(8));
        struct entra_object *o = person(w, n);
        assert_null(o->attrs);
        odata_write(&before, &view, o);
        json_t *tree = odata_render(e, o, &sel, false);
        entra_inflate(e, o);
        odata_write(&after, &view, o);
        assert_string_equal(before.data, after.data);
        char *text = eb_json_text(tree);
        assert_string_equal(text, after.data);
        free(text);
        json_decref(tree);
        eb_buf_free(&before);
        eb_buf_free(&after);
    }
}

/* Each address finds its owner, and only it, before and after the owner has become attributes. */
static void test_found(void **state)
{
    struct world *w = *state;
    static const char *const names[] = { "userPrincipalName", "mail", "employeeId", "proxyAddresses" };
    size_t n;

    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 1; i <= PEOPLE; i += 13) {
            struct entra_object *o = person(w, i);
            for (size_t k = 0; k < EB_LEN(names); k++) {
                const json_t *value = entra_get(w->sim->entra, o, names[k]);
                const char *text = json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
                if (text == NULL)
                    continue;
                char *upper = strdup(text);
                for (char *p = upper; *p != '\0'; p++)
                    *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
                struct entra_object **v = entra_lookup(w->sim->entra, ENTRA_USER, names[k], upper, &n);
                if (n != 1 || v[0] != o)
                    fail_msg("%s %s: %zu", names[k], upper, n);
                free(upper);
            }
            if (turn == 0)
                entra_inflate(w->sim->entra, o);
        }
    entra_lookup(w->sim->entra, ENTRA_USER, "mail", "nobody17@contoso.com", &n);
    assert_int_equal(n, 0);
    const char *name = json_string_value(entra_get(w->sim->entra, person(w, 2), "displayName"));
    entra_lookup(w->sim->entra, ENTRA_USER, "displayName", name, &n);
    assert_true(n >= 1);
    entra_set(w->sim->entra, person(w, 2), "mail", json_string("moved@contoso.com"));
    entra_lookup(w->sim->entra, ENTRA_USER, "mail", "moved@contoso.com", &n);
    assert_int_equal(n, 1);
}

static void test_batch_by_mail(void **state)
{
    struct world *w = *state;
    json_t *requests = json_array();

    for (uint32_t i = 0; i < 20; i++) {
        const char *mail = json_string_value(entra_get(w->sim->entra, person(w, 100 + i), "mail"));
        struct eb_buf url = EB_BUF(KiB(1));
        char id[8];
        snprintf(id, sizeof(id), "%u", i);
        eb_buf_str(&url, "/users?$filter=mail+eq+'");
        for (const char *p = mail != NULL ? mail : "x@y"; *p != '\0'; p++)
            eb_buf_add(&url, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
        eb_buf_str(&url, "'&$select=id,mail");
        json_array_append_new(requests, json_pack("{s:s, s:s, s:s}", "id", id, "method", "GET", "url", url.data));
        eb_buf_free(&url);
    }
    json_t *body = json_pack("{s:o}", "requests", requests);
    char *text = eb_json_text(body);
    assert_int_equal(call(w, "POST", "/v1.0/$batch", text), 200);
    const json_t *responses = json_object_get(w->reply.body, "responses");
    for (size_t i = 0; i < 20; i++) {
        const json_t *r = json_array_get(responses, i), *value = eb_json_path(r, "body.value");
        struct entra_object *o = person(w, 100 + (uint32_t)atoi(eb_json_str(r, "id")));
        bool mail = entra_get(w->sim->entra, o, "mail") != NULL;
        assert_int_equal(json_array_size(value), mail);
        if (mail)
            assert_string_equal(eb_json_str(json_array_get(value, 0), "id"), o->id);
    }
    free(text);
    json_decref(body);
}

/* Pages go on at a place: who stays is met once, whoever comes or goes meanwhile. */
static void walk_list(struct world *w, const char *first, const char *meanwhile, json_t *met)
{
    char *target = strdup(first);

    for (int page = 0; target != NULL; page++) {
        assert_int_equal(call(w, "GET", target, NULL), 200);
        free(target);
        const json_t *value = json_object_get(w->reply.body, "value");
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *id = eb_json_str(json_array_get(value, i), "id");
            if (json_object_get(met, id) != NULL)
                fail_msg("%s twice", id);
            json_object_set_new(met, id, json_true());
        }
        const char *next = eb_json_str(w->reply.body, "@odata.nextLink");
        target = next != NULL ? strdup(next + strlen("http://localhost")) : NULL;
        if (page == 1)
            assert_int_equal(call(w, "POST", meanwhile[0] == '[' ? "/sim/users" : "/sim/churn", meanwhile), 200);
    }
}

static void test_stable_pages(void **state)
{
    struct world *w = *state;
    EB_AUTO(json_t, json_decref) met = json_object();
    const struct entra_object *o;

    walk_list(w, "/v1.0/users?$top=500&$select=id", "{\"leavers\":300,\"joiners\":20,\"seed\":3}", met);
    TAILQ_FOREACH(o, &w->sim->entra->all[ENTRA_USER], next)
        if (json_object_get(met, o->id) == NULL)
            fail_msg("%s missed", o->id);
}

static void test_stable_members(void **state)
{
    struct world *w = *state;
    EB_AUTO(json_t, json_decref) met = json_object();
    struct entra_object *g = TAILQ_FIRST(&w->sim->entra->all[ENTRA_GROUP]);
    struct entra_edge *edge;
    size_t n = members(g);

    for (; n < 15; n = members(g))
        g = TAILQ_NEXT(g, next);
    char *first = eb_asprintf("/v1.0/groups/%s/members?$top=3&$select=id", g->id);
    char *gone = eb_asprintf("[{\"id\":\"%s\",\"deleted\":true}]", TAILQ_FIRST(&g->out[ENTRA_MEMBER])->key.to->id);
    walk_list(w, first, gone, met);
    free(first);
    free(gone);
    TAILQ_FOREACH(edge, &g->out[ENTRA_MEMBER], in_from)
        if (edge->gone_ms == 0 && json_object_get(met, edge->key.to->id) == NULL)
            fail_msg("%s missed", edge->key.to->id);
    assert_int_equal(json_object_size(met), n);         /* with the one that went after it was met */
}

static void test_lists(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", "/v1.0/users?$top=999&$select=id,mail", NULL, 200, "a2000000-0000-4000-8000-000000000900", "the most" },
        { "GET", "/v1.0/users?$top=1000", NULL, 400, "Invalid page size", "too many" },
        { "GET", "/v1.0/users?$skiptoken=10", NULL, 400, "page token", "an offset is no place" },
        { "GET", "/v1.0/users?$skiptoken=p", NULL, 400, "page token", "no number" },
        { "GET", "/v1.0/users?$filter=mail%20eq%20'x'&$skiptoken=p10", NULL, 400, "page token", "a place is no offset" },
        { "GET", "/v1.0/users?$filter=userType%20eq%20'Guest'&$top=1&$select=id", NULL, 200, "$skiptoken=p6\"", "a filter without an index goes on at a place, too" },
        { "GET", "/v1.0/users?$filter=department%20eq%20'Nowhere'", NULL, 200, "\"value\":[]", "none" },
        { "GET", "/v1.0/users?$top=2&$expand=manager($select=id)&$select=id", NULL, 200,
          "\"id\":\"" USER("01") "\",\"manager\":{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("02") "\"}}", "the manager's id" },
        { "GET", "/v1.0/users?$filter=mail%20eq%20'ada.lovelace@contoso.com'&$expand=manager($select=displayName)&$select=id", NULL, 200, "Grace Hopper", "filtered, too" },
        { "GET", "/v1.0/users?$expand=members", NULL, 400, "Unsupported", "of groups" },
        { "GET", "/v1.0/users?$expand=manager($levels=max)", NULL, 400, "Unsupported", "not simulated" },
        { "GET", "/v1.0/groups?$expand=owners($select=shoeSize)", NULL, 400, "shoeSize", "no such property" },
        { "GET", "/v1.0/groups?$top=3&$expand=owners($select=id)&$select=id", NULL, 200, "\"owners\":[]", "none" },
        { "GET", "/v1.0/groups?$top=8&$expand=owners($select=id)&$select=id", NULL, 200,
          "{\"id\":\"" GROUP("08") "\",\"owners\":[{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("17") "\"}]}", "an owner" },
        { "GET", "/v1.0/users?$orderby=displayName&$top=1&$select=displayName", NULL, 200, "\"Ada ", "in order" },
    };

    walk_steps(w, cases, EB_LEN(cases));
}

/* An expanded collection ends at twenty, without a word. */
static void test_expand_cap(void **state)
{
    struct world *w = *state;
    size_t cut = 0, whole = 0;

    assert_int_equal(call(w, "GET", "/v1.0/groups?$top=999&$expand=members($select=id)&$select=id", NULL), 200);
    const json_t *value = json_object_get(w->reply.body, "value");
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t n = json_array_size(json_object_get(json_array_get(value, i), "members"));
        assert_true(n <= 20);
        cut += n == 20;
        whole += n < 20;
    }
    assert_true(cut > 50 && whole > 50);
}

static void test_accounts(void **state)
{
    struct world *w = *state;
    size_t at = 0, n, atlassian = 0, hidden = 0, empty = 0, inactive = 0, others = 0, people = 0;

    SETTINGS("{\"jira_users_page\":700}");
    do {
        char *target = eb_asprintf("/rest/api/3/users/search?startAt=%zu&maxResults=1000", at);
        assert_int_equal(call(w, "GET", target, NULL), 200);
        free(target);
        n = json_array_size(w->reply.body);
        assert_true(n <= 700);              /* shorter than asked for */
        for (size_t i = 0; i < n; i++) {
            const json_t *a = json_array_get(w->reply.body, i);
            bool ours = company_number(eb_json_str(a, "accountId")) != 0;
            people += ours;
            atlassian += strcmp(eb_json_str(a, "accountType"), "atlassian") == 0;
            others += strcmp(eb_json_str(a, "accountType"), "atlassian") != 0;
            hidden += eb_json_str(a, "emailAddress") == NULL;
            empty += eb_json_str(a, "emailAddress") != NULL && *eb_json_str(a, "emailAddress") == '\0';
            inactive += !eb_json_bool(a, "active", true);
        }
        at += n;
    } while (n > 0);
    assert_int_equal(at, tracker_account_count(w->sim->tracker));
    assert_true(near(people, 0.85) && people < PEOPLE && atlassian > people && others >= 30 && hidden > 100 && empty > 100 && inactive > 50);
}

/* Whoever is asked for by id becomes an account with a state of its own, at the same place. */
static void test_account_changes(void **state)
{
    struct world *w = *state;
    uint32_t number;
    size_t place = tracker_account_count(w->sim->tracker) - 10, count = place + 10;

    assert_null(tracker_account_at(w->sim->tracker, place, &number));
    char id[64] = TRACKER_ACCOUNT_PREFIX, body[256], target[128], before[4096];
    company_id(number, id + strlen(TRACKER_ACCOUNT_PREFIX));
    snprintf(target, sizeof(target), "/rest/api/3/users/search?startAt=%zu&maxResults=1", place);
    assert_int_equal(call(w, "GET", target, NULL), 200);
    char *text = eb_json_text(w->reply.body);
    snprintf(before, sizeof(before), "%s", text);
    free(text);
    assert_non_null(tracker_account(w->sim->tracker, id));
    assert_int_equal(call(w, "GET", target, NULL), 200);
    text = eb_json_text(w->reply.body);
    assert_string_equal(text, before);
    free(text);
    snprintf(body, sizeof(body), "{\"accountId\":\"%s\",\"active\":false,\"emailHidden\":true,\"emailEmpty\":true}", id);
    assert_int_equal(call(w, "POST", "/sim/accounts", body), 200);
    assert_int_equal(call(w, "GET", target, NULL), 200);
    const json_t *a = json_array_get(w->reply.body, 0);
    assert_string_equal(eb_json_str(a, "accountId"), id);
    assert_string_equal(eb_json_str(a, "emailAddress"), "");
    assert_false(eb_json_bool(a, "active", true));
    assert_int_equal(tracker_account_count(w->sim->tracker), count);
    assert_int_equal(call(w, "POST", "/sim/accounts", "{\"accountId\":\"qm:new\",\"accountType\":\"customer\",\"displayName\":\"New\"}"), 200);
    assert_int_equal(tracker_account_count(w->sim->tracker), count + 1);
    assert_int_equal(call(w, "POST", "/sim/accounts", "{\"accountId\":\"x\",\"accountType\":\"robot\"}"), 400);
    SETTINGS("{\"no_browse_users\":true}");
    assert_int_equal(call(w, "GET", "/rest/api/3/users/search", NULL), 403);
}

static void test_directory(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", "/sim/directory?kind=user&limit=2", NULL, 200, "\"memberOf\":[", "a page" },
        { "GET", "/sim/directory?kind=user&limit=1&after=" USER("01"), NULL, 200, "\"next\":\"" USER("02") "\"", "the next one" },
        { "GET", "/sim/directory?kind=group&limit=1", NULL, 200, "\"members\":[\"" USER("02") "\"]", "groups" },
        { "GET", "/sim/directory?kind=robot", NULL, 400, "kind is user or group", "no such kind" },
        { "GET", "/sim/directory?kind=user&after=" GROUP("01"), NULL, 400, "after the id", "of another kind" },
        { "POST", "/sim/churn", "{\"robots\":1}", 400, "no change robots", "no such change" },
        { "POST", "/sim/churn", "{\"users\":-1}", 400, "no change users", "a number" },
        { "POST", "/sim/churn", "{\"memberships\":1,\"seed\":5}", 200, "\"present\":", "says which" },
        { "GET", "/sim/state?user=a2000000-0000-4000-8000-000000000001", NULL, 200, "\"department\"", "one of the company" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    assert_int_equal(call(w, "GET", "/sim/state", NULL), 200);
    assert_true(json_array_size(json_object_get(w->reply.body, "users")) < 40);        /* the cast alone */
    assert_int_equal(call(w, "GET", "/sim/state?view=page", NULL), 200);
    const json_t *groups = json_object_get(w->reply.body, "groups");
    for (size_t i = 0; i < json_array_size(groups); i++)
        assert_true(json_array_size(json_object_get(json_array_get(groups, i), "members")) <= 30);
}

static void test_units(void **state)
{
    static const struct { const char *method, *pattern, *target; int units; bool write; const char *why; } cases[] = {
        { "GET", "/users", "/v1.0/users", 2, false, "a list" }, { "GET", "/users", "/v1.0/users?$select=id", 1, false, "select" },
        { "GET", "/users", "/v1.0/users?$select=id&$expand=manager&$top=999", 2, false, "select and expand" },
        { "GET", "/users/{}", "/v1.0/users/x?$select=id&$top=1", 1, false, "never below one" },
        { "GET", "/users/delta", "/v1.0/users/delta", 1, false, "any other" }, { "GET", "/groups", "/v1.0/groups", 1, false, "any other" },
        { "GET", "/groups/{}/members", "/v1.0/groups/x/members?$top=5", 2, false, "few" },
        { "GET", "/groups/{}/transitiveMembers", "/v1.0/groups/x/transitiveMembers", 5, false, "dear" },
        { "GET", "/users/{}/manager", "/v1.0/users/x/manager", 1, false, "not the user itself" },
        { "POST", "/users/{}/checkMemberGroups", "/v1.0/users/x/checkMemberGroups", 4, false, "no write" },
        { "PATCH", "/users/{}", "/v1.0/users/x", 1, true, "a write" }, { "POST", "/users", "/v1.0/users", 1, true, "a write" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct sim_call c = { 0 };
        struct sim_route route = { cases[i].method, cases[i].pattern, NULL, NULL };
        bool write;
        snprintf(c.method, sizeof(c.method), "%s", cases[i].method);
        assert_true(sim_call_target(&c, cases[i].target));
        int units = quota_units(&c, &route, &write);
        if (units != cases[i].units || write != cases[i].write)
            fail_msg("case %zu (%s): %d", i, cases[i].why, units);
        sim_call_free(&c);
    }
}

static const char *header(const struct world *w, const char *name)
{
    for (size_t i = 0; i < w->reply.header_count; i++)
        if (strcasecmp(w->reply.headers[i].name, name) == 0)
            return w->reply.headers[i].value;
    return NULL;
}

/* With buckets that hardly fill again, so that the counts are exact. */
static void test_quota(void **state)
{
    struct world *w = *state;
    int low = 0, high = 0;

    w->sim->quota.units.period_ms = w->sim->quota.writes.period_ms = INT64_C(1) << 50;
    SETTINGS("{\"quota_units\":100}");
    w->priority = SIM_PRIORITY_LOW;
    while (low < 200 && call(w, "GET", "/v1.0/groups?$top=1&$select=id", NULL) == 200)
        low++;
    assert_int_equal(w->reply.status, 429);
    assert_int_equal(low, 80);
    assert_non_null(header(w, "Retry-After"));
    assert_string_equal(header(w, "x-ms-throttle-information"), "ResourceUnitLimitExceeded");
    assert_true(strncmp(header(w, "x-ms-throttle-scope"), "Tenant_Application/ReadWrite/", 29) == 0);
    w->priority = SIM_PRIORITY_HIGH;
    while (high < 200 && call(w, "GET", "/v1.0/groups?$top=1&$select=id", NULL) == 200)
        high++;
    assert_int_equal(w->reply.status, 429);
    assert_int_equal(high, 20);             /* others still passed */
    assert_non_null(header(w, "x-ms-throttle-limit-percentage"));
    assert_int_equal(counted(w, NULL, "calls_low"), low + 1);
    assert_int_equal(counted(w, NULL, "calls_high"), high + 1);
    assert_int_equal(counted(w, NULL, "throttled"), 2);
    assert_int_equal(counted(w, NULL, "resource_units"), low + high);
    SETTINGS("{\"quota_units\":0,\"quota_writes\":2}");
    w->priority = SIM_PRIORITY_NORMAL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(call(w, "PATCH", "/v1.0/users/" USER("01"), "{\"jobTitle\":\"X\"}"), i < 2 ? 204 : 429);
    assert_string_equal(header(w, "x-ms-throttle-information"), "WriteLimitExceeded");
    assert_int_equal(counted(w, NULL, "writes"), 2);
    assert_int_equal(counted(w, NULL, "writes_refused"), 1);
    assert_int_equal(call(w, "GET", "/v1.0/users/" USER("01"), NULL), 200);     /* reads pass */
    assert_string_equal(header(w, "x-ms-resource-unit"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shape, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_groups, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_and_attributes, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_found, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_batch_by_mail, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_stable_pages, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_stable_members, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_lists, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_expand_cap, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_accounts, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_account_changes, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_directory, setup_company, teardown),
        cmocka_unit_test(test_units),
        cmocka_unit_test_setup_teardown(test_quota, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
