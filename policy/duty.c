/* duty.c - separation of duties: groups that nobody may hold together. */
#include "policy/verdict.h"

bool policy_check_duties(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_user *u = c->user;

    if (!c->adds_member || c->policy->duty_count == 0 || u->duty_conflict == POLICY_NO)
        return true;
    if (u->duty_conflict == POLICY_YES)
        return policy_refuse(v, EB_DUTY_CONFLICT, "policy.separation_of_duties", "group",
                             "%s is a member of %s%s%s, which nobody may hold together with %s. Remove that membership first.", policy_show(u->display_name).text,
                             u->duty_group != NULL ? "\"" : "", policy_show(u->duty_group != NULL ? u->duty_group : "a group").text,
                             u->duty_group != NULL ? "\"" : "", policy_show(c->group->name).text);
    return policy_refuse(v, EB_DUTY_CONFLICT, "policy.separation_of_duties", "group",
                         "Whether %s is in a group that nobody may hold together with %s could not be told: Graph did not say, or a name in "
                         "policy.separation_of_duties fits no group. Grant the app registration GroupMember.Read.All and see `entrabridge check`.",
                         policy_show(u->display_name).text, policy_show(c->group->name).text);
}
