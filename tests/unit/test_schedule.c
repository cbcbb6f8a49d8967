/* test_schedule.c - durable timers: in time, once, again after a restart, never two of one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "schedule/schedule.h"
#include "store/timer_table.h"

/* The wall clock as the program sees it; the linker puts this in the place of the real one (meson.build). */
int64_t __real_eb_now_ms(void);
int64_t __wrap_eb_now_ms(void);
static int64_t clock_set_ms;
int64_t __wrap_eb_now_ms(void) { return __real_eb_now_ms() + clock_set_ms; }
#define DAY_MS INT64_C(86400000)

static struct eb_loop *loop;
static struct store *store;
static struct schedule *schedule;
static struct eb_timer *guard;
static char fired[4096];
static int fired_count, stop_after;
static int64_t next_due_ms;
static bool ends, timed_out;

static void on_guard(void *arg)
{
    (void)arg;
    timed_out = true;
    eb_loop_stop(loop);
}

static void on_due(void *ctx, const char *subject, int64_t due_ms)
{
    const char *kind = ctx;

    assert_true(due_ms <= eb_now_ms());
    if (strlen(fired) + strlen(subject) + 2 < sizeof(fired))
        strcat(strcat(fired, subject), " ");
    if (ends)
        schedule_done(schedule, kind, subject, next_due_ms);
    next_due_ms = 0;
    if (++fired_count == stop_after)
        eb_loop_stop(loop);
}

/* Until that many were handed out, or for so long. Returns what was. */
static const char *run(int count, int64_t most_ms)
{
    fired[0] = '\0';
    fired_count = 0;
    stop_after = count;
    timed_out = false;
    eb_timer_set(guard, most_ms);
    eb_loop_run(loop);
    eb_timer_stop(guard);
    return fired;
}

static void service_start(void)
{
    static char work[] = "work", other[] = "other";

    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open(fx_url, loop, &store, &fx_err));
    FX_OK(schedule_new(loop, store, &schedule, &fx_err));
    schedule_register(schedule, work, on_due, work);
    schedule_register(schedule, other, on_due, other);
    guard = eb_timer_new(loop, on_guard, NULL);
}

/* As a process ends that is stopped: what is queued is written, what the loop would have heard is not. */
static void service_stop(void)
{
    schedule_free(schedule);
    store_close(store);
    stop_after = 0;
    eb_timer_set(guard, 0);
    eb_loop_run(loop);
    eb_timer_free(guard);
    eb_loop_free(loop);
}

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    ends = true;
    next_due_ms = clock_set_ms = 0;
    service_start();
    return 0;
}

static int teardown(void **state)
{
    service_stop();
    eb_metrics_free();
    return fx_teardown(state);
}

static bool see(void *ctx, const struct timer_row *t)
{
    char *text = ctx;

    strcat(strcat(text, t->subject), " ");
    return true;
}

/* The rows that are there, however far off. */
static const char *left(void)
{
    static char text[1024];
    struct db *db = fx_open();

    text[0] = '\0';
    FX_OK(timer_due(db, INT64_MAX, 100, see, text, &fx_err));
    db_close(db);
    return text;
}

/* Once the ends are on disk; nothing is handed out meanwhile. */
static void assert_left(const char *expected)
{
    for (int i = 0; i < 250 && strcmp(left(), expected) != 0; i++)
        assert_string_equal(run(1, 20), "");
    assert_string_equal(left(), expected);
}

static void test_in_time_and_order(void **state)
{
    int64_t now_ms = eb_now_ms();

    (void)state;
    schedule_start(schedule);
    schedule_put(schedule, "work", "late", now_ms + 400);
    schedule_put(schedule, "work", "soon", now_ms + 150);
    schedule_put(schedule, "other", "past", now_ms - 1000);
    schedule_put(schedule, "other", "far", now_ms + 3600000);
    assert_string_equal(run(3, 5000), "past soon late ");
    assert_true(eb_now_ms() >= now_ms + 400);
    assert_true(eb_now_ms() < now_ms + 2000);
    assert_left("far ");
}

