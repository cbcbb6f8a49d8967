/* member.c - a user's membership in a group. */
#include "ops/plan.h"

#include <stdio.h>
#include <string.h>

static bool untold(struct eb_err *err)
{
    return eb_fail(err, EB_ENTRA_PERMISSION_MISSING, "Graph did not tell whether the user is a member of the group, and without that nothing is changed. "
                   "Grant User.Read.All and GroupMember.Read.All.");
}

static bool plan_member(const struct ops_case *c, bool wanted, enum graph_write_kind kind, struct ops_plan *p, struct eb_err *err)
{
    const struct directory_facts *f = c->facts;
    bool now = f->member == POLICY_YES;

    if (f->member == POLICY_UNKNOWN)
        return untold(err);
    p->before = json_pack("{s:b}", "member", (int)now);
    p->after = json_pack("{s:b}", "member", (int)wanted);
    snprintf(p->object, sizeof p->object, "member:%s:%s", f->group.id, f->user.id);
    if (now == wanted && !c->stale)
        return true;

    struct ops_write *w = ops_plan_write(p, kind, p->object);
    snprintf(w->touches, sizeof w->touches, "user:%s", f->user.id);
    snprintf(w->user_id, sizeof w->user_id, "%s", f->user.id);
    snprintf(w->other_id, sizeof w->other_id, "%s", f->group.id);
    return true;
}

static bool plan_add(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    return plan_member(c, true, GRAPH_MEMBER_ADD, p, err);
}

static bool plan_remove(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    return plan_member(c, false, GRAPH_MEMBER_REMOVE, p, err);
}

const struct ops_change ops_member_add = {
    .changes_group = true, .adds_member = true, .settle = OPS_SETTLE_REPEAT, .plan = plan_add,
    .did = "Added {user} to {group}{until}.", .was_so = "{user} is already a member of {group}{until}.", .would = "Would add {user} to {group}{until}.",
};
const struct ops_change ops_member_remove = {
    .changes_group = true, .settle = OPS_SETTLE_REPEAT, .plan = plan_remove,
    .did = "Removed {user} from {group}{until}.", .was_so = "{user} is not a member of {group}.", .would = "Would remove {user} from {group}.",
};
