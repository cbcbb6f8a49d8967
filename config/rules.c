/* rules.c - what the keys of one rule of the policy say together.
 *
 * Invariant: a rule that could be read as stricter than it is enforced does not load.
 */
#include "config/rules.h"

#include "base/text.h"
#include "config/attribute.h"
#include "config/reader.h"

#include <stdio.h>
#include <string.h>

/* One rule while it is looked at. */
struct rule { struct reader *r; const char *path; const struct node *n; const struct config_projects *projects; const struct config_conditions *c; };

static const struct node *given(const struct rule *l, const char *name)
{
    return node_child(l->n, name, strlen(name));
}

static void fault(const struct rule *l, const char *name, const char *fmt, ...) EB_PRINTF(3, 4);
static void fault(const struct rule *l, const char *name, const char *fmt, ...)
{
    char path[300], text[400];
    const struct node *key = given(l, name);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(path, sizeof(path), "%s.%s", l->path, name);
    fault_add(l->r->faults, key != NULL ? key->name_line : l->n->line, path, "%s", text);
}

/* Also where the word could not be read: then its own fault is enough. */
static bool asks_approval(const struct rule *l)
{
    const struct node *key = given(l, "approval");

    return key != NULL && (key->type != NODE_TEXT || strcmp(key->text, "none") != 0);
}

static void check_approval_keys(const struct rule *l)
{
    static const char *const details[] = { "approvals", "approvers", "approval_max_age", "bind" };

    for (size_t i = 0; i < EB_LEN(details); i++)
        if (given(l, details[i]) != NULL && !asks_approval(l))
            fault(l, details[i], "has no effect without an approval, expected approval: required beside it");
}

/* Whoever runs any project could fulfil these there; and without an issue there is neither an approval nor a reporter. */
static void check_every_project(const struct rule *l)
{
    if (!l->projects->all)
        return;
    if (l->c->approval)
        fault(l, "approval", "stands beside projects: \"*\", where any project's own approvers would do, expected a list of projects");
    if (l->c->requester != CONFIG_REQUESTER_UNASKED)
        fault(l, "requester", "stands beside projects: \"*\", expected a list of projects whose reporters are trusted");
}

static void check_conditions(const struct rule *l)
{
    check_approval_keys(l);
    check_every_project(l);
}

void check_group_rule(struct reader *r, const char *path, const struct node *n, void *item)
{
    const struct config_group_rule *g = item;

    check_conditions(&(struct rule){ r, path, n, &g->projects, &g->conditions });
}

/* ---- operations ---- */

static bool in(const char *const *list, const char *name)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static void check_kind_keys(const struct rule *l, const char *kind)
{
    static const char parent[] = "policy.operations.*.";

    for (size_t i = 0; i < config_key_count; i++) {
        const struct key *k = &config_keys[i];
        char kinds[200];
        size_t used = 0;

        if (k->only == NULL || strncmp(k->name, parent, sizeof(parent) - 1) != 0 || given(l, key_last(k->name)) == NULL || in(k->only, kind))
            continue;
        for (size_t j = 0; k->only[j] != NULL && used < sizeof(kinds); j++)
            used += (size_t)snprintf(kinds + used, sizeof(kinds) - used, "%s%s", j > 0 ? ", " : "", k->only[j]);
        fault(l, key_last(k->name), "means nothing for %s, expected only for %s", kind, kinds);
    }
}

static void check_without_issue(const struct rule *l)
{
    static const char *const of_issue[] = { "requester", "request_types", "statuses", "max_age" };

    if (l->c->approval)
        fault(l, "approval", "cannot hold without an issue, expected issue: required");
    for (size_t i = 0; i < EB_LEN(of_issue); i++)
        if (given(l, of_issue[i]) != NULL)
            fault(l, of_issue[i], "cannot hold without an issue, expected issue: required");
}

static void check_target(const struct rule *l, const char *kind)
{
    static const char *const no_target[] = { "user.create", "user.invite", "user.search", "group.get", "group.list_members", NULL };

    if ((l->c->requester == CONFIG_REQUESTER_MANAGER || l->c->requester == CONFIG_REQUESTER_SELF) && in(no_target, kind))
        fault(l, "requester", "asks who the reporter is to the user, and %s has no user that is there already, expected any or \"group:NAME\"", kind);
}

static void check_limits(const struct rule *l, const char *kind)
{
    static const char *const reads[] = { "user.get", "user.list_groups", "user.search", "group.get", "group.list_members", NULL };

    if (in(reads, kind) && given(l, "limits") != NULL)
        fault(l, "limits", "means nothing for %s, which changes nothing; remove it", kind);
}

static void attribute_fault_at(const struct rule *l, const struct node *item, const char *text)
{
    char path[300];

    snprintf(path, sizeof(path), "%s.attributes", l->path);
    fault_add(l->r->faults, item->line, path, "%s %s", item->text, text);
}

static void check_update_attribute(const struct rule *l, const struct config_operation_rule *o, const struct attribute *a, const struct node *item)
{
    if ((a->flags & ATTRIBUTE_FORBIDDEN) != 0)
        attribute_fault_at(l, item, "is never written by user.update, expected other attributes (enabling, passwords and the like have operations of their own)");
    else if ((a->flags & ATTRIBUTE_UPDATE) == 0)
        attribute_fault_at(l, item, "cannot be written by an application, expected other attributes");
    else if ((a->flags & ATTRIBUTE_SENSITIVE) != 0 && (!o->sensitive || !o->conditions.approval))
        attribute_fault_at(l, item, "is sensitive, expected sensitive: true and approval: required beside it");
}

static void check_attributes(const struct rule *l, const struct config_operation_rule *o)
{
    const struct node *list = given(l, "attributes");
    bool update = strcmp(o->kind, "user.update") == 0, create = strcmp(o->kind, "user.create") == 0;

    if (list == NULL || list->type == NODE_MAP || (!update && !create))
        return;
    for (const struct node *item = list->type == NODE_TEXT ? list : list->first; item != NULL; item = list->type == NODE_TEXT ? NULL : item->next) {
        const struct attribute *a = item->type == NODE_TEXT ? attribute_find(item->text) : NULL;
        if (a != NULL && update)
            check_update_attribute(l, o, a, item);
        else if (a != NULL && (a->flags & (ATTRIBUTE_CREATE | ATTRIBUTE_ALWAYS)) == 0)
            attribute_fault_at(l, item, "cannot be set when a user is made, expected other attributes");
    }
}

void check_operation_rule(struct reader *r, const char *path, const struct node *n, void *item)
{
    const struct config_operation_rule *o = item;
    struct rule l = { r, path, n, &o->projects, &o->conditions };

    check_conditions(&l);
    check_kind_keys(&l, o->kind);
    check_target(&l, o->kind);
    check_limits(&l, o->kind);
    check_attributes(&l, o);
    if (o->issue_optional)
        check_without_issue(&l);
}

/* ---- separation of duties ---- */

void check_duty(struct reader *r, const char *path, const struct node *n, void *item)
{
    const struct config_list *groups = &((const struct config_duty *)item)->groups;
    struct rule l = { r, path, n, NULL, NULL };

    if (groups->count == 1)
        fault(&l, "groups", "names one group, expected two or more of which nobody may hold two");
    for (size_t i = 1; i < groups->count; i++)
        for (size_t j = 0; j < i; j++)
            if (eb_strieq(groups->items[i], groups->items[j])) {
                fault(&l, "groups", "names a group twice (%s), expected groups that differ", groups->items[i]);
                return;
            }
}
