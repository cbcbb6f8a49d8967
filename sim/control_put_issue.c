/* control_put_issue.c - POST /sim/issues and /sim/comments: what people do in Jira behind our back.
 *
 * A change of an issue that is there already goes into its changelog, as in life ("quiet": true leaves it out; "at" and
 * "author" say when and by whom). One bad member refuses the object; what came before it in the list stands.
 */
#include "sim/control.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/adf.h"
#include "sim/cast.h"
#include "sim/jira.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An account id, or an Entra person by id or UPN. */
static const struct tracker_account *find_account(struct sim *s, const char *who)
{
    struct entra_object *user = who != NULL ? entra_find_user(s->entra, who) : NULL;

    return user != NULL ? cast_account(s, user) : who != NULL ? tracker_account(s->tracker, who) : NULL;
}

/* A time given under that name; dflt where there is none. */
static bool time_member(const json_t *from, const char *name, int64_t dflt, int64_t *ret, struct eb_err *err)
{
    const json_t *value = json_object_get(from, name);

    *ret = dflt;
    if (value == NULL || json_is_null(value))
        return true;
    return json_is_string(value) ? eb_time_parse(json_string_value(value), ret, err) : eb_fail(err, EB_INVALID_REQUEST, "%s is a time", name);
}

/* Every member of a group decides alike, as JSM shows a group of approvers. */
static bool add_group(struct sim *s, struct tracker_approval *x, const char *group, const char *decision, struct eb_err *err)
{
    struct entra_list members = { 0 };
    struct entra_object *g = entra_find_kind(s->entra, ENTRA_GROUP, group);
    size_t n = 0;

    if (g == NULL) {
        struct entra_object **v = entra_lookup(s->entra, ENTRA_GROUP, "displayName", group, &n);
        g = n == 1 ? v[0] : NULL;
    }
    if (g == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "no group %s", group);
    entra_targets(s->entra, g, ENTRA_MEMBER, true, &members);
    for (size_t i = 0; i < members.n; i++)
        if (members.v[i]->kind == ENTRA_USER)
            tracker_approver_add(x, cast_account(s, members.v[i]), decision);
    entra_list_free(&members);
    return true;
}

static bool is_decision(const char *word)
{
    return eb_streq(word, "approved") || eb_streq(word, "pending") || eb_streq(word, "declined");
}

static bool add_approver(struct sim *s, struct tracker_approval *x, const json_t *p, struct eb_err *err)
{
    const char *group = eb_json_str(p, "group"), *theirs = eb_json_str(p, "decision");
    const struct tracker_account *who = find_account(s, eb_json_str(p, "account"));

    if (theirs != NULL && !is_decision(theirs))
        return eb_fail(err, EB_INVALID_REQUEST, "an approver's decision is approved, pending or declined");
    if (group != NULL)
        return add_group(s, x, group, theirs != NULL ? theirs : "pending", err);
    if (who == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "an approver's account is unknown");
    tracker_approver_add(x, who, theirs != NULL ? theirs : x->decision);
    return true;
}

static bool add_approval(struct sim *s, struct tracker_issue *i, const json_t *a, struct eb_err *err)
{
    const json_t *approvers = json_object_get(a, "approvers");
    const char *name = eb_json_str(a, "name"), *decision = eb_json_str(a, "decision");

    if (!is_decision(decision))
        return eb_fail(err, EB_INVALID_REQUEST, "an approval's decision is approved, pending or declined");
    struct tracker_approval *x = tracker_approval_add(s->tracker, i, name != NULL ? name : "Waiting for approval", decision);
    if (!time_member(a, "created", x->created_ms, &x->created_ms, err) || !time_member(a, "completed", x->completed_ms, &x->completed_ms, err))
        return false;
    for (size_t n = 0; n < json_array_size(approvers); n++)
        if (!add_approver(s, x, json_array_get(approvers, n), err))
            return false;
    return true;
}

static bool set_approvals(struct sim *s, struct tracker_issue *i, const json_t *list, struct eb_err *err)
{
    if (list != NULL)
        tracker_approvals_clear(i);
    for (size_t k = 0; k < json_array_size(list); k++)
        if (!add_approval(s, i, json_array_get(list, k), err))
            return false;
    return true;
}

