/* approval.h - which approvals have served: one serves one operation of a kind and target once (policy). */
#ifndef STORE_APPROVAL_H
#define STORE_APPROVAL_H

#include "base/error.h"

struct db;

struct approval_use { const char *issue /* its id */, *approval, *kind, *user, *group /* ids, or NULL */, *operation; };
/* *ret: has it served another operation of that kind and target? One that ended without a write has given it back (approval_release). */
bool approval_used(struct db *db, const struct approval_use *u, bool *ret, struct eb_err *err) EB_CHECK;
/* In the transaction that records the first write. EB_APPROVAL_MISSING: another operation was faster. */
bool approval_take(struct db *db, const struct approval_use *u, struct eb_err *err) EB_CHECK;
/* The operation has ended and changed nothing. */
bool approval_release(struct db *db, const char *operation, struct eb_err *err) EB_CHECK;

#endif
