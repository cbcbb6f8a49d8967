/* kinds.c - the table of operation kinds. A new operation is a row here, and a plan (ops/plan.h) if it writes. */
#include "ops/kinds.h"
#include "ops/kind_parts.h"
#include "ops/secret.h"

#include <string.h>

#define USER_MAX 320            /* 64 + @ + 255: the longest mail address */
#define GROUP_MAX 1024          /* 256 characters of up to 4 bytes */
#define MAIL_MAX 150            /* it stands in the name of a lock */
#define UPN_MAX 113
#define FIELD_NAMES_MAX 100     /* of all kinds together */

static const struct ops_field common_fields[] = {
    { "issue", OPS_FORM_ISSUE, false, 64, "The issue whose rule sends the request: a key such as ITSM-42, or its numeric id.", NULL },
    { "dryRun", OPS_FORM_BOOL, false, 0, "true: decide and answer what would be done, change nothing.", NULL },
    { "reason", OPS_FORM_TEXT, false, 1000, "Why; it stands in the comment and in the journal.", NULL },
    { "again", OPS_FORM_OPERATION, false, 36, "The id of an earlier operation with the same body that is to be done anew.", NULL },
};

/* ---- fields that several kinds have ---- */

#define USER { "user", OPS_FORM_USER, true, USER_MAX, "The user: object id, user principal name, mail address, or \"reporter\" for the issue's reporter.", NULL }
#define GROUP { "group", OPS_FORM_GROUP, true, GROUP_MAX, "The group: object id or exact display name, as the policy lists it.", NULL }
#define ATTRIBUTES { "attributes", OPS_FORM_ATTRIBUTES, true, 0, "Attributes under Graph's names, such as {\"jobTitle\": \"Engineer\"}; null clears.", NULL }
#define EMPTY { "empty", OPS_FORM_WORD, false, 16, "What becomes of an attribute without a value: refuse (unless said), skip or clear.", "refuse skip clear" }
#define PASSWORD { "password", OPS_FORM_SECRET, false, 256, "The new password, 8 to 256 characters; without it one is made. It is never stored or shown again.", NULL }
#define FORCE { "forceChangePasswordNextSignIn", OPS_FORM_BOOL, false, 0, "Whether the user must change the password at the next sign-in; true unless said.", NULL }
#define MANAGER(required) { "manager", OPS_FORM_USER, required, USER_MAX, "The manager: object id, user principal name or mail address.", NULL }
#define LICENSES { "licenses", OPS_FORM_TEXTS, true, 80, "Licences by part number (SPE_E3) or product id; one text, or a list of up to 20.", NULL }
#define AT { "at", OPS_FORM_AT, false, 40, "When: a time with an offset, or a date or time of `time_zone` (2027-03-31, its midnight; 2027-03-31T18:00), within five years. Now unless said.", NULL }

static const struct ops_field user_only[] = { USER };
static const struct ops_field user_at[] = { USER, AT };
static const struct ops_field group_only[] = { GROUP };
#define USERS_OF { "user", OPS_FORM_USER, true, USER_MAX, "The user: object id, user principal name, mail address, or \"reporter\" for the issue's reporter; or `users`.", "users" }
#define GROUPS_OF { "group", OPS_FORM_GROUP, true, GROUP_MAX, "The group: object id or exact display name, as the policy lists it; or `groups`.", "groups" }
#define USERS { "users", OPS_FORM_USERS, false, USER_MAX, "In place of `user`: up to 1000; the answer has `results`, one for each user and group.", NULL }
#define GROUPS(help) { "groups", OPS_FORM_GROUPS, false, GROUP_MAX, help, NULL }

