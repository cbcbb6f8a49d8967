/* http.c - one exchange: parse, decide the fault, wait, do it, wait, answer.
 *
 * An exchange owns its call, reply and action; evhttp owns the request until the answer is sent or the connection is
 * dropped. While a request is handled evhttp does not read, so that a client that leaves is noticed at the answer only.
 */
#include "sim/http.h"

#include "base/text.h"
#include "sim/control.h"
#include "sim/exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX MiB(32)
#define HANG_MS 120000

struct sim_http { struct sim *sim; struct evhttp *server; SSL_CTX *tls; int port; struct sim_exchanges exchanges; };

static void header_copy(const struct evkeyvalq *headers, const char *name, char *out, size_t size)
{
    const char *value = evhttp_find_header(headers, name);

    snprintf(out, size, "%s", value != NULL ? value : "");
}

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET:    return "GET";
    case EVHTTP_REQ_POST:   return "POST";
    case EVHTTP_REQ_PUT:    return "PUT";
    case EVHTTP_REQ_PATCH:  return "PATCH";
    case EVHTTP_REQ_DELETE: return "DELETE";
    default:                return "OTHER";
    }
}

/* What links begin with: what stands before the cloud's paths. */
static void set_base_url(struct sim_http *h, struct sim_call *c, const char *host)
{
    const char *scheme = h->tls != NULL ? "https" : "http";

    if (c->cloud == SIM_CLOUD_GRAPH && h->sim->opt.graph_url != NULL)
        snprintf(c->base_url, sizeof(c->base_url), "%s", h->sim->opt.graph_url);
    else if (c->cloud == SIM_CLOUD_ASSETS && h->sim->opt.assets_url != NULL)
        snprintf(c->base_url, sizeof(c->base_url), "%s", h->sim->opt.assets_url);
    else
        snprintf(c->base_url, sizeof(c->base_url), "%s://%s%s%s", scheme, host[0] != '\0' ? host : "localhost",
                 c->cloud == SIM_CLOUD_GRAPH ? "/v1.0" : "",
                 strncmp(c->target, "/ex/jira/", 9) == 0 ? "/ex/jira/" : "");
    if (strncmp(c->target, "/ex/jira/", 9) == 0 && (c->cloud == SIM_CLOUD_JIRA || h->sim->opt.assets_url == NULL))
        strncat(c->base_url, h->sim->opt.cloud_id, sizeof(c->base_url) - strlen(c->base_url) - 1);
}

static bool read_call(struct sim_http *h, struct evhttp_request *req, struct sim_call *c)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    const char *target = evhttp_request_get_uri(req);
    char host[96], consistency[16], prefer[64], priority[16];

    snprintf(c->method, sizeof(c->method), "%s", method_name(evhttp_request_get_command(req)));
    header_copy(headers, "Authorization", c->authorization, sizeof(c->authorization));
    header_copy(headers, "client-request-id", c->client_request_id, sizeof(c->client_request_id));
    header_copy(headers, "Content-Type", c->content_type, sizeof(c->content_type));
    header_copy(headers, "ConsistencyLevel", consistency, sizeof(consistency));
    header_copy(headers, "Host", host, sizeof(host));
    header_copy(headers, "Prefer", prefer, sizeof(prefer));
    header_copy(headers, "x-ms-throttle-priority", priority, sizeof(priority));
    c->eventual = strcasecmp(consistency, "eventual") == 0;
    c->minimal = strcasestr(prefer, "return=minimal") != NULL;
    c->priority = sim_priority_parse(priority);
    sim_quick_id(c->request_id);
    size_t n = evbuffer_get_length(in);
    c->body = (struct eb_span){ n > 0 ? (const char *)evbuffer_pullup(in, -1) : NULL, n };
    if (!sim_call_target(c, target))
        return false;
    c->cloud = sim_classify(target);
    set_base_url(h, c, host);
    return true;
}

static void after(struct sim_exchange *x, int64_t ms, event_callback_fn fn)
{
    struct timeval tv = { ms / 1000, (ms % 1000) * 1000 };

    if (ms <= 0) {
        fn(-1, 0, x);
        return;
    }
    if (x->timer != NULL)
        event_free(x->timer);
    x->timer = evtimer_new(x->sim->base, fn, x);
    evtimer_add(x->timer, &tv);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    sim_exchange_send(arg);
}

/* An item of the batch ordered something for the whole answer: its part that lies after the effect holds. */
static void adopt_transport(struct sim_exchange *x)
{
    struct sim_action *item = x->reply.transport;

    if (item == NULL || x->action != NULL)
        return;
    x->reply.transport = NULL;
    item->status = item->status_after = 0;      /* that was the item's */
    item->drop_after = item->drop_after || item->drop_before;
    item->delay_after_ms += item->delay_ms;
    x->action = item;
}

