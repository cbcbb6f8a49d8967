/* permissions.c - what our account may do, in a project and everywhere, and which scopes a token needs: for `check` alone. */
#include "jira/internal.h"

#include "base/text.h"

#include <stdlib.h>

/* Read the issue, comment on it, set its property. https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-permissions/ */
static const char *const needed[] = { "BROWSE_PROJECTS", "ADD_COMMENTS", "EDIT_ISSUES" };

static void say_missing(struct jira_call *call, const struct outbound_reply *o, const json_t *doc, const char *const *names, size_t count)
{
    struct eb_err err = { 0 };
    struct eb_buf missing = EB_BUF(256);
    const json_t *all = json_object_get(doc, "permissions");

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) && !json_is_object(all))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a list of permissions: check jira.api_url.");
    for (size_t i = 0; i < count; i++)
        if (!eb_json_bool(json_object_get(all, names[i]), "havePermission", false))
            eb_buf_addf(&missing, "%s%s", missing.len > 0 ? ", " : "", names[i]);
    call->done.permissions(call->ctx, call->id, missing.data != NULL ? missing.data : "", err.code == EB_OK ? NULL : &err);
    eb_buf_free(&missing);
    jira_call_free(call);
}

static void permissions_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    say_missing(call, o, doc, needed, EB_LEN(needed));
}

static void browse_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    static const char *const browse[] = { "USER_PICKER" };

    say_missing(call, o, doc, browse, EB_LEN(browse));
}

void jira_browse_get(struct jira *j, uint64_t id, jira_permissions_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, browse_end, id, ctx);

    call->done.permissions = done;
    jira_call_send(call, "jira.permissions", "GET", eb_strdup("/rest/api/3/mypermissions?permissions=USER_PICKER"), NULL, 0);
}

void jira_permissions_get(struct jira *j, const char *project_key, uint64_t id, jira_permissions_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, permissions_end, id, ctx);
    struct eb_buf path = EB_BUF(KiB(1));

    call->done.permissions = done;
    eb_buf_str(&path, "/rest/api/3/mypermissions?permissions=");
    for (size_t i = 0; i < EB_LEN(needed); i++)
        eb_buf_addf(&path, "%s%s", i > 0 ? "," : "", needed[i]);
    eb_buf_str(&path, "&projectKey=");
    eb_url_escape(&path, project_key);
    jira_call_send(call, "jira.permissions", "GET", eb_buf_take(&path), NULL, 0);
}

/* ---- agent ---- */

static void agent_told(struct jira_call *call, enum jira_agent agent, const struct eb_err *err)
{
    call->done.agent(call->ctx, call->id, agent, err->code == EB_OK ? NULL : err);
    jira_call_free(call);
}

static void agent_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    const json_t *agent = eb_json_path(doc, "permissions.SERVICEDESK_AGENT");
    struct eb_err err = { 0 };

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) && !json_is_boolean(json_object_get(agent, "havePermission")))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira does not say whether our account is an agent: check jira.api_url.");
    agent_told(call, eb_json_bool(agent, "havePermission", false) ? JIRA_AGENT : JIRA_NO_AGENT, &err);
}

/* The permission is asked for in service projects only: a site without them does not know its name (400). */
static void project_type_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    const char *type = eb_json_str(doc, "projectTypeKey");
    struct eb_err err = { 0 };
    struct eb_buf path = EB_BUF(KiB(1));

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) && type == NULL)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a project: check jira.api_url.");
    if (err.code != EB_OK || !eb_streq(type, "service_desk")) {
        agent_told(call, JIRA_NO_SERVICE_PROJECT, &err);
        return;
    }
    call->end = agent_end;
    eb_buf_str(&path, "/rest/api/3/mypermissions?permissions=SERVICEDESK_AGENT&projectKey=");
    eb_url_escape(&path, call->issue);
    jira_call_send(call, "jira.permissions", "GET", eb_buf_take(&path), NULL, 0);
}

void jira_agent_get(struct jira *j, const char *project_key, uint64_t id, jira_agent_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, project_type_end, id, ctx);
    struct eb_buf path = EB_BUF(KiB(1));

    call->done.agent = done;
    call->issue = eb_strdup(project_key);
    eb_buf_str(&path, "/rest/api/3/project/");
    eb_url_escape(&path, project_key);
    jira_call_send(call, "jira.project", "GET", eb_buf_take(&path), NULL, 0);
}

/* https://developer.atlassian.com/cloud/jira/platform/scopes-for-oauth-2-3LO-and-forge-apps/ */
const char *jira_scopes(bool approvals)
{
#define SCOPES "read:jira-work write:jira-work read:jira-user"
    return approvals ? SCOPES " " JIRA_APPROVAL_SCOPES : SCOPES;
}
