/* graph_groups.c - reading groups: single ones, lists, members, owners, what they are in. */
#include "sim/graph.h"

#include "base/text.h"

#include <stdlib.h>

void graph_group_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_group_param(s, c, r);
    struct odata_select sel;

    if (o == NULL || !odata_select_parse(c, ENTRA_GROUP, &sel, r))
        return;
    json_t *out = odata_render(s->entra, o, &sel, false);
    char *url = eb_asprintf("%s/$metadata#groups/$entity", c->base_url);
    json_object_set_new(out, "@odata.context", json_string(url));
    free(url);
    sim_reply_json(r, 200, out);
}

void graph_groups_list(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    graph_list_kind(s, c, ENTRA_GROUP, "groups", r);
}

typedef void walk(struct entra *e, struct entra_object *o, enum entra_relation rel, bool transitive, struct entra_list *out);

static void answer_walk(struct sim *s, struct sim_call *c, struct sim_reply *r, walk *go, enum entra_relation rel, bool transitive)
{
    struct entra_object *o = graph_group_param(s, c, r);
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    go(s->entra, o, rel, transitive, &found);
    graph_answer_objects(s, c, &found, graph_cast(c), r);
}

/* Members or owners, a page at the cost of a page where nothing has to be sought or sorted. */
static void answer_ends(struct sim *s, struct sim_call *c, struct sim_reply *r, enum entra_relation rel)
{
    struct entra_object *o = graph_group_param(s, c, r);

    if (o == NULL)
        return;
    if (!graph_is_plain_list(c)) {
        answer_walk(s, c, r, entra_targets, rel, false);
        return;
    }
    struct odata_list l = graph_objects_list(s, graph_cast(c));
    l.edges = &o->out[rel];
    odata_answer_list(c, &l, r);
}

void graph_group_members(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_ends(s, c, r, ENTRA_MEMBER);
}

void graph_group_transitive_members(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_walk(s, c, r, entra_targets, ENTRA_MEMBER, true);
}

void graph_group_owners(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_ends(s, c, r, ENTRA_OWNER);
}

void graph_group_member_of(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_walk(s, c, r, entra_sources, ENTRA_MEMBER, false);
}

void graph_group_transitive_member_of(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    answer_walk(s, c, r, entra_sources, ENTRA_MEMBER, true);
}

void graph_group_members_count(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_group_param(s, c, r);
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    if (!c->eventual) {
        odata_bad_request(c, r, "$count is not currently supported.");
        return;
    }
    entra_targets(s->entra, o, ENTRA_MEMBER, false, &found);
    r->status = 200;
    r->text = eb_asprintf("%zu", found.n);
    r->content_type = "text/plain";
    entra_list_free(&found);
}

void graph_group_sync_behavior(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_group_param(s, c, r);

    if (o != NULL)
        sim_reply_json(r, 200, json_pack("{s:s, s:b}", "id", o->id, "isCloudManaged", o->cloud_managed));
}
