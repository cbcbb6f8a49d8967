/* control_put.c - POST /sim/users and /sim/groups: makes or changes state, so that tests can have what they need.
 *
 * Not counted as effects. An unknown reference (a manager, a member) is refused by name; what came before it in the list stands.
 */
#include "sim/control.h"

#include "base/text.h"
#include "sim/cast.h"
#include "sim/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list != NULL && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

/* Sets Graph attributes; skips those that stand for something else here. */
static bool set_attributes(struct sim *s, struct entra_object *o, const json_t *from, const char *const *skip, struct eb_err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)from, name, value) {
        if (is_one_of(name, skip))
            continue;
        if (!odata_has_property(o->kind, name))
            return eb_fail(err, EB_INVALID_REQUEST, "no attribute %s", name);
        if (strcmp(name, "id") != 0)
            entra_set(s->entra, o, name, json_incref(value));
    }
    return true;
}

/* A new object with the given or a chosen id; NULL: the id is none or taken. */
static struct entra_object *make(struct sim *s, enum entra_kind kind, const json_t *from, struct eb_err *err)
{
    const char *given = eb_json_str(from, "id");
    char id[EB_ID_LEN];

    eb_uuid4(id);
    if (given != NULL && (!eb_is_guid(given) || entra_find(s->entra, given) != NULL || entra_binned(s->entra, given) != NULL)) {
        eb_fail(err, EB_INVALID_REQUEST, "id %s is no GUID, or taken", given);
        return NULL;
    }
    if (given != NULL)
        for (size_t i = 0; given[i] != '\0'; i++)
            id[i] = (char)(given[i] >= 'A' && given[i] <= 'F' ? given[i] | 0x20 : given[i]);
    json_t *attrs = json_pack("{s:s, s:s}", "id", id, "createdDateTime", "2026-01-01T00:00:00Z");
    if (kind == ENTRA_USER) {
        json_object_set_new(attrs, "accountEnabled", json_true());
        json_object_set_new(attrs, "userType", json_string("Member"));
    } else {
        cast_group_kind(attrs, "security");
    }
    return entra_add(s->entra, kind, attrs);
}

/* Gives the user exactly the named directory roles. */
static bool set_roles(struct sim *s, struct entra_object *user, const json_t *names, bool eligible, struct eb_err *err)
{
    struct entra_object *role;

    if (names == NULL)
        return true;
    entra_unassign(s->entra, user->id, eligible);
    TAILQ_FOREACH(role, &s->entra->all[ENTRA_ROLE], next)
        if (!eligible)
            entra_unlink(s->entra, ENTRA_MEMBER, role, user);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        TAILQ_FOREACH(role, &s->entra->all[ENTRA_ROLE], next)
            if (eb_streq(eb_json_str(role->attrs, "displayName"), name))
                break;
        if (role == NULL)
            return eb_fail(err, EB_INVALID_REQUEST, "no directory role %s", name != NULL ? name : "");
        entra_assign(s->entra, user->id, eb_json_str(role->attrs, "roleTemplateId"), "/", eligible);
        if (!eligible)
            entra_link(s->entra, ENTRA_MEMBER, role, user);
    }
    return true;
}

/* "methods" replaces all; "defaultMethod" is the id of one of them, or null. */
static bool set_sign_in(struct entra_object *o, const json_t *from, struct eb_err *err)
{
    json_t *methods = json_object_get(from, "methods");
    const char *id = eb_json_str(from, "defaultMethod");

    if (methods != NULL && !json_is_array(methods))
        return eb_fail(err, EB_INVALID_REQUEST, "methods is a list");
    if (methods != NULL) {
        json_decref(o->methods);
        o->methods = json_deep_copy(methods);
    }
    if (json_object_get(from, "defaultMethod") != NULL)
        snprintf(o->default_method, sizeof(o->default_method), "%s", id != NULL ? id : "");
    return true;
}

/* Gives SKUs by id, beside those that are there. */
static bool set_licences(struct sim *s, struct entra_object *o, const json_t *ids, struct eb_err *err)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        if (id == NULL || !licences_give(s, o, id, NULL))
            return eb_fail(err, EB_INVALID_REQUEST, "no SKU %s", id != NULL ? id : "");
    }
    return true;
}

