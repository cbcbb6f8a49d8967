/* apply.c - the plan carried out, in order of dependence: groups before people, managers before their reports, those who are gone last.
 *
 * The staging thread makes some changes at a time; as many as the target allows are under way; each answer is kept before the next stage begins, so that references find what was just made.
 * Invariants: a creation is noted as in doubt, any other write makes its row unsure, before it is sent; the note goes with its answer, so that a write whose end was not kept is made
 * again whatever is wanted by then. A change is in one place: `queue`, under way (`flying`), or being kept.
 * A stop waits a moment for what was sent, and takes back the notes of what was not, so that the next run has no doubts to wait for.
 */
#include "sync/run.h"

#include "base/hashtable.h"

#include <stdlib.h>
#include <string.h>

#define FETCH 64                        /* changes made in one job */
#define PATIENCE_MS (15 * 60000LL)      /* the target answers nothing for so long: the run ends, and the next one goes on */
#define PAUSE_FIRST_MS 2000
#define PAUSE_MOST_MS 60000
#define REFUSED_FIRST 25                /* so many refusals, and the target has nothing of ours: it is not the objects' fault */
#define FAILURES 2
#define ASIDE_MOST 5
#define ROUNDS 3

static const struct stage { enum stage_kind kind; enum stage_action action; bool by_level; } stages[] = {
    { STAGE_GROUP, STAGE_CREATE, true }, { STAGE_GROUP, STAGE_UPDATE, false }, { STAGE_USER, STAGE_CREATE, true }, { STAGE_USER, STAGE_UPDATE, false },
    { STAGE_USER, STAGE_LEAVE, false }, { STAGE_GROUP, STAGE_LEAVE, false }, { STAGE_USER, STAGE_DELETE, false }, { STAGE_GROUP, STAGE_DELETE, false },
};
static const char *const verbs[STAGE_ACTIONS] = { "create", "update", "inactivate", "delete" };

struct refused { char *name; UT_hash_handle hh; };

struct apply {
    struct run *run;
    size_t stage;
    int level, round;
    int64_t after;
    bool fetching, exhausted;
    struct change_list queue;
    struct change *flying[64];          /* by the number that the target tells */
    size_t flying_count, keeping;
    int64_t done, written;
    int aside;                          /* set aside in a row */
    int64_t missing, unresolved;        /* gone, or in doubt; without a reference that may lead somewhere by now */
    int64_t refusals;
    struct refused *refused;
    struct eb_timer *pause;
    int64_t pause_ms, paused_since_ms;
    bool resting, over, unsent /* notes are being taken back */;
};

static void pump(struct apply *a);

static int64_t total_of(const struct run *r)
{
    int64_t sum = 0;

    for (int i = 0; i < STAGE_ACTIONS; i++)
        sum += r->planned[i];
    return sum;
}

static void wake(void *arg)
{
    struct apply *a = arg;

    a->resting = false;
    pump(a);
}

static void drop_changes(struct change_list *list)
{
    struct change *c;

    while ((c = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, link);
        change_free(c);
    }
}

struct apply *apply_new(struct run *r)
{
    struct apply *a = eb_alloc(sizeof *a);

    a->run = r;
    STAILQ_INIT(&a->queue);
    a->pause = eb_timer_new(r->x.loop, wake, a);
    return a;
}

void apply_free(struct apply *a)
{
    struct refused *f, *next;

    if (a == NULL)
        return;
    drop_changes(&a->queue);
    for (size_t i = 0; i < EB_LEN(a->flying); i++)
        change_free(a->flying[i]);
    HASH_ITER(hh, a->refused, f, next) {
        HASH_DEL(a->refused, f);
        free(f->name);
        free(f);
    }
    eb_timer_free(a->pause);
    free(a);
}

/* ---- fetching: the next changes of a stage ---- */

struct fetch {
    struct run *run;
    struct stage_plan plan;
    int64_t from, after;
    struct change_list list, kept;      /* kept: what stands there as it is wanted */
    size_t rows;
    struct eb_err err;
};

static bool note_write(struct db *db, const struct change *c, int64_t generation, struct eb_err *err)
{
    const struct stage_target t = { .kind = c->kind, .key = c->key, .doubt = STAGE_CREATE_SENT, .sent_ms = eb_now_ms(), .hash = "", .attributes = "{}" };

    return c->action == STAGE_CREATE ? stage_target_put(db, &t, generation, err) : stage_target_unsure(db, c->kind, c->key, err);
}

