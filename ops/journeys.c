/* journeys.c - somebody comes, moves, leaves: which steps that takes. Pure. */
#include "ops/kind_parts.h"
#include "ops/user_write.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const json_t *attributes_of(const struct ops_case *c)
{
    return json_object_get(c->fields->body, "attributes");
}

static void copy_field(const struct ops_case *c, json_t *to, const char *name)
{
    json_t *v = json_object_get(c->fields->body, name);

    if (v != NULL)
        json_object_set(to, name, v);
}

/* ---- memberships ---- */

/* One step a group. user NULL: for whom an earlier step has made. */
static void add_groups(struct ops_steps *s, const char *kind, const char *user, const json_t *groups, int stage)
{
    const json_t *group;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)groups, i, group)
        ops_step_add(s, kind, json_pack("{s:s*, s:O}", "user", user, "group", group), stage, OPS_HARMLESS);
}

/* ---- user.onboard ---- */

static json_t *create_fields(const struct ops_case *c)
{
    static const char *const names[] = { "attributes", "empty", "userPrincipalName", "forceChangePasswordNextSignIn", "accessPass", "accountEnabled" };
    json_t *fields = json_object();

    for (size_t i = 0; i < EB_LEN(names); i++)
        copy_field(c, fields, names[i]);
    return fields;
}

static json_t *license_fields(const struct ops_case *c)
{
    json_t *fields = json_object(), *location = json_object_get(attributes_of(c), "usageLocation");

    copy_field(c, fields, "licenses");
    if (json_object_get(c->fields->body, "usageLocation") != NULL)
        copy_field(c, fields, "usageLocation");
    else if (json_is_string(location))
        json_object_set(fields, "usageLocation", location);
    return fields;
}

/* Those of the rules, and those that the request names besides. */
static json_t *groups_for(const struct ops_case *c)
{
    json_t *groups = policy_groups_of(c->policy, attributes_of(c));
    const json_t *v;
    size_t i;

    json_array_foreach(json_object_get(c->fields->body, "groups"), i, v)
        if (!eb_json_has_text(groups, json_string_value(v)))
            json_array_append(groups, (json_t *)(uintptr_t)v);
    return groups;
}

static bool compose_onboard(const struct ops_case *c, struct ops_steps *s, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) groups = groups_for(c);

    ops_step_add(s, "user.create", create_fields(c), 0, OPS_NEEDED);
    if (ops_field_text(c->fields, "manager") != NULL)
        ops_step_add(s, "user.set_manager", json_pack("{s:s}", "manager", ops_field_text(c->fields, "manager")), 1, OPS_HARMLESS);
    if (json_object_get(c->fields->body, "licenses") != NULL)
        ops_step_add(s, "user.assign_licenses", license_fields(c), 1, OPS_HARMLESS);
    add_groups(s, "group.add_member", NULL, groups, 1);
    return true;
}

/* ---- user.transfer ---- */

/* What the rules will go by: what Graph tells, under what the request changes. NULL: Graph did not tell one of them. */
static json_t *attributes_after(const struct ops_case *c, struct eb_err *err)
{
    json_t *after = json_object(), *v;
    const char *name;

    for (size_t i = 0; i < c->policy->group_rule_count; i++)
        for (size_t k = 0; k < c->policy->group_rules[i].when.count; k++) {
            const char *asked = c->policy->group_rules[i].when.items[k].name;
            const json_t *now = ops_user_told(c->facts, asked, "User.Read.All", err);

            if (now == NULL) {
                json_decref(after);
                return NULL;
            }
            json_object_set(after, asked, (json_t *)(uintptr_t)now);
        }
    json_object_foreach((json_t *)(uintptr_t)attributes_of(c), name, v)
        json_object_set(after, name, v);
    return after;
}

/* Is the user in the serviceable group of this name? Unknown counts as yes: nothing is done about it then. */
static bool is_in(const struct ops_case *c, const char *name)
{
    const json_t *g, *v;
    const char *id;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)c->serviceable, id, v) {
        if (!eb_strieq(json_string_value(v), name))
            continue;
        json_array_foreach(c->facts->groups_json, i, g)
            if (eb_strieq(eb_json_str(g, "id"), id))
                return true;
        return c->facts->groups_json == NULL || c->facts->groups_cut;
    }
    return true;
}

