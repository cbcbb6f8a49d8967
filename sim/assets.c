/* assets.c - Assets' route table, its credentials, the shape of its errors, and what its handlers share.
 *
 * Import paths take the token of their source; everything else the account's credentials, as Jira does.
 */
#include "sim/assets.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/assets_import.h"
#include "sim/jira.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SOURCE "/importsource/{}"
#define RUN SOURCE "/executions/{}"
static const struct sim_route routes[] = {
    { "GET", "/objectschema/list", assets_schemas, NULL },
    { "POST", "/objectschema/create", assets_schema_create, NULL },
    { "GET", "/objectschema/{}", assets_schema_get, NULL },
    { "GET", "/objectschema/{}/attributes", assets_schema_attributes, NULL },
    { "GET", "/objectschema/{}/objecttypes", assets_schema_types, NULL },
    { "GET", "/objectschema/{}/objecttypes/flat", assets_schema_types, NULL },
    { "POST", "/objecttype/create", assets_type_create, NULL },
    { "GET", "/objecttype/{}", assets_type_get, NULL },
    { "GET", "/objecttype/{}/attributes", assets_type_attributes, NULL },
    { "POST", "/objecttypeattribute/{}", assets_attr_create, NULL },
    { "PUT", "/objecttypeattribute/{}/{}", assets_attr_update, NULL },
    { "POST", "/object/create", assets_object_create, NULL },
    { "POST", "/object/aql", assets_aql_post, NULL },
    { "POST", "/object/aql/totalcount", assets_aql_count, NULL },
    { "GET", "/object/{}", assets_object_get, NULL },
    { "PUT", "/object/{}", assets_object_update, NULL },
    { "DELETE", "/object/{}", assets_object_delete, NULL },
    { "GET", "/object/{}/attributes", assets_object_attributes, NULL },
    { "GET", "/object/{}/referenceinfo", assets_object_references, NULL },
    { "GET", "/config/statustype", assets_statuses, NULL },
    { "POST", "/config/statustype", assets_status_create, NULL },
    { "GET", "/config/statustype/{}", assets_status_get, NULL },
    { "GET", "/config/referencetype", assets_reference_types, NULL },
    { "POST", "/config/referencetype", assets_reference_type_create, NULL },
    { "GET", "/icon/global", assets_icons, NULL },
    { "GET", "/icon/{}", assets_icon, NULL },
    { "GET", "/global/config", assets_config, NULL },
    { "GET", "/usage", assets_usage, NULL },
    { "GET", SOURCE, assets_import_source, NULL },
    { "POST", SOURCE "/token", assets_import_token, NULL },
    { "GET", SOURCE "/configstatus", assets_import_config_status, NULL },
    { "PUT", SOURCE "/mapping", assets_import_mapping_put, NULL },
    { "PATCH", SOURCE "/mapping", assets_import_mapping_patch, NULL },
    { "GET", SOURCE "/schema-and-mapping", assets_import_mapping_get, NULL },
    { "GET", SOURCE "/mapping/progress/{}", assets_import_mapping_progress, NULL },
    { "POST", SOURCE "/executions", assets_import_start, NULL },
    { "GET", SOURCE "/executions/status", assets_import_last_status, NULL },
    { "DELETE", RUN, assets_import_cancel, NULL },
    { "PUT", RUN "/progress", assets_import_progress, NULL },
    { "POST", RUN "/data", assets_import_data, NULL },
    { "GET", RUN "/status", assets_import_status, NULL },
    { "POST", RUN "/history/failed", assets_import_failed, NULL },
};
static const struct sim_route info_routes[] = { { "GET", "/jsm/assets/v1/imports/info", assets_import_info, NULL } };

struct assets_world *assets_world_new(const struct assets_settings *set, struct event_base *base, size_t objects)
{
    struct assets_world *w = eb_alloc(sizeof(*w));

    w->store = assets_store_new(objects);
    w->store->eventual_ms = set->eventual_ms;
    w->limits = assets_limits_new();
    w->imports = assets_imports_new(base);
    return w;
}

void assets_world_free(struct assets_world *w)
{
    if (w == NULL)
        return;
    assets_imports_free(w->imports);
    assets_limits_free(w->limits);
    assets_store_free(w->store);
    free(w);
}

json_t *assets_body(struct sim_call *c, struct sim_reply *r, const struct assets_form *form)
{
    json_t *body = sim_call_json(c);
    struct eb_err err = { 0 };

    if (strncasecmp(c->content_type, "application/json", 16) != 0)
        atlassian_error(r, 415, NULL, "The body must be application/json.");
    else if (body == NULL)
        atlassian_error(r, 400, NULL, "The body is not valid JSON.");
    else if (!assets_form_check(form, body, &err))
        atlassian_error(r, 400, err.field[0] != '\0' ? err.field : NULL, "%s", err.text);
    else
        return body;
    return NULL;
}

