/* fuzz_aql.c - the simulator's AQL. Accepted: a query.
 *
 * Held: what a query is true of lies in the lists that the index gives for it, and above the least id; an exact list holds nothing else.
 */
#include "sim/assets_aql.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepted;

static struct aql_world world;
static struct assets_attr *manager, *status, *user;

static struct assets_object *add(struct assets_type *t, const char *name, uint32_t to, uint32_t st)
{
    struct assets_cell cells[4];
    struct assets_object *o = NULL;
    uint32_t n = 0;

    cells[n++] = (struct assets_cell){ t->label->id, assets_intern(world.a->strings, name) };
    if (to != 0)
        cells[n++] = (struct assets_cell){ manager->id, to };
    if (st != 0)
        cells[n++] = (struct assets_cell){ status->id, st };
    if (st == 1)
        cells[n++] = (struct assets_cell){ user->id, assets_intern(world.a->strings, "account") };
    assets_object_put(world.a, &o, t, cells, n);
    return o;
}

/* Two types below one another, references in a line, a name in both cases, and one object that is gone. */
static void make_world(void)
{
    world.a = assets_store_new(0);
    world.tracker = tracker_new(0);
    tracker_account_put(world.tracker, "account", "Ada", "ada@b.de", "atlassian");
    struct assets_schema *s = assets_schema_add(world.a, "E", "Entra", NULL);
    struct assets_type *person = assets_type_add(world.a, s, "Person", NULL, true), *guest = assets_type_add(world.a, s, "Guest", person, false);
    manager = assets_attr_add(world.a, person, "Manager", ASSETS_REFERENCE, ASSETS_NONE);
    manager->to_type = person->id;
    status = assets_attr_add(world.a, person, "Status", ASSETS_STATUS, ASSETS_NONE);
    user = assets_attr_add(world.a, person, "User", ASSETS_USER, ASSETS_NONE);
    add(person, "Ada", 0, 1);
    add(person, "ada", 1, 2);
    add(guest, "7", 2, 0);
    assets_object_remove(world.a, add(person, "Gone", 1, 1));
    add(guest, "a \"b\" \\", 3, 1);
}

static bool listed(const struct aql_candidates *c, uint32_t id)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->ids[i] == id)
            return true;
    return false;
}

static void check(struct aql *q)
{
    struct aql_candidates among = { 0 };
    bool has = aql_candidates(&world, q->where, &among);

    for (uint32_t i = 1; i < world.a->object_count; i++) {
        const struct assets_object *o = world.a->objects[i];
        bool holds = o->body != NULL && aql_holds(&world, q->where, o, o->body);
        assert(!holds || !has || listed(&among, i));
        assert(!holds || i >= aql_least_id(q->where));
        assert(holds || !has || !among.exact || !listed(&among, i));
    }
    if (has)
        free(among.owned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = fuzz_string(data, len);
    struct aql *q = NULL;

    if (world.a == NULL)
        make_world();
    fuzz_accepted = aql_parse(text, &q, NULL);
    if (fuzz_accepted)
        check(q);
    aql_free(q);
    free(text);
    return 0;
}