static void test_not_before_start(void **state)
{
    (void)state;
    schedule_put(schedule, "work", "a", 1);
    assert_string_equal(run(1, 200), "");
    schedule_start(schedule);
    assert_string_equal(run(1, 5000), "a ");
}

/* Handed out and not ended: neither again in this process, nor forgotten by the next. */
static void test_until_done(void **state)
{
    (void)state;
    ends = false;
    schedule_put(schedule, "work", "a", 1);
    schedule_start(schedule);
    assert_string_equal(run(1, 5000), "a ");
    schedule_put(schedule, "work", "b", 2);
    schedule_wake(schedule);
    assert_string_equal(run(2, 300), "b ");
    service_stop();
    service_start();
    schedule_start(schedule);
    assert_string_equal(run(2, 5000), "a b ");
    schedule_done(schedule, "work", "a", 0);
    schedule_done(schedule, "work", "a", 0);            /* twice is once */
    schedule_done(schedule, "work", "nobody", 0);
    assert_left("b ");
}

static void test_next_time(void **state)
{
    (void)state;
    next_due_ms = eb_now_ms() + 200;
    schedule_put(schedule, "work", "daily", 1);
    schedule_start(schedule);
    assert_string_equal(run(2, 5000), "daily daily ");
    assert_left("");
}

/* Put anew while it is worked on: the end of the old work must not take the new time away. */
static void test_put_while_out(void **state)
{
    (void)state;
    ends = false;
    schedule_put(schedule, "work", "a", 1);
    schedule_start(schedule);
    assert_string_equal(run(1, 5000), "a ");
    schedule_put(schedule, "work", "a", eb_now_ms() + 100);
    assert_string_equal(run(1, 300), "");               /* never two of one at a time */
    ends = true;
    schedule_done(schedule, "work", "a", 0);
    assert_string_equal(run(1, 5000), "a ");
    assert_left("");
}

/* Rows of a kind that this program does not know, more than one look takes, hold nothing up. */
static void test_unknown_kinds(void **state)
{
    struct db *db = fx_open();

    (void)state;
    for (int i = 0; i < 150; i++) {
        char subject[16];
        snprintf(subject, sizeof(subject), "%d", i);
        FX_OK(timer_put(db, "of the future", subject, 1, &fx_err));
    }
    FX_OK(timer_put(db, "work", "known", 2, &fx_err));
    db_close(db);
    schedule_start(schedule);
    assert_string_equal(run(1, 5000), "known ");
}

static void test_many(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        char subject[16];
        snprintf(subject, sizeof(subject), "%d", i);
        schedule_put(schedule, "work", subject, 1 + i);
    }
    ends = false;
    schedule_start(schedule);
    run(300, 10000);
    assert_int_equal(fired_count, 300);
    assert_false(timed_out);
    run(1, 100);
    assert_int_equal(fired_count, 0);
}

/* Of a kind with a ceiling the rest waits, and hides no other kind behind it; each end makes room for one more. */
static void test_limit(void **state)
{
    (void)state;
    schedule_limit(schedule, "work", 3);
    for (int i = 0; i < 200; i++) {
        char subject[16];
        snprintf(subject, sizeof(subject), "%d", i);
        schedule_put(schedule, "work", subject, 1 + i);
    }
    schedule_put(schedule, "other", "behind", 1000);
    ends = false;
    schedule_start(schedule);
    assert_string_equal(run(5, 500), "0 1 2 behind ");
    schedule_done(schedule, "work", "1", 0);
    assert_string_equal(run(2, 300), "3 ");
    schedule_done(schedule, "work", "0", 0);
    schedule_done(schedule, "work", "2", 0);
    assert_string_equal(run(3, 300), "4 5 ");
}

