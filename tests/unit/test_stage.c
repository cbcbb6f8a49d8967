/* test_stage.c - what the staging file says about the source: what is dirty, what goes, who is whose account, who is in which groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage_fixture.h"

/* ---- what a change makes dirty ---- */

/* Before each case: users u1 (manager boss), u2, boss; groups g1 (members u1, g2; owner u2) and g2 (member u2); all clean, in scope but g2. */
static void world(void)
{
    put(STAGE_USER, "u1", "1");
    put(STAGE_USER, "u2", "1");
    put(STAGE_USER, "boss", "1");
    put(STAGE_GROUP, "g1", "1");
    put(STAGE_GROUP, "g2", "1");
    link_put("u1", STAGE_MANAGER, "boss");
    link_put("g1", STAGE_MEMBER, "u1");
    link_put("g1", STAGE_MEMBER, "g2");
    link_put("g1", STAGE_OWNER, "u2");
    link_put("g2", STAGE_MEMBER, "u2");
    static const char *const in_scope[] = { "u1", "u2", "boss", "g1" };
    for (size_t i = 0; i < EB_LEN(in_scope); i++)
        FX_OK(stage_scope_set(db, number(in_scope[i]), true, &fx_err));
    clean();
}

static void nothing(void) { put(STAGE_USER, "u1", "1"); link_put("g1", STAGE_MEMBER, "u1"); link_put("g1", STAGE_OWNER, "u2"); }
static void same_manager(void) { FX_OK(stage_link_set(db, "u1", STAGE_MANAGER, "boss", 1, &fx_err)); }
static void raw_changes(void) { put(STAGE_USER, "u1", "2"); }
static void boss_changes(void) { put(STAGE_USER, "boss", "2"); }
static void mail_changes(void) { put_with_mail("u1", "1", "new@x", NULL); }
static void user_comes(void) { put(STAGE_USER, "u3", "1"); }
static void member_comes(void) { link_put("g1", STAGE_MEMBER, "u2"); }
static void member_goes(void) { FX_OK(stage_link_remove(db, "g1", STAGE_MEMBER, "u1", &fx_err)); }
static void no_member_goes(void) { FX_OK(stage_link_remove(db, "g1", STAGE_MEMBER, "boss", &fx_err)); }
static void of_nobody(void) { FX_OK(stage_link_remove(db, "none", STAGE_MEMBER, "nobody", &fx_err)); }
static void owner_comes(void) { link_put("g1", STAGE_OWNER, "u1"); }
static void owner_goes(void) { FX_OK(stage_link_remove(db, "g1", STAGE_OWNER, "u2", &fx_err)); }
static void manager_changes(void) { FX_OK(stage_link_set(db, "u1", STAGE_MANAGER, "u2", 1, &fx_err)); }
static void manager_goes(void) { FX_OK(stage_link_set(db, "u1", STAGE_MANAGER, NULL, 1, &fx_err)); }
static void no_manager(void) { FX_OK(stage_link_set(db, "u2", STAGE_MANAGER, NULL, 1, &fx_err)); }
static void manager_unknown(void) { FX_OK(stage_link_set(db, "u1", STAGE_MANAGER, "later", 1, &fx_err)); }
static void group_in_scope(void) { FX_OK(stage_scope_set(db, number("g2"), true, &fx_err)); }
static void boss_out_of_scope(void) { FX_OK(stage_scope_set(db, number("boss"), false, &fx_err)); }
static void scope_as_it_was(void) { FX_OK(stage_scope_set(db, number("boss"), true, &fx_err)); }
static void group_goes(void) { FX_OK(stage_object_remove(db, "g1", &fx_err)); }
static void boss_goes(void) { FX_OK(stage_object_remove(db, "boss", &fx_err)); }
static void unknown_goes(void) { FX_OK(stage_object_remove(db, "nobody", &fx_err)); }
static void everything(void) { FX_OK(stage_dirty_all(db, &fx_err)); }
static void member_read_later(void) { link_put("g1", STAGE_MEMBER, "late"); clean(); put(STAGE_USER, "late", "1"); }
static void member_not_read(void) { link_put("g1", STAGE_MEMBER, "late"); }

