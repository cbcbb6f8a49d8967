/* test_sim_delta.c - the simulated delta: whoever follows its links, however often, ends with what is so. */
#include "tests/unit/sim_world.h"

#include <stdlib.h>

#define TEAM(n) "b2000000-0000-4000-8000-" n
#define SETTINGS(text) assert_int_equal(call(w, "POST", "/sim/settings", text), 200)

static int setup_company(void **state)
{
    static const char *const options[] = { "--company-users", "400", "--company-groups", "60", NULL };

    return setup_with(state, options);
}

/* What a reader knows: objects by id, with their links as objects of ids. */
struct reader { json_t *users, *groups; char *users_link, *groups_link; size_t pages, empty, twice, removed; };

static void links_apply(json_t *object, const char *name, const json_t *links)
{
    json_t *known = json_object_get(object, name);

    if (known == NULL) {
        known = json_object();
        json_object_set_new(object, name, known);
    }
    for (size_t i = 0; i < json_array_size(links); i++) {
        const json_t *link = json_array_get(links, i);
        assert_non_null(eb_json_str(link, "@odata.type"));
        if (json_object_get(link, "@removed") != NULL)
            json_object_del(known, eb_json_str(link, "id"));
        else
            json_object_set_new(known, eb_json_str(link, "id"), json_true());
    }
}

static void item_apply(struct reader *rd, json_t *known, const json_t *item)
{
    const char *id = eb_json_str(item, "id"), *name;
    json_t *value, *mine = json_object_get(known, id);

    assert_non_null(id);
    if (json_object_get(item, "@removed") != NULL) {
        rd->removed++;
        json_object_del(known, id);
        return;
    }
    rd->twice += mine != NULL && known == rd->users;
    if (mine == NULL) {
        mine = json_object();
        json_object_set_new(known, id, mine);
    }
    json_object_foreach((json_t *)(uintptr_t)item, name, value) {
        if (strstr(name, "@delta") != NULL)
            links_apply(mine, name, value);
        else
            json_object_set(mine, name, value);
    }
}

/* Follows the links of a round to its end; *link becomes the next deltaLink. */
static void round_read(struct world *w, struct reader *rd, json_t *known, char **link)
{
    const char *next = NULL;

    for (int i = 0; i < 2000; i++) {
        char *target = strdup(strncmp(*link, "http://localhost", 16) == 0 ? *link + 16 : *link);
        assert_int_equal(call(w, "GET", target, NULL), 200);
        free(target);
        const json_t *value = json_object_get(w->reply.body, "value");
        rd->pages++;
        rd->empty += json_array_size(value) == 0;
        for (size_t k = 0; k < json_array_size(value); k++)
            item_apply(rd, known, json_array_get(value, k));
        next = eb_json_str(w->reply.body, "@odata.nextLink");
        const char *delta = eb_json_str(w->reply.body, "@odata.deltaLink");
        assert_true((next == NULL) != (delta == NULL));     /* never both, never none */
        free(*link);
        *link = strdup(next != NULL ? next : delta);
        if (next == NULL)
            return;
    }
    fail_msg("no deltaLink after 2000 pages");
}

static void reader_start(struct world *w, struct reader *rd)
{
    *rd = (struct reader){ .users = json_object(), .groups = json_object() };
    rd->users_link = strdup("/v1.0/users/delta?$select=displayName,department,accountEnabled,jobTitle,manager");
    rd->groups_link = strdup("/v1.0/groups/delta?$select=displayName,description,members,owners");
}

static void both_rounds(struct world *w, struct reader *rd)
{
    round_read(w, rd, rd->users, &rd->users_link);
    round_read(w, rd, rd->groups, &rd->groups_link);
}

static void reader_free(struct reader *rd)
{
    json_decref(rd->users);
    json_decref(rd->groups);
    free(rd->users_link);
    free(rd->groups_link);
}

/* The ids that the reader holds and that are somebody it knows, against the list of the truth. */
static void links_compare(const struct reader *rd, const char *id, const json_t *known, const json_t *truth, const char *what)
{
    const char *member;
    json_t *value;
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(truth); i++)
        if (json_object_get(known, json_string_value(json_array_get(truth, i))) == NULL)
            fail_msg("%s: %s lacks %s", id, what, json_string_value(json_array_get(truth, i)));
    json_object_foreach((json_t *)(uintptr_t)known, member, value)
        n += json_object_get(rd->users, member) != NULL || json_object_get(rd->groups, member) != NULL;
    if (n != json_array_size(truth))
        fail_msg("%s: %zu %s, %zu in truth", id, n, what, json_array_size(truth));
}

