/* graph_delta.c - GET /users/delta and /groups/delta: first rounds over all objects, later ones over the log.
 *
 * An item shows what is so now, not what the log's row said: replaying any of them does no harm. As in life a page may be empty, an object
 * may come twice, the members of a large group are spread over pages, and a user in the recycle bin stays a member until purged.
 * https://learn.microsoft.com/graph/api/user-delta, group-delta
 */
#include "sim/delta_changes.h"
#include "sim/delta_token.h"
#include "sim/graph.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* One page being made. */
struct page {
    struct sim *sim;
    struct delta_token *token;
    const struct delta_select *select;
    struct odata_view view;
    struct eb_buf out;
    size_t objects, links;
    bool minimal;
};

static bool is_full(const struct page *p)
{
    return p->objects >= (size_t)p->sim->delta.page_size || p->links >= (size_t)p->sim->delta.member_page;
}

static void open_object(struct page *p)
{
    eb_buf_str(&p->out, p->objects++ > 0 ? ",{" : "{");
}

static void put_removed(struct page *p, const char *id, const char *reason)
{
    open_object(p);
    eb_buf_addf(&p->out, "\"id\":\"%s\",\"@removed\":{\"reason\":\"%s\"}}", id, reason);
}

/* A link's list is opened by its first entry. */
static void put_link(struct page *p, const char *list, bool *open, enum entra_kind kind, const char *id, bool removed)
{
    if (!*open) {
        eb_buf_str(&p->out, ",\"");
        eb_buf_str(&p->out, list);
        eb_buf_str(&p->out, "@delta\":[{\"@odata.type\":\"");
    } else {
        eb_buf_str(&p->out, ",{\"@odata.type\":\"");
    }
    *open = true;
    eb_buf_str(&p->out, odata_type(kind));
    eb_buf_str(&p->out, "\",\"id\":\"");
    eb_buf_str(&p->out, id);
    eb_buf_str(&p->out, removed ? "\",\"@removed\":{\"reason\":\"deleted\"}}" : "\"}");
}

static void close_list(struct page *p, bool open)
{
    if (open)
        eb_buf_add(&p->out, "]", 1);
}

/* The manager now, and those of before. */
static void put_manager(struct page *p, const struct entra_object *o, const struct delta_ids *former)
{
    bool open = false;

    if (o->manager != NULL)
        put_link(p, "manager", &open, ENTRA_USER, o->manager->id, false);
    for (size_t i = 0; former != NULL && i < former->n; i++)
        if (o->manager == NULL || strcmp(o->manager->id, former->v[i]->other) != 0)
            put_link(p, "manager", &open, ENTRA_USER, former->v[i]->other, true);
    close_list(p, open);
}

/* From the last one given on, as many as the page takes. True: that was all. */
static bool put_all_ends(struct page *p, const struct entra_object *o, enum entra_relation rel, uint32_t *after)
{
    const struct entra_edge *edge = entra_edge_after(&o->out[rel], *after);
    bool open = false;

    for (; edge != NULL && p->links < (size_t)p->sim->delta.member_page; edge = TAILQ_NEXT(edge, in_from)) {
        *after = edge->order;
        if (edge->gone_ms != 0)
            continue;
        put_link(p, rel == ENTRA_MEMBER ? "members" : "owners", &open, edge->key.to->kind, edge->key.to->id, false);
        p->links++;
    }
    close_list(p, open);
    return edge == NULL;
}

/* True: all of it is in the page; else its members go on in the next one. */
static bool put_first(struct page *p, const struct entra_object *o, uint32_t *edge)
{
    uint32_t owners = 0;
    bool begun = *edge != 0, all = true;

    open_object(p);
    odata_write_members(&p->out, &p->view, o, true);
    if (p->select->manager && o->manager != NULL)
        put_manager(p, o, NULL);
    if (p->select->owners && !begun)
        put_all_ends(p, o, ENTRA_OWNER, &owners);
    if (p->select->members)
        all = put_all_ends(p, o, ENTRA_MEMBER, edge);
    eb_buf_str(&p->out, "}");
    return all;
}

