/* limit.c - the policy's limits and one operation. They are counted in the transaction that lets it go on (wait.c). */
#include "ops/wait.h"

#include <stdio.h>

static int items(const json_t *list)
{
    size_t n = json_array_size(list);

    return n > 1 ? (int)n : 1;
}

int limit_weight(const struct ops_fields *f)
{
    return items(json_object_get(f->body, "users")) * items(json_object_get(f->body, "groups"));
}

/* What ends a membership needs no permission; who undoes at the command line is a person already. */
static bool is_limited(const struct operation *op)
{
    return !op->passed && !op->ends_member && !op->by_command && !wait_is_step(op);
}

size_t limit_find(const struct operation *op, struct policy_limit out[POLICY_LIMITS_MAX])
{
    const struct directory_facts *f = op->facts;
    const struct policy_limit_case c = {
        .kind = op->kind->name, .token = op->token_name, .issue_id = op->issue.id, .issue_key = op->issue.key,
        .user_id = f != NULL && f->has_user && f->user.found ? f->user.id : NULL, .group = f != NULL && f->has_group ? &f->group : NULL,
    };

    return is_limited(op) ? policy_limits(&op->config->policy, &c, out) : 0;
}

void limit_message(const struct operation *op, const struct policy_limit *l, char *out, size_t size)
{
    char would[300], window[EB_TIME_LEN];

    ops_would_make(op, would, sizeof would);
    snprintf(out, size, "Held, and nothing was changed yet: more than %d operations %.200s within %s (%s). It waits for an administrator. It would %.250s", l->most,
             l->about, eb_duration_format(op->config->policy.limits.window_ms, window), l->rule, would);
}
