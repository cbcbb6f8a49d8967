/* audit_rows.h - a row's form and its hashes, shared by the files of the audit trail. */
#ifndef STORE_AUDIT_ROWS_H
#define STORE_AUDIT_ROWS_H

#include "store/audit.h"

struct db_stmt;

#define AUDIT_NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"
#define AUDIT_PAGE 512              /* short reads, so that the WAL of a running service can be checkpointed in between */

/* In the order in which audit_row_read() takes them. */
#define AUDIT_COLUMNS "a.number, a.time_ms, a.event, a.operation, a.data, a.previous, a.hash, a.personal, p.salt, p.data"
#define AUDIT_TABLES "audit a LEFT JOIN audit_personal p ON p.number = a.number"

/* A row with what belongs to its personal record. */
struct audit_stored { struct audit_row row; const char *personal_hash /* NULL: none */, *salt /* NULL: no record */; };
void audit_row_read(struct db_stmt *s, struct audit_stored *ret);

struct audit_head { int64_t number; char hash[EB_HEX_LEN], seal[EB_HEX_LEN]; bool there; };
bool audit_head_read(struct db *db, struct audit_head *ret, struct eb_err *err) EB_CHECK;      /* without one: that of an empty chain */
bool audit_head_good(const uint8_t *key, const struct audit_head *h);

/* personal_hash: NULL where the row has no personal record. */
bool audit_row_hash(const uint8_t *key, const struct audit_row *r, const char *personal_hash, char out[EB_HEX_LEN], struct eb_err *err) EB_CHECK;
void audit_personal_hash(const uint8_t *key, const char *salt, const char *data, char out[EB_HEX_LEN]);

#endif
