/* store.c - the database thread.
 *
 * The loop gathers the jobs of a turn and hands them over at its end; the thread takes all that wait, runs them in one transaction,
 * commits, and posts them back in order as one batch. While a commit is on its way to the disk the next group gathers by itself: no
 * timer, and no delay for a lonely job. (Handed over one by one, the jobs of a busy turn made several small commits: a fifth more CPU.)
 * Invariants: a job is reported good only after its commit; a group whose commit failed is reported failed as a whole.
 * The staging file of a synchronization has a thread of the same kind. One found to be damaged is deleted, and every job fails until it is opened again.
 * Shared between the threads: queue, stopping, on_change (under `lock`), and `waiting` (atomic). The connection is the thread's alone.
 */
#include "store/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/driver.h"
#include "store/query.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

enum {
    LOOK_MS = 250,              /* how often another process's changes are looked for, and a failed database is tried again */
    GROUP_MAX = 512,            /* jobs in one transaction: bounds what one failure can take along */
    REOPEN_AFTER = 8            /* failures to mend in a row, before the file is closed and opened anew */
};

#define PATIENCE_MS 10      /* a flush takes about one; two round trips to a cloud far more */

struct job {
    store_fn *fn;
    store_done *done;
    void *arg;
    struct eb_err *err;         /* NULL: good */
    STAILQ_ENTRY(job) link;
};
STAILQ_HEAD(job_list, job);

struct store {
    struct eb_loop *loop;
    struct db *db;
    bool staging;
    bool discarded;             /* the thread's: the staging file is gone */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job_list queue;
    bool stopping;
    void (*closed)(void *arg);  /* set with `stopping`: the thread closes the file itself, and tells */
    void *closed_arg;
    void (*on_change)(void *arg);
    void *on_change_arg;
    atomic_size_t waiting;      /* jobs not yet committed */
    /* the loop's own */
    struct job_list turn;       /* submitted in this turn */
    struct event *turn_ends;    /* active while there are any */
    struct job_list patient;    /* go with the next turn's, or after PATIENCE_MS */
    struct event *patience;
    /* the thread's own */
    bool broken;                /* a commit failed, and none has succeeded since */
    unsigned mends;             /* failures to mend in a row */
    int64_t looked_ms, others_version;
};

static struct eb_metric commit_seconds = { "entrabridge_store_commit_seconds", "Time from the start of a group of jobs to its commit", EB_HISTOGRAM };
static struct eb_metric group_jobs = { "entrabridge_store_jobs_total", "Jobs of the database thread, by result", EB_COUNTER, { "result" } };
static struct eb_metric groups_total = { "entrabridge_store_groups_total", "Transactions of the database thread, by result", EB_COUNTER, { "result" } };

/* On the loop */

/* The batch no longer knows the store, which may be closed by now. */
static void batch_done(void *arg)
{
    struct job_list *batch = arg;
    struct job *j;

    while ((j = STAILQ_FIRST(batch)) != NULL) {
        STAILQ_REMOVE_HEAD(batch, link);
        if (j->done != NULL)
            j->done(j->arg, j->err);
        free(j->err);
        free(j);
    }
    free(batch);
}

/* On the thread */

static void job_fail(struct job *j, const struct eb_err *why)
{
    if (j->err == NULL)
        j->err = eb_alloc(sizeof(*j->err));
    *j->err = *why;
}

static void group_fail(struct job_list *group, const struct eb_err *why)
{
    struct job *j;

    STAILQ_FOREACH(j, group, link)
        job_fail(j, why);
}

enum group_end { GROUP_GOOD, GROUP_LOST, GROUP_AGAIN };

/* What a failed job has changed must go, and only that. Most have changed nothing. Savepoints are what a job's undoing needs, but
 * they cost a third of its time, so that a group runs without, and once more with them should one job turn out to need it. */
static enum group_end job_run(struct db *db, struct job *j, bool savepoints, struct eb_err *lost)
{
    struct eb_err err = { 0 };
    int64_t changes = db_all_changes(db);

