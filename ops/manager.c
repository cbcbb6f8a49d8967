/* manager.c - whose report a user is. */
#include "ops/kind_parts.h"
#include "ops/user_write.h"
#include "base/text.h"

#include <stdio.h>

/* Members that are always there, so that before and after can be compared. */
static json_t *manager_state(const char *id, const char *name)
{
    return json_pack("{s:s?, s:s?}", "managerId", id, "manager", name);
}

static bool read_before(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const json_t *m = c->facts->manager_json;

    if (m == NULL)
        return ops_untold("who the user's manager is", "User.Read.All", err);
    p->before = manager_state(eb_json_str(m, "id"), eb_json_str(m, "displayName"));
    return true;
}

/* By id alone: a manager who was renamed meanwhile is the same one. */
static bool is_unknown(const struct ops_case *c, struct ops_plan *p)
{
    p->unknown = c->doubt && c->recorded != NULL && !ops_same(p->before, c->recorded, "managerId") && !ops_same(p->before, p->after, "managerId");
    return p->unknown;
}

static bool check_other(const struct ops_case *c, struct eb_err *err)
{
    const struct policy_user *m = &c->facts->other, *u = &c->facts->user;

    if (m->ambiguous)
        return eb_fail_field(err, EB_USER_AMBIGUOUS, "manager", "Several users have the address in `manager`. Send the object id or the user principal name.");
    if (!c->facts->has_other || !m->found)
        return eb_fail_field(err, EB_USER_NOT_FOUND, "manager", "No user in Entra has the id, user principal name or mail address in `manager`.");
    if (eb_strieq(m->id, u->id))
        return eb_fail_field(err, EB_INVALID_REQUEST, "manager", "Nobody can be their own manager.");
    if (m->manager_told && eb_strieq(m->manager_id, u->id))
        return eb_fail_field(err, EB_INVALID_REQUEST, "manager", "The user is the manager of this manager: the two would manage each other.");
    return true;
}

/* What was recorded and allowed is another manager. */
static bool fail_renamed(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    p->unknown = c->doubt;
    return c->doubt || eb_fail_field(err, EB_USER_NOT_FOUND, "manager", "While the operation waited, the name in `manager` has come to mean another user. "
                                     "Send the request again.");
}

static bool plan_set(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const struct policy_user *m = &c->facts->other;

    if (!check_other(c, err) || !read_before(c, p, err))
        return false;
    p->after = manager_state(m->id, m->display_name);
    if (c->wanted != NULL && !ops_same(c->wanted, p->after, "managerId"))
        return fail_renamed(c, p, err);
    if (is_unknown(c, p) || (ops_same(p->before, p->after, "managerId") && !c->stale))
        return true;
    struct ops_write *w = ops_user_write(p, GRAPH_MANAGER_SET, c->facts);
    snprintf(w->other_id, sizeof w->other_id, "%s", m->id);
    return true;
}

static bool plan_remove(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    if (!read_before(c, p, err))
        return false;
    p->after = manager_state(NULL, NULL);
    if (!is_unknown(c, p) && (c->stale || !ops_same(p->before, p->after, "managerId")))
        ops_user_write(p, GRAPH_MANAGER_REMOVE, c->facts);
    return true;
}

json_t *ops_manager_undo(const json_t *before, const json_t *after)
{
    const char *was = eb_json_str(before, "managerId");

    return was != NULL ? json_pack("{s:s}", "manager", was) : NULL;
}

const struct ops_change ops_manager_set = {
    .changes_user = true, .settle = OPS_SETTLE_LOOK, .plan = plan_set,
    .did = "Made {other} the manager of {user}.", .was_so = "{other} is already the manager of {user}.",
    .would = "Would make {other} the manager of {user}.",
};
const struct ops_change ops_manager_remove = {
    .changes_user = true, .settle = OPS_SETTLE_LOOK, .plan = plan_remove,
    .did = "Removed the manager of {user}.", .was_so = "{user} has no manager.", .would = "Would remove the manager of {user}.",
};
