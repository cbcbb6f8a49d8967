/* test_stage_plan.c - what is wanted, what the target holds, and the difference; with doubts, levels, pages and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage_fixture.h"

static void target_put(enum stage_kind kind, const char *key, const char *hash, bool active, int64_t left_ms, enum stage_doubt doubt)
{
    char object_key[64];

    snprintf(object_key, sizeof object_key, "ENTRA-%s", key);
    bool known = doubt == STAGE_SURE;
    FX_OK(stage_target_put(db, &(struct stage_target){ .kind = kind, .key = key, .object_id = known ? key : NULL, .object_key = known ? object_key : NULL,
                                                       .active = active, .left_ms = left_ms, .doubt = doubt, .sent_ms = 77, .hash = hash,
                                                       .attributes = "{\"a\":1}" }, generation, &fx_err));
}

static bool see_change(void *ctx, const struct stage_change *c)
{
    int64_t *last = ctx;

    note(c->wanted != NULL ? c->wanted->key : c->target->key);
    if ((c->wanted != NULL) != (c->action <= STAGE_UPDATE) || (c->target != NULL) != (c->action >= STAGE_UPDATE))
        fail_msg("action %d has the wrong sides", c->action);
    if (c->target != NULL && !eb_streq(c->target->attributes, "{\"a\":1}"))
        fail_msg("the target's attributes are %s", c->target->attributes);
    if (c->wanted != NULL && (!eb_streq(c->wanted->attributes, "{}") || !eb_streq(c->wanted->label, c->wanted->key)))
        fail_msg("the wanted side of %s is wrong", c->wanted->key);
    *last = c->wanted != NULL ? c->wanted->n : c->target->n;
    return true;
}

/* In pages of `limit`; the count must agree. */
static const char *plan(enum stage_kind kind, enum stage_action action, int level, int limit)
{
    struct stage_plan p = { .kind = kind, .action = action, .level = level, .left_before_ms = 1000 };
    int64_t last = 0, before = -1, count = -1, told = 0;

    seen[0] = '\0';
    while (last != before) {
        before = last;
        FX_OK(stage_plan_each(db, &p, before, limit, see_change, &last, &fx_err));
    }
    for (const char *s = seen; *s != '\0'; s++)
        told += *s == ' ';
    told += seen[0] != '\0';
    FX_OK(stage_plan_count(db, &p, &count, &fx_err));
    assert_int_equal(count, told);
    return seen;
}

static void test_plan(void **state)
{
    static const struct { bool wanted, target; const char *hash; bool active; int64_t left_ms; enum stage_doubt doubt; int action; const char *why; } cases[] = {
        { true,  false, NULL, false, 0,    STAGE_SURE,        STAGE_CREATE, "wanted, not there" },
        { true,  true,  "h",  true,  0,    STAGE_SURE,        -1,           "as it should be" },
        { true,  true,  "x",  true,  0,    STAGE_SURE,        STAGE_UPDATE, "differs" },
        { true,  true,  NULL, true,  0,    STAGE_SURE,        STAGE_UPDATE, "what stands there is not known" },
        { true,  true,  "h",  false, 500,  STAGE_SURE,        STAGE_UPDATE, "came back, however long ago it left" },
        { false, true,  "h",  true,  0,    STAGE_SURE,        STAGE_LEAVE,  "not wanted any more" },
        { false, true,  "h",  true,  500,  STAGE_SURE,        STAGE_LEAVE,  "active, whatever its time says" },
        { false, true,  "h",  false, 500,  STAGE_SURE,        STAGE_DELETE, "left long ago" },
        { false, true,  "h",  false, 1000, STAGE_SURE,        -1,           "left just now" },
        { false, true,  "h",  false, 0,    STAGE_SURE,        -1,           "when it left is not known" },
        { true,  true,  "x",  true,  0,    STAGE_CREATE_SENT, -1,           "in doubt: not made again, not changed" },
        { true,  true,  "x",  false, 500,  STAGE_CREATE_SENT, -1,           "in doubt and inactive" },
        { false, true,  "h",  true,  0,    STAGE_CREATE_SENT, -1,           "in doubt, and not wanted any more" },
        { false, true,  "h",  false, 500,  STAGE_CREATE_SENT, -1,           "in doubt: not deleted" },
    };

    (void)state;
    for (int kind = STAGE_USER; kind <= STAGE_GROUP; kind++)
        for (size_t i = 0; i < EB_LEN(cases); i++) {
            renew();
            put(STAGE_USER, "before", "1");
            put((enum stage_kind)kind, "it", "1");
            if (cases[i].wanted)
                wanted_put((enum stage_kind)kind, "it", "h", false);
            if (cases[i].target)
                target_put((enum stage_kind)kind, "it", cases[i].hash, cases[i].active, cases[i].left_ms, cases[i].doubt);
            for (int action = 0; action < STAGE_ACTIONS; action++) {
                const char *got = plan((enum stage_kind)kind, (enum stage_action)action, -1, 10);
                if (!eb_streq(got, action == cases[i].action ? "it" : ""))
                    fail_msg("case %zu (%s): action %d has \"%s\"", i, cases[i].why, action, got);
                if (!eb_streq(plan(kind == STAGE_USER ? STAGE_GROUP : STAGE_USER, (enum stage_action)action, -1, 10), ""))
                    fail_msg("case %zu (%s): it is in the other kind's plan", i, cases[i].why);
            }
        }
}

