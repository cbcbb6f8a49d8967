/* jira.c - Jira's route table, its credentials, the shape of its errors, and the site's own resources. */
#include "sim/jira.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define API "/rest/api/3"
#define SD "/rest/servicedeskapi"
static const struct sim_route routes[] = {
    { "GET", API "/issue/{}", jira_issue_get, NULL },
    { "GET", API "/issue/{}/comment", jira_comments, NULL },
    { "POST", API "/issue/{}/comment", jira_comment_post, NULL },
    { "GET", API "/issue/{}/comment/{}", jira_comment_get, NULL },
    { "DELETE", API "/issue/{}/comment/{}", jira_comment_delete, NULL },
    { "GET", API "/issue/{}/changelog", jira_changelog, NULL },
    { "GET", API "/issue/{}/properties", jira_properties, NULL },
    { "GET", API "/issue/{}/properties/{}", jira_property_get, NULL },
    { "PUT", API "/issue/{}/properties/{}", jira_property_put, NULL },
    { "DELETE", API "/issue/{}/properties/{}", jira_property_delete, NULL },
    { "GET", API "/myself", jira_myself, NULL },
    { "GET", API "/mypermissions", jira_permissions, NULL },
    { "GET", API "/serverInfo", jira_server_info, NULL },
    { "GET", API "/field", jira_fields, NULL },
    { "GET", API "/user", jira_user, NULL },
    { "GET", API "/users/search", jira_users_search, NULL },
    { "GET", API "/project/search", jira_projects, NULL },
    { "GET", API "/project/{}", jira_project, NULL },
    { "GET", SD "/info", jsm_info, NULL },
    { "GET", SD "/assets/workspace", jsm_workspace, NULL },
    { "GET", SD "/request/{}", jsm_request, NULL },
    { "GET", SD "/request/{}/approval", jsm_approvals, NULL },
    { "GET", SD "/request/{}/approval/{}", jsm_approval, NULL },
    { "GET", SD "/request/{}/comment", jsm_comments, NULL },
    { "POST", SD "/request/{}/comment", jsm_comment_post, NULL },
};

bool jira_authorized(const struct sim *s, const char *header)
{
    char pair[256], basic[400];

    if (strncasecmp(header, "Bearer ", 7) == 0)
        return strcmp(header + 7, s->opt.jira_token) == 0;
    snprintf(pair, sizeof(pair), "%s:%s", s->opt.jira_email, s->opt.jira_token);
    basic[eb_b64_encode(pair, strlen(pair), basic)] = '\0';
    return strncasecmp(header, "Basic ", 6) == 0 && strcmp(header + 6, basic) == 0;
}

void jira_answer(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const struct sim_route *route = NULL;
    size_t skip = 0;

    sim_count(s->counters, SIM_JIRA_CALLS);
    if (strncmp(c->target, "/_edge/tenant_info", 18) == 0) {
        sim_reply_json(r, 200, json_pack("{s:s}", "cloudId", s->opt.cloud_id));
        return;
    }
    if (c->segment_count >= 3 && strcmp(c->segments[0], "ex") == 0) {
        if (!eb_strieq(c->segments[2], s->opt.cloud_id)) {
            atlassian_error(r, 404, NULL, "No site with this cloud id.");
            return;
        }
        skip = 3;
    }
    if (!jira_authorized(s, c->authorization)) {
        if (strstr(c->target, "/servicedeskapi/") != NULL)
            sim_reply_json(r, 401, json_pack("{s:s}", "errorMessage", "You are not logged in."));
        else
            atlassian_error(r, 401, NULL, "You are not authenticated.");
        sim_reply_header(r, "WWW-Authenticate", "OAuth realm=\"%s\"", "https%3A%2F%2Fcontoso.atlassian.net");
        return;
    }
    switch (sim_route_find(routes, EB_LEN(routes), skip, c, &route)) {
    case SIM_NO_PATH:   atlassian_error(r, 404, NULL, "No such resource."); break;
    case SIM_NO_METHOD: atlassian_error(r, 405, NULL, "Method not allowed."); break;
    case SIM_MATCHED:   route->handler(s, c, r); break;
    }
}

const char *jira_time(int64_t ms, char out[40])
{
    char time[EB_TIME_LEN];

    eb_time_format(ms, time);
    snprintf(out, 40, "%.23s+0000", time);
    return out;
}