    if (savepoints && !db_verb(db, DB_SAVEPOINT, lost))
        return GROUP_LOST;
    bool ok = j->fn(db, j->arg, &err);
    if (!ok)
        job_fail(j, &err);
    if (!db_in_transaction(db)) {       /* the database undid everything: disk full, I/O error, no memory */
        *lost = err;
        if (ok)
            (void)eb_fail(lost, EB_INTERNAL, "A job has ended the transaction of its group.");
        return GROUP_LOST;
    }
    if (!savepoints)
        return ok || db_all_changes(db) == changes ? GROUP_GOOD : GROUP_AGAIN;
    return (ok || db_verb(db, DB_ROLLBACK_TO, lost)) && db_verb(db, DB_RELEASE, lost) ? GROUP_GOOD : GROUP_LOST;
}

static enum group_end group_try(struct db *db, struct job_list *group, bool savepoints, struct eb_err *err)
{
    enum group_end end = GROUP_GOOD;
    struct job *j;

    if (!db_begin(db, err))
        return GROUP_LOST;
    STAILQ_FOREACH(j, group, link)
        if ((end = job_run(db, j, savepoints, err)) != GROUP_GOOD)
            return end;
    return db_commit(db, err) ? GROUP_GOOD : GROUP_LOST;
}

static void group_forget(struct job_list *group)
{
    struct job *j;

    STAILQ_FOREACH(j, group, link) {
        free(j->err);
        j->err = NULL;
    }
}

static bool group_jobs_run(struct db *db, struct job_list *group, struct eb_err *err)
{
    enum group_end end = group_try(db, group, false, err);

    if (end == GROUP_AGAIN) {
        db_rollback(db);
        group_forget(group);
        end = group_try(db, group, true, err);
    }
    return end == GROUP_GOOD;
}

/* After a failed commit the file may hold a complete copy of what was reported as failed, behind the end that this connection
 * knows; a crash would bring it to life. The next commit overwrites it, so one is made as soon as the disk allows. */
static bool mend_commit(struct db *db, struct eb_err *err)
{
    if (db_begin(db, err)) {
        struct db_stmt *s = db_prepare(db, "UPDATE counters SET value = value + 1 WHERE name = 'mend'", err);
        if (s != NULL && db_run(s, NULL, err) && db_commit(db, err))
            return true;
    }
    db_rollback(db);
    return false;
}

static bool mend(struct store *s, struct eb_err *err)
{
    if (s->staging)                     /* a failure was one of those jobs only */
        return true;
    if (mend_commit(s->db, err)) {
        eb_info(NULL, "store_mended after=%u", s->mends);
        s->broken = false;
        s->mends = 0;
        return true;
    }
    if (++s->mends % REOPEN_AFTER == 0 && !db_reopen(s->db, err))
        eb_error(NULL, "store_reopen %s", err->text);
    return false;
}

/* A failure of the database, not of a job: the whole group gets it, as something that can pass. */
static void group_lost(struct store *s, struct job_list *group, struct eb_err *err)
{
    db_rollback(s->db);
    s->broken = true;
    eb_error(NULL, "store_commit_failed code=%s %s", eb_code_text(err->code), err->text);
    err->code = EB_OVERLOADED;
    if (err->retry_after_ms == 0)
        err->retry_after_ms = 5000;
    group_fail(group, err);
}

static void count_group(const struct job_list *group, bool ok, int64_t started_us)
{
    const struct job *j;
    double good = 0, bad = 0;

    STAILQ_FOREACH(j, group, link)
        *(j->err == NULL ? &good : &bad) += 1;
    if (good > 0)
        eb_metric_add(&group_jobs, good, "ok", NULL, NULL);
    if (bad > 0)
        eb_metric_add(&group_jobs, bad, "failed", NULL, NULL);
    eb_metric_add(&groups_total, 1, ok ? "ok" : "failed", NULL, NULL);
    eb_metric_observe(&commit_seconds, (double)(eb_mono_us() - started_us) / 1e6, NULL, NULL, NULL);
}