/* One line of a changelog entry; nothing where both sides are the same. */
struct change { const char *field, *id, *from, *from_text, *to, *to_text; };
static void note(json_t *items, struct change c)
{
    if (eb_streq(c.from, c.to) && eb_streq(c.from_text, c.to_text))
        return;
    json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "field", c.field, "fieldId", c.id,
        "fieldtype", strncmp(c.id, "customfield_", 12) == 0 ? "custom" : "jira",
        "from", c.from, "fromString", c.from_text, "to", c.to, "toString", c.to_text));
}

static void set_text(char **at, const json_t *from, const char *name, json_t *items)
{
    const char *value = eb_json_str(from, name);

    if (value == NULL)
        return;
    note(items, (struct change){ name, name, NULL, *at, NULL, value });
    free(*at);
    *at = eb_strdup(value);
}

static bool set_reporter(struct sim *s, struct tracker_issue *i, const json_t *from, json_t *items, struct eb_err *err)
{
    const json_t *value = json_object_get(from, "reporter");
    const struct tracker_account *old = i->reporter, *now = find_account(s, json_string_value(value));

    if (value == NULL)
        return true;
    if (json_is_string(value) && now == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "no reporter %s", json_string_value(value));
    i->reporter = now;
    note(items, (struct change){ "reporter", "reporter", old != NULL ? old->id : NULL, old != NULL ? old->name : NULL,
                                 now != NULL ? now->id : NULL, now != NULL ? now->name : NULL });
    return true;
}

static bool is_custom_field(const char *name)
{
    return strncmp(name, "customfield_", 12) == 0 && name[12] != '\0' && strspn(name + 12, "0123456789") == strlen(name + 12) &&
           strcmp(name, "customfield_10010") != 0;
}

/* {"account": …} may name a person in any form; it is kept as the account's id. The result is the caller's. */
static json_t *stored_value(struct sim *s, const json_t *value, struct eb_err *err)
{
    const char *account = eb_json_str(value, "account");
    const struct tracker_account *who = find_account(s, account);

    if (json_is_array(value)) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(value) && list != NULL; i++) {
            json_t *one = stored_value(s, json_array_get(value, i), err);
            if (one == NULL) {
                json_decref(list);
                return NULL;
            }
            json_array_append_new(list, one);
        }
        return list;
    }
    if (account == NULL)
        return json_deep_copy(value);
    if (who == NULL) {
        eb_fail(err, EB_INVALID_REQUEST, "no account %s", account);
        return NULL;
    }
    return json_pack("{s:s}", "account", who->id);
}

static bool set_field(struct sim *s, struct tracker_issue *i, const char *name, const json_t *value, json_t *items, struct eb_err *err)
{
    struct change c = { .field = jira_field_name(name), .id = name };
    char *from, *from_text, *to, *to_text;

    if (!is_custom_field(name))
        return eb_fail(err, EB_INVALID_REQUEST, "no custom field %s", name);
    json_t *stored = stored_value(s, value, err);
    if (stored == NULL)
        return false;
    jira_field_words(s, json_object_get(i->fields, name), &from, &from_text);
    jira_field_words(s, stored, &to, &to_text);
    json_object_set_new(i->fields, name, stored);
    c.from = from;
    c.from_text = from_text;
    c.to = to;
    c.to_text = to_text;
    note(items, c);
    free(from);
    free(from_text);
    free(to);
    free(to_text);
    return true;
}

static bool set_fields(struct sim *s, struct tracker_issue *i, const json_t *fields, json_t *items, struct eb_err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
        if (!set_field(s, i, name, value, items, err))
            return false;
    return true;
}

static void set_request_type(struct tracker_issue *i, const char *type, json_t *items)
{
    if (type == NULL)
        return;
    note(items, (struct change){ "Request Type", "customfield_10010", i->request_type, i->request_type, type, type });
    snprintf(i->request_type, sizeof(i->request_type), "%s", type);
}

static bool move(struct sim *s, struct tracker_issue *i, const char *key, json_t *items, struct eb_err *err)
{
    const struct tracker_project *old = i->project;
    char was[sizeof(i->key)];

    if (key == NULL)
        return true;
    memcpy(was, i->key, sizeof(was));
    if (!tracker_issue_move(s->tracker, i, key))
        return eb_fail(err, EB_INVALID_REQUEST, "%s is no key, or taken", key);
    note(items, (struct change){ "project", "project", old->id, old->name, i->project->id, i->project->name });
    note(items, (struct change){ "Key", "issuekey", NULL, was, NULL, i->key });
    return true;
}

