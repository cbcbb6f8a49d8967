/* graph_invite.c - POST /invitations: a guest for an address, the same one each time. */
#include "sim/user_rules.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_address(const char *text)
{
    const char *at = text != NULL ? strchr(text, '@') : NULL;

    return at != NULL && at != text && strchr(at + 1, '@') == NULL && strchr(at, '.') != NULL && strpbrk(text, " ,;<>\"") == NULL && strlen(text) <= 250;
}

/* The body is closed: nothing but these, each in its form. */
static bool members_fit(const json_t *body)
{
    static const struct { const char *name; json_type type; } members[] = {
        { "invitedUserEmailAddress", JSON_STRING }, { "inviteRedirectUrl", JSON_STRING }, { "invitedUserDisplayName", JSON_STRING },
        { "invitedUserType", JSON_STRING }, { "sendInvitationMessage", JSON_TRUE }, { "resetRedemption", JSON_TRUE },
        { "invitedUserMessageInfo", JSON_OBJECT }, { "invitedUser", JSON_OBJECT },
    };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        size_t i = 0;
        while (i < EB_LEN(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == EB_LEN(members))
            return false;
        bool fits = members[i].type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == members[i].type;
        if (!fits && !(json_is_null(value) && strcmp(name, "invitedUserDisplayName") == 0))
            return false;
    }
    const char *type = eb_json_str(body, "invitedUserType");
    return type == NULL || strcmp(type, "Guest") == 0 || strcmp(type, "Member") == 0;
}

static struct entra_object *find_by(struct sim *s, const char *property, const char *address)
{
    size_t n;
    struct entra_object **v = entra_lookup(s->entra, ENTRA_USER, property, address, &n);

    if (n > 0)
        entra_inflate(s->entra, v[0]);
    return n > 0 ? v[0] : NULL;
}

/* ada@partner.example becomes ada_partner.example#EXT#@contoso.onmicrosoft.com. */
static struct entra_object *make_guest(struct sim *s, const json_t *body, const char *address)
{
    const char *name = eb_json_str(body, "invitedUserDisplayName"), *type = eb_json_str(body, "invitedUserType");
    struct entra_object *o = graph_new_user(s);
    char *local = eb_strdup(address), now[EB_TIME_LEN];

    *strchr(local, '@') = '_';
    char *nick = eb_asprintf("%s#EXT#", local), *upn = eb_asprintf("%s#EXT#@contoso.onmicrosoft.com", local);
    entra_set(s->entra, o, "userPrincipalName", json_string(upn));
    entra_set(s->entra, o, "mailNickname", json_string(nick));
    entra_set(s->entra, o, "displayName", name != NULL ? json_string(name) : json_stringn(address, strcspn(address, "@")));
    json_object_set_new(o->attrs, "accountEnabled", json_true());
    json_object_set_new(o->attrs, "userType", json_string(type != NULL ? type : "Guest"));
    json_object_set_new(o->attrs, "creationType", json_string("Invitation"));
    json_object_set_new(o->attrs, "externalUserState", json_string("PendingAcceptance"));
    json_object_set_new(o->attrs, "externalUserStateChangeDateTime", json_string(entra_time(eb_now_ms(), now)));
    json_t *address_json = json_string(address);
    user_apply(s, o, "mail", address_json);
    entra_set(s->entra, o, "otherMails", json_pack("[o]", address_json));
    free(local);
    free(nick);
    free(upn);
    sim_count_user(s->counters, o->id, SIM_CREATES);
    return o;
}

static void answer(struct sim *s, struct sim_call *c, const json_t *body, const struct entra_object *o, struct sim_reply *r)
{
    char id[EB_ID_LEN];
    const char *state = eb_json_str(o->attrs, "externalUserState");

    eb_uuid4(id);
    char *redeem = eb_asprintf("https://login.microsoftonline.com/redeem?rd=https%%3a%%2f%%2finvitations.microsoft.com%%2fredeem%%2f%%3ftenant%%3d%s%%26user%%3d%s",
                               s->opt.tenant, id);
    char *url = eb_asprintf("%s/$metadata#invitations/$entity", c->base_url);
    json_t *out = json_pack("{s:s, s:s, s:s, s:O, s:O, s:O, s:b, s:b, s:s, s:O, s:{s:s}}", "@odata.context", url, "id", id, "inviteRedeemUrl", redeem,
        "invitedUserDisplayName", json_object_get(o->attrs, "displayName"), "invitedUserEmailAddress", json_object_get(body, "invitedUserEmailAddress"),
        "invitedUserType", json_object_get(o->attrs, "userType"), "resetRedemption", eb_json_bool(body, "resetRedemption", false),
        "sendInvitationMessage", eb_json_bool(body, "sendInvitationMessage", false),
        "status", eb_streq(state, "PendingAcceptance") ? state : "Completed", "inviteRedirectUrl", json_object_get(body, "inviteRedirectUrl"),
        "invitedUser", "id", o->id);
    free(redeem);
    free(url);
    sim_reply_json(r, 201, out);
}

void graph_invite(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *body = graph_body(c, r);
    const char *address = eb_json_str(body, "invitedUserEmailAddress"), *url = eb_json_str(body, "inviteRedirectUrl");

    if (body == NULL)
        return;
    if (address == NULL || url == NULL || !members_fit(body)) {
        odata_error(c, r, 400, "BadRequest", "Required parameter is missing or invalid: invitedUserEmailAddress, inviteRedirectUrl.");
        return;
    }
    if (!is_address(address) || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)) {
        odata_error(c, r, 400, "BadRequest", "The invited user email address or the redirect URL is not valid.");
        return;
    }
    struct entra_object *o = find_by(s, "mail", address);
    if (o == NULL)
        o = find_by(s, "otherMails", address);
    if (o != NULL && strstr(eb_json_str(o->attrs, "userPrincipalName"), "#EXT#") == NULL) {
        odata_error(c, r, 400, "BadRequest", "The invited user already exists in the directory as object ID: %s. They can use that account to sign in to shared apps and resources.", o->id);
        return;
    }
    if (o == NULL && user_domain_is_verified(address)) {
        odata_error(c, r, 400, "BadRequest", "The domain of the email address is a verified domain of this directory.");
        return;
    }
    if (o == NULL)
        o = make_guest(s, body, address);
    sim_count_user(s->counters, o->id, SIM_INVITES);
    answer(s, c, body, o, r);
}
