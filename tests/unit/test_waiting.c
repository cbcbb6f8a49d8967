/* test_waiting.c - operations that wait: out of the open ones and back, once; listed, released, resumed; pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open_store.h"

#include "base/clock.h"
#include "store/pause_table.h"
#include "store/timer_table.h"
#include "store/waiting.h"

static void accept(const char *id, const char *issue)
{
    struct journal_accept a;

    FX_OK(fx_accept(db, id, id, "body", issue, 1000, &a, &fx_err));
}

static void put(const char *id, const char *why, int64_t at_ms)
{
    FX_OK(waiting_put(db, &(struct waiting){ .id = id, .why = why, .reason = "words", .at_ms = at_ms, .issue_key = "ITSM-42", .issue_id = "10042", .user_id = "u1" },
                      &fx_err));
}

static bool count(void *ctx, const struct journal_row *r)
{
    (void)r;
    ++*(int *)ctx;
    return true;
}

static int listed(const struct journal_filter *f)
{
    int n = 0;

    FX_OK(journal_list(db, f, count, &n, &fx_err));
    return n;
}

static bool count_timer(void *ctx, const struct timer_row *t)
{
    *(int64_t *)ctx += t->due_ms;
    return true;
}

/* The sum of what is due when. */
static int64_t timers(void)
{
    int64_t sum = 0;

    FX_OK(timer_due(db, INT64_MAX, 100, count_timer, &sum, &fx_err));
    return sum;
}

static int64_t take(const char *id, int64_t now_ms)
{
    int64_t next_ms;

    FX_OK(waiting_take(db, id, now_ms, &next_ms, &fx_err));
    return next_ms;
}