/* What the new place gives: the difference, and what an earlier transfer could not give. */
static json_t *groups_to_join(const struct ops_case *c, const json_t *had, const json_t *gets)
{
    json_t *new = json_array();
    const json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)gets, i, v)
        if (!eb_json_has_text(had, json_string_value(v)) || !is_in(c, json_string_value(v)))
            json_array_append(new, (json_t *)(uintptr_t)v);
    return new;
}

static bool compose_transfer(const struct ops_case *c, struct ops_steps *s, struct eb_err *err)
{
    EB_AUTO(json_t, json_decref) after = attributes_after(c, err);
    const char *user = c->facts->user.id;

    if (after == NULL)
        return false;
    EB_AUTO(json_t, json_decref) had = policy_groups_of(c->policy, c->facts->user_json);
    EB_AUTO(json_t, json_decref) gets = policy_groups_of(c->policy, after);
    EB_AUTO(json_t, json_decref) new = groups_to_join(c, had, gets);
    EB_AUTO(json_t, json_decref) gone = policy_groups_without(had, gets);
    json_t *update = json_pack("{s:s, s:O}", "user", user, "attributes", attributes_of(c));

    copy_field(c, update, "empty");
    ops_step_add(s, "user.update", update, 0, OPS_NEEDED);
    /* The old groups first, for one of them may exclude a new one (duties); the manager last, for it may be they who may ask for all this. */
    add_groups(s, "group.remove_member", user, gone, 1);
    add_groups(s, "group.add_member", user, new, 2);
    if (ops_field_text(c->fields, "manager") != NULL)
        ops_step_add(s, "user.set_manager", json_pack("{s:s, s:s}", "user", user, "manager", ops_field_text(c->fields, "manager")), 3, OPS_HARMLESS);
    s->members = json_pack("{s:{s:O, s:O}}", "groups", "added", new, "removed", gone);
    return true;
}

/* ---- user.offboard ---- */

/* Direct memberships in serviceable groups; *ret_others: in how many others. NULL: Graph did not tell. */
static json_t *groups_to_leave(const struct ops_case *c, size_t *ret_others, struct eb_err *err)
{
    json_t *groups = json_array();
    const json_t *g;
    size_t i;

    *ret_others = 0;
    if (c->facts->groups_json == NULL) {
        json_decref(groups);
        ops_untold("which groups the user is a member of", "GroupMember.Read.All", err);
        return NULL;
    }
    json_array_foreach(c->facts->groups_json, i, g) {
        const char *id = eb_json_str(g, "id");

        if (id != NULL && json_object_get(c->serviceable, id) != NULL)
            json_array_append_new(groups, json_string(id));
        else
            ++*ret_others;
    }
    return groups;
}

/* What a group gives goes with the group. */
static json_t *direct_licenses(const json_t *states)
{
    json_t *ids = json_array();
    const json_t *s;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)states, i, s) {
        const char *id = eb_json_str(s, "skuId");

        if (id != NULL && eb_json_str(s, "assignedByGroup") == NULL && !eb_json_has_text(ids, id))
            json_array_append_new(ids, json_string(id));
    }
    return ids;
}

static void add_licenses(struct ops_steps *s, const char *user, const json_t *ids)
{
    for (size_t from = 0; from < json_array_size(ids); from += OPS_TEXTS_MAX) {
        json_t *some = json_array();

        for (size_t i = from; i < json_array_size(ids) && i < from + OPS_TEXTS_MAX; i++)
            json_array_append(some, json_array_get(ids, i));
        ops_step_add(s, "user.remove_licenses", json_pack("{s:s, s:o}", "user", user, "licenses", some), 3, OPS_HARMLESS);
    }
}