static bool put_user(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    static const char *const skip[] = { "manager", "managerId", "accountId", "roles", "eligibleRoles", "hideEmail", "deleted", "password",
                                        "temporaryAccessPass", "methods", "defaultMethod", "licences", NULL };
    const char *id = eb_json_str(from, "id"), *upn = eb_json_str(from, "userPrincipalName");
    struct entra_object *o = id != NULL ? entra_find_kind(s->entra, ENTRA_USER, id) : upn != NULL ? entra_find_user(s->entra, upn) : NULL;

    if (o == NULL && upn == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "a new user needs userPrincipalName");
    if (o == NULL)
        o = make(s, ENTRA_USER, from, err);
    if (o == NULL)
        return false;
    entra_inflate(s->entra, o);
    if (!set_attributes(s, o, from, skip, err))
        return false;
    json_t *manager = json_object_get(from, "manager");
    if (manager != NULL)
        entra_set_manager(s->entra, o, json_is_string(manager) ? entra_find_user(s->entra, json_string_value(manager)) : NULL);
    if (json_is_string(manager) && o->manager == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "no manager %s", json_string_value(manager));
    if (!set_roles(s, o, json_object_get(from, "roles"), false, err) || !set_roles(s, o, json_object_get(from, "eligibleRoles"), true, err))
        return false;
    if (!set_sign_in(o, from, err) || !set_licences(s, o, json_object_get(from, "licences"), err))
        return false;
    struct tracker_account *account = o->number == 0 ? cast_account(s, o) : cast_account_found(s, o);
    if (account != NULL)            /* not every generated person has one */
        account->email_hidden = eb_json_bool(from, "hideEmail", account->email_hidden);
    json_array_append_new(done, control_user_json(s, o));
    if (eb_json_bool(from, "deleted", false)) {
        licences_release(s, o);
        entra_delete(s->entra, o);
    }
    return true;
}

/* Makes the given list the only members or owners. */
static bool set_links(struct sim *s, struct entra_object *g, enum entra_relation rel, const json_t *list, struct eb_err *err)
{
    struct entra_edge *edge;

    if (list == NULL)
        return true;
    TAILQ_FOREACH(edge, &g->out[rel], in_from)
        if (edge->gone_ms == 0)
            entra_unlink(s->entra, rel, g, edge->key.to);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        struct entra_object *m = name == NULL ? NULL : entra_find(s->entra, name) != NULL ? entra_find(s->entra, name) : entra_find_user(s->entra, name);
        if (m == NULL)
            return eb_fail(err, EB_INVALID_REQUEST, "no user or group %s", name != NULL ? name : "");
        entra_link(s->entra, rel, g, m);
    }
    return true;
}

static bool put_group(struct sim *s, const json_t *from, json_t *done, struct eb_err *err)
{
    static const char *const skip[] = { "kind", "members", "owners", "cloudManaged", "deleted", NULL };
    const char *id = eb_json_str(from, "id"), *kind = eb_json_str(from, "kind");
    struct entra_object *o = id != NULL ? entra_find_kind(s->entra, ENTRA_GROUP, id) : NULL;

    if (o == NULL && eb_json_str(from, "displayName") == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "a new group needs displayName");
    if (o == NULL)
        o = make(s, ENTRA_GROUP, from, err);
    if (o == NULL)
        return false;
    if (kind != NULL && !cast_group_kind(o->attrs, kind))
        return eb_fail(err, EB_INVALID_REQUEST, "no kind of group %s", kind);
    if (kind != NULL)
        entra_log_add(&s->entra->log, o, CHANGE_SET, "groupTypes", NULL);
    o->cloud_managed = eb_json_bool(from, "cloudManaged", o->cloud_managed);
    if (!set_attributes(s, o, from, skip, err) || !set_links(s, o, ENTRA_MEMBER, json_object_get(from, "members"), err) ||
        !set_links(s, o, ENTRA_OWNER, json_object_get(from, "owners"), err))
        return false;
    json_array_append_new(done, control_group_json(o));
    if (eb_json_bool(from, "deleted", false))
        entra_delete(s->entra, o);
    return true;
}

void control_put_all(struct sim *s, struct sim_call *c, struct sim_reply *r, const char *name, control_put_one *put)
{
    json_t *body = sim_call_json(c), *done = json_array();
    size_t n = json_is_array(body) ? json_array_size(body) : 1;
    struct eb_err err = { 0 };
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        const json_t *one = json_is_array(body) ? json_array_get(body, i) : body;
        ok = json_is_object(one) ? put(s, one, done, &err) : eb_fail(&err, EB_INVALID_REQUEST, "an object or an array of objects was expected");
    }
    if (ok)
        sim_reply_json(r, 200, json_pack("{s:O}", name, done));
    else
        control_error(r, &err);
    json_decref(done);
    sim_waits_check(s);
}

void control_put_users(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "users", put_user);
}

void control_put_groups(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    control_put_all(s, c, r, "groups", put_group);
}
