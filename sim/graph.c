/* graph.c - Graph's route table and what every handler needs.
 *
 * Permissions are the least ones and their usual wider ones; `granted` in /sim/settings takes them away.
 */
#include "sim/graph.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define P_USER_READ "User.Read.All|User.ReadWrite.All|Directory.Read.All"
#define P_WIDE "User.ReadWrite.All|Directory.ReadWrite.All"
#define P_USER_WRITE "User.ReadUpdate.All|" P_WIDE "|User.EnableDisableAccount.All|User-PasswordProfile.ReadWrite.All|" \
    "User-Phone.ReadWrite.All|User-Mail.ReadWrite.All|User.ManageIdentities.All|User-LifeCycleInfo.ReadWrite.All"  /* then each attribute's own */
#define P_DELETE "User.DeleteRestore.All|User.ReadWrite.All"
#define P_LICENCE_READ "LicenseAssignment.Read.All|LicenseAssignment.ReadWrite.All|Organization.Read.All|Directory.Read.All"
#define P_METHOD_READ "UserAuthenticationMethod.Read.All|UserAuthenticationMethod.ReadWrite.All"
#define P_MEMBER_READ "GroupMember.Read.All|GroupMember.ReadWrite.All|Group.Read.All|Directory.Read.All"
#define P_GROUP_READ "Group.ReadBasic.All|" P_MEMBER_READ
#define P_MEMBER_WRITE "GroupMember.ReadWrite.All|Group.ReadWrite.All"
#define P_ROLE_READ "RoleManagement.Read.Directory|RoleManagement.Read.All|Directory.Read.All"
#define P_ELIGIBLE_READ "RoleEligibilitySchedule.Read.Directory|RoleManagement.Read.Directory|RoleManagement.Read.All"
#define P_APP_READ "Application.Read.All|Directory.Read.All"
#define P_ORG_READ "Organization.Read.All|User.Read.All|Directory.Read.All"
#define P_SYNC_READ "Group-OnPremisesSyncBehavior.ReadWrite.All"

#define CASTS(path, handler, permissions) \
    { "GET", path, handler, permissions }, \
    { "GET", path "/microsoft.graph.user", handler, permissions }, \
    { "GET", path "/microsoft.graph.group", handler, permissions }, \
    { "GET", path "/microsoft.graph.directoryRole", handler, permissions }

/* The methods of one kind: listed, read, deleted; each kind has permissions of its own. */
#define METHODS(collection, kind) \
    { "GET", "/users/{}/authentication/" collection, graph_methods_of_type, \
      "UserAuthMethod-" kind ".Read.All|UserAuthMethod-" kind ".ReadWrite.All|" P_METHOD_READ }, \
    { "GET", "/users/{}/authentication/" collection "/{}", graph_method_get, \
      "UserAuthMethod-" kind ".Read.All|UserAuthMethod-" kind ".ReadWrite.All|" P_METHOD_READ }, \
    { "DELETE", "/users/{}/authentication/" collection "/{}", graph_method_delete, \
      "UserAuthMethod-" kind ".ReadWrite.All|UserAuthenticationMethod.ReadWrite.All" }