struct fetch_walk { struct db *db; struct fetch *f; };

static bool take_row(void *ctx, const struct stage_change *p)
{
    struct fetch_walk *w = ctx;
    struct change *c = NULL;

    w->f->rows++;
    if (!change_make(w->db, w->f->run->schema, p, &c, &w->f->err))
        return false;
    w->f->after = p->wanted != NULL ? p->wanted->n : p->target->n;
    if (c != NULL && c->needless)
        STAILQ_INSERT_TAIL(&w->f->kept, c, link);
    else if (c != NULL)
        STAILQ_INSERT_TAIL(&w->f->list, c, link);
    return true;
}

static bool fetch(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct fetch *f = j->data;
    struct fetch_walk w = { db, f };
    struct change *c;

    drop_changes(&f->list);             /* the transaction may be repeated */
    drop_changes(&f->kept);
    f->rows = 0;
    f->after = f->from;
    if (!stage_plan_each(db, &f->plan, f->from, FETCH, take_row, &w, err))
        return false;
    if (f->err.code != EB_OK) {
        *err = f->err;
        return false;
    }
    STAILQ_FOREACH(c, &f->list, link)
        if (!note_write(db, c, f->run->generation, err))
            return false;
    STAILQ_FOREACH(c, &f->kept, link)
        if (!stage_target_put(db, &(struct stage_target){ .kind = c->kind, .key = c->key, .active = true, .hash = c->hash, .attributes = c->record }, f->run->generation, err))
            return false;
    return true;
}

static void fetched(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    struct fetch *f = j->data;
    struct apply *a = r->apply;

    if (a != NULL && err == NULL) {
        a->fetching = false;
        a->after = f->after;
        a->exhausted = f->rows < FETCH;
        STAILQ_CONCAT(&a->queue, &f->list);
    }
    drop_changes(&f->list);             /* nobody wants them any more */
    drop_changes(&f->kept);
    free(f);
    if (err != NULL)
        run_fail(r, err);
    else if (a != NULL)
        pump(a);
}

static void fetch_more(struct apply *a)
{
    const struct stage *s = &stages[a->stage];
    struct fetch *f = eb_alloc(sizeof *f);

    f->run = a->run;
    f->plan = (struct stage_plan){ s->kind, s->action, s->by_level ? a->level : -1, eb_now_ms() - a->run->config->sync.delete_after_ms };
    f->from = a->after;
    STAILQ_INIT(&f->list);
    STAILQ_INIT(&f->kept);
    a->fetching = true;
    run_job(a->run, fetch, fetched, f);
}

/* ---- at a stop: what was noted and not sent ---- */

struct unsent { struct change_list list; };

static bool forget_unsent(struct db *db, struct run_job *j, struct eb_err *err)
{
    const struct unsent *u = j->data;
    struct change *c;

    STAILQ_FOREACH(c, &u->list, link)
        if (c->action == STAGE_CREATE && !stage_target_remove(db, c->kind, c->key, err))
            return false;
    return true;
}

static void unsent_forgotten(struct run_job *j, const struct eb_err *err)
{
    struct unsent *u = j->data;

    drop_changes(&u->list);
    free(u);
    if (err != NULL)                    /* then they stay in doubt */
        eb_warn(NULL, "sync run=%lld notes of what was not sent stay: %s", (long long)j->run->row.number, err->text);
    run_go(j->run);
}

/* Once, when nothing is under way any more. */
static void wind_up(struct apply *a)
{
    struct unsent *u;

    if (a->unsent || a->over || a->flying_count > 0 || a->keeping > 0 || a->fetching)
        return;
    a->unsent = true;
    u = eb_alloc(sizeof *u);
    STAILQ_INIT(&u->list);
    STAILQ_CONCAT(&u->list, &a->queue);
    run_job(a->run, forget_unsent, unsent_forgotten, u);
}

bool apply_drains(struct apply *a)
{
    wind_up(a);
    return !a->over;
}

/* ---- keeping: what came of a write ---- */

struct kept { struct change *change; enum sync_write_result result; char *object_id, *object_key; };

