/* sync_rows.h - a preview's rows in the three forms, written as they come. */
#ifndef CLI_SYNC_ROWS_H
#define CLI_SYNC_ROWS_H

#include "cli/print.h"
#include "sync/preview.h"

struct sync_rows {
    FILE *out;
    int lines_max, lines;           /* of a table; 0: all */
    bool cut;                       /* more lines were there */
    struct table *table;
    bool first;                     /* of JSON: nothing stands before the next one */
};
struct sync_rows_form {
    const char *name;               /* "table" */
    void (*begin)(struct sync_rows *r, const json_t *head /* the run and the totals */);
    bool (*row)(struct sync_rows *r, const struct sync_preview_row *row);       /* false: no more is wanted */
    void (*end)(struct sync_rows *r);
};
extern const struct sync_rows_form sync_rows_forms[];       /* ended by a row without a name; the first one is the table */

/* RFC 4180: in quotes where it must be. What a spreadsheet would take for a formula begins with an apostrophe. NULL: an empty field. */
void sync_rows_field(FILE *out, const char *text);

#endif
