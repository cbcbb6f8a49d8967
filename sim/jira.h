/* jira.h - the simulated Jira Cloud v3 and JSM: entry points of the handlers, and what they share. */
#ifndef SIM_JIRA_H
#define SIM_JIRA_H

#include "sim/sim.h"

/* Credentials, route, handler; at the root and under /ex/jira/{cloudId}. */
void jira_answer(struct sim *s, struct sim_call *c, struct sim_reply *r);

sim_handler jira_myself, jira_server_info, jira_permissions, jira_fields, jira_projects, jira_project, jira_user, jira_users_search, jira_tenant_info;
sim_handler jira_issue_get, jira_changelog, jira_properties, jira_property_get, jira_property_put, jira_property_delete;
sim_handler jira_comments, jira_comment_post, jira_comment_get, jira_comment_delete;
sim_handler jsm_info, jsm_workspace, jsm_request, jsm_approvals, jsm_approval, jsm_comments, jsm_comment_post;

bool jira_authorized(const struct sim *s, const char *header);      /* Basic or Bearer of our account */
/* params[0] as issue key or id; NULL: answered with 404. */
struct tracker_issue *jira_issue_param(struct sim *s, struct sim_call *c, struct sim_reply *r);
/* A custom field as an issue shows it. */
json_t *jira_field_value(struct sim *s, const struct sim_call *c, const json_t *stored);
/* What a changelog says of it: id (or NULL) and text (or NULL, for empty); both the caller's. */
void jira_field_words(struct sim *s, const json_t *stored, char **ret_id, char **ret_text);
const char *jira_field_name(const char *id);         /* as people see it; the id where it has no name */
bool jira_is_agent(const struct sim *s, const struct tracker_project *p);        /* are we, in this project? */
json_t *jira_account_json(const struct sim_call *c, const struct tracker_account *a);
const char *jira_time(int64_t ms, char out[40]);     /* 2026-09-01T10:00:00.000+0000 */
/* startAt and maxResults of Jira; start and limit of JSM. */
struct jira_page { int64_t start, size; };
struct jira_page jira_page(const struct sim_call *c, const char *start, const char *size, int64_t dflt, int64_t most);
/* Adds a comment and counts it. */
struct tracker_comment *jira_comment_store(struct sim *s, struct tracker_issue *i, json_t *body, json_t *properties, bool internal);

#endif
