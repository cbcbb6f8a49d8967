/* path.c - every path of Graph that this program uses is made here.
 *
 * Values pass through one encoder. The only DELETE on a member is graph_path_member_ref(), which ends in /$ref always and
 * takes nothing but object ids: without /$ref Graph deletes the user (group-delete-members in Microsoft's reference).
 * A user is deleted under graph_path_user_delete() and under no other path of a DELETE.
 */
#include "graph/path.h"
#include "graph/query.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN KiB(8)

/* As a segment of its own it would not name the user: Graph reads $ as its own, and dots as steps in the path. */
static bool needs_key_form(const char *id_or_upn)
{
    return id_or_upn[0] == '$' || id_or_upn[0] == '\0' || strspn(id_or_upn, ".") == strlen(id_or_upn);
}

char *graph_path_user(const char *id_or_upn, const char *tail)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    if (needs_key_form(id_or_upn)) {
        eb_buf_str(&b, "/users(");
        graph_query_quoted(&b, id_or_upn);
        eb_buf_str(&b, ")");
    } else {
        eb_buf_str(&b, "/users/");
        eb_url_escape(&b, id_or_upn);
    }
    eb_buf_str(&b, tail);
    return eb_buf_take(&b);
}

char *graph_path_users_by_mail(const char *mail, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/users?$filter=mail%20eq%20");
    graph_query_quoted(&b, mail);
    eb_buf_str(&b, "&$select=");
    eb_buf_str(&b, select);
    return eb_buf_take(&b);
}

char *graph_path_group(const char *id, const char *tail)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/groups/");
    if (strspn(id, ".") == strlen(id))      /* "", "." and ".." name no group */
        b.failed = true;
    eb_url_escape(&b, id);
    eb_buf_str(&b, tail);
    return eb_buf_take(&b);
}

char *graph_path_groups_by_name(const char *display_name, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/groups?$filter=displayName%20eq%20");
    graph_query_quoted(&b, display_name);
    eb_buf_str(&b, "&$select=");
    eb_buf_str(&b, select);
    return eb_buf_take(&b);
}

char *graph_path_role_assignments(const char *principal_id)
{
    if (principal_id == NULL)
        return eb_strdup("/roleManagement/directory/roleAssignments?$select=id,principalId&$top=999");
    if (!eb_is_guid(principal_id))
        return NULL;
    return eb_asprintf("/roleManagement/directory/roleAssignments?$filter=principalId%%20eq%%20'%s'&$select=id,principalId", principal_id);
}

/* ---- paths of writes ---- */

static bool is_id(const char *id)
{
    return id != NULL && eb_is_guid(id);
}

char *graph_path_members_ref(const struct graph_write *w)
{
    return is_id(w->other_id) && is_id(w->user_id) ? eb_asprintf("/groups/%s/members/$ref", w->other_id) : NULL;
}

char *graph_path_group_patch(const struct graph_write *w)
{
    return is_id(w->other_id) ? graph_path_group(w->other_id, "") : NULL;
}

char *graph_path_member_ref(const struct graph_write *w)
{
    return is_id(w->other_id) && is_id(w->user_id) ? eb_asprintf("/groups/%s/members/%s/$ref", w->other_id, w->user_id) : NULL;
}

char *graph_path_users(const struct graph_write *w)
{
    return eb_strdup("/users");
}

char *graph_path_invitations(const struct graph_write *w)
{
    return eb_strdup("/invitations");
}

static char *user_and(const struct graph_write *w, const char *tail)
{
    return is_id(w->user_id) ? eb_asprintf("/users/%s%s", w->user_id, tail) : NULL;
}

char *graph_path_user_patch(const struct graph_write *w)
{
    return user_and(w, "");
}

char *graph_path_user_delete(const struct graph_write *w)
{
    return user_and(w, "");
}

char *graph_path_user_restore(const struct graph_write *w)
{
    return is_id(w->user_id) ? eb_asprintf("/directory/deletedItems/%s/restore", w->user_id) : NULL;
}

char *graph_path_manager_set(const struct graph_write *w)
{
    return is_id(w->other_id) ? user_and(w, "/manager/$ref") : NULL;
}

char *graph_path_manager_remove(const struct graph_write *w)
{
    return user_and(w, "/manager/$ref");
}

char *graph_path_licenses(const struct graph_write *w)
{
    return user_and(w, "/assignLicense");
}

char *graph_path_sessions(const struct graph_write *w)
{
    return user_and(w, "/revokeSignInSessions");
}

#define PASSES "temporaryAccessPassMethods"

char *graph_path_passes(const struct graph_write *w)
{
    return user_and(w, "/authentication/" PASSES);
}

/* Ids of methods are GUIDs or, of keys, base64url: neither has dots or slashes, which a careless server might resolve upwards. */
static bool is_method_id(const char *id)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";

    return id != NULL && id[0] != '\0' && strspn(id, letters) == strlen(id);
}

static char *method(const struct graph_write *w, const char *type)
{
    struct eb_buf b = EB_BUF(KiB(2));

    if (!is_id(w->user_id) || !is_method_id(w->method_id))
        return NULL;
    eb_buf_addf(&b, "/users/%s/authentication/%s/", w->user_id, type);
    eb_url_escape(&b, w->method_id);
    return eb_buf_take(&b);
}

char *graph_path_pass(const struct graph_write *w)
{
    return method(w, PASSES);
}

static const struct { const char *type, *permission; } method_types[] = {
    { "phoneMethods", "UserAuthMethod-Phone.ReadWrite.All" },
    { "emailMethods", "UserAuthMethod-Email.ReadWrite.All" },
    { "fido2Methods", "UserAuthMethod-Passkey.ReadWrite.All" },
    { "microsoftAuthenticatorMethods", "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All" },
    { "softwareOathMethods", "UserAuthMethod-SoftwareOATH.ReadWrite.All" },
    { "windowsHelloForBusinessMethods", "UserAuthMethod-WindowsHello.ReadWrite.All" },
};

const char *graph_method_permission(const char *type)
{
    for (size_t i = 0; i < EB_LEN(method_types); i++)
        if (eb_streq(type, method_types[i].type))
            return method_types[i].permission;
    return NULL;
}

char *graph_path_method(const struct graph_write *w)
{
    return graph_method_permission(w->method_type) != NULL ? method(w, w->method_type) : NULL;
}
