/* assertion.c - checks a client assertion as Entra does: form, thumbprint, audience, times and, where a certificate is known, signature.
 *
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
#include "sim/tokens.h"

#include "base/hash.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define BAD_KEY 700027
#define BAD_FORM 50027
#define EXPIRED 700024
#define BAD_CLAIM 50012

static bool refuse(int *ret_aadsts, int number, struct eb_err *err, const char *why)
{
    *ret_aadsts = number;
    return eb_fail(err, EB_UNAUTHENTICATED, "%s", why);
}

/* Decodes one part of the JWT into JSON; NULL when it is none. The caller's. */
static json_t *part_json(const char *p, size_t len)
{
    struct eb_err ignored = { 0 };
    size_t n;
    json_t *j = NULL;
    uint8_t *bytes = eb_alloc(3 * (len / 4) + 4);

    if (eb_b64u_decode(p, len, bytes, &n, &ignored))
        j = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    return j;
}

static bool signature_holds(const X509 *cert, const char *jwt, size_t signed_len, const char *sig64)
{
    struct eb_err ignored = { 0 };
    uint8_t sig[1024];
    size_t sig_len;
    EVP_PKEY_CTX *pctx;

    if (strlen(sig64) > sizeof(sig) || !eb_b64u_decode(sig64, strlen(sig64), sig, &sig_len, &ignored))
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *key = X509_get0_pubkey(cert);
    bool ok = ctx != NULL && key != NULL && EVP_DigestVerifyInit(ctx, &pctx, EVP_sha256(), NULL, key) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
              EVP_DigestVerify(ctx, sig, sig_len, (const unsigned char *)jwt, signed_len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool thumbprint_is(const X509 *cert, const char *x5t)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n;
    char text[64];

    if (X509_digest(cert, EVP_sha256(), digest, &n) != 1)
        return false;
    text[eb_b64u_encode(digest, n, text)] = '\0';
    return strcmp(text, x5t) == 0;
}

static bool header_check(const json_t *h, const X509 *cert, int *ret_aadsts, struct eb_err *err)
{
    const char *x5t = eb_json_str(h, "x5t#S256"), *typ = eb_json_str(h, "typ");
    uint8_t raw[64];
    size_t n;
    struct eb_err ignored = { 0 };

    if (!eb_streq(eb_json_str(h, "alg"), "PS256") || (typ != NULL && strcmp(typ, "JWT") != 0))
        return refuse(ret_aadsts, BAD_FORM, err, "Invalid JWT token. The header wants alg PS256 and typ JWT.");
    if (x5t == NULL)
        return refuse(ret_aadsts, BAD_FORM, err, "Invalid JWT token. The header has no x5t#S256.");
    if (strlen(x5t) != 43 || !eb_b64u_decode(x5t, 43, raw, &n, &ignored) || n != EB_SHA256_LEN)
        return refuse(ret_aadsts, BAD_CLAIM, err, "x5t#S256 is not the base64url of a raw SHA-256.");
    if (cert != NULL && !thumbprint_is(cert, x5t))
        return refuse(ret_aadsts, BAD_KEY, err, "The certificate with identifier used to sign the client assertion is not registered on application.");
    return true;
}

/* The full token URL, of the public cloud or as we are called. */
static bool audience_is(const char *aud, const struct sim_assertion_rules *rules)
{
    const char *bases[] = { rules->base_url, "https://login.microsoftonline.com" };

    for (size_t i = 0; aud != NULL && i < EB_LEN(bases); i++) {
        char *url = eb_asprintf("%s/%s/oauth2/v2.0/token", bases[i], rules->tenant);
        bool same = eb_strieq(url, aud);
        free(url);
        if (same)
            return true;
    }
    return false;
}

static bool claims_check(const json_t *c, const struct sim_assertion_rules *rules, int *ret_aadsts, struct eb_err *err)
{
    int64_t now = rules->now_ms / 1000, exp = eb_json_int(c, "exp", 0), nbf = eb_json_int(c, "nbf", 0);
    const char *jti = eb_json_str(c, "jti");

    if (!audience_is(eb_json_str(c, "aud"), rules))
        return refuse(ret_aadsts, BAD_CLAIM, err, "The audience of the assertion is not the token URL.");
    if (!eb_strieq(eb_json_str(c, "iss"), rules->client_id) || !eb_strieq(eb_json_str(c, "sub"), rules->client_id))
        return refuse(ret_aadsts, BAD_CLAIM, err, "iss and sub of the assertion are the client id.");
    if (jti == NULL || *jti == '\0')
        return refuse(ret_aadsts, BAD_FORM, err, "The assertion has no jti.");
    if (exp <= now || nbf > now + 300)
        return refuse(ret_aadsts, EXPIRED, err, "Client assertion is not within its valid time range.");
    return true;
}

bool sim_assertion_check(const char *jwt, const struct sim_assertion_rules *rules, int *ret_aadsts, struct eb_err *err)
{
    const X509 *cert = rules->tokens != NULL ? sim_tokens_certificate(rules->tokens) : NULL;
    const char *dot1 = strchr(jwt, '.'), *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;

    if (dot2 == NULL || strchr(dot2 + 1, '.') != NULL || dot2[1] == '\0')
        return refuse(ret_aadsts, BAD_FORM, err, "Invalid JWT token. Three parts were expected.");
    EB_AUTO(json_t, json_decref) header = part_json(jwt, (size_t)(dot1 - jwt));
    EB_AUTO(json_t, json_decref) claims = part_json(dot1 + 1, (size_t)(dot2 - dot1 - 1));
    if (!json_is_object(header) || !json_is_object(claims))
        return refuse(ret_aadsts, BAD_FORM, err, "Invalid JWT token. Header or claims are no JSON.");
    if (!header_check(header, cert, ret_aadsts, err) || !claims_check(claims, rules, ret_aadsts, err))
        return false;
    if (cert != NULL && !signature_holds(cert, jwt, (size_t)(dot2 - jwt), dot2 + 1))
        return refuse(ret_aadsts, BAD_KEY, err, "The signature of the client assertion does not hold.");
    return true;
}
