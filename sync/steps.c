/* steps.c - what a run does, in order: look, read the source, make the records, read the target, settle doubts, plan, apply.
 *
 * Each step leaves in the staging file what it has done, so that the next run need not do it again. Nothing is planned from a source that was not read to its end.
 */
#include "sync/run.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 1000                      /* records judged in one job: some 30 ms of the thread */
#define PATIENCE_MS (30 * 60000LL)      /* with a source that throttles */
#define AGAIN_MS 10000
#define DOUBTS_MOST 100
#define STATE_CONFIG "config"           /* hash of the configuration that records were made by */
#define STATE_GENERATION "target_generation"    /* of the last read of the target that was begun */
#define STATE_TARGET "target"           /* the target was read to its end, and nothing has made that doubtful since; absent: it is to be read */
#define STATE_PLACE "place"             /* where the target's objects live that the rows tell of */
#define STATE_READ_ALL "read_all_ms"
#define STATE_UNMATCHED "unmatched"      /* accounts, as they were counted last */

const struct run_step run_steps[] = {
#define RUN_STEP_ROW(name) { #name, run_step_##name },
    RUN_STEPS(RUN_STEP_ROW)
#undef RUN_STEP_ROW
};
const size_t run_step_count = EB_LEN(run_steps);

/* Most jobs of steps end so. */
static void go_on(struct run_job *j, const struct eb_err *err)
{
    if (err != NULL)
        run_fail(j->run, err);
    else
        run_go(j->run);
}

static void next(struct run_job *j, const struct eb_err *err)
{
    j->run->step++;
    go_on(j, err);
}

/* ---- look: what earlier runs have left ---- */

static bool look(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    char *by = NULL;
    int64_t known = 0;

    if ((r->power_lost || r->order.full) && !stage_state_put(db, STATE_TARGET, NULL, err))      /* also for the next run, should this one be killed */
        return false;
    if (!stage_state_number(db, STATE_TARGET, &known, err) || !stage_state_number(db, STATE_GENERATION, &r->generation, err) ||
        !stage_state_number(db, STATE_READ_ALL, &r->read_all_ms, err) || !stage_state_get(db, STATE_CONFIG, &by, err))
        return false;
    r->target_known = known > 0;
    bool same = eb_streq(by, r->config->hash);
    free(by);
    return same || (stage_dirty_all(db, err) && stage_state_put(db, STATE_CONFIG, r->config->hash, err));
}

enum run_flow run_step_look(struct run *r)
{
    if (r->order.what == SYNC_INIT)
        return RUN_NEXT;
    run_job(r, look, next, NULL);
    return RUN_WAIT;
}

/* ---- read: the source ---- */

/* A full run also mends what was changed by hand in the target: that is to be read as well, by the next run if this one does not come to it. */
static bool keep_read(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    int64_t now_ms = eb_now_ms();

    return stage_state_put_number(db, "read_ms", now_ms, err) &&
           (!r->read_all || (stage_state_put_number(db, STATE_READ_ALL, now_ms, err) && stage_state_put(db, STATE_TARGET, NULL, err)));
}

static void read_kept(struct run_job *j, const struct eb_err *err)
{
    j->run->target_known = j->run->target_known && !j->run->read_all;
    next(j, err);
}

/* Held back by 429 for long: it goes on from where it was, after a while. */
static bool is_patient(struct run *r)
{
    bool throttled = r->counts.throttled_ms > r->throttled_before_ms;

    r->throttled_before_ms = r->counts.throttled_ms;
    return throttled && eb_mono_ms() - r->begun_mono_ms < PATIENCE_MS;
}

static void source_read(void *ctx, const struct eb_err *err)
{
    struct run *r = ctx;

    r->was_read = err == NULL;
    if (err == NULL) {
        run_job(r, keep_read, read_kept, NULL);
    } else if (is_patient(r)) {
        eb_warn(NULL, "sync run=%lld is throttled, and goes on in a while: %s", (long long)r->row.number, err->text);
        run_pause(r, AGAIN_MS);
    } else {
        run_fail(r, err);
    }
}

