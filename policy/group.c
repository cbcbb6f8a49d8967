/* group.c - the checks on a group: listed, there, not protected, for this project, changeable.
 *
 * Invariant: only a group that the policy lists, bound to an id that Graph still has, passes.
 */
#include "policy/verdict.h"

static bool check_listed(const struct policy_group *g, struct policy_verdict *v)
{
    const char *name = g->name != NULL || g->rule == NULL ? g->name : g->rule->group;

    switch (g->state) {
    case POLICY_GROUP_BOUND:
        if (g->rule != NULL)
            return true;
        break;
    case POLICY_GROUP_NONE:
        return policy_refuse(v, EB_GROUP_NOT_FOUND, "policy.serviceable_groups", "group",
                             "The policy lists \"%s\", but no group in Entra has this name. See `entrabridge check`.", policy_show(name).text);
    case POLICY_GROUP_SEVERAL:
        return policy_refuse(v, EB_GROUP_AMBIGUOUS, "policy.serviceable_groups", "group",
                             "Several groups in Entra are named \"%s\". List the object id of the one that is meant in policy.serviceable_groups.",
                             policy_show(name).text);
    case POLICY_GROUP_NOT_LISTED:
        break;
    }
    return policy_refuse(v, EB_GROUP_NOT_SERVICEABLE, "policy.serviceable_groups", "group",
                         "This group is not serviceable: policy.serviceable_groups does not list it under this name or id.");
}

static bool check_projects(const struct policy_case *c, struct policy_verdict *v)
{
    struct policy_asked a;

    if (!policy_asked(c, POLICY_OF_GROUP, &a) || policy_projects_allow(&c->group->rule->projects, c->issue))
        return true;        /* nothing is asked at the end of a membership; else the group was seen to be listed */
    if (c->issue == NULL)
        return policy_refuse_asked(v, EB_GROUP_NOT_SERVICEABLE, &a, "projects", "group",
                                   "Without an issue only groups with projects: \"*\" are serviceable, and %s is not one. Send the issue.",
                                   policy_show(c->group->name).text);
    return policy_refuse_asked(v, EB_GROUP_NOT_SERVICEABLE, &a, "projects", "group",
                               "%s is not serviceable for issues of project %s: its entry in policy.serviceable_groups lists other projects.",
                               policy_show(c->group->name).text, policy_show(c->issue->project_key).text);
}

bool policy_check_group(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_group *g = c->group;

    if (g == NULL)
        return true;
    if (!c->ends_member && !check_listed(g, v))
        return false;
    if (!g->found || g->id == NULL || *g->id == '\0')
        return policy_refuse(v, EB_GROUP_NOT_FOUND, "policy.serviceable_groups", "group",
                             "The group \"%s\" that is meant is no longer in Entra.", policy_show(g->rule != NULL ? g->rule->group : g->name).text);
    if (g->protected_ == POLICY_YES)
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "policy.protected.groups", "group",
                             "%s is a protected group, or nested in one.", policy_show(g->name).text);
    if (g->protected_ != POLICY_NO)
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "policy.protected.groups", "group",
                             "Whether %s is nested in a protected group could not be told: Graph did not tell, or a name in policy.protected.groups fits no group. "
                             "Grant the app registration GroupMember.Read.All and see `entrabridge check`.", policy_show(g->name).text);
    return check_projects(c, v);
}

bool policy_check_group_modifiable(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_group *g = c->group;

    if (g == NULL || !c->changes_group)
        return true;
    const struct { enum policy_fact fact; const char *rule, *holds, *untold; } rows[] = {
        { g->dynamic, "group.dynamic", "has a dynamic membership: a rule in Entra decides who is a member. Change the rule or the user's attributes.",
          "has a dynamic membership" },
        { g->synced, "group.synced", "is synchronized from an on-premises directory. Change its members there.",
          "is synchronized from an on-premises directory" },
        { g->mail_managed, "group.mail_managed", "is a distribution list or a mail-enabled security group. Exchange manages its members; Graph cannot.",
          "is managed by Exchange" },
        { g->role_assignable, "group.role_assignable", "can carry directory roles, so its members are for administrators to change, in Entra itself.",
          "can carry directory roles" },
        { g->restricted, "group.restricted", "is in a restricted management administrative unit, whose administrators alone may change it.",
          "is in a restricted management administrative unit" },
    };

    for (size_t i = 0; i < EB_LEN(rows); i++) {
        if (rows[i].fact == POLICY_NO)
            continue;
        if (rows[i].fact == POLICY_YES)
            return policy_refuse(v, EB_GROUP_NOT_MODIFIABLE, rows[i].rule, "group", "%s %s", policy_show(g->name).text, rows[i].holds);
        return policy_refuse(v, EB_GROUP_NOT_MODIFIABLE, rows[i].rule, "group",
                             "Graph did not tell whether %s %s. Grant the app registration GroupMember.Read.All.",
                             policy_show(g->name).text, rows[i].untold);
    }
    return true;
}

bool policy_group_serves(const struct config_group_rule *g, const struct policy_issue *issue)
{
    return policy_projects_allow(&g->projects, issue);
}
