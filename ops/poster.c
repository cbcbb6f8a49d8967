/* poster.c - brings the outbox to Jira: one post at a time for an issue, a few at once in all, effectively once each.
 *
 * A row is leased (tries + 1, doubt, due again when a lost post cannot land any more) before its post leaves. After a doubt, our own comment with the
 * operation's id is looked for first. A Jira that fails never holds back an operation: rows wait in the table, not in memory.
 * Owns: the posts under way.
 */
#include "ops/runner.h"
#include "base/metrics.h"
#include "base/text.h"
#include "store/outbox.h"

#include <stdlib.h>
#include <string.h>

/* Under way at once. What comes beyond waits in the table and is read back from it, which costs more; some of Jira's calls stay free for reads. */
#define POSTS_MAX 48
#define LOAD_MAX 128                    /* rows read at once */
#define LOOK_EVERY_MS 30000
#define GIVE_UP_MS (24LL * 3600 * 1000) /* and not before so many tries: the clock may have stepped */
#define GIVE_UP_TRIES 50

static struct eb_metric rows = { "entrabridge_outbox_rows", "Comments and properties that wait, or were given up", EB_GAUGE, { "state" } };
static struct eb_metric posts = { "entrabridge_outbox_posts_total", "Tries to post a comment or a property", EB_COUNTER, { "result" } };

struct post {
    int64_t number;                     /* the row's, and the id in completions */
    struct poster *poster;
    char operation[EB_ID_LEN], issue[64], kind[12];
    char *payload;                      /* JSON: the ADF document, or the property's value */
    int tries;
    bool doubt;                         /* an earlier try may have posted it */
    int64_t created_ms;
    UT_hash_handle hh;
};
struct busy_issue { char issue[64]; UT_hash_handle hh; };

struct poster {
    struct ops *ops;
    struct post *posts;
    struct busy_issue *busy;
    unsigned reserved;
    bool started, loading, again;
    struct eb_timer *timer;
};

static void load(void *arg);

bool poster_new(struct ops *o, struct poster **ret, struct eb_err *err)
{
    struct poster *p = eb_alloc(sizeof *p);

    p->ops = o;
    p->timer = eb_timer_new(o->parts.loop, load, p);
    *ret = p;
    return true;
}

static void post_free(struct post *t)
{
    free(t->payload);
    free(t);
}

void poster_free(struct poster *p)
{
    struct post *t, *tn;
    struct busy_issue *b, *bn;

    if (p == NULL)
        return;
    HASH_ITER(hh, p->posts, t, tn) {
        HASH_DEL(p->posts, t);
        post_free(t);
    }
    HASH_ITER(hh, p->busy, b, bn) {
        HASH_DEL(p->busy, b);
        free(b);
    }
    eb_timer_free(p->timer);
    free(p);
}

bool poster_idle(const struct poster *p)
{
    return HASH_COUNT(p->posts) == 0 && p->reserved == 0;
}

void poster_start(struct poster *p)
{
    p->started = true;
    eb_timer_set(p->timer, 0);
}

void poster_wake(struct poster *p)
{
    if (p->loading)
        p->again = true;
    else if (p->started)
        eb_timer_set(p->timer, 0);
}

/* ---- one post at a time for an issue: Jira allows 20 writes to one issue in 2 s ---- */

static bool take_issue(struct poster *p, const char *issue)
{
    struct busy_issue *b;

    HASH_FIND_STR(p->busy, issue, b);
    if (b != NULL || HASH_COUNT(p->busy) >= POSTS_MAX)
        return false;
    b = eb_alloc(sizeof *b);
    snprintf(b->issue, sizeof b->issue, "%s", issue);
    HASH_ADD_STR(p->busy, issue, b);
    return true;
}

static void free_issue(struct poster *p, const char *issue)
{
    struct busy_issue *b;

    HASH_FIND_STR(p->busy, issue, b);
    if (b != NULL) {
        HASH_DEL(p->busy, b);
        free(b);
    }
}

bool poster_reserve(struct poster *p, const char *issue)
{
    if (!p->started || !take_issue(p, issue))
        return false;
    p->reserved++;
    return true;
}

void poster_release(struct poster *p, const char *issue)
{
    p->reserved--;
    free_issue(p, issue);
    poster_wake(p);
}

/* ---- the end of a try ---- */

struct end_job { struct post *post; enum { END_POSTED, END_LATER, END_DEAD } what; char comment_id[32], error[300]; bool doubt; int64_t due_ms; struct eb_timer *retry; };

static bool end_job(struct db *db, void *arg, struct eb_err *err)
{
    struct end_job *j = arg;

    switch (j->what) {
    case END_POSTED:
        return outbox_posted(db, j->post->number, j->comment_id, eb_now_ms(), err);
    case END_LATER:
        return outbox_later(db, j->post->number, j->doubt, j->error, j->due_ms, err);
    case END_DEAD:
        return outbox_dead(db, j->post->number, j->error, eb_now_ms(), err);
    }
    return false;
}