/* Where mail and tasks go from now on: to whom the request names, else to the manager of Entra. */
static void note_successor(const struct ops_case *c, struct ops_steps *s)
{
    const struct policy_user *named = &c->facts->other;
    const json_t *m = c->facts->manager_json;
    bool by_name = c->facts->has_other && named->found && !named->ambiguous;
    const char *id = by_name ? named->id : eb_json_str(m, "id"), *name = by_name ? named->display_name : eb_json_str(m, "displayName");
    const char *upn = by_name ? named->upn : eb_json_str(m, "userPrincipalName");
    char clean[200], clean_upn[200];

    if (id == NULL)
        return;
    json_object_set_new(s->members, "forwardTo", json_pack("{s:s, s:s*, s:s*}", "userId", id, "displayName", name, "userPrincipalName", upn));
    snprintf(s->note + strlen(s->note), sizeof s->note - strlen(s->note), "%sForward mail and tasks to %s (%s).", s->note[0] != '\0' ? " " : "",
             eb_text_clean(name != NULL ? name : id, clean, sizeof clean), eb_text_clean(upn != NULL ? upn : id, clean_upn, sizeof clean_upn));
}

static bool add_leaving(const struct ops_case *c, struct ops_steps *s, const char *user, struct eb_err *err)
{
    const json_t *states = ops_user_told(c->facts, "licenseAssignmentStates", "User.Read.All", err);
    size_t others;

    if (states == NULL)
        return false;
    EB_AUTO(json_t, json_decref) groups = groups_to_leave(c, &others, err);
    EB_AUTO(json_t, json_decref) licenses = direct_licenses(states);

    if (groups == NULL)
        return false;
    if (eb_json_bool(c->fields->body, "removeGroups", true)) {
        add_groups(s, "group.remove_member", user, groups, 2);
        if (others > 0)
            snprintf(s->note, sizeof s->note, "%zu memberships in groups that are not serviceable here stay.", others);
    }
    if (eb_json_bool(c->fields->body, "removeLicenses", true))
        add_licenses(s, user, licenses);
    return true;
}

static bool compose_offboard(const struct ops_case *c, struct ops_steps *s, struct eb_err *err)
{
    const char *user = c->facts->user.id;

    if (ops_field_text(c->fields, "manager") != NULL && !(c->facts->has_other && c->facts->other.found && !c->facts->other.ambiguous))
        return eb_fail_field(err, EB_USER_NOT_FOUND, "manager", "No one user in Entra has the id, user principal name or mail address in `manager`.");
    if (c->facts->groups_cut)
        return eb_fail(err, EB_REJECTED_BY_ENTRA, "The user is in more than %d groups, which is more than can be taken away here.", DIRECTORY_LIST_MAX);
    s->members = json_object();
    ops_step_add(s, "user.disable", json_pack("{s:s}", "user", user), 0, OPS_HARMLESS);
    ops_step_add(s, "user.revoke_sessions", json_pack("{s:s}", "user", user), 1, OPS_HARMLESS);
    if (!add_leaving(c, s, user, err))
        return false;
    note_successor(c, s);
    return true;
}

#define STEPS_AT_ONCE 16

const struct ops_change ops_user_onboard = {
    .compose = compose_onboard, .steps_as = "steps", .at_once = STEPS_AT_ONCE,
    .did = "Onboarded {displayName} ({userPrincipalName}): {steps}.", .was_so = "There was nothing to do.", .would = "Would onboard {newcomer}: {steps}.",
};
const struct ops_change ops_user_transfer = {
    .changes_user = true, .compose = compose_transfer, .by_group_rules = true, .steps_as = "steps", .at_once = STEPS_AT_ONCE,
    .did = "Transferred {user}: {steps}.", .was_so = "{user} has this place already: nothing was changed.", .would = "Would transfer {user}: {steps}.",
};
const struct ops_change ops_user_offboard = {
    .changes_user = true, .compose = compose_offboard, .steps_as = "steps", .at_once = STEPS_AT_ONCE,
    .did = "Offboarded {user}: {steps}.", .was_so = "{user} had left already: nothing was changed.", .would = "Would offboard {user}: {steps}.",
};