static const struct sim_route routes[] = {
    { "POST", "/$batch", graph_batch, NULL },
    { "GET", "/users/$count", graph_users_count, P_USER_READ },     /* before {}, which would match it */
    { "GET", "/users/delta", graph_users_delta, P_USER_READ },
    { "GET", "/groups/delta", graph_groups_delta, P_MEMBER_READ },
    { "GET", "/users/{}", graph_user_get, P_USER_READ },
    { "GET", "/users", graph_users_list, P_USER_READ },
    { "POST", "/users", graph_user_create, "User.Create|" P_WIDE },
    { "PATCH", "/users/{}", graph_user_patch, P_USER_WRITE },
    { "DELETE", "/users/{}", graph_user_delete, P_DELETE },
    { "POST", "/users/{}/revokeSignInSessions", graph_revoke_sessions, "User.RevokeSessions.All|" P_WIDE },
    { "POST", "/users/{}/assignLicense", graph_assign_licence, "LicenseAssignment.ReadWrite.All|" P_WIDE },
    { "POST", "/users/{}/reprocessLicenseAssignment", graph_reprocess_licences, P_WIDE },
    { "GET", "/users/{}/licenseDetails", graph_licence_details, P_LICENCE_READ "|User.Read.All" },
    { "GET", "/users/{}/authentication/methods", graph_methods, P_METHOD_READ },
    METHODS("emailMethods", "Email"), METHODS("fido2Methods", "Passkey"), METHODS("microsoftAuthenticatorMethods", "MicrosoftAuthApp"),
    METHODS("phoneMethods", "Phone"), METHODS("softwareOathMethods", "SoftwareOATH"), METHODS("temporaryAccessPassMethods", "TAP"),
    METHODS("windowsHelloForBusinessMethods", "WindowsHello"),
    { "GET", "/users/{}/authentication/passwordMethods", graph_methods_of_type, "UserAuthMethod-Password.Read.All|" P_METHOD_READ },
    { "POST", "/users/{}/authentication/temporaryAccessPassMethods", graph_pass_create,
      "UserAuthMethod-TAP.ReadWrite.All|UserAuthenticationMethod.ReadWrite.All" },
    { "POST", "/invitations", graph_invite, "User.Invite.All|" P_WIDE },
    { "GET", "/subscribedSkus", graph_skus, P_LICENCE_READ },
    { "GET", "/subscribedSkus/{}", graph_sku, P_LICENCE_READ },
    CASTS("/users/{}/memberOf", graph_user_member_of, P_MEMBER_READ),
    CASTS("/users/{}/transitiveMemberOf", graph_user_transitive_member_of, P_MEMBER_READ),
    CASTS("/users/{}/ownedObjects", graph_owned_objects, P_MEMBER_READ),
    { "GET", "/users/{}/memberOf/$count", graph_user_member_of_count, P_MEMBER_READ },
    { "GET", "/users/{}/transitiveMemberOf/$count", graph_user_transitive_member_of_count, P_MEMBER_READ },
    { "POST", "/users/{}/checkMemberGroups", graph_check_member_groups, P_MEMBER_READ },
    { "POST", "/users/{}/checkMemberObjects", graph_check_member_objects, P_MEMBER_READ },
    { "POST", "/users/{}/getMemberGroups", graph_get_member_groups, P_MEMBER_READ },
    { "POST", "/users/{}/getMemberObjects", graph_get_member_objects, P_MEMBER_READ },
    { "POST", "/directoryObjects/getByIds", graph_get_by_ids, "Directory.Read.All" },
    { "POST", "/directoryObjects/{}/checkMemberGroups", graph_check_member_groups, P_MEMBER_READ },
    { "POST", "/directoryObjects/{}/checkMemberObjects", graph_check_member_objects, P_MEMBER_READ },
    { "POST", "/directoryObjects/{}/getMemberGroups", graph_get_member_groups, P_MEMBER_READ },
    { "POST", "/directoryObjects/{}/getMemberObjects", graph_get_member_objects, P_MEMBER_READ },
    { "GET", "/users/{}/manager", graph_manager_get, P_USER_READ },
    { "GET", "/users/{}/manager/$ref", graph_manager_ref, P_USER_READ },
    { "PUT", "/users/{}/manager/$ref", graph_manager_put, "User.ReadWrite.All" },
    { "DELETE", "/users/{}/manager/$ref", graph_manager_delete, "User.ReadWrite.All" },
    { "GET", "/users/{}/directReports", graph_direct_reports, P_USER_READ },
    { "GET", "/directory/deletedItems/microsoft.graph.user", graph_deleted_users, P_USER_READ },
    { "GET", "/directory/deletedItems/{}", graph_deleted_get, P_USER_READ },
    { "DELETE", "/directory/deletedItems/{}", graph_deleted_purge, P_DELETE },
    { "POST", "/directory/deletedItems/{}/restore", graph_deleted_restore, P_DELETE },
    { "GET", "/groups/{}", graph_group_get, P_GROUP_READ },
    { "GET", "/groups", graph_groups_list, P_GROUP_READ },
    { "PATCH", "/groups/{}", graph_group_patch, P_MEMBER_WRITE },
    { "GET", "/groups/{}/members/$count", graph_group_members_count, P_MEMBER_READ },
    CASTS("/groups/{}/members", graph_group_members, P_MEMBER_READ),
    CASTS("/groups/{}/transitiveMembers", graph_group_transitive_members, P_MEMBER_READ),
    CASTS("/groups/{}/owners", graph_group_owners, P_MEMBER_READ),
    CASTS("/groups/{}/memberOf", graph_group_member_of, P_MEMBER_READ),
    CASTS("/groups/{}/transitiveMemberOf", graph_group_transitive_member_of, P_MEMBER_READ),
    { "GET", "/groups/{}/onPremisesSyncBehavior", graph_group_sync_behavior, P_SYNC_READ },
    { "POST", "/groups/{}/members/$ref", graph_member_add, P_MEMBER_WRITE },
    { "POST", "/groups/{}/members", graph_member_add_without_ref, NULL },
    { "DELETE", "/groups/{}/members/{}/$ref", graph_member_remove, P_MEMBER_WRITE },
    { "DELETE", "/groups/{}/members/{}", graph_member_delete, "User.DeleteRestore.All|User.ReadWrite.All" },
    { "GET", "/directoryRoles", graph_roles, P_ROLE_READ },
    { "GET", "/directoryRoles/{}/members", graph_role_members, P_ROLE_READ },
    { "GET", "/roleManagement/directory/roleAssignments", graph_role_assignments, P_ROLE_READ },
    { "GET", "/roleManagement/directory/roleEligibilityScheduleInstances", graph_role_eligibilities, P_ELIGIBLE_READ },
    { "GET", "/roleManagement/directory/roleDefinitions", graph_role_definitions, P_ROLE_READ },
    { "GET", "/organization", graph_organization, P_ORG_READ },
    { "GET", "/organization/{}", graph_organization_get, P_ORG_READ },
    { "GET", "/domains", graph_domains, "Domain.Read.All|Directory.Read.All" },
    { "GET", "/applications", graph_applications, P_APP_READ },
    { "GET", "/applications/{}/owners", graph_application_owners, P_APP_READ },
    { "GET", "/servicePrincipals", graph_service_principals, P_APP_READ },
    { "GET", "/servicePrincipals/{}/owners", graph_service_principal_owners, P_APP_READ },
    { "GET", "/servicePrincipals/{}/appRoleAssignments", graph_app_role_assignments, P_APP_READ },
};

