/* test_audit.c - the audit trail in the store: what was changed, taken out or erased, and by whom that is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "open_store.h"

#include "base/log.h"

#include <sqlite3.h>

/* What somebody with the file in hand could do. */
static void tamper(const char *sql)
{
    sqlite3 *plain;
    char *text = NULL;

    assert_int_equal(sqlite3_open(fx_path("test.db"), &plain), SQLITE_OK);
    if (sqlite3_exec(plain, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
    sqlite3_close(plain);
}

/* Odd rows have a personal record. */
static void add(int64_t n, const char *operation)
{
    char data[64], personal[128];
    struct audit_row row;

    snprintf(data, sizeof(data), "{\"n\":%lld}", (long long)n);
    snprintf(personal, sizeof(personal), "{\"userPrincipalName\":\"user%lld@contoso.com\",\"userId\":\"id-%lld\"}", (long long)n, (long long)n);
    FX_OK(audit_add_personal(db, fx_key, 1000 + n, "operation", operation, data, n % 2 == 1 ? personal : NULL, &row, &fx_err));
    assert_int_equal(row.number, n);
    assert_int_equal(strlen(row.hash), 64);
}

static void test_audit_tampering(void **state)
{
    static const struct { const char *sql, *says; bool adds; const char *why; } cases[] = {
        { "SELECT 1",                                                         NULL,               false, "untouched" },
        { "SELECT 1",                                                         NULL,               true,  "untouched, and going on" },
        { "UPDATE audit SET data = '{\"n\":6}' WHERE number = 5",             "row 5 was changed", false, "another content" },
        { "UPDATE audit SET time_ms = time_ms + 1 WHERE number = 5",          "row 5 was changed", false, "another time" },
        { "UPDATE audit SET operation = NULL WHERE number = 5",               "row 5 was changed", false, "of no operation" },
        { "UPDATE audit SET event = 'operation2' WHERE number = 5",           "row 5 was changed", false, "another event" },
        { "UPDATE audit SET event = 'operatio', operation = 'nop' WHERE number = 5", "row 5 was changed", false, "a letter from one column to the next" },
        { "UPDATE audit SET hash = (SELECT hash FROM audit WHERE number = 4) WHERE number = 5", "row 5 was changed", false, "another hash" },
        { "UPDATE audit SET previous = hash WHERE number = 5",                "row 5 was changed", false, "another predecessor" },
        { "DELETE FROM audit WHERE number = 5",                               "row 5 is missing", false, "a row taken out" },
        { "DELETE FROM audit WHERE number = 5",                               "row 5 is missing", true,  "the same, found after more rows" },
        { "DELETE FROM audit WHERE number = 1",                               "row 1 is missing", false, "the first row" },
        { "DELETE FROM audit WHERE number = 5; UPDATE audit SET number = number - 1 WHERE number > 5", "row 5 was changed", false, "and the gap closed" },
        { "UPDATE audit SET number = -1 WHERE number = 5",                    "out of order",     false, "a row moved before the first" },
        { "DELETE FROM audit WHERE number > 7",                               "missing at the end", false, "the end cut off" },
        { "DELETE FROM audit WHERE number > 7",                               "row 8 is missing", true,  "the end cut off, and going on" },
        { "DELETE FROM audit WHERE number > 7; UPDATE audit_head SET number = 7, hash = (SELECT hash FROM audit WHERE number = 7)",
          "does not fit its seal", false, "the end cut off, and the head set back" },
        { "DELETE FROM audit WHERE number > 7; UPDATE audit_head SET number = 7, hash = (SELECT hash FROM audit WHERE number = 7)",
          "does not fit its seal", true, "the same, and going on: the next seal must not heal it" },
        { "DELETE FROM audit_head",                                           "not put there",    false, "the head taken away" },
        { "DELETE FROM audit_head",                                           "row 11 was changed|does not follow|seal", true, "the same, and going on" },
        { "DELETE FROM audit",                                                "missing at the end", false, "all of it" },
        { "INSERT INTO audit SELECT 11, time_ms, event, operation, data, previous, hash, personal FROM audit WHERE number = 10", "not put there", false, "a row put at the end" },
        { "UPDATE audit_personal SET data = replace(data, 'user5', 'user6') WHERE number = 5", "personal record of audit row 5 was changed", false, "another person" },
        { "UPDATE audit_personal SET salt = 'aa' WHERE number = 5",           "personal record of audit row 5 was changed", false, "another salt" },
        { "UPDATE audit_personal SET salt = (SELECT salt FROM audit_personal WHERE number = 3), data = (SELECT data FROM audit_personal WHERE number = 3)"
          " WHERE number = 5",                                                "personal record of audit row 5 was changed", false, "that of another row" },
        { "UPDATE audit_personal SET number = 6 WHERE number = 5",            "row 5 is missing|row 6 had no", false, "a record moved to a row without one" },
        { "UPDATE audit_personal SET number = 60 WHERE number = 5",           "record of audit row 5 is missing", false, "a record moved to no row" },
        { "INSERT INTO audit_personal (number, salt, data) VALUES (60, '', '')", "but no such row", false, "a record of no row" },
        { "INSERT INTO audit_personal (number, salt, data) VALUES (6, '', '')", "row 6 had no personal record", false, "a record put to a row that had none" },
        { "DELETE FROM audit_personal WHERE number = 5",                      "record of audit row 5 is missing, and no `audit erase`", false, "a record taken out by hand" },
        { "DELETE FROM audit_personal WHERE number = 5",                      "record of audit row 5 is missing", true, "the same, and going on" },
        { "UPDATE audit SET personal = NULL WHERE number = 5; DELETE FROM audit_personal WHERE number = 5", "row 5 was changed", false,
          "as if there had been no record" },
        { "UPDATE audit SET personal = (SELECT personal FROM audit WHERE number = 3) WHERE number = 5", "Audit row 5 was changed", false, "another record's hash" },
        { "UPDATE audit SET personal = (SELECT personal FROM audit WHERE number = 3) WHERE number = 5; UPDATE audit_personal SET"
          " salt = (SELECT salt FROM audit_personal WHERE number = 3), data = (SELECT data FROM audit_personal WHERE number = 3) WHERE number = 5",
          "Audit row 5 was changed", false, "another row's record with its hash: the row's hash covers it" },
        { "UPDATE audit SET personal = '' WHERE number = 5",                  "is no hash",       false, "a hash cut to nothing" },
        { "DELETE FROM audit_personal WHERE number = 5; INSERT INTO audit SELECT 11, time_ms, 'audit.erase', NULL, '{\"rows\":[5]}', previous, hash, NULL"
          " FROM audit WHERE number = 10",                                    "not put there",    false, "an erasure made up" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(cases); i++) {
        struct audit_tally tally;
        teardown(state);
        assert_int_equal(setup(state), 0);
        for (int64_t n = 1; n <= 10; n++)
            add(n, "op");
        tamper(cases[i].sql);
        for (int n = 0; n < 3 && cases[i].adds; n++)
            FX_OK(audit_add_personal(db, fx_key, 2000, "operation", "op", "{}", "{}", NULL, &fx_err));     /* the service goes on */
        bool ok = audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err);
        if (ok != (cases[i].says == NULL))
            fail_msg("case %zu (%s): %s", i, cases[i].why, ok ? "not noticed" : fx_err.text);
        if (ok)
            assert_int_equal(tally.rows, cases[i].adds ? 13 : 10);
        bool said = ok;
        char says[128];
        snprintf(says, sizeof(says), "%s", ok ? "" : cases[i].says);
        for (char *save, *one = strtok_r(says, "|", &save); one != NULL; one = strtok_r(NULL, "|", &save))
            said |= strstr(fx_err.text, one) != NULL;
        if (!said)
            fail_msg("case %zu (%s): %s", i, cases[i].why, fx_err.text);
    }
}

static int64_t progress_last, progress_total;

static void on_progress(void *ctx, int64_t done, int64_t total)
{
    (void)ctx;
    assert_true(done >= progress_last);
    progress_last = done;
    progress_total = total;
}

static bool count_audit(void *ctx, const struct audit_row *r)
{
    (void)r;
    return --*(int *)ctx > 0;
}

/* Over several pages; with texts that hold what the hash is made of; with another key nothing fits. */
static void test_audit_walk(void **state)
{
    uint8_t other[AUDIT_KEY_LEN] = "another key";
    struct audit_tally tally;
    int most = 2000;

    (void)state;
    FX_OK(audit_verify(db, fx_key, &tally, on_progress, NULL, &fx_err));        /* nothing yet */
    assert_int_equal(tally.rows, 0);
    FX_OK(db_begin(db, &fx_err));
    FX_OK(audit_add(db, fx_key, -5, "a\n7:b", NULL, "", NULL, &fx_err));
    FX_OK(audit_add(db, fx_key, 0, "", "", "\xF0\x9F\x94\x91 {\"\n\"}", NULL, &fx_err));
    for (int64_t n = 3; n <= 1200; n++)
        add(n, n % 3 == 0 ? NULL : "op");
    FX_OK(db_commit(db, &fx_err));
    FX_OK(audit_verify(db, fx_key, &tally, on_progress, NULL, &fx_err));
    assert_int_equal(tally.rows, 1200);
    assert_int_equal(progress_last, 1200);
    assert_int_equal(progress_total, 1200);
    assert_false(audit_verify(db, other, &tally, NULL, NULL, &fx_err));
    FX_OK(audit_list(db, 1201, count_audit, &most, &fx_err));
    assert_int_equal(2000 - most, 1000);                                        /* those from 1201 to 2200 */
    most = 3;
    FX_OK(audit_list(db, INT64_MIN, count_audit, &most, &fx_err));
    assert_int_equal(most, 0);
}

/* A row that was rolled back leaves no trace: the next one takes its number. */
static void test_audit_rollback(void **state)
{
    struct audit_tally tally;

    (void)state;
    add(1, "op");
    FX_OK(db_begin(db, &fx_err));
    add(2, "op");
    db_rollback(db);
    add(2, "op");
    FX_OK(audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err));
    assert_int_equal(tally.rows, 2);
}

/* ---- erasing ---- */

static void add_person(const char *personal)
{
    FX_OK(audit_add_personal(db, fx_key, 1000, "operation", "op", "{}", personal, NULL, &fx_err));
}

/* Which rows name them: "1 2 5 ". */
static const char *naming(const char *user)
{
    static char text[200];
    struct audit_found f;
    size_t used = 0;

    FX_OK(audit_find_person(db, user, &f, &fx_err));
    text[0] = '\0';
    for (size_t i = 0; i < f.count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%lld ", (long long)f.numbers[i]);
    audit_found_clear(&f);
    return text;
}

#define ID "a0000000-0000-4000-8000-000000000001"
static void test_find_person(void **state)
{
    static const char *const records[] = {
        /* 1 */ "{\"userId\":\"" ID "\",\"userPrincipalName\":\"ada@contoso.com\"}",
        /* 2 */ "{\"userId\":\"" ID "\",\"userPrincipalName\":\"ada.byron@contoso.com\"}",
        /* 3 */ "{\"message\":\"Added Bea (Ada@Contoso.com).\"}",
        /* 4 */ "{\"message\":\"no user ada@contoso.com.\"}",
        /* 5 */ "{\"userPrincipalName\":\"xada@contoso.com\"}",
        /* 6 */ "{\"userPrincipalName\":\"ada@contoso.com.au\"}",
        /* 7 */ "{\"userPrincipalName\":\"b.ada@contoso.com\"}",
        /* 8 */ "{\"reason\":\"see\\nada@contoso.com\"}",
        /* 9 */ "{\"before\":{\"manager\":[{\"id\":\"" ID "\"}]}}",
        /* 10 */ "not JSON",
        /* 11 */ "{\"userId\":\"a0000000-0000-4000-8000-0000000000011\"}",
        /* 12 */ "{\"members\":{\"ada@contoso.com\":true}}",
    };
    static const struct { const char *user, *rows, *why; } cases[] = {
        { "ada@contoso.com", "1 2 3 4 8 9 10 12 ", "the UPN, and the id that went with it" },
        { "ADA@CONTOSO.COM", "1 2 3 4 8 9 10 12 ", "in any case" },
        { ID,                "1 2 9 10 ",          "the id alone: a UPN may be somebody else's by now" },
        { "contoso.com",     "10 ",                "a part of an address is nobody" },
        { "nobody@contoso.com", "10 ",             "who is not named" },
    };

    (void)state;
    for (size_t i = 0; i < EB_LEN(records); i++)
        add_person(records[i]);
    for (size_t i = 0; i < EB_LEN(cases); i++)
        if (strcmp(naming(cases[i].user), cases[i].rows) != 0)
            fail_msg("case %zu (%s): %s", i, cases[i].why, naming(cases[i].user));
}

static bool see_personal(void *ctx, const struct audit_row *r)
{
    if (r->number == 5) {
        assert_true(r->has_personal);
        assert_null(r->personal);
        ++*(int *)ctx;
    } else if (r->number == 3) {
        assert_non_null(strstr(r->personal, "user3@contoso.com"));
        ++*(int *)ctx;
    } else if (r->number == 4) {
        assert_false(r->has_personal);
        ++*(int *)ctx;
    } else if (r->number == 11) {
        assert_string_equal(r->event, AUDIT_ERASE_EVENT);
        assert_null(strstr(r->data, "user5"));      /* the erasure does not name whom it erased */
        assert_non_null(strstr(r->data, "[5]"));
        ++*(int *)ctx;
    }
    return true;
}

/* What was erased is told from what was tampered with, also after more rows; a second time there is nothing to erase. */
static void test_erase(void **state)
{
    struct audit_tally tally;
    struct audit_found f;
    int seen = 0, rows;

    (void)state;
    for (int64_t n = 1; n <= 10; n++)
        add(n, "op");
    FX_OK(audit_find_person(db, "user5@contoso.com", &f, &fx_err));
    assert_int_equal(f.name_count, 2);
    assert_string_equal(f.names[1], "id-5");
    FX_OK(audit_erase(db, fx_key, 2000, "ada (uid 7)", f.numbers, f.count, &fx_err));
    FX_OK(audit_erase(db, fx_key, 2000, "ada (uid 7)", f.numbers, f.count, &fx_err));
    audit_found_clear(&f);
    FX_OK(audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err));
    assert_int_equal(tally.rows, 11);
    assert_int_equal(tally.erased, 1);
    FX_OK(audit_page(db, INT64_MIN, 2, 100, see_personal, &seen, &rows, &fx_err));
    assert_int_equal(rows, 9);
    assert_int_equal(seen, 4);
    assert_string_equal(naming("user5@contoso.com"), "");

    tamper("DELETE FROM audit_personal WHERE number = 7");      /* an erasure of 5 is none of 7 */
    assert_false(audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err));
    assert_non_null(strstr(fx_err.text, "record of audit row 7 is missing"));
    tamper("UPDATE audit SET data = replace(data, '[5]', '[5,7]') WHERE number = 11");
    assert_false(audit_verify(db, fx_key, &tally, NULL, NULL, &fx_err));
    assert_non_null(strstr(fx_err.text, "row 11 was changed"));
}

