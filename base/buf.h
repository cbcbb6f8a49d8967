/* buf.h - a growing buffer that is born with its ceiling, and a view of bytes. */
#ifndef EB_BUF_H
#define EB_BUF_H

#include "base/error.h"

#include <stdint.h>

#define KiB(n) ((size_t)(n) * 1024)
#define MiB(n) ((size_t)(n) * 1024 * 1024)

struct eb_span { const char *p; size_t len; };    /* borrowed bytes, not ended by NUL */

/* data is always ended by a NUL that len does not count (data is NULL while empty).
 * Passing the ceiling sets `failed` (no memory ends the program); later adds do nothing, so that a
 * writer may add many pieces and look once at the end. */
struct eb_buf { char *data; size_t len, cap, max; bool failed; };

#define EB_BUF(ceiling) ((struct eb_buf){ .max = (ceiling) })
bool eb_buf_add(struct eb_buf *b, const void *data, size_t len);   /* false: the ceiling was passed */
bool eb_buf_str(struct eb_buf *b, const char *s);
bool eb_buf_addf(struct eb_buf *b, const char *fmt, ...) EB_PRINTF(2, 3);
/* Room for `len` more bytes, to be written at once; then eb_buf_used() says how many were. NULL: the ceiling, or no memory. */
char *eb_buf_room(struct eb_buf *b, size_t len);
void eb_buf_used(struct eb_buf *b, size_t len);
void eb_buf_reset(struct eb_buf *b);              /* keeps the memory */
void eb_buf_free(struct eb_buf *b);               /* frees and zeroes; may be used again */
char *eb_buf_take(struct eb_buf *b);              /* the text, now the caller's (free); NULL if failed. Never NULL for an empty good buffer. */

#endif
