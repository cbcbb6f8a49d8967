/* graph_licences.c - what the tenant has bought, and who has it: subscribedSkus, licenseDetails, assignLicense.
 *
 * Invariant: a SKU's consumedUnits rises and falls with the users who have it (those in the bin do not count).
 */
#include "sim/graph.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static json_t *find_sku(const struct sim *s, const char *id)
{
    for (size_t i = 0; id != NULL && i < json_array_size(s->entra->skus); i++) {
        json_t *sku = json_array_get(s->entra->skus, i);
        if (eb_strieq(eb_json_str(sku, "skuId"), id))
            return sku;
    }
    return NULL;
}

static void consume(json_t *sku, int by)
{
    json_object_set_new(sku, "consumedUnits", json_integer(eb_json_int(sku, "consumedUnits", 0) + by));
}

static bool one_is_left(const json_t *sku)
{
    return eb_json_int(sku, "consumedUnits", 0) < eb_json_int(json_object_get(sku, "prepaidUnits"), "enabled", 0);
}

void graph_skus(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    odata_answer_json_list(c, s->entra->skus, "subscribedSkus", s->opt.page_size, r);
}

void graph_sku(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    for (size_t i = 0; i < json_array_size(s->entra->skus); i++) {
        json_t *sku = json_array_get(s->entra->skus, i);
        if (eb_strieq(eb_json_str(sku, "id"), c->params[0])) {
            sim_reply_json(r, 200, json_incref(sku));
            return;
        }
    }
    odata_not_found(c, r, c->params[0]);
}

/* The index of a licence in assignedLicenses, or of a state of licenseAssignmentStates; -1: none. group "": given to the user itself. */
static int find_licence(const json_t *list, const char *sku, const char *group)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *by = eb_json_str(one, "assignedByGroup");
        if (eb_strieq(eb_json_str(one, "skuId"), sku) && (group == NULL || eb_strieq(by != NULL ? by : "", group)))
            return (int)i;
    }
    return -1;
}

static json_t *own_list(struct entra_object *o, const char *name)
{
    json_t *list = json_object_get(o->attrs, name);

    if (list == NULL) {
        list = json_array();
        json_object_set_new(o->attrs, name, list);
    }
    return list;
}

/* disabled: borrowed, or NULL. */
static void give(struct entra_object *o, json_t *sku, const char *group, json_t *disabled)
{
    json_t *licences = own_list(o, "assignedLicenses"), *states = own_list(o, "licenseAssignmentStates");
    json_t *plans = disabled != NULL ? json_incref(disabled) : json_array();
    const char *id = eb_json_str(sku, "skuId");
    char now[EB_TIME_LEN];

    int at = find_licence(licences, id, NULL);
    json_t *licence = json_pack("{s:O, s:s}", "disabledPlans", plans, "skuId", id);
    if (at < 0) {
        json_array_append_new(licences, licence);
        consume(sku, 1);
    } else {
        json_array_set_new(licences, (size_t)at, licence);
    }
    at = find_licence(states, id, group != NULL ? group : "");
    json_t *state = json_pack("{s:s, s:s?, s:o, s:s, s:s, s:s}", "skuId", id, "assignedByGroup", group, "disabledPlans", plans,
                              "state", "Active", "error", "None", "lastUpdatedDateTime", entra_time(eb_now_ms(), now));
    if (at < 0)
        json_array_append_new(states, state);
    else
        json_array_set_new(states, (size_t)at, state);
}

bool licences_give(struct sim *s, struct entra_object *o, const char *sku_id, const char *group)
{
    json_t *sku = find_sku(s, sku_id);

    if (sku != NULL)
        give(o, sku, group, NULL);
    return sku != NULL;
}

static void take(struct sim *s, struct entra_object *o, const char *sku_id)
{
    json_t *licences = own_list(o, "assignedLicenses"), *states = own_list(o, "licenseAssignmentStates");
    int direct = find_licence(states, sku_id, "");

    if (direct >= 0)
        json_array_remove(states, (size_t)direct);
    int left = find_licence(states, sku_id, NULL), at = find_licence(licences, sku_id, NULL);
    if (left < 0 && at >= 0) {
        json_array_remove(licences, (size_t)at);
        consume(find_sku(s, sku_id), -1);
    }
}

void licences_release(struct sim *s, struct entra_object *o)
{
    const json_t *list = json_object_get(o->attrs, "assignedLicenses");

    for (size_t i = 0; i < json_array_size(list); i++)
        consume(find_sku(s, eb_json_str(json_array_get(list, i), "skuId")), -1);
}

void licences_take_back(struct sim *s, struct entra_object *o)
{
    const json_t *list = json_object_get(o->attrs, "assignedLicenses");

    for (size_t i = 0; i < json_array_size(list); i++)
        consume(find_sku(s, eb_json_str(json_array_get(list, i), "skuId")), 1);
}

void graph_licence_details(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    const json_t *list = o != NULL ? json_object_get(o->attrs, "assignedLicenses") : NULL;

    if (o == NULL)
        return;
    json_t *items = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *sku = find_sku(s, eb_json_str(json_array_get(list, i), "skuId"));
        json_array_append_new(items, json_pack("{s:O, s:O, s:O, s:O}", "id", json_object_get(sku, "id"), "skuId", json_object_get(sku, "skuId"),
            "skuPartNumber", json_object_get(sku, "skuPartNumber"), "servicePlans", json_object_get(sku, "servicePlans")));
    }
    odata_answer_json_list(c, items, "users/licenseDetails", s->opt.page_size, r);
    json_decref(items);
}

