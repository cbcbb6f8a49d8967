/* expiry_end.c - ends of memberships that are due, and their announcement before.
 *
 * An end needs no further permission, and only protection stops it. It is an operation made from the row, once for each end: its origin says so.
 * A row stays until the membership has ended, so that whatever keeps it from ending is tried again; after each try `stopped` tells why it did not.
 * Invariant: of an end that was moved or cancelled nothing is written: the row is read again in the transaction that would put the write's row.
 * Owns: what schedule/ has handed out and waits until operations are taken (ops->ends).
 */
#include "ops/expiry.h"
#include "ops/wait.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/membership.h"
#include "store/outbox.h"
#include "store/timer_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 16                      /* ends under way: where masses are due, others go on beside them */
#define AGAIN_FAILED_MS (5 * 60000LL)
#define AGAIN_STOPPED_MS (24 * 3600000LL)
#define WAIT_READY_MS 2000
#define GONE_FOR_GOOD_MS (31 * AGAIN_STOPPED_MS)    /* a deleted user or group comes back with its memberships for 30 days */

static struct eb_metric stopped = { "entrabridge_membership_ends_stopped_total", "Ends of memberships that were due and could not be brought about", EB_COUNTER, { NULL } };

struct end_job {
    struct ops *ops;
    char *object;
    struct membership m;
    bool found;
    struct eb_timer *timer;             /* NULL: it never had to wait */
    LIST_ENTRY(end_job) link;           /* in ops->ends */
};

static bool read_job(struct db *db, void *arg, struct eb_err *err)
{
    struct end_job *j = arg;

    membership_clear(&j->m);
    j->found = membership_get(db, j->object, &j->m, err);
    if (j->found || err->code != EB_NOT_THERE)
        return j->found;
    *err = (struct eb_err){ 0 };
    return true;
}

static struct end_job *job_new(struct ops *o, const char *object)
{
    struct end_job *j = eb_alloc(sizeof *j);

    j->ops = o;
    j->object = eb_strdup(object);
    LIST_INSERT_HEAD(&o->ends, j, link);
    return j;
}

static void job_free(struct end_job *j)
{
    LIST_REMOVE(j, link);
    eb_timer_free(j->timer);
    membership_clear(&j->m);
    free(j->object);
    free(j);
}

void expiry_free(struct ops *o)
{
    while (!LIST_EMPTY(&o->ends))
        job_free(LIST_FIRST(&o->ends));
}

static void give_back(struct ops *o, const char *kind, const char *object, int64_t next_ms)
{
    schedule_done(o->parts.schedule, kind, object, next_ms);
}

/* ---- the end ---- */

static json_t *end_request(const struct membership *m)
{
    char when[EB_TIME_LEN];
    char *reason = eb_asprintf("The membership was given until %s.", expiry_time(m->ends_ms, when));
    json_t *body = json_pack("{s:s, s:s, s:s}", "user", m->user_id, "group", m->group_id, "reason", reason);

    if (m->issue_key != NULL)
        json_object_set_new(body, "issue", json_string(m->issue_key));
    free(reason);
    return body;
}

static bool begin_end(struct ops *o, const struct membership *m)
{
    const struct ops_kind *kind = ops_kind_find("group.remove_member");
    EB_AUTO(json_t, json_decref) body = end_request(m);
    struct ops_fields fields = { 0 };
    struct eb_err err = { 0 };

    if (!ops_fields_read(kind, body, &fields, &err)) {
        eb_error(NULL, "the end of membership %s cannot be made: %s", m->object, err.text);
        return false;
    }
    struct operation *op = ops_accept(o, kind, &fields, NULL, 0, NULL);
    op->ends_member = true;
    op->token_name = eb_strdup("entrabridge");
    op->origin = eb_asprintf(EXPIRY_ORIGIN "%s:%lld", m->operation, (long long)m->ends_ms);
    op->comment_issue = eb_strdup(m->issue_id);
    op->comment_key = eb_strdup(m->issue_key);
    op->stopped_before = eb_strdup(m->stopped);
    op->handed_out = eb_strdup(m->object);
    ops_begin(op, NULL);
    return true;
}

static void end_read(void *arg, const struct eb_err *err);

static void read_again(void *arg)
{
    struct end_job *j = arg;

    store_submit(j->ops->parts.store, read_job, j, end_read);
}

static void wait_for(struct end_job *j, int64_t ms)
{
    if (j->timer == NULL)
        j->timer = eb_timer_new(j->ops->parts.loop, read_again, j);
    eb_timer_set(j->timer, ms);
}

static void end_read(void *arg, const struct eb_err *err)
{
    struct end_job *j = arg;
    struct ops *o = j->ops;

    if (err != NULL || (j->found && (!ops_ready(o, NULL) || pause_is_on_kind(o, "group.remove_member")))) {
        wait_for(j, WAIT_READY_MS);
        return;
    }
    if (!j->found)
        give_back(o, MEMBERSHIP_END, j->object, 0);
    else if (j->m.ends_ms > eb_now_ms())                /* moved meanwhile */
        give_back(o, MEMBERSHIP_END, j->object, j->m.ends_ms);
    else if (!begin_end(o, &j->m))
        give_back(o, MEMBERSHIP_END, j->object, eb_now_ms() + AGAIN_STOPPED_MS);
    job_free(j);
}

static void end_due(void *ctx, const char *object, int64_t due_ms)
{
    struct ops *o = ctx;

    store_submit(o->parts.store, read_job, job_new(o, object), end_read);
}