static void test_scheduled(void **state)
{
    struct journal_row r = { 0 };

    accept("op-1", "ITSM-42");
    put("op-1", WAITING_SCHEDULED, 5000);
    assert_int_equal(listed(&(struct journal_filter){ .state = "open" }), 0);      /* a start does not see it */
    assert_int_equal(listed(&(struct journal_filter){ .waits = "scheduled" }), 1);
    assert_int_equal(listed(&(struct journal_filter){ .waits = "held" }), 0);
    assert_int_equal(listed(&(struct journal_filter){ .issue = "10042" }), 1);     /* under the issue's other names too */
    FX_OK(journal_get(db, "op-1", NULL, &r, &fx_err));
    assert_string_equal(r.waits, WAITING_SCHEDULED);
    assert_string_equal(r.waits_for, "words");
    assert_string_equal(r.user_id, "u1");
    assert_string_equal(r.state, "open");
    assert_int_equal(r.at_ms, 5000);
    journal_row_clear(&r);
    assert_int_equal(timers(), 5000);
    assert_int_equal(take("op-1", 4999), 5000);                                    /* the clock was set back */
    assert_int_equal(take("op-1", 5000), 0);
    assert_int_equal(take("op-1", 5000), -1);                                      /* once */
    assert_int_equal(listed(&(struct journal_filter){ .state = "open" }), 1);
    FX_OK(journal_get(db, "op-1", NULL, &r, &fx_err));
    assert_null(r.waits);
    assert_int_equal(r.at_ms, 5000);
    assert_int_equal(r.since_ms, 5000);
    journal_row_clear(&r);
    assert_false(waiting_put(db, &(struct waiting){ .id = "nobody", .why = WAITING_LIMIT }, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
}

static void test_released(void **state)
{
    int64_t n;
    struct journal_row r = { 0 };

    for (int i = 0; i < 4; i++) {
        char id[8];
        snprintf(id, sizeof id, "op-%d", i);
        accept(id, i < 2 ? "ITSM-1" : "ITSM-2");
        put(id, i == 3 ? WAITING_PAUSED : WAITING_LIMIT, 0);
    }
    assert_int_equal(timers(), 0);
    assert_int_equal(take("op-0", INT64_MAX), -1);                                  /* it waits for a person */
    FX_OK(waiting_release(db, &(struct waiting_filter){ .id = "op-0", .why = WAITING_LIMIT }, true, 100, &n, &fx_err));
    assert_int_equal(n, 1);
    FX_OK(waiting_release(db, &(struct waiting_filter){ .id = "op-0", .why = WAITING_LIMIT }, true, 100, &n, &fx_err));
    assert_int_equal(n, 0);
    FX_OK(waiting_release(db, &(struct waiting_filter){ .issue = "ITSM-2", .why = WAITING_LIMIT }, true, 100, &n, &fx_err));
    assert_int_equal(n, 1);                                                         /* not what is paused */
    assert_int_equal(timers(), 200);
    assert_int_equal(listed(&(struct journal_filter){ .waits = "held" }), 4);
    assert_int_equal(take("op-0", 100), 0);
    FX_OK(journal_get(db, "op-0", NULL, &r, &fx_err));
    assert_true(r.passed);
    journal_row_clear(&r);
    FX_OK(waiting_release(db, &(struct waiting_filter){ .kind = "user.fly" }, true, 100, &n, &fx_err));
    assert_int_equal(n, 0);
}

static void test_paused(void **state)
{
    int64_t n;

    accept("op-1", "ITSM-1");
    put("op-1", WAITING_PAUSED, 0);
    FX_OK(pause_put(db, &(struct pause){ PAUSE_ALL, "why", "ada", 1 }, &fx_err));
    FX_OK(pause_put(db, &(struct pause){ PAUSE_ALL, "why now", "grace", 2 }, &fx_err));
    FX_OK(pause_put(db, &(struct pause){ "user.fly", NULL, "ada", 1 }, &fx_err));
    FX_OK(waiting_resume(db, 100, &n, &fx_err));
    assert_int_equal(n, 0);
    FX_OK(pause_remove(db, PAUSE_ALL, &n, &fx_err));
    assert_int_equal(n, 1);
    FX_OK(waiting_resume(db, 100, &n, &fx_err));                                    /* another kind's pause does not keep it */
    assert_int_equal(n, 1);
    assert_int_equal(timers(), 100);
    FX_OK(pause_remove(db, NULL, &n, &fx_err));
    assert_int_equal(n, 1);
}

/* What ends while it waits, and is changed afterwards, is still seen to have been changed. */
static void test_changed_since(void **state)
{
    struct journal_write w = { .action = "user.patch", .object = "user:u1" };
    struct journal_write_end done = { .state = "done", .status = 204 };
    struct journal_accept again;
    bool was;

    accept("op-late", "ITSM-1");
    put("op-late", WAITING_SCHEDULED, 5000);
    for (int i = 0; i < 2; i++) {
        const char *id = i == 0 ? "op-first" : "op-late";
        if (i == 0)
            accept(id, "ITSM-2");
        else
            FX_OK(waiting_reopen(db, id, 5000, &was, &fx_err));
        struct journal_record r = { .id = id, .object = "user:u1", .writes = &w, .write_count = 1, .now_ms = 2000, .recent_ms = 1 };
        FX_OK(journal_record(db, &r, &fx_err));
        struct journal_conclusion c = { .id = id, .outcome = "succeeded", .changed = true, .now_ms = 3000, .writes = &done, .write_count = 1 };
        FX_OK(journal_conclude(db, &c, &fx_err));
    }
    FX_OK(fx_accept(db, "op-again", "op-first", "body", "ITSM-2", 4000, &again, &fx_err));
    assert_int_equal(again.ret_verdict, JOURNAL_REPEAT);
    assert_true(again.ret_changed_since);
    journal_row_clear(&again.ret_earlier);
}

static void test_only_repeat(void **state)
{
    static char id[] = "op-1", kind[] = "user.disable", name[] = "t";
    struct journal_row row = { .id = id, .kind = kind, .token_name = name, .accepted_ms = 10 };
    struct journal_accept a = { .row = &row, .key = "key", .body_hash = "body", .window_ms = 1000, .only_repeat = true };

    FX_OK(journal_accept(db, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_NONE);
    assert_int_equal(listed(&(struct journal_filter){ 0 }), 0);
    accept("key", NULL);
    a.key = "key";
    FX_OK(journal_accept(db, &a, &fx_err));
    assert_int_equal(a.ret_verdict, JOURNAL_REPEAT);
    journal_row_clear(&a.ret_earlier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scheduled, setup, teardown), cmocka_unit_test_setup_teardown(test_released, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paused, setup, teardown), cmocka_unit_test_setup_teardown(test_changed_since, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_repeat, setup, teardown),
    };

    return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
