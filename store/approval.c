/* approval.c - which approvals have served. */
#include "store/approval.h"

#include "store/query.h"

bool approval_used(struct db *db, const struct approval_use *u, bool *ret, struct eb_err *err)
{
    return db_exists(db_query(db, err, "SELECT operation FROM approvals_used WHERE issue = $1 AND approval = $2 AND kind = $3 AND target_user = $4"
                              " AND target_group = $5 AND operation <> $6", DB_T(u->issue), DB_T(u->approval), DB_T(u->kind),
                              DB_T(u->user != NULL ? u->user : ""), DB_T(u->group != NULL ? u->group : ""), DB_T(u->operation)), ret, err);
}

/* Put first, looked at then: of two that come at once, one finds the other's row. */
bool approval_take(struct db *db, const struct approval_use *u, struct eb_err *err)
{
    bool used = true;

    if (!db_execute(db, NULL, err, "INSERT INTO approvals_used (issue, approval, kind, target_user, target_group, operation)"
                    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", DB_T(u->issue), DB_T(u->approval), DB_T(u->kind),
                    DB_T(u->user != NULL ? u->user : ""), DB_T(u->group != NULL ? u->group : ""), DB_T(u->operation)) ||
        !approval_used(db, u, &used, err))
        return false;
    return !used ||
           eb_fail(err, EB_APPROVAL_MISSING, "This approval has served another operation of the same kind and target already. Have the issue approved anew.");
}

bool approval_release(struct db *db, const char *operation, struct eb_err *err)
{
    return db_execute(db, NULL, err, "DELETE FROM approvals_used WHERE operation = $1", DB_T(operation));
}
