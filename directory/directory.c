/* directory.c - the owner: which binding is in force, which one is under way, whether there is one at all.
 *
 * Invariant: `snapshot` changes only by directory_publish(), to that of a complete binding; it is never taken back.
 * Owns: snapshot, bindings, look-ups. Borrows: loop, graph, jira, store.
 */
#include "directory/directory.h"
#include "base/text.h"
#include "directory/inside.h"
#include "directory/owners.h"
#include "directory/pins.h"

#include <stdlib.h>

bool directory_new(struct eb_loop *loop, struct graph *g, struct jira *j, struct store *s, struct directory **ret, struct eb_err *err)
{
    struct directory *d = eb_alloc(sizeof(*d));

    d->loop = loop;
    d->graph = g;
    d->jira = j;
    d->store = s;
    LIST_INIT(&d->jobs);
    d->owners = owners_new(d);
    *ret = d;
    return true;
}

void directory_free(struct directory *d)
{
    if (d == NULL)
        return;
    look_up_free_all(d);
    people_free_all(d);
    owners_free(d->owners);
    bind_free(d->next);
    bind_free(d->current);
    snapshot_unref(d->snapshot);
    pins_forget_jobs(d);
    if (d->pins != NULL)
        pins_free(d->pins);
    free(d->pins);
    free(d);
}

void directory_bind(struct directory *d, struct config *c)
{
    bind_free(d->next);
    d->next = bind_new(d, c);
    bind_start(d->next);
}

bool directory_ready(const struct directory *d, struct eb_err *err)
{
    if (d->snapshot != NULL)
        return true;
    if (d->next == NULL)
        return eb_fail(err, EB_STARTING, "the policy's names have not been looked up yet");
    bind_tell(d->next, err);
    return false;
}

void directory_on_ready(struct directory *d, void (*fn)(void *ctx), void *ctx)
{
    d->on_ready = fn;
    d->on_ready_ctx = ctx;
}

bool directory_read_pins(struct directory *d, struct db *db, struct eb_err *err)
{
    if (d->pins == NULL)
        d->pins = eb_alloc(sizeof(*d->pins));
    return pins_read(d->pins, db, err);
}

struct bind *directory_bind_find(struct directory *d, uint64_t id)
{
    if (d->next != NULL && bind_id(d->next) == id)
        return d->next;
    return d->current != NULL && bind_id(d->current) == id ? d->current : NULL;
}

void directory_publish(struct directory *d, struct bind *b, struct snapshot *s)
{
    if (b == d->next) {
        bind_free(d->current);
        d->current = b;
        d->next = NULL;
    }
    snapshot_unref(d->snapshot);
    d->snapshot = s;
    if (d->on_ready != NULL)
        d->on_ready(d->on_ready_ctx);
}

void directory_on_owners(struct directory *d, const struct eb_err *err)
{
    if (d->next != NULL)
        bind_on_owners(d->next, err);
    if (d->current != NULL)
        bind_on_owners(d->current, err);
}

size_t directory_bindings(const struct directory *d, const struct directory_binding **ret)
{
    *ret = NULL;
    return d->snapshot == NULL ? 0 : snapshot_bindings(d->snapshot, ret);
}

const char *directory_state_text(enum directory_binding_state state)
{
    static const char *const texts[] = {
        [DIRECTORY_BOUND] = "bound", [DIRECTORY_NONE] = "fits none", [DIRECTORY_SEVERAL] = "fits several", [DIRECTORY_MOVED] = "moved",
    };

    return texts[state];
}

bool directory_project_fits(const struct directory *d, const char *key, const char *project_id)
{
    const char *pinned = d->snapshot == NULL ? NULL : snapshot_project(d->snapshot, key);

    return pinned == NULL || eb_streq(pinned, project_id);
}
