/* user_delete.c - a user goes to the deleted ones, where Entra keeps them for 30 days, and comes back from there.
 *
 * The operation that did it no longer finds the user where it looked first: gone is then what it was to bring about.
 */
#include "ops/user_write.h"
#include "base/text.h"
#include "config/attribute.h"
#include "ops/kind_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static json_t *deleted(bool is)
{
    return json_pack("{s:b}", "deleted", (int)is);
}

static bool fail_not_there(const char *where, struct eb_err *err)
{
    return eb_fail_field(err, EB_USER_NOT_FOUND, "user", "No user with this id, user principal name or mail address is %s.", where);
}

/* There, or a first plan for somebody who is not: anything else is done. */
static bool is_done(const struct ops_case *c)
{
    return !c->facts->user.found && c->recorded != NULL;
}

static bool plan_delete(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    if (!c->facts->user.found && c->recorded == NULL)
        return fail_not_there("in Entra", err);
    p->before = deleted(is_done(c));
    p->after = deleted(true);
    if (!is_done(c))
        ops_user_write(p, GRAPH_USER_DELETE, c->facts);
    return true;
}

/* A deleted user's name has the id before it, without dashes: "0f6c2a1e…ada@contoso.com". */
static const char *former_upn(const char *upn)
{
    size_t i = 0;

    while (i < 32 && isxdigit((unsigned char)upn[i]))
        i++;
    return i == 32 && strchr(upn, '@') != upn + 32 ? upn + 32 : upn;
}

static const char *upn_to_be(const struct ops_case *c)
{
    const char *asked = ops_field_text(c->fields, "newUserPrincipalName");

    return asked != NULL ? asked : former_upn(c->facts->user.upn);
}

static bool check_upn(const struct ops_case *c, struct eb_err *err)
{
    const char *upn = upn_to_be(c);
    bool asked = ops_field_text(c->fields, "newUserPrincipalName") != NULL;

    if (ops_list_find(c->facts->taken_json, "userPrincipalName", upn) == NULL)
        return true;                    /* free, or not asked because only Graph knew the name: then Graph says so */
    return eb_fail_field(err, EB_USER_ALREADY_EXISTS, "newUserPrincipalName", "The user principal name %s belongs to somebody else%s.", upn,
                         asked ? ". Send another one" : " now. Send `newUserPrincipalName` to restore the user under another one");
}

static json_t *restore_body(const struct ops_case *c)
{
    const char *asked = ops_field_text(c->fields, "newUserPrincipalName");

    return asked != NULL ? json_pack("{s:s}", "newUserPrincipalName", asked) : NULL;
}

static bool plan_restore(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    if (!c->facts->user.found && c->recorded == NULL)
        return fail_not_there("among the deleted users, where Entra keeps one for 30 days", err);
    p->before = deleted(!is_done(c));
    p->after = deleted(false);
    if (is_done(c))
        return true;
    if (!check_upn(c, err))
        return false;
    ops_user_write(p, GRAPH_USER_RESTORE, c->facts)->body = restore_body(c);
    return true;
}

void ops_restore_upns(const struct ops_fields *f, const struct config_operation_rule *rule, char *out[OPS_UPN_CANDIDATES + 1])
{
    const char *asked = ops_field_text(f, "newUserPrincipalName");

    if (asked == NULL && f->user != NULL && strchr(f->user, '@') != NULL)
        asked = f->user;
    out[0] = eb_strdup(asked);
    out[1] = NULL;
}

/* The user is the same one, under the same id. */
json_t *ops_delete_undo(const json_t *before, const json_t *after)
{
    return json_object();
}

const struct ops_change ops_user_delete = {
    .changes_user = true, .plans_without_target = true, .settle = OPS_SETTLE_LOOK, .plan = plan_delete,
    .did = "Deleted {user}. Entra keeps a deleted user for 30 days, and user.restore brings them back.", .was_so = "{user} is deleted already.",
    .would = "Would delete {user}.",
};
const struct ops_change ops_user_restore = {
    .changes_user = true, .plans_without_target = true, .settle = OPS_SETTLE_LOOK, .plan = plan_restore,
    .did = "Restored {user}.", .was_so = "{user} is not deleted any more.", .would = "Would restore {user}.",
};