static bool keep(struct db *db, struct run_job *j, struct eb_err *err)
{
    const struct kept *k = j->data;
    const struct change *c = k->change;
    struct stage_target t = { .kind = c->kind, .key = c->key, .object_id = k->object_id, .object_key = k->object_key, .active = c->action != STAGE_LEAVE,
                              .left_ms = c->action == STAGE_LEAVE ? eb_now_ms() : 0, .hash = c->hash, .attributes = c->record };

    if (k->result == SYNC_WRITE_GONE || (k->result == SYNC_WRITTEN && c->action == STAGE_DELETE) || ((k->result == SYNC_WRITE_REFUSED || k->result == SYNC_WRITE_FAILED) && c->action == STAGE_CREATE))
        return stage_target_remove(db, c->kind, c->key, err);
    return k->result != SYNC_WRITTEN || stage_target_put(db, &t, j->run->generation, err);
}

static void keep_done(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    struct kept *k = j->data;

    change_free(k->change);
    free(k->object_id);
    free(k->object_key);
    free(k);
    if (r->apply != NULL)
        r->apply->keeping--;
    if (err != NULL)
        run_fail(r, err);
    else if (r->apply != NULL)
        pump(r->apply);
}

/* Takes the change. An update keeps the object's names: `object_key` NULL leaves it as it is. */
static void keep_result(struct apply *a, struct change *c, const struct sync_written *w)
{
    struct kept *k = eb_alloc(sizeof *k);

    *k = (struct kept){ c, w->result, eb_strdup(w->object_id != NULL ? w->object_id : c->object_id), eb_strdup(w->object_key) };
    a->keeping++;
    run_job(a->run, keep, keep_done, k);
}

/* ---- answers ---- */

static void count_written(struct sync_counts *c, enum stage_action action)
{
    int64_t *const sums[STAGE_ACTIONS] = { &c->creates, &c->updates, &c->inactivations, &c->deletions };

    ++*sums[action];
}

/* False: it was told before, in an earlier round. */
static bool tell_refused(struct apply *a, const struct change *c, const char *text)
{
    char *name = eb_asprintf("%d:%s", (int)c->kind, c->key);
    struct refused *f;

    HASH_FIND_STR(a->refused, name, f);
    if (f != NULL || HASH_COUNT(a->refused) >= SYNC_FAULTS_MAX) {
        free(name);
        if (f == NULL)
            a->run->counts.errors++;
        return false;
    }
    f = eb_alloc(sizeof *f);
    f->name = name;
    HASH_ADD_KEYPTR(hh, a->refused, f->name, strlen(f->name), f);
    run_fault(a->run, verbs[c->action], c->kind, c->key, c->label, text);
    return true;
}

/* It was tried for as long as a call may last, twice, or nothing else is left to be tried meanwhile: it is set aside, so that it stops nobody. Some at most in a row: then it is
 * the target that fails, and everything waits. */
static bool is_hopeless(struct apply *a, struct change *c, const struct eb_err *err)
{
    bool alone = STAILQ_EMPTY(&a->queue) && a->flying_count == 0 && a->exhausted;

    c->failures++;
    return a->aside < ASIDE_MOST && (err->retry_after_ms == 0 ? alone || c->failures >= FAILURES : c->failures > FAILURES);
}

/* Nobody's fault, and it may pass: the change goes back, and everything rests for a while. */
static void rest(struct apply *a, struct change *c, const struct eb_err *err)
{
    int64_t now_ms = eb_mono_ms();

    STAILQ_INSERT_TAIL(&a->queue, c, link);
    if (a->run->stopping) {
        wind_up(a);
        return;
    }
    if (a->paused_since_ms == 0)
        a->paused_since_ms = now_ms;
    if (now_ms - a->paused_since_ms > PATIENCE_MS) {
        run_fail(a->run, err);
        return;
    }
    if (a->flying_count > 0)
        return;                         /* the others will come back as well; the last one sets the pause */
    a->pause_ms = a->pause_ms == 0 ? PAUSE_FIRST_MS : a->pause_ms * 2 > PAUSE_MOST_MS ? PAUSE_MOST_MS : a->pause_ms * 2;
    eb_warn(NULL, "sync run=%lld the target does not take writes, waiting %lld ms: %s", (long long)a->run->row.number, (long long)a->pause_ms, err->text);
    a->resting = true;
    eb_timer_set(a->pause, a->pause_ms);
}

static void good_again(struct apply *a)
{
    eb_timer_stop(a->pause);
    a->resting = false;
    a->paused_since_ms = a->pause_ms = 0;
}

static void refused(struct apply *a, struct change *c, const struct sync_written *w)
{
    (void)tell_refused(a, c, w->err.text);
    a->refusals++;
    if (a->run->is_first && a->written == 0 && a->refusals >= REFUSED_FIRST) {
        struct eb_err err = { 0 };
        (void)eb_fail(&err, EB_INVALID_REQUEST, "The target refused the first %d objects, and took none. The last reason: %.300s", REFUSED_FIRST, w->err.text);
        change_free(c);
        run_fail(a->run, &err);
        return;
    }
    keep_result(a, c, w);
}

