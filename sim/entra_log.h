/* entra_log.h - what has changed in the directory, in order: the source of delta.
 *
 * A row says that something about an object changed, not what it is now: a reader looks at the object. Rows hold ids, since objects go.
 * The oldest rows are dropped beyond a million: whoever was to read them starts over.
 */
#ifndef SIM_ENTRA_LOG_H
#define SIM_ENTRA_LOG_H

#include "base/random.h"

#include <stdbool.h>

struct entra_object;
enum entra_change_what { CHANGE_MADE, CHANGE_SET, CHANGE_DELETED, CHANGE_PURGED, CHANGE_RESTORED, CHANGE_MANAGER, CHANGE_MEMBER, CHANGE_OWNER };
struct entra_change {
    char id[EB_ID_LEN], other[EB_ID_LEN];   /* other: the former manager, the member, the owner; or "" */
    unsigned char kind, other_kind, what;   /* entra_kind of `id` and `other`, entra_change_what */
    const char *name;                       /* CHANGE_SET: the attribute; lives as long as the log */
};
struct entra_log {
    struct entra_change *v;
    size_t n, cap;
    uint64_t first;                 /* the place of v[0] */
    unsigned off;                   /* above 0: nothing is noted */
    char **names;
    size_t name_count;
};

/* Only users and groups are noted. */
void entra_log_add(struct entra_log *l, const struct entra_object *o, enum entra_change_what what, const char *name, const struct entra_object *other);
uint64_t entra_log_end(const struct entra_log *l);          /* the place of the next row */
/* The row at that place; NULL: dropped, or not there yet. */
const struct entra_change *entra_log_at(const struct entra_log *l, uint64_t place);
void entra_log_free(struct entra_log *l);

#endif
