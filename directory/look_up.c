/* look_up.c - a look-up from its query to its facts.
 *
 * Invariant: each look-up calls back exactly once, on a later turn of the loop, unless its directory goes first.
 * Owns: the look-up and, until the call back, its facts. The facts hold the snapshot that they were read for.
 */
#include "directory/look_up.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void directory_facts_free(struct directory_facts *f)
{
    if (f == NULL)
        return;
    struct facts_memory *m = f->memory;
    json_t *const held[] = { f->user_json, f->group_json, f->manager_json, f->groups_json, f->members_json, f->skus_json, f->methods_json, f->passes_json,
                             f->taken_json, f->found_json, m->other_json };
    for (size_t i = 0; i < EB_LEN(held); i++)
        json_decref(held[i]);
    snapshot_unref(m->snapshot);
    free(m->group_text);
    free(m);
}

static struct directory_facts *facts_new(struct snapshot *s, const struct directory_query *q)
{
    struct facts_memory *m = eb_alloc(sizeof(*m));

    m->snapshot = snapshot_ref(s);
    m->group_text = eb_strdup(q->group);
    m->facts.memory = m;
    m->facts.config = snapshot_config(s);
    m->facts.has_user = q->user != NULL;
    m->facts.has_group = q->group != NULL;
    m->facts.has_other = q->other != NULL;
    return &m->facts;
}

/* An object id, or something with exactly one @; anything else is no form of a user's name and fits nobody. */
static void start_person(struct look_up_person *p, const char *text)
{
    const char *at = text == NULL ? NULL : strchr(text, '@');

    p->is_id = text != NULL && eb_is_guid(text);
    if (p->is_id || (at != NULL && strchr(at + 1, '@') == NULL))
        p->text = eb_strdup(text);
}

static char **copy_list(const char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL)
        n++;
    char **copy = list == NULL ? NULL : eb_alloc((n + 1) * sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = eb_strdup(list[i]);
    return copy;
}

static void start_query(struct look_up *l, const struct directory_query *q)
{
    size_t slots = snapshot_duty_slots(l->snapshot);

    start_person(&l->user, q->user);
    start_person(&l->other, q->other);
    l->wants = q->wants;
    l->select = q->select == NULL || q->select[0] == '\0' ? NULL : eb_strdup(q->select);
    l->search = eb_strdup(q->search);
    l->upns = copy_list(q->upns);
    l->user_scan.duties = eb_alloc(slots + 1);
    l->group_scan.duties = eb_alloc(slots + 1);
}

static void start_group(struct look_up *l, const struct directory_query *q)
{
    struct policy_group *g = &l->facts->group;

    l->group = snapshot_group(l->snapshot, q->group);
    if (l->group->state == POLICY_GROUP_NOT_LISTED && q->any_group && eb_is_guid(q->group)) {
        l->unlisted = (struct snapshot_group){ .state = POLICY_GROUP_NOT_LISTED, .id = ((struct facts_memory *)l->facts->memory)->group_text };
        l->group = &l->unlisted;
    }
    g->state = l->group->state;
    g->rule = l->group->rule;
    g->id = l->group->id;
    g->name = g->rule != NULL ? g->rule->group : ((struct facts_memory *)l->facts->memory)->group_text;
}

void directory_look_up(struct directory *d, const struct directory_query *q, int64_t deadline_ms, uint64_t id, directory_done *done, void *ctx)
{
    struct look_up *l = eb_alloc(sizeof(*l));

    l->id = ++d->last_id;
    l->directory = d;
    l->deadline_at_ms = eb_mono_ms() + deadline_ms;
    l->background = q->background;
    l->caller = eb_strdup(q->caller);
    l->caller_id = id;
    l->done = done;
    l->ctx = ctx;
    HASH_ADD(hh, d->look_ups, id, sizeof(l->id), l);
    if (directory_ready(d, &l->err)) {
        l->snapshot = snapshot_ref(d->snapshot);
        l->facts = facts_new(l->snapshot, q);
        start_query(l, q);
        if (q->group != NULL)
            start_group(l, q);
    }
    round_start(l);
}

struct look_up *look_up_find(struct directory *d, uint64_t id)
{
    struct look_up *l = NULL;

    HASH_FIND(hh, d->look_ups, &id, sizeof(id), l);
    return l;
}

static void person_free(struct look_up_person *p)
{
    free(p->text);
    json_decref(p->by_name);
    json_decref(p->by_mail);
}

static void scan_free(struct facts_scan *s)
{
    json_decref(s->role_groups);
    free(s->duties);
}

static void look_up_free(struct look_up *l)
{
    HASH_DEL(l->directory->look_ups, l);
    eb_timer_free(l->timer);
    free(l->caller);
    directory_facts_free(l->facts);
    person_free(&l->user);
    person_free(&l->other);
    scan_free(&l->user_scan);
    scan_free(&l->owned_scan);
    scan_free(&l->group_scan);
    for (int i = 0; i < ROLE_LISTS; i++)
        json_decref(l->role_lists[i]);
    for (size_t i = 0; l->upns != NULL && l->upns[i] != NULL; i++)
        free(l->upns[i]);
    free(l->upns);
    free(l->select);
    free(l->search);
    snapshot_unref(l->snapshot);
    free(l);
}

void look_up_free_all(struct directory *d)
{
    struct look_up *l, *next;

    HASH_ITER(hh, d->look_ups, l, next)
        look_up_free(l);
}

void look_up_end(struct look_up *l)
{
    struct directory_facts *f = l->facts;
    directory_done *done = l->done;
    void *ctx = l->ctx;
    uint64_t id = l->caller_id;
    struct eb_err err = l->err;

    if (err.code == EB_OK) {
        look_up_conclude(l);
        l->facts = NULL;            /* the receiver's from here on */
    }
    look_up_free(l);
    if (err.code == EB_OK)
        done(ctx, id, f, NULL);
    else
        done(ctx, id, NULL, &err);
}
