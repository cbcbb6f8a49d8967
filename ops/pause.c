/* pause.c - while writes are paused, whole or by kind, no write leaves for Entra.
 *
 * What has not begun is held (wait.c); what has stands still here before its next write, and goes on by itself, judged anew where that took long.
 * Pauses stand in the store; the command line makes and ends them, and a change of the store by another process has them read anew.
 * Owns: the pauses in force.
 */
#include "ops/wait.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/pause_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS_MAX 64

static struct eb_metric paused = { "entrabridge_paused", "1 while writes of this kind are paused; * is all of them", EB_GAUGE, { "operation" } };

struct pauses { char *kinds[KINDS_MAX], *reasons[KINDS_MAX]; size_t count; };

void pause_free(struct pauses *p)
{
    for (size_t i = 0; p != NULL && i < p->count; i++) {
        free(p->kinds[i]);
        free(p->reasons[i]);
    }
    free(p);
}

/* ---- is it paused? ---- */

static const char *reason_of(const struct pauses *p, const char *kind, bool *ret_on)
{
    for (size_t i = 0; p != NULL && i < p->count; i++)
        if (strcmp(p->kinds[i], PAUSE_ALL) == 0 || eb_streq(p->kinds[i], kind)) {
            *ret_on = true;
            return p->reasons[i];
        }
    *ret_on = false;
    return NULL;
}

bool pause_is_on_kind(const struct ops *o, const char *kind)
{
    bool on;

    reason_of(o->pauses, kind, &on);
    return on;
}

bool pause_is_on(const struct operation *op)
{
    return pause_is_on_kind(op->ops, op->kind->name) || (op->judged_as != NULL && pause_is_on_kind(op->ops, op->judged_as->name));
}

bool pause_holds(struct operation *op)
{
    if (!pause_is_on(op))
        return false;
    if (!op->paused) {
        op->paused = true;
        op->ops->paused++;
        eb_info(op->id, "paused: it stands still before its next write");
        ops_drain_check(op->ops);
    }
    return true;
}

void pause_message(const struct operation *op, char *out, size_t size)
{
    char would[300];
    bool on;
    const char *reason = reason_of(op->ops->pauses, op->kind->name, &on);

    ops_would_make(op, would, sizeof would);
    snprintf(out, size, "Held, and nothing was changed yet: changes are paused%s%.120s. It goes on by itself when they are resumed. It would %.250s",
             reason != NULL ? ": " : "", reason != NULL ? reason : "", would);
}

/* ---- what is in force ---- */

static bool keep(void *ctx, const struct pause *row)
{
    struct pauses *p = ctx;

    p->kinds[p->count] = eb_strdup(row->kind);
    p->reasons[p->count++] = eb_strdup(row->reason);
    return p->count < KINDS_MAX;
}

bool pause_read(struct db *db, struct pauses **ret, struct eb_err *err)
{
    pause_free(*ret);
    *ret = eb_alloc(sizeof **ret);
    return pause_list(db, keep, *ret, err);
}

static bool has(const struct pauses *p, const char *kind)
{
    for (size_t i = 0; p != NULL && i < p->count; i++)
        if (strcmp(p->kinds[i], kind) == 0)
            return true;
    return false;
}

static void tell_changes(const struct pauses *was, const struct pauses *now)
{
    for (size_t i = 0; was != NULL && i < was->count; i++)
        if (!has(now, was->kinds[i])) {
            eb_metric_set(&paused, 0, was->kinds[i], NULL, NULL);
            eb_warn(NULL, "resumed kind=%s: its writes go on", was->kinds[i]);
        }
    for (size_t i = 0; i < now->count; i++)
        if (!has(was, now->kinds[i])) {
            eb_metric_set(&paused, 1, now->kinds[i], NULL, NULL);
            eb_warn(NULL, "paused kind=%s: nothing of it is written until `entrabridge resume`", now->kinds[i]);
        }
}

/* Each on a turn of its own. What kept it was no fault of the service's: its age counts from now on. */
static void wake_all(struct ops *o)
{
    for (struct operation *op = o->by_run; op != NULL; op = op->by_run.next)
        if (op->paused && !pause_is_on(op)) {
            op->paused = false;
            o->paused--;
            ops_begun(op, eb_now_ms());
            ops_retry_in(op, 0);
        }
}

void pause_set(struct ops *o, struct pauses *p)
{
    tell_changes(o->pauses, p);
    pause_free(o->pauses);
    o->pauses = p;
    wake_all(o);
}

struct look_job { struct ops *ops; struct pauses *found; int64_t released; };

static bool look_job(struct db *db, void *arg, struct eb_err *err)
{
    struct look_job *j = arg;

    return waiting_resume(db, eb_now_ms(), &j->released, err) && pause_read(db, &j->found, err);
}

static void looked(void *arg, const struct eb_err *err)
{
    struct look_job *j = arg;

    if (err != NULL) {
        eb_error(NULL, "the pauses cannot be read: %s", err->text);     /* the next change of the store reads them again */
        pause_free(j->found);
    } else
        pause_set(j->ops, j->found);
    if (err == NULL && j->released > 0)
        schedule_wake(j->ops->parts.schedule);
    free(j);
}

/* A write may have waited for its turn, or for quota, since it was handed over. */
static bool may_write(void *ctx, uint64_t run)
{
    const struct operation *op = ops_find(ctx, run);

    return op == NULL || !pause_is_on(op);
}

void pause_register(struct ops *o)
{
    if (o->parts.graph != NULL)
        graph_on_write(o->parts.graph, may_write, o);
}

void pause_look(struct ops *o)
{
    struct look_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    store_submit(o->parts.store, look_job, j, looked);
}
