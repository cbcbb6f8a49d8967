/* schedule.c - durable timers: rows of the store, handed out on the loop when they are due.
 *
 * One look at a time: a job reads the rows that are due next, its end hands out those whose time has come and sets the timer
 * for the first that is later. Invariant: a row stands in `out` from being handed out until its end is on disk, and
 * meanwhile is not handed out again. Of a kind with a ceiling no more are out than that: the rest stays in the table, and hides no other kind.
 * Owns: the timer and the entries of `out`. A job on its way holds a struct of its own, which outlives the schedule.
 */
#include "schedule/schedule.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/timer_table.h"
#include "base/hashtable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_ROWS = 64,             /* beyond those that are handed out already */
    LONGEST_SLEEP_MS = 60000,   /* the wall clock may be set */
    RETRY_MS = 1000,            /* after a failure of the store */
    STEP_MS = 5000,             /* more than a clock is slewed between two looks */
    LISTENERS_MAX = 4
};

struct kind { const char *name; schedule_fn *fn; void *ctx; struct kind *next; unsigned most /* 0: any number */, out; };

struct out {                    /* handed out, not ended yet; or of a kind that this program does not have: left alone */
    char *key;                  /* kind, US, subject */
    struct kind *kind;          /* NULL: unknown */
    int64_t due_ms;
    UT_hash_handle hh;
};

struct due { char *kind, *subject; int64_t due_ms; };

struct look { struct schedule *s; int limit, count; struct due *rows; const char *left_out[TIMER_LEFT_OUT]; };        /* s: NULL once the schedule is gone */
struct change { struct schedule *s; char *kind, *subject; int64_t from_ms, to_ms; bool finish; struct change *next, **prev; };

struct schedule {
    struct eb_loop *loop;
    struct store *store;
    struct eb_timer *timer;
    struct kind *kinds;
    struct out *out;
    struct look *look;          /* under way, or NULL */
    struct change *changes;     /* under way */
    int64_t offset_ms;          /* of the wall clock, from the one that never steps */
    struct { void (*fn)(void *ctx); void *ctx; } listeners[LISTENERS_MAX];
    size_t listener_count;
    bool started, again;        /* again: something changed while the look was under way */
};

static void look_start(struct schedule *s);

static char *make_key(const char *kind, const char *subject)
{
    return eb_asprintf("%s\x1f%s", kind, subject);
}

static struct out *find_out(struct schedule *s, const char *kind, const char *subject)
{
    char *key = make_key(kind, subject);
    struct out *o;

    HASH_FIND_STR(s->out, key, o);
    free(key);
    return o;
}

static struct kind *find_kind(struct schedule *s, const char *name)
{
    struct kind *k = s->kinds;

    while (k != NULL && strcmp(k->name, name) != 0)
        k = k->next;
    return k;
}

static bool is_full(const struct kind *k)
{
    return k != NULL && k->most > 0 && k->out >= k->most;
}

static void add_out(struct schedule *s, const struct due *d, struct kind *k)
{
    struct out *o = eb_alloc(sizeof(*o));

    o->key = make_key(d->kind, d->subject);
    o->kind = k;
    o->due_ms = d->due_ms;
    if (k != NULL)
        k->out++;
    HASH_ADD_KEYPTR(hh, s->out, o->key, strlen(o->key), o);
}

static void drop_out(struct schedule *s, struct out *o)
{
    HASH_DEL(s->out, o);
    if (o->kind != NULL)
        o->kind->out--;
    free(o->key);
    free(o);
}

/* Looking */

static void look_free(struct look *l)
{
    for (int i = 0; i < l->count; i++) {
        free(l->rows[i].kind);
        free(l->rows[i].subject);
    }
    free(l->rows);
    free(l);
}

static bool look_row(void *ctx, const struct timer_row *t)
{
    struct look *l = ctx;

    l->rows[l->count++] = (struct due){ eb_strdup(t->kind), eb_strdup(t->subject), t->due_ms };
    return l->count < l->limit;
}

