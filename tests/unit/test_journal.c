/* test_journal.c - the journal: repeats, what changed since, writes and their ends, listings, keys that are forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open_store.h"

#include "base/clock.h"

/* Accepts a new operation with a key of its own. */
static void accept(const char *id, const char *issue, int64_t now_ms)
{
    struct journal_accept a;

    FX_OK(fx_accept(db, id, id, "body", issue, now_ms, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_NEW);
}

/* Records one write, or none where action is NULL. */
static bool record(const char *id, const char *object, const char *touches, bool writes, int64_t now_ms)
{
    struct journal_write w = { .action = "member.add", .object = object, .touches = touches };
    struct journal_record r = { .id = id, .issue_key = "ITSM-42", .issue_id = "10042", .user_id = "u1", .group_id = "g1", .before = "{\"member\":false}",
                                .object = object, .touches = touches, .writes = &w, .write_count = writes, .now_ms = now_ms, .recent_ms = 60000 };

    FX_OK(journal_record(db, &r, &fx_err));
    return r.ret_recent;
}

static void conclude(const char *id, bool wrote, const char *state, bool changed, int64_t now_ms)
{
    struct journal_write_end w = { .state = state, .status = 204, .request_id = "r1" };
    struct journal_conclusion c = { .id = id, .outcome = "succeeded", .message = "Added.", .after = "{\"member\":true}", .answer = "{\"a\":1}",
                                    .issue_key = "ITSM-42", .issue_id = "10042", .changed = changed, .now_ms = now_ms, .writes = &w, .write_count = wrote };

    FX_OK(journal_conclude(db, &c, &fx_err));
}

/* A whole operation that changed an object. */
static void change(const char *id, const char *object, const char *touches, int64_t now_ms)
{
    accept(id, "ITSM-42", now_ms);
    record(id, object, touches, true, now_ms);
    conclude(id, true, "done", true, now_ms);
}

static void test_life(void **state)
{
    struct journal_write_row w[2];
    struct journal_row r;
    size_t n;

    (void)state;
    accept("op1", "ITSM-42", 1000);
    FX_OK(journal_get(db, "op1", NULL, &r, &fx_err));
    assert_string_equal(r.state, "open");
    assert_string_equal(r.issue, "ITSM-42");
    assert_null(r.issue_key);
    assert_null(r.before);
    assert_null(r.outcome);
    assert_int_equal(r.writes, 0);
    assert_int_equal(r.ended_ms, 0);
    journal_row_clear(&r);

    assert_false(record("op1", "member:g1:u1", "user:u1", true, 1100));
    FX_OK(journal_write_again(db, "op1", 0, 1200, &fx_err));
    FX_OK(journal_writes(db, "op1", w, 2, &n, &fx_err));
    assert_int_equal(n, 1);
    assert_string_equal(w[0].action, "member.add");
    assert_string_equal(w[0].object, "member:g1:u1");
    assert_string_equal(w[0].state, "pending");
    assert_int_equal(w[0].tries, 2);
    assert_int_equal(w[0].sent_ms, 1200);

    conclude("op1", true, "done", true, 1300);
    FX_OK(journal_get(db, "op1", "rule", &r, &fx_err));
    assert_string_equal(r.state, "ended");
    assert_string_equal(r.outcome, "succeeded");
    assert_string_equal(r.issue_key, "ITSM-42");
    assert_string_equal(r.issue_id, "10042");
    assert_string_equal(r.user_id, "u1");
    assert_string_equal(r.group_id, "g1");
    assert_string_equal(r.before, "{\"member\":false}");
    assert_string_equal(r.after, "{\"member\":true}");
    assert_string_equal(r.answer, "{\"a\":1}");
    assert_true(r.changed && !r.dry_run);
    assert_int_equal(r.writes, 1);
    assert_int_equal(r.accepted_ms, 1000);
    assert_int_equal(r.ended_ms, 1300);
    journal_row_clear(&r);
    FX_OK(journal_writes(db, "op1", w, 2, &n, &fx_err));
    assert_string_equal(w[0].state, "done");
    assert_string_equal(w[0].request_id, "r1");
    assert_int_equal(w[0].status, 204);
    assert_int_equal(w[0].answered_ms, 1300);
}

static void test_what_is_not_there(void **state)
{
    struct journal_row r;
    struct journal_record rec = { .id = "op1" };
    struct journal_conclusion c = { .id = "op1", .outcome = "failed" };

    (void)state;
    assert_false(journal_get(db, "op1", NULL, &r, &fx_err));
    assert_int_equal(fx_err.code, EB_OPERATION_NOT_FOUND);
    assert_false(journal_record(db, &rec, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_false(journal_conclude(db, &c, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_false(journal_write_again(db, "op1", 0, 1, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);

    change("op1", "member:g1:u1", NULL, 1000);
    assert_false(journal_get(db, "op1", "another name", &r, &fx_err));      /* as if it did not exist */
    assert_int_equal(fx_err.code, EB_OPERATION_NOT_FOUND);
    assert_false(journal_conclude(db, &c, &fx_err));                        /* ended once */
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_false(journal_record(db, &rec, &fx_err));
    assert_false(journal_write_again(db, "op1", 0, 1, &fx_err));
    struct journal_write_end w = { .n = 7, .state = "done" };
    accept("op2", NULL, 1000);
    c = (struct journal_conclusion){ .id = "op2", .outcome = "failed", .writes = &w, .write_count = 1 };
    assert_false(journal_conclude(db, &c, &fx_err));                        /* a write that nobody recorded */
    assert_int_equal(fx_err.code, EB_INTERNAL);
}

/* ---- repeats ---- */

static void test_repeats(void **state)
{
    static const struct { const char *key, *body; int64_t now_ms; int verdict; enum eb_code code; const char *earlier, *why; } cases[] = {
        { "k1", "b1", 1000,  JOURNAL_NEW,    EB_OK,                   NULL,  "first" },
        { "k1", "b1", 1001,  JOURNAL_REPEAT, EB_OK,                   "op0", "the same again" },
        { "k1", "b2", 1002,  0,              EB_IDEMPOTENCY_CONFLICT, NULL,  "one key with another body" },
        { "k2", "b1", 1003,  JOURNAL_NEW,    EB_OK,                   NULL,  "another key with the same body" },
        { "k1", "b1", 10999, JOURNAL_REPEAT, EB_OK,                   "op0", "just within the window" },
        { "k1", "b2", 11000, JOURNAL_NEW,    EB_OK,                   NULL,  "the window is over: the key is free, for any body" },
        { "k1", "b2", 11001, JOURNAL_REPEAT, EB_OK,                   "op5", "and belongs to the new one" },
        { NULL, "b1", 11002, JOURNAL_NEW,    EB_OK,                   NULL,  "without a key nothing is a repeat" },
        { NULL, "b1", 11003, JOURNAL_NEW,    EB_OK,                   NULL,  "nor the next" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct journal_accept a;
        char id[32];
        snprintf(id, sizeof(id), "op%zu", i);
        bool ok = fx_accept(db, id, cases[i].key, cases[i].body, "ITSM-42", cases[i].now_ms, &a, &fx_err);
        if (ok != (cases[i].code == EB_OK) || (!ok && fx_err.code != cases[i].code))
            fail_msg("case %zu (%s): %s", i, cases[i].why, ok ? "accepted" : fx_err.text);
        if (!ok)
            continue;
        if ((int)a.ret_verdict != cases[i].verdict || !eb_streq(a.ret_earlier.id, cases[i].earlier))
            fail_msg("case %zu (%s): verdict %d, earlier %s", i, cases[i].why, (int)a.ret_verdict, a.ret_earlier.id != NULL ? a.ret_earlier.id : "none");
        journal_row_clear(&a.ret_earlier);
    }
}

static void test_freed_key(void **state)
{
    struct journal_conclusion c = { .id = "op1", .outcome = "refused", .code = "group_not_serviceable", .free_key = true, .now_ms = 1100 };
    struct journal_accept a;

    (void)state;
    accept("op1", "ITSM-42", 1000);
    FX_OK(journal_conclude(db, &c, &fx_err));
    FX_OK(fx_accept(db, "op2", "op1", "body", "ITSM-42", 1200, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_NEW);
    /* Its window is over while it is open, and op3 takes the key over: what op2 frees later must not take it away. */
    FX_OK(fx_accept(db, "op3", "op1", "body", "ITSM-42", 20000, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_NEW);
    c.id = "op2";
    FX_OK(journal_conclude(db, &c, &fx_err));
    FX_OK(fx_accept(db, "op4", "op1", "body", "ITSM-42", 20001, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_REPEAT);
    assert_string_equal(a.ret_earlier.id, "op3");
    journal_row_clear(&a.ret_earlier);
}

static void test_forgotten_keys(void **state)
{
    struct journal_accept a;
    int64_t gone;

    (void)state;
    for (int i = 0; i < 10; i++) {
        char id[32];
        snprintf(id, sizeof(id), "op%d", i);
        accept(id, NULL, 1000 + i);
    }
    FX_OK(journal_forget_keys(db, 11004, 3, &gone, &fx_err));
    assert_int_equal(gone, 3);
    FX_OK(journal_forget_keys(db, 11004, 100, &gone, &fx_err));
    assert_int_equal(gone, 2);                      /* of those until 11000 .. 11004 */
    FX_OK(fx_accept(db, "new", "op5", "body", NULL, 1100, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_REPEAT);
    journal_row_clear(&a.ret_earlier);
}

/* ---- what has changed since, what is recent ---- */

struct later { const char *object, *touches, *state; bool changed; };

static void test_changed_since(void **state)
{
    static const struct { const char *object, *touches; bool wrote; struct later later; bool since; const char *why; } cases[] = {
        { "member:g:u", "user:u", true,  { "member:g:u", "user:u", "done", true },     true,  "the same membership, removed again" },
        { "member:g:u", "user:u", true,  { "user:u", NULL, "done", true },             true,  "the user was disabled: the late request must not stand" },
        { "user:u",     NULL,     true,  { "member:g:u", "user:u", "done", true },     false, "a membership does not change the user" },
        { "member:g:u", "user:u", true,  { "member:h:u", "user:u", "done", true },     false, "another group of the same user" },
        { "member:g:u", "user:u", true,  { "member:g:u", "user:u", "nothing", false }, false, "nothing was to be changed" },
        { "member:g:u", "user:u", true,  { "member:g:u", "user:u", "refused", true },  false, "this write was refused, another of the operation went through" },
        { "member:g:u", "user:u", true,  { "member:g:u", "user:u", "unsent", false },  false, "never sent" },
        { "member:g:u", "user:u", false, { "member:g:u", "user:u", "done", true },     true,  "the earlier one had nothing to write, but said how it stands" },
        { "member:g:u", "user:u", false, { "user:u", NULL, "done", true },             true,  "the same, through the second object" },
        { "member:g:u", "user:u", false, { "user:v", NULL, "done", true },             false, "somebody else" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct journal_accept a;
        FX_OK(db_begin(db, &fx_err));
        accept("op1", "ITSM-42", 5000);
        record("op1", cases[i].object, cases[i].touches, cases[i].wrote, 5000);
        conclude("op1", cases[i].wrote, "done", cases[i].wrote, 5000);
        accept("op2", "ITSM-43", 4000);             /* the clock was set back meanwhile: order counts, not time */
        record("op2", cases[i].later.object, cases[i].later.touches, true, 4000);
        conclude("op2", true, cases[i].later.state, cases[i].later.changed, 4000);
        FX_OK(fx_accept(db, "op3", "op1", "body", "ITSM-42", 5001, &a, &fx_err));
        assert_int_equal(a.ret_verdict, JOURNAL_REPEAT);
        if (a.ret_changed_since != cases[i].since)
            fail_msg("case %zu: %s", i, cases[i].why);
        journal_row_clear(&a.ret_earlier);
        db_rollback(db);
    }
}

static bool since(const char *id)
{
    struct journal_accept a;

    FX_OK(fx_accept(db, "again", id, "body", "ITSM-42", 1500, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_REPEAT);
    journal_row_clear(&a.ret_earlier);
    return a.ret_changed_since;
}

/* What counts is when the other one ended, not when it was accepted. */
static void test_changed_since_order(void **state)
{
    (void)state;
    accept("slow", "ITSM-1", 1000);
    change("before", "user:u", NULL, 1001);
    change("op", "user:u", NULL, 1002);
    assert_false(since("op"));                      /* what was before it does not count, nor does it itself */
    assert_true(since("before"));
    record("slow", "user:u", NULL, true, 1003);
    assert_false(since("op"));                      /* not ended yet */
    conclude("slow", true, "done", true, 1004);
    assert_true(since("op"));                       /* accepted before it, ended after it */
    assert_false(since("slow"));
}

static void test_recent(void **state)
{
    static const struct { const char *state; int64_t ms; bool recent; const char *why; } cases[] = {
        { "done",    1000,   true,  "a change that reads may not show yet" },
        { "nothing", 1000,   true,  "told to be so already: perhaps by a change of just now" },
        { "unknown", 1000,   true,  "may have happened" },
        { "refused", 1000,   false, "did not happen" },
        { "unsent",  1000,   false, "did not happen" },
        { "done",    -60000, true,  "exactly at the edge" },
        { "done",    -60001, false, "long enough ago" },
        { NULL,      -99999, true,  "under way, whenever it began" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        FX_OK(db_begin(db, &fx_err));
        accept("op1", "ITSM-42", 100000);
        assert_false(record("op1", "user:u", NULL, true, 100000 + cases[i].ms - 1000 * (cases[i].ms > 0)));
        if (cases[i].state != NULL)
            conclude("op1", true, cases[i].state, true, 100000 + cases[i].ms - 1000 * (cases[i].ms > 0));
        accept("op2", "ITSM-42", 100000);
        if (record("op2", "user:u", NULL, i % 2 == 0, 100000) != cases[i].recent)
            fail_msg("case %zu: %s", i, cases[i].why);
        assert_true(record("op2", "user:u", NULL, true, 100000) == cases[i].recent);    /* recorded anew: its own row is not another's */
        accept("op3", "ITSM-42", 100000);
        assert_false(record("op3", "user:v", "user:u", true, 100000));                  /* only what it changes itself */
        db_rollback(db);
    }
}

static void test_record_again(void **state)
{
    struct journal_write w = { .action = "user.patch", .object = "user:u" };
    struct journal_record r = { .id = "op1", .before = "1", .user_id = "u", .writes = &w, .write_count = 1, .now_ms = 1 };
    struct journal_write_row rows[2];
    struct journal_row row;
    size_t n;

    (void)state;
    accept("op1", NULL, 1);
    r.write_count = 0;
    FX_OK(journal_record(db, &r, &fx_err));
    r.before = "2";
    r.write_count = 1;
    FX_OK(journal_record(db, &r, &fx_err));         /* nothing was sent before: the newer look counts */
    r.before = "3";
    r.user_id = NULL;
    FX_OK(journal_record(db, &r, &fx_err));         /* may have landed: 2 is what stood before */
    FX_OK(journal_get(db, "op1", NULL, &row, &fx_err));
    assert_string_equal(row.before, "2");
    assert_string_equal(row.user_id, "u");
    journal_row_clear(&row);
    FX_OK(journal_writes(db, "op1", rows, 2, &n, &fx_err));
    assert_int_equal(n, 1);
    assert_int_equal(rows[0].tries, 2);
}

/* Several writes, of which the conclusion names one: the others may have happened. */
static void test_ends_of_writes(void **state)
{
    struct journal_write w[] = { { 0, "a", "user:0", NULL }, { 1, "b", "user:1", NULL }, { 2, "c", "user:2", NULL } };
    struct journal_record r = { .id = "op1", .writes = w, .write_count = 3, .now_ms = 1 };
    struct journal_write_end ends[] = { { .n = 1, .state = "done", .status = 204 }, { .n = 2, .state = "unsent" } };
    struct journal_conclusion c = { .id = "op1", .outcome = "partial", .changed = true, .now_ms = 2, .writes = ends, .write_count = 2 };
    struct journal_write_row rows[3];
    struct journal_row row;
    size_t n;

    (void)state;
    accept("op1", NULL, 1);
    FX_OK(journal_record(db, &r, &fx_err));
    FX_OK(journal_conclude(db, &c, &fx_err));
    FX_OK(journal_writes(db, "op1", rows, 3, &n, &fx_err));
    assert_int_equal(n, 3);
    assert_string_equal(rows[0].state, "unknown");
    assert_string_equal(rows[1].state, "done");
    assert_string_equal(rows[2].state, "unsent");
    assert_int_equal(rows[2].tries, 0);
    FX_OK(journal_get(db, "op1", NULL, &row, &fx_err));
    assert_int_equal(row.writes, 2);                /* sent at least once */
    journal_row_clear(&row);
    FX_OK(journal_writes(db, "op1", rows, 2, &n, &fx_err));
    assert_int_equal(n, 2);                         /* the caller's array has an end */
}

/* ---- listings ---- */

static char listed[512];

static bool list_one(void *ctx, const struct journal_row *r)
{
    int *most = ctx;

    snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed), "%s%s", listed[0] != '\0' ? " " : "", r->id);
    return --*most > 0;
}

static void test_lists(void **state)
{
    static const struct { struct journal_filter f; int most; const char *ids, *why; } cases[] = {
        { { .limit = 10 },                                   99, "c5 c4 o3 c2 o1", "newest first" },
        { { .limit = 2 },                                    99, "c5 c4",       "a page" },
        { { .limit = 2, .before_id = "o3" },                 99, "c2 o1",       "the next page" },
        { { .limit = 10 },                                   3,  "c5 c4 o3",    "the caller has had enough" },
        { { .state = "open" },                               99, "o3 o1",       "open ones, no limit" },
        { { .state = "ended", .limit = 10 },                 99, "c5 c4 c2",       "ended ones" },
        { { .outcome = "succeeded", .limit = 10 },           99, "c4 c2",       "by outcome" },
        { { .outcome = "failed", .limit = 10 },              99, "c5",          "by an outcome that has an index" },
        { { .outcome = "failed", .before_id = "c5" },        99, "",            "no more of it" },
        { { .outcome = "unknown", .limit = 10 },             99, "",            "no such outcome" },
        { { .issue = "ITSM-42", .limit = 10 },               99, "c4 c2",       "by key: as sent, or found in Jira" },
        { { .issue = "10042", .limit = 10 },                 99, "c4 c2",       "by id, though it was sent as key" },
        { { .issue = "ITSM-7", .limit = 10 },                99, "o1",          "as sent, not checked yet" },
        { { .issue = "10042", .state = "open", .limit = 9 }, 99, "",            "two filters" },
        { { .issue = "ITSM-42", .before_id = "c4" },         99, "c2",          "the next page of an issue" },
        { { .token_name = "rule", .limit = 1 },              99, "c5",          "by name" },
        { { .token_name = "x", .issue = "10042" },           99, "",            "another name sees nothing" },
        { { .kind = "group.add_member", .limit = 1 },        99, "c5",          "by kind" },
        { { .kind = "user.disable" },                        99, "",            "another kind" },
    };

    (void)state;
    accept("o1", "ITSM-7", 1);
    change("c2", "user:u", NULL, 2);
    accept("o3", NULL, 3);
    change("c4", "user:u", NULL, 4);
    struct journal_conclusion failed = { .id = "c5", .outcome = "failed", .now_ms = 5 };
    accept("c5", NULL, 5);
    FX_OK(journal_conclude(db, &failed, &fx_err));
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        int most = cases[i].most;
        listed[0] = '\0';
        FX_OK(journal_list(db, &cases[i].f, list_one, &most, &fx_err));
        if (strcmp(listed, cases[i].ids) != 0)
            fail_msg("case %zu (%s): \"%s\" instead of \"%s\"", i, cases[i].why, listed, cases[i].ids);
    }
    struct journal_filter unknown = { .before_id = "nobody" };
    int most = 1;
    assert_false(journal_list(db, &unknown, list_one, &most, &fx_err));
    assert_int_equal(fx_err.code, EB_OPERATION_NOT_FOUND);
}

/* Refused at the issue check: no record was made, yet the issue's names are known. */
static void test_issue_named_at_the_end(void **state)
{
    struct journal_conclusion c = { .id = "op1", .outcome = "refused", .issue_key = "ITSM-9", .issue_id = "10009", .now_ms = 2 };
    struct journal_filter f = { .issue = "ITSM-9" };
    struct journal_row r;
    int most = 9;

    (void)state;
    accept("op1", "10009", 1);
    FX_OK(journal_conclude(db, &c, &fx_err));
    listed[0] = '\0';
    FX_OK(journal_list(db, &f, list_one, &most, &fx_err));
    assert_string_equal(listed, "op1");
    FX_OK(journal_get(db, "op1", NULL, &r, &fx_err));
    assert_string_equal(r.issue_key, "ITSM-9");
    assert_string_equal(r.issue_id, "10009");
    journal_row_clear(&r);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_life), TEST(test_what_is_not_there), TEST(test_repeats), TEST(test_freed_key), TEST(test_forgotten_keys),
        TEST(test_changed_since), TEST(test_changed_since_order), TEST(test_recent), TEST(test_record_again), TEST(test_ends_of_writes),
        TEST(test_lists), TEST(test_issue_named_at_the_end),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
