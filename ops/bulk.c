/* bulk.c - lists of users and groups in one request, and the undo of what was made of steps. Pure. */
#include "ops/kind_parts.h"
#include "base/text.h"

#include <string.h>

static json_t *targets(const struct ops_case *c, const char *one, const char *many)
{
    const char *text = ops_field_text(c->fields, one);
    json_t *list = json_object_get(c->fields->body, many);

    return text != NULL ? json_pack("[s]", text) : json_incref(list);
}

/* One group after the other, so that those who wait for quota together go out together. */
static bool compose_members(const struct ops_case *c, struct ops_steps *s, struct eb_err *err)
{
    static const char *const further[] = { "expiresIn", "expiresAt" };
    EB_AUTO(json_t, json_decref) users = targets(c, "user", "users");
    EB_AUTO(json_t, json_decref) groups = targets(c, "group", "groups");
    const json_t *user, *group;
    size_t g, u;

    if (json_array_size(users) * json_array_size(groups) > OPS_BULK_MAX)
        return eb_fail_field(err, EB_INVALID_REQUEST, "users", "%zu users times %zu groups are more than the %d memberships that one request may change.",
                             json_array_size(users), json_array_size(groups), OPS_BULK_MAX);
    json_array_foreach(groups, g, group)
        json_array_foreach(users, u, user) {
            json_t *fields = json_pack("{s:O, s:O}", "user", user, "group", group);

            for (size_t i = 0; i < EB_LEN(further); i++)
                if (json_object_get(c->fields->body, further[i]) != NULL)
                    json_object_set(fields, further[i], json_object_get(c->fields->body, further[i]));
            ops_step_add(s, c->kind->name, fields, 0, OPS_HARMLESS);
        }
    return true;
}

static void add_undo(struct ops_steps *s, const json_t *told)
{
    const char *id = eb_json_str(told, "operation"), *name = eb_json_str(told, "name");

    if (id == NULL || name == NULL || !eb_json_bool(told, "changed", false))
        return;
    ops_step_add(s, name, json_object(), (int)json_array_size(s->list), OPS_HARMLESS);
    json_object_set_new(json_array_get(s->list, json_array_size(s->list) - 1), "undo", json_string(id));
}

/* The last one first. What cannot be undone says so when its turn comes. */
static bool compose_undo(const struct ops_case *c, struct ops_steps *s, struct eb_err *err)
{
    const json_t *steps = json_object_get(c->undone, "steps");

    if (steps == NULL)
        steps = json_object_get(c->undone, "results");
    for (size_t i = json_array_size(steps); i-- > 0; )
        add_undo(s, json_array_get(steps, i));
    if (json_array_size(s->list) == 0)
        return eb_fail(err, EB_UNDO_NOT_POSSIBLE, "No step of it has changed anything.");
    return true;
}

#define BULK_AT_ONCE 120

const struct ops_change ops_members_add = {
    .compose = compose_members, .steps_as = "results", .at_once = BULK_AT_ONCE, .background = true,
    .did = "Changed {steps}.", .was_so = "All are members already.", .would = "Would change {steps}.",
};
const struct ops_change ops_members_remove = {
    .compose = compose_members, .steps_as = "results", .at_once = BULK_AT_ONCE, .background = true,
    .did = "Changed {steps}.", .was_so = "None is a member.", .would = "Would change {steps}.",
};
const struct ops_change ops_steps_undo = {
    .compose = compose_undo, .steps_as = "steps", .at_once = 1,
    .did = "Undid {steps}.", .was_so = "There was nothing to undo.", .would = "Would undo {steps}.",
};
