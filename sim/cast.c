/* cast.c - the fixed people and groups. Tests and the demonstration rely on every row: change README.md with it. */
#include "sim/cast.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sync { CLOUD_ONLY, SYNCED, FORMERLY };
static const struct person {
    const char *first, *last, *upn, *mail;
    int manager;                    /* row number, 0: none */
    bool disabled, guest;
    enum sync sync;
} people[] = {
    { "Ada", "Lovelace", "ada@contoso.com", "ada.lovelace@contoso.com", 2, false, false, CLOUD_ONLY },
    { "Grace", "Hopper", "grace@contoso.com", "grace.hopper@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Alan", "Turing", "alan@contoso.com", "alan.turing@contoso.com", 2, false, false, CLOUD_ONLY },
    { "Leaver", "Lee", "lee@contoso.com", "lee@contoso.com", 2, true, false, CLOUD_ONLY },
    { "Nomail", "Nora", "nora@contoso.com", NULL, 0, false, false, CLOUD_ONLY },
    { "Gustav", "Guest", "gustav_partner.example#EXT#@contoso.onmicrosoft.com", "gustav@partner.example", 0, false, true, CLOUD_ONLY },
    { "Miles", "O'Neil", "miles.o'neil@contoso.com", "miles.oneil@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Zoë", "🚀 Rocket", "zoe@contoso.com", "zoe@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Twin", "One", "twin1@contoso.com", "shared@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Twin", "Two", "twin2@contoso.com", "shared@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Break", "Glass", "breakglass@contoso.com", NULL, 0, false, false, CLOUD_ONLY },
    { "Anna", "Admin", "anna.admin@contoso.com", "anna.admin@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Bob", "Admin", "bob.admin@contoso.com", "bob.admin@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Carla", "Custom", "carla@contoso.com", "carla@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Eve", "Eligible", "eve@contoso.com", "eve@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Sam", "Synced", "sam@contoso.com", "sam@contoso.com", 2, false, false, SYNCED },
    { "Olga", "Owner", "olga@contoso.com", "olga@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Fred", "Formerly", "fred@contoso.com", "fred@contoso.com", 0, false, false, FORMERLY },
    { "Tom", "Tierzero", "tom@contoso.com", "tom@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Nick", "Nested", "nick@contoso.com", "nick@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Otto", "Appowner", "otto@contoso.com", "otto@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Gina", "Groupeligible", "gina@contoso.com", "gina@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Dolly", "Dollar", "$dolly@contoso.com", "dolly@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Mallory", "\xe2\x80\xaegnp.exe\x07", "mallory@contoso.com", "mallory@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Lena", "Licensed", "lena@contoso.com", "lena@contoso.com", 28, false, false, CLOUD_ONLY },     /* more of them: cast_extras.c */
    { "Mia", "Methods", "mia@contoso.com", "mia@contoso.com", 28, false, false, CLOUD_ONLY },
    { "Nolan", "Nowhere", "nolan@contoso.com", "nolan@contoso.com", 28, false, false, CLOUD_ONLY },
    { "Petra", "Approver", "petra@contoso.com", "petra@contoso.com", 29, false, false, CLOUD_ONLY },
    { "Quentin", "Approver", "quentin@contoso.com", "quentin@contoso.com", 0, false, false, CLOUD_ONLY },
    { "Phil", "Phone", "phil@contoso.com", "phil@contoso.com", 29, false, false, CLOUD_ONLY },
};

static struct entra_object *person(struct sim *s, int nn)
{
    char id[EB_ID_LEN];

    snprintf(id, sizeof(id), "a0000000-0000-4000-8000-%012d", nn);
    return entra_find(s->entra, id);
}

static struct entra_object *group(struct sim *s, int nn)
{
    char id[EB_ID_LEN];

    snprintf(id, sizeof(id), "b0000000-0000-4000-8000-%012d", nn);
    return entra_find(s->entra, id);
}

struct tracker_account *cast_account(struct sim *s, struct entra_object *user)
{
    char id[64];
    const char *name = eb_json_str(user->attrs, "displayName");

    snprintf(id, sizeof(id), "712020:%s", user->id);
    return tracker_account_put(s->tracker, id, name != NULL ? name : id, eb_json_str(user->attrs, "mail"), "atlassian");
}

struct tracker_account *cast_account_found(struct sim *s, const struct entra_object *user)
{
    char id[64];

    snprintf(id, sizeof(id), TRACKER_ACCOUNT_PREFIX "%s", user->id);
    return tracker_account(s->tracker, id);
}

static void add_person(struct sim *s, const struct person *p, int nn)
{
    char id[EB_ID_LEN], name[128];

    snprintf(id, sizeof(id), "a0000000-0000-4000-8000-%012d", nn);
    snprintf(name, sizeof(name), "%s %s", p->first, p->last);
    json_t *attrs = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "id", id, "userPrincipalName", p->upn,
        "displayName", name, "givenName", p->first, "surname", p->last, "accountEnabled", !p->disabled,
        "userType", p->guest ? "Guest" : "Member", "usageLocation", "DE", "createdDateTime", "2025-03-01T09:00:00Z");
    json_object_set_new(attrs, "signInSessionsValidFromDateTime", json_string("2025-03-01T09:00:00Z"));
    char *nick = strndup(p->upn, strcspn(p->upn, "@"));
    json_object_set_new(attrs, "mailNickname", json_string(nick));
    free(nick);
    if (p->mail != NULL) {
        char *alias = eb_asprintf("SMTP:%s", p->mail);
        json_object_set_new(attrs, "mail", json_string(p->mail));
        json_object_set_new(attrs, "proxyAddresses", json_pack("[s]", alias));
        free(alias);
    }
    if (p->sync != CLOUD_ONLY)
        json_object_set_new(attrs, "onPremisesSyncEnabled", json_boolean(p->sync == SYNCED));
    cast_account(s, entra_add(s->entra, ENTRA_USER, attrs));
}