enum run_flow run_step_read(struct run *r)
{
    if (r->order.what == SYNC_INIT)
        return RUN_NEXT;
    bool all = r->order.full || sync_full_due(&r->config->sync, r->read_all_ms, eb_now_ms());
    if (r->source_state != NULL)
        r->source->close(r->source_state);
    r->source_state = r->source->open(&r->x);
    r->source->read(r->source_state, all ? SYNC_READ_ALL : SYNC_READ_CHANGES, &r->read_all, source_read, r);
    return RUN_WAIT;
}

/* ---- project: from what the source says to records ---- */

static const enum stage_kind project_order[] = { STAGE_GROUP, STAGE_USER };

struct project { size_t kind; int pass; int64_t from, after, done; bool more; };

static bool project(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct project *p = j->data;

    p->after = p->from;             /* the transaction may be repeated */
    return j->run->source->project(j->run->source_state, db, p->pass, project_order[p->kind], &p->after, CHUNK, &p->more, err);
}

static void projected(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    struct project *p = j->data;

    if (err == NULL && !r->ending && !r->stopping) {
        p->done += p->pass == 1 ? CHUNK : 0;
        run_progress(r, "comparing", p->done, -1);
        p->from = p->more ? p->after : 0;
        if (!p->more) {
            if (++p->kind == EB_LEN(project_order)) {
                p->kind = 0;
                p->pass++;
            }
        }
        if (p->pass < 2) {
            run_job(r, project, projected, p);
            return;
        }
    }
    free(p);
    next(j, err);
}

enum run_flow run_step_project(struct run *r)
{
    if (r->order.what == SYNC_INIT)
        return RUN_NEXT;
    run_job(r, project, projected, eb_alloc(sizeof(struct project)));
    return RUN_WAIT;
}

/* ---- notes: who fits nobody, and how many there are ---- */

/* Both walk through everybody: only where there is news. */
static bool count_anew(struct db *db, struct run *r, struct sync_counts *c, struct eb_err *err)
{
    return r->source->notes(r->source_state, db, c, err) && stage_levels(db, &r->levels, err) && stage_state_put_number(db, STATE_UNMATCHED, c->unmatched, err) &&
           stage_news_taken(db, err);
}

static bool count(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    struct sync_counts *c = j->data;
    bool news;

    return stage_news(db, &news, err) &&
           (news ? count_anew(db, r, c, err) : stage_level_count(db, &r->levels, err) && stage_state_number(db, STATE_UNMATCHED, &c->unmatched, err)) &&
           stage_wanted_count(db, STAGE_USER, &c->users, err) && stage_wanted_count(db, STAGE_GROUP, &c->groups, err) && stage_account_count(db, &c->accounts, err) &&
           stage_managers_missing_count(db, &c->missing_managers, err) && stage_notes_count(db, &c->warnings, err);
}

static void counted(struct run_job *j, const struct eb_err *err)
{
    struct sync_counts *c = j->data, *sum = &j->run->counts;

    sum->users = c->users;
    sum->groups = c->groups;
    sum->accounts = c->accounts;
    sum->unmatched = c->unmatched;
    sum->missing_managers = c->missing_managers;
    sum->warnings = c->warnings;
    free(c);
    next(j, err);
}

enum run_flow run_step_notes(struct run *r)
{
    if (r->order.what == SYNC_INIT)
        return RUN_NEXT;
    run_progress(r, "counting", 0, -1);
    run_job(r, count, counted, eb_alloc(sizeof(struct sync_counts)));
    return RUN_WAIT;
}

/* ---- prepare and read_target ---- */

/* Ids of objects mean something in one place only: what was known of another one is forgotten, else foreign objects would be written, or deleted. */
static bool keep_place(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    char *was = NULL;

    if (!stage_state_get(db, STATE_PLACE, &was, err))
        return false;
    bool same = eb_streq(was, r->place);
    free(was);
    r->moved = !same;
    return same || (stage_target_forget_all(db, err) && stage_state_put(db, STATE_TARGET, NULL, err) && stage_state_put(db, STATE_PLACE, r->place, err));
}

static void place_kept(struct run_job *j, const struct eb_err *err)
{
    j->run->target_known = j->run->target_known && !j->run->moved;
    next(j, err);
}

