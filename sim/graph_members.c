/* graph_members.c - writing memberships, with every refusal of the real directory.
 *
 * DELETE of a member without /$ref deletes the user, as in life: https://learn.microsoft.com/graph/api/group-delete-members
 */
#include "sim/graph.h"

#include "base/text.h"

#include <string.h>

#define SYNCED "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
#define MAIL_ENABLED "Cannot Update a mail-enabled security groups and or distribution list."
#define EXISTS "One or more added object references already exist for the following modified properties: 'members'."

static bool has_type(const struct entra_object *g, const char *type)
{
    const json_t *types = json_object_get(g->attrs, "groupTypes");

    for (size_t i = 0; i < json_array_size(types); i++)
        if (eb_streq(json_string_value(json_array_get(types, i)), type))
            return true;
    return false;
}

static bool is(const struct entra_object *g, const char *flag)
{
    return json_is_true(json_object_get(g->attrs, flag));
}

/* May members of this group be written at all? False: answered. */
static bool group_is_writable(struct sim *s, struct sim_call *c, struct entra_object *g, struct sim_reply *r)
{
    bool role_assignable = is(g, "isAssignableToRole") && !sim_granted(s, "RoleManagement.ReadWrite.Directory");

    if (has_type(g, "DynamicMembership") || is(g, "isManagementRestricted") || role_assignable)
        odata_denied(c, r);
    else if (is(g, "onPremisesSyncEnabled") && !g->cloud_managed)
        odata_bad_request(c, r, SYNCED);
    else if (is(g, "mailEnabled") && !has_type(g, "Unified"))
        odata_bad_request(c, r, MAIL_ENABLED);
    else
        return true;
    return false;
}

/* May this object become a member? False: answered. */
static bool member_fits(struct sim_call *c, struct entra_object *g, struct entra_object *m, struct sim_reply *r)
{
    bool group_in_unified = has_type(g, "Unified") && m->kind == ENTRA_GROUP;
    bool unified_in_group = m->kind == ENTRA_GROUP && has_type(m, "Unified");

    if (g != m && (m->kind == ENTRA_USER || m->kind == ENTRA_GROUP || m->kind == ENTRA_SERVICE_PRINCIPAL) &&
        !group_in_unified && !unified_in_group && !(m->kind == ENTRA_GROUP && is(g, "isAssignableToRole")))
        return true;
    odata_bad_request(c, r, "Invalid object type for the reference 'members': the group does not take such a member.");
    return false;
}

static void add(struct sim *s, struct entra_object *g, struct entra_object *m)
{
    if (entra_link(s->entra, ENTRA_MEMBER, g, m))
        sim_count_member(s->counters, g->id, m->id, true);
}

void graph_member_add(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *g = graph_group_param(s, c, r);
    json_t *body = g != NULL ? graph_body(c, r) : NULL;

    if (body == NULL)
        return;
    if (json_object_size(body) != 1 || eb_json_str(body, "@odata.id") == NULL) {
        odata_bad_request(c, r, "A body with the member '@odata.id' only was expected.");
        return;
    }
    struct entra_object *m = graph_reference(s, c, eb_json_str(body, "@odata.id"), r);
    if (m == NULL || !group_is_writable(s, c, g, r) || !member_fits(c, g, m, r))
        return;
    if (entra_is_linked(s->entra, ENTRA_MEMBER, g, m)) {
        odata_bad_request(c, r, EXISTS);
        return;
    }
    add(s, g, m);
    graph_no_content(r);
}

void graph_member_add_without_ref(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    odata_error(c, r, 400, "BadRequest", "Write requests are only supported on contained entities");
}

/* The member of the path, as a member of the group in truth; NULL: answered. */
static struct entra_object *member_param(struct sim *s, struct sim_call *c, struct entra_object *g, struct sim_reply *r)
{
    struct entra_object *m = entra_find(s->entra, c->params[1]);

    if (m != NULL && entra_is_linked(s->entra, ENTRA_MEMBER, g, m))
        return m;
    odata_not_found(c, r, c->params[1]);
    return NULL;
}

void graph_member_remove(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *g = graph_group_param(s, c, r);

    if (g == NULL || !group_is_writable(s, c, g, r))
        return;
    struct entra_object *m = member_param(s, c, g, r);
    if (m == NULL)
        return;
    entra_unlink(s->entra, ENTRA_MEMBER, g, m);
    sim_count_member(s->counters, g->id, m->id, false);
    graph_no_content(r);
}

void graph_member_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *g = graph_group_param(s, c, r);
    struct entra_object *m = g != NULL ? member_param(s, c, g, r) : NULL;

    if (m == NULL)
        return;
    if (m->kind != ENTRA_USER || !graph_may_touch(s, m)) {
        odata_denied(c, r);
        return;
    }
    graph_remove_user(s, m);
    graph_no_content(r);
}

/* Checks all links of members@odata.bind and lists them; one bad or known one fails all. */
static bool bind_check(struct sim *s, struct sim_call *c, struct entra_object *g, const json_t *links, struct entra_list *out, struct sim_reply *r)
{
    if (!json_is_array(links) || json_array_size(links) == 0 || json_array_size(links) > 20) {
        odata_bad_request(c, r, "The value of 'members@odata.bind' is a list of 1 to 20 links.");
        return false;
    }
    if (!group_is_writable(s, c, g, r))
        return false;
    for (size_t i = 0; i < json_array_size(links); i++) {
        struct entra_object *m = graph_reference(s, c, json_string_value(json_array_get(links, i)), r);
        if (m == NULL || !member_fits(c, g, m, r))
            return false;
        if (entra_is_linked(s->entra, ENTRA_MEMBER, g, m)) {
            odata_bad_request(c, r, EXISTS);
            return false;
        }
        for (size_t k = 0; k < out->n; k++)
            if (out->v[k] == m) {
                odata_bad_request(c, r, "The reference '%s' can only be present once as an add/remove change.", m->id);
                return false;
            }
        entra_list_add(out, m);
    }
    return true;
}

static bool attributes_check(struct sim_call *c, const json_t *body, struct sim_reply *r)
{
    static const char *const writable[] = { "displayName", "description", "mailNickname", "securityEnabled", "visibility",
        "membershipRule", "membershipRuleProcessingState", "groupTypes", "classification", "preferredDataLocation", "members@odata.bind" };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        size_t i = 0;
        while (i < EB_LEN(writable) && strcmp(writable[i], name) != 0)
            i++;
        if (i == EB_LEN(writable)) {
            odata_bad_request(c, r, "Property '%s' is read-only and cannot be set.", name);
            return false;
        }
    }
    return true;
}

void graph_group_patch(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *g = graph_group_param(s, c, r);
    json_t *body = g != NULL ? graph_body(c, r) : NULL, *links = json_object_get(body, "members@odata.bind"), *value;
    struct entra_list members = { 0 };
    const char *name;

    if (body == NULL)
        return;
    if (attributes_check(c, body, r) && (links == NULL || bind_check(s, c, g, links, &members, r))) {
        for (size_t i = 0; i < members.n; i++)
            add(s, g, members.v[i]);
        json_object_foreach(body, name, value)
            if (value != links)
                entra_set(s->entra, g, name, json_incref(value));
        sim_count(s->counters, SIM_PATCHES);
        graph_no_content(r);
    }
    entra_list_free(&members);
}
