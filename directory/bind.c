/* bind.c - the names of one policy, looked up and pinned.
 *
 * A round: load the pins, look the names up in Graph and in Jira side by side, and who owns the application, put new pins, publish. Each of the sides
 * (tracks) has its own back-off, so that a Jira that is away does not repeat what Graph has told. A later round, 60 s after,
 * looks again for the names that fitted nothing and have no pin.
 * Invariant: nothing is published before every name has been told by its cloud and every new pin is on disk.
 * Owns: the names, a reference to the configuration. Borrows: the directory, which owns it and finds it by id for each completion.
 */
#include "directory/bind.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "directory/owners.h"
#include "directory/pins.h"

#include <stdlib.h>
#include <string.h>

#define RELOOK_MS 60000
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 30000

struct bind *bind_new(struct directory *d, struct config *c)
{
    struct bind *b = eb_alloc(sizeof(*b));

    b->directory = d;
    b->id = ++d->last_id;
    b->config = config_ref(c);
    names_gather(&b->names, &c->policy);
    for (int t = 0; t < BIND_TRACKS; t++)
        b->tracks[t] = (struct bind_track){ .bind = b, .kind = t };
    return b;
}

void bind_free(struct bind *b)
{
    if (b == NULL)
        return;
    for (int t = 0; t < BIND_TRACKS; t++)
        eb_timer_free(b->tracks[t].timer);
    eb_timer_free(b->relook);
    bind_drop_links(b);
    names_free(&b->names);
    config_unref(b->config);
    free(b);
}

uint64_t bind_id(const struct bind *b) { return b->id; }

struct track_row { const char *what; void (*go)(struct bind *b); };
static const struct track_row tracks[BIND_TRACKS];

static void track_again(void *arg)
{
    struct bind_track *t = arg;

    tracks[t->kind].go(t->bind);
}

void bind_track_failed(struct bind *b, enum bind_track_kind kind, const struct eb_err *err)
{
    struct bind_track *t = &b->tracks[kind];
    int64_t wait = BACKOFF_FIRST_MS << (t->failures < 6 ? t->failures : 6);

    t->busy = false;
    t->err = *err;
    if (wait > BACKOFF_MAX_MS)
        wait = BACKOFF_MAX_MS;
    wait = wait / 2 + eb_random_below((uint32_t)wait / 2 + 1);
    if (err->retry_after_ms > wait)
        wait = err->retry_after_ms;
    if (t->failures++ == 0 || wait >= BACKOFF_MAX_MS / 2)
        eb_warn(NULL, "the policy's names cannot be looked up yet: %s: %s; tried again in %lld ms", tracks[kind].what, err->text, (long long)wait);
    if (t->timer == NULL)
        t->timer = eb_timer_new(b->directory->loop, track_again, t);
    eb_timer_set(t->timer, wait);
}

void bind_track_ended(struct bind *b, enum bind_track_kind kind)
{
    struct bind_track *t = &b->tracks[kind];

    t->busy = false;
    t->done = true;
    t->failures = 0;
    t->err.code = EB_OK;
    if (b->tracks[BIND_GRAPH].done && b->tracks[BIND_JIRA].done && b->tracks[BIND_OWNERS].done)
        bind_conclude(b);
}

/* ---- the store's side ---- */

static bool needs_pin(const struct name *n)
{
    return !n->by_id && n->pin[0] == '\0' && n->fits.count == 1;
}

static void put_pins(struct bind *b)
{
    struct pins put = { 0 };

    for (size_t i = 0; i < b->names.count; i++) {
        const struct name *n = &b->names.items[i];
        if (needs_pin(n))
            pins_add(&put, name_pin_type(n->kind), n->text, n->fits.ids[0]);
    }
    pins_put(b->directory, b->id, &put);
}

static bool any_needs_pin(const struct bind *b)
{
    for (size_t i = 0; i < b->names.count; i++)
        if (needs_pin(&b->names.items[i]))
            return true;
    return false;
}

static void go_store(struct bind *b)
{
    b->tracks[BIND_STORE].busy = true;
    if (b->pins_loaded)
        put_pins(b);
    else
        pins_load(b->directory, b->id);
}

static void take_pins(struct bind *b, const struct pins *pins)
{
    for (size_t i = 0; i < pins->count; i++)
        names_set_pin(&b->names, pins->items[i].type, pins->items[i].name, pins->items[i].id);
}

