/* graph_bin.c - /directory/deletedItems: users deleted softly, read, restored, deleted for good. */
#include "sim/user_rules.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* params[0] as a user in the bin; NULL: answered with 404. */
static struct entra_object *binned_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = entra_binned(s->entra, c->params[0]);

    if (o == NULL)
        odata_not_found(c, r, c->params[0]);
    return o;
}

void graph_deleted_users(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct odata_list l = { .entra = s->entra, .kind = ENTRA_USER, .context = "directoryObjects/microsoft.graph.user", .page_size = s->opt.page_size };
    struct entra_object *o, *tmp;

    HASH_ITER(hh, s->entra->bin, o, tmp)
        entra_list_add(&l.objects, o);
    odata_answer_list(c, &l, r);
}

static void answer(struct sim *s, struct sim_call *c, const struct entra_object *o, const struct odata_select *sel, struct sim_reply *r)
{
    json_t *out = odata_render(s->entra, o, sel, true);
    char *url = eb_asprintf("%s/$metadata#directoryObjects/$entity", c->base_url);

    json_object_set_new(out, "@odata.context", json_string(url));
    free(url);
    sim_reply_json(r, 200, out);
}

void graph_deleted_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = binned_param(s, c, r);
    struct odata_select sel;

    if (o != NULL && odata_select_parse(c, ENTRA_USER, &sel, r))
        answer(s, c, o, &sel, r);
}

/* One that was in a role-assignable group is as protected as it was. */
static bool may_touch(const struct sim *s, const struct entra_object *o)
{
    const json_t *groups = json_object_get(o->left_behind, "memberOf");

    for (size_t i = 0; i < json_array_size(groups); i++) {
        const struct entra_object *g = entra_find_kind(s->entra, ENTRA_GROUP, json_string_value(json_array_get(groups, i)));
        if (g != NULL && json_is_true(json_object_get(g->attrs, "isAssignableToRole")))
            return s->app_role == SIM_ROLE_PRIVILEGED;
    }
    return true;
}

void graph_deleted_purge(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = binned_param(s, c, r);

    if (o == NULL)
        return;
    if (!may_touch(s, o)) {
        odata_denied(c, r);
        return;
    }
    sim_count_user(s->counters, o->id, SIM_PURGES);
    entra_purge(s->entra, o);
    graph_no_content(r);
}

/* The optional body of a restore. False: answered. */
static bool options(struct sim_call *c, const char **ret_upn, bool *ret_reconcile, struct sim_reply *r)
{
    json_t *body = c->body.len > 0 ? graph_body(c, r) : NULL, *value;
    const char *name;

    *ret_upn = eb_json_str(body, "newUserPrincipalName");
    *ret_reconcile = eb_json_bool(body, "autoReconcileProxyConflict", false);
    if (c->body.len > 0 && body == NULL)
        return false;
    json_object_foreach(body, name, value) {
        bool upn = strcmp(name, "newUserPrincipalName") == 0, reconcile = strcmp(name, "autoReconcileProxyConflict") == 0;
        if (!json_is_null(value) && !(upn && json_is_string(value) && user_upn_fits(*ret_upn)) && !(reconcile && json_is_boolean(value))) {
            odata_bad_request(c, r, "Invalid value specified for property '%s' of resource 'DirectoryObject'.", name);
            return false;
        }
    }
    return user_upn_check(c, *ret_upn, r);
}

static bool address_is_taken(struct sim *s, const char *address)
{
    size_t n;

    entra_lookup(s->entra, ENTRA_USER, "proxyAddresses", address, &n);
    return n > 0;
}

/* Takes addresses that others have by now out of the user. */
static void drop_taken(struct sim *s, struct entra_object *o)
{
    json_t *list = json_object_get(o->attrs, "proxyAddresses");
    const char *mail = eb_json_str(o->attrs, "mail");

    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *address = json_string_value(json_array_get(list, i));
        if (!address_is_taken(s, address))
            continue;
        if (mail != NULL && strcasecmp(address + strlen("smtp:"), mail) == 0)
            json_object_del(o->attrs, "mail");
        json_array_remove(list, i);
    }
}

void graph_deleted_restore(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = binned_param(s, c, r);
    const char *upn;
    bool reconcile;

    if (o == NULL || !options(c, &upn, &reconcile, r))
        return;
    if (!may_touch(s, o)) {
        odata_denied(c, r);
        return;
    }
    if (!user_upn_is_free(s, c, o, upn != NULL ? upn : entra_binned_upn(o), r))
        return;
    const json_t *list = json_object_get(o->attrs, "proxyAddresses");
    for (size_t i = 0; i < json_array_size(list) && !reconcile; i++)
        if (!user_mail_is_free(s, c, o, json_string_value(json_array_get(list, i)) + strlen("smtp:"), r))
            return;
    drop_taken(s, o);
    entra_restore(s->entra, o);
    if (upn != NULL)
        entra_set(s->entra, o, "userPrincipalName", json_string(upn));
    licences_take_back(s, o);
    sim_count_user(s->counters, o->id, SIM_RESTORES);
    answer(s, c, o, NULL, r);
}
