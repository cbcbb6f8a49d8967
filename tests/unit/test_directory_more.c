/* test_directory_more.c - what a look-up reads besides, the application's owners, separated duties, and people of Jira: against tables of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/bind.h"
#include "directory/owners.h"
#include "fake_clouds.h"

#define U1 "a0000000-0000-4000-8000-000000000001"
#define U2 "a0000000-0000-4000-8000-000000000002"
#define U3 "a0000000-0000-4000-8000-000000000003"
#define G1 "b0000000-0000-4000-8000-000000000001"
#define G2 "b0000000-0000-4000-8000-000000000002"
#define G3 "b0000000-0000-4000-8000-000000000003"
#define APP "e0000000-0000-4000-8000-000000000001"
#define SP "e0000000-0000-4000-8000-000000000002"

#define TEXT(s) ((char *)(uintptr_t)(s))
#define YES POLICY_YES
#define NO POLICY_NO
#define OPEN POLICY_UNKNOWN

static const char nothing[] = "{\"value\":[]}";
static const char ada[] = "{\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"userPrincipalName\":\"ada@x\",\"mail\":\"ada.l@x\",\"accountEnabled\":true,"
                          "\"onPremisesSyncEnabled\":null}";

static struct config_group_rule rules[] = { { .group = TEXT("VPN"), .projects = { .all = true }, .conditions = { .approvers = TEXT("Owners") } } };
static struct config config;
static struct directory *d;

static void stop(void *arg) { eb_loop_stop(loop); }
static void on_ready(void *ctx) { eb_loop_stop(loop); }

static void run(int64_t ms)
{
    struct eb_timer *t = eb_timer_new(loop, stop, NULL);

    eb_timer_set(t, ms);
    eb_loop_run(loop);
    eb_timer_free(t);
}

static void bind_names(void)
{
    fake_answer("credentials", 200, "{}");
    fake_answer("name=VPN&", 200, "{\"value\":[{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}]}");
    fake_answer("name=Owners&", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":\"Owners\"}]}");
    fake_answer("name=Payments&", 200, "{\"value\":[{\"id\":\"" G2 "\",\"displayName\":\"Payments\"}]}");
    fake_answer("name=", 200, nothing);
    fake_answer("/applications?$filter=appId%20eq%20'app'", 200, "{\"value\":[{\"id\":\"" APP "\"}]}");
    fake_answer("/servicePrincipals?$filter=appId", 200, "{\"value\":[{\"id\":\"" SP "\"}]}");
    fake_answer(APP "/owners", 200, nothing);
    fake_answer(SP "/owners", 200, nothing);
    directory_bind(d, &config);
    run(2000);
}

static int setup(void **state)
{
    struct eb_err err = { 0 };

    fake_reset();
    config = (struct config){ .references = 1, .entra.client_id = TEXT("app"),
                              .policy = { .groups = rules, .group_count = 1, .protect_directory_roles = true } };
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

/* ---- look-ups ---- */

static struct directory_facts *facts;
static struct eb_err facts_err;

static void on_facts(void *ctx, uint64_t id, struct directory_facts *f, const struct eb_err *err)
{
    facts = f;
    facts_err = err == NULL ? (struct eb_err){ 0 } : *err;
    eb_loop_stop(loop);
}

static void ask(const struct directory_query *q)
{
    fake_answer("/users/" U1 "?", 200, ada);
    fake_answer("/users/ada@x?", 200, ada);
    fake_answer("/users?mail", 200, nothing);
    fake_answer("emberOf?", 200, nothing);
    fake_answer("/groups/" G1 "?", 200, "{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}");
    fake_answer("/roleAssignments?of=all", 200, nothing);
    fake_answer("/roleManagement/directory/roleEligibilityScheduleInstances?$select", 200, nothing);
    fake_answer("/ownedObjects", 200, nothing);
    facts = NULL;
    batches = batch_items = single_calls = 0;
    directory_look_up(d, q, 5000, 77, on_facts, NULL);
    assert_null(facts);                             /* never inside the call */
    run(2000);
}

