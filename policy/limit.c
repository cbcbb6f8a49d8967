/* limit.c - which limits apply to an operation: policy.limits, in place of each what its kind's entry says, and those of the group's entry.
 *
 * Two entries never count together: each subject begins with the key that limits it, or with the kind or group that it is for.
 */
#include "policy/verdict.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct limits { struct policy_limit *out; size_t count; };

/* id NULL: it has no such thing, and nothing is counted. */
static void add(struct limits *l, const char *section, const char *key, const char *scope, const char *id, int most, const char *about)
{
    if (most == 0 || id == NULL || l->count == POLICY_LIMITS_MAX)
        return;
    struct policy_limit *x = &l->out[l->count++];
    x->most = most;
    snprintf(x->rule, sizeof x->rule, "%s.%s", section, key);
    snprintf(x->subject, sizeof x->subject, "%s%s:%s", scope, key, id);
    snprintf(x->about, sizeof x->about, "%s", about);
}

/* The kind's own number where it says one, then of that kind alone; else that of all. */
static void add_either(struct limits *l, const char *kind, const char *key, const char *id, int of_kind, int of_all, const char *about)
{
    char section[80], scope[64], whole[300];

    snprintf(section, sizeof section, "policy.operations.%.40s.limits", kind);
    snprintf(scope, sizeof scope, "%.40s.", kind);
    snprintf(whole, sizeof whole, "of %.40s %.240s", kind, about);
    if (of_kind > 0)
        add(l, section, key, scope, id, of_kind, whole);
    else
        add(l, "policy.limits", key, "", id, of_all, about);
}

static void add_group(struct limits *l, const struct config_policy *p, const struct policy_limit_case *c, const char *by_token, const char *for_issue)
{
    const struct config_group_rule *rule = c->group != NULL ? c->group->rule : NULL;
    char section[96], path[80], scope[64], about[300];

    if (rule == NULL || c->group->id == NULL)
        return;
    policy_group_path(p, rule, path, sizeof path);
    snprintf(section, sizeof section, "%s.limits", path);
    snprintf(scope, sizeof scope, "group.%.40s.", c->group->id);
    add(l, section, "per_group", scope, "", rule->limits.per_group, "of this group");
    snprintf(about, sizeof about, "of this group %.250s", by_token);
    add(l, section, "per_token", scope, c->token, rule->limits.per_token, about);
    snprintf(about, sizeof about, "of this group %.250s", for_issue);
    add(l, section, "per_issue", scope, c->issue_id, rule->limits.per_issue, about);
}

size_t policy_limits(const struct config_policy *p, const struct policy_limit_case *c, struct policy_limit out[POLICY_LIMITS_MAX])
{
    static const struct config_kind_limits none;
    const struct config_operation_rule *rule = policy_operation(p, c->kind);
    const struct config_kind_limits *k = rule != NULL ? &rule->limits : &none;
    struct limits l = { out, 0 };
    char by_token[160], for_issue[120], of_kind[60], section[80];

    snprintf(by_token, sizeof by_token, "by the token \"%s\"", policy_show(c->token).text);
    snprintf(for_issue, sizeof for_issue, "for the issue %s", policy_show(c->issue_key).text);
    snprintf(section, sizeof section, "policy.operations.%.40s.limits", c->kind);
    snprintf(of_kind, sizeof of_kind, "of %.40s", c->kind);
    if (!c->part) {
        add_either(&l, c->kind, "per_token", c->token, k->per_token, p->limits.per_token, by_token);
        add_either(&l, c->kind, "per_issue", c->issue_id, k->per_issue, p->limits.per_issue, for_issue);
    }
    add_either(&l, c->kind, "per_target", c->user_id, k->per_target, p->limits.per_target, "on this user");
    if (!c->part) {
        add(&l, k->per_kind > 0 ? section : "policy.limits", "per_kind", "", c->kind, k->per_kind > 0 ? k->per_kind : p->limits.per_kind, of_kind);
        add(&l, "policy.limits", "total", "", "", p->limits.total, "in all");
    }
    add_group(&l, p, c, by_token, for_issue);
    return l.count;
}
