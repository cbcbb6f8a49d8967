/* seal.c - short secrets sealed with AES-256-GCM.
 *
 * Invariant: a nonce is random for each seal and never chosen by a caller; what a seal is for goes in as authenticated data.
 * Every failure of opening has one text: it says nothing about where it failed.
 */
#include "auth/seal.h"

#include "auth/inside.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, NONCE_LEN = 12, TAG_LEN = 16, HEAD_LEN = 1 + NONCE_LEN, AROUND = HEAD_LEN + TAG_LEN };

static inline void eb_auto_EVP_CIPHER_CTX_free(EVP_CIPHER_CTX **p) { EVP_CIPHER_CTX_free(*p); }

/* Version, owner and kind, parted by a byte that neither can hold: two pairs never read alike. */
static bool add_context(EVP_CIPHER_CTX *ctx, const char *owner, const char *what)
{
    static const unsigned char version = VERSION;
    int n;

    return EVP_CipherUpdate(ctx, NULL, &n, &version, 1) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)owner, (int)strlen(owner) + 1) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)what, (int)strlen(what) + 1) == 1;
}

/* raw: version, nonce, room for the ciphertext and the tag. */
static bool encrypt(const uint8_t *key, const char *owner, const char *what, const char *value, size_t len, uint8_t *raw)
{
    EB_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free) ctx = EVP_CIPHER_CTX_new();
    int n;

    return ctx != NULL && EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, raw + 1, NULL) == 1 && add_context(ctx, owner, what) &&
           EVP_EncryptUpdate(ctx, raw + HEAD_LEN, &n, (const unsigned char *)value, (int)len) == 1 && n == (int)len &&
           EVP_EncryptFinal_ex(ctx, raw + HEAD_LEN + len, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, raw + HEAD_LEN + len) == 1;
}

static bool decrypt(const uint8_t *key, const char *owner, const char *what, uint8_t *raw, size_t len, char *value)
{
    EB_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free) ctx = EVP_CIPHER_CTX_new();
    unsigned char end[16];
    int n;

    return ctx != NULL && EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, raw + 1, NULL) == 1 && add_context(ctx, owner, what) &&
           EVP_DecryptUpdate(ctx, (unsigned char *)value, &n, raw + HEAD_LEN, (int)len) == 1 && n == (int)len &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, raw + HEAD_LEN + len) == 1 && EVP_DecryptFinal_ex(ctx, end, &n) == 1;
}

static const uint8_t *key_of(const struct auth_keys *k, struct eb_err *err)
{
    const uint8_t *key = auth_key(k, "secrets");

    if (key == NULL)
        (void)eb_fail(err, EB_INTERNAL, "The key for secrets (secrets.key) is not there: it is made when the service starts.");
    return key;
}

bool auth_seal(const struct auth_keys *k, const char *owner, const char *what, const char *value, char **ret_sealed, struct eb_err *err)
{
    uint8_t raw[AROUND + AUTH_SEAL_MAX] = { VERSION };
    const uint8_t *key = key_of(k, err);
    size_t len = strlen(value);

    if (key == NULL)
        return false;
    if (len == 0 || len > AUTH_SEAL_MAX)
        return eb_fail(err, EB_INTERNAL, "A secret of 1 to %zu bytes can be sealed.", AUTH_SEAL_MAX);
    eb_random(raw + 1, NONCE_LEN);
    if (!encrypt(key, owner, what, value, len, raw))
        return eb_fail(err, EB_INTERNAL, "A secret could not be sealed: OpenSSL refused.");
    *ret_sealed = eb_alloc(4 * ((AROUND + len + 2) / 3) + 1);
    eb_b64u_encode(raw, AROUND + len, *ret_sealed);
    return true;
}

bool auth_unseal(const struct auth_keys *k, const char *owner, const char *what, const char *sealed, char **ret_value, struct eb_err *err)
{
    uint8_t raw[AROUND + AUTH_SEAL_MAX + 3];
    const uint8_t *key = key_of(k, err);
    size_t chars = strlen(sealed), len = 0;

    if (key == NULL)
        return false;
    bool formed = chars <= 4 * ((AROUND + AUTH_SEAL_MAX) / 3) + 2 && eb_b64u_decode(sealed, chars, raw, &len, NULL) && len > AROUND && raw[0] == VERSION;
    char *value = formed ? eb_alloc(len - AROUND + 1) : NULL;
    if (formed && decrypt(key, owner, what, raw, len - AROUND, value)) {
        *ret_value = value;
        return true;
    }
    if (formed)                         /* what GCM gives before it has seen the tag is not to be kept */
        OPENSSL_cleanse(value, len - AROUND);
    free(value);
    return eb_fail(err, EB_INTERNAL, "A sealed secret cannot be opened: it was changed, or sealed with another secrets.key.");
}
