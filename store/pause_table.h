/* pause_table.h - pauses: kinds of operations of which nothing is written for the time being. */
#ifndef STORE_PAUSE_TABLE_H
#define STORE_PAUSE_TABLE_H

#include "base/error.h"
#include <stdint.h>

struct db;

#define PAUSE_ALL "*"                   /* as the kind: every one */
struct pause { const char *kind, *reason /* or NULL */, *by; int64_t since_ms; };
bool pause_put(struct db *db, const struct pause *p, struct eb_err *err) EB_CHECK;     /* one of the kind that is there already keeps its time */
/* kind NULL: all of them. *ret_gone: how many there were. */
bool pause_remove(struct db *db, const char *kind, int64_t *ret_gone, struct eb_err *err) EB_CHECK;
typedef bool pause_each(void *ctx, const struct pause *p);
bool pause_list(struct db *db, pause_each *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
