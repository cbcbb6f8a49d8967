/* outbound.c - libcurl's multi interface on the loop.
 *
 * libcurl says which sockets and which time it waits for; both end in curl_multi_socket_action(), and after it every
 * finished transfer is taken out before its owner is told. An event stays registered while its connection idles: most
 * calls then need no epoll_ctl at all. So that a descriptor's number that comes back is never mistaken for the old
 * socket, opening and closing sockets passes through here (outbound_watch_socket, outbound_unwatch_socket).
 * Owns: the multi handle, its timer, the watches, the clouds.
 */
#include "outbound/internal.h"

#include "base/text.h"

#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"

struct watch {
    struct event event;
    struct outbound *o;
    short registered;           /* EV_READ, EV_WRITE of the event that is added; 0: none */
    bool wanted;                /* libcurl waits for it; else its connection idles */
};

static void drain(struct outbound *o)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(o->multi, &left)) != NULL) {
        struct transfer *t = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        CURLcode code = m->data.result;         /* m is gone once the handle is taken out */
        if (curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK && t != NULL)
            attempt_ended(t, code);
    }
}

static void act(struct outbound *o, curl_socket_t fd, int what)
{
    int running;

    (void)curl_multi_socket_action(o->multi, fd, what, &running);
    drain(o);
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;

    if (!w->wanted) {           /* an idle connection was closed or spoke: libcurl sees it when it would use it */
        event_del(&w->event);
        w->registered = 0;
        return;
    }
    act(w->o, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

/* libcurl's TIMERFUNCTION: never calls libcurl, 0 means the next turn. */
static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct outbound *o = arg;

    (void)multi;
    if (ms < 0)
        eb_timer_stop(o->timer);
    else
        eb_timer_set(o->timer, ms);
    return 0;
}

static struct watch *watch_of(struct outbound *o, curl_socket_t fd)
{
    if ((size_t)fd >= o->watch_count) {
        size_t count = (size_t)fd + 64;
        struct watch **grown = eb_alloc(count * sizeof(struct watch *));
        if (o->watch_count > 0)
            memcpy(grown, o->watches, o->watch_count * sizeof(struct watch *));
        free(o->watches);
        o->watches = grown;
        o->watch_count = count;
    }
    if (o->watches[fd] == NULL) {
        o->watches[fd] = eb_alloc(sizeof(struct watch));
        o->watches[fd]->o = o;
    }
    return o->watches[fd];
}

static void unregister(struct watch *w)
{
    if (w->registered != 0)
        event_del(&w->event);
    w->registered = 0;
    w->wanted = false;
}

void outbound_watch_socket(struct outbound *o, curl_socket_t fd)
{
    unregister(watch_of(o, fd));
}

void outbound_unwatch_socket(struct outbound *o, curl_socket_t fd)
{
    if ((size_t)fd < o->watch_count && o->watches[fd] != NULL)
        unregister(o->watches[fd]);
}

/* libcurl's SOCKETFUNCTION. A connection that goes idle keeps its read event; one that waited to write does not, for
 * an idle socket is always ready to write. */
static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct outbound *o = arg;
    struct watch *w = watch_of(o, fd);
    short events = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));

    (void)easy;
    (void)socket_arg;
    if (what == CURL_POLL_REMOVE) {
        w->wanted = false;
        if (w->registered & EV_WRITE)
            unregister(w);
        return 0;
    }
    w->wanted = events != 0;
    if (events == w->registered)
        return 0;
    if (w->registered != 0)
        event_del(&w->event);
    w->registered = events;
    if (events != 0 && (event_assign(&w->event, eb_loop_base(o->loop), fd, (short)(events | EV_PERSIST), on_socket, w) != 0 ||
                        event_add(&w->event, NULL) != 0)) {
        w->registered = 0;
        return -1;              /* libcurl fails the transfers */
    }
    return 0;
}

static void *curl_memory(size_t size) { return eb_need(malloc(size > 0 ? size : 1)); }
static void *curl_more(void *p, size_t size) { return eb_need(realloc(p, size > 0 ? size : 1)); }
static char *curl_copy(const char *s) { return eb_need(strdup(s)); }
static void *curl_zeroed(size_t n, size_t size) { return eb_need(calloc(n > 0 ? n : 1, size > 0 ? size : 1)); }

bool outbound_start(void)
{
    static bool started;

    if (!started)
        started = curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_memory, free, curl_more, curl_copy, curl_zeroed) == CURLE_OK;
    return started;
}

void outbound_stop(void)
{
    curl_global_cleanup();
}

static bool set_up_multi(struct outbound *o)
{
    if (!outbound_start())
        return false;
    o->multi = curl_multi_init();
    return o->multi != NULL &&
           curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, set_socket) == CURLM_OK &&
           curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, o) == CURLM_OK &&
           curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, o) == CURLM_OK &&
           curl_multi_setopt(o->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK;
}

bool outbound_new(struct eb_loop *loop, const struct outbound_options *opt, struct outbound **ret, struct eb_err *err)
{
    struct outbound *o = eb_alloc(sizeof(*o));

    o->loop = loop;
    TAILQ_INIT(&o->ending);
    LIST_INIT(&o->clouds);
    o->ca_file = eb_strdup(opt->ca_file != NULL ? opt->ca_file : CA_FILE);
    o->user_agent = eb_strdup(opt->user_agent != NULL ? opt->user_agent : "entrabridge/" EB_VERSION);
    o->timer = eb_timer_new(loop, on_timer, o);
    o->ending_timer = eb_timer_new(loop, outbound_tell_ending, o);
    if (!set_up_multi(o)) {
        outbound_free(o);
        return eb_fail(err, EB_INTERNAL, "libcurl cannot be set up");
    }
    *ret = o;
    return true;
}

void outbound_free(struct outbound *o)
{
    struct outbound_cloud *c;

    if (o == NULL)
        return;
    while ((c = LIST_FIRST(&o->clouds)) != NULL)
        outbound_cloud_free(c);
    if (o->multi != NULL)
        curl_multi_cleanup(o->multi);       /* closes the connections, which still uses the watches */
    eb_timer_free(o->timer);
    eb_timer_free(o->ending_timer);
    for (size_t fd = 0; fd < o->watch_count; fd++)
        if (o->watches[fd] != NULL) {
            unregister(o->watches[fd]);
            free(o->watches[fd]);
        }
    free(o->watches);
    free(o->ca_file);
    free(o->user_agent);
    free(o);
}
