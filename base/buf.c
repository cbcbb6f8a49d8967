/* buf.c - the growing buffer.
 *
 * Invariants: len <= max; cap counts the closing NUL, so cap <= max + 1; data[len] is NUL once
 * there is data. After `failed` the content is kept but nothing more is added.
 */
#include "base/buf.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 128

static bool give_up(struct eb_buf *b)
{
    b->failed = true;
    return false;
}

/* Room for `more` bytes and the NUL; doubles, so that many small adds stay cheap. */
static bool reserve(struct eb_buf *b, size_t more)
{
    if (b->failed)
        return false;
    if (more > b->max - b->len || b->max == SIZE_MAX)
        return give_up(b);

    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap > 0 ? b->cap : FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;

    b->data = eb_need(realloc(b->data, cap));
    b->cap = cap;
    return true;
}

bool eb_buf_add(struct eb_buf *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool eb_buf_str(struct eb_buf *b, const char *s)
{
    return eb_buf_add(b, s, strlen(s));
}

bool eb_buf_addf(struct eb_buf *b, const char *fmt, ...)
{
    if (b->failed)
        return false;

    size_t room = b->cap - b->len;      /* with the NUL; 0 while there is no memory yet */
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        return give_up(b);

    if ((size_t)n >= room) {
        if (!reserve(b, (size_t)n)) {
            if (b->data != NULL)
                b->data[b->len] = '\0';     /* take back the part that was written */
            return false;
        }
        va_start(ap, fmt);
        (void)vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)n;
    return true;
}

char *eb_buf_room(struct eb_buf *b, size_t len)
{
    return reserve(b, len) ? b->data + b->len : NULL;
}

void eb_buf_used(struct eb_buf *b, size_t len)
{
    b->len += len;
    b->data[b->len] = '\0';
}

void eb_buf_reset(struct eb_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void eb_buf_free(struct eb_buf *b)
{
    free(b->data);
    *b = (struct eb_buf){ .max = b->max };
}

char *eb_buf_take(struct eb_buf *b)
{
    char *text = NULL;

    if (!b->failed) {
        text = b->data != NULL ? b->data : eb_alloc(1);
        b->data = NULL;
    }
    eb_buf_free(b);
    return text;
}