static void test_dirty(void **state)
{
    static const struct { void (*change)(void); const char *dirty, *why; } cases[] = {
        { nothing,           "",                 "the same again changes nothing" },
        { same_manager,      "",                 "a manager set again" },
        { raw_changes,       "u1",               "what an object says shows at itself only" },
        { boss_changes,      "boss",             "reports show who their manager is, not what it says" },
        { mail_changes,      "u1",               "another account may fit" },
        { user_comes,        "u3",               "nobody knows it yet" },
        { member_comes,      "u2",               "members show their groups, groups no members" },
        { member_goes,       "u1",               "likewise" },
        { no_member_goes,    "",                 "there was no such link" },
        { of_nobody,         "",                 "neither end is known" },
        { owner_comes,       "u1",               "owners show their groups" },
        { owner_goes,        "u2",               "likewise" },
        { manager_changes,   "u1",               "a user shows its manager" },
        { manager_goes,      "u1",               "likewise" },
        { no_manager,        "",                 "it had none" },
        { manager_unknown,   "u1",               "who is not read yet is not judged" },
        { group_in_scope,    "u2 g1",            "its members name it, and who contains it is a neighbour too" },
        { boss_out_of_scope, "u1",               "the manager is not to be referred to any more" },
        { scope_as_it_was,   "",                 "no change" },
        { group_goes,        "u1 u2 g2",         "members, owner, nested group" },
        { boss_goes,         "u1",               "its report" },
        { unknown_goes,      "",                 "not there: fine" },
        { everything,        "u1 u2 boss g1 g2", "another configuration" },
        { member_read_later, "late g1",          "a name that gets its object: as a new one, with neighbours" },
        { member_not_read,   "",                 "a name without an object is not judged" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        renew();
        world();
        cases[i].change();
        if (!eb_streq(dirty(), cases[i].dirty))
            fail_msg("case %zu (%s): dirty are \"%s\", not \"%s\"", i, cases[i].why, dirty(), cases[i].dirty);
    }
}

static bool clean_one(void *ctx, const struct stage_object *o)
{
    (void)ctx;
    FX_OK(stage_clean(db, o->kind, o->n - 1, o->n, &fx_err));
    FX_OK(stage_scope_set(db, o->n, true, &fx_err));
    note(o->id);
    return true;
}

static void test_walk_changes_what_it_tells(void **state)
{
    (void)state;
    world();
    FX_OK(stage_dirty_all(db, &fx_err));
    seen[0] = '\0';
    FX_OK(stage_dirty_each(db, STAGE_GROUP, 0, 10, clean_one, NULL, &fx_err));
    assert_string_equal(seen, "g1 g2");
    FX_OK(stage_dirty_each(db, STAGE_USER, 0, 2, clean_one, NULL, &fx_err));
    assert_string_equal(seen, "g1 g2 u1 u2");           /* two at most */
    int64_t count = -1;
    FX_OK(stage_dirty_count(db, STAGE_USER, &count, &fx_err));
    assert_int_equal(count, 1);
    assert_string_equal(dirty(), "boss g1");            /* g2 came into scope: g1 contains it */
}

static bool news(void)
{
    bool told;

    FX_OK(stage_news(db, &told, &fx_err));
    FX_OK(stage_news_taken(db, &fx_err));
    return told;
}

/* Sums over everything are reckoned where there is news: none may be missed. */
static void test_news(void **state)
{
    (void)state;
    world();
    clean();
    assert_true(news());
    assert_false(news());                               /* taken */
    put(STAGE_USER, "u1", "other");
    assert_false(news());                               /* dirty, but not judged yet */
    clean();
    assert_true(news());
    FX_OK(stage_object_remove(db, "u2", &fx_err));
    assert_true(news());
    FX_OK(stage_account_put(db, &(struct stage_account){ .id = "a", .mail = "nobody@x", .name = "N", .active = true }, 1, &fx_err));
    assert_true(news());
    FX_OK(stage_account_put(db, &(struct stage_account){ .id = "a", .mail = "nobody@x", .name = "N", .active = true }, 2, &fx_err));
    assert_false(news());                               /* as it was */
    FX_OK(stage_account_sweep(db, 2, NULL, &fx_err));
    assert_false(news());
    FX_OK(stage_account_sweep(db, 3, NULL, &fx_err));
    assert_true(news());
}

/* While everything is dirty nobody need be marked; once the first was judged, neighbours are again. */
static void test_all_dirty(void **state)
{
    (void)state;
    world();
    FX_OK(stage_dirty_all(db, &fx_err));
    FX_OK(stage_scope_set(db, number("boss"), false, &fx_err));
    put(STAGE_USER, "new", "1");
    assert_non_null(strstr(dirty(), "new"));            /* who came after that is dirty by itself */
    clean();
    FX_OK(stage_scope_set(db, number("boss"), true, &fx_err));
    assert_non_null(strstr(dirty(), "u1"));             /* whose manager it is */
}

/* ---- links ---- */

static const char *from(const char *id, enum stage_relation r, bool all)
{
    seen[0] = '\0';
    FX_OK(stage_links_from(db, number(id), r, all, see_id, NULL, &fx_err));
    return seen;
}

static const char *to(const char *id, enum stage_relation r, bool all)
{
    seen[0] = '\0';
    FX_OK(stage_links_to(db, number(id), r, all, see_id, NULL, &fx_err));
    return seen;
}

static void test_links(void **state)
{
    char *raw;

    (void)state;
    world();
    assert_string_equal(to("u2", STAGE_MEMBER, false), "");             /* g2 is not in scope */
    assert_string_equal(to("u2", STAGE_MEMBER, true), "g2");
    assert_string_equal(from("g1", STAGE_MEMBER, true), "g2 u1");       /* by id */
    assert_string_equal(from("g1", STAGE_OWNER, false), "u2");
    assert_string_equal(from("u1", STAGE_MANAGER, false), "boss");
    link_put("g1", STAGE_MEMBER, "device");
    assert_string_equal(from("g1", STAGE_MEMBER, false), "u1");
    assert_string_equal(from("g1", STAGE_MEMBER, true), "device g2 u1");
    FX_OK(stage_object_raw(db, "device", &raw, &fx_err));
    assert_null(raw);
    FX_OK(stage_object_raw(db, "u1", &raw, &fx_err));
    assert_string_equal(raw, "1");
    free(raw);
    FX_OK(stage_link_set(db, "g1", STAGE_MEMBER, "u2", 1, &fx_err));    /* the only one */
    assert_string_equal(from("g1", STAGE_MEMBER, true), "u2");
    FX_OK(stage_object_remove(db, "u2", &fx_err));
    put(STAGE_USER, "u2", "1");                                         /* comes back without what it had */
    assert_string_equal(to("u2", STAGE_MEMBER, true), "");
    assert_string_equal(from("g1", STAGE_OWNER, true), "");
    assert_false(stage_object_put(db, &(struct stage_object){ .kind = STAGE_GROUP, .id = "u1", .raw = "1" }, 1, &fx_err));     /* a user */
}

static void test_guids_are_ids(void **state)
{
    static const char *const ids[] = { "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddee00",
                                       "00112233445566778899aabbccddeeff", "short" };
    char raw[8], *got;

    (void)state;
    for (size_t i = 0; i < EB_LEN(ids); i++) {
        snprintf(raw, sizeof raw, "%zu", i);
        put(STAGE_USER, ids[i], raw);
    }
    for (size_t i = 0; i < EB_LEN(ids); i++) {
        snprintf(raw, sizeof raw, "%zu", i);
        FX_OK(stage_object_raw(db, ids[i], &got, &fx_err));
        assert_string_equal(got, raw);
        free(got);
    }
}

/* ---- full reads ---- */

static const char *sweep(enum stage_kind kind, int64_t now, int64_t removed)
{
    int64_t n = -1;

    clean();
    FX_OK(stage_sweep(db, kind, now, &n, &fx_err));
    assert_int_equal(n, removed);
    return dirty();
}

static int64_t count(enum stage_kind kind)
{
    int64_t n = -1;

    FX_OK(stage_object_count(db, kind, &n, &fx_err));
    return n;
}

static void test_sweep(void **state)
{
    (void)state;
    world();
    assert_string_equal(sweep(STAGE_USER, 1, 0), "");       /* all were seen */
    generation = 2;
    put(STAGE_USER, "u1", "1");
    put(STAGE_USER, "boss", "1");
    link_put("u1", STAGE_MANAGER, "boss");
    wanted_put(STAGE_USER, "u2", "h", false);
    assert_string_equal(sweep(STAGE_USER, 2, 1), "g1 g2");  /* u2 goes: its groups and what it owns */
    assert_int_equal(wanted_count(STAGE_USER), 0);
    assert_string_equal(from("g2", STAGE_MEMBER, true), "");
    put(STAGE_GROUP, "g1", "1");
    link_put("g1", STAGE_MEMBER, "u2");                     /* the group still has it */
    put(STAGE_GROUP, "g2", "1");
    assert_string_equal(sweep(STAGE_GROUP, 2, 0), "u1 g2"); /* g1's members u1 and g2 were not seen */
    assert_string_equal(from("g1", STAGE_MEMBER, true), "u2");
    assert_int_equal(count(STAGE_UNKNOWN), 1);
    generation = 3;
    put(STAGE_GROUP, "g1", "1");
    assert_string_equal(sweep(STAGE_GROUP, 3, 1), "");
    assert_int_equal(count(STAGE_UNKNOWN), 0);              /* nothing names u2 any more */
    assert_int_equal(count(STAGE_GROUP), 1);
}

static void test_sweep_in_either_order(void **state)
{
    (void)state;
    world();
    generation = 2;
    put(STAGE_GROUP, "g1", "1");
    link_put("g1", STAGE_MEMBER, "u1");
    (void)sweep(STAGE_GROUP, 2, 1);
    put(STAGE_USER, "boss", "1");
    assert_string_equal(sweep(STAGE_USER, 2, 2), "boss g1");/* u1 is gone, but this generation saw the link to it */
    assert_string_equal(from("g1", STAGE_MEMBER, true), "u1");
    put(STAGE_USER, "u1", "9");                             /* and comes again */
    assert_string_equal(to("u1", STAGE_MEMBER, false), "g1");
    assert_string_equal(from("u1", STAGE_MANAGER, true), "");
}

static void test_manager_not_seen(void **state)
{
    (void)state;
    world();
    generation = 2;
    put(STAGE_USER, "u1", "1");
    put(STAGE_USER, "u2", "1");
    put(STAGE_USER, "boss", "1");
    assert_string_equal(sweep(STAGE_USER, 2, 0), "u1");
    assert_string_equal(from("u1", STAGE_MANAGER, true), "");
}

static bool see_user(void *ctx, int64_t n, const char *id)
{
    *(int64_t *)ctx = n;
    note(id);
    return true;
}

static const char *unseen_users(bool scope_only, int64_t *after, int limit)
{
    seen[0] = '\0';
    FX_OK(stage_users_unseen(db, generation, scope_only, *after, limit, see_user, after, &fx_err));
    return seen;
}

static void test_users_unseen(void **state)
{
    int64_t after = 0, n;

    (void)state;
    put_with_mail("u1", "1", NULL, "u1@x");
    put_with_mail("u2", "1", NULL, "u2@x");
    put_with_mail("u3", "1", NULL, "u3@x");
    put_with_mail("deleted", "1", NULL, NULL);
    put(STAGE_GROUP, "g", "1");
    generation = 2;
    put_with_mail("u2", "1", NULL, "u2@x");
    put_with_mail("u4", "1", NULL, "u4@x");
    FX_OK(stage_users_unseen_count(db, 2, &n, &fx_err));
    assert_int_equal(n, 2);
    FX_OK(stage_users_seen_count(db, 2, &n, &fx_err));
    assert_int_equal(n, 2);
    assert_string_equal(unseen_users(false, &after, 1), "u1");
    assert_string_equal(unseen_users(false, &after, 5), "u3");
    assert_string_equal(unseen_users(false, &after, 5), "");
    after = 0;
    assert_string_equal(unseen_users(true, &after, 5), "");
    FX_OK(stage_scope_set(db, number("u3"), true, &fx_err));
    assert_string_equal(unseen_users(true, &after, 5), "u3");
}

static void test_bulk(void **state)
{
    (void)state;
    FX_OK(stage_bulk_begin(db, &fx_err));
    link_put("g1", STAGE_MEMBER, "u1");                     /* groups first */
    put(STAGE_GROUP, "g1", "1");
    clean();
    put(STAGE_USER, "u1", "1");
    assert_string_equal(to("u1", STAGE_MEMBER, true), "g1");/* without its index, but right */
    assert_string_equal(dirty(), "");                       /* all of it is at the end */
    close_and_open();                                       /* killed: it goes on there */
    FX_OK(stage_bulk_begin(db, &fx_err));
    assert_string_equal(sweep(STAGE_USER, 1, 0), "");
    FX_OK(stage_bulk_end(db, &fx_err));
    assert_string_equal(dirty(), "u1 g1");
    clean();
    FX_OK(stage_bulk_end(db, &fx_err));
    assert_string_equal(dirty(), "");
    FX_OK(stage_bulk_begin(db, &fx_err));                   /* a later read keeps the index */
    FX_OK(stage_bulk_end(db, &fx_err));
    assert_string_equal(dirty(), "");
}

/* ---- accounts ---- */

static void account(const char *id, const char *mail, bool active)
{
    FX_OK(stage_account_put(db, &(struct stage_account){ .id = id, .mail = mail, .name = "N", .active = active }, generation, &fx_err));
}

static void test_account_of(void **state)
{
    static const struct { const char *mail, *upn, *id; enum stage_fit fit; const char *why; } cases[] = {
        { "ada@x",   "ada@y",   "a1", STAGE_FIT_ONE, "mail before UPN" },
        { "none@x",  "ada@x",   "a1", STAGE_FIT_ONE, "by UPN where nobody has the mail" },
        { NULL,      "ada@x",   "a1", STAGE_FIT_ONE, "no mail" },
        { "ada@x",   NULL,      "a1", STAGE_FIT_ONE, "no UPN" },
        { "none@x",  "none@y",  NULL, STAGE_FIT_NONE, "nobody" },
        { NULL,      NULL,      NULL, STAGE_FIT_NONE, "hidden accounts fit nobody" },
        { "two@x",   "ada@x",   NULL, STAGE_FIT_ACCOUNTS, "several: none, and not another by UPN" },
        { "old@x",   NULL,      NULL, STAGE_FIT_NONE, "inactive" },
        { "mixed@x", NULL,      "m1", STAGE_FIT_ONE, "of two, one is inactive" },
    };

    (void)state;
    account("a1", "ada@x", true);
    account("a2", "ada@y", true);
    account("t1", "two@x", true);
    account("t2", "two@x", true);
    account("o1", "old@x", false);
    account("m1", "mixed@x", true);
    account("m2", "mixed@x", false);
    account("h1", NULL, true);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char *id;
        enum stage_fit fit;
        FX_OK(stage_account_of(db, cases[i].mail, cases[i].upn, &id, &fit, &fx_err));
        if (!eb_streq(id, cases[i].id) || fit != cases[i].fit)
            fail_msg("case %zu (%s): got %s", i, cases[i].why, id != NULL ? id : "none");
        free(id);
    }
    static const struct { const char *id, *account; } people[] = { { "ada", "a1" }, { "upn", "m1" }, { "two", NULL }, { "g", NULL }, { "not known", NULL } };
    put_with_mail("ada", "1", "ada@x", "ada@y");
    put_with_mail("upn", "1", NULL, "mixed@x");
    put_with_mail("two", "1", "two@x", NULL);
    put(STAGE_GROUP, "g", "1");
    for (size_t i = 0; i < EB_LEN(people); i++) {
        char *id;
        FX_OK(stage_account_of_id(db, people[i].id, &id, &fx_err));
        if (!eb_streq(id, people[i].account))
            fail_msg("%s: got %s", people[i].id, id != NULL ? id : "none");
        free(id);
    }
    int64_t n;
    FX_OK(stage_account_count(db, &n, &fx_err));
    assert_int_equal(n, 6);
}

