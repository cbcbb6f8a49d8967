/* decide.c - the order of the checks, and those on token and operation.
 *
 * Invariant: allowed means that every check of the list that applies ran and said nothing; there is no other way to EB_OK.
 */
#include "policy/verdict.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct shown policy_show(const char *name)
{
    struct shown s;

    eb_text_clean(name != NULL && *name != '\0' ? name : "it", s.text, sizeof(s.text));
    return s;
}

static void fill(struct policy_verdict *v, enum eb_code code, const char *field, const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));
static void fill(struct policy_verdict *v, enum eb_code code, const char *field, const char *fmt, va_list ap)
{
    char text[1024];

    vsnprintf(text, sizeof(text), fmt, ap);
    v->code = code;
    v->field = field;
    eb_text_clean(text, v->reason, sizeof(v->reason));     /* cuts on a character */
}

bool policy_refuse(struct policy_verdict *v, enum eb_code code, const char *rule, const char *field, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(v, code, field, fmt, ap);
    va_end(ap);
    snprintf(v->rule, sizeof(v->rule), "%s", rule);
    return false;
}

bool policy_refuse_asked(struct policy_verdict *v, enum eb_code code, const struct policy_asked *a, const char *key, const char *field, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fill(v, code, field, fmt, ap);
    va_end(ap);
    snprintf(v->rule, sizeof(v->rule), "%s.%s", a->rule, key);
    return false;
}

static bool check_token(const struct policy_case *c, struct policy_verdict *v)
{
    if (policy_listed(c->caller->operations, c->kind))
        return true;
    return policy_refuse(v, EB_OPERATION_NOT_PERMITTED, "token.operations", NULL,
                         "The token \"%s\" is not valid for %s. Use one that `entrabridge token create` made with this operation.",
                         policy_show(c->caller->name).text, c->kind);
}

static bool check_operation(const struct policy_case *c, struct policy_verdict *v)
{
    if (policy_operation(c->policy, c->kind) != NULL)
        return true;
    return policy_refuse(v, EB_OPERATION_NOT_PERMITTED, "policy.operations", NULL,
                         "The policy does not allow %s: it is not listed under policy.operations.", c->kind);
}

/* What a kind changes must be there to be looked at: a case without it is a fault of the program, and is refused. */
static bool check_complete(const struct policy_case *c, struct policy_verdict *v)
{
    if (c->ends_member && (!c->changes_group || c->adds_member || c->changes_user || c->attributes != NULL))
        return policy_refuse(v, EB_INTERNAL, "facts", NULL, "The end of a membership changes that membership and nothing else.");
    if (c->user == NULL && (c->changes_user || c->changes_group || c->adds_member))
        return policy_refuse(v, EB_PRINCIPAL_PROTECTED, "facts", "user", "Nothing is known about the user, so nothing is changed.");
    if (c->group == NULL && (c->changes_group || c->adds_member))
        return policy_refuse(v, EB_GROUP_NOT_SERVICEABLE, "facts", "group", "Nothing is known about the group, so nothing is changed.");
    return true;
}

/* at_end: holds for the end of a membership too, which needs no permission: only protection, and what Graph cannot change, stops it. */
static const struct { policy_check *check; bool at_end; } in_order[] = {
    { check_token, false }, { check_operation, false }, { policy_check_attributes, false },
#define UP_TO_OPERATION 3
    { policy_check_issue_present, false }, { policy_check_project, false }, { policy_check_issue_conditions, false },
#define UP_TO_ISSUE 6
    { check_complete, true },
    { policy_check_user, true }, { policy_check_principal, true }, { policy_check_user_modifiable, true },
    { policy_check_group, true }, { policy_check_group_issue, false }, { policy_check_group_modifiable, true }, { policy_check_duties, false },
    { policy_check_approval, false }, { policy_check_requester, false },
    { policy_check_duration, false },
};

static bool is_shadow(const struct policy_case *c)
{
    struct policy_asked a;
    bool shadow = !c->ends_member && c->policy->mode != CONFIG_ENFORCE;

    for (size_t side = 0; side < POLICY_SIDES; side++)
        if (policy_asked(c, side, &a) && a.k->mode != CONFIG_ENFORCE)
            shadow = true;
    return shadow;
}

static bool allow(const struct policy_case *c, struct policy_verdict *v)
{
    int64_t duration_ms = v->duration_ms;

    *v = (struct policy_verdict){ .code = EB_OK, .shadow = is_shadow(c), .duration_ms = duration_ms };
    snprintf(v->rule, sizeof(v->rule), c->ends_member ? "membership.end" : "policy.operations.%s", c->kind);
    return true;
}

static bool passes(const struct policy_case *c, size_t checks, struct policy_verdict *v)
{
    *v = (struct policy_verdict){ .code = EB_INTERNAL };
    for (size_t i = 0; i < checks; i++)
        if ((in_order[i].at_end || !c->ends_member) && !in_order[i].check(c, v))
            return false;
    return true;
}

bool policy_decide(const struct policy_case *c, struct policy_verdict *v)
{
    return passes(c, EB_LEN(in_order), v) && allow(c, v);
}

bool policy_decide_issue(const struct policy_case *c, struct policy_verdict *v)
{
    return passes(c, UP_TO_ISSUE, v) && allow(c, v);
}

bool policy_decide_early(const struct policy_case *c, bool has_issue, struct policy_verdict *v)
{
    if (!passes(c, UP_TO_OPERATION, v))
        return false;
    if (!c->ends_member && (!policy_check_issue_given(c, has_issue, v) || (!has_issue && !policy_check_without_issue(c, v))))
        return false;
    return allow(c, v);
}
