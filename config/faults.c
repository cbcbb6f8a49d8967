/* faults.c - all faults of a file, so that one reading shows all of them.
 *
 * Invariant: at most MOST texts are kept, whatever the file holds.
 */
#include "config/tree.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 200

void fault_add(struct faults *f, int line, const char *key, const char *fmt, ...)
{
    char text[512], clean[512], name[128];
    va_list ap;

    if (f->count == MOST) {
        f->more = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (f->items == NULL)
        f->items = eb_alloc(MOST * sizeof(*f->items));
    f->items[f->count++] = (struct fault){ line, eb_asprintf("%s%s%s", eb_text_clean(key, name, sizeof(name)),
                                                             *key != '\0' ? ": " : "", eb_text_clean(text, clean, sizeof(clean))) };
}

/* Insertion keeps the order of finding within a line. */
static void sort_by_line(struct faults *f)
{
    for (size_t i = 1; i < f->count; i++) {
        struct fault moved = f->items[i];
        size_t at = i;
        for (; at > 0 && f->items[at - 1].line > moved.line; at--)
            f->items[at] = f->items[at - 1];
        f->items[at] = moved;
    }
}

void faults_print(struct faults *f, struct eb_buf *out)
{
    sort_by_line(f);
    for (size_t i = 0; i < f->count; i++) {
        if (f->items[i].line > 0)
            eb_buf_addf(out, "%s:%d: %s\n", f->file, f->items[i].line, f->items[i].text);
        else
            eb_buf_addf(out, "%s: %s\n", f->file, f->items[i].text);
    }
    if (f->more)
        eb_buf_addf(out, "%s: further faults are not shown\n", f->file);
}

void faults_free(struct faults *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].text);
    free(f->items);
    *f = (struct faults){ .file = f->file };
}
