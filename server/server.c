/* server.c - the server's life: made, reloaded, drained, freed.
 *
 * Invariant: settings are replaced as a whole or not at all; a connection keeps the TLS context that it began with.
 */
#include "base/log.h"
#include "base/text.h"
#include "server/guard.h"

#include <assert.h>
#include <stdlib.h>

#define TEXT_MAX MiB(16)            /* of one answer */
/* evhttp's own limits stand above all that guard.c lets through: its answers to what is too long are not ours. */
#define EVHTTP_HEAD_MAX MiB(1)
#define EVHTTP_BODY_MAX MiB(16)

static void settings_free(struct settings *n)
{
    SSL_CTX_free(n->tls);
    address_list_free(&n->allow);
    address_list_free(&n->trusted);
}

static bool settings_make(const struct config_listen *c, struct settings *ret, struct eb_err *err)
{
    struct settings n = {
        .behind_proxy = c->behind_proxy,
        .max_connections = (unsigned)c->max_connections, .max_requests = (unsigned)c->max_requests,
        .request_deadline_ms = c->request_deadline_ms, .idle_ms = c->idle_ms,
        .limits = { (size_t)c->max_head_bytes, (unsigned)c->max_headers, (uint64_t)c->max_body_bytes },
    };

    if (!tls_context(c, &n.tls, err) || !address_list_parse(&c->allow, "listen.allow", &n.allow, err) ||
        !address_list_parse(&c->trusted_proxies, "listen.trusted_proxies", &n.trusted, err)) {
        settings_free(&n);
        return false;
    }
    *ret = n;
    return true;
}

static bool make_http(struct server *s, struct eb_err *err)
{
    s->http = evhttp_new(eb_loop_base(s->loop));
    if (s->http == NULL)
        return eb_fail(err, EB_INTERNAL, "the HTTP server cannot be made: no memory");
    evhttp_set_max_headers_size(s->http, EVHTTP_HEAD_MAX);
    evhttp_set_max_body_size(s->http, EVHTTP_BODY_MAX);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                               EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_bevcb(s->http, guard_new, s);
    evhttp_set_gencb(s->http, exchange_arrived, s);
    return true;
}

bool server_new(struct eb_loop *loop, const struct config_listen *c, const struct server_options *o, struct server **ret, struct eb_err *err)
{
    struct server *s = eb_alloc(sizeof(*s));

    s->loop = loop;
    s->options = *o;
    s->address = eb_strdup(c->address);
    s->text = EB_BUF(TEXT_MAX);
    route_table_make(o->routes, o->route_count, &s->routes);
    guards_open(s);
    if (!settings_make(c, &s->now, err) || !make_http(s, err) || !listen_open(s, err)) {
        server_free(s);
        return false;
    }
    *ret = s;
    return true;
}

bool server_reload(struct server *s, const struct config_listen *c, struct eb_err *err)
{
    struct settings n;

    if (!eb_streq(c->address, s->address))
        return eb_fail_field(err, EB_INVALID_REQUEST, "listen.address", "listen.address: changed; it takes effect at the next start");
    if (!settings_make(c, &n, err))
        return false;
    if ((n.tls == NULL) != (s->now.tls == NULL)) {
        settings_free(&n);
        return eb_fail_field(err, EB_INVALID_REQUEST, "listen.tls", "listen.tls: put in or taken out; it takes effect at the next start");
    }
    settings_free(&s->now);
    s->now = n;
    listen_look(s);
    return true;
}

void server_look_drained(struct server *s)
{
    void (*done)(void *) = s->drained;

    if (!s->draining || s->guard_count > 0 || done == NULL)
        return;
    s->drained = NULL;
    done(s->drained_ctx);
}

void server_drain(struct server *s, void (*done)(void *ctx), void *ctx)
{
    assert(done != NULL && !s->draining);
    s->draining = true;
    s->drained = done;
    s->drained_ctx = ctx;
    listen_close(s);
    guards_close_idle(s);
    guards_look(s);
}

/* evhttp frees its connections, and each of them its guard and its exchange. */
void server_free(struct server *s)
{
    if (s == NULL)
        return;
    s->draining = true;
    s->drained = NULL;
    listen_close(s);
    if (s->http != NULL)
        evhttp_free(s->http);
    guards_close(s);
    assert(s->exchanges == NULL);
    route_table_free(&s->routes);
    settings_free(&s->now);
    eb_buf_free(&s->text);
    free(s->address);
    free(s);
}

int server_port(const struct server *s)
{
    return s->port;
}
