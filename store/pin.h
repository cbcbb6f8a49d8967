/* pin.h - the ids that the policy's names were found to mean, kept for good. */
#ifndef STORE_PIN_H
#define STORE_PIN_H

#include "base/error.h"
#include <stdint.h>

struct db;
/* type: "group", "user", "project". The first pin of a name stays: *ret_id (a buffer of 64) is the id in force, old or new. */
bool pin_put(struct db *db, const char *type, const char *name, const char *id, int64_t now_ms, char ret_id[64], struct eb_err *err) EB_CHECK;
bool pin_get(struct db *db, const char *type, const char *name, char ret_id[64], struct eb_err *err) EB_CHECK;     /* EB_NOT_THERE */
bool pin_replace(struct db *db, const char *type, const char *name, const char *id, int64_t now_ms, struct eb_err *err) EB_CHECK;   /* `policy pin` */
/* The name may be bound anew, to whatever it fits then. *ret_count: as how many types it was pinned. (Type "configuration" is no name's: ops/configured.c.) */
bool pin_release(struct db *db, const char *name, int64_t *ret_count, struct eb_err *err) EB_CHECK;
typedef bool pin_each(void *ctx, const char *type, const char *name, const char *id, int64_t since_ms);
bool pin_list(struct db *db, pin_each *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
