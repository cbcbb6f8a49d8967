/* approvals.c - the approvals of a request, as Jira Service Management has them at this moment.
 *
 * A decision that is none of the three known words is an error, never a guess. No approvals is a list of none: it is not an approval.
 */
#include "jira/internal.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define APPROVERS_MAX 200
#define ODD "Jira answered with something that is not an approval: check jira.api_url, and whether a proxy stands in between."

static const struct jira_paging paging = { "jira.approvals", "/approval", "start", "limit", "isLastPage", "approvals", 50, 20, true };

/* ---- pure ---- */

static bool read_decision(const json_t *o, const char *member, enum jira_decision *ret, struct eb_err *err)
{
    static const char *const words[] = { [JIRA_PENDING] = "pending", [JIRA_APPROVED] = "approved", [JIRA_DECLINED] = "declined" };
    const char *word = eb_json_str(o, member);

    for (size_t i = 0; word != NULL && i < EB_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum jira_decision)i;
            return true;
        }
    return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira gave an approval with a %s that is neither pending, approved nor declined: it is not known "
                   "whether the request is approved.", member);
}

/* 0: not told. */
static int64_t time_of(const json_t *date)
{
    int64_t ms = eb_json_int(date, "epochMillis", 0);

    if (ms <= 0 && !eb_time_parse(eb_json_str(date, "jira"), &ms, NULL) && !eb_time_parse(eb_json_str(date, "iso8601"), &ms, NULL))
        return 0;
    return ms > 0 ? ms : 0;
}

static const char *owned(const json_t *o, const char *member)
{
    const char *text = eb_json_str(o, member);
    return eb_strdup(text != NULL ? text : "");
}

static bool read_approvers(const json_t *given, struct jira_approval_list *list, struct jira_approval *a, struct eb_err *err)
{
    size_t count = json_array_size(given), i;
    json_t *one;

    if (!json_is_array(given))
        return eb_fail(err, EB_JIRA_UNAVAILABLE, ODD);
    if (list->approvers + count > APPROVERS_MAX)
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "The request has more approvers than this program reads (%d).", APPROVERS_MAX);
    struct jira_approver *approvers = eb_alloc((count + 1) * sizeof(*approvers));
    a->approvers = approvers;
    json_array_foreach(given, i, one) {
        const json_t *who = json_object_get(one, "approver");
        if (!read_decision(one, "approverDecision", &approvers[i].decision, err))
            return false;
        approvers[i].account_id = owned(who, "accountId");
        approvers[i].email = owned(who, "emailAddress");
        approvers[i].name = owned(who, "displayName");
        a->approver_count++;
        if (approvers[i].decision == JIRA_APPROVED && approvers[i].account_id[0] == '\0')
            return eb_fail(err, EB_JIRA_UNAVAILABLE, "Jira does not say who approved the request.");
    }
    list->approvers += count;
    return true;
}

static void clear_one(struct jira_approval *a)
{
    for (size_t i = 0; i < a->approver_count; i++) {
        free((char *)(uintptr_t)a->approvers[i].account_id);
        free((char *)(uintptr_t)a->approvers[i].email);
        free((char *)(uintptr_t)a->approvers[i].name);
    }
    free((void *)(uintptr_t)a->approvers);
    free((char *)(uintptr_t)a->id);
    free((char *)(uintptr_t)a->name);
    *a = (struct jira_approval){ 0 };
}

void jira_approvals_clear(struct jira_approval_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        clear_one(&list->items[i]);
    free(list->items);
    *list = (struct jira_approval_list){ 0 };
}

static bool is_known(const struct jira_approval_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].id, id) == 0)
            return true;
    return false;
}

static bool read_one(const json_t *o, struct jira_approval_list *list, struct eb_err *err)
{
    struct jira_approval *a = &list->items[list->count];
    const char *id = eb_json_str(o, "id");

    if (id == NULL || id[0] == '\0')
        return eb_fail(err, EB_JIRA_UNAVAILABLE, ODD);
    if (is_known(list, id))             /* one came in front while the pages were read */
        return eb_fail(err, EB_JIRA_UNAVAILABLE, "The approvals changed while they were read.");
    *a = (struct jira_approval){ .id = eb_strdup(id), .name = owned(o, "name"), .created_ms = time_of(json_object_get(o, "createdDate")),
                                 .completed_ms = time_of(json_object_get(o, "completedDate")) };
    list->count++;
    return read_decision(o, "finalDecision", &a->decision, err) && read_approvers(json_object_get(o, "approvers"), list, a, err);
}

bool jira_approvals_add(const json_t *page, struct jira_approval_list *list, struct eb_err *err)
{
    const json_t *values = json_object_get(page, "values");
    size_t i;
    json_t *o;

    list->items = eb_need(realloc(list->items, (list->count + json_array_size(values) + 1) * sizeof(*list->items)));
    json_array_foreach(values, i, o)
        if (!read_one(o, list, err))
            return false;
    return true;
}

/* Ids are numbers, written as text. */
static int by_age(const void *a, const void *b)
{
    const struct jira_approval *x = a, *y = b;
    size_t nx = strlen(x->id), ny = strlen(y->id);

    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return nx != ny ? (nx < ny ? -1 : 1) : strcmp(x->id, y->id);
}

void jira_approvals_sort(struct jira_approval_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(*list->items), by_age);
}

/* Also of an issue in a project that is no service project. https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/ */
static bool is_no_request(const struct outbound_reply *o, const json_t *doc)
{
    const char *words = eb_json_str(doc, "errorMessage");

    return o->result == OUTBOUND_ANSWERED && (o->status == 404 || (o->status == 400 && words != NULL && strcasestr(words, "not a") != NULL));
}

/* ---- calls ---- */

static void tell(struct jira_call *call, const struct eb_err *err)
{
    if (err->code == EB_OK)
        call->done.approvals(call->ctx, call->id, call->approvals.items, call->approvals.count, NULL);
    else
        call->done.approvals(call->ctx, call->id, NULL, 0, err);
    jira_call_free(call);
}

static void page_end(struct jira_call *call, const struct outbound_reply *o, const json_t *doc)
{
    struct eb_err err = { 0 };
    bool more = false;

    if (is_no_request(o, doc) && call->pages == 0) {
        tell(call, &err);
        return;
    }
    if (!jira_succeeded(o, doc, EB_JIRA_UNAVAILABLE, &err)) {
        if (o->result == OUTBOUND_ANSWERED && (o->status == 401 || o->status == 403))
            (void)eb_fail(&err, EB_JIRA_UNAVAILABLE, "Jira refuses to show the approvals (%d): our account must be an agent of the service "
                          "project, and a token with scopes needs " JIRA_APPROVAL_SCOPES " besides.", o->status);
    } else if (jira_page_more(call, doc, &more, &err) && jira_approvals_add(doc, &call->approvals, &err) && more) {
        jira_page_send(call);
        return;
    }
    jira_approvals_sort(&call->approvals);
    tell(call, &err);
}

void jira_approvals_get(struct jira *j, const char *key_or_id, int64_t deadline_ms, uint64_t id, jira_approvals_done *done, void *ctx)
{
    struct jira_call *call = jira_call_new(j, page_end, id, ctx);

    call->done.approvals = done;
    call->issue = eb_strdup(key_or_id);
    call->paging = &paging;
    call->deadline_ms = eb_mono_ms() + (deadline_ms > 0 ? deadline_ms : JIRA_READ_MS);
    jira_page_send(call);
}
