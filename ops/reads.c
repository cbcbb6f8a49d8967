/* reads.c - what reads answer: flat and short, and of attributes only the basic ones and those that the policy lists. */
#include "ops/kind_parts.h"
#include "base/text.h"
#include "config/attribute.h"

#include <string.h>

#define LISTED_MAX 100                  /* of groups and members in an answer: a rule's smart values have little room */

static void let_out(const struct ops_case *c, const json_t *user, json_t *out)
{
    static const char *const basic[] = { "mail", "accountEnabled", "userType" };

    for (size_t i = 0; i < EB_LEN(basic); i++)
        if (json_object_get(user, basic[i]) != NULL)
            json_object_set(out, basic[i], json_object_get(user, basic[i]));
    for (size_t i = 0; c->rule != NULL && i < c->rule->attributes.count; i++) {
        const char *name = c->rule->attributes.items[i];
        if (attribute_find(name) != NULL && json_object_get(user, name) != NULL)
            json_object_set(out, name, json_object_get(user, name));
    }
}

json_t *ops_read_user(const struct ops_case *c)
{
    json_t *out = json_object();

    let_out(c, c->facts->user_json, out);
    return out;
}

json_t *ops_read_group(const struct ops_case *c)
{
    static const char *const members[] = { "description", "groupTypes", "mailEnabled", "securityEnabled", "onPremisesSyncEnabled", "isAssignableToRole",
                                           "membershipRule" };
    json_t *out = json_object();

    for (size_t i = 0; i < EB_LEN(members); i++)
        if (json_object_get(c->facts->group_json, members[i]) != NULL)
            json_object_set(out, members[i], json_object_get(c->facts->group_json, members[i]));
    return out;
}

/* Each object with these members, and how many there are; `truncated` where not all are listed. */
static json_t *list_of(const json_t *from, bool cut, const char *name, const char *const *members, size_t count)
{
    json_t *list = json_array(), *out;
    size_t n = json_array_size(from);

    for (size_t i = 0; i < n && i < LISTED_MAX; i++) {
        const json_t *item = json_array_get(from, i);
        json_t *one = json_object();

        for (size_t k = 0; k < count; k++)
            if (eb_json_str(item, members[k]) != NULL)
                json_object_set(one, members[k], json_object_get(item, members[k]));
        json_array_append_new(list, one);
    }
    out = json_pack("{s:I, s:o}", "count", (json_int_t)n, name, list);
    if (cut || n > LISTED_MAX)
        json_object_set_new(out, "truncated", json_true());
    return out;
}

json_t *ops_read_groups(const struct ops_case *c)
{
    static const char *const members[] = { "id", "displayName" };

    return c->facts->groups_json != NULL ? list_of(c->facts->groups_json, c->facts->groups_cut, "groups", members, EB_LEN(members)) : NULL;
}

json_t *ops_read_members(const struct ops_case *c)
{
    static const char *const members[] = { "id", "displayName", "userPrincipalName" };

    return c->facts->members_json != NULL ? list_of(c->facts->members_json, c->facts->members_cut, "members", members, EB_LEN(members)) : NULL;
}

json_t *ops_read_found(const struct ops_case *c)
{
    static const char *const members[] = { "id", "displayName", "userPrincipalName" };
    const json_t *found = c->facts->found_json, *user;
    size_t i;

    if (found == NULL)
        return NULL;
    json_t *out = list_of(found, false, "users", members, EB_LEN(members)), *users = json_object_get(out, "users");
    json_array_foreach((json_t *)(uintptr_t)found, i, user)
        if (i < json_array_size(users))
            let_out(c, user, json_array_get(users, i));
    return out;
}
