/* odata_types.c - which properties each type has, which come without $select, and how an object is shown.
 *
 * Names are those of Graph v1.0; a property that is not here is refused in $select, as Graph does.
 */
#include "sim/odata.h"

#include "base/text.h"

#include <string.h>

enum form { SINGLE, LIST };
struct property { const char *name; bool by_default; enum form form; };

static const struct property user_properties[] = {
    { "businessPhones", true, LIST }, { "displayName", true, SINGLE }, { "givenName", true, SINGLE },
    { "jobTitle", true, SINGLE }, { "mail", true, SINGLE }, { "mobilePhone", true, SINGLE },
    { "officeLocation", true, SINGLE }, { "preferredLanguage", true, SINGLE }, { "surname", true, SINGLE },
    { "userPrincipalName", true, SINGLE }, { "id", true, SINGLE },
    { "accountEnabled", false, SINGLE }, { "ageGroup", false, SINGLE }, { "assignedLicenses", false, LIST },
    { "assignedPlans", false, LIST }, { "city", false, SINGLE }, { "companyName", false, SINGLE },
    { "consentProvidedForMinor", false, SINGLE }, { "country", false, SINGLE }, { "createdDateTime", false, SINGLE },
    { "creationType", false, SINGLE }, { "deletedDateTime", false, SINGLE }, { "department", false, SINGLE },
    { "employeeHireDate", false, SINGLE }, { "employeeId", false, SINGLE }, { "employeeLeaveDateTime", false, SINGLE },
    { "employeeOrgData", false, SINGLE }, { "employeeType", false, SINGLE }, { "externalUserState", false, SINGLE },
    { "externalUserStateChangeDateTime", false, SINGLE }, { "faxNumber", false, SINGLE }, { "identities", false, LIST },
    { "imAddresses", false, LIST }, { "isManagementRestricted", false, SINGLE }, { "isResourceAccount", false, SINGLE },
    { "lastPasswordChangeDateTime", false, SINGLE }, { "legalAgeGroupClassification", false, SINGLE },
    { "licenseAssignmentStates", false, LIST }, { "mailNickname", false, SINGLE },
    { "onPremisesDistinguishedName", false, SINGLE }, { "onPremisesDomainName", false, SINGLE },
    { "onPremisesExtensionAttributes", false, SINGLE }, { "onPremisesImmutableId", false, SINGLE },
    { "onPremisesLastSyncDateTime", false, SINGLE }, { "onPremisesProvisioningErrors", false, LIST },
    { "onPremisesSamAccountName", false, SINGLE }, { "onPremisesSecurityIdentifier", false, SINGLE },
    { "onPremisesSyncEnabled", false, SINGLE }, { "onPremisesUserPrincipalName", false, SINGLE },
    { "otherMails", false, LIST }, { "passwordPolicies", false, SINGLE }, { "passwordProfile", false, SINGLE },
    { "postalCode", false, SINGLE }, { "preferredDataLocation", false, SINGLE }, { "provisionedPlans", false, LIST },
    { "proxyAddresses", false, LIST }, { "securityIdentifier", false, SINGLE }, { "showInAddressList", false, SINGLE },
    { "signInActivity", false, SINGLE }, { "signInSessionsValidFromDateTime", false, SINGLE }, { "state", false, SINGLE },
    { "streetAddress", false, SINGLE }, { "usageLocation", false, SINGLE }, { "userType", false, SINGLE },
    { NULL, false, SINGLE },
};

static const struct property group_properties[] = {
    { "id", true, SINGLE }, { "deletedDateTime", true, SINGLE }, { "classification", true, SINGLE },
    { "createdDateTime", true, SINGLE }, { "description", true, SINGLE }, { "displayName", true, SINGLE },
    { "expirationDateTime", true, SINGLE }, { "groupTypes", true, LIST }, { "isAssignableToRole", true, SINGLE },
    { "mail", true, SINGLE }, { "mailEnabled", true, SINGLE }, { "mailNickname", true, SINGLE },
    { "membershipRule", true, SINGLE }, { "membershipRuleProcessingState", true, SINGLE },
    { "onPremisesDomainName", true, SINGLE }, { "onPremisesLastSyncDateTime", true, SINGLE },
    { "onPremisesNetBiosName", true, SINGLE }, { "onPremisesSamAccountName", true, SINGLE },
    { "onPremisesSecurityIdentifier", true, SINGLE }, { "onPremisesSyncEnabled", true, SINGLE },
    { "preferredDataLocation", true, SINGLE }, { "preferredLanguage", true, SINGLE }, { "proxyAddresses", true, LIST },
    { "renewedDateTime", true, SINGLE }, { "resourceBehaviorOptions", true, LIST },
    { "resourceProvisioningOptions", true, LIST }, { "securityEnabled", true, SINGLE },
    { "securityIdentifier", true, SINGLE }, { "theme", true, SINGLE }, { "uniqueName", true, SINGLE },
    { "visibility", true, SINGLE }, { "onPremisesProvisioningErrors", true, LIST }, { "serviceProvisioningErrors", true, LIST },
    { "assignedLabels", false, LIST }, { "assignedLicenses", false, LIST }, { "hasMembersWithLicenseErrors", false, SINGLE },
    { "isManagementRestricted", false, SINGLE }, { "licenseProcessingState", false, SINGLE },
    { NULL, false, SINGLE },
};

