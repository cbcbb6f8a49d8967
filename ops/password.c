/* password.c - a new password: one made here, sealed before it is sent, or one that the request gives.
 *
 * Invariant: a password that was given is known only as long as the process lives that took the request; once it is gone nothing else is sent in its place.
 */
#include "ops/user_write.h"

static bool is_given(const struct ops_case *c)
{
    return json_object_get(c->fields->body, "password") != NULL;
}

/* NULL: it is not known here (a dry run makes none), or not any more. */
static const char *password_of(const struct ops_case *c)
{
    return is_given(c) ? ops_field_text(c->fields, "password") : c->secret;
}

static bool fail_gone(const struct ops_case *c, struct eb_err *err)
{
    if (!is_given(c))
        return eb_fail(err, EB_INTERNAL, "The password made for this operation could not be read back. Send the request again.");
    return eb_fail_field(err, EB_INVALID_REQUEST, "password", "The service was restarted before the password was set, and a password that is given is never "
                         "stored. Nothing was changed; send the request again.");
}

static bool plan_reset(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const char *password = password_of(c);
    bool force = eb_json_bool(c->fields->body, "forceChangePasswordNextSignIn", true);

    p->before = json_pack("{s:b}", "passwordReset", 0);     /* nothing else of a password can be told */
    p->after = json_pack("{s:b}", "passwordReset", 1);
    if (password == NULL && is_given(c) && c->doubt) {
        p->unknown = true;
        return true;
    }
    if (password == NULL && !c->fields->dry_run && (is_given(c) || c->recorded != NULL))
        return fail_gone(c, err);
    struct ops_write *w = ops_user_write(p, GRAPH_USER_PASSWORD, c->facts);
    if (password != NULL)
        w->body = json_pack("{s:{s:s, s:b}}", "passwordProfile", "password", password, "forceChangePasswordNextSignIn", (int)force);
    return true;
}

const struct ops_change ops_password_reset = {
    .changes_user = true, .makes_password = true, .settle = OPS_SETTLE_LOOK, .plan = plan_reset,
    .did = "Reset the password of {user}.", .was_so = "The password of {user} was not reset.", .would = "Would reset the password of {user}.",
};