/* Everything that a changelog tells of. */
static bool change_all(struct sim *s, struct tracker_issue *i, const json_t *from, json_t *items, struct eb_err *err)
{
    set_text(&i->summary, from, "summary", items);
    set_text(&i->status, from, "status", items);
    set_request_type(i, eb_json_str(from, "requestTypeId"), items);
    return set_reporter(s, i, from, items, err) && set_fields(s, i, json_object_get(from, "fields"), items, err) &&
           move(s, i, eb_json_str(from, "moveTo"), items, err);
}

static bool record(struct sim *s, struct tracker_issue *i, const json_t *from, json_t *items, struct eb_err *err)
{
    const char *author = eb_json_str(from, "author");
    const struct tracker_account *who = find_account(s, author != NULL ? author : "grace@contoso.com");
    int64_t at;

    if (!time_member(from, "at", eb_now_ms(), &at, err))
        return false;
    if (who == NULL)
        who = tracker_account(s->tracker, TRACKER_OWN_ACCOUNT);
    tracker_history_add(s->tracker, i, who, at, json_incref(items));
    return true;
}

static bool put_issue(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    const char *key = eb_json_str(from, "key");
    bool is_new = key != NULL && tracker_issue(s->tracker, key) == NULL;
    struct tracker_issue *i = key != NULL ? tracker_issue_put(s->tracker, key, eb_json_str(from, "id")) : NULL;
    const json_t *former = json_object_get(from, "formerKeys");
    EB_AUTO(json_t, json_decref) items = json_array();

    if (i == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "an issue needs a key like ABC-1 and an id of its own");
    if (!change_all(s, i, from, items, err) || !time_member(from, "created", i->created_ms, &i->created_ms, err))
        return false;
    if (!is_new && !eb_json_bool(from, "quiet", false) && !record(s, i, from, items, err))
        return false;
    i->hidden = eb_json_bool(from, "hidden", i->hidden);
    i->max_comments = eb_json_int(from, "maxComments", i->max_comments);
    for (size_t k = 0; k < json_array_size(former); k++)
        if (json_is_string(json_array_get(former, k)))
            tracker_issue_alias(s->tracker, i, json_string_value(json_array_get(former, k)));
    if (!set_approvals(s, i, json_object_get(from, "approvals"), err))
        return false;
    json_array_append_new(done, control_issue_json(i, 0));
    return true;
}

void control_put_issues(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "issues", put_issue);
}

/* The new body: plain text, or ADF as it is; NULL: none is given. The caller's. */
static json_t *new_body(const json_t *from)
{
    const char *text = eb_json_str(from, "text");
    json_t *adf = json_object_get(from, "body");

    return text != NULL ? adf_from_text(text) : adf != NULL ? json_deep_copy(adf) : NULL;
}

static void edit(struct tracker_comment *m, const json_t *from, const struct tracker_account *who)
{
    json_t *body = new_body(from);

    if (body != NULL) {
        json_decref(m->body);
        m->body = body;
    }
    m->internal = eb_json_bool(from, "internal", m->internal);
    m->updater = who;
    m->updated_ms = eb_now_ms() > m->created_ms ? eb_now_ms() : m->created_ms + 1;
}

static bool put_comment(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    const char *key = eb_json_str(from, "issue"), *id = eb_json_str(from, "id"), *author = eb_json_str(from, "author");
    struct tracker_issue *i = key != NULL ? tracker_issue(s->tracker, key) : NULL;
    struct tracker_comment *m = i != NULL && id != NULL ? tracker_comment(i, id) : NULL;
    const struct tracker_account *who = find_account(s, author != NULL ? author : "grace@contoso.com");
    json_t *properties = json_object_get(from, "properties");

    if (i == NULL || (id != NULL && m == NULL))
        return eb_fail(err, EB_INVALID_REQUEST, "no such issue, or no comment with that id on it");
    if (who == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "no account %s", author != NULL ? author : "");
    if (m != NULL && eb_json_bool(from, "deleted", false)) {
        tracker_comment_remove(i, m);
        return true;
    }
    if (m != NULL)
        edit(m, from, who);
    else
        m = tracker_comment_add(s->tracker, i, who, new_body(from), properties != NULL ? json_deep_copy(properties) : json_array(),
                                eb_json_bool(from, "internal", true));
    if (m->body == NULL)
        m->body = adf_from_text("");
    json_array_append_new(done, control_comment_json(m));
    return true;
}

void control_put_comments(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "comments", put_comment);
}
