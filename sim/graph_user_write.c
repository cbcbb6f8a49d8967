/* graph_user_write.c - making, changing and deleting users, sign-in sessions, managers; and who may be touched at all.
 *
 * All of a body is checked before any of it is done: a refused one changes nothing.
 */
#include "sim/user_rules.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SYNCED "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."

/* Is it an attribute that may be written, with a value that fits? Answers as Graph does otherwise. */
static bool value_check(struct sim_call *c, const char *name, const json_t *value, struct sim_reply *r)
{
    const struct user_attribute *a = user_attribute(name);

    if (a == NULL && user_is_delegated_only(name))
        odata_denied(c, r);
    else if (a == NULL && odata_has_property(ENTRA_USER, name))
        odata_bad_request(c, r, "Property '%s' is read-only and cannot be set.", name);
    else if (a == NULL)
        odata_bad_request(c, r, "Property '%s' does not exist on type 'microsoft.graph.user'.", name);
    else if (!user_value_fits(a, value))
        odata_bad_request(c, r, "Invalid value specified for property '%s' of resource 'User'.", name);
    else
        return true;
    return false;
}

/* May this attribute of this user be changed by our app? */
static bool patch_check(struct sim *s, struct sim_call *c, struct entra_object *o, const char *name, const json_t *value, struct sim_reply *r)
{
    if (!value_check(c, name, value, r))
        return false;
    const struct user_attribute *a = user_attribute(name);
    bool password = strcmp(name, "passwordProfile") == 0 && s->app_role == SIM_ROLE_NONE;
    if (!user_has_trait(a, USER_CLOUD) && json_is_true(json_object_get(o->attrs, "onPremisesSyncEnabled")))
        odata_bad_request(c, r, "%s", SYNCED);
    else if (!user_may_patch(s, a) || user_has_trait(a, USER_CREATE_ONLY) || password ||
             (user_has_trait(a, USER_SENSITIVE) && !graph_may_touch(s, o)))
        odata_denied(c, r);
    else
        return true;
    return false;
}

void graph_user_patch(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL, *value;
    const char *name;

    if (body == NULL)
        return;
    if (json_object_size(body) == 0) {
        odata_bad_request(c, r, "Empty Payload. JSON content expected.");
        return;
    }
    json_object_foreach(body, name, value)
        if (!patch_check(s, c, o, name, value, r))
            return;
    const char *upn = eb_json_str(body, "userPrincipalName");
    const json_t *policies = json_object_get(body, "passwordPolicies");
    if (!user_upn_check(c, upn, r) || !user_upn_is_free(s, c, o, upn, r) || !user_mail_is_free(s, c, o, eb_json_str(body, "mail"), r) ||
        !user_password_check(c, json_object_get(body, "passwordProfile"), policies != NULL ? policies : json_object_get(o->attrs, "passwordPolicies"), r))
        return;
    json_object_foreach(body, name, value)
        user_apply(s, o, name, value);
    sim_count_user(s->counters, o->id, SIM_PATCHES);
    graph_no_content(r);
}

#define MANAGER "manager@odata.bind"

static bool create_check(struct sim *s, struct sim_call *c, const json_t *body, struct sim_reply *r)
{
    static const char *const required[] = { "accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile" };
    const json_t *profile = json_object_get(body, "passwordProfile");
    const char *name, *upn = eb_json_str(body, "userPrincipalName");
    json_t *value;

    for (size_t i = 0; i < EB_LEN(required); i++)
        if (json_object_get(body, required[i]) == NULL) {
            odata_bad_request(c, r, "A value is required for property '%s' of resource 'User'.", required[i]);
            return false;
        }
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
        if (strcmp(name, MANAGER) != 0 && !value_check(c, name, value, r))
            return false;
    if (eb_json_str(profile, "password") == NULL) {
        odata_bad_request(c, r, "A value is required for property 'password' of resource 'User'.");
        return false;
    }
    return user_upn_check(c, upn, r) && user_upn_is_free(s, c, NULL, upn, r) && user_mail_is_free(s, c, NULL, eb_json_str(body, "mail"), r) &&
           user_password_check(c, profile, json_object_get(body, "passwordPolicies"), r);
}

struct entra_object *graph_new_user(struct sim *s)
{
    char id[EB_ID_LEN], now[EB_TIME_LEN];

    eb_uuid4(id);
    entra_time(eb_now_ms(), now);
    struct entra_object *o = entra_add(s->entra, ENTRA_USER, json_pack("{s:s, s:s, s:s, s:s}", "id", id, "createdDateTime", now,
                                       "signInSessionsValidFromDateTime", now, "userType", "Member"));
    o->seen_ms = s->entra->eventual_ms > 0 ? eb_mono_ms() + s->entra->eventual_ms : 0;
    return o;
}

void graph_answer_user(struct sim *s, struct sim_call *c, const struct entra_object *o, int status, struct sim_reply *r)
{
    json_t *out = odata_render(s->entra, o, NULL, false);
    char *url = eb_asprintf("%s/$metadata#users/$entity", c->base_url);

    json_object_set_new(out, "@odata.context", json_string(url));
    free(url);
    sim_reply_json(r, status, out);
}

