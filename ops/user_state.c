/* user_state.c - whether a user may sign in. The write stands alone always: with anything else in it, one missing right would fail both,
 * and the leaver would stay enabled (facts: surprises, 5). */
#include "ops/plan.h"

#include <stdio.h>
#include <string.h>

static bool plan_state(const struct ops_case *c, bool wanted, struct ops_plan *p, struct eb_err *err)
{
    const struct directory_facts *f = c->facts;
    bool now = f->account_enabled == POLICY_YES;

    if (f->account_enabled == POLICY_UNKNOWN)
        return eb_fail(err, EB_ENTRA_PERMISSION_MISSING, "Graph did not tell whether the account is enabled, and without that nothing is changed. "
                       "Grant User.Read.All.");
    p->before = json_pack("{s:b}", "accountEnabled", (int)now);
    p->after = json_pack("{s:b}", "accountEnabled", (int)wanted);
    snprintf(p->object, sizeof p->object, "user:%s", f->user.id);
    if (now == wanted && !c->stale)
        return true;

    struct ops_write *w = ops_plan_write(p, wanted ? GRAPH_USER_ENABLE : GRAPH_USER_DISABLE, p->object);
    snprintf(w->user_id, sizeof w->user_id, "%s", f->user.id);
    return true;
}

static bool plan_enable(const struct ops_case *c, struct ops_plan *p, struct eb_err *err) { return plan_state(c, true, p, err); }
static bool plan_disable(const struct ops_case *c, struct ops_plan *p, struct eb_err *err) { return plan_state(c, false, p, err); }

const struct ops_change ops_user_enable = {
    .changes_user = true, .settle = OPS_SETTLE_LOOK, .plan = plan_enable,
    .did = "Enabled the account of {user}.", .was_so = "The account of {user} is already enabled.", .would = "Would enable the account of {user}.",
};
const struct ops_change ops_user_disable = {
    .changes_user = true, .settle = OPS_SETTLE_LOOK, .plan = plan_disable,
    .did = "Disabled the account of {user}.", .was_so = "The account of {user} is already disabled.", .would = "Would disable the account of {user}.",
};
