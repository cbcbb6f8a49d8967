/* pins.c - pins on their way from and to the store.
 *
 * A job is memory of its own, of which the store's thread touches `pins` only: the directory may go meanwhile.
 * Invariant: ids that come back from a put are those in force, also where another process was first.
 */
#include "directory/pins.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pins_job {
    struct directory *directory;    /* NULL: gone. Loop thread only, as the next two */
    LIST_ENTRY(pins_job) link;
    uint64_t bind;
    bool put;
    int64_t now_ms;
    struct pins pins;
};

void pins_add(struct pins *p, const char *type, const char *name, const char *id)
{
    struct pin *grown = realloc(p->items, (p->count + 1) * sizeof(*grown));

    if (grown == NULL)
        eb_no_memory();
    p->items = grown;
    struct pin *pin = &grown[p->count++];
    snprintf(pin->type, sizeof(pin->type), "%s", type);
    snprintf(pin->id, sizeof(pin->id), "%s", id);
    pin->name = eb_strdup(name);
}

void pins_free(struct pins *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i].name);
    free(p->items);
    *p = (struct pins){ 0 };
}

static bool each(void *ctx, const char *type, const char *name, const char *id, int64_t since_ms)
{
    pins_add(ctx, type, name, id);
    return true;
}

bool pins_read(struct pins *p, struct db *db, struct eb_err *err)
{
    pins_free(p);                   /* a transaction may be repeated */
    return pin_list(db, each, p, err);
}

static bool job_run(struct db *db, void *arg, struct eb_err *err)
{
    struct pins_job *j = arg;

    if (!j->put)
        return pins_read(&j->pins, db, err);
    for (size_t i = 0; i < j->pins.count; i++) {
        struct pin *p = &j->pins.items[i];
        char id[NAME_ID_LEN];
        if (!pin_put(db, p->type, p->name, p->id, j->now_ms, id, err))
            return false;
        memcpy(p->id, id, sizeof(id));
    }
    return true;
}

static void job_done(void *arg, const struct eb_err *err)
{
    struct pins_job *j = arg;
    struct directory *d = j->directory;

    if (d != NULL) {
        LIST_REMOVE(j, link);
        struct bind *b = directory_bind_find(d, j->bind);
        if (b != NULL)
            bind_on_pins(b, &j->pins, err);
    }
    pins_free(&j->pins);
    free(j);
}

static void submit(struct directory *d, uint64_t bind, bool put, struct pins pins)
{
    struct pins_job *j = eb_alloc(sizeof(*j));

    *j = (struct pins_job){ .directory = d, .bind = bind, .put = put, .now_ms = eb_now_ms(), .pins = pins };
    LIST_INSERT_HEAD(&d->jobs, j, link);
    store_submit(d->store, job_run, j, job_done);
}

void pins_load(struct directory *d, uint64_t bind)
{
    submit(d, bind, false, (struct pins){ 0 });
}

void pins_put(struct directory *d, uint64_t bind, struct pins *put)
{
    submit(d, bind, true, *put);
    *put = (struct pins){ 0 };
}

void pins_forget_jobs(struct directory *d)
{
    struct pins_job *j;

    LIST_FOREACH(j, &d->jobs, link)
        j->directory = NULL;
    LIST_INIT(&d->jobs);
}