static void same_member(const json_t *mine, const json_t *truth, const char *name)
{
    const json_t *a = json_object_get(mine, name), *b = json_object_get(truth, name);

    if (!(json_equal(a, b) || ((a == NULL || json_is_null(a)) && (b == NULL || json_is_null(b)))))
        fail_msg("%s of %s differs", name, eb_json_str(truth, "id"));
}

static void user_compare(const struct reader *rd, const json_t *truth)
{
    static const char *const names[] = { "displayName", "department", "accountEnabled", "jobTitle" };
    const char *id = eb_json_str(truth, "id"), *manager = eb_json_str(truth, "managerId");
    const json_t *mine = json_object_get(rd->users, id), *held = json_object_get(mine, "manager@delta");

    assert_non_null(mine);
    for (size_t i = 0; i < EB_LEN(names); i++)
        same_member(mine, truth, names[i]);
    if (json_object_size(held) != (manager != NULL) || (manager != NULL && json_object_get(held, manager) == NULL))
        fail_msg("%s: manager differs", id);
}

static void group_compare(const struct reader *rd, const json_t *truth)
{
    const char *id = eb_json_str(truth, "id");
    const json_t *mine = json_object_get(rd->groups, id);

    assert_non_null(mine);
    same_member(mine, truth, "displayName");
    same_member(mine, truth, "description");
    links_compare(rd, id, json_object_get(mine, "members@delta"), json_object_get(truth, "members"), "members");
    links_compare(rd, id, json_object_get(mine, "owners@delta"), json_object_get(truth, "owners"), "owners");
}

static void compare(struct world *w, const struct reader *rd)
{
    static const struct { const char *kind; void (*one)(const struct reader *rd, const json_t *truth); } kinds[] = {
        { "user", user_compare }, { "group", group_compare },
    };

    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        char *target = eb_asprintf("/sim/directory?kind=%s&limit=150", kinds[k].kind);
        size_t n = 0;
        while (target != NULL) {
            assert_int_equal(call(w, "GET", target, NULL), 200);
            free(target);
            const json_t *items = json_object_get(w->reply.body, "items");
            for (size_t i = 0; i < json_array_size(items); i++, n++)
                kinds[k].one(rd, json_array_get(items, i));
            const char *next = eb_json_str(w->reply.body, "next");
            target = next != NULL ? eb_asprintf("/sim/directory?kind=%s&limit=150&after=%s", kinds[k].kind, next) : NULL;
        }
        assert_int_equal(n, json_object_size(k == 0 ? rd->users : rd->groups));
    }
}

#define CHURN "{\"users\":40,\"groups\":10,\"memberships\":80,\"managers\":20,\"leavers\":6,\"joiners\":7,\"purged\":%d,\"restored\":%d,\"groupsDeleted\":2,\"seed\":%d}"

static void test_converges(void **state)
{
    struct world *w = *state;
    struct reader rd;

    SETTINGS("{\"delta_page_size\":30,\"delta_member_page\":40,\"delta_empty_every\":4,\"delta_repeat_every\":3}");
    reader_start(w, &rd);
    both_rounds(w, &rd);
    assert_true(rd.empty > 5 && rd.twice > 3);      /* the surprises did come */
    compare(w, &rd);
    for (int turn = 0; turn < 6; turn++) {
        char *churn = eb_asprintf(CHURN, turn * 3, turn, turn);
        assert_int_equal(call(w, "POST", "/sim/churn", churn), 200);
        free(churn);
        both_rounds(w, &rd);
        compare(w, &rd);
    }
    assert_true(rd.removed > 0);
    rd.pages = 0;
    both_rounds(w, &rd);
    assert_int_equal(rd.pages, 2);                  /* nothing has changed: one call each */
    reader_free(&rd);
}

/* Changes while a first round is under way are in the next one at the latest. */
static void test_changes_during_the_first_round(void **state)
{
    struct world *w = *state;
    struct reader rd;
    char *link = NULL;

    SETTINGS("{\"delta_page_size\":50,\"delta_empty_every\":0,\"delta_repeat_every\":0}");
    reader_start(w, &rd);
    assert_int_equal(call(w, "GET", rd.users_link, NULL), 200);
    const json_t *value = json_object_get(w->reply.body, "value");
    for (size_t k = 0; k < json_array_size(value); k++)
        item_apply(&rd, rd.users, json_array_get(value, k));
    link = strdup(eb_json_str(w->reply.body, "@odata.nextLink"));
    char *churn = eb_asprintf(CHURN, 2, 1, 9);
    assert_int_equal(call(w, "POST", "/sim/churn", churn), 200);
    free(churn);
    round_read(w, &rd, rd.users, &link);
    round_read(w, &rd, rd.users, &link);
    round_read(w, &rd, rd.groups, &rd.groups_link);
    compare(w, &rd);
    free(link);
    reader_free(&rd);
}

