/* stage_fixture.h - a staging file of its own for each test, and short ways to fill it. */
#ifndef TESTS_STAGE_FIXTURE_H
#define TESTS_STAGE_FIXTURE_H

#include "store_fixture.h"

#include "store/stage.h"

static struct db *db;
static int64_t generation;
static char seen[1024];

static inline void stage_open(void)
{
    FX_OK(db_open_staging(fx_path("stage.db"), &db, &fx_err));
}

static inline int setup(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    generation = 1;
    stage_open();
    return 0;
}

static inline int teardown(void **state)
{
    db_close(db);
    db = NULL;
    return fx_teardown(state);
}

static inline void close_and_open(void)
{
    db_close(db);
    stage_open();
}

/* An empty file in place of this one. */
static inline void renew(void)
{
    db_close(db);
    (void)remove(fx_path("stage.db"));
    stage_open();
}

static inline void note(const char *text)
{
    size_t len = strlen(seen);

    snprintf(seen + len, sizeof(seen) - len, "%s%s", len > 0 ? " " : "", text);
}

static inline bool see_id(void *ctx, const char *id)
{
    (void)ctx;
    note(id);
    return true;
}

static inline void put_with_mail(const char *id, const char *raw, const char *mail, const char *upn)
{
    FX_OK(stage_object_put(db, &(struct stage_object){ .kind = STAGE_USER, .id = id, .raw = raw, .mail = mail, .upn = upn }, generation, &fx_err));
}

static inline void put(enum stage_kind kind, const char *id, const char *raw)
{
    FX_OK(stage_object_put(db, &(struct stage_object){ .kind = kind, .id = id, .raw = raw }, generation, &fx_err));
}

static inline void link_put(const char *from, enum stage_relation r, const char *to)
{
    FX_OK(stage_links_put(db, from, r, &to, 1, generation, &fx_err));
}

struct number_walk { const char *id; int64_t n; };

static inline bool number_see(void *ctx, const struct stage_object *o)
{
    struct number_walk *w = ctx;

    if (eb_streq(o->id, w->id))
        w->n = o->n;
    return w->n == 0;
}

/* An object's number, as a walk over everything tells it; what is dirty stays as it was only where all of it is. */
static inline int64_t number(const char *id)
{
    struct number_walk w = { .id = id };

    FX_OK(db_begin(db, &fx_err));
    FX_OK(stage_dirty_all(db, &fx_err));
    for (int kind = STAGE_USER; kind < STAGE_KINDS && w.n == 0; kind++)
        FX_OK(stage_dirty_each(db, (enum stage_kind)kind, 0, 1000000, number_see, &w, &fx_err));
    db_rollback(db);
    if (w.n == 0)
        fail_msg("there is no object %s", id);
    return w.n;
}

static inline bool object_note(void *ctx, const struct stage_object *o)
{
    (void)ctx;
    note(o->id);
    return true;
}

/* Users, then groups, in the order in which they came. */
static inline const char *dirty(void)
{
    seen[0] = '\0';
    FX_OK(stage_dirty_each(db, STAGE_USER, 0, 1000, object_note, NULL, &fx_err));
    FX_OK(stage_dirty_each(db, STAGE_GROUP, 0, 1000, object_note, NULL, &fx_err));
    return seen;
}

static inline bool object_clean(void *ctx, const struct stage_object *o)
{
    (void)ctx;
    FX_OK(stage_clean(db, o->kind, o->n - 1, o->n, &fx_err));
    return true;
}

static inline void clean(void)
{
    FX_OK(stage_dirty_each(db, STAGE_USER, 0, 1000, object_clean, NULL, &fx_err));
    FX_OK(stage_dirty_each(db, STAGE_GROUP, 0, 1000, object_clean, NULL, &fx_err));
}

static inline void wanted_put(enum stage_kind kind, const char *id, const char *hash, bool lacks_manager)
{
    FX_OK(stage_wanted_put(db, &(struct stage_wanted){ .n = number(id), .kind = kind, .key = id, .label = id, .hash = hash, .attributes = "{}",
                                                       .lacks_manager = lacks_manager }, &fx_err));
}

static inline int64_t wanted_count(enum stage_kind kind)
{
    int64_t n = -1;

    FX_OK(stage_wanted_count(db, kind, &n, &fx_err));
    return n;
}

#endif