static void end_post(struct post *t)
{
    struct poster *p = t->poster;

    HASH_DEL(p->posts, t);
    free_issue(p, t->issue);
    post_free(t);
    if (p->started)
        poster_wake(p);
    ops_drain_check(p->ops);
}

static void ended(void *arg, const struct eb_err *err)
{
    struct end_job *j = arg;

    /* Not on disk: the lease runs out by itself, and the doubt in the row makes us look before posting again. */
    if (err != NULL)
        eb_error(j->post->operation, "the outbox cannot be written: %s", err->text);
    end_post(j->post);
    free(j);
}

static struct end_job *end_new(struct post *t)
{
    struct end_job *j = eb_alloc(sizeof *j);

    j->post = t;
    return j;
}

static void end_submit(struct end_job *j)
{
    store_submit(j->post->poster->ops->parts.store, end_job, j, ended);
}

static void end_posted(struct post *t, const char *comment_id)
{
    struct end_job *j = end_new(t);

    j->what = END_POSTED;
    snprintf(j->comment_id, sizeof j->comment_id, "%s", comment_id != NULL ? comment_id : "");
    eb_metric_add(&posts, 1, "posted", NULL, NULL);
    end_submit(j);
}

/* 1 to 2 s after the first try, doubling to 5 min. */
static int64_t backoff_ms(int tries)
{
    int64_t ms = 1000;

    for (int i = 1; i < tries && ms < 150000; i++)
        ms *= 2;
    return ms + (int64_t)eb_random_below((uint32_t)ms);
}

static void end_dead(struct post *t, const char *why)
{
    struct end_job *j = end_new(t);

    j->what = END_DEAD;
    snprintf(j->error, sizeof j->error, "%s", why);
    eb_metric_add(&posts, 1, "dead", NULL, NULL);
    eb_error(t->operation, "the %s for issue %s cannot be posted: %s (see `entrabridge outbox list`)", t->kind, t->issue, why);
    end_submit(j);
}

static void end_later(struct post *t, bool doubt, int64_t at_least_ms, const char *why)
{
    if (t->tries > GIVE_UP_TRIES && eb_now_ms() - t->created_ms > GIVE_UP_MS) {
        end_dead(t, why);
        return;
    }

    struct end_job *j = end_new(t);
    int64_t wait = backoff_ms(t->tries);

    j->what = END_LATER;
    j->doubt = doubt;
    j->due_ms = eb_now_ms() + (wait > at_least_ms ? wait : at_least_ms);
    snprintf(j->error, sizeof j->error, "%s", why);
    eb_metric_add(&posts, 1, doubt ? "doubt" : "later", NULL, NULL);
    end_submit(j);
}

static struct post *find_post(struct poster *p, uint64_t id)
{
    int64_t number = (int64_t)id;
    struct post *t;

    HASH_FIND(hh, p->posts, &number, sizeof number, t);
    return t;
}

static void on_post(void *ctx, uint64_t id, const struct jira_post_reply *r)
{
    struct post *t = find_post(ctx, id);

    if (t == NULL)
        return;
    switch (r->result) {
    case JIRA_POSTED:
        end_posted(t, r->comment_id);
        return;
    case JIRA_AGAIN:
        end_later(t, t->doubt, r->retry_after_ms, r->err.text);
        return;
    case JIRA_POST_IN_DOUBT:
        end_later(t, true, JIRA_WRITE_DEADLINE_MS, r->err.text);
        return;
    case JIRA_POST_REFUSED:
        end_dead(t, r->err.text);
        return;
    }
}

/* ---- the try ---- */

/* By what a comment is found again: the operation's own by its id, further ones by their kind too. */
struct mark { char text[EB_ID_LEN + sizeof ((struct post *)0)->kind]; };

static struct mark mark_of(const struct post *t)
{
    bool own = strcmp(t->kind, "comment") == 0;
    struct mark m;

    snprintf(m.text, sizeof m.text, "%s%s%s", t->operation, own ? "" : ":", own ? "" : t->kind);
    return m;
}

static void send_post(struct post *t)
{
    struct ops *o = t->poster->ops;

    if (strcmp(t->kind, "property") == 0)
        jira_property_put(o->parts.jira, t->issue, t->payload, (uint64_t)t->number, on_post, t->poster);
    else
        jira_comment_post(o->parts.jira, t->issue, t->payload, mark_of(t).text, o->config->jira.comments_internal, (uint64_t)t->number,
                          on_post, t->poster);
}

static void on_found(void *ctx, uint64_t id, const char *comment_id, const struct eb_err *err)
{
    struct post *t = find_post(ctx, id);

    if (t == NULL)
        return;
    if (err != NULL && err->code == EB_ISSUE_NOT_FOUND)
        end_dead(t, err->text);
    else if (err != NULL)
        end_later(t, true, 0, err->text);
    else if (comment_id != NULL && comment_id[0] != '\0')
        end_posted(t, comment_id);
    else
        send_post(t);
}

