/* waits.c - one waiter a long poll; all are looked at again after each effect.
 *
 * Owns a copy of each condition and its timer.
 */
#include "sim/waits.h"

#include "base/text.h"
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

struct waiter {
    struct sim_waits *waits;
    json_t *what;
    struct event *timer;
    sim_wait_done *done;
    void *ctx;
    TAILQ_ENTRY(waiter) next;
};
struct sim_waits { struct event_base *base; TAILQ_HEAD(, waiter) all; };

struct sim_waits *sim_waits_new(struct event_base *base)
{
    struct sim_waits *w = eb_alloc(sizeof(*w));

    w->base = base;
    TAILQ_INIT(&w->all);
    return w;
}

static void waiter_free(struct waiter *x)
{
    TAILQ_REMOVE(&x->waits->all, x, next);
    event_free(x->timer);
    json_decref(x->what);
    free(x);
}

void sim_waits_free(struct sim_waits *w)
{
    if (w == NULL)
        return;
    while (!TAILQ_EMPTY(&w->all))
        waiter_free(TAILQ_FIRST(&w->all));
    free(w);
}

static void finish(struct waiter *x, bool satisfied)
{
    sim_wait_done *done = x->done;
    void *ctx = x->ctx;

    waiter_free(x);
    done(ctx, satisfied);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    finish(arg, false);
}

static bool comments_met(const struct sim *s, const json_t *what)
{
    const char *key = eb_json_str(what, "issue");
    const struct tracker_issue *i = key != NULL ? tracker_issue(s->tracker, key) : NULL;

    return i != NULL && (int64_t)tracker_comments_of(i, eb_json_str(what, "operation")) >= eb_json_int(what, "comments", 1);
}

static bool member_met(const struct sim *s, const json_t *m)
{
    const char *group = eb_json_str(m, "group"), *user = eb_json_str(m, "user");
    struct entra_object *g = group != NULL ? entra_find_kind(s->entra, ENTRA_GROUP, group) : NULL;
    struct entra_object *u = user != NULL ? entra_find_user(s->entra, user) : NULL;

    return g != NULL && u != NULL && entra_is_linked(s->entra, ENTRA_MEMBER, g, u) == eb_json_bool(m, "present", true);
}

static bool met(const struct sim *s, const json_t *what)
{
    const json_t *calls = json_object_get(what, "calls"), *member = json_object_get(what, "member");

    if (calls != NULL) {
        struct sim_calls_query q = { eb_json_str(calls, "path"), eb_json_str(calls, "method"), eb_json_str(calls, "cloud"), 0 };
        return (int64_t)sim_calls_count(s->calls, &q) >= eb_json_int(calls, "count", 1);
    }
    return member != NULL ? member_met(s, member) : comments_met(s, what);
}

bool sim_waits_add(struct sim *s, const json_t *what, sim_wait_done *done, void *ctx, struct eb_err *err)
{
    int64_t ms = eb_json_int(what, "timeout_ms", 5000);

    if (!json_is_object(what) || (json_object_get(what, "calls") == NULL && json_object_get(what, "member") == NULL &&
                                  (json_object_get(what, "comments") == NULL || eb_json_str(what, "issue") == NULL)))
        return eb_fail(err, EB_INVALID_REQUEST, "wait for comments and issue, for calls, or for member");
    if (met(s, what) || ms <= 0) {
        done(ctx, met(s, what));
        return true;
    }
    struct waiter *x = eb_alloc(sizeof(*x));
    x->waits = s->waits;
    x->what = json_deep_copy(what);
    x->done = done;
    x->ctx = ctx;
    x->timer = evtimer_new(s->waits->base, on_time, x);
    TAILQ_INSERT_TAIL(&s->waits->all, x, next);
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };
    evtimer_add(x->timer, &tv);
    return true;
}

void sim_waits_check(struct sim *s)
{
    struct waiter *x, *next;

    for (x = TAILQ_FIRST(&s->waits->all); x != NULL; x = next) {
        next = TAILQ_NEXT(x, next);
        if (met(s, x->what))
            finish(x, true);
    }
}
