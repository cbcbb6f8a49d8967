/* test_directory_live.c - binding and look-ups against tables of answers: what is asked, in how many calls, and what follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/bind.h"
#include "fake_clouds.h"

#define U1 "a0000000-0000-4000-8000-000000000001"
#define U2 "a0000000-0000-4000-8000-000000000002"
#define G1 "b0000000-0000-4000-8000-000000000001"
#define G2 "b0000000-0000-4000-8000-000000000002"
#define APP "e0000000-0000-4000-8000-000000000001"
#define P1 "d0000000-0000-4000-8000-000000000001"

#define TEXT(s) ((char *)(uintptr_t)(s))
#define YES POLICY_YES
#define NO POLICY_NO
#define OPEN POLICY_UNKNOWN

static char *itsm[] = { TEXT("ITSM") };
static struct config_group_rule rules[] = { { TEXT("VPN"), { false, { itsm, 1 } } } };
static char *protected_groups[] = { TEXT("Tier 0") };
static char *protected_users[] = { TEXT("glass@x") };
static struct config config;

static struct directory *d;
static int published;

static void on_ready(void *ctx) { published++; eb_loop_stop(loop); }

static void stop(void *arg) { eb_loop_stop(loop); }

static void run(int64_t ms)
{
    struct eb_timer *t = eb_timer_new(loop, stop, NULL);

    eb_timer_set(t, ms);
    eb_loop_run(loop);
    eb_timer_free(t);
}

static int setup(void **state)
{
    struct eb_err err = { 0 };

    fake_reset();
    config = (struct config){ .references = 1, .entra.client_id = TEXT("app"), .policy = { .groups = rules, .group_count = 1, .protected_users = { protected_users, 1 },
                                                           .protected_groups = { protected_groups, 1 }, .protect_directory_roles = true } };
    published = 0;
    fake_answer("credentials", 200, "{}");
    fake_answer("name=VPN&", 200, "{\"value\":[{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}]}");
    fake_answer("name=Tier 0&", 200, "{\"value\":[{\"id\":\"" P1 "\",\"displayName\":\"Tier 0\"}]}");
    fake_answer("/users/glass@x?", 200, "{\"id\":\"" U2 "\",\"userPrincipalName\":\"glass@x\"}");
    fake_answer("mail=glass@x&", 200, "{\"value\":[]}");
    fake_answer("project/ITSM.", 200, "10001 ITSM");
    fake_answer("/applications?$filter=appId", 200, "{\"value\":[{\"id\":\"" APP "\"}]}");
    fake_answer("/servicePrincipals?$filter=appId", 200, "{\"value\":[{\"id\":\"" APP "\"}]}");
    fake_answer("/owners?", 200, "{\"value\":[]}");
    assert_true(eb_loop_new(&loop, &err));
    assert_true(directory_new(loop, NULL, NULL, (struct store *)(uintptr_t)1, &d, &err));
    directory_on_ready(d, on_ready, NULL);
    return 0;
}

static int teardown(void **state)
{
    directory_free(d);
    eb_loop_free(loop);
    return config.references == 1 ? 0 : -1;
}

static const struct directory_binding *binding(const char *name)
{
    const struct directory_binding *b;
    size_t count = directory_bindings(d, &b);

    for (size_t i = 0; i < count; i++)
        if (strcmp(b[i].name, name) == 0)
            return &b[i];
    return NULL;
}

static struct answer *answer_of(const char *path)
{
    for (size_t i = 0; i < answer_count; i++)
        if (strcmp(answers[i].path, path) == 0)
            return &answers[i];
    return NULL;
}

/* ---- binding ---- */

static void test_bind(void **state)
{
    struct eb_err err = { 0 };

    assert_false(directory_ready(d, &err));
    assert_int_equal(err.code, EB_STARTING);
    directory_bind(d, &config);
    run(2000);
    assert_int_equal(published, 1);
    assert_true(directory_ready(d, &err));
    assert_int_equal(batches, 3);
    assert_int_equal(batch_items, 4 + 2 + 2);       /* two groups, a user by UPN and by mail; what we are; who owns that */
    assert_int_equal(pin_count, 4);
    assert_string_equal(binding("VPN")->id, G1);
    assert_string_equal(binding("VPN")->pin, G1);
    assert_true(directory_project_fits(d, "ITSM", "10001"));
    assert_false(directory_project_fits(d, "ITSM", "10009"));
    assert_true(directory_project_fits(d, "NEW", "10009"));
}

