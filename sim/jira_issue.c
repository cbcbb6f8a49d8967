/* jira_issue.c - reading an issue, its changelog and its properties. */
#include "sim/jira.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tracker_issue *jira_issue_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = tracker_issue(s->tracker, c->params[0]);

    if (i != NULL && !i->hidden)
        return i;
    atlassian_error(r, 404, NULL, "Issue does not exist or you do not have permission to see it.");
    return NULL;
}

/* Is the name in one of the comma lists of that (repeatable) parameter? `*all` and `*navigable` mean every name. */
static bool listed(const struct sim_call *c, const char *param, const char *name, bool dflt)
{
    bool given = false, hit = false, minus_only = true;

    for (size_t i = 0; i < c->query_count; i++) {
        if (strcmp(c->query[i].name, param) != 0)
            continue;
        for (const char *p = c->query[i].value; *p != '\0';) {
            size_t len = strcspn(p, ",");
            given = true;
            if (*p == '-' && len - 1 == strlen(name) && strncmp(p + 1, name, len - 1) == 0)
                return false;
            minus_only = minus_only && *p == '-';
            hit = hit || (len == strlen(name) && strncmp(p, name, len) == 0) || *p == '*';
            p += len + (p[len] == ',');
        }
    }
    return given && !minus_only ? hit : dflt;
}

static json_t *status_json(const struct tracker_issue *i)
{
    bool done = strcmp(i->status, "Done") == 0 || strcmp(i->status, "Closed") == 0 || strcmp(i->status, "Resolved") == 0;

    return json_pack("{s:s, s:s, s:{s:i, s:s, s:s}}", "id", done ? "10004" : "10003", "name", i->status, "statusCategory",
                     "id", done ? 3 : 4, "key", done ? "done" : "indeterminate", "name", done ? "Done" : "In Progress");
}

static json_t *request_json(const struct tracker_issue *i)
{
    return i->request_type[0] == '\0' ? json_null()
         : json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s}}", "requestType", "id", i->request_type, "name", "Group membership",
                     "serviceDeskId", "3", "issueTypeId", "10010", "currentStatus", "status", i->status, "statusCategory", "INDETERMINATE");
}

/* customfield_10010 is the request type, at home in the issue itself. */
static void add_custom_fields(struct sim *s, const struct sim_call *c, const struct tracker_issue *i, json_t *f)
{
    const char *name;
    json_t *value;

    json_object_foreach(i->fields, name, value)
        if (listed(c, "fields", name, true))
            json_object_set_new(f, name, jira_field_value(s, c, value));
}

static json_t *fields_json(struct sim *s, const struct sim_call *c, const struct tracker_issue *i)
{
    char time[40];
    json_t *f = json_object();
    struct { const char *name; json_t *value; } all[] = {
        { "summary", json_string(i->summary) },
        { "issuetype", json_pack("{s:s, s:s, s:b}", "id", "10010", "name", "Service Request", "subtask", 0) },
        { "project", json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", i->project->id, "key", i->project->key, "name", i->project->name,
                               "projectTypeKey", "service_desk", "simplified", 0) },
        { "status", status_json(i) },
        { "reporter", i->reporter != NULL ? jira_account_json(c, i->reporter) : json_null() },
        { "assignee", json_null() },
        { "created", json_string(jira_time(i->created_ms, time)) },
        { "updated", json_string(jira_time(i->updated_ms, time)) },
        { "labels", json_array() },
        { "customfield_10010", request_json(i) },
    };

    for (size_t k = 0; k < EB_LEN(all); k++) {
        if (listed(c, "fields", all[k].name, true))
            json_object_set(f, all[k].name, all[k].value);
        json_decref(all[k].value);
    }
    add_custom_fields(s, c, i, f);
    return f;
}

void jira_issue_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    const char *key;
    json_t *value;

    if (i == NULL)
        return;
    char *self = eb_asprintf("%s/rest/api/3/issue/%s", c->base_url, i->id);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:o}", "expand", "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
                          "id", i->id, "self", self, "key", i->key, "fields", fields_json(s, c, i));
    free(self);
    if (sim_call_query(c, "properties") != NULL) {
        json_t *properties = json_object();
        json_object_foreach(i->properties, key, value)
            if (listed(c, "properties", key, false))
                json_object_set(properties, key, value);
        json_object_set_new(j, "properties", properties);
    }
    sim_reply_json(r, 200, j);
}

void jira_changelog(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    struct jira_page page = jira_page(c, "startAt", "maxResults", 100, 100);
    json_t *values = json_array();

    if (i == NULL) {
        json_decref(values);
        return;
    }
    int64_t total = (int64_t)json_array_size(i->history);
    for (int64_t k = page.start; k < total && k < page.start + page.size; k++) {
        const json_t *entry = json_array_get(i->history, (size_t)k);
        const struct tracker_account *author = tracker_account(s->tracker, eb_json_str(entry, "author"));
        char time[40];
        json_array_append_new(values, json_pack("{s:O, s:o, s:s, s:O}", "id", json_object_get(entry, "id"),
            "author", author != NULL ? jira_account_json(c, author) : json_object(),
            "created", jira_time(eb_json_int(entry, "ms", 0), time), "items", json_object_get(entry, "items")));
    }
    sim_reply_json(r, 200, json_pack("{s:I, s:I, s:I, s:b, s:o}", "startAt", (json_int_t)page.start, "maxResults", (json_int_t)page.size,
                                     "total", (json_int_t)total, "isLast", page.start + page.size >= total, "values", values));
}

void jira_properties(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    json_t *keys = json_array(), *value;
    const char *key;

    if (i != NULL) {
        json_object_foreach(i->properties, key, value) {
            char *self = eb_asprintf("%s/rest/api/3/issue/%s/properties/%s", c->base_url, i->id, key);
            json_array_append_new(keys, json_pack("{s:s, s:s}", "self", self, "key", key));
            free(self);
        }
        sim_reply_json(r, 200, json_pack("{s:O}", "keys", keys));
    }
    json_decref(keys);
}

void jira_property_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    json_t *value = i != NULL ? json_object_get(i->properties, c->params[1]) : NULL;

    if (i == NULL)
        return;
    if (value == NULL)
        atlassian_error(r, 404, NULL, "The property %s does not exist.", c->params[1]);
    else
        sim_reply_json(r, 200, json_pack("{s:s, s:O}", "key", c->params[1], "value", value));
}

void jira_property_put(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);
    json_t *value = sim_call_json(c);

    if (i == NULL)
        return;
    if (value == NULL || c->body.len > 32768 || strlen(c->params[1]) > 255) {
        atlassian_error(r, 400, NULL, "A property is JSON of at most 32768 characters, its key has at most 255.");
        return;
    }
    bool is_new = json_object_get(i->properties, c->params[1]) == NULL;
    json_object_set(i->properties, c->params[1], value);
    sim_count_issue(s->counters, i->key, "properties");
    sim_reply_json(r, is_new ? 201 : 200, NULL);
}

void jira_property_delete(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct tracker_issue *i = jira_issue_param(s, c, r);

    if (i == NULL)
        return;
    if (json_object_del(i->properties, c->params[1]) != 0)
        atlassian_error(r, 404, NULL, "The property %s does not exist.", c->params[1]);
    else
        sim_reply_json(r, 204, NULL);
}
