/* rule.c - the entries of the policy that ask something of a case, and what must be read for them. */
#include "policy/verdict.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

const struct config_operation_rule *policy_operation(const struct config_policy *p, const char *kind)
{
    for (size_t i = 0; i < p->operation_count; i++)
        if (strcmp(p->operations[i].kind, kind) == 0)
            return &p->operations[i];
    return NULL;
}

static const struct config_group_rule *group_rule(const struct policy_case *c)
{
    return c->group != NULL && c->group->state == POLICY_GROUP_BOUND ? c->group->rule : NULL;
}

/* Its place in the file; facts may have been read for another configuration, then only the key is told. */
void policy_group_path(const struct config_policy *p, const struct config_group_rule *rule, char *out, size_t size)
{
    snprintf(out, size, "policy.serviceable_groups");
    for (size_t i = 0; i < p->group_count; i++)
        if (&p->groups[i] == rule)
            snprintf(out, size, "policy.serviceable_groups[%zu]", i);
}

bool policy_asked(const struct policy_case *c, size_t side, struct policy_asked *ret)
{
    const struct config_operation_rule *operation = policy_operation(c->policy, c->kind);
    const struct config_group_rule *group = group_rule(c);

    if (c->ends_member || (side == POLICY_OF_OPERATION ? operation == NULL : group == NULL))
        return false;
    ret->side = side;
    ret->k = side == POLICY_OF_OPERATION ? &operation->conditions : &group->conditions;
    if (side == POLICY_OF_OPERATION)
        snprintf(ret->rule, sizeof(ret->rule), "policy.operations.%s", c->kind);
    else
        policy_group_path(c->policy, group, ret->rule, sizeof(ret->rule));
    return true;
}

bool policy_asked_of_people(const struct policy_case *c, size_t side, struct policy_asked *ret)
{
    return (side != POLICY_OF_GROUP || c->changes_group) && policy_asked(c, side, ret);
}

bool policy_names_reporter(const struct policy_case *c)
{
    return !c->ends_member && eb_streq(eb_json_str(c->request, "user"), "reporter");
}

/* Before the group is known any entry may turn out to be the one: the manager is read together with the group. */
static bool some_group_asks_manager(const struct policy_case *c)
{
    if (c->ends_member || !c->changes_group || c->group != NULL)
        return false;
    for (size_t i = 0; i < c->policy->group_count; i++)
        if (c->policy->groups[i].conditions.requester == CONFIG_REQUESTER_MANAGER)
            return true;
    return false;
}

void policy_needs(const struct policy_case *c, struct policy_needs *ret)
{
    struct policy_asked a;

    *ret = (struct policy_needs){ .duties = c->adds_member && !c->ends_member && c->policy->duty_count > 0, .edits = policy_names_reporter(c),
                                  .manager = some_group_asks_manager(c) };
    for (size_t side = 0; side < POLICY_SIDES; side++) {
        if (!policy_asked_of_people(c, side, &a))
            continue;
        bool asks_requester = a.k->requester != CONFIG_REQUESTER_UNASKED;
        ret->approvals |= a.k->approval;
        ret->edits |= a.k->approval || asks_requester;
        ret->reporter |= a.k->approval || asks_requester;
        ret->manager |= a.k->requester == CONFIG_REQUESTER_MANAGER;
        ret->approver_group[side] = a.k->approval ? a.k->approvers : NULL;
        ret->requester_group[side] = a.k->requester == CONFIG_REQUESTER_GROUP ? a.k->requester_group : NULL;
    }
}
