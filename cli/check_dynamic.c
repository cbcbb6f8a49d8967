/* check_dynamic.c - dynamic groups whose rule reads what the enabled operations write: whoever may ask for these decides who is a member. */
#include "base/text.h"
#include "cli/check.h"
#include "config/attribute.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define READ_MS 20000
#define PAGES_MAX 20

bool check_rule_reads(const char *rule, const char *attribute)
{
    size_t len = strlen(attribute);

    for (const char *p = strcasestr(rule, "user."); p != NULL; p = strcasestr(p + 1, "user.")) {
        const char *name = p + strlen("user.");
        bool begins = p == rule || !(isalnum((unsigned char)p[-1]) || p[-1] == '_');

        if (begins && strncasecmp(name, attribute, len) == 0 && !(isalnum((unsigned char)name[len]) || name[len] == '_'))
            return true;
    }
    return false;
}

static void say(struct check_report *r, const char *name, const char *kind, const char *attribute)
{
    check_say(r, CHECK_WARNING, "dynamic", "the rule of the dynamic group '%s' reads %s, which %s may change: whoever may ask for that decides who is a member", name,
              attribute, kind);
}

/* An attribute of several members (onPremisesExtensionAttributes) is read by the names of these. */
static bool reads(const char *rule, const char *name)
{
    const struct attribute *row = attribute_find(name);

    if (check_rule_reads(rule, name))
        return true;
    for (size_t i = 0; row != NULL && row->members != NULL && row->members[i] != NULL; i++)
        if (check_rule_reads(rule, row->members[i]))
            return true;
    return false;
}

void check_dynamic_group(struct check_report *r, const struct config_policy *p, const char *name, const char *rule)
{
    /* What kinds change besides the attributes that the policy lists. */
    static const struct { const char *kind, *attribute; } changes[] = {
        { "user.enable", "accountEnabled" }, { "user.disable", "accountEnabled" }, { "user.assign_licenses", "assignedPlans" },
        { "user.remove_licenses", "assignedPlans" }, { "user.assign_licenses", "usageLocation" },
    };

    for (size_t i = 0; i < p->operation_count; i++) {
        const struct config_operation_rule *o = &p->operations[i];
        bool writes = strcmp(o->kind, "user.update") == 0 || strcmp(o->kind, "user.create") == 0;

        for (size_t k = 0; writes && k < o->attributes.count; k++)
            if (reads(rule, o->attributes.items[k]))
                say(r, name, o->kind, o->attributes.items[k]);
        for (size_t k = 0; k < EB_LEN(changes); k++)
            if (strcmp(changes[k].kind, o->kind) == 0 && check_rule_reads(rule, changes[k].attribute))
                say(r, name, o->kind, changes[k].attribute);
    }
}

static void on_page(void *ctx, uint64_t id, const struct graph_reply *reply)
{
    struct check_asking *a = ctx;
    const json_t *list = json_object_get(reply->body, "value"), *g;
    const char *next = eb_json_str(reply->body, "@odata.nextLink");
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, g) {
        const char *name = eb_json_str(g, "displayName"), *rule = eb_json_str(g, "membershipRule");
        if (rule != NULL)
            check_dynamic_group(a->report, &a->config->policy, name != NULL ? name : "?", rule);
    }
    if (reply->result == GRAPH_OK && next != NULL && ++a->pages < PAGES_MAX) {
        graph_get_link(a->graph, next, READ_MS, 0, on_page, a);
        return;
    }
    if (reply->result != GRAPH_OK || next != NULL)
        check_say(a->report, CHECK_WARNING, "dynamic", "not all dynamic groups could be read%s%s", reply->result != GRAPH_OK ? ": " : "",
                  reply->result != GRAPH_OK ? reply->err.text : "");
    a->done(a->ctx);
}

void check_dynamic_groups(struct check_asking *a)
{
    char *path = graph_query_dynamic_groups();

    graph_get(a->graph, path, READ_MS, 0, on_page, a);
    free(path);
}
