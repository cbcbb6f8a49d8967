/* fuzz_jwt.c - the texts of tokens, as they come from the network.
 *
 * Two ways for each input: as a whole text, which can only be good if it is the one text that we made ourselves; and as its
 * first two segments, which are signed here with the right key, so that header and claims are reached. Accepted: either way.
 */
#include "auth/inside.h"
#include "base/hash.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1792000000000)

static struct auth_signing_key key = { .kid = "fuzz-1", .key = "a key of exactly thirty-two byte" };
static const struct auth_keys keys = { .signing = &key, .count = 1 };
static char *good;

bool fuzz_accepted;

static void free_good(void)
{
    free(good);
}

/* The only text of which the whole is right under our key: whatever differs in one byte must be refused. */
static void make_good(void)
{
    char *all[] = { (char[]){ "*" }, NULL };
    struct auth_token t = { .id = "0f6c2a1e-1111-4222-8333-444455556666", .name = (char[]){ "fuzz" }, .operations = all, .projects = all,
                            .created_ms = NOW_MS - 1000, .expires_ms = NOW_MS + 1000 };
    struct eb_err err = { 0 };
    bool made = auth_jwt_make(&keys, &t, &good, &err);

    assert(made);
    atexit(free_good);
}

static bool check(const char *text, size_t len)
{
    json_t *claims = NULL;
    enum auth_fault fault = auth_jwt_check(&keys, (struct eb_span){ text, len }, NOW_MS, &claims);

    assert((fault == AUTH_GOOD) == (claims != NULL) && auth_fault_text(fault) != NULL);
    if (fault == AUTH_GOOD) {
        assert(json_is_string(json_object_get(claims, "jti")) && json_is_integer(json_object_get(claims, "exp")));
        assert(json_integer_value(json_object_get(claims, "exp")) > NOW_MS / 1000);
    }
    json_decref(claims);
    return fault == AUTH_GOOD;
}

static bool check_signed(const uint8_t *data, size_t len)
{
    struct eb_buf text = EB_BUF(KiB(64));
    uint8_t mac[EB_SHA256_LEN];
    char signature[64];

    eb_hmac_sha256(key.key, AUTH_KEY_LEN, data, len, mac);
    eb_b64u_encode(mac, sizeof(mac), signature);
    eb_buf_add(&text, data, len);
    eb_buf_add(&text, ".", 1);
    eb_buf_str(&text, signature);
    bool accepted = !text.failed && check(text.data, text.len);
    eb_buf_free(&text);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char spare[] = "";

    if (good == NULL)
        make_good();
    bool whole = check(data != NULL ? (const char *)data : spare, len);
    assert(!whole || (len == strlen(good) && memcmp(data, good, len) == 0));
    fuzz_accepted = check_signed(data, len) || whole;
    return 0;
}
