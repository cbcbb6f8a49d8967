/* random.h - random bytes and ids. Ends the program if the system has no randomness. */
#ifndef EB_RANDOM_H
#define EB_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define EB_ID_LEN 37         /* a UUID as text, with its NUL */

void eb_random(void *out, size_t len);
uint32_t eb_random_below(uint32_t n);           /* uniform, 0 .. n-1 */
/* UUID version 7 (RFC 9562): ordered by time, so that journal rows stay together. */
void eb_id_new(char out[EB_ID_LEN]);
void eb_uuid4(char out[EB_ID_LEN]);             /* for client-request-id and the like */

#endif
