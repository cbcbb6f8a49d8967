/* run.c - a run from its beginning to its end: the staging file opened and locked, the row in the history, the steps, the end of the row.
 *
 * Invariants: the row is on disk before anything is read or written; the mark that writes may be under way is closed only after the staging file, which closes with everything
 * on disk. A run that fails leaves the staging file as it is: the next one goes on from there.
 * Owns: everything in struct run. Source and target are closed before the staging file.
 */
#include "sync/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_MS 500
#define DRAIN_MS 5000                   /* at a stop, for answers to what was sent; what has none by then is in doubt */

/* ---- jobs ---- */

static bool job_work(struct db *db, void *arg, struct eb_err *err)
{
    struct run_job *j = arg;

    return j->work(db, j, err);
}

static void finish_when_quiet(struct run *r);

static void job_done(void *arg, const struct eb_err *err)
{
    struct run_job *j = arg;
    struct run *r = j->run;

    LIST_REMOVE(j, link);
    r->staged -= j->staged;
    j->then(j, err);
    free(j);
    if (r->ending)
        finish_when_quiet(r);
}

static struct run_job *job_new(struct run *r, bool (*work)(struct db *, struct run_job *, struct eb_err *), void (*then)(struct run_job *, const struct eb_err *), void *data)
{
    struct run_job *j = eb_alloc(sizeof *j);

    j->run = r;
    j->work = work;
    j->then = then;
    j->data = data;
    LIST_INSERT_HEAD(&r->jobs, j, link);
    return j;
}

struct run_job *run_job(struct run *r, bool (*work)(struct db *, struct run_job *, struct eb_err *), void (*then)(struct run_job *, const struct eb_err *), void *data)
{
    struct run_job *j = job_new(r, work, then, data);

    j->staged = true;
    r->staged++;
    store_submit(r->stage, job_work, j, job_done);
    return j;
}

/* In the history's store. */
static void history_job(struct run *r, bool (*work)(struct db *, struct run_job *, struct eb_err *), void (*then)(struct run_job *, const struct eb_err *), void *data)
{
    store_submit(sync_store(r->sync), job_work, job_new(r, work, then, data), job_done);
}

/* ---- progress and faults ---- */

static bool put_progress(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct sync_run *row = j->data;

    return sync_run_progress(db, row, err);
}

static void progress_put(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;

    if (err != NULL)
        eb_warn(NULL, "sync run=%lld its progress cannot be kept: %s", (long long)r->row.number, err->text);
    sync_run_clear(j->data);
    free(j->data);
    r->telling = false;
    if (r->told_anew && !r->ending)
        eb_timer_set(r->tell, TELL_MS);
}

static const char *const kinds[] = { [SYNC_RUN] = "delta", [SYNC_PREVIEW] = "preview", [SYNC_INIT] = "init" };

/* A run of changes turns into a full one where the source cannot tell changes. */
static const char *kind_of(const struct run *r)
{
    return r->order.what == SYNC_RUN && (r->read_all || r->order.full) ? "full" : kinds[r->order.what];
}

/* The job has a copy: the run goes on counting meanwhile. */
static struct sync_run *row_now(const struct run *r)
{
    struct sync_run *row = eb_alloc(sizeof *row);

    *row = r->row;
    row->kind = eb_strdup(kind_of(r));
    row->trigger = eb_strdup(r->row.trigger);
    row->phase = eb_strdup(r->row.phase);
    row->counts = sync_counts_text(&r->counts);
    row->calls = sync_calls_text(&r->counts);
    row->outcome = row->message = NULL;
    row->throttled_ms = r->counts.throttled_ms;
    row->updated_ms = eb_now_ms();
    return row;
}

static void tell(void *arg)
{
    struct run *r = arg;

    if (!r->told_anew || r->telling || r->ending)
        return;
    r->told_anew = false;
    r->telling = true;
    history_job(r, put_progress, progress_put, row_now(r));
}

void run_progress(void *run, const char *phase, int64_t done, int64_t total)
{
    struct run *r = run;

    if (!eb_streq(r->row.phase, phase)) {
        eb_info(NULL, "sync run=%lld phase=\"%s\"", (long long)r->row.number, phase);
        free(r->row.phase);
        r->row.phase = eb_strdup(phase);
    }
    r->row.done = done;
    r->row.total = total;
    if (!r->told_anew && !r->telling && !r->ending)
        eb_timer_set(r->tell, TELL_MS);
    r->told_anew = true;
}

struct kept_fault { struct sync_fault f; char *action, *kind, *key, *label, *text; };

static bool put_fault(struct db *db, struct run_job *j, struct eb_err *err)
{
    const struct kept_fault *k = j->data;

    return sync_fault_put(db, j->run->row.number, &k->f, err);
}

static void fault_put(struct run_job *j, const struct eb_err *err)
{
    struct kept_fault *k = j->data;

    if (err != NULL)
        eb_warn(NULL, "sync run=%lld a fault cannot be kept: %s", (long long)j->run->row.number, err->text);
    free(k->action);
    free(k->kind);
    free(k->key);
    free(k->label);
    free(k->text);
    free(k);
}