static char *latest(struct world *w, const char *target)
{
    assert_int_equal(call(w, "GET", target, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(w->reply.body, "value")), 0);
    return strdup(eb_json_str(w->reply.body, "@odata.deltaLink") + strlen("http://localhost"));
}

/* A change, and what the next round says of it. */
struct change { const char *method, *target, *body; bool minimal; const char *users, *groups, *why; };
#define EMPTY "\"value\":[]"

static void expect(struct world *w, char **link, const char *text, const struct change *c)
{
    w->minimal = c->minimal;
    if (call(w, "GET", *link, NULL) != 200 || eb_json_str(w->reply.body, "@odata.deltaLink") == NULL)
        fail_msg("%s: %d", c->why, w->reply.status);
    w->minimal = false;
    char *got = eb_json_text(w->reply.body);
    if (strstr(got, text) == NULL)
        fail_msg("%s: %s lacks %s", c->why, got, text);
    free(got);
    free(*link);
    *link = strdup(eb_json_str(w->reply.body, "@odata.deltaLink") + strlen("http://localhost"));
}

static void test_each_change(void **state)
{
    struct world *w = *state;
#define ADA "/v1.0/users/" USER("01")
#define VPN "/v1.0/groups/" GROUP("01")
#define GONE(reason) "[{\"id\":\"" USER("01") "\",\"@removed\":{\"reason\":\"" reason "\"}}]"
#define AS_MEMBER "{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("01") "\""
    static const struct change cases[] = {
        { "PATCH", ADA, "{\"jobTitle\":\"Countess\"}", false, "\"id\":\"" USER("01") "\",\"displayName\":\"Ada Lovelace\",\"jobTitle\":\"Countess\"}]", EMPTY, "whole" },
        { "PATCH", ADA, "{\"jobTitle\":\"Lady\"}", true, "[{\"jobTitle\":\"Lady\",\"id\":\"" USER("01") "\"}]", EMPTY, "what changed, and the id" },
        { "PATCH", ADA, "{\"city\":\"London\"}", false, EMPTY, EMPTY, "nothing that was asked for" },
        { "POST", "/sim/users", "{\"id\":\"" USER("01") "\",\"jobTitle\":\"Analyst\"}", false, "Analyst", EMPTY, "by the control API" },
        { "PUT", ADA "/manager/$ref", LINK("03"), true, "\"manager@delta\":[{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("03") "\"},"
          "{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("02") "\",\"@removed\":{\"reason\":\"deleted\"}}]", EMPTY, "another manager" },
        { "DELETE", ADA "/manager/$ref", NULL, true, "\"manager@delta\":[{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" USER("03") "\",\"@removed\"", EMPTY, "none" },
        { "POST", VPN "/members/$ref", LINK("01"), false, EMPTY, "\"displayName\":\"VPN Users\",\"members@delta\":[" AS_MEMBER "}]", "a member" },
        { "PATCH", VPN, "{\"displayName\":\"VPN\"}", true, EMPTY, "[{\"displayName\":\"VPN\",\"id\":\"" GROUP("01") "\"}]", "a group's attribute" },
        { "DELETE", VPN "/members/" USER("01") "/$ref", NULL, true, EMPTY, "\"members@delta\":[" AS_MEMBER ",\"@removed\":{\"reason\":\"deleted\"}}]", "no member" },
        { "PATCH", VPN, "{\"members@odata.bind\":[\"https://graph.microsoft.com/v1.0/directoryObjects/" USER("01") "\"]}", true, EMPTY, AS_MEMBER, "several at once" },
        { "POST", "/sim/groups", "{\"id\":\"" GROUP("01") "\",\"owners\":[\"" USER("01") "\"]}", true, EMPTY, "\"owners@delta\":[" AS_MEMBER "}]", "an owner" },
        { "DELETE", ADA, NULL, false, GONE("changed"), EMPTY, "in the bin: its groups say nothing" },
        { "POST", "/v1.0/directory/deletedItems/" USER("01") "/restore", NULL, true, "\"displayName\":\"Ada Lovelace\"", EMPTY, "restored: as new" },
        { "DELETE", ADA, NULL, false, GONE("changed"), EMPTY, "again" },
        { "DELETE", "/v1.0/directory/deletedItems/" USER("01"), NULL, true, GONE("deleted"), AS_MEMBER ",\"@removed\":{\"reason\":\"deleted\"}}]", "for good: out of its groups" },
        { "POST", "/sim/groups", "{\"id\":\"" GROUP("07") "\",\"deleted\":true}", true, EMPTY, "{\"id\":\"" GROUP("07") "\",\"@removed\":{\"reason\":\"deleted\"}}", "a group" },
    };
    assert_int_equal(call(w, "PATCH", ADA, "{\"jobTitle\":\"Before\"}"), 204);      /* no news for who begins now */
    char *users = latest(w, "/v1.0/users/delta?$select=displayName,jobTitle,manager&$deltatoken=latest");
    char *groups = latest(w, "/v1.0/groups/delta?$select=displayName,members,owners&$deltatoken=latest");

    expect(w, &users, EMPTY, &(struct change){ .why = "nothing yet" });
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int status = call(w, cases[i].method, cases[i].target, cases[i].body);
        if (status < 200 || status > 204)
            fail_msg("case %zu (%s): %d", i, cases[i].why, status);
        expect(w, &users, cases[i].users, &cases[i]);
        expect(w, &groups, cases[i].groups, &cases[i]);
    }
    free(users);
    free(groups);
}

