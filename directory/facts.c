/* facts.c - from Graph's answers to facts.
 *
 * Invariant: POLICY_NO is written only where Graph said so. Everything starts as POLICY_UNKNOWN (0).
 */
#include "directory/facts.h"
#include "base/text.h"

#include <string.h>

static const char *const user_members[] = { "id", "displayName", "userPrincipalName", "mail", "accountEnabled", "userType", "onPremisesSyncEnabled",
                                            "deletedDateTime", NULL };
static const char *const group_members[] = { "id", "displayName", "groupTypes", "mailEnabled", "securityEnabled", "onPremisesSyncEnabled",
                                             "isAssignableToRole", "isManagementRestricted", "membershipRule", NULL };

static json_t *pick(const json_t *body, const char *const *members)
{
    const char *id = eb_json_str(body, "id");

    return id == NULL || !eb_is_guid(id) ? NULL : facts_pick(body, members);
}

json_t *facts_user_json(const json_t *body) { return pick(body, user_members); }
json_t *facts_group_json(const json_t *body) { return pick(body, group_members); }

/* A flag that Graph always gives as true or false. */
static enum policy_fact fact_of_bool(const json_t *v)
{
    return json_is_true(v) ? POLICY_YES : json_is_false(v) ? POLICY_NO : POLICY_UNKNOWN;
}

/* A flag whose null means no (onPremisesSyncEnabled of cloud objects, isAssignableToRole): on an object that can be read. */
static enum policy_fact fact_of_nullable(const json_t *obj, const char *member)
{
    const json_t *v = json_object_get(obj, member);

    return json_is_null(v) ? POLICY_NO : fact_of_bool(v);
}

static const char *text_or(const json_t *obj, const char *member, const char *dflt)
{
    const char *text = eb_json_str(obj, member);

    return text == NULL ? dflt : text;
}

/* An object of a type that the app may not read comes with null members: its null flags tell nothing. */
static bool readable(const json_t *obj) { return eb_json_str(obj, "displayName") != NULL; }

void facts_read_person(struct policy_user *u, const json_t *j)
{
    u->found = true;
    u->id = text_or(j, "id", "");
    u->upn = text_or(j, "userPrincipalName", "");
    u->display_name = text_or(j, "displayName", u->upn);
    u->mail = eb_json_str(j, "mail");
    u->synced = readable(j) ? fact_of_nullable(j, "onPremisesSyncEnabled") : fact_of_bool(json_object_get(j, "onPremisesSyncEnabled"));
}

void facts_read_user(struct directory_facts *f, const struct snapshot *s)
{
    const json_t *j = f->user_json;
    struct policy_user *u = &f->user;

    facts_read_person(u, j);
    f->account_enabled = fact_of_bool(json_object_get(j, "accountEnabled"));
    if (snapshot_protected_user(s, u->id, eb_json_str(j, "userPrincipalName"), eb_json_str(j, "mail")))
        u->named = POLICY_YES;
    else
        u->named = snapshot_unfound_user(s) == NULL ? POLICY_NO : POLICY_UNKNOWN;
}

static bool list_has(const json_t *list, const char *text)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), text) == 0)
            return true;
    return false;
}

void facts_read_group(struct directory_facts *f, const struct snapshot *s)
{
    const json_t *j = f->group_json, *types = json_object_get(j, "groupTypes");
    struct policy_group *g = &f->group;

    g->found = true;
    g->id = text_or(j, "id", "");
    g->name = text_or(j, "displayName", g->name == NULL ? "" : g->name);
    if (snapshot_protected_group(s, g->id) != NULL)
        g->protected_ = POLICY_YES;
    if (!readable(j))
        return;
    g->synced = fact_of_nullable(j, "onPremisesSyncEnabled");
    g->role_assignable = fact_of_nullable(j, "isAssignableToRole");
    g->restricted = fact_of_nullable(j, "isManagementRestricted");
    g->mail_managed = fact_of_bool(json_object_get(j, "mailEnabled"));
    if (!json_is_array(types)) {
        if (g->mail_managed == POLICY_YES)
            g->mail_managed = POLICY_UNKNOWN;
        return;
    }
    g->dynamic = list_has(types, "DynamicMembership") ? POLICY_YES : POLICY_NO;
    if (list_has(types, "Unified"))
        g->mail_managed = POLICY_NO;
}

