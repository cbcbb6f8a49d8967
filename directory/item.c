/* item.c - the table of what a look-up asks of Graph: when, by which path, and how the answer is read (read.c).
 *
 * A further fact is a further row. Paths come from graph/ only.
 */
#include "directory/look_up.h"
#include "base/text.h"
#include "graph/query.h"

#include <stdlib.h>
#include <string.h>

#define LIST "&$top=999"

/* ---- when ---- */

static bool in_bin(const struct look_up *l) { return l->user.text != NULL && (l->wants & DIRECTORY_DELETED); }
static bool user_given(const struct look_up *l) { return l->user.text != NULL && !in_bin(l); }
static bool user_by_address(const struct look_up *l) { return user_given(l) && !l->user.is_id; }
static bool group_given(const struct look_up *l)
{
    return l->group != NULL && (l->group->state == POLICY_GROUP_BOUND || l->group == &l->unlisted);
}
static bool more_wanted(const struct look_up *l) { return user_given(l) && l->select != NULL; }
static bool manager_wanted(const struct look_up *l) { return user_given(l) && (l->wants & DIRECTORY_MANAGER); }
static bool methods_wanted(const struct look_up *l) { return user_given(l) && (l->wants & DIRECTORY_METHODS); }
static bool passes_wanted(const struct look_up *l) { return user_given(l) && (l->wants & DIRECTORY_PASSES); }
static bool members_wanted(const struct look_up *l) { return group_given(l) && (l->wants & DIRECTORY_MEMBERS); }
static bool skus_wanted(const struct look_up *l) { return l->wants & DIRECTORY_SKUS; }
static bool other_given(const struct look_up *l) { return l->other.text != NULL; }
static bool other_by_address(const struct look_up *l) { return l->other.text != NULL && !l->other.is_id; }
static bool upns_given(const struct look_up *l) { return l->upns != NULL && l->upns[0] != NULL; }
static bool search_given(const struct look_up *l) { return l->search != NULL && l->search[0] != '\0'; }
/* Is the group among the user's, or which are they: one list answers both. */
static bool groups_wanted(const struct look_up *l) { return user_given(l) && (group_given(l) || (l->wants & DIRECTORY_GROUPS)); }

static bool roles_matter(const struct look_up *l)
{
    return l->user.text != NULL && snapshot_config(l->snapshot)->policy.protect_directory_roles;
}

static bool parents_matter(const struct look_up *l)
{
    return group_given(l) && (snapshot_protects_groups(l->snapshot) || snapshot_duty_slots(l->snapshot) > 0);
}

static bool roles_of_principals(const struct look_up *l) { return l->roles_again[ROLES_ACTIVE]; }
static bool eligible_of_principals(const struct look_up *l) { return l->roles_again[ROLES_ELIGIBLE]; }

/* ---- by which path ---- */

/* What is always asked for, and what the request asks for besides. */
static char *with_select(const char *basic, const char *more)
{
    return more == NULL ? eb_strdup(basic) : eb_asprintf("%s,%s", basic, more);
}

static char *path_user(const struct look_up *l, enum item i) { return graph_path_user(l->user.text, "?$select=" FACTS_USER_SELECT); }
static char *path_by_mail(const struct look_up *l, enum item i) { return graph_path_users_by_mail(l->user.text, FACTS_USER_SELECT); }
static char *path_other(const struct look_up *l, enum item i) { return graph_path_user(l->other.text, "?$select=" FACTS_USER_SELECT); }
static char *path_other_by_mail(const struct look_up *l, enum item i) { return graph_path_users_by_mail(l->other.text, FACTS_USER_SELECT); }
static char *path_methods(const struct look_up *l, enum item i) { return graph_path_user(l->user.text, "/authentication/methods"); }
static char *path_passes(const struct look_up *l, enum item i) { return graph_path_user(l->user.text, "/authentication/temporaryAccessPassMethods"); }
static char *path_manager(const struct look_up *l, enum item i) { return graph_path_user(l->user.text, "/manager?$select=" FACTS_PERSON_SELECT); }
static char *path_group(const struct look_up *l, enum item i) { return graph_path_group(l->group->id, "?$select=" FACTS_GROUP_SELECT); }
static char *path_skus(const struct look_up *l, enum item i) { return graph_query_skus(); }

static char *path_deleted(const struct look_up *l, enum item i)
{
    char *select = with_select(FACTS_USER_SELECT ",deletedDateTime", l->select);
    char *path = graph_query_deleted_user(l->user.text, select);

    free(select);
    return path;
}

/* Not in one read with the user: an attribute that Graph does not have, or that takes a permission of its own, would hide the user. */
static char *path_more(const struct look_up *l, enum item i)
{
    char *select = with_select("id", l->select), *tail = graph_query_select(select), *path = tail == NULL ? NULL : graph_path_user(l->user.text, tail);

    free(select);
    free(tail);
    return path;
}

/* Of everybody: of a UPN the id is not known yet, nor the groups that may have been given a role, and a tenant has few. It saves a round trip. */
static char *path_roles(const struct look_up *l, enum item i)
{
    return i == ITEM_ROLES ? graph_path_role_assignments(NULL) : graph_query_role_eligibilities(NULL);
}

