/* graph_member_checks.c - in which groups and roles is it: checkMember…, getMember…, and objects by ids. */
#include "sim/graph.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void answer_ids(const struct sim_call *c, json_t *value, struct sim_reply *r)
{
    char *url = eb_asprintf("%s/$metadata#Collection(Edm.String)", c->base_url);

    sim_reply_json(r, 200, json_pack("{s:s, s:o}", "@odata.context", url, "value", value));
    free(url);
}

/* params[0] as a user, or under /directoryObjects as any object; NULL: answered. */
static struct entra_object *object_param(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    if (strcmp(c->segments[1], "users") == 0)
        return graph_user_param(s, c, r);
    struct entra_object *o = entra_find(s->entra, c->params[0]);
    if (o == NULL)
        odata_not_found(c, r, c->params[0]);
    return o;
}

static bool ids_fit(const json_t *body, const json_t *ids, size_t most)
{
    for (size_t i = 0; i < json_array_size(ids); i++)
        if (!json_is_string(json_array_get(ids, i)) || !eb_is_guid(json_string_value(json_array_get(ids, i))))
            return false;
    return json_is_array(ids) && json_array_size(ids) > 0 && json_array_size(ids) <= most && json_object_size(body) == 1;
}

/* groups_only: roles are left out. */
static void check(struct sim *s, struct sim_call *c, const char *member, bool groups_only, struct sim_reply *r)
{
    struct entra_object *o = object_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL;
    const json_t *ids = json_object_get(body, member);
    struct entra_list found = { 0 };

    if (body == NULL)
        return;
    if (!ids_fit(body, ids, 20)) {
        odata_bad_request(c, r, "The value of '%s' is a list of 1 to 20 ids.", member);
        return;
    }
    entra_sources(s->entra, o, ENTRA_MEMBER, true, &found);
    json_t *value = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++)
        for (size_t k = 0; k < found.n; k++)
            if ((!groups_only || found.v[k]->kind == ENTRA_GROUP) && eb_strieq(found.v[k]->id, json_string_value(json_array_get(ids, i))))
                json_array_append_new(value, json_string(found.v[k]->id));
    entra_list_free(&found);
    answer_ids(c, value, r);
}

void graph_check_member_groups(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    check(s, c, "groupIds", true, r);
}

void graph_check_member_objects(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    check(s, c, "ids", false, r);
}

static void list(struct sim *s, struct sim_call *c, bool groups_only, struct sim_reply *r)
{
    struct entra_object *o = object_param(s, c, r);
    json_t *body = o != NULL ? graph_body(c, r) : NULL;
    const json_t *security = json_object_get(body, "securityEnabledOnly");
    struct entra_list found = { 0 };

    if (body == NULL)
        return;
    if (!json_is_boolean(security) || json_object_size(body) != 1) {
        odata_bad_request(c, r, "A body with the member 'securityEnabledOnly' only was expected.");
        return;
    }
    entra_sources(s->entra, o, ENTRA_MEMBER, true, &found);
    json_t *value = json_array();
    for (size_t i = 0; i < found.n; i++) {
        const struct entra_object *g = found.v[i];
        bool group = g->kind == ENTRA_GROUP;
        if ((group || !groups_only) && !(json_is_true(security) && group && !json_is_true(json_object_get(g->attrs, "securityEnabled"))))
            json_array_append_new(value, json_string(g->id));
    }
    entra_list_free(&found);
    answer_ids(c, value, r);
}

void graph_get_member_groups(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    list(s, c, true, r);
}

void graph_get_member_objects(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    list(s, c, false, r);
}

static bool type_wanted(const json_t *types, enum entra_kind kind)
{
    for (size_t i = 0; i < json_array_size(types); i++)
        if (eb_streq(json_string_value(json_array_get(types, i)), strrchr(odata_type(kind), '.') + 1))
            return true;
    return json_array_size(types) == 0;
}

void graph_get_by_ids(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    json_t *body = graph_body(c, r);
    const json_t *ids = json_object_get(body, "ids"), *types = json_object_get(body, "types");
    struct entra_list found = { 0 };

    if (body == NULL)
        return;
    if (!json_is_array(ids) || json_array_size(ids) == 0 || json_array_size(ids) > 1000 || json_object_size(body) != (types != NULL ? 2u : 1u)) {
        odata_bad_request(c, r, "The value of 'ids' is a list of 1 to 1000 ids.");
        return;
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct entra_object *o = id != NULL ? entra_find(s->entra, id) : NULL;
        if (o != NULL && type_wanted(types, o->kind))
            entra_list_add(&found, o);
    }
    graph_answer_objects(s, c, &found, ENTRA_KINDS, r);
}