static void prepared(void *ctx, const struct eb_err *err)
{
    struct run *r = ctx;

    if (err != NULL) {
        run_fail(r, err);
        return;
    }
    free(r->place);
    r->place = r->target->place(r->target_state);
    run_job(r, keep_place, place_kept, NULL);
}

enum run_flow run_step_prepare(struct run *r)
{
    struct eb_err err = { 0 };

    run_progress(r, "looking at the target", 0, -1);
    if (!r->target->open(&r->x, &r->target_state, &err)) {
        r->err = err;
        return RUN_FINISH;
    }
    r->target->prepare(r->target_state, r->order.what == SYNC_INIT, prepared, r);
    return RUN_WAIT;
}

static char *made_text(const json_t *made)
{
    struct eb_buf b = EB_BUF(KiB(8));
    size_t i;
    json_t *item;

    json_array_foreach(made, i, item)
        eb_buf_addf(&b, "%s%s", i > 0 ? ", " : "Made: ", json_string_value(item));
    if (json_array_size(made) == 0)
        eb_buf_str(&b, "Everything was there; nothing was changed.");
    return eb_buf_take(&b);
}

static bool keep_target(struct db *db, struct run_job *j, struct eb_err *err)
{
    (void)j;
    return stage_state_put_number(db, STATE_TARGET, 1, err);
}

static void target_read(void *ctx, const struct eb_err *err)
{
    struct run *r = ctx;

    if (err != NULL)
        run_fail(r, err);
    else
        run_job(r, keep_target, next, NULL);
}

/* Each reading has a number of its own, also one that is killed: what the killed one saw does not count as seen by the next. */
static bool begin_target(struct db *db, struct run_job *j, struct eb_err *err)
{
    return stage_state_put(db, STATE_TARGET, NULL, err) && stage_state_put_number(db, STATE_GENERATION, j->run->generation, err);
}

static void target_begun(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;

    if (err != NULL)
        run_fail(r, err);
    else if (!r->ending)
        r->target->read(r->target_state, r->generation, target_read, r);
}

enum run_flow run_step_read_target(struct run *r)
{
    if (r->order.what == SYNC_INIT) {
        r->message = made_text(r->target->made(r->target_state));
        return RUN_FINISH;
    }
    if (r->target_known)
        return RUN_NEXT;
    r->target_known = true;
    r->generation++;
    run_job(r, begin_target, target_begun, NULL);
    return RUN_WAIT;
}

enum run_flow run_step_settle(struct run *r)
{
    return run_settle(r);
}

/* ---- plan ---- */

static const enum stage_kind kinds[] = { STAGE_GROUP, STAGE_USER };

bool run_leaves_out(const struct run *r, enum stage_action action)
{
    const struct config_sync *c = &r->config->sync;

    return (action == STAGE_LEAVE && c->leavers == CONFIG_LEAVERS_KEEP) || (action == STAGE_DELETE && c->leavers != CONFIG_LEAVERS_DELETE);
}

static bool count_plan(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    const struct config_sync *c = &r->config->sync;

    memset(r->planned, 0, sizeof r->planned);
    for (size_t k = 0; k < EB_LEN(kinds); k++) {
        struct guard_count *g = &r->guarded[k];
        *g = (struct guard_count){ .kind = kinds[k] };
        if (!stage_target_count(db, kinds[k], true, &g->active, err) || !stage_wanted_count(db, kinds[k], &g->wanted, err))
            return false;
        for (int a = 0; a < STAGE_ACTIONS; a++) {
            const struct stage_plan p = { kinds[k], (enum stage_action)a, -1, eb_now_ms() - c->delete_after_ms };
            int64_t n = 0;
            if (run_leaves_out(r, p.action))
                continue;
            if (!stage_plan_count(db, &p, &n, err))
                return false;
            r->planned[a] += n;
            g->removals += a == STAGE_LEAVE || a == STAGE_DELETE ? n : 0;
        }
    }
    r->is_first = r->guarded[0].active + r->guarded[1].active == 0;
    return true;
}

