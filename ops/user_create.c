/* user_create.c - a new user, by one request: attributes, manager, first password; or a password that nobody sees, and an access pass.
 *
 * Invariant: the user principal name is recorded before the call. After a doubt it is that one or none: the collision rule could make a second user.
 */
#include "ops/user_write.h"
#include "base/text.h"
#include "ops/kind_parts.h"
#include "ops/upn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANDIDATES 9                    /* base, base2, ... base9 */
_Static_assert(CANDIDATES <= OPS_UPN_CANDIDATES, "they fit");

static const json_t *attributes_of(const struct ops_fields *f)
{
    return json_object_get(f->body, "attributes");
}

/* ---- the name ---- */

/* As the request says it, in one place or the other. */
static const char *asked_upn(const struct ops_fields *f)
{
    const char *s = ops_field_text(f, "userPrincipalName");

    return s != NULL ? s : eb_json_str(attributes_of(f), "userPrincipalName");
}

void ops_create_upns(const struct ops_fields *f, const struct config_operation_rule *rule, char *out[OPS_UPN_CANDIDATES + 1])
{
    const char *asked = asked_upn(f), *pattern = rule != NULL ? rule->user_principal_name : NULL;
    size_t n = 0;

    if (asked != NULL)
        out[n++] = eb_strdup(asked);
    for (int i = 1; asked == NULL && pattern != NULL && i <= CANDIDATES; i++) {
        char upn[OPS_UPN_MAX];

        if (ops_upn_make(pattern, attributes_of(f), i, upn, NULL))
            out[n++] = eb_strdup(upn);
    }
    out[n] = NULL;
}

static bool fail_nameless(const struct ops_case *c, struct eb_err *err)
{
    char upn[OPS_UPN_MAX];

    if (c->rule == NULL || c->rule->user_principal_name == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, "userPrincipalName", "`userPrincipalName` is missing, and the policy has no pattern to make one "
                             "(policy.operations.user.create.user_principal_name).");
    if (!ops_upn_make(c->rule->user_principal_name, attributes_of(c->fields), 1, upn, err))
        return false;
    return eb_fail_field(err, EB_INVALID_REQUEST, "userPrincipalName", "No user principal name could be made.");
}

static bool fail_taken(const struct ops_case *c, const char *upn, struct eb_err *err)
{
    if (asked_upn(c->fields) != NULL)
        return eb_fail_field(err, EB_USER_ALREADY_EXISTS, "userPrincipalName", "The user principal name %s is somebody's already.", upn);
    return eb_fail_field(err, EB_USER_ALREADY_EXISTS, "userPrincipalName", "%s and all its variants to %d are somebody's already. Send `userPrincipalName`.", upn,
                         CANDIDATES);
}

static bool is_free(const struct ops_case *c, const char *upn)
{
    return ops_list_find(c->facts->taken_json, "userPrincipalName", upn) == NULL;
}

/* The first free one; of a recorded plan the recorded one. */
static bool choose(const struct ops_case *c, char out[OPS_UPN_MAX], struct eb_err *err)
{
    char *all[OPS_UPN_CANDIDATES + 1] = { NULL };
    const char *recorded = eb_json_str(c->wanted, "userPrincipalName"), *chosen = NULL;

    ops_create_upns(c->fields, c->rule, all);
    for (size_t i = 0; all[i] != NULL && chosen == NULL; i++)
        if (recorded != NULL ? eb_streq(all[i], recorded) : is_free(c, all[i]))
            chosen = all[i];
    bool ok = chosen != NULL || (all[0] == NULL ? fail_nameless(c, err) : fail_taken(c, all[0], err));

    snprintf(out, OPS_UPN_MAX, "%s", chosen != NULL ? chosen : "");
    for (size_t i = 0; all[i] != NULL; i++)
        free(all[i]);
    return ok;
}

/* ---- the body ---- */

