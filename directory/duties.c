/* duties.c - the groups of policy.separation_of_duties, by id.
 *
 * A slot is a name in an entry; ids belong to slots. Where two names of one entry mean one group they are one slot, so that nobody is
 * in conflict with the very group they are in.
 */
#include "directory/duties.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct slot { size_t entry; const char *text; };
struct place { char id[NAME_ID_LEN]; size_t slot; };
struct duties {
    struct slot *slots; size_t slot_count;
    struct place *places; size_t place_count;
    const char *unfound;
};

struct duties *duties_new(void) { return eb_alloc(sizeof(struct duties)); }

void duties_free(struct duties *d)
{
    free(d->slots);
    free(d->places);
    free(d);
}

static size_t slot_new(struct duties *d, const struct name *n)
{
    d->slots = eb_need(realloc(d->slots, (d->slot_count + 1) * sizeof(*d->slots)));
    d->slots[d->slot_count] = (struct slot){ n->duty, n->text };
    return d->slot_count++;
}

/* The slot of the entry that has this id already; `otherwise` where there is none. */
static size_t slot_of(const struct duties *d, size_t entry, const char *id, size_t otherwise)
{
    for (size_t i = 0; i < d->place_count; i++)
        if (d->slots[d->places[i].slot].entry == entry && strcmp(d->places[i].id, id) == 0)
            return d->places[i].slot;
    return otherwise;
}

static void place_add(struct duties *d, size_t slot, const char *id)
{
    struct place p = { .slot = slot };

    name_id_copy(p.id, id);
    p.slot = slot_of(d, d->slots[slot].entry, p.id, slot);
    d->places = eb_need(realloc(d->places, (d->place_count + 1) * sizeof(*d->places)));
    d->places[d->place_count++] = p;
}

void duties_add(struct duties *d, const struct name *n, const char *id)
{
    size_t slot = slot_new(d, n);

    if (id == NULL && n->fits.count == 0 && d->unfound == NULL)
        d->unfound = n->text;
    if (id != NULL)
        place_add(d, slot, id);
    for (size_t i = 0; i < n->fits.count; i++)
        place_add(d, slot, n->fits.ids[i]);
}

size_t duties_slots(const struct duties *d) { return d->slot_count; }
const char *duties_unfound(const struct duties *d) { return d->unfound; }

void duties_mark(const struct duties *d, const char *id, unsigned char *marks)
{
    char lower[NAME_ID_LEN];

    name_id_copy(lower, id);
    for (size_t i = 0; i < d->place_count; i++)
        if (strcmp(d->places[i].id, lower) == 0)
            marks[d->places[i].slot] = 1;
}

const char *duties_conflict(const struct duties *d, const unsigned char *held, const unsigned char *asked)
{
    for (size_t a = 0; a < d->slot_count; a++)
        for (size_t b = 0; asked[a] && b < d->slot_count; b++)
            if (b != a && d->slots[b].entry == d->slots[a].entry && (held[b] || asked[b]))
                return d->slots[b].text;
    return NULL;
}
