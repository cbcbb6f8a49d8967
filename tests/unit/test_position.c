/* test_position.c - an older copy of the database is noticed, and nothing else is taken for one: not a crash, not a power cut, not a torn write.
 *
 * Copies are made with SQLite's own backup, as an operator makes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "store_fixture.h"

#include "store/position.h"

enum { SECTOR = 512, FILE_MAX = 8 * SECTOR };

static const char token_a[] = "0f6c2a1e-1111-4222-8333-444444444444", token_b[] = "0f6c2a1e-1111-4222-8333-555555555555";

static struct db *open_followed(enum db_open_mode mode)
{
    struct db *db = NULL;

    FX_OK(db_open(fx_url, mode, &db, &fx_err));
    FX_OK(db_follow(db, fx_dir, mode, &fx_err));
    return db;
}

static bool add_row(struct db *db, void *arg, struct eb_err *err)
{
    (void)arg;
    return audit_add(db, fx_key, 1000, "test", NULL, "{}", NULL, err);
}

static void change(struct db *db, int times)
{
    while (times-- > 0)
        FX_OK(db_transact(db, add_row, NULL, &fx_err));
}

static struct position_look look_at(const char *url)
{
    struct position_look l = { 0 };
    struct db *db = NULL;

    FX_OK(db_open(url, DB_TOOL, &db, &fx_err));
    FX_OK(position_look(db, fx_dir, &l, &fx_err));
    db_close(db);
    return l;
}

static void backup(const char *name)
{
    sqlite3 *from, *to;

    assert_int_equal(sqlite3_open(fx_path("test.db"), &from), SQLITE_OK);
    assert_int_equal(sqlite3_open(fx_path(name), &to), SQLITE_OK);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
    sqlite3_backup_finish(b);
    sqlite3_close(from);
    sqlite3_close(to);
}

static void put_back(const char *name)
{
    char command[3 * PATH_MAX + 256];

    snprintf(command, sizeof command, "cd '%s' && rm -f test.db-wal test.db-shm && cp %s test.db", fx_dir, name);
    assert_int_equal(system(command), 0);
}

static size_t file_read(char bytes[FILE_MAX])
{
    int fd = open(fx_path(POSITION_FILE), O_RDONLY);
    ssize_t n = read(fd, bytes, FILE_MAX);

    close(fd);
    assert_true(n >= 0);
    return (size_t)n;
}

static void file_write(const char *bytes, size_t len)
{
    int fd = open(fx_path(POSITION_FILE), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* ---- copies ---- */

static void make_history(void)
{
    struct db *db = open_followed(DB_SERVE);

    change(db, 3);
    backup("old.db");
    change(db, 4);
    backup("now.db");
    db_close(db);
}

static void test_copies(void **state)
{
    static const struct { const char *copy; enum position_verdict verdict; int64_t behind; const char *why; } cases[] = {
        { NULL, POSITION_GOOD, 0, "as it was left" },
        { "now.db", POSITION_GOOD, 0, "a copy of just now has everything" },
        { "old.db", POSITION_BEHIND, 4, "an older one does not" },
    };

    (void)state;
    make_history();
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        if (cases[i].copy != NULL)
            put_back(cases[i].copy);
        struct position_look l = look_at(fx_url);
        if (l.verdict != cases[i].verdict || l.known.number - l.database.number != cases[i].behind || l.known.audit - l.database.audit != cases[i].behind)
            fail_msg("%s: verdict %d, %lld of %lld", cases[i].why, l.verdict, (long long)l.database.number, (long long)l.known.number);
    }
}

/* A service does not start on it; a program beside it looks, and changes nothing, or the database would creep up to where the file is. */
static void test_refused(void **state)
{
    struct db *db = NULL;

    (void)state;
    make_history();
    put_back("old.db");
    FX_OK(db_open(fx_url, DB_SERVE, &db, &fx_err));
    assert_false(db_follow(db, fx_dir, DB_SERVE, &fx_err));
    assert_non_null(strstr(fx_err.text, "recover --after-restore"));
    db_close(db);
    db = open_followed(DB_TOOL);
    assert_false(db_transact(db, add_row, NULL, &fx_err));
    assert_non_null(strstr(fx_err.text, "recover --after-restore"));
    db_close(db);
    assert_int_equal(look_at(fx_url).verdict, POSITION_BEHIND);
}

static void test_another_database(void **state)
{
    (void)state;
    make_history();
    FX_OK(unlink(fx_path("test.db")) == 0);
    assert_int_equal(look_at(fx_url).verdict, POSITION_OTHER);      /* a new, empty one */
}

/* ---- the file ---- */

