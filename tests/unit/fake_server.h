/* fake_server.h - a tiny HTTP/1.1 server on the test's own loop, which answers with whatever bytes a test wants.
 *
 * It reads a head and Content-Length bytes of body, hands them to the test's handler, and does what that says.
 */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "base/loop.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

struct fake_request {
    char method[16], path[2048];
    const char *head;           /* all of it, NUL-ended */
    const char *body;
    size_t body_len;
    int connection;             /* 1 for the first that was accepted */
    int on_connection;          /* 1 for its first request */
};
enum fake_then { FAKE_KEEP, FAKE_CLOSE, FAKE_RESET };
/* Writes the answer (or nothing) to out. */
typedef enum fake_then fake_handler(void *arg, const struct fake_request *r, struct evbuffer *out);

struct fake_server {
    struct evconnlistener *listener;
    struct eb_loop *loop;
    fake_handler *handler;
    void *arg;
    int port, connections, requests;
    LIST_HEAD(fake_list, fake_connection) all;
};
struct fake_connection {
    LIST_ENTRY(fake_connection) link;
    struct fake_server *server;
    struct bufferevent *bev;
    int number, requests;
};

static inline void fake_connection_free(struct fake_connection *c)
{
    LIST_REMOVE(c, link);
    bufferevent_free(c->bev);
    free(c);
}

static inline size_t fake_content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at != NULL ? strtoul(at + 17, NULL, 10) : 0;
}

/* One request if it is there whole; false: wait, or the connection is gone. */
static inline bool fake_one(struct fake_connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    if (end.pos < 0)
        return false;
    size_t head_len = (size_t)end.pos + 4;
    char *head = eb_alloc(head_len + 1);
    evbuffer_copyout(in, head, head_len);
    size_t body_len = fake_content_length(head);
    if (evbuffer_get_length(in) < head_len + body_len) {
        free(head);
        return false;
    }
    evbuffer_drain(in, head_len);
    char *body = eb_alloc(body_len + 1);
    evbuffer_remove(in, body, body_len);

    struct fake_request r = { .head = head, .body = body, .body_len = body_len, .connection = c->number,
                              .on_connection = ++c->requests };
    (void)sscanf(head, "%15s %2047s", r.method, r.path);
    c->server->requests++;
    enum fake_then then = c->server->handler(c->server->arg, &r, bufferevent_get_output(c->bev));
    free(head);
    free(body);
    if (then == FAKE_KEEP)
        return true;
    struct evbuffer *out = bufferevent_get_output(c->bev);
    if (then == FAKE_CLOSE && evbuffer_get_length(out) > 0)
        evbuffer_write(out, bufferevent_getfd(c->bev));
    if (then == FAKE_RESET) {
        struct linger hard = { .l_onoff = 1 };
        setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    fake_connection_free(c);
    return false;
}

static inline void fake_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    while (fake_one(arg))
        ;
}

static inline void fake_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    fake_connection_free(arg);
}

static inline void fake_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a, int len, void *arg)
{
    struct fake_server *s = arg;
    struct fake_connection *c = eb_alloc(sizeof(*c));

    (void)l;
    (void)a;
    (void)len;
    c->server = s;
    c->number = ++s->connections;
    c->bev = bufferevent_socket_new(eb_loop_base(s->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    LIST_INSERT_HEAD(&s->all, c, link);
    bufferevent_setcb(c->bev, fake_read, NULL, fake_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static inline struct fake_server *fake_server_new(struct eb_loop *loop, fake_handler *handler, void *arg)
{
    struct fake_server *s = eb_alloc(sizeof(*s));
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);

    LIST_INIT(&s->all);
    s->loop = loop;
    s->handler = handler;
    s->arg = arg;
    s->listener = evconnlistener_new_bind(eb_loop_base(loop), fake_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
                                          64, (struct sockaddr *)&a, sizeof(a));
    if (s->listener == NULL || getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&a, &len) != 0)
        abort();
    s->port = ntohs(a.sin_port);
    return s;
}

static inline void fake_server_close_all(struct fake_server *s)
{
    while (!LIST_EMPTY(&s->all))
        fake_connection_free(LIST_FIRST(&s->all));
}

static inline void fake_server_stop_listening(struct fake_server *s)
{
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    s->listener = NULL;
}

static inline void fake_server_free(struct fake_server *s)
{
    fake_server_close_all(s);
    fake_server_stop_listening(s);
    free(s);
}

/* A whole answer; headers: further lines, each ended by CRLF. */
static inline void fake_answer(struct evbuffer *out, int status, const char *headers, const char *body)
{
    evbuffer_add_printf(out, "HTTP/1.1 %d Test\r\nContent-Type: application/json\r\n%s", status, headers);
    if (status == 204)
        evbuffer_add_printf(out, "\r\n");
    else
        evbuffer_add_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}

#endif