/* Whoever lies in the bin is removed in the first round already, and a member still. */
static void test_bin_in_the_first_round(void **state)
{
    struct world *w = *state;
    struct reader rd;

    assert_int_equal(call(w, "POST", "/v1.0/groups/" GROUP("01") "/members/$ref", LINK("01")), 204);
    assert_int_equal(call(w, "POST", "/v1.0/groups/" GROUP("02") "/members/$ref", LINK("02")), 204);
    assert_int_equal(call(w, "DELETE", "/v1.0/users/" USER("01"), NULL), 204);
    assert_int_equal(call(w, "DELETE", "/v1.0/users/" USER("02"), NULL), 204);
    assert_int_equal(call(w, "DELETE", "/v1.0/users/" USER("03"), NULL), 204);
    SETTINGS("{\"delta_page_size\":1}");
    reader_start(w, &rd);
    both_rounds(w, &rd);
    assert_int_equal(rd.removed, 3);
    assert_non_null(json_object_get(json_object_get(json_object_get(rd.groups, GROUP("02")), "members@delta"), USER("02")));
    assert_null(json_object_get(rd.users, USER("01")));
    assert_non_null(json_object_get(json_object_get(json_object_get(rd.groups, GROUP("01")), "members@delta"), USER("01")));
    compare(w, &rd);
    reader_free(&rd);
}

static void test_refusals(void **state)
{
    struct world *w = *state;
    static const struct step cases[] = {
        { "GET", "/v1.0/users/delta?$top=5", NULL, 400, "$top", "the page size is the server's" },
        { "GET", "/v1.0/users/delta?$expand=manager", NULL, 400, "$expand", "no expansion" },
        { "GET", "/v1.0/groups/delta?$orderby=displayName", NULL, 400, "$orderby", "no order" },
        { "GET", "/v1.0/users/delta?$filter=mail%20eq%20'x'", NULL, 400, "Only ids", "by ids only" },
        { "GET", "/v1.0/users/delta?$filter=id%20eq%20'" USER("01") "'%20or%20id%20eq%20'" USER("02") "'&$select=mail", NULL, 200, USER("02"), "by ids" },
        { "GET", "/v1.0/users/delta?$select=shoeSize", NULL, 400, "shoeSize", "no such property" },
        { "GET", "/v1.0/users/delta?$select=members", NULL, 400, "members", "of groups" },
        { "GET", "/v1.0/groups/delta?$select=manager", NULL, 400, "manager", "of users" },
        { "GET", "/v1.0/users/delta?$skiptoken=x", NULL, 400, "Badly formed", "no token" },
        { "GET", "/v1.0/users/delta?$deltatoken=", NULL, 200, USER("01"), "an empty one: from the start" },
        { "POST", "/v1.0/users/delta", "{}", 405, NULL, "no write" },
        { "POST", "/sim/settings", "{\"granted\":[\"User.Read.All\"]}", 200, NULL, "a right is taken" },
        { "GET", "/v1.0/groups/delta", NULL, 403, "Insufficient", "groups need theirs" },
        { "POST", "/sim/settings", "{\"granted\":\"all\"}", 200, NULL, "given back" },
    };

    walk_steps(w, cases, EB_LEN(cases));
    char *link = latest(w, "/v1.0/users/delta?$deltatoken=latest"), *more = eb_asprintf("%s&$select=mail", link);
    assert_int_equal(call(w, "GET", more, NULL), 400);              /* a link is used whole */
    free(more);
    more = eb_asprintf("/v1.0/groups/delta?%s", strstr(link, "$deltatoken"));
    assert_int_equal(call(w, "GET", more, NULL), 400);              /* of another collection */
    free(more);
    more = eb_asprintf("/v1.0/users/delta?$skiptoken=%s", strstr(link, "$deltatoken=") + strlen("$deltatoken="));
    assert_int_equal(call(w, "GET", more, NULL), 400);              /* of another use */
    free(more);
    free(link);
}

