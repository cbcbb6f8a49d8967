/* limit.c - the policy's limits and one operation. They are counted in the transaction that lets it go on (wait.c). */
#include "ops/wait.h"

#include <stdio.h>

static int items(const json_t *list)
{
    size_t n = json_array_size(list);

    return n > 1 ? (int)n : 1;
}

int limit_weight(const struct operation *op)
{
    const json_t *body = op->fields.body;

    return op->kind->change->background ? items(json_object_get(body, "users")) * items(json_object_get(body, "groups")) : 1;
}

/* A step of a list: the list, which names nobody yet, was asked for all but what is about one user or group. */
bool limit_is_part(const struct operation *op)
{
    return op->is_step && op->judged_as != NULL && op->judged_as->change->background;
}

/* What ends a membership needs no permission; who undoes at the command line is a person already; a step of a journey was counted with it. */
static bool is_limited(const struct operation *op)
{
    return !op->passed && !op->ends_member && !op->by_command && (!op->is_step || limit_is_part(op));
}

/* Whom a list names once is counted with the whole list already. */
static bool is_asked(const struct operation *op, const char *list)
{
    return !limit_is_part(op) || json_object_get(op->judged_body, list) != NULL;
}

size_t limit_find(const struct operation *op, struct policy_limit out[POLICY_LIMITS_MAX])
{
    const struct directory_facts *f = op->facts;
    bool user = f != NULL && f->has_user && f->user.found && is_asked(op, "users"), group = f != NULL && f->has_group && is_asked(op, "groups");
    const struct policy_limit_case c = {
        .kind = op->kind->name, .token = op->token_name, .issue_id = op->issue.id, .issue_key = op->issue.key,
        .user_id = user ? f->user.id : NULL, .group = group ? &f->group : NULL,
        .part = limit_is_part(op),
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
