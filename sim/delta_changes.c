/* delta_changes.c - gathers the log's rows by object. Costs the rows that it reads, whatever the directory's size. */
#include "sim/delta_changes.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BACK 100               /* an id may come twice in a page, but not for each of a person's turns */

/* True: it was not there yet. */
static bool ids_add(struct delta_ids *l, const struct entra_change *row)
{
    for (size_t i = l->n; i > 0 && l->n - i < LOOK_BACK; i--)
        if (strcmp(l->v[i - 1]->other, row->other) == 0)
            return false;
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 8 : l->cap * 2;
        l->v = eb_need(realloc(l->v, l->cap * sizeof(struct entra_change *)));
    }
    l->v[l->n++] = row;
    return true;
}

static void add_name(struct delta_item *it, const char *name)
{
    for (size_t i = 0; i < it->name_count; i++)
        if (it->names[i] == name)
            return;
    if (it->name_count == DELTA_NAMES_MAX)
        it->whole = true;
    else
        it->names[it->name_count++] = name;
}

/* Returns how many links this adds to the page. */
static size_t add_row(struct delta_item *it, const struct entra_change *row)
{
    switch (row->what) {
    case CHANGE_SET:
        add_name(it, row->name);
        return 0;
    case CHANGE_MANAGER:
        it->manager = true;
        if (row->other[0] != '\0')
            ids_add(&it->managers, row);
        return 0;
    case CHANGE_MEMBER:
        return ids_add(&it->members, row);
    case CHANGE_OWNER:
        return ids_add(&it->owners, row);
    default:
        it->whole = true;
        return 0;
    }
}

uint64_t delta_gather(const struct entra_log *log, enum entra_kind kind, uint64_t place, uint64_t end, size_t objects_max, size_t links_max,
                      struct delta_item **ret)
{
    const struct entra_change *row;
    size_t links = 0;

    *ret = NULL;
    for (; place < end && links < links_max && (row = entra_log_at(log, place)) != NULL; place++) {
        struct delta_item *it;
        if (row->kind != kind)
            continue;
        HASH_FIND_STR(*ret, row->id, it);
        if (it == NULL) {
            if (HASH_COUNT(*ret) == objects_max)
                break;
            it = eb_alloc(sizeof(*it));
            it->id = row->id;
            HASH_ADD_KEYPTR(hh, *ret, it->id, strlen(it->id), it);
        }
        links += add_row(it, row);
    }
    return place;
}

void delta_items_free(struct delta_item *items)
{
    struct delta_item *it, *tmp;

    HASH_ITER(hh, items, it, tmp) {
        HASH_DEL(items, it);
        free(it->managers.v);
        free(it->members.v);
        free(it->owners.v);
        free(it);
    }
}
