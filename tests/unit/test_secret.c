/* test_secret.c - secrets that operations make: how passwords come about, how they are sealed, and that a link opens its secret once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_fixture.h"

#include "auth/seal.h"
#include "base/password.h"
#include "ops/secret.h"
#include "store/secret_table.h"

#include <math.h>

static struct db *db;
static struct auth_keys *keys;
static char ada[EB_ID_LEN] = "0190c5f0-0000-7000-8000-000000000001";

static int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    db = fx_open();
    FX_OK(auth_keys_open(fx_path("keys"), true, &keys, &fx_err));
    return 0;
}

static int teardown(void **state)
{
    auth_keys_free(keys);
    db_close(db);
    return fx_teardown(state);
}

/* ---- passwords ---- */

enum { SAMPLES = 20000 };

static void test_password_classes(void **state)
{
    static const size_t lengths[] = { EB_PASSWORD_MIN, 12, EB_PASSWORD_DEFAULT, EB_PASSWORD_MAX };

    for (size_t n = 0; n < EB_LEN(lengths); n++)
        for (int i = 0; i < 1000; i++) {
            char *p = eb_password_new(lengths[n]);
            assert_int_equal(strlen(p), lengths[n]);
            assert_null(strpbrk(p, "0Oo1lI|i\"'`<>&\\/ {}[]()^~@=+-_,.;"));
            for (size_t c = 0; c < EB_PASSWORD_CLASSES; c++)
                if (strpbrk(p, eb_password_classes[c]) == NULL)
                    fail_msg("%s has none of %s", p, eb_password_classes[c]);
            for (const char *q = p; *q != '\0'; q++)
                assert_true(*q > ' ' && *q < 0x7f);
            eb_wipe_free(p);
        }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Even at each place: the counts of a character over all samples lie within 6 standard deviations of what is expected of it. Expected is
 * not 1/62, since passwords without a digit or symbol are drawn again: within a class all are alike. */
static void check_even(unsigned counts[128], const char *class)
{
    double sum = 0;
    size_t n = strlen(class);

    for (size_t i = 0; i < n; i++)
        sum += counts[(unsigned char)class[i]];
    for (size_t i = 0; i < n; i++) {
        double mean = sum / (double)n, off = fabs(counts[(unsigned char)class[i]] - mean);
        if (off > 6 * sqrt(mean))
            fail_msg("'%c' came %u times, expected about %.0f", class[i], counts[(unsigned char)class[i]], mean);
    }
}

static void test_password_random(void **state)
{
    static char all[SAMPLES][EB_PASSWORD_DEFAULT + 1];
    static unsigned counts[EB_PASSWORD_DEFAULT][128], total[128];

    for (int i = 0; i < SAMPLES; i++) {
        char *p = eb_password_new(EB_PASSWORD_DEFAULT);
        strcpy(all[i], p);
        for (size_t at = 0; at < EB_PASSWORD_DEFAULT; at++) {
            counts[at][(unsigned char)p[at]]++;
            total[(unsigned char)p[at]]++;
        }
        eb_wipe_free(p);
    }
    qsort(all, SAMPLES, sizeof(all[0]), by_text);
    for (int i = 1; i < SAMPLES; i++)
        assert_string_not_equal(all[i - 1], all[i]);
    for (size_t c = 0; c < EB_PASSWORD_CLASSES; c++) {
        check_even(total, eb_password_classes[c]);
        for (size_t at = 0; at < EB_PASSWORD_DEFAULT; at++)     /* no place is set aside for a class */
            check_even(counts[at], eb_password_classes[c]);
    }
}

/* A class fills each place equally often: none is put in at the end or the beginning. */
static void test_password_places(void **state)
{
    double counts[EB_PASSWORD_CLASSES][EB_PASSWORD_DEFAULT] = { 0 };

    for (int i = 0; i < SAMPLES; i++) {
        char *p = eb_password_new(EB_PASSWORD_DEFAULT);
        for (size_t at = 0; at < EB_PASSWORD_DEFAULT; at++)
            for (size_t c = 0; c < EB_PASSWORD_CLASSES; c++)
                counts[c][at] += strchr(eb_password_classes[c], p[at]) != NULL;
        eb_wipe_free(p);
    }
    for (size_t c = 0; c < EB_PASSWORD_CLASSES; c++) {
        double mean = 0;
        for (size_t at = 0; at < EB_PASSWORD_DEFAULT; at++)
            mean += counts[c][at] / EB_PASSWORD_DEFAULT;
        for (size_t at = 0; at < EB_PASSWORD_DEFAULT; at++)
            if (fabs(counts[c][at] - mean) > 6 * sqrt(mean))
                fail_msg("class %zu stands %.0f times at place %zu, on average %.0f times", c, counts[c][at], at, mean);
    }
}

/* ---- seals ---- */

static char *sealed(const char *value)
{
    char *text = NULL;

    FX_OK(auth_seal(keys, ada, "password", value, &text, &fx_err));
    return text;
}

static bool opens(const struct auth_keys *k, const char *owner, const char *what, const char *text, const char *value)
{
    char *got = NULL;
    struct eb_err err = { 0 };
    bool good = auth_unseal(k, owner, what, text, &got, &err);

    if (good)
        assert_string_equal(got, value);
    else
        assert_int_equal(err.code, EB_INTERNAL);
    if (value != NULL)
        assert_null(strstr(err.text, value));
    eb_wipe_free(got);
    return good;
}

static void test_seal(void **state)
{
    char *a = sealed("Xk7#mmPq"), *b = sealed("Xk7#mmPq"), big[KiB(4) + 2];

    assert_true(opens(keys, ada, "password", a, "Xk7#mmPq"));
    assert_true(opens(keys, ada, "password", b, "Xk7#mmPq"));
    assert_string_not_equal(a, b);                          /* a nonce of its own each */
    assert_null(strstr(a, "Xk7"));
    assert_false(opens(keys, ada, "temporaryAccessPass", a, NULL));
    assert_false(opens(keys, "0190c5f0-0000-7000-8000-000000000002", "password", a, NULL));
    assert_false(opens(keys, "", "password", a, NULL));
    free(a);
    free(b);
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_false(auth_seal(keys, ada, "password", big, &a, &fx_err));
    assert_false(auth_seal(keys, ada, "password", "", &a, &fx_err));
    big[sizeof(big) - 2] = '\0';
    a = sealed(big);
    assert_true(opens(keys, ada, "password", a, big));
    free(a);
}

/* The parts of what is bound do not run into each other. */
static void test_seal_context(void **state)
{
    char *text = NULL;

    FX_OK(auth_seal(keys, "ab", "c", "value", &text, &fx_err));
    assert_true(opens(keys, "ab", "c", text, "value"));
    assert_false(opens(keys, "a", "bc", text, NULL));
    assert_false(opens(keys, "abc", "", text, NULL));
    free(text);
}

static void test_seal_tampered(void **state)
{
    char *text = sealed("Xk7#mmPqrs"), was;     /* 10 bytes: 39 in all, no stray bits in the last character */
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        was = text[i];
        for (int bit = 0; bit < 7; bit++) {
            text[i] = (char)(was ^ 1 << bit);
            if (opens(keys, ada, "password", text, NULL))
                fail_msg("opened with bit %d of character %zu flipped", bit, i);
        }
        text[i] = was;
    }
    for (size_t cut = 0; cut < len; cut++) {
        was = text[cut];
        text[cut] = '\0';
        assert_false(opens(keys, ada, "password", text, NULL));
        text[cut] = was;
    }
    char *longer = eb_asprintf("%sAAAA", text);
    assert_false(opens(keys, ada, "password", longer, NULL));
    free(longer);
    assert_true(opens(keys, ada, "password", text, "Xk7#mmPqrs"));
    free(text);
}

