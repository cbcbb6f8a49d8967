/* guard.c - the guard against an accidental deletion: a plan that takes away too much waits for a person.
 *
 * Pure. Too much is, of people or of groups, more than a number or more than a share of what is active, whichever is reached first; a handful never is. Nobody left in
 * scope is always too much: a filter was mistyped, or the source was emptied.
 */
#include "sync/run.h"

#include <stdio.h>

#define HANDFUL 5

static bool is_too_much(const struct guard_facts *f, const struct guard_count *c)
{
    if (c->wanted == 0 && c->active > 0 && c->removals > 0)
        return true;
    return c->removals > HANDFUL && (c->removals > f->number || c->removals * 100 > c->active * f->percent);
}

const char *guard_holds(const struct guard_facts *f, char *out, size_t size)
{
    const struct guard_count *much = NULL;
    int64_t removals = 0;

    for (size_t i = 0; i < f->count; i++) {
        removals += f->counts[i].removals;
        much = is_too_much(f, &f->counts[i]) ? &f->counts[i] : much;
    }
    if (much == NULL || f->accepted >= removals)
        return NULL;
    snprintf(out, size, "%s would make %lld of %lld active objects of the type %s inactive or delete them%s. That is more than sync.guard allows without a person (%d, or %d %%)%s "
             "Nothing was written. %s; if it is meant, say `entrabridge sync run --accept-removals %lld`.", f->preview ? "A run" : "The plan", (long long)much->removals,
             (long long)much->active, sync_kind_name(much->kind), much->wanted == 0 ? ", and none would be left" : "", f->number, f->percent,
             f->preview ? ": it would be held." : ".", f->preview ? "Look at the rows `inactivate` and `delete`" : "Look at `entrabridge sync preview`", (long long)removals);
    return out;
}
