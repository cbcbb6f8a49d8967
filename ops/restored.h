/* restored.h - after a backup of the database was put back: what stands open in it may have been done since, so nothing of it is done again.
 *
 * All in the caller's transaction, and without a service. The lists are what people and programs are told, in the members of `recover --json`.
 */
#ifndef OPS_RESTORED_H
#define OPS_RESTORED_H

#include "auth/auth.h"
#include "base/json.h"
#include "store/position.h"

struct db;

struct ops_restored {
    json_t *operations;         /* ended as unknown: operation, name, issue, accepted, waiting, commented, expiresAt (an end that was armed, for it may have been done) */
    json_t *scheduled;          /* whose date is to come, and which stay: operation, name, issue, at */
    json_t *ends;               /* armed ends of memberships, which stay: operation, userId, user, groupId, group, issue, expiresAt */
    json_t *revoked;            /* tokens whose revocation the backup had forgotten: id, name */
    json_t *younger;            /* tokens that the backup does not know: id, made */
    int64_t comments, orders, secrets;      /* to be searched for before they are posted; not carried out; links that open nothing any more */
    int64_t lost_rows;          /* audit rows that the backup does not have, as far as is known */
    struct position_look look;
    struct position now;        /* for position_renewed(), after the commit */
};
/* by: who does it, for the audit row. *ret is the caller's to clear, whatever comes of it. */
bool ops_restored_settle(struct db *db, const struct auth_keys *keys, const char *directory, const char *by, struct ops_restored *ret, struct eb_err *err) EB_CHECK;
void ops_restored_clear(struct ops_restored *r);

#endif
