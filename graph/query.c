/* query.c - paths of reads that filter or search.
 *
 * Invariant: whatever a value holds, it stays within its quotes; nothing but unreserved characters of it reaches the path bare.
 */
#include "graph/query.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN KiB(8)
#define TAKEN_MAX 15

/* The value, each `special` with `before` put before it, percent-encoded. */
static void add_escaped(struct eb_buf *out, const char *value, const char *special, char before)
{
    struct eb_buf plain = EB_BUF(PATH_MAX_LEN);

    for (; *value != '\0'; value++) {
        if (strchr(special, *value) != NULL)
            eb_buf_add(&plain, &before, 1);
        eb_buf_add(&plain, value, 1);
    }
    if (plain.failed || !eb_url_escape(out, plain.data == NULL ? "" : plain.data))
        out->failed = true;
    eb_buf_free(&plain);
}

void graph_query_quoted(struct eb_buf *out, const char *value)
{
    eb_buf_str(out, "'");
    add_escaped(out, value, "'", '\'');
    eb_buf_str(out, "'");
}

/* Names and commas only: an attribute of a policy must not become another option of the query. */
static void add_select(struct eb_buf *out, const char *select)
{
    for (const char *p = select; *p != '\0'; p++)
        if ((*p < 'a' || *p > 'z') && (*p < 'A' || *p > 'Z') && (*p < '0' || *p > '9') && *p != '_' && *p != ',')
            out->failed = true;
    eb_buf_str(out, "$select=");
    eb_buf_str(out, select);
}

char *graph_query_select(const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "?");
    add_select(&b, select);
    return eb_buf_take(&b);
}

char *graph_query_users_taken(const char *const *upns, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);
    size_t n = 0;

    eb_buf_str(&b, "/users?$filter=userPrincipalName%20in%20(");
    for (; n < TAKEN_MAX && upns[n] != NULL; n++) {
        eb_buf_str(&b, n > 0 ? "," : "");
        graph_query_quoted(&b, upns[n]);
    }
    b.failed = b.failed || n == 0 || upns[n] != NULL;
    eb_buf_str(&b, ")&");
    add_select(&b, select);
    return eb_buf_take(&b);
}

char *graph_query_users_search(const char *text, const char *select, int top)
{
    static const char *const properties[] = { "displayName", "userPrincipalName", "mail" };
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/users?$search=");
    for (size_t i = 0; i < EB_LEN(properties); i++) {
        eb_buf_addf(&b, "%s%%22%s%%3A", i > 0 ? "%20OR%20" : "", properties[i]);
        add_escaped(&b, text, "\"\\", '\\');
        eb_buf_str(&b, "%22");
    }
    eb_buf_addf(&b, "&$top=%d&", top);
    add_select(&b, select);
    return eb_buf_take(&b);
}

char *graph_query_users_by_address(const char *address, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/users?$filter=mail%20eq%20");
    graph_query_quoted(&b, address);
    eb_buf_str(&b, "%20or%20userPrincipalName%20eq%20");
    graph_query_quoted(&b, address);
    eb_buf_str(&b, "%20or%20otherMails/any(m:m%20eq%20");
    graph_query_quoted(&b, address);
    eb_buf_str(&b, ")&");
    add_select(&b, select);
    return eb_buf_take(&b);
}

char *graph_query_deleted_user(const char *id_or_upn, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);
    bool is_id = eb_is_guid(id_or_upn);

    eb_buf_str(&b, "/directory/deletedItems/microsoft.graph.user?$filter=");
    eb_buf_str(&b, is_id ? "id%20eq%20" : "endswith(userPrincipalName,");
    graph_query_quoted(&b, id_or_upn);
    eb_buf_str(&b, is_id ? "&" : ")&$count=true&");
    add_select(&b, select);
    return eb_buf_take(&b);
}

char *graph_query_role_eligibilities(const char *principal_id)
{
    if (principal_id == NULL)
        return eb_strdup("/roleManagement/directory/roleEligibilityScheduleInstances?$select=id,principalId,roleDefinitionId&$top=999");
    if (!eb_is_guid(principal_id))
        return NULL;
    return eb_asprintf("/roleManagement/directory/roleEligibilityScheduleInstances?$filter=principalId%%20eq%%20'%s'&$select=id,principalId,roleDefinitionId",
                       principal_id);
}

char *graph_query_skus(void)
{
    return eb_strdup("/subscribedSkus?$select=id,skuId,skuPartNumber,appliesTo,capabilityStatus,consumedUnits,prepaidUnits");
}

static char *by_client_id(const char *collection, const char *client_id, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_addf(&b, "/%s?$filter=appId%%20eq%%20", collection);
    graph_query_quoted(&b, client_id);
    eb_buf_addf(&b, "&$select=%s", select);
    return eb_buf_take(&b);
}

static char *owners(const char *collection, const char *object_id)
{
    return eb_is_guid(object_id) ? eb_asprintf("/%s/%s/owners?$select=id&$top=999", collection, object_id) : NULL;
}

char *graph_query_application(const char *client_id) { return by_client_id("applications", client_id, "id"); }
char *graph_query_service_principal(const char *client_id) { return by_client_id("servicePrincipals", client_id, "id"); }
char *graph_query_application_credentials(const char *client_id)
{
    return by_client_id("applications", client_id, "id,passwordCredentials,keyCredentials");
}

char *graph_query_dynamic_groups(void)
{
    return eb_strdup("/groups?$filter=groupTypes/any(c:c%20eq%20'DynamicMembership')&$select=id,displayName,membershipRule&$top=999");
}

char *graph_query_application_owners(const char *object_id) { return owners("applications", object_id); }
char *graph_query_service_principal_owners(const char *object_id) { return owners("servicePrincipals", object_id); }

/* ---- long lists ---- */

#define WITH_MANAGER "&$expand=manager($select=id)"

static char *list(const char *before, const char *select, const char *after)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, before);
    add_select(&b, select);
    eb_buf_str(&b, after);
    return eb_buf_take(&b);
}

char *graph_query_users_list(const char *select) { return list("/users?", select, WITH_MANAGER "&$top=999"); }
char *graph_query_users_latest(const char *select) { return list("/users/delta?$deltatoken=latest&", select, ",manager"); }
char *graph_query_groups_list(const char *select) { return list("/groups/delta?", select, ",members,owners"); }
char *graph_query_users_count(void) { return eb_strdup("/users/$count"); }

char *graph_query_users_with_mail(const char *mail, const char *select)
{
    struct eb_buf b = EB_BUF(PATH_MAX_LEN);

    eb_buf_str(&b, "/users?$filter=mail%20eq%20");
    graph_query_quoted(&b, mail);
    eb_buf_str(&b, "%20or%20userPrincipalName%20eq%20");
    graph_query_quoted(&b, mail);
    eb_buf_str(&b, "&");
    add_select(&b, select);
    eb_buf_str(&b, WITH_MANAGER);
    return eb_buf_take(&b);
}
