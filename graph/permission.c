/* permission.c - the least application permissions, by path for reads, by kind and attribute for writes.
 *
 * Graph's 403 does not say what is missing; these tables do (of attributes: config/attribute.c). https://learn.microsoft.com/graph/permissions-reference
 */
#include "graph/permission.h"
#include "graph/path.h"

#include "base/text.h"
#include "config/attribute.h"

#include <string.h>

static const struct { const char *part, *permission; } reads[] = {
    { "/roleManagement/directory/roleEligibility", "RoleEligibilitySchedule.Read.Directory" },
    { "/roleManagement/", "RoleManagement.Read.Directory" },
    { "/directoryRoles", "RoleManagement.Read.Directory" },
    { "/onPremisesSyncBehavior", "Group-OnPremisesSyncBehavior.ReadWrite.All" },
    { "/applications", "Application.Read.All" },
    { "/servicePrincipals", "Application.Read.All" },
    { "/organization", "Organization.Read.All" },
    { "/domains", "Domain.Read.All" },
    { "/subscribedSkus", "LicenseAssignment.Read.All" },
    { "/licenseDetails", "LicenseAssignment.Read.All" },
    { "/authentication/temporaryAccessPassMethods", "UserAuthMethod-TAP.Read.All" },
    { "/authentication/", "UserAuthenticationMethod.Read.All" },
    { "/transitiveMemberOf/microsoft.graph.directoryRole", "RoleManagement.Read.Directory and User.Read.All" },
    { "/memberOf/microsoft.graph.directoryRole", "RoleManagement.Read.Directory and User.Read.All" },
    { "emberOf", "User.Read.All and GroupMember.Read.All" },
    { "/ownedObjects", "User.Read.All and GroupMember.Read.All" },
    { "/groups", "GroupMember.Read.All" },
};

const char *graph_permission_of_read(const char *path)
{
    for (size_t i = 0; i < EB_LEN(reads); i++)
        if (strstr(path, reads[i].part) != NULL)
            return reads[i].permission;
    return "User.Read.All";
}

const char *graph_attribute_permission(const char *attribute)
{
    const struct attribute *a = attribute_find(attribute);

    return a != NULL && a->permission != NULL ? a->permission : "User.ReadUpdate.All";
}

/* Each word of `words` once, with " and " between. */
static void add_words(struct eb_buf *out, const char *words)
{
    while (*words != '\0') {
        char word[80];
        size_t n = strcspn(words, " ");
        (void)snprintf(word, sizeof(word), "%.*s", (int)n, words);
        if (out->data == NULL || strstr(out->data, word) == NULL)
            eb_buf_addf(out, "%s%s", out->len > 0 ? " and " : "", word);
        words += n + strspn(words + n, " ");
    }
}

static void add_attributes(struct eb_buf *out, const json_t *body)
{
    const char *attribute;
    const json_t *value;

    json_object_foreach((json_t *)(uintptr_t)body, attribute, value)
        add_words(out, graph_attribute_permission(attribute));
    if (out->data != NULL && strstr(out->data, "User.ReadUpdate.All") != NULL)
        eb_buf_str(out, " (where the tenant does not offer that one: User.ReadWrite.All)");
}

char *graph_permission_of_write(const struct graph_write *w)
{
    struct eb_buf b = EB_BUF(KiB(1));
    const char *of_method = w->kind == GRAPH_METHOD_DELETE ? graph_method_permission(w->method_type) : NULL;

    if (w->kind == GRAPH_USER_PATCH)
        add_attributes(&b, w->body);
    else
        add_words(&b, of_method != NULL ? of_method : graph_write_permissions(w->kind));
    if (graph_write_role(w->kind)[0] != '\0')
        eb_buf_addf(&b, " and the directory role %s", graph_write_role(w->kind));
    if (w->kind == GRAPH_USER_CREATE)
        eb_buf_str(&b, " (where the tenant does not offer that one: User.ReadWrite.All)");
    if (w->kind == GRAPH_MEMBER_ADD || w->kind == GRAPH_MEMBER_REMOVE)
        eb_buf_str(&b, " (for a role-assignable group also RoleManagement.ReadWrite.Directory)");
    return eb_buf_take(&b);
}

char *graph_attribute_names(const json_t *body)
{
    struct eb_buf b = EB_BUF(KiB(1));
    const char *attribute;
    const json_t *value;
    size_t left = json_object_size(body);

    json_object_foreach((json_t *)(uintptr_t)body, attribute, value) {
        if (b.len + strlen(attribute) > 160) {
            eb_buf_addf(&b, " and %zu more", left);
            break;
        }
        eb_buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", attribute);
        left--;
    }
    return eb_buf_take(&b);
}
