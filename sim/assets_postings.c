/* assets_postings.c - an open table of lists; a list of one object needs no memory of its own.
 *
 * Removing is counting: a list is gone through when half of it is dead, so a change costs no more than its share.
 */
#include "sim/assets_postings.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct list {
    uint64_t key;                   /* 0: free slot */
    union { uint32_t one; uint32_t *many; };
    uint32_t count, cap, dead;      /* cap 0: `one` */
    bool unsorted;
};
struct assets_postings { struct list *lists; size_t slots, used; assets_posting_holds *holds; void *ctx; };

struct assets_postings *assets_postings_new(assets_posting_holds *holds, void *ctx, size_t keys)
{
    struct assets_postings *p = eb_alloc(sizeof(*p));

    p->holds = holds;
    p->ctx = ctx;
    for (p->slots = 4096; p->slots / 4 * 3 < keys;)
        p->slots *= 2;
    p->lists = eb_alloc(p->slots * sizeof(*p->lists));
    return p;
}

void assets_postings_free(struct assets_postings *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->slots; i++)
        if (p->lists[i].cap > 0)
            free(p->lists[i].many);
    free(p->lists);
    free(p);
}

static struct list *slot(const struct assets_postings *p, uint64_t key)
{
    size_t at = (key ^ (key >> 31)) & (p->slots - 1);

    while (p->lists[at].key != 0 && p->lists[at].key != key)
        at = (at + 1) & (p->slots - 1);
    return &p->lists[at];
}

static void grow(struct assets_postings *p)
{
    struct list *old = p->lists;
    size_t count = p->slots;

    p->slots *= 2;
    p->lists = eb_alloc(p->slots * sizeof(*p->lists));
    for (size_t i = 0; i < count; i++)
        if (old[i].key != 0)
            *slot(p, old[i].key) = old[i];
    free(old);
}

static void append(struct list *l, uint32_t object)
{
    const uint32_t *last = l->cap > 0 ? &l->many[l->count - (l->count > 0)] : &l->one;

    if (l->count > 0 && *last == object)
        return;
    l->unsorted = l->unsorted || (l->count > 0 && *last > object);
    if (l->count == 0 && l->cap == 0) {
        l->one = object;
        l->count = 1;
        return;
    }
    if (l->cap == 0) {
        uint32_t *many = eb_need(malloc(4 * sizeof(*many)));
        many[0] = l->one;
        l->many = many;
        l->cap = 4;
    } else if (l->count == l->cap) {
        l->cap += l->cap / 2 + 1;
        l->many = eb_need(realloc(l->many, l->cap * sizeof(*l->many)));
    }
    l->many[l->count++] = object;
}

void assets_posting_add(struct assets_postings *p, uint64_t key, uint32_t object)
{
    struct list *l = slot(p, key |= 1);

    if (l->key == 0) {
        if (++p->used > p->slots / 4 * 3) {
            grow(p);
            l = slot(p, key);
        }
        l->key = key;
    }
    append(l, object);
}

static uint32_t *ids_of(struct list *l)
{
    return l->cap > 0 ? l->many : &l->one;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort(struct list *l)
{
    uint32_t *ids = ids_of(l), n = 0;

    if (!l->unsorted)
        return;
    qsort(ids, l->count, sizeof(*ids), by_id);
    for (uint32_t i = 0; i < l->count; i++)
        if (n == 0 || ids[n - 1] != ids[i])
            ids[n++] = ids[i];
    l->count = n;
    l->unsorted = false;
}

static void clean(struct assets_postings *p, struct list *l)
{
    uint32_t *ids = ids_of(l), n = 0;

    sort(l);
    for (uint32_t i = 0; i < l->count; i++)
        if (p->holds(p->ctx, l->key, ids[i]))
            ids[n++] = ids[i];
    l->count = n;
    l->dead = 0;
}

void assets_posting_gone(struct assets_postings *p, uint64_t key)
{
    struct list *l = slot(p, key | 1);

    if (l->key != 0 && ++l->dead > l->count / 2 + 8)
        clean(p, l);
}

struct assets_ids assets_posting(struct assets_postings *p, uint64_t key)
{
    struct list *l = slot(p, key | 1);

    if (l->key == 0)
        return (struct assets_ids){ NULL, 0 };
    sort(l);
    return (struct assets_ids){ ids_of(l), l->count };
}

struct assets_ids assets_posting_exact(struct assets_postings *p, uint64_t key)
{
    struct list *l = slot(p, key | 1);

    if (l->key != 0 && l->dead > 0)
        clean(p, l);
    return assets_posting(p, key);
}
