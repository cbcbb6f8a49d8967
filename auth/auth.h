/* auth.h - who calls: tokens that the program signs itself (JWT, HS256), the keys beside the database.
 *
 * The only folder that includes libjwt. A token counts if its signature is right under the key its `kid` names, it has not expired, and its id
 * stands in the store, not revoked: a stolen key alone is useless. Wrong tokens take the same time as right ones.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/buf.h"
#include "store/store.h"

#include <stdint.h>

#define AUTH_TOKEN_MAX KiB(4)       /* longer texts are refused unread */

struct auth_keys;                   /* immutable after opening */
/* Files: token-<kid>.key (one or more), idempotency.key, audit.key, secrets.key. Rotation: add a token-<kid>.key whose name sorts last, start anew; it signs, all verify.
 * Opens or, with `create`, makes the directory (0700) and its keys (0600, 32 random bytes each). Refuses keys that others can read.
 * EB_NOT_THERE: no keys yet (and not `create`). */
bool auth_keys_open(const char *directory, bool create, struct auth_keys **ret, struct eb_err *err) EB_CHECK;
void auth_keys_free(struct auth_keys *k);
/* Named secrets for other rooms, made at the first start, each of 32 bytes: "idempotency" (HMAC of bodies), "audit", "secrets" (auth/seal.h). Borrowed.
 * NULL: unknown name, or "secrets" where no service has made it yet. */
const uint8_t *auth_key(const struct auth_keys *k, const char *name);

struct auth_token {                 /* as in the store, store/token_table.h */
    char id[37];
    char *name;
    char **operations, **projects;  /* NULL-ended; {"*"} is all */
    int64_t expires_ms, created_ms, revoked_ms;    /* revoked_ms 0: valid */
    bool reveal_secrets;
};
/* Makes and stores a token (in the caller's transaction; t->expires_ms is cut to whole seconds); *ret_text is the JWT, the caller's, to be wiped (eb_wipe_free). Fills t->id and created_ms. */
bool auth_token_create(const struct auth_keys *k, struct db *db, struct auth_token *t, char **ret_text, struct eb_err *err) EB_CHECK;

struct auth;                        /* the tokens of the store, in memory, on the loop */
/* Loads the tokens, turning the loop until they are there (before anything listens). The owner of the store's store_on_change() calls auth_reload(). */
bool auth_new(struct eb_loop *loop, struct store *s, const struct auth_keys *k, struct auth **ret, struct eb_err *err) EB_CHECK;
void auth_free(struct auth *a);     /* after store_close(): a load may be under way */
/* Loads anew now; done(ctx) (may be NULL) when the tokens are in force. A load that fails is tried again each second; the earlier tokens stay. */
void auth_reload(struct auth *a, void (*done)(void *ctx, const struct eb_err *err), void *ctx);
/* The token of that text, or NULL with EB_UNAUTHENTICATED (the text never says which check failed; the metric does). Borrowed until the next loop turn. */
const struct auth_token *auth_check(struct auth *a, struct eb_span text, struct eb_err *err);
/* By its name: the policy and the tokens of now, for operations taken up again later. A name can have several tokens (rotation): the union is
 * not formed; the one with that id, or NULL if it is gone, expired or revoked. */
const struct auth_token *auth_find(struct auth *a, const char *token_id);
/* The same for what was asked for long ago: where that one has expired, and was not revoked, the newest valid one of its name. */
const struct auth_token *auth_find_later(struct auth *a, const char *token_id);

#endif
