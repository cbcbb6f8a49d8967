/* entra_edges.c - who is a member or owner of what, walks over it, and role assignments.
 *
 * A removed edge stays as long as late reads may see it (`dying`, oldest first), then entra_prune() frees it.
 */
#include "sim/entra.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void entra_list_add(struct entra_list *l, struct entra_object *o)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 4 : l->cap * 2;
        entra_ref *v = realloc(l->v, cap * sizeof(entra_ref));
        if (v == NULL)
            abort();
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = o;
}

void entra_list_free(struct entra_list *l)
{
    free(l->v);
    *l = (struct entra_list){ 0 };
}

static struct entra_edge *edge_find(enum entra_relation rel, const struct entra_object *from, struct entra_object *to)
{
    struct entra_edge *edge;

    TAILQ_FOREACH(edge, &to->in[rel], in_to)        /* few: nobody is in very many groups */
        if (edge->key.from == from)
            break;
    return edge;
}

static void edge_free(struct entra *e, struct entra_edge *edge)
{
    if (edge->gone_ms != 0)
        TAILQ_REMOVE(&e->dying, edge, dying);
    TAILQ_REMOVE(&edge->key.from->out[edge->key.relation], edge, in_from);
    TAILQ_REMOVE(&edge->key.to->in[edge->key.relation], edge, in_to);
    free(edge);
}

void entra_prune(struct entra *e)
{
    struct entra_edge *edge, *next;
    int64_t now = TAILQ_EMPTY(&e->dying) ? 0 : eb_mono_ms();

    for (edge = TAILQ_FIRST(&e->dying); edge != NULL; edge = next) {
        next = TAILQ_NEXT(edge, dying);
        if (edge->gone_ms <= now)
            edge_free(e, edge);
    }
}

bool entra_is_linked(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to)
{
    const struct entra_edge *edge = edge_find(rel, from, to);

    return edge != NULL && edge->gone_ms == 0;
}

bool entra_link(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to)
{
    struct entra_edge *edge = edge_find(rel, from, to);

    if (edge != NULL && edge->gone_ms == 0)
        return false;
    if (edge != NULL)
        edge_free(e, edge);
    edge = eb_alloc(sizeof(*edge));
    edge->key.from = from;
    edge->key.to = to;
    edge->key.relation = rel;
    edge->seen_ms = e->eventual_ms > 0 ? eb_mono_ms() + e->eventual_ms : 0;
    edge->order = ++e->last_edge;
    TAILQ_INSERT_TAIL(&from->out[rel], edge, in_from);
    TAILQ_INSERT_TAIL(&to->in[rel], edge, in_to);
    entra_log_add(&e->log, from, rel == ENTRA_MEMBER ? CHANGE_MEMBER : CHANGE_OWNER, NULL, to);
    return true;
}

bool entra_unlink(struct entra *e, enum entra_relation rel, struct entra_object *from, struct entra_object *to)
{
    struct entra_edge *edge = edge_find(rel, from, to);

    if (edge == NULL || edge->gone_ms != 0)
        return false;
    edge->gone_ms = eb_mono_ms() + e->eventual_ms;
    TAILQ_INSERT_TAIL(&e->dying, edge, dying);
    entra_log_add(&e->log, from, rel == ENTRA_MEMBER ? CHANGE_MEMBER : CHANGE_OWNER, NULL, to);
    return true;
}

bool entra_edge_seen(const struct entra_edge *edge, int64_t now_ms)
{
    return edge->seen_ms <= now_ms && (edge->gone_ms == 0 || now_ms < edge->gone_ms);
}

const struct entra_edge *entra_edge_after(const struct entra_edges *edges, uint32_t order)
{
    const struct entra_edge *edge;

    if (order == 0)
        return TAILQ_FIRST(edges);
    TAILQ_FOREACH(edge, edges, in_from)
        if (edge->order > order)
            break;
    return edge;
}

/* Breadth first; `out` is its own queue. `down`: towards members, else towards containers. */
static void walk(struct entra *e, struct entra_object *start, enum entra_relation rel, bool transitive, bool down, struct entra_list *out)
{
    int64_t now = eb_mono_ms();
    uint64_t mark = ++e->visits;
    struct entra_object *at = start;
    struct entra_edge *edge;

    start->visit = mark;
    for (size_t i = 0; at != NULL; at = transitive && i < out->n ? out->v[i++] : NULL) {
        for (edge = TAILQ_FIRST(down ? &at->out[rel] : &at->in[rel]); edge != NULL;
             edge = down ? TAILQ_NEXT(edge, in_from) : TAILQ_NEXT(edge, in_to)) {
            struct entra_object *o = down ? edge->key.to : edge->key.from;
            if (o->visit == mark || !entra_edge_seen(edge, now))
                continue;
            o->visit = mark;
            entra_list_add(out, o);
        }
    }
}

void entra_targets(struct entra *e, struct entra_object *o, enum entra_relation rel, bool transitive, struct entra_list *out)
{
    walk(e, o, rel, transitive, true, out);
}

void entra_sources(struct entra *e, struct entra_object *o, enum entra_relation rel, bool transitive, struct entra_list *out)
{
    walk(e, o, rel, transitive, false, out);
}

void entra_assign(struct entra *e, const char *principal, const char *definition, const char *scope, bool eligible)
{
    char id[EB_ID_LEN];

    eb_uuid4(id);
    json_t *a = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "principalId", principal, "roleDefinitionId", definition,
                          "directoryScopeId", scope);
    if (eligible) {
        json_object_set_new(a, "memberType", json_string("Direct"));
        json_object_set_new(a, "roleEligibilityScheduleId", json_string(id));
        json_object_set_new(a, "startDateTime", json_string("2026-01-01T00:00:00Z"));
        json_object_set_new(a, "endDateTime", json_null());
    }
    json_array_append_new(eligible ? e->eligibilities : e->assignments, a);
}

void entra_unassign(struct entra *e, const char *principal, bool eligible)
{
    json_t *list = eligible ? e->eligibilities : e->assignments;

    for (size_t i = json_array_size(list); i-- > 0;)
        if (eb_streq(eb_json_str(json_array_get(list, i), "principalId"), principal))
            json_array_remove(list, i);
}
