/* loop.c - the event loop and its mailbox.
 *
 * The mailbox (list, flag, eventfd) is the only part that other threads touch; its mutex is held for
 * a few instructions and never while a posted function runs. Invariant: the eventfd is readable
 * exactly while the list may hold something, so one write wakes the loop for a whole batch.
 * Owns: the event_base. Timers belong to those who made them and must go first.
 */
#include "base/loop.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

struct post { void (*fn)(void *arg); void *arg; STAILQ_ENTRY(post) link; };
STAILQ_HEAD(post_list, post);

/* libevent asks us for memory: what it does without differs from call to call, up to a crash. Set before anything can have been made. */
static void *event_memory(size_t size) { return eb_need(malloc(size > 0 ? size : 1)); }
static void *event_more(void *p, size_t size) { return eb_need(realloc(p, size > 0 ? size : 1)); }
__attribute__((constructor)) static void set_memory(void) { event_set_mem_functions(event_memory, event_more, free); }

struct eb_loop {
    struct event_base *base;
    bool stopping;
    size_t timers;              /* not freed yet */
    int wake_fd;
    struct event wake;
    pthread_mutex_t lock;       /* guards posts */
    struct post_list posts;
};

struct eb_timer { struct event event; struct eb_loop *loop; void (*fn)(void *arg); void *arg; };

/* Takes the whole list at once: what a posted function posts comes in a later turn, after the
 * sockets were looked at. */
static void run_posts(evutil_socket_t fd, short what, void *arg)
{
    struct eb_loop *l = arg;
    struct post_list batch = STAILQ_HEAD_INITIALIZER(batch);
    struct post *p;
    uint64_t count;

    (void)what;
    pthread_mutex_lock(&l->lock);
    (void)!read(fd, &count, sizeof(count));
    STAILQ_CONCAT(&batch, &l->posts);
    pthread_mutex_unlock(&l->lock);

    while ((p = STAILQ_FIRST(&batch)) != NULL) {
        STAILQ_REMOVE_HEAD(&batch, link);
        void (*fn)(void *) = p->fn;
        void *fn_arg = p->arg;
        free(p);
        fn(fn_arg);
    }
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    /* One thread: no locks. Time is read anew for each timer: a cached one lets it fire early by as
     * long as the turn has lasted. Changes to what a socket waits for are told to the kernel once a turn: evhttp makes six a request,
     * a quarter of its time. That is right as long as no descriptor on the loop is a copy of another (dup; docs/decisions/0017). */
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
                              EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

bool eb_loop_new(struct eb_loop **ret, struct eb_err *err)
{
    struct eb_loop *l = eb_alloc(sizeof(*l));

    pthread_mutex_init(&l->lock, NULL);
    STAILQ_INIT(&l->posts);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->base = l->wake_fd >= 0 ? make_base() : NULL;
    if (l->base == NULL || event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, run_posts, l) != 0 ||
        event_add(&l->wake, NULL) != 0) {
        (void)eb_fail(err, EB_INTERNAL, "the event loop cannot be made: %s", strerror(errno));
        eb_loop_free(l);
        return false;
    }
    *ret = l;
    return true;
}

void eb_loop_free(struct eb_loop *l)
{
    struct post *p;

    if (l == NULL)
        return;
    assert(l->timers == 0);
    if (l->base != NULL) {
        if (event_initialized(&l->wake))
            event_del(&l->wake);
        event_base_free(l->base);
    }
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    while ((p = STAILQ_FIRST(&l->posts)) != NULL) {
        STAILQ_REMOVE_HEAD(&l->posts, link);
        free(p);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct event_base *eb_loop_base(struct eb_loop *l)
{
    return l->base;
}

void eb_loop_run(struct eb_loop *l)
{
    while (!l->stopping)
        if (event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
            abort();            /* epoll itself failed: going on would spin */
    l->stopping = false;
}

void eb_loop_stop(struct eb_loop *l)
{
    l->stopping = true;
    event_base_loopbreak(l->base);
}

void eb_loop_post(struct eb_loop *l, void (*fn)(void *arg), void *arg)
{
    static const uint64_t one = 1;
    struct post *p = eb_alloc(sizeof(*p));

    p->fn = fn;
    p->arg = arg;
    /* The write stays under the lock: once it is let go, the loop may run p and be freed. */
    pthread_mutex_lock(&l->lock);
    bool was_empty = STAILQ_EMPTY(&l->posts);
    STAILQ_INSERT_TAIL(&l->posts, p, link);
    if (was_empty)
        (void)!write(l->wake_fd, &one, sizeof(one));
    pthread_mutex_unlock(&l->lock);
}

/* libevent has let go of the event by now and fn may free it: t is not touched after fn. */
static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct eb_timer *t = arg;

    (void)fd;
    (void)what;
    t->fn(t->arg);
}

struct eb_timer *eb_timer_new(struct eb_loop *l, void (*fn)(void *arg), void *arg)
{
    struct eb_timer *t = eb_alloc(sizeof(*t));

    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    if (evtimer_assign(&t->event, l->base, timer_fired, t) != 0)
        abort();                /* refused only for arguments that make no sense */
    l->timers++;
    return t;
}

void eb_timer_set(struct eb_timer *t, int64_t after_ms)
{
    int64_t ms = after_ms > 0 ? after_ms : 0;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    if (evtimer_add(&t->event, &tv) != 0)
        eb_no_memory();         /* a lost timer would hang what waits for it */
}

void eb_timer_stop(struct eb_timer *t)
{
    evtimer_del(&t->event);
}

void eb_timer_free(struct eb_timer *t)
{
    if (t == NULL)
        return;
    evtimer_del(&t->event);
    t->loop->timers--;
    free(t);
}
