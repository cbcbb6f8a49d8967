/* test_store_faults.c - the database thread on a disk that is full, failing or only to be read, and with memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "store_fixture.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "store/outbox.h"
#include "store/pin.h"
#include "store/store.h"

#include <stdatomic.h>

static struct eb_loop *loop;
static struct store *store;
static struct eb_timer *timer;

static void stop_loop(void *arg)
{
    (void)arg;
    eb_loop_stop(loop);
}

static int setup(void **state)
{
    fv_reset();
    if (fx_setup(state) != 0)
        return -1;
    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open(fx_url, loop, &store, &fx_err));
    timer = eb_timer_new(loop, stop_loop, NULL);
    return 0;
}

static int teardown(void **state)
{
    fv.full = fv.sync_fails = false;
    store_close(store);
    eb_timer_free(timer);
    eb_loop_free(loop);
    eb_metrics_free();
    return fx_teardown(state);
}

struct job { int n; bool ok; struct eb_err err; };
static int waiting;

static bool put_job(struct db *db, void *arg, struct eb_err *err)
{
    struct job *j = arg;
    char name[32], id[64];

    snprintf(name, sizeof(name), "%d", j->n);
    return pin_put(db, "user", name, "id", 1, id, err);
}

static bool look_job(struct db *db, void *arg, struct eb_err *err)
{
    struct job *j = arg;
    char name[32], id[64];

    snprintf(name, sizeof(name), "%d", j->n);
    return pin_get(db, "user", name, id, err);
}

static void job_done(void *arg, const struct eb_err *err)
{
    struct job *j = arg;

    j->ok = err == NULL;
    if (err != NULL)
        j->err = *err;
    if (--waiting == 0)
        eb_loop_stop(loop);
}

static void run_jobs(store_fn *fn, struct job *jobs, int count, int first)
{
    waiting = count;
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct job){ .n = first + i };
        store_submit(store, fn, &jobs[i], job_done);
    }
    eb_loop_run(loop);
}

static void check_fault(_Atomic bool *fault, const char *says)
{
    enum { COUNT = 20 };
    struct job jobs[COUNT];

    run_jobs(put_job, jobs, COUNT, 0);
    *fault = true;
    run_jobs(put_job, jobs, COUNT, 100);
    for (int i = 0; i < COUNT; i++) {
        assert_false(jobs[i].ok);
        assert_int_equal(jobs[i].err.code, EB_OVERLOADED);
        assert_true(jobs[i].err.retry_after_ms > 0);
        if (strstr(jobs[i].err.text, says) == NULL)
            fail_msg("%s", jobs[i].err.text);
    }
    eb_timer_set(timer, 600);                   /* the thread looks again twice, in vain */
    eb_loop_run(loop);
    run_jobs(put_job, jobs, COUNT, 200);
    assert_false(jobs[0].ok);
    *fault = false;
    run_jobs(put_job, jobs, COUNT, 300);        /* no restart is needed */
    for (int i = 0; i < COUNT; i++)
        assert_true(jobs[i].ok);
    run_jobs(look_job, jobs, COUNT, 0);
    assert_true(jobs[COUNT - 1].ok);
    run_jobs(look_job, jobs, COUNT, 100);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(jobs[i].err.code, EB_NOT_THERE);   /* what was reported as failed is not there */
}

static void test_full_disk(void **state)
{
    (void)state;
    check_fault(&fv.full, "disk is full");
}

static void test_failing_sync(void **state)
{
    (void)state;
    check_fault(&fv.sync_fails, "Reading or writing failed");
}

/* The fault lasts for longer than the thread keeps its connection: the file is opened anew, and is still served by one only. */
static void test_long_failure(void **state)
{
    struct job job;
    struct db *second = NULL;

    (void)state;
    fv.full = true;
    run_jobs(put_job, &job, 1, 0);
    eb_timer_set(timer, 3500);
    eb_loop_run(loop);
    assert_false(db_open(fx_url, DB_SERVE, &second, &fx_err));
    assert_non_null(strstr(fx_err.text, "Another"));
    fv.full = false;
    run_jobs(put_job, &job, 1, 1);
    assert_true(job.ok);
}

