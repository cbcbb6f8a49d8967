/* jira.c - the way to Jira: credentials, one call, what its errors mean; our account, projects, the request type's field.
 *
 * The id of the field that holds a request's type differs in each site. It is looked up in the background, so that no
 * operation waits for it or pays a call; until it is known an issue has no request type.
 */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 2048
#define BODY_MAX MiB(2)
#define PAGE_MAX MiB(8)         /* of a synchronization */
#define FIELD_AGAIN_MS 60000
#define REQUEST_TYPE "com.atlassian.servicedesk:vp-origin"
#define FIELDS "?fields=project,status,reporter,created"

struct jira_call *jira_call_new(struct jira *j, jira_end *end, uint64_t id, void *ctx)
{
    struct jira_call *call = eb_alloc(sizeof(*call));

    call->jira = j;
    call->end = end;
    call->id = id;
    call->ctx = ctx;
    LIST_INSERT_HEAD(&j->calls, call, link);
    return call;
}

void jira_call_free(struct jira_call *call)
{
    LIST_REMOVE(call, link);
    free(call->issue);
    free(call->operation);
    free(call->comment_id);
    jira_approvals_clear(&call->approvals);
    jira_edits_clear(&call->edits);
    free(call);
}

static void on_answer(void *ctx, uint64_t id, const struct outbound_reply *o)
{
    struct jira_call *call = ctx;
    json_t *doc = NULL;

    (void)id;
    if (o->result == OUTBOUND_ANSWERED && o->body.len > 0 && !(call->raw && o->status < 300) && !eb_json_parse_reply(o->body, &doc, NULL))
        doc = NULL;
    call->end(call, o, doc);            /* frees the call, or sends it on */
    json_decref(doc);
}

void jira_call_send(struct jira_call *call, const char *name, const char *method, char *path, char *body, int64_t deadline_ms)
{
    const char *const headers[] = { call->jira->authorization, NULL };
    bool read = strcmp(method, "GET") == 0;

    outbound_send(call->jira->cloud, &(struct outbound_request){
        .method = method, .path = path != NULL ? path : "", .call = name, .headers = headers,
        .content_type = body != NULL ? "application/json" : NULL, .body = { body, body != NULL ? strlen(body) : 0 },
        .repeat_safe = read, .wants_json = true, .high_priority = !read, .low_priority = call->low, .deadline_ms = deadline_ms > 0 ? deadline_ms : JIRA_READ_MS,
        .max_body = call->low ? PAGE_MAX : BODY_MAX }, call->id, on_answer, call);
    free(path);
    free(body);
}

/* Jira's own words: errorMessages[0], or the first of errors; of JSM errorMessage. */
static void words_of(const json_t *doc, char *out, size_t size)
{
    const char *text = json_string_value(json_array_get(json_object_get(doc, "errorMessages"), 0));
    json_t *errors = json_object_get(doc, "errors");

    if (text == NULL && json_is_object(errors))
        text = json_string_value(json_object_iter_value(json_object_iter(errors)));
    if (text == NULL)
        text = eb_json_str(doc, "errorMessage");
    eb_text_clean(text != NULL ? text : "it did not say why", out, size);
}

bool jira_succeeded(const struct outbound_reply *o, const json_t *doc, enum eb_code not_found, struct eb_err *err)
{
    char words[256];

    if (o->result != OUTBOUND_ANSWERED) {
        *err = o->err;
        return false;
    }
    if (o->status >= 200 && o->status < 300)
        return true;
    words_of(doc, words, sizeof(words));
    switch (o->status) {
    case 401:
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira does not accept our credentials (401): check jira.email and jira.api_token, and "
                       "that jira.api_url suits the token: one with scopes works at https://api.atlassian.com/ex/jira/{cloudId} only.");
    case 403:
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira refuses the call (403): the account of jira.api_token lacks a permission or a scope, "
                       "or the site's IP allowlist does not have this machine. Jira says: %s", words);
    case 404:
        return eb_fail(err, not_found, "Jira does not know it, or hides it from our account: check that the account of jira.email may "
                       "browse the project. Jira says: %s", words);
    case 429:
        (void)eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira throttles our calls (429).");
        break;
    default:
        (void)eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira answered %d: %s", o->status, words);
        break;
    }
    if (o->retry_after_ms > 0)
        err->retry_after_ms = (int)o->retry_after_ms;
    return false;
}

/* ---- our account ---- */

