/* hash.h - SHA-256, HMAC, base64url, comparison in constant time. */
#ifndef EB_HASH_H
#define EB_HASH_H

#include "base/error.h"

#include <stdint.h>

#define EB_SHA256_LEN 32
#define EB_HEX_LEN 65        /* a SHA-256 as lower-case hex, with its NUL */

void eb_sha256(const void *data, size_t len, uint8_t out[EB_SHA256_LEN]);
void eb_sha256_hex(const void *data, size_t len, char out[EB_HEX_LEN]);
void eb_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[EB_SHA256_LEN]);
void eb_hmac_hex(const void *key, size_t key_len, const void *data, size_t len, char out[EB_HEX_LEN]);
void eb_hex(const void *data, size_t len, char *out /* 2*len+1 */);
bool eb_equal_ct(const void *a, const void *b, size_t len);     /* constant time in len */

/* base64url without padding (RFC 4648, section 5). The decoder is strict: no padding, no
 * white space, no stray bits in the last character. Lengths: enc 4*((n+2)/3)+1, dec 3*(n/4)+3. */
size_t eb_b64u_encode(const void *data, size_t len, char *out);
bool eb_b64u_decode(const char *text, size_t len, uint8_t *out, size_t *ret_len, struct eb_err *err) EB_CHECK;
size_t eb_b64_encode(const void *data, size_t len, char *out);  /* plain base64 with padding, for Basic */

#endif