/* What a JSON of the facts should be; "" for one that is not there. */
static void expect(const json_t *have, const char *want, const char *what)
{
    char *text = have == NULL ? eb_strdup("") : json_dumps(have, JSON_COMPACT | JSON_ENCODE_ANY);

    if (strcmp(text, want) != 0)
        fail_msg("%s is %s, not %s", what, text, want);
    free(text);
}

static void test_everything_in_one_batch(void **state)
{
    static const char *const upns[] = { "new@x", "o'neil@x", NULL };
    struct directory_query q = { .user = "ada@x", .group = "VPN", .other = "bob@x", .select = "jobTitle,department", .upns = upns, .search = "a\"d\\a b",
                                 .wants = DIRECTORY_MANAGER | DIRECTORY_GROUPS | DIRECTORY_MEMBERS | DIRECTORY_SKUS | DIRECTORY_METHODS | DIRECTORY_PASSES };

    bind_names();
    fake_answer("/users/ada@x?$select=id,jobTitle,department", 200, "{\"id\":\"" U1 "\",\"jobTitle\":\"Analyst\",\"mobilePhone\":\"1\",\"department\":null}");
    fake_answer("/users/ada@x/manager?", 200, "{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" U2 "\",\"displayName\":\"Grace\",\"mobilePhone\":\"2\"}");
    fake_answer("/users/ada@x/memberOf?$select=id,displayName", 200, "{\"value\":[{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" G1 "\",\"displayName\":"
                "\"VPN\"},{\"@odata.type\":\"#microsoft.graph.administrativeUnit\",\"id\":\"" G2 "\"}]}");
    fake_answer("/groups/" G1 "/members?", 200, "{\"value\":[{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"phone\":\"3\"}]}");
    fake_answer("/subscribedSkus", 200, "{\"value\":[{\"id\":\"s\",\"skuPartNumber\":\"E5\",\"servicePlans\":[]}]}");
    fake_answer("/authentication/methods", 200, "{\"value\":[{\"@odata.type\":\"#microsoft.graph.phoneAuthenticationMethod\",\"id\":\"p\",\"phoneNumber\":\"+49\"}]}");
    fake_answer("/authentication/temporaryAccessPassMethods", 200, "{\"value\":[{\"id\":\"t\",\"temporaryAccessPass\":\"secret\",\"isUsable\":true}]}");
    fake_answer("/users/bob@x?", 200, "{\"id\":\"" U3 "\",\"displayName\":\"Bob\",\"userPrincipalName\":\"bob@x\",\"onPremisesSyncEnabled\":true}");
    fake_answer("userPrincipalName%20in%20('new%40x','o%27%27neil%40x')&", 200, "{\"value\":[{\"id\":\"" U2 "\",\"userPrincipalName\":\"new@x\"}]}");
    fake_answer("%22displayName%3Aa%5C%22d%5C%5Ca%20b%22%20OR%20%22userPrincipalName%3A", 200, "{\"value\":[{\"id\":\"" U1 "\",\"displayName\":\"Ada\","
                "\"jobTitle\":\"Analyst\",\"faxNumber\":\"4\"}],\"@odata.nextLink\":\"not followed\"}");
    ask(&q);
    assert_int_equal(batches, 1);
    assert_int_equal(batch_items, 18);
    assert_int_equal(single_calls, 0);
    assert_non_null(facts);
    expect(json_object_get(facts->user_json, "jobTitle"), "\"Analyst\"", "jobTitle");
    expect(json_object_get(facts->user_json, "department"), "null", "department");
    expect(json_object_get(facts->user_json, "mobilePhone"), "", "what was not asked for");
    expect(facts->manager_json, "{\"id\":\"" U2 "\",\"displayName\":\"Grace\"}", "manager");
    assert_true(facts->user.manager_told);
    assert_string_equal(facts->user.manager_id, U2);
    assert_string_equal(facts->user.mail, "ada.l@x");
    assert_int_equal(facts->member, YES);
    expect(facts->groups_json, "[{\"id\":\"" G1 "\",\"displayName\":\"VPN\"}]", "groups");
    expect(facts->members_json, "[{\"@odata.type\":\"#microsoft.graph.user\",\"id\":\"" U1 "\",\"displayName\":\"Ada\"}]", "members");
    expect(facts->skus_json, "[{\"id\":\"s\",\"skuPartNumber\":\"E5\"}]", "skus");
    expect(facts->methods_json, "[{\"@odata.type\":\"#microsoft.graph.phoneAuthenticationMethod\",\"id\":\"p\"}]", "methods, without the number");
    expect(facts->passes_json, "[{\"id\":\"t\",\"isUsable\":true}]", "passes, without the pass");
    expect(facts->taken_json, "[{\"id\":\"" U2 "\",\"userPrincipalName\":\"new@x\"}]", "taken");
    expect(facts->found_json, "[{\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"jobTitle\":\"Analyst\"}]", "found");
    assert_true(facts->has_other && facts->other.found);
    assert_string_equal(facts->other.id, U3);
    assert_int_equal(facts->other.synced, YES);
    directory_facts_free(facts);
}