static void test_accounts_make_users_dirty(void **state)
{
    static const struct { const char *id, *mail; bool active; const char *dirty, *why; } steps[] = {
        { "a", "one@x", true,  "u1",       "new" },
        { "a", "one@x", true,  "",         "the same" },
        { "a", "two@x", true,  "u1 u2 u3", "from one to another, by mail and by UPN" },
        { "a", "two@x", false, "u2 u3",    "not active any more" },
        { "a", NULL,    false, "u2 u3",    "hidden, and not active: its mail is not kept" },
        { "a", "one@x", true,  "u1",       "active again" },
        { "a", NULL,    true,  "u1",       "hidden: looked at again, and kept" },
        { "a", NULL,    true,  "",         "the same" },
        { "e", "one@x", true,  "u1",       "another one shows it" },
        { "e", NULL,    false, "u1",       "and not any more" },
        { "b", "who@x", true,  "",         "nobody has it" },
        { "c", "grp@x", true,  "",         "a group is nobody's account" },
    };

    (void)state;
    put_with_mail("u1", "1", "one@x", NULL);
    put_with_mail("u2", "1", "two@x", NULL);
    put_with_mail("u3", "1", NULL, "two@x");
    FX_OK(stage_object_put(db, &(struct stage_object){ .kind = STAGE_GROUP, .id = "g", .raw = "1", .mail = "grp@x" }, 1, &fx_err));
    for (size_t i = 0; i < EB_LEN(steps); i++) {
        clean();
        account(steps[i].id, steps[i].mail, steps[i].active);
        if (!eb_streq(dirty(), steps[i].dirty))
            fail_msg("step %zu (%s): dirty are \"%s\"", i, steps[i].why, dirty());
    }
    account("d", "one@x", true);
    generation = 2;
    account("b", "who@x", true);
    clean();
    int64_t removed;
    FX_OK(stage_account_sweep(db, 2, &removed, &fx_err));
    assert_int_equal(removed, 4);
    assert_string_equal(dirty(), "u1");
}

