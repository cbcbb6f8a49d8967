/* assertion.c - the client assertion for a certificate: a JWT signed with PS256, which libjwt cannot do.
 *
 * x5t#S256 is base64url of the raw SHA-256 of the DER certificate; hex text or SHA-1 there is refused by Entra.
 */
#include "graph/token.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_S 600

EB_AUTO_DEFINE(EVP_MD_CTX, EVP_MD_CTX_free)

static void add_part(struct eb_buf *out, const void *data, size_t len)
{
    char *text = eb_alloc(4 * ((len + 2) / 3) + 1);

    eb_b64u_encode(data, len, text);
    eb_buf_str(out, text);
    free(text);
}

static bool add_json(struct eb_buf *out, json_t *doc)
{
    char *text = doc != NULL ? eb_json_text(doc) : NULL;

    json_decref(doc);
    if (text == NULL)
        return false;
    add_part(out, text, strlen(text));
    free(text);
    return true;
}

static bool add_signature(struct eb_buf *out, EVP_PKEY *key)
{
    EB_AUTO(EVP_MD_CTX, EVP_MD_CTX_free) ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    unsigned char signature[1024];
    size_t len = sizeof(signature);

    if (ctx == NULL || EVP_PKEY_get_size(key) > (int)sizeof(signature) ||
        EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, key) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) <= 0 ||
        EVP_DigestSign(ctx, signature, &len, (const unsigned char *)out->data, out->len) <= 0)
        return false;
    eb_buf_str(out, ".");
    add_part(out, signature, len);
    return true;
}

char *graph_assertion(EVP_PKEY *key, X509 *certificate, const char *client_id, const char *audience, int64_t now_s,
                      struct eb_err *err)
{
    struct eb_buf out = EB_BUF(KiB(16));
    unsigned char digest[EB_SHA256_LEN];
    unsigned int digest_len = 0;
    char thumbprint[64], jti[EB_ID_LEN];
    char *text = NULL;

    ERR_clear_error();
    eb_uuid4(jti);
    if (X509_digest(certificate, EVP_sha256(), digest, &digest_len) == 1 && digest_len == sizeof(digest)) {
        eb_b64u_encode(digest, sizeof(digest), thumbprint);
        bool ok = add_json(&out, json_pack("{ssssss}", "alg", "PS256", "typ", "JWT", "x5t#S256", thumbprint));
        eb_buf_str(&out, ".");
        ok = ok && add_json(&out, json_pack("{sssssssssIsIsI}", "aud", audience, "iss", client_id, "sub", client_id, "jti", jti,
                                            "nbf", (json_int_t)now_s, "iat", (json_int_t)now_s,
                                            "exp", (json_int_t)(now_s + LIFE_S)));
        if (ok && add_signature(&out, key))
            text = eb_buf_take(&out);
    }
    ERR_clear_error();
    eb_buf_free(&out);
    if (text == NULL)
        (void)eb_fail(err, EB_ENTRA_UNAVAILABLE, "The client assertion cannot be signed: entra.client_certificate needs an "
                      "RSA key that belongs to its certificate.");
    return text;
}
