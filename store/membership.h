/* membership.h - memberships that end by themselves: one row for each user and group, made by the operation that made the membership.
 *
 * A timer of kind "member_end" (subject: the object) stands beside each row, put and removed in the same transaction, and one of kind "member_warn".
 */
#ifndef STORE_MEMBERSHIP_H
#define STORE_MEMBERSHIP_H

#include "base/error.h"
#include <stdint.h>

struct db;

#define MEMBERSHIP_END "member_end"
#define MEMBERSHIP_WARN "member_warn"

struct membership {                 /* strings of a row that was read are the row's: membership_clear() */
    char *object;                   /* "member:<group id>:<user id>" */
    char *operation;                /* which set the present end */
    char *issue_id, *issue_key;     /* where its end is told; NULL: nowhere */
    char *user_id, *group_id, *user_name, *group_name;
    char *stopped;                  /* why it could not be ended when it was due; NULL: it was not tried, or is to be */
    int64_t ends_ms, warn_ms;       /* warn_ms 0: announced, or too short to be */
};
void membership_clear(struct membership *m);

/* A new end in place of an earlier one. */
bool membership_put(struct db *db, const struct membership *m, struct eb_err *err) EB_CHECK;
/* It ended, or is to last. None there: fine. */
bool membership_remove(struct db *db, const char *object, struct eb_err *err) EB_CHECK;
/* EB_NOT_THERE. */
bool membership_get(struct db *db, const char *object, struct membership *ret, struct eb_err *err) EB_CHECK;
/* The one whose present end this operation has set. EB_NOT_THERE. */
bool membership_find(struct db *db, const char *operation, struct membership *ret, struct eb_err *err) EB_CHECK;
bool membership_warned(struct db *db, const char *object, struct eb_err *err) EB_CHECK;
bool membership_stopped(struct db *db, const char *object, const char *why /* NULL: it is tried anew */, struct eb_err *err) EB_CHECK;
typedef bool membership_each(void *ctx, const struct membership *m);       /* false ends the listing */
/* Those that end by until_ms, soonest first. limit 0: all. */
bool membership_list(struct db *db, int64_t until_ms, int limit, membership_each *each, void *ctx, struct eb_err *err) EB_CHECK;

#endif