static void plan_counted(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    const struct config_sync *c = &r->config->sync;
    char text[600];
    bool preview = r->order.what == SYNC_PREVIEW;
    const struct guard_facts facts = { r->guarded, EB_LEN(r->guarded), r->order.accept_removals, c->guard_percent, c->guard_number, preview };
    const char *held = guard_holds(&facts, text, sizeof text);

    if (err == NULL && (preview || held != NULL)) {
        r->counts.creates = r->planned[STAGE_CREATE];
        r->counts.updates = r->planned[STAGE_UPDATE];
        r->counts.inactivations = r->planned[STAGE_LEAVE];
        r->counts.deletions = r->planned[STAGE_DELETE];
        r->step = run_step_count;       /* nothing is written */
        r->outcome = preview ? NULL : "held";
        r->message = eb_strdup(held);       /* a preview says so beforehand */
        run_go(r);
        return;
    }
    next(j, err);
}

enum run_flow run_step_plan(struct run *r)
{
    run_progress(r, "planning", 0, -1);
    run_job(r, count_plan, plan_counted, NULL);
    return RUN_WAIT;
}

/* ---- load: a mass at once; afterwards the target is read again and the rest is planned anew ---- */

/* One of which only a killed process knew may hold the source for good: what can be done one by one is done. */
static void load_is_busy(struct run *r, const struct eb_err *err)
{
    eb_warn(NULL, "sync run=%lld writes one by one: %s", (long long)r->row.number, err->text);
    run_job(r, keep_target, next, NULL);
}

static void loaded(void *ctx, const struct eb_err *err)
{
    struct run *r = ctx;

    if (err != NULL && err->code == EB_OVERLOADED) {
        load_is_busy(r, err);
        return;
    }
    if (err != NULL) {
        run_fail(r, err);
        return;
    }
    r->counts.creates += r->planned[STAGE_CREATE];
    r->counts.writes += r->planned[STAGE_CREATE];
    r->target_known = false;
    while (run_steps[r->step].run != run_step_read_target)
        r->step--;
    run_go(r);
}

/* What a load that is killed has made stands in no row: the next run has to read it. */
static bool begin_load(struct db *db, struct run_job *j, struct eb_err *err)
{
    (void)j;
    return stage_state_put(db, STATE_TARGET, NULL, err);
}

static void load_begun(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;

    if (err != NULL)
        run_fail(r, err);
    else if (!r->ending)
        r->target->load(r->target_state, loaded, r);
}

enum run_flow run_step_load(struct run *r)
{
    if (r->loaded || r->target->loads == NULL || !r->target->loads(r->target_state, r->planned[STAGE_CREATE]))
        return RUN_NEXT;
    r->loaded = true;
    run_job(r, begin_load, load_begun, NULL);
    return RUN_WAIT;
}

/* ---- doubts: what is still not known at the end is told; the next run looks ---- */

struct doubts { struct run *run; struct { enum stage_kind kind; char *key; } rows[DOUBTS_MOST]; size_t count; };

static bool take_doubt(void *ctx, const struct stage_target *t)
{
    struct doubts *d = ctx;

    d->rows[d->count].kind = t->kind;
    d->rows[d->count++].key = eb_strdup(t->key);
    return d->count < DOUBTS_MOST;
}

static void drop_doubts(struct doubts *d)
{
    while (d->count > 0)
        free(d->rows[--d->count].key);
}

static bool list_doubts(struct db *db, struct run_job *j, struct eb_err *err)
{
    drop_doubts(j->data);
    return stage_target_in_doubt(db, 0, DOUBTS_MOST, take_doubt, j->data, err);
}

static void doubts_listed(struct run_job *j, const struct eb_err *err)
{
    struct doubts *d = j->data;

    for (size_t i = 0; err == NULL && i < d->count; i++)
        run_fault(j->run, "create", d->rows[i].kind, d->rows[i].key, NULL, "Whether it was created is not known: no answer came, and it is not found. The next run looks again.");
    drop_doubts(d);
    free(d);
    next(j, err);
}

enum run_flow run_step_doubts(struct run *r)
{
    run_job(r, list_doubts, doubts_listed, eb_alloc(sizeof(struct doubts)));
    return RUN_WAIT;
}

enum run_flow run_step_apply(struct run *r)
{
    if (r->apply == NULL)
        r->apply = apply_new(r);
    return apply_go(r->apply);
}