bool assets_query_number(const struct sim_call *c, struct sim_reply *r, const char *name, int64_t least, int64_t dflt, int64_t *ret)
{
    const char *text = sim_call_query(c, name);
    char *end;

    *ret = dflt;
    if (text == NULL)
        return true;
    *ret = strtoll(text, &end, 10);
    if (*text != '\0' && *end == '\0' && *ret >= least)
        return true;
    atlassian_error(r, 400, name, "%s must be a number from %lld", name, (long long)least);
    return false;
}

bool assets_query_flag(const struct sim_call *c, struct sim_reply *r, const char *name, bool dflt, bool *ret)
{
    const char *text = sim_call_query(c, name);

    *ret = text != NULL ? strcmp(text, "true") == 0 : dflt;
    if (text == NULL || *ret || strcmp(text, "false") == 0)
        return true;
    atlassian_error(r, 400, name, "%s must be true or false", name);
    return false;
}

uint32_t assets_id(const char *text)
{
    size_t len = text != NULL ? strspn(text, "0123456789") : 0;

    return len > 0 && len < 10 && text[len] == '\0' && text[0] != '0' ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

bool assets_may_manage(struct sim *s, struct sim_reply *r)
{
    if (!s->assets_set.admin)
        atlassian_error(r, 403, NULL, "You do not have permission to do this.");
    return s->assets_set.admin;
}

struct assets_schema *assets_schema_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets_schema *schema = s->assets_set.admin ? assets_schema(s->assets->store, assets_id(c->params[0])) : NULL;

    if (schema == NULL)
        atlassian_error(r, 404, NULL, "Could not find object schema with id (%.20s).", c->params[0]);
    return schema;
}

struct assets_type *assets_type_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets_type *t = s->assets_set.admin ? assets_type(s->assets->store, assets_id(c->params[0])) : NULL;

    if (t == NULL)
        atlassian_error(r, 404, NULL, "Could not find object type with id (%.20s).", c->params[0]);
    return t;
}

struct assets_object *assets_object_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct assets_object *o = s->assets_set.admin ? assets_object(s->assets->store, assets_id(c->params[0])) : NULL;

    if (o == NULL)
        atlassian_error(r, 404, NULL, "Could not find object with id (%.20s).", c->params[0]);
    return o;
}

static void unauthorized(struct sim_reply *r)
{
    atlassian_error(r, 401, NULL, "Client must be authenticated to access this resource.");
}

static bool is_import(const struct sim_route *route)
{
    return strncmp(route->pattern, SOURCE "/", strlen(SOURCE "/")) == 0 && route->handler != assets_import_token;
}

/* Does the caller hold what this route asks for? */
static bool admitted(struct sim *s, const struct sim_call *c, const struct sim_route *route)
{
    return is_import(route) ? assets_import_admits(s->assets->imports, c->params[0], c->authorization) : jira_authorized(s, c->authorization);
}

static void answer_matched(struct sim *s, struct sim_call *c, const struct sim_route *route, struct sim_reply *r)
{
    if (!admitted(s, c, route))
        unauthorized(r);
    else if (assets_limits_pass(s, c, route->pattern, r))
        route->handler(s, c, r);
}

void assets_answer(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct sim_route *route = NULL;
    size_t skip = c->segment_count >= 3 && strcmp(c->segments[0], "ex") == 0 ? 3 : 0;

    sim_count(s->counters, SIM_ASSETS_CALLS);
    assets_settle(s->assets->store, eb_mono_ms());
    if (skip > 0 && !eb_strieq(c->segments[2], s->opt.cloud_id)) {
        atlassian_error(r, 404, NULL, "No site with this cloud id.");
        return;
    }
    if (skip == 0 && sim_route_find(info_routes, EB_LEN(info_routes), 0, c, &route) == SIM_MATCHED) {
        route->handler(s, c, r);
        return;
    }
    if (c->segment_count < skip + 5 || strcmp(c->segments[skip + 2], "workspace") != 0 || strcmp(c->segments[skip + 4], "v1") != 0) {
        atlassian_error(r, 404, NULL, "No such resource.");
        return;
    }
    if (!eb_strieq(c->segments[skip + 3], ASSETS_WORKSPACE)) {
        atlassian_error(r, 404, NULL, "No such workspace.");
        return;
    }
    switch (sim_route_find(routes, EB_LEN(routes), skip + 5, c, &route)) {
    case SIM_NO_PATH:   atlassian_error(r, 404, NULL, "No such resource."); break;
    case SIM_NO_METHOD: atlassian_error(r, 405, NULL, "Method not allowed."); break;
    case SIM_MATCHED:   answer_matched(s, c, route, r); break;
    }
}