/* What is refused, or not there, is not told; it takes nothing else away. */
static void test_not_told(void **state)
{
    struct directory_query q = { .user = U1, .group = "VPN", .select = "nonsense", .search = "a", .other = "nobody@x",
                                 .wants = DIRECTORY_MANAGER | DIRECTORY_GROUPS | DIRECTORY_MEMBERS | DIRECTORY_SKUS | DIRECTORY_METHODS | DIRECTORY_PASSES };

    bind_names();
    fake_answer("/users/" U1 "?$select=id,nonsense", 400, NULL);
    fake_answer("/manager", 403, NULL);
    fake_answer("/memberOf", 403, NULL);
    fake_answer("/members", 403, NULL);
    fake_answer("/subscribedSkus", 403, NULL);
    fake_answer("/authentication/", 403, NULL);
    fake_answer("$search", 403, NULL);
    ask(&q);
    assert_non_null(facts);
    assert_true(facts->user.found);
    assert_false(facts->user.manager_told);
    const json_t *none[] = { facts->manager_json, facts->groups_json, facts->members_json, facts->skus_json, facts->methods_json, facts->passes_json,
                             facts->taken_json, facts->found_json };
    for (size_t i = 0; i < EB_LEN(none); i++)
        assert_null(none[i]);
    assert_int_equal(facts->member, OPEN);
    assert_false(facts->other.found);
    directory_facts_free(facts);
}

static void test_no_manager(void **state)
{
    struct directory_query q = { .user = "ada@x", .wants = DIRECTORY_MANAGER };

    bind_names();
    ask(&q);                                        /* the fake answers 404 */
    assert_true(facts->user.manager_told);
    assert_null(facts->user.manager_id);
    expect(facts->manager_json, "null", "manager");
    directory_facts_free(facts);
}

static void test_by_mail_asks_by_id(void **state)
{
    struct directory_query q = { .user = "ada.l@x", .select = "jobTitle", .wants = DIRECTORY_MANAGER | DIRECTORY_METHODS };

    bind_names();
    fake_answer("/users/ada.l@x", 404, NULL);
    fake_answer("mail=ada.l@x", 200, "{\"value\":[{\"id\":\"" U1 "\",\"displayName\":\"Ada\",\"onPremisesSyncEnabled\":null}]}");
    fake_answer("/users/" U1 "?$select=id,jobTitle", 200, "{\"id\":\"" U1 "\",\"jobTitle\":\"Analyst\"}");
    fake_answer("/users/" U1 "/manager", 200, "{\"id\":\"" U2 "\"}");
    fake_answer("/users/" U1 "/authentication/methods", 200, nothing);
    ask(&q);
    assert_int_equal(batches, 2);
    assert_int_equal(batch_items, 9 + 5);
    assert_string_equal(facts->user.manager_id, U2);
    expect(facts->methods_json, "[]", "methods");
    expect(json_object_get(facts->user_json, "jobTitle"), "\"Analyst\"", "jobTitle");
    directory_facts_free(facts);
}

