/* server_probe.c - the server with a few routes and nothing behind them, for raw_socket.py.
 *
 * Usage: server_probe [key=value ...]    the members of config_listen by their names in the file, and tls=CERT,KEY
 * Prints "port N". The one good token is "good". SIGHUP reloads, and prints what came of it, SIGTERM drains, SIGINT leaves at once, SIGUSR1 answers the oldest request that waits.
 *     GET /healthz          who: anybody
 *     GET /v1/things/{id}   echoes id and query
 *     POST /v1/echo         echoes the length of the body
 *     POST /v1/wait         answers after 300 ms
 *     POST /v1/wait/long    answers after SIGUSR1, or after 60 s
 *     GET /v1/big           8 MiB: more than the kernel takes at once
 */
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct waiting { struct probe *probe; uint64_t id; struct eb_timer *timer; TAILQ_ENTRY(waiting) link; };
struct probe {
    struct eb_loop *loop;
    struct server *server;
    struct config_listen listen;
    TAILQ_HEAD(waiting_list, waiting) waiting;
    int calls;
};

static const char *const lists[] = { "trusted_proxies", "allow" };

static const void *authenticate(void *ctx, struct eb_span token, struct eb_err *err)
{
    if (token.len == 4 && memcmp(token.p, "good", 4) == 0)
        return "caller";
    (void)eb_fail(err, EB_UNAUTHENTICATED, "This token is not known.");
    return NULL;
}

static void reply(struct probe *p, uint64_t id, json_t *body)
{
    server_reply_json(p->server, id, 200, body, NULL);
    json_decref(body);
}

static void get_health(void *ctx, struct server_exchange *x)
{
    reply(ctx, server_exchange_id(x), json_pack("{s:b}", "alive", true));
}

static void get_thing(void *ctx, struct server_exchange *x)
{
    reply(ctx, server_exchange_id(x), json_pack("{s:s, s:s?, s:s}", "id", server_param(x, "id"), "issue", server_query(x, "issue"), "path",
                                                server_path(x)));
}

static void get_big(void *ctx, struct server_exchange *x)
{
    char *text = eb_alloc(MiB(8));

    memset(text, 'x', MiB(8));
    server_reply_text(((struct probe *)ctx)->server, server_exchange_id(x), 200, "text/plain; charset=utf-8", (struct eb_span){ text, MiB(8) });
    free(text);
}

static void get_metrics(void *ctx, struct server_exchange *x)
{
    struct eb_buf out = EB_BUF(MiB(1));

    (void)eb_metrics_render(&out);
    server_reply_text(((struct probe *)ctx)->server, server_exchange_id(x), 200, "text/plain; version=0.0.4", (struct eb_span){ out.data, out.len });
    eb_buf_free(&out);
}

static void post_echo(void *ctx, struct server_exchange *x)
{
    struct probe *p = ctx;

    server_reply_text(p->server, server_exchange_id(x) + 1, 200, "text/plain", (struct eb_span){ "x", 1 });     /* nobody's: not found */
    reply(p, server_exchange_id(x), json_pack("{s:i, s:i}", "length", (int)server_body(x).len, "calls", ++p->calls));
}

static void answer_waiting(void *arg)
{
    struct waiting *w = arg;

    TAILQ_REMOVE(&w->probe->waiting, w, link);
    reply(w->probe, w->id, json_pack("{s:b}", "waited", true));
    eb_timer_free(w->timer);
    free(w);
}

static void drop_waiting(struct probe *p)
{
    struct waiting *w;

    while ((w = TAILQ_FIRST(&p->waiting)) != NULL) {
        TAILQ_REMOVE(&p->waiting, w, link);
        eb_timer_free(w->timer);
        free(w);
    }
}

static void wait_for(struct probe *p, struct server_exchange *x, int64_t ms)
{
    struct waiting *w = eb_alloc(sizeof(*w));

    *w = (struct waiting){ .probe = p, .id = server_exchange_id(x) };
    w->timer = eb_timer_new(p->loop, answer_waiting, w);
    TAILQ_INSERT_TAIL(&p->waiting, w, link);
    eb_timer_set(w->timer, ms);
}

static void post_wait(void *ctx, struct server_exchange *x)
{
    wait_for(ctx, x, 300);
}

static void post_wait_long(void *ctx, struct server_exchange *x)
{
    wait_for(ctx, x, 60000);
}

static const struct server_route routes[] = {
    { "GET", "/healthz", SERVER_ANYBODY, get_health },
    { "GET", "/metrics", SERVER_ANYBODY, get_metrics },
    { "GET", "/v1/things/{id}", SERVER_TOKEN, get_thing },
    { "GET", "/v1/big", SERVER_TOKEN, get_big },
    { "POST", "/v1/echo", SERVER_TOKEN, post_echo },
    { "POST", "/v1/wait", SERVER_TOKEN, post_wait },
    { "POST", "/v1/wait/long", SERVER_TOKEN, post_wait_long },
};

/* ---- settings from the command line ---- */

