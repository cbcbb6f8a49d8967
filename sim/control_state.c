/* control_state.c - GET /sim/state: the truth, without eventual consistency. */
#include "sim/control.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/adf.h"
#include "sim/cast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All attributes, as they are in truth; the caller's. */
static json_t *attributes(struct sim *s, const struct entra_object *o)
{
    struct company_person p;

    if (o->attrs != NULL)
        return json_copy(o->attrs);
    company_person(&s->entra->company, o->number, &p);
    return company_attrs(&p);
}

json_t *control_user_json(struct sim *s, const struct entra_object *o)
{
    json_t *j = attributes(s, o);
    char account[64];

    snprintf(account, sizeof(account), TRACKER_ACCOUNT_PREFIX "%s", o->id);
    bool exists = o->number == 0 || tracker_account_exists(s->tracker, account);
    json_object_set_new(j, "accountId", exists ? json_string(account) : json_null());
    json_object_set_new(j, "managerId", o->manager != NULL ? json_string(o->manager->id) : json_null());
    if (o->password != NULL)
        json_object_set_new(j, "password", json_string(o->password));
    if (o->access_pass != NULL)
        json_object_set_new(j, "temporaryAccessPass", json_string(o->access_pass));
    if (o->methods != NULL)
        json_object_set(j, "methods", o->methods);
    if (o->default_method[0] != '\0')
        json_object_set_new(j, "defaultMethod", json_string(o->default_method));
    return j;
}

static json_t *ids(const struct entra_edges *edges)
{
    json_t *list = json_array();
    const struct entra_edge *e;

    TAILQ_FOREACH(e, edges, in_from)
        if (e->gone_ms == 0)
            json_array_append_new(list, json_string(e->key.to->id));
    return list;
}

json_t *control_group_json(const struct entra_object *o)
{
    json_t *j = json_copy(o->attrs);

    json_object_set_new(j, "members", ids(&o->out[ENTRA_MEMBER]));
    json_object_set_new(j, "owners", ids(&o->out[ENTRA_OWNER]));
    return j;
}

json_t *control_comment_json(const struct tracker_comment *m)
{
    char time[EB_TIME_LEN], updated[EB_TIME_LEN], *text = adf_text(m->body);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:O, s:O}", "id", m->id, "author", m->author->id,
        "created", eb_time_format(m->created_ms, time), "updated", eb_time_format(m->updated_ms, updated), "internal", m->internal, "text", text, "body", m->body, "properties", m->properties);

    free(text);
    json_object_set_new(j, "operation", m->operation[0] != '\0' ? json_string(m->operation) : json_null());
    return j;
}

static json_t *approval_json(const struct tracker_approval *a)
{
    json_t *approvers = json_array();
    char created[EB_TIME_LEN], completed[EB_TIME_LEN];

    for (size_t i = 0; i < a->approver_count; i++)
        json_array_append_new(approvers, json_pack("{s:s, s:s}", "account", a->approvers[i].account->id, "decision", a->approvers[i].decision));
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o}", "id", a->id, "name", a->name, "decision", a->decision,
        "created", eb_time_format(a->created_ms, created), "completed", a->completed_ms != 0 ? eb_time_format(a->completed_ms, completed) : NULL,
        "approvers", approvers);
}

json_t *control_issue_json(const struct tracker_issue *i, size_t last)
{
    json_t *comments = json_array(), *approvals = json_array();
    const struct tracker_comment *m;
    const struct tracker_approval *a;

    size_t left = i->comment_count;
    TAILQ_FOREACH(m, &i->comments, next)
        if (last == 0 || left-- <= last)
            json_array_append_new(comments, control_comment_json(m));
    TAILQ_FOREACH(a, &i->approvals, next)
        json_array_append_new(approvals, approval_json(a));
    json_t *j = json_pack("{s:s, s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:o, s:O, s:o}", "id", i->id, "key", i->key,
        "formerKeys", i->former_keys, "projectKey", i->project->key, "projectId", i->project->id, "summary", i->summary,
        "status", i->status, "requestTypeId", i->request_type, "approvals", approvals, "properties", i->properties, "comments", comments);
    char created[EB_TIME_LEN];
    json_object_set_new(j, "created", json_string(eb_time_format(i->created_ms, created)));
    json_object_set(j, "fields", i->fields);
    json_object_set_new(j, "changes", json_integer((json_int_t)json_array_size(i->history)));
    json_object_set_new(j, "reporter", i->reporter != NULL ? json_string(i->reporter->id) : json_null());
    return j;
}

