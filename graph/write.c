/* write.c - every write to Graph: one row a kind.
 *
 * Invariant: what a row does not ask for is not sent. A body that does not fit its kind (a PATCH that would disable somebody
 * besides, half of a licence change) is a fault of this program: nothing leaves then. Bodies that may hold a secret are wiped.
 */
#include "graph/write.h"
#include "graph/internal.h"
#include "graph/path.h"
#include "graph/permission.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef char *body_maker(const struct graph *g, const struct graph_write *w);
typedef bool body_test(const json_t *body);
enum body_rule { BODY_NONE, BODY_MADE, BODY_OPTIONAL, BODY_REQUIRED };

char *graph_object_link(const struct graph *g, const char *id)
{
    return id != NULL && eb_is_guid(id) ? eb_asprintf("%s/directoryObjects/%s", outbound_base_url(g->cloud), id) : NULL;
}

/* ---- bodies ---- */

static char *reference(const struct graph *g, const char *id)
{
    char *link = graph_object_link(g, id);
    char *body = link != NULL ? eb_asprintf("{\"@odata.id\":\"%s\"}", link) : NULL;

    free(link);
    return body;
}

static char *make_member(const struct graph *g, const struct graph_write *w) { return reference(g, w->user_id); }
static char *make_manager(const struct graph *g, const struct graph_write *w) { return reference(g, w->other_id); }
static char *make_enabled(const struct graph *g, const struct graph_write *w) { return eb_strdup("{\"accountEnabled\":true}"); }
static char *make_disabled(const struct graph *g, const struct graph_write *w) { return eb_strdup("{\"accountEnabled\":false}"); }

/* These two have kinds of their own: one right missing would fail the whole PATCH, and the leaver stays enabled. */
static bool fits_patch(const json_t *body)
{
    return json_object_size(body) > 0 && json_object_get(body, "accountEnabled") == NULL && json_object_get(body, "passwordProfile") == NULL;
}

static bool fits_password(const json_t *body)
{
    return json_object_size(body) == 1 && json_is_object(json_object_get(body, "passwordProfile"));
}

/* Each may be empty, neither may be absent. https://learn.microsoft.com/graph/api/user-assignlicense */
static bool fits_licenses(const json_t *body)
{
    return json_is_array(json_object_get(body, "addLicenses")) && json_is_array(json_object_get(body, "removeLicenses"));
}

/* ---- the table ---- */

static const struct row {
    const char *call, *action, *method;
    graph_path_maker *path;
    enum graph_kind kind;               /* what Graph's answers mean */
    enum body_rule body;
    body_maker *make;                   /* of BODY_MADE */
    body_test *fits;                    /* NULL: any object */
    const char *permissions, *role;     /* role: NULL for none */
    const char *changes;                /* what of a user it changes, for texts; NULL: see the body */
    bool secret;                        /* body or answer may hold one */
} rows[GRAPH_WRITE_KINDS] = {
    [GRAPH_MEMBER_ADD] = { "graph.member_add", "member.add", "POST", graph_path_members_ref, GRAPH_ADD, BODY_MADE, make_member,
        .permissions = "GroupMember.ReadWrite.All", .changes = "the membership" },
    [GRAPH_MEMBER_REMOVE] = { "graph.member_remove", "member.remove", "DELETE", graph_path_member_ref, GRAPH_REMOVE, BODY_NONE,
        .permissions = "GroupMember.ReadWrite.All", .changes = "the membership" },
    [GRAPH_USER_CREATE] = { "graph.user_create", "user.create", "POST", graph_path_users, GRAPH_CREATE, BODY_REQUIRED,
        .permissions = "User.Create", .changes = "the account", .secret = true },
    [GRAPH_USER_PATCH] = { "graph.user_update", "user.update", "PATCH", graph_path_user_patch, GRAPH_USER, BODY_REQUIRED, .fits = fits_patch,
        .permissions = "User.ReadUpdate.All" },
    [GRAPH_USER_ENABLE] = { "graph.user_enable", "user.enable", "PATCH", graph_path_user_patch, GRAPH_USER, BODY_MADE, make_enabled,
        .permissions = "User.EnableDisableAccount.All User.Read.All", .changes = "accountEnabled" },
    [GRAPH_USER_DISABLE] = { "graph.user_disable", "user.disable", "PATCH", graph_path_user_patch, GRAPH_USER, BODY_MADE, make_disabled,
        .permissions = "User.EnableDisableAccount.All User.Read.All", .changes = "accountEnabled" },
    [GRAPH_USER_PASSWORD] = { "graph.user_password", "user.password", "PATCH", graph_path_user_patch, GRAPH_PASSWORD, BODY_REQUIRED,
        .fits = fits_password, .permissions = "User-PasswordProfile.ReadWrite.All", .role = "User Administrator",
        .changes = "the password", .secret = true },
    [GRAPH_USER_DELETE] = { "graph.user_delete", "user.delete", "DELETE", graph_path_user_delete, GRAPH_DELETE, BODY_NONE,
        .permissions = "User.DeleteRestore.All", .changes = "the account" },
    [GRAPH_USER_RESTORE] = { "graph.user_restore", "user.restore", "POST", graph_path_user_restore, GRAPH_RESTORE, BODY_OPTIONAL,
        .permissions = "User.DeleteRestore.All", .changes = "the account" },
    [GRAPH_USER_INVITE] = { "graph.user_invite", "user.invite", "POST", graph_path_invitations, GRAPH_INVITE, BODY_REQUIRED,
        .permissions = "User.Invite.All", .changes = "the account" },
    [GRAPH_MANAGER_SET] = { "graph.manager_set", "manager.set", "PUT", graph_path_manager_set, GRAPH_MANAGER, BODY_MADE, make_manager,
        .permissions = "User.ReadWrite.All", .changes = "the manager" },
    [GRAPH_MANAGER_REMOVE] = { "graph.manager_remove", "manager.remove", "DELETE", graph_path_manager_remove, GRAPH_NO_MANAGER, BODY_NONE,
        .permissions = "User.ReadWrite.All", .changes = "the manager" },
    [GRAPH_LICENSES_ASSIGN] = { "graph.licenses_assign", "licenses.assign", "POST", graph_path_licenses, GRAPH_LICENSES, BODY_REQUIRED,
        .fits = fits_licenses, .permissions = "LicenseAssignment.ReadWrite.All", .changes = "the licences" },
    [GRAPH_SESSIONS_REVOKE] = { "graph.sessions_revoke", "sessions.revoke", "POST", graph_path_sessions, GRAPH_SESSIONS, BODY_NONE,
        .permissions = "User.RevokeSessions.All", .changes = "the sessions" },
    [GRAPH_PASS_CREATE] = { "graph.pass_create", "pass.create", "POST", graph_path_passes, GRAPH_PASS, BODY_REQUIRED,
        .permissions = "UserAuthMethod-TAP.ReadWrite.All", .changes = "the access pass", .secret = true },
    [GRAPH_PASS_DELETE] = { "graph.pass_delete", "pass.delete", "DELETE", graph_path_pass, GRAPH_METHOD, BODY_NONE,
        .permissions = "UserAuthMethod-TAP.ReadWrite.All", .changes = "the access pass" },
    [GRAPH_METHOD_DELETE] = { "graph.method_delete", "method.delete", "DELETE", graph_path_method, GRAPH_METHOD, BODY_NONE,
        .permissions = "UserAuthMethod-Phone.ReadWrite.All UserAuthMethod-Email.ReadWrite.All UserAuthMethod-Passkey.ReadWrite.All "
                       "UserAuthMethod-MicrosoftAuthApp.ReadWrite.All UserAuthMethod-SoftwareOATH.ReadWrite.All "
                       "UserAuthMethod-WindowsHello.ReadWrite.All", .changes = "the sign-in methods" },
};

