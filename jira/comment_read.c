/* comment_read.c - one comment of an issue as it stands in Jira now: its text, who wrote it, and whether it was edited since. */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 24            /* Jira's editor nests less */
#define TEXT_MAX KiB(256)

static void add_text(const json_t *node, int depth, struct eb_buf *out)
{
    const json_t *content = json_object_get(node, "content");
    const char *text = eb_json_str(node, "text");
    size_t i;
    json_t *child;

    if (eb_streq(eb_json_str(node, "type"), "text") && text != NULL)
        eb_buf_str(out, text);
    if (depth >= DEPTH_MAX)
        out->failed = true;
    else
        json_array_foreach(content, i, child)
            add_text(child, depth + 1, out);
}

char *jira_comment_text(const json_t *adf)
{
    struct eb_buf b = EB_BUF(TEXT_MAX);

    add_text(adf, 0, &b);
    return eb_buf_take(&b);
}

static const char *text_at(const json_t *doc, const char *path)
{
    const char *text = json_string_value(eb_json_path(doc, path));
    return text != NULL ? text : "";
}

static void read_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    char *text = NULL;
    struct jira_comment c = { .id = text_at(doc, "id"), .account_id = text_at(doc, "author.accountId"), .created = text_at(doc, "created"),
                              .updated = text_at(doc, "updated") };

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err)) {
        text = jira_comment_text(json_object_get(doc, "body"));
        c.text = text;
        if (c.id[0] == '\0' || c.account_id[0] == '\0' || c.created[0] == '\0' || c.updated[0] == '\0' || text == NULL)
            (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a comment: check jira.api_url, and whether a "
                          "proxy stands in between.");
    }
    call->done.comment(call->ctx, call->id, err.code == EB_OK ? &c : NULL, err.code == EB_OK ? NULL : &err);
    free(text);
    jira_call_free(call);
}

void jira_comment_get(struct jira *j, const char *issue, const char *comment_id, uint64_t id, jira_comment_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, read_end, id, ctx);
    struct eb_buf tail = EB_BUF(KiB(1));

    call->done.comment = done;
    eb_buf_str(&tail, "/comment/");
    eb_url_escape(&tail, comment_id);
    bool named = comment_id[0] != '\0' && strspn(comment_id, ".") != strlen(comment_id);    /* else it would be another path */
    jira_call_send(call, "jira.comment", "GET", named ? jira_path_issue(issue, tail.data) : NULL, NULL, 0);
    eb_buf_free(&tail);
}