static void test_read_only(void **state)
{
    struct db *db = NULL;

    (void)state;
    fv.read_only = true;
    assert_false(db_open(fx_url, DB_TOOL, &db, &fx_err));
    fv.read_only = false;
    assert_int_equal(fx_err.code, EB_OVERLOADED);
    assert_non_null(strstr(fx_err.text, "only be read"));
}

/* ---- memory ---- */

static sqlite3_mem_methods memory;
static atomic_long calls_to_failure;           /* 0: never; then every call fails */

static bool memory_fails(void)
{
    if (atomic_load(&calls_to_failure) == 0 || atomic_fetch_sub(&calls_to_failure, 1) > 1)
        return false;
    atomic_store(&calls_to_failure, 1);
    return true;
}

static void *fail_malloc(int n)
{
    return memory_fails() ? NULL : memory.xMalloc(n);
}

static void *fail_realloc(void *old, int n)
{
    return memory_fails() ? NULL : memory.xRealloc(old, n);
}

/* One operation's whole work, as a command-line program would do it, with a new connection. */
static bool whole_work(bool *ret_committed, struct eb_err *err)
{
    struct journal_accept a = { 0 };
    struct journal_write w = { .action = "member.add", .object = "member:g:u", .touches = "user:u" };
    struct journal_record r = { .id = "op", .issue_key = "ITSM-42", .issue_id = "10042", .object = "member:g:u", .writes = &w, .write_count = 1 };
    struct journal_write_end e = { .state = "done" };
    struct journal_conclusion c = { .id = "op", .outcome = "succeeded", .changed = true, .writes = &e, .write_count = 1 };
    struct db *db = NULL;

    if (!db_open(fx_url, DB_TOOL, &db, err))
        return false;
    bool ok = db_begin(db, err) && fx_accept(db, "op", "key", "body", "ITSM-42", 1, &a, err) && journal_record(db, &r, err) &&
              journal_conclude(db, &c, err) && audit_add(db, fx_key, 1, "operation", "op", "{}", NULL, err) &&
              outbox_put(db, "op", "ITSM-42", "comment", "{}", 1, 1, NULL, err) && db_commit(db, err);
    *ret_committed = ok;
    db_rollback(db);
    struct journal_row row;
    if (ok && journal_get(db, "op", NULL, &row, err))
        journal_row_clear(&row);
    else
        ok = false;
    db_close(db);
    return ok;
}

static void new_directory(void **state)
{
    assert_int_equal(fx_teardown(state), 0);
    fv_reset();
    assert_int_equal(fx_setup(state), 0);
}

/* The n-th allocation and all after it fail, for every n: an error that says so, never a crash, and afterwards all or nothing. */
static void test_no_memory(void **state)
{
    bool committed = false, done = false;
    long n;

    for (n = 1; !done && n < 100000; n += n < 300 ? 1 : 17) {
        struct eb_err err = { 0 };
        new_directory(state);
        committed = false;
        atomic_store(&calls_to_failure, n);
        done = whole_work(&committed, &err);
        atomic_store(&calls_to_failure, 0);
        if (!done && err.text[0] == '\0')
            fail_msg("allocation %ld failed, and nobody said so", n);
        struct db *db = fx_open();
        struct journal_row row;
        struct audit_tally tally;
        assert_int_equal(journal_get(db, "op", NULL, &row, NULL), committed);
        if (committed)
            journal_row_clear(&row);
        FX_OK(audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err));
        assert_int_equal(tally.rows, committed);
        db_close(db);
    }
    assert_true(done);
    assert_true(n > 500);                       /* it did reach the statements */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failing_sync, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, fx_setup, fx_teardown),
    };

    umask(077);
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods failing = memory;
    failing.xMalloc = fail_malloc;
    failing.xRealloc = fail_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    fv_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
