/* cast_tenant.c - the fixed directory roles, our own application, the issues, and the generated population. */
#include "sim/cast.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *template; } roles[] = {
    { "Global Administrator", "62e90394-69f5-4237-9190-012177145e10" },
    { "User Administrator", "fe930be7-5e62-47db-91af-98c3a49a38b1" },
    { "Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814" },
    { "Helpdesk Administrator", "729827e3-9c14-49f7-bb1b-9608f156bbb8" },
    { "Directory Readers", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b" },
};
#define CUSTOM_ROLE "f0000000-0000-4000-8000-000000000001"

static const char *const permissions[] = {
    "User.Read.All", "User.ReadUpdate.All", "User.ReadWrite.All", "User.EnableDisableAccount.All", "User.DeleteRestore.All",
    "GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.ReadBasic.All", "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory", "RoleEligibilitySchedule.Read.Directory", "Application.Read.All", "Organization.Read.All",
    "Domain.Read.All", "Group-OnPremisesSyncBehavior.ReadWrite.All", "User-PasswordProfile.ReadWrite.All", "User-Phone.ReadWrite.All",
    "User-Mail.ReadWrite.All", "User.RevokeSessions.All", "User.Create", "User.Invite.All", "LicenseAssignment.ReadWrite.All",
    "UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.Read.All", "Directory.Read.All",
    "UserAuthenticationMethod.ReadWrite.All", "User.ManageIdentities.All", "User-LifeCycleInfo.ReadWrite.All", "LicenseAssignment.Read.All",
    "UserAuthMethod-Phone.ReadWrite.All", "UserAuthMethod-Email.ReadWrite.All", "UserAuthMethod-Passkey.ReadWrite.All",
    "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All", "UserAuthMethod-SoftwareOATH.ReadWrite.All", "UserAuthMethod-WindowsHello.ReadWrite.All",
};

static void id_of(char out[EB_ID_LEN], char letter, unsigned n)
{
    snprintf(out, EB_ID_LEN, "%c0000000-0000-4000-8000-%012u", letter, n);
}

/* An active, tenant-wide role shows in directoryRoles, memberOf and roleAssignments. */
static void hold(struct sim *s, unsigned user, size_t role)
{
    char user_id[EB_ID_LEN], role_id[EB_ID_LEN];

    id_of(user_id, 'a', user);
    id_of(role_id, 'c', (unsigned)role + 1);
    entra_link(s->entra, ENTRA_MEMBER, entra_find(s->entra, role_id), entra_find(s->entra, user_id));
    entra_assign(s->entra, user_id, roles[role].template, "/", false);
}

static void add_app(struct sim *s)
{
    static const char own[] = "d0000000-0000-4000-8000-000000000001", graph[] = "d0000000-0000-4000-8000-000000000002";
    static const char app[] = "e0000000-0000-4000-8000-000000000001", owner[] = "a0000000-0000-4000-8000-000000000021";
    json_t *app_roles = json_array();
    char id[EB_ID_LEN];

    for (size_t i = 0; i < EB_LEN(permissions); i++) {
        id_of(id, 'f', 1000 + (unsigned)i);
        json_array_append_new(app_roles, json_pack("{s:s, s:s, s:s}", "id", id, "value", permissions[i], "displayName", permissions[i]));
    }
    entra_add(s->entra, ENTRA_SERVICE_PRINCIPAL, json_pack("{s:s, s:s, s:s, s:b, s:s}", "id", own, "appId", s->opt.client_id,
        "displayName", "entrabridge", "accountEnabled", 1, "servicePrincipalType", "Application"));
    entra_add(s->entra, ENTRA_SERVICE_PRINCIPAL, json_pack("{s:s, s:s, s:s, s:b, s:o}", "id", graph,
        "appId", SIM_GRAPH_APP, "displayName", "Microsoft Graph", "accountEnabled", 1, "appRoles", app_roles));
    entra_add(s->entra, ENTRA_APPLICATION, json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}], s:[]}", "id", app, "appId", s->opt.client_id,
        "displayName", "entrabridge", "passwordCredentials", "keyId", "f0000000-0000-4000-8000-000000000009",
        "endDateTime", "2028-01-01T00:00:00Z", "hint", "sim", "keyCredentials"));
    entra_link(s->entra, ENTRA_OWNER, entra_find(s->entra, app), entra_find(s->entra, owner));
}

