/* restored.h - what a database that was restored from a backup may be wrong about. Inside the caller's transaction. */
#ifndef STORE_RESTORED_H
#define STORE_RESTORED_H

#include "base/error.h"
#include <stdint.h>

struct db;

/* Operations that may have been done since the backup: all that are open, and those that wait and may have been let go on. In the order of acceptance. */
typedef bool restored_each(void *ctx, const char *id, bool waits);      /* false ends it */
bool restored_in_doubt(struct db *db, int64_t now_ms, restored_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Those whose date is still to come: the running service would not have touched them, though somebody may have cancelled one. */
struct restored_scheduled { const char *id, *kind, *issue; int64_t at_ms; };
typedef bool restored_scheduled_each(void *ctx, const struct restored_scheduled *r);
bool restored_to_come(struct db *db, int64_t now_ms, restored_scheduled_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* What is still to be posted may have been: it is searched for first. Only comments are counted. */
bool restored_comments(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;
/* Orders of the command line that were not taken up may have been: they are not carried out. */
bool restored_orders(struct db *db, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;
/* Links to secrets may have been opened: they open nothing any more. *ret_count: secrets that nobody had seen when the backup was made. */
bool restored_secrets(struct db *db, int64_t *ret_count, struct eb_err *err) EB_CHECK;

#endif