/* What a damaged staging file has taken or given in this group is worth nothing. */
static bool group_sound(struct store *s, struct eb_err *err)
{
    if (!s->staging || s->discarded || !db_damaged(s->db))
        return true;
    eb_warn(NULL, "stage_discard reason=damaged");
    s->discarded = true;
    db_rollback(s->db);
    db_discard(s->db);
    return db_begin(s->db, err);        /* says why it cannot */
}

static void group_run(struct store *s, struct job_list *group, size_t count)
{
    struct job_list *batch = eb_alloc(sizeof(*batch));
    struct eb_err err = { 0 };
    int64_t started_us = eb_mono_us();
    bool ok = (!s->broken || mend(s, &err)) && group_jobs_run(s->db, group, &err);

    ok = group_sound(s, &err) && ok;
    if (!ok)
        group_lost(s, group, &err);
    count_group(group, ok, started_us);
    atomic_fetch_sub(&s->waiting, count);
    STAILQ_INIT(batch);
    STAILQ_CONCAT(batch, group);
    eb_loop_post(s->loop, batch_done, batch);
}

/* Every LOOK_MS: mends, and tells when another process has committed. */
static void look_around(struct store *s)
{
    struct eb_err err = { 0 };
    int64_t version, now_ms = eb_mono_ms();
    void (*on_change)(void *);
    void *arg;

    if (s->staging || now_ms - s->looked_ms < LOOK_MS)
        return;
    s->looked_ms = now_ms;
    if ((s->broken && !mend(s, &err)) || !db_others_version(s->db, &version, &err))
        return;
    pthread_mutex_lock(&s->lock);
    on_change = s->on_change;
    arg = s->on_change_arg;
    pthread_mutex_unlock(&s->lock);
    if (version != s->others_version && on_change != NULL)
        eb_loop_post(s->loop, on_change, arg);
    s->others_version = version;
}

