/* jsm.c - JSM's own API over the same issues: requests, approvals, plain-text comments.
 *
 * `public` is required here, unlike in Jira v3; an issue without request type is no request (404).
 */
#include "sim/jira.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/adf.h"
#include "sim/assets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct sim_reply *r, int status, const char *key, const char *text)
{
    sim_reply_json(r, status, json_pack("{s:s, s:{s:s, s:[]}}", "errorMessage", text, "i18nErrorMessage", "i18nKey", key, "parameters"));
}

static struct tracker_issue *request_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = tracker_issue(s->tracker, c->params[0]);

    if (i != NULL && !i->hidden && i->request_type[0] != '\0')
        return i;
    fail(r, 404, "sd.request.not.found", "The request does not exist.");
    return NULL;
}

static json_t *date_json(int64_t ms)
{
    char time[EB_TIME_LEN], iso[40], jira[40];

    eb_time_format(ms, time);
    snprintf(iso, sizeof(iso), "%.19s+0000", time);
    return json_pack("{s:s, s:s, s:s, s:I}", "iso8601", iso, "jira", jira_time(ms, jira), "friendly", "Today",
                     "epochMillis", (json_int_t)ms);
}

static json_t *user_json(const struct sim_call *c, const struct tracker_account *a)
{
    char *self = eb_asprintf("%s/rest/api/2/user?accountId=%s", c->base_url, a->id);
    json_t *j = json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "accountId", a->id, "displayName", a->name, "active", a->active,
                          "timeZone", "Europe/Berlin", "_links", "self", self);

    free(self);
    if (a->email != NULL && !a->email_hidden)
        json_object_set_new(j, "emailAddress", json_string(a->email));
    return j;
}

static json_t *self_link(const struct sim_call *c, const struct tracker_issue *i, const char *kind, const char *id)
{
    char *self = eb_asprintf("%s/rest/servicedeskapi/request/%s/%s/%s", c->base_url, i->id, kind, id);
    json_t *j = json_pack("{s:s}", "self", self);

    free(self);
    return j;
}

/* The path of the call, with another start. */
static char *page_link(const struct sim_call *c, int64_t start, int64_t size)
{
    return eb_asprintf("%s%.*s?start=%lld&limit=%lld", c->base_url, (int)strcspn(c->target, "?"), c->target, (long long)start, (long long)size);
}

/* Takes values: those of the page, out of `total`. */
static void answer_page(const struct sim_call *c, struct sim_reply *r, struct jira_page page, int64_t total, json_t *values)
{
    char *base = eb_asprintf("%s/rest/servicedeskapi", c->base_url), *self = page_link(c, page.start, page.size);
    bool last = page.start + page.size >= total;
    json_t *links = json_pack("{s:s, s:s, s:s}", "base", base, "context", "", "self", self);

    free(base);
    free(self);
    if (!last) {
        char *next = page_link(c, page.start + page.size, page.size);
        json_object_set_new(links, "next", json_string(next));
        free(next);
    }
    sim_reply_json(r, 200, json_pack("{s:[], s:I, s:I, s:I, s:b, s:o, s:o}", "_expands",
        "size", (json_int_t)json_array_size(values), "start", (json_int_t)page.start, "limit", (json_int_t)page.size,
        "isLastPage", last, "_links", links, "values", values));
}

void jsm_info(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    char *self = eb_asprintf("%s/rest/servicedeskapi/info", c->base_url);

    sim_reply_json(r, 200, json_pack("{s:s, s:s, s:o, s:s, s:b, s:{s:s}}", "version", "1001.0.0", "platformVersion", "1001.0.0",
        "buildDate", date_json(eb_now_ms()), "buildChangeSet", "simulated", "isLicensedForUse", 1, "_links", "self", self));
    free(self);
}

void jsm_workspace(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct jira_page page = jira_page(c, "start", "limit", 50, 100);

    answer_page(c, r, page, 1, json_pack("[{s:s}]", "workspaceId", ASSETS_WORKSPACE));
}

static void add_field_values(struct sim *s, const struct sim_call *c, const struct tracker_issue *i, json_t *values)
{
    const char *id;
    json_t *value;

    json_object_foreach(i->fields, id, value)
        json_array_append_new(values, json_pack("{s:s, s:s, s:o}", "fieldId", id, "label", jira_field_name(id), "value", jira_field_value(s, c, value)));
}