/* Only a group that is assignable to roles can have been given one. */
static void scan_group(const json_t *obj, struct facts_scan *scan)
{
    enum policy_fact assignable = readable(obj) ? fact_of_nullable(obj, "isAssignableToRole") : POLICY_UNKNOWN;
    const char *id = eb_json_str(obj, "id");

    if (assignable == POLICY_YES)
        scan->role_group = true;
    else if (assignable == POLICY_UNKNOWN)
        scan->role_group_untold = true;
    if (assignable == POLICY_NO || id == NULL)
        return;
    if (scan->role_groups == NULL)
        scan->role_groups = eb_need(json_array());
    json_array_append_new(scan->role_groups, json_string(id));
}

/* What an object in transitiveMemberOf is, by its type; one without a type, or of a new type, tells nothing. */
static void scan_object(const json_t *obj, const struct snapshot *s, struct facts_scan *scan)
{
    const char *type = text_or(obj, "@odata.type", ""), *id = eb_json_str(obj, "id");

    if (id != NULL && scan->protected_by == NULL)
        scan->protected_by = snapshot_protected_group(s, id);
    if (id != NULL && scan->duties != NULL)
        snapshot_mark_duties(s, id, scan->duties);
    if (strcmp(type, "#microsoft.graph.directoryRole") == 0)
        scan->role = true;
    else if (strcmp(type, "#microsoft.graph.group") == 0)
        scan_group(obj, scan);
    else if (strcmp(type, "#microsoft.graph.administrativeUnit") != 0)
        scan->type_untold = true;
}

static bool page_list(const json_t *page, const json_t **ret_list, const char **ret_next)
{
    *ret_list = json_object_get(page, "value");
    *ret_next = eb_json_str(page, "@odata.nextLink");
    return json_is_array(*ret_list);
}

bool facts_scan_groups(const json_t *page, const struct snapshot *s, struct facts_scan *scan, const char **ret_next)
{
    const json_t *list, *obj;
    size_t i;

    if (!page_list(page, &list, ret_next))
        return false;
    json_array_foreach(list, i, obj)
        scan_object(obj, s, scan);
    return true;
}

bool facts_scan_owned(const json_t *page, struct facts_scan *scan, const char **ret_next)
{
    const json_t *list, *obj;
    size_t i;

    if (!page_list(page, &list, ret_next))
        return false;
    json_array_foreach(list, i, obj)
        scan_group(obj, scan);
    return true;
}

bool facts_scan_ids(const json_t *page, const char *member, const char *id, struct facts_scan *scan, const char **ret_next)
{
    const json_t *list;

    if (!page_list(page, &list, ret_next))
        return false;
    scan->hit |= facts_list_has(page, member, id);
    return true;
}

bool facts_users_by_mail(const json_t *page, size_t *ret_count, const json_t **ret_first)
{
    const json_t *list, *obj;
    const char *next, *first = NULL;
    size_t i;

    *ret_count = 0;
    *ret_first = NULL;
    if (!page_list(page, &list, &next))
        return false;
    json_array_foreach(list, i, obj) {
        const char *id = eb_json_str(obj, "id");
        if (id == NULL || (first != NULL && eb_strieq(id, first)))
            continue;
        if ((*ret_count)++ == 0) {
            first = id;
            *ret_first = obj;
        }
    }
    if (next != NULL && *ret_count > 0)      /* more than a page of them: surely not one */
        (*ret_count)++;
    return true;
}

enum policy_fact facts_conclude(bool seen, bool complete, bool untold)
{
    return seen ? POLICY_YES : complete && !untold ? POLICY_NO : POLICY_UNKNOWN;
}