static json_t *users_json(struct sim *s, const char *only)
{
    json_t *list = json_array();
    const struct entra_object *o;

    if (only != NULL) {
        o = entra_find_user(s->entra, only);
        o = o != NULL ? o : entra_binned(s->entra, only);
        if (o != NULL)
            json_array_append_new(list, control_user_json(s, o));
        return list;
    }
    TAILQ_FOREACH(o, &s->entra->all[ENTRA_USER], next)
        if (o->number == 0)         /* the company is read with /sim/directory */
            json_array_append_new(list, control_user_json(s, o));
    for (o = s->entra->bin; o != NULL; o = o->hh.next)
        if (o->number == 0)
            json_array_append_new(list, control_user_json(s, o));
    return list;
}

static json_t *groups_json(struct sim *s, const char *only)
{
    json_t *list = json_array();
    const struct entra_object *o;

    TAILQ_FOREACH(o, &s->entra->all[ENTRA_GROUP], next)
        if (only == NULL ? o->number == 0 : eb_strieq(o->id, only) || eb_streq(eb_json_str(o->attrs, "displayName"), only))
            json_array_append_new(list, control_group_json(o));
    return list;
}

/* commented: those with comments only, for the page. */
static json_t *issues_json(struct sim *s, const char *only, bool commented)
{
    json_t *list = json_array();
    const struct tracker_issue *i;

    if (only != NULL) {
        i = tracker_issue(s->tracker, only);
        if (i != NULL)
            json_array_append_new(list, control_issue_json(i, 0));
        return list;
    }
    TAILQ_FOREACH(i, &s->tracker->issues, next)
        if (!commented || i->comment_count > 0)
            json_array_append_new(list, control_issue_json(i, commented ? 8 : 0));
    return list;
}

#define PAGE_GROUPS 40
#define PAGE_MEMBERS 30

/* What the page shows: small, however many people were generated. */
static json_t *page_state(struct sim *s)
{
    json_t *groups = json_array(), *names = json_object();
    const struct entra_object *g;
    const struct entra_edge *e;
    size_t shown = 0;

    TAILQ_FOREACH(g, &s->entra->all[ENTRA_GROUP], next) {
        if (shown++ == PAGE_GROUPS)
            break;
        json_t *one = json_copy(g->attrs), *members = json_array();
        json_object_set_new(one, "members", members);
        json_array_append_new(groups, one);
        TAILQ_FOREACH(e, &g->out[ENTRA_MEMBER], in_from) {
            if (json_array_size(members) == PAGE_MEMBERS)
                break;
            if (e->gone_ms != 0)
                continue;
            json_array_append_new(members, json_string(e->key.to->id));
            json_object_set(names, e->key.to->id, entra_get(s->entra, e->key.to, "displayName"));
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o}", "groups", groups, "names", names, "issues", issues_json(s, NULL, true), "assets", control_assets_page(s));
}

void control_state(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const char *issue = sim_call_query(c, "issue"), *group = sim_call_query(c, "group"), *user = sim_call_query(c, "user");
    bool all = issue == NULL && group == NULL && user == NULL;
    json_t *j = json_object();

    if (eb_streq(sim_call_query(c, "view"), "page")) {
        json_decref(j);
        sim_reply_json(r, 200, page_state(s));
        return;
    }
    if (all || user != NULL)
        json_object_set_new(j, "users", users_json(s, user));
    if (all || group != NULL)
        json_object_set_new(j, "groups", groups_json(s, group));
    if (all || issue != NULL)
        json_object_set_new(j, "issues", issues_json(s, issue, false));
    sim_reply_json(r, 200, j);
}
