/* inside.h - what the files of auth/ share: keys by id, and the text form of a token. */
#ifndef AUTH_INSIDE_H
#define AUTH_INSIDE_H

#include "auth/auth.h"
#include "base/json.h"

#define AUTH_KEY_LEN 32
#define AUTH_KID_MAX 32

struct auth_signing_key { char kid[AUTH_KID_MAX + 1]; uint8_t key[AUTH_KEY_LEN]; };
struct auth_keys {
    struct auth_signing_key *signing; size_t count;     /* in the order of their names; the last one signs */
    uint8_t idempotency[AUTH_KEY_LEN], audit[AUTH_KEY_LEN], secrets[AUTH_KEY_LEN];
    bool has_secrets;               /* false: a tool, on a directory where no service that knows the key has started yet */
    uint8_t decoy[AUTH_KEY_LEN];    /* random for this process: what a token of an unknown key is measured with */
};
const struct auth_signing_key *auth_keys_find(const struct auth_keys *k, const char *kid);      /* NULL: none */

/* jwt.c: the form of a token. The faults, in the order of their finding; the texts are values of a metric's label. */
#define AUTH_FAULTS(X) \
    X(GOOD, "good") X(LENGTH, "length") X(FORM, "form") X(HEADER, "header") X(KEY, "key") X(SIGNATURE, "signature") \
    X(CLAIMS, "claims") X(EARLY, "not_yet_valid") X(EXPIRED, "expired") \
    X(UNKNOWN, "unknown") X(REVOKED, "revoked") X(ALTERED, "altered")
#define AUTH_FAULT_ENUM(symbol, text) AUTH_##symbol,
enum auth_fault { AUTH_FAULTS(AUTH_FAULT_ENUM) AUTH_FAULT_COUNT };
const char *auth_fault_text(enum auth_fault f);

/* Every text costs the same: one HMAC, one look at claims (its own or a decoy's). GOOD: *ret is its claims, the caller's; else NULL. */
enum auth_fault auth_jwt_check(const struct auth_keys *k, struct eb_span text, int64_t now_ms, json_t **ret);
/* The text of a token with id, name, lists and times filled in; signed by the newest key. The caller's, to be wiped. */
bool auth_jwt_make(const struct auth_keys *k, const struct auth_token *t, char **ret, struct eb_err *err) EB_CHECK;
/* Whether the claims say what the store's row says: a row that was widened in the database is not believed. */
bool auth_jwt_agrees(const json_t *claims, const struct auth_token *t);

#endif