/* Those that are set; a new user has nothing to be cleared. */
static json_t *attributes_set(const struct ops_case *c, const char *upn)
{
    json_t *out = json_object(), *v;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)attributes_of(c->fields), name, v)
        if (!json_is_null(v))
            json_object_set(out, name, v);
    json_object_set_new(out, "userPrincipalName", json_string(upn));
    json_object_set_new(out, "accountEnabled", json_boolean(eb_json_bool(c->fields->body, "accountEnabled", true)));
    return out;
}

static bool set_display_name(json_t *out, struct eb_err *err)
{
    const char *given = eb_json_str(out, "givenName"), *surname = eb_json_str(out, "surname");

    if (eb_json_str(out, "displayName") != NULL)
        return true;
    if (given == NULL && surname == NULL)
        return eb_fail_field(err, EB_INVALID_REQUEST, "attributes.displayName", "`attributes.displayName` is missing, and there is no `givenName` or `surname` to make "
                             "it from.");
    char *name = eb_asprintf("%s%s%s", given != NULL ? given : "", given != NULL && surname != NULL ? " " : "", surname != NULL ? surname : "");

    json_object_set_new(out, "displayName", json_string(name));
    free(name);
    return true;
}

static void set_nickname(json_t *out, const char *upn)
{
    if (eb_json_str(out, "mailNickname") == NULL)
        json_object_set_new(out, "mailNickname", json_stringn(upn, strcspn(upn, "@")));
}

static bool check_manager(const struct ops_case *c, struct eb_err *err)
{
    if (ops_field_text(c->fields, "manager") == NULL)
        return true;
    if (c->facts->other.ambiguous)
        return eb_fail_field(err, EB_USER_AMBIGUOUS, "manager", "Several users have the address in `manager`. Send the object id or the user principal name.");
    if (!c->facts->has_other || !c->facts->other.found)
        return eb_fail_field(err, EB_USER_NOT_FOUND, "manager", "No user in Entra has the id, user principal name or mail address in `manager`.");
    return true;
}

static bool make_after(const struct ops_case *c, const char *upn, struct ops_plan *p, struct eb_err *err)
{
    p->before = json_object();
    p->after = attributes_set(c, upn);
    if (!check_manager(c, err) || !set_display_name(p->after, err))
        return false;
    set_nickname(p->after, upn);
    return true;
}

static bool is_given(const struct ops_case *c)
{
    return json_object_get(c->fields->body, "password") != NULL;
}

static const char *password_of(const struct ops_case *c)
{
    return is_given(c) ? ops_field_text(c->fields, "password") : c->secret;
}

static json_t *body_of(const struct ops_case *c, const json_t *after)
{
    json_t *body = json_copy((json_t *)(uintptr_t)after);
    const char *password = password_of(c);
    /* Whoever signs in with an access pass has no password to change at the next sign-in. */
    bool force = eb_json_bool(c->fields->body, "forceChangePasswordNextSignIn", !eb_json_bool(c->fields->body, "accessPass", false));

    if (password != NULL)
        json_object_set_new(body, "passwordProfile", json_pack("{s:s, s:b}", "password", password, "forceChangePasswordNextSignIn", (int)force));
    return body;
}

/* ---- the plan ---- */

/* Made since we sent, and as we would have made it. Without a doubt Graph's answer has said whom we made. */
static bool is_ours(const struct ops_case *c, const json_t *user, const struct ops_plan *p)
{
    if (!c->doubt || c->made_id != NULL)
        return c->made_id != NULL && eb_strieq(c->made_id, eb_json_str(user, "id"));
    return c->sent_ms > 0 && ops_time_of(user, "createdDateTime") >= c->sent_ms - OPS_SKEW_MS && ops_same(user, p->after, "displayName") &&
           ops_same(user, p->after, "mailNickname");
}

/* A link in the body of POST /users is not in Graph's own description: the manager is a write of its own. */
static void add_manager(const struct ops_case *c, struct ops_plan *p, const char *id)
{
    if (ops_field_text(c->fields, "manager") == NULL)
        return;
    struct ops_write *w = ops_plan_write(p, GRAPH_MANAGER_SET, p->object);
    snprintf(w->user_id, sizeof w->user_id, "%s", id);
    snprintf(w->other_id, sizeof w->other_id, "%s", c->facts->other.id);
}

