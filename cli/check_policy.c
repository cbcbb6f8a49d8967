/* check_policy.c - what a policy may say, but seldom means. Pure. */
#include "cli/check.h"

static void check_conditions(struct check_report *r, const char *what, const char *name, const struct config_conditions *k)
{
    if (k->approval && k->bind.count == 0)
        check_say(r, CHECK_WARNING, "approval", "%s '%s' asks for an approval without `bind`: what was approved is then only that something about the issue was. "
                  "Bind the fields of the issue that say for whom and what", what, name);
}

void check_policy(struct check_report *r, const struct config_policy *p)
{
    for (size_t i = 0; i < p->group_count; i++)
        check_conditions(r, "serviceable group", p->groups[i].group, &p->groups[i].conditions);
    for (size_t i = 0; i < p->operation_count; i++)
        check_conditions(r, "operation", p->operations[i].kind, &p->operations[i].conditions);
}
