/* test_store.c - opening and refusing a database, and what the database thread promises about jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "store/pin.h"
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>

/* ---- opening ---- */

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_open_is_private(void **state)
{
    (void)state;
    mode_t old = umask(0);
    struct eb_loop *loop;
    struct store *s;

    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open(fx_url, loop, &s, &fx_err));
    assert_int_equal(mode_of(fx_path("test.db")), 0600);
    assert_int_equal(mode_of(fx_path("test.db-wal")), 0600);
    assert_int_equal(mode_of(fx_path("test.db-shm")), 0600);
    assert_int_equal(mode_of(fx_path("test.db.lock")), 0600);
    store_close(s);
    assert_int_equal(chmod(fx_path("test.db"), 0644), 0);
    db_close(fx_open());
    assert_int_equal(mode_of(fx_path("test.db")), 0600);
    eb_loop_free(loop);
    umask(old);
}

static void put_file(const char *name, const char *text, size_t len)
{
    FILE *f = fopen(fx_path(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static void put_database(const char *name, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(fx_path(name), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void make_bad_files(void)
{
    char garbage[20000];

    memset(garbage, 'x', sizeof(garbage));
    put_file("garbage.db", garbage, sizeof(garbage));
    put_file("short.db", "SQLite format 3\0 and then nothing", 34);
    put_file("text.db", "hello", 5);
    put_database("foreign.db", "CREATE TABLE customers (id INTEGER)");
    put_database("newer.db", "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_ms BIGINT NOT NULL); INSERT INTO schema_version VALUES (4711, 0)");
    assert_int_equal(mkdir(fx_path("directory.db"), 0700), 0);
    db_close(fx_open());
    /* A hole torn into a good file: its first page says more than there is. */
    FILE *from = fopen(fx_path("test.db"), "r"), *to = fopen(fx_path("torn.db"), "w");
    size_t n = fread(garbage, 1, 16384, from);
    memset(garbage + 8192, 0xAA, 8192);
    assert_int_equal(fwrite(garbage, 1, n, to), n);
    fclose(from);
    fclose(to);
}

static void test_open_refuses(void **state)
{
    static const struct { const char *url; bool absolute; enum eb_code code; const char *says, *why; } cases[] = {
        { "garbage.db",   false, EB_INTERNAL,        "not a database",           "another file by mistake" },
        { "short.db",     false, EB_INTERNAL,        "not a database",           "a head and no body" },
        { "text.db",      false, EB_INTERNAL,        "not a database",           "shorter than any database" },
        { "torn.db",      false, EB_INTERNAL,        "damaged",                  "a file cut short" },
        { "foreign.db",   false, EB_INTERNAL,        "another program",          "we must not put our tables beside others'" },
        { "newer.db",     false, EB_INTERNAL,        "newer entrabridge",        "an old program would misread it" },
        { "directory.db", false, EB_INTERNAL,        "is not a file",            "a directory" },
        { "no/such.db",   false, EB_OVERLOADED,      "directory must exist",     "a missing directory is not made" },
        { "sqlite:",      true,  EB_INVALID_REQUEST, "path of a file",           "no path" },
        { "postgresql:x", true,  EB_INVALID_REQUEST, "no other database",        "a driver that this build lacks" },
        { "",             true,  EB_INVALID_REQUEST, "no other database",        "nothing" },
    };

    (void)state;
    make_bad_files();
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        char url[PATH_MAX + 128];
        struct db *db = NULL;
        snprintf(url, sizeof(url), cases[i].absolute ? "%s" : "sqlite:%s", cases[i].absolute ? cases[i].url : fx_path(cases[i].url));
        if (db_open(url, DB_SERVE, &db, &fx_err))
            fail_msg("%s was opened: %s", cases[i].url, cases[i].why);
        if (fx_err.code != cases[i].code || strstr(fx_err.text, cases[i].says) == NULL)
            fail_msg("%s (%s): %s: %s", cases[i].url, cases[i].why, eb_code_text(fx_err.code), fx_err.text);
    }
}

static void test_one_service_a_file(void **state)
{
    struct db *first, *second = NULL, *tool;

    (void)state;
    FX_OK(db_open(fx_url, DB_SERVE, &first, &fx_err));
    assert_false(db_open(fx_url, DB_SERVE, &second, &fx_err));
    assert_non_null(strstr(fx_err.text, "Another `entrabridge serve`"));
    char pid[32];
    snprintf(pid, sizeof(pid), "process %ld)", (long)getpid());
    assert_non_null(strstr(fx_err.text, pid));
    FX_OK(db_open(fx_url, DB_TOOL, &tool, &fx_err));        /* the command line works beside it */
    db_close(tool);
    db_close(first);
    FX_OK(db_open(fx_url, DB_SERVE, &second, &fx_err));
    db_close(second);
}

/* ---- the thread ---- */

static struct eb_loop *loop;
static struct store *store;

static int thread_setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open(fx_url, loop, &store, &fx_err));
    return 0;
}

static int thread_teardown(void **state)
{
    store_close(store);
    eb_loop_free(loop);
    eb_metrics_free();
    return fx_teardown(state);
}

enum job_kind { PUT, PUT_AND_FAIL, FAIL, READ };
struct job { enum job_kind kind; int n, row, runs; bool done, ok, found; enum eb_code code; };
static int done_count, done_wanted, done_last;
static bool in_order;

static bool run_job(struct db *db, void *arg, struct eb_err *err)
{
    struct job *j = arg;
    char name[32], id[64];

    j->runs++;
    snprintf(name, sizeof(name), "%d", j->row);
    if (j->kind == READ) {
        j->found = pin_get(db, "user", name, id, NULL);
        return true;
    }
    if (j->kind == FAIL)
        return eb_fail(err, EB_NOT_FOUND, "job %d fails", j->n);
    return pin_put(db, "user", name, "id", 1, id, err) && (j->kind != PUT_AND_FAIL || eb_fail(err, EB_LIMIT_EXCEEDED, "job %d fails", j->n));
}

static void job_done(void *arg, const struct eb_err *err)
{
    struct job *j = arg;

    j->done = true;
    j->ok = err == NULL;
    j->code = err != NULL ? err->code : EB_OK;
    in_order &= j->n == done_last + 1;
    done_last = j->n;
    if (++done_count == done_wanted)
        eb_loop_stop(loop);
}

static void submit_all(struct job *jobs, int count)
{
    done_count = 0;
    done_last = -1;
    done_wanted = count;
    in_order = true;
    for (int i = 0; i < count; i++) {
        jobs[i].n = i;
        jobs[i].row = jobs[i].kind == READ ? jobs[i].row : i;
        store_submit(store, run_job, &jobs[i], job_done);
    }
}

static bool pinned(struct db *db, int n)
{
    char name[32], id[64];

    snprintf(name, sizeof(name), "%d", n);
    return pin_get(db, "user", name, id, NULL);
}

/* Good jobs stay, failed ones leave nothing, all are told in order, whatever groups they fell into. */
static void test_jobs(void **state)
{
    enum { COUNT = 2000 };
    struct job *jobs = calloc(COUNT, sizeof(*jobs));

    (void)state;
    for (int i = 0; i < COUNT; i++)
        jobs[i].kind = i % 50 == 7 ? PUT_AND_FAIL : i % 20 == 3 ? FAIL : PUT;
    submit_all(jobs, COUNT);
    eb_loop_run(loop);
    assert_true(in_order);
    assert_int_equal(store_queue_length(store), 0);
    struct db *db = fx_open();
    for (int i = 0; i < COUNT; i++) {
        static const enum eb_code codes[] = { [PUT] = EB_OK, [PUT_AND_FAIL] = EB_LIMIT_EXCEEDED, [FAIL] = EB_NOT_FOUND };
        assert_int_equal(jobs[i].code, codes[jobs[i].kind]);
        if (pinned(db, i) != (jobs[i].kind == PUT))
            fail_msg("job %d (kind %d): its row is %s", i, jobs[i].kind, pinned(db, i) ? "there" : "missing");
    }
    db_close(db);
    free(jobs);
}

/* A job sees what those before it in the queue have done, also within its group; jobs are run again only when one has to be undone. */
static void test_jobs_see_each_other(void **state)
{
    struct job jobs[] = { { READ }, { PUT }, { READ }, { FAIL }, { PUT }, { PUT } };

    (void)state;
    for (int round = 0; round < 2; round++) {
        submit_all(jobs, EB_LEN(jobs));
        eb_loop_run(loop);
        for (size_t i = 0; i < EB_LEN(jobs); i++)
            assert_int_equal(jobs[i].runs, round + 1);
    }
    struct job pair[] = { { PUT }, { READ, .row = 0 }, { READ, .row = 99 } };
    submit_all(pair, 3);
    eb_loop_run(loop);
    assert_true(pair[1].found);
    assert_false(pair[2].found);
}

/* Patient jobs are told too: by themselves, with another's commit, and by a hurry; each once, and ahead of what came after them. */
static void test_patient_jobs(void **state)
{
    struct job alone[3] = { { PUT, .n = 0, .row = 0 }, { PUT, .n = 1, .row = 1 }, { PUT, .n = 2, .row = 2 } };
    struct job pair[2] = { { PUT, .n = 0, .row = 10 }, { READ, .n = 1, .row = 10 } };
    struct job hurried = { PUT, .n = 0, .row = 20 };

    (void)state;
    submit_all(NULL, 0);
    done_wanted = 3;
    for (int i = 0; i < 3; i++)
        store_submit_patient(store, run_job, &alone[i], job_done);
    eb_loop_run(loop);
    assert_true(in_order && alone[0].ok && alone[2].ok);

    submit_all(NULL, 0);
    done_wanted = 2;
    store_submit_patient(store, run_job, &pair[0], job_done);
    store_submit(store, run_job, &pair[1], job_done);
    eb_loop_run(loop);
    assert_true(in_order && pair[0].ok && pair[1].found);

    submit_all(NULL, 0);
    done_wanted = 1;
    store_submit_patient(store, run_job, &hurried, job_done);
    store_hurry(store);
    eb_loop_run(loop);
    assert_true(hurried.ok);
    assert_int_equal(alone[0].runs + alone[1].runs + alone[2].runs + pair[0].runs + pair[1].runs + hurried.runs, 6);
    assert_int_equal(store_queue_length(store), 0);
}

static void test_close_finishes(void **state)
{
    enum { COUNT = 500 };
    struct job *jobs = calloc(COUNT, sizeof(*jobs));

    (void)state;
    submit_all(jobs, COUNT);
    store_close(store);
    store = NULL;
    eb_loop_run(loop);                      /* stops when the last of them was told */
    for (int i = 0; i < COUNT; i++)
        assert_true(jobs[i].ok);
    struct db *db = fx_open();
    assert_true(pinned(db, COUNT - 1));
    db_close(db);
    free(jobs);
}

static off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_reading_writes_nothing(void **state)
{
    struct job jobs[200];

    (void)state;
    memset(jobs, 0, sizeof(jobs));
    submit_all(jobs, 1);
    eb_loop_run(loop);
    off_t before = size_of(fx_path("test.db-wal"));
    for (size_t i = 0; i < EB_LEN(jobs); i++)
        jobs[i].kind = READ;
    submit_all(jobs, EB_LEN(jobs));
    eb_loop_run(loop);
    assert_true(jobs[0].found);
    assert_int_equal(size_of(fx_path("test.db-wal")), before);
}

/* ---- another process ---- */

static int changes;

static void on_change(void *arg)
{
    (void)arg;
    changes++;
    eb_loop_stop(loop);
}

static void stop_loop(void *arg)
{
    (void)arg;
    eb_loop_stop(loop);
}

static void test_change_by_others(void **state)
{
    struct job own = { PUT };
    struct eb_timer *timer;
    char id[64];

    (void)state;
    changes = 0;
    store_on_change(store, on_change, NULL);
    timer = eb_timer_new(loop, stop_loop, NULL);
    submit_all(&own, 1);
    eb_loop_run(loop);
    eb_timer_set(timer, 700);               /* nearly three looks */
    eb_loop_run(loop);
    assert_int_equal(changes, 0);           /* one's own commits are no news */

    struct db *tool = fx_open();
    int64_t started = eb_mono_ms();
    FX_OK(pin_put(tool, "group", "VPN Users", "g1", 1, id, &fx_err));
    eb_timer_set(timer, 5000);
    eb_loop_run(loop);
    assert_int_equal(changes, 1);
    assert_true(eb_mono_ms() - started < 1000);     /* a new token counts within a second */
    db_close(tool);
    eb_timer_free(timer);
}

/* Somebody holds the write lock for longer than the thread waits: the jobs fail as something that passes, and then it does. */
static void test_locked_by_another(void **state)
{
    struct job jobs[] = { { PUT }, { PUT } };
    struct db *tool = fx_open();

    (void)state;
    FX_OK(db_begin(tool, &fx_err));
    submit_all(jobs, EB_LEN(jobs));
    eb_loop_run(loop);
    assert_int_equal(jobs[0].code, EB_OVERLOADED);
    assert_int_equal(jobs[1].code, EB_OVERLOADED);
    db_rollback(tool);
    submit_all(jobs, EB_LEN(jobs));
    eb_loop_run(loop);
    assert_true(jobs[0].ok && jobs[1].ok);
    assert_true(pinned(tool, 1));
    db_close(tool);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open_is_private, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_open_refuses, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_one_service_a_file, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_jobs, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_jobs_see_each_other, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_patient_jobs, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_close_finishes, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_reading_writes_nothing, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_change_by_others, thread_setup, thread_teardown),
        cmocka_unit_test_setup_teardown(test_locked_by_another, thread_setup, thread_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