static const struct ops_field memberships[] = { USERS_OF, GROUPS_OF, USERS, GROUPS("In place of `group`: several; at most 5000 memberships a request."), AT };
static const struct ops_field membership[] = {
    USERS_OF, GROUPS_OF, USERS, GROUPS("In place of `group`: several; at most 5000 memberships a request."),
    { "expiresIn", OPS_FORM_DURATION, false, 16, "The membership ends by itself after this time: 8h, 30d; at least a minute, at most five years.", "1m 1826d" },
    { "expiresAt", OPS_FORM_TIME, false, 40, "The membership ends by itself at this time: 2027-03-31T17:00:00Z. One of the two.", NULL },
    AT,
};
static const struct ops_field update_fields[] = { USER, ATTRIBUTES, EMPTY, AT };
static const struct ops_field create_fields[] = {
    ATTRIBUTES, EMPTY,
    { "userPrincipalName", OPS_FORM_MAIL, false, UPN_MAX, "The name to sign in with; without it one is made from the policy's pattern.", "userPrincipalName" },
    MANAGER(false), PASSWORD, FORCE,
    { "accessPass", OPS_FORM_BOOL, false, 0, "true: a Temporary Access Pass instead of a password that somebody knows.", NULL },
    { "accountEnabled", OPS_FORM_BOOL, false, 0, "false: the account cannot sign in until it is enabled.", NULL },
};
static const struct ops_field password_fields[] = { USER, PASSWORD, FORCE };
static const struct ops_field pass_fields[] = {
    USER,
    { "lifetime", OPS_FORM_DURATION, false, 16, "How long the pass is good: 10m to 30d; without it, as the tenant's policy says.", "10m 30d" },
    { "isUsableOnce", OPS_FORM_BOOL, false, 0, "Whether the pass serves one sign-in only.", NULL },
    { "startDateTime", OPS_FORM_TIME, false, 40, "From when the pass is good; without it, from now.", NULL },
};
static const struct ops_field manager_fields[] = { USER, MANAGER(true), AT };
static const struct ops_field assign_fields[] = {
    USER, LICENSES,
    { "usageLocation", OPS_FORM_TEXT, false, 2, "The country (DE) that is set first where the user has none.", "usageLocation" },
    AT,
};
static const struct ops_field license_fields[] = { USER, LICENSES, AT };
static const struct ops_field restore_fields[] = {
    { "user", OPS_FORM_USER, true, USER_MAX, "The deleted user: object id, or the user principal name it had.", NULL },
    { "newUserPrincipalName", OPS_FORM_MAIL, false, UPN_MAX, "Another name to sign in with, where the old one was given away.", "userPrincipalName" },
};
static const struct ops_field invite_fields[] = {
    { "mail", OPS_FORM_MAIL, true, MAIL_MAX, "The guest's e-mail address.", NULL },
    { "displayName", OPS_FORM_TEXT, false, 1024, "The name shown for the guest.", "displayName" },
    { "message", OPS_FORM_TEXT, false, 2000, "A text of your own in the invitation.", NULL },
};
#define LOCATION { "usageLocation", OPS_FORM_TEXT, false, 2, "The country (DE) that is set first where the user has none.", "usageLocation" }
#define NO_LICENSES { "licenses", OPS_FORM_TEXTS, false, 80, "Licences by part number (SPE_E3) or product id; one text, or a list of up to 20.", NULL }
static const struct ops_field onboard_fields[] = {
    ATTRIBUTES, EMPTY,
    { "userPrincipalName", OPS_FORM_MAIL, false, UPN_MAX, "The name to sign in with; without it one is made from the policy's pattern.", "userPrincipalName" },
    MANAGER(false), NO_LICENSES, LOCATION, GROUPS("Groups besides those that the policy's group_rules give."), FORCE,
    { "accessPass", OPS_FORM_BOOL, false, 0, "true: a Temporary Access Pass instead of a password that somebody knows.", NULL },
    { "accountEnabled", OPS_FORM_BOOL, false, 0, "false: the account cannot sign in until it is enabled.", NULL },
    AT,
};
static const struct ops_field transfer_fields[] = { USER, ATTRIBUTES, EMPTY, MANAGER(false), AT };
static const struct ops_field offboard_fields[] = {
    USER,
    { "manager", OPS_FORM_USER, false, USER_MAX, "Who takes over, for the note in answer and comment; without it the manager whom Entra has.", NULL },
    { "removeGroups", OPS_FORM_BOOL, false, 0, "false: the memberships stay; true unless said.", NULL },
    { "removeLicenses", OPS_FORM_BOOL, false, 0, "false: the licences stay; true unless said.", NULL },
    AT,
};
static const struct ops_field search_fields[] = {
    { "query", OPS_FORM_TEXT, true, 120, "What name, user principal name or mail address begin with.", NULL },
};