static void try_post(struct post *t)
{
    if (t->doubt && strcmp(t->kind, "property") != 0)
        jira_comment_find(t->poster->ops->parts.jira, t->issue, mark_of(t).text, (uint64_t)t->number, on_found, t->poster);
    else
        send_post(t);
}

static struct post *post_new(struct poster *p, int64_t number, const char *operation, const char *issue, const char *kind, char *payload)
{
    struct post *t = eb_alloc(sizeof *t);

    t->poster = p;
    t->number = number;
    t->payload = payload;
    t->created_ms = eb_now_ms();
    snprintf(t->operation, sizeof t->operation, "%s", operation);
    snprintf(t->issue, sizeof t->issue, "%s", issue);
    snprintf(t->kind, sizeof t->kind, "%s", kind);
    HASH_ADD(hh, p->posts, number, sizeof t->number, t);
    return t;
}

void poster_deliver(struct poster *p, int64_t number, const char *operation, const char *issue, char *payload)
{
    struct post *t = post_new(p, number, operation, issue, "comment", payload);

    p->reserved--;
    t->tries = 1;
    try_post(t);
}

/* ---- rows of the table ---- */

struct load_job { struct poster *poster; struct outbox_row rows[LOAD_MAX]; size_t count; int64_t next_ms, ready, dead; };

static bool keep_row(void *ctx, const struct outbox_row *r)
{
    struct load_job *j = ctx;
    struct outbox_row *k = &j->rows[j->count++];

    *k = *r;
    k->operation = eb_strdup(r->operation);
    k->issue = eb_strdup(r->issue);
    k->kind = eb_strdup(r->kind);
    k->payload = eb_strdup(r->payload);
    k->state = k->error = k->comment_id = NULL;
    return j->count < LOAD_MAX;
}

static void drop_rows(struct load_job *j)
{
    for (size_t i = 0; i < j->count; i++)
        outbox_row_clear(&j->rows[i]);
    j->count = 0;
}

static bool load_job(struct db *db, void *arg, struct eb_err *err)
{
    struct load_job *j = arg;

    drop_rows(j);
    return outbox_recall(db, eb_now_ms(), err) && outbox_due(db, eb_now_ms(), LOAD_MAX, keep_row, j, err) && outbox_next_due(db, &j->next_ms, err) &&
           outbox_count(db, "ready", &j->ready, err) && outbox_count(db, "dead", &j->dead, err);
}

static bool lease_job(struct db *db, void *arg, struct eb_err *err)
{
    struct post *t = arg;

    return outbox_sending(db, t->number, eb_now_ms() + JIRA_WRITE_DEADLINE_MS, err);
}

static void leased(void *arg, const struct eb_err *err)
{
    struct post *t = arg;

    if (err != NULL) {
        eb_error(t->operation, "the outbox cannot be written: %s", err->text);
        end_post(t);
        return;
    }
    try_post(t);
}

/* false: its issue is busy; the end of that post looks again. */
static bool begin_row(struct poster *p, const struct outbox_row *r)
{
    if (find_post(p, (uint64_t)r->number) != NULL || !take_issue(p, r->issue))
        return false;
    struct post *t = post_new(p, r->number, r->operation, r->issue, r->kind, eb_strdup(r->payload));
    t->tries = r->tries + 1;
    t->doubt = r->doubt;
    t->created_ms = r->created_ms;
    store_submit(p->ops->parts.store, lease_job, t, leased);
    return true;
}

static void sleep_until(struct poster *p, int64_t due_ms)
{
    int64_t wait = due_ms == INT64_MAX ? LOOK_EVERY_MS : due_ms - eb_now_ms();

    eb_timer_set(p->timer, wait < 0 ? 200 : wait > LOOK_EVERY_MS ? LOOK_EVERY_MS : wait);
}

static void loaded(void *arg, const struct eb_err *err)
{
    struct load_job *j = arg;
    struct poster *p = j->poster;

    p->loading = false;
    if (err != NULL) {
        eb_error(NULL, "the outbox cannot be read: %s", err->text);
        sleep_until(p, eb_now_ms() + 5000);
    } else {
        bool busy = false;

        eb_metric_set(&rows, (double)j->ready, "ready", NULL, NULL);
        eb_metric_set(&rows, (double)j->dead, "dead", NULL, NULL);
        for (size_t i = 0; i < j->count; i++)
            busy |= !begin_row(p, &j->rows[i]);
        sleep_until(p, busy ? INT64_MAX : j->next_ms);
    }
    if (p->again) {
        p->again = false;
        eb_timer_set(p->timer, 0);
    }
    drop_rows(j);
    free(j);
}

static void load(void *arg)
{
    struct poster *p = arg;

    if (p->loading || p->ops->draining)
        return;

    struct load_job *j = eb_alloc(sizeof *j);
    j->poster = p;
    p->loading = true;
    store_submit(p->ops->parts.store, load_job, j, loaded);
}