static void list_all(struct page *p)
{
    struct delta_token *t = p->token;
    const struct entra_list *all = &p->sim->entra->order[t->kind];
    int64_t every = p->sim->delta.repeat_every;

    if (every > 1 && t->page % every == every - 1 && t->at > 0 && t->edge == 0)
        t->at--;                    /* the same object once more */
    for (; t->at < all->n && !is_full(p); t->at++, t->edge = 0) {
        const struct entra_object *o = all->v[t->at];
        if (o != NULL && delta_wants_id(t, o->id) && !put_first(p, o, &t->edge))
            return;
    }
    if (t->at >= all->n) {
        t->phase = DELTA_BIN;
        t->at = 0;
    }
}

/* Is this user, in the bin, a member or owner of the group still? */
static bool left_behind(const struct entra_object *binned, enum entra_relation rel, const char *group)
{
    const json_t *ids = json_object_get(binned->left_behind, rel == ENTRA_MEMBER ? "memberOf" : "ownerOf");

    for (size_t i = 0; i < json_array_size(ids); i++)
        if (strcmp(json_string_value(json_array_get(ids, i)), group) == 0)
            return true;
    return false;
}

/* The groups of a user in the bin, each with this one member. */
static void put_binned_groups(struct page *p, const struct entra_object *o)
{
    const json_t *ids = json_object_get(o->left_behind, "memberOf");

    for (size_t i = 0; i < json_array_size(ids) && p->select->members; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        bool open = false;
        if (entra_find(p->sim->entra, id) == NULL || !delta_wants_id(p->token, id))
            continue;
        open_object(p);
        eb_buf_addf(&p->out, "\"id\":\"%s\"", id);
        put_link(p, "members", &open, ENTRA_USER, o->id, false);
        eb_buf_str(&p->out, "]}");
    }
}

static void list_bin(struct page *p)
{
    const struct entra_object *o = p->sim->entra->bin;
    struct delta_token *t = p->token;

    for (uint32_t i = 0; o != NULL && i < t->at; i++)
        o = o->hh.next;
    for (; o != NULL && !is_full(p); o = o->hh.next, t->at++)
        if (t->kind == ENTRA_GROUP)
            put_binned_groups(p, o);
        else if (delta_wants_id(t, o->id))
            put_removed(p, o->id, "changed");
    if (o == NULL)
        t->phase = DELTA_DONE;
}

static void put_changed_links(struct page *p, struct entra_object *g, enum entra_relation rel, const struct delta_ids *ids)
{
    struct entra *e = p->sim->entra;
    bool open = false;

    for (size_t i = 0; i < ids->n; i++) {
        const char *id = ids->v[i]->other;
        struct entra_object *to = entra_find(e, id);
        const struct entra_object *binned = to == NULL ? entra_binned(e, id) : NULL;
        bool there = to != NULL ? entra_is_linked(e, rel, g, to) : binned != NULL && left_behind(binned, rel, g->id);
        put_link(p, rel == ENTRA_MEMBER ? "members" : "owners", &open, (enum entra_kind)ids->v[i]->other_kind, id, !there);
    }
    close_list(p, open);
}

/* The changed attributes among those asked for. */
static void changed_columns(const struct page *p, const struct delta_item *it, struct odata_select *ret)
{
    struct odata_columns asked = { .n = 0 };

    odata_columns_make(p->token->kind, &p->select->columns, &asked);
    ret->n = 0;
    for (size_t i = 0; i < asked.n; i++)
        for (size_t k = 0; k < it->name_count; k++)
            if (strcmp(asked.v[i].name, it->names[k]) == 0)
                ret->names[ret->n++] = asked.v[i].name;
}