/* ---- the table ---- */

#define FIELDS(f) .fields = (f), .field_count = EB_LEN(f)
#define GROUP_FACTS "User.Read.All GroupMember.Read.All RoleManagement.Read.Directory"
#define READ_FACTS GROUP_FACTS " Application.Read.All"          /* who owns our own registration is protected */

#define JOURNEY_FACTS READ_FACTS " GroupMember.ReadWrite.All LicenseAssignment.ReadWrite.All User.ReadUpdate.All"

/* With lists of targets. */
static const struct ops_kind add_many = { "group.add_member", "/v1/group/add-member", "Add users to serviceable groups.", FIELDS(membership), &ops_members_add,
                                          READ_FACTS " GroupMember.ReadWrite.All", .undo = "group.remove_member" };
static const struct ops_kind remove_many = { "group.remove_member", "/v1/group/remove-member", "Remove users from serviceable groups.", FIELDS(memberships),
                                             &ops_members_remove, READ_FACTS " GroupMember.ReadWrite.All", .undo = "group.add_member" };

static const struct ops_kind kinds[] = {
    { "user.onboard", "/v1/user/onboard", "Make a user, with manager, licences, and the groups that the policy's rules give.", FIELDS(onboard_fields), &ops_user_onboard,
      JOURNEY_FACTS " User.Create", .upns = ops_create_upns, .once = true, .secret = OPS_SECRET_PASSWORD, .undo = "user.onboard" },
    { "user.transfer", "/v1/user/transfer", "Change a user's place: attributes, manager, and the groups that the policy's rules give for the new place instead of the old.",
      FIELDS(transfer_fields), &ops_user_transfer, JOURNEY_FACTS " User.ReadWrite.All", .wants = DIRECTORY_GROUPS, .undo = "user.transfer" },
    { "user.offboard", "/v1/user/offboard", "Let a user go: no sign-in, no sessions, no memberships in serviceable groups, no licences.", FIELDS(offboard_fields),
      &ops_user_offboard, JOURNEY_FACTS " User.EnableDisableAccount.All User.RevokeSessions.All", .wants = DIRECTORY_GROUPS | DIRECTORY_MANAGER,
      .select = "licenseAssignmentStates", .undo = "user.offboard" },
    { "user.create", "/v1/user/create", "Make a user.", FIELDS(create_fields), &ops_user_create, READ_FACTS " User.Create",
      .upns = ops_create_upns, .once = true, .secret = OPS_SECRET_PASSWORD, .undo = "user.delete", .undo_fields = ops_delete_undo },
    { "user.update", "/v1/user/update", "Change attributes of a user.", FIELDS(update_fields), &ops_user_update, READ_FACTS " User.ReadUpdate.All",
      .undo = "user.update", .undo_fields = ops_update_undo },
    { "user.enable", "/v1/user/enable", "Let a user sign in.", FIELDS(user_at), &ops_user_enable, READ_FACTS " User.EnableDisableAccount.All",
      .undo = "user.disable" },
    { "user.disable", "/v1/user/disable", "Keep a user from signing in.", FIELDS(user_at), &ops_user_disable, READ_FACTS " User.EnableDisableAccount.All",
      .undo = "user.enable" },
    { "user.reset_password", "/v1/user/reset-password", "Give a user a new password.", FIELDS(password_fields), &ops_password_reset,
      READ_FACTS " User-PasswordProfile.ReadWrite.All", .once = true, .secret = OPS_SECRET_PASSWORD },
    { "user.issue_access_pass", "/v1/user/issue-access-pass", "Issue a Temporary Access Pass.", FIELDS(pass_fields), &ops_pass_issue,
      READ_FACTS " UserAuthMethod-TAP.ReadWrite.All", .wants = DIRECTORY_PASSES, .once = true, .secret = OPS_SECRET_ACCESS_PASS },
    { "user.revoke_sessions", "/v1/user/revoke-sessions", "End a user's sign-in sessions.", FIELDS(user_at), &ops_sessions_revoke,
      READ_FACTS " User.RevokeSessions.All", .select = "signInSessionsValidFromDateTime" },
    { "user.reset_mfa", "/v1/user/reset-mfa", "Delete a user's authentication methods.", FIELDS(user_at), &ops_mfa_reset,
      READ_FACTS " UserAuthenticationMethod.ReadWrite.All", .wants = DIRECTORY_METHODS },
    { "user.set_manager", "/v1/user/set-manager", "Set a user's manager.", FIELDS(manager_fields), &ops_manager_set, READ_FACTS " User.ReadWrite.All",
      .wants = DIRECTORY_MANAGER, .undo = "user.set_manager", .undo_to_none = "user.remove_manager", .undo_fields = ops_manager_undo },
    { "user.remove_manager", "/v1/user/remove-manager", "Remove a user's manager.", FIELDS(user_at), &ops_manager_remove, READ_FACTS " User.ReadWrite.All",
      .wants = DIRECTORY_MANAGER, .undo = "user.set_manager", .undo_fields = ops_manager_undo },
    { "user.assign_licenses", "/v1/user/assign-licenses", "Assign licences to a user.", FIELDS(assign_fields), &ops_licenses_assign,
      READ_FACTS " LicenseAssignment.ReadWrite.All User.ReadUpdate.All", .wants = DIRECTORY_SKUS, .select = "licenseAssignmentStates,usageLocation",
      .undo = "user.remove_licenses", .undo_fields = ops_licenses_undo },
    { "user.remove_licenses", "/v1/user/remove-licenses", "Remove licences from a user.", FIELDS(license_fields), &ops_licenses_remove,
      READ_FACTS " LicenseAssignment.ReadWrite.All", .wants = DIRECTORY_SKUS, .select = "licenseAssignmentStates",
      .undo = "user.assign_licenses", .undo_fields = ops_licenses_undo },
    { "user.delete", "/v1/user/delete", "Delete a user; Entra keeps them for 30 days.", FIELDS(user_at), &ops_user_delete, READ_FACTS " User.DeleteRestore.All",
      .undo = "user.restore", .undo_fields = ops_delete_undo },
    { "user.restore", "/v1/user/restore", "Restore a deleted user.", FIELDS(restore_fields), &ops_user_restore, READ_FACTS " User.DeleteRestore.All",
      .wants = DIRECTORY_DELETED, .upns = ops_restore_upns, .undo = "user.delete", .undo_fields = ops_delete_undo },
    { "user.invite", "/v1/user/invite", "Invite a guest.", FIELDS(invite_fields), &ops_user_invite, READ_FACTS " User.Invite.All", .undo = "user.delete", .undo_fields = ops_delete_undo },
    { "user.get", "/v1/user/get", "Read a user.", FIELDS(user_only), NULL, READ_FACTS, .read = ops_read_user },
    { "user.list_groups", "/v1/user/list-groups", "List the groups that a user is a direct member of.", FIELDS(user_only), NULL, READ_FACTS,
      .wants = DIRECTORY_GROUPS, .did = "Read the groups of {user}.", .read = ops_read_groups },
    { "user.search", "/v1/user/search", "Search for users.", FIELDS(search_fields), NULL, READ_FACTS, .did = "Searched for users.", .read = ops_read_found },
    { "group.get", "/v1/group/get", "Read a serviceable group.", FIELDS(group_only), NULL, GROUP_FACTS, .read = ops_read_group },
    { "group.list_members", "/v1/group/list-members", "List the direct members of a serviceable group.", FIELDS(group_only), NULL, GROUP_FACTS,
      .wants = DIRECTORY_MEMBERS, .did = "Read the members of {group}.", .read = ops_read_members },
    { "group.add_member", "/v1/group/add-member", "Add a user to a serviceable group.", FIELDS(membership), &ops_member_add,
      READ_FACTS " GroupMember.ReadWrite.All", .undo = "group.remove_member", .many = &add_many },
    { "group.remove_member", "/v1/group/remove-member", "Remove a user from a serviceable group.", FIELDS(memberships), &ops_member_remove,
      READ_FACTS " GroupMember.ReadWrite.All", .undo = "group.add_member", .many = &remove_many },
};

