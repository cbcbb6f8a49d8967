/* check_permission.c - the Graph permissions that the enabled operations need, and whether they are there.
 *
 * A wider permission counts for a narrower one. What an access token says is a hint (it is opaque by contract); a read that Graph
 * refuses is proof.
 */
#include "base/text.h"
#include "cli/check.h"

#include <stdio.h>
#include <string.h>

#define NOBODY "00000000-0000-0000-0000-000000000000"

/* Permissions that do what the first one does, and more. https://learn.microsoft.com/graph/permissions-reference */
#define DIRECTORY_WRITE "Directory.ReadWrite.All"
#define DIRECTORY "Directory.Read.All", DIRECTORY_WRITE
#define USERS "User.ReadWrite.All"
#define METHODS "UserAuthenticationMethod.ReadWrite.All"
static const char *const wider[][8] = {
    { "User.Read.All", USERS, DIRECTORY },
    { "GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", DIRECTORY },
    { CHECK_ROLES_READ, "RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All", DIRECTORY },
    { CHECK_ROLES_ELIGIBLE, "RoleEligibilitySchedule.ReadWrite.Directory", CHECK_ROLES_READ, "RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All" },
    { CHECK_OWNERS_READ, "Application.ReadWrite.All", DIRECTORY },
    { "GroupMember.ReadWrite.All", "Group.ReadWrite.All", DIRECTORY_WRITE },
    { "User.Create", USERS, DIRECTORY_WRITE },
    { "User.ReadUpdate.All", USERS, DIRECTORY_WRITE },
    { "User.EnableDisableAccount.All", USERS, DIRECTORY_WRITE },
    { "User-Phone.ReadWrite.All", USERS, DIRECTORY_WRITE },
    { "User-Mail.ReadWrite.All", USERS, DIRECTORY_WRITE },
    { "User.RevokeSessions.All", USERS, DIRECTORY_WRITE },
    { "User.DeleteRestore.All", USERS },
    { "User.Invite.All", USERS, DIRECTORY_WRITE },
    { USERS, DIRECTORY_WRITE },
    { "LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All", "Organization.Read.All", DIRECTORY },
    { "LicenseAssignment.ReadWrite.All", USERS, DIRECTORY_WRITE },
    { "UserAuthMethod-TAP.ReadWrite.All", METHODS },
    { "UserAuthenticationMethod.Read.All", METHODS },
};

static bool holds(char *const *granted, const char *permission)
{
    for (; *granted != NULL; granted++)
        if (strcmp(*granted, permission) == 0)
            return true;
    return false;
}

bool check_covers(char *const *granted, const char *permission)
{
    if (holds(granted, permission))
        return true;
    for (size_t i = 0; i < EB_LEN(wider); i++)
        for (size_t k = 1; strcmp(wider[i][0], permission) == 0 && k < EB_LEN(wider[i]) && wider[i][k] != NULL; k++)
            if (holds(granted, wider[i][k]))
                return true;
    return false;
}

/* ---- probes ---- */

static char *probe_user(void) { return graph_path_user(NOBODY, "?$select=id,accountEnabled"); }
static char *probe_group(void) { return graph_path_group(NOBODY, "?$select=id"); }
static char *probe_roles(void) { return graph_path_role_assignments(NOBODY); }

void check_probes(struct check_probe probes[CHECK_PROBES])
{
    static const struct check_probe all[CHECK_PROBES] = {
        { "User.Read.All", probe_user, true, CHECK_UNTOLD }, { "GroupMember.Read.All", probe_group, true, CHECK_UNTOLD },
        { CHECK_ROLES_READ, probe_roles, false, CHECK_UNTOLD },
    };

    memcpy(probes, all, sizeof(all));
}

static enum check_told probed(const struct check_probe *probes, const char *permission)
{
    for (size_t i = 0; i < CHECK_PROBES; i++)
        if (strcmp(probes[i].permission, permission) == 0)
            return probes[i].told;
    return CHECK_UNTOLD;
}

/* ---- needs ---- */

static const char *needing(const struct check_need *needs, size_t count, const char *permission, char out[300])
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < needs[i].count && len < 300; k++)
            if (strcmp(needs[i].permissions[k], permission) == 0)
                len += (size_t)snprintf(out + len, 300 - len, "%s%s", len > 0 ? ", " : "", needs[i].kind);
    return out;
}

static bool lacks(char *const *granted, const struct check_probe *probes, const char *permission)
{
    return probed(probes, permission) == CHECK_REFUSED || (granted != NULL && !check_covers(granted, permission));
}