static bool plans_are_of(const json_t *sku, const json_t *disabled)
{
    const json_t *plans = json_object_get(sku, "servicePlans");

    for (size_t i = 0; i < json_array_size(disabled); i++) {
        size_t k = 0;
        while (k < json_array_size(plans) &&
               !eb_strieq(eb_json_str(json_array_get(plans, k), "servicePlanId"), json_string_value(json_array_get(disabled, i))))
            k++;
        if (k == json_array_size(plans))
            return false;
    }
    return disabled == NULL || json_is_array(disabled);
}

/* May this entry of addLicenses be given? False: answered. */
static bool add_check(struct sim *s, struct sim_call *c, struct entra_object *o, const json_t *one, struct sim_reply *r)
{
    const char *id = eb_json_str(one, "skuId");
    const json_t *sku = find_sku(s, id), *disabled = json_object_get(one, "disabledPlans");
    bool has = find_licence(json_object_get(o->attrs, "assignedLicenses"), id != NULL ? id : "", NULL) >= 0;

    if (id == NULL || !eb_is_guid(id) || json_object_size(one) != (disabled != NULL ? 2u : 1u))
        odata_bad_request(c, r, "Invalid value specified for property 'addLicenses' of resource 'User'.");
    else if (sku == NULL)
        odata_bad_request(c, r, "License %s does not correspond to a valid company License.", id);
    else if (!plans_are_of(sku, disabled))
        odata_bad_request(c, r, "License assignment failed because a service plan to disable is not part of license %s.", id);
    else if (!json_is_string(json_object_get(o->attrs, "usageLocation")))
        odata_bad_request(c, r, "License assignment cannot be done for user with invalid usage location.");
    else if (!has && !one_is_left(sku))
        odata_bad_request(c, r, "Subscription with SKU %s does not have any available licenses.", id);
    else
        return true;
    return false;
}

static bool remove_check(struct sim *s, struct sim_call *c, struct entra_object *o, const json_t *one, struct sim_reply *r)
{
    const char *id = json_string_value(one);
    const json_t *states = json_object_get(o->attrs, "licenseAssignmentStates");

    if (id == NULL || !eb_is_guid(id))
        odata_bad_request(c, r, "Invalid value specified for property 'removeLicenses' of resource 'User'.");
    else if (find_sku(s, id) == NULL)
        odata_bad_request(c, r, "License %s does not correspond to a valid company License.", id);
    else if (find_licence(states, id, NULL) < 0)
        odata_bad_request(c, r, "User does not have a corresponding license.");
    else if (find_licence(states, id, "") < 0)
        odata_bad_request(c, r, "User license is inherited from a group membership and it cannot be removed directly from the user.");
    else
        return true;
    return false;
}

/* Both lists are there, and nothing else. False: answered. */
static bool lists_check(struct sim_call *c, const json_t *body, struct sim_reply *r)
{
    const json_t *add = json_object_get(body, "addLicenses"), *remove = json_object_get(body, "removeLicenses");

    if (add == NULL || remove == NULL) {
        odata_bad_request(c, r, "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
                          "The missing parameters are: %s.", add == NULL ? remove == NULL ? "addLicenses, removeLicenses" : "addLicenses" : "removeLicenses");
    } else if (!json_is_array(add) || !json_is_array(remove) || json_object_size(body) != 2) {
        odata_bad_request(c, r, "Invalid value specified for the parameters of the operation 'assignLicense'.");
    } else {
        return true;
    }
    return false;
}

static void answer_user(struct sim *s, struct sim_call *c, const struct entra_object *o, struct sim_reply *r)
{
    graph_answer_user(s, c, o, 200, r);
    json_object_set_new(r->body, "assignedLicenses", json_deep_copy(json_object_get(o->attrs, "assignedLicenses")));
    json_object_set_new(r->body, "licenseAssignmentStates", json_deep_copy(json_object_get(o->attrs, "licenseAssignmentStates")));
}

void graph_assign_licence(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL;
    json_t *add = json_object_get(body, "addLicenses"), *remove = json_object_get(body, "removeLicenses");

    if (body == NULL || !lists_check(c, body, r))
        return;
    for (size_t i = 0; i < json_array_size(add); i++)
        if (!add_check(s, c, o, json_array_get(add, i), r))
            return;
    for (size_t i = 0; i < json_array_size(remove); i++)
        if (!remove_check(s, c, o, json_array_get(remove, i), r))
            return;
    for (size_t i = 0; i < json_array_size(remove); i++) {
        take(s, o, json_string_value(json_array_get(remove, i)));
        sim_count_user(s->counters, o->id, SIM_LICENCES_REMOVED);
    }
    for (size_t i = 0; i < json_array_size(add); i++) {
        const json_t *one = json_array_get(add, i);
        const char *id = eb_json_str(one, "skuId");
        if (find_licence(json_object_get(o->attrs, "licenseAssignmentStates"), id, "") < 0)
            sim_count_user(s->counters, o->id, SIM_LICENCES_ADDED);
        give(o, find_sku(s, id), NULL, json_object_get(one, "disabledPlans"));
    }
    sim_count_user(s->counters, o->id, SIM_LICENCES);
    own_list(o, "assignedLicenses");
    own_list(o, "licenseAssignmentStates");
    answer_user(s, c, o, r);
}

void graph_reprocess_licences(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o != NULL)
        graph_answer_user(s, c, o, 200, r);
}
