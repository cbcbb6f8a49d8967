/* outbox.h - the durable queue of comments still to be posted. A row goes ready -> posted | dead; `doubt` says that an earlier try may have posted it. */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "base/error.h"
#include <stdint.h>

struct db;

struct outbox_row {
    int64_t number;                 /* order of putting */
    char *operation, *issue, *kind; /* kind: "comment", "property"; any other word is a further comment: "opened" */
    char *payload;                  /* JSON: the ADF document, or the property's value */
    char *state, *error, *comment_id;
    int tries; bool doubt;
    int64_t due_ms, created_ms, ended_ms;
};
void outbox_row_clear(struct outbox_row *r);

/* One row for each operation and kind: a second put of the same is ignored. */
bool outbox_put(struct db *db, const char *operation, const char *issue, const char *kind, const char *payload, int64_t due_ms, int64_t now_ms,
                int64_t *ret_number /* may be NULL; 0 where it was ignored */, struct eb_err *err) EB_CHECK;
typedef bool outbox_each(void *ctx, const struct outbox_row *r);
/* Ready rows due by until_ms, oldest due first, at most limit. */
bool outbox_due(struct db *db, int64_t until_ms, int limit, outbox_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Rows that are due later than any try is put off (an hour) were put when the clock was ahead: they are due now. */
bool outbox_recall(struct db *db, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* *ret_ms: when the next ready row is due; INT64_MAX: none. */
bool outbox_next_due(struct db *db, int64_t *ret_ms, struct eb_err *err) EB_CHECK;
/* tries + 1, doubt set, due again at lease_ms (when the lost post cannot land any more): committed before the post leaves. */
bool outbox_sending(struct db *db, int64_t number, int64_t lease_ms, struct eb_err *err) EB_CHECK;
bool outbox_posted(struct db *db, int64_t number, const char *comment_id, int64_t now_ms, struct eb_err *err) EB_CHECK;
bool outbox_later(struct db *db, int64_t number, bool doubt, const char *error, int64_t due_ms, struct eb_err *err) EB_CHECK;
bool outbox_dead(struct db *db, int64_t number, const char *error, int64_t now_ms, struct eb_err *err) EB_CHECK;
/* For the command line. state NULL: all but posted. */
bool outbox_list(struct db *db, const char *state, int limit, outbox_each *each, void *ctx, struct eb_err *err) EB_CHECK;
/* Dead (or waiting) rows of that operation, or all dead ones where operation is NULL, become due now. *ret_count: how many. */
bool outbox_retry(struct db *db, const char *operation, int64_t now_ms, int64_t *ret_count, struct eb_err *err) EB_CHECK;
/* The comment or property of an operation. *ret_found false: there is none. The row is the caller's to clear. */
bool outbox_find(struct db *db, const char *operation, const char *kind, struct outbox_row *ret, bool *ret_found, struct eb_err *err) EB_CHECK;
bool outbox_count(struct db *db, const char *state, int64_t *ret, struct eb_err *err) EB_CHECK;

#endif
