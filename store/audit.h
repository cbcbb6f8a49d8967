/* audit.h - audit rows, each chained by hash to the one before, so that none can be changed or taken out unseen.
 *
 * The head (number and hash of the last row) is kept apart under a seal, an HMAC too, so that rows cut off at the end are missed as well.
 * hash = HMAC-SHA-256(audit key, previous hash, number, time, event, operation, data, personal hash), hex; the key stands outside the database.
 *
 * What names a person stands beside the chain, in a personal record that can be erased: the row holds only its hash under a salt, and the salt goes
 * with the record, so that nothing can be guessed from what is left. An erasure is a row of its own that lists the rows it was about.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "base/error.h"
#include "base/hash.h"
#include <stdint.h>

struct db;

#define AUDIT_KEY_LEN 32            /* bytes at `key` */
#define AUDIT_ERASE_EVENT "audit.erase"
#define AUDIT_RECOVER_EVENT "store.recover"     /* the chain goes on from where a backup ended; its data has `lostRows` */

struct audit_row {                  /* texts are borrowed for the length of the call */
    int64_t number, time_ms;
    const char *event;              /* "operation", "token.create", "policy", ... */
    const char *operation;          /* or NULL */
    const char *data;               /* JSON, without anything that names a person */
    const char *personal;           /* JSON; NULL: there is none, or it was erased */
    bool has_personal;              /* there was one when the row was made */
    char previous[EB_HEX_LEN], hash[EB_HEX_LEN];
};
/* Chains and inserts; number and hashes are filled in *ret (may be NULL). Single writer: inside the caller's transaction. */
bool audit_add(struct db *db, const uint8_t *key, int64_t now_ms, const char *event, const char *operation, const char *data, struct audit_row *ret, struct eb_err *err) EB_CHECK;
/* The same with a personal record (JSON; NULL: none). */
bool audit_add_personal(struct db *db, const uint8_t *key, int64_t now_ms, const char *event, const char *operation, const char *data,
                        const char *personal, struct audit_row *ret, struct eb_err *err) EB_CHECK;

/* The row's number and the begin of its hash, as they stand in a comment's text: "1234 / 9f86d081884c7d65". Who changes history later cannot change that. */
#define AUDIT_ANCHOR_LEN 40
const char *audit_anchor(int64_t number, const char *hash, char out[AUDIT_ANCHOR_LEN]);

/* Walks the chain. false with a text naming the first bad row and why (changed, missing, order; personal record changed, or gone without an erasure).
 * progress may be NULL. */
struct audit_tally { int64_t rows, erased /* whose personal record was erased */, recoveries, lost /* rows after the backups that were put back */; };
bool audit_verify(struct db *db, const uint8_t *key, struct audit_tally *ret, void (*progress)(void *ctx, int64_t done, int64_t total), void *ctx, struct eb_err *err) EB_CHECK;

/* Rows of since_ms or later, in the order of their numbers; false of `each` ends it. Read in pages: a running service is not held up. */
typedef bool audit_each(void *ctx, const struct audit_row *r);
bool audit_list(struct db *db, int64_t since_ms, audit_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* One page: at most `most` rows behind number `after`. *ret_rows: how many there were. */
bool audit_page(struct db *db, int64_t since_ms, int64_t after, int most, audit_each *each, void *ctx, int *ret_rows, struct eb_err *err) EB_CHECK;
bool audit_last(struct db *db, int64_t *ret_number, struct eb_err *err) EB_CHECK;       /* 0: no row yet */

/* The rows whose personal records name a user: an object id or a UPN, in any case, as a word of its own in any of their texts. For a UPN also those
 * with an object id that went with it, since a user may have been renamed. Reads in pages, outside a transaction. */
#define AUDIT_NAMES_MAX 16
struct audit_found {
    int64_t *numbers; size_t count, room;
    char *names[AUDIT_NAMES_MAX]; size_t name_count;    /* what was looked for: the user as given, then ids */
};
bool audit_find_person(struct db *db, const char *user, struct audit_found *ret, struct eb_err *err) EB_CHECK;
void audit_found_clear(struct audit_found *f);
/* Deletes the personal records of these rows and adds the row that says so (by: who did it). At most AUDIT_ERASE_MOST at once, in the caller's transaction. */
#define AUDIT_ERASE_MOST 1000
bool audit_erase(struct db *db, const uint8_t *key, int64_t now_ms, const char *by, const int64_t *numbers, size_t count, struct eb_err *err) EB_CHECK;

#endif
