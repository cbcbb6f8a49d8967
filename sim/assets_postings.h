/* assets_postings.h - for each attribute and value, the objects that may have it: what makes AQL's =, IN and references fast.
 *
 * A list is a superset: entries of values that went are dropped when a list is cleaned, so whoever reads looks at the object too.
 */
#ifndef SIM_ASSETS_POSTINGS_H
#define SIM_ASSETS_POSTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assets_postings;
/* Does the object still belong under this key? */
typedef bool assets_posting_holds(void *ctx, uint64_t key, uint32_t object);
struct assets_ids { const uint32_t *ids; size_t count; };    /* ascending, each once; borrowed until the next change */

/* keys: how many there will be; with more it grows, and stands still for that while. */
struct assets_postings *assets_postings_new(assets_posting_holds *holds, void *ctx, size_t keys);
void assets_postings_free(struct assets_postings *p);
void assets_posting_add(struct assets_postings *p, uint64_t key, uint32_t object);
/* The object no longer belongs there. */
void assets_posting_gone(struct assets_postings *p, uint64_t key);
struct assets_ids assets_posting(struct assets_postings *p, uint64_t key);
/* The same, without entries of objects that do not hold. */
struct assets_ids assets_posting_exact(struct assets_postings *p, uint64_t key);

#endif