/* Whose account is a@x's? Everybody's answer, as "user=account", and who was dirty with the step. */
static void test_an_account_is_one_user_s(void **state)
{
    static const struct { const char *id, *mail, *upn /* all NULL: is removed */, *dirty, *owners, *why; } steps[] = {
        { "u1", "a@x", "p@x", "u1",       "u1",    "the only one with the mail" },
        { "u2", NULL,  "a@x", "u1 u2",    "u1",    "who has it as UPN is another one" },
        { "u3", "a@x", "q@x", "u1 u2 u3", "",      "two have the mail: it is nobody's, nor by UPN" },
        { "u3", "b@x", "q@x", "u1 u2 u3", "u1",    "the second has another mail now" },
        { "u1", "c@x", "p@x", "u1 u2",    "u2",    "nobody has the mail any more: by UPN" },
        { "u4", "a@x", "r@x", "u2 u4",    "u4",    "somebody new has the mail" },
        { "u4", NULL,  NULL,  "u2",       "u2",    "and goes" },
        { "u5", NULL,  "a@x", "u2 u5",    "",      "two with one UPN, which cannot be: nobody" },
        { "u2", NULL,  "s@x", "u2 u5",    "u5",    "one has another UPN now" },
    };
    static const char *const users[] = { "u1", "u2", "u3", "u4", "u5" };

    (void)state;
    account("acc", "a@x", true);
    for (size_t i = 0; i < EB_LEN(steps); i++) {
        clean();
        if (steps[i].mail == NULL && steps[i].upn == NULL)
            FX_OK(stage_object_remove(db, steps[i].id, &fx_err));
        else
            put_with_mail(steps[i].id, "1", steps[i].mail, steps[i].upn);
        if (!eb_streq(dirty(), steps[i].dirty))
            fail_msg("step %zu (%s): dirty are \"%s\"", i, steps[i].why, dirty());
        seen[0] = '\0';
        for (size_t u = 0; u < EB_LEN(users); u++) {
            char *id;
            FX_OK(stage_account_of_id(db, users[u], &id, &fx_err));
            if (id != NULL)
                note(users[u]);
            free(id);
        }
        if (!eb_streq(seen, steps[i].owners))
            fail_msg("step %zu (%s): it is the account of \"%s\"", i, steps[i].why, seen);
    }
}