static bool look_job(struct db *db, void *arg, struct eb_err *err)
{
    struct look *l = arg;

    if (l->left_out[0] == NULL)
        return timer_due(db, INT64_MAX, l->limit, look_row, l, err);
    return timer_due_of_others(db, INT64_MAX, l->left_out, l->limit, look_row, l, err);
}

static void hand_out(struct schedule *s, const struct due *d)
{
    struct kind *k = find_kind(s, d->kind);

    if (is_full(k))
        return;                         /* the end of one that is out looks again */
    add_out(s, d, k);
    if (k == NULL)
        eb_warn(NULL, "schedule_unknown kind=%s: left for a program that knows it", d->kind);
    else
        k->fn(k->ctx, d->subject, d->due_ms);
}

/* How long to sleep after these rows. They come in order of time. */
static int64_t hand_out_due(struct schedule *s, const struct look *l)
{
    int64_t now_ms = eb_now_ms(), sleep_ms = LONGEST_SLEEP_MS;
    bool more = l->count == l->limit;

    for (int i = 0; i < l->count && l->s != NULL; i++) {
        const struct due *d = &l->rows[i];
        if (d->due_ms > now_ms) {
            int64_t wait_ms = d->due_ms - now_ms;
            sleep_ms = wait_ms < sleep_ms ? wait_ms : sleep_ms;
            more = false;
            break;
        }
        if (find_out(s, d->kind, d->subject) == NULL)
            hand_out(s, d);
    }
    return more ? 0 : sleep_ms;
}

/* A row that is due at a time stays so, whatever the clock does. */
static void see_step(struct schedule *s)
{
    int64_t offset_ms = eb_now_ms() - eb_mono_ms(), step_ms = offset_ms - s->offset_ms;

    s->offset_ms = offset_ms;
    if (step_ms > -STEP_MS && step_ms < STEP_MS)
        return;
    eb_warn(NULL, "clock_stepped seconds=%lld: what is due by the clock is due by the new time", (long long)(step_ms / 1000));
    for (size_t i = 0; i < s->listener_count; i++)
        s->listeners[i].fn(s->listeners[i].ctx);
}

static void look_done(void *arg, const struct eb_err *err)
{
    struct look *l = arg;
    struct schedule *s = l->s;

    if (s == NULL) {
        look_free(l);
        return;
    }
    int64_t sleep_ms = err != NULL ? RETRY_MS : hand_out_due(s, l);
    bool gone = l->s == NULL;           /* freed by one of the functions */
    look_free(l);
    if (gone)
        return;
    s->look = NULL;
    see_step(s);
    eb_timer_set(s->timer, s->again ? 0 : sleep_ms);
    s->again = false;
}

static void look_start(struct schedule *s)
{
    if (!s->started)
        return;
    if (s->look != NULL) {
        s->again = true;
        return;
    }
    struct look *l = eb_alloc(sizeof(*l));
    size_t full = 0;
    for (const struct kind *k = s->kinds; k != NULL && full < TIMER_LEFT_OUT; k = k->next)
        if (is_full(k))
            l->left_out[full++] = k->name;
    l->s = s;
    l->limit = LOOK_ROWS + (int)HASH_COUNT(s->out);
    l->rows = eb_alloc((size_t)l->limit * sizeof(*l->rows));
    s->look = l;
    store_submit(s->store, look_job, l, look_done);
}

static void timer_fired(void *arg)
{
    look_start(arg);
}

/* Putting and ending */

static bool change_job(struct db *db, void *arg, struct eb_err *err)
{
    struct change *c = arg;

    if (c->finish)
        return timer_finish(db, c->kind, c->subject, c->from_ms, c->to_ms, err);
    return timer_put(db, c->kind, c->subject, c->to_ms, err);
}

static void change_done(void *arg, const struct eb_err *err);

