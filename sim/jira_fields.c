/* jira_fields.c - custom fields as issues and changelogs show them, and what our account may do where. */
#include "sim/jira.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct field { const char *id, *name, *type, *custom; } fields[] = {
    { "customfield_10010", "Request Type", "sd-customerrequesttype", "com.atlassian.servicedesk:vp-origin" },
    { "customfield_10050", "Target user", "user", "com.atlassian.jira.plugin.system.customfieldtypes:userpicker" },
    { "customfield_10051", "Target group", "string", "com.atlassian.jira.plugin.system.customfieldtypes:textfield" },
    { "customfield_10052", "Access until", "option", "com.atlassian.jira.plugin.system.customfieldtypes:select" },
};

const char *jira_field_name(const char *id)
{
    for (size_t i = 0; i < EB_LEN(fields); i++)
        if (strcmp(fields[i].id, id) == 0)
            return fields[i].name;
    return id;
}

void jira_fields(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *list = json_pack("[{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:[s], s:{s:s, s:s}}]", "id", "summary", "key", "summary", "name", "Summary",
        "custom", 0, "orderable", 1, "navigable", 1, "searchable", 1, "clauseNames", "summary", "schema", "type", "string", "system", "summary");

    for (size_t i = 0; i < EB_LEN(fields); i++) {
        long number = strtol(fields[i].id + strlen("customfield_"), NULL, 10);
        char *clause = eb_asprintf("cf[%ld]", number);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:[s,s], s:{s:s, s:s, s:I}}", "id", fields[i].id,
            "key", fields[i].id, "name", fields[i].name, "custom", 1, "orderable", 1, "navigable", 1, "searchable", 1,
            "clauseNames", clause, fields[i].name, "schema", "type", fields[i].type, "custom", fields[i].custom, "customId", (json_int_t)number));
        free(clause);
    }
    sim_reply_json(r, 200, list);
}

json_t *jira_field_value(struct sim *s, const struct sim_call *c, const json_t *stored)
{
    const char *account = eb_json_str(stored, "account"), *option = eb_json_str(stored, "value"), *id = eb_json_str(stored, "id");
    const struct tracker_account *a = account != NULL ? tracker_account(s->tracker, account) : NULL;

    if (json_is_array(stored)) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(stored); i++)
            json_array_append_new(list, jira_field_value(s, c, json_array_get(stored, i)));
        return list;
    }
    if (a != NULL)
        return jira_account_json(c, a);
    if (option == NULL)
        return json_deep_copy(stored);
    char *self = eb_asprintf("%s/rest/api/3/customFieldOption/%s", c->base_url, id != NULL ? id : "10100");
    json_t *j = json_pack("{s:s, s:s, s:s}", "self", self, "value", option, "id", id != NULL ? id : "10100");
    free(self);
    return j;
}

void jira_field_words(struct sim *s, const json_t *stored, char **ret_id, char **ret_text)
{
    const char *account = eb_json_str(stored, "account"), *option = eb_json_str(stored, "value"), *id = eb_json_str(stored, "id");
    const struct tracker_account *a = account != NULL ? tracker_account(s->tracker, account) : NULL;

    *ret_id = eb_strdup(a != NULL ? a->id : option != NULL ? id != NULL ? id : "10100" : NULL);
    *ret_text = stored == NULL || json_is_null(stored) ? NULL
              : json_is_string(stored) ? eb_strdup(json_string_value(stored))
              : a != NULL ? eb_strdup(a->name) : option != NULL ? eb_strdup(option) : json_dumps(stored, JSON_ENCODE_ANY | JSON_COMPACT);
}

bool jira_is_agent(const struct sim *s, const struct tracker_project *p)
{
    for (size_t i = 0; i < json_array_size(s->agent_of); i++)
        if (eb_streq(json_string_value(json_array_get(s->agent_of, i)), p->key))
            return true;
    return s->agent_of == NULL;
}

static const struct { const char *id, *key, *name, *type; } permissions[] = {
    { "10", "BROWSE_PROJECTS", "Browse Projects", "PROJECT" }, { "15", "ADD_COMMENTS", "Add Comments", "PROJECT" },
    { "12", "EDIT_ISSUES", "Edit Issues", "PROJECT" }, { "37", "DELETE_OWN_COMMENTS", "Delete Own Comments", "PROJECT" },
    { "46", "TRANSITION_ISSUES", "Transition Issues", "PROJECT" }, { "27", "USER_PICKER", "Browse users and groups", "GLOBAL" },
    { "0", "ADMINISTER", "Administer Jira", "GLOBAL" }, { "1", "SERVICEDESK_AGENT", "Service Project Agent", "PROJECT" },
};

/* The project that the query names, itself or by an issue; NULL: none is named. False: there is no such one. */
static bool project_param(struct sim *s, const struct sim_call *c, const struct tracker_project **ret)
{
    const char *key = sim_call_query(c, "projectKey"), *id = sim_call_query(c, "projectId"), *issue = sim_call_query(c, "issueKey");
    struct tracker_project *p, *tmp;

    *ret = NULL;
    issue = issue != NULL ? issue : sim_call_query(c, "issueId");
    if (issue != NULL) {
        const struct tracker_issue *i = tracker_issue(s->tracker, issue);
        *ret = i != NULL && !i->hidden ? i->project : NULL;
        return *ret != NULL;
    }
    HASH_ITER(hh, s->tracker->projects, p, tmp)
        if (eb_strieq(p->key, key) || eb_streq(p->id, id))
            *ret = p;
    return *ret != NULL || (key == NULL && id == NULL);
}

/* Is the name in the comma list? */
static bool wants(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, name, n) == 0)
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

/* Without a project: does our account have it in any? */
static bool holds(const struct sim *s, const struct tracker_project *p, const char *key)
{
    if (strcmp(key, "SERVICEDESK_AGENT") == 0)
        return p != NULL ? jira_is_agent(s, p) : s->agent_of == NULL || json_array_size(s->agent_of) > 0;
    return strcmp(key, "ADMINISTER") != 0 && (strcmp(key, "USER_PICKER") != 0 || !s->no_browse_users);
}

void jira_permissions(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const char *wanted = sim_call_query(c, "permissions");
    const struct tracker_project *p;
    json_t *out = json_object();

    if (wanted == NULL || *wanted == '\0') {
        atlassian_error(r, 400, NULL, "The query parameter permissions is required.");
    } else if (!project_param(s, c, &p)) {
        atlassian_error(r, 404, NULL, "The project or issue does not exist or you do not have permission to see it.");
    } else {
        for (size_t i = 0; i < EB_LEN(permissions); i++)
            if (wants(wanted, permissions[i].key))
                json_object_set_new(out, permissions[i].key, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "id", permissions[i].id,
                    "key", permissions[i].key, "name", permissions[i].name, "type", permissions[i].type,
                    "description", permissions[i].name, "havePermission", holds(s, p, permissions[i].key)));
        sim_reply_json(r, 200, json_pack("{s:O}", "permissions", out));
    }
    json_decref(out);
}