/* What is kept of a user goes with the user. */
static void test_account_shown(void **state)
{
    static const struct { const char *account; bool goes, other; const char *why; } steps[] = {
        { NULL, false, false, "none, as before" }, { "a", false, true, "the first" }, { "a", false, false, "the same" }, { "b", false, true, "another" },
        { NULL, true, false, "of somebody new of that id nothing is known" }, { "b", false, true, "so this is another" }, { NULL, false, true, "none" },
    };
    (void)state;
    for (size_t i = 0; i < EB_LEN(steps); i++) {
        bool other;
        if (steps[i].goes) {
            link_put("g", STAGE_MEMBER, "u");
            FX_OK(stage_target_put(db, &(struct stage_target){ .kind = STAGE_USER, .key = "u", .active = true }, 1, &fx_err));       /* the name stays */
            FX_OK(stage_object_remove(db, "u", &fx_err));
        }
        put_with_mail("u", "1", NULL, NULL);
        FX_OK(stage_account_shown(db, number("u"), steps[i].account, &other, &fx_err));
        if (other != steps[i].other)
            fail_msg("step %zu (%s): %d", i, steps[i].why, other);
    }
}

static bool see_account(void *ctx, const struct stage_account *a)
{
    (void)ctx;
    note(a->id);
    return true;
}

