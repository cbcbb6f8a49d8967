/* jwt.c - the text form of a token: made by libjwt, checked by our own hand. The only file that includes jwt.h.
 *
 * libjwt 1.10 takes the algorithm from the token, reads base64 leniently, uses stack by the token's length and checks no claims,
 * so it never sees a text from outside. Invariant: a text is believed only after eb_equal_ct() said so, under a key of ours
 * and HS256; and what a text costs does not depend on where it fails.
 */
#include "auth/inside.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <jwt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define ISSUER "entrabridge"
#define SKEW_MS 60000
#define HEADER_MAX 512      /* as text */

EB_AUTO_DEFINE(jwt_t, jwt_free)

struct parts { struct eb_span header, payload, signature, signed_part; };

const char *auth_fault_text(enum auth_fault f)
{
    static const char *const texts[AUTH_FAULT_COUNT] = {
#define FAULT_TEXT(symbol, text) [AUTH_##symbol] = text,
        AUTH_FAULTS(FAULT_TEXT)
#undef FAULT_TEXT
    };
    return texts[f];
}

static bool split(struct eb_span text, struct parts *p)
{
    const char *end = text.p + text.len;
    const char *first = memchr(text.p, '.', text.len);
    const char *second = first != NULL ? memchr(first + 1, '.', (size_t)(end - first) - 1) : NULL;

    if (second == NULL || memchr(second + 1, '.', (size_t)(end - second) - 1) != NULL)
        return false;
    p->header = (struct eb_span){ text.p, (size_t)(first - text.p) };
    p->payload = (struct eb_span){ first + 1, (size_t)(second - first) - 1 };
    p->signature = (struct eb_span){ second + 1, (size_t)(end - second) - 1 };
    p->signed_part = (struct eb_span){ text.p, (size_t)(second - text.p) };
    return p->header.len > 0 && p->payload.len > 0 && p->signature.len > 0;
}

/* Strict base64url, then an object with no member twice. NULL: it is not that. */
static json_t *segment_json(struct eb_span s, size_t max)
{
    uint8_t raw[AUTH_TOKEN_MAX];
    size_t len;

    if (s.len > max || !eb_b64u_decode(s.p, s.len, raw, &len, NULL))
        return NULL;
    json_t *v = json_loadb((const char *)raw, len, JSON_REJECT_DUPLICATES, NULL);
    if (v != NULL && !json_is_object(v)) {
        json_decref(v);
        v = NULL;
    }
    return v;
}

/* Exactly alg, typ and kid, as we write them: no crit, no jwk, nothing to be led astray by. */
static enum auth_fault check_header(const struct auth_keys *k, struct eb_span segment, const struct auth_signing_key **ret)
{
    EB_AUTO(json_t, json_decref) header = segment_json(segment, HEADER_MAX);

    if (header == NULL)
        return AUTH_FORM;
    const char *kid = eb_json_str(header, "kid");
    if (json_object_size(header) != 3 || kid == NULL || !eb_streq(eb_json_str(header, "alg"), "HS256") ||
        !eb_streq(eb_json_str(header, "typ"), "JWT"))
        return AUTH_HEADER;
    *ret = auth_keys_find(k, kid);
    return *ret != NULL ? AUTH_GOOD : AUTH_KEY;
}

static bool signature_right(struct eb_span given, const uint8_t mac[EB_SHA256_LEN])
{
    uint8_t raw[EB_SHA256_LEN + 3] = { 0 };
    size_t len = 0;
    bool form = given.len == 43 && eb_b64u_decode(given.p, given.len, raw, &len, NULL) && len == EB_SHA256_LEN;

    return eb_equal_ct(raw, mac, EB_SHA256_LEN) && form;
}

static enum auth_fault check_claims(const json_t *claims, int64_t now_ms)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    const char *id = eb_json_str(claims, "jti");

    if (!json_is_integer(exp) || !json_is_integer(nbf) || id == NULL || !eb_is_guid(id) || !eb_streq(eb_json_str(claims, "iss"), ISSUER))
        return AUTH_CLAIMS;
    if (json_integer_value(exp) < 0 || json_integer_value(exp) > INT64_MAX / 1000 || json_integer_value(nbf) < 0 ||
        json_integer_value(nbf) > INT64_MAX / 2000)
        return AUTH_CLAIMS;
    if (json_integer_value(nbf) * 1000 > now_ms + SKEW_MS)
        return AUTH_EARLY;
    return json_integer_value(exp) * 1000 <= now_ms ? AUTH_EXPIRED : AUTH_GOOD;
}

/* {"exp":32503680000,"iss":"entrabridge","jti":"00000000-...","nbf":1,"operations":["*"],"projects":["*"],"sub":"decoy"} */
static const char decoy_payload[] =
    "eyJleHAiOjMyNTAzNjgwMDAwLCJpc3MiOiJlbnRyYWJyaWRnZSIsImp0aSI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMCIsIm5iZiI6MSwi"
    "b3BlcmF0aW9ucyI6WyIqIl0sInByb2plY3RzIjpbIioiXSwic3ViIjoiZGVjb3kifQ";

