/* limit_table.h - what the limits of the policy count: weights by subject, each in a sixtieth of the window. */
#ifndef STORE_LIMIT_TABLE_H
#define STORE_LIMIT_TABLE_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct db;

struct limit_row { const char *subject; int most; };        /* subject: "token:vpn-rule"; rows differ by it */
struct limit_take {
    const char *id;                     /* of the open operation: counted once, whatever comes after */
    const struct limit_row *rows; size_t count;
    int64_t now_ms, window_ms;
    int weight;                         /* 1, or as many as the request stands for */
    int ret_past;                       /* the first row that would be passed: then nothing was counted; -1: none */
    bool ret_alert;                     /* and it was not told of this subject within the window: it counts as told now */
};
/* Counts the operation in every row, or in none. Sums what began within the window; what stands in the future (the clock was set back) does not count. */
bool limit_take(struct db *db, struct limit_take *t, struct eb_err *err) EB_CHECK;

#endif