/* The erased record's bytes are gone with it, and a row's hash says nothing about it. */
static void test_salt(void **state)
{
    struct audit_row one, two;

    (void)state;
    FX_OK(audit_add_personal(db, fx_key, 1, "operation", "op", "{}", "{\"u\":1}", &one, &fx_err));
    FX_OK(audit_add_personal(db, fx_key, 1, "operation", "op", "{}", "{\"u\":1}", &two, &fx_err));
    int64_t same = 1;
    sqlite3 *plain;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(fx_path("test.db"), &plain), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(plain, "SELECT count(DISTINCT personal) + count(DISTINCT salt) FROM audit JOIN audit_personal USING (number)", -1,
                                        &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    same = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(plain);
    assert_int_equal(same, 4);
}

static void test_anchor(void **state)
{
    char out[AUDIT_ANCHOR_LEN];

    (void)state;
    assert_string_equal(audit_anchor(1234, "9f86d081884c7d659a2feaa0c55ad015", out), "1234 / 9f86d081884c7d65");
    assert_string_equal(audit_anchor(INT64_MAX, "9f86d081884c7d659a2feaa0c55ad015", out), "9223372036854775807 / 9f86d081884c7d65");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_audit_tampering), TEST(test_audit_walk), TEST(test_audit_rollback), TEST(test_find_person), TEST(test_erase), TEST(test_salt),
        TEST(test_anchor),
    };

    umask(077);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
