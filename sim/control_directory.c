/* control_directory.c - GET /sim/directory: the truth in pages, for comparing object by object. A page costs a page. */
#include "sim/control.h"

#include "base/text.h"
#include "sim/cast.h"

#include <string.h>

#define LIMIT_DEFAULT 200
#define LIMIT_MOST 1000

static json_t *containers(const struct entra_object *o, enum entra_relation rel)
{
    json_t *ids = json_array();
    const struct entra_edge *edge;

    TAILQ_FOREACH(edge, &o->in[rel], in_to)
        if (edge->gone_ms == 0 && edge->key.from->kind == ENTRA_GROUP)
            json_array_append_new(ids, json_string(edge->key.from->id));
    return ids;
}

static json_t *item(struct sim *s, const struct entra_object *o)
{
    json_t *j = o->kind == ENTRA_USER ? control_user_json(s, o) : control_group_json(o);

    json_object_set_new(j, "memberOf", containers(o, ENTRA_MEMBER));
    if (o->kind == ENTRA_USER)
        json_object_set_new(j, "ownerOf", containers(o, ENTRA_OWNER));
    return j;
}

void control_directory(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const char *kind_name = sim_call_query(c, "kind"), *after = sim_call_query(c, "after");
    enum entra_kind kind = eb_streq(kind_name, "group") ? ENTRA_GROUP : ENTRA_USER;
    int64_t limit = sim_call_query_int(c, "limit", LIMIT_DEFAULT);
    const struct entra_object *from = after != NULL ? entra_find_kind(s->entra, kind, after) : NULL;
    const struct entra_list *all = &s->entra->order[kind];
    struct eb_err err = { 0 };
    json_t *items = json_array(), *next = NULL;

    if ((!eb_streq(kind_name, "user") && kind == ENTRA_USER) || (after != NULL && from == NULL)) {
        eb_fail(&err, EB_INVALID_REQUEST, "kind is user or group, after the id of one that is there");
        control_error(r, &err);
        json_decref(items);
        return;
    }
    limit = limit < 1 ? 1 : limit > LIMIT_MOST ? LIMIT_MOST : limit;
    size_t i = from != NULL ? from->order + 1 : 0;
    for (; i < all->n && (int64_t)json_array_size(items) < limit; i++)
        if (all->v[i] != NULL) {
            json_array_append_new(items, item(s, all->v[i]));
            next = json_object_get(json_array_get(items, json_array_size(items) - 1), "id");
        }
    bool more = (int64_t)json_array_size(items) == limit;
    sim_reply_json(r, 200, json_pack("{s:s, s:I, s:O?, s:o}", "kind", kind_name, "count", (json_int_t)s->entra->counts[kind],
                                     "next", more ? next : NULL, "items", items));
}
