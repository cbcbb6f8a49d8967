/* guard.c - stands between the socket and evhttp.
 *
 * Bytes that arrive are taken out of evhttp's input at once and held. Only a request whose head scan.c found good is put back, that
 * request alone and not a byte of the next; so evhttp never sees what it would misread, and never two requests at a time. What is bad
 * is answered here, without evhttp.
 *
 *     NEW -> HEAD -> BODY -> BUSY -> ANSWERING -> HEAD ...        the next request of a kept connection
 *              \-> REFUSING -> LINGER -> freed                    LINGER: the client may still be sending; closing now would reset
 *                                                                 the connection and take our answer from it
 *
 * Owned by evhttp: the connection and its bufferevent. A guard ends in the connection's close callback and nowhere else.
 * Invariant: in each state but NEW and BUSY there is a deadline, and held bytes are bounded by one request and one read.
 */
#include "server/guard.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "server/reply.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <stdlib.h>

#define SWEEP_MS 200
#define LINGER_MS 2000
#define READ_AHEAD KiB(64)          /* what may arrive beyond one request: a read or two */
#define COPY_BELOW KiB(2)           /* smaller pieces are added to the last block: else each would be a block, and judge() would copy all of them anew */

enum guard_state { NEW, HEAD, BODY, BUSY, ANSWERING, REFUSING, LINGER };

struct guard {
    struct server *server;
    struct bufferevent *bev;
    struct evhttp_connection *connection;   /* NULL in NEW */
    struct evbuffer_cb_entry *watch;        /* on bev's input */
    struct evbuffer *held;
    struct server_exchange *exchange;       /* in BUSY */
    struct scan scan;
    uint64_t due;                           /* of the request under way, bytes that evhttp has not got yet */
    int64_t deadline_ms;
    enum guard_state state;
    bool broken;                            /* made without TLS where TLS was due, or not to be served: to be closed */
    bool feeding, in_todo, idle;            /* idle: in HEAD, no byte of the next request yet */
    struct address peer;
    TAILQ_ENTRY(guard) link, todo_link;
    UT_hash_handle hh;
};

static struct eb_metric connections = { "entrabridge_connections", "Open connections to the service.", EB_GAUGE, { NULL } };
static struct eb_metric refused = { "entrabridge_http_refused_total", "Requests and connections refused, by reason.", EB_COUNTER,
                                    { "reason" } };

void guard_count_refused(const char *reason)
{
    eb_metric_add(&refused, 1, reason, NULL, NULL);
}

struct guard *guard_of(struct server *s, const struct evhttp_connection *connection)
{
    struct guard *g = NULL;

    HASH_FIND_PTR(s->by_connection, &connection, g);
    return g;
}

const struct address *guard_peer(const struct guard *g)
{
    return &g->peer;
}

static void look_soon(struct guard *g)
{
    if (g->in_todo)
        return;
    g->in_todo = true;
    TAILQ_INSERT_TAIL(&g->server->todo, g, todo_link);
    event_active(&g->server->todo_event, EV_TIMEOUT, 0);
}

/* ---- end ---- */

static void guard_free(struct guard *g)
{
    struct server *s = g->server;

    if (g->in_todo)
        TAILQ_REMOVE(&s->todo, g, todo_link);
    if (g->connection != NULL)
        HASH_DEL(s->by_connection, g);
    TAILQ_REMOVE(&s->guards, g, link);
    eb_metric_set(&connections, --s->guard_count, NULL, NULL, NULL);
    evbuffer_free(g->held);
    free(g);
    listen_look(s);
    if (s->draining && s->guard_count == 0)
        guards_look(s);
}

/* From evhttp_connection_free(): the bufferevent is still whole. */
static void connection_gone(struct evhttp_connection *connection, void *arg)
{
    struct guard *g = arg;

    evbuffer_remove_cb_entry(bufferevent_get_input(g->bev), g->watch);
    if (g->exchange != NULL)
        exchange_gone(g->exchange);
    guard_free(g);
}

/* Not from the input's callback: the bufferevent is busy then (look_soon). */
static void close_now(struct guard *g)
{
    evhttp_connection_free(g->connection);      /* ends in connection_gone */
}

static void close_broken(struct guard *g, const char *reason)
{
    guard_count_refused(reason);
    close_now(g);
}

/* ---- refusal: our own answer, then the end ---- */

static void drop_input(struct guard *g)
{
    struct evbuffer *input = bufferevent_get_input(g->bev);

    evbuffer_drain(input, evbuffer_get_length(input));
}