static void set_list(struct config_list *l, const char *value)
{
    char *copy = eb_strdup(value), *state = NULL;

    l->items = eb_alloc(16 * sizeof(*l->items));
    for (char *one = strtok_r(copy, ",", &state); one != NULL && l->count < 16; one = strtok_r(NULL, ",", &state))
        l->items[l->count++] = eb_strdup(one);
    free(copy);
}

static bool set_number(struct config_listen *l, const char *key, long n)
{
    const struct { const char *key; int *small; int64_t *large; } rows[] = {
        { "max_connections", &l->max_connections, NULL }, { "max_requests", &l->max_requests, NULL },
        { "max_headers", &l->max_headers, NULL }, { "request_deadline", NULL, &l->request_deadline_ms },
        { "idle", NULL, &l->idle_ms }, { "max_head", NULL, &l->max_head_bytes }, { "max_body", NULL, &l->max_body_bytes },
    };
    for (size_t i = 0; i < EB_LEN(rows); i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        if (rows[i].small != NULL)
            *rows[i].small = (int)n;
        else
            *rows[i].large = n;
        return true;
    }
    return false;
}

static bool set(struct config_listen *l, char *pair)
{
    char *value = strchr(pair, '=');

    if (value == NULL)
        return false;
    *value++ = '\0';
    if (strcmp(pair, "address") == 0 || strcmp(pair, "client_ca") == 0) {
        char **at = *pair == 'a' ? &l->address : &l->tls_client_ca;
        free(*at);
        *at = eb_strdup(value);
        return true;
    }
    if (strcmp(pair, "tls") == 0 && strchr(value, ',') != NULL) {
        size_t len = strcspn(value, ",");
        l->tls_key = eb_strdup(value + len + 1);
        value[len] = '\0';
        l->tls_certificate = eb_strdup(value);
        return true;
    }
    if (strcmp(pair, lists[0]) == 0 || strcmp(pair, lists[1]) == 0) {
        set_list(strcmp(pair, lists[0]) == 0 ? &l->trusted_proxies : &l->allow, value);
        return true;
    }
    if (strcmp(pair, "behind_proxy") == 0)
        return l->behind_proxy = true;
    return set_number(l, pair, strtol(value, NULL, 10));
}

static void free_list(struct config_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
}

static void free_listen(struct config_listen *l)
{
    free(l->address);
    free(l->tls_certificate);
    free(l->tls_key);
    free(l->tls_client_ca);
    free_list(&l->trusted_proxies);
    free_list(&l->allow);
}

/* ---- signals ---- */

static void drained(void *ctx)
{
    struct probe *p = ctx;

    server_free(p->server);
    p->server = NULL;
    eb_loop_stop(p->loop);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct probe *p = arg;
    struct eb_err err = { 0 };

    if (sig == SIGTERM)
        server_drain(p->server, drained, p);
    else if (sig == SIGINT)
        eb_loop_stop(p->loop);
    else if (sig == SIGUSR1 && !TAILQ_EMPTY(&p->waiting))
        answer_waiting(TAILQ_FIRST(&p->waiting));
    else if (sig == SIGHUP) {
        puts(server_reload(p->server, &p->listen, &err) ? "reloaded" : "not reloaded");
        fflush(stdout);
    }
}

static void serve(struct probe *p)
{
    const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
    struct event *events[EB_LEN(signals)];

    for (size_t i = 0; i < EB_LEN(signals); i++) {
        events[i] = evsignal_new(eb_loop_base(p->loop), signals[i], on_signal, p);
        evsignal_add(events[i], NULL);
    }
    printf("port %d\n", server_port(p->server));
    fflush(stdout);
    eb_loop_run(p->loop);
    for (size_t i = 0; i < EB_LEN(signals); i++)
        event_free(events[i]);
}

int main(int argc, char **argv)
{
    struct probe p = { .listen = { .max_connections = 1024, .max_requests = 512, .request_deadline_ms = 10000, .idle_ms = 15000,
                                   .max_head_bytes = KiB(16), .max_body_bytes = KiB(64), .max_headers = 100 } };
    struct server_options o = { routes, EB_LEN(routes), &p, authenticate };
    struct eb_err err = { 0 };

    signal(SIGPIPE, SIG_IGN);
    TAILQ_INIT(&p.waiting);
    p.listen.address = eb_strdup("127.0.0.1:0");
    for (int i = 1; i < argc; i++) {
        if (!set(&p.listen, argv[i])) {
            fprintf(stderr, "server_probe: what is %s?\n", argv[i]);
            return 2;
        }
    }
    if (!eb_loop_new(&p.loop, &err) || !server_new(p.loop, &p.listen, &o, &p.server, &err)) {
        fprintf(stderr, "server_probe: %s\n", err.text);
        return 1;
    }
    serve(&p);
    drop_waiting(&p);
    server_free(p.server);
    eb_loop_free(p.loop);
    free_listen(&p.listen);
    eb_metrics_free();
    return 0;
}