void cast_roles(struct sim *s)
{
    char id[EB_ID_LEN];

    for (size_t i = 0; i < EB_LEN(roles); i++) {
        id_of(id, 'c', (unsigned)i + 1);
        entra_add(s->entra, ENTRA_ROLE, json_pack("{s:s, s:s, s:s, s:s}", "id", id, "displayName", roles[i].name,
                                                  "description", roles[i].name, "roleTemplateId", roles[i].template));
        json_array_append_new(s->entra->definitions, json_pack("{s:s, s:s, s:s, s:b, s:b}", "id", roles[i].template,
            "displayName", roles[i].name, "templateId", roles[i].template, "isBuiltIn", 1, "isEnabled", 1));
    }
    static const char privileged[] = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13";      /* not activated: no directoryRole of it */
    json_array_append_new(s->entra->definitions, json_pack("{s:s, s:s, s:s, s:b, s:b}", "id", privileged,
        "displayName", "Privileged Authentication Administrator", "templateId", privileged, "isBuiltIn", 1, "isEnabled", 1));
    json_array_append_new(s->entra->definitions, json_pack("{s:s, s:s, s:s, s:b, s:b}", "id", CUSTOM_ROLE,
        "displayName", "Sim Custom Operator", "templateId", CUSTOM_ROLE, "isBuiltIn", 0, "isEnabled", 1));
    hold(s, 11, 0);
    hold(s, 12, 1);
    id_of(id, 'b', 8);              /* given to a group: shows in roleAssignments under the group only */
    entra_assign(s->entra, id, roles[2].template, "/", false);
    id_of(id, 'a', 14);
    entra_assign(s->entra, id, CUSTOM_ROLE, "/administrativeUnits/f0000000-0000-4000-8000-000000000005", false);
    id_of(id, 'a', 15);
    entra_assign(s->entra, id, roles[0].template, "/", true);
    id_of(id, 'b', 9);
    entra_assign(s->entra, id, roles[0].template, "/", true);
    add_app(s);
}

static struct tracker_account *account(struct sim *s, unsigned nn)
{
    char id[64];

    snprintf(id, sizeof(id), "712020:a0000000-0000-4000-8000-%012u", nn);
    return tracker_account(s->tracker, id);
}

static void add_issues(struct sim *s, const char *project, unsigned first_id, unsigned count, unsigned reporter)
{
    char key[40], id[24];

    for (unsigned n = 1; n <= count; n++) {
        snprintf(key, sizeof(key), "%s-%u", project, n);
        snprintf(id, sizeof(id), "%u", first_id + n - 1);
        tracker_issue_put(s->tracker, key, id)->reporter = account(s, reporter);
    }
}

static void approve(struct sim *s, const char *issue, const char *decision, unsigned approver)
{
    struct tracker_issue *i = tracker_issue(s->tracker, issue);

    tracker_approver_add(tracker_approval_add(s->tracker, i, "Waiting for approval", decision), account(s, approver), decision);
}

