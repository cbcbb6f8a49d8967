/* comment.c - the audit comment: posted once, checked for who can see it, and found again after a doubt.
 *
 * Jira ignores a visibility that it does not understand and shows the comment to the customer. So the answer's jsdPublic
 * is believed, not the request: what came out public though it was to be internal is deleted at once.
 */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define FIND_MS 60000
#define PAGE "100"
#define PAGES_MAX 100           /* Jira keeps at most 5,000 comments on an issue */
#define VISIBILITY "sd.public.comment"
#define MEND "the account of jira.api_token must be an agent of the service project (a customer, and every account outside a " \
             "service project, can write public comments only), or set jira.comment_visibility to public"

/* ---- pure ---- */

/* An operation's id (a UUID), or that and the kind of a further comment: there is nothing to escape. */
static bool is_mark(const char *text)
{
    const char *kind = text + strspn(text, "0123456789abcdefABCDEF-");

    if (*kind == ':')
        kind += 1 + strspn(kind + 1, "abcdefghijklmnopqrstuvwxyz");
    return *kind == '\0';
}

/* Written out by hand around the document, which is the larger part of it. */
char *jira_comment_body(const char *adf, const char *operation, bool internal)
{
    struct eb_buf b = EB_BUF(KiB(256));

    if (!is_mark(operation))
        return NULL;
    eb_buf_str(&b, "{\"body\":");
    eb_buf_str(&b, adf);
    eb_buf_str(&b, ",\"properties\":[");
    if (internal)
        eb_buf_str(&b, "{\"key\":\"" VISIBILITY "\",\"value\":{\"internal\":true}},");
    eb_buf_addf(&b, "{\"key\":\"" JIRA_COMMENT_PROPERTY "\",\"value\":{\"operation\":\"%s\"}}]}", operation);
    return eb_buf_take(&b);
}

static const json_t *property(const json_t *comment, const char *key)
{
    const json_t *properties = json_object_get(comment, "properties");
    size_t i;
    json_t *p;

    json_array_foreach(properties, i, p)
        if (eb_streq(eb_json_str(p, "key"), key))
            return json_object_get(p, "value");
    return NULL;
}

bool jira_comment_page(const json_t *page, const char *account_id, const char *operation, int64_t start_at,
                       const json_t **ret_comment, int64_t *ret_next)
{
    const json_t *comments = json_object_get(page, "comments");
    size_t i;
    json_t *c;

    *ret_comment = NULL;
    *ret_next = -1;
    if (!json_is_array(comments))
        return false;
    json_array_foreach(comments, i, c) {
        if (eb_json_str(c, "id") == NULL ||
            !eb_streq(json_string_value(eb_json_path(c, "author.accountId")), account_id) ||
            !eb_streq(eb_json_str(property(c, JIRA_COMMENT_PROPERTY), "operation"), operation))
            continue;
        *ret_comment = c;
        return true;
    }
    int64_t next = start_at + (int64_t)json_array_size(comments);
    if (json_array_size(comments) > 0 && next < eb_json_int(page, "total", INT64_MAX))
        *ret_next = next;
    return true;
}

/* ---- posting ---- */

static void tell(struct jira_call *call, const struct jira_post_reply *reply)
{
    call->done.post(call->ctx, call->id, reply);
    jira_call_free(call);
}

/* What an answer other than success says about a write. */
static void not_posted(const struct outbound_reply *o, const json_t *doc, struct jira_post_reply *r)
{
    (void)jira_succeeded(o, doc, EB_ISSUE_NOT_FOUND, &r->err);
    r->retry_after_ms = o->retry_after_ms;
    if (o->result == OUTBOUND_NOT_SENT || (o->result == OUTBOUND_ANSWERED && o->status == 429))
        r->result = JIRA_AGAIN;
    else if (o->result == OUTBOUND_ANSWERED && o->status >= 400 && o->status < 500 && o->status != 408)
        r->result = o->status == 401 ? JIRA_AGAIN : JIRA_POST_REFUSED;      /* credentials are mended while it waits */
    else
        r->result = JIRA_POST_IN_DOUBT;
    if (o->result == OUTBOUND_ANSWERED && o->status == 413)
        (void)eb_fail(&r->err, EB_JIRA_UNAVAILABLE, "The issue has reached its largest number of comments (413).");
}

static void public_deleted(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira_post_reply r = { .result = JIRA_POST_REFUSED, .comment_id = "", .retry_after_ms = -1 };
    bool gone = o->result == OUTBOUND_ANSWERED && ((o->status >= 200 && o->status < 300) || o->status == 404);

    (void)doc;
    if (gone)
        (void)eb_fail(&r.err, EB_JIRA_UNAVAILABLE, "The comment came out visible to the customer and was deleted: " MEND ".");
    else
        (void)eb_fail(&r.err, EB_JIRA_UNAVAILABLE, "The comment %s on the issue came out visible to the customer and could not be "
                      "deleted: delete it by hand. " MEND ".", call->comment_id);
    eb_error(call->operation, "jira event=comment_public comment=%s deleted=%s", call->comment_id, gone ? "yes" : "no");
    tell(call, &r);
}

/* 404 means that it is gone, so a DELETE may be repeated, but outbound sends writes once: good enough for a rare event. */
static void delete_comment(struct jira_call *call, const char *comment_id, jira_end *end)
{
    struct eb_buf tail = EB_BUF(KiB(1));

    free(call->comment_id);
    call->comment_id = eb_strdup(comment_id);
    call->raw = false;
    eb_buf_str(&tail, "/comment/");
    eb_url_escape(&tail, call->comment_id);
    call->end = end;
    jira_call_send(call, "jira.comment_delete", "DELETE", jira_path_issue(call->issue, tail.data), NULL, JIRA_WRITE_DEADLINE_MS);
    eb_buf_free(&tail);
}

