/* check_project.c - what our Jira account may do in each project of the policy, and whether it is an agent there.
 *
 * Who is no agent of a service project writes public comments only, without a word of warning from Jira, and sees no approvals.
 */
#include "cli/check.h"

#include <string.h>

static const char *project_name(const struct check_asking *a)
{
    const struct directory_binding *names;

    (void)directory_bindings(a->directory, &names);
    return names[a->project].name;
}

static bool asks_approval(const struct config_policy *p)
{
    for (size_t i = 0; i < p->group_count; i++)
        if (p->groups[i].conditions.approval)
            return true;
    for (size_t i = 0; i < p->operation_count; i++)
        if (p->operations[i].conditions.approval)
            return true;
    return false;
}

static void next(struct check_asking *a);

static void say_agent(struct check_asking *a, const char *key, enum jira_agent agent)
{
    bool approvals = asks_approval(&a->config->policy);

    if (agent == JIRA_AGENT)
        check_say(a->report, CHECK_OK, "agent", "%s: our Jira account is an agent", key);
    else if (agent == JIRA_NO_SERVICE_PROJECT)
        check_say(a->report, approvals ? CHECK_WARNING : CHECK_OK, "agent", "%s is no service project: comments there are seen by everybody who sees the issue%s", key,
                  approvals ? ", and it has no approvals, so that what asks for one is refused there" : "");
    else
        check_say(a->report, a->config->jira.comments_internal || approvals ? CHECK_FAULT : CHECK_WARNING, "agent",
                  "%s: our Jira account is no agent, so that it %s%s. Give it a Jira Service Management licence and the role Service Desk Team in the project", key,
                  "cannot write internal comments", approvals ? " and sees no approvals" : "");
}

static void on_agent(void *ctx, uint64_t id, enum jira_agent agent, const struct eb_err *err)
{
    struct check_asking *a = ctx;
    const char *key = project_name(a);

    if (err != NULL)
        check_say(a->report, CHECK_WARNING, "agent", "%s: whether our account is an agent cannot be told: %s", key, err->text);
    else
        say_agent(a, key, agent);
    a->project++;
    next(a);
}

static void on_permissions(void *ctx, uint64_t id, const char *missing, const struct eb_err *err)
{
    struct check_asking *a = ctx;
    const char *key = project_name(a);

    if (err != NULL)
        check_say(a->report, CHECK_WARNING, "project", "%s: our permissions cannot be told: %s", key, err->text);
    else if (*missing != '\0')
        check_say(a->report, CHECK_FAULT, "project", "%s: our Jira account lacks the project permissions %s", key, missing);
    else
        check_say(a->report, CHECK_OK, "project", "%s: our Jira account may see its issues and comment on them", key);
    jira_agent_get(a->jira, key, 0, on_agent, a);
}

static void next(struct check_asking *a)
{
    const struct directory_binding *names;
    size_t count = directory_bindings(a->directory, &names);

    for (; a->project < count; a->project++)
        if (strcmp(names[a->project].what, "project") == 0 && names[a->project].state != DIRECTORY_NONE) {
            jira_permissions_get(a->jira, names[a->project].name, 0, on_permissions, a);
            return;
        }
    a->done(a->ctx);
}

void check_projects(struct check_asking *a)
{
    check_say(a->report, CHECK_OK, "scopes", "an API token with scopes must have: %s (one without scopes has all; which ones ours has, Jira does not tell)",
              jira_scopes(asks_approval(&a->config->policy)));
    next(a);
}
