/* graph_tenant.c - directory roles and their assignments, the organization, applications and service principals. */
#include "sim/graph.h"

#include "base/text.h"

#include <string.h>

/* Targets of an object of that kind, as mixed objects. */
static void answer_targets(struct sim *s, struct sim_call *c, enum entra_kind kind, enum entra_relation rel, struct sim_reply *r)
{
    struct entra_object *o = entra_find_kind(s->entra, kind, c->params[0]);
    struct entra_list found = { 0 };

    if (o == NULL) {
        odata_not_found(c, r, c->params[0]);
        return;
    }
    entra_targets(s->entra, o, rel, false, &found);
    graph_answer_objects(s, c, &found, ENTRA_KINDS, r);
}

void graph_roles(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    graph_list_kind(s, c, ENTRA_ROLE, "directoryRoles", r);
}

void graph_role_members(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_targets(s, c, ENTRA_ROLE, ENTRA_MEMBER, r);
}

/* A copy of the items with what $expand asks for: roleDefinition, principal. */
static json_t *expanded(struct sim *s, struct sim_call *c, const json_t *items)
{
    const char *expand = sim_call_query(c, "$expand");
    json_t *out = json_deep_copy(items);

    for (size_t i = 0; expand != NULL && i < json_array_size(out); i++) {
        json_t *item = json_array_get(out, i);
        struct entra_object *principal = entra_find(s->entra, eb_json_str(item, "principalId"));
        if (strstr(expand, "principal") != NULL && principal != NULL)
            json_object_set_new(item, "principal", odata_render(s->entra, principal, NULL, true));
        for (size_t k = 0; strstr(expand, "roleDefinition") != NULL && k < json_array_size(s->entra->definitions); k++) {
            json_t *d = json_array_get(s->entra->definitions, k);
            if (eb_streq(eb_json_str(d, "id"), eb_json_str(item, "roleDefinitionId")))
                json_object_set(item, "roleDefinition", d);
        }
    }
    return out;
}

void graph_role_assignments(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *all = json_copy(s->entra->assignments);
    const char *own = sim_app_role_definition(s);

    if (own != NULL)
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s}", "id", "f0000000-0000-4000-8000-000000000099",
            "principalId", "d0000000-0000-4000-8000-000000000001", "roleDefinitionId", own, "directoryScopeId", "/"));
    json_t *items = expanded(s, c, all);
    json_decref(all);
    odata_answer_json_list(c, items, "roleManagement/directory/roleAssignments", s->opt.page_size, r);
    json_decref(items);
}

void graph_role_eligibilities(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *items = expanded(s, c, s->entra->eligibilities);

    odata_answer_json_list(c, items, "roleManagement/directory/roleEligibilityScheduleInstances", s->opt.page_size, r);
    json_decref(items);
}

void graph_role_definitions(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    odata_answer_json_list(c, s->entra->definitions, "roleManagement/directory/roleDefinitions", s->opt.page_size, r);
}

static json_t *organization(const struct sim *s)
{
    return json_pack("{s:s, s:s, s:n, s:[{s:s, s:b, s:b, s:s}, {s:s, s:b, s:b, s:s}]}",
        "id", s->opt.tenant, "displayName", "Contoso (simulated)", "onPremisesSyncEnabled", "verifiedDomains",
        "name", "contoso.com", "isDefault", 1, "isInitial", 0, "type", "Managed",
        "name", "contoso.onmicrosoft.com", "isDefault", 0, "isInitial", 1, "type", "Managed");
}

void graph_organization(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *items = json_pack("[o]", organization(s));

    odata_answer_json_list(c, items, "organization", s->opt.page_size, r);
    json_decref(items);
}

void graph_organization_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    if (eb_strieq(c->params[0], s->opt.tenant))
        sim_reply_json(r, 200, organization(s));
    else
        odata_not_found(c, r, c->params[0]);
}

void graph_domains(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    static const char *const names[] = { "contoso.com", "contoso.onmicrosoft.com" };
    json_t *items = json_array();

    for (size_t i = 0; i < EB_LEN(names); i++)
        json_array_append_new(items, json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:[s]}", "id", names[i],
            "authenticationType", "Managed", "isAdminManaged", 1, "isDefault", i == 0, "isInitial", i == 1, "isRoot", 1,
            "isVerified", 1, "supportedServices", "Email"));
    odata_answer_json_list(c, items, "domains", s->opt.page_size, r);
    json_decref(items);
}

void graph_applications(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    graph_list_kind(s, c, ENTRA_APPLICATION, "applications", r);
}

void graph_application_owners(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_targets(s, c, ENTRA_APPLICATION, ENTRA_OWNER, r);
}

void graph_service_principals(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    graph_list_kind(s, c, ENTRA_SERVICE_PRINCIPAL, "servicePrincipals", r);
}

void graph_service_principal_owners(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_targets(s, c, ENTRA_SERVICE_PRINCIPAL, ENTRA_OWNER, r);
}

/* What our own service principal has been granted: app roles of Graph's service principal. */
void graph_app_role_assignments(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = entra_find_kind(s->entra, ENTRA_SERVICE_PRINCIPAL, c->params[0]), *graph;
    json_t *items = json_array();
    size_t count;

    if (o == NULL) {
        json_decref(items);
        odata_not_found(c, r, c->params[0]);
        return;
    }
    struct entra_object **v = entra_lookup(s->entra, ENTRA_SERVICE_PRINCIPAL, "appId", SIM_GRAPH_APP, &count);
    graph = count > 0 ? v[0] : NULL;
    const json_t *roles = graph != NULL ? json_object_get(graph->attrs, "appRoles") : NULL;
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const json_t *role = json_array_get(roles, i);
        if (sim_granted(s, eb_json_str(role, "value")) && eb_strieq(eb_json_str(o->attrs, "appId"), s->opt.client_id))
            json_array_append_new(items, json_pack("{s:O, s:O, s:s, s:s, s:s}", "id", json_object_get(role, "id"),
                "appRoleId", json_object_get(role, "id"), "principalId", o->id, "resourceId", graph->id,
                "resourceDisplayName", "Microsoft Graph"));
    }
    odata_answer_json_list(c, items, "appRoleAssignments", s->opt.page_size, r);
    json_decref(items);
}
