/* exchange.c - one request: admitted or refused, handed to its handler, and what the handler may ask of it.
 *
 * The order of refusals is that of the contract: malformed (scan.c), source, path and method, overload, token, media type.
 */
#include "server/guard.h"
#include "server/reply.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <assert.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_DELETE: return "DELETE";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    case EVHTTP_REQ_TRACE: return "TRACE";
    case EVHTTP_REQ_CONNECT: return "CONNECT";
    case EVHTTP_REQ_PATCH: return "PATCH";
    }
    return "";
}

/* text[] holds the path, and behind it the segments. */
static struct server_exchange *exchange_new(struct server *s, struct guard *g, struct evhttp_request *req)
{
    const char *uri = evhttp_request_get_uri(req);
    size_t len = strcspn(uri, "?");
    struct server_exchange *x = eb_alloc(sizeof(*x) + 2 * len + 2);

    x->id = ++s->last_id;
    x->server = s;
    x->guard = g;
    x->req = req;
    x->began_us = eb_mono_us();
    x->method = method_name(evhttp_request_get_command(req));
    x->head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
    x->path = memcpy(x->text, uri, len);
    gate_read(evhttp_request_get_input_headers(req), &x->headers);
    x->problem = x->headers.accept != NULL && gate_wants_problem(x->headers.accept, strlen(x->headers.accept));
    x->close = s->now.behind_proxy || (x->headers.connection != NULL && gate_has_word(x->headers.connection, "close"));
    HASH_ADD(hh, s->exchanges, id, sizeof(x->id), x);
    guard_busy(g, x);
    return x;
}

void exchange_free(struct server_exchange *x)
{
    if (x->query_read)
        evhttp_clear_headers(&x->query);
    if (x->kept != NULL)
        x->release(x->kept);
    free(x);
}

/* evhttp has let go of a request that is with us only when it lost the connection by itself; in all other cases it frees both. */
void exchange_gone(struct server_exchange *x)
{
    assert(!x->in_handler);
    HASH_DEL(x->server->exchanges, x);
    if (evhttp_request_get_connection(x->req) == NULL)
        evhttp_request_free(x->req);
    exchange_free(x);
}

/* ---- admission ---- */

static bool admit_source(const struct server_exchange *x, struct eb_err *err)
{
    const struct settings *now = &x->server->now;
    const struct gate_headers *h = &x->headers;
    struct address client;
    char text[64] = "unknown";

    if (now->allow.count == 0)
        return true;
    if (h->forwarded_count <= GATE_FORWARDED &&
        address_client(guard_peer(x->guard), h->forwarded, h->forwarded_count, &now->trusted, &client)) {
        if (address_list_has(&now->allow, &client))
            return true;
        address_text(&client, text, sizeof(text));
    }
    eb_debug(NULL, "refused source address=%s", text);
    return eb_fail(err, EB_OPERATION_NOT_PERMITTED, "Requests from this address are not permitted (listen.allow).");
}

static bool admit_route(struct server_exchange *x, char *allow, size_t size, struct eb_err *err)
{
    size_t len = strlen(x->path);

    if (!route_path_split(x->path, len, x->text + len + 1, &x->segments, err))
        return false;
    x->route = route_find(&x->server->routes, x->method, strlen(x->method), &x->segments, allow, size, err);
    return x->route != NULL;
}

/* Health and metrics are answered also when there is too much to do. */
static bool admit_load(const struct server_exchange *x, struct eb_err *err)
{
    struct server *s = x->server;

    if (x->route->def->who == SERVER_ANYBODY && !x->route->def->page)
        return true;
    if (s->draining)
        return eb_fail(err, EB_SHUTTING_DOWN, "The service is stopping. Send the request again in a moment.");
    if (HASH_COUNT(s->exchanges) > s->now.max_requests)
        return eb_fail(err, EB_OVERLOADED, "Too many requests are under way. Send the request again in a moment.");
    return true;
}

static bool admit_caller(struct server_exchange *x, struct eb_err *err)
{
    struct eb_span token;

    if (x->route->def->who == SERVER_ANYBODY)
        return true;
    if (!gate_token(&x->headers, &token, err))
        return false;
    x->caller = x->server->options.authenticate(x->server->options.ctx, token, err);
    return x->caller != NULL;
}

static bool admit_body(const struct server_exchange *x, struct eb_err *err)
{
    if (evhttp_request_get_command(x->req) != EVHTTP_REQ_POST)
        return true;
    return x->route->def->page ? gate_form_type(&x->headers, err) : gate_media_type(&x->headers, err);
}

static bool admit(struct server_exchange *x, char *allow, size_t size, struct eb_err *err)
{
    return admit_source(x, err) && admit_route(x, allow, size, err) && admit_load(x, err) && admit_caller(x, err) && admit_body(x, err);
}

void exchange_arrived(struct evhttp_request *req, void *server)
{
    struct guard *g = guard_of(server, evhttp_request_get_connection(req));
    struct eb_err err;
    char allow[64] = "";

    assert(g != NULL);
    struct server_exchange *x = exchange_new(server, g, req);
    err.code = EB_OK;
    err.retry_after_ms = 0;
    err.field[0] = err.text[0] = '\0';
    if (!admit(x, allow, sizeof(allow), &err)) {
        reply_refusal(x, &err, allow);
        return;
    }
    x->in_handler = true;
    x->route->def->handler(x->server->options.ctx, x);
    x->in_handler = false;
    if (x->over)
        exchange_free(x);
}

/* ---- what a handler may ask ---- */

const char *server_path(const struct server_exchange *x)
{
    return x->path;
}

const char *server_param(const struct server_exchange *x, const char *name)
{
    return route_param(x->route, &x->segments, name);
}

const char *server_query(const struct server_exchange *x, const char *name)
{
    struct server_exchange *own = (struct server_exchange *)(uintptr_t)x;   /* what was read is kept */
    const char *text = strchr(evhttp_request_get_uri(x->req), '?');

    if (!own->query_read) {
        TAILQ_INIT(&own->query);
        own->query_read = true;
        if (text != NULL && evhttp_parse_query_str(text + 1, &own->query) != 0)
            evhttp_clear_headers(&own->query);
    }
    return evhttp_find_header(&x->query, name);
}

const char *server_header(const struct server_exchange *x, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(x->req), name);
}

struct eb_span server_body(const struct server_exchange *x)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(x->req);
    size_t len = evbuffer_get_length(body);
    const char *p = len > 0 ? (const char *)evbuffer_pullup(body, -1) : "";

    assert(p != NULL);
    return (struct eb_span){ p, len };
}

const void *server_caller(const struct server_exchange *x)
{
    return x->caller;
}

void server_keep(struct server_exchange *x, void *kept, void (*release)(void *kept))
{
    assert(x->kept == NULL);
    x->kept = kept;
    x->release = release;
}

uint64_t server_exchange_id(const struct server_exchange *x)
{
    return x->id;
}
