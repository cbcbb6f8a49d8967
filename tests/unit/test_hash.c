/* test_hash.c - digests against published vectors, base64url without slack, ids in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void check_hashes(void)
{
    char hex[EB_HEX_LEN], key[131];

    eb_sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    eb_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 4231, case 2, then case 6 (a key longer than a block). */
    eb_hmac_hex("Jefe", 4, "what do ya want for nothing?", 28, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    eb_hmac_hex(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    /* No key is the empty key, never the one of the call before. */
    eb_hmac_hex(NULL, 0, NULL, 0, hex);
    assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void *hash_thread(void *arg)
{
    check_hashes();
    return NULL;
}

static void test_hash(void **state)
{
    pthread_t t;

    check_hashes();
    assert_int_equal(pthread_create(&t, NULL, hash_thread, NULL), 0);
    check_hashes();
    pthread_join(t, NULL);
    assert_true(eb_equal_ct("same", "same", 4));
    assert_false(eb_equal_ct("same", "sane", 4));
}

static void test_b64u(void **state)
{
    static const struct { const char *text; bool ok; const char *bytes; const char *why; } cases[] = {
        { "", true, "", "nothing" },
        { "Zg", true, "f", "one byte" },
        { "Zm8", true, "fo", "two bytes" },
        { "Zm9v", true, "foo", "three bytes" },
        { "Zm9vYmFy", true, "foobar", "RFC 4648" },
        { "-_-_", true, "\xfb\xff\xbf", "the letters of the URL set" },
        { "Z", false, NULL, "six bits are no byte" },
        { "Zh", false, NULL, "stray bits: another spelling of f" },
        { "Zm9", false, NULL, "stray bits in three characters" },
        { "Zg==", false, NULL, "padding" },
        { "+/+/", false, NULL, "the letters of the plain set" },
        { "Zm 9v", false, NULL, "blank" },
        { "Zm9v\n", false, NULL, "line end" },
    };
    uint8_t out[64];
    char text[64];
    size_t n;

    for (size_t i = 0; i < EB_LEN(cases); i++) {
        bool ok = eb_b64u_decode(cases[i].text, strlen(cases[i].text), out, &n, NULL);
        if (ok != cases[i].ok || (ok && (n != strlen(cases[i].bytes) || memcmp(out, cases[i].bytes, n) != 0)))
            fail_msg("%s (%s)", cases[i].text, cases[i].why);
        if (ok) {
            assert_int_equal(eb_b64u_encode(cases[i].bytes, n, text), strlen(cases[i].text));
            assert_string_equal(text, cases[i].text);
        }
    }
    assert_false(eb_b64u_decode("Zg\0", 3, out, &n, NULL));
    assert_int_equal(eb_b64_encode("user:pass?", 10, text), 16);
    assert_string_equal(text, "dXNlcjpwYXNzPw==");
    eb_b64_encode("\xfb\xff\xbf", 3, text);
    assert_string_equal(text, "+/+/");
}

static void test_random(void **state)
{
    char id[EB_ID_LEN], before[EB_ID_LEN] = "";
    bool seen[7] = { false };
    int64_t now = eb_now_ms();

    for (int i = 0; i < 5000; i++) {
        eb_id_new(id);
        assert_true(eb_is_guid(id));
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        assert_true(strcmp(before, id) < 0);        /* in order, also within one millisecond */
        memcpy(before, id, sizeof(before));
    }
    char stamp[13] = { 0 };
    memcpy(stamp, id, 8);
    memcpy(stamp + 8, id + 9, 4);
    assert_in_range(strtoull(stamp, NULL, 16), now, now + 60000);
    eb_uuid4(id);
    assert_true(eb_is_guid(id));
    assert_int_equal(id[14], '4');
    for (int i = 0; i < 2000; i++)
        seen[eb_random_below(7)] = true;
    for (size_t i = 0; i < EB_LEN(seen); i++)
        assert_true(seen[i]);
    assert_int_equal(eb_random_below(1), 0);
    assert_int_equal(eb_random_below(0), 0);
}

#define STAMPED 20000
static char ids[2][STAMPED][EB_ID_LEN];

static void *make_ids(void *arg)
{
    char (*mine)[EB_ID_LEN] = arg;

    for (int i = 0; i < STAMPED; i++)
        eb_id_new(mine[i]);
    return NULL;
}

static int by_stamp(const void *a, const void *b)
{
    return strncmp(a, b, 18);           /* the time and its fraction, without the random rest */
}

static void test_id_stamps(void **state)
{
    pthread_t t;

    assert_int_equal(pthread_create(&t, NULL, make_ids, ids[1]), 0);
    make_ids(ids[0]);
    pthread_join(t, NULL);
    qsort(ids, 2 * STAMPED, EB_ID_LEN, by_stamp);
    const char *all = ids[0][0];
    for (size_t i = 1; i < 2 * STAMPED; i++)
        assert_true(by_stamp(all + (i - 1) * EB_ID_LEN, all + i * EB_ID_LEN) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash), cmocka_unit_test(test_b64u),
        cmocka_unit_test(test_random), cmocka_unit_test(test_id_stamps),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
