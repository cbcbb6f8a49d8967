/* exchange.c - ends an exchange: a whole answer, a cut one, a wrong one, or none.
 *
 * A connection is never freed inside evhttp's own callbacks: always from a fresh turn of the loop.
 */
#include "sim/exchange.h"

#include "base/text.h"
#include "sim/odata.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HTML "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Something went wrong</h1></body></html>"
#define GARBAGE "\x00\x01{\"value\": [ \xff\xfe nonsense"

static const char *content_type(const struct sim_exchange *x)
{
    if (x->reply.content_type != NULL)
        return x->reply.content_type;
    return x->call.cloud == SIM_CLOUD_GRAPH ? "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
         : x->call.cloud == SIM_CLOUD_TOKEN ? "application/json; charset=utf-8" : "application/json;charset=UTF-8";
}

struct sim_exchange *sim_exchange_new(struct sim *s, struct evhttp_request *req, struct sim_exchanges *all)
{
    struct sim_exchange *x = eb_alloc(sizeof(*x));

    x->sim = s;
    x->req = req;
    x->all = all;
    TAILQ_INSERT_TAIL(all, x, next);
    return x;
}

void sim_exchange_free(struct sim_exchange *x)
{
    TAILQ_REMOVE(x->all, x, next);
    if (x->timer != NULL)
        event_free(x->timer);
    sim_action_free(x->action);
    sim_reply_clear(&x->reply);
    sim_call_free(&x->call);
    free(x);
}

static void on_close(evutil_socket_t fd, short what, void *arg)
{
    evhttp_connection_free(arg);
}

static void close_soon(struct sim *s, struct evhttp_connection *con)
{
    struct timeval now = { 0, 0 };

    event_base_once(s->base, -1, EV_TIMEOUT, on_close, con, &now);
}

static void drop(struct sim_exchange *x)
{
    struct evhttp_connection *con = evhttp_request_get_connection(x->req);
    struct sockaddr none = { .sa_family = AF_UNSPEC };

    if (con == NULL)
        return;
    if (x->action != NULL && x->action->reset)      /* dissolves the connection by RST; evhttp itself would send FIN first */
        (void)!connect(bufferevent_getfd(evhttp_connection_get_bufferevent(con)), &none, sizeof(none));
    close_soon(x->sim, con);
}

static void add_headers(struct sim_exchange *x)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(x->req);
    const struct sim_call *c = &x->call;

    if (x->reply.body != NULL || x->reply.text != NULL)
        evhttp_add_header(out, "Content-Type", content_type(x));
    if (c->cloud == SIM_CLOUD_GRAPH || c->cloud == SIM_CLOUD_TOKEN) {
        evhttp_add_header(out, c->cloud == SIM_CLOUD_GRAPH ? "request-id" : "x-ms-request-id", c->request_id);
        evhttp_add_header(out, "client-request-id", c->client_request_id[0] != '\0' ? c->client_request_id : c->request_id);
        evhttp_add_header(out, "x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"Simulated\",\"Slice\":\"E\",\"Ring\":\"0\"}}");
    }
    for (size_t i = 0; i < x->reply.header_count; i++) {
        evhttp_remove_header(out, x->reply.headers[i].name);
        evhttp_add_header(out, x->reply.headers[i].name, x->reply.headers[i].value);
    }
}

static void drop_text(const void *data, size_t size, void *extra)
{
    free(extra);
}

static void add_json(const json_t *body, struct evbuffer *out)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));

    if (text == NULL || evbuffer_add_reference(out, text, strlen(text), drop_text, text) != 0)
        abort();                    /* a route made what is no JSON */
}

/* The text goes to the buffer as it is: a page of Assets is megabytes. */
static void add_body(struct sim_exchange *x, struct evbuffer *out)
{
    struct sim_reply *r = &x->reply;
    char *text = r->text;

    r->text = NULL;
    if (text != NULL && evbuffer_add_reference(out, text, strlen(text), drop_text, text) != 0)
        eb_no_memory();
    else if (text == NULL && r->body != NULL)
        add_json(r->body, out);
}

static void on_cut(struct evhttp_connection *con, void *arg)
{
    close_soon(arg, con);
}

/* The head promises the whole length; half of it is sent, then the connection is closed. */
static void send_cut(struct sim_exchange *x)
{
    struct evbuffer *whole = evbuffer_new(), *half = evbuffer_new();
    char length[24];

    add_body(x, whole);
    if (evbuffer_get_length(whole) < 2)
        evbuffer_add(whole, "{\"cut\": true}", 13);
    snprintf(length, sizeof(length), "%zu", evbuffer_get_length(whole));
    evhttp_add_header(evhttp_request_get_output_headers(x->req), "Content-Length", length);
    evbuffer_remove_buffer(whole, half, evbuffer_get_length(whole) / 2);
    evhttp_send_reply_start(x->req, x->reply.status == 204 ? 200 : x->reply.status, NULL);
    evhttp_send_reply_chunk_with_cb(x->req, half, on_cut, x->sim);
    evbuffer_free(whole);
    evbuffer_free(half);
}

static void send_whole(struct sim_exchange *x)
{
    const struct sim_action *a = x->action;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(x->req);
    struct evbuffer *out = evhttp_request_get_output_buffer(x->req);

    if (a != NULL && a->html) {
        evhttp_remove_header(headers, "Content-Type");
        evhttp_add_header(headers, "Content-Type", "text/html; charset=utf-8");
        evbuffer_add(out, HTML, sizeof(HTML) - 1);
    } else if (a != NULL && a->garbage) {
        evhttp_remove_header(headers, "Content-Type");
        evhttp_add_header(headers, "Content-Type", "application/json");
        evbuffer_add(out, GARBAGE, sizeof(GARBAGE) - 1);
    } else {
        add_body(x, out);
    }
    evhttp_send_reply(x->req, x->reply.status, NULL, NULL);
}

void sim_exchange_send(struct sim_exchange *x)
{
    const struct sim_action *a = x->action;
    bool dropped = a != NULL && (a->drop_before || a->drop_after || a->hang);

    if (x->reply.status == 0)
        x->reply.status = 200;      /* html and garbage without a status of their own */
    if (x->entry != 0)
        sim_calls_answered(x->sim->calls, x->entry, dropped ? 0 : x->reply.status, json_object_get(x->reply.log, "items"));
    if (dropped) {
        drop(x);
    } else {
        add_headers(x);
        if (a != NULL && a->cut_body && evhttp_request_get_connection(x->req) != NULL)
            send_cut(x);
        else
            send_whole(x);
    }
    sim_exchange_free(x);
}
