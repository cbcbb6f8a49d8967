/* conclude.c - what was read becomes facts.
 *
 * Invariant: POLICY_NO is written only where every list that could say otherwise was read to its end.
 */
#include "directory/look_up.h"
#include "base/text.h"
#include "directory/owners.h"

/* ---- who somebody is ---- */

static bool same_user(const json_t *a, const json_t *b)
{
    return eb_strieq(eb_json_str(a, "id"), eb_json_str(b, "id"));
}

/* By id or UPN one user; by mail none, that one, another one, or several. A new reference, or NULL. */
static json_t *settle(const struct look_up_person *p, bool *ret_ambiguous)
{
    bool by_name = p->by_name != NULL;

    *ret_ambiguous = p->mail_count > 1 || (by_name && p->by_mail != NULL && !same_user(p->by_name, p->by_mail));
    return *ret_ambiguous ? NULL : json_incref(by_name ? p->by_name : p->by_mail);
}

void look_up_settle_user(struct look_up *l)
{
    struct directory_facts *f = l->facts;

    if (l->settled || l->user.text == NULL)
        return;
    l->settled = true;
    f->user_json = settle(&l->user, &f->user.ambiguous);
    l->only_by_mail = l->user.by_name == NULL && l->user.mail_count == 1;
    if (l->deleted_count > 1 || (l->deleted_count > 0 && !l->items[ITEM_DELETED].complete))
        f->user.ambiguous = true;   /* one UPN can have been deleted again and again */
    if (f->user.ambiguous) {
        json_decref(f->user_json);
        f->user_json = NULL;
    }
    if (f->user_json != NULL)
        facts_read_user(f, l->snapshot);
    f->user.deleted = (l->wants & DIRECTORY_DELETED) != 0;
}

bool look_up_user_open(const struct look_up *l) { return l->facts->user.found && !l->facts->user.ambiguous; }

static void conclude_other(struct look_up *l)
{
    struct directory_facts *f = l->facts;
    struct facts_memory *m = f->memory;

    m->other_json = settle(&l->other, &f->other.ambiguous);
    if (m->other_json != NULL)
        facts_read_person(&f->other, m->other_json);
}

/* ---- roles ---- */

/* Does the list of all say that the user, or a group of theirs, has a role? */
static bool listed(const struct look_up *l, const json_t *list)
{
    for (size_t n = 0; list != NULL && n < item_principals(l); n++)
        if (facts_list_has(list, "principalId", item_principal(l, n)))
            return true;
    return false;
}

bool look_up_role_seen(const struct look_up *l)
{
    return l->user_scan.role || l->role_of_principal || listed(l, l->role_lists[ROLES_ACTIVE]) || listed(l, l->role_lists[ROLES_ELIGIBLE]);
}

/* Was everything read that could tell of a role, of all or of each principal? */
static bool roles_told(const struct look_up *l, enum role_list which)
{
    enum item first = which == ROLES_ACTIVE ? ITEM_ROLES_OF : ITEM_ELIGIBLE_OF;

    if (l->items[which == ROLES_ACTIVE ? ITEM_ROLES : ITEM_ELIGIBLE].complete || (which == ROLES_ELIGIBLE && l->no_eligibilities))
        return true;
    for (size_t n = 0; n < item_principals(l); n++)
        if (n >= PRINCIPALS_MAX || !l->items[first + n].complete)
            return false;
    return true;
}

/* ---- facts ---- */

static enum policy_fact duty_conflict(const struct look_up *l, bool groups_told, const char **ret_group)
{
    *ret_group = NULL;
    if (snapshot_duty_slots(l->snapshot) == 0)
        return POLICY_NO;
    if (l->group == NULL || l->group->id == NULL)
        return POLICY_UNKNOWN;
    snapshot_mark_duties(l->snapshot, l->group->id, l->group_scan.duties);
    *ret_group = snapshot_duty_conflict(l->snapshot, l->user_scan.duties, l->group_scan.duties);
    return facts_conclude(*ret_group != NULL, groups_told && l->items[ITEM_GROUP_GROUPS].complete && snapshot_unfound_duty(l->snapshot) == NULL, false);
}

static void conclude_user(struct look_up *l)
{
    struct policy_user *u = &l->facts->user;
    const struct facts_scan *s = &l->user_scan, *owned = &l->owned_scan;
    bool groups = l->items[ITEM_USER_GROUPS].complete, roles = roles_told(l, ROLES_ACTIVE) && roles_told(l, ROLES_ELIGIBLE);

    u->protected_by = s->protected_by;
    u->in_protected = !snapshot_protects_groups(l->snapshot) ? POLICY_NO
        : facts_conclude(s->protected_by != NULL, groups && snapshot_unfound_group(l->snapshot) == NULL, false);
    u->role_holder = facts_conclude(look_up_role_seen(l), groups && roles, s->type_untold);
    u->role_group_member = facts_conclude(s->role_group, groups, s->role_group_untold || s->type_untold);
    u->role_group_owner = facts_conclude(owned->role_group, l->items[ITEM_OWNED].complete, owned->role_group_untold);
    u->app_owner = owners_fact(l->directory->owners, u->id);
    u->duty_conflict = duty_conflict(l, groups, &u->duty_group);
    u->manager_told = l->facts->manager_json != NULL;
    u->manager_id = eb_json_str(l->facts->manager_json, "id");
    if (l->group != NULL && l->group->id != NULL)
        l->facts->member = facts_conclude(s->hit, l->items[ITEM_MEMBERSHIP].complete, false);
}

static void conclude_group(struct look_up *l)
{
    struct policy_group *g = &l->facts->group;
    bool told = l->items[ITEM_GROUP_GROUPS].complete && snapshot_unfound_group(l->snapshot) == NULL;

    facts_read_group(l->facts, l->snapshot);
    if (g->protected_ != POLICY_YES)
        g->protected_ = !snapshot_protects_groups(l->snapshot) ? POLICY_NO
            : facts_conclude(l->group_scan.protected_by != NULL, told, false);
}

/* Half a list of members or groups is told as such; half a list of anything else tells nothing. */
static void conclude_lists(struct look_up *l)
{
    struct directory_facts *f = l->facts;

    f->groups_cut |= f->groups_json != NULL && !l->items[ITEM_MEMBERSHIP].complete;
    f->members_cut |= f->members_json != NULL && !l->items[ITEM_MEMBERS].complete;
    for (enum item i = 0; i < ITEM_COUNT; i++) {
        json_t **list = i == ITEM_MEMBERSHIP || i == ITEM_MEMBERS || l->items[i].complete ? NULL : item_read_list_of(f, i);
        if (list == NULL)
            continue;
        json_decref(*list);
        *list = NULL;
    }
}

void look_up_conclude(struct look_up *l)
{
    look_up_settle_user(l);
    if (l->facts->user_json != NULL)
        conclude_user(l);
    if (l->facts->group_json != NULL)
        conclude_group(l);
    if (l->facts->has_other)
        conclude_other(l);
    conclude_lists(l);
}