/* False: Jira did not say which comment it made. */
static bool read_posted(struct eb_span body, char id[32], bool *ret_public)
{
    json_t *doc = NULL;
    int is_public;

    if (jira_comment_scan(body, id, &is_public)) {
        *ret_public = is_public == 1;
        return true;
    }
    if (!eb_json_parse_reply(body, &doc, NULL))
        return false;
    const char *text = eb_json_str(doc, "id");
    bool ok = text != NULL && text[0] != '\0' && strlen(text) < 32;
    if (ok)
        (void)stpcpy(id, text);
    *ret_public = eb_json_bool(doc, "jsdPublic", false);
    json_decref(doc);
    return ok;
}

static void post_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira_post_reply r = { .result = JIRA_POSTED, .comment_id = "", .retry_after_ms = -1 };
    char comment_id[32] = "";
    bool is_public = false;

    if (o->result != OUTBOUND_ANSWERED || o->status < 200 || o->status >= 300) {
        not_posted(o, doc, &r);
    } else if (!read_posted(o->body, comment_id, &is_public)) {
        r.result = JIRA_POST_IN_DOUBT;
        (void)eb_fail(&r.err, EB_JIRA_UNAVAILABLE, "Jira took the comment but did not say which it is: check jira.api_url, and whether "
                      "a proxy stands in between.");
    } else if (call->internal && is_public) {
        delete_comment(call, comment_id, public_deleted);
        return;
    } else {
        r.comment_id = comment_id;
    }
    tell(call, &r);
}

void jira_comment_post(struct jira *j, const char *issue, const char *adf, const char *operation, bool internal,
                       uint64_t id, jira_post_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, post_end, id, ctx);

    call->done.post = done;
    call->issue = eb_strdup(issue);
    call->operation = eb_strdup(operation);
    call->internal = internal;
    call->raw = true;
    char *body = jira_comment_body(adf, operation, internal);       /* without one there is no path: not sent */
    jira_call_send(call, "jira.comment_post", "POST", body != NULL ? jira_path_issue(issue, "/comment") : NULL, body,
                   JIRA_WRITE_DEADLINE_MS);
}

/* ---- the issue property ---- */

static void property_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira_post_reply r = { .result = JIRA_POSTED, .comment_id = "", .retry_after_ms = -1 };

    if (o->result != OUTBOUND_ANSWERED || o->status < 200 || o->status >= 300)
        not_posted(o, doc, &r);
    tell(call, &r);
}

void jira_property_put(struct jira *j, const char *issue, const char *value, uint64_t id, jira_post_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, property_end, id, ctx);

    call->done.post = done;
    jira_call_send(call, "jira.property_put", "PUT", jira_path_issue(issue, "/properties/" JIRA_COMMENT_PROPERTY), eb_strdup(value),
                   JIRA_WRITE_DEADLINE_MS);
}

/* ---- finding ---- */

static void find_page(struct jira_call *call);

static void found(struct jira_call *call, const char *comment_id, const struct eb_err *err)
{
    call->done.find(call->ctx, call->id, comment_id, err);
    jira_call_free(call);
}

/* The next post finds out for itself and says how to mend it. */
static void found_public_deleted(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) || err.code == EB_NOT_THERE)
        found(call, "", NULL);
    else
        found(call, "", &err);
}

static void page_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    const json_t *comment = NULL;
    int64_t next = -1;

    if (jira_succeeded(o, doc, EB_ISSUE_NOT_FOUND, &err) &&
        !jira_comment_page(doc, call->jira->account_id, call->operation, call->start_at, &comment, &next))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a page of comments: check jira.api_url.");
    if (err.code != EB_OK) {
        found(call, "", &err);
    } else if (comment != NULL && eb_json_bool(property(comment, VISIBILITY), "internal", false) &&
               eb_json_bool(comment, "jsdPublic", false)) {
        delete_comment(call, eb_json_str(comment, "id"), found_public_deleted);
    } else if (comment != NULL) {
        found(call, eb_json_str(comment, "id"), NULL);
    } else if (next < 0 || next >= PAGES_MAX * 100) {
        found(call, "", NULL);
    } else {
        call->start_at = next;
        find_page(call);
    }
}

/* Newest first: ours is near the front, and comments that arrive meanwhile push others back, never past us. */
static void find_page(struct jira_call *call)
{
    int64_t left = call->deadline_ms - eb_mono_ms();
    char tail[128];

    (void)snprintf(tail, sizeof(tail), "/comment?startAt=%lld&maxResults=" PAGE "&orderBy=-created&expand=properties",
                   (long long)call->start_at);
    call->end = page_end;
    jira_call_send(call, "jira.comment_find", "GET", jira_path_issue(call->issue, tail), NULL, left > 0 ? left : 1);
}

/* Our own account first: a comment of another one with our property was not made by us. */
static void account_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    const char *account_id = eb_json_str(doc, "accountId");

    if (jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &err) && account_id == NULL)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not its JSON: check jira.api_url.");
    if (err.code != EB_OK) {
        found(call, "", &err);
        return;
    }
    free(call->jira->account_id);
    call->jira->account_id = eb_strdup(account_id);
    find_page(call);
}

void jira_comment_find(struct jira *j, const char *issue, const char *operation, uint64_t id, jira_find_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, account_end, id, ctx);

    call->done.find = done;
    call->issue = eb_strdup(issue);
    call->operation = eb_strdup(operation);
    call->deadline_ms = eb_mono_ms() + FIND_MS;
    if (j->account_id != NULL)
        find_page(call);
    else
        jira_call_send(call, "jira.myself", "GET", eb_strdup("/rest/api/3/myself"), NULL, 0);
}