static void test_pages(void **state)
{
    char key[8];

    (void)state;
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "u%d", i);
        put(STAGE_USER, key, "1");
        wanted_put(STAGE_USER, key, "h", false);
        if (i % 2 == 1)
            target_put(STAGE_USER, key, i % 3 == 0 ? "x" : "h", true, 0, STAGE_SURE);
    }
    for (int limit = 1; limit <= 11; limit++) {
        assert_string_equal(plan(STAGE_USER, STAGE_CREATE, -1, limit), "u0 u2 u4 u6 u8");
        assert_string_equal(plan(STAGE_USER, STAGE_UPDATE, -1, limit), "u3 u9");
        assert_string_equal(plan(STAGE_USER, STAGE_LEAVE, -1, limit), "");
    }
    for (int i = 1; i < 10; i += 2) {
        snprintf(key, sizeof key, "u%d", i);
        FX_OK(stage_object_remove(db, key, &fx_err));
    }
    for (int limit = 1; limit <= 6; limit++)
        assert_string_equal(plan(STAGE_USER, STAGE_LEAVE, -1, limit), "u1 u3 u5 u7 u9");    /* gone from the source, known to the target */
}

/* ---- levels ---- */

static void test_levels(void **state)
{
    static const struct { const char *id, *manager; } people[] = {
        { "ceo", NULL }, { "vp", "ceo" }, { "lead", "vp" }, { "dev", "lead" }, { "lone", NULL }, { "x", "y" }, { "y", "x" }, { "under", "x" }, { "own", "own" },
        { "orphan", "unwanted" }, { "unwanted", "ceo" },
    };
    int levels = -1;

    (void)state;
    FX_OK(stage_levels(db, &levels, &fx_err));
    assert_int_equal(levels, 0);
    for (size_t i = 0; i < EB_LEN(people); i++)
        put(STAGE_USER, people[i].id, "1");
    for (size_t i = 0; i < EB_LEN(people); i++) {
        if (people[i].manager != NULL)
            link_put(people[i].id, STAGE_MANAGER, people[i].manager);
        if (!eb_streq(people[i].id, "unwanted"))
            wanted_put(STAGE_USER, people[i].id, "h", eb_streq(people[i].id, "orphan"));
    }
    put(STAGE_GROUP, "g", "1");
    wanted_put(STAGE_GROUP, "g", "h", false);
    FX_OK(stage_levels(db, &levels, &fx_err));
    assert_int_equal(levels, 4);
    static const char *const expected[] = { "ceo lone x y under own orphan", "vp", "lead", "dev", "" };
    for (int i = 0; i < (int)EB_LEN(expected); i++)
        assert_string_equal(plan(STAGE_USER, STAGE_CREATE, i, 2), expected[i]);
    assert_string_equal(plan(STAGE_USER, STAGE_CREATE, -1, 20), "ceo vp lead dev lone x y under own orphan");
    assert_string_equal(plan(STAGE_GROUP, STAGE_CREATE, 3, 20), "g");       /* levels are the people's */
    wanted_put(STAGE_USER, "dev", "new", false);                           /* judged anew: its level stays */
    assert_string_equal(plan(STAGE_USER, STAGE_CREATE, 3, 2), "dev");
    FX_OK(stage_link_set(db, "dev", STAGE_MANAGER, NULL, 1, &fx_err));
    FX_OK(stage_levels(db, &levels, &fx_err));
    assert_int_equal(levels, 3);
    assert_string_equal(plan(STAGE_USER, STAGE_CREATE, 3, 2), "");
}