static void refusal_written(struct bufferevent *bev, void *arg)
{
    struct guard *g = arg;
    SSL *ssl = bufferevent_openssl_get_ssl(bev);

    if (g->state != REFUSING)
        return;
    g->state = LINGER;
    g->deadline_ms = eb_mono_ms() + LINGER_MS;
    if (ssl != NULL) {
        SSL_shutdown(ssl);
        ERR_clear_error();
    }
    shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void refusal_event(struct bufferevent *bev, short what, void *arg)
{
    close_now(arg);
}

/* evhttp has nothing of this request, so its callbacks are ours to take: it is only asked to free the connection. */
static void refuse(struct guard *g, const struct eb_err *err, const char *allow)
{
    const char *head = (const char *)evbuffer_pullup(g->held, (ev_ssize_t)g->scan.seen);
    const struct scan *s = &g->scan;
    bool problem = head != NULL && s->accept.len > 0 && gate_wants_problem(head + s->accept.at, s->accept.len);
    bool bodiless = head != NULL && s->method.len == 4 && memcmp(head + s->method.at, "HEAD", 4) == 0;

    guard_count_refused(eb_code_text(err->code));
    eb_debug(NULL, "refused code=%s %s", eb_code_text(err->code), err->text);
    g->state = REFUSING;
    g->deadline_ms = eb_mono_ms() + g->server->now.request_deadline_ms;
    evbuffer_drain(g->held, evbuffer_get_length(g->held));
    bufferevent_setcb(g->bev, NULL, refusal_written, refusal_event, g);
    reply_raw(g->server, bufferevent_get_output(g->bev), err, allow, problem, bodiless);
    bufferevent_enable(g->bev, EV_READ | EV_WRITE);
}

/* A method that evhttp does not know: it would answer 501 in HTML. */
static void refuse_method(struct guard *g, const char *head)
{
    struct eb_err err = { 0 };
    struct route_path path;
    const char *target = head + g->scan.target.at;
    size_t len = g->scan.target.len;
    char *text = eb_alloc(len + 1), allow[64] = "";
    const char *query = memchr(target, '?', len);

    if (route_path_split(target, query != NULL ? (size_t)(query - target) : len, text, &path, &err))
        (void)route_find(&g->server->routes, head + g->scan.method.at, g->scan.method.len, &path, allow, sizeof(allow), &err);
    free(text);
    refuse(g, &err, allow);
}

/* ---- bytes in ---- */

/* Appends the whole input to what is held. */
static bool append_held(struct guard *g, struct evbuffer *input)
{
    size_t n = evbuffer_get_length(input);
    struct evbuffer_iovec v;

    if (evbuffer_get_length(g->held) == 0 || n >= COPY_BELOW)
        return evbuffer_add_buffer(g->held, input) == 0;
    if (evbuffer_reserve_space(g->held, (ev_ssize_t)n, &v, 1) != 1)
        return false;
    v.iov_len = (size_t)evbuffer_remove(input, v.iov_base, n);
    return evbuffer_commit_space(g->held, &v, 1) == 0;
}

/* Moves the last n bytes, which have just arrived, out of evhttp's sight. What stands before them is its own already. */
static bool hold(struct guard *g, struct evbuffer *input, size_t n)
{
    size_t keep = evbuffer_get_length(input) - n;
    struct evbuffer *front = keep > 0 ? evbuffer_new() : NULL;

    if (keep > 0 && (front == NULL || evbuffer_remove_buffer(input, front, keep) != (int)keep))
        eb_no_memory();
    bool held = append_held(g, input);
    if (front != NULL) {
        evbuffer_unfreeze(input, 0);
        g->feeding = true;
        evbuffer_add_buffer(input, front);
        g->feeding = false;
        evbuffer_free(front);
    }
    return held;
}

/* Puts back as much of the request under way as is here. */
static void feed(struct guard *g)
{
    struct evbuffer *input = bufferevent_get_input(g->bev);
    size_t len = evbuffer_get_length(g->held), n = len < g->due ? len : (size_t)g->due;

    g->feeding = true;
    evbuffer_unfreeze(input, 0);            /* libevent closes a socket's input to all but itself */
    int moved = evbuffer_remove_buffer(g->held, input, n);
    g->feeding = false;
    assert(moved == (int)n);
    g->due -= n;
    g->state = g->due > 0 ? BODY : BUSY;
}

/* Judges what is held of the next request. */
static void judge(struct guard *g)
{
    const struct settings *now = &g->server->now;
    size_t len = evbuffer_get_length(g->held), want = len < now->limits.head ? len : now->limits.head;
    struct eb_err err = { 0 };

    if (len == 0)
        return;
    if (g->idle) {
        g->idle = false;
        g->deadline_ms = eb_mono_ms() + now->request_deadline_ms;
    }
    const char *head = (const char *)evbuffer_pullup(g->held, (ev_ssize_t)want);
    assert(head != NULL);
    switch (scan_run(&g->scan, head, want, &now->limits, &err)) {
    case SCAN_MORE:
        break;
    case SCAN_BAD:
        refuse(g, &err, NULL);
        break;
    case SCAN_GOOD:
        if (!g->scan.known) {
            refuse_method(g, head);
            break;
        }
        g->due = g->scan.head + g->scan.body;
        feed(g);
        break;
    }
}

/* In BODY: n bytes more have come, straight to where evhttp reads them. What is beyond the body is not its business. */
static bool body_arrived(struct guard *g, struct evbuffer *input, size_t n)
{
    size_t beyond = n > g->due ? n - (size_t)g->due : 0;

    g->due -= n - beyond;
    if (g->due == 0)
        g->state = BUSY;
    return beyond == 0 || hold(g, input, beyond);
}

/* Runs when bytes are put into the input, before the bufferevent tells evhttp. */
static void input_changed(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
    struct guard *g = arg;

    if (info->n_added == 0 || g->feeding)
        return;
    if (g->broken || g->state == REFUSING || g->state == LINGER) {
        drop_input(g);
        return;
    }
    bool taken = g->state == BODY ? body_arrived(g, input, info->n_added) : hold(g, input, info->n_added);
    if (!taken || evbuffer_get_length(g->held) > g->server->now.limits.head + g->server->now.limits.body + READ_AHEAD) {
        g->broken = true;           /* whatever comes while a request is under way: nobody may fill our memory meanwhile */
        look_soon(g);
    } else if (g->state == HEAD) {
        judge(g);
    }
}

/* ---- a connection begins ---- */

static struct bufferevent *make_bufferevent(struct event_base *base, SSL_CTX *tls, bool *broken)
{
    SSL *ssl = tls != NULL ? SSL_new(tls) : NULL;
    struct bufferevent *bev = NULL;

    if (ssl != NULL)
        bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL && ssl != NULL)
        SSL_free(ssl);
    *broken = bev == NULL && tls != NULL;
    if (*broken)
        ERR_clear_error();
    if (bev == NULL)
        bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        eb_no_memory();
    return bev;
}