static void judge(struct check_report *r, const char *permission, const char *kinds, char *const *granted, enum check_told told)
{
    if (told == CHECK_REFUSED)
        check_say(r, CHECK_FAULT, "permission", "%s is missing: Graph refuses such a read. Grant it to the app registration as an application "
                  "permission, with admin consent; needed for %s", permission, kinds);
    else if (granted != NULL && !check_covers(granted, permission))
        check_say(r, CHECK_FAULT, "permission", "%s is missing in the access token. Grant it to the app registration as an application "
                  "permission, with admin consent; needed for %s", permission, kinds);
    else if (granted == NULL && told == CHECK_UNTOLD)
        check_say(r, CHECK_WARNING, "permission", "%s: whether it is granted cannot be told, for this access token cannot be looked into; needed for %s",
                  permission, kinds);
    else
        check_say(r, CHECK_OK, "permission", "%s", permission);
}

static bool said_before(const struct check_need *needs, size_t i, size_t k)
{
    for (size_t n = 0; n < i; n++)
        for (size_t m = 0; m < needs[n].count; m++)
            if (strcmp(needs[n].permissions[m], needs[i].permissions[k]) == 0)
                return true;
    return false;
}

static void say_role(struct check_report *r, const struct check_need *n, char *const *held)
{
    if (n->role[0] == '\0')
        return;
    if (held == NULL)
        check_say(r, CHECK_WARNING, "role", "%s: whether the application holds it cannot be told, for this access token cannot be looked into; needed for %s",
                  n->role, n->kind);
    else if (check_holds_role(held, n->role))
        check_say(r, CHECK_OK, "role", "%s", n->role);
    else
        check_say(r, CHECK_FAULT, "role", "%s is missing: assign this directory role to the application's service principal (it takes up to 15 minutes); "
                  "needed for %s", n->role, n->kind);
}

static void say_sometimes(struct check_report *r, const struct check_need *n, char *const *granted)
{
    const char *when, *permission = check_sometimes(n->kind, &when);

    if (permission != NULL && granted != NULL && !check_covers(granted, permission))
        check_say(r, CHECK_WARNING, "permission", "%s is missing, which %s needs %s", permission, n->kind, when);
}

/* A row of the table: what the kind needs, and what of it is missing (null: that cannot be told). */
static void add_row(struct check_report *r, const struct check_need *n, const struct check_clouds_told *t)
{
    json_t *permissions = json_array(), *missing = json_array();
    bool told = t->granted != NULL;

    for (size_t i = 0; i < n->count; i++) {
        json_array_append_new(permissions, json_string(n->permissions[i]));
        if (lacks(t->granted, t->probes, n->permissions[i]))
            json_array_append_new(missing, json_string(n->permissions[i]));
        told |= probed(t->probes, n->permissions[i]) == CHECK_REFUSED;
    }
    if (n->role[0] != '\0' && t->roles != NULL && !check_holds_role(t->roles, n->role))
        json_array_append_new(missing, json_string(n->role));
    if (!told) {
        json_decref(missing);
        missing = json_null();
    }
    if (r->kinds == NULL)
        r->kinds = json_array();
    json_array_append_new(r->kinds, json_pack("{s:s, s:o, s:s?, s:o}", "operation", n->kind, "permissions", permissions,
                                              "role", n->role[0] != '\0' ? n->role : NULL, "missing", missing));
}

/* What is done to people who may be administrators once `directory_roles` is off. */
static bool touches_administrators(const struct config_policy *p)
{
    static const char *const sensitive[] = { "user.enable", "user.disable", "user.delete", "user.restore", "user.reset_password", "user.update" };

    for (size_t i = 0; i < p->operation_count; i++)
        for (size_t k = 0; k < EB_LEN(sensitive); k++)
            if (strcmp(p->operations[i].kind, sensitive[k]) == 0)
                return true;
    return false;
}

void check_permissions(struct check_report *r, const struct config_policy *p, const struct check_clouds_told *t)
{
    static struct check_need needs[CHECK_NEEDS_MAX];
    size_t count = check_needs(p, needs);
    char kinds[300];

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < needs[i].count; k++)
            if (!said_before(needs, i, k))
                judge(r, needs[i].permissions[k], needing(needs, count, needs[i].permissions[k], kinds), t->granted, probed(t->probes, needs[i].permissions[k]));
        say_role(r, &needs[i], t->roles);
        say_sometimes(r, &needs[i], t->granted);
        add_row(r, &needs[i], t);
    }
    if (!p->protect_directory_roles && touches_administrators(p))
        check_say(r, CHECK_WARNING, "role", "policy.protected.directory_roles is off: to change people who hold an administrator role, the app's "
                  "service principal needs the directory role Privileged Authentication Administrator; Graph answers 403 without it");
}