/* Another directory has another key; a lost one is made anew and opens nothing of before; a tool gets along without it. */
static void test_seal_keys(void **state)
{
    char *text = sealed("Xk7#mmPq"), *line = eb_asprintf("rm '%s/secrets.key'", fx_path("keys")), *none = NULL;
    struct auth_keys *other = NULL;

    FX_OK(auth_keys_open(fx_path("others"), true, &other, &fx_err));
    assert_false(opens(other, ada, "password", text, NULL));
    auth_keys_free(other);
    assert_memory_not_equal(auth_key(keys, "secrets"), auth_key(keys, "audit"), 32);
    assert_int_equal(system(line), 0);
    FX_OK(auth_keys_open(fx_path("keys"), false, &other, &fx_err));
    assert_null(auth_key(other, "secrets"));
    assert_false(auth_seal(other, ada, "password", "x", &none, &fx_err));
    assert_false(opens(other, ada, "password", text, NULL));
    auth_keys_free(other);
    FX_OK(auth_keys_open(fx_path("keys"), true, &other, &fx_err));
    assert_memory_equal(auth_key(keys, "audit"), auth_key(other, "audit"), 32);
    assert_false(opens(other, ada, "password", text, NULL));
    auth_keys_free(other);
    free(line);
    free(text);
}