struct jira_page jira_page(const struct sim_call *c, const char *start, const char *size, int64_t dflt, int64_t most)
{
    struct jira_page p = { sim_call_query_int(c, start, 0), sim_call_query_int(c, size, dflt) };

    p.start = p.start < 0 ? 0 : p.start;
    p.size = p.size < 0 ? 0 : p.size > most ? most : p.size;
    return p;
}

json_t *jira_account_json(const struct sim_call *c, const struct tracker_account *a)
{
    char *self = eb_asprintf("%s/rest/api/3/user?accountId=%s", c->base_url, a->id);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "self", self, "accountId", a->id, "accountType", a->type,
                          "displayName", a->name, "active", a->active, "timeZone", "Europe/Berlin");

    free(self);
    if (a->email != NULL && !a->email_hidden)
        json_object_set_new(j, "emailAddress", json_string(a->email));
    else if (a->email_hidden && a->email_empty)
        json_object_set_new(j, "emailAddress", json_string(""));
    return j;
}

void jira_myself(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *me = jira_account_json(c, tracker_account(s->tracker, TRACKER_OWN_ACCOUNT));

    json_object_set_new(me, "locale", json_string("en_US"));
    sim_reply_json(r, 200, me);
}

void jira_user(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const char *id = sim_call_query(c, "accountId");
    const struct tracker_account *a = id != NULL ? tracker_account(s->tracker, id) : NULL;

    if (a == NULL)
        atlassian_error(r, 404, NULL, "Specified user does not exist or you do not have required permissions");
    else
        sim_reply_json(r, 200, jira_account_json(c, a));
}

void jira_server_info(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    char now[40];

    sim_reply_json(r, 200, json_pack("{s:s, s:s, s:[i,i,i], s:s, s:i, s:s, s:s, s:s, s:s}", "baseUrl", c->base_url,
        "version", "1001.0.0-SNAPSHOT", "versionNumbers", 1001, 0, 0, "deploymentType", "Cloud", "buildNumber", 100300,
        "buildDate", "2026-08-31T12:00:00.000+0000", "serverTime", jira_time(eb_now_ms(), now), "serverTitle", "Jira (simulated)",
        "serverTimeZone", "Europe/Berlin"));
}

static json_t *project_json(const struct sim_call *c, const struct tracker_project *p)
{
    char *self = eb_asprintf("%s/rest/api/3/project/%s", c->base_url, p->id);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:b}", "self", self, "id", p->id, "key", p->key, "name", p->name,
                          "projectTypeKey", "service_desk", "simplified", 0, "style", "classic", "isPrivate", 0);

    free(self);
    return j;
}

void jira_project(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_project *p, *tmp;

    HASH_ITER(hh, s->tracker->projects, p, tmp)
        if (eb_strieq(p->key, c->params[0]) || strcmp(p->id, c->params[0]) == 0) {
            sim_reply_json(r, 200, project_json(c, p));
            return;
        }
    atlassian_error(r, 404, NULL, "No project could be found with key '%s'.", c->params[0]);
}

/* ?keys=A&keys=B and ?id=: repeatable. No filter: every project. */
static bool project_wanted(const struct sim_call *c, const struct tracker_project *p)
{
    bool filtered = false;

    for (size_t i = 0; i < c->query_count; i++) {
        bool keys = strcmp(c->query[i].name, "keys") == 0, id = strcmp(c->query[i].name, "id") == 0;
        filtered = filtered || keys || id;
        if ((keys && eb_strieq(c->query[i].value, p->key)) || (id && strcmp(c->query[i].value, p->id) == 0))
            return true;
    }
    return !filtered;
}

void jira_projects(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct jira_page page = jira_page(c, "startAt", "maxResults", 50, 100);
    struct tracker_project *p, *tmp;
    json_t *values = json_array();
    int64_t total = 0;

    HASH_ITER(hh, s->tracker->projects, p, tmp) {
        if (!project_wanted(c, p))
            continue;
        if (total >= page.start && total < page.start + page.size)
            json_array_append_new(values, project_json(c, p));
        total++;
    }
    sim_reply_json(r, 200, json_pack("{s:I, s:I, s:I, s:b, s:o}", "startAt", (json_int_t)page.start, "maxResults", (json_int_t)page.size,
                                     "total", (json_int_t)total, "isLast", page.start + page.size >= total, "values", values));
}