static void put_changed(struct page *p, struct entra_object *o, const struct delta_item *it)
{
    struct odata_select some;
    bool manager = p->select->manager && (it->manager || (it->whole && o->manager != NULL));

    changed_columns(p, it, &some);
    if (!it->whole && some.n == 0 && !manager && !(p->select->members && it->members.n > 0) && !(p->select->owners && it->owners.n > 0))
        return;                     /* nothing that was asked for */
    struct odata_view narrow = { .entra = p->view.entra, .select = &some };
    bool narrowed = p->minimal && !it->whole;
    if (narrowed)
        some.names[some.n++] = "id";
    open_object(p);
    odata_write_members(&p->out, narrowed ? &narrow : &p->view, o, true);
    if (manager)
        put_manager(p, o, &it->managers);
    if (p->select->owners)
        put_changed_links(p, o, ENTRA_OWNER, &it->owners);
    if (p->select->members)
        put_changed_links(p, o, ENTRA_MEMBER, &it->members);
    eb_buf_str(&p->out, "}");
}

static void list_changes(struct page *p)
{
    struct entra *e = p->sim->entra;
    struct delta_token *t = p->token;
    struct delta_item *items, *it, *tmp;

    t->place = delta_gather(&e->log, t->kind, t->place, t->end, (size_t)p->sim->delta.page_size, (size_t)p->sim->delta.member_page, &items);
    HASH_ITER(hh, items, it, tmp) {
        struct entra_object *o = entra_find_kind(e, t->kind, it->id);
        if (!delta_wants_id(t, it->id))
            continue;
        if (o != NULL)
            put_changed(p, o, it);
        else
            put_removed(p, it->id, entra_binned(e, it->id) != NULL ? "changed" : "deleted");
    }
    delta_items_free(items);
    if (t->place >= t->end)
        t->phase = DELTA_DONE;
}

static void fill(struct page *p)
{
    int64_t every = p->sim->delta.empty_every;

    if (every > 1 && p->token->page % every == every - 1)
        return;                     /* an empty page: the reader follows its link all the same */
    if (p->token->phase == DELTA_CHANGES)
        list_changes(p);
    if (p->token->phase == DELTA_ALL)
        list_all(p);
    if (p->token->phase == DELTA_BIN && !is_full(p))
        list_bin(p);
}

static void answer(struct sim_call *c, struct page *p, struct sim_reply *r)
{
    struct delta_token *t = p->token;
    struct eb_buf b = EB_BUF(MiB(64));

    t->next = t->phase != DELTA_DONE;
    t->page++;
    if (!t->next) {
        t->phase = DELTA_CHANGES;
        t->place = t->end;
    }
    char *link = delta_link(c, t);
    eb_buf_str(&b, "{\"@odata.context\":\"");
    eb_buf_str(&b, c->base_url);
    eb_buf_str(&b, t->kind == ENTRA_USER ? "/$metadata#users\"" : "/$metadata#groups\"");
    eb_buf_str(&b, t->next ? ",\"@odata.nextLink\":\"" : ",\"@odata.deltaLink\":\"");
    eb_buf_str(&b, link);
    eb_buf_str(&b, "\",\"value\":[");
    eb_buf_add(&b, p->out.data, p->out.len);
    eb_buf_str(&b, "]}");
    free(link);
    sim_reply_text(r, 200, eb_buf_take(&b));
}

static void delta(struct sim *s, struct sim_call *c, enum entra_kind kind, struct sim_reply *r)
{
    struct delta_token token;
    struct delta_select select;

    if (!delta_token_read(s, c, kind, &token, r) || !delta_select_read(c, &token, &select, r))
        return;
    struct page p = {
        .sim = s, .token = &token, .select = &select, .view = { .entra = s->entra, .select = &select.columns }, .out = EB_BUF(MiB(32)), .minimal = c->minimal,
    };
    if (token.phase != DELTA_DONE)
        fill(&p);
    answer(c, &p, r);
    eb_buf_free(&p.out);
}

void graph_users_delta(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    delta(s, c, ENTRA_USER, r);
}

void graph_groups_delta(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    delta(s, c, ENTRA_GROUP, r);
}