const char *graph_write_action(enum graph_write_kind kind) { return rows[kind].action; }
const char *graph_write_method(enum graph_write_kind kind) { return rows[kind].method; }
const char *graph_write_permissions(enum graph_write_kind kind) { return rows[kind].permissions; }
const char *graph_write_role(enum graph_write_kind kind) { return rows[kind].role != NULL ? rows[kind].role : ""; }

bool graph_write_parse(const char *action, enum graph_write_kind *ret)
{
    for (int i = 0; i < GRAPH_WRITE_KINDS; i++)
        if (eb_streq(action, rows[i].action)) {
            *ret = (enum graph_write_kind)i;
            return true;
        }
    return false;
}

/* https://learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods: not in the cloud that 21Vianet runs. */
bool graph_write_offered(const struct graph *g, enum graph_write_kind kind, struct eb_err *err)
{
    if (g->cloud_place == CONFIG_CHINA && (kind == GRAPH_PASS_CREATE || kind == GRAPH_PASS_DELETE))
        return eb_fail(err, EB_REJECTED_BY_ENTRA, "Temporary Access Passes are not offered in the China cloud (entra.cloud): reset the "
                       "password instead.");
    return true;
}

/* ---- sending ---- */

char *graph_write_path(const struct graph_write *w)
{
    return rows[w->kind].path(w);
}

bool graph_write_body(const struct graph *g, const struct graph_write *w, char **ret, struct eb_err *err)
{
    const struct row *row = &rows[w->kind];
    bool given = row->body == BODY_REQUIRED || (row->body == BODY_OPTIONAL && w->body != NULL);

    *ret = NULL;
    if (row->body == BODY_MADE)
        *ret = row->make(g, w);
    else if (given && json_is_object(w->body) && (row->fits == NULL || row->fits(w->body)))
        *ret = eb_json_text(w->body);
    else if (!given && w->body == NULL)
        return true;
    return *ret != NULL || eb_fail(err, EB_INTERNAL, "the body does not fit a write of the kind %s", row->action);
}

static bool prepare(const struct graph *g, const struct graph_write *w, struct graph_call *call)
{
    struct eb_err *err = &call->failure;

    if (!graph_write_offered(g, w->kind, err))
        return false;
    call->path = graph_write_path(w);
    if (call->path == NULL)
        return eb_fail(err, EB_INTERNAL, "a write of the kind %s takes object ids only, and methods of known types", rows[w->kind].action);
    return graph_write_body(g, w, &call->body, err);
}

void graph_write(struct graph *g, const struct graph_write *w, uint64_t id, graph_done *done, void *ctx)
{
    const struct row *row = &rows[w->kind];
    struct graph_call *call = graph_call_new(g, row->kind, row->call, row->method, GRAPH_WRITE_DEADLINE_MS);

    call->id = id;
    call->done = done;
    call->ctx = ctx;
    call->secret = row->secret;
    call->priority = w->background ? GRAPH_BACKGROUND : GRAPH_DESK;
    call->caller = graph_caller(w->caller);
    call->permission = graph_permission_of_write(w);
    call->changes = row->changes != NULL ? eb_strdup(row->changes) : graph_attribute_names(w->body);
    if (!prepare(g, w, call) && call->failure.code == EB_OK)
        (void)eb_fail(&call->failure, EB_INTERNAL, "the write could not be prepared");
    if (w->kind == GRAPH_MEMBER_ADD && !w->alone && call->failure.code == EB_OK)
        graph_members_submit(call, w);
    else
        graph_call_submit(call);
}