/* A long list is cut, and its membership is read on to its end. */
static void test_lists_are_cut(void **state)
{
    struct directory_query q = { .user = U1, .group = "VPN", .wants = DIRECTORY_GROUPS | DIRECTORY_MEMBERS };
    struct eb_buf page = EB_BUF(KiB(512));

    bind_names();
    eb_buf_str(&page, "{\"@odata.nextLink\":\"more\",\"value\":[");
    for (int i = 0; i < DIRECTORY_LIST_MAX + 1; i++)
        eb_buf_addf(&page, "%s{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"c0000000-0000-4000-8000-%012d\"}", i > 0 ? "," : "", i);
    eb_buf_str(&page, "]}");
    fake_answer("/memberOf?", 200, page.data);
    fake_answer("/members?", 200, page.data);
    fake_answer("more", 200, "{\"value\":[{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" G1 "\"}]}");
    ask(&q);
    assert_true(facts->groups_cut && facts->members_cut);
    assert_int_equal(json_array_size(facts->groups_json), DIRECTORY_LIST_MAX);
    assert_int_equal(json_array_size(facts->members_json), DIRECTORY_LIST_MAX);
    assert_int_equal(facts->member, YES);
    assert_int_equal(single_calls, 1);
    directory_facts_free(facts);
    eb_buf_free(&page);
}

#define BIN(id, upn) "{\"id\":\"" id "\",\"displayName\":\"Gone\",\"userPrincipalName\":\"" upn "\",\"onPremisesSyncEnabled\":null,\"deletedDateTime\":\"t\"}"
#define HEX1 "a0000000000040008000000000000001"

static void test_deleted(void **state)
{
    static const struct { const char *user, *body, *upn; bool found, ambiguous; const char *why; } cases[] = {
        { U1, "{\"value\":[" BIN(U1, HEX1 "ada@x") "]}", "ada@x", true, false, "by id; Graph puts the id before the UPN" },
        { "ADA@x", "{\"value\":[" BIN(U1, HEX1 "ada@x") "]}", "ada@x", true, false, "by the UPN that it had" },
        { "ada@x", "{\"value\":[" BIN(U1, HEX1 "lada@x") "," BIN(U2, "ada@x") "]}", "ada@x", true, false, "another's ends in it too" },
        { "ada@x", "{\"value\":[" BIN(U1, HEX1 "lada@x") "]}", NULL, false, false, "only another's ends in it" },
        { "ada@x", "{\"value\":[" BIN(U1, HEX1 "ada@x") "," BIN(U2, "ada@x") "]}", NULL, false, true, "deleted twice" },
        { "ada@x", "{\"value\":[]}", NULL, false, false, "none" },
    };

    bind_names();
    size_t before = answer_count;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct directory_query q = { .user = cases[i].user, .wants = DIRECTORY_DELETED };
        answer_count = before;
        fake_answer("/directory/deletedItems/microsoft.graph.user?$filter=", 200, cases[i].body);
        ask(&q);
        if (facts == NULL || facts->user.found != cases[i].found || facts->user.ambiguous != cases[i].ambiguous)
            fail_msg("case %zu (%s): %s", i, cases[i].why, facts_err.text);
        if (cases[i].upn != NULL) {
            assert_string_equal(facts->user.upn, cases[i].upn);
            assert_int_equal(facts->user.in_protected, NO);     /* nothing is */
            assert_int_equal(facts->user.role_holder, OPEN);    /* Graph does not tell what a deleted user is a member of */
            assert_int_equal(facts->user.role_group_owner, OPEN);
            expect(json_object_get(facts->user_json, "deletedDateTime"), "\"t\"", "when");
        }
        assert_int_equal(batch_items, 3);           /* the bin, and the roles of all */
        directory_facts_free(facts);
    }
}

/* ---- separated duties ---- */