struct bufferevent *guard_new(struct event_base *base, void *server)
{
    struct server *s = server;
    struct guard *g = eb_alloc(sizeof(*g));

    g->server = s;
    g->bev = make_bufferevent(base, s->now.tls, &g->broken);
    g->held = evbuffer_new();
    g->watch = evbuffer_add_cb(bufferevent_get_input(g->bev), input_changed, g);
    if (g->held == NULL || g->watch == NULL)
        eb_no_memory();
    g->deadline_ms = eb_mono_ms() + s->now.request_deadline_ms;
    bufferevent_incref(g->bev);     /* until guard_begin: evhttp may fail behind our back */
    TAILQ_INSERT_TAIL(&s->guards, g, link);
    eb_metric_set(&connections, ++s->guard_count, NULL, NULL, NULL);
    if (s->guard_count == 1)
        eb_timer_set(s->sweep, SWEEP_MS);
    listen_look(s);
    look_soon(g);
    return g->bev;
}

static bool source_permitted(const struct server *s, const struct address *peer)
{
    return s->now.allow.count == 0 || address_list_has(&s->now.allow, peer) || address_list_has(&s->now.trusted, peer);
}

/* In the turn in which evhttp accepted it, before any byte is read. Its callbacks' argument is its connection: there is no other way
 * to it before a request is complete (exchange.c asserts that they are the same). */
static void guard_begin(struct guard *g)
{
    void *connection = NULL;

    bufferevent_getcb(g->bev, NULL, NULL, NULL, &connection);
    if (connection == NULL) {       /* evhttp gave up on it */
        evbuffer_remove_cb_entry(bufferevent_get_input(g->bev), g->watch);
        bufferevent_decref(g->bev);
        guard_free(g);
        return;
    }
    bufferevent_decref(g->bev);
    g->connection = connection;
    HASH_ADD_PTR(g->server->by_connection, connection, g);
    evhttp_connection_set_closecb(g->connection, connection_gone, g);
    g->state = HEAD;
    if (!address_of(evhttp_connection_get_addr(g->connection), &g->peer) || !source_permitted(g->server, &g->peer))
        close_broken(g, "address");
    else if (g->broken)
        close_broken(g, "internal");
    else
        judge(g);
}