/* ---- links ---- */

static const struct config config = { .public_url = (char *)(uintptr_t)"https://bridge.example.com/base", .secret_expire_ms = 1000, .password_length = 20 };

static void test_link(void **state)
{
    struct ops_secret_link a, b, read;
    EB_AUTO(json_t, json_decref) answer = json_object();

    ops_secret_link_new(&config, 5000, &a);
    ops_secret_link_new(&config, 5000, &b);
    assert_string_not_equal(a.key, b.key);
    assert_int_equal(a.expires_ms, 6000);
    strcpy(a.id, ada);
    assert_true(ops_secret_link_read(a.id, a.key, &read));
    assert_string_equal(read.hash, a.hash);
    assert_string_not_equal(b.hash, a.hash);
    assert_null(strstr(a.hash, a.key));

    ops_secret_point(answer, &config, &a);
    char *url = eb_asprintf("https://bridge.example.com/base/secret/%s/%s", a.id, a.key);
    assert_string_equal(eb_json_str(answer, "secretUrl"), url);
    assert_string_equal(eb_json_str(answer, "secretExpiresAt"), "1970-01-01T00:00:06.000Z");
    assert_int_equal(json_object_size(answer), 2);
    ops_secret_show(answer, OPS_SECRET_PASSWORD, "Xk7#mmPq");
    assert_string_equal(eb_json_str(answer, "password"), "Xk7#mmPq");
    free(url);
    ops_secret_link_wipe(&a);
    assert_string_equal(a.key, "");
}

