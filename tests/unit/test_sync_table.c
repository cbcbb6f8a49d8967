/* test_sync_table.c - the history of synchronizations: under way, ended, interrupted, forgotten; and the mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "store/sync_table.h"

static struct db *db;
static char seen[512];

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    db = fx_open();
    return 0;
}

static int teardown(void **state)
{
    db_close(db);
    return fx_teardown(state);
}

static char full[] = "full", delta[] = "delta", preview[] = "preview", schedule[] = "schedule", phase[] = "reading users", counts[] = "{\"creates\": 1}",
    calls[] = "{\"graph\": 2}", succeeded[] = "succeeded", partial[] = "partial", failed[] = "failed", message[] = "Well done.";

static int64_t begin(char *kind, int64_t started_ms)
{
    int64_t number = 0;

    FX_OK(sync_run_begin(db, &(struct sync_run){ .kind = kind, .trigger = schedule, .started_ms = started_ms, .total = -1 }, &number, &fx_err));
    return number;
}

static void end(int64_t number, char *kind, int64_t ended_ms, char *outcome)
{
    FX_OK(sync_run_end(db, &(struct sync_run){ .number = number, .kind = kind, .ended_ms = ended_ms, .updated_ms = ended_ms, .outcome = outcome,
                                               .message = message, .counts = counts }, &fx_err));
}

static struct sync_run get(int64_t number)
{
    struct sync_run r = { 0 };

    FX_OK(sync_run_get(db, number, &r, &fx_err));
    return r;
}

static void test_a_run(void **state)
{
    int64_t number = begin(delta, 100);
    struct sync_run r;
    bool found;

    (void)state;
    FX_OK(sync_run_progress(db, &(struct sync_run){ .number = number, .kind = full /* its link had expired */, .phase = phase, .done = 5, .total = 9, .counts = counts, .calls = calls,
                                                    .throttled_ms = 3, .updated_ms = 150 }, &fx_err));
    FX_OK(sync_run_open(db, &r, &found, &fx_err));
    assert_true(found);
    assert_int_equal(r.number, number);
    assert_string_equal(r.kind, "full");
    assert_string_equal(r.trigger, "schedule");
    assert_string_equal(r.phase, "reading users");
    assert_string_equal(r.counts, counts);
    assert_string_equal(r.calls, calls);
    assert_int_equal(r.started_ms, 100);
    assert_int_equal(r.updated_ms, 150);
    assert_int_equal(r.done, 5);
    assert_int_equal(r.total, 9);
    assert_int_equal(r.throttled_ms, 3);
    assert_int_equal(r.ended_ms, 0);
    assert_null(r.outcome);
    sync_run_clear(&r);
    end(number, full, 200, succeeded);
    r = get(number);
    assert_string_equal(r.kind, "full");
    assert_string_equal(r.outcome, "succeeded");
    assert_string_equal(r.message, message);
    assert_int_equal(r.ended_ms, 200);
    sync_run_clear(&r);
    FX_OK(sync_run_open(db, &r, &found, &fx_err));
    assert_false(found);
    FX_OK(sync_run_progress(db, &(struct sync_run){ .number = number, .kind = delta, .done = 77, .updated_ms = 300 }, &fx_err));      /* too late */
    end(number, full, 400, failed);
    r = get(number);
    assert_int_equal(r.updated_ms, 200);
    assert_string_equal(r.outcome, "succeeded");
    sync_run_clear(&r);
    assert_false(sync_run_get(db, number + 1, &r, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
}

static void test_interrupted(void **state)
{
    int64_t first = begin(full, 100), second;
    struct sync_run r;

    (void)state;
    FX_OK(sync_run_progress(db, &(struct sync_run){ .number = first, .kind = full, .updated_ms = 170 }, &fx_err));
    second = begin(full, 500);
    r = get(first);
    assert_string_equal(r.outcome, "interrupted");
    assert_int_equal(r.ended_ms, 170);                  /* the last that was heard of it */
    sync_run_clear(&r);
    (void)begin(full, 600);
    r = get(second);
    assert_int_equal(r.ended_ms, 500);                  /* nothing was ever heard */
    sync_run_clear(&r);
}

static bool see_run(void *ctx, const struct sync_run *r)
{
    const int *most = ctx;
    size_t len = strlen(seen);

    snprintf(seen + len, sizeof(seen) - len, "%d ", (int)r->number);
    return most == NULL || strlen(seen) < (size_t)*most * 2;
}

static const char *list(int64_t before, int limit)
{
    seen[0] = '\0';
    FX_OK(sync_runs_list(db, before, limit, see_run, NULL, &fx_err));
    return seen;
}

static void test_list_and_last(void **state)
{
    int64_t started = -1, ended = -1;
    int one = 1;

    (void)state;
    FX_OK(sync_run_last(db, false, &started, &ended, &fx_err));
    assert_int_equal(started + ended, 0);
    end(begin(full, 10), full, 11, succeeded);
    end(begin(delta, 20), delta, 21, partial);
    end(begin(full, 30), full, 31, failed);
    end(begin(preview, 40), preview, 41, succeeded);    /* wrote nothing */
    (void)begin(full, 50);
    FX_OK(sync_run_last(db, false, &started, &ended, &fx_err));
    assert_int_equal(started, 20);
    assert_int_equal(ended, 21);
    FX_OK(sync_run_last(db, true, &started, &ended, &fx_err));
    assert_int_equal(started, 10);
    assert_string_equal(list(0, 10), "5 4 3 2 1 ");
    assert_string_equal(list(4, 2), "3 2 ");
    seen[0] = '\0';
    FX_OK(sync_runs_list(db, 0, 10, see_run, &one, &fx_err));
    assert_string_equal(seen, "5 ");
}

static bool see_fault(void *ctx, const struct sync_fault *f)
{
    int *count = ctx;

    *count += 1;
    if (*count == 1)
        snprintf(seen, sizeof seen, "%s %s %s %s %s", f->action, f->kind, f->key, f->label != NULL ? f->label : "-", f->text);
    return true;
}

static int faults(int64_t run, int limit)
{
    int count = 0;

    FX_OK(sync_faults_list(db, run, limit, see_fault, &count, &fx_err));
    return count;
}

static void test_faults_have_a_ceiling(void **state)
{
    int64_t first = begin(full, 10), second;

    (void)state;
    FX_OK(sync_fault_put(db, first, &(struct sync_fault){ "create", "user", "k", NULL, "refused" }, &fx_err));
    assert_int_equal(faults(first, 5), 1);
    assert_string_equal(seen, "create user k - refused");
    FX_OK(db_begin(db, &fx_err));
    for (int i = 0; i < SYNC_FAULTS_MAX + 5; i++)
        FX_OK(sync_fault_put(db, first, &(struct sync_fault){ "update", "user", "k", "l", "t" }, &fx_err));
    FX_OK(db_commit(db, &fx_err));
    assert_int_equal(faults(first, 1 << 20), SYNC_FAULTS_MAX);
    assert_int_equal(faults(first, 7), 7);
    second = begin(full, 20);
    FX_OK(sync_fault_put(db, second, &(struct sync_fault){ "create", "user", "k", NULL, "refused" }, &fx_err));        /* each run its own */
    assert_int_equal(faults(second, 7), 1);
}

static void test_forget(void **state)
{
    static const struct { int64_t before; const char *left, *why; } cases[] = {
        { 15,   "4 3 2 1 ", "none ended before" },
        { 22,   "4 3 2 ",   "the first one" },
        { 9999, "4 ",       "the newest stays, whatever its age" },
    };

    (void)state;
    for (int64_t i = 1; i <= 4; i++) {
        int64_t number = begin(full, 10 * i);
        FX_OK(sync_fault_put(db, number, &(struct sync_fault){ "create", "user", "k", NULL, "refused" }, &fx_err));
        end(number, full, 10 * i + 8, succeeded);
    }
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        FX_OK(sync_forget(db, cases[i].before, &fx_err));
        if (!eb_streq(list(0, 10), cases[i].left))
            fail_msg("case %zu (%s): left are %s", i, cases[i].why, seen);
    }
    assert_int_equal(faults(1, 5), 0);
    assert_int_equal(faults(4, 5), 1);
    int64_t open = begin(full, 1), newest = begin(full, 2);     /* open is closed by the next one */
    FX_OK(sync_forget(db, 9999, &fx_err));
    assert_string_equal(list(0, 10), open < newest ? "6 " : "");
}

static void test_mark(void **state)
{
    char *boot;

    (void)state;
    FX_OK(sync_mark_get(db, &boot, &fx_err));
    assert_null(boot);
    FX_OK(sync_mark_close(db, &fx_err));
    FX_OK(sync_mark_open(db, "boot-1", &fx_err));
    FX_OK(sync_mark_open(db, "boot-2", &fx_err));
    db_close(db);
    db = fx_open();
    FX_OK(sync_mark_get(db, &boot, &fx_err));
    assert_string_equal(boot, "boot-2");
    free(boot);
    FX_OK(sync_mark_close(db, &fx_err));
    FX_OK(sync_mark_get(db, &boot, &fx_err));
    assert_null(boot);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_a_run), TEST(test_interrupted), TEST(test_list_and_last), TEST(test_faults_have_a_ceiling), TEST(test_forget), TEST(test_mark),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
