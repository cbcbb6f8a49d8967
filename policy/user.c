/* user.c - the checks on a user: found, protected, changeable.
 *
 * Invariant: only POLICY_NO lets a fact pass.
 */
#include "policy/verdict.h"

bool policy_check_user(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_user *u = c->user;

    if (u == NULL)
        return true;
    if (u->ambiguous)
        return policy_refuse(v, EB_USER_AMBIGUOUS, "user", "user", "Several users have this address. Send the object id or the user principal name.");
    if (!u->found || u->id == NULL || *u->id == '\0')
        return policy_refuse(v, EB_USER_NOT_FOUND, "user", "user", "No user in Entra has this id, user principal name or mail address.");
    return true;
}

/* One fact that protects: what to say when it holds, and when Graph did not tell. */
struct protection { enum policy_fact fact; const char *rule, *holds, *untold; };

static bool check_protections(const struct protection *rows, size_t count, const char *name, struct policy_verdict *v)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].fact == POLICY_NO)
            continue;
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, rows[i].rule, "user", "%s %s", policy_show(name).text,
                             rows[i].fact == POLICY_YES ? rows[i].holds : rows[i].untold);
    }
    return true;
}

/* Whose roles and memberships nobody can look up comes back only where we deleted them, or a person has approved of it. (Entra itself refuses to restore those who hold
 * a role, unless the application holds a high one.) */
static bool check_deleted(const struct policy_case *c, struct policy_verdict *v)
{
    const struct config_operation_rule *rule = policy_operation(c->policy, c->kind);

    if (c->user->deleted_by_us || (rule != NULL && rule->conditions.approval))
        return true;
    return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "policy.protected.deleted", "user",
                         "Entra does not tell the groups and roles of deleted users, and %s, whom entrabridge did not delete, could have protected ones. Let the policy ask for an approval of this "
                         "operation (approval: required), so that a person decides.", policy_show(c->user->display_name).text);
}

bool policy_check_principal(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_user *u = c->user;

    if (u == NULL)
        return true;
    /* Without directory_roles a role protects nobody; membership or ownership of a role-assignable group always does. */
    enum policy_fact role = c->policy->protect_directory_roles ? u->role_holder : POLICY_NO;
    const struct protection rows[] = {
        { u->named, "policy.protected.users", "is protected by name: policy.protected.users lists this user.",
          "cannot be told from the protected users, because a name in policy.protected.users fits no user. Correct it (`entrabridge check` names it)." },
        { role, "policy.protected.directory_roles", "holds a directory role, and who does is protected.",
          "could hold a directory role: Graph did not tell. Grant the app registration RoleManagement.Read.Directory." },
        { u->role_group_member, "policy.protected.role_assignable", "is a member of a group that roles can be assigned to, and is protected by that.",
          "could be a member of a role-assignable group: Graph did not tell. Grant the app registration GroupMember.Read.All." },
        { u->role_group_owner, "policy.protected.role_assignable", "owns a group that roles can be assigned to, and is protected by that.",
          "could own a role-assignable group: Graph did not tell. Grant the app registration GroupMember.Read.All." },
        { u->app_owner, "policy.protected.app_owners", "owns the app registration that entrabridge itself acts as, and is protected by that.",
          "could own entrabridge's own app registration: Graph did not tell. Grant it Application.Read.All." },
    };
    if (!check_protections(rows, 1, u->display_name, v))
        return false;
    if (u->deleted)
        return check_deleted(c, v);
    if (u->in_protected == POLICY_YES)
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "policy.protected.groups", "user", "%s is a member of the protected group \"%s\".",
                             policy_show(u->display_name).text, policy_show(u->protected_by).text);
    if (u->in_protected != POLICY_NO)
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "policy.protected.groups", "user",
                             "%s could be a member of a protected group: Graph did not tell, or a name in policy.protected.groups fits no group. "
                             "Grant the app registration GroupMember.Read.All and see `entrabridge check`.", policy_show(u->display_name).text);
    return check_protections(rows + 1, EB_LEN(rows) - 1, u->display_name, v);
}

bool policy_check_user_modifiable(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_user *u = c->user;

    if (u == NULL || !c->changes_user || u->synced == POLICY_NO)
        return true;
    if (u->synced == POLICY_YES)
        return policy_refuse(v, EB_USER_NOT_MODIFIABLE, "user.synced", "user",
                             "%s is synchronized from an on-premises directory. Change the user there.", policy_show(u->display_name).text);
    return policy_refuse(v, EB_USER_NOT_MODIFIABLE, "user.synced", "user",
                         "Graph did not tell whether %s is synchronized from an on-premises directory. Grant the app registration User.Read.All.",
                         policy_show(u->display_name).text);
}