#define GROUP(id) "{\"@odata.type\":\"#microsoft.graph.group\",\"id\":\"" id "\",\"displayName\":\"G\",\"isAssignableToRole\":null}"

static void test_duties(void **state)
{
    static char *by_name[] = { TEXT("VPN"), TEXT("Payments") }, *by_id[] = { TEXT("VPN"), TEXT(G1), TEXT(G3) }, *lost[] = { TEXT("Lost"), TEXT(G3) };
    static const struct { char **names; size_t count; const char *of_user, *of_group; enum policy_fact conflict; const char *text, *why; } cases[] = {
        { by_name, 2, "", "", NO, NULL, "holds neither" },
        { by_name, 2, GROUP(G2), "", YES, "Payments", "holds the other" },
        { by_name, 2, GROUP(G1), "", NO, NULL, "is in the group itself already" },
        { by_id, 3, GROUP(G1), "", NO, NULL, "one group under two names is not two" },
        { by_id, 3, GROUP(G3), "", YES, G3, "by id" },
        { &by_name[1], 1, GROUP(G2), "", NO, NULL, "an entry without the group" },
        { by_name, 2, NULL, "", OPEN, NULL, "the user's groups may not be read" },
        { by_name, 2, GROUP(G2), NULL, YES, "Payments", "the group's may not, but it is seen" },
        { by_name, 2, "", NULL, OPEN, NULL, "the group's may not, and it could be nested in one" },
        { lost, 2, "", "", OPEN, NULL, "a name that fits none could be anybody's" },
        { lost, 2, GROUP(G3), "", OPEN, NULL, "and could be this group" },
        { lost, 2, GROUP(G3), GROUP(G3), OPEN, NULL, "nested in a group that the user is in" },
        { &by_id[1], 2, "", GROUP(G3), YES, G3, "who is added to a group holds also what it is nested in" },
        { &by_id[1], 2, "", GROUP(G2), NO, NULL, "nested in another" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct config_duty duty = { { cases[i].names, cases[i].count } };
        struct directory_query q = { .user = U1, .group = "VPN" };
        char *page[2] = { NULL, NULL };
        config.policy.duties = &duty;
        config.policy.duty_count = 1;
        bind_names();
        for (int k = 0; k < 2; k++) {
            const char *items = k == 0 ? cases[i].of_user : cases[i].of_group;
            page[k] = items == NULL ? NULL : eb_asprintf("{\"value\":[%s]}", items);
            fake_answer(k == 0 ? "/users/" U1 "/transitiveMemberOf" : "/groups/" G1 "/transitiveMemberOf", items == NULL ? 403 : 200, page[k]);
        }
        ask(&q);
        const struct policy_user *u = &facts->user;
        bool same = (u->duty_group == NULL) == (cases[i].text == NULL) && (u->duty_group == NULL || strcmp(u->duty_group, cases[i].text) == 0);
        if (u->duty_conflict != cases[i].conflict || !same)
            fail_msg("case %zu (%s): %d by %s", i, cases[i].why, (int)u->duty_conflict, u->duty_group == NULL ? "none" : u->duty_group);
        directory_facts_free(facts);
        free(page[0]);
        free(page[1]);
        assert_int_equal(teardown(state), 0);
        setup(state);
    }
}

/* ---- the application's owners ---- */

static struct answer *answer_of(const char *path)
{
    for (size_t i = 0; i < answer_count; i++)
        if (strcmp(answers[i].path, path) == 0)
            return &answers[i];
    return NULL;
}

static void test_owners(void **state)
{
    bind_names();
    assert_int_equal(owners_fact(d->owners, U1), NO);
    answer_of(SP "/owners")->body = "{\"value\":[{\"id\":\"" U2 "\"}],\"@odata.nextLink\":\"more owners\"}";
    fake_answer("more owners", 200, "{\"value\":[{\"id\":\"A0000000-0000-4000-8000-000000000001\"}]}");
    owners_read(d->owners, "app");
    assert_int_equal(owners_fact(d->owners, U1), NO);       /* until the reading has come to its end */
    run(50);
    assert_int_equal(owners_fact(d->owners, U1), YES);
    assert_int_equal(owners_fact(d->owners, U2), YES);
    assert_int_equal(owners_fact(d->owners, U3), NO);
    answer_of("more owners")->status = 503;         /* half a list does not count */
    answer_of(SP "/owners")->body = "{\"value\":[],\"@odata.nextLink\":\"more owners\"}";
    owners_read(d->owners, "app");
    run(50);
    assert_int_equal(owners_fact(d->owners, U2), YES);
    answer_of(APP "/owners")->status = 403;
    owners_read(d->owners, "app");
    run(50);
    assert_int_equal(owners_fact(d->owners, U2), YES);
}

/* Where they may not be read the service is ready, and who is one is unknown. */
static void test_owners_untold(void **state)
{
    static const struct { const char *path; int status; const char *body; bool ready; const char *why; } cases[] = {
        { "/applications?$filter=appId%20eq%20'app'", 403, NULL, true, "no permission" },
        { APP "/owners", 403, NULL, true, "no permission for the second half" },
        { "/servicePrincipals?$filter=appId", 503, NULL, false, "away" },
        { SP "/owners", 200, "{}", false, "no list" },
    };

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct directory_query q = { .user = U1 };
        struct eb_err err = { 0 };
        fake_answer(cases[i].path, cases[i].status, cases[i].body);
        bind_names();
        if (directory_ready(d, &err) != cases[i].ready)
            fail_msg("case %zu (%s): %s", i, cases[i].why, err.text);
        assert_int_equal(owners_fact(d->owners, U1), OPEN);
        if (cases[i].ready) {
            ask(&q);
            assert_int_equal(facts->user.app_owner, OPEN);
            directory_facts_free(facts);
        }
        assert_int_equal(teardown(state), 0);
        setup(state);
    }
    answer_count = 0;
    fake_answer("/applications?$filter=appId", 200, nothing);
    fake_answer("/servicePrincipals?$filter=appId", 200, nothing);
    bind_names();
    assert_true(directory_ready(d, NULL));
    assert_int_equal(owners_fact(d->owners, U1), OPEN);     /* we are nobody here */
}

