/* hash.c - digests by OpenSSL, and the text forms of bytes.
 *
 * Algorithms are fetched once for the process; contexts are kept one a thread (three times
 * cheaper than new ones) and freed when the thread ends. A digest that fails is a broken
 * installation: abort, never a hash of something else.
 */
#include "base/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct { pthread_once_t once; pthread_key_t key; EVP_MD *sha256; EVP_MAC *hmac; }
    shared = { .once = PTHREAD_ONCE_INIT };

struct contexts { EVP_MD_CTX *digest; EVP_MAC_CTX *hmac; };
static _Thread_local struct contexts *mine;

static void contexts_free(void *arg)
{
    struct contexts *c = arg;

    EVP_MD_CTX_free(c->digest);
    EVP_MAC_CTX_free(c->hmac);
    free(c);
    mine = NULL;
}

static void must(bool ok)
{
    static const char text[] = "entrabridge: OpenSSL gives no digest: out of memory, or a broken installation\n";

    if (ok)
        return;
    (void)!fwrite(text, 1, sizeof(text) - 1, stderr);
    abort();
}

static void fetch_once(void)
{
    shared.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    shared.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    must(shared.sha256 != NULL && shared.hmac != NULL);
    must(pthread_key_create(&shared.key, contexts_free) == 0);
}

static struct contexts *contexts(void)
{
    if (mine != NULL)
        return mine;
    must(pthread_once(&shared.once, fetch_once) == 0);

    char name[] = "SHA256";
    OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()
    };
    struct contexts *c = calloc(1, sizeof(*c));
    must(c != NULL);
    c->digest = EVP_MD_CTX_new();
    c->hmac = EVP_MAC_CTX_new(shared.hmac);
    must(c->digest != NULL && c->hmac != NULL && EVP_MAC_CTX_set_params(c->hmac, digest) == 1);
    must(pthread_setspecific(shared.key, c) == 0);
    mine = c;
    return c;
}

void eb_sha256(const void *data, size_t len, uint8_t out[EB_SHA256_LEN])
{
    struct contexts *c = contexts();

    must(EVP_DigestInit_ex(c->digest, shared.sha256, NULL) == 1 &&
         EVP_DigestUpdate(c->digest, data, len) == 1 &&
         EVP_DigestFinal_ex(c->digest, out, NULL) == 1);
}

void eb_sha256_hex(const void *data, size_t len, char out[EB_HEX_LEN])
{
    uint8_t raw[EB_SHA256_LEN];

    eb_sha256(data, len, raw);
    eb_hex(raw, sizeof(raw), out);
}

void eb_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[EB_SHA256_LEN])
{
    struct contexts *c = contexts();
    size_t n = 0;

    /* A NULL key would silently mean the key of the call before. */
    must(EVP_MAC_init(c->hmac, key != NULL ? key : "", key_len, NULL) == 1 &&
         EVP_MAC_update(c->hmac, data, len) == 1 &&
         EVP_MAC_final(c->hmac, out, &n, EB_SHA256_LEN) == 1 && n == EB_SHA256_LEN);
}

void eb_hmac_hex(const void *key, size_t key_len, const void *data, size_t len, char out[EB_HEX_LEN])
{
    uint8_t raw[EB_SHA256_LEN];

    eb_hmac_sha256(key, key_len, data, len, raw);
    eb_hex(raw, sizeof(raw), out);
}

void eb_hex(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

bool eb_equal_ct(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

static const char plain_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t b64_encode(const char *set, bool padded, const uint8_t *in, size_t len, char *out)
{
    char *p = out;

    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            if (k <= n)
                *p++ = set[v >> (18 - 6 * k) & 63];
            else if (padded)
                *p++ = '=';
        }
    }
    *p = '\0';
    return (size_t)(p - out);
}

size_t eb_b64u_encode(const void *data, size_t len, char *out)
{
    return b64_encode(url_set, false, data, len, out);
}

size_t eb_b64_encode(const void *data, size_t len, char *out)
{
    return b64_encode(plain_set, true, data, len, out);
}

static int b64u_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool eb_b64u_decode(const char *text, size_t len, uint8_t *out, size_t *ret_len, struct eb_err *err)
{
    uint32_t bits = 0;
    unsigned held = 0;          /* bits not yet written */
    uint8_t *p = out;

    if (len % 4 == 1)
        return eb_fail(err, EB_INVALID_REQUEST, "base64url of a length that no bytes give");
    for (size_t i = 0; i < len; i++) {
        int v = b64u_value(text[i]);
        if (v < 0)
            return eb_fail(err, EB_INVALID_REQUEST, "base64url: character %zu is not one of A-Z a-z 0-9 - _", i + 1);
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *p++ = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return eb_fail(err, EB_INVALID_REQUEST, "base64url: stray bits in the last character");
    *ret_len = (size_t)(p - out);
    return true;
}