static void test_file(void **state)
{
    char whole[FILE_MAX], bytes[FILE_MAX];

    (void)state;
    make_history();
    size_t len = file_read(whole);
    struct { const char *why; size_t keep, spoil; enum position_verdict verdict; } cases[] = {
        { "whole", len, len, POSITION_GOOD },
        { "the entry of even numbers torn", len, 20, POSITION_GOOD },
        { "its checksum", len, 100, POSITION_GOOD },
        { "the entry of odd numbers torn", len, SECTOR + 20, POSITION_GOOD },
        { "cut off behind the first", SECTOR, len, POSITION_GOOD },
        { "cut off within it", 50, len, POSITION_SPOILT },
        { "empty", 0, len, POSITION_SPOILT },
    };
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        memcpy(bytes, whole, len);
        if (cases[i].spoil < len)
            bytes[cases[i].spoil] ^= 0x11;
        file_write(bytes, cases[i].keep);
        struct position_look l = look_at(fx_url);
        if (l.verdict != cases[i].verdict || (l.verdict == POSITION_GOOD && (l.spoilt != 0) != (cases[i].spoil < len)))
            fail_msg("%s: verdict %d, spoilt %d", cases[i].why, l.verdict, l.spoilt);
    }
    unlink(fx_path(POSITION_FILE));
    assert_int_equal(look_at(fx_url).verdict, POSITION_MISSING);
}

/* Even the newest entry torn, one further back than a backup cannot pass for it. */
static void test_torn_and_older(void **state)
{
    char bytes[FILE_MAX];

    (void)state;
    make_history();
    size_t len = file_read(bytes);
    for (size_t entry = 0; entry < 2; entry++) {
        char torn[FILE_MAX];
        memcpy(torn, bytes, len);
        memset(torn + entry * SECTOR, '#', SECTOR);
        file_write(torn, len);
        put_back("old.db");
        assert_int_equal(look_at(fx_url).verdict, POSITION_BEHIND);
        put_back("now.db");
        db_close(open_followed(DB_SERVE));                          /* starts, and mends the file */
        assert_int_equal(look_at(fx_url).spoilt, 0);
    }
}