void graph_no_content(struct sim_reply *r)
{
    sim_reply_json(r, 204, NULL);
}

static void deny(const struct sim_call *c, struct sim_reply *r)
{
    if (graph_is_methods_path(c))
        odata_methods_error(c, r, 403, "accessDenied", "Request Authorization failed");
    else
        odata_denied(c, r);
}

static const enum sim_total by_priority[] = {
    [SIM_PRIORITY_LOW] = SIM_CALLS_LOW, [SIM_PRIORITY_NORMAL] = SIM_CALLS_NORMAL, [SIM_PRIORITY_HIGH] = SIM_CALLS_HIGH,
};

void graph_answer(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct sim_route *route = NULL;

    entra_prune(s->entra);
    sim_count(s->counters, c->in_batch ? SIM_BATCH_ITEMS : SIM_GRAPH_CALLS);
    sim_count(s->counters, by_priority[c->priority]);
    if (!sim_tokens_valid(s->tokens, c->authorization)) {
        odata_error(c, r, 401, "InvalidAuthenticationToken", c->authorization[0] == '\0' ? "Access token is empty."
                    : "Access token has expired or is not yet valid.");
        return;
    }
    sim_call_split_keys(c);
    switch (sim_route_find(routes, EB_LEN(routes), 1, c, &route)) {
    case SIM_NO_PATH:
        odata_error(c, r, 400, "BadRequest", "Resource not found for the segment '%s'.", c->segment_count > 1 ? c->segments[1] : "");
        break;
    case SIM_NO_METHOD:
        odata_error(c, r, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
        break;
    case SIM_MATCHED:
        if (route->permissions != NULL && !sim_granted(s, route->permissions))
            deny(c, r);
        else if (c->param_count > 0 && c->params[0][0] == '$' && strstr(c->target, "('") == NULL && strcasestr(c->target, "(%27") == NULL)
            odata_bad_request(c, r, "Invalid request: a key that begins with '$' must be in quotes.");
        else if (route->handler == graph_batch || quota_take(s, c, route, r))      /* a batch costs what its items cost */
            route->handler(s, c, r);
        break;
    }
}

struct entra_object *graph_user_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = entra_find_user(s->entra, c->params[0]);

    if (o != NULL && strcmp(c->method, "GET") == 0 && !entra_object_seen(o))
        o = NULL;                   /* just made: reads come from another replica */
    if (o == NULL)
        odata_not_found(c, r, c->params[0]);
    else
        entra_inflate(s->entra, o);
    return o;
}

struct entra_object *graph_group_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = entra_find_kind(s->entra, ENTRA_GROUP, c->params[0]);

    if (!eb_is_guid(c->params[0]))
        odata_bad_request(c, r, "Invalid object identifier '%s'.", c->params[0]);
    else if (o == NULL)
        odata_not_found(c, r, c->params[0]);
    return o;
}

