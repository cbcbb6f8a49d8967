/* delta_changes.h - the rows of the log between two places, gathered by object: what one page of a later round is about. */
#ifndef SIM_DELTA_CHANGES_H
#define SIM_DELTA_CHANGES_H

#include "sim/entra.h"

#define DELTA_NAMES_MAX 48

struct delta_ids { const struct entra_change **v; size_t n, cap; };     /* by their `other`; borrowed from the log */
struct delta_item {
    const char *id;                 /* borrowed from the log: nothing may be noted meanwhile */
    bool whole;                     /* made, deleted, restored: all of it is news */
    bool manager;                   /* has changed; `managers` are the former ones */
    const char *names[DELTA_NAMES_MAX];     /* changed attributes; more than those make it whole */
    size_t name_count;
    struct delta_ids managers, members, owners;
    UT_hash_handle hh;
};

/* Gathers objects of the kind from `place` on, until there are `objects_max` of them, or `links_max` members and owners, or `end` is
 * reached; returns the place of the next row. *ret is the caller's: delta_items_free(). In the order of the first rows. */
uint64_t delta_gather(const struct entra_log *log, enum entra_kind kind, uint64_t place, uint64_t end, size_t objects_max, size_t links_max,
                      struct delta_item **ret);
void delta_items_free(struct delta_item *items);

#endif