static char *path_principal(const struct look_up *l, enum item i)
{
    bool active = i <= ITEM_ROLES_OF_LAST;
    const char *id = item_principal(l, (size_t)(i - (active ? ITEM_ROLES_OF : ITEM_ELIGIBLE_OF)));

    return id == NULL ? NULL : active ? graph_path_role_assignments(id) : graph_query_role_eligibilities(id);
}

static char *path_user_groups(const struct look_up *l, enum item i)
{
    return graph_path_user(l->user.text, "/transitiveMemberOf?$select=id,displayName,isAssignableToRole" LIST);
}

static char *path_owned(const struct look_up *l, enum item i)
{
    return graph_path_user(l->user.text, "/ownedObjects/microsoft.graph.group?$select=id,displayName,isAssignableToRole" LIST);
}

static char *path_membership(const struct look_up *l, enum item i)
{
    return graph_path_user(l->user.text, l->wants & DIRECTORY_GROUPS
                           ? "/memberOf?$select=id,displayName,description,groupTypes,mailEnabled,securityEnabled" LIST : "/memberOf?$select=id" LIST);
}

static char *path_group_groups(const struct look_up *l, enum item i)
{
    return graph_path_group(l->group->id, "/transitiveMemberOf?$select=id,displayName" LIST);
}

static char *path_members(const struct look_up *l, enum item i)
{
    return graph_path_group(l->group->id, "/members?$select=id,displayName,userPrincipalName,mail" LIST);
}

static char *path_taken(const struct look_up *l, enum item i)
{
    return graph_query_users_taken((const char *const *)l->upns, "id,userPrincipalName,displayName,mailNickname,createdDateTime");
}

static char *path_search(const struct look_up *l, enum item i)
{
    char *select = with_select(FACTS_PERSON_SELECT, l->select), *path = graph_query_users_search(l->search, select, SEARCH_MAX);

    free(select);
    return path;
}

const char *item_principal(const struct look_up *l, size_t n)
{
    return n == 0 ? l->facts->user.id : json_string_value(json_array_get(l->user_scan.role_groups, n - 1));
}

size_t item_principals(const struct look_up *l) { return 1 + json_array_size(l->user_scan.role_groups); }

static const struct item_row rows[ITEM_FIRST_ROUND] = {
    [ITEM_USER]         = { "the user", true, false, user_given, path_user, item_read_person },
    [ITEM_USER_BY_MAIL] = { "users by mail", true, false, user_by_address, path_by_mail, item_read_by_mail },
    [ITEM_DELETED]      = { "deleted users", true, false, in_bin, path_deleted, item_read_deleted },
    [ITEM_MORE]         = { "the user's further attributes", false, true, more_wanted, path_more, item_read_more },
    [ITEM_ROLES]        = { "role assignments", false, false, roles_matter, path_roles, item_read_roles },
    [ITEM_ELIGIBLE]     = { "role eligibilities", false, false, roles_matter, path_roles, item_read_roles },
    [ITEM_USER_GROUPS]  = { "the user's groups and roles", false, true, user_given, path_user_groups, item_read_user_groups },
    [ITEM_OWNED]        = { "the groups that the user owns", false, true, user_given, path_owned, item_read_owned },
    [ITEM_MEMBERSHIP]   = { "the user's direct groups", false, true, groups_wanted, path_membership, item_read_membership },
    [ITEM_MANAGER]      = { "the user's manager", false, true, manager_wanted, path_manager, item_read_manager },
    [ITEM_METHODS]      = { "the user's authentication methods", false, true, methods_wanted, path_methods, item_read_list },
    [ITEM_PASSES]       = { "the user's access passes", false, true, passes_wanted, path_passes, item_read_list },
    [ITEM_GROUP]        = { "the group", true, false, group_given, path_group, item_read_group },
    [ITEM_GROUP_GROUPS] = { "the groups that the group is in", false, false, parents_matter, path_group_groups, item_read_group_groups },
    [ITEM_MEMBERS]      = { "the group's members", false, false, members_wanted, path_members, item_read_list },
    [ITEM_SKUS]         = { "the tenant's licences", false, false, skus_wanted, path_skus, item_read_list },
    [ITEM_OTHER]        = { "the other user", true, false, other_given, path_other, item_read_person },
    [ITEM_OTHER_BY_MAIL] = { "users by the other's mail", true, false, other_by_address, path_other_by_mail, item_read_by_mail },
    [ITEM_TAKEN]        = { "users by UPN", false, false, upns_given, path_taken, item_read_list },
    [ITEM_SEARCH]       = { "the search for users", false, false, search_given, path_search, item_read_search },
};
static const struct item_row active_row = { "role assignments", false, false, roles_of_principals, path_principal, item_read_principal };
static const struct item_row eligible_row = { "role eligibilities", false, false, eligible_of_principals, path_principal, item_read_principal };

const struct item_row *item_row(enum item i)
{
    return i < ITEM_FIRST_ROUND ? &rows[i] : i <= ITEM_ROLES_OF_LAST ? &active_row : &eligible_row;
}
