/* users.c - for synchronizations: the users of the site, page by page, and the workspace of JSM Assets.
 *
 * These calls go behind everything else that waits. A page is handed over as bytes: it is parsed on another thread.
 */
#include "jira/internal.h"

#include "base/text.h"

#include <stdlib.h>

#define PAGE_SIZE 1000
#define PAGE_MS 60000

static struct jira_call *low_call(struct jira *j, jira_end *end, uint64_t id, void *ctx)
{
    struct jira_call *call = jira_call_new(j, end, id, ctx);

    call->low = true;
    return call;
}

static void users_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira_page_reply r = { .body = { "", 0 }, .throttled_ms = o->throttled_ms };
    jira_users_done *done = call->done.users;
    uint64_t id = call->id;
    void *ctx = call->ctx;

    jira_call_free(call);               /* before it is told: whoever is told may forget */
    if (o->result == OUTBOUND_ANSWERED && o->status == 403)
        (void)eb_fail(&r.err, EB_JIRA_UNAVAILABLE, "Jira does not let us list its users (403): the account of jira.email needs the global permission \"Browse "
                      "users and groups\", a token with scopes needs read:jira-user, and the site's IP allowlist must have this machine.");
    else if (jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &r.err) && !outbound_looks_like_json(o->body))
        (void)eb_fail(&r.err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a page of users: check jira.api_url, and whether a proxy stands in "
                      "between.");
    if (r.err.code == EB_OK)
        r.body = o->body;
    done(ctx, id, &r);
}

void jira_users_page(struct jira *j, int64_t start_at, uint64_t id, jira_users_done *done, void *ctx)
{
    struct jira_call *call = low_call(j, users_end, id, ctx);

    call->raw = true;
    call->done.users = done;
    jira_call_send(call, "jira.users", "GET", eb_asprintf("/rest/api/3/users/search?startAt=%lld&maxResults=%d", (long long)start_at, PAGE_SIZE), NULL, PAGE_MS);
}

void jira_forget(struct jira *j, void *ctx, uint64_t id)
{
    struct jira_call *call, *next;

    for (call = LIST_FIRST(&j->calls); call != NULL; call = next) {
        next = LIST_NEXT(call, link);
        if (!call->low || call->ctx != ctx || call->id != id)
            continue;
        outbound_forget(j->cloud, call, call->id);
        jira_call_free(call);
    }
}

static void workspace_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    const json_t *values = json_object_get(doc, "values");
    const char *workspace = eb_json_str(json_array_get(values, 0), "workspaceId");
    jira_workspace_done *done = call->done.workspace;
    struct eb_err err = { 0 };
    uint64_t id = call->id;
    void *ctx = call->ctx;

    jira_call_free(call);
    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) && !json_is_array(values))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a list of Assets workspaces: check jira.api_url.");
    else if (err.code == EB_OK && json_array_size(values) == 0)
        (void)eb_fail(&err, EB_NOT_THERE, "The site has no Assets workspace: JSM Assets needs Jira Service Management Premium or Enterprise.");
    else if (err.code == EB_OK && (workspace == NULL || workspace[0] == '\0'))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira named an Assets workspace without its id.");
    done(ctx, id, err.code == EB_OK ? workspace : "", err.code == EB_OK ? NULL : &err);
}

void jira_workspace_get(struct jira *j, uint64_t id, jira_workspace_done *done, void *ctx)
{
    struct jira_call *call = low_call(j, workspace_end, id, ctx);

    call->done.workspace = done;
    jira_call_send(call, "jira.workspace", "GET", eb_strdup("/rest/servicedeskapi/assets/workspace"), NULL, 0);
}
