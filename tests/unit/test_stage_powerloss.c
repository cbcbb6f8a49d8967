/* test_stage_powerloss.c - the power fails at any write to a staging file: its last commits may be lost, but never a part of one.
 *
 * Transaction n puts ten objects with links and the number n. What a cut leaves is put aside and opened: it must be whole, and hold the first n transactions.
 * POWERLOSS_CUTS and POWERLOSS_SEED make longer and other runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "stage_fixture.h"

enum { EACH = 10, CALLS_BETWEEN = 900 };

static size_t setting(const char *name, size_t dflt)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : dflt;
}

static void put_group(int64_t n)
{
    char id[32], raw[3000];

    memset(raw, 'r', sizeof raw);
    raw[sizeof raw - 1] = '\0';
    FX_OK(db_begin(db, &fx_err));
    for (int i = 0; i < EACH; i++) {
        snprintf(id, sizeof id, "u%lld-%d", (long long)n, i);
        put(STAGE_USER, id, raw);
        link_put("g", STAGE_MEMBER, id);
    }
    FX_OK(stage_state_put_number(db, "n", n, &fx_err));
    FX_OK(db_commit(db, &fx_err));
}

static void check_integrity(const char *path)
{
    sqlite3_stmt *s;
    sqlite3 *plain;

    assert_int_equal(sqlite3_open(path, &plain), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(plain, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    sqlite3_close(plain);
}

/* Returns how many transactions the cut has left. */
static int64_t check_cut(const char *dir, int64_t committed)
{
    char path[PATH_MAX + 32];
    int64_t n = 0, users = 0;
    struct db *left;

    snprintf(path, sizeof path, "%s/stage.db", dir);
    fv.aside = true;
    check_integrity(path);
    FX_OK(db_open_staging(path, &left, &fx_err));
    FX_OK(stage_state_number(left, "n", &n, &fx_err));
    FX_OK(stage_object_count(left, STAGE_USER, &users, &fx_err));
    db_close(left);
    fv.aside = false;
    if (users != n * EACH || n > committed + 1)
        fail_msg("after %lld commits the cut has left number %lld and %lld objects", (long long)committed, (long long)n, (long long)users);
    return n;
}

static void new_cut_dir(char *dir, size_t size)
{
    if (dir[0] != '\0')
        nftw(dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(dir, size, "%s", fx_path("cut"));
    assert_int_equal(mkdir(dir, 0700), 0);
    fv.cut_dir = dir;
    fv.cut_done = false;
    fv.calls_to_cut = 1 + (long)(fv_random() % CALLS_BETWEEN);
}

static void test_cuts(void **state)
{
    size_t cuts = setting("POWERLOSS_CUTS", 60);
    char dir[PATH_MAX] = "";
    int64_t n = 0, left = 0;
    struct stat st;

    (void)state;
    db_close(db);
    (void)remove(fx_path("stage.db"));
    fv_reset();
    fv.random = setting("POWERLOSS_SEED", 20261129);
    stage_open();
    for (size_t done = 0; done < cuts; done++) {
        new_cut_dir(dir, sizeof dir);
        while (!fv.cut_done)
            put_group(++n);
        left = check_cut(dir, n);
    }
    assert_int_equal(stat(fx_path("stage.db"), &st), 0);
    assert_true(st.st_size > 1 << 20);  /* a checkpoint was among it, */
    assert_true(left > 0);              /* and what it wrote is not lost */
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_cuts, setup, teardown) };

    umask(077);
    fv_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