static void test_a_long_line_ends(void **state)
{
    char id[8], manager[8];
    int levels;

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "m%d", i);
        snprintf(manager, sizeof manager, "m%d", i - 1);
        put(STAGE_USER, id, "1");
        if (i > 0)
            link_put(id, STAGE_MANAGER, manager);
        wanted_put(STAGE_USER, id, "h", false);
    }
    FX_OK(stage_levels(db, &levels, &fx_err));
    assert_int_equal(levels, 65);
    assert_string_equal(plan(STAGE_USER, STAGE_CREATE, 64, 9), "m64");
}

static bool see_wanted(void *ctx, const struct stage_wanted *w)
{
    (void)ctx;
    note(w->key);
    note(w->label);
    return true;
}

static void test_managers_missing(void **state)
{
    int64_t n;

    (void)state;
    put(STAGE_USER, "a", "1");
    put(STAGE_USER, "b", "1");
    put(STAGE_USER, "c", "1");
    wanted_put(STAGE_USER, "a", "h", true);
    wanted_put(STAGE_USER, "b", "h", false);
    wanted_put(STAGE_USER, "c", "h", true);
    seen[0] = '\0';
    FX_OK(stage_managers_missing(db, number("a"), 5, see_wanted, NULL, &fx_err));
    FX_OK(stage_managers_missing(db, 0, 1, see_wanted, NULL, &fx_err));
    assert_string_equal(seen, "c c a a");
    FX_OK(stage_managers_missing_count(db, &n, &fx_err));
    assert_int_equal(n, 2);
    wanted_put(STAGE_USER, "a", "h", false);
    FX_OK(stage_wanted_remove(db, number("c"), &fx_err));
    FX_OK(stage_wanted_remove(db, number("c"), &fx_err));
    FX_OK(stage_managers_missing_count(db, &n, &fx_err));
    assert_int_equal(n, 0);
    assert_int_equal(wanted_count(STAGE_USER), 2);
}

/* ---- the target's side ---- */

static bool see_target(void *ctx, const struct stage_target *t)
{
    int64_t *last = ctx;

    note(t->key);
    if (last != NULL)
        *last = t->n;
    return true;
}

static const char *object_key(enum stage_kind kind, const char *key)
{
    static char text[64];
    char *got;

    FX_OK(stage_target_object_key(db, kind, key, &got, &fx_err));
    snprintf(text, sizeof text, "%s", got != NULL ? got : "none");
    free(got);
    return text;
}

static const char *key_of(enum stage_kind kind, const char *key)
{
    static char text[64];
    char *got;

    FX_OK(stage_target_key_of(db, kind, key, &got, &fx_err));
    snprintf(text, sizeof text, "%s", got != NULL ? got : "none");
    free(got);
    return text;
}

static void test_names(void **state)
{
    (void)state;
    target_put(STAGE_USER, "u", "h", true, 0, STAGE_SURE);
    target_put(STAGE_USER, "sent", "h", true, 0, STAGE_CREATE_SENT);
    assert_string_equal(object_key(STAGE_USER, "u"), "ENTRA-u");
    assert_string_equal(object_key(STAGE_GROUP, "u"), "none");          /* of another kind */
    assert_string_equal(object_key(STAGE_USER, "sent"), "none");        /* in doubt */
    assert_string_equal(object_key(STAGE_USER, "never"), "none");
    assert_string_equal(key_of(STAGE_USER, "ENTRA-u"), "u");
    assert_string_equal(key_of(STAGE_GROUP, "ENTRA-u"), "none");
    assert_string_equal(key_of(STAGE_USER, "ENTRA-9"), "none");
    target_put(STAGE_GROUP, "u", "g", true, 0, STAGE_SURE);             /* one id under both kinds: two rows */
    assert_string_equal(key_of(STAGE_GROUP, "ENTRA-u"), "u");
    FX_OK(stage_target_remove(db, STAGE_GROUP, "u", &fx_err));
    assert_string_equal(object_key(STAGE_USER, "u"), "ENTRA-u");
    FX_OK(stage_target_remove(db, STAGE_USER, "never", &fx_err));       /* not there: fine */
}