/* Waits for work, LOOK_MS at most. Returns how many jobs were taken; *ret_stop: none will come any more. */
static size_t take_group(struct store *s, struct job_list *group, bool *ret_stop)
{
    struct timespec until;
    size_t n = 0;
    struct job *j;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->lock);
    while (STAILQ_EMPTY(&s->queue) && !s->stopping && pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
        ;
    while (n < GROUP_MAX && (j = STAILQ_FIRST(&s->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&s->queue, link);
        STAILQ_INSERT_TAIL(group, j, link);
        n++;
    }
    *ret_stop = s->stopping && STAILQ_EMPTY(&s->queue);
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* On the loop: the thread has let go of everything. */
static void closed(void *arg)
{
    struct store *s = arg;
    void (*fn)(void *) = s->closed;
    void *fn_arg = s->closed_arg;

    store_close(s);
    fn(fn_arg);
}

static void *thread_main(void *arg)
{
    struct store *s = arg;
    bool stop = false;

    while (!stop) {
        struct job_list group = STAILQ_HEAD_INITIALIZER(group);
        size_t n = take_group(s, &group, &stop);
        if (n > 0)
            group_run(s, &group, n);
        look_around(s);
    }
    if (s->closed != NULL) {            /* a checkpoint may take its time, which the loop does not have */
        db_close(s->db);
        s->db = NULL;
        eb_loop_post(s->loop, closed, s);
    }
    return NULL;
}

/* From the loop */

static void hand_over(evutil_socket_t fd, short what, void *arg)
{
    struct store *s = arg;

    (void)fd;
    (void)what;
    event_del(s->patience);
    pthread_mutex_lock(&s->lock);
    STAILQ_CONCAT(&s->queue, &s->patient);
    STAILQ_CONCAT(&s->queue, &s->turn);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static bool start_thread(struct store *s, struct eb_err *err)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    int rc = pthread_create(&s->thread, NULL, thread_main, s);
    if (rc == 0) {
        pthread_setname_np(s->thread, s->staging ? "stage" : "store");
        return true;
    }
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    return eb_fail(err, EB_INTERNAL, "The database thread cannot be started: %s", strerror(rc));
}

static bool open_database(const char *location, const char *directory, enum db_open_mode mode, struct db **ret, struct eb_err *err)
{
    if (!(mode == DB_STAGE ? db_open_staging(location, ret, err) : db_open(location, mode, ret, err)))
        return false;
    if (directory == NULL || db_follow(*ret, directory, mode, err))
        return true;
    db_close(*ret);
    return false;
}

static bool open_store(const char *location, const char *directory, enum db_open_mode mode, struct eb_loop *loop, struct store **ret, struct eb_err *err)
{
    struct store *s = eb_alloc(sizeof(*s));

    s->loop = loop;
    s->staging = mode == DB_STAGE;
    STAILQ_INIT(&s->queue);
    STAILQ_INIT(&s->turn);
    STAILQ_INIT(&s->patient);
    s->turn_ends = event_new(eb_loop_base(loop), -1, 0, hand_over, s);
    s->patience = event_new(eb_loop_base(loop), -1, 0, hand_over, s);
    if (s->turn_ends == NULL || s->patience == NULL)
        eb_no_memory();
    atomic_init(&s->waiting, 0);
    if (open_database(location, directory, mode, &s->db, err)) {
        s->looked_ms = eb_mono_ms();
        if (db_others_version(s->db, &s->others_version, err) && start_thread(s, err)) {
            *ret = s;
            return true;
        }
        db_close(s->db);
    }
    event_free(s->turn_ends);
    event_free(s->patience);
    free(s);
    return false;
}

void store_close_later(struct store *s, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->lock);
    s->closed = fn;
    s->closed_arg = arg;
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

bool store_open(const char *url, struct eb_loop *loop, struct store **ret, struct eb_err *err)
{
    return open_store(url, NULL, DB_SERVE, loop, ret, err);
}

bool store_open_followed(const char *url, const char *directory, struct eb_loop *loop, struct store **ret, struct eb_err *err)
{
    return open_store(url, directory, DB_SERVE, loop, ret, err);
}

bool store_open_beside(const char *url, const char *directory, struct eb_loop *loop, struct store **ret, struct eb_err *err)
{
    return open_store(url, directory, DB_TOOL, loop, ret, err);
}

bool store_open_stage(const char *path, struct eb_loop *loop, struct store **ret, struct eb_err *err)
{
    return open_store(path, NULL, DB_STAGE, loop, ret, err);
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    event_free(s->turn_ends);
    event_free(s->patience);
    pthread_mutex_lock(&s->lock);
    STAILQ_CONCAT(&s->queue, &s->patient);
    STAILQ_CONCAT(&s->queue, &s->turn);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    db_close(s->db);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct job *job_new(struct store *s, store_fn *fn, void *arg, store_done *done)
{
    struct job *j = eb_alloc(sizeof(*j));

    *j = (struct job){ .fn = fn, .done = done, .arg = arg };
    atomic_fetch_add(&s->waiting, 1);
    return j;
}

void store_submit_patient(struct store *s, store_fn *fn, void *arg, store_done *done)
{
    static const struct timeval patience = { .tv_usec = PATIENCE_MS * 1000 };

    struct job *j = job_new(s, fn, arg, done);

    if (STAILQ_EMPTY(&s->patient))
        event_add(s->patience, &patience);
    STAILQ_INSERT_TAIL(&s->patient, j, link);
}

void store_hurry(struct store *s)
{
    if (!STAILQ_EMPTY(&s->patient))
        event_active(s->turn_ends, EV_TIMEOUT, 0);
}

void store_submit(struct store *s, store_fn *fn, void *arg, store_done *done)
{
    struct job *j = job_new(s, fn, arg, done);

    if (STAILQ_EMPTY(&s->turn))
        event_active(s->turn_ends, EV_TIMEOUT, 0);      /* runs behind what is active now, before the loop sleeps */
    STAILQ_INSERT_TAIL(&s->turn, j, link);
}

size_t store_queue_length(const struct store *s)
{
    return atomic_load(&s->waiting);
}

void store_on_change(struct store *s, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->lock);
    s->on_change = fn;
    s->on_change_arg = arg;
    pthread_mutex_unlock(&s->lock);
}