static const char *unmatched(const char *after, int limit)
{
    seen[0] = '\0';
    FX_OK(stage_accounts_unmatched(db, after, limit, see_account, NULL, &fx_err));
    return seen;
}

static const char *unread(int64_t since, const char *after, int limit)
{
    seen[0] = '\0';
    FX_OK(stage_accounts_unread(db, since, after, limit, see_account, NULL, &fx_err));
    return seen;
}

static void test_unmatched(void **state)
{
    (void)state;
    put_with_mail("in", "1", "in@x", NULL);
    put_with_mail("out", "1", "out@x", NULL);
    put_with_mail("byupn", "1", "hidden@x", "upn@x");
    put_with_mail("bymail", "1", "first@x", "second@x");
    put_with_mail("twice", "1", "twice@x", NULL);
    put_with_mail("both-1", "1", "both@x", NULL);
    put_with_mail("both-2", "1", "both@x", NULL);
    put_with_mail("owner", "1", "owned@x", NULL);
    put_with_mail("same-upn", "1", NULL, "owned@x");
    for (int64_t n = 1; n <= 9; n++)
        FX_OK(stage_scope_set(db, n, n != number("out"), &fx_err));
    account("a-in", "in@x", true);
    account("b-out", "out@x", true);
    account("c-upn", "upn@x", true);
    account("d-first", "first@x", true);
    account("e-second", "second@x", true);      /* its user has an account by mail already */
    account("f-nobody", "nobody@x", true);
    account("g-hidden", NULL, true);
    account("h-old", "old@x", false);
    account("i-twice", "twice@x", true);
    account("j-twice", "twice@x", true);
    account("k-both", "both@x", true);          /* two users have it */
    account("l-owned", "owned@x", true);        /* one has it, another one as UPN */
    assert_string_equal(unmatched(NULL, 100), "b-out e-second f-nobody g-hidden i-twice j-twice k-both");
    assert_string_equal(unmatched("e-second", 2), "f-nobody g-hidden");
    assert_string_equal(unread(0, NULL, 100), "f-nobody");
    assert_string_equal(unread(0, "f-nobody", 100), "");
    generation = 2;
    put_with_mail("in", "1", "in@x", NULL);
    put_with_mail("byupn", "1", "hidden@x", "upn@x");
    assert_string_equal(unread(2, NULL, 3), "b-out d-first e-second");      /* whom this generation has not read (yet) */
}

