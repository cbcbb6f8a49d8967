/* issue.c - an issue as Jira has it now. */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static char *path_of(const char *base, const char *issue, const char *tail)
{
    struct eb_buf b = EB_BUF(KiB(4));

    eb_buf_str(&b, base);
    if (strspn(issue, ".") == strlen(issue))        /* "", "." and ".." are no issues */
        b.failed = true;
    eb_url_escape(&b, issue);
    eb_buf_str(&b, tail);
    return eb_buf_take(&b);
}

char *jira_path_issue(const char *issue, const char *tail)
{
    return path_of("/rest/api/3/issue/", issue, tail);
}

char *jira_path_request(const char *issue, const char *tail)
{
    return path_of("/rest/servicedeskapi/request/", issue, tail);
}

char *jira_fields_query(const char *have, const char *more)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,";

    if (more == NULL || more[0] == '\0')
        return eb_strdup(have);
    return strspn(more, letters) == strlen(more) ? eb_asprintf("%s,%s", have, more) : NULL;
}

static const char *text_at(const json_t *doc, const char *path)
{
    const char *text = json_string_value(eb_json_path(doc, path));
    return text != NULL ? text : "";
}

void jira_issue_read(const json_t *doc, const char *request_type_field, struct jira_issue *ret)
{
    const json_t *fields = json_object_get(doc, "fields");
    const json_t *type = request_type_field != NULL ? json_object_get(fields, request_type_field) : NULL;

    int64_t created_ms = 0;

    if (!eb_time_parse(eb_json_str(fields, "created"), &created_ms, NULL) || created_ms < 0)
        created_ms = 0;
    *ret = (struct jira_issue){
        .id = text_at(doc, "id"), .key = text_at(doc, "key"),
        .project_id = text_at(fields, "project.id"), .project_key = text_at(fields, "project.key"),
        .status = text_at(fields, "status.name"), .request_type_id = text_at(type, "requestType.id"),
        .reporter_account_id = text_at(fields, "reporter.accountId"), .reporter_email = text_at(fields, "reporter.emailAddress"),
        .reporter_name = text_at(fields, "reporter.displayName"), .created_ms = created_ms, .fields = fields,
    };
}

static void issue_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    struct jira_issue issue;

    if (jira_succeeded(o, doc, EB_ISSUE_NOT_FOUND, &err)) {
        jira_issue_read(doc, call->jira->request_type_field, &issue);
        if (issue.id[0] == '\0' || issue.key[0] == '\0' || issue.project_id[0] == '\0')
            (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not an issue: check jira.api_url, and "
                          "whether a proxy stands in between.");
    }
    call->done.issue(call->ctx, call->id, err.code == EB_OK ? &issue : NULL, err.code == EB_OK ? NULL : &err);
    jira_call_free(call);
}

void jira_issue_get(struct jira *j, const char *key_or_id, const char *more, int64_t deadline_ms, uint64_t id, jira_issue_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, issue_end, id, ctx);

    char *query = jira_fields_query(j->issue_fields, more);

    call->done.issue = done;
    jira_call_send(call, "jira.issue", "GET", query != NULL ? jira_path_issue(key_or_id, query) : NULL, NULL, deadline_ms);
    free(query);
}