static void free_in_fn(void *ctx, const char *subject, int64_t due_ms)
{
    (void)ctx;
    (void)subject;
    (void)due_ms;
    schedule_done(schedule, "last", subject, 0);
    schedule_free(schedule);
    schedule = NULL;
    eb_loop_stop(loop);
}

static void test_freed_by_its_own_work(void **state)
{
    (void)state;
    schedule_register(schedule, "last", free_in_fn, NULL);
    schedule_put(schedule, "last", "a", 1);
    schedule_put(schedule, "last", "b", 2);
    schedule_start(schedule);
    run(1, 5000);
    assert_null(schedule);
}

/* ---- the clock is set ---- */

static void test_clock_forward(void **state)
{
    (void)state;
    schedule_put(schedule, "work", "tonight", eb_now_ms() + DAY_MS / 2);
    schedule_put(schedule, "work", "week", eb_now_ms() + 7 * DAY_MS);
    schedule_start(schedule);
    assert_string_equal(run(1, 50), "");
    clock_set_ms += DAY_MS;
    schedule_wake(schedule);                    /* as the sleep of at most 60 s ends */
    assert_string_equal(run(1, 5000), "tonight ");
    clock_set_ms -= DAY_MS;                     /* and set right again: what has fired does not fire a second time */
    schedule_wake(schedule);
    assert_string_equal(run(1, 100), "");
    clock_set_ms += DAY_MS;
    schedule_wake(schedule);
    assert_string_equal(run(1, 100), "");
    assert_left("week ");
}

static void test_clock_back(void **state)
{
    (void)state;
    schedule_start(schedule);
    schedule_put(schedule, "work", "soon", eb_now_ms() + 200);
    clock_set_ms -= DAY_MS;
    schedule_wake(schedule);
    assert_string_equal(run(1, 400), "");       /* by the clock it is a day off now, and it stays */
    assert_left("soon ");
    clock_set_ms += DAY_MS;
    schedule_wake(schedule);
    assert_string_equal(run(1, 5000), "soon ");
    assert_left("");
}

static void test_clock_set_while_out(void **state)
{
    (void)state;
    ends = false;
    schedule_start(schedule);
    schedule_put(schedule, "work", "long", eb_now_ms());
    assert_string_equal(run(1, 5000), "long ");
    static const int64_t steps[] = { -DAY_MS, 2 * DAY_MS, -DAY_MS };
    for (size_t i = 0; i < EB_LEN(steps); i++) {
        clock_set_ms += steps[i];
        schedule_wake(schedule);
        assert_string_equal(run(1, 60), "");
    }
    schedule_done(schedule, "work", "long", 0);
    assert_left("");
}

static void on_step(void *ctx) { ++*(int *)ctx; }

static void test_clock_steps_are_told(void **state)
{
    static const struct { int64_t by_ms; int told; const char *why; } cases[] = {
        { 0, 0, "nothing happened" }, { 900, 0, "a leap second, or slewing" }, { DAY_MS, 1, "forward" }, { 0, 0, "once" }, { -DAY_MS, 1, "back" },
    };

    (void)state;
    schedule_start(schedule);
    run(1, 20);
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        static int told;
        told = 0;
        if (i == 0)
            schedule_on_step(schedule, on_step, &told);
        clock_set_ms += cases[i].by_ms;
        schedule_wake(schedule);
        run(1, 40);
        if (told != cases[i].told)
            fail_msg("%s: told %d times", cases[i].why, told);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_in_time_and_order), TEST(test_not_before_start), TEST(test_until_done), TEST(test_next_time), TEST(test_put_while_out),
        TEST(test_unknown_kinds), TEST(test_many), TEST(test_limit), TEST(test_freed_by_its_own_work), TEST(test_clock_forward), TEST(test_clock_back),
        TEST(test_clock_set_while_out), TEST(test_clock_steps_are_told),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
