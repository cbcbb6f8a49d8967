/* envelope.c - the table of routes and names of the envelope. */
#include "config/envelope.h"

#include "base/text.h"
#include "config/attribute.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct envelope_name routes[] = {
    { "createUser", "user.create" },
    { "updateUser", "user.update" },
    { "enableUser", "user.enable" },
    { "disableUser", "user.disable" },
    { "resetPassword", "user.reset_password" },
    { "resetUserPassword", "user.reset_password" },
    { "addUserToGroup", "group.add_member" },
    { "addGroupMember", "group.add_member" },
    { "addMember", "group.add_member" },
    { "removeUserFromGroup", "group.remove_member" },
    { "removeGroupMember", "group.remove_member" },
    { "removeMember", "group.remove_member" },
};

/* A kind's own fields need no row. */
static const struct envelope_name fields[] = {
    { "issueKey", "issue" },
    { "user", "user" },
    { "userId", "user" },
    { "id", "user" },
    { "userName", "user" },
    { "userPrincipalName", "user" },
    { "upn", "user" },
    { "email", "user" },
    { "mail", "user" },
    /* of a user who is yet to be made */
    { "user", "userPrincipalName" },
    { "userName", "userPrincipalName" },
    { "upn", "userPrincipalName" },
    { "email", ENVELOPE_ATTRIBUTES "mail" },
    { "groupId", "group" },
    { "groupName", "group" },
    { "newPassword", "password" },
    { "systemGenerated", ENVELOPE_GENERATE },
    { "systemGeneratedPassword", ENVELOPE_GENERATE },
    { "useSystemGeneratedPassword", ENVELOPE_GENERATE },
    { ENVELOPE_GENERATE, ENVELOPE_GENERATE },
    { "forcePasswordChange", "forceChangePasswordNextSignIn" },
    { "forceChangePassword", "forceChangePasswordNextSignIn" },
    { "enabled", "accountEnabled" },
    { "firstName", ENVELOPE_ATTRIBUTES "givenName" },
    { "lastName", ENVELOPE_ATTRIBUTES "surname" },
};

bool envelope_normal(const char *name, char out[ENVELOPE_NAME_MAX])
{
    size_t len = 0;

    for (; *name != '\0' && len < ENVELOPE_NAME_MAX; name++)
        if (strchr("-_ ", *name) == NULL)
            out[len++] = (char)tolower((unsigned char)*name);
    if (len == 0 || len == ENVELOPE_NAME_MAX)
        return false;
    out[len] = '\0';
    return true;
}

bool envelope_same(const char *a, const char *b)
{
    char one[ENVELOPE_NAME_MAX], other[ENVELOPE_NAME_MAX];

    return envelope_normal(a, one) && envelope_normal(b, other) && strcmp(one, other) == 0;
}

size_t envelope_routes(const struct envelope_name **ret)
{
    *ret = routes;
    return EB_LEN(routes);
}

size_t envelope_fields(const struct envelope_name **ret)
{
    *ret = fields;
    return EB_LEN(fields);
}

static const char *find(const struct envelope_name *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (envelope_same(rows[i].name, name))
            return rows[i].means;
    return NULL;
}

const char *envelope_route(const char *name)
{
    return find(routes, EB_LEN(routes), name);
}

const char *envelope_attribute(const char *name)
{
    const struct attribute *rows;
    size_t count = attribute_rows(&rows);

    for (size_t i = 0; i < count; i++)
        if (envelope_same(rows[i].name, name))
            return rows[i].name;
    return attribute_find(name) != NULL ? name : NULL;      /* a directory extension */
}

static const char *field_of(const char *name, const char *const *all)
{
    for (size_t i = 0; all[i] != NULL; i++)
        if (envelope_same(all[i], name))
            return all[i];
    return NULL;
}

bool envelope_meaning(const char *name, const char *const *all, char out[ENVELOPE_NAME_MAX])
{
    bool said = strncmp(name, ENVELOPE_ATTRIBUTES, strlen(ENVELOPE_ATTRIBUTES)) == 0;
    const char *means = said ? NULL : find(fields, EB_LEN(fields), name);

    if (means == NULL && !said)
        means = field_of(name, all);
    if (means != NULL)
        return snprintf(out, ENVELOPE_NAME_MAX, "%s", means) < ENVELOPE_NAME_MAX;
    const char *attribute = envelope_attribute(said ? name + strlen(ENVELOPE_ATTRIBUTES) : name);
    return attribute != NULL && snprintf(out, ENVELOPE_NAME_MAX, ENVELOPE_ATTRIBUTES "%s", attribute) < ENVELOPE_NAME_MAX;
}