void run_fault(void *run, const char *action, enum stage_kind kind, const char *key, const char *label, const char *text)
{
    struct run *r = run;
    struct kept_fault *k = eb_alloc(sizeof *k);

    r->counts.errors++;
    if (r->counts.errors <= 20)
        eb_warn(NULL, "sync run=%lld action=%s kind=%s object=%s failed: %s", (long long)r->row.number, action, sync_kind_name(kind), key != NULL ? key : "-", text);
    k->f = (struct sync_fault){ k->action = eb_strdup(action), k->kind = eb_strdup(sync_kind_name(kind)), k->key = eb_strdup(key != NULL ? key : ""),
                                k->label = eb_strdup(label != NULL ? label : ""), k->text = eb_strdup(text) };
    history_job(r, put_fault, fault_put, k);
}

/* ---- the steps ---- */

static void end(struct run *r);

void run_go(struct run *r)
{
    enum run_flow flow = RUN_NEXT;

    r->waits = false;
    while (!r->ending && r->err.code == EB_OK && !r->stopping && r->step < run_step_count) {
        eb_debug(NULL, "sync run=%lld step=%s", (long long)r->row.number, run_steps[r->step].name);
        flow = run_steps[r->step].run(r);
        if (flow == RUN_WAIT) {
            r->waits = true;
            return;
        }
        if (flow == RUN_FINISH)
            break;
        r->step++;
    }
    end(r);
}

void run_fail(struct run *r, const struct eb_err *err)
{
    if (r->err.code == EB_OK)
        r->err = *err;
    run_go(r);
}

static void on_later(void *arg)
{
    run_go(arg);
}

void run_pause(struct run *r, int64_t ms)
{
    eb_timer_set(r->later, ms);
}

void run_stop(struct run *r)
{
    r->stopping = true;
    if (r->apply != NULL && apply_drains(r->apply))
        run_pause(r, DRAIN_MS);
    else if (r->waits)
        end(r);
}

/* ---- the end ---- */

/* The source last: a job of ours that judges its records uses it. While it reads there is none, so that what it asked for is broken off at once. */
static void close_clouds(struct run *r)
{
    apply_free(r->apply);
    r->apply = NULL;
    run_settle_free(r);
    if (r->target_state != NULL)
        r->target->close(r->target_state);
    r->target_state = NULL;
    if (r->source_state != NULL && r->staged == 0) {
        r->source->close(r->source_state);
        r->source_state = NULL;
    }
}

static void end(struct run *r)
{
    if (r->ending)
        return;
    r->ending = true;
    eb_timer_stop(r->later);
    eb_timer_stop(r->tell);
    close_clouds(r);
    finish_when_quiet(r);
}

static const char *outcome_of(const struct run *r)
{
    if (r->err.code != EB_OK)
        return "failed";
    if (r->stopping)
        return "stopped";
    if (r->outcome != NULL)
        return r->outcome;
    return r->counts.errors > 0 ? "partial" : "succeeded";
}

static char *message_of(const struct run *r, const char *outcome)
{
    const struct sync_counts *c = &r->counts;

    if (r->err.code != EB_OK)
        return eb_strdup(r->err.text);
    if (r->message != NULL)
        return eb_strdup(r->message);
    if (r->stopping)
        return eb_strdup("The program was stopped; the next run goes on from here.");
    if (r->order.what == SYNC_PREVIEW)
        return eb_strdup("Nothing was written.");
    return eb_asprintf("%lld created, %lld updated, %lld made inactive, %lld deleted%s.", (long long)c->creates, (long long)c->updates, (long long)c->inactivations, (long long)c->deletions,
                       strcmp(outcome, "partial") == 0 ? "; some objects failed" : "");
}

static bool put_end(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct sync_run *row = j->data;

    return sync_run_end(db, row, err) && sync_mark_close(db, err) && sync_forget(db, row->ended_ms - j->run->config->sync.keep_history_ms, err);
}

static void end_put(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;
    struct sync_run *row = j->data;

    if (err != NULL)
        eb_error(NULL, "sync run=%lld its end cannot be kept: %s", (long long)r->row.number, err->text);
    eb_info(NULL, "sync run=%lld kind=%s outcome=%s ms=%lld creates=%lld updates=%lld inactivations=%lld deletions=%lld errors=%lld graph_calls=%lld jira_calls=%lld assets_calls=%lld writes=%lld: %s",
            (long long)row->number, row->kind, row->outcome, (long long)(eb_mono_ms() - r->begun_mono_ms), (long long)r->counts.creates, (long long)r->counts.updates,
            (long long)r->counts.inactivations, (long long)r->counts.deletions, (long long)r->counts.errors, (long long)r->counts.graph_calls, (long long)r->counts.jira_calls,
            (long long)r->counts.assets_calls, (long long)r->counts.writes, row->message);
    sync_run_clear(&r->row);
    r->row = *row;                      /* with its end, for who is told */
    free(row);
    r->ended = true;
}

