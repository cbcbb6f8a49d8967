/* listen.c - the listening socket: bound once, open while there is room for connections.
 *
 * Owned by evhttp once it is bound, its callback's argument too; so an accept that fails finds its server in the list here.
 */
#include "server/internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "server/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG 1024
#define BACK_OFF_MS 100
#define WARN_EVERY_MS 10000

static LIST_HEAD(server_list, server) listening = LIST_HEAD_INITIALIZER(listening);

static struct eb_metric accept_errors = { "entrabridge_accept_errors_total", "Times accept() failed, as when descriptors run out.",
                                          EB_COUNTER, { NULL } };

void listen_look(struct server *s)
{
    if (s->listener == NULL)
        return;
    if (s->backing_off || s->guard_count >= s->now.max_connections)
        evconnlistener_disable(s->listener);
    else
        evconnlistener_enable(s->listener);
}

static void accept_again(void *arg)
{
    struct server *s = arg;

    s->backing_off = false;
    listen_look(s);
}

/* EMFILE and its like: the connection stays in the queue, and the listener would call again at once, for ever. */
static void accept_failed(struct evconnlistener *listener, void *http)
{
    int reason = errno;
    struct server *s;

    LIST_FOREACH(s, &listening, listening_link)
        if (s->listener == listener)
            break;
    if (s == NULL)
        return;
    eb_metric_add(&accept_errors, 1, NULL, NULL, NULL);
    if (eb_mono_ms() >= s->warn_again_ms) {
        s->warn_again_ms = eb_mono_ms() + WARN_EVERY_MS;
        eb_warn(NULL, "accept failed: %s; connections=%u", strerror(reason), s->guard_count);
    }
    s->backing_off = true;
    eb_timer_set(s->back_off, BACK_OFF_MS);
    listen_look(s);
}

static int port_of(evutil_socket_t fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&ss)->sin6_port : ((struct sockaddr_in *)(void *)&ss)->sin_port);
}

/* "192.0.2.1:8443" or "[::1]:8443"; port 0 takes a free one (libevent's own parser refuses that). */
static bool parse_place(const char *text, struct sockaddr_storage *ret, int *ret_len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN], *end = NULL;
    bool brackets = *text == '[';
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;

    if (len < 2 || len >= sizeof(host) || (brackets && colon[-1] != ']'))
        return false;
    memcpy(host, text + brackets, len - 2 * brackets);
    host[len - 2 * brackets] = '\0';
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > UINT16_MAX)
        return false;
    memset(ret, 0, sizeof(*ret));
    if (brackets) {
        *v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
        *ret_len = sizeof(*v6);
        return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
    }
    *v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    *ret_len = sizeof(*v4);
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

bool listen_open(struct server *s, struct eb_err *err)
{
    struct sockaddr_storage ss;
    int len, on = 1;

    if (!parse_place(s->address, &ss, &len))
        return eb_fail_field(err, EB_INVALID_REQUEST, "listen.address", "listen.address: '%s' is not an address and port", s->address);
    struct evconnlistener *l = evconnlistener_new_bind(eb_loop_base(s->loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                                       LEV_OPT_REUSEABLE | LEV_OPT_DISABLED, BACKLOG, (struct sockaddr *)&ss, len);
    if (l == NULL)
        return eb_fail(err, EB_INTERNAL, "cannot listen on %s: %s", s->address, strerror(errno));
    (void)setsockopt(evconnlistener_get_fd(l), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));     /* inherited by what is accepted */
    s->bound = evhttp_bind_listener(s->http, l);
    if (s->bound == NULL) {
        evconnlistener_free(l);
        return eb_fail(err, EB_INTERNAL, "cannot listen on %s: no memory", s->address);
    }
    evconnlistener_set_error_cb(l, accept_failed);
    s->listener = l;
    s->port = port_of(evconnlistener_get_fd(l));
    s->back_off = eb_timer_new(s->loop, accept_again, s);
    LIST_INSERT_HEAD(&listening, s, listening_link);
    listen_look(s);
    return true;
}

void listen_close(struct server *s)
{
    if (s->listener == NULL)
        return;
    LIST_REMOVE(s, listening_link);
    eb_timer_free(s->back_off);
    s->back_off = NULL;
    s->listener = NULL;
    evhttp_del_accept_socket(s->http, s->bound);    /* closes it */
    s->bound = NULL;
}