void cast_people(struct sim *s)
{
    tracker_account_put(s->tracker, TRACKER_OWN_ACCOUNT, "Entra Bridge", s->opt.jira_email, "atlassian");
    for (size_t i = 0; i < EB_LEN(people); i++)
        add_person(s, &people[i], (int)i + 1);
    for (size_t i = 0; i < EB_LEN(people); i++)
        if (people[i].manager != 0)
            entra_set_manager(s->entra, person(s, (int)i + 1), person(s, people[i].manager));
    entra_set(s->entra, person(s, 1), "jobTitle", json_string("Analyst"));
    entra_set(s->entra, person(s, 3), "otherMails", json_pack("[s]", "alan@home.example"));
}

/* Negative members are groups. */
static const struct team { const char *name, *kind; int members[3], owner; } teams[] = {
    { "VPN Users", "security", { 2 }, 0 },           { "CRM", "security", { 3 }, 0 },
    { "Sales DE", "security", { 4 }, 0 },            { "Twins", "security", { 0 }, 0 },
    { "Twins", "security", { 0 }, 0 },               { "Tier 0 admins", "security", { 19, -7 }, 0 },
    { "Tier 0 helpers", "security", { 20 }, 0 },     { "Role Admins", "role_assignable", { 13 }, 17 },
    { "Eligible Admins", "role_assignable", { 22 }, 0 }, { "All Berlin", "dynamic", { 1 }, 0 },
    { "Mail Security", "mail_security", { 0 }, 0 },  { "Newsletter", "distribution", { 0 }, 0 },
    { "Synced Staff", "synced", { 16 }, 0 },         { "Synced Cloud Managed", "synced", { 0 }, 0 },
    { "Project Phoenix", "unified", { 0 }, 0 },      { "Restricted Unit", "restricted", { 0 }, 0 },
    { "O'Brien's Team", "security", { 0 }, 0 },      { "Licensed Staff", "security", { 25 }, 0 },
    { "Access Approvers", "security", { 28, 29 }, 28 },
};

/* What a kind of group has beside the defaults of a security group. isAssignableToRole stays null elsewhere, as in life. */
static const struct { const char *kind, *types; bool mail, security; const char *flag; } group_kinds[] = {
    { "security", NULL, false, true, NULL },
    { "unified", "Unified", true, false, NULL },
    { "mail_security", NULL, true, true, NULL },
    { "distribution", NULL, true, false, NULL },
    { "dynamic", "DynamicMembership", false, true, NULL },
    { "synced", NULL, false, true, "onPremisesSyncEnabled" },
    { "role_assignable", NULL, false, true, "isAssignableToRole" },
    { "restricted", NULL, false, true, "isManagementRestricted" },
};

bool cast_group_kind(json_t *attrs, const char *kind)
{
    for (size_t i = 0; i < EB_LEN(group_kinds); i++) {
        if (strcmp(group_kinds[i].kind, kind) != 0)
            continue;
        json_object_set_new(attrs, "groupTypes", group_kinds[i].types != NULL ? json_pack("[s]", group_kinds[i].types) : json_array());
        json_object_set_new(attrs, "mailEnabled", json_boolean(group_kinds[i].mail));
        json_object_set_new(attrs, "securityEnabled", json_boolean(group_kinds[i].security));
        if (group_kinds[i].flag != NULL)
            json_object_set_new(attrs, group_kinds[i].flag, json_true());
        if (strcmp(kind, "dynamic") == 0) {
            json_object_set_new(attrs, "membershipRule", json_string("(user.city -eq \"Berlin\")"));
            json_object_set_new(attrs, "membershipRuleProcessingState", json_string("On"));
        }
        return true;
    }
    return false;
}

static void add_team(struct sim *s, const struct team *t, int nn)
{
    char id[EB_ID_LEN], nick[40];

    snprintf(id, sizeof(id), "b0000000-0000-4000-8000-%012d", nn);
    snprintf(nick, sizeof(nick), "group%02d", nn);
    json_t *attrs = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "displayName", t->name, "mailNickname", nick,
                              "createdDateTime", "2025-03-01T09:00:00Z");
    cast_group_kind(attrs, t->kind);
    if (json_is_true(json_object_get(attrs, "mailEnabled"))) {
        char *mail = eb_asprintf("%s@contoso.com", nick);
        json_object_set_new(attrs, "mail", json_string(mail));
        free(mail);
    }
    entra_add(s->entra, ENTRA_GROUP, attrs);
}

void cast_groups(struct sim *s)
{
    for (size_t i = 0; i < EB_LEN(teams); i++)
        add_team(s, &teams[i], (int)i + 1);
    for (size_t i = 0; i < EB_LEN(teams); i++) {
        for (size_t k = 0; k < EB_LEN(teams[i].members) && teams[i].members[k] != 0; k++) {
            int m = teams[i].members[k];
            entra_link(s->entra, ENTRA_MEMBER, group(s, (int)i + 1), m > 0 ? person(s, m) : group(s, -m));
        }
        if (teams[i].owner != 0)
            entra_link(s->entra, ENTRA_OWNER, group(s, (int)i + 1), person(s, teams[i].owner));
    }
    group(s, 14)->cloud_managed = true;
}