/* The first start may be cut off between the file and the database. */
static void test_first_start_cut_off(void **state)
{
    (void)state;
    struct db *db = open_followed(DB_SERVE);
    db_close(db);
    sqlite3 *plain;
    assert_int_equal(sqlite3_open(fx_path("test.db"), &plain), SQLITE_OK);
    assert_int_equal(sqlite3_exec(plain, "DELETE FROM counters WHERE name = 'generation'; UPDATE counters SET value = 0 WHERE name = 'position'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(plain);
    assert_int_equal(look_at(fx_url).verdict, POSITION_FRESH);
    db = open_followed(DB_SERVE);
    change(db, 1);
    db_close(db);
    assert_int_equal(look_at(fx_url).verdict, POSITION_GOOD);
}

/* A service and programs beside it: none takes the file back. */
static void test_side_by_side(void **state)
{
    (void)state;
    struct db *service = open_followed(DB_SERVE);
    change(service, 1);
    struct db *one = open_followed(DB_TOOL), *other = open_followed(DB_TOOL);
    for (int i = 0; i < 20; i++) {
        change(i % 3 == 0 ? service : i % 3 == 1 ? one : other, 1);
        struct position_look l = look_at(fx_url);
        assert_int_equal(l.known.number, l.database.number);
        assert_int_equal(l.known.audit, l.database.audit);
    }
    db_close(one);
    db_close(other);
    db_close(service);
}

static bool read_only(struct db *db, void *arg, struct eb_err *err)
{
    return audit_last(db, arg, err);
}

static void test_reading_raises_nothing(void **state)
{
    int64_t number;

    (void)state;
    struct db *db = open_followed(DB_SERVE);
    change(db, 1);
    int64_t before = look_at(fx_url).database.number;
    FX_OK(db_transact(db, read_only, &number, &fx_err));
    assert_int_equal(look_at(fx_url).database.number, before);
    assert_true(db_begin(db, &fx_err) && add_row(db, NULL, &fx_err));
    db_rollback(db);
    assert_int_equal(look_at(fx_url).known.number, before);
    db_close(db);
}

/* ---- the recovery ---- */

static struct position renewed;

static bool renew(struct db *db, void *arg, struct eb_err *err)
{
    (void)arg;
    return position_renew(db, fx_dir, 2000, &renewed, err);
}

static void test_recovery(void **state)
{
    (void)state;
    make_history();
    put_back("old.db");
    struct db *db = fx_open();
    FX_OK(db_begin(db, &fx_err));
    FX_OK(renew(db, NULL, &fx_err));
    db_rollback(db);                                                /* killed before the commit */
    assert_int_equal(look_at(fx_url).verdict, POSITION_BEHIND);
    FX_OK(db_transact(db, renew, NULL, &fx_err));                   /* killed after it */
    db_close(db);
    assert_int_equal(look_at(fx_url).verdict, POSITION_GOOD);
    db_close(open_followed(DB_SERVE));
    put_back("now.db");                                             /* what was before the recovery is of another generation */
    assert_int_equal(look_at(fx_url).verdict, POSITION_OTHER);
    FX_OK(db_transact(db = fx_open(), renew, NULL, &fx_err));
    FX_OK(position_renewed(fx_dir, &renewed, &fx_err));
    db_close(db);
    assert_int_equal(look_at(fx_url).verdict, POSITION_GOOD);
}

/* ---- tokens ---- */

static bool see_token(void *ctx, bool revoked, const char *id, int64_t time_ms)
{
    char *text = ctx;

    sprintf(text + strlen(text), "%c%c%lld ", revoked ? '-' : '+', id[35] == '4' ? 'a' : 'b', (long long)time_ms);
    return true;
}

static void test_tokens(void **state)
{
    char text[256] = "";

    (void)state;
    FX_OK(position_tokens(fx_dir, see_token, text, &fx_err));
    assert_string_equal(text, "");                                  /* no file yet */
    FX_OK(position_note_token(fx_dir, POSITION_MADE, token_a, 1000, &fx_err));
    FX_OK(position_note_token(fx_dir, POSITION_MADE, token_b, 2000, &fx_err));
    FILE *f = fopen(fx_path(POSITION_TOKENS), "a");
    fputs("1970-01-01T00:00:03.000Z revoked 0f6c2a", f);            /* the power went */
    fclose(f);
    FX_OK(position_note_token(fx_dir, POSITION_REVOKED, token_a, 4000, &fx_err));
    FX_OK(position_tokens(fx_dir, see_token, text, &fx_err));
    assert_string_equal(text, "+a1000 +b2000 -a4000 ");
}

/* ---- the power fails ---- */

static char at_cut[FILE_MAX];
static size_t at_cut_len;

static void keep_file(void)
{
    at_cut_len = file_read(at_cut);
}

/* All that was written to the file by then may have survived: it must not say more than the disk has. */
static void test_power_cuts(void **state)
{
    char dir[PATH_MAX], url[PATH_MAX + 32], kept[FILE_MAX];

    (void)state;
    fv_reset();
    fv.random = 20261129;
    fv.on_cut = keep_file;
    struct db *db = open_followed(DB_SERVE);
    for (int cut = 0; cut < 150;) {
        snprintf(dir, sizeof dir, "%s", fx_path("cut"));
        nftw(dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        assert_int_equal(mkdir(dir, 0700), 0);
        fv.cut_dir = dir;
        fv.cut_done = false;
        fv.calls_to_cut = 1 + (long)(fv_random() % 6);
        change(db, 1);
        if (!fv.cut_done)
            continue;
        size_t now = file_read(kept);
        file_write(at_cut, at_cut_len);
        snprintf(url, sizeof url, "sqlite:%s/test.db", dir);
        fv.aside = true;
        struct position_look l = look_at(url);
        fv.aside = false;
        if (l.verdict != POSITION_GOOD)
            fail_msg("cut %d: verdict %d, %lld of %lld", cut, l.verdict, (long long)l.database.number, (long long)l.known.number);
        assert_true(l.database.number <= l.known.number + 1);
        file_write(kept, now);
        cut++;
    }
    fv.on_cut = NULL;
    db_close(db);
}

/* The flush fails: nothing is said to have been committed. */
static void test_failed_commits(void **state)
{
    (void)state;
    fv_reset();
    struct db *db = open_followed(DB_SERVE);
    for (int i = 0; i < 50; i++) {
        fv.sync_fails = i % 3 == 0;
        bool ok = db_transact(db, add_row, NULL, &fx_err);
        fv.sync_fails = false;
        fv.aside = true;
        struct position_look l = look_at(fx_url);
        fv.aside = false;
        if (l.verdict != POSITION_GOOD || (ok && l.known.number != l.database.number))
            fail_msg("commit %d: verdict %d, %lld of %lld", i, l.verdict, (long long)l.database.number, (long long)l.known.number);
    }
    db_close(db);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copies, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_refused, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_another_database, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_file, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_torn_and_older, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_first_start_cut_off, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_side_by_side, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_reading_raises_nothing, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_recovery, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_tokens, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_power_cuts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_failed_commits, fx_setup, fx_teardown),
    };

    umask(077);
    fv_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
