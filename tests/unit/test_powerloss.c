/* test_powerloss.c - the power fails at any write: what was reported is there, nothing is half, the audit chain holds.
 *
 * Operations go through accept, record and conclude in groups, as the database thread makes them. At random calls of the file system
 * the disk as a power cut may leave it is put aside, opened, and compared with what had been reported by then.
 * POWERLOSS_CUTS and POWERLOSS_SEED make longer and other runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fault_vfs.h"
#include "store_fixture.h"

#include "base/hash.h"
#include "store/outbox.h"

enum { STAGES = 3, GROUP_MOST = 6, UNDER_WAY = 12, RECENT = 40, SAMPLE = 20 };

struct op { char id[EB_ID_LEN]; int reported, tried; };     /* stages: 1 accepted, 2 recorded, 3 concluded */
struct run { struct op *ops; size_t count, first_open; int64_t now_ms; };

static void op_name(struct op *op, size_t n)
{
    snprintf(op->id, sizeof(op->id), "01930000-0000-7000-8000-%012x", (unsigned)n);
}

static bool do_accept(struct db *db, const struct op *op, int64_t now_ms, struct eb_err *err)
{
    char key[EB_HEX_LEN];
    struct journal_accept a;

    eb_sha256_hex(op->id, sizeof(op->id), key);
    return fx_accept(db, op->id, key, key, "ITSM-42", now_ms, &a, err);
}

static bool do_record(struct db *db, const struct op *op, int64_t now_ms, struct eb_err *err)
{
    struct journal_write w = { .action = "member.add", .object = op->id, .touches = "user:1" };
    struct journal_record r = { .id = op->id, .issue_key = "ITSM-42", .issue_id = "10042", .before = "{\"member\":false}", .object = op->id,
                                .touches = "user:1", .writes = &w, .write_count = 1, .now_ms = now_ms };

    return journal_record(db, &r, err);
}

static bool do_conclude(struct db *db, const struct op *op, int64_t now_ms, struct eb_err *err)
{
    struct journal_write_end w = { .state = "done", .status = 204 };
    struct journal_conclusion c = { .id = op->id, .outcome = "succeeded", .answer = "{}", .changed = true, .now_ms = now_ms, .writes = &w, .write_count = 1 };

    return journal_conclude(db, &c, err) && audit_add(db, fx_key, now_ms, "operation", op->id, "{\"outcome\":\"succeeded\"}", NULL, err) &&
           outbox_put(db, op->id, "ITSM-42", "comment", "{\"type\":\"doc\"}", now_ms, now_ms, NULL, err);
}

static bool (*const stages[STAGES])(struct db *, const struct op *, int64_t, struct eb_err *) = { do_accept, do_record, do_conclude };

/* One step of some of the operations under way, in one transaction. `tried` runs ahead of `reported` until the commit. */
static bool run_group(struct db *db, struct run *r, struct eb_err *err)
{
    size_t jobs = 1 + fv_random() % GROUP_MOST;

    if (!db_begin(db, err))
        return false;
    while (jobs-- > 0) {
        struct op *op = &r->ops[r->first_open + fv_random() % UNDER_WAY];
        if (op->tried == STAGES)
            continue;
        if (!stages[op->tried](db, op, r->now_ms++, err))
            return false;
        op->tried++;
    }
    return db_commit(db, err);
}

static void group_end(struct run *r, bool committed)
{
    for (size_t i = r->first_open; i < r->first_open + UNDER_WAY; i++) {
        if (committed)
            r->ops[i].reported = r->ops[i].tried;
        r->ops[i].tried = r->ops[i].reported;
    }
    while (r->ops[r->first_open].reported == STAGES)
        r->first_open++;
}

/* What the database holds of it: 0 to 3. Half a stage ends the test. */
static int stage_found(struct db *db, const struct op *op)
{
    struct journal_write_row writes[2];
    struct journal_row row;
    size_t n;

    if (!journal_get(db, op->id, NULL, &row, &fx_err)) {
        if (fx_err.code != EB_OPERATION_NOT_FOUND)
            fail_msg("%s", fx_err.text);
        return 0;
    }
    FX_OK(journal_writes(db, op->id, writes, 2, &n, &fx_err));
    int stage = strcmp(row.state, "ended") == 0 ? 3 : row.before != NULL ? 2 : 1;
    assert_int_equal(n, stage >= 2 ? 1 : 0);
    if (stage >= 2)
        assert_string_equal(writes[0].state, stage == 3 ? "done" : "pending");
    journal_row_clear(&row);
    return stage;
}

static bool count_row(void *ctx, const struct outbox_row *r)
{
    (void)r;
    ++*(int64_t *)ctx;
    return true;
}