static void test_bind_moved(void **state)
{
    char id[64];

    assert_true(pin_put(NULL, "group", "VPN", G2, 0, id, NULL));
    assert_true(pin_put(NULL, "project", "ITSM", "9", 0, id, NULL));
    directory_bind(d, &config);
    run(2000);
    assert_int_equal(binding("VPN")->state, DIRECTORY_MOVED);
    assert_string_equal(binding("VPN")->id, G2);
    assert_string_equal(binding("VPN")->fits, G1);
    assert_false(directory_project_fits(d, "ITSM", "10001"));       /* another project has its key now */
}

static void test_bind_not_found_then_found(void **state)
{
    struct answer *vpn = answer_of("name=VPN&");
    const char *body = vpn->body;

    vpn->body = "{\"value\":[]}";
    directory_bind(d, &config);
    run(2000);
    assert_int_equal(binding("VPN")->state, DIRECTORY_NONE);
    assert_null(binding("VPN")->id);
    vpn->body = body;
    batches = batch_items = 0;
    eb_timer_set(d->current->relook, 1);            /* sixty seconds later */
    run(2000);
    assert_int_equal(published, 2);
    assert_int_equal(batch_items, 1);               /* only what was not found */
    assert_string_equal(binding("VPN")->id, G1);
    assert_int_equal(pin_count, 4);
}

static void test_bind_several(void **state)
{
    answer_of("name=Tier 0&")->body = "{\"value\":[{\"id\":\"" P1 "\",\"displayName\":\"Tier 0\"}],\"@odata.nextLink\":\"next-tier\"}";
    fake_answer("next-tier", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":\"Tier 0\"}]}");
    directory_bind(d, &config);
    run(2000);
    assert_int_equal(single_calls, 1);
    assert_int_equal(binding("Tier 0")->state, DIRECTORY_SEVERAL);
    assert_null(binding("Tier 0")->pin);
    assert_non_null(snapshot_protected_group(d->snapshot, P1));
    assert_non_null(snapshot_protected_group(d->snapshot, G2));     /* protected, all of them */
}

/* Each side may be away, or refuse, for as long as it likes: not ready, a reason, and ready once it is back. */
static void test_bind_away(void **state)
{
    bool *const away[] = { &graph_away, &jira_away, &store_fails };
    const char *const says[] = { "Entra: Graph is away", "Jira: Jira is away", "store: the disk is full" };

    for (size_t i = 0; i < EB_LEN(away); i++) {
        struct eb_err err = { 0 };
        *away[i] = true;
        directory_bind(d, &config);
        run(60);
        assert_false(directory_ready(d, &err));
        assert_int_equal(err.code, EB_STARTING);
        if (strstr(err.text, says[i]) == NULL)
            fail_msg("%s is not in %s", says[i], err.text);
        *away[i] = false;
        run(3000);
        assert_true(directory_ready(d, &err));
        assert_int_equal(teardown(state), 0);
        setup(state);
    }
}

static void test_bind_throttled_item(void **state)
{
    fake_answer("never", 200, "{}");
    answers[answer_count - 1] = answers[1];
    answers[1] = (struct answer){ "name=VPN&", 429, NULL, 1 };
    directory_bind(d, &config);
    run(3000);
    assert_string_equal(binding("VPN")->id, G1);    /* the batch is asked again as a whole */
    assert_int_equal(batches, 2 + 2);
    assert_int_equal(binding("Tier 0")->state, DIRECTORY_BOUND);
}

static void test_rebind(void **state)
{
    static struct config_group_rule other[] = { { TEXT(G2), { true, { NULL, 0 } } } };
    struct config second = { .references = 1, .entra.client_id = TEXT("app"), .policy = { .groups = other, .group_count = 1, .protect_directory_roles = true } };

    directory_bind(d, &config);
    run(2000);
    directory_bind(d, &second);
    assert_string_equal(binding("VPN")->id, G1);    /* the old one serves meanwhile */
    run(2000);
    assert_null(binding("VPN"));
    assert_string_equal(binding(G2)->id, G2);
    directory_free(d);
    assert_int_equal(second.references, 1);
    struct eb_err err;
    assert_true(directory_new(loop, NULL, NULL, NULL, &d, &err));
}

/* ---- look-ups ---- */

static struct directory_facts *facts;
static struct eb_err facts_err;