void cast_issues(struct sim *s)
{
    static const struct { const char *key, *id, *name; } projects[] = {
        { "ITSM", "10001", "IT Service" }, { "HR", "10002", "People" }, { "SEC", "10003", "Security" }, { "OLD", "10004", "Old desk" },
    };
    static const struct { const char *issue, *decision; unsigned approver; } approvals[] = {
        { "ITSM-42", "approved", 2 }, { "ITSM-60", "approved", 2 }, { "HR-1", "approved", 2 }, { "ITSM-61", "pending", 2 },
        { "ITSM-62", "declined", 2 }, { "ITSM-64", "approved", 2 }, { "ITSM-64", "pending", 2 }, { "ITSM-65", "approved", 1 },
        { "ITSM-66", "approved", 3 },
    };

    for (size_t i = 0; i < EB_LEN(projects); i++)
        tracker_project(s->tracker, projects[i].key, projects[i].id, projects[i].name);
    add_issues(s, "ITSM", 20001, 200, 1);
    add_issues(s, "HR", 30001, 20, 2);
    add_issues(s, "SEC", 40001, 5, 1);
    tracker_issue_alias(s->tracker, tracker_issue(s->tracker, "ITSM-150"), "OLD-1");
    tracker_issue(s->tracker, "ITSM-43")->reporter = account(s, 2);
    tracker_issue(s->tracker, "ITSM-44")->reporter = account(s, 3);
    tracker_issue(s->tracker, "ITSM-45")->reporter = account(s, 6);
    tracker_issue(s->tracker, "ITSM-46")->reporter = tracker_account_put(s->tracker, "qm:sim-portal-customer", "Portal Customer", NULL, "customer");
    free(tracker_issue(s->tracker, "ITSM-42")->summary);
    tracker_issue(s->tracker, "ITSM-42")->summary = eb_strdup("Please give me VPN access");
    struct tracker_approval *group = tracker_approval_add(s->tracker, tracker_issue(s->tracker, "HR-2"), "Waiting for approval", "approved");
    tracker_approver_add(group, account(s, 28), "approved");       /* of Access Approvers: one is enough */
    tracker_approver_add(group, account(s, 29), "pending");
    approve(s, "HR-3", "approved", 28);
    approve(s, "HR-3", "approved", 29);
    for (size_t i = 0; i < EB_LEN(approvals); i++)
        approve(s, approvals[i].issue, approvals[i].decision, approvals[i].approver);
}

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*state >> 33);
}

static void filler_user(struct sim *s, unsigned n, uint64_t *seed)
{
    static const char *const first[] = { "Maria", "Jonas", "Priya", "Chen", "Fatima", "Lucas", "Aiko", "Omar", "Ines", "Piotr" };
    static const char *const last[] = { "Silva", "Berg", "Patel", "Wei", "Haddad", "Moreau", "Tanaka", "Khan", "Costa", "Nowak" };
    const char *f = first[next_random(seed) % EB_LEN(first)], *l = last[next_random(seed) % EB_LEN(last)];
    char id[EB_ID_LEN], upn[64], name[96];

    snprintf(id, sizeof(id), "a1000000-0000-4000-8000-%012u", n);
    snprintf(upn, sizeof(upn), "user%u@contoso.com", n);
    snprintf(name, sizeof(name), "%s %s %u", f, l, n);
    entra_add(s->entra, ENTRA_USER, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "id", id, "userPrincipalName", upn,
        "mail", upn, "displayName", name, "givenName", f, "surname", l, "accountEnabled", 1, "userType", "Member", "usageLocation", "DE"));
}

void cast_filler(struct sim *s)
{
    uint64_t seed = (uint64_t)s->opt.seed;
    char id[EB_ID_LEN], name[64];

    for (unsigned n = 1; n <= (unsigned)s->opt.users; n++)
        filler_user(s, n, &seed);
    for (unsigned n = 1; n <= (unsigned)s->opt.groups; n++) {
        snprintf(id, sizeof(id), "b1000000-0000-4000-8000-%012u", n);
        snprintf(name, sizeof(name), "Team %u", n);
        json_t *attrs = json_pack("{s:s, s:s}", "id", id, "displayName", name);
        cast_group_kind(attrs, "security");
        struct entra_object *g = entra_add(s->entra, ENTRA_GROUP, attrs);
        for (unsigned k = 0; k < 10 && s->opt.users > 0; k++) {
            snprintf(id, sizeof(id), "a1000000-0000-4000-8000-%012u", 1 + next_random(&seed) % (unsigned)s->opt.users);
            entra_link(s->entra, ENTRA_MEMBER, g, entra_find(s->entra, id));
        }
    }
}