/* ---- people of Jira ---- */

static struct directory_person people[DIRECTORY_PEOPLE_MAX];
static size_t people_count;
static struct eb_err people_err;

static void on_people(void *ctx, uint64_t id, const struct directory_person *p, size_t count, const struct eb_err *err)
{
    assert_int_equal(id, 78);
    people_count = count;
    people_err = err == NULL ? (struct eb_err){ 0 } : *err;
    if (count > 0)
        memcpy(people, p, count * sizeof(*p));
    eb_loop_stop(loop);
}

static void match(const struct directory_people_query *q)
{
    people_count = 99;
    batches = batch_items = single_calls = 0;
    directory_match_people(d, q, 5000, 78, on_people, NULL);
    assert_int_equal(people_count, 99);             /* never inside the call */
    run(2000);
}

#define PERSON(id, type, enabled) "{\"id\":\"" id "\",\"displayName\":\"P\",\"mail\":\"p@x\",\"userPrincipalName\":\"u@x\",\"otherMails\":[\"o@x\"],\"userType\":" \
                                  type ",\"accountEnabled\":" enabled "}"
#define MEMBER "\"Member\""
#define GUEST "\"Guest\""

static void test_match(void **state)
{
    static const struct { const char *email, *list; enum policy_match match; const char *why; } cases[] = {
        { "p@x", PERSON(U1, MEMBER, "true"), POLICY_MATCHED, "by mail" },
        { "P@X", PERSON(U1, MEMBER, "true"), POLICY_MATCHED, "case does not count" },
        { "u@x", PERSON(U1, MEMBER, "true"), POLICY_MATCHED, "by UPN" },
        { "o@x", PERSON(U1, MEMBER, "true"), POLICY_MATCHED, "by another mail" },
        { "q@x", PERSON(U1, MEMBER, "true"), POLICY_MATCH_NONE, "found by a looser comparison than ours" },
        { "p@x", "", POLICY_MATCH_NONE, "nobody" },
        { "p@x", PERSON(U1, MEMBER, "true") "," PERSON(U2, MEMBER, "true"), POLICY_MATCH_SEVERAL, "two" },
        { "p@x", PERSON(U1, MEMBER, "true") "," PERSON(U1, MEMBER, "true"), POLICY_MATCHED, "one, told twice" },
        { "p@x", PERSON(U1, MEMBER, "true") "," PERSON(U2, GUEST, "true"), POLICY_MATCHED, "a guest beside the member" },
        { "p@x", PERSON(U1, GUEST, "true") "," PERSON(U2, GUEST, "true"), POLICY_MATCH_GUEST, "guests only" },
        { "p@x", PERSON(U1, MEMBER, "false"), POLICY_MATCH_DISABLED, "a disabled account approves nothing" },
        { "p@x", PERSON(U1, MEMBER, "false") "," PERSON(U2, MEMBER, "true"), POLICY_MATCH_SEVERAL, "which of them is meant is not clear" },
        { "p@x", PERSON(U1, MEMBER, "null"), POLICY_MATCH_UNKNOWN, "not told whether it is enabled" },
        { "p@x", PERSON(U1, "null", "true"), POLICY_MATCHED, "an old account without a type" },
        { "p@x", "{\"id\":\"" U1 "\",\"mail\":\"p@x\",\"userType\":null,\"accountEnabled\":true,\"userPrincipalName\":\"p_x#EXT#@y\"}", POLICY_MATCH_GUEST,
          "an old guest without a type" },
        { "p@x", "{\"id\":\"" U1 "\",\"mail\":\"p@x\",\"userPrincipalName\":\"u@x\",\"accountEnabled\":true}", POLICY_MATCH_UNKNOWN, "its type was not told" },
        { "p@x", PERSON(U1, MEMBER, "true") ",{\"id\":\"" U2 "\"}", POLICY_MATCH_UNKNOWN, "somebody who may not be read could be a second one" },
        { "p@x", "{\"id\":\"../x\",\"mail\":\"p@x\",\"userType\":\"Member\",\"accountEnabled\":true}", POLICY_MATCH_NONE, "an id must be an id" },
        { "", "", POLICY_MATCH_NO_EMAIL, "an empty address" },
        { NULL, "", POLICY_MATCH_NO_EMAIL, "none" },
        { "p", PERSON(U1, MEMBER, "true"), POLICY_MATCH_NONE, "no address" },
    };

    bind_names();
    size_t before = answer_count;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct directory_people_query q = { .emails = { cases[i].email }, .count = 1 };
        char *page = eb_asprintf("{\"value\":[%s]}", cases[i].list);
        answer_count = before;
        fake_answer("otherMails/any(m:m%20eq%20'", 200, page);
        match(&q);
        if (people_count != 1 || people[0].match != cases[i].match || (people[0].user_id[0] != '\0') != (cases[i].match == POLICY_MATCHED))
            fail_msg("case %zu (%s): %zu, match %d, %s", i, cases[i].why, people_count, (int)people[0].match, people_err.text);
        free(page);
    }
}

