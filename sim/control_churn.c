/* control_churn.c - POST /sim/churn: changes so many random objects of the generated company, and says which.
 *
 * The same numbers and seed on the same state change the same. Not counted as effects; all of it is in the next delta.
 */
#include "sim/control.h"

#include "base/text.h"
#include "sim/cast.h"
#include "sim/graph.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MOST 2000
#define CHURN_MOST 1000000
#define TRIES 50                    /* at finding an object that is there */

struct churn { struct sim *sim; uint64_t seed, turn; };

static uint64_t roll(struct churn *k)
{
    return company_dice(k->seed, 0, ++k->turn);
}

static struct entra_object *find(struct churn *k, const char *prefix, uint32_t number)
{
    char id[EB_ID_LEN];

    snprintf(id, sizeof(id), "%s-0000-4000-8000-%012u", prefix, number);
    return entra_find(k->sim->entra, id);
}

/* One with a number below `below`; NULL: none found. */
static struct entra_object *pick(struct churn *k, enum entra_kind kind, uint32_t below)
{
    struct entra_object *o = NULL;

    for (int i = 0; i < TRIES && o == NULL && below > 1; i++)
        o = find(k, kind == ENTRA_USER ? "a2000000" : "b2000000", 1 + (uint32_t)(roll(k) % (below - 1)));
    return o;
}

static struct entra_object *pick_user(struct churn *k)
{
    return pick(k, ENTRA_USER, k->sim->entra->company.last + 1);
}

static struct entra_object *pick_group(struct churn *k)
{
    return pick(k, ENTRA_GROUP, k->sim->entra->company.groups + 1);
}

static json_t *id_of(const struct entra_object *o)
{
    return json_string(o->id);
}

static json_t *change_user(struct churn *k)
{
    static const char *const names[] = { "jobTitle", "officeLocation", "surname", "department", "displayName", "mobilePhone" };
    struct entra_object *o = pick_user(k);
    uint64_t d = roll(k);
    char text[64];

    if (o == NULL)
        return NULL;
    const char *name = names[d % EB_LEN(names)];
    snprintf(text, sizeof(text), "New %s %u", name, (unsigned)(d >> 40));
    if (d / 8 % 10 == 0)
        entra_set(k->sim->entra, o, "accountEnabled", json_boolean(!json_is_true(entra_get(k->sim->entra, o, "accountEnabled"))));
    else
        entra_set(k->sim->entra, o, name, json_string(strcmp(name, "department") == 0 ? company_department(d >> 20) : text));
    return id_of(o);
}

static json_t *change_group(struct churn *k)
{
    struct entra_object *o = pick_group(k);
    char text[64];

    if (o == NULL)
        return NULL;
    snprintf(text, sizeof(text), "Changed %u", (unsigned)(roll(k) >> 40));
    entra_set(k->sim->entra, o, roll(k) % 2 == 0 ? "displayName" : "description", json_string(text));
    return id_of(o);
}

/* A member among the first ones; NULL: none. */
static struct entra_object *some_member(struct churn *k, const struct entra_object *g)
{
    const struct entra_edge *edge = TAILQ_FIRST(&g->out[ENTRA_MEMBER]);

    for (uint64_t skip = roll(k) % 20; edge != NULL && skip > 0 && TAILQ_NEXT(edge, in_from) != NULL; skip--)
        edge = TAILQ_NEXT(edge, in_from);
    while (edge != NULL && (edge->gone_ms != 0 || edge->key.to->kind != ENTRA_USER))
        edge = TAILQ_NEXT(edge, in_from);
    return edge != NULL ? edge->key.to : NULL;
}

static json_t *change_membership(struct churn *k)
{
    struct entra_object *g = pick_group(k), *m;
    bool add = roll(k) % 2 == 0;

    if (g == NULL)
        return NULL;
    m = add ? pick_user(k) : some_member(k, g);
    bool done = m != NULL && (add ? entra_link(k->sim->entra, ENTRA_MEMBER, g, m) : entra_unlink(k->sim->entra, ENTRA_MEMBER, g, m));
    return done ? json_pack("{s:s, s:s, s:b}", "group", g->id, "member", m->id, "present", add) : NULL;
}