void jsm_request(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = request_param(s, c, r);

    if (i == NULL)
        return;
    char *base = eb_asprintf("%s/rest/servicedeskapi/request/%s", c->base_url, i->id);
    char *rest = eb_asprintf("%s/rest/api/2/issue/%s", c->base_url, i->id);
    char *web = eb_asprintf("%s/servicedesk/customer/portal/3/%s", c->base_url, i->key);
    char *agent = eb_asprintf("%s/browse/%s", c->base_url, i->key);
    json_t *j = json_pack("{s:[s,s,s], s:s, s:s, s:s, s:s, s:s, s:o, s:[{s:s, s:s, s:s}], s:{s:s, s:s, s:o}, s:{s:s, s:s, s:s, s:s}}",
        "_expands", "participant", "status", "comment", "issueId", i->id, "issueKey", i->key, "summary", i->summary,
        "requestTypeId", i->request_type, "serviceDeskId", "3", "createdDate", date_json(i->created_ms),
        "requestFieldValues", "fieldId", "summary", "label", "Summary", "value", i->summary,
        "currentStatus", "status", i->status, "statusCategory", "INDETERMINATE", "statusDate", date_json(i->created_ms),
        "_links", "self", base, "jiraRest", rest, "web", web, "agent", agent);
    if (i->reporter != NULL)
        json_object_set_new(j, "reporter", user_json(c, i->reporter));
    add_field_values(s, c, i, json_object_get(j, "requestFieldValues"));
    sim_reply_json(r, 200, j);
    free(base);
    free(rest);
    free(web);
    free(agent);
}

static json_t *approval_json(const struct sim_call *c, const struct tracker_issue *i, const struct tracker_approval *a)
{
    json_t *approvers = json_array();

    for (size_t k = 0; k < a->approver_count; k++)
        json_array_append_new(approvers, json_pack("{s:o, s:s}", "approver", user_json(c, a->approvers[k].account),
                                                   "approverDecision", a->approvers[k].decision));
    json_t *j = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "id", a->id, "name", a->name, "finalDecision", a->decision,
                          "canAnswerApproval", 0, "approvers", approvers, "createdDate", date_json(a->created_ms),
                          "_links", self_link(c, i, "approval", a->id));
    if (a->completed_ms != 0)
        json_object_set_new(j, "completedDate", date_json(a->completed_ms));
    return j;
}

void jsm_approvals(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = request_param(s, c, r);
    struct jira_page page = jira_page(c, "start", "limit", 50, 100);
    const struct tracker_approval *a;
    int64_t k = 0;

    if (i == NULL)
        return;
    json_t *values = json_array();
    TAILQ_FOREACH(a, &i->approvals, next) {
        if (k >= page.start && k < page.start + page.size)
            json_array_append_new(values, approval_json(c, i, a));
        k++;
    }
    answer_page(c, r, page, k, values);
}

void jsm_approval(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = request_param(s, c, r);
    const struct tracker_approval *a;

    if (i == NULL)
        return;
    TAILQ_FOREACH(a, &i->approvals, next)
        if (strcmp(a->id, c->params[1]) == 0) {
            sim_reply_json(r, 200, approval_json(c, i, a));
            return;
        }
    fail(r, 404, "sd.approval.not.found", "The approval does not exist.");
}

static json_t *comment_json(const struct sim_call *c, const struct tracker_issue *i, const struct tracker_comment *m)
{
    char *text = adf_text(m->body);
    json_t *j = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "id", m->id, "body", text, "public", !m->internal,
                          "author", user_json(c, m->author), "created", date_json(m->created_ms),
                          "_links", self_link(c, i, "comment", m->id));

    free(text);
    return j;
}

void jsm_comments(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = request_param(s, c, r);
    struct jira_page page = jira_page(c, "start", "limit", 50, 100);
    bool want_public = !eb_streq(sim_call_query(c, "public"), "false"), want_internal = !eb_streq(sim_call_query(c, "internal"), "false");
    const struct tracker_comment *m;
    int64_t k = 0;

    if (i == NULL)
        return;
    json_t *values = json_array();
    TAILQ_FOREACH(m, &i->comments, next) {
        if (m->internal ? !want_internal : !want_public)
            continue;
        if (k >= page.start && k < page.start + page.size)
            json_array_append_new(values, comment_json(c, i, m));
        k++;
    }
    answer_page(c, r, page, k, values);
}

void jsm_comment_post(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = request_param(s, c, r);
    const json_t *body = sim_call_json(c), *is_public = json_object_get(body, "public");
    const char *text = eb_json_str(body, "body");

    if (i == NULL)
        return;
    if (text == NULL || *text == '\0' || !json_is_boolean(is_public)) {
        fail(r, 400, "sd.comment.error", text == NULL || *text == '\0' ? "The comment has no body." : "The public member is missing.");
        return;
    }
    bool internal = json_is_false(is_public);
    if (internal && !jira_is_agent(s, i->project)) {
        fail(r, 403, "sd.comment.no.permission", "Only agents can write internal comments.");
        return;
    }
    json_t *properties = json_pack("[{s:s, s:{s:b}}]", "key", "sd.public.comment", "value", "internal", internal);
    struct tracker_comment *m = jira_comment_store(s, i, adf_from_text(text), properties, internal);
    sim_reply_json(r, 201, comment_json(c, i, m));
}