static void check_whole(const char *path)
{
    sqlite3 *plain;
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_open(path, &plain), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(plain, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal(sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_prepare_v2(plain, "PRAGMA foreign_key_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(plain);
}

/* Opens what the cut has left. Operations whose group was under way may be before or after it, but all on the same side. */
static void check_cut(const struct run *r, const char *dir, size_t cut)
{
    char url[PATH_MAX + 32];
    int64_t ended = 0, comments = 0;
    struct audit_tally audited;
    int with = 0, without = 0;
    struct db *db = NULL;

    snprintf(url, sizeof(url), "sqlite:%s/test.db", dir);
    fv.aside = true;
    check_whole(url + strlen("sqlite:"));
    FX_OK(db_open(url, DB_TOOL, &db, &fx_err));
    /* Of those that ended long ago some are looked at; the numbers of audit rows and comments stand for all. */
    for (size_t i = 0; i < r->first_open + UNDER_WAY; i++) {
        const struct op *op = &r->ops[i];
        if (i + RECENT < r->first_open && fv_random() % r->first_open > SAMPLE) {
            ended++;
            continue;
        }
        int found = stage_found(db, op);
        if (found != op->reported && found != op->tried)
            fail_msg("cut %zu: operation %zu was reported at stage %d and found at %d", cut, i, op->reported, found);
        if (op->tried != op->reported)
            found == op->tried ? with++ : without++;
        ended += found == STAGES;
    }
    if (with > 0 && without > 0)
        fail_msg("cut %zu: half a transaction: %d operations with it, %d without", cut, with, without);
    FX_OK(audit_verify(db, fx_key, &audited, NULL, NULL, &fx_err));
    assert_int_equal(audited.rows, ended);
    FX_OK(outbox_list(db, NULL, 0, count_row, &comments, &fx_err));
    assert_int_equal(comments, ended);
    db_close(db);
    fv.aside = false;
}

static void new_cut_dir(char *dir, size_t size)
{
    nftw(dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    snprintf(dir, size, "%s", fx_path("cut"));
    assert_int_equal(mkdir(dir, 0700), 0);
    fv.cut_dir = dir;
    fv.cut_done = false;
}

static size_t setting(const char *name, size_t dflt)
{
    const char *text = getenv(name);

    return text != NULL ? strtoul(text, NULL, 10) : dflt;
}

static void run_start(struct run *r, size_t most)
{
    *r = (struct run){ .ops = calloc(most + UNDER_WAY, sizeof(struct op)), .count = most, .now_ms = 1000000 };
    for (size_t i = 0; i < most + UNDER_WAY; i++)
        op_name(&r->ops[i], i + 1);
}

static void test_cuts(void **state)
{
    size_t cuts = setting("POWERLOSS_CUTS", 300), done = 0;
    char dir[PATH_MAX] = "";
    struct run r;

    (void)state;
    fv_reset();
    fv.random = setting("POWERLOSS_SEED", 20261122);
    run_start(&r, cuts * 40);
    struct db *db = fx_open();
    while (done < cuts) {
        if (fv.calls_to_cut == 0) {
            new_cut_dir(dir, sizeof(dir));
            fv.calls_to_cut = 1 + (long)(fv_random() % 80);
        }
        bool committed = false;
        FX_OK((committed = run_group(db, &r, &fx_err)));
        if (fv.cut_done) {
            check_cut(&r, dir, done++);
            fv.cut_done = false;
        }
        group_end(&r, committed);
        assert_true(r.first_open < r.count);
    }
    db_close(db);
    free(r.ops);
}

/* While the file is made and brought to its version: after the cut a start must succeed, at whatever point it was. */
static void test_cuts_at_birth(void **state)
{
    bool cut = true;

    (void)state;
    fv.random = setting("POWERLOSS_SEED", 20261122);
    for (long call = 1; cut; call++) {
        struct run r;
        char dir[PATH_MAX] = "";
        fv_reset();
        nftw(fx_dir, fx_remove_one, 16, FTW_DEPTH | FTW_PHYS);
        assert_int_equal(mkdir(fx_dir, 0700), 0);
        new_cut_dir(dir, sizeof(dir));
        fv.calls_to_cut = call;
        struct db *db = fx_open();
        cut = fv.cut_done;
        db_close(db);
        run_start(&r, 0);
        if (cut)
            check_cut(&r, dir, (size_t)call);
        free(r.ops);
        assert_true(call < 2000);
    }
}

/* The sync itself fails: the group is reported as failed. Whether the disk has it is open until the next commit; half of it never is. */
static void test_cut_after_failed_sync(void **state)
{
    struct run r;
    char dir[PATH_MAX] = "";

    (void)state;
    fv_reset();
    fv.random = setting("POWERLOSS_SEED", 20261122);
    run_start(&r, 4000);
    struct db *db = fx_open();
    for (size_t i = 0; i < 100; i++) {
        fv.sync_fails = true;
        bool committed = run_group(db, &r, &fx_err);
        fv.sync_fails = false;
        if (!committed)
            assert_int_equal(fx_err.code, EB_OVERLOADED);
        for (size_t k = r.first_open; k < r.first_open + UNDER_WAY && committed; k++)
            assert_int_equal(r.ops[k].tried, r.ops[k].reported);    /* good only where nothing was to be written */
        db_rollback(db);
        new_cut_dir(dir, sizeof(dir));
        fv_cut(dir);
        check_cut(&r, dir, i);
        group_end(&r, committed);
        for (committed = false; !committed;) {          /* goes on, and with the next commit nothing of the failed one can be left */
            FX_OK(run_group(db, &r, &fx_err));
            for (size_t k = r.first_open; k < r.first_open + UNDER_WAY; k++)
                committed |= r.ops[k].tried != r.ops[k].reported;
        }
        group_end(&r, true);
        new_cut_dir(dir, sizeof(dir));
        fv_cut(dir);
        check_cut(&r, dir, i);
    }
    db_close(db);
    free(r.ops);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cuts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_cuts_at_birth, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_cut_after_failed_sync, fx_setup, fx_teardown),
    };

    umask(077);
    fv_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
