/* attribute.c - the attributes that a request writes: all of them listed, none that hands over an account without consent.
 *
 * The configuration refuses such lists when it is read; that they are refused here too is so that neither place must be trusted alone.
 */
#include "policy/verdict.h"

#include "base/text.h"
#include "config/attribute.h"

#include <string.h>

static unsigned flags_of(const char *name)
{
    const struct attribute *rows;
    size_t count = attribute_rows(&rows);

    for (size_t i = 0; i < count; i++)
        if (eb_strieq(rows[i].name, name))
            return rows[i].flags;
    return 0;
}

bool policy_attribute_forbidden(const char *name) { return (flags_of(name) & ATTRIBUTE_FORBIDDEN) != 0; }
bool policy_attribute_sensitive(const char *name) { return (flags_of(name) & ATTRIBUTE_SENSITIVE) != 0; }

static bool is_listed(const struct config_operation_rule *o, const char *name)
{
    for (size_t i = 0; i < o->attributes.count; i++)
        if (strcmp(o->attributes.items[i], name) == 0)
            return true;
    return false;
}

static bool refuse(struct policy_verdict *v, const struct policy_asked *a, const char *key, const char *name, const char *why)
{
    return policy_refuse_asked(v, EB_ATTRIBUTE_NOT_PERMITTED, a, key, "attributes", "%s %s", policy_show(name).text, why);
}

static bool check_create(const struct policy_asked *a, const struct config_operation_rule *o, const char *name, struct policy_verdict *v)
{
    const struct attribute *row = attribute_find(name);
    unsigned flags = row != NULL ? row->flags : 0;

    if ((flags & ATTRIBUTE_ALWAYS) != 0)
        return true;
    if ((flags & ATTRIBUTE_CREATE) == 0)
        return refuse(v, a, "attributes", name, "cannot be set when a user is made.");
    return is_listed(o, name) || refuse(v, a, "attributes", name, "is not among the attributes that the policy lets this operation write. Leave it out.");
}

static bool check_change(const struct policy_asked *a, const struct config_operation_rule *o, const char *name, struct policy_verdict *v)
{
    const struct attribute *row = attribute_find(name);

    if (policy_attribute_forbidden(name))
        return refuse(v, a, "attributes", name, "is never written as an attribute. Use the operation that is meant for it.");
    if (row == NULL || (row->flags & ATTRIBUTE_UPDATE) == 0)
        return refuse(v, a, "attributes", name, "is no attribute that an application can write. Names are Graph's, in Graph's case.");
    if (!is_listed(o, name))
        return refuse(v, a, "attributes", name, "is not among the attributes that the policy lets this operation write. Leave it out.");
    if (policy_attribute_sensitive(name) && (!o->sensitive || !o->conditions.approval))
        return refuse(v, a, "sensitive", name, "could hand over the account, so the policy must say sensitive: true and approval: required.");
    return true;
}

bool policy_check_attributes(const struct policy_case *c, struct policy_verdict *v)
{
    const struct config_operation_rule *o = policy_operation(c->policy, c->kind);
    struct policy_asked a;

    if (c->attributes == NULL || !policy_asked(c, POLICY_OF_OPERATION, &a))
        return true;
    for (const char *const *name = c->attributes; *name != NULL; name++)
        if (!(attribute_of_new_user(c->kind) ? check_create : check_change)(&a, o, *name, v))
            return false;
    return true;
}