/* A header made of the newest kid, for texts that have none to be looked at. */
static enum auth_fault look_at_header(const struct auth_keys *k, struct eb_span segment, const struct auth_signing_key **ret)
{
    static const char decoy_header[] = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImRlY295LWRlY295IiwidHlwIjoiSldUIn0";
    const struct auth_signing_key *unused = NULL;
    bool own = segment.p != NULL && segment.len <= HEADER_MAX;
    enum auth_fault fault = check_header(k, own ? segment : (struct eb_span){ decoy_header, sizeof(decoy_header) - 1 }, own ? ret : &unused);

    return own ? fault : AUTH_FORM;
}

enum auth_fault auth_jwt_check(const struct auth_keys *k, struct eb_span text, int64_t now_ms, json_t **ret)
{
    struct parts p = { .signed_part = text };
    const struct auth_signing_key *key = NULL;
    uint8_t mac[EB_SHA256_LEN];
    bool fits = text.len > 0 && text.len <= AUTH_TOKEN_MAX;

    *ret = NULL;
    if (!fits)
        p.signed_part = (struct eb_span){ decoy_payload, sizeof(decoy_payload) - 1 };
    else if (!split(text, &p))
        p = (struct parts){ .signed_part = text };
    enum auth_fault fault = look_at_header(k, p.header, &key);
    if (!fits)
        fault = AUTH_LENGTH;
    eb_hmac_sha256(key != NULL ? key->key : k->decoy, AUTH_KEY_LEN, p.signed_part.p, p.signed_part.len, mac);
    bool right = signature_right(p.signature, mac);
    OPENSSL_cleanse(mac, sizeof(mac));
    if (fault == AUTH_GOOD && !right)
        fault = AUTH_SIGNATURE;

    bool believed = fault == AUTH_GOOD;
    json_t *claims = segment_json(believed ? p.payload : (struct eb_span){ decoy_payload, sizeof(decoy_payload) - 1 }, AUTH_TOKEN_MAX);
    enum auth_fault said = claims != NULL ? check_claims(claims, now_ms) : AUTH_FORM;
    if (believed)
        fault = said;
    if (fault == AUTH_GOOD)
        *ret = claims;
    else
        json_decref(claims);
    return fault;
}

/* ---- making ---- */

static json_t *list_json(char *const *list)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && list[i] != NULL; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static json_t *claims_of(const struct auth_token *t)
{
    json_t *claims = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:b}", "iss", ISSUER, "sub", t->name, "jti", t->id,
                               "iat", (json_int_t)(t->created_ms / 1000), "nbf", (json_int_t)(t->created_ms / 1000),
                               "exp", (json_int_t)(t->expires_ms / 1000),
                               "operations", list_json(t->operations), "projects", list_json(t->projects), "reveal", (int)t->reveal_secrets);
    return claims;
}

bool auth_jwt_make(const struct auth_keys *k, const struct auth_token *t, char **ret, struct eb_err *err)
{
    const struct auth_signing_key *key = &k->signing[k->count - 1];
    EB_AUTO(json_t, json_decref) claims = claims_of(t);
    jwt_t *made = NULL;
    char *grants = claims != NULL ? eb_json_text(claims) : NULL;

    if (grants == NULL || jwt_new(&made) != 0) {
        free(grants);
        return eb_fail(err, EB_INTERNAL, "a token cannot be made: out of memory, or its name is not UTF-8");
    }
    EB_AUTO(jwt_t, jwt_free) jwt = made;
    bool good = jwt_add_header(jwt, "kid", key->kid) == 0 && jwt_add_grants_json(jwt, grants) == 0 &&
                jwt_set_alg(jwt, JWT_ALG_HS256, key->key, AUTH_KEY_LEN) == 0;
    free(grants);
    char *text = good ? jwt_encode_str(jwt) : NULL;
    if (text == NULL)
        return eb_fail(err, EB_INTERNAL, "libjwt could not make the token");
    if (strlen(text) > AUTH_TOKEN_MAX) {
        eb_wipe_free(text);
        return eb_fail(err, EB_INVALID_REQUEST, "the token would be longer than %zu bytes: name fewer operations and projects, or '*'", AUTH_TOKEN_MAX);
    }
    *ret = text;
    return true;
}

static bool list_agrees(const json_t *claimed, char *const *list)
{
    size_t i = 0;

    for (; list[i] != NULL; i++)
        if (!eb_streq(json_string_value(json_array_get(claimed, i)), list[i]))
            return false;
    return json_array_size(claimed) == i;
}

bool auth_jwt_agrees(const json_t *claims, const struct auth_token *t)
{
    return eb_streq(eb_json_str(claims, "sub"), t->name) && eb_json_int(claims, "exp", -1) == t->expires_ms / 1000 &&
           eb_json_bool(claims, "reveal", false) == t->reveal_secrets &&
           list_agrees(json_object_get(claims, "operations"), t->operations) &&
           list_agrees(json_object_get(claims, "projects"), t->projects);
}