static void on_facts(void *ctx, uint64_t id, struct directory_facts *f, const struct eb_err *err)
{
    assert_int_equal(id, 77);
    facts = f;
    facts_err = err == NULL ? (struct eb_err){ 0 } : *err;
    eb_loop_stop(loop);
}

static void ask(const char *user, const char *group)
{
    struct directory_query q = { user, group };

    facts = NULL;
    facts_err.code = EB_OK;
    batches = batch_items = single_calls = 0;
    directory_look_up(d, &q, 5000, 77, on_facts, NULL);
    assert_null(facts);                             /* never inside the call */
    run(2000);
}

static const char ada[] = "{\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"userPrincipalName\":\"ada@x\",\"mail\":\"ada.l@x\",\"accountEnabled\":true,"
                          "\"onPremisesSyncEnabled\":null}";
static const char ada_list[] = "{\"value\":[{\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"userPrincipalName\":\"ada@x\",\"mail\":\"ada.l@x\","
                               "\"accountEnabled\":true,\"onPremisesSyncEnabled\":null}]}";
static const char nothing[] = "{\"value\":[]}";

struct look_case {
    const char *why, *user, *group;
    struct answer given[8];         /* beside the standard ones, and before them */
    bool found, ambiguous;
    enum policy_fact in_protected, role, role_group, role_owner, member, group_protected;
    int batches, items, pages;
    enum eb_code code;
};

#define OF_ALL "of=all"
#define ELIGIBLE_OF_ALL "roleEligibilityScheduleInstances?$select"
#define ELIGIBLE_OF(id) "roleEligibilityScheduleInstances?$filter=principalId%20eq%20'" id "'"
#define ROLE_GROUP(id) "{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" id "\",\"displayName\":\"R\",\"isAssignableToRole\":true}"