static const struct property role_properties[] = {
    { "id", true, SINGLE }, { "deletedDateTime", true, SINGLE }, { "description", true, SINGLE },
    { "displayName", true, SINGLE }, { "roleTemplateId", true, SINGLE }, { NULL, false, SINGLE },
};
static const struct property principal_properties[] = {
    { "id", true, SINGLE }, { "appId", true, SINGLE }, { "displayName", true, SINGLE }, { "accountEnabled", true, SINGLE },
    { "appRoles", true, LIST }, { "servicePrincipalType", true, SINGLE }, { NULL, false, SINGLE },
};
static const struct property application_properties[] = {
    { "id", true, SINGLE }, { "appId", true, SINGLE }, { "displayName", true, SINGLE },
    { "passwordCredentials", true, LIST }, { "keyCredentials", true, LIST }, { NULL, false, SINGLE },
};

static const struct { const char *type; const struct property *properties; } types[ENTRA_KINDS] = {
    [ENTRA_USER] = { "#microsoft.graph.user", user_properties },
    [ENTRA_GROUP] = { "#microsoft.graph.group", group_properties },
    [ENTRA_ROLE] = { "#microsoft.graph.directoryRole", role_properties },
    [ENTRA_SERVICE_PRINCIPAL] = { "#microsoft.graph.servicePrincipal", principal_properties },
    [ENTRA_APPLICATION] = { "#microsoft.graph.application", application_properties },
};

const char *odata_type(enum entra_kind kind)
{
    return types[kind].type;
}

static const struct property *find_property(enum entra_kind kind, const char *name)
{
    for (const struct property *p = types[kind].properties; p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

bool odata_has_property(enum entra_kind kind, const char *name)
{
    if (strncmp(name, "extension_", 10) == 0)
        return true;
    for (int k = 0; kind == ENTRA_KINDS && k < ENTRA_KINDS; k++)
        if (find_property((enum entra_kind)k, name) != NULL)
            return true;
    return kind != ENTRA_KINDS && find_property(kind, name) != NULL;
}

static void show(json_t *out, const struct entra *e, const struct entra_object *o, const char *name, enum form form)
{
    json_t *value = entra_get(e, o, name);

    if (value != NULL)
        json_object_set(out, name, value);
    else
        json_object_set_new(out, name, form == LIST ? json_array() : json_null());
}

json_t *odata_render(const struct entra *e, const struct entra_object *o, const struct odata_select *sel, bool with_type)
{
    json_t *out = json_object();

    if (with_type)
        json_object_set_new(out, "@odata.type", json_string(types[o->kind].type));
    for (size_t i = 0; sel != NULL && i < sel->n; i++) {
        const struct property *p = find_property(o->kind, sel->names[i]);
        if (p != NULL)
            show(out, e, o, p->name, p->form);
        else if (entra_get(e, o, sel->names[i]) != NULL)
            show(out, e, o, sel->names[i], SINGLE);      /* a directory extension */
    }
    if (sel == NULL || sel->n == 0)
        for (const struct property *p = types[o->kind].properties; p->name != NULL && p->by_default; p++)
            show(out, e, o, p->name, p->form);
    return out;
}

void odata_columns_make(enum entra_kind kind, const struct odata_select *select, struct odata_columns *ret)
{
    ret->made = true;
    for (size_t i = 0; select != NULL && i < select->n; i++) {
        const struct property *p = find_property(kind, select->names[i]);
        const char *name = select->names[i];
        if (p != NULL || strncmp(name, "extension_", 10) == 0)
            ret->v[ret->n++] = (struct odata_column){ name, p != NULL && p->form == LIST, p == NULL, kind == ENTRA_USER ? company_field(name) : -1 };
    }
    if (select == NULL || select->n == 0)
        for (const struct property *p = types[kind].properties; p->name != NULL && p->by_default && ret->n < ODATA_SELECT_MAX; p++)
            ret->v[ret->n++] = (struct odata_column){ p->name, p->form == LIST, false, kind == ENTRA_USER ? company_field(p->name) : -1 };
}

bool odata_select_parse(const struct sim_call *c, enum entra_kind kind, struct odata_select *ret, struct sim_reply *r)
{
    return odata_select_text(c, kind, sim_call_query(c, "$select"), ret, r);
}

bool odata_select_text(const struct sim_call *c, enum entra_kind kind, const char *text, struct odata_select *ret, struct sim_reply *r)
{
    char *save = NULL;

    ret->n = 0;
    if (text == NULL)
        return true;
    if (strlen(text) >= sizeof(ret->text)) {
        odata_bad_request(c, r, "$select is too long.");
        return false;
    }
    strcpy(ret->text, text);
    for (char *p = strtok_r(ret->text, ", ", &save); p != NULL; p = strtok_r(NULL, ", ", &save)) {
        if (!odata_has_property(kind, p) || ret->n == ODATA_SELECT_MAX) {
            odata_error(c, r, 400, "BadRequest", "Parsing OData Select and Expand failed: Could not find a property named '%s'%s%s.",
                        p, kind < ENTRA_KINDS ? " on type " : "", kind < ENTRA_KINDS ? types[kind].type + 1 : "");
            return false;
        }
        ret->names[ret->n++] = p;
    }
    return true;
}
