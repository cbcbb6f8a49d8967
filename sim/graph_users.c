/* graph_users.c - reading users: single ones, lists, memberships, owned objects, managers. */
#include "sim/graph.h"

#include "base/text.h"

#include <string.h>

static void answer_user(struct sim *s, struct sim_call *c, struct entra_object *o, const char *context, bool with_type, struct sim_reply *r)
{
    struct odata_select sel, inner;
    enum odata_expand expand;

    if (!odata_select_parse(c, ENTRA_USER, &sel, r) || !odata_expand_parse(c, ENTRA_USER, &expand, &inner, r))
        return;
    json_t *out = odata_render(s->entra, o, &sel, with_type);
    char *url = eb_asprintf("%s/$metadata#%s/$entity", c->base_url, context);
    json_object_set_new(out, "@odata.context", json_string(url));
    free(url);
    if (expand == ODATA_EXPAND_MANAGER && o->manager != NULL)
        json_object_set_new(out, "manager", odata_render(s->entra, o->manager, &inner, true));
    sim_reply_json(r, 200, out);
}

void graph_user_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o != NULL)
        answer_user(s, c, o, "users", false, r);
}

void graph_users_list(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    graph_list_kind(s, c, ENTRA_USER, "users", r);
}

void graph_users_count(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    if (!c->eventual) {
        odata_bad_request(c, r, "$count is not currently supported.");
        return;
    }
    r->status = 200;
    r->text = eb_asprintf("%zu", s->entra->counts[ENTRA_USER]);
    r->content_type = "text/plain";
}

static void member_of(struct sim *s, struct sim_call *c, struct sim_reply *r, bool transitive)
{
    struct entra_object *o = graph_user_param(s, c, r);
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    entra_sources(s->entra, o, ENTRA_MEMBER, transitive, &found);
    graph_answer_objects(s, c, &found, graph_cast(c), r);
}

void graph_user_member_of(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    member_of(s, c, r, false);
}

void graph_user_transitive_member_of(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    member_of(s, c, r, true);
}

/* params[0]'s containers, as a bare number. */
static void count_member_of(struct sim *s, struct sim_call *c, struct sim_reply *r, bool transitive)
{
    struct entra_object *o = graph_user_param(s, c, r);
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    if (!c->eventual) {
        odata_bad_request(c, r, "$count is not currently supported.");
        return;
    }
    entra_sources(s->entra, o, ENTRA_MEMBER, transitive, &found);
    r->status = 200;
    r->text = eb_asprintf("%zu", found.n);
    r->content_type = "text/plain";
    entra_list_free(&found);
}

void graph_user_member_of_count(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    count_member_of(s, c, r, false);
}

void graph_user_transitive_member_of_count(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    count_member_of(s, c, r, true);
}

void graph_owned_objects(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    entra_sources(s->entra, o, ENTRA_OWNER, false, &found);
    graph_answer_objects(s, c, &found, graph_cast(c), r);
}

void graph_manager_get(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r);

    if (o == NULL)
        return;
    if (o->manager == NULL)
        odata_not_found(c, r, "manager");
    else
        answer_user(s, c, o->manager, "directoryObjects", true, r);
}

void graph_direct_reports(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    struct entra_object *o = graph_user_param(s, c, r), *other;
    struct entra_list found = { 0 };

    if (o == NULL)
        return;
    TAILQ_FOREACH(other, &o->reports, beside)
        entra_list_add(&found, other);
    graph_answer_objects(s, c, &found, ENTRA_KINDS, r);
}