void graph_user_create(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *body = graph_body(c, r), *value;
    const json_t *bind = json_object_get(body, MANAGER);
    struct entra_object *manager = NULL;
    const char *name;

    if (body == NULL || !create_check(s, c, body, r))
        return;
    if (bind != NULL && (manager = graph_reference(s, c, json_string_value(bind), r)) == NULL)
        return;
    struct entra_object *o = graph_new_user(s);
    json_object_foreach(body, name, value)
        if (strcmp(name, "passwordProfile") == 0)
            o->password = eb_strdup(eb_json_str(value, "password"));
        else if (strcmp(name, "accountEnabled") == 0)
            entra_set(s->entra, o, name, json_incref(value));       /* no enabling or disabling to count */
        else if (value != bind)
            user_apply(s, o, name, value);
    o->old_enabled_until_ms = 0;
    entra_set_manager(s->entra, o, manager != NULL && manager->kind == ENTRA_USER ? manager : NULL);
    sim_count_user(s->counters, o->id, SIM_CREATES);
    graph_answer_user(s, c, o, 201, r);
}

/* Moves the moment from which sessions are valid: all older ones end. */
void graph_revoke_sessions(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    char now[EB_TIME_LEN];

    if (o == NULL)
        return;
    entra_set(s->entra, o, "signInSessionsValidFromDateTime", json_string(entra_time(eb_now_ms(), now)));
    sim_count_user(s->counters, o->id, SIM_REVOKES);
    char *url = eb_asprintf("%s/$metadata#Edm.Boolean", c->base_url);
    sim_reply_json(r, 200, json_pack("{s:s, s:b}", "@odata.context", url, "value", 1));
    free(url);
}

/* Roles that a User Administrator may touch (privileged-roles-permissions); any other needs more. */
static bool role_is_lesser(const char *name)
{
    static const char *const lesser[] = { "Directory Readers", "Guest Inviter", "Helpdesk Administrator", "Groups Administrator",
        "Message Center Reader", "Password Administrator", "Reports Reader", "User Administrator",
        "User Experience Success Manager", "Usage Summary Reports Reader" };

    for (size_t i = 0; i < EB_LEN(lesser); i++)
        if (eb_streq(lesser[i], name))
            return true;
    return false;
}

static const char *definition_name(struct sim *s, const char *id)
{
    for (size_t i = 0; i < json_array_size(s->entra->definitions); i++) {
        const json_t *d = json_array_get(s->entra->definitions, i);
        if (eb_streq(eb_json_str(d, "id"), id))
            return eb_json_str(d, "displayName");
    }
    return NULL;
}

/* Member or owner of a role-assignable group: as protected as an administrator. */
static bool in_assignable_group(struct sim *s, struct entra_object *user)
{
    struct entra_list found = { 0 };
    bool hit = false;

    entra_sources(s->entra, user, ENTRA_MEMBER, true, &found);
    entra_sources(s->entra, user, ENTRA_OWNER, false, &found);
    for (size_t i = 0; i < found.n; i++)
        hit = hit || json_is_true(json_object_get(found.v[i]->attrs, "isAssignableToRole"));
    entra_list_free(&found);
    return hit;
}

bool graph_may_touch(struct sim *s, struct entra_object *user)
{
    enum sim_app_role needed = in_assignable_group(s, user) ? SIM_ROLE_PRIVILEGED : SIM_ROLE_NONE;

    for (size_t i = 0; i < json_array_size(s->entra->assignments) && needed != SIM_ROLE_PRIVILEGED; i++) {
        const json_t *a = json_array_get(s->entra->assignments, i);
        if (eb_streq(eb_json_str(a, "principalId"), user->id))
            needed = role_is_lesser(definition_name(s, eb_json_str(a, "roleDefinitionId"))) ? SIM_ROLE_USER_ADMIN : SIM_ROLE_PRIVILEGED;
    }
    return s->app_role >= needed;
}

void graph_remove_user(struct sim *s, struct entra_object *user)
{
    sim_count(s->counters, SIM_USERS_DELETED);
    sim_count_user(s->counters, user->id, SIM_DELETES);
    entra_inflate(s->entra, user);
    licences_release(s, user);
    entra_unassign(s->entra, user->id, false);
    entra_unassign(s->entra, user->id, true);
    entra_delete(s->entra, user);
}

void graph_user_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o == NULL)
        return;
    if (!graph_may_touch(s, o)) {
        odata_denied(c, r);
        return;
    }
    graph_remove_user(s, o);
    graph_no_content(r);
}

void graph_manager_put(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL;
    struct entra_object *manager = body != NULL ? graph_reference(s, c, eb_json_str(body, "@odata.id"), r) : NULL;

    if (manager == NULL)
        return;
    if (manager->kind != ENTRA_USER || manager == o || json_object_size(body) != 1) {
        odata_bad_request(c, r, "Invalid object type for the reference 'manager'.");
        return;
    }
    if (json_is_true(json_object_get(o->attrs, "onPremisesSyncEnabled"))) {
        odata_bad_request(c, r, "%s", SYNCED);
        return;
    }
    entra_set_manager(s->entra, o, manager);
    sim_count_user(s->counters, o->id, SIM_MANAGERS);
    graph_no_content(r);
}

void graph_manager_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o == NULL)
        return;
    if (o->manager == NULL) {
        odata_not_found(c, r, "manager");
        return;
    }
    entra_set_manager(s->entra, o, NULL);
    sim_count_user(s->counters, o->id, SIM_MANAGERS);
    graph_no_content(r);
}

void graph_manager_ref(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o == NULL)
        return;
    if (o->manager == NULL) {
        odata_not_found(c, r, "manager");
        return;
    }
    char *id = eb_asprintf("%s/directoryObjects/%s", c->base_url, o->manager->id), *url = eb_asprintf("%s/$metadata#$ref", c->base_url);
    sim_reply_json(r, 200, json_pack("{s:s, s:s}", "@odata.context", url, "@odata.id", id));
    free(id);
    free(url);
}
