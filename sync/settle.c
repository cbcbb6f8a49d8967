/* settle.c - creations that are in doubt: sent, and no answer came, or the program ended before it was kept.
 *
 * A lost request can still land until its deadline has passed, and the target's index may lag behind: only after both is it looked for. What is found is ours, and differs from
 * nothing until the plan has compared it; what is not found is created again, and the target refuses a second object of the same identity.
 */
#include "sync/run.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MOST 200

struct doubt { enum stage_kind kind; char *key; };
struct settle { struct doubt rows[LOOK_MOST]; size_t count, at; int64_t newest_ms; };

static bool keep(void *ctx, const struct stage_target *t)
{
    struct settle *s = ctx;

    s->rows[s->count++] = (struct doubt){ t->kind, eb_strdup(t->key) };
    if (t->sent_ms > s->newest_ms)
        s->newest_ms = t->sent_ms;
    return s->count < LOOK_MOST;
}

static void forget(struct settle *s)
{
    while (s->count > 0)
        free(s->rows[--s->count].key);
}

static void settle_free(struct settle *s)
{
    forget(s);
    free(s);
}

static bool list(struct db *db, struct run_job *j, struct eb_err *err)
{
    forget(j->data);                /* the transaction may be repeated */
    return stage_target_in_doubt(db, 0, LOOK_MOST, keep, j->data, err);
}

struct found { enum stage_kind kind; char *key, *object_id, *object_key; };

static bool keep_found(struct db *db, struct run_job *j, struct eb_err *err)
{
    const struct found *f = j->data;
    const struct stage_target t = { .kind = f->kind, .key = f->key, .object_id = f->object_id, .object_key = f->object_key, .active = true, .hash = "", .attributes = "{}" };

    return f->object_id == NULL ? stage_target_remove(db, f->kind, f->key, err) : stage_target_put(db, &t, j->run->generation, err);
}

static void look_at_next(struct run *r);

static void found_kept(struct run_job *j, const struct eb_err *err)
{
    struct found *f = j->data;
    struct run *r = j->run;

    free(f->key);
    free(f->object_id);
    free(f->object_key);
    free(f);
    if (r->settle == NULL)              /* the run has ended meanwhile */
        return;
    if (err != NULL) {
        run_fail(r, err);
        return;
    }
    r->settle->at++;
    look_at_next(r);
}

static void found(void *ctx, uint64_t id, const char *object_id, const char *object_key, const struct eb_err *err)
{
    struct run *r = ctx;
    const struct doubt *d = &r->settle->rows[r->settle->at];
    struct found *f;

    (void)id;
    if (err != NULL) {
        run_fail(r, err);
        return;
    }
    f = eb_alloc(sizeof *f);
    *f = (struct found){ d->kind, eb_strdup(d->key), eb_strdup(object_id), eb_strdup(object_key) };
    eb_info(NULL, "sync run=%lld doubt kind=%s object=%s %s", (long long)r->row.number, sync_kind_name(d->kind), d->key, object_id != NULL ? "was created" : "was not created");
    run_job(r, keep_found, found_kept, f);
}

static void look_at_next(struct run *r)
{
    struct settle *s = r->settle;

    if (s->at < s->count && !r->stopping) {
        r->target->find(r->target_state, s->rows[s->at].kind, s->rows[s->at].key, s->at, found, r);
        return;
    }
    if (s->count < LOOK_MOST)           /* else there may be more: the step begins again */
        r->step++;
    settle_free(s);
    r->settle = NULL;
    run_go(r);
}

static void listed(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    struct settle *s = r->settle = j->data;

    if (err != NULL || s->count == 0) {
        settle_free(s);
        r->settle = NULL;
        r->step++;
        if (err != NULL)
            run_fail(r, err);
        else
            run_go(r);
        return;
    }
    int64_t longest = ASSETS_WRITE_DEADLINE_MS + r->target->find_after_ms(r->target_state), since = eb_now_ms() - s->newest_ms;
    run_progress(r, "waiting to look for objects whose creation is in doubt", 0, (int64_t)s->count);
    /* The wall clock may have been set meanwhile: never longer than that. */
    run_pause(r, since < 0 || since >= longest ? (since < 0 ? longest : 1) : longest - since);
}

enum run_flow run_settle(struct run *r)
{
    if (r->settle != NULL)
        look_at_next(r);
    else
        run_job(r, list, listed, eb_alloc(sizeof(struct settle)));
    return RUN_WAIT;
}

void run_settle_free(struct run *r)
{
    if (r->settle != NULL)
        settle_free(r->settle);
    r->settle = NULL;
}
