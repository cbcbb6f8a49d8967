/* duration.c - how long a membership may last: the shorter of what the operation and the group allow. */
#include "policy/verdict.h"

#include "base/clock.h"

static const char *end_field(const struct policy_case *c)
{
    return json_object_get(c->request, "expiresAt") != NULL ? "expiresAt" : "expiresIn";
}

/* The condition with the shortest max_duration; false: none has one. */
static bool shortest(const struct policy_case *c, struct policy_asked *ret)
{
    struct policy_asked a;
    bool any = false;

    for (size_t side = 0; side < POLICY_SIDES; side++)
        if (policy_asked(c, side, &a) && a.k->max_duration_ms > 0 && (!any || a.k->max_duration_ms < ret->k->max_duration_ms)) {
            *ret = a;
            any = true;
        }
    return any;
}

bool policy_check_duration(const struct policy_case *c, struct policy_verdict *v)
{
    struct policy_asked a;
    char text[EB_TIME_LEN];

    if (!c->adds_member)
        return true;
    if (c->duration_ms < 0)
        return policy_refuse(v, EB_LIMIT_EXCEEDED, "membership.end", end_field(c), "The membership would have ended before it began. Ask for an end that is yet to come.");
    v->duration_ms = c->duration_ms;
    if (!shortest(c, &a))
        return true;
    if (c->duration_ms > a.k->max_duration_ms)
        return policy_refuse_asked(v, EB_LIMIT_EXCEEDED, &a, "max_duration", end_field(c),
                                   "This membership may last %s at most. Ask for an end within that time.", eb_duration_format(a.k->max_duration_ms, text));
    if (c->duration_ms == 0)
        v->duration_ms = a.k->max_duration_ms;
    return true;
}