static void myself_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira *j = call->jira;
    struct eb_err err = { 0 };
    const char *account_id = eb_json_str(doc, "accountId");

    if (jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &err) && account_id == NULL)
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not its JSON: check jira.api_url, and "
                      "whether a proxy stands in between.");
    if (err.code == EB_OK) {
        free(j->account_id);
        j->account_id = eb_strdup(account_id);
    }
    call->done.myself(call->ctx, call->id, err.code == EB_OK ? account_id : "", err.code == EB_OK ? NULL : &err);
    jira_call_free(call);
}

void jira_myself(struct jira *j, uint64_t id, jira_myself_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, myself_end, id, ctx);

    call->done.myself = done;
    jira_call_send(call, "jira.myself", "GET", eb_strdup("/rest/api/3/myself"), NULL, 0);
}

/* ---- projects ---- */

static void project_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    const char *project_id = eb_json_str(doc, "id"), *key = eb_json_str(doc, "key");

    if (jira_succeeded(o, doc, EB_NOT_THERE, &err) && (project_id == NULL || key == NULL))
        (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a project: check jira.api_url.");
    if (err.code == EB_OK)
        call->done.project(call->ctx, call->id, project_id, key, NULL);
    else
        call->done.project(call->ctx, call->id, "", "", &err);
    jira_call_free(call);
}

void jira_project_get(struct jira *j, const char *key, uint64_t id, jira_project_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, project_end, id, ctx);
    struct eb_buf path = EB_BUF(KiB(1));

    call->done.project = done;
    eb_buf_str(&path, "/rest/api/3/project/");
    eb_url_escape(&path, key);
    jira_call_send(call, "jira.project", "GET", eb_buf_take(&path), NULL, 0);
}

/* ---- the request type's field ---- */

bool jira_fields_take(struct jira *j, const json_t *fields, struct eb_err *err)
{
    size_t i;
    json_t *field;

    if (!json_is_array(fields))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira answered with something that is not a list of fields: check jira.api_url.");
    j->fields_known = true;
    json_array_foreach(fields, i, field) {
        const char *type = json_string_value(eb_json_path(field, "schema.custom"));
        const char *field_id = eb_json_str(field, "id");
        if (field_id == NULL || !eb_streq(type, REQUEST_TYPE) || strspn(field_id, "customfield_0123456789") != strlen(field_id))
            continue;
        free(j->request_type_field);
        free(j->issue_fields);
        j->request_type_field = eb_strdup(field_id);
        j->issue_fields = eb_asprintf(FIELDS ",%s", field_id);
        break;
    }
    return true;
}

static void field_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct jira *j = call->jira;
    struct eb_err err = { 0 };

    jira_call_free(call);
    if (!jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &err) || !jira_fields_take(j, doc, &err)) {
        eb_info(NULL, "jira event=fields_unknown: %s", err.text);
        eb_timer_set(j->field_timer, FIELD_AGAIN_MS);
    }
}

static void look_up_field(void *arg)
{
    struct jira *j = arg;
    struct jira_call *call = jira_call_new(j, field_end, 0, j);

    jira_call_send(call, "jira.fields", "GET", eb_strdup("/rest/api/3/field"), NULL, 0);
}

bool jira_new(struct outbound *o, struct eb_loop *loop, const struct config_jira *c, struct jira **ret, struct eb_err *err)
{
    struct jira *j = eb_alloc(sizeof(*j));
    const struct outbound_cloud_options cloud = { .name = "jira", .base_url = c->api_url, .max_calls = c->max_calls,
                                                  .max_queue = QUEUE_MAX, .unavailable = EB_JIRA_UNAVAILABLE };

    LIST_INIT(&j->calls);
    j->authorization = outbound_authorization(c->email, c->api_token);
    j->issue_fields = eb_strdup(FIELDS);
    j->field_timer = eb_timer_new(loop, look_up_field, j);
    if (!outbound_cloud_new(o, &cloud, &j->cloud, err)) {
        jira_free(j);
        return false;
    }
    eb_timer_set(j->field_timer, 0);
    *ret = j;
    return true;
}

void jira_free(struct jira *j)
{
    if (j == NULL)
        return;
    outbound_cloud_free(j->cloud);      /* first: nothing comes back to the calls that are freed now */
    while (!LIST_EMPTY(&j->calls))
        jira_call_free(LIST_FIRST(&j->calls));
    eb_timer_free(j->field_timer);
    eb_wipe_free(j->authorization);
    free(j->account_id);
    free(j->issue_fields);
    free(j->request_type_field);
    free(j);
}