/* The undo of what was made of steps goes under its name, for token and policy; each step is judged as the reverse of what it undoes. */
#define UNDOING(kind, p) { .name = (kind), .path = (p), .summary = "Undo the steps of an operation.", .change = &ops_steps_undo, .permissions = READ_FACTS }
static const struct ops_kind undoing[] = {
    UNDOING("user.onboard", "/v1/user/onboard"), UNDOING("user.transfer", "/v1/user/transfer"), UNDOING("user.offboard", "/v1/user/offboard"),
    UNDOING("group.add_member", "/v1/group/add-member"), UNDOING("group.remove_member", "/v1/group/remove-member"),
};

const struct ops_kind *ops_kind_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < EB_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

const struct ops_kind *ops_kind_of(const struct ops_kind *k, const json_t *body)
{
    bool lists = json_object_get(body, "users") != NULL || json_object_get(body, "groups") != NULL;

    return k->many != NULL && lists ? k->many : k;
}

const struct ops_kind *ops_kind_undoing(const struct ops_kind *k)
{
    for (size_t i = 0; k->change != NULL && k->change->compose != NULL && i < EB_LEN(undoing); i++)
        if (strcmp(undoing[i].name, k->name) == 0)
            return &undoing[i];
    return NULL;
}

const struct ops_kind *ops_kind_by_path(const char *noun, const char *verb)
{
    for (size_t i = 0; i < EB_LEN(kinds); i++) {
        const char *p = kinds[i].path + strlen("/v1/");
        size_t n = strlen(noun);

        if (strncmp(p, noun, n) == 0 && p[n] == '/' && strcmp(p + n + 1, verb) == 0)
            return &kinds[i];
    }
    return NULL;
}