static void test_tokens_end(void **state)
{
    struct world *w = *state;
    static const struct { const char *method, *target, *body; int status; const char *code, *why; } cases[] = {
        { "DELETE", "/sim/delta", NULL, 410, "resyncRequired", "ended on order" },
        { "POST", "/sim/settings", "{\"delta_gone\":\"syncStateNotFound\"}", 410, "syncStateNotFound", "its other code" },
        { "POST", "/sim/settings", "{\"delta_gone\":\"tooOld\"}", 400, "DeltaLink older than 30 days is not supported.", "as seen in the field" },
        { "POST", "/sim/settings", "{\"delta_gone\":\"resyncRequired\"}", 410, "resyncRequired", "back" },
    };
    char *link = latest(w, "/v1.0/users/delta?$select=mail&$deltatoken=latest");

    assert_int_equal(call(w, "GET", link, NULL), 200);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        call(w, cases[i].method, cases[i].target, cases[i].body);
        int status = call(w, "GET", link, NULL);
        char *text = eb_json_text(w->reply.body);
        if (status != cases[i].status || strstr(text, cases[i].code) == NULL)
            fail_msg("case %zu (%s): %d %s", i, cases[i].why, status, text);
        free(text);
        assert_int_equal(w->reply.header_count > 0 && strcmp(w->reply.headers[w->reply.header_count - 1].name, "Location") == 0, status == 410);
    }
    assert_string_equal(w->reply.headers[w->reply.header_count - 1].value, "http://localhost/v1.0/users/delta?$select=mail&$deltatoken=");
    free(link);
    link = latest(w, "/v1.0/users/delta?$deltatoken=latest");
    assert_int_equal(call(w, "POST", "/sim/reset", NULL), 200);
    assert_int_equal(call(w, "GET", link, NULL), 410);              /* another state: another log */
    free(link);
    link = latest(w, "/v1.0/users/delta?$deltatoken=latest");
    SETTINGS("{\"delta_life_s\":0}");
    assert_int_equal(call(w, "GET", link, NULL), 410);              /* too old */
    free(link);
}

/* A large group is spread over pages, each time with the members that follow. */
static void test_members_over_pages(void **state)
{
    struct world *w = *state;
    size_t pages = 0, members = 0;
    char *target = strdup("/v1.0/groups/delta?$filter=id%20eq%20'" TEAM("000000000007") "'&$select=displayName,members");

    SETTINGS("{\"delta_member_page\":7,\"delta_empty_every\":0}");
    assert_int_equal(call(w, "GET", "/v1.0/groups/" TEAM("000000000007") "/members?$top=999&$select=id", NULL), 200);
    size_t all = json_array_size(json_object_get(w->reply.body, "value"));
    assert_true(all > 14);
    while (target != NULL) {
        assert_int_equal(call(w, "GET", target, NULL), 200);
        free(target);
        const json_t *group = json_array_get(json_object_get(w->reply.body, "value"), 0);
        size_t n = json_array_size(json_object_get(group, "members@delta"));
        assert_true(n <= 7);
        pages += group != NULL;
        members += n;
        const char *next = eb_json_str(w->reply.body, "@odata.nextLink");
        target = next != NULL ? strdup(next + strlen("http://localhost")) : NULL;
    }
    assert_int_equal(members, all);
    assert_int_equal(pages, (all + 6) / 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_converges, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_changes_during_the_first_round, setup_company, teardown),
        cmocka_unit_test_setup_teardown(test_each_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bin_in_the_first_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members_over_pages, setup_company, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
