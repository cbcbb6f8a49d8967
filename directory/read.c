/* read.c - a page of each item, into the look-up.
 *
 * Invariant: what is not what was asked for is no answer (false); nothing is concluded here from what is absent.
 */
#include "directory/look_up.h"
#include "base/text.h"

#include <string.h>

static struct look_up_person *person_of(struct look_up *l, enum item i)
{
    return i == ITEM_OTHER || i == ITEM_OTHER_BY_MAIL ? &l->other : &l->user;
}

bool item_read_person(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    struct look_up_person *p = person_of(l, i);

    p->by_name = facts_user_json(body);
    return p->by_name != NULL;
}

bool item_read_by_mail(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    struct look_up_person *p = person_of(l, i);
    const json_t *first;

    if (!facts_users_by_mail(body, &p->mail_count, &first))
        return false;
    if (first != NULL)
        p->by_mail = facts_user_json(first);
    return first == NULL || p->by_mail != NULL;
}

bool item_read_deleted(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    bool first = l->user.by_name == NULL;

    if (!facts_scan_deleted(body, l->user.text, &l->deleted_count, &l->user.by_name, ret_next))
        return false;
    const json_t *list = json_object_get(body, "value"), *obj;
    size_t n;
    json_array_foreach(list, n, obj)
        if (first && l->user.by_name != NULL && l->select != NULL && facts_add_more(l->user.by_name, obj, l->select))
            break;
    return true;
}

bool item_read_more(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    return facts_add_more(l->facts->user_json, body, l->select);
}

bool item_read_roles(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    enum role_list which = i == ITEM_ROLES ? ROLES_ACTIVE : ROLES_ELIGIBLE;
    struct facts_scan scan = { 0 };

    if (!facts_scan_ids(body, "principalId", "", &scan, ret_next))
        return false;
    json_decref(l->role_lists[which]);
    l->role_lists[which] = json_incref((json_t *)(uintptr_t)body);
    return true;
}

bool item_read_principal(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    struct facts_scan scan = { 0 };
    const char *id = item_principal(l, (size_t)(i - (i <= ITEM_ROLES_OF_LAST ? ITEM_ROLES_OF : ITEM_ELIGIBLE_OF)));

    if (!facts_scan_ids(body, "principalId", id, &scan, ret_next))
        return false;
    l->role_of_principal |= scan.hit;
    if (scan.hit)
        *ret_next = NULL;
    return true;
}

bool item_read_user_groups(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    return facts_scan_groups(body, l->snapshot, &l->user_scan, ret_next);
}

bool item_read_owned(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    return facts_scan_owned(body, &l->owned_scan, ret_next);
}

bool item_read_manager(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    static const char *const members[] = { "id", "displayName", "userPrincipalName", "mail", "accountEnabled", "userType", NULL };
    const char *id = eb_json_str(body, "id");

    if (id == NULL || !eb_is_guid(id))
        return false;
    json_decref(l->facts->manager_json);
    l->facts->manager_json = facts_pick(body, members);
    return true;
}

bool item_read_group(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    l->facts->group_json = facts_group_json(body);
    return l->facts->group_json != NULL;
}

bool item_read_group_groups(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    return facts_scan_groups(body, l->snapshot, &l->group_scan, ret_next);
}

/* ---- lists that are kept ---- */

static const char *const group_members[] = { "id", "displayName", "description", "groupTypes", "mailEnabled", "securityEnabled", NULL };
static const char *const member_members[] = { "@odata.type", "id", "displayName", "userPrincipalName", "mail", NULL };
static const char *const sku_members[] = { "id", "skuId", "skuPartNumber", "appliesTo", "capabilityStatus", "consumedUnits", "prepaidUnits", NULL };
static const char *const method_members[] = { "@odata.type", "id", "phoneType", "createdDateTime", NULL };
static const char *const pass_members[] = { "id", "createdDateTime", "startDateTime", "lifetimeInMinutes", "isUsableOnce", "isUsable",
                                            "methodUsabilityReason", NULL };
static const char *const taken_members[] = { "id", "userPrincipalName", "displayName", "mailNickname", "createdDateTime", NULL };

#define ALL SIZE_MAX                /* what Graph has of them: a few dozens */
static const struct { enum item item; struct facts_list how; size_t list, cut; } lists[] = {
#define AT(member) offsetof(struct directory_facts, member)
    { ITEM_MEMBERSHIP, { group_members, "#microsoft.graph.group", DIRECTORY_LIST_MAX }, AT(groups_json), AT(groups_cut) },
    { ITEM_MEMBERS, { member_members, NULL, DIRECTORY_LIST_MAX }, AT(members_json), AT(members_cut) },
    { ITEM_SKUS, { sku_members, NULL, ALL }, AT(skus_json), 0 },
    { ITEM_METHODS, { method_members, NULL, ALL }, AT(methods_json), 0 },
    { ITEM_PASSES, { pass_members, NULL, ALL }, AT(passes_json), 0 },
    { ITEM_TAKEN, { taken_members, NULL, ALL }, AT(taken_json), 0 },
};

json_t **item_read_list_of(struct directory_facts *f, enum item i)
{
    for (size_t k = 0; k < EB_LEN(lists); k++)
        if (lists[k].item == i)
            return (json_t **)(void *)((char *)f + lists[k].list);
    return NULL;
}

bool item_read_list(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    size_t k = 0;
    bool cut = false;

    while (lists[k].item != i && k + 1 < EB_LEN(lists))
        k++;
    if (!facts_list_add(item_read_list_of(l->facts, i), &lists[k].how, body, &cut, ret_next))
        return false;
    if (cut) {
        *(bool *)((char *)l->facts + lists[k].cut) = true;
        *ret_next = NULL;
    }
    return true;
}

/* One page: the best of many are enough. */
bool item_read_search(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    const json_t *list = json_object_get(body, "value"), *obj;
    size_t k;

    if (!json_is_array(list))
        return false;
    json_decref(l->facts->found_json);
    l->facts->found_json = eb_need(json_array());
    json_array_foreach(list, k, obj) {
        json_t *user = k < SEARCH_MAX ? facts_user_json(obj) : NULL;
        if (user != NULL && l->select != NULL)
            (void)facts_add_more(user, obj, l->select);
        if (user != NULL)
            json_array_append_new(l->facts->found_json, user);
    }
    return true;
}

/* Is the group among them, and, where asked for, which are they. */
bool item_read_membership(struct look_up *l, enum item i, const json_t *body, const char **ret_next)
{
    struct facts_scan scan = { 0 };
    const char *next;

    if (!facts_scan_ids(body, "id", l->group == NULL || l->group->id == NULL ? "" : l->group->id, &scan, ret_next))
        return false;
    l->user_scan.hit |= scan.hit;
    bool list_done = !(l->wants & DIRECTORY_GROUPS) || l->facts->groups_cut;
    if (!list_done) {
        next = *ret_next;
        if (!item_read_list(l, i, body, ret_next))
            return false;
        list_done = *ret_next == NULL;
        *ret_next = next;
    }
    if (list_done && (l->user_scan.hit || l->group == NULL || l->group->id == NULL))
        *ret_next = NULL;           /* the rest says nothing more */
    return true;
}
