/* seal.h - short secrets sealed under the key "secrets", so that the database alone does not give them away.
 *
 * AES-256-GCM with a random 96-bit nonce. What a seal is for (its owner and kind) is bound to it: moved to another row it does not open.
 * Text form: base64url of version byte 1, nonce, ciphertext, 16-byte tag.
 */
#ifndef AUTH_SEAL_H
#define AUTH_SEAL_H

#include "auth/auth.h"

#define AUTH_SEAL_MAX KiB(4)        /* bytes of a value */

/* owner: an operation's id; what: "password". The caller's: free(). EB_INTERNAL: too long, or the key is not there. */
bool auth_seal(const struct auth_keys *k, const char *owner, const char *what, const char *value, char **ret_sealed, struct eb_err *err) EB_CHECK;
/* The caller's: eb_wipe_free(). EB_INTERNAL, never saying which: another key, another owner or kind, or changed. */
bool auth_unseal(const struct auth_keys *k, const char *owner, const char *what, const char *sealed, char **ret_value, struct eb_err *err) EB_CHECK;

#endif
