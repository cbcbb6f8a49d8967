/* invite.c - a guest by e-mail address. Whoever has the address already is found first: an invitation is mailed, and once is enough. */
#include "ops/user_write.h"
#include "base/text.h"

#include <stdio.h>

/* Where a guest lands who has accepted, if the policy does not say it. */
#define REDIRECT "https://myapplications.microsoft.com/"

static json_t *invitation(const struct ops_case *c, const char *mail)
{
    const char *name = ops_field_text(c->fields, "displayName"), *message = ops_field_text(c->fields, "message");
    const char *redirect = c->rule != NULL && c->rule->redirect_url != NULL ? c->rule->redirect_url : REDIRECT;
    json_t *body = json_pack("{s:s, s:s, s:b}", "invitedUserEmailAddress", mail, "inviteRedirectUrl", redirect, "sendInvitationMessage", 1);

    if (name != NULL)
        json_object_set_new(body, "invitedUserDisplayName", json_string(name));
    if (message != NULL)
        json_object_set_new(body, "invitedUserMessageInfo", json_pack("{s:s}", "customizedMessageBody", message));
    return body;
}

static bool plan_invite(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const char *mail = ops_field_text(c->fields, "mail");
    const struct policy_user *there = &c->facts->other;
    bool present = there->found || there->ambiguous;

    if (!c->facts->has_other)
        return ops_untold("whether the address is somebody's already", "User.Read.All", err);
    ops_name_object(p, "mail:", mail);
    p->before = json_pack("{s:b}", "invited", (int)present);
    p->after = json_pack("{s:b}", "invited", 1);
    if (present) {
        if (c->recorded == NULL)
            snprintf(p->note, sizeof p->note, "The address is in Entra already, as %.200s.", there->upn != NULL ? there->upn : "that of several users");
        if (c->doubt && there->found)
            snprintf(p->made_id, sizeof p->made_id, "%s", there->id);
        return true;
    }
    ops_plan_write(p, GRAPH_USER_INVITE, p->object)->body = invitation(c, mail);
    return true;
}

static void took(const struct ops_write *w, const json_t *body, json_t *result)
{
    const char *id = eb_json_str(json_object_get(body, "invitedUser"), "id");

    if (id != NULL)
        json_object_set_new(result, "userId", json_string(id));
}

const struct ops_change ops_user_invite = {
    .plans_without_target = true, .settle = OPS_SETTLE_LOOK, .plan = plan_invite, .took = took,
    .did = "Invited {mail} as a guest.", .was_so = "{mail} needs no invitation.", .would = "Would invite {mail} as a guest.",
};
