/* issue.c - the checks on the issue: there, in a project that token and policy allow, of a request type, status and age that the policy allows.
 *
 * Invariant: what Jira did not tell about the issue fits no condition.
 */
#include "policy/verdict.h"

#include "base/clock.h"

#include <string.h>

bool policy_listed(const char *const *list, const char *name)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        if (strcmp(list[i], "*") == 0 || strcmp(list[i], name) == 0)
            return true;
    return false;
}

bool policy_projects_allow(const struct config_projects *p, const struct policy_issue *issue)
{
    if (p->all)
        return true;
    for (size_t i = 0; issue != NULL && issue->project_key != NULL && i < p->keys.count; i++)
        if (strcmp(p->keys.items[i], issue->project_key) == 0)
            return true;
    return false;
}

/* ---- whether there is one ---- */

/* After policy_operation() was seen to find it. */
static const struct config_operation_rule *operation(const struct policy_case *c, struct policy_asked *a)
{
    (void)policy_asked(c, POLICY_OF_OPERATION, a);
    return policy_operation(c->policy, c->kind);
}

bool policy_check_issue_given(const struct policy_case *c, bool has_issue, struct policy_verdict *v)
{
    struct policy_asked a;

    if (operation(c, &a)->issue_optional || has_issue)
        return true;
    return policy_refuse_asked(v, EB_INVALID_REQUEST, &a, "issue", "issue",
                               "%s needs the issue that asks for it: send \"issue\": \"{{issue.key}}\" in the body.", c->kind);
}

bool policy_check_without_issue(const struct policy_case *c, struct policy_verdict *v)
{
    struct policy_asked a;

    if (!policy_listed(c->caller->projects, "*"))
        return policy_refuse(v, EB_ISSUE_NOT_PERMITTED, "token.projects", "issue",
                             "Without an issue only a token made with --projects '*' is valid, and \"%s\" is not. Send the issue.",
                             policy_show(c->caller->name).text);
    if (!operation(c, &a)->projects.all)
        return policy_refuse_asked(v, EB_ISSUE_NOT_PERMITTED, &a, "projects", "issue",
                                   "Without an issue only operations with projects: \"*\" are allowed, and %s is not one. Send the issue.", c->kind);
    return true;
}

bool policy_check_issue_present(const struct policy_case *c, struct policy_verdict *v)
{
    return policy_check_issue_given(c, c->issue != NULL, v) && (c->issue != NULL || policy_check_without_issue(c, v));
}

/* ---- its project ---- */

bool policy_check_project(const struct policy_case *c, struct policy_verdict *v)
{
    const struct policy_issue *i = c->issue;
    struct policy_asked a;

    if (i == NULL)
        return true;
    if (i->moved)
        return policy_refuse(v, EB_ISSUE_NOT_PERMITTED, "issue.moved", "issue",
                             "The issue stands under another key or in another project than the request and the policy mean (now %s). Send its present key.",
                             policy_show(i->key).text);
    if (i->project_key == NULL || *i->project_key == '\0')
        return policy_refuse(v, EB_ISSUE_NOT_PERMITTED, "issue.project", "issue", "Jira did not tell the issue's project.");
    if (!policy_listed(c->caller->projects, i->project_key))
        return policy_refuse(v, EB_ISSUE_NOT_PERMITTED, "token.projects", "issue",
                             "The token \"%s\" is not valid for issues of project %s.",
                             policy_show(c->caller->name).text, policy_show(i->project_key).text);
    if (!policy_projects_allow(&operation(c, &a)->projects, i))
        return policy_refuse_asked(v, EB_ISSUE_NOT_PERMITTED, &a, "projects", "issue",
                                   "The policy does not allow %s for issues of project %s.", c->kind, policy_show(i->project_key).text);
    return true;
}

/* ---- its request type, status and age ---- */

struct asking { const struct policy_case *c; const struct policy_asked *a; enum eb_code code; struct policy_verdict *v; };

static bool in_list(const struct config_list *l, const char *text)
{
    for (size_t i = 0; text != NULL && i < l->count; i++)
        if (strcmp(l->items[i], text) == 0)
            return true;
    return false;
}

static bool check_type(const struct asking *q)
{
    const struct policy_issue *i = q->c->issue;

    if (q->a->k->request_types.count == 0 || (i != NULL && in_list(&q->a->k->request_types, i->request_type_id)))
        return true;
    if (i == NULL || i->request_type_id == NULL || *i->request_type_id == '\0')
        return policy_refuse_asked(q->v, q->code, q->a, "request_types", "issue",
                                   "Only certain request types may ask for this, and %s. Ask through the portal.",
                                   i == NULL ? "no issue was sent" : "the issue has none");
    return policy_refuse_asked(q->v, q->code, q->a, "request_types", "issue",
                               "Issues of request type %s may not ask for this. Use the request type that is meant for it.", policy_show(i->request_type_id).text);
}

static bool check_status(const struct asking *q)
{
    const struct policy_issue *i = q->c->issue;

    if (q->a->k->statuses.count == 0 || (i != NULL && in_list(&q->a->k->statuses, i->status)))
        return true;
    if (i == NULL || i->status == NULL || *i->status == '\0')
        return policy_refuse_asked(q->v, q->code, q->a, "statuses", "issue", "The issue must be in a certain status for this, and %s.",
                                   i == NULL ? "no issue was sent" : "Jira did not tell its status");
    return policy_refuse_asked(q->v, q->code, q->a, "statuses", "issue",
                               "The issue's status is \"%s\"; this may be asked for in \"%s\"%s only. Let the rule run when the issue has come there.",
                               policy_show(i->status).text, policy_show(q->a->k->statuses.items[0]).text,
                               q->a->k->statuses.count > 1 ? " and some others" : "");
}

static bool check_age(const struct asking *q)
{
    const struct policy_issue *i = q->c->issue;
    int64_t max = q->a->k->max_age_ms;
    char text[EB_TIME_LEN];

    if (max == 0)
        return true;
    if (i == NULL || i->created_ms <= 0 || i->created_ms > q->c->now_ms + POLICY_CLOCK_MS)
        return policy_refuse_asked(q->v, q->code, q->a, "max_age", "issue", "How old the issue is could not be told: %s.",
                                   i == NULL ? "none was sent" : "Jira did not say when it was created, or said a time that is yet to come");
    if (q->c->now_ms - i->created_ms <= max)
        return true;
    return policy_refuse_asked(q->v, q->code, q->a, "max_age", "issue",
                               "The issue was created more than %s ago. Raise a new one.", eb_duration_format(max, text));
}

static bool check_conditions(const struct policy_case *c, size_t side, enum eb_code code, struct policy_verdict *v)
{
    struct policy_asked a;
    struct asking q = { c, &a, code, v };

    return !policy_asked(c, side, &a) || (check_type(&q) && check_status(&q) && check_age(&q));
}

bool policy_check_issue_conditions(const struct policy_case *c, struct policy_verdict *v)
{
    return check_conditions(c, POLICY_OF_OPERATION, EB_ISSUE_NOT_PERMITTED, v);
}

bool policy_check_group_issue(const struct policy_case *c, struct policy_verdict *v)
{
    return check_conditions(c, POLICY_OF_GROUP, EB_GROUP_NOT_SERVICEABLE, v);
}
