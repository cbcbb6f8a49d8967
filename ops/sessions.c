/* sessions.c - ending a user's sessions. Entra does it by moving a time that every refresh token must be younger than: when it has moved, it was done. */
#include "ops/user_write.h"

#define MOVED "signInSessionsValidFromDateTime"

static bool plan_revoke(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const json_t *now = ops_user_told(c->facts, MOVED, "User.Read.All", err);

    if (now == NULL)
        return false;
    p->before = json_pack("{s:O}", MOVED, now);
    p->after = json_object();           /* Entra says when, by its own clock */
    if (c->doubt && c->recorded != NULL && !ops_same(p->before, c->recorded, MOVED))
        return true;
    ops_user_write(p, GRAPH_SESSIONS_REVOKE, c->facts);
    return true;
}

const struct ops_change ops_sessions_revoke = {
    .settle = OPS_SETTLE_GLANCE, .plan = plan_revoke,
    .did = "Revoked the sign-in sessions of {user}. Access already given ends within about an hour.", .was_so = "The sign-in sessions of {user} were not revoked.",
    .would = "Would revoke the sign-in sessions of {user}.",
};
