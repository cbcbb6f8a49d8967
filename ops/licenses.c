/* licenses.c - licences by part number or product id: only the difference is sent, after the usage location that they need.
 *
 * Invariant: what a group gives is neither given again nor taken away here; Graph would take the first and refuse the second.
 */
#include "ops/kind_parts.h"
#include "ops/user_write.h"
#include "config/attribute.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct licence {
    const char *id, *name;              /* of the tenant's products; borrowed */
    const json_t *sku;
    bool direct, by_group;              /* the user has it */
};

/* ---- which products ---- */

static void known_names(const json_t *skus, char *out, size_t size)
{
    size_t i, len = 0;
    const json_t *sku;

    out[0] = '\0';
    json_array_foreach((json_t *)(uintptr_t)skus, i, sku)
        if (len < size && eb_json_str(sku, "skuPartNumber") != NULL)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len == 0 ? "" : ", ", eb_json_str(sku, "skuPartNumber"));
}

static bool fail_unknown(const struct ops_case *c, const char *text, struct eb_err *err)
{
    char clean[80], known[300];

    known_names(c->facts->skus_json, known, sizeof known);
    return eb_fail_field(err, EB_INVALID_REQUEST, "licenses", "The tenant has no licence \"%s\". It has: %s.", eb_text_clean(text, clean, sizeof clean), known);
}

static void read_states(const json_t *states, struct licence *l)
{
    const json_t *s;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)states, i, s) {
        if (!eb_strieq(eb_json_str(s, "skuId"), l->id))
            continue;
        if (eb_json_str(s, "assignedByGroup") != NULL)
            l->by_group = true;
        else
            l->direct = true;
    }
}

static bool read_licence(const struct ops_case *c, const char *text, const json_t *states, struct licence *ret, struct eb_err *err)
{
    const json_t *sku = ops_list_find(c->facts->skus_json, eb_is_guid(text) ? "skuId" : "skuPartNumber", text);
    struct licence l = { .sku = sku, .id = eb_json_str(sku, "skuId"), .name = eb_json_str(sku, "skuPartNumber") };

    if (l.id == NULL || l.name == NULL)
        return fail_unknown(c, text, err);
    read_states(states, &l);
    *ret = l;
    return true;
}

static bool read_licences(const struct ops_case *c, struct licence ret[OPS_TEXTS_MAX], size_t *count, struct eb_err *err)
{
    const json_t *asked = json_object_get(c->fields->body, "licenses"), *item;
    const json_t *states = ops_user_told(c->facts, "licenseAssignmentStates", "User.Read.All", err);
    size_t i, k;

    *count = 0;
    if (states == NULL)
        return false;
    if (c->facts->skus_json == NULL)
        return ops_untold("which licences the tenant has", "LicenseAssignment.Read.All", err);
    json_array_foreach((json_t *)(uintptr_t)asked, i, item) {
        struct licence l;

        if (!read_licence(c, json_string_value(item), states, &l, err))
            return false;
        for (k = 0; k < *count && !eb_strieq(ret[k].id, l.id); k++)
            ;
        if (k == *count)                /* its name and its id are the same product */
            ret[(*count)++] = l;
    }
    return true;
}

/* ---- plans ---- */

/* One member a product: {"SPE_E3": true}. */
static void set_state(struct ops_plan *p, const struct licence *l, size_t n, bool wanted)
{
    p->before = json_object();
    p->after = json_object();
    for (size_t i = 0; i < n; i++) {
        json_object_set_new(p->before, l[i].name, json_boolean(l[i].direct || l[i].by_group));
        json_object_set_new(p->after, l[i].name, json_boolean(wanted || (l[i].by_group && l[i].direct)));
    }
}

static bool check_left(const struct licence *l, struct eb_err *err)
{
    int64_t have = eb_json_int(json_object_get(l->sku, "prepaidUnits"), "enabled", -1), used = eb_json_int(l->sku, "consumedUnits", -1);

    if (have < 0 || used < 0 || used < have)
        return true;                    /* not told: Graph itself refuses what there is none of */
    return eb_fail_field(err, EB_REJECTED_BY_ENTRA, "licenses", "No licence %s is left: %" PRId64 " of %" PRId64 " are in use. Free one or buy more.",
                         l->name, used, have);
}