json_t *graph_body(struct sim_call *c, struct sim_reply *r)
{
    json_t *body = sim_call_json(c);

    if (!c->in_batch && strncasecmp(c->content_type, "application/json", 16) != 0) {
        odata_error(c, r, 400, "BadRequest", "Write requests (excluding DELETE) must contain the Content-Type header declaration.");
        return NULL;
    }
    if (body == NULL && c->body.len == 0)
        odata_bad_request(c, r, "An unexpected 'EndOfInput' node was found when reading from the JSON reader. A 'StartObject' node was expected.");
    else if (!json_is_object(body))
        odata_error(c, r, 400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.");
    else
        return body;
    return NULL;
}

struct entra_object *graph_reference(struct sim *s, struct sim_call *c, const char *url, struct sim_reply *r)
{
    static const char *const collections[] = { "directoryObjects/", "users/", "groups/", "servicePrincipals/" };
    const char *p = url != NULL && strncmp(url, "http", 4) == 0 ? strstr(url, "://") : NULL;

    p = p != NULL ? strchr(p + 3, '/') : NULL;
    if (p != NULL && (strncmp(p, "/v1.0/", 6) == 0 || strncmp(p, "/beta/", 6) == 0))
        p += 5;
    for (size_t i = 0; p != NULL && i < EB_LEN(collections); i++) {
        size_t n = strlen(collections[i]);
        if (strncmp(p + 1, collections[i], n) != 0 || !eb_is_guid(p + 1 + n))
            continue;
        struct entra_object *o = entra_find(s->entra, p + 1 + n);
        if (o == NULL)
            odata_not_found(c, r, p + 1 + n);
        return o;
    }
    odata_bad_request(c, r, "Invalid URL format specified in @odata.bind or @odata.id: a link to an object was expected.");
    return NULL;
}

/* Those that the filter can find by id or index. False: it cannot, or there is none. */
static bool find_by_keys(struct sim *s, struct sim_call *c, enum entra_kind kind, struct entra_list *out)
{
    struct sim_filter_key keys[16];
    struct sim_filter *f = NULL;
    struct eb_err ignored = { 0 };
    struct entra_object *o;
    size_t n = 0, count;
    const char *text = sim_call_query(c, "$filter");

    bool by_key = text != NULL && sim_filter_parse(text, &f, &ignored) && sim_filter_keys(f, keys, EB_LEN(keys), &n);
    for (size_t i = 0; i < n && by_key; i++)
        by_key = strcmp(keys[i].property, "id") == 0 || entra_is_indexed(kind, keys[i].property);
    uint64_t mark = ++s->entra->visits;
    for (size_t i = 0; i < n && by_key; i++) {
        bool by_id = strcmp(keys[i].property, "id") == 0;
        o = by_id ? entra_find_kind(s->entra, kind, keys[i].value) : NULL;
        struct entra_object **v = by_id ? &o : entra_lookup(s->entra, kind, keys[i].property, keys[i].value, &count);
        for (size_t k = 0; k < (by_id ? (size_t)(o != NULL) : count); k++)
            if (v[k]->visit != mark && entra_object_seen(v[k])) {
                v[k]->visit = mark;
                entra_list_add(out, v[k]);
            }
    }
    sim_filter_free(f);
    return by_key;
}

enum entra_kind graph_cast(const struct sim_call *c)
{
    const char *last = c->segments[c->segment_count - 1];

    for (int k = 0; k < ENTRA_KINDS; k++)
        if (strcmp(odata_type((enum entra_kind)k) + 1, last) == 0)
            return (enum entra_kind)k;
    return ENTRA_KINDS;
}

void graph_answer_objects(struct sim *s, struct sim_call *c, struct entra_list *found, enum entra_kind cast, struct sim_reply *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < found->n; i++)
        if (cast == ENTRA_KINDS || found->v[i]->kind == cast)
            found->v[kept++] = found->v[i];
    found->n = kept;
    struct odata_list l = graph_objects_list(s, cast);
    l.objects = *found;
    odata_answer_list(c, &l, r);
}

struct odata_list graph_objects_list(struct sim *s, enum entra_kind cast)
{
    return (struct odata_list){
        .entra = s->entra, .kind = cast, .with_type = cast == ENTRA_KINDS, .cast = cast != ENTRA_KINDS,
        .context = cast == ENTRA_GROUP ? "groups" : cast == ENTRA_USER ? "users" : "directoryObjects", .page_size = s->opt.page_size,
    };
}

bool graph_is_plain_list(const struct sim_call *c)
{
    return sim_call_query(c, "$filter") == NULL && sim_call_query(c, "$search") == NULL && sim_call_query(c, "$orderby") == NULL;
}

static void list_everything(struct sim *s, enum entra_kind kind, struct entra_list *out)
{
    struct entra_object *o;

    TAILQ_FOREACH(o, &s->entra->all[kind], next)
        if (entra_object_seen(o))
            entra_list_add(out, o);
}

void graph_list_kind(struct sim *s, struct sim_call *c, enum entra_kind kind, const char *context, struct sim_reply *r)
{
    struct odata_list l = { .entra = s->entra, .kind = kind, .context = context, .page_size = s->opt.page_size, .page_most = s->opt.page_most };

    if (!find_by_keys(s, c, kind, &l.objects)) {
        if (sim_call_query(c, "$search") == NULL && sim_call_query(c, "$orderby") == NULL)
            l.order = &s->entra->order[kind];
        else
            list_everything(s, kind, &l.objects);
    }
    odata_answer_list(c, &l, r);
}
