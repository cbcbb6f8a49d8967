/* secret.h - secrets that an operation makes: generated, sealed, handed out in the answer or by a link that shows them once.
 *
 * A value never enters journal, log, comment, replay or GET; a whole link neither (design, section 4). The order of things:
 *     before the write    ops_secret_generate() -> secret_put(), in the transaction of the write's row
 *     after a crash       secret_get() -> ops_secret_unseal(): the same value is sent again
 *     came with an answer ops_secret_seal() -> secret_put(), in a transaction of its own, before anything else is done
 *     at the end          a token that may reveal: secret_remove() in the conclusion, ops_secret_show() into the answer that is sent
 *                         else: ops_secret_link_new(), secret_link() in the conclusion, ops_secret_point() into the answer that is sent
 *     made for nothing    secret_remove() in the conclusion
 * The answer that the journal keeps is made without either.
 */
#ifndef OPS_SECRET_H
#define OPS_SECRET_H

#include "auth/auth.h"
#include "base/json.h"
#include "base/random.h"
#include "config/config.h"

struct ops;

#define OPS_SECRET_PASSWORD "password"                      /* also the member of the answer */
#define OPS_SECRET_ACCESS_PASS "temporaryAccessPass"

/* A new password, and its seal. *ret_value: eb_wipe_free(); *ret_sealed: free(). */
bool ops_secret_generate(const struct auth_keys *k, const struct config *c, const char *operation, char **ret_value, char **ret_sealed,
                         struct eb_err *err) EB_CHECK;
/* *ret_sealed: free(). */
bool ops_secret_seal(const struct auth_keys *k, const char *operation, const char *what, const char *value, char **ret_sealed, struct eb_err *err) EB_CHECK;
/* *ret_value: eb_wipe_free(). EB_INTERNAL: sealed with another key, for another operation, or changed. */
bool ops_secret_unseal(const struct auth_keys *k, const char *operation, const char *what, const char *sealed, char **ret_value,
                       struct eb_err *err) EB_CHECK;

/* A link before it is whole: secret_link() takes hash and expires_ms, and gives the id. To be wiped (ops_secret_link_wipe). */
#define OPS_SECRET_KEY_LEN 43       /* 32 random bytes as base64url */
struct ops_secret_link { char id[EB_ID_LEN], key[OPS_SECRET_KEY_LEN + 1], hash[65]; int64_t expires_ms; };
void ops_secret_link_new(const struct config *c, int64_t now_ms, struct ops_secret_link *ret);
void ops_secret_link_wipe(struct ops_secret_link *l);
/* The hash of a key that came with a request. false: nothing of that form was ever given out. */
bool ops_secret_link_read(const char *id, const char *key, struct ops_secret_link *ret);

/* Members of the answer, for a token that may reveal ("password": …) and for one that may not ("secretUrl", "secretExpiresAt"). */
void ops_secret_show(json_t *answer, const char *what, const char *value);
void ops_secret_point(json_t *answer, const struct config *c, const struct ops_secret_link *l);

/* The page behind a link (reveal.c). Strings are borrowed, for the length of the call; they name no person. */
struct ops_secret_page {
    const char *operation, *kind, *what, *token_name;
    const char *issue;              /* its key, or NULL */
    int64_t expires_ms;
    const char *value;              /* NULL while it was not opened */
};
/* page NULL and err EB_NOT_THERE: the link opens nothing (unknown, wrong, expired, opened: not told apart); another code: not now. */
typedef void ops_secret_done(void *ctx, uint64_t exchange, const struct ops_secret_page *page, const struct eb_err *err);
/* What stands behind a link, without opening it. Called back now or later, once. */
void ops_secret_look(struct ops *o, const char *id, const char *key, uint64_t exchange, ops_secret_done *done, void *ctx);
/* Opens it: said so on disk, in the audit and to the issue before done() has the value. */
void ops_secret_open(struct ops *o, const char *id, const char *key, uint64_t exchange, ops_secret_done *done, void *ctx);
/* Scheme, host and port of public_url: what a form of ours says in Origin. Returns out. */
const char *ops_secret_origin(const struct ops *o, char *out, size_t size);
const char *ops_secret_origin_of(const char *public_url, char *out, size_t size);

/* Expired secrets are forgotten: registered once (ops_new), begun with the service (ops_start). */
void ops_secret_register(struct ops *o);
void ops_secret_begin(struct ops *o);

#endif