/* Due again soon, unless the operation's conclusion has removed the timer or put it anew. A service that stops leaves it due. */
void expiry_give_back(struct operation *op)
{
    if (op->handed_out != NULL && !op->ops->draining)
        give_back(op->ops, MEMBERSHIP_END, op->handed_out, eb_now_ms() + AGAIN_FAILED_MS);
    free(op->handed_out);
}

/* ---- what came of it ---- */

static bool passes_by_itself(enum eb_code code)
{
    static const enum eb_code codes[] = { EB_ENTRA_UNAVAILABLE, EB_JIRA_UNAVAILABLE, EB_OVERLOADED, EB_STARTING, EB_SHUTTING_DOWN, EB_RATE_LIMITED };

    for (size_t i = 0; i < EB_LEN(codes); i++)
        if (codes[i] == code)
            return true;
    return false;
}

static bool is_gone(enum eb_code code)
{
    return code == EB_USER_NOT_FOUND || code == EB_GROUP_NOT_FOUND;
}

static bool came_to_nothing(const struct operation *op)
{
    return op->ends_member && op->err.code != EB_OK;
}

/* Moved or cancelled, or tried again soon. */
static bool is_no_news(const struct operation *op)
{
    return strcmp(op->outcome, "cancelled") == 0 || (strcmp(op->outcome, "unknown") != 0 && passes_by_itself(op->err.code));
}

/* What was told before is not told again each day. */
bool expiry_is_quiet(const struct operation *op)
{
    return came_to_nothing(op) && (is_no_news(op) || eb_streq(op->stopped_before, op->err.text));
}

bool expiry_stopped(struct db *db, const struct operation *op, int64_t now_ms, struct eb_err *err)
{
    char object[OPS_OBJECT_MAX];
    struct membership m = { 0 };
    struct eb_err e = { 0 };

    if (!came_to_nothing(op) || is_no_news(op) || op->fields.user == NULL || op->fields.group == NULL)
        return true;
    snprintf(object, sizeof object, "member:%s:%s", op->fields.group, op->fields.user);
    if (!membership_get(db, object, &m, &e)) {
        *err = e;
        return e.code == EB_NOT_THERE;
    }
    bool over = is_gone(op->err.code) && now_ms - m.ends_ms > GONE_FOR_GOOD_MS;
    membership_clear(&m);
    return over ? membership_remove(db, object, err)
                : membership_stopped(db, object, op->err.text, err) && timer_put(db, MEMBERSHIP_END, object, now_ms + AGAIN_STOPPED_MS, err);
}

void expiry_alert(const struct operation *op)
{
    if (!came_to_nothing(op) || is_no_news(op) || is_gone(op->err.code))
        return;
    eb_metric_add(&stopped, 1, NULL, NULL, NULL);
    eb_error(op->id, "a membership that was to end has not ended, somebody must look: %s", op->err.text);
}

/* ---- the announcement ---- */

static char *announcement(const struct membership *m)
{
    char when[EB_TIME_LEN], user[260], group[260];
    struct eb_buf b = EB_BUF(KiB(8));
    char *text = eb_asprintf("The membership of %s in %s ends at %s. To extend it, have it asked for again with a later end.",
                             eb_text_clean(m->user_name != NULL ? m->user_name : m->user_id, user, sizeof user),
                             eb_text_clean(m->group_name != NULL ? m->group_name : m->group_id, group, sizeof group), expiry_time(m->ends_ms, when));

    eb_buf_str(&b, "{\"type\":\"doc\",\"version\":1,\"content\":[{\"type\":\"panel\",\"attrs\":{\"panelType\":\"note\"},\"content\":["
                   "{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":");
    if (!eb_json_quote(&b, text))
        b.failed = true;
    eb_buf_str(&b, "}]}]}]}");
    free(text);
    return eb_buf_take(&b);
}

/* One that comes after the end, for the service was down, announces nothing. */
static bool warn_job(struct db *db, void *arg, struct eb_err *err)
{
    struct end_job *j = arg;
    int64_t now_ms = eb_now_ms();

    if (!read_job(db, j, err))
        return false;
    if (!j->found || j->m.warn_ms == 0 || j->m.warn_ms > now_ms || j->m.issue_id == NULL || j->m.ends_ms <= now_ms)
        return true;
    char *adf = announcement(&j->m);
    bool ok = adf != NULL && outbox_put(db, j->m.operation, j->m.issue_id, "ending", adf, now_ms, now_ms, NULL, err) &&
              membership_warned(db, j->object, err);
    free(adf);
    return ok;
}

static void warned(void *arg, const struct eb_err *err)
{
    struct end_job *j = arg;

    give_back(j->ops, MEMBERSHIP_WARN, j->object, err != NULL ? eb_now_ms() + 10000 : 0);
    if (err == NULL && j->found)
        poster_wake(j->ops->poster);
    job_free(j);
}

static void warn_due(void *ctx, const char *object, int64_t due_ms)
{
    struct ops *o = ctx;

    store_submit(o->parts.store, warn_job, job_new(o, object), warned);
}

void expiry_register(struct ops *o)
{
    LIST_INIT(&o->ends);
    schedule_register(o->parts.schedule, MEMBERSHIP_END, end_due, o);
    schedule_register(o->parts.schedule, MEMBERSHIP_WARN, warn_due, o);
    schedule_limit(o->parts.schedule, MEMBERSHIP_END, AT_ONCE);
    schedule_limit(o->parts.schedule, MEMBERSHIP_WARN, AT_ONCE);
}