static void look(struct bind *b)
{
    for (int t = BIND_GRAPH; t <= BIND_OWNERS; t++)
        if (!b->tracks[t].done && !b->tracks[t].busy)
            tracks[t].go(b);
}

void bind_on_pins(struct bind *b, const struct pins *pins, const struct eb_err *err)
{
    bool loaded = b->pins_loaded;

    if (err != NULL) {
        bind_track_failed(b, BIND_STORE, err);
        return;
    }
    b->tracks[BIND_STORE] = (struct bind_track){ .bind = b, .kind = BIND_STORE, .timer = b->tracks[BIND_STORE].timer };
    b->pins_loaded = true;
    take_pins(b, pins);
    if (loaded)
        bind_publish(b);
    else
        look(b);
}

void bind_start(struct bind *b)
{
    if (b->directory->store != NULL) {
        go_store(b);
        return;
    }
    if (b->directory->pins != NULL)
        take_pins(b, b->directory->pins);
    b->pins_loaded = true;
    look(b);
}

/* Both clouds have told everything of this round. */
void bind_conclude(struct bind *b)
{
    if (b->directory->store != NULL && any_needs_pin(b))
        go_store(b);
    else
        bind_publish(b);
}

/* ---- the application's owners ---- */

static void go_owners(struct bind *b)
{
    struct owners *o = b->directory->owners;

    b->tracks[BIND_OWNERS].busy = true;
    if (owners_settled(o, b->config->entra.client_id))
        bind_track_ended(b, BIND_OWNERS);
    else
        owners_read(o, b->config->entra.client_id);
}

void bind_on_owners(struct bind *b, const struct eb_err *err)
{
    if (!b->tracks[BIND_OWNERS].busy)
        return;                     /* it waits for nothing: this was a reading of later */
    if (err != NULL)
        bind_track_failed(b, BIND_OWNERS, err);
    else
        go_owners(b);
}

static const struct track_row tracks[BIND_TRACKS] = {
    [BIND_STORE] = { "store", go_store },
    [BIND_GRAPH] = { "Entra", bind_go_graph },
    [BIND_JIRA]  = { "Jira",  bind_go_jira },
    [BIND_OWNERS] = { "Entra, the application's owners", go_owners },
};

/* ---- the end of a round, and the next ---- */

static bool looked_for_again(const struct name *n)
{
    return n->state == DIRECTORY_NONE && n->pin[0] == '\0';
}

static void relook(void *arg)
{
    struct bind *b = arg;

    for (size_t i = 0; i < b->names.count; i++) {
        struct name *n = &b->names.items[i];
        if (!looked_for_again(n))
            continue;
        n->told = false;
        b->tracks[n->kind == NAME_PROJECT ? BIND_JIRA : BIND_GRAPH].done = false;
    }
    look(b);
}

/* Settles every name; true where one means something else than at the last round. Says once what an operator should know. */
static bool settle(struct bind *b)
{
    bool changed = !b->published;

    for (size_t i = 0; i < b->names.count; i++) {
        struct name *n = &b->names.items[i];
        enum directory_binding_state before = n->state;
        char text[512];
        name_settle(n);
        if (b->published && n->state == before)
            continue;
        changed = true;
        if (name_warning(n, text, sizeof(text))[0] != '\0')
            eb_warn(NULL, "%s", text);
        else if (b->published)
            eb_info(NULL, "%s '%s' is found now: %s", name_what(n->kind), n->text, name_id(n));
    }
    return changed;
}

void bind_publish(struct bind *b)
{
    bool changed = settle(b), again = false;

    for (size_t i = 0; i < b->names.count && !again; i++)
        again = looked_for_again(&b->names.items[i]);
    if (again && b->relook == NULL)
        b->relook = eb_timer_new(b->directory->loop, relook, b);
    if (again)
        eb_timer_set(b->relook, RELOOK_MS);
    b->published = true;
    if (changed)
        directory_publish(b->directory, b, snapshot_new(b->config, &b->names));
}

void bind_tell(const struct bind *b, struct eb_err *err)
{
    for (int t = 0; t < BIND_TRACKS; t++)
        if (b->tracks[t].err.code != EB_OK) {
            eb_fail(err, EB_STARTING, "the policy's names have not been looked up yet: %s: %s", tracks[t].what, b->tracks[t].err.text);
            return;
        }
    eb_fail(err, EB_STARTING, "the policy's names are being looked up; try again in a moment");
}