static void test_match_several_people_and_groups(void **state)
{
    struct directory_people_query q = { .emails = { "o'neil@x", NULL, "p@x", "no@x" }, .count = 4, .groups = { NULL, "Owners", "Nowhere" } };

    bind_names();
    fake_answer("mail%20eq%20'o%27%27neil%40x'%20or%20userPrincipalName%20eq%20'o%27%27neil%40x'%20or%20otherMails/any(m:m%20eq%20'o%27%27neil%40x')&", 200,
                "{\"value\":[{\"id\":\"" U2 "\",\"displayName\":\"Miles\",\"mail\":\"o'neil@x\",\"userType\":\"Member\",\"accountEnabled\":true}]}");
    fake_answer("mail%20eq%20'p%40x'", 200, "{\"value\":[" PERSON(U1, MEMBER, "true") "]}");
    fake_answer("mail%20eq%20'no%40x'", 200, nothing);
    fake_answer("/users/" U2 "/transitiveMemberOf", 200, "{\"value\":[],\"@odata.nextLink\":\"miles page 2\"}");
    fake_answer("miles page 2", 200, "{\"value\":[{\"id\":\"" G2 "\"}]}");
    fake_answer("/users/" U1 "/transitiveMemberOf", 200, "{\"value\":[{\"id\":\"" G1 "\"}]}");
    match(&q);
    assert_int_equal(people_count, 4);
    assert_int_equal(batches, 2);
    assert_int_equal(batch_items, 3 + 2);
    assert_int_equal(single_calls, 1);
    assert_string_equal(people[0].user_id, U2);
    assert_string_equal(people[0].display_name, "Miles");
    assert_int_equal(people[0].in_group[0], OPEN);          /* not asked */
    assert_int_equal(people[0].in_group[1], YES);
    assert_int_equal(people[0].in_group[2], OPEN);          /* a name that the policy does not have */
    assert_int_equal(people[1].match, POLICY_MATCH_NO_EMAIL);
    assert_int_equal(people[2].in_group[1], NO);
    assert_int_equal(people[3].match, POLICY_MATCH_NONE);
    assert_int_equal(people[3].in_group[1], OPEN);
}