/* ---- groups ---- */

static const char *groups_set(const char *const *ids, size_t n)
{
    clean();
    FX_OK(stage_groups_set(db, ids, n, &fx_err));
    return dirty();
}

static bool in_groups(const char *id)
{
    bool is = false;

    FX_OK(stage_in_groups(db, number(id), &is, &fx_err));
    return is;
}

static void test_groups(void **state)
{
    static const char *const top[] = { "top", "not there" }, *const low[] = { "low" };

    (void)state;
    put(STAGE_USER, "a", "1");
    put(STAGE_USER, "b", "1");
    put(STAGE_USER, "c", "1");
    put(STAGE_GROUP, "top", "1");
    put(STAGE_GROUP, "mid", "1");
    put(STAGE_GROUP, "low", "1");
    link_put("top", STAGE_MEMBER, "a");
    link_put("top", STAGE_MEMBER, "mid");
    link_put("mid", STAGE_MEMBER, "low");
    link_put("low", STAGE_MEMBER, "b");
    link_put("low", STAGE_MEMBER, "mid");           /* a circle */
    link_put("mid", STAGE_OWNER, "c");
    assert_false(in_groups("a"));                   /* nobody was asked for */
    assert_string_equal(groups_set(top, 2), "a b mid low");
    assert_true(in_groups("b"));
    assert_false(in_groups("c"));                   /* an owner is no member */
    assert_false(in_groups("top"));                 /* a group is not in itself */
    assert_string_equal(groups_set(top, 2), "");
    assert_string_equal(groups_set(low, 1), "a");   /* b, mid and low stay: low is in itself through the circle */
    assert_true(in_groups("low"));
    FX_OK(stage_link_remove(db, "low", STAGE_MEMBER, "b", &fx_err));
    assert_string_equal(groups_set(low, 1), "b");
    assert_string_equal(groups_set(NULL, 0), "mid low");
    assert_false(in_groups("low"));
}