static const struct look_case look_cases[] = {
    { "by UPN", "ada@x", "VPN", { { 0 } }, true, false, NO, NO, NO, NO, NO, NO, 1, 9, 0, EB_OK },
    { "by id", U1, G1, { { 0 } }, true, false, NO, NO, NO, NO, NO, NO, 1, 8, 0, EB_OK },
    { "by mail: a second batch", "ada.l@x", "VPN", { { "mail=ada.l@x", 200, ada_list, 0 } }, true, false, NO, NO, NO, NO, NO, NO, 2, 12, 0, EB_OK },
    { "UPN and mail are one user", "ada@x", NULL, { { "mail=ada@x", 200, ada_list, 0 } }, true, false, NO, NO, NO, NO, OPEN, OPEN, 1, 6, 0, EB_OK },
    { "UPN and mail are two", "ada@x", NULL, { { "mail=ada@x", 200, "{\"value\":[{\"id\":\"" U2 "\"}]}", 0 } },
      false, true, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 6, 0, EB_OK },
    { "a mail of two", "both@x", NULL, { { "mail=both@x", 200, "{\"value\":[{\"id\":\"" U1 "\"},{\"id\":\"" U2 "\"}]}", 0 } },
      false, true, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 6, 0, EB_OK },
    { "nobody", "no@x", "VPN", { { 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, NO, 1, 9, 0, EB_OK },
    { "no form of a name", "ada", NULL, { { 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 0, 0, 0, EB_OK },
    { "two @", "a@b@c", NULL, { { 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 0, 0, 0, EB_OK },
    { "a group not listed is not read", U1, "Payroll", { { 0 } }, true, false, NO, NO, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "a member", U1, "VPN", { { U1 "/memberOf", 200, "{\"value\":[{\"id\":\"" G1 "\"}]}", 0 } }, true, false, NO, NO, NO, NO, YES, NO, 1, 8, 0, EB_OK },
    { "a member, on page two", U1, "VPN", { { U1 "/memberOf", 200, "{\"value\":[],\"@odata.nextLink\":\"page2\"}", 0 },
      { "page2", 200, "{\"value\":[{\"id\":\"" G1 "\"}]}", 0 } }, true, false, NO, NO, NO, NO, YES, NO, 1, 8, 1, EB_OK },
    { "a page without an end", U1, "VPN", { { U1 "/memberOf", 200, "{\"value\":[],\"@odata.nextLink\":\"page2\"}", 0 },
      { "page2", 200, "{\"value\":[],\"@odata.nextLink\":\"page2\"}", 0 } }, true, false, NO, NO, NO, NO, OPEN, NO, 1, 8, 49, EB_OK },
    { "protected by membership", U1, NULL, { { U1 "/transitiveMemberOf", 200,
      "{\"value\":[{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" P1 "\",\"displayName\":\"Tier 0\",\"isAssignableToRole\":null}]}", 0 } },
      true, false, YES, NO, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "holds a role by an assignment", U1, NULL, { { OF_ALL, 200, "{\"value\":[{\"id\":\"r\",\"principalId\":\"" U1 "\"}]}", 0 } },
      true, false, NO, YES, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "among the roles of others", "ada@x", NULL, { { OF_ALL, 200, "{\"value\":[{\"principalId\":\"" U2 "\"},{\"principalId\":\"" U1 "\"}]}", 0 } },
      true, false, NO, YES, NO, NO, OPEN, OPEN, 1, 6, 0, EB_OK },
    { "found by mail, with a role: the list of the first round counts", "ada.l@x", NULL, { { "mail=ada.l@x", 200, ada_list, 0 },
      { OF_ALL, 200, "{\"value\":[{\"principalId\":\"" U1 "\"}]}", 0 } }, true, false, NO, YES, NO, NO, OPEN, OPEN, 2, 8, 0, EB_OK },
    { "eligible", "ada@x", NULL, { { ELIGIBLE_OF_ALL, 200, "{\"value\":[{\"principalId\":\"" U1 "\"}]}", 0 } },
      true, false, NO, YES, NO, NO, OPEN, OPEN, 1, 6, 0, EB_OK },
    { "a role through a group", U1, NULL, { { U1 "/transitiveMemberOf", 200, "{\"value\":[" ROLE_GROUP(G2) "]}", 0 },
      { OF_ALL, 200, "{\"value\":[{\"principalId\":\"" G2 "\"}]}", 0 } }, true, false, NO, YES, YES, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "eligible through a group, found by mail", "ada.l@x", NULL, { { "mail=ada.l@x", 200, ada_list, 0 },
      { U1 "/transitiveMemberOf", 200, "{\"value\":[" ROLE_GROUP(G2) "]}", 0 },
      { ELIGIBLE_OF_ALL, 200, "{\"value\":[{\"principalId\":\"" G2 "\"}]}", 0 } }, true, false, NO, YES, YES, NO, OPEN, OPEN, 2, 8, 0, EB_OK },
    { "in a role-assignable group that has no role", U1, NULL, { { U1 "/transitiveMemberOf", 200, "{\"value\":[" ROLE_GROUP(G2) "]}", 0 } },
      true, false, NO, NO, YES, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "too many assignments to ride along", "ada@x", NULL, { { OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 },
      { "of=" U1, 200, "{\"value\":[{\"principalId\":\"" U1 "\"}]}", 0 } }, true, false, NO, YES, NO, NO, OPEN, OPEN, 2, 7, 0, EB_OK },
    { "too many, and none of this user", U1, NULL, { { OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 }, { "of=" U1, 200, nothing, 0 } },
      true, false, NO, NO, NO, NO, OPEN, OPEN, 2, 6, 0, EB_OK },
    { "too many of both, and of the group", U1, NULL, { { OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 },
      { ELIGIBLE_OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 }, { "of=", 200, nothing, 0 },
      { U1 "/transitiveMemberOf", 200, "{\"value\":[" ROLE_GROUP(G2) "]}", 0 },
      { ELIGIBLE_OF(G2), 200, "{\"value\":[{\"principalId\":\"" G2 "\"}]}", 0 }, { ELIGIBLE_OF(U1), 200, nothing, 0 } },
      true, false, NO, YES, YES, NO, OPEN, OPEN, 2, 9, 0, EB_OK },
    { "too many, found by mail: a third batch", "ada.l@x", NULL, { { "mail=ada.l@x", 200, ada_list, 0 },
      { OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 }, { "of=" U1, 200, nothing, 0 } },
      true, false, NO, NO, NO, NO, OPEN, OPEN, 3, 9, 0, EB_OK },
    { "seen already: nothing more is asked", U1, NULL, { { OF_ALL, 200, "{\"value\":[{\"principalId\":\"" U1 "\"}],\"@odata.nextLink\":\"more\"}", 0 } },
      true, false, NO, YES, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "too many, refused the second time", "ada@x", NULL, { { OF_ALL, 200, "{\"value\":[],\"@odata.nextLink\":\"more\"}", 0 },
      { "of=" U1, 403, NULL, 0 } }, true, false, NO, OPEN, NO, NO, OPEN, OPEN, 2, 7, 0, EB_OK },
    { "roles may not be read", U1, NULL, { { OF_ALL, 403, NULL, 0 } }, true, false, NO, OPEN, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "eligibilities may not be read", U1, NULL, { { ELIGIBLE_OF_ALL, 403, NULL, 0 } }, true, false, NO, OPEN, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "the tenant has no licence for eligibilities, and so none", U1, NULL, { { ELIGIBLE_OF_ALL, 400, "{\"error\":{\"code\":\"AadPremiumLicenseRequired\"}}", 0 } },
      true, false, NO, NO, NO, NO, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "owns a role-assignable group", U1, NULL, { { "/ownedObjects", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":\"R\",\"isAssignableToRole\":true}]}", 0 } },
      true, false, NO, NO, NO, YES, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "owns one, on page two", U1, NULL, { { "/ownedObjects", 200, "{\"value\":[{\"id\":\"" G1 "\",\"displayName\":\"O\",\"isAssignableToRole\":null}],"
      "\"@odata.nextLink\":\"page2\"}", 0 }, { "page2", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":\"R\",\"isAssignableToRole\":true}]}", 0 } },
      true, false, NO, NO, NO, YES, OPEN, OPEN, 1, 5, 1, EB_OK },
    { "owns a group that may not be read", U1, NULL, { { "/ownedObjects", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":null}]}", 0 } },
      true, false, NO, NO, NO, OPEN, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "owned groups may not be read", U1, NULL, { { "/ownedObjects", 403, NULL, 0 } }, true, false, NO, NO, NO, OPEN, OPEN, OPEN, 1, 5, 0, EB_OK },
    { "groups may not be read", U1, "VPN", { { "MemberOf", 403, NULL, 0 }, { "memberOf", 403, NULL, 0 } },
      true, false, OPEN, OPEN, OPEN, NO, OPEN, OPEN, 1, 8, 0, EB_OK },
    { "users may not be read", U1, NULL, { { "/users/" U1 "?", 403, NULL, 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 5, 0,
      EB_ENTRA_PERMISSION_MISSING },
    { "the group is nested in a protected one", U1, "VPN", { { G1 "/transitiveMemberOf", 200, "{\"value\":[{\"id\":\"" P1 "\"}]}", 0 } },
      true, false, NO, NO, NO, NO, NO, YES, 1, 8, 0, EB_OK },
    { "a read fails", U1, NULL, { { U1 "/transitiveMemberOf", 503, NULL, 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 5, 0,
      EB_ENTRA_UNAVAILABLE },
    { "garbage", U1, NULL, { { U1 "/transitiveMemberOf", 200, "{\"hello\":1}", 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 5, 0,
      EB_ENTRA_UNAVAILABLE },
    { "a user without an id", U1, NULL, { { "/users/" U1 "?", 200, "{\"displayName\":\"Ada\"}", 0 } }, false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN,
      1, 5, 0, EB_ENTRA_UNAVAILABLE },
    { "page two fails", U1, NULL, { { U1 "/transitiveMemberOf", 200, "{\"value\":[],\"@odata.nextLink\":\"page2\"}", 0 }, { "page2", 503, NULL, 0 } },
      false, false, OPEN, OPEN, OPEN, OPEN, OPEN, OPEN, 1, 5, 1, EB_ENTRA_UNAVAILABLE },
};

static void check_case(size_t i)
{
    const struct look_case *c = &look_cases[i];

    if (facts_err.code != c->code || (facts == NULL) != (c->code != EB_OK))
        fail_msg("case %zu (%s): %s %s", i, c->why, eb_code_text(facts_err.code), facts_err.text);
    if (batches != c->batches || batch_items != c->items || single_calls != c->pages)
        fail_msg("case %zu (%s): %d batches, %d items, %d pages", i, c->why, batches, batch_items, single_calls);
    if (facts == NULL)
        return;
    const struct policy_user *u = &facts->user;
    if (u->found != c->found || u->ambiguous != c->ambiguous || u->in_protected != c->in_protected || u->role_holder != c->role ||
        u->role_group_member != c->role_group || u->role_group_owner != c->role_owner || facts->member != c->member || facts->group.protected_ != c->group_protected)
        fail_msg("case %zu (%s): found %d ambiguous %d protected %d role %d role_group %d owner %d member %d group %d", i, c->why, u->found, u->ambiguous,
                 (int)u->in_protected, (int)u->role_holder, (int)u->role_group_member, (int)u->role_group_owner, (int)facts->member, (int)facts->group.protected_);
    if (c->found && (strcmp(u->id, U1) != 0 || strcmp(u->display_name, "Ada") != 0 || facts->account_enabled != YES || facts->user_json == NULL))
        fail_msg("case %zu (%s): the wrong user", i, c->why);
    assert_ptr_equal(facts->config, &config);
    directory_facts_free(facts);
}

static void test_look_up(void **state)
{
    directory_bind(d, &config);
    run(2000);
    for (size_t i = 0; i < EB_LEN(look_cases); i++) {
        answer_count = 0;
        for (size_t k = 0; look_cases[i].given[k].path != NULL; k++)
            answers[answer_count++] = look_cases[i].given[k];
        fake_answer("/users/" U1 "?", 200, ada);
        fake_answer("/users/ada@x?", 200, ada);
        fake_answer("/users?mail", 200, nothing);
        fake_answer("/users/no@x/", 404, NULL);
        fake_answer("/users/ada.l@x/", 404, NULL);
        fake_answer("emberOf?", 200, nothing);
        fake_answer("/groups/" G1 "?", 200, "{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}");
        fake_answer("/roleAssignments?of=all", 200, nothing);
        fake_answer(ELIGIBLE_OF_ALL, 200, nothing);
        fake_answer("/ownedObjects", 200, nothing);
        ask(look_cases[i].user, look_cases[i].group);
        check_case(i);
    }
}

/* The end of a membership is looked at by id, whatever the policy lists now; nothing else is. */
static void test_look_up_unlisted(void **state)
{
    struct directory_query q = { .user = U1, .group = "b0000000-0000-4000-8000-00000000000f", .any_group = true };

    directory_bind(d, &config);
    run(2000);
    for (int any = 0; any < 3; any++) {
        q.any_group = any > 0;
        if (any == 2)
            q.group = "Payroll";                    /* a name that is not listed means nothing */
        fake_answer("/users/" U1 "?", 200, ada);
        fake_answer("emberOf?", 200, nothing);
        fake_answer("/groups/b0000000-0000-4000-8000-00000000000f?", 200, "{\"id\":\"b0000000-0000-4000-8000-00000000000f\",\"displayName\":\"Payroll\"}");
        fake_answer("/roleAssignments", 200, nothing);
        facts = NULL;
        directory_look_up(d, &q, 5000, 77, on_facts, NULL);
        run(2000);
        assert_non_null(facts);
        assert_int_equal(facts->group.state, POLICY_GROUP_NOT_LISTED);
        assert_null(facts->group.rule);
        assert_int_equal(facts->group.found, any == 1);
        assert_string_equal(facts->group.name, any == 0 ? q.group : "Payroll");
        directory_facts_free(facts);
    }
}

static void test_look_up_unready(void **state)
{
    ask("ada@x", NULL);
    assert_int_equal(facts_err.code, EB_STARTING);
    assert_int_equal(batches, 0);
}

static void test_look_up_dropped(void **state)
{
    struct directory_query q = { "ada", NULL };

    directory_bind(d, &config);
    run(2000);
    facts_err.code = EB_OK;
    facts = NULL;
    directory_look_up(d, &q, 5000, 77, on_facts, NULL);
    directory_free(d);                              /* the look-up goes with it, uncalled */
    d = NULL;
    run(30);
    assert_null(facts);
    assert_int_equal(facts_err.code, EB_OK);
}

/* A protected name that was never found: nobody can be told to be outside of it. */
static void test_unfound_protects_all(void **state)
{
    answer_of("name=Tier 0&")->status = 404;
    directory_bind(d, &config);
    run(2000);
    fake_answer("/users/" U1 "?", 200, ada);
    fake_answer("emberOf?", 200, nothing);
    fake_answer("/groups/" G1 "?", 200, "{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}");
    fake_answer("/roleAssignments", 200, nothing);
    ask(U1, "VPN");
    assert_int_equal(facts->user.in_protected, OPEN);
    assert_int_equal(facts->group.protected_, OPEN);
    assert_int_equal(facts->user.named, NO);
    directory_facts_free(facts);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_bind), T(test_bind_moved), T(test_bind_not_found_then_found), T(test_bind_several), T(test_bind_away), T(test_bind_throttled_item),
        T(test_rebind), T(test_look_up), T(test_look_up_unlisted), T(test_look_up_unready), T(test_look_up_dropped), T(test_unfound_protects_all),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