static void put_row_end(struct run *r)
{
    struct sync_run *row = row_now(r);
    const char *outcome = outcome_of(r);

    row->outcome = eb_strdup(outcome);
    row->message = message_of(r, outcome);
    row->ended_ms = eb_now_ms();
    history_job(r, put_end, end_put, row);
}

/* The row's end, and with it the mark, only now that everything of the staging file is on disk. */
static void stage_closed(void *arg)
{
    struct run *r = arg;

    r->stage = NULL;
    if (r->row.number > 0)
        put_row_end(r);
    else
        sync_run_over(r->sync, r);
}

/* While the run ends, after each job: first the staging file, then the row, then the run itself. */
static void finish_when_quiet(struct run *r)
{
    if (!LIST_EMPTY(&r->jobs))
        return;
    close_clouds(r);
    if (r->ended) {
        sync_run_over(r->sync, r);
    } else if (!r->closing) {
        r->closing = true;
        store_close_later(r->stage, stage_closed, r);
    }
}

/* ---- the beginning ---- */

/* Another one after each start of the machine; "" where the kernel does not tell it, which counts as the same. */
static void boot_id(char out[64])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, 63) : 0;

    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

static bool put_begin(struct db *db, struct run_job *j, struct eb_err *err)
{
    struct run *r = j->run;
    char boot[64], *was = NULL;
    int64_t number = 0;

    boot_id(boot);
    bool ok = sync_run_begin(db, &r->row, &number, err) && sync_mark_get(db, &was, err) && sync_mark_open(db, boot, err);
    if (ok) {
        r->power_lost = was != NULL && strcmp(was, boot) != 0;
        r->row.number = number;
    }
    free(was);
    return ok;
}

static void begin_put(struct run_job *j, const struct eb_err *err)
{
    struct run *r = j->run;

    if (err != NULL) {
        r->row.number = 0;
        r->begun(r->ctx, 0, err);
        r->ended_fn = NULL;
        end(r);
        return;
    }
    eb_info(NULL, "sync run=%lld what=%s trigger=\"%s\"", (long long)r->row.number, kinds[r->order.what], r->row.trigger);
    if (r->begun != NULL)
        r->begun(r->ctx, r->row.number, NULL);
    run_go(r);
}

static struct run *run_new(struct sync *s, const struct sync_order *o, struct config *c)
{
    const struct sync_parts *p = sync_parts(s);
    struct run *r = eb_alloc(sizeof *r);

    r->sync = s;
    r->order = *o;
    r->by = eb_strdup(o->by);
    r->order.by = r->by;
    r->config = config_ref(c);
    r->schema = sync_schema_new(&c->sync);
    r->source = &sync_source_entra;
    r->target = &sync_target_assets;
    LIST_INIT(&r->jobs);
    r->later = eb_timer_new(p->loop, on_later, r);
    r->tell = eb_timer_new(p->loop, tell, r);
    r->begun_mono_ms = eb_mono_ms();
    r->row = (struct sync_run){ .kind = eb_strdup(kind_of(r)), .trigger = o->by != NULL ? eb_asprintf("hand: %s", o->by) : eb_strdup("schedule"),
                                .phase = eb_strdup("starting"), .total = -1, .started_ms = eb_now_ms(), .updated_ms = eb_now_ms(),
                                .counts = eb_strdup("{}"), .calls = eb_strdup("{}") };
    r->x = (struct sync_context){ p->loop, NULL, p->graph, p->jira, p->assets, c, r->schema, &r->counts, run_progress, run_fault, r };
    return r;
}

struct run *run_begin(struct sync *s, const struct sync_order *o, struct config *c, sync_begun *begun, sync_ended *ended, void *ctx)
{
    struct run *r = run_new(s, o, c);
    char *path = sync_stage_path(c);
    struct eb_err err = { 0 };
    bool ok = store_open_stage(path, r->x.loop, &r->stage, &err);

    free(path);
    if (!ok) {
        run_free(r);
        begun(ctx, 0, &err);
        return NULL;
    }
    r->x.stage = r->stage;
    r->begun = begun;
    r->ended_fn = ended;
    r->ctx = ctx;
    history_job(r, put_begin, begin_put, NULL);
    return r;
}

void run_free(struct run *r)
{
    struct run_job *j;

    if (r == NULL)
        return;
    r->ending = true;
    close_clouds(r);
    if (r->stage != NULL)
        store_close(r->stage);
    while ((j = LIST_FIRST(&r->jobs)) != NULL) {        /* at the end of the program only: nobody is told */
        LIST_REMOVE(j, link);
        free(j);
    }
    r->staged = 0;
    close_clouds(r);
    eb_timer_free(r->later);
    eb_timer_free(r->tell);
    sync_run_clear(&r->row);
    sync_schema_free(r->schema);
    config_unref(r->config);
    free(r->message);
    free(r->place);
    free(r->by);
    free(r);
}