/* ---- state and warnings ---- */

static bool see_note(void *ctx, const struct stage_note *n)
{
    int64_t *last = ctx;

    note(n->key);
    note(n->label != NULL ? n->label : "-");
    *last = n->n;
    return true;
}

static void test_state_and_notes(void **state)
{
    int64_t number = 7, last = 0;
    char *text;

    (void)state;
    FX_OK(stage_state_number(db, "generation", &number, &fx_err));
    assert_int_equal(number, 7);
    FX_OK(stage_state_put_number(db, "generation", INT64_MIN, &fx_err));
    FX_OK(stage_state_number(db, "generation", &number, &fx_err));
    assert_true(number == INT64_MIN);
    FX_OK(stage_state_put(db, "delta", "https://x", &fx_err));
    FX_OK(stage_state_put(db, "delta", "https://y", &fx_err));
    FX_OK(stage_state_get(db, "delta", &text, &fx_err));
    assert_string_equal(text, "https://y");
    free(text);
    FX_OK(stage_state_put(db, "delta", NULL, &fx_err));
    FX_OK(stage_state_get(db, "delta", &text, &fx_err));
    assert_null(text);

    FX_OK(stage_note_put(db, "long", "k1", "one", "cut", &fx_err));
    FX_OK(stage_note_put(db, "long", "k1", "uno", "cut", &fx_err));     /* read again */
    FX_OK(stage_note_put(db, "long", "k1", "one", "cut too", &fx_err));
    FX_OK(stage_note_put(db, "other", "k2", NULL, "x", &fx_err));
    FX_OK(stage_notes_count(db, &number, &fx_err));
    assert_int_equal(number, 3);
    seen[0] = '\0';
    FX_OK(stage_notes_each(db, 0, 2, see_note, &last, &fx_err));
    FX_OK(stage_notes_each(db, last, 2, see_note, &last, &fx_err));
    assert_string_equal(seen, "k1 uno k1 one k2 -");
    FX_OK(stage_notes_clear(db, "long", &fx_err));
    FX_OK(stage_notes_count(db, &number, &fx_err));
    assert_int_equal(number, 1);
    FX_OK(stage_notes_clear(db, NULL, &fx_err));
    FX_OK(stage_notes_count(db, &number, &fx_err));
    assert_int_equal(number, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_dirty), TEST(test_walk_changes_what_it_tells), TEST(test_news), TEST(test_all_dirty), TEST(test_links), TEST(test_guids_are_ids), TEST(test_sweep),
        TEST(test_sweep_in_either_order), TEST(test_manager_not_seen), TEST(test_bulk), TEST(test_users_unseen), TEST(test_account_of), TEST(test_an_account_is_one_user_s),
        TEST(test_account_shown), TEST(test_accounts_make_users_dirty),
        TEST(test_unmatched), TEST(test_groups), TEST(test_state_and_notes),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
