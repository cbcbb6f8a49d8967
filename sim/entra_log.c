/* entra_log.c - a growing array of rows that drops its older half when it is full. */
#include "sim/entra_log.h"

#include "base/text.h"
#include "sim/entra.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000000

static const char *keep_name(struct entra_log *l, const char *name)
{
    for (size_t i = 0; i < l->name_count; i++)
        if (strcmp(l->names[i], name) == 0)
            return l->names[i];
    l->names = eb_need(realloc(l->names, (l->name_count + 1) * sizeof(char *)));
    l->names[l->name_count] = eb_strdup(name);
    return l->names[l->name_count++];
}

static struct entra_change *next_row(struct entra_log *l)
{
    if (l->n == ROWS_MAX) {
        memmove(l->v, l->v + ROWS_MAX / 2, (ROWS_MAX - ROWS_MAX / 2) * sizeof(*l->v));
        l->n -= ROWS_MAX / 2;
        l->first += ROWS_MAX / 2;
    }
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 256 : l->cap * 2;
        l->v = eb_need(realloc(l->v, l->cap * sizeof(*l->v)));
    }
    return &l->v[l->n++];
}

void entra_log_add(struct entra_log *l, const struct entra_object *o, enum entra_change_what what, const char *name, const struct entra_object *other)
{
    if (l->off > 0 || (o->kind != ENTRA_USER && o->kind != ENTRA_GROUP))
        return;
    struct entra_change *row = next_row(l);
    *row = (struct entra_change){ .kind = (unsigned char)o->kind, .what = (unsigned char)what, .name = name != NULL ? keep_name(l, name) : NULL };
    memcpy(row->id, o->id, sizeof(row->id));
    if (other != NULL) {
        memcpy(row->other, other->id, sizeof(row->other));
        row->other_kind = (unsigned char)other->kind;
    }
}

uint64_t entra_log_end(const struct entra_log *l)
{
    return l->first + l->n;
}

const struct entra_change *entra_log_at(const struct entra_log *l, uint64_t place)
{
    return place >= l->first && place - l->first < l->n ? &l->v[place - l->first] : NULL;
}

void entra_log_free(struct entra_log *l)
{
    for (size_t i = 0; i < l->name_count; i++)
        free(l->names[i]);
    free(l->names);
    free(l->v);
    *l = (struct entra_log){ 0 };
}