static void answered(void *ctx, uint64_t id, const struct sync_written *w)
{
    struct apply *a = ctx;
    struct run *r = a->run;
    struct change *c = a->flying[id];

    a->flying[id] = NULL;
    a->flying_count--;
    if (w->result == SYNC_WRITE_DENIED) {
        change_free(c);                 /* a creation stays in doubt, and is looked for by the next run */
        run_fail(r, &w->err);
        return;
    }
    if (w->result == SYNC_WRITE_FAILED && !is_hopeless(a, c, &w->err)) {
        rest(a, c, &w->err);
        return;
    }
    good_again(a);
    a->aside = w->result == SYNC_WRITE_FAILED ? a->aside + 1 : 0;
    a->done++;
    run_progress(r, "writing", a->done, total_of(r));
    if (w->result == SYNC_WRITE_REFUSED || w->result == SYNC_WRITE_FAILED) {
        refused(a, c, w);
        return;
    }
    if (w->result == SYNC_WRITTEN) {
        a->written++;
        count_written(&r->counts, c->action);
    }
    a->missing += w->result == SYNC_WRITE_IN_DOUBT || (w->result == SYNC_WRITE_GONE && c->action == STAGE_UPDATE);
    a->unresolved += c->unresolved > 0;
    keep_result(a, c, w);
}

static void write_change(struct apply *a, struct change *c)
{
    struct run *r = a->run;
    size_t id = 0;

    while (a->flying[id] != NULL)
        id++;
    a->flying[id] = c;
    a->flying_count++;
    r->target->write(r->target_state, &(struct sync_write){
        .action = c->action, .kind = c->kind, .key = c->key, .label = c->label, .object_id = c->object_id, .values = c->values,
        .activate = c->action == STAGE_CREATE || c->action == STAGE_UPDATE, .seen_ms = r->row.started_ms }, id, answered, a);
}

/* ---- from stage to stage ---- */

/* The next level, or the next stage that is not left out. False: there is none. */
static bool next_stage(struct apply *a)
{
    a->after = 0;
    a->exhausted = false;
    if (a->stage < EB_LEN(stages) && stages[a->stage].by_level && ++a->level < a->run->levels)
        return true;
    a->level = 0;
    do
        a->stage++;
    while (a->stage < EB_LEN(stages) && run_leaves_out(a->run, stages[a->stage].action));
    return a->stage < EB_LEN(stages);
}

static bool is_idle(const struct apply *a)
{
    return STAILQ_EMPTY(&a->queue) && a->flying_count == 0 && a->keeping == 0 && !a->fetching;
}

static void pump(struct apply *a)
{
    struct run *r = a->run;
    size_t most = (size_t)r->target->writes_at_once(r->target_state);
    struct change *c;

    if (r->stopping && !r->ending)
        wind_up(a);
    if (r->stopping || r->ending || a->over || a->resting)
        return;
    most = most > EB_LEN(a->flying) ? EB_LEN(a->flying) : most;
    if (a->pause_ms > 0 && a->flying_count == 0)
        most = 1;                       /* after a rest one goes ahead */
    while (a->flying_count < most && (c = STAILQ_FIRST(&a->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&a->queue, link);
        write_change(a, c);
    }
    if (!a->exhausted && !a->fetching && STAILQ_EMPTY(&a->queue)) {
        fetch_more(a);
        return;
    }
    if (!a->exhausted || !is_idle(a))
        return;
    if (next_stage(a)) {
        fetch_more(a);
        return;
    }
    a->over = true;
    run_go(r);
}

/* Once more from where doubts are settled, while that may bring something: what was gone is made anew, references find what was made after them. */
static enum run_flow round_over(struct apply *a)
{
    struct run *r = a->run;

    if ((a->missing == 0 && (a->unresolved == 0 || a->written == 0)) || ++a->round >= ROUNDS)
        return RUN_NEXT;
    a->stage = 0;
    a->level = 0;
    a->after = a->missing = a->unresolved = a->written = 0;
    a->exhausted = a->over = false;
    while (run_steps[r->step].run != run_step_settle)
        r->step--;
    return run_settle(r);
}

enum run_flow apply_go(struct apply *a)
{
    if (a->over)
        return round_over(a);
    pump(a);
    return RUN_WAIT;
}
