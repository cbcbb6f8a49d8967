/* token_endpoint.c - POST /{tenant}/oauth2/v2.0/token for client credentials, with Entra's errors. */
#include "sim/tokens.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static void refuse(const struct sim_call *c, struct sim_reply *r, int status, const char *error, int number, const char *text)
{
    char time[EB_TIME_LEN], description[700], url[128];

    eb_time_format(eb_now_ms(), time);
    time[10] = ' ';
    memcpy(time + 19, "Z", 2);
    snprintf(description, sizeof(description), "AADSTS%d: %.300s Trace ID: %s Correlation ID: %s Timestamp: %s",
             number, text, c->request_id, c->request_id, time);
    snprintf(url, sizeof(url), "https://login.microsoftonline.com/error?code=%d", number);
    sim_reply_json(r, status, json_pack("{s:s, s:s, s:[i], s:s, s:s, s:s, s:s}", "error", error, "error_description", description,
        "error_codes", number, "timestamp", time, "trace_id", c->request_id, "correlation_id", c->request_id, "error_uri", url));
}

/* The form's fields, parsed like a query: the same rules hold. */
static bool parse_form(const struct sim_call *c, struct sim_call *form)
{
    char *text = eb_alloc(c->body.len + 3);

    memcpy(text, "/?", 2);
    memcpy(text + 2, c->body.p != NULL ? c->body.p : "", c->body.len);
    bool ok = memchr(c->body.p != NULL ? c->body.p : "", '\0', c->body.len) == NULL && sim_call_target(form, text);
    free(text);
    return ok;
}

static bool scope_is_graph(const char *scope)
{
    static const char *const hosts[] = { "graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us",
                                         "microsoftgraph.chinacloudapi.cn" };

    for (size_t i = 0; i < EB_LEN(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (strncmp(scope, "https://", 8) == 0 && strncmp(scope + 8, hosts[i], n) == 0 &&
            (strcmp(scope + 8 + n, "/.default") == 0 || strcmp(scope + 8 + n, "//.default") == 0))
            return true;
    }
    return false;
}

static bool fields_are_good(const struct sim *s, const struct sim_call *c, const struct sim_call *form, struct sim_reply *r)
{
    static const char *const required[] = { "client_id", "scope", "grant_type" };
    char text[128];

    if (strncasecmp(c->content_type, "application/x-www-form-urlencoded", 33) != 0) {
        refuse(c, r, 400, "invalid_request", 900144, "The request body must be application/x-www-form-urlencoded.");
        return false;
    }
    if (!eb_strieq(c->params[0], s->opt.tenant) && !eb_strieq(c->params[0], "contoso.onmicrosoft.com")) {
        refuse(c, r, 400, "invalid_request", 90002, "Tenant not found. Check to make sure you have the correct tenant ID.");
        return false;
    }
    for (size_t i = 0; i < EB_LEN(required); i++)
        if (eb_streq(sim_call_query(form, required[i]), NULL) || *sim_call_query(form, required[i]) == '\0') {
            snprintf(text, sizeof(text), "The request body must contain the following parameter: '%s'.", required[i]);
            refuse(c, r, 400, "invalid_request", 900144, text);
            return false;
        }
    if (strcmp(sim_call_query(form, "grant_type"), "client_credentials") != 0)
        refuse(c, r, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    else if (!eb_strieq(sim_call_query(form, "client_id"), s->opt.client_id))
        refuse(c, r, 400, "unauthorized_client", 700016, "Application was not found in the directory.");
    else if (!scope_is_graph(sim_call_query(form, "scope")))
        refuse(c, r, 400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.");
    else
        return true;
    return false;
}

static bool credential_is_good(const struct sim *s, const struct sim_call *c, const struct sim_call *form, struct sim_reply *r)
{
    const char *secret = sim_call_query(form, "client_secret"), *jwt = sim_call_query(form, "client_assertion");
    struct eb_err err = { 0 };
    int number = 0;

    if (jwt != NULL) {
        struct sim_assertion_rules rules = { s->opt.client_id, c->params[0], c->base_url, s->tokens, eb_now_ms() };
        if (eb_streq(sim_call_query(form, "client_assertion_type"), ASSERTION_TYPE) && sim_assertion_check(jwt, &rules, &number, &err))
            return true;
        refuse(c, r, 401, "invalid_client", number != 0 ? number : 900144,
               number != 0 ? err.text : "client_assertion_type is missing or unknown.");
    } else if (secret == NULL) {
        refuse(c, r, 401, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
    } else if (strcmp(secret, s->opt.client_secret) != 0) {
        refuse(c, r, 401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.");
    } else {
        return true;
    }
    return false;
}

/* What Entra lets an app see in its own token: the permissions granted when it is issued, and its directory roles. */
static json_t *claims(const struct sim *s)
{
    static const char own[] = "d0000000-0000-4000-8000-000000000001";
    int64_t now = eb_now_ms() / 1000;
    json_t *wids = json_array();
    char id[EB_ID_LEN], *issuer = eb_asprintf("https://sts.windows.net/%s/", s->opt.tenant);

    if (sim_app_role_definition(s) != NULL)
        json_array_append_new(wids, json_string(sim_app_role_definition(s)));
    sim_quick_id(id);
    json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o}", "aud", "https://graph.microsoft.com",
        "iss", issuer, "iat", (json_int_t)now, "nbf", (json_int_t)now, "exp", (json_int_t)(now + s->opt.token_life_s),
        "app_displayname", "entrabridge", "appid", s->opt.client_id, "idtyp", "app", "oid", own, "roles", sim_granted_list(s),
        "sub", own, "tid", s->opt.tenant, "uti", id, "ver", "1.0", "wids", wids);
    free(issuer);
    return j;
}

void sim_token_post(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct sim_call form = { 0 };
    char token[SIM_TOKEN_LEN];

    if (!parse_form(c, &form)) {
        refuse(c, r, 400, "invalid_request", 900144, "The request body is not a form.");
    } else if (fields_are_good(s, c, &form, r) && credential_is_good(s, c, &form, r)) {
        json_t *said = claims(s);
        sim_tokens_issue(s->tokens, s->opt.token_life_s, said, token);
        json_decref(said);
        sim_count(s->counters, SIM_TOKENS);
        sim_reply_json(r, 200, json_pack("{s:s, s:I, s:I, s:s}", "token_type", "Bearer", "expires_in", (json_int_t)s->opt.token_life_s,
                                         "ext_expires_in", (json_int_t)s->opt.token_life_s, "access_token", token));
    }
    sim_call_free(&form);
}
