/* sim.c - puts the parts together, and sends a call to its cloud. */
#include "sim/sim.h"

#include "base/text.h"
#include "sim/assets.h"
#include "sim/cast.h"
#include "sim/graph.h"
#include "sim/jira.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_KEPT 200000
#define COMMENTS_KEPT_FORGETFUL 20

static void fill(struct sim *s)
{
    s->entra = entra_new();
    s->entra->log.off++;            /* what was always there is no change */
    s->tracker = tracker_new(s->opt.forget ? COMMENTS_KEPT_FORGETFUL : 0);
    s->tracker->company = &s->entra->company;
    s->assets = assets_world_new(&s->assets_set, s->base, (size_t)(s->opt.users + s->opt.groups));
    cast_people(s);
    cast_groups(s);
    cast_skus(s);
    cast_extras(s);
    cast_roles(s);
    cast_issues(s);
    cast_filler(s);
    cast_company(s);
    s->entra->log.off--;
    s->entra->eventual_ms = s->opt.eventual_ms;     /* after the cast: it has always been there */
}

struct sim *sim_new(const struct sim_options *opt, struct event_base *base)
{
    struct sim *s = eb_alloc(sizeof(*s));

    s->opt = *opt;
    s->base = base;
    s->faults = sim_faults_new();
    s->calls = sim_calls_new(opt->forget ? 0 : CALLS_KEPT);
    s->counters = sim_counters_new(opt->forget);
    s->tokens = sim_tokens_new(opt->client_cert);
    s->waits = sim_waits_new(base);
    s->tap = SIM_TAP_POLICY;
    s->delta = SIM_DELTA;
    s->quota = SIM_QUOTA;
    s->delta.epoch = eb_random_below(UINT32_MAX);
    s->assets_set = assets_settings_default();
    fill(s);
    return s;
}

void sim_reset(struct sim *s)
{
    entra_free(s->entra);
    tracker_free(s->tracker);
    assets_world_free(s->assets);
    sim_faults_clear(s->faults);
    sim_calls_clear(s->calls);
    sim_counters_clear(s->counters);
    s->delta.generation++;
    fill(s);
}

void sim_free(struct sim *s)
{
    if (s == NULL)
        return;
    sim_waits_free(s->waits);
    sim_tokens_free(s->tokens);
    sim_counters_free(s->counters);
    sim_calls_free(s->calls);
    sim_faults_free(s->faults);
    assets_world_free(s->assets);
    tracker_free(s->tracker);
    entra_free(s->entra);
    json_decref(s->granted);
    json_decref(s->agent_of);
    free(s);
}

static bool begins(const char *target, const char *with)
{
    return strncmp(target, with, strlen(with)) == 0;
}

enum sim_cloud sim_classify(const char *target)
{
    static const struct { const char *begin; enum sim_cloud cloud; } table[] = {
        { "/sim/", SIM_CLOUD_CONTROL }, { "/v1.0/", SIM_CLOUD_GRAPH }, { "/rest/", SIM_CLOUD_JIRA },
        { "/ex/jira/", SIM_CLOUD_JIRA }, { "/_edge/", SIM_CLOUD_JIRA }, { "/jsm/assets/", SIM_CLOUD_ASSETS },
    };

    if (begins(target, "/ex/jira/") && begins(strchrnul(target + 9, '/'), "/jsm/assets/"))
        return SIM_CLOUD_ASSETS;
    for (size_t i = 0; i < EB_LEN(table); i++)
        if (begins(target, table[i].begin))
            return table[i].cloud;
    if (strcmp(target, "/") == 0 || begins(target, "/?"))
        return SIM_CLOUD_CONTROL;
    return strstr(target, "/oauth2/v2.0/token") != NULL ? SIM_CLOUD_TOKEN : SIM_CLOUD_NONE;
}

static const struct sim_route token_routes[] = { { "POST", "/{}/oauth2/v2.0/token", sim_token_post, NULL } };

void sim_dispatch(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct sim_route *route = NULL;

    switch (c->cloud) {
    case SIM_CLOUD_GRAPH:
        graph_answer(s, c, r);
        break;
    case SIM_CLOUD_JIRA:
        jira_answer(s, c, r);
        break;
    case SIM_CLOUD_ASSETS:
        assets_answer(s, c, r);
        break;
    default:
        if (sim_route_find(token_routes, EB_LEN(token_routes), 0, c, &route) == SIM_MATCHED)
            route->handler(s, c, r);
        else
            sim_reply_json(r, 404, json_pack("{s:s}", "error", "not_found"));
        break;
    }
}

/* Not given without being asked for: changing role-assignable groups is a right of its own. */
#define NOT_BY_DEFAULT "RoleManagement.ReadWrite.Directory"

bool sim_granted(const struct sim *s, const char *permissions)
{
    for (const char *p = permissions; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, "|");
        bool held = s->granted == NULL && !(len == strlen(NOT_BY_DEFAULT) && strncmp(p, NOT_BY_DEFAULT, len) == 0);
        for (size_t i = 0; i < json_array_size(s->granted) && !held; i++) {
            const json_t *name = json_array_get(s->granted, i);
            held = json_string_length(name) == len && strncmp(json_string_value(name), p, len) == 0;
        }
        if (held)
            return true;
        p += len + (p[len] == '|');
    }
    return false;
}

json_t *sim_granted_list(const struct sim *s)
{
    size_t count;
    struct entra_object **graph = entra_lookup(s->entra, ENTRA_SERVICE_PRINCIPAL, "appId", SIM_GRAPH_APP, &count);
    const json_t *roles = count > 0 ? json_object_get(graph[0]->attrs, "appRoles") : NULL;

    if (s->granted != NULL)
        return json_deep_copy(s->granted);
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(roles); i++) {
        json_t *name = json_object_get(json_array_get(roles, i), "value");
        if (sim_granted(s, json_string_value(name)))
            json_array_append(list, name);
    }
    return list;
}

const char *sim_app_role_definition(const struct sim *s)
{
    static const char *const ids[] = {
        [SIM_ROLE_NONE] = NULL, [SIM_ROLE_USER_ADMIN] = "fe930be7-5e62-47db-91af-98c3a49a38b1",
        [SIM_ROLE_PRIVILEGED] = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    };

    return ids[s->app_role];
}