static void on_effect(evutil_socket_t fd, short what, void *arg)
{
    struct sim_exchange *x = arg;
    struct sim *s = x->sim;

    if (x->action == NULL || !sim_action_prevents(x->action)) {
        sim_dispatch(s, &x->call, &x->reply);
        adopt_transport(x);
    }
    if (x->action != NULL)
        sim_action_answer(x->action, &x->call, &x->reply);
    sim_waits_check(s);
    if (x->action != NULL && x->action->hang)
        after(x, HANG_MS, on_answer);
    else
        after(x, s->opt.latency_ms - s->opt.latency_ms / 2 + (x->action != NULL ? x->action->delay_after_ms : 0), on_answer);
}

static void cloud_call(struct sim_exchange *x)
{
    struct sim *s = x->sim;

    x->action = sim_faults_decide(s->faults, &x->call);
    x->entry = sim_calls_add(s->calls, &x->call, x->action != NULL ? x->action->rule : 0);
    after(x, s->opt.latency_ms / 2 + (x->action != NULL ? x->action->delay_ms : 0), on_effect);
}

static void on_waited(void *ctx, bool satisfied)
{
    struct sim_exchange *x = ctx;

    sim_reply_json(&x->reply, 200, json_pack("{s:b}", "satisfied", satisfied));
    sim_exchange_send(x);
}

static void control_call(struct sim_exchange *x)
{
    struct eb_err err = { 0 };

    if (strcmp(x->call.target, "/sim/wait") == 0 && strcmp(x->call.method, "POST") == 0) {
        if (sim_waits_add(x->sim, sim_call_json(&x->call), on_waited, x, &err))
            return;                 /* on_waited answers, or has answered */
        control_error(&x->reply, &err);
    } else {
        control_answer(x->sim, &x->call, &x->reply);
    }
    sim_exchange_send(x);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct sim_http *h = arg;
    struct sim_exchange *x = sim_exchange_new(h->sim, req, &h->exchanges);

    if (!read_call(h, req, &x->call)) {
        sim_reply_json(&x->reply, 400, json_pack("{s:s}", "error", "the request target has too many parts"));
        sim_exchange_send(x);
    } else if (x->call.cloud == SIM_CLOUD_NONE) {
        sim_reply_json(&x->reply, 404, json_pack("{s:s}", "error", "no simulated cloud has this path"));
        sim_exchange_send(x);
    } else if (x->call.cloud == SIM_CLOUD_CONTROL) {
        control_call(x);
    } else {
        cloud_call(x);
    }
}

static struct bufferevent *on_tls_connection(struct event_base *base, void *arg)
{
    struct sim_http *h = arg;
    SSL *ssl = SSL_new(h->tls);
    struct bufferevent *bev = ssl == NULL ? NULL
        : bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

    if (bev == NULL)
        abort();                    /* NULL would make evhttp serve plain HTTP on this port */
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

static bool tls_setup(struct sim_http *h, struct eb_err *err)
{
    const struct sim_options *o = &h->sim->opt;

    if (o->tls_cert == NULL)
        return true;
    h->tls = SSL_CTX_new(TLS_server_method());
    if (h->tls == NULL || SSL_CTX_use_certificate_chain_file(h->tls, o->tls_cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(h->tls, o->tls_key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(h->tls) != 1)
        return eb_fail(err, EB_INVALID_REQUEST, "--tls: %s and %s are no certificate with its key: %s", o->tls_cert, o->tls_key,
                       ERR_reason_error_string(ERR_peek_last_error()));
    evhttp_set_bevcb(h->server, on_tls_connection, h);
    return true;
}

static bool bind_port(struct sim_http *h, struct eb_err *err)
{
    const struct sim_options *o = &h->sim->opt;
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(h->server, o->address, (uint16_t)o->port);
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    int one = 1;

    if (bound == NULL)
        return eb_fail(err, EB_INVALID_REQUEST, "cannot listen on %s port %lld", o->address, (long long)o->port);
    evutil_socket_t fd = evhttp_bound_socket_get_fd(bound);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));     /* accepted sockets inherit it */
    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return eb_fail(err, EB_INTERNAL, "getsockname failed");
    h->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
    return true;
}

bool sim_http_new(struct sim *s, struct sim_http **ret, struct eb_err *err)
{
    struct sim_http *h = eb_alloc(sizeof(*h));

    h->sim = s;
    TAILQ_INIT(&h->exchanges);
    h->server = evhttp_new(s->base);
    if (h->server == NULL) {
        free(h);
        return eb_fail(err, EB_INTERNAL, "evhttp_new failed");
    }
    evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
    evhttp_set_max_body_size(h->server, (ev_ssize_t)BODY_MAX);
    evhttp_set_max_headers_size(h->server, (ev_ssize_t)KiB(64));
    evhttp_set_timeout(h->server, 300);
    evhttp_set_gencb(h->server, on_request, h);
    if (!tls_setup(h, err) || !bind_port(h, err)) {
        sim_http_free(h);
        return false;
    }
    *ret = h;
    return true;
}

int sim_http_port(const struct sim_http *h)
{
    return h->port;
}

void sim_http_free(struct sim_http *h)
{
    if (h == NULL)
        return;
    evhttp_free(h->server);         /* with the requests under way */
    while (!TAILQ_EMPTY(&h->exchanges))
        sim_exchange_free(TAILQ_FIRST(&h->exchanges));
    SSL_CTX_free(h->tls);
    free(h);
}
