/* test_stage_file.c - the staging file as a file: private, locked, made anew where it is of no use, whole after a kill; and its thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage_fixture.h"

#include "base/loop.h"
#include "base/metrics.h"
#include "store/pin.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

/* ---- what is thrown away, and what never is ---- */

static void put_file(const char *name, const char *text, size_t len)
{
    FILE *f = fopen(fx_path(name), "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
}

static void sql(const char *name, const char *text)
{
    sqlite3 *s;

    assert_int_equal(sqlite3_open(fx_path(name), &s), SQLITE_OK);
    if (sqlite3_exec(s, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(s));
    sqlite3_close(s);
}

/* What lies in the pages from `page` on is lost. */
static void tear(const char *name, int page)
{
    char garbage[8192];
    struct stat st;
    int fd = open(fx_path(name), O_WRONLY);

    memset(garbage, 0xAA, sizeof garbage);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    for (off_t at = (off_t)page * 8192; at < st.st_size; at += (off_t)sizeof garbage)
        assert_int_equal(pwrite(fd, garbage, sizeof garbage, at), sizeof garbage);
    close(fd);
}

static void as_it_is(void) { }
static void other_version(void) { sql("stage.db", "UPDATE stage_version SET version = 4711"); }
static void text(void) { put_file("stage.db", "hello, this is not a database at all", 36); }
static void garbage(void) { char x[20000]; memset(x, 'x', sizeof x); put_file("stage.db", x, sizeof x); }
static void torn(void) { tear("stage.db", 1); }
static void head_torn(void) { tear("stage.db", 0); }
static void empty(void) { put_file("stage.db", "", 0); }
static void foreign(void) { (void)remove(fx_path("stage.db")); sql("stage.db", "CREATE TABLE customers (id INTEGER)"); }
static void our_store(void)
{
    (void)remove(fx_path("stage.db"));
    char url[PATH_MAX + 64];
    struct db *store;
    snprintf(url, sizeof url, "sqlite:%s", fx_path("stage.db"));
    FX_OK(db_open(url, DB_TOOL, &store, &fx_err));
    db_close(store);
}

static void test_open(void **state)
{
    static const struct { void (*before)(void); const char *says; bool kept, reads; const char *why; } cases[] = {
        { as_it_is,      NULL,              true,  true,  "a good one" },
        { other_version, NULL,              false, false, "another program's version" },
        { text,          NULL,              false, false, "no database" },
        { garbage,       NULL,              false, false, "no database, and larger than a page" },
        { torn,          NULL,              false, false, "all pages but the first are lost" },
        { head_torn,     NULL,              false, false, "all is lost" },
        { empty,         NULL,              false, false, "made, and never filled" },
        { foreign,       "another program", false, false, "tables of another program: the name may be a mistake" },
        { our_store,     "another program", false, false, "the journal of a service must never be thrown away" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        FX_OK(stage_state_put(db, "name", "value", &fx_err));
        db_close(db);
        db = NULL;
        cases[i].before();
        struct db *reader;
        bool reads = db_open_stage(fx_path("stage.db"), &reader, &fx_err);
        if (reads)
            db_close(reader);
        if (reads != cases[i].reads || (!reads && fx_err.code != EB_NOT_THERE))
            fail_msg("case %zu (%s): for reading it is %s: %s", i, cases[i].why, reads ? "good" : "refused", fx_err.text);
        bool opened = db_open_staging(fx_path("stage.db"), &db, &fx_err);
        if (opened != (cases[i].says == NULL) || (!opened && strstr(fx_err.text, cases[i].says) == NULL))
            fail_msg("case %zu (%s): %s", i, cases[i].why, opened ? "opened" : fx_err.text);
        if (!opened) {
            assert_int_equal(access(fx_path("stage.db"), F_OK), 0);
            assert_int_equal(remove(fx_path("stage.db")), 0);
            stage_open();
            continue;
        }
        char *value;
        FX_OK(stage_state_get(db, "name", &value, &fx_err));
        if ((value != NULL) != cases[i].kept)
            fail_msg("case %zu (%s): what it held is %s", i, cases[i].why, value != NULL ? "still there" : "gone");
        free(value);
    }
}

static void test_private_and_read_only_beside(void **state)
{
    static const char *const names[] = { "stage.db", "stage.db-wal", "stage.db-shm", "stage.db.lock" };
    struct db *reader;
    struct stat st;
    char *value;

    (void)state;
    FX_OK(stage_state_put(db, "name", "value", &fx_err));
    for (size_t i = 0; i < EB_LEN(names); i++) {
        assert_int_equal(stat(fx_path(names[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    FX_OK(db_open_stage(fx_path("stage.db"), &reader, &fx_err));    /* beside who works on it */
    FX_OK(stage_state_get(reader, "name", &value, &fx_err));
    assert_string_equal(value, "value");
    free(value);
    assert_false(stage_state_put(reader, "name", "other", &fx_err));
    assert_false(db_begin(reader, &fx_err));
    FX_OK(stage_state_put(db, "name", "newer", &fx_err));
    FX_OK(stage_state_get(reader, "name", &value, &fx_err));
    assert_string_equal(value, "newer");
    free(value);
    db_close(reader);
    assert_false(db_open_stage(fx_path("none.db"), &reader, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_int_equal(access(fx_path("none.db"), F_OK), -1);         /* and is not made by looking */
}

/* ---- other processes ---- */

/* The child runs fn, tells through the pipe when it is ready, and is killed. */
static pid_t start(void (*fn)(int ready), int *ret_ready)
{
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        fn(pipes[1]);
        _exit(0);
    }
    close(pipes[1]);
    *ret_ready = pipes[0];
    return pid;
}

static void hold(int ready)
{
    struct db *held;

    if (!db_open_staging(fx_path("stage.db"), &held, NULL) || write(ready, "x", 1) != 1)
        _exit(1);
    pause();
}

static void test_one_process(void **state)
{
    struct db *second;
    char byte, pid_text[32];
    int ready;

    (void)state;
    db_close(db);
    pid_t pid = start(hold, &ready);
    assert_int_equal(read(ready, &byte, 1), 1);
    assert_false(db_open_staging(fx_path("stage.db"), &second, &fx_err));
    assert_int_equal(fx_err.code, EB_OVERLOADED);
    assert_non_null(strstr(fx_err.text, "Another process synchronizes:"));
    snprintf(pid_text, sizeof pid_text, "(process %ld)", (long)pid);
    assert_non_null(strstr(fx_err.text, pid_text));
    FX_OK(db_open_stage(fx_path("stage.db"), &second, &fx_err));    /* reading is free */
    db_close(second);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ready);
    stage_open();                                                   /* the lock went with its process */
}

/* Transaction n puts object n and the number n; after each commit it tells n. */
static void work(int ready)
{
    struct db *mine;
    char id[32], raw[2000];
    const char *to = id;

    if (!db_open_staging(fx_path("stage.db"), &mine, NULL))
        _exit(1);
    memset(raw, 'r', sizeof raw);
    raw[sizeof raw - 1] = '\0';
    for (int64_t n = 1;; n++) {
        snprintf(id, sizeof id, "u%lld", (long long)n);
        if (!db_begin(mine, NULL) || !stage_object_put(mine, &(struct stage_object){ .kind = STAGE_USER, .id = id, .raw = raw }, 1, NULL) ||
            !stage_links_put(mine, "g", STAGE_MEMBER, &to, 1, 1, NULL) || !stage_state_put_number(mine, "n", n, NULL) || !db_commit(mine, NULL) ||
            write(ready, &n, sizeof n) != (ssize_t)sizeof n)
            _exit(1);
    }
}

static void test_kills(void **state)
{
    static const int after[] = { 1, 2, 17, 150, 700 };      /* commits: in the first, in a WAL, with checkpoints */

    (void)state;
    for (size_t i = 0; i < EB_LEN(after); i++) {
        int64_t told = 0, stored = 0, users = -1, n;
        int ready;
        renew();
        db_close(db);
        pid_t pid = start(work, &ready);
        while (told < after[i])
            assert_int_equal(read(ready, &told, sizeof told), sizeof told);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(ready, &n, sizeof n) == (ssize_t)sizeof n)
            told = n;
        close(ready);
        stage_open();
        FX_OK(stage_state_number(db, "n", &stored, &fx_err));
        FX_OK(stage_object_count(db, STAGE_USER, &users, &fx_err));
        if (stored < told || stored > told + 1 || users != stored)
            fail_msg("killed after %d: %lld commits were told, %lld are there, with %lld users", after[i], (long long)told, (long long)stored, (long long)users);
        db_close(db);
        sqlite3 *s;
        sqlite3_stmt *check;
        assert_int_equal(sqlite3_open(fx_path("stage.db"), &s), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(s, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(check), SQLITE_ROW);
        assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
        sqlite3_finalize(check);
        sqlite3_close(s);
        stage_open();
    }
}

/* ---- the thread ---- */

static struct eb_loop *loop;
static struct eb_err job_err;
static bool job_good;

static void job_done(void *arg, const struct eb_err *err)
{
    (void)arg;
    job_good = err == NULL;
    if (err != NULL)
        job_err = *err;
    eb_loop_stop(loop);
}

static bool run(struct store *s, store_fn *fn)
{
    store_submit(s, fn, NULL, job_done);
    eb_loop_run(loop);
    return job_good;
}

static bool put_job(struct db *d, void *arg, struct eb_err *err)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        char id[16], raw[2000];
        snprintf(id, sizeof id, "u%d", i);
        memset(raw, 'r', sizeof raw);
        raw[sizeof raw - 1] = '\0';
        if (!stage_object_put(d, &(struct stage_object){ .kind = STAGE_USER, .id = id, .raw = raw }, 1, err))
            return false;
    }
    return true;
}

static bool refuse_job(struct db *d, void *arg, struct eb_err *err)
{
    (void)arg;
    return stage_state_put(d, "undone", "x", err) && eb_fail(err, EB_INVALID_REQUEST, "no");
}

static bool undone_job(struct db *d, void *arg, struct eb_err *err)
{
    char *value;

    (void)arg;
    if (!stage_state_get(d, "undone", &value, err))
        return false;
    bool there = value != NULL;
    free(value);
    return !there || eb_fail(err, EB_INTERNAL, "the failed job's change is there");
}

static bool read_job(struct db *d, void *arg, struct eb_err *err)
{
    for (int i = 0; i < 200; i++) {
        char id[16], *raw;
        snprintf(id, sizeof id, "u%d", i);
        if (!stage_object_raw(d, id, &raw, err))
            return false;
        free(raw);
    }
    return true;
}

static void test_thread(void **state)
{
    struct store *s, *second;

    (void)state;
    db_close(db);
    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open_stage(fx_path("stage.db"), loop, &s, &fx_err));
    assert_false(store_open_stage(fx_path("stage.db"), loop, &second, &fx_err));
    assert_true(run(s, put_job));
    assert_false(run(s, refuse_job));
    assert_int_equal(job_err.code, EB_INVALID_REQUEST);
    assert_true(run(s, undone_job));                        /* a failed job is a failed job: the next one is as good as ever */
    store_close(s);

    tear("stage.db", 30);                                   /* found by a job only */
    FX_OK(store_open_stage(fx_path("stage.db"), loop, &s, &fx_err));
    assert_false(run(s, read_job));
    assert_non_null(strstr(job_err.text, "damaged"));
    assert_int_equal(access(fx_path("stage.db"), F_OK), -1);
    assert_false(run(s, undone_job));                       /* no run goes on with an empty file as if nothing had happened */
    assert_non_null(strstr(job_err.text, "damaged"));
    assert_false(store_open_stage(fx_path("stage.db"), loop, &second, &fx_err));    /* the lock is still held */
    store_close(s);
    FX_OK(store_open_stage(fx_path("stage.db"), loop, &s, &fx_err));
    assert_true(run(s, put_job));
    store_close(s);
    eb_loop_free(loop);
    eb_metrics_free();
    stage_open();
}

static bool pin_job(struct db *d, void *arg, struct eb_err *err)
{
    char id[64];

    (void)arg;
    return pin_put(d, "group", "VPN Users", "id-1", 1, id, err);
}

static void test_store_beside(void **state)
{
    struct store *service, *beside;

    (void)state;
    FX_OK(eb_loop_new(&loop, &fx_err));
    FX_OK(store_open(fx_url, loop, &service, &fx_err));
    FX_OK(store_open_beside(fx_url, NULL, loop, &beside, &fx_err));
    assert_true(run(beside, pin_job));
    assert_true(run(service, pin_job));
    store_close(service);
    assert_true(run(beside, pin_job));                      /* it outlives the service, and does not keep the next one out */
    FX_OK(store_open(fx_url, loop, &service, &fx_err));
    store_close(service);
    store_close(beside);
    eb_loop_free(loop);
    eb_metrics_free();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_open), TEST(test_private_and_read_only_beside), TEST(test_one_process), TEST(test_kills), TEST(test_thread), TEST(test_store_beside),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