static bool see_whole(void *ctx, const struct stage_target *t)
{
    *(int *)ctx += 1;
    assert_int_equal(t->kind, STAGE_USER);
    assert_string_equal(t->key, "sent");
    assert_null(t->object_id);
    assert_null(t->object_key);
    assert_true(t->active);
    assert_int_equal(t->doubt, STAGE_CREATE_SENT);
    assert_int_equal(t->sent_ms, 77);
    assert_int_equal(t->left_ms, 5);
    assert_string_equal(t->hash, "h");
    assert_string_equal(t->attributes, "{\"a\":1}");
    return true;
}

static void test_doubt_and_unseen(void **state)
{
    int64_t last = 0, n;
    int told = 0;

    (void)state;
    target_put(STAGE_USER, "a", "h", true, 0, STAGE_SURE);
    target_put(STAGE_USER, "sent", "h", true, 5, STAGE_CREATE_SENT);
    target_put(STAGE_GROUP, "g", "h", false, 5, STAGE_SURE);
    FX_OK(stage_target_get(db, STAGE_USER, "sent", see_whole, &told, &fx_err));
    FX_OK(stage_target_get(db, STAGE_GROUP, "sent", see_whole, &told, &fx_err));
    FX_OK(stage_target_in_doubt(db, 0, 10, see_whole, &told, &fx_err));
    assert_int_equal(told, 2);
    generation = 2;
    target_put(STAGE_USER, "a", "h", true, 0, STAGE_SURE);
    seen[0] = '\0';
    FX_OK(stage_target_unseen(db, 2, 0, 1, see_target, &last, &fx_err));
    FX_OK(stage_target_unseen(db, 2, last, 5, see_target, &last, &fx_err));
    assert_string_equal(seen, "sent g");
    FX_OK(stage_target_count(db, STAGE_GROUP, false, &n, &fx_err));
    assert_int_equal(n, 1);
    FX_OK(stage_target_count(db, STAGE_GROUP, true, &n, &fx_err));
    assert_int_equal(n, 0);
    target_put(STAGE_USER, "sent", "h", true, 0, STAGE_SURE);           /* settled */
    seen[0] = '\0';
    FX_OK(stage_target_in_doubt(db, 0, 10, see_target, NULL, &fx_err));
    assert_string_equal(seen, "");
    FX_OK(stage_target_forget_all(db, &fx_err));
    FX_OK(stage_target_count(db, STAGE_USER, false, &n, &fx_err));
    assert_int_equal(n, 0);
}

/* The number of an object that the target knows is never given to another, whatever the source forgets. */
static void test_the_source_forgets(void **state)
{
    int64_t removed;

    (void)state;
    put(STAGE_USER, "u", "1");
    wanted_put(STAGE_USER, "u", "h", false);
    target_put(STAGE_USER, "u", "h", true, 0, STAGE_SURE);
    FX_OK(stage_object_remove(db, "u", &fx_err));
    FX_OK(stage_sweep(db, STAGE_USER, 9, &removed, &fx_err));
    put(STAGE_USER, "other", "1");
    wanted_put(STAGE_USER, "other", "h", false);
    assert_string_equal(plan(STAGE_USER, STAGE_LEAVE, -1, 9), "u");
    assert_string_equal(plan(STAGE_USER, STAGE_CREATE, -1, 9), "other");
    put(STAGE_USER, "u", "1");                                          /* it comes back */
    wanted_put(STAGE_USER, "u", "h", false);
    assert_string_equal(plan(STAGE_USER, STAGE_LEAVE, -1, 9), "");
    assert_string_equal(plan(STAGE_USER, STAGE_UPDATE, -1, 9), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_plan), TEST(test_pages), TEST(test_levels), TEST(test_a_long_line_ends), TEST(test_managers_missing), TEST(test_names),
        TEST(test_doubt_and_unseen), TEST(test_the_source_forgets),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