static void change_submit(struct schedule *s, struct change *c)
{
    c->s = s;
    c->next = s->changes;
    c->prev = &s->changes;
    if (c->next != NULL)
        c->next->prev = &c->next;
    s->changes = c;
    store_submit(s->store, change_job, c, change_done);
}

static void change_free(struct change *c)
{
    if (c->prev != NULL) {
        *c->prev = c->next;
        if (c->next != NULL)
            c->next->prev = c->prev;
    }
    free(c->kind);
    free(c->subject);
    free(c);
}

/* Where the end of a row could not be written, the row is handed out again after a while. */
static void change_done(void *arg, const struct eb_err *err)
{
    struct change *c = arg;
    struct schedule *s = c->s;

    if (err != NULL)
        eb_error(NULL, "schedule_store kind=%s %s", c->kind, err->text);
    if (s != NULL) {
        struct out *o = c->finish ? find_out(s, c->kind, c->subject) : NULL;
        if (o != NULL)
            drop_out(s, o);
        if (err == NULL)
            look_start(s);
        else if (s->started)
            eb_timer_set(s->timer, RETRY_MS);
    }
    change_free(c);
}

/* From outside */

bool schedule_new(struct eb_loop *loop, struct store *store, struct schedule **ret, struct eb_err *err)
{
    struct schedule *s = eb_alloc(sizeof(*s));

    (void)err;
    s->loop = loop;
    s->store = store;
    s->offset_ms = eb_now_ms() - eb_mono_ms();
    s->timer = eb_timer_new(loop, timer_fired, s);
    *ret = s;
    return true;
}

void schedule_free(struct schedule *s)
{
    struct out *o, *next;
    struct kind *k;

    if (s == NULL)
        return;
    if (s->look != NULL)
        s->look->s = NULL;
    for (struct change *c = s->changes, *after; c != NULL; c = after) {
        after = c->next;
        c->s = NULL;
        c->prev = NULL;
    }
    HASH_ITER(hh, s->out, o, next)
        drop_out(s, o);
    while ((k = s->kinds) != NULL) {
        s->kinds = k->next;
        free(k);
    }
    eb_timer_free(s->timer);
    free(s);
}

void schedule_register(struct schedule *s, const char *kind, schedule_fn *fn, void *ctx)
{
    struct kind *k = eb_alloc(sizeof(*k));

    *k = (struct kind){ .name = kind, .fn = fn, .ctx = ctx, .next = s->kinds };
    s->kinds = k;
}

void schedule_limit(struct schedule *s, const char *kind, unsigned most)
{
    struct kind *k = find_kind(s, kind);
    size_t limited = 0;

    assert(k != NULL);
    k->most = most;
    for (k = s->kinds; k != NULL; k = k->next)
        limited += k->most > 0;
    assert(limited <= TIMER_LEFT_OUT);  /* more of them could hide the others' rows */
}

void schedule_on_step(struct schedule *s, void (*fn)(void *ctx), void *ctx)
{
    assert(s->listener_count < LISTENERS_MAX);
    s->listeners[s->listener_count].fn = fn;
    s->listeners[s->listener_count++].ctx = ctx;
}

void schedule_start(struct schedule *s)
{
    s->started = true;
    look_start(s);
}

void schedule_wake(struct schedule *s)
{
    look_start(s);
}

void schedule_put(struct schedule *s, const char *kind, const char *subject, int64_t due_ms)
{
    struct change *c = eb_alloc(sizeof(*c));

    *c = (struct change){ .kind = eb_strdup(kind), .subject = eb_strdup(subject), .to_ms = due_ms };
    change_submit(s, c);
}

void schedule_done(struct schedule *s, const char *kind, const char *subject, int64_t next_due_ms)
{
    const struct out *o = find_out(s, kind, subject);

    if (o == NULL)
        return;                         /* ended twice */
    struct change *c = eb_alloc(sizeof(*c));
    *c = (struct change){ .kind = eb_strdup(kind), .subject = eb_strdup(subject), .from_ms = o->due_ms, .to_ms = next_due_ms, .finish = true };
    change_submit(s, c);
}