static json_t *change_manager(struct churn *k)
{
    struct entra_object *o = pick_user(k);
    struct entra_object *m = o != NULL ? pick(k, ENTRA_USER, o->number) : NULL;    /* a lower number: no circles */

    if (o == NULL || m == o->manager)
        return NULL;
    entra_set_manager(k->sim->entra, o, m);
    return id_of(o);
}

static json_t *let_go(struct churn *k)
{
    struct entra_object *o = pick_user(k);

    if (o == NULL)
        return NULL;
    json_t *id = id_of(o);
    entra_inflate(k->sim->entra, o);
    licences_release(k->sim, o);
    entra_delete(k->sim->entra, o);
    return id;
}

static json_t *take_on(struct churn *k)
{
    struct entra *e = k->sim->entra;
    struct entra_object *o = entra_add_person(e, e->company.last + 1), *g;

    entra_set_manager(e, o, pick(k, ENTRA_USER, o->number));
    for (int i = 0; i < 3; i++)
        if ((g = pick_group(k)) != NULL)
            entra_link(e, ENTRA_MEMBER, g, o);
    cast_person_account(k->sim, o->number);
    return id_of(o);
}

static json_t *purge(struct churn *k)
{
    struct entra_object *o = k->sim->entra->bin;
    json_t *id = o != NULL ? id_of(o) : NULL;

    if (o != NULL)
        entra_purge(k->sim->entra, o);
    return id;
}

static json_t *bring_back(struct churn *k)
{
    struct entra_object *o = k->sim->entra->bin;
    json_t *id = o != NULL ? id_of(o) : NULL;

    if (o != NULL)
        entra_restore(k->sim->entra, o);
    return id;
}

static json_t *delete_group(struct churn *k)
{
    struct entra_object *o = pick_group(k);
    json_t *id = o != NULL ? id_of(o) : NULL;

    if (o != NULL)
        entra_delete(k->sim->entra, o);
    return id;
}

static const struct { const char *name; json_t *(*change)(struct churn *k); } changes[] = {     /* in this order */
    { "users", change_user }, { "groups", change_group }, { "memberships", change_membership }, { "managers", change_manager },
    { "joiners", take_on }, { "restored", bring_back }, { "purged", purge }, { "leavers", let_go }, { "groupsDeleted", delete_group },
};

/* Does one kind of change so many times; says how often it could, and on what. */
static json_t *repeat(struct churn *k, size_t kind, int64_t times)
{
    json_t *ids = json_array();
    int64_t total = 0, misses = 0;

    while (total < times && misses < times + TRIES) {
        json_t *done = changes[kind].change(k);
        if (done == NULL) {
            misses++;
            continue;
        }
        total++;
        if (json_array_size(ids) < SHOWN_MOST)
            json_array_append(ids, done);
        json_decref(done);
    }
    return json_pack("{s:I, s:o}", "total", (json_int_t)total, "ids", ids);
}

static bool check(const json_t *body, struct eb_err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(body))
        return eb_fail(err, EB_INVALID_REQUEST, "an object was expected");
    json_object_foreach((json_t *)(uintptr_t)body, name, value) {
        size_t i = 0;
        while (i < EB_LEN(changes) && strcmp(changes[i].name, name) != 0)
            i++;
        bool known = i < EB_LEN(changes) || strcmp(name, "seed") == 0;
        if (!known || !json_is_integer(value) || json_integer_value(value) < 0 || (i < EB_LEN(changes) && json_integer_value(value) > CHURN_MOST))
            return eb_fail(err, EB_INVALID_REQUEST, "no change %s, or not a number from 0 to %d", name, CHURN_MOST);
    }
    return true;
}

void control_churn(struct sim *s, struct sim_call *c, struct sim_reply *r)
{
    const json_t *body = sim_call_json(c);
    struct churn k = { .sim = s, .seed = (uint64_t)eb_json_int(body, "seed", 1) };
    struct eb_err err = { 0 };

    if (!check(body, &err)) {
        control_error(r, &err);
        return;
    }
    json_t *out = json_object();
    for (size_t i = 0; i < EB_LEN(changes); i++)
        json_object_set_new(out, changes[i].name, repeat(&k, i, eb_json_int(body, changes[i].name, 0)));
    entra_prune(s->entra);
    sim_reply_json(r, 200, out);
    sim_waits_check(s);
}