/* A country must stand before a licence can be given. One that stands already is not overwritten here. */
static bool plan_location(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    const json_t *now = ops_user_told(c->facts, "usageLocation", "User.Read.All", err);
    const char *asked = ops_field_text(c->fields, "usageLocation"), *stands = json_string_value(now);

    if (now == NULL)
        return false;
    if (stands == NULL && asked == NULL)
        return eb_fail_field(err, EB_REJECTED_BY_ENTRA, "usageLocation", "The user has no usage location, and without one Entra gives no licence. Send "
                             "`usageLocation`, a country such as DE.");
    if (asked == NULL)
        return true;
    json_object_set_new(p->before, "usageLocation", json_incref((json_t *)(uintptr_t)now));
    json_object_set_new(p->after, "usageLocation", json_string(stands != NULL ? stands : asked));
    if (stands == NULL)
        ops_user_write(p, GRAPH_USER_PATCH, c->facts)->body = json_pack("{s:s}", "usageLocation", asked);
    else if (!eb_streq(stands, asked))
        snprintf(p->note, sizeof p->note, "The usage location stays %s.", stands);
    return true;
}

static json_t *assign_body(const struct licence *l, size_t n, bool stale)
{
    json_t *add = json_array();

    for (size_t i = 0; i < n; i++)
        if (stale || (!l[i].direct && !l[i].by_group))
            json_array_append_new(add, json_pack("{s:s, s:[]}", "skuId", l[i].id, "disabledPlans"));
    return json_pack("{s:o, s:[]}", "addLicenses", add, "removeLicenses");
}

static bool plan_assign(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    struct licence l[OPS_TEXTS_MAX];
    size_t n;

    if (!read_licences(c, l, &n, err))
        return false;
    set_state(p, l, n, true);
    EB_AUTO(json_t, json_decref) body = assign_body(l, n, c->stale);

    for (size_t i = 0; i < n; i++) {
        if (l[i].by_group && !l[i].direct)
            snprintf(p->note, sizeof p->note, "A group gives the user %s.", l[i].name);
        if (!l[i].direct && !l[i].by_group && !check_left(&l[i], err))
            return false;
    }
    if (json_array_size(json_object_get(body, "addLicenses")) == 0)
        return true;
    if (!plan_location(c, p, err))
        return false;
    ops_user_write(p, GRAPH_LICENSES_ASSIGN, c->facts)->body = json_incref(body);
    return true;
}

/* One a call: Graph refuses all of a call where one is not there any more, and that one is no reason to leave the others. */
static void add_removals(const struct ops_case *c, const struct licence *l, size_t n, struct ops_plan *p)
{
    for (size_t i = 0; i < n; i++) {
        if (!l[i].direct && !c->stale)
            continue;
        struct ops_write *w = ops_user_write(p, GRAPH_LICENSES_ASSIGN, c->facts);
        w->body = json_pack("{s:[], s:[s]}", "addLicenses", "removeLicenses", l[i].id);
        snprintf(w->part, sizeof w->part, "%s", l[i].id);
    }
}

static bool plan_remove(const struct ops_case *c, struct ops_plan *p, struct eb_err *err)
{
    struct licence l[OPS_TEXTS_MAX];
    size_t n;

    if (!read_licences(c, l, &n, err))
        return false;
    set_state(p, l, n, false);
    for (size_t i = 0; i < n; i++) {
        if (l[i].by_group && !l[i].direct)
            return eb_fail_field(err, EB_REJECTED_BY_ENTRA, "licenses", "A group gives the user %s, so that it cannot be taken away from the user alone. Remove "
                                 "the user from that group.", l[i].name);
        if (l[i].by_group)
            snprintf(p->note, sizeof p->note, "The user keeps %s, which a group gives as well.", l[i].name);
    }
    add_removals(c, l, n, p);
    return true;
}

/* Those that were given, or taken away. */
json_t *ops_licenses_undo(const json_t *before, const json_t *after)
{
    json_t *names = json_array(), *v;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)after, name, v)
        if (json_is_boolean(v) && !ops_same(before, after, name))
            json_array_append_new(names, json_string(name));
    return json_pack("{s:o}", "licenses", names);
}

const struct ops_change ops_licenses_assign = {
    .settle = OPS_SETTLE_LOOK, .plan = plan_assign,
    .did = "Assigned licences to {user}.", .was_so = "{user} already has these licences.", .would = "Would assign licences to {user}.",
};
const struct ops_change ops_licenses_remove = {
    .settle = OPS_SETTLE_LOOK, .plan = plan_remove,
    .did = "Removed licences from {user}.", .was_so = "{user} does not have these licences.", .would = "Would remove licences from {user}.",
};
