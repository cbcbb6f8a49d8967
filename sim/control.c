/* control.c - routes of the control API: log, faults, counters, settings, reset. */
#include "sim/control.h"

#include "base/text.h"
#include "sim/assets.h"

#include <string.h>

void control_error(struct sim_reply *r, const struct eb_err *err)
{
    sim_reply_json(r, 400, json_pack("{s:s}", "error", err->text));
}

static void page(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    r->status = 200;
    r->text = eb_strdup(sim_page_html);
    r->content_type = "text/html; charset=utf-8";
    sim_reply_header(r, "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
}

static void reset(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_reset(s);
    sim_reply_json(r, 200, json_pack("{s:b}", "reset", 1));
}

static void calls_list(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct sim_calls_query q = { sim_call_query(c, "path"), sim_call_query(c, "method"), sim_call_query(c, "cloud"),
                                 sim_call_query_int(c, "limit", 0) };
    sim_reply_json(r, 200, sim_calls_list(s->calls, &q));
}

static void calls_clear(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_calls_clear(s->calls);
    sim_reply_json(r, 204, NULL);
}

static void faults_add(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct eb_err err = { 0 };
    json_t *rules = sim_call_json(c);

    if (rules == NULL || !sim_faults_add(s->faults, rules, &err)) {
        if (rules == NULL)
            eb_fail(&err, EB_INVALID_REQUEST, "the body is no JSON");
        control_error(r, &err);
    } else {
        sim_reply_json(r, 200, sim_faults_list(s->faults));
    }
}

static void faults_list(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_reply_json(r, 200, sim_faults_list(s->faults));
}

static void faults_clear(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_faults_clear(s->faults);
    sim_reply_json(r, 204, NULL);
}

static void counters(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *j = sim_counters_json(s->counters);

    json_object_set_new(j, "assets", control_assets_counters(s));
    sim_reply_json(r, 200, j);
}

static void tokens_clear(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    sim_tokens_clear(s->tokens);
    sim_reply_json(r, 204, NULL);
}

static void delta_clear(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    s->delta.generation++;
    sim_reply_json(r, 204, NULL);
}

static const struct { const char *name; enum sim_app_role role; } app_roles[] = {
    { "none", SIM_ROLE_NONE }, { "user-administrator", SIM_ROLE_USER_ADMIN }, { "privileged-authentication-administrator", SIM_ROLE_PRIVILEGED },
};

static const struct { const char *name; enum sim_gone gone; } gone_forms[] = {
    { "resyncRequired", SIM_GONE_RESYNC }, { "syncStateNotFound", SIM_GONE_NO_STATE }, { "tooOld", SIM_GONE_TOO_OLD },
};

/* Applies one member of the settings; false: there is no such one, or not with such a value. */
static bool set_one(struct sim *s, const char *name, const json_t *value)
{
    const struct { const char *name; int64_t *at, least; } numbers[] = {
        { "latency_ms", &s->opt.latency_ms, 0 }, { "eventual_ms", &s->opt.eventual_ms, 0 },
        { "token_life_s", &s->opt.token_life_s, 1 }, { "page_size", &s->opt.page_size, 1 }, { "page_most", &s->opt.page_most, 0 },
        { "tap_least_minutes", &s->tap.least_minutes, 10 }, { "tap_most_minutes", &s->tap.most_minutes, 10 },
        { "tap_default_minutes", &s->tap.default_minutes, 10 },
        { "delta_page_size", &s->delta.page_size, 1 }, { "delta_member_page", &s->delta.member_page, 1 }, { "delta_life_s", &s->delta.life_s, 0 },
        { "delta_empty_every", &s->delta.empty_every, 0 }, { "delta_repeat_every", &s->delta.repeat_every, 0 },
        { "quota_units", &s->quota.units.size, 0 }, { "quota_writes", &s->quota.writes.size, 0 }, { "quota_writes_ms", &s->quota.writes.period_ms, 1 },
        { "jira_users_page", &s->opt.jira_users_page, 0 },
    };
    const struct { const char *name; bool *at; } flags[] = { { "tap_enabled", &s->tap.enabled }, { "tap_once", &s->tap.once }, { "no_browse_users", &s->no_browse_users } };

    if (assets_settings_put(&s->assets_set, name, value)) {
        s->assets->store->eventual_ms = s->assets_set.eventual_ms;
        if (s->assets_set.eventual_ms == 0)
            assets_settle(s->assets->store, INT64_MAX);     /* what was written before shows too */
        return true;
    }
    for (size_t i = 0; i < EB_LEN(flags); i++)
        if (strcmp(flags[i].name, name) == 0 && json_is_boolean(value)) {
            *flags[i].at = json_is_true(value);
            return true;
        }

    for (size_t i = 0; i < EB_LEN(numbers); i++)
        if (strcmp(numbers[i].name, name) == 0 && json_is_integer(value) && json_integer_value(value) >= numbers[i].least) {
            *numbers[i].at = json_integer_value(value);
            s->entra->eventual_ms = s->opt.eventual_ms;
            return true;
        }
    for (size_t i = 0; i < EB_LEN(gone_forms); i++)
        if (strcmp(name, "delta_gone") == 0 && eb_streq(json_string_value(value), gone_forms[i].name)) {
            s->delta.gone = gone_forms[i].gone;
            return true;
        }
    for (size_t i = 0; i < EB_LEN(app_roles); i++)
        if (strcmp(name, "app_role") == 0 && eb_streq(json_string_value(value), app_roles[i].name)) {
            s->app_role = app_roles[i].role;
            return true;
        }
    if (strcmp(name, "agent") == 0 && (json_is_array(value) || eb_streq(json_string_value(value), "all"))) {
        json_decref(s->agent_of);
        s->agent_of = json_is_array(value) ? json_deep_copy(value) : NULL;
        return true;
    }
    if (strcmp(name, "granted") != 0 || !(json_is_array(value) || eb_streq(json_string_value(value), "all")))
        return false;
    json_decref(s->granted);
    s->granted = json_is_array(value) ? json_deep_copy(value) : NULL;
    return true;
}

static void settings(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *body = sim_call_json(c), *value;
    struct eb_err err = { 0 };
    const char *name;

    json_object_foreach(body, name, value)
        if (!set_one(s, name, value)) {
            eb_fail(&err, EB_INVALID_REQUEST, "no setting %s with this value", name);
            control_error(r, &err);
            return;
        }
    sim_reply_json(r, 200, json_pack("{s:I, s:I, s:I, s:I}", "latency_ms", (json_int_t)s->opt.latency_ms, "eventual_ms", (json_int_t)s->opt.eventual_ms,
                                     "token_life_s", (json_int_t)s->opt.token_life_s, "page_size", (json_int_t)s->opt.page_size));
}

static const struct sim_route routes[] = {
    { "GET", "", page, NULL },
    { "GET", "/sim/state", control_state, NULL },
    { "POST", "/sim/reset", reset, NULL },
    { "GET", "/sim/calls", calls_list, NULL },
    { "DELETE", "/sim/calls", calls_clear, NULL },
    { "POST", "/sim/users", control_put_users, NULL },
    { "POST", "/sim/groups", control_put_groups, NULL },
    { "POST", "/sim/issues", control_put_issues, NULL },
    { "POST", "/sim/accounts", control_put_accounts, NULL },
    { "POST", "/sim/churn", control_churn, NULL },
    { "GET", "/sim/directory", control_directory, NULL },
    { "POST", "/sim/comments", control_put_comments, NULL },
    { "GET", "/sim/assets", control_assets, NULL },
    { "POST", "/sim/assets/objects", control_put_assets_objects, NULL },
    { "POST", "/sim/assets/schemas", control_put_assets_schemas, NULL },
    { "POST", "/sim/assets/importsource", control_put_assets_source, NULL },
    { "POST", "/sim/faults", faults_add, NULL },
    { "GET", "/sim/faults", faults_list, NULL },
    { "DELETE", "/sim/faults", faults_clear, NULL },
    { "GET", "/sim/counters", counters, NULL },
    { "POST", "/sim/settings", settings, NULL },
    { "DELETE", "/sim/tokens", tokens_clear, NULL },
    { "DELETE", "/sim/delta", delta_clear, NULL },
};

void control_answer(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct sim_route *route = NULL;

    switch (sim_route_find(routes, EB_LEN(routes), 0, c, &route)) {
    case SIM_NO_PATH:   sim_reply_json(r, 404, json_pack("{s:s}", "error", "no such path")); break;
    case SIM_NO_METHOD: sim_reply_json(r, 405, json_pack("{s:s}", "error", "method not allowed")); break;
    case SIM_MATCHED:   route->handler(s, c, r); break;
    }
}
