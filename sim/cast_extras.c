/* cast_extras.c - licences, sign-in methods, a second line of managers and a group of approvers: rows 25 and up of the cast.
 *
 * Tests rely on every row: change README.md with it.
 */
#include "sim/cast.h"

#include "base/text.h"
#include "sim/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *id, *part; int enabled, used; const char *plan, *plan_name; } skus[] = {
    { "50000000-0000-4000-8000-000000000001", "SPE_E3", 25, 5, "51000000-0000-4000-8000-000000000001", "EXCHANGE_S_ENTERPRISE" },
    { "50000000-0000-4000-8000-000000000002", "SPE_E5", 3, 3, "51000000-0000-4000-8000-000000000002", "EXCHANGE_S_ENTERPRISE" },
    { "50000000-0000-4000-8000-000000000003", "POWER_BI_PRO", 10, 0, "51000000-0000-4000-8000-000000000003", "BI_AZURE_P2" },
};

void cast_skus(struct sim *s)
{
    for (size_t i = 0; i < EB_LEN(skus); i++) {
        char *id = eb_asprintf("%s_%s", s->opt.tenant, skus[i].id);
        json_array_append_new(s->entra->skus, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:{s:i, s:i, s:i, s:i}, s:[{s:s, s:s, s:s, s:s}]}",
            "id", id, "skuId", skus[i].id, "skuPartNumber", skus[i].part, "appliesTo", "User", "capabilityStatus", "Enabled",
            "consumedUnits", skus[i].used, "prepaidUnits", "enabled", skus[i].enabled, "lockedOut", 0, "suspended", 0, "warning", 0,
            "servicePlans", "servicePlanId", skus[i].plan, "servicePlanName", skus[i].plan_name, "provisioningStatus", "Success", "appliesTo", "User"));
        free(id);
    }
}

static struct entra_object *object(struct sim *s, char letter, int nn)
{
    char id[EB_ID_LEN];

    snprintf(id, sizeof(id), "%c0000000-0000-4000-8000-%012d", letter, nn);
    return entra_find(s->entra, id);
}

#define METHOD(t) "#microsoft.graph." t "AuthenticationMethod"
static const struct { const char *type, *id, *name, *value; } methods[] = {     /* of Mia; the first is her default */
    { METHOD("microsoftAuthenticator"), "60000000-0000-4000-8000-000000000001", "displayName", "Mia's phone" },
    { METHOD("phone"), "3179e48a-750b-4051-897c-87b9720928f7", "phoneNumber", "+49 30 5550100" },
    { METHOD("phone"), "e37fc753-ff3b-4958-9484-eaa9425c82bc", "phoneNumber", "+49 30 5550101" },
    { METHOD("email"), "3ddfcfc8-9383-446f-83cc-3ab9be4be18f", "emailAddress", "mia@home.example" },
    { METHOD("fido2"), "60000000-0000-4000-8000-000000000002", "model", "Simulated Key 5" },
    { METHOD("softwareOath"), "60000000-0000-4000-8000-000000000003", "secretKey", NULL },
    { METHOD("windowsHelloForBusiness"), "60000000-0000-4000-8000-000000000004", "displayName", "MIA-LAPTOP" },
};

static json_t *method_json(size_t i)
{
    json_t *m = json_pack("{s:s, s:s, s:s?, s:s}", "@odata.type", methods[i].type, "id", methods[i].id, methods[i].name, methods[i].value,
                          "createdDateTime", "2025-06-01T09:00:00Z");

    if (strcmp(methods[i].type, METHOD("phone")) == 0)
        json_object_set_new(m, "phoneType", json_string(methods[i].id[0] == '3' ? "mobile" : "office"));
    return m;
}

void cast_extras(struct sim *s)
{
    struct entra_object *mia = object(s, 'a', 26), *phone = object(s, 'a', 30);

    licences_give(s, object(s, 'a', 25), skus[0].id, object(s, 'b', 18)->id);
    licences_give(s, object(s, 'a', 25), skus[2].id, NULL);
    json_object_set_new(object(s, 'b', 18)->attrs, "assignedLicenses", json_pack("[{s:[], s:s}]", "disabledPlans", "skuId", skus[0].id));
    mia->methods = json_array();
    for (size_t i = 0; i < EB_LEN(methods); i++)
        json_array_append_new(mia->methods, method_json(i));
    snprintf(mia->default_method, sizeof(mia->default_method), "%s", methods[0].id);
    phone->methods = json_pack("[o]", method_json(1));
    snprintf(phone->default_method, sizeof(phone->default_method), "%s", methods[1].id);
    entra_set(s->entra, object(s, 'a', 27), "usageLocation", json_null());
}
