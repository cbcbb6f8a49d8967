/* user_update.c - attributes of a user: only what differs is sent, and what needs a permission of its own is sent apart.
 *
 * Invariant: a plan without a doubt sends nothing that stands already; `before` and `after` have the attributes of the request, all of them.
 */
#include "config/attribute.h"
#include "ops/kind_parts.h"
#include "ops/user_write.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define READ_PERMISSION "User.Read.All"

/* Graph leaves a directory extension out where the user has no value of it. */
static bool is_extension(const char *name)
{
    return strncmp(name, "extension_", 10) == 0;
}

static json_t *new_ref(const json_t *v)
{
    return json_incref((json_t *)(uintptr_t)v);
}

/* Times in one form, so that equal ones are equal; anything else as it is. The caller's. */
static json_t *in_one_form(const struct attribute *a, const json_t *v)
{
    char text[EB_TIME_LEN];
    int64_t ms;

    if (a->type != ATTRIBUTE_DATE || !json_is_string(v) || !eb_time_parse(json_string_value(v), &ms, NULL))
        return new_ref(v);
    return json_string(eb_time_format(ms, text));
}

/* An object of which nothing is set is none. The caller's; takes v. */
static json_t *none_if_bare(json_t *v)
{
    const char *name;
    json_t *member;

    json_object_foreach(v, name, member)
        if (!json_is_null(member))
            return v;
    json_decref(v);
    return json_null();
}

/* What stands now with the request's members over it: a member that is not sent stays. The caller's. */
static json_t *merged(const json_t *now, const json_t *sent)
{
    json_t *v = json_is_object(now) ? json_copy((json_t *)(uintptr_t)now) : json_object();
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)sent, name, member)
        json_object_set(v, name, member);
    return v;
}

static json_t *wanted_value(const struct attribute *a, const json_t *now, const json_t *sent)
{
    if (a->type == ATTRIBUTE_OBJECT && json_is_object(sent))
        return none_if_bare(merged(now, sent));
    return in_one_form(a, sent);
}

/* Graph sets members that are not sent to null where the row says so (employeeOrgData): all of them are sent then. */
static json_t *sent_value(const struct attribute *a, const json_t *now, const json_t *sent)
{
    if (a->type != ATTRIBUTE_OBJECT || !json_is_object(sent) || (a->flags & ATTRIBUTE_WHOLE) == 0)
        return in_one_form(a, sent);

    json_t *v = merged(now, sent);
    for (size_t i = 0; a->members[i] != NULL; i++)
        if (json_object_get(v, a->members[i]) == NULL)
            json_object_set_new(v, a->members[i], json_null());
    return v;
}

static const json_t *value_now(const struct ops_case *c, const struct attribute *a, const char *name, struct eb_err *err)
{
    const json_t *now = json_object_get(c->facts->user_json, name);

    if (now == NULL && is_extension(name) && c->facts->user_json != NULL)
        return json_null();
    return now != NULL ? now : ops_user_told(c->facts, name, a->permission != NULL ? a->permission : READ_PERMISSION, err);
}

static json_t *now_value(const struct attribute *a, const json_t *now)
{
    return a->type == ATTRIBUTE_OBJECT && json_is_object(now) ? none_if_bare(json_copy((json_t *)(uintptr_t)now)) : in_one_form(a, now);
}

/* The PATCH for attributes with this permission of their own (NULL: ordinary ones). */
static json_t *patch_body(const struct ops_case *c, struct ops_plan *p, const char *permission)
{
    const json_t *attributes = json_object_get(c->fields->body, "attributes");
    json_t *body = json_object(), *sent;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)attributes, name, sent) {
        const struct attribute *a = attribute_find(name);
        const char *own = (a->flags & ATTRIBUTE_SEPARATE) != 0 ? a->permission : NULL;

        if (eb_streq(own, permission) && (c->stale || !ops_same(p->before, p->after, name)))
            json_object_set_new(body, name, sent_value(a, json_object_get(c->facts->user_json, name), sent));
    }
    return body;
}

static void add_patch(const struct ops_case *c, struct ops_plan *p, const char *permission)
{
    json_t *body = patch_body(c, p, permission);

    if (json_object_size(body) == 0) {
        json_decref(body);
        return;
    }
    struct ops_write *w = ops_user_write(p, GRAPH_USER_PATCH, c->facts);
    w->body = body;
    snprintf(w->part, sizeof w->part, "%s", permission != NULL ? permission : "");
}

/* Ordinary ones first, then one PATCH for each permission, in the order of the table. */
static void add_patches(const struct ops_case *c, struct ops_plan *p)
{
    const struct attribute *rows;
    size_t n = attribute_rows(&rows);
    const char *done[8] = { NULL };
    size_t count = 0;

    add_patch(c, p, NULL);
    for (size_t i = 0; i < n && count < EB_LEN(done); i++) {
        bool seen = (rows[i].flags & ATTRIBUTE_SEPARATE) == 0;

        for (size_t k = 0; k < count; k++)
            seen |= eb_streq(done[k], rows[i].permission);
        if (seen)
            continue;
        add_patch(c, p, rows[i].permission);
        done[count++] = rows[i].permission;
    }
}

static bool plan_update(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const json_t *attributes = json_object_get(c->fields->body, "attributes");
    json_t *sent;
    const char *name;

    p->before = json_object();
    p->after = json_object();
    json_object_foreach((json_t *)(uintptr_t)attributes, name, sent) {
        const struct attribute *a = attribute_find(name);
        const json_t *now = value_now(c, a, name, err);

        if (now == NULL)
            return false;
        json_object_set_new(p->before, name, now_value(a, now));
        json_object_set_new(p->after, name, wanted_value(a, now, sent));
    }
    if (!ops_plan_compare(c, p))
        add_patches(c, p);
    return true;
}

/* An object's members that differ, as they were. The caller's. */
static json_t *members_back(const json_t *was, const json_t *is)
{
    json_t *back = json_object();
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)is, name, v)
        if (!ops_same(was, is, name)) {
            json_t *old = json_object_get(was, name);
            json_object_set(back, name, old != NULL ? old : json_null());
        }
    return back;
}

json_t *ops_update_undo(const json_t *before, const json_t *after)
{
    json_t *back = json_object(), *v;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)after, name, v) {
        json_t *was = json_object_get(before, name);

        if (ops_same(before, after, name))
            continue;
        if (json_is_object(v))
            json_object_set_new(back, name, members_back(was, v));
        else
            json_object_set(back, name, was != NULL ? was : json_null());
    }
    return json_pack("{s:o}", "attributes", back);
}

const struct ops_change ops_user_update = {
    .changes_user = true, .settle = OPS_SETTLE_LOOK, .plan = plan_update,
    .did = "Changed the attributes of {user}.", .was_so = "{user} already has these attributes.", .would = "Would change the attributes of {user}.",
};