/* What follows the creation. Of a user who is not there yet the runner learns the id from the answer. */
static void add_rest(const struct ops_case *c, struct ops_plan *p, const char *id)
{
    bool pass_was_sent = c->latest == GRAPH_PASS_CREATE;

    if (!pass_was_sent)                 /* else the manager, which comes before it, is set */
        add_manager(c, p, id);
    if (!eb_json_bool(c->fields->body, "accessPass", false))
        return;
    p->lost = pass_was_sent && c->doubt;
    if (p->lost || c->lost)
        snprintf(p->note, sizeof p->note, "No answer came to an earlier try to make the access pass: this one is good, and no other.");
    struct ops_write *w = ops_plan_write(p, GRAPH_PASS_CREATE, p->object);
    snprintf(w->user_id, sizeof w->user_id, "%s", id);
    w->body = json_object();
}

static bool plan_present(const struct ops_case *c, const char *upn, const json_t *user, struct ops_plan *p, struct eb_err *err)
{
    const char *id = eb_json_str(user, "id");

    if (is_ours(c, user, p) && id != NULL) {
        snprintf(p->made_id, sizeof p->made_id, "%s", id);
        add_rest(c, p, id);
        return true;
    }
    p->unknown = c->doubt;
    return c->doubt || fail_taken(c, upn, err);
}

static bool plan_absent(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    if ((c->recorded != NULL || is_given(c)) && password_of(c) == NULL) {
        p->unknown = c->doubt;
        return c->doubt || eb_fail_field(err, EB_INVALID_REQUEST, "password", "The service was restarted before the user was made, and a password that is given is "
                                         "never stored. Nothing was done; send the request again.");
    }
    ops_plan_write(p, GRAPH_USER_CREATE, p->object)->body = body_of(c, p->after);
    add_rest(c, p, "");
    return true;
}

static bool plan_create(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    char upn[OPS_UPN_MAX];

    if (c->facts->taken_json == NULL && (asked_upn(c->fields) != NULL || (c->rule != NULL && c->rule->user_principal_name != NULL)))
        if (asked_upn(c->fields) != NULL || ops_upn_make(c->rule->user_principal_name, attributes_of(c->fields), 1, upn, err))
            return ops_untold("which user principal names are taken", "User.Read.All", err);
    if (!choose(c, upn, err) || !make_after(c, upn, p, err))
        return false;
    ops_name_object(p, "upn:", upn);

    const json_t *user = ops_list_find(c->facts->taken_json, "userPrincipalName", upn);
    if (user == NULL && c->made_id != NULL) {       /* made, and a read does not show it yet */
        add_rest(c, p, c->made_id);
        return true;
    }
    return user != NULL ? plan_present(c, upn, user, p, err) : plan_absent(c, p, err);
}

static void took(const struct ops_write *w, const json_t *body, json_t *result)
{
    static const struct { const char *graph, *ours; } members[] = {
        { "id", "userId" }, { "userPrincipalName", "userPrincipalName" }, { "displayName", "displayName" },
    };

    for (size_t i = 0; w->kind == GRAPH_USER_CREATE && i < EB_LEN(members); i++)
        if (eb_json_str(body, members[i].graph) != NULL)
            json_object_set(result, members[i].ours, json_object_get(body, members[i].graph));
}

static const char *secret_of(const struct ops_write *w, const json_t *body)
{
    return w->kind == GRAPH_PASS_CREATE ? eb_json_str(body, "temporaryAccessPass") : NULL;
}

const struct ops_change ops_user_create = {
    .makes_password = true, .plans_without_target = true, .settle = OPS_SETTLE_LOOK, .plan = plan_create, .took = took, .secret_of = secret_of,
    .did = "Created {displayName} ({userPrincipalName}).", .was_so = "{displayName} ({userPrincipalName}) is there already.",
    .would = "Would create {displayName} ({userPrincipalName}).",
};