static void test_match_fails(void **state)
{
    static const struct { const char *path; int status; const char *body; enum eb_code code; enum policy_match match; const char *why; } cases[] = {
        { "otherMails", 403, NULL, EB_ENTRA_PERMISSION_MISSING, 0, "users may not be read" },
        { "otherMails", 503, NULL, EB_ENTRA_UNAVAILABLE, 0, "away" },
        { "otherMails", 200, "{}", EB_ENTRA_UNAVAILABLE, 0, "no list" },
        { "otherMails", 400, NULL, EB_OK, POLICY_MATCH_UNKNOWN, "Graph cannot answer that" },
        { "/transitiveMemberOf", 503, NULL, EB_ENTRA_UNAVAILABLE, 0, "away, the second time" },
        { "/transitiveMemberOf", 403, NULL, EB_OK, POLICY_MATCHED, "groups may not be read" },
        { "/transitiveMemberOf", 200, "{\"value\":[],\"@odata.nextLink\":\"for ever\"}", EB_OK, POLICY_MATCHED, "a list without an end" },
    };
    struct directory_people_query q = { .emails = { "p@x" }, .count = 1, .groups = { "Owners" } };

    match(&q);
    assert_int_equal(people_err.code, EB_STARTING);
    bind_names();
    size_t before = answer_count;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        answer_count = before;
        fake_answer(cases[i].path, cases[i].status, cases[i].body);
        fake_answer("otherMails", 200, "{\"value\":[" PERSON(U1, MEMBER, "true") "]}");
        fake_answer("for ever", 200, "{\"value\":[],\"@odata.nextLink\":\"for ever\"}");
        match(&q);
        if (people_err.code != cases[i].code || (cases[i].code == EB_OK && (people[0].match != cases[i].match || people[0].in_group[0] != OPEN)))
            fail_msg("case %zu (%s): %s, match %d", i, cases[i].why, people_err.text, (int)people[0].match);
    }
}

static void test_match_dropped(void **state)
{
    struct directory_people_query q = { .emails = { NULL }, .count = 1 };

    bind_names();
    people_count = 99;
    directory_match_people(d, &q, 5000, 78, on_people, NULL);
    directory_free(d);                              /* it goes with it, uncalled */
    d = NULL;
    run(30);
    assert_int_equal(people_count, 99);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_everything_in_one_batch), T(test_not_told), T(test_no_manager), T(test_by_mail_asks_by_id), T(test_lists_are_cut), T(test_deleted),
        T(test_duties), T(test_owners), T(test_owners_untold), T(test_match), T(test_match_several_people_and_groups), T(test_match_fails),
        T(test_match_dropped),
    };
    eb_log_setup(EB_LOG_ERROR, EB_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