size_t ops_kinds(const struct ops_kind **ret)
{
    *ret = kinds;
    return EB_LEN(kinds);
}

const char *const *ops_kind_names(void)
{
    static const char *names[EB_LEN(kinds) + 1];

    for (size_t i = 0; i < EB_LEN(kinds); i++)
        names[i] = kinds[i].name;
    return names;
}

static bool has_name(const char *const *list, const char *name)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static void add_names(const struct ops_field *fields, size_t n, const char **names, size_t *count)
{
    for (size_t i = 0; i < n; i++)
        if (!has_name(names, fields[i].name) && *count < FIELD_NAMES_MAX)
            names[(*count)++] = fields[i].name;
}

/* Those of all kinds, each once. */
static const char *const *field_names(void)
{
    static const char *names[FIELD_NAMES_MAX + 1];
    size_t count = 0;

    if (names[0] != NULL)
        return names;
    add_names(common_fields, EB_LEN(common_fields), names, &count);
    for (size_t i = 0; i < EB_LEN(kinds); i++)
        add_names(kinds[i].fields, kinds[i].field_count, names, &count);
    return names;
}

const struct config_names *ops_config_names(void)
{
    static struct config_names names;

    names = (struct config_names){ ops_kind_names(), field_names() };
    return &names;
}

size_t ops_common_fields(const struct ops_field **ret)
{
    *ret = common_fields;
    return EB_LEN(common_fields);
}

const struct ops_field *ops_kind_field(const struct ops_kind *k, const char *name)
{
    for (size_t i = 0; i < k->field_count; i++)
        if (strcmp(k->fields[i].name, name) == 0)
            return &k->fields[i];
    for (size_t i = 0; i < EB_LEN(common_fields); i++)
        if (strcmp(common_fields[i].name, name) == 0)
            return &common_fields[i];
    return NULL;
}

bool ops_is_composite(const struct ops_kind *k)
{
    return k->change != NULL && k->change->compose != NULL;
}