static void guard_look(struct guard *g)
{
    if (g->state == NEW) {
        guard_begin(g);
    } else if (g->broken) {
        close_broken(g, "flood");
    } else if (g->state == HEAD && g->server->draining && evbuffer_get_length(g->held) == 0) {
        close_now(g);
    } else if (g->state == HEAD) {
        judge(g);
        if (g->state == BODY || g->state == BUSY)
            bufferevent_trigger(g->bev, EV_READ, 0);    /* evhttp was told nothing of these bytes yet */
    }
}

static void look_at_todo(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    struct guard_list batch = TAILQ_HEAD_INITIALIZER(batch);
    struct guard *g;

    TAILQ_CONCAT(&batch, &s->todo, todo_link);
    while ((g = TAILQ_FIRST(&batch)) != NULL) {
        TAILQ_REMOVE(&batch, g, todo_link);
        g->in_todo = false;
        guard_look(g);
    }
    server_look_drained(s);
}

/* ---- a request begins and ends ---- */

void guard_busy(struct guard *g, struct server_exchange *x)
{
    assert(g->state == BUSY && g->exchange == NULL);
    g->exchange = x;
    g->deadline_ms = 0;
}

/* From evhttp_send_done(): the answer is out. evhttp closes next, or makes ready for another request. */
static void answered(struct evhttp_request *req, void *arg)
{
    struct guard *g = arg;

    g->state = HEAD;
    g->scan = (struct scan){ 0 };
    g->idle = true;
    g->deadline_ms = eb_mono_ms() + g->server->now.idle_ms;
    if (evbuffer_get_length(g->held) > 0 || g->server->draining)
        look_soon(g);
}

void guard_answering(struct guard *g)
{
    struct evhttp_request *req = g->exchange->req;

    g->exchange = NULL;
    g->state = ANSWERING;
    g->deadline_ms = eb_mono_ms() + g->server->now.request_deadline_ms;
    evhttp_request_set_on_complete_cb(req, answered, g);
    /* evhttp reads while it writes, to notice a close; but then a client that has said all and closed its half gets no answer. */
    bufferevent_disable(g->bev, EV_READ);
}

/* ---- all of them ---- */

static const char *expired_as(const struct guard *g)
{
    return g->state == HEAD && g->idle ? "idle" : g->state == LINGER ? "linger" : g->state == ANSWERING ? "slow_reader" : "deadline";
}

static void sweep(void *arg)
{
    struct server *s = arg;
    int64_t now = eb_mono_ms();
    struct guard *g, *next;

    for (g = TAILQ_FIRST(&s->guards); g != NULL; g = next) {
        next = TAILQ_NEXT(g, link);
        if (g->connection == NULL || g->deadline_ms == 0 || g->deadline_ms > now)
            continue;
        if (g->state == LINGER || g->idle)
            close_now(g);           /* nothing wrong about these */
        else
            close_broken(g, expired_as(g));
    }
    if (s->guard_count > 0)
        eb_timer_set(s->sweep, SWEEP_MS);
}

void guards_close_idle(struct server *s)
{
    struct guard *g, *next;

    for (g = TAILQ_FIRST(&s->guards); g != NULL; g = next) {
        next = TAILQ_NEXT(g, link);
        if (g->connection != NULL && g->state == HEAD && evbuffer_get_length(g->held) == 0)
            close_now(g);
    }
}

void guards_look(struct server *s)
{
    event_active(&s->todo_event, EV_TIMEOUT, 0);
}

void guards_open(struct server *s)
{
    TAILQ_INIT(&s->guards);
    TAILQ_INIT(&s->todo);
    s->sweep = eb_timer_new(s->loop, sweep, s);
    if (event_assign(&s->todo_event, eb_loop_base(s->loop), -1, 0, look_at_todo, s) != 0)
        abort();
}

void guards_close(struct server *s)
{
    struct guard *g;

    while ((g = TAILQ_FIRST(&s->guards)) != NULL) {     /* accepted in this very turn; evhttp has freed its part */
        evbuffer_remove_cb_entry(bufferevent_get_input(g->bev), g->watch);
        bufferevent_decref(g->bev);
        guard_free(g);
    }
    event_del(&s->todo_event);
    eb_timer_free(s->sweep);
}
