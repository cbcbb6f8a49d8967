/* secret.c - secrets that an operation makes: generated, sealed, and the members of the answer by which they are handed out.
 *
 * Pure but for randomness. A link's key is random and nowhere kept; what the table keeps of it is a SHA-256, which suffices for 256 bits.
 */
#include "ops/secret.h"

#include "auth/seal.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/password.h"
#include "base/text.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 32 };

bool ops_secret_generate(const struct auth_keys *k, const struct config *c, const char *operation, char **ret_value, char **ret_sealed,
                         struct eb_err *err)
{
    char *value = eb_password_new((size_t)c->password_length);

    if (!auth_seal(k, operation, OPS_SECRET_PASSWORD, value, ret_sealed, err)) {
        eb_wipe_free(value);
        return false;
    }
    *ret_value = value;
    return true;
}

bool ops_secret_seal(const struct auth_keys *k, const char *operation, const char *what, const char *value, char **ret_sealed, struct eb_err *err)
{
    return auth_seal(k, operation, what, value, ret_sealed, err);
}

bool ops_secret_unseal(const struct auth_keys *k, const char *operation, const char *what, const char *sealed, char **ret_value,
                       struct eb_err *err)
{
    return auth_unseal(k, operation, what, sealed, ret_value, err);
}

/* ---- links ---- */

void ops_secret_link_new(const struct config *c, int64_t now_ms, struct ops_secret_link *ret)
{
    uint8_t raw[KEY_BYTES];

    *ret = (struct ops_secret_link){ .expires_ms = now_ms + c->secret_expire_ms };
    eb_random(raw, sizeof(raw));
    eb_b64u_encode(raw, sizeof(raw), ret->key);
    eb_sha256_hex(ret->key, OPS_SECRET_KEY_LEN, ret->hash);
    OPENSSL_cleanse(raw, sizeof(raw));
}

void ops_secret_link_wipe(struct ops_secret_link *l)
{
    OPENSSL_cleanse(l, sizeof(*l));
}

/* One spelling each: no second text may open what the first one opens. */
bool ops_secret_link_read(const char *id, const char *key, struct ops_secret_link *ret)
{
    uint8_t raw[3 * (OPS_SECRET_KEY_LEN / 4) + 3];
    size_t len = 0;

    if (!eb_is_guid(id) || strpbrk(id, "ABCDEF") != NULL || strlen(key) != OPS_SECRET_KEY_LEN)
        return false;
    bool good = eb_b64u_decode(key, OPS_SECRET_KEY_LEN, raw, &len, NULL) && len == KEY_BYTES;
    OPENSSL_cleanse(raw, sizeof(raw));
    if (!good)
        return false;
    *ret = (struct ops_secret_link){ 0 };
    strcpy(ret->id, id);
    strcpy(ret->key, key);
    eb_sha256_hex(key, OPS_SECRET_KEY_LEN, ret->hash);
    return true;
}

/* ---- the answer ---- */

void ops_secret_show(json_t *answer, const char *what, const char *value)
{
    json_object_set_new(answer, what, json_string(value));
}

void ops_secret_point(json_t *answer, const struct config *c, const struct ops_secret_link *l)
{
    char *url = eb_asprintf("%s/secret/%s/%s", c->public_url, l->id, l->key), when[EB_TIME_LEN];

    json_object_set_new(answer, "secretUrl", json_string(url));
    json_object_set_new(answer, "secretExpiresAt", json_string(eb_time_format(l->expires_ms, when)));
    eb_wipe_free(url);
}

/* ---- where a form of ours comes from ---- */

/* As browsers write it: lower case, without the scheme's own port. */
const char *ops_secret_origin_of(const char *public_url, char *out, size_t size)
{
    const char *host = strstr(public_url, "://");
    size_t len = host != NULL ? (size_t)(host + 3 - public_url) + strcspn(host + 3, "/?#") : 0;

    snprintf(out, size, "%.*s", (int)len, public_url);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    const char *own = strncmp(out, "https:", 6) == 0 ? ":443" : ":80";
    len = strlen(out);
    if (len > strlen(own) && strcmp(out + len - strlen(own), own) == 0)
        out[len - strlen(own)] = '\0';
    return out;
}