static void test_link_forms(void **state)
{
    static const char id[] = "0190c5f0-0000-4000-8000-000000000001", key[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    static const struct { const char *id, *key, *why; } bad[] = {
        { "0190c5f0-0000-4000-8000-00000000000", key, "an id too short" }, { "", key, "no id" },
        { "0190c5f0-0000-4000-8000-00000000000g", key, "an id with another letter" },
        { "0190C5F0-0000-4000-8000-000000000001", key, "an id in another spelling" },
        { id, "", "no key" }, { id, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", "a key too short" },
        { id, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A", "a key too long" },
        { id, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9", "stray bits: another text for the same key" },
        { id, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=", "padding" },
        { id, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH+8", "plain base64" },
    };
    struct ops_secret_link l;

    assert_true(ops_secret_link_read(id, key, &l));
    for (size_t i = 0; i < EB_LEN(bad); i++)
        if (ops_secret_link_read(bad[i].id, bad[i].key, &l))
            fail_msg("%s", bad[i].why);
}

static void test_origin(void **state)
{
    static const struct { const char *url, *origin; } rows[] = {
        { "https://bridge.example.com", "https://bridge.example.com" }, { "https://Bridge.Example.com/base/", "https://bridge.example.com" },
        { "https://bridge.example.com:443/x", "https://bridge.example.com" }, { "https://bridge.example.com:8443", "https://bridge.example.com:8443" },
        { "http://127.0.0.1:8080", "http://127.0.0.1:8080" }, { "http://[::1]:80/a", "http://[::1]" }, { "https://example.com:80", "https://example.com:80" },
    };
    char out[300];

    for (size_t i = 0; i < EB_LEN(rows); i++)
        assert_string_equal(ops_secret_origin_of(rows[i].url, out, sizeof(out)), rows[i].origin);
}

static void test_generate(void **state)
{
    char *value = NULL, *text = NULL, *again = NULL;

    FX_OK(ops_secret_generate(keys, &config, ada, &value, &text, &fx_err));
    assert_int_equal(strlen(value), 20);
    FX_OK(ops_secret_unseal(keys, ada, OPS_SECRET_PASSWORD, text, &again, &fx_err));
    assert_string_equal(again, value);
    assert_false(ops_secret_unseal(keys, ada, OPS_SECRET_ACCESS_PASS, text, &again, &fx_err));
    eb_wipe_free(value);
    eb_wipe_free(again);
    free(text);
}

/* ---- the table ---- */

static char hash_a[EB_HEX_LEN], hash_b[EB_HEX_LEN];

static void link_for(const char *what, const char hash[EB_HEX_LEN], char id[EB_ID_LEN])
{
    FX_OK(secret_link(db, ada, what, hash, 2000, id, &fx_err));
}

static bool look(const char *id, const char hash[EB_HEX_LEN], int64_t now_ms)
{
    struct secret_row row = { 0 };
    struct eb_err err = { 0 };
    bool good = secret_look(db, id, hash, now_ms, &row, &err);

    assert_true(good || err.code == EB_NOT_THERE);
    secret_row_clear(&row);
    return good;
}

static void begin(void)
{
    eb_sha256_hex("a", 1, hash_a);
    eb_sha256_hex("b", 1, hash_b);
    FX_OK(secret_put(db, ada, "password", "sealed", 1000, 1500, &fx_err));
}

static void test_table_kept(void **state)
{
    struct secret_row row = { 0 };

    begin();
    FX_OK(secret_get(db, ada, "password", &row, &fx_err));
    assert_string_equal(row.sealed, "sealed");
    assert_string_equal(row.operation, ada);
    assert_true(!row.linked && row.created_ms == 1000 && row.expires_ms == 1500 && row.opened_ms == 0);
    secret_row_clear(&row);
    assert_false(secret_get(db, ada, "temporaryAccessPass", &row, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    FX_OK(secret_put(db, ada, "temporaryAccessPass", "pass", 1000, 1500, &fx_err));
    FX_OK(secret_remove(db, ada, &fx_err));
    assert_false(secret_get(db, ada, "password", &row, &fx_err));
    assert_false(secret_get(db, ada, "temporaryAccessPass", &row, &fx_err));
    FX_OK(secret_remove(db, ada, &fx_err));
}

static void test_table_refuses(void **state)
{
    char id[EB_ID_LEN];
    struct secret_row row = { 0 };

    begin();
    FX_OK(secret_get(db, ada, "password", &row, &fx_err));
    assert_false(look(row.id, hash_a, 1100));               /* no link was given out */
    char nothing[EB_HEX_LEN] = { 0 };
    assert_false(look(row.id, nothing, 1100));
    secret_row_clear(&row);
    link_for("password", hash_a, id);
    assert_true(look(id, hash_a, 1100));
    assert_true(look(id, hash_a, 1999));                    /* the link's time counts */
    assert_false(look(id, hash_a, 2000));
    assert_false(look(id, hash_b, 1100));
    assert_false(look(id, nothing, 1100));
    assert_false(look(ada, hash_a, 1100));
    assert_false(look("", hash_a, 1100));
}

static void test_table_opens_once(void **state)
{
    struct secret_row row = { 0 };
    char id[EB_ID_LEN];

    begin();
    link_for("password", hash_a, id);
    assert_false(secret_open(db, id, hash_b, 1100, &row, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
    assert_true(look(id, hash_a, 1100));                    /* a wrong one uses nothing up */
    FX_OK(secret_open(db, id, hash_a, 1100, &row, &fx_err));
    assert_string_equal(row.sealed, "sealed");
    assert_string_equal(row.what, "password");
    assert_int_equal(row.opened_ms, 1100);
    secret_row_clear(&row);
    assert_false(secret_open(db, id, hash_a, 1101, &row, &fx_err));
    assert_false(look(id, hash_a, 1101));
    FX_OK(secret_get(db, ada, "password", &row, &fx_err));
    assert_null(row.sealed);
    assert_int_equal(row.opened_ms, 1100);
    secret_row_clear(&row);
    assert_false(secret_link(db, ada, "password", hash_b, 3000, id, &fx_err));
    assert_int_equal(fx_err.code, EB_NOT_THERE);
}

/* Opened in a transaction that never came to its end: as before. */
static void test_table_rollback(void **state)
{
    struct secret_row row = { 0 };
    char id[EB_ID_LEN];

    begin();
    link_for("password", hash_a, id);
    FX_OK(db_begin(db, &fx_err));
    FX_OK(secret_open(db, id, hash_a, 1100, &row, &fx_err));
    secret_row_clear(&row);
    db_rollback(db);
    FX_OK(secret_open(db, id, hash_a, 1100, &row, &fx_err));
    secret_row_clear(&row);
}

static void test_table_new_link(void **state)
{
    char id[EB_ID_LEN], other[EB_ID_LEN];
    struct secret_row row = { 0 };

    begin();
    link_for("password", hash_a, id);
    link_for("password", hash_b, other);
    assert_string_equal(id, other);
    assert_false(look(id, hash_a, 1100));
    assert_true(look(id, hash_b, 1100));
    FX_OK(secret_put(db, ada, "password", "another", 1000, 2000, &fx_err));     /* in the place of the one before */
    assert_false(look(id, hash_b, 1100));
    FX_OK(secret_get(db, ada, "password", &row, &fx_err));
    assert_false(row.linked);
    assert_false(look(row.id, hash_b, 1100));               /* the key of the earlier link does not come along */
    secret_row_clear(&row);
    link_for("password", hash_b, other);
    assert_string_not_equal(id, other);
    assert_false(look(id, hash_b, 1100));
    assert_true(look(other, hash_b, 1100));
}

static void test_table_forgets(void **state)
{
    struct journal_accept a = { 0 };
    struct journal_conclusion end = { .id = ada, .outcome = "succeeded", .now_ms = 1 };
    struct secret_row row = { 0 };
    int64_t gone = -1;

    begin();
    FX_OK(secret_put(db, "b", "password", "x", 1000, 1600, &fx_err));
    FX_OK(secret_put(db, "c", "password", "x", 1000, 1700, &fx_err));
    FX_OK(fx_accept(db, ada, "k", "h", "ITSM-1", 1, &a, &fx_err));
    FX_OK(secret_forget(db, 1499, 10, &gone, &fx_err));
    assert_int_equal(gone, 0);
    FX_OK(secret_forget(db, 1600, 10, &gone, &fx_err));
    assert_int_equal(gone, 1);                              /* b; the first one's operation may have to send it again */
    FX_OK(secret_get(db, ada, "password", &row, &fx_err));
    secret_row_clear(&row);
    FX_OK(journal_conclude(db, &end, &fx_err));
    FX_OK(secret_forget(db, 1700, 1, &gone, &fx_err));
    assert_int_equal(gone, 1);
    assert_false(secret_get(db, ada, "password", &row, &fx_err));
    FX_OK(secret_get(db, "c", "password", &row, &fx_err));
    secret_row_clear(&row);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_classes), cmocka_unit_test(test_password_random), cmocka_unit_test(test_password_places),
        TEST(test_seal), TEST(test_seal_context), TEST(test_seal_tampered), TEST(test_seal_keys),
        cmocka_unit_test(test_link), cmocka_unit_test(test_link_forms), cmocka_unit_test(test_origin), TEST(test_generate),
        TEST(test_table_kept), TEST(test_table_refuses), TEST(test_table_opens_once), TEST(test_table_rollback), TEST(test_table_new_link),
        TEST(test_table_forgets),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
